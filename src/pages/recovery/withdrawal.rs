//! The page on which who asked for something in a case takes it back.

use maud::{Markup, html};

use super::requests::{RequestView, asked};
use crate::pages::Frame;
use crate::pages::form::Form;
use crate::pages::frame::Section;
use crate::pages::parts::{cancel, card, facts, heading};
use crate::recovery::RequestState;

/// Taking back what was asked for: `GET` and `POST /admin/recovery/{case}/withdraw`, with `request`.
#[derive(Debug, Clone)]
pub struct WithdrawView<'a> {
    /// With a nonce.
    pub form: Form<'a>,
    /// What was asked for.
    pub request: RequestView<'a>,
}

/// What was asked for, what follows, and the form.
pub fn withdraw(frame: &Frame, view: &WithdrawView) -> Markup {
    let (request, form) = (&view.request, &view.form);
    let href = format!("/admin/recovery/{}", request.case);
    let trail = html! {
        a href="/admin/recovery" { "Recovery" } " · " a href=(href) { (request.case) } " · "
        a href=(request.person.href("")) { bdi { (request.person.name) } }
    };
    let title = "Withdraw what you asked for";
    let content = html! {
        (heading(Some(&trail), title, None))
        (form.summary("Nothing was withdrawn yet."))
        (card("asked", "What you asked for", &facts(&asked(frame, request))))
        form class="card" method="post" action={ (href) "/withdraw" } novalidate {
            (form.hidden())
            input type="hidden" name="request" value=(request.id);
            p {
                @if request.state == RequestState::Approved { "Then the approval counts for nothing any more. " }
                @else { "Then nobody has to decide about it any more. " }
                "Nothing was given, and nothing changes for " bdi { (request.person.name) } ". The case stays open, with what "
                "is on record in it: you can ask again, or for something else."
            }
            (form.step_up())
            div class="actions" { button class="main" { "Withdraw it" } (cancel(&href)) }
        }
    };
    frame.wide(Section::Recovery, title, form.wrong(), &content)
}

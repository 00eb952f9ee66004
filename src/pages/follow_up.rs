//! The message to somebody who was helped: what was done, at whose request, and what to do now.

use maud::{Markup, html};

use super::Frame;
use super::field::Field;
use super::form::Form;
use super::frame::Section;
use super::grants::Subject;
use super::parts::{Tone, card, copy_button, empty, heading, notice};
use super::words::time_ago;
use crate::ids::CaseNumber;
use crate::time::Timestamp;

/// `GET` and `POST /admin/recovery/{case}/message` with `message` and `how`.
#[derive(Debug, Clone)]
pub struct FollowUpView<'a> {
    /// With a nonce; keeps `message`.
    pub form: Form<'a>,
    /// To whom.
    pub person: Subject<'a>,
    /// In which case.
    pub case: CaseNumber,
    /// Whether nothing was given in the case so far, or somebody objected to it.
    pub nothing_to_tell: bool,
    /// The addresses that were known before the case.
    pub addresses: &'a [String],
    /// Whether mail can be sent.
    pub mail: bool,
    /// When somebody wrote last, and who.
    pub written: Option<(Timestamp, &'a str)>,
}

/// The message to be changed, sent or copied.
pub fn follow_up(frame: &Frame, view: &FollowUpView) -> Markup {
    let (form, person) = (&view.form, &view.person);
    let title = format!("Message to {}", person.name);
    let back = format!("/admin/recovery/{}", view.case);
    let can_send = view.mail && !view.addresses.is_empty();
    let text = Field::new("message", "Message")
        .hint("Plain text. Change it as you like; no passes, codes or passwords.")
        .letter();
    let content = html! {
        (heading(Some(&person.trail(Some(view.case))), &title, None))
        @if view.nothing_to_tell {
            (empty("There is nothing to tell yet.", "Once somebody was helped in this case, the message about it stands here."))
            div class="actions" { a class="button" href=(back) { "Go to case " (view.case) } }
        } @else {
            (form.summary("Nothing was sent yet."))
            @if let Some((at, by)) = view.written {
                (notice(Tone::Plain, &html! {
                    p { bdi { (by) } " has written to " bdi { (person.name) } " " (time_ago(at, frame.now)) ". You can write once more." }
                }))
            }
            div class="aside" {
                form class="card" method="post" action={ (back) "/message" } novalidate {
                    (form.hidden())
                    (text.show(form))
                    (form.step_up())
                    div class="actions" {
                        @if can_send { button class="main" name="how" value="sent" { "Send" } }
                        (copy_button("message", "Copy the text"))
                        button class=[(!can_send).then_some("main")] name="how" value="copied" { "I copied it" }
                        a href=(back) { "Cancel" }
                    }
                }
                (card("addresses", "Who gets it", &addresses(view, can_send)))
            }
        }
    };
    frame.wide(Section::Recovery, &title, form.wrong(), &content)
}

fn addresses(view: &FollowUpView, can_send: bool) -> Markup {
    html! {
        @if can_send {
            ul { @for address in view.addresses { li { (address) } } }
            p class="muted" { "Every address that was known before the case was opened." }
        } @else if view.mail {
            p { "No address of this person was known before the case was opened. Copy the text, and hand it over or read it out." }
        } @else {
            p { "No mail server is set up here. Copy the text, and send or print it yourself." }
            @if !view.addresses.is_empty() {
                p class="muted" { "Known before the case was opened:" }
                ul { @for address in view.addresses { li { (address) } } }
            }
        }
        p class="muted" { "That it was sent or copied stands in the audit log, with your name. Its text does not." }
    }
}

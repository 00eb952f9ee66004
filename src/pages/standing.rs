//! The shorter forms of the Actions menu: disable, enable, invite again, note; and what answers instead of a form when
//! it was sent already or may not be done.

use std::time::Duration;

use maud::{Markup, html};

use super::Frame;
use super::field::Field;
use super::form::Form;
use super::grants::{Act, Subject, UNCHANGED, buttons};
use super::parts::{Tone, heading, notice};
use super::users::page;
use super::words::{count, lasting, time_ago};
use crate::ids::CaseNumber;
use crate::time::Timestamp;

/// `POST /admin/users/{id}/disable` or `/enable` with `reason`.
#[derive(Debug, Clone)]
pub struct StandingView<'a> {
    /// With a nonce; keeps `reason`.
    pub form: Form<'a>,
    /// Whose account.
    pub person: Subject<'a>,
    /// Sessions that are open now.
    pub sessions: u32,
}

/// Takes the account out of use.
pub fn disable(frame: &Frame, view: &StandingView) -> Markup {
    let act = Act {
        title: format!("Disable {}", view.person.name),
        path: "/disable",
        back: "",
        button: "Disable this account",
        danger: true,
    };
    let what = html! {
        p { "They can not sign in until somebody enables the account again. "
            @if view.sessions > 0 { (count(view.sessions.into(), "open session")) ", " }
            "links and passes end at once. Nothing is deleted." }
    };
    plain(frame, &act, &view.form, &view.person, &what, Some(reason()))
}

/// Puts the account back into use.
pub fn enable(frame: &Frame, view: &StandingView) -> Markup {
    let act = Act {
        title: format!("Enable {}", view.person.name),
        path: "/enable",
        back: "",
        button: "Enable this account",
        danger: false,
    };
    let what = html! { p { "They can sign in again, with the password and the factors they had." } };
    plain(frame, &act, &view.form, &view.person, &what, Some(reason()))
}

fn reason() -> Field<'static> {
    Field::new("reason", "Reason").hint("Everyone who reads the audit log sees it.").area()
}

/// `POST /admin/users/{id}/invitation`. The answer is [`super::users::invitation_link`].
#[derive(Debug, Clone)]
pub struct InviteAgainView<'a> {
    /// With a nonce.
    pub form: Form<'a>,
    /// Whom.
    pub person: Subject<'a>,
    /// How long the new link works.
    pub valid: Duration,
}

/// A fresh link for somebody who has not used the first.
pub fn invite_again(frame: &Frame, view: &InviteAgainView) -> Markup {
    let act = Act {
        title: format!("Invite {} again", view.person.name),
        path: "/invitation",
        back: "",
        button: "Make a new link",
        danger: false,
    };
    let what = html! {
        p { "You get a new link to hand over. It works for " (lasting(view.valid)) "; the earlier one stops working now." }
    };
    plain(frame, &act, &view.form, &view.person, &what, None)
}

/// `POST /admin/users/{id}/notes` with `text`.
#[derive(Debug, Clone)]
pub struct NoteView<'a> {
    /// With a nonce; keeps `text`.
    pub form: Form<'a>,
    /// On whose record.
    pub person: Subject<'a>,
}

/// A remark for the record.
pub fn note(frame: &Frame, view: &NoteView) -> Markup {
    let act = Act {
        title: format!("Add a note on {}", view.person.name),
        path: "/notes",
        back: "",
        button: "Add note",
        danger: false,
    };
    let what = html! { p { "It stands in the audit log with your name and can not be changed or taken back." } };
    let text = Field::new("text", "Note").hint("No passwords, codes or private matters, please.").area();
    plain(frame, &act, &view.form, &view.person, &what, Some(text))
}

fn plain(frame: &Frame, act: &Act, form: &Form, person: &Subject, what: &Markup, field: Option<Field>) -> Markup {
    let content = html! {
        (heading(Some(&person.trail(None)), &act.title, None))
        (form.summary(UNCHANGED))
        form class="card" method="post" action=(person.href(act.path)) novalidate {
            (form.hidden())
            div { (what) }
            @if let Some(field) = field { (field.show(form)) }
            (form.step_up())
            (buttons(act, person))
        }
    };
    page(frame, &act.title, form.wrong(), &content)
}

/// The second click on a form that must happen once.
#[derive(Debug, Clone)]
pub struct AlreadyDoneView<'a> {
    /// About whom; nobody if it was about many.
    pub person: Option<Subject<'a>>,
    /// Where it can be seen.
    pub link: &'a str,
    /// What was done, as a sentence: "The factors of Mara Lindqvist were removed."
    pub what: String,
    /// When.
    pub at: Timestamp,
    /// The case it belongs to.
    pub case: Option<CaseNumber>,
    /// Whether a secret was shown then, which can not be shown again.
    pub secret_was_shown: bool,
}

/// Says what happened the first time, and leads on.
pub fn already_done(frame: &Frame, view: &AlreadyDoneView) -> Markup {
    let people = html! { a href="/admin/users" { "People" } };
    let trail = view.person.as_ref().map_or(people, |person| person.trail(view.case));
    let content = html! {
        (heading(Some(&trail), "This was done already", None))
        section class="card" {
            p { strong { (view.what) } " That was " (time_ago(view.at, frame.now)) "; sending the form again has changed "
                "nothing more." }
            @if view.secret_was_shown {
                p { "What was shown then can not be shown again. If it got lost, start over: that makes a new one, and "
                    "the lost one stops working." }
            }
            div class="actions" {
                @if let Some(case) = view.case {
                    a class="button main" href={ "/admin/recovery/" (case) } { "Open case " (case) }
                }
                @if let Some(person) = &view.person {
                    a class="button" href=(person.href("")) { "Go to " bdi { (person.name) } }
                } @else {
                    a class="button" href=(view.link) { "See what came of it" }
                }
            }
        }
    };
    page(frame, "This was done already", false, &content)
}

/// What may not be done, answered with 403.
#[derive(Debug, Clone)]
pub struct RefusedView<'a> {
    /// About whom.
    pub person: Subject<'a>,
    /// The rule in plain words: "An admin can not act on an owner."
    pub rule: String,
    /// What to do instead: "Ask another owner: Ada Brandt or Noor Haddad."
    pub instead: String,
}

/// Says which rule stands in the way and what to do instead.
pub fn refused(frame: &Frame, view: &RefusedView) -> Markup {
    let content = html! {
        (heading(Some(&view.person.trail(None)), "This is not yours to do", None))
        (notice(Tone::Warn, &html! {
            p { strong { (view.rule) } " " (view.instead) }
            p { "Nothing has been changed. That it was tried stands in the audit log, as every try does." }
        }))
        div class="actions" { a class="button" href=(view.person.href("")) { "Go to " bdi { (view.person.name) } } }
    };
    page(frame, "This is not yours to do", true, &content)
}

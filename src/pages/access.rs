//! Two grants that concern the way in itself: another address to sign in with, and a fresh invitation link.

use std::time::Duration;

use maud::{Markup, html};

use super::Frame;
use super::evidence::Known;
use super::field::Field;
use super::form::Form;
use super::grants::{Act, Signal, Subject, granting};
use super::permission::Permission;
use super::users::by_mail;
use super::words::{count, lasting};

/// `POST /admin/users/{id}/email` with `email`, `evidence`, `number`, `voucher`, `evidence_note`, `ticket`, `reason`.
#[derive(Debug, Clone)]
pub struct EmailView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// Whose address.
    pub person: Subject<'a>,
    /// Sessions that are open now.
    pub sessions: u32,
    /// What they can be known by.
    pub known: Known,
    /// What happened lately.
    pub signals: Vec<Signal>,
    /// What has to permit it, or does.
    pub permission: Permission,
}

/// Another address to sign in with.
pub fn email(frame: &Frame, view: &EmailView) -> Markup {
    let person = &view.person;
    let act = Act {
        title: format!("Change the sign-in address of {}", person.name),
        path: "/email",
        back: "",
        button: "Change the address",
        danger: false,
    };
    let field = Field::new("email", "New e-mail address")
        .hint("They sign in with it. Both addresses are told, where mail can be sent.")
        .address();
    let what = html! {
        ul {
            li { "They sign in with the new address, and no longer with " strong { (person.email) } "." }
            li { (count(view.sessions.into(), "open session")) " and invitation links end at once. Password and factors stay." }
            li { "Both addresses stand in the audit log, with your name and your reason." }
        }
    };
    granting(
        frame,
        &act,
        &view.form,
        (person, None),
        &field.show(&view.form),
        (&what, &view.known, &view.signals, &view.permission),
    )
}

/// `POST /admin/users/{id}/invitation` with `evidence`, `number`, `voucher`, `evidence_note`, `ticket`, `reason`. The answer is
/// [`super::users::invitation_link`].
#[derive(Debug, Clone)]
pub struct InviteAgainView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// Whom.
    pub person: Subject<'a>,
    /// How long the new link works.
    pub valid: Duration,
    /// Whether mail can be sent.
    pub mails: bool,
    /// What they can be known by.
    pub known: Known,
    /// What happened lately.
    pub signals: Vec<Signal>,
    /// What has to permit it, or does.
    pub permission: Permission,
}

/// A fresh link for somebody who has not used the first.
pub fn invite_again(frame: &Frame, view: &InviteAgainView) -> Markup {
    let person = &view.person;
    let act = Act {
        title: format!("Invite {} again", person.name),
        path: "/invitation",
        back: "",
        button: "Make a new link",
        danger: false,
    };
    let what = html! {
        ul {
            li { "You get a new link to hand over, shown once. It works for " (lasting(view.valid)) "." }
            li { "The earlier link stops working now." }
            li { "Whoever opens it becomes " bdi { (person.name) } ": make sure who asks for it." }
            li { "It stands in the audit log with your name and your reason." }
        }
    };
    let extra = html! { @if view.mails { (by_mail(&view.form)) } };
    granting(frame, &act, &view.form, (person, None), &extra, (&what, &view.known, &view.signals, &view.permission))
}

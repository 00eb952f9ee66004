//! Letting the person back in after an attack: the form, and what is shown once.

use std::time::Duration;

use maud::{Markup, html};

use super::Frame;
use super::evidence::Known;
use super::form::Form;
use super::grants::{Act, Signal, Subject, granting};
use super::parts::{card, heading, secret};
use super::permission::Permission;
use super::users::page;
use super::words::{clock, count, lasting};
use crate::ids::CaseNumber;
use crate::secret::Secret;
use crate::time::Timestamp;

/// `POST /admin/users/{id}/readmit` with `evidence`, `number`, `voucher`, `evidence_note`, `ticket`, `reason`.
#[derive(Debug, Clone)]
pub struct ReadmitView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// Who.
    pub person: Subject<'a>,
    /// The new case, when it is open already.
    pub case: Option<CaseNumber>,
    /// Factors that were there before the attack.
    pub factors: u32,
    /// How long the enrolment window stays open.
    pub window: Duration,
    /// How long the password works.
    pub valid: Duration,
    /// By what they are known.
    pub known: Known,
    /// What happened lately.
    pub signals: Vec<Signal>,
    /// What has to permit it, or does.
    pub permission: Permission,
}

/// Lets the real person back in.
pub fn readmit(frame: &Frame, view: &ReadmitView) -> Markup {
    let (person, name) = (&view.person, view.person.name);
    let what = html! {
        ul {
            @if view.case.is_none() { li { "A new case is opened; the one of the attack stays closed." } }
            li { "The account is in use again." }
            @if view.factors > 0 {
                li { (count(view.factors.into(), "factor")) " from before the attack is removed too: everything is made anew." }
            }
            li { "You get a password, and a pass where one is asked for, to read to " bdi { (name) } ", shown once. With that, " bdi { (name) }
                " sets up a new factor within " (lasting(view.window)) " and chooses a password of their own within "
                (lasting(view.valid)) "." }
            li { "It stands in the audit log with your name and your reason." }
        }
    };
    let act = Act {
        title: format!("Let {name} back in"),
        path: "/readmit",
        back: "",
        button: "Let them back in",
        danger: true,
    };
    let fields = html! {
        p { "After an attack, whoever calls may be the attacker. Be sure that it is " bdi { (name) } "." }
    };
    granting(
        frame,
        &act,
        &view.form,
        (person, view.case),
        &fields,
        (&what, &view.known, &view.signals, &view.permission),
    )
}

/// After that.
#[derive(Debug, Clone)]
pub struct ReadmittedView<'a> {
    /// Who.
    pub person: Subject<'a>,
    /// The new case.
    pub case: CaseNumber,
    /// The password.
    pub password: Secret,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// The pass; `None` where policy asks for none.
    pub pass: Option<Secret>,
    /// When the enrolment window closes.
    pub closes_at: Timestamp,
}

/// Password and pass, large enough to be read aloud.
pub fn readmitted(frame: &Frame, view: &ReadmittedView) -> Markup {
    let name = view.person.name;
    let title = format!("Read this to {name} now");
    let content = html! {
        (heading(Some(&view.person.trail(Some(view.case))), &title, None))
        (card("password-card", "1. The password", &html! {
            (secret("password", &view.password))
            p { "Shown only here, only once. It works until " strong { (clock(view.expires_at, frame.now)) }
                " and has to be changed right away." }
        }))
        @if let Some(pass) = &view.pass {
            (card("pass-card", "2. The pass", &html! {
                (secret("pass", pass))
                p { "Asked for after the password, until " strong { (clock(view.closes_at, frame.now)) } "." }
            }))
        }
        section class="card" {
            p { bdi { (name) } " signs in with e-mail and this password, sets up an authenticator app and chooses a new "
                "password. Stay on the call until " bdi { (name) } " is in." }
            div class="actions" {
                a class="button main" href={ "/admin/recovery/" (view.case) } { "Open case " (view.case) }
            }
        }
    };
    page(frame, &title, false, &content)
}

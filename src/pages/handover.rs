//! What is shown once, to be read aloud: the pass, issued codes, a temporary password. Each is the answer to the POST
//! that made it and is never stored in a form that could be shown again.

use maud::{Markup, html};

use super::Frame;
use super::grants::Subject;
use super::parts::{card, codes, heading, secret};
use super::recovery;
use super::recovery::steps::{Progress, steps};
use super::users::page;
use super::words::{clock, lasting};
use crate::ids::CaseNumber;
use crate::recovery::{Case, Recorded};
use crate::secret::Secret;
use crate::time::Timestamp;

/// After a reset.
#[derive(Debug, Clone)]
pub struct ResetDoneView<'a> {
    /// Whose factors were removed.
    pub person: Subject<'a>,
    /// The case, as it is now.
    pub case: &'a Case,
    /// What it rests on.
    pub evidence: &'a [Recorded],
    /// The pass; `None` where policy asks for none.
    pub pass: Option<Secret>,
    /// When the enrolment window closes.
    pub until: Timestamp,
}

/// The pass, large enough to be read aloud, and what comes next.
pub fn reset_done(frame: &Frame, view: &ResetDoneView) -> Markup {
    let name = view.person.name;
    let progress = Progress::shown(view.case, view.person, view.evidence);
    let title = match &view.pass {
        Some(_) => format!("Read this pass to {name} now"),
        None => format!("{name} can set up a new factor now"),
    };
    let content = html! {
        (heading(Some(&view.person.trail(Some(view.case.number))), &title, None))
        section class="card" {
            @if let Some(pass) = &view.pass { (secret("pass", pass)) }
            p {
                @if view.pass.is_some() {
                    "Shown only here, only once. It works until " strong { (clock(view.until, frame.now)) }
                    " (" (lasting(view.until.since(frame.now))) "), together with the password. Stay on the call until "
                    bdi { (name) } " is in."
                } @else {
                    "The window is open until " strong { (clock(view.until, frame.now)) } " (" (lasting(view.until.since(frame.now)))
                    "). Stay on the call until " bdi { (name) } " is in."
                }
            }
            p { bdi { (name) } " signs in with e-mail and password"
                @if view.pass.is_some() { ", enters the pass" } " and scans the QR code." }
            div class="actions" {
                a class="button main" href={ "/admin/recovery/" (view.case.number) } { "See whether it worked" }
                @if view.pass.is_some() { button type="button" hidden data-print { "Print" } }
            }
        }
        (card("steps", &format!("Case {}", view.case.number), &steps(frame, &progress)))
    };
    recovery::page(frame, &title, &content)
}

/// After issuing backup codes.
#[derive(Debug, Clone)]
pub struct CodesIssuedView<'a> {
    /// For whom.
    pub person: Subject<'a>,
    /// The case, when there is one.
    pub case: Option<CaseNumber>,
    /// The codes in groups of four.
    pub codes: Vec<Secret>,
    /// When they stop working.
    pub expires_at: Timestamp,
}

/// A few codes to dictate.
pub fn codes_issued(frame: &Frame, view: &CodesIssuedView) -> Markup {
    let name = view.person.name;
    let title = format!("Read these codes to {name} now");
    let label = format!("Backup codes · {} · {}", frame.organisation, view.person.email);
    let content = html! {
        (heading(Some(&view.person.trail(view.case)), &title, None))
        section class="card" {
            (codes(&view.codes, &label, "issued-codes.txt"))
            p { "Shown only here, only once. Each signs " bdi { (name) } " in once, with the password, until "
                strong { (clock(view.expires_at, frame.now)) } "." }
            p { bdi { (name) } " signs in with e-mail and password, chooses “use a backup code instead”, and can set up "
                "a new app on the profile page at any time." }
            (leave(&view.person, view.case))
        }
    };
    page(frame, &title, false, &content)
}

/// After setting a temporary password.
#[derive(Debug, Clone)]
pub struct PasswordSetView<'a> {
    /// For whom.
    pub person: Subject<'a>,
    /// The case, when there is one.
    pub case: Option<CaseNumber>,
    /// The password.
    pub password: Secret,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// A password to dictate.
pub fn password_set(frame: &Frame, view: &PasswordSetView) -> Markup {
    let name = view.person.name;
    let title = format!("Read this password to {name} now");
    let content = html! {
        (heading(Some(&view.person.trail(view.case)), &title, None))
        section class="card" {
            (secret("password", &view.password))
            p { "Shown only here, only once. It works until " strong { (clock(view.expires_at, frame.now)) }
                " (" (lasting(view.expires_at.since(frame.now))) "). At the first sign-in " bdi { (name) } " chooses a new one." }
            p { "Read it aloud or hand it over in person. Please do not send it by e-mail." }
            (leave(&view.person, view.case))
        }
    };
    page(frame, &title, false, &content)
}

fn leave(person: &Subject, case: Option<CaseNumber>) -> Markup {
    html! {
        div class="actions" {
            @if let Some(case) = case { a class="button main" href={ "/admin/recovery/" (case) } { "Open case " (case) } }
            a class="button" href=(person.href("/mfa")) { "Go to " bdi { (person.name) } }
        }
    }
}

//! What stands on top where an account is closed by its case: that it is, and the ways that lead on. And the form that lifts
//! an objection which was a mistake.

use maud::{Markup, html};

use super::Frame;
use super::evidence::{Known, evidence};
use super::field::Field;
use super::form::Form;
use super::frame::Section;
use super::grants::{Signal, Subject, UNCHANGED, signals, ticket_and_reason};
use super::parts::{Tone, cancel, card, heading, notice};
use super::words::{time_ago, with_commands};
use crate::ids::CaseNumber;
use crate::recovery::Held;
use crate::time::Timestamp;

/// The banner of an account that is held by its case, on the person's pages and on the case's.
#[derive(Debug, Clone)]
pub struct Alarm<'a> {
    /// Whose account.
    pub person: Subject<'a>,
    /// In which case.
    pub case: CaseNumber,
    /// Why.
    pub held: Held,
    /// Since when.
    pub since: Timestamp,
    /// What the notice said that somebody objected to; empty if that is not known any more.
    pub said: String,
    /// Whether it is the last active owner.
    pub last_owner: bool,
    /// Why the viewer may not lift the objection, or not let the person back in.
    pub refused: Option<String>,
    /// Whether nobody else in the console could, either.
    pub nobody: bool,
    /// The case in which it is asked for to let the person back in.
    pub under_way: Option<CaseNumber>,
}

/// That the account is held, and what can be done.
pub(super) fn alarm(frame: &Frame, alarm: &Alarm) -> Markup {
    let (name, case) = (alarm.person.name, alarm.case);
    let since = time_ago(alarm.since, frame.now);
    let content = match alarm.held {
        Held::Attack => html! {
            p { strong { "This account was closed because of an attack" } ", " (since) ", in case "
                a class="whole" href={ "/admin/recovery/" (case) } { (case) }
                ". Nobody can sign in to it, and its old password and backup codes do not work any more." }
            div class="actions" {
                a class="button" href={ "/admin/recovery/" (case) "/report" } { "See what the account did" }
                @if alarm.refused.is_none() && alarm.under_way.is_none() {
                    a class="button main" href=(alarm.person.href("/readmit")) {
                        "Let the real person back in: open a new case"
                    }
                }
            }
            @match alarm.under_way {
                Some(case) => p { "That the real person is let back in was asked for in "
                    a class="whole" href={ "/admin/recovery/" (case) } { (case) } "." },
                None => (refused(alarm, "Is the real person to come back? ")),
            }
        },
        Held::Objection { frozen } => html! {
            p {
                strong { @if frozen { "This account is frozen" } @else { "Somebody objected to what was done to this account" } }
                ", " (since) ", in case " a class="whole" href={ "/admin/recovery/" (case) } { (case) }
                ". Somebody said “this wasn’t me” through the link in a notice."
                @if !alarm.said.is_empty() { " The notice said: “" bdi { (alarm.said) } "”" }
            }
            p {
                @if frozen { "Nobody can sign in to it, and nothing was deleted. " }
                @else if alarm.last_owner {
                    "It is the last active owner’s, so it stays in use; what was created since the notice has ended. "
                }
                @else { "It was closed before, and stays so. " }
                "Talk to " bdi { (name) } " on a way that you know is theirs, then say what it was."
            }
            div class="actions" {
                a class="button danger" href={ "/admin/recovery/" (case) "/incident" } { "It was an attack" }
                @if alarm.refused.is_none() {
                    a class="button" href={ "/admin/recovery/" (case) "/reassure" } { "It was a mistake" }
                }
            }
            (refused(alarm, "Was it a mistake? "))
        },
    };
    notice(Tone::Bad, &content)
}

/// Why the viewer may not, and who can help where nobody else may.
fn refused(alarm: &Alarm, what: &str) -> Markup {
    html! {
        @if let Some(refused) = &alarm.refused {
            p { (what) (refused) }
            @if alarm.nobody {
                p { (with_commands("Nobody else in the console can do it. Make somebody else an admin or an owner; or whoever \
                    runs the host enables the account with `idp user enable`.")) }
            }
        }
    }
}

/// `POST /admin/recovery/{case}/reassure` with `reason`; where the account is frozen also with `evidence`, `number`,
/// `voucher`, `evidence_note`, `ticket`.
#[derive(Debug, Clone)]
pub struct ReassureView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// Whose account.
    pub person: Subject<'a>,
    /// In which case.
    pub case: CaseNumber,
    /// Whether the account is closed by the objection.
    pub frozen: bool,
    /// By what they are known.
    pub known: Known,
    /// What happened lately.
    pub signals: Vec<Signal>,
}

/// Lifts an objection.
pub fn reassure(frame: &Frame, view: &ReassureView) -> Markup {
    let (form, person, name) = (&view.form, &view.person, view.person.name);
    let title = "It was a mistake: lift the objection";
    let what = html! {
        ul {
            @if view.frozen {
                li { "The account is in use again. Password, authenticator apps and backup codes are what they were; "
                    bdi { (name) } " signs in as before." }
                li { "Sessions, links and an enrolment window that was open do not come back. If an app is still to be set up, "
                    "reset the factors once more." }
            } @else {
                li { "The case is closed. The account stays as it is." }
            }
            li { "It stands in the audit log with your name and your reason." }
        }
    };
    let href = format!("/admin/recovery/{}", view.case);
    let content = html! {
        (heading(Some(&person.trail(Some(view.case))), title, None))
        (form.summary(UNCHANGED))
        div class="aside" {
            form class="card" method="post" action={ (href) "/reassure" } novalidate {
                (form.hidden())
                @if view.frozen {
                    (evidence(frame, form, person, &view.known))
                    (ticket_and_reason(form))
                } @else {
                    (Field::new("reason", "Reason").hint("Everyone who reads the audit log sees it.").area().show(form))
                }
                (form.step_up())
                div class="actions" {
                    button class="main" { "Lift the objection" }
                    (cancel(&href))
                }
            }
            div class="stack" { (card("what", "What will happen", &what)) (signals(&view.signals)) }
        }
    };
    frame.wide(Section::Recovery, title, form.wrong(), &content)
}

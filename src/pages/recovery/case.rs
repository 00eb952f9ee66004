//! One case: the runbook as a task list, what comes next, and everything that belongs to it.

use maud::{Markup, html};

use super::asked::asked;
use super::next::next;
use super::page;
use super::requests::{RequestView, block};
use super::steps::{Progress, steps};
use super::told::told;
use crate::notices::Notice;
use crate::pages::entry::{EntryLine, entry_table};
use crate::pages::form::Form;
use crate::pages::frame::Frame;
use crate::pages::grants::{Signal, signal_facts};
use crate::pages::hold::{Alarm, alarm};
use crate::pages::parts::{Badge, Tone, card, facts};
use crate::pages::words::{clock, time_ago};
use crate::recovery::{Act, CaseErrand, CaseState, Held};
use crate::time::Timestamp;

/// One case: `GET /admin/recovery/{case}`.
#[derive(Debug, Clone)]
pub struct CaseView<'a> {
    /// Of the one thing that is done on the page itself: `POST /admin/recovery/{case}/urgent`.
    pub form: Form<'a>,
    /// How far it is, and what the viewer may do.
    pub progress: Progress<'a>,
    /// How the state is shown.
    pub state: Badge,
    /// Why the viewer may not go on with it: shown in place of the buttons.
    pub barred: Option<&'static str>,
    /// Whether the viewer may open a new case for the person.
    pub may_open: bool,
    /// Who handed it to the owners, when, and with which message.
    pub escalated: Option<Escalated>,
    /// Signs of unusual activity.
    pub signals: Vec<Signal>,
    /// Whether they are those of the moment in which something was asked for, and not those of now.
    pub frozen: bool,
    /// That the account is held by this case.
    pub alarm: Option<Alarm<'a>>,
    /// Whether it can still be said that it was an attack.
    pub may_be_attack: bool,
    /// Whether what the account did since is of interest: somebody objected, or it was an attack.
    pub report: bool,
    /// What waits to be permitted, or to be carried out.
    pub live: Option<RequestView<'a>>,
    /// What was told in the case.
    pub notices: &'a [Notice],
    /// The entries of the case, oldest first.
    pub entries: Vec<EntryLine>,
}

/// A case that was handed to the owners.
#[derive(Debug, Clone)]
pub struct Escalated {
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What they said.
    pub message: String,
}

/// The runbook as a task list, and what the audit log says about it.
pub fn case(frame: &Frame, view: &CaseView) -> Markup {
    let (p, case) = (&view.progress, view.progress.case);
    let title = format!("{} · {}", p.person.name, case.number);
    let live = view.live.as_ref().map(|live| live.id);
    let earlier: Vec<_> = p.requests.iter().filter(|r| Some(r.id) != live).collect();
    let content = html! {
        div class="head" {
            div {
                p class="trail" { a href="/admin/recovery" { "Recovery" } " · " (case.number) }
                h1 { bdi { (p.person.name) } }
                p { (view.state.show()) @if case.urgent && !case.state.is_closed() { " " (Badge::new(Tone::Bad, "urgent").show()) } }
            }
            (ways_out(view))
        }
        @if let Some(held) = &view.alarm { (alarm(frame, held)) }
        @if let Some(live) = &view.live { (block(frame, live)) }
        div class="aside" {
            section class="card" aria-labelledby="steps" {
                h2 id="steps" { "Steps" }
                (next(frame, p, view.may_open))
                // That it is the owners' was said just above.
                @if let Some(why) = view.barred.filter(|_| case.state != CaseState::Escalated) { p class="muted" { (why) } }
                (steps(frame, p))
            }
            div class="stack after" {
                (card("about", "About this case", &about(frame, view)))
                (card("signs", "Unusual activity", &html! {
                    p class="muted" {
                        @if view.frozen { "As it was when something was asked for last." } @else { "As it is now." }
                    }
                    (signal_facts(&view.signals))
                }))
                @if !view.notices.is_empty() { (card("told", "What was told", &told(frame, view.notices))) }
            }
        }
        @if !earlier.is_empty() {
            (card("requests", "Asked for before", &asked(frame, &earlier, p.evidence)))
        }
        @if !view.entries.is_empty() {
            (card("entries", "In the audit log", &html! {
                (entry_table(frame, "Entries of this case", &view.entries))
                p { a href=(p.href("/story")) { "The whole story, to print" } }
            }))
        }
    };
    page(frame, &title, &content)
}

/// To stop, or to ask somebody, is as near as to go on.
fn ways_out(view: &CaseView) -> Markup {
    let p = &view.progress;
    // The banner of an attack leads there already.
    let report = view.report && !view.alarm.as_ref().is_some_and(|alarm| alarm.held == Held::Attack);
    html! {
        @if !p.may.is_empty() || view.may_be_attack || report {
            div class="actions" {
                @if report { a class="button" href=(p.href("/report")) { "What the account did" } }
                @if view.may_be_attack {
                    a class="button danger" href=(p.href("/incident")) { "Declare an incident" }
                }
                @if p.may(CaseErrand::Refuse) { a class="button danger" href=(p.href("/refuse")) { "Refuse to help" } }
                @if p.may(CaseErrand::Escalate) { a class="button" href=(p.href("/escalate")) { "Ask an owner" } }
                @if p.may(CaseErrand::Close) { a class="button" href=(p.href("/close")) { "Not needed any more" } }
                @if p.may(CaseErrand::Urgency) {
                    form class="inline" method="post" action=(p.href("/urgent")) {
                        (view.form.hidden())
                        @if p.case.urgent { button { "Not urgent any more" } }
                        @else { input type="hidden" name="urgent" value="on"; button { "Mark as urgent" } }
                    }
                }
            }
        }
    }
}

fn about(frame: &Frame, view: &CaseView) -> Markup {
    let (p, case) = (&view.progress, view.progress.case);
    let when = |at| html! { (clock(at, frame.now)) span class="screen" { ", " (time_ago(at, frame.now)) } };
    let said = |text: &str| html! { q { bdi { (text) } } };
    let mut rows = vec![
        ("Person", html! { a href=(p.person.href("")) { bdi { (p.person.name) } } }),
        ("Opened", html! { (when(case.opened_at)) " by " bdi { (case.opened_by.name) } }),
        ("Reason", html! { bdi { (case.reason) } }),
    ];
    if let Some(ticket) = &case.ticket {
        rows.push(("Ticket", html! { bdi { (ticket) } }));
    }
    if let Some(handed) = &view.escalated {
        rows.push((
            "Handed to the owners",
            html! {
                (when(handed.at)) " by " bdi { (handed.by) } ": " (said(&handed.message))
            },
        ));
    }
    if let Some(at) = case.due_at {
        let name = match case.state {
            CaseState::AwaitingEnrolment if case.ends_with_window() => "Window closes",
            // Another address does not stop working.
            CaseState::Acted if case.act.as_ref().is_some_and(|done| done.act == Act::Email) => "Closes by itself",
            CaseState::AwaitingEnrolment | CaseState::Acted => "Works until",
            _ => "Closes by itself",
        };
        rows.push((name, when(at)));
    }
    if let Some(at) = case.closed_at {
        rows.push((
            ended(case.state),
            html! {
                (when(at)) @if let Some(by) = &case.closed_by { " by " bdi { (by) } }
                @if let Some(refusal) = case.refusal { ": " (refusal.sentence()) }
            },
        ));
        if !case.note.is_empty() {
            rows.push(("Note", said(&case.note)));
        }
    }
    facts(&rows)
}

const fn ended(state: CaseState) -> &'static str {
    match state {
        CaseState::Recovered => "Recovered",
        CaseState::Refused => "Refused",
        CaseState::ApprovalDenied => "Not approved",
        CaseState::Incident => "Incident",
        _ => "Closed",
    }
}

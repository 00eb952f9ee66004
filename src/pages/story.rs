//! The whole story of a case on a page or two, to be printed: for whoever asks in six months what was done and why.

use maud::{Markup, html};

use super::Frame;
use super::board::state_badge;
use super::entry::EntryLine;
use super::grants::{Signal, Subject};
use super::parts::{Badge, Tone, card, facts, heading, table};
use super::recovery::page;
use super::recovery::told::sentence;
use super::words::{count, exact};
use crate::audit::Outcome;
use crate::notices::Told;
use crate::recovery::{Case, Needs, Recorded, Refusal, Request, RequestState};

/// `GET /admin/recovery/{case}/story`.
#[derive(Debug, Clone)]
pub struct StoryView<'a> {
    /// The case.
    pub case: &'a Case,
    /// About whom.
    pub person: Subject<'a>,
    /// How it was made sure who it is.
    pub evidence: &'a [Recorded],
    /// What stood out when something was last asked for.
    pub signs: &'a [Signal],
    /// What had to be permitted.
    pub requests: &'a [Request],
    /// What was told to whom.
    pub told: &'a [Told],
    /// What happened, oldest first.
    pub entries: &'a [StoryLine],
    /// Whether there are more entries than these.
    pub more: bool,
}

/// One entry of the story.
#[derive(Debug, Clone)]
pub struct StoryLine {
    /// As a list of entries has it.
    pub line: EntryLine,
    /// Why, in the words of who did it; empty if they said nothing.
    pub reason: String,
    /// The ticket; empty if there is none.
    pub ticket: String,
}

/// Person, how it ended, evidence, signs, approvals, messages, and what happened in its order.
pub fn story(frame: &Frame, view: &StoryView) -> Markup {
    let case = view.case;
    let title = format!("The story of {}", case.number);
    let print = html! { div class="actions" { button type="button" hidden data-print { "Print" } } };
    let content = html! {
        (heading(Some(&view.person.trail(Some(case.number))), &title, Some(&print)))
        (card("about", "In short", &facts(&in_short(view))))
        @if !view.evidence.is_empty() { (card("evidence", "How it was made sure who it is", &evidence(view.evidence))) }
        @if !view.signs.is_empty() { (card("signs", "What stood out when it was last asked for", &signs(view.signs))) }
        @if !view.requests.is_empty() { (card("approvals", "What had to be permitted", &approvals(view.requests))) }
        @if !view.told.is_empty() { (card("told", "What was told", &told(view.told))) }
        (card("entries", "What happened", &html! {
            (timeline(view.entries))
            @if view.more {
                p { "There is more: " a href={ "/admin/audit?case=" (case.number) } { "all entries in the audit log" } "." }
            }
        }))
    };
    page(frame, &format!("{title} · {}", view.person.name), &content)
}

fn in_short<'a>(view: &StoryView) -> Vec<(&'a str, Markup)> {
    let (case, person) = (view.case, &view.person);
    let mut rows = vec![
        ("Person", html! { bdi { (person.name) } ", " (person.email) }),
        (
            "Opened",
            html! { (exact(case.opened_at)) " by " bdi { (case.opened_by.name) } @if case.urgent { ", as urgent" } },
        ),
        ("Reason", html! { (case.reason) @if let Some(ticket) = &case.ticket { " (ticket " (ticket) ")" } }),
    ];
    if let Some(done) = &case.act {
        let lost = case.factors_removed + case.sessions_ended > 0;
        rows.push((
            "Done",
            html! {
                (done.act.sentence()) ", " (exact(done.at)) " by " bdi { (done.by.name) }
                @if lost {
                    ": " (count(case.factors_removed.into(), "factor")) " removed, "
                    (count(case.sessions_ended.into(), "session")) " ended, "
                    (count(case.codes_left.into(), "backup code")) " left before"
                }
            },
        ));
    }
    rows.push(("Now", now(case)));
    rows.push((
        "Message",
        match &case.follow_up {
            Some((at, by)) => html! { "written " (exact(*at)) " by " bdi { (by) } },
            None => html! { "none was written" },
        },
    ));
    rows
}

/// How it ended, or how it stands.
fn now(case: &Case) -> Markup {
    html! {
        (state_badge(case.state).show()) " since " (exact(case.state_at))
        @if let Some(by) = &case.closed_by { ", closed by " bdi { (by) } }
        @if let Some(refusal) = case.refusal { ". " (Refusal::sentence(refusal)) }
        @if !case.note.is_empty() { ": “" (case.note) "”" }
    }
}

fn evidence(evidence: &[Recorded]) -> Markup {
    html! {
        ul {
            @for r in evidence {
                li {
                    (r.evidence.kind().sentence()) ", " (exact(r.evidence.recorded_at())) " by " bdi { (r.by.name) }
                    @if let Some(called) = r.evidence.called() {
                        ": " (called.phone) ", known since " (exact(called.known_since))
                    }
                    @if let Some(voucher) = r.evidence.voucher() { "; " bdi { (voucher) } " vouches" }
                    @if let Some(ticket) = &r.ticket { " (ticket " (ticket) ")" }
                    @if !r.evidence.note().is_empty() { ": “" (r.evidence.note()) "”" }
                }
            }
        }
    }
}

fn signs(signs: &[Signal]) -> Markup {
    html! { ul { @for sign in signs { li { (sign.label) ": " (sign.text) } } } }
}

fn approvals(requests: &[Request]) -> Markup {
    html! {
        ul {
            @for r in requests {
                li {
                    bdi { (r.asked_by.name) } " asked to " (r.grant.sentence()) ", " (exact(r.asked_at))
                    @if !r.argument.is_empty() { ": " (r.argument) }
                    ". “" (r.reason) "” "
                    @match r.needs {
                        Needs::Owner => "An owner had to permit it.",
                        Needs::Admin => "Another admin or an owner had to permit it.",
                        Needs::Time => "Time had to pass in which the person could object.",
                    }
                    @if let (Some(by), Some(at)) = (&r.decided_by, r.decided_at) {
                        " " bdi { (by.name) } @if r.state == RequestState::Denied { " said no, " } @else { " permitted it, " }
                        (exact(at)) @if !r.note.is_empty() { ": “" (r.note) "”" } "."
                    }
                    " "
                    @match r.state {
                        RequestState::Waiting => "It still waits.",
                        RequestState::Approved => "It is not carried out yet.",
                        RequestState::Denied => "",
                        RequestState::Used => "It was carried out.",
                        RequestState::Lapsed => "It lapsed, and nothing was done.",
                    }
                }
            }
        }
    }
}

fn told(told: &[Told]) -> Markup {
    html! {
        ul {
            @for t in told {
                li {
                    @match t.notice { Some(kind) => (sentence(kind)), None => (t.about) } ", to " (t.address) ": "
                    @match (t.sent_at, t.given_up_at) {
                        (Some(at), _) => { "sent " (exact(at)) }
                        (None, Some(at)) => { "given up " (exact(at)) }
                        (None, None) => { "waits to be sent since " (exact(t.at)) }
                    }
                }
            }
        }
    }
}

fn timeline(entries: &[StoryLine]) -> Markup {
    let row = |s: &StoryLine| {
        let e = &s.line;
        vec![
            html! { span class="whole" { (exact(e.at)) } },
            html! {
                (e.what)
                @match e.outcome {
                    Outcome::Success => {}
                    Outcome::Failure => { " " (Badge::new(Tone::Warn, "failed").show()) }
                    Outcome::Denied => { " " (Badge::new(Tone::Bad, "refused").show()) }
                }
                @if !s.reason.is_empty() { ": “" (s.reason) "”" }
                @if !s.ticket.is_empty() { " (ticket " (s.ticket) ")" }
                " " small { "by " bdi { (e.actor) } }
            },
            html! { a class="whole" href={ "/admin/audit/" (e.seq) } { "#" (e.seq) } },
        ]
    };
    table("What happened", &["When", "What", "Entry"], &entries.iter().map(row).collect::<Vec<_>>())
}

//! What was asked for in a case before: who asked, what, why, on what it rested, and what became of it. What waits now stands in
//! [`super::requests`].

use maud::{Markup, html};

use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, Tone, facts};
use crate::pages::words::clock;
use crate::recovery::{Needs, Recorded, Request, RequestState};

/// Requests of a case that are over, oldest first.
pub(super) fn asked(frame: &Frame, requests: &[&Request], evidence: &[Recorded]) -> Markup {
    html! {
        ul class="requests" { @for request in requests { li { (one(frame, request, evidence)) } } }
    }
}

fn one(frame: &Frame, request: &Request, evidence: &[Recorded]) -> Markup {
    let needs = match request.needs {
        Needs::Owner => "An owner approves it",
        Needs::Admin => "An admin or an owner approves it",
        Needs::Time => "Nobody can approve it: time in which the person can object",
    };
    let mut rows = vec![
        ("Asked", html! { (clock(request.asked_at, frame.now)) " by " bdi { (request.asked_by.name) } }),
        ("Reason", html! { bdi { (request.reason) } }),
    ];
    if let Some(ticket) = &request.ticket {
        rows.push(("Ticket", html! { bdi { (ticket) } }));
    }
    if let Some(recorded) = evidence.iter().find(|r| r.id == request.evidence) {
        let sentence = recorded.evidence.kind().sentence();
        rows.push(("Rests on", html! { (sentence) " · " bdi { (recorded.by.name) } ", " (clock(recorded.evidence.recorded_at(), frame.now)) }));
    }
    rows.push(("Needs", html! { (needs) @if let Some(at) = request.ripe_at { ", over at " (clock(at, frame.now)) } }));
    if let (Some(by), Some(at)) = (&request.decided_by, request.decided_at) {
        let note = html! { @if !request.note.is_empty() { ": " q { bdi { (request.note) } } } };
        rows.push(("Decided", html! { (clock(at, frame.now)) " by " bdi { (by.name) } (note) }));
    }
    html! {
        p {
            strong { "To " (request.grant.sentence()) @if !request.argument.is_empty() { ": " bdi { (request.argument) } } } " "
            (badge(request.state).show())
        }
        (facts(&rows))
    }
}

fn badge(state: RequestState) -> Badge {
    let (tone, word) = match state {
        RequestState::Denied => (Tone::Bad, "not approved"),
        RequestState::Used => (Tone::Good, "carried out"),
        RequestState::Waiting | RequestState::Approved | RequestState::Lapsed => (Tone::Plain, "over"),
    };
    Badge::new(tone, word)
}

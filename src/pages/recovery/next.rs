//! What comes next in a case, in one sentence, with the button that does it where it is the viewer's to do.

use maud::{Markup, html};

use super::steps::{Identity, Progress};
use crate::pages::frame::Frame;
use crate::pages::words::{clock, count, lasting};
use crate::recovery::{Act, CaseErrand, CaseState, Needs, RequestState};

/// The sentence, and the button.
pub(super) fn next(frame: &Frame, p: &Progress, may_open: bool) -> Markup {
    let (sentence, button) = match p.case.state {
        CaseState::Opened | CaseState::Verified | CaseState::Escalated => working(frame, p),
        CaseState::AwaitingApproval | CaseState::Approved => (asked(frame, p), None),
        // Something more was asked for, after something was given.
        CaseState::Acted | CaseState::AwaitingEnrolment if p.live().is_some() => (asked(frame, p), None),
        state => (after(p, state), None),
    };
    let button = button.or_else(|| closed(p, may_open));
    html! {
        div class="next" {
            p { strong { "Next: " } (sentence) }
            @if let Some((label, href)) = button {
                div class="actions" { a class="button main" href=(href) { (label) } }
            }
        }
    }
}

type Next = (Markup, Option<(String, String)>);

/// Before anything was given, or once more after it was handed on.
fn working(frame: &Frame, p: &Progress) -> Next {
    let name = p.person.name;
    let evidence = ("Record how you made sure".to_owned(), p.href("/evidence"));
    if !p.may(CaseErrand::Evidence) {
        let who = if p.case.for_owner {
            "an owner goes on with this case."
        } else {
            "somebody who may goes on with this case."
        };
        return (html! { (who) }, None);
    }
    if p.case.act.is_some() {
        return (html! { "look at what was given, and decide how it goes on." }, None);
    }
    match (p.identity(frame.now), p.codes_left) {
        (Identity::Unknown, _) => (html! { "make sure who it is." }, Some(evidence)),
        (Identity::Stale, _) => (
            html! { "make sure again who it is: what is on record is older than " (lasting(p.fresh)) "." },
            Some(evidence),
        ),
        (Identity::Fresh(_), 0) => (html! { "choose how to let " bdi { (name) } " back in." }, None),
        (Identity::Fresh(_), left) => {
            (html! { "ask for one of the " (count(left.into(), "backup code")) " that are left." }, None)
        }
    }
}

/// While something has to be permitted, or is.
fn asked(frame: &Frame, p: &Progress) -> Markup {
    if p.permitted {
        return html! { "carry out what you asked for: it is permitted." };
    }
    if p.decides {
        return html! { "look at what is asked for, and approve or deny it." };
    }
    let Some(live) = p.live() else { return html! { "look at what was asked for." } };
    let by = html! { bdi { (live.asked_by.name) } };
    match (live.state, live.needs, live.ripe_at) {
        (RequestState::Approved, ..) => {
            html! { (by) " carries out what was approved, until " (clock(live.valid_until, frame.now)) "." }
        }
        (_, Needs::Owner, _) => html! { "an owner approves it, or not." },
        (_, Needs::Time, Some(at)) => {
            html! { "wait. " bdi { (p.person.name) } " can object until " (clock(at, frame.now)) "; then " (by) " carries it out." }
        }
        _ => html! { "another admin or an owner approves it, or not." },
    }
}

/// Once something was given, or it is over.
fn after(p: &Progress, state: CaseState) -> Markup {
    let name = html! { bdi { (p.person.name) } };
    match state {
        CaseState::Acted if p.given() == Some(Act::Email) => html! { (name) " signs in with the new address." },
        CaseState::AwaitingEnrolment if p.given() == Some(Act::Invitation) => {
            html! { (name) " opens the new link, chooses a password and sets up a factor." }
        }
        CaseState::Acted => html! { (name) " signs in with what was given." },
        CaseState::AwaitingEnrolment => html! { (name) " sets up a new factor. Stay on the call until that is done." },
        CaseState::Disavowed if p.settles => {
            html! { "say whether it was an attack or a mistake." }
        }
        CaseState::Disavowed => html! { "somebody who did not act in this case looks at the objection." },
        CaseState::Recovered if p.case.follow_up.is_none() && p.message.is_some() => {
            html! { "tell " (name) " what was done." }
        }
        CaseState::Refused | CaseState::ApprovalDenied => {
            html! { "nothing is left to do here. For some days only an owner opens a new case." }
        }
        CaseState::Expired => html! { "if help is still needed, open a new case." },
        CaseState::Incident => {
            html! { "let the real person back in, once it is safe again." }
        }
        _ => html! { "nothing is left to do." },
    }
}

/// The button of a case that is over.
fn closed(p: &Progress, may_open: bool) -> Option<(String, String)> {
    let again = matches!(p.case.state, CaseState::Expired | CaseState::Refused | CaseState::ApprovalDenied);
    match &p.message {
        Some(href) if p.case.state == CaseState::Recovered && p.case.follow_up.is_none() => {
            Some(("Write the message".to_owned(), href.clone()))
        }
        _ => (again && may_open).then(|| ("Open a new case".to_owned(), p.person.href("/case"))),
    }
}

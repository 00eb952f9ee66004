//! The runbook as a task list: what is done, by whom, when, on what evidence; and what comes next, as buttons.

use std::time::Duration;

use maud::{Markup, html};

use crate::grants::{Grant, Rule, Verdict};
use crate::pages::frame::Frame;
use crate::pages::grants::Subject;
use crate::pages::parts::{Badge, Tone, more};
use crate::pages::words::{clock, count, day, lasting};
use crate::recovery::{Act, Case, CaseErrand, CaseState, Needs, Recorded, Request, RequestState};
use crate::time::Timestamp;

/// How far a case is, and what its viewer may do in it.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    /// The case.
    pub case: &'a Case,
    /// Who is recovered.
    pub person: Subject<'a>,
    /// What it rests on, oldest first.
    pub evidence: &'a [Recorded],
    /// How long evidence is fresh.
    pub fresh: Duration,
    /// Unused backup codes of the person now.
    pub codes_left: u32,
    /// What was asked for, oldest first.
    pub requests: &'a [Request],
    /// What the viewer may do in the case now; nothing where it is only shown.
    pub may: Vec<CaseErrand>,
    /// What could be given, and what the rule says of it; nothing where it is only shown.
    pub acts: Vec<ActLine>,
    /// Whether the viewer asked for it, and may carry it out now.
    pub permitted: bool,
    /// Whether the viewer may approve or deny it.
    pub decides: bool,
    /// Whether the viewer may say that an objection was a mistake.
    pub settles: bool,
    /// Where the message about what was done is written.
    pub message: Option<String>,
}

/// One thing that could be given.
#[derive(Debug, Clone, Copy)]
pub struct ActLine {
    /// What.
    pub grant: Grant,
    /// What the rule says of it, if evidence is fresh.
    pub verdict: Result<Verdict, Rule>,
}

impl<'a> Progress<'a> {
    /// A case that is shown to nobody in particular.
    pub const fn shown(case: &'a Case, person: Subject<'a>, evidence: &'a [Recorded]) -> Self {
        Self {
            case,
            person,
            evidence,
            fresh: Duration::ZERO,
            codes_left: 0,
            requests: &[],
            may: Vec::new(),
            acts: Vec::new(),
            permitted: false,
            decides: false,
            settles: false,
            message: None,
        }
    }
}

/// What is known about who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    Unknown,
    Stale,
    Fresh(Duration),
}

impl Progress<'_> {
    pub(super) fn identity(&self, now: Timestamp) -> Identity {
        let Some(newest) = self.evidence.iter().map(|r| r.evidence.recorded_at()).max() else {
            return Identity::Unknown;
        };
        match self.fresh.checked_sub(now.since(newest)) {
            Some(left) if left > Duration::ZERO => Identity::Fresh(left),
            _ => Identity::Stale,
        }
    }

    /// What waits to be permitted, or is permitted and not carried out.
    pub(super) fn live(&self) -> Option<&Request> {
        self.requests.iter().find(|r| matches!(r.state, RequestState::Waiting | RequestState::Approved))
    }

    pub(super) fn may(&self, errand: CaseErrand) -> bool {
        self.may.contains(&errand)
    }

    pub(super) fn href(&self, path: &str) -> String {
        format!("/admin/recovery/{}{path}", self.case.number)
    }

    /// Whether somebody has given the person something.
    pub(super) fn given(&self) -> Option<Act> {
        self.case.act.as_ref().map(|done| done.act).filter(|act| *act != Act::WalkedThrough)
    }

    fn walked_through(&self) -> bool {
        self.case.act.as_ref().is_some_and(|done| done.act == Act::WalkedThrough)
    }
}

/// Where a grant is carried out, under the person's address.
const fn path(grant: Grant) -> &'static str {
    match grant {
        Grant::ResetFactors => "/mfa/reset",
        Grant::IssueBackupCodes => "/mfa/backup-codes",
        Grant::SetTemporaryPassword => "/password",
        _ => "",
    }
}

const fn label(grant: Grant) -> &'static str {
    match grant {
        Grant::ResetFactors => "Force MFA reset",
        Grant::IssueBackupCodes => "Generate backup codes",
        Grant::SetTemporaryPassword => "Set temporary password",
        _ => "",
    }
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Done,
    Next,
    Waiting,
    Later,
    NotNeeded,
    NotDone,
}

struct Step {
    title: String,
    at: At,
    /// What was done, line by line, and what is to be said.
    text: Markup,
}

/// The steps of a case, in order.
pub(in crate::pages) fn steps(frame: &Frame, p: &Progress) -> Markup {
    let steps = [identity(frame, p), codes(frame, p), acts(frame, p), back(frame, p), told(frame, p)];
    html! {
        ol class="tasks" {
            @for step in &steps {
                @let (class, tone, word) = match step.at {
                    At::Done => (Some("done"), Tone::Good, "done"),
                    At::Next => (Some("now"), Tone::Warn, "next"),
                    At::Waiting => (Some("now"), Tone::Warn, "waiting"),
                    At::Later => (None, Tone::Plain, "to do"),
                    At::NotNeeded => (None, Tone::Plain, "not needed"),
                    At::NotDone => (None, Tone::Bad, "not done"),
                };
                li class=[class] {
                    div { strong { (step.title) } (step.text) }
                    (Badge::new(tone, word).show())
                }
            }
        }
    }
}

/// One line about what somebody did.
fn done(frame: &Frame, what: &Markup, by: &str, at: Timestamp) -> Markup {
    html! { small { (what) " · " bdi { (by) } ", " (clock(at, frame.now)) } }
}

fn piece(frame: &Frame, recorded: &Recorded) -> Markup {
    let evidence = &recorded.evidence;
    let what = html! {
        (evidence.kind().sentence())
        @if let Some(called) = evidence.called() {
            ": " bdi { (called.phone) } ", known since " (day(called.known_since))
        }
        @if let Some(voucher) = evidence.voucher() { ": " bdi { (voucher) } " vouches" }
        @if let Some(ticket) = &recorded.ticket { ", ticket " bdi { (ticket) } }
        @if !evidence.note().is_empty() { " · " q { bdi { (evidence.note()) } } }
    };
    done(frame, &what, &recorded.by.name, evidence.recorded_at())
}

fn identity(frame: &Frame, p: &Progress) -> Step {
    let known = p.identity(frame.now);
    let settled = p.given().is_some() || p.live().is_some();
    let at = match known {
        _ if p.walked_through() && p.evidence.is_empty() => At::NotNeeded,
        Identity::Unknown if p.case.state.is_closed() => At::NotDone,
        Identity::Stale if !settled && !p.case.state.is_closed() => At::Next,
        Identity::Unknown => At::Next,
        Identity::Stale | Identity::Fresh(_) => At::Done,
    };
    let text = html! {
        @for recorded in p.evidence { (piece(frame, recorded)) }
        @if p.may(CaseErrand::Evidence) {
            @match known {
                Identity::Unknown => small { "On a live video call, by a call to a known number, by a ticket of their manager, or in person." },
                Identity::Stale => small { "Older than " (lasting(p.fresh)) ": make sure again before you give anything." },
                Identity::Fresh(left) => small { "Fresh for another " (lasting(left)) "." },
            }
            // What comes next has its button above.
            @if at != At::Next {
                div class="actions" { a class="button" href=(p.href("/evidence")) { "Record how you made sure" } }
            }
        }
    };
    let title = if at == At::Done { "Identity verified" } else { "Make sure who it is" };
    Step { title: title.into(), at, text }
}

fn codes(frame: &Frame, p: &Progress) -> Step {
    let case = p.case;
    let name = p.person.name;
    let identity_first = p.identity(frame.now) == Identity::Unknown;
    let (at, text) = match (&case.act, p.codes_left) {
        (Some(walked), _) if walked.act == Act::WalkedThrough => {
            (At::Done, html! { small { bdi { (name) } " signed in with one, " (clock(walked.at, frame.now)) } })
        }
        (Some(reset), _) if matches!(reset.act, Act::Reset | Act::ResetAndPassword) => match case.codes_left {
            0 => (At::Done, html! { small { "none were left" } }),
            left => (At::Done, not_at_hand(left)),
        },
        (Some(_), _) => (At::NotNeeded, html! {}),
        (None, _) if case.state.is_closed() || case.state == CaseState::Disavowed => (At::NotDone, html! {}),
        (None, 0) => (At::Done, html! { small { "none is left" } }),
        // Whoever asked to reset said so; for what else was asked for, a code is no way around it.
        (None, left) if p.live().is_some_and(|live| live.grant == Grant::ResetFactors) => (At::Done, not_at_hand(left)),
        (None, _) if p.live().is_some() => (At::NotNeeded, html! {}),
        (None, left) => (if identity_first { At::Later } else { At::Next }, ask_for_code(name, left)),
    };
    let title = if at == At::Done { "Backup codes checked" } else { "Ask for a backup code first" };
    Step { title: title.into(), at, text }
}

fn not_at_hand(left: u32) -> Markup {
    html! { small { (left) " left, not at hand" } }
}

/// What to read to the person. With a code of their own nothing has to be given.
fn ask_for_code(name: &str, left: u32) -> Markup {
    html! {
        small { strong { (count(left.into(), "code")) " left." } " Read this to them:" }
        blockquote {
            "“Open the sign-in page and enter your e-mail address and your password. Where it asks for the code of your phone, "
            "choose “use a backup code instead”, and enter one of the codes that you stored.”"
        }
        small { "When " bdi { (name) } " signs in with one, this case closes by itself, and no reset is needed." }
    }
}

fn acts(frame: &Frame, p: &Progress) -> Step {
    let case = p.case;
    let title = if p.given().is_some() { "Let back in" } else { "Let them back in" };
    let fresh = matches!(p.identity(frame.now), Identity::Fresh(_));
    let (at, text) = if let (Some(act), Some(by)) = (p.given(), &case.act) {
        let again = html! { @if !p.acts.is_empty() { (more("Something else is needed", &choices(p))) } };
        (At::Done, html! { (done(frame, &what_was_given(case, act), &by.by.name, by.at)) (asked(frame, p)) (again) })
    } else if case.state.is_closed() {
        (if p.walked_through() { At::NotNeeded } else { At::NotDone }, html! {})
    } else if p.live().is_some() {
        (if p.permitted { At::Next } else { At::Waiting }, asked(frame, p))
    } else if p.acts.is_empty() || !fresh {
        (At::Later, html! {})
    } else {
        (if p.codes_left == 0 { At::Next } else { At::Later }, choices(p))
    };
    Step { title: title.into(), at, text }
}

fn what_was_given(case: &Case, act: Act) -> Markup {
    html! {
        (act.sentence())
        @if matches!(act, Act::Reset | Act::ResetAndPassword) {
            ": " (count(case.factors_removed.into(), "factor")) " removed, "
            (count(case.sessions_ended.into(), "session")) " ended"
        }
        @if let Some(ticket) = &case.ticket { ", ticket " bdi { (ticket) } }
    }
}

/// What waits, in one line; the whole of it stands below.
fn asked(frame: &Frame, p: &Progress) -> Markup {
    let Some(live) = p.live() else { return html! {} };
    done(frame, &html! { "Asked to " (live.grant.sentence()) }, &live.asked_by.name, live.asked_at)
}

/// What can be given, as buttons; what may not stays in its place with the reason.
fn choices(p: &Progress) -> Markup {
    let hint = |grant| match grant {
        Grant::ResetFactors => "Their factors go, and you get a pass to read out: they set up a new phone with it.",
        Grant::IssueBackupCodes => "Three codes to dictate, for somebody who has nothing to set up now.",
        _ => "Only if the password is forgotten as well.",
    };
    let first = |needs| match needs {
        Needs::Owner => "An owner approves it first.",
        Needs::Admin => "Another admin, or an owner, approves it first.",
        Needs::Time => "Nobody can approve it, so the person has some time to object first.",
    };
    html! {
        ul class="options" {
            @for act in &p.acts {
                li {
                    @match act.verdict {
                        Ok(verdict) => {
                            a class="button" href=(p.person.href(path(act.grant))) { (label(act.grant)) }
                            small { (hint(act.grant)) @if let Verdict::Ask(needs) = verdict { " " (first(needs)) } }
                        }
                        Err(rule) => { strong { (label(act.grant)) } small { (rule.sentence()) } }
                    }
                }
            }
        }
    }
}

fn back(frame: &Frame, p: &Progress) -> Step {
    let (case, name) = (p.case, p.person.name);
    let title = match p.given() {
        Some(Act::Reset | Act::ResetAndPassword) => format!("{name} sets up a new factor"),
        Some(Act::Codes) => format!("{name} signs in with a code"),
        Some(Act::Password) => format!("{name} signs in and chooses a password"),
        Some(Act::Email) => format!("{name} signs in with the new address"),
        Some(Act::Invitation) => format!("{name} accepts the invitation"),
        _ => format!("{name} signs in"),
    };
    let until = |what: &str| html! { @if let Some(at) = case.due_at { small { (what) " " (clock(at, frame.now)) } } };
    let (at, text) = match case.state {
        CaseState::Recovered => {
            (At::Done, html! { @if let Some(at) = case.closed_at { small { (clock(at, frame.now)) } } })
        }
        CaseState::AwaitingEnrolment if case.ends_with_window() => (At::Waiting, until("The window closes")),
        CaseState::Acted if p.given() == Some(Act::Email) => (At::Waiting, until("The case closes by itself")),
        CaseState::AwaitingEnrolment | CaseState::Acted => (At::Waiting, until("What was given works until")),
        CaseState::Escalated if p.given().is_some() => (At::Waiting, html! {}),
        CaseState::Disavowed => (At::Waiting, html! { small { "Nobody signs in until somebody has looked." } }),
        CaseState::Reassured => (At::Done, html! { small { "The objection was a mistake; sign-in works as before." } }),
        CaseState::Incident => (At::NotDone, html! { small { "The account is closed to everybody." } }),
        CaseState::Expired if matches!(p.given(), Some(Act::Reset | Act::ResetAndPassword)) => {
            (At::NotDone, html! { small { "The window is closed and the pass is void." } })
        }
        state if state.is_closed() => (At::NotDone, html! {}),
        _ => (At::Later, html! {}),
    };
    Step { title, at, text }
}

fn told(frame: &Frame, p: &Progress) -> Step {
    let case = p.case;
    let link = html! {
        @if let Some(href) = &p.message { div class="actions" { a class="button" href=(href) { "Write the message" } } }
    };
    let (at, text) = match (&case.follow_up, &case.act) {
        (Some((at, by)), _) => (At::Done, done(frame, &html! { "Message" }, by, *at)),
        (None, None) if case.state.is_closed() => (At::NotNeeded, html! {}),
        (None, None) => (At::Later, html! {}),
        (None, Some(_)) if case.state == CaseState::Recovered && p.message.is_some() => (At::Next, link),
        (None, Some(_)) => (At::Later, link),
    };
    Step { title: format!("Tell {} what was done", p.person.name), at, text }
}

//! The board of recoveries: what waits for whom, so that nothing is left to memory. The dashboard begins with its summary.

use maud::{Markup, html};

use super::Frame;
use super::parts::{Badge, Tone, card, empty, heading, pager, table};
use super::recovery::page;
use super::words::{ago, clock, grouped, time_ago};
use crate::policy;
use crate::recovery::board::{COUNTED, Closed, Line, ON_BOARD, Section, Shown};
use crate::recovery::{Act, CaseState, Needs, Refusal, Request, RequestState};
use crate::time::Timestamp;

/// How a case stands, in a pill.
pub fn state_badge(state: CaseState) -> Badge {
    let tone = match state {
        CaseState::Recovered | CaseState::Reassured => Tone::Good,
        CaseState::Disavowed | CaseState::Incident | CaseState::Expired | CaseState::ApprovalDenied => Tone::Bad,
        CaseState::Refused => Tone::Plain,
        _ => Tone::Warn,
    };
    Badge::new(tone, state.sentence())
}

/// A case on the board.
#[derive(Debug, Clone)]
pub struct CaseLine {
    /// The case, and what was asked for in it.
    pub line: Line,
    /// Whether the viewer could permit that.
    pub may_decide: bool,
}

/// One list of the board, or as much of it as is shown.
#[derive(Debug, Clone)]
pub struct SectionView {
    /// Which.
    pub section: Section,
    /// How many there are, up to [`COUNTED`].
    pub count: u32,
    /// The first of them.
    pub cases: Vec<CaseLine>,
}

/// The board: `GET /admin/recovery`.
#[derive(Debug, Clone)]
pub struct BoardView {
    /// Lists that have something.
    pub waiting: Vec<SectionView>,
    /// Those closed last.
    pub closed: Vec<CaseLine>,
}

/// What waits for whom, what is the viewer's own first; closed cases at the end.
pub fn board(frame: &Frame, view: &BoardView) -> Markup {
    let content = html! {
        (heading(None, "Recovery", None))
        @if view.waiting.is_empty() {
            (empty("Nobody is locked out.", "When you help somebody back in, the case stands here until they are in."))
        }
        @for section in &view.waiting {
            @let heading = format!("{} · {}", title(section.section), counted(section.count));
            (card(section.section.as_str(), &heading, &html! {
                (cases(frame, title(section.section), &section.cases))
                @if section.count > ON_BOARD {
                    p { a href=(address(Shown::Waiting(section.section))) { "All of them" } }
                }
            }))
        }
        @if !view.closed.is_empty() {
            (card("closed", "Closed", &html! {
                (endings(None))
                (cases(frame, "Closed cases", &view.closed))
                p { a href=(address(Shown::Closed(Closed::Any))) { "All closed cases" } }
            }))
        }
    };
    page(frame, "Recovery", &content)
}

/// The lists that say something in short: one all of whose cases stand among the viewer's own, on top, would say it again.
fn lists(waiting: &[SectionView]) -> impl Iterator<Item = &SectionView> {
    let own = waiting.iter().filter(|view| view.section == Section::Yours).flat_map(|view| &view.cases);
    let own: Vec<_> = own.map(|l| l.line.case.number).collect();
    let said = move |view: &SectionView| {
        view.count as usize == view.cases.len() && view.cases.iter().all(|l| own.contains(&l.line.case.number))
    };
    waiting.iter().filter(move |view| view.section == Section::Yours || !said(view))
}

/// One list by itself: `GET /admin/recovery?state=&after=`.
#[derive(Debug, Clone)]
pub struct ListView {
    /// Which.
    pub shown: Shown,
    /// Its cases on this page.
    pub cases: Vec<CaseLine>,
    /// Whether this is not its first page.
    pub further: bool,
    /// Where the next page begins, if there is one.
    pub after: Option<String>,
}

/// A page of one list.
pub fn list(frame: &Frame, view: &ListView) -> Markup {
    let (title, hint) = match view.shown {
        Shown::Waiting(section) => (title(section), hint(section)),
        Shown::Closed(closed) => ending(closed),
    };
    let first = address(view.shown);
    let next = view.after.as_ref().map(|after| format!("{first}&after={after}"));
    let content = html! {
        (heading(Some(&html! { a href="/admin/recovery" { "Recovery" } }), title, None))
        @if let Shown::Closed(closed) = view.shown { (endings(Some(closed))) }
        p class="muted" { (hint) }
        @if view.cases.is_empty() {
            (empty("There is no such case.", "What waits, and what was closed, stands on the recovery page."))
        } @else {
            section class="card" { (cases(frame, title, &view.cases)) }
        }
        (pager(
            view.further.then_some(("From the start", first.as_str())),
            next.as_deref().map(|href| ("Further cases", href)),
        ))
    };
    page(frame, &format!("{title} · Recovery"), &content)
}

fn address(shown: Shown) -> String {
    let word = match shown {
        Shown::Waiting(section) => section.as_str(),
        Shown::Closed(closed) => closed.as_str(),
    };
    format!("/admin/recovery?state={word}")
}

fn counted(count: u32) -> String {
    if count >= COUNTED { format!("{} or more", grouped(COUNTED.into())) } else { grouped(count.into()) }
}

const fn title(section: Section) -> &'static str {
    match section {
        Section::Yours => "Waits for you",
        Section::Frozen => "Frozen: somebody objected",
        Section::Owner => "Waits for an owner",
        Section::Approval => "Waits for approval",
        Section::Approved => "Approved, to be carried out",
        Section::Person => "Waits for the person",
        Section::Open => "Open, nothing done yet",
    }
}

const fn hint(section: Section) -> &'static str {
    match section {
        Section::Yours => "What you can decide, carry out or go on with. What runs out first stands first.",
        Section::Frozen => "Nobody signs in to these accounts until somebody who did not act in the case has looked.",
        Section::Owner => "These were handed to the owners. Any owner can go on with them.",
        Section::Approval => "Somebody asked to let a person in, and somebody else, or time, has to permit it.",
        Section::Approved => "Who asked carries it out, while the person is on the line.",
        Section::Person => "Something was given. The person has to come back before its time runs out.",
        Section::Open => "Nothing was given yet. After a while without a step these cases expire.",
    }
}

/// Title and sentence of a list of closed cases.
fn ending(closed: Closed) -> (&'static str, &'static str) {
    match closed {
        Closed::In(CaseState::Recovered) => ("Recovered", "The person is back."),
        Closed::In(CaseState::Refused) => ("Refused", "Somebody decided not to help, and said why."),
        Closed::In(CaseState::ApprovalDenied) => ("Approval denied", "The second person said no."),
        Closed::In(CaseState::Expired) => {
            ("Expired", "Resets that nobody closed, windows that ran out, and cases that nobody went on with.")
        }
        Closed::In(CaseState::Incident) => ("Incidents", "It was an attack, and everything that it gave has ended."),
        Closed::In(CaseState::Reassured) => ("Objections lifted", "The objection was a mistake."),
        Closed::In(_) | Closed::Any => ("Closed cases", "However they ended, those closed last on top."),
    }
}

/// The ways in which a case can have ended, each leading to its list.
fn endings(here: Option<Closed>) -> Markup {
    html! {
        nav class="chips" aria-label="How they ended" {
            @for closed in Closed::ALL {
                a href=(address(Shown::Closed(closed))) aria-current=[(here == Some(closed)).then_some("page")] {
                    (ending(closed).0)
                }
            }
        }
    }
}

fn cases(frame: &Frame, label: &str, lines: &[CaseLine]) -> Markup {
    let closed = lines.first().is_some_and(|l| l.line.case.closed_at.is_some());
    let columns = ["Case", "Person", "How it stands", "Opened", if closed { "Closed" } else { "Until" }];
    let row = |l: &CaseLine| {
        let case = &l.line.case;
        let decide = format!("/admin/recovery/{}/approve", case.number);
        vec![
            html! {
                a class="whole" href={ "/admin/recovery/" (case.number) } { strong { (case.number) } }
                @if case.urgent && case.closed_at.is_none() { " " (Badge::new(Tone::Bad, "urgent").show()) }
            },
            html! { a href={ "/admin/users/" (case.user_id) } { bdi { (case.user_name) } } },
            html! {
                (state_badge(case.state).show()) br;
                small { (how_it_stands(&l.line, frame.now)) @if l.may_decide { " " a href=(decide) { "Look and decide" } } }
            },
            html! { (time_ago(case.opened_at, frame.now)) br; small { "by " bdi { (case.opened_by.name) } } },
            html! { @if let Some(at) = case.closed_at.or(case.due_at) { (time_ago(at, frame.now)) } },
        ]
    };
    table(label, &columns, &lines.iter().map(row).collect::<Vec<_>>())
}

/// What has to be done next and by whom; or how it ended.
fn how_it_stands(line: &Line, now: Timestamp) -> Markup {
    let case = &line.case;
    let person = html! { bdi { (case.user_name) } };
    if case.state == CaseState::Disavowed {
        return html! { "Somebody said “this wasn't me”. Look whether it was an attack or a mistake." };
    }
    if case.closed_at.is_some() {
        return ended(line);
    }
    if let Some(request) = &line.request {
        return asked(request, &person, now);
    }
    let (by, act) = case.act.as_ref().map_or(("", None), |done| (done.by.name.as_str(), Some(done.act)));
    match case.state {
        CaseState::AwaitingApproval => html! { "Somebody has to permit what was asked for, or not." },
        CaseState::Approved => html! { "Who asked carries it out." },
        CaseState::AwaitingEnrolment if act == Some(Act::Invitation) => {
            html! { (person) " accepts the invitation that " bdi { (by) } " made again." }
        }
        CaseState::Acted if act == Some(Act::Email) => {
            html! { (person) " signs in with the new address. " bdi { (by) } " has changed it." }
        }
        CaseState::AwaitingEnrolment if case.ends_with_window() => {
            html! { (person) " sets up a new app. " bdi { (by) } " has reset the factors." (window(case.due_at, now)) }
        }
        CaseState::AwaitingEnrolment | CaseState::Acted => {
            html! { (person) " signs in with what " bdi { (by) } " gave." }
        }
        _ if case.state == CaseState::Escalated || case.for_owner => html! {
            "An owner goes on with it."
            @if !case.note.is_empty() { " “" (case.note) "”" }
        },
        CaseState::Opened => html! { "Make sure who it is." },
        _ => html! { "It is clear who it is. Help, or refuse." },
    }
}

fn window(closes_at: Option<Timestamp>, now: Timestamp) -> Markup {
    html! {
        @match closes_at {
            Some(at) if at <= now => " The window has closed.",
            Some(at) => { " The window closes " (ago(at, now)) "." }
            None => {}
        }
    }
}

fn asked(request: &Request, person: &Markup, now: Timestamp) -> Markup {
    let (by, what) = (html! { bdi { (request.asked_by.name) } }, request.grant.sentence());
    let ripe = request.is_permitted(now);
    match (request.state, request.needs) {
        (RequestState::Approved, _) => html! { (by) " can " (what) " until " (clock(request.valid_until, now)) "." },
        (_, Needs::Owner) => html! { (by) " asks to " (what) ". An owner permits it, or not." },
        (_, Needs::Admin) => html! { (by) " asks to " (what) ". Another admin or an owner permits it, or not." },
        (_, Needs::Time) if ripe => html! { (by) " can " (what) " now: the time to object is over." },
        (_, Needs::Time) => html! {
            (by) " can " (what) " from " (clock(request.ripe_at.unwrap_or(now), now)) " on, unless " (person) " objects."
        },
    }
}

fn ended(line: &Line) -> Markup {
    let case = &line.case;
    let given = case.act.as_ref().map(|done| done.act.sentence());
    html! {
        @match (case.state, given) {
            (CaseState::Expired, Some(given)) => {
                "What was done: " (given) "; " bdi { (case.user_name) } " did not come back in time."
            }
            (CaseState::Expired, None) => "Nothing was given.",
            (CaseState::Refused, _) => { (case.refusal.map_or("", Refusal::sentence)) "." }
            (_, Some(given)) => { "What was done: " (given) "." }
            (_, None) => {}
        }
        @if !case.note.is_empty() && case.state != CaseState::Expired { " “" (case.note) "”" }
        @if case.state == CaseState::Recovered && case.follow_up.is_none() {
            " " a href={ "/admin/recovery/" (case.number) "/message" } { "Write the message" }
        }
    }
}

/// What waits for whom in a few lines, each list leading to its cases. What stands among the viewer's own is not said twice.
pub(super) fn summary(frame: &Frame, waiting: &[SectionView]) -> Markup {
    let own = waiting.iter().filter(|view| view.section == Section::Yours).flat_map(|view| &view.cases);
    let own: Vec<_> = own.map(|l| l.line.case.number).collect();
    let said = |view: &SectionView, l: &&CaseLine| view.section != Section::Yours && own.contains(&l.line.case.number);
    html! {
        ul class="matters" {
            @for view in lists(waiting) {
                li {
                    div {
                        strong { a href=(address(Shown::Waiting(view.section))) { (words(view.section, view.count)) } }
                        @for l in view.cases.iter().filter(|l| !said(view, l)) {
                            small {
                                a href={ "/admin/recovery/" (l.line.case.number) } { bdi { (l.line.case.user_name) } }
                                @if l.line.case.urgent { " (urgent)" } ": " (how_it_stands(&l.line, frame.now))
                            }
                        }
                    }
                    (pressing(view, frame.now).show())
                }
            }
        }
    }
}

fn words(section: Section, count: u32) -> String {
    let (one, many) = match section {
        Section::Yours => ("case waits for you", "cases wait for you"),
        Section::Frozen => ("account is frozen: somebody objected", "accounts are frozen: somebody objected"),
        Section::Owner => ("case waits for an owner", "cases wait for an owner"),
        Section::Approval => ("case waits for approval", "cases wait for approval"),
        Section::Approved => ("case is approved, to be carried out", "cases are approved, to be carried out"),
        Section::Person => ("case waits for the person", "cases wait for the person"),
        Section::Open => ("case is open, nothing done yet", "cases are open, nothing done yet"),
    };
    format!("{} {}", counted(count), if count == 1 { one } else { many })
}

fn pressing(view: &SectionView, now: Timestamp) -> Badge {
    let closes = |l: &CaseLine| l.line.case.due_at.is_some_and(|at| at.since(now) <= policy::CLOSES_SOON);
    let soon = view.section == Section::Person && view.cases.iter().any(closes);
    if soon || matches!(view.section, Section::Yours | Section::Frozen) {
        Badge::new(Tone::Bad, "now")
    } else {
        Badge::new(Tone::Warn, "soon")
    }
}

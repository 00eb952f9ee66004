//! Samples of the recovery board, of the message to somebody who was helped, and of a case's story; hostile text included.

use maud::Markup;

use super::board::{self, BoardView, CaseLine, ListView, SectionView};
use super::entry::EntryLine;
use super::follow_up::{self, FollowUpView};
use super::grants::{Signal, Weight};
use super::samples::{CASE, HOSTILE, at, form, step_up, typed, viewer};
use super::samples_acts::{mara, maryam};
use super::story::{self, StoryLine, StoryView};
use crate::audit::{Outcome, Ticket};
use crate::contacts::KnownNumber;
use crate::grants::Grant;
use crate::ids::{CaseNumber, RequestId, UserId};
use crate::notices::{Kind, Told};
use crate::recovery::board::{COUNTED, Closed, Line, ON_BOARD, Place, Section, Shown};
use crate::recovery::{
    Act, Case, CaseState, Doer, Done, Evidence, EvidenceKind, Needs, Recorded, Refusal, Request, RequestState,
};
use crate::signals::Signals;
use crate::time::Timestamp;
use crate::users::Role;

/// Every such page by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let mut pages = board_pages();
    pages.extend(follow_up_pages());
    pages.extend(story_pages());
    pages
}

fn doer(name: &str) -> Doer {
    Doer { id: Some(UserId::generate()), name: name.to_owned() }
}

pub(super) fn case(count: u32, name: &str, state: CaseState) -> Case {
    let act = match state {
        CaseState::AwaitingEnrolment | CaseState::Recovered => Some(Act::Reset),
        CaseState::Acted => Some(Act::Codes),
        CaseState::Expired if count.is_multiple_of(2) => Some(Act::ResetAndPassword),
        _ => None,
    };
    Case {
        number: CaseNumber::new(2026, count),
        user_id: UserId::generate(),
        user_name: name.to_owned(),
        opened_by: doer("Tom Okafor"),
        opened_at: at("2026-11-24T10:12:00Z"),
        state,
        state_at: at("2026-11-24T10:30:00Z"),
        version: 3,
        urgent: count.is_multiple_of(3),
        for_owner: state == CaseState::Escalated,
        reason: "Lost her phone on the train".to_owned(),
        ticket: Some("#1234".to_owned()),
        act: act.map(|act| Done { act, by: doer("Tom Okafor"), at: at("2026-11-24T10:30:00Z") }),
        codes_left: 4,
        factors_removed: 2,
        sessions_ended: 3,
        due_at: (!state.is_closed() && state != CaseState::Disavowed).then(|| at("2026-11-24T10:52:00Z")),
        closed_at: state.is_closed().then(|| at("2026-11-24T10:40:00Z")),
        closed_by: (state == CaseState::Refused).then(|| "Tom Okafor".to_owned()),
        note: if count.is_multiple_of(5) { HOSTILE.to_owned() } else { String::new() },
        refusal: (state == CaseState::Refused).then_some(Refusal::Pressure),
        signals: Signals::default(),
        follow_up: None,
    }
}

pub(super) fn request(needs: Needs, state: RequestState) -> Request {
    let decided = matches!(state, RequestState::Approved | RequestState::Denied);
    Request {
        id: RequestId::generate(),
        case: CASE,
        grant: Grant::ResetFactors,
        argument: String::new(),
        needs,
        asked_by: doer("Tom Okafor"),
        asked_at: at("2026-11-24T10:20:00Z"),
        reason: HOSTILE.to_owned(),
        ticket: None,
        evidence: 1,
        case_version: 2,
        signals: Signals::default(),
        state,
        valid_until: at("2026-11-25T10:20:00Z"),
        ripe_at: (needs == Needs::Time).then(|| at("2026-11-24T11:20:00Z")),
        decided_by: decided.then(|| doer("Ada Brandt")),
        decided_at: decided.then(|| at("2026-11-24T10:25:00Z")),
        note: if state == RequestState::Denied { "I do not know this voice".to_owned() } else { String::new() },
    }
}

fn line(case: Case, request: Option<Request>) -> CaseLine {
    CaseLine { may_decide: request.as_ref().is_some_and(|r| r.needs == Needs::Admin), line: Line { case, request } }
}

/// One list of each kind, with every way in which a case can stand in it.
pub(super) fn waiting() -> Vec<SectionView> {
    let plain = |count, state| line(case(count, "Mara Lindqvist", state), None);
    let asking =
        |count, needs, state| line(case(count, "Jonas Berg", CaseState::AwaitingApproval), Some(request(needs, state)));
    let approved = case(26, "Jonas Berg", CaseState::Approved);
    let ripe = Request { ripe_at: Some(at("2026-11-24T10:40:00Z")), ..request(Needs::Time, RequestState::Waiting) };
    let last_seconds =
        Case { due_at: Some(at("2026-11-24T10:42:30Z")), ..case(17, "Noor Haddad", CaseState::AwaitingEnrolment) };
    let closed_window =
        Case { due_at: Some(at("2026-11-24T10:40:00Z")), ..case(16, HOSTILE, CaseState::AwaitingEnrolment) };
    let given = |count, act, state| {
        let done = Done { act, by: doer(HOSTILE), at: at("2026-11-24T10:38:00Z") };
        line(Case { act: Some(done), ..case(count, "Noor Haddad", state) }, None)
    };
    let section = |section, count, cases| SectionView { section, count, cases };
    vec![
        section(Section::Yours, 1, vec![asking(42, Needs::Admin, RequestState::Waiting)]),
        section(Section::Frozen, 1, vec![plain(40, CaseState::Disavowed)]),
        section(Section::Owner, 2, vec![plain(38, CaseState::Escalated), plain(35, CaseState::Escalated)]),
        section(
            Section::Approval,
            4,
            vec![
                asking(31, Needs::Owner, RequestState::Waiting),
                asking(30, Needs::Admin, RequestState::Waiting),
                asking(29, Needs::Time, RequestState::Waiting),
                line(case(28, "مريم العلي", CaseState::AwaitingApproval), Some(ripe)),
                plain(27, CaseState::AwaitingApproval),
            ],
        ),
        section(
            Section::Approved,
            2,
            vec![line(approved, Some(request(Needs::Owner, RequestState::Approved))), plain(25, CaseState::Approved)],
        ),
        section(
            Section::Person,
            ON_BOARD + 1,
            vec![
                plain(18, CaseState::AwaitingEnrolment),
                line(last_seconds, None),
                line(closed_window, None),
                plain(14, CaseState::Acted),
                given(13, Act::Email, CaseState::Acted),
                given(9, Act::Invitation, CaseState::AwaitingEnrolment),
            ],
        ),
        section(Section::Open, COUNTED, vec![plain(12, CaseState::Opened), plain(11, CaseState::Verified)]),
    ]
}

/// The same where each list has one, or more.
pub(super) fn other_numbers() -> Vec<SectionView> {
    let mut lists = waiting();
    for list in &mut lists {
        list.count = if list.count == 1 { 2 } else { 1 };
        list.cases.truncate(1);
    }
    lists
}

fn closed() -> Vec<CaseLine> {
    let states = CaseState::ALL.iter().filter(|s| s.is_closed());
    let mut lines: Vec<_> = (2..).zip(states).map(|(n, s)| line(case(n, "Mara Lindqvist", *s), None)).collect();
    let told = Some((at("2026-11-24T10:41:00Z"), "Tom Okafor".to_owned()));
    lines.push(line(Case { follow_up: told, ..case(10, HOSTILE, CaseState::Recovered) }, None));
    lines.push(line(case(8, HOSTILE, CaseState::Expired), None));
    lines.push(line(case(9, HOSTILE, CaseState::Expired), None));
    lines
}

fn board_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let list = |shown, cases: Vec<CaseLine>, further, after| ListView { shown, cases, further, after };
    let waits = |section| {
        let found = waiting().into_iter().find(|l| l.section == section);
        list(Shown::Waiting(section), found.map_or(Vec::new(), |l| l.cases), false, None)
    };
    let place = Place { urgent: false, at: at("2026-11-24T10:30:00Z"), number: CASE }.to_string();
    let ended = |closed, lines| list(Shown::Closed(closed), lines, true, Some(place.clone()));
    let only = |state| closed().into_iter().filter(|l| l.line.case.state == state).collect();
    vec![
        ("board", board::board(&f, &BoardView { waiting: waiting(), closed: closed() })),
        ("board-few", board::board(&f, &BoardView { waiting: other_numbers(), closed: Vec::new() })),
        ("board-closed", board::board(&f, &BoardView { waiting: Vec::new(), closed: closed() })),
        ("board-empty", board::board(&f, &BoardView { waiting: Vec::new(), closed: Vec::new() })),
        ("board-yours", board::list(&f, &waits(Section::Yours))),
        ("board-frozen", board::list(&f, &waits(Section::Frozen))),
        ("board-owner", board::list(&f, &waits(Section::Owner))),
        ("board-approval", board::list(&f, &waits(Section::Approval))),
        ("board-approved", board::list(&f, &waits(Section::Approved))),
        ("board-person", board::list(&f, &ListView { after: Some(place.clone()), ..waits(Section::Person) })),
        ("board-open", board::list(&f, &ListView { further: true, ..waits(Section::Open) })),
        ("board-all-closed", board::list(&f, &ended(Closed::Any, closed()))),
        ("board-recovered", board::list(&f, &ended(Closed::In(CaseState::Recovered), only(CaseState::Recovered)))),
        ("board-refused", board::list(&f, &ended(Closed::In(CaseState::Refused), only(CaseState::Refused)))),
        ("board-denied", board::list(&f, &ended(Closed::In(CaseState::ApprovalDenied), Vec::new()))),
        ("board-expired", board::list(&f, &ended(Closed::In(CaseState::Expired), only(CaseState::Expired)))),
        ("board-incidents", board::list(&f, &ended(Closed::In(CaseState::Incident), Vec::new()))),
        ("board-reassured", board::list(&f, &ended(Closed::In(CaseState::Reassured), Vec::new()))),
    ]
}

fn follow_up_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let text = "Hello Mara Lindqvist,\n\non 2026-11-24 at 10:12 UTC we were asked to help you …";
    let addresses = ["mara@fernhill.example".to_owned(), HOSTILE.to_owned()];
    let view = |form, person| FollowUpView {
        form,
        person,
        case: CASE,
        nothing_to_tell: false,
        addresses: &addresses,
        mail: true,
        written: None,
    };
    let filled = || typed(&[("message", text)], &[]);
    let wrong = typed(&[("message", HOSTILE)], &[("message", "Shorten the message to 4000 characters; it has 4001.")]);
    let moved = typed(&[("message", text)], &[("", "The case has moved on since you opened this page: incident.")]);
    let written = Some((at("2026-11-24T10:41:00Z"), "Ada Brandt"));
    vec![
        ("message", follow_up::follow_up(&f, &view(filled(), mara()))),
        ("message-written", follow_up::follow_up(&f, &FollowUpView { written, ..view(filled(), maryam()) })),
        ("message-wrong", follow_up::follow_up(&f, &view(step_up(wrong), mara()))),
        ("message-moved-on", follow_up::follow_up(&f, &view(moved, mara()))),
        ("message-no-mail", follow_up::follow_up(&f, &FollowUpView { mail: false, ..view(step_up(filled()), mara()) })),
        ("message-no-address", follow_up::follow_up(&f, &FollowUpView { addresses: &[], ..view(filled(), mara()) })),
        ("message-nothing", follow_up::follow_up(&f, &FollowUpView { nothing_to_tell: true, ..view(form(), mara()) })),
    ]
}

fn evidence() -> Vec<Recorded> {
    let at_call = at("2026-11-24T10:18:00Z");
    let called = KnownNumber {
        phone: "+4685550100".parse().expect("a sample"),
        known_since: at("2026-02-03T09:12:00Z"),
        requested_at: at("2026-11-24T10:12:00Z"),
    };
    let ticket = Ticket::optional("HR-77").expect("a sample");
    let vouched = Evidence::parse("manager_ticket", HOSTILE, "Jonas Berg, HR", ticket.as_ref(), at_call);
    let recorded = |id, evidence, ticket: Option<&str>| Recorded {
        id,
        evidence,
        ticket: ticket.map(str::to_owned),
        by: doer("Tom Okafor"),
    };
    vec![
        recorded(1, Evidence::recorded(EvidenceKind::KnownNumber, String::new(), None, Some(called), at_call), None),
        recorded(2, vouched.expect("a sample"), Some("HR-77")),
    ]
}

fn entries(number: u64) -> Vec<StoryLine> {
    let what = [
        ("recovery.case_opened", "Recovery case opened", Outcome::Success, "Lost her phone on the train"),
        ("recovery.identity_verified", "Identity verified: video call", Outcome::Success, ""),
        ("recovery.approval_requested", "Asked to remove all factors and give a pass", Outcome::Success, "As above"),
        ("mfa.factor_admin_reset", "Refused: a reset of all factors (evidence stale)", Outcome::Denied, HOSTILE),
        ("mfa.challenge_failed", "Wrong enrolment pass", Outcome::Failure, ""),
    ];
    let line = |(seq, (action, what, outcome, reason)): (u64, (&str, &str, Outcome, &str))| StoryLine {
        line: EntryLine {
            seq,
            at: at("2026-11-24T10:38:12.000412Z"),
            action: action.to_owned(),
            what: what.to_owned(),
            outcome,
            actor: "Tom Okafor".to_owned(),
            target: String::new(),
            case: Some(CASE),
        },
        reason: reason.to_owned(),
        ticket: if reason.is_empty() { "HR-77" } else { "" }.to_owned(),
    };
    (1_200..1_200 + number).zip(what.into_iter().cycle()).map(line).collect()
}

fn story_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Owner);
    let sign =
        |label: &str, text: &str| Signal { label: label.to_owned(), text: text.to_owned(), weight: Weight::Strong };
    let signs = [sign("Password and contact details", "1 change within 7 days"), sign("Earlier resets", HOSTILE)];
    let email = Request {
        grant: Grant::ChangeEmail,
        argument: "mara@elsewhere.example".to_owned(),
        ..request(Needs::Admin, RequestState::Denied)
    };
    let requests = [
        request(Needs::Owner, RequestState::Approved),
        email,
        request(Needs::Time, RequestState::Waiting),
        request(Needs::Admin, RequestState::Used),
        request(Needs::Owner, RequestState::Lapsed),
    ];
    let sent = |sent_at: Option<Timestamp>, given_up_at| Told {
        at: at("2026-11-24T10:30:00Z"),
        notice: sent_at.map(|_| Kind::FactorsReset),
        about: "follow up".to_owned(),
        address: "mara@fernhill.example".to_owned(),
        sent_at,
        given_up_at,
    };
    let minute = at("2026-11-24T10:31:00Z");
    let told = [sent(Some(minute), None), sent(None, Some(minute)), sent(None, None)];
    let told_back = Some((minute, "Tom Okafor".to_owned()));
    let long = Case { follow_up: told_back, signals: Signals::default(), ..case(45, HOSTILE, CaseState::Recovered) };
    let refused = case(40, "Mara Lindqvist", CaseState::Refused);
    let (evidence, many, few) = (evidence(), entries(30), entries(1));
    let view = StoryView {
        case: &long,
        person: mara(),
        evidence: &evidence,
        signs: &signs,
        requests: &requests,
        told: &told,
        entries: &many,
        more: true,
    };
    let short = StoryView {
        case: &refused,
        person: maryam(),
        evidence: &[],
        signs: &[],
        requests: &[],
        told: &[],
        entries: &few,
        more: false,
    };
    vec![("story", story::story(&f, &view)), ("story-short", story::story(&f, &short))]
}

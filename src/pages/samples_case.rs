//! Samples of a case in every state and of the forms in it, hostile text included.

use std::time::Duration;

use maud::Markup;

use super::Frame;
use super::parts::{Badge, Tone};
use super::recovery::case::{self, CaseView, Escalated};
use super::recovery::errands::{self, EvidenceView, MovedOnView, OpenCaseView, RefuseView, Short, ShortView};
use super::recovery::requests::{May, RequestView};
use super::recovery::steps::{ActLine, Progress};
use super::samples::{CASE, HOSTILE, at, form, step_up, typed, viewer};
use super::samples_acts::{known, mara, signals};
use super::samples_console::{LONG, entries};
use super::samples_incident;
use crate::audit::Ticket;
use crate::contacts::KnownNumber;
use crate::grants::{Grant, Rule, Verdict};
use crate::ids::{NoticeId, RequestId, UserId};
use crate::notices::{Facts, Kind, Notice};
use crate::recovery::{
    Act, Case, CaseErrand, CaseState, Doer, Done, Evidence, EvidenceKind, Held, Needs, Recorded, Refusal, Request,
    RequestState,
};
use crate::signals::Signals;
use crate::users::Role;

/// Every such page by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let mut pages = before(&f);
    pages.extend(asked(&f));
    pages.extend(given(&f));
    pages.extend(over(&f));
    pages.extend(forms(&f));
    pages.push(("case-open-refused-before", refused_before(CaseState::Refused)));
    pages.push(("case-open-denied-before", refused_before(CaseState::ApprovalDenied)));
    pages
}

fn tom() -> Doer {
    Doer { id: Some(UserId::generate()), name: "Tom Okafor".to_owned() }
}

fn one(state: CaseState) -> Case {
    let closed = state.is_closed().then(|| at("2026-11-24T10:41:00Z"));
    Case {
        number: CASE,
        user_id: UserId::generate(),
        user_name: "Mara Lindqvist".to_owned(),
        opened_by: tom(),
        opened_at: at("2026-11-24T10:12:00Z"),
        state,
        state_at: at("2026-11-24T10:40:00Z"),
        version: 2,
        urgent: false,
        for_owner: state == CaseState::Escalated,
        reason: HOSTILE.to_owned(),
        ticket: Some("#1234".to_owned()),
        act: None,
        codes_left: 4,
        factors_removed: 2,
        sessions_ended: 3,
        due_at: closed.is_none().then(|| at("2026-11-24T11:42:00Z")),
        closed_at: closed,
        closed_by: closed.map(|_| HOSTILE.to_owned()),
        note: if closed.is_some() { HOSTILE.to_owned() } else { String::new() },
        refusal: (state == CaseState::Refused).then_some(Refusal::Pressure),
        signals: Signals::default(),
        follow_up: None,
    }
}

fn acted(state: CaseState, act: Act) -> Case {
    Case { act: Some(Done { act, by: tom(), at: at("2026-11-24T10:38:00Z") }), ..one(state) }
}

/// A case after a reset.
pub(super) fn reset() -> Case {
    acted(CaseState::AwaitingEnrolment, Act::Reset)
}

fn piece(id: i64, evidence: Evidence) -> Recorded {
    let ticket = (evidence.kind() == EvidenceKind::ManagerTicket).then(|| "HR-77".to_owned());
    Recorded { id, evidence, ticket, by: tom() }
}

/// What it rests on.
pub(super) fn evidence() -> Vec<Recorded> {
    let ticket = Ticket::optional("HR-77").expect("samples hold tickets");
    let vouched = Evidence::parse("manager_ticket", "", HOSTILE, ticket.as_ref(), at("2026-11-24T10:20:00Z"));
    let called = KnownNumber {
        phone: "+46705550123".parse().expect("samples hold numbers"),
        known_since: at("2026-02-03T09:12:00Z"),
        requested_at: at("2026-11-24T10:12:00Z"),
    };
    let call = Evidence::recorded(
        EvidenceKind::KnownNumber,
        HOSTILE.to_owned(),
        None,
        Some(called),
        at("2026-11-24T10:24:00Z"),
    );
    vec![piece(1, vouched.expect("samples hold evidence")), piece(2, call)]
}

fn stale() -> Vec<Recorded> {
    let early = at("2026-11-24T09:12:00Z");
    vec![piece(1, Evidence::recorded(EvidenceKind::VideoCall, String::new(), None, None, early))]
}

fn request(state: RequestState, needs: Needs) -> Request {
    let decided = matches!(state, RequestState::Approved | RequestState::Denied);
    Request {
        id: RequestId::generate(),
        case: CASE,
        grant: Grant::ChangeEmail,
        argument: HOSTILE.to_owned(),
        needs,
        asked_by: tom(),
        asked_at: at("2026-11-24T10:30:00Z"),
        reason: HOSTILE.to_owned(),
        ticket: Some("#1234".to_owned()),
        evidence: 2,
        case_version: 2,
        signals: Signals::default(),
        state,
        valid_until: at("2026-11-25T10:30:00Z"),
        ripe_at: (needs == Needs::Time).then(|| at("2026-11-24T11:30:00Z")),
        decided_by: decided.then(tom),
        decided_at: decided.then(|| at("2026-11-24T10:35:00Z")),
        note: if decided { HOSTILE.to_owned() } else { String::new() },
    }
}

fn notices() -> Vec<Notice> {
    let notice = |kind: Kind| Notice {
        id: NoticeId::generate(),
        user_id: UserId::generate(),
        kind,
        at: at("2026-11-24T10:38:00Z"),
        case: Some(CASE),
        facts: Facts::default(),
        objection_until: None,
        objected_at: (kind == Kind::FactorsReset).then(|| at("2026-11-24T10:40:00Z")),
        seen_at: (kind == Kind::CodeUsed).then(|| at("2026-11-24T10:40:00Z")),
    };
    let mut all: Vec<_> = Kind::ALL.iter().copied().map(notice).collect();
    all.push(notice(Kind::PolicyLoosened));
    all
}

const FRESH: Duration = Duration::from_secs(3_600);

fn acts() -> Vec<ActLine> {
    let line = |grant, verdict| ActLine { grant, verdict };
    vec![
        line(Grant::ResetFactors, Ok(Verdict::Go)),
        line(Grant::IssueBackupCodes, Ok(Verdict::Ask(Needs::Owner))),
        line(Grant::SetTemporaryPassword, Err(Rule::Rank)),
    ]
}

fn progress<'a>(case: &'a Case, evidence: &'a [Recorded], codes_left: u32) -> Progress<'a> {
    let open = !case.state.is_closed() && case.state != CaseState::Disavowed;
    let may = CaseErrand::ALL.into_iter().filter(|errand| errand.fits(case)).collect();
    let acts = if open { acts() } else { Vec::new() };
    Progress { fresh: FRESH, codes_left, may, acts, ..Progress::shown(case, mara(), evidence) }
}

fn show(f: &Frame, progress: Progress) -> Markup {
    case::case(f, &view(progress))
}

fn view(progress: Progress<'_>) -> CaseView<'_> {
    let state = progress.case.state;
    CaseView {
        form: form(),
        state: Badge::new(Tone::Warn, state.sentence()),
        barred: None,
        may_open: state.is_closed(),
        escalated: None,
        signals: signals(),
        frozen: progress.case.act.is_some(),
        alarm: None,
        may_be_attack: progress.case.act.is_some() && !state.is_closed(),
        report: state == CaseState::Incident,
        live: None,
        notices: &[],
        entries: entries(),
        progress,
    }
}

/// Before anything was given.
fn before(f: &Frame) -> Vec<(&'static str, Markup)> {
    let (evidence, stale) = (evidence(), stale());
    let opened = Case { urgent: true, ..one(CaseState::Opened) };
    let verified = one(CaseState::Verified);
    let handed = one(CaseState::Escalated);
    let escalated =
        || Some(Escalated { by: LONG.to_owned(), at: at("2026-11-24T10:30:00Z"), message: HOSTILE.to_owned() });
    let asks = |grant, needs| ActLine { grant, verdict: Ok(Verdict::Ask(needs)) };
    let of_two = vec![asks(Grant::IssueBackupCodes, Needs::Admin), asks(Grant::SetTemporaryPassword, Needs::Time)];
    let for_two = Progress { acts: of_two, ..progress(&verified, &evidence, 0) };
    let for_owners = Progress { may: Vec::new(), acts: Vec::new(), ..progress(&handed, &evidence, 1) };
    let not_yours = Progress { may: Vec::new(), acts: Vec::new(), ..progress(&verified, &evidence, 1) };
    let after = acted(CaseState::Escalated, Act::Codes);
    vec![
        ("case-opened", show(f, progress(&opened, &[], 4))),
        ("case-opened-no-codes", show(f, progress(&one(CaseState::Opened), &[], 0))),
        ("case-verified", show(f, progress(&verified, &evidence, 4))),
        ("case-verified-no-codes", show(f, progress(&verified, &evidence, 0))),
        ("case-verified-for-two", show(f, for_two)),
        ("case-verified-stale", show(f, progress(&verified, &stale, 0))),
        (
            "case-verified-not-yours",
            case::case(f, &CaseView { barred: Some(Rule::Rank.sentence()), ..view(not_yours) }),
        ),
        (
            "case-escalated",
            case::case(
                f,
                &CaseView { barred: Some(Rule::ForOwners.sentence()), escalated: escalated(), ..view(for_owners) },
            ),
        ),
        (
            "case-escalated-owner",
            case::case(f, &CaseView { escalated: escalated(), ..view(progress(&handed, &evidence, 0)) }),
        ),
        ("case-escalated-later", show(f, progress(&after, &evidence, 0))),
    ]
}

/// While something has to be permitted.
fn asked(f: &Frame) -> Vec<(&'static str, Markup)> {
    let evidence = evidence();
    let waiting = one(CaseState::AwaitingApproval);
    let approved = one(CaseState::Approved);
    let with = |case, requests, permitted| Progress { requests, permitted, ..progress(case, &evidence, 2) };
    let owner = [
        request(RequestState::Lapsed, Needs::Owner),
        request(RequestState::Used, Needs::Owner),
        request(RequestState::Waiting, Needs::Owner),
    ];
    let admin = [request(RequestState::Denied, Needs::Admin), request(RequestState::Waiting, Needs::Admin)];
    let time = [request(RequestState::Waiting, Needs::Time)];
    let ok = [request(RequestState::Approved, Needs::Admin)];
    vec![
        ("case-asked-owner", show(f, with(&waiting, &owner, false))),
        ("case-asked-admin", show(f, with(&waiting, &admin, false))),
        ("case-asked-time", show(f, with(&waiting, &time, false))),
        ("case-approved-other", show(f, with(&approved, &ok, false))),
        ("case-approved-mine", show(f, with(&approved, &ok, true))),
        ("case-asked-nothing", show(f, with(&waiting, &[], false))),
    ]
}

/// A case with something that waits in it.
pub(super) fn waiting(f: &Frame, live: RequestView) -> Markup {
    let (case, evidence) = (one(CaseState::AwaitingApproval), evidence());
    let decides = live.may == May::Decide;
    let progress = Progress { person: live.person, decides, ..progress(&case, &evidence, 0) };
    case::case(f, &CaseView { live: Some(live), ..view(progress) })
}

/// Once something was given.
fn given(f: &Frame) -> Vec<(&'static str, Markup)> {
    let (evidence, notices) = (evidence(), notices());
    let waits = reset();
    let none = Case { codes_left: 0, ..acted(CaseState::AwaitingEnrolment, Act::ResetAndPassword) };
    let (codes, password) = (acted(CaseState::Acted, Act::Codes), acted(CaseState::Acted, Act::Password));
    let (email, invited) = (acted(CaseState::Acted, Act::Email), acted(CaseState::AwaitingEnrolment, Act::Invitation));
    let message = || Some("/admin/recovery/R-2026-0042/message".to_owned());
    vec![
        ("case", case::case(f, &CaseView { notices: &notices[..2], ..view(progress(&waits, &evidence, 0)) })),
        ("case-reset-and-password", show(f, Progress { message: message(), ..progress(&none, &evidence, 0) })),
        ("case-codes", show(f, progress(&codes, &evidence, 3))),
        ("case-email", show(f, progress(&email, &evidence, 4))),
        ("case-invitation", show(f, progress(&invited, &evidence, 0))),
        ("case-password", case::case(f, &CaseView { notices: &notices, ..view(progress(&password, &evidence, 4)) })),
    ]
}

/// Closed, or objected to.
fn over(f: &Frame) -> Vec<(&'static str, Markup)> {
    use CaseState as S;
    let evidence = evidence();
    let message = || Some("/admin/recovery/R-2026-0042/message".to_owned());
    let closed_by_itself = |case| Case { closed_by: None, note: String::new(), ..case };
    let recovered = closed_by_itself(acted(S::Recovered, Act::Reset));
    let follow_up = Some((at("2026-11-24T10:41:00Z"), HOSTILE.to_owned()));
    let told = Case { follow_up, ..recovered.clone() };
    let walked = closed_by_itself(acted(S::Recovered, Act::WalkedThrough));
    let objected = acted(S::Disavowed, Act::Reset);
    let alarm = Some(samples_incident::alarm(Held::Objection { frozen: true }));
    let frozen = CaseView { alarm, may_be_attack: false, report: true, ..view(progress(&objected, &evidence, 0)) };
    vec![
        ("case-recovered", show(f, Progress { message: message(), ..progress(&recovered, &evidence, 10) })),
        ("case-recovered-told", show(f, Progress { message: message(), ..progress(&told, &evidence, 10) })),
        ("case-walked-through", show(f, progress(&walked, &[], 9))),
        ("case-refused", show(f, progress(&one(S::Refused), &[], 4))),
        ("case-denied", show(f, progress(&one(S::ApprovalDenied), &evidence, 4))),
        ("case-expired", show(f, progress(&one(S::Expired), &[], 4))),
        ("case-expired-window", show(f, progress(&acted(S::Expired, Act::Reset), &evidence, 0))),
        ("case-disavowed", case::case(f, &frozen)),
        ("case-disavowed-yours", show(f, Progress { settles: true, ..progress(&objected, &evidence, 0) })),
        ("case-incident", show(f, progress(&acted(S::Incident, Act::Reset), &evidence, 0))),
        ("case-reassured", show(f, progress(&acted(S::Reassured, Act::Reset), &evidence, 0))),
    ]
}

fn forms(f: &Frame) -> Vec<(&'static str, Markup)> {
    let wrong = [("reason", HOSTILE), ("ticket", "#1234"), ("urgent", "on")];
    let open = |form| OpenCaseView { form, person: mara() };
    let evidence =
        |form| EvidenceView { form, person: mara(), case: CASE, known: known(None), fresh: FRESH, signals: signals() };
    let refuse = |form| RefuseView {
        form,
        person: mara(),
        case: CASE,
        shown: Duration::from_secs(30 * 86_400),
        owner_for: Duration::from_secs(7 * 86_400),
    };
    let unsaid = typed(&[("refusal", "pressure"), ("note", ""), ("version", "2")], &[("note", "Enter a note.")]);
    let vouched = typed(&[("evidence", "manager_ticket")], &[("voucher", "Enter who vouches.")]);
    let short = |form| ShortView { form, person: mara(), case: CASE };
    let moved = [("note", HOSTILE), ("message", "a message"), ("ticket", "#1234"), ("voucher", "Jonas Berg")];
    let refused = one(CaseState::Refused);
    let moved_on = |form| MovedOnView { form, person: mara(), case: &refused };
    let more = [("evidence_note", "same face"), ("reason", HOSTILE)];
    vec![
        ("case-open", errands::open_case(f, &open(form()))),
        ("case-open-wrong", errands::open_case(f, &open(step_up(typed(&wrong, &[("reason", "Enter a reason.")]))))),
        ("case-evidence", errands::evidence(f, &evidence(form()))),
        ("case-evidence-wrong", errands::evidence(f, &evidence(vouched))),
        ("case-refuse", errands::refuse(f, &refuse(form()))),
        ("case-refuse-wrong", errands::refuse(f, &refuse(unsaid))),
        ("case-escalate", errands::short(f, Short::Escalate, &short(typed(&[("message", HOSTILE)], &[])))),
        ("case-close", errands::short(f, Short::Close, &short(step_up(form())))),
        ("case-urgent", errands::short(f, Short::Urgency, &short(typed(&[("urgent", "on")], &[])))),
        ("case-not-urgent", errands::short(f, Short::Urgency, &short(form()))),
        ("case-moved-on", errands::moved_on(f, &moved_on(typed(&moved, &[])))),
        ("case-moved-on-grant", errands::moved_on(f, &moved_on(typed(&more, &[])))),
    ]
}

/// A form about somebody to whom help was refused lately, or not approved.
fn refused_before(state: CaseState) -> Markup {
    let refused = one(state);
    let f = Frame { refused: Some(&refused), ..viewer(Role::Admin) };
    errands::open_case(&f, &OpenCaseView { form: form(), person: mara() })
}

//! Samples of what is said where something has to be permitted: on the forms, on the case, where it is decided.

use std::time::Duration;

use maud::Markup;

use super::grants::{self, ResetView, Subject};
use super::permission::{Other, Permission, Standing};
use super::recovery::decision::{self, DecideView, WhatView};
use super::recovery::requests::{May, RequestView};
use super::recovery::withdrawal::{self, WithdrawView};
use super::samples::{CASE, HOSTILE, at, form, step_up, typed, viewer};
use super::samples_acts::{known, mara, maryam, signals};
use super::{samples_case, samples_portraits};
use crate::audit::Ticket;
use crate::contacts::KnownNumber;
use crate::grants::{Grant, Half, Why};
use crate::ids::RequestId;
use crate::recovery::{Doer, Evidence, EvidenceKind, Needs, Recorded, RequestState};
use crate::time::Timestamp;
use crate::users::Role;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Every such page by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let mut pages = form_pages();
    pages.extend(case_pages());
    pages.extend(decide_pages());
    pages
}

fn form_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let page = |standing, other| {
        let view = ResetView {
            form: form(),
            person: maryam(),
            case: Some(CASE),
            factors: 2,
            switched_off: 0,
            codes_left: 4,
            sessions: 3,
            known: known(None),
            signals: signals(),
            permission: Permission { standing, other },
            window: HOUR,
            asks_for_pass: true,
        };
        grants::reset(&f, &view)
    };
    let asks = |needs, why, given| page(Standing::Asks { needs, why, given, wait: HOUR }, None);
    let given = |half| Some((half, at("2026-11-22T10:12:00Z")));
    let asked_at = at("2026-11-24T10:12:00Z");
    let other = Other { who: HOSTILE.to_owned(), grant: Grant::SetTemporaryPassword, asked_at };
    let waits = |ripe_at| page(Standing::Waits { case: CASE, asked_at, ripe_at }, None);
    let until = at("2026-11-25T10:30:00Z");
    vec![
        ("reset-asks-signs", asks(Needs::Owner, Why::Signs(2), None)),
        ("reset-asks-peer", asks(Needs::Owner, Why::Peer, None)),
        ("reset-asks-password-given", asks(Needs::Admin, Why::SameHands, given(Half::Password))),
        ("reset-asks-address-given", asks(Needs::Admin, Why::SameHands, given(Half::Address))),
        ("reset-asks-no-pass", asks(Needs::Admin, Why::SameHands, None)),
        ("reset-asks-factor-given", asks(Needs::Admin, Why::SameHands, given(Half::Factor))),
        ("reset-asks-policy", asks(Needs::Admin, Why::Policy, None)),
        ("reset-asks-time", asks(Needs::Time, Why::Policy, None)),
        ("reset-waits", waits(None)),
        ("reset-waits-time", waits(Some(at("2026-11-24T11:12:00Z")))),
        ("reset-approved", page(Standing::Permitted { by: Some(HOSTILE.to_owned()), until }, None)),
        ("reset-ripe", page(Standing::Permitted { by: None, until }, None)),
        ("reset-other-asked", page(Standing::Free, Some(other))),
    ]
}

fn request(person: Subject<'static>) -> RequestView<'static> {
    RequestView {
        id: RequestId::generate(),
        case: CASE,
        person,
        grant: Grant::ResetFactors,
        argument: "",
        needs: Needs::Owner,
        asked_by: "Tom Okafor",
        asked_at: at("2026-11-24T10:12:00Z"),
        reason: HOSTILE,
        ticket: "#1234",
        state: RequestState::Waiting,
        valid_until: at("2026-11-25T10:12:00Z"),
        ripe_at: None,
        decided: None,
        note: "",
        changed: false,
        approvers: vec!["Ada Brandt".to_owned(), HOSTILE.to_owned(), "Noor Haddad".to_owned()],
        may: May::Look,
        own: false,
    }
}

fn approved() -> RequestView<'static> {
    RequestView {
        state: RequestState::Approved,
        decided: Some(("Ada Brandt", at("2026-11-24T10:30:00Z"))),
        note: "I know her voice, and called her myself.",
        ..request(mara())
    }
}

/// Asked for where nobody could approve; time permits it at this moment.
fn by_time(ripe_at: &str) -> RequestView<'static> {
    RequestView { needs: Needs::Time, ripe_at: Some(at(ripe_at)), approvers: Vec::new(), ..request(mara()) }
}

fn case_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let page = |request| samples_case::waiting(&f, request);
    let one = vec!["Ada Brandt".to_owned()];
    let address = "/admin/users/1/mfa/reset".to_owned();
    vec![
        ("case-to-decide", page(RequestView { may: May::Decide, ..request(maryam()) })),
        ("case-waits-admin", page(RequestView { needs: Needs::Admin, approvers: one, ticket: "", ..request(mara()) })),
        ("case-waits-nobody", page(RequestView { needs: Needs::Admin, approvers: Vec::new(), ..request(mara()) })),
        ("case-waits-time", page(by_time("2026-11-24T11:12:00Z"))),
        ("case-ripe", page(RequestView { may: May::CarryOut(address.clone()), ..by_time("2026-11-24T10:40:00Z") })),
        ("case-approved", page(RequestView { may: May::CarryOut(address.clone()), own: true, ..approved() })),
        ("case-changed", page(RequestView { changed: true, may: May::AskAgain(address), ..approved() })),
    ]
}

fn recorded() -> Recorded {
    let ticket = Ticket::optional("HR-77").ok().flatten();
    let ago = at("2026-11-24T10:02:00Z");
    let evidence = Evidence::parse("manager_ticket", HOSTILE, "Jonas Berg, HR", ticket.as_ref(), ago);
    Recorded {
        id: 1,
        evidence: evidence.unwrap_or_else(|_| Evidence::host(ago)),
        ticket: Some("HR-77".to_owned()),
        by: Doer { id: None, name: HOSTILE.to_owned() },
    }
}

fn called() -> Recorded {
    let (known_since, requested_at) = (at("2025-02-03T09:12:00Z"), at("2026-11-24T10:02:00Z"));
    let phone = "+46705550142".parse().ok();
    let called = phone.map(|phone| KnownNumber { phone, known_since, requested_at });
    let evidence = Evidence::recorded(EvidenceKind::KnownNumber, String::new(), None, called, requested_at);
    Recorded { id: 1, evidence, ticket: None, by: Doer { id: None, name: "Tom Okafor".to_owned() } }
}

fn seen() -> Recorded {
    let evidence = Evidence::recorded(EvidenceKind::VideoCall, String::new(), None, None, at("2026-11-24T10:02:00Z"));
    Recorded { evidence, ..called() }
}

fn what() -> WhatView {
    WhatView {
        factors: 2,
        codes_left: 4,
        sessions: 1,
        pass: true,
        codes: 3,
        valid: HOUR,
        approval: DAY,
        denial: Some((30 * DAY, 7 * DAY)),
    }
}

fn deciding(request: RequestView<'static>) -> DecideView<'static> {
    let mut then = signals();
    "none".clone_into(&mut then[1].text);
    DecideView {
        form: Some(form()),
        deny: false,
        request,
        role: Role::Admin,
        evidence: recorded(),
        portrait: None,
        signs: signals().into_iter().zip(then).collect(),
        what: what(),
        rule: None,
        typed: "",
    }
}

fn decide_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Owner);
    let of = |grant| DecideView { evidence: called(), ..deciding(RequestView { grant, ..request(mara()) }) };
    let ended = |state, valid_until: &str| {
        let decided = Some(("Ada Brandt", at("2026-11-24T10:30:00Z")));
        let valid_until: Timestamp = at(valid_until);
        let view = deciding(RequestView { state, decided, valid_until, ..request(mara()) });
        DecideView { form: None, typed: HOSTILE, ..view }
    };
    let over = |state| ended(state, "2026-11-25T10:12:00Z");
    let email = RequestView { grant: Grant::ChangeEmail, argument: "new@fernhill.example", ..request(mara()) };
    let without_pass = WhatView { pass: false, codes_left: 0, sessions: 0, valid: DAY, ..what() };
    let wrong = step_up(typed(&[("note", HOSTILE)], &[("note", "Enter a reason.")]));
    let by_face = |portrait| DecideView { evidence: seen(), portrait, ..deciding(request(mara())) };
    let changed = RequestView { changed: true, ..request(mara()) };
    let rule = Some("Somebody else approves what you ask for. Tell another admin or an owner.");
    let withdrawn = |form, request| withdrawal::withdraw(&f, &WithdrawView { form, request });
    vec![
        ("withdraw", withdrawn(form(), RequestView { own: true, ..request(maryam()) })),
        (
            "withdraw-approved",
            withdrawn(
                step_up(typed(&[], &[("step_up_code", "This code is not right.")])),
                RequestView { own: true, ..approved() },
            ),
        ),
        ("approve", decision::decide(&f, &deciding(request(maryam())))),
        (
            "approve-wrong",
            decision::decide(
                &f,
                &DecideView { form: Some(wrong.clone()), ..deciding(by_time("2026-11-24T11:12:00Z")) },
            ),
        ),
        ("approve-no-pass", decision::decide(&f, &DecideView { what: without_pass, ..deciding(request(mara())) })),
        ("approve-face", decision::decide(&f, &by_face(Some(samples_portraits::new())))),
        ("approve-face-unknown", decision::decide(&f, &by_face(None))),
        ("approve-codes", decision::decide(&f, &of(Grant::IssueBackupCodes))),
        ("approve-password", decision::decide(&f, &of(Grant::SetTemporaryPassword))),
        ("approve-invitation", decision::decide(&f, &of(Grant::InviteAgain))),
        ("approve-email", decision::decide(&f, &deciding(email))),
        ("approve-readmission", decision::decide(&f, &of(Grant::Readmit))),
        ("deny", decision::decide(&f, &DecideView { deny: true, form: Some(wrong), ..deciding(request(mara())) })),
        ("approve-approved", decision::decide(&f, &over(RequestState::Approved))),
        ("approve-denied", decision::decide(&f, &over(RequestState::Denied))),
        ("approve-used", decision::decide(&f, &over(RequestState::Used))),
        ("approve-lapsed", decision::decide(&f, &ended(RequestState::Waiting, "2026-11-24T10:30:00Z"))),
        ("approve-changed", decision::decide(&f, &DecideView { form: None, ..deciding(changed) })),
        ("approve-own", decision::decide(&f, &DecideView { form: None, rule, ..deciding(request(mara())) })),
    ]
}

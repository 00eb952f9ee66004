//! How a case moves: opened, verified, acted in, closed. Every errand that changes one goes through [`advance`].
//!
//! Architecture invariant: a state is written only as [`next`] gives it, in the transaction in which the case was read.

use super::authorise::Admin;
use super::{Error, Result};
use crate::audit::proof::Methods;
use crate::audit::{Actor, CaseFact, Event, Reason, Record, Source, Ticket};
use crate::ids::CaseNumber;
use crate::policy::{Key, Policy};
use crate::recovery::{Act, Case, CaseEvent, CaseState, Doer, Done, Evidence, RequestState, next};
use crate::signals::Signals;
use crate::storage::recovery::{self, evidence, requests};
use crate::storage::{WriteTx, policy};
use crate::time::Timestamp;
use crate::users::User;

/// The entry of a step in a case.
pub(super) fn entry(actor: Actor, source: &Source, user: &User, case: CaseNumber, fact: CaseFact) -> Record {
    Record::new(actor, source, Event::Case { user: user.into(), case, fact })
}

/// Opens a case for somebody who has none open.
pub(super) fn open(
    tx: &WriteTx<'_>,
    user: &User,
    by: Doer,
    (reason, ticket): (&Reason, Option<&Ticket>),
    urgent: bool,
    policy: &Policy,
) -> Result<(Case, CaseFact)> {
    let case = Case {
        number: recovery::get_next_number(tx)?,
        user_id: user.id,
        user_name: user.name.to_string(),
        opened_by: by,
        opened_at: tx.now(),
        state: CaseState::Opened,
        state_at: tx.now(),
        version: 1,
        urgent,
        for_owner: false,
        reason: reason.as_str().to_owned(),
        ticket: ticket.map(|t| t.as_str().to_owned()),
        act: None,
        codes_left: 0,
        factors_removed: 0,
        sessions_ended: 0,
        due_at: Some(tx.now().plus(policy.lasting(Key::CaseIdle))),
        closed_at: None,
        closed_by: None,
        note: String::new(),
        refusal: None,
        signals: Signals::default(),
        follow_up: None,
    };
    recovery::insert(tx, &case)?;
    let fact = CaseFact::Opened { reason: reason.clone(), ticket: ticket.cloned(), urgent };
    Ok((case, fact))
}

/// Moves a case on, with what else `change` says of it.
///
/// # Errors
/// [`Error::CaseMovedOn`] if the event can not happen in its state; storage.
pub(super) fn advance(
    tx: &WriteTx<'_>,
    case: &mut Case,
    event: CaseEvent,
    policy: &Policy,
    change: impl FnOnce(&mut Case),
) -> Result<()> {
    let (to, before) = (next(case.state, event).map_err(|_| Error::CaseMovedOn)?, case.version);
    let now = tx.now();
    if to != case.state {
        case.state_at = now;
    }
    // More evidence changes nothing that somebody has approved.
    if to != case.state || matches!(event, CaseEvent::Acted(_)) {
        case.version += 1;
    }
    case.state = to;
    match to {
        CaseState::Acted | CaseState::AwaitingEnrolment => {}
        CaseState::Disavowed => (case.due_at, case.closed_at, case.closed_by) = (None, None, None),
        closed if closed.is_closed() => (case.due_at, case.closed_at) = (None, case.closed_at.or(Some(now))),
        _ => {
            // What was given before it was handed on works as long as it did: its case does not end before.
            let given_until = case.due_at.filter(|_| case.act.is_some());
            case.due_at = given_until.max(Some(now.plus(policy.lasting(Key::CaseIdle))));
        }
    }
    change(case);
    recovery::update(tx, case, before)?;
    Ok(())
}

/// A case does not expire before what was asked for in it can be decided, or carried out.
pub(super) fn keep_until(case: &mut Case, until: Timestamp) {
    if matches!(case.state, CaseState::AwaitingApproval | CaseState::Approved) {
        case.due_at = case.due_at.max(Some(until));
    }
}

/// Puts a piece of evidence on record; says its row.
pub(super) fn verify(
    tx: &WriteTx<'_>,
    case: &mut Case,
    (evidence, ticket): (&Evidence, Option<&Ticket>),
    by: &Doer,
    policy: &Policy,
) -> Result<(i64, CaseFact)> {
    let row = evidence::insert(tx, case.number, evidence, ticket.map(Ticket::as_str), by)?;
    advance(tx, case, CaseEvent::Verified, policy, |_| ())?;
    Ok((row, CaseFact::Verified { evidence: evidence.clone(), ticket: ticket.cloned() }))
}

/// What a case notes of an act.
pub(super) struct Given {
    /// What was done.
    pub act: Act,
    /// By whom.
    pub by: Doer,
    /// Until when it works: the case expires then.
    pub until: Timestamp,
    /// The signs at that moment.
    pub signals: Signals,
}

/// Notes in a case what the person was given.
pub(super) fn acted(
    tx: &WriteTx<'_>,
    case: &mut Case,
    given: Given,
    policy: &Policy,
    change: impl FnOnce(&mut Case),
) -> Result<()> {
    let act = given.act.after(case.act.as_ref().map(|a| a.act));
    let now = tx.now();
    advance(tx, case, CaseEvent::Acted(given.act), policy, |case| {
        // A reset ends what was given before. Else the case goes on as long as anything that was given works; but a
        // password beside a window that is open opens nothing once that has closed.
        let before = case.due_at.filter(|_| case.act.is_some() && given.act != Act::Reset);
        if case.state == CaseState::Acted || matches!(given.act, Act::Reset | Act::Codes | Act::Invitation) {
            case.due_at = before.max(Some(given.until));
        }
        case.act = Some(Done { act, by: given.by, at: now });
        case.signals = given.signals;
        change(case);
    })
}

/// Whether the case has come further than who asks could see at `since`, when their form was opened: somebody else gave the
/// person something, or decided against it.
pub(super) fn moved_on(
    tx: &WriteTx<'_>,
    user: &User,
    open: Option<&Case>,
    (admin, since): (&Admin, Option<Timestamp>),
) -> Result<bool> {
    let Some(since) = since else { return Ok(false) };
    let by_another = |done: &Done| done.at > since && done.by.id != admin.id();
    if let Some(case) = open {
        return Ok(case.act.as_ref().is_some_and(by_another));
    }
    let newest = recovery::list_of(tx, user.id, 1)?.pop();
    Ok(newest.is_some_and(|case| {
        let decided = matches!(case.state, CaseState::Refused | CaseState::ApprovalDenied | CaseState::Incident);
        decided && case.closed_at.is_some_and(|at| at > since)
    }))
}

/// Ends the request of a case that waits or may be used, if there is one: its entry.
pub(super) fn lapse(
    tx: &WriteTx<'_>,
    case: &mut Case,
    user: &User,
    (actor, why): (Actor, &'static str),
    source: &Source,
    policy: &Policy,
) -> Result<Option<Record>> {
    let Some(request) = requests::find_live(tx, case.number)? else { return Ok(None) };
    requests::update_state(tx, request.id, RequestState::Lapsed)?;
    if next(case.state, CaseEvent::Lapsed).is_ok() {
        advance(tx, case, CaseEvent::Lapsed, policy, |_| ())?;
    }
    let fact = CaseFact::Lapsed { grant: request.grant, why };
    Ok(Some(entry(actor, source, user, case.number, fact)))
}

/// Closes the person's open case, if there is one: what it waits for can not come any more. An account that is frozen
/// goes on waiting for somebody to look.
pub(super) fn expire(
    tx: &WriteTx<'_>,
    user: &User,
    actor: Actor,
    why: &'static str,
    source: &Source,
) -> Result<Vec<Record>> {
    let Some(mut case) = recovery::find_open(tx, user.id)? else { return Ok(Vec::new()) };
    if next(case.state, CaseEvent::Expired).is_err() {
        return Ok(Vec::new());
    }
    let policy = policy::get(tx, tx.now())?;
    let mut records: Vec<Record> =
        lapse(tx, &mut case, user, (actor.clone(), why), source, &policy)?.into_iter().collect();
    advance(tx, &mut case, CaseEvent::Expired, &policy, |case| why.clone_into(&mut case.note))?;
    records.push(entry(actor, source, user, case.number, CaseFact::Expired { why }));
    Ok(records)
}

/// What the person's return means for their case: one who enrolled, used a backup code or chose a password of their own is
/// back, or half way.
pub(super) fn returned(tx: &WriteTx<'_>, user: &User, events: &[CaseEvent], source: &Source) -> Result<Vec<Record>> {
    let Some(mut case) = recovery::find_open(tx, user.id)? else { return Ok(Vec::new()) };
    let Some(event) = events.iter().copied().find(|e| next(case.state, *e).is_ok()) else { return Ok(Vec::new()) };
    let policy = policy::get(tx, tx.now())?;
    let mut records = Vec::new();
    if next(case.state, event) == Ok(CaseState::Recovered) {
        let why = (Actor::System, "the person is back");
        records.extend(lapse(tx, &mut case, user, why, source, &policy)?);
    }
    let (now, by) = (tx.now(), Doer { id: Some(user.id), name: user.name.to_string() });
    advance(tx, &mut case, event, &policy, |case| {
        if event == CaseEvent::CodeUsed && case.act.is_none() {
            case.act = Some(Done { act: Act::WalkedThrough, by, at: now });
        }
    })?;
    if case.state == CaseState::Recovered {
        let fact = CaseFact::Completed { act: case.act.as_ref().map(|a| a.act) };
        records.push(entry(Actor::Person(user.into()), source, user, case.number, fact));
    }
    Ok(records)
}

/// The person's open case, if this is what it waits for, or part of that.
pub(super) fn find_awaiting(tx: &WriteTx<'_>, user: &User, event: CaseEvent) -> Result<Option<CaseNumber>> {
    let open = recovery::find_open(tx, user.id)?.filter(|case| next(case.state, event).is_ok());
    Ok(open.map(|case| case.number))
}

/// An invitation was accepted that was given in a case: the case waits for as long as the person can go on with it.
pub(super) fn accepted(tx: &WriteTx<'_>, user: &User, until: Timestamp) -> Result<Option<CaseNumber>> {
    let Some(mut case) = recovery::find_open(tx, user.id)?.filter(|case| case.state == CaseState::AwaitingEnrolment)
    else {
        return Ok(None);
    };
    let policy = policy::get(tx, tx.now())?;
    advance(tx, &mut case, CaseEvent::PasswordChosen, &policy, |case| case.due_at = case.due_at.max(Some(until)))?;
    Ok(Some(case.number))
}

/// What a completed sign-in means for the person's case.
pub(super) fn signed_in(
    tx: &WriteTx<'_>,
    user: &User,
    methods: Methods,
    chose_password: bool,
    source: &Source,
) -> Result<Vec<Record>> {
    let chosen = chose_password.then_some(CaseEvent::PasswordChosen);
    let used = (methods == Methods::PasswordAndBackupCode).then_some(CaseEvent::CodeUsed);
    let act = recovery::find_open(tx, user.id)?.and_then(|case| case.act).map(|done| done.act);
    // Every earlier session ended with the change, so that whoever signs in has the new address.
    let with_address = (act == Some(Act::Email)).then_some(CaseEvent::SignedIn);
    let events: Vec<_> = chosen.into_iter().chain(used).chain(with_address).collect();
    if events.is_empty() { Ok(Vec::new()) } else { returned(tx, user, &events, source) }
}

//! Lifting an objection that was a mistake: the account is again what it was. It lets somebody in, so it rests on fresh
//! evidence, and it is done by somebody who has no hand in what was objected to.

use super::authorise::Admin;
use super::cases::{self, entry};
use super::contacts::look_up_number;
use super::grants::{Ask, Granted, circumstances};
use super::sign_in::many;
use super::{Error, Means, Result};
use crate::audit::{Action, CaseFact, Event, Reason, Record, Source, Ticket};
use crate::grants::{Asker, Circumstances, Grant, Question, Rule, decide};
use crate::ids::{CaseNumber, UserId};
use crate::policy::{Key, Policy};
use crate::recovery::{Case, CaseEvent, CaseState, Evidence, Held, Statement};
use crate::storage::recovery::{evidence, freezes, requests};
use crate::storage::{Audited, ReadTx, WriteTx, notices, policy, recovery, signals, users};
use crate::time::Timestamp;
use crate::users::{Status, User};

/// What somebody can have given to a person, or changed of how they are reached.
const GIVEN: [Action; 7] = [
    Action::MfaFactorAdminReset,
    Action::MfaBackupCodesIssuedByAdmin,
    Action::UserPasswordSetByAdmin,
    Action::UserEmailChanged,
    Action::UserContactChanged,
    Action::UserPortraitChanged,
    Action::UserEnabled,
];

/// Whether `by` has a hand in what was objected to in this case: said who it was, asked for it, did it last, or has given the
/// person anything since, or within the days before it in which two halves from one hand are remembered: what was given then
/// may be what somebody else came in with.
///
/// # Errors
/// Storage.
pub fn has_hand(tx: &ReadTx<'_>, case: &Case, by: UserId, policy: &Policy) -> Result<bool> {
    if by == case.user_id {
        return Ok(false);
    }
    let acted = case.act.as_ref().is_some_and(|done| done.by.id == Some(by));
    let verified = || Ok::<_, Error>(evidence::list(tx, case.number)?.iter().any(|e| e.by.id == Some(by)));
    if acted || verified()? || requests::list(tx, case.number)?.iter().any(|r| r.asked_by.id == Some(by)) {
        return Ok(true);
    }
    let since = freezes::get_suspect_since(tx, case)?.minus(policy.lasting(Key::SameHands));
    for action in GIVEN {
        if signals::find_given(tx, case.user_id, by, action, since)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Which rule would keep `viewer` from lifting the objection in this case, if any: before anything is filled in.
///
/// # Errors
/// Storage.
pub fn refusal(tx: &ReadTx<'_>, viewer: &User, (user, case): (&User, &Case), now: Timestamp) -> Result<Option<Rule>> {
    let evidence = Evidence::host(now);
    Ok(verdict(tx, Asker::Person(viewer), (user, case), Some(&evidence), now)?.err())
}

fn verdict(
    tx: &ReadTx<'_>,
    asker: Asker<'_>,
    (user, case): (&User, &Case),
    evidence: Option<&Evidence>,
    now: Timestamp,
) -> Result<std::result::Result<(), Rule>> {
    let frozen = is_frozen(tx, user.id)?;
    let (policy, grant) = (policy::get(tx, now)?, Grant::Reassure { frozen });
    let circumstances = Circumstances {
        strong_signs: signals::get(tx, user.id, Some(case.number), &policy, now)?.strong(),
        has_hand: match asker {
            // Where somebody has left, nothing is let in by it: whoever is there closes the case.
            Asker::Person(person) if user.status != Status::Left => has_hand(tx, case, person.id, &policy)?,
            Asker::Person(_) | Asker::Host => false,
        },
        ..circumstances(tx, grant, asker, user, Some(case), &policy, now)?
    };
    let other_owners = users::count_owners(tx, Some(user.id))?;
    let question = Question { grant, asker, target: Some(user), evidence, other_owners, circumstances, now };
    if let Err(rule) = decide(&question) {
        return Ok(Err(rule));
    }
    if case.state != CaseState::Disavowed {
        return Ok(Err(Rule::NotNow));
    }
    // What was known before somebody objected, be it for a second time, is what they objected to.
    let objected = notices::find_objected(tx, user.id, case.state_at)?.and_then(|notice| notice.objected_at);
    let said_at = objected.map_or(case.state_at, |at| at.max(case.state_at));
    let stale = frozen && evidence.is_some_and(|e| e.recorded_at() < said_at);
    Ok(if stale { Err(Rule::EvidenceStale) } else { Ok(()) })
}

/// Whether the account is closed by an objection alone.
///
/// # Errors
/// Storage.
pub fn is_frozen(tx: &ReadTx<'_>, user: UserId) -> Result<bool> {
    Ok(freezes::find_hold(tx, user)?.is_some_and(|hold| hold.held == Held::Objection { frozen: true }))
}

/// Lifts the objection in `case`, which was a mistake. An account that it froze is in use again, with what it had.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn reassure(means: &Means, ask: Ask, case: CaseNumber, statement: Statement) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let (admin, user) = ask.read(tx)?;
        let case = recovery::find(tx, case)?.filter(|c| c.user_id == user.id).ok_or(Error::NotFound)?;
        let Statement { evidence, reason, ticket } = look_up_number(tx, user.id, statement)?;
        if let Err(rule) = verdict(tx, admin.asker(), (&user, &case), evidence.as_ref(), tx.now())? {
            let event = Event::Refused {
                action: Action::RecoveryReassured,
                user: Some((&user).into()),
                case: Some(case.number),
                rule: rule.as_str(),
                reason: Some(reason),
                ticket,
                evidence,
            };
            return Ok(Audited::new(Granted::No(rule), Record::new(admin.actor(), &ask.source, event)));
        }
        let mut records = Vec::new();
        if let Some(evidence) = evidence {
            evidence::insert(tx, case.number, &evidence, ticket.as_ref().map(Ticket::as_str), &admin.doer())?;
            let fact = CaseFact::Verified { evidence, ticket };
            records.push(entry(admin.actor(), &ask.source, &user, case.number, fact));
        }
        let (number, frozen) = (case.number, is_frozen(tx, user.id)?);
        records.push(lift(tx, (&admin, &user), case, &reason, &ask.source)?);
        // Whoever was disabled before, or has left, stays so.
        if frozen {
            freezes::delete_freeze(tx, user.id)?;
            if user.status == Status::Disabled {
                records.push(enabled(tx, (&admin, &user), reason, Some(number), &ask.source)?);
            }
        }
        let said = format!("The objection about the account of {} was lifted.", user.name);
        ask.done(tx, &said, &format!("/admin/recovery/{number}"))?;
        Ok(many(Granted::Yes(()), records))
    })
}

fn lift(
    tx: &WriteTx<'_>,
    (admin, user): (&Admin, &User),
    mut case: Case,
    reason: &Reason,
    source: &Source,
) -> Result<Record> {
    let policy = policy::get(tx, tx.now())?;
    cases::advance(tx, &mut case, CaseEvent::Reassured, &policy, |case| {
        case.closed_by = Some(admin.name());
        reason.as_str().clone_into(&mut case.note);
    })?;
    Ok(entry(admin.actor(), source, user, case.number, CaseFact::Reassured { reason: reason.clone() }))
}

/// Lets a disabled person sign in again; its entry. Someone who never had a password is invited again instead.
pub(super) fn enabled(
    tx: &WriteTx<'_>,
    (admin, user): (&Admin, &User),
    reason: Reason,
    case: Option<CaseNumber>,
    source: &Source,
) -> Result<Record> {
    let status = if user.has_password { Status::Active } else { Status::Invited };
    users::update_status(tx, user.id, status)?;
    Ok(Record::new(admin.actor(), source, Event::UserEnabled { user: user.into(), reason, case }))
}

/// What a command on the host decides by the way, so that nothing deadlocks: an objection that nobody may decide on is
/// lifted, and an account that was closed because of an attack is let go of. In which case, and the entries; nothing where
/// nothing held the account.
pub(super) fn let_go(
    tx: &WriteTx<'_>,
    (admin, user): (&Admin, &User),
    reason: &Reason,
    source: &Source,
) -> Result<(Option<CaseNumber>, Vec<Record>)> {
    let Some(hold) = freezes::find_hold(tx, user.id)? else { return Ok((None, Vec::new())) };
    let case = recovery::find(tx, hold.case)?.ok_or(Error::NotFound)?;
    let mut records = Vec::new();
    if let Held::Objection { .. } = hold.held {
        records.push(lift(tx, (admin, user), case, reason, source)?);
    }
    freezes::delete_freeze(tx, user.id)?;
    Ok((Some(hold.case), records))
}

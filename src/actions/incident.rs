//! It was an attack: everything that it gave ends in one transaction, and the account is closed until the person comes back
//! through a new case.
//!
//! It only takes away, so it rests on a reason and on rank, and whoever acted in the case may do it too.

use super::authorise::Admin;
use super::cases::{self, entry};
use super::grants::{Ask, Granted};
use super::object::{delete_factors_since, is_last_owner};
use super::recover::shut_out;
use super::sign_in::many;
use super::{Error, Means, Result};
use crate::audit::{CaseFact, Event, Reason, Record, Source};
use crate::grants::{Grant, Rule};
use crate::ids::CaseNumber;
use crate::recovery::{Case, CaseEvent, next};
use crate::storage::recovery::freezes;
use crate::storage::{Audited, WriteTx, backup_codes, policy, recovery, users};
use crate::time::Timestamp;
use crate::users::{Status, User};

/// Declares an incident, in `case` or else in the person's open case or a new one. Ended are sessions, sign-ins under way,
/// remembered devices, links and windows; void are every backup code and the password; removed are the factors that were
/// added at `since` or later. The last active owner's account stays in use, with a password that has to be changed.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn declare(
    means: &Means,
    ask: Ask,
    case: Option<CaseNumber>,
    since: Timestamp,
    reason: Reason,
) -> Result<Granted<CaseNumber>> {
    means.store.change(move |tx| {
        let grant = Grant::DeclareIncident;
        let d = ask.decide(tx, grant)?;
        let named = case.map(|number| recovery::find(tx, number)).transpose()?.flatten();
        let named = named.filter(|case| case.user_id == d.user.id);
        if case.is_some() && named.is_none() {
            return Err(Error::NotFound);
        }
        let moved_on = named.as_ref().is_some_and(|c| next(c.state, CaseEvent::Incident).is_err());
        if let Err(rule) = d.rule.and(if moved_on { Err(Rule::NotNow) } else { Ok(()) }) {
            let event = Event::Refused {
                action: grant.action(),
                user: Some((&d.user).into()),
                case: named.map(|c| c.number),
                rule: rule.as_str(),
                reason: Some(reason),
                ticket: None,
                evidence: None,
            };
            return Ok(Audited::new(Granted::No(rule), Record::new(d.admin.actor(), &ask.source, event)));
        }
        let (case, mut records) = case_of(tx, named, (&d.admin, &d.user), &reason, &ask.source)?;
        let number = case.number;
        records.extend(close(tx, (&d.admin, &d.user), case, since, &reason, &ask.source)?);
        let said = format!("An incident was declared on the account of {}.", d.user.name);
        ask.done(tx, &said, &format!("/admin/recovery/{number}/report"))?;
        Ok(many(Granted::Yes(number), records))
    })
}

fn case_of(
    tx: &WriteTx<'_>,
    named: Option<Case>,
    (admin, user): (&Admin, &User),
    reason: &Reason,
    source: &Source,
) -> Result<(Case, Vec<Record>)> {
    if let Some(case) = named.map_or_else(|| recovery::find_open(tx, user.id), |c| Ok(Some(c)))? {
        return Ok((case, Vec::new()));
    }
    let policy = policy::get(tx, tx.now())?;
    let (case, fact) = cases::open(tx, user, admin.doer(), (reason, None), false, &policy)?;
    let opened = entry(admin.actor(), source, user, case.number, fact);
    Ok((case, vec![opened]))
}

/// The incident itself, with its entries; the rule has said yes.
fn close(
    tx: &WriteTx<'_>,
    (admin, user): (&Admin, &User),
    mut case: Case,
    since: Timestamp,
    reason: &Reason,
    source: &Source,
) -> Result<Vec<Record>> {
    let policy = policy::get(tx, tx.now())?;
    let why = (admin.actor(), "an incident was declared");
    let mut records: Vec<Record> = cases::lapse(tx, &mut case, user, why, source, &policy)?.into_iter().collect();
    let (has_left, last_owner) = (user.status == Status::Left, is_last_owner(tx, user)?);
    let sessions_ended = shut_out(tx, user.id)?;
    let codes_voided = backup_codes::delete_all(tx, user.id)?;
    let factors_removed = delete_factors_since(tx, user.id, since)?;
    let closed = !last_owner && !has_left;
    let fact =
        CaseFact::Incident { reason: reason.clone(), since, closed, sessions_ended, factors_removed, codes_voided };
    records.push(entry(admin.actor(), source, user, case.number, fact));
    advance_all(tx, admin, user, &mut case, reason, (source, &mut records))?;
    let (reason, number) = (reason.clone(), Some(case.number));
    let person = || user.into();
    let mut record = |event| records.push(Record::new(admin.actor(), source, event));
    if last_owner {
        // No command gives a password: without this one nobody could get in any more.
        users::update_must_change(tx, user.id)?;
        let reason = reason.clone();
        record(Event::UserPasswordResetRequired { user: person(), reason, case: number, sessions_ended });
    } else {
        users::update_password_void(tx, user.id)?;
    }
    if closed {
        if user.status != Status::Disabled {
            users::update_status(tx, user.id, Status::Disabled)?;
            let reason = reason.clone();
            record(Event::UserDisabled { user: person(), reason, case: number, sessions_ended });
        }
        freezes::insert_freeze(tx, user.id, case.number)?;
    }
    if factors_removed + codes_voided > 0 {
        record(Event::FactorAdminReset {
            user: person(),
            reason,
            ticket: None,
            case: number,
            since: Some(since),
            factors_removed,
            codes_voided,
            codes_said_unavailable: false,
            sessions_ended,
        });
    }
    Ok(records)
}

/// Closes the case; and with it another one that is open: what that waits for can not come any more.
fn advance_all(
    tx: &WriteTx<'_>,
    admin: &Admin,
    user: &User,
    case: &mut Case,
    reason: &Reason,
    (source, records): (&Source, &mut Vec<Record>),
) -> Result<()> {
    let policy = policy::get(tx, tx.now())?;
    let other = recovery::find_open(tx, user.id)?.filter(|open| open.number != case.number);
    cases::advance(tx, case, CaseEvent::Incident, &policy, |case| {
        case.closed_by = Some(admin.name());
        reason.as_str().clone_into(&mut case.note);
    })?;
    let Some(mut other) = other else { return Ok(()) };
    if next(other.state, CaseEvent::Expired).is_ok() {
        records.extend(cases::expire(tx, user, admin.actor(), "an incident was declared", source)?);
        return Ok(());
    }
    // An objection that nobody had looked at: it was right.
    cases::advance(tx, &mut other, CaseEvent::Incident, &policy, |case| case.closed_by = Some(admin.name()))?;
    let (since, closed) = (case.opened_at, false);
    let reason = reason.clone();
    let fact = CaseFact::Incident { reason, since, closed, sessions_ended: 0, factors_removed: 0, codes_voided: 0 };
    records.push(entry(admin.actor(), source, user, other.number, fact));
    Ok(())
}

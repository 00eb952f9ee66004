//! Ending what lets a person in, for a while or for good; and lifting a delay that keeps them out.
//!
//! Nothing here lets anyone in, so it rests on a reason and on rank alone.

use std::sync::Arc;

use super::authorise::Admin;
use super::cases::expire;
use super::grants::{Ask, Granted};
use super::password_check::account_budget;
use super::recover::{delete_factors, shut_out};
use super::sign_in::many;
use super::{Means, Result, portraits};
use crate::audit::{Event, Reason, Record, Source};
use crate::grants::{Grant, Rule};
use crate::host::keys::SeedKey;
use crate::ids::SessionId;
use crate::sessions::device_name;
use crate::storage::{Audited, ReadTx, WriteTx, backup_codes, devices, factors, sessions, throttle, users};
use crate::throttle::{Budget, State, Verdict, verdict};
use crate::time::Timestamp;
use crate::users::User;

/// Ends one session of someone else, of whatever stage. Their remembered devices stay: a device lets nobody in, it only
/// keeps strangers' failures apart.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value. A session that is over, or someone else's, is
/// [`Rule::NothingToDo`].
pub fn end_session(means: &Means, ask: Ask, session: SessionId, reason: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::EndSessions)?;
        let found = sessions::find_by_id(tx, session)?.filter(|s| s.user_id == d.user.id);
        let session = match (d.rule, found) {
            (Ok(()), Some(session)) => session,
            (rule, _) => {
                let rule = rule.err().unwrap_or(Rule::NothingToDo);
                return Ok(ask.refused(&d, Grant::EndSessions, rule));
            }
        };
        sessions::delete(tx, session.id)?;
        let device = device_name(&session.user_agent);
        let said = format!("The session of {} was ended: {device}.", d.user.name);
        ask.done(tx, &said, &format!("/admin/users/{}/sessions", d.user.id))?;
        let address = session.address;
        let event = Event::UserSessionRevoked { user: (&d.user).into(), reason, device, address };
        Ok(Audited::new(Granted::Yes(()), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

/// Ends every session of someone else and every sign-in under way. Password, factors and remembered devices stay.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn end_sessions(means: &Means, ask: Ask, reason: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::EndSessions)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::EndSessions, rule));
        }
        let sessions_ended = sessions::delete_all(tx, d.user.id, None)?;
        // A password that is being verified at this moment is a sign-in under way too.
        users::update_epoch(tx, d.user.id)?;
        let said = format!("All sessions of {} were ended.", d.user.name);
        ask.done(tx, &said, &format!("/admin/users/{}/sessions", d.user.id))?;
        let event = Event::UserSessionsRevoked { user: (&d.user).into(), reason, sessions_ended };
        Ok(Audited::new(Granted::Yes(()), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

/// Asks for a new password at the next sign-in, after the old one and a second factor. Every session ends: who knows the
/// password may be in one of them, and could put the next sign-in off.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn require_password_change(means: &Means, ask: Ask, reason: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::RequirePasswordChange)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::RequirePasswordChange, rule));
        }
        let sessions_ended = sessions::delete_all(tx, d.user.id, None)?;
        users::update_must_change(tx, d.user.id)?;
        let said = format!("{} has to choose a new password at the next sign-in.", d.user.name);
        ask.done(tx, &said, &format!("/admin/users/{}", d.user.id))?;
        let event = Event::UserPasswordResetRequired { user: (&d.user).into(), reason, case: None, sessions_ended };
        Ok(Audited::new(Granted::Yes(()), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

/// What failures of a person are charged to: wrong passwords of strangers and on their own devices, wrong codes.
fn budgets(tx: &ReadTx<'_>, key: &SeedKey, user: &User, now: Timestamp) -> Result<Vec<Budget>> {
    let mut all = vec![account_budget(key, user.email.as_str().as_bytes()), Budget::BackupCodes(user.id)];
    all.extend(devices::list(tx, user.id, now)?.into_iter().map(|device| Budget::Device(device.id)));
    all.extend(factors::list(tx, user.id)?.into_iter().filter(|f| f.disabled_at.is_none()).map(|f| Budget::Totp(f.id)));
    Ok(all)
}

/// What a person has to wait for now: the budget, its failures, and the time until the next attempt.
///
/// # Errors
/// Storage.
pub fn delays(
    tx: &ReadTx<'_>,
    key: &SeedKey,
    user: &User,
    now: Timestamp,
) -> Result<Vec<(Budget, State, std::time::Duration)>> {
    let mut delays = Vec::new();
    for budget in budgets(tx, key, user, now)? {
        let state = throttle::find(tx, &budget)?;
        if let (Some(state), Verdict::Wait(d) | Verdict::Locked(d)) = (state, verdict(budget.kind(), state, now)) {
            delays.push((budget, state, d));
        }
    }
    Ok(delays)
}

/// Lifts the delays that failures have brought upon a person. What counts towards switching an authenticator app off
/// goes on counting, and one that was switched off stays so: that is a reset's to mend.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value. Without a delay it is [`Rule::NothingToDo`].
pub fn unlock(means: &Means, ask: Ask, reason: Reason) -> Result<Granted<()>> {
    let key = Arc::clone(&means.key);
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::Unlock)?;
        let delays = delays(tx, &key, &d.user, tx.now())?;
        if let Err(rule) = d.rule.and(if delays.is_empty() { Err(Rule::NothingToDo) } else { Ok(()) }) {
            return Ok(ask.refused(&d, Grant::Unlock, rule));
        }
        for (budget, ..) in &delays {
            match budget {
                Budget::Totp(_) => throttle::update_delay_over(tx, budget)?,
                Budget::Account(_) | Budget::Device(_) | Budget::BackupCodes(_) => throttle::delete(tx, budget)?,
            }
        }
        let delays_lifted = u32::try_from(delays.len()).unwrap_or(u32::MAX);
        let said = format!("The delays on the account of {} were lifted.", d.user.name);
        ask.done(tx, &said, &format!("/admin/users/{}", d.user.id))?;
        let event = Event::UserUnlocked { user: (&d.user).into(), reason, delays_lifted };
        Ok(Audited::new(Granted::Yes(()), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

/// Marks someone as gone for good. All that let them in ends and nothing lets them in again; name, address and history
/// are kept.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn leave(means: &Means, ask: Ask, reason: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::Leave)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::Leave, rule));
        }
        let records = left(tx, &d.admin, &d.user, &reason, &ask.source)?;
        let said = format!("{} is marked as left.", d.user.name);
        ask.done(tx, &said, &format!("/admin/users/{}", d.user.id))?;
        Ok(many(Granted::Yes(()), records))
    })
}

fn left(tx: &WriteTx<'_>, admin: &Admin, user: &User, reason: &Reason, source: &Source) -> Result<Vec<Record>> {
    let expired = expire(tx, user, admin.actor(), "the person left", source)?;
    let sessions_ended = shut_out(tx, user.id)?;
    let codes_voided = backup_codes::delete_all(tx, user.id)?;
    let factors_removed = delete_factors(tx, user.id)?;
    users::update_left(tx, user.id)?;
    let event = Event::UserLeft { user: user.into(), reason: reason.clone(), sessions_ended };
    let mut records = vec![Record::new(admin.actor(), source, event)];
    if factors_removed + codes_voided > 0 {
        // Whatever removes another person's factors is found under this one name.
        let event = Event::FactorAdminReset {
            user: user.into(),
            reason: reason.clone(),
            ticket: None,
            case: None,
            since: None,
            factors_removed,
            codes_voided,
            codes_said_unavailable: false,
            sessions_ended,
        };
        records.push(Record::new(admin.actor(), source, event));
    }
    // Nobody has to know them by their face any more; the trail keeps what it was by its digest.
    records.extend(portraits::remove(tx, user)?.map(|event| Record::new(admin.actor(), source, event)));
    records.extend(expired);
    Ok(records)
}

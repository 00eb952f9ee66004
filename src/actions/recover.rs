//! The runbook's acts on someone else's account: reset, codes to dictate, a temporary password.
//!
//! Each asks the grant rule inside its transaction. A refusal is an outcome with an entry of its own, not an error.

use std::sync::Arc;
use std::time::Duration;

use super::authorise::{Admin, By};
use super::grants::{Ask, Granted};
use super::password_check::account_budget;
use super::sign_in::many;
use super::{Error, Means, Result};
use crate::audit::{Actor, Event, Record, Source};
use crate::backup_codes::{IssuedCode, Kind, new_batch};
use crate::grants::{Grant, Rule};
use crate::host::keys::SeedKey;
use crate::ids::{CaseNumber, UserId};
use crate::password::TemporaryPassword;
use crate::policy;
use crate::recovery::{Case, CaseState, Statement, Window};
use crate::secret::EnrolmentPass;
use crate::storage::{Audited, WriteTx, backup_codes, devices, factors, links, recovery, sessions, throttle, users};
use crate::throttle::Budget;
use crate::time::Timestamp;
use crate::users::User;

/// What a reset gives: shown once.
#[derive(Debug, Clone)]
pub struct Reset {
    /// The pass to read out.
    pub pass: EnrolmentPass,
    /// The case that was opened.
    pub case: CaseNumber,
    /// When the window closes.
    pub closes_at: Timestamp,
}

/// Removes every factor, voids every code, ends every session, opens a case and an enrolment window with a pass.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn force_reset(means: &Means, ask: Ask, statement: Statement, codes_unavailable: bool) -> Result<Granted<Reset>> {
    let key = Arc::clone(&means.key);
    means.store.change(move |tx| {
        let (d, statement) = ask.decide_founded(tx, Grant::ResetFactors, statement)?;
        let unasked = !codes_unavailable && backup_codes::count_left(tx, d.user.id, tx.now())? > 0;
        if let Err(rule) = d.rule.and(if unasked { Err(Rule::CodesNotAskedFor) } else { Ok(()) }) {
            return Ok(ask.refused(&d, Grant::ResetFactors, rule, Some(&statement)));
        }
        clear_delays(tx, &key, &d.user)?;
        let (reset, records) = reset(tx, &d.admin, &d.user, &statement, codes_unavailable, &ask.source)?;
        let said = format!("All factors of {} were removed and case {} was opened.", d.user.name, reset.case);
        ask.done(tx, &said, &format!("/admin/recovery/{}", reset.case))?;
        Ok(many(Granted::Yes(reset), records))
    })
}

/// The reset itself, with its entries; the rule has said yes.
pub(super) fn reset(
    tx: &WriteTx<'_>,
    admin: &Admin,
    user: &User,
    statement: &Statement,
    codes_said_unavailable: bool,
    source: &Source,
) -> Result<(Reset, Vec<Record>)> {
    let mut records = expire_open_case(tx, user, Actor::System, "a newer reset took its place", source)?;
    let codes_voided = backup_codes::delete_all(tx, user.id)?;
    let factors_removed = delete_factors(tx, user.id)?;
    let sessions_ended = shut_out(tx, user.id)?;
    let case = recovery::get_next_number(tx)?;
    let closes_at = tx.now().plus(policy::ENROLMENT_WINDOW);
    recovery::insert(
        tx,
        &Case {
            number: case,
            user_id: user.id,
            user_name: user.name.to_string(),
            opened_by: admin.name(),
            opened_at: tx.now(),
            state: CaseState::AwaitingEnrolment,
            evidence: statement.evidence.kind(),
            evidence_note: statement.evidence.note().to_owned(),
            voucher: statement.evidence.voucher().map(str::to_owned),
            ticket: statement.ticket.as_ref().map(|t| t.as_str().to_owned()),
            reason: statement.reason.as_str().to_owned(),
            codes_left: codes_voided,
            factors_removed,
            sessions_ended,
            window_closes_at: closes_at,
            closed_at: None,
        },
    )?;
    let pass = EnrolmentPass::generate();
    let hash = pass.hash_as_pass();
    recovery::insert_window(
        tx,
        &Window { user_id: user.id, case: Some(case), pass: Some(hash), wrong_passes: 0, closes_at },
    )?;
    let Statement { evidence, reason, ticket } = statement.clone();
    let who = || user.into();
    for event in [
        Event::CaseOpened { user: who(), case, reason: reason.clone(), ticket: ticket.clone() },
        Event::IdentityVerified { user: who(), case, evidence, ticket: ticket.clone() },
        Event::FactorAdminReset {
            user: who(),
            reason,
            ticket,
            case: Some(case),
            factors_removed,
            codes_voided,
            codes_said_unavailable,
            sessions_ended,
        },
        Event::EnrolmentPassIssued { user: who(), case, minutes: super::whole_minutes(policy::ENROLMENT_WINDOW) },
    ] {
        records.push(Record::new(admin.actor(), source, event));
    }
    Ok((Reset { pass, case, closes_at }, records))
}

/// Forgets failures that strangers may have caused: who is let in by someone who verified them must not find the door
/// held shut by wrong passwords from elsewhere.
fn clear_delays(tx: &WriteTx<'_>, key: &SeedKey, user: &User) -> Result<()> {
    throttle::delete(tx, &account_budget(key, user.email.as_str().as_bytes()))?;
    Ok(throttle::delete(tx, &Budget::BackupCodes(user.id))?)
}

/// Closes the window of an invitation, which needs no pass: what an admin gives must not open it.
fn close_invitation(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    match recovery::find_window(tx, user)? {
        Some(window) if window.pass.is_none() => Ok(recovery::delete_window(tx, user)?),
        _ => Ok(()),
    }
}

pub(super) fn delete_factors(tx: &WriteTx<'_>, user: UserId) -> Result<u32> {
    for factor in factors::list(tx, user)? {
        throttle::delete(tx, &Budget::Totp(factor.id))?;
    }
    Ok(factors::delete_all(tx, user)?)
}

/// Ends everything by which a person is, or could come, in: sessions, sign-ins under way, remembered devices, links;
/// and makes every verification that began before worthless. Says how many full sessions ended.
pub(super) fn shut_out(tx: &WriteTx<'_>, user: UserId) -> Result<u32> {
    let ended = sessions::delete_all(tx, user, None)?;
    devices::delete_all(tx, user)?;
    links::delete_of(tx, user)?;
    recovery::delete_window(tx, user)?;
    users::update_epoch(tx, user)?;
    Ok(ended)
}

/// Closes a case that waits for enrolment: what it waits for can not come any more.
pub(super) fn expire_open_case(
    tx: &WriteTx<'_>,
    user: &User,
    actor: Actor,
    why: &'static str,
    source: &Source,
) -> Result<Vec<Record>> {
    let Some(case) = recovery::find_open(tx, user.id)? else { return Ok(Vec::new()) };
    recovery::update_closed(tx, case.number, CaseState::Expired)?;
    let event = Event::RecoveryExpired { user: user.into(), case: case.number, why };
    Ok(vec![Record::new(actor, source, event)])
}

/// Codes to dictate, shown once.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The codes.
    pub codes: [IssuedCode; policy::ISSUED_CODES],
    /// When they stop working.
    pub expires_at: Timestamp,
}

/// Makes codes for someone who has nothing to enrol with now; an earlier batch is void.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn issue_codes(means: &Means, ask: Ask, statement: Statement) -> Result<Granted<Issued>> {
    let now = means.clock.now();
    let codes = new_batch();
    let expires_at = now.plus(policy::ISSUED_CODES_LIFE);
    let set = means.hash_codes(Kind::Issued, &codes, now, Some(expires_at))?;
    let key = Arc::clone(&means.key);
    means.store.change(move |tx| {
        let grant = Grant::IssueBackupCodes;
        let (d, statement) = ask.decide_founded(tx, grant, statement)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, grant, rule, Some(&statement)));
        }
        clear_delays(tx, &key, &d.user)?;
        close_invitation(tx, d.user.id)?;
        let case = recovery::find_open(tx, d.user.id)?.map(|c| c.number);
        let voided = backup_codes::insert(tx, d.user.id, &set)?;
        let said = format!("{} backup codes were made for {}. They were shown once.", set.total, d.user.name);
        ask.done(tx, &said, &format!("/admin/users/{}/mfa", d.user.id))?;
        let Statement { evidence, reason, ticket } = statement;
        let event = Event::BackupCodesIssuedByAdmin {
            user: (&d.user).into(),
            reason,
            ticket,
            evidence,
            case,
            count: set.total,
            days: whole_days(policy::ISSUED_CODES_LIFE),
            voided,
        };
        let record = Record::new(d.admin.actor(), &ask.source, event);
        Ok(Audited::new(Granted::Yes(Issued { codes, expires_at }), record))
    })
}

fn whole_days(d: Duration) -> u32 {
    u32::try_from(d.as_secs() / 86_400).unwrap_or(u32::MAX)
}

/// A temporary password, shown once.
#[derive(Debug, Clone)]
pub struct Temporary {
    /// The password.
    pub password: TemporaryPassword,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Makes a temporary password; every session, sign-in under way, remembered device and link of the person ends. A
/// recovery's enrolment window stays: its pass is needed together with the new password.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn set_temporary_password(means: &Means, ask: Ask, statement: Statement) -> Result<Granted<Temporary>> {
    let password = TemporaryPassword::generate();
    let hash = means.hash_secret(password.secret())?;
    let key = Arc::clone(&means.key);
    means.store.change(move |tx| {
        let grant = Grant::SetTemporaryPassword;
        let (d, statement) = ask.decide_founded(tx, grant, statement)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, grant, rule, Some(&statement)));
        }
        let expires_at = tx.now().plus(policy::TEMPORARY_PASSWORD);
        users::update_temporary_password(tx, d.user.id, &hash, expires_at)?;
        sessions::delete_all(tx, d.user.id, None)?;
        devices::delete_all(tx, d.user.id)?;
        links::delete_of(tx, d.user.id)?;
        clear_delays(tx, &key, &d.user)?;
        close_invitation(tx, d.user.id)?;
        let case = recovery::find_open(tx, d.user.id)?.map(|c| c.number);
        let said = format!("A temporary password was set for {}. It was shown once.", d.user.name);
        ask.done(tx, &said, &format!("/admin/users/{}", d.user.id))?;
        let Statement { evidence, reason, ticket } = statement;
        let hours = super::whole_hours(policy::TEMPORARY_PASSWORD);
        let event = Event::UserPasswordSetByAdmin { user: (&d.user).into(), reason, ticket, evidence, case, hours };
        let record = Record::new(d.admin.actor(), &ask.source, event);
        Ok(Audited::new(Granted::Yes(Temporary { password, expires_at }), record))
    })
}

/// Recovers an owner from the host: as a reset, and loudly recorded as `recovery.break_glass`.
///
/// # Errors
/// [`Error::NotFound`] if this is no owner's address; as [`Error`] says.
pub fn break_glass(means: &Means, user: UserId, statement: Statement, source: Source) -> Result<Granted<Reset>> {
    let ask = Ask { by: By::Host, user, nonce: None, source };
    let key = Arc::clone(&means.key);
    means.store.change(move |tx| {
        let (d, statement) = ask.decide_founded(tx, Grant::ResetFactors, statement)?;
        if d.user.role != crate::users::Role::Owner {
            return Err(Error::NotFound);
        }
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::ResetFactors, rule, Some(&statement)));
        }
        clear_delays(tx, &key, &d.user)?;
        let (reset, mut records) = reset(tx, &d.admin, &d.user, &statement, true, &ask.source)?;
        let event = Event::BreakGlass { user: (&d.user).into(), reason: statement.reason.clone(), case: reset.case };
        records.push(Record::new(d.admin.actor(), &ask.source, event));
        Ok(many(Granted::Yes(reset), records))
    })
}

//! Unusual recent activity of an account, computed from the trail and the cases. Each look is bounded: it walks an index
//! that holds nothing but what is looked for, from the end of the person's part of it, and stops after
//! [`Signals::MOST`] entries. However much else there is about a person, or about others, costs nothing.

use std::time::Duration;

use rusqlite::{OptionalExtension, Row};

use super::users::optional_time;
use super::{ReadTx, Result, audit, recovery};
use crate::audit::{Action, Outcome};
use crate::ids::{CaseNumber, UserId};
use crate::policy::{Key, Policy};
use crate::signals::{Found, Sign, Signals};
use crate::time::Timestamp;

/// Wrong passwords and codes within this time are shown.
const YESTERDAY: Duration = Duration::from_secs(86_400);

/// What there is to see about a person at `now`, beside what happened in `case` itself.
pub fn get(
    tx: &ReadTx<'_>,
    user: UserId,
    case: Option<CaseNumber>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Signals> {
    let recent = audit::find_first_since(tx, now.minus(policy.lasting(Key::SignDays)))?;
    let yesterday = audit::find_first_since(tx, now.minus(YESTERDAY))?;
    let (resets, last_reset) = recovery::count_resets(tx, user, now.minus(policy.lasting(Key::ResetSignDays)), case)?;
    let refused = recovery::find_refusal(tx, user, now.minus(policy.lasting(Key::RefusalShown)))?;
    let found = |sign, (count, last_at): (u32, Option<Timestamp>)| Found { sign, count, last_at, addresses: 0 };
    Ok(Signals::new([
        found(Sign::Changed, count_changes(tx, user, recent)?),
        found(Sign::Refused, refused.map_or((0, None), |case| (1, case.closed_at))),
        found(Sign::Reset, (resets, last_reset)),
        found(Sign::NewDevice, count_new_devices(tx, user, recent)?),
        failures(tx, user, Sign::WrongPasswords, Action::UserSignInFailed, yesterday)?,
        failures(tx, user, Sign::WrongCodes, Action::MfaChallengeFailed, yesterday)?,
    ]))
}

/// Entries of these actions about a person stand in an index of their own, whose condition has to stand in each query word
/// by word: SQLite would not see that one of them fits.
pub(super) const INDEXED: &str = "action IN ('user.sign_in_failed', 'mfa.challenge_failed', 'user.email_changed', 'user.contact_changed', \
                                  'user.password_changed', 'user.password_reset_completed', 'user.password_set_by_admin', \
                                  'mfa.factor_admin_reset', 'mfa.backup_codes_issued_by_admin')";

/// Failed tries of a person from an entry on, the newest ones.
pub(super) fn failures_query() -> String {
    format!(
        "SELECT count(*), max(at), count(DISTINCT address) FROM (
             SELECT at, body ->> '$.source.address' AS address FROM audit INDEXED BY audit_signs
             WHERE target_id = ?1 AND action = ?2 AND {INDEXED} AND outcome = ?3 AND seq >= ?4
             ORDER BY seq DESC LIMIT ?5)"
    )
}

fn failures(tx: &ReadTx<'_>, user: UserId, sign: Sign, action: Action, since: i64) -> Result<Found> {
    let mut query = tx.conn.prepare_cached(&failures_query())?;
    let values = (user.to_string(), action.as_str(), Outcome::Failure.as_str(), since, Signals::MOST);
    Ok(query.query_row(values, |row| {
        Ok(Found { sign, count: row.get(0)?, last_at: optional_time(row, 1)?, addresses: row.get(2)? })
    })?)
}

/// A password that somebody had to choose, at the first sign-in or after a temporary one, is what was asked of them.
pub(super) fn changes_query() -> String {
    format!(
        "SELECT count(*), max(at) FROM (
             SELECT at FROM audit INDEXED BY audit_signs
             WHERE target_id = ?1 AND action = ?2 AND {INDEXED} AND outcome = 'success' AND seq >= ?3
               AND NOT (action = 'user.password_changed' AND coalesce(body ->> '$.detail.forced', 0))
             ORDER BY seq DESC LIMIT ?4)"
    )
}

fn counted(row: &Row<'_>) -> rusqlite::Result<(u32, Option<Timestamp>)> {
    Ok((row.get(0)?, optional_time(row, 1)?))
}

/// Changes of password, sign-in address or contact details.
fn count_changes(tx: &ReadTx<'_>, user: UserId, since: i64) -> Result<(u32, Option<Timestamp>)> {
    let mut query = tx.conn.prepare_cached(&changes_query())?;
    let (mut count, mut last) = (0_u32, None);
    for action in [
        Action::UserEmailChanged,
        Action::UserContactChanged,
        Action::UserPasswordChanged,
        Action::UserPasswordResetCompleted,
    ] {
        let values = (user.to_string(), action.as_str(), since, Signals::MOST);
        let (more, at) = query.query_row(values, counted)?;
        (count, last) = (count.saturating_add(more), last.max(at));
    }
    Ok((count, last))
}

pub(super) const NEW_DEVICES: &str = "SELECT count(*), max(at) FROM (
         SELECT at FROM audit INDEXED BY audit_new_devices
         WHERE target_id = ?1 AND action = 'user.signed_in' AND instr(body, '\"new_device\":true') > 0 AND seq >= ?2
           AND body ->> '$.detail.methods' <> 'pwd enrolment'
         ORDER BY seq DESC LIMIT ?3)";

/// Completed sign-ins from a device that was not known before. The very first one is none: everybody has it.
fn count_new_devices(tx: &ReadTx<'_>, user: UserId, since: i64) -> Result<(u32, Option<Timestamp>)> {
    let mut query = tx.conn.prepare_cached(NEW_DEVICES)?;
    Ok(query.query_row((user.to_string(), since, Signals::MOST), counted)?)
}

/// Where entries of this action about a person are found, and the condition that says so: in the index, or else among all
/// that there is about the person.
fn indexed(action: Action) -> (&'static str, &'static str) {
    match INDEXED.contains(action.as_str()) {
        true => ("audit_signs", INDEXED),
        false => ("audit_by_target", "target_id IS NOT NULL"),
    }
}

pub(super) fn last_query(action: Action) -> String {
    let (index, condition) = indexed(action);
    format!(
        "SELECT at FROM audit INDEXED BY {index}
         WHERE target_id = ?1 AND action = ?2 AND {condition} AND outcome = 'success' ORDER BY seq DESC LIMIT 1"
    )
}

/// When this was last done to a person's account.
pub fn find_last(tx: &ReadTx<'_>, user: UserId, action: Action) -> Result<Option<Timestamp>> {
    let mut query = tx.conn.prepare_cached(&last_query(action))?;
    let found = query.query_row((user.to_string(), action.as_str()), |row| row.get(0)).optional()?;
    Ok(found.map(Timestamp::from_micros))
}

pub(super) fn given_query(action: Action) -> String {
    let (index, condition) = indexed(action);
    format!(
        "SELECT at FROM audit INDEXED BY {index}
         WHERE target_id = ?1 AND action = ?2 AND {condition} AND actor_id = ?3 AND outcome = 'success' AND seq >= ?4
           AND body ->> '$.detail.since' IS NULL
         ORDER BY seq DESC LIMIT 1"
    )
}

/// When `by` has last done this to a person's account, if that was since `since`. What an incident removed was given to
/// nobody.
pub fn find_given(
    tx: &ReadTx<'_>,
    user: UserId,
    by: UserId,
    action: Action,
    since: Timestamp,
) -> Result<Option<Timestamp>> {
    let first = audit::find_first_since(tx, since)?;
    let mut query = tx.conn.prepare_cached(&given_query(action))?;
    let found = query.query_row((user.to_string(), action.as_str(), by.to_string(), first), |row| row.get(0));
    Ok(found.optional()?.map(Timestamp::from_micros))
}

pub(super) fn address_before_query() -> String {
    format!(
        "SELECT coalesce(body ->> '$.detail.from', '') FROM audit INDEXED BY audit_signs
         WHERE target_id = ?1 AND action = 'user.email_changed' AND {INDEXED} AND outcome = 'success' AND seq >= ?2
         ORDER BY seq LIMIT 1"
    )
}

/// The address with which a person signed in before `since`, if it was changed after that; empty if nobody knows any more.
pub fn find_address_before(tx: &ReadTx<'_>, user: UserId, since: Timestamp) -> Result<Option<String>> {
    let first = audit::find_first_since(tx, since)?;
    let mut query = tx.conn.prepare_cached(&address_before_query())?;
    Ok(query.query_row((user.to_string(), first), |row| row.get(0)).optional()?)
}

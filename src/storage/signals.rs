//! Unusual recent activity of an account, computed from the trail and the cases. Each look is bounded: of what anyone can
//! cause without end, no more than [`Signals::MOST`] entries are read.

use super::users::optional_time;
use super::{ReadTx, Result, recovery};
use crate::audit::{Action, Outcome};
use crate::ids::{CaseNumber, UserId};
use crate::policy::{Key, Policy};
use crate::signals::{Found, Sign, Signals};
use crate::time::Timestamp;
use std::time::Duration;

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
    let recent = now.minus(policy.lasting(Key::SignDays));
    let (resets, last_reset) = recovery::count_resets(tx, user, now.minus(policy.lasting(Key::ResetSignDays)), case)?;
    let refused = recovery::find_refusal(tx, user, now.minus(policy.lasting(Key::RefusalShown)))?;
    let found = |sign, (count, last_at): (u32, Option<Timestamp>)| Found { sign, count, last_at, addresses: 0 };
    Ok(Signals::new([
        found(Sign::Changed, count_changes(tx, user, recent)?),
        found(Sign::Refused, refused.map_or((0, None), |case| (1, case.closed_at))),
        found(Sign::Reset, (resets, last_reset)),
        found(Sign::NewDevice, count_new_devices(tx, user, recent)?),
        failures(tx, user, Sign::WrongPasswords, Action::UserSignInFailed, now.minus(YESTERDAY))?,
        failures(tx, user, Sign::WrongCodes, Action::MfaChallengeFailed, now.minus(YESTERDAY))?,
    ]))
}

fn failures(tx: &ReadTx<'_>, user: UserId, sign: Sign, action: Action, since: Timestamp) -> Result<Found> {
    let mut query = tx.conn.prepare_cached(
        "SELECT count(*), max(at), count(DISTINCT address) FROM (
             SELECT at, body ->> '$.source.address' AS address FROM audit
             WHERE target_id = ?1 AND action = ?2 AND outcome = ?3 AND at >= ?4 ORDER BY seq DESC LIMIT ?5)",
    )?;
    let values = (user.to_string(), action.as_str(), Outcome::Failure.as_str(), since.as_micros(), Signals::MOST);
    Ok(query.query_row(values, |row| {
        Ok(Found { sign, count: row.get(0)?, last_at: optional_time(row, 1)?, addresses: row.get(2)? })
    })?)
}

/// Changes of password, sign-in address or contact details. A password that somebody had to choose, at the first sign-in
/// or after a temporary one, is what was asked of them.
fn count_changes(tx: &ReadTx<'_>, user: UserId, since: Timestamp) -> Result<(u32, Option<Timestamp>)> {
    let mut query = tx.conn.prepare_cached(
        "SELECT count(*), max(at) FROM audit
         WHERE target_id = ?1 AND at >= ?2 AND outcome = 'success'
           AND (action IN ('user.email_changed', 'user.contact_changed', 'user.password_reset_completed')
                OR action = 'user.password_changed' AND NOT body ->> '$.detail.forced')",
    )?;
    Ok(query.query_row((user.to_string(), since.as_micros()), |row| Ok((row.get(0)?, optional_time(row, 1)?)))?)
}

/// Completed sign-ins from a device that was not known before. The very first one is none: everybody has it.
fn count_new_devices(tx: &ReadTx<'_>, user: UserId, since: Timestamp) -> Result<(u32, Option<Timestamp>)> {
    let mut query = tx.conn.prepare_cached(
        "SELECT count(*), max(at) FROM audit
         WHERE target_id = ?1 AND action = 'user.signed_in' AND at >= ?2 AND body ->> '$.detail.new_device'
           AND body ->> '$.detail.methods' <> 'pwd enrolment'",
    )?;
    Ok(query.query_row((user.to_string(), since.as_micros()), |row| Ok((row.get(0)?, optional_time(row, 1)?)))?)
}

/// When this was last done to a person's account.
pub fn find_last(tx: &ReadTx<'_>, user: UserId, action: Action) -> Result<Option<Timestamp>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT max(at) FROM (SELECT at FROM audit WHERE target_id = ?1 AND action = ?2 AND outcome = 'success'
                               ORDER BY seq DESC LIMIT 1)",
    )?;
    Ok(query.query_row((user.to_string(), action.as_str()), |row| optional_time(row, 0))?)
}

/// Whether `by` has done this to a person's account since `since`. What an incident removed was given to nobody.
pub fn find_given(tx: &ReadTx<'_>, user: UserId, by: UserId, action: Action, since: Timestamp) -> Result<bool> {
    let mut query = tx.conn.prepare_cached(
        "SELECT 1 FROM audit WHERE target_id = ?1 AND +actor_id = ?2 AND action = ?3 AND outcome = 'success' AND at >= ?4
           AND body ->> '$.detail.since' IS NULL
         LIMIT 1",
    )?;
    let values = (user.to_string(), by.to_string(), action.as_str(), since.as_micros());
    Ok(query.exists(values)?)
}

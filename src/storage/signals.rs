//! What happened lately to an account, counted from the trail: shown beside every grant.

use super::users::optional_time;
use super::{ReadTx, Result};
use crate::audit::{Action, Outcome};
use crate::ids::UserId;
use crate::time::Timestamp;

/// Entries about a person since `since`, and from how many addresses.
pub fn count_entries(
    tx: &ReadTx<'_>,
    user: UserId,
    action: Action,
    outcome: Outcome,
    since: Timestamp,
) -> Result<(u32, u32)> {
    let mut query = tx.conn.prepare_cached(
        "SELECT count(*), count(DISTINCT body ->> '$.source.address') FROM audit
         WHERE target_id = ?1 AND action = ?2 AND outcome = ?3 AND at >= ?4",
    )?;
    let values = (user.to_string(), action.as_str(), outcome.as_str(), since.as_micros());
    Ok(query.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Completed sign-ins from a device that was not known before, since `since`.
pub fn count_new_devices(tx: &ReadTx<'_>, user: UserId, since: Timestamp) -> Result<u32> {
    let mut query = tx.conn.prepare_cached(
        "SELECT count(*) FROM audit
         WHERE target_id = ?1 AND action = 'user.signed_in' AND at >= ?2 AND body ->> '$.detail.new_device'",
    )?;
    Ok(query.query_row((user.to_string(), since.as_micros()), |row| row.get(0))?)
}

/// When this was last done to a person's account.
pub fn find_last(tx: &ReadTx<'_>, user: UserId, action: Action) -> Result<Option<Timestamp>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT max(at) FROM (SELECT at FROM audit WHERE target_id = ?1 AND action = ?2 AND outcome = 'success'
                               ORDER BY seq DESC LIMIT 1)",
    )?;
    Ok(query.query_row((user.to_string(), action.as_str()), |row| optional_time(row, 0))?)
}

//! Browsers that completed a sign-in.

use rusqlite::{OptionalExtension, named_params};

use super::users::parse;
use super::{ReadTx, Result, WriteTx};
use crate::ids::{DeviceId, UserId};
use crate::policy;
use crate::secret::TokenHash;
use crate::time::Timestamp;

/// The device behind a cookie, with its person.
pub fn find(tx: &ReadTx<'_>, token: &TokenHash, now: Timestamp) -> Result<Option<(DeviceId, UserId)>> {
    let mut query = tx.conn.prepare_cached("SELECT id, user_id FROM devices WHERE token_hash = ?1 AND seen_at > ?2")?;
    let since = now.minus(policy::DEVICE).as_micros();
    Ok(query.query_row((token.as_bytes(), since), |row| Ok((parse(row, 0)?, parse(row, 1)?))).optional()?)
}

/// The devices of a person that are remembered.
pub fn list_ids(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<DeviceId>> {
    let mut query = tx.conn.prepare_cached("SELECT id FROM devices WHERE user_id = ?1")?;
    let rows = query.query_map([user.to_string()], |row| parse(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Remembers a device; beyond [`policy::DEVICES`] the one not seen for the longest time is forgotten.
pub fn insert(
    tx: &WriteTx<'_>,
    id: DeviceId,
    token: &TokenHash,
    user: UserId,
    user_agent: &str,
    address: &str,
) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO devices (id, token_hash, user_id, user_agent, address, created_at, seen_at)
             VALUES (:id, :token, :user, :agent, :address, :now, :now)",
        )?
        .execute(named_params! {
            ":id": id.to_string(),
            ":token": token.as_bytes(),
            ":user": user.to_string(),
            ":agent": user_agent,
            ":address": address,
            ":now": tx.now().as_micros(),
        })?;
    tx.conn
        .prepare_cached(
            "DELETE FROM devices WHERE user_id = ?1 AND id NOT IN
             (SELECT id FROM devices WHERE user_id = ?1 ORDER BY seen_at DESC, id DESC LIMIT ?2)",
        )?
        .execute((user.to_string(), policy::DEVICES))?;
    Ok(())
}

/// Notes that a device completed a sign-in again.
pub fn update_seen(tx: &WriteTx<'_>, id: DeviceId) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE devices SET seen_at = ?2 WHERE id = ?1")?
        .execute((id.to_string(), tx.now().as_micros()))?;
    Ok(())
}

/// Forgets every device of a person.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM devices WHERE user_id = ?1")?.execute([user.to_string()])?;
    Ok(())
}

/// Forgets every device of a person but one.
pub fn delete_others(tx: &WriteTx<'_>, user: UserId, keep: Option<DeviceId>) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM devices WHERE user_id = ?1 AND id IS NOT ?2")?
        .execute((user.to_string(), keep.map(|d| d.to_string())))?;
    Ok(())
}

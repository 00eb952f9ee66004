//! Browsers that completed a sign-in.

use rusqlite::{OptionalExtension, Row, named_params};

use super::users::{parse, time};
use super::{ReadTx, Result, WriteTx};
use crate::ids::{DeviceId, UserId};
use crate::policy;
use crate::secret::TokenHash;
use crate::sessions::Device;
use crate::time::Timestamp;

/// The device behind a cookie, with its person.
pub fn find(tx: &ReadTx<'_>, token: &TokenHash, now: Timestamp) -> Result<Option<(DeviceId, UserId)>> {
    let mut query = tx.conn.prepare_cached("SELECT id, user_id FROM devices WHERE token_hash = ?1 AND seen_at > ?2")?;
    let since = now.minus(policy::DEVICE).as_micros();
    Ok(query.query_row((token.as_bytes(), since), |row| Ok((parse(row, 0)?, parse(row, 1)?))).optional()?)
}

fn to_device(row: &Row<'_>) -> rusqlite::Result<Device> {
    Ok(Device {
        id: parse(row, 0)?,
        user_agent: row.get(1)?,
        address: row.get(2)?,
        created_at: time(row, 3)?,
        seen_at: time(row, 4)?,
    })
}

/// The remembered devices of a person, the one used last first.
pub fn list(tx: &ReadTx<'_>, user: UserId, now: Timestamp) -> Result<Vec<Device>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT id, user_agent, address, created_at, seen_at FROM devices WHERE user_id = ?1 AND seen_at > ?2
         ORDER BY seen_at DESC, id",
    )?;
    let rows = query.query_map((user.to_string(), now.minus(policy::DEVICE).as_micros()), to_device)?;
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

/// Forgets one device.
pub fn delete(tx: &WriteTx<'_>, id: DeviceId) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM devices WHERE id = ?1")?.execute([id.to_string()])?;
    Ok(())
}

/// Forgets every device of a person.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM devices WHERE user_id = ?1")?.execute([user.to_string()])?;
    Ok(())
}

/// Forgets every device of a person that was remembered at `since` or later.
pub fn delete_since(tx: &WriteTx<'_>, user: UserId, since: Timestamp) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM devices WHERE user_id = ?1 AND created_at >= ?2")?
        .execute((user.to_string(), since.as_micros()))?;
    Ok(())
}

/// Forgets every device of a person but one.
pub fn delete_others(tx: &WriteTx<'_>, user: UserId, keep: Option<DeviceId>) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM devices WHERE user_id = ?1 AND id IS NOT ?2")?
        .execute((user.to_string(), keep.map(|d| d.to_string())))?;
    Ok(())
}

//! What owners have set.

use rusqlite::{Row, named_params};

use super::users::{optional_time, parse, time};
use super::{ReadTx, Result, WriteTx};
use crate::policy::{Key, Policy};
use crate::time::Timestamp;

/// What holds at `now`. A row that this program does not know is passed over.
pub fn get(tx: &ReadTx<'_>, now: Timestamp) -> Result<Policy> {
    let mut query = tx.conn.prepare_cached(
        "SELECT key, value FROM policy_settings WHERE effective_at <= ?1 AND cancelled_at IS NULL
         ORDER BY effective_at, id",
    )?;
    let mut policy = Policy::default();
    let mut rows = query.query([now.as_micros()])?;
    while let Some(row) = rows.next()? {
        if let Ok(key) = row.get::<_, String>(0)?.parse::<Key>() {
            policy = policy.with(key, row.get(1)?);
        }
    }
    Ok(policy)
}

/// A value that somebody set.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its row.
    pub id: i64,
    /// What.
    pub key: Key,
    /// To which value, in its unit.
    pub value: i64,
    /// By whom: the name then.
    pub set_by: String,
    /// When it was asked for.
    pub set_at: Timestamp,
    /// When it takes effect.
    pub effective_at: Timestamp,
    /// When it was taken back.
    pub cancelled_at: Option<Timestamp>,
}

fn to_setting(row: &Row<'_>) -> rusqlite::Result<Setting> {
    Ok(Setting {
        id: row.get(0)?,
        key: parse(row, 1)?,
        value: row.get(2)?,
        set_by: row.get(3)?,
        set_at: time(row, 4)?,
        effective_at: time(row, 5)?,
        cancelled_at: optional_time(row, 6)?,
    })
}

/// What was set for a key, newest first.
pub fn list(tx: &ReadTx<'_>, key: Key, limit: u32) -> Result<Vec<Setting>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT id, key, value, set_by, set_at, effective_at, cancelled_at FROM policy_settings
         WHERE key = ?1 ORDER BY set_at DESC, id DESC LIMIT ?2",
    )?;
    let rows = query.query_map((key.as_str(), limit), to_setting)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Sets a value, from `effective_at` on.
pub fn insert(tx: &WriteTx<'_>, key: Key, value: i64, by: &str, effective_at: Timestamp) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO policy_settings (key, value, set_by, set_at, effective_at)
             VALUES (:key, :value, :by, :now, :effective)",
        )?
        .execute(named_params! {
            ":key": key.as_str(),
            ":value": value,
            ":by": by,
            ":now": tx.now().as_micros(),
            ":effective": effective_at.as_micros(),
        })?;
    Ok(())
}

/// Takes back what was set for a key and is not in effect yet; says whether there was anything.
pub fn update_cancelled(tx: &WriteTx<'_>, key: Key) -> Result<bool> {
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE policy_settings SET cancelled_at = ?2 WHERE key = ?1 AND effective_at > ?2 AND cancelled_at IS NULL",
        )?
        .execute((key.as_str(), tx.now().as_micros()))?;
    Ok(changed > 0)
}

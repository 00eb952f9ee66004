//! What owners have set.

use rusqlite::{Row, named_params};

use super::users::{optional_time, parse, time};
use super::{ReadTx, Result, WriteTx};
use crate::policy::{Key, Policy, Setting, Standing, Value};
use crate::time::Timestamp;

/// What holds at `now`.
pub fn get(tx: &ReadTx<'_>, now: Timestamp) -> Result<Policy> {
    Ok(Policy::of(&list(tx)?, now))
}

/// How one setting stands at `now`.
pub fn get_standing(tx: &ReadTx<'_>, key: Key, now: Timestamp) -> Result<Standing> {
    Ok(Standing::of(key, &list(tx)?, now))
}

/// Everything that was ever set, oldest first. A row that this program does not know is passed over.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<Setting>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT id, key, value, set_by, set_at, effective_at, cancelled_at FROM policy_settings ORDER BY id",
    )?;
    let mut settings = Vec::new();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        if row.get::<_, String>(1)?.parse::<Key>().is_ok() {
            settings.push(to_setting(row)?);
        }
    }
    Ok(settings)
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

/// Sets a value, from `effective_at` on.
pub fn insert(tx: &WriteTx<'_>, value: Value, by: &str, effective_at: Timestamp) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO policy_settings (key, value, set_by, set_at, effective_at)
             VALUES (:key, :value, :by, :now, :effective)",
        )?
        .execute(named_params! {
            ":key": value.key().as_str(),
            ":value": value.number(),
            ":by": by,
            ":now": tx.now().as_micros(),
            ":effective": effective_at.as_micros(),
        })?;
    Ok(())
}

/// Takes back what was set and has not taken effect.
pub fn update_cancelled(tx: &WriteTx<'_>, setting: &Setting) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE policy_settings SET cancelled_at = ?2 WHERE id = ?1 AND cancelled_at IS NULL")?
        .execute((setting.id, tx.now().as_micros()))?;
    Ok(())
}

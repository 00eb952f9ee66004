//! Authenticator apps' rows. The secret is encrypted before it comes here.

use rusqlite::{OptionalExtension, Row, named_params};

use super::users::{optional_time, parse, time};
use super::{ReadTx, Result, WriteTx};
use crate::factors::Factor;
use crate::ids::{FactorId, UserId};

const COLUMNS: &str = "id, user_id, label, sealed_seed, last_step, created_at, last_used_at, disabled_at";

fn to_factor(row: &Row<'_>) -> rusqlite::Result<Factor> {
    Ok(Factor {
        id: parse(row, 0)?,
        user_id: parse(row, 1)?,
        label: row.get(2)?,
        sealed_seed: row.get(3)?,
        last_step: row.get(4)?,
        created_at: time(row, 5)?,
        last_used_at: optional_time(row, 6)?,
        disabled_at: optional_time(row, 7)?,
    })
}

/// All factors of a person, oldest first, those that were disabled included.
pub fn list(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<Factor>> {
    let mut query =
        tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM factors WHERE user_id = ?1 ORDER BY created_at, id"))?;
    let rows = query.query_map([user.to_string()], to_factor)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One factor of this person; another person's is not found.
pub fn find(tx: &ReadTx<'_>, user: UserId, id: FactorId) -> Result<Option<Factor>> {
    let mut query = tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM factors WHERE id = ?1 AND user_id = ?2"))?;
    Ok(query.query_row([id.to_string(), user.to_string()], to_factor).optional()?)
}

/// Factors of a person that still work.
pub fn count_working(tx: &ReadTx<'_>, user: UserId) -> Result<u32> {
    let mut query =
        tx.conn.prepare_cached("SELECT count(*) FROM factors WHERE user_id = ?1 AND disabled_at IS NULL")?;
    Ok(query.query_row([user.to_string()], |row| row.get(0))?)
}

/// Factors of a person that were switched off after too many failures.
pub fn count_switched_off(tx: &ReadTx<'_>, user: UserId) -> Result<u32> {
    let mut query =
        tx.conn.prepare_cached("SELECT count(*) FROM factors WHERE user_id = ?1 AND disabled_at IS NOT NULL")?;
    Ok(query.query_row([user.to_string()], |row| row.get(0))?)
}

/// Adds a factor that a code of step `last_step` has confirmed.
pub fn insert(
    tx: &WriteTx<'_>,
    id: FactorId,
    user: UserId,
    label: &str,
    sealed_seed: &[u8],
    last_step: i64,
) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO factors (id, user_id, label, sealed_seed, last_step, created_at)
             VALUES (:id, :user, :label, :seed, :step, :now)",
        )?
        .execute(named_params! {
            ":id": id.to_string(),
            ":user": user.to_string(),
            ":label": label,
            ":seed": sealed_seed,
            ":step": last_step,
            ":now": tx.now().as_micros(),
        })?;
    Ok(())
}

/// Accepts a step once ever: false if it or a later one was accepted before (RFC 6238 section 5.2).
pub fn update_used(tx: &WriteTx<'_>, id: FactorId, step: i64) -> Result<bool> {
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE factors SET last_step = ?2, last_used_at = ?3
             WHERE id = ?1 AND last_step < ?2 AND disabled_at IS NULL",
        )?
        .execute((id.to_string(), step, tx.now().as_micros()))?;
    Ok(changed == 1)
}

/// Disables a factor for good: too many failures.
pub fn update_disabled(tx: &WriteTx<'_>, id: FactorId) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE factors SET disabled_at = ?2 WHERE id = ?1 AND disabled_at IS NULL")?
        .execute((id.to_string(), tx.now().as_micros()))?;
    Ok(())
}

/// Gives a factor another name.
pub fn update_label(tx: &WriteTx<'_>, id: FactorId, label: &str) -> Result<()> {
    tx.conn.prepare_cached("UPDATE factors SET label = ?2 WHERE id = ?1")?.execute((id.to_string(), label))?;
    Ok(())
}

/// Removes one factor.
pub fn delete(tx: &WriteTx<'_>, id: FactorId) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM factors WHERE id = ?1")?.execute([id.to_string()])?;
    Ok(())
}

/// Removes every factor of a person; says how many.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<u32> {
    let gone = tx.conn.prepare_cached("DELETE FROM factors WHERE user_id = ?1")?.execute([user.to_string()])?;
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
}

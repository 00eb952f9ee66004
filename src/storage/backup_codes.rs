//! Sets of backup codes and the codes in them. Only hashes come here.

use rusqlite::{OptionalExtension, named_params};

use super::users::{optional_time, time};
use super::{ReadTx, Result, WriteTx};
use crate::backup_codes::{CodeSet, Kind};
use crate::ids::UserId;
use crate::password::Argon2Params;
use crate::time::Timestamp;

/// The person's set of this kind with the codes that are not used yet, unless it has expired.
pub fn find(tx: &ReadTx<'_>, user: UserId, kind: Kind, now: Timestamp) -> Result<Option<CodeSet>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT id, salt, memory_kib, passes, lanes, total, created_at, expires_at FROM code_sets
         WHERE user_id = ?1 AND kind = ?2 AND (expires_at IS NULL OR expires_at > ?3)",
    )?;
    let set = query
        .query_row((user.to_string(), kind.as_str(), now.as_micros()), |row| {
            Ok(CodeSet {
                id: row.get(0)?,
                kind,
                salt: row.get(1)?,
                // A row that holds other numbers was not written by this program; such codes simply do not match.
                params: Argon2Params::new(row.get(2)?, row.get(3)?, row.get(4)?).unwrap_or(Argon2Params::current()),
                total: row.get(5)?,
                created_at: time(row, 6)?,
                expires_at: optional_time(row, 7)?,
                unused: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut set) = set else { return Ok(None) };
    let mut query = tx
        .conn
        .prepare_cached("SELECT position, hash FROM codes WHERE set_id = ?1 AND used_at IS NULL ORDER BY position")?;
    set.unused = query.query_map([set.id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    Ok(Some(set))
}

/// Unused codes of both kinds that still work.
pub fn count_left(tx: &ReadTx<'_>, user: UserId, now: Timestamp) -> Result<u32> {
    let mut query = tx.conn.prepare_cached(
        "SELECT count(*) FROM code_sets s JOIN codes c ON c.set_id = s.id
         WHERE s.user_id = ?1 AND c.used_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > ?2)",
    )?;
    Ok(query.query_row((user.to_string(), now.as_micros()), |row| row.get(0))?)
}

/// Writes a new set in place of the older one of its kind; says how many unused codes that voided.
pub fn insert(tx: &WriteTx<'_>, user: UserId, set: &CodeSet) -> Result<u32> {
    let voided = delete(tx, user, set.kind)?;
    tx.conn
        .prepare_cached(
            "INSERT INTO code_sets (user_id, kind, salt, memory_kib, passes, lanes, total, created_at, expires_at)
             VALUES (:user, :kind, :salt, :memory, :passes, :lanes, :total, :now, :expires)",
        )?
        .execute(named_params! {
            ":user": user.to_string(),
            ":kind": set.kind.as_str(),
            ":salt": set.salt,
            ":memory": set.params.memory_kib(),
            ":passes": set.params.passes(),
            ":lanes": set.params.lanes(),
            ":total": set.total,
            ":now": tx.now().as_micros(),
            ":expires": set.expires_at.map(Timestamp::as_micros),
        })?;
    let id = tx.conn.last_insert_rowid();
    let mut add = tx.conn.prepare_cached("INSERT INTO codes (set_id, position, hash) VALUES (?1, ?2, ?3)")?;
    for (position, hash) in &set.unused {
        add.execute((id, position, hash))?;
    }
    Ok(voided)
}

/// Uses up a code: false if it was used or voided in between.
pub fn update_used(tx: &WriteTx<'_>, set: i64, position: u32) -> Result<bool> {
    let changed = tx
        .conn
        .prepare_cached("UPDATE codes SET used_at = ?3 WHERE set_id = ?1 AND position = ?2 AND used_at IS NULL")?
        .execute((set, position, tx.now().as_micros()))?;
    Ok(changed == 1)
}

/// Voids the codes of a person that were made at `since` or later; says how many unused ones that were.
pub fn delete_since(tx: &WriteTx<'_>, user: UserId, since: Timestamp) -> Result<u32> {
    let mut query =
        tx.conn.prepare_cached("SELECT 1 FROM code_sets WHERE user_id = ?1 AND kind = ?2 AND created_at >= ?3")?;
    let mut voided = 0;
    for kind in [Kind::Own, Kind::Issued] {
        if query.exists((user.to_string(), kind.as_str(), since.as_micros()))? {
            voided += delete(tx, user, kind)?;
        }
    }
    Ok(voided)
}

fn delete(tx: &WriteTx<'_>, user: UserId, kind: Kind) -> Result<u32> {
    let mut query = tx.conn.prepare_cached(
        "SELECT count(*) FROM code_sets s JOIN codes c ON c.set_id = s.id
         WHERE s.user_id = ?1 AND s.kind = ?2 AND c.used_at IS NULL",
    )?;
    let unused = query.query_row((user.to_string(), kind.as_str()), |row| row.get(0))?;
    tx.conn
        .prepare_cached("DELETE FROM code_sets WHERE user_id = ?1 AND kind = ?2")?
        .execute((user.to_string(), kind.as_str()))?;
    Ok(unused)
}

/// Voids every code of a person; says how many unused ones that were.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<u32> {
    Ok(delete(tx, user, Kind::Own)? + delete(tx, user, Kind::Issued)?)
}

/// Voids the codes that an admin issued.
pub fn delete_issued(tx: &WriteTx<'_>, user: UserId) -> Result<u32> {
    delete(tx, user, Kind::Issued)
}

//! Counters of consecutive failures. The key is an HMAC or an id: the table names nobody.

use rusqlite::{Connection, OptionalExtension};

use super::touch::TouchTx;
use super::{ReadTx, Result, WriteTx};
use crate::policy;
use crate::throttle::{Budget, Failures};
use crate::time::Timestamp;

/// Failures counted on `key` so far.
pub fn find(tx: &ReadTx<'_>, budget: Budget, key: &[u8]) -> Result<Failures> {
    let mut query = tx.conn.prepare_cached("SELECT count, last_at FROM failures WHERE budget = ?1 AND key = ?2")?;
    let found = query.query_row((budget.as_str(), key), |row| {
        Ok(Failures { count: row.get(0)?, last_at: Some(Timestamp::from_micros(row.get(1)?)) })
    });
    Ok(found.optional()?.unwrap_or_default())
}

/// Counts one more failure and says how many there are now.
pub fn insert_failure(tx: &WriteTx<'_>, budget: Budget, key: &[u8]) -> Result<Failures> {
    count(tx.conn, budget, key, tx.now())
}

/// As [`insert_failure`], for an address without an account: no evidence, and bounded.
pub fn insert_stranger_failure(tx: &TouchTx<'_, '_>, budget: Budget, key: &[u8]) -> Result<Failures> {
    let conn = tx.conn();
    let many: u32 = conn.prepare_cached("SELECT count(*) FROM failures")?.query_row([], |row| row.get(0))?;
    if many >= policy::COUNTERS {
        conn.prepare_cached(
            "DELETE FROM failures WHERE (budget, key) IN (SELECT budget, key FROM failures ORDER BY last_at LIMIT 100)",
        )?
        .execute([])?;
    }
    count(conn, budget, key, tx.now())
}

fn count(conn: &Connection, budget: Budget, key: &[u8], now: Timestamp) -> Result<Failures> {
    let mut query = conn.prepare_cached(
        "INSERT INTO failures (budget, key, count, last_at) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT DO UPDATE SET count = count + 1, last_at = ?3 RETURNING count",
    )?;
    let count = query.query_row((budget.as_str(), key, now.as_micros()), |row| row.get(0))?;
    Ok(Failures { count, last_at: Some(now) })
}

/// Forgets the failures on `key`: it succeeded.
pub fn delete(tx: &WriteTx<'_>, budget: Budget, key: &[u8]) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM failures WHERE budget = ?1 AND key = ?2")?.execute((budget.as_str(), key))?;
    Ok(())
}

//! Counters of consecutive failures. The key is an HMAC or an id: the table names nobody.

use rusqlite::{Connection, OptionalExtension};

use super::touch::TouchTx;
use super::users::time;
use super::{ReadTx, Result, WriteTx};
use crate::policy;
use crate::throttle::{self, Budget, Consequence, State};
use crate::time::Timestamp;

/// Failures charged to `budget` so far.
pub fn find(tx: &ReadTx<'_>, budget: &Budget) -> Result<Option<State>> {
    find_on(tx.conn, budget)
}

fn find_on(conn: &Connection, budget: &Budget) -> Result<Option<State>> {
    let mut query = conn.prepare_cached("SELECT count, last_at FROM failures WHERE budget = ?1 AND key = ?2")?;
    let state = query.query_row((budget.kind().as_str(), budget.key()), |row| {
        Ok(State { failures: row.get(0)?, last_failure: time(row, 1)? })
    });
    Ok(state.optional()?)
}

/// Charges one more failure; says how it stands now and what comes with it.
pub fn insert_failure(tx: &WriteTx<'_>, budget: &Budget) -> Result<(State, Consequence)> {
    charge(tx.conn, budget, tx.now())
}

/// As [`insert_failure`], for an address without an account: the table is bounded, the oldest counters go.
pub(super) fn insert_stranger_failure(tx: &TouchTx<'_, '_>, budget: &Budget) -> Result<()> {
    let conn = tx.conn();
    let many: u32 = conn.prepare_cached("SELECT count(*) FROM failures")?.query_row([], |row| row.get(0))?;
    if many >= policy::COUNTERS {
        // Those with one or two failures go first, so that a flood of invented addresses does not wipe out a delay.
        conn.prepare_cached(
            "DELETE FROM failures WHERE (budget, key) IN
             (SELECT budget, key FROM failures WHERE budget = 'account' ORDER BY count >= ?1, last_at LIMIT 100)",
        )?
        .execute([policy::FREE_FAILURES])?;
    }
    charge(conn, budget, tx.now()).map(drop)
}

fn charge(conn: &Connection, budget: &Budget, now: Timestamp) -> Result<(State, Consequence)> {
    let (state, consequence) = throttle::failed(budget.kind(), find_on(conn, budget)?, now);
    conn.prepare_cached(
        "INSERT INTO failures (budget, key, count, last_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET count = ?3, last_at = ?4",
    )?
    .execute((budget.kind().as_str(), budget.key(), state.failures, state.last_failure.as_micros()))?;
    Ok((state, consequence))
}

/// Lets the next attempt charged to `budget` be made at once. The count stays: after a failure the delay is back, and
/// what comes after so many failures comes no later.
pub fn update_delay_over(tx: &WriteTx<'_>, budget: &Budget) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE failures SET last_at = min(last_at, ?3) WHERE budget = ?1 AND key = ?2")?
        .execute((budget.kind().as_str(), budget.key(), tx.now().minus(policy::LONGEST_DELAY).as_micros()))?;
    Ok(())
}

/// Forgets the failures charged to `budget`: it succeeded.
pub fn delete(tx: &WriteTx<'_>, budget: &Budget) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM failures WHERE budget = ?1 AND key = ?2")?
        .execute((budget.kind().as_str(), budget.key()))?;
    Ok(())
}

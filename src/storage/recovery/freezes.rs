//! Accounts that are closed until their case opens them: frozen by an objection, or closed because of an attack.

use rusqlite::OptionalExtension;

use super::{find, find_open};
use crate::ids::{CaseNumber, UserId};
use crate::recovery::{Case, CaseState, Held, Hold};
use crate::storage::users::{parse, time};
use crate::storage::{ReadTx, Result, WriteTx, notices};
use crate::time::Timestamp;

/// What keeps this account, if anything does. An objection that nobody has looked at comes first.
pub fn find_hold(tx: &ReadTx<'_>, user: UserId) -> Result<Option<Hold>> {
    let mut query = tx.conn.prepare_cached("SELECT case_number, frozen_at FROM freezes WHERE user_id = ?1")?;
    let freeze: Option<(CaseNumber, Timestamp)> =
        query.query_row([user.to_string()], |row| Ok((parse(row, 0)?, time(row, 1)?))).optional()?;
    if let Some(case) = find_open(tx, user)?.filter(|c| c.state == CaseState::Disavowed) {
        let frozen = freeze.is_some_and(|(number, _)| number == case.number);
        return Ok(Some(Hold { case: case.number, held: Held::Objection { frozen }, since: case.state_at }));
    }
    Ok(freeze.map(|(case, since)| Hold { case, held: Held::Attack, since }))
}

/// Closes an account until its case opens it.
pub fn insert_freeze(tx: &WriteTx<'_>, user: UserId, case: CaseNumber) -> Result<()> {
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO freezes (user_id, case_number, frozen_at) VALUES (?1, ?2, ?3)")?
        .execute((user.to_string(), case.to_string(), tx.now().as_micros()))?;
    Ok(())
}

/// Lets go of an account.
pub fn delete_freeze(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM freezes WHERE user_id = ?1")?.execute([user.to_string()])?;
    Ok(())
}

/// Since when what happened to the account is in doubt: since the case was opened, or since the earliest of what was
/// objected to in it.
pub fn get_suspect_since(tx: &ReadTx<'_>, case: &Case) -> Result<Timestamp> {
    let objected = notices::find_objected_since(tx, case.user_id, case.opened_at, case.closed_at)?;
    Ok(objected.map_or(case.opened_at, |at| at.min(case.opened_at)))
}

/// The person's newest case in which something was given.
pub fn find_newest_given(tx: &ReadTx<'_>, user: UserId) -> Result<Option<Case>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT number FROM cases WHERE user_id = ?1 AND act IS NOT NULL ORDER BY opened_at DESC LIMIT 1",
    )?;
    let number: Option<CaseNumber> = query.query_row([user.to_string()], |row| parse(row, 0)).optional()?;
    number.map_or(Ok(None), |number| find(tx, number))
}

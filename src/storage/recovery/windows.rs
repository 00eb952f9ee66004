//! Enrolment windows: the one way for a person without a factor to enrol one.

use rusqlite::{OptionalExtension, named_params};

use crate::ids::UserId;
use crate::recovery::Window;
use crate::secret::TokenHash;
use crate::storage::users::time;
use crate::storage::{ReadTx, Result, WriteTx};
use crate::time::Timestamp;

/// The person's window, open or not.
pub fn find_window(tx: &ReadTx<'_>, user: UserId) -> Result<Option<Window>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT case_number, pass_hash, wrong_passes, closes_at FROM enrolment_windows WHERE user_id = ?1",
    )?;
    let window = query.query_row([user.to_string()], |row| {
        Ok(Window {
            user_id: user,
            case: row.get::<_, Option<String>>(0)?.and_then(|c| c.parse().ok()),
            pass: row.get::<_, Option<[u8; 32]>>(1)?.map(TokenHash::from_bytes),
            wrong_passes: row.get(2)?,
            closes_at: time(row, 3)?,
        })
    });
    Ok(window.optional()?)
}

/// Opens a window in place of the one before.
pub fn insert_window(tx: &WriteTx<'_>, window: &Window) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT OR REPLACE INTO enrolment_windows (user_id, case_number, pass_hash, wrong_passes, opened_at, closes_at)
             VALUES (:user, :case, :pass, 0, :now, :closes)",
        )?
        .execute(named_params! {
            ":user": window.user_id.to_string(),
            ":case": window.case.map(|c| c.to_string()),
            ":pass": window.pass.map(|p| *p.as_bytes()),
            ":now": tx.now().as_micros(),
            ":closes": window.closes_at.as_micros(),
        })?;
    Ok(())
}

/// Counts a wrong pass; says how many there are now.
pub fn update_wrong_pass(tx: &WriteTx<'_>, user: UserId) -> Result<u32> {
    let mut query = tx.conn.prepare_cached(
        "UPDATE enrolment_windows SET wrong_passes = wrong_passes + 1 WHERE user_id = ?1 RETURNING wrong_passes",
    )?;
    Ok(query.query_row([user.to_string()], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Closes the person's window.
pub fn delete_window(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM enrolment_windows WHERE user_id = ?1")?.execute([user.to_string()])?;
    Ok(())
}

/// Closes the person's window if it was opened at `since` or later.
pub fn delete_window_since(tx: &WriteTx<'_>, user: UserId, since: Timestamp) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM enrolment_windows WHERE user_id = ?1 AND opened_at >= ?2")?
        .execute((user.to_string(), since.as_micros()))?;
    Ok(())
}

//! Recovery cases and enrolment windows.

use rusqlite::{OptionalExtension, Row, named_params};

use super::users::{optional_time, parse, time};
use super::{ReadTx, Result, WriteTx};
use crate::ids::{CaseNumber, UserId};
use crate::recovery::{Case, CaseState, Window};
use crate::secret::TokenHash;
use crate::time::Timestamp;

const COLUMNS: &str = "k.number, k.user_id, u.name, k.opened_by, k.opened_at, k.state, k.evidence, k.evidence_note, k.voucher, \
                       k.ticket, k.reason, k.codes_left, k.factors_removed, k.sessions_ended, k.window_closes_at, k.closed_at";

fn to_case(row: &Row<'_>) -> rusqlite::Result<Case> {
    Ok(Case {
        number: parse(row, 0)?,
        user_id: parse(row, 1)?,
        user_name: row.get(2)?,
        opened_by: row.get(3)?,
        opened_at: time(row, 4)?,
        state: parse(row, 5)?,
        evidence: parse(row, 6)?,
        evidence_note: row.get(7)?,
        voucher: row.get(8)?,
        ticket: row.get(9)?,
        reason: row.get(10)?,
        codes_left: row.get(11)?,
        factors_removed: row.get(12)?,
        sessions_ended: row.get(13)?,
        window_closes_at: time(row, 14)?,
        closed_at: optional_time(row, 15)?,
    })
}

/// The case with this number.
pub fn find(tx: &ReadTx<'_>, number: CaseNumber) -> Result<Option<Case>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM cases k JOIN users u ON u.id = k.user_id WHERE k.number = ?1"
    ))?;
    Ok(query.query_row([number.to_string()], to_case).optional()?)
}

/// The person's case that waits for enrolment.
pub fn find_open(tx: &ReadTx<'_>, user: UserId) -> Result<Option<Case>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM cases k JOIN users u ON u.id = k.user_id
         WHERE k.user_id = ?1 AND k.state = 'awaiting_enrolment'"
    ))?;
    Ok(query.query_row([user.to_string()], to_case).optional()?)
}

/// Cases that wait for enrolment, the one closing first on top.
pub fn list_open(tx: &ReadTx<'_>, limit: u32) -> Result<Vec<Case>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM cases k JOIN users u ON u.id = k.user_id
         WHERE k.state = 'awaiting_enrolment' ORDER BY k.window_closes_at LIMIT ?1"
    ))?;
    let rows = query.query_map([limit], to_case)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Closed cases, newest first, opened before `cursor`.
pub fn list_closed(tx: &ReadTx<'_>, cursor: Option<Timestamp>, limit: u32) -> Result<Vec<Case>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM cases k JOIN users u ON u.id = k.user_id
         WHERE k.state <> 'awaiting_enrolment' AND k.opened_at < ?1 ORDER BY k.opened_at DESC LIMIT ?2"
    ))?;
    let before = cursor.map_or(i64::MAX, Timestamp::as_micros);
    let rows = query.query_map((before, limit), to_case)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Resets of a person since `since`.
pub fn count_since(tx: &ReadTx<'_>, user: UserId, since: Timestamp) -> Result<u32> {
    let mut query = tx.conn.prepare_cached("SELECT count(*) FROM cases WHERE user_id = ?1 AND opened_at > ?2")?;
    Ok(query.query_row((user.to_string(), since.as_micros()), |row| row.get(0))?)
}

/// The number that the next case of this moment's year gets.
pub fn get_next_number(tx: &WriteTx<'_>) -> Result<CaseNumber> {
    let year = u16::try_from(tx.now().date().0).unwrap_or(0);
    let mut query = tx.conn.prepare_cached("SELECT coalesce(max(count), 0) + 1 FROM cases WHERE year = ?1")?;
    Ok(CaseNumber::new(year, query.query_row([year], |row| row.get(0))?))
}

/// Writes a new case.
pub fn insert(tx: &WriteTx<'_>, case: &Case) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO cases (number, year, count, user_id, opened_by, opened_at, state, evidence, evidence_note, voucher,
                                ticket, reason, codes_left, factors_removed, sessions_ended, window_closes_at)
             VALUES (:number, :year, :count, :user, :by, :at, :state, :evidence, :note, :voucher,
                     :ticket, :reason, :codes, :factors, :sessions, :closes)",
        )?
        .execute(named_params! {
            ":number": case.number.to_string(),
            ":year": case.number.year(),
            ":count": case.number.count(),
            ":user": case.user_id.to_string(),
            ":by": case.opened_by,
            ":at": case.opened_at.as_micros(),
            ":state": case.state.as_str(),
            ":evidence": case.evidence.as_str(),
            ":note": case.evidence_note,
            ":voucher": case.voucher,
            ":ticket": case.ticket,
            ":reason": case.reason,
            ":codes": case.codes_left,
            ":factors": case.factors_removed,
            ":sessions": case.sessions_ended,
            ":closes": case.window_closes_at.as_micros(),
        })?;
    Ok(())
}

/// Closes a case that waits for enrolment; false if it no longer does.
pub fn update_closed(tx: &WriteTx<'_>, number: CaseNumber, state: CaseState) -> Result<bool> {
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE cases SET state = ?2, closed_at = ?3 WHERE number = ?1 AND state = 'awaiting_enrolment'",
        )?
        .execute((number.to_string(), state.as_str(), tx.now().as_micros()))?;
    Ok(changed == 1)
}

/// Cases whose window has closed while they waited.
pub fn list_overdue(tx: &ReadTx<'_>, now: Timestamp, limit: u32) -> Result<Vec<Case>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM cases k JOIN users u ON u.id = k.user_id
         WHERE k.state = 'awaiting_enrolment' AND k.window_closes_at <= ?1 LIMIT ?2"
    ))?;
    let rows = query.query_map((now.as_micros(), limit), to_case)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

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

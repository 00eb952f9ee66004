//! Recovery cases; below, what belongs to them: the board, evidence, requests for approval, enrolment windows.

pub mod board;
pub mod evidence;
pub mod freezes;
pub mod requests;
pub mod windows;

use rusqlite::{OptionalExtension, Row, named_params};

use super::users::{optional_time, parse, time};
use super::{Error, ReadTx, Result, WriteTx};
use crate::ids::{CaseNumber, UserId};
use crate::recovery::{Case, CaseState, Doer, Done};
use crate::signals::Signals;
use crate::time::Timestamp;

pub use windows::{delete_window, delete_window_since, find_window, insert_window, update_wrong_pass};

const COLUMNS: &str = "k.number, k.user_id, u.name, k.opened_by_id, k.opened_by, k.opened_at, k.state, k.state_at, k.version, \
                       k.urgent, k.for_owner, k.reason, k.ticket, k.act, k.acted_by_id, k.acted_by, k.acted_at, \
                       k.codes_left, k.factors_removed, k.sessions_ended, k.due_at, k.closed_at, k.closed_by, k.note, \
                       k.refusal, k.signals, k.follow_up_at, k.follow_up_by";
const FROM: &str = "FROM cases k JOIN users u ON u.id = k.user_id";

fn to_case(row: &Row<'_>) -> rusqlite::Result<Case> {
    let act = match row.get::<_, Option<String>>(13)? {
        None => None,
        Some(_) => Some(Done {
            act: parse(row, 13)?,
            by: Doer { id: optional_id(row, 14)?, name: row.get::<_, Option<String>>(15)?.unwrap_or_default() },
            at: time(row, 16)?,
        }),
    };
    Ok(Case {
        number: parse(row, 0)?,
        user_id: parse(row, 1)?,
        user_name: row.get(2)?,
        opened_by: Doer { id: optional_id(row, 3)?, name: row.get(4)? },
        opened_at: time(row, 5)?,
        state: parse(row, 6)?,
        state_at: time(row, 7)?,
        version: row.get(8)?,
        urgent: row.get(9)?,
        for_owner: row.get(10)?,
        reason: row.get(11)?,
        ticket: row.get(12)?,
        act,
        codes_left: row.get(17)?,
        factors_removed: row.get(18)?,
        sessions_ended: row.get(19)?,
        due_at: optional_time(row, 20)?,
        closed_at: optional_time(row, 21)?,
        closed_by: row.get(22)?,
        note: row.get(23)?,
        refusal: row.get::<_, Option<String>>(24)?.and_then(|r| r.parse().ok()),
        signals: Signals::thaw(&row.get::<_, String>(25)?),
        follow_up: optional_time(row, 26)?.zip(row.get(27)?),
    })
}

/// An id that may be absent.
pub(super) fn optional_id<T: std::str::FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    match row.get::<_, Option<String>>(column)? {
        None => Ok(None),
        Some(_) => parse(row, column).map(Some),
    }
}

/// The case with this number.
pub fn find(tx: &ReadTx<'_>, number: CaseNumber) -> Result<Option<Case>> {
    let mut query = tx.conn.prepare_cached(&format!("SELECT {COLUMNS} {FROM} WHERE k.number = ?1"))?;
    Ok(query.query_row([number.to_string()], to_case).optional()?)
}

/// The person's case that is not closed.
pub fn find_open(tx: &ReadTx<'_>, user: UserId) -> Result<Option<Case>> {
    let mut query =
        tx.conn.prepare_cached(&format!("SELECT {COLUMNS} {FROM} WHERE k.user_id = ?1 AND k.closed_at IS NULL"))?;
    Ok(query.query_row([user.to_string()], to_case).optional()?)
}

/// The person's newest case that was refused or not approved, closed since `since`.
pub fn find_refusal(tx: &ReadTx<'_>, user: UserId, since: Timestamp) -> Result<Option<Case>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} {FROM} WHERE k.user_id = ?1 AND k.state IN ('refused', 'approval_denied') AND k.closed_at > ?2
         ORDER BY k.opened_at DESC LIMIT 1"
    ))?;
    Ok(query.query_row((user.to_string(), since.as_micros()), to_case).optional()?)
}

/// The person's newest case, if it was handed to the owners, ended since `since`, and no owner had decided: its time had
/// passed, or somebody closed the account meanwhile.
pub fn find_undecided(tx: &ReadTx<'_>, user: UserId, since: Timestamp) -> Result<Option<Case>> {
    let newest = list_of(tx, user, 1)?.pop();
    Ok(newest.filter(|case| {
        let nobody = case.act.is_none() && case.closed_by.is_none() && case.state == CaseState::Expired;
        case.for_owner && nobody && case.closed_at.is_some_and(|at| at > since)
    }))
}

/// The newest cases of a person.
pub fn list_of(tx: &ReadTx<'_>, user: UserId, limit: u32) -> Result<Vec<Case>> {
    let mut query = tx
        .conn
        .prepare_cached(&format!("SELECT {COLUMNS} {FROM} WHERE k.user_id = ?1 ORDER BY k.opened_at DESC LIMIT ?2"))?;
    let rows = query.query_map((user.to_string(), limit), to_case)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Open cases in a state, those that came into it first on top, after `cursor` (the time and number of the last one shown).
pub fn list_in(
    tx: &ReadTx<'_>,
    state: CaseState,
    cursor: Option<(Timestamp, CaseNumber)>,
    limit: u32,
) -> Result<Vec<Case>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} {FROM} WHERE k.state = ?1 AND k.closed_at IS NULL AND (k.state_at, k.number) > (?2, ?3)
         ORDER BY k.state_at, k.number LIMIT ?4"
    ))?;
    let (at, number) = cursor.map_or((i64::MIN, String::new()), |(at, n)| (at.as_micros(), n.to_string()));
    let rows = query.query_map((state.as_str(), at, number, limit), to_case)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Open cases whose time is over.
pub fn list_overdue(tx: &ReadTx<'_>, now: Timestamp, limit: u32) -> Result<Vec<Case>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} {FROM} WHERE k.closed_at IS NULL AND k.due_at <= ?1 ORDER BY k.due_at LIMIT ?2"
    ))?;
    let rows = query.query_map((now.as_micros(), limit), to_case)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Cases other than `except` in which the person's factors were reset since `since`, and when last.
pub fn count_resets(
    tx: &ReadTx<'_>,
    user: UserId,
    since: Timestamp,
    except: Option<CaseNumber>,
) -> Result<(u32, Option<Timestamp>)> {
    let mut query = tx.conn.prepare_cached(
        "SELECT count(*), max(acted_at) FROM cases
         WHERE user_id = ?1 AND acted_at >= ?2 AND act IN ('reset', 'reset_and_password') AND number <> ?3",
    )?;
    let except = except.map(|n| n.to_string()).unwrap_or_default();
    let values = (user.to_string(), since.as_micros(), except);
    Ok(query.query_row(values, |row| Ok((row.get(0)?, optional_time(row, 1)?)))?)
}

/// The number that the next case of this moment's year gets.
pub fn get_next_number(tx: &WriteTx<'_>) -> Result<CaseNumber> {
    let year = u16::try_from(tx.now().date().0).unwrap_or(0);
    let mut query = tx.conn.prepare_cached("SELECT coalesce(max(count), 0) + 1 FROM cases WHERE year = ?1")?;
    Ok(CaseNumber::new(year, query.query_row([year], |row| row.get(0))?))
}

/// Writes a new case, which nothing has happened in yet.
pub fn insert(tx: &WriteTx<'_>, case: &Case) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO cases (number, year, count, user_id, opened_by_id, opened_by, opened_at, state, state_at, version,
                                urgent, for_owner, reason, ticket, due_at)
             VALUES (:number, :year, :count, :user, :by_id, :by, :at, :state, :at, :version,
                     :urgent, :for_owner, :reason, :ticket, :due)",
        )?
        .execute(named_params! {
            ":number": case.number.to_string(),
            ":year": case.number.year(),
            ":count": case.number.count(),
            ":user": case.user_id.to_string(),
            ":by_id": case.opened_by.id.map(|id| id.to_string()),
            ":by": case.opened_by.name,
            ":at": case.opened_at.as_micros(),
            ":state": case.state.as_str(),
            ":version": case.version,
            ":urgent": case.urgent,
            ":for_owner": case.for_owner,
            ":reason": case.reason,
            ":ticket": case.ticket,
            ":due": case.due_at.map(Timestamp::as_micros),
        })?;
    Ok(())
}

/// Writes how a case stands now over how it stood at version `before`. That it changed meanwhile can not be: who calls
/// this has read it in the same transaction.
pub fn update(tx: &WriteTx<'_>, case: &Case, before: i64) -> Result<()> {
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE cases SET state = :state, state_at = :state_at, version = :version, urgent = :urgent,
                    for_owner = :for_owner, act = :act, acted_by_id = :acted_by_id, acted_by = :acted_by, acted_at = :acted_at,
                    codes_left = :codes, factors_removed = :factors, sessions_ended = :sessions, due_at = :due,
                    closed_at = :closed_at, closed_by = :closed_by, note = :note, refusal = :refusal, signals = :signals,
                    follow_up_at = :follow_up_at, follow_up_by = :follow_up_by
             WHERE number = :number AND version = :before",
        )?
        .execute(named_params! {
            ":number": case.number.to_string(),
            ":before": before,
            ":state": case.state.as_str(),
            ":state_at": case.state_at.as_micros(),
            ":version": case.version,
            ":urgent": case.urgent,
            ":for_owner": case.for_owner,
            ":act": case.act.as_ref().map(|a| a.act.as_str()),
            ":acted_by_id": case.act.as_ref().and_then(|a| a.by.id).map(|id| id.to_string()),
            ":acted_by": case.act.as_ref().map(|a| a.by.name.clone()),
            ":acted_at": case.act.as_ref().map(|a| a.at.as_micros()),
            ":codes": case.codes_left,
            ":factors": case.factors_removed,
            ":sessions": case.sessions_ended,
            ":due": case.due_at.map(Timestamp::as_micros),
            ":closed_at": case.closed_at.map(Timestamp::as_micros),
            ":closed_by": case.closed_by,
            ":note": case.note,
            ":refusal": case.refusal.map(crate::recovery::Refusal::as_str),
            ":signals": case.signals.freeze(),
            ":follow_up_at": case.follow_up.as_ref().map(|(at, _)| at.as_micros()),
            ":follow_up_by": case.follow_up.as_ref().map(|(_, by)| by.clone()),
        })?;
    if changed == 1 { Ok(()) } else { Err(Error::Other(format!("case {} is not as it was read", case.number).into())) }
}

/// Notes by whom the last message was sent or copied, also of a closed case, whose state nothing may touch.
pub fn update_follow_up(tx: &WriteTx<'_>, case: CaseNumber, by: &str) -> Result<()> {
    tx.conn.prepare_cached("UPDATE cases SET follow_up_at = ?2, follow_up_by = ?3 WHERE number = ?1")?.execute((
        case.to_string(),
        tx.now().as_micros(),
        by,
    ))?;
    Ok(())
}

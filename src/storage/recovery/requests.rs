//! Grants that wait to be permitted.

use rusqlite::{OptionalExtension, Row, named_params};

use super::optional_id;
use crate::ids::{CaseNumber, RequestId};
use crate::recovery::{Doer, Request, RequestState};
use crate::signals::Signals;
use crate::storage::users::{optional_time, parse, time};
use crate::storage::{ReadTx, Result, WriteTx};
use crate::time::Timestamp;

const COLUMNS: &str = "id, case_number, grant_name, argument, needs, asked_by_id, asked_by, asked_at, reason, ticket, evidence_id, \
                       case_version, signals, state, valid_until, ripe_at, decided_by_id, decided_by, decided_at, note";

fn to_request(row: &Row<'_>) -> rusqlite::Result<Request> {
    let decided_by = row.get::<_, Option<String>>(17)?;
    Ok(Request {
        id: parse(row, 0)?,
        case: parse(row, 1)?,
        grant: parse(row, 2)?,
        argument: row.get(3)?,
        needs: parse(row, 4)?,
        asked_by: Doer { id: optional_id(row, 5)?, name: row.get(6)? },
        asked_at: time(row, 7)?,
        reason: row.get(8)?,
        ticket: row.get(9)?,
        evidence: row.get(10)?,
        case_version: row.get(11)?,
        signals: Signals::thaw(&row.get::<_, String>(12)?),
        state: parse(row, 13)?,
        valid_until: time(row, 14)?,
        ripe_at: optional_time(row, 15)?,
        decided_by: match decided_by {
            Some(name) => Some(Doer { id: optional_id(row, 16)?, name }),
            None => None,
        },
        decided_at: optional_time(row, 18)?,
        note: row.get(19)?,
    })
}

/// The request of a case that waits or may be used.
pub fn find_live(tx: &ReadTx<'_>, case: CaseNumber) -> Result<Option<Request>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM case_requests WHERE case_number = ?1 AND state IN ('waiting', 'approved')"
    ))?;
    Ok(query.query_row([case.to_string()], to_request).optional()?)
}

/// The request of a case that was made last, however far it has come.
pub fn find_newest(tx: &ReadTx<'_>, case: CaseNumber) -> Result<Option<Request>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM case_requests WHERE case_number = ?1 ORDER BY asked_at DESC, id DESC LIMIT 1"
    ))?;
    Ok(query.query_row([case.to_string()], to_request).optional()?)
}

/// One request.
pub fn find(tx: &ReadTx<'_>, id: RequestId) -> Result<Option<Request>> {
    let mut query = tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM case_requests WHERE id = ?1"))?;
    Ok(query.query_row([id.to_string()], to_request).optional()?)
}

/// All requests of a case, oldest first.
pub fn list(tx: &ReadTx<'_>, case: CaseNumber) -> Result<Vec<Request>> {
    let mut query = tx
        .conn
        .prepare_cached(&format!("SELECT {COLUMNS} FROM case_requests WHERE case_number = ?1 ORDER BY asked_at, id"))?;
    let rows = query.query_map([case.to_string()], to_request)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Requests that wait or may be used and whose time is over.
pub fn list_overdue(tx: &ReadTx<'_>, now: Timestamp, limit: u32) -> Result<Vec<Request>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM case_requests WHERE state IN ('waiting', 'approved') AND valid_until <= ?1
         ORDER BY valid_until LIMIT ?2"
    ))?;
    let rows = query.query_map((now.as_micros(), limit), to_request)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Writes a new request, which waits.
pub fn insert(tx: &WriteTx<'_>, request: &Request) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO case_requests (id, case_number, grant_name, argument, needs, asked_by_id, asked_by, asked_at, reason,
                                        ticket, evidence_id, case_version, signals, state, valid_until, ripe_at)
             VALUES (:id, :case, :grant, :argument, :needs, :by_id, :by, :at, :reason,
                     :ticket, :evidence, :version, :signals, :state, :until, :ripe)",
        )?
        .execute(named_params! {
            ":id": request.id.to_string(),
            ":case": request.case.to_string(),
            ":grant": request.grant.as_str(),
            ":argument": request.argument,
            ":needs": request.needs.as_str(),
            ":by_id": request.asked_by.id.map(|id| id.to_string()),
            ":by": request.asked_by.name,
            ":at": request.asked_at.as_micros(),
            ":reason": request.reason,
            ":ticket": request.ticket,
            ":evidence": request.evidence,
            ":version": request.case_version,
            ":signals": request.signals.freeze(),
            ":state": request.state.as_str(),
            ":until": request.valid_until.as_micros(),
            ":ripe": request.ripe_at.map(Timestamp::as_micros),
        })?;
    Ok(())
}

/// Writes how a request was decided; `valid_until` and `case_version` are those of the approval.
pub fn update_decided(tx: &WriteTx<'_>, request: &Request) -> Result<()> {
    tx.conn
        .prepare_cached(
            "UPDATE case_requests SET state = :state, decided_by_id = :by_id, decided_by = :by, decided_at = :at, note = :note,
                    valid_until = :until, case_version = :version
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": request.id.to_string(),
            ":state": request.state.as_str(),
            ":by_id": request.decided_by.as_ref().and_then(|d| d.id).map(|id| id.to_string()),
            ":by": request.decided_by.as_ref().map(|d| d.name.clone()),
            ":at": request.decided_at.map(Timestamp::as_micros),
            ":note": request.note,
            ":until": request.valid_until.as_micros(),
            ":version": request.case_version,
        })?;
    Ok(())
}

/// Ends a request that was carried out or can not be any more.
pub fn update_state(tx: &WriteTx<'_>, id: RequestId, state: RequestState) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE case_requests SET state = ?2 WHERE id = ?1")?
        .execute((id.to_string(), state.as_str()))?;
    Ok(())
}

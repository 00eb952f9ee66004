//! What cases rest on. A piece of evidence is added, never changed.

use rusqlite::{OptionalExtension, Row, named_params};

use super::optional_id;
use crate::contacts::KnownNumber;
use crate::ids::CaseNumber;
use crate::recovery::{Doer, Evidence, Recorded};
use crate::storage::users::{parse, time};
use crate::storage::{ReadTx, Result, WriteTx};

const COLUMNS: &str =
    "id, kind, note, voucher, ticket, number, known_since, requested_at, recorded_by_id, recorded_by, recorded_at";

fn to_recorded(row: &Row<'_>) -> rusqlite::Result<Recorded> {
    let called = match row.get::<_, Option<String>>(5)? {
        None => None,
        Some(_) => Some(KnownNumber { phone: parse(row, 5)?, known_since: time(row, 6)?, requested_at: time(row, 7)? }),
    };
    Ok(Recorded {
        id: row.get(0)?,
        evidence: Evidence::recorded(parse(row, 1)?, row.get(2)?, row.get(3)?, called, time(row, 10)?),
        ticket: row.get(4)?,
        by: Doer { id: optional_id(row, 8)?, name: row.get(9)? },
    })
}

/// All evidence of a case, oldest first.
pub fn list(tx: &ReadTx<'_>, case: CaseNumber) -> Result<Vec<Recorded>> {
    let mut query =
        tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM case_evidence WHERE case_number = ?1 ORDER BY id"))?;
    let rows = query.query_map([case.to_string()], to_recorded)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The newest evidence of a case.
pub fn find_newest(tx: &ReadTx<'_>, case: CaseNumber) -> Result<Option<Recorded>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM case_evidence WHERE case_number = ?1 ORDER BY recorded_at DESC, id DESC LIMIT 1"
    ))?;
    Ok(query.query_row([case.to_string()], to_recorded).optional()?)
}

/// One piece.
pub fn find(tx: &ReadTx<'_>, id: i64) -> Result<Option<Recorded>> {
    let mut query = tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM case_evidence WHERE id = ?1"))?;
    Ok(query.query_row([id], to_recorded).optional()?)
}

/// Adds a piece; says its row.
pub fn insert(tx: &WriteTx<'_>, case: CaseNumber, evidence: &Evidence, ticket: Option<&str>, by: &Doer) -> Result<i64> {
    let called = evidence.called();
    tx.conn
        .prepare_cached(
            "INSERT INTO case_evidence (case_number, kind, note, voucher, ticket, number, known_since, requested_at,
                                        recorded_by_id, recorded_by, recorded_at)
             VALUES (:case, :kind, :note, :voucher, :ticket, :number, :known, :requested, :by_id, :by, :at)",
        )?
        .execute(named_params! {
            ":case": case.to_string(),
            ":kind": evidence.kind().as_str(),
            ":note": evidence.note(),
            ":voucher": evidence.voucher(),
            ":ticket": ticket,
            ":number": called.map(|c| c.phone.as_str()),
            ":known": called.map(|c| c.known_since.as_micros()),
            ":requested": called.map(|c| c.requested_at.as_micros()),
            ":by_id": by.id.map(|id| id.to_string()),
            ":by": by.name,
            ":at": evidence.recorded_at().as_micros(),
        })?;
    Ok(tx.conn.last_insert_rowid())
}

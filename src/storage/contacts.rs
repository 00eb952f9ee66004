//! Contacts' rows. One that was removed stays as history.

use rusqlite::{OptionalExtension, Row, named_params};

use super::users::{optional_time, parse, time};
use super::{Error, ReadTx, Result, WriteTx};
use crate::contacts::{Contact, Detail, Kind};
use crate::ids::{ContactId, UserId};

const COLUMNS: &str = "id, user_id, kind, value, known_since, added_by, removed_at, removed_by";

fn to_contact(row: &Row<'_>) -> rusqlite::Result<Contact> {
    let (kind, value): (Kind, String) = (parse(row, 2)?, row.get(3)?);
    let detail = Detail::parse(kind, &value)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, e.to_string().into()))?;
    let removed = optional_time(row, 6)?.zip(row.get(7)?);
    Ok(Contact {
        id: parse(row, 0)?,
        user_id: parse(row, 1)?,
        detail,
        known_since: time(row, 4)?,
        added_by: row.get(5)?,
        removed,
    })
}

/// The contacts of a person that are in use: numbers, then addresses, then managers, each kind oldest first.
pub fn list(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<Contact>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM contacts WHERE user_id = ?1 AND removed_at IS NULL
         ORDER BY CASE kind WHEN 'phone' THEN 1 WHEN 'email' THEN 2 ELSE 3 END, known_since, id"
    ))?;
    let rows = query.query_map([user.to_string()], to_contact)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The newest contacts of a person, removed ones included.
pub fn list_history(tx: &ReadTx<'_>, user: UserId, limit: u32) -> Result<Vec<Contact>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM contacts WHERE user_id = ?1 ORDER BY known_since DESC, id DESC LIMIT ?2"
    ))?;
    let rows = query.query_map((user.to_string(), limit), to_contact)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A contact of this person that is in use; another person's, or one that was removed, is not found.
pub fn find(tx: &ReadTx<'_>, user: UserId, id: ContactId) -> Result<Option<Contact>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM contacts WHERE id = ?1 AND user_id = ?2 AND removed_at IS NULL"
    ))?;
    Ok(query.query_row([id.to_string(), user.to_string()], to_contact).optional()?)
}

/// Adds a contact, known from this moment on.
pub fn insert(tx: &WriteTx<'_>, user: UserId, detail: &Detail, by: &str) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO contacts (id, user_id, kind, value, known_since, added_by)
             VALUES (:id, :user, :kind, :value, :now, :by)",
        )?
        .execute(named_params! {
            ":id": ContactId::generate().to_string(),
            ":user": user.to_string(),
            ":kind": detail.kind().as_str(),
            ":value": detail.as_str(),
            ":now": tx.now().as_micros(),
            ":by": by,
        })?;
    Ok(())
}

/// Removes a contact that is in use; its row stays.
pub fn update_removed(tx: &WriteTx<'_>, id: ContactId, by: &str) -> Result<()> {
    let changed = tx
        .conn
        .prepare_cached("UPDATE contacts SET removed_at = ?2, removed_by = ?3 WHERE id = ?1 AND removed_at IS NULL")?
        .execute((id.to_string(), tx.now().as_micros(), by))?;
    if changed == 1 { Ok(()) } else { Err(Error::Other(format!("contact {id} is not in use").into())) }
}

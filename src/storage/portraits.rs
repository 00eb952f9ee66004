//! Portraits' rows: at most one a person. What was there before is not kept.

use rusqlite::{OptionalExtension, named_params};

use super::users::time;
use super::{Error, ReadTx, Result, WriteTx};
use crate::ids::UserId;
use crate::portraits::{IdNote, Jpeg, Portrait};

/// What is on record of a person, without the picture itself.
pub fn find(tx: &ReadTx<'_>, user: UserId) -> Result<Option<Portrait>> {
    let mut query = tx
        .conn
        .prepare_cached("SELECT jpeg IS NOT NULL, id_note, added_by, added_at FROM portraits WHERE user_id = ?1")?;
    let row = query
        .query_row([user.to_string()], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, time(row, 3)?)));
    let Some((has_picture, id_note, added_by, added_at)) = row.optional()? else { return Ok(None) };
    let id_note: IdNote = id_note.parse().map_err(|e: crate::users::BadInput| Error::Other(e.to_string().into()))?;
    Ok(Some(Portrait { has_picture, id_note, added_by, added_at }))
}

/// The picture itself.
pub fn find_jpeg(tx: &ReadTx<'_>, user: UserId) -> Result<Option<Jpeg>> {
    let mut query = tx.conn.prepare_cached("SELECT jpeg FROM portraits WHERE user_id = ?1")?;
    let jpeg: Option<Option<Vec<u8>>> = query.query_row([user.to_string()], |row| row.get(0)).optional()?;
    Ok(jpeg.flatten().map(Jpeg::stored))
}

/// Puts a portrait on record, as of this moment, where there is none. There must be a picture or a note.
pub fn insert(tx: &WriteTx<'_>, user: UserId, jpeg: Option<&Jpeg>, id_note: &IdNote, by: &str) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO portraits (user_id, jpeg, id_note, added_by, added_at)
             VALUES (:user, :jpeg, :note, :by, :now)",
        )?
        .execute(named_params! {
            ":user": user.to_string(),
            ":jpeg": jpeg.map(Jpeg::as_bytes),
            ":note": id_note.as_str(),
            ":by": by,
            ":now": tx.now().as_micros(),
        })?;
    Ok(())
}

/// Deletes what is on record. The pages that held it are overwritten: a picture that was removed is not to be found in the
/// file, nor in the next backup.
pub fn delete(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    // Also where that touches more pages; for most other rows the history, which is kept, says as much as what was deleted.
    tx.conn.execute_batch("PRAGMA secure_delete = ON")?;
    let deleted = tx.conn.execute("DELETE FROM portraits WHERE user_id = ?1", [user.to_string()]);
    tx.conn.execute_batch(super::schema::SECURE_DELETE)?;
    deleted?;
    Ok(())
}

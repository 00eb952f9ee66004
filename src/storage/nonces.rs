//! Forms that were carried out, so that the second click is told what the first one did.

use rusqlite::{OptionalExtension, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::time::Timestamp;

/// What the first click did.
#[derive(Debug, Clone)]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// What, as a sentence.
    pub said: String,
    /// Where to go on.
    pub link: String,
}

/// What a form with this nonce did, if it was carried out.
pub fn find(tx: &ReadTx<'_>, nonce: &[u8; 16]) -> Result<Option<Done>> {
    let mut query = tx.conn.prepare_cached("SELECT done_at, said, link FROM form_nonces WHERE nonce = ?1")?;
    let done = query.query_row([nonce], |row| {
        Ok(Done { at: Timestamp::from_micros(row.get(0)?), said: row.get(1)?, link: row.get(2)? })
    });
    Ok(done.optional()?)
}

/// Marks a form as carried out.
pub fn insert(tx: &WriteTx<'_>, nonce: &[u8; 16], said: &str, link: &str) -> Result<()> {
    tx.conn
        .prepare_cached("INSERT INTO form_nonces (nonce, done_at, said, link) VALUES (:nonce, :now, :said, :link)")?
        .execute(named_params! { ":nonce": nonce, ":now": tx.now().as_micros(), ":said": said, ":link": link })?;
    Ok(())
}

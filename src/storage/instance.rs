//! The one row that says which instance this database is.

use rusqlite::{Connection, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::time::Timestamp;

/// Which instance this is.
#[derive(Debug, Clone)]
pub struct Instance {
    /// For ever the same: a UUID.
    pub origin: String,
    /// The unbroken history that is written now; a restore begins a new one.
    pub lineage: String,
    /// Tells whether a seed key belongs to this database.
    pub key_fingerprint: [u8; 16],
    /// When the database was made.
    pub created_at: Timestamp,
}

pub(super) fn insert(conn: &Connection, instance: &Instance) -> Result<()> {
    conn.execute(
        "INSERT INTO instance (id, origin, lineage, key_fingerprint, created_at)
         VALUES (1, :origin, :lineage, :key, :at)",
        named_params! {
            ":origin": instance.origin,
            ":lineage": instance.lineage,
            ":key": instance.key_fingerprint,
            ":at": instance.created_at.as_micros(),
        },
    )?;
    Ok(())
}

/// The instance's row.
pub fn get(tx: &ReadTx<'_>) -> Result<Instance> {
    let mut query = tx.conn.prepare_cached("SELECT origin, lineage, key_fingerprint, created_at FROM instance")?;
    Ok(query.query_row([], |row| {
        Ok(Instance {
            origin: row.get(0)?,
            lineage: row.get(1)?,
            key_fingerprint: row.get(2)?,
            created_at: Timestamp::from_micros(row.get(3)?),
        })
    })?)
}

/// Whether everybody may sign in. Otherwise an owner has yet to confirm who is here and in which role, after a restore.
pub fn get_people_confirmed(tx: &ReadTx<'_>) -> Result<bool> {
    let mut query = tx.conn.prepare_cached("SELECT people_confirmed FROM instance")?;
    Ok(query.query_row([], |row| row.get(0))?)
}

/// Notes that an owner has confirmed who is here.
pub fn update_people_confirmed(tx: &WriteTx<'_>) -> Result<()> {
    tx.conn.prepare_cached("UPDATE instance SET people_confirmed = 1")?.execute([])?;
    Ok(())
}

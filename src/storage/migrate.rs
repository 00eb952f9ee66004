//! Bringing a database that an earlier version wrote to the schema of this one.
//!
//! Architecture invariant: a migration happens whole or not at all, and the chain goes on across it: all steps, the checks
//! of what came out and the entry `system.upgraded` are one transaction.
//!
//! **The next migration:** change `schema.sql`, raise [`schema::VERSION`], and write `migrations/N.sql`, which makes of
//! a database of the version N before it one that equals a new one. Put a database of version N beside
//! `tests/fixtures/schema-1`, written by the last program of that version. A step that was released is never changed.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::schema::{self, VERSION};
use super::{Error, ReadTx, Result, audit};
use crate::audit::{Actor, Event, Record, Source};
use crate::time::Timestamp;

/// What makes of each version the next, in order; the first is of [`schema::OLDEST`].
const STEPS: [&str; (VERSION - schema::OLDEST) as usize] = [include_str!("migrations/1.sql")];

/// The version of the database at `path`, if this program knows how to bring it up to date.
///
/// # Errors
/// As for opening it: not a database of ours, or of a newer version.
pub fn find_older(path: &Path) -> Result<Option<i64>> {
    // For writing, though it writes nothing: a reader would leave the log's files beside it.
    let conn = schema::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let version = schema::check_header(&conn, path)?;
    Ok((version < VERSION).then_some(version))
}

/// Brings the database at `path` up to date. The caller has it to itself.
///
/// # Errors
/// Why it could not be done; the database is as it was.
pub fn upgrade(path: &Path, source: &Source, clock: Timestamp) -> Result<()> {
    let conn = schema::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let Some(event) = begin(&conn, path)? else { return Ok(()) };
    let mut head = audit::get_head(&ReadTx { conn: &conn })?;
    let at = clock.max(head.at);
    audit::append(&conn, &mut head, at, crate::secret::random(), Record::new(Actor::Host, source, event))?;
    conn.execute_batch("COMMIT")?; // the commit point
    Ok(())
}

/// Begins a transaction, and in it brings the database up to date. What it returns is to be recorded before the commit.
pub(super) fn begin(conn: &Connection, path: &Path) -> Result<Option<Event>> {
    let from = schema::check_header(conn, path)?;
    if from < VERSION {
        // A table that others refer to is dropped on the way; whether all references hold is checked at the end. Inside
        // a transaction this pragma does nothing.
        conn.execute_batch("PRAGMA foreign_keys = OFF")?;
    }
    conn.execute_batch("BEGIN IMMEDIATE")?;
    schema::check_head(&ReadTx { conn }).map_err(|what| schema::not_ours(path, &what))?;
    if from == VERSION {
        return Ok(None);
    }
    let done = usize::try_from(from - schema::OLDEST).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        conn.execute_batch(step)?;
    }
    conn.execute_batch(&format!("PRAGMA user_version = {VERSION}"))?;
    check_whole(conn)?;
    Ok(Some(Event::Upgraded { from, to: VERSION }))
}

fn check_whole(conn: &Connection) -> Result<()> {
    if conn.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(Error::Unusable("after the upgrade a row would refer to one that is not there".into()));
    }
    let damage: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if damage != "ok" {
        return Err(Error::Unusable(format!("after the upgrade the database would be damaged: {damage}")));
    }
    Ok(())
}

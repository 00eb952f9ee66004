//! Bringing a database that an earlier version wrote to the schema of this one.
//!
//! Architecture invariant: a migration happens whole or not at all, and the chain goes on across it: all steps, the checks
//! of what came out and the entry `system.upgraded` are one transaction. Nobody else has the database open meanwhile.
//!
//! **The next migration:** change `schema.sql`, raise [`schema::VERSION`], and write `migrations/N.sql`, which makes of
//! a database of the version N before it one that equals a new one. Put a database of version N beside
//! `tests/fixtures/schema-1`, written by the last program of that version. A step that was released is never changed.
//!
//! A table whose CHECK changes is made anew, as sqlite.org/lang_altertable.html says: under another name, filled, the old
//! one dropped, renamed, and then its indexes and triggers again. Rows keep their rowid, which is what the search index
//! knows them by. What is forgotten is found before the commit, by `schema::list_differences`.

use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::schema::{self, VERSION};
use super::{Error, ReadTx, Result, audit, backup};
use crate::audit::{Actor, Event, Record, Source};
use crate::time::Timestamp;

/// What makes of each version the next, in order; the first is of [`schema::OLDEST`].
const STEPS: [&str; (VERSION - schema::OLDEST) as usize] =
    [include_str!("migrations/1.sql"), include_str!("migrations/2.sql"), include_str!("migrations/3.sql")];

/// A database of an earlier version, which nobody else has open or can open until this is dropped.
pub struct Older {
    conn: Connection,
    path: PathBuf,
    version: i64,
}

impl Older {
    /// Opens the database at `path` if an earlier version wrote it.
    ///
    /// # Errors
    /// As for opening it: not a database of ours, or of a newer version. [`Error::Busy`] when another process, such as a
    /// command of the earlier version, has it open.
    pub fn find(path: &Path) -> Result<Option<Self>> {
        // For writing, also where there is nothing to do: a reader would leave the log's files beside it.
        let conn = schema::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let version = schema::check_header(&conn, path)?;
        if version == VERSION {
            return Ok(None);
        }
        // A copy that was put in place by hand has another mode, in which a kill leaves a journal that a reader can not fold.
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        // In this mode a lock once taken stays until the connection is closed. It is taken before the copy is made, so
        // that nothing is written in between; and SQLite copies only where no transaction is under way.
        conn.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(()))?;
        conn.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
        Ok(Some(Self { conn, path: path.to_owned(), version }))
    }

    /// The version of the schema.
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// Reads what stands there in every version: the instance's row and the trail.
    ///
    /// # Errors
    /// What `look` says.
    pub fn read<T>(&self, look: impl FnOnce(&ReadTx<'_>) -> Result<T>) -> Result<T> {
        look(&ReadTx { conn: &self.conn })
    }

    /// Copies it as it is; see [`backup::copy`].
    ///
    /// # Errors
    /// Why it could not be copied; the caller removes the file then.
    pub fn copy(&self, to: &Path) -> Result<()> {
        backup::copy_open(&self.conn, to)
    }

    /// Brings it up to date and records that, with the name of the copy made before.
    ///
    /// # Errors
    /// Why it could not be done; the database is as it was.
    pub fn upgrade(self, copy: String, source: &Source, clock: Timestamp) -> Result<()> {
        let Self { conn, path, version: from } = self;
        begin(&conn, &path)?;
        let mut head = audit::get_head(&ReadTx { conn: &conn })?;
        let at = clock.max(head.at);
        let event = Event::Upgraded { from, to: VERSION, copy: Some(copy) };
        audit::append(&conn, &mut head, at, crate::secret::random(), Record::new(Actor::Host, source, event))?;
        conn.execute_batch("COMMIT")?; // the commit point
        Ok(())
    }

    /// Makes what follows fail in a chosen way; only in builds for tests.
    #[cfg(feature = "testing")]
    pub fn inject(&mut self, fault: &super::faults::Fault) {
        super::faults::install(&mut self.conn, fault);
    }
}

/// Begins a transaction, and in it brings the database up to date, if an earlier version wrote it: which one. That is to
/// be recorded before the commit.
pub(super) fn begin(conn: &Connection, path: &Path) -> Result<Option<i64>> {
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
    match find_fault(conn)? {
        None => Ok(Some(from)),
        Some(what) => Err(Error::Unusable(format!(
            "the database of schema {from} can not be brought up to date: {what}. Nothing was changed, and the program \
             that wrote it still runs on it"
        ))),
    }
}

/// A copy of an earlier version's database at `path`, brought up to date, to be read: a temporary file of SQLite's own,
/// private and without a name, which ends with the connection.
pub(super) fn copy_up_to_date(older: &Connection, path: &Path) -> Result<Connection> {
    let mut copy = Connection::open("")?;
    // All pages in one step: nobody else can have the temporary file, and it need not last.
    if Backup::new(older, &mut copy)?.step(-1)? != StepResult::Done {
        return Err(Error::Busy);
    }
    begin(&copy, path)?;
    Ok(copy)
}

/// What would be wrong with the database after the steps.
fn find_fault(conn: &Connection) -> Result<Option<String>> {
    let mut references = conn.prepare("PRAGMA foreign_key_check")?;
    if let Some(row) = references.query([])?.next()? {
        let (table, of): (String, String) = (row.get("table")?, row.get("parent")?);
        return Ok(Some(format!("a row of {table} would refer to one of {of} that is not there")));
    }
    let damage: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if damage != "ok" {
        return Ok(Some(format!("it would be damaged ({damage})")));
    }
    let different = schema::list_differences(conn)?;
    Ok(different.first().map(|name| format!("its {name} would not be as in a new one; if you added it, remove it")))
}

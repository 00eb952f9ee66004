//! Creating and opening the file, and refusing one whose header, version or head entry is wrong.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::instance::{self, Instance};
use super::{Error, ReadTx, Result, audit};
use crate::audit::{Actor, Event, Record, Source, chain};
use crate::time::Timestamp;

/// The schema's version, in `PRAGMA user_version`.
pub const VERSION: i64 = 4;

/// The oldest version that this program reads, and brings up to date.
pub const OLDEST: i64 = 1;

/// The oldest SQLite that is safe: 3.51.3 has the fix for corruption on a WAL reset.
pub const OLDEST_SQLITE: i32 = 3_051_003;

const APPLICATION_ID: i64 = 0x6964_7031;
const SCHEMA: &str = include_str!("../../schema.sql");

/// The triggers that guard the trail, as they stand in the schema; `verify` reports one that is missing.
pub const GUARDS: [&str; 3] = ["audit_extends_its_chain", "audit_is_append_only_delete", "audit_is_append_only_update"];

/// What is freed is overwritten where that touches no page more: nothing that is erased later was left behind in between.
pub(super) const SECURE_DELETE: &str = "PRAGMA secure_delete = FAST";

/// How long a statement waits for another process, such as a command beside the server.
const BUSY: Duration = Duration::from_secs(10);

/// Creates the database in a new, empty, private file at `path` (made by the caller) with its first entry.
///
/// # Errors
/// Why it could not be written. The caller removes the file then.
pub fn create(path: &Path, instance: &Instance, source: &Source) -> Result<()> {
    let conn = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.execute_batch("BEGIN IMMEDIATE")?;
    conn.execute_batch(SCHEMA)?;
    conn.execute_batch(&format!("PRAGMA user_version = {VERSION}"))?;
    instance::insert(&conn, instance)?;
    let mut head = audit::get_head(&ReadTx { conn: &conn })?;
    let record = Record::new(Actor::Host, source, Event::Initialised { origin: instance.origin.clone() });
    audit::append(&conn, &mut head, instance.created_at, crate::secret::random(), record)?;
    conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// Opens for writing and checks header, version (`oldest` or newer) and head entry.
pub(super) fn open_checked(path: &Path, oldest: i64) -> Result<Connection> {
    let conn = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    check(&conn, path, oldest)?;
    // Before the first write: what this program did not make could swallow an entry, or add to what it writes.
    if check_header(&conn, path)? == VERSION
        && let Some(part) = list_differences(&conn)?.first()
    {
        let what = format!(
            "its {part} is missing, or is not as this program made it. Somebody changed the file by hand: run idp audit \
             verify, and restore the last good backup unless you know why"
        );
        return Err(not_ours(path, &what));
    }
    // A backup that was put in place by hand has another mode, in which readers and the writer would wait for each other.
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    Ok(conn)
}

/// Opens for reading only.
pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    let conn = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.execute_batch("PRAGMA query_only = ON")?;
    Ok(conn)
}

pub(super) fn open(path: &Path, access: OpenFlags) -> Result<Connection> {
    let flags =
        access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let conn = Connection::open_with_flags(in_real_folder(path), flags)
        .map_err(|e| Error::Unusable(format!("cannot open {}: {e}", path.display())))?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(128);
    // Plans must not depend on the values bound: where they may, clearing the bindings, which is what happens on the way
    // into the cache, makes SQLite compile the statement anew at its next use; a test below counts that.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // The first pragma that reads the file finds out whether it is a database at all.
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA recursive_triggers = ON; PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY;",
    )
    .and_then(|()| conn.execute_batch(SECURE_DELETE))
    .map_err(|e| not_ours(path, &e.to_string()))?;
    Ok(conn)
}

/// The path with links in its folders resolved: SQLite refuses a link anywhere in it, and only one at the file itself is
/// a danger. Where the folder is a link, it is the operator's.
fn in_real_folder(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

pub(super) fn not_ours(path: &Path, what: &str) -> Error {
    Error::Unusable(format!(
        "{} is not a usable database of this program ({what}). Nothing was changed. If it was damaged, restore the \
         last good backup: idp restore FILE",
        path.display()
    ))
}

/// Header, version, instance row and head entry.
fn check(conn: &Connection, path: &Path, oldest: i64) -> Result<()> {
    let version = check_header(conn, path)?;
    if version < oldest {
        return Err(Error::Unusable(format!(
            "{} was written by an earlier version (schema {version}, this program's is {VERSION}). Start idp serve \
             once: it makes a backup and then brings the database up to date",
            path.display()
        )));
    }
    check_head(&ReadTx { conn }).map_err(|what| not_ours(path, &what))
}

/// Header and version only, which it returns. An earlier version may be read, checked and copied, and its trail gone on
/// with: its instance row, trail, people and cases are where they are now. More may be done to it only once it is brought
/// up to date.
pub(super) fn check_header(conn: &Connection, path: &Path) -> Result<i64> {
    let pragma = |name: &str| conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let application = pragma("application_id").map_err(|e| not_ours(path, &e.to_string()))?;
    if application != APPLICATION_ID {
        return Err(not_ours(path, "its header says that another program made it, or none"));
    }
    let version = pragma("user_version")?;
    if version > VERSION {
        return Err(Error::Unusable(format!(
            "{} was written by a newer version (schema {version}, this program knows {VERSION}): run that version",
            path.display()
        )));
    }
    if version < OLDEST {
        return Err(not_ours(path, &format!("its schema version is {version}, and the first one was {OLDEST}")));
    }
    Ok(version)
}

/// The schema's version of an open database.
pub fn get_version(tx: &ReadTx<'_>) -> Result<i64> {
    Ok(tx.conn.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// The newest entry must exist, belong to the lineage in `instance`, extend the one before and hash to what it says.
///
/// # Errors
/// What is wrong, or why it can not be told.
pub fn check_head(tx: &ReadTx<'_>) -> Result<(), String> {
    let say = |e: Error| e.to_string();
    let instance = instance::get(tx).map_err(say)?;
    let head = audit::get_head(tx).map_err(say)?;
    let entry = audit::find_entry(tx, head.seq).map_err(say)?.ok_or("its audit trail is empty")?;
    if entry.header.lineage != instance.lineage {
        return Err("its newest audit entry belongs to another lineage".into());
    }
    let before = match head.seq {
        1 => chain::GENESIS,
        n => {
            audit::find_entry(tx, n - 1).map_err(say)?.ok_or("the entry before the newest audit entry is missing")?.hash
        }
    };
    crate::audit::verify::check_entry(&(&entry).into(), &before, 0)
        .map(drop)
        .map_err(|what| format!("its newest audit entry, {}, {what}; idp audit verify says more", head.seq))
}

/// The moment at which an instance is created, for its first entry.
pub fn new_instance(key_fingerprint: [u8; 16], now: Timestamp) -> Instance {
    Instance { origin: uuid::Uuid::now_v7().to_string(), lineage: new_lineage(), key_fingerprint, created_at: now }
}

/// A new lineage: 16 hexadecimal digits.
pub fn new_lineage() -> String {
    data_encoding::HEXLOWER.encode(&crate::secret::random::<8>())
}

/// The version of the SQLite inside this program.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

const _: () = assert!(rusqlite::ffi::SQLITE_VERSION_NUMBER >= OLDEST_SQLITE, "the bundled SQLite is too old");

/// Those of the tables, indexes and triggers that are not as in a new database, too many or missing. One trigger too many
/// can hide what happens from the trail, whose chain would stay whole.
pub(super) fn list_differences(conn: &Connection) -> Result<BTreeSet<String>> {
    let new = Connection::open_in_memory()?;
    new.execute_batch(SCHEMA)?;
    let (there, wanted) = (list_parts(conn)?, list_parts(&new)?);
    Ok(there.symmetric_difference(&wanted).map(|(name, _)| name.clone()).collect())
}

/// What the database is made of, each with the text that makes it, but for what ALTER TABLE does differently: comments,
/// spaces and quotes. Statistics are no part of it: whoever owns the file may have gathered some.
fn list_parts(conn: &Connection) -> Result<BTreeSet<(String, String)>> {
    let mut query = conn.prepare(
        "SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'",
    )?;
    let parts = query.query_map([], |row| {
        let sql: String = row.get(1)?;
        let code: String = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        Ok((row.get(0)?, code.replace('"', "").split_whitespace().collect()))
    })?;
    Ok(parts.collect::<rusqlite::Result<_>>()?)
}

/// Whether a trigger's text stands exactly so in the schema of that version.
pub(super) fn has_trigger(sql: &str, version: i64) -> bool {
    SCHEMA.contains(sql) || version < 4 && sql == GUARD_BEFORE_4
}

/// What guarded entries against any change, before what they say could be erased.
const GUARD_BEFORE_4: &str = "CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit BEGIN
    SELECT raise(ABORT, 'an audit entry is never changed');
END";

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::StatementStatus;

    #[test]
    fn every_connection_syncs_fully_and_keeps_references() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for access in [OpenFlags::SQLITE_OPEN_READ_WRITE, OpenFlags::SQLITE_OPEN_READ_ONLY] {
            let conn = open(file.path(), access).unwrap();
            let setting =
                |name: &str| conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap();
            assert_eq!((setting("synchronous"), setting("foreign_keys")), (2, 1), "2 is FULL");
        }
    }

    #[test]
    fn a_statement_is_compiled_once_whatever_values_it_is_given() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let conn = open(file.path(), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        conn.execute_batch(SCHEMA).unwrap();
        // The shape of the query behind every request of someone who is signed in.
        let sql = "SELECT u.id FROM sessions s JOIN users u ON u.id = s.user_id
                   WHERE s.token_hash = ?1 AND s.epoch = u.credential_epoch AND u.status = 'active'";
        for token in [[1; 32], [2; 32], [3; 32]] {
            let mut query = conn.prepare_cached(sql).unwrap();
            assert!(!query.exists([token]).unwrap());
            assert_eq!(query.get_status(StatementStatus::RePrepare), 0);
        }
    }
}

//! A consistent copy of a live database, checked before it counts.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::instance::Instance;
use super::{Error, ReadTx, Result, audit, instance, schema};
use crate::audit::verify::{Broken, Walk};
use crate::audit::{Head, Header};

/// Copies the database at `from` into the empty private file `to` (made by the caller), in one step on a connection of
/// its own, so that it never has to start again because of a writer. The copy is one file without a log beside it.
///
/// # Errors
/// Why it could not be copied; the caller removes the file then.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    copy_open(&schema::open(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?, to)
}

/// As [`copy`], of a database that is open.
pub(super) fn copy_open(source: &Connection, to: &Path) -> Result<()> {
    let mut target = schema::open(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // The copy becomes durable by one fsync of its file at the end, by the caller, before it gets its name.
    target.execute_batch("PRAGMA synchronous = OFF")?;
    copy_all(&Backup::new(source, &mut target)?)?;
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    target.close().map_err(|(_, e)| Error::from(e))
}

/// How often a file that is locked is tried again, and the pause between: ten seconds in all. A database in WAL mode, as
/// ours is, is never locked for reading; a file that someone put there may be.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

pub(super) fn copy_all(backup: &Backup<'_, '_>) -> Result<()> {
    for _ in 0..TRIES {
        // All pages in one step; one that could not begin says so.
        if backup.step(-1)? == StepResult::Done {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    Err(Error::Busy)
}

/// What a check of a whole database found.
#[derive(Debug)]
pub struct Checked {
    /// The version of its schema.
    pub version: i64,
    /// Which instance it is.
    pub instance: Instance,
    /// The newest entry.
    pub head: Head,
    /// Guarding triggers that are missing or altered.
    pub missing_guards: Vec<&'static str>,
    /// Other parts of the database that are missing, altered, or none of this program's.
    pub strange: Vec<String>,
    /// What `PRAGMA integrity_check` says, unless it is "ok".
    pub damage: Option<String>,
    /// The first entry at which the chain does not hold.
    pub broken: Option<Broken>,
    /// That entry's header, as it stands there now, if there is such an entry.
    pub broken_header: Option<Header>,
    /// Entries that were checked.
    pub entries: i64,
    /// How many lineages there are: one more than restores.
    pub lineages: u32,
}

impl Checked {
    /// Nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.missing_guards.is_empty() && self.strange.is_empty() && self.damage.is_none() && self.broken.is_none()
    }
}

/// Opens a database read-only, whole and alone, and checks header, version, structure and chain.
///
/// # Errors
/// When it can not be read as a database of ours at all.
pub fn check(path: &Path) -> Result<Checked> {
    let conn = schema::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let version = schema::check_header(&conn, path)?;
    conn.execute_batch("BEGIN")?;
    check_open(&conn, version)
}

/// Looks into a database without a writer: for a command that must change nothing, also not the log beside the file.
///
/// # Errors
/// When it can not be read as a database of ours, and what `look` says.
pub fn read_alone<T>(path: &Path, look: impl FnOnce(&ReadTx<'_>) -> Result<T>) -> Result<T> {
    let conn = schema::open_reader(path)?;
    schema::check_header(&conn, path)?;
    conn.execute_batch("BEGIN")?;
    look(&ReadTx { conn: &conn })
}

pub(super) fn check_open(conn: &Connection, version: i64) -> Result<Checked> {
    let tx = ReadTx { conn };
    let damage: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let (walk, broken) = walk(&tx)?;
    // An entry that can not be read back has no header to show.
    let mut strange: Vec<_> = match version {
        schema::VERSION => schema::list_differences(conn)?.into_iter().collect(),
        // An earlier version's layout is looked at once it is brought up to date.
        _ => Vec::new(),
    };
    strange.retain(|part| !schema::GUARDS.iter().any(|guard| part.ends_with(guard)));
    let found = broken.as_ref().and_then(|b| audit::find_entry(&tx, b.seq).ok().flatten());
    Ok(Checked {
        version,
        instance: instance::get(&tx)?,
        head: audit::get_head(&tx)?,
        missing_guards: audit::list_missing_guards(&tx)?,
        strange,
        damage: (damage != "ok").then_some(damage),
        broken,
        broken_header: found.map(|entry| entry.header),
        entries: walk.entries(),
        lineages: walk.lineages(),
    })
}

/// Walks the whole chain and compares its end with the instance's row.
///
/// # Errors
/// When it can not be read.
pub fn walk(tx: &ReadTx<'_>) -> Result<(Walk, Option<Broken>)> {
    let mut walk = Walk::default();
    let mut broken = None;
    let walked = audit::walk(tx, i64::MIN, |entry| match walk.step(entry) {
        Ok(()) => true,
        Err(b) => {
            broken = Some(b);
            false
        }
    });
    if let Err(e) = walked {
        // A value of a kind or length that no entry has: that very entry is what is wrong, not the reading of it.
        let Error::Other(why) = e else { return Err(e) };
        broken = Some(Broken { seq: walk.entries() + 1, what: format!("can not be read: {why}") });
    }
    if broken.is_none() {
        let lineage = instance::get(tx)?.lineage;
        if walk.entries() == 0 {
            broken = Some(Broken { seq: 1, what: "is missing: the trail is empty".into() });
        } else if walk.lineage() != Some(&lineage) {
            let what = format!("belongs to lineage {}, the instance to {lineage}", walk.lineage().unwrap_or("none"));
            broken = Some(Broken { seq: walk.entries(), what });
        }
    }
    Ok((walk, broken))
}

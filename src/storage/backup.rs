//! A consistent copy of a live database, checked before it counts.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::sync_channel;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::instance::Instance;
use super::{Error, ReadTx, Result, audit, instance, retention, schema};
use crate::audit::verify::{Broken, Walk};
use crate::audit::{Head, Header};

/// Copies the database at `from` into the empty private file `to` (made by the caller), of one moment, on a connection of
/// its own, so that no writer waits for it. The copy is one file without a log beside it.
///
/// # Errors
/// Why it could not be copied; the caller removes the file then.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    copy_open(&schema::open(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?, to)
}

/// As [`copy`], of a database that is open.
pub(super) fn copy_open(source: &Connection, to: &Path) -> Result<()> {
    let mut target = schema::open(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // The copy becomes durable by fsyncs of its file, the last one by the caller, before it gets its name.
    target.execute_batch("PRAGMA synchronous = OFF")?;
    // One moment for all pieces: without it, each write in between would make SQLite begin again.
    let moment = source.unchecked_transaction()?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    copy_all(&Backup::new(source, &mut target)?, to)?;
    drop(moment);
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    target.close().map_err(|(_, e)| Error::from(e))
}

/// Pages that are copied before they are made durable: 8 MiB. All at the end, and every commit of the server would wait
/// until the disk has taken a whole database; much fewer, and the copy would be a matter of syncing.
const PIECE: i32 = 2048;

fn copy_all(backup: &Backup<'_, '_>, to: &Path) -> Result<()> {
    let file = File::open(to).map_err(unsynced)?;
    // The next piece is copied while this one is synced, and no more.
    let (copied, pieces) = sync_channel::<()>(0);
    std::thread::scope(|scope| {
        let syncing = scope.spawn(move || pieces.iter().try_for_each(|()| file.sync_data()));
        loop {
            match backup.step(PIECE)? {
                StepResult::Done => break,
                // The other end is gone only with an error, which it then tells.
                StepResult::More if copied.send(()).is_err() => break,
                StepResult::More => {}
                _ => return Err(Error::Busy),
            }
        }
        drop(copied);
        syncing.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into())).map_err(unsynced)
    })
}

fn unsynced(e: io::Error) -> Error {
    Error::Other(format!("the copy can not be made durable: {e}").into())
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
    /// The last entry of which the trail records that its body was erased; 0 if none was.
    pub erased: i64,
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
    let (walk, broken) = match walk_halves(&tx) {
        Some(walk) => (walk, None),
        None => walk(&tx)?,
    };
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
        missing_guards: audit::list_missing_guards(&tx, version)?,
        strange,
        damage: (damage != "ok").then_some(damage),
        broken,
        broken_header: found.map(|entry| entry.header),
        entries: walk.entries(),
        erased: retention::check_record(&tx)?.0,
        lineages: walk.lineages(),
    })
}

/// Walks the whole chain and compares its end with the instance's row.
///
/// # Errors
/// When it can not be read.
pub fn walk(tx: &ReadTx<'_>) -> Result<(Walk, Option<Broken>)> {
    let (erased, misrecorded) = retention::check_record(tx)?;
    let mut walk = Walk::new(erased);
    let mut broken = walk_range(tx, &mut walk, i64::MIN, i64::MAX)?;
    if broken.is_none() {
        let lineage = instance::get(tx)?.lineage;
        if walk.entries() == 0 {
            broken = Some(Broken { seq: 1, what: "is missing: the trail is empty".into() });
        } else if walk.lineage() != Some(&lineage) {
            let what = format!("belongs to lineage {}, the instance to {lineage}", walk.lineage().unwrap_or("none"));
            broken = Some(Broken { seq: walk.entries(), what });
        }
    }
    // What comes first is told.
    let broken = broken.into_iter().chain(misrecorded).min_by_key(|broken| broken.seq);
    Ok((walk, broken))
}

/// As [`walk`], but in two halves at the same time. Only of a sound chain; of any other there is no answer, so that what
/// is wrong with it is always told by walking it in order.
pub fn walk_halves(tx: &ReadTx<'_>) -> Option<Walk> {
    let path = Path::new(tx.conn.path()?);
    // Also fixes the moment that `tx` sees. The other connection sees a later one, in which all these entries stand.
    let head = audit::get_head(tx).ok()?;
    let middle = head.seq / 2;
    let Ok((erased, None)) = retention::check_record(tx) else { return None };
    // What the second half begins with is only believed for now: the first half has to end with it.
    let seam = Walk::behind(&audit::find_entry(tx, middle).ok()??, erased);
    let mut first = Walk::new(erased);
    let (first_sound, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| walk_second_half(path, seam.clone(), head.seq));
        let sound = matches!(walk_range(tx, &mut first, i64::MIN, middle), Ok(None));
        // A panic is no answer either.
        (sound, second.join().ok().flatten())
    });
    let walk = first.joined(&seam, second?).filter(|_| first_sound)?;
    (walk.entries() == head.seq && walk.lineage() == Some(&head.lineage)).then_some(walk)
}

fn walk_second_half(path: &Path, mut walk: Walk, up_to: i64) -> Option<Walk> {
    let conn = schema::open_reader(path).ok()?;
    let from = walk.entries() + 1;
    let broken = walk_range(&ReadTx { conn: &conn }, &mut walk, from, up_to);
    matches!(broken, Ok(None)).then_some(walk)
}

fn walk_range(tx: &ReadTx<'_>, walk: &mut Walk, from: i64, up_to: i64) -> Result<Option<Broken>> {
    let mut broken = None;
    let walked = audit::walk(tx, from, up_to, |entry| match walk.step(entry) {
        Ok(()) => true,
        Err(b) => {
            broken = Some(b);
            false
        }
    });
    match walked {
        // A value of a kind or length that no entry has: that very entry is what is wrong, not the reading of it.
        Err(Error::Other(why)) => Ok(Some(Broken { seq: walk.entries() + 1, what: format!("can not be read: {why}") })),
        walked => walked.map(|()| broken),
    }
}

//! The only floor that knows SQLite: one file a noun with its SQL and its mapping of rows.
//!
//! Architecture invariant: there is one way to write, [`Store::change`], and it can not be used without an audit entry.
//! A function that writes takes a [`WriteTx`], which only the writer thread makes. Two narrow side doors exist for what
//! is no evidence: [`Store::touch`] and [`Store::sweep`], whose transactions offer a closed list of functions each.
//!
//! Verbs are a closed set: `find_` (may be absent), `get_` (must exist), `list_`, `count_`, `insert_`, `update_`,
//! `delete_`.

pub mod anchors;
pub mod audit;
pub mod backup;
pub mod backup_codes;
pub mod carry;
pub mod contacts;
pub mod dashboard;
pub mod devices;
pub mod factors;
pub mod instance;
pub mod links;
pub mod migrate;
pub mod nonces;
pub mod notices;
pub mod outbox;
#[cfg(test)]
mod plans;
pub mod policy;
pub mod portraits;
pub mod readers;
pub mod recovery;
pub mod restore;
pub mod retention;
pub mod schema;
pub mod sessions;
pub mod signals;
pub mod streams;
pub mod sweep;
pub mod throttle;
pub mod touch;
pub mod users;
mod writer;

#[cfg(feature = "testing")]
pub mod faults;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use crate::audit::Record;
use crate::time::{Clock, Timestamp};

pub use readers::Readers;
pub use writer::Writer;

/// Why storage could not do what was asked. Nothing was changed.
#[derive(Debug, Clone)]
pub enum Error {
    /// The disk is full.
    Full,
    /// The disk or the file can not be written.
    ReadOnly,
    /// Another process holds the database for too long.
    Busy,
    /// The file is no database of ours, or damaged: what is wrong.
    Unusable(String),
    /// The program is shutting down.
    Stopped,
    /// Anything else: for the log, not for a page.
    Other(Arc<str>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the disk is full: free some space and try again; nothing was changed"),
            Self::ReadOnly => f.write_str(
                "the data folder can not be written: check its owner, its mode and the mount; nothing was changed",
            ),
            Self::Busy => f.write_str("another process holds the database: try again; nothing was changed"),
            Self::Unusable(what) => f.write_str(what),
            Self::Stopped => f.write_str("the program is shutting down"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {}

impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match e.sqlite_error_code() {
            Some(Code::DiskFull) => Self::Full,
            Some(Code::ReadOnly | Code::PermissionDenied) => Self::ReadOnly,
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::Busy,
            Some(Code::NotADatabase) => Self::Unusable("the file is not a database".into()),
            Some(Code::DatabaseCorrupt) => {
                Self::Unusable(format!("the database is damaged ({e}): restore the last good backup"))
            }
            _ => Self::Other(e.to_string().into()),
        }
    }
}

/// What can go wrong in a change: at the least, what storage answers. A change that ended the whole batch's transaction
/// tells the others of the batch why, so that a full disk is a full disk for all of them.
pub trait Failed: From<Error> + Send + 'static {
    /// What storage answered, where that was it.
    fn storage(&self) -> Option<&Error>;
}

impl Failed for Error {
    fn storage(&self) -> Option<&Error> {
        Some(self)
    }
}

/// What storage answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A read transaction: everything seen through it is of one moment.
pub struct ReadTx<'c> {
    conn: &'c Connection,
}

/// A write transaction, made by the writer thread alone. Reads through it see what it wrote.
pub struct WriteTx<'c> {
    read: ReadTx<'c>,
    now: Timestamp,
}

impl WriteTx<'_> {
    /// The batch's one moment, read inside the lock. It is also the time of the audit entries, unless the clock has
    /// stepped back behind the newest of them.
    pub const fn now(&self) -> Timestamp {
        self.now
    }
}

impl<'c> std::ops::Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;

    fn deref(&self) -> &ReadTx<'c> {
        &self.read
    }
}

/// A value together with the entries that must be written for it. It can not be made without one.
#[derive(Debug)]
pub struct Audited<T> {
    value: T,
    records: Vec<Record>,
}

impl<T> Audited<T> {
    /// `value`, of which `record` tells.
    pub fn new(value: T, record: Record) -> Self {
        Self { value, records: vec![record] }
    }

    /// One more entry, after those before.
    pub fn and(mut self, record: Record) -> Self {
        self.records.push(record);
        self
    }

    /// All of `records` after those before.
    pub fn and_all(mut self, records: impl IntoIterator<Item = Record>) -> Self {
        self.records.extend(records);
        self
    }

    fn into_inner(self) -> (T, Vec<Record>) {
        (self.value, self.records)
    }
}

/// The database: one writer, a few readers.
pub struct Store {
    path: PathBuf,
    // Dropped before the writer: the connection that closes last folds the log into the file, and only the writer's can.
    readers: Readers,
    writer: Writer,
    erased: AtomicBool,
}

impl Store {
    /// Opens an existing database whose header, version and head entry are right.
    ///
    /// # Errors
    /// [`Error::Unusable`] says which of them is not.
    pub fn open(path: &Path, clock: Clock) -> Result<Self> {
        Self::open_since(schema::VERSION, path, clock)
    }

    /// As [`Store::open`], also of an earlier version: for those who read it, copy it, and go on with its trail, and do no
    /// more than that. They work beside a server that runs the program of that version.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_trail(path: &Path, clock: Clock) -> Result<Self> {
        Self::open_since(schema::OLDEST, path, clock)
    }

    fn open_since(oldest: i64, path: &Path, clock: Clock) -> Result<Self> {
        let conn = schema::open_checked(path, oldest)?;
        let (writer, readers) = (Writer::start(conn, clock), Readers::new(path));
        Ok(Self { path: path.to_owned(), writer, readers, erased: AtomicBool::new(false) })
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Changes something and records it, in one durable transaction; the only way to write.
    ///
    /// `act` runs on the writer thread and may see uncommitted work of the same batch. When it returns an error its
    /// part is undone and nothing is recorded. This returns after the commit.
    ///
    /// # Errors
    /// What `act` says, or why nothing could be written.
    pub fn change<T, E>(&self, act: impl FnOnce(&WriteTx<'_>) -> Result<Audited<T>, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failed,
    {
        self.writer.run(move |tx| act(tx).map(Audited::into_inner))
    }

    /// Writes what is no evidence; see [`touch::TouchTx`] for the closed list.
    ///
    /// # Errors
    /// Why nothing could be written.
    pub fn touch<T: Send + 'static>(
        &self,
        act: impl FnOnce(&touch::TouchTx<'_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.run(move |tx| act(&touch::TouchTx::new(tx)).map(|value| (value, Vec::new())))
    }

    /// As [`Store::touch`], without waiting for it and without an answer: a lost one loses no evidence.
    pub fn touch_later(&self, act: impl FnOnce(&touch::TouchTx<'_, '_>) -> Result<()> + Send + 'static) {
        self.writer.run_later(move |tx| act(&touch::TouchTx::new(tx)).map(|()| ((), Vec::new())));
    }

    /// Deletes what has expired; see [`sweep::SweepTx`] for the closed list.
    ///
    /// # Errors
    /// Why nothing could be deleted.
    pub fn sweep<T: Send + 'static>(
        &self,
        act: impl FnOnce(&sweep::SweepTx<'_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.run(move |tx| act(&sweep::SweepTx::new(tx)).map(|value| (value, Vec::new())))
    }

    /// Notes that something was erased that may still stand in the database's log.
    pub fn note_erased(&self) {
        self.erased.store(true, Ordering::Relaxed);
    }

    /// Empties the log if something was erased that may still stand in it; says whether it still may, because somebody read
    /// or wrote at this moment.
    ///
    /// # Errors
    /// Why the log can not be folded.
    pub fn fold_erased(&self) -> Result<bool> {
        if self.erased.load(Ordering::Relaxed) && retention::fold_log(&self.path)? {
            self.erased.store(false, Ordering::Relaxed);
        }
        Ok(self.erased.load(Ordering::Relaxed))
    }

    /// Reads, at one moment.
    ///
    /// # Errors
    /// What `look` says, or why the database can not be read.
    pub fn read<T, E: From<Error>>(&self, look: impl FnOnce(&ReadTx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.readers.read(look)
    }

    /// Whether changes can be written, as far as is known without writing one.
    ///
    /// # Errors
    /// Why the last ones could not be written, or that nothing can be any more.
    pub fn check_writer(&self) -> Result<()> {
        self.writer.check()
    }

    /// How many jobs were ever queued; only in builds for tests.
    #[cfg(feature = "testing")]
    pub fn sent(&self) -> usize {
        self.writer.sent.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Makes the next writes fail in a chosen way; only in builds for tests.
    #[cfg(feature = "testing")]
    pub fn inject(&self, fault: faults::Fault) {
        self.writer.with_connection(move |conn| faults::install(conn, &fault));
    }
}

//! Putting a backup in place of the database: copied beside it, checked, given a new lineage, swapped in one step.
//!
//! Architecture invariant: a database that stood there before is never lost; it stays as `idp.db.replaced-…`, whole with
//! its log. Until the swap nothing of it changes, and a new database never stands beside an old log. What was decided in
//! it since the backup is kept as far as it can be read; otherwise nobody but owners gets in until one has confirmed who
//! is here.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::actions::checkpoint;
use crate::actions::data_folder::{DATABASE_FILE, database};
use crate::audit::{Head, Source};
use crate::host::draft::{Draft, Place, with_suffix};
use crate::host::files::{self, FileError};
use crate::host::keys::{self, AUDIT_KEY_FILE, KeyError, SEED_KEY_FILE};
use crate::host::lock::{FolderLock, LockError};
use crate::storage;
use crate::storage::backup::{self, Checked};
use crate::storage::carry::{Old, find_head, find_old};
use crate::storage::restore::{Begun, Factors, begin_lineage, fold_log};
use crate::time::Timestamp;

/// Why nothing was restored. The database that was there still is.
#[derive(Debug)]
pub enum RestoreError {
    /// A server or another restore has the folder.
    Lock(LockError),
    /// The backup does not pass its check.
    NotSound(Box<Checked>),
    /// The file is the live database itself.
    Live(PathBuf),
    /// The seed key in the folder is missing (`None`) or another one than the backup's.
    SeedKey {
        /// The folder.
        folder: PathBuf,
        /// Whether a key file is there.
        found: bool,
    },
    /// A command has the database open.
    InUse(PathBuf),
    /// A key file can not be used.
    Key(KeyError),
    /// A file can not be written.
    File(FileError),
    /// A file can not be moved.
    Move(PathBuf, io::Error),
    /// A database can not be read or written.
    Storage(storage::Error),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lock(e) => write!(f, "{e}"),
            Self::NotSound(_) => f.write_str("the backup does not pass its check: use another one"),
            Self::Live(path) => write!(f, "{} is the live database itself: name a backup", path.display()),
            Self::SeedKey { folder, found } => {
                let path = folder.join(SEED_KEY_FILE);
                let what = if *found { "belongs to another database than this backup" } else { "is missing" };
                write!(
                    f,
                    "the key file {} {what}: put the right one there, from where it is kept; if it is lost, use \
                     --without-factors, which makes everyone enrol a second factor again",
                    path.display()
                )
            }
            Self::InUse(path) => {
                write!(f, "another command has {} open: wait until it has ended and try again", path.display())
            }
            Self::Key(e) => write!(f, "{e}"),
            Self::File(e) => write!(f, "{e}"),
            Self::Move(path, _) => write!(f, "can not move {}", path.display()),
            Self::Storage(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for RestoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Lock(e) => e.source(),
            Self::Key(e) => e.source(),
            Self::File(e) => e.source(),
            Self::Move(_, e) => Some(e),
            _ => None,
        }
    }
}

impl From<FileError> for RestoreError {
    fn from(e: FileError) -> Self {
        Self::File(e)
    }
}

impl From<KeyError> for RestoreError {
    fn from(e: KeyError) -> Self {
        Self::Key(e)
    }
}

impl From<storage::Error> for RestoreError {
    fn from(e: storage::Error) -> Self {
        Self::Storage(e)
    }
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// The newest entry of the backup.
    pub backup: Head,
    /// The database that it became.
    pub begun: Begun,
    /// Where the database that stood there before is now.
    pub replaced: Option<PathBuf>,
    /// Key files that were made.
    pub new_keys: Vec<&'static str>,
}

/// Restores the backup `file` into `folder`, which is created if it is absent.
///
/// # Errors
/// See [`RestoreError`].
pub fn restore(
    folder: &Path,
    file: &Path,
    without_factors: bool,
    source: &Source,
    now: Timestamp,
) -> Result<Restored, RestoreError> {
    let target = database(folder);
    if is_same_file(file, &target) {
        return Err(RestoreError::Live(file.to_owned()));
    }
    // Before the folder is touched: the most usual mistake is the wrong file.
    let found = backup::check(file)?;
    if !found.is_good() {
        return Err(RestoreError::NotSound(Box::new(found)));
    }
    files::create_folder(folder)?;
    let _lock = FolderLock::acquire(folder).map_err(RestoreError::Lock)?;
    Draft::sweep(folder, |name| name == DATABASE_FILE);
    let mut draft = Draft::beside(&target)?;
    backup::copy(file, draft.path())?;
    // What will be used is the copy, and the file may have changed since.
    let copy = check(draft.path())?;
    let mut keys = NewKeys { folder, made: Vec::new() };
    let factors = choose_factors(&mut keys, &copy, without_factors)?;
    let old = find_old(&target, draft.path());
    let from = crate::audit::clean(&file.to_string_lossy());
    let begun = begin_lineage(draft.path(), from, old.as_ref(), factors, source, now)?;
    check(draft.path())?;
    for made in std::iter::once(draft.path().to_owned()).chain(keys.made.iter().map(|name| folder.join(name))) {
        files::give_to_owner_of(folder, &made)?;
    }
    // It speaks of the database that is replaced on purpose. Without it, the next server is only less strict.
    checkpoint::forget(folder).map_err(|e| RestoreError::Move(folder.join(checkpoint::CHECKPOINT_FILE), e))?;
    let replaced = swap(&mut draft, &target, old.as_ref(), now)?;
    Ok(Restored { backup: copy.head, begun, replaced, new_keys: std::mem::take(&mut keys.made) })
}

fn check(path: &Path) -> Result<Checked, RestoreError> {
    let checked = backup::check(path)?;
    if checked.is_good() { Ok(checked) } else { Err(RestoreError::NotSound(Box::new(checked))) }
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    let (Ok(a), Ok(b)) = (a.metadata(), b.metadata()) else { return false };
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Key files made on the way; removed again unless the restore succeeds and takes them.
struct NewKeys<'a> {
    folder: &'a Path,
    made: Vec<&'static str>,
}

impl Drop for NewKeys<'_> {
    fn drop(&mut self) {
        for name in &self.made {
            let _ = std::fs::remove_file(self.folder.join(name));
        }
    }
}

fn choose_factors(keys: &mut NewKeys<'_>, copy: &Checked, without: bool) -> Result<Factors, RestoreError> {
    let folder = keys.folder;
    if folder.join(AUDIT_KEY_FILE).symlink_metadata().is_err() {
        keys::create_audit(folder)?;
        keys.made.push(AUDIT_KEY_FILE);
    }
    let found = keys::find_seed(folder)?.map(|key| key.fingerprint());
    match (found, without) {
        (Some(found), true) => Ok(Factors::Remove(found)),
        (None, true) => {
            let key = keys::create_seed(folder)?;
            keys.made.push(SEED_KEY_FILE);
            Ok(Factors::Remove(key.fingerprint()))
        }
        (Some(found), false) if found == copy.instance.key_fingerprint => Ok(Factors::Keep),
        (found, false) => Err(RestoreError::SeedKey { folder: folder.to_owned(), found: found.is_some() }),
    }
}

/// Gives the old database a second name, then the new one its name in one step, so that there always is a database.
fn swap(draft: &mut Draft, target: &Path, old: Option<&Old>, now: Timestamp) -> Result<Option<PathBuf>, RestoreError> {
    if target.symlink_metadata().is_err() {
        move_log(target, &replaced_name(target, now))?;
        draft.place(target, Place::Free)?;
        return Ok(None);
    }
    let replaced = replaced_name(target, now);
    // One that can not be read is kept as it is, with its log: opening it for writing would throw a damaged log away.
    if find_head(target).is_some() {
        let in_use = match fold_log(target) {
            // What a command has written since it was read would be lost without a word.
            Ok(head) => old.is_some_and(|old| old.head != head),
            Err(e) => matches!(e, storage::Error::Busy),
        };
        if in_use {
            return Err(RestoreError::InUse(target.to_owned()));
        }
    }
    let failed = |e| RestoreError::Move(target.to_owned(), e);
    // A file system without second names: for an instant there is no database, and the keys say so.
    std::fs::hard_link(target, &replaced).or_else(|_| std::fs::rename(target, &replaced)).map_err(failed)?;
    let placed = move_log(target, &replaced).and_then(|()| Ok(draft.place(target, Place::Over)?));
    if placed.is_err() && !draft.is_placed() {
        put_back(target, &replaced);
    }
    placed.map(|()| Some(replaced))
}

/// The old database under its own name only, with its log.
fn put_back(target: &Path, replaced: &Path) {
    if target.symlink_metadata().is_ok() {
        let _ = std::fs::remove_file(replaced);
    } else {
        let _ = std::fs::rename(replaced, target);
    }
    let _ = std::fs::rename(with_suffix(replaced, "-wal"), with_suffix(target, "-wal"));
}

fn replaced_name(target: &Path, now: Timestamp) -> PathBuf {
    with_suffix(target, &format!(".replaced-{}", now.to_string().replace([':', '-'], "")))
}

/// A log that could not be folded in goes along with its database; the index to it is only memory.
fn move_log(target: &Path, replaced: &Path) -> Result<(), RestoreError> {
    let log = with_suffix(target, "-wal");
    if log.symlink_metadata().is_ok() {
        std::fs::rename(&log, with_suffix(replaced, "-wal")).map_err(|e| RestoreError::Move(log, e))?;
    }
    let _ = std::fs::remove_file(with_suffix(target, "-shm"));
    Ok(())
}

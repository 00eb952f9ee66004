//! A backup: copied, synced, checked, and only then given its name; recorded after that.
//!
//! Architecture invariant: a file that has a backup's name was checked whole, and a run that fails leaves every earlier
//! backup as it was. The entry `backup.created` is written into the live database once the file is in place, so it never
//! claims a backup that came to nothing; the file itself ends at the entry before.

use std::fmt;
use std::io::{self, Read};
use std::num::NonZeroU32;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::{Actor, Event, Head, Record, Source};
use crate::host::draft::{Draft, Place};
use crate::host::files::{FileError, folder_of};
use crate::storage::backup::{self, Checked};
use crate::storage::{self, Audited, Store};
use crate::time::Timestamp;

/// Why there is no new backup. Earlier ones are as they were.
#[derive(Debug)]
pub enum BackupError {
    /// What stands at the file's name is not ours to replace: why.
    Taken(PathBuf, &'static str),
    /// The copy does not pass its check, so the database itself is not sound.
    NotSound(Box<Checked>),
    /// A file or folder can not be written.
    File(FileError),
    /// A folder can not be listed.
    Folder(PathBuf, io::Error),
    /// The database can not be copied to this file.
    Copy(PathBuf, storage::Error),
    /// The copy can not be read back.
    Storage(storage::Error),
    /// The backup is good and in place, but could not be recorded.
    NotRecorded(PathBuf, storage::Error),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(path, why) => write!(f, "{} {why}: name another file", path.display()),
            Self::NotSound(_) => f.write_str(
                "the database does not pass its own check, so no backup was written and no earlier one was touched; idp \
                 audit verify says what is wrong",
            ),
            Self::File(e) => write!(f, "{e}"),
            Self::Folder(path, _) => write!(f, "can not read the folder {}", path.display()),
            Self::Copy(path, e) => write!(f, "the copy to {} failed: {e}", path.display()),
            Self::Storage(e) => write!(f, "{e}"),
            Self::NotRecorded(path, e) => {
                write!(f, "the backup {} is whole and in place, but could not be recorded: {e}", path.display())
            }
        }
    }
}

impl std::error::Error for BackupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(e) => e.source(),
            Self::Folder(_, e) => Some(e),
            _ => None,
        }
    }
}

impl From<FileError> for BackupError {
    fn from(e: FileError) -> Self {
        Self::File(e)
    }
}

impl From<storage::Error> for BackupError {
    fn from(e: storage::Error) -> Self {
        Self::Storage(e)
    }
}

/// A backup that was written.
#[derive(Debug)]
pub struct Made {
    /// Where it is.
    pub path: PathBuf,
    /// Its newest entry.
    pub head: Head,
    /// Earlier backups that were deleted.
    pub deleted: Vec<PathBuf>,
}

/// Writes a backup into the folder `target`, under a name that sorts by time, or to the file `target`, in place of an
/// earlier backup there. `keep` is how many of the folder's backups stay, the new one included; others are deleted last.
///
/// # Errors
/// See [`BackupError`].
pub fn create(
    store: &Store,
    source: &Source,
    target: &Path,
    keep: Option<NonZeroU32>,
    now: Timestamp,
) -> Result<Made, BackupError> {
    let folder = target.is_dir().then_some(target);
    let intended = match folder {
        Some(folder) => folder.join(name_at(now)),
        None => target.to_owned(),
    };
    if folder.is_none() {
        check_replaceable(target, store.path())?;
    }
    // What a run that was killed left behind.
    match folder {
        Some(folder) => Draft::sweep(folder, is_own_name),
        None => Draft::sweep(folder_of(target), |name| target.file_name().is_some_and(|n| n == name)),
    }
    let mut draft = Draft::beside(&intended)?;
    backup::copy(store.path(), draft.path()).map_err(|e| BackupError::Copy(intended.clone(), e))?;
    let checked = backup::check(draft.path())?;
    if !checked.is_good() {
        return Err(BackupError::NotSound(Box::new(checked)));
    }
    let path = match folder {
        Some(folder) => place_in(&mut draft, folder, now)?,
        None => draft.place(&intended, Place::Over).map(|()| intended)?,
    };
    record(store, source, &path, &checked.head)?;
    let deleted = match (folder, keep) {
        (Some(folder), Some(keep)) => delete_oldest(folder, keep, &path)?,
        _ => Vec::new(),
    };
    Ok(Made { path, head: checked.head, deleted })
}

fn record(store: &Store, source: &Source, path: &Path, head: &Head) -> Result<(), BackupError> {
    let (source, head_seq) = (source.clone(), head.seq);
    let file = crate::audit::clean(&path.to_string_lossy());
    let recorded = store.change(move |_| -> storage::Result<_> {
        Ok(Audited::new((), Record::new(Actor::Host, &source, Event::BackupCreated { file, head_seq })))
    });
    recorded.map_err(|e| BackupError::NotRecorded(path.to_owned(), e))
}

/// `idp-20261124T021500.000Z.db`.
fn name_at(t: Timestamp) -> String {
    let text = t.to_string().replace(['-', ':'], "");
    // Without the microseconds: `20261124T021500.000123Z` has 15 characters, a point and three digits before them.
    format!("idp-{}Z.db", &text[..19])
}

/// Whether a file's name is one that [`name_at`] makes: no other file is ever deleted.
fn is_own_name(name: &str) -> bool {
    let Some(time) = name.strip_prefix("idp-").and_then(|n| n.strip_suffix("Z.db")) else { return false };
    time.len() == 19
        && time.bytes().enumerate().all(|(i, b)| match i {
            8 => b == b'T',
            15 => b == b'.',
            _ => b.is_ascii_digit(),
        })
}

/// Two runs within a millisecond: the later one gets the next.
fn place_in(draft: &mut Draft, folder: &Path, now: Timestamp) -> Result<PathBuf, BackupError> {
    let mut at = now;
    loop {
        let path = folder.join(name_at(at));
        match draft.place(&path, Place::Free) {
            Ok(()) => return Ok(path),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => at = at.plus(Duration::from_millis(1)),
            Err(e) => return Err(e.into()),
        }
    }
}

/// Only a backup of this program, or an empty file made to hold one, is replaced: never the live database, a link, a
/// key.
fn check_replaceable(target: &Path, live: &Path) -> Result<(), BackupError> {
    let Ok(meta) = target.symlink_metadata() else { return Ok(()) };
    let refuse = |why| Err(BackupError::Taken(target.to_owned(), why));
    if meta.file_type().is_symlink() {
        return refuse("is a symbolic link");
    }
    if !meta.is_file() {
        return refuse("is no regular file");
    }
    if live.metadata().is_ok_and(|m| (m.dev(), m.ino()) == (meta.dev(), meta.ino())) {
        return refuse("is the live database itself");
    }
    if meta.len() > 0 && !is_our_database(target) {
        return refuse("exists and is no backup of this program");
    }
    Ok(())
}

/// The file format's header: its magic at 0, the application's id at 68 (sqlite.org/fileformat2.html).
fn is_our_database(path: &Path) -> bool {
    let mut header = [0; 72];
    let read = std::fs::File::open(path).and_then(|mut f| f.read_exact(&mut header));
    read.is_ok() && header.starts_with(b"SQLite format 3\0") && header[68..] == *b"idp1"
}

/// Deletes the oldest backups beyond `keep`. The one just made always stays, whatever the clock says about the others.
fn delete_oldest(folder: &Path, keep: NonZeroU32, made: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let failed = |e| BackupError::Folder(folder.to_owned(), e);
    let mut others = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let own = entry.file_name().to_str().is_some_and(is_own_name);
        if own && entry.path() != made && entry.file_type().map_err(failed)?.is_file() {
            others.push(entry.path());
        }
    }
    others.sort();
    let most = usize::try_from(keep.get() - 1).unwrap_or(usize::MAX);
    others.truncate(others.len().saturating_sub(most));
    for path in &others {
        std::fs::remove_file(path).map_err(failed)?;
    }
    Ok(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time_and_only_they_are_ours() {
        let t = Timestamp::from_micros(1_795_000_000_123_456);
        assert_eq!(name_at(t), "idp-20261118T110640.123Z.db");
        assert!(name_at(t) < name_at(t.plus(Duration::from_millis(1))));
        assert!(is_own_name(&name_at(t)));
        for foreign in
            ["idp.db", "idp-20261118T110640Z.db", "idp-20261118T110640.123Z.db.gz", "idp-2026111XT110640.123Z.db"]
        {
            assert!(!is_own_name(foreign), "{foreign}");
        }
    }
}

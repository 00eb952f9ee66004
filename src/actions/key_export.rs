//! Giving out the key of the TOTP seeds, so that it can be kept elsewhere: it is in no backup.
//!
//! Architecture invariant: what is given out is the very text of `seed.key`, so putting it back is copying a file. A file
//! is recorded once it is in place, and removed again if it can not be recorded; what can not be taken back, standard
//! output, is recorded before.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;

use super::data_folder::{FolderError, open_store};
use crate::audit::filter::Filter;
use crate::audit::plain::Read;
use crate::audit::{Action, Actor, Event, Record, Source};
use crate::host::draft::{Draft, Place};
use crate::host::files::{self, FileError, folder_of};
use crate::host::keys::{SeedKey, find_seed};
use crate::secret::Secret;
use crate::storage::audit::{Order, list};
use crate::storage::{self, Audited, ReadTx, Store, instance};
use crate::time::{Clock, Timestamp};

/// Why the key was not given out.
#[derive(Debug)]
pub enum KeyExportError {
    /// The file would stand beside the key itself, and be lost with it.
    SamePlace(PathBuf),
    /// The file can not be written.
    File(FileError),
    /// It could not be recorded, so the file was removed again.
    NotRecorded(storage::Error),
}

impl fmt::Display for KeyExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SamePlace(path) => {
                write!(f, "{} is in the data folder, and would be lost with it: name a file elsewhere", path.display())
            }
            Self::File(e) => write!(f, "{e}"),
            Self::NotRecorded(e) => write!(f, "it could not be recorded, so nothing was written: {e}"),
        }
    }
}

impl std::error::Error for KeyExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(e) => e.source(),
            Self::SamePlace(_) | Self::NotRecorded(_) => None,
        }
    }
}

impl From<FileError> for KeyExportError {
    fn from(e: FileError) -> Self {
        Self::File(e)
    }
}

/// The database of a folder with the key that belongs to it. The other key may be missing.
///
/// # Errors
/// When there is no database, no such key, or one of another database.
pub fn open(folder: &Path, clock: Clock) -> Result<(Arc<Store>, SeedKey), FolderError> {
    let store = open_store(folder, clock)?;
    let key = find_seed(folder)?.ok_or_else(|| FolderError::NoSeedKey(folder.to_owned()))?;
    if store.read(instance::get)?.key_fingerprint != key.fingerprint() {
        return Err(FolderError::ForeignKey(folder.to_owned()));
    }
    Ok((store, key))
}

/// Writes the key into the new file `path`, which this account alone can read.
///
/// # Errors
/// See [`KeyExportError`]; then there is no such file.
pub fn to_file(store: &Store, key: &SeedKey, source: &Source, path: &Path) -> Result<(), KeyExportError> {
    if folder_of(path).canonicalize().ok() == folder_of(store.path()).canonicalize().ok() {
        return Err(KeyExportError::SamePlace(path.to_owned()));
    }
    let mut draft = Draft::beside(path)?;
    let written = draft.file().write_all(key.to_line().reveal().as_bytes());
    written.map_err(files::failed("write", path))?;
    draft.place(path, Place::Free)?;
    let to = crate::audit::clean(&path.to_string_lossy());
    record(store, key, source, to).map_err(|e| {
        // What stands in no entry must not be lying about.
        let _ = std::fs::remove_file(path);
        KeyExportError::NotRecorded(e)
    })
}

/// The key as text, to be printed; recorded already.
///
/// # Errors
/// When it could not be recorded.
pub fn to_standard_output(store: &Store, key: &SeedKey, source: &Source) -> Result<Secret, storage::Error> {
    record(store, key, source, "standard output".into())?;
    Ok(key.to_line())
}

fn record(store: &Store, key: &SeedKey, source: &Source, to: String) -> Result<(), storage::Error> {
    let (source, key) = (source.clone(), HEXLOWER.encode(&key.fingerprint()));
    store.change(move |_| Ok(Audited::new((), Record::new(Actor::Host, &source, Event::KeyExported { to, key }))))
}

/// When the key that is in use now was exported last. An older key, before a restore that made a new one, does not
/// count.
///
/// # Errors
/// When the trail can not be read.
pub fn find_last(tx: &ReadTx<'_>) -> Result<Option<Timestamp>, storage::Error> {
    let filter = Filter { action: Some(Action::SystemKeyExported), ..Filter::default() };
    let newest = list(tx, &filter, Order::NewestFirst, None, 1)?.into_iter().next();
    let key = HEXLOWER.encode(&instance::get(tx)?.key_fingerprint);
    Ok(newest.filter(|entry| Read::of(entry).fact("key") == key).map(|entry| entry.header.at))
}

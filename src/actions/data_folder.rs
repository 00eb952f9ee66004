//! Opening the data folder, and creating it on the first start.
//!
//! Architecture invariant: nothing bootstraps silently over what existed before. A folder is created only when it holds
//! none of our files; a key without its database, or a database without its key, is refused with a sentence that says
//! what to do. The database gets its name last, so a first start that was cut short never looks like a whole one.

mod error;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint;
use super::upgrade::{Upgraded, upgrade};
use crate::audit::Source;
use crate::host::draft::{Draft, Place};
use crate::host::files;
use crate::host::keys::{AUDIT_KEY_FILE, KeyError, Keys, SEED_KEY_FILE};
use crate::host::lock::FolderLock;
use crate::storage::instance::{self, Instance};
use crate::storage::{Store, schema};
use crate::time::Clock;

pub use error::FolderError;

/// Name of the database in the data folder.
pub const DATABASE_FILE: &str = "idp.db";

/// An open data folder.
pub struct Opened {
    /// The database.
    pub store: Arc<Store>,
    /// Both keys; the one of the TOTP seeds fits the database.
    pub keys: Keys,
}

/// A data folder that a server has to itself.
pub struct Serving {
    /// The database and the keys.
    pub opened: Opened,
    /// Held as long as the server runs.
    pub lock: FolderLock,
    /// Whether the database was made just now.
    pub created: bool,
    /// The database of an earlier version that was brought up to date just now.
    pub upgraded: Option<Upgraded>,
}

/// Where the database of a data folder stands.
pub fn database(folder: &Path) -> PathBuf {
    folder.join(DATABASE_FILE)
}

/// Opens the database alone, beside a running server: for commands that need no key, such as a backup, which must work
/// also when a key was lost.
///
/// # Errors
/// [`FolderError::Absent`] or [`FolderError::KeyWithoutDatabase`] when there is none, and why it can not be used.
pub fn open_store(folder: &Path, clock: Clock) -> Result<Arc<Store>, FolderError> {
    Ok(Arc::new(Store::open(&find_database(folder)?, clock)?))
}

/// As [`open_store`], also where an earlier version wrote the database: for commands that read it, copy it, and go on
/// with its trail. Between a new program's coming and the server's next start, backups must not fail.
///
/// # Errors
/// As [`open_store`].
pub fn open_trail(folder: &Path, clock: Clock) -> Result<Arc<Store>, FolderError> {
    Ok(Arc::new(Store::open_trail(&find_database(folder)?, clock)?))
}

/// The database of a folder, which must have one.
///
/// # Errors
/// [`FolderError::Absent`] or [`FolderError::KeyWithoutDatabase`].
pub fn find_database(folder: &Path) -> Result<PathBuf, FolderError> {
    let path = database(folder);
    if exists(&path) { Ok(path) } else { Err(without_database(folder)) }
}

/// Opens the database and the keys, beside a running server.
///
/// # Errors
/// As [`open_store`], when a key is missing, damaged or belongs to another database, and [`FolderError::Behind`].
pub fn open(folder: &Path, clock: Clock) -> Result<Opened, FolderError> {
    let opened = open_unchecked(folder, clock)?;
    check_newest(folder)?;
    Ok(opened)
}

fn open_unchecked(folder: &Path, clock: Clock) -> Result<Opened, FolderError> {
    let store = open_store(folder, clock)?;
    let keys = load_keys(folder, &store.read(instance::get)?)?;
    Ok(Opened { store, keys })
}

/// Reads both keys of a folder that holds a database.
///
/// # Errors
/// When a key is missing, damaged or belongs to another database.
pub fn load_keys(folder: &Path, instance: &Instance) -> Result<Keys, FolderError> {
    let keys = Keys::load(folder).map_err(|e| match e {
        KeyError::Missing(path) if path.ends_with(SEED_KEY_FILE) => FolderError::NoSeedKey(folder.to_owned()),
        KeyError::Missing(_) => FolderError::NoAuditKey(folder.to_owned()),
        e => e.into(),
    })?;
    if instance.key_fingerprint != keys.seed.fingerprint() {
        return Err(FolderError::ForeignKey(folder.to_owned()));
    }
    Ok(keys)
}

/// Opens the folder for a server, which has it to itself; an absent or empty one is created first, and a database of an
/// earlier version is brought up to date, `source` being who started it. Files that are not ours, such as `idp.toml`, may
/// stand in it.
///
/// # Errors
/// As [`open`], and when another server has the folder or it can not be created; then nothing that this made is left.
pub fn open_or_create(folder: &Path, source: &Source, clock: Clock) -> Result<Serving, FolderError> {
    let made_folder = !exists(folder);
    files::create_folder(folder)?;
    let lock = match FolderLock::acquire(folder) {
        Ok(lock) => lock,
        Err(e) => {
            undo_folder(folder, made_folder);
            return Err(e.into());
        }
    };
    let created = !exists(&database(folder));
    if created {
        let made = match without_database(folder) {
            FolderError::Absent(_) => create(folder, source, &clock),
            refused => Err(refused),
        };
        if let Err(e) = made {
            lock.remove();
            undo_folder(folder, made_folder);
            return Err(e);
        }
    }
    if let Err(behind @ FolderError::Behind { .. }) = check_newest(folder) {
        // Before an older copy is brought up to date. What else is wrong with it is told by who opens it.
        return Err(behind);
    }
    let upgraded = upgrade(folder, source, clock.now())?;
    Ok(Serving { opened: open_unchecked(folder, clock)?, lock, created, upgraded })
}

/// Whether the database is the one that was last used here.
fn check_newest(folder: &Path) -> Result<(), FolderError> {
    match checkpoint::find_ahead(folder, &database(folder))? {
        Some(point) => Err(FolderError::Behind { folder: folder.to_owned(), point: Box::new(point) }),
        None => Ok(()),
    }
}

fn undo_folder(folder: &Path, made: bool) {
    if made {
        // Only ever removes an empty folder.
        let _ = std::fs::remove_dir(folder);
    }
}

/// Keys first, then the database beside its name, then its name: the one step that makes the folder a data folder.
fn create(folder: &Path, source: &Source, clock: &Clock) -> Result<(), FolderError> {
    let keys = Keys::create(folder)?;
    create_database(folder, &keys, source, clock).inspect_err(|_| {
        // All of them were absent a moment ago, and the lock keeps others out.
        for made in [DATABASE_FILE, SEED_KEY_FILE, AUDIT_KEY_FILE] {
            let _ = std::fs::remove_file(folder.join(made));
        }
    })
}

fn create_database(folder: &Path, keys: &Keys, source: &Source, clock: &Clock) -> Result<(), FolderError> {
    let target = database(folder);
    let mut draft = Draft::beside(&target)?;
    let instance = schema::new_instance(keys.seed.fingerprint(), clock.now());
    schema::create(draft.path(), &instance, source)?;
    Ok(draft.place(&target, Place::Free)?)
}

fn without_database(folder: &Path) -> FolderError {
    match [SEED_KEY_FILE, AUDIT_KEY_FILE].into_iter().find(|key| exists(&folder.join(key))) {
        Some(key) => FolderError::KeyWithoutDatabase { folder: folder.to_owned(), key },
        None => FolderError::Absent(folder.to_owned()),
    }
}

/// Whether anything stands at `path`, also a link that leads nowhere.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

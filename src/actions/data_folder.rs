//! Opening the data folder, and creating it on the first start.
//!
//! Architecture invariant: nothing bootstraps silently over what existed before. A folder is created only when it holds
//! none of our files; a key without its database, or a database without its key, is refused with a sentence that says
//! what to do. The database gets its name last, so a first start that was cut short never looks like a whole one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::audit::Source;
use crate::host::draft::{Draft, Place};
use crate::host::files::{self, FileError};
use crate::host::keys::{AUDIT_KEY_FILE, KeyError, Keys, SEED_KEY_FILE};
use crate::host::lock::{FolderLock, LockError};
use crate::storage::{self, Store, instance, schema};
use crate::time::Clock;

/// Name of the database in the data folder.
pub const DATABASE_FILE: &str = "idp.db";

/// Why a data folder can not be used. Nothing was changed.
#[derive(Debug)]
pub enum FolderError {
    /// There is no database, and no key that speaks of one.
    Absent(PathBuf),
    /// A key file stands there without its database.
    KeyWithoutDatabase {
        /// The folder.
        folder: PathBuf,
        /// The key file's name.
        key: &'static str,
    },
    /// The database is there, the key of its TOTP seeds is not.
    NoSeedKey(PathBuf),
    /// The database is there, the key that signs checkpoints is not.
    NoAuditKey(PathBuf),
    /// The key of the TOTP seeds belongs to another database.
    ForeignKey(PathBuf),
    /// A key file can not be used.
    Key(KeyError),
    /// A file or folder can not be made or read.
    File(FileError),
    /// Another process has the folder.
    Lock(LockError),
    /// The database can not be used.
    Storage(storage::Error),
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(folder) => {
                let folder = folder.display();
                write!(
                    f,
                    "there is no database in {folder}: name the right folder with --data, or start idp serve once"
                )
            }
            Self::KeyWithoutDatabase { folder, key } => {
                let folder = folder.display();
                write!(
                    f,
                    "{folder} holds {key} but no {DATABASE_FILE}: put the database back where it was, or restore a \
                     backup with idp restore FILE; only if there never was one, remove the key files and start again"
                )
            }
            Self::NoSeedKey(folder) => {
                let folder = folder.display();
                write!(
                    f,
                    "{folder} holds a database but no {SEED_KEY_FILE}: put the key file back from where it is kept; if \
                     it is lost, idp backup and then idp restore --without-factors make everyone enrol again"
                )
            }
            Self::NoAuditKey(folder) => {
                let folder = folder.display();
                write!(
                    f,
                    "{folder} holds a database but no {AUDIT_KEY_FILE}: put the key file back, or make a new one, which \
                     loses nothing but that earlier signatures show another key: \
                     (umask 077; openssl genpkey -algorithm ed25519 -out {folder}/{AUDIT_KEY_FILE})"
                )
            }
            Self::ForeignKey(folder) => {
                let folder = folder.display();
                write!(
                    f,
                    "{folder}/{SEED_KEY_FILE} belongs to another database than {folder}/{DATABASE_FILE}: put the right \
                     key file there"
                )
            }
            Self::Key(e) => write!(f, "{e}"),
            Self::File(e) => write!(f, "{e}"),
            Self::Lock(e) => write!(f, "{e}"),
            Self::Storage(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for FolderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The variants below print themselves as their error does, so the chain goes on with that one's source.
        match self {
            Self::Key(e) => e.source(),
            Self::File(e) => e.source(),
            Self::Lock(e) => e.source(),
            _ => None,
        }
    }
}

impl From<KeyError> for FolderError {
    fn from(e: KeyError) -> Self {
        Self::Key(e)
    }
}

impl From<FileError> for FolderError {
    fn from(e: FileError) -> Self {
        Self::File(e)
    }
}

impl From<LockError> for FolderError {
    fn from(e: LockError) -> Self {
        Self::Lock(e)
    }
}

impl From<storage::Error> for FolderError {
    fn from(e: storage::Error) -> Self {
        Self::Storage(e)
    }
}

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
    if !exists(&database(folder)) {
        return Err(without_database(folder));
    }
    Ok(Arc::new(Store::open(&database(folder), clock)?))
}

/// Opens the database and the keys, beside a running server.
///
/// # Errors
/// As [`open_store`], and when a key is missing, damaged or belongs to another database.
pub fn open(folder: &Path, clock: Clock) -> Result<Opened, FolderError> {
    if !exists(&database(folder)) {
        return Err(without_database(folder));
    }
    let keys = Keys::load(folder).map_err(|e| match e {
        KeyError::Missing(path) if path.ends_with(SEED_KEY_FILE) => FolderError::NoSeedKey(folder.to_owned()),
        KeyError::Missing(_) => FolderError::NoAuditKey(folder.to_owned()),
        e => e.into(),
    })?;
    let store = open_store(folder, clock)?;
    let instance = store.read(instance::get)?;
    if instance.key_fingerprint != keys.seed.fingerprint() {
        return Err(FolderError::ForeignKey(folder.to_owned()));
    }
    Ok(Opened { store, keys })
}

/// Opens the folder for a server, which has it to itself; an absent or empty one is created first, `source` being who
/// started it. Files that are not ours, such as `idp.toml`, may stand in it.
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
    Ok(Serving { opened: open(folder, clock)?, lock, created })
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

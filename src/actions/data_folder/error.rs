//! Why a data folder can not be used, each with what to do.

use std::fmt;
use std::path::{Display as Shown, PathBuf};

use super::DATABASE_FILE;
use crate::actions::checkpoint::CHECKPOINT_FILE;
use crate::audit::checkpoint::Point;
use crate::host::files::FileError;
use crate::host::keys::{AUDIT_KEY_FILE, KeyError, SEED_KEY_FILE};
use crate::host::lock::LockError;
use crate::storage::{self, backup::Checked};

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
    /// The newest checkpoint beside the keys speaks of a trail that this database does not have.
    Behind {
        /// The folder.
        folder: PathBuf,
        /// What the checkpoint says.
        point: Box<Point>,
    },
    /// A key file can not be used.
    Key(KeyError),
    /// A file or folder can not be made or read.
    File(FileError),
    /// Another process has the folder.
    Lock(LockError),
    /// The database of an earlier version does not pass its check, so it is not brought up to date.
    NotSound(Box<Checked>),
    /// The database can not be used.
    Storage(storage::Error),
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(folder) => write!(
                f,
                "there is no database in {}: name the right folder with --data, or start idp serve once",
                folder.display()
            ),
            Self::KeyWithoutDatabase { folder, key } => key_without_database(f, &folder.display(), key),
            Self::NoSeedKey(folder) => no_seed_key(f, &folder.display()),
            Self::NoAuditKey(folder) => no_audit_key(f, &folder.display()),
            Self::ForeignKey(folder) => write!(
                f,
                "the {SEED_KEY_FILE} in {} belongs to another database than the {DATABASE_FILE} there: put the right key \
                 file back",
                folder.display()
            ),
            Self::Behind { folder, point } => behind(f, &folder.display(), point),
            Self::Key(e) => write!(f, "{e}"),
            Self::NotSound(_) => f.write_str(
                "the database was written by an earlier version and does not pass its own check, so it was not brought up \
                 to date and nothing was changed; idp audit verify says what is wrong",
            ),
            Self::File(e) => write!(f, "{e}"),
            Self::Lock(e) => write!(f, "{e}"),
            Self::Storage(e) => write!(f, "{e}"),
        }
    }
}

fn key_without_database(f: &mut fmt::Formatter<'_>, folder: &Shown<'_>, key: &str) -> fmt::Result {
    write!(
        f,
        "{folder} holds {key} but no {DATABASE_FILE}: put the database back where it was, or restore a backup with idp \
         restore FILE; only if there never was one, remove the key files and start again"
    )
}

fn no_seed_key(f: &mut fmt::Formatter<'_>, folder: &Shown<'_>) -> fmt::Result {
    write!(
        f,
        "{folder} holds a database but no {SEED_KEY_FILE}: put the key file back from where it is kept; if it is lost, \
         idp backup and then idp restore --without-factors make everyone enrol again"
    )
}

fn no_audit_key(f: &mut fmt::Formatter<'_>, folder: &Shown<'_>) -> fmt::Result {
    write!(
        f,
        "{folder} holds a database but no {AUDIT_KEY_FILE}: put the key file back, or make a new one, which loses nothing \
         but that earlier signatures show another key: (umask 077; openssl genpkey -algorithm ed25519 -out \
         {folder}/{AUDIT_KEY_FILE})"
    )
}

fn behind(f: &mut fmt::Formatter<'_>, folder: &Shown<'_>, point: &Point) -> fmt::Result {
    write!(
        f,
        "the {DATABASE_FILE} in {folder} is not the one that was last used here: {CHECKPOINT_FILE} beside it is of entry {} at \
         {}, which this database does not have; put the newest database back, or restore this one with idp restore FILE, \
         which records that",
        point.seq, point.at
    )
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

//! The lock of a data folder: one server at a time, and no restore under a live one.
//!
//! Architecture invariant: the lock is held by an open descriptor (`flock`), so it ends with its process whatever
//! happens to it; the file `idp.lock` itself says nothing and may be left behind. Commands beside a server take no lock:
//! the database has its own.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, flock, fstat, statat};
use rustix::io::Errno;

use super::files::{FileError, create_file, failed, give_to_owner_of};

/// Name of the file that is locked.
pub const LOCK_FILE: &str = "idp.lock";

/// A server that starts while `idp doctor` looks must not be refused: the look takes microseconds, so try again.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(30);

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
    path: PathBuf,
}

/// Why the lock can not be had.
#[derive(Debug)]
pub enum LockError {
    /// Another process holds it.
    Held(PathBuf),
    /// The file can not be used.
    File(FileError),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(folder) => {
                write!(f, "another idp process (a server or a restore) uses {}: stop it first", folder.display())
            }
            Self::File(_) => f.write_str("the data folder can not be locked"),
        }
    }
}

impl std::error::Error for LockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Held(_) => None,
            Self::File(e) => Some(e),
        }
    }
}

/// The address that the running, or last, server of this folder announced.
pub fn announced(folder: &Path) -> Option<String> {
    let file = super::files::read_private(&folder.join(LOCK_FILE), 4_096).ok()?;
    String::from_utf8(file.contents.to_vec()).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

impl FolderLock {
    /// Writes down under which address this server is reached, for commands that print links. Without it they print the
    /// configured one.
    pub fn announce(&self, public_url: &str) {
        use std::io::{Seek, Write};
        let mut file = &self.file;
        let written =
            self.file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(public_url.as_bytes()));
        if let Err(e) = written {
            tracing::warn!("{} can not be written: {e}", self.path.display());
        }
    }

    /// Takes the lock of `folder`, which must exist.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process has it.
    pub fn acquire(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join(LOCK_FILE);
        for attempt in 0..TRIES {
            if attempt > 0 {
                std::thread::sleep(PAUSE);
            }
            let file = open(folder, &path).map_err(LockError::File)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if is_at(&file, &path) => return Ok(Self { file, path }),
                // Removed by its former holder between our opening and our locking: a lock on no name is none.
                Ok(()) | Err(Errno::WOULDBLOCK) => {}
                Err(e) => return Err(LockError::File(failed("lock", &path)(e))),
            }
        }
        Err(LockError::Held(folder.to_owned()))
    }

    /// Whether another process holds the lock of `folder`.
    ///
    /// # Errors
    /// When the file is there and can not be looked at.
    pub fn is_held(folder: &Path) -> Result<bool, FileError> {
        let path = folder.join(LOCK_FILE);
        let file = match rustix::fs::open(&path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(false),
            opened => opened.map_err(failed("open", &path))?,
        };
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(false),
            Err(Errno::WOULDBLOCK) => Ok(true),
            Err(e) => Err(failed("look at the lock of", &path)(e)),
        }
    }

    /// Gives the lock back and removes its file: for a folder that came to nothing.
    pub fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
        drop(self.file);
    }
}

fn open(folder: &Path, path: &Path) -> Result<File, FileError> {
    let existing = || rustix::fs::open(path, OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
    match existing() {
        Err(Errno::NOENT) => match create_file(path) {
            // Someone else was faster.
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                existing().map(File::from).map_err(failed("open", path))
            }
            created => {
                let file = created?;
                give_to_owner_of(folder, path)?;
                Ok(file)
            }
        },
        opened => opened.map(File::from).map_err(failed("open", path)),
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(named)) = (fstat(file), statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)) else { return false };
    (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!FolderLock::is_held(dir.path()).unwrap());
        let lock = FolderLock::acquire(dir.path()).unwrap();
        assert!(FolderLock::is_held(dir.path()).unwrap());
        assert!(matches!(FolderLock::acquire(dir.path()), Err(LockError::Held(_))));
        drop(lock);
        assert!(!FolderLock::is_held(dir.path()).unwrap());
        FolderLock::acquire(dir.path()).unwrap().remove();
        assert!(!dir.path().join(LOCK_FILE).exists());
    }

    #[test]
    fn a_link_in_place_of_the_lock_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), dir.path().join(LOCK_FILE)).unwrap();
        assert!(matches!(FolderLock::acquire(dir.path()), Err(LockError::File(_))));
        assert!(!dir.path().join("elsewhere").exists());
    }
}

//! A private file that is written beside the place where it will stand, and moved there whole or not at all.
//!
//! Architecture invariant: the final name never shows a half file. A draft that is dropped without being placed is
//! removed, with what its writer put beside it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};
use rustix::io::Errno;

use super::files::{FileError, create_file, failed, sync_folder_of};
use crate::secret::random;

/// Whether something that stands at the final name may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The name must be free.
    Free,
    /// What stands there is replaced in one step; a link is replaced, not followed.
    Over,
}

/// A file of mode 0600 without its final name.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: File,
    placed: bool,
}

impl Draft {
    /// An empty draft in the folder in which `target` will stand, so that moving it is one step.
    ///
    /// # Errors
    /// When it can not be created.
    pub fn beside(target: &Path) -> Result<Self, FileError> {
        // A random name: two processes that write the same file must not write into each other's draft.
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.{}.new", HEXLOWER.encode(&random::<8>())));
        let file = create_file(&path)?;
        let draft = Self { path, file, placed: false };
        // Tells others that it is being written; see `sweep`.
        flock(&draft.file, FlockOperation::NonBlockingLockExclusive).map_err(failed("lock", &draft.path))?;
        Ok(draft)
    }

    /// Removes drafts in `folder` whose writers were killed, where `is_ours` knows the name that they were to get. One
    /// that is being written is locked, and one that is young may be about to be.
    pub fn sweep(folder: &Path, is_ours: impl Fn(&str) -> bool) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let ours = entry.file_name().to_str().and_then(target_name).is_some_and(&is_ours);
            if ours && is_abandoned(&entry.path()) {
                remove_with_besides(&entry.path());
            }
        }
    }

    /// Whether it has its final name.
    pub const fn is_placed(&self) -> bool {
        self.placed
    }

    /// Where it stands for now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Syncs it and gives it its name. When this returns, it survives a power cut under that name.
    ///
    /// # Errors
    /// Of kind `AlreadyExists` when the name must be free and is not; otherwise when its writer has not finished, or when
    /// syncing or moving fails.
    pub fn place(&mut self, target: &Path, place: Place) -> Result<(), FileError> {
        self.check_finished()?;
        self.file.sync_all().map_err(failed("sync", &self.path))?;
        let moved = match place {
            Place::Over => std::fs::rename(&self.path, target),
            Place::Free => rename_to_free(&self.path, target),
        };
        moved.map_err(failed("create", target))?;
        self.placed = true;
        remove_besides(&self.path);
        sync_folder_of(target)
    }

    /// A log or journal with something in it belongs to the file: without it the file is not whole.
    fn check_finished(&self) -> Result<(), FileError> {
        for beside in ["-journal", "-wal"] {
            let path = with_suffix(&self.path, beside);
            if path.metadata().is_ok_and(|m| m.len() > 0) {
                let why = io::Error::new(io::ErrorKind::InvalidData, "its journal was not folded in");
                return Err(failed("place", &path)(why));
            }
        }
        Ok(())
    }
}

fn remove_with_besides(path: &Path) {
    // The error that led here is the one to tell; what can not be removed is hidden and private.
    let _ = std::fs::remove_file(path);
    remove_besides(path);
}

fn remove_besides(path: &Path) {
    for beside in ["-journal", "-wal", "-shm"] {
        let _ = std::fs::remove_file(with_suffix(path, beside));
    }
}

/// A draft's name without what makes it one: `.NAME.0123456789abcdef.new`.
fn target_name(name: &str) -> Option<&str> {
    let (name, random) = name.strip_prefix('.')?.strip_suffix(".new")?.rsplit_once('.')?;
    (random.len() == 16 && random.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))).then_some(name)
}

/// A writer locks its draft right after creating it.
const YOUNG: Duration = Duration::from_secs(60);

fn is_abandoned(path: &Path) -> bool {
    let Ok(meta) = path.symlink_metadata() else { return false };
    let old = meta.modified().ok().and_then(|m| m.elapsed().ok()).is_some_and(|age| age > YOUNG);
    old && meta.is_file()
        && File::open(path).is_ok_and(|file| flock(file, FlockOperation::NonBlockingLockExclusive).is_ok())
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.placed {
            remove_with_besides(&self.path);
        }
    }
}

/// `path` with `suffix` after its last character.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that can not do it in one step: looking first is the best there is.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            if to.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            std::fs::rename(from, to)
        }
        moved => Ok(moved?),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_draft_gets_its_name_whole_or_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("export");
        let mut draft = Draft::beside(&target).unwrap();
        draft.file().write_all(b"half").unwrap();
        std::fs::write(with_suffix(draft.path(), "-journal"), "x").unwrap();
        drop(draft);
        assert!(names(dir.path()).is_empty());

        let mut draft = Draft::beside(&target).unwrap();
        draft.file().write_all(b"whole").unwrap();
        draft.place(&target, Place::Free).unwrap();
        drop(draft);
        assert_eq!(names(dir.path()), ["export"]);
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn what_a_killed_writer_left_is_swept_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let long_ago = std::time::SystemTime::now() - Duration::from_secs(3_600);
        let mut live = Draft::beside(&dir.path().join("a.db")).unwrap();
        live.file().set_modified(long_ago).unwrap();
        for (name, old) in [
            (".a.db.0123456789abcdef.new", true),
            (".a.db.0123456789abcde0.new", false),
            (".b.db.0123456789abcdef.new", true),
            (".a.db.new", true),
            ("a.db", true),
        ] {
            let file = File::create(dir.path().join(name)).unwrap();
            if old {
                file.set_modified(long_ago).unwrap();
            }
        }
        std::fs::write(dir.path().join(".a.db.0123456789abcdef.new-journal"), "x").unwrap();
        Draft::sweep(dir.path(), |name| name == "a.db");
        let left = names(dir.path());
        assert_eq!(left.len(), 5, "{left:?}");
        assert!(live.path().exists() && !left.iter().any(|n| n.contains("def.new") && n.contains(".a.db")), "{left:?}");
    }

    #[test]
    fn a_name_that_is_taken_stays_with_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("export");
        symlink(dir.path().join("elsewhere"), &target).unwrap();
        let mut draft = Draft::beside(&target).unwrap();
        assert_eq!(draft.place(&target, Place::Free).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        draft.place(&target, Place::Over).unwrap();
        assert!(target.symlink_metadata().unwrap().is_file());
        assert_eq!(names(dir.path()), ["export"]);
    }
}

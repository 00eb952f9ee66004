//! A folder of its own in the system's temporary one, which goes when it is dropped.
//!
//! Architecture invariant: nobody else can look into it, and it was not there before.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rustix::fs::Mode;

use super::files::{FileError, failed};
use crate::secret::random;

/// The folder.
#[derive(Debug)]
pub struct Room {
    path: PathBuf,
}

impl Room {
    /// Makes one whose name begins with `name`.
    ///
    /// # Errors
    /// When it can not be made.
    pub fn make(name: &str) -> Result<Self, FileError> {
        let path = std::env::temp_dir().join(format!("{name}-{}", HEXLOWER.encode(&random::<8>())));
        // Fails where anything stands at that name, a link included.
        rustix::fs::mkdir(&path, Mode::RWXU).map_err(failed("create the folder", &path))?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes such a folder with everything in it. Somebody may be writing into it still: then it is tried again.
pub fn remove(path: &Path) {
    for _ in 0..100 {
        match std::fs::remove_dir_all(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            _ => return,
        }
    }
    tracing::warn!("{} can not be removed", path.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_private_and_goes_with_what_is_in_it() {
        use std::os::unix::fs::PermissionsExt;
        let room = Room::make("idp-test").unwrap();
        let path = room.path().to_owned();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
        std::fs::create_dir(path.join("inside")).unwrap();
        std::fs::write(path.join("inside/file"), "x").unwrap();
        drop(room);
        assert!(!path.exists());
        remove(&path);
    }
}

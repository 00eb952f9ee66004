//! Files that hold secrets: born private, replaced whole, never reached through a symbolic link.
//!
//! Architecture invariant: no file of the data folder is created but through here. The mode is set on the open
//! descriptor after the file was created exclusively, so neither the umask nor someone who can write beside us decides
//! who may read it. A link in the *parent* folders is followed: where the data folder lies is the operator's choice.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};

use crate::secret::random;

/// What could not be done with which path; the system's reason is its source.
#[derive(Debug)]
pub struct FileError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FileError {
    /// What kind of failure it was.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    /// The path it is about.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can not {} {}", self.doing, self.path.display())
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The folder that a file stands in, or would; the present one for a bare name.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// For `map_err`: `doing` is the middle of "can not … PATH".
pub fn failed<E: Into<io::Error>>(doing: &'static str, path: &Path) -> impl FnOnce(E) -> FileError {
    let path = path.to_owned();
    move |e| FileError { doing, path, source: e.into() }
}

/// Why a path is not as private as it must be, in a sentence that says what to do.
#[derive(Debug)]
pub enum Exposure {
    /// Group or others have some right; `mode` is the twelve permission bits.
    OthersMay {
        /// Which file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Whether it is a folder, which needs the right to enter it.
        folder: bool,
    },
    /// It is a symbolic link.
    Link(PathBuf),
    /// It could not be looked at.
    Unknown(FileError),
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OthersMay { path, mode, folder } => {
                let (path, private) = (path.display(), if *folder { "700" } else { "600" });
                write!(f, "{path} is open to other accounts of this host (mode {mode:03o}): run chmod {private} {path}")
            }
            Self::Link(path) => {
                write!(f, "{} is a symbolic link: put the file itself there", path.display())
            }
            Self::Unknown(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for Exposure {}

/// Makes the folder `path` with mode 0700, or accepts one that exists (its mode is left alone: see [`check_private`]).
///
/// # Errors
/// When it can not be made, when a link or something that is no folder stands there.
pub fn create_folder(path: &Path) -> Result<(), FileError> {
    let made = match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) => true,
        Err(rustix::io::Errno::EXIST) => false,
        Err(e) => return Err(failed("create the folder", path)(e)),
    };
    let folder = open_folder(path).map_err(failed("use as a folder", path))?;
    if made {
        rustix::fs::fchmod(&folder, Mode::RWXU).map_err(failed("set the mode of", path))?;
        sync_folder_of(path)?;
    }
    Ok(())
}

/// Creates an empty file of mode 0600 that did not exist, open for writing.
///
/// # Errors
/// When anything at all stands at `path` already, or it can not be made.
pub fn create_file(path: &Path) -> Result<File, FileError> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let file = rustix::fs::open(path, flags, mode).map_err(failed("create", path))?;
    rustix::fs::fchmod(&file, mode).map_err(failed("set the mode of", path))?;
    Ok(File::from(file))
}

/// Writes `contents` into a file of mode 0600 that did not exist. When this returns, it survives a power cut.
///
/// # Errors
/// As [`create_file`], and when writing or syncing fails; then nothing is left behind.
pub fn create_new(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    let file = create_file(path)?;
    let written = fill(file, path, contents).and_then(|()| sync_folder_of(path));
    if written.is_err() {
        // The error that matters is already on its way; a second one could only hide it.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Puts `contents` at `path` in one step: whoever reads sees the old file or the new one, also after a power cut.
/// A link that stands there is replaced, not followed.
///
/// # Errors
/// When the new file can not be written, synced or moved; the old one is then untouched.
pub fn replace(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    // A random name: two processes that replace the same file must not write into each other's draft.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}.new", HEXLOWER.encode(&random::<8>())));
    create_new(&draft, contents)?;
    if let Err(e) = std::fs::rename(&draft, path) {
        let _ = std::fs::remove_file(&draft);
        return Err(failed("replace", path)(e));
    }
    sync_folder_of(path)
}

fn fill(mut file: File, path: &Path, contents: &[u8]) -> Result<(), FileError> {
    file.write_all(contents).map_err(failed("write", path))?;
    file.sync_all().map_err(failed("sync", path))
}

/// Syncs the folder in which `path` stands, so that a name just made, moved or removed survives a power cut.
///
/// # Errors
/// When the folder can not be opened or synced.
pub fn sync_folder_of(path: &Path) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|f| f.sync_all()).map_err(failed("sync the folder", folder))
}

fn open_folder(path: &Path) -> rustix::io::Result<rustix::fd::OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

/// A private file as it was read.
pub struct PrivateFile {
    /// All of it.
    pub contents: zeroize::Zeroizing<Vec<u8>>,
    /// Set when others may read or write it.
    pub exposure: Option<Exposure>,
}

/// Reads a regular file of at most `limit` bytes, not through a link.
///
/// # Errors
/// When it is missing, a link, no regular file, longer than `limit`, or can not be read.
pub fn read_private(path: &Path, limit: u64) -> Result<PrivateFile, FileError> {
    // NONBLOCK: opening a pipe that someone put there must not hang. It changes nothing for a regular file.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(failed("open", path))?);
    let meta = file.metadata().map_err(failed("look at", path))?;
    let refuse = |why| failed("read", path)(io::Error::new(io::ErrorKind::InvalidData, why));
    if !meta.is_file() {
        return Err(refuse("it is no regular file"));
    }
    // Room for all of it at once: a growing buffer would leave copies of the secret behind.
    let room = usize::try_from(meta.len().min(limit)).unwrap_or(0) + 1;
    let mut contents = zeroize::Zeroizing::new(Vec::with_capacity(room));
    file.take(limit + 1).read_to_end(&mut contents).map_err(failed("read", path))?;
    if contents.len() as u64 > limit {
        return Err(refuse("it is longer than such a file can be"));
    }
    Ok(PrivateFile { contents, exposure: judge(path, meta.mode(), false).err() })
}

/// Whether the file or folder at `path` is ours alone: no right for group or others, no link.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn check_private(path: &Path) -> Result<(), Exposure> {
    let stat = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|e| Exposure::Unknown(failed("look at", path)(e)))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => Err(Exposure::Link(path.to_owned())),
        kind => judge(path, stat.st_mode, kind == FileType::Directory),
    }
}

fn judge(path: &Path, mode: u32, folder: bool) -> Result<(), Exposure> {
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Exposure::OthersMay { path: path.to_owned(), mode: mode & 0o7777, folder })
}

/// Gives a file that root made in `folder` to that folder's owner: a server that runs under an account of its own must
/// be able to open what a command run by root put there. Does nothing for another account, nor through a link.
///
/// # Errors
/// When the owner can not be read or set.
pub fn give_to_owner_of(folder: &Path, path: &Path) -> Result<(), FileError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = rustix::fs::stat(folder).map_err(failed("look at", folder))?;
    let (user, group) = (rustix::fs::Uid::from_raw(owner.st_uid), rustix::fs::Gid::from_raw(owner.st_gid));
    rustix::fs::chownat(CWD, path, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(failed("set the owner of", path))
}

/// Bytes that this account may still write to the file system on which `path` stands.
///
/// # Errors
/// When the system does not say.
pub fn free_space(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    /// The umask belongs to the whole process, so the files are made in a child of its own: this same test, with a
    /// folder to work in.
    #[test]
    fn files_and_folders_are_born_private_under_any_umask() {
        const FOLDER: &str = "PRIVATE_FILES_TEST_FOLDER";
        if let Some(folder) = std::env::var_os(FOLDER) {
            let folder = PathBuf::from(folder);
            create_folder(&folder).unwrap();
            create_new(&folder.join("new"), b"secret").unwrap();
            replace(&folder.join("replaced"), b"secret").unwrap();
            return;
        }
        let outer = tempfile::tempdir().unwrap();
        for umask in ["000", "022", "277", "777"] {
            let folder = outer.path().join(umask);
            let child = Command::new("sh")
                .args(["-c", &format!("umask {umask}; exec \"$0\" --exact \"$1\"")])
                .arg(std::env::current_exe().unwrap())
                .arg("host::files::tests::files_and_folders_are_born_private_under_any_umask")
                .env(FOLDER, &folder)
                .output()
                .unwrap();
            assert!(child.status.success(), "umask {umask}: {}", String::from_utf8_lossy(&child.stdout));
            assert_eq!(mode(&folder), 0o700, "umask {umask}");
            assert_eq!(mode(&folder.join("new")), 0o600, "umask {umask}");
            assert_eq!(mode(&folder.join("replaced")), 0o600, "umask {umask}");
        }
    }

    #[test]
    fn a_link_is_neither_followed_nor_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        std::fs::write(&target, "untouched").unwrap();
        symlink(&target, &link).unwrap();
        assert_eq!(create_new(&link, b"x").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(read_private(&link, 100).is_err());
        assert!(matches!(check_private(&link), Err(Exposure::Link(_))));
        replace(&link, b"new").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"untouched");
        assert_eq!(&*read_private(&link, 100).unwrap().contents, b"new");

        let (folder, link) = (dir.path().join("folder"), dir.path().join("folder-link"));
        create_folder(&folder).unwrap();
        create_folder(&folder).unwrap();
        symlink(&folder, &link).unwrap();
        assert!(create_folder(&link).is_err());
        symlink(dir.path().join("nowhere"), dir.path().join("dangling")).unwrap();
        assert!(create_new(&dir.path().join("dangling"), b"x").is_err());
        assert!(!dir.path().join("nowhere").exists());
    }

    #[test]
    fn replacing_leaves_one_file_and_no_draft() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(&*read_private(&path, 3).unwrap().contents, b"two");
        // A folder in the way: the move fails, and the draft goes.
        std::fs::create_dir(dir.path().join("taken")).unwrap();
        assert!(replace(&dir.path().join("taken"), b"x").is_err());
        let mut names: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["head", "taken"]);
    }

    #[test]
    fn reading_stops_at_the_bound_and_says_who_else_may_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create_new(&path, b"0123456789").unwrap();
        assert!(read_private(&path, 10).unwrap().exposure.is_none());
        assert!(read_private(&path, 9).is_err());
        assert!(read_private(dir.path(), 9).is_err(), "a folder is no file");
        assert!(check_private(&path).is_ok());

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let said = read_private(&path, 10).unwrap().exposure.unwrap().to_string();
        assert!(said.contains("mode 640") && said.ends_with(&format!("chmod 600 {}", path.display())), "{said}");
        assert!(matches!(check_private(&path), Err(Exposure::OthersMay { mode: 0o640, folder: false, .. })));
        assert!(matches!(check_private(&dir.path().join("none")), Err(Exposure::Unknown(_))));
    }

    #[test]
    fn the_free_space_of_a_file_system_is_known() {
        assert!(free_space(&std::env::temp_dir()).unwrap() > 0);
        assert!(free_space(Path::new("/no/such/folder")).is_err());
    }
}

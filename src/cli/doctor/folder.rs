//! The data folder from outside: who may open its files, the disk, the log, the server.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Finding;
use crate::actions::data_folder::database;
use crate::host::draft::with_suffix;
use crate::host::files::{check_private, free_space};
use crate::host::keys::{AUDIT_KEY_FILE, SEED_KEY_FILE};
use crate::host::lock::{FolderLock, LOCK_FILE};
use crate::policy::DISK_RESERVE;

/// A log larger than this was not folded in for long: a reader or a command hangs.
const LARGE_LOG: u64 = 64 * 1024 * 1024;
/// Less free space than this is worth a word before it becomes a problem.
const LITTLE_SPACE: u64 = 5 * DISK_RESERVE;
const MIB: u64 = 1024 * 1024;

pub(super) fn look(folder: &Path) -> Vec<Finding> {
    let mut findings = private_files(folder);
    findings.push(disk(free_space(folder)));
    findings.push(log(folder));
    findings.push(server(folder));
    findings
}

/// The folder and our files in it: ours alone, no links, all of one owner.
fn private_files(folder: &Path) -> Vec<Finding> {
    let log = |suffix| with_suffix(&database(folder), suffix);
    let files: [PathBuf; 6] = [
        database(folder),
        log("-wal"),
        log("-shm"),
        folder.join(SEED_KEY_FILE),
        folder.join(AUDIT_KEY_FILE),
        folder.join(LOCK_FILE),
    ];
    let present = files.into_iter().filter(|path| path.symlink_metadata().is_ok());
    let mut findings: Vec<Finding> = Vec::new();
    for path in std::iter::once(folder.to_owned()).chain(present) {
        findings.extend(check_private(&path).err().map(|e| Finding::problem(e.to_string())));
        findings.extend(foreign_owner(folder, &path).map(Finding::problem));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(format!("{} and its files are open to their owner alone", folder.display())));
    }
    findings
}

fn foreign_owner(folder: &Path, path: &Path) -> Option<String> {
    let (owner, of) = (folder.metadata().ok()?.uid(), path.symlink_metadata().ok()?.uid());
    let shown = path.display();
    (owner != of).then(|| format!("{shown} belongs to uid {of}, its folder to uid {owner}: run chown {owner} {shown}"))
}

fn disk(free: io::Result<u64>) -> Finding {
    let free = match free {
        Ok(free) => free,
        Err(e) => return Finding::warning(format!("the free space on the disk is not known: {e}; run df to see it")),
    };
    let said = format!("{} MiB are free on the disk", free / MIB);
    match free {
        0..DISK_RESERVE => {
            Finding::problem(format!("{said}: make it {} or more, or sign-ins are refused", DISK_RESERVE / MIB))
        }
        DISK_RESERVE..LITTLE_SPACE => {
            let least = DISK_RESERVE / MIB;
            Finding::warning(format!("{said}: make room soon; below {least} MiB sign-ins are refused"))
        }
        _ => Finding::ok(said),
    }
}

fn log(folder: &Path) -> Finding {
    let size = with_suffix(&database(folder), "-wal").metadata().map_or(0, |m| m.len());
    let said = format!("the database's log has {} KiB", size / 1024);
    if size > LARGE_LOG {
        Finding::warning(format!("{said}: end commands that hang, or restart the server"))
    } else {
        Finding::ok(said)
    }
}

fn server(folder: &Path) -> Finding {
    match FolderLock::is_held(folder) {
        Ok(true) => Finding::ok("a server runs on this folder"),
        Ok(false) => Finding::warning("no server runs on this folder: nobody can sign in until you start idp serve"),
        Err(e) => {
            Finding::warning(format!("whether a server runs is not known: {e}; run this as the server's account"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mark;
    use super::*;

    #[test]
    fn a_disk_is_judged_by_what_sign_ins_need() {
        let mark = |free| disk(Ok(free)).mark;
        assert_eq!(mark(DISK_RESERVE - 1), Mark::Problem);
        assert_eq!((mark(DISK_RESERVE), mark(LITTLE_SPACE - 1)), (Mark::Warning, Mark::Warning));
        assert_eq!(mark(LITTLE_SPACE), Mark::Ok);
        assert!(disk(Ok(199 * MIB)).text.contains("199 MiB are free on the disk: make it 200 or more"));
        assert_eq!(disk(Err(io::ErrorKind::NotFound.into())).mark, Mark::Warning);
    }
}

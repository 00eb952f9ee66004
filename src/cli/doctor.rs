//! `idp doctor`.
//!
//! One line a check: `ok`, `warn` or `FAIL`, with what to do. It changes nothing.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Place;
use super::audit_verify::findings;
use super::outcome::{Answer, Failure, say};
use super::version;
use crate::actions::data_folder::{DATABASE_FILE, database, find_database, load_keys};
use crate::audit::Action;
use crate::audit::filter::Filter;
use crate::host::draft::with_suffix;
use crate::host::files::{check_private, free_space};
use crate::host::keys::{AUDIT_KEY_FILE, SEED_KEY_FILE};
use crate::host::lock::{FolderLock, LOCK_FILE};
use crate::policy::DISK_RESERVE;
use crate::storage::audit::{Order, list};
use crate::storage::backup::{check, read_alone};
use crate::storage::{instance, schema, users};
use crate::time::{Clock, Timestamp};

/// A log larger than this was not folded in for long: a reader or a command hangs.
const LARGE_LOG: u64 = 64 * 1024 * 1024;
/// A last backup older than this is worth a word.
const OLD_BACKUP_HOURS: u64 = 8 * 24;

/// Looks at everything that has to be right, and says what to do where it is not.
///
/// One line a check: ok, warn or FAIL. Exit code 0 when nothing failed, 1 when something did, 2 when there is nothing to
/// look at. It works beside a running server and changes nothing.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Ok,
    Warn,
    Fail,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        })
    }
}

type Line = (Mark, String);

impl Doctor {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let folder = &self.place.data;
        let now = Clock::System.now();
        let database = find_database(folder).map_err(Failure::to("look at the data folder"))?;
        let mut lines = vec![(Mark::Ok, format!("this is idp {}", version::text()))];
        lines.extend(private_files(folder));
        lines.push(keys(folder));
        lines.extend(soundness(&database));
        lines.push(disk(folder));
        lines.push(log(folder));
        lines.push(server(folder));
        lines.push(owners(&database));
        lines.push(last_backup(&database, now));
        for (mark, text) in &lines {
            say(&format!("{mark:4}  {text}"))?;
        }
        let failed = lines.iter().any(|(mark, _)| *mark == Mark::Fail);
        Ok(if failed { Answer::No } else { Answer::Done })
    }
}

/// The folder and our files in it: ours alone, no links, all of one owner.
fn private_files(folder: &Path) -> Vec<Line> {
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
    let mut lines: Vec<Line> = Vec::new();
    for path in std::iter::once(folder.to_owned()).chain(present) {
        lines.extend(check_private(&path).err().map(|e| (Mark::Fail, e.to_string())));
        lines.extend(foreign_owner(folder, &path).map(|said| (Mark::Fail, said)));
    }
    if lines.is_empty() {
        lines.push((Mark::Ok, format!("{} and its files are open to their owner alone", folder.display())));
    }
    lines
}

fn foreign_owner(folder: &Path, path: &Path) -> Option<String> {
    let (owner, of) = (folder.metadata().ok()?.uid(), path.symlink_metadata().ok()?.uid());
    let shown = path.display();
    (owner != of).then(|| format!("{shown} belongs to uid {of}, its folder to uid {owner}: run chown {owner} {shown}"))
}

fn keys(folder: &Path) -> Line {
    let instance = match read_alone(&database(folder), instance::get) {
        Ok(instance) => instance,
        Err(e) => return (Mark::Fail, format!("which keys belong to the database is not known: {e}")),
    };
    match load_keys(folder, &instance) {
        Ok(_) => (Mark::Ok, "both keys are there, and seed.key fits the database".into()),
        Err(e) => (Mark::Fail, e.to_string()),
    }
}

/// Structure, chain and guards of the database.
fn soundness(database: &Path) -> Vec<Line> {
    let checked = match check(database) {
        Ok(checked) => checked,
        Err(e) => return vec![(Mark::Fail, e.to_string())],
    };
    let found = findings(&checked);
    if !found.is_empty() {
        let advice = ": keep a copy of the file as evidence, then restore the last good backup";
        return found.into_iter().map(|said| (Mark::Fail, format!("{said}{advice}"))).collect();
    }
    let (entries, version) = (checked.entries, checked.version);
    let whole = format!("{DATABASE_FILE} is whole, with schema version {version}");
    vec![
        if version == schema::VERSION {
            (Mark::Ok, whole)
        } else {
            let advice = "idp serve makes a copy at its next start and brings it up to date";
            (Mark::Warn, format!("{whole}, and this program's is {}: {advice}", schema::VERSION))
        },
        (Mark::Ok, format!("the audit trail's {entries} entries are consistent, and its guards are in place")),
    ]
}

fn disk(folder: &Path) -> Line {
    let mib = |bytes: u64| bytes / (1024 * 1024);
    match free_space(folder) {
        Err(e) => (Mark::Warn, format!("the free space on the disk is not known: {e}")),
        Ok(free) if free < DISK_RESERVE => {
            let least = mib(DISK_RESERVE);
            (
                Mark::Fail,
                format!("{} MiB are free on the disk: make it {least} or more, or sign-ins are refused", mib(free)),
            )
        }
        Ok(free) => (Mark::Ok, format!("{} MiB are free on the disk", mib(free))),
    }
}

fn log(folder: &Path) -> Line {
    let size = with_suffix(&database(folder), "-wal").metadata().map_or(0, |m| m.len());
    let said = format!("the database's log has {} KiB", size / 1024);
    if size > LARGE_LOG {
        (Mark::Warn, format!("{said}: end commands that hang, or restart the server"))
    } else {
        (Mark::Ok, said)
    }
}

fn server(folder: &Path) -> Line {
    match FolderLock::is_held(folder) {
        Ok(true) => (Mark::Ok, "a server runs on this folder".into()),
        Ok(false) => (Mark::Ok, "no server runs on this folder".into()),
        Err(e) => (Mark::Warn, e.to_string()),
    }
}

fn owners(database: &Path) -> Line {
    let counts = read_alone(database, |tx| Ok((users::count_owners(tx, None)?, users::count_able_owners(tx, None)?)));
    match counts {
        Err(e) => (Mark::Fail, e.to_string()),
        // The last active owner can be neither disabled nor demoted: no owner means that none was set up so far.
        Ok((0, _)) => (Mark::Warn, "no owner was set up yet: open the link that idp serve prints".into()),
        Ok((_, 0)) => (Mark::Fail, "no owner can sign in: run idp recover-owner EMAIL --reason …".into()),
        Ok((_, 1)) => (Mark::Warn, "one owner can sign in: a second one could help if that one can not".into()),
        Ok((_, n)) => (Mark::Ok, format!("{n} owners can sign in")),
    }
}

fn last_backup(database: &Path, now: Timestamp) -> Line {
    let filter = Filter { action: Some(Action::BackupCreated), ..Filter::default() };
    let newest = match read_alone(database, |tx| list(tx, &filter, Order::NewestFirst, None, 1)) {
        Err(e) => return (Mark::Fail, e.to_string()),
        Ok(found) => found.into_iter().next(),
    };
    let Some(entry) = newest else {
        return (Mark::Warn, "there was no backup yet: run idp backup DIR, best every night".into());
    };
    let (at, hours) = (entry.header.at.to_seconds_text(), now.since(entry.header.at).as_secs() / 3_600);
    if hours > OLD_BACKUP_HOURS {
        (
            Mark::Warn,
            format!("the last backup was made {} days ago, at {at}: look at the job that makes them", hours / 24),
        )
    } else {
        (Mark::Ok, format!("the last backup was made {hours} hours ago, at {at}"))
    }
}

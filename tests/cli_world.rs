//! A data folder for tests of the command line, and the real program run on it.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use idp::actions::data_folder::{database, open_or_create, open_store};
use idp::audit::{Actor, Event, Person, Record, Source};
use idp::ids::UserId;
use idp::storage::{self, Audited, Store, users};
use idp::time::Clock;
use idp::users::{Email, Role};

/// A folder that was made by a first start, with room beside it.
pub struct Folder {
    room: tempfile::TempDir,
}

impl Folder {
    pub fn new() -> Self {
        Self::made_by(Clock::System)
    }

    /// A folder whose first start went by this clock.
    pub fn made_by(clock: Clock) -> Self {
        let folder = Self { room: tempfile::tempdir().unwrap() };
        drop(open_or_create(&folder.data(), &Source::default(), clock).unwrap());
        folder
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.room.path().join("idp-data")
    }

    pub fn database(&self) -> PathBuf {
        database(&self.data())
    }

    /// Something beside the data folder.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    pub fn store(&self) -> Arc<Store> {
        open_store(&self.data(), Clock::System).unwrap()
    }

    /// Runs the program on this folder.
    pub fn idp(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        command.args(args).arg("--data").arg(self.data()).env_remove("IDP_DATA").current_dir(self.room.path());
        command
    }

    /// Runs the program where no file may grow beyond a few KiB, as on a full disk.
    pub fn idp_on_a_full_disk(&self, args: &[&str]) -> Ran {
        let mut shell = Command::new("sh");
        // The signal about it is ignored, so that the write itself fails.
        shell.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_idp")]);
        shell.args(args).arg("--data").arg(self.data()).env_remove("IDP_DATA").current_dir(self.room.path());
        Ran::of(shell.output().unwrap())
    }

    /// Opens the database as an attacker with `sqlite3` does.
    pub fn tamper(&self, sql: &str) {
        rusqlite::Connection::open(self.database()).unwrap().execute_batch(sql).unwrap();
    }

    /// As [`Folder::tamper`], by someone who opens the way into the trail and closes it again behind them.
    pub fn edit_trail(&self, sql: &str) {
        let db = rusqlite::Connection::open(self.database()).unwrap();
        let guard = "SELECT sql FROM sqlite_schema WHERE name = 'audit_is_append_only_update'";
        let guard: String = db.query_row(guard, [], |row| row.get(0)).unwrap();
        db.execute_batch(&format!("DROP TRIGGER audit_is_append_only_update; {sql}; {guard}")).unwrap();
    }

    /// A number out of the database.
    pub fn count(&self, sql: &str) -> i64 {
        rusqlite::Connection::open(self.database()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

/// Runs the program on the data folder `data`.
pub fn idp_on(data: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
    Ran::of(command.args(args).arg("--data").arg(data).env_remove("IDP_DATA").output().unwrap())
}

/// What the program said.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It was done, without a word of complaint; an export may say an anchor.
    #[track_caller]
    pub fn done(self) -> String {
        assert!(self.code == 0, "{self:?}");
        assert!(self.err.lines().all(|line| line.starts_with("idp: an anchor, to be kept where ")), "{self:?}");
        self.out
    }

    /// It ended with `code` and said `what` in one line.
    #[track_caller]
    pub fn refused(&self, code: i32, what: &str) {
        assert!(self.code == code && self.err.contains(what), "{self:?}");
        assert_eq!(self.err.lines().count(), 1, "{self:?}");
    }
}

pub fn add_person(store: &Store, email: &str, name: &str, role: Role) -> Person {
    let (email, name): (Email, _) = (email.parse().unwrap(), name.parse().unwrap());
    store
        .change(move |tx| -> storage::Result<_> {
            let id = UserId::generate();
            users::insert(tx, id, &email, &name, role)?;
            let user: Person = (&users::get(tx, id)?).into();
            let event = Event::UserCreated { user: user.clone(), role };
            Ok(Audited::new(user, Record::new(Actor::Host, &Source::default(), event)))
        })
        .unwrap()
}

pub fn add_note(store: &Store, user: &Person, note: &str) {
    let event = Event::UserNoteAdded { user: user.clone(), note: note.to_owned() };
    store
        .change(move |_| -> storage::Result<_> {
            Ok(Audited::new((), Record::new(Actor::Host, &Source::default(), event)))
        })
        .unwrap();
}

pub fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

pub fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

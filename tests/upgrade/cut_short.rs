//! An upgrade that fails or is killed on the way: the database is as it was, and the next one succeeds.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use idp::storage::backup::check;
use idp::storage::faults::Fault;
use idp::storage::migrate::Older;
use idp::storage::schema::VERSION;
use idp::storage::{Error, Result};
use idp::time::Clock;

use super::{All, Earlier};
use crate::served::Server;
use crate::world::host;

/// An upgrade takes far fewer of SQLite's steps; one that never succeeds ends the test instead of going on for ever.
const MOST: u32 = 211 * 1_000;
/// The same for one with thousands of people, which is tried with three times as many steps each time.
const MOST_TRIES: usize = 17;

/// Upgrades the database at `path` with this fault on the way.
fn upgrade(path: &Path, fault: Fault) -> Result<()> {
    let mut older = Older::find(path)?.expect("it is of an earlier version");
    older.inject(&fault);
    older.upgrade("a copy".into(), &host(), Clock::System.now())
}

/// It is what it was, sound, and can be read.
#[track_caller]
fn unchanged(earlier: &Earlier, before: &All, after_what: &str) {
    assert_eq!(earlier.version(), 1, "{after_what}");
    assert!(earlier.all() == *before, "{after_what} left something behind");
    assert!(check(&earlier.data().join("idp.db")).unwrap().is_good(), "{after_what}");
}

#[test]
fn an_upgrade_that_fails_at_any_step_leaves_the_database_as_it_was() {
    let earlier = Earlier::new();
    let (path, before) = (earlier.data().join("idp.db"), earlier.all());
    assert!(matches!(upgrade(&path, Fault::DiskFull), Err(Error::Full)));
    unchanged(&earlier, &before, "a full disk");
    assert!(upgrade(&path, Fault::RefuseCommit).is_err());
    unchanged(&earlier, &before, "a commit that failed");
    let mut failures = 0;
    for steps in (0..MOST).step_by(211) {
        let Err(e) = upgrade(&path, Fault::InterruptAfter(steps)) else { break };
        // The search index says what it could not do, and not that it was interrupted.
        let said = ["interrupted", "vtable constructor failed"].iter().any(|why| e.to_string().contains(why));
        assert!(said, "after {steps} steps: {e}");
        failures += 1;
        unchanged(&earlier, &before, &format!("a failure after {steps} steps"));
    }
    assert!(failures > 10, "only {failures}");
    assert_eq!(earlier.version(), VERSION, "it does not succeed within {MOST} steps");
    assert!(check(&path).unwrap().is_good());
}

#[test]
fn a_rule_that_the_rows_do_not_keep_leaves_the_database_as_it_was_with_one_copy_however_often_it_is_tried() {
    let earlier = Earlier::new();
    // A row that refers to nobody: the check at the end finds it.
    let stray = "PRAGMA foreign_keys = OFF; INSERT INTO role_history VALUES ('nobody', 'admin', 0)";
    earlier.database().execute_batch(stray).unwrap();
    let before = earlier.all();
    for _ in 0..2 {
        earlier.refuses_to_serve(
            "a row of role_history would refer to one of users that is not there. Nothing was changed",
        );
        unchanged(&earlier, &before, "a row that refers to nobody");
        assert_eq!(earlier.copies().len(), 1);
    }
    let mend =
        "DROP TABLE role_history; CREATE TABLE role_history (user_id TEXT); CREATE INDEX mine ON sessions (stage)";
    earlier.database().execute_batch(mend).unwrap();
    let before = earlier.all();
    earlier.refuses_to_serve("its index mine would not be as in a new one; if you added it, remove it");
    unchanged(&earlier, &before, "tables that are not ours");
}

#[test]
fn a_full_disk_while_the_copy_is_made_upgrades_nothing() {
    let earlier = Earlier::new();
    let before = earlier.all();
    let mut shell = Command::new("sh");
    // No file may grow beyond 32 or 64 KiB, and the signal about it is ignored, so that the write itself fails.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_idp"), "serve"]);
    let ran = shell.args(["--listen", "127.0.0.1:0", "--data"]).arg(earlier.data()).output().unwrap();
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    unchanged(&earlier, &before, "a full disk");
    assert!(!crate::cli_world::names(&earlier.data()).iter().any(|name| name.contains("before-schema")));
}

const DATABASE: &str = "UPGRADE_TEST_DATABASE";
const STEPS: &str = "UPGRADE_TEST_STEPS";

#[test]
fn an_upgrade_that_is_killed_at_any_step_leaves_the_database_as_it_was() {
    if let Some(path) = std::env::var_os(DATABASE) {
        let steps = std::env::var(STEPS).unwrap().parse().unwrap();
        return upgrade(Path::new(&path), Fault::KillAfter(steps)).unwrap();
    }
    let earlier = Earlier::new();
    // So many people that SQLite writes to its log long before the commit.
    let people = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
        INSERT INTO users (id, email, name, role, status, created_at)
        SELECT printf('%036d', i), i || '@fernhill.example', printf('%0100d', i), 'member', 'invited', 0 FROM n;
        PRAGMA wal_checkpoint(TRUNCATE)";
    earlier.database().execute_batch(people).unwrap();
    let (path, before) = (earlier.data().join("idp.db"), earlier.all());
    let (mut kills, mut written_before) = (0, 0);
    let name = "upgrade::cut_short::an_upgrade_that_is_killed_at_any_step_leaves_the_database_as_it_was";
    for steps in std::iter::successors(Some(1_u32), |n| n.checked_mul(3)).take(MOST_TRIES) {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", name]).env(DATABASE, &path).env(STEPS, steps.to_string());
        let ended = child.output().unwrap().status;
        if ended.success() {
            break;
        }
        assert_eq!(ended.signal(), Some(9), "{ended:?}");
        kills += 1;
        written_before += u32::from(path.with_extension("db-wal").metadata().is_ok_and(|log| log.len() > 0));
        unchanged(&earlier, &before, &format!("a kill after {steps} steps"));
    }
    assert!(kills < MOST_TRIES, "it does not succeed, with however many steps");
    assert!(kills > 8 && written_before > 0, "{kills} kills, {written_before} of them with a part in the log");
    assert_eq!(earlier.version(), VERSION);
    drop(Server::start(&["--data", earlier.data().to_str().unwrap()], |_| ()));
    assert_eq!(earlier.idp(&["audit", "verify"]).code, 0);
}

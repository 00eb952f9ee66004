//! The real program, killed and restored while a receiver listens.

use std::collections::BTreeSet;

use super::log_server::LogServer;
use super::receivers::{first_of_each, said, until};
use super::{syslog_toml, write};
use crate::cli_world::Folder;
use crate::served::Server;

const SENT: &str = "SELECT sent = (SELECT max(seq) FROM audit) FROM streams";
const NEWEST: &str = "SELECT max(seq) FROM audit";

/// A folder whose trail goes there from the next entry on.
fn begun(server: &LogServer) -> Folder {
    let folder = Folder::new();
    std::fs::write(folder.data().join("idp.toml"), syslog_toml(&server.place(), None)).unwrap();
    let running = start(&folder);
    until("the first mark", || folder.count("SELECT count(*) FROM streams") == 1);
    drop(running);
    folder
}

fn start(folder: &Folder) -> Server {
    Server::start(&["--data", folder.data().to_str().unwrap()], |_| ())
}

/// What an export has of everything after entry `from`.
fn exported(folder: &Folder, from: usize) -> Vec<String> {
    let lines = folder.idp(&["audit", "export"]);
    assert_eq!(lines.code, 0, "{lines:?}");
    lines.out.lines().skip(from).map(str::to_owned).collect()
}

#[test]
fn a_server_that_is_killed_while_it_sends_loses_nothing_and_changes_no_order() {
    let server = LogServer::tcp();
    let folder = begun(&server);
    let from = usize::try_from(folder.count(NEWEST)).unwrap();
    write(&folder.store(), 3_000);
    for _ in 0..3 {
        let (running, before) = (start(&folder), server.messages().len());
        until("it is in the middle", || server.messages().len() > before + 50);
        drop(running);
    }
    let running = start(&folder);
    until("everything is sent", || folder.count(SENT) == 1);
    running.stop();
    let all = exported(&folder, from);
    assert!(all.len() >= 3_000);
    assert_eq!(first_of_each(&server.wait_for("audit", all.len())), all);
}

#[test]
fn after_a_restore_the_trail_goes_on_from_the_mark_in_the_backup() {
    let server = LogServer::tcp();
    let folder = begun(&server);
    let from = usize::try_from(folder.count(NEWEST)).unwrap();
    let write_more = || {
        let running = start(&folder);
        write(&folder.store(), 5);
        until("everything is sent", || folder.count(SENT) == 1);
        running.stop();
    };
    write_more();
    folder.idp(&["backup", "kept.db"]);
    write_more();
    let lost: BTreeSet<String> = exported(&folder, from).into_iter().collect();
    folder.idp(&["restore", "kept.db"]);
    write_more();
    let all = exported(&folder, from);
    let received = first_of_each(&said(&server.messages(), "audit"));
    let kept: BTreeSet<&String> = all.iter().collect();
    let of_today: Vec<_> = received.iter().filter(|line| kept.contains(line)).cloned().collect();
    assert_eq!(of_today, all);
    assert!(all.iter().any(|line| line.contains("\"action\":\"system.restored\"")));
    // What the restore took back is told by the log of the other machine alone.
    assert!(received.iter().any(|line| lost.contains(line) && !kept.contains(line)));
}

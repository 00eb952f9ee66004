//! Databases that are not brought up to date: in use, newer, tampered with, or opened by what does not need it.

use idp::audit::Action;
use idp::storage::backup::check;
use idp::storage::schema::VERSION;
use rusqlite::Connection;

use super::{Earlier, count};
use crate::cli_world::{Folder, names};
use crate::served::Server;

#[test]
fn only_a_server_brings_a_database_up_to_date_and_what_needs_the_trail_alone_works_before() {
    let earlier = Earlier::new();
    // As a server of the earlier version has it open.
    let open = earlier.database();
    for args in [
        &["user", "list"][..],
        &["user", "disable", "mara@fernhill.example"],
        &["recover-owner", "ada@fernhill.example", "--reason", "a drill"],
    ] {
        let said =
            format!("was written by an earlier version (schema 1, this program's is {VERSION}). Start idp serve once");
        earlier.idp(args).refused(2, &said);
    }
    let target = earlier.folder.path().join("one.db");
    earlier.idp(&["backup", target.to_str().unwrap()]).done();
    assert!(check(&target).unwrap().is_good());
    let export = earlier.idp(&["audit", "export", "--user", "mara@fernhill.example"]).done();
    assert!(export.contains("user.note_added"), "{export}");
    assert_eq!(earlier.idp(&["audit", "verify"]).code, 0);
    let doctor = earlier.idp(&["doctor"]).out;
    assert!(
        doctor.contains(&format!(
            "warning  idp.db is whole, with schema version 1, and this program's is {VERSION}: idp serve"
        )),
        "{doctor}"
    );
    assert!(!doctor.contains("can not be read"), "{doctor}");
    assert_eq!(earlier.version(), 1);
    drop(open);
    let (world, _) = earlier.open();
    assert_eq!(world.entries_of(Action::BackupCreated).len(), 1);
    assert_eq!(world.entries_of(Action::AuditExported).len(), 1);
}

#[test]
fn a_database_that_another_process_has_open_is_not_changed_beneath_it() {
    let earlier = Earlier::new();
    let open = earlier.database();
    assert!(count(&open, "SELECT count(*) FROM users") > 0);
    earlier.refuses_to_serve("another process holds the database");
    assert_eq!((earlier.version(), earlier.copies().len()), (1, 0));
    drop(open);
    drop(Server::start(&["--data", earlier.data().to_str().unwrap()], |_| ()));
    assert_eq!(earlier.version(), VERSION);
}

#[test]
fn a_server_that_could_not_start_upgrades_nothing() {
    let earlier = Earlier::new();
    let before = earlier.all();
    std::fs::remove_file(earlier.data().join("seed.key")).unwrap();
    earlier.refuses_to_serve("holds a database but no seed.key");
    assert_eq!((earlier.all(), earlier.version(), earlier.copies().len()), (before, 1, 0));
}

#[test]
fn a_database_of_a_newer_version_is_refused_by_everything_and_left_as_it_is() {
    let earlier = Earlier::new();
    let folder = Folder::new();
    folder.idp(&["backup", "newer.db"]).done();
    let newer = folder.beside("newer.db");
    Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    earlier.database().execute_batch("PRAGMA user_version = 99").unwrap();
    let before = earlier.all();
    let said = &format!("was written by a newer version (schema 99, this program knows {VERSION}): run that version");
    earlier.refuses_to_serve(said);
    let target = earlier.folder.path().join("one.db");
    let target = target.to_str().unwrap();
    for args in [&["user", "list"][..], &["audit", "export"], &["audit", "verify"], &["backup", target]] {
        earlier.idp(args).refused(2, said);
    }
    folder.idp(&["restore", newer.to_str().unwrap()]).refused(2, said);
    assert_eq!(folder.count("PRAGMA user_version"), VERSION);
    assert_eq!((earlier.all(), earlier.version()), (before, 99));
    // The way back: a backup that this program can read takes its place, and the newer one is kept.
    Connection::open(&newer).unwrap().execute_batch(&format!("PRAGMA user_version = {VERSION}")).unwrap();
    folder.tamper("PRAGMA user_version = 99");
    folder.idp(&["restore", newer.to_str().unwrap()]).done();
    assert_eq!(folder.count("PRAGMA user_version"), VERSION);
    let kept = names(&folder.data()).into_iter().find(|name| name.contains("replaced")).unwrap();
    assert_eq!(count(&Connection::open(folder.data().join(kept)).unwrap(), "PRAGMA user_version"), 99);
}

#[test]
fn a_database_that_was_tampered_with_is_not_brought_up_to_date() {
    let earlier = Earlier::new();
    let edit = "DROP TRIGGER audit_is_append_only_update; UPDATE audit SET outcome = 'denied' WHERE seq = 2";
    earlier.database().execute_batch(edit).unwrap();
    earlier.refuses_to_serve("does not pass its own check, so it was not brought up to date");
    assert_eq!((earlier.version(), earlier.copies().len()), (1, 0));
}

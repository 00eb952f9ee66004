//! `idp doctor` with the real program: each finding, with what to do.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use idp::actions::backup;
use idp::actions::data_folder::open_store;
use idp::audit::{Actor, Event, Record, Source};
use idp::ids::FactorId;
use idp::password::{Argon2Params, PasswordHash};
use idp::policy::BACKUP_AGE;
use idp::storage::{self, Audited, Store, factors, users};
use idp::time::{Clock, Timestamp};
use idp::users::{Role, Status};

use crate::cli_world::{Folder, Ran, add_person};
use crate::mail_server::{MailServer, Mode, write_private};
use crate::served::Server;
use crate::world::World;

const HOUR: Duration = Duration::from_secs(3_600);

/// What it says on this folder.
#[track_caller]
fn finds(folder: &Folder, mark: &str, what: &str) {
    found(&folder.idp(&["doctor"]), mark, what);
}

/// A line of this mark holds `what`, and the exit code tells whether anything is a problem.
#[track_caller]
fn found(ran: &Ran, mark: &str, what: &str) {
    let hit = ran.out.lines().any(|line| line.starts_with(&format!("{mark:9}")) && line.contains(what));
    assert!(hit, "no {mark} with “{what}”: {ran:?}");
    let problem = ran.out.lines().any(|line| line.starts_with("problem"));
    assert_eq!(ran.code, i32::from(problem), "{ran:?}");
    for line in ran.out.lines() {
        let word = line.split(' ').next().unwrap();
        assert!(["ok", "warning", "problem"].contains(&word), "{line}");
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Makes someone an active owner, with an app or without.
fn owner(store: &Store, email: &str, with_app: bool) {
    let user = add_person(store, email, "Owner", Role::Owner);
    store
        .change(move |tx| -> storage::Result<_> {
            let hash = PasswordHash::new(Argon2Params::current(), [1; 16], [2; 32]);
            users::update_password(tx, user.id, &hash)?;
            users::update_status(tx, user.id, Status::Active)?;
            if with_app {
                factors::insert(tx, FactorId::generate(), user.id, "phone", b"sealed", 1)?;
            }
            let event = Event::UserNoteAdded { user, note: "is in".into() };
            Ok(Audited::new((), Record::new(Actor::Host, &Source::default(), event)))
        })
        .unwrap();
}

#[test]
fn a_folder_in_good_order_has_nothing_but_ok() {
    let folder = Folder::new();
    let store = folder.store();
    owner(&store, "ada@fernhill.example", true);
    owner(&store, "noor@fernhill.example", true);
    drop(store);
    folder.idp(&["backup", "backup.db"]).done();
    folder.idp(&["key", "export", "-o", "kept.key"]).done();
    let config = "public_url = \"https://id.fernhill.example\"\ntrusted_proxy = \"127.0.0.1\"";
    std::fs::write(folder.data().join("idp.toml"), config).unwrap();
    let server = Server::start(&["--data", folder.data().to_str().unwrap()], |_| ());
    let said = folder.idp(&["doctor"]).done();
    assert!(said.lines().count() >= 14, "{said}");
    // How full this disk is, is not for a test to say.
    assert!(said.lines().all(|l| l.starts_with("ok       ") || l.contains("are free on the disk")), "{said}");
    for what in
        ["a server runs", "2 owners can sign in", "seed.key was exported at 20", "through a proxy", "no mail is sent"]
    {
        assert!(said.contains(what), "{what}: {said}");
    }
    server.stop();
}

#[test]
fn a_new_folder_is_told_what_is_still_to_do() {
    let folder = Folder::new();
    let ran = folder.idp(&["doctor"]);
    for what in [
        "no owner was set up yet: open the link",
        "there was no backup yet: run idp backup",
        "seed.key was never exported, and no backup holds it: run idp key export",
        "no server runs on this folder: nobody can sign in until you start idp serve",
        "which is this machine alone: set public_url",
    ] {
        found(&ran, "warning", what);
    }
    assert_eq!(ran.code, 0);
    std::fs::remove_dir_all(folder.data()).unwrap();
    folder.idp(&["doctor"]).refused(2, "there is no database");
}

#[test]
fn files_that_others_may_open_links_and_foreign_owners_are_problems_with_the_command_that_mends_them() {
    let folder = Folder::new();
    let key = folder.data().join("seed.key");
    set_mode(&key, 0o644);
    finds(&folder, "problem", &format!("chmod 600 {}", key.display()));
    set_mode(&key, 0o600);
    set_mode(&folder.data(), 0o755);
    finds(&folder, "problem", &format!("chmod 700 {}", folder.data().display()));
    set_mode(&folder.data(), 0o700);
    if rustix::process::geteuid().is_root() {
        chown(&key, Some(65_534), None).unwrap();
        finds(&folder, "problem", &format!("run chown 0 {}", key.display()));
        chown(&key, Some(0), None).unwrap();
    }
    std::fs::rename(&key, folder.beside("seed.key")).unwrap();
    symlink(folder.beside("seed.key"), &key).unwrap();
    finds(&folder, "problem", "is a symbolic link: put the file itself there");
}

#[test]
fn missing_damaged_and_foreign_keys_are_problems() {
    let (folder, other) = (Folder::new(), Folder::new());
    let key = folder.data().join("seed.key");
    let own = std::fs::read(&key).unwrap();
    std::fs::copy(other.data().join("seed.key"), &key).unwrap();
    finds(&folder, "problem", "belongs to another database");
    std::fs::write(&key, "no key").unwrap();
    finds(&folder, "problem", "is damaged or no such key");
    std::fs::remove_file(&key).unwrap();
    finds(&folder, "problem", "put the key file back");
    std::fs::write(&key, own).unwrap();
    set_mode(&key, 0o600);
    std::fs::remove_file(folder.data().join("audit-signing.key")).unwrap();
    finds(&folder, "problem", "openssl genpkey");
}

#[test]
fn a_database_that_is_none_is_newer_or_was_edited_is_a_problem() {
    let broken = |sql: &str, what: &str| {
        let folder = Folder::new();
        folder.tamper(sql);
        finds(&folder, "problem", what);
    };
    broken("PRAGMA application_id = 7", "another program made it");
    broken("PRAGMA user_version = 99", "was written by a newer version");
    broken("DROP TRIGGER audit_is_append_only_update", "guard audit_is_append_only_update is missing or was altered");
    let edit = "DROP TRIGGER audit_is_append_only_update; UPDATE audit SET outcome = 'denied' WHERE seq = 1";
    broken(edit, "keep a copy of the file as evidence, then restore the last good backup");
    let empty = "DROP TRIGGER audit_is_append_only_delete; DELETE FROM audit";
    broken(empty, "the trail is empty");
    broken("ALTER TABLE links RENAME TO elsewhere", "a part of the database can not be read");
    let folder = Folder::new();
    std::fs::write(folder.database(), "no database").unwrap();
    finds(&folder, "problem", "is not a usable database");
}

#[test]
fn a_log_that_is_not_folded_in_is_told() {
    let folder = Folder::new();
    let log = folder.data().join("idp.db-wal");
    std::fs::File::create(&log).unwrap().set_len(65 * 1024 * 1024).unwrap();
    set_mode(&log, 0o600);
    finds(&folder, "warning", "the database's log has 66560 KiB: end commands that hang");
}

#[test]
fn owners_who_can_not_sign_in_are_a_problem_and_one_alone_is_told_to_make_a_second() {
    let folder = Folder::new();
    owner(&folder.store(), "ada@fernhill.example", false);
    finds(&folder, "problem", "no owner can sign in: run idp recover-owner");
    owner(&folder.store(), "noor@fernhill.example", true);
    finds(&folder, "warning", "one owner can sign in: make a second one");
}

#[test]
fn an_old_backup_a_forgotten_invitation_and_a_forgotten_recovery_are_told() {
    let now = Clock::System.now();
    let long_ago = Clock::at(now.minus(Duration::from_secs(30 * 86_400)));
    let folder = Folder::made_by(long_ago.clone());
    let store = open_store(&folder.data(), long_ago.clone()).unwrap();
    backup::create(&store, &Source::default(), &folder.beside("backup.db"), None, long_ago.now()).unwrap();
    add_person(&store, "mara@fernhill.example", "Mara", Role::Member);
    drop(store);
    let ran = folder.idp(&["doctor"]);
    found(&ran, "warning", "the last backup was made 30 days ago");
    found(&ran, "warning", "invited and without a link that still works: 1. Open People");
    found(&ran, "ok", "no recovery is overdue");

    let world = World::by(long_ago, "http://localhost:8080", |_| ());
    let (world, mut ada, _) = world.owned();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    world.reset(&mut ada, &mara.id);
    let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
    let ran = Ran::of(command.arg("doctor").arg("--data").arg(world.data()).output().unwrap());
    found(&ran, "warning", "recoveries whose time has passed and that are still open: 1. Start the server");
    found(&ran, "ok", "everyone who was invited has come in");
}

#[test]
fn a_backup_is_old_from_the_day_on_that_the_dashboard_says_so() {
    for (age, mark) in [(BACKUP_AGE - HOUR, "ok"), (BACKUP_AGE + HOUR, "warning")] {
        let then = Clock::at(Clock::System.now().minus(age));
        let folder = Folder::made_by(then.clone());
        let store = open_store(&folder.data(), then.clone()).unwrap();
        backup::create(&store, &Source::default(), &folder.beside("backup.db"), None, then.now()).unwrap();
        drop(store);
        finds(&folder, mark, "the last backup was made ");
    }
}

#[test]
fn people_who_wait_after_a_restore_are_told_with_what_lets_them_in() {
    let folder = Folder::new();
    finds(&folder, "ok", "nobody waits for an owner to confirm who is here");
    folder.idp(&["backup", "one.db"]).done();
    std::fs::remove_file(folder.database()).unwrap();
    folder.idp(&["restore", "one.db"]).done();
    finds(&folder, "warning", "nobody but owners can sign in: an owner signs in, opens Confirm who is here");
}

#[test]
fn a_clock_behind_the_newest_entry_is_a_problem() {
    let ahead: Timestamp = "2099-01-01T00:00:00Z".parse().unwrap();
    let folder = Folder::made_by(Clock::at(ahead));
    finds(&folder, "problem", "before the newest audit entry of 2099-01-01T00:00:00Z: set the clock");
}

#[test]
fn an_exported_key_counts_only_while_it_is_the_key_in_use() {
    let folder = Folder::new();
    folder.idp(&["key", "export", "-o", "kept.key"]).done();
    finds(&folder, "ok", "seed.key was exported at");
    folder.idp(&["backup", "one.db"]).done();
    std::fs::remove_file(folder.data().join("seed.key")).unwrap();
    folder.idp(&["restore", "one.db", "--without-factors"]).done();
    finds(&folder, "warning", "seed.key was never exported");
}

#[test]
fn settings_with_which_browsers_do_not_come_or_not_safely_are_told() {
    let folder = Folder::new();
    let with = |text: &str, mark: &str, what: &str| {
        std::fs::write(folder.data().join("idp.toml"), text).unwrap();
        finds(&folder, mark, what);
    };
    let https = "public_url = \"https://id.fernhill.example\"\n";
    with("", "warning", "browsers reach the server at http://localhost:8080");
    with(https, "warning", "no proxy is trusted, so all visitors count as one address");
    with(&format!("{https}listen = \"0.0.0.0:8080\""), "warning", "it listens on 0.0.0.0:8080");
    with(&format!("{https}trusted_proxy = \"0.0.0.0/0\""), "warning", "trusted_proxy is everyone");
    with("publik_url = \"x\"", "problem", "idp serve would not start");
    let good = format!("{https}trusted_proxy = \"127.0.0.1\"");
    with(&good, "ok", "through a proxy that is trusted");
    // A file elsewhere, and a server that was started with something else than it says.
    std::fs::write(folder.data().join("idp.toml"), "").unwrap();
    std::fs::write(folder.beside("main.toml"), &good).unwrap();
    let ran = folder.idp(&["doctor", "--config", "main.toml"]);
    found(&ran, "ok", "browsers reach the server at https://id.fernhill.example");
    let server = Server::start(&["--data", folder.data().to_str().unwrap()], |_| ());
    let ran = folder.idp(&["doctor", "--config", "main.toml"]);
    found(&ran, "warning", "restart it, or give this command the same settings");
    server.stop();
}

#[test]
fn whether_mail_goes_out_is_tried_and_told_with_what_to_do() {
    let mail = MailServer::with_account(Mode::Starttls, "idp@example.org", "mellow-Otter-9");
    let folder = Folder::new();
    let without =
        "no mail is sent, since smtp_server is not set: notices are shown at the next sign-in, and as letters to print";
    finds(&folder, "ok", without);

    // As the README has it, but for the address and the issuer that tests have.
    let readme = include_str!("../README.md");
    let chapter = readme.split("\n### Mail\n").nth(1).unwrap();
    let text = chapter.split("```ini\n").nth(1).unwrap().split("```").next().unwrap();
    let server = format!("127.0.0.1:{}", mail.port);
    assert!(text.contains("mail.example.org:587"));
    let text = text.replace("mail.example.org:587", &server);
    let ca = format!("smtp_ca_file = \"{}\"\n", mail.ca_file().display());
    let write = |text: &str| std::fs::write(folder.data().join("idp.toml"), text).unwrap();
    write(&format!("{text}{ca}"));
    let password = folder.data().join("mail.password");
    finds(&folder, "problem", &format!("idp serve would not start: can not open {}", password.display()));
    write_private(&password, "mellow-Otter-9\n");
    let good =
        format!("mail goes out through {server}, encrypted by STARTTLS with a certificate that is trusted and signed");
    finds(&folder, "ok", &good);
    set_mode(&password, 0o644);
    finds(&folder, "problem", &format!("run chmod 600 {}", password.display()));
    set_mode(&password, 0o600);

    write_private(&password, "another-Badger-7");
    let ran = folder.idp(&["doctor"]);
    found(&ran, "problem", "does not let smtp_user in: 535");
    assert!(!ran.out.contains("another-Badger-7"), "{ran:?}");
    write_private(&password, "mellow-Otter-9");
    write(&text);
    finds(&folder, "problem", "if it is your own, set smtp_ca_file to the certificate of who issued it");
    write(&format!("{text}{ca}"));
    mail.stop();
    finds(&folder, "warning", &format!("mail does not go out now: {server} can not be reached"));
    mail.start_again();
    finds(&folder, "ok", &good);
    write(&format!("{text}{ca}smtp_security = \"none\""));
    finds(&folder, "problem", "idp serve would not start: ");
    assert!(mail.received().is_empty(), "it only asks");

    let plain = MailServer::start(Mode::Plain);
    write(&plain.toml());
    finds(&folder, "ok", &format!("mail goes out through 127.0.0.1:{}, not encrypted, on this machine", plain.port));
}

//! `idp key export` with the real program: the one secret that no backup holds, given out and put back.

use std::os::unix::fs::symlink;
use std::process::Command;

use idp::audit::Action;
use idp::time::Clock;

use crate::cli_world::{Folder, Ran, mode, names};
use crate::world::{PASSWORD, World};

/// How often the trail says that the key was exported.
fn recorded(folder: &Folder) -> i64 {
    folder.count("SELECT count(*) FROM audit WHERE action = 'system.key_exported' AND outcome = 'success'")
}

fn key(folder: &Folder) -> String {
    std::fs::read_to_string(folder.data().join("seed.key")).unwrap()
}

#[test]
fn a_backup_and_the_exported_key_let_people_sign_in_on_a_new_host_with_the_phones_they_have() {
    let (mut world, _, phone) = World::with_owner();
    let room = tempfile::tempdir().unwrap();
    let idp = |world: &World, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        Ran::of(command.args(args).arg("--data").arg(world.data()).current_dir(room.path()).output().unwrap()).done()
    };
    idp(&world, &["backup", "idp.db"]);
    idp(&world, &["key", "export", "-o", "kept.key"]);
    std::fs::remove_dir_all(world.data()).unwrap();
    // As the help says.
    for line in ["install -d -m 700 \"$0\"", "install -m 600 kept.key \"$0/seed.key\""] {
        assert!(
            Command::new("sh")
                .args(["-c", line])
                .arg(world.data())
                .current_dir(room.path())
                .status()
                .unwrap()
                .success()
        );
    }
    idp(&world, &["restore", "idp.db"]);
    world.clock.set(Clock::System.now());
    world.restart();
    let mut browser = world.browser();
    browser.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    assert!(browser.is_signed_in());
}

#[test]
fn the_exported_key_is_private_under_any_umask_and_replaces_nothing() {
    let folder = Folder::new();
    for umask in ["000", "022", "277"] {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_idp"), "key", "export"]);
        shell.arg("-o").arg(folder.beside(umask)).arg("--data").arg(folder.data());
        Ran::of(shell.output().unwrap()).done();
        assert_eq!(mode(&folder.beside(umask)), 0o600, "umask {umask}");
        assert_eq!(std::fs::read_to_string(folder.beside(umask)).unwrap(), key(&folder));
    }
    assert_eq!(recorded(&folder), 3);
    let before = names(folder.data().parent().unwrap());
    folder.idp(&["key", "export", "-o", "022"]).refused(2, "022 exists: name another file");
    symlink(folder.beside("elsewhere"), folder.beside("link")).unwrap();
    folder.idp(&["key", "export", "-o", "link"]).refused(2, "is a symbolic link");
    std::fs::remove_file(folder.beside("link")).unwrap();
    folder.idp(&["key", "export", "-o", "idp-data/copy.key"]).refused(2, "would be lost with it");
    folder.idp(&["key", "export", "-o", "absent/copy.key"]).refused(2, "can not create");
    assert_eq!(names(folder.data().parent().unwrap()), before);
    assert_eq!(recorded(&folder), 3, "what came to nothing is not said to be done");
}

#[test]
fn the_key_is_printed_only_when_asked_and_stands_in_no_entry() {
    let folder = Folder::new();
    let unasked = folder.idp(&["key", "export"]);
    assert!(unasked.code == 2 && unasked.out.is_empty() && unasked.err.contains("--output"), "{unasked:?}");
    assert_eq!(recorded(&folder), 0);
    assert_eq!(folder.idp(&["key", "export", "--out", "-"]).done(), key(&folder));
    assert_eq!(recorded(&folder), 1);
    let entry = folder.idp(&["audit", "export", "--action", Action::SystemKeyExported.as_str()]).done();
    assert!(entry.contains("\"to\":\"standard output\"") && entry.contains("\"os_user\""), "{entry}");
    let secret = key(&folder);
    assert!(!entry.contains(secret.split_whitespace().last().unwrap()));
}

#[test]
fn a_key_that_can_not_be_recorded_or_belongs_elsewhere_is_not_given_out() {
    let folder = Folder::new();
    // Someone closed the trail: nothing more can be recorded, and no program of ours writes into such a database.
    folder.tamper("CREATE TRIGGER closed BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'closed'); END");
    let ran = folder.idp(&["key", "export", "-o", "kept.key"]);
    assert!(
        ran.code == 2 && ran.err.contains("trigger closed is missing, or is not as this program made it"),
        "{ran:?}"
    );
    assert!(!folder.beside("kept.key").exists());
    let ran = folder.idp(&["key", "export", "-o", "-"]);
    assert!(ran.code == 2 && ran.out.is_empty(), "{ran:?}");
    folder.tamper("DROP TRIGGER closed");
    std::fs::copy(Folder::new().data().join("seed.key"), folder.data().join("seed.key")).unwrap();
    folder.idp(&["key", "export", "-o", "kept.key"]).refused(2, "belongs to another database");
    std::fs::remove_file(folder.data().join("seed.key")).unwrap();
    folder.idp(&["key", "export", "-o", "kept.key"]).refused(2, "no seed.key");
    assert_eq!(recorded(&folder), 0);
}

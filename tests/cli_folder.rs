//! The data folder: born private, never bootstrapped over what existed before.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use idp::actions::data_folder::{FolderError, open, open_or_create};
use idp::audit::Source;
use idp::host::lock::LockError;
use idp::time::Clock;
use idp::users::Role;

use crate::cli_world::{Folder, Ran, add_person, mode, names};

const FOLDER: &str = "CLI_FOLDER_TEST";

fn first_start(folder: &Path) -> Result<(), FolderError> {
    open_or_create(folder, &Source::default(), Clock::System).map(drop)
}

/// Runs this test binary's test `name` again in a shell that first does `before`, with a folder to work in.
fn again(name: &str, before: &str, folder: &Path) -> bool {
    let child = Command::new("sh")
        .args(["-c", &format!("{before}; exec \"$0\" --exact \"$1\"")])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(FOLDER, folder)
        .output()
        .unwrap();
    child.status.success()
}

fn given_folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

#[test]
fn every_file_of_a_first_start_is_private_under_any_umask() {
    if let Some(folder) = given_folder() {
        let serving = open_or_create(&folder, &Source::default(), Clock::System).unwrap();
        assert!(serving.created);
        add_person(&serving.opened.store, "mara@fernhill.example", "Mara", Role::Owner);
        let files = names(&folder);
        for name in ["idp.db", "idp.db-wal", "idp.db-shm", "seed.key", "audit-signing.key", "idp.lock"] {
            assert!(files.contains(name), "{name} is not among {files:?}");
        }
        for name in files {
            assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
        }
        return;
    }
    let room = tempfile::tempdir().unwrap();
    for umask in ["000", "022", "277"] {
        let folder = room.path().join(umask);
        let name = "cli_folder::every_file_of_a_first_start_is_private_under_any_umask";
        assert!(again(name, &format!("umask {umask}"), &folder), "umask {umask}");
        assert_eq!(mode(&folder), 0o700);
    }
}

#[test]
fn a_first_start_on_a_full_disk_leaves_nothing_behind() {
    if let Some(folder) = given_folder() {
        assert!(first_start(&folder).is_err());
        return;
    }
    let room = tempfile::tempdir().unwrap();
    let name = "cli_folder::a_first_start_on_a_full_disk_leaves_nothing_behind";
    // No file may grow beyond 16 KiB (or 8 KiB, where the unit is half of that), and the signal about it is ignored.
    assert!(again(name, "trap '' XFSZ; ulimit -f 16", &room.path().join("absent")));
    assert!(names(room.path()).is_empty());
    let kept = room.path().join("kept");
    std::fs::create_dir(&kept).unwrap();
    std::fs::write(kept.join("idp.toml"), "").unwrap();
    assert!(again(name, "trap '' XFSZ; ulimit -f 16", &kept));
    assert_eq!(names(&kept).into_iter().collect::<Vec<_>>(), ["idp.toml"]);
}

#[test]
fn a_key_without_its_database_is_refused() {
    for key in ["seed.key", "audit-signing.key"] {
        let room = tempfile::tempdir().unwrap();
        std::fs::write(room.path().join(key), "old").unwrap();
        let said = first_start(room.path()).unwrap_err().to_string();
        assert!(said.contains(key) && said.contains("idp restore FILE"), "{said}");
        assert_eq!(names(room.path()).into_iter().collect::<Vec<_>>(), [key]);
    }
    let folder = Folder::new();
    std::fs::remove_file(folder.database()).unwrap();
    folder.idp(&["audit", "export"]).refused(2, "holds seed.key but no idp.db");
    folder.idp(&["backup", "."]).refused(2, "holds seed.key but no idp.db");
}

#[test]
fn a_database_without_its_keys_or_with_foreign_ones_is_refused() {
    let (folder, other) = (Folder::new(), Folder::new());
    let key = |folder: &Folder, name: &str| folder.data().join(name);
    let own = std::fs::read(key(&folder, "seed.key")).unwrap();
    std::fs::copy(key(&other, "seed.key"), key(&folder, "seed.key")).unwrap();
    assert!(matches!(first_start(&folder.data()), Err(FolderError::ForeignKey(_))));
    std::fs::remove_file(key(&folder, "seed.key")).unwrap();
    assert!(matches!(first_start(&folder.data()), Err(FolderError::NoSeedKey(_))));
    std::fs::write(key(&folder, "seed.key"), own).unwrap();
    std::fs::remove_file(key(&folder, "audit-signing.key")).unwrap();
    let said = first_start(&folder.data()).unwrap_err().to_string();
    assert!(said.contains("make a new one"), "{said}");
    assert!(!key(&folder, "audit-signing.key").exists(), "no key is made silently");
}

#[test]
fn a_link_in_place_of_a_file_of_ours_is_not_followed() {
    let folder = Folder::new();
    for name in ["idp.db", "seed.key"] {
        let (here, away) = (folder.data().join(name), folder.beside(name));
        std::fs::rename(&here, &away).unwrap();
        symlink(&away, &here).unwrap();
        assert!(first_start(&folder.data()).is_err(), "{name}");
        std::fs::remove_file(&here).unwrap();
        std::fs::rename(&away, &here).unwrap();
    }
    first_start(&folder.data()).unwrap();
}

#[test]
fn a_second_server_on_the_same_folder_is_refused_and_commands_are_not() {
    let folder = Folder::new();
    let serving = open_or_create(&folder.data(), &Source::default(), Clock::System).unwrap();
    assert!(!serving.created);
    assert!(matches!(first_start(&folder.data()), Err(FolderError::Lock(LockError::Held(_)))));
    open(&folder.data(), Clock::System).unwrap();
    folder.idp(&["audit", "export"]).done();
    assert!(folder.idp(&["doctor"]).out.contains("a server runs on this folder"));
    drop(serving);
    first_start(&folder.data()).unwrap();
}

#[test]
fn every_command_finds_the_data_where_the_server_does() {
    let folder = Folder::new();
    add_person(&folder.store(), "mara@fernhill.example", "Mara", Role::Member);
    // A relative path counts from the file, wherever the command is run.
    let (config, elsewhere) = (folder.beside("main.toml"), folder.beside("elsewhere"));
    std::fs::write(&config, "data = \"idp-data\"").unwrap();
    std::fs::create_dir(&elsewhere).unwrap();
    let run = |args: &[&str], by_flag: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        command.args(args).env_remove("IDP_DATA").current_dir(&elsewhere);
        let command = if by_flag { command.arg("--config").arg(&config) } else { command.env("IDP_CONFIG", &config) };
        Ran::of(command.output().unwrap())
    };
    for by_flag in [true, false] {
        assert!(run(&["user", "list"], by_flag).done().contains("mara@fernhill.example"));
        assert!(run(&["user", "show", "mara@fernhill.example"], by_flag).done().contains("Mara"));
        assert!(run(&["audit", "verify"], by_flag).done().contains("consistent"));
        assert!(run(&["audit", "export"], by_flag).done().contains("user.created"));
        run(&["backup", "one.db"], by_flag).done();
        run(&["key", "export", "-o", &format!("kept-{by_flag}.key")], by_flag).done();
        assert!(run(&["doctor"], by_flag).out.contains("idp.db is whole"));
        assert!(run(&["restore", "one.db"], by_flag).done().contains("new lineage"));
        // Who says it by a flag means that folder.
        let there = elsewhere.join("idp-data");
        run(&["user", "list", "--data", there.to_str().unwrap()], by_flag).refused(2, "there is no database");
    }
    assert!(!elsewhere.join("idp-data").exists(), "nothing was made where the command was run");
}

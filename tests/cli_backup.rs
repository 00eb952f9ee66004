//! Backups with the real program.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use idp::storage::backup::check;
use idp::users::Role;

use crate::cli_world::{Folder, add_note, add_person, mode, names};

/// Names in a folder of backups.
fn backups(folder: &Folder) -> Vec<String> {
    names(&folder.beside("backups")).into_iter().collect()
}

fn with_folder_for_backups() -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(folder.beside("backups")).unwrap();
    folder
}

#[test]
fn a_backup_beside_a_writing_server_is_whole_and_sound() {
    let folder = with_folder_for_backups();
    let store = folder.store();
    let mara = add_person(&store, "mara@fernhill.example", "Mara", Role::Owner);
    let stop = AtomicBool::new(false);
    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                add_note(&store, &mara, &"busy ".repeat(100));
            }
        });
        let said: Vec<_> = (0..3).map(|_| folder.idp(&["backup", "backups"])).collect();
        stop.store(true, Ordering::Relaxed);
        said
    });
    let files = backups(&folder);
    assert_eq!(files.len(), 3, "one file a run, and no draft: {files:?}");
    for (ran, name) in said.into_iter().zip(&files) {
        let line = ran.done();
        let checked = check(&folder.beside("backups").join(name)).unwrap();
        assert!(checked.is_good());
        let hash = data_encoding::HEXLOWER.encode(&checked.head.hash);
        let says = format!("backups/{name}: {} entries, head {} {hash}, anchor \"", checked.entries, checked.head.seq);
        assert!(line.starts_with(&says) && line.lines().count() == 1, "{line}");
        assert_eq!(mode(&folder.beside("backups").join(name)), 0o600);
    }
    assert_eq!(folder.count("SELECT count(*) FROM audit WHERE action = 'backup.created'"), 3);
    assert!(folder.idp(&["audit", "verify"]).code == 0);
}

#[test]
fn the_oldest_go_and_never_the_last_nor_what_is_not_ours() {
    let folder = with_folder_for_backups();
    let inside = |name: &str| folder.beside("backups").join(name);
    std::fs::write(inside("notes.txt"), "mine").unwrap();
    std::fs::write(inside("idp-mine.db"), "mine").unwrap();
    symlink(inside("notes.txt"), inside("idp-20200101T000000.000Z.db")).unwrap();
    std::fs::write(inside("idp-20990101T000000.000Z.db"), "from a clock that was ahead").unwrap();
    for _ in 0..3 {
        folder.idp(&["backup", "backups", "--keep", "2"]).done();
    }
    let files = backups(&folder);
    assert_eq!(files.len(), 5, "{files:?}");
    assert!(files.contains(&"idp-20990101T000000.000Z.db".into()), "the newest by name but one is kept");

    let newest = folder.idp(&["backup", "backups", "--keep", "1"]).done();
    let files = backups(&folder);
    let left = ["idp-20200101T000000.000Z.db", "idp-mine.db", "notes.txt"];
    assert_eq!(files.iter().filter(|f| !left.contains(&f.as_str())).count(), 1, "{files:?}");
    assert!(newest.starts_with("backups/") && files.iter().any(|f| newest.contains(f.as_str())));
    assert_eq!(folder.idp(&["backup", "backups", "--keep", "0"]).code, 2);
    folder.idp(&["backup", "one.db", "--keep", "3"]).refused(2, "--keep counts the backups in a folder");
}

#[test]
fn a_file_is_replaced_only_if_it_is_a_backup() {
    let folder = Folder::new();
    let file = folder.beside("nightly.db");
    folder.idp(&["backup", "nightly.db"]).done();
    folder.idp(&["backup", "nightly.db"]).done();
    assert!(check(&file).unwrap().is_good());
    assert_eq!(check(&file).unwrap().entries, 3, "with the earlier backup and its checkpoint");
    assert_eq!(mode(&file), 0o600);

    let key = folder.data().join("seed.key");
    let before = std::fs::read(&key).unwrap();
    folder.idp(&["backup", key.to_str().unwrap()]).refused(2, "is no backup of this program");
    assert_eq!(std::fs::read(&key).unwrap(), before);
    folder.idp(&["backup", folder.database().to_str().unwrap()]).refused(2, "is the live database itself");
    symlink(&file, folder.beside("link.db")).unwrap();
    folder.idp(&["backup", "link.db"]).refused(2, "is a symbolic link");
    folder.idp(&["backup", "no/such/place.db"]).refused(2, "No such file");
    assert_eq!(names(&folder.data()).len(), 5, "{:?}", names(&folder.data()));
}

#[test]
fn a_trail_that_was_edited_gives_no_backup_and_costs_no_earlier_one() {
    let folder = with_folder_for_backups();
    let mara = add_person(&folder.store(), "mara@fernhill.example", "Mara", Role::Owner);
    add_note(&folder.store(), &mara, "more");
    folder.idp(&["backup", "backups"]).done();
    let before = backups(&folder);
    folder.edit_trail("UPDATE audit SET outcome = 'denied' WHERE seq = 2");
    folder.idp(&["backup", "backups", "--keep", "1"]).refused(1, "does not pass its own check");
    assert_eq!(backups(&folder), before);
}

#[test]
fn a_full_disk_or_a_kill_leaves_no_half_backup_and_the_earlier_ones() {
    let folder = with_folder_for_backups();
    let store = folder.store();
    let mara = add_person(&store, "mara@fernhill.example", "Mara", Role::Owner);
    for _ in 0..400 {
        add_note(&store, &mara, &"long ".repeat(200));
    }
    folder.idp(&["backup", "backups"]).done();
    let before = backups(&folder);
    let ran = folder.idp_on_a_full_disk(&["backup", "backups", "--keep", "1"]);
    assert!(ran.code == 2 && ran.out.is_empty() && ran.err.lines().count() == 1, "{ran:?}");
    assert_eq!(backups(&folder), before);

    for pause in 0..12 {
        let mut child = folder.command(&["backup", "backups"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(pause * 5));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    for name in backups(&folder).iter().filter(|name| !name.starts_with('.')) {
        assert!(check(&folder.beside("backups").join(name)).unwrap().is_good(), "{name}");
    }
    assert!(folder.idp(&["audit", "verify"]).code == 0);
}

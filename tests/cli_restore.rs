//! Restoring with the real program.

use idp::actions::data_folder::{open, open_or_create};
use idp::audit::{Actor, Event, Person, Record, Source};
use idp::backup_codes::{CodeSet, Kind};
use idp::ids::{FactorId, SessionId};
use idp::password::Argon2Params;
use idp::secret::{Purpose, Token};
use idp::sessions::{Session, Stage};
use idp::storage::{self, Audited, Store, backup_codes, factors, links, sessions};
use idp::time::Clock;
use idp::users::Role;

use crate::cli_world::{Folder, add_note, add_person, mode, names};

/// Gives a person a session, a link, a set of codes and a factor.
fn let_in(store: &Store, user: &Person) {
    let user = user.clone();
    store
        .change(move |tx| -> storage::Result<_> {
            let now = tx.now();
            let session = Session {
                id: SessionId::generate(),
                user_id: user.id,
                stage: Stage::Full,
                epoch: 0,
                methods: "pwd otp".into(),
                pass_given: false,
                sealed_seed: None,
                address: "192.0.2.1".into(),
                user_agent: "test".into(),
                next: String::new(),
                device_id: None,
                created_at: now,
                seen_at: now,
                step_up_at: now,
                expires_at: now,
            };
            sessions::insert(tx, &session, &Token::generate().hash(Purpose::Session))?;
            links::insert(tx, &Token::generate().hash(Purpose::Invitation), Some(user.id), now)?;
            let set = CodeSet {
                id: 0,
                kind: Kind::Own,
                salt: [1; 16],
                params: Argon2Params::current(),
                total: 2,
                created_at: now,
                expires_at: None,
                unused: vec![(0, [1; 32]), (1, [2; 32])],
            };
            backup_codes::insert(tx, user.id, &set)?;
            factors::insert(tx, FactorId::generate(), user.id, "phone", b"sealed", 1)?;
            let event = Event::UserNoteAdded { user, note: "let in".into() };
            Ok(Audited::new((), Record::new(Actor::Host, &Source::default(), event)))
        })
        .unwrap();
}

/// A folder with a person who can sign in, a backup of that in `one.db`, and two entries more.
fn with_backup() -> Folder {
    let folder = Folder::new();
    let store = folder.store();
    let mara = add_person(&store, "mara@fernhill.example", "Mara", Role::Owner);
    let_in(&store, &mara);
    drop(store);
    folder.idp(&["backup", "one.db"]).done();
    add_note(&folder.store(), &mara, "after the backup");
    folder
}

fn replaced(folder: &Folder) -> Vec<String> {
    names(&folder.data()).into_iter().filter(|n| n.contains("replaced")).collect()
}

#[test]
fn a_restore_begins_a_new_lineage_and_voids_what_let_someone_in() {
    let folder = with_backup();
    let said = folder.idp(&["restore", "one.db"]).done();
    assert!(said.contains("restored up to entry 3 of"), "{said}");
    assert!(said.contains("lost: entries 4 to 6 of lineage "), "{said}");
    assert!(said.contains("void: 1 sessions, 0 devices, 2 backup codes, 1 links"), "{said}");
    for table in ["sessions", "links", "codes", "code_sets", "devices", "enrolment_windows"] {
        assert_eq!(folder.count(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    assert_eq!(folder.count("SELECT count(*) FROM factors"), 1, "the seed key fits, so the app still works");
    assert_eq!(folder.count("SELECT max(credential_epoch) FROM users"), 1);
    let verdict = folder.idp(&["audit", "verify"]).done();
    assert!(verdict.contains("entries: 5, lineages: 2"), "{verdict}");
    let entry = folder.idp(&["audit", "export", "--action", "system.restored"]).done();
    assert!(entry.contains("entries 4 to 6 of lineage") && entry.contains("\"factors\":\"kept\""), "{entry}");

    let kept = replaced(&folder);
    assert_eq!(kept.len(), 1, "the replaced database is one file without a log: {kept:?}");
    assert_eq!(mode(&folder.data().join(&kept[0])), 0o600);
    assert_eq!(mode(&folder.database()), 0o600);
    let old = folder.data().join(&kept[0]);
    assert!(folder.idp(&["audit", "verify", old.to_str().unwrap()]).done().contains("entries: 6, lineages: 1"));
    open(&folder.data(), Clock::System).unwrap();
    assert!(!names(&folder.data()).iter().any(|n| n.contains(".new")), "{:?}", names(&folder.data()));
}

#[test]
fn a_live_database_is_not_restored_over() {
    let folder = with_backup();
    let serving = open_or_create(&folder.data(), &Source::default(), Clock::System).unwrap();
    folder.idp(&["restore", "one.db"]).refused(2, "stop it first");
    drop(serving);
    let command = folder.store();
    command.read(|tx| storage::users::count_owners(tx, None)).unwrap();
    folder.idp(&["restore", "one.db"]).refused(2, "another command has");
    drop(command);
    folder.idp(&["restore", folder.database().to_str().unwrap()]).refused(2, "is the live database itself");
    assert!(replaced(&folder).is_empty());
    folder.idp(&["restore", "one.db"]).done();
}

#[test]
fn a_damaged_backup_changes_nothing() {
    let folder = with_backup();
    let backup = folder.beside("one.db");
    let whole = std::fs::read(&backup).unwrap();
    let before = folder.idp(&["audit", "verify"]).done();
    let edited = rusqlite::Connection::open(&backup).unwrap();
    edited
        .execute_batch("DROP TRIGGER audit_is_append_only_update; UPDATE audit SET outcome = 'denied' WHERE seq = 2")
        .unwrap();
    drop(edited);
    folder.idp(&["restore", "one.db"]).refused(1, "does not pass its check");
    std::fs::write(&backup, &whole[..5_000]).unwrap();
    assert_ne!(folder.idp(&["restore", "one.db"]).code, 0);
    std::fs::write(&backup, b"no database at all").unwrap();
    folder.idp(&["restore", "one.db"]).refused(2, "not a usable database");
    assert_eq!(folder.idp(&["audit", "verify"]).done(), before);
    assert!(replaced(&folder).is_empty());
}

#[test]
fn an_empty_folder_takes_a_backup_once_its_seed_key_is_back() {
    let folder = with_backup();
    let key = std::fs::read(folder.data().join("seed.key")).unwrap();
    std::fs::remove_dir_all(folder.data()).unwrap();
    folder.idp(&["restore", "one.db"]).refused(2, "seed.key is missing");
    assert!(!folder.data().join("audit-signing.key").exists(), "a failed restore leaves no key behind");
    std::fs::write(folder.data().join("seed.key"), key).unwrap();
    let said = folder.idp(&["restore", "one.db"]).done();
    assert!(said.contains("lost: unknown") && said.contains("made: audit-signing.key"), "{said}");
    assert_eq!(mode(&folder.data().join("audit-signing.key")), 0o600);
    open(&folder.data(), Clock::System).unwrap();
}

#[test]
fn without_the_seed_key_everyone_enrols_again() {
    let folder = with_backup();
    std::fs::copy(Folder::new().data().join("seed.key"), folder.data().join("seed.key")).unwrap();
    folder.idp(&["restore", "one.db"]).refused(2, "belongs to another database");
    std::fs::remove_file(folder.data().join("seed.key")).unwrap();
    folder.idp(&["restore", "one.db"]).refused(2, "--without-factors");
    assert!(!folder.data().join("seed.key").exists());
    let said = folder.idp(&["restore", "one.db", "--without-factors"]).done();
    assert!(said.contains("removed: the second factors of 1 people") && said.contains("made: seed.key"), "{said}");
    assert_eq!(folder.count("SELECT count(*) FROM factors"), 0);
    let entry = folder.idp(&["audit", "export", "--action", "system.restored"]).done();
    assert!(entry.contains("all removed, because restored without the seed key"), "{entry}");
    let reset = folder.idp(&["audit", "export", "--action", "mfa.factor_admin_reset"]).done();
    assert!(reset.contains("restored without the seed key") && reset.contains(r#""factors_removed":1"#), "{reset}");
    open(&folder.data(), Clock::System).unwrap();
}

#[test]
fn a_database_that_can_not_be_read_is_kept_with_its_log() {
    let folder = with_backup();
    std::fs::write(folder.database(), "ruined").unwrap();
    std::fs::write(folder.data().join("idp.db-wal"), "ruined too").unwrap();
    let said = folder.idp(&["restore", "one.db"]).done();
    assert!(said.contains("lost: unknown"), "{said}");
    let kept = replaced(&folder);
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept[1].ends_with("-wal"));
    assert_eq!(std::fs::read(folder.data().join(&kept[0])).unwrap(), b"ruined");
    folder.idp(&["audit", "verify"]).done();
}

#[test]
fn a_full_disk_leaves_the_database_that_was_there() {
    let folder = with_backup();
    let before = (folder.idp(&["audit", "verify"]).done(), names(&folder.data()));
    let ran = folder.idp_on_a_full_disk(&["restore", "one.db"]);
    assert!(ran.code == 2 && ran.err.lines().count() == 1, "{ran:?}");
    let after = (folder.idp(&["audit", "verify"]).done(), names(&folder.data()));
    assert_eq!(after, before);
}

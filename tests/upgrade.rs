//! Databases of earlier versions: `fixtures/schema-N` holds the data folder of a small organisation as the last program
//! of schema N left it, compressed, with what its people know and carry in `facts`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use idp::audit::Action;
use idp::storage::schema::VERSION;
use idp::time::Clock;
use rusqlite::Connection;

use crate::cli_world::{Folder, Ran};
use crate::world::{PASSWORD, Phone, World};

/// An earlier organisation: an owner (Ada), an admin (Tom), an auditor (Noor), a member (Mara) with a note, one who is
/// disabled, one who waits to enrol with a pass after a reset, and one who has not used the invitation yet.
struct Earlier {
    folder: tempfile::TempDir,
    facts: BTreeMap<String, String>,
}

impl Earlier {
    fn new() -> Self {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-1");
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        for key in ["seed.key", "audit-signing.key"] {
            std::fs::copy(fixture.join(key), data.join(key)).unwrap();
            private(&data.join(key));
        }
        let mut database = Vec::new();
        let packed = std::fs::File::open(fixture.join("idp.db.gz")).unwrap();
        flate2::read::GzDecoder::new(packed).read_to_end(&mut database).unwrap();
        std::fs::write(data.join("idp.db"), database).unwrap();
        private(&data.join("idp.db"));
        let facts = std::fs::read_to_string(fixture.join("facts")).unwrap();
        let facts = facts.lines().filter_map(|line| line.split_once(' ')).map(|(k, v)| (k.into(), v.into()));
        Self { facts: facts.collect(), folder }
    }

    fn fact(&self, name: &str) -> &str {
        &self.facts[name]
    }

    fn database(&self) -> Connection {
        Connection::open(self.folder.path().join("data/idp.db")).unwrap()
    }

    /// Starts this version on it.
    fn open(self) -> (World, BTreeMap<String, String>) {
        let clock = Clock::at(self.fact("now").parse().unwrap());
        (World::on(self.folder, clock), self.facts)
    }
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn count(conn: &Connection, sql: &str) -> i64 {
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Every row of a table as text, by the names of its columns.
fn rows(conn: &Connection, table: &str) -> BTreeSet<BTreeMap<String, String>> {
    let mut query = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let names: Vec<String> = query.column_names().map(str::to_owned).collect();
    let read = query.query_map([], |row| {
        let value = |i| row.get::<_, rusqlite::types::Value>(i).map(|v| format!("{v:?}"));
        names.iter().enumerate().map(|(i, name)| Ok((name.clone(), value(i)?))).collect()
    });
    read.unwrap().collect::<Result<_, _>>().unwrap()
}

/// What SQLite says the layout is, whatever the comments, spaces and quotes.
fn layout(conn: &Connection) -> BTreeSet<(String, String)> {
    let mut query = conn.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").unwrap();
    let plain = |sql: String| {
        let code = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<String>();
        code.replace('"', "").split_whitespace().collect::<String>()
    };
    let read = query.query_map([], |row| Ok((row.get(0)?, plain(row.get(1)?))));
    read.unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn an_earlier_database_is_found_as_it_was_and_everybody_gets_in_as_before() {
    let earlier = Earlier::new();
    assert_eq!(count(&earlier.database(), "PRAGMA user_version"), 1);
    let tables = ["users", "role_history", "factors", "code_sets", "codes", "sessions", "devices", "links", "cases"];
    let before = tables.map(|table| rows(&earlier.database(), table));
    let entries = rows(&earlier.database(), "audit");
    let (world, facts) = earlier.open();
    let fact = |name: &str| facts[name].as_str();
    let conn = Connection::open(world.database()).unwrap();
    assert_eq!(count(&conn, "PRAGMA user_version"), VERSION);
    assert_eq!(tables.map(|table| rows(&conn, table)), before);
    assert!(rows(&conn, "audit").is_superset(&entries));
    let [upgraded] = &world.entries_of(Action::SystemUpgraded)[..] else { panic!("one entry") };
    assert_eq!(upgraded.header.seq, i64::try_from(entries.len()).unwrap() + 1);
    assert!(upgraded.body.as_ref().unwrap().contains(r#""from_schema":1,"to_schema":2"#), "{upgraded:?}");

    // Sessions live, passwords, apps and codes are right, an invitation and a pass still open the door.
    let mut ada = world.browser().holding(fact("ada-cookie"));
    assert!(ada.get("/admin/users?q=lindq").says("Mara Lindqvist"));
    let mara = Phone::holding(fact("mara-seed"));
    let mut browser = world.browser();
    browser.sign_in(&world, "mara@fernhill.example", PASSWORD, &mara);
    assert!(browser.is_signed_in());
    let mut browser = world.browser();
    browser.password("mara@fernhill.example", PASSWORD);
    browser.backup_code(fact("mara-code"));
    assert!(browser.is_signed_in());
    let mut browser = world.browser();
    browser.password("gone@fernhill.example", PASSWORD);
    assert!(!browser.is_signed_in());
    let mut browser = world.browser();
    browser.password("lost@fernhill.example", PASSWORD);
    browser.get("/enrol");
    assert_eq!(browser.post("/enrol/pass", &[("pass", fact("pass"))]).status, 303);
    world.enrol(&mut browser);
    let mut browser = world.browser();
    browser.get(fact("invitation"));
    assert_eq!(browser.post(fact("invitation"), &[("password", PASSWORD)]).status, 303);
    world.enrol(&mut browser);
}

#[test]
fn an_upgraded_database_is_laid_out_as_a_new_one() {
    let (earlier, _) = Earlier::new().open();
    let new = World::new();
    let of = |world: &World| layout(&Connection::open(world.database()).unwrap());
    let (earlier, new) = (of(&earlier), of(&new));
    assert_eq!(earlier.difference(&new).collect::<Vec<_>>(), new.difference(&earlier).collect::<Vec<_>>());
}

#[test]
fn the_database_as_it_was_is_kept_beside_and_can_be_restored() {
    let (world, _) = Earlier::new().open();
    let kept = world.data().join("idp-before-schema-2-20261124T090400.db");
    assert_eq!(count(&Connection::open(&kept).unwrap(), "PRAGMA user_version"), 1);
    let folder = Folder::new();
    std::fs::copy(world.data().join("seed.key"), folder.data().join("seed.key")).unwrap();
    let kept = kept.to_str().unwrap();
    // An earlier file is checked as it is.
    assert_eq!(folder.idp(&["audit", "verify", kept]).code, 0);
    let ran = folder.idp(&["restore", kept]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(folder.count("PRAGMA user_version"), VERSION);
    assert_eq!(folder.count("SELECT count(*) FROM audit WHERE action = 'system.upgraded'"), 1);
    let new = World::new();
    let of = |path| layout(&Connection::open(path).unwrap());
    assert_eq!(of(folder.database()), of(new.database()));
    assert_eq!(folder.idp(&["audit", "verify"]).code, 0);
}

#[test]
fn only_a_server_brings_a_database_up_to_date_and_other_commands_say_so() {
    let earlier = Earlier::new();
    let data = earlier.folder.path().join("data");
    let idp = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_idp"));
        Ran::of(command.args(args).arg("--data").arg(&data).output().unwrap())
    };
    for args in [&["user", "list"][..], &["audit", "export"], &["backup", earlier.folder.path().to_str().unwrap()]] {
        idp(args).refused(2, "was written by an earlier version (schema 1, this program's is 2). Start idp serve once");
    }
    assert_eq!(idp(&["audit", "verify"]).code, 0);
    assert_eq!(count(&earlier.database(), "PRAGMA user_version"), 1);
}

#[test]
fn an_upgrade_that_fails_leaves_the_database_as_it_was() {
    let earlier = Earlier::new();
    // A row that refers to nobody: the check at the end finds it.
    let stray = "PRAGMA foreign_keys = OFF; INSERT INTO role_history VALUES ('nobody', 'admin', 0)";
    earlier.database().execute_batch(stray).unwrap();
    let before = (layout(&earlier.database()), rows(&earlier.database(), "users"), rows(&earlier.database(), "audit"));
    let data = earlier.folder.path().join("data");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_idp"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    Ran::of(command.output().unwrap()).refused(2, "a row would refer to one that is not there");
    assert_eq!(count(&earlier.database(), "PRAGMA user_version"), 1);
    let after = (layout(&earlier.database()), rows(&earlier.database(), "users"), rows(&earlier.database(), "audit"));
    assert_eq!(after, before);
}

#[test]
fn a_database_that_was_tampered_with_is_not_brought_up_to_date() {
    let earlier = Earlier::new();
    let edit = "DROP TRIGGER audit_is_append_only_update; UPDATE audit SET outcome = 'denied' WHERE seq = 2";
    earlier.database().execute_batch(edit).unwrap();
    let data = earlier.folder.path().join("data");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_idp"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    Ran::of(command.output().unwrap()).refused(2, "does not pass its own check, so it was not brought up to date");
    assert_eq!(count(&earlier.database(), "PRAGMA user_version"), 1);
}

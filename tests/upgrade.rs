//! Databases of earlier versions: `fixtures/schema-N` holds the data folder of a small organisation as the last program
//! of schema N left it, compressed, with what its people know and carry in `facts`.

mod cut_short;
mod refused;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use idp::audit::Action;
use idp::storage::backup::check;
use idp::storage::schema::VERSION;
use idp::time::Clock;
use rusqlite::Connection;

use crate::cli_world::{Folder, Ran, mode, names};
use crate::served::Server;
use crate::world::{PASSWORD, Phone, World};

/// The rows of a table, each by the names of its columns.
type Rows = BTreeSet<BTreeMap<String, String>>;
/// What a database is made of, and the rows of each table.
type All = (BTreeSet<(String, String)>, BTreeMap<String, Rows>);

/// An earlier organisation: an owner (Ada), an admin (Tom), an auditor (Noor), a member (Mara) with a note, one who is
/// disabled, one who waits to enrol with a pass after a reset, and one who has not used the invitation yet.
pub struct Earlier {
    folder: tempfile::TempDir,
    facts: BTreeMap<String, String>,
}

impl Earlier {
    /// As the first program left it.
    fn new() -> Self {
        Self::of(1)
    }

    /// As the last program of a schema left it.
    pub fn of(schema: i64) -> Self {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/schema-{schema}"));
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

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn database(&self) -> Connection {
        Connection::open(self.data().join("idp.db")).unwrap()
    }

    fn version(&self) -> i64 {
        count(&self.database(), "PRAGMA user_version")
    }

    /// Runs this version's program on it.
    fn idp(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        Ran::of(command.args(args).arg("--data").arg(self.data()).output().unwrap())
    }

    /// A server of this version ends with code 2 and says why in its last line, after what it logs.
    #[track_caller]
    fn refuses_to_serve(&self, why: &str) {
        let ran = self.idp(&["serve", "--listen", "127.0.0.1:0"]);
        let last = ran.err.lines().last().unwrap_or_default();
        assert!(ran.code == 2 && last.starts_with("idp: can not serve: ") && last.contains(why), "{ran:?}");
    }

    /// The names of the copies that were made before an upgrade.
    fn copies(&self) -> Vec<String> {
        names(&self.data()).into_iter().filter(|name| name.contains("before-schema")).collect()
    }

    /// What it is made of, and every row of it.
    fn all(&self) -> All {
        let conn = self.database();
        (layout(&conn), tables(&conn).into_iter().map(|table| (table.clone(), rows(&conn, &table))).collect())
    }

    /// Starts this version on it.
    pub fn open(self) -> (World, BTreeMap<String, String>) {
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

/// Every row of a table, as text.
fn rows(conn: &Connection, table: &str) -> Rows {
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

/// Rows of kinds that the organisation has none of, with a value in each column, as a schema has them.
fn more_rows(schema: i64) -> String {
    format!("{MORE_ROWS}{}", if schema < 3 { MORE_CASES_OLD } else { MORE_CASES })
}

const MORE_ROWS: &str = "
    INSERT INTO users (id, email, name, role, status, password_hash, must_change_password, password_expires_at,
                       credential_epoch, created_at, last_sign_in_at)
    VALUES ('01a20e80-0000-7000-8000-000000000000', 'temp@fernhill.example', 'Temp', 'member', 'active', '$argon2id$', 1, 5, 3,
            7, 9);
    INSERT INTO role_history SELECT id, 'admin', 5 FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO failures VALUES ('account', 'somebody', 2, 5);
    INSERT INTO unknown_failures VALUES (29000000, '192.0.2.7', 3);";

/// Until schema 2 a case held what it rests on.
const MORE_CASES_OLD: &str = "
    INSERT INTO cases
    SELECT 'R-2026-0900', 2026, 900, id, id, 1, 'recovered', 'manager_ticket', 'she called', 'Tom', 'T-1', 'lost', 2, 3, 4, 5, 6
    FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO cases
    SELECT 'R-2026-0901', 2026, 901, id, id, 1, 'expired', 'in_person', '', NULL, NULL, 'lost', 2, 3, 4, 5, 6
    FROM users WHERE email = 'mara@fernhill.example';";

const MORE_CASES: &str = "
    INSERT INTO cases (number, year, count, user_id, opened_by_id, opened_by, opened_at, state, state_at, version, urgent, for_owner,
                       reason, ticket, act, acted_by_id, acted_by, acted_at, codes_left, factors_removed, sessions_ended, due_at,
                       closed_at, closed_by, note, refusal, signals, follow_up_at, follow_up_by, asks)
    SELECT 'R-2026-0900', 2026, 900, id, id, 'Mara', 1, 'recovered', 2, 4, 1, 1, 'lost', 'T-1', 'reset', id, 'Mara', 3, 4, 5, 6,
           NULL, 7, 'Mara', 'well', NULL, 'new_device', 8, 'Tom', NULL
    FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO cases (number, year, count, user_id, opened_by, opened_at, state, state_at, reason)
    SELECT 'R-2026-0901', 2026, 901, id, 'somebody', 1, 'disavowed', 2, 'not me' FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO case_evidence
    SELECT 800, 'R-2026-0900', 'manager_ticket', 'she called', 'Tom', 'T-1', NULL, NULL, NULL, id, 'Mara', 1
    FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO case_evidence
    SELECT 801, 'R-2026-0901', 'known_number', 'called back', NULL, NULL, '+44 20 7946 0000', 1, 2, id, 'somebody', 1
    FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO case_requests
    SELECT '01a20e80-0000-7000-8000-000000000001', 'R-2026-0900', 'change_email', 'new@fernhill.example', 'owner', id, 'Mara', 2,
           'lost', 'T-1', 800, 3, 'new_device', 'used', 9, NULL, NULL, 'Ada', 4, 'go on'
    FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO freezes SELECT id, 'R-2026-0901', 5 FROM users WHERE email = 'temp@fernhill.example';
    INSERT INTO contacts SELECT '01a20e80-0000-7000-8000-000000000002', id, 'phone', '+44 20 7946 0000', 1, 'Ada', 5, 'Tom'
    FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO portraits SELECT id, x'ffd8', 'passport', 'Ada', 5 FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO notices SELECT '01a20e80-0000-7000-8000-000000000003', id, 'factor_reset', 5, 'R-2026-0900', '{}', 6, 7, 8
    FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO outbox SELECT '01a20e80-0000-7000-8000-000000000004', 'notice', id, '01a20e80-0000-7000-8000-000000000003',
                              'R-2026-0900', email, name, 1, 'About', 'Text', 5, 2, NULL, 6, NULL, 'slow'
    FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO outbox SELECT '01a20e80-0000-7000-8000-000000000005', 'message', id, NULL, NULL, email, name, 0, 'About', 'Text',
                              5, 2, NULL, NULL, 7, 'gone'
    FROM users WHERE email = 'mara@fernhill.example';
    INSERT INTO policy_settings VALUES (1, 'evidence_minutes', 30, 'Ada', 1, 2, 3);
    INSERT INTO link_requests VALUES ('somebody', 2, 5);";

/// The names of the tables that hold rows of ours.
fn tables(conn: &Connection) -> Vec<String> {
    let list = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'user_search%' ORDER BY name";
    let mut query = conn.prepare(list).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Of rows, the columns that both have: some came later, and what a case rests on has a table of its own since.
fn in_common(rows: &Rows, other: &Rows) -> Rows {
    let known = |name: &String| other.iter().next().is_none_or(|row| row.contains_key(name));
    rows.iter().map(|row| row.clone().into_iter().filter(|(name, _)| known(name)).collect()).collect()
}

#[test]
fn an_earlier_database_is_found_as_it_was_and_everybody_gets_in_as_before() {
    (1..VERSION).for_each(is_found_as_it_was);
}

fn is_found_as_it_was(schema: i64) {
    let earlier = Earlier::of(schema);
    assert_eq!(earlier.version(), schema);
    earlier.database().execute_batch(&more_rows(schema)).unwrap();
    let (_, before) = earlier.all();
    assert!(before.values().all(|rows| !rows.is_empty()), "{before:?}");
    assert!(before.len() > 14, "{:?}", before.keys());
    let (world, facts) = earlier.open();
    let fact = |name: &str| facts[name].as_str();
    let conn = Connection::open(world.database()).unwrap();
    assert_eq!(count(&conn, "PRAGMA user_version"), VERSION);
    for (table, before) in &before {
        let now = rows(&conn, table);
        let (now, before) = (&in_common(&now, before), &in_common(before, &now));
        if table == "audit" {
            assert!(now.is_superset(before) && now.len() == before.len() + 1);
        } else {
            assert_eq!(now, before, "{table}");
        }
    }
    let rests_on = "SELECT count(*) FROM case_evidence e JOIN cases k ON k.number = e.case_number
                    WHERE e.recorded_at = k.opened_at AND e.recorded_by = k.opened_by";
    assert_eq!(count(&conn, rests_on), count(&conn, "SELECT count(*) FROM cases"));
    let vouched =
        "SELECT count(*) FROM case_evidence WHERE kind = 'manager_ticket' AND note = 'she called' AND voucher = 'Tom'";
    assert_eq!(count(&conn, vouched), 1);
    let waits = "SELECT count(*) FROM cases k JOIN enrolment_windows w ON w.case_number = k.number
                 WHERE k.state = 'awaiting_enrolment' AND k.due_at = w.closes_at AND k.act = 'reset'
                   AND k.acted_by_id IS NOT NULL";
    assert_eq!(count(&conn, waits), 1);
    let upgraded = world.entries_of(Action::SystemUpgraded).pop().unwrap();
    assert_eq!(upgraded.header.seq, world.head());
    let said = upgraded.body.as_ref().unwrap();
    let steps = format!(r#""from_schema":{schema},"to_schema":{VERSION}"#);
    assert!(said.contains(&steps) && said.contains(&format!("idp-before-schema-{VERSION}-")), "{said}");
    // The index of the search belongs to the rows, and follows them.
    conn.execute("INSERT INTO user_search (user_search, rank) VALUES ('integrity-check', 1)", []).unwrap();

    // Sessions live, passwords, apps and codes are right, an invitation and a pass still open the door.
    let mut ada = world.browser().holding(fact("ada-cookie"));
    assert!(ada.get("/admin/users?q=lindq").says("Mara Lindqvist"));
    world.invite(&mut ada, "late@fernhill.example", "Late Comer", "member");
    assert!(ada.get("/admin/users?q=comer").says("late@fernhill.example"));
    let mara = Phone::holding(fact("mara-seed"));
    let mut browser = world.browser();
    browser.sign_in(&world, "mara@fernhill.example", PASSWORD, &mara);
    assert!(browser.is_signed_in());
    assert!(world.browser().holding(fact("mara-cookie")).is_signed_in());
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
    let of = |world: &World| layout(&Connection::open(world.database()).unwrap());
    let new = of(&World::new());
    for schema in 1..VERSION {
        let earlier = of(&Earlier::of(schema).open().0);
        assert_eq!(earlier.difference(&new).collect::<Vec<_>>(), new.difference(&earlier).collect::<Vec<_>>());
    }
}

#[test]
fn a_server_says_where_the_database_as_it_was_is_kept_and_does_it_once() {
    let earlier = Earlier::new();
    let (_, before) = earlier.all();
    let log = earlier.folder.path().join("log");
    let serve = || {
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "exec \"$0\" \"$@\" 2>\"$LOG\"",
            env!("CARGO_BIN_EXE_idp"),
            "serve",
            "--listen",
            "127.0.0.1:0",
        ]);
        Server::of(shell.env("LOG", &log).arg("--data").arg(earlier.data())).stop();
        std::fs::read_to_string(&log).unwrap()
    };
    let said = serve();
    let [kept] = &earlier.copies()[..] else { panic!("one copy") };
    let kept = earlier.data().join(kept);
    assert!(said.contains(kept.to_str().unwrap()), "{said}");
    assert_eq!(mode(&kept), 0o600);
    let checked = check(&kept).unwrap();
    assert!(checked.is_good() && checked.version == 1);
    let copy = Connection::open(&kept).unwrap();
    for (table, before) in &before {
        assert_eq!(&rows(&copy, table), before, "{table}");
    }
    let said = serve();
    assert!(!said.contains("schema") && earlier.copies().len() == 1, "{said}");
    assert_eq!(count(&earlier.database(), "SELECT count(*) FROM audit WHERE action = 'system.upgraded'"), 1);
    assert_eq!(earlier.idp(&["audit", "verify"]).code, 0);
    // Put back by hand it is an older copy, which is said before anything is done to it.
    drop(copy);
    std::fs::rename(&kept, earlier.data().join("idp.db")).unwrap();
    let refused = earlier.idp(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.code == 2 && refused.err.contains("not the one that was last used here"), "{refused:?}");
    assert_eq!(earlier.version(), 1);
    // Without that word, it is brought up to date like any other.
    std::fs::remove_file(earlier.data().join("audit-checkpoint.txt")).unwrap();
    serve();
    assert_eq!(earlier.version(), VERSION);
    assert_eq!(earlier.idp(&["audit", "verify"]).code, 0);
}

#[test]
fn a_backup_of_an_earlier_version_is_brought_up_to_date_as_it_is_restored() {
    let earlier = Earlier::new();
    let (file, folder) = (earlier.data().join("idp.db"), Folder::new());
    std::fs::copy(earlier.data().join("seed.key"), folder.data().join("seed.key")).unwrap();
    let before = std::fs::read(&file).unwrap();
    // An earlier file is checked as it is.
    assert_eq!(folder.idp(&["audit", "verify", file.to_str().unwrap()]).code, 0);
    folder.idp(&["restore", file.to_str().unwrap()]).done();
    assert_eq!(std::fs::read(&file).unwrap(), before, "the backup itself stays as it was");
    assert_eq!(folder.count("PRAGMA user_version"), VERSION);
    let of = |path: &Path| layout(&Connection::open(path).unwrap());
    assert_eq!(of(&folder.database()), of(&World::new().database()));
    // The lineage of the backup ends where the backup ends: what is new stands in another.
    let old = count(&earlier.database(), "SELECT max(seq) FROM audit");
    let new = format!("SELECT count(*) FROM audit a JOIN instance i USING (lineage) WHERE seq > {old}");
    assert_eq!(folder.count(&new), folder.count("SELECT max(seq) FROM audit") - old);
    let upgraded = "SELECT count(*) FROM audit WHERE action = 'system.upgraded'";
    assert_eq!(folder.count(upgraded), 1);
    assert_eq!(folder.idp(&["audit", "verify"]).code, 0);
    drop(Server::start(&["--data", folder.data().to_str().unwrap()], |_| ()));
    assert_eq!(folder.count(upgraded), 1);
}

#[test]
fn what_was_decided_in_a_replaced_database_of_an_earlier_version_stays_decided() {
    let earlier = Earlier::new();
    let backup = earlier.folder.path().join("one.db");
    earlier.idp(&["backup", backup.to_str().unwrap()]).done();
    let decided = "UPDATE users SET status = 'disabled' WHERE email = 'mara@fernhill.example'";
    assert_eq!(earlier.database().execute(decided, []).unwrap(), 1);
    let before = earlier.all();
    let said = earlier.idp(&["restore", backup.to_str().unwrap()]).done();
    assert!(said.contains("kept: Mara") && said.contains("disabled since the backup"), "{said}");
    assert!(!said.contains("waiting:") && !said.contains("lost: unknown"), "{said}");
    assert_eq!(earlier.version(), VERSION);
    assert_eq!(count(&earlier.database(), "SELECT people_confirmed FROM instance"), 1);
    // What was replaced stays as the earlier program wrote it.
    let replaced = names(&earlier.data()).into_iter().find(|name| name.contains(".replaced-")).unwrap();
    let conn = Connection::open(earlier.data().join(replaced)).unwrap();
    assert_eq!(count(&conn, "PRAGMA user_version"), 1);
    assert!(rows(&conn, "users") == before.1["users"]);
}

//! Providers with people and a trail of any size, and the two that figures compare.

use std::cell::OnceCell;
use std::path::Path;
use std::time::Duration;

use idp::actions::data_folder::database;
use idp::audit::proof::{Challenge, Methods};
use idp::audit::{Action, Actor, CaseFact, Entry, Event, Header, Person, Reason, Record, chain};
use idp::ids::{CaseNumber, UserId};
use idp::time::{Clock, Timestamp};
use rusqlite::Connection;

use crate::append::{insert, source};
use crate::provider::{Folder, Provider};

/// How many people, entries, and recovery cases beside that of the busy person.
#[derive(Clone, Copy)]
pub struct Size {
    pub people: u32,
    pub entries: i64,
    pub cases: u32,
}

pub const SMALL: Size = Size { people: 100, entries: 1_000, cases: 0 };
pub const LARGE: Size = Size { people: 100_000, entries: 1_250_000, cases: 0 };
/// In place of the large one when the word `quick` is given: it shows that a figure runs, and nothing else.
pub const QUICK: Size = Size { people: 2_000, entries: 20_000, cases: 0 };

/// A year of one organisation.
pub struct History {
    pub provider: Provider,
    /// Whom every fifth entry is about. Of the large history's, far more than ten thousand.
    pub busy: UserId,
    /// Whom about eight entries are about, whatever the size.
    pub ordinary: UserId,
    /// The middle half of the entries' time.
    pub middle: (Timestamp, Timestamp),
    /// A case in the middle of it, which is the busy person's and open.
    pub case: CaseNumber,
}

/// The small and the large history, made when first asked for.
pub struct Histories {
    small: OnceCell<History>,
    large: OnceCell<History>,
    large_size: Size,
}

impl Histories {
    pub fn new(large_size: Size) -> Self {
        Self { small: OnceCell::new(), large: OnceCell::new(), large_size }
    }

    pub fn small(&self) -> &History {
        self.small.get_or_init(|| History::new(SMALL))
    }

    pub fn large(&self) -> &History {
        self.large.get_or_init(|| History::new(self.large_size))
    }
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);

impl History {
    pub fn new(size: Size) -> Self {
        let begun = Clock::System.now().minus(YEAR);
        let (folder, owner) = Folder::begun(1, Clock::at(begun));
        let mut filling = Filling::new(&database(folder.data()), size, (&owner[0]).into());
        filling.add_people();
        filling.add_entries(begun);
        let (busy, ordinary) = (filling.people[1].id, filling.people[2].id);
        filling.add_cases(case_of(size.entries / 2));
        filling.finish();
        let at = |quarter| begun.plus(YEAR / 4 * quarter);
        Self {
            provider: folder.serve(owner, 1),
            busy,
            ordinary,
            middle: (at(1), at(3)),
            case: case_of(size.entries / 2),
        }
    }
}

/// The case of entry `n`: four entries each.
fn case_of(n: i64) -> CaseNumber {
    CaseNumber::new(2026, u32::try_from(n / 64 + 1).expect("few cases"))
}

/// A database being filled past the product: without a log, and with the indexes of the trail made at the end.
struct Filling {
    conn: Connection,
    size: Size,
    people: Vec<Person>,
    taken_off: Vec<String>,
}

impl Filling {
    fn new(database: &Path, size: Size, owner: Person) -> Self {
        let conn = Connection::open(database).expect("the database just made");
        for mode in ["DELETE", "OFF"] {
            conn.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).expect("a mode");
        }
        conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN").expect("settings");
        let taken_off = take_off(&conn);
        Self { conn, size, people: vec![owner], taken_off }
    }

    /// The names are made of 60 × 60 parts, so that at the large size many people share one.
    fn add_people(&mut self) {
        let mut person = self
            .conn
            .prepare(
                "INSERT INTO users (id, email, name, role, status, password_hash, created_at)
                 SELECT ?1, ?2, ?3, 'member', 'active', password_hash, created_at FROM users WHERE row = 1",
            )
            .expect("a statement");
        let mut factor = self
            .conn
            .prepare(
                "INSERT INTO factors (id, user_id, label, sealed_seed, last_step, created_at)
                 SELECT ?1, ?2, label, sealed_seed, 0, created_at FROM factors WHERE user_id = ?3",
            )
            .expect("a statement");
        let owner = self.people[0].id.to_string();
        for n in 1..self.size.people {
            let (given, family) = (name(n % 61), name(n / 61 % 59 + 61));
            let (id, name) = (UserId::generate(), format!("{given} {family}"));
            let email = format!("{}.{}{n}@fernhill.example", given.to_lowercase(), family.to_lowercase());
            person.execute((id.to_string(), &email, &name)).expect("a person");
            factor.execute((idp::ids::FactorId::generate().to_string(), id.to_string(), &owner)).expect("a factor");
            self.people.push(Person { id, name: format!("{name} <{email}>") });
        }
    }

    /// Entries up to the wanted number, evenly over a year.
    fn add_entries(&self, begun: Timestamp) {
        let last = "SELECT lineage, seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
        let last = self.conn.query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let (lineage, first, mut before): (String, i64, [u8; 32]) = last.expect("a first entry");
        let (step, mut others) = (YEAR / u32::try_from(self.size.entries).expect("not so many"), 0);
        for seq in first + 1..=self.size.entries {
            let about = if seq % 5 == 0 {
                1
            } else {
                others += 1;
                2 + others % (self.people.len() - 2)
            };
            let at = begun.plus(step * u32::try_from(seq).expect("not so many"));
            let entry = entry(&lineage, seq, at, before, self.record(seq, &self.people[about]));
            insert(&self.conn, &entry);
            before = entry.hash;
        }
    }

    /// A mixture of what is in a trail. The first ones are notes, so that they are the last to be found.
    fn record(&self, seq: i64, person: &Person) -> Record {
        let owner = || Actor::Person(self.people[0].clone());
        let (own, user) = (|| Actor::Person(person.clone()), person.clone());
        let reason = || "lost the phone on a train, called from the office".parse::<Reason>().expect("a reason");
        let (actor, event) = match (seq, seq % 16) {
            (..=30, _) => (owner(), Event::UserNoteAdded { user, note: "prefers to be called after ten".into() }),
            (_, 0..6) => (Actor::Anonymous, Event::UserPasswordVerified { user, next: "pending" }),
            (_, 6..10) => (own(), Event::UserSignedIn { user, methods: Methods::PasswordAndOtp, new_device: false }),
            (_, 10..12) => (Actor::Anonymous, Event::UserSignInFailed { user, why: "wrong password" }),
            (_, 12) => (own(), Event::UserStepUp { user, with: Challenge::Totp, resumed: false }),
            (_, 13) => (own(), Event::UserSignedOut { user }),
            (_, 14) => {
                let (action, rule, reason) = (Action::MfaFactorAdminReset, "not_above", Some(reason()));
                (
                    owner(),
                    Event::Refused { action, user: Some(user), case: None, rule, reason, ticket: None, evidence: None },
                )
            }
            _ => (
                owner(),
                Event::Case {
                    user,
                    case: case_of(seq),
                    fact: CaseFact::Opened { reason: reason(), ticket: None, urgent: false },
                },
            ),
        };
        Record::new(actor, &source(), event)
    }

    /// The busy person's case, and as many as are wanted, a fifth of each kind, each about somebody else.
    fn add_cases(&self, of_busy: CaseNumber) {
        let insert = "INSERT INTO cases (number, year, count, user_id, opened_by_id, opened_by, opened_at, state, state_at, urgent,
                                         reason, act, acted_by_id, acted_by, acted_at, due_at, closed_at)
                      VALUES (?1, ?2, ?3, ?4, ?5, 'Mara Lindqvist', ?6, ?7, ?6, ?8, 'lost the phone', ?9, ?10, ?11, ?12, ?13, ?14)";
        let mut insert = self.conn.prepare(insert).expect("a statement");
        let (owner, now) = (self.people[0].id.to_string(), Clock::System.now().as_micros());
        let (hour, mut write) =
            (3_600_000_000_i64, |number: CaseNumber, user: &Person, state: &str, urgent: bool, at: i64| {
                let given = matches!(state, "awaiting_enrolment" | "recovered" | "disavowed");
                let waits = !matches!(state, "recovered" | "disavowed");
                let by = given.then(|| user.id.to_string());
                let values = rusqlite::params![
                    number.to_string(),
                    number.year(),
                    number.count(),
                    user.id.to_string(),
                    owner,
                    at,
                    state,
                    urgent,
                    given.then_some("reset"),
                    by,
                    by.as_ref().map(|_| "Tom Okafor"),
                    given.then_some(at),
                    waits.then_some(at + 1_000 * 3_600_000_000),
                    (state == "recovered").then_some(at),
                ];
                insert.execute(values).expect("a case");
            });
        write(of_busy, &self.people[1], "verified", false, now - hour);
        for n in 0..self.size.cases {
            let state =
                ["disavowed", "escalated", "awaiting_approval", "awaiting_enrolment", "recovered"][n as usize % 5];
            let user = &self.people[n as usize + 10];
            write(CaseNumber::new(2025, n + 1), user, state, n % 7 == 0, now - hour - i64::from(n / 5) * 1_000_000);
        }
        let evidence = "INSERT INTO case_evidence (case_number, kind, note, recorded_by, recorded_at)
                        SELECT number, 'video_call', '', 'Tom Okafor', opened_at FROM cases";
        self.conn.execute_batch(evidence).expect("what they rest on");
        // What waits for approval was asked for by somebody who does not look at the board here.
        let ask = "INSERT INTO case_requests (id, case_number, grant_name, needs, asked_by_id, asked_by, asked_at, reason, evidence_id,
                                              case_version, signals, state, valid_until)
                   SELECT substr(k.user_id, 1, 36), k.number, 'reset_factors', 'admin', ?1, 'Tom Okafor', k.opened_at,
                          'lost the phone', e.id, 1, '', 'waiting', k.due_at
                   FROM cases k JOIN case_evidence e ON e.case_number = k.number WHERE k.state = 'awaiting_approval'";
        self.conn.execute(ask, [self.people[2].id.to_string()]).expect("requests");
    }

    fn finish(self) {
        for sql in self.taken_off {
            self.conn.execute_batch(&sql).expect("what was taken off fits again");
        }
        self.conn.execute_batch("COMMIT").expect("a commit");
        self.conn.close().expect("a database that closes");
    }
}

/// Drops the trail's indexes and triggers; returns what makes them again.
fn take_off(conn: &Connection) -> Vec<String> {
    let sql = "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = 'audit' AND type <> 'table' AND sql NOTNULL";
    let mut query = conn.prepare(sql).expect("a statement");
    let found = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("a schema");
    let found: Vec<(String, String, String)> = found.collect::<Result<_, _>>().expect("a schema");
    for (kind, name, _) in &found {
        conn.execute_batch(&format!("DROP {kind} {name}")).expect("one to drop");
    }
    found.into_iter().map(|(_, _, sql)| sql).collect()
}

/// As the product writes it.
fn entry(lineage: &str, seq: i64, at: Timestamp, before: [u8; 32], record: Record) -> Entry {
    let (actor, parts, body) = record.into_parts_and_body();
    let actor_id = match &actor {
        Actor::Person(person) => Some(person.id.to_string()),
        Actor::Anonymous | Actor::System | Actor::Host => None,
    };
    let target_id = parts.user.map(|u| u.id.to_string());
    let header = Header {
        lineage: lineage.to_owned(),
        seq,
        at,
        action: parts.action.as_str().to_owned(),
        outcome: parts.outcome.as_str().to_owned(),
        actor_kind: actor.kind().to_owned(),
        actor_id,
        target_kind: if target_id.is_some() { "person" } else { "system" }.to_owned(),
        target_id,
        case: parts.case.map(|c| c.to_string()),
    };
    // Salts need to differ, not to be secret.
    let salt = i128::from(seq).to_be_bytes();
    let body_digest = chain::body_digest(&salt, &body);
    let hash = chain::entry_hash(&before, &header, &body_digest);
    Entry { header, salt: Some(salt), body: Some(body), body_digest, prev_hash: before, hash }
}

/// A name of two or three syllables, another for each `n` below 120.
fn name(n: u32) -> String {
    const SYLLABLES: [&str; 11] = ["Ma", "li", "jo", "nas", "ra", "ke", "vin", "to", "el", "dis", "bru"];
    let syllable = |n: u32| SYLLABLES[(n % 11) as usize];
    let text = format!("{}{}{}", syllable(n), syllable(n / 11 + 3), if n > 60 { "berg" } else { "" });
    let mut letters = text.to_lowercase().chars().collect::<Vec<_>>();
    letters[0] = letters[0].to_ascii_uppercase();
    letters.into_iter().collect()
}

//! Entries appended to the trail, against bare SQLite that inserts rows made before into the same table, with the same
//! indexes and triggers, on the same disk, as many to a commit.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use idp::audit::filter::Filter;
use idp::audit::{Actor, Entry, Event, Person, Record, Source};
use idp::storage::audit::{Order, get_head, list};
use idp::storage::{Audited, Error, Store, schema};
use idp::users::User;
use rusqlite::{Connection, named_params};

use crate::provider::Provider;
use crate::{Figures, fdatasync_micros};

const REQUESTERS: usize = 64;
const ROUND: Duration = Duration::from_millis(700);
const ROUNDS: usize = 9;

pub fn figures(figures: &Figures) {
    let one = "audit: appended one by one, entries/s";
    if figures.wants(one) {
        let (ours, mut bare) = (Ours::new(), Bare::new());
        figures.pair(one, 0.8, || ours.append(1), || bare.append(1), ROUNDS);
        figures.fact("audit: fdatasync of 4 KiB just now, µs", fdatasync_micros);
    }
    let many = "audit: appended by 64 requesters, entries/s";
    if figures.wants(many) {
        let (ours, mut bare) = (Ours::new(), Bare::new());
        let batch = Cell::new(REQUESTERS);
        let measure = || {
            let before = ours.head();
            let rate = ours.append(REQUESTERS);
            batch.set(ours.mean_batch_since(before));
            rate
        };
        figures.pair(many, 0.8, measure, || bare.append(batch.get()), ROUNDS);
        figures.fact("audit: appended by 64 requesters, entries to a commit", || batch.get() as f64);
        figures.fact("audit: fdatasync of 4 KiB just after, µs", fdatasync_micros);
    }
}

/// The provider's store, through its one door.
struct Ours {
    provider: Provider,
}

impl Ours {
    fn new() -> Self {
        Self { provider: Provider::with_people(1, 1) }
    }

    fn append(&self, requesters: usize) -> f64 {
        let (before, begun) = (self.head(), Instant::now());
        let person = &self.provider.people[0];
        std::thread::scope(|scope| {
            for _ in 0..requesters {
                scope.spawn(|| {
                    while begun.elapsed() < ROUND {
                        append_one(&self.provider.means().store, person);
                    }
                });
            }
        });
        let elapsed = begun.elapsed();
        (self.head() - before) as f64 / elapsed.as_secs_f64()
    }

    fn head(&self) -> i64 {
        self.provider.means().store.read(get_head).expect("a trail").seq
    }

    /// How many entries shared a commit since number `seq`: those of one batch have the same time.
    fn mean_batch_since(&self, seq: i64) -> usize {
        let all =
            |tx: &idp::storage::ReadTx<'_>| list(tx, &Filter::default(), Order::OldestFirst, Some(seq), u32::MAX >> 1);
        let entries = self.provider.means().store.read(all).expect("a trail");
        let batches = entries.chunk_by(|a, b| a.header.at == b.header.at).count();
        (entries.len() as f64 / batches as f64).round() as usize
    }
}

/// Appends what a right password writes.
///
/// # Panics
/// When it can not be written.
pub fn append_one(store: &Store, person: &User) {
    let (person, source) = (Person::from(person), source());
    let done: Result<(), Error> = store.change(move |_| {
        let event = Event::UserPasswordVerified { user: person, next: "pending" };
        Ok(Audited::new((), Record::new(Actor::Anonymous, &source, event)))
    });
    done.expect("a durable entry");
}

/// Where a browser's request comes from.
pub fn source() -> Source {
    Source {
        address: Some("192.0.2.17".into()),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".into()),
        request_id: Some("AAAAAAAAAAAAA".into()),
        os_user: None,
    }
}

/// A connection to a database of the same schema. Its rows have the columns and sizes of real ones; their hashes are
/// made up, but each row names the one before, since the trigger looks at that.
struct Bare {
    conn: Connection,
    model: Entry,
    seq: i64,
    last: [u8; 32],
    _folder: tempfile::TempDir,
}

impl Bare {
    fn new() -> Self {
        let model = model();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("bare.db");
        std::fs::File::create(&path).expect("a new file");
        let instance = schema::new_instance([0; 16], idp::time::Clock::System.now());
        schema::create(&path, &instance, &Source::default()).expect("a new database");
        let conn = open(&path);
        let last = conn.query_row("SELECT hash FROM audit", [], |row| row.get(0)).expect("the first entry");
        Self { conn, model, seq: 1, last, _folder: folder }
    }

    /// Rows in a second, `batch` to a commit. Only what SQLite does is timed.
    fn append(&mut self, batch: usize) -> f64 {
        let (mut busy, mut done) = (Duration::ZERO, 0);
        while busy < ROUND {
            let rows = self.rows(batch);
            let begun = Instant::now();
            self.conn.prepare_cached("BEGIN IMMEDIATE").and_then(|mut s| s.execute([])).expect("a transaction");
            for row in &rows {
                insert(&self.conn, row);
            }
            self.conn.prepare_cached("COMMIT").and_then(|mut s| s.execute([])).expect("a durable commit");
            busy += begun.elapsed();
            done += rows.len();
        }
        done as f64 / busy.as_secs_f64()
    }

    fn rows(&mut self, count: usize) -> Vec<Entry> {
        let mut row = || {
            self.seq += 1;
            let mut entry = self.model.clone();
            entry.header.seq = self.seq;
            entry.header.at = idp::time::Clock::System.now();
            entry.prev_hash = self.last;
            entry.hash = idp::secret::random();
            self.last = entry.hash;
            entry
        };
        (0..count).map(|_| row()).collect()
    }
}

/// A real entry of the kind that is appended.
fn model() -> Entry {
    let ours = Ours::new();
    append_one(&ours.provider.means().store, &ours.provider.people[0]);
    let newest = |tx: &idp::storage::ReadTx<'_>| list(tx, &Filter::default(), Order::NewestFirst, None, 1);
    ours.provider.means().store.read(newest).expect("a trail").remove(0)
}

/// Opens with the settings that matter for the cost of a row; they are those of `storage::schema`.
fn open(path: &Path) -> Connection {
    let conn = Connection::open(path).expect("the database just made");
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA recursive_triggers = ON;
         PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY;",
    )
    .expect("settings");
    conn
}

/// Writes an entry's row.
///
/// # Panics
/// When the table refuses it.
pub fn insert(conn: &Connection, e: &Entry) {
    let h = &e.header;
    let mut statement = conn
        .prepare_cached(
            "INSERT INTO audit (lineage, seq, at, action, outcome, actor_kind, actor_id, target_kind, target_id,
                                case_number, salt, body, body_digest, prev_hash, hash)
             VALUES (:lineage, :seq, :at, :action, :outcome, :actor_kind, :actor_id, :target_kind, :target_id,
                     :case, :salt, :body, :digest, :prev, :hash)",
        )
        .expect("a statement");
    statement
        .execute(named_params! {
            ":lineage": h.lineage,
            ":seq": h.seq,
            ":at": h.at.as_micros(),
            ":action": h.action,
            ":outcome": h.outcome,
            ":actor_kind": h.actor_kind,
            ":actor_id": h.actor_id,
            ":target_kind": h.target_kind,
            ":target_id": h.target_id,
            ":case": h.case,
            ":salt": e.salt,
            ":body": e.body,
            ":digest": e.body_digest,
            ":prev": e.prev_hash,
            ":hash": e.hash,
        })
        .expect("a row that the table takes");
}

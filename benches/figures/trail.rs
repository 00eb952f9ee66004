//! Exporting and verifying the whole trail, against SQLite stepping over the same rows and reading every column.

use std::hint::black_box;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use idp::actions::export::ExportReader;
use idp::audit::export::Format;
use idp::audit::filter::Filter;
use idp::storage::audit::get_head;
use idp::storage::backup::{check, read_alone, walk, walk_halves};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::Figures;
use crate::history::{Histories, History};

const ROUNDS: usize = 3;

pub fn figures(figures: &Figures, histories: &Histories) {
    let export = "audit: export as JSON lines, entries/s";
    if figures.wants(export) {
        let history = histories.large();
        figures.pair(export, 0.6, || exported(history), || read(history, 1, false), ROUNDS);
    }
    let one = "audit: verify in one thread, entries/s";
    if figures.wants(one) {
        let history = histories.large();
        figures.pair(one, 0.8, || verified(history, 1), || read(history, 1, true), ROUNDS);
    }
    let two = "audit: verify two stitched ranges in two threads, entries/s";
    if figures.wants(two) {
        let history = histories.large();
        figures.pair(two, 0.8, || verified(history, 2), || read(history, 2, true), ROUNDS);
    }
    let whole = "audit: the whole of `audit verify`, with SQLite's own check, s";
    figures.fact(whole, || {
        let begun = Instant::now();
        assert!(check(&histories.large().provider.database()).expect("a database of ours").is_good());
        begun.elapsed().as_secs_f64()
    });
}

fn exported(history: &History) -> f64 {
    let store = &history.provider.means().store;
    let (head, begun) = (store.read(get_head).expect("a trail").seq, Instant::now());
    let mut reader = ExportReader::new(&**store, Filter::default(), Format::JsonLines, head);
    let (mut buffer, mut lines) = (vec![0; 128 * 1024], 0);
    loop {
        match reader.read(&mut buffer).expect("an export") {
            0 => break,
            // Counting would take time that the export does not.
            count => lines += usize::from(buffer[count - 1] == b'\n'),
        }
    }
    black_box(lines);
    head as f64 / begun.elapsed().as_secs_f64()
}

fn verified(history: &History, threads: u32) -> f64 {
    let (database, begun) = (history.provider.database(), Instant::now());
    let walk = read_alone(&database, |tx| match threads {
        1 => walk(tx).map(|(walk, broken)| broken.is_none().then_some(walk)),
        _ => Ok(walk_halves(tx)),
    });
    let walk = walk.expect("a trail that can be read").expect("a sound trail");
    walk.entries() as f64 / begun.elapsed().as_secs_f64()
}

/// Reads every column of every entry in as many threads, and hashes as many bytes as the entry's two hashes are made of
/// if `hashing`.
fn read(history: &History, threads: i64, hashing: bool) -> f64 {
    let (database, begun) = (history.provider.database(), Instant::now());
    let head = history.provider.means().store.read(get_head).expect("a trail").seq;
    let share = |n| head * n / threads;
    std::thread::scope(|scope| {
        for n in 0..threads {
            let database = &database;
            scope.spawn(move || read_range(database, share(n), share(n + 1), hashing));
        }
    });
    head as f64 / begun.elapsed().as_secs_f64()
}

fn read_range(database: &Path, after: i64, up_to: i64, hashing: bool) {
    let conn = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the database");
    let sql = "SELECT lineage, seq, at, action, outcome, actor_kind, actor_id, target_kind, target_id, case_number,
                      salt, body, body_digest, prev_hash, hash FROM audit WHERE seq > ?1 AND seq <= ?2 ORDER BY seq";
    let mut query = conn.prepare(sql).expect("a statement");
    let mut rows = query.query([after, up_to]).expect("rows");
    let bytes = vec![b'x'; 64 * 1024];
    while let Some(row) = rows.next().expect("a row") {
        let mut lengths = [0; 15];
        for (column, length) in lengths.iter_mut().enumerate() {
            *length = match row.get_ref(column).expect("a column") {
                ValueRef::Null => 0,
                ValueRef::Integer(_) | ValueRef::Real(_) => 8,
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
            };
        }
        black_box(&lengths);
        if hashing {
            // Salt and body, and then the header with both hashes; a tag before each, and every field's length.
            let body = 21 + 4 + lengths[10] + 4 + lengths[11];
            let entry = 22 + 12 * 4 + lengths[..10].iter().sum::<usize>() + lengths[12] + lengths[13];
            black_box((digest(&SHA256, &bytes[..body]), digest(&SHA256, &bytes[..entry])));
        }
    }
}

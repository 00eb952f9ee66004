//! Copying a large database while it is written to, against SQLite's own copy in one step between two bare connections.
//!
//! Both are timed until the copy is durable under its name. What `idp backup` does after that, reading the copy whole to
//! check it, takes as long as `idp audit verify` and is a figure there.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use idp::host::draft::{Draft, Place};
use idp::storage::backup::copy;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::append::append_one;
use crate::history::{Histories, History};
use crate::load::p99_micros;
use crate::{Figures, median};

const ROUNDS: usize = 3;

/// Who write at the same time, each entry after entry.
const WRITERS: usize = 4;

pub fn figures(figures: &Figures, histories: &Histories) {
    let copying = "backup: copied under writes, MB/s";
    let [p99, bare_p99] = ["backup: a write during it, p99 ms", "backup: a write during SQLite's own copy, p99 ms"];
    if ![copying, p99, bare_p99].iter().any(|name| figures.wants(name)) {
        return;
    }
    let history = histories.large();
    figures.fact("backup: size of the database, MB", || megabytes(history));
    let (ours, bare) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let once = |waits: &RefCell<Vec<f64>>, copy: fn(&History)| {
        let (seconds, wait) = under_writes(history, || copy(history));
        waits.borrow_mut().push(wait);
        megabytes(history) / seconds
    };
    figures.pair(copying, 0.8, || once(&ours, copied), || once(&bare, copied_bare), ROUNDS);
    let waited = |waits: &RefCell<Vec<f64>>, copy| {
        if waits.borrow().is_empty() {
            once(waits, copy);
        }
        median(waits.take())
    };
    figures.at_most(p99, 10.0, || waited(&ours, copied));
    figures.fact(bare_p99, || waited(&bare, copied_bare));
}

fn megabytes(history: &History) -> f64 {
    std::fs::metadata(history.provider.database()).expect("a database").len() as f64 / 1e6
}

/// How long `copy` takes, in seconds, while others write, and their 99th percentile in milliseconds.
fn under_writes(history: &History, copy: impl FnOnce()) -> (f64, f64) {
    let (store, person) = (&history.provider.means().store, &history.provider.people[0]);
    let (stop, begun) = (AtomicBool::new(false), Instant::now());
    let write = || {
        let mut waits = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            append_one(store, person);
            waits.push(begun.elapsed());
        }
        waits
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(write)).collect();
        copy();
        let took = begun.elapsed();
        stop.store(true, Ordering::Relaxed);
        let waits: Vec<Duration> = writers.into_iter().flat_map(|w| w.join().expect("a writer")).collect();
        (took.as_secs_f64(), p99_micros(waits) / 1e3)
    })
}

/// What `idp backup` does, but for its check.
fn copied(history: &History) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let target = folder.path().join("backup.db");
    let mut draft = Draft::beside(&target).expect("a draft");
    copy(&history.provider.database(), draft.path()).expect("a copy");
    draft.place(&target, Place::Free).expect("a free name");
}

/// SQLite syncs the copy itself.
fn copied_bare(history: &History) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = Connection::open(history.provider.database()).expect("the database");
    let mut target = Connection::open(folder.path().join("backup.db")).expect("a new database");
    let step = Backup::new(&source, &mut target).and_then(|backup| backup.step(-1)).expect("a copy");
    assert_eq!(step, StepResult::Done);
    target.close().expect("a database that closes");
}

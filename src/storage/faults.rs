//! Making chosen writes fail, for tests: the only way to see what a full disk or a dying one does to each act.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rusqlite::Connection;
use rustix::process::{Signal, getpid, kill_process};

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Nothing any more.
    None,
    /// SQLite is interrupted at the so-manieth place where it looks whether it is, from 0: once. It looks at least once
    /// in every statement.
    InterruptAfter(u32),
    /// The process is killed at such a place, by itself, as `kill -9` does it.
    KillAfter(u32),
    /// The next commit does not become durable: once.
    RefuseCommit,
    /// The file must not grow: the disk is full.
    DiskFull,
}

pub(super) fn install(conn: &mut Connection, fault: &Fault) {
    let nothing: Option<fn() -> bool> = None;
    conn.progress_handler(0, nothing).expect("a progress handler can be taken away");
    conn.commit_hook(nothing).expect("a commit hook can be taken away");
    conn.query_row("PRAGMA max_page_count = 4294967294", [], |_| Ok(())).expect("a file may grow again");
    match *fault {
        Fault::None => {}
        Fault::InterruptAfter(steps) => {
            let left = AtomicU32::new(steps);
            // Not once the commit is under way: SQLite would interrupt a COMMIT after its work is done.
            let committing = Arc::new(AtomicBool::new(false));
            let begun = Arc::clone(&committing);
            conn.commit_hook(Some(move || {
                begun.store(true, Ordering::Relaxed);
                false
            }))
            .expect("a commit hook can be set");
            let strike = move || !committing.load(Ordering::Relaxed) && left.fetch_sub(1, Ordering::Relaxed) == 0;
            conn.progress_handler(1, Some(strike)).expect("a progress handler can be set");
        }
        Fault::KillAfter(steps) => {
            let left = AtomicU32::new(steps);
            let strike =
                move || left.fetch_sub(1, Ordering::Relaxed) == 0 && kill_process(getpid(), Signal::KILL).is_ok();
            conn.progress_handler(1, Some(strike)).expect("a progress handler can be set");
        }
        Fault::RefuseCommit => {
            let once = AtomicU32::new(1);
            conn.commit_hook(Some(move || once.swap(0, Ordering::Relaxed) == 1)).expect("a commit hook can be set");
        }
        Fault::DiskFull => {
            let pages: i64 =
                conn.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("the pages can be counted");
            conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
                .expect("the file can be capped");
        }
    }
}

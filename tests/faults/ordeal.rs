//! Makes one act fail in every way that storage can fail, and finds neither state nor entry each time.

use std::net::IpAddr;

use idp::actions::{Error, Result};
use idp::audit::{Actor, Event, Record, Source};
use idp::storage::faults::Fault;
use idp::storage::{self, Audited};

use crate::world::{Answer, Browser, World};

/// How an attempt ended.
pub enum Ended<T> {
    /// It was done.
    Done(T),
    /// The disk was full, it said.
    Full,
    /// Something else went wrong, it said.
    Failed,
}

/// How closely an act is looked at: which of the places where SQLite can be interrupted.
#[derive(Clone, Copy)]
pub enum Pace {
    /// Each of them.
    EachStep,
    /// One in so many: for acts that hash passwords first.
    Every(u32),
}

/// Every row of every table, as text. Nothing is left out.
pub fn dump(world: &World) -> Vec<String> {
    let conn = rusqlite::Connection::open(world.database()).unwrap();
    let list = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name";
    let mut query = conn.prepare(list).unwrap();
    let tables: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(tables.len() > 15, "{tables:?}");
    let mut all = Vec::new();
    for table in tables {
        let mut query = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let width = query.column_count();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> =
                (0..width).map(|n| format!("{:?}", row.get::<_, rusqlite::types::Value>(n).unwrap())).collect();
            all.push(format!("{table}: {}", values.join(" ")));
        }
    }
    all
}

/// Everything is still as it was in `before`; shows the rows that are not.
#[track_caller]
pub fn unchanged(world: &World, before: &[String], after_what: &str) {
    let now = dump(world);
    let new: Vec<_> = now.iter().filter(|row| !before.contains(row)).collect();
    let gone: Vec<_> = before.iter().filter(|row| !now.contains(row)).collect();
    assert!(new.is_empty() && gone.is_empty(), "{after_what} left something behind:\n{new:#?}\n{gone:#?}");
}

/// Lets what is no evidence (when a session was last seen) be written now, so that it does not come between.
pub fn settle(world: &World, browser: &Browser) {
    browser.clone().get("/profile");
    world.app.means.store.sweep(|_| Ok(())).unwrap();
}

/// Whether the whole trail verifies now.
pub fn verifies(world: &World) -> bool {
    world.app.means.store.read(idp::storage::backup::walk).unwrap().1.is_none()
}

/// Leaves no room in the file for even the shortest entry.
pub fn fill_the_disk(world: &World) {
    world.app.means.store.inject(Fault::DiskFull);
    let note = || -> storage::Result<()> {
        world.app.means.store.change(|_| {
            let event = Event::ClockStepped { back_by_seconds: 1 };
            Ok(Audited::new((), Record::new(Actor::System, &Source::default(), event)))
        })
    };
    let refused = (0..1_000).find_map(|_| note().err());
    assert!(matches!(refused, Some(storage::Error::Full)), "{refused:?}");
}

/// Lets `act` meet a full disk, a commit that is refused and an interruption at each step, until it succeeds. After
/// each failure everything that is stored is as it was, and nothing is repaired in between.
pub fn every_write_fails_once<T>(world: &World, pace: Pace, mut act: impl FnMut() -> Ended<T>) -> T {
    let store = &world.app.means.store;
    fill_the_disk(world);
    let before = dump(world);
    assert!(matches!(act(), Ended::Full), "a full disk was not said to be full");
    unchanged(world, &before, "a full disk");
    store.inject(Fault::RefuseCommit);
    let ended = act();
    assert!(!matches!(ended, Ended::Full), "the disk is still full");
    assert!(matches!(ended, Ended::Failed), "a commit that failed was not said to have failed");
    unchanged(world, &before, "a refused commit");
    let stride = match pace {
        Pace::EachStep => 1,
        Pace::Every(steps) => steps,
    };
    for n in 0..10_000 {
        store.inject(Fault::InterruptAfter(n * stride));
        let ended = act();
        store.inject(Fault::None);
        if let Ended::Done(done) = ended {
            assert!(n > 4, "there was nothing to interrupt");
            assert!(verifies(world));
            assert_ne!(dump(world), before);
            return done;
        }
        assert!(matches!(ended, Ended::Failed));
        unchanged(world, &before, "an interruption");
    }
    panic!("it never succeeds");
}

/// The same for a form that `browser` shows and sends. What fails is said by a page with the right status, which sets
/// no cookie; exactly `story` is what was recorded in the end.
pub fn form(
    world: &World,
    browser: &mut Browser,
    pace: Pace,
    target: &str,
    fields: &[(&str, &str)],
    story: &[&str],
) -> Answer {
    settle(world, browser);
    let (mut attempts, mut head) = (0_u32, 0);
    let (shown, answer) = every_write_fails_once(world, pace, || {
        let mut again = browser.clone();
        // The limit by client address is not what this is about.
        attempts += 1;
        again.address = IpAddr::from((u128::from(attempts) << 64 | 1 << 120).to_be_bytes());
        head = world.head();
        let answer = again.post(target, fields);
        match answer.status {
            500 | 507 => {
                assert!(answer.says("not done"), "{}", answer.text());
                assert_eq!(answer.header("set-cookie"), None);
                if answer.status == 507 { Ended::Full } else { Ended::Failed }
            }
            _ => {
                assert_ne!(world.head(), head, "{}: {}", answer.status, answer.text());
                Ended::Done((again, answer))
            }
        }
    });
    let address = browser.address;
    *browser = shown;
    browser.address = address;
    assert_eq!(world.story_since(head), story, "{target}: {}", answer.text());
    answer
}

/// What an errand said, for errands that are not asked for by a page.
pub fn ended<T>(result: Result<T>) -> Ended<T> {
    match result {
        Ok(done) => Ended::Done(done),
        Err(Error::Storage(storage::Error::Full)) => Ended::Full,
        Err(Error::Storage(_)) => Ended::Failed,
        Err(e) => panic!("{e}"),
    }
}

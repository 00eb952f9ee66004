//! The audit trail itself: its chain, its time and its guards. That a long day is told exactly stands in `trail/day.rs`.

mod afternoon;
mod approvals;
mod before_five;
mod before_six;
mod day;
mod early;
mod evening;
mod morning;
mod night;
mod noon;
mod objections;
mod post;

use std::collections::BTreeSet;
use std::time::Duration;

use idp::audit::chain::{body_digest, entry_hash};
use idp::audit::{Action, Entry};
use rusqlite::Connection;

use crate::runbook::{act, owner_and_member, reset};
use crate::world::{Browser, World, body};

fn database(world: &World) -> Connection {
    Connection::open(world.database()).unwrap()
}

/// Adds a note to a person.
fn note(admin: &mut Browser, id: &str, text: &str) {
    assert_eq!(act(admin, id, "/notes", &[("text", text)]).status, 303);
}

#[test]
fn every_entry_follows_from_the_one_before_by_the_hashes_that_anyone_can_compute() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    let (mut prev, mut seq, mut salts) = ([0; 32], 0, BTreeSet::new());
    for entry in world.entries() {
        seq += 1;
        let Entry { header, salt: Some(salt), body: Some(text), .. } = &entry else { panic!("a body is missing") };
        assert_eq!(header.seq, seq);
        assert_eq!(entry.prev_hash, prev, "entry {seq}");
        assert_eq!(entry.body_digest, body_digest(salt, text), "entry {seq}");
        assert_eq!(entry.hash, entry_hash(&prev, header, &entry.body_digest), "entry {seq}");
        assert!(salts.insert(*salt), "a salt is used once");
        prev = entry.hash;
    }
    assert_eq!(seq, 17, "the owner, the member, the reset");
}

#[test]
fn time_never_falls_along_the_trail_and_a_clock_that_steps_back_is_recorded_once() {
    let (world, mut ada, mara) = owner_and_member();
    note(&mut ada, &mara.id, "before the step");
    let (before, top) = (world.head(), world.entries().pop().unwrap().header.at);
    world.clock.set(top.minus(Duration::from_secs(60)));
    for n in 0..3 {
        note(&mut ada, &mara.id, &format!("behind, {n}"));
        world.later(Duration::from_secs(10));
    }
    let told = ["system.clock_stepped success", "user.note_added success", "user.note_added success"];
    assert_eq!(world.story_since(before)[..3], told);
    assert_eq!(world.story_since(before).len(), 4);
    let stepped = world.entries_of(Action::SystemClockStepped).pop().unwrap();
    assert_eq!((stepped.header.actor_kind.as_str(), body(&stepped).fact("back_by_seconds").as_str()), ("system", "60"));
    assert!(world.entries().iter().filter(|e| e.header.seq > before).all(|e| e.header.at == top));

    // It catches up; a second step is told again.
    world.clock.set(top.plus(Duration::from_secs(5)));
    note(&mut ada, &mara.id, "caught up");
    assert_eq!(world.entries().pop().unwrap().header.at, top.plus(Duration::from_secs(5)));
    world.clock.set(top);
    note(&mut ada, &mara.id, "and back again");
    assert_eq!(world.entries_of(Action::SystemClockStepped).len(), 2);
    let times: Vec<_> = world.entries().iter().map(|e| e.header.at).collect();
    assert!(times.is_sorted());
}

#[test]
fn a_clock_that_is_slewed_by_less_than_a_second_is_no_event() {
    let (world, mut ada, mara) = owner_and_member();
    note(&mut ada, &mara.id, "before");
    world.clock.set(world.now().minus(Duration::from_millis(900)));
    note(&mut ada, &mara.id, "after");
    assert!(world.entries_of(Action::SystemClockStepped).is_empty());
}

#[test]
fn the_table_refuses_to_change_remove_replace_or_insert_out_of_order() {
    let (world, _, _) = owner_and_member();
    let (db, before) = (database(&world), world.entries().len());
    let columns = "lineage, at, action, outcome, actor_kind, actor_id, target_kind, target_id, case_number, salt, body, \
                   body_digest, prev_hash, hash";
    let copy = |seq: &str, from: &str| {
        format!("INTO audit (seq, {columns}) SELECT {seq}, {columns} FROM audit WHERE seq = {from}")
    };
    let head = world.head();
    for (statement, says) in [
        ("UPDATE audit SET outcome = 'denied' WHERE seq = 3".to_owned(), "never changed"),
        ("UPDATE audit SET body = body".into(), "never changed"),
        ("UPDATE OR REPLACE audit SET seq = 2 WHERE seq = 3".into(), "never changed"),
        ("DELETE FROM audit WHERE seq = 3".into(), "never deleted"),
        ("DELETE FROM audit".into(), "never deleted"),
        (format!("INSERT OR REPLACE {}", copy("3", "3")), "extends the chain"),
        (format!("REPLACE {}", copy("1", "2")), "extends the chain"),
        (format!("INSERT OR IGNORE {}", copy("3", "3")), "extends the chain"),
        (format!("INSERT {}", copy(&(head + 2).to_string(), "3")), "extends the chain"),
        // The next number, but not bound to the entry before it.
        (format!("INSERT {}", copy(&(head + 1).to_string(), "3")), "extends the chain"),
        // Bound to it, but at an earlier time.
        (
            format!(
                "INSERT INTO audit (seq, {columns}) SELECT {}, {} FROM audit WHERE seq = {head}",
                head + 1,
                columns.replace(" at,", " at - 1,").replace("prev_hash", "hash")
            ),
            "extends the chain",
        ),
    ] {
        let refused = db.execute(&statement, []).unwrap_err().to_string();
        assert!(refused.contains(says), "{statement}: {refused}");
    }
    assert_eq!(world.entries().len(), before);
}

#[test]
fn people_are_never_deleted_either() {
    let (world, _, mara) = owner_and_member();
    let refused = database(&world).execute("DELETE FROM users WHERE id = ?1", [&mara.id]).unwrap_err().to_string();
    assert!(refused.contains("people are disabled, never deleted"), "{refused}");
}

#[test]
fn no_change_is_done_whose_entry_a_planted_trigger_swallows_while_the_server_runs() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.execute_batch(
        "CREATE TRIGGER hide BEFORE INSERT ON audit WHEN new.action = 'user.note_added'
         BEGIN SELECT raise(IGNORE); END",
    )
    .unwrap();
    let (head, path) = (world.head(), format!("/admin/users/{}/notes", mara.id));
    ada.get(&path);
    assert_eq!(ada.post(&path, &[("text", "She called twice.")]).status, 500);
    assert_eq!(world.head(), head);
    db.execute_batch("DROP TRIGGER hide").unwrap();
    ada.get(&path);
    assert_eq!(ada.post(&path, &[("text", "She called twice.")]).status, 303);
    assert_eq!(world.entries_of(Action::UserNoteAdded).len(), 1);
}

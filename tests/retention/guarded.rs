//! What keeps retention from erasing what must stay: a legal hold, a clock that can not be right, the table's own guard.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use idp::actions::retention::erase;
use idp::audit::erasure::LEAST_DAYS;
use idp::audit::{Action, Actor, Event, Record, Source};
use idp::policy::Key;
use idp::storage::{self, Audited, policy};

use super::Firm;
use crate::faults::ordeal::{Ended, Pace, every_write_fails_once};
use crate::policy::{DAY, now, set};

#[test]
fn under_a_legal_hold_nothing_is_erased_and_who_lifts_it_waits_a_day_of_which_owners_are_told() {
    let mut firm = Firm::aged();
    set(firm.ada(), Key::LegalHold, 1);
    firm.world.sweep();
    assert!(firm.erased().is_empty());
    let page = firm.ada.get("/admin/policy");
    assert!(page.says("Legal hold yes not the default"), "{}", page.text());
    let form = firm.ada.get("/admin/policy/legal_hold");
    assert!(form.says("“No” is looser: it takes effect 24 hours after you save it"), "{}", form.text());
    set(&mut firm.ada, Key::LegalHold, 0);
    let told = "SELECT count(*) FROM notices WHERE facts ->> '$.what' = 'Legal hold: yes → no'";
    assert_eq!(firm.world.count(told), 1);
    firm.world.later(DAY - Duration::from_micros(1));
    firm.world.sweep();
    assert!(firm.erased().is_empty(), "it holds until the day is over");
    firm.world.later(Duration::from_micros(1));
    firm.world.sweep();
    assert!(!firm.erased().is_empty());
}

#[test]
fn a_hold_that_was_set_a_moment_before_in_the_same_transaction_is_obeyed() {
    let firm = Firm::aged();
    let store = &firm.world.app.means.store;
    let due = store.read(|tx| storage::retention::get(tx, firm.world.now())).unwrap().next(firm.world.now());
    assert!(matches!(due, idp::retention::Next::Erase(_)), "{due:?}");
    let (inside, is_inside) = sync_channel::<()>(1);
    let (go, may_go) = sync_channel::<()>(1);
    let erased = std::thread::scope(|scope| {
        // The owner's change is under way when the round has looked and asks to erase.
        let hold = scope.spawn(move || {
            store.change(move |tx| -> storage::Result<_> {
                inside.send(()).unwrap();
                may_go.recv().unwrap();
                policy::insert(tx, Key::LegalHold.parse_value("1").unwrap(), "Ada", tx.now())?;
                let event = Event::refused(Action::PolicyUpdated, None, "a stand-in for the entry");
                Ok(Audited::new((), Record::new(Actor::Host, &Source::default(), event)))
            })
        });
        is_inside.recv().unwrap();
        let sent = store.sent();
        let erasing = scope.spawn(|| erase(store).unwrap());
        while store.sent() == sent {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        hold.join().unwrap().unwrap();
        erasing.join().unwrap()
    });
    assert_eq!((erased, now(&firm.world, Key::LegalHold)), (None, 1));
    assert!(firm.erased().is_empty() && firm.world.entries_of(Action::AuditPruned).is_empty());
}

#[test]
fn a_clock_that_leaps_ahead_erases_nothing_until_the_trail_has_borne_it_out_for_a_month() {
    let mut firm = Firm::new();
    set(&mut firm.ada, Key::AuditKept, LEAST_DAYS);
    firm.goes_on(60);
    // What was yesterday seems to be of two years ago.
    firm.world.later(DAY * 730);
    firm.world.sweep();
    firm.goes_on(29);
    firm.world.sweep();
    assert!(firm.erased().is_empty(), "no code from a phone has been right for a month");
    firm.goes_on(2);
    firm.world.sweep();
    assert!(!firm.erased().is_empty(), "it was the server that was off for so long");
}

#[test]
fn a_server_that_was_off_for_a_long_weekend_goes_on_erasing_and_one_that_was_off_for_longer_waits() {
    let mut firm = Firm::aged();
    firm.world.later(DAY * 4 - Duration::from_secs(10));
    firm.world.sweep();
    assert!(!firm.erased().is_empty());
    firm = Firm::aged();
    firm.world.later(DAY * 5);
    firm.world.sweep();
    assert!(firm.erased().is_empty());
}

#[test]
fn a_clock_that_was_set_back_from_far_ahead_erases_nothing_that_is_young() {
    let mut firm = Firm::new();
    set(&mut firm.ada, Key::AuditKept, LEAST_DAYS);
    firm.goes_on(60);
    firm.world.later(DAY * 3_000);
    firm.goes_on(1);
    firm.world.clock.set(firm.world.now().minus(DAY * 3_001));
    // Entries go on with the time of the leap until the clock has caught up.
    firm.goes_on(40);
    firm.world.sweep();
    assert!(firm.erased().is_empty());
}

#[test]
fn the_table_refuses_to_erase_what_is_not_recorded_as_erased_or_of_a_kind_that_is_kept() {
    let firm = Firm::aged();
    firm.world.sweep();
    let db = rusqlite::Connection::open(firm.world.database()).unwrap();
    let through: i64 = db.query_row("SELECT pruned_through FROM instance", [], |row| row.get(0)).unwrap();
    let refused = |sql: &str| {
        let error = db.execute_batch(sql).unwrap_err().to_string();
        assert!(error.contains("an audit entry is never changed"), "{sql}: {error}");
    };
    refused(&format!("UPDATE audit SET salt = NULL, body = NULL WHERE seq = {}", through + 1));
    refused("UPDATE audit SET salt = NULL, body = NULL WHERE seq = 1");
    refused("UPDATE audit SET salt = NULL, body = NULL, action = 'user.updated' WHERE seq = 3");
    refused("UPDATE audit SET salt = zeroblob(16), body = '{}' WHERE seq = 3");
    refused("UPDATE audit SET outcome = 'denied' WHERE seq = 3");
    let pruned = firm.world.entries_of(Action::AuditPruned)[0].header.seq;
    db.execute_batch(&format!("UPDATE instance SET pruned_through = {pruned}")).unwrap();
    refused(&format!("UPDATE audit SET salt = NULL, body = NULL WHERE seq = {pruned}"));
    db.execute_batch(&format!("UPDATE instance SET pruned_through = {through}")).unwrap();
}

#[test]
fn what_is_erased_is_erased_with_its_entry_or_not_at_all() {
    let firm = Firm::aged();
    let store = &firm.world.app.means.store;
    let pruned = every_write_fails_once(&firm.world, Pace::Every(3), || match erase(store) {
        Ok(pruned) => Ended::Done(pruned.unwrap()),
        Err(idp::actions::Error::Storage(storage::Error::Full)) => Ended::Full,
        Err(_) => Ended::Failed,
    });
    assert_eq!((pruned.first, firm.world.entries_of(Action::AuditPruned).len()), (1, 1));
}

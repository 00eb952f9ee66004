//! Group commit: what jobs that share one transaction do to each other.

use std::sync::mpsc::sync_channel;

use idp::audit::{Action, Actor, Event, Person, Record, Source};
use idp::storage::faults::Fault;
use idp::storage::{self, Audited, Error, Store, WriteTx};
use idp::users::Role;

use crate::cli_world::{Folder, add_person};

type Done = storage::Result<Audited<()>>;

fn note(person: &Person, text: &str) -> Record {
    let event = Event::UserNoteAdded { user: person.clone(), note: text.to_owned() };
    Record::new(Actor::Host, &Source::default(), event)
}

fn world() -> (Folder, std::sync::Arc<Store>, Person) {
    let folder = Folder::new();
    let store = folder.store();
    let person = add_person(&store, "mara@fernhill.example", "Mara Lindqvist", Role::Member);
    (folder, store, person)
}

type Job = Box<dyn FnOnce(&WriteTx<'_>) -> Done + Send>;

/// Runs `jobs` in one transaction, after `fault` was injected: a job before them holds the writer until all are queued.
/// Returns what each was answered.
fn in_one_batch(store: &Store, person: &Person, fault: Fault, jobs: Vec<Job>) -> Vec<storage::Result<()>> {
    let (inside, is_inside) = sync_channel::<()>(1);
    let (go, may_go) = sync_channel::<()>(1);
    let first = note(person, "first");
    std::thread::scope(|scope| {
        let before = scope.spawn(move || {
            store.change(move |_| -> Done {
                inside.send(()).unwrap();
                may_go.recv().unwrap();
                Ok(Audited::new((), first))
            })
        });
        is_inside.recv().unwrap();
        store.inject(fault);
        let mut waiting = Vec::new();
        for job in jobs {
            let sent = store.sent();
            waiting.push(scope.spawn(move || store.change(job)));
            // The queue is in order of arrival.
            while store.sent() == sent {
                std::thread::yield_now();
            }
        }
        go.send(()).unwrap();
        before.join().unwrap().unwrap();
        waiting.into_iter().map(|w| w.join().unwrap()).collect()
    })
}

fn good(person: &Person, text: &'static str) -> Job {
    let record = note(person, text);
    Box::new(move |_| Ok(Audited::new((), record)))
}

fn notes(folder: &Folder) -> i64 {
    folder.count("SELECT count(*) FROM audit WHERE action = 'user.note_added'")
}

#[test]
fn a_job_that_fails_or_panics_undoes_its_own_part_and_no_other() {
    let (folder, store, mara) = world();
    let writes = |tx: &WriteTx<'_>, to: &str| {
        let (email, name) = (to.parse().unwrap(), "Someone".parse().unwrap());
        idp::storage::users::insert(tx, idp::ids::UserId::generate(), &email, &name, Role::Member).unwrap();
    };
    let fails: Job = Box::new(move |tx| {
        writes(tx, "failed@fernhill.example");
        Err(Error::Other("a rule says no".into()))
    });
    let panics: Job = Box::new(move |tx| {
        writes(tx, "panicked@fernhill.example");
        // Not `panic!`, whose message would stand among the test's output.
        std::panic::resume_unwind(Box::new(()));
    });
    let answers = in_one_batch(&store, &mara, Fault::None, vec![good(&mara, "one"), fails, panics, good(&mara, "two")]);
    assert!(answers[0].is_ok() && answers[3].is_ok(), "{answers:?}");
    assert!(matches!(&answers[1], Err(Error::Other(why)) if &**why == "a rule says no"), "{answers:?}");
    assert!(matches!(answers[2], Err(Error::Stopped)), "{answers:?}");
    assert_eq!(notes(&folder), 3);
    assert_eq!(folder.count("SELECT count(*) FROM users"), 1);
    assert!(store.read(idp::storage::backup::walk).unwrap().1.is_none());
}

/// Adds people until SQLite is interrupted in the middle of one, which rolls back everything, and says so or not.
fn interrupted(hides_it: bool, person: &Person) -> Job {
    let record = note(person, "everything went well");
    Box::new(move |tx| {
        let refused = (0..100_000).find_map(|n| {
            let (email, name) = (format!("p{n}@fernhill.example").parse().unwrap(), "Someone".parse().unwrap());
            idp::storage::users::insert(tx, idp::ids::UserId::generate(), &email, &name, Role::Member).err()
        });
        match refused {
            Some(e) if !hides_it => Err(e),
            refused => {
                assert!(refused.is_some(), "nothing was interrupted");
                Ok(Audited::new((), record))
            }
        }
    })
}

#[test]
fn an_error_that_ends_the_transaction_fails_the_whole_batch_even_if_its_job_hides_it() {
    for hides_it in [false, true] {
        // Where the interrupt meets a statement that only reads, the transaction goes on; so it is tried at several places.
        let whole_batches = (20_000..20_160).step_by(17).filter(|after| {
            let (folder, store, mara) = world();
            let jobs = vec![good(&mara, "one"), interrupted(hides_it, &mara), good(&mara, "two")];
            let answers = in_one_batch(&store, &mara, Fault::InterruptAfter(*after), jobs);
            let all_failed = answers.iter().all(Result::is_err);
            if all_failed {
                assert_eq!(notes(&folder), 1);
                assert_eq!(folder.count("SELECT count(*) FROM users"), 1);
            } else {
                assert!(answers[0].is_ok() && answers[1].is_ok() == hides_it && answers[2].is_ok(), "{answers:?}");
            }
            let before = notes(&folder);
            store.change(good(&mara, "after")).unwrap();
            assert_eq!(notes(&folder), before + 1);
            assert!(store.read(idp::storage::backup::walk).unwrap().1.is_none());
            all_failed
        });
        assert!(whole_batches.count() > 0, "{hides_it}: no interrupt ended the transaction");
    }
}

#[test]
fn a_disk_that_one_job_fills_is_full_for_every_job_of_the_batch() {
    let (folder, store, mara) = world();
    let jobs = vec![good(&mara, "one"), interrupted(false, &mara), good(&mara, "two")];
    let answers = in_one_batch(&store, &mara, Fault::DiskFull, jobs);
    assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Full))), "{answers:?}");
    assert_eq!((notes(&folder), folder.count("SELECT count(*) FROM users")), (1, 1));
    store.inject(Fault::None);
    store.change(good(&mara, "after")).unwrap();
    assert!(store.read(idp::storage::backup::walk).unwrap().1.is_none());
}

#[test]
fn a_commit_that_fails_is_said_to_everyone_in_the_batch_and_to_nobody_after() {
    let (folder, store, mara) = world();
    let jobs = vec![good(&mara, "one"), good(&mara, "two")];
    let answers = in_one_batch(&store, &mara, Fault::RefuseCommit, jobs);
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    assert_eq!(notes(&folder), 1);
    store.change(good(&mara, "after")).unwrap();
    assert_eq!(notes(&folder), 2);
}

#[test]
fn sixty_four_writers_get_exactly_their_entries() {
    let (folder, store, mara) = world();
    let acknowledged: usize = std::thread::scope(|scope| {
        let (store, mara) = (&store, &mara);
        let write =
            |thread: usize| move || (0..20).filter(|n| store.change(one_of_three(mara, thread, *n)).is_ok()).count();
        let threads: Vec<_> = (0..64).map(|thread| scope.spawn(write(thread))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(i64::try_from(acknowledged).unwrap(), notes(&folder));
    let distinct = "SELECT count(DISTINCT body ->> '$.detail.note') FROM audit WHERE action = 'user.note_added'";
    assert_eq!(folder.count(distinct), notes(&folder));
    assert!(store.read(idp::storage::backup::walk).unwrap().1.is_none());
}

/// A note; every third is refused by a rule after it was made.
fn one_of_three(person: &Person, thread: usize, n: usize) -> impl FnOnce(&WriteTx<'_>) -> Done + Send + 'static {
    let record = note(person, &format!("{thread} {n}"));
    move |_| if n % 3 == 2 { Err(Error::Other("a rule says no".into())) } else { Ok(Audited::new((), record)) }
}

#[test]
fn a_clock_that_stepped_back_is_recorded_once_also_when_the_first_commit_fails() {
    let (world, ..) = crate::world::World::with_owner();
    let change = || {
        world.app.means.store.change(|_| -> Done {
            Ok(Audited::new(
                (),
                Record::new(Actor::System, &Source::default(), Event::ClockStepped { back_by_seconds: 9 }),
            ))
        })
    };
    world.clock.set("2026-11-24T08:00:00Z".parse().unwrap());
    let before = world.entries_of(Action::SystemClockStepped).len();
    world.app.means.store.inject(Fault::RefuseCommit);
    assert!(change().is_err());
    change().unwrap();
    change().unwrap();
    assert_eq!(world.entries_of(Action::SystemClockStepped).len() - before, 3, "two of the changes, one of the clock");
}

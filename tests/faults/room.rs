//! What happens when the disk is nearly full, and when everyone signs in at once.

use idp::audit::Action;
use idp::policy::DISK_RESERVE;

use crate::world::{PASSWORD, World};

#[test]
fn anonymous_writes_are_refused_first_and_signed_in_acts_still_work() {
    let (world, mut ada, phone) = World::with_owner();
    let mut stranger = world.browser();
    stranger.get("/sign-in");
    world.app.pretend_free(Some(DISK_RESERVE - 1));
    let head = world.head();
    let fields = [("email", "ada@fernhill.example"), ("password", PASSWORD)];
    let page = stranger.post("/sign-in", &fields);
    assert_eq!(page.status, 507, "{}", page.text());
    assert!(page.says("The disk is full"));
    assert_eq!(world.head(), head);
    assert_eq!(stranger.get("/sign-in").status, 200);
    ada.get("/admin/users/new");
    let person = [("email", "joe@fernhill.example"), ("name", "Joe Field"), ("role", "member")];
    assert_eq!(ada.post("/admin/users/new", &person).status, 200);
    world.app.pretend_free(Some(DISK_RESERVE));
    assert_eq!(stranger.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone).status, 303);
}

#[test]
fn a_server_that_stops_turns_the_counts_of_the_minute_under_way_into_an_entry() {
    let world = World::new();
    for _ in 0..3 {
        assert_eq!(world.browser().password("nobody@fernhill.example", "a guess of mine").status, 401);
    }
    world.sweep();
    assert!(world.entries_of(Action::UserSignInFailed).is_empty(), "the minute is not over");
    idp::actions::sweep::sweep(&world.app.means, true).unwrap();
    let entries = world.entries_of(Action::UserSignInFailed);
    assert_eq!(entries.len(), 1);
    assert!(entries[0].body.as_ref().unwrap().contains("\"count\":3"), "{entries:?}");
}

#[test]
fn sixty_four_parallel_sign_ins_stay_within_the_pool_and_each_gets_an_answer_or_is_told_when_to_come_back() {
    let (world, ..) = World::with_owner();
    let mut browser = world.browser();
    browser.get("/sign-in");
    let fields = [("email", "ada@fernhill.example"), ("password", PASSWORD)];
    let answers: Vec<_> = std::thread::scope(|scope| {
        let sign_in = || browser.clone().post("/sign-in", &fields);
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(sign_in)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for answer in &answers {
        match answer.status {
            303 => assert_eq!(answer.location(), "/sign-in/code"),
            503 => assert!(answer.header("retry-after").is_some_and(|s| s.parse::<u64>().is_ok_and(|s| s > 0))),
            other => panic!("{other}: {}", answer.text()),
        }
    }
    assert!(answers.iter().any(|a| a.status == 303));
    let pool = &world.app.means.pool;
    assert!(pool.peak_bytes() <= world.app.settings.hash_workers * 19 * 1024 * 1024, "{}", pool.peak_bytes());
    assert!(pool.live_bytes() <= pool.peak_bytes());
}

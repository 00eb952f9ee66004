//! Many at once: addresses that flood the forms, a disk that runs full, a pool that is busy.

use idp::policy;

use super::{WRONG, count, ready};
use crate::world::{Browser, World};

#[test]
fn an_address_that_floods_the_forms_is_told_to_wait_before_anything_is_looked_at() {
    let (world, ..) = World::with_owner();
    let mut browser = ready(&world).from("203.0.113.50");
    let rate = idp::throttle::sources::ATTEMPTS;
    let form = browser.page.clone();
    let mut statuses = Vec::new();
    for _ in 0..rate.burst + 5 {
        browser.page = form.clone();
        statuses.push(browser.post("/sign-in", &[]).status);
    }
    assert_eq!((count(&statuses, 422), count(&statuses, 429)), (rate.burst as usize, 5));
    assert_eq!(browser.page.header("retry-after"), Some("1"));
    let mut other = ready(&world).from("203.0.113.51");
    assert_eq!(other.post("/sign-in", &[]).status, 422, "other addresses are not touched");
}

#[test]
fn what_anyone_can_cause_is_refused_first_when_the_disk_runs_full() {
    let (world, mut ada, _) = World::with_owner();
    world.app.pretend_free(Some(policy::DISK_RESERVE - 1));
    let mut browser = ready(&world);
    assert_eq!(browser.post("/sign-in", &[("email", "a@b.example"), ("password", WRONG)]).status, 507);
    assert_eq!(world.count("SELECT count(*) FROM unknown_failures"), 0);
    assert_eq!(ada.get("/admin/users").status, 200);
    world.invite(&mut ada, "still@fernhill.example", "Still", "member");
    world.app.pretend_free(None);
    browser.get("/sign-in");
    assert_eq!(browser.post("/sign-in", &[("email", "a@b.example"), ("password", WRONG)]).status, 401);
}

#[test]
fn more_sign_ins_at_once_than_the_pool_holds_wait_their_turn_or_are_told_when_to_come_back() {
    let world = World::with("http://localhost:8080", |settings| settings.hash_workers = 1);
    let browsers: Vec<Browser> = (0..100).map(|n| ready(&world).from(&format!("203.0.113.{}", n + 1))).collect();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..)
            .zip(browsers)
            .map(|(n, mut browser)| {
                scope.spawn(move || {
                    let email = format!("nobody{n}@fernhill.example");
                    browser.post("/sign-in", &[("email", &email), ("password", WRONG)])
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let statuses: Vec<u16> = answers.iter().map(|a| a.status).collect();
    let busy: Vec<_> = answers.iter().filter(|a| a.status == 503).collect();
    assert_eq!(busy.len() + count(&statuses, 401), 100, "{statuses:?}");
    assert!(count(&statuses, 401) >= 64 && !busy.is_empty(), "{statuses:?}");
    for answer in busy {
        assert!(answer.header("retry-after").is_some() && answer.says("Please try again in a few seconds"));
        assert!(answer.body.contains("value=\"nobody"), "what was typed is kept");
    }
}

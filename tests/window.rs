//! The enrolment window: what opens it, how long it stays open, what closes it.

use std::time::Duration;

use idp::audit::Action;

use crate::runbook::{owner_and_member, reset, rows};
use crate::world::{PASSWORD, Phone, body};

#[test]
fn the_pass_works_for_sixty_minutes_and_no_longer() {
    let (world, mut ada, mara) = owner_and_member();
    let pass = reset(&mut ada, &mara.id);
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).location(), "/enrol");
    assert!(browser.get("/enrol").says("Enter the pass"));
    world.later(Duration::from_secs(3_599));
    let mut in_time = world.browser();
    in_time.password(&mara.email, PASSWORD);
    in_time.get("/enrol");
    assert_eq!(in_time.post("/enrol/pass", &[("pass", &pass)]).location(), "/enrol");
    let page = in_time.get("/enrol");
    let phone = Phone::scan(&page.body);

    world.later(Duration::from_secs(1));
    // Neither the page that is open already nor a new sign-in leads on.
    let answer = in_time.post("/enrol", &[("code", &phone.code(world.now()))]);
    assert!(answer.status == 401 || answer.status == 403, "{}", answer.status);
    let mut late = world.browser();
    assert_eq!(late.password(&mara.email, PASSWORD).status, 403);
    assert_eq!(rows(&world, "factors", &mara.id), 0);
}

#[test]
fn the_window_closes_its_case_by_itself() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    assert!(ada.get("/admin/recovery").says("waiting for enrolment"));
    world.sweep();
    assert!(world.entries_of(Action::RecoveryExpired).is_empty());
    world.later(Duration::from_secs(3_600));
    world.sweep();
    world.sweep();
    let expired = world.entries_of(Action::RecoveryExpired);
    assert_eq!(expired.len(), 1);
    assert_eq!(
        (expired[0].header.actor_kind.as_str(), expired[0].header.case.as_deref()),
        ("system", Some("R-2026-0001"))
    );
    assert_eq!(rows(&world, "enrolment_windows", &mara.id), 0);
}

#[test]
fn five_wrong_passes_void_the_pass_and_only_a_new_reset_gives_another() {
    let (world, mut ada, mara) = owner_and_member();
    let pass = reset(&mut ada, &mara.id);
    let wrong = if pass.starts_with('7') { "8888-8888-8888" } else { "7777-7777-7777" };
    // The tries are counted for the person, not for the sign-in.
    for tries in 1..=4 {
        let mut browser = world.browser();
        browser.password(&mara.email, PASSWORD);
        browser.get("/enrol");
        assert_eq!(browser.post("/enrol/pass", &[("pass", wrong)]).status, 401, "try {tries}");
    }
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    assert!(browser.get("/enrol").says("One try is left"), "{}", browser.page.text());
    // What can not be a pass at all costs no try.
    assert_eq!(browser.post("/enrol/pass", &[("pass", "7777")]).status, 422);
    assert_eq!(browser.post("/enrol/pass", &[("pass", wrong)]).status, 403);
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 403, "the right pass is void as well");
    let expired = world.entries_of(Action::RecoveryExpired).pop().unwrap();
    assert_eq!(body(&expired).fact("why"), "five wrong passes");

    let pass = reset(&mut ada, &mara.id);
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    browser.get("/enrol");
    assert_eq!(browser.post("/enrol/pass", &[("pass", &pass)]).location(), "/enrol");
}

#[test]
fn enrolment_opens_only_in_such_a_window_or_from_an_invitation() {
    let (world, mut ada, mara) = owner_and_member();
    // With a factor there is nothing to enrol by signing in.
    let mut pending = world.browser();
    pending.password(&mara.email, PASSWORD);
    pending.get("/sign-in/code");
    for (path, fields) in [("/enrol", [("code", "123456")]), ("/enrol/pass", [("pass", "7777-7777-7777")])] {
        assert_ne!(pending.post(path, &fields).status, 200);
    }
    assert_eq!(pending.get("/enrol").location(), "/sign-in/code");
    assert_eq!(rows(&world, "factors", &mara.id), 1);
    assert_eq!(mara.browser.clone().get("/enrol").status, 303, "nor for who is signed in");

    // From an invitation it opens without a pass, also for who was interrupted.
    let link = world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let mut noor = world.accept(&link);
    let mut later = world.browser();
    assert_eq!(later.password("noor@fernhill.example", PASSWORD).location(), "/enrol");
    let (_, codes) = world.enrol(&mut later);
    assert_eq!(codes.len(), 10);
    // The other browser stood at the same page: what it has is over.
    assert_eq!(noor.get("/enrol").status, 403);
}

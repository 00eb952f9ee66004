//! Codes from an app and from paper: once, and only for their own person.

use std::time::Duration;

use idp::audit::Action;
use idp::policy::{self, Key, Policy};
use idp::time::Timestamp;

use crate::world::{Browser, Member, PASSWORD, World, body};

fn with_mara() -> (World, Browser, Member) {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    (world, ada, mara)
}

/// A browser whose password was right.
fn pending(world: &World, email: &str) -> Browser {
    let mut browser = world.browser();
    assert_eq!(browser.password(email, PASSWORD).location(), "/sign-in/code");
    browser
}

/// Sends the same code from all browsers at once; how often it led on.
fn all_at_once(browsers: Vec<Browser>, path: &str, code: &str) -> usize {
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = browsers
            .into_iter()
            .map(|mut browser| scope.spawn(move || browser.post(path, &[("code", code)]).status))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|s| [303, 401, 429].contains(s)), "{statuses:?}");
    statuses.iter().filter(|s| **s == 303).count()
}

fn many(world: &World, email: &str, path: &str) -> Vec<Browser> {
    let browsers = (0..16).map(|_| {
        let mut browser = pending(world, email);
        browser.get(path);
        browser
    });
    browsers.collect()
}

#[test]
fn a_backup_code_works_once_however_many_use_it_at_the_same_moment() {
    let (world, _, mara) = with_mara();
    let path = "/sign-in/backup-code";
    assert_eq!(all_at_once(many(&world, &mara.email, path), path, &mara.codes[0]), 1);
    assert_eq!(world.entries_of(Action::MfaBackupCodeUsed).len(), 1);
    world.later(policy::LONGEST_DELAY);
    // The same pending session in sixteen tabs.
    let mut tab = pending(&world, &mara.email);
    tab.get(path);
    assert_eq!(all_at_once(vec![tab; 16], path, &mara.codes[1]), 1);
    world.later(policy::LONGEST_DELAY);
    for code in &mara.codes[..2] {
        assert_eq!(pending(&world, &mara.email).backup_code(code).status, 401, "used is used");
    }
    assert_eq!(
        world.count("SELECT count(*) FROM codes c JOIN code_sets s ON s.id = c.set_id WHERE used_at IS NOT NULL"),
        2
    );
}

#[test]
fn a_code_from_the_app_works_once_however_many_use_it_at_the_same_moment() {
    let (world, _, mara) = with_mara();
    let path = "/sign-in/code";
    let code = mara.phone.code(world.now());
    assert_eq!(all_at_once(many(&world, &mara.email, path), path, &code), 1);
    world.later(policy::LONGEST_DELAY);
    let mut tab = pending(&world, &mara.email);
    tab.get(path);
    assert_eq!(all_at_once(vec![tab; 16], path, &mara.phone.code(world.now())), 1);
}

#[test]
fn a_step_is_accepted_once_ever_across_enrolment_sign_in_and_step_up() {
    let (world, mut ada, _) = World::with_owner();
    let link = world.invite(&mut ada, "mara@fernhill.example", "Mara", "member");
    let mut browser = world.accept(&link);
    let enrolled_at = world.now();
    let (phone, _) = world.enrol(&mut browser);
    let email = "mara@fernhill.example";
    // Still within the tolerance of one step: only its having been used stands against it.
    assert_eq!(pending(&world, email).code(&phone.code(enrolled_at)).status, 401, "enrolment's step at sign-in");

    let mut second = pending(&world, email);
    let signed_in_with = phone.code(world.now());
    assert_eq!(second.code(&signed_in_with).status, 303);
    world.later(policy::STEP_UP + Duration::from_secs(1));
    let mut step_up = |code: &str| {
        second.get("/profile/backup-codes");
        second.post("/profile/backup-codes", &[("step_up_code", code)]).status
    };
    assert_eq!(step_up(&phone.code(earlier(world.now(), 20 * 60))), 422, "sign-in's step long after");
    let stepped_up_with = phone.code(world.now());
    assert_eq!(step_up(&stepped_up_with), 200);
    assert_eq!(pending(&world, email).code(&stepped_up_with).status, 401, "step-up's step at sign-in");
}

fn earlier(t: Timestamp, seconds: u64) -> Timestamp {
    t.minus(Duration::from_secs(seconds))
}

#[test]
fn the_step_of_a_sign_in_is_refused_at_a_step_up() {
    let (world, _, mara) = with_mara();
    let mut old = mara.browser.clone();
    world.later(policy::STEP_UP);
    let code = mara.phone.code(world.now());
    assert_eq!(pending(&world, &mara.email).code(&code).status, 303);
    let page = old.get("/profile/backup-codes");
    assert!(page.body.contains("step_up_code"));
    assert_eq!(old.post("/profile/backup-codes", &[("step_up_code", &code)]).status, 422);
    assert!(old.page.says("This code is not right"));
}

#[test]
fn an_earlier_step_is_refused_after_a_later_one() {
    let (world, _, mara) = with_mara();
    let step = Duration::from_secs(30);
    world.later(Duration::from_secs(300));
    let ahead = mara.phone.code(world.now().plus(step));
    assert_eq!(pending(&world, &mara.email).code(&ahead).status, 303, "one step ahead is tolerated");
    assert_eq!(pending(&world, &mara.email).code(&mara.phone.code(world.now())).status, 401);
    world.later(step);
    assert_eq!(pending(&world, &mara.email).code(&ahead).status, 401);
    world.later(step);
    assert_eq!(pending(&world, &mara.email).code(&mara.phone.code(world.now())).status, 303);
}

#[test]
fn one_step_of_drift_is_tolerated_and_two_are_not() {
    let (world, _, mara) = with_mara();
    world.later(Duration::from_secs(300));
    for (drift, status) in [(-60_i64, 401), (60, 401), (-30, 303)] {
        let shown = Timestamp::from_micros(world.now().as_micros() + drift * 1_000_000);
        assert_eq!(pending(&world, &mara.email).code(&mara.phone.code(shown)).status, status, "{drift}");
    }
}

#[test]
fn a_code_of_someone_else_is_wrong() {
    let (world, mut ada, mara) = with_mara();
    let jonas = world.person(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let mut browser = pending(&world, &mara.email);
    assert_eq!(browser.backup_code(&jonas.codes[0]).status, 401);
    assert_eq!(browser.code(&jonas.phone.code(world.now())).status, 401);
    assert_eq!(pending(&world, &jonas.email).backup_code(&jonas.codes[0]).status, 303, "and was not used up");
}

#[test]
fn a_backup_code_may_be_typed_as_people_type_and_counts_as_a_step_up() {
    let (world, _, mara) = with_mara();
    let mut browser = pending(&world, &mara.email);
    let typed = format!("  {} ", mara.codes[0].to_lowercase().replace('-', " "));
    assert_eq!(browser.backup_code(&typed).location(), "/profile");
    let page = browser.get("/profile");
    assert!(page.says("9"), "{}", page.text());
    browser.get("/profile");
    assert_eq!(browser.post("/profile/factors", &[]).location(), "/profile/factors/new", "without being asked again");
}

#[test]
fn the_trail_says_a_backup_code_where_no_app_was_used() {
    let (world, _, mara) = with_mara();
    pending(&world, &mara.email).backup_code(&mara.codes[0]);
    let entry = world.entries_of(Action::UserSignedIn).pop().unwrap();
    assert_eq!(body(&entry).fact("methods"), "pwd backup-code");
    assert_eq!(world.count("SELECT count(*) FROM sessions WHERE methods = 'pwd backup-code'"), 1);
    pending(&world, &mara.email).code(&mara.phone.code(world.now()));
    let entry = world.entries_of(Action::UserSignedIn).pop().unwrap();
    assert_eq!(body(&entry).fact("methods"), "pwd otp");
}

#[test]
fn a_person_is_warned_when_two_codes_are_left() {
    let (world, _, mara) = with_mara();
    let mut browser = world.browser();
    for (used, code) in (1..).zip(&mara.codes[..8]) {
        browser = pending(&world, &mara.email);
        assert_eq!(browser.backup_code(code).status, 303);
        let warned = browser.get("/profile").says("Only 2 backup codes left.");
        assert_eq!(warned, used == 8, "{used} used");
    }
    assert!(browser.page.says("2 of 10 left"), "{}", browser.page.text());
}

#[test]
fn issued_codes_expire_work_once_and_a_later_batch_voids_the_earlier() {
    let (world, mut ada, mara) = with_mara();
    let path = format!("/admin/users/{}/mfa/backup-codes", mara.id);
    let mut issue = || {
        ada.get(&path);
        let page = ada.post(&path, &crate::runbook::FOUNDED);
        assert_eq!(page.status, 200, "{}", page.text());
        page.codes()
    };
    let (first, second) = (issue(), issue());
    assert_eq!((first.len(), second.len()), (3, 3));
    assert!(second.iter().all(|c| !world.stores(c) && !world.stores(c.replace('-', ""))));
    assert_eq!(pending(&world, &mara.email).backup_code(&first[0]).status, 401, "voided");
    assert_eq!(pending(&world, &mara.email).backup_code(&second[0]).status, 303);
    assert_eq!(pending(&world, &mara.email).backup_code(&second[0]).status, 401, "used");
    assert_eq!(pending(&world, &mara.email).backup_code(&mara.codes[0]).status, 303, "their own go on working");
    world.later(Policy::default().lasting(Key::IssuedCodes));
    assert_eq!(pending(&world, &mara.email).backup_code(&second[1]).status, 401, "expired");
}

#[test]
fn what_is_no_code_at_all_is_said_to_be_none_and_costs_no_try() {
    let (world, _, mara) = with_mara();
    let mut browser = pending(&world, &mara.email);
    for _ in 0..3 {
        for junk in ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", &"9".repeat(10_000)] {
            assert_eq!(browser.code(junk).status, 422, "{junk:?}");
            assert_eq!(browser.backup_code(junk).status, 422, "{junk:?}");
        }
    }
    assert_eq!(world.count("SELECT count(*) FROM failures"), 0);
    let spaced = mara.phone.code(world.now());
    assert_eq!(browser.code(&format!(" {} {}", &spaced[..3], &spaced[3..])).status, 303);
}

#[test]
fn of_two_apps_either_works_and_a_wrong_code_counts_against_both() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    browser.get("/profile");
    browser.post("/profile/factors", &[]);
    let page = browser.get("/profile/factors/new");
    let tablet = crate::world::Phone::scan(&page.body);
    let answer = browser.post("/profile/factors/new", &[("name", "Tablet"), ("code", &tablet.code(world.now()))]);
    assert_eq!(answer.location(), "/profile", "{}", answer.text());
    assert_eq!(pending(&world, &mara.email).code(&tablet.code(world.now())).status, 401, "enrolment used that step");
    world.later(Duration::from_secs(60));
    assert_eq!(pending(&world, &mara.email).code(&tablet.code(world.now())).status, 303);
    assert_eq!(pending(&world, &mara.email).code(&mara.phone.code(world.now())).status, 303);
    for _ in 0..5 {
        let wrong = mara.phone.wrong_code(world.now());
        assert_ne!(wrong, tablet.code(world.now()));
        pending(&world, &mara.email).code(&wrong);
    }
    assert_eq!(pending(&world, &mara.email).code(&tablet.code(world.now())).status, 429);
}

//! Attacks around the edges of a recovery and of a session: holding it up, slipping in beside it, living on after it.

use std::time::Duration;

use idp::actions::authorise::By;
use idp::actions::grants::{Ask, Granted};
use idp::actions::recover::force_reset;
use idp::audit::Action;
use idp::policy;
use idp::recovery::{Evidence, Statement};

use crate::runbook::{owner_and_member, reset};
use crate::world::{PASSWORD, Phone, World, body, host};

fn by_host(id: &str) -> Ask {
    Ask { by: By::Host, user: id.parse().unwrap(), nonce: None, source: host() }
}

/// Wrong passwords for an address until they have to wait as long as there is.
fn lock(world: &World, email: &str) {
    for _ in 0..16 {
        let mut stranger = world.browser().from("203.0.113.9");
        stranger.password(email, "not the password");
        world.later(policy::LONGEST_DELAY);
    }
    let mut stranger = world.browser().from("203.0.113.9");
    stranger.password(email, "not the password");
    assert_eq!(stranger.password(email, "not the password").status, 429, "the address is locked");
}

#[test]
fn a_stranger_who_knows_the_address_can_not_hold_up_a_recovery() {
    let (world, _, mara) = owner_and_member();
    lock(&world, &mara.email);
    // The lock took hours, and the admin's session has run out meanwhile: the reset is asked for by the host.
    let evidence = Evidence::host(world.now());
    let statement = Statement { evidence: Some(evidence), reason: "lost her phone".parse().unwrap(), ticket: None };
    let ask = by_host(&mara.id);
    let Granted::Yes(reset) = force_reset(&world.app.means, ask, statement, true).unwrap() else { panic!("refused") };
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).location(), "/enrol", "strangers' delays are over");
    browser.get("/enrol");
    assert_eq!(browser.post("/enrol/pass", &[("pass", &reset.pass.unwrap().to_text())]).location(), "/enrol");
    // While the person enrols, strangers reach the lock once more.
    for _ in 0..16 {
        world.browser().from("203.0.113.9").password(&mara.email, "not the password");
        world.later(Duration::from_secs(60));
    }
    assert_eq!(browser.get("/enrol").status, 200, "a lock does not end an enrolment under way");
}

#[test]
fn a_temporary_password_or_issued_codes_open_no_enrolment_without_a_pass() {
    let (world, mut ada, _) = World::with_owner();
    let link = world.invite(&mut ada, "mara@fernhill.example", "Mara", "member");
    world.accept(&link);
    // Mara never enrols; the window of the invitation stands for 72 hours. Then she forgets her password.
    let id = world.user("mara@fernhill.example").id.to_string();
    let temporary = world.temporary_password(&mut ada, &id);
    let answer = world.browser().password("mara@fernhill.example", &temporary);
    assert_eq!(answer.status, 403, "who overheard it gets nothing: {}", answer.text());
    assert!(answer.says("An admin has to let you in"));
}

#[test]
fn a_temporary_password_does_not_outlive_a_disable() {
    let (world, mut ada, mara) = owner_and_member();
    let temporary = world.temporary_password(&mut ada, &mara.id);
    world.disable(&mut ada, &mara.id);
    let enable = format!("/admin/users/{}/enable", mara.id);
    ada.get(&enable);
    assert_eq!(ada.post(&enable, &[("reason", "a mistake")]).status, 303);
    assert_eq!(world.browser().password(&mara.email, &temporary).status, 401);
}

#[test]
fn the_statement_about_codes_is_asked_for_inside_the_transaction_too() {
    let (world, _, mara) = owner_and_member();
    let statement = Statement {
        evidence: Some(Evidence::host(world.now())),
        reason: "lost her phone".parse().unwrap(),
        ticket: None,
    };
    let ask = by_host(&mara.id);
    let refused = force_reset(&world.app.means, ask, statement, false).unwrap();
    assert!(matches!(refused, Granted::No(idp::grants::Rule::CodesNotAskedFor)), "{refused:?}");
    let entry = world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
    assert_eq!((entry.header.outcome.as_str(), body(&entry).fact("rule").as_str()), ("denied", "codes_not_asked_for"));
}

#[test]
fn a_secret_that_someone_prepared_on_a_borrowed_screen_is_not_the_one_that_is_enrolled() {
    let (world, _, mara) = owner_and_member();
    let mut browser = mara.browser;
    browser.get("/profile");
    browser.post("/profile/factors", &[]);
    let planted = Phone::scan(&browser.get("/profile/factors/new").body);
    browser.get("/profile");
    browser.post("/profile/factors", &[]);
    let shown = Phone::scan(&browser.get("/profile/factors/new").body);
    assert_ne!(planted.seed(), shown.seed());
    assert_eq!(browser.post("/profile/factors/new", &[("code", &planted.code(world.now()))]).status, 422);
}

#[test]
fn a_step_up_gives_a_new_cookie_and_the_old_one_is_dead() {
    let (world, _, mara) = owner_and_member();
    let mut browser = mara.browser;
    world.later(policy::STEP_UP + Duration::from_secs(31));
    browser.get("/profile/backup-codes");
    let mut thief = browser.clone();
    let page = browser.post("/profile/backup-codes", &[("step_up_code", &mara.phone.code(world.now()))]);
    assert_eq!(page.codes().len(), 10, "{}", page.text());
    assert_ne!(browser.cookies["idp-session"], thief.cookies["idp-session"]);
    assert!(!thief.is_signed_in(), "a copy of the cookie from before does not share the confirmation");
    assert!(browser.is_signed_in());
    // The page that was shown under the new cookie carries its CSRF value.
    assert_eq!(browser.post("/profile/backup-codes/stored", &[("stored", "on")]).status, 303);
}

#[test]
fn a_new_sign_in_ends_the_session_that_the_browser_had() {
    let (world, _, mara) = owner_and_member();
    let mut browser = mara.browser;
    let mut copy = browser.clone();
    world.later(policy::IDLE + Duration::from_secs(60));
    browser.get("/sign-in");
    assert_eq!(browser.post("/sign-in", &[("email", &mara.email), ("password", PASSWORD)]).location(), "/sign-in/code");
    assert_eq!(copy.get("/sign-in/resume").location(), "/sign-in", "the old cookie resumes nothing");
}

#[test]
fn a_clock_that_was_ahead_lengthens_no_session_and_no_confirmation() {
    let (world, _, phone) = World::with_owner();
    world.later(Duration::from_secs(10 * 3600));
    let mut browser = world.browser();
    browser.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    assert!(browser.is_signed_in());
    let ahead = world.now();
    world.clock.set(ahead.minus(Duration::from_secs(9 * 3600)));
    assert!(!browser.is_signed_in(), "a session from the future is over");
}

#[test]
fn entries_of_a_case_carry_it_also_when_they_tell_of_a_failure() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    browser.get("/enrol");
    assert_eq!(browser.post("/enrol/pass", &[("pass", "0000-0000-0000")]).status, 401);
    let failed = world.entries_of(Action::MfaChallengeFailed).pop().unwrap();
    assert_eq!(failed.header.case.as_deref(), Some("R-2026-0001"));
}

//! What lets somebody in, and for how long: passes, windows, issued codes, temporary passwords.

use idp::audit::Action;
use idp::policy::Key;

use super::{ADA, HOUR, MINUTE, SECOND, waits, with_others};
use crate::policy::{DAY, set, sign_in};
use crate::runbook::{FOUNDED, act, owner_and_member, reset, rows};
use crate::world::{Browser, Member, PASSWORD, Phone, World};

/// Switches the pass off, as takes a day.
fn without_pass(world: &World, ada: &mut Browser, phone: &Phone) {
    set(ada, Key::EnrolmentPass, 0);
    world.later(DAY);
    sign_in(world, ada, ADA, phone);
}

#[test]
fn where_no_pass_is_asked_for_none_is_shown_and_the_password_leads_to_the_enrolment_page() {
    let (world, mut ada, phone, members) = with_others("member", &["Mara"]);
    let mara = &members[0];
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    assert!(ada.get(&path).says("You get a pass to read to Mara"));
    without_pass(&world, &mut ada, &phone);
    let page = ada.get(&path);
    assert!(page.says("With the password alone, Mara sets up a new factor within 24 hours."), "{}", page.text());
    let page = ada.post(&path, &FOUNDED);
    assert!(page.status == 200 && page.says("Mara can set up a new factor now"), "{}", page.text());
    assert!(!page.body.contains("class=\"secret\"") && page.says("(24 hours)"), "{}", page.text());
    assert!(world.entries_of(Action::MfaEnrolmentPassIssued).is_empty());
    world.later(DAY - MINUTE);
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).location(), "/enrol");
    assert!(!browser.get("/enrol").says("Enter the pass"));
    let (phone, _) = world.enrol(&mut browser);
    assert!(browser.is_signed_in());
    assert_eq!(world.entries_of(Action::RecoveryCompleted).len(), 1);
    sign_in(&world, &mut world.browser(), &mara.email, &phone);
}

#[test]
fn an_issued_code_shuts_the_way_that_needs_no_pass() {
    let (world, mut ada, phone, members) = with_others("member", &["Mara"]);
    let mara = &members[0];
    without_pass(&world, &mut ada, &phone);
    assert_eq!(act(&mut ada, &mara.id, "/mfa/reset", &FOUNDED).status, 200);
    let codes = act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED).codes();
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).location(), "/sign-in/code");
    assert_eq!(browser.get("/enrol").location(), "/sign-in/code", "the password alone is not enough any more");
    for (path, field) in [("/enrol", "code"), ("/enrol/pass", "pass")] {
        assert_ne!(browser.post(path, &[(field, "123456789abc")]).status, 200);
    }
    assert_eq!(rows(&world, "factors", &mara.id), 0);
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    assert_eq!(browser.backup_code(&codes[0]).location(), "/profile", "{}", browser.page.text());
}

#[test]
fn where_no_pass_is_asked_for_a_temporary_password_and_a_reset_need_two_whoever_gave_the_first() {
    let (world, mut ada, phone, mut admins) = with_others("admin", &["Kim", "Lou"]);
    let members = ["mara", "noor"].map(|name| {
        let email = format!("{name}@fernhill.example");
        world.person(&mut ada, &email, name, "member").id
    });
    let [mara, noor] = &members;
    // With a pass, two who each give one half hold no account between them.
    let kim = &mut admins[0];
    sign_in(&world, &mut kim.browser, &kim.email, &kim.phone);
    reset(&mut ada, mara);
    assert!(!waits(&act(&mut kim.browser, mara, "/password", &FOUNDED)));

    without_pass(&world, &mut ada, &phone);
    let kim = &mut admins[0];
    sign_in(&world, &mut kim.browser, &kim.email, &kim.phone);
    assert!(!waits(&act(&mut ada, noor, "/mfa/reset", &FOUNDED)));
    let form = kim.browser.get(&format!("/admin/users/{noor}/password"));
    assert!(form.says("This alone would let somebody in: somebody else has to approve"), "{}", form.text());
    assert!(waits(&act(&mut kim.browser, noor, "/password", &FOUNDED)), "the password alone would let in");
    let lou = &mut admins[1];
    sign_in(&world, &mut lou.browser, &lou.email, &lou.phone);
    let quinn = world.person(&mut ada, "quinn@fernhill.example", "Quinn", "member").id;
    assert!(!waits(&act(&mut lou.browser, &quinn, "/password", &FOUNDED)));
    assert!(waits(&act(&mut ada, &quinn, "/mfa/reset", &FOUNDED)), "who knows the password would come in");
    assert_eq!((rows(&world, "factors", &quinn), rows(&world, "factors", noor)), (1, 0));
}

#[test]
fn the_window_with_a_pass_is_open_for_as_long_as_policy_says() {
    let (world, mut ada, mara) = owner_and_member();
    set(&mut ada, Key::WindowWithPass, 10);
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    assert!(ada.get(&path).says("sets up a new factor within 10 minutes"), "{}", ada.page.text());
    let page = ada.post(&path, &FOUNDED);
    assert!(page.says("(10 minutes)"), "{}", page.text());
    let pass = page.secret();
    world.later(10 * MINUTE - SECOND);
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    assert!(browser.get("/enrol").says("Enter the pass"));
    world.later(SECOND);
    assert_ne!(browser.post("/enrol/pass", &[("pass", &pass)]).status, 303);
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 403);
}

#[test]
fn the_window_without_a_pass_is_open_for_as_long_as_policy_says() {
    let (world, mut ada, phone, members) = with_others("member", &["Mara", "Noor"]);
    without_pass(&world, &mut ada, &phone);
    assert_eq!(act(&mut ada, &members[0].id, "/mfa/reset", &FOUNDED).status, 200);
    set(&mut ada, Key::WindowWithoutPass, 2);
    assert_eq!(act(&mut ada, &members[1].id, "/mfa/reset", &FOUNDED).status, 200);
    world.later(2 * HOUR);
    let knock = |member: &Member| world.browser().password(&member.email, PASSWORD).status;
    assert_eq!((knock(&members[0]), knock(&members[1])), (303, 403), "what was open before keeps its time");
    world.later(22 * HOUR);
    assert_eq!(knock(&members[0]), 403);
}

#[test]
fn issued_codes_work_for_as_long_as_policy_says() {
    let (world, mut ada, _, members) = with_others("member", &["Mara"]);
    let mara = &members[0];
    set(&mut ada, Key::IssuedCodes, 1);
    let path = format!("/admin/users/{}/mfa/backup-codes", mara.id);
    assert!(ada.get(&path).says("They work for 24 hours"), "{}", ada.page.text());
    let codes = ada.post(&path, &FOUNDED).codes();
    let knock = |code: &str| {
        let mut browser = world.browser();
        browser.password(&mara.email, PASSWORD);
        browser.backup_code(code).status
    };
    world.later(DAY - MINUTE);
    assert_eq!(knock(&codes[0]), 303);
    world.later(MINUTE);
    assert_eq!(knock(&codes[1]), 401);
}

#[test]
fn a_temporary_password_works_for_as_long_as_policy_says() {
    let (world, mut ada, _, members) = with_others("member", &["Mara", "Noor"]);
    set(&mut ada, Key::TemporaryPassword, 1);
    let path = format!("/admin/users/{}/password", members[0].id);
    assert!(ada.get(&path).says("It works for 60 minutes"), "{}", ada.page.text());
    let [early, late] = [0, 1].map(|n| world.temporary_password(&mut ada, &members[n].id));
    world.later(HOUR - SECOND);
    assert_eq!(world.browser().password(&members[0].email, &early).status, 303);
    world.later(SECOND);
    assert_eq!(world.browser().password(&members[1].email, &late).status, 401);
}

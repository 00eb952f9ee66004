//! Makes every write fail once and finds neither state nor entry; then the same form, sent again, works.

mod batch;
pub mod ordeal;
mod room;

use std::time::Duration;

use idp::actions::administer::change_role;
use idp::actions::authorise::By;
use idp::actions::first_run::setup_link;
use idp::actions::grants::Ask;
use idp::actions::recover::break_glass;
use idp::recovery::{Evidence, Statement};
use idp::users::Role;

use self::ordeal::Pace::{EachStep, Every};
use self::ordeal::{dump, ended, every_write_fails_once, fill_the_disk, form, settle, unchanged, verifies};
use crate::runbook::FOUNDED;
use crate::world::{Browser, Member, PASSWORD, Phone, World, host};

const OTHER: &str = "pewter lantern eighty two";

#[test]
fn a_sign_in_is_whole_with_its_entry_or_not_there() {
    let (world, mut ada, phone) = World::with_owner();
    let mut browser = world.browser();
    let email = ("email", "ada@fernhill.example");
    browser.get("/sign-in");
    let wrong = [email, ("password", "not her password")];
    let page = form(&world, &mut browser, Every(13), "/sign-in", &wrong, &["user.sign_in_failed failure"]);
    assert_eq!(page.status, 401);
    browser.get("/sign-in");
    let right = [email, ("password", PASSWORD)];
    let page = form(&world, &mut browser, Every(17), "/sign-in", &right, &["user.password_verified success"]);
    assert_eq!(page.location(), "/sign-in/code");
    browser.get("/sign-in/code");
    world.later(Duration::from_secs(30));
    let wrong = [("code", &*phone.wrong_code(world.now()))];
    let page = form(&world, &mut browser, EachStep, "/sign-in/code", &wrong, &["mfa.challenge_failed failure"]);
    assert_eq!(page.status, 401);
    let code = [("code", &*phone.code(world.now()))];
    let page = form(&world, &mut browser, EachStep, "/sign-in/code", &code, &["user.signed_in success"]);
    assert_eq!(page.status, 303);
    browser.get("/profile");
    form(&world, &mut browser, EachStep, "/sign-out", &[], &["user.signed_out success"]);
    assert!(!browser.is_signed_in());

    world.later(Duration::from_secs(2 * 3_600));
    ada.get("/sign-in/resume");
    let right = [("password", PASSWORD)];
    form(&world, &mut ada, Every(13), "/sign-in/resume", &right, &["user.step_up success"]);
    assert!(ada.is_signed_in());
}

#[test]
fn a_backup_code_is_used_up_with_its_entry_or_still_good() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    browser.get("/sign-in/backup-code");
    let code = [("code", &*mara.codes[3])];
    let story = ["mfa.backup_code_used success", "user.signed_in success"];
    assert_eq!(form(&world, &mut browser, Every(19), "/sign-in/backup-code", &code, &story).status, 303);
    let mut again = world.browser();
    again.password(&mara.email, PASSWORD);
    assert_eq!(again.backup_code(&mara.codes[3]).status, 401);
}

#[test]
fn the_first_owner_is_there_with_their_entry_or_the_link_still_works() {
    let world = World::new();
    let token = every_write_fails_once(&world, EachStep, || ended(setup_link(&world.app.means, host())));
    let mut browser = world.browser();
    let path = format!("/setup/{}", token.expect("a new provider has no owner").to_text());
    browser.get(&path);
    let fields = [("email", "ada@fernhill.example"), ("name", "Ada Brandt"), ("password", PASSWORD)];
    let story = ["user.created success", "user.password_changed success"];
    assert_eq!(form(&world, &mut browser, Every(19), &path, &fields, &story).location(), "/enrol");
    confirm_enrolment(&world, &mut browser, &[]);
}

/// Confirms the secret on the enrolment page; `before` is what the trail says between the factor and its codes.
fn confirm_enrolment(world: &World, browser: &mut Browser, between: &[&str]) {
    let phone = Phone::scan(&browser.get("/enrol").body);
    let mut story = vec!["mfa.factor_enrolled success"];
    story.extend(between);
    story.extend(["mfa.backup_codes_generated success", "user.signed_in success"]);
    let code = [("code", &*phone.code(world.now()))];
    let page = form(world, browser, Every(97), "/enrol", &code, &story);
    assert_eq!(page.codes().len(), 10);
    assert!(browser.is_signed_in());
}

#[test]
fn a_lost_phone_is_recovered_step_by_step_with_every_entry_or_not_at_all() {
    let (world, mut ada, _) = World::with_owner();
    let mut mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    let reset = format!("/admin/users/{}/mfa/reset", mara.id);
    ada.get(&reset);
    let story = [
        "recovery.case_opened success",
        "recovery.identity_verified success",
        "mfa.factor_admin_reset success",
        "mfa.enrolment_pass_issued success",
    ];
    let pass = form(&world, &mut ada, EachStep, &reset, &FOUNDED, &story).secret();
    assert!(!mara.browser.is_signed_in());
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).location(), "/enrol");
    browser.get("/enrol");
    let wrong = [("pass", "AAAA-AAAA-AAAA")];
    let page = form(&world, &mut browser, EachStep, "/enrol/pass", &wrong, &["mfa.challenge_failed failure"]);
    assert_eq!(page.status, 401);
    form(&world, &mut browser, EachStep, "/enrol/pass", &[("pass", &*pass)], &["user.step_up success"]);
    confirm_enrolment(&world, &mut browser, &["recovery.completed success"]);
}

#[test]
fn what_a_person_changes_on_the_profile_is_whole_with_its_entry_or_not_there() {
    let (world, mut ada, _) = World::with_owner();
    ada.get("/profile");
    ada.post("/profile/factors", &[]);
    let phone = Phone::scan(&ada.get("/profile/factors/new").body);
    let code = phone.code(world.now());
    let fields = [("name", "Tablet"), ("code", &*code)];
    form(&world, &mut ada, EachStep, "/profile/factors/new", &fields, &["mfa.factor_enrolled success"]);
    let page = ada.get("/profile").body;
    let at = page.rfind("/profile/factors/").expect("the second factor can be removed");
    let path: String = page[at..].chars().take_while(|c| *c != '"').collect();
    assert_eq!(ada.get(&path).status, 200, "{path}");
    form(&world, &mut ada, EachStep, &path, &[], &["mfa.factor_removed success"]);
    ada.get("/profile/backup-codes");
    let story = ["mfa.backup_codes_generated success"];
    assert_eq!(form(&world, &mut ada, Every(97), "/profile/backup-codes", &[], &story).codes().len(), 10);
    ada.get("/profile/password");
    let fields = [("current_password", PASSWORD), ("new_password", OTHER)];
    form(&world, &mut ada, Every(23), "/profile/password", &fields, &["user.password_changed success"]);
    assert!(ada.is_signed_in());
}

/// An owner, and a member whose pages the owner acts on.
fn two() -> (World, Browser, Member) {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    (world, ada, mara)
}

#[test]
fn what_an_admin_does_to_a_person_is_whole_with_its_entry_or_not_there() {
    let (world, mut ada, mara) = two();
    let on = |what: &str| format!("/admin/users/{}/{what}", mara.id);
    let mut act = |what: &str, pace, fields: &[(&str, &str)], story: &[&str]| {
        assert_eq!(ada.get(&on(what)).status, 200);
        form(&world, &mut ada, pace, &on(what), fields, story)
    };
    act("notes", EachStep, &[("text", "asked about her badge")], &["user.note_added success"]);
    let story = [
        "recovery.case_opened success",
        "recovery.identity_verified success",
        "mfa.backup_codes_issued_by_admin success",
    ];
    assert_eq!(act("mfa/backup-codes", Every(43), &FOUNDED[..3], &story).codes().len(), 3);
    let reason = [("reason", "on leave until May")];
    act("disable", EachStep, &reason, &["user.disabled success", "recovery.expired success"]);
    act("enable", EachStep, &reason, &["user.enabled success"]);
    act("name", EachStep, &[("name", "Mara Berg")], &["user.updated success"]);
    act("password/change", EachStep, &reason, &["user.password_reset_required success"]);
    act("sessions/end", EachStep, &reason, &["user.session_revoked success"]);
    let address = [("email", "mara.berg@fernhill.example"), ("evidence", "in_person"), ("reason", "was married")];
    act("email", EachStep, &address, &["user.email_changed success"]);
    act("role", EachStep, &[("role", "admin"), ("reason", "a new task")], &["user.role_changed success"]);
    let gone = [("confirmed", "on"), ("reason", "has another job")];
    act("leave", EachStep, &gone, &["user.left success", "mfa.factor_admin_reset success"]);
}

#[test]
fn a_temporary_password_and_the_forced_change_are_whole_with_their_entries_or_not_there() {
    let (world, mut ada, mara) = two();
    let path = format!("/admin/users/{}/password", mara.id);
    ada.get(&path);
    let story =
        ["recovery.case_opened success", "recovery.identity_verified success", "user.password_set_by_admin success"];
    let temporary = form(&world, &mut ada, Every(29), &path, &FOUNDED[..3], &story).secret();
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(&world, &mara.email, &temporary, &mara.phone).location(), "/sign-in/password");
    browser.get("/sign-in/password");
    let story = ["user.password_changed success", "user.signed_in success", "recovery.completed success"];
    form(&world, &mut browser, Every(31), "/sign-in/password", &[("new_password", OTHER)], &story);
    assert!(browser.is_signed_in());
}

#[test]
fn a_new_person_and_their_link_are_there_with_their_entries_or_not() {
    let (world, mut ada, _) = World::with_owner();
    ada.get("/admin/users/new");
    let fields = [("email", "joe@fernhill.example"), ("name", "Joe Field"), ("role", "member")];
    let story = ["user.created success", "user.invited success"];
    assert_eq!(form(&world, &mut ada, EachStep, "/admin/users/new", &fields, &story).status, 200);
    let path = format!("/admin/users/{}/invitation", world.user("joe@fernhill.example").id);
    ada.get(&path);
    let page = form(&world, &mut ada, EachStep, &path, &FOUNDED[..3], &["user.invited success"]);
    let at = page.body.find("/invitation/").expect("the link is shown");
    let link: String = page.body[at..].chars().take_while(|c| *c != '<' && *c != '"').collect();
    let mut joe = world.browser();
    joe.get(&link);
    let story = ["user.password_changed success"];
    assert_eq!(form(&world, &mut joe, Every(19), &link, &[("password", PASSWORD)], &story).location(), "/enrol");
}

#[test]
fn an_export_begins_only_with_its_entry() {
    let (world, mut ada, _) = World::with_owner();
    ada.get("/admin/audit");
    let page =
        form(&world, &mut ada, EachStep, "/admin/audit/export", &[("format", "jsonl")], &["audit.exported success"]);
    assert!(page.body.lines().count() > 3, "{}", page.body);
}

#[test]
fn what_the_host_does_is_whole_with_its_entry_or_not_there() {
    let (world, _, mara) = two();
    let user = mara.id.parse().unwrap();
    let reason = || "she moves to the office".parse().unwrap();
    let ask = || Ask { by: By::Host, user, nonce: None, source: host() };
    every_write_fails_once(&world, EachStep, || ended(change_role(&world.app.means, ask(), Role::Owner, reason())));
    assert_eq!(world.user(&mara.email).role, Role::Owner);
    let statement = || Statement { evidence: Some(Evidence::host(world.now())), reason: reason(), ticket: None };
    every_write_fails_once(&world, EachStep, || ended(break_glass(&world.app.means, user, statement(), host())));
    assert_eq!(world.story_since(world.head() - 1), ["recovery.break_glass success"]);
}

#[test]
fn a_round_of_sweeping_that_fails_loses_no_count_and_closes_no_case_without_its_entry() {
    let (world, mut ada, mara) = two();
    let reset = format!("/admin/users/{}/mfa/reset", mara.id);
    ada.get(&reset);
    ada.post(&reset, &FOUNDED);
    let mut stranger = world.browser();
    stranger.password("nobody@fernhill.example", "a guess of mine");
    world.later(Duration::from_secs(2 * 3_600));
    let number = |sql: &str| -> i64 {
        rusqlite::Connection::open(world.database()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    for n in 0..10_000 {
        world.app.means.store.inject(idp::storage::faults::Fault::InterruptAfter(n));
        let done = idp::actions::sweep::sweep(&world.app.means, false);
        world.app.means.store.inject(idp::storage::faults::Fault::None);
        let counted = "SELECT (SELECT coalesce(sum(count), 0) FROM unknown_failures)
                            + (SELECT count(*) FROM audit WHERE body ->> '$.detail.count' = 1
                               AND action = 'user.sign_in_failed')";
        assert_eq!(number(counted), 1);
        let closed = number("SELECT count(*) FROM cases WHERE state = 'expired'");
        assert_eq!(closed, number("SELECT count(*) FROM audit WHERE action = 'recovery.expired'"));
        assert!(verifies(&world));
        if done.is_ok() {
            assert!(n > 4 && closed == 1);
            return;
        }
    }
    panic!("it never succeeds");
}

#[test]
fn a_full_disk_lets_people_read_and_everything_works_again_once_there_is_room() {
    let (world, mut ada, mara) = two();
    settle(&world, &ada);
    fill_the_disk(&world);
    let before = dump(&world);
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).status, 507);
    assert!(browser.page.says("The disk is full"));
    assert_eq!(ada.get("/admin/users").status, 200);
    assert_eq!(ada.get("/admin/audit").status, 200);
    unchanged(&world, &before, "a full disk");
    world.app.means.store.inject(idp::storage::faults::Fault::None);
    assert_eq!(browser.sign_in(&world, &mara.email, PASSWORD, &mara.phone).location(), "/profile");
}

//! Deciding about what somebody else asked for: who may, what they see, what an approval permits and for how long. What makes
//! it worthless is in `approvals/changed.rs`.

mod changed;
mod other_ends;

use std::time::Duration;

use idp::audit::Action;
use idp::policy::Key;

use crate::grants::last;
use crate::runbook::{act, rows};
use crate::second_person::{DAY, ON_RECORD, Office, RESET, ask, asked, office, set_policy, two_strong_signs};
use crate::world::{Answer, Browser, Member, PASSWORD, World, body};

/// Opens the page that decides and sends its form.
pub fn decide(approver: &mut Browser, case: &str, verb: &str, note: &str) -> Answer {
    let path = format!("/admin/recovery/{case}/{verb}");
    let page = approver.get(&path);
    assert_eq!(page.status, 200, "{}", page.text());
    send(approver, case, verb, note, &page)
}

/// Sends the form of a page that decides.
fn send(approver: &mut Browser, case: &str, verb: &str, note: &str, page: &Answer) -> Answer {
    let request = page.hidden("request").expect("the page has a form");
    approver.page = page.clone();
    approver.post(&format!("/admin/recovery/{case}/{verb}"), &[("request", &request), ("note", note)])
}

#[track_caller]
pub fn approve(approver: &mut Browser, case: &str) {
    let answer = decide(approver, case, "approve", "");
    assert_eq!((answer.status, answer.location()), (303, &*format!("/admin/recovery/{case}")), "{}", answer.text());
}

/// The form at `path` again, resting on what stands in the case.
pub fn carry_out(admin: &mut Browser, id: &str, path: &str) -> Answer {
    act(admin, id, path, &ON_RECORD)
}

/// The only request there is.
fn the_request(world: &World) -> String {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.query_row("SELECT id FROM case_requests ORDER BY asked_at DESC LIMIT 1", [], |row| row.get(0)).unwrap()
}

/// Tom has asked to reset Noor, another admin; an owner has to approve it.
fn tom_asks() -> (Office, Member, String) {
    let mut office = office();
    let noor = office.add("noor@fernhill.example", "Noor Haddad", "admin");
    let case = ask(&mut office.tom.browser, &noor.id, RESET);
    (office, noor, case)
}

#[test]
fn an_admin_resets_another_once_an_owner_has_approved_it_and_the_trail_tells_it_as_a_story() {
    let (mut office, noor, case) = tom_asks();
    let page = office.tom.browser.get(&format!("/admin/recovery/{case}"));
    assert!(page.says("It was asked for.") && page.says("Waiting for approval"), "{}", page.text());
    assert!(page.says("An owner has to approve it. Ada Brandt can do that."), "{}", page.text());
    assert!(!page.says("Carry it out") && !page.body.contains("/approve\""), "{}", page.text());
    assert_eq!(rows(&office.world, "factors", &noor.id), 1);

    let page = office.ada.get(&format!("/admin/recovery/{case}"));
    assert!(page.body.contains(&format!("/admin/recovery/{case}/approve")), "{}", page.text());
    let before = office.world.head();
    let answer = decide(&mut office.ada, &case, "approve", "I know her voice");
    assert!(office.ada.get(answer.location()).says("It is approved. Who asked can carry it out."));
    assert_eq!(rows(&office.world, "factors", &noor.id), 1, "an approval only permits");

    let page = office.tom.browser.get(&format!("/admin/recovery/{case}"));
    assert!(page.says("Tom Okafor can carry it out once") && page.says("I know her voice"), "{}", page.text());
    let form = format!("/admin/users/{}{RESET}", noor.id);
    assert!(page.body.contains(&format!("href=\"{form}\"")), "{}", page.body);
    let page = office.tom.browser.get(&form);
    assert!(page.says("Ada Brandt has approved this.") && page.says("Remove all factors"), "{}", page.text());
    assert!(page.body.contains("lost her phone on the train") && page.body.contains("#1234"), "{}", page.body);
    let done = carry_out(&mut office.tom.browser, &noor.id, RESET);
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!((done.secret().len(), rows(&office.world, "factors", &noor.id)), (14, 0));
    assert_eq!(
        office.world.story_since(before),
        ["recovery.approved success", "mfa.factor_admin_reset success", "mfa.enrolment_pass_issued success"]
    );
    let all = office.world.entries();
    assert!(all.iter().filter(|e| e.header.seq > before).all(|e| e.header.case.as_deref() == Some(&*case)));
}

#[test]
fn who_decides_sees_what_was_asked_by_whom_and_why_the_evidence_with_its_age_the_signs_and_what_will_happen() {
    let mut office = office();
    let mut mara = office.mara;
    two_strong_signs(&office.world, &mut mara);
    let case = asked(&act(
        &mut office.tom.browser,
        &mara.id,
        RESET,
        &[
            ("evidence", "manager_ticket"),
            ("voucher", "Jonas Berg, HR"),
            ("evidence_note", "he sits beside her"),
            ("ticket", "HR-77"),
            ("reason", "lost her phone on the train"),
            ("codes_unavailable", "on"),
        ],
    ));
    office.world.later(Duration::from_secs(10 * 60));
    // A weak sign since: it is shown beside what was there when it was asked for.
    office.world.browser().from("198.51.100.7").password(&mara.email, "not the password");
    let page = office.ada.get(&format!("/admin/recovery/{case}/approve"));
    for says in [
        "Approve what Tom Okafor asks for",
        "remove all factors and give a pass",
        "Mara Lindqvist , member mara@fernhill.example",
        "Tom Okafor , 10 minutes ago",
        "When 10 minutes ago , by Tom Okafor",
        "lost her phone on the train",
        "HR-77",
        "Ticket by the manager or HR",
        "Jonas Berg, HR",
        "he sits beside her",
        "Password and contact details 1 change within 7 days",
        "Sign-ins from new devices 1 sign-in within 7 days",
        "Wrong passwords 1 in 24 hours, from 1 address look at this When it was asked for: none in 24 hours",
        "By your approval nothing is done yet: Tom Okafor can carry it out within 24 hours",
        "1 factor and 10 remaining backup codes will stop working",
        "Tom Okafor says that Mara Lindqvist does not have these codes",
    ] {
        assert!(page.says(says), "{says}: {}", page.text());
    }
    approve(&mut office.ada, &case);
    assert_eq!(carry_out(&mut office.tom.browser, &mara.id, RESET).status, 200);
}

#[test]
fn who_asked_does_not_approve_and_the_try_is_on_record_with_the_case() {
    let (mut office, _, case) = tom_asks();
    let page = office.tom.browser.get(&format!("/admin/recovery/{case}/approve"));
    assert!(page.says("Somebody else approves what you ask for") && page.hidden("request").is_none());
    let request = the_request(&office.world);
    for verb in ["approve", "deny"] {
        office.tom.browser.get("/admin/users/new");
        let sent = [("request", &*request), ("note", "it is urgent")];
        let answer = office.tom.browser.post(&format!("/admin/recovery/{case}/{verb}"), &sent);
        assert!(answer.status == 403 && answer.says("Somebody else approves what you ask for"), "{}", answer.text());
    }
    for action in [Action::RecoveryApproved, Action::RecoveryApprovalDenied] {
        assert_eq!(last(&office.world, action), "denied asked_yourself");
        let entry = office.world.entries_of(action).pop().unwrap();
        assert_eq!((entry.header.case.as_deref(), body(&entry).text("reason")), (Some(&*case), "it is urgent"));
    }
    assert!(office.tom.browser.get(&format!("/admin/recovery/{case}")).says("Waiting for approval"));
}

#[test]
fn neither_the_person_themself_nor_an_admin_where_an_owner_is_needed_decides() {
    let (mut office, mut noor, case) = tom_asks();
    let mut kim = office.add("kim@fernhill.example", "Kim Dahl", "admin").browser;
    let request = the_request(&office.world);
    for (browser, rule, says) in [
        (&mut noor.browser, "yourself", "Nobody does this to their own account"),
        (&mut kim, "owners_only", "Only an owner"),
    ] {
        assert!(browser.get(&format!("/admin/recovery/{case}/approve")).says(says));
        assert!(!browser.get(&format!("/admin/recovery/{case}")).body.contains("/approve\""));
        browser.get("/admin/users/new");
        let answer = browser.post(&format!("/admin/recovery/{case}/approve"), &[("request", &request)]);
        assert!(answer.status == 403 && answer.says(says), "{}", answer.text());
        assert_eq!(last(&office.world, Action::RecoveryApproved), format!("denied {rule}"));
    }
    let mut mara = office.mara.browser;
    mara.get("/profile");
    assert_eq!(mara.post(&format!("/admin/recovery/{case}/approve"), &[("request", &request)]).status, 403);
    assert_eq!(office.world.count("SELECT count(*) FROM case_requests WHERE state = 'waiting'"), 1);
}

#[test]
fn what_an_owner_asks_about_an_admin_another_admin_may_approve() {
    let mut office = office();
    let noor = office.add("noor@fernhill.example", "Noor Haddad", "admin");
    let case = ask(&mut office.ada, &noor.id, RESET);
    assert!(
        office
            .ada
            .get(&format!("/admin/recovery/{case}"))
            .says("Another admin or an owner has to approve it. Tom Okafor can")
    );
    approve(&mut office.tom.browser, &case);
    assert_eq!(carry_out(&mut office.ada, &noor.id, RESET).status, 200);
}

#[test]
fn an_approval_is_for_who_asked_and_nobody_else() {
    let (mut office, noor, case) = tom_asks();
    let mut kim = office.add("kim@fernhill.example", "Kim Dahl", "admin").browser;
    approve(&mut office.ada, &case);
    let page = kim.get(&format!("/admin/recovery/{case}"));
    assert!(!page.says("Carry it out"), "{}", page.text());
    // Kim asks for herself: what Tom was permitted is over with that.
    let before = office.world.head();
    ask(&mut kim, &noor.id, RESET);
    assert!(office.world.story_since(before).contains(&"recovery.approval_lapsed success".to_owned()));
    assert_eq!(rows(&office.world, "factors", &noor.id), 1);
}

#[test]
fn an_approval_is_for_exactly_what_was_asked() {
    let (mut office, noor, case) = tom_asks();
    approve(&mut office.ada, &case);
    // Another grant about the same person has to be asked for; so has the same about somebody else.
    assert_eq!(ask(&mut office.tom.browser, &noor.id, "/password"), case);
    assert_eq!(office.world.count("SELECT count(*) FROM case_requests WHERE state = 'lapsed'"), 1);
    assert_eq!(office.world.entries_of(Action::UserPasswordSetByAdmin).len(), 0);
    let kim = office.add("kim@fernhill.example", "Kim Dahl", "admin");
    approve(&mut office.ada, &case);
    let other = ask(&mut office.tom.browser, &kim.id, "/password");
    assert_ne!(other, case);
    assert_eq!(rows(&office.world, "factors", &kim.id), 1);
    // The approval in the first case is as it was.
    assert_eq!(carry_out(&mut office.tom.browser, &noor.id, "/password").status, 200);
}

#[test]
fn an_approval_of_another_address_is_for_that_address() {
    let mut office = office();
    let noor = office.add("noor@fernhill.example", "Noor Haddad", "admin");
    let path = format!("/admin/users/{}/email", noor.id);
    let new = |email| [("email", email), ("evidence", "in_person"), ("reason", "was married")];
    office.tom.browser.get(&path);
    let case = asked(&office.tom.browser.post(&path, &new("noor.lind@fernhill.example")));
    let page = office.ada.get(&format!("/admin/recovery/{case}/approve"));
    assert!(page.says("change the sign-in address to noor.lind@fernhill.example"), "{}", page.text());
    approve(&mut office.ada, &case);
    let page = office.tom.browser.get(&path);
    assert!(page.body.contains("value=\"noor.lind@fernhill.example\""), "the form is filled in: {}", page.text());

    asked(&office.tom.browser.post(&path, &new("evil@fernhill.example")));
    assert_eq!(office.world.user("noor@fernhill.example").id.to_string(), noor.id, "it was not changed");
    approve(&mut office.ada, &case);
    office.tom.browser.get(&path);
    let answer = office.tom.browser.post(&path, &new("evil@fernhill.example"));
    assert_eq!(answer.location(), format!("/admin/users/{}", noor.id), "{}", answer.text());
    assert_eq!(office.world.user("evil@fernhill.example").id.to_string(), noor.id);
}

#[test]
fn an_approval_is_used_once() {
    let (mut office, noor, case) = tom_asks();
    approve(&mut office.ada, &case);
    assert_eq!(carry_out(&mut office.tom.browser, &noor.id, RESET).status, 200);
    ask(&mut office.tom.browser, &noor.id, RESET);
    assert_eq!(office.world.entries_of(Action::MfaFactorAdminReset).len(), 1);
    assert_eq!(office.world.count("SELECT count(*) FROM case_requests WHERE state = 'used'"), 1);
}

#[test]
fn an_approval_is_good_for_a_day_although_its_evidence_is_older_than_an_hour() {
    for (late, done) in [(false, true), (true, false)] {
        let (mut office, noor, case) = tom_asks();
        approve(&mut office.ada, &case);
        let world = &office.world;
        world.later(DAY - if late { Duration::ZERO } else { Duration::from_secs(60) });
        let mut tom = world.browser();
        tom.sign_in(world, &office.tom.email, PASSWORD, &office.tom.phone);
        let answer = carry_out(&mut tom, &noor.id, RESET);
        assert_eq!((answer.status == 200, rows(world, "factors", &noor.id) == 0), (done, done), "{}", answer.text());
        if late {
            // The evidence is said again, and it is asked for anew.
            assert!(answer.status == 403 && answer.says("Verify it again"), "{}", answer.text());
            world.sweep();
            let lapsed = world.entries_of(Action::RecoveryApprovalLapsed).pop().unwrap();
            assert_eq!(body(&lapsed).fact("why"), "approved and not carried out in time");
        }
    }
}

#[test]
fn a_case_does_not_expire_before_what_was_approved_in_it_can_be_carried_out() {
    let (mut office, noor, case) = tom_asks();
    set_policy(&office.world, Key::CaseIdle, 4);
    approve(&mut office.ada, &case);
    office.world.later(Duration::from_secs(20 * 3_600));
    office.world.sweep();
    let mut tom = office.world.browser();
    tom.sign_in(&office.world, &office.tom.email, PASSWORD, &office.tom.phone);
    assert_eq!(carry_out(&mut tom, &noor.id, RESET).status, 200);
}

#[test]
fn deciding_asks_who_it_is_after_a_quarter_of_an_hour_and_keeps_the_note() {
    let (world, mut ada, phone) = World::with_owner();
    let mut tom = world.person(&mut ada, "tom@fernhill.example", "Tom Okafor", "admin").browser;
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin");
    let case = ask(&mut tom, &noor.id, RESET);
    world.later(Duration::from_secs(16 * 60));
    let answer = decide(&mut ada, &case, "approve", "I know her voice");
    assert!(answer.status == 422 && answer.says("One more step"), "{}", answer.text());
    assert!(answer.body.contains("I know her voice"), "{}", answer.text());
    assert_eq!(world.count("SELECT count(*) FROM case_requests WHERE state = 'waiting'"), 1);
    let (request, code) = (answer.hidden("request").unwrap(), phone.code(world.now()));
    let sent = [("request", &*request), ("note", "I know her voice"), ("step_up_code", &code)];
    assert_eq!(ada.post(&format!("/admin/recovery/{case}/approve"), &sent).status, 303, "{}", ada.page.text());
    assert_eq!(body(&world.entries_of(Action::RecoveryApproved).pop().unwrap()).fact("note"), "I know her voice");
}

#[test]
fn a_second_click_decides_nothing_more_and_says_what_the_first_did() {
    let (mut office, _, case) = tom_asks();
    let page = office.ada.get(&format!("/admin/recovery/{case}/approve"));
    assert_eq!(send(&mut office.ada, &case, "approve", "", &page).status, 303);
    let head = office.world.head();
    let again = send(&mut office.ada, &case, "approve", "", &page);
    assert!(again.status == 409 && again.says("What Tom Okafor asked for was approved"), "{}", again.text());
    assert!(!again.says("What was shown then"), "nothing was shown: {}", again.text());
    assert_eq!(office.world.head(), head);
}

//! Where nobody could approve, an hour stands in, in which the person can object: nothing deadlocks, and nothing is hidden.

use std::time::Duration;

use idp::audit::Action;
use idp::policy::Key;

use crate::approvals::{approve, carry_out, decide};
use crate::grants::last;
use crate::runbook::rows;
use crate::second_person::{DAY, RESET, ask, newest_request, set_policy};
use crate::world::{Browser, Member, PASSWORD, Phone, World, body};

const MINUTE: Duration = Duration::from_secs(60);

/// Ada, the only owner, has asked to reset Noor, the only admin.
fn alone() -> (World, Browser, Phone, Member, String) {
    let (world, mut ada, phone) = World::with_owner();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin");
    let case = ask(&mut ada, &noor.id, RESET);
    assert_eq!(newest_request(&world).1, "time");
    (world, ada, phone, noor, case)
}

/// Ada after some time, confirmed again.
fn later(world: &World, phone: &Phone, d: Duration) -> Browser {
    world.later(d);
    let mut ada = world.browser();
    ada.sign_in(world, "ada@fernhill.example", PASSWORD, phone);
    ada
}

#[test]
fn whoever_is_alone_is_told_beforehand_and_on_the_case_what_stands_in_and_what_to_do() {
    let (world, mut ada, _) = World::with_owner();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin");
    let page = ada.get(&format!("/admin/users/{}{RESET}", noor.id));
    let says =
        "Nobody else can approve this: it can be carried out 60 minutes after you ask, unless Noor Haddad objects.";
    assert!(page.says(says) && page.says("Ask for approval"), "{}", page.text());
    let case = ask(&mut ada, &noor.id, RESET);
    let page = ada.get(&format!("/admin/recovery/{case}"));
    for says in [
        "Nobody else could approve it when it was asked for, so time stands in",
        "Ada Brandt can carry it out from 10:0",
        "in 1 hour",
        "Until then Noor Haddad can object, with the link in the notice about it.",
        &format!("idp recovery approve {case} --reason"),
    ] {
        assert!(page.says(says), "{says}: {}", page.text());
    }
    assert!(!page.says("Carry it out"), "{}", page.text());
    let told = format!("SELECT count(*) FROM notices WHERE kind = 'grant_asked' AND user_id = '{}'", noor.id);
    assert_eq!(world.count(&told), 1);
    let sent = "SELECT count(*) FROM outbox o JOIN notices n ON n.id = o.notice_id
                WHERE n.kind = 'grant_asked' AND o.may_object AND o.address = 'noor@fernhill.example'";
    assert_eq!(world.count(sent), 1);
}

#[test]
fn before_the_hour_is_over_nothing_is_done_and_afterwards_it_is_done_once() {
    let (world, ada, phone, noor, case) = alone();
    drop(ada);
    let mut ada = later(&world, &phone, 58 * MINUTE);
    let page = ada.get(&format!("/admin/users/{}{RESET}", noor.id));
    assert!(
        page.says("You asked for this 58 minutes ago") && page.says("asking again begins that time anew"),
        "{}",
        page.text()
    );
    assert_eq!(rows(&world, "factors", &noor.id), 1);

    let mut ada = later(&world, &phone, MINUTE);
    let page = ada.get(&format!("/admin/recovery/{case}"));
    assert!(page.says("Its time has passed without an objection.") && page.says("Carry it out"), "{}", page.text());
    let page = ada.get(&format!("/admin/users/{}{RESET}", noor.id));
    assert!(page.says("Its time has passed without an objection. You can carry it out once"), "{}", page.text());
    let before = world.head();
    assert_eq!(carry_out(&mut ada, &noor.id, RESET).status, 200);
    assert_eq!(
        world.story_since(before),
        ["recovery.approved success", "mfa.factor_admin_reset success", "mfa.enrolment_pass_issued success"]
    );
    let approved = world.entries_of(Action::RecoveryApproved).pop().unwrap();
    assert_eq!((approved.header.actor_kind.as_str(), approved.header.case.as_deref()), ("system", Some(&*case)));
    ask(&mut ada, &noor.id, RESET);
    assert_eq!(world.entries_of(Action::MfaFactorAdminReset).len(), 1);
}

#[test]
fn who_sends_the_form_too_early_asks_again_and_the_hour_begins_anew() {
    let (world, _, phone, noor, case) = alone();
    let mut ada = later(&world, &phone, 50 * MINUTE);
    let again = carry_out(&mut ada, &noor.id, RESET);
    assert_eq!(again.location(), format!("/admin/recovery/{case}"), "{}", again.text());
    let lapsed = world.entries_of(Action::RecoveryApprovalLapsed).pop().unwrap();
    assert_eq!(body(&lapsed).fact("why"), "it was asked for again");
    let mut ada = later(&world, &phone, 30 * MINUTE);
    assert!(!ada.get(&format!("/admin/recovery/{case}")).says("Carry it out"));
    assert_eq!(rows(&world, "factors", &noor.id), 1);
}

#[test]
fn what_time_has_permitted_is_good_for_a_day_and_policy_says_how_long_it_takes() {
    let (world, mut ada, phone) = World::with_owner();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin");
    set_policy(&world, Key::CoolingOff, 15);
    let case = ask(&mut ada, &noor.id, RESET);
    let mut ada = later(&world, &phone, 15 * MINUTE);
    assert!(ada.get(&format!("/admin/recovery/{case}")).says("Carry it out"));
    world.sweep();
    let mut ada = later(&world, &phone, DAY);
    world.sweep();
    assert!(!ada.get(&format!("/admin/recovery/{case}")).says("Carry it out"));
    let lapsed = world.entries_of(Action::RecoveryApprovalLapsed).pop().unwrap();
    assert_eq!(body(&lapsed).fact("why"), "not decided in time");
    assert_eq!(rows(&world, "factors", &noor.id), 1);
}

#[test]
fn a_strong_sign_while_the_hour_runs_ends_it() {
    let (world, _, phone, mut noor, _) = alone();
    world.later(MINUTE);
    noor.browser.get("/profile/contacts");
    noor.browser.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 555 01 42")]);
    let mut ada = later(&world, &phone, 60 * MINUTE);
    let answer = carry_out(&mut ada, &noor.id, RESET);
    assert!(answer.status == 403 && answer.says("Something has changed since"), "{}", answer.text());
    assert_eq!(last(&world, Action::MfaFactorAdminReset), "denied changed_since_asked");
}

#[test]
fn an_admin_who_came_since_may_approve_or_deny_and_is_not_waited_for() {
    for verb in ["approve", "deny", "neither"] {
        let (world, mut ada, phone, noor, case) = alone();
        let mut tom = world.person(&mut ada, "tom@fernhill.example", "Tom Okafor", "admin").browser;
        if verb == "neither" {
            let mut ada = later(&world, &phone, 60 * MINUTE);
            assert!(ada.get(&format!("/admin/recovery/{case}")).says("Carry it out"));
            assert_eq!(carry_out(&mut ada, &noor.id, RESET).status, 200);
            continue;
        }
        assert!(tom.get(&format!("/admin/recovery/{case}")).says("Tom Okafor can do that."));
        assert_eq!(decide(&mut tom, &case, verb, "spoke with her").status, 303);
        let answer = carry_out(&mut ada, &noor.id, RESET);
        assert_eq!(answer.status == 200, verb == "approve", "{}", answer.text());
    }
}

#[test]
fn an_admin_does_not_shorten_the_hour_of_an_owner() {
    let (world, mut ada, _) = World::with_owner();
    let bo = world.person(&mut ada, "bo@fernhill.example", "Bo Lind", "owner");
    let mut tom = world.person(&mut ada, "tom@fernhill.example", "Tom Okafor", "admin").browser;
    let case = ask(&mut ada, &bo.id, RESET);
    assert_eq!(newest_request(&world).1, "time");
    let page = tom.get(&format!("/admin/recovery/{case}/approve"));
    assert!(page.hidden("request").is_none() && page.says("Only an owner may do this for an owner"), "{}", page.text());
}

#[test]
fn where_the_only_one_who_could_approve_has_gone_the_page_says_what_to_do() {
    let (world, mut ada, _) = World::with_owner();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin");
    let tom = world.person(&mut ada, "tom@fernhill.example", "Tom Okafor", "admin");
    let case = ask(&mut ada, &noor.id, RESET);
    assert_eq!(newest_request(&world).1, "admin");
    world.disable(&mut ada, &tom.id);
    let page = ada.get(&format!("/admin/recovery/{case}"));
    assert!(page.says("But nobody is here any more who could. Ada Brandt can ask again"), "{}", page.text());
    ask(&mut ada, &noor.id, RESET);
    assert_eq!(newest_request(&world).1, "time");
    // A new colleague can still be asked.
    let mut kim = world.person(&mut ada, "kim@fernhill.example", "Kim Dahl", "admin").browser;
    approve(&mut kim, &case);
    assert_eq!(carry_out(&mut ada, &noor.id, RESET).status, 200);
}

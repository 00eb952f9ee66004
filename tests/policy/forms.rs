//! The forms of the policy: who may not, bad values, late and second clicks.

use std::time::Duration;

use idp::actions::authorise::By;
use idp::actions::grants::Ask;
use idp::audit::Action;
use idp::policy::Key;
use idp::users::Role;

use super::{now, send, set, story, two_owners};
use crate::world::{World, body, host};

#[test]
fn an_admin_reads_it_and_changes_nothing_and_an_auditor_sees_the_entries_alone() {
    let (world, mut ada, _) = World::with_owner();
    let mut tom = world.person(&mut ada, "tom@fernhill.example", "Tom", "admin");
    let mut otto = world.person(&mut ada, "otto@fernhill.example", "Otto", "auditor");
    set(&mut ada, Key::EvidenceAge, 120);
    let page = tom.browser.get("/admin/policy");
    assert!(page.status == 200 && page.says("Only an owner changes it.") && page.says("120 minutes from 2026-11-25"));
    assert!(!page.body.contains("/admin/policy/evidence_minutes"), "nothing that would be refused is offered");
    let reason = ("reason", "it is in my way");
    for (path, fields, of) in [
        ("/admin/policy/known_number_days", &[("value", "30"), reason][..], ("known_number_days", "30")),
        ("/admin/policy/evidence_minutes/take-back", &[reason], ("evidence_minutes", "")),
    ] {
        let page = tom.browser.get(path);
        assert!(page.status == 403 && page.says("Only an owner may do this."), "{}", page.text());
        assert_eq!(tom.browser.post(path, &[("reason", "x")]).status, 403);
        tom.browser.get("/admin/users/new");
        let page = tom.browser.post(path, fields);
        assert!(page.status == 403 && page.says("Only an owner may do this."), "{}", page.text());
        let entry = world.entries_of(Action::PolicyUpdated).pop().unwrap();
        assert_eq!((entry.header.outcome.as_str(), body(&entry).fact("rule").as_str()), ("denied", "owners_only"));
        assert_eq!(entry.header.actor_id.as_deref(), Some(&*tom.id));
        assert_eq!(body(&entry).text("reason"), "it is in my way");
        assert_eq!((body(&entry).fact("key").as_str(), body(&entry).fact("to").as_str()), of);

        assert_eq!(otto.browser.get(path).status, 403);
        otto.browser.get("/profile");
        assert_eq!(otto.browser.post(path, fields).status, 403);
        assert_eq!(world.entries().last().unwrap().header.action, "user.access_refused");
    }
    assert_eq!(otto.browser.get("/admin/policy").status, 403);
    assert!(!otto.browser.get("/admin/audit").body.contains("href=\"/admin/policy\""));
    assert_eq!((now(&world, Key::KnownNumber), world.count("SELECT count(*) FROM policy_settings")), (7, 1));
}

#[test]
fn who_may_not_is_refused_whatever_the_form_says_and_the_trail_names_the_setting() {
    let (world, mut ada, _) = World::with_owner();
    let mut tom = world.person(&mut ada, "tom@fernhill.example", "Tom", "admin");
    let take_back = "/admin/policy/evidence_minutes/take-back";
    for (path, fields, key) in [
        ("/admin/policy/known_number_days", &[("value", "many"), ("reason", "in my way")][..], "known_number_days"),
        ("/admin/policy/second_person", &[("value", "0"), ("reason", "")], "second_person"),
        (take_back, &[("reason", "")], "evidence_minutes"),
    ] {
        let before = world.head();
        tom.browser.get("/admin/users/new");
        let page = tom.browser.post(path, fields);
        assert!(page.status == 403 && page.says("Only an owner may do this."), "{}", page.text());
        assert_eq!(world.story_since(before), ["policy.updated denied"]);
        let entry = world.entries_of(Action::PolicyUpdated).pop().unwrap();
        let facts = ["rule", "key", "to"].map(|name| body(&entry).fact(name));
        assert_eq!(facts, ["owners_only", key, ""]);
    }
    let page = ada.get("/admin/audit?action=policy.updated&outcome=denied");
    let said = "Refused: another policy for “A second person approves” (owners only)";
    assert!(page.says(said), "{}", page.text());
    assert_eq!(world.count("SELECT count(*) FROM policy_settings"), 0);
}

#[test]
fn what_is_no_number_or_out_of_range_changes_nothing_and_is_still_there_to_be_mended() {
    let (world, mut ada, _) = World::with_owner();
    let before = world.head();
    for value in ["", "4", "241", "-1", "6e1", "sixty", "60.5", "99999999999999999999", "<b>60</b>"] {
        let page = send(&mut ada, Key::EvidenceAge, value, "decided on Monday");
        assert_eq!(page.status, 422, "{value}");
        assert!(page.says("Write a whole number of minutes, from 5 to 240."), "{}", page.text());
        let typed = value.replace('<', "&lt;").replace('>', "&gt;");
        assert!(value.is_empty() || page.body.contains(&format!("value=\"{typed}\"")), "{value}");
        assert!(page.says("decided on Monday"));
    }
    for (key, value) in [(Key::EnrolmentPass, ""), (Key::EnrolmentPass, "2"), (Key::SecondPersonRule, "always")] {
        let page = send(&mut ada, key, value, "decided on Monday");
        assert!(page.status == 422 && page.says("Choose one of them."), "{}", page.text());
    }
    for reason in ["", "x", &"x".repeat(501)] {
        let page = send(&mut ada, Key::EvidenceAge, "30", reason);
        assert!(page.status == 422 && page.says("reason") && page.body.contains("value=\"30\""), "{}", page.text());
    }
    assert_eq!((world.head(), now(&world, Key::EvidenceAge)), (before, 60));
}

#[test]
fn after_a_quarter_of_an_hour_it_asks_again_who_it_is_and_keeps_what_was_typed() {
    let (world, mut ada, phone) = World::with_owner();
    set(&mut ada, Key::EvidenceAge, 120);
    for (path, value) in [("/admin/policy/known_number_days", "30"), ("/admin/policy/evidence_minutes/take-back", "")] {
        ada.get(path);
        world.later(Duration::from_secs(901));
        let before = world.head();
        let mut fields = vec![("reason", "decided on Monday")];
        fields.extend(Some(("value", value)).filter(|(_, value)| !value.is_empty()));
        let page = ada.post(path, &fields);
        assert_eq!(page.status, 422);
        assert!(page.body.contains("step_up_code") && page.says("decided on Monday"), "{}", page.text());
        assert!(value.is_empty() || page.body.contains(&format!("value=\"{value}\"")), "{}", page.text());
        assert_eq!(world.head(), before);
        let code = phone.code(world.now());
        fields.push(("step_up_code", &code));
        assert_eq!(ada.post(path, &fields).status, 303, "{}", ada.page.text());
    }
    assert_eq!((now(&world, Key::KnownNumber), story(&world).len()), (30, 3));
}

#[test]
fn the_second_click_says_what_the_first_did_and_does_nothing() {
    let (world, mut ada, _) = World::with_owner();
    let change = "/admin/policy/evidence_minutes";
    let back = "/admin/policy/evidence_minutes/take-back";
    let both: &[(&str, &str)] = &[("value", "120"), ("reason", "decided on Monday")];
    for (path, fields, says) in [
        (change, both, "“Evidence is fresh for” was set to: 120 minutes."),
        (back, &both[1..], "What was to change about “Evidence is fresh for” was taken back."),
    ] {
        ada.get(path);
        let form = ada.page.clone();
        assert_eq!(ada.post(path, fields).status, 303);
        let head = world.head();
        ada.page = form;
        let page = ada.post(path, fields);
        assert!(page.status == 409 && page.says("This was done already") && page.says(says), "{}", page.text());
        assert!(page.body.contains("href=\"/admin/policy\"") && world.head() == head);
    }
    assert_eq!(world.count("SELECT count(*) FROM policy_settings"), 1);
}

#[test]
fn an_owner_who_is_demoted_between_opening_the_form_and_sending_it_changes_nothing() {
    let (world, _, _, mut noor) = two_owners();
    noor.browser.get("/admin/policy/evidence_minutes");
    let ask = Ask { by: By::Host, user: noor.id.parse().unwrap(), nonce: None, source: host() };
    idp::actions::administer::change_role(&world.app.means, ask, Role::Admin, "moved on".parse().unwrap()).unwrap();
    let fields = [("value", "30"), ("reason", "decided on Monday")];
    assert_eq!(noor.browser.post("/admin/policy/evidence_minutes", &fields).status, 401);
    assert_eq!(now(&world, Key::EvidenceAge), 60);
}

//! How the real person comes back after an attack.

use std::time::Duration;

use idp::audit::Action;
use idp::policy::Key;

use super::{ATTACK, BACK, attacked, of_case};
use crate::approvals::{approve, carry_out};
use crate::grants::last;
use crate::objections::{Firm, link, object, send, state};
use crate::runbook::{FOUNDED, act, reset, rows};
use crate::second_person::set_policy;
use crate::world::{PASSWORD, Phone, World, body};

#[test]
fn the_real_person_comes_back_through_a_new_case_by_the_screens_alone() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    reset(&mut ada, &mara.id);
    object(&world, &link(&world, &mara.id, "factors_reset"));
    send(&mut ada, "/admin/recovery/R-2026-0001/incident", &ATTACK);
    // No other way in is offered, and none works.
    let person = format!("/admin/users/{}", mara.id);
    let page = ada.get(&person);
    assert!(page.body.contains(&format!("{person}/readmit\"")) && !page.body.contains(&format!("{person}/enable\"")));
    let enable = ada.get(&format!("{person}/enable"));
    assert_eq!((enable.status, enable.location()), (303, format!("{person}/readmit").as_str()));
    ada.get("/admin/users/new");
    assert_eq!(ada.post(&format!("{person}/enable"), &[("reason", "is back")]).status, 403);
    assert_eq!(last(&world, Action::UserEnabled), "denied held");
    assert_eq!(act(&mut ada, &mara.id, "/mfa/reset", &FOUNDED).status, 403);

    let page = ada.get(&format!("{person}/readmit"));
    assert!(page.says("A new case is opened") && page.says("whoever calls may be the attacker"), "{}", page.text());
    assert_eq!(
        ada.post(&format!("{person}/readmit"), &[("reason", "she came by")]).status,
        422,
        "evidence is asked for"
    );
    let before = world.head();
    let page = ada.post(&format!("{person}/readmit"), &BACK);
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.says("Read this to Mara Lindqvist now") && page.says("R-2026-0002"), "{}", page.text());
    let secrets: Vec<String> = page
        .body
        .split("class=\"secret\"")
        .skip(1)
        .map(|rest| rest.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned())
        .collect();
    let [password, pass] = &secrets[..] else { panic!("{secrets:?}") };
    assert_eq!(
        world.story_since(before),
        [
            "recovery.case_opened success",
            "recovery.identity_verified success",
            "mfa.factor_admin_reset success",
            "mfa.enrolment_pass_issued success",
            "user.password_set_by_admin success",
            "user.enabled success",
        ]
    );
    assert_eq!(of_case(&world, "R-2026-0002").len(), 6, "each carries the new case");
    assert_eq!(
        (state(&world, "R-2026-0001").as_str(), state(&world, "R-2026-0002").as_str()),
        ("incident", "awaiting_enrolment")
    );

    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 401, "the old password stays dead");
    let mut back = world.browser();
    assert_eq!(back.password(&mara.email, password).location(), "/enrol");
    back.get("/enrol");
    assert_eq!(back.post("/enrol/pass", &[("pass", pass)]).location(), "/enrol");
    let phone = Phone::scan(&back.get("/enrol").body);
    assert_eq!(back.post("/enrol", &[("code", &phone.code(world.now()))]).codes().len(), 10);
    assert_eq!(back.post("/enrol/stored", &[("stored", "on")]).location(), "/sign-in/password");
    back.get("/sign-in/password");
    let chosen = back.post("/sign-in/password", &[("new_password", "velvet lantern forty-two")]);
    assert_eq!(chosen.status, 303, "{}", chosen.text());
    assert!(back.is_signed_in());
    assert_eq!(state(&world, "R-2026-0002"), "recovered");
    let page = ada.get(&person);
    assert!(!page.says("This account was closed because of an attack"), "{}", page.text());
    // The form that was sent once does nothing the second time, and the account is no longer one to be let back in.
    assert_eq!(send(&mut ada, &format!("{person}/readmit"), &BACK).status, 403);
    assert!(ada.get("/admin/recovery/R-2026-0001").body.contains("/admin/recovery/R-2026-0001/report\""));
}

#[test]
fn password_and_factor_from_one_hand_wait_for_a_second_person_where_there_is_one() {
    let (Firm { world, mut ada, mut bo, mut tom, mara }, ..) = attacked();
    send(&mut bo.browser, "/admin/recovery/R-2026-0001/incident", &ATTACK);
    for (browser, case) in [(&mut bo.browser, "R-2026-0002"), (&mut tom.browser, "R-2026-0002")] {
        let page = send(browser, &format!("/admin/users/{}/readmit", mara.id), &BACK);
        assert_eq!(
            (page.status, page.location()),
            (303, format!("/admin/recovery/{case}").as_str()),
            "{}",
            page.text()
        );
        assert_eq!(state(&world, case), "awaiting_approval");
    }
    let asked = world.entries_of(Action::RecoveryApprovalRequested);
    assert_eq!(asked.iter().map(|e| body(e).fact("grant")).collect::<Vec<_>>(), ["readmit", "readmit"]);
    assert!(
        bo.browser.get("/admin/recovery/R-2026-0002").says("let the person back in, with a new password and a pass")
    );
    assert_eq!((world.user(&mara.email).status.as_str(), rows(&world, "enrolment_windows", &mara.id)), ("disabled", 0));

    // Who decides is told what it would do; who asked carries it out.
    let page = ada.get("/admin/recovery/R-2026-0002/approve");
    assert!(page.says("The account was closed because of an attack. It will be in use again"), "{}", page.text());
    approve(&mut ada, "R-2026-0002");
    let asker = &mut tom.browser;
    assert!(asker.get("/admin/recovery/R-2026-0002").body.contains(&format!("/admin/users/{}/readmit\"", mara.id)));
    let page = carry_out(asker, &mara.id, "/readmit");
    assert!(page.status == 200 && page.says("Read this to Mara Lindqvist now"), "{}", page.text());
    assert_eq!(world.user(&mara.email).status.as_str(), "active");
}

#[test]
fn while_an_hour_stands_in_for_a_second_person_the_person_can_object_to_being_let_back_in_too() {
    let (world, mut ada, phone) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    reset(&mut ada, &mara.id);
    send(&mut ada, "/admin/recovery/R-2026-0001/incident", &ATTACK);
    set_policy(&world, Key::SecondPersonRule, 2);
    let readmit = format!("/admin/users/{}/readmit", mara.id);
    assert_eq!(send(&mut ada, &readmit, &BACK).location(), "/admin/recovery/R-2026-0002");
    assert!(object(&world, &link(&world, &mara.id, "grant_asked")).says("The owners are told"));
    assert_eq!(state(&world, "R-2026-0002"), "disavowed");
    assert_eq!(send(&mut ada, &readmit, &BACK).status, 403);
    assert_eq!(last(&world, Action::UserEnabled), "denied held");
    // That was an impostor again: a further incident, and a further case.
    assert_eq!(send(&mut ada, "/admin/recovery/R-2026-0002/incident", &ATTACK).status, 303);
    assert_eq!(send(&mut ada, &readmit, &BACK).location(), "/admin/recovery/R-2026-0003");
    world.later(Duration::from_secs(1_800));
    ada.get("/admin");
    world.later(Duration::from_secs(1_801));
    world.sweep();
    ada.get(&readmit);
    let code = phone.code(world.now());
    let on_record = [("evidence", "on_record"), BACK[2], ("step_up_code", &code)];
    let page = ada.post(&readmit, &on_record);
    assert!(page.status == 200 && page.says("Read this to Mara now"), "{}", page.text());
    assert_eq!(
        (state(&world, "R-2026-0003").as_str(), world.user(&mara.email).status.as_str()),
        ("awaiting_enrolment", "active")
    );
}

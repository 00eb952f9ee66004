//! An objection about the last active owner, who keeps the account.

use std::time::Duration;

use idp::actions::grants::Granted;
use idp::audit::Action;
use idp::recovery::{Evidence, Statement};

use super::{Firm, firm, link, object, send, state};
use crate::runbook::rows;
use crate::world::{PASSWORD, Phone, World, body, host};

#[test]
fn the_last_active_owner_keeps_the_account_and_only_what_was_created_since_ends() {
    let (world, mut ada, phone) = World::with_owner();
    let id = world.user("ada@fernhill.example").id.to_string();
    world.later(Duration::from_secs(120));
    // An impostor signs in with what they stole, adds an app of their own and makes new codes.
    let mut impostor = world.browser();
    impostor.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    impostor.post("/profile/factors", &[]);
    impostor.get("/profile");
    impostor.post("/profile/factors", &[]);
    let page = impostor.get("/profile/factors/new");
    let theirs = Phone::scan(&page.body);
    world.later(Duration::from_secs(60));
    let added = impostor.post("/profile/factors/new", &[("name", "Other"), ("code", &theirs.code(world.now()))]);
    assert_eq!(added.location(), "/profile", "{}", added.text());
    let notice = link(&world, &id, "factor_enrolled");
    world.later(Duration::from_secs(60));
    let mut again = world.browser();
    again.sign_in(&world, "ada@fernhill.example", PASSWORD, &theirs);
    assert!(again.is_signed_in() && rows(&world, "factors", &id) == 2);

    let mut browser = world.browser();
    assert!(browser.get(&notice).says("so that the organisation keeps its last owner"), "{}", browser.page.text());
    assert!(browser.post(&notice, &[]).says("Everything that was there before still works"), "{}", browser.page.text());
    assert_eq!(world.user("ada@fernhill.example").status.as_str(), "active");
    assert!(ada.is_signed_in(), "the session from before goes on");
    assert!(!again.is_signed_in(), "the one that began since is over");
    assert_eq!(rows(&world, "factors", &id), 1);
    let removed = world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
    assert_eq!(
        (removed.header.case.as_deref(), body(&removed).fact("factors_removed").as_str()),
        (Some("R-2026-0001"), "1")
    );
    world.later(Duration::from_secs(30));
    assert_eq!(world.browser().password("ada@fernhill.example", PASSWORD).location(), "/sign-in/code");
    let mut back = world.browser();
    back.password("ada@fernhill.example", PASSWORD);
    assert_eq!(back.code(&theirs.code(world.now())).status, 401, "the impostor's app opens nothing");

    // Nobody else could decide on it, so the owner does; the account was never closed.
    assert!(ada.get("/admin/recovery/R-2026-0001").says("It is the last active owner"), "{}", ada.page.text());
    let mut ada = world.browser();
    ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    let page = send(&mut ada, "/admin/recovery/R-2026-0001/reassure", &[("reason", "looked at it")]);
    assert_eq!(page.status, 303, "{}", page.text());
    assert_eq!(state(&world, "R-2026-0001"), "reassured");
}

#[test]
fn of_two_owners_whose_links_are_pressed_one_after_the_other_one_keeps_the_account() {
    let Firm { world, mut ada, mut bo, .. } = firm();
    for browser in [&mut ada, &mut bo.browser] {
        browser.get("/profile/backup-codes");
        assert_eq!(browser.post("/profile/backup-codes", &[]).codes().len(), 10);
    }
    let ada_id = world.user("ada@fernhill.example").id.to_string();
    let links = [&ada_id, &bo.id].map(|id| link(&world, id, "codes_made"));
    for link in &links {
        assert_eq!(object(&world, link).status, 200);
    }
    assert_eq!(world.count("SELECT count(*) FROM users WHERE role = 'owner' AND status = 'active'"), 1);
    assert_eq!(world.user(&bo.email).status.as_str(), "active");
    assert!(bo.browser.is_signed_in());
    assert_eq!(rows(&world, "code_sets", &bo.id), 0, "the codes that were made since are void");
    assert_eq!(rows(&world, "code_sets", &ada_id), 1, "of the one who is frozen nothing is destroyed");
}

#[test]
fn the_last_owner_who_is_left_with_nothing_is_let_in_by_the_host_although_the_objection_stands() {
    let (world, _, _) = World::with_owner();
    let ada = world.user("ada@fernhill.example");
    let statement = || {
        let evidence = Some(Evidence::host(world.now()));
        Statement { evidence, reason: "lost her phone".parse().unwrap(), ticket: None }
    };
    let recover = || {
        let done = idp::actions::recover::break_glass(&world.app.means, ada.id, statement(), host()).unwrap();
        let Granted::Yes(reset) = done else { panic!("{done:?}") };
        reset.pass.unwrap().to_text()
    };
    let enter = |pass: &str| {
        let mut browser = world.browser();
        browser.password("ada@fernhill.example", PASSWORD);
        browser.get("/enrol");
        assert_eq!(browser.post("/enrol/pass", &[("pass", pass)]).location(), "/enrol");
        world.enrol(&mut browser);
        browser
    };
    let mut first = enter(&recover());
    let page = object(&world, &link(&world, &ada.id.to_string(), "factors_reset"));
    assert!(page.says("idp recover-owner"), "{}", page.text());
    assert!(!first.is_signed_in() && world.user("ada@fernhill.example").status.as_str() == "active");
    assert_eq!(rows(&world, "factors", &ada.id.to_string()), 0);
    let mut second = enter(&recover());
    assert!(second.is_signed_in());
    assert_eq!(
        (state(&world, "R-2026-0001").as_str(), state(&world, "R-2026-0002").as_str()),
        ("reassured", "recovered")
    );
}

#[test]
fn a_password_that_the_last_owner_did_not_choose_has_to_be_changed_and_the_session_that_chose_it_ends() {
    let (world, ada, phone) = World::with_owner();
    let id = world.user("ada@fernhill.example").id.to_string();
    let mut stolen = ada;
    stolen.get("/profile/password");
    let new = "velvet lantern forty-two";
    let changed = stolen.post("/profile/password", &[("current_password", PASSWORD), ("new_password", new)]);
    assert_eq!(changed.status, 303, "{}", changed.text());
    assert!(stolen.is_signed_in());
    object(&world, &link(&world, &id, "password_changed"));
    assert!(!stolen.is_signed_in());
    world.later(Duration::from_secs(30));
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(&world, "ada@fernhill.example", new, &phone).location(), "/sign-in/password");
}

//! Who lifts an objection, and on what.

use std::time::Duration;

use idp::actions::authorise::By;
use idp::actions::grants::{Ask, Granted};
use idp::audit::Action;

use super::{Firm, KNOWN, firm, kept, link, object, send, state};
use crate::grants::last;
use crate::runbook::{FOUNDED, act, reset, rows};
use crate::world::{PASSWORD, World, body, host};

#[test]
fn who_acted_in_the_case_lifts_the_objection_on_no_way() {
    let Firm { world, mut tom, mara, .. } = firm();
    reset(&mut tom.browser, &mara.id);
    object(&world, &link(&world, &mara.id, "factors_reset"));
    let reassure = "/admin/recovery/R-2026-0001/reassure";
    let page = tom.browser.get(reassure);
    assert!(page.status == 403 && page.says("You acted in this case"), "{}", page.text());
    let page = send(&mut tom.browser, reassure, &KNOWN);
    assert!(page.status == 403 && page.says("You acted in this case"), "{}", page.text());
    let denied = world.entries_of(Action::RecoveryReassured).pop().unwrap();
    assert_eq!((denied.header.outcome.as_str(), body(&denied).fact("rule").as_str()), ("denied", "acted_in_case"));
    assert_eq!((denied.header.case.as_deref(), body(&denied).text("reason")), (Some("R-2026-0001"), KNOWN[2].1));
    let enable = format!("/admin/users/{}/enable", mara.id);
    assert_eq!(send(&mut tom.browser, &enable, &[("reason", "she is fine")]).status, 403);
    assert_eq!(last(&world, Action::UserEnabled), "denied held");
    assert_eq!(world.user(&mara.email).status.as_str(), "disabled");
}

#[test]
fn whoever_has_given_anything_since_is_no_other_person_also_where_no_case_names_them() {
    let Firm { world, mut ada, mut bo, mara, .. } = firm();
    // A new address, which needs no case: then somebody objects, and a case is opened by nobody.
    let changed = act(
        &mut ada,
        &mara.id,
        "/email",
        &[("email", "m@fernhill.example"), ("evidence", "in_person"), ("reason", "was married")],
    );
    assert_eq!(changed.status, 303, "{}", changed.text());
    object(&world, &link(&world, &mara.id, "email_changed"));
    let opened = world.entries_of(Action::RecoveryCaseOpened).pop().unwrap();
    assert_eq!((opened.header.actor_kind.as_str(), opened.header.case.as_deref()), ("anonymous", Some("R-2026-0001")));
    assert!(ada.get("/admin/recovery/R-2026-0001").says("by the person, through a notice"));
    assert_eq!(send(&mut ada, "/admin/recovery/R-2026-0001/reassure", &KNOWN).status, 403);
    assert_eq!(last(&world, Action::RecoveryReassured), "denied acted_in_case");
    assert_eq!(send(&mut bo.browser, "/admin/recovery/R-2026-0001/reassure", &KNOWN).status, 303);
}

#[test]
fn somebody_else_lifts_it_with_fresh_evidence_and_everything_is_as_it_was() {
    let Firm { world, mut bo, mut tom, mara, .. } = firm();
    act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED);
    object(&world, &link(&world, &mara.id, "codes_issued"));
    let before = (world.head(), kept(&world, &mara.id));
    let path = "/admin/recovery/R-2026-0001/reassure";
    bo.browser.get(path);
    // What is on record is what was objected to, and does not count.
    for evidence in ["", "on_record", "chat"] {
        let page = bo.browser.post(path, &[("evidence", evidence), ("reason", "it was her own request")]);
        assert_eq!(page.status, 422, "{evidence}: {}", page.text());
        assert!(page.says("how you made sure who it is") && page.says("it was her own request"), "{}", page.text());
    }
    assert_eq!(bo.browser.post(path, &[("evidence", "in_person")]).status, 422, "a reason is asked for");
    let page = bo.browser.post(path, &KNOWN);
    assert_eq!((page.status, page.location()), (303, "/admin/recovery/R-2026-0001"), "{}", page.text());
    assert!(bo.browser.get(page.location()).says("The objection was lifted."));
    assert_eq!(state(&world, "R-2026-0001"), "reassured");
    assert_eq!(kept(&world, &mara.id), before.1);
    let story = world.story_since(before.0);
    let done = ["recovery.identity_verified success", "recovery.reassured success", "user.enabled success"];
    assert_eq!(story[story.len() - 3..], done, "{story:?}");
    let enabled = world.entries_of(Action::UserEnabled).pop().unwrap();
    assert_eq!((body(&enabled).text("reason"), enabled.header.case.as_deref()), (KNOWN[2].1, Some("R-2026-0001")));

    world.later(Duration::from_secs(30));
    assert_eq!(world.browser().sign_in(&world, &mara.email, PASSWORD, &mara.phone).location(), "/profile");
    let mut with_code = world.browser();
    with_code.password(&mara.email, PASSWORD);
    assert_eq!(with_code.backup_code(&mara.codes[3]).location(), "/profile");
    // The second click, and a second person, find it done.
    assert_eq!(send(&mut bo.browser, path, &KNOWN).status, 403);
    assert_eq!(last(&world, Action::RecoveryReassured), "denied not_now");
}

#[test]
fn evidence_from_before_the_objection_is_no_evidence_that_it_was_a_mistake() {
    let Firm { world, mut bo, mut tom, mara, .. } = firm();
    bo.browser.get("/admin/users/new");
    let old = bo.browser.page.clone();
    world.later(Duration::from_secs(60));
    reset(&mut tom.browser, &mara.id);
    object(&world, &link(&world, &mara.id, "factors_reset"));
    bo.browser.page = old;
    let page = bo.browser.post("/admin/recovery/R-2026-0001/reassure", &KNOWN);
    assert_eq!(page.status, 403, "{}", page.text());
    assert_eq!(last(&world, Action::RecoveryReassured), "denied evidence_stale");
    assert_eq!(
        bo.browser.post("/admin/recovery/R-2026-0001/reassure", &KNOWN).status,
        303,
        "the form that came back is new"
    );
}

#[test]
fn nobody_lifts_an_objection_who_may_not_act_on_the_person_and_nobody_one_that_is_not_there() {
    let Firm { world, mut ada, mut tom, mara, bo } = firm();
    let ann = world.person(&mut ada, "ann@fernhill.example", "Ann", "admin");
    let pass = reset(&mut ada, &mara.id);
    assert!(!pass.is_empty());
    // A case to which nobody objected.
    assert_eq!(send(&mut tom.browser, "/admin/recovery/R-2026-0001/reassure", &KNOWN).status, 409);
    assert_eq!(last(&world, Action::RecoveryReassured), "denied not_now");
    assert_eq!(send(&mut tom.browser, "/admin/recovery/R-2026-0077/reassure", &KNOWN).status, 404);
    // An admin's account is an owner's to open again.
    let mut anns = ann.browser.clone();
    anns.get("/profile/backup-codes");
    anns.post("/profile/backup-codes", &[]);
    object(&world, &link(&world, &ann.id, "codes_made"));
    let path = "/admin/recovery/R-2026-0002/reassure";
    assert_eq!(send(&mut tom.browser, path, &KNOWN).status, 403);
    assert_eq!(last(&world, Action::RecoveryReassured), "denied rank");
    for mut other in [mara.browser, ann.browser] {
        assert_ne!(other.get(path).status, 200);
    }
    assert_eq!(world.user("ann@fernhill.example").status.as_str(), "disabled");
    let mut bos = bo.browser;
    assert_eq!(send(&mut bos, path, &KNOWN).status, 303);
    assert_eq!(world.user("ann@fernhill.example").status.as_str(), "active");
}

#[test]
fn where_unusual_signs_need_an_owner_an_owner_lifts_the_objection() {
    let Firm { world, mut bo, mut tom, mut mara, mut ada } = firm();
    let ann = world.person(&mut ada, "ann@fernhill.example", "Ann", "admin");
    // A new device, and other contact details.
    let mut elsewhere = world.browser();
    elsewhere.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    mara.browser.get("/profile/contacts");
    mara.browser.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 123 45 67")]);
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    object(&world, &link(&world, &mara.id, "codes_issued"));
    let path = "/admin/recovery/R-2026-0001/reassure";
    for mut admin in [tom.browser.clone(), ann.browser] {
        assert_eq!(send(&mut admin, path, &KNOWN).status, 403);
        assert_eq!(last(&world, Action::RecoveryReassured), "denied owners_only");
    }
    assert!(tom.browser.get(path).says("Only an owner may do this"));
    assert_eq!(send(&mut bo.browser, path, &KNOWN).status, 303);
}

#[test]
fn where_nobody_else_may_the_host_enables_the_account() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    object(&world, &link(&world, &mara.id, "codes_issued"));
    let page = ada.get(&format!("/admin/users/{}", mara.id));
    assert!(page.says("Nobody else in the console can do it") && page.says("idp user enable"), "{}", page.text());
    let ask = Ask { by: By::Host, user: mara.id.parse().unwrap(), nonce: None, source: host() };
    let before = world.head();
    let done = idp::actions::administer::enable(&world.app.means, ask, "she came by".parse().unwrap()).unwrap();
    assert!(matches!(done, Granted::Yes(())), "{done:?}");
    assert_eq!(world.story_since(before), ["recovery.reassured success", "user.enabled success"]);
    assert_eq!((state(&world, "R-2026-0001").as_str(), rows(&world, "freezes", &mara.id)), ("reassured", 0));
    world.later(Duration::from_secs(30));
    assert_eq!(world.browser().sign_in(&world, &mara.email, PASSWORD, &mara.phone).location(), "/profile");
}

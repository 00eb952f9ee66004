//! What changes between asking, approving and carrying out, and what then becomes of it.

use std::time::Duration;

use idp::actions::administer::{change_role, disable};
use idp::actions::authorise::By;
use idp::actions::grants::{Ask, Granted};
use idp::audit::Action;
use idp::policy::Key;
use idp::users::Role;

use super::{approve, carry_out, send, the_request, tom_asks};
use crate::grants::last;
use crate::runbook::rows;
use crate::second_person::{ON_RECORD, RESET, ask, office, set_policy};
use crate::world::{PASSWORD, World, host};

/// As the host's command asks.
fn by_host(id: &str) -> Ask {
    Ask { by: By::Host, user: id.parse().unwrap(), nonce: None, source: host() }
}

fn give_role(world: &World, id: &str, role: Role) {
    let given = change_role(&world.app.means, by_host(id), role, "a new task".parse().unwrap()).unwrap();
    assert!(matches!(given, Granted::Yes(())), "{given:?}");
}

#[test]
fn a_strong_sign_between_approval_and_use_makes_it_worthless_and_a_weak_one_does_not() {
    for strong in [true, false] {
        let (mut office, mut noor, case) = tom_asks();
        approve(&mut office.ada, &case);
        office.world.later(Duration::from_secs(60));
        if strong {
            noor.browser.get("/profile/contacts");
            noor.browser.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 555 01 42")]);
            assert!(
                office.ada.get(&format!("/admin/recovery/{case}")).says("Something has changed since it was asked for")
            );
        } else {
            office.world.browser().from("198.51.100.7").password(&noor.email, "not the password");
        }
        let answer = carry_out(&mut office.tom.browser, &noor.id, RESET);
        if strong {
            assert!(answer.status == 403 && answer.says("Something has changed since"), "{}", answer.text());
            assert_eq!(last(&office.world, Action::MfaFactorAdminReset), "denied changed_since_asked");
            assert_eq!(office.world.count("SELECT count(*) FROM case_requests WHERE state = 'lapsed'"), 1);
            assert!(office.tom.browser.get(&format!("/admin/recovery/{case}")).says("identity verified"));
            assert_eq!(rows(&office.world, "factors", &noor.id), 1);
            // Asked again, it is asked for with the sign.
            ask(&mut office.tom.browser, &noor.id, RESET);
            approve(&mut office.ada, &case);
            assert_eq!(carry_out(&mut office.tom.browser, &noor.id, RESET).status, 200);
        } else {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
}

#[test]
fn nobody_approves_what_a_strong_sign_has_changed_since_and_it_can_still_be_denied() {
    let (mut office, mut noor, case) = tom_asks();
    let page = office.ada.get(&format!("/admin/recovery/{case}/approve"));
    office.world.later(Duration::from_secs(60));
    noor.browser.get("/profile/contacts");
    noor.browser.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 555 01 42")]);
    assert!(office.ada.get(&format!("/admin/recovery/{case}/deny")).hidden("request").is_some());
    let again = office.ada.get(&format!("/admin/recovery/{case}/approve"));
    assert!(again.hidden("request").is_none() && again.says("Tom Okafor has to ask again"), "{}", again.text());
    let answer = send(&mut office.ada, &case, "approve", "fine by me", &page);
    assert!(answer.status == 409 && answer.says("It is not asked for any more"), "{}", answer.text());
    assert!(answer.says("You wrote: fine by me"), "{}", answer.text());
    assert_eq!(last(&office.world, Action::RecoveryApproved), "denied changed_since_asked");
    assert_eq!(office.world.count("SELECT count(*) FROM case_requests WHERE state = 'lapsed'"), 1);
}

#[test]
fn the_approval_of_who_was_demoted_or_disabled_since_permits_nothing() {
    for demoted in [true, false] {
        let (mut office, noor, case) = tom_asks();
        let bo = office.add("bo@fernhill.example", "Bo Lind", "owner");
        approve(&mut bo.browser.clone(), &case);
        if demoted {
            give_role(&office.world, &bo.id, Role::Admin);
        } else {
            disable(&office.world.app.means, by_host(&bo.id), "left the firm".parse().unwrap()).unwrap();
        }
        assert!(office.tom.browser.get(&format!("/admin/recovery/{case}")).says("Something has changed since"));
        let answer = carry_out(&mut office.tom.browser, &noor.id, RESET);
        assert!(answer.status == 403 && answer.says("Something has changed since"), "{}", answer.text());
        assert_eq!(last(&office.world, Action::MfaFactorAdminReset), "denied changed_since_asked");
        assert_eq!(rows(&office.world, "factors", &noor.id), 1);
    }
}

#[test]
fn who_was_demoted_while_the_page_was_open_does_not_approve() {
    let (mut office, _, case) = tom_asks();
    let bo = office.add("bo@fernhill.example", "Bo Lind", "owner");
    let mut open = bo.browser.clone();
    let page = open.get(&format!("/admin/recovery/{case}/approve"));
    give_role(&office.world, &bo.id, Role::Admin);
    assert_eq!(send(&mut open, &case, "approve", "", &page).status, 401, "the session ended with the role");
    let mut again = office.world.browser();
    again.sign_in(&office.world, &bo.email, PASSWORD, &bo.phone);
    again.get("/admin/users/new");
    let sent = [("request", &*the_request(&office.world))];
    assert_eq!(again.post(&format!("/admin/recovery/{case}/approve"), &sent).status, 403);
    assert_eq!(last(&office.world, Action::RecoveryApproved), "denied owners_only");
}

#[test]
fn who_was_demoted_since_they_asked_does_not_carry_it_out() {
    let mut office = office();
    let noor = office.add("noor@fernhill.example", "Noor Haddad", "admin");
    let bo = office.add("bo@fernhill.example", "Bo Lind", "owner");
    let mut browser = bo.browser.clone();
    let case = ask(&mut browser, &noor.id, RESET);
    approve(&mut office.tom.browser, &case);
    give_role(&office.world, &bo.id, Role::Admin);
    let mut again = office.world.browser();
    again.sign_in(&office.world, &bo.email, PASSWORD, &bo.phone);
    // An admin needs an owner for this, and Tom is none.
    let answer = carry_out(&mut again, &noor.id, RESET);
    assert!(answer.status == 403 && answer.says("Something has changed since"), "{}", answer.text());
    give_role(&office.world, &bo.id, Role::Member);
    let mut again = office.world.browser();
    again.sign_in(&office.world, &bo.email, PASSWORD, &bo.phone);
    again.get("/profile");
    assert_eq!(again.post(&format!("/admin/users/{}{RESET}", noor.id), &ON_RECORD).status, 403);
    assert_eq!(rows(&office.world, "factors", &noor.id), 1);
}

#[test]
fn whoever_was_promoted_or_disabled_since_it_was_approved_is_not_acted_on() {
    for promoted in [true, false] {
        let mut office = office();
        set_policy(&office.world, Key::SecondPersonRule, 2);
        let case = ask(&mut office.tom.browser, &office.mara.id, RESET);
        approve(&mut office.ada, &case);
        if promoted {
            give_role(&office.world, &office.mara.id, Role::Admin);
        } else {
            disable(&office.world.app.means, by_host(&office.mara.id), "left the firm".parse().unwrap()).unwrap();
        }
        assert!(office.tom.browser.get(&format!("/admin/recovery/{case}")).says("expired"));
        let answer = carry_out(&mut office.tom.browser, &office.mara.id, RESET);
        let says = if promoted { "The case in which that was on record is closed" } else { "This account is disabled" };
        assert!(answer.status == 403 && answer.says(says), "{}", answer.text());
        assert_eq!(rows(&office.world, "factors", &office.mara.id), 1);
        assert_eq!(office.world.count("SELECT count(*) FROM case_requests WHERE state = 'lapsed'"), 1);
    }
}

#[test]
fn of_two_who_decide_at_the_same_moment_one_is_told_that_it_was_too_late() {
    let (mut office, _, case) = tom_asks();
    let mut bo = office.add("bo@fernhill.example", "Bo Lind", "owner").browser;
    let pages =
        [office.ada.get(&format!("/admin/recovery/{case}/approve")), bo.get(&format!("/admin/recovery/{case}/deny"))];
    let (ada, case) = (&mut office.ada, &case);
    let answers = std::thread::scope(|scope| {
        let first = scope.spawn(|| send(ada, case, "approve", "", &pages[0]));
        let second = scope.spawn(|| send(&mut bo, case, "deny", "not her voice", &pages[1]));
        [first.join().unwrap(), second.join().unwrap()]
    });
    let late = answers.iter().find(|a| a.status == 409).expect("one was too late");
    assert!(answers.iter().any(|a| a.status == 303));
    assert!(late.says("There is nothing to decide any more"), "{}", late.text());
    let decided = [Action::RecoveryApproved, Action::RecoveryApprovalDenied].map(|a| office.world.entries_of(a));
    let outcomes: Vec<_> = decided.iter().flatten().map(|e| e.header.outcome.as_str()).collect();
    assert_eq!(outcomes.iter().filter(|o| **o == "success").count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|o| **o == "denied").count(), 1, "{outcomes:?}");
}

#[test]
fn a_page_that_was_left_open_does_not_approve_what_was_asked_for_since() {
    let (mut office, noor, case) = tom_asks();
    let page = office.ada.get(&format!("/admin/recovery/{case}/approve"));
    ask(&mut office.tom.browser, &noor.id, "/password");
    let answer = send(&mut office.ada, &case, "approve", "for the reset", &page);
    assert!(answer.status == 409 && answer.says("It is not asked for any more"), "{}", answer.text());
    assert!(answer.says("remove all factors") && answer.says("You wrote: for the reset"), "{}", answer.text());
    assert_eq!(last(&office.world, Action::RecoveryApproved), "denied not_now");
    assert_eq!(office.world.count("SELECT count(*) FROM case_requests WHERE state = 'waiting'"), 1);
    // Nor what was asked for in another case.
    let kim = office.add("kim@fernhill.example", "Kim Dahl", "admin");
    let other = ask(&mut office.tom.browser, &kim.id, RESET);
    let page = office.ada.get(&format!("/admin/recovery/{other}/approve"));
    assert_eq!(send(&mut office.ada, &case, "approve", "", &page).status, 404);
}

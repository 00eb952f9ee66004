//! Another sign-in address and a new invitation, where they are given in a case: it waits for the person to use them.

use std::time::Duration;

use idp::audit::Action;

use super::{Desk, in_case, page, story, verify};
use crate::approvals::approve;
use crate::objections::state;
use crate::runbook::{FOUNDED, act};
use crate::second_person::{ON_RECORD, asked, office};
use crate::world::{Answer, PASSWORD, World, body};

const HOUR: Duration = Duration::from_secs(3_600);
const NEW: &str = "noor.lind@fernhill.example";

fn address<'a>(evidence: &'a str, email: &'a str) -> [(&'a str, &'a str); 3] {
    [("email", email), ("evidence", evidence), ("reason", "was married")]
}

/// The path of the link on a page that shows an invitation.
fn link(page: &Answer) -> String {
    let at = page.body.find("/invitation/").expect("the link is shown");
    page.body[at..].chars().take_while(|c| *c != '<' && *c != '"').collect()
}

#[test]
fn after_an_approved_change_of_address_the_case_waits_for_the_sign_in_with_it_and_closes_by_that() {
    let mut office = office();
    let noor = office.add("noor@fernhill.example", "Noor Haddad", "admin");
    let case = asked(&act(&mut office.tom.browser, &noor.id, "/email", &address("in_person", NEW)));
    approve(&mut office.ada, &case);
    let before = office.world.head();
    let done = act(&mut office.tom.browser, &noor.id, "/email", &address("on_record", NEW));
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(state(&office.world, &case), "acted");
    let seen = page(&mut office.ada, &case);
    for says in [
        "waiting for sign-in",
        "sign-in address changed",
        "Noor Haddad signs in with the new address",
        "The case closes by itself",
    ] {
        assert!(seen.says(says), "{says}: {}", seen.text());
    }
    assert!(!seen.says("What was given works until") && !seen.says("Works until"), "{}", seen.text());
    let waits = office.ada.get("/admin/recovery?state=person");
    assert!(waits.says("Noor Haddad signs in with the new address. Tom Okafor has changed it."), "{}", waits.text());

    office.world.later(HOUR);
    let mut late = office.world.browser();
    assert_eq!(late.password("noor@fernhill.example", PASSWORD).status, 401);
    let mut back = office.world.browser();
    assert_eq!(back.sign_in(&office.world, NEW, PASSWORD, &noor.phone).location(), "/admin");
    assert_eq!(state(&office.world, &case), "recovered");
    let told = [
        "user.email_changed success",
        "user.password_verified success",
        "user.signed_in success",
        "recovery.completed success",
    ];
    assert_eq!(office.world.story_since(before), told);
    let completed = office.world.entries_of(Action::RecoveryCompleted).pop().unwrap();
    assert_eq!((completed.header.case.as_deref(), body(&completed).fact("act").as_str()), (Some(&*case), "email"));
    // The message at the end says what was done, and nothing about codes that nobody made.
    let message = office.ada.get(&format!("/admin/recovery/{case}/message"));
    assert!(message.says("Tom Okafor changed the address that you sign in with."), "{}", message.text());
    assert!(!message.says("backup codes"), "{}", message.text());
}

#[test]
fn after_an_approved_invitation_the_case_waits_until_the_person_has_enrolled_through_it() {
    let mut office = office();
    let first = office.world.invite(&mut office.ada, "noor@fernhill.example", "Noor Haddad", "admin");
    let noor = office.world.user("noor@fernhill.example").id.to_string();
    let case = asked(&act(&mut office.tom.browser, &noor, "/invitation", &FOUNDED));
    approve(&mut office.ada, &case);
    let made = act(&mut office.tom.browser, &noor, "/invitation", &ON_RECORD);
    assert_eq!(made.status, 200, "{}", made.text());
    let link = link(&made);
    assert_ne!(link, first);
    assert_eq!(state(&office.world, &case), "awaiting_enrolment");
    let seen = page(&mut office.ada, &case);
    for says in ["new invitation link made", "Noor Haddad accepts the invitation", "What was given works until"] {
        assert!(seen.says(says), "{says}: {}", seen.text());
    }
    assert!(!seen.says("window closes") && !seen.says("Window closes"), "{}", seen.text());
    let waits = office.ada.get("/admin/recovery?state=person");
    assert!(waits.says("Noor Haddad accepts the invitation that Tom Okafor made again."), "{}", waits.text());
    assert!(!waits.says("has reset the factors"), "{}", waits.text());

    // Who accepts at the last moment has as long again to set up their app.
    office.world.later(71 * HOUR);
    let before = office.world.head();
    let mut back = office.world.accept(&link);
    office.world.later(2 * HOUR);
    office.world.sweep();
    assert_eq!(state(&office.world, &case), "awaiting_enrolment");
    back.password("noor@fernhill.example", PASSWORD);
    office.world.enrol(&mut back);
    assert!(back.is_signed_in());
    assert_eq!(state(&office.world, &case), "recovered");
    let of_case = |action| office.world.entries_of(action).pop().unwrap().header.case;
    for action in [Action::UserInvited, Action::UserPasswordChanged, Action::MfaFactorEnrolled] {
        assert_eq!(of_case(action).as_deref(), Some(&*case), "{action}");
    }
    assert!(office.world.story_since(before).contains(&"recovery.completed success".to_owned()));
}

#[test]
fn what_nobody_uses_expires_with_what_was_given() {
    let mut office = office();
    office.world.invite(&mut office.ada, "noor@fernhill.example", "Noor Haddad", "admin");
    let noor = office.world.user("noor@fernhill.example").id.to_string();
    let ann = office.add("ann@fernhill.example", "Ann", "admin");
    let invited = asked(&act(&mut office.tom.browser, &noor, "/invitation", &FOUNDED));
    let renamed = asked(&act(&mut office.tom.browser, &ann.id, "/email", &address("in_person", "a@fernhill.example")));
    approve(&mut office.ada, &invited);
    approve(&mut office.ada, &renamed);
    act(&mut office.tom.browser, &noor, "/invitation", &ON_RECORD);
    act(&mut office.tom.browser, &ann.id, "/email", &address("on_record", "a@fernhill.example"));
    let states = |world: &World| [&invited, &renamed].map(|case| state(world, case));
    office.world.later(72 * HOUR - Duration::from_secs(1));
    office.world.sweep();
    assert_eq!(states(&office.world), ["awaiting_enrolment", "acted"]);
    office.world.later(Duration::from_secs(1));
    office.world.sweep();
    assert_eq!(states(&office.world), ["expired", "expired"]);
    let why = office.world.entries_of(Action::RecoveryExpired);
    let why: Vec<String> = why.iter().map(|e| body(e).fact("why")).collect();
    assert_eq!(why, ["what was given was not used in time", "nobody signed in with the new address"]);
}

#[test]
fn an_address_that_is_changed_without_approval_belongs_to_the_case_that_is_open_and_to_none_where_none_is() {
    let (mut desk, case) = Desk::with_case();
    verify(&mut desk.sam.browser, &case);
    let before = desk.world.head();
    let done = act(&mut desk.sam.browser, &desk.mara.id, "/email", &address("on_record", "mara.l@fernhill.example"));
    assert_eq!((done.status, state(&desk.world, &case).as_str()), (303, "acted"), "{}", done.text());
    // Nothing is refused or closed any more in which something was given.
    assert_ne!(in_case(&mut desk.sam.browser, &case, "/close", &[]).status, 303);
    assert_eq!(state(&desk.world, &case), "acted");
    desk.world.later(HOUR / 60);
    let mut back = desk.world.browser();
    back.sign_in(&desk.world, "mara.l@fernhill.example", PASSWORD, &desk.mara.phone);
    assert_eq!(state(&desk.world, &case), "recovered");
    assert_eq!(story(&desk.world, &case).last().unwrap(), "recovery.completed success");
    assert!(desk.world.story_since(before).iter().all(|line| !line.starts_with("recovery.case_opened")));

    // A plain change of address, asked for by nobody who lost anything, is no case.
    let done = act(&mut desk.ada, &desk.mara.id, "/email", &address("in_person", "mara@fernhill.example"));
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(desk.world.count("SELECT count(*) FROM cases"), 1);
}

#[test]
fn beside_a_reset_it_is_still_the_new_factor_that_the_case_waits_for() {
    let (mut desk, case) = Desk::with_case();
    let pass = act(&mut desk.sam.browser, &desk.mara.id, "/mfa/reset", &FOUNDED).secret();
    let new = "mara.l@fernhill.example";
    let done = act(&mut desk.sam.browser, &desk.mara.id, "/email", &address("on_record", new));
    assert_eq!((done.status, state(&desk.world, &case).as_str()), (303, "awaiting_enrolment"), "{}", done.text());
    assert!(page(&mut desk.ada, &case).says("Mara Lindqvist sets up a new factor"));
    let mut back = desk.world.browser();
    back.password(new, PASSWORD);
    back.get("/enrol");
    back.post("/enrol/pass", &[("pass", &pass)]);
    assert_eq!(state(&desk.world, &case), "awaiting_enrolment");
    desk.world.enrol(&mut back);
    assert_eq!(state(&desk.world, &case), "recovered");
}

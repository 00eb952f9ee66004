//! `idp recovery`: cases as the host sees them, and the approval that needs nobody in the console.

use idp::audit::Action;
use idp::time::Clock;

use crate::approvals::carry_out;
use crate::cli_world::{Ran, idp_on};
use crate::runbook::{act, rows};
use crate::second_person::{RESET, ask};
use crate::world::{Browser, Member, World, body};

/// Ada, the only owner, has asked to reset Noor, the only admin, on the host's own day.
fn alone() -> (World, Browser, Member, String) {
    let world = World::by(Clock::at(Clock::System.now()), "http://localhost:8080", |_| ());
    let (world, mut ada, _) = world.owned();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin");
    let case = ask(&mut ada, &noor.id, RESET);
    (world, ada, noor, case)
}

fn recovery(world: &World, args: &[&str]) -> Ran {
    idp_on(&world.data(), &[&["recovery"], args].concat())
}

#[test]
fn the_host_approves_what_waits_and_who_asked_carries_it_out() {
    let (world, mut ada, noor, case) = alone();
    let said = recovery(&world, &["approve", &case, "--reason", "Ada is alone; I called Noor"]).done();
    let says = format!("{case}: Ada Brandt may remove all factors and give a pass, once, before ");
    assert!(said.starts_with(&says) && said.lines().count() == 1, "{said}");
    let approved = world.entries_of(Action::RecoveryApproved).pop().unwrap();
    assert_eq!((approved.header.actor_kind.as_str(), approved.header.case.as_deref()), ("host", Some(&*case)));
    assert_eq!(body(&approved).fact("note"), "Ada is alone; I called Noor");
    assert_eq!(rows(&world, "factors", &noor.id), 1, "it only permits");
    let ada_id = world.user("ada@fernhill.example").id;
    let told = format!("SELECT count(*) FROM notices WHERE kind = 'host_acted' AND user_id = '{ada_id}'");
    assert_eq!(world.count(&told), 1, "every owner is told");

    assert!(ada.get(&format!("/admin/recovery/{case}")).says("by the host"));
    assert_eq!(carry_out(&mut ada, &noor.id, RESET).status, 200);
    let shown = recovery(&world, &["show", &case]).done();
    assert!(shown.contains(": used by the host"), "{shown}");
}

#[test]
fn what_waits_for_nobody_is_not_approved_and_the_answer_says_why() {
    let (world, mut ada, noor, case) = alone();
    assert_eq!(recovery(&world, &["approve", &case]).code, 2, "a reason is required");
    assert_eq!(recovery(&world, &["approve", "42", "--reason", "a reason"]).code, 2);
    recovery(&world, &["approve", "R-2026-0042", "--reason", "a reason"]).refused(1, "there is no case R-2026-0042");
    recovery(&world, &["approve", &case, "--reason", "first"]).done();
    recovery(&world, &["approve", &case, "--reason", "second"]).refused(1, "is approved already");
    assert_eq!(carry_out(&mut ada, &noor.id, RESET).status, 200);
    recovery(&world, &["approve", &case, "--reason", "third"]).refused(1, &format!("nothing waits in {case}"));
    let denied = world.entries_of(Action::RecoveryApproved);
    assert_eq!(denied.iter().filter(|e| e.header.outcome == "denied").count(), 2, "every try is on record");
}

#[test]
fn open_cases_are_listed_one_a_line_with_what_waits_and_one_is_shown_with_its_story() {
    let (world, mut ada, _, case) = alone();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    assert_eq!(act(&mut ada, &mara.id, RESET, &crate::runbook::FOUNDED).status, 200);
    let list = recovery(&world, &["list"]).done();
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 2, "{list}");
    assert!(lines[0].starts_with(&format!("{case}  awaiting_approval")), "{list}");
    assert!(lines[0].ends_with("(Ada Brandt asks to remove all factors and give a pass: time permits it)"), "{list}");
    assert!(lines[1].contains("awaiting_enrolment") && lines[1].ends_with("  Mara Lindqvist"), "{list}");

    let shown = recovery(&world, &["show", &case]).done();
    for says in [
        "person          Noor Haddad <noor@fernhill.example>, admin",
        "state           waiting for approval",
        "Live video call, compared with the photo or ID on record, by Ada Brandt; ticket: #1234",
        "remove all factors and give a pass, by Ada Brandt (lost her phone on the train): waiting, by time from",
        "success  Recovery case opened · by Ada Brandt",
        "success  Asked to remove all factors and give a pass · by Ada Brandt",
    ] {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    recovery(&world, &["show", "R-2026-0042"]).refused(1, "idp recovery list shows those that are open");
}

#[test]
fn something_that_changed_since_is_not_approved_from_the_host_either() {
    let (world, ada, mut noor, case) = alone();
    drop(ada);
    world.later(std::time::Duration::from_secs(1));
    noor.browser.get("/profile/contacts");
    noor.browser.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 555 01 42")]);
    let shown = recovery(&world, &["show", &case]).done();
    assert!(shown.contains("unusual sign    password or contact details changed: 1, last "), "{shown}");
    let ran = recovery(&world, &["approve", &case, "--reason", "Ada is alone"]);
    ran.refused(1, "something has changed since it was asked for, so it is over; Ada Brandt has to ask again");
    assert_eq!(world.count("SELECT count(*) FROM case_requests WHERE state = 'lapsed'"), 1);
}

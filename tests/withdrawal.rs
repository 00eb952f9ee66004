//! Taking back what one has asked for in a case: who asked can, nobody else, and the case goes on.

use std::time::Duration;

use idp::audit::{Action, Entry};

use crate::approvals::{approve, decide};
use crate::second_person::{Office, RESET, ask, office};
use crate::world::{Answer, Browser, Member, World, body};

/// Tom has asked to reset Noor, another admin; an owner has to approve it.
fn tom_asks() -> (Office, Member, String) {
    let mut office = office();
    let noor = office.add("noor@fernhill.example", "Noor Haddad", "admin");
    let case = ask(&mut office.tom.browser, &noor.id, RESET);
    (office, noor, case)
}

fn path(case: &str) -> String {
    format!("/admin/recovery/{case}/withdraw")
}

/// Opens the page and sends its form.
fn withdraw(browser: &mut Browser, case: &str) -> Answer {
    let page = browser.get(&path(case));
    assert_eq!(page.status, 200, "{}", page.text());
    let request = page.hidden("request").expect("the page has a form");
    browser.post(&path(case), &[("request", &request)])
}

fn newest(world: &World) -> Entry {
    world.entries_of(Action::RecoveryApprovalLapsed).pop().expect("it has its entry")
}

fn live(office: &Office) -> i64 {
    office.world.count("SELECT count(*) FROM case_requests WHERE state IN ('waiting', 'approved')")
}

#[test]
fn who_asked_withdraws_it_while_nobody_has_decided_and_the_case_is_where_it_was() {
    let (mut office, noor, case) = tom_asks();
    let page = office.tom.browser.get(&format!("/admin/recovery/{case}"));
    assert!(page.body.contains(&format!("href=\"{}\"", path(&case))), "{}", page.text());
    let page = office.tom.browser.get(&path(&case));
    assert!(page.says("remove all factors and give a pass") && page.says("The case stays open"), "{}", page.text());
    let before = office.world.head();
    let answer = withdraw(&mut office.tom.browser, &case);
    assert_eq!((answer.status, answer.location()), (303, &*format!("/admin/recovery/{case}")), "{}", answer.text());
    assert_eq!(office.world.story_since(before), ["recovery.approval_lapsed success"]);
    let entry = newest(&office.world);
    assert_eq!(entry.header.case.as_deref(), Some(&*case));
    assert_eq!(body(&entry).fact("why"), "who asked has withdrawn it");
    assert_eq!(entry.header.actor_id.as_deref(), Some(&*office.tom.id));
    assert_eq!((live(&office), office.world.count("SELECT count(*) FROM cases WHERE state = 'verified'")), (0, 1));
    let page = office.tom.browser.get(&format!("/admin/recovery/{case}"));
    assert!(page.says("What you asked for was withdrawn.") && !page.body.contains(&path(&case)), "{}", page.text());
    // Nobody decides about it any more, and Tom can ask again in the same case.
    assert!(office.ada.get(&format!("/admin/recovery/{case}/approve")).says("It is not asked for any more"));
    assert_eq!(ask(&mut office.tom.browser, &noor.id, RESET), case);
}

#[test]
fn what_was_permitted_is_withdrawn_too_and_permits_nothing_afterwards() {
    let (mut office, noor, case) = tom_asks();
    approve(&mut office.ada, &case);
    let page = office.tom.browser.get(&path(&case));
    assert!(page.says("the approval counts for nothing any more"), "{}", page.text());
    assert_eq!(withdraw(&mut office.tom.browser, &case).status, 303);
    assert_eq!((live(&office), office.world.count("SELECT count(*) FROM cases WHERE state = 'verified'")), (0, 1));
    let page = office.tom.browser.get(&format!("/admin/users/{}{RESET}", noor.id));
    assert!(page.says("Ask for approval") && !page.says("has approved this"), "{}", page.text());
    assert_eq!(crate::runbook::rows(&office.world, "factors", &noor.id), 1);
}

#[test]
fn somebody_else_does_not_withdraw_it_and_the_try_is_on_record() {
    let (mut office, _, case) = tom_asks();
    let page = office.tom.browser.get(&path(&case));
    let request = page.hidden("request").unwrap();
    let mut eve = office.add("eve@fernhill.example", "Eve Sand", "admin");
    for other in [&mut office.ada, &mut eve.browser] {
        let page = other.get(&format!("/admin/recovery/{case}"));
        assert!(!page.body.contains(&path(&case)), "{}", page.text());
        assert_eq!(other.get(&path(&case)).status, 403);
        other.get("/admin/users/new");
        let answer = other.post(&path(&case), &[("request", &request)]);
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(answer.says("Only who asked for it withdraws it."), "{}", answer.text());
        let entry = newest(&office.world);
        assert_eq!(
            (entry.header.outcome.as_str(), entry.header.case.as_deref(), body(&entry).fact("rule")),
            ("denied", Some(&*case), "not_who_asked".into())
        );
    }
    assert_eq!(
        (live(&office), office.world.count("SELECT count(*) FROM case_requests WHERE state = 'waiting'")),
        (1, 1)
    );
}

#[test]
fn what_was_decided_or_is_over_meanwhile_is_not_withdrawn() {
    let (mut office, _, case) = tom_asks();
    let page = office.tom.browser.get(&path(&case));
    let request = page.hidden("request").unwrap();
    assert_eq!(decide(&mut office.ada, &case, "deny", "not her voice").status, 303);
    let answer = office.tom.browser.post(&path(&case), &[("request", &request)]);
    assert_eq!((answer.status, answer.location()), (303, &*format!("/admin/recovery/{case}")));
    assert!(office.tom.browser.get(answer.location()).says("The case has moved on"));
    assert_eq!(office.world.count("SELECT count(*) FROM case_requests WHERE state = 'denied'"), 1);
    let entry = newest(&office.world);
    assert_eq!((entry.header.outcome.as_str(), body(&entry).fact("rule")), ("denied", "not_now".into()));
    assert_eq!(office.tom.browser.get(&path(&case)).status, 303, "there is no form for it any more");
}

#[test]
fn withdrawing_asks_who_it_is_after_a_quarter_of_an_hour() {
    let (mut office, _, case) = tom_asks();
    office.world.later(Duration::from_secs(20 * 60));
    let page = office.tom.browser.get(&path(&case));
    let request = page.hidden("request").unwrap();
    let answer = office.tom.browser.post(&path(&case), &[("request", &request)]);
    assert_eq!((answer.status, live(&office)), (422, 1), "{}", answer.text());
    let code = office.tom.phone.code(office.world.now());
    let answer = office.tom.browser.post(&path(&case), &[("request", &request), ("step_up_code", &code)]);
    assert_eq!((answer.status, live(&office)), (303, 0), "{}", answer.text());
}

//! The page of a case in every state: what comes next, and what can be done from there.

use std::time::Duration;

use idp::audit::Action;

use crate::cases::{Desk, REFUSED, every_errand, in_case, last, open, page, verify};
use crate::objections::{link, object};
use crate::runbook::{FOUNDED, act, reset};
use crate::world::{Answer, Browser, Member, PASSWORD, body};

/// Approves what waits in a case, as somebody who may.
pub fn approve(owner: &mut Browser, case: &str) {
    decide(owner, case, "/approve");
}

fn decide(owner: &mut Browser, case: &str, path: &str) {
    let path = format!("/admin/recovery/{case}{path}");
    let request = owner.get(&path).hidden("request").expect("something waits");
    let answer = owner.post(&path, &[("request", &request), ("note", "seen and weighed")]);
    assert_eq!(answer.status, 303, "{}", answer.text());
}

/// An open case of somebody whom an admin helps only with an owner.
fn asked(desk: &mut Desk) -> (Member, String) {
    let otto = desk.world.person(&mut desk.ada, "otto@fernhill.example", "Otto", "auditor");
    let case = open(&mut desk.sam.browser, &otto.id);
    verify(&mut desk.sam.browser, &case);
    let sent = [("evidence", "on_record"), ("reason", "lost the phone"), ("codes_unavailable", "on")];
    assert_eq!(act(&mut desk.sam.browser, &otto.id, "/mfa/reset", &sent).status, 303);
    (otto, case)
}

/// What the page has to say, where its buttons lead, and where none leads.
struct Expected {
    state: &'static str,
    next: &'static str,
    buttons: &'static [&'static str],
    nowhere: &'static [&'static str],
}

#[track_caller]
fn shows(answer: &Answer, expected: &Expected) {
    let Expected { state, next, buttons, nowhere } = expected;
    assert!(answer.says(state), "{state}: {}", answer.text());
    assert!(answer.says(&format!("Next: {next}")), "{state}: {}", answer.text());
    let leads = |to: &str| answer.body.contains(&format!("{to}\""));
    for to in *buttons {
        assert!(leads(to), "{state}: no button leads to {to}");
    }
    for to in *nowhere {
        assert!(!leads(to), "{state}: a button leads to {to}");
    }
}

const ERRANDS: &[&str] = &["/evidence", "/refuse", "/escalate", "/close", "/urgent"];
const ACTS: &[&str] = &["/mfa/reset", "/mfa/backup-codes", "/password"];

#[test]
fn before_anything_is_given_the_page_leads_from_who_it_is_over_a_code_to_what_can_be_given() {
    let (mut desk, case) = Desk::with_case();
    let sam = &mut desk.sam.browser;
    shows(
        &page(sam, &case),
        &Expected { state: "identity not verified yet", next: "make sure who it is.", buttons: ERRANDS, nowhere: ACTS },
    );
    verify(sam, &case);
    let next = "ask for one of the 10 backup codes that are left.";
    let expected = Expected { state: "identity verified", next, buttons: ERRANDS, nowhere: &[] };
    shows(&page(sam, &case), &expected);
    assert!(ACTS.iter().all(|to| page(sam, &case).body.contains(&format!("{to}\""))));

    let db = rusqlite::Connection::open(desk.world.database()).unwrap();
    db.execute("DELETE FROM code_sets WHERE user_id = ?1", [&desk.mara.id]).unwrap();
    db.execute("UPDATE users SET own_codes_left = 0 WHERE id = ?1", [&desk.mara.id]).unwrap();
    let next = "choose how to let Mara Lindqvist back in.";
    shows(&page(sam, &case), &Expected { state: "Backup codes checked", next, buttons: ACTS, nowhere: &[] });
}

#[test]
fn a_case_that_was_handed_on_leads_the_owner_and_tells_the_admin_who_goes_on() {
    let (mut desk, case) = Desk::with_case();
    let sent = [("message", "the voice was not hers")];
    assert_eq!(in_case(&mut desk.sam.browser, &case, "/escalate", &sent).status, 303);
    let shown = page(&mut desk.sam.browser, &case);
    assert!(
        shown.says("Handed to the owners") && !shown.says("An owner goes on with it"),
        "said once: {}",
        shown.text()
    );
    let next = "an owner goes on with this case.";
    shows(&shown, &Expected { state: "waiting for an owner", next, buttons: &[], nowhere: ERRANDS });
    let shown = page(&mut desk.ada, &case);
    assert!(shown.says("the voice was not hers") && shown.says("Handed to the owners"));
    let expected = Expected {
        state: "waiting for an owner",
        next: "make sure who it is.",
        buttons: &["/evidence", "/refuse", "/close", "/urgent"],
        nowhere: &["/escalate"],
    };
    shows(&shown, &expected);
}

#[test]
fn while_something_is_asked_for_the_page_tells_who_decides_and_then_who_carries_it_out() {
    let mut desk = Desk::new();
    let (otto, case) = asked(&mut desk);
    let expected = Expected {
        state: "waiting for approval",
        next: "an owner approves it, or not.",
        buttons: &["/evidence", "/refuse", "/close", "/urgent"],
        nowhere: &["/escalate"],
    };
    shows(&page(&mut desk.sam.browser, &case), &expected);
    approve(&mut desk.ada, &case);
    let carry_out = format!("/admin/users/{}/mfa/reset", otto.id);
    let shown = page(&mut desk.sam.browser, &case);
    shows(
        &shown,
        &Expected {
            state: "approved, not carried out yet",
            next: "carry out what you asked for: it is permitted.",
            buttons: &["/refuse"],
            nowhere: &["/escalate"],
        },
    );
    assert!(shown.body.contains(&format!("{carry_out}\"")) && shown.says("Carry it out"));
    shows(
        &page(&mut desk.ada, &case),
        &Expected {
            state: "approved, not carried out yet",
            next: "Sam Okafor carries out what was approved, until",
            buttons: &["/refuse"],
            nowhere: ACTS,
        },
    );
    let sent = [("evidence", "on_record"), ("reason", "lost the phone"), ("codes_unavailable", "on")];
    assert_eq!(act(&mut desk.sam.browser, &otto.id, "/mfa/reset", &sent).status, 200);
    assert!(page(&mut desk.sam.browser, &case).says("carried out"));
}

#[test]
fn what_was_not_approved_is_over_and_says_by_whom_and_why() {
    let mut desk = Desk::new();
    let (otto, case) = asked(&mut desk);
    decide(&mut desk.ada, &case, "/deny");
    let shown = page(&mut desk.sam.browser, &case);
    assert!(shown.says("Not approved") && shown.says("by Ada Brandt") && shown.says("seen and weighed"));
    let next = "nothing is left to do here. For some days only an owner opens a new case.";
    shows(&shown, &Expected { state: "approval denied", next, buttons: &[], nowhere: ERRANDS });
    let shown = page(&mut desk.ada, &case);
    assert!(shown.body.contains(&format!("/admin/users/{}/case\"", otto.id)), "an owner may");
    let user = desk.sam.browser.get(&format!("/admin/users/{}", otto.id));
    assert!(user.says("Help was not approved to Otto") && user.says("seen and weighed"), "{}", user.text());
}

#[test]
fn once_something_was_given_the_page_waits_for_the_person_and_offers_no_way_to_forget_that() {
    for (given, state, next) in [
        ("/mfa/reset", "waiting for enrolment", "Mara Lindqvist sets up a new factor. Stay on the call"),
        ("/mfa/backup-codes", "waiting for sign-in", "Mara Lindqvist signs in with what was given."),
        ("/password", "waiting for sign-in", "Mara Lindqvist signs in with what was given."),
    ] {
        let (mut desk, case) = Desk::with_case();
        let sam = &mut desk.sam.browser;
        let fields = if given == "/mfa/reset" { &FOUNDED[..] } else { &FOUNDED[..3] };
        assert_eq!(act(sam, &desk.mara.id, given, fields).status, 200, "{given}");
        let shown = page(sam, &case);
        shows(&shown, &Expected { state, next, buttons: &["/evidence", "/urgent"], nowhere: &["/refuse", "/close"] });
        assert_eq!(shown.body.contains("/escalate\""), given != "/mfa/reset", "{given}");
        assert!(shown.says("Let back in") && shown.says("What was told"), "{given}: {}", shown.text());
        for path in ["/refuse", "/close"] {
            assert_eq!(sam.get(&format!("/admin/recovery/{case}{path}")).location(), format!("/admin/recovery/{case}"));
        }
        assert!(page(sam, &case).says("The case has moved on"), "the way back says why");
    }
}

#[test]
fn a_case_that_is_over_says_how_it_ended_and_where_to_begin_anew() {
    let (mut desk, first) = Desk::with_case();
    let world = &desk.world;
    let sam = &mut desk.sam.browser;
    assert_eq!(in_case(sam, &first, "/close", &[]).status, 303);
    let next = "if help is still needed, open a new case.";
    let shown = page(sam, &first);
    assert!(shown.says("not needed any more"));
    shows(&shown, &Expected { state: "expired", next, buttons: &["/case"], nowhere: ERRANDS });

    reset(sam, &desk.mara.id);
    world.later(Duration::from_secs(3_600));
    world.sweep();
    desk.sam.browser = world.browser();
    desk.sam.browser.sign_in(world, &desk.sam.email, PASSWORD, &desk.sam.phone);
    let sam = &mut desk.sam.browser;
    let shown = page(sam, "R-2026-0002");
    assert!(shown.says("The window is closed and the pass is void.") && shown.says("the window closed"));
    shows(&shown, &Expected { state: "expired", next, buttons: &["/case"], nowhere: ERRANDS });
    let expired = world.entries_of(Action::RecoveryExpired).pop().unwrap();
    assert_eq!(body(&expired).fact("why"), "the window closed");

    let third = open(sam, &desk.mara.id);
    assert_eq!(in_case(sam, &third, "/refuse", &REFUSED).status, 303);
    let shown = page(sam, &third);
    assert!(shown.says("They pressed, threatened or hurried") && shown.says("right now or you are fired"));
    let next = "nothing is left to do here. For some days only an owner opens a new case.";
    shows(&shown, &Expected { state: "refused", next, buttons: &[], nowhere: &["/evidence", "/refuse", "/case"] });
    let shown = page(sam, &first);
    assert!(!shown.body.contains("/case\""), "nor from an earlier case");
}

/// A case after a reset to which the person has objected.
fn objected() -> (Desk, String) {
    let (mut desk, case) = Desk::with_case();
    reset(&mut desk.sam.browser, &desk.mara.id);
    assert_eq!(object(&desk.world, &link(&desk.world, &desk.mara.id, "factors_reset")).status, 200);
    (desk, case)
}

#[test]
fn what_an_objection_leads_to_has_its_page_too() {
    let (mut desk, case) = objected();
    let world = &desk.world;
    let expected = Expected {
        state: "objected to, waiting for somebody to look",
        next: "somebody who did not act in this case looks at the objection.",
        buttons: &["/incident", "/report"],
        nowhere: &["/evidence", "/refuse", "/close", "/mfa/reset", "/reassure"],
    };
    shows(&page(&mut desk.sam.browser, &case), &expected);
    let next = "say whether it was an attack or a mistake.";
    let buttons = &["/incident", "/reassure", "/report"];
    shows(&page(&mut desk.ada, &case), &Expected { next, buttons, nowhere: &expected.nowhere[..4], ..expected });
    // Meanwhile nothing is given, by whomever, and nothing else is done in the case.
    for (path, action) in [
        ("/mfa/reset", Action::MfaFactorAdminReset),
        ("/mfa/backup-codes", Action::MfaBackupCodesIssuedByAdmin),
        ("/password", Action::UserPasswordSetByAdmin),
    ] {
        let fields = if path == "/mfa/reset" { &FOUNDED[..] } else { &FOUNDED[..3] };
        let answer = act(&mut desk.ada, &desk.mara.id, path, fields);
        assert!(answer.status == 403 && answer.says("This account is closed by its case"), "{path}: {}", answer.text());
        assert_eq!(last(world, action), ("denied".to_owned(), "held".to_owned()), "{path}");
    }
    for (path, fields, action) in every_errand().into_iter().filter(|e| e.0 != "/urgent") {
        let answer = in_case(&mut desk.ada, &case, path, fields);
        assert_eq!(answer.status, 409, "{path}: {}", answer.text());
        assert!(answer.says("It is now: objected to, waiting for somebody to look"), "{path}");
        assert_eq!(last(world, action), ("denied".to_owned(), "not_now".to_owned()), "{path}");
    }
    let reason = [("evidence", "in_person"), ("reason", "she had forgotten that she asked")];
    assert_eq!(in_case(&mut desk.ada, &case, "/reassure", &reason).status, 303, "{}", desk.ada.page.text());
    let shown = page(&mut desk.ada, &case);
    let next = "nothing is left to do.";
    shows(&shown, &Expected { state: "objection lifted", next, buttons: &["/report"], nowhere: ERRANDS });
    assert!(shown.says("sign-in works as before"));

    let (mut desk, case) = objected();
    assert_eq!(
        in_case(&mut desk.ada, &case, "/incident", &[("since", "case"), ("reason", "it was not her")]).status,
        303
    );
    let next = "let the real person back in, once it is safe again.";
    let shown = page(&mut desk.ada, &case);
    shows(&shown, &Expected { state: "incident", next, buttons: &["/report", "/readmit"], nowhere: ERRANDS });
    let answer = desk.sam.browser.get(&format!("/admin/users/{}/case", desk.mara.id));
    assert!(answer.status == 403 && answer.says("Open the case: it says how to go on."), "{}", answer.text());
}

#[test]
fn every_page_about_a_case_that_is_not_there_is_none() {
    let (mut desk, _) = Desk::with_case();
    let sam: &mut Browser = &mut desk.sam.browser;
    for path in ["", "/evidence", "/refuse", "/escalate", "/close", "/urgent"] {
        for case in ["R-2026-0099", "R-2026-1", "x"] {
            assert_eq!(sam.get(&format!("/admin/recovery/{case}{path}")).status, 404, "{case}{path}");
        }
    }
}

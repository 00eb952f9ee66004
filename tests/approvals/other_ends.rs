//! Approvals that are not given: denied, lapsed, not needed any more.

use std::time::Duration;

use idp::audit::Action;

use super::{decide, tom_asks};
use crate::grants::last;
use crate::runbook::{FOUNDED, act, rows};
use crate::second_person::{DAY, RESET, ask, office};
use crate::world::{PASSWORD, body};

#[test]
fn a_denial_has_a_reason_ends_the_case_and_leaves_the_next_one_to_an_owner_for_a_week() {
    let (mut office, noor, case) = tom_asks();
    let page = office.ada.get(&format!("/admin/recovery/{case}/deny"));
    assert!(page.says("The case ends.") && page.says("for 7 days only an owner opens a new case"), "{}", page.text());
    let empty = decide(&mut office.ada, &case, "deny", " ");
    assert!(empty.status == 422 && empty.says("Enter a reason."), "{}", empty.text());
    let long = decide(&mut office.ada, &case, "deny", &"x".repeat(501));
    assert!(long.status == 422 && long.says("Shorten the reason"), "{}", long.text());
    assert_eq!(decide(&mut office.ada, &case, "deny", "she was in the office today").status, 303);
    let denied = office.world.entries_of(Action::RecoveryApprovalDenied).pop().unwrap();
    assert_eq!(
        (denied.header.case.as_deref(), body(&denied).text("reason")),
        (Some(&*case), "she was in the office today")
    );
    assert!(office.tom.browser.get(&format!("/admin/recovery/{case}")).says("approval denied"));
    assert!(office.tom.browser.get(&format!("/admin/recovery/{case}/approve")).says("It was denied already"));
    assert_eq!(act(&mut office.tom.browser, &noor.id, RESET, &FOUNDED).status, 403);
    assert_eq!(last(&office.world, Action::MfaFactorAdminReset), "denied refused_lately");
    assert_eq!(rows(&office.world, "factors", &noor.id), 1);
}

#[test]
fn a_denial_after_something_was_given_leaves_the_case_as_it_is() {
    let mut office = office();
    assert_eq!(act(&mut office.tom.browser, &office.mara.id, "/mfa/backup-codes", &FOUNDED).status, 200);
    let case = ask(&mut office.tom.browser, &office.mara.id, "/password");
    let page = office.ada.get(&format!("/admin/recovery/{case}/deny"));
    assert!(!page.says("The case ends."), "{}", page.text());
    assert_eq!(decide(&mut office.ada, &case, "deny", "the codes are enough").status, 303);
    assert!(office.tom.browser.get(&format!("/admin/recovery/{case}")).says("waiting for sign-in"));
    assert_eq!(office.world.count("SELECT count(*) FROM case_requests WHERE state = 'denied'"), 1);
}

#[test]
fn what_nobody_decides_in_a_day_lapses_by_itself() {
    let (mut office, _, case) = tom_asks();
    office.world.later(DAY - Duration::from_secs(60));
    office.world.sweep();
    assert_eq!(office.world.entries_of(Action::RecoveryApprovalLapsed).len(), 0);
    office.world.later(Duration::from_secs(60));
    office.ada.password("ada@fernhill.example", PASSWORD);
    office.world.sweep();
    let lapsed = office.world.entries_of(Action::RecoveryApprovalLapsed).pop().unwrap();
    assert_eq!(
        (body(&lapsed).fact("why"), lapsed.header.case.as_deref()),
        ("not decided in time".into(), Some(&*case))
    );
    assert_eq!(office.world.count("SELECT count(*) FROM cases WHERE state = 'verified'"), 1);
    office.world.sweep();
    assert_eq!(office.world.entries_of(Action::RecoveryApprovalLapsed).len(), 1, "once");
}

#[test]
fn who_is_back_meanwhile_needs_no_approval_any_more() {
    let (mut office, noor, case) = tom_asks();
    let mut browser = office.world.browser();
    browser.password(&noor.email, PASSWORD);
    assert_eq!(browser.backup_code(&noor.codes[0]).status, 303);
    assert!(office.ada.get(&format!("/admin/recovery/{case}")).says("recovered"));
    assert!(office.ada.get(&format!("/admin/recovery/{case}/approve")).says("It is not asked for any more"));
    assert_eq!(office.world.count("SELECT count(*) FROM case_requests WHERE state = 'lapsed'"), 1);
}

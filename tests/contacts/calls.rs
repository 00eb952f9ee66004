//! What a call to a number proves: something, if the number was on the account well before help was asked for; nothing, if
//! whoever asks may have put it there.

use std::time::Duration;

use idp::audit::Action;

use super::{DAY, Firm, NUMBER, STORED, add, add_own, calling, changes, id_of, remove};
use crate::runbook::rows;
use crate::world::body;

#[test]
fn a_call_to_a_number_known_for_a_week_carries_every_grant_and_the_entry_says_which_number() {
    let mut firm = Firm::new();
    add_own(&mut firm.mara.browser, "phone", NUMBER);
    let since = changes(&firm.world)[0].header.at;
    firm.later(7 * DAY);
    let contact = id_of(&firm.world, STORED);
    for (path, action) in [
        ("/mfa/backup-codes", Action::MfaBackupCodesIssuedByAdmin),
        ("/password", Action::UserPasswordSetByAdmin),
        ("/mfa/reset", Action::RecoveryIdentityVerified),
    ] {
        let page = firm.ada.get(&format!("/admin/users/{}{path}", firm.mara.id));
        assert!(page.says("I called them on a number that was known before"), "{}", page.text());
        assert!(page.says(&format!("{STORED}, known since 24 November 2026")), "{}", page.text());
        let mut fields = calling(&contact).to_vec();
        fields.truncate(if path == "/mfa/reset" { 4 } else { 3 });
        let page = firm.ada.post(&format!("/admin/users/{}{path}", firm.mara.id), &fields);
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        let entry = firm.world.entries_of(action).pop().unwrap();
        let fact = |name: &str| body(&entry).fact(name);
        assert_eq!((fact("evidence").as_str(), fact("number").as_str()), ("known_number", STORED), "{path}");
        assert_eq!(fact("number_known_since"), since.to_string(), "{path}");
    }
    let case = firm.ada.get("/admin/recovery/R-2026-0001");
    assert!(case.says("Call to a number that was known before"), "{}", case.text());
    assert!(case.says(&format!("Identity verified: call to {STORED}, known since 2026-11-24")), "{}", case.text());
}

#[test]
fn a_number_that_is_added_to_take_an_account_over_is_shown_as_such_and_refused() {
    let mut firm = Firm::new();
    // Someone else has Mara's session while her last code still counts.
    let mut stolen = firm.mara.browser.clone().from("203.0.113.66");
    assert_eq!(add_own(&mut stolen, "phone", NUMBER).status, 303);
    firm.later(2 * DAY);
    let contact = id_of(&firm.world, STORED);
    for (path, action) in [
        ("/mfa/reset", Action::MfaFactorAdminReset),
        ("/mfa/backup-codes", Action::MfaBackupCodesIssuedByAdmin),
        ("/password", Action::UserPasswordSetByAdmin),
    ] {
        let page = firm.ada.get(&format!("/admin/users/{}{path}", firm.mara.id));
        assert!(page.says(&format!("{STORED} : added 2 days ago , do not use")), "{}", page.text());
        assert!(page.says("Password and contact details 1 change within 7 days"), "{}", page.text());
        assert!(!page.body.contains("known_number") && !page.body.contains(&contact), "it can not be picked");
        let page = firm.called(path, &contact);
        assert!(page.status == 403 && page.says("added too shortly before help was asked for"), "{}", page.text());
        assert!(page.says("lost her phone"), "what was typed is kept");
        assert_eq!(firm.last(action), "denied number_too_new", "{path}");
        // Who looks into it later sees which number someone wanted to be called on, whole as on a grant.
        let entry = firm.world.entries_of(action).pop().unwrap();
        let fact = |name| body(&entry).fact(name);
        assert_eq!((fact("evidence"), fact("number")), ("known_number".into(), STORED.into()), "{path}");
        assert!(fact("number_known_since") < fact("requested_at"), "{path}");
    }
    assert_eq!(rows(&firm.world, "factors", &firm.mara.id), 1);
    assert_eq!(rows(&firm.world, "cases", &firm.mara.id), 0);
    assert!(firm.mara.browser.is_signed_in());
}

#[test]
fn a_number_counts_by_its_age_when_help_was_asked_for_not_when_the_form_is_sent() {
    let mut firm = Firm::new();
    add_own(&mut firm.mara.browser, "phone", NUMBER);
    let contact = id_of(&firm.world, STORED);
    firm.later(7 * DAY - Duration::from_secs(600));
    let path = format!("/admin/users/{}/mfa/backup-codes", firm.mara.id);
    // The form is opened before the number is a week old and sent after.
    assert!(firm.ada.get(&path).says("do not use"));
    firm.world.later(Duration::from_secs(660));
    assert_eq!(firm.ada.post(&path, &calling(&contact)[..3]).status, 403);
    assert_eq!(firm.last(Action::MfaBackupCodesIssuedByAdmin), "denied number_too_new");
    // Opened anew it is, and help was asked for only now.
    assert!(firm.ada.get(&path).says("known since 24 November 2026"));
    assert_eq!(firm.ada.post(&path, &calling(&contact)[..3]).status, 200);
}

#[test]
fn while_a_case_is_open_help_was_asked_for_when_it_was_opened() {
    let mut firm = Firm::new();
    add_own(&mut firm.mara.browser, "phone", NUMBER);
    let contact = id_of(&firm.world, STORED);
    firm.later(7 * DAY - Duration::from_secs(600));
    firm.world.reset(&mut firm.ada, &firm.mara.id);
    firm.world.later(Duration::from_secs(660));
    for path in ["/mfa/backup-codes", "/mfa/reset"] {
        assert!(firm.ada.get(&format!("/admin/users/{}{path}", firm.mara.id)).says("do not use"), "{path}");
        assert_eq!(firm.called(path, &contact).status, 403, "{path}");
    }
    assert_eq!(firm.last(Action::MfaBackupCodesIssuedByAdmin), "denied number_too_new");
    assert_eq!(firm.last(Action::MfaFactorAdminReset), "denied number_too_new");
}

#[test]
fn a_number_that_was_removed_and_added_again_begins_anew() {
    let mut firm = Firm::new();
    add_own(&mut firm.mara.browser, "phone", NUMBER);
    let old = id_of(&firm.world, STORED);
    firm.later(30 * DAY);
    remove(&mut firm.mara.browser, "/profile/contacts", &old);
    assert_eq!(firm.called("/mfa/reset", &old).status, 403, "it was removed");
    assert_eq!(firm.last(Action::MfaFactorAdminReset), "denied number_not_on_account");
    add_own(&mut firm.mara.browser, "phone", NUMBER);
    assert_eq!(firm.called("/mfa/reset", &old).status, 403, "the old age does not come back with it");
    assert_eq!(firm.last(Action::MfaFactorAdminReset), "denied number_not_on_account");
    let new = id_of(&firm.world, STORED);
    assert_ne!(old, new);
    assert_eq!(firm.called("/mfa/reset", &new).status, 403);
    assert_eq!(firm.last(Action::MfaFactorAdminReset), "denied number_too_new");
}

#[test]
fn a_number_that_goes_while_the_form_is_open_no_longer_counts() {
    let mut firm = Firm::new();
    add_own(&mut firm.mara.browser, "phone", NUMBER);
    let contact = id_of(&firm.world, STORED);
    firm.later(30 * DAY);
    let path = format!("/admin/users/{}/mfa/reset", firm.mara.id);
    assert!(firm.ada.get(&path).body.contains(&contact));
    remove(&mut firm.mara.browser, "/profile/contacts", &contact);
    let page = firm.ada.post(&path, &calling(&contact));
    assert!(page.status == 403 && page.says("is not on the account, or was removed from it"), "{}", page.text());
    assert_eq!(rows(&firm.world, "factors", &firm.mara.id), 1);
}

#[test]
fn only_a_number_of_this_very_person_can_be_put_forward() {
    let mut firm = Firm::new();
    add_own(&mut firm.ada, "phone", NUMBER);
    add_own(&mut firm.mara.browser, "email", "mara@home.example");
    let theirs = format!("/admin/users/{}/contacts", firm.mara.id);
    add(&mut firm.ada, &theirs, "manager", "Jonas Berg");
    firm.later(30 * DAY);
    let unknown = firm.mara.id.clone();
    let ids = [STORED, "mara@home.example", "Jonas Berg"].map(|value| id_of(&firm.world, value));
    for contact in ids.iter().chain([&unknown]) {
        for path in ["/mfa/reset", "/mfa/backup-codes", "/password"] {
            let page = firm.called(path, contact);
            assert!(page.status == 403 && page.says("This number is not on the account"), "{path}: {}", page.text());
        }
        assert_eq!(firm.last(Action::MfaFactorAdminReset), "denied number_not_on_account");
    }
    let before = firm.world.head();
    for contact in ["", "x", STORED] {
        let page = firm.called("/mfa/reset", contact);
        assert!(page.status == 422 && page.says("Choose the number that you called."), "{}", page.text());
    }
    assert_eq!(firm.world.head(), before);
    assert_eq!(rows(&firm.world, "factors", &firm.mara.id), 1);
}

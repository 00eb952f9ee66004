//! The owner resumes, looks after Mara, and is asked for a code.

use super::day::Day;
use super::note;
use crate::runbook::{FOUNDED, act};
use crate::world::{Member, PASSWORD, Phone};

pub fn afternoon(day: &mut Day, mara: &Member) {
    day.ada.get("/sign-in/resume");
    assert_eq!(day.ada.post("/sign-in/resume", &[("password", PASSWORD)]).status, 303);
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    day.ada.get(&path);
    let mut fields = FOUNDED.to_vec();
    let code = day.phone.code(day.world.now());
    fields.push(("step_up_code", &code));
    let pass = day.ada.post(&path, &fields).secret();
    day.secret(&pass);
    for code in act(&mut day.ada, &mara.id, "/mfa/backup-codes", &FOUNDED).codes() {
        day.secret(&code);
    }
    let temporary = act(&mut day.ada, &mara.id, "/password", &FOUNDED).secret();
    day.secret(&temporary);
    note(&mut day.ada, &mara.id, "on the phone with her");
    let mut browser = day.world.browser();
    browser.password(&mara.email, &temporary);
    browser.get("/enrol");
    browser.post("/enrol/pass", &[("pass", &pass)]);
    let phone = Phone::scan(&browser.get("/enrol").body);
    let codes = browser.post("/enrol", &[("code", &phone.code(day.world.now()))]).codes();
    codes.iter().for_each(|code| drop(day.secret(code)));
    browser.get("/sign-in/password");
    assert_eq!(browser.post("/sign-in/password", &[("new_password", "meadow anvil sixteen")]).status, 303);
    day.secrets.push("meadow anvil sixteen".into());
    assert_eq!(
        day.told(),
        [
            "user.step_up x2",
            "recovery.case_opened",
            "recovery.identity_verified",
            "mfa.factor_admin_reset",
            "mfa.enrolment_pass_issued",
            "recovery.identity_verified",
            "mfa.backup_codes_issued_by_admin",
            "recovery.identity_verified",
            "user.password_set_by_admin",
            "user.note_added",
            "user.password_verified",
            "user.step_up",
            "mfa.factor_enrolled",
            "recovery.completed",
            "mfa.backup_codes_generated",
            "user.password_changed",
            "user.signed_in",
        ]
    );
}

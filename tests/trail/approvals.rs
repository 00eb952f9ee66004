//! A second person is asked for again: what they permit, deny and never get to decide, and the message at the end.

use std::time::Duration;

use idp::policy::Key;

use super::day::{Day, INVITED};
use crate::approvals::{carry_out, decide};
use crate::policy::set;
use crate::second_person::{RESET, ask};
use crate::world::{Member, PASSWORD};

/// Tom, an admin, helps other admins; he is handed on.
pub fn approvals(day: &mut Day) -> Member {
    let mut tom = day.person("tom@fernhill.example", "Tom Okafor", "admin");
    let noor = day.person("noor@fernhill.example", "Noor Haddad", "admin");
    assert_eq!(day.told(), [INVITED, INVITED].concat());
    set(&mut day.ada, Key::SecondPersonRule, 1);
    let case = ask(&mut tom.browser, &noor.id, RESET);
    assert_eq!(decide(&mut day.ada, &case, "approve", "I know her voice").status, 303);
    let pass = carry_out(&mut tom.browser, &noor.id, RESET).secret();
    day.secret(&pass);
    let mut back = day.world.browser();
    back.password(&noor.email, PASSWORD);
    back.get("/enrol");
    back.post("/enrol/pass", &[("pass", &pass)]);
    let (_, codes) = day.world.enrol(&mut back);
    codes.iter().for_each(|code| drop(day.secret(code)));
    let message = format!("/admin/recovery/{case}/message");
    tom.browser.get(&message);
    assert_eq!(tom.browser.post(&message, &[("message", "Welcome back."), ("how", "sent")]).status, 303);
    assert_eq!(
        day.told(),
        [
            "policy.updated",
            "recovery.case_opened",
            "recovery.identity_verified",
            "recovery.approval_requested",
            "recovery.approved",
            "mfa.factor_admin_reset",
            "mfa.enrolment_pass_issued",
            "user.password_verified",
            "user.step_up",
            "mfa.factor_enrolled",
            "recovery.completed",
            "mfa.backup_codes_generated",
            "user.signed_in",
            "recovery.followed_up",
        ]
    );

    day.world.later(Duration::from_secs(60));
    let case = ask(&mut tom.browser, &noor.id, "/mfa/backup-codes");
    assert_eq!(decide(&mut day.ada, &case, "deny", "she has an app again").status, 303);
    let case = ask(&mut day.ada, &tom.id, "/mfa/backup-codes");
    day.ada.get(&format!("/admin/recovery/{case}/close"));
    assert_eq!(day.ada.post(&format!("/admin/recovery/{case}/close"), &[]).status, 303);
    let asked = ["recovery.case_opened", "recovery.identity_verified", "recovery.approval_requested"];
    let ends = [&["recovery.approval_denied"][..], &["recovery.approval_lapsed", "recovery.expired"]];
    assert_eq!(day.told(), [&asked[..], ends[0], &asked, ends[1]].concat());
    tom
}

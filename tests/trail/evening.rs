//! Someone comes and goes, an export, the host's commands, a window that closes, a clock that steps.

use std::time::Duration;

use idp::actions::administer::change_role;
use idp::actions::grants::Granted;
use idp::actions::recover::break_glass;
use idp::recovery::{Evidence, Statement};
use idp::users::Role;

use super::day::{Day, INVITED};
use crate::runbook::{act, reset};
use crate::world::host;

pub fn evening(day: &mut Day) {
    let kim = day.person("kim@fernhill.example", "Kim", "member");
    let lin = day.person("lin@fernhill.example", "Lin", "member");
    assert_eq!(day.told(), [INVITED, INVITED].concat());
    act(&mut day.ada, &kim.id, "/disable", &[("reason", "left the firm")]);
    act(&mut day.ada, &kim.id, "/enable", &[("reason", "is back")]);
    change_role(&day.world.app.means, Day::by_host(&kim.id), Role::Auditor, "audits now".parse().unwrap()).unwrap();
    day.ada.get("/admin/audit");
    assert_eq!(day.ada.post("/admin/audit/export", &[("format", "jsonl")]).status, 200);
    let pass = reset(&mut day.ada, &lin.id);
    day.secret(&pass);
    let statement =
        Statement { evidence: Some(Evidence::host(day.world.now())), reason: "a drill".parse().unwrap(), ticket: None };
    let me = day.world.user("ada@fernhill.example").id;
    let Granted::Yes(glass) = break_glass(&day.world.app.means, me, statement, host()).unwrap() else {
        panic!("refused")
    };
    let pass = day.secret(&glass.pass.unwrap().to_text());
    assert_eq!(pass.len(), 14);
    day.world.later(Duration::from_secs(3_600));
    day.world.sweep();
    day.world.clock.set(day.world.now().minus(Duration::from_secs(7_200)));
    let mut stranger = day.world.browser();
    stranger.address = "198.51.100.7".parse().unwrap();
    assert_eq!(stranger.password("ada@fernhill.example", "open sesame, please").status, 401);
    let reset =
        ["recovery.case_opened", "recovery.identity_verified", "mfa.factor_admin_reset", "mfa.enrolment_pass_issued"];
    let told = [
        &["user.disabled", "user.enabled", "user.role_changed", "audit.exported"][..],
        &reset,
        &reset,
        &["recovery.break_glass", "recovery.expired x2", "system.clock_stepped", "user.sign_in_failed failure"],
    ];
    assert_eq!(day.told(), told.concat());
}

//! Somebody says that it was not them: once by mistake, once because it was an attack.

use super::database;
use super::day::{Day, INVITED};
use crate::objections::{KNOWN, link, object, send};
use crate::runbook::{FOUNDED, act, reset};
use crate::world::Member;

fn newest_case(day: &Day) -> String {
    let sql = "SELECT number FROM cases ORDER BY number DESC LIMIT 1";
    database(&day.world).query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Tom gave what is objected to; Ada looks into it.
pub fn objections(day: &mut Day, tom: &mut Member) {
    let kai = day.person("kai@fernhill.example", "Kai", "member");
    assert_eq!(day.told(), INVITED);
    for code in act(&mut tom.browser, &kai.id, "/mfa/backup-codes", &FOUNDED).codes() {
        day.secret(&code);
    }
    let case = newest_case(day);
    let notice = link(&day.world, &kai.id, "codes_issued");
    day.secret(notice.rsplit('/').next().unwrap());
    assert_eq!(object(&day.world, &notice).status, 200);
    let reassure = format!("/admin/recovery/{case}/reassure");
    assert_eq!(send(&mut day.ada, &reassure, &KNOWN).status, 303);
    let told = [
        "recovery.case_opened",
        "recovery.identity_verified",
        "mfa.backup_codes_issued_by_admin",
        "recovery.disavowed",
        "user.disabled",
        "recovery.identity_verified",
        "recovery.reassured",
        "user.enabled",
    ];
    assert_eq!(day.told(), told);

    let pass = reset(&mut tom.browser, &kai.id);
    day.secret(&pass);
    let incident = format!("/admin/recovery/{}/incident", newest_case(day));
    let attack = [("since", "case"), ("reason", "somebody else called as Kai")];
    let declared = send(&mut day.ada, &incident, &attack);
    assert_eq!(declared.status, 303, "{}", declared.text());
    let told = [
        "recovery.case_opened",
        "recovery.identity_verified",
        "mfa.factor_admin_reset",
        "mfa.enrolment_pass_issued",
        "recovery.incident_declared",
        "user.disabled",
    ];
    assert_eq!(day.told(), told);
}

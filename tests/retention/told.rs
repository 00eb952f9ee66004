//! What people and operators read of it.

use std::time::Duration;

use idp::audit::Action;
use idp::policy::Key;
use rusqlite::Connection;

use super::Firm;
use crate::carry_over::{Room, back_up};
use crate::cli_world::idp_on;
use crate::policy::{DAY, now, set, sign_in};
use crate::runbook::{FOUNDED, act};

#[test]
fn pages_say_that_it_is_no_longer_kept() {
    let mut firm = Firm::aged();
    let seq = firm.world.entries_of(Action::UserNoteAdded)[0].header.seq;
    let mara = firm.mara.id.clone();
    firm.world.sweep();
    let (later, ada) = (Duration::from_secs(1), firm.ada());
    let page = ada.get(&format!("/admin/audit/{seq}"));
    assert!(page.says("A note was put on a person's record (details are no longer kept)"), "{}", page.text());
    assert!(page.says("no longer kept") && !page.says("Note:"), "{}", page.text());
    let notes = ada.get(&format!("/admin/users/{mara}/notes"));
    assert!(notes.says("The text of this note is no longer kept."), "{}", notes.text());
    let list = ada.get("/admin/audit?action=user.note_added");
    assert!(list.says("(details are no longer kept)") && list.says("by a person"), "{}", list.text());
    let list = ada.get("/admin/audit?action=audit.pruned");
    assert!(list.says("Details of entries 1 to") && list.says("erased, as too old"), "{}", list.text());
    firm.world.later(later);
    let (mara, phone) = (&mut firm.mara.browser, &firm.mara.phone);
    sign_in(&firm.world, mara, "mara@fernhill.example", phone);
    let own = mara.get("/profile/activity");
    assert!(own.says("details are no longer kept"), "{}", own.text());
}

#[test]
fn a_case_and_its_story_stand_with_what_is_not_in_the_trail_and_say_what_is_gone() {
    let mut firm = Firm::new();
    let pass = act(&mut firm.ada, &firm.mara.id, "/mfa/reset", &FOUNDED);
    assert_eq!(pass.status, 200, "{}", pass.text());
    set(&mut firm.ada, Key::AuditKept, 400);
    firm.grows_old();
    firm.world.sweep();
    let reset = firm.world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
    let case = reset.header.case.clone().unwrap();
    assert!(reset.body.is_none());
    let ada = firm.ada();
    for path in [format!("/admin/recovery/{case}"), format!("/admin/recovery/{case}/story")] {
        let page = ada.get(&path);
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.says("(details are no longer kept)"), "{path}: {}", page.text());
        assert!(!page.says("All factors removed ()"), "{path}: {}", page.text());
    }
    for path in ["/admin", "/admin/audit", "/admin/system", &format!("/admin/users/{}", firm.mara.id)] {
        assert_eq!(firm.ada.get(path).status, 200, "{path}");
    }
    let shown = idp_on(&firm.world.data(), &["recovery", "show", &case]).done();
    assert!(shown.contains("details are no longer kept"), "{shown}");
}

#[test]
fn no_entry_of_any_kind_is_told_with_holes_in_it_once_its_body_is_erased() {
    let firm = Firm::new();
    let entry = firm.world.entries()[2].clone();
    let me = firm.mara.id.parse().unwrap();
    for action in Action::ALL {
        for (outcome, actor) in [("success", "person"), ("denied", "person"), ("failure", "anonymous")] {
            let mut erased = entry.clone();
            (erased.body, erased.salt) = (None, None);
            (erased.header.action, erased.header.outcome) = (action.to_string(), outcome.to_owned());
            (erased.header.actor_kind, erased.header.target_id) = (actor.to_owned(), Some(firm.mara.id.clone()));
            (erased.header.actor_id, erased.header.target_kind) = (Some(firm.mara.id.clone()), "person".to_owned());
            let read = idp::audit::plain::Read::of(&erased);
            let said = idp::audit::plain::sentence(&erased, &read);
            assert!(said.ends_with("(details are no longer kept)") && !said.contains("  "), "{said}");
            if let Some(told) = idp::audit::own::told(&erased, me) {
                let whole = told.what.ends_with("(details are no longer kept)") || told.what.starts_with("Refused: ");
                assert!(whole && !told.what.contains("  "), "{}", told.what);
            }
        }
    }
}

#[test]
fn the_doctor_and_the_system_page_say_what_is_kept_how_long_and_what_keeps_it_from_being_erased() {
    let mut firm = Firm::new();
    let doctor = |firm: &Firm| idp_on(&firm.world.data(), &["doctor"]).out;
    assert!(doctor(&firm).contains("ok       the audit trail keeps for ever what entries say"), "{}", doctor(&firm));
    assert!(firm.ada.get("/admin/system").says("Details are kept for ever ."), "{}", firm.ada.page.text());
    set(&mut firm.ada, Key::AuditKept, 400);
    firm.grows_old();
    firm.world.sweep();
    let through = firm.world.count("SELECT pruned_through FROM instance");
    let said = format!(
        "ok       the audit trail keeps for 400 days what entries say; erased up to entry {through}, last at 2"
    );
    assert!(doctor(&firm).contains(&said), "{}", doctor(&firm));
    let page = firm.ada().get("/admin/system");
    assert!(
        page.says(&format!("Details are kept for 400 days , erased up to entry {through}, last ")),
        "{}",
        page.text()
    );
    set(&mut firm.ada, Key::LegalHold, 1);
    let said = "; nothing is erased under the legal hold that Ada Brandt set at 2";
    assert!(doctor(&firm).contains(said), "{}", doctor(&firm));
    let page = firm.ada.get("/admin/system");
    assert!(
        page.says("A legal hold is in effect since 2") && page.says("by Ada Brandt : nothing is erased."),
        "{}",
        page.text()
    );
    let verdict = firm.verify(&[]);
    let said =
        format!("erased: what entries up to {through} said, but for kinds that are always kept; the trail records it");
    assert!(verdict.contains(&said), "{verdict}");
    let verdict: serde_json::Value = serde_json::from_str(&firm.verify(&["--json"])).unwrap();
    assert_eq!(verdict["erased_up_to"], through);
}

#[test]
fn after_a_gap_in_the_trail_the_system_page_asks_whether_the_clock_is_right() {
    let mut firm = Firm::aged();
    firm.world.later(DAY * 10);
    let page = firm.ada().get("/admin/system");
    let said = "within the last 30 days the log has a gap of more than 4 days";
    assert!(page.says("Nothing is erased now") && page.says(said), "{}", page.text());
    firm.goes_on(31);
    let page = firm.ada().get("/admin/system");
    assert!(!page.says("Nothing is erased now"), "{}", page.text());
}

#[test]
fn a_restore_keeps_a_legal_hold_that_was_set_since_the_backup() {
    let mut firm = Firm::aged();
    let backup = back_up(&firm.world, "before.db");
    set(firm.ada(), Key::LegalHold, 1);
    let room = Room::of(&firm.world);
    let said = room.restore(&backup, &[]);
    assert!(said.contains("kept: policy, Legal hold: yes since the backup, no longer no"), "{said}");
    let after = room.open(&firm.world);
    after.sweep();
    assert_eq!((now(&after, Key::LegalHold), after.entries_of(Action::AuditPruned).len()), (1, 0));
}

#[test]
fn a_database_of_an_earlier_version_in_which_a_body_is_missing_is_invalid() {
    let earlier = crate::upgrade::Earlier::of(3);
    let data = earlier.data();
    let db = Connection::open(data.join("idp.db")).unwrap();
    let guard = "SELECT sql FROM sqlite_schema WHERE name = 'audit_is_append_only_update'";
    let guard: String = db.query_row(guard, [], |row| row.get(0)).unwrap();
    let sql = "UPDATE audit SET salt = NULL, body = NULL WHERE seq = 2";
    db.execute_batch(&format!("DROP TRIGGER audit_is_append_only_update; {sql}; {guard}")).unwrap();
    drop(db);
    let ran = idp_on(&data, &["audit", "verify"]);
    assert!(ran.code == 1 && ran.out.starts_with("INVALID: entry 2 has lost its body"), "{ran:?}");
}

//! What can go wrong in the runbook, and what there is for it.

use std::time::Duration;

use idp::actions::grants::Granted;
use idp::actions::recover::break_glass;
use idp::audit::Action;
use idp::recovery::{Evidence, Statement};

use crate::runbook::{FOUNDED, act, owner_and_member, reset, rows};
use crate::world::{Answer, Browser, PASSWORD, Phone, World, body, host};

const DAY: Duration = Duration::from_secs(86_400);

/// Issues codes to dictate.
fn issue(admin: &mut Browser, id: &str) -> Answer {
    let page = act(admin, id, "/mfa/backup-codes", &FOUNDED);
    assert_eq!(page.status, 200, "{}", page.text());
    page
}

#[test]
fn who_has_nothing_to_enrol_with_gets_codes_signs_in_with_one_and_enrols_later() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    let before = world.head();
    let page = issue(&mut ada, &mara.id);
    let codes = page.codes();
    assert_eq!((codes.len(), codes[0].len()), (3, 14), "{codes:?}");
    assert!(ada.get(&format!("/admin/users/{}/mfa", mara.id)).says("3 codes issued"), "{}", ada.page.text());

    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).location(), "/sign-in/code");
    assert_eq!(browser.backup_code(&codes[1].to_lowercase().replace('-', " ")).location(), "/profile");
    assert!(ada.get("/admin/recovery/R-2026-0001").says("waiting"));
    browser.get("/profile");
    browser.post("/profile/factors", &[]);
    let page = browser.get("/profile/factors/new");
    let phone = Phone::scan(&page.body);
    let answer = browser.post("/profile/factors/new", &[("name", "New phone"), ("code", &phone.code(world.now()))]);
    assert_eq!(answer.location(), "/profile", "{}", answer.text());
    // That closes the case.
    assert!(ada.get("/admin/recovery/R-2026-0001").says("recovered"));
    assert_eq!(
        world.story_since(before),
        [
            "recovery.identity_verified success",
            "mfa.backup_codes_issued_by_admin success",
            "user.password_verified success",
            "mfa.backup_code_used success",
            "user.signed_in success",
            "mfa.factor_enrolled success",
            "recovery.completed success",
        ]
    );
    let enrolled = world.entries_of(Action::MfaFactorEnrolled).pop().unwrap();
    assert_eq!(enrolled.header.case.as_deref(), Some("R-2026-0001"));
    let signed_in = world.entries_of(Action::UserSignedIn).pop().unwrap();
    assert_eq!(body(&signed_in).fact("methods"), "pwd backup-code", "no one-time code was used, so none is claimed");
}

#[test]
fn a_later_batch_of_codes_voids_the_earlier_and_leaves_the_persons_own() {
    let (world, mut ada, mara) = owner_and_member();
    let first = issue(&mut ada, &mara.id).codes();
    let second = issue(&mut ada, &mara.id).codes();
    let entry = world.entries_of(Action::MfaBackupCodesIssuedByAdmin).pop().unwrap();
    assert_eq!(body(&entry).fact("voided"), "3");
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    assert_eq!(browser.backup_code(&first[0]).status, 401);
    assert_eq!(browser.backup_code(&second[0]).location(), "/profile");
    let mut own = world.browser();
    own.password(&mara.email, PASSWORD);
    assert_eq!(own.backup_code(&mara.codes[3]).location(), "/profile");
}

#[test]
fn issued_codes_expire_after_seven_days() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    let codes = issue(&mut ada, &mara.id).codes();
    world.later(7 * DAY - Duration::from_secs(1));
    let mut in_time = world.browser();
    in_time.password(&mara.email, PASSWORD);
    assert_eq!(in_time.backup_code(&codes[0]).location(), "/profile");
    let mut too_slow = world.browser();
    too_slow.password(&mara.email, PASSWORD);
    too_slow.get("/sign-in/backup-code");
    world.later(Duration::from_secs(1));
    assert_ne!(too_slow.post("/sign-in/backup-code", &[("code", &codes[1])]).status, 303);
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 403, "there is nothing to continue with");
    world.sweep();
    assert_eq!(rows(&world, "code_sets", &mara.id), 0);
}

#[test]
fn who_can_not_read_their_e_mail_gets_a_reset_and_a_temporary_password_that_must_be_changed() {
    let (world, mut ada, mara) = owner_and_member();
    let pass = reset(&mut ada, &mara.id);
    let page = act(&mut ada, &mara.id, "/password", &FOUNDED);
    assert_eq!(page.status, 200, "{}", page.text());
    let temporary = page.secret();
    let before = world.head();

    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 401, "the old password is void");
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, &temporary).location(), "/enrol");
    browser.get("/enrol");
    assert_eq!(browser.post("/enrol/pass", &[("pass", &pass)]).location(), "/enrol");
    let page = browser.get("/enrol");
    let phone = Phone::scan(&page.body);
    assert_eq!(browser.post("/enrol", &[("code", &phone.code(world.now()))]).status, 200);
    assert_eq!(browser.post("/enrol/stored", &[("stored", "on")]).location(), "/sign-in/password");
    assert!(!browser.is_signed_in(), "the new password comes first");
    browser.get("/sign-in/password");
    let answer = browser.post("/sign-in/password", &[("new_password", "orchard lantern forty")]);
    assert_eq!(answer.location(), "/profile", "{}", answer.text());
    assert!(browser.is_signed_in());

    world.later(Duration::from_secs(30));
    assert_eq!(world.browser().password(&mara.email, &temporary).status, 401);
    assert_eq!(world.browser().sign_in(&world, &mara.email, "orchard lantern forty", &phone).location(), "/profile");
    assert_eq!(
        world.story_since(before)[..10],
        [
            "user.sign_in_failed failure",
            "user.password_verified success",
            "user.step_up success",
            "mfa.factor_enrolled success",
            "recovery.completed success",
            "mfa.backup_codes_generated success",
            "user.password_changed success",
            "user.signed_in success",
            "user.sign_in_failed failure",
            "user.password_verified success",
        ]
    );
    let set = world.entries_of(Action::UserPasswordSetByAdmin).pop().unwrap();
    assert_eq!((body(&set).fact("valid_hours").as_str(), body(&set).text("ticket")), ("24", "#1234"));
}

#[test]
fn a_temporary_password_works_for_a_day_and_still_needs_the_second_factor() {
    let (world, mut ada, mara) = owner_and_member();
    let temporary = act(&mut ada, &mara.id, "/password", &FOUNDED).secret();
    assert!(!mara.browser.clone().is_signed_in(), "setting it ends every session");
    world.later(DAY - Duration::from_secs(31));
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(&world, &mara.email, &temporary, &mara.phone).location(), "/sign-in/password");
    assert!(!browser.is_signed_in());
    world.later(Duration::from_secs(1));
    assert_eq!(world.browser().password(&mara.email, &temporary).status, 401);
    let failed = world.entries_of(Action::UserSignInFailed).pop().unwrap();
    assert_eq!(body(&failed).fact("why"), "temporary password expired");
}

#[test]
fn every_moment_of_a_case_and_of_a_temporary_password_is_told_in_the_readers_own_time_zone() {
    let (world, mut ada, mara) = owner_and_member();
    world.temporary_password(&mut ada, &mara.id);
    reset(&mut ada, &mara.id);
    let after_reset = ada.page.clone();
    let person = ada.get(&format!("/admin/users/{}", mara.id));
    let case = ada.get("/admin/recovery/R-2026-0001");
    assert!(case.says("Ada Brandt , 09:") && case.says("The window closes 10:"), "{}", case.text());
    for page in [after_reset, person, case] {
        assert!(page.body.contains(" data-clock>"), "{}", page.body);
        // What a script turns into the reader's own time is left out; nothing beside it is told in another zone, but
        // for the audit log, whose entries are quoted with the time that they have.
        // The line that only paper shows is exact, in UTC.
        let shown = page.body.split("<header").nth(1).unwrap();
        let body = shown.split("id=\"entries\"").next().unwrap();
        let rest: String = body.split("<time").map(|part| part.split("</time>").last().unwrap()).collect();
        assert!(!rest.contains("UTC") && !rest.contains(":00Z"), "{rest}");
    }
}

#[test]
fn the_only_owner_who_lost_their_phone_is_recovered_from_the_host_loudly() {
    let (world, mut ada, _) = World::with_owner();
    let before = world.head();
    let id = world.user("ada@fernhill.example").id;
    let statement = Statement {
        evidence: Some(Evidence::host(world.now())),
        reason: "phone in the sea".parse().unwrap(),
        ticket: None,
    };
    let Granted::Yes(reset) = break_glass(&world.app.means, id, statement, host()).unwrap() else {
        panic!("it was refused")
    };
    assert!(!ada.is_signed_in());
    let mut browser = world.browser();
    assert_eq!(browser.password("ada@fernhill.example", PASSWORD).location(), "/enrol");
    browser.get("/enrol");
    assert_eq!(browser.post("/enrol/pass", &[("pass", &reset.pass.unwrap().to_text())]).location(), "/enrol");
    world.enrol(&mut browser);
    assert_eq!(browser.get("/admin/users").status, 200);
    assert_eq!(
        world.story_since(before)[..5],
        [
            "recovery.case_opened success",
            "recovery.identity_verified success",
            "mfa.factor_admin_reset success",
            "mfa.enrolment_pass_issued success",
            "recovery.break_glass success",
        ]
    );
    let loud = world.entries_of(Action::RecoveryBreakGlass).pop().unwrap();
    assert_eq!((loud.header.actor_kind.as_str(), body(&loud).source("os_user")), ("host", "test"));
}

#[test]
fn the_break_glass_command_is_for_owners_alone() {
    let (world, _, mara) = owner_and_member();
    let before = world.head();
    let statement =
        Statement { evidence: Some(Evidence::host(world.now())), reason: "a shortcut".parse().unwrap(), ticket: None };
    let refused = break_glass(&world.app.means, world.user(&mara.email).id, statement, host());
    assert!(matches!(refused, Err(idp::actions::Error::NotFound)), "{refused:?}");
    assert_eq!((world.head(), rows(&world, "factors", &mara.id)), (before, 1));
}

#[test]
fn a_note_on_a_persons_record_is_an_entry_that_stays() {
    let (world, mut ada, mara) = owner_and_member();
    let answer = act(&mut ada, &mara.id, "/notes", &[("text", "Called twice; voice <b>unlike</b> hers.")]);
    assert_eq!(answer.status, 303);
    let page = ada.get(answer.location());
    assert!(page.says("The note was added.") && page.says("Called twice; voice <b>unlike</b> hers."));
    assert!(!page.body.contains("<b>unlike"));
    let entry = world.entries_of(Action::UserNoteAdded).pop().unwrap();
    assert_eq!(entry.header.target_id.as_deref(), Some(mara.id.as_str()));
    for text in ["", "x"] {
        assert_eq!(act(&mut ada, &mara.id, "/notes", &[("text", text)]).status, 422);
    }
}

#[test]
fn a_newer_pass_takes_the_place_of_the_one_that_waits_in_the_same_case() {
    let (world, mut ada, mara) = owner_and_member();
    let first = reset(&mut ada, &mara.id);
    let second = reset(&mut ada, &mara.id);
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    browser.get("/enrol");
    assert_eq!(browser.post("/enrol/pass", &[("pass", &first)]).status, 401);
    assert_eq!(browser.post("/enrol/pass", &[("pass", &second)]).location(), "/enrol");
    world.enrol(&mut browser);
    // One case tells of both resets.
    assert!(ada.get("/admin/recovery/R-2026-0001").says("recovered"));
    assert_eq!(world.count("SELECT count(*) FROM cases"), 1);
}

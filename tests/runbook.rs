//! The runbook, sentence by sentence: identity, codes, reset. Its window is in `window.rs`, what can go wrong in
//! `detours.rs`.

use std::time::Duration;

use idp::audit::Action;

use crate::world::{Answer, Browser, Member, PASSWORD, World, body};

/// The fields of a reset that is well founded.
pub const FOUNDED: [(&str, &str); 4] = [
    ("evidence", "video_call"),
    ("ticket", "#1234"),
    ("reason", "lost her phone on the train"),
    ("codes_unavailable", "on"),
];

/// Opens the form at `act` of a person's page and sends it. Where the page says at once that it will be refused, the form
/// is sent with what another one of the session holds: an attacker needs no page to fill in.
pub fn act(admin: &mut Browser, id: &str, act: &str, fields: &[(&str, &str)]) -> Answer {
    let path = format!("/admin/users/{id}{act}");
    let status = admin.get(&path).status;
    if status == 403 {
        assert!(admin.page.says("Nothing has been changed") && admin.page.hidden("nonce").is_none());
        admin.get("/admin/users/new");
    } else {
        assert_eq!(status, 200, "{}", admin.page.text());
    }
    admin.post(&path, fields)
}

/// Resets a person; the pass.
pub fn reset(admin: &mut Browser, id: &str) -> String {
    let page = act(admin, id, "/mfa/reset", &FOUNDED);
    assert_eq!(page.status, 200, "{}", page.text());
    page.secret()
}

/// An owner and a member who is signed in.
pub fn owner_and_member() -> (World, Browser, Member) {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    (world, ada, mara)
}

/// Rows of `table` that belong to this person.
pub fn rows(world: &World, table: &str, id: &str) -> i64 {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.query_row(&format!("SELECT count(*) FROM {table} WHERE user_id = ?1"), [id], |row| row.get(0)).unwrap()
}

#[test]
fn someone_who_lost_their_phone_is_let_back_in_and_it_can_be_shown_later() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    let mut old_browser = mara.browser;
    let before = world.head();

    let reset = format!("/admin/users/{}/mfa/reset", mara.id);
    assert!(ada.get(&format!("/admin/users/{}/mfa", mara.id)).says("10 codes remaining"));
    assert_eq!(ada.get(&reset).status, 200);
    let page = ada.post(&reset, &FOUNDED);
    assert_eq!(page.status, 200, "{}", page.text());
    let pass = page.secret();
    assert_eq!(pass.len(), 14, "{pass}");

    // Every factor goes, codes are voided, every session ends.
    assert!(!old_browser.is_signed_in());

    let mut mara_again = world.browser();
    let answer = mara_again.password(&mara.email, PASSWORD);
    assert_eq!((answer.status, answer.location()), (303, "/enrol"));
    // The enrolment page asks for the pass first, and nothing else opens.
    assert!(mara_again.get("/enrol").says("Enter the pass"));
    assert_eq!(mara_again.get("/profile").location(), "/sign-in?next=%2Fprofile");
    assert_eq!(mara_again.get("/admin/users").status, 303);
    mara_again.get("/enrol");
    assert_eq!(mara_again.post("/enrol", &[("code", "123456")]).location(), "/enrol");
    mara_again.get("/enrol");
    assert_eq!(mara_again.post("/enrol/pass", &[("pass", &pass.to_lowercase())]).location(), "/enrol");
    let (phone, codes) = world.enrol(&mut mara_again);
    assert!(mara_again.is_signed_in());
    assert_eq!(codes.len(), 10);

    // The loop is closed.
    assert_eq!(
        world.story_since(before),
        [
            "recovery.case_opened success",
            "recovery.identity_verified success",
            "mfa.factor_admin_reset success",
            "mfa.enrolment_pass_issued success",
            "user.password_verified success",
            "user.step_up success",
            "mfa.factor_enrolled success",
            "recovery.completed success",
            "mfa.backup_codes_generated success",
            "user.signed_in success",
        ]
    );
    let enrolled = world.entries_of(Action::MfaFactorEnrolled).pop().unwrap();
    assert_eq!(enrolled.header.case.as_deref(), Some("R-2026-0001"));
    let reset = world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
    assert_eq!(body(&reset).text("reason"), "lost her phone on the train");
    assert_eq!(body(&reset).text("ticket"), "#1234");
    assert_eq!(body(&reset).text("actor_name"), "Ada Brandt <ada@fernhill.example>");
    assert!(ada.get("/admin/recovery/R-2026-0001").says("recovered"));

    let mut elsewhere = world.browser();
    assert_eq!(elsewhere.sign_in(&world, &mara.email, PASSWORD, &phone).location(), "/profile");
    world.later(Duration::from_secs(60));
}

#[test]
fn each_accepted_kind_of_evidence_carries_a_reset_and_is_recorded() {
    let (world, mut ada, mara) = owner_and_member();
    let vouched = [("voucher", "Jonas Berg, HR"), ("ticket", "HR-77")];
    for (kind, more) in [("video_call", &[][..]), ("in_person", &[]), ("manager_ticket", &vouched)] {
        let mut fields = vec![("evidence", kind), ("evidence_note", "same face"), ("reason", "lost her phone")];
        fields.push(("codes_unavailable", "on"));
        fields.extend(more);
        let page = act(&mut ada, &mara.id, "/mfa/reset", &fields);
        assert_eq!(page.status, 200, "{kind}: {}", page.text());
        let entry = world.entries_of(Action::RecoveryIdentityVerified).pop().unwrap();
        assert_eq!(
            (body(&entry).fact("evidence").as_str(), body(&entry).fact("evidence_note").as_str()),
            (kind, "same face")
        );
    }
    let entry = world.entries_of(Action::RecoveryIdentityVerified).pop().unwrap();
    assert_eq!((body(&entry).fact("voucher").as_str(), body(&entry).text("ticket")), ("Jonas Berg, HR", "HR-77"));
    assert!(ada.get("/admin/recovery/R-2026-0001").says("Jonas Berg, HR vouches"));
}

#[test]
fn what_is_not_accepted_as_evidence_has_no_type_and_stands_there_with_the_reason() {
    let (world, mut ada, mut mara) = owner_and_member();
    let before = world.head();
    let page = ada.get(&format!("/admin/users/{}/mfa/reset", mara.id));
    for why in ["others can know it too", "whoever has the mailbox has the code", "may be the one that was taken"] {
        assert!(page.says(why), "{why}");
    }
    for act_path in ["/mfa/reset", "/mfa/backup-codes", "/password"] {
        for kind in ["", "email", "knowledge", "mailbox_code", "chat", "host", "VIDEO_CALL", "video_call "] {
            let page = act(
                &mut ada,
                &mara.id,
                act_path,
                &[("evidence", kind), ("reason", "she knows her birthday"), ("codes_unavailable", "on")],
            );
            assert_eq!(page.status, 422, "{kind}");
            assert!(page.says("Say how you made sure who it is.") && page.says("she knows her birthday"), "{kind}");
        }
    }
    assert!(mara.browser.is_signed_in());
    assert_eq!(world.head(), before, "nothing happened, so nothing is recorded");
}

#[test]
fn a_ticket_by_a_manager_needs_its_number_and_who_vouches() {
    let (world, mut ada, mara) = owner_and_member();
    let before = world.head();
    for (voucher, ticket, says) in [
        ("", "HR-77", "Enter who vouches"),
        ("Jonas Berg", "", "Enter the number of the ticket"),
        (" \u{200b}", "HR-77", "Enter who vouches"),
    ] {
        let page = act(
            &mut ada,
            &mara.id,
            "/mfa/reset",
            &[
                ("evidence", "manager_ticket"),
                ("voucher", voucher),
                ("ticket", ticket),
                ("reason", "lost her phone"),
                ("codes_unavailable", "on"),
            ],
        );
        assert_eq!(page.status, 422);
        assert!(page.says(says) && page.says("lost her phone"), "{}", page.text());
    }
    assert_eq!(world.head(), before);
}

#[test]
fn a_reset_asks_for_a_reason_that_can_be_read_in_six_months() {
    let (world, mut ada, mara) = owner_and_member();
    let before = world.head();
    let long = "x".repeat(501);
    for reason in ["", "   ", "x", "\u{202e}\u{202e}\u{202e}", &long] {
        let page = act(
            &mut ada,
            &mara.id,
            "/mfa/reset",
            &[("evidence", "video_call"), ("ticket", "#1234"), ("reason", reason), ("codes_unavailable", "on")],
        );
        assert_eq!(page.status, 422, "{reason:?}");
        assert!(page.says("reason") && page.body.contains("value=\"#1234\""), "{}", page.text());
    }
    assert_eq!(world.head(), before);
}

#[test]
fn while_codes_remain_a_reset_asks_for_the_statement_that_the_person_does_not_have_them() {
    let (world, mut ada, mut mara) = owner_and_member();
    let before = world.head();
    assert!(ada.get(&format!("/admin/users/{}/mfa", mara.id)).says("10 codes remaining"));
    let page = act(&mut ada, &mara.id, "/mfa/reset", &FOUNDED[..3]);
    assert_eq!(page.status, 422);
    assert!(
        page.says("Mara Lindqvist does not have the 10 remaining backup codes")
            && page.says("Ask for a backup code first")
    );
    assert!(mara.browser.is_signed_in() && world.head() == before);

    reset(&mut ada, &mara.id);
    let entry = world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
    assert_eq!(
        (body(&entry).fact("codes_voided").as_str(), body(&entry).fact("codes_said_unavailable").as_str()),
        ("10", "yes")
    );
    // None remain now, so nothing is asked.
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    assert!(!ada.get(&path).body.contains("codes_unavailable"));
    assert_eq!(ada.post(&path, &FOUNDED[..3]).status, 200);
}

#[test]
fn e_mail_password_and_backup_code_always_work_and_count_as_the_step_up_for_a_new_factor() {
    let (world, _, mara) = owner_and_member();
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    assert_eq!(browser.backup_code(&mara.codes[0].to_lowercase()).location(), "/profile");
    let page = browser.get("/profile");
    assert!(page.says("9 of 10"), "{}", page.text());
    assert_eq!(browser.post("/profile/factors", &[]).location(), "/profile/factors/new");
    let page = browser.get("/profile/factors/new");
    let phone = crate::world::Phone::scan(&page.body);
    let answer = browser.post("/profile/factors/new", &[("name", "New phone"), ("code", &phone.code(world.now()))]);
    assert_eq!(answer.location(), "/profile", "{}", answer.text());
    // A used code is used.
    let mut again = world.browser();
    again.password(&mara.email, PASSWORD);
    assert_eq!(again.backup_code(&mara.codes[0]).status, 401);
}

#[test]
fn a_reset_ends_every_factor_code_session_device_and_sign_in_under_way() {
    let (world, mut ada, mara) = owner_and_member();
    let mut second = world.browser();
    second.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    let mut pending = world.browser();
    assert_eq!(pending.password(&mara.email, PASSWORD).location(), "/sign-in/code");
    pending.get("/sign-in/code");
    assert_eq!(act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED).status, 200);
    let tables = ["factors", "code_sets", "sessions", "devices"];
    let counts: Vec<i64> = tables.iter().map(|t| rows(&world, t, &mara.id)).collect();
    assert_eq!(counts, [1, 2, 3, 2]);

    reset(&mut ada, &mara.id);
    for table in tables {
        assert_eq!(rows(&world, table, &mara.id), 0, "{table}");
    }
    let mut first = mara.browser;
    assert!(!first.is_signed_in() && !second.is_signed_in());
    world.later(Duration::from_secs(30));
    assert_eq!(pending.post("/sign-in/code", &[("code", &mara.phone.code(world.now()))]).status, 401);
    let entry = world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
    let told = ["factors_removed", "codes_voided", "sessions_ended"].map(|fact| body(&entry).fact(fact));
    assert_eq!(told, ["1", "13", "2"]);
}

#[test]
fn the_confirmation_shows_unusual_recent_activity() {
    let (world, mut ada, mara) = owner_and_member();
    let mut stranger = world.browser();
    stranger.address = "203.0.113.9".parse().unwrap();
    for _ in 0..3 {
        stranger.password(&mara.email, "not her password");
    }
    let page = ada.get(&format!("/admin/users/{}/mfa/reset", mara.id));
    assert!(page.says("3 in 24 hours, from 1 address look"), "{}", page.text());
    assert!(page.says("Password and contact details none in 7 days") && page.says("new devices none in 7 days"));
    // The phone with which somebody began is no new device; the next one is.
    world.browser().sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    assert!(ada.get(&path).says("Sign-ins from new devices 1 sign-in within 7 days, last on 24 November 2026 unusual"));
    // What happens in a case is no sign against that very case, but one in the next.
    let pass = world.reset(&mut ada, &mara.id);
    assert!(ada.get(&path).says("Earlier resets none in 90 days"));
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    browser.get("/enrol");
    browser.post("/enrol/pass", &[("pass", &pass)]);
    world.enrol(&mut browser);
    assert!(ada.get(&path).says("Earlier resets 1 reset within 90 days, last on 24 November 2026 unusual"));
}

#[test]
fn a_new_pass_needs_fresh_evidence_and_a_form_that_stood_open_too_long_keeps_what_was_typed() {
    let (world, mut ada, phone) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    ada.get(&path);
    for _ in 0..2 {
        world.later(Duration::from_secs(1_801));
        assert_eq!(ada.clone().get("/admin/users").status, 200);
        // That the session was used is written without waiting for it; whatever waits comes after.
        world.sweep();
    }
    let mut fields = FOUNDED.to_vec();
    let code = phone.code(world.now());
    fields.push(("step_up_code", &code));
    let page = ada.post(&path, &fields);
    assert_eq!(page.status, 403);
    assert!(page.says("It is too long ago that you made sure who it is.") && page.says("lost her phone on the train"));
    assert!(page.body.contains("value=\"#1234\"") && !page.body.contains("value=\"video_call\" checked"));
    let denied = world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
    assert_eq!((denied.header.outcome.as_str(), body(&denied).fact("rule").as_str()), ("denied", "evidence_stale"));
    assert_eq!(rows(&world, "factors", &mara.id), 1);

    // The form that came back is a new one.
    let page = ada.post(&path, &FOUNDED);
    assert_eq!(page.status, 200, "{}", page.text());
}

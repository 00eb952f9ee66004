//! The runbook, sentence by sentence.

use std::time::Duration;

use idp::audit::Action;

use crate::world::{PASSWORD, World, body};

/// The fields of a reset that is well founded.
pub const FOUNDED: [(&str, &str); 4] = [
    ("evidence", "video_call"),
    ("ticket", "#1234"),
    ("reason", "lost her phone on the train"),
    ("codes_unavailable", "on"),
];

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

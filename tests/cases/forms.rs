//! The forms of a case: sent twice, too late, or after somebody else has acted.

use std::time::Duration;

use idp::audit::Action;
use idp::users::Role;

use super::{Desk, REFUSED, again, denied, every_errand, in_case, last, open, page, verify};
use crate::runbook::{FOUNDED, act, reset};
use crate::world::{PASSWORD, host};

#[test]
fn an_admin_who_is_demoted_while_a_form_is_open_does_nothing_with_it() {
    let (mut desk, case) = Desk::with_case();
    let path = format!("/admin/recovery/{case}/refuse");
    desk.sam.browser.get(&path);
    let by = idp::actions::authorise::By::Host;
    let ask = idp::actions::grants::Ask { by, user: desk.sam.id.parse().unwrap(), nonce: None, source: host() };
    let why = "moved on".parse().unwrap();
    idp::actions::administer::change_role(&desk.world.app.means, ask, Role::Member, why).unwrap();
    assert_eq!(desk.sam.browser.post(&path, &REFUSED).status, 401);
    assert!(page(&mut desk.ada, &case).says("identity not verified yet"));
}

#[test]
fn text_that_is_too_long_or_looks_like_markup_or_a_header_is_told_or_shown_as_text() {
    let mut desk = Desk::new();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let evil = world.person(&mut desk.ada, "eve@fernhill.example", "Eve <b>\"x\"</b> Set-Cookie: a=b", "member");
    let path = format!("/admin/users/{}/case", evil.id);
    let long = "x".repeat(100_000);
    let page = act(sam, &evil.id, "/case", &[("reason", &long), ("ticket", "#1")]);
    assert_eq!(page.status, 422);
    assert!(page.says("Shorten the reason to 500 characters.") && page.body.contains(&long), "nothing is lost");
    sam.get(&path);
    let answer = sam.post(&path, &[("reason", "<script>alert(1)</script>\r\nSet-Cookie: c=d"), ("ticket", "<i>1")]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let case = answer.location().rsplit('/').next().unwrap().to_owned();
    for (path, field) in [("/escalate", "message"), ("/refuse", "note")] {
        let fields = [("refusal", "judgement"), (field, long.as_str())];
        let fields = if path == "/refuse" { &fields[..] } else { &fields[1..] };
        let page = in_case(sam, &case, path, fields);
        assert!(page.status == 422 && page.body.contains(&long), "{path}");
        assert!(page.says(&format!("Shorten the {field} to 500 characters.")), "{path}");
    }
    verify(sam, &case);
    in_case(sam, &case, "/refuse", &[("refusal", "judgement"), ("note", "<b>odd</b>\r\nX-Evil: 1")]);
    for page in [crate::cases::page(sam, &case), sam.get(&format!("/admin/users/{}", evil.id)), sam.get(&path)] {
        for markup in ["<script>alert", "<b>odd", "<b>\"x", "<i>1"] {
            assert!(!page.body.contains(markup), "{markup}");
        }
        assert!(page.says("<b>odd</b>") && page.says("Eve <b>\"x\"</b> Set-Cookie: a=b"), "{}", page.text());
        let names: Vec<_> = page.headers.iter().map(|(n, v)| format!("{n}: {v}")).collect();
        assert!(!names.iter().any(|h| h.contains("a=b") || h.contains("c=d") || h.contains("evil")), "{names:?}");
    }
}

#[test]
fn the_second_click_on_every_form_of_a_case_says_what_the_first_did_and_does_nothing() {
    let mut desk = Desk::new();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let path = format!("/admin/users/{}/case", desk.mara.id);
    sam.get(&path);
    let form = sam.page.clone();
    let first = sam.post(&path, &[("reason", "lost her phone")]);
    let case = first.location().rsplit('/').next().unwrap().to_owned();
    sam.page = form;
    let second = sam.post(&path, &[("reason", "lost her phone")]);
    assert!(second.status == 409 && second.says("Case R-2026-0001 was opened for Mara Lindqvist."));
    assert!(!second.says("can not be shown again"), "nothing secret was shown");
    for (path, fields, _) in every_errand().into_iter().filter(|e| e.0 != "/refuse" && e.0 != "/close") {
        again(world, &mut desk.ada, &case, path, fields);
    }
    again(world, &mut desk.ada, &case, "/close", &[]);
    let next = open(&mut desk.ada, &desk.mara.id);
    again(world, &mut desk.ada, &next, "/refuse", &REFUSED);
}

#[test]
fn after_a_quarter_of_an_hour_each_form_of_a_case_asks_again_who_it_is_and_keeps_what_was_typed() {
    let (mut desk, case) = Desk::with_case();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    world.later(Duration::from_secs(901));
    let before = world.head();
    for (path, fields, _) in every_errand() {
        let page = in_case(sam, &case, path, fields);
        assert!(page.status == 422 && page.body.contains("step_up_code"), "{path}: {}", page.status);
        for (_, value) in fields.iter().filter(|(name, _)| ["note", "message"].contains(name)) {
            assert!(page.says(value), "{path}");
        }
    }
    assert_eq!(world.head(), before);
    let code = desk.sam.phone.code(world.now());
    let sent = [("message", "I do not know the voice"), ("step_up_code", &code)];
    assert_eq!(in_case(sam, &case, "/escalate", &sent).status, 303);
}

#[test]
fn a_grant_form_that_was_opened_before_a_colleague_acted_does_nothing_and_tells_what_they_did() {
    let mut desk = Desk::new();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let path = format!("/admin/users/{}/mfa/reset", desk.mara.id);
    sam.get(&path);
    world.later(Duration::from_secs(5));
    let pass = reset(&mut desk.ada, &desk.mara.id);
    let page = sam.post(&path, &FOUNDED);
    assert_eq!(page.status, 409);
    assert!(page.says("Ada Brandt was here since: factors reset"), "{}", page.text());
    assert!(page.says("lost her phone on the train") && !page.body.contains("value=\"video_call\" checked"));
    assert_eq!(last(world, Action::MfaFactorAdminReset), denied("not_now"));
    let entry = world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
    assert_eq!(entry.header.case.as_deref(), Some("R-2026-0001"));
    // The pass that Ada reads out still works.
    let mut mara = world.browser();
    mara.password(&desk.mara.email, PASSWORD);
    mara.get("/enrol");
    assert_eq!(mara.post("/enrol/pass", &[("pass", &pass)]).status, 303);
    // The form that came back is a new one, about the case as it is now.
    world.later(Duration::from_secs(5));
    assert_eq!(sam.post(&path, &FOUNDED).status, 200);
}

#[test]
fn a_grant_form_that_was_opened_before_help_was_refused_tells_so_even_an_owner() {
    let (mut desk, case) = Desk::with_case();
    let (world, ada) = (&desk.world, &mut desk.ada);
    let path = format!("/admin/users/{}/password", desk.mara.id);
    ada.get(&path);
    world.later(Duration::from_secs(5));
    assert_eq!(in_case(&mut desk.sam.browser, &case, "/refuse", &REFUSED).status, 303);
    let page = ada.post(&path, &FOUNDED[..3]);
    assert!(page.status == 409 && page.says("Sam Okafor has decided since: refused"), "{}", page.text());
    assert_eq!(last(world, Action::UserPasswordSetByAdmin), denied("not_now"));
    world.later(Duration::from_secs(5));
    assert_eq!(ada.post(&path, &FOUNDED[..3]).status, 200, "who has read that may still help");
}

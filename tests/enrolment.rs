//! Enrolling: through an invitation or after a recovery, and through nothing else.

use std::time::Duration;

use idp::audit::Action;
use idp::policy::{self, Policy};
use idp::secret::Token;

use crate::world::{Browser, Member, PASSWORD, Phone, World};

fn with_mara() -> (World, Browser, Member) {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    (world, ada, mara)
}

fn password(world: &World, email: &str) -> Browser {
    let mut browser = world.browser();
    assert_eq!(browser.password(email, PASSWORD).location(), "/enrol");
    browser
}

fn give_pass(browser: &mut Browser, pass: &str) -> u16 {
    browser.get("/enrol");
    browser.post("/enrol/pass", &[("pass", pass)]).status
}

const WRONG_PASS: &str = "AAAA-AAAA-AAAA";

#[test]
fn five_wrong_passes_void_the_pass_and_close_the_case() {
    let (world, mut ada, mara) = with_mara();
    let pass = world.reset(&mut ada, &mara.id);
    // Spread over sign-ins: a new one starts no new count.
    for n in 1..=4 {
        let mut browser = password(&world, &mara.email);
        assert_eq!(give_pass(&mut browser, WRONG_PASS), 401, "{n}");
    }
    let mut waiting = password(&world, &mara.email);
    waiting.get("/enrol");
    let mut browser = password(&world, &mara.email);
    assert_eq!(give_pass(&mut browser, WRONG_PASS), 403);
    assert_eq!(waiting.post("/enrol/pass", &[("pass", &pass)]).status, 401, "the right pass came too late");
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 403, "someone has to open a new window");
    assert_eq!(world.entries_of(Action::RecoveryExpired).len(), 1);
    assert!(ada.get("/admin/recovery/R-2026-0001").says("expired"));
}

#[test]
fn of_many_wrong_passes_at_once_five_are_looked_at() {
    let (world, mut ada, mara) = with_mara();
    world.reset(&mut ada, &mara.id);
    let mut browser = password(&world, &mara.email);
    browser.get("/enrol");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                let mut browser = browser.clone();
                scope.spawn(move || browser.post("/enrol/pass", &[("pass", WRONG_PASS)]).status)
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let looked_at = world.entries_of(Action::MfaChallengeFailed).len();
    assert_eq!(looked_at, policy::WRONG_PASSES as usize, "{statuses:?}");
}

#[test]
fn the_window_after_a_reset_closes_after_an_hour() {
    let (world, mut ada, mara) = with_mara();
    let pass = world.reset(&mut ada, &mara.id);
    let mut late = password(&world, &mara.email);
    late.get("/enrol");
    world.later(Policy::default().window());
    assert_eq!(late.post("/enrol/pass", &[("pass", &pass)]).status, 401);
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 403);
    world.sweep();
    assert_eq!(world.entries_of(Action::RecoveryExpired).len(), 1);
}

#[test]
fn a_window_that_closes_while_the_qr_code_is_on_the_screen_is_closed() {
    let (world, mut ada, mara) = with_mara();
    let pass = world.reset(&mut ada, &mara.id);
    world.later(Policy::default().window() - Duration::from_secs(60));
    let mut browser = password(&world, &mara.email);
    assert_eq!(give_pass(&mut browser, &pass), 303);
    let phone = Phone::scan(&browser.get("/enrol").body);
    world.later(Duration::from_secs(60));
    let answer = browser.post("/enrol", &[("code", &phone.code(world.now()))]);
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert!(!browser.is_signed_in());
    assert_eq!(world.count("SELECT count(*) FROM factors"), 1, "the owner's only");
}

#[test]
fn a_pass_of_one_person_is_wrong_for_another_and_one_of_an_earlier_reset_is_void() {
    let (world, mut ada, mara) = with_mara();
    let jonas = world.person(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let earlier = world.reset(&mut ada, &mara.id);
    let jonas_pass = world.reset(&mut ada, &jonas.id);
    let newer = world.reset(&mut ada, &mara.id);
    let mut browser = password(&world, &mara.email);
    assert_eq!(give_pass(&mut browser, &earlier), 401);
    assert_eq!(give_pass(&mut browser, &jonas_pass), 401);
    assert_eq!(give_pass(&mut browser, &newer), 303);
    assert!(browser.get("/enrol").body.contains("otpauth"));
}

#[test]
fn the_pass_works_once_and_enrolling_closes_the_window() {
    let (world, mut ada, mara) = with_mara();
    let pass = world.reset(&mut ada, &mara.id);
    let mut first = password(&world, &mara.email);
    let mut second = password(&world, &mara.email);
    assert_eq!((give_pass(&mut first, &pass), give_pass(&mut second, &pass)), (303, 303));
    let thief = Phone::scan(&second.get("/enrol").body);
    let (phone, _) = world.enrol(&mut first);
    let answer = second.post("/enrol", &[("code", &thief.code(world.now()))]);
    assert_eq!(answer.status, 401, "one enrolment a window: {}", answer.text());
    assert!(!second.is_signed_in());
    assert_eq!(world.count("SELECT count(*) FROM enrolment_windows"), 0);
    let mut again = world.browser();
    assert_eq!(again.sign_in(&world, &mara.email, PASSWORD, &phone).status, 303);
}

#[test]
fn a_password_and_a_pass_are_needed_and_neither_the_pass_page_nor_the_code_page_opens_without() {
    let (world, mut ada, mara) = with_mara();
    let pass = world.reset(&mut ada, &mara.id);
    let mut stranger = world.browser();
    stranger.get("/sign-in");
    assert_eq!(stranger.post("/enrol/pass", &[("pass", &pass)]).status, 401);
    // With the password alone no secret is shown, and no code confirms one.
    let mut browser = password(&world, &mara.email);
    assert!(!browser.get("/enrol").body.contains("secret="));
    assert_eq!(world.count("SELECT count(*) FROM sessions WHERE stage = 'enrolling' AND sealed_seed IS NOT NULL"), 0);
    assert_eq!(browser.post("/enrol", &[("code", "000000")]).location(), "/enrol");
    assert!(!browser.is_signed_in());
}

#[test]
fn enrolment_does_not_open_for_someone_who_has_a_factor() {
    let (world, _, mara) = with_mara();
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    assert_eq!(browser.get("/enrol").location(), "/sign-in/code");
    let csrf = browser.csrf();
    assert_eq!(browser.post("/enrol/pass", &[("csrf", &csrf), ("pass", WRONG_PASS)]).status, 401);
    browser.get("/sign-in/code");
    assert_eq!(browser.post("/enrol", &[("code", "000000")]).location(), "/enrol");
    let mut full = mara.browser.clone();
    assert_eq!(full.get("/enrol").location(), "/sign-in?next=%2Fenrol");
}

#[test]
fn a_wrong_confirming_code_enrols_nothing_and_keeps_the_same_secret_on_the_page() {
    let (world, mut ada, _) = with_mara();
    let link = world.invite(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let mut browser = world.accept(&link);
    let phone = Phone::scan(&browser.get("/enrol").body);
    let page = browser.post("/enrol", &[("code", &phone.wrong_code(world.now()))]);
    assert!(page.status == 401 && page.says("This code is not right."), "{}", page.text());
    assert_eq!(Phone::scan(&page.body).seed(), phone.seed());
    assert!(!browser.is_signed_in());
    assert!(!world.stores(phone.seed()), "the secret is encrypted while it waits, too");
    world.enrol(&mut browser);
    assert!(browser.is_signed_in());
}

#[test]
fn one_enrolment_makes_one_factor_however_many_tabs_confirm_it() {
    let (world, mut ada, _) = with_mara();
    let link = world.invite(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let mut browser = world.accept(&link);
    let code = Phone::scan(&browser.get("/enrol").body).code(world.now());
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (mut browser, code) = (browser.clone(), &code);
                scope.spawn(move || browser.post("/enrol", &[("code", code)]).status)
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "{statuses:?}");
    let id = world.user("jonas@fernhill.example").id;
    assert_eq!(world.count(&format!("SELECT count(*) FROM factors WHERE user_id = '{id}'")), 1);
}

#[test]
fn an_invitation_works_once_for_its_person_and_for_three_days() {
    let (world, mut ada, _) = with_mara();
    let old = world.invite(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let id = world.user("jonas@fernhill.example").id;
    let again = format!("/admin/users/{id}/invitation");
    ada.get(&again);
    let page = ada.post(&again, &crate::runbook::FOUNDED);
    let at = page.body.find("/invitation/").unwrap();
    let new: String = page.body[at..].chars().take_while(|c| *c != '<' && *c != '"').collect();
    let mut browser = world.browser();
    assert_eq!(browser.get(&old).status, 410, "a newer link voids it");
    assert_eq!(browser.get(&new).status, 200);
    let mut other = browser.clone();
    assert_eq!(browser.post(&new, &[("password", PASSWORD)]).status, 303);
    assert_eq!(other.post(&new, &[("password", "another fine password")]).status, 410, "used");
    assert_eq!(world.browser().password("jonas@fernhill.example", PASSWORD).location(), "/enrol");

    let late = world.invite(&mut ada, "late@fernhill.example", "Late", "member");
    let mut browser = world.browser();
    world.later(policy::INVITATION - Duration::from_secs(1));
    assert_eq!(browser.get(&late).status, 200);
    world.later(Duration::from_secs(1));
    assert_eq!(browser.post(&late, &[("password", PASSWORD)]).status, 410);
}

#[test]
fn a_link_of_one_kind_is_refused_as_any_other_and_so_is_a_made_up_one() {
    let (world, mut ada, mara) = with_mara();
    let invitation = world.invite(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let token = invitation.rsplit('/').next().unwrap();
    let session = &mara.browser.cookies["idp-session"];
    let device = &mara.browser.cookies["idp-device"];
    let made_up = Token::generate().to_text();
    let mut browser = world.browser();
    for path in [
        format!("/setup/{token}"),
        format!("/invitation/{session}"),
        format!("/invitation/{device}"),
        format!("/setup/{made_up}"),
        format!("/invitation/{made_up}"),
        "/invitation/x".into(),
        format!("/invitation/{}", "x".repeat(5_000)),
        "/invitation/%FF%00".into(),
    ] {
        assert_eq!(browser.get(&path).status, 410, "{path}");
        browser.get("/sign-in");
        assert_eq!(browser.post(&path, &[("password", PASSWORD)]).status, 410, "{path}");
    }
    // Nor is a link or a device's token a session.
    for token in [token, device] {
        let mut browser = world.browser();
        browser.cookies.insert("idp-session".into(), token.to_owned());
        assert!(!browser.is_signed_in());
    }
}

#[test]
fn a_link_dies_with_the_state_that_it_was_made_for() {
    let (world, mut ada, _) = with_mara();
    let link = world.invite(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let id = world.user("jonas@fernhill.example").id.to_string();
    world.disable(&mut ada, &id);
    let mut browser = world.browser();
    assert_eq!(browser.get(&link).status, 410);
    let path = format!("/admin/users/{id}/enable");
    ada.get(&path);
    assert_eq!(ada.post(&path, &[("reason", "a mistake")]).status, 303);
    assert_eq!(browser.get(&link).status, 410, "enabling brings no link back");
}

#[test]
fn what_a_link_opens_ends_when_the_person_is_disabled_in_between() {
    let (world, mut ada, _) = with_mara();
    let link = world.invite(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let mut browser = world.accept(&link);
    let phone = Phone::scan(&browser.get("/enrol").body);
    world.disable(&mut ada, &world.user("jonas@fernhill.example").id.to_string());
    assert_eq!(browser.post("/enrol", &[("code", &phone.code(world.now()))]).status, 401);
    assert_eq!(world.browser().password("jonas@fernhill.example", PASSWORD).status, 401);
}

#[test]
fn passwords_follow_the_rules_and_no_others() {
    let (world, mut ada, _) = with_mara();
    let link = world.invite(&mut ada, "jonas.berg@fernhill.example", "Jonas Berg", "member");
    let mut browser = world.browser();
    browser.get(&link);
    let long = "ab cd ef ".repeat(29);
    for (password, why) in [
        ("", "at least 8"),
        ("seven77", "at least 8"),
        (&long, "at most 256"),
        ("password1", "attackers try first"),
        ("PassWord1", "attackers try first"),
        ("aaaaaaaaaaaa", "one piece repeated"),
        ("jonas.berg", "made of your name"),
        ("Berg Fernhill", "made of your name"),
        ("fernhilljoinery", "made of your name"),
    ] {
        let page = browser.post(&link, &[("password", password)]);
        assert!(page.status == 422 && page.says(why), "{password}: {}", page.text());
        assert!(password.len() < 7 || !page.body.contains(&format!("value=\"{password}\"")));
    }
    // No composition rules, spaces and any script welcome; 256 characters are all taken in.
    let longest: String = "zig zag mole ".chars().cycle().take(255).chain(['!']).collect();
    assert_eq!(browser.post(&link, &[("password", &longest)]).status, 303, "{}", browser.page.text());
    let mut other = world.browser();
    assert_eq!(other.password("jonas.berg@fernhill.example", &longest[..255]).status, 401, "nothing is cut off");
    assert_eq!(other.password("jonas.berg@fernhill.example", &longest).location(), "/enrol");
}

//! Sessions: how long they last, what ends them, and the cookies that carry them.

use std::time::Duration;

use idp::audit::Action;
use idp::policy;

use crate::world::{Browser, Member, PASSWORD, World, host};

fn with_mara() -> (World, Browser, Member) {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    (world, ada, mara)
}

/// A thief who has this token and nothing else.
fn thief(world: &World, token: &str) -> Browser {
    let mut browser = world.browser();
    browser.cookies.insert("idp-session".into(), token.to_owned());
    browser
}

/// Where the token leads: to the page of its stage, or to the sign-in page if it is dead.
fn leads_to(world: &World, token: &str) -> String {
    thief(world, token).get("/").location().to_owned()
}

#[test]
fn every_change_of_assurance_brings_a_new_token_and_the_old_one_is_dead() {
    let (world, mut ada, ada_phone) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let token = |browser: &Browser| browser.cookies["idp-session"].clone();
    let temporary = world.temporary_password(&mut ada, &mara.id);
    let mut browser = world.browser();
    browser.password(&mara.email, &temporary);
    let pending = token(&browser);
    assert_eq!(leads_to(&world, &pending), "/sign-in/code");
    world.later(Duration::from_secs(30));
    browser.code(&mara.phone.code(world.now()));
    let changing = token(&browser);
    assert_eq!(
        (leads_to(&world, &pending), leads_to(&world, &changing)),
        ("/sign-in".into(), "/sign-in/password".into())
    );
    browser.get("/sign-in/password");
    browser.post("/sign-in/password", &[("new_password", "copper kettle lantern")]);
    let full = token(&browser);
    assert_eq!((leads_to(&world, &changing), leads_to(&world, &full)), ("/sign-in".into(), "/profile".into()));
    world.later(policy::IDLE + Duration::from_secs(1));
    browser.get("/sign-in/resume");
    browser.post("/sign-in/resume", &[("password", "copper kettle lantern")]);
    let resumed = token(&browser);
    assert_eq!((leads_to(&world, &full), leads_to(&world, &resumed)), ("/sign-in".into(), "/profile".into()));

    let pass = {
        let mut ada = world.browser();
        ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &ada_phone);
        world.reset(&mut ada, &mara.id)
    };
    let mut browser = world.browser();
    browser.password(&mara.email, "copper kettle lantern");
    let without_pass = token(&browser);
    browser.get("/enrol");
    browser.post("/enrol/pass", &[("pass", &pass)]);
    let with_pass = token(&browser);
    assert_eq!((leads_to(&world, &without_pass), leads_to(&world, &with_pass)), ("/sign-in".into(), "/enrol".into()));
    world.enrol(&mut browser);
    assert_eq!(leads_to(&world, &with_pass), "/sign-in");
    assert!(browser.is_signed_in());
    let tokens = [pending, changing, full, resumed, without_pass, with_pass, token(&browser)];
    let different: std::collections::HashSet<_> = tokens.iter().collect();
    assert_eq!(different.len(), tokens.len());
}

#[test]
fn a_token_planted_before_signing_in_is_not_the_sessions() {
    let (world, _, mara) = with_mara();
    let planted = idp::secret::Token::generate().to_text();
    let mut browser = thief(&world, &planted);
    browser.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    assert_ne!(browser.cookies["idp-session"], planted);
    assert!(!thief(&world, &planted).is_signed_in());
}

#[test]
fn an_idle_hour_is_resumed_with_the_password_and_goes_on_where_it_was() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    // Thirty seconds have passed since the enrolment.
    world.later(policy::IDLE - Duration::from_secs(30));
    assert!(browser.is_signed_in(), "an hour is not more than an hour");
    world.later(policy::IDLE + Duration::from_secs(61));
    assert_eq!(browser.get("/profile/password").location(), "/sign-in/resume?next=%2Fprofile%2Fpassword");
    let before = world.head();
    let csrf = browser.csrf();
    assert_eq!(browser.post("/profile/factors", &[("csrf", &csrf)]).status, 401);
    assert_eq!(world.head(), before);
    let page = browser.follow("/profile/password");
    assert!(page.says("Welcome back, Mara"));
    let wrong = [("password", "a wrong password"), ("next", "/profile/password")];
    assert_eq!(browser.post("/sign-in/resume", &wrong).status, 401);
    let next = browser.page.hidden("next").unwrap();
    let answer = browser.post("/sign-in/resume", &[("password", PASSWORD), ("next", &next)]);
    assert_eq!(answer.location(), "/profile/password");
    let page = browser.get("/profile/password");
    assert!(page.body.contains("step_up_code"), "a password alone is no step-up");
    world.later(policy::IDLE + Duration::from_secs(61));
    browser.get("/sign-in/resume");
    let answer = browser.post("/sign-in/resume", &[("password", PASSWORD), ("next", "//evil.example/")]);
    assert_eq!(answer.location(), "/profile");
}

#[test]
fn resuming_is_throttled_as_signing_in_is() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    world.later(policy::IDLE + Duration::from_secs(1));
    browser.get("/sign-in/resume");
    for _ in 0..5 {
        assert_eq!(browser.post("/sign-in/resume", &[("password", "a wrong password")]).status, 401);
    }
    let page = browser.post("/sign-in/resume", &[("password", PASSWORD)]);
    assert_eq!((page.status, page.header("retry-after")), (429, Some("1")));
}

#[test]
fn someone_idle_can_sign_out_without_resuming() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    world.later(policy::IDLE + Duration::from_secs(1));
    let csrf = browser.csrf();
    let token = browser.cookies["idp-session"].clone();
    assert_eq!(browser.post("/sign-out", &[("csrf", &csrf)]).location(), "/signed-out");
    assert_eq!(leads_to(&world, &token), "/sign-in");
}

#[test]
fn after_a_day_both_factors_are_asked_for_however_busy_the_session_was() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    // 24 hours after signing in, of which 30 seconds are over.
    for _ in 0..47 {
        world.later(Duration::from_secs(30 * 60));
        assert_eq!(browser.get("/profile").status, 200);
        // "Last seen" is written behind the answer; this waits for it.
        world.sweep();
    }
    world.later(Duration::from_secs(30 * 60));
    assert_eq!(browser.get("/profile").location(), "/sign-in?next=%2Fprofile");
    assert_eq!(browser.get("/sign-in/resume").location(), "/sign-in");
    assert_eq!(browser.sign_in(&world, &mara.email, PASSWORD, &mara.phone).status, 303);
}

#[test]
fn resuming_does_not_prolong_the_day() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    world.later(Duration::from_secs(23 * 3_600));
    browser.get("/sign-in/resume");
    assert_eq!(browser.post("/sign-in/resume", &[("password", PASSWORD)]).status, 303);
    world.later(Duration::from_secs(3_600));
    assert_eq!(browser.get("/profile").location(), "/sign-in?next=%2Fprofile");
}

#[test]
fn a_sign_in_that_is_not_finished_ends_after_ten_minutes() {
    let (world, _, mara) = with_mara();
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    browser.get("/sign-in/code");
    world.later(policy::PENDING);
    assert_eq!(browser.post("/sign-in/code", &[("code", &mara.phone.code(world.now()))]).status, 401);
    assert_eq!(world.entries_of(Action::UserSignedIn).len(), 2, "those of the two enrolments");
}

#[test]
fn signing_out_ends_the_session_and_takes_the_cookie_away() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    let token = browser.cookies["idp-session"].clone();
    browser.get("/profile");
    let answer = browser.post("/sign-out", &[]);
    assert_eq!(answer.location(), "/signed-out");
    assert!(answer.headers.iter().any(|(_, v)| v.starts_with("idp-session=;") && v.contains("Max-Age=0")));
    assert_eq!(leads_to(&world, &token), "/sign-in");
    assert!(browser.get("/signed-out").says("You are signed out"));
    assert!(browser.cookies.contains_key("idp-device"), "the device stays known");
}

#[test]
fn sessions_survive_a_restart_and_end_with_a_reset_a_disabling_and_a_temporary_password() {
    let (mut world, mut ada, mut mara) = with_mara();
    world.restart();
    ada.reconnect(&world);
    mara.browser.reconnect(&world);
    assert!(mara.browser.is_signed_in());
    let path = format!("/admin/users/{}/enable", mara.id);
    for act in 0..3 {
        let mut other = world.browser();
        other.get("/sign-in");
        let mut pending = world.browser();
        pending.password(&mara.email, PASSWORD);
        match act {
            0 => {
                world.disable(&mut ada, &mara.id);
                ada.get(&path);
                ada.post(&path, &[("reason", "a mistake")]);
            }
            1 => drop(world.temporary_password(&mut ada, &mara.id)),
            _ => drop(world.reset(&mut ada, &mara.id)),
        }
        assert!(!mara.browser.is_signed_in(), "act {act}");
        assert_eq!(pending.get("/sign-in/code").location(), "/sign-in?next=%2Fsign-in%2Fcode", "act {act}");
        let own = format!("user_id = '{}'", mara.id);
        assert_eq!(world.count(&format!("SELECT count(*) FROM sessions WHERE {own}")), 0, "act {act}");
        assert_eq!(world.count(&format!("SELECT count(*) FROM devices WHERE {own}")), 0, "act {act}");
        if act == 0 {
            let mut browser = world.browser();
            browser.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
            mara.browser = browser;
        }
    }
}

/// The attributes of a `Set-Cookie` line, after its value.
fn attributes(answer: &crate::world::Answer, name: &str) -> String {
    let start = format!("{name}=");
    let mut lines = answer.headers.iter().filter(|(n, v)| n == "set-cookie" && v.starts_with(&start));
    let line = &lines.next().unwrap_or_else(|| panic!("{name} is set: {:?}", answer.headers)).1;
    line.split_once("; ").unwrap().1.to_owned()
}

#[test]
fn cookies_are_bound_to_this_host_and_out_of_reach_of_scripts_and_other_sites() {
    for (url, prefix, secure) in
        [("http://localhost:8080", "", ""), ("https://id.fernhill.example", "__Host-", "; Secure")]
    {
        let world = World::at(url);
        let token = idp::actions::first_run::setup_link(&world.app.means, host()).unwrap().unwrap();
        let path = format!("/setup/{}", token.to_text());
        let mut browser = world.browser();
        let answer = browser.get(&path);
        let base = format!("Path=/; HttpOnly; SameSite=Lax{secure}");
        assert_eq!(attributes(&answer, &format!("{prefix}idp-guest")), format!("{base}; Max-Age=43200"));
        let fields = [("email", "ada@fernhill.example"), ("name", "Ada Brandt"), ("password", PASSWORD)];
        let answer = browser.post(&path, &fields);
        assert_eq!(attributes(&answer, &format!("{prefix}idp-session")), base, "it ends with the browser");
        let page = browser.get("/enrol");
        let phone = crate::world::Phone::scan(&page.body);
        let answer = browser.post("/enrol", &[("code", &phone.code(world.now()))]);
        assert_eq!(attributes(&answer, &format!("{prefix}idp-device")), format!("{base}; Max-Age=7776000"));
        assert!(answer.headers.iter().all(|(n, v)| n != "set-cookie" || !v.contains("Domain")));
        // Under https a cookie without the prefix, which another host could have set, is none of ours.
        if secure.is_empty() {
            continue;
        }
        let session = browser.cookies["__Host-idp-session"].clone();
        assert!(browser.is_signed_in());
        assert!(!thief(&world, &session).is_signed_in());
    }
}

#[test]
fn an_unreadable_cookie_is_as_good_as_none() {
    let (world, ..) = with_mara();
    for value in ["", "x", &"y".repeat(5_000), "\u{fffd}", "a=b=c", "../../etc"] {
        let mut browser = thief(&world, value);
        browser.cookies.insert("idp-guest".into(), value.to_owned());
        browser.cookies.insert("idp-device".into(), value.to_owned());
        browser.cookies.insert("idp-flash".into(), value.to_owned());
        assert_eq!(browser.get("/profile").status, 303);
        let page = browser.get("/sign-in");
        assert!(page.status == 200 && page.headers.iter().any(|(_, v)| v.starts_with("idp-guest=")), "{value}");
    }
}

#[test]
fn what_has_ended_is_swept_away() {
    let (world, _, mara) = with_mara();
    world.browser().password(&mara.email, PASSWORD);
    world.later(policy::DEVICE);
    world.sweep();
    for table in ["sessions", "devices", "links", "enrolment_windows", "form_nonces"] {
        assert_eq!(world.count(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

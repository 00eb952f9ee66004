//! Where a person is signed in and which devices are remembered: seen, ended, forgotten by themself and nobody else.

use std::time::Duration;

use idp::audit::Action;
use idp::policy;

use crate::runbook::owner_and_member;
use crate::world::{Browser, Member, PASSWORD, World, body};

const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/18.5 Mobile/15E148 Safari/604.1";

/// Signs `member` in on a further device at `address`.
fn elsewhere(world: &World, member: &Member, agent: &str, address: &str) -> Browser {
    let mut browser = world.browser().from(address);
    browser.agent = agent.to_owned();
    let answer = browser.sign_in(world, &member.email, PASSWORD, &member.phone);
    assert_eq!(answer.status, 303, "{}", answer.text());
    browser
}

/// The only value that `sql` finds.
fn value(world: &World, sql: &str) -> String {
    rusqlite::Connection::open(world.database()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Opens the page and presses the first button that posts to `start`…`end`.
fn press(browser: &mut Browser, start: &str, end: &str) -> String {
    let page = browser.get("/profile/sessions");
    let target = page
        .body
        .split("action=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .find(|action| action.starts_with(start) && action.ends_with(end))
        .unwrap_or_else(|| panic!("no button to {start}…{end}: {}", page.text()))
        .to_owned();
    let answer = browser.post(&target, &[]);
    assert_eq!(answer.location(), "/profile/sessions", "{}", answer.text());
    target
}

/// Whether the browser's cookie is worth nothing: no page, no form, no way to resume.
fn is_dead(browser: &Browser) -> bool {
    let mut browser = browser.clone();
    let page = browser.get("/profile/password").location().starts_with("/sign-in?");
    let csrf = browser.csrf();
    let form = browser.post("/profile/sessions/end", &[("csrf", &csrf)]).status == 401;
    let resumed = browser.post("/sign-in/resume", &[("csrf", &csrf), ("password", PASSWORD)]).status == 401;
    page && form && resumed
}

#[test]
fn sessions_and_devices_are_listed_in_plain_words_and_this_one_is_marked() {
    let (world, _, mara) = owner_and_member();
    let mut browser = mara.browser.clone();
    assert!(browser.get("/profile/sessions").says("You are signed in nowhere else."));
    elsewhere(&world, &mara, WINDOWS, "203.0.113.9");
    elsewhere(&world, &mara, IPHONE, "2001:db8::7");
    world.later(Duration::from_secs(300));
    let page = browser.get("/profile/sessions");
    for said in ["Firefox on Windows", "203.0.113.9", "Safari on iPhone", "2001:db8::7", "5 minutes ago"] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    assert_eq!(page.body.matches("this session").count(), 1);
    assert_eq!(page.body.matches("this device").count(), 1);
    let buttons = |end: &str| page.body.matches(end).count();
    assert_eq!((buttons("/end\""), buttons("/forget\"")), (2 + 1, 3 + 1), "each other session, and all of them");
    let profile = browser.get("/profile");
    assert!(profile.says("You are signed in here and in 2 other sessions. 3 devices are remembered."));
}

#[test]
fn a_session_that_is_over_is_not_listed() {
    let (world, _, mara) = owner_and_member();
    world.later(policy::SESSION);
    let mut browser = elsewhere(&world, &mara, WINDOWS, "203.0.113.9");
    assert_eq!(world.count(&format!("SELECT count(*) FROM sessions WHERE user_id = '{}'", mara.id)), 2);
    assert!(browser.get("/profile/sessions").says("You are signed in nowhere else."));
}

#[test]
fn a_session_that_is_ended_is_dead_at_once_and_it_is_recorded() {
    let (world, _, mara) = owner_and_member();
    let mut browser = mara.browser.clone();
    let lost = elsewhere(&world, &mara, IPHONE, "203.0.113.9");
    let mut kept = elsewhere(&world, &mara, WINDOWS, "203.0.113.10");
    let before = world.head();
    let page = browser.get("/profile/sessions");
    let row = page.body.split("<tr").find(|row| row.contains("Safari on iPhone")).unwrap();
    let target = row.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(browser.post(&target, &[]).location(), "/profile/sessions");
    assert!(is_dead(&lost) && kept.is_signed_in() && browser.is_signed_in());
    assert_eq!(world.story_since(before), ["user.session_revoked success"]);
    let entry = world.entries_of(Action::UserSessionRevoked).pop().unwrap();
    let (actor, target_id) = (entry.header.actor_id.clone(), entry.header.target_id.clone());
    assert_eq!((actor, target_id), (Some(mara.id.clone()), Some(mara.id.clone())));
    assert_eq!((&*body(&entry).fact("device"), &*body(&entry).fact("sessions_ended")), ("Safari on iPhone", "1"));
    // The second click finds nothing to end, says so, and shows what there is.
    browser.get("/profile/sessions");
    let again = browser.post(&target, &[]);
    assert!(again.status == 404 && again.says("not in the list any more") && again.says("Firefox on Windows"));
    assert_eq!(world.entries_of(Action::UserSessionRevoked).len(), 1);
}

#[test]
fn ending_all_others_kills_each_of_them_and_every_sign_in_under_way_at_once() {
    let (world, mut ada, mara) = owner_and_member();
    let jonas = world.person(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let mut browser = mara.browser.clone();
    let others: Vec<Browser> =
        ["203.0.113.1", "203.0.113.2", "203.0.113.3"].map(|at| elsewhere(&world, &mara, IPHONE, at)).into();
    let mut pending = world.browser();
    pending.password(&mara.email, PASSWORD);
    press(&mut browser, "/profile/sessions/end", "");
    assert!(browser.get("/profile/sessions").says("You are signed out everywhere but here."));
    assert!(browser.is_signed_in() && others.iter().all(is_dead));
    assert_eq!(pending.get("/sign-in/code").location(), "/sign-in?next=%2Fsign-in%2Fcode");
    assert!(jonas.browser.clone().is_signed_in() && ada.is_signed_in(), "nobody else notices");
    let entry = world.entries_of(Action::UserSessionRevoked).pop().unwrap();
    assert_eq!(body(&entry).fact("sessions_ended"), "3");
}

#[test]
fn one_can_end_the_session_that_one_is_in() {
    let (world, _, mara) = owner_and_member();
    let mut browser = mara.browser.clone();
    let own = value(&world, &format!("SELECT id FROM sessions WHERE user_id = '{}'", mara.id));
    browser.get("/profile/sessions");
    assert_eq!(browser.post(&format!("/profile/sessions/{own}/end"), &[]).status, 303);
    assert!(is_dead(&browser));
}

#[test]
fn a_session_or_device_of_someone_else_is_neither_seen_nor_ended() {
    let (world, ada, mara) = owner_and_member();
    let mara_elsewhere = elsewhere(&world, &mara, IPHONE, "203.0.113.77");
    let mut ada = ada;
    let jonas = world.person(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let ids = |table: &str| {
        let sql = format!("SELECT group_concat(id) FROM {table} WHERE user_id = '{}'", mara.id);
        value(&world, &sql).split(',').map(str::to_owned).collect::<Vec<_>>()
    };
    let (sessions, devices) = (ids("sessions"), ids("devices"));
    assert_eq!((sessions.len(), devices.len()), (2, 2));
    let before = world.head();
    // Neither another member nor an owner: for that there is the console, with its reason and its entry.
    for mut browser in [jonas.browser, ada] {
        let page = browser.get("/profile/sessions");
        assert!(!page.says("203.0.113.77") && !page.says("Safari on iPhone"));
        for path in sessions
            .iter()
            .map(|id| format!("/profile/sessions/{id}/end"))
            .chain(devices.iter().map(|id| format!("/profile/devices/{id}/forget")))
        {
            browser.get("/profile/sessions");
            let answer = browser.post(&path, &[]);
            assert_eq!(answer.status, 404, "{path}");
            assert!(sessions.iter().chain(&devices).all(|id| !answer.body.contains(id.as_str())));
        }
        assert_eq!(browser.post("/profile/sessions/not-an-id/end", &[]).status, 404);
    }
    assert_eq!(world.head(), before);
    assert_eq!((ids("sessions"), ids("devices")), (sessions, devices));
    assert!(mara.browser.clone().is_signed_in() && mara_elsewhere.clone().is_signed_in());
}

#[test]
fn ending_and_forgetting_asks_for_no_code_so_that_a_stolen_phone_does_not_stand_in_the_way() {
    let (world, _, mara) = owner_and_member();
    let mut browser = mara.browser.clone();
    let other = elsewhere(&world, &mara, IPHONE, "203.0.113.9");
    world.later(policy::STEP_UP + Duration::from_secs(31));
    assert!(browser.get("/profile/password").body.contains("step_up_code"), "what changes credentials asks");
    press(&mut browser, "/profile/sessions/", "/end");
    assert!(is_dead(&other));
    press(&mut browser, "/profile/devices/forget", "");
}

#[test]
fn a_forgotten_device_is_signed_out_loses_its_budget_and_is_new_at_its_next_sign_in() {
    let (world, _, mara) = owner_and_member();
    let mut browser = mara.browser.clone();
    let mut tablet = elsewhere(&world, &mara, IPHONE, "203.0.113.9");
    let mut thief = tablet.clone();
    thief.cookies.remove("idp-session");
    assert_eq!(thief.password(&mara.email, "not this one").status, 401);
    let device_failures = || world.count("SELECT count(*) FROM failures WHERE budget = 'device'");
    assert_eq!(device_failures(), 1);
    let page = browser.get("/profile/sessions");
    let row = page.body.split("<tr").filter(|row| row.contains("Safari on iPhone")).find(|r| r.contains("/forget"));
    let target = row.unwrap().split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(browser.post(&target, &[]).location(), "/profile/sessions");
    assert_eq!(device_failures(), 0);
    assert!(is_dead(&tablet) && browser.is_signed_in());
    let entry = world.entries_of(Action::UserDeviceForgotten).pop().unwrap();
    assert_eq!((&*body(&entry).fact("device"), &*body(&entry).fact("sessions_ended")), ("Safari on iPhone", "1"));
    browser.get("/profile/sessions");
    assert_eq!(browser.post(&target, &[]).status, 404, "the second click");
    // Its cookie is worth nothing: a wrong password there is a stranger's.
    assert_eq!(thief.password(&mara.email, "not this one").status, 401);
    assert_eq!(device_failures(), 0);
    assert!(world.count("SELECT count(*) FROM failures WHERE budget = 'account'") == 1);
    tablet.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    let entry = world.entries_of(Action::UserSignedIn).pop().unwrap();
    assert_eq!(body(&entry).fact("new_device"), "yes");
}

#[test]
fn all_devices_are_forgotten_at_once_and_only_this_session_goes_on() {
    let (world, mut ada, mara) = owner_and_member();
    let jonas = world.person(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let mut browser = mara.browser.clone();
    let other = elsewhere(&world, &mara, IPHONE, "203.0.113.9");
    let others_before = world.count(&format!("SELECT count(*) FROM devices WHERE user_id <> '{}'", mara.id));
    let mut stranger = other.clone();
    stranger.cookies.remove("idp-session");
    stranger.password(&mara.email, "not this one");
    press(&mut browser, "/profile/devices/forget", "");
    assert!(browser.get("/profile/sessions").says("No device is remembered."));
    assert!(is_dead(&other) && browser.is_signed_in() && jonas.browser.clone().is_signed_in());
    assert_eq!(world.count("SELECT count(*) FROM failures WHERE budget = 'device'"), 0);
    assert_eq!(world.count("SELECT count(*) FROM devices"), others_before);
    let entry = world.entries_of(Action::UserDeviceForgotten).pop().unwrap();
    assert_eq!((&*body(&entry).fact("devices"), &*body(&entry).fact("sessions_ended")), ("2", "1"));
}

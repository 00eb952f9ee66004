//! What an admin does on an ordinary day: looks at sessions and ends them, asks for a new password, lifts a delay, leaves
//! a note; and what the pages say when something may not be done.

use std::time::Duration;

use idp::audit::Action;
use idp::policy;
use idp::throttle::{Kind, delay};

use crate::grants::{DAILY, last};
use crate::runbook::{act, owner_and_member, reset, rows};
use crate::world::{Browser, Member, PASSWORD, World, body};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// Another session of this person, on a device of its own.
fn elsewhere(world: &World, member: &Member, agent: &str, address: &str) -> Browser {
    let mut browser = world.browser().from(address);
    browser.agent = agent.into();
    assert_eq!(browser.sign_in(world, &member.email, PASSWORD, &member.phone).location(), "/profile");
    browser
}

/// Where the pages lead to end one session each, the one seen last first.
fn ends(page: &str) -> Vec<String> {
    let links = page.split("<a href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.filter(|l| l.contains("/sessions/") && l.ends_with("/end") && l.len() > 90).map(str::to_owned).collect()
}

#[test]
fn a_session_is_shown_with_device_address_and_time_and_can_be_ended_alone() {
    let (world, mut ada, mara) = owner_and_member();
    let mut stolen = elsewhere(&world, &mara, FIREFOX, "203.0.113.9");
    let mut pending = world.browser().from("203.0.113.10");
    pending.password(&mara.email, PASSWORD);
    world.later(Duration::from_secs(120));
    let page = ada.get(&format!("/admin/users/{}/sessions", mara.id));
    assert!(page.says("Firefox on Linux") && page.says("203.0.113.9") && page.says("signed in"), "{}", page.text());
    assert!(page.says("203.0.113.10") && page.says("waits for the second factor") && page.says("2 minutes ago"));
    let links = ends(&page.body);
    assert_eq!(links.len(), 3);
    let one = links.iter().find(|l| ada.get(l).says("Firefox on Linux, 203.0.113.9")).unwrap().clone();
    ada.get(&one);
    assert_eq!(ada.post(&one, &[("reason", "")]).status, 422);
    assert!(stolen.is_signed_in());
    assert_eq!(ada.post(&one, &[("reason", "left on a train")]).status, 303);
    assert!(!stolen.is_signed_in() && mara.browser.clone().is_signed_in(), "that one, and no other");
    let entry = world.entries_of(Action::UserSessionRevoked).pop().unwrap();
    let read = body(&entry);
    assert_eq!((read.text("reason"), read.fact("device").as_str()), ("left on a train", "Firefox on Linux"));
    assert_eq!((read.fact("address").as_str(), read.fact("sessions_ended").as_str()), ("203.0.113.9", "1"));
    assert!(ada.get(&format!("/admin/users/{}/activity", mara.id)).says("Session on Firefox on Linux ended"));
    assert_eq!(ends(&ada.get(&format!("/admin/users/{}/sessions", mara.id)).body).len(), 2);
    assert_eq!(ada.get(&one).status, 404);
}

#[test]
fn a_session_of_a_superior_can_not_be_ended_through_a_person_below() {
    let (world, mut ada, mara) = owner_and_member();
    let mut sam = world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin").browser;
    let owner = world.user("ada@fernhill.example").id.to_string();
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let session: String =
        db.query_row("SELECT id FROM sessions WHERE user_id = ?1", [&owner], |row| row.get(0)).unwrap();
    for id in [&owner, &mara.id] {
        sam.get("/admin/users/new");
        let page = sam.post(&format!("/admin/users/{id}/sessions/{session}/end"), &[("reason", "just because")]);
        assert_eq!(page.status, 403, "{}", page.text());
    }
    assert_eq!(last(&world, Action::UserSessionRevoked), "denied nothing_to_do");
    assert!(ada.is_signed_in());
    // Nor are they offered: the page says why.
    let page = sam.get(&format!("/admin/users/{owner}/sessions"));
    assert!(page.says("Only an owner may do this") && ends(&page.body).is_empty(), "{}", page.text());
}

#[test]
fn ending_all_sessions_ends_sign_ins_under_way_too_and_nothing_else() {
    let (world, mut ada, mara) = owner_and_member();
    let mut second = elsewhere(&world, &mara, FIREFOX, "203.0.113.9");
    let mut pending = world.browser();
    pending.password(&mara.email, PASSWORD);
    pending.get("/sign-in/code");
    let devices = rows(&world, "devices", &mara.id);
    assert_eq!(act(&mut ada, &mara.id, "/sessions/end", &[("reason", "a stolen bag")]).status, 303);
    assert!(!mara.browser.clone().is_signed_in() && !second.is_signed_in());
    world.later(Duration::from_secs(30));
    assert_eq!(pending.post("/sign-in/code", &[("code", &mara.phone.code(world.now()))]).status, 401);
    assert_eq!((rows(&world, "sessions", &mara.id), rows(&world, "devices", &mara.id)), (0, devices));
    let entry = world.entries_of(Action::UserSessionRevoked).pop().unwrap();
    assert_eq!((body(&entry).text("reason"), body(&entry).fact("sessions_ended").as_str()), ("a stolen bag", "2"));
    assert_eq!(second.sign_in(&world, &mara.email, PASSWORD, &mara.phone).location(), "/profile");
}

#[test]
fn who_has_to_choose_a_new_password_gets_nowhere_without_and_not_with_the_old_one() {
    let (world, mut ada, mara) = owner_and_member();
    assert_eq!(act(&mut ada, &mara.id, "/password/change", &[("reason", "told it to a friend")]).status, 303);
    assert!(!mara.browser.clone().is_signed_in(), "a session would put it off");
    assert!(ada.get(&format!("/admin/users/{}", mara.id)).says("has to be changed at the next sign-in"));
    let mut browser = world.browser();
    // It opens nothing: both factors are asked for as ever.
    assert_eq!(browser.sign_in(&world, &mara.email, PASSWORD, &mara.phone).location(), "/sign-in/password");
    assert_eq!(browser.get("/profile").location(), "/sign-in?next=%2Fprofile");
    browser.get("/sign-in/password");
    let same = browser.post("/sign-in/password", &[("new_password", PASSWORD)]);
    assert!(same.status == 422 && same.says("Choose another one"), "{}", same.text());
    let new = "seven quiet herons";
    browser.get("/sign-in/password");
    assert_eq!(browser.post("/sign-in/password", &[("new_password", new)]).location(), "/profile");
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 401);
    world.later(Duration::from_secs(30));
    assert_eq!(world.browser().sign_in(&world, &mara.email, new, &mara.phone).location(), "/profile", "once is enough");
    let entry = world.entries_of(Action::UserPasswordResetRequired).pop().unwrap();
    assert_eq!(body(&entry).text("reason"), "told it to a friend");
    assert_eq!(body(&world.entries_of(Action::UserPasswordChanged).pop().unwrap()).fact("forced"), "yes");
}

#[test]
fn a_new_password_is_not_asked_for_twice_nor_of_who_has_none() {
    let (world, mut ada, mara) = owner_and_member();
    let why = [("reason", "told it to a friend")];
    act(&mut ada, &mara.id, "/password/change", &why);
    let page = act(&mut ada, &mara.id, "/password/change", &why);
    assert!(page.status == 403 && page.says("This can not be done now"), "{}", page.text());
    assert_eq!(last(&world, Action::UserPasswordResetRequired), "denied nothing_to_do");
    world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let noor = world.user("noor@fernhill.example").id.to_string();
    assert_eq!(act(&mut ada, &noor, "/password/change", &why).status, 403);
    assert_eq!(last(&world, Action::UserPasswordResetRequired), "denied is_invited");
}

#[test]
fn unlocking_lifts_the_delay_of_wrong_passwords_and_says_which_there_are() {
    let (world, mut ada, mara) = owner_and_member();
    for n in 1..=12 {
        let mut stranger = world.browser().from(&format!("203.0.113.{n}"));
        assert_eq!(stranger.password(&mara.email, "a wrong password").status, 401);
        if n < 12 {
            world.later(delay(Kind::Account, n));
        }
    }
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 429);
    let path = format!("/admin/users/{}/unlock", mara.id);
    assert!(ada.get(&path).says("12 wrong passwords; the next try in"), "{}", ada.page.text());
    let second = ada.page.clone();
    assert_eq!(ada.post(&path, &[("reason", "it was her who mistyped")]).status, 303);
    assert_eq!(world.browser().password(&mara.email, PASSWORD).location(), "/sign-in/code");
    let entry = world.entries_of(Action::UserUnlocked).pop().unwrap();
    assert_eq!(body(&entry).text("reason"), "it was her who mistyped");
    ada.page = second;
    assert_eq!(ada.post(&path, &[("reason", "it was her who mistyped")]).status, 409, "the second click");
    assert!(ada.get(&path).says("Nothing keeps them waiting now"));
    assert_eq!(ada.post(&path, &[("reason", "once more")]).status, 403);
    assert_eq!(last(&world, Action::UserUnlocked), "denied nothing_to_do");
}

#[test]
fn unlocking_gives_no_more_guesses_at_a_factor_than_a_hundred_and_switches_none_on_again() {
    let (world, _, mara) = owner_and_member();
    let wrong = |expected: u16| {
        let mut browser = world.browser();
        browser.password(&mara.email, PASSWORD);
        assert_eq!(browser.code(&mara.phone.wrong_code(world.now())).status, expected);
    };
    for n in 1..=98 {
        wrong(401);
        world.later(if n < 98 { delay(Kind::Totp, n) } else { Duration::ZERO });
    }
    wrong(429);
    let ask = || idp::actions::grants::Ask {
        by: idp::actions::authorise::By::Host,
        user: mara.id.parse().unwrap(),
        nonce: None,
        source: crate::world::host(),
    };
    let unlock = || idp::actions::keep_out::unlock(&world.app.means, ask(), "mistyped".parse().unwrap()).unwrap();
    assert!(matches!(unlock(), idp::actions::grants::Granted::Yes(())));
    wrong(401);
    wrong(429);
    unlock();
    // It leads to where a way in is left.
    wrong(303);
    assert_eq!(world.entries_of(Action::MfaFactorDisabled).len(), 1, "the hundredth counts as the hundredth");
    assert!(matches!(unlock(), idp::actions::grants::Granted::No(_)), "no delay is left to lift");
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    world.later(Duration::from_secs(30));
    browser.get("/sign-in/backup-code");
    let answer = browser.post("/sign-in/code", &[("code", &mara.phone.code(world.now()))]);
    assert_eq!(answer.location(), "/sign-in/backup-code");
}

#[test]
fn a_lock_on_the_persons_own_device_is_lifted_too() {
    let (world, mut ada, mara) = owner_and_member();
    let mut own = mara.browser;
    own.get("/profile");
    own.post("/sign-out", &[]);
    for n in 1..=7 {
        assert_eq!(own.password(&mara.email, "a wrong password").status, 401, "{n}");
        world.later(if n < 7 { delay(Kind::Device, n) } else { Duration::ZERO });
    }
    assert_eq!(own.password(&mara.email, PASSWORD).status, 429);
    assert_eq!(act(&mut ada, &mara.id, "/unlock", &[("reason", "it was her who mistyped")]).status, 303);
    assert_eq!(own.password(&mara.email, PASSWORD).location(), "/sign-in/code");
}

#[test]
fn notes_stand_newest_first_page_by_page_and_the_first_tab_shows_the_newest() {
    let (world, mut ada, mara) = owner_and_member();
    for n in 1..=23 {
        assert_eq!(act(&mut ada, &mara.id, "/notes", &[("text", &format!("note {n:02}."))]).status, 303);
        world.later(Duration::from_secs(1));
    }
    let path = format!("/admin/users/{}/notes", mara.id);
    let page = ada.get(&path);
    let order = |text: &str| -> Vec<String> {
        text.split("note ").skip(1).map(|t| t[..2].to_owned()).filter(|t| t.parse::<u8>().is_ok()).collect()
    };
    let newest: Vec<String> = (4..=23).rev().map(|n| format!("{n:02}")).collect();
    assert_eq!(order(&page.text()), newest);
    let older = page.body.split("notes?before=").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(order(&ada.get(&format!("{path}?before={older}")).text()), ["03", "02", "01"]);
    let overview = ada.get(&format!("/admin/users/{}", mara.id));
    assert_eq!(order(&overview.text()), ["23", "22", "21"]);
    assert!(overview.says("All notes") && overview.says("by Ada Brandt <ada@fernhill.example>"));
    ada.get(&path);
    let page = ada.post(&path, &[("text", "ab")]);
    assert!(page.status == 422 && page.body.contains(">ab</textarea>") && page.body.contains("href=\"#text\""));
}

#[test]
fn a_form_that_will_be_refused_says_so_at_once_and_opening_it_leaves_no_trace() {
    let (world, mut ada, mara) = owner_and_member();
    let mut sam = world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin").browser;
    let owner = world.user("ada@fernhill.example").id.to_string();
    let before = world.head();
    let others = ["/mfa/reset", "/mfa/backup-codes", "/password", "/disable", "/enable", "/invitation"];
    for path in DAILY.iter().map(|(path, ..)| *path).chain(others) {
        let page = sam.get(&format!("/admin/users/{owner}{path}"));
        assert_eq!(page.status, 403, "{path}");
        // Nobody here lets the only owner in again: the page says who does.
        let lets_in = ["/mfa/reset", "/mfa/backup-codes", "/password"].contains(&path);
        let instead = if lets_in { "idp recover-owner ada@fernhill.example" } else { "Ask an owner" };
        assert!(page.says(instead) && !page.says("it was tried"), "{path}: {}", page.text());
        assert!(page.hidden("nonce").is_none(), "{path}: there is no form");
    }
    for path in ["/enable", "/invitation"] {
        assert!(sam.get(&format!("/admin/users/{}{path}", mara.id)).says("This can not be done now"), "{path}");
    }
    assert_eq!(world.head(), before);
}

#[test]
fn every_daily_form_asks_again_who_it_is_after_a_quarter_of_an_hour_and_keeps_what_was_typed() {
    let (world, mut ada, phone) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    for (path, ..) in DAILY {
        assert_eq!(ada.get(&format!("/admin/users/{}{path}", mara.id)).status, 200, "{path}");
    }
    world.later(Duration::from_secs(901));
    let before = world.head();
    for (path, fields, _) in DAILY {
        let path = format!("/admin/users/{}{path}", mara.id);
        ada.get(&path);
        let page = ada.post(&path, fields);
        assert!(page.status == 422 && page.body.contains("name=\"step_up_code\""), "{path}: {}", page.text());
        for (name, value) in fields {
            let kept = [format!(">{value}</textarea>"), format!("value=\"{value}\"")];
            assert!(kept.iter().any(|k| page.body.contains(k)), "{path} keeps {name}: {}", page.body);
        }
    }
    assert_eq!(world.head(), before, "and nothing was done");
    let code = phone.code(world.now());
    let path = format!("/admin/users/{}/sessions/end", mara.id);
    ada.get(&path);
    assert_eq!(ada.post(&path, &[("reason", "a lost laptop"), ("step_up_code", &code)]).status, 303);
}

#[test]
fn an_error_page_keeps_the_navigation_of_who_is_signed_in_and_of_nobody_else() {
    let (world, mut ada, mara) = owner_and_member();
    for path in ["/admin/users/nobody", "/nowhere", "/admin/users?page=2"] {
        let page = ada.get(path);
        assert!(page.status >= 400 && page.body.contains("href=\"/admin/audit\""), "{path}: {}", page.text());
        assert!(page.says("Ada Brandt") && page.says("Sign out") && page.body.contains("Error: "));
        assert!(!page.body.contains("aria-current"), "it is nowhere");
    }
    // From such a page one can sign out.
    let mut leaving = ada.clone();
    leaving.get("/nowhere");
    assert_eq!(leaving.post("/sign-out", &[]).status, 303);
    let mut member = mara.browser;
    let page = member.get("/admin/users");
    assert!(page.status == 403 && page.says("Sign out") && !page.body.contains("href=\"/admin/"), "{}", page.text());
    let page = world.browser().get("/nowhere");
    assert!(page.status == 404 && !page.says("Sign out"));
    let mut pending = world.browser();
    pending.password("ada@fernhill.example", PASSWORD);
    let page = pending.get("/nowhere");
    assert!(page.status == 404 && !page.says("Sign out") && !page.says("Ada"), "half way in is nobody");
    world.later(policy::IDLE + Duration::from_secs(1));
    assert!(!ada.get("/nowhere").says("Sign out"), "nor is an idle session somebody");
}

#[test]
fn an_enrolment_under_way_can_be_ended_and_begun_again() {
    let (world, mut ada, mara) = owner_and_member();
    let pass = reset(&mut ada, &mara.id);
    let mut under_way = world.browser();
    under_way.password(&mara.email, PASSWORD);
    under_way.get("/enrol");
    assert_eq!(under_way.post("/enrol/pass", &[("pass", &pass)]).status, 303);
    under_way.get("/enrol");
    assert!(ada.get(&format!("/admin/users/{}/sessions", mara.id)).says("is setting up a factor"));
    assert_eq!(act(&mut ada, &mara.id, "/sessions/end", &[("reason", "not her voice")]).status, 303);
    assert_eq!(under_way.post("/enrol", &[("code", "123456")]).status, 401);
    let mut again = world.browser();
    assert_eq!(again.password(&mara.email, PASSWORD).location(), "/enrol");
}

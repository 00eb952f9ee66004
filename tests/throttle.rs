//! Guessing: what it costs, and whom it does not hurt.

mod floods;

use std::time::Duration;

use idp::audit::Action;
use idp::policy;

use crate::world::{Answer, Browser, Member, PASSWORD, World};

const WRONG: &str = "a wrong password";

fn with_mara() -> (World, Browser, Member) {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    (world, ada, mara)
}

/// Fails `times` on the address, waiting out every delay, from addresses that change.
fn fail(world: &World, email: &str, times: u32) {
    for n in 0..times {
        let mut browser = world.browser().from(&format!("203.0.113.{}", n % 200 + 1));
        assert_eq!(browser.password(email, WRONG).status, 401, "failure {n}");
        if n + 1 < times {
            world.later(idp::throttle::delay(idp::throttle::Kind::Account, n + 1));
        }
    }
}

#[test]
fn a_delay_is_reset_by_no_other_spelling_address_attempt_or_restart() {
    let (mut world, _, mara) = with_mara();
    fail(&world, &mara.email, 8);
    for spelling in
        ["mara@fernhill.example", "MARA@FERNHILL.EXAMPLE", "  Mara@Fernhill.example ", "mara@fernhill.EXAMPLE\t"]
    {
        for address in ["192.0.2.1", "198.51.100.77", "2001:db8::7"] {
            let mut browser = world.browser().from(address);
            let page = browser.password(spelling, PASSWORD);
            assert_eq!((page.status, page.header("retry-after")), (429, Some("8")), "{spelling:?} from {address}");
        }
    }
    world.restart();
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).header("retry-after"), Some("8"), "after a restart");
    world.later(Duration::from_secs(7));
    assert_eq!(browser.password(&mara.email, PASSWORD).header("retry-after"), Some("1"), "attempts prolong nothing");
    world.later(Duration::from_secs(1));
    assert_eq!(browser.password(&mara.email, WRONG).status, 401);
    assert_eq!(browser.password(&mara.email, PASSWORD).header("retry-after"), Some("16"), "and it grows");
}

#[test]
fn a_success_clears_the_delay_of_its_own_budget() {
    let (world, _, mara) = with_mara();
    fail(&world, &mara.email, 4);
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).status, 303);
    fail(&world, &mara.email, 5);
}

#[test]
fn sixty_four_wrong_passwords_at_once_get_no_more_tries_than_the_budget() {
    let (world, _, mara) = with_mara();
    let before = world.head();
    let browsers: Vec<Browser> = (0..64).map(|_| ready(&world)).collect();
    let statuses = all_at_once(browsers, &mara.email, |_| WRONG);
    let looked_at = statuses.iter().filter(|s| **s == 401).count();
    assert_eq!(looked_at, policy::FREE_FAILURES as usize, "{statuses:?}");
    assert!(statuses.iter().all(|s| [401, 429, 503].contains(s)), "{statuses:?}");
    assert_eq!(world.head() - before, i64::from(policy::FREE_FAILURES), "each that was looked at has its entry");
}

#[test]
fn a_right_password_among_many_wrong_ones_is_refused_once_the_block_is_there() {
    let (world, _, mara) = with_mara();
    let mut late = ready(&world);
    let browsers: Vec<Browser> = (0..32).map(|_| ready(&world)).collect();
    let statuses = all_at_once(browsers, &mara.email, |n| if n == 31 { PASSWORD } else { WRONG });
    // The right one may have been among the first: then it went through, and cleared the count once.
    let (failed, passed) = (count(&statuses, 401), count(&statuses, 303));
    assert!(passed <= 1 && failed <= (1 + passed) * policy::FREE_FAILURES as usize, "{statuses:?}");
    while late.post("/sign-in", &[("email", &mara.email), ("password", WRONG)]).status == 401 {}
    let answer = late.post("/sign-in", &[("email", &mara.email), ("password", PASSWORD)]);
    assert_eq!(answer.status, 429, "a right password is not looked at");
}

fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|s| **s == status).count()
}

fn ready(world: &World) -> Browser {
    let mut browser = world.browser();
    browser.get("/sign-in");
    browser
}

fn all_at_once(browsers: Vec<Browser>, email: &str, password: impl Fn(usize) -> &'static str + Sync) -> Vec<u16> {
    std::thread::scope(|scope| {
        let password = &password;
        let threads: Vec<_> = (0..)
            .zip(browsers)
            .map(|(n, mut browser)| {
                scope.spawn(move || browser.post("/sign-in", &[("email", email), ("password", password(n))]).status)
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

#[test]
fn a_known_device_has_a_budget_that_strangers_can_not_use_up() {
    let (world, _, mara) = with_mara();
    let mut own = mara.browser.clone();
    own.cookies.remove("idp-session");
    fail(&world, &mara.email, 16);
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 429);
    assert_eq!(own.sign_in(&world, &mara.email, PASSWORD, &mara.phone).status, 303);
    // A success on the device does not clear what strangers did.
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 429);
    // And the device's own failures are counted, apart.
    own.cookies.remove("idp-session");
    for _ in 0..5 {
        assert_eq!(own.password(&mara.email, WRONG).status, 401);
    }
    assert_eq!(own.password(&mara.email, PASSWORD).status, 429);
}

#[test]
fn a_device_of_one_person_opens_nobody_elses_budget() {
    let (world, mut ada, mara) = with_mara();
    let jonas = world.person(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    fail(&world, &mara.email, 8);
    let mut own = jonas.browser.clone();
    own.cookies.remove("idp-session");
    assert!(own.cookies.contains_key("idp-device"));
    assert_eq!(own.password(&mara.email, PASSWORD).status, 429);
    assert_eq!(own.password(&jonas.email, PASSWORD).status, 303);
}

#[test]
fn a_reset_forgets_the_devices() {
    let (world, mut ada, mara) = with_mara();
    world.reset(&mut ada, &mara.id);
    assert_eq!(world.count("SELECT count(*) FROM devices"), 1, "the owner's stays");
    fail(&world, &mara.email, 6);
    let mut own = mara.browser.clone();
    own.cookies.remove("idp-session");
    assert_eq!(own.password(&mara.email, PASSWORD).status, 429);
}

#[test]
fn a_lockout_ends_sign_ins_under_way_and_is_recorded_once() {
    let (world, _, mara) = with_mara();
    fail(&world, &mara.email, 14);
    world.later(Duration::from_secs(512));
    // Someone who knows the password waits at the second factor, on the device's own budget.
    let mut pending = mara.browser.clone();
    pending.cookies.remove("idp-session");
    assert_eq!(pending.password(&mara.email, PASSWORD).location(), "/sign-in/code");
    pending.get("/sign-in/code");
    assert_eq!(world.browser().password(&mara.email, WRONG).status, 401);
    assert_eq!(world.entries_of(Action::UserLocked).len(), 1);
    world.later(Duration::from_secs(30));
    let answer = pending.post("/sign-in/code", &[("code", &mara.phone.code(world.now()))]);
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert!(!pending.is_signed_in());
    assert!(mara.browser.clone().is_signed_in(), "a stranger ends no full session");
    world.later(policy::LONGEST_DELAY);
    assert_eq!(world.browser().password(&mara.email, WRONG).status, 401);
    assert_eq!(world.entries_of(Action::UserLocked).len(), 1, "once");
    assert_eq!(world.browser().password(&mara.email, PASSWORD).header("retry-after"), Some("900"));
}

#[test]
fn failures_of_a_second_factor_count_only_after_a_right_password() {
    let (world, _, mara) = with_mara();
    let before = world.head();
    let mut stranger = world.browser();
    for path in ["/sign-in/code", "/sign-in/backup-code"] {
        for _ in 0..20 {
            stranger.get("/sign-in");
            assert_eq!(stranger.post(path, &[("code", "123456")]).status, 401);
        }
    }
    assert_eq!((world.count("SELECT count(*) FROM failures"), world.head()), (0, before));
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    for _ in 0..5 {
        assert_eq!(browser.code(&mara.phone.wrong_code(world.now())).status, 401);
    }
    let answer = browser.code(&mara.phone.code(world.now()));
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")), "the right code is not looked at");
    // A new attempt, from elsewhere, starts no new count; a backup code has a budget of its own.
    let mut other = world.browser().from("203.0.113.9");
    other.password(&mara.email, PASSWORD);
    assert_eq!(other.code(&mara.phone.code(world.now())).status, 429);
    assert_eq!(other.backup_code(&mara.codes[0]).status, 303);
}

#[test]
fn parallel_codes_get_no_more_tries_than_the_budget() {
    let (world, _, mara) = with_mara();
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    browser.get("/sign-in/code");
    let wrong = mara.phone.wrong_code(world.now());
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..32)
            .map(|_| {
                let (mut browser, wrong) = (browser.clone(), &wrong);
                scope.spawn(move || browser.post("/sign-in/code", &[("code", wrong)]).status)
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!((count(&statuses, 401), count(&statuses, 429)), (5, 27), "{statuses:?}");
}

#[test]
fn a_hundred_wrong_codes_in_a_row_switch_the_app_off_but_never_the_backup_codes() {
    let (mut world, _, mara) = with_mara();
    for n in 1..=policy::TOTP_DISABLED_AT {
        let mut browser = world.browser();
        assert_eq!(browser.password(&mara.email, PASSWORD).location(), "/sign-in/code", "attempt {n}");
        // The last one leads to where a way in is left.
        let status = if n == policy::TOTP_DISABLED_AT { 303 } else { 401 };
        assert_eq!(browser.code(&mara.phone.wrong_code(world.now())).status, status, "attempt {n}");
        world.later(idp::throttle::delay(idp::throttle::Kind::Totp, n));
        if n == 50 {
            world.restart();
            world.later(policy::FAILURES_FORGOTTEN + Duration::from_secs(1));
            world.sweep();
        }
    }
    assert_eq!(world.entries_of(Action::MfaFactorDisabled).len(), 1);
    world.later(policy::FAILURES_FORGOTTEN);
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    let page = browser.get("/sign-in/backup-code");
    assert!(page.says("Your authenticator app was switched off after 100 wrong codes."), "{}", page.text());
    assert!(!page.says("Use the code from your app instead"));
    // Its codes are not called wrong, as if the next one could be right.
    let answer = browser.post("/sign-in/code", &[("code", &mara.phone.code(world.now()))]);
    assert_eq!(answer.location(), "/sign-in/backup-code");
    assert_eq!(browser.backup_code(&mara.codes[0]).location(), "/profile");
    assert!(browser.is_signed_in());
    // What happened, and what to do, stand on her own page; once the app is replaced, they are gone with it.
    let page = browser.get("/profile");
    assert!(page.says("switched off") && page.says("100 wrong codes in a row"), "{}", page.text());
    assert!(page.says("add an authenticator app, then remove this one"), "{}", page.text());
    crate::profile::add_app(&world, &mut browser, "New phone");
    let remove = format!("/profile/factors/{}/remove", world.factor(&mara.id));
    browser.get(&remove);
    assert_eq!(browser.post(&remove, &[]).status, 303, "{}", browser.page.text());
    browser.got_it();
    assert!(!browser.get("/profile").says("switched off"));
}

#[test]
fn the_help_desk_sees_the_app_that_was_switched_off_when_that_was_and_what_to_do() {
    let (world, mut ada, phone) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let overview = format!("/admin/users/{}", mara.id);
    let tab = format!("{overview}/mfa");
    assert!(ada.get(&overview).says("Second factor 1 factor, 10 backup codes remaining"), "{}", ada.page.text());
    assert!(!ada.page.says("switched off") && !ada.get(&tab).says("switched off"));
    for n in 1..=policy::TOTP_DISABLED_AT {
        let mut thief = world.browser();
        thief.password(&mara.email, PASSWORD);
        thief.code(&mara.phone.wrong_code(world.now()));
        world.later(idp::throttle::delay(idp::throttle::Kind::Totp, n));
    }
    let mut ada = world.browser();
    ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    let at = world.entries_of(Action::MfaFactorDisabled)[0].header.at;
    for path in [&overview, &tab] {
        let page = ada.get(path);
        for says in [
            "was switched off 15 minutes ago",
            "There were 100 wrong codes in a row",
            "somebody may know the password",
            "Ask Mara on a channel you trust",
        ] {
            assert!(page.says(says), "{path}: {says}: {}", page.text());
        }
        assert!(page.body.contains(&format!("<time datetime=\"{}\"", at.to_seconds_text())), "{path}");
        assert!(!page.says("none set up") && !page.says("No factor is set up"), "{path}: {}", page.text());
    }
    assert!(ada.get(&tab).says("Authenticator app switched off 15 minutes ago"), "{}", ada.page.text());
    assert!(ada.get(&overview).says("Second factor none that works 1 switched off"), "{}", ada.page.text());
    // What it says to do is under Actions, and stops whoever knew the password.
    assert!(ada.page.body.contains(&format!("href=\"{overview}/password\"")));
    world.temporary_password(&mut ada, &mara.id);
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 401);
    // Once it is gone, nothing is said any more.
    world.reset(&mut ada, &mara.id);
    assert!(!ada.get(&overview).says("switched off") && !ada.get(&tab).says("switched off"));
}

#[test]
fn backup_codes_are_delayed_and_never_switched_off() {
    let (world, _, mara) = with_mara();
    for n in 1..=120 {
        let mut browser = world.browser();
        browser.password(&mara.email, PASSWORD);
        assert_eq!(browser.backup_code("AAAA-AAAA-AAAA-AAAA").status, 401, "attempt {n}");
        world.later(idp::throttle::delay(idp::throttle::Kind::BackupCodes, n));
    }
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    assert_eq!(browser.backup_code("AAAA-AAAA-AAAA-AAAA").status, 401);
    assert_eq!(browser.backup_code(&mara.codes[1]).header("retry-after"), Some("900"));
    world.later(policy::LONGEST_DELAY);
    browser.password(&mara.email, PASSWORD);
    assert_eq!(browser.backup_code(&mara.codes[1]).location(), "/profile");
}

#[test]
fn whoever_has_the_password_keeps_nobody_out_of_a_device_that_they_signed_in_on_before() {
    let (world, _, mara) = with_mara();
    let mut thief = world.browser();
    assert_eq!(thief.password(&mara.email, PASSWORD).location(), "/sign-in/code");
    while thief.code(&mara.phone.wrong_code(world.now())).status != 429 {}
    let spoil = |page: &Answer| page.status == 401 || page.status == 429;
    for _ in 0..8 {
        assert!(spoil(&thief.backup_code("AAAA-BBBB-CCCC-DDDD")));
    }
    let right = mara.phone.code(world.now());
    let mut elsewhere = world.browser();
    elsewhere.password(&mara.email, PASSWORD);
    assert_eq!(elsewhere.code(&right).status, 429, "it holds whoever comes from somewhere new");
    let mut own = mara.browser.clone();
    own.cookies.remove("idp-session");
    assert_eq!(own.sign_in(&world, &mara.email, PASSWORD, &mara.phone).location(), "/profile");
    // A backup code as well; and the device waits for its own failures.
    own.cookies.remove("idp-session");
    own.password(&mara.email, PASSWORD);
    assert_eq!(own.backup_code(&mara.codes[0]).location(), "/profile");
    own.cookies.remove("idp-session");
    own.password(&mara.email, PASSWORD);
    for _ in 0..5 {
        assert_eq!(own.code(&mara.phone.wrong_code(world.now())).status, 401);
    }
    assert_eq!(own.code(&mara.phone.code(world.now())).status, 429);
}

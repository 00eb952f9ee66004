//! Signing in: the way through, and what everybody is told alike.

use std::time::Duration;

use idp::audit::Action;
use idp::policy::{Key, Policy};

use crate::world::{Answer, Browser, PASSWORD, World, body};

/// What an answer tells, without what is random in it.
fn told(answer: &Answer, email: &str) -> (u16, Vec<(String, String)>, String) {
    let mut page = answer.body.clone();
    if let Some(csrf) = answer.hidden("csrf") {
        page = page.replace(&csrf, "CSRF");
    }
    (answer.status, answer.headers.clone(), page.replace(email, "ADDRESS"))
}

#[test]
fn known_unknown_disabled_invited_and_locked_accounts_get_the_same_answers() {
    let (world, mut ada, _) = World::with_owner();
    let known = world.person(&mut ada, "known@fernhill.example", "Known", "member");
    let gone = world.person(&mut ada, "gone1@fernhill.example", "Gone", "member");
    world.disable(&mut ada, &gone.id);
    world.invite(&mut ada, "asked@fernhill.example", "Asked", "member");
    let mut all = Vec::new();
    for email in [known.email.as_str(), "never@fernhill.example", gone.email.as_str(), "asked@fernhill.example"] {
        let mut browser = world.browser().from("198.51.100.7");
        let mut answers = Vec::new();
        // Into the delay: the last ones are 429.
        for n in 0..9 {
            // The right password of a disabled account is as wrong as any other.
            let password = if n % 2 == 0 && email == gone.email { PASSWORD } else { "not the password" };
            answers.push(told(&browser.password(email, password), email));
        }
        all.push(answers);
    }
    let statuses: Vec<u16> = all[0].iter().map(|a| a.0).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429, 429, 429]);
    for other in &all[1..] {
        assert_eq!(&all[0], other);
    }
}

#[test]
fn a_right_password_for_a_disabled_or_invited_account_opens_nothing() {
    let (world, mut ada, _) = World::with_owner();
    let gone = world.person(&mut ada, "gone1@fernhill.example", "Gone", "member");
    world.disable(&mut ada, &gone.id);
    let mut browser = world.browser();
    assert_eq!(browser.password(&gone.email, PASSWORD).status, 401);
    assert_eq!(browser.get("/sign-in/code").location(), "/sign-in?next=%2Fsign-in%2Fcode");
    world.invite(&mut ada, "asked@fernhill.example", "Asked", "member");
    assert_eq!(browser.password("asked@fernhill.example", "").status, 422);
    assert_eq!(browser.password("asked@fernhill.example", PASSWORD).status, 401);
}

#[test]
fn an_unknown_typed_address_is_never_stored_because_it_may_be_a_password() {
    let (world, ..) = World::with_owner();
    let mut browser = world.browser();
    for typed in ["correct horse battery", "typo-of-ada@fernhill.example", "Zebra-Quilt-77"] {
        for _ in 0..7 {
            browser.password(typed, PASSWORD);
        }
        world.later(Duration::from_secs(61));
        world.sweep();
        assert!(!world.stores(typed) && !world.stores(typed.to_lowercase()), "{typed}");
        assert!(browser.page.hidden("csrf").is_some());
    }
}

#[test]
fn failures_on_unknown_accounts_become_one_entry_per_source_and_minute() {
    let (world, ..) = World::with_owner();
    let before = world.head();
    for n in 0..20 {
        world.browser().from("198.51.100.9").password(&format!("nobody{n}@fernhill.example"), "some guess");
    }
    for n in 0..3 {
        world.browser().from("198.51.100.10").password(&format!("nobody{n}@fernhill.example"), "some guess");
    }
    assert_eq!(world.head(), before, "nothing until the minute is over");
    world.later(Duration::from_secs(60));
    world.sweep();
    world.sweep();
    let entries = world.entries_of(Action::UserSignInFailed);
    let counts: Vec<_> = entries.iter().map(|e| (body(e).fact("count"), body(e).from_where())).collect();
    assert_eq!(counts.len(), 2, "{counts:?}");
    assert!(counts[0].0 == "3" && counts[0].1.contains("198.51.100.10"), "{counts:?}");
    assert!(counts[1].0 == "20" && counts[1].1.contains("198.51.100.9"), "{counts:?}");
}

#[test]
fn a_stranger_with_a_whole_ipv6_network_still_makes_one_entry_a_minute() {
    let (world, ..) = World::with_owner();
    let before = world.head();
    for n in 1..=30 {
        let mut browser = world.browser().from(&format!("2001:db8:1:2::{n:x}"));
        assert_eq!(browser.password(&format!("nobody{n}@fernhill.example"), "some guess").status, 401);
    }
    world.later(Duration::from_secs(60));
    world.sweep();
    assert_eq!(world.head(), before + 1);
    assert_eq!(body(&world.entries()[usize::try_from(before).unwrap()]).fact("count"), "30");
}

#[test]
fn where_to_go_after_signing_in_is_a_path_on_this_site_or_home() {
    let (world, _, phone) = World::with_owner();
    let go = |next: &str| {
        let mut browser = world.browser();
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        browser.get(&format!("/sign-in?{query}"));
        let page = browser.page.clone();
        let mut fields = vec![("email", "ada@fernhill.example"), ("password", PASSWORD)];
        // What the page carries on, and, worse, what an attacker puts into the form.
        assert!(page.hidden("next").is_none_or(|n| n.starts_with('/') && !n.starts_with("//")), "{next}");
        fields.push(("next", next));
        browser.post("/sign-in", &fields);
        world.later(Duration::from_secs(30));
        browser.code(&phone.code(world.now())).location().to_owned()
    };
    assert_eq!(go("/profile/password"), "/profile/password");
    for evil in
        ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]
    {
        assert_eq!(go(evil), "/admin", "{evil}");
    }
}

#[test]
fn a_person_disabled_while_signing_in_does_not_get_in() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).location(), "/sign-in/code");
    browser.get("/sign-in/code");
    world.disable(&mut ada, &mara.id);
    let answer = browser.post("/sign-in/code", &[("code", &mara.phone.code(world.now()))]);
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert!(!browser.is_signed_in() && !mara.browser.clone().is_signed_in());
    // Enabling brings back nothing that was under way before.
    let path = format!("/admin/users/{}/enable", mara.id);
    ada.get(&path);
    assert_eq!(ada.post(&path, &[("reason", "a mistake")]).status, 303);
    let answer = browser.post("/sign-in/code", &[("code", &mara.phone.code(world.now()))]);
    assert_eq!(answer.status, 401);
    assert!(!mara.browser.clone().is_signed_in());
}

#[test]
fn a_reset_between_password_and_code_wins() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    browser.get("/sign-in/backup-code");
    world.reset(&mut ada, &mara.id);
    assert_eq!(browser.post("/sign-in/backup-code", &[("code", &mara.codes[0])]).status, 401);
    assert!(!browser.is_signed_in());
}

#[test]
fn a_temporary_password_leads_to_its_replacement_and_to_nothing_else() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let temporary = world.temporary_password(&mut ada, &mara.id);
    assert!(!world.stores(&temporary) && !world.stores(temporary.replace('-', "")));
    assert!(!mara.browser.clone().is_signed_in(), "sessions end with it");
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).status, 401, "the old password is gone");
    let typed = temporary.to_lowercase().replace('-', " ");
    let answer = browser.sign_in(&world, &mara.email, &typed, &mara.phone);
    assert_eq!(answer.location(), "/sign-in/password");
    assert!(!browser.is_signed_in());
    browser.get("/sign-in/password");
    let page = browser.post("/sign-in/password", &[("new_password", "password1")]);
    assert!(page.status == 422 && page.says("attackers try first"), "{}", page.text());
    let answer = browser.post("/sign-in/password", &[("new_password", "copper kettle lantern")]);
    assert_eq!(answer.location(), "/profile");
    assert!(browser.is_signed_in());
    let mut other = world.browser();
    assert_eq!(other.password(&mara.email, &temporary).status, 401, "it worked once");
    assert_eq!(other.password(&mara.email, "copper kettle lantern").status, 303);
}

#[test]
fn a_temporary_password_expires_and_says_so_to_nobody() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let temporary = world.temporary_password(&mut ada, &mara.id);
    world.later(Policy::default().lasting(Key::TemporaryPassword));
    let mut browser = world.browser();
    let wrong = told(&browser.password(&mara.email, "some other password"), &mara.email);
    assert_eq!(told(&browser.password(&mara.email, &temporary), &mara.email), wrong);
}

#[test]
fn what_was_typed_is_kept_and_nothing_secret_is() {
    let (world, ..) = World::with_owner();
    let mut browser = world.browser();
    browser.get("/sign-in?next=%2Fprofile");
    let page = browser.post("/sign-in", &[("email", "ada@fernhill.example"), ("password", "hush hush hush")]);
    assert_eq!(page.status, 401);
    assert!(page.body.contains("value=\"ada@fernhill.example\"") && !page.body.contains("hush"));
    let page = browser.post("/sign-in", &[("email", ""), ("password", "")]);
    assert!(page.status == 422 && page.says("Enter your e-mail address.") && page.says("Enter your password."));
}

#[test]
fn a_huge_password_costs_one_hash_and_gets_the_ordinary_answer() {
    let (world, ..) = World::with_owner();
    let mut browser = world.browser();
    assert_eq!(browser.password("ada@fernhill.example", &"x".repeat(60_000)).status, 401);
    assert_eq!(browser.password(&"a".repeat(60_000), PASSWORD).status, 401);
    assert_eq!(browser.password("ada@fernhill.example", &format!("{PASSWORD}\0")).status, 401, "nothing is cut off");
}

#[test]
fn a_password_of_any_script_is_the_same_however_the_keyboard_composes_it() {
    let (world, mut ada, _) = World::with_owner();
    let link = world.invite(&mut ada, "zoe@fernhill.example", "Zoë", "member");
    let mut browser = world.browser();
    browser.get(&link);
    assert_eq!(browser.post(&link, &[("password", "cafe\u{301} 東京 тест ")]).status, 303);
    world.enrol(&mut browser);
    let mut other = world.browser();
    assert_eq!(other.password("zoe@fernhill.example", "caf\u{e9} 東京 тест").status, 401, "no space is dropped");
    assert_eq!(other.password(" Zoe@Fernhill.Example", "caf\u{e9} 東京 тест ").location(), "/sign-in/code");
}

#[test]
fn passwords_are_stored_as_argon2id_of_the_required_strength_and_nothing_secret_is_stored_plain() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let pass = world.reset(&mut ada, &mara.id);
    let strong = "SELECT count(*) FROM users WHERE password_hash GLOB '$argon2id$v=19$m=19456,t=2,p=1$*'";
    assert_eq!(world.count(strong), 2);
    let sets = "SELECT count(*) FROM code_sets WHERE memory_kib >= 19456 AND passes >= 2 AND lanes = 1";
    assert!(world.count(sets) > 0 && world.count(sets) == world.count("SELECT count(*) FROM code_sets"));
    assert!(!world.stores(PASSWORD) && !world.stores(&pass) && !world.stores(pass.replace('-', "")));
    for code in &mara.codes {
        assert!(!world.stores(code) && !world.stores(code.replace('-', "")));
    }
    assert!(!world.stores(mara.phone.seed()) && !world.stores(data_encoding::BASE32_NOPAD.encode(mara.phone.seed())));
    for token in ada.cookies.values().chain(mara.browser.cookies.values()) {
        assert!(!world.stores(token), "no cookie stands in the database");
    }
}

#[test]
fn a_hash_of_weaker_parameters_is_made_anew_at_the_next_sign_in() {
    use idp::password::{Argon2Params, PasswordHash, TypedPassword};
    let (world, _, phone) = World::with_owner();
    let (params, salt) = (Argon2Params::new(8_192, 1, 1).unwrap(), PasswordHash::new_salt());
    let typed = TypedPassword::parse(PASSWORD).secret().clone();
    let weak = PasswordHash::new(params, salt, world.app.means.pool.hash(typed, params, &salt).unwrap());
    let store = rusqlite::Connection::open(world.database()).unwrap();
    store.execute("UPDATE users SET password_hash = ?1", [weak.to_string()]).unwrap();
    let mut browser = world.browser();
    assert_eq!(browser.password("ada@fernhill.example", "a wrong password").status, 401);
    let strong = "SELECT count(*) FROM users WHERE password_hash GLOB '$argon2id$v=19$m=19456,t=2,p=1$*'";
    assert_eq!(world.count(strong), 0);
    browser.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    assert_eq!(world.count(strong), 1);
    assert_eq!(world.browser().password("ada@fernhill.example", PASSWORD).status, 303);
}

#[test]
fn a_clock_that_steps_back_shuts_nobody_out_and_is_recorded() {
    let (world, mut ada, phone) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let right = world.now();
    world.later(Duration::from_secs(5 * 86_400));
    // With the clock wrong by five days, someone else fails and an entry is written.
    let mut stranger = world.browser().from("203.0.113.5");
    for _ in 0..7 {
        stranger.password(&mara.email, "some guess");
    }
    world.clock.set(right);
    let enter = |browser: &mut Browser| browser.sign_in(&world, &mara.email, PASSWORD, &mara.phone).status;
    let mut browser = world.browser();
    assert_eq!(enter(&mut browser), 303, "{}", browser.page.text());
    assert!(browser.is_signed_in());
    assert_eq!(world.entries_of(Action::SystemClockStepped).len(), 1);
    // Delays go on to grow and to end while the clock is behind the trail.
    let mut other = world.browser().from("203.0.113.6");
    for _ in 0..6 {
        other.password("ada@fernhill.example", "some guess");
    }
    assert_eq!(other.page.status, 429);
    world.later(Duration::from_secs(1));
    assert_eq!(other.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone).status, 303);
    let times: Vec<_> = world.entries().iter().map(|e| e.header.at).collect();
    assert!(times.is_sorted(), "the trail's time never falls");
}

#[test]
fn a_step_of_the_sign_in_that_is_opened_again_by_going_back_leads_home_and_in_no_circle() {
    let (world, mut ada, phone) = World::with_owner();
    for step in ["/sign-in/code", "/enrol", "/sign-in/password", "/sign-in/resume"] {
        let answer = ada.follow(step);
        assert_eq!(answer.status, 200, "{step}: {}", answer.location());
        assert!(answer.says("Dashboard") || answer.says("Ada Brandt"), "{step}: {}", answer.text());
    }
    // Nor does who has to sign in first end there.
    let mut late = world.browser();
    let to = late.get("/sign-in/code").location().to_owned();
    world.later(Duration::from_secs(60));
    late.get(&to);
    let code = phone.code(world.now());
    let fields = [("email", "ada@fernhill.example"), ("password", PASSWORD), ("next", "/sign-in/code")];
    assert_eq!(late.post("/sign-in", &fields).location(), "/sign-in/code");
    assert_eq!(late.code(&code).location(), "/admin");
}

//! What people do with their own account.

use std::time::Duration;

use idp::audit::Action;
use idp::policy;

use crate::world::{Browser, Member, PASSWORD, Phone, World, body};

const NEW: &str = "copper kettle lantern";

fn with_mara() -> (World, Browser, Member) {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    (world, ada, mara)
}

/// Adds an app in a session that is stepped up.
pub fn add_app(world: &World, browser: &mut Browser, name: &str) -> Phone {
    browser.get("/profile");
    assert_eq!(browser.post("/profile/factors", &[]).location(), "/profile/factors/new");
    let phone = Phone::scan(&browser.get("/profile/factors/new").body);
    let answer = browser.post("/profile/factors/new", &[("name", name), ("code", &phone.code(world.now()))]);
    assert_eq!(answer.location(), "/profile", "{}", answer.text());
    phone
}

/// The ids of the factors on the profile page.
pub fn factors(browser: &mut Browser) -> Vec<String> {
    let page = browser.get("/profile");
    page.body
        .split("/profile/factors/")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("/remove")?.0.to_owned()))
        .filter(|id| id.len() == 36)
        .collect()
}

#[test]
fn an_app_is_added_with_a_code_of_its_own_and_can_be_removed_again() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    let tablet = add_app(&world, &mut browser, "My tablet");
    assert!(browser.get("/profile").says("The authenticator app was added."));
    assert!(browser.get("/profile").says("My tablet") && !browser.page.says("was added."), "said once");
    world.later(Duration::from_secs(60));
    let mut other = world.browser();
    assert_eq!(other.sign_in(&world, &mara.email, PASSWORD, &tablet).status, 303);
    let ids = factors(&mut browser);
    assert_eq!(ids.len(), 2);
    let path = format!("/profile/factors/{}/remove", ids[1]);
    assert!(browser.get(&path).says("My tablet"));
    assert_eq!(browser.post(&path, &[]).location(), "/profile");
    let mut other = world.browser();
    other.password(&mara.email, PASSWORD);
    world.later(Duration::from_secs(30));
    assert_eq!(other.code(&tablet.code(world.now())).status, 401, "what was removed is no factor");
    assert_eq!(browser.post(&path, &[]).status, 404, "the second click finds nothing");
}

#[test]
fn the_last_app_can_not_be_removed_and_the_attempt_is_recorded() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    let ids = factors(&mut browser);
    let path = format!("/profile/factors/{}/remove", world.factor(&mara.id));
    assert!(ids.len() <= 1);
    browser.get("/profile/password");
    assert_eq!(browser.post(&path, &[]).status, 422);
    assert_eq!(world.count("SELECT count(*) FROM factors"), 2);
    let entry = world.entries_of(Action::MfaFactorRemoved).pop().unwrap();
    assert_eq!(entry.header.outcome, "denied");
}

#[test]
fn of_two_apps_removed_at_the_same_moment_one_stays() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    add_app(&world, &mut browser, "Tablet");
    let ids = factors(&mut browser);
    browser.get("/profile/password");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = ids
            .iter()
            .map(|id| {
                let mut browser = browser.clone();
                scope.spawn(move || browser.post(&format!("/profile/factors/{id}/remove"), &[]).status)
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|s| **s == 303).count(), 1, "{statuses:?}");
    assert_eq!(factors(&mut browser).len().max(1), 1);
}

#[test]
fn an_app_of_someone_else_is_not_there() {
    let (world, mut ada, mara) = with_mara();
    let theirs = format!("/profile/factors/{}/remove", world.factor(&mara.id));
    assert_eq!(ada.get(&theirs).status, 404, "not even for an owner");
    ada.get("/profile/password");
    assert_eq!(ada.post(&theirs, &[]).status, 404);
    assert_eq!(ada.get("/profile/factors/not-an-id/remove").status, 404);
    assert_eq!(world.count("SELECT count(*) FROM factors"), 2);
}

#[test]
fn an_app_gets_another_name_which_is_recorded_and_shown_as_text() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    let path = format!("/profile/factors/{}/rename", world.factor(&mara.id));
    assert!(browser.get("/profile").body.contains(&path));
    assert!(browser.get(&path).body.contains("value=\"Authenticator app\""), "the present name stands there");
    assert_eq!(browser.post(&path, &[("name", "  <b>blue</b> phone ")]).location(), "/profile");
    let page = browser.get("/profile");
    assert!(page.body.contains("&lt;b&gt;blue&lt;/b&gt; phone") && page.says("has its new name."));
    let entry = world.entries_of(Action::MfaFactorRenamed).pop().unwrap();
    assert_eq!((&entry.header.actor_id, &entry.header.target_id), (&Some(mara.id.clone()), &Some(mara.id.clone())));
    let facts = ["from", "label", "factor"].map(|key| body(&entry).fact(key));
    assert_eq!(facts, ["Authenticator app".to_owned(), "<b>blue</b> phone".into(), world.factor(&mara.id)]);
    for (name, said) in [(" ", "Enter a name."), (&*"x".repeat(61), "Shorten the name to 60"), ("a\nb", "on one line")]
    {
        browser.get(&path);
        let page = browser.post(&path, &[("name", name)]);
        assert!(page.status == 422 && page.says(said), "{said}: {}", page.text());
    }
    browser.get(&path);
    assert_eq!(browser.post(&path, &[("name", &"ש".repeat(60))]).status, 303, "60 characters are not too many");
    assert_eq!(world.entries_of(Action::MfaFactorRenamed).len(), 2);
}

#[test]
fn an_app_of_someone_else_can_not_be_renamed_not_even_by_an_owner() {
    let (world, mut ada, mara) = with_mara();
    let path = format!("/profile/factors/{}/rename", world.factor(&mara.id));
    let before = world.head();
    assert_eq!(ada.get(&path).status, 404);
    ada.get("/profile/password");
    assert_eq!(ada.post(&path, &[("name", "mine now")]).status, 404);
    assert_eq!(world.head(), before);
    assert!(mara.browser.clone().get("/profile").says("Authenticator app"));
}

#[test]
fn who_signs_in_is_told_that_few_codes_are_left_and_more_strongly_that_none_is() {
    let (world, mut ada, _) = World::with_owner();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor", "admin");
    let leave = |left: i64| {
        let db = rusqlite::Connection::open(world.database()).unwrap();
        let sql = "UPDATE codes SET used_at = 1 WHERE position >= ?1 AND set_id =
                   (SELECT id FROM code_sets WHERE user_id = ?2)";
        db.execute(sql, (left, &noor.id)).unwrap();
        let mut browser = world.browser();
        // What else there is to be told was read before.
        let mut earlier = world.browser();
        earlier.sign_in(&world, &noor.email, PASSWORD, &noor.phone);
        earlier.got_it();
        assert_eq!(browser.sign_in(&world, &noor.email, PASSWORD, &noor.phone).location(), "/admin");
        let landed = browser.get("/admin/users");
        assert!(!browser.get("/admin/users").body.contains("/profile/backup-codes"), "said once");
        (landed, browser.get("/profile"))
    };
    let warns = |page: &crate::world::Answer, tone: &str, text: &str| {
        let notice = page.body.split(&format!("<div class=\"notice {tone}\"")).nth(1).unwrap_or_default();
        let notice = notice.split("</div>").next().unwrap_or_default();
        notice.contains(text) && notice.contains("href=\"/profile/backup-codes\"")
    };
    let (landed, profile) = leave(3);
    assert!(!landed.body.contains("/profile/backup-codes") && !profile.body.contains("class=\"notice"));
    for (left, said) in [(2, "Only 2 backup codes left."), (1, "Only 1 backup code left.")] {
        let (landed, profile) = leave(left);
        assert!(warns(&landed, "warn", "Only a few of your backup codes are left."), "{}", landed.text());
        assert!(warns(&profile, "warn", said), "{}", profile.text());
    }
    let (landed, profile) = leave(0);
    for page in [landed, profile] {
        assert!(warns(&page, "bad", "You have no backup codes left."), "{}", page.text());
    }
}

#[test]
fn a_person_has_at_most_ten_apps() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    for n in 2..=policy::FACTORS {
        add_app(&world, &mut browser, &format!("App {n}"));
    }
    browser.get("/profile");
    browser.post("/profile/factors", &[]);
    let phone = Phone::scan(&browser.get("/profile/factors/new").body);
    let page = browser.post("/profile/factors/new", &[("name", "One more"), ("code", &phone.code(world.now()))]);
    assert!(page.status == 422 && page.says("You have ten already."), "{}", page.text());
}

#[test]
fn a_prepared_secret_belongs_to_one_session() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    browser.get("/profile");
    browser.post("/profile/factors", &[]);
    let phone = Phone::scan(&browser.get("/profile/factors/new").body);
    let mut other = world.browser();
    other.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    assert_eq!(other.get("/profile/factors/new").location(), "/profile");
    other.get("/profile");
    let answer = other.post("/profile/factors/new", &[("name", "x"), ("code", &phone.code(world.now()))]);
    assert_eq!(answer.location(), "/profile");
    assert_eq!(world.count("SELECT count(*) FROM factors"), 2);
}

#[test]
fn new_backup_codes_void_the_old_and_are_shown_once() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    browser.get("/profile/backup-codes");
    let form = browser.page.clone();
    let page = browser.post("/profile/backup-codes", &[]);
    let codes = page.codes();
    assert_eq!((page.status, codes.len(), page.header("cache-control")), (200, 10, Some("no-store")));
    assert!(codes.iter().all(|c| !mara.codes.contains(c)));
    browser.page = form;
    let again = browser.post("/profile/backup-codes", &[]);
    assert_eq!((again.status, again.codes().len()), (409, 0), "the second click makes no third set");
    assert_eq!(world.entries_of(Action::MfaBackupCodesGenerated).len(), 3);
    let mut other = world.browser();
    other.password(&mara.email, PASSWORD);
    assert_eq!(other.backup_code(&mara.codes[0]).status, 401);
    assert_eq!(other.backup_code(&codes[0]).status, 303);
    for code in &codes {
        assert!(!world.stores(code) && !world.stores(code.replace('-', "")));
    }
}

#[test]
fn nobody_goes_on_from_the_backup_codes_without_the_tick_that_they_are_stored() {
    let (world, mut ada, _) = World::with_owner();
    let link = world.invite(&mut ada, "mara@fernhill.example", "Mara", "member");
    let mut enrolling = world.accept(&link);
    let phone = Phone::scan(&enrolling.get("/enrol").body);
    enrolling.post("/enrol", &[("code", &phone.code(world.now()))]);
    // Later, in a session of its own, the same page with new codes.
    let mut signed_in = enrolling.clone();
    signed_in.get("/profile/backup-codes");
    signed_in.post("/profile/backup-codes", &[]);
    for (browser, path) in [(&mut enrolling, "/enrol/stored"), (&mut signed_in, "/profile/backup-codes/stored")] {
        let head = world.head();
        for fields in [&[][..], &[("stored", "")], &[("stored", "no")]] {
            let page = browser.post(path, fields);
            assert_eq!((page.status, page.location(), page.codes().len()), (422, "", 0), "{path} {fields:?}");
            assert!(page.says("Save your backup codes") && page.says("Tick that you stored the codes."));
            assert!(page.body.contains(&format!("action=\"{path}\"")), "the form stands there again");
            assert!(page.says("can not be shown again") && page.says("make new ones"), "{}", page.text());
        }
        assert_eq!(world.head(), head, "nothing is written down as stored");
        assert_eq!(browser.post(path, &[("stored", "on")]).location(), "/profile", "{path}");
    }
}

#[test]
fn a_new_password_needs_the_old_one_and_ends_every_other_session_and_device() {
    let (world, _, mara) = with_mara();
    let mut other = world.browser();
    other.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    let mut pending = world.browser();
    pending.password(&mara.email, PASSWORD);
    let mut browser = mara.browser.clone();
    let old_token = browser.cookies["idp-session"].clone();
    browser.get("/profile/password");
    let page = browser.post("/profile/password", &[("current_password", "not this one"), ("new_password", NEW)]);
    assert!(page.status == 422 && page.says("This is not your current password."), "{}", page.text());
    assert!(!page.body.contains(NEW) && !page.body.contains("not this one"));
    let page = browser.post("/profile/password", &[("current_password", PASSWORD), ("new_password", "mara fernhill")]);
    assert!(page.status == 422 && page.says("made of your name"), "{}", page.text());
    let answer = browser.post("/profile/password", &[("current_password", PASSWORD), ("new_password", NEW)]);
    assert_eq!(answer.location(), "/profile", "{}", answer.text());
    assert!(browser.is_signed_in() && !other.is_signed_in());
    assert_ne!(browser.cookies["idp-session"], old_token);
    let mut thief = browser.clone();
    thief.cookies.insert("idp-session".into(), old_token);
    assert!(!thief.is_signed_in(), "the old token is dead");
    assert_eq!(pending.get("/sign-in/code").status, 303, "and so is what was under way");
    assert_eq!(world.count(&format!("SELECT count(*) FROM devices WHERE user_id = '{}'", mara.id)), 1);
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 401);
    assert_eq!(world.browser().password(&mara.email, NEW).status, 303);
}

#[test]
fn guessing_the_current_password_is_delayed_as_signing_in_is() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    let mut guess = |password: &str| {
        browser.get("/profile/password");
        browser.post("/profile/password", &[("current_password", password), ("new_password", NEW)]).status
    };
    for _ in 0..5 {
        assert_eq!(guess("a wrong guess"), 422);
    }
    assert_eq!(guess(PASSWORD), 429, "a right one is not looked at");
    world.later(Duration::from_secs(1));
    assert_eq!(guess(PASSWORD), 303);
}

#[test]
fn after_fifteen_minutes_every_sensitive_form_asks_again_and_keeps_what_was_typed() {
    let (world, mut ada, mara) = with_mara();
    let mut browser = mara.browser.clone();
    browser.get("/profile");
    browser.post("/profile/factors", &[]);
    let tablet = Phone::scan(&browser.get("/profile/factors/new").body);
    world.later(policy::STEP_UP + Duration::from_secs(31));
    let before = world.head();
    // A secret that was prepared is not shown to who comes later: adding an app begins again.
    for page in [
        browser.get("/profile/factors/new"),
        browser.post("/profile/factors/new", &[("name", "My tablet"), ("code", &tablet.code(world.now()))]),
    ] {
        assert_eq!(page.status, 422);
        assert!(page.body.contains("step_up_code") && !page.body.contains("otpauth"), "{}", page.body);
    }
    for path in [
        "/profile/backup-codes",
        "/profile/password",
        &format!("/profile/factors/{}/remove", world.factor(&mara.id)),
        &format!("/profile/factors/{}/rename", world.factor(&mara.id)),
    ] {
        assert!(browser.get(path).body.contains("step_up_code"), "{path}");
        let fields: &[(&str, &str)] = match path.rsplit('/').next() {
            Some("password") => &[("current_password", PASSWORD), ("new_password", NEW)],
            Some("rename") => &[("name", "blue phone")],
            _ => &[],
        };
        let page = browser.post(path, fields);
        assert!(page.status == 422 && page.body.contains("step_up_code"), "{path}: {}", page.text());
    }
    ada.get("/admin/users/new");
    let page = ada.post("/admin/users/new", &[("email", "new@fernhill.example"), ("name", "New"), ("role", "member")]);
    assert!(page.status == 422 && page.body.contains("value=\"new@fernhill.example\""), "{}", page.text());
    assert_eq!(world.head(), before, "nothing was changed");
    // In the same form, with a code, it goes through.
    browser.get("/profile/factors/new");
    let (code, step_up) = (tablet.code(world.now()), mara.phone.code(world.now()));
    let fields = [("name", "Tablet"), ("code", code.as_str()), ("step_up_code", step_up.as_str())];
    assert_eq!(browser.post("/profile/factors/new", &fields).location(), "/profile", "{}", browser.page.text());
}

#[test]
fn a_step_up_whose_form_was_wrong_otherwise_is_not_asked_for_twice() {
    let (world, _, mara) = with_mara();
    let mut browser = mara.browser.clone();
    world.later(policy::STEP_UP + Duration::from_secs(31));
    browser.get("/profile/password");
    let code = mara.phone.code(world.now());
    let fields = [("current_password", "not this one"), ("new_password", NEW), ("step_up_code", code.as_str())];
    let page = browser.post("/profile/password", &fields);
    assert!(page.status == 422 && !page.body.contains("step_up_code"), "{}", page.text());
    let answer = browser.post("/profile/password", &[("current_password", PASSWORD), ("new_password", NEW)]);
    assert_eq!(answer.location(), "/profile");
}

#[test]
fn a_step_up_counts_for_the_session_that_did_it_alone() {
    let (world, _, mara) = with_mara();
    let mut one = mara.browser.clone();
    let mut other = world.browser();
    other.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    world.later(policy::STEP_UP + Duration::from_secs(31));
    one.get("/profile/backup-codes");
    assert_eq!(one.post("/profile/backup-codes", &[("step_up_code", &mara.phone.code(world.now()))]).status, 200);
    assert!(!one.get("/profile/password").body.contains("step_up_code"));
    assert!(other.get("/profile/password").body.contains("step_up_code"));
    assert_eq!(other.post("/profile/password", &[("current_password", PASSWORD), ("new_password", NEW)]).status, 422);
}

#[test]
fn a_step_up_with_the_code_of_someone_else_is_none() {
    let (world, mut ada, mara) = with_mara();
    let jonas = world.person(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let mut browser = mara.browser.clone();
    world.later(policy::STEP_UP + Duration::from_secs(31));
    for code in [&jonas.phone.code(world.now()), &jonas.codes[0]] {
        browser.get("/profile/backup-codes");
        assert_eq!(browser.post("/profile/backup-codes", &[("step_up_code", code)]).status, 422);
    }
    browser.get("/profile/backup-codes");
    assert_eq!(browser.post("/profile/backup-codes", &[("step_up_code", &mara.codes[0])]).status, 200);
}

//! "This wasn't me": what it does at once, who is told, and what becomes of the case. The link is in `objections/link.rs`, who
//! may lift it in `objections/lifting.rs`.

mod last_owner;
mod lifting;
mod link;

use std::sync::Barrier;
use std::time::Duration;

use idp::actions::object::link_path;
use idp::audit::Action;
use idp::policy::Key;

use crate::runbook::{FOUNDED, act, reset, rows};
use crate::second_person::set_policy;
use crate::world::{Answer, Browser, Member, PASSWORD, Phone, World, body};

/// What is said to lift an objection.
pub const KNOWN: [(&str, &str); 3] =
    [("evidence", "in_person"), ("ticket", "#7"), ("reason", "it was her own request")];

/// Two owners, an admin and a member.
pub struct Firm {
    pub world: World,
    pub ada: Browser,
    pub bo: Member,
    pub tom: Member,
    pub mara: Member,
}

pub fn firm() -> Firm {
    let (world, mut ada, _) = World::with_owner();
    let bo = world.person(&mut ada, "bo@fernhill.example", "Bo Nilsson", "owner");
    let tom = world.person(&mut ada, "tom@fernhill.example", "Tom Okafor", "admin");
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    Firm { world, ada, bo, tom, mara }
}

/// The link in the newest notice of this kind to this person.
pub fn link(world: &World, user: &str, kind: &str) -> String {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let sql = "SELECT id FROM notices WHERE user_id = ?1 AND kind = ?2 ORDER BY at DESC, id DESC LIMIT 1";
    let id: String = db.query_row(sql, [user, kind], |row| row.get(0)).expect("there is such a notice");
    link_path(&world.app.means.key, id.parse().unwrap())
}

/// Opens a link in a browser that nobody has used, and presses the button.
pub fn object(world: &World, link: &str) -> Answer {
    let mut browser = world.browser();
    assert_eq!(browser.get(link).status, 200, "{}", browser.page.text());
    browser.post(link, &[])
}

/// The state of a case.
pub fn state(world: &World, case: &str) -> String {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.query_row("SELECT state FROM cases WHERE number = ?1", [case], |row| row.get(0)).unwrap()
}

/// What a table holds about a person, as text.
fn kept(world: &World, id: &str) -> Vec<String> {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let mut found = Vec::new();
    for sql in [
        "SELECT password_hash || must_change_password || coalesce(password_expires_at, '') FROM users WHERE id = ?1",
        "SELECT id || last_step || hex(sealed_seed) FROM factors WHERE user_id = ?1 ORDER BY id",
        "SELECT s.kind || position || hex(hash) || coalesce(used_at, '') FROM code_sets s JOIN codes ON set_id = s.id
         WHERE user_id = ?1 ORDER BY 1",
    ] {
        let mut query = db.prepare(sql).unwrap();
        found.extend(query.query_map([id], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    found
}

/// Sends the form at `path` as it is filled in by whoever may open it; where the page says no at once, with what another
/// form holds.
pub fn send(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    if browser.get(path).status != 200 {
        browser.get("/admin/users/new");
    }
    browser.post(path, fields)
}

#[test]
fn it_blocks_sign_in_at_once_and_destroys_nothing() {
    let Firm { world, mut tom, mut mara, .. } = firm();
    act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED);
    let mut pending = world.browser();
    assert_eq!(pending.password(&mara.email, PASSWORD).location(), "/sign-in/code");
    let before = kept(&world, &mara.id);
    assert_eq!(before.len(), 1 + 1 + 13);

    assert_eq!(object(&world, &link(&world, &mara.id, "codes_issued")).status, 200);
    world.later(Duration::from_secs(30));
    assert!(!mara.browser.is_signed_in());
    assert_eq!(pending.post("/sign-in/code", &[("code", &mara.phone.code(world.now()))]).status, 401);
    let known = world.browser().password(&mara.email, PASSWORD);
    let unknown = world.browser().password("nobody@fernhill.example", PASSWORD);
    assert_eq!((known.status, unknown.status), (401, 401), "a stranger is told nothing by it");
    for table in ["sessions", "devices", "links", "enrolment_windows"] {
        assert_eq!(rows(&world, table, &mara.id), 0, "{table}");
    }
    assert_eq!(kept(&world, &mara.id), before, "password, factors and codes are what they were");
    for path in ["/mfa/reset", "/mfa/backup-codes", "/password"] {
        assert_eq!(act(&mut tom.browser, &mara.id, path, &FOUNDED).status, 403, "{path}");
    }
}

#[test]
fn it_closes_an_enrolment_that_is_under_way_whoever_sits_there() {
    let Firm { world, mut tom, mara, .. } = firm();
    let pass = reset(&mut tom.browser, &mara.id);
    let mut impostor = world.browser();
    impostor.password(&mara.email, PASSWORD);
    impostor.get("/enrol");
    assert_eq!(impostor.post("/enrol/pass", &[("pass", &pass)]).location(), "/enrol");
    let phone = Phone::scan(&impostor.get("/enrol").body);
    object(&world, &link(&world, &mara.id, "factors_reset"));
    assert_eq!(impostor.post("/enrol", &[("code", &phone.code(world.now()))]).status, 401);
    assert_eq!((rows(&world, "factors", &mara.id), rows(&world, "enrolment_windows", &mara.id)), (0, 0));
    // Nor does the pass open anything later.
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 401);
}

#[test]
fn an_objection_and_an_enrolment_at_the_same_moment_leave_a_frozen_account_whichever_came_first() {
    for _ in 0..4 {
        let Firm { world, mut tom, mara, .. } = firm();
        let pass = reset(&mut tom.browser, &mara.id);
        let mut impostor = world.browser();
        impostor.password(&mara.email, PASSWORD);
        impostor.get("/enrol");
        impostor.post("/enrol/pass", &[("pass", &pass)]);
        let phone = Phone::scan(&impostor.get("/enrol").body);
        let code = phone.code(world.now());
        let link = link(&world, &mara.id, "factors_reset");
        let mut person = world.browser();
        person.get(&link);
        let barrier = Barrier::new(2);
        let (enrolled, objected) = std::thread::scope(|scope| {
            let enrolling = scope.spawn(|| {
                barrier.wait();
                impostor.post("/enrol", &[("code", &code)]).status
            });
            barrier.wait();
            let objected = person.post(&link, &[]).status;
            (enrolling.join().unwrap(), objected)
        });
        assert_eq!(objected, 200);
        assert!([200, 401].contains(&enrolled), "{enrolled}");
        assert_eq!(world.user(&mara.email).status.as_str(), "disabled");
        assert_eq!((state(&world, "R-2026-0001").as_str(), rows(&world, "sessions", &mara.id)), ("disavowed", 0));
        assert_eq!(
            rows(&world, "factors", &mara.id),
            i64::from(enrolled == 200),
            "what was enrolled is not destroyed yet"
        );
        assert!(!impostor.is_signed_in());
    }
}

#[test]
fn of_many_who_press_the_button_at_once_one_is_heard() {
    let Firm { world, mut tom, mara, .. } = firm();
    reset(&mut tom.browser, &mara.id);
    let link = link(&world, &mara.id, "factors_reset");
    let mut shown = world.browser();
    shown.get(&link);
    let barrier = Barrier::new(6);
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let press = || {
            let mut browser = shown.clone();
            let (link, barrier) = (&link, &barrier);
            scope.spawn(move || {
                barrier.wait();
                browser.post(link, &[]).status
            })
        };
        let threads: Vec<_> = (0..6).map(|_| press()).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|a| **a == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|a| [200, 410].contains(a)), "{answers:?}");
    assert_eq!(world.entries_of(Action::RecoveryDisavowed).len(), 1);
}

#[test]
fn owners_are_told_and_the_trail_says_from_where_it_was_said() {
    let Firm { world, mut tom, mara, bo, .. } = firm();
    reset(&mut tom.browser, &mara.id);
    let before = world.head();
    let mut browser = world.browser().from("203.0.113.40");
    let link = link(&world, &mara.id, "factors_reset");
    browser.get(&link);
    browser.post(&link, &[]);
    assert_eq!(world.story_since(before), ["recovery.disavowed success", "user.disabled success"]);
    for entry in world.entries().into_iter().filter(|e| e.header.seq > before) {
        assert_eq!(entry.header.case.as_deref(), Some("R-2026-0001"));
        assert_eq!((entry.header.actor_kind.as_str(), body(&entry).source("address")), ("anonymous", "203.0.113.40"));
    }
    let said = world.entries_of(Action::RecoveryDisavowed).pop().unwrap();
    assert_eq!((body(&said).fact("notice").as_str(), body(&said).fact("frozen").as_str()), ("factors_reset", "yes"));
    let ada = world.user("ada@fernhill.example").id.to_string();
    for (id, told) in [(&ada, 1), (&bo.id, 1), (&tom.id, 0)] {
        let sql = format!("SELECT count(*) FROM notices WHERE user_id = '{id}' AND kind = 'disavowed'");
        assert_eq!(world.count(&sql), told, "{id}");
    }
}

#[test]
fn the_case_and_the_person_say_that_the_account_is_frozen_and_what_to_do() {
    let Firm { world, mut ada, mut tom, mara, .. } = firm();
    reset(&mut tom.browser, &mara.id);
    object(&world, &link(&world, &mara.id, "factors_reset"));
    for path in ["/admin/recovery/R-2026-0001".to_owned(), format!("/admin/users/{}/mfa", mara.id)] {
        let page = ada.get(&path);
        assert!(
            page.says("This account is frozen") && page.says("Tom Okafor removed all your authenticator apps"),
            "{}",
            page.text()
        );
        assert!(page.body.contains("/admin/recovery/R-2026-0001/incident\""), "{path}");
        assert!(page.body.contains("/admin/recovery/R-2026-0001/reassure\""), "{path}");
        let page = tom.browser.get(&path);
        assert!(page.says("You acted in this case, so somebody else lifts the objection"), "{}", page.text());
        assert!(!page.body.contains("/reassure\"") && page.body.contains("/incident\""), "{path}");
    }
    let enable = ada.get(&format!("/admin/users/{}/enable", mara.id));
    assert_eq!((enable.status, enable.location()), (303, "/admin/recovery/R-2026-0001/reassure"));
}

#[test]
fn an_objection_about_an_account_that_is_closed_is_recorded_and_told_and_opens_nothing() {
    let Firm { world, mut ada, mut tom, mara, bo } = firm();
    reset(&mut tom.browser, &mara.id);
    let notice = link(&world, &mara.id, "factors_reset");
    world.disable(&mut tom.browser, &mara.id);
    assert!(world.browser().get(&notice).says("The account is closed already"));
    assert!(object(&world, &notice).says("The owners are told"));
    assert_eq!((world.user(&mara.email).status.as_str(), rows(&world, "freezes", &mara.id)), ("disabled", 0));
    let said = world.entries_of(Action::RecoveryDisavowed).pop().unwrap();
    assert_eq!((said.header.case.as_deref(), body(&said).fact("frozen").as_str()), (Some("R-2026-0001"), "no"));
    let told = format!("SELECT count(*) FROM notices WHERE user_id = '{}' AND kind = 'disavowed'", bo.id);
    assert_eq!(world.count(&told), 1);
    // Until somebody has looked, it is not enabled by the way; then it stays closed until somebody enables it.
    let enable = format!("/admin/users/{}/enable", mara.id);
    assert_eq!(send(&mut ada, &enable, &[("reason", "is back")]).status, 403);
    assert_eq!(send(&mut ada, "/admin/recovery/R-2026-0001/reassure", &[("reason", "talked to her")]).status, 303);
    assert_eq!(
        (state(&world, "R-2026-0001").as_str(), world.user(&mara.email).status.as_str()),
        ("reassured", "disabled")
    );
    assert_eq!(send(&mut ada, &enable, &[("reason", "is back")]).status, 303);
}

#[test]
fn an_objection_about_who_has_left_is_told_to_the_owners_and_changes_nothing_else() {
    let Firm { world, mut ada, mut tom, mara, bo } = firm();
    act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED);
    let notice = link(&world, &mara.id, "codes_issued");
    let leave = format!("/admin/users/{}/leave", mara.id);
    assert_eq!(send(&mut ada, &leave, &[("confirmed", "on"), ("reason", "has another job")]).status, 303);
    assert_eq!(object(&world, &notice).status, 200);
    assert_eq!(world.user(&mara.email).status.as_str(), "left");
    let told = format!("SELECT count(*) FROM notices WHERE user_id = '{}' AND kind = 'disavowed'", bo.id);
    assert_eq!(world.count(&told), 1);
    // It is not left to memory, and closed by whoever has looked.
    assert_eq!(state(&world, "R-2026-0001"), "disavowed");
    assert_eq!(send(&mut ada, "/admin/recovery/R-2026-0001/reassure", &[("reason", "nothing was lost")]).status, 303);
    assert_eq!((state(&world, "R-2026-0001").as_str(), world.user(&mara.email).status.as_str()), ("reassured", "left"));
}

#[test]
fn in_the_hour_that_stands_in_for_a_second_person_the_link_ends_what_was_asked_for() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    set_policy(&world, Key::SecondPersonRule, 2);
    let asked = act(&mut ada, &mara.id, "/mfa/reset", &FOUNDED);
    assert_eq!(asked.location(), "/admin/recovery/R-2026-0001", "{}", asked.text());
    let notice = link(&world, &mara.id, "grant_asked");
    let page = world.browser().get(&notice);
    assert!(page.says("Ada Brandt asked to remove all factors and give a pass, for your account."), "{}", page.text());
    assert_eq!(object(&world, &notice).status, 200);
    let lapsed = world.entries_of(Action::RecoveryApprovalLapsed).pop().unwrap();
    assert_eq!(
        (body(&lapsed).fact("why").as_str(), lapsed.header.case.as_deref()),
        ("the person objected", Some("R-2026-0001"))
    );
    assert_eq!(world.count("SELECT count(*) FROM case_requests WHERE state = 'lapsed'"), 1);
    world.later(Duration::from_secs(3_601));
    world.sweep();
    assert_eq!((rows(&world, "factors", &mara.id), state(&world, "R-2026-0001").as_str()), (1, "disavowed"));
    assert_eq!(world.user(&mara.email).status.as_str(), "disabled");
}

#[test]
fn a_case_that_was_closed_weeks_ago_is_looked_into_again_and_a_frozen_account_waits_however_long() {
    let Firm { world, mut tom, mara, .. } = firm();
    let pass = reset(&mut tom.browser, &mara.id);
    let mut impostor = world.browser();
    impostor.password(&mara.email, PASSWORD);
    impostor.get("/enrol");
    impostor.post("/enrol/pass", &[("pass", &pass)]);
    world.enrol(&mut impostor);
    assert_eq!(state(&world, "R-2026-0001"), "recovered");
    world.later(Duration::from_secs(9 * 86_400));
    object(&world, &link(&world, &mara.id, "factors_reset"));
    assert_eq!(state(&world, "R-2026-0001"), "disavowed");
    world.later(Duration::from_secs(90 * 86_400));
    world.sweep();
    assert_eq!(
        (state(&world, "R-2026-0001").as_str(), world.user(&mara.email).status.as_str()),
        ("disavowed", "disabled")
    );
}

//! "This wasn't me": the link in a notice, what it does at once, who is told, and who may lift it.

use std::sync::Barrier;
use std::time::Duration;

use idp::actions::authorise::By;
use idp::actions::grants::{Ask, Granted};
use idp::actions::object::link_path;
use idp::audit::Action;
use idp::host::keys::SeedKey;
use idp::http::Request;
use idp::ids::NoticeId;
use idp::policy::Key;
use idp::recovery::{Evidence, Statement};

use crate::carry_over::{Room, back_up, office};
use crate::grants::last;
use crate::runbook::{FOUNDED, act, reset, rows};
use crate::second_person::set_policy;
use crate::world::{Answer, Browser, Member, PASSWORD, Phone, World, body, host};

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
fn the_link_says_in_plain_words_what_it_is_about_and_what_it_does_and_works_without_signing_in_once() {
    let Firm { world, mut tom, mara, .. } = firm();
    reset(&mut tom.browser, &mara.id);
    let link = link(&world, &mara.id, "factors_reset");
    let mut browser = world.browser();
    let page = browser.get(&link);
    assert_eq!(page.status, 200);
    for what in [
        "This is about the account of Mara Lindqvist",
        "All authenticator apps and backup codes of your account were removed by Tom Okafor on 24 November 2026",
        "Nobody can sign in to the account any more, you neither",
        "Nothing is deleted",
    ] {
        assert!(page.says(what), "{what}: {}", page.text());
    }
    assert!(!page.body.contains("tom@fernhill.example"), "addresses of others are not told");
    let form = browser.page.clone();
    let page = browser.post(&link, &[]);
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.says("Your account is frozen") && page.says("R-2026-0001") && page.says("+46 8 555 01 00"));
    assert_eq!(
        (world.user(&mara.email).status.as_str(), state(&world, "R-2026-0001").as_str()),
        ("disabled", "disavowed")
    );

    let head = world.head();
    browser.page = form;
    let second = browser.post(&link, &[]);
    for answer in [browser.get(&link), second] {
        assert_eq!(answer.status, 410);
        assert!(answer.says("You have said this already") && answer.says("the office"), "{}", answer.text());
    }
    assert_eq!(world.head(), head, "the second time nothing happens");
}

#[test]
fn mail_programs_that_open_links_by_themselves_change_nothing() {
    let Firm { world, mut tom, mut mara, .. } = firm();
    act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED);
    let link = link(&world, &mara.id, "codes_issued");
    let before = (world.head(), kept(&world, &mara.id), rows(&world, "sessions", &mara.id));
    for method in ["GET", "HEAD", "GET", "PUT", "OPTIONS"] {
        let request = Request::new(method.parse().unwrap(), &link);
        world.browser().send(request);
    }
    // Nor does a form that comes from elsewhere, or without what binds it to its page.
    let mut browser = world.browser();
    assert_eq!(browser.post(&link, &[("csrf", "x")]).status, 403);
    browser.get(&link);
    let body = format!("csrf={}", browser.page.hidden("csrf").unwrap());
    let foreign = Request::post(&link, body.into_bytes())
        .with_header("Content-Type", "application/x-www-form-urlencoded")
        .with_header("Sec-Fetch-Site", "cross-site");
    let foreign = browser.dress(foreign);
    assert_eq!(browser.send(foreign).status, 403);
    assert_eq!((world.head(), kept(&world, &mara.id), rows(&world, "sessions", &mara.id)), before);
    assert!(mara.browser.is_signed_in());
    assert_eq!(object(&world, &link).status, 200, "it still works");
}

#[test]
fn the_link_works_for_fourteen_days_and_no_longer() {
    let Firm { world, mut tom, mara, .. } = firm();
    act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED);
    let first = link(&world, &mara.id, "codes_issued");
    world.later(Duration::from_secs(14 * 86_400 - 1));
    let mut early = world.browser();
    assert_eq!(early.get(&first).status, 200);
    world.later(Duration::from_secs(1));
    let head = world.head();
    for answer in [world.browser().get(&first), early.post(&first, &[])] {
        assert_eq!(answer.status, 410);
        assert!(answer.says("It is too late for this link") && answer.says("the office"), "{}", answer.text());
    }
    assert_eq!((world.head(), world.user(&mara.email).status.as_str()), (head, "active"));
}

#[test]
fn a_link_that_is_forged_of_another_kind_or_of_another_house_is_answered_as_one_that_never_was() {
    let Firm { world, mut ada, mut tom, mara, .. } = firm();
    reset(&mut tom.browser, &mara.id);
    let right = link(&world, &mara.id, "factors_reset");
    let token = right.rsplit('/').next().unwrap().to_owned();
    let invitation = world.invite(&mut ada, "noor@fernhill.example", "Noor", "member");
    let swapped: String = {
        // The code of one notice under the number of another.
        let other = link_path(&world.app.means.key, NoticeId::generate());
        format!("{}{}", &other.rsplit('/').next().unwrap()[..21], &token[21..])
    };
    let id: NoticeId = {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
        NoticeId::from_bytes(bytes[..16].try_into().unwrap())
    };
    let head = world.head();
    let flipped = format!("{}{}", &token[..63], if token.ends_with('A') { "B" } else { "A" });
    let never: Vec<String> = [
        flipped,
        swapped,
        token[1..].to_owned(),
        format!("{token}A"),
        "x".into(),
        invitation.rsplit('/').next().unwrap().into(),
        link_path(&SeedKey::generate(), id).rsplit('/').next().unwrap().into(),
        // The code is right, and the notice is not there.
        link_path(&world.app.means.key, NoticeId::generate()).rsplit('/').next().unwrap().into(),
    ]
    .map(|token| format!("/objection/{token}"))
    .into();
    let mut bodies = Vec::new();
    for link in &never {
        let mut browser = world.browser();
        let page = browser.get(link);
        assert_eq!(page.status, 404, "{link}");
        browser.get("/sign-in");
        assert_eq!(browser.post(link, &[]).status, 404, "{link}");
        bodies.push(page.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "nobody is told which of the reasons it is");
    assert!(world.browser().get(&never[0]).says("the office, +46 8 555 01 00"));
    assert_eq!(world.browser().get(&format!("/invitation/{token}")).status, 410, "nor is it a link of another kind");
    assert_eq!(world.browser().get(&format!("/setup/{token}")).status, 410);
    assert_eq!((world.head(), world.user(&mara.email).status.as_str()), (head, "active"));
    assert_eq!(object(&world, &right).status, 200);
}

#[test]
fn after_a_restore_no_link_of_before_works() {
    let (before, mut ada, _) = office();
    let mara = before.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    let in_backup = link(&before, &mara.id, "codes_issued");
    let backup = back_up(&before, "one.db");
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    let since = link(&before, &mara.id, "codes_issued");
    assert_eq!(before.browser().get(&in_backup).status, 200);
    let room = Room::of(&before);
    room.restore(&backup, &[]);
    let world = room.open(&before);
    assert_eq!(world.browser().get(&in_backup).status, 410);
    assert_eq!(world.browser().get(&since).status, 404, "that notice was never written here");
    let mut browser = world.browser();
    browser.get("/sign-in");
    assert_eq!(browser.post(&in_backup, &[]).status, 410);
    assert_eq!(world.user(&mara.email).status.as_str(), "active");
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
fn a_link_that_was_forwarded_freezes_and_does_no_more() {
    let Firm { world, mut tom, mara, .. } = firm();
    act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED);
    // Tom himself gets hold of the message.
    let link = link(&world, &mara.id, "codes_issued");
    tom.browser.get(&link);
    assert_eq!(tom.browser.post(&link, &[]).status, 200);
    assert_eq!((world.user(&mara.email).status.as_str(), rows(&world, "factors", &mara.id)), ("disabled", 1));
    assert!(tom.browser.is_signed_in(), "it is about her account, whoever presses the button");
    let said = world.entries_of(Action::RecoveryDisavowed).pop().unwrap();
    assert_eq!(said.header.actor_kind, "anonymous", "the link says nothing about who holds it");
}

#[test]
fn the_case_and_the_person_say_that_the_account_is_frozen_and_what_to_do() {
    let Firm { world, mut ada, mut tom, mara, .. } = firm();
    reset(&mut tom.browser, &mara.id);
    object(&world, &link(&world, &mara.id, "factors_reset"));
    for path in ["/admin/recovery/R-2026-0001".to_owned(), format!("/admin/users/{}/mfa", mara.id)] {
        let page = ada.get(&path);
        assert!(page.says("This account is frozen") && page.says("were removed by Tom Okafor"), "{}", page.text());
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
fn who_acted_in_the_case_lifts_the_objection_on_no_way() {
    let Firm { world, mut tom, mara, .. } = firm();
    reset(&mut tom.browser, &mara.id);
    object(&world, &link(&world, &mara.id, "factors_reset"));
    let reassure = "/admin/recovery/R-2026-0001/reassure";
    let page = tom.browser.get(reassure);
    assert!(page.status == 403 && page.says("You acted in this case"), "{}", page.text());
    let page = send(&mut tom.browser, reassure, &KNOWN);
    assert!(page.status == 403 && page.says("You acted in this case"), "{}", page.text());
    let denied = world.entries_of(Action::RecoveryReassured).pop().unwrap();
    assert_eq!((denied.header.outcome.as_str(), body(&denied).fact("rule").as_str()), ("denied", "acted_in_case"));
    assert_eq!((denied.header.case.as_deref(), body(&denied).text("reason")), (Some("R-2026-0001"), KNOWN[2].1));
    let enable = format!("/admin/users/{}/enable", mara.id);
    assert_eq!(send(&mut tom.browser, &enable, &[("reason", "she is fine")]).status, 403);
    assert_eq!(last(&world, Action::UserEnabled), "denied held");
    assert_eq!(world.user(&mara.email).status.as_str(), "disabled");
}

#[test]
fn whoever_has_given_anything_since_is_no_other_person_also_where_no_case_names_them() {
    let Firm { world, mut ada, mut bo, mara, .. } = firm();
    // A new address, which needs no case: then somebody objects, and a case is opened by nobody.
    let changed = act(
        &mut ada,
        &mara.id,
        "/email",
        &[("email", "m@fernhill.example"), ("evidence", "in_person"), ("reason", "was married")],
    );
    assert_eq!(changed.status, 303, "{}", changed.text());
    object(&world, &link(&world, &mara.id, "email_changed"));
    let opened = world.entries_of(Action::RecoveryCaseOpened).pop().unwrap();
    assert_eq!((opened.header.actor_kind.as_str(), opened.header.case.as_deref()), ("anonymous", Some("R-2026-0001")));
    assert!(ada.get("/admin/recovery/R-2026-0001").says("by the person, through a notice"));
    assert_eq!(send(&mut ada, "/admin/recovery/R-2026-0001/reassure", &KNOWN).status, 403);
    assert_eq!(last(&world, Action::RecoveryReassured), "denied acted_in_case");
    assert_eq!(send(&mut bo.browser, "/admin/recovery/R-2026-0001/reassure", &KNOWN).status, 303);
}

#[test]
fn somebody_else_lifts_it_with_fresh_evidence_and_everything_is_as_it_was() {
    let Firm { world, mut bo, mut tom, mara, .. } = firm();
    act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED);
    object(&world, &link(&world, &mara.id, "codes_issued"));
    let before = (world.head(), kept(&world, &mara.id));
    let path = "/admin/recovery/R-2026-0001/reassure";
    bo.browser.get(path);
    // What is on record is what was objected to, and does not count.
    for evidence in ["", "on_record", "chat"] {
        let page = bo.browser.post(path, &[("evidence", evidence), ("reason", "it was her own request")]);
        assert_eq!(page.status, 422, "{evidence}: {}", page.text());
        assert!(page.says("how you made sure who it is") && page.says("it was her own request"), "{}", page.text());
    }
    assert_eq!(bo.browser.post(path, &[("evidence", "in_person")]).status, 422, "a reason is asked for");
    let page = bo.browser.post(path, &KNOWN);
    assert_eq!((page.status, page.location()), (303, "/admin/recovery/R-2026-0001"), "{}", page.text());
    assert!(bo.browser.get(page.location()).says("The objection was lifted."));
    assert_eq!(state(&world, "R-2026-0001"), "reassured");
    assert_eq!(kept(&world, &mara.id), before.1);
    let story = world.story_since(before.0);
    let done = ["recovery.identity_verified success", "recovery.reassured success", "user.enabled success"];
    assert_eq!(story[story.len() - 3..], done, "{story:?}");
    let enabled = world.entries_of(Action::UserEnabled).pop().unwrap();
    assert_eq!((body(&enabled).text("reason"), enabled.header.case.as_deref()), (KNOWN[2].1, Some("R-2026-0001")));

    world.later(Duration::from_secs(30));
    assert_eq!(world.browser().sign_in(&world, &mara.email, PASSWORD, &mara.phone).location(), "/profile");
    let mut with_code = world.browser();
    with_code.password(&mara.email, PASSWORD);
    assert_eq!(with_code.backup_code(&mara.codes[3]).location(), "/profile");
    // The second click, and a second person, find it done.
    assert_eq!(send(&mut bo.browser, path, &KNOWN).status, 403);
    assert_eq!(last(&world, Action::RecoveryReassured), "denied not_now");
}

#[test]
fn evidence_from_before_the_objection_is_no_evidence_that_it_was_a_mistake() {
    let Firm { world, mut bo, mut tom, mara, .. } = firm();
    bo.browser.get("/admin/users/new");
    let old = bo.browser.page.clone();
    world.later(Duration::from_secs(60));
    reset(&mut tom.browser, &mara.id);
    object(&world, &link(&world, &mara.id, "factors_reset"));
    bo.browser.page = old;
    let page = bo.browser.post("/admin/recovery/R-2026-0001/reassure", &KNOWN);
    assert_eq!(page.status, 403, "{}", page.text());
    assert_eq!(last(&world, Action::RecoveryReassured), "denied evidence_stale");
    assert_eq!(
        bo.browser.post("/admin/recovery/R-2026-0001/reassure", &KNOWN).status,
        303,
        "the form that came back is new"
    );
}

#[test]
fn nobody_lifts_an_objection_who_may_not_act_on_the_person_and_nobody_one_that_is_not_there() {
    let Firm { world, mut ada, mut tom, mara, bo } = firm();
    let ann = world.person(&mut ada, "ann@fernhill.example", "Ann", "admin");
    let pass = reset(&mut ada, &mara.id);
    assert!(!pass.is_empty());
    // A case to which nobody objected.
    assert_eq!(send(&mut tom.browser, "/admin/recovery/R-2026-0001/reassure", &KNOWN).status, 409);
    assert_eq!(last(&world, Action::RecoveryReassured), "denied not_now");
    assert_eq!(send(&mut tom.browser, "/admin/recovery/R-2026-0077/reassure", &KNOWN).status, 404);
    // An admin's account is an owner's to open again.
    let mut anns = ann.browser.clone();
    anns.get("/profile/backup-codes");
    anns.post("/profile/backup-codes", &[]);
    object(&world, &link(&world, &ann.id, "codes_made"));
    let path = "/admin/recovery/R-2026-0002/reassure";
    assert_eq!(send(&mut tom.browser, path, &KNOWN).status, 403);
    assert_eq!(last(&world, Action::RecoveryReassured), "denied rank");
    for mut other in [mara.browser, ann.browser] {
        assert_ne!(other.get(path).status, 200);
    }
    assert_eq!(world.user("ann@fernhill.example").status.as_str(), "disabled");
    let mut bos = bo.browser;
    assert_eq!(send(&mut bos, path, &KNOWN).status, 303);
    assert_eq!(world.user("ann@fernhill.example").status.as_str(), "active");
}

#[test]
fn where_unusual_signs_need_an_owner_an_owner_lifts_the_objection() {
    let Firm { world, mut bo, mut tom, mut mara, mut ada } = firm();
    let ann = world.person(&mut ada, "ann@fernhill.example", "Ann", "admin");
    // A new device, and other contact details.
    let mut elsewhere = world.browser();
    elsewhere.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    mara.browser.get("/profile/contacts");
    mara.browser.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 123 45 67")]);
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    object(&world, &link(&world, &mara.id, "codes_issued"));
    let path = "/admin/recovery/R-2026-0001/reassure";
    for mut admin in [tom.browser.clone(), ann.browser] {
        assert_eq!(send(&mut admin, path, &KNOWN).status, 403);
        assert_eq!(last(&world, Action::RecoveryReassured), "denied owners_only");
    }
    assert!(tom.browser.get(path).says("Only an owner may do this"));
    assert_eq!(send(&mut bo.browser, path, &KNOWN).status, 303);
}

#[test]
fn where_nobody_else_may_the_host_enables_the_account() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    object(&world, &link(&world, &mara.id, "codes_issued"));
    let page = ada.get(&format!("/admin/users/{}", mara.id));
    assert!(page.says("Nobody else in the console can do it") && page.says("idp user enable"), "{}", page.text());
    let ask = Ask { by: By::Host, user: mara.id.parse().unwrap(), nonce: None, source: host() };
    let before = world.head();
    let done = idp::actions::administer::enable(&world.app.means, ask, "she came by".parse().unwrap()).unwrap();
    assert!(matches!(done, Granted::Yes(())), "{done:?}");
    assert_eq!(world.story_since(before), ["recovery.reassured success", "user.enabled success"]);
    assert_eq!((state(&world, "R-2026-0001").as_str(), rows(&world, "freezes", &mara.id)), ("reassured", 0));
    world.later(Duration::from_secs(30));
    assert_eq!(world.browser().sign_in(&world, &mara.email, PASSWORD, &mara.phone).location(), "/profile");
}

#[test]
fn the_last_active_owner_keeps_the_account_and_only_what_was_created_since_ends() {
    let (world, mut ada, phone) = World::with_owner();
    let id = world.user("ada@fernhill.example").id.to_string();
    world.later(Duration::from_secs(120));
    // An impostor signs in with what they stole, adds an app of their own and makes new codes.
    let mut impostor = world.browser();
    impostor.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    impostor.post("/profile/factors", &[]);
    impostor.get("/profile");
    impostor.post("/profile/factors", &[]);
    let page = impostor.get("/profile/factors/new");
    let theirs = Phone::scan(&page.body);
    world.later(Duration::from_secs(60));
    let added = impostor.post("/profile/factors/new", &[("name", "Other"), ("code", &theirs.code(world.now()))]);
    assert_eq!(added.location(), "/profile", "{}", added.text());
    let notice = link(&world, &id, "factor_enrolled");
    world.later(Duration::from_secs(60));
    let mut again = world.browser();
    again.sign_in(&world, "ada@fernhill.example", PASSWORD, &theirs);
    assert!(again.is_signed_in() && rows(&world, "factors", &id) == 2);

    let mut browser = world.browser();
    assert!(browser.get(&notice).says("so that the organisation keeps its last owner"), "{}", browser.page.text());
    assert!(browser.post(&notice, &[]).says("Everything that was there before still works"), "{}", browser.page.text());
    assert_eq!(world.user("ada@fernhill.example").status.as_str(), "active");
    assert!(ada.is_signed_in(), "the session from before goes on");
    assert!(!again.is_signed_in(), "the one that began since is over");
    assert_eq!(rows(&world, "factors", &id), 1);
    let removed = world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
    assert_eq!(
        (removed.header.case.as_deref(), body(&removed).fact("factors_removed").as_str()),
        (Some("R-2026-0001"), "1")
    );
    world.later(Duration::from_secs(30));
    assert_eq!(world.browser().password("ada@fernhill.example", PASSWORD).location(), "/sign-in/code");
    let mut back = world.browser();
    back.password("ada@fernhill.example", PASSWORD);
    assert_eq!(back.code(&theirs.code(world.now())).status, 401, "the impostor's app opens nothing");

    // Nobody else could decide on it, so the owner does; the account was never closed.
    assert!(ada.get("/admin/recovery/R-2026-0001").says("It is the last active owner"), "{}", ada.page.text());
    let mut ada = world.browser();
    ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    let page = send(&mut ada, "/admin/recovery/R-2026-0001/reassure", &[("reason", "looked at it")]);
    assert_eq!(page.status, 303, "{}", page.text());
    assert_eq!(state(&world, "R-2026-0001"), "reassured");
}

#[test]
fn of_two_owners_whose_links_are_pressed_one_after_the_other_one_keeps_the_account() {
    let Firm { world, mut ada, mut bo, .. } = firm();
    for browser in [&mut ada, &mut bo.browser] {
        browser.get("/profile/backup-codes");
        assert_eq!(browser.post("/profile/backup-codes", &[]).codes().len(), 10);
    }
    let ada_id = world.user("ada@fernhill.example").id.to_string();
    let links = [&ada_id, &bo.id].map(|id| link(&world, id, "codes_made"));
    for link in &links {
        assert_eq!(object(&world, link).status, 200);
    }
    assert_eq!(world.count("SELECT count(*) FROM users WHERE role = 'owner' AND status = 'active'"), 1);
    assert_eq!(world.user(&bo.email).status.as_str(), "active");
    assert!(bo.browser.is_signed_in());
    assert_eq!(rows(&world, "code_sets", &bo.id), 0, "the codes that were made since are void");
    assert_eq!(rows(&world, "code_sets", &ada_id), 1, "of the one who is frozen nothing is destroyed");
}

#[test]
fn the_last_owner_who_is_left_with_nothing_is_let_in_by_the_host_although_the_objection_stands() {
    let (world, _, _) = World::with_owner();
    let ada = world.user("ada@fernhill.example");
    let statement = || {
        let evidence = Some(Evidence::host(world.now()));
        Statement { evidence, reason: "lost her phone".parse().unwrap(), ticket: None }
    };
    let recover = || {
        let done = idp::actions::recover::break_glass(&world.app.means, ada.id, statement(), host()).unwrap();
        let Granted::Yes(reset) = done else { panic!("{done:?}") };
        reset.pass.unwrap().to_text()
    };
    let enter = |pass: &str| {
        let mut browser = world.browser();
        browser.password("ada@fernhill.example", PASSWORD);
        browser.get("/enrol");
        assert_eq!(browser.post("/enrol/pass", &[("pass", pass)]).location(), "/enrol");
        world.enrol(&mut browser);
        browser
    };
    let mut first = enter(&recover());
    let page = object(&world, &link(&world, &ada.id.to_string(), "factors_reset"));
    assert!(page.says("idp recover-owner"), "{}", page.text());
    assert!(!first.is_signed_in() && world.user("ada@fernhill.example").status.as_str() == "active");
    assert_eq!(rows(&world, "factors", &ada.id.to_string()), 0);
    let mut second = enter(&recover());
    assert!(second.is_signed_in());
    assert_eq!(
        (state(&world, "R-2026-0001").as_str(), state(&world, "R-2026-0002").as_str()),
        ("reassured", "recovered")
    );
}

#[test]
fn a_password_that_the_last_owner_did_not_choose_has_to_be_changed_and_the_session_that_chose_it_ends() {
    let (world, ada, phone) = World::with_owner();
    let id = world.user("ada@fernhill.example").id.to_string();
    let mut stolen = ada;
    stolen.get("/profile/password");
    let new = "velvet lantern forty-two";
    let changed = stolen.post("/profile/password", &[("current_password", PASSWORD), ("new_password", new)]);
    assert_eq!(changed.status, 303, "{}", changed.text());
    assert!(stolen.is_signed_in());
    object(&world, &link(&world, &id, "password_changed"));
    assert!(!stolen.is_signed_in());
    world.later(Duration::from_secs(30));
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(&world, "ada@fernhill.example", new, &phone).location(), "/sign-in/password");
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
    assert!(page.says("asked to remove all factors and give a pass for yours by Ada Brandt"), "{}", page.text());
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

#[test]
fn guesses_are_limited_by_address_as_everywhere() {
    let world = World::new();
    let mut browser = world.browser();
    browser.get("/sign-in");
    let csrf = browser.page.hidden("csrf").unwrap();
    let guess = link_path(&SeedKey::generate(), NoticeId::generate());
    let body = format!("csrf={csrf}");
    let answers: Vec<u16> = (0..400).map(|_| browser.post_raw(&guess, &body).status).collect();
    assert_eq!(answers[0], 404);
    assert!(answers.contains(&429), "{:?}", answers.last());
}

//! The same form twice, two people at the same time, and a rank that is lost between opening a form and sending it.

use std::sync::Barrier;
use std::time::Duration;

use idp::actions::authorise::By;
use idp::actions::grants::Ask;
use idp::audit::Action;
use idp::users::Role;

use crate::runbook::{FOUNDED, act, owner_and_member, rows};
use crate::world::{Answer, Browser, PASSWORD, World, body, host};

/// Entries about `action` that succeeded.
fn done(world: &World, action: Action) -> usize {
    world.entries_of(action).iter().filter(|e| e.header.outcome == "success").count()
}

/// Sends the well-founded form that each of these shows, all at the same moment.
fn all_at_once(browsers: &[Browser], path: &str) -> Vec<Answer> {
    let barrier = Barrier::new(browsers.len());
    let send = &|mut browser: Browser| {
        barrier.wait();
        browser.post(path, &FOUNDED)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = browsers.iter().cloned().map(|b| scope.spawn(move || send(b))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

#[test]
fn the_second_click_on_every_dangerous_form_says_what_the_first_did_and_does_nothing() {
    let (world, mut ada, mara) = owner_and_member();
    world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let noor = world.user("noor@fernhill.example").id.to_string();
    let (of_mara, of_noor) = (format!("/admin/users/{}", mara.id), format!("/admin/users/{noor}"));
    let reason: &[(&str, &str)] = &[("reason", "left the firm")];
    let kim = world.person(&mut ada, "kim@fernhill.example", "Kim", "member");
    let of_kim = format!("/admin/users/{}", kim.id);
    let auditor: &[(&str, &str)] = &[("role", "auditor"), ("reason", "a new task")];
    let leave: &[(&str, &str)] = &[("confirmed", "on"), ("reason", "has another job")];
    let new_address: &[(&str, &str)] =
        &[("email", "m@fernhill.example"), ("evidence", "in_person"), ("reason", "was married")];
    let person = &[("email", "lou@fernhill.example"), ("name", "Lou"), ("role", "member")];
    for (path, fields, action, says) in [
        (format!("{of_mara}/mfa/reset"), &FOUNDED[..], Action::MfaFactorAdminReset, "in case R-2026-0001"),
        (
            format!("{of_mara}/mfa/backup-codes"),
            &FOUNDED,
            Action::MfaBackupCodesIssuedByAdmin,
            "3 backup codes were made",
        ),
        (format!("{of_mara}/password"), &FOUNDED, Action::UserPasswordSetByAdmin, "A temporary password was set"),
        (
            format!("{of_mara}/sessions/end"),
            reason,
            Action::UserSessionRevoked,
            "All sessions of Mara Lindqvist were ended.",
        ),
        (
            format!("{of_mara}/name"),
            &[("name", "Mara Berg")],
            Action::UserUpdated,
            "Mara Lindqvist is now called Mara Berg.",
        ),
        (
            format!("{of_mara}/name"),
            &[("name", "Mara Lindqvist")],
            Action::UserUpdated,
            "is now called Mara Lindqvist.",
        ),
        (format!("{of_mara}/email"), new_address, Action::UserEmailChanged, "now signs in with m@fernhill.example."),
        (format!("{of_mara}/role"), auditor, Action::UserRoleChanged, "Mara Lindqvist is now auditor."),
        (
            format!("{of_kim}/password/change"),
            reason,
            Action::UserPasswordResetRequired,
            "Kim has to choose a new password",
        ),
        (format!("{of_kim}/leave"), leave, Action::UserLeft, "Kim is marked as left."),
        (format!("{of_mara}/disable"), reason, Action::UserDisabled, "Mara Lindqvist was disabled."),
        (format!("{of_mara}/enable"), reason, Action::UserEnabled, "Mara Lindqvist was enabled."),
        (format!("{of_mara}/notes"), &[("text", "called at noon")], Action::UserNoteAdded, "The note was added."),
        (
            format!("{of_noor}/invitation"),
            &FOUNDED,
            Action::UserInvited,
            "A new invitation link was made for Noor Haddad",
        ),
        ("/admin/users/new".into(), person, Action::UserCreated, "Lou was added."),
    ] {
        ada.get(&path);
        let form = ada.page.clone();
        let before = done(&world, action);
        let first = ada.post(&path, fields);
        assert!(first.status == 200 || first.status == 303, "{path}: {}", first.text());
        let head = world.head();
        ada.page = form;
        let second = ada.post(&path, fields);
        assert_eq!(second.status, 409, "{path}");
        assert!(second.says("This was done already") && second.says(says), "{path}: {}", second.text());
        assert_eq!((done(&world, action), world.head()), (before + 1, head), "{path}");
    }
}

#[test]
fn two_clicks_at_the_same_moment_reset_once() {
    let (world, mut ada, mara) = owner_and_member();
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    ada.get(&path);
    let clicks = [(); 4].map(|()| ada.clone());
    let mut answers: Vec<u16> = all_at_once(&clicks, &path).iter().map(|a| a.status).collect();
    answers.sort_unstable();
    assert_eq!(answers, [200, 409, 409, 409]);
    assert_eq!((rows(&world, "cases", &mara.id), done(&world, Action::MfaFactorAdminReset)), (1, 1));
}

#[test]
fn the_nonce_of_another_session_is_refused() {
    let (world, mut ada, mara) = owner_and_member();
    let mut sam = world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin").browser;
    let path = format!("/admin/users/{}/disable", mara.id);
    let foreign = ada.get(&path).hidden("nonce").unwrap();
    sam.get(&path);
    let before = world.head();
    for nonce in [foreign.as_str(), "", "x", &"A".repeat(54)] {
        let page = sam.clone().post(&path, &[("reason", "left the firm"), ("nonce", nonce)]);
        assert_eq!(page.status, 403, "{nonce}");
    }
    assert_eq!(world.head(), before);
    assert_eq!(sam.post(&path, &[("reason", "left the firm")]).status, 303, "with its own it works");
}

#[test]
fn a_form_is_good_for_twelve_hours_at_most() {
    let (world, mut ada, mara) = owner_and_member();
    let path = format!("/admin/users/{}/notes", mara.id);
    ada.get(&path);
    for _ in 0..25 {
        world.later(Duration::from_secs(1_740));
        assert_eq!(ada.clone().get("/admin/users").status, 200);
        world.sweep();
    }
    assert_eq!(ada.post(&path, &[("text", "called at noon")]).status, 403);
    assert_eq!(done(&world, Action::UserNoteAdded), 0);
}

#[test]
fn two_admins_who_reset_the_same_person_at_once_leave_one_open_case_and_a_trail_that_fits() {
    let (world, mut ada, mara) = owner_and_member();
    let mut sam = world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin").browser;
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    ada.get(&path);
    sam.get(&path);
    let pages = all_at_once(&[ada, sam], &path);
    assert_eq!([pages[0].status, pages[1].status], [200, 200]);
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let states: Vec<String> = {
        let mut query = db.prepare("SELECT state FROM cases ORDER BY number").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(states, ["awaiting_enrolment"]);
    let reset = world.entries_of(Action::MfaFactorAdminReset);
    assert_eq!(reset.iter().map(|e| body(e).fact("factors_removed")).collect::<Vec<_>>(), ["1", "0"]);
    assert_ne!(reset[0].header.actor_id, reset[1].header.actor_id);
    assert!(reset.iter().all(|e| e.header.case.as_deref() == Some("R-2026-0001")), "one case tells of both");

    // Of the two passes the later one works.
    let mut works = Vec::new();
    for page in &pages {
        let mut browser = world.browser();
        browser.password(&mara.email, PASSWORD);
        browser.get("/enrol");
        works.push(browser.post("/enrol/pass", &[("pass", &page.secret())]).status == 303);
    }
    assert_eq!(works.iter().filter(|w| **w).count(), 1);
}

#[test]
fn an_admin_who_is_disabled_or_demoted_between_opening_a_form_and_sending_it_does_nothing() {
    let (world, mut ada, mara) = owner_and_member();
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    for (email, demote) in [("sam@fernhill.example", false), ("kim@fernhill.example", true)] {
        let mut admin = world.person(&mut ada, email, "Admin", "admin");
        admin.browser.get(&path);
        if demote {
            let ask = Ask { by: By::Host, user: admin.id.parse().unwrap(), nonce: None, source: host() };
            let why = "moved on".parse().unwrap();
            idp::actions::administer::change_role(&world.app.means, ask, Role::Member, why).unwrap();
        } else {
            assert_eq!(act(&mut ada, &admin.id, "/disable", &[("reason", "left the firm")]).status, 303);
        }
        let page = admin.browser.post(&path, &FOUNDED);
        assert_eq!(page.status, 401, "{}", page.text());
        assert!(page.says("nothing has been changed"));
    }
    assert_eq!((rows(&world, "factors", &mara.id), done(&world, Action::MfaFactorAdminReset)), (1, 0));
}

#[test]
fn after_a_quarter_of_an_hour_a_form_asks_again_who_it_is_and_keeps_what_was_typed() {
    let (world, mut ada, phone) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    ada.get(&path);
    world.later(Duration::from_secs(900));
    let page = ada.post(&path, &FOUNDED);
    assert_eq!(page.status, 422);
    assert!(page.body.contains("step_up_code") && page.says("lost her phone on the train"));
    let mut fields = FOUNDED.to_vec();
    let wrong = phone.wrong_code(world.now());
    fields.push(("step_up_code", &wrong));
    assert_eq!(ada.post(&path, &fields).status, 422);
    assert_eq!(rows(&world, "factors", &mara.id), 1);
    world.later(Duration::from_secs(30));
    let code = phone.code(world.now());
    fields.pop();
    fields.push(("step_up_code", &code));
    assert_eq!(ada.post(&path, &fields).status, 200, "{}", ada.page.text());
}

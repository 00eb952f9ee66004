//! Another role, name or sign-in address, and a second invitation: who may, on what, and what ends with it.

use std::time::Duration;

use idp::audit::Action;

use crate::grants::{last, owners_against_each_other};
use crate::runbook::{FOUNDED, act, owner_and_member, rows};
use crate::world::{PASSWORD, World, body};

const MARRIED: [(&str, &str); 4] =
    [("email", "mara.berg@fernhill.example"), ("evidence", "in_person"), ("ticket", "HR-9"), ("reason", "was married")];

#[test]
fn an_owner_gives_another_role_and_the_person_signs_in_again_with_it() {
    let (world, mut ada, mara) = owner_and_member();
    let page = ada.get(&format!("/admin/users/{}/role", mara.id));
    assert!(page.body.contains("value=\"member\" checked"), "the present role is marked");
    assert_eq!(act(&mut ada, &mara.id, "/role", &[("role", "king"), ("reason", "a new task")]).status, 422);
    assert_eq!(act(&mut ada, &mara.id, "/role", &[("role", "admin"), ("reason", "")]).status, 422);
    let same = act(&mut ada, &mara.id, "/role", &[("role", "member"), ("reason", "a new task")]);
    assert!(same.status == 422 && same.says("They have this role already"));
    assert_eq!(act(&mut ada, &mara.id, "/role", &[("role", "admin"), ("reason", "a new task")]).status, 303);
    let entry = world.entries_of(Action::UserRoleChanged).pop().unwrap();
    let read = body(&entry);
    assert_eq!((read.fact("from").as_str(), read.fact("to").as_str()), ("member", "admin"));
    assert_eq!(read.text("reason"), "a new task");
    assert!(!mara.browser.clone().is_signed_in());
    let mut again = world.browser();
    assert_eq!(again.sign_in(&world, &mara.email, PASSWORD, &mara.phone).location(), "/admin");
}

#[test]
fn a_promotion_in_the_console_voids_what_the_lower_role_was_given() {
    let (world, mut ada, mara) = owner_and_member();
    let under_way = world.half_way_in(&mut ada, &mara);
    assert_eq!(act(&mut ada, &mara.id, "/role", &[("role", "owner"), ("reason", "a new task")]).status, 303);
    under_way.finds_no_way();
    for table in ["sessions", "devices", "links", "enrolment_windows", "code_sets"] {
        assert_eq!(rows(&world, table, &mara.id), 0, "{table}");
    }
    let kim = world.person(&mut ada, "kim@fernhill.example", "Kim", "member");
    let temporary = act(&mut ada, &kim.id, "/password", &FOUNDED).secret();
    act(&mut ada, &kim.id, "/role", &[("role", "admin"), ("reason", "a new task")]);
    assert_eq!(world.browser().password(&kim.email, &temporary).status, 401);
}

#[test]
fn two_owners_who_demote_each_other_at_once_leave_one() {
    owners_against_each_other("/role", &[("role", "member"), ("reason", "not trusted any more")]);
}

#[test]
fn another_name_stands_everywhere_with_the_old_one_on_record_and_no_session_ends() {
    let (world, mut ada, mara) = owner_and_member();
    for (name, says) in [("", "Enter a name"), ("Ma\u{202e}ra", "invisible"), ("Mara Lindqvist", "the name already")] {
        let page = act(&mut ada, &mara.id, "/name", &[("name", name)]);
        assert!(page.status == 422 && page.says(says), "{}", page.text());
    }
    assert_eq!(act(&mut ada, &mara.id, "/name", &[("name", "Mara Berg")]).status, 303);
    let entry = world.entries_of(Action::UserUpdated).pop().unwrap();
    let read = body(&entry);
    assert_eq!((read.fact("from").as_str(), read.fact("to").as_str()), ("Mara Lindqvist", "Mara Berg"));
    assert!(ada.get("/admin/users?q=berg").says("Mara Berg") && !ada.get("/admin/users?q=lindq").says("Lindqvist"));
    assert!(mara.browser.clone().get("/profile").says("Mara Berg"));
}

#[test]
fn another_sign_in_address_is_a_grant_with_evidence_and_both_addresses_on_record() {
    let (world, mut ada, mara) = owner_and_member();
    for without in ["evidence", "reason"] {
        let fields: Vec<_> = MARRIED.into_iter().filter(|(name, _)| *name != without).collect();
        let page = act(&mut ada, &mara.id, "/email", &fields);
        assert!(page.status == 422 && page.body.contains(&format!("href=\"#{without}\"")), "{without}");
        assert!(page.body.contains("mara.berg@fernhill.example"), "it keeps what was typed");
    }
    assert_eq!(act(&mut ada, &mara.id, "/email", &MARRIED).status, 303);
    let entry = world.entries_of(Action::UserEmailChanged).pop().unwrap();
    let read = body(&entry);
    assert_eq!(read.fact("from"), "mara@fernhill.example");
    assert_eq!(read.fact("to"), "mara.berg@fernhill.example");
    assert_eq!((read.text("reason"), read.text("ticket")), ("was married", "HR-9"));
    assert_eq!(read.fact("evidence"), "in_person");
    assert!(!mara.browser.clone().is_signed_in());
    assert_eq!(world.browser().password("mara@fernhill.example", PASSWORD).status, 401);
    let mut browser = world.browser();
    let answer = browser.sign_in(&world, "mara.berg@fernhill.example", PASSWORD, &mara.phone);
    assert_eq!(answer.location(), "/profile");
    // And whoever opens a grant for her this week sees it.
    let page = ada.get(&format!("/admin/users/{}/mfa/reset", mara.id));
    assert!(
        page.says("Password and contact details 1 change within 7 days, last on 24 November 2026 unusual"),
        "{}",
        page.text()
    );
}

#[test]
fn evidence_that_is_too_old_changes_no_address_and_makes_no_link() {
    let (world, mut ada, mara) = owner_and_member();
    world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let noor = world.user("noor@fernhill.example").id.to_string();
    let mut forms: Vec<_> = [(&mara.id, "/email"), (&noor, "/invitation")]
        .into_iter()
        .map(|(id, path)| {
            let path = format!("/admin/users/{id}{path}");
            ada.get(&path);
            (path, ada.page.clone())
        })
        .collect();
    // Kept alive by other pages, and confirmed once more.
    for _ in 0..3 {
        world.later(Duration::from_secs(1_300));
        ada.get("/admin/users");
        world.app.means.store.touch(|_| Ok(())).unwrap();
    }
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.execute("UPDATE sessions SET step_up_at = ?1", [world.now().as_micros()]).unwrap();
    for (path, page) in &mut forms {
        ada.page = page.clone();
        let fields = if path.ends_with("/email") { &MARRIED[..] } else { &FOUNDED };
        let answer = ada.post(path, fields);
        assert!(answer.status == 403 && answer.says("too long ago"), "{path}: {}", answer.text());
    }
    assert_eq!(last(&world, Action::UserEmailChanged), "denied evidence_stale");
    assert_eq!(last(&world, Action::UserInvited), "denied evidence_stale");
    assert_eq!(world.user("mara@fernhill.example").id.to_string(), mara.id);
}

#[test]
fn an_address_that_somebody_has_is_refused_and_a_link_to_the_old_one_is_void() {
    let (world, mut ada, mara) = owner_and_member();
    let link = world.invite(&mut ada, "nor@fernhill.example", "Noor Haddad", "member");
    let noor = world.user("nor@fernhill.example").id.to_string();
    let to = |email: &'static str| [("email", email), ("evidence", "in_person"), ("reason", "mistyped at first")];
    for (email, says) in [
        ("MARA@fernhill.example", "here already"),
        ("nor@fernhill.example", "the address already"),
        ("noor", "Enter an e-mail address"),
    ] {
        let page = act(&mut ada, &noor, "/email", &to(email));
        assert!(page.status == 422 && page.says(says), "{email}: {}", page.text());
    }
    assert_eq!(last(&world, Action::UserEmailChanged), "denied nothing_to_do");
    assert_eq!(world.browser().get(&link).status, 200);
    assert_eq!(act(&mut ada, &noor, "/email", &to("noor@fernhill.example")).status, 303);
    assert_eq!(world.browser().get(&link).status, 410, "whoever has it was invited under another address");
    assert!(mara.browser.clone().is_signed_in());
}

#[test]
fn a_second_invitation_rests_on_evidence_and_a_reason_which_stand_in_the_trail() {
    let (world, mut ada, _) = World::with_owner();
    let first = world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let noor = world.user("noor@fernhill.example").id.to_string();
    for without in ["evidence", "reason"] {
        let fields: Vec<_> = FOUNDED.into_iter().filter(|(name, _)| *name != without).collect();
        assert_eq!(act(&mut ada, &noor, "/invitation", &fields).status, 422, "{without}");
    }
    assert_eq!(world.browser().get(&first).status, 200, "the first still works");
    assert_eq!(act(&mut ada, &noor, "/invitation", &FOUNDED).status, 200);
    let entry = world.entries_of(Action::UserInvited).pop().unwrap();
    let read = body(&entry);
    assert_eq!((read.fact("evidence").as_str(), read.fact("again").as_str()), ("video_call", "yes"));
    assert_eq!(read.text("reason"), "lost her phone on the train");
    assert_eq!(world.browser().get(&first).status, 410);
}

//! Leaving for good: everything that let the person in ends, and nothing lets them in again.

use std::process::Command;
use std::time::Duration;

use idp::actions::authorise::By;
use idp::actions::grants::{Ask, Granted};
use idp::actions::keep_out::leave;
use idp::audit::Action;
use idp::grants::Rule;

use crate::cli_world::Ran;
use crate::grants::{DAILY, last, owners_against_each_other};
use crate::runbook::{FOUNDED, act, owner_and_member, rows};
use crate::world::{PASSWORD, World, body, host};

const GONE: [(&str, &str); 2] = [("confirmed", "on"), ("reason", "has another job")];

#[test]
fn who_leaves_finds_no_way_at_once_and_their_history_is_kept() {
    let (world, mut ada, mara) = owner_and_member();
    act(&mut ada, &mara.id, "/notes", &[("text", "a good colleague")]);
    let mut pending = world.browser();
    pending.password(&mara.email, PASSWORD);
    pending.get("/sign-in/code");
    let before = world.head();
    assert_eq!(act(&mut ada, &mara.id, "/leave", &GONE).status, 303);
    assert_eq!(world.story_since(before), ["user.left success", "mfa.factor_admin_reset success"]);
    let read = body(&world.entries_of(Action::UserLeft).pop().unwrap());
    assert_eq!((read.text("reason"), read.fact("sessions_ended").as_str()), ("has another job", "1"));
    assert!(!mara.browser.clone().is_signed_in());
    world.later(Duration::from_secs(30));
    assert_eq!(pending.post("/sign-in/code", &[("code", &mara.phone.code(world.now()))]).status, 401);
    for table in ["sessions", "devices", "links", "enrolment_windows", "factors", "code_sets"] {
        assert_eq!(rows(&world, table, &mara.id), 0, "{table}");
    }
    assert_eq!(world.count("SELECT count(*) FROM users WHERE status = 'left' AND password_hash IS NULL"), 1);
    // The same answer as for a wrong password of anybody.
    let answer = world.browser().password(&mara.email, PASSWORD);
    let nobody = world.browser().password("nobody@fernhill.example", PASSWORD);
    assert_eq!((answer.status, answer.body.len()), (401, nobody.body.len() + mara.email.len() - 23));
    let page = ada.get(&format!("/admin/users/{}", mara.id));
    assert!(page.says("left") && page.says("a good colleague") && page.says("Mara Lindqvist"), "{}", page.text());
    assert!(ada.get(&format!("/admin/users/{}/activity", mara.id)).says("Left for good"));
}

#[test]
fn nothing_is_marked_as_left_without_the_tick_and_a_reason() {
    let (world, mut ada, mara) = owner_and_member();
    for without in ["confirmed", "reason"] {
        let fields: Vec<_> = GONE.into_iter().filter(|(name, _)| *name != without).collect();
        let page = act(&mut ada, &mara.id, "/leave", &fields);
        assert!(page.status == 422 && page.body.contains(&format!("href=\"#{without}\"")), "{without}");
    }
    assert!(mara.browser.clone().is_signed_in());
    assert!(world.entries_of(Action::UserLeft).is_empty());
}

#[test]
fn no_grant_no_link_and_no_command_lets_someone_in_who_has_left() {
    let (world, mut ada, mara) = owner_and_member();
    let under_way = world.half_way_in(&mut ada, &mara);
    let link = world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let noor = world.user("noor@fernhill.example").id.to_string();
    for id in [&mara.id, &noor] {
        assert_eq!(act(&mut ada, id, "/leave", &GONE).status, 303);
    }
    under_way.finds_no_way();
    assert_eq!(world.browser().get(&link).status, 410);
    assert_eq!(world.browser().post(&link, &[("password", PASSWORD)]).status, 403, "without a form");
    assert!(ada.get("/admin/recovery/R-2026-0001").says("expired"));
    let others: [crate::grants::Act; 6] = [
        ("/mfa/reset", &FOUNDED, Action::MfaFactorAdminReset),
        ("/mfa/backup-codes", &FOUNDED, Action::MfaBackupCodesIssuedByAdmin),
        ("/password", &FOUNDED, Action::UserPasswordSetByAdmin),
        ("/invitation", &FOUNDED, Action::UserInvited),
        ("/enable", &[("reason", "is back")], Action::UserEnabled),
        ("/disable", &[("reason", "is back")], Action::UserDisabled),
    ];
    for id in [&mara.id, &noor] {
        for (path, fields, action) in DAILY.iter().chain(&others) {
            let page = act(&mut ada, id, path, fields);
            assert!(page.status == 403 && page.says("has left for good"), "{path}: {}", page.text());
            assert_eq!(last(&world, *action), "denied has_left", "{path}");
        }
    }
    for args in [
        &["user", "enable", &mara.email][..],
        &["user", "disable", &mara.email],
        &["user", "role", &mara.email, "admin"],
    ] {
        idp(&world, args).refused(1, "has left for good");
    }
    assert_eq!(world.count("SELECT count(*) FROM users WHERE status = 'left'"), 2);
    assert_eq!(act(&mut ada, &mara.id, "/notes", &[("text", "asked for a reference")]).status, 303, "history goes on");
}

fn idp(world: &World, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
    Ran::of(command.args(args).arg("--data").arg(world.data()).output().unwrap())
}

#[test]
fn an_owner_who_has_left_is_not_recovered_from_the_host_either() {
    let (world, mut ada, _) = World::with_owner();
    let bo = world.person(&mut ada, "bo@fernhill.example", "Bo", "owner");
    assert_eq!(act(&mut ada, &bo.id, "/leave", &GONE).status, 303);
    idp(&world, &["recover-owner", &bo.email, "--reason", "lost phone"]).refused(1, "has left for good");
    assert_eq!(rows(&world, "cases", &bo.id), 0);
}

#[test]
fn the_last_owner_stays_whoever_asks() {
    let (world, _, _) = World::with_owner();
    let id = world.user("ada@fernhill.example").id;
    let ask = Ask { by: By::Host, user: id, nonce: None, source: host() };
    let refused = leave(&world.app.means, ask, "a mistake".parse().unwrap()).unwrap();
    assert!(matches!(refused, Granted::No(Rule::LastOwner)));
    assert_eq!(last(&world, Action::UserLeft), "denied last_owner");
    owners_against_each_other("/leave", &GONE);
}

#[test]
fn of_two_admins_who_mark_somebody_as_left_at_once_the_second_is_told() {
    let (world, mut ada, mara) = owner_and_member();
    let mut sam = world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin").browser;
    let path = format!("/admin/users/{}/leave", mara.id);
    ada.get(&path);
    sam.get(&path);
    let mut answers = std::thread::scope(|scope| {
        let first = scope.spawn(|| ada.post(&path, &GONE).status);
        let second = scope.spawn(|| sam.post(&path, &GONE).status);
        [first.join().unwrap(), second.join().unwrap()]
    });
    answers.sort_unstable();
    assert_eq!(answers, [303, 403]);
    assert_eq!(last(&world, Action::UserLeft), "denied has_left");
}

#[test]
fn the_address_of_who_left_stays_taken_and_that_is_said() {
    let (world, mut ada, mara) = owner_and_member();
    world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let noor = world.user("noor@fernhill.example").id.to_string();
    assert_eq!(act(&mut ada, &mara.id, "/leave", &GONE).status, 303);
    ada.get("/admin/users/new");
    let person = [("email", "MARA@fernhill.example"), ("name", "Mara Anew"), ("role", "member")];
    let page = ada.post("/admin/users/new", &person);
    assert!(page.status == 422 && page.says("Someone who has left for good had this address"), "{}", page.text());
    assert_eq!(last(&world, Action::UserCreated), "denied address_of_who_left");
    let change = [("email", mara.email.as_str()), ("evidence", "in_person"), ("reason", "wants it")];
    let page = act(&mut ada, &noor, "/email", &change);
    assert!(page.status == 422 && page.says("Someone who has left for good had this address"));
    assert_eq!(last(&world, Action::UserEmailChanged), "denied address_of_who_left");
    idp(&world, &["user", "add", &mara.email, "--name", "Mara Anew"]).refused(1, "has left for good");
}

#[test]
fn lists_show_who_left_only_when_asked_and_the_command_line_names_the_state() {
    let (world, mut ada, mara) = owner_and_member();
    assert_eq!(act(&mut ada, &mara.id, "/leave", &GONE).status, 303);
    for query in ["", "?q=mara", "?role=member"] {
        assert!(!ada.get(&format!("/admin/users{query}")).body.contains(&mara.id), "{query}");
    }
    assert!(ada.get("/admin/users?q=mara").says("found under the state"));
    for query in ["?state=left", "?state=left&q=mara"] {
        let page = ada.get(&format!("/admin/users{query}"));
        assert!(page.body.contains(&mara.id) && page.body.contains(">left</span>"), "{query}: {}", page.body);
    }
    let list = idp(&world, &["user", "list"]).done();
    assert!(list.lines().any(|l| l.starts_with("left ") && l.contains(&mara.email)), "{list}");
    assert_eq!(idp(&world, &["user", "list", "--state", "left"]).done().lines().count(), 1);
    assert!(idp(&world, &["user", "show", &mara.email]).done().contains("state              left"));
}

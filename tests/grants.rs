//! The grant rule on every route: who may do what to whom, and what is told and recorded when it may not be.

use std::time::Duration;

use idp::actions::administer::{change_role, disable};
use idp::actions::authorise::By;
use idp::actions::grants::{Ask, Granted};
use idp::audit::Action;
use idp::grants::Rule;
use idp::ids::UserId;
use idp::users::Role;

use crate::runbook::{FOUNDED, act, owner_and_member, rows};
use crate::world::{Browser, Member, PASSWORD, World, body, host};

/// Where an act on an account is posted to, what its form holds, and the action its entry is about.
pub type Act = (&'static str, &'static [(&'static str, &'static str)], Action);

/// The acts on an account that the runbook needs.
const ACTS: [Act; 7] = [
    ("/mfa/reset", &FOUNDED, Action::MfaFactorAdminReset),
    ("/mfa/backup-codes", &FOUNDED, Action::MfaBackupCodesIssuedByAdmin),
    ("/password", &FOUNDED, Action::UserPasswordSetByAdmin),
    ("/disable", &[("reason", "left the firm")], Action::UserDisabled),
    ("/enable", &[("reason", "is back")], Action::UserEnabled),
    ("/invitation", &FOUNDED, Action::UserInvited),
    ("/notes", &[("text", "called at noon")], Action::UserNoteAdded),
];

/// The daily acts on an account.
pub const DAILY: [Act; 7] = [
    ("/sessions/end", &[("reason", "a lost laptop")], Action::UserSessionRevoked),
    ("/password/change", &[("reason", "told it to a friend")], Action::UserPasswordResetRequired),
    ("/unlock", &[("reason", "it was her who mistyped")], Action::UserUnlocked),
    ("/name", &[("name", "Another Name")], Action::UserUpdated),
    (
        "/email",
        &[("email", "new@fernhill.example"), ("evidence", "in_person"), ("reason", "was married")],
        Action::UserEmailChanged,
    ),
    ("/role", &[("role", "auditor"), ("reason", "a new task")], Action::UserRoleChanged),
    ("/leave", &[("confirmed", "on"), ("reason", "has another job")], Action::UserLeft),
];

fn email(role: &str) -> String {
    format!("{role}@fernhill.example")
}

/// An owner, and one more person of each role.
fn company() -> (World, Browser, [Member; 4]) {
    let (world, mut ada, _) = World::with_owner();
    let people = ["member", "auditor", "admin", "owner"].map(|r| world.person(&mut ada, &email(r), r, r));
    (world, ada, people)
}

/// As the host's command asks.
fn by_host(id: &str) -> Ask {
    Ask { by: By::Host, user: id.parse::<UserId>().unwrap(), nonce: None, source: host() }
}

fn give_role(world: &World, id: &str, role: Role) {
    let given = change_role(&world.app.means, by_host(id), role, "a new task".parse().unwrap()).unwrap();
    assert!(matches!(given, Granted::Yes(())), "{given:?}");
}

/// The newest entry about `action` as `outcome rule`.
pub fn last(world: &World, action: Action) -> String {
    let entry = world.entries_of(action).pop().unwrap();
    format!("{} {}", entry.header.outcome, body(&entry).fact("rule")).trim().to_owned()
}

#[test]
fn members_and_auditors_reach_no_act_on_anyone() {
    let (world, _, [member, auditor, admin, _]) = company();
    let before = world.head();
    for mut browser in [member.browser.clone(), auditor.browser.clone()] {
        browser.get("/profile");
        for id in [&member.id, &auditor.id, &admin.id] {
            for (path, fields, _) in ACTS.iter().chain(&DAILY) {
                let target = format!("/admin/users/{id}{path}");
                assert_eq!(browser.clone().get(&target).status, 403, "{target}");
                let mut fields = fields.to_vec();
                let csrf = browser.page.hidden("csrf").unwrap();
                fields.push(("csrf", &csrf));
                assert_eq!(browser.clone().post(&target, &fields).status, 403, "{target}");
            }
        }
        let fields = [("email", "x@fernhill.example"), ("name", "X"), ("role", "member")];
        assert_eq!(browser.post("/admin/users/new", &fields).status, 403);
    }
    let story = world.story_since(before);
    assert_eq!(story.len(), 2 * (3 * (ACTS.len() + DAILY.len()) + 1));
    assert!(story.iter().all(|e| e == "user.access_refused denied"), "every try is on record, and nothing was done");
}

#[test]
fn an_admin_acts_on_members_asks_for_peers_and_every_other_try_is_refused_with_the_rule_on_record() {
    let (world, _, [member, auditor, admin, owner]) = company();
    let mut asker = admin.browser;
    for target in [&owner.id, &admin.id] {
        let rule = if *target == admin.id { "yourself" } else { "rank" };
        for (path, fields, action) in ACTS[..6].iter().chain(&DAILY) {
            let rule = if *path == "/role" { "role_above_yours" } else { rule };
            let page = act(&mut asker, target, path, fields);
            assert_eq!(page.status, 403, "{path}: {}", page.text());
            assert!(page.says("Nothing has been changed") && page.says("Ask"), "{}", page.text());
            assert_eq!(last(&world, *action), format!("denied {rule}"), "{path}");
        }
        // What was typed about why is on record too.
        let denied = world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
        assert_eq!(
            (body(&denied).text("reason"), body(&denied).text("ticket")),
            ("lost her phone on the train", "#1234")
        );
        assert_eq!(denied.header.target_id.as_deref(), Some(target.as_str()));
        assert_eq!(rows(&world, "factors", target), 1);
    }
    // What lets a peer in can be asked for, and an owner has to permit it; anything else is refused.
    for (path, fields, action) in ACTS[..6].iter().chain(&DAILY) {
        let page = act(&mut asker, &auditor.id, path, fields);
        if ["/mfa/reset", "/mfa/backup-codes", "/password", "/email"].contains(path) {
            assert!(page.location().starts_with("/admin/recovery/R-"), "{path}: {}", page.text());
            let asked = world.entries_of(Action::RecoveryApprovalRequested).pop().unwrap();
            assert_eq!(body(&asked).fact("needs"), "owner", "{path}");
        } else {
            let rule = match *path {
                "/role" => "role_above_yours",
                "/invitation" => "is_not_invited",
                _ => "rank",
            };
            assert_eq!((page.status, last(&world, *action)), (403, format!("denied {rule}")), "{path}");
        }
    }
    assert_eq!(rows(&world, "factors", &auditor.id), 1);
    for (path, fields, action) in ACTS {
        let page = act(&mut asker, &member.id, path, fields);
        if path == "/invitation" {
            assert_eq!((page.status, last(&world, action).as_str()), (403, "denied is_not_invited"));
        } else if path == "/password" {
            // The same hands have given her a factor a moment ago.
            assert!(page.location().starts_with("/admin/recovery/R-"), "{path}: {}", page.text());
        } else {
            assert!(page.status == 200 || page.status == 303, "{path}: {}", page.text());
            assert_eq!(last(&world, action), "success", "{path}");
        }
    }
}

#[test]
fn an_owner_acts_on_everyone_but_themself() {
    let (world, mut ada, people) = company();
    world.without_second_person();
    for target in &people {
        for (path, fields, action) in ACTS.iter().filter(|(path, ..)| *path != "/invitation") {
            let page = act(&mut ada, &target.id, path, fields);
            assert!(page.status == 200 || page.status == 303, "{path}: {}", page.text());
            // Password and factor from the same hands are another's to approve.
            let done = if *path == "/password" { Action::RecoveryApprovalRequested } else { *action };
            assert_eq!(last(&world, done), "success", "{path}");
        }
    }
    let me = world.user("ada@fernhill.example").id.to_string();
    for (path, fields, action) in ACTS[..6].iter().chain(&DAILY) {
        assert_eq!(act(&mut ada, &me, path, fields).status, 403, "{path}");
        assert_eq!(last(&world, *action), "denied yourself", "{path}");
    }
    assert!(ada.is_signed_in());
}

#[test]
fn the_menu_says_why_before_one_tries() {
    let (_world, _, [member, _, admin, owner]) = company();
    let mut asker = admin.browser;
    assert!(asker.get(&format!("/admin/users/{}", owner.id)).says("Only an owner may do this"));
    assert!(asker.get(&format!("/admin/users/{}", admin.id)).says("Nobody does this to their own account"));
    let page = asker.get(&format!("/admin/users/{}", member.id));
    assert!(!page.says("Only an owner may do this"));
    assert!(page.says("Change role Only an owner gives a role above member"), "{}", page.text());
}

#[test]
fn whoever_types_the_address_of_an_act_that_is_not_theirs_sees_why_and_no_form() {
    let (world, _, [_, _, admin, owner]) = company();
    let mut asker = admin.browser;
    let before = world.head();
    for (target, why) in
        [(&owner.id, "Only an owner may do this"), (&admin.id, "Nobody does this to their own account")]
    {
        for (path, ..) in ACTS[..6].iter().chain(&DAILY) {
            let why = if *path == "/role" { "Only an owner gives a role above member" } else { why };
            let page = asker.get(&format!("/admin/users/{target}{path}"));
            assert!(page.status == 403 && page.says(why), "{path}: {}", page.text());
            assert!(!page.body.contains(&format!("action=\"/admin/users/{target}")), "{path}: {}", page.body);
        }
    }
    assert_eq!(world.head(), before, "nothing was tried");
}

#[test]
fn who_was_demoted_is_protected_by_the_old_rank_for_seven_more_days() {
    let (world, mut ada, [_, _, admin, owner]) = company();
    give_role(&world, &owner.id, Role::Member);
    let mut asker = world.browser();
    asker.sign_in(&world, &admin.email, PASSWORD, &admin.phone);
    assert_eq!(act(&mut asker, &owner.id, "/mfa/reset", &FOUNDED).status, 403);
    assert_eq!(last(&world, Action::MfaFactorAdminReset), "denied rank");
    assert_eq!(act(&mut ada, &owner.id, "/disable", &[("reason", "left")]).status, 303, "an owner may");
    assert_eq!(act(&mut ada, &owner.id, "/enable", &[("reason", "is back")]).status, 303);

    world.later(Duration::from_secs(7 * 86_400));
    let mut asker = world.browser();
    asker.sign_in(&world, &admin.email, PASSWORD, &admin.phone);
    assert_eq!(act(&mut asker, &owner.id, "/mfa/reset", &FOUNDED).status, 200);
}

#[test]
fn the_last_active_owner_can_be_neither_disabled_nor_demoted_by_anyone() {
    let (world, _, _) = World::with_owner();
    let id = world.user("ada@fernhill.example").id.to_string();
    let refused = disable(&world.app.means, by_host(&id), "a mistake".parse().unwrap()).unwrap();
    assert!(matches!(refused, Granted::No(Rule::LastOwner)));
    let refused = change_role(&world.app.means, by_host(&id), Role::Member, "a mistake".parse().unwrap()).unwrap();
    assert!(matches!(refused, Granted::No(Rule::LastOwner)));
    assert_eq!(last(&world, Action::UserRoleChanged), "denied last_owner");
}

/// Two owners send the form at `act` about each other at the same moment: one of them is left.
pub fn owners_against_each_other(act: &str, fields: &[(&str, &str)]) {
    let (world, mut ada, _) = World::with_owner();
    let mut bo = world.person(&mut ada, "bo@fernhill.example", "Bo", "owner");
    let me = world.user("ada@fernhill.example").id.to_string();
    let (of_bo, of_me) = (format!("/admin/users/{}{act}", bo.id), format!("/admin/users/{me}{act}"));
    ada.get(&of_bo);
    bo.browser.get(&of_me);
    let answers = std::thread::scope(|scope| {
        let first = scope.spawn(|| ada.post(&of_bo, fields).status);
        let second = scope.spawn(|| bo.browser.post(&of_me, fields).status);
        [first.join().unwrap(), second.join().unwrap()]
    });
    assert!(answers.contains(&303) && answers.iter().any(|a| *a != 303), "{answers:?}");
    assert_eq!(world.count("SELECT count(*) FROM users WHERE role = 'owner' AND status = 'active'"), 1);
}

#[test]
fn two_owners_who_disable_each_other_at_once_leave_one() {
    owners_against_each_other("/disable", &[("reason", "not trusted any more")]);
}

#[test]
fn a_promotion_voids_everything_by_which_someone_could_come_in() {
    let (world, mut ada, mara) = owner_and_member();
    let under_way = world.half_way_in(&mut ada, &mara);
    give_role(&world, &mara.id, Role::Admin);
    under_way.finds_no_way();
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 403);
    assert!(ada.get("/admin/recovery/R-2026-0001").says("expired"));
    for table in ["sessions", "devices", "links", "enrolment_windows", "code_sets"] {
        assert_eq!(rows(&world, table, &mara.id), 0, "{table}");
    }
}

#[test]
fn a_promotion_voids_a_temporary_password_and_an_invitation_link() {
    let (world, mut ada, mara) = owner_and_member();
    let temporary = act(&mut ada, &mara.id, "/password", &FOUNDED).secret();
    give_role(&world, &mara.id, Role::Auditor);
    assert_eq!(world.browser().password(&mara.email, &temporary).status, 401);
    let link = world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    give_role(&world, &world.user("noor@fernhill.example").id.to_string(), Role::Owner);
    assert_eq!(world.browser().get(&link).status, 410);
}

#[test]
fn disabling_ends_everything_at_once_and_enabling_brings_no_session_back() {
    let (world, mut ada, mara) = owner_and_member();
    let mut session = mara.browser;
    let mut pending = world.browser();
    pending.password(&mara.email, PASSWORD);
    pending.get("/sign-in/code");
    assert_eq!(act(&mut ada, &mara.id, "/disable", &[("reason", "left the firm")]).status, 303);
    world.later(Duration::from_secs(30));
    assert!(!session.is_signed_in());
    assert_eq!(pending.post("/sign-in/code", &[("code", &mara.phone.code(world.now()))]).status, 401);
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 401, "the same answer as for a wrong password");
    for table in ["sessions", "devices", "links", "enrolment_windows"] {
        assert_eq!(rows(&world, table, &mara.id), 0, "{table}");
    }
    for path in ["/mfa/reset", "/mfa/backup-codes", "/password"] {
        assert_eq!(act(&mut ada, &mara.id, path, &FOUNDED).status, 403, "{path}: nothing re-enables by the way");
    }
    assert_eq!(act(&mut ada, &mara.id, "/enable", &[("reason", "is back")]).status, 303);
    assert!(!session.is_signed_in() && !pending.is_signed_in());
    world.later(Duration::from_secs(30));
    assert_eq!(world.browser().sign_in(&world, &mara.email, PASSWORD, &mara.phone).location(), "/profile");
}

#[test]
fn the_pass_the_issued_codes_and_the_link_of_who_is_disabled_stay_dead() {
    let (world, mut ada, mara) = owner_and_member();
    let under_way = world.half_way_in(&mut ada, &mara);
    let link = world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let noor = world.user("noor@fernhill.example").id.to_string();
    for id in [&mara.id, &noor] {
        assert_eq!(act(&mut ada, id, "/disable", &[("reason", "left the firm")]).status, 303);
        assert_eq!(act(&mut ada, id, "/enable", &[("reason", "is back")]).status, 303);
    }
    under_way.finds_no_way();
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 403);
    assert_eq!(world.browser().get(&link).status, 410);
    assert_eq!(world.user("noor@fernhill.example").status.as_str(), "invited");
    let expired = world.entries_of(Action::RecoveryExpired).pop().unwrap();
    assert_eq!(body(&expired).fact("why"), "the person was disabled");
}

#[test]
fn a_ticket_in_which_the_person_or_the_acting_admin_vouches_is_refused_in_the_form_and_recorded() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    for voucher in ["Mara Lindqvist", "ada brandt", "MARA@fernhill.example"] {
        ada.get(&path);
        let sent = [
            ("evidence", "manager_ticket"),
            ("voucher", voucher),
            ("ticket", "HR-1"),
            ("reason", "lost phone"),
            ("codes_unavailable", "on"),
        ];
        let page = ada.post(&path, &sent);
        assert_eq!(page.status, 403, "{voucher}");
        assert!(page.says("Somebody else has to vouch") && page.body.contains("HR-1"), "{}", page.text());
    }
    assert_eq!(world.entries_of(Action::MfaFactorAdminReset).len(), 3);
    assert!(world.entries_of(Action::MfaFactorAdminReset).iter().all(|e| e.header.outcome == "denied"));
}

#[test]
fn an_app_that_was_switched_off_is_not_left_out_where_factors_are_reset() {
    let (world, mut ada, mara) = crate::runbook::owner_and_member();
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    assert!(!ada.get(&path).says("switched off"));
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.execute("UPDATE factors SET disabled_at = created_at WHERE user_id = ?1", [&mara.id]).unwrap();
    let page = ada.get(&path);
    assert!(page.says("1 authenticator app, switched off after too many wrong codes"), "{}", page.text());
    assert!(page.says("10 remaining backup codes stop working.") && !page.says("0 factors"), "{}", page.text());
}

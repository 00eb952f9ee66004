//! When somebody else, or an hour, has to permit what lets a person in: by policy, by rank, by unusual signs, and where one
//! pair of hands has given both halves; and that the form says so before it is filled in.

use std::time::Duration;

use idp::audit::Action;
use idp::policy::Key;

use crate::grants::last;
use crate::runbook::{FOUNDED, act};
use crate::world::{Answer, Browser, Member, PASSWORD, World, body};

pub const DAY: Duration = Duration::from_secs(86_400);
/// Where the factors of a person are reset.
pub const RESET: &str = "/mfa/reset";

/// The fields of a form that rests on what stands in the case.
pub const ON_RECORD: [(&str, &str); 3] =
    [("evidence", "on_record"), ("reason", "lost her phone on the train"), ("codes_unavailable", "on")];

/// An owner (Ada), an admin (Tom) and a member (Mara), all signed in.
pub struct Office {
    pub world: World,
    pub ada: Browser,
    pub tom: Member,
    pub mara: Member,
}

pub fn office() -> Office {
    let (world, mut ada, _) = World::with_owner();
    let tom = world.person(&mut ada, "tom@fernhill.example", "Tom Okafor", "admin");
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    Office { world, ada, tom, mara }
}

impl Office {
    /// One more person, added by Ada.
    pub fn add(&mut self, email: &str, name: &str, role: &str) -> Member {
        self.world.person(&mut self.ada, email, name, role)
    }
}

/// Sets a value that holds from now on, as an owner who set it a while ago would have.
pub fn set_policy(world: &World, key: Key, value: i64) {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let sql =
        "INSERT INTO policy_settings (key, value, set_by, set_at, effective_at) VALUES (?1, ?2, 'Ada Brandt', ?3, ?3)";
    db.execute(sql, (key.as_str(), value, world.now().as_micros())).unwrap();
}

/// Sends a form about a person that has to be permitted first: the number of the case in which it waits.
#[track_caller]
pub fn ask(admin: &mut Browser, id: &str, path: &str) -> String {
    asked(&act(admin, id, path, &FOUNDED))
}

/// The case in which something waits, as the answer to its form says.
#[track_caller]
pub fn asked(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.location().strip_prefix("/admin/recovery/").expect("it leads to the case").to_owned()
}

/// What the newest request asks for and what it needs, as the trail has it.
pub fn newest_request(world: &World) -> (String, String) {
    let entry = world.entries_of(Action::RecoveryApprovalRequested).pop().expect("something was asked for");
    (body(&entry).fact("grant"), body(&entry).fact("needs"))
}

/// What a member gives rise to as a strong sign: a number that they add, and a sign-in on another device.
pub fn two_strong_signs(world: &World, person: &mut Member) {
    person.browser.get("/profile/contacts");
    let added = person.browser.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 555 01 42")]);
    assert_eq!(added.status, 303, "{}", added.text());
    world.browser().sign_in(world, &person.email, PASSWORD, &person.phone);
}

#[test]
fn a_member_is_helped_by_one_admin_and_the_form_says_nothing_else() {
    let Office { world, tom, mara, .. } = office();
    let mut tom = tom.browser;
    let page = tom.get(&format!("/admin/users/{}{RESET}", mara.id));
    assert!(page.says("Remove all factors") && !page.says("has to approve"), "{}", page.text());
    assert_eq!(tom.post(&format!("/admin/users/{}{RESET}", mara.id), &FOUNDED).status, 200);
    assert!(world.entries_of(Action::RecoveryApprovalRequested).is_empty());
}

#[test]
fn what_is_done_to_an_admin_or_an_owner_needs_a_second_person_by_default() {
    let mut office = office();
    let noor = office.add("noor@fernhill.example", "Noor Haddad", "admin");
    let bo = office.add("bo@fernhill.example", "Bo Lind", "owner");
    let cy = office.add("cy@fernhill.example", "Cy Berg", "owner");
    let Office { world, mut ada, tom, .. } = office;
    for (target, needs, says) in [
        (&noor, "admin", "another admin or an owner"),
        // An admin does not approve what is done to an owner.
        (&bo, "owner", "an owner has to approve this"),
        (&cy, "owner", "an owner has to approve this"),
    ] {
        let page = ada.get(&format!("/admin/users/{}{RESET}", target.id));
        assert!(page.says(says) && page.says("Ask for approval"), "{}", page.text());
        assert!(!page.says("Remove all factors"), "{}", page.text());
        let case = ask(&mut ada, &target.id, RESET);
        assert_eq!(newest_request(&world), ("reset_factors".into(), needs.into()));
        assert!(ada.get(&format!("/admin/recovery/{case}")).says("waiting for approval"));
    }
    // An admin about a peer: an owner, whoever else is there.
    let mut tom = tom.browser;
    let page = tom.get(&format!("/admin/users/{}/mfa/backup-codes", noor.id));
    assert!(page.says("Noor Haddad has, or had within a week, a role like yours: an owner has to"), "{}", page.text());
    ask(&mut tom, &noor.id, "/mfa/backup-codes");
    assert_eq!(newest_request(&world), ("issue_codes".into(), "owner".into()));
    assert_eq!(world.count("SELECT count(*) FROM factors"), 6, "nothing was done yet");
}

#[test]
fn policy_says_for_whom_a_second_person_is_needed_always_or_never() {
    let mut office = office();
    let noor = office.add("noor@fernhill.example", "Noor Haddad", "admin");
    let Office { world, mut ada, mut tom, mara } = office;
    set_policy(&world, Key::SecondPersonRule, 2);
    let page = tom.browser.get(&format!("/admin/users/{}{RESET}", mara.id));
    assert!(page.says("Your organisation wants two people for this: somebody else has to approve"), "{}", page.text());
    ask(&mut tom.browser, &mara.id, RESET);
    assert_eq!(newest_request(&world).1, "admin");

    set_policy(&world, Key::SecondPersonRule, 0);
    assert_eq!(act(&mut ada, &noor.id, RESET, &FOUNDED).status, 200);
    assert_eq!(act(&mut tom.browser, &mara.id, RESET, &FOUNDED).status, 200);
    // But never a peer without an owner.
    let kim = world.person(&mut ada, "kim@fernhill.example", "Kim", "auditor");
    ask(&mut tom.browser, &kim.id, RESET);
    assert_eq!(newest_request(&world).1, "owner");
}

#[test]
fn who_gave_a_person_a_password_gives_the_factor_only_with_a_second_person() {
    let Office { world, mut tom, mara, .. } = office();
    world.temporary_password(&mut tom.browser, &mara.id);
    world.later(2 * DAY);
    let mut tom_again = world.browser();
    tom_again.sign_in(&world, &tom.email, PASSWORD, &tom.phone);
    let page = tom_again.get(&format!("/admin/users/{}{RESET}", mara.id));
    let says = "You gave Mara Lindqvist a password 2 days ago : somebody else has to approve this";
    assert!(page.says(says) && page.says("Ask for approval"), "{}", page.text());
    ask(&mut tom_again, &mara.id, RESET);
    assert_eq!(newest_request(&world).1, "admin");
    // After a week nobody remembers it against him.
    world.later(6 * DAY);
    let mut tom_again = world.browser();
    tom_again.sign_in(&world, &tom.email, PASSWORD, &tom.phone);
    assert_eq!(act(&mut tom_again, &mara.id, RESET, &FOUNDED).status, 200);
}

#[test]
fn who_gave_codes_or_a_reset_sets_a_password_only_with_a_second_person_and_another_admin_does_it_alone() {
    let mut office = office();
    let mut noor = office.add("noor@fernhill.example", "Noor Haddad", "admin");
    let Office { world, mut tom, mara, .. } = office;
    assert_eq!(act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED).status, 200);
    let page = tom.browser.get(&format!("/admin/users/{}/password", mara.id));
    assert!(page.says("You gave Mara Lindqvist codes or a reset just now : somebody else"), "{}", page.text());
    let case = ask(&mut tom.browser, &mara.id, "/password");
    assert_eq!((case.as_str(), newest_request(&world).0.as_str()), ("R-2026-0001", "temporary_password"));
    // The case goes on waiting for the person while the request waits.
    assert!(tom.browser.get("/admin/recovery/R-2026-0001").says("waiting for sign-in"));
    assert_eq!(act(&mut noor.browser, &mara.id, "/password", &FOUNDED).status, 200, "other hands");
}

#[test]
fn where_nobody_else_is_there_password_and_factor_from_one_hand_go_on() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    world.temporary_password(&mut ada, &mara.id);
    let page = ada.get(&format!("/admin/users/{}{RESET}", mara.id));
    assert!(page.says("Remove all factors"), "{}", page.text());
    assert_eq!(ada.post(&format!("/admin/users/{}{RESET}", mara.id), &FOUNDED).status, 200);
}

#[test]
fn two_strong_signs_need_an_owner_whatever_the_policy_and_one_does_not() {
    let Office { world, mut ada, mut tom, mut mara } = office();
    set_policy(&world, Key::SecondPersonRule, 0);
    mara.browser.get("/profile/contacts");
    mara.browser.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 555 01 42")]);
    let page = tom.browser.get(&format!("/admin/users/{}{RESET}", mara.id));
    assert!(page.says("Remove all factors"), "{}", page.text());
    world.browser().sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    let page = tom.browser.get(&format!("/admin/users/{}{RESET}", mara.id));
    assert!(page.says("2 unusual signs: an owner has to approve this"), "{}", page.text());
    ask(&mut tom.browser, &mara.id, RESET);
    assert_eq!(newest_request(&world).1, "owner");
    // An owner who acts has seen them.
    assert_eq!(act(&mut ada, &mara.id, RESET, &FOUNDED).status, 200);
}

#[test]
fn wrong_passwords_however_many_are_shown_and_ask_for_nobody() {
    let Office { world, mut tom, mara, .. } = office();
    for n in 0..8 {
        let mut stranger = world.browser().from(&format!("198.51.100.{n}"));
        stranger.password(&mara.email, "not the password");
        world.later(Duration::from_secs(60));
    }
    let page = tom.browser.get(&format!("/admin/users/{}{RESET}", mara.id));
    assert!(page.says("look at this") && page.says("Remove all factors"), "{}", page.text());
    assert_eq!(act(&mut tom.browser, &mara.id, RESET, &FOUNDED).status, 200);
}

#[test]
fn a_form_that_would_end_what_a_colleague_asked_for_says_so() {
    let mut office = office();
    let noor = office.add("noor@fernhill.example", "Noor Haddad", "admin");
    let mut bo = office.add("bo@fernhill.example", "Bo Lind", "owner").browser;
    let Office { world, mut ada, .. } = office;
    let case = ask(&mut ada, &noor.id, RESET);
    let page = bo.get(&format!("/admin/users/{}/password", noor.id));
    assert!(
        page.says("Ada Brandt asked to remove all factors and give a pass just now . Once you send"),
        "{}",
        page.text()
    );
    assert_eq!(ask(&mut bo, &noor.id, "/password"), case);
    let lapsed = world.entries_of(Action::RecoveryApprovalLapsed).pop().unwrap();
    assert_eq!(body(&lapsed).fact("why"), "something else was asked for");
    assert_eq!(last(&world, Action::RecoveryApprovalRequested), "success");
    // Who asks again for the same is told that it waits.
    let page = bo.get(&format!("/admin/users/{}/password", noor.id));
    assert!(page.says("You asked for this just now : it waits in case") && page.says("Ask again"), "{}", page.text());
}

#[test]
fn who_opens_the_form_for_the_only_owner_is_told_what_lets_them_in_again() {
    let Office { world, mut tom, .. } = office();
    let ada = world.user("ada@fernhill.example").id;
    let page = tom.browser.get(&format!("/admin/users/{ada}{RESET}"));
    assert_eq!(page.status, 403);
    assert!(page.says("idp recover-owner ada@fernhill.example --reason"), "{}", page.text());
}

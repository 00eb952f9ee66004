//! What each setting of the policy changes, one sentence a setting. Where it can be, the same is done once before the
//! change and once after it, so that it is the change that makes the difference.

mod remembered;
mod ways_in;

use std::time::Duration;

use idp::audit::Action;
use idp::policy::{KEYS, Key};

use crate::policy::{DAY, set, sign_in};
use crate::routes::id_of;
use crate::runbook::{FOUNDED, act, owner_and_member, reset, rows};
use crate::world::{Answer, Browser, Member, PASSWORD, Phone, World};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);
const ADA: &str = "ada@fernhill.example";

/// As [`FOUNDED`], resting on the evidence that stands in the case.
const ON_RECORD: [(&str, &str); 4] = [("evidence", "on_record"), FOUNDED[1], FOUNDED[2], FOUNDED[3]];

#[test]
fn no_setting_is_without_a_sentence_here() {
    let files = [
        include_str!("anchors.rs"),
        include_str!("policy_effects.rs"),
        include_str!("policy_effects/remembered.rs"),
        include_str!("policy_effects/ways_in.rs"),
        include_str!("retention.rs"),
        include_str!("retention/guarded.rs"),
    ];
    let source = files.concat();
    for key in KEYS {
        assert!(source.contains(&format!("Key::{key:?},")), "{key:?}");
    }
}

/// Ada, an owner, with her phone, and so many others of this role.
fn with_others(role: &str, names: &[&str]) -> (World, Browser, Phone, Vec<Member>) {
    let (world, mut ada, phone) = World::with_owner();
    let add = |name: &&str| world.person(&mut ada, &format!("{}@fernhill.example", name.to_lowercase()), name, role);
    let others = names.iter().map(add).collect();
    (world, ada, phone, others)
}

/// Whether it has to be permitted first.
#[track_caller]
fn waits(answer: &Answer) -> bool {
    match answer.status {
        303 => {
            assert!(answer.location().starts_with("/admin/recovery/R-"), "{}", answer.location());
            true
        }
        status => {
            assert_eq!(status, 200, "{}", answer.text());
            false
        }
    }
}

/// Signs in with a new phone after a reset.
fn enrol_again(world: &World, member: &mut Member, pass: &str) {
    let mut browser = world.browser();
    browser.password(&member.email, PASSWORD);
    browser.get("/enrol");
    assert_eq!(browser.post("/enrol/pass", &[("pass", pass)]).location(), "/enrol");
    (member.phone, member.codes) = world.enrol(&mut browser);
    member.browser = browser;
}

/// Adds a phone number as the person themself.
fn add_number(member: &mut Member, number: &str) {
    member.browser.get("/profile/contacts");
    assert_eq!(member.browser.post("/profile/contacts", &[("kind", "phone"), ("value", number)]).status, 303);
}

#[test]
fn evidence_is_fresh_for_as_long_as_policy_says() {
    let (world, mut ada, mara) = owner_and_member();
    set(&mut ada, Key::EvidenceAge, 5);
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    ada.get(&path);
    world.later(5 * MINUTE + SECOND);
    let page = ada.post(&path, &FOUNDED);
    assert!(page.status == 403 && page.says("It is too long ago that you made sure who it is."), "{}", page.text());
    ada.get(&path);
    world.later(5 * MINUTE);
    assert_eq!(ada.post(&path, &FOUNDED).status, 200);
}

#[test]
fn a_number_counts_once_it_is_known_for_as_long_as_policy_says() {
    let (world, mut ada, phone, mut members) = with_others("member", &["Mara"]);
    let mara = &mut members[0];
    add_number(mara, "+46 70 123 45 67");
    world.later(8 * DAY);
    sign_in(&world, &mut ada, ADA, &phone);
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    assert!(ada.get(&path).body.contains("value=\"known_number\""));
    set(&mut ada, Key::KnownNumber, 30);
    let page = ada.get(&path);
    assert!(!page.body.contains("value=\"known_number\""), "{}", page.text());
    let mut fields = FOUNDED.to_vec();
    fields[0] = ("evidence", "known_number");
    let number = id_of(&world, "contacts", &mara.id);
    fields.push(("number", &number));
    let page = ada.post(&path, &fields);
    assert!(page.status == 403 && page.says("added too shortly before"), "{}", page.text());
    assert_eq!(rows(&world, "factors", &mara.id), 1);
}

#[test]
fn a_second_person_approves_for_whom_policy_says() {
    let (world, mut ada, phone, mut admins) = with_others("admin", &["Kim", "Lou"]);
    let kim = admins.remove(0).id;
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member").id;
    assert!(!waits(&act(&mut ada, &mara, "/mfa/reset", &FOUNDED)));
    assert!(waits(&act(&mut ada, &kim, "/mfa/reset", &FOUNDED)), "an admin needs two, unless policy says otherwise");
    set(&mut ada, Key::SecondPersonRule, 2);
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor", "member").id;
    assert!(waits(&act(&mut ada, &noor, "/mfa/reset", &FOUNDED)), "everybody needs two");
    set(&mut ada, Key::SecondPersonRule, 0);
    world.later(DAY);
    sign_in(&world, &mut ada, ADA, &phone);
    assert!(!waits(&act(&mut ada, &noor, "/mfa/reset", &FOUNDED)));
    assert!(!waits(&act(&mut ada, &kim, "/mfa/reset", &FOUNDED)), "nobody needs two");
    assert_eq!((rows(&world, "factors", &kim), rows(&world, "factors", &noor)), (0, 0));
}

#[test]
fn password_and_factor_are_from_one_hand_for_as_long_as_policy_says() {
    let (world, mut ada, phone, members) = with_others("member", &["Mara", "Noor"]);
    world.person(&mut ada, "kim@fernhill.example", "Kim", "admin");
    for member in &members {
        reset(&mut ada, &member.id);
    }
    world.later(8 * DAY);
    world.sweep();
    sign_in(&world, &mut ada, ADA, &phone);
    assert!(!waits(&act(&mut ada, &members[0].id, "/password", &FOUNDED)));
    set(&mut ada, Key::SameHands, 30);
    assert!(waits(&act(&mut ada, &members[1].id, "/password", &FOUNDED)));
}

/// Asks for a reset of two auditors where nobody could approve it: of one before the setting is changed, of one after it.
fn asked_before_and_after(key: Key, value: i64) -> (World, Browser, Phone, Vec<Member>) {
    let (world, mut ada, phone, auditors) = with_others("auditor", &["Otto", "Olga"]);
    assert!(waits(&act(&mut ada, &auditors[0].id, "/mfa/reset", &FOUNDED)));
    set(&mut ada, key, value);
    assert!(waits(&act(&mut ada, &auditors[1].id, "/mfa/reset", &FOUNDED)));
    (world, ada, phone, auditors)
}

/// Carries out what was asked for about each; whose factors are gone.
fn carry_out(ada: &mut Browser, world: &World, auditors: &[Member]) -> Vec<bool> {
    let gone = |member: &Member| {
        act(ada, &member.id, "/mfa/reset", &ON_RECORD);
        rows(world, "factors", &member.id) == 0
    };
    auditors.iter().map(gone).collect()
}

#[test]
fn where_nobody_can_approve_it_waits_for_as_long_as_policy_says() {
    let (world, mut ada, phone, auditors) = asked_before_and_after(Key::CoolingOff, 120);
    world.later(HOUR + MINUTE);
    sign_in(&world, &mut ada, ADA, &phone);
    assert_eq!(carry_out(&mut ada, &world, &auditors), [true, false]);
    world.later(HOUR);
    sign_in(&world, &mut ada, ADA, &phone);
    assert_eq!(carry_out(&mut ada, &world, &auditors[1..]), [true]);
}

#[test]
fn what_was_permitted_is_good_for_as_long_as_policy_says() {
    let (world, mut ada, phone, auditors) = asked_before_and_after(Key::ApprovalLife, 1);
    // An hour stands in for the second person, and another one has passed since.
    world.later(2 * HOUR + MINUTE);
    sign_in(&world, &mut ada, ADA, &phone);
    assert_eq!(carry_out(&mut ada, &world, &auditors), [true, false]);
}

#[test]
fn from_so_many_unusual_signs_on_as_policy_says_an_owner_approves() {
    let (world, mut ada, _, mut members) = with_others("member", &["Mara", "Noor"]);
    let mut sam = world.person(&mut ada, "sam@fernhill.example", "Sam", "admin").browser;
    members.iter_mut().for_each(|member| add_number(member, "+46 70 123 45 67"));
    assert!(!waits(&act(&mut sam, &members[0].id, "/mfa/reset", &FOUNDED)), "one sign");
    set(&mut ada, Key::StrongSigns, 1);
    assert!(waits(&act(&mut sam, &members[1].id, "/mfa/reset", &FOUNDED)));
    assert_eq!(world.count("SELECT count(*) FROM case_requests WHERE needs = 'owner'"), 1);
}

#[test]
fn the_link_in_a_notice_works_for_as_long_as_policy_says() {
    let (world, mut ada, _, members) = with_others("member", &["Mara", "Noor"]);
    reset(&mut ada, &members[0].id);
    set(&mut ada, Key::Objection, 60);
    reset(&mut ada, &members[1].id);
    let days = members.iter().map(|member| {
        world.count(&format!(
            "SELECT (objection_until - at) / 86400000000 FROM notices
             WHERE kind = 'factors_reset' AND user_id = '{}'",
            member.id
        ))
    });
    assert_eq!(days.collect::<Vec<_>>(), [14, 60]);
}

#[test]
fn a_case_waits_for_as_long_as_policy_says() {
    let (world, mut ada, phone, members) = with_others("member", &["Mara", "Noor"]);
    world.person(&mut ada, "kim@fernhill.example", "Kim", "admin");
    set(&mut ada, Key::SecondPersonRule, 2);
    set(&mut ada, Key::ApprovalLife, 1);
    // What is asked for and not decided lapses after an hour; from then on nobody does anything in the case.
    let ask = |ada: &mut Browser, member: &Member| {
        assert!(waits(&act(ada, &member.id, "/mfa/reset", &FOUNDED)));
        world.later(HOUR);
        world.sweep();
        sign_in(&world, ada, ADA, &phone);
    };
    ask(&mut ada, &members[0]);
    set(&mut ada, Key::CaseIdle, 5);
    ask(&mut ada, &members[1]);
    world.later(5 * HOUR - MINUTE);
    world.sweep();
    assert!(world.entries_of(Action::RecoveryExpired).is_empty());
    world.later(MINUTE);
    world.sweep();
    let expired = world.entries_of(Action::RecoveryExpired);
    let of: Vec<_> = expired.iter().filter_map(|e| e.header.target_id.as_deref()).collect();
    assert_eq!(of, [members[1].id.as_str()]);
}

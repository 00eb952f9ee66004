//! The policy page: who changes what, from when on it holds, who is told, and how it is taken back. What each setting
//! changes stands in `policy_effects.rs`.

mod forms;

use std::time::Duration;

use idp::audit::Action;
use idp::policy::{KEYS, Key};
use idp::storage::policy;

use crate::carry_over::{Room, back_up, office};
use crate::cli_world::idp_on;
use crate::world::{Answer, Browser, Member, PASSWORD, Phone, World, body};

pub const DAY: Duration = Duration::from_secs(86_400);
const INSTANT: Duration = Duration::from_micros(1);

/// Opens the form of a setting and sends it.
pub fn send(owner: &mut Browser, key: Key, value: &str, reason: &str) -> Answer {
    let path = format!("/admin/policy/{}", key.as_str());
    assert_eq!(owner.get(&path).status, 200, "{}", owner.page.text());
    owner.post(&path, &[("value", value), ("reason", reason)])
}

/// Sets a value, as an owner does.
pub fn set(owner: &mut Browser, key: Key, value: i64) {
    let answer = send(owner, key, &value.to_string(), "decided on Monday");
    assert_eq!((answer.status, answer.location()), (303, "/admin/policy"), "{}", answer.text());
}

/// Opens the form that takes a setting back and sends it.
fn take_back(owner: &mut Browser, key: Key, reason: &str) -> Answer {
    let path = format!("/admin/policy/{}/take-back", key.as_str());
    assert_eq!(owner.get(&path).status, 200, "{}", owner.page.text());
    owner.post(&path, &[("reason", reason)])
}

/// What holds now, in its unit.
pub fn now(world: &World, key: Key) -> i64 {
    world.app.means.store.read(|tx| policy::get(tx, world.now())).unwrap().get(key)
}

/// Entries about the policy: outcome, setting, before, after, whether it was taken back.
fn story(world: &World) -> Vec<String> {
    let line = |e: &idp::audit::Entry| {
        let read = body(e);
        let facts = ["key", "from", "to"].map(|name| read.fact(name)).join(" ");
        let back = if read.fact("taken_back") == "yes" { " back" } else { "" };
        format!("{} {facts}{back}", e.header.outcome)
    };
    world.entries_of(Action::PolicyUpdated).iter().map(line).collect()
}

/// Signs somebody in anew, in the browser that they have, which is remembered as theirs.
pub fn sign_in(world: &World, browser: &mut Browser, email: &str, phone: &Phone) {
    browser.cookies.retain(|name, _| !name.ends_with("idp-session"));
    let answer = browser.sign_in(world, email, PASSWORD, phone);
    assert_eq!(answer.status, 303, "{}", answer.text());
}

/// Two owners: Ada, who is signed in, and Noor.
fn two_owners() -> (World, Browser, Phone, Member) {
    let (world, mut ada, phone) = World::with_owner();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "owner");
    (world, ada, phone, noor)
}

#[test]
fn an_owner_makes_it_tighter_at_once_with_before_after_and_the_reason_on_record() {
    let (world, mut ada, _) = World::with_owner();
    assert!(ada.get("/admin").body.contains("href=\"/admin/policy\""), "the console leads there");
    set(&mut ada, Key::EvidenceAge, 30);
    assert_eq!(now(&world, Key::EvidenceAge), 30);
    let entry = world.entries_of(Action::PolicyUpdated).pop().unwrap();
    let read = body(&entry);
    assert_eq!(story(&world), ["success evidence_minutes 60 30"]);
    assert_eq!(read.text("reason"), "decided on Monday");
    assert_eq!(read.text("actor_name"), "Ada Brandt <ada@fernhill.example>");
    assert_eq!(read.fact("effective_at"), entry.header.at.to_string());
    let page = ada.follow("/admin/policy");
    assert!(page.says("It is changed, and holds from now on."));
    assert!(page.says("30 minutes not the default"), "{}", page.text());
    assert!(page.says("Last changed just now by Ada Brandt ."));
    assert!(ada.get("/admin/audit").says("Policy, Evidence is fresh for: 60 minutes to 30 minutes"));
    assert_eq!(world.count("SELECT count(*) FROM notices WHERE kind = 'policy_loosened'"), 0, "nobody is disturbed");
}

#[test]
fn every_setting_stands_on_one_page_with_its_sentence_its_default_and_its_range() {
    let (_world, mut ada, _) = World::with_owner();
    let page = ada.get("/admin/policy");
    for key in KEYS {
        let (min, max) = key.range();
        assert!(page.says(key.label()) && page.says(key.sentence()), "{key:?}");
        assert!(page.says(&format!("Default: {}.", key.in_words(key.default()))), "{key:?}");
        assert!(max < 3 || page.says(&format!("From {min} to {max}.")), "{key:?}");
        let form = ada.get(&format!("/admin/policy/{}", key.as_str()));
        assert!(form.says(key.sentence()) && form.says(key.caution()), "{key:?}: {}", form.text());
    }
    assert_eq!(page.text().matches("Never changed.").count(), KEYS.len());
    for none in ["/admin/policy/nothing", "/admin/policy/nothing/take-back", "/admin/policy/EvidenceAge"] {
        assert_eq!(ada.get(none).status, 404, "{none}");
    }
}

#[test]
fn a_looser_value_holds_a_day_later_and_not_a_moment_earlier_and_every_owner_is_told_at_once() {
    let (world, mut ada, _, noor) = two_owners();
    world.person(&mut ada, "tom@fernhill.example", "Tom", "admin");
    let form = ada.get("/admin/policy/evidence_minutes");
    assert!(form.says("More is looser: it takes effect 24 hours after you save it, and all owners are told at once."));
    set(&mut ada, Key::EvidenceAge, 120);
    assert_eq!(now(&world, Key::EvidenceAge), 60);
    let told = "SELECT count(*) FROM notices JOIN users ON users.id = user_id WHERE kind = 'policy_loosened' AND ";
    assert_eq!(world.count(&format!("{told} role = 'owner'")), 2, "also who asked: it may have been somebody else");
    assert_eq!(world.count(&format!("{told} role <> 'owner'")), 0);
    let facts =
        "SELECT count(*) FROM notices WHERE facts ->> '$.what' = 'Evidence is fresh for: 60 minutes → 120 minutes'
                 AND facts ->> '$.reason' = 'decided on Monday' AND facts ->> '$.by' LIKE 'Ada Brandt%'";
    assert_eq!(world.count(facts), 2);
    let page = ada.follow("/admin/policy");
    assert!(page.says("It takes effect a day from now, and all owners are told."));
    assert!(page.says("60 minutes Change"), "{}", page.text());
    assert!(page.says("120 minutes from 2026-11-25 09:0"), "{}", page.text());
    assert!(page.says(", as Ada Brandt asked just now . Take it back"));

    world.later(DAY - INSTANT);
    assert_eq!(now(&world, Key::EvidenceAge), 60);
    world.later(INSTANT);
    assert_eq!(now(&world, Key::EvidenceAge), 120);
    let mut browser = world.browser();
    sign_in(&world, &mut browser, &noor.email, &noor.phone);
    let page = browser.get("/admin/policy");
    assert!(page.says("120 minutes not the default") && !page.says("Take it back"), "{}", page.text());
    let entry = browser.get("/admin/audit?action=policy.updated");
    assert!(entry.says("60 minutes to 120 minutes, from 2026-11-25 09:0"), "{}", entry.text());
}

#[test]
fn any_owner_takes_back_what_waits_and_it_never_holds() {
    let (world, mut ada, _, mut noor) = two_owners();
    set(&mut ada, Key::SecondPersonRule, 0);
    let page = noor.browser.get("/admin/policy/second_person/take-back");
    assert!(page.says("Taken back, it stays as it is now: for owners, admins and auditors"), "{}", page.text());
    let answer = take_back(&mut noor.browser, Key::SecondPersonRule, "nobody asked me");
    assert_eq!((answer.status, answer.location()), (303, "/admin/policy"), "{}", answer.text());
    assert!(noor.browser.follow("/admin/policy").says("It was taken back, and stays as it is."));
    assert_eq!(story(&world), ["success second_person 1 0", "success second_person 1 0 back"]);
    let entry = world.entries_of(Action::PolicyUpdated).pop().unwrap();
    assert_eq!(body(&entry).text("reason"), "nobody asked me");
    assert_eq!(body(&entry).text("actor_name"), "Noor Haddad <noor@fernhill.example>");
    assert_eq!(world.count("SELECT count(*) FROM notices WHERE kind = 'policy_loosened'"), 2, "only of the first");
    let log = noor.browser.get("/admin/audit");
    assert!(log.says("for owners, admins and auditors to never, taken back"), "{}", log.text());
    world.later(2 * DAY);
    assert_eq!(now(&world, Key::SecondPersonRule), 1);
}

#[test]
fn what_was_taken_back_or_has_taken_effect_is_not_taken_back_again() {
    let (world, mut ada, phone, mut noor) = two_owners();
    let path = "/admin/policy/evidence_minutes/take-back";
    set(&mut ada, Key::EvidenceAge, 120);
    noor.browser.get(path);
    assert_eq!(take_back(&mut ada, Key::EvidenceAge, "a mistake").status, 303);
    let page = noor.browser.post(path, &[("reason", "nobody asked me")]);
    assert_eq!(page.status, 409);
    assert!(page.says("Nothing waits here.") && page.says("Now it is: 60 minutes"), "{}", page.text());
    assert_eq!(body(&world.entries_of(Action::PolicyUpdated)[2]).fact("rule"), "nothing_to_do");

    set(&mut ada, Key::EvidenceAge, 90);
    world.later(DAY);
    sign_in(&world, &mut ada, "ada@fernhill.example", &phone);
    assert!(ada.get(path).says("Nothing waits here."), "{}", ada.page.text());
    // A form that shows something else holds a nonce as good.
    ada.get("/admin/policy/evidence_minutes");
    assert_eq!(ada.post(path, &[("reason", "too late")]).status, 409);
    assert_eq!(now(&world, Key::EvidenceAge), 90);
}

#[test]
fn a_new_change_takes_the_place_of_the_one_that_waits_and_its_day_begins_anew() {
    let (world, mut ada, phone) = World::with_owner();
    set(&mut ada, Key::EvidenceAge, 120);
    world.later(DAY - 2 * Duration::from_secs(3_600));
    sign_in(&world, &mut ada, "ada@fernhill.example", &phone);
    assert!(ada.get("/admin/policy/evidence_minutes").says("What you save now takes the place of that."));
    // Tighter than what waits, and looser than what holds.
    set(&mut ada, Key::EvidenceAge, 90);
    assert_eq!(
        story(&world),
        ["success evidence_minutes 60 120", "success evidence_minutes 60 120 back", "success evidence_minutes 60 90",]
    );
    world.later(DAY - INSTANT);
    assert_eq!(now(&world, Key::EvidenceAge), 60, "neither the one that waited nor the new one");
    world.later(INSTANT);
    assert_eq!(now(&world, Key::EvidenceAge), 90);
}

#[test]
fn a_tighter_value_ends_what_waits_and_the_way_back_takes_a_day() {
    let (world, mut ada, _) = World::with_owner();
    set(&mut ada, Key::EvidenceAge, 120);
    set(&mut ada, Key::EvidenceAge, 30);
    assert_eq!(now(&world, Key::EvidenceAge), 30);
    set(&mut ada, Key::EvidenceAge, 60);
    assert_eq!(now(&world, Key::EvidenceAge), 30, "60 is the default, and looser than what holds");
    world.later(DAY - INSTANT);
    assert_eq!(now(&world, Key::EvidenceAge), 30);
    world.later(INSTANT);
    assert_eq!(now(&world, Key::EvidenceAge), 60);
    assert_eq!(world.count("SELECT count(*) FROM policy_settings WHERE cancelled_at IS NOT NULL"), 1);
}

#[test]
fn what_is_so_already_or_waits_to_be_is_said_beside_the_field() {
    let (world, mut ada, _) = World::with_owner();
    set(&mut ada, Key::EvidenceAge, 120);
    for value in ["60", "120"] {
        let page = send(&mut ada, Key::EvidenceAge, value, "decided on Monday");
        assert_eq!(page.status, 422);
        assert!(
            page.says("It is so already, or is going to be.")
                && page.says("can be taken back under Policy")
                && page.says("decided on Monday"),
            "{}",
            page.text()
        );
    }
    assert_eq!(story(&world)[1..], ["denied evidence_minutes  60", "denied evidence_minutes  120"]);
    let refused = world.entries_of(Action::PolicyUpdated).pop().unwrap();
    assert_eq!(
        (body(&refused).fact("rule").as_str(), body(&refused).text("reason")),
        ("nothing_to_do", "decided on Monday")
    );
    world.later(DAY);
    assert_eq!(now(&world, Key::EvidenceAge), 120, "what waited was not begun anew");
}

#[test]
fn what_somebody_wrote_into_the_file_counts_only_within_its_range() {
    let (world, mut ada, _) = World::with_owner();
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.execute_batch(
        "INSERT INTO policy_settings (key, value, set_by, set_at, effective_at) VALUES
             ('evidence_minutes', 100000, 'x', 0, 0), ('second_person', -5, 'x', 0, 0), ('no_such_key', 1, 'x', 0, 0)",
    )
    .unwrap();
    assert_eq!((now(&world, Key::EvidenceAge), now(&world, Key::SecondPersonRule)), (240, 0));
    let page = ada.get("/admin/policy");
    assert!(page.status == 200 && page.says("240 minutes not the default"), "{}", page.text());
}

#[test]
fn a_restore_keeps_the_tighter_of_two_values_and_what_was_taken_back() {
    let (world, mut ada, _) = office();
    set(&mut ada, Key::EvidenceAge, 50);
    set(&mut ada, Key::WindowWithPass, 120);
    set(&mut ada, Key::IssuedCodes, 14);
    let backup = back_up(&world, "old.db");
    // Tighter, taken back, looser in a day, and left as it waits.
    set(&mut ada, Key::EvidenceAge, 20);
    take_back(&mut ada, Key::WindowWithPass, "a mistake");
    set(&mut ada, Key::TemporaryPassword, 48);
    set(&mut ada, Key::CaseIdle, 8);
    let room = Room::of(&world);
    let said = room.restore(&backup, &[]);
    assert!(
        said.contains("kept: policy, Evidence is fresh for: 20 minutes since the backup, no longer 50 minutes"),
        "{said}"
    );
    assert!(said.contains("kept: policy, The enrolment window, with a pass: 120 minutes was taken back"), "{said}");
    assert_eq!(said.matches("kept: policy").count(), 2, "{said}");

    let after = room.open(&world);
    let entries = after.entries_of(Action::PolicyUpdated);
    let carried: Vec<_> = entries.iter().filter(|e| body(e).fact("carried_over") == "yes").collect();
    assert_eq!(carried.len(), 2);
    for entry in carried {
        assert_eq!(entry.header.actor_kind, "host");
        assert_eq!(body(entry).text("reason"), "carried over from the replaced database");
        let number: i64 = body(entry).fact("replaced_entry").parse().unwrap();
        let original = world.entries().into_iter().find(|e| e.header.seq == number).unwrap();
        assert_eq!(body(&original).fact("key"), body(entry).fact("key"));
    }
    after.clock.advance(2 * DAY);
    let holds = [Key::EvidenceAge, Key::WindowWithPass, Key::IssuedCodes, Key::TemporaryPassword, Key::CaseIdle];
    assert_eq!(holds.map(|key| now(&after, key)), [20, 60, 14, 24, 72]);
    assert!(idp_on(&after.data(), &["audit", "verify"]).done().contains("consistent"));
}

#[test]
fn a_database_whose_chain_is_broken_may_make_the_policy_tighter_and_not_looser() {
    let (world, mut ada, _) = office();
    set(&mut ada, Key::EvidenceAge, 30);
    let backup = back_up(&world, "old.db");
    set(&mut ada, Key::KnownNumber, 30);
    let room = Room::of(&world);
    room.tamper(
        "DROP TRIGGER audit_is_append_only_update; UPDATE audit SET outcome = 'denied', body = 'no json' WHERE seq = 3;
         UPDATE policy_settings SET value = 240 WHERE key = 'evidence_minutes'",
    );
    let said = room.restore(&backup, &[]);
    assert!(said.contains("kept: policy, A number counts once it is known for: 30 days since the backup"), "{said}");
    let after = room.open(&world);
    assert_eq!((now(&after, Key::EvidenceAge), now(&after, Key::KnownNumber)), (30, 30));
}

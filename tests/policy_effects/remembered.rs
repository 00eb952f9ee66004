//! For how long something is remembered: changes, resets and refusals.

use idp::policy::Key;

use super::{ADA, add_number, enrol_again, waits, with_others};
use crate::policy::{DAY, set, sign_in};
use crate::runbook::{FOUNDED, act, reset, rows};
use crate::world::{Browser, Member, World};

/// An owner and an admin, who act after a while on members to whom something has happened, and one sign is enough.
struct Later {
    world: World,
    ada: Browser,
    sam: Browser,
    members: Vec<Member>,
}

fn later(days: u32, happen: impl FnOnce(&World, &mut Browser, &mut [Member])) -> Later {
    let (world, mut ada, phone, mut members) = with_others("member", &["Mara", "Noor"]);
    let mut sam = world.person(&mut ada, "sam@fernhill.example", "Sam", "admin");
    set(&mut ada, Key::StrongSigns, 1);
    happen(&world, &mut ada, &mut members);
    world.later(days * DAY);
    world.sweep();
    sign_in(&world, &mut ada, ADA, &phone);
    sign_in(&world, &mut sam.browser, &sam.email, &sam.phone);
    Later { world, ada, sam: sam.browser, members }
}

impl Later {
    /// What the form about the second member says, before and after this setting is changed; the first one is reset
    /// before.
    fn says(&mut self, key: Key, value: i64, before: &str, after: &str) {
        let path = format!("/admin/users/{}/mfa/reset", self.members[1].id);
        assert!(self.sam.get(&path).says(before), "{}", self.sam.page.text());
        assert!(!waits(&act(&mut self.sam, &self.members[0].id, "/mfa/reset", &FOUNDED)));
        set(&mut self.ada, key, value);
        assert!(self.sam.get(&path).says(after), "{}", self.sam.page.text());
    }

    fn waits(&mut self) -> bool {
        let waits = waits(&act(&mut self.sam, &self.members[1].id, "/mfa/reset", &FOUNDED));
        assert_eq!(rows(&self.world, "factors", &self.members[1].id) == 1, waits);
        waits
    }
}

#[test]
fn a_change_is_recent_for_as_long_as_policy_says() {
    let mut later = later(10, |_, _, members| {
        members.iter_mut().for_each(|member| add_number(member, "+46 70 123 45 67"));
    });
    later.says(Key::SignDays, 30, "Password and contact details none in 7 days", "1 change within 30 days");
    assert!(later.waits());
}

#[test]
fn an_earlier_reset_is_recent_for_as_long_as_policy_says() {
    let mut later = later(100, |world, ada, members| {
        for member in members {
            let pass = reset(ada, &member.id);
            enrol_again(world, member, &pass);
        }
    });
    later.says(Key::ResetSignDays, 365, "Earlier resets none in 90 days", "1 reset within 365 days");
    assert!(later.waits());
}

/// Writes down that help was refused to somebody, as the page for that does.
fn refuse(world: &World, member: &Member, number: u32) {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.execute(
        "INSERT INTO cases (number, year, count, user_id, opened_by, opened_at, state, state_at, reason, closed_at, refusal)
         VALUES (?1, 2026, ?2, ?3, 'Kim', ?4, 'refused', ?4, 'could not say who vouches', ?4, 'not_verified')",
        (format!("R-2026-{number:04}"), number, &member.id, world.now().as_micros()),
    )
    .unwrap();
}

fn refuse_both(world: &World, _: &mut Browser, members: &mut [Member]) {
    members.iter().zip(901..).for_each(|(member, number)| refuse(world, member, number));
}

#[test]
fn a_refusal_is_shown_for_as_long_as_policy_says() {
    let mut later = later(40, refuse_both);
    later.says(Key::RefusalShown, 365, "Refused before none in 30 days", "1 refusal within 365 days");
    assert!(later.waits(), "it is an unusual sign");
}

#[test]
fn after_a_refusal_an_owner_opens_the_next_case_for_as_long_as_policy_says() {
    let mut later = later(31, refuse_both);
    assert!(!waits(&act(&mut later.sam, &later.members[0].id, "/mfa/reset", &FOUNDED)));
    set(&mut later.ada, Key::RefusalOwner, 90);
    let page = act(&mut later.sam, &later.members[1].id, "/mfa/reset", &FOUNDED);
    assert!(page.status == 403 && page.says("Help was refused to this person a short while ago."), "{}", page.text());
    assert!(!waits(&act(&mut later.ada, &later.members[1].id, "/mfa/reset", &FOUNDED)));
}

//! What each setting of the policy changes, one sentence a setting. Where it can be, the same is done once before the
//! change and once after it, so that it is the change that makes the difference.

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
    let source = include_str!("policy_effects.rs");
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

/// Switches the pass off, as takes a day.
fn without_pass(world: &World, ada: &mut Browser, phone: &Phone) {
    set(ada, Key::EnrolmentPass, 0);
    world.later(DAY);
    sign_in(world, ada, ADA, phone);
}

#[test]
fn where_no_pass_is_asked_for_none_is_shown_and_the_password_leads_to_the_enrolment_page() {
    let (world, mut ada, phone, members) = with_others("member", &["Mara"]);
    let mara = &members[0];
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    assert!(ada.get(&path).says("You get a pass to read to Mara"));
    without_pass(&world, &mut ada, &phone);
    let page = ada.get(&path);
    assert!(page.says("With the password alone, Mara sets up a new factor within 24 hours."), "{}", page.text());
    let page = ada.post(&path, &FOUNDED);
    assert!(page.status == 200 && page.says("Mara can set up a new factor now"), "{}", page.text());
    assert!(!page.body.contains("class=\"secret\"") && page.says("(24 hours)"), "{}", page.text());
    assert!(world.entries_of(Action::MfaEnrolmentPassIssued).is_empty());
    world.later(DAY - MINUTE);
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).location(), "/enrol");
    assert!(!browser.get("/enrol").says("Enter the pass"));
    let (phone, _) = world.enrol(&mut browser);
    assert!(browser.is_signed_in());
    assert_eq!(world.entries_of(Action::RecoveryCompleted).len(), 1);
    sign_in(&world, &mut world.browser(), &mara.email, &phone);
}

#[test]
fn an_issued_code_shuts_the_way_that_needs_no_pass() {
    let (world, mut ada, phone, members) = with_others("member", &["Mara"]);
    let mara = &members[0];
    without_pass(&world, &mut ada, &phone);
    assert_eq!(act(&mut ada, &mara.id, "/mfa/reset", &FOUNDED).status, 200);
    let codes = act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED).codes();
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).location(), "/sign-in/code");
    assert_eq!(browser.get("/enrol").location(), "/sign-in/code", "the password alone is not enough any more");
    for (path, field) in [("/enrol", "code"), ("/enrol/pass", "pass")] {
        assert_ne!(browser.post(path, &[(field, "123456789abc")]).status, 200);
    }
    assert_eq!(rows(&world, "factors", &mara.id), 0);
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    assert_eq!(browser.backup_code(&codes[0]).location(), "/profile", "{}", browser.page.text());
}

#[test]
fn where_no_pass_is_asked_for_a_temporary_password_and_a_reset_need_two_whoever_gave_the_first() {
    let (world, mut ada, phone, mut admins) = with_others("admin", &["Kim", "Lou"]);
    let members = ["mara", "noor"].map(|name| {
        let email = format!("{name}@fernhill.example");
        world.person(&mut ada, &email, name, "member").id
    });
    let [mara, noor] = &members;
    // With a pass, two who each give one half hold no account between them.
    let kim = &mut admins[0];
    sign_in(&world, &mut kim.browser, &kim.email, &kim.phone);
    reset(&mut ada, mara);
    assert!(!waits(&act(&mut kim.browser, mara, "/password", &FOUNDED)));

    without_pass(&world, &mut ada, &phone);
    let kim = &mut admins[0];
    sign_in(&world, &mut kim.browser, &kim.email, &kim.phone);
    assert!(!waits(&act(&mut ada, noor, "/mfa/reset", &FOUNDED)));
    let form = kim.browser.get(&format!("/admin/users/{noor}/password"));
    assert!(form.says("This alone would let somebody in: somebody else has to approve"), "{}", form.text());
    assert!(waits(&act(&mut kim.browser, noor, "/password", &FOUNDED)), "the password alone would let in");
    let lou = &mut admins[1];
    sign_in(&world, &mut lou.browser, &lou.email, &lou.phone);
    let quinn = world.person(&mut ada, "quinn@fernhill.example", "Quinn", "member").id;
    assert!(!waits(&act(&mut lou.browser, &quinn, "/password", &FOUNDED)));
    assert!(waits(&act(&mut ada, &quinn, "/mfa/reset", &FOUNDED)), "who knows the password would come in");
    assert_eq!((rows(&world, "factors", &quinn), rows(&world, "factors", noor)), (1, 0));
}

#[test]
fn the_window_with_a_pass_is_open_for_as_long_as_policy_says() {
    let (world, mut ada, mara) = owner_and_member();
    set(&mut ada, Key::WindowWithPass, 10);
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    assert!(ada.get(&path).says("sets up a new factor within 10 minutes"), "{}", ada.page.text());
    let page = ada.post(&path, &FOUNDED);
    assert!(page.says("(10 minutes)"), "{}", page.text());
    let pass = page.secret();
    world.later(10 * MINUTE - SECOND);
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    assert!(browser.get("/enrol").says("Enter the pass"));
    world.later(SECOND);
    assert_ne!(browser.post("/enrol/pass", &[("pass", &pass)]).status, 303);
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 403);
}

#[test]
fn the_window_without_a_pass_is_open_for_as_long_as_policy_says() {
    let (world, mut ada, phone, members) = with_others("member", &["Mara", "Noor"]);
    without_pass(&world, &mut ada, &phone);
    assert_eq!(act(&mut ada, &members[0].id, "/mfa/reset", &FOUNDED).status, 200);
    set(&mut ada, Key::WindowWithoutPass, 2);
    assert_eq!(act(&mut ada, &members[1].id, "/mfa/reset", &FOUNDED).status, 200);
    world.later(2 * HOUR);
    let knock = |member: &Member| world.browser().password(&member.email, PASSWORD).status;
    assert_eq!((knock(&members[0]), knock(&members[1])), (303, 403), "what was open before keeps its time");
    world.later(22 * HOUR);
    assert_eq!(knock(&members[0]), 403);
}

#[test]
fn issued_codes_work_for_as_long_as_policy_says() {
    let (world, mut ada, _, members) = with_others("member", &["Mara"]);
    let mara = &members[0];
    set(&mut ada, Key::IssuedCodes, 1);
    let path = format!("/admin/users/{}/mfa/backup-codes", mara.id);
    assert!(ada.get(&path).says("They work for 24 hours"), "{}", ada.page.text());
    let codes = ada.post(&path, &FOUNDED).codes();
    let knock = |code: &str| {
        let mut browser = world.browser();
        browser.password(&mara.email, PASSWORD);
        browser.backup_code(code).status
    };
    world.later(DAY - MINUTE);
    assert_eq!(knock(&codes[0]), 303);
    world.later(MINUTE);
    assert_eq!(knock(&codes[1]), 401);
}

#[test]
fn a_temporary_password_works_for_as_long_as_policy_says() {
    let (world, mut ada, _, members) = with_others("member", &["Mara", "Noor"]);
    set(&mut ada, Key::TemporaryPassword, 1);
    let path = format!("/admin/users/{}/password", members[0].id);
    assert!(ada.get(&path).says("It works for 60 minutes"), "{}", ada.page.text());
    let [early, late] = [0, 1].map(|n| world.temporary_password(&mut ada, &members[n].id));
    world.later(HOUR - SECOND);
    assert_eq!(world.browser().password(&members[0].email, &early).status, 303);
    world.later(SECOND);
    assert_eq!(world.browser().password(&members[1].email, &late).status, 401);
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

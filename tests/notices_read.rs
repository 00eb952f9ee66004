//! "Got it" counts only from who has shown a second factor since it happened: without a mail server the banner is the only
//! way in which somebody hears what was done to their account.

use std::time::Duration;

use crate::runbook::owner_and_member;
use crate::world::{Answer, Browser, Member, PASSWORD, World};

const SEEN: &str = "/profile/notices/seen";
const MINUTE: Duration = Duration::from_secs(60);

/// Every notice that the page offers to mark as read is said to be read, with `more`.
fn press(browser: &mut Browser, page: &Answer, more: &[(&str, &str)]) -> Answer {
    let ids: Vec<String> =
        page.body.split("name=\"notice\" value=\"").skip(1).map(|rest| rest[..36].to_owned()).collect();
    assert!(!ids.is_empty(), "{}", page.text());
    let fields: Vec<_> = ids.iter().map(|id| ("notice", id.as_str())).chain(more.iter().copied()).collect();
    browser.post(SEEN, &fields)
}

fn unread(world: &World, mara: &Member) -> i64 {
    world.count(&format!("SELECT count(*) FROM notices WHERE seen_at IS NULL AND user_id = '{}'", mara.id))
}

/// Everything so far was read; then whoever has stolen Mara's session makes new backup codes with it, from elsewhere.
fn stolen() -> (World, Member, Browser) {
    let (world, _, mut mara) = owner_and_member();
    mara.browser = world.browser();
    world.later(MINUTE);
    mara.browser.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    mara.browser.got_it();
    assert_eq!(unread(&world, &mara), 0);
    let mut thief = mara.browser.clone().from("203.0.113.66");
    world.later(MINUTE);
    thief.get("/profile/backup-codes");
    assert_eq!(thief.post("/profile/backup-codes", &[]).codes().len(), 10);
    thief.get("/profile/backup-codes");
    (world, mara, thief)
}

#[test]
fn a_stolen_session_does_not_make_a_notice_of_what_was_done_with_it_go_away() {
    let (world, mut mara, mut thief) = stolen();
    let told = "New backup codes were made";
    let before = unread(&world, &mara);
    assert!(before > 0);
    let page = thief.get("/profile");
    assert!(page.says(told), "{}", page.text());
    let answer = press(&mut thief, &page, &[("next", "/profile/activity")]);
    assert!(
        answer.status == 422 && answer.says("Confirm that you have read it") && answer.says(told),
        "{}",
        answer.text()
    );
    // Nor with a guess, from the list, or for a minute later.
    let wrong = mara.phone.wrong_code(world.now());
    let answer = press(&mut thief, &page, &[("step_up_code", &wrong)]);
    assert!(answer.status == 422 && answer.says("This code is not right."), "{}", answer.text());
    let list = thief.get("/profile/notices");
    assert_eq!(press(&mut thief, &list, &[]).status, 422);
    world.later(MINUTE);
    assert_eq!(press(&mut thief, &page, &[]).status, 422);
    assert_eq!(unread(&world, &mara), before);
    // Mara reads it, where she is and where she signs in next.
    assert!(mara.browser.get("/profile").says(told), "{}", mara.browser.page.text());
    let mut next = world.browser();
    next.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    let page = next.get("/profile");
    assert!(page.says(told), "{}", page.text());
    assert_eq!(press(&mut next, &page, &[]).status, 303, "she has signed in since");
    assert_eq!(unread(&world, &mara), 0);
}

#[test]
fn who_presses_it_in_an_older_session_confirms_it_once_and_comes_back_to_where_they_were() {
    let (world, mut mara, mut thief) = stolen();
    let page = mara.browser.get("/profile/activity");
    let asked = press(&mut mara.browser, &page, &[("next", "/profile/activity")]);
    assert!(asked.status == 422 && asked.says("Confirm it is you"), "{}", asked.text());
    assert_eq!(asked.hidden("next").as_deref(), Some("/profile/activity"));
    world.later(MINUTE);
    let code = mara.phone.code(world.now());
    let next = asked.hidden("next").unwrap();
    let answer = press(&mut mara.browser, &asked, &[("next", &next), ("step_up_code", &code)]);
    assert_eq!((answer.status, answer.location()), (303, "/profile/activity"), "{}", answer.text());
    assert_eq!(unread(&world, &mara), 0);
    assert!(!mara.browser.get("/profile").body.contains(SEEN));
    // With the code the session got a new cookie: what was stolen is of no use any more.
    assert!(!thief.is_signed_in());
}

#[test]
fn what_is_older_than_the_last_code_is_read_with_one_press_though_something_newer_stands_beside_it() {
    let (world, mut ada, mut mara) = owner_and_member();
    let add = |ada: &mut Browser, value: &str| {
        let path = format!("/admin/users/{}/contacts", mara.id);
        ada.get(&path);
        assert_eq!(ada.post(&path, &[("kind", "phone"), ("value", value)]).status, 303);
    };
    add(&mut ada, "+46 70 555 01 00");
    world.later(MINUTE);
    mara.browser = world.browser();
    mara.browser.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    world.later(MINUTE);
    add(&mut ada, "+46 70 555 01 01");
    let page = mara.browser.get("/profile/notices");
    let answer = press(&mut mara.browser, &page, &[]);
    assert!(answer.status == 422 && answer.says("+46705550101") && !answer.says("+46705550100"), "{}", answer.text());
    assert_eq!(unread(&world, &mara), 1);
}

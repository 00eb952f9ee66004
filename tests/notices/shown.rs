//! Notices where somebody sees them: the person at the next sign-in, the help desk beside the person.

use std::time::Duration;

use idp::audit::Action;

use super::{MARA, act, objection, with_two_addresses};
use crate::runbook::FOUNDED;
use crate::world::{Browser, PASSWORD, World};

/// Signs Mara in again, at a device of its own.
fn next_visit(world: &World, post_mara: &crate::world::Member) -> Browser {
    let mut browser = world.browser().from("203.0.113.50");
    browser.sign_in(world, MARA, PASSWORD, &post_mara.phone);
    browser
}

#[test]
fn the_next_sign_in_shows_what_happened_until_it_is_read_and_not_what_this_session_did() {
    let (world, mut ada, mut mara) = crate::runbook::owner_and_member();
    let path = format!("/admin/users/{}/contacts", mara.id);
    ada.get(&path);
    ada.post(&path, &[("kind", "phone"), ("value", "+46 70 555 01 00")]);
    let said = "Ada Brandt <ada@fernhill.example> changed your contact details.";
    let page = mara.browser.get("/profile");
    assert!(page.says(said) && page.says("+46705550100") && !page.says("You chose a new password"), "{}", page.text());
    assert!(page.body.contains("href=\"/objection/"));
    // On every page, also after another was opened; opening it has not marked it as read.
    let page = mara.browser.get("/profile/activity");
    assert!(page.says(said));
    let notice = page.hidden("notice").unwrap();
    // It is newer than her last code, so that she shows another.
    world.later(Duration::from_secs(60));
    let code = mara.phone.code(world.now());
    let fields = [("notice", notice.as_str()), ("next", "/profile/activity"), ("step_up_code", &code)];
    let answer = mara.browser.post("/profile/notices/seen", &fields);
    assert_eq!((answer.status, answer.location()), (303, "/profile/activity"));
    assert!(!mara.browser.get("/profile").says(said));
    // What was done in that session waits for the next one, newest first and not all at once.
    let mut next = next_visit(&world, &mara);
    let page = next.get("/profile");
    assert!(
        page.says("New backup codes were made") && page.says("There is more: see all")
            || page.says("An authenticator app was added"),
        "{}",
        page.text()
    );
    let page = next.get("/profile/notices");
    for told in [said, "New backup codes were made", "An authenticator app was added", "Your password was changed"] {
        assert!(page.says(told), "{told}: {}", page.text());
    }
    let ids: Vec<String> =
        page.body.split("name=\"notice\" value=\"").skip(1).map(|rest| rest[..36].to_owned()).collect();
    let fields: Vec<(&str, &str)> = ids.iter().map(|id| ("notice", id.as_str())).collect();
    assert_eq!(next.post("/profile/notices/seen", &fields).status, 303);
    assert!(!next.get("/profile").body.contains("/profile/notices/seen"));
    assert!(next.get("/profile/notices").says(said), "it stays in the list");
    assert!(world.entries_of(Action::NoticeSent).is_empty());
}

#[test]
fn nobody_marks_what_somebody_else_was_told_as_read() {
    let (world, mut ada, mut mara) = crate::runbook::owner_and_member();
    let unread = format!("SELECT count(*) FROM notices WHERE seen_at IS NULL AND user_id = '{}'", mara.id);
    let all = world.count(&unread);
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let notice: String =
        db.query_row("SELECT id FROM notices WHERE user_id = ?1 LIMIT 1", [&mara.id], |r| r.get(0)).unwrap();
    ada.get("/profile");
    assert_eq!(ada.post("/profile/notices/seen", &[("notice", &notice)]).status, 303);
    assert_eq!(world.count(&unread), all);
    mara.browser.get("/profile");
    assert_eq!(mara.browser.post("/profile/notices/seen", &[("notice", "x")]).status, 404);
    assert_eq!(
        mara.browser.post("/profile/notices/seen", &[("notice", &notice), ("next", "https://evil.example")]).location(),
        "/profile"
    );
    assert_eq!(world.count(&unread), all - 1);
}

#[test]
fn the_help_desk_sees_what_was_told_and_hands_it_over_where_their_rank_allows() {
    let mut post = with_two_addresses();
    let mut noor = post.world.person(&mut post.ada, "noor@fernhill.example", "Noor", "admin");
    act(&mut post.ada, &post.mara.id, "/mfa/reset", &FOUNDED);
    let path = format!("/admin/users/{}/notices", post.mara.id);
    let page = noor.browser.get(&path);
    assert!(
        page.says("Your second factors were reset") && page.says("mara@home.example: waiting since just now"),
        "{}",
        page.text()
    );
    post.round();
    let letters = post.new_letters();
    let reset = letters.iter().find(|l| l.subject == "Your second factors were reset").unwrap();
    let page = noor.browser.get(&path);
    assert!(
        page.says("mara@home.example: sent just now") && page.says("Not read after signing in yet"),
        "{}",
        page.text()
    );
    assert!(page.body.contains(objection(reset).unwrap()), "what is copied is the whole message");
    let letter = page.body.split(&format!("href=\"{path}/")).nth(1).unwrap()[..36].to_owned();
    let letter = noor.browser.get(&format!("{path}/{letter}"));
    for part in
        ["24 November 2026", "Hello Mara Lindqvist", "Your second factors were reset", objection(reset).unwrap()]
    {
        assert!(letter.says(part), "{part}: {}", letter.text());
    }
    // An admin sees what an owner was told, and neither the link nor the letter.
    let owner = post.world.user("ada@fernhill.example").id;
    let page = noor.browser.get(&format!("/admin/users/{owner}/notices"));
    assert!(page.says("An authenticator app was added") && !page.body.contains("/objection/"), "{}", page.text());
    let db = rusqlite::Connection::open(post.world.database()).unwrap();
    let notice: String =
        db.query_row("SELECT id FROM notices WHERE user_id = ?1 LIMIT 1", [owner.to_string()], |r| r.get(0)).unwrap();
    assert_eq!(noor.browser.get(&format!("/admin/users/{owner}/notices/{notice}")).status, 403);
    // A notice is found under its own person alone.
    assert_eq!(noor.browser.get(&format!("/admin/users/{}/notices/{notice}", post.mara.id)).status, 404);
}

#[test]
fn without_a_mail_server_the_help_desk_is_told_to_hand_it_over() {
    let (world, mut ada, mara) = crate::runbook::owner_and_member();
    let page = ada.get(&format!("/admin/users/{}/notices", mara.id));
    assert!(
        page.says("No mail server is set, so nothing of this was mailed.") && page.says("not mailed"),
        "{}",
        page.text()
    );
    assert!(page.says("Print as a letter") && !page.says("waiting"));
    world.later(Duration::from_secs(4 * 86_400));
    world.sweep();
    let mut ada = world.browser();
    let _ = &mut ada;
    assert_eq!(world.count("SELECT count(*) FROM outbox WHERE next_at IS NOT NULL"), 0);
}

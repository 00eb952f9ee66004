//! The link in a notice: what it says, for how long it works, and what it is not.

use std::time::Duration;

use idp::actions::object::link_path;
use idp::audit::Action;
use idp::host::keys::SeedKey;
use idp::http::Request;
use idp::ids::NoticeId;

use super::{Firm, firm, kept, link, object, state};
use crate::carry_over::{Room, back_up, office};
use crate::runbook::{FOUNDED, act, reset, rows};
use crate::world::World;

#[test]
fn the_link_says_in_plain_words_what_it_is_about_and_what_it_does_and_works_without_signing_in_once() {
    let Firm { world, mut tom, mara, .. } = firm();
    reset(&mut tom.browser, &mara.id);
    let link = link(&world, &mara.id, "factors_reset");
    let mut browser = world.browser();
    let page = browser.get(&link);
    assert_eq!(page.status, 200);
    for what in [
        "This is about the account of Mara Lindqvist",
        "The notice, of 24 November 2026",
        "said: “ Tom Okafor removed all your authenticator apps and backup codes. You were signed out everywhere. ”",
        "Nobody can sign in to the account any more, you neither",
        "Nothing is deleted",
    ] {
        assert!(page.says(what), "{what}: {}", page.text());
    }
    assert!(!page.body.contains("tom@fernhill.example"), "addresses of others are not told");
    let form = browser.page.clone();
    let page = browser.post(&link, &[]);
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.says("Your account is frozen") && page.says("R-2026-0001") && page.says("+46 8 555 01 00"));
    assert_eq!(
        (world.user(&mara.email).status.as_str(), state(&world, "R-2026-0001").as_str()),
        ("disabled", "disavowed")
    );

    let head = world.head();
    browser.page = form;
    let second = browser.post(&link, &[]);
    for answer in [browser.get(&link), second] {
        assert_eq!(answer.status, 410);
        assert!(answer.says("You have said this already") && answer.says("the office"), "{}", answer.text());
    }
    assert_eq!(world.head(), head, "the second time nothing happens");
}

#[test]
fn mail_programs_that_open_links_by_themselves_change_nothing() {
    let Firm { world, mut tom, mut mara, .. } = firm();
    act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED);
    let link = link(&world, &mara.id, "codes_issued");
    let before = (world.head(), kept(&world, &mara.id), rows(&world, "sessions", &mara.id));
    for method in ["GET", "HEAD", "GET", "PUT", "OPTIONS"] {
        let request = Request::new(method.parse().unwrap(), &link);
        world.browser().send(request);
    }
    // Nor does a form that comes from elsewhere, or without what binds it to its page.
    let mut browser = world.browser();
    assert_eq!(browser.post(&link, &[("csrf", "x")]).status, 403);
    browser.get(&link);
    let body = format!("csrf={}", browser.page.hidden("csrf").unwrap());
    let foreign = Request::post(&link, body.into_bytes())
        .with_header("Content-Type", "application/x-www-form-urlencoded")
        .with_header("Sec-Fetch-Site", "cross-site");
    let foreign = browser.dress(foreign);
    assert_eq!(browser.send(foreign).status, 403);
    assert_eq!((world.head(), kept(&world, &mara.id), rows(&world, "sessions", &mara.id)), before);
    assert!(mara.browser.is_signed_in());
    assert_eq!(object(&world, &link).status, 200, "it still works");
}

#[test]
fn the_link_works_for_fourteen_days_and_no_longer() {
    let Firm { world, mut tom, mara, .. } = firm();
    act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED);
    let first = link(&world, &mara.id, "codes_issued");
    world.later(Duration::from_secs(14 * 86_400 - 1));
    let mut early = world.browser();
    assert_eq!(early.get(&first).status, 200);
    world.later(Duration::from_secs(1));
    let head = world.head();
    for answer in [world.browser().get(&first), early.post(&first, &[])] {
        assert_eq!(answer.status, 410);
        assert!(answer.says("It is too late for this link") && answer.says("the office"), "{}", answer.text());
    }
    assert_eq!((world.head(), world.user(&mara.email).status.as_str()), (head, "active"));
}

#[test]
fn a_link_that_is_forged_of_another_kind_or_of_another_house_is_answered_as_one_that_never_was() {
    let Firm { world, mut ada, mut tom, mara, .. } = firm();
    reset(&mut tom.browser, &mara.id);
    let right = link(&world, &mara.id, "factors_reset");
    let token = right.rsplit('/').next().unwrap().to_owned();
    let invitation = world.invite(&mut ada, "noor@fernhill.example", "Noor", "member");
    let swapped: String = {
        // The code of one notice under the number of another.
        let other = link_path(&world.app.means.key, NoticeId::generate());
        format!("{}{}", &other.rsplit('/').next().unwrap()[..21], &token[21..])
    };
    let id: NoticeId = {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
        NoticeId::from_bytes(bytes[..16].try_into().unwrap())
    };
    let head = world.head();
    let flipped = format!("{}{}", &token[..63], if token.ends_with('A') { "B" } else { "A" });
    let never: Vec<String> = [
        flipped,
        swapped,
        token[1..].to_owned(),
        format!("{token}A"),
        "x".into(),
        invitation.rsplit('/').next().unwrap().into(),
        link_path(&SeedKey::generate(), id).rsplit('/').next().unwrap().into(),
        // The code is right, and the notice is not there.
        link_path(&world.app.means.key, NoticeId::generate()).rsplit('/').next().unwrap().into(),
    ]
    .map(|token| format!("/objection/{token}"))
    .into();
    let mut bodies = Vec::new();
    for link in &never {
        let mut browser = world.browser();
        let page = browser.get(link);
        assert_eq!(page.status, 404, "{link}");
        browser.get("/sign-in");
        assert_eq!(browser.post(link, &[]).status, 404, "{link}");
        bodies.push(page.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "nobody is told which of the reasons it is");
    assert!(world.browser().get(&never[0]).says("the office, +46 8 555 01 00"));
    assert_eq!(world.browser().get(&format!("/invitation/{token}")).status, 410, "nor is it a link of another kind");
    assert_eq!(world.browser().get(&format!("/setup/{token}")).status, 410);
    assert_eq!((world.head(), world.user(&mara.email).status.as_str()), (head, "active"));
    assert_eq!(object(&world, &right).status, 200);
}

#[test]
fn after_a_restore_no_link_of_before_works() {
    let (before, mut ada, _) = office();
    let mara = before.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    let in_backup = link(&before, &mara.id, "codes_issued");
    let backup = back_up(&before, "one.db");
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    let since = link(&before, &mara.id, "codes_issued");
    assert_eq!(before.browser().get(&in_backup).status, 200);
    let room = Room::of(&before);
    room.restore(&backup, &[]);
    let world = room.open(&before);
    assert_eq!(world.browser().get(&in_backup).status, 410);
    assert_eq!(world.browser().get(&since).status, 404, "that notice was never written here");
    let mut browser = world.browser();
    browser.get("/sign-in");
    assert_eq!(browser.post(&in_backup, &[]).status, 410);
    assert_eq!(world.user(&mara.email).status.as_str(), "active");
}

#[test]
fn a_link_that_was_forwarded_freezes_and_does_no_more() {
    let Firm { world, mut tom, mara, .. } = firm();
    act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED);
    // Tom himself gets hold of the message.
    let link = link(&world, &mara.id, "codes_issued");
    tom.browser.get(&link);
    assert_eq!(tom.browser.post(&link, &[]).status, 200);
    assert_eq!((world.user(&mara.email).status.as_str(), rows(&world, "factors", &mara.id)), ("disabled", 1));
    assert!(tom.browser.is_signed_in(), "it is about her account, whoever presses the button");
    let said = world.entries_of(Action::RecoveryDisavowed).pop().unwrap();
    assert_eq!(said.header.actor_kind, "anonymous", "the link says nothing about who holds it");
}

#[test]
fn guesses_are_limited_by_address_as_everywhere() {
    let world = World::new();
    let mut browser = world.browser();
    browser.get("/sign-in");
    let csrf = browser.page.hidden("csrf").unwrap();
    let guess = link_path(&SeedKey::generate(), NoticeId::generate());
    let body = format!("csrf={csrf}");
    let answers: Vec<u16> = (0..400).map(|_| browser.post_raw(&guess, &body).status).collect();
    assert_eq!(answers[0], 404);
    assert!(answers.contains(&429), "{:?}", answers.last());
}

//! People are told what happens to their account, at every address that was known before, and how they can say that it was not
//! them. Where they see it when they sign in: `notices/shown.rs`.

mod shown;

use std::collections::BTreeSet;
use std::time::Duration;

use idp::actions::administer;
use idp::actions::authorise::By;
use idp::actions::grants::Ask;
use idp::config::PublicUrl;
use idp::ids::{CaseNumber, NoticeId, UserId};
use idp::notices::{Facts, Kind, Notice};
use idp::outbox::Link;
use idp::pages::mail::{House, Outline};
use idp::users::Role;

use crate::mail::Post;
use crate::mail_server::Received;
use crate::runbook::FOUNDED;
use crate::world::{Answer, Browser, PASSWORD, host};

const MARA: &str = "mara@fernhill.example";
const HOME: &str = "mara@home.example";
const MINUTE: Duration = Duration::from_secs(60);

/// The tags of a page taken out, in the order in which it is read.
fn read(html: &str) -> String {
    let body = html.split("<body>").nth(1).unwrap();
    let mut text = String::new();
    let mut rest = body;
    while let Some((before, tag)) = rest.split_once('<') {
        text += before;
        let (tag, after) = tag.split_once('>').unwrap();
        text += if tag == "bdi" || tag == "/bdi" { "" } else { " " };
        rest = after;
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    words(&text)
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn facts(by_themself: bool) -> Facts {
    Facts {
        by: "“Tom”\r\nBcc: eve@evil.example <tom@fernhill.example>".into(),
        by_themself,
        about: "Mara <b>Lindqvist</b> <mara@fernhill.example>".into(),
        what: "phone\n\nGo to https://evil.example & www.evil.example".into(),
        reason: "she\u{202e} called".into(),
        count: 2,
        address: "192.0.2.7".into(),
        device: "<script>alert(1)</script>".into(),
    }
}

#[test]
fn every_notice_says_the_same_in_both_forms_and_only_what_can_be_objected_to_says_how() {
    let url: PublicUrl = "https://id.fernhill.example".parse().unwrap();
    let house = House { organisation: "Fernhill Joinery", help_contact: Some("the office"), public_url: &url };
    let mut subjects = BTreeSet::new();
    for (kind, by_themself) in Kind::ALL.iter().flat_map(|kind| [(*kind, true), (*kind, false)]) {
        let notice = Notice {
            id: NoticeId::generate(),
            user_id: UserId::generate(),
            kind,
            at: "2026-11-24T09:12:00Z".parse().unwrap(),
            case: Some(CaseNumber::new(2026, 42)),
            facts: facts(by_themself),
            objection_until: None,
            objected_at: None,
            seen_at: None,
        };
        let link = Link { path: "/objection/abc".into(), until: "2026-12-08T09:12:00Z".parse().unwrap() };
        let told =
            Outline::of_notice(house, "Mara", &notice, Some(&link).filter(|_| kind.may_be_objected_to())).write();
        assert_eq!(read(&told.html), words(&told.text), "{kind:?}");
        subjects.insert(told.subject.clone());
        let plain = told.subject.chars().all(|c| c.is_alphabetic() || " :’-".contains(c));
        assert!(plain, "{}", told.subject);
        for part in
            ["Hello Mara,", "When: 2026-11-24 09:12:00 UTC", "Case: R-2026-0042", "the office", "Fernhill Joinery"]
        {
            assert!(told.text.contains(part), "{kind:?}: {part}: {}", told.text);
        }
        assert_eq!(told.text.contains("By: “Tom” Bcc: eve@evil.example"), !by_themself, "{}", told.text);
        let linked = told.text.contains("https://id.fernhill.example/objection/abc");
        assert_eq!(linked, kind.may_be_objected_to(), "{kind:?}");
        assert_eq!(told.html.contains("<a href=\"https://id.fernhill.example/objection/abc\">"), linked);
        // What waits for an approver leads to its case; to nothing else of the console leads a message.
        let to_case = told.text.contains("https://id.fernhill.example/admin/recovery/R-2026-0042\n");
        assert_eq!(to_case, kind == Kind::ApprovalWaits, "{kind:?}");
        // Nothing that somebody chose becomes a link, a tag or a line of its own.
        let urls = told.text.matches("://").count() - told.text.matches(":// ").count();
        assert_eq!(urls, usize::from(linked) + usize::from(to_case), "{}", told.text);
        assert!(!told.text.contains("\nBcc") && !told.text.contains("\nGo to") && !told.text.contains('\u{202e}'));
        assert!(!told.html.contains("<script") && !told.html.contains("<b>") && !told.html.contains("style"));
        assert!(!told.html.contains("<img") && !told.html.contains(" src="), "it loads nothing");
        let without = Outline::of_notice(house, "Mara", &notice, None).text();
        assert!(!without.contains("/objection/") && without.contains("the office"), "{without}");
    }
    assert_eq!(subjects.len(), Kind::ALL.len(), "{subjects:?}");
}

/// A provider where Mara can be reached at a second address, which has been known for a while.
fn with_two_addresses() -> Post {
    let mut post = Post::new();
    add_contact(&mut post.mara.browser, "/profile/contacts", HOME);
    post.world.later(MINUTE);
    post.round();
    let told = post.new_letters();
    assert_eq!(to(&told), [MARA], "an address hears nothing of its own arrival");
    post
}

fn add_contact(browser: &mut Browser, path: &str, address: &str) {
    browser.get(path);
    let answer = browser.post(path, &[("kind", "email"), ("value", address)]);
    assert_eq!(answer.status, 303, "{}", answer.text());
}

fn to(letters: &[Received]) -> Vec<&str> {
    letters.iter().map(|letter| letter.to[0].as_str()).collect()
}

/// The objection link in a letter.
fn objection(letter: &Received) -> Option<&str> {
    let text = letter.text.as_deref().unwrap();
    let at = text.find("https://id.fernhill.example/objection/")?;
    text[at..].split_whitespace().next()
}

/// Both addresses are told this, each once and with the same way to object; the letters.
#[track_caller]
fn both_told(post: &mut Post, subject: &str) -> Vec<Received> {
    post.round();
    let all = post.new_letters();
    let letters: Vec<Received> = all.iter().filter(|letter| letter.subject == subject).cloned().collect();
    assert_eq!(to(&letters), [MARA, HOME], "{subject}: {all:?}");
    assert!(objection(&letters[0]).is_some() && objection(&letters[0]) == objection(&letters[1]), "{letters:?}");
    letters
}

fn act(admin: &mut Browser, id: &str, act: &str, fields: &[(&str, &str)]) -> Answer {
    crate::runbook::act(admin, id, act, fields)
}

#[test]
fn every_change_of_factors_codes_password_and_address_is_told_at_every_known_address_with_how_to_object() {
    let mut post = with_two_addresses();
    let id = post.mara.id.clone();
    let mut secrets = vec![PASSWORD.to_owned()];
    secrets.extend(post.mara.codes.clone());

    crate::profile::add_app(&post.world, &mut post.mara.browser, "Tablet");
    both_told(&mut post, "An authenticator app was added");
    let remove = format!("/profile/factors/{}/remove", post.world.factor(&id));
    post.mara.browser.get(&remove);
    assert_eq!(post.mara.browser.post(&remove, &[]).status, 303);
    both_told(&mut post, "An authenticator app was removed");
    post.mara.browser.get("/profile/backup-codes");
    let codes = post.mara.browser.post("/profile/backup-codes", &[]).codes();
    assert_eq!(codes.len(), 10);
    secrets.extend(codes.clone());
    both_told(&mut post, "New backup codes were made");
    let mut elsewhere = post.world.browser().from("203.0.113.9");
    elsewhere.password(MARA, PASSWORD);
    assert_eq!(elsewhere.backup_code(&codes[0]).status, 303);
    let used = both_told(&mut post, "A backup code was used");
    assert!(used[0].text.as_deref().unwrap().contains("From: Linux, 203.0.113.9"), "{:?}", used[0].text);
    post.mara.browser.get("/profile/password");
    let fields = [("current_password", PASSWORD), ("new_password", "quiet ferry under cranes")];
    assert_eq!(post.mara.browser.post("/profile/password", &fields).status, 303);
    secrets.push("quiet ferry under cranes".into());
    both_told(&mut post, "Your password was changed");

    // A recovery, by somebody else: who, in which case, and nothing of what was given.
    let page = act(&mut post.ada, &id, "/mfa/backup-codes", &FOUNDED);
    secrets.extend(page.codes());
    both_told(&mut post, "Backup codes were made for you");
    let page = act(&mut post.ada, &id, "/password", &FOUNDED[..3]);
    secrets.push(page.secret());
    both_told(&mut post, "A temporary password was set");
    let page = act(&mut post.ada, &id, "/mfa/reset", &FOUNDED);
    secrets.push(page.secret());
    let reset = both_told(&mut post, "Your second factors were reset");
    let text = reset[0].text.as_deref().unwrap();
    assert!(text.contains("By: Ada Brandt <ada@fernhill.example>") && text.contains("Case: R-2026-0001"), "{text}");
    assert!(!text.contains("lost her phone"), "reasons are the help desk's");

    nothing_secret_was_sent(&post, &secrets);
}

/// No message holds a secret, however it is written, nor a link of another kind than the one that it may hold.
fn nothing_secret_was_sent(post: &Post, secrets: &[String]) {
    let letters = post.server.received();
    assert!(letters.len() > 20 && secrets.len() > 20);
    for letter in &letters {
        let said = format!(
            "{}\n{}\n{}\n{:?}",
            letter.subject,
            letter.text.as_deref().unwrap(),
            letter.html.as_deref().unwrap(),
            letter.headers
        );
        for secret in secrets {
            let bare: String = secret.chars().filter(char::is_ascii_alphanumeric).collect();
            let squeezed: String = said.chars().filter(char::is_ascii_alphanumeric).collect();
            assert!(!said.contains(secret.as_str()) && !squeezed.contains(&bare), "{secret} in {said}");
        }
        for (at, _) in said.match_indices("https://id.fernhill.example/") {
            assert!(said[at..].starts_with("https://id.fernhill.example/objection/"), "{said}");
        }
        for cookie in post.ada.cookies.values().chain(post.mara.browser.cookies.values()) {
            assert!(!said.contains(cookie.as_str()), "{said}");
        }
    }
}

#[test]
fn the_old_sign_in_address_is_told_and_can_object_and_the_new_one_can_not() {
    let mut post = with_two_addresses();
    let fields: Vec<_> = FOUNDED[..3].iter().copied().chain([("email", "mara@new.example")]).collect();
    let answer = act(&mut post.ada, &post.mara.id, "/email", &fields);
    assert_eq!(answer.status, 303, "{}", answer.text());
    post.round();
    let mut letters = post.new_letters();
    letters.sort_by_key(|letter| letter.to[0].clone());
    assert_eq!(to(&letters), [MARA, HOME, "mara@new.example"]);
    assert_eq!(letters.iter().map(|l| objection(l).is_some()).collect::<Vec<_>>(), [true, true, false]);
    assert!(letters.iter().all(|l| l.text.as_deref().unwrap().contains("It is now mara@new.example.")));
}

#[test]
fn an_address_that_was_added_after_somebody_asked_for_help_hears_nothing_of_the_case() {
    let mut post = with_two_addresses();
    act(&mut post.ada, &post.mara.id, "/mfa/backup-codes", &FOUNDED);
    let path = format!("/admin/users/{}/contacts", post.mara.id);
    add_contact(&mut post.ada, &path, "thief@evil.example");
    post.world.later(MINUTE);
    act(&mut post.ada, &post.mara.id, "/mfa/reset", &FOUNDED);
    both_told(&mut post, "Your second factors were reset");
    assert!(post.server.received().iter().all(|letter| letter.to != ["thief@evil.example"]));
}

#[test]
fn names_that_mean_harm_reach_one_recipient_under_fixed_words() {
    let mut post = Post::new();
    let name = "\"Eve\" <eve@evil.example>, =?utf-8?q?x=0d=0aBcc:_eve@evil.example?= <img src=x>";
    let eve = post.world.person(&mut post.ada, "eve@fernhill.example", name, "member");
    act(&mut post.ada, &eve.id, "/mfa/reset", &FOUNDED);
    post.round();
    let letters = post.new_letters();
    assert!(letters.len() >= 3);
    for letter in letters {
        assert_eq!(letter.to, ["eve@fernhill.example"]);
        let [(shown, address)] = &letter.to_header[..] else { panic!("{:?}", letter.to_header) };
        assert_eq!(address, "eve@fernhill.example");
        assert!(shown.contains("<eve@evil.example>"), "{shown}");
        assert!(letter.header("bcc").is_empty() && letter.header("to").len() == 1, "{:?}", letter.headers);
        assert!(!letter.subject.contains("Eve") && !letter.html.as_deref().unwrap().contains("<img"));
    }
}

#[test]
fn owners_are_told_of_what_a_command_on_the_host_gave() {
    let mut post = Post::new();
    let otto = post.world.person(&mut post.ada, "otto@fernhill.example", "Otto", "owner");
    post.round();
    post.new_letters();
    let ask = Ask { by: By::Host, user: post.mara.id.parse().unwrap(), nonce: None, source: host() };
    administer::change_role(&post.world.app.means, ask, Role::Admin, "more hands".parse().unwrap()).unwrap();
    post.round();
    let letters = post.new_letters();
    assert_eq!(to(&letters), ["ada@fernhill.example", "otto@fernhill.example"]);
    assert!(letters.iter().all(|l| l.subject == "A command on the host gave access" && objection(l).is_none()));
    assert!(letters[0].text.as_deref().unwrap().contains("Mara Lindqvist <mara@fernhill.example>: the role admin."));
    let page = otto.browser.clone().get("/admin");
    assert!(page.says("A command on the host gave access"), "{}", page.text());
}

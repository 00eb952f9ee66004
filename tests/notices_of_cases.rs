//! Who is told of what waits in a case, and that an objection was lifted.

use idp::policy::Key;

use crate::mail::Post;
use crate::mail_server::Received;
use crate::objections::{KNOWN, link, object};
use crate::runbook::{FOUNDED, act};
use crate::second_person::{RESET, ask, set_policy};

fn to(letters: &[Received], subject: &str) -> Vec<String> {
    let mut to: Vec<String> = letters.iter().filter(|l| l.subject == subject).map(|l| l.to[0].clone()).collect();
    to.sort();
    to
}

const WAITS: &str = "A request waits for your approval";

#[test]
fn whoever_can_approve_is_told_by_mail_and_on_screen_with_a_link_to_the_case_and_nobody_else_is() {
    let mut post = Post::new();
    let add =
        |post: &mut Post, email: &str, name: &str, role: &str| post.world.person(&mut post.ada, email, name, role);
    let mut tom = add(&mut post, "tom@fernhill.example", "Tom Okafor", "admin");
    let noor = add(&mut post, "noor@fernhill.example", "Noor Haddad", "admin");
    let bo = add(&mut post, "bo@fernhill.example", "Bo Lind", "owner");
    let gone = add(&mut post, "gone@fernhill.example", "Gone Owner", "owner");
    add(&mut post, "audrey@fernhill.example", "Audrey Bell", "auditor");
    post.world.disable(&mut post.ada, &gone.id);
    post.round();
    post.new_letters();

    let case = ask(&mut tom.browser, &noor.id, RESET);
    post.round();
    let letters = post.new_letters();
    // An owner has to: neither who asked, nor whom it is about, nor an admin, nor who is disabled.
    assert_eq!(to(&letters, WAITS), ["ada@fernhill.example", "bo@fernhill.example"]);
    let text = letters.iter().find(|l| l.subject == WAITS).unwrap().text.clone().unwrap();
    for part in [
        "Tom Okafor <tom@fernhill.example> asked to remove all factors and give a pass",
        "for the account of Noor Haddad <noor@fernhill.example>",
        "Reason: lost her phone on the train",
        &format!("Case: {case}"),
        &format!("https://id.fernhill.example/admin/recovery/{case}"),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("/objection/"), "{text}");
    for mut owner in [post.ada.clone(), bo.browser.clone()] {
        let page = owner.get("/admin");
        assert!(page.says(WAITS), "{}", page.text());
        assert!(page.body.contains(&format!("href=\"/admin/recovery/{case}\">Open case")), "{}", page.body);
    }
    for mut other in [tom.browser.clone(), noor.browser.clone()] {
        assert!(!other.get("/profile/notices").says(WAITS));
    }
}

#[test]
fn where_an_admin_is_enough_the_other_admins_are_told_too() {
    let mut post = Post::new();
    let mut tom = post.world.person(&mut post.ada, "tom@fernhill.example", "Tom Okafor", "admin");
    post.world.person(&mut post.ada, "noor@fernhill.example", "Noor Haddad", "admin");
    set_policy(&post.world, Key::SecondPersonRule, 2);
    post.round();
    post.new_letters();
    let mara = post.mara.id.clone();
    ask(&mut tom.browser, &mara, RESET);
    post.round();
    assert_eq!(to(&post.new_letters(), WAITS), ["ada@fernhill.example", "noor@fernhill.example"]);
}

#[test]
fn where_time_stands_in_for_an_approver_nobody_is_told_that_they_can_approve() {
    let mut post = Post::new();
    set_policy(&post.world, Key::SecondPersonRule, 2);
    let mara = post.mara.id.clone();
    ask(&mut post.ada, &mara, RESET);
    post.round();
    let letters = post.new_letters();
    assert!(to(&letters, WAITS).is_empty(), "{letters:?}");
    assert_eq!(to(&letters, "Access to your account was asked for"), ["mara@fernhill.example"]);
}

#[test]
fn the_person_and_the_owners_are_told_that_an_objection_was_lifted_and_the_person_can_object_once_more() {
    let mut post = Post::new();
    let mut bo = post.world.person(&mut post.ada, "bo@fernhill.example", "Bo Nilsson", "owner");
    post.mara.browser.get("/profile/contacts");
    let added = [("kind", "email"), ("value", "mara@home.example")];
    assert_eq!(post.mara.browser.post("/profile/contacts", &added).status, 303);
    post.world.later(std::time::Duration::from_secs(60));
    let mara = post.mara.id.clone();
    act(&mut post.ada, &mara, RESET, &FOUNDED);
    let way = link(&post.world, &mara, "factors_reset");
    assert_eq!(object(&post.world, &way).status, 200);
    post.round();
    post.new_letters();
    let path = "/admin/recovery/R-2026-0001/reassure";
    bo.browser.get(path);
    let lifted = bo.browser.post(path, &KNOWN);
    assert_eq!(lifted.status, 303, "{}", lifted.text());
    post.round();
    let letters = post.new_letters();
    let subject = "The objection about your account was lifted";
    assert_eq!(to(&letters, subject), ["mara@fernhill.example", "mara@home.example"], "{letters:?}");
    let text = letters.iter().find(|l| l.subject == subject).unwrap().text.clone().unwrap();
    assert!(text.contains("Bo Nilsson <bo@fernhill.example> looked into the objection"), "{text}");
    assert!(text.contains("/objection/") && !text.contains("it was her own request"), "reasons are not hers: {text}");
    // Who lifted it knows.
    assert_eq!(to(&letters, "An objection was lifted"), ["ada@fernhill.example"]);

    let again = link(&post.world, &mara, "objection_lifted");
    assert_eq!(object(&post.world, &again).status, 200);
    let frozen = format!("SELECT count(*) FROM freezes WHERE user_id = '{mara}'");
    assert_eq!(post.world.count(&frozen), 1, "whoever was misled is not the last word");
}

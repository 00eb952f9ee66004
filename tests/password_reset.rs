//! A new password through a link by mail: it stands in for the password and for nothing else.

use std::time::Duration;

use idp::audit::Action;

use crate::mail::Post;
use crate::runbook::FOUNDED;
use crate::world::{Answer, Browser, PASSWORD, body};

const NEW: &str = "quiet ferry under cranes";
const MINUTE: Duration = Duration::from_secs(60);

/// Asks for a link as a stranger at an address of their own.
fn ask(post: &Post, email: &str, from: &str) -> Answer {
    let mut browser = post.world.browser().from(from);
    browser.get("/password-reset");
    browser.post("/password-reset", &[("email", email)])
}

/// The path of the link in the one letter that has arrived since.
#[track_caller]
fn link(post: &mut Post) -> String {
    post.round();
    let letters = post.new_letters();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!(
        (letter.subject.as_str(), &letter.to[..]),
        ("A link to choose a new password", &["mara@fernhill.example".to_owned()][..])
    );
    let text = letter.text.as_deref().unwrap();
    let at = text.find("/password-reset/").expect(text);
    text[at..].split_whitespace().next().unwrap().to_owned()
}

fn choose(post: &Post, link: &str, password: &str) -> Answer {
    let mut browser = post.world.browser();
    browser.get(link);
    browser.post(link, &[("new_password", password)])
}

#[test]
fn who_forgot_their_password_chooses_another_by_mail_and_still_shows_their_second_factor() {
    let mut post = Post::new();
    assert!(post.world.browser().get("/sign-in").body.contains("href=\"/password-reset\""));
    assert!(ask(&post, "mara@fernhill.example", "192.0.2.9").says("Look into your mailbox"));
    let link = link(&mut post);
    let before = post.world.head();
    // Mail programs open links by themselves.
    for _ in 0..3 {
        assert!(post.world.browser().get(&link).says("Choose a new password"));
    }
    assert_eq!(post.world.head(), before);
    let page = choose(&post, &link, "password1");
    assert_eq!(page.status, 422, "{}", page.text());
    assert!(choose(&post, &link, NEW).says("Your password is changed"));
    assert_eq!(post.world.story_since(before), ["user.password_reset_completed success"]);
    // Everything by which somebody was in has ended; factors and codes have not.
    assert!(!post.mara.browser.is_signed_in());
    assert_eq!(crate::runbook::rows(&post.world, "devices", &post.mara.id), 0);
    assert_eq!(crate::runbook::rows(&post.world, "enrolment_windows", &post.mara.id), 0);
    let mut browser = post.world.browser();
    assert_eq!(browser.password("mara@fernhill.example", PASSWORD).status, 401);
    assert_eq!(browser.sign_in(&post.world, "mara@fernhill.example", NEW, &post.mara.phone).location(), "/profile");
    assert!(browser.is_signed_in());
    // It is told as any other change of the password is.
    post.round();
    let told = post.new_letters();
    assert!(
        told.iter()
            .any(|l| l.subject == "Your password was changed" && l.text.as_deref().unwrap().contains("through a link")),
        "{told:?}"
    );
    assert_eq!(post.world.browser().get(&link).status, 410);
}

#[test]
fn known_unknown_disabled_and_invited_addresses_get_the_same_answer_and_only_one_gets_a_link() {
    let mut post = Post::new();
    let gone = post.world.person(&mut post.ada, "gone@fernhill.example", "Gone", "member");
    post.world.disable(&mut post.ada, &gone.id);
    post.world.invite(&mut post.ada, "new@fernhill.example", "New", "member");
    post.round();
    post.new_letters();
    let answers: Vec<_> = ["mara", "nobody", "gone", "new"]
        .into_iter()
        .enumerate()
        .map(|(n, name)| {
            let answer = ask(&post, &format!("{name}@fernhill.example"), &format!("198.51.100.{n}"));
            (answer.status, answer.body)
        })
        .collect();
    assert!(answers.iter().all(|answer| answer == &answers[0] && answer.0 == 200), "{answers:?}");
    link(&mut post);
    let asked = post.world.entries_of(Action::UserPasswordResetRequested);
    let outcomes: Vec<_> = asked.iter().map(|e| (e.header.outcome.as_str(), body(e).fact("rule"))).collect();
    let refused = ("denied", "account_not_active".to_owned());
    assert_eq!(outcomes, [("success", String::new()), refused.clone(), refused]);
    assert!(!post.world.stores("nobody@fernhill.example"), "an unknown address may be a password");
}

#[test]
fn three_links_an_hour_are_sent_whoever_asks_and_asking_on_shuts_nobody_out() {
    let mut post = Post::new();
    for round in 0..2 {
        for n in 0..6 {
            let answer = ask(&post, "mara@fernhill.example", &format!("198.51.100.{n}"));
            assert!(answer.status == 200 && answer.says("Look into your mailbox"));
        }
        post.round();
        post.round();
        post.round();
        assert_eq!(post.new_letters().len(), 3, "hour {round}");
        post.world.later(61 * MINUTE);
    }
    let asked = post.world.entries_of(Action::UserPasswordResetRequested);
    assert_eq!(asked.len(), 6);
    // One source is slowed down as at any other form that anyone can send.
    let statuses: Vec<u16> = (0..110).map(|n| ask(&post, &format!("x{n}@y.example"), "203.0.113.7").status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    post.world.later(61 * MINUTE);
    post.world.sweep();
    assert_eq!(post.world.count("SELECT count(*) FROM link_requests"), 0);
}

#[test]
fn a_link_dies_with_time_use_and_whatever_ends_what_it_was_made_for() {
    let acts: [fn(&mut Post); 5] = [
        |post| post.world.later(31 * MINUTE),
        |post| drop(post.world.temporary_password(&mut post.ada, &post.mara.id)),
        |post| drop(post.world.reset(&mut post.ada, &post.mara.id)),
        |post| post.world.disable(&mut post.ada, &post.mara.id.clone()),
        |post| {
            let browser = &mut post.mara.browser;
            browser.get("/profile/password");
            let fields = [("current_password", PASSWORD), ("new_password", NEW)];
            assert_eq!(browser.post("/profile/password", &fields).status, 303, "{}", browser.page.text());
        },
    ];
    for (n, act) in acts.into_iter().enumerate() {
        let mut post = Post::new();
        ask(&post, "mara@fernhill.example", "192.0.2.9");
        let link = link(&mut post);
        act(&mut post);
        let page = post.world.browser().get(&link);
        assert!(page.status == 410 && page.says("This link no longer works"), "{n}: {}", page.text());
        let mut browser = post.world.browser();
        browser.get("/password-reset");
        let page = browser.post(&link, &[("new_password", "another quiet ferry")]);
        assert_eq!(page.status, 410, "{n}: {}", page.text());
    }
}

#[test]
fn nobody_who_is_being_recovered_gets_a_link_nor_uses_one_that_they_had() {
    let mut post = Post::new();
    ask(&post, "mara@fernhill.example", "192.0.2.9");
    let earlier = link(&mut post);
    // Issuing codes ends no link by itself; the open case does.
    let path = format!("/admin/users/{}/mfa/backup-codes", post.mara.id);
    post.ada.get(&path);
    let page = post.ada.post(&path, &FOUNDED[..3]);
    assert_eq!(page.status, 200, "{}", page.text());
    post.round();
    post.new_letters();
    let before = post.world.head();
    assert_eq!(choose(&post, &earlier, NEW).status, 410);
    assert!(ask(&post, "mara@fernhill.example", "192.0.2.9").says("Look into your mailbox"));
    post.round();
    assert!(post.new_letters().is_empty());
    assert_eq!(
        post.world.story_since(before),
        ["user.password_reset_completed denied", "user.password_reset_requested denied"]
    );
    let rules = post.world.entries_of(Action::UserPasswordResetRequested);
    assert_eq!(body(rules.last().unwrap()).fact("rule"), "recovery_under_way");
}

#[test]
fn who_has_no_second_factor_to_show_gets_no_link() {
    let mut post = Post::new();
    // Came as far as the password, and has not set up an app: the window of the invitation is open.
    let link = post.world.invite(&mut post.ada, "new@fernhill.example", "New", "member");
    post.world.accept(&link);
    ask(&post, "new@fernhill.example", "192.0.2.9");
    let asked = post.world.entries_of(Action::UserPasswordResetRequested);
    assert_eq!(body(&asked[0]).fact("rule"), "enrolment_window_open");
    post.world.later(73 * 60 * MINUTE);
    ask(&post, "new@fernhill.example", "192.0.2.9");
    let asked = post.world.entries_of(Action::UserPasswordResetRequested);
    assert_eq!(body(&asked[1]).fact("rule"), "no_second_factor");
    assert_eq!(crate::runbook::rows(&post.world, "links", &post.world.user("new@fernhill.example").id.to_string()), 0);
}

#[test]
fn a_link_of_another_kind_is_none_and_none_of_these_is_another() {
    let mut post = Post::new();
    ask(&post, "mara@fernhill.example", "192.0.2.9");
    let reset = link(&mut post);
    let token = reset.rsplit('/').next().unwrap().to_owned();
    let invitation = post.world.invite(&mut post.ada, "new@fernhill.example", "New", "member");
    let other = invitation.rsplit('/').next().unwrap();
    for path in [
        format!("/password-reset/{other}"),
        format!("/invitation/{token}"),
        format!("/setup/{token}"),
        "/password-reset/x".into(),
    ] {
        assert_eq!(post.world.browser().get(&path).status, 410, "{path}");
    }
    assert!(post.world.browser().get(&reset).says("Choose a new password"));
}

#[test]
fn without_a_mail_server_nobody_is_offered_a_link() {
    let (world, _, _) = crate::world::World::with_owner();
    let mut stranger: Browser = world.browser();
    assert!(!stranger.get("/sign-in").body.contains("/password-reset"));
    assert_eq!(stranger.get("/password-reset").status, 404);
    stranger.get("/sign-in");
    assert_eq!(stranger.post("/password-reset", &[("email", "ada@fernhill.example")]).status, 404);
}

#[test]
fn a_link_that_could_not_be_sent_in_its_time_is_not_sent_later() {
    let mut post = Post::new();
    post.server.stop();
    ask(&post, "mara@fernhill.example", "192.0.2.9");
    post.round();
    post.world.later(31 * MINUTE);
    post.server.start_again();
    post.world.later(5 * MINUTE);
    post.round();
    post.round();
    assert!(post.new_letters().is_empty());
    let given_up = post.world.entries_of(Action::NoticeSent).pop().unwrap();
    assert_eq!((body(&given_up).fact("kind"), given_up.header.outcome.as_str()), ("password_reset".into(), "failure"));
}

#[test]
fn when_the_disk_runs_full_no_link_is_made_for_anyone() {
    let mut post = Post::new();
    post.world.app.pretend_free(Some(1_000_000));
    assert_eq!(ask(&post, "mara@fernhill.example", "192.0.2.9").status, 507);
    assert_eq!(ask(&post, "nobody@fernhill.example", "192.0.2.9").status, 507);
    post.world.app.pretend_free(None);
    post.round();
    assert!(post.new_letters().is_empty());
}

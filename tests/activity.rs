//! What a person reads about themself: what happened, and nothing that is another's.

use idp::audit::Action;

use crate::runbook::{act, owner_and_member};
use crate::world::{Browser, PASSWORD, World};

const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// A person's whole history, page after page; each page's lines, newest first.
fn pages(browser: &mut Browser) -> Vec<Vec<String>> {
    let (mut pages, mut next) = (Vec::new(), Some("/profile/activity".to_owned()));
    while let Some(path) = next {
        let page = browser.get(&path);
        assert_eq!(page.status, 200, "{path}");
        let table = page.body.split("<tbody").nth(1).and_then(|rest| rest.split("</tbody>").next()).unwrap_or_default();
        let rows = table.split("<tr").skip(1).map(|row| {
            let text = crate::world::Answer { body: format!("<tr{row}"), ..Default::default() };
            text.text()
        });
        pages.push(rows.collect());
        let link = page.body.split("href=\"/profile/activity?before=").nth(1).and_then(|rest| rest.split('"').next());
        next = link.map(|before| format!("/profile/activity?before={before}"));
    }
    pages
}

fn history(browser: &mut Browser) -> String {
    pages(browser).concat().join("\n")
}

#[test]
fn people_read_in_plain_words_what_happened_when_and_where() {
    let (world, _, mara) = owner_and_member();
    let mut browser = world.browser().from("203.0.113.9");
    browser.agent = WINDOWS.into();
    assert_eq!(browser.password(&mara.email, "not this one").status, 401);
    world.later(std::time::Duration::from_secs(120));
    browser.sign_in(&world, &mara.email, PASSWORD, &mara.phone);
    let lines = pages(&mut browser).concat();
    let here = "Firefox on Windows, 203.0.113.9";
    assert_eq!(lines[0], format!("You signed in with password and code from the app, on a new device just now {here}"));
    assert_eq!(lines[2], format!("A sign-in failed: wrong password 2 minutes ago {here}"));
    assert!(lines.last().unwrap().starts_with("Your account was made"), "{lines:?}");
    let profile = browser.get("/profile");
    assert!(profile.says("You signed in with password and code from the app, on a new device"));
    assert!(browser.get("/profile/activity").says("Something here was not you?"));
    assert!(browser.page.says("Ask the office, +46 8 555 01 00"));
}

#[test]
fn nothing_that_was_written_for_the_help_desk_stands_in_a_persons_history() {
    let (world, ada, mara) = owner_and_member();
    let mut ada = ada.from("198.51.100.4");
    ada.agent = "AdaBrowser/7".into();
    assert_eq!(act(&mut ada, &mara.id, "/notes", &[("text", "sounded unsure of herself")]).status, 303);
    let founded = [
        ("evidence", "manager_ticket"),
        ("voucher", "Sven the manager"),
        ("evidence_note", "he vouched by phone"),
        ("ticket", "HR-4711"),
        ("reason", "lost it in a bar"),
        ("codes_unavailable", "on"),
    ];
    let page = act(&mut ada, &mara.id, "/mfa/reset", &founded);
    assert_eq!(page.status, 200, "{}", page.text());
    let mut browser = world.browser();
    browser.password(&mara.email, PASSWORD);
    browser.get("/enrol");
    browser.post("/enrol/pass", &[("pass", &page.secret())]);
    world.enrol(&mut browser);
    // The notices say by whom it was, as they do by mail; the history does not.
    browser.got_it();
    let told = history(&mut browser);
    for (what, by) in [
        ("All your authenticator apps and backup codes were removed", "an admin"),
        ("A recovery of your account was begun", "an admin"),
        ("It was recorded that your identity was checked", "an admin"),
        ("A pass was made with which you set up a new authenticator app", "an admin"),
        ("Your account was recovered", "Linux, 192.0.2.1"),
    ] {
        assert!(told.lines().any(|l| l.starts_with(what) && l.ends_with(by)), "{what}\n{told}");
    }
    let kept = ["unsure", "Sven", "vouched", "HR-4711", "in a bar", "R-2026", "manager", "video"];
    let hers = ["Ada", "ada@", "198.51.100.4", "AdaBrowser"];
    for word in kept.iter().chain(&hers) {
        assert!(!told.contains(word) && !browser.page.body.contains(word), "{word}\n{told}");
        assert!(!browser.get("/profile").body.contains(word), "{word} on the profile");
    }
}

#[test]
fn nobody_reads_another_persons_data_in_their_own_history_whoever_they_are() {
    let (world, mut ada, mara) = owner_and_member();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor", "admin");
    let jonas = world.person(&mut ada, "jonas@fernhill.example", "Jonas", "member");
    let mut theirs = mara.browser.clone().from("203.0.113.50");
    theirs.get("/profile/backup-codes");
    assert_eq!(theirs.post("/profile/backup-codes", &[]).status, 200);
    let mut admin = noor.browser.clone();
    assert_eq!(act(&mut admin, &mara.id, "/mfa/reset", &crate::runbook::FOUNDED).status, 200);
    assert_eq!(act(&mut admin, &mara.id, "/notes", &[("text", "called twice")]).status, 303);
    let told = history(&mut admin);
    assert!(told.contains("You reset somebody’s second factors") && told.contains("You wrote a note about somebody"));
    for told in [told, history(&mut jonas.browser.clone()), history(&mut ada)] {
        for word in ["Mara", "mara@", &*mara.id, "203.0.113.50", "lost her phone", "called twice", "#1234"] {
            assert!(!told.contains(word), "{word}\n{told}");
        }
    }
}

#[test]
fn a_refusal_is_told_to_who_asked_and_not_to_whom_it_was_about() {
    let (world, mut ada, mara) = owner_and_member();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor", "admin");
    let mut admin = noor.browser.clone();
    let owner = world.user("ada@fernhill.example").id.to_string();
    admin.get(&format!("/admin/users/{}/disable", mara.id));
    assert_eq!(admin.post(&format!("/admin/users/{owner}/disable"), &[("reason", "as a test")]).status, 403);
    assert_eq!(world.entries_of(Action::UserDisabled).pop().unwrap().header.outcome, "denied");
    assert!(history(&mut admin).contains("Refused: disabling"));
    let told = history(&mut ada);
    assert!(!told.contains("disabling") && !told.contains("switched off"), "{told}");
    let mut browser = mara.browser.clone();
    let factor = world.factor(&mara.id);
    browser.get(&format!("/profile/factors/{factor}/remove"));
    browser.get("/profile/backup-codes");
    assert_eq!(browser.post(&format!("/profile/factors/{factor}/remove"), &[]).status, 422);
    assert!(history(&mut browser).contains("Refused: removing a factor"));
}

#[test]
fn a_long_history_is_paged_without_a_gap_or_a_line_twice() {
    let (world, mut ada, mara) = owner_and_member();
    let mut browser = mara.browser.clone();
    let path = format!("/profile/factors/{}/rename", world.factor(&mara.id));
    browser.get(&path);
    for n in 1..=110 {
        // What happens to others lies in between.
        if n % 10 == 0 {
            ada.get("/admin/users/new");
            assert_eq!(act(&mut ada, &mara.id, "/notes", &[("text", "one more note")]).status, 303);
        }
        assert_eq!(browser.post(&path, &[("name", &format!("app-{n:03}"))]).status, 303, "{n}");
    }
    let pages = pages(&mut browser);
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(&sizes[..2], [50, 50]);
    assert!(sizes.len() == 3 && (10..50).contains(&sizes[2]), "{sizes:?}");
    let told = pages.concat();
    for n in 2..=110 {
        let line = format!("You renamed the authenticator app “app-{:03}” to “app-{n:03}”", n - 1);
        assert_eq!(told.iter().filter(|l| l.starts_with(&line)).count(), 1, "{line}");
    }
    assert!(told.last().unwrap().starts_with("Your account was made"));
    let end = browser.get("/profile/activity?before=1");
    assert!(end.says("Nothing more.") && end.body.contains("href=\"/profile/activity\""));
    assert_eq!(browser.get("/profile/activity?before=x").status, 400);
}

#[test]
fn a_history_is_there_for_its_person_alone() {
    let (world, _, _) = World::with_owner();
    assert_eq!(world.browser().get("/profile/activity").location(), "/sign-in?next=%2Fprofile%2Factivity");
}

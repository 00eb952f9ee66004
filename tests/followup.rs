//! The last message of a case: filled in, changed as one likes, sent or copied once, and recorded.

use std::sync::Arc;
use std::time::Duration;

use idp::audit::Action;
use idp::config::{MailServer, MailSettings, Security};
use idp::host::smtp::Smtp;
use rusqlite::Connection;

use crate::runbook::reset;
use crate::world::{Answer, Browser, Member, PASSWORD, World, body};

const MESSAGE: &str = "/admin/recovery/R-2026-0001/message";

/// A world in which mail can be sent; nobody sends any in a test of what waits in the outbox.
fn with_mail() -> World {
    World::with("http://localhost:8080", |settings| {
        let mail = MailSettings {
            server: MailServer { host: "127.0.0.1".into(), port: 1 },
            security: Security::Clear,
            account: None,
            ca_file: None,
            from: "idp@fernhill.example".parse().unwrap(),
        };
        settings.mail = Some(Arc::new(Smtp::new(&mail, "Fernhill Joinery").unwrap()));
    })
}

/// An owner, and a member who was reset and is back.
fn recovered(world: World) -> (World, Browser, Member) {
    let (world, mut ada, _) = world.owned();
    let mut mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    contact(&mut mara.browser, "mara@home.example");
    world.later(Duration::from_secs(60));
    let pass = reset(&mut ada, &mara.id);
    let mut back = world.browser();
    back.password(&mara.email, PASSWORD);
    back.get("/enrol");
    back.post("/enrol/pass", &[("pass", &pass)]);
    let (phone, codes) = world.enrol(&mut back);
    (world, ada, Member { browser: back, phone, codes, ..mara })
}

fn contact(browser: &mut Browser, address: &str) {
    browser.get("/profile/contacts");
    let page = browser.post("/profile/contacts", &[("kind", "email"), ("value", address)]);
    assert_eq!(page.status, 303, "{}", page.text());
}

/// What stands in the form's field.
fn typed(page: &Answer) -> String {
    let field = page.body.split("<textarea id=\"message\"").nth(1).expect("there is a field");
    let text = field.split('>').nth(1).unwrap().split("</textarea").next().unwrap();
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The messages that people wrote, as they wait in the outbox: address, name, subject, text.
fn outbox(world: &World) -> Vec<[String; 4]> {
    let db = Connection::open(world.database()).unwrap();
    let sql = "SELECT address, name, subject, text FROM outbox
               WHERE kind = 'message' AND case_number = 'R-2026-0001' AND next_at IS NOT NULL ORDER BY address";
    let mut query = db.prepare(sql).unwrap();
    let rows = query.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])).unwrap();
    rows.map(Result::unwrap).collect()
}

fn recorded(world: &World) -> Vec<(String, String)> {
    let entries = world.entries_of(Action::RecoveryFollowedUp);
    let done = entries.iter().filter(|e| e.header.outcome == "success");
    done.map(|e| (body(e).fact("how"), body(e).fact("addresses"))).collect()
}

#[test]
fn the_message_is_filled_in_from_what_was_done() {
    let (_world, mut ada, _) = recovered(with_mail());
    let page = ada.get(MESSAGE);
    assert_eq!(page.status, 200);
    let text = typed(&page);
    for part in [
        "Hello Mara Lindqvist,\n\n",
        "on 2026-11-24 at 09:0",
        "your account at Fernhill Joinery (case R-2026-0001, ticket #1234)",
        "Ada Brandt made sure that it was you (Live video call, compared with the photo or ID on record).",
        "Ada Brandt removed every second factor, voided the backup codes and ended all sessions.",
        "you were back in.",
        "Please save your new backup codes",
        "call the office, +46 8 555 01 00 at once",
        "stands in the audit log, under R-2026-0001",
        "\n\nAda Brandt\nFernhill Joinery",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("lost her phone on the train"), "what was noted inside stays inside");
    assert!(
        page.says("mara@fernhill.example mara@home.example Every address that was known before"),
        "{}",
        page.text()
    );
}

#[test]
fn what_is_sent_waits_in_the_outbox_for_every_address_that_was_known_before_and_the_second_click_is_safe() {
    let (world, mut ada, mut mara) = recovered(with_mail());
    // Who has got in by a wrongful recovery adds an address of their own.
    contact(&mut mara.browser, "mallory@evil.example");
    let page = ada.get(MESSAGE);
    let text = typed(&page).replace("Hello", "Dear");
    let before = world.head();
    let answer = ada.post(MESSAGE, &[("message", &text), ("how", "sent")]);
    assert_eq!((answer.status, answer.location()), (303, "/admin/recovery/R-2026-0001"), "{}", answer.text());
    let again = ada.post(MESSAGE, &[("message", &text), ("how", "sent")]);
    assert_eq!(again.status, 409);
    assert!(again.says("This was done already") && again.says("The message to Mara Lindqvist was sent"));
    assert!(!again.says("can not be shown again"), "there was no secret: {}", again.text());
    assert!(again.body.contains("/admin/recovery/R-2026-0001\""));
    assert_eq!(world.story_since(before), ["recovery.followed_up success"]);
    assert_eq!(recorded(&world), [("sent".to_owned(), "2".to_owned())]);
    let sent = |address: &str| {
        let subject = "About your account at Fernhill Joinery";
        [address, "Mara Lindqvist", subject, &text].map(str::to_owned)
    };
    assert_eq!(outbox(&world), [sent("mara@fernhill.example"), sent("mara@home.example")]);
    assert!(ada.get("/admin/recovery/R-2026-0001").status == 200 && ada.get(MESSAGE).says("Ada Brandt has written to"));
    // Once more on purpose, from a new form.
    world.later(Duration::from_secs(1));
    ada.get(MESSAGE);
    assert_eq!(ada.post(MESSAGE, &[("message", "One thing more."), ("how", "sent")]).status, 303);
    assert_eq!((outbox(&world).len(), recorded(&world).len()), (4, 2));
}

#[test]
fn without_a_mail_server_the_message_is_copied_and_that_is_recorded_once() {
    let (world, mut ada, _) = recovered(World::new());
    let page = ada.get(MESSAGE);
    assert!(page.says("No mail server is set up here") && !page.body.contains("value=\"sent\""), "{}", page.text());
    assert!(page.body.contains("data-copy=\"message\""));
    // Whoever sends such a form all the same is told, and keeps the text.
    let page = ada.post(MESSAGE, &[("message", "my own words"), ("how", "sent")]);
    assert_eq!((page.status, typed(&page).as_str()), (422, "my own words"));
    assert!(page.says("can not be sent from here"));
    assert_eq!(ada.post(MESSAGE, &[("message", "my own words"), ("how", "copied")]).status, 303);
    assert_eq!(ada.post(MESSAGE, &[("message", "my own words"), ("how", "copied")]).status, 409);
    assert_eq!(recorded(&world), [("copied".to_owned(), "0".to_owned())]);
    assert_eq!(outbox(&world).len(), 0);
    assert!(!world.stores("my own words"), "a text that was copied is nobody's to keep");
    let entry = world.entries_of(Action::RecoveryFollowedUp).pop().unwrap();
    assert_eq!(entry.header.case.as_deref(), Some("R-2026-0001"));
    assert!(ada.get("/admin/recovery?state=recovered").says("R-2026-0001"));
    assert!(!ada.page.says("Write the message"), "the board asks for it no longer");
}

#[test]
fn what_can_not_be_sent_is_said_beside_the_text_which_is_kept() {
    let (world, mut ada, _) = recovered(with_mail());
    let before = world.head();
    let long = "ä".repeat(4_001);
    for (text, how, says) in [
        ("", "sent", "Write a message"),
        (&*long, "sent", "Shorten the message to 4000 characters; it has 4001"),
        ("Your pass is K7PM-2XQD-9RTH.", "sent", "“K7PM…” looks like a pass"),
        ("Your pass is K7PM-2XQD-9RTH.", "copied", "“K7PM…” looks like a pass"),
        ("Hello", "", "Say whether to send the message"),
        ("Hello", "burnt", "Say whether to send the message"),
    ] {
        ada.get(MESSAGE);
        let page = ada.post(MESSAGE, &[("message", text), ("how", how)]);
        assert_eq!((page.status, typed(&page)), (422, text.to_owned()), "{says}");
        assert!(page.says(says) && page.says("Nothing was sent yet"), "{}", page.text());
        assert!(page.body.contains("<title>Error: "));
    }
    assert_eq!((world.head(), outbox(&world).len()), (before, 0));
    let page = ada.post_raw(MESSAGE, &format!("csrf={}&message=x&how=sent&message=y", ada.csrf()));
    assert_eq!(page.status, 400, "a field that was sent twice");
}

#[test]
fn no_text_and_no_name_becomes_a_header() {
    let world = with_mail();
    let (world, mut ada, _) = recovered(world);
    ada.get(MESSAGE);
    let text = "Hello\r\nBcc: everyone@fernhill.example\r\n\r\n.\r\nSubject: x\u{0}\u{202e}";
    assert_eq!(ada.post(MESSAGE, &[("message", text), ("how", "sent")]).status, 303);
    for [_, name, subject, text] in outbox(&world) {
        assert_eq!((&*name, &*subject), ("Mara Lindqvist", "About your account at Fernhill Joinery"));
        assert_eq!(text, "Hello\nBcc: everyone@fernhill.example\n\n.\nSubject: x");
    }
    // An embedder may call itself anything.
    let (world, mut ada, _) = recovered(World::with("http://localhost:8080", |settings| {
        settings.mail = with_mail().app.settings.mail.clone();
        settings.organisation = "Fern\r\nBcc: everyone@fernhill.example".into();
    }));
    ada.get(MESSAGE);
    assert_eq!(ada.post(MESSAGE, &[("message", "Hello"), ("how", "sent")]).status, 303);
    assert!(
        !outbox(&world).is_empty() && outbox(&world).iter().all(|[_, _, subject, _]| !subject.contains(['\r', '\n']))
    );
}

#[test]
fn of_two_who_write_at_once_the_second_is_told_and_keeps_the_text() {
    let (world, mut ada, _) = recovered(with_mail());
    let mut noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin").browser;
    noor.get(MESSAGE);
    world.later(Duration::from_secs(5));
    ada.get(MESSAGE);
    assert_eq!(ada.post(MESSAGE, &[("message", "from Ada"), ("how", "sent")]).status, 303);
    let page = noor.post(MESSAGE, &[("message", "from Noor"), ("how", "sent")]);
    assert_eq!((page.status, typed(&page).as_str()), (409, "from Noor"));
    assert!(page.says("Ada Brandt has written to this person since you opened this page"), "{}", page.text());
    assert_eq!((outbox(&world).len(), recorded(&world).len()), (2, 1));
    // Who has read that may go on.
    assert_eq!(noor.post(MESSAGE, &[("message", "from Noor"), ("how", "sent")]).status, 303);
    assert_eq!((outbox(&world).len(), recorded(&world).len()), (4, 2));
}

#[test]
fn after_a_quarter_of_an_hour_the_form_asks_who_it_is_and_keeps_the_text() {
    let (world, mut ada, phone) = with_mail().owned();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    reset(&mut ada, &mara.id);
    world.later(Duration::from_secs(16 * 60));
    assert!(ada.get(MESSAGE).says("Confirm it is you"));
    let page = ada.post(MESSAGE, &[("message", "my own words"), ("how", "sent")]);
    assert_eq!((page.status, typed(&page).as_str(), recorded(&world).len()), (422, "my own words", 0));
    let code = phone.code(world.now());
    let fields = [("message", "my own words"), ("how", "sent"), ("step_up_code", &*code)];
    assert_eq!(ada.post(MESSAGE, &fields).status, 303, "{}", ada.page.text());
    assert_eq!(recorded(&world).len(), 1);
}

#[test]
fn nobody_writes_to_a_superior_or_about_their_own_case_and_what_owners_have_is_theirs() {
    let (world, mut ada, _) = with_mail().owned();
    let mut noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin");
    let sam = world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin");
    let lea = world.person(&mut ada, "lea@fernhill.example", "Lea Holm", "owner");
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    reset(&mut ada, &mara.id);
    let db = Connection::open(world.database()).unwrap();
    let about = |id: &str| db.execute("UPDATE cases SET user_id = ?1", [id]).unwrap();
    for (id, says, rule) in
        [(&lea.id, "Only an owner", "rank"), (&noor.id, "Nobody does this to their own", "yourself")]
    {
        about(id);
        let page = noor.browser.get(MESSAGE);
        assert_eq!(page.status, 403);
        assert!(page.says(says) && page.hidden("nonce").is_none(), "{}", page.text());
        noor.browser.get("/admin/users/new");
        assert_eq!(noor.browser.post(MESSAGE, &[("message", "x"), ("how", "sent")]).status, 403);
        let denied = world.entries_of(Action::RecoveryFollowedUp).pop().unwrap();
        assert_eq!((denied.header.outcome.as_str(), body(&denied).fact("rule").as_str()), ("denied", rule));
        assert_eq!(denied.header.target_id.as_deref(), Some(id.as_str()));
    }
    // A peer, whom an owner has let this admin recover.
    about(&sam.id);
    noor.browser.get(MESSAGE);
    assert_eq!(noor.browser.post(MESSAGE, &[("message", "x"), ("how", "sent")]).status, 303);
    about(&mara.id);
    db.execute("UPDATE cases SET for_owner = 1", []).unwrap();
    assert!(noor.browser.get(MESSAGE).says("This was handed to the owners"));
    noor.browser.get("/admin/users/new");
    assert_eq!(noor.browser.post(MESSAGE, &[("message", "x"), ("how", "sent")]).status, 403);
    ada.get(MESSAGE);
    assert_eq!(ada.post(MESSAGE, &[("message", "x"), ("how", "sent")]).status, 303);
    let entries: Vec<String> =
        world.entries_of(Action::RecoveryFollowedUp).iter().map(|e| e.header.outcome.clone()).collect();
    assert_eq!(entries, ["denied", "denied", "success", "denied", "success"]);
    let back = "UPDATE cases SET user_id = (SELECT user_id FROM enrolment_windows)";
    db.execute(back, []).unwrap();
}

#[test]
fn a_case_that_was_objected_to_meanwhile_gets_no_message_and_the_text_is_kept() {
    let (world, mut ada, _) = recovered(with_mail());
    ada.get(MESSAGE);
    let db = Connection::open(world.database()).unwrap();
    db.execute("UPDATE cases SET state = 'disavowed', closed_at = NULL, due_at = NULL", []).unwrap();
    let page = ada.post(MESSAGE, &[("message", "my own words"), ("how", "sent")]);
    assert_eq!((page.status, typed(&page).as_str()), (409, "my own words"));
    assert!(
        page.says("The case has moved on") && page.says("objected to, waiting for somebody to look"),
        "{}",
        page.text()
    );
    assert_eq!((outbox(&world).len(), recorded(&world).len()), (0, 0));
    let page = ada.get(MESSAGE);
    assert!(page.status == 200 && page.says("There is nothing to tell yet") && page.hidden("nonce").is_none());
    assert_eq!(ada.get("/admin/recovery/R-2026-0009/message").status, 404);
}

#[test]
fn a_sign_in_address_that_was_changed_after_help_was_asked_for_is_told_at_the_old_one() {
    let (world, mut ada, _) = with_mail().owned();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    reset(&mut ada, &mara.id);
    let fields = [
        ("email", "mallory@evil.example"),
        ("evidence", "video_call"),
        ("reason", "she said that it was hers"),
        ("ticket", ""),
    ];
    let answer = crate::runbook::act(&mut ada, &mara.id, "/email", &fields);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(ada.get(MESSAGE).says("Who gets it mara@fernhill.example Every address"), "{}", ada.page.text());
    assert_eq!(ada.post(MESSAGE, &[("message", "Hello"), ("how", "sent")]).status, 303);
    let addresses: Vec<String> = outbox(&world).into_iter().map(|[address, ..]| address).collect();
    assert_eq!(addresses, ["mara@fernhill.example"]);
}

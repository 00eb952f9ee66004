//! What stands in the outbox reaches a real mail server: once, in its order, whatever happens in between.

mod invitations;
mod operator;

use std::sync::Arc;
use std::time::Duration;

use idp::actions::deliver::Courier;
use idp::app::Settings;
use idp::audit::{Action, Actor, Event, Record, Source};
use idp::host::smtp::Smtp;
use idp::ids::MessageId;
use idp::outbox::{Kind, NewMessage};
use idp::storage::{Audited, outbox};

use crate::cli_world::Folder;
use crate::mail_server::{FROM, MailServer, Mode, Received};
use crate::served::Server;
use crate::world::{Browser, Member, Phone, World, body};

const MINUTE: Duration = Duration::from_secs(60);

/// A provider that sends its mail through this server, with an owner and a member whose first notices have arrived.
pub struct Post {
    pub world: World,
    pub ada: Browser,
    /// Ada's authenticator app.
    pub phone: Phone,
    pub mara: Member,
    pub server: MailServer,
    courier: Courier,
    read: usize,
}

impl Post {
    pub fn new() -> Self {
        let server = MailServer::start(Mode::Plain);
        let (world, ada, phone, mara) = with_mail(&server);
        let mut post = Self { world, ada, phone, mara, server, courier: Courier::default(), read: 0 };
        post.round();
        assert!(post.new_letters().len() > 4, "an enrolment and a password of each");
        post
    }

    /// One round of the thread that sends.
    pub fn round(&mut self) {
        round(&self.world, &mut self.courier);
    }

    /// What arrived since this was last asked.
    pub fn new_letters(&mut self) -> Vec<Received> {
        let all = self.server.received();
        let new = all[self.read..].to_vec();
        self.read = all.len();
        new
    }

    /// The thread that sends is another: what it remembered is gone.
    fn killed(&mut self) {
        self.courier = Courier::default();
        self.world.restart();
        self.ada.reconnect(&self.world);
        self.mara.browser.reconnect(&self.world);
    }

    fn waiting(&self) -> i64 {
        self.world.count("SELECT count(*) FROM outbox WHERE next_at IS NOT NULL")
    }
}

/// What lets a provider send its mail through this server.
pub fn with_server(server: &MailServer) -> impl FnOnce(&mut Settings) + use<> {
    let smtp = Smtp::new(&server.settings(), "Fernhill Joinery").unwrap();
    |settings| settings.mail = Some(Arc::new(smtp))
}

fn with_mail(server: &MailServer) -> (World, Browser, Phone, Member) {
    let world = World::with("https://id.fernhill.example", with_server(server));
    let (world, mut ada, phone) = world.owned();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    (world, ada, phone, mara)
}

fn round(world: &World, courier: &mut Courier) {
    let smtp = world.app.settings.mail.clone().unwrap();
    world.app.mail_round(courier, &smtp, &|| true).unwrap();
}

/// Adds a note to a note: something that makes one notice to the member, with a number in it.
fn change_contacts(post: &mut Post, number: u32) {
    let path = format!("/admin/users/{}/contacts", post.mara.id);
    post.ada.get(&path);
    let value = format!("+46 70 555 {number:04}");
    let answer = post.ada.post(&path, &[("kind", "phone"), ("value", &value)]);
    assert_eq!(answer.status, 303, "{}", answer.text());
}

/// To whom, and which of [`change_contacts`] it is about.
fn numbers(letters: &[Received]) -> Vec<(String, String)> {
    let number = |text: &str| text.split("555").nth(1).unwrap_or_default().trim().chars().take(4).collect();
    letters.iter().map(|l| (l.to[0].clone(), number(l.text.as_deref().unwrap()))).collect()
}

#[test]
fn a_notice_arrives_with_its_entry_and_is_sent_once() {
    let mut post = Post::new();
    let before = post.world.head();
    change_contacts(&mut post, 1);
    post.round();
    let letters = post.new_letters();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!((letter.from.as_str(), letter.to[0].as_str()), (FROM, "mara@fernhill.example"));
    assert_eq!(letter.to_header, [("Mara Lindqvist".to_owned(), "mara@fernhill.example".to_owned())]);
    assert_eq!(
        (letter.subject.as_str(), letter.media_type.as_str()),
        ("Your contact details were changed", "multipart/alternative")
    );
    let text = letter.text.as_deref().unwrap();
    let html = letter.html.as_deref().unwrap().replace("<bdi>", "").replace("</bdi>", "");
    for part in
        ["Hello Mara Lindqvist,", "Phone number added: +46705550001", "By: Ada Brandt <ada@fernhill.example>", "UTC"]
    {
        assert!(
            text.contains(part) && html.contains(&part.replace('<', "&lt;").replace('>', "&gt;")),
            "{part}: {text}"
        );
    }
    assert_eq!(post.world.story_since(before), ["user.contact_changed success", "notice.sent success"]);
    let entry = post.world.entries_of(Action::NoticeSent).pop().unwrap();
    assert_eq!(entry.header.target_id.as_deref(), Some(post.mara.id.as_str()));
    let told = body(&entry);
    assert_eq!(
        (told.fact("kind"), told.fact("address"), told.fact("attempts")),
        ("contact_changed".into(), "mara@fernhill.example".into(), "1".into())
    );
    for _ in 0..3 {
        post.round();
        post.killed();
        post.round();
    }
    assert!(post.new_letters().is_empty());
}

#[test]
fn a_message_is_known_again_by_its_id_which_is_the_same_at_each_try() {
    let mut post = Post::new();
    change_contacts(&mut post, 1);
    post.round();
    let first = post.new_letters().remove(0);
    let id = first.header("message-id")[0].to_owned();
    assert!(id.ends_with("@id.fernhill.example>"), "{id}");
    // Killed between the server's yes and the note of it: the one window that nothing closes.
    let db = rusqlite::Connection::open(post.world.database()).unwrap();
    db.execute("UPDATE outbox SET sent_at = NULL, next_at = created_at WHERE id = ?1", [&id[1..37]]).unwrap();
    post.killed();
    post.round();
    let again = post.new_letters();
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].header("message-id")[0], &again[0].text), (id.as_str(), &first.text));
}

#[test]
fn what_the_server_took_and_a_full_disk_could_not_note_is_not_sent_again() {
    let mut post = Post::new();
    change_contacts(&mut post, 1);
    let smtp = post.world.app.settings.mail.clone().unwrap();
    post.world.app.means.store.inject(idp::storage::faults::Fault::RefuseCommit);
    assert!(post.world.app.mail_round(&mut post.courier, &smtp, &|| true).is_err());
    assert_eq!((post.new_letters().len(), post.waiting()), (1, 1));
    post.round();
    post.round();
    assert_eq!((post.new_letters().len(), post.waiting()), (0, 0));
}

#[test]
fn a_server_that_is_down_for_an_hour_loses_nothing_doubles_nothing_and_changes_no_order() {
    let mut post = Post::new();
    post.server.stop();
    for number in 1..=4 {
        change_contacts(&mut post, number);
        // Sent at once, and at odd moments; the process is killed now and then.
        post.round();
        post.world.later(3 * MINUTE);
        post.round();
        if number % 2 == 0 {
            post.killed();
        }
    }
    post.world.later(48 * MINUTE);
    post.round();
    assert_eq!(post.waiting(), 4);
    let queue = post.world.app.means.store.read(|tx| outbox::get_queue(tx, post.world.now())).unwrap();
    assert!(queue.last_error.unwrap().contains("can not be reached"));
    post.server.start_again();
    // However long the next try of the first would be away, it is tried soon.
    post.world.later(5 * MINUTE);
    post.round();
    post.round();
    let mara = "mara@fernhill.example".to_owned();
    let expected: Vec<_> = ["0001", "0002", "0003", "0004"].map(|n| (mara.clone(), n.to_owned())).into();
    assert_eq!(numbers(&post.new_letters()), expected);
    assert_eq!(post.waiting(), 0);
    post.killed();
    post.round();
    assert!(post.new_letters().is_empty());
    let sent = post.world.entries_of(Action::NoticeSent);
    assert!(sent.iter().all(|e| e.header.outcome == "success"), "what waits has no entry");
}

#[test]
fn a_recipient_who_is_refused_holds_up_nobody_else_and_is_told_of_in_the_trail() {
    let mut post = Post::new();
    post.server.refuse("mara@fernhill.example", 550);
    change_contacts(&mut post, 1);
    let noor = post.world.person(&mut post.ada, "noor@fernhill.example", "Noor", "member");
    post.round();
    let letters = post.new_letters();
    assert!(!letters.is_empty() && letters.iter().all(|l| l.to == [noor.email.clone()]), "{letters:?}");
    assert_eq!(post.waiting(), 0);
    let failed = post.world.entries_of(Action::NoticeSent).into_iter().filter(|e| e.header.outcome == "failure");
    let failed: Vec<_> = failed.map(|e| body(&e).fact("why")).collect();
    assert!(matches!(&failed[..], [why] if why.contains("550")), "{failed:?}");
}

#[test]
fn a_recipient_who_is_asked_to_wait_is_tried_again_later_and_later_and_given_up_after_three_days() {
    let mut post = Post::new();
    post.server.refuse("mara@fernhill.example", 451);
    change_contacts(&mut post, 1);
    change_contacts(&mut post, 2);
    let next = "SELECT (min(next_at) - (SELECT min(created_at) FROM outbox WHERE next_at IS NOT NULL)) / 60000000 \
                FROM outbox WHERE next_at IS NOT NULL AND attempts > 0";
    let mut tries = Vec::new();
    for _ in 0..5 {
        post.round();
        tries.push(post.world.count(next));
        let wait = u64::try_from(tries[tries.len() - 1] - tries.iter().rev().nth(1).unwrap_or(&0)).unwrap();
        post.world.later(Duration::from_secs(wait * 60));
    }
    assert_eq!(tries, [1, 6, 21, 81, 321]);
    assert_eq!(post.waiting(), 2, "the second waits for the first");
    post.world.later(Duration::from_secs(3 * 86_400));
    post.round();
    post.round();
    assert_eq!(post.waiting(), 0);
    let failed = post.world.entries_of(Action::NoticeSent).into_iter().filter(|e| e.header.outcome == "failure");
    assert_eq!(failed.map(|e| body(&e).fact("attempts")).collect::<Vec<_>>(), ["6", "1"]);
    assert!(post.new_letters().is_empty());
}

#[test]
fn without_a_mail_server_messages_are_kept_and_given_up_in_silence() {
    let (world, mut ada, _) = World::with_owner();
    world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let waiting = "SELECT count(*) FROM outbox WHERE next_at IS NOT NULL";
    let all = world.count(waiting);
    assert!(all > 4);
    world.later(Duration::from_secs(3 * 86_400 - 3_600));
    world.sweep();
    assert_eq!(world.count(waiting), all);
    let before = world.head();
    world.later(2 * 60 * MINUTE);
    world.sweep();
    assert_eq!((world.count(waiting), world.story_since(before)), (0, vec![]));
    assert_eq!(world.count("SELECT count(*) FROM outbox WHERE error = 'no mail server is set'"), all);
    world.later(Duration::from_secs(31 * 86_400));
    world.sweep();
    assert_eq!(world.count("SELECT count(*) FROM outbox"), 0);
}

/// A message to each of these addresses in turn, as somebody else's errand writes it.
fn write_messages(folder: &Folder, count: usize) {
    let store = folder.store();
    for n in 0..count {
        let message = NewMessage {
            id: MessageId::generate(),
            kind: Kind::Message,
            user: None,
            case: None,
            address: format!("person{}@fernhill.example", n % 3).parse().unwrap(),
            name: String::new(),
            subject: "Hello".into(),
            text: format!("number {n}."),
        };
        let record = Record::new(Actor::System, &Source::default(), Event::ClockStepped { back_by_seconds: 0 });
        store
            .change(move |tx| {
                outbox::insert(tx, &message)?;
                Ok::<_, idp::storage::Error>(Audited::new((), record))
            })
            .unwrap();
    }
}

#[test]
fn a_server_that_is_killed_while_it_sends_loses_nothing_and_doubles_what_it_was_killed_with_at_the_most() {
    let mail = MailServer::start(Mode::Plain);
    let folder = Folder::new();
    std::fs::write(folder.data().join("idp.toml"), mail.toml()).unwrap();
    write_messages(&folder, 60);
    let data = folder.data();
    let (mut kills, mut before) = (0, 0);
    while kills < 3 {
        let server = Server::start(&["--data", data.to_str().unwrap()], |_| ());
        // Killed as soon as some have arrived, in the middle of the others.
        while mail.received().len() < before + 7 {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(server);
        kills += 1;
        before = mail.received().len();
    }
    let server = Server::start(&["--data", data.to_str().unwrap()], |_| ());
    let waiting = || {
        let db = rusqlite::Connection::open(folder.database()).unwrap();
        db.query_row("SELECT count(*) FROM outbox WHERE next_at IS NOT NULL", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    while waiting() > 0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    server.stop();
    let letters = mail.received();
    let mut seen = std::collections::BTreeSet::new();
    let first: Vec<_> = letters.iter().filter(|l| seen.insert(l.header("message-id")[0].to_owned())).collect();
    assert_eq!(first.len(), 60, "nothing is lost");
    assert!(letters.len() <= 60 + kills, "{} letters after {kills} kills", letters.len());
    for person in 0..3 {
        let to = format!("person{person}@fernhill.example");
        let numbers = first.iter().filter(|l| l.to == [to.clone()]).map(|l| l.text.clone().unwrap());
        let numbers: Vec<usize> =
            numbers.map(|t| t.split("number ").nth(1).unwrap().split('.').next().unwrap().parse().unwrap()).collect();
        assert!(numbers.is_sorted() && numbers.len() == 20, "{to}: {numbers:?}");
    }
}

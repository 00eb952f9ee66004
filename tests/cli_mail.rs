//! Invitations that a command on the host sends by mail.

use std::time::{Duration, Instant};

use crate::cli_world::Folder;
use crate::mail_server::{MailServer, Mode};
use crate::served::Server;

const URL: [&str; 2] = ["--public-url", "https://id.fernhill.example"];
const ADD: [&str; 5] = ["user", "add", "mara@fernhill.example", "--name", "Mara Lindqvist"];

fn with_mail(server: &MailServer) -> Folder {
    let folder = Folder::new();
    std::fs::write(folder.data().join("idp.toml"), server.toml()).unwrap();
    folder
}

#[test]
fn a_person_who_is_added_with_mail_gets_the_very_link_that_is_printed_once_the_server_runs() {
    let mail = MailServer::start(Mode::Plain);
    let folder = with_mail(&mail);
    let ran = folder.idp(&[&ADD[..], &URL, &["--mail"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let link = ran.out.trim().to_owned();
    assert!(link.starts_with("https://id.fernhill.example/invitation/") && ran.out.lines().count() == 1, "{ran:?}");
    assert!(ran.err.contains("it goes to mara@fernhill.example by mail too") && !ran.err.contains(&link), "{ran:?}");
    assert!(mail.received().is_empty());
    let data = folder.data();
    let server = Server::start(&[&["--data", data.to_str().unwrap()], &URL[..]].concat(), |_| ());
    let begun = Instant::now();
    while mail.received().is_empty() && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    server.stop();
    let letters = mail.received();
    assert_eq!((letters.len(), &letters[0].to), (1, &vec!["mara@fernhill.example".to_owned()]));
    assert!(letters[0].text.as_deref().unwrap().contains(&link), "{:?}", letters[0].text);
}

#[test]
fn without_the_flag_the_link_is_printed_and_nothing_is_mailed() {
    let mail = MailServer::start(Mode::Plain);
    let folder = with_mail(&mail);
    let ran = folder.idp(&[&ADD[..], &URL].concat());
    assert!(ran.code == 0 && ran.err.is_empty(), "{ran:?}");
    assert_eq!(folder.count("SELECT count(*) FROM outbox"), 0);
}

#[test]
fn where_no_mail_server_is_set_nobody_is_added_with_mail_and_it_is_said() {
    let folder = Folder::new();
    let file = folder.beside("people.csv");
    std::fs::write(&file, "email,name\nmara@fernhill.example,Mara\n").unwrap();
    let import = ["user", "import", file.to_str().unwrap()];
    for command in [&ADD[..], &import[..]] {
        let ran = folder.idp(&[command, &URL[..], &["--mail"]].concat());
        assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains("smtp_server is not set"), "{ran:?}");
        assert_eq!(folder.count("SELECT count(*) FROM users"), 0);
    }
}

#[test]
fn each_person_of_an_imported_list_gets_their_own_link() {
    let mail = MailServer::start(Mode::Plain);
    let folder = with_mail(&mail);
    let file = folder.beside("people.csv");
    std::fs::write(&file, "email,name\nmara@fernhill.example,Mara\nsam@fernhill.example,Sam\n").unwrap();
    let ran = folder.idp(&[&["user", "import", file.to_str().unwrap(), "--mail"], &URL[..]].concat());
    assert!(ran.code == 0 && ran.err.contains("each link goes to its person by mail too"), "{ran:?}");
    let rows = "SELECT count(*) FROM outbox WHERE kind = 'invitation' AND next_at IS NOT NULL
                AND address IN ('mara@fernhill.example', 'sam@fernhill.example')";
    assert_eq!((ran.out.lines().count(), folder.count(rows)), (2, 2));
}

#[test]
fn a_factor_that_was_switched_off_is_mentioned_where_a_person_is_shown() {
    let folder = Folder::new();
    folder.idp(&[&ADD[..], &URL].concat()).done();
    let shown = || folder.idp(&["user", "show", "mara@fernhill.example"]).done();
    assert!(shown().lines().any(|line| line.split_whitespace().eq(["factors", "0"])), "{}", shown());
    folder.tamper(
        "INSERT INTO factors (id, user_id, label, sealed_seed, last_step, created_at, disabled_at)
         SELECT '019aa000-0000-7000-8000-000000000001', id, 'phone', zeroblob(48), 0, created_at, created_at FROM users",
    );
    assert!(shown().contains("0, and 1 switched off after too many wrong codes"), "{}", shown());
}

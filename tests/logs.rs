//! The host's log: each request with its route and never with what was typed or shown.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex};

use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};
use serde_json::Value;

use crate::cli_world::Folder;
use crate::served::Server;
use crate::world::{PASSWORD, World};

/// A log that is kept in memory.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_secret_that_anyone_types_or_is_shown_stands_in_the_log_at_its_most_talkative() {
    let kept = Kept::default();
    let writer = kept.clone();
    // For all threads, also the writer's and the hashing workers'.
    let log = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE);
    log.with_writer(move || writer.clone()).try_init().expect("no other test starts a log");
    let mut secrets: BTreeSet<String> = BTreeSet::new();
    let mut secret = |text: &str| {
        secrets.insert(text.to_owned());
    };
    secret(PASSWORD);

    let (world, mut ada, phone) = World::with_owner();
    secret(&data_encoding::BASE32_NOPAD.encode(phone.seed()));
    let link = world.invite(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    secret(link.rsplit('/').next().unwrap());
    let mut browser = world.accept(&link);
    let (phone, codes) = world.enrol(&mut browser);
    codes.iter().for_each(|code| secret(code));
    secret(&data_encoding::BASE32_NOPAD.encode(phone.seed()));
    // A link that does not work, a wrong password, a wrong code, and a password typed as the address.
    let token = idp::secret::Token::generate().to_text();
    secret(&token);
    assert_eq!(browser.get(&format!("/invitation/{token}")).status, 410);
    let mut other = world.browser();
    other.password("mara@fernhill.example", "a wrong guess of hers");
    other.password("typed in the wrong field", "typed in the wrong field");
    secret("a wrong guess of hers");
    secret("typed in the wrong field");
    other.password("mara@fernhill.example", PASSWORD);
    let wrong = phone.wrong_code(world.now());
    other.code(&wrong);
    assert_eq!(other.backup_code(&codes[0]).status, 303);
    secret(&ada.cookies["idp-session"]);
    secret(&other.cookies["idp-session"]);
    secret(&other.cookies["idp-device"]);

    let id = world.user("mara@fernhill.example").id.to_string();
    let pass = world.reset(&mut ada, &id);
    let temporary = world.temporary_password(&mut ada, &id);
    let path = format!("/admin/users/{id}/mfa/backup-codes");
    ada.get(&path);
    let issued = ada.post(&path, &crate::runbook::FOUNDED[..3]);
    assert_eq!(issued.status, 200, "{}", issued.text());
    assert_eq!(issued.codes().len(), 3);
    issued.codes().iter().chain([&pass, &temporary]).for_each(|code| secret(code));
    let mut back = world.browser();
    back.password("mara@fernhill.example", &temporary);
    back.get("/enrol");
    back.post("/enrol/pass", &[("pass", "WRONG-PASS-TYPED")]);
    secret("WRONG-PASS-TYPED");
    back.post("/enrol/pass", &[("pass", &pass)]);
    secret(&back.csrf());
    // A secret in the query, and a path that is no route.
    world.browser().get(&format!("/sign-in?next=/{token}"));
    world.browser().get(&format!("/nothing/{token}"));

    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(log.lines().count() > 30, "{}", log.lines().count());
    assert!(log.contains("\"route\":\"/invitation/{token}\"") && log.contains("\"route\":\"/enrol/pass\""));
    assert!(secrets.len() > 25, "{}", secrets.len());
    for secret in &secrets {
        // Also as a form or an address spells it, and without the dashes that make it readable.
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for text in [secret.as_str(), &encoded, &secret.replace('-', "")] {
            assert!(!log.contains(text), "the log has {text}: {:?}", log.lines().find(|l| l.contains(text)));
        }
    }
}

#[test]
fn each_request_is_one_line_of_json_with_its_route_status_duration_and_client() {
    let folder = Folder::new();
    let file = folder.beside("log");
    let data = folder.data();
    let start = |args: &[&str]| Server::logged(&[&["--data", data.to_str().unwrap()], args].concat(), &file);
    let mut server = start(&["--trusted-proxy", "127.0.0.1"]);
    let link = server.setup_path();
    assert_eq!(server.get("GET", &link).status, 200);
    let from = "X-Forwarded-For: 203.0.113.7\r\nConnection: close";
    assert_eq!(server.ask(&format!("HEAD /profile HTTP/1.1\r\nHost: localhost\r\n{from}\r\n\r\n")).status, 303);
    let missing = server.get("GET", "/a/place/that/is/none?token=tooookn");
    assert_eq!((server.get("GET", "/healthz").status, server.get("GET", "/readyz").status), (200, 200));
    assert_eq!(server.ask("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").status, 400);
    let large = format!("POST /sign-in HTTP/1.1\r\nHost: localhost\r\n{from}\r\nContent-Length: 9999999\r\n\r\n");
    let large = server.ask(&large);
    assert_eq!(large.status, 413);
    server.stop();

    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(link.rsplit('/').next().unwrap()) && !text.contains("tooookn"), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |route: &str| lines.iter().find(|l| l["route"] == route).unwrap_or_else(|| panic!("{route}: {text}"));
    let setup = of("/setup/{token}");
    assert_eq!((&setup["method"], &setup["status"], &setup["level"]), (&"GET".into(), &200.into(), &"INFO".into()));
    assert!(setup["ms"].is_u64() && setup["timestamp"].as_str().unwrap().ends_with('Z'), "{setup}");
    assert_eq!(setup["client"], "127.0.0.1");
    let profile = of("/profile");
    let from = (&profile["client"], &profile["method"], &profile["status"]);
    assert_eq!(from, (&"203.0.113.7".into(), &"HEAD".into(), &303.into()));
    let none = of("");
    assert_eq!(none["status"], 404);
    // The number on the page finds the line.
    assert!(missing.body.contains(none["request"].as_str().unwrap()), "{}", missing.body);
    // What the edge refuses has its client too: the proxy's word where the head was read, else who is connected.
    let refused =
        |status: u16| lines.iter().find(|l| l["message"] == "refused before it was read" && l["status"] == status);
    assert_eq!(refused(400).unwrap()["client"], "127.0.0.1");
    let refused = refused(413).unwrap();
    assert_eq!(refused["client"], "203.0.113.7");
    assert!(large.body.contains(refused["request"].as_str().unwrap()), "{}", large.body);
    assert!(!text.contains("healthz") && !text.contains("readyz"), "what a supervisor asks would bury the rest");
}

/// A terminal: the end that a program writes to, and the end that a person looks at.
fn terminal() -> (File, File) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    unlockpt(&screen).unwrap();
    let name = ptsname(&screen, Vec::new()).unwrap();
    let mut open = OpenOptions::new();
    open.read(true).write(true).custom_flags(libc::O_NOCTTY);
    (open.open(name.to_str().unwrap()).unwrap(), File::from(screen))
}

/// Everything that comes until the other end is closed, which a terminal says with an error.
fn read_to_end(mut from: File) -> String {
    let (mut all, mut some) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = from.read(&mut some) {
        all.extend_from_slice(&some[..read]);
    }
    String::from_utf8(all).unwrap()
}

#[test]
fn the_log_is_text_on_a_terminal_and_json_everywhere_else() {
    let folder = Folder::new();
    let data = folder.data();
    let told = |log: File, other_end: Option<File>| {
        let reader = other_end.map(|end| std::thread::spawn(move || read_to_end(end)));
        let server = Server::logging_to(&["--data", data.to_str().unwrap()], log);
        assert_eq!(server.get("GET", "/sign-in").status, 200);
        server.stop();
        reader.map(|reader| reader.join().unwrap())
    };
    let (program, person) = terminal();
    let text = told(program, Some(person)).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("/sign-in")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    for part in ["INFO", "answered", "GET", "127.0.0.1"] {
        assert!(lines[0].contains(part), "{part}: {text}");
    }
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_err()), "{text}");

    let file = folder.beside("log");
    told(File::create(&file).unwrap(), None);
    let (ours, theirs) = std::io::pipe().unwrap();
    let piped =
        told(File::from(std::os::fd::OwnedFd::from(theirs)), Some(File::from(std::os::fd::OwnedFd::from(ours))));
    for json in [std::fs::read_to_string(&file).unwrap(), piped.unwrap()] {
        let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let of = lines.iter().filter(|line| line["route"] == "/sign-in" && line["level"] == "INFO");
        assert_eq!(of.count(), 1, "{json}");
    }
}

#[test]
fn the_level_of_the_log_is_a_setting() {
    let folder = Folder::new();
    let (file, data) = (folder.beside("log"), folder.data());
    let said = |level: &str| {
        let server = Server::logged(&["--data", data.to_str().unwrap(), "--log-level", level], &file);
        server.get("GET", "/healthz");
        server.get("GET", "/sign-in");
        server.stop();
        std::fs::read_to_string(&file).unwrap()
    };
    assert_eq!(said("warn"), "");
    let info = said("info");
    assert!(info.contains("/sign-in") && !info.contains("/healthz"), "{info}");
    let debug = said("debug");
    assert!(debug.contains("/sign-in") && debug.contains("/healthz"), "{debug}");
}

//! `kill -9` at any moment: what was acknowledged is there, with exactly its entry, and the trail verifies.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use idp::storage::backup::{check, copy};
use idp::time::Clock;

use crate::world::World;

const ROUNDS: u32 = 200;
const CLIENTS: u32 = 4;

/// A server process that ends with the test, however that ends.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_idp"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().to_owned();
        Self { child, address: format!("127.0.0.1:{port}") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL: no chance to tidy up.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request on a connection of its own; `None` if no whole answer came.
fn ask(address: &str, head: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let length = body.len();
    let request = format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let whole = head.lines().find_map(|l| l.strip_prefix("Content-Length: ")?.parse::<usize>().ok());
    (whole == Some(body.len())).then(|| (status, body.to_owned()))
}

fn hidden(page: &str, name: &str) -> Option<String> {
    let mark = format!("name=\"{name}\" value=\"");
    let at = page.rfind(&mark)? + mark.len();
    Some(page[at..].chars().take_while(|c| *c != '"').collect())
}

/// Adds notes until the server is gone; keeps those that were acknowledged.
fn add_notes(server: &str, path: &str, cookie: &str, name: &str, acknowledged: &Mutex<Vec<String>>, stop: &AtomicBool) {
    for n in 0_u32.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let Some((200, page)) = ask(server, &format!("GET {path} HTTP/1.1\r\nCookie: {cookie}"), "") else { return };
        let (Some(csrf), Some(nonce)) = (hidden(&page, "csrf"), hidden(&page, "nonce")) else { return };
        let text = format!("note {name} {n} end");
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("csrf", csrf.as_str()), ("nonce", &nonce), ("text", &text)])
            .finish();
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let head = format!("POST {path} HTTP/1.1\r\nCookie: {cookie}\r\n{kind}");
        if let Some((303, _)) = ask(server, &head, &body) {
            acknowledged.lock().unwrap().push(text);
        }
    }
}

/// Every note that was acknowledged stands in the trail once, and every note has its nonce: both or neither.
fn compare(database: &Path, acknowledged: &[String]) {
    let checked = check(database).unwrap();
    assert!(checked.is_good(), "{checked:?}");
    let conn = rusqlite::Connection::open(database).unwrap();
    let mut query = conn.prepare("SELECT body FROM audit WHERE action = 'user.note_added'").unwrap();
    let bodies: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut found: std::collections::HashMap<&str, u32> = std::collections::HashMap::new();
    for body in &bodies {
        let at = body.find("note r").unwrap();
        *found.entry(&body[at..at + body[at..].find(" end").unwrap() + 4]).or_default() += 1;
    }
    for note in acknowledged {
        assert_eq!(found.get(note.as_str()), Some(&1), "{note} was acknowledged");
    }
    assert!(found.values().all(|n| *n == 1), "a note is written once or not at all");
    let nonces: i64 = conn.query_row("SELECT count(*) FROM form_nonces", [], |row| row.get(0)).unwrap();
    assert_eq!(
        usize::try_from(nonces).unwrap(),
        bodies.len() + 1,
        "each form that was carried out has its entry, and the person's own form"
    );
}

/// A data folder with an owner who is signed in; the cookie of that session, and where notes on a person are added.
fn prepare(data: &Path) -> (String, String) {
    let (world, mut ada, _) = World::by(Clock::System, "http://localhost:8080", |_| ()).owned();
    world.invite(&mut ada, "mara@fernhill.example", "Mara", "member");
    std::fs::create_dir(data).unwrap();
    std::fs::write(data.join("idp.db"), "").unwrap();
    copy(&world.database(), &data.join("idp.db")).unwrap();
    for key in ["seed.key", "audit-signing.key"] {
        std::fs::copy(world.data().join(key), data.join(key)).unwrap();
    }
    let path = format!("/admin/users/{}/notes", world.user("mara@fernhill.example").id);
    (format!("idp-session={}", ada.cookies["idp-session"]), path)
}

#[test]
fn after_kill_9_at_any_moment_every_acknowledged_change_is_there_with_exactly_its_entry() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (cookie, path) = prepare(&data);
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    for round in 0..ROUNDS {
        let server = Server::start(&data);
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (address, path, cookie) = (server.address.clone(), path.clone(), cookie.clone());
                let (acknowledged, stop) = (Arc::clone(&acknowledged), Arc::clone(&stop));
                let name = format!("r{round} c{client}");
                std::thread::spawn(move || add_notes(&address, &path, &cookie, &name, &acknowledged, &stop))
            })
            .collect();
        // Every moment between the first request and the twentieth or so.
        std::thread::sleep(Duration::from_millis(u64::from(idp::secret::random::<1>()[0]) / 3 + 5));
        drop(server);
        stop.store(true, Ordering::SeqCst);
        clients.into_iter().for_each(|c| c.join().unwrap());
        if round % 20 == 19 {
            compare(&data.join("idp.db"), &acknowledged.lock().unwrap());
        }
    }
    let acknowledged = acknowledged.lock().unwrap();
    assert!(acknowledged.len() > ROUNDS as usize, "only {} changes under {ROUNDS} kills", acknowledged.len());
}

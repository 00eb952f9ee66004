//! `idp demo`, the real program: a newcomer finds everybody's codes, tries what the list says, and nothing is left of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::cli_world::{Ran, idp_on, mode, names};
use crate::served::{Heard, Server};
use crate::world::World;

/// The program, with its folder in `temporary`.
fn demo(temporary: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
    // What is set for a real server is none of its business.
    command.env("TMPDIR", temporary).env("IDP_LISTEN", "0.0.0.0:80").env("IDP_DATA", "/absent");
    command.arg("demo").args(args);
    command
}

/// A demo that is ready, with what it printed.
struct Demo {
    server: Server,
    said: Vec<String>,
    temporary: tempfile::TempDir,
}

impl Demo {
    fn start() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut server = Server::of(&mut demo(temporary.path(), &["--listen", "127.0.0.1:0"]));
        let mut said = Vec::new();
        while said.last().is_none_or(|line: &String| !line.contains("Ctrl-C")) {
            said.push(server.line());
        }
        Self { server, said, temporary }
    }

    /// The data folder, as it is printed.
    fn folder(&self) -> PathBuf {
        let line = self.said.iter().find_map(|line| line.split_once("--data "));
        line.expect("the folder is printed").1.into()
    }

    fn visitor(&self) -> Visitor<'_> {
        Visitor { server: &self.server, cookies: BTreeMap::new(), page: None }
    }

    /// What the list says of somebody.
    fn listed(&self, email: &str) -> Listed {
        Listed::read(&self.server.get("GET", "/demo").body, email)
    }
}

/// A person's row of the list.
#[derive(Debug)]
struct Listed {
    /// The codes of their app: this step's and the next one's.
    app: Vec<String>,
    /// The code of the app that they are setting up.
    new_app: Option<String>,
    /// Their backup codes, as far as they are shown.
    codes: Vec<String>,
    /// Everything as text.
    text: String,
}

impl Listed {
    fn read(page: &str, email: &str) -> Self {
        let table = page.split("<tbody").nth(1).unwrap();
        let row = table.split("<tr").find(|row| row.contains(&format!(">{email}<"))).expect(email);
        let (own, new) = row.split_once("The app being set up").map_or((row, ""), |(own, new)| (own, new));
        let apps = |part: &str| -> Vec<String> {
            let codes = part.split("data-codes=\"").skip(1);
            codes.map(|code| code.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned()).collect()
        };
        let is_backup = |text: &&str| text.len() == 19 && text.chars().filter(|c| *c == '-').count() == 3;
        let codes = row.split(['<', '>']).filter(is_backup).map(str::to_owned).collect();
        Self { app: apps(own), new_app: apps(new).first().cloned(), codes, text: row.to_owned() }
    }
}

/// Somebody with a browser, over sockets.
struct Visitor<'a> {
    server: &'a Server,
    cookies: BTreeMap<String, String>,
    page: Option<Heard>,
}

impl Visitor<'_> {
    fn get(&mut self, path: &str) -> &Heard {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"), "")
    }

    /// Sends the form of the page shown, with its hidden fields.
    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> &Heard {
        let page = self.page.as_ref().unwrap();
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrf", &page.hidden("csrf"));
        if page.body.contains("name=\"nonce\"") {
            body.append_pair("nonce", &page.hidden("nonce"));
        }
        let body = body.extend_pairs(fields).finish();
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let length = body.len();
        self.send(&format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{kind}\r\nContent-Length: {length}\r\n"), &body)
    }

    fn send(&mut self, head: &str, body: &str) -> &Heard {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = format!("{head}Cookie: {}\r\nConnection: close\r\n\r\n{body}", cookies.join("; "));
        let heard = self.server.ask(&request);
        for (_, value) in heard.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        self.page.insert(heard)
    }

    /// From the sign-in page to a full session, with what the list says.
    #[track_caller]
    fn sign_in(mut self, email: &str, password: &str, listed: &Listed) -> Self {
        self.get("/sign-in");
        assert_eq!(
            self.post("/sign-in", &[("email", email), ("password", password)]).header("location"),
            "/sign-in/code"
        );
        self.get("/sign-in/code");
        // Where the first one was used already, the next one is as good.
        if self.post("/sign-in/code", &[("code", &listed.app[0])]).status != 303 {
            self.post("/sign-in/code", &[("code", &listed.app[1])]);
        }
        let page = self.page.as_ref().unwrap();
        assert_eq!(page.status, 303, "{}", page.body);
        self
    }
}

const PASSWORD: &str = idp::demo::PASSWORD;

#[test]
fn a_newcomer_finds_everybodys_codes_walks_through_a_recovery_without_a_phone_and_nothing_is_left() {
    let demo = Demo::start();
    let folder = demo.folder();
    assert!(folder.starts_with(demo.temporary.path()) && mode(folder.parent().unwrap()) == 0o700, "{folder:?}");
    assert!(demo.said.iter().any(|line| line.contains(PASSWORD)), "{:?}", demo.said);
    // What the README shows of it, but for the port.
    let port = demo.server.address.rsplit(':').next().unwrap();
    let readme = include_str!("../README.md");
    for line in &demo.said[..4] {
        assert!(readme.contains(&line.replace(port, "8080")), "the README does not show: {line}");
    }
    everybody_is_listed(&demo);
    it_is_true_history(&folder);

    // Tom finds what waits, and lets Mara back in.
    let mut tom = demo.visitor().sign_in("tom@fernhill.example", PASSWORD, &demo.listed("tom@fernhill.example"));
    let board = tom.get("/admin/recovery").body.clone();
    for what in ["Noor Haddad", "Lena Vogt", "Jonas Weber", "Mara Lindqvist", "Piet de Vries"] {
        assert!(board.contains(what), "{what}: {board}");
    }
    let reset = demo.server.get("GET", "/demo").body;
    let reset =
        reset.split("/sign-in?next=").find(|link| link.contains("mfa%2Freset")).expect("a link to Mara's reset");
    let path = reset.split('"').next().unwrap().replace("%2F", "/");
    let form = tom.get(&path);
    assert!(form.body.contains("Mara Lindqvist") && form.body.contains("Passport, seen by Ada"), "{}", form.body);
    let fields = [("evidence", "in_person"), ("reason", "She came to the office"), ("codes_unavailable", "on")];
    let pass = tom.post(&path, &fields).body.clone();
    let pass = pass.split("id=\"pass\"").nth(1).expect(&pass).split(['>', '<']).nth(1).unwrap();

    every_walk_begins_on_a_page_that_is_there(&demo, tom);

    let mara = "mara@fernhill.example";
    assert!(demo.listed(mara).app.is_empty(), "{:?}", demo.listed(mara));
    let mut browser = demo.visitor();
    browser.get("/sign-in");
    assert_eq!(browser.post("/sign-in", &[("email", mara), ("password", PASSWORD)]).header("location"), "/enrol");
    browser.get("/enrol");
    assert_eq!(browser.post("/enrol/pass", &[("pass", pass)]).status, 303);
    browser.get("/enrol");
    let code = demo.listed(mara).new_app.expect("the app that she sets up shows a code");
    let stored = browser.post("/enrol", &[("code", &code)]);
    assert!(stored.status == 200 && stored.body.contains("Save your backup codes"), "{}", stored.body);
    let now = demo.listed(mara);
    assert!(now.new_app.is_none() && now.app.len() == 2 && now.codes.is_empty(), "{now:?}");

    it_ends_without_a_trace(demo);
}

/// All twelve are on the page; so are a link from the sign-in page, and what each of them has.
fn everybody_is_listed(demo: &Demo) {
    let page = demo.server.get("GET", "/demo");
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    let sign_in = demo.server.get("GET", "/sign-in").body;
    assert!(sign_in.contains("href=\"/demo\"") && sign_in.contains("everything goes when it is stopped"), "{sign_in}");
    for part in &idp::demo::CAST {
        let listed = Listed::read(&page.body, &part.email());
        assert!(listed.text.contains(part.name), "{listed:?}");
        let printed = |line: &String| line.contains(&part.email()) && line.starts_with(part.role.as_str());
        assert!(demo.said.iter().any(printed), "{}: {:?}", part.name, demo.said);
        if part.key == "hugo" {
            assert!(listed.app.is_empty() && listed.text.contains("href=\"/invitation/"), "{listed:?}");
        } else if part.key == "jonas" {
            assert!(listed.app.is_empty() && listed.codes.is_empty(), "{listed:?}");
            assert!(
                listed.text.contains("disabled") && listed.text.contains("Has no password that works."),
                "{listed:?}"
            );
        } else {
            let different = listed.app.len() == 2 && listed.app[0] != listed.app[1];
            assert!(different && listed.app.iter().all(|code| code.len() == 6), "{listed:?}");
            assert_eq!(listed.codes.len(), 2, "{listed:?}");
        }
    }
    assert!(demo.listed("sofia@fernhill.example").text.contains("2 left"));
    // A backup code that stands there works as well.
    let code = demo.listed("sofia@fernhill.example").codes[0].clone();
    let mut sofia = demo.visitor();
    sofia.get("/sign-in");
    sofia.post("/sign-in", &[("email", "sofia@fernhill.example"), ("password", PASSWORD)]);
    sofia.get("/sign-in/backup-code");
    assert_eq!(sofia.post("/sign-in/backup-code", &[("code", &code)]).status, 303);
    let left = demo.listed("sofia@fernhill.example");
    assert!(left.codes.len() == 1 && left.codes[0] != code && left.text.contains("1 left"), "{left:?}");
}

/// Each link of the list opens for whom it is meant.
fn every_walk_begins_on_a_page_that_is_there(demo: &Demo, tom: Visitor<'_>) {
    let page = demo.server.get("GET", "/demo").body;
    let links = page.split("/sign-in?next=").skip(1).map(|link| link.split('"').next().unwrap().replace("%2F", "/"));
    let links: Vec<String> = links.collect();
    let walks: Vec<_> = idp::demo::WALKS.iter().filter(|walk| walk.who.is_some()).collect();
    assert_eq!(links.len(), walks.len());
    let mut browsers = BTreeMap::from([("tom", tom)]);
    for (path, walk) in links.iter().zip(walks).filter(|(_, walk)| walk.who != Some("mara")) {
        let who = walk.who.unwrap();
        let email = format!("{who}@fernhill.example");
        let sign_in = || demo.visitor().sign_in(&email, PASSWORD, &demo.listed(&email));
        let browser = browsers.entry(who).or_insert_with(sign_in);
        let page = browser.get(path);
        assert_eq!(page.status, 200, "{}: {}", walk.title, page.body);
    }
    assert_eq!(browsers.len(), 3);
}

/// What other commands say of its folder: the chain is whole and its times are spread over six weeks.
fn it_is_true_history(folder: &Path) {
    let verified = idp_on(folder, &["audit", "verify"]).done();
    assert!(verified.starts_with("UNANCHORED: consistent in itself"), "{verified}");
    assert_eq!(idp_on(folder, &["user", "list"]).done().lines().count(), 12);
    let trail = idp_on(folder, &["audit", "export"]).done();
    let trail: Vec<serde_json::Value> = trail.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at = |entry: &serde_json::Value| entry["at"].as_str().unwrap().parse::<idp::time::Timestamp>().unwrap();
    let (first, last) = (at(&trail[0]), at(trail.last().unwrap()));
    let days = Duration::from_secs(41 * 86_400)..Duration::from_secs(43 * 86_400);
    assert!(days.contains(&last.since(first)), "from {first} to {last}");
    let of = |action: &str| trail.iter().filter(|entry| entry["action"] == action).count();
    assert_eq!((of("user.created"), of("system.clock_stepped")), (12, 0));
    let cases =
        ["recovery.completed", "recovery.approval_requested", "recovery.incident_declared", "recovery.refused"].map(of);
    assert_eq!(cases, [2, 1, 1, 1], "one of those who came back was an impostor");
}

fn it_ends_without_a_trace(mut demo: Demo) {
    assert_eq!(names(demo.temporary.path()).len(), 1);
    demo.server.terminate();
    assert_eq!(demo.server.wait().code(), Some(0));
    assert!(names(demo.temporary.path()).is_empty(), "{:?}", names(demo.temporary.path()));
}

#[test]
fn a_demo_that_is_stopped_while_it_is_made_leaves_nothing_whatever_stops_it() {
    for signal in [Signal::INT, Signal::HUP] {
        let temporary = tempfile::tempdir().unwrap();
        let mut command = demo(temporary.path(), &["--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let database = || {
            let room = names(temporary.path()).into_iter().next();
            room.is_some_and(|room| temporary.path().join(room).join("data/idp.db").exists())
        };
        let begun = Instant::now();
        while !database() {
            assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(5));
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal:?}");
        assert!(names(temporary.path()).is_empty(), "{:?}", names(temporary.path()));
    }
}

#[test]
fn a_demo_is_reached_from_this_machine_alone() {
    let temporary = tempfile::tempdir().unwrap();
    for elsewhere in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        let ran = Ran::of(demo(temporary.path(), &["--listen", elsewhere]).output().unwrap());
        ran.refused(2, "anyone who reaches a demo can sign in as everybody");
    }
    let ran = Ran::of(demo(temporary.path(), &["--listen", "here"]).output().unwrap());
    ran.refused(2, "write an address and a port");
    assert!(names(temporary.path()).is_empty());
}

#[test]
fn no_other_server_shows_anybodys_codes() {
    let room = tempfile::tempdir().unwrap();
    let server = Server::start(&["--data", room.path().join("data").to_str().unwrap()], |_| ());
    for (method, path) in [("GET", "/demo"), ("HEAD", "/demo"), ("GET", "/demo?demo=1")] {
        assert_eq!(server.get(method, path).status, 404, "{method} {path}");
    }
    assert!(!server.get("GET", "/sign-in").body.contains("demo"));
    server.stop();

    let (world, mut ada, _) = World::with_owner();
    assert_eq!((ada.get("/demo").status, world.browser().get("/demo").status), (404, 404));
    assert!(!ada.get("/admin").body.contains("/demo"));
}

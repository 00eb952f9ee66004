//! The real server: first start, refusals at the start, settings, signals, and commands beside it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli_world::{Folder, mode};

/// A running server, with what it printed.
struct Server {
    child: Child,
    url: String,
    link: Option<String>,
}

impl Server {
    fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut command = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first = lines.next().expect("the server says that it is ready");
        let url = first.rsplit(' ').next().unwrap().to_owned();
        let invites = lines.next().is_some_and(|line| line.contains("There is no owner yet"));
        let link = invites.then(|| lines.next().unwrap().trim().to_owned());
        Self { child, url, link }
    }

    /// Sends bytes, and reads until the server closes.
    fn send(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn connect(&self) -> TcpStream {
        let port = self.url.rsplit(':').next().unwrap();
        let stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    fn get(&self, target: &str) -> String {
        self.send(&format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// The exit code, once it has ended.
    fn wait(&mut self) -> Option<i32> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of a printed link.
fn path(link: &str) -> &str {
    &link[link.find("/setup/").or_else(|| link.find("/invitation/")).unwrap()..]
}

#[test]
fn the_first_start_creates_private_files_and_prints_a_link_that_the_next_start_replaces() {
    let folder = Folder::absent();
    let mut first = Server::start(&folder, &[]);
    for file in ["idp.db", "seed.key", "audit-signing.key", "idp.lock"] {
        assert_eq!(mode(&folder.data().join(file)), 0o600, "{file}");
    }
    let old = first.link.clone().expect("a new provider has no owner");
    assert!(first.get(path(&old)).contains("Set up the first owner"));
    first.signal("-TERM");
    assert_eq!(first.wait(), Some(0));
    let second = Server::start(&folder, &[]);
    let new = second.link.clone().expect("there still is no owner");
    assert_ne!(old, new);
    assert!(second.get(path(&old)).starts_with("HTTP/1.1 410 "));
    assert!(second.get(path(&new)).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_second_server_on_the_same_folder_and_a_port_in_use_are_refused_with_what_to_do() {
    let folder = Folder::new();
    let _running = Server::start(&folder, &[]);
    folder.idp(&["serve", "--listen", "127.0.0.1:0"]).refused(2, "stop it first");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let other = Folder::absent();
    other.idp(&["serve", "--listen", &address]).refused(2, "--listen takes another address");
    assert!(!other.data().exists(), "a start that fails leaves nothing behind");
}

#[test]
fn settings_come_from_flags_then_variables_then_the_file_and_a_misspelt_one_is_named() {
    let folder = Folder::new();
    drop(Server::start(&folder, &[]));
    let file = folder.data().join("idp.toml");
    let title = |server: &Server| server.get("/sign-in").split("<title>").nth(1).unwrap()[..40].to_owned();

    std::fs::write(&file, "organisation = \"From the file\"\n").unwrap();
    assert!(title(&Server::start(&folder, &[])).contains("From the file"));
    let mut command = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut child = command
        .env("IDP_ORGANISATION", "From a variable")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(title(&Server { child, url, link: None }).contains("From a variable"));
    assert!(title(&Server::start(&folder, &["--organisation", "From a flag"])).contains("From a flag"));

    std::fs::write(&file, "organistaion = \"x\"\n").unwrap();
    let refused = folder.idp(&["serve", "--listen", "127.0.0.1:0"]);
    refused.refused(2, "organistaion");
    refused.refused(2, "organisation");
    std::fs::remove_file(&file).unwrap();
    let output = folder.command(&["serve", "--listen", "127.0.0.1:0"]).env("IDP_LISTNE", "x").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("IDP_LISTNE") && said.contains("IDP_LISTEN"), "{said}");
    folder.idp(&["serve", "--listen", "0.0.0.0:0"]).refused(2, "public");
}

#[test]
fn sigterm_finishes_the_request_under_way() {
    let folder = Folder::new();
    let mut server = Server::start(&folder, &[]);
    let link = server.link.clone().unwrap();
    let page = server.get(path(&link));
    let value = |mark: &str| {
        let at = page.find(mark).unwrap() + mark.len();
        page[at..].chars().take_while(|c| !"\";".contains(*c)).collect::<String>()
    };
    let (csrf, cookie) = (value("name=\"csrf\" value=\""), value("Set-Cookie: idp-guest="));
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("csrf", csrf.as_str()), ("email", "ada@fernhill.example"), ("name", "Ada")])
        .extend_pairs([("password", crate::world::PASSWORD)])
        .finish();
    let mut stream = server.connect();
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let head = format!("POST {} HTTP/1.1\r\nHost: localhost\r\nCookie: idp-guest={cookie}\r\n{kind}\r\n", path(&link));
    let (first, rest) = body.split_at(body.len() / 2);
    write!(stream, "{head}Content-Length: {}\r\n\r\n{first}", body.len()).unwrap();
    // The request is under way: the server waits for its second half when the signal comes.
    std::thread::sleep(Duration::from_millis(200));
    server.signal("-TERM");
    std::thread::sleep(Duration::from_millis(200));
    stream.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 303 ") && answer.contains("/enrol"), "{answer}");
    assert_eq!(server.wait(), Some(0));
    assert!(folder.idp(&["user", "list"]).done().contains("ada@fernhill.example"), "what was answered is there");
}

#[test]
fn every_answer_over_the_wire_carries_the_security_headers_refusals_by_the_edge_included() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let long = "x".repeat(20_000);
    for (request, status) in [
        ("GET /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(), 200),
        ("HEAD /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(), 200),
        ("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(), 404),
        ("DELETE /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(), 405),
        ("POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n".to_owned(), 413),
        (format!("GET / HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n"), 431),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(), 400),
    ] {
        let answer = server.send(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {}", &answer[..60.min(answer.len())]);
        for header in
            ["Content-Security-Policy: default-src 'none'", "X-Content-Type-Options: nosniff", "Referrer-Policy"]
        {
            assert!(answer.contains(header), "{status} lacks {header}");
        }
    }
    let head = server.send("HEAD /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(head.ends_with("\r\n\r\n"), "HEAD has no body");
}

#[test]
fn people_are_looked_after_from_the_host_beside_the_server() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let link = folder.idp(&["user", "add", "mara@fernhill.example", "--name", "Mara Lindqvist"]).done();
    assert!(link.trim().starts_with(&format!("{}/invitation/", server.url)), "links begin as the server's do: {link}");
    assert!(server.get(path(link.trim())).contains("Welcome, <bdi>Mara Lindqvist</bdi>"));
    folder.idp(&["user", "add", "MARA@fernhill.example", "--name", "Other"]).refused(1, "is here already");
    for (args, says) in [
        (["user", "add", "no address", "--name", "X", "--role", "member"], "e-mail address"),
        (["user", "add", "x@y.example", "--name", "X", "--role", "king"], "member, auditor, admin or owner"),
    ] {
        let ran = folder.idp(&args);
        assert!(ran.code == 2 && ran.err.contains(says), "{ran:?}");
    }
    let list = folder.idp(&["user", "list"]).done();
    assert!(list.contains("invited") && list.contains("mara@fernhill.example"), "{list}");
    assert!(folder.idp(&["user", "show", "mara@fernhill.example"]).done().contains("Mara Lindqvist"));
    folder.idp(&["user", "show", "nobody@fernhill.example"]).refused(1, "there is nobody");
    folder.idp(&["user", "disable", "mara@fernhill.example", "--reason", "left"]).done();
    assert!(server.get(path(link.trim())).starts_with("HTTP/1.1 410 "), "the link is void at once");
    folder.idp(&["user", "disable", "mara@fernhill.example"]).refused(1, "disabled");
    folder.idp(&["user", "enable", "mara@fernhill.example"]).done();
    folder.idp(&["user", "role", "mara@fernhill.example", "auditor"]).done();
    folder.idp(&["recover-owner", "mara@fernhill.example", "--reason", "lost it"]).refused(1, "no owner");
    let ran = folder.idp(&["recover-owner", "mara@fernhill.example"]);
    assert!(ran.code == 2 && ran.err.contains("--reason"), "{ran:?}");
    let trail = folder.idp(&["audit", "export"]).done();
    for action in ["user.created", "user.disabled", "user.enabled", "user.role_changed"] {
        assert!(trail.contains(action), "{action}");
    }
    folder.idp(&["audit", "verify"]).done();
}

#[test]
fn a_data_folder_that_can_not_be_written_is_refused_with_a_clear_error() {
    let folder = Folder::new();
    drop(Server::start(&folder, &[]));
    let nobody = 65_534;
    std::fs::set_permissions(folder.data(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
    if rustix::process::geteuid().is_root() {
        // Root may write anywhere, so it is someone else who tries.
        std::os::unix::process::CommandExt::uid(&mut command, nobody);
    } else {
        std::fs::set_permissions(folder.data(), std::fs::Permissions::from_mode(0o555)).unwrap();
        std::fs::remove_file(folder.data().join("idp.lock")).unwrap_or_default();
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("ermission denied") && said.lines().count() == 1, "{said}");
    std::fs::set_permissions(folder.data(), std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn help_is_a_manual() {
    let folder = Folder::new();
    for (args, says) in [
        (&["--help"][..], "Exit codes:"),
        (&["serve", "--help"], "idp.toml"),
        (&["user", "add", "--help"], "works once"),
        (&["audit", "export", "--help"], "--action"),
        (&["backup", "--help"], "seed.key"),
        (&["restore", "--help"], "--without-factors"),
        (&["recover-owner", "--help"], "break_glass"),
    ] {
        let output = folder.command(args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains(says), "{args:?}: {text}");
    }
}

#[test]
fn a_program_can_embed_the_provider() {
    let folder = Folder::absent();
    let said = crate::embed::answer_one_request(folder.data()).unwrap();
    assert!(said.contains("/setup/") && said.contains("GET /sign-in: 200"), "{said}");
}

//! Behind a proxy with https: real nginx and real Caddy, with what the README says to put into their files.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use idp::time::Clock;

use crate::cli_world::{Folder, Ran};
use crate::served::{Heard, Server};
use crate::world::{Answer, PASSWORD, Phone};

const HOST: &str = "id.example.org";

/// The README's block of this language.
fn block(language: &str) -> String {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let mark = format!("```{language}\n");
    let mut blocks = readme.split(&mark).skip(1);
    let block = blocks.next().and_then(|rest| rest.split("```").next()).expect("the README has such a block");
    assert!(blocks.next().is_none(), "one block of {language}");
    block.to_owned()
}

/// `text` with each of these in place of what the README has, which must stand there.
fn adapted(mut text: String, changes: &[(&str, String)]) -> String {
    for (from, to) in changes {
        assert!(text.contains(from), "the README does not say {from}");
        text = text.replace(from, to);
    }
    text
}

/// An address of this machine that is this test's alone. These programs can not be given a socket, only a port; one that
/// is free here a moment before stays free, as nobody else listens on this address.
fn own_address() -> Ipv4Addr {
    let [a, b, c] = idp::secret::random();
    Ipv4Addr::new(127, a.clamp(1, 254), b, c.clamp(1, 254))
}

/// A port that is free on `address`.
fn free_port(address: Ipv4Addr) -> u16 {
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port()
}

/// A certificate for [`HOST`] and its key, in `room`.
fn certificate(room: &Path) -> (PathBuf, PathBuf) {
    let (cert, key) = (room.join("cert.pem"), room.join("cert.key"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
    command.args(["-subj", &format!("/CN={HOST}"), "-addext", &format!("subjectAltName=DNS:{HOST}")]);
    let made = command.arg("-keyout").arg(&key).arg("-out").arg(&cert).output().expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (cert, key)
}

/// An address, and the ports for https and for plain http.
#[derive(Clone, Copy)]
struct At {
    address: Ipv4Addr,
    https: u16,
    http: u16,
}

/// A running proxy; it ends with the test.
struct Proxy {
    child: Child,
    room: PathBuf,
    /// Where it listens.
    at: At,
}

impl Proxy {
    /// Starts what `make` makes for the place given, and waits until it answers on both ports.
    fn start(room: &Path, address: Ipv4Addr, make: impl Fn(At) -> Command) -> Self {
        let at = At { address, https: free_port(address), http: free_port(address) };
        let log = std::fs::File::create(room.join("proxy.log")).unwrap();
        let mut command = make(at);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("the proxy runs");
        let mut proxy = Self { child, room: room.to_owned(), at };
        assert!(proxy.answers(), "{}", std::fs::read_to_string(room.join("proxy.log")).unwrap());
        proxy
    }

    fn answers(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline && self.child.try_wait().unwrap().is_none() {
            if [self.at.https, self.at.http].iter().all(|port| TcpStream::connect((self.at.address, *port)).is_ok()) {
                return true;
            }
            std::thread::yield_now();
        }
        false
    }

    /// What `curl` hears from it, as a client at 127.0.0.2 with a cookie jar.
    fn ask(&self, scheme: &str, path: &str, args: &[&str]) -> Heard {
        let port = if scheme == "https" { self.at.https } else { self.at.http };
        let jar = self.room.join("jar");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--include", "--http1.1", "--max-time", "30"]);
        curl.args(["--interface", "127.0.0.2", "--resolve", &format!("{HOST}:{port}:{}", self.at.address)]);
        curl.arg("--cacert").arg(self.room.join("cert.pem")).arg("--cookie").arg(&jar).arg("--cookie-jar").arg(&jar);
        let ran = Ran::of(curl.args(args).arg(format!("{scheme}://{HOST}:{port}{path}")).output().expect("curl"));
        Heard::read(&ran.done())
    }

    fn get(&self, path: &str) -> Heard {
        self.ask("https", path, &[])
    }

    /// Sends a form of `page`, and pretends to come from somewhere else.
    fn post(&self, page: &Heard, path: &str, fields: &[(&str, &str)]) -> Heard {
        let csrf = page.hidden("csrf");
        let fields = fields.iter().copied().chain([("csrf", &*csrf)]);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let forged = ["X-Forwarded-For: 198.51.100.9", "Forwarded: for=198.51.100.9", "X-Real-IP: 198.51.100.9"];
        let forged = forged.iter().flat_map(|header| ["--header", header]);
        self.ask("https", path, &forged.chain(["--data", &body]).collect::<Vec<_>>())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The owner, who is signed in, puts a photo of 5 MB on record: no proxy stops it for being long.
fn a_photo_goes_through(folder: &Folder, proxy: &Proxy) {
    folder.idp(&["user", "add", "mara@example.org", "--name", "Mara"]).done();
    let db = rusqlite::Connection::open(folder.database()).unwrap();
    let id: String = db.query_row("SELECT id FROM users WHERE name = 'Mara'", [], |row| row.get(0)).unwrap();
    let mut photo = Vec::new();
    let picture = image::RgbImage::from_pixel(60, 80, image::Rgb([200, 150, 120]));
    image::codecs::jpeg::JpegEncoder::new(&mut photo).encode_image(&picture).unwrap();
    photo.resize(5_000_000, 0);
    std::fs::write(folder.beside("photo.jpg"), photo).unwrap();
    let path = format!("/admin/users/{id}/portrait");
    let page = proxy.get(&path);
    let fields = ["csrf", "nonce"].map(|name| format!("{name}={}", page.hidden(name)));
    let file = format!("file=@{}", folder.beside("photo.jpg").display());
    // Without waiting for "100 Continue", as browsers do.
    let form = ["--header", "Expect:", "--form", &fields[0], "--form", &fields[1], "--form", &file];
    let answer = proxy.ask("https", &path, &form);
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(folder.count("SELECT count(*) FROM portraits WHERE jpeg IS NOT NULL"), 1);
}

/// Sets up the first owner and signs them in again, through the proxy that `make` makes for the place given and the
/// address of the server.
fn walk(make: impl Fn(&Folder, At, &str) -> Command) {
    let folder = Folder::new();
    let room = folder.data().parent().unwrap().to_owned();
    certificate(&room);
    std::fs::write(folder.data().join("idp.toml"), block("toml")).unwrap();
    let own = own_address();
    let address = format!("{own}:{}", free_port(own));
    let mut server = Server::of(folder.command(&["serve", "--listen", &address]).env("IDP_LOG_LEVEL", "error"));
    server.address.clone_from(&address);
    let proxy = Proxy::start(&room, own, |at| make(&folder, at, &address));

    let plain = proxy.ask("http", "/sign-in", &[]);
    assert!([301, 308].contains(&plain.status), "{plain:?}");
    assert!(plain.header("location").starts_with(&format!("https://{HOST}")), "{plain:?}");
    assert_eq!(proxy.get("/readyz").body, "ready\n");

    let setup = server.setup_path();
    let page = proxy.get(&setup);
    let owner = [("email", "ada@example.org"), ("name", "Ada"), ("password", PASSWORD)];
    let answer = proxy.post(&page, &setup, &owner);
    assert_eq!((answer.status, answer.header("location")), (303, "/enrol"), "{answer:?}");
    let page = proxy.get("/enrol");
    let code = Phone::scan(&page.body).code(Clock::System.now());
    let page = proxy.post(&page, "/enrol", &[("code", &code)]);
    let codes = Answer { body: page.body.clone(), ..Answer::default() }.codes();
    assert_eq!(codes.len(), 10, "{page:?}");
    assert_eq!(proxy.post(&page, "/enrol/stored", &[("stored", "on")]).status, 303);
    let page = proxy.get("/profile");
    assert_eq!(page.status, 200);
    assert!(page.header("strict-transport-security").contains("max-age"), "{page:?}");
    assert_eq!(proxy.post(&page, "/sign-out", &[]).status, 303);

    let page = proxy.get("/sign-in");
    let answer = proxy.post(&page, "/sign-in", &[("email", "ada@example.org"), ("password", PASSWORD)]);
    assert_eq!(answer.header("location"), "/sign-in/code", "{answer:?}");
    let page = proxy.get("/sign-in/backup-code");
    let answer = proxy.post(&page, "/sign-in/backup-code", &[("code", &codes[0])]);
    assert_eq!(answer.status, 303, "{answer:?}");
    let cookies = answer.headers.iter().filter(|(n, _)| n == "set-cookie").map(|(_, v)| v.as_str()).collect::<Vec<_>>();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("__Host-idp-session=")), "{cookies:?}");
    for cookie in cookies {
        for word in ["__Host-", "Secure", "HttpOnly", "Path=/", "SameSite=Lax"] {
            assert!(cookie.contains(word), "{cookie}");
        }
    }
    assert_eq!(proxy.get("/profile").status, 200);
    a_photo_goes_through(&folder, &proxy);

    // The trail has the client's own address, which neither the proxy's is nor the forged one.
    let from = "SELECT count(*) FROM audit WHERE action = 'user.signed_in' AND body ->> '$.source.address' = ";
    assert_eq!(folder.count(&format!("{from} '127.0.0.2'")), 2);
    assert_eq!(folder.count("SELECT count(*) FROM audit WHERE body LIKE '%198.51.100.9%'"), 0);
    // And what the proxy wrote down holds no token.
    let token = setup.rsplit('/').next().unwrap();
    for file in ["proxy.log", "access.log", "error.log"] {
        let text = std::fs::read_to_string(room.join(file)).unwrap_or_default();
        assert!(!text.contains(token), "{file}: {text}");
    }
    drop(proxy);
    server.stop();
}

#[test]
fn someone_signs_in_through_nginx_as_the_readme_sets_it_up_and_can_not_forge_an_address() {
    walk(|folder, At { address, https, http }, server| {
        let site = adapted(
            block("nginx"),
            &[
                ("listen 443 ssl;", format!("listen {address}:{https} ssl;")),
                ("listen 80;", format!("listen {address}:{http};")),
                ("/etc/ssl/id.example.org.pem", folder.beside("cert.pem").display().to_string()),
                ("/etc/ssl/id.example.org.key", folder.beside("cert.key").display().to_string()),
                ("http://127.0.0.1:8080", format!("http://{server}")),
            ],
        );
        let room = folder.beside("");
        let room = room.display();
        let conf = format!(
            "daemon off; master_process off; pid {room}/nginx.pid; error_log {room}/error.log; events {{}}\n\
             http {{ access_log {room}/access.log; client_body_temp_path {room}/t1; proxy_temp_path {room}/t2;\n\
             fastcgi_temp_path {room}/t3; uwsgi_temp_path {room}/t4; scgi_temp_path {room}/t5;\n{site}}}\n"
        );
        std::fs::write(folder.beside("nginx.conf"), conf).unwrap();
        let mut nginx = Command::new("nginx");
        nginx.arg("-e").arg(folder.beside("error.log")).arg("-c").arg(folder.beside("nginx.conf"));
        nginx
    });
}

#[test]
fn someone_signs_in_through_caddy_as_the_readme_sets_it_up_and_can_not_forge_an_address() {
    walk(|folder, At { address, https, http }, server| {
        let (cert, key) = (folder.beside("cert.pem"), folder.beside("cert.key"));
        let tls = format!("id.example.org {{\n    tls {} {}\n", cert.display(), key.display());
        let site = adapted(block("caddy"), &[("id.example.org {\n", tls), ("127.0.0.1:8080", server.to_owned())]);
        let ports = format!(
            "{{\n    admin off\n    default_bind {address}\n    http_port {http}\n    https_port {https}\n}}\n"
        );
        std::fs::write(folder.beside("Caddyfile"), ports + &site).unwrap();
        let mut caddy = Command::new("caddy");
        caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.beside("Caddyfile"));
        for variable in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            caddy.env(variable, folder.beside(""));
        }
        caddy
    });
}

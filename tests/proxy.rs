//! On a server, as the README says it: behind nginx or Caddy, which are run here with the README's own words, and under
//! systemd, whose own checker reads the README's unit.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use idp::audit::Action;

use crate::cli_world::{Folder, Ran};
use crate::served::Server;

const README: &str = include_str!("../README.md");

/// The text of the README's only block in this language.
fn readme(language: &str) -> String {
    let blocks: Vec<&str> = README.split(&format!("```{language}\n")).skip(1).collect();
    let [block] = &blocks[..] else { panic!("one block of {language}, not {}", blocks.len()) };
    block.split("```").next().unwrap().to_owned()
}

/// Puts something of this run in place of what a reader would put something of theirs.
fn with(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
        text.replace(from, to)
    })
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A proxy in front of a server; both end with the test.
struct Front {
    proxy: Child,
    server: Server,
    folder: Folder,
    port: u16,
}

impl Front {
    /// Starts a server, and before it what `proxy` makes of a folder, the server's address and a port of its own.
    fn start(proxy: impl Fn(&Path, &str, u16) -> Command) -> Self {
        let folder = Folder::new();
        assert_eq!(folder.idp(&["user", "add", "mara@fernhill.example", "--name", "Mara Lindqvist"]).code, 0);
        // Its own words name the public address only, so it can not pick its port.
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = folder.command(&["serve", "--listen", &address, "--public-url", "https://id.example.org"]);
        let mut server = Server::of(command.args(["--trusted-proxy", "127.0.0.1"]));
        server.address = address;
        let room = folder.beside("proxy");
        std::fs::create_dir(&room).unwrap();
        let port = free_port();
        let mut command = proxy(&room, &server.address, port);
        let said = std::fs::File::create(room.join("said")).unwrap();
        let proxy = command.stdout(Stdio::null()).stderr(said).spawn().expect("see .ci/run for what to install");
        let mut front = Self { proxy, server, folder, port };
        front.wait();
        front
    }

    /// Until it answers.
    fn wait(&mut self) {
        let begun = Instant::now();
        while self.ask("127.0.0.1", &["/sign-in"]).code != 0 {
            let said = || std::fs::read_to_string(self.folder.beside("proxy/said")).unwrap();
            assert!(self.proxy.try_wait().unwrap().is_none(), "the proxy has ended: {}", said());
            assert!(begun.elapsed() < Duration::from_secs(30), "the proxy does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What curl gets from the proxy, with the head of the answer, as a client at this loopback address.
    fn ask(&self, client: &str, args: &[&str]) -> Ran {
        let mut command = Command::new("curl");
        let place = format!("id.example.org:{}:127.0.0.1", self.port);
        // The certificate is one that only this test knows.
        command.args(["--silent", "--include", "--insecure", "--interface", client, "--resolve", &place]);
        let (path, options) = args.split_first().unwrap();
        command.args(options).arg(format!("https://id.example.org:{}{path}", self.port));
        Ran::of(command.output().expect("curl"))
    }

    /// A visit by a client that claims to be somewhere else: what must hold behind any proxy.
    fn keeps_its_promises(&self) {
        let jar = self.folder.beside("jar");
        let jar = jar.to_str().unwrap();
        let page = self.ask("127.0.0.2", &["/sign-in", "--cookie-jar", jar]).out;
        assert!(page.to_lowercase().contains("set-cookie: __host-"), "{page}");
        assert!(page.to_lowercase().contains("strict-transport-security:"), "{page}");
        let mark = "name=\"csrf\" value=\"";
        let csrf = page[page.find(mark).unwrap() + mark.len()..].split('"').next().unwrap();
        let form = format!("csrf={csrf}&email=mara%40fernhill.example&password=wrong+horse");
        let forged = "X-Forwarded-For: 203.0.113.9";
        let answer = self.ask("127.0.0.2", &["/sign-in", "--cookie", jar, "--data", &form, "--header", forged]).out;
        assert!(answer.lines().next().is_some_and(|line| line.contains(" 401")), "{answer}");
        let said = self.folder.idp(&["audit", "export", "--action", Action::UserSignInFailed.as_str()]).done();
        let entry: serde_json::Value = serde_json::from_str(said.trim()).unwrap();
        assert_eq!(entry["source"]["address"], "127.0.0.2");
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
        self.server.terminate();
    }
}

#[test]
fn behind_nginx_as_the_readme_sets_it_up_addresses_are_true_and_cookies_stay_on_https() {
    let front = Front::start(|room, server, port| {
        let (certificate, key) = certificate(room);
        let site = with(
            &readme("nginx"),
            &[
                ("listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl")),
                ("/etc/ssl/id.example.org.pem", certificate.to_str().unwrap()),
                ("/etc/ssl/id.example.org.key", key.to_str().unwrap()),
                ("127.0.0.1:8080", server),
            ],
        );
        let room = room.display();
        let config = format!(
            "daemon off; master_process off; pid {room}/pid; error_log {room}/error.log; events {{}}\nhttp {{\n\
             access_log off; client_body_temp_path {room}/b; proxy_temp_path {room}/p; fastcgi_temp_path {room}/f;\n\
             uwsgi_temp_path {room}/u; scgi_temp_path {room}/s;\n{site}}}\n"
        );
        let path = PathBuf::from(format!("{room}/nginx.conf"));
        std::fs::write(&path, config).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-c").arg(path).args(["-e", "/dev/null"]).env("PATH", with_sbin());
        command
    });
    front.keeps_its_promises();
}

#[test]
fn behind_caddy_as_the_readme_sets_it_up_addresses_are_true_and_cookies_stay_on_https() {
    let front = Front::start(|room, server, port| {
        let site = with(
            &readme("caddyfile"),
            &[
                (
                    "id.example.org {",
                    &format!("https://id.example.org:{port} {{\n    bind 127.0.0.1\n    tls internal"),
                ),
                ("127.0.0.1:8080", server),
            ],
        );
        let config = format!("{{\n    admin off\n    auto_https disable_redirects\n    skip_install_trust\n}}\n{site}");
        let path = room.join("Caddyfile");
        std::fs::write(&path, config).unwrap();
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(path);
        command.env("HOME", room).env("XDG_DATA_HOME", room).env("XDG_CONFIG_HOME", room);
        command
    });
    front.keeps_its_promises();
}

/// Debian keeps nginx where only administrators look.
fn with_sbin() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}

/// A certificate of one day, and its key.
fn certificate(room: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (room.join("id.pem"), room.join("id.key"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]);
    command.args(["-subj", "/CN=id.example.org", "-out"]).arg(&certificate).arg("-keyout").arg(&key);
    let made = command.stderr(Stdio::null()).status().expect("openssl");
    assert!(made.success());
    (certificate, key)
}

#[test]
fn a_service_manager_is_told_when_requests_are_taken_and_when_the_server_stops() {
    let folder = Folder::new();
    let path = folder.beside("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let heard = || {
        let mut said = [0; 64];
        let length = manager.recv(&mut said).unwrap();
        String::from_utf8(said[..length].to_vec()).unwrap()
    };
    let data = folder.data();
    let server = Server::start(&["--data", data.to_str().unwrap()], |command| {
        command.env("NOTIFY_SOCKET", &path);
    });
    assert_eq!(heard(), "READY=1");
    server.stop();
    assert_eq!(heard(), "STOPPING=1");
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit_of_the_readme() {
    let room = tempfile::tempdir().unwrap();
    let check = |name: &str, unit: String| {
        let path = room.path().join(name);
        std::fs::write(&path, unit).unwrap();
        let mut command = Command::new("systemd-analyze");
        let ran = Ran::of(command.args(["verify", "--man=no"]).arg(path).output().expect("systemd-analyze"));
        assert!(ran.code == 0 && ran.out.is_empty() && ran.err.is_empty(), "{name}: {ran:?}");
    };
    let program = ("/usr/local/bin/idp", env!("CARGO_BIN_EXE_idp"));
    let units = readme("ini");
    let units: Vec<(&str, &str)> =
        units.split("# /etc/systemd/system/").skip(1).filter_map(|u| u.split_once('\n')).collect();
    let names: Vec<&str> = units.iter().map(|u| u.0).collect();
    assert_eq!(names, ["idp.service", "idp-backup.service", "idp-backup.timer"]);
    for (name, unit) in &units {
        let unit = if unit.contains(program.0) { with(unit, &[program]) } else { (*unit).to_owned() };
        check(name, unit);
    }
    let mut command = Command::new("systemd-analyze");
    let unit = room.path().join("idp.service");
    let ran = Ran::of(command.args(["security", "--offline=true", "--threshold=15"]).arg(unit).output().unwrap());
    // The scale ends at 10.0; the threshold is in tenths.
    assert_eq!(ran.code, 0, "{ran:?}");
}

//! A real mail server for tests, on 127.0.0.1 alone, with certificates of an issuer that is made for it: aiosmtpd, run by
//! the system's Python. It ends with the test, also when that dies.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::BASE64;
use idp::config::{MailAccount, MailServer as Address, MailSettings, Security};
use serde::Deserialize;
use serde_json::{Value, json};

/// From whom the mail of tests comes.
pub const FROM: &str = "idp@fernhill.example";

/// How the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It has no encryption.
    Plain,
    /// It takes nothing before STARTTLS.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// With STARTTLS, and with somebody in between who adds answers to it.
    Injecting,
}

/// A letter as it arrived.
#[derive(Debug, Clone, Deserialize)]
pub struct Received {
    /// The sender that the server was told.
    pub from: String,
    /// The recipients that the server was told.
    pub to: Vec<String>,
    /// Names and addresses in the letter's head.
    pub from_header: Vec<(String, String)>,
    pub to_header: Vec<(String, String)>,
    pub subject: String,
    /// The media type of the whole.
    #[serde(rename = "type")]
    pub media_type: String,
    pub text: Option<String>,
    pub html: Option<String>,
    /// All of the head, in its order, decoded.
    pub headers: Vec<(String, String)>,
    /// The bytes, in base64.
    raw: String,
}

impl Received {
    /// The values of this header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
    }

    /// The letter as it went over the wire.
    pub fn raw(&self) -> String {
        String::from_utf8(BASE64.decode(self.raw.as_bytes()).unwrap()).unwrap()
    }
}

#[derive(Default)]
struct Heard {
    letters: Vec<Received>,
    clear: Vec<u8>,
}

/// The running server.
pub struct MailServer {
    mode: Mode,
    account: Option<String>,
    /// Where it listens, also after it was stopped and started again.
    pub port: u16,
    room: tempfile::TempDir,
    child: Child,
    orders: Mutex<(ChildStdin, Receiver<Value>)>,
    heard: Arc<Mutex<Heard>>,
}

impl MailServer {
    /// A server that takes mail from everybody.
    pub fn start(mode: Mode) -> Self {
        Self::run(mode, None)
    }

    /// A server that takes mail from this account alone.
    pub fn with_account(mode: Mode, user: &str, password: &str) -> Self {
        Self::run(mode, Some((user, password)))
    }

    fn run(mode: Mode, account: Option<(&str, &str)>) -> Self {
        let room = tempfile::tempdir().unwrap();
        make_certificates(room.path());
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-W", "ignore", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/server.py")]);
        command.arg(match mode {
            Mode::Plain => "plain",
            Mode::Starttls => "starttls",
            Mode::Tls => "tls",
            Mode::Injecting => "injecting",
        });
        command.arg(room.path().join("server.pem")).arg(room.path().join("server.key"));
        if let Some((user, password)) = account {
            command.args([user, password]);
            write_private(&room.path().join("password"), &format!("{password}\n"));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3");
        let (heard, (answer, answers)) = (Arc::new(Mutex::default()), channel());
        let (lines, into) = (child.stdout.take().unwrap(), Arc::clone(&heard));
        std::thread::spawn(move || listen(lines, &into, &answer));
        let port = answers.recv_timeout(Duration::from_secs(60)).expect("python3-aiosmtpd")["port"].as_u64().unwrap();
        let orders = Mutex::new((child.stdin.take().unwrap(), answers));
        let account = account.map(|(user, _)| user.to_owned());
        Self { mode, account, port: port.try_into().unwrap(), room, child, orders, heard }
    }

    /// The certificate of who issued the server's.
    pub fn ca_file(&self) -> PathBuf {
        self.room.path().join("ca.pem")
    }

    /// With which letters reach it.
    pub fn settings(&self) -> MailSettings {
        let security = match self.mode {
            Mode::Plain => Security::Clear,
            Mode::Starttls | Mode::Injecting => Security::Starttls,
            Mode::Tls => Security::Tls,
        };
        let password_file = self.room.path().join("password");
        MailSettings {
            server: Address { host: "127.0.0.1".into(), port: self.port },
            security,
            account: self.account.clone().map(|user| MailAccount { user, password_file }),
            ca_file: (security != Security::Clear).then(|| self.ca_file()),
            from: FROM.parse().unwrap(),
        }
    }

    /// The same as lines of `idp.toml`.
    pub fn toml(&self) -> String {
        let MailSettings { server, security, account, ca_file, from } = self.settings();
        let mut text =
            format!("smtp_server = \"{server}\"\nsmtp_security = \"{}\"\nmail_from = \"{from}\"\n", security.as_str());
        if let Some(MailAccount { user, password_file }) = account {
            text += &format!("smtp_user = \"{user}\"\nsmtp_password_file = \"{}\"\n", password_file.display());
        }
        text + &ca_file.map_or(String::new(), |path| format!("smtp_ca_file = \"{}\"\n", path.display()))
    }

    /// All letters that it has taken, in their order.
    pub fn received(&self) -> Vec<Received> {
        self.order(&json!({ "order": "sync" }));
        self.heard.lock().unwrap().letters.clone()
    }

    /// Everything that anybody said to it without encryption.
    pub fn heard_in_clear(&self) -> String {
        self.order(&json!({ "order": "sync" }));
        String::from_utf8_lossy(&self.heard.lock().unwrap().clear).into_owned()
    }

    /// From now on this sender, this recipient, or every `letter`, gets this code.
    pub fn refuse(&self, who: &str, code: u16) {
        self.order(&json!({ "order": "refuse", "key": who, "code": code }));
    }

    /// Nobody gets through any more.
    pub fn stop(&self) {
        self.order(&json!({ "order": "down" }));
    }

    /// It is there again, on the same port.
    pub fn start_again(&self) {
        self.order(&json!({ "order": "up" }));
    }

    fn order(&self, order: &Value) {
        let mut orders = self.orders.lock().unwrap();
        writeln!(orders.0, "{order}").unwrap();
        let answer = orders.1.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(answer, json!({ "done": true }));
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(lines: ChildStdout, heard: &Mutex<Heard>, answers: &Sender<Value>) {
    for line in BufReader::new(lines).lines().map_while(Result::ok) {
        let mut line: Value = serde_json::from_str(&line).unwrap();
        if let Some(letter) = line.get_mut("received") {
            heard.lock().unwrap().letters.push(serde_json::from_value(letter.take()).unwrap());
        } else if let Some(clear) = line["clear"].as_str() {
            heard.lock().unwrap().clear.extend(BASE64.decode(clear.as_bytes()).unwrap());
        } else if answers.send(line).is_err() {
            return;
        }
    }
}

/// An issuer, and what it issued to 127.0.0.1.
pub fn make_certificates(room: &Path) {
    let openssl = |args: &[&str]| {
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
        let made = command.args(args).current_dir(room).output().expect("openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    openssl(&["-subj", "/CN=Fernhill's own issuer", "-keyout", "ca.key", "-out", "ca.pem"]);
    let name = ["-subj", "/CN=mail", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"];
    let issuer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.pem"];
    openssl(&[name.as_slice(), &issuer].concat());
}

/// A file that its owner alone may read.
pub fn write_private(path: &Path, text: &str) {
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

//! `idp serve` as a process of its own, in a folder of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::cli_world::Ran;
use crate::mail_server::FROM;

/// How long the program may take to say that it is ready, on a machine that is busy.
const START: Duration = Duration::from_secs(30);

/// A server that nobody has set up yet. Dropping it ends it and removes its folder.
pub struct Server {
    process: Child,
    folder: tempfile::TempDir,
    url: String,
    setup_link: String,
}

impl Server {
    /// Starts the program on an absent data folder and reads what it prints.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same where messages are to be sent, to a mail server that is not there: they wait.
    pub fn with_mail() -> Self {
        Self::start_with(&["--smtp-server", "127.0.0.1:9", "--smtp-security", "none", "--mail-from", FROM])
    }

    fn start_with(more: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("idp-walk-").tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_idp"))
            .args(["serve", "--listen", "127.0.0.1:0", "--organisation", "Fernhill Joinery"])
            .args(["--help-contact", "the office, +46 8 555 01 00"])
            .args(more)
            .arg("--data")
            .arg(folder.path().join("idp-data"))
            .env_remove("IDP_DATA")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let output = process.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody listens once the links are known.
                let _ = sender.send(line);
            }
        });
        let mut server = Self { process, folder, url: String::new(), setup_link: String::new() };
        let link = |text: &str| text.find("http://").map(|at| text[at..].trim().to_owned());
        while server.setup_link.is_empty() {
            let line =
                lines.recv_timeout(START).expect("the program says its address and the link for the first owner");
            match link(&line) {
                Some(url) if url.contains("/setup/") => server.setup_link = url,
                Some(url) => server.url = url.trim_end_matches('/').to_owned(),
                None => {}
            }
        }
        server
    }

    /// The address of a page.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The one-time link for the first owner.
    pub fn setup_link(&self) -> &str {
        &self.setup_link
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("idp-data/idp.db")
    }

    /// Runs another command of the program on the same data folder.
    pub fn idp(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        command.args(args).arg("--data").arg(self.folder.path().join("idp-data")).env_remove("IDP_DATA");
        Ran::of(command.output().unwrap())
    }

    /// Runs the `sqlite3` command on the database, as somebody with access to the host would.
    pub fn sqlite3(&self, sql: &str) -> String {
        let ran =
            Ran::of(Command::new("sqlite3").arg(self.database()).arg(sql).output().expect("sqlite3 is installed"));
        ran.done()
    }

    /// Asks the server to end, as systemd does, and waits until it has.
    pub fn stop(&mut self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been stopped already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("--- the server's log:\n{log}---");
        }
    }
}

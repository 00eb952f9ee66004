//! The real program, serving on a port of its own, and a client that speaks to it over a socket.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A server process; it ends with the test, however that ends.
pub struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    /// `127.0.0.1:…`.
    pub address: String,
}

impl Server {
    /// Starts `idp serve` with these arguments, prepared by `prepare`.
    pub fn start(args: &[&str], prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(args);
        prepare(&mut command);
        Self::of(&mut command)
    }

    /// Starts `idp serve` with these arguments and its log in `file`, which is emptied first.
    pub fn logged(args: &[&str], file: &Path) -> Self {
        Self::logging_to(args, File::create(file).unwrap())
    }

    /// Starts `idp serve` with these arguments and `log` as its standard error.
    pub fn logging_to(args: &[&str], log: impl Into<Stdio>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(args);
        Self::spawn(&mut command, log.into())
    }

    /// Starts what this command starts, and waits until it is ready.
    pub fn of(command: &mut Command) -> Self {
        Self::spawn(command, Stdio::null())
    }

    fn spawn(command: &mut Command, log: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { child, out, address: String::new() };
        let ready = server.line();
        let port = ready.rsplit(':').next().filter(|_| ready.contains("is ready at")).expect(&ready);
        server.address = format!("127.0.0.1:{port}");
        server
    }

    /// The next line that it prints; empty at the end.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// The path of the setup link that it prints.
    pub fn setup_path(&mut self) -> String {
        assert!(self.line().contains("no owner yet"));
        let link = self.line();
        let at = link.find("/setup/").expect(&link);
        link[at..].to_owned()
    }

    /// Asks it to stop, as a service manager does.
    pub fn terminate(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// How it ended.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Stops it, and sees that it ends well.
    #[track_caller]
    pub fn stop(mut self) {
        self.terminate();
        assert_eq!(self.wait().code(), Some(0));
    }

    /// The answer to a request, which is sent as it is.
    pub fn ask(&self, request: &str) -> Heard {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // A refusal may come before everything is sent.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Heard::read(&String::from_utf8(answer).unwrap())
    }

    /// The answer to a request without a body.
    pub fn get(&self, method: &str, path: &str) -> Heard {
        self.ask(&format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer, as it came over the socket.
#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Heard {
    /// Reads head and body.
    pub fn read(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").expect(answer);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| line.split_once(": ").map(|(n, v)| (n.to_lowercase(), v.to_owned()));
        Self { status, headers: head.lines().skip(1).filter_map(header).collect(), body: body.to_owned() }
    }

    /// The first header of this (lower-case) name; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// The value of the last hidden field of this name.
    pub fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let at = self.body.rfind(&mark).expect("the page has a form") + mark.len();
        self.body[at..].chars().take_while(|c| *c != '"').collect()
    }
}

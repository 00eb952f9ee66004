//! The executable itself: its size, how soon it answers, and what it keeps in memory.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Figures;
use crate::edge::{allow_descriptors, resident_kib_of};
use crate::load::{Load, SignInForm, ask, get};
use crate::provider::{Folder, PASSWORD};

/// The executable that Cargo built for this run.
const IDP: &str = env!("CARGO_BIN_EXE_idp");

const SIGN_INS: usize = 20;
const IDLE: usize = 1000;

/// Longer than hashing workers keep their memory without work, and than the sweeper's round after it.
const QUIET: Duration = Duration::from_secs(35);

/// Megabytes, of a million bytes, that an idle server may keep.
const IDLE_MB: f64 = 12.0;

pub fn figures(figures: &Figures) {
    figures.at_most("binary: size, MB", 14.0, || std::fs::metadata(IDP).expect("the executable").len() as f64 / 1e6);
    start(figures);
    memory(figures);
}

/// From starting the process to its first page, on a database that exists. Beside it the promise, not a limit.
fn start(figures: &Figures) {
    let name = "binary: start to the first page, ms";
    if figures.wants(name) {
        let folder = Folder::with_people(1);
        figures.pair_at_most(name, 1.0, || start_millis(&folder), || 30.0, 15);
        figures.fact("binary: start to exit of `idp version`, ms", version_millis);
    }
}

fn start_millis(folder: &Folder) -> f64 {
    let begun = Instant::now();
    let server = Server::start(folder);
    let page = ask(server.addr, &get("/sign-in", None));
    let took = begun.elapsed();
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    took.as_secs_f64() * 1e3
}

fn version_millis() -> f64 {
    let once = |_| {
        let begun = Instant::now();
        let run = Command::new(IDP).arg("version").stdout(Stdio::null()).status().expect("the executable");
        assert!(run.success());
        begun.elapsed().as_secs_f64() * 1e3
    };
    crate::median((0..15).map(once).collect())
}

fn memory(figures: &Figures) {
    let [fresh, burst, rested, connected] = [
        "memory: idle, before the first sign-in, MB",
        "memory: right after 20 sign-ins, MB",
        "memory: 35 s after 20 sign-ins, MB",
        "memory: with 1,000 idle connections, MB",
    ];
    if ![fresh, burst, rested, connected].iter().any(|name| figures.wants(name)) {
        return;
    }
    let folder = Folder::with_people(SIGN_INS);
    let server = Server::start(&folder);
    let page = ask(server.addr, &get("/sign-in", None));
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    figures.at_most(fresh, IDLE_MB, || server.resident_mb());
    if figures.wants(burst) || figures.wants(rested) {
        sign_in_all(server.addr);
        figures.fact(burst, || server.resident_mb());
        std::thread::sleep(QUIET);
        figures.at_most(rested, IDLE_MB, || server.resident_mb());
    }
    if figures.wants(connected) {
        allow_descriptors(IDLE as u64 + 100);
        let mut load = Load::connect(server.addr, IDLE, &get("/sign-in", None));
        load.once();
        // Longer than an idle connection keeps its buffers.
        std::thread::sleep(Duration::from_secs(6));
        figures.fact(connected, || server.resident_mb());
    }
}

/// Everyone signs in, four at a time.
fn sign_in_all(addr: SocketAddr) {
    std::thread::scope(|scope| {
        for first in 0..4 {
            scope.spawn(move || (first..SIGN_INS).step_by(4).for_each(|n| sign_in(addr, n)));
        }
    });
}

/// The password step, as a browser does it.
fn sign_in(addr: SocketAddr, person: usize) {
    let email = format!("person{person}@fernhill.example");
    let answer = ask(addr, &SignInForm::get(addr).filled(&email, PASSWORD, ""));
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
}

/// The executable at work; ended when dropped.
struct Server {
    process: Child,
    addr: SocketAddr,
}

impl Server {
    /// Starts it on any port and waits until it says that it is ready.
    fn start(folder: &Folder) -> Self {
        let mut process = Command::new(IDP)
            .arg("serve")
            .arg("--data")
            .arg(folder.data())
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the executable");
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().expect("its output")).read_line(&mut line).expect("a line of it");
        let port = line.trim().rsplit(':').next().and_then(|p| p.parse().ok()).expect("an address with a port");
        Self { process, addr: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    fn resident_mb(&self) -> f64 {
        resident_kib_of(&self.process.id().to_string()) * 1024.0 / 1e6
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        // One that has ended already is as good.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.process.wait();
    }
}

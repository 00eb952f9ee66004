//! The edge against the least that could answer the same request.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use idp::http::edge::{Edge, Handler, Limits, Stopper};
use idp::http::response::Response;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::Figures;
use crate::load::{Load, get};

/// About what a discovery document weighs.
static PAGE: LazyLock<Arc<[u8]>> = LazyLock::new(|| Arc::from([b'x'; 2000]));

pub const ROUND: Duration = Duration::from_millis(700);

/// Connections that are open and silent when memory is measured.
const IDLE: usize = 1000;

pub fn figures(figures: &Figures) {
    hello(figures);
    idle(figures);
}

fn request() -> String {
    get("/.well-known/openid-configuration", None)
}

fn hello(figures: &Figures) {
    let name = "edge: hello, 16 connections, requests/s";
    if !figures.wants(name) {
        return;
    }
    let (ours, stopper) = edge();
    let mut ours = Load::connect(ours, 16, &request());
    let mut bare = Load::connect(bare(), 16, &request());
    figures.pair(name, 0.7, || ours.per_second(ROUND), || bare.per_second(ROUND), 9);
    stopper.stop();
}

/// What a thousand connections cost that have asked once and wait. One round: memory given back is memory measured
/// too small the next time.
fn idle(figures: &Figures) {
    let name = "edge: memory of an idle connection, KiB";
    if figures.wants(name) {
        allow_descriptors(4 * IDLE as u64 + 100);
        let (ours, stopper) = edge();
        figures.pair_at_most(name, 2.0, || kib_each(ours), || kib_each(bare()), 1);
        stopper.stop();
    }
}

/// Lets this process open `count` files, which is both ends of every connection.
pub fn allow_descriptors(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|open| open < count) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(count), ..limit }).expect("a high enough hard limit");
    }
}

fn kib_each(server: SocketAddr) -> f64 {
    let before = resident_kib();
    let mut load = Load::connect(server, IDLE, &request());
    load.once();
    // Longer than an idle connection keeps its buffers.
    std::thread::sleep(Duration::from_secs(6));
    (resident_kib() - before) / IDLE as f64
}

/// Resident memory of this process.
fn resident_kib() -> f64 {
    resident_kib_of("self")
}

/// Resident memory of a process, where `/proc` tells it.
pub fn resident_kib_of(process: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(f64::NAN)
}

fn edge() -> (SocketAddr, Stopper) {
    serve(Arc::new(|_| Response::new(200, PAGE.clone()).with_header("Content-Type", "application/json")))
}

/// An edge on any port whose requests `handler` answers.
pub fn serve(handler: Handler) -> (SocketAddr, Stopper) {
    // A connection is to last as long as the run.
    let limits = Limits { max_requests: usize::MAX, ..Limits::default() };
    let edge = Edge::bind("127.0.0.1:0", limits).expect("a port");
    let (addr, stopper) = (edge.local_addr().expect("an address"), edge.stopper());
    std::thread::spawn(move || edge.serve(handler));
    (addr, stopper)
}

/// A thread per connection that looks for the end of a head and writes bytes made before: no parser, no limits, no
/// deadlines. It ends with the process.
fn bare() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer_all(stream));
        }
    });
    addr
}

fn answer_all(mut stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n";
    let answer = [head.as_bytes(), &PAGE].concat();
    let (mut buffer, mut filled) = ([0; 4096], 0);
    loop {
        filled += stream.read(&mut buffer[filled..]).ok().filter(|n| *n > 0)?;
        if buffer[..filled].ends_with(b"\r\n\r\n") {
            stream.write_all(&answer).ok()?;
            filled = 0;
        }
    }
}

//! What clients may do to the edge without stopping it for others, and how it ends.

use std::io::{BufRead, BufReader, Cursor};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const GET_AND_CLOSE: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// An edge whose handler says that it has begun and then waits to be let go.
fn gated(limits: Limits) -> (Served, Receiver<()>, Sender<()>) {
    let ((begun, has_begun), (go, may_go)) = (channel(), channel());
    let (begun, may_go) = (Mutex::new(begun), Mutex::new(may_go));
    let edge = Served::new(limits, move |_| {
        begun.lock().unwrap().send(()).unwrap();
        let _ = may_go.lock().unwrap().recv();
        Response::text(200, "done")
    });
    (edge, has_begun, go)
}

/// Sends `bytes` one by one, over and over, until the edge has had enough; what it answers.
fn drip(stream: &mut TcpStream, bytes: &[u8]) -> String {
    let mut writer = stream.try_clone().unwrap();
    let bytes = bytes.to_vec();
    let dripping = std::thread::spawn(move || {
        while bytes.iter().all(|b| writer.write_all(&[*b]).is_ok()) {
            std::thread::sleep(millis(5));
        }
    });
    let answer = read_until(stream, "in time.\n");
    stream.shutdown(std::net::Shutdown::Both).unwrap();
    dripping.join().unwrap();
    answer
}

#[test]
fn a_drip_fed_head_ends_at_the_total_deadline() {
    let edge = Served::echo(Limits { head_deadline: millis(100), ..Limits::default() });
    let mut stream = edge.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX: ").unwrap();
    let answer = drip(&mut stream, b"x");
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\r\nConnection: close\r\n"), "{answer}");
}

#[test]
fn a_drip_fed_body_ends_at_the_total_deadline() {
    let edge = Served::echo(Limits { body_deadline: millis(100), ..Limits::default() });
    let mut stream = edge.connect();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n").unwrap();
    let answer = drip(&mut stream, b"x");
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\r\nConnection: close\r\n"), "{answer}");
}

#[test]
fn a_connection_that_says_nothing_ends_without_an_answer() {
    for keep_alive in [millis(10), millis(60)] {
        let edge = Served::echo(Limits { keep_alive, ..Limits::default() });
        assert_eq!(edge.ask(""), "");
    }
}

#[test]
fn a_connection_that_was_quiet_for_long_is_still_answered() {
    let edge = Served::echo(Limits::default());
    let mut stream = edge.connect();
    for _ in 0..3 {
        std::thread::sleep(millis(40));
        stream.write_all(GET.as_bytes()).unwrap();
        read_until(&mut stream, "[GET /  ]");
    }
}

#[test]
fn a_thousand_idle_connections_do_not_stop_the_next_client() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|open| open < 4096) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(4096), ..limit }).unwrap();
    }
    let edge = Served::echo(Limits { max_connections: 600, ..Limits::default() });
    let idle: Vec<TcpStream> = (0..1000).map(|_| edge.connect()).collect();
    assert!(edge.ask(GET_AND_CLOSE).ends_with("[GET /  ]"));
    drop(idle);
}

#[test]
fn the_connection_that_has_been_idle_longest_gives_way() {
    let edge = Served::echo(Limits { max_connections: 2, ..Limits::default() });
    let (mut first, mut second) = (edge.connect(), edge.connect());
    for stream in [&mut second, &mut first] {
        stream.write_all(GET.as_bytes()).unwrap();
        read_until(stream, "[GET /  ]");
        std::thread::sleep(millis(100));
    }
    assert!(edge.ask(GET_AND_CLOSE).ends_with("[GET /  ]"));
    assert_eq!(read_to_close(&mut second), "");
    first.write_all(GET_AND_CLOSE.as_bytes()).unwrap();
    assert!(read_to_close(&mut first).ends_with("[GET /  ]"));
}

#[test]
fn when_everyone_is_being_served_the_next_is_told_to_come_back() {
    let (edge, has_begun, go) = gated(Limits { max_connections: 1, ..Limits::default() });
    let mut first = edge.connect();
    first.write_all(GET.as_bytes()).unwrap();
    has_begun.recv().unwrap();
    let answer = read_to_close(&mut edge.connect());
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 1\r\n"), "{answer}");
    go.send(()).unwrap();
    read_until(&mut first, "done");
}

#[test]
fn clients_that_stall_in_the_middle_give_way_too() {
    let edge = Served::echo(Limits { max_connections: 2, ..Limits::default() });
    let (mut head, mut body) = (edge.connect(), edge.connect());
    head.write_all(b"GET / HT").unwrap();
    body.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx").unwrap();
    // A client has a second; until then the next one is told to come back, which it may be too busy sending to hear.
    let mut answer = String::new();
    while !answer.ends_with("[GET /  ]") {
        std::thread::sleep(millis(50));
        let mut next = edge.connect();
        let _ = next.write_all(GET_AND_CLOSE.as_bytes());
        answer.clear();
        let _ = next.read_to_string(&mut answer);
    }
}

#[test]
fn a_client_that_does_not_read_ends_at_the_write_deadline() {
    struct Endless(Sender<()>);
    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            Ok(into.len())
        }
    }
    impl Drop for Endless {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (sender, ended) = channel();
    let sender = Mutex::new(sender);
    let limits = Limits { write_deadline: millis(50), ..Limits::default() };
    let edge = Served::new(limits, move |_| Response::stream(200, Endless(sender.lock().unwrap().clone())));
    let mut stream = edge.connect();
    stream.write_all(GET.as_bytes()).unwrap();
    ended.recv().unwrap();
}

#[test]
fn a_panic_ends_its_connection_and_nothing_else() {
    let edge = Served::new(Limits::default(), |r| match r.path() {
        "/panic" => panic!("on purpose"),
        "/stream" => Response::stream(200, Cursor::new("x".repeat(20_000)).chain(Panicking)),
        _ => Response::text(200, "fine"),
    });
    let answer = edge.ask("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains("\r\nConnection: close\r\n"), "{answer}");
    assert!(edge.ask("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("xxx\r\n"));
    assert!(edge.ask(GET_AND_CLOSE).ends_with("fine"));
}

struct Panicking;

impl Read for Panicking {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        panic!("on purpose")
    }
}

#[test]
fn shutdown_finishes_the_request_under_way_and_closes_idle_connections() {
    let (mut edge, has_begun, go) = gated(Limits::default());
    let (mut busy, mut idle) = (edge.connect(), edge.connect());
    idle.write_all(GET.as_bytes()).unwrap();
    go.send(()).unwrap();
    read_until(&mut idle, "done");
    busy.write_all(GET.as_bytes()).unwrap();
    has_begun.iter().take(2).for_each(drop);
    edge.stopper.stop();
    assert_eq!(read_to_close(&mut idle), "");
    go.send(()).unwrap();
    let answer = read_to_close(&mut busy);
    assert!(answer.contains("\r\nConnection: close\r\n") && answer.ends_with("done"), "{answer}");
    assert_eq!(edge.join(), 0);
    assert!(TcpStream::connect(edge.addr).is_err());
}

#[test]
fn shutdown_does_not_wait_for_ever() {
    let (mut edge, has_begun, go) = gated(Limits { drain: millis(50), ..Limits::default() });
    let mut busy = edge.connect();
    busy.write_all(GET.as_bytes()).unwrap();
    has_begun.recv().unwrap();
    edge.stopper.stop();
    assert_eq!(edge.join(), 1);
    go.send(()).unwrap();
    assert_eq!(read_to_close(&mut busy), "");
}

/// Set in the process that plays the server with few descriptors.
const FEW_DESCRIPTORS: &str = "IDP_TEST_FEW_DESCRIPTORS";

#[test]
fn running_out_of_descriptors_ends_in_recovery() {
    if std::env::var_os(FEW_DESCRIPTORS).is_some() {
        return serve_with_few_descriptors();
    }
    let (_, module) = module_path!().split_once("::").unwrap();
    let name = format!("{module}::running_out_of_descriptors_ends_in_recovery");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture", "--test-threads=1"])
        .env(FEW_DESCRIPTORS, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let addr = lines.find_map(|l| l.split_once("listening on ").map(|(_, a)| a.parse::<SocketAddr>().unwrap()));
    let idle: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(addr.unwrap()).unwrap()).collect();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(addr.unwrap()).unwrap();
        stream.write_all(GET_AND_CLOSE.as_bytes()).unwrap();
        assert!(read_to_close(&mut stream).ends_with("[GET /  ]"));
    }
    drop((idle, child.stdin.take()));
    assert!(child.wait().unwrap().success());
    lines.for_each(drop);
}

fn serve_with_few_descriptors() {
    let edge = Served::echo(Limits::default());
    // After the edge has made its bound: as if the rest of the process had opened too many files.
    setrlimit(Resource::Nofile, Rlimit { current: Some(40), ..getrlimit(Resource::Nofile) }).unwrap();
    println!("listening on {}", edge.addr);
    let _ = std::io::stdin().read(&mut [0]);
}

//! Bodies that are longer than usual: where they are allowed, from whom, and how many at a time.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use super::*;
use crate::http::edge::Allowance;

const LARGE: usize = 300_000;

/// `/photo` takes long bodies, `/door` would from others; nothing else does.
fn by_path(head: &Request) -> Allowance {
    assert!(head.body().is_empty(), "it is asked before anything is read");
    match head.path() {
        "/photo" => Allowance::Large,
        "/door" => Allowance::SignIn,
        _ => Allowance::Usual,
    }
}

fn serve(limits: Limits, handler: impl Fn(Request) -> Response + Send + Sync + 'static) -> Served {
    let edge = Edge::bind("127.0.0.1:0", limits).unwrap().with_large_bodies(by_path);
    let (addr, stopper) = (edge.local_addr().unwrap(), edge.stopper());
    let thread = std::thread::spawn(move || edge.serve(Arc::new(handler)));
    Served { addr, stopper, thread: Some(thread) }
}

fn limits() -> Limits {
    Limits { max_large_body: LARGE, ..Limits::default() }
}

/// An edge that says how long a body was.
fn measuring() -> Served {
    serve(limits(), |request| Response::text(200, format!("[{} bytes]", request.body().len())))
}

fn head(path: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
}

fn post(path: &str, length: usize) -> String {
    head(path, length) + &"x".repeat(length)
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or_default()
}

#[test]
fn a_long_body_is_read_where_it_is_allowed_and_refused_everywhere_else() {
    let edge = measuring();
    assert!(edge.ask(post("/photo", LARGE)).ends_with("[300000 bytes]"));
    assert!(edge.ask(post("/photo", 7)).ends_with("[7 bytes]"));
    for (path, length, wanted) in [
        ("/other", 64 * 1024, "200"),
        ("/other", 64 * 1024 + 1, "413"),
        ("/photo/", LARGE, "413"),
        ("/door", 64 * 1024, "200"),
        ("/door", 64 * 1024 + 1, "401"),
        ("/photo", LARGE + 1, "413"),
    ] {
        assert_eq!(status(&edge.ask(post(path, length))), wanted, "{path}, {length} bytes");
    }
    // It is refused from its head: nothing of the body has to come.
    for (path, wanted) in [("/other", "413"), ("/door", "401")] {
        assert_eq!(status(&edge.ask(head(path, LARGE))), wanted, "{path}");
    }
}

#[test]
fn who_sends_a_file_that_is_far_too_large_still_sees_the_answer() {
    let edge = measuring();
    let answer = edge.ask(post("/photo", 12_000_000));
    assert!(status(&answer) == "413" && answer.ends_with("The file is too large. Nothing has been changed.\n"));
    assert_eq!(status(&edge.ask(post("/photo", LARGE))), "200", "and keeps no place");
}

#[test]
fn two_long_bodies_are_read_at_a_time_and_others_are_told_to_come_back() {
    let edge = measuring();
    let mut begun: Vec<TcpStream> = (0..2).map(|_| edge.connect()).collect();
    for stream in &mut begun {
        stream.write_all(format!("{}x", head("/photo", LARGE)).as_bytes()).unwrap();
    }
    // They have their places once both heads were read, which nothing tells from outside.
    let answer = std::iter::repeat_with(|| edge.ask(post("/photo", 100_000))).find(|a| status(a) == "503").unwrap();
    assert!(answer.contains("\r\nRetry-After: 1\r\n") && answer.contains("Other files are being received"), "{answer}");
    assert_eq!(status(&edge.ask(post("/photo", 1_000))), "200", "a short one needs no place");
    assert_eq!(status(&edge.ask(post("/other", 1_000))), "200");
    // One goes away, one is finished: each gives its place back.
    drop(begun.pop());
    let mut last = begun.pop().unwrap();
    last.write_all("x".repeat(LARGE - 1).as_bytes()).unwrap();
    assert!(read_to_close(&mut last).ends_with("[300000 bytes]"));
    assert!(std::iter::repeat_with(|| edge.ask(post("/photo", LARGE))).any(|answer| status(&answer) == "200"));
}

#[test]
fn a_long_body_keeps_its_place_until_its_request_was_answered_also_by_a_panic() {
    let (began, begun): (Sender<()>, Receiver<()>) = channel();
    let (release, released) = channel::<()>();
    let (began, released) = (Mutex::new(began), Mutex::new(released));
    let edge = serve(Limits { large_bodies: 1, ..limits() }, move |request| {
        if request.path() == "/photo" {
            began.lock().unwrap().send(()).unwrap();
            released.lock().unwrap_or_else(PoisonError::into_inner).recv().unwrap();
            panic!("on purpose");
        }
        Response::text(200, "fine")
    });
    std::thread::scope(|scope| {
        let first = scope.spawn(|| edge.ask(post("/photo", LARGE)));
        begun.recv().unwrap();
        assert_eq!(status(&edge.ask(post("/photo", LARGE))), "503", "the handler is still at it");
        release.send(()).unwrap();
        assert_eq!(status(&first.join().unwrap()), "500");
    });
    release.send(()).unwrap();
    assert_eq!(status(&edge.ask(post("/photo", LARGE))), "500", "it came to the handler: the place was free");
}

#[test]
fn a_long_body_has_more_time_and_not_for_ever() {
    let limits = Limits { body_deadline: millis(50), large_body_deadline: millis(300), ..limits() };
    let edge = serve(limits, |_| panic!("half a request was handled"));
    let wait = |path: &str, length| {
        let begun = std::time::Instant::now();
        let answer = edge.ask(head(path, length) + "x");
        assert_eq!(status(&answer), "408", "{answer}");
        begun.elapsed()
    };
    assert!(wait("/photo", LARGE) >= millis(300));
    // The same address keeps to the usual time for a usual body.
    assert!(wait("/photo", 100) >= millis(50));
    assert_eq!(status(&edge.ask(head("/photo", LARGE) + "x")), "408", "the place was given back");
}

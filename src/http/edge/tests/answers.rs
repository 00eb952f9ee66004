//! What an answer looks like on the wire.

use std::io::{self, Cursor};

use super::*;
use crate::http::edge::EdgeError;
use crate::http::response::Body;

/// A source that gives some bytes and then fails.
struct Torn(Cursor<Vec<u8>>);

impl Torn {
    fn after(bytes: usize) -> Self {
        Self(Cursor::new(vec![b'x'; bytes]))
    }
}

impl Read for Torn {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::other("the disk went away")),
            n => Ok(n),
        }
    }
}

/// The data of a chunked body, and whether its end was there.
fn unchunk(mut body: &str) -> (String, bool) {
    let mut data = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (data, true);
        }
        let Some(chunk) = rest.get(..size) else { break };
        data.push_str(chunk);
        body = &rest[size + 2..];
    }
    (data, false)
}

#[test]
fn a_stream_arrives_whole_in_chunks_and_the_connection_stays() {
    let edge = Served::new(Limits::default(), |_| Response::stream(200, Cursor::new("0123456789".repeat(10_000))));
    let get = "GET / HTTP/1.1\r\nHost: a\r\n";
    let answer = edge.ask(format!("{get}\r\n{get}Connection: close\r\n\r\n"));
    assert_eq!(answer.matches("Transfer-Encoding: chunked\r\n").count(), 2);
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(unchunk(body), ("0123456789".repeat(10_000), true));
}

#[test]
fn a_stream_to_http_1_0_ends_with_the_connection() {
    let edge = Served::new(Limits::default(), |_| Response::stream(200, Cursor::new("x".repeat(100_000))));
    let answer = edge.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("Content-Length") && !head.contains("chunked") && head.contains("Connection: close"));
    assert_eq!(body.len(), 100_000);
}

#[test]
fn a_stream_that_fails_midway_is_seen_as_cut() {
    let edge = Served::new(Limits::default(), |_| Response::stream(200, Torn::after(50_000)));
    let answer = edge.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let (data, ended) = unchunk(answer.split_once("\r\n\r\n").unwrap().1);
    assert!(!ended && (1..=50_000).contains(&data.len()), "{}", data.len());
    let mut stream = edge.connect();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let end = stream.read_to_end(&mut Vec::new());
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn a_source_that_gives_line_by_line_is_not_sent_line_by_line() {
    struct Lines(usize);
    impl Read for Lines {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0 = self.0.saturating_sub(1);
            (&b"line\n"[..if self.0 > 0 { 5 } else { 0 }]).read(into)
        }
    }
    let edge = Served::new(Limits::default(), |_| Response::stream(200, Lines(1000)));
    let answer = edge.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("\r\n\r\n1383\r\nline\nline"), "{answer}");
}

#[test]
fn head_gets_the_headers_of_get_and_no_body() {
    let edge = Served::new(Limits::default(), |_| Response::text(200, "twelve bytes").with_header("Date", "today"));
    let (get, head) = ("GET / HTTP/1.1\r\nHost: a\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\n");
    let got = edge.ask(format!("{get}Connection: close\r\n\r\n"));
    let headed = edge.ask(format!("{head}Connection: close\r\n\r\n"));
    assert_eq!(got, format!("{headed}twelve bytes"));
    assert!(headed.contains("\r\nContent-Length: 12\r\n"));
}

#[test]
fn a_large_shared_body_arrives_whole_and_unchunked() {
    let asset: Arc<[u8]> = Arc::from("asset".repeat(50_000).into_bytes());
    let edge = Served::new(Limits::default(), move |_| Response::new(200, Body::Shared(asset.clone())));
    let answer = edge.ask("GET / HTTP/1.1\r\nHost: a\r\nTE: chunked\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("\r\nContent-Length: 250000\r\n") && answer.ends_with(&"asset".repeat(50_000)));
}

#[test]
fn an_answer_without_content_has_neither_length_nor_body() {
    let edge = Served::new(Limits::default(), |_| Response::text(204, "nobody reads this"));
    let answer = edge.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(!answer.contains("Content-Length") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn the_last_answer_on_a_connection_says_so() {
    let edge = Served::echo(Limits { max_requests: 2, ..Limits::default() });
    let answer = edge.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3));
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(answer.matches("Connection: close").count(), 1);
}

fn with_pages(pages: impl Fn(EdgeError, &Request) -> Response + Send + Sync + 'static) -> Served {
    let edge = Edge::bind("127.0.0.1:0", Limits::default()).unwrap().with_error_pages(pages);
    let (addr, stopper) = (edge.local_addr().unwrap(), edge.stopper());
    let thread = std::thread::spawn(move || edge.serve(Arc::new(|_| panic!("on purpose"))));
    Served { addr, stopper, thread: Some(thread) }
}

#[test]
fn the_application_may_write_the_edges_pages() {
    let edge = with_pages(|e, _| Response::html(e.status(), format!("<p>{e}")));
    let answer = edge.ask("GET / HTTP/1.1\r\n\r\n");
    assert!(answer.contains("text/html"));
    assert!(answer.ends_with("<p>This request cannot be understood: it has no Host."));
}

#[test]
fn a_page_that_panics_is_replaced_by_a_sentence() {
    let edge = with_pages(|_, _| panic!("on purpose too"));
    assert!(edge.ask("GET / HTTP/1.1\r\n\r\n").ends_with("it has no Host.\n"));
    let answer = edge.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.ends_with("Please try again.\n"), "{answer}");
}

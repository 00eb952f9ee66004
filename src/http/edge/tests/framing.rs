//! What a request may look like.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Asserts that `request` is refused with `status`, once, and that the connection closes.
fn assert_refused(request: impl AsRef<[u8]>, status: &str) {
    let handled = Arc::new(AtomicUsize::new(0));
    let count = handled.clone();
    let edge = Served::new(Limits::default(), move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Response::text(200, "handled")
    });
    let answer = edge.ask(request);
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.").count(), 1, "{answer}");
    assert_eq!(handled.load(Ordering::SeqCst), 0);
}

#[test]
fn two_content_lengths_are_refused_and_the_connection_closes() {
    assert_refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400");
}

#[test]
fn a_request_that_smuggles_another_is_answered_once() {
    let inner = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    let both = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_refused(format!("POST / HTTP/1.1\r\nHost: a\r\n{both}{inner}"), "400");
    assert_refused(format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"), "501");
    assert_refused(format!("GET / HTTP/1.1\r\nHost: a\r\nX: 1\n\n{inner}"), "400");
}

#[test]
fn a_tremendous_claim_is_refused_before_it_takes_anything() {
    assert_refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000000000\r\n\r\n", "413");
    assert_refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n", "413");
}

#[test]
fn a_client_that_sends_too_much_still_sees_the_answer() {
    let body = "x".repeat(500_000);
    let request = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert_refused(request, "413");
}

#[test]
fn a_head_over_the_limit_is_refused() {
    assert_refused(format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(16 * 1024)), "431");
    assert_refused(format!("GET /{}", "x".repeat(20 * 1024)), "431");
    assert_refused(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(64)), "431");
}

#[test]
fn a_head_and_a_body_within_the_limits_are_taken() {
    let edge = Served::echo(Limits::default());
    let (cookie, body) = ("c".repeat(16 * 1024 - 150), "b".repeat(64 * 1024));
    let head = format!("POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    let answer = edge.ask(format!("{head}Cookie: {cookie}\r\n\r\n{body}"));
    assert!(answer.ends_with(&format!("[POST /x  {body}]")), "{}", answer.len());
}

#[test]
fn a_request_in_single_bytes_is_read_whole() {
    let edge = Served::echo(Limits::default());
    let mut stream = edge.connect();
    stream.set_nodelay(true).unwrap();
    for byte in b"POST /a?b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nxyz" {
        stream.write_all(&[*byte]).unwrap();
    }
    assert!(read_to_close(&mut stream).ends_with("\r\n\r\n[POST /a b xyz]"));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let edge = Served::echo(Limits::default());
    let post = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    let mut requests = post.repeat(200);
    requests.push_str("GET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answer = edge.ask(requests);
    assert_eq!(answer.matches("[POST /1  hi]").count(), 200);
    assert!(answer.find("[GET /2  ]").unwrap() < answer.find("[GET /3  ]").unwrap());
}

#[test]
fn a_client_that_waits_to_continue_is_told_to() {
    let edge = Served::echo(Limits::default());
    let mut stream = edge.connect();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(read_until(&mut stream, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hi").unwrap();
    assert!(read_to_close(&mut stream).ends_with("[POST /  hi]"));
    assert_refused("POST / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 2\r\n\r\n", "417");
}

#[test]
fn a_body_cut_short_is_never_handled() {
    let edge = Served::new(Limits::default(), |_| panic!("half a request was handled"));
    let mut stream = edge.connect();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nhi").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(read_to_close(&mut stream), "");
}

#[test]
fn an_unknown_method_and_an_upgrade_reach_the_handler_as_they_are() {
    let edge = Served::echo(Limits::default());
    let answer =
        edge.ask("BREW http://a/pot HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade, close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("[BREW /pot  ]"), "{answer}");
}

#[test]
fn http_1_0_closes_unless_asked_to_stay() {
    let edge = Served::echo(Limits::default());
    let answer = edge.ask("GET / HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.contains("\r\nConnection: close\r\n"), "{answer}");
    let answer = edge.ask("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
    assert!(answer.contains("\r\nConnection: keep-alive\r\n") && answer.ends_with("[GET /2  ]"), "{answer}");
}

//! Writing a response: `tiny_http` prints the head, this module mends what it gets wrong.
//!
//! `raw_print` drops `Connection`, puts a Content-Length on 204, reads a body of unknown length into memory for
//! HTTP/1.0 and obeys the client's `TE`. So it is given an empty body, the true length and no request headers, and its
//! last lines are rewritten.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use tiny_http::{HTTPVersion, Header, StatusCode};

use super::refusal::EdgeError;
use crate::http::request::Request;
use crate::http::response::{Body, Response};

/// What a client is told about the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connection {
    /// HTTP/1.1, and it stays: nothing is said.
    Stays,
    /// HTTP/1.0, where staying has to be said.
    KeepsAlive,
    /// This was the last answer.
    Closes,
}

/// Seconds after which a client that was turned away may try again.
const RETRY_AFTER: &str = "1";

/// Appends the head of an answer to `out`. `length` is the body's; without one the body is chunked (HTTP/1.1) or ends
/// with the connection (HTTP/1.0).
pub(super) fn print_head(
    out: &mut Vec<u8>,
    status: StatusCode,
    mut headers: Vec<Header>,
    length: Option<usize>,
    version: &HTTPVersion,
    connection: Connection,
) {
    if let Ok(server) = Header::from_bytes(*b"Server", *b"idp") {
        headers.push(server);
    }
    let printer = tiny_http::Response::new(status, headers, io::empty(), length, None);
    let printed = printer.with_chunked_threshold(usize::MAX).raw_print(&mut *out, version.clone(), &[], true, None);
    debug_assert!(printed.is_ok(), "writing into memory and reading nothing cannot fail");
    out.truncate(out.len() - b"\r\n".len());
    let zero = b"Content-Length: 0\r\n";
    if out.ends_with(zero) && (length.is_none() || !has_body(status)) {
        out.truncate(out.len() - zero.len());
    }
    out.extend_from_slice(match connection {
        Connection::Stays => b"\r\n".as_slice(),
        Connection::KeepsAlive => b"Connection: keep-alive\r\n\r\n",
        Connection::Closes => b"Connection: close\r\n\r\n",
    });
}

/// Whether an answer with this status has a body at all (RFC 9110 section 6.4.1).
pub(super) const fn has_body(status: StatusCode) -> bool {
    !matches!(status.0, 100..=199 | 204 | 304)
}

/// The application's page for `error`, or the plain one if making it panics: the accept loop must survive that.
pub(super) fn page(error: EdgeError, request: &Request, pages: &dyn Fn(EdgeError, &Request) -> Response) -> Response {
    catch_unwind(AssertUnwindSafe(|| pages(error, request))).unwrap_or_else(|_| error.page())
}

/// Appends the whole answer to a request that is refused. The connection closes after it.
pub(super) fn print_refusal(out: &mut Vec<u8>, error: EdgeError, mut response: Response) {
    if error.status() == 503 && response.header("Retry-After").is_none() {
        response = response.with_header("Retry-After", RETRY_AFTER);
    }
    let (status, headers, body) = response.into_parts();
    let bytes = body.bytes().unwrap_or_default();
    print_head(out, status, headers, Some(bytes.len()), &HTTPVersion(1, 1), Connection::Closes);
    out.extend_from_slice(bytes);
}

/// Appends `data` to `out` as one chunk (RFC 9112 section 7.1); no data is the last chunk.
pub(super) fn print_chunk(out: &mut Vec<u8>, data: &[u8]) {
    // Writing into memory does not fail.
    let _ = write!(out, "{:x}\r\n", data.len());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// The length to announce for `body`: none for a stream, nothing where there can be no body.
pub(super) fn length(status: StatusCode, body: &Body) -> Option<usize> {
    if has_body(status) { body.bytes().map(<[u8]>::len) } else { Some(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, length: Option<usize>, minor: u8, connection: Connection) -> String {
        let mut out = Vec::new();
        let headers = vec![Header::from_bytes(*b"Date", *b"x").unwrap()];
        print_head(&mut out, StatusCode(status), headers, length, &HTTPVersion(1, minor), connection);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_head_says_what_follows_and_nothing_about_the_software() {
        assert_eq!(
            head(200, Some(70_000), 1, Connection::Stays),
            "HTTP/1.1 200 OK\r\nDate: x\r\nServer: idp\r\nContent-Length: 70000\r\n\r\n"
        );
        assert_eq!(
            head(200, None, 1, Connection::Closes),
            "HTTP/1.1 200 OK\r\nDate: x\r\nServer: idp\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(
            head(200, None, 0, Connection::Closes),
            "HTTP/1.0 200 OK\r\nDate: x\r\nServer: idp\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(
            head(303, Some(0), 0, Connection::KeepsAlive),
            "HTTP/1.0 303 See Other\r\nDate: x\r\nServer: idp\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"
        );
    }

    #[test]
    fn an_answer_that_has_no_body_announces_none() {
        for status in [204, 304] {
            assert!(!head(status, Some(0), 1, Connection::Stays).contains("Content-Length"));
        }
    }

    #[test]
    fn chunks_end_with_an_empty_one() {
        let mut out = Vec::new();
        print_chunk(&mut out, b"sixteen bytes ..");
        print_chunk(&mut out, b"");
        assert_eq!(out, b"10\r\nsixteen bytes ..\r\n0\r\n\r\n");
    }
}

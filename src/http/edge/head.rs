//! Reading a request's head, strictly: RFC 9112 without what it tolerates for the sake of old software.
//!
//! `httparse` finds the pieces and refuses control characters, folded lines and a space before the colon. What it lets
//! through is refused here: a bare LF as a line's end, a second `Host`, more than one `Content-Length`, any
//! `Transfer-Encoding`, and targets that are no path.

use std::borrow::Cow;
use std::net::IpAddr;
use std::str::FromStr;

use tiny_http::{HTTPVersion, Method};

use super::refusal::EdgeError;
use crate::http::request::Request;

/// Headers of one request; one more is answered with 431.
const MAX_HEADERS: usize = 64;

/// Letters of a method's name.
const MAX_METHOD: usize = 32;

/// What a head says.
pub(super) struct Head {
    /// The request, its body still missing.
    pub(super) request: Request,
    /// 1.1 or 1.0.
    pub(super) version: HTTPVersion,
    /// Bytes of body that follow.
    pub(super) content_length: u64,
    /// Whether the client waits for `100 Continue` before it sends them.
    pub(super) expects_continue: bool,
    /// Whether the client is ready to send another request on this connection.
    pub(super) keep_alive: bool,
    /// Bytes that the head took.
    pub(super) length: usize,
}

/// Reads the head at the start of `bytes`; `None` if it is not all there yet.
///
/// # Errors
/// [`EdgeError`] when it can only be refused.
pub(super) fn parse(bytes: &[u8], peer: IpAddr) -> Result<Option<Head>, EdgeError> {
    // One empty line may precede a request (RFC 9112 section 2.2). More would be parsed again with every byte.
    let skipped = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    match &bytes[skipped..] {
        [] | [b'\r'] if skipped == 0 => return Ok(None),
        [b'\r' | b'\n', ..] => return Err(EdgeError::BadRequest("empty lines stand before it")),
        _ => {}
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut raw = httparse::Request::new(&mut headers);
    let length = match raw.parse(&bytes[skipped..]) {
        Ok(httparse::Status::Complete(length)) => skipped + length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(e) => return Err(refusal(e)),
    };
    if has_bare_line_feed(&bytes[..length]) {
        return Err(EdgeError::BadRequest("a line ends without CR LF"));
    }
    read(&raw, length, peer).map(Some)
}

const fn refusal(e: httparse::Error) -> EdgeError {
    match e {
        httparse::Error::TooManyHeaders => EdgeError::HeadTooLarge,
        httparse::Error::Version => EdgeError::Version,
        httparse::Error::HeaderName => EdgeError::BadRequest("a header's name is malformed"),
        httparse::Error::HeaderValue => EdgeError::BadRequest("a header's value is malformed"),
        _ => EdgeError::BadRequest("its first line is malformed"),
    }
}

fn has_bare_line_feed(head: &[u8]) -> bool {
    head.first() == Some(&b'\n') || head.windows(2).any(|w| w[1] == b'\n' && w[0] != b'\r')
}

/// Makes sense of what `httparse` found.
fn read(raw: &httparse::Request<'_, '_>, length: usize, peer: IpAddr) -> Result<Head, EdgeError> {
    let (Some(method), Some(target), Some(minor)) = (raw.method, raw.path, raw.version) else {
        return Err(EdgeError::BadRequest("its first line is incomplete"));
    };
    if method.len() > MAX_METHOD {
        return Err(EdgeError::Method);
    }
    let method = Method::from_str(method).map_err(|()| EdgeError::Method)?;
    let framing = Framing::read(raw.headers, minor)?;
    let target = origin_form(target, framing.host)?;
    let mut request = Request::new(method, &target).from_peer(peer);
    for header in raw.headers.iter() {
        request = request.with_header(header.name, &String::from_utf8_lossy(header.value));
    }
    Ok(Head {
        request,
        version: HTTPVersion(1, minor),
        content_length: framing.content_length.unwrap_or(0),
        expects_continue: framing.expects_continue,
        keep_alive: !framing.close && (minor == 1 || framing.keep_alive),
        length,
    })
}

/// What the headers say about the message itself.
#[derive(Default)]
struct Framing<'a> {
    host: Option<&'a [u8]>,
    content_length: Option<u64>,
    transfer_coding: bool,
    expects_continue: bool,
    close: bool,
    keep_alive: bool,
}

impl<'a> Framing<'a> {
    fn read(headers: &[httparse::Header<'a>], minor: u8) -> Result<Self, EdgeError> {
        let mut framing = Self::default();
        for header in headers {
            framing.take(header, minor)?;
        }
        if framing.transfer_coding {
            return Err(match framing.content_length {
                Some(_) => EdgeError::BadRequest("it has both a Content-Length and a Transfer-Encoding"),
                None if minor == 0 => EdgeError::BadRequest("HTTP/1.0 knows no Transfer-Encoding"),
                None => EdgeError::TransferCoding,
            });
        }
        if minor == 1 && framing.host.is_none() {
            return Err(EdgeError::BadRequest("it has no Host"));
        }
        Ok(framing)
    }

    fn take(&mut self, header: &httparse::Header<'a>, minor: u8) -> Result<(), EdgeError> {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("Host") {
            if self.host.replace(header.value).is_some() {
                return Err(EdgeError::BadRequest("it has more than one Host"));
            }
            if !is_host(header.value) {
                return Err(EdgeError::BadRequest("its Host is malformed"));
            }
        } else if is("Content-Length") {
            let length =
                content_length(header.value).ok_or(EdgeError::BadRequest("its Content-Length is malformed"))?;
            if self.content_length.replace(length).is_some() {
                return Err(EdgeError::BadRequest("it has more than one Content-Length"));
            }
        } else if is("Transfer-Encoding") {
            self.transfer_coding = true;
        } else if is("Expect") && minor == 1 {
            if !header.value.eq_ignore_ascii_case(b"100-continue") {
                return Err(EdgeError::Expectation);
            }
            self.expects_continue = true;
        } else if is("Connection") {
            for option in header.value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
                self.close |= option.eq_ignore_ascii_case(b"close");
                self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        Ok(())
    }
}

/// Digits and nothing else: no sign, no list, no overflow.
fn content_length(value: &[u8]) -> Option<u64> {
    // `u64::from_str` would take a plus sign.
    if !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// A name or address with an optional port. Not a full grammar: links are never built from it, and this keeps out
/// what a proxy could take for something else.
fn is_host(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|b| b.is_ascii_alphanumeric() || b".-_:[]~%".contains(b))
}

/// The path and query of `target`. A proxy's absolute form must name the same host as the `Host` header.
fn origin_form<'a>(target: &'a str, host: Option<&[u8]>) -> Result<Cow<'a, str>, EdgeError> {
    if !target.is_ascii() || target.contains('#') {
        return Err(EdgeError::BadRequest("its target holds what must be percent-encoded"));
    }
    if target.starts_with('/') {
        return Ok(target.into());
    }
    let after = |scheme: &str| {
        target.get(..scheme.len()).filter(|s| s.eq_ignore_ascii_case(scheme)).map(|_| &target[scheme.len()..])
    };
    let Some(rest) = after("http://").or_else(|| after("https://")) else {
        return Err(EdgeError::BadRequest("its target is no path"));
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if !is_host(authority.as_bytes()) || host.is_some_and(|h| !h.eq_ignore_ascii_case(authority.as_bytes())) {
        return Err(EdgeError::BadRequest("its target names another host"));
    }
    Ok(if path.starts_with('/') { path.into() } else { format!("/{path}").into() })
}

/// Whether a head could end in `bytes[from..]`: cheap to ask for each byte that drips in, where parsing is not.
pub(super) fn may_end(bytes: &[u8], from: usize) -> bool {
    let tail = &bytes[from.saturating_sub(2)..];
    tail.windows(2).any(|w| w == b"\n\n") || tail.windows(3).any(|w| w == b"\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn status_of(head: &str) -> u16 {
        match parse(head.as_bytes(), PEER) {
            Ok(Some(_)) => 200,
            Ok(None) => 0,
            Err(e) => e.status(),
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let table = [
            (200, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"),
            (501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
            (501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
            (400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"),
            (400, "GET / HTTP/1.1\nHost: a\n\n"),
            (400, "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        ];
        for (status, head) in table {
            assert_eq!(status_of(head), status, "{head:?}");
        }
    }

    #[test]
    fn a_request_names_one_host_and_a_path() {
        let table = [
            (400, "GET / HTTP/1.1\r\n\r\n"),
            (200, "GET / HTTP/1.0\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: \r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
            (200, "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"),
            (200, "GET http://a:80/x HTTP/1.1\r\nHost: A:80\r\n\r\n"),
            (400, "GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET ftp://a/x HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET /ü HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
            (505, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
            (505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
            (400, "GET /\r\n\r\n"),
            (501, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJ / HTTP/1.1\r\nHost: a\r\n\r\n"),
            (417, "GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n"),
            (200, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "\u{16}\u{3}\u{1}"),
        ];
        for (status, head) in table {
            assert_eq!(status_of(head), status, "{head:?}");
        }
    }

    #[test]
    fn an_absolute_target_becomes_its_path() {
        for (target, path) in [("http://a", "/"), ("HTTPS://a/b?c", "/b?c"), ("http://a?c", "/?c"), ("//b/c", "//b/c")]
        {
            assert_eq!(origin_form(target, Some(b"a")).as_deref(), Ok(path));
        }
    }

    #[test]
    fn every_cut_of_a_head_waits_for_the_rest() {
        let head = "\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\nContent-Length: 3\r\n\r\n";
        for cut in 0..head.len() {
            assert_eq!(status_of(&head[..cut]), 0, "cut at {cut}");
        }
        let parsed = parse(format!("{head}abc").as_bytes(), PEER).ok().flatten().unwrap();
        assert_eq!((parsed.length, parsed.content_length, parsed.keep_alive), (head.len(), 3, false));
        assert!(may_end(head.as_bytes(), head.len() - 1) && !may_end(head.as_bytes(), head.len() + 2));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = parse(&bytes, PEER);
            let _ = parse(&[b"GET / HTTP/1.1\r\nHost: a\r\n", &bytes[..]].concat(), PEER);
        }
    }
}

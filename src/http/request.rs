//! A request as a value: complete, bounded and already checked by whoever made it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use tiny_http::Method;

/// One HTTP request with its whole body. The [edge](crate::http::edge) makes them from bytes, embedders and tests with
/// [`Request::get`] and [`Request::post`].
#[derive(Clone)]
pub struct Request {
    method: Method,
    target: String,
    path_end: usize,
    headers: Headers,
    body: Vec<u8>,
    peer: IpAddr,
}

impl Request {
    /// A request for `target`, a path with an optional query as it stands in the address: percent-encoded, without a
    /// fragment. A target without its leading `/` gets one. It has no headers and no body, and comes from 127.0.0.1.
    pub fn new(method: Method, target: &str) -> Self {
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let path_end = target.find('?').unwrap_or(target.len());
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self { method, target, path_end, headers: Headers::default(), body: Vec::new(), peer }
    }

    /// A GET for `target`.
    pub fn get(target: &str) -> Self {
        Self::new(Method::Get, target)
    }

    /// A POST of `body` to `target`.
    pub fn post(target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(Method::Post, target).with_body(body)
    }

    /// The same request with one more header; what was there under that name stays.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same request with `body` in place of its body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same request, sent from `peer`.
    #[must_use]
    pub fn from_peer(mut self, peer: IpAddr) -> Self {
        self.peer = peer;
        self
    }

    /// The method. HEAD is to be answered like GET, body included: the edge leaves the body out.
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The path as it was sent, percent-encoded. It starts with `/`, perhaps with more than one.
    pub fn path(&self) -> &str {
        &self.target[..self.path_end]
    }

    /// What follows the first `?`, as it was sent; empty if there is none.
    pub fn query(&self) -> &str {
        self.target.get(self.path_end + 1..).unwrap_or("")
    }

    /// The first header called `name`, in any case. Bytes that were no UTF-8 read as U+FFFD.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_values(name).next()
    }

    /// Every value sent under `name`, in order.
    pub fn header_values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether more than one header is called `name`: for headers of which only one makes sense, a reason to refuse.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.header_values(name).nth(1).is_some()
    }

    /// All headers as (name, value), in the order in which they were sent.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter()
    }

    /// The whole body; empty if there was none.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The whole body, without a copy.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// The other end of the connection: a client, or the proxy in front of us.
    pub const fn peer(&self) -> IpAddr {
        self.peer
    }
}

impl fmt::Debug for Request {
    /// Nothing of what was sent: paths carry link tokens, headers carry cookies, bodies carry passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (headers, body) = (self.headers.spans.len(), self.body.len());
        write!(f, "{} request ({headers} headers, {body} bytes) from {}", self.method, self.peer)
    }
}

/// Headers in one text with marks into it: two allocations for any number of them.
#[derive(Clone, Default)]
struct Headers {
    text: String,
    spans: Vec<Span>,
}

/// Where one header stands in the text: its name, then its value.
#[derive(Clone, Copy)]
struct Span {
    name: usize,
    value: usize,
    end: usize,
}

impl Headers {
    fn push(&mut self, name: &str, value: &str) {
        if self.spans.is_empty() {
            // As much as most browsers send.
            self.text.reserve(768);
            self.spans.reserve(16);
        }
        let start = self.text.len();
        self.text.push_str(name);
        self.text.push_str(value);
        self.spans.push(Span { name: start, value: start + name.len(), end: self.text.len() });
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spans.iter().map(|s| (&self.text[s.name..s.value], &self.text[s.value..s.end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_apart_without_decoding_anything() {
        let request = Request::get("/a%20b//c?x=%3F?&y=");
        assert_eq!((request.path(), request.query()), ("/a%20b//c", "x=%3F?&y="));
        assert_eq!((Request::get("x").path(), Request::get("/x?").query()), ("/x", ""));
        assert_eq!(Request::post("/p", "body").into_body(), b"body");
    }

    #[test]
    fn headers_are_found_in_any_case_and_repeats_are_seen() {
        let request = Request::get("/").with_header("Cookie", "a=1").with_header("cookie", "b=2").with_header("X", "");
        assert_eq!(request.header("COOKIE"), Some("a=1"));
        assert_eq!(request.header_values("Cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert!(request.is_repeated("Cookie") && !request.is_repeated("x"));
        assert_eq!((request.header("x"), request.header("y")), (Some(""), None));
    }

    #[test]
    fn a_request_prints_nothing_that_was_sent() {
        let request = Request::post("/invite/tooookn?next=quex", "hunter2").with_header("Cookie", "sekrit");
        assert_eq!(format!("{request:?}"), "POST request (1 headers, 7 bytes) from 127.0.0.1");
    }
}

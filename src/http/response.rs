//! A response as a value, in `tiny_http`'s vocabulary.
//!
//! Invariant: no header in here can end its line early. Whatever carries a control character is not taken.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tiny_http::{Header, StatusCode};

/// What follows the head.
pub enum Body {
    /// Made for this answer.
    Bytes(Vec<u8>),
    /// Part of the executable.
    Static(&'static [u8]),
    /// Shared by many answers; never copied as a whole when it is large.
    Shared(Arc<[u8]>),
    /// Read while it is sent; its length is not known before. A read error cuts the answer so that the client notices.
    Stream(Box<dyn Read + Send>),
}

impl Body {
    /// The bytes, if they are all here.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(b) => Some(b),
            Self::Static(b) => Some(b),
            Self::Shared(b) => Some(b),
            Self::Stream(_) => None,
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes())
    }
}

impl From<Arc<[u8]>> for Body {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self::Shared(bytes)
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Self::Static(bytes)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Static(text.as_bytes())
    }
}

impl From<Cow<'static, [u8]>> for Body {
    fn from(bytes: Cow<'static, [u8]>) -> Self {
        match bytes {
            Cow::Borrowed(b) => Self::Static(b),
            Cow::Owned(b) => Self::Bytes(b),
        }
    }
}

/// A header that may not stand in a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadHeader {
    /// The name is no token (RFC 9110 section 5.1).
    Name(String),
    /// The value of this header holds a control character or something outside ASCII.
    Value(String),
    /// This header says how the message is framed, which is for the edge to say.
    Framing(String),
}

impl fmt::Display for BadHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?} is no name for a header"),
            Self::Value(name) => write!(f, "the value of header {name} is not plain visible ASCII"),
            Self::Framing(name) => write!(f, "header {name} is the edge's own"),
        }
    }
}

impl std::error::Error for BadHeader {}

/// Names that only the edge may write.
const FRAMING: [&str; 6] = ["Connection", "Content-Length", "Keep-Alive", "Trailer", "Transfer-Encoding", "Upgrade"];

/// What has no place in a `Location`: controls, space, and what could end the value where it is quoted.
const LOCATION: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\');

/// As many headers as most answers have.
const HEADERS: usize = 12;

/// One HTTP response. Lengths, `Date` and `Connection` are added by the edge.
pub struct Response {
    status: StatusCode,
    headers: Vec<Header>,
    body: Body,
}

impl Response {
    /// An answer with `status` (200–599; anything else could not be sent and becomes 500) and `body`, without any header.
    pub fn new(status: u16, body: impl Into<Body>) -> Self {
        debug_assert!((200..600).contains(&status), "{status} is no final status");
        let status = if (200..600).contains(&status) { status } else { 500 };
        Self { status: StatusCode(status), headers: Vec::with_capacity(HEADERS), body: body.into() }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self::new(status, Body::Static(&[]))
    }

    /// A page.
    pub fn html(status: u16, page: impl Into<Body>) -> Self {
        Self::new(status, page).with_header("Content-Type", "text/html; charset=utf-8")
    }

    /// Plain text.
    pub fn text(status: u16, text: impl Into<Body>) -> Self {
        Self::new(status, text).with_header("Content-Type", "text/plain; charset=utf-8")
    }

    /// Sends the client to `location` with `status` (303 after a POST). What cannot stand in an address is encoded.
    pub fn redirect(status: u16, location: &str) -> Self {
        let location: Cow<'_, str> = utf8_percent_encode(location, LOCATION).into();
        Self::empty(status).with_header("Location", &location)
    }

    /// An answer whose body is read from `source` while it is sent.
    pub fn stream(status: u16, source: impl Read + Send + 'static) -> Self {
        Self::new(status, Body::Stream(Box::new(source)))
    }

    /// The same answer with header `name` set to `value`, in place of an earlier one; only `Set-Cookie` adds to what
    /// is there. A header that may not be sent is logged as an error and left out; see [`Response::try_header`].
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Err(e) = self.try_header(name, value) {
            debug_assert!(false, "{e}");
            tracing::error!(error = %e, "a response header was left out");
        }
        self
    }

    /// Sets header `name` as [`Response::with_header`] does.
    ///
    /// # Errors
    /// [`BadHeader`] when the name is no token, the value is not visible ASCII, space and tab, or the header belongs to
    /// the edge. The answer is unchanged then.
    pub fn try_header(&mut self, name: &str, value: &str) -> Result<(), BadHeader> {
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(BadHeader::Name(name.to_owned()));
        }
        if FRAMING.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            return Err(BadHeader::Framing(name.to_owned()));
        }
        if !value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)) {
            return Err(BadHeader::Value(name.to_owned()));
        }
        let header = Header::from_bytes(name, value).map_err(|()| BadHeader::Value(name.to_owned()))?;
        if !name.eq_ignore_ascii_case("Set-Cookie") {
            self.headers.retain(|h| h.field != header.field);
        }
        self.headers.push(header);
        Ok(())
    }

    /// The status code.
    pub const fn status(&self) -> u16 {
        self.status.0
    }

    /// The first header called `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_values(name).next()
    }

    /// Every value under `name`, in order: more than one for `Set-Cookie` only.
    pub fn header_values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = move |h: &&Header| h.field.as_str().as_str().eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|h| h.value.as_str())
    }

    /// The body.
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// The whole body, a stream read to its end.
    ///
    /// # Errors
    /// The stream's own.
    pub fn into_body_bytes(self) -> io::Result<Vec<u8>> {
        match self.body {
            Body::Bytes(b) => Ok(b),
            Body::Static(b) => Ok(b.to_vec()),
            Body::Shared(b) => Ok(b.to_vec()),
            Body::Stream(mut source) => {
                let mut bytes = Vec::new();
                source.read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    pub(super) fn into_parts(self) -> (StatusCode, Vec<Header>, Body) {
        (self.status, self.headers, self.body)
    }
}

impl fmt::Debug for Response {
    /// Without headers and body: they carry new cookies and codes that are shown once.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} response ({} headers)", self.status.0, self.headers.len())
    }
}

const fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(b, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_could_forge_a_line_is_refused() {
        let mut response = Response::empty(200);
        for bad in ["a\r\nSet-Cookie: x=1", "a\nb", "a\0", "\u{7f}", "ü"] {
            assert_eq!(response.try_header("X", bad), Err(BadHeader::Value("X".into())));
        }
        for bad in ["", "A B", "A:", "A\r\nB", "Ä"] {
            assert_eq!(response.try_header(bad, "x"), Err(BadHeader::Name(bad.into())));
        }
        assert_eq!(response.try_header("content-length", "7"), Err(BadHeader::Framing("content-length".into())));
        assert_eq!(format!("{response:?}"), "200 response (0 headers)");
    }

    #[test]
    fn a_header_set_twice_stands_once_and_cookies_add_up() {
        let response = Response::html(200, "<p>")
            .with_header("content-type", "text/css")
            .with_header("Set-Cookie", "a=1")
            .with_header("Set-Cookie", "b=2");
        assert_eq!(response.header_values("Content-Type").collect::<Vec<_>>(), ["text/css"]);
        assert_eq!(response.header_values("set-cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
    }

    #[test]
    fn a_redirect_cannot_carry_a_second_line() {
        let response = Response::redirect(303, "/sign-in?next=/ü\r\nSet-Cookie: x");
        assert_eq!(response.header("Location"), Some("/sign-in?next=/%C3%BC%0D%0ASet-Cookie:%20x"));
    }

    #[test]
    fn a_body_is_read_back_whole_whatever_it_is_made_of() {
        let shared: Arc<[u8]> = Arc::from(&b"abc"[..]);
        assert_eq!(Response::new(200, shared).into_body_bytes().unwrap(), b"abc");
        assert_eq!(Response::stream(200, &b"abc"[..]).into_body_bytes().unwrap(), b"abc");
        assert_eq!(Response::text(200, "abc").into_body_bytes().unwrap(), b"abc");
        assert_eq!(Response::new(200, Cow::Borrowed(&b"abc"[..])).body().bytes(), Some(&b"abc"[..]));
    }
}

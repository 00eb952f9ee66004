//! The life of one connection: request after request, in order, until someone has a reason to close.

use std::io::{self, Read};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use tiny_http::{HTTPVersion, Method};

use super::answer::{self, Connection};
use super::head::{self, Head};
use super::large::{Allowance, Held};
use super::refusal::EdgeError;
use super::registry::Slot;
use super::wire::{End, LINGER, LINGER_LONG, Wire};
use super::{Shared, unread};
use crate::http::request::Request;
use crate::http::response::{Body, Response};

/// Bodies up to this many bytes leave in one write with their head; longer ones are not copied for it.
const ONE_WRITE: usize = 64 * 1024;

/// Bytes of a stream that are sent as one chunk.
const CHUNK: usize = 16 * 1024;

/// What becomes of the connection after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// It waits for the next request.
    Keep,
    /// The client expects it to close.
    Close,
    /// We close; the client may still be sending.
    Linger,
    /// The same, and it was allowed to send much.
    LingerLong,
}

/// Why a request did not come to be.
enum Failed {
    Refused(EdgeError),
    Gone,
}

impl From<EdgeError> for Failed {
    fn from(e: EdgeError) -> Self {
        Self::Refused(e)
    }
}

impl From<End> for Failed {
    fn from(end: End) -> Self {
        match end {
            End::Late => Self::Refused(EdgeError::TooLate),
            End::Gone => Self::Gone,
        }
    }
}

/// Serves the connection until it ends.
#[expect(clippy::needless_pass_by_value, reason = "the socket closes with the last of its owners, here")]
pub(super) fn run(shared: &Shared, slot: Arc<Slot>, peer: IpAddr) {
    let Ok(wire) = Wire::open(&slot, &shared.registry, &shared.limits) else { return };
    let mut connection = Talk { shared, wire, peer };
    for number in 1..=shared.limits.max_requests {
        if connection.wire.await_request().is_err() {
            return;
        }
        match connection.exchange(number == shared.limits.max_requests) {
            Ok(After::Keep) => {}
            Ok(After::Linger) => return connection.wire.linger(LINGER),
            Ok(After::LingerLong) => return connection.wire.linger(LINGER_LONG),
            Ok(After::Close) | Err(_) => return,
        }
    }
}

struct Talk<'a> {
    shared: &'a Shared,
    wire: Wire<'a>,
    peer: IpAddr,
}

impl<'a> Talk<'a> {
    /// One request and its answer. An error means that the answer could not be sent.
    fn exchange(&mut self, is_last: bool) -> io::Result<After> {
        let head = match self.read_head() {
            Ok(head) => head,
            Err(failed) => return self.refuse(&failed, &unread(self.peer)),
        };
        self.wire.consume(head.length);
        let (body, held) = match self.read_body(&head) {
            Ok(read) => read,
            Err(failed) => return self.refuse(&failed, &head.request),
        };
        let request = head.request.with_body(body);
        let with_body = *request.method() != Method::Head;
        // A handler that panics has unwound everything it held; what it shares with others guards itself.
        let handled = catch_unwind(AssertUnwindSafe(|| (self.shared.handler)(request)));
        // The body went with the request.
        drop(held);
        let we_close = is_last || handled.is_err() || self.shared.registry.is_stopping();
        let response = handled.unwrap_or_else(|_| self.page(EdgeError::Failed, &unread(self.peer)));
        let after = match head.keep_alive {
            _ if we_close => After::Linger,
            true => After::Keep,
            // It has sent more than it wanted answered; closing over unread bytes would be a reset.
            false if !self.wire.pending().is_empty() => After::Linger,
            false => After::Close,
        };
        self.answer(response, &head.version, with_body, after)
    }

    fn page(&self, error: EdgeError, request: &Request) -> Response {
        answer::page(error, request, &*self.shared.error_pages)
    }

    /// Says why `request`, of which at most the head was read, is not answered, if anyone is there to hear it.
    fn refuse(&mut self, failed: &Failed, request: &Request) -> io::Result<After> {
        let Failed::Refused(error) = *failed else { return Ok(After::Close) };
        tracing::debug!(peer = %self.peer, status = error.status(), "refused a request: {error}");
        self.wire.out.clear();
        let page = self.page(error, request);
        answer::print_refusal(&mut self.wire.out, error, page);
        self.wire.send_out()?;
        Ok(if error.keeps_sending() { After::LingerLong } else { After::Linger })
    }

    /// Reads until a head is complete. Usually it is there already, and no clock is looked at.
    fn read_head(&mut self) -> Result<Head, Failed> {
        if let Some(head) = head::parse(self.within_limit(), self.peer)? {
            return Ok(head);
        }
        let deadline = Instant::now() + self.shared.limits.head_deadline;
        loop {
            if self.wire.is_full() {
                return Err(EdgeError::HeadTooLarge.into());
            }
            let seen = self.within_limit().len();
            self.wire.read_more(deadline)?;
            if head::may_end(self.within_limit(), seen)
                && let Some(head) = head::parse(self.within_limit(), self.peer)?
            {
                return Ok(head);
            }
        }
    }

    /// What was read, as far as it can be part of a head: the buffer may hold more.
    fn within_limit(&self) -> &[u8] {
        let pending = self.wire.pending();
        &pending[..pending.len().min(self.shared.limits.max_head)]
    }

    /// Whether a body of this length may be read: with the place that it takes, if it is a long one.
    fn admit(&self, head: &Head, length: usize) -> Result<Option<Held<'a>>, EdgeError> {
        if length <= self.shared.limits.max_body {
            return Ok(None);
        }
        match (self.shared.large_bodies)(&head.request) {
            Allowance::Usual => Err(EdgeError::BodyTooLarge),
            Allowance::SignIn => Err(EdgeError::SignIn),
            Allowance::Large if length > self.shared.limits.max_large_body => Err(EdgeError::FileTooLarge),
            Allowance::Large => self.shared.room.take().ok_or(EdgeError::FilesBusy).map(Some),
        }
    }

    /// Reads what is announced by `head`, which was taken out of the buffer.
    fn read_body(&mut self, head: &Head) -> Result<(Vec<u8>, Option<Held<'a>>), Failed> {
        let length = usize::try_from(head.content_length).unwrap_or(usize::MAX);
        let held = self.admit(head, length)?;
        let limits = &self.shared.limits;
        let patience = if held.is_some() { limits.large_body_deadline } else { limits.body_deadline };
        if length > 0 && head.expects_continue && self.wire.pending().len() < length {
            self.wire.send(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(|_| Failed::Gone)?;
        }
        let mut body = Vec::new();
        let mut deadline = None;
        loop {
            let count = self.wire.pending().len().min(length - body.len());
            body.extend_from_slice(&self.wire.pending()[..count]);
            self.wire.consume(count);
            if body.len() == length {
                return Ok((body, held));
            }
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
            self.wire.read_more(deadline)?;
        }
    }

    fn answer(
        &mut self,
        response: Response,
        version: &HTTPVersion,
        with_body: bool,
        mut after: After,
    ) -> io::Result<After> {
        let (status, headers, body) = response.into_parts();
        let length = answer::length(status, &body);
        if length.is_none() && version.1 == 0 && after == After::Keep {
            // Only the end of the connection can say where this body ends.
            after = After::Close;
        }
        let connection = match after {
            After::Keep if version.1 == 0 => Connection::KeepsAlive,
            After::Keep => Connection::Stays,
            After::Close | After::Linger | After::LingerLong => Connection::Closes,
        };
        answer::print_head(&mut self.wire.out, status, headers, length, version, connection);
        if !with_body || !answer::has_body(status) {
            self.wire.send_out()?;
        } else if let Some(bytes) = body.bytes() {
            self.send_bytes(bytes)?;
        } else if let Body::Stream(source) = body {
            self.send_stream(source, version.1 == 1)?;
        }
        Ok(after)
    }

    fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() <= ONE_WRITE {
            self.wire.out.extend_from_slice(bytes);
            return self.wire.send_out();
        }
        self.wire.send_out()?;
        self.wire.send(bytes)
    }

    /// Sends a body while it is read. Whatever goes wrong leaves the client with an answer that is visibly cut.
    fn send_stream(&mut self, mut source: Box<dyn Read + Send>, chunked: bool) -> io::Result<()> {
        let mut data = vec![0; CHUNK];
        loop {
            let read = catch_unwind(AssertUnwindSafe(|| fill(&mut data, &mut *source)));
            let count = read.unwrap_or_else(|_| Err(io::Error::other("the source of the answer panicked")));
            let count = count.inspect_err(|error| {
                tracing::error!(%error, "an answer was cut short");
                if !chunked {
                    self.wire.reset();
                }
            })?;
            if chunked {
                answer::print_chunk(&mut self.wire.out, &data[..count]);
            } else {
                self.wire.out.extend_from_slice(&data[..count]);
            }
            self.wire.send_out()?;
            if count == 0 {
                return Ok(());
            }
        }
    }
}

/// Reads until `data` is full or the source ends, so that a source that gives line by line is not sent line by line.
fn fill(data: &mut [u8], source: &mut dyn Read) -> io::Result<usize> {
    let mut filled = 0;
    while filled < data.len() {
        match source.read(&mut data[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

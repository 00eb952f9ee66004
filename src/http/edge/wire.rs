//! A connection's socket: a buffer that does not outgrow a head, and a deadline for everything that waits.
//!
//! Socket timeouts cost a system call each, so they are set once for the usual case and changed only when a head does
//! not come in one piece or an answer does not leave in one.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::limits::Limits;
use super::registry::{Doing, Registry, Slot};

/// Bytes of buffer that a connection starts with; most requests fit.
const FIRST_BUFFER: usize = 4 * 1024;

/// An idle connection keeps its buffers for this long, and then waits without any.
#[cfg(not(test))]
const QUIET: Duration = Duration::from_secs(5);
/// Tests do not wait that long to see the second way of waiting work.
#[cfg(test)]
const QUIET: Duration = Duration::from_millis(20);

/// What is read and thrown away, and for how long, after an answer that the client may not expect: closing with unread
/// bytes sends a reset, which can make the client lose the answer.
pub(super) const LINGER: (usize, Duration) = (1024 * 1024, Duration::from_secs(1));

/// The same for a client that was allowed to send a long body, and sent one that is longer still: a photo as a camera
/// makes it.
pub(super) const LINGER_LONG: (usize, Duration) = (64 * 1024 * 1024, Duration::from_secs(60));

/// Bytes written within one write deadline.
const WRITE_STEP: usize = 64 * 1024;

/// Why nothing more can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The deadline passed.
    Late,
    /// The client went away, or the connection was told to give way.
    Gone,
}

pub(super) struct Wire<'a> {
    slot: &'a Slot,
    registry: &'a Registry,
    limits: &'a Limits,
    /// What was read and not consumed yet stands in `buffer[start..end]`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where answers are put together.
    pub(super) out: Vec<u8>,
    /// The timeouts that the socket has now.
    read_timeout: Duration,
    write_timeout: Duration,
}

impl<'a> Wire<'a> {
    /// Prepares a fresh connection.
    pub(super) fn open(slot: &'a Slot, registry: &'a Registry, limits: &'a Limits) -> io::Result<Self> {
        slot.stream().set_nonblocking(false)?;
        // An answer is one write; waiting for the client's acknowledgement would only delay it.
        slot.stream().set_nodelay(true)?;
        let (buffer, out) = (Vec::new(), Vec::new());
        let none = Duration::ZERO;
        Ok(Self { slot, registry, limits, buffer, start: 0, end: 0, out, read_timeout: none, write_timeout: none })
    }

    /// What has been read and not consumed.
    pub(super) fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start >= self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Waits for the first byte of the next request, as long as a connection may idle.
    pub(super) fn await_request(&mut self) -> Result<(), End> {
        if self.pending().is_empty() {
            self.turn_to(Doing::Idle)?;
            // Whoever stops us looks for idle connections after saying so; this one may have been busy then.
            if self.registry.is_stopping() {
                return Err(End::Gone);
            }
            self.read_while_idle()?;
        }
        self.turn_to(Doing::Working)
    }

    fn read_while_idle(&mut self) -> Result<(), End> {
        // A timeout of zero would mean none at all.
        let quiet = QUIET.min(self.limits.keep_alive).max(Duration::from_millis(1));
        self.set_read_timeout(quiet)?;
        if self.read_some() != Err(End::Late) {
            return if self.end > self.start { Ok(()) } else { Err(End::Gone) };
        }
        // A thousand of these shall cost little: the buffers go back.
        (self.buffer, self.out) = (Vec::new(), Vec::new());
        self.await_readable(Instant::now() + self.limits.keep_alive.saturating_sub(quiet))?;
        self.read_some()
    }

    fn await_readable(&self, deadline: Instant) -> Result<(), End> {
        loop {
            let timeout = deadline.saturating_duration_since(Instant::now()).try_into().map_err(|_| End::Gone)?;
            let mut fds = [PollFd::new(self.slot.stream(), PollFlags::IN)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) => return Err(End::Gone),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(_) => return Err(End::Gone),
            }
        }
    }

    /// Reads more of a request that has begun.
    pub(super) fn read_more(&mut self, deadline: Instant) -> Result<(), End> {
        self.turn_to(Doing::Waiting)?;
        let read = self.read_before(deadline);
        self.turn_to(Doing::Working)?;
        read
    }

    fn read_before(&mut self, deadline: Instant) -> Result<(), End> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(End::Late);
        }
        self.set_read_timeout(left)?;
        self.read_some()
    }

    /// One read into the buffer's free end, which must exist or be allowed to grow.
    fn read_some(&mut self) -> Result<(), End> {
        self.make_space();
        loop {
            match self.slot.stream().read(&mut self.buffer[self.end..]) {
                Ok(0) => return Err(End::Gone),
                Ok(n) => {
                    self.end += n;
                    return Ok(());
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if is_timeout(&e) => return Err(End::Late),
                Err(_) => return Err(End::Gone),
            }
        }
    }

    /// Grows by doubling up to the longest head: what is claimed never takes memory, what arrives does.
    fn make_space(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            let length = (self.buffer.len() * 2).clamp(FIRST_BUFFER, self.limits.max_head.max(FIRST_BUFFER));
            self.buffer.resize(length, 0);
        }
    }

    /// Whether as much has been read as a head may be long.
    pub(super) fn is_full(&self) -> bool {
        self.end - self.start >= self.limits.max_head
    }

    /// Writes what stands in `out`, and empties it.
    pub(super) fn send_out(&mut self) -> io::Result<()> {
        let out = std::mem::take(&mut self.out);
        let sent = self.send(&out);
        self.out = out;
        self.out.clear();
        sent
    }

    /// Writes all of `bytes`, each 64 KiB of them within the write deadline.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes.chunks(WRITE_STEP).try_for_each(|step| self.send_step(step))
    }

    fn send_step(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let begun = Instant::now();
        let mut left = self.limits.write_deadline;
        while !bytes.is_empty() {
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if !self.slot.turn_to(Doing::Waiting, begun) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            self.set_write_timeout(left)?;
            match self.slot.stream().write(bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
            if !bytes.is_empty() {
                left = self.limits.write_deadline.saturating_sub(begun.elapsed());
            }
        }
        Ok(())
    }

    /// Says that no more will be written, and reads on for a while so that the client gets to see the answer.
    pub(super) fn linger(&mut self, (bytes, patience): (usize, Duration)) {
        // Whoever needs the place may have it at once.
        if self.turn_to(Doing::Idle).is_err() || self.slot.stream().shutdown(Shutdown::Write).is_err() {
            return;
        }
        let deadline = Instant::now() + patience;
        let mut thrown_away = 0;
        while thrown_away < bytes {
            thrown_away += self.end - self.start;
            (self.start, self.end) = (0, 0);
            if self.read_before(deadline).is_err() {
                return;
            }
        }
    }

    /// Makes the close that follows a reset: where the end of the connection is the end of the body, an orderly close
    /// would pass a cut answer off as a whole one.
    pub(super) fn reset(&self) {
        let _ = rustix::net::sockopt::set_socket_linger(self.slot.stream(), Some(Duration::ZERO));
    }

    /// Says what this connection does from now on, and learns whether it was told to close.
    fn turn_to(&self, doing: Doing) -> Result<(), End> {
        if self.slot.turn_to(doing, Instant::now()) { Ok(()) } else { Err(End::Gone) }
    }

    fn set_read_timeout(&mut self, timeout: Duration) -> Result<(), End> {
        if self.read_timeout != timeout {
            self.slot.stream().set_read_timeout(Some(timeout)).map_err(|_| End::Gone)?;
            self.read_timeout = timeout;
        }
        Ok(())
    }

    fn set_write_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        if self.write_timeout != timeout {
            self.slot.stream().set_write_timeout(Some(timeout))?;
            self.write_timeout = timeout;
        }
        Ok(())
    }
}

fn is_timeout(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

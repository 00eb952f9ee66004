//! What one client, and all of them together, may take.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use crate::policy;

/// Descriptors left for the database, its readers, logs and exports.
const RESERVED_DESCRIPTORS: u64 = 64;

/// The edge's bounds. [`Limits::default`] suits an organisation of any size that this product is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time, at least 1. At the bound, whoever has waited longest without a request gives way.
    pub max_connections: usize,
    /// Bytes of a request's first line and headers together, at least 64; more is answered with 431.
    pub max_head: usize,
    /// Bytes of a request's body; more is answered with 413.
    pub max_body: usize,
    /// Bytes of a body where more is allowed ([`Edge::with_large_bodies`](super::Edge::with_large_bodies)).
    pub max_large_body: usize,
    /// Such bodies at one time: they and what a handler makes of them is what they take of the memory together.
    pub large_bodies: usize,
    /// From the first byte of a request to the end of its head, however it drips in.
    pub head_deadline: Duration,
    /// From the end of the head to the end of the body.
    pub body_deadline: Duration,
    /// The same for a body that is allowed to be longer: a photo, over a line that is slow in this direction.
    pub large_body_deadline: Duration,
    /// How long a connection may stay open between two requests, or before its first.
    pub keep_alive: Duration,
    /// How long the client may take to accept an answer, or each 64 KiB of a long one.
    pub write_deadline: Duration,
    /// Requests on one connection; the last of them is answered with `Connection: close`.
    pub max_requests: usize,
    /// How long a shutdown waits for requests under way.
    pub drain: Duration,
    /// Bytes of stack of a connection's thread. Only what is used takes memory, and running out of it ends the whole
    /// process: drawing a QR code moves tables of 31 kB about, which an unoptimised build does by copying.
    pub stack: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 2048,
            max_head: 16 * 1024,
            max_body: 64 * 1024,
            max_large_body: policy::PORTRAIT_BODY,
            large_bodies: 2,
            head_deadline: Duration::from_secs(10),
            body_deadline: Duration::from_secs(20),
            large_body_deadline: Duration::from_secs(120),
            keep_alive: Duration::from_secs(60),
            write_deadline: Duration::from_secs(30),
            max_requests: 10_000,
            drain: Duration::from_secs(10),
            stack: 1024 * 1024,
        }
    }
}

impl Limits {
    /// The same with no more connections than the process has descriptors for, some being kept back for files.
    pub(super) fn fitted_to_descriptors(mut self) -> Self {
        if let Some(open) = getrlimit(Resource::Nofile).current {
            let spare = open.saturating_sub(RESERVED_DESCRIPTORS).max(open / 2);
            self.max_connections = self.max_connections.min(usize::try_from(spare).unwrap_or(usize::MAX));
        }
        self.max_connections = self.max_connections.max(1);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_files() {
        let fitted = Limits { max_connections: usize::MAX, ..Limits::default() }.fitted_to_descriptors();
        // Asked afterwards: another test may raise it meanwhile.
        if let Some(open) = getrlimit(Resource::Nofile).current {
            assert!((fitted.max_connections as u64) < open);
        }
        assert_eq!(Limits { max_connections: 0, ..Limits::default() }.fitted_to_descriptors().max_connections, 1);
    }
}

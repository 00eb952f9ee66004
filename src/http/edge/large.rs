//! Long bodies: the few addresses that take one, from whom, and how many at a time.
//!
//! What one connection may make us hold is bounded by [`Limits::max_body`](super::Limits::max_body), and that times
//! [`Limits::max_connections`](super::Limits::max_connections) has to fit into the memory. A file that is uploaded does not:
//! so a longer body is read only where whoever is asked says so, from the head alone, and only
//! [`Limits::large_bodies`](super::Limits::large_bodies) of them at a time, from before the first byte is read until the
//! handler has answered and the body is gone. The others are told to come back, before they take any memory.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How long a request's body may be, judged by its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// As long as any: [`Limits::max_body`](super::Limits::max_body).
    Usual,
    /// As long as [`Limits::max_large_body`](super::Limits::max_large_body).
    Large,
    /// It could be long, if this were not a stranger.
    SignIn,
}

/// Places for long bodies.
pub(super) struct Room {
    free: AtomicUsize,
}

/// One of them; dropping it gives it back.
pub(super) struct Held<'a>(&'a Room);

impl Room {
    pub(super) const fn new(places: usize) -> Self {
        Self { free: AtomicUsize::new(places) }
    }

    /// A place, if one is free.
    pub(super) fn take(&self) -> Option<Held<'_>> {
        let taken = self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1));
        taken.is_ok().then_some(Held(self))
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::AcqRel);
    }
}

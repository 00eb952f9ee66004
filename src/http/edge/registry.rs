//! Every open connection, and which of them could be closed without taking anything from anyone.
//!
//! Invariant: a connection whose request the handler works on is never closed to make room; one that only waits for
//! its client may be. Both sides agree through one atomic word per connection: whoever closes first sets *closing*,
//! and the connection's thread looks at it before it begins on a request.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a client may take over a request or an answer before it may have to give way to another.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long the accept loop waits for a connection that gives way to be gone.
const HAND_OVER: Duration = Duration::from_millis(100);

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Doing {
    /// The handler is at work.
    Working = 0,
    /// Nothing: no request has begun.
    Idle = 1,
    /// It waits for the client to send the rest of a request or to take an answer.
    Waiting = 2,
    /// It was told to close.
    Closing = 3,
}

/// One connection: its socket, what it does, and since when.
pub(super) struct Slot {
    stream: TcpStream,
    /// Milliseconds since the registry's start, shifted by two, and a [`Doing`].
    state: AtomicU64,
    born: Instant,
}

impl Slot {
    pub(super) const fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Says what the connection does from `now` on. False if it was told to close: it must end, and has begun nothing.
    #[must_use]
    pub(super) fn turn_to(&self, doing: Doing, now: Instant) -> bool {
        let old = self.state.swap(self.stamp(doing, now), Ordering::SeqCst);
        if old & 3 != Doing::Closing as u64 {
            return true;
        }
        self.state.store(old, Ordering::SeqCst);
        false
    }

    fn stamp(&self, doing: Doing, now: Instant) -> u64 {
        let millis = u64::try_from(now.duration_since(self.born).as_millis()).unwrap_or(u64::MAX >> 2);
        (millis << 2) | doing as u64
    }

    /// How long the connection could have been closed for, if it could be; idle ones count for more than any other.
    fn expendable(&self, now: Instant) -> Option<(bool, Duration, u64)> {
        let state = self.state.load(Ordering::SeqCst);
        let since = now.duration_since(self.born).saturating_sub(Duration::from_millis(state >> 2));
        match state & 3 {
            s if s == Doing::Idle as u64 => Some((true, since, state)),
            s if s == Doing::Waiting as u64 && since >= PATIENCE => Some((false, since, state)),
            _ => None,
        }
    }

    /// Closes the connection if it still does what `state` says.
    fn close_if_still(&self, state: u64) -> bool {
        let closing = (state & !3) | Doing::Closing as u64;
        let ours = self.state.compare_exchange(state, closing, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if ours {
            let _ = self.stream.shutdown(Shutdown::Both);
        }
        ours
    }
}

/// All of them.
pub(super) struct Registry {
    slots: Mutex<Slots>,
    /// Told of every connection that has ended.
    gone: Condvar,
    stopping: AtomicBool,
    born: Instant,
}

#[derive(Default)]
struct Slots {
    open: HashMap<u64, Arc<Slot>>,
    next: u64,
}

impl Default for Registry {
    fn default() -> Self {
        Self { slots: Mutex::default(), gone: Condvar::new(), stopping: AtomicBool::new(false), born: Instant::now() }
    }
}

/// A connection's place in the registry; dropping it gives it up. To be dropped after the connection's own [`Slot`]:
/// who waits for a place waits for its descriptor too.
pub(super) struct Place {
    registry: Arc<Registry>,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let slot = self.registry.lock().open.remove(&self.number);
        drop(slot);
        self.registry.gone.notify_all();
    }
}

impl Registry {
    /// Adds `stream`, idle from now on.
    pub(super) fn enter(registry: &Arc<Self>, stream: TcpStream) -> (Place, Arc<Slot>) {
        let slot = Slot { stream, state: AtomicU64::new(0), born: registry.born };
        slot.state.store(slot.stamp(Doing::Idle, Instant::now()), Ordering::SeqCst);
        let slot = Arc::new(slot);
        let mut slots = registry.lock();
        let number = slots.next;
        slots.next += 1;
        slots.open.insert(number, slot.clone());
        drop(slots);
        (Place { registry: registry.clone(), number }, slot)
    }

    /// Sees to it that fewer than `max` are open: whoever has waited longest gives way. False if nobody can.
    pub(super) fn make_room(&self, max: usize) -> bool {
        // Losing the race for a connection that has just got its request is rare; twice in a row is a busy house.
        self.lock().open.len() < max || self.shed() || self.shed()
    }

    /// Closes the connection that has been idle longest, or else the one whose client has stalled longest, and waits
    /// until it is gone. False if there is none, or it does not go.
    pub(super) fn shed(&self) -> bool {
        let slots = self.lock();
        let (before, now) = (slots.open.len(), Instant::now());
        let longest = slots.open.values().filter_map(|s| Some((s.expendable(now)?, s))).max_by_key(|(e, _)| *e);
        if !longest.is_some_and(|((_, _, state), slot)| slot.close_if_still(state)) {
            return false;
        }
        let waited = self.gone.wait_timeout_while(slots, HAND_OVER, |s| s.open.len() >= before);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// From now on nothing new begins, and what is idle closes.
    pub(super) fn stop(&self) {
        // Before the sweep: a connection that turns idle after it sees this and closes by itself.
        self.stopping.store(true, Ordering::SeqCst);
        for slot in self.lock().open.values() {
            let state = slot.state.load(Ordering::SeqCst);
            if state & 3 == Doing::Idle as u64 {
                slot.close_if_still(state);
            }
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Waits until every connection has ended, at most for `patience`, and cuts the rest. Returns how many those were.
    pub(super) fn drain(&self, patience: Duration) -> usize {
        let waited = self.gone.wait_timeout_while(self.lock(), patience, |s| !s.open.is_empty());
        let (slots, _) = waited.unwrap_or_else(PoisonError::into_inner);
        for slot in slots.open.values() {
            let _ = slot.stream.shutdown(Shutdown::Both);
        }
        slots.open.len()
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        // Nothing under this lock can leave the map half changed.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

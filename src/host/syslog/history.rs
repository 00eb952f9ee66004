//! What was sent over one connection and may not have been read at the other end.
//!
//! Plain syslog has no answer. That the other machine's system acknowledged bytes says that they are in its memory, and not
//! that the program there has read them: when that program dies, they are lost, and the connection breaks. So the last of
//! what went over a broken connection is sent again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So much fits into the memory of a receiver that never read fast.
const LEAST: usize = 128 * 1024;
/// So much fits into that of one that did, as Linux has it: it grows with what is read in a time.
const MOST: usize = 8 * 1024 * 1024;
/// For so long what is more than [`LEAST`] is remembered.
const LONG: Duration = Duration::from_secs(3_600);
/// A receiver that closes in order has read everything: its system says otherwise with a reset. It may not have written
/// down what it read just now.
const JUST_NOW: Duration = Duration::from_secs(60);

struct Batch {
    after: i64,
    bytes: usize,
    at: Instant,
}

/// The last batches, the oldest first.
#[derive(Default)]
pub struct History {
    batches: VecDeque<Batch>,
    bytes: usize,
}

impl History {
    /// Entries after number `after` arrived, with so many bytes.
    pub fn push(&mut self, after: i64, bytes: usize, now: Instant) {
        self.batches.push_back(Batch { after, bytes, at: now });
        self.bytes += bytes;
        while let Some(oldest) = self.batches.front() {
            let rest = self.bytes - oldest.bytes;
            let is_old = now.saturating_duration_since(oldest.at) > LONG;
            if rest < LEAST || !(is_old || rest >= MOST) {
                break;
            }
            self.bytes = rest;
            self.batches.pop_front();
        }
    }

    /// From which entry on what was sent may be lost, now that the connection is over, in order or not.
    pub fn back_to(&self, in_order: bool, now: Instant) -> Option<i64> {
        let doubtful = |batch: &&Batch| !in_order || now.saturating_duration_since(batch.at) <= JUST_NOW;
        self.batches.iter().find(doubtful).map(|batch| batch.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    #[test]
    fn what_may_lie_in_the_receivers_memory_is_sent_again_and_not_more() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut history = History::default();
        assert_eq!(history.back_to(false, start), None);
        // Slowly, one kibibyte a minute: the last 128 count, however old they are.
        for n in 0..500_u64 {
            history.push(n.cast_signed(), KIB, after(60 * n));
        }
        assert_eq!(history.back_to(false, after(60 * 499)), Some(500 - 128));
        assert_eq!(history.back_to(false, after(999_999)), Some(500 - 128));
        assert_eq!(history.back_to(true, after(60 * 499)), Some(498));
        assert_eq!(history.back_to(true, after(60 * 501)), None);
        // Fast: 8 MiB of the last hour.
        let mut history = History::default();
        for n in 0..20_000 {
            history.push(n, KIB, start);
        }
        assert_eq!(history.back_to(false, start), Some(20_000 - 8 * 1024));
        history.push(20_000, KIB, after(3_601));
        assert_eq!(history.back_to(false, after(3_601)), Some(20_000 - 127));
    }
}

//! How long the trail keeps what entries say, and what may be erased of it now.
//!
//! Architecture invariant: nothing is erased under a legal hold, and nothing on the word of a clock that the trail does not
//! bear out: one that leaps ahead by years would make everything old at once. What may be erased at all, and how it is
//! recorded, stands in [`crate::audit::erasure`].

use crate::audit::erasure::Pruned;
use crate::policy::{ERASED_AT_ONCE, ERASES_EVERY, Setting};
use crate::time::Timestamp;

/// What is known of it at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// How many days entries are kept whole; 0 for ever.
    pub days: i64,
    /// Whether a legal hold is in effect.
    pub held: bool,
    /// Who set the hold, and when, where somebody did.
    pub hold: Option<Setting>,
    /// The last entry whose body is erased; 0 if none is.
    pub erased: i64,
    /// When that was last done.
    pub last: Option<Timestamp>,
    /// The newest entry that is older than those days; 0 if none is.
    pub aged: i64,
    /// Whether the trail has entries from all of the last [`crate::policy::TRAIL_WATCHED`], as it has where a server runs: its
    /// clock can not have leapt within that time.
    pub borne_out: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: everything is kept for ever.
    ForEver,
    /// Nothing, as long as the legal hold is in effect.
    Held,
    /// Nothing, until the trail has borne the clock out for long enough.
    Watches,
    /// Nothing: what is old enough is erased.
    Nothing,
    /// To erase these.
    Erase(Pruned),
}

impl Retention {
    /// What is to be done at `now`: a whole piece at once, less than one once a day, so that the entries about it are few.
    pub fn next(&self, now: Timestamp) -> Next {
        let old = self.aged - self.erased;
        match self {
            Self { days: 0, .. } => Next::ForEver,
            Self { held: true, .. } => Next::Held,
            _ if old <= 0 => Next::Nothing,
            Self { borne_out: false, .. } => Next::Watches,
            _ if old < ERASED_AT_ONCE && self.last.is_some_and(|last| now.since(last) < ERASES_EVERY) => Next::Nothing,
            _ => {
                let through = self.aged.min(self.erased + ERASED_AT_ONCE);
                Next::Erase(Pruned { first: self.erased + 1, through, days: self.days })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_erased_is_old_in_pieces_and_never_under_a_hold_or_on_a_leap() {
        let now = Timestamp::from_micros(0);
        let due =
            Retention { days: 400, held: false, hold: None, erased: 10, last: None, aged: 2_000, borne_out: true };
        assert_eq!(due.next(now), Next::Erase(Pruned { first: 11, through: 510, days: 400 }));
        assert_eq!(Retention { days: 0, ..due.clone() }.next(now), Next::ForEver);
        assert_eq!(Retention { held: true, ..due.clone() }.next(now), Next::Held);
        assert_eq!(Retention { borne_out: false, ..due.clone() }.next(now), Next::Watches);
        assert_eq!(Retention { aged: 10, ..due.clone() }.next(now), Next::Nothing);
        let few = Retention { aged: 12, last: Some(now), ..due };
        assert_eq!(few.next(now.plus(Duration::from_secs(3_600))), Next::Nothing, "a few are not worth an entry");
        let last = Pruned { first: 11, through: 12, days: 400 };
        assert_eq!(few.next(now.plus(Duration::from_secs(86_400))), Next::Erase(last));
    }
}

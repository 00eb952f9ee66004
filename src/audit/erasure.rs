//! What may be erased of the trail: what old entries say, up to a point that the trail itself records.
//!
//! Architecture invariant: an entry without a body is sound only where an `audit.pruned` further on in the chain covers it,
//! and only if it is of no kind that [is kept](is_kept). Nothing outside the chain makes it so, a column of the database
//! least of all.
//!
//! Each `audit.pruned` says `first`, `through` and `days`. It goes on where the one before ended, covers only entries that
//! were at least [`LEAST_DAYS`] old at its own time, going by whole days in UTC, and is itself never erased: so whoever holds
//! the host can not have an entry of last week pass for one that retention erased, without setting the clock of the whole trail
//! ahead by a year.

use std::collections::VecDeque;

use serde_json::Value;

use super::Action;
use crate::time::Timestamp;

/// The least age in days of what is erased, whatever the policy says.
pub const LEAST_DAYS: i64 = 400;

/// What entries of these kinds say is never erased: it tells what happened to the trail and to the instance as a whole, holds
/// nobody's story, and some of it is needed to verify what came before. The schema's trigger has the same list.
pub const KEPT: [Action; 9] = [
    Action::AuditCheckpointSigned,
    Action::AuditKeyRotated,
    Action::AuditPruned,
    Action::BackupCreated,
    Action::SystemInitialised,
    Action::SystemRestored,
    Action::SystemUpgraded,
    Action::SystemKeyExported,
    Action::SystemClockStepped,
];

/// Whether what an entry of this name says is never erased.
pub fn is_kept(action: &str) -> bool {
    KEPT.iter().any(|kept| kept.as_str() == action)
}

/// What an `audit.pruned` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// The first entry that it is about.
    pub first: i64,
    /// The last one.
    pub through: i64,
    /// How long entries are kept, as the policy said then.
    pub days: i64,
}

impl Pruned {
    /// Reads an entry's body.
    pub fn read(body: &str) -> Option<Self> {
        let body: Value = serde_json::from_str(body).ok()?;
        let fact = |name: &str| body["detail"][name].as_i64();
        Some(Self { first: fact("first")?, through: fact("through")?, days: fact("days")? })
    }
}

const DAY: i64 = 86_400_000_000;

/// What is erased by an entry of the moment `at` has to be older than this.
pub const fn bound(at: Timestamp) -> Timestamp {
    Timestamp::from_micros((at.as_micros().div_euclid(DAY) - LEAST_DAYS + 1).saturating_mul(DAY))
}

/// The record of what was erased, taken in from one `audit.pruned` to the next.
#[derive(Debug, Clone)]
pub struct Erasures {
    before: i64,
    through: i64,
}

impl Erasures {
    /// Of a chain of which the entries up to `before` are not looked at.
    pub const fn behind(before: i64) -> Self {
        Self { before, through: 0 }
    }

    /// The last entry of which it is recorded that it was erased; 0 if none was.
    pub const fn through(&self) -> i64 {
        self.through
    }

    /// Takes in the entry `seq`. `aged` is the newest entry that was old enough then.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins "entry 17".
    pub fn take(&mut self, seq: i64, body: Option<&str>, aged: i64) -> Result<(), &'static str> {
        let Some(pruned) = body.and_then(Pruned::read) else {
            return Err("records that bodies were erased and does not say which");
        };
        // Of what was erased before the first entry that is looked at, there is no record here.
        let goes_on = pruned.first == self.through + 1 || self.through == 0 && self.before > 0 && pruned.first > 0;
        if !goes_on || pruned.through < pruned.first {
            return Err("records that bodies were erased, and not from where the record before ended");
        }
        if pruned.through >= seq || pruned.through > aged.max(self.before) {
            return Err("records that bodies were erased that were not old enough");
        }
        self.through = pruned.through;
        Ok(())
    }
}

/// With which entry each of the last [`LEAST_DAYS`] days ended: memory that does not grow, whatever is walked.
#[derive(Debug, Clone)]
pub struct Ages {
    days: VecDeque<(i64, i64)>,
    aged: i64,
}

impl Ages {
    /// Of a chain of which the entries up to `before` are not looked at.
    pub const fn behind(before: i64) -> Self {
        Self { days: VecDeque::new(), aged: before }
    }

    /// Takes in the next entry; the newest one that was old enough at its time.
    pub fn take(&mut self, seq: i64, at: Timestamp) -> i64 {
        let day = at.as_micros().div_euclid(DAY);
        match self.days.back_mut() {
            Some(last) if last.0 == day => last.1 = seq,
            _ => self.days.push_back((day, seq)),
        }
        while let Some((_, last)) = self.days.pop_front_if(|(of, _)| *of <= day - LEAST_DAYS) {
            self.aged = last;
        }
        self.aged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: i64, micros: i64) -> Timestamp {
        Timestamp::from_micros(days * DAY + micros)
    }

    #[test]
    fn an_entry_is_old_enough_four_hundred_days_later_and_memory_does_not_grow() {
        let mut ages = Ages::behind(0);
        assert_eq!((ages.take(1, days(0, 5)), ages.take(2, days(0, DAY - 1)), ages.take(3, days(1, 0))), (0, 0, 0));
        assert_eq!(ages.take(4, days(LEAST_DAYS, 0)), 2);
        assert_eq!(ages.take(5, days(LEAST_DAYS + 1, 0)), 3);
        for n in 0..10_000 {
            ages.take(6 + n, days(LEAST_DAYS + 2 + n, 0));
            assert!(ages.days.len() <= 400);
        }
        // The same, as a database is asked.
        assert_eq!(bound(days(LEAST_DAYS, 7)), days(1, 0));
        assert_eq!(bound(days(0, -1)), days(-LEAST_DAYS, 0));
    }

    #[test]
    fn the_tables_guard_and_the_format_name_the_same_kinds_that_are_kept() {
        let names = |text: &str, quote: char| -> std::collections::BTreeSet<String> {
            text.split(quote).skip(1).step_by(2).map(str::to_owned).collect()
        };
        let between = |text: &'static str, from: &str, to: &str| {
            let rest = text.split(from).nth(1).unwrap();
            rest.split(to).next().unwrap()
        };
        let kept: std::collections::BTreeSet<_> = KEPT.iter().map(|action| action.as_str().to_owned()).collect();
        let guard = between(include_str!("../../schema.sql"), "OR old.action IN (", ")");
        assert_eq!(names(guard, '\''), kept);
        let page = between(include_str!("table.md"), "but for those of the kinds ", "which are always kept");
        assert_eq!(names(page, '`'), kept);
    }

    #[test]
    fn a_record_goes_on_where_the_one_before_ended() {
        let body =
            |first: i64, through: i64| format!(r#"{{"detail":{{"days":400,"first":{first},"through":{through}}}}}"#);
        let mut record = Erasures::behind(0);
        assert!(record.take(9, Some(&body(2, 3)), 8).is_err(), "entry 1 is left out");
        assert!(record.take(9, Some(&body(1, 0)), 8).is_err() && record.take(9, None, 8).is_err());
        assert!(record.take(9, Some(&body(1, 3)), 2).is_err(), "entry 3 is too young");
        assert!(record.take(9, Some(&body(1, 9)), 20).is_err(), "no entry is about itself");
        assert_eq!(record.through(), 0);
        record.take(9, Some(&body(1, 3)), 3).unwrap();
        assert!(record.take(10, Some(&body(1, 4)), 8).is_err() && record.take(10, Some(&body(5, 6)), 8).is_err());
        record.take(10, Some(&body(4, 4)), 8).unwrap();
        assert_eq!(record.through(), 4);
        let mut later = Erasures::behind(100);
        later.take(200, Some(&body(51, 90)), 100).unwrap();
        assert!(later.take(201, Some(&body(51, 95)), 100).is_err(), "once it has begun it goes on");
        assert_eq!(later.through(), 90);
    }
}

//! Moments in UTC with microseconds, and the clock that says which one it is now.
//!
//! Architecture invariant: nothing below `app.rs` reads the system's clock. Rules and transactions are handed a
//! [`Timestamp`], so that a test can stand at any moment and an audit entry and its change carry the same one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z.
///
/// Written and read as RFC 3339 with exactly six fractional digits and `Z`, so that text sorts as time does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `micros` microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as RFC 6238 and cookies count them.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The moment `d` later; stays at the far end instead of wrapping.
    pub fn plus(self, d: Duration) -> Self {
        Self(self.0.saturating_add(micros(d)))
    }

    /// The moment `d` earlier; stays at the far end instead of wrapping.
    pub fn minus(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(micros(d)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `2026-11-24T09:12:00Z`: for people, without the fraction.
    pub fn to_seconds_text(self) -> String {
        let text = self.to_string();
        format!("{}Z", &text[..19])
    }

    fn to_jiff(self) -> jiff::Timestamp {
        // jiff covers the years -9999 to 9999; what lies outside can only come from a broken clock or file.
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// Year, month and day in UTC.
    pub fn date(self) -> (i16, i8, i8) {
        let date = jiff::tz::Offset::UTC.to_datetime(self.to_jiff()).date();
        (date.year(), date.month(), date.day())
    }
}

fn micros(d: Duration) -> i64 {
    i64::try_from(d.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.to_jiff())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no moment: what it should have looked like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotATime(pub String);

impl fmt::Display for NotATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}” is no time: write 2026-11-24 or 2026-11-24T09:30:00Z (UTC)", self.0)
    }
}

impl std::error::Error for NotATime {}

impl FromStr for Timestamp {
    type Err = NotATime;

    /// Reads an RFC 3339 moment, or a date, which means its first moment in UTC.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let no = || NotATime(text.chars().filter(|c| !c.is_control()).take(40).collect());
        if let Ok(t) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(t.as_microsecond()));
        }
        let date: jiff::civil::Date = text.parse().map_err(|_| no())?;
        let start = jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_err(|_| no())?;
        Ok(Self(start.as_microsecond()))
    }
}

/// Where the present moment comes from.
#[derive(Clone)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that stands still until it is moved: for tests and for embedders that replay.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A manual clock standing at `t`.
    pub fn at(t: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(t.0)))
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp(jiff::Timestamp::now().as_microsecond()),
            Self::Manual(t) => Timestamp(t.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock by `d`; the system's clock is not ours to move and stays.
    pub fn advance(&self, d: Duration) {
        if let Self::Manual(t) = self {
            t.fetch_add(micros(d), Ordering::SeqCst);
        }
    }

    /// Sets a manual clock, also backwards.
    pub fn set(&self, to: Timestamp) {
        if let Self::Manual(t) = self {
            t.store(to.0, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_six_digits_and_read_back() {
        let t = Timestamp::from_micros(1_795_000_000_000_001);
        assert_eq!(t.to_string(), "2026-11-18T11:06:40.000001Z");
        assert_eq!(t.to_string().parse(), Ok(t));
        assert_eq!("2026-11-18".parse::<Timestamp>().unwrap().to_string(), "2026-11-18T00:00:00.000000Z");
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}

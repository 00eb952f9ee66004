//! How many requests one client address may make: a token bucket each, in a table of bounded size.
//!
//! A bucket is kept as one moment, the time at which it would be full again (the generic cell rate algorithm, ITU-T
//! I.371). What is full again need not be remembered, so the table holds only sources that were busy just now; when it
//! overflows, the one nearest to full goes, and a flood from new addresses can not push out its own heaviest ones.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::time::Timestamp;

/// How much one source may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many at once, at least one.
    pub burst: u32,
    /// Then one in each such span, above zero.
    pub every: Duration,
}

/// Sign-in attempts from one source: 100 at once, for an office that comes to work behind one address, then two a
/// second.
pub const ATTEMPTS: Rate = Rate { burst: 100, every: Duration::from_millis(500) };
/// How many sources are remembered at a time.
pub const SOURCES: usize = 10_000;

/// What counts as one source: an IPv4 address, or the /64 that an IPv6 network gives to one customer at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Source {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for Source {
    fn from(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.to_bits()),
            // The upper half of 128 bits is 64 bits.
            IpAddr::V6(ip) => Self::V6((ip.to_bits() >> 64) as u64),
        }
    }
}

/// The source that `ip` counts as, as text: `192.0.2.1`, or `2001:db8:1:2::/64`. What is written for each source must
/// not be written for each of the 2⁶⁴ addresses that one customer has.
pub fn source_of(ip: IpAddr) -> String {
    match Source::from(ip) {
        Source::V4(bits) => Ipv4Addr::from_bits(bits).to_string(),
        Source::V6(upper) => format!("{}/64", Ipv6Addr::from_bits(u128::from(upper) << 64)),
    }
}

/// The buckets of all sources. Lost at a restart, which costs an attacker more than it gives.
#[derive(Debug)]
pub struct SourceLimiter {
    rate: Rate,
    limit: usize,
    full_at: HashMap<Source, Timestamp>,
    by_time: BTreeSet<(Timestamp, Source)>,
}

impl SourceLimiter {
    /// A limiter that remembers up to `limit` sources, at least one.
    pub fn new(rate: Rate, limit: usize) -> Self {
        let limit = limit.max(1);
        Self { rate, limit, full_at: HashMap::new(), by_time: BTreeSet::new() }
    }

    /// Charges one request to `ip`.
    ///
    /// # Errors
    /// How long to wait when its bucket is empty; the request is then not charged.
    pub fn allow(&mut self, ip: IpAddr, now: Timestamp) -> Result<(), Duration> {
        self.forget_full(now);
        let source = Source::from(ip);
        let emptied = now.plus(self.rate.every.saturating_mul(self.rate.burst.max(1)));
        let mut before = self.full_at.get(&source).copied().unwrap_or(now).max(now);
        if before > emptied {
            // No bucket is emptier than empty: the clock was set back. Start over from empty, or it would stay shut
            // until the clock has caught up.
            before = emptied;
            self.set(source, before);
        }
        let after = before.plus(self.rate.every);
        if after > emptied {
            return Err(after.since(emptied));
        }
        self.set(source, after);
        Ok(())
    }

    fn set(&mut self, source: Source, full_at: Timestamp) {
        if let Some(before) = self.full_at.remove(&source) {
            self.by_time.remove(&(before, source));
        } else if self.full_at.len() >= self.limit {
            self.evict_nearest_to_full();
        }
        self.full_at.insert(source, full_at);
        self.by_time.insert((full_at, source));
    }

    /// How many sources are remembered.
    pub fn len(&self) -> usize {
        self.full_at.len()
    }

    /// Whether no source is remembered.
    pub fn is_empty(&self) -> bool {
        self.full_at.is_empty()
    }

    fn forget_full(&mut self, now: Timestamp) {
        while self.by_time.first().is_some_and(|(full_at, _)| *full_at <= now) {
            self.evict_nearest_to_full();
        }
    }

    fn evict_nearest_to_full(&mut self) {
        if let Some((_, source)) = self.by_time.pop_first() {
            self.full_at.remove(&source);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);
    const RATE: Rate = Rate { burst: 3, every: Duration::from_secs(2) };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_has_its_burst_and_then_one_request_in_each_span() {
        let mut limiter = SourceLimiter::new(RATE, 10);
        let (a, b) = (ip("192.0.2.1"), ip("192.0.2.2"));
        for _ in 0..3 {
            assert_eq!(limiter.allow(a, NOW), Ok(()));
        }
        assert_eq!(limiter.allow(a, NOW), Err(Duration::from_secs(2)));
        assert_eq!(limiter.allow(b, NOW), Ok(()), "another address has a bucket of its own");
        let later = NOW.plus(Duration::from_secs(2));
        assert_eq!(limiter.allow(a, later), Ok(()));
        assert_eq!(limiter.allow(a, later.plus(Duration::from_secs(1))), Err(Duration::from_secs(1)));
    }

    #[test]
    fn an_ipv6_network_is_one_source_and_a_mapped_address_is_its_ipv4_one() {
        let mut limiter = SourceLimiter::new(Rate { burst: 1, ..RATE }, 10);
        assert!(limiter.allow(ip("2001:db8:1:2:aaaa::1"), NOW).is_ok());
        assert!(limiter.allow(ip("2001:db8:1:2:bbbb::9"), NOW).is_err());
        assert!(limiter.allow(ip("2001:db8:1:3::1"), NOW).is_ok());
        assert!(limiter.allow(ip("192.0.2.1"), NOW).is_ok());
        assert!(limiter.allow(ip("::ffff:192.0.2.1"), NOW).is_err());
        assert_eq!(source_of(ip("2001:db8:1:2:aaaa::1")), "2001:db8:1:2::/64");
        assert_eq!(source_of(ip("::ffff:192.0.2.1")), "192.0.2.1");
    }

    #[test]
    fn the_table_is_bounded_and_a_flood_does_not_push_out_its_heaviest_source() {
        let mut limiter = SourceLimiter::new(RATE, 10);
        let heavy = ip("192.0.2.1");
        for _ in 0..3 {
            limiter.allow(heavy, NOW).unwrap();
        }
        for n in 0..1000_u32 {
            limiter.allow(IpAddr::V4(n.into()), NOW).unwrap();
            assert!(limiter.len() <= 10);
        }
        assert!(limiter.allow(heavy, NOW).is_err());
        assert!(limiter.allow(heavy, NOW.plus(Duration::from_secs(60))).is_ok());
        assert_eq!(limiter.len(), 1, "what is full again is forgotten");
    }

    #[test]
    fn a_clock_set_back_shuts_nobody_out() {
        let mut limiter = SourceLimiter::new(RATE, 10);
        let a = ip("192.0.2.1");
        limiter.allow(a, NOW).unwrap();
        let earlier = NOW.minus(Duration::from_secs(86_400));
        assert_eq!(limiter.allow(a, earlier), Err(RATE.every));
        assert_eq!(limiter.allow(a, earlier.plus(RATE.every)), Ok(()));
        assert_eq!(limiter.len(), 1);
    }

    proptest! {
        #[test]
        fn no_source_gets_more_than_its_rate(steps in prop::collection::vec((0..3_u32, 0..3_000_000_u64), 1..200)) {
            let mut limiter = SourceLimiter::new(RATE, 10);
            let (mut now, mut allowed) = (NOW, [0_u32; 3]);
            for (source, pause) in steps {
                now = now.plus(Duration::from_micros(pause));
                if limiter.allow(IpAddr::V4(source.into()), now).is_ok() {
                    allowed[source as usize] += 1;
                }
            }
            let most = u64::from(RATE.burst) + now.since(NOW).as_secs() / RATE.every.as_secs();
            prop_assert!(allowed.iter().all(|n| u64::from(*n) <= most), "{allowed:?} > {most}");
            prop_assert_eq!(limiter.full_at.len(), limiter.by_time.len());
        }
    }
}

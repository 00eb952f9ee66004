//! What holds at a moment, what waits to take effect, and when a change takes effect.
//!
//! Architecture invariant: a [`Policy`] is complete and every value in it is within its range, whatever the database holds.
//! And no order of changes brings a looser value into effect sooner than [`LOOSENING`] after it was asked for: what counts
//! as looser is compared with what is in effect at that moment, and a change takes the place of the one that waits.

use std::time::Duration;

use super::choices::{HowOften, SecondPerson};
use super::settings::{KEYS, Key, Unit};
use super::{LOOSENING, Value};
use crate::time::Timestamp;

/// A value that somebody set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its row: a later one has a higher number.
    pub id: i64,
    /// What.
    pub key: Key,
    /// To which value, in its unit.
    pub value: i64,
    /// By whom: the name then.
    pub set_by: String,
    /// When it was asked for.
    pub set_at: Timestamp,
    /// When it takes effect.
    pub effective_at: Timestamp,
    /// When it was taken back.
    pub cancelled_at: Option<Timestamp>,
}

impl Setting {
    /// Whether it has taken effect. What took effect at once is in effect also where the clock has gone backwards since.
    pub fn has_begun(&self, now: Timestamp) -> bool {
        self.cancelled_at.is_none() && (self.effective_at <= now || self.effective_at == self.set_at)
    }

    /// Whether it is to take effect later.
    pub fn waits(&self, now: Timestamp) -> bool {
        self.cancelled_at.is_none() && !self.has_begun(now)
    }
}

/// How one setting stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub key: Key,
    /// What is in effect, in its unit.
    pub value: i64,
    /// Who set that, and when; nobody where it is the default.
    pub set: Option<Setting>,
    /// What is to take effect later.
    pub waiting: Option<Setting>,
}

impl Standing {
    /// How `key` stands at `now`, of everything that was set, oldest first.
    pub fn of(key: Key, settings: &[Setting], now: Timestamp) -> Self {
        let newest =
            |is: fn(&Setting, Timestamp) -> bool| settings.iter().rev().find(|s| s.key == key && is(s, now)).cloned();
        let set = newest(Setting::has_begun);
        // A value out of range, as somebody with the file at hand can write it, counts as the nearest within.
        let value = set.as_ref().map_or(key.default(), |s| key.nearest(s.value));
        Self { key, value, set, waiting: newest(Setting::waits) }
    }

    /// When `value` takes effect if it is set at `now`; nothing where it is so already, or waits to be.
    pub fn when(&self, value: Value, now: Timestamp) -> Option<Timestamp> {
        let number = value.number();
        if number == self.value || self.waiting.as_ref().is_some_and(|w| w.value == number) {
            return None;
        }
        Some(if self.key.is_looser(self.value, number) { now.plus(LOOSENING) } else { now })
    }
}

/// What holds at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    values: [i64; KEYS.len()],
}

impl Default for Policy {
    fn default() -> Self {
        let mut values = [0; KEYS.len()];
        for key in KEYS {
            values[key.index()] = key.default();
        }
        Self { values }
    }
}

impl Policy {
    /// What holds at `now`, of everything that was set, oldest first.
    pub fn of(settings: &[Setting], now: Timestamp) -> Self {
        let begun = settings.iter().filter(|s| s.has_begun(now));
        begun.fold(Self::default(), |policy, s| policy.with(s.key, s.value))
    }

    /// With another value, brought into its range.
    #[must_use]
    pub fn with(mut self, key: Key, value: i64) -> Self {
        self.values[key.index()] = key.nearest(value);
        self
    }

    /// A value in its unit.
    pub fn get(&self, key: Key) -> i64 {
        self.values[key.index()]
    }

    /// A length of time.
    pub fn lasting(&self, key: Key) -> Duration {
        let seconds = match key.unit() {
            Unit::Minutes => 60,
            Unit::Hours => 3_600,
            Unit::Days | Unit::DaysOrEver => 86_400,
            Unit::Number | Unit::YesNo | Unit::SecondPerson | Unit::HowOften => 0,
        };
        Duration::from_secs(self.get(key).unsigned_abs() * seconds)
    }

    /// A number of things.
    pub fn number(&self, key: Key) -> u32 {
        u32::try_from(self.get(key)).unwrap_or(u32::MAX)
    }

    /// Whether a pass is asked for before enrolment.
    pub fn asks_for_pass(&self) -> bool {
        self.get(Key::EnrolmentPass) == 1
    }

    /// How long an enrolment window stays open after a reset.
    pub fn window(&self) -> Duration {
        self.lasting(if self.asks_for_pass() { Key::WindowWithPass } else { Key::WindowWithoutPass })
    }

    /// How often owners and auditors get an anchor by e-mail.
    pub fn anchor_mails(&self) -> HowOften {
        HowOften::of(self.get(Key::AnchorMails))
    }

    /// When somebody else has to approve.
    pub fn second_person(&self) -> SecondPerson {
        SecondPerson::of(self.get(Key::SecondPersonRule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whatever_is_stored_a_policy_is_complete_and_within_its_ranges() {
        for key in KEYS {
            assert_eq!(Policy::default().with(*key, i64::MAX).get(*key), key.range().1);
            let row = setting(1, *key, i64::MIN, 0, 0);
            assert_eq!(Standing::of(*key, std::slice::from_ref(&row), at(0)).value, key.range().0);
            assert_eq!(Policy::of(&[row], at(0)).get(*key), key.range().0);
        }
        assert_eq!(Policy::default().window(), Duration::from_secs(3_600));
        assert_eq!(Policy::default().with(Key::EnrolmentPass, 0).window(), Duration::from_secs(86_400));
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(1_795_000_000_000_000 + minutes * 60_000_000)
    }

    fn setting(id: i64, key: Key, value: i64, asked: i64, begins: i64) -> Setting {
        let (set_at, effective_at) = (at(asked), at(begins));
        Setting { id, key, value, set_by: "Ada".into(), set_at, effective_at, cancelled_at: None }
    }

    #[test]
    fn what_took_effect_at_once_stays_so_where_the_clock_goes_backwards() {
        let rows = [setting(1, Key::EvidenceAge, 30, 100, 100), setting(2, Key::EvidenceAge, 20, 90, 90)];
        let standing = Standing::of(Key::EvidenceAge, &rows, at(10));
        assert_eq!((standing.value, standing.waiting), (20, None));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Wait(i64),
        Set(i64),
        TakeBack,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            prop_oneof![Just(1), Just(719), Just(720), Just(1_439), Just(1_440)].prop_map(Step::Wait),
            (0..=8_i64).prop_map(Step::Set),
            Just(Step::TakeBack),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]
        /// As the errands of owners use it: whatever they do in whatever order.
        #[test]
        fn no_order_of_changes_loosens_anything_sooner_than_a_day_after_it_was_asked_for(
            key in prop_oneof![Just(Key::EvidenceAge), Just(Key::KnownNumber), Just(Key::CaseIdle), Just(Key::AuditKept)],
            steps in proptest::collection::vec(step(), 1..40),
        ) {
            let (mut rows, mut minute, mut before) = (Vec::<Setting>::new(), 0, key.default());
            for step in steps {
                let standing = Standing::of(key, &rows, at(minute));
                let cancel = |rows: &mut Vec<Setting>| {
                    for row in rows.iter_mut().filter(|r| r.waits(at(minute))) {
                        row.cancelled_at = Some(at(minute));
                    }
                };
                match step {
                    Step::Wait(minutes) => minute += minutes,
                    Step::TakeBack => cancel(&mut rows),
                    Step::Set(by) => {
                        let number = key.range().0 + by;
                        let value = key.parse_value(&number.to_string()).unwrap();
                        if let Some(effective_at) = standing.when(value, at(minute)) {
                            cancel(&mut rows);
                            let id = rows.len() as i64;
                            rows.push(Setting { effective_at, ..setting(id, key, number, minute, minute) });
                        }
                    }
                }
                let standing = Standing::of(key, &rows, at(minute));
                if key.is_looser(before, standing.value) {
                    let set = standing.set.as_ref().unwrap();
                    prop_assert!(at(minute).since(set.set_at) >= LOOSENING, "{set:?} at {minute}");
                    prop_assert!(rows.last() == Some(set), "something was set in between");
                }
                prop_assert!(rows.iter().filter(|r| r.waits(at(minute))).count() <= 1);
                before = standing.value;
            }
        }
    }
}

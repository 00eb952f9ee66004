//! Growing delays: how long someone waits after failures, and when failing has a consequence of its own.
//!
//! Every kind of attempt has a budget. An attempt is charged to exactly one, and a success clears only that one:
//! strangers who fail on a person's address fill the account's budget, the person on a device that has signed in
//! before uses the device's, and neither touches the other. The counters are stored, so that they survive a restart.
//!
//! Architecture invariant: nothing here blocks for ever but a TOTP factor after 100 failures, because whatever else a
//! stranger can block, a stranger would.

pub mod sources;

use std::fmt;
use std::time::Duration;

use data_encoding::HEXLOWER;

use crate::ids::{DeviceId, FactorId, UserId};
use crate::policy;
use crate::time::Timestamp;

/// How the delay of one kind grows: nothing at first, then doubling up to a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// How many failures in a row cost nothing but the last of them: the one after must wait.
    pub free: u32,
    /// The delay after `free` failures; each further one doubles it.
    pub first: Duration,
    /// The longest delay.
    pub cap: Duration,
}

impl Schedule {
    /// How long the next attempt has to wait after `failures` in a row.
    pub fn delay(self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(self.free) else { return Duration::ZERO };
        let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.cap)
    }
}

/// All kinds grow alike: five failures are free, then 1 s, 2 s, 4 s … up to 15 minutes.
const GROWING: Schedule =
    Schedule { free: policy::FREE_FAILURES, first: policy::FIRST_DELAY, cap: policy::LONGEST_DELAY };
/// What an attempt is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Passwords of strangers, by a code over the normalised address (whether or not there is such an account).
    Account([u8; 32]),
    /// Passwords on a device that has completed a sign-in *as the person whose address is typed*. Who checks that must
    /// charge any other attempt from it to the account, or one's own device would open everybody's account to guessing.
    Device(DeviceId),
    /// Codes of one TOTP factor, after a right password.
    Totp(FactorId),
    /// Backup codes and issued codes of one person, after a right password.
    BackupCodes(UserId),
}

impl Budget {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Account(_) => Kind::Account,
            Self::Device(_) => Kind::Device,
            Self::Totp(_) => Kind::Totp,
            Self::BackupCodes(_) => Kind::BackupCodes,
        }
    }

    /// The name under which its state is stored, beside its kind.
    pub fn key(&self) -> String {
        match self {
            Self::Account(mac) => HEXLOWER.encode(mac),
            Self::Device(id) => id.to_string(),
            Self::Totp(id) => id.to_string(),
            Self::BackupCodes(id) => id.to_string(),
        }
    }
}

/// The kinds of budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// See [`Budget::Account`].
    Account,
    /// See [`Budget::Device`].
    Device,
    /// See [`Budget::Totp`].
    Totp,
    /// See [`Budget::BackupCodes`].
    BackupCodes,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Account, Self::Device, Self::Totp, Self::BackupCodes];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Device => "device",
            Self::Totp => "totp",
            Self::BackupCodes => "backup_codes",
        }
    }

    /// How its delay grows.
    pub const fn schedule(self) -> Schedule {
        GROWING
    }

    /// After how long without a failure its state may be deleted. `None` if only a success may.
    pub const fn forgotten_after(self) -> Option<Duration> {
        match self {
            Self::Totp => None,
            Self::Account | Self::Device | Self::BackupCodes => Some(policy::FAILURES_FORGOTTEN),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long the next attempt has to wait after `failures` in a row.
pub fn delay(kind: Kind, failures: u32) -> Duration {
    kind.schedule().delay(failures)
}

/// What is stored of a budget. No row is the same as no failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Failures since the last success.
    pub failures: u32,
    /// When the last of them was.
    pub last_failure: Timestamp,
}

impl State {
    /// Until when the next attempt is refused unseen.
    pub fn blocked_until(self, kind: Kind) -> Timestamp {
        self.last_failure.plus(delay(kind, self.failures))
    }

    fn is_forgotten(self, kind: Kind, now: Timestamp) -> bool {
        kind.forgotten_after().is_some_and(|after| now.since(self.last_failure) >= after)
    }
}

/// Whether an attempt may be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Go,
    /// Not before so long. Answered as 429, alike for known and unknown accounts.
    Wait(Duration),
    /// As [`Verdict::Wait`], and the delay is the longest there is: pending sign-ins of the account are over.
    Locked(Duration),
    /// Never with this factor: it is switched off.
    FactorDisabled,
}

/// Whether an attempt charged to a budget of `kind` in `state` may be made at `now`.
pub fn verdict(kind: Kind, state: Option<State>, now: Timestamp) -> Verdict {
    let Some(state) = state.filter(|s| !s.is_forgotten(kind, now)) else { return Verdict::Go };
    if kind == Kind::Totp && state.failures >= policy::TOTP_DISABLED_AT {
        return Verdict::FactorDisabled;
    }
    let whole = delay(kind, state.failures);
    // A failure in the future: the clock was set back. By little, and waiting the whole delay is no harm; by more than
    // the cap, and the person would wait until the clock has caught up.
    let clock_went_back = state.last_failure.since(now) > kind.schedule().cap;
    let left = if clock_went_back { Duration::ZERO } else { whole.saturating_sub(now.since(state.last_failure)) };
    if left.is_zero() {
        Verdict::Go
    } else if whole >= kind.schedule().cap {
        Verdict::Locked(left)
    } else {
        Verdict::Wait(left)
    }
}

/// What a failure brings with it beside the delay. Each is named once, by the failure that causes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing else.
    None,
    /// The delay has reached its cap: `user.locked` is recorded and pending sign-ins die.
    Locked,
    /// The TOTP factor is switched off: `mfa.factor_disabled`.
    FactorDisabled,
}

/// The state after one more failure at `now`, to be stored, and what comes with it. After a success the row of that
/// budget is deleted, and no other.
pub fn failed(kind: Kind, before: Option<State>, now: Timestamp) -> (State, Consequence) {
    let earlier = before.filter(|s| !s.is_forgotten(kind, now)).map_or(0, |s| s.failures);
    let failures = earlier.saturating_add(1);
    let cap = kind.schedule().cap;
    let consequence = match kind {
        Kind::Totp if failures == policy::TOTP_DISABLED_AT => Consequence::FactorDisabled,
        _ if delay(kind, earlier) < cap && delay(kind, failures) == cap => Consequence::Locked,
        _ => Consequence::None,
    };
    (State { failures, last_failure: now }, consequence)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Fails `times` in a row, each at `NOW`.
    fn fail(kind: Kind, times: u32) -> (State, Vec<(u32, Consequence)>) {
        let (mut state, mut consequences) = (None, Vec::new());
        for n in 1..=times {
            let (after, consequence) = failed(kind, state, NOW);
            state = Some(after);
            if consequence != Consequence::None {
                consequences.push((n, consequence));
            }
        }
        (state.unwrap(), consequences)
    }

    #[test]
    fn four_failures_cost_nothing_and_from_the_fifth_each_doubles_the_wait() {
        let waits: Vec<u64> = (0..=17).map(|n| delay(Kind::Account, n).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        let state = State { failures: 7, last_failure: NOW };
        assert_eq!(state.blocked_until(Kind::Account), NOW.plus(seconds(4)));
        assert_eq!(verdict(Kind::Account, Some(state), NOW.plus(seconds(1))), Verdict::Wait(seconds(3)));
        assert_eq!(verdict(Kind::Account, Some(state), NOW.plus(seconds(4))), Verdict::Go);
        assert_eq!(verdict(Kind::Account, None, NOW), Verdict::Go);
    }

    #[test]
    fn a_lock_is_recorded_once_and_ends_by_itself() {
        let (state, consequences) = fail(Kind::Account, 40);
        assert_eq!(consequences, [(15, Consequence::Locked)]);
        assert_eq!(verdict(Kind::Account, Some(state), NOW), Verdict::Locked(seconds(900)));
        assert_eq!(verdict(Kind::Account, Some(state), NOW.plus(seconds(900))), Verdict::Go);
    }

    #[test]
    fn a_totp_factor_is_switched_off_after_a_hundred_failures_however_slow() {
        let mut state = None;
        for n in 1..=100_u64 {
            let (after, consequence) =
                failed(Kind::Totp, state, NOW.plus(policy::FAILURES_FORGOTTEN * u32::try_from(n).unwrap()));
            assert_eq!(consequence == Consequence::FactorDisabled, n == 100);
            state = Some(after);
        }
        assert_eq!(verdict(Kind::Totp, state, NOW.plus(policy::FAILURES_FORGOTTEN * 1000)), Verdict::FactorDisabled);
    }

    #[test]
    fn backup_codes_are_delayed_and_never_switched_off() {
        let (state, consequences) = fail(Kind::BackupCodes, 1000);
        assert_eq!(consequences, [(15, Consequence::Locked)]);
        assert_eq!(verdict(Kind::BackupCodes, Some(state), NOW.plus(seconds(900))), Verdict::Go);
    }

    #[test]
    fn a_day_of_quiet_forgets_what_strangers_did() {
        let (state, _) = fail(Kind::Account, 30);
        let later = NOW.plus(policy::FAILURES_FORGOTTEN);
        assert_eq!(failed(Kind::Account, Some(state), later).0.failures, 1);
        assert_eq!(failed(Kind::Account, Some(state), NOW.plus(seconds(86_399))).0.failures, 31);
    }

    #[test]
    fn each_budget_has_a_name_of_its_own() {
        let (user, device, factor) = (UserId::generate(), DeviceId::generate(), FactorId::generate());
        let all = [Budget::Account([7; 32]), Budget::Device(device), Budget::Totp(factor), Budget::BackupCodes(user)];
        let names: std::collections::HashSet<_> = all.iter().map(|b| (b.kind().as_str(), b.key())).collect();
        assert_eq!(names.len(), all.len());
        assert_eq!(all.map(|b| b.kind()), Kind::ALL);
        assert_eq!(all[0].key(), "07".repeat(32));
    }

    #[test]
    fn a_clock_set_back_does_not_shut_a_person_out_until_it_has_caught_up() {
        let (state, _) = fail(Kind::Account, 30);
        assert_eq!(verdict(Kind::Account, Some(state), NOW.minus(seconds(1))), Verdict::Locked(seconds(900)));
        assert_eq!(verdict(Kind::Account, Some(state), NOW.minus(seconds(901))), Verdict::Go);
        assert_eq!(failed(Kind::Account, Some(state), NOW.minus(seconds(901))).0.failures, 31);
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        prop::sample::select(Kind::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn a_delay_never_falls_as_failures_grow_and_never_passes_the_cap(kind in kinds(), n: u32) {
            prop_assert!(delay(kind, n) <= delay(kind, n.saturating_add(1)));
            prop_assert!(delay(kind, n) <= kind.schedule().cap);
        }

        #[test]
        fn nobody_waits_for_longer_than_the_cap_whatever_the_clock_does(
            kind in kinds(), failures: u32, last: i64, now: i64
        ) {
            let state = State { failures, last_failure: Timestamp::from_micros(last) };
            match verdict(kind, Some(state), Timestamp::from_micros(now)) {
                Verdict::Go => {}
                Verdict::Wait(d) | Verdict::Locked(d) => prop_assert!(!d.is_zero() && d <= kind.schedule().cap),
                Verdict::FactorDisabled => prop_assert!(kind == Kind::Totp && failures >= policy::TOTP_DISABLED_AT),
            }
        }
    }
}

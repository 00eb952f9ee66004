//! Verifying a password: outside the transaction because it takes long, with what the transaction needs to trust it.

use super::{Error, Means, Result, Visitor};
use crate::audit::{Actor, Event, Record, Source};
use crate::host::keys::{MacUse, SeedKey};
use crate::ids::UserId;
use crate::password::{PasswordHash, TypedPassword};
use crate::secret::Purpose;
use crate::storage::{ReadTx, WriteTx, devices, sessions, throttle, users};
use crate::throttle::{Budget, Consequence, Verdict, verdict};
use crate::time::Timestamp;
use crate::users::{Email, Status, User};

/// A password attempt that was hashed: who it is about and how it came out, with the epoch of what it was checked on.
pub(super) struct Attempt {
    /// Whose password it would be; nobody's if there is no such account.
    pub user: Option<User>,
    /// What it is charged to.
    pub budget: Budget,
    /// The password was right.
    pub right: bool,
    /// The same password hashed with today's parameters, where the stored hash has older ones.
    pub rehashed: Option<PasswordHash>,
}

/// Hashes what was typed for this address. Takes the same steps whether or not the account exists.
///
/// # Errors
/// [`Error::Wait`] without hashing while attempts of this kind must wait, [`Error::Busy`].
pub(super) fn attempt(means: &Means, email: &str, typed: &str, visitor: &Visitor) -> Result<Attempt> {
    let parsed: Option<Email> = email.parse().ok();
    let now = means.clock.now();
    // What is no address at all is counted as one too, by its first bytes: it must not be a free way to try.
    let name = parsed
        .as_ref()
        .map_or_else(|| email.as_bytes().get(..254).unwrap_or(email.as_bytes()), |e| e.as_str().as_bytes());
    let account = account_budget(&means.key, name);
    let (user, budget, stored) = means.store.read(|tx| {
        let user = match &parsed {
            Some(email) => users::find_by_email(tx, email)?,
            None => None,
        };
        let device = device_budget(tx, visitor, user.as_ref().map(|u| u.id), now)?;
        let stored = match &user {
            Some(user) => users::find_password(tx, user.id)?,
            None => None,
        };
        let budget = device.unwrap_or(account);
        wait_if_blocked(tx, &budget, now)?;
        Ok::<_, Error>((user, budget, stored))
    })?;
    finish(means, user, budget, stored, typed)
}

/// As [`attempt`], for the person of a session.
///
/// # Errors
/// [`Error::Wait`], [`Error::Busy`], [`Error::SessionGone`].
pub(super) fn attempt_of(means: &Means, id: UserId, typed: &str, visitor: &Visitor) -> Result<Attempt> {
    let now = means.clock.now();
    let (user, budget, stored) = means.store.read(|tx| {
        let user = users::find(tx, id)?.ok_or(Error::SessionGone)?;
        let account = account_budget(&means.key, user.email.as_str().as_bytes());
        let budget = device_budget(tx, visitor, Some(id), now)?.unwrap_or(account);
        wait_if_blocked(tx, &budget, now)?;
        let stored = users::find_password(tx, id)?;
        Ok::<_, Error>((user, budget, stored))
    })?;
    finish(means, Some(user), budget, stored, typed)
}

fn finish(
    means: &Means,
    user: Option<User>,
    budget: Budget,
    stored: Option<PasswordHash>,
    typed: &str,
) -> Result<Attempt> {
    let has_password = stored.is_some();
    let stored = stored.unwrap_or_else(PasswordHash::of_nobody);
    let typed = match &user {
        Some(user) if user.has_temporary_password() => TypedPassword::parse_temporary(typed),
        _ => TypedPassword::parse(typed),
    };
    let output = means.pool.hash(typed.secret().clone(), stored.params(), stored.salt())?;
    let right = stored.matches(&output) && has_password;
    let rehashed = if right && stored.needs_rehash() { Some(means.hash_secret(typed.secret().clone())?) } else { None };
    Ok(Attempt { user, budget, right, rehashed })
}

/// What strangers' wrong passwords for an address are charged to.
pub(super) fn account_budget(key: &SeedKey, email: &[u8]) -> Budget {
    Budget::Account(key.mac(MacUse::Throttle, &[email]))
}

/// The budget of a device that has signed in as this very person before.
pub(super) fn device_budget(
    tx: &ReadTx<'_>,
    visitor: &Visitor,
    user: Option<UserId>,
    now: Timestamp,
) -> Result<Option<Budget>> {
    let Some(token) = &visitor.device else { return Ok(None) };
    let device = devices::find(tx, &token.hash(Purpose::Device), now)?;
    Ok(device.filter(|(_, owner)| Some(*owner) == user).map(|(id, _)| Budget::Device(id)))
}

/// Refuses while attempts charged to `budget` must wait.
///
/// # Errors
/// [`Error::Wait`].
pub(super) fn wait_if_blocked(tx: &ReadTx<'_>, budget: &Budget, now: Timestamp) -> Result<()> {
    match verdict(budget.kind(), throttle::find(tx, budget)?, now) {
        Verdict::Go => Ok(()),
        Verdict::Wait(d) | Verdict::Locked(d) => Err(Error::Wait(d)),
        Verdict::FactorDisabled => Ok(()),
    }
}

/// Why a right or wrong password does not let this person on; `None` if it does. The visitor is told the same for all.
pub(super) fn refusal(attempt: &Attempt, user: &User, now: Timestamp) -> Option<&'static str> {
    let seen = attempt.user.as_ref().map(|u| u.credential_epoch);
    if seen != Some(user.credential_epoch) {
        Some("credentials changed during the attempt")
    } else if user.status == Status::Left {
        Some("has left")
    } else if !attempt.right {
        Some("wrong password")
    } else if user.status == Status::Disabled {
        Some("account disabled")
    } else if user.status == Status::Invited {
        Some("invitation not accepted")
    } else if user.password_expires_at.is_some_and(|at| now >= at) {
        Some("temporary password expired")
    } else {
        None
    }
}

/// Charges a failure on an account that exists and says what to record: the failure and, once, the lock. A lock ends
/// every sign-in under way.
pub(super) fn charge(
    tx: &WriteTx<'_>,
    user: &User,
    budget: &Budget,
    source: &Source,
    failed: impl FnOnce(u32) -> Event,
) -> Result<Vec<Record>> {
    let (state, consequence) = throttle::insert_failure(tx, budget)?;
    let mut records = vec![Record::new(Actor::Anonymous, source, failed(state.failures))];
    if consequence == Consequence::Locked {
        sessions::delete_pending(tx, user.id)?;
        let minutes = super::whole_minutes(crate::throttle::delay(budget.kind(), state.failures));
        let event = Event::UserLocked { user: user.into(), failures: state.failures, minutes };
        records.push(Record::new(Actor::System, source, event));
    }
    Ok(records)
}

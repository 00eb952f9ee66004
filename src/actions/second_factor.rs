//! Verifying a second factor, for sign-in and step-up alike. What it decides on is read inside the transaction.
//!
//! Whoever has the password can make codes wait for everybody who comes from somewhere new, but not for a device that
//! has signed in as this person before: what waits there is what failed there. Each failure counts towards the 100 that
//! switch a factor off, wherever it came from.

use std::sync::Arc;
use std::time::Duration;

use super::cases;
use super::password_check::{charge, device_budget, wait_if_blocked};
use super::{Error, Means, Result, Visitor};
use crate::audit::proof::{Challenge, Methods};
use crate::audit::{Actor, Event, Record, Source};
use crate::backup_codes::{Kind, TypedCode};
use crate::factors::Factor;
use crate::factors::totp::{Seed, TypedOtp, matching_step};
use crate::host::keys::SeedKey;
use crate::ids::UserId;
use crate::password::PasswordHash;
use crate::recovery::CaseEvent;
use crate::storage::{WriteTx, backup_codes, factors, throttle};
use crate::throttle::{Budget, Consequence, Verdict, verdict};
use crate::users::User;

/// What a person typed as a second factor.
#[derive(Debug, Clone)]
pub enum Typed {
    /// Six digits from an authenticator app.
    Otp(TypedOtp),
    /// A backup code, their own or one that an admin issued.
    Code(TypedCode),
}

impl Typed {
    /// Reads six digits or a backup code; `None` if it is neither, which is no attempt.
    pub fn parse(text: &str) -> Option<Self> {
        TypedOtp::parse(text).map(Self::Otp).or_else(|| TypedCode::parse(text).map(Self::Code))
    }
}

/// A typed factor made ready for the transaction: a code is hashed, and remembers the set it was hashed for.
pub(super) enum Prepared {
    Otp(TypedOtp, Arc<SeedKey>),
    Code { kind: Kind, set: Option<i64>, output: [u8; 32], epoch: i64 },
}

/// How it came out. `records` must be written in the same transaction.
pub(super) enum Checked {
    Right { with: Challenge, methods: Methods, records: Vec<Record> },
    Wrong { records: Vec<Record> },
}

/// Makes a typed factor of `user` ready: hashes a backup code, at the cost of one hash whether or not there is a set.
///
/// # Errors
/// [`Error::Wait`] without hashing while codes must wait, [`Error::Busy`].
pub(super) fn prepare(means: &Means, user: UserId, typed: Typed, visitor: &Visitor) -> Result<Prepared> {
    let code = match typed {
        Typed::Otp(otp) => return Ok(Prepared::Otp(otp, Arc::clone(&means.key))),
        Typed::Code(code) => code,
    };
    let now = means.clock.now();
    let (set, epoch) = means.store.read(|tx| {
        let own = device_budget(tx, visitor, Some(user), now)?;
        wait_if_blocked(tx, &own.unwrap_or(Budget::BackupCodes(user)), now)?;
        let user = crate::storage::users::get(tx, user)?;
        let set = backup_codes::find(tx, user.id, code.kind(), now)?;
        Ok::<_, Error>((set, user.credential_epoch))
    })?;
    let nobody = PasswordHash::of_nobody();
    let (params, salt) = set.as_ref().map_or((nobody.params(), *nobody.salt()), |s| (s.params, s.salt));
    let output = means.pool.hash(code.secret(), params, &salt)?;
    Ok(Prepared::Code { kind: code.kind(), set: set.map(|s| s.id), output, epoch })
}

/// Verifies a prepared factor of `user`, who has given the right password before.
///
/// # Errors
/// [`Error::Wait`] while such attempts must wait, also if a parallel attempt has brought that about meanwhile: what it
/// would have been is not said.
pub(super) fn check(tx: &WriteTx<'_>, user: &User, prepared: &Prepared, visitor: &Visitor) -> Result<Checked> {
    let own = device_budget(tx, visitor, Some(user.id), tx.now())?;
    if let Some(own) = &own {
        wait_if_blocked(tx, own, tx.now())?;
    }
    let checked = check_on(tx, user, prepared, own.is_some(), &visitor.source())?;
    match (&own, &checked) {
        (Some(own), Checked::Right { .. }) => throttle::delete(tx, own)?,
        (Some(own), Checked::Wrong { .. }) => drop(throttle::insert_failure(tx, own)?),
        (None, _) => {}
    }
    Ok(checked)
}

/// `known`: on a device that waits for its own failures only.
fn check_on(tx: &WriteTx<'_>, user: &User, prepared: &Prepared, known: bool, source: &Source) -> Result<Checked> {
    match prepared {
        Prepared::Otp(typed, key) => check_otp(tx, user, (typed, known), key, source),
        Prepared::Code { kind, set, output, epoch } => {
            if !known {
                wait_if_blocked(tx, &Budget::BackupCodes(user.id), tx.now())?;
            }
            let fresh = user.credential_epoch == *epoch;
            let found = backup_codes::find(tx, user.id, *kind, tx.now())?.filter(|s| fresh && Some(s.id) == *set);
            let position = found.as_ref().and_then(|s| Some((s.id, s.matching(output)?)));
            match position {
                Some((set, position)) if backup_codes::update_used(tx, set, position)? => used(tx, user, *kind, source),
                _ => {
                    let event = |failures| failed(user, Challenge::BackupCode, failures);
                    let records = charge(tx, user, &Budget::BackupCodes(user.id), source, event)?;
                    Ok(Checked::Wrong { records })
                }
            }
        }
    }
}

fn used(tx: &WriteTx<'_>, user: &User, kind: Kind, source: &Source) -> Result<Checked> {
    throttle::delete(tx, &Budget::BackupCodes(user.id))?;
    let left = backup_codes::count_left(tx, user.id, tx.now())?;
    let case = cases::find_awaiting(tx, user, CaseEvent::CodeUsed)?;
    let event = Event::BackupCodeUsed { user: user.into(), left, issued_by_admin: kind == Kind::Issued, case };
    let records = vec![Record::new(Actor::Person(user.into()), source, event)];
    Ok(Checked::Right { with: Challenge::BackupCode, methods: Methods::PasswordAndBackupCode, records })
}

fn failed(user: &User, with: Challenge, failures: u32) -> Event {
    Event::ChallengeFailed { user: user.into(), with, failures, case: None }
}

/// The factors that may be tried now: on a known device all that work.
///
/// # Errors
/// [`Error::Wait`] if there are factors and all of them must wait.
fn open_factors(tx: &WriteTx<'_>, user: &User, known: bool) -> Result<Vec<Factor>> {
    let mut open = Vec::new();
    let mut shortest: Option<Duration> = None;
    for factor in factors::list(tx, user.id)? {
        match verdict(crate::throttle::Kind::Totp, throttle::find(tx, &Budget::Totp(factor.id))?, tx.now()) {
            _ if factor.disabled_at.is_some() => {}
            _ if known => open.push(factor),
            Verdict::Go => open.push(factor),
            Verdict::Wait(d) | Verdict::Locked(d) => shortest = Some(shortest.map_or(d, |s| s.min(d))),
            Verdict::FactorDisabled => {}
        }
    }
    match shortest {
        Some(d) if open.is_empty() => Err(Error::Wait(d)),
        _ => Ok(open),
    }
}

fn check_otp(
    tx: &WriteTx<'_>,
    user: &User,
    (typed, known): (&TypedOtp, bool),
    key: &SeedKey,
    source: &Source,
) -> Result<Checked> {
    let open = open_factors(tx, user, known)?;
    for factor in &open {
        let seed = open_seed(key, &factor.id.to_string(), &factor.sealed_seed)?;
        let Some(step) = matching_step(&seed, typed, tx.now(), Some(factor.last_step)) else { continue };
        if factors::update_used(tx, factor.id, step)? {
            throttle::delete(tx, &Budget::Totp(factor.id))?;
            return Ok(Checked::Right { with: Challenge::Totp, methods: Methods::PasswordAndOtp, records: Vec::new() });
        }
    }
    wrong_otp(tx, user, &open, known, source)
}

/// A wrong code is charged to every factor that it could have been of; where there is none, to the backup codes, so that
/// it is no free way to try.
fn wrong_otp(tx: &WriteTx<'_>, user: &User, open: &[Factor], known: bool, source: &Source) -> Result<Checked> {
    if open.is_empty() {
        let budget = Budget::BackupCodes(user.id);
        if !known {
            wait_if_blocked(tx, &budget, tx.now())?;
        }
        let records = charge(tx, user, &budget, source, |failures| failed(user, Challenge::Totp, failures))?;
        return Ok(Checked::Wrong { records });
    }
    let mut worst = 0;
    let mut more = Vec::new();
    for factor in open {
        let (state, consequence) = throttle::insert_failure(tx, &Budget::Totp(factor.id))?;
        worst = worst.max(state.failures);
        match consequence {
            Consequence::None => {}
            Consequence::FactorDisabled => {
                factors::update_disabled(tx, factor.id)?;
                let event =
                    Event::FactorDisabled { user: user.into(), label: factor.label.clone(), failures: state.failures };
                more.push(Record::new(Actor::System, source, event));
            }
            Consequence::Locked => {
                crate::storage::sessions::delete_pending(tx, user.id)?;
                let minutes = super::whole_minutes(crate::policy::LONGEST_DELAY);
                let event = Event::UserLocked { user: user.into(), failures: state.failures, minutes };
                more.push(Record::new(Actor::System, source, event));
            }
        }
    }
    let mut records = vec![Record::new(Actor::Anonymous, source, failed(user, Challenge::Totp, worst))];
    records.extend(more);
    Ok(Checked::Wrong { records })
}

/// Decrypts a secret that is bound to the row `id`.
///
/// # Errors
/// [`Error::WrongKey`].
pub(super) fn open_seed(key: &SeedKey, id: &str, sealed: &[u8]) -> Result<Seed> {
    let bytes = key.open(id, sealed).map_err(|_| Error::WrongKey)?;
    Seed::from_bytes(&bytes).ok_or(Error::WrongKey)
}

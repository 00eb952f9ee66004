//! What people do with their own account once signed in. Everything here needs a recent second factor.

use std::sync::Arc;

use super::authorise::stepped_up;
use super::enrol::enrolled;
use super::nonce::Nonce;
use super::password_check::{attempt_of, charge, refusal, wait_if_blocked};
use super::second_factor::open_seed;
use super::sign_in::many;
use super::{Error, Means, Result, Visitor};
use crate::audit::{Actor, Event, Record};
use crate::backup_codes::{BackupCode, Kind, new_set};
use crate::factors::Label;
use crate::factors::totp::{Seed, TypedOtp, matching_step};
use crate::ids::FactorId;
use crate::password::NewPassword;
use crate::policy;
use crate::secret::{Purpose, Token};
use crate::sessions::Session;
use crate::storage::{Audited, backup_codes, devices, factors, links, sessions, throttle, users};

/// Prepares the secret of a factor to be added, in place of one that was prepared before: whoever saw that one, perhaps
/// on this very screen, must not know this one.
///
/// # Errors
/// [`Error::StepUpNeeded`]; storage.
pub fn begin_factor(means: &Means, session: &Session) -> Result<()> {
    if !session.is_stepped_up(means.clock.now()) {
        return Err(Error::StepUpNeeded);
    }
    let (id, sealed) = (session.id, means.key.seal(&session.id.to_string(), Seed::generate().as_bytes()));
    Ok(means.store.touch(move |tx| tx.seed_prepared(id, &sealed))?)
}

/// How adding a factor came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It was added.
    Done,
    /// The code is not right.
    WrongCode,
    /// There are [`policy::FACTORS`] already.
    TooMany,
}

/// Confirms the prepared secret with a code: the factor is added.
///
/// # Errors
/// [`Error::SessionGone`] if nothing is prepared, [`Error::StepUpNeeded`]; storage.
pub fn add_factor(
    means: &Means,
    session: &Session,
    typed: &TypedOtp,
    label: &Label,
    visitor: &Visitor,
) -> Result<Added> {
    let (id, typed, label, source, key) =
        (session.id, typed.clone(), label.clone(), visitor.source(), Arc::clone(&means.key));
    let seed = super::enrol::seed(means, session)?;
    if matching_step(&seed, &typed, means.clock.now(), None).is_none() {
        return Ok(Added::WrongCode);
    }
    means.store.change(move |tx| {
        let (session, user) = stepped_up(tx, id, tx.now())?;
        let sealed = session.sealed_seed.as_ref().ok_or(Error::SessionGone)?;
        let seed = open_seed(&key, &id.to_string(), sealed)?;
        let step = matching_step(&seed, &typed, tx.now(), None).ok_or(Error::SessionGone)?;
        let actor = Actor::Person((&user).into());
        if factors::list(tx, user.id)?.len() >= policy::FACTORS as usize {
            let action = crate::audit::Action::MfaFactorEnrolled;
            let event = Event::refused(action, Some((&user).into()), "too_many_factors");
            return Ok(Audited::new(Added::TooMany, Record::new(actor, &source, event)));
        }
        let factor = FactorId::generate();
        factors::insert(tx, factor, user.id, label.as_str(), &key.seal(&factor.to_string(), seed.as_bytes()), step)?;
        sessions::update_seed(tx, id, None)?;
        let records = enrolled(tx, &user, factor, &label, &source)?;
        Ok(many(Added::Done, records))
    })
}

/// Gives one of the person's own factors another name.
///
/// # Errors
/// [`Error::NotFound`] for a factor of someone else, [`Error::StepUpNeeded`]; storage.
pub fn rename_factor(
    means: &Means,
    session: &Session,
    factor: FactorId,
    label: &Label,
    visitor: &Visitor,
) -> Result<()> {
    let (id, label, source) = (session.id, label.as_str().to_owned(), visitor.source());
    means.store.change(move |tx| {
        let (_, user) = stepped_up(tx, id, tx.now())?;
        let found = factors::find(tx, user.id, factor)?.ok_or(Error::NotFound)?;
        factors::update_label(tx, factor, &label)?;
        let event =
            Event::FactorRenamed { user: (&user).into(), from: found.label, to: label, factor: factor.to_string() };
        Ok(Audited::new((), Record::new(Actor::Person((&user).into()), &source, event)))
    })
}

/// How removing a factor came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// It is gone; this is what it was called.
    Done(String),
    /// It is the last one that works, which stays.
    Last,
}

/// Removes one of the person's own factors, never the last one that works.
///
/// # Errors
/// [`Error::NotFound`] for a factor of someone else, [`Error::StepUpNeeded`]; storage.
pub fn remove_factor(means: &Means, session: &Session, factor: FactorId, visitor: &Visitor) -> Result<Removed> {
    let (id, source) = (session.id, visitor.source());
    means.store.change(move |tx| {
        let (_, user) = stepped_up(tx, id, tx.now())?;
        let actor = Actor::Person((&user).into());
        let found = factors::find(tx, user.id, factor)?.ok_or(Error::NotFound)?;
        let works = u32::from(found.disabled_at.is_none());
        if factors::count_working(tx, user.id)? - works == 0 {
            let action = crate::audit::Action::MfaFactorRemoved;
            let event = Event::refused(action, Some((&user).into()), "last_factor");
            return Ok(Audited::new(Removed::Last, Record::new(actor, &source, event)));
        }
        factors::delete(tx, factor)?;
        throttle::delete(tx, &crate::throttle::Budget::Totp(factor))?;
        let label = found.label;
        let event = Event::FactorRemoved { user: (&user).into(), label: label.clone(), factor: factor.to_string() };
        Ok(Audited::new(Removed::Done(label), Record::new(actor, &source, event)))
    })
}

/// Makes a new set of backup codes, to be shown once; the earlier ones are void.
///
/// # Errors
/// [`Error::StepUpNeeded`], [`Error::AlreadyDone`], [`Error::Busy`]; storage.
pub fn regenerate_codes(
    means: &Means,
    session: &Session,
    nonce: Nonce,
    visitor: &Visitor,
) -> Result<[BackupCode; policy::BACKUP_CODES]> {
    let now = means.clock.now();
    if !session.is_stepped_up(now) {
        return Err(Error::StepUpNeeded);
    }
    let codes = new_set();
    let set = means.hash_codes(Kind::Own, &codes, now, None)?;
    let (id, source) = (session.id, visitor.source());
    means.store.change(move |tx| {
        let (_, user) = stepped_up(tx, id, tx.now())?;
        nonce.check(tx)?;
        nonce.done(tx, "New backup codes were made. They were shown once.", "/profile")?;
        let voided = backup_codes::delete_all(tx, user.id)?;
        backup_codes::insert(tx, user.id, &set)?;
        let event = Event::BackupCodesGenerated { user: (&user).into(), count: set.total, voided };
        Ok(Audited::new(codes, Record::new(Actor::Person((&user).into()), &source, event)))
    })
}

/// How changing the password came out.
#[derive(Debug, Clone)]
pub enum Changed {
    /// It was changed; the session goes on under this cookie, every other one has ended.
    Done(Token),
    /// The current password is not right.
    Wrong,
}

/// Changes the person's own password. Every other session and every remembered device ends.
///
/// # Errors
/// [`Error::Wait`], [`Error::StepUpNeeded`], [`Error::Busy`]; storage.
pub fn change_password(
    means: &Means,
    session: &Session,
    current: &str,
    new: &NewPassword,
    visitor: &Visitor,
) -> Result<Changed> {
    if !session.is_stepped_up(means.clock.now()) {
        return Err(Error::StepUpNeeded);
    }
    let attempt = attempt_of(means, session.user_id, current, visitor)?;
    let hash = means.hash_new(new)?;
    let (id, source) = (session.id, visitor.source());
    means.store.change(move |tx| {
        wait_if_blocked(tx, &attempt.budget, tx.now())?;
        let (mut session, user) = stepped_up(tx, id, tx.now())?;
        if refusal(&attempt, &user, tx.now()).is_some() {
            let event = |failures| Event::ChallengeFailed {
                user: (&user).into(),
                with: crate::audit::proof::Challenge::Password,
                failures,
                case: None,
            };
            return Ok(many(Changed::Wrong, charge(tx, &user, &attempt.budget, &source, event)?));
        }
        throttle::delete(tx, &attempt.budget)?;
        users::update_password(tx, user.id, &hash)?;
        // Whoever asked for a link by which to choose another.
        links::delete_of(tx, user.id)?;
        sessions::delete_all(tx, user.id, Some(id))?;
        devices::delete_others(tx, user.id, session.device_id)?;
        session.epoch = users::get(tx, user.id)?.credential_epoch;
        session.sealed_seed = None;
        let token = Token::generate();
        sessions::insert(tx, &session, &token.hash(Purpose::Session))?;
        let event = Event::UserPasswordChanged { user: (&user).into(), forced: false, case: None };
        Ok(Audited::new(Changed::Done(token), Record::new(Actor::Person((&user).into()), &source, event)))
    })
}

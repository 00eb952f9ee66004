//! Enrolling a factor in a sign-in that has none: the pass first where one is needed, then a code that confirms.

use std::sync::Arc;

use super::cases;
use super::second_factor::open_seed;
use super::sign_in::{Progress, advance, complete, many, standing, under_way};
use super::{Error, Means, Result, Visitor};
use crate::audit::proof::{Challenge, Methods};
use crate::audit::{Actor, Event, Record, Source};
use crate::backup_codes::{BackupCode, Kind, new_set};
use crate::factors::Label;
use crate::factors::totp::{Seed, TypedOtp, matching_step};
use crate::ids::FactorId;
use crate::policy;
use crate::recovery::{CaseEvent, next as next_in_case};
use crate::secret::{EnrolmentPass, equal};
use crate::sessions::Session;
use crate::sign_in::{State, Step, next};
use crate::storage::{Audited, WriteTx, backup_codes, factors, recovery, sessions};
use crate::users::User;

/// How giving the pass came out.
#[derive(Debug, Clone)]
pub enum PassGiven {
    /// It was right: on to the enrolment page, with a new cookie.
    Right(Progress),
    /// It was wrong; so many tries are left.
    Wrong {
        /// Tries left before the pass is void.
        left: u32,
    },
    /// It was wrong once too often: the pass is void and this sign-in is over.
    Void,
}

/// Checks the pass that an admin read out.
///
/// # Errors
/// [`Error::SessionGone`] if the window is not open any more; storage.
pub fn give_pass(means: &Means, session: &Session, typed: &EnrolmentPass, visitor: &Visitor) -> Result<PassGiven> {
    let (id, hash, source, key) = (session.id, typed.hash_as_pass(), visitor.source(), Arc::clone(&means.key));
    means.store.change(move |tx| {
        let (mut session, user) = under_way(tx, id)?;
        let state = next(State::of(&session), Step::Pass, standing(tx, &user)?).map_err(|_| Error::SessionGone)?;
        let window = recovery::find_window(tx, user.id)?.ok_or(Error::SessionGone)?;
        let right = window.pass.is_some_and(|pass| equal(pass.as_bytes(), hash.as_bytes()));
        if right {
            let progress = advance(tx, &mut session, state, &key)?;
            let event = Event::UserStepUp { user: (&user).into(), with: Challenge::EnrolmentPass, resumed: false };
            let record = Record::new(Actor::Anonymous, &source, event);
            return Ok(Audited::new(PassGiven::Right(progress), record));
        }
        let failures = recovery::update_wrong_pass(tx, user.id)?;
        let event = Event::ChallengeFailed {
            user: (&user).into(),
            with: Challenge::EnrolmentPass,
            failures,
            case: window.case,
        };
        let failed = Record::new(Actor::Anonymous, &source, event);
        if failures < policy::WRONG_PASSES {
            return Ok(Audited::new(PassGiven::Wrong { left: policy::WRONG_PASSES - failures }, failed));
        }
        recovery::delete_window(tx, user.id)?;
        sessions::delete_unfinished(tx, user.id)?;
        let mut records = vec![failed];
        if window.case.is_some() {
            records.extend(cases::expire(tx, &user, Actor::System, "five wrong passes", &source)?);
        }
        Ok(many(PassGiven::Void, records))
    })
}

/// The secret on a session's enrolment page.
///
/// # Errors
/// [`Error::SessionGone`] if there is none; [`Error::WrongKey`].
pub fn seed(means: &Means, session: &Session) -> Result<Seed> {
    let sealed = session.sealed_seed.as_ref().ok_or(Error::SessionGone)?;
    open_seed(&means.key, &session.id.to_string(), sealed)
}

/// What enrolling gave.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// Where the sign-in goes on.
    pub progress: Progress,
    /// The new backup codes, to be shown once.
    pub codes: [BackupCode; policy::BACKUP_CODES],
}

/// Confirms the secret on the enrolment page with a code from the app: the factor is enrolled, backup codes are made,
/// the window and its case are closed, and the sign-in is complete. `None` if the code is not right.
///
/// # Errors
/// [`Error::SessionGone`], [`Error::Busy`]; storage.
pub fn confirm(
    means: &Means,
    session: &Session,
    typed: &TypedOtp,
    label: &Label,
    visitor: &Visitor,
) -> Result<Option<Enrolled>> {
    let seed = seed(means, session)?;
    let now = means.clock.now();
    if matching_step(&seed, typed, now, None).is_none() {
        return Ok(None);
    }
    let codes = new_set();
    let set = means.hash_codes(Kind::Own, &codes, now, None)?;
    let (id, typed, label, visitor, key) =
        (session.id, typed.clone(), label.clone(), visitor.clone(), Arc::clone(&means.key));
    means.store.change(move |tx| {
        let source = visitor.source();
        let (mut session, user) = under_way(tx, id)?;
        let state = next(State::of(&session), Step::Enrolled, standing(tx, &user)?).map_err(|_| Error::SessionGone)?;
        // Hashing the codes took a moment; a code that has run out meanwhile was right when it was given.
        let step = matching_step(&seed, &typed, now, None).ok_or(Error::SessionGone)?;
        let factor = FactorId::generate();
        let sealed = key.seal(&factor.to_string(), seed.as_bytes());
        factors::insert(tx, factor, user.id, label.as_str(), &sealed, step)?;
        let voided = backup_codes::delete_all(tx, user.id)?;
        backup_codes::insert(tx, user.id, &set)?;
        let mut records = enrolled(tx, &user, factor, &label, &source)?;
        let actor = Actor::Person((&user).into());
        let event = Event::BackupCodesGenerated { user: (&user).into(), count: set.total, voided };
        records.push(Record::new(actor.clone(), &source, event));
        session.methods = Methods::PasswordAndEnrolment.as_str().to_owned();
        session.step_up_at = tx.now();
        let progress = complete(tx, &mut session, &user, state, &visitor, &key)?;
        if state == State::Full {
            let new_device = matches!(progress, Progress::Onwards { device: Some(_), .. });
            let methods = Methods::PasswordAndEnrolment;
            let event = Event::UserSignedIn { user: (&user).into(), methods, new_device };
            records.push(Record::new(actor, &source, event));
        }
        Ok(many(Some(Enrolled { progress, codes }), records))
    })
}

/// What to record of an enrolment. It closes the person's window and, carrying it, the case; also where someone who is
/// recovered came in with a backup code and enrols from the profile.
pub(super) fn enrolled(
    tx: &WriteTx<'_>,
    user: &User,
    factor: FactorId,
    label: &Label,
    source: &Source,
) -> Result<Vec<Record>> {
    let case = recovery::find_open(tx, user.id)?.filter(|c| next_in_case(c.state, CaseEvent::Enrolled).is_ok());
    let case = case.map(|c| c.number);
    recovery::delete_window(tx, user.id)?;
    let actor = Actor::Person(user.into());
    let enrolled =
        Event::FactorEnrolled { user: user.into(), label: label.as_str().to_owned(), case, factor: factor.to_string() };
    let mut records = vec![Record::new(actor, source, enrolled)];
    if case.is_some() {
        records.extend(cases::returned(tx, user, &[CaseEvent::Enrolled], source)?);
    }
    Ok(records)
}

//! Signing in: password, second factor, forced change of password, resuming, signing out.

use std::sync::Arc;

use super::cases;
use super::password_check::{attempt, attempt_of, charge, refusal, wait_if_blocked};
use super::second_factor::{Checked, Typed, check, prepare};
use super::{Error, Means, Result, Visitor};
use crate::audit::proof::{Challenge, Methods};
use crate::audit::{Actor, Event, Record, Source};
use crate::factors::totp::Seed;
use crate::host::keys::SeedKey;
use crate::ids::{DeviceId, SessionId};
use crate::password::{NewPassword, TypedPassword};
use crate::recovery::CaseEvent;
use crate::secret::{Purpose, Token};
use crate::sessions::{Freshness, Session, Stage};
use crate::sign_in::{NoWay, Opening, Standing, State, Step, next};
use crate::storage::{
    Audited, WriteTx, backup_codes, devices, factors, instance, links, recovery, sessions, throttle, users,
};
use crate::throttle::sources::source_of;
use crate::users::{Role, User};

/// Where a step of a sign-in has led.
#[derive(Debug, Clone)]
pub enum Progress {
    /// On to this stage, with a new cookie; where it is [`Stage::Full`], perhaps a cookie for the device too.
    Onwards {
        /// The session's new cookie.
        token: Token,
        /// What is asked for next.
        stage: Stage,
        /// The cookie of a device that was not known before.
        device: Option<Token>,
        /// Where to go once signed in.
        next: String,
    },
    /// It was wrong; why is not said.
    Wrong,
    /// The password is right, but there is nothing to continue with: someone has to open a window.
    NothingToContinueWith,
    /// The password is right, but nobody except owners is let in until an owner has confirmed who is here.
    MustWait,
}

/// Checks address and password, and begins a session of the stage that follows.
///
/// # Errors
/// [`Error::Wait`], the same for accounts that do not exist; [`Error::Busy`]; storage.
pub fn with_password(means: &Means, email: &str, password: &str, next: &str, visitor: &Visitor) -> Result<Progress> {
    let attempt = attempt(means, email, password, visitor)?;
    let source = visitor.source();
    let Some(user) = &attempt.user else {
        let (budget, from) = (attempt.budget, source_of(visitor.address));
        return match means.store.touch(move |tx| tx.stranger_failed(&budget, &from))? {
            crate::throttle::Verdict::Go | crate::throttle::Verdict::FactorDisabled => Ok(Progress::Wrong),
            crate::throttle::Verdict::Wait(d) | crate::throttle::Verdict::Locked(d) => Err(Error::Wait(d)),
        };
    };
    let (id, visitor, key, next) = (user.id, visitor.clone(), Arc::clone(&means.key), next.to_owned());
    means.store.change(move |tx| {
        wait_if_blocked(tx, &attempt.budget, tx.now())?;
        let user = users::get(tx, id)?;
        if let Some(why) = refusal(&attempt, &user, tx.now()) {
            let failed = |_| Event::UserSignInFailed { user: (&user).into(), why };
            return Ok(many(Progress::Wrong, charge(tx, &user, &attempt.budget, &source, failed)?));
        }
        throttle::delete(tx, &attempt.budget)?;
        if let Some(hash) = &attempt.rehashed {
            users::update_rehashed(tx, id, user.credential_epoch, hash)?;
        }
        if must_wait(tx, &user)? {
            return Ok(waiting(&user, &source));
        }
        let state = match crate::sign_in::next(State::Stranger, Step::Password, standing(tx, &user)?) {
            Ok(state) => state,
            Err(NoWay::OutOfPlace | NoWay::NothingToContinueWith) => {
                let why = "password right, but no factor, no code and no open enrolment window";
                let event = Event::UserSignInFailed { user: (&user).into(), why };
                let record = Record::new(Actor::Anonymous, &source, event);
                return Ok(Audited::new(Progress::NothingToContinueWith, record));
            }
        };
        let mut session = begin(tx, &user, &visitor, next)?;
        let progress = advance(tx, &mut session, state, &key)?;
        let event = Event::UserPasswordVerified { user: (&user).into(), next: session.stage.as_str() };
        Ok(Audited::new(progress, Record::new(Actor::Anonymous, &source, event)))
    })
}

/// Checks a second factor of a pending session.
///
/// # Errors
/// [`Error::SessionGone`], [`Error::Wait`], [`Error::Busy`]; storage.
pub fn with_second_factor(means: &Means, session: &Session, typed: Typed, visitor: &Visitor) -> Result<Progress> {
    let prepared = prepare(means, session.user_id, typed, visitor)?;
    let (id, visitor, key) = (session.id, visitor.clone(), Arc::clone(&means.key));
    means.store.change(move |tx| {
        let source = visitor.source();
        let (mut session, user) = under_way(tx, id)?;
        let standing = standing(tx, &user)?;
        let state = next(State::of(&session), Step::SecondFactor, standing).map_err(|_| Error::SessionGone)?;
        match check(tx, &user, &prepared, &visitor)? {
            Checked::Wrong { records } => Ok(many(Progress::Wrong, records)),
            Checked::Right { with, methods, mut records } => {
                session.methods = methods.as_str().to_owned();
                session.step_up_at = tx.now();
                let progress = complete(tx, &mut session, &user, state, &visitor, &key)?;
                records.push(Record::new(
                    Actor::Person((&user).into()),
                    &source,
                    reached(&user, state, with, methods, &progress),
                ));
                if state == State::Full {
                    records.extend(cases::signed_in(tx, &user, methods, false, &source)?);
                }
                Ok(many(progress, records))
            }
        }
    })
}

/// What to record when both factors were right: the sign-in, or that only the forced change is left.
fn reached(user: &User, state: State, with: Challenge, methods: Methods, progress: &Progress) -> Event {
    if state == State::Full {
        let new_device = matches!(progress, Progress::Onwards { device: Some(_), .. });
        Event::UserSignedIn { user: user.into(), methods, new_device }
    } else {
        Event::UserStepUp { user: user.into(), with, resumed: false }
    }
}

/// Sets the new password that a session must choose before anything else, and completes the sign-in. Every other
/// session of the person ends.
///
/// # Errors
/// [`Error::SessionGone`], [`Error::Busy`]; storage. [`Progress::Wrong`] if it is the password that is to be replaced.
pub fn with_new_password(
    means: &Means,
    session: &Session,
    password: &NewPassword,
    visitor: &Visitor,
) -> Result<Progress> {
    if is_current(means, session, password)? {
        return Ok(Progress::Wrong);
    }
    let hash = means.hash_new(password)?;
    let (id, visitor, key) = (session.id, visitor.clone(), Arc::clone(&means.key));
    means.store.change(move |tx| {
        let source = visitor.source();
        let (mut session, user) = under_way(tx, id)?;
        let standing = standing(tx, &user)?;
        let state = next(State::of(&session), Step::NewPassword, standing).map_err(|_| Error::SessionGone)?;
        users::update_password(tx, user.id, &hash)?;
        links::delete_of(tx, user.id)?;
        sessions::delete_all(tx, user.id, Some(session.id))?;
        let user = users::get(tx, user.id)?;
        session.epoch = user.credential_epoch;
        let methods = methods_of(&session);
        let progress = complete(tx, &mut session, &user, state, &visitor, &key)?;
        let actor = Actor::Person((&user).into());
        let case = cases::find_awaiting(tx, &user, CaseEvent::PasswordChosen)?;
        let changed = Event::UserPasswordChanged { user: (&user).into(), forced: true, case };
        let signed_in = reached(&user, state, Challenge::Password, methods, &progress);
        let mut records = vec![Record::new(actor.clone(), &source, changed), Record::new(actor, &source, signed_in)];
        records.extend(cases::signed_in(tx, &user, methods, true, &source)?);
        Ok(many(progress, records))
    })
}

/// Whether the password to be set is the one that it replaces; a temporary one in whatever way it is typed.
fn is_current(means: &Means, session: &Session, password: &NewPassword) -> Result<bool> {
    let id = session.user_id;
    let (user, stored) = means.store.read(|tx| Ok::<_, Error>((users::get(tx, id)?, users::find_password(tx, id)?)))?;
    let Some(stored) = stored else { return Ok(false) };
    let typed = password.secret().reveal();
    let typed = match user.has_temporary_password() {
        true => TypedPassword::parse_temporary(typed),
        false => TypedPassword::parse(typed),
    };
    Ok(stored.matches(&means.pool.hash(typed.secret().clone(), stored.params(), stored.salt())?))
}

fn methods_of(session: &Session) -> Methods {
    [Methods::PasswordAndOtp, Methods::PasswordAndBackupCode, Methods::PasswordAndEnrolment]
        .into_iter()
        .find(|m| m.as_str() == session.methods)
        .unwrap_or(Methods::PasswordAndEnrolment)
}

/// Resumes an idle session with the password. It is no step-up: sensitive acts still ask for a second factor.
///
/// # Errors
/// [`Error::SessionGone`], [`Error::Wait`], [`Error::Busy`]; storage.
pub fn resume(means: &Means, session: &Session, password: &str, visitor: &Visitor) -> Result<Progress> {
    let attempt = attempt_of(means, session.user_id, password, visitor)?;
    let (id, source) = (session.id, visitor.source());
    means.store.change(move |tx| {
        wait_if_blocked(tx, &attempt.budget, tx.now())?;
        let mut session = sessions::find_by_id(tx, id)?.ok_or(Error::SessionGone)?;
        if session.stage != Stage::Full || session.freshness(tx.now()) == Freshness::Over {
            return Err(Error::SessionGone);
        }
        let user = users::get(tx, session.user_id)?;
        if let Some(why) = refusal(&attempt, &user, tx.now()) {
            let failed = |_| Event::UserSignInFailed { user: (&user).into(), why };
            return Ok(many(Progress::Wrong, charge(tx, &user, &attempt.budget, &source, failed)?));
        }
        throttle::delete(tx, &attempt.budget)?;
        session.seen_at = tx.now();
        let token = Token::generate();
        sessions::insert(tx, &session, &token.hash(Purpose::Session))?;
        let progress = Progress::Onwards { token, stage: Stage::Full, device: None, next: String::new() };
        let event = Event::UserStepUp { user: (&user).into(), with: Challenge::Password, resumed: true };
        Ok(Audited::new(progress, Record::new(Actor::Person((&user).into()), &source, event)))
    })
}

/// Ends a session of any stage.
///
/// # Errors
/// [`Error::SessionGone`] if it had ended before; storage.
pub fn out(means: &Means, session: &Session, visitor: &Visitor) -> Result<()> {
    let (id, source) = (session.id, visitor.source());
    means.store.change(move |tx| {
        let session = sessions::find_by_id(tx, id)?.ok_or(Error::SessionGone)?;
        let user = users::get(tx, session.user_id)?;
        sessions::delete(tx, id)?;
        let actor = if session.stage == Stage::Full { Actor::Person((&user).into()) } else { Actor::Anonymous };
        Ok(Audited::new((), Record::new(actor, &source, Event::UserSignedOut { user: (&user).into() })))
    })
}

/// A value with the entries that a check has made; there is at least one.
pub(super) fn many<T>(value: T, records: Vec<Record>) -> Audited<T> {
    let mut records = records.into_iter();
    let first = records.next().expect("every check records what it found");
    Audited::new(value, first).and_all(records)
}

/// Whether this person is not let in yet: the database was restored, and no owner has confirmed who is here.
pub(super) fn must_wait(tx: &WriteTx<'_>, user: &User) -> Result<bool> {
    Ok(user.role != Role::Owner && !instance::get_people_confirmed(tx)?)
}

/// What someone is told who is not let in yet, with the entry about it.
pub(super) fn waiting(user: &User, source: &Source) -> Audited<Progress> {
    let why = "password right, but the list of people is not confirmed since the restore";
    let event = Event::UserSignInFailed { user: user.into(), why };
    Audited::new(Progress::MustWait, Record::new(Actor::Anonymous, source, event))
}

/// What is true of the account at this moment.
pub(super) fn standing(tx: &WriteTx<'_>, user: &User) -> Result<Standing> {
    let window = recovery::find_window(tx, user.id)?.filter(|w| w.is_open(tx.now()));
    Ok(Standing {
        has_factor: factors::count_working(tx, user.id)? > 0,
        has_codes: backup_codes::count_left(tx, user.id, tx.now())? > 0,
        // Where policy asks for no pass, a recovery's window opens as an invitation's does.
        window: window.map(|w| if w.pass.is_some() { Opening::Recovery } else { Opening::Invitation }),
        must_change_password: user.must_change_password,
    })
}

/// A session that is not yet full, and its person.
///
/// # Errors
/// [`Error::SessionGone`].
pub(super) fn under_way(tx: &WriteTx<'_>, id: SessionId) -> Result<(Session, User)> {
    let session = sessions::find_by_id(tx, id)?.ok_or(Error::SessionGone)?;
    if session.stage == Stage::Full || session.freshness(tx.now()) != Freshness::Live {
        return Err(Error::SessionGone);
    }
    let user = users::get(tx, session.user_id)?;
    Ok((session, user))
}

/// Puts a session into `state` under a new token; on the way into enrolment its secret is made.
pub(super) fn advance(tx: &WriteTx<'_>, session: &mut Session, state: State, key: &SeedKey) -> Result<Progress> {
    let stage = state.stage().ok_or(Error::SessionGone)?;
    if stage != session.stage {
        session.expires_at = tx.now().plus(stage.life());
    }
    session.stage = stage;
    session.pass_given = matches!(state, State::Enrolling { pass_given: true });
    session.sealed_seed = session.pass_given.then(|| key.seal(&session.id.to_string(), Seed::generate().as_bytes()));
    session.seen_at = tx.now();
    let token = Token::generate();
    sessions::insert(tx, session, &token.hash(Purpose::Session))?;
    let next = if stage == Stage::Full { session.next.clone() } else { String::new() };
    Ok(Progress::Onwards { token, stage, device: None, next })
}

/// As [`advance`], after both factors: a full session is noted with the person and remembers its device.
pub(super) fn complete(
    tx: &WriteTx<'_>,
    session: &mut Session,
    user: &User,
    state: State,
    visitor: &Visitor,
    key: &SeedKey,
) -> Result<Progress> {
    if state != State::Full {
        return advance(tx, session, state, key);
    }
    users::update_last_sign_in(tx, user.id)?;
    let known = match &visitor.device {
        Some(token) => {
            devices::find(tx, &token.hash(Purpose::Device), tx.now())?.filter(|(_, owner)| *owner == user.id)
        }
        None => None,
    };
    let mut new_cookie = None;
    if let Some((id, _)) = known {
        devices::update_seen(tx, id)?;
        session.device_id = Some(id);
    } else {
        let (id, token) = (DeviceId::generate(), Token::generate());
        let address = visitor.address.to_string();
        devices::insert(tx, id, &token.hash(Purpose::Device), user.id, &visitor.user_agent, &address)?;
        session.device_id = Some(id);
        new_cookie = Some(token);
    }
    match advance(tx, session, state, key)? {
        Progress::Onwards { token, stage, next, .. } => {
            Ok(Progress::Onwards { token, stage, device: new_cookie, next })
        }
        other => Ok(other),
    }
}

/// A session that begins. One that the browser had before ends: its cookie is about to be replaced, and a copy of it must
/// not live on.
pub(super) fn begin(tx: &WriteTx<'_>, user: &User, visitor: &Visitor, next: String) -> Result<Session> {
    if let Some(token) = &visitor.session {
        sessions::delete_by_token(tx, &token.hash(Purpose::Session))?;
    }
    let now = tx.now();
    Ok(Session {
        id: SessionId::generate(),
        user_id: user.id,
        stage: Stage::Pending,
        epoch: user.credential_epoch,
        methods: String::new(),
        pass_given: false,
        sealed_seed: None,
        address: visitor.address.to_string(),
        user_agent: visitor.user_agent.clone(),
        next,
        device_id: None,
        created_at: now,
        seen_at: now,
        step_up_at: now,
        expires_at: now.plus(Stage::Pending.life()),
    })
}

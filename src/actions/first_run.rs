//! The first owner's link, and accepting it or an invitation: a password is set and the enrolment page opens.

use std::sync::Arc;

use super::cases;
use super::sign_in::{Progress, advance, begin, many, must_wait, waiting};
use super::{Error, Means, Result, Visitor};
use crate::audit::{Actor, Event, Record, Source};
use crate::ids::UserId;
use crate::password::NewPassword;
use crate::policy;
use crate::recovery::Window;
use crate::secret::{Purpose, Token};
use crate::sign_in::State;
use crate::storage::{Audited, ReadTx, WriteTx, links, recovery, users};
use crate::time::Timestamp;
use crate::users::{Email, PersonName, Role, Status, User};

/// Makes a link for the first owner if there is no owner yet, voiding one made before. `None` if there is an owner.
///
/// # Errors
/// Storage.
pub fn setup_link(means: &Means, source: Source) -> Result<Option<Token>> {
    if means.store.read(|tx| users::count_owners(tx, None))? > 0 {
        return Ok(None);
    }
    means.store.change(move |tx| {
        let token = Token::generate();
        links::insert(tx, &token.hash(Purpose::Setup), None, tx.now().plus(policy::SETUP_LINK))?;
        let event = Event::SetupLinkMade { hours: super::whole_hours(policy::SETUP_LINK) };
        Ok(Audited::new(Some(token), Record::new(Actor::Host, &source, event)))
    })
}

/// Whether a setup link works.
///
/// # Errors
/// Storage.
pub fn is_setup_link(means: &Means, token: &Token) -> Result<bool> {
    let now = means.clock.now();
    means
        .store
        .read(|tx| Ok(links::find_setup(tx, &token.hash(Purpose::Setup), now)? && users::count_owners(tx, None)? == 0))
}

/// Who an invitation link is for and until when it works, if it does.
///
/// # Errors
/// Storage.
pub fn invited(means: &Means, token: &Token) -> Result<Option<(User, Timestamp)>> {
    let now = means.clock.now();
    means.store.read(|tx| invited_in(tx, token, now))
}

fn invited_in(tx: &ReadTx<'_>, token: &Token, now: Timestamp) -> Result<Option<(User, Timestamp)>> {
    let Some((id, until)) = links::find_invitation(tx, &token.hash(Purpose::Invitation), now)? else { return Ok(None) };
    Ok(users::find(tx, id)?.filter(|u| u.status == Status::Invited).map(|u| (u, until)))
}

/// Makes the first owner, whose password this is; the link is used up.
///
/// # Errors
/// [`Error::NotFound`] if the link does not work (any more); [`Error::Busy`]; storage.
pub fn set_up_owner(
    means: &Means,
    token: &Token,
    email: Email,
    name: PersonName,
    password: &NewPassword,
    visitor: &Visitor,
) -> Result<Progress> {
    if !is_setup_link(means, token)? {
        return Err(Error::NotFound);
    }
    let hash = means.hash_new(password)?;
    let (token, visitor, key) = (token.clone(), visitor.clone(), Arc::clone(&means.key));
    means.store.change(move |tx| {
        let works = links::find_setup(tx, &token.hash(Purpose::Setup), tx.now())?;
        if !works || users::count_owners(tx, None)? > 0 {
            return Err(Error::NotFound);
        }
        links::delete_setup(tx)?;
        // An owner who was added by command but has not accepted yet is this one, if the address is theirs.
        let id = match users::find_by_email(tx, &email)? {
            Some(user) if user.role == Role::Owner && user.status == Status::Invited => user.id,
            Some(_) => return Err(Error::NotFound),
            None => {
                let id = UserId::generate();
                users::insert(tx, id, &email, &name, Role::Owner)?;
                id
            }
        };
        users::update_password(tx, id, &hash)?;
        let user = users::get(tx, id)?;
        let created = Event::UserCreated { user: (&user).into(), role: Role::Owner };
        let first = Record::new(Actor::Anonymous, &visitor.source(), created);
        let (progress, record) = open_enrolment(tx, &user, &visitor, &key)?;
        Ok(many(progress, vec![first, record]))
    })
}

/// Accepts an invitation: sets the password; the link is used up. Who must wait is told so, and the link stays.
///
/// # Errors
/// [`Error::NotFound`] if the link does not work (any more); [`Error::Busy`]; storage.
pub fn accept_invitation(means: &Means, token: &Token, password: &NewPassword, visitor: &Visitor) -> Result<Progress> {
    if invited(means, token)?.is_none() {
        return Err(Error::NotFound);
    }
    let hash = means.hash_new(password)?;
    let (token, visitor, key) = (token.clone(), visitor.clone(), Arc::clone(&means.key));
    means.store.change(move |tx| {
        let (user, _) = invited_in(tx, &token, tx.now())?.ok_or(Error::NotFound)?;
        if must_wait(tx, &user)? {
            return Ok(waiting(&user, &visitor.source()));
        }
        links::delete_of(tx, user.id)?;
        users::update_password(tx, user.id, &hash)?;
        let user = users::get(tx, user.id)?;
        let (progress, record) = open_enrolment(tx, &user, &visitor, &key)?;
        Ok(Audited::new(progress, record))
    })
}

/// Opens the window of an invitation and a session at its enrolment page. The window outlives the session, so that who
/// is interrupted here signs in with the password and goes on.
fn open_enrolment(
    tx: &WriteTx<'_>,
    user: &User,
    visitor: &Visitor,
    key: &crate::host::keys::SeedKey,
) -> Result<(Progress, Record)> {
    let closes_at = tx.now().plus(policy::INVITATION);
    recovery::insert_window(tx, &Window { user_id: user.id, case: None, pass: None, wrong_passes: 0, closes_at })?;
    let case = cases::accepted(tx, user, closes_at)?;
    let mut session = begin(tx, user, visitor, String::new())?;
    let progress = advance(tx, &mut session, State::Enrolling { pass_given: true }, key)?;
    let event = Event::UserPasswordChanged { user: user.into(), forced: true, case };
    Ok((progress, Record::new(Actor::Person(user.into()), &visitor.source(), event)))
}

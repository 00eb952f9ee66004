//! How a person is reached: added or removed by themself or by who looks after them, and looked up when a call to one of
//! their numbers is put forward as evidence.
//!
//! A changed value is one contact removed and another added, so that its age begins anew.

use super::authorise::stepped_up;
use super::grants::{Ask, Granted};
use super::{Error, Means, Result, Visitor};
use crate::audit::{Action, Actor, Event, Record, Source};
use crate::contacts::{Detail, Kind, KnownNumber};
use crate::grants::Grant;
use crate::ids::{ContactId, UserId};
use crate::policy;
use crate::recovery::{Evidence, Statement};
use crate::sessions::Session;
use crate::storage::{Audited, ReadTx, WriteTx, contacts, recovery};
use crate::time::Timestamp;
use crate::users::User;

/// How adding a contact came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddedContact {
    /// It is there, known from now on.
    Done,
    /// It was there already, known for longer; or it is the address one signs in with.
    Exists,
    /// There are [`policy::CONTACTS`] of its kind.
    TooMany,
}

/// Adds a contact to someone else's account.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn add(means: &Means, ask: Ask, detail: Detail) -> Result<Granted<AddedContact>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::ChangeContacts)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::ChangeContacts, rule));
        }
        let (added, event) = insert(tx, &d.user, detail, &d.admin.name())?;
        if added == AddedContact::Done {
            ask.done(tx, "The contact was added.", &format!("/admin/users/{}", d.user.id))?;
        }
        Ok(Audited::new(Granted::Yes(added), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

/// Removes a contact from someone else's account.
///
/// # Errors
/// [`Error::NotFound`] for a contact of another person, or one that was removed; as [`Error`] says. A refusal by a rule
/// is a value.
pub fn remove(means: &Means, ask: Ask, contact: ContactId) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::ChangeContacts)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::ChangeContacts, rule));
        }
        let event = delete(tx, &d.user, contact, &Kind::ALL, &d.admin.name())?;
        ask.done(tx, "The contact was removed.", &format!("/admin/users/{}", d.user.id))?;
        Ok(Audited::new(Granted::Yes(()), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

/// Adds a contact to the person's own account.
///
/// # Errors
/// [`Error::NotFound`] for a kind that is not theirs to say, [`Error::StepUpNeeded`]; storage.
pub fn add_own(means: &Means, session: &Session, detail: Detail, visitor: &Visitor) -> Result<AddedContact> {
    if !Kind::OWN.contains(&detail.kind()) {
        return Err(Error::NotFound);
    }
    by_themself(means, session, visitor.source(), move |tx, user| insert(tx, user, detail, user.name.as_str()))
}

/// Removes a contact from the person's own account.
///
/// # Errors
/// [`Error::NotFound`] for one that is not theirs, or of a kind that is not theirs to say, [`Error::StepUpNeeded`];
/// storage.
pub fn remove_own(means: &Means, session: &Session, contact: ContactId, visitor: &Visitor) -> Result<()> {
    by_themself(means, session, visitor.source(), move |tx, user| {
        Ok(((), delete(tx, user, contact, &Kind::OWN, user.name.as_str())?))
    })
}

fn by_themself<T: Send + 'static>(
    means: &Means,
    session: &Session,
    source: Source,
    act: impl FnOnce(&WriteTx<'_>, &User) -> Result<(T, Event)> + Send + 'static,
) -> Result<T> {
    let id = session.id;
    means.store.change(move |tx| {
        let (_, user) = stepped_up(tx, id, tx.now())?;
        let (value, event) = act(tx, &user)?;
        Ok(Audited::new(value, Record::new(Actor::Person((&user).into()), &source, event)))
    })
}

fn insert(tx: &WriteTx<'_>, user: &User, detail: Detail, by: &str) -> Result<(AddedContact, Event)> {
    let refused = |rule| Event::refused(Action::UserContactChanged, Some(user.into()), rule);
    let there = contacts::list(tx, user.id)?;
    if there.iter().any(|c| c.detail == detail) || detail == Detail::Email(user.email.clone()) {
        return Ok((AddedContact::Exists, refused("contact_exists")));
    }
    if there.iter().filter(|c| c.detail.kind() == detail.kind()).count() >= policy::CONTACTS as usize {
        return Ok((AddedContact::TooMany, refused("too_many_contacts")));
    }
    contacts::insert(tx, user.id, &detail, by)?;
    Ok((AddedContact::Done, Event::ContactAdded { user: user.into(), detail }))
}

fn delete(tx: &WriteTx<'_>, user: &User, contact: ContactId, kinds: &[Kind], by: &str) -> Result<Event> {
    let found = contacts::find(tx, user.id, contact)?.filter(|c| kinds.contains(&c.detail.kind()));
    let found = found.ok_or(Error::NotFound)?;
    contacts::update_removed(tx, contact, by)?;
    Ok(Event::ContactRemoved { user: user.into(), detail: found.detail, known_since: found.known_since })
}

/// When help was asked for: when the form was opened at which it is dealt with, or before that the case that is still
/// open.
///
/// # Errors
/// Storage.
pub fn requested_at(tx: &ReadTx<'_>, user: UserId, form_opened_at: Timestamp) -> Result<Timestamp> {
    let case = recovery::find_open(tx, user)?;
    Ok(case.map_or(form_opened_at, |case| case.opened_at.min(form_opened_at)))
}

/// As [`look_up`], in a statement.
///
/// # Errors
/// Storage.
pub(super) fn look_up_number(tx: &ReadTx<'_>, user: UserId, statement: Statement) -> Result<Statement> {
    let evidence = statement.evidence.clone().map(|evidence| look_up(tx, user, evidence)).transpose()?;
    Ok(Statement { evidence, ..statement })
}

/// Looks up the number that was called, if that is the evidence: it has to be on the account of the person it is about,
/// and to have been there before help was asked for.
///
/// # Errors
/// Storage.
pub(super) fn look_up(tx: &ReadTx<'_>, user: UserId, evidence: Evidence) -> Result<Evidence> {
    let Some(contact) = evidence.contact() else { return Ok(evidence) };
    let requested_at = requested_at(tx, user, evidence.recorded_at())?;
    let called = contacts::find(tx, user, contact)?.and_then(|found| match found.detail {
        Detail::Phone(phone) => Some(KnownNumber { phone, known_since: found.known_since, requested_at }),
        Detail::Email(_) | Detail::Manager(_) => None,
    });
    Ok(evidence.with_called(called))
}

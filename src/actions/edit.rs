//! Changing what a person is called and what they sign in with.

use super::grants::{Ask, Granted};
use super::{Means, Result};
use crate::audit::{Event, Record};
use crate::grants::{Grant, Rule};
use crate::recovery::Statement;
use crate::storage::{Audited, links, sessions, users};
use crate::users::{Email, PersonName, Taken};

/// Gives a person another name. That lets nobody in, so it rests on rank alone.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value. The name that they have is [`Rule::NothingToDo`].
pub fn rename(means: &Means, ask: Ask, name: PersonName) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::Rename)?;
        if let Err(rule) = d.rule.and(if name == d.user.name { Err(Rule::NothingToDo) } else { Ok(()) }) {
            return Ok(ask.refused(&d, Grant::Rename, rule, None));
        }
        users::update_name(tx, d.user.id, &name)?;
        let said = format!("{} is now called {name}.", d.user.name);
        ask.done(tx, &said, &format!("/admin/users/{}", d.user.id))?;
        let (from, to) = (d.user.name.to_string(), name.to_string());
        let event = Event::UserRenamed { user: (&d.user).into(), from, to };
        Ok(Audited::new(Granted::Yes(()), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

/// How changing an address came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailChange {
    /// It was changed.
    Done,
    /// Somebody has this address.
    Taken(Taken),
}

/// Gives a person another address to sign in with. It is a grant: who comes with the new address is taken for them. Every
/// session and link ends, so that the person signs in once more and finds out; password, factors and an enrolment
/// window with a pass stay.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn change_email(means: &Means, ask: Ask, email: Email, statement: Statement) -> Result<Granted<EmailChange>> {
    means.store.change(move |tx| {
        let grant = Grant::ChangeEmail;
        let (d, statement) = ask.decide_founded(tx, grant, statement)?;
        if let Err(rule) = d.rule.and(if email == d.user.email { Err(Rule::NothingToDo) } else { Ok(()) }) {
            return Ok(ask.refused(&d, grant, rule, Some(&statement)));
        }
        let Statement { evidence, reason, ticket } = statement;
        if let Some(other) = users::find_by_email(tx, &email)? {
            let taken = Taken::of(other.status);
            let (action, user, reason) = (grant.action(), Some((&d.user).into()), Some(reason));
            let event = Event::Refused { action, user, rule: taken.as_str(), reason, ticket, evidence: Some(evidence) };
            let record = Record::new(d.admin.actor(), &ask.source, event);
            return Ok(Audited::new(Granted::Yes(EmailChange::Taken(taken)), record));
        }
        users::update_email(tx, d.user.id, &email)?;
        let sessions_ended = sessions::delete_all(tx, d.user.id, None)?;
        links::delete_of(tx, d.user.id)?;
        let said = format!("{} now signs in with {email}.", d.user.name);
        ask.done(tx, &said, &format!("/admin/users/{}", d.user.id))?;
        let (from, to) = (d.user.email.to_string(), email.to_string());
        let event =
            Event::UserEmailChanged { user: (&d.user).into(), reason, ticket, evidence, from, to, sessions_ended };
        Ok(Audited::new(Granted::Yes(EmailChange::Done), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

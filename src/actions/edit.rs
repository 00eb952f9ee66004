//! Changing what a person is called and what they sign in with.

use super::grants::{Ask, Granted};
use super::sign_in::many;
use super::{Means, Result};
use crate::audit::{Event, Record};
use crate::grants::{Grant, Rule};
use crate::policy::Key;
use crate::recovery::{Act, Statement};
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
            return Ok(ask.refused(&d, Grant::Rename, rule));
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
        let mut f = ask.decide_founded(tx, grant, email.as_str(), statement)?;
        if email == f.user.email {
            f.verdict = f.verdict.and(Err(Rule::NothingToDo));
        }
        // Who may not is told that, and nothing about who has which address.
        let other = if f.verdict.is_ok() { users::find_by_email(tx, &email)? } else { None };
        if let Some(other) = other {
            let taken = Taken::of(other.status);
            let record = f.refusal(grant.action(), taken.as_str(), &ask.source);
            return Ok(Audited::new(Granted::Yes(EmailChange::Taken(taken)), record));
        }
        ask.answer(tx, f, (grant, email.as_str()), |mut f| {
            let until = tx.now().plus(f.policy.lasting(Key::CaseIdle));
            let (case, mut records) = f.settle(tx, (Act::Email, until), &ask.source)?;
            let (d, evidence) = (&f, f.evidence.clone().ok_or(super::Error::NotFound)?);
            let Statement { reason, ticket, .. } = f.statement.clone();
            users::update_email(tx, d.user.id, &email)?;
            let sessions_ended = sessions::delete_all(tx, d.user.id, None)?;
            links::delete_of(tx, d.user.id)?;
            let said = format!("{} now signs in with {email}.", d.user.name);
            ask.done(tx, &said, &format!("/admin/users/{}", d.user.id))?;
            let (from, to) = (d.user.email.to_string(), email.to_string());
            let user = (&d.user).into();
            let event = Event::UserEmailChanged { user, reason, ticket, evidence, case, from, to, sessions_ended };
            records.push(Record::new(d.admin.actor(), &ask.source, event));
            Ok(many(Granted::Yes(EmailChange::Done), records))
        })
    })
}

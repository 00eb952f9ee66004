//! A new password through a link by mail, for who has forgotten theirs. It stands in for the password and for nothing else:
//! the second factor is asked for as always, and no enrolment window is opened by it.
//!
//! So a link is made only for somebody who has a second factor to show. It is made for nobody whose account is being
//! recovered: what a recovery gives goes over a channel that somebody has verified, and the mailbox may be what was lost.
//! Without that, whoever reads the mailbox would need nothing but an open window to be in.

use super::notices::mailed_token;
use super::recover::shut_out;
use super::sign_in::{must_wait, standing};
use super::{Error, Means, Result, Visitor};
use crate::audit::{Action, Actor, Event, Record};
use crate::host::keys::MacUse;
use crate::ids::UserId;
use crate::notices::Facts;
use crate::outbox::{Kind, NewMessage};
use crate::password::NewPassword;
use crate::policy;
use crate::secret::{Purpose, Token};
use crate::sessions::device_name;
use crate::storage::{Audited, ReadTx, WriteTx, links, outbox, recovery, users};
use crate::time::Timestamp;
use crate::users::{Email, Status, User};

/// Sends a link to this address, if it is one that somebody signs in with and nothing stands against it. Who asks is not
/// told which: there is one write in either case, and nothing else that takes time. Beyond [`policy::PASSWORD_RESETS`]
/// within an hour nothing is written in either case.
///
/// # Errors
/// Storage.
pub fn ask(means: &Means, email: &Email, visitor: &Visitor) -> Result<()> {
    let counted = means.key.mac(MacUse::LinkRequests, &[email.as_str().as_bytes()]);
    let now = means.clock.now();
    // Looked at first: beyond the limit somebody may ask as often as they like, and would learn from the time that it takes.
    if means.store.read(|tx| links::is_spent(tx, &counted, now))? {
        return Ok(());
    }
    let Some(user) = means.store.read(|tx| users::find_by_email(tx, email))? else {
        return Ok(means.store.touch(move |tx| tx.stranger_asked(&counted))?);
    };
    let (id, source, key) = (user.id, visitor.source(), std::sync::Arc::clone(&means.key));
    let facts =
        Facts { address: visitor.address.to_string(), device: device_name(&visitor.user_agent), ..Facts::default() };
    let asked = means.store.change(move |tx| {
        if !links::insert_request(tx, &counted)? {
            return Err(Error::Wait(policy::PASSWORD_RESET_HOUR));
        }
        let user = users::get(tx, id)?;
        let event = match obstacle(tx, &user)? {
            Some(rule) => Event::refused(Action::UserPasswordResetRequested, Some((&user).into()), rule),
            None => {
                let message = NewMessage::of(Kind::PasswordReset, &user, facts.to_json());
                outbox::insert(tx, &message)?;
                let token = mailed_token(&key, message.id).hash(Purpose::PasswordReset);
                links::insert_password_reset(tx, &token, id, tx.now().plus(policy::PASSWORD_RESET_LINK))?;
                Event::PasswordResetRequested { user: (&user).into() }
            }
        };
        Ok(Audited::new((), Record::new(Actor::Anonymous, &source, event)))
    });
    match asked {
        // The links of this hour are on their way.
        Err(Error::Wait(_)) => Ok(()),
        asked => asked,
    }
}

/// What stands against a link for this person, as the trail says it.
fn obstacle(tx: &WriteTx<'_>, user: &User) -> Result<Option<&'static str>> {
    let standing = standing(tx, user)?;
    Ok(if user.status != Status::Active {
        Some("account_not_active")
    } else if must_wait(tx, user)? {
        Some("people_not_confirmed")
    } else if recovery::find_open(tx, user.id)?.is_some() {
        Some("recovery_under_way")
    } else if standing.window.is_some() {
        Some("enrolment_window_open")
    } else if !standing.has_factor && !standing.has_codes {
        Some("no_second_factor")
    } else {
        None
    })
}

/// Whose link this is, if it works.
///
/// # Errors
/// Storage.
pub fn look(means: &Means, token: &Token) -> Result<Option<User>> {
    let now = means.clock.now();
    means.store.read(|tx| {
        let found = find(tx, token, now)?;
        Ok(found.map(|id| users::get(tx, id)).transpose()?.filter(|user| user.status == Status::Active))
    })
}

fn find(tx: &ReadTx<'_>, token: &Token, now: Timestamp) -> Result<Option<UserId>> {
    Ok(links::find_password_reset(tx, &token.hash(Purpose::PasswordReset), now)?.map(|(id, _)| id))
}

/// Sets the new password. Every session, sign-in under way, remembered device and link of the person ends, this link
/// included; factors and codes stay. False if something stands against it now, and then the links end as well.
///
/// # Errors
/// [`Error::NotFound`] if the link does not work (any more); [`Error::Busy`]; storage.
pub fn complete(means: &Means, token: &Token, password: &NewPassword, visitor: &Visitor) -> Result<bool> {
    if look(means, token)?.is_none() {
        return Err(Error::NotFound);
    }
    let hash = means.hash_new(password)?;
    let (token, source) = (token.clone(), visitor.source());
    means.store.change(move |tx| {
        let user = users::get(tx, find(tx, &token, tx.now())?.ok_or(Error::NotFound)?)?;
        let obstacle = obstacle(tx, &user)?;
        let event = match obstacle {
            Some(rule) => {
                links::delete_of(tx, user.id)?;
                Event::refused(Action::UserPasswordResetCompleted, Some((&user).into()), rule)
            }
            None => {
                users::update_password(tx, user.id, &hash)?;
                shut_out(tx, user.id)?;
                Event::PasswordResetCompleted { user: (&user).into() }
            }
        };
        Ok(Audited::new(obstacle.is_none(), Record::new(Actor::Anonymous, &source, event)))
    })
}

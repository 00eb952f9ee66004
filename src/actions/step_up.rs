//! Confirming with a second factor that it is still the same person, in the same form as the act that needs it.

use super::authorise::signed_in;
use super::second_factor::{Checked, Typed, check, prepare};
use super::sign_in::many;
use super::{Means, Result, Visitor};
use crate::audit::{Actor, Event, Record};
use crate::sessions::Session;
use crate::storage::sessions;

/// Checks a second factor of a full session; true if it was right. It counts for this session only.
///
/// # Errors
/// [`super::Error::SessionGone`], [`super::Error::Wait`], [`super::Error::Busy`]; storage.
pub fn step_up(means: &Means, session: &Session, typed: Typed, visitor: &Visitor) -> Result<bool> {
    let prepared = prepare(means, session.user_id, typed)?;
    let (id, source) = (session.id, visitor.source());
    means.store.change(move |tx| {
        let (session, user) = signed_in(tx, id, tx.now())?;
        match check(tx, &user, &prepared, &source)? {
            Checked::Wrong { records } => Ok(many(false, records)),
            Checked::Right { with, mut records, .. } => {
                sessions::update_step_up(tx, session.id)?;
                let event = Event::UserStepUp { user: (&user).into(), with, resumed: false };
                records.push(Record::new(Actor::Person((&user).into()), &source, event));
                Ok(many(true, records))
            }
        }
    })
}

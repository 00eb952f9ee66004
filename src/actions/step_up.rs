//! Confirming with a second factor that it is still the same person, in the same form as the act that needs it.

use super::authorise::signed_in;
use super::second_factor::{Checked, Typed, check, prepare};
use super::sign_in::many;
use super::{Means, Result, Visitor};
use crate::audit::{Actor, Event, Record};
use crate::secret::{Purpose, Token};
use crate::sessions::Session;
use crate::storage::sessions;

/// Checks a second factor of a full session. If it was right the session goes on, confirmed, under a new cookie; it
/// counts for this session only. `None` if it was wrong.
///
/// # Errors
/// [`super::Error::SessionGone`], [`super::Error::Wait`], [`super::Error::Busy`]; storage.
pub fn step_up(means: &Means, session: &Session, typed: Typed, visitor: &Visitor) -> Result<Option<(Session, Token)>> {
    let prepared = prepare(means, session.user_id, typed, visitor)?;
    let (id, visitor, source) = (session.id, visitor.clone(), visitor.source());
    means.store.change(move |tx| {
        let (mut session, user) = signed_in(tx, id, tx.now())?;
        match check(tx, &user, &prepared, &visitor)? {
            Checked::Wrong { records } => Ok(many(None, records)),
            Checked::Right { with, mut records, .. } => {
                (session.step_up_at, session.seen_at) = (tx.now(), tx.now());
                let token = Token::generate();
                sessions::insert(tx, &session, &token.hash(Purpose::Session))?;
                let event = Event::UserStepUp { user: (&user).into(), with, resumed: false };
                records.push(Record::new(Actor::Person((&user).into()), &source, event));
                Ok(many(Some((session, token)), records))
            }
        }
    })
}

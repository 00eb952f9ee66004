//! Who acts: re-read inside the transaction that acts, so that a demotion or sign-out that came between wins.

use super::{Error, Means, Result, Visitor};
use crate::audit::{Actor, Event, Record};
use crate::grants::Asker;
use crate::ids::SessionId;
use crate::sessions::{Freshness, Session, Stage};
use crate::storage::{Audited, ReadTx, sessions, users};
use crate::time::Timestamp;
use crate::users::User;

/// On whose behalf an administrative act is asked for.
#[derive(Debug, Clone)]
pub enum By {
    /// The person of this session.
    Session(SessionId),
    /// A command on the host.
    Host,
}

/// Who acts, as they are at this moment. It can only be had from [`Admin::authorise`].
#[derive(Debug, Clone)]
pub struct Admin {
    user: Option<User>,
}

impl Admin {
    /// Reads who acts. A person's session must be full, live and confirmed by a second factor recently.
    ///
    /// # Errors
    /// [`Error::SessionGone`] or [`Error::StepUpNeeded`].
    pub fn authorise(tx: &ReadTx<'_>, by: &By, now: Timestamp) -> Result<Self> {
        match by {
            By::Host => Ok(Self { user: None }),
            By::Session(id) => Ok(Self { user: Some(stepped_up(tx, *id, now)?.1) }),
        }
    }

    /// As the grant rule sees them.
    pub const fn asker(&self) -> Asker<'_> {
        match &self.user {
            Some(user) => Asker::Person(user),
            None => Asker::Host,
        }
    }

    /// As the trail names them.
    pub fn actor(&self) -> Actor {
        match &self.user {
            Some(user) => Actor::Person(user.into()),
            None => Actor::Host,
        }
    }

    /// As a page names them.
    pub fn name(&self) -> String {
        self.user.as_ref().map_or_else(|| "the host".to_owned(), |u| u.name.to_string())
    }
}

/// A full, live session and its person.
///
/// # Errors
/// [`Error::SessionGone`].
pub fn signed_in(tx: &ReadTx<'_>, id: SessionId, now: Timestamp) -> Result<(Session, User)> {
    let session = sessions::find_by_id(tx, id)?.ok_or(Error::SessionGone)?;
    if session.stage != Stage::Full || session.freshness(now) != Freshness::Live {
        return Err(Error::SessionGone);
    }
    let user = users::get(tx, session.user_id)?;
    Ok((session, user))
}

/// As [`signed_in`], and a second factor was shown in it recently.
///
/// # Errors
/// [`Error::SessionGone`] or [`Error::StepUpNeeded`].
pub fn stepped_up(tx: &ReadTx<'_>, id: SessionId, now: Timestamp) -> Result<(Session, User)> {
    let (session, user) = signed_in(tx, id, now)?;
    if session.is_stepped_up(now) { Ok((session, user)) } else { Err(Error::StepUpNeeded) }
}

/// Records that a signed-in person sent a form to a page that their role does not open.
///
/// # Errors
/// [`Error::SessionGone`]; storage.
pub fn refused_at_door(means: &Means, session: SessionId, route: &'static str, visitor: &Visitor) -> Result<()> {
    let source = visitor.source();
    means.store.change(move |tx| {
        let (_, user) = signed_in(tx, session, tx.now())?;
        let event = Event::UserAccessRefused { user: (&user).into(), route };
        Ok(Audited::new((), Record::new(Actor::Person((&user).into()), &source, event)))
    })
}

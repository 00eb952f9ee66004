//! Ending one's own sessions and forgetting one's own devices.
//!
//! None of this asks for a second factor: it only takes trust away, and someone whose phone was stolen must be able to do
//! it at once. A device that is forgotten is signed out too, because that is what one wants of a laptop that is gone; the
//! session in which it is asked for goes on.

use super::authorise::signed_in;
use super::{Error, Means, Result, Visitor};
use crate::audit::{Actor, Event, Record};
use crate::ids::{DeviceId, SessionId};
use crate::sessions::{Session, Stage, device_name};
use crate::storage::{Audited, devices, sessions, throttle};
use crate::throttle::Budget;

/// Ends one of the person's own sessions; its cookie is dead when this returns.
///
/// # Errors
/// [`Error::NotFound`] for a session of someone else, or one that has ended; storage.
pub fn end(means: &Means, session: &Session, which: SessionId, visitor: &Visitor) -> Result<()> {
    let (here, source) = (session.id, visitor.source());
    means.store.change(move |tx| {
        let (_, user) = signed_in(tx, here, tx.now())?;
        let found = sessions::find_by_id(tx, which)?
            .filter(|s| s.user_id == user.id && s.stage == Stage::Full)
            .ok_or(Error::NotFound)?;
        sessions::delete(tx, which)?;
        let device = device_name(&found.user_agent);
        let event = Event::UserOwnSessionRevoked { user: (&user).into(), session: which.to_string(), device };
        Ok(Audited::new((), Record::new(Actor::Person((&user).into()), &source, event)))
    })
}

/// Ends every session of the person but this one, sign-ins under way included.
///
/// # Errors
/// [`Error::SessionGone`]; storage.
pub fn end_others(means: &Means, session: &Session, visitor: &Visitor) -> Result<()> {
    let (here, source) = (session.id, visitor.source());
    means.store.change(move |tx| {
        let (_, user) = signed_in(tx, here, tx.now())?;
        let sessions_ended = sessions::delete_all(tx, user.id, Some(here))?;
        let event = Event::UserOtherSessionsRevoked { user: (&user).into(), sessions_ended };
        Ok(Audited::new((), Record::new(Actor::Person((&user).into()), &source, event)))
    })
}

/// Forgets one of the person's own devices with its failures, and ends what else runs on it. The next sign-in there is
/// one from a new device.
///
/// # Errors
/// [`Error::NotFound`] for a device of someone else, or one that was forgotten; storage.
pub fn forget(means: &Means, session: &Session, which: DeviceId, visitor: &Visitor) -> Result<()> {
    let (here, source) = (session.id, visitor.source());
    means.store.change(move |tx| {
        let (_, user) = signed_in(tx, here, tx.now())?;
        let known = devices::list(tx, user.id, tx.now())?;
        let found = known.into_iter().find(|d| d.id == which).ok_or(Error::NotFound)?;
        devices::delete(tx, which)?;
        throttle::delete(tx, &Budget::Device(which))?;
        let event = Event::UserDeviceForgotten {
            user: (&user).into(),
            id: which.to_string(),
            device: device_name(&found.user_agent),
            sessions_ended: sessions::delete_on_device(tx, user.id, which, here)?,
        };
        Ok(Audited::new((), Record::new(Actor::Person((&user).into()), &source, event)))
    })
}

/// As [`forget`], for every device of the person, this one included.
///
/// # Errors
/// [`Error::SessionGone`]; storage.
pub fn forget_all(means: &Means, session: &Session, visitor: &Visitor) -> Result<()> {
    let (here, source) = (session.id, visitor.source());
    means.store.change(move |tx| {
        let (_, user) = signed_in(tx, here, tx.now())?;
        let known = devices::list(tx, user.id, tx.now())?;
        for device in &known {
            throttle::delete(tx, &Budget::Device(device.id))?;
        }
        devices::delete_all(tx, user.id)?;
        let event = Event::UserDevicesForgotten {
            user: (&user).into(),
            devices: u32::try_from(known.len()).unwrap_or(u32::MAX),
            sessions_ended: sessions::delete_all(tx, user.id, Some(here))?,
        };
        Ok(Audited::new((), Record::new(Actor::Person((&user).into()), &source, event)))
    })
}

//! The photo of a person and the note about an ID, which whoever makes sure who somebody is compares them with: put there
//! and removed by owners, never on their own account.
//!
//! A picture is decoded outside the transaction, which must not wait for it, one at a time, because it takes memory, and
//! only for who may put it there.

use std::sync::PoisonError;

use super::authorise::{By, stepped_up};
use super::grants::{Ask, Granted, Preview};
use super::{Error, Means, Result};
use crate::audit::event::{Photo, PhotoChange};
use crate::audit::{Event, Record};
use crate::grants::{Grant, Rule};
use crate::portraits::{BadPicture, IdNote, Jpeg, redraw};
use crate::storage::{Audited, WriteTx, portraits, users};
use crate::users::User;

const GRANT: Grant = Grant::ChangePortrait;

/// What is to become of the picture.
#[derive(Debug, Clone)]
pub enum Picture {
    /// It stays as it is.
    Keep,
    /// It goes.
    Remove,
    /// This takes its place: the bytes of a file, whatever they are.
    Put(Vec<u8>),
}

/// How changing a portrait came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangedPortrait {
    /// It was changed.
    Done,
    /// The file makes no picture; nothing was changed.
    Bad(BadPicture),
}

/// Changes what is on record of somebody else.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value. What is so already is [`Rule::NothingToDo`].
pub fn change(means: &Means, ask: Ask, picture: Picture, id_note: IdNote) -> Result<Granted<ChangedPortrait>> {
    let picture = match picture {
        Picture::Put(upload) if may(means, &ask)? => {
            let turn = means.one_picture.lock().unwrap_or_else(PoisonError::into_inner);
            let drawn = redraw(&upload);
            drop((turn, upload));
            match drawn {
                Ok(jpeg) => Wanted::Put(jpeg),
                Err(why) => return Ok(Granted::Yes(ChangedPortrait::Bad(why))),
            }
        }
        // The rule refuses it below, where it gets its entry.
        Picture::Put(_) => Wanted::Unread,
        Picture::Keep => Wanted::Keep,
        Picture::Remove => Wanted::Remove,
    };
    means.store.change(move |tx| {
        let d = ask.decide(tx, GRANT)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, GRANT, rule));
        }
        let Some(event) = put(tx, &d.user, picture, &id_note, &d.admin.name())? else {
            return Ok(ask.refused(&d, GRANT, Rule::NothingToDo));
        };
        let said = format!("The photo of {}, or the note about their ID, was changed.", d.user.name);
        ask.done(tx, &said, &format!("/admin/users/{}", d.user.id))?;
        let record = Record::new(d.admin.actor(), &ask.source, event);
        Ok(Audited::new(Granted::Yes(ChangedPortrait::Done), record))
    })
}

/// Whether the rule allows it at this moment: nobody else has a picture decoded.
fn may(means: &Means, ask: &Ask) -> Result<bool> {
    let By::Session(session) = ask.by else { return Ok(true) };
    let now = means.clock.now();
    means.store.read(|tx| {
        let (_, asker) = stepped_up(tx, session, now)?;
        let user = users::find_ranked(tx, ask.user, now)?.ok_or(Error::NotFound)?;
        Ok(Preview::read(tx, &asker, &user, now)?.refusal(GRANT).is_none())
    })
}

/// What is to become of the picture, once it is known to be one.
enum Wanted {
    /// Nobody looked at it, because it was refused a moment before.
    Unread,
    Keep,
    Remove,
    Put(Jpeg),
}

/// Puts on record what is wanted; what changed by it, if anything.
fn put(tx: &WriteTx<'_>, user: &User, picture: Wanted, id_note: &IdNote, by: &str) -> Result<Option<Event>> {
    if matches!(picture, Wanted::Unread) {
        return Ok(None);
    }
    let old_note = portraits::find(tx, user.id)?.map(|p| p.id_note).unwrap_or_default();
    let old = portraits::find_jpeg(tx, user.id)?;
    let (jpeg, photo) = match (picture, old) {
        (Wanted::Remove, Some(old)) => (None, PhotoChange::Removed(named(&old))),
        (Wanted::Put(new), old) if old.as_ref() != Some(&new) => {
            let change = PhotoChange::Put { now: named(&new), before: old.as_ref().map(named) };
            (Some(new), change)
        }
        (_, old) => (old, PhotoChange::Kept),
    };
    let note = match (old_note.is_empty(), id_note.is_empty()) {
        _ if old_note == *id_note => None,
        (true, _) => Some("added"),
        (false, true) => Some("removed"),
        (false, false) => Some("changed"),
    };
    if photo == PhotoChange::Kept && note.is_none() {
        return Ok(None);
    }
    portraits::delete(tx, user.id)?;
    if jpeg.is_some() || !id_note.is_empty() {
        portraits::insert(tx, user.id, jpeg.as_ref(), id_note, by)?;
    }
    Ok(Some(Event::PortraitChanged { user: user.into(), photo, id_note: note }))
}

/// Removes whatever is on record of somebody; what was removed by it, if anything.
///
/// # Errors
/// Storage.
pub(super) fn remove(tx: &WriteTx<'_>, user: &User) -> Result<Option<Event>> {
    put(tx, user, Wanted::Remove, &IdNote::default(), "")
}

fn named(jpeg: &Jpeg) -> Photo {
    Photo { digest: jpeg.digest(), bytes: u32::try_from(jpeg.as_bytes().len()).unwrap_or(u32::MAX) }
}

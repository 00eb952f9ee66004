//! The key that signs how far the trail has come: showing its public half, and replacing it.

use std::fmt;
use std::path::Path;

use super::checkpoint::{CheckpointError, Occasion, sign, verifier_key};
use crate::audit::note::{Note, VerifierKey};
use crate::audit::{Actor, Event, Record, Source, TrailFact};
use crate::host::keys::{AuditSigningKey, KeyError, load_audit, replace_audit};
use crate::storage::{self, Audited, Store, instance};

/// Why the key can not be shown or replaced.
#[derive(Debug)]
pub enum AuditKeyError {
    /// The key file can not be used.
    Key(KeyError),
    /// The database can not be used.
    Storage(storage::Error),
    /// The key was replaced; the first checkpoint with it could not be made.
    Checkpoint(CheckpointError),
}

impl fmt::Display for AuditKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(e @ (KeyError::Missing(_) | KeyError::Malformed(_))) => {
                write!(f, "{e}; if it is lost for good, idp audit key rotate --lost makes a new one and records that")
            }
            Self::Key(e) => e.fmt(f),
            Self::Storage(e) => e.fmt(f),
            Self::Checkpoint(e) => write!(f, "the key was replaced, and the first checkpoint with it failed: {e}"),
        }
    }
}

impl std::error::Error for AuditKeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(e) => std::error::Error::source(e),
            Self::Checkpoint(e) => std::error::Error::source(e),
            Self::Storage(_) => None,
        }
    }
}

impl From<CheckpointError> for AuditKeyError {
    fn from(e: CheckpointError) -> Self {
        Self::Checkpoint(e)
    }
}

impl From<KeyError> for AuditKeyError {
    fn from(e: KeyError) -> Self {
        Self::Key(e)
    }
}

impl From<storage::Error> for AuditKeyError {
    fn from(e: storage::Error) -> Self {
        Self::Storage(e)
    }
}

/// The public half of the key in `folder`.
///
/// # Errors
/// See [`AuditKeyError`].
pub fn public(folder: &Path, store: &Store) -> Result<VerifierKey, AuditKeyError> {
    let origin = store.read(instance::get)?.origin;
    Ok(verifier_key(&load_audit(folder)?, &origin))
}

/// Replaces the key, records it, and signs with the new one how far the trail has come. The old key signs for the new one,
/// unless it is `lost`.
///
/// The entry is written before the file: a key that no entry speaks of would never be trusted. After a power cut between
/// the two the old key is still there, and the command can be given again.
///
/// # Errors
/// See [`AuditKeyError`]; where the key is not `lost`, it has to be there.
pub fn rotate(folder: &Path, store: &Store, source: &Source, lost: bool) -> Result<VerifierKey, AuditKeyError> {
    let origin = store.read(instance::get)?.origin;
    let old = if lost { None } else { Some(load_audit(folder)?) };
    let key = AuditSigningKey::generate();
    let new = verifier_key(&key, &origin);
    let old_line = old.as_ref().map(|old| verifier_key(old, &origin));
    let endorsed = old.as_ref().zip(old_line.as_ref());
    let endorsed = endorsed.map(|(old, line)| Note::sign(format!("{new}\n"), line, |text| old.sign(text)).to_string());
    let event = Event::Trail(TrailFact::KeyRotated {
        old: old_line.as_ref().map(VerifierKey::to_string),
        new: new.to_string(),
        endorsed,
    });
    let record = Record::new(Actor::Host, source, event);
    store.change(move |_| -> storage::Result<_> { Ok(Audited::new((), record)) })?;
    replace_audit(folder, &key)?;
    sign(store, (Actor::Host, source), Occasion::KeyRotated)?;
    Ok(new)
}

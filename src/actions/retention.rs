//! Erasing what old entries say, where owners have set how long it is kept.
//!
//! Architecture invariant: whether, and up to where, is decided inside the transaction that erases and records it; a legal
//! hold that was set a moment before is obeyed.

use crate::audit::erasure::Pruned;
use crate::audit::{Actor, Event, Record, Source, TrailFact};
use crate::retention::Next;
use crate::storage::{self, Audited, Store, retention};
use crate::time::Timestamp;

use super::{Error, Result};

/// Pieces in one round: what else a server has to do by itself must not wait until a whole trail is erased.
const PIECES: usize = 20;

/// One round: erases what is old enough, piece by piece, and empties the database's log behind it.
///
/// # Errors
/// Storage; what was erased before stays erased, and is recorded.
pub fn retain(store: &Store, now: Timestamp) -> Result<()> {
    for _ in 0..PIECES {
        let next = store.read(|tx| Ok::<_, storage::Error>(retention::get(tx, now)?.next(now)))?;
        if !matches!(next, Next::Erase(_)) || erase(store)?.is_none() {
            break;
        }
    }
    store.fold_erased()?;
    Ok(())
}

/// Erases one piece, and says which; nothing where nothing is to be erased.
///
/// # Errors
/// Storage.
pub fn erase(store: &Store) -> Result<Option<Pruned>> {
    let erased = store.change(|tx| {
        let Next::Erase(pruned) = retention::get(tx, tx.now())?.next(tx.now()) else { return Err(Error::NotFound) };
        retention::update_erased(tx, &pruned)?;
        let event = Event::Trail(TrailFact::Pruned(pruned));
        Ok(Audited::new(pruned, Record::new(Actor::System, &Source::default(), event)))
    });
    match erased {
        Ok(pruned) => {
            store.note_erased();
            Ok(Some(pruned))
        }
        Err(Error::NotFound) => Ok(None),
        Err(e) => Err(e),
    }
}

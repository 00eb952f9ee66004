//! What time does by itself: what has expired goes, windows that closed close their cases, counts become entries.

use super::sign_in::many;
use super::{Means, Result};
use crate::audit::{Actor, Event, Record, Source};
use crate::recovery::CaseState;
use crate::storage::sweep::{delete_unknown_failures, list_unknown_failures};
use crate::storage::{recovery, users};
use crate::time::Timestamp;

/// Rows per transaction, so that requests do not wait long behind it.
const MOST: u32 = 500;

/// One round of everything. `ending` also turns the counts of the current minute into entries.
///
/// # Errors
/// Storage; what was done before stays done.
pub fn sweep(means: &Means, ending: bool) -> Result<()> {
    while means.store.sweep(|tx| tx.expired(MOST))? >= MOST as usize {}
    record_unknown_failures(means, ending)?;
    expire_cases(means)
}

fn record_unknown_failures(means: &Means, all: bool) -> Result<()> {
    loop {
        let now = means.clock.now();
        if means.store.read(|tx| list_unknown_failures(tx, now, all, 1))?.is_empty() {
            return Ok(());
        }
        let done = means.store.change(move |tx| {
            // Counted here and not above: a failure that came in between would be deleted without being counted.
            let ready = list_unknown_failures(tx, now, all, MOST)?;
            if ready.is_empty() {
                return Err(super::Error::NotFound);
            }
            let mut records = Vec::with_capacity(ready.len());
            for failures in &ready {
                delete_unknown_failures(tx, failures)?;
                let source = Source { address: Some(failures.source.clone()), ..Source::default() };
                let event = Event::UnknownSignInsFailed {
                    source: failures.source.clone(),
                    minute: minute_text(failures.minute),
                    count: failures.count,
                };
                records.push(Record::new(Actor::Anonymous, &source, event));
            }
            Ok(many((), records))
        });
        match done {
            Ok(()) => {}
            // Another round, at the server's end, has done it.
            Err(super::Error::NotFound) => return Ok(()),
            Err(e) => return Err(e),
        }
    }
}

/// `2026-11-24T09:12Z`.
fn minute_text(minute: Timestamp) -> String {
    format!("{}Z", &minute.to_string()[..16])
}

fn expire_cases(means: &Means) -> Result<()> {
    let now = means.clock.now();
    for case in means.store.read(|tx| recovery::list_overdue(tx, now, MOST))? {
        let number = case.number;
        let done = means.store.change(move |tx| {
            // The person may have enrolled meanwhile.
            if !recovery::update_closed(tx, number, CaseState::Expired)? {
                return Err(super::Error::NotFound);
            }
            recovery::delete_window(tx, case.user_id)?;
            let user = users::get(tx, case.user_id)?;
            let event = Event::RecoveryExpired { user: (&user).into(), case: number, why: "the window closed" };
            Ok(many((), vec![Record::new(Actor::System, &Source::default(), event)]))
        });
        match done {
            Ok(()) | Err(super::Error::NotFound) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

//! What time does by itself: what has expired goes, windows that closed close their cases, counts become entries.

use super::cases;
use super::sign_in::many;
use super::{Means, Result, retention};
use crate::audit::{Actor, Event, Record, Source};
use crate::recovery::{Act, CaseState, RequestState};
use crate::storage::recovery::requests;
use crate::storage::sweep::{delete_unknown_failures, list_unknown_failures};
use crate::storage::{policy, recovery, users};
use crate::time::Timestamp;

/// Rows per transaction, so that requests do not wait long behind it.
const MOST: u32 = 500;

/// One round of everything. `ending` also turns the counts of the current minute into entries.
///
/// # Errors
/// Storage; what was done before stays done.
pub fn sweep(means: &Means, ending: bool) -> Result<()> {
    while means.store.sweep(|tx| tx.expired(MOST))? >= MOST as usize {}
    while !means.mails && means.store.sweep(|tx| tx.unsendable(MOST))? >= MOST as usize {}
    record_unknown_failures(means, ending)?;
    expire_cases(means)?;
    retention::retain(&means.store, means.clock.now())
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

/// Requests that nobody decided or used in time, then cases whose time has passed.
fn expire_cases(means: &Means) -> Result<()> {
    let now = means.clock.now();
    for request in means.store.read(|tx| requests::list_overdue(tx, now, MOST))? {
        unless_gone(means.store.change(move |tx| {
            let mut case = recovery::find(tx, request.case)?.ok_or(super::Error::NotFound)?;
            // It may have been used or decided meanwhile.
            requests::find_live(tx, case.number)?.filter(|r| r.valid_until <= now).ok_or(super::Error::NotFound)?;
            let (user, policy) = (users::get(tx, case.user_id)?, policy::get(tx, tx.now())?);
            let why = match request.state {
                RequestState::Approved => "approved and not carried out in time",
                _ => "not decided in time",
            };
            let source = Source::default();
            let lapsed = cases::lapse(tx, &mut case, &user, (Actor::System, why), &source, &policy)?;
            Ok(many((), lapsed.into_iter().collect()))
        }))?;
    }
    for case in means.store.read(|tx| recovery::list_overdue(tx, now, MOST))? {
        unless_gone(means.store.change(move |tx| {
            // The person may be back meanwhile, or have been given something else.
            let case = recovery::find(tx, case.number)?.filter(|c| c.due_at.is_some_and(|at| at <= now));
            let case = case.ok_or(super::Error::NotFound)?;
            let user = users::get(tx, case.user_id)?;
            let act = case.act.as_ref().map(|done| done.act);
            let why = match case.state {
                CaseState::AwaitingEnrolment if case.ends_with_window() => "the window closed",
                CaseState::Acted if act == Some(Act::Email) => "nobody signed in with the new address",
                CaseState::AwaitingEnrolment | CaseState::Acted => "what was given was not used in time",
                _ => "nobody did anything",
            };
            if case.state == CaseState::AwaitingEnrolment {
                recovery::delete_window(tx, case.user_id)?;
            }
            Ok(many((), cases::expire(tx, &user, Actor::System, why, &Source::default())?))
        }))?;
    }
    Ok(())
}

/// Another round, or the person, may have done meanwhile what was to be done.
fn unless_gone(done: Result<()>) -> Result<()> {
    match done {
        Err(super::Error::NotFound) => Ok(()),
        done => done,
    }
}

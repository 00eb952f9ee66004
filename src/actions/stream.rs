//! Sending the trail on: round after round, by one thread a receiver, beside the requests and never inside one.
//!
//! Architecture invariant: the mark of how far a receiver is moves when entries have arrived there, and never past one that
//! has not. Between the two there is one window that nothing can close: who is killed in it sends those entries again at the
//! next start. A receiver knows them again by lineage and number.

use std::time::Duration;

use crate::audit::Action;
use crate::audit::anchor::Way;
use crate::audit::export::deceives;
use crate::audit::filter::Filter;
use crate::host::link::{Link, Patience};
use crate::storage::{Result, Store, audit, streams};
use crate::streams::{Item, Receiver, Standing};
use crate::time::{Clock, Timestamp};

/// Entries that are read and sent at a time, and about how many bytes.
const MOST: u32 = 100;
const BYTES: usize = 256 * 1024;
/// A connection that breaks again within this time is not made anew at once.
const CALM: Duration = Duration::from_secs(600);
/// What is kept of why something failed, in characters.
const SAID: usize = 300;

/// Who carries the trail to one receiver, from one round to the next.
pub struct Carrier {
    link: Box<dyn Link>,
    /// The mark was looked at since the start.
    begun: bool,
    /// It was said that the receiver takes nothing.
    told: bool,
    /// How often the connection broke lately, when it last did, and until when it is left alone.
    breaks: u32,
    broke_at: Option<Timestamp>,
    rests_until: Option<Timestamp>,
}

impl Carrier {
    /// Nothing was carried yet.
    pub fn new(link: Box<dyn Link>) -> Self {
        Self { link, begun: false, told: false, breaks: 0, broke_at: None, rests_until: None }
    }

    /// To whom.
    pub fn receiver(&self) -> Receiver {
        self.link.receiver()
    }

    /// Sends what the receiver does not have yet, until it has everything or takes nothing more.
    ///
    /// # Errors
    /// When the database can not be read or written; the next round goes on where this one was.
    pub fn round(&mut self, store: &Store, clock: &Clock, patience: Patience<'_>) -> Result<()> {
        let (receiver, place) = (self.receiver(), self.link.place());
        // Who starts the program anew has perhaps just put right what was wrong.
        let mut at_once = !self.begun;
        if !self.begun {
            store.touch(move |tx| tx.stream_begun(receiver, &place))?;
            self.begun = true;
        }
        while patience.lasts() {
            let (standing, newest) = store
                .read(|tx| Ok::<_, crate::storage::Error>((streams::find(tx, receiver)?, audit::get_head(tx)?.seq)))?;
            let Some(standing) = standing.filter(|standing| standing.sent <= newest) else {
                self.begun = false;
                return Ok(());
            };
            if let Some(after) = self.link.look() {
                self.set_back(store, after, clock.now())?;
                continue;
            }
            if !at_once && !self.is_due(&standing, clock.now()) {
                return Ok(());
            }
            at_once = false;
            let filter = match self.link.wants_entries() {
                true => Filter::default(),
                false => Filter { action: Some(Action::AuditCheckpointSigned), ..Filter::default() },
            };
            let items = store.read(|tx| streams::list_items(tx, &filter, standing.sent, MOST, BYTES))?;
            if items.is_empty() {
                return if standing.failing.is_some() { self.moved(store, standing.sent, &[]) } else { Ok(()) };
            }
            if !self.carry(store, &standing, &items, clock, patience)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The last round: what is due, and leave. A receiver that takes nothing is left alone.
    ///
    /// # Errors
    /// As [`Carrier::round`].
    pub fn end(&mut self, store: &Store, clock: &Clock, patience: Patience<'_>) -> Result<()> {
        if self.told {
            return Ok(());
        }
        self.round(store, clock, patience)?;
        let receiver = self.receiver();
        match self.link.farewell(patience) {
            Some(after) => store.touch(move |tx| tx.stream_set_back(receiver, after)),
            None => Ok(()),
        }
    }

    fn is_due(&self, standing: &Standing, now: Timestamp) -> bool {
        // What lies farther ahead than any wait was said by a clock that has stepped back since.
        let most = self.receiver().wait_after(u32::MAX);
        let is_ahead = |until: Timestamp| until > now && until.since(now) <= most;
        !standing.failing.as_ref().is_some_and(|failing| is_ahead(failing.next_at))
            && !self.rests_until.is_some_and(is_ahead)
    }

    /// Gives the receiver these entries; whether it took something.
    fn carry(
        &mut self,
        store: &Store,
        standing: &Standing,
        items: &[Item],
        clock: &Clock,
        patience: Patience<'_>,
    ) -> Result<bool> {
        let delivered = self.link.deliver(standing.sent, items, patience);
        let arrived = &items[..delivered.arrived.min(items.len())];
        if let Some(last) = arrived.last() {
            self.moved(store, last.seq, arrived)?;
        }
        if let Some(after) = delivered.back_to {
            self.set_back(store, after, clock.now())?;
        }
        match delivered.failed {
            Some(why) => {
                let before = standing.failing.as_ref().filter(|_| arrived.is_empty()).map_or(0, |f| f.attempts);
                self.failed(store, before + 1, &why, clock.now()).map(|()| false)
            }
            None => Ok(!arrived.is_empty()),
        }
    }

    fn moved(&mut self, store: &Store, to: i64, arrived: &[Item]) -> Result<()> {
        let (receiver, place) = (self.receiver(), self.link.place());
        let checkpoint = arrived.iter().rev().find_map(|item| item.checkpoint.as_ref());
        let anchor = checkpoint.filter(|_| receiver == Receiver::Syslog).map(|checkpoint| checkpoint.point.clone());
        store.touch(move |tx| {
            if let Some(point) = anchor {
                tx.anchored(Way::Syslog, &point, &place)?;
            }
            tx.stream_moved(receiver, to)
        })?;
        if std::mem::take(&mut self.told) {
            tracing::info!(%receiver, place = self.link.place(), "the trail is sent again");
        }
        Ok(())
    }

    fn set_back(&mut self, store: &Store, after: i64, now: Timestamp) -> Result<()> {
        let receiver = self.receiver();
        if self.broke_at.is_none_or(|at| now.since(at) > CALM) {
            self.breaks = 0;
        }
        self.breaks += 1;
        self.broke_at = Some(now);
        // The first time it is connected again at once: receivers are restarted, and that is all there is to it.
        self.rests_until = (self.breaks > 1).then(|| now.plus(receiver.wait_after(self.breaks - 1)));
        store.touch(move |tx| tx.stream_set_back(receiver, after))
    }

    fn failed(&mut self, store: &Store, attempts: u32, why: &str, now: Timestamp) -> Result<()> {
        let receiver = self.receiver();
        // A certificate's names stand in it, and anybody can have written those.
        let why: String = why.chars().filter(|c| !deceives(*c)).take(SAID).collect();
        // Said once, not at each try.
        if !std::mem::replace(&mut self.told, true) {
            tracing::warn!(%receiver, place = self.link.place(), "the trail is not taken, and is kept and sent later: {why}");
        }
        let next = now.plus(receiver.wait_after(attempts));
        store.touch(move |tx| tx.stream_failed(receiver, next, &why))
    }
}

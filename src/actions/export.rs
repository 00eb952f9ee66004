//! Exporting entries of the trail: first the entry that says so, then the entries themselves, page by page.
//!
//! Architecture invariant: an export covers the trail as it was when the export was recorded. Its own entry and all later
//! ones are not in it, so one filter and one end give the same bytes for ever, and the entry says which those are.

use std::io::{self, Read};
use std::ops::Deref;

use crate::audit::export::{Format, push_csv_header, push_csv_row, push_json_line};
use crate::audit::filter::Filter;
use crate::audit::{Actor, Event, Record, Source, TrailFact};
use crate::ids::SessionId;
use crate::storage::{self, Audited, Store, WriteTx, audit};

use super::Error;
use super::authorise::signed_in;

/// Entries that are read at a time: a server must be able to fold its log in between.
const PAGE: u32 = 1_000;

/// Records that a command on the host begins an export; returns the number of the newest entry that it covers.
///
/// # Errors
/// Why it could not be recorded; then nothing may be exported.
pub fn begin(store: &Store, source: &Source, filter: &Filter, format: Format) -> Result<i64, storage::Error> {
    let (source, filter) = (source.clone(), filter.to_sentence());
    store.change(move |tx| record(tx, Actor::Host, &source, filter, format))
}

/// As [`begin`], for the person of a session, whose role is read inside the transaction.
///
/// # Errors
/// [`Error::SessionGone`] if the session is over or its person does not read the trail any more; storage.
pub fn begin_in_session(
    store: &Store,
    session: SessionId,
    source: &Source,
    filter: &Filter,
    format: Format,
) -> Result<i64, Error> {
    let (source, filter) = (source.clone(), filter.to_sentence());
    store.change(move |tx| {
        let (_, user) = signed_in(tx, session, tx.now())?;
        if !user.role.reads_audit() {
            return Err(Error::SessionGone);
        }
        Ok(record(tx, Actor::Person((&user).into()), &source, filter, format)?)
    })
}

fn record(
    tx: &WriteTx<'_>,
    actor: Actor,
    source: &Source,
    filter: String,
    format: Format,
) -> Result<Audited<i64>, storage::Error> {
    let entries_up_to = audit::get_head(tx)?.seq;
    let event = Event::Trail(TrailFact::Exported { filter, format: format.as_str(), entries_up_to });
    Ok(Audited::new(entries_up_to, Record::new(actor, source, event)))
}

/// An export as a stream of bytes; no snapshot is held between two reads.
pub struct ExportReader<S> {
    store: S,
    filter: Filter,
    format: Format,
    up_to: i64,
    cursor: i64,
    ended: bool,
    text: String,
    given: usize,
    entries: u64,
}

impl<S: Deref<Target = Store>> ExportReader<S> {
    /// The entries that match `filter`, up to and including number `up_to` (see [`begin`]).
    pub fn new(store: S, filter: Filter, format: Format, up_to: i64) -> Self {
        let mut text = String::new();
        if format == Format::Csv {
            push_csv_header(&mut text);
        }
        Self { store, filter, format, up_to, cursor: 0, ended: false, text, given: 0, entries: 0 }
    }

    /// Only entries from this number on.
    #[must_use]
    pub fn from(self, seq: i64) -> Self {
        Self { cursor: seq - 1, ..self }
    }

    /// How many entries were read so far.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Puts the next page in place of the text that was given out.
    fn turn(&mut self) -> Result<(), storage::Error> {
        self.text.clear();
        self.given = 0;
        let (text, format, range) = (&mut self.text, self.format, (self.cursor, self.up_to));
        let entries = &mut self.entries;
        let last = self.store.read(|tx| {
            audit::visit_lines(tx, &self.filter, range, PAGE, |line| {
                *entries += 1;
                match format {
                    Format::JsonLines => push_json_line(text, line),
                    Format::Csv => push_csv_row(text, line),
                }
            })
        })?;
        match last {
            Some(last) => self.cursor = last,
            None => self.ended = true,
        }
        Ok(())
    }
}

impl<S: Deref<Target = Store>> Read for ExportReader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if self.ended {
                return Ok(0);
            }
            self.turn().map_err(io::Error::other)?;
        }
        let rest = &self.text.as_bytes()[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

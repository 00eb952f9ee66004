//! Walking the rows that match beside the lines of the export: one for each, in the same order.

use super::ahead::Ahead;
use super::export_line::{ExportLine, Exported, Said};
use super::{Finding, NAMED, Stop, invalid};
use crate::audit::Line;
use crate::audit::asked::Asked;
use crate::audit::erasure::is_kept;
use crate::audit::export::{Format, push_csv_row, push_json_line};
use crate::audit::table::{Preamble, Row, Seal};

pub(super) struct Matched {
    export: Ahead<Exported>,
    format: Format,
    filter: Asked,
    through: i64,
    /// A line of the export that waits for its row.
    waiting: Option<Box<ExportLine>>,
    /// Of all of the export, once it was read.
    sha256: [u8; 32],
    entries: u64,
    last: i64,
    /// The newest exported entry without a body, and how many there are.
    erased: i64,
    without: u64,
    missing: u64,
    named: Vec<i64>,
    expected: String,
}

impl Matched {
    pub(super) fn new(export: Ahead<Exported>, about: &Preamble) -> Result<Self, Stop> {
        let mut matched = Self {
            export,
            format: about.export,
            filter: about.filter.clone(),
            through: about.through,
            waiting: None,
            sha256: [0; 32],
            entries: 0,
            last: 0,
            erased: 0,
            without: 0,
            missing: 0,
            named: Vec::new(),
            expected: String::new(),
        };
        matched.advance()?;
        Ok(matched)
    }

    /// Takes the next line of the export.
    fn advance(&mut self) -> Result<(), Stop> {
        self.waiting = None;
        match self.export.next() {
            Some(Exported::Entry(line)) => self.waiting = Some(line),
            Some(Exported::End(sha256)) => self.sha256 = sha256,
            Some(Exported::Empty) => {
                return Err(Stop::Found(Finding::Incomplete("the export is empty, without its first row".into())));
            }
            Some(Exported::Bad(number, what)) => return invalid(format!("line {number} of the export {what}")),
            Some(Exported::Io(e)) => return Err(e.into()),
            None => {}
        }
        Ok(())
    }

    /// Compares a row with the line that belongs to it. `prev` and `hash` are what the rows before and this one give.
    pub(super) fn row(&mut self, row: &Row, (prev, hash): (&[u8; 32], &[u8; 32])) -> Result<(), Stop> {
        let seq = row.header.seq;
        let asked_for = seq <= self.through && self.filter.matches(&row.header);
        let Some(waiting) = self.waiting.take_if(|w| w.seq <= seq) else {
            if asked_for {
                self.missing += 1;
                if self.named.len() < NAMED {
                    self.named.push(seq);
                }
            }
            return Ok(());
        };
        let wrong =
            |what: &str| invalid(format!("line {} of the export: entry {} {what}", waiting.number, waiting.seq));
        if waiting.seq < seq {
            return wrong(if waiting.seq == self.last { "stands twice" } else { "is out of order" });
        }
        if !asked_for {
            return wrong("does not match the filter");
        }
        let line = row.line(prev, hash);
        self.expected.clear();
        if matches!(waiting.body, Said::Erased) || self.format == Format::Csv && row.body.is_none() {
            if is_kept(&row.header.action) {
                return wrong("is of a kind whose body is never erased");
            }
            (self.erased, self.without) = (seq, self.without + 1);
        }
        match (self.format, &waiting.body) {
            (Format::Csv, _) => push_csv_row(&mut self.expected, &line),
            (_, Said::Erased) => push_json_line(&mut self.expected, &Line { salt: None, body: None, ..line }),
            (_, Said::Nothing { salted: false }) => return wrong("has lost its body or salt"),
            (_, Said::All { salt, body, digest }) if *digest == row.body_digest => {
                push_json_line(&mut self.expected, &Line { salt: Some(salt), body: Some(body), ..line });
            }
            (_, Said::All { .. } | Said::Nothing { .. }) => {
                return wrong("has a body that is not the one it was written with");
            }
        }
        if self.expected.strip_suffix('\n') != Some(&waiting.text) {
            return wrong("is not the one that the proof has: its header or a hash differs");
        }
        (self.last, self.entries) = (seq, self.entries + 1);
        self.advance()
    }

    /// The newest exported entry that fits its row.
    pub(super) const fn last_sound(&self) -> i64 {
        match self.format {
            Format::JsonLines => self.last,
            // Its line was made from the row, so it does not speak for it.
            Format::Csv => 0,
        }
    }

    pub(super) const fn entries(&self) -> u64 {
        self.entries
    }

    /// Those of them without a body.
    pub(super) const fn erased(&self) -> u64 {
        self.without
    }

    /// No row is left, and the rows record that bodies were erased up to the entry `recorded`.
    pub(super) fn end(self, seal: &Seal, recorded: i64) -> Result<(), Stop> {
        if self.erased > recorded {
            let what = "is exported without its body, and the trail does not record that it was erased";
            return invalid(format!("entry {} {what}", self.erased));
        }
        if let Some(waiting) = self.waiting {
            let what =
                if waiting.seq <= self.last { "stands twice or out of order" } else { "is beyond what it covers" };
            return invalid(format!("line {} of the export: entry {} {what}", waiting.number, waiting.seq));
        }
        if seal.entries != self.entries + self.missing {
            return invalid(format!(
                "the proof's last line says that {} entries match, and {} do",
                seal.entries,
                self.entries + self.missing
            ));
        }
        if self.missing > 0 {
            let mut which: Vec<String> = self.named.iter().map(i64::to_string).collect();
            if self.missing > self.named.len() as u64 {
                which.push(format!("and {} more", self.missing - self.named.len() as u64));
            }
            let what = if self.missing == 1 { "entry" } else { "entries" };
            return Err(Stop::Found(Finding::Incomplete(format!(
                "the export lacks {what} {}, which the filter asks for",
                which.join(", ")
            ))));
        }
        if seal.sha256 != self.sha256 {
            return invalid("the proof's last line names another export than this one");
        }
        Ok(())
    }
}

//! Walking the rows that match beside the lines of the export: one for each, in the same order.

use std::io::BufRead;

use aws_lc_rs::digest::Context;
use serde_json::{Map, Value};

use super::lines::{Lines, Next};
use super::{Finding, NAMED, Stop, invalid, new_sha256, sha256};
use crate::audit::asked::Asked;
use crate::audit::body::is_canonical;
use crate::audit::erasure::is_kept;
use crate::audit::export::{Format, push_csv_header, push_csv_row, push_json_line};
use crate::audit::table::{Preamble, Row, Seal};
use crate::audit::{Line, chain};

/// The members of a line that are the body's own.
const BODY: [&str; 6] = ["actor_name", "detail", "reason", "source", "target_name", "ticket"];

/// A line of the export that waits for its row.
struct Waiting {
    seq: i64,
    text: String,
    /// Of a line of JSON.
    members: Map<String, Value>,
}

pub(super) struct Matched<E> {
    export: Lines<E>,
    format: Format,
    filter: Asked,
    through: i64,
    waiting: Option<Waiting>,
    hashed: Context,
    entries: u64,
    last: i64,
    /// The newest exported entry without a body.
    erased: i64,
    missing: u64,
    named: Vec<i64>,
    expected: String,
}

impl<E: BufRead> Matched<E> {
    pub(super) fn new(export: Lines<E>, about: &Preamble) -> Result<Self, Stop> {
        let mut matched = Self {
            export,
            format: about.export,
            filter: about.filter.clone(),
            through: about.through,
            waiting: None,
            hashed: new_sha256(),
            entries: 0,
            last: 0,
            erased: 0,
            missing: 0,
            named: Vec::new(),
            expected: String::new(),
        };
        if about.export == Format::Csv {
            let mut names = String::new();
            push_csv_header(&mut names);
            match matched.export.next()? {
                Next::Line(line) if names.strip_suffix('\n') == Some(line) => {}
                Next::End => {
                    return Err(Stop::Found(Finding::Incomplete("the export is empty, without its first row".into())));
                }
                _ => return invalid("line 1 of the export is not the row of the columns' names"),
            }
            matched.hashed.update(names.as_bytes());
        }
        matched.advance()?;
        Ok(matched)
    }

    /// Reads the next line of the export.
    fn advance(&mut self) -> Result<(), Stop> {
        let number = self.export.number() + 1;
        self.waiting = match self.export.next()? {
            Next::End => None,
            Next::Bad(what) => return invalid(format!("line {number} of the export {what}")),
            Next::Line(text) => match Waiting::read(self.format, text) {
                Some(waiting) => Some(waiting),
                None => return invalid(format!("line {number} of the export is no entry")),
            },
        };
        if self.waiting.is_some() {
            self.hashed.update(self.export.bytes());
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
        let number = self.export.number();
        if waiting.seq < seq {
            let what = if waiting.seq == self.last { "stands twice" } else { "is out of order" };
            return invalid(format!("line {number} of the export: entry {} {what}", waiting.seq));
        }
        if !asked_for {
            return invalid(format!("line {number} of the export: entry {seq} does not match the filter"));
        }
        let line = row.line(prev, hash);
        self.expected.clear();
        let erased = match self.format {
            Format::JsonLines => waiting.members.contains_key("erased"),
            Format::Csv => row.body.is_none(),
        };
        if erased {
            if is_kept(&row.header.action) {
                return invalid(format!(
                    "line {number} of the export: entry {seq} is of a kind whose body is never erased"
                ));
            }
            self.erased = seq;
        }
        match self.format {
            Format::JsonLines if erased => push_json_line(&mut self.expected, &Line { salt: None, body: None, ..line }),
            Format::JsonLines => {
                let Some((salt, body)) = body_of(waiting.members) else {
                    return invalid(format!("line {number} of the export: entry {seq} has lost its body or salt"));
                };
                if !is_canonical(&body) || chain::body_digest(&salt, &body) != row.body_digest {
                    return invalid(format!(
                        "line {number} of the export: entry {seq} has a body that is not the one it was written with"
                    ));
                }
                push_json_line(&mut self.expected, &Line { salt: Some(&salt), body: Some(&body), ..line });
            }
            Format::Csv => push_csv_row(&mut self.expected, &line),
        }
        if self.expected.strip_suffix('\n') != Some(&waiting.text) {
            return invalid(format!(
                "line {number} of the export: entry {seq} is not the one that the proof has: its header or a hash differs"
            ));
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

    /// No row is left, and the rows record that bodies were erased up to the entry `recorded`.
    pub(super) fn end(self, seal: &Seal, recorded: i64) -> Result<(), Stop> {
        if self.erased > recorded {
            let what = "is exported without its body, and the trail does not record that it was erased";
            return invalid(format!("entry {} {what}", self.erased));
        }
        if let Some(waiting) = self.waiting {
            let what =
                if waiting.seq <= self.last { "stands twice or out of order" } else { "is beyond what it covers" };
            return invalid(format!("line {} of the export: entry {} {what}", self.export.number(), waiting.seq));
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
        if seal.sha256 != sha256(self.hashed) {
            return invalid("the proof's last line names another export than this one");
        }
        Ok(())
    }
}

impl Waiting {
    fn read(format: Format, line: &str) -> Option<Self> {
        let (seq, members) = match format {
            Format::JsonLines => {
                let members: Map<String, Value> = serde_json::from_str(line).ok()?;
                (members.get("seq")?.as_i64()?, members)
            }
            Format::Csv => (line.split_once(',')?.0.parse().ok()?, Map::new()),
        };
        Some(Self { seq, text: line.to_owned(), members })
    }
}

/// The stored body of a line with these members, and its salt.
fn body_of(mut members: Map<String, Value>) -> Option<([u8; 16], String)> {
    let salt = data_encoding::HEXLOWER.decode(members.get("salt")?.as_str()?.as_bytes()).ok()?;
    let body: Map<String, Value> = BODY.iter().filter_map(|name| members.remove_entry(*name)).collect();
    // Sorted keys, no white space, the shortest escapes: RFC 8785, as far as a body goes.
    Some((salt.try_into().ok()?, Value::Object(body).to_string()))
}

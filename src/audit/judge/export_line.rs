//! Lines of an export, as far as they can be read without the proof: in a thread of their own.

use std::io::{self, BufRead};

use aws_lc_rs::digest::Context;
use serde_json::{Map, Value};

use super::lines::{Lines, Next};
use super::{new_sha256, sha256};
use crate::audit::body::canonical;
use crate::audit::canonical::is_canonical;
use crate::audit::chain;
use crate::audit::export::{Format, push_csv_header};

/// The members of a line that are the body's own.
const BODY: [&str; 6] = ["actor_name", "detail", "reason", "source", "target_name", "ticket"];

/// What comes next in an export.
pub(super) enum Exported {
    /// An entry.
    Entry(Box<ExportLine>),
    /// Nothing: the hash of everything that was read.
    End([u8; 32]),
    /// Not even the first row of a CSV file.
    Empty,
    /// Something else: the end of a sentence that begins "line 7 of the export".
    Bad(u64, &'static str),
    /// It can not be read.
    Io(io::Error),
}

/// A line that stands for an entry.
pub(super) struct ExportLine {
    /// Its number in the file; 1 is the first.
    pub(super) number: u64,
    pub(super) seq: i64,
    pub(super) text: String,
    pub(super) body: Said,
}

/// What a line has of what its entry says.
pub(super) enum Said {
    /// The body's text with its salt, and the digest of both.
    All { salt: [u8; 16], body: String, digest: [u8; 32] },
    /// It says that it was erased.
    Erased,
    /// None, or none that is spelt as bodies are; always so in CSV, which is made again from the proof.
    Nothing { salted: bool },
}

/// An export, line by line.
pub(super) struct Reader<E> {
    lines: Lines<E>,
    format: Format,
    hashed: Option<Context>,
    begun: bool,
}

impl<E: BufRead> Reader<E> {
    pub(super) fn new(export: E, format: Format) -> Self {
        Self { lines: Lines::new(export), format, hashed: Some(new_sha256()), begun: false }
    }

    /// What comes next, and how many bytes that is. There is nothing behind an end or an error.
    pub(super) fn next(&mut self) -> Option<(Exported, usize)> {
        let mut hashed = self.hashed.take()?;
        let names = !std::mem::replace(&mut self.begun, true) && self.format == Format::Csv;
        let number = self.lines.number() + 1;
        let read = match self.lines.next() {
            Err(e) => Exported::Io(e),
            Ok(Next::End) if names => Exported::Empty,
            Ok(Next::End) => return Some((Exported::End(sha256(hashed)), 0)),
            Ok(Next::Line(line)) if names => {
                let mut wanted = String::new();
                push_csv_header(&mut wanted);
                if wanted.strip_suffix('\n') == Some(line) {
                    hashed.update(wanted.as_bytes());
                    self.hashed = Some(hashed);
                    return self.next();
                }
                Exported::Bad(number, "is not the row of the columns' names")
            }
            Ok(Next::Bad(_)) if names => Exported::Bad(number, "is not the row of the columns' names"),
            Ok(Next::Bad(what)) => Exported::Bad(number, what),
            Ok(Next::Line(text)) => match ExportLine::read(self.format, number, text) {
                Some(line) => Exported::Entry(Box::new(line)),
                None => Exported::Bad(number, "is no entry"),
            },
        };
        if matches!(read, Exported::Entry(_)) {
            hashed.update(self.lines.bytes());
            self.hashed = Some(hashed);
        }
        Some((read, self.lines.bytes().len()))
    }
}

impl ExportLine {
    fn read(format: Format, number: u64, text: &str) -> Option<Self> {
        let (seq, body) = match format {
            Format::JsonLines => match as_written(text) {
                Some(read) => read,
                None => {
                    let members: Map<String, Value> = serde_json::from_str(text).ok()?;
                    (members.get("seq")?.as_i64()?, Said::of(members))
                }
            },
            Format::Csv => (text.split_once(',')?.0.parse().ok()?, Said::Nothing { salted: false }),
        };
        Some(Self { number, seq, text: text.to_owned(), body })
    }
}

/// Number and body of a line that was written by us and has nothing in its body that is spelt otherwise in an export: nearly
/// every line. Where the parts are looked for is a guess, which the caller makes good: the row decides whether this is the
/// body, and writing the line anew whether the rest is the rest.
fn as_written(text: &str) -> Option<(i64, Said)> {
    let (_, behind) = text.split_once("\",\"seq\":")?;
    let seq = behind.split_once(',')?.0.parse().ok()?;
    let (_, behind) = behind.split_once(",\"target\":{")?;
    let mut rest = behind.split_once('}')?.1;
    if let Some(case) = rest.strip_prefix(",\"case\":\"") {
        rest = case.split_once('"')?.1;
    }
    let (members, behind) = rest.rsplit_once(",\"salt\":\"")?;
    if members.contains("\\u") {
        return None;
    }
    let salt: [u8; 16] = data_encoding::HEXLOWER.decode(behind.get(..32)?.as_bytes()).ok()?.try_into().ok()?;
    let body = format!("{{{}}}", members.strip_prefix(',').unwrap_or(members));
    is_canonical(&body).then(|| (seq, Said::All { digest: chain::body_digest(&salt, &body), salt, body }))
}

impl Said {
    fn of(mut members: Map<String, Value>) -> Self {
        if members.contains_key("erased") {
            return Self::Erased;
        }
        let salt = members.get("salt").and_then(|salt| data_encoding::HEXLOWER.decode(salt.as_str()?.as_bytes()).ok());
        let Some(salt) = salt.and_then(|salt| <[u8; 16]>::try_from(salt).ok()) else {
            return Self::Nothing { salted: false };
        };
        let body: Map<String, Value> = BODY.iter().filter_map(|name| members.remove_entry(*name)).collect();
        let Some(body) = canonical(body) else { return Self::Nothing { salted: true } };
        Self::All { digest: chain::body_digest(&salt, &body), salt, body }
    }
}

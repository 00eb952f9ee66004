//! The proof of an export, as a file: read and written line by line.
//!
#![doc = include_str!("table.md")]

use std::fmt::Write;

use data_encoding::HEXLOWER;
use serde_json::Value;

use super::asked::Asked;
use super::body::push_string;
use super::canonical::{SAFE, is_canonical};
use super::checkpoint::{Checkpoint, is_lineage};
use super::export::Format;
use super::note::is_name;
use super::{Action, Header, Line, Outcome};
use crate::time::Timestamp;

/// This page with the two that it rests on: all that somebody needs who writes a verifier.
pub const DESCRIPTION: &str = concat!(
    "# The proof of an export\n\n",
    include_str!("table.md"),
    "\n# What is hashed\n\n",
    include_str!("chain.md"),
    "\n# A line of an export\n\n",
    include_str!("export.md")
);
/// What the first line says it is.
pub const FORMAT: &str = "idp-audit-proof-1";
/// Bytes that a line may have: far more than any entry has.
pub const MOST_BYTES: usize = 1024 * 1024;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preamble {
    /// The instance.
    pub origin: String,
    /// Which entries are exported.
    pub filter: Asked,
    /// How they are written.
    pub export: Format,
    /// The first row's number.
    pub from: i64,
    /// The newest entry that the export covers.
    pub through: i64,
    /// The hash of the entry before the first row.
    pub before: [u8; 32],
}

impl Preamble {
    /// Whether an entry's body stands in the proof: that of the export itself, of a replaced key, of an erasure, and what a CSV
    /// file is made from. What else entries say about people is not disclosed by a proof.
    pub fn holds_body_of<T: AsRef<str>>(&self, header: &Header<T>) -> bool {
        header.seq == self.through + 1
            || [Action::AuditKeyRotated, Action::AuditPruned].iter().any(|a| a.as_str() == header.action.as_ref())
            || self.export == Format::Csv && header.seq <= self.through && self.filter.matches(header)
    }

    /// As a line of the file.
    pub fn push(&self, out: &mut String) {
        let _ =
            write!(out, "{{\"before\":\"{}\",\"export\":\"{}\",\"filter\":", hex(&self.before), self.export.as_str());
        push_string(out, self.filter.as_str());
        let _ = write!(out, ",\"format\":\"{FORMAT}\",\"from\":{},\"origin\":", self.from);
        push_string(out, &self.origin);
        let _ = writeln!(out, ",\"through\":{}}}", self.through);
    }

    /// Reads a line, without its line feed.
    pub fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |key: &str| value.get(key)?.as_str();
        if text("format")? != FORMAT {
            return None;
        }
        let preamble = Self {
            origin: text("origin")?.to_owned(),
            filter: Asked::parse(text("filter")?)?,
            export: text("export")?.parse().ok()?,
            from: value.get("from")?.as_i64()?,
            through: value.get("through")?.as_i64()?,
            before: unhex(text("before")?)?,
        };
        let fits = is_name(&preamble.origin) && is_safe(preamble.from) && is_safe(preamble.through);
        (fits && is_spelt(line, |out| preamble.push(out))).then_some(preamble)
    }
}

/// What every entry is in the file, and its body where the file needs that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Without the lineage, which stands on a line of its own.
    pub header: Header,
    /// Digest of salt and body.
    pub body_digest: [u8; 32],
    /// Salt and body.
    pub body: Option<([u8; 16], String)>,
}

/// Appends an entry's row, with salt and body if `whole`.
pub fn push_row(out: &mut String, line: &Line<'_>, whole: bool) {
    let h = &line.header;
    let _ = write!(out, "[{},{},", h.seq, h.at.as_micros());
    push_string(out, h.action);
    out.push(',');
    push_string(out, h.outcome);
    push_party(out, h.actor_kind, h.actor_id);
    push_party(out, h.target_kind, h.target_id);
    match h.case {
        Some(case) => {
            out.push(',');
            push_string(out, case);
        }
        None => out.push_str(",null"),
    }
    out.push_str(",\"");
    HEXLOWER.encode_append(line.body_digest, out);
    out.push('"');
    if let (true, Some(salt), Some(body)) = (whole, line.salt, line.body) {
        out.push_str(",\"");
        HEXLOWER.encode_append(salt, out);
        out.push_str("\",");
        push_string(out, body);
    }
    out.push_str("]\n");
}

fn push_party(out: &mut String, kind: &str, id: Option<&str>) {
    out.push(',');
    match id {
        Some(id) => push_string(out, &format!("{kind}:{id}")),
        None => push_string(out, kind),
    }
}

/// Appends the line before an entry with which a lineage begins.
pub fn push_lineage(out: &mut String, lineage: &str) {
    out.push_str("[\"lineage\",");
    push_string(out, lineage);
    out.push_str("]\n");
}

/// A line between the first and the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Between {
    /// Another lineage begins.
    Lineage(String),
    /// An entry.
    Row(Box<Row>),
}

impl Between {
    /// Reads a line, without its line feed, of the lineage `lineage`.
    pub fn parse(line: &str, lineage: &str) -> Option<Self> {
        Self::read(line, lineage).filter(|between| between.is_spelt(line, &mut String::new()))
    }

    /// Whether that is exactly how it is written; `out` is for this to write in.
    pub(super) fn is_spelt(&self, line: &str, out: &mut String) -> bool {
        out.clear();
        match self {
            Self::Lineage(lineage) => push_lineage(out, lineage),
            Self::Row(row) => push_row(out, &row.line(&[0; 32], &[0; 32]), true),
        }
        out.strip_suffix('\n') == Some(line)
    }

    /// What a line says, also if another spelling of it is the right one.
    pub(super) fn read(line: &str, lineage: &str) -> Option<Self> {
        // Nearly every row has no body, and no character in it that is escaped: it is read without a copy of its texts.
        if let Ok(cells) = serde_json::from_str::<Cells<'_>>(line) {
            return Self::row(lineage, cells, None);
        }
        let cells: Vec<Value> = serde_json::from_str(line).ok()?;
        if let [Value::String(word), Value::String(lineage)] = &cells[..] {
            return (word == "lineage" && is_lineage(lineage)).then(|| Self::Lineage(lineage.clone()));
        }
        let text = |n: usize| cells.get(n)?.as_str();
        let case = match cells.get(6)? {
            Value::Null => None,
            case => Some(case.as_str()?),
        };
        let (seq, at) = (cells.first()?.as_i64()?, cells.get(1)?.as_i64()?);
        let body = match cells.len() {
            8 => None,
            10 => Some((unhex(text(8)?)?, text(9)?.to_owned())),
            _ => return None,
        };
        Self::row(lineage, (seq, at, text(2)?, text(3)?, text(4)?, text(5)?, case, text(7)?), body)
    }

    fn row(lineage: &str, cells: Cells<'_>, body: Option<([u8; 16], String)>) -> Option<Self> {
        let (seq, at, action, outcome, actor, target, case, digest) = cells;
        let (actor_kind, actor_id) = party(actor, &["anonymous", "system", "host"])?;
        let (target_kind, target_id) = party(target, &["system"])?;
        let header = Header {
            lineage: lineage.to_owned(),
            seq,
            at: Timestamp::from_micros(at),
            action: action.to_owned(),
            outcome: outcome.to_owned(),
            actor_kind,
            actor_id,
            target_kind,
            target_id,
            case: case.map(str::to_owned),
        };
        if action.is_empty()
            || !(is_safe(seq) && is_safe(at))
            || outcome.parse::<Outcome>().is_err()
            || body.as_ref().is_some_and(|b| !is_canonical(&b.1))
        {
            return None;
        }
        Some(Self::Row(Box::new(Row { header, body_digest: unhex(digest)?, body })))
    }
}

/// Whether every JSON reader keeps a number exact.
fn is_safe(number: i64) -> bool {
    (-SAFE..=SAFE).contains(&number)
}

/// What every row has, in its order.
type Cells<'a> = (i64, i64, &'a str, &'a str, &'a str, &'a str, Option<&'a str>, &'a str);

/// A person, or one of `kinds`.
fn party(text: &str, kinds: &[&str]) -> Option<(String, Option<String>)> {
    match text.split_once(':') {
        Some(("person", id)) if !id.is_empty() => Some(("person".to_owned(), Some(id.to_owned()))),
        None if kinds.contains(&text) => Some((text.to_owned(), None)),
        _ => None,
    }
}

impl Row {
    /// The entry, with the hashes that its place in the chain gives it.
    pub fn line<'a>(&'a self, prev_hash: &'a [u8; 32], hash: &'a [u8; 32]) -> Line<'a> {
        let h = &self.header;
        Line {
            header: Header {
                lineage: &h.lineage,
                seq: h.seq,
                at: h.at,
                action: &h.action,
                outcome: &h.outcome,
                actor_kind: &h.actor_kind,
                actor_id: h.actor_id.as_deref(),
                target_kind: &h.target_kind,
                target_id: h.target_id.as_deref(),
                case: h.case.as_deref(),
            },
            salt: self.body.as_ref().map(|(salt, _)| salt.as_slice()),
            body: self.body.as_ref().map(|(_, body)| body.as_str()),
            body_digest: &self.body_digest,
            prev_hash,
            hash,
        }
    }
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Over the last row.
    pub checkpoint: Checkpoint,
    /// How many entries the export holds.
    pub entries: u64,
    /// SHA-256 of the export's bytes.
    pub sha256: [u8; 32],
}

impl Seal {
    /// As a line of the file.
    pub fn push(&self, out: &mut String) {
        out.push_str("{\"checkpoint\":");
        push_string(out, &self.checkpoint.to_string());
        let _ = writeln!(out, ",\"entries\":{},\"sha256\":\"{}\"}}", self.entries, hex(&self.sha256));
    }

    /// Reads a line, without its line feed.
    pub fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let seal = Self {
            checkpoint: Checkpoint::parse(value.get("checkpoint")?.as_str()?)?,
            entries: value.get("entries")?.as_i64().filter(|entries| is_safe(*entries))?.try_into().ok()?,
            sha256: unhex(value.get("sha256")?.as_str()?)?,
        };
        is_spelt(line, |out| seal.push(out)).then_some(seal)
    }
}

/// Whether a line is exactly what would be written: nothing can hide in another spelling.
fn is_spelt(line: &str, push: impl FnOnce(&mut String)) -> bool {
    let mut out = String::with_capacity(line.len() + 1);
    push(&mut out);
    out.strip_suffix('\n') == Some(line)
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if HEXLOWER.decode_len(text.len()).ok()? != N {
        return None;
    }
    HEXLOWER.decode_mut(text.as_bytes(), &mut bytes).ok()?;
    Some(bytes)
}

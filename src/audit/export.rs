//! One entry as a line of JSON, or as a row for a spreadsheet.
//!
#![doc = include_str!("export.md")]
//!
//! Architecture invariant: whatever a database holds, also one that was tampered with, an entry is one line.
//!
//! The spreadsheet's form is for reading: cells that a spreadsheet would run begin with an apostrophe, and characters
//! that deceive are spelt out as `\uXXXX`, so it does not give the exact text back.

pub mod guide;
mod rows;
mod stamp;

use std::fmt::Write;
use std::str::FromStr;

use super::{Header, Line};
use crate::users::{BadInput, invisible};
use data_encoding::HEXLOWER;

pub use rows::{push_csv_header, push_csv_row};
use stamp::push_time;

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// RFC 4180 with a first row of names.
    Csv,
}

impl Format {
    /// The word on the command line, in the entry about the export, and the file's ending.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }
}

impl FromStr for Format {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        [Self::JsonLines, Self::Csv]
            .into_iter()
            .find(|f| f.as_str() == text)
            .ok_or(BadInput("Choose a format: jsonl or csv."))
    }
}

/// Whether a character could fake a line, hide, or reorder text on a screen.
pub const fn deceives(c: char) -> bool {
    (c as u32) < 0x20 || matches!(c, '\u{7f}'..='\u{9f}') || invisible(c)
}

/// Appends an entry as one line of JSON, its line break included.
pub fn push_json_line(out: &mut String, line: &Line<'_>) {
    push_json_header(out, &line.header);
    match line.body {
        Some(body) => push_members(out, body),
        None => out.push_str(",\"erased\":true"),
    }
    if let Some(salt) = line.salt {
        push_hex(out, ",\"salt\":\"", salt);
    }
    push_json_hashes(out, line);
}

/// As [`push_json_line`], without what the entry says, and without a word about that: for a place that has no room for it.
pub fn push_json_line_in_short(out: &mut String, line: &Line<'_>) {
    push_json_header(out, &line.header);
    push_json_hashes(out, line);
}

fn push_json_header(out: &mut String, h: &Header<&str>) {
    out.push_str("{\"lineage\":");
    push_text(out, h.lineage);
    // Writing to a string can not fail.
    let _ = write!(out, ",\"seq\":{},\"at\":\"", h.seq);
    push_time(out, h.at);
    out.push_str("\",\"action\":");
    push_text(out, h.action);
    out.push_str(",\"outcome\":");
    push_text(out, h.outcome);
    push_party(out, ",\"actor\":{\"kind\":", h.actor_kind, h.actor_id);
    push_party(out, ",\"target\":{\"kind\":", h.target_kind, h.target_id);
    if let Some(case) = h.case {
        out.push_str(",\"case\":");
        push_text(out, case);
    }
}

fn push_json_hashes(out: &mut String, line: &Line<'_>) {
    push_hex(out, ",\"body_digest\":\"", line.body_digest);
    push_hex(out, ",\"prev_hash\":\"", line.prev_hash);
    push_hex(out, ",\"hash\":\"", line.hash);
    out.push_str("}\n");
}

fn push_party(out: &mut String, name: &str, kind: &str, id: Option<&str>) {
    out.push_str(name);
    push_text(out, kind);
    if let Some(id) = id {
        out.push_str(",\"id\":");
        push_text(out, id);
    }
    out.push('}');
}

fn push_hex(out: &mut String, name: &str, bytes: &[u8]) {
    out.push_str(name);
    HEXLOWER.encode_append(bytes, out);
    out.push('"');
}

/// The members of a stored object, behind a comma.
fn push_members(out: &mut String, body: &str) {
    match body.strip_prefix('{').and_then(|b| b.strip_suffix('}')) {
        Some("") => {}
        Some(members) => {
            out.push(',');
            push_harmless(out, members);
        }
        // Only in a database that was tampered with: shown as it is, as one string.
        None => {
            out.push_str(",\"body\":");
            push_text(out, body);
        }
    }
}

/// Looks at all of the text before it decides, so that the compiler can look at many bytes at a time.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, b| plain & matches!(b, 0x20..=0x7e))
}

/// JSON text, with what deceives written as `\uXXXX`.
fn push_harmless(out: &mut String, json: &str) {
    if is_plain(json) {
        return out.push_str(json);
    }
    for c in json.chars() {
        if deceives(c) { push_escape(out, c) } else { out.push(c) }
    }
}

/// A JSON string.
fn push_text(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().fold(true, |plain, b| plain & matches!(b, 0x20..=0x7e) & (b != b'"') & (b != b'\\')) {
        out.push_str(text);
    } else {
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                c if deceives(c) => push_escape(out, c),
                c => out.push(c),
            }
        }
    }
    out.push('"');
}

/// RFC 8259 section 7: four digits, beyond U+FFFF a surrogate pair.
fn push_escape(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, Header, chain};
    use super::*;
    use crate::time::Timestamp;
    use serde_json::Value;

    pub(super) fn entry(body: Option<&str>) -> Entry {
        let header = Header {
            lineage: "00112233445566ff".into(),
            seq: 7,
            at: Timestamp::from_micros(1_795_000_000_000_001),
            action: "user.note_added".into(),
            outcome: "success".into(),
            actor_kind: "host".into(),
            actor_id: None,
            target_kind: "person".into(),
            target_id: Some("0193".into()),
            case: None,
        };
        let (salt, prev_hash) = ([1; 16], [2; 32]);
        let body_digest = chain::body_digest(&salt, body.unwrap_or_default());
        let hash = chain::entry_hash(&prev_hash, &header, &body_digest);
        Entry { header, salt: body.map(|_| salt), body: body.map(str::to_owned), body_digest, prev_hash, hash }
    }

    fn line(entry: &Entry) -> String {
        let mut out = String::new();
        push_json_line(&mut out, &entry.into());
        out
    }

    #[test]
    fn a_line_has_the_header_the_body_and_the_hashes_in_order() {
        let line = line(&entry(Some(r#"{"detail":{"note":"hello"},"target_name":"Mara"}"#)));
        let start = "{\"lineage\":\"00112233445566ff\",\"seq\":7,\"at\":\"2026-11-18T11:06:40.000001Z\",\
                     \"action\":\"user.note_added\",\"outcome\":\"success\",\"actor\":{\"kind\":\"host\"},\
                     \"target\":{\"kind\":\"person\",\"id\":\"0193\"},\"detail\":{\"note\":\"hello\"},\
                     \"target_name\":\"Mara\",\"salt\":\"01010101010101010101010101010101\",\"body_digest\":\"";
        assert!(line.starts_with(start), "{line}");
        assert!(line.ends_with("\"}\n"));
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["prev_hash"], "02".repeat(32));
        assert!(read.get("case").is_none() && read.get("reason").is_none());
    }

    #[test]
    fn an_empty_or_erased_body_leaves_a_line_that_is_json() {
        let empty: Value = serde_json::from_str(&line(&entry(Some("{}")))).unwrap();
        assert_eq!(empty.as_object().unwrap().len(), 11);
        let erased: Value = serde_json::from_str(&line(&entry(None))).unwrap();
        assert!(erased.get("salt").is_none() && erased.get("body_digest").is_some() && erased["erased"] == true);
    }

    #[test]
    fn the_stored_body_can_be_had_back_and_digested() {
        let all: String = (0..0x3000).chain([0xfeff, 0xe0041, 0x1f600]).filter_map(char::from_u32).collect();
        let mut text = String::new();
        super::super::body::push_string(&mut text, &all);
        let stored = format!("{{\"reason\":{text},\"ticket\":\"\"}}");
        let entry = entry(Some(&stored));
        let line = line(&entry);
        assert_eq!(line.chars().filter(|c| deceives(*c)).collect::<String>(), "\n", "only the line break is left");
        let read: Value = serde_json::from_str(&line).unwrap();
        let mut again = String::from("{\"reason\":");
        super::super::body::push_string(&mut again, read["reason"].as_str().unwrap());
        again.push_str(",\"ticket\":\"\"}");
        assert_eq!(chain::body_digest(&[1; 16], &again), entry.body_digest);
    }

    #[test]
    fn a_body_that_was_tampered_with_can_not_fake_a_line() {
        for body in ["no json\n{\"seq\":8}", "{\"reason\":\"a\"}\n{\"seq\":8}", "{\"reason\":\"\u{202e}\n\"}"] {
            let line = line(&entry(Some(body)));
            assert_eq!(line.lines().count(), 1, "{line}");
        }
    }
}

//! One entry as a syslog message (RFC 5424).
//!
//! The message itself is the line that an export has, so that whoever keeps the log can hand its lines to a verifier. What
//! one filters by stands in structured data too. Its name there needs a number behind the @ that IANA gave to a vendor; none
//! is ours, so it is the one of RFC 5612, which no vendor will ever have.

use std::fmt::Write;

use crate::streams::Item;

/// Facility 13, log audit; severities 5, notice, and 4, warning.
const NOTICE: u8 = 13 * 8 + 5;
const WARNING: u8 = 13 * 8 + 4;
/// What RFC 5424 begins a message in UTF-8 with.
const BOM: char = '\u{feff}';

/// The message of an entry; `whole` without what it says where that is too long for one datagram.
pub fn entry(item: &Item, host: &str, whole: bool) -> String {
    let priority = if item.is_refusal { WARNING } else { NOTICE };
    let mut text = head(priority, item, host, "audit");
    parameter(&mut text, "lineage", &item.lineage);
    parameter(&mut text, "seq", &item.seq.to_string());
    parameter(&mut text, "action", &item.action);
    parameter(&mut text, "hash", &data_encoding::HEXLOWER.encode(&item.hash));
    let line = match item.header.as_ref().filter(|_| !whole) {
        Some(header) => {
            parameter(&mut text, "leftOut", "what the entry says is too long for a datagram: see an export");
            header
        }
        None => &item.line,
    };
    let _ = write!(text, "] {BOM}{line}");
    text
}

/// The message of the checkpoint that an entry is about: the whole note as one string, so that it is one line and a verifier
/// finds it in a log as it stands.
pub fn checkpoint(item: &Item, host: &str) -> Option<String> {
    let checkpoint = item.checkpoint.as_ref()?;
    let mut text = head(NOTICE, item, host, "checkpoint");
    parameter(&mut text, "lineage", &checkpoint.point.lineage);
    parameter(&mut text, "seq", &checkpoint.point.seq.to_string());
    parameter(&mut text, "hash", &data_encoding::HEXLOWER.encode(&checkpoint.point.hash));
    let _ = write!(text, "] {BOM}{{\"checkpoint\":{}}}", checkpoint.in_one_line());
    Some(text)
}

fn head(priority: u8, item: &Item, host: &str, kind: &str) -> String {
    format!("<{priority}>1 {} {host} idp - {kind} [audit@32473", item.at)
}

fn parameter(text: &mut String, name: &str, value: &str) {
    let _ = write!(text, " {name}=\"");
    for c in value.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\' | ']') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
}

/// A host as syslog has it: without the brackets of IPv6.
pub fn host_name(host: &str) -> String {
    host.trim_matches(['[', ']']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn item() -> Item {
        Item {
            origin: String::new(),
            lineage: "00112233445566ff".into(),
            seq: 7,
            at: Timestamp::from_micros(1_795_000_000_000_001),
            action: "user.note_added".into(),
            is_refusal: false,
            hash: [7; 32],
            line: "{\"seq\":7}".into(),
            header: None,
            checkpoint: None,
        }
    }

    #[test]
    fn an_entry_is_a_message_as_rfc_5424_has_it() {
        let data = format!(
            "[audit@32473 lineage=\"00112233445566ff\" seq=\"7\" action=\"user.note_added\" hash=\"{}\"]",
            "07".repeat(32)
        );
        let expected =
            format!("<109>1 2026-11-18T11:06:40.000001Z id.example.org idp - audit {data} \u{feff}{{\"seq\":7}}");
        assert_eq!(entry(&item(), "id.example.org", true), expected);
        assert!(entry(&Item { is_refusal: true, ..item() }, "id", true).starts_with("<108>1 "));
        assert_eq!(checkpoint(&item(), "id"), None);
        assert_eq!(host_name("[::1]"), "::1");
    }

    #[test]
    fn what_is_too_long_for_a_datagram_is_sent_without_what_it_says_and_that_is_said() {
        let long = Item { line: "x".repeat(70_000), header: Some("{\"seq\":7}".into()), ..item() };
        let datagram = entry(&long, "id", false);
        assert!(
            datagram.len() < 1_000 && datagram.contains(" leftOut=\"what the entry says is too long"),
            "{datagram}"
        );
        assert!(entry(&long, "id", true).len() > 70_000);
        assert!(!entry(&item(), "id", false).contains("leftOut"));
    }

    #[test]
    fn a_table_that_was_tampered_with_makes_no_second_message() {
        let odd = Item { action: "a\"]\\\n<1>1".into(), ..item() };
        let text = entry(&odd, "id", true);
        assert!(text.contains(" action=\"a\\\"\\]\\\\<1>1\"") && text.lines().count() == 1, "{text}");
    }
}

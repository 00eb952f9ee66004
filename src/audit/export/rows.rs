//! Entries as rows for a spreadsheet.
//!
//! Architecture invariant: no cell is run as a formula, and a row is one line. It is for reading: it does not give the
//! exact text back.

use data_encoding::HEXLOWER;
use serde_json::Value;

use super::{Line, push_harmless};

/// The names of the columns, in the order of [`csv_row`].
const CSV_HEADER: [&str; 23] = [
    "seq",
    "at",
    "action",
    "outcome",
    "actor_kind",
    "actor_id",
    "actor_name",
    "target_kind",
    "target_id",
    "target_name",
    "case",
    "reason",
    "ticket",
    "address",
    "user_agent",
    "request_id",
    "os_user",
    "detail",
    "lineage",
    "salt",
    "body_digest",
    "prev_hash",
    "hash",
];

/// What stands in place of the detail where retention erased the body.
const ERASED: &str = "erased";

/// Appends the first row, the columns' names.
pub fn push_csv_header(out: &mut String) {
    push(out, CSV_HEADER);
}

/// Appends an entry's row.
pub fn push_csv_row(out: &mut String, line: &Line<'_>) {
    push(out, csv_row(line));
}

fn push<C: AsRef<[u8]>>(out: &mut String, cells: impl IntoIterator<Item = C>) {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells).expect("a row in memory can be written");
    let row = writer.into_inner().expect("a row in memory can be flushed");
    out.push_str(std::str::from_utf8(&row).expect("cells are UTF-8 and stay so"));
}

/// An entry's cells. What the body does not have is an empty cell.
fn csv_row(line: &Line<'_>) -> [String; 23] {
    let h = &line.header;
    // A body that is no JSON was tampered with: its text stands where the detail would.
    let body: Value = line.body.map_or(Value::Null, |b| serde_json::from_str(b).unwrap_or_else(|_| b.into()));
    let of_body = |name: &str| cell(body[name].as_str().unwrap_or_default());
    let of_source = |name: &str| cell(body["source"][name].as_str().unwrap_or_default());
    let detail = match (&body, &body["detail"]) {
        // No detail reads so: it is an object.
        _ if line.body.is_none() => ERASED.to_owned(),
        (Value::String(text), _) => cell(text),
        (_, Value::Null) => String::new(),
        (_, detail) => cell(&detail.to_string()),
    };
    let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
    let optional = |text: Option<&str>| cell(text.unwrap_or_default());
    [
        h.seq.to_string(),
        h.at.to_string(),
        cell(h.action),
        cell(h.outcome),
        cell(h.actor_kind),
        optional(h.actor_id),
        of_body("actor_name"),
        cell(h.target_kind),
        optional(h.target_id),
        of_body("target_name"),
        optional(h.case),
        of_body("reason"),
        of_body("ticket"),
        of_source("address"),
        of_source("user_agent"),
        of_source("request_id"),
        of_source("os_user"),
        detail,
        cell(h.lineage),
        line.salt.map_or_else(String::new, hex),
        hex(line.body_digest),
        hex(line.prev_hash),
        hex(line.hash),
    ]
}

/// Text that a spreadsheet shows and does not run (OWASP, CSV injection), on one line that reads as it is.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        out.push('\'');
    }
    push_harmless(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::entry;
    use super::*;

    #[test]
    fn a_body_that_is_no_json_stands_in_one_cell() {
        assert_eq!(csv_row(&(&entry(Some("=no\njson"))).into())[17], "'=no\\u000ajson");
    }

    #[test]
    fn a_row_says_that_its_body_was_erased() {
        let row = csv_row(&(&entry(None)).into());
        assert_eq!((&*row[17], &*row[19], row[20].len()), ("erased", "", 64));
        assert!([6, 9, 11, 12, 13, 14, 15, 16].iter().all(|column| row[*column].is_empty()));
    }

    #[test]
    fn a_spreadsheet_runs_no_cell() {
        let entry = entry(Some(
            r#"{"actor_name":"=1+1","reason":"-2\nline","source":{"user_agent":"\t@x"},"target_name":"a=b","ticket":"+7"}"#,
        ));
        let row = csv_row(&(&entry).into());
        assert_eq!(row[6], "'=1+1");
        assert_eq!(row[11], "'-2\\u000aline");
        assert_eq!(row[14], "'\\u0009@x");
        assert_eq!(row[9], "a=b");
        assert_eq!(row[12], "'+7");
        assert_eq!(row.len(), CSV_HEADER.len());
    }
}

//! Checkpoints: "so far the trail has come, and this is its hash", signed by the instance.
//!
//! The text is a C2SP checkpoint (<https://c2sp.org/tlog-checkpoint>) in its first three lines, of which the third is the
//! hash of the entry and not of a tree, and two lines of its own:
//!
//! ```text
//! idp.audit/0193a7c2-…        the instance; also the name of the key that signs
//! 1042                        the entry's number
//! mZs0…=                      its hash, base64
//! lineage 00112233445566ff
//! time 2026-11-28T19:46:09.000000Z
//! ```
//!
//! An *anchor* is a checkpoint that is kept where this host can not rewrite it.

use std::fmt;

use data_encoding::BASE64;

use super::body::push_string;
use super::note::{Note, VerifierKey, is_name};
use super::{Action, Head};
use crate::time::Timestamp;

/// Bytes that a checkpoint may have; ours have under 500.
pub const MOST_BYTES: usize = 8 * 1024;

/// What the key of an instance is called, and what its checkpoints begin with.
pub fn origin_line(origin: &str) -> String {
    format!("idp.audit/{origin}")
}

/// Whether a text is a lineage's: 16 hexadecimal digits.
pub fn is_lineage(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// So far a trail has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The instance, a UUID.
    pub origin: String,
    /// The lineage of the entry.
    pub lineage: String,
    /// The number of the entry.
    pub seq: i64,
    /// Its hash.
    pub hash: [u8; 32],
    /// When this was said.
    pub at: Timestamp,
}

impl Point {
    /// That `head` is the newest entry of the instance at this moment.
    pub fn of(origin: &str, head: &Head, at: Timestamp) -> Self {
        Self { origin: origin.to_owned(), lineage: head.lineage.clone(), seq: head.seq, hash: head.hash, at }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut next = || lines.next();
        let origin = next()?.strip_prefix("idp.audit/").filter(|origin| is_name(origin))?.to_owned();
        let seq = next()?.parse().ok()?;
        let hash = BASE64.decode(next()?.as_bytes()).ok()?.try_into().ok()?;
        let lineage = next()?.strip_prefix("lineage ").filter(|text| is_lineage(text))?.to_owned();
        let at = next()?.strip_prefix("time ")?.parse().ok()?;
        let point = Self { origin, lineage, seq, hash, at };
        // Only what would be written: each of its parts has one spelling.
        (point.seq > 0 && point.to_string() == text).then_some(point)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", origin_line(&self.origin), self.seq, BASE64.encode(&self.hash))?;
        writeln!(f, "lineage {}\ntime {}", self.lineage, self.at)
    }
}

/// A signed point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// What it says.
    pub point: Point,
    /// The text with its signature.
    pub note: Note,
}

impl Checkpoint {
    /// `point`, signed under the instance's key.
    pub fn sign(point: Point, key: &VerifierKey, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Self {
        let note = Note::sign(point.to_string(), key, sign);
        Self { point, note }
    }

    /// Exactly one checkpoint, as it displays.
    pub fn parse(text: &str) -> Option<Self> {
        let note = Note::parse(text)?;
        let point = Point::parse(note.text())?;
        Some(Self { point, note })
    }

    /// In one line, for what is printed, as JSON writes a text (RFC 8259).
    pub fn in_one_line(&self) -> String {
        let mut line = String::new();
        push_string(&mut line, &self.to_string());
        line
    }

    /// The checkpoints in a text that somebody kept, such as a mail: each is found whatever stands before and behind it,
    /// and also when every line has been quoted or ends with a carriage return. In a log, where a message is one line, it is
    /// found with its line feeds spelt out.
    pub fn find_all(text: &str) -> Vec<Self> {
        let mut found = Self::find_in_lines(text);
        for line in text.lines().filter(|line| line.contains("idp.audit/")) {
            let (entry, most) = entry_in(line).unwrap_or((line.len(), 0));
            let places = |of: &'_ str| -> Vec<Self> {
                let places = of.match_indices("idp.audit/").map(|(at, _)| &of[at..]);
                places.filter_map(|rest| Self::parse(&spelt_out(rest)?)).collect()
            };
            found.extend(places(&line[..entry]));
            found.extend(places(&line[entry..]).into_iter().take(most));
        }
        found
    }

    fn find_in_lines(text: &str) -> Vec<Self> {
        let clean =
            |line| str::trim_start_matches(line, |c: char| c == '>' || c == '|' || c.is_whitespace()).trim_end();
        let (mut found, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
            if clean(line).starts_with("idp.audit/") {
                // Five lines, an empty one, a signature.
                let lines: Vec<&str> = rest.lines().take(7).map(clean).collect();
                found.extend(Self::parse(&format!("{}\n", lines.join("\n"))));
            }
            rest = behind;
        }
        found
    }
}

/// Seven lines that stand in one, as a log has them: a line feed is `\n`, as in JSON, with one backslash or more (JSON within
/// JSON), or `#012`, as syslog servers write it; the dash can be `\u2014`.
fn spelt_out(line: &str) -> Option<String> {
    let (mut text, mut rest) = (String::new(), line);
    for _ in 0..7 {
        let (at, length) = next_line_feed(rest)?;
        text.push_str(&rest[..at]);
        text.push('\n');
        rest = &rest[at + length..];
    }
    let (body, signature) = text.split_once("\n\n")?;
    let plain = signature.trim_start_matches('\\');
    match plain.strip_prefix("u2014").filter(|_| plain.len() < signature.len()) {
        Some(rest) => Some(format!("{body}\n\n\u{2014}{rest}")),
        None => Some(text),
    }
}

/// Where an entry begins to say what it is about, in a line that holds one, and how many checkpoints count from there on: in
/// what an entry says, others had the word, and whoever writes a checkpoint into a reason must not have it taken for an anchor.
fn entry_in(line: &str) -> Option<(usize, usize)> {
    let quote = |text: &str| text.strip_suffix('"').map(|text| text.trim_end_matches('\\').len());
    line.match_indices("action").find_map(|(at, word)| {
        let before = line[..quote(&line[..at])?].strip_suffix(',')?;
        before[..quote(before)?].strip_suffix('Z')?;
        let name = line[at + word.len()..].trim_start_matches('\\').strip_prefix("\":")?;
        let name = name.trim_start_matches('\\').strip_prefix('"')?;
        let signs = name.split(['"', '\\']).next() == Some(Action::AuditCheckpointSigned.as_str());
        Some((at, usize::from(signs)))
    })
}

/// Where the first spelt-out line feed is, and how long. No line of a checkpoint is longer than what is looked at.
fn next_line_feed(text: &str) -> Option<(usize, usize)> {
    let slashes = |text: &str| text.bytes().take(512).take_while(|b| *b == b'\\').count();
    let first = slashes(text);
    // The dash at the beginning of the last line.
    let skipped = if first > 0 && text[first..].starts_with('u') { first + 1 } else { 0 };
    let start = skipped + text[skipped..].bytes().take(512).position(|b| b == b'\\' || b == b'#')?;
    let rest = &text[start..];
    if rest.starts_with("#012") {
        return Some((start, 4));
    }
    let slashes = slashes(rest);
    (slashes > 0 && rest[slashes..].starts_with('n')).then_some((start, slashes + 1))
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let point = Point {
            origin: "0193a7c2-0000-7000-8000-000000000000".into(),
            lineage: "00112233445566ff".into(),
            seq: 1042,
            hash: [7; 32],
            at: Timestamp::from_micros(1_795_000_000_000_000),
        };
        let key = VerifierKey::new(&origin_line(&point.origin), [1; 32]).unwrap();
        Checkpoint::sign(point, &key, |_| [9; 64])
    }

    #[test]
    fn a_checkpoint_reads_back_and_has_one_spelling() {
        let text = checkpoint().to_string();
        assert_eq!(Checkpoint::parse(&text), Some(checkpoint()));
        for (from, to) in [("1042", "01042"), ("1042", "+1042"), ("time 2026", "time  2026"), ("lineage ", "lineage: ")]
        {
            assert_eq!(Checkpoint::parse(&text.replace(from, to)), None, "{to}");
        }
        assert_eq!(Checkpoint::parse(&format!("{text}\n")), None);
    }

    #[test]
    fn a_checkpoint_is_found_in_a_mail() {
        let text = checkpoint().to_string();
        let quoted: String = text.lines().map(|line| format!("> {line}\r\n")).collect();
        let mail = format!("Dear Lena,\n\n{text}\nKeep this.\r\n{quoted}-- \nidp\n");
        assert_eq!(Checkpoint::find_all(&mail), [checkpoint(), checkpoint()]);
        // Wrapped within one line, as logs have it.
        let json = serde_json::json!({ "checkpoint": text }).to_string();
        let ascii = json.replace('\u{2014}', "\\u2014");
        let nested = serde_json::to_string(&ascii).unwrap();
        let escaped = text.replace('\n', "#012");
        for one in [json, ascii, nested, escaped.clone(), escaped.trim_end_matches("#012").to_owned() + "#012 more"] {
            let log = format!("Nov 24 09:00:01 id idp - - \u{feff}{one}\nNov 24 09:00:02 id idp idp.audit/ \\\n");
            assert_eq!(Checkpoint::find_all(&log), [checkpoint()], "{log}");
            assert_eq!(Checkpoint::find_all(&log.replace("1042", "1\\u0030")), []);
        }
        assert_eq!(Checkpoint::find_all("nothing\nidp.audit/x\n"), []);
    }

    #[test]
    fn a_checkpoint_in_somebodys_words_is_none_that_was_kept() {
        let escaped = |of: &Checkpoint| of.to_string().replace('\n', "\\n");
        let key = VerifierKey::new("idp.audit/x", [1; 32]).unwrap();
        let forged = Checkpoint::sign(Point { seq: 7, ..checkpoint().point }, &key, |_| [9; 64]);
        let line = |action: &str, words: &str, detail: &str| {
            let at = "2026-11-18T11:06:40.000001Z";
            serde_json::json!({ "m": format!("{{\"seq\":7,\"at\":\"{at}\",\"action\":\"{action}\",\"actor_name\":\"{words}\",\"detail\":{{\"checkpoint\":\"{detail}\"}},\"reason\":\"{words}\"}}") })
                .to_string()
        };
        for words in [escaped(&forged), forged.to_string().replace('\n', "#012")] {
            for line in [line("user.note_added", &words, &words), line("audit.checkpoint_signedly", &words, &words)] {
                assert_eq!(Checkpoint::find_all(&line), [], "{line}");
            }
        }
        let signs = line("audit.checkpoint_signed", "idp.audit/", &escaped(&checkpoint()));
        assert_eq!(Checkpoint::find_all(&signs), [checkpoint()], "{signs}");
        let twice = signs.replace("\"}\"", &format!("{}\"}}\"", escaped(&forged)));
        assert_eq!(Checkpoint::find_all(&twice), [checkpoint()], "{twice}");
    }

    #[test]
    fn a_text_that_is_made_to_be_slow_or_to_nest_is_looked_through() {
        for piece in ["\\u", "\\", "idp.audit/", "idp.audit/\\n", "\\n", "action\":\"", "Z\",\"action", "\n", "#012"] {
            let text = format!("idp.audit/x\\n{}", piece.repeat(4_000_000 / piece.len()));
            assert_eq!(Checkpoint::find_all(&text), [], "{piece}");
        }
    }
}

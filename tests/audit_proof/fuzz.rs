//! The readers of what a stranger hands in: a bounded run over lines that are nearly right, and files as large as a disk.

use std::fs::File;
use std::process::Command;

use idp::audit::asked::Asked;
use idp::audit::checkpoint::Checkpoint;
use idp::audit::note::{Note, VerifierKey};
use idp::audit::table::{Between, Preamble, Seal, push_lineage, push_row};

use super::Trail;
use crate::cli_world::Ran;

/// So many lines are tried.
const ROUNDS: usize = 120_000;

/// What a reader may trip over, put where anything can stand.
const WORDS: [&str; 24] = [
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\u007f",
    "\u{feff}",
    "\u{202e}",
    "\r",
    " ",
    "\t",
    "[",
    "{",
    "]",
    "}",
    ",",
    ":",
    "null",
    "-0",
    "1e9",
    "9007199254740993",
    "99999999999999999999",
    "person:",
    "=",
    "\u{2014} ",
];

/// The same numbers in every run, so that what is found can be found again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most.max(1)
    }

    /// One to four changes to a line, of which pieces of `other` are a part.
    fn change(&mut self, line: &str, other: &str) -> String {
        let mut bytes = line.as_bytes().to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(5) {
                0 => drop(bytes.splice(at..at, WORDS[self.below(WORDS.len())].bytes())),
                1 => drop(bytes.drain(at..(at + self.below(12)).min(bytes.len()))),
                2 if at < bytes.len() => bytes[at] ^= 1 << self.below(7),
                3 => {
                    let from = self.below(other.len());
                    let piece: Vec<u8> = other.bytes().skip(from).take(self.below(60)).collect();
                    drop(bytes.splice(at..at, piece));
                }
                _ => {
                    let digit = b"0123456789abcdef\"-+.eE"[self.below(22)];
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = digit;
                    }
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Every line that a reader takes is exactly what its writer would write: so nothing can hide in another spelling.
fn read_all(line: &str) {
    let same = |written: String| assert_eq!(written.strip_suffix('\n'), Some(line));
    let mut out = String::new();
    if let Some(about) = Preamble::parse(line) {
        about.push(&mut out);
        same(std::mem::take(&mut out));
    }
    match Between::parse(line, "00112233445566ff") {
        Some(Between::Lineage(lineage)) => push_lineage(&mut out, &lineage),
        Some(Between::Row(row)) => push_row(&mut out, &row.line(&[0; 32], &[0; 32]), true),
        None => out = format!("{line}\n"),
    }
    same(std::mem::take(&mut out));
    if let Some(seal) = Seal::parse(line) {
        seal.push(&mut out);
        same(std::mem::take(&mut out));
    }
    if let Some(filter) = Asked::parse(line) {
        assert_eq!(filter.as_str(), line);
    }
    if let Ok(key) = line.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), line.trim_end());
    }
}

#[test]
fn no_line_that_is_nearly_right_stops_a_reader_or_is_read_as_what_it_is_not() {
    let trail = Trail::new();
    let [csv, json] = [trail.export(&["--format", "csv", "--user", "mara@fernhill.example"]), trail.notes()];
    let mut corpus: Vec<String> = [&csv, &json].iter().flat_map(|e| e.proof.lines().map(str::to_owned)).collect();
    corpus.extend([trail.key.to_string(), "action=user.note_added since=2026-11-24T09:00:00.000000Z".to_owned()]);
    corpus.iter().for_each(|line| read_all(line));
    let note = json.checkpoint().to_string();
    let mut dice = Dice(7);
    for _ in 0..ROUNDS {
        let (one, other) = (dice.below(corpus.len()), dice.below(corpus.len()));
        read_all(&dice.change(&corpus[one], &corpus[other]));
    }
    for _ in 0..ROUNDS / 10 {
        let text = dice.change(&note, &corpus[0]);
        if let Some(read) = Checkpoint::parse(&text) {
            assert_eq!(read.to_string(), text);
        }
        if let Some(read) = Note::parse(&text) {
            assert_eq!(read.to_string(), text);
        }
        // Found in a text, it is one that reads back.
        for found in Checkpoint::find_all(&format!("Dear Lena,\n{text}\nBye.")) {
            assert_eq!(Checkpoint::parse(&found.to_string()).as_ref(), Some(&found));
        }
    }
}

#[test]
fn files_of_ten_gigabytes_are_answered_with_little_memory_whatever_they_are_given_as() {
    let trail = Trail::new();
    trail.notes();
    // On disk it takes nothing: all of it is one hole.
    File::create(trail.folder.beside("large")).unwrap().set_len(10_000_000_000).unwrap();
    let proof = trail.folder.beside("proof");
    std::fs::copy(&proof, trail.folder.beside("begun")).unwrap();
    File::options().write(true).open(trail.folder.beside("begun")).unwrap().set_len(10_000_000_000).unwrap();
    for (args, code, what) in [
        ("export --proof large", 2, "COULD NOT TELL: the proof does not begin as one"),
        ("large --proof proof", 1, "INVALID: line 1 of the export is too long"),
        ("export --proof begun", 1, "INVALID: line "),
        ("export --proof proof --anchor large", 2, "COULD NOT TELL: can not read the anchor"),
        ("export --proof proof --key large", 2, "COULD NOT TELL: can not read the key"),
        ("large", 2, ""),
    ] {
        let mut shell = Command::new("sh");
        // Of address space, in KiB: more than the program and its threads take, and a fraction of the file.
        shell.args(["-c", "ulimit -v 600000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_idp"), "audit", "verify"]);
        shell.args(args.split(' ')).current_dir(trail.folder.beside("."));
        let ran = Ran::of(shell.output().unwrap());
        assert!(ran.code == code && ran.out.starts_with(what), "{args}: {ran:?}");
    }
}

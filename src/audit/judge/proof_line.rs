//! Lines of a proof behind its first one, read in a thread of their own.

use std::io::{self, BufRead};

use super::lines::{Lines, Next};
use crate::audit::table::{Between, Seal};

/// What comes next in a proof.
pub(super) enum Proved {
    /// A row, or a lineage, with its line, whose number this is: whether it is spelt as it is written is yet to be seen.
    Between(Between, String, u64),
    /// The last line.
    Seal(Box<Seal>),
    /// Something else: the end of a sentence that begins "line 7 of the proof".
    Bad(u64, &'static str),
    /// A line behind the last one.
    Behind(u64),
    /// It can not be read.
    Io(io::Error),
}

/// A proof, line by line.
pub(super) struct Reader<P> {
    lines: Lines<P>,
    lineage: String,
    sealed: bool,
    ended: bool,
}

impl<P: BufRead> Reader<P> {
    /// What comes behind the line that was read last.
    pub(super) const fn behind(lines: Lines<P>) -> Self {
        Self { lines, lineage: String::new(), sealed: false, ended: false }
    }

    /// What comes next, and how many bytes that is. There is nothing behind an error.
    pub(super) fn next(&mut self) -> Option<(Proved, usize)> {
        if self.ended {
            return None;
        }
        let number = self.lines.number() + 1;
        let read = match self.lines.next() {
            Err(e) => Proved::Io(e),
            Ok(Next::End) => {
                self.ended = true;
                return None;
            }
            Ok(_) if self.sealed => Proved::Behind(number),
            Ok(Next::Bad(what)) => Proved::Bad(number, what),
            Ok(Next::Line(line)) => read(line, number, &self.lineage).unwrap_or(Proved::Bad(number, NOT_WRITTEN)),
        };
        match &read {
            Proved::Between(Between::Lineage(lineage), ..) => self.lineage.clone_from(lineage),
            Proved::Between(Between::Row(_), ..) => {}
            Proved::Seal(_) => self.sealed = true,
            Proved::Bad(..) | Proved::Behind(_) | Proved::Io(_) => self.ended = true,
        }
        Some((read, self.lines.bytes().len()))
    }
}

/// What a line is that would not be written so.
pub(super) const NOT_WRITTEN: &str = "is not as it was written";

fn read(line: &str, number: u64, lineage: &str) -> Option<Proved> {
    match line.starts_with('{') {
        true => Seal::parse(line).map(|seal| Proved::Seal(Box::new(seal))),
        false => Between::read(line, lineage).map(|between| Proved::Between(between, line.to_owned(), number)),
    }
}

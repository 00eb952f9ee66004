//! How a command ends, and how text reaches a terminal.
//!
//! Architecture invariant: what is printed is one line where one line was meant; characters that could fake or reorder
//! one are spelt out.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::process::ExitCode;

use crate::audit::export::deceives;

/// What a command found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It was done; the answer is yes.
    Done,
    /// The answer is no: a broken chain, a failed check.
    No,
}

impl From<Answer> for ExitCode {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Done => Self::SUCCESS,
            Answer::No => Self::from(1),
        }
    }
}

/// Why a command could not do or tell what it was asked.
#[derive(Debug)]
pub struct Failure {
    doing: &'static str,
    error: Box<dyn Error>,
    code: u8,
}

impl Failure {
    /// For `map_err`: `doing` is the middle of "idp: can not … : why".
    pub(super) fn to<E: Into<Box<dyn Error>>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self { doing, error: error.into(), code: 2 }
    }

    /// The same as an answer: a check failed.
    pub(super) fn with_answer_no(self) -> Self {
        Self { code: 1, ..self }
    }

    fn chain(&self) -> impl Iterator<Item = &(dyn Error + 'static)> {
        std::iter::successors(Some(&*self.error), |&e| e.source())
    }

    /// Whether nothing is wrong but that nobody reads on.
    pub(super) fn is_reader_gone(&self) -> bool {
        self.chain().filter_map(|e| e.downcast_ref::<io::Error>()).any(|e| e.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Prints the chain of reasons on standard error, in one line.
    pub fn report(&self) -> ExitCode {
        // Without a standard error the code alone has to tell.
        let _ = writeln!(io::stderr(), "idp: {}", on_one_line(&self.to_string()));
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can not {}", self.doing)?;
        self.chain().try_for_each(|e| write!(f, ": {e}"))
    }
}

/// Text with the characters spelt out that could fake a line or reorder one.
pub(super) fn on_one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if deceives(c) {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// Prints one line on standard output.
pub(super) fn say(line: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{}", on_one_line(line)).map_err(Failure::to("write to standard output"))
}

/// Prints one line on standard error, for what a script that reads the output must not take for a part of it.
pub(super) fn remark(line: &str) {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "{}", on_one_line(line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_with_all_its_reasons() {
        let failure = Failure::to("open the door")(io::Error::other("no\nkey\u{202e}"));
        assert_eq!(on_one_line(&failure.to_string()), "can not open the door: no\\u{a}key\\u{202e}");
    }
}

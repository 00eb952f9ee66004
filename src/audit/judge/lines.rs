//! Lines of a file that may be anything: bounded, whatever stands in it.

use std::io::{self, BufRead, Read};

use crate::audit::table::MOST_BYTES;

/// What comes next in a file.
pub(super) enum Next<'a> {
    /// A line, without its line feed.
    Line(&'a str),
    /// Nothing.
    End,
    /// No line: the end of a sentence that begins "line 7".
    Bad(&'static str),
}

/// A file, line by line.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), number: 0 }
    }

    /// The number of the line that was read last; 1 is the first.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The bytes of the line that was read last, its line feed included.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        self.buffer.clear();
        self.number += 1;
        let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
        let read = (&mut self.reader).take(most).read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(Next::End);
        }
        let Some(line) = self.buffer.strip_suffix(b"\n") else {
            return Ok(Next::Bad(if read == MOST_BYTES { "is too long" } else { "breaks off" }));
        };
        Ok(std::str::from_utf8(line).map_or(Next::Bad("is no text"), Next::Line))
    }
}

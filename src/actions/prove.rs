//! Writing the proof of an export: the table of all entries' headers, up to a checkpoint.

use std::fmt;
use std::io::{self, Write};

use crate::audit::Action;
use crate::audit::checkpoint::Checkpoint;
use crate::audit::export::Format;
use crate::audit::filter::Filter;
use crate::audit::table::{Preamble, Seal, push_lineage, push_row};
use crate::storage::{self, Store, audit};

/// Entries that are read at a time: a server must be able to fold its log in between.
const PAGE: u32 = 1_000;

/// Why there is no proof.
#[derive(Debug)]
pub enum ProofError {
    /// The checkpoint to begin after says otherwise than the trail.
    OtherHistory(i64),
    /// Bodies were erased while they were exported as CSV, which is proved by them.
    ErasedMeanwhile,
    /// It is of another instance.
    OtherInstance,
    /// The file can not be written.
    File(io::Error),
    /// The trail can not be read.
    Storage(storage::Error),
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherHistory(seq) => write!(
                f,
                "entry {seq} of this trail is not the one of which the anchor was made, or does not exist: this trail is \
                 another history than the one that you kept the anchor of"
            ),
            Self::ErasedMeanwhile => f.write_str(
                "details of old entries were erased while they were exported, as the policy asks for: export again",
            ),
            Self::OtherInstance => f.write_str("the anchor is of another instance"),
            Self::File(e) => write!(f, "the proof can not be written: {e}"),
            Self::Storage(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for ProofError {}

impl From<storage::Error> for ProofError {
    fn from(e: storage::Error) -> Self {
        Self::Storage(e)
    }
}

/// Where a proof begins: behind an anchor that agrees with this trail, or with the first entry. The first row's number, and
/// the hash before it.
///
/// # Errors
/// [`ProofError::OtherHistory`], [`ProofError::OtherInstance`], storage.
pub fn beginning(store: &Store, origin: &str, anchor: Option<&Checkpoint>) -> Result<(i64, [u8; 32]), ProofError> {
    let Some(Checkpoint { point, .. }) = anchor else { return Ok((1, crate::audit::chain::GENESIS)) };
    if point.origin != origin {
        return Err(ProofError::OtherInstance);
    }
    let entry = store.read(|tx| audit::find_entry(tx, point.seq))?;
    match entry.filter(|e| e.hash == point.hash && e.header.lineage == point.lineage) {
        Some(entry) => Ok((point.seq + 1, entry.hash)),
        None => Err(ProofError::OtherHistory(point.seq)),
    }
}

/// Writes the proof of the export that `about` describes, up to the checkpoint in `seal`.
///
/// # Errors
/// The trail can not be read, or the proof not be written; [`ProofError::ErasedMeanwhile`].
pub fn write_proof(store: &Store, out: &mut impl Write, about: &Preamble, seal: &Seal) -> Result<(), ProofError> {
    let mut text = String::new();
    about.push(&mut text);
    let (mut cursor, last, mut lineage) = (about.from - 1, seal.checkpoint.point.seq, String::new());
    while cursor < last {
        let read = store.read(|tx| {
            audit::visit_lines(tx, &Filter::default(), (cursor, last), PAGE, |line| {
                if line.header.lineage != lineage {
                    line.header.lineage.clone_into(&mut lineage);
                    push_lineage(&mut text, &lineage);
                }
                push_row(&mut text, line, about.holds_body_of(&line.header));
            })
        })?;
        cursor = read.unwrap_or(last);
        out.write_all(text.as_bytes()).map_err(ProofError::File)?;
        text.clear();
    }
    // Lines of JSON are proved by their digests, whatever became of the bodies.
    let erased = store.read(|tx| audit::find_last_of(tx, &[Action::AuditPruned]))?;
    if about.export == Format::Csv && erased.is_some_and(|(_, seq, _)| seq > about.through) {
        return Err(ProofError::ErasedMeanwhile);
    }
    seal.push(&mut text);
    out.write_all(text.as_bytes()).map_err(ProofError::File)
}

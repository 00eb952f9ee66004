//! An export with its proof: the export's bytes, hashed while they are read, and then the table of all entries' headers, up to
//! a checkpoint. Both are read page by page, so that a file is written from them as well as an answer to a browser.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

use super::checkpoint::{CheckpointError, Occasion, sign};
use super::export::ExportReader;
use crate::audit::checkpoint::Checkpoint;
use crate::audit::export::Format;
use crate::audit::filter::Filter;
use crate::audit::table::{Preamble, Seal, push_lineage, push_row};
use crate::audit::{Action, Actor, Source};
use crate::host::files::folder_of;
use crate::host::keys::{KeyError, load_audit};
use crate::storage::{self, Store, audit, instance};

/// Entries that are read at a time: a server must be able to fold its log in between.
const PAGE: u32 = 1_000;

/// Why there is no proof.
#[derive(Debug)]
pub enum ProofError {
    /// The checkpoint to begin after says otherwise than the trail.
    OtherHistory(i64),
    /// Bodies were erased while they were exported, and the proof can not tell of it.
    ErasedMeanwhile,
    /// It is of another instance.
    OtherInstance,
    /// The key that signs checkpoints can not be used.
    Key(KeyError),
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
            Self::Key(e) => e.fmt(f),
            Self::Storage(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for ProofError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(e) => e.source(),
            Self::OtherHistory(_) | Self::OtherInstance | Self::ErasedMeanwhile | Self::Storage(_) => None,
        }
    }
}

impl From<storage::Error> for ProofError {
    fn from(e: storage::Error) -> Self {
        Self::Storage(e)
    }
}

/// A proof to be: what is known before anything is exported.
pub struct Proving {
    origin: String,
    from: i64,
    before: [u8; 32],
}

impl Proving {
    /// Everything that can be wrong, before the export is recorded: without the key there is no proof, which is better known
    /// now.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub fn prepare(store: &Store, anchor: Option<&Checkpoint>) -> Result<Self, ProofError> {
        load_audit(folder_of(store.path())).map_err(ProofError::Key)?;
        let origin = store.read(instance::get)?.origin;
        let (from, before) = beginning(store, &origin, anchor)?;
        Ok(Self { origin, from, before })
    }

    /// The export whose beginning was recorded, to be read.
    pub fn export(self, store: Arc<Store>, (filter, export, through): (Filter, Format, i64)) -> ProvedExport {
        let Self { origin, from, before } = self;
        let about = Preamble { origin, filter: (&filter).into(), export, from, through, before };
        let reader = ExportReader::new(Arc::clone(&store), filter, export, through).from(from);
        ProvedExport { store, about, reader, hash: Context::new(&SHA256) }
    }
}

/// Where a proof begins: behind an anchor that agrees with this trail, or with the first entry. The first row's number, and
/// the hash before it.
fn beginning(store: &Store, origin: &str, anchor: Option<&Checkpoint>) -> Result<(i64, [u8; 32]), ProofError> {
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

/// An export as a stream of bytes, of which the hash is known at its end.
pub struct ProvedExport {
    store: Arc<Store>,
    about: Preamble,
    reader: ExportReader<Arc<Store>>,
    hash: Context,
}

impl ProvedExport {
    /// How many entries were read so far.
    pub const fn entries(&self) -> u64 {
        self.reader.entries()
    }

    /// Signs how far the trail has come, which is to stand at the end of the proof.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn sign(&self, actor: Actor, source: &Source) -> Result<Checkpoint, CheckpointError> {
        sign(&self.store, (actor, source), Occasion::Export)
    }

    /// The proof of what was read, up to this checkpoint.
    pub fn proof(self, checkpoint: Checkpoint) -> ProofReader {
        let sha256 = self.hash.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes");
        let seal = Seal { checkpoint, entries: self.reader.entries(), sha256 };
        ProofReader::new(self.store, self.about, seal)
    }
}

impl Read for ProvedExport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// A proof as a stream of bytes; no snapshot is held between two reads.
pub struct ProofReader {
    store: Arc<Store>,
    about: Preamble,
    seal: Seal,
    cursor: i64,
    lineage: String,
    ended: bool,
    text: String,
    given: usize,
}

impl ProofReader {
    fn new(store: Arc<Store>, about: Preamble, seal: Seal) -> Self {
        let mut text = String::new();
        about.push(&mut text);
        let cursor = about.from - 1;
        Self { store, about, seal, cursor, lineage: String::new(), ended: false, text, given: 0 }
    }

    /// Puts the next page in place of the text that was given out; the seal behind the last one.
    fn turn(&mut self) -> Result<(), ProofError> {
        self.text.clear();
        self.given = 0;
        let last = self.seal.checkpoint.point.seq;
        if self.cursor >= last {
            self.look_for_erasures()?;
            self.seal.push(&mut self.text);
            self.ended = true;
            return Ok(());
        }
        let (text, about, lineage) = (&mut self.text, &self.about, &mut self.lineage);
        let read = self.store.read(|tx| {
            audit::visit_lines(tx, &Filter::default(), (self.cursor, last), PAGE, |line| {
                if line.header.lineage != *lineage {
                    line.header.lineage.clone_into(lineage);
                    push_lineage(text, lineage);
                }
                push_row(text, line, about.holds_body_of(&line.header));
            })
        })?;
        self.cursor = read.unwrap_or(last);
        Ok(())
    }
}

impl ProofReader {
    /// Lines of JSON are proved by their digests, whatever became of the bodies, if the record of the erasure stands in the
    /// proof: not where the checkpoint was signed before that. Rows for a spreadsheet are proved by their bodies.
    fn look_for_erasures(&self) -> Result<(), ProofError> {
        let erased = self.store.read(|tx| audit::find_last_of(tx, &[Action::AuditPruned]))?;
        let since = match self.about.export {
            Format::Csv => self.about.through,
            Format::JsonLines => self.seal.checkpoint.point.seq,
        };
        match erased.is_some_and(|(_, seq, _)| seq > since) {
            true => Err(ProofError::ErasedMeanwhile),
            false => Ok(()),
        }
    }
}

impl Read for ProofReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if self.ended {
                return Ok(0);
            }
            self.turn().map_err(io::Error::other)?;
        }
        let rest = &self.text.as_bytes()[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

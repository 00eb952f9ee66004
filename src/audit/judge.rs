//! The verdict on an export, from its proof and from what was kept elsewhere: keys and anchors. No database, no network,
//! and memory that does not grow with the files.
//!
//! Architecture invariant: nothing that the two files say of themselves makes a verdict better than
//! [`Finding::Unanchored`]; only an anchor that the verifier brings along does.

mod lines;
mod matched;
mod trust;

use std::io::{self, BufRead};

use aws_lc_rs::digest::{Context, SHA256};

use super::table::{Between, Preamble, Row, Seal};
use super::{Action, chain};
use crate::audit::checkpoint::Point;
use crate::time::Timestamp;

use lines::{Lines, Next};
use matched::Matched;
use trust::Rotated;
pub use trust::Trust;

/// So many entries that are missing are named.
const NAMED: usize = 10;

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Something is not as it was written; the end of a sentence: what, and where.
    Invalid(String),
    /// A kept checkpoint says otherwise.
    Diverged(String),
    /// A kept checkpoint belongs to a history that a recorded restore replaced.
    Restored(String),
    /// Entries are missing.
    Incomplete(String),
    /// Consistent in itself; nothing from outside vouches for it.
    Unanchored,
    /// It agrees with a checkpoint from outside.
    Anchored(Point),
    /// It could not be told: why.
    Unclear(String),
}

impl Finding {
    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID",
            Self::Diverged(_) => "DIVERGED",
            Self::Restored(_) => "RESTORED",
            Self::Incomplete(_) => "INCOMPLETE",
            Self::Unanchored => "UNANCHORED",
            Self::Anchored(_) => "ANCHORED",
            Self::Unclear(_) => "COULD NOT TELL",
        }
    }

    /// Whether the answer to "is it genuine and complete" is no.
    pub const fn is_bad(&self) -> bool {
        matches!(self, Self::Invalid(_) | Self::Diverged(_) | Self::Restored(_) | Self::Incomplete(_))
    }
}

/// A finding, and what it is about.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// What was found.
    pub finding: Finding,
    /// What the proof says that it proves; nothing if that could not be read.
    pub about: Option<Preamble>,
    /// Entries that the export holds.
    pub entries: u64,
    /// The checkpoint at the proof's end.
    pub checkpoint: Option<Point>,
    /// Whether a key that was given signed it; nothing if none was given.
    pub signed: Option<bool>,
}

/// Why a walk ends before its end.
enum Stop {
    Found(Finding),
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

fn invalid<T>(what: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Found(Finding::Invalid(what.into())))
}

/// Judges `export` by `proof`.
///
/// # Errors
/// When a file can not be read.
pub fn judge(export: impl BufRead, proof: impl BufRead, trust: &Trust) -> io::Result<Verdict> {
    let mut verdict = Verdict { finding: Finding::Unanchored, about: None, entries: 0, checkpoint: None, signed: None };
    match walk(&mut verdict, Lines::new(export), Lines::new(proof), trust) {
        Ok(finding) | Err(Stop::Found(finding)) => verdict.finding = finding,
        Err(Stop::Io(e)) => return Err(e),
    }
    Ok(verdict)
}

fn walk<E: BufRead, P: BufRead>(
    verdict: &mut Verdict,
    export: Lines<E>,
    mut proof: Lines<P>,
    trust: &Trust,
) -> Result<Finding, Stop> {
    let unclear = |why: &str| Err(Stop::Found(Finding::Unclear(why.to_owned())));
    let about = match proof.next()? {
        Next::Line(line) => Preamble::parse(line),
        _ => None,
    };
    let Some(about) = about else {
        return unclear("the proof does not begin as one: name the file that --proof wrote");
    };
    if about.from < 1 || about.through < about.from.saturating_sub(1) || about.through == i64::MAX {
        return invalid("the proof's first line names a range that there is not");
    }
    verdict.about = Some(about.clone());
    trust.fits(&about.origin).map_err(Stop::Found)?;
    let mut matched = Matched::new(export, &about)?;
    let mut chain = Chain::new(&about);
    let mut agreed = trust.agreement(&about);
    let seal = loop {
        let line = match proof.next()? {
            Next::Line(line) => line,
            Next::End => return Ok(Finding::Incomplete(format!("the proof breaks off after entry {}", chain.seq))),
            Next::Bad(what) => return invalid(format!("line {} of the proof {what}", proof.number())),
        };
        if line.starts_with('{') {
            match Seal::parse(line) {
                Some(seal) => break seal,
                None => return invalid(format!("line {} of the proof is not as it was written", proof.number())),
            }
        }
        let Some(between) = Between::parse(line, chain.lineage()) else {
            return invalid(format!("line {} of the proof is not as it was written", proof.number()));
        };
        let row = match between {
            Between::Lineage(lineage) => {
                chain.announce(lineage)?;
                continue;
            }
            Between::Row(row) => row,
        };
        let prev = chain.hash;
        chain.step(&row)?;
        agreed.at(&row.header, &chain.hash);
        chain.check_rotation(&row)?;
        if row.header.seq == about.through + 1 {
            check_exported(&row, &about)?;
        }
        matched.row(&row, (&prev, &chain.hash))?;
    };
    if !matches!(proof.next()?, Next::End) {
        return invalid(format!("line {} of the proof stands behind its end", proof.number()));
    }
    verdict.checkpoint = Some(seal.checkpoint.point.clone());
    chain.check_seal(&seal, &about, matched.last_sound())?;
    verdict.signed =
        trust.signature(&seal.checkpoint, chain.rotated.as_ref(), agreed.vouched()).map_err(Stop::Found)?;
    verdict.entries = matched.entries();
    let finding = agreed.finding(chain.seq);
    if !matches!(finding, Finding::Unanchored | Finding::Anchored(_)) {
        return Ok(finding);
    }
    matched.end(&seal)?;
    Ok(finding)
}

/// The export's own entry says what was asked for: the filter in the proof is not for a forger to choose.
fn check_exported(row: &Row, about: &Preamble) -> Result<(), Stop> {
    let what = "the filter, format or range in the proof is not the one that the trail recorded for this export";
    let Some((_, body)) = row.body.as_ref().filter(|_| row.header.action == Action::AuditExported.as_str()) else {
        return invalid(what);
    };
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let detail = &body["detail"];
    let same = detail["filter"] == *about.filter.to_sentence()
        && detail["format"] == about.export.as_str()
        && detail["entries_up_to"] == about.through;
    if same { Ok(()) } else { invalid(what) }
}

/// The chain as the table's rows give it.
struct Chain {
    from: i64,
    lineage: String,
    announced: Option<String>,
    seq: i64,
    at: Timestamp,
    hash: [u8; 32],
    /// The newest entry that replaced the signing key.
    rotated: Option<Rotated>,
}

impl Chain {
    fn new(about: &Preamble) -> Self {
        Self {
            from: about.from,
            lineage: String::new(),
            announced: None,
            seq: about.from - 1,
            at: Timestamp::from_micros(i64::MIN),
            hash: about.before,
            rotated: None,
        }
    }

    /// The lineage of the next row.
    fn lineage(&self) -> &str {
        self.announced.as_deref().unwrap_or(&self.lineage)
    }

    fn announce(&mut self, lineage: String) -> Result<(), Stop> {
        if self.announced.is_some() || lineage == self.lineage {
            return invalid(format!("entry {} is preceded by a lineage that is not one", self.seq + 1));
        }
        self.announced = Some(lineage);
        Ok(())
    }

    fn step(&mut self, row: &Row) -> Result<(), Stop> {
        let h = &row.header;
        if h.seq != self.seq + 1 {
            return invalid(format!("entry {} is missing in the proof, or stands elsewhere in it", self.seq + 1));
        }
        let first = h.seq == self.from;
        if first && h.seq == 1 && self.hash != chain::GENESIS {
            return invalid("entry 1 has nothing before it, and the proof says otherwise");
        }
        match self.announced.take() {
            None if first => return invalid("the proof does not say to which lineage its first entry belongs"),
            None => {}
            Some(lineage) => {
                let begins = if h.seq == 1 { Action::SystemInitialised } else { Action::SystemRestored };
                if (!first || h.seq == 1) && h.action != begins.as_str() {
                    return invalid(format!("entry {} begins another lineage without a restore", h.seq));
                }
                self.lineage = lineage;
            }
        }
        if h.at < self.at {
            return invalid(format!("entry {} is older than the entry before it", h.seq));
        }
        if let Some((salt, body)) = &row.body
            && chain::body_digest(salt, body) != row.body_digest
        {
            return invalid(format!("entry {} has a body that is not the one it was written with", h.seq));
        }
        self.hash = chain::entry_hash(&self.hash, h, &row.body_digest);
        (self.seq, self.at) = (h.seq, h.at);
        Ok(())
    }

    fn check_rotation(&mut self, row: &Row) -> Result<(), Stop> {
        if row.header.action != Action::AuditKeyRotated.as_str() {
            return Ok(());
        }
        let body = row.body.as_ref().and_then(|(_, body)| serde_json::from_str::<serde_json::Value>(body).ok());
        match body.as_ref().and_then(|b| b["detail"]["new"].as_str()?.parse().ok()) {
            Some(new) => self.rotated = Some(Rotated { seq: row.header.seq, new }),
            None => {
                return invalid(format!("entry {} replaces the signing key and does not say by which", row.header.seq));
            }
        }
        Ok(())
    }

    fn check_seal(&self, seal: &Seal, about: &Preamble, last_sound: i64) -> Result<(), Stop> {
        let point = &seal.checkpoint.point;
        if self.announced.is_some() {
            return invalid("the proof ends with a lineage that has no entry");
        }
        if point.origin != about.origin {
            return invalid("the checkpoint at the proof's end is of another instance");
        }
        if self.seq < about.through + 1 {
            return Err(Stop::Found(Finding::Incomplete(format!(
                "the proof ends at entry {}, before the export that it belongs to",
                self.seq
            ))));
        }
        if point.seq > self.seq {
            return Err(Stop::Found(Finding::Incomplete(format!(
                "the proof ends at entry {}, its own checkpoint is of entry {}",
                self.seq, point.seq
            ))));
        }
        if (point.seq, &point.lineage) != (self.seq, &self.lineage) || point.hash != self.hash {
            let from = last_sound.max(self.from - 1) + 1;
            return invalid(format!(
                "somewhere from entry {from} to {} an entry in the proof is not the one that was written: they do not lead \
                 to its checkpoint",
                self.seq
            ));
        }
        Ok(())
    }
}

/// The hash of a file's bytes.
fn sha256(context: Context) -> [u8; 32] {
    context.finish().as_ref().try_into().unwrap_or_default()
}

fn new_sha256() -> Context {
    Context::new(&SHA256)
}

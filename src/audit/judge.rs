//! The verdict on an export, from its proof and from what was kept elsewhere: keys and anchors. No database, no network,
//! and memory that does not grow with the files.
//!
//! Architecture invariant: nothing that the two files say of themselves makes a verdict better than
//! [`Finding::Unanchored`]; only an anchor that the verifier brings along does.

mod ahead;
mod export_line;
mod lines;
mod matched;
mod proof_line;
mod trust;

use std::io::{self, BufRead};

use aws_lc_rs::digest::{Context, SHA256};

use super::erasure::{Ages, Erasures};
use super::table::{Between, Preamble, Row, Seal};
use super::{Action, chain};
use crate::audit::checkpoint::Point;
use crate::time::Timestamp;

use ahead::Ahead;
use export_line::Exported;
use lines::{Lines, Next};
use matched::Matched;
use proof_line::{NOT_WRITTEN, Proved};
pub use trust::Trust;
use trust::{Agreement, Rotated};

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
    /// Those of them whose bodies were erased, as the trail records.
    pub erased: u64,
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

/// Judges `export` by `proof`. Both are read ahead of the walk, each by a thread of its own.
///
/// # Errors
/// When a file can not be read.
pub fn judge(export: impl BufRead + Send, proof: impl BufRead + Send, trust: &Trust) -> io::Result<Verdict> {
    let (finding, checkpoint) = (Finding::Unanchored, None);
    let mut verdict = Verdict { finding, about: None, entries: 0, erased: 0, checkpoint, signed: None };
    match walk(&mut verdict, export, Lines::new(proof), trust) {
        Ok(finding) | Err(Stop::Found(finding)) => verdict.finding = finding,
        Err(Stop::Io(e)) => return Err(e),
    }
    Ok(verdict)
}

fn walk(
    verdict: &mut Verdict,
    export: impl BufRead + Send,
    mut proof: Lines<impl BufRead + Send>,
    trust: &Trust,
) -> Result<Finding, Stop> {
    let about = begin(&mut proof)?;
    verdict.about = Some(about.clone());
    trust.fits(&about.origin).map_err(Stop::Found)?;
    check_range(&about)?;
    std::thread::scope(|scope| {
        let mut lines = proof_line::Reader::behind(proof);
        let proof = Ahead::begin(scope, move || lines.next());
        let mut lines = export_line::Reader::new(export, about.export);
        let export = Ahead::begin(scope, move || lines.next());
        walk_rows(verdict, about, (export, proof), trust)
    })
}

fn walk_rows(
    verdict: &mut Verdict,
    about: Preamble,
    (export, mut proof): (Ahead<Exported>, Ahead<Proved>),
    trust: &Trust,
) -> Result<Finding, Stop> {
    let (chain, agreed) = (Chain::new(&about), trust.agreement(&about));
    let mut table = Table { chain, agreed, matched: Matched::new(export, &about)?, about };
    let mut spelt = String::new();
    let seal = loop {
        match proof.next() {
            Some(Proved::Between(between, line, number)) => {
                if !between.is_spelt(&line, &mut spelt) {
                    return invalid(format!("line {number} of the proof {NOT_WRITTEN}"));
                }
                match between {
                    Between::Lineage(lineage) => table.chain.announce(lineage)?,
                    Between::Row(row) => table.row(&row)?,
                }
            }
            Some(Proved::Seal(seal)) => break seal,
            Some(Proved::Bad(number, what)) => return invalid(format!("line {number} of the proof {what}")),
            Some(Proved::Behind(number)) => return behind(number),
            Some(Proved::Io(e)) => return Err(e.into()),
            None => {
                let what = format!("the proof breaks off after entry {}", table.chain.seq);
                return Ok(table.agreed.contradicted().unwrap_or(Finding::Incomplete(what)));
            }
        }
    };
    match proof.next() {
        None => {}
        Some(Proved::Io(e)) => return Err(e.into()),
        Some(Proved::Behind(number)) => return behind(number),
        Some(_) => unreachable!("whatever stands behind the last line is read as that"),
    }
    let Table { chain, agreed, matched, about } = table;
    verdict.checkpoint = Some(seal.checkpoint.point.clone());
    chain.check_seal(&seal, &about, matched.last_sound())?;
    verdict.signed =
        trust.signature(&seal.checkpoint, chain.rotated.as_ref(), agreed.vouched()).map_err(Stop::Found)?;
    (verdict.entries, verdict.erased) = (matched.entries(), matched.erased());
    let finding = agreed.finding(chain.seq);
    if matches!(finding, Finding::Unanchored | Finding::Anchored(_)) {
        matched.end(&seal, chain.erasures.through())?;
    }
    Ok(finding)
}

fn behind<T>(number: u64) -> Result<T, Stop> {
    invalid(format!("line {number} of the proof stands behind its end"))
}

/// The proof's first line.
fn begin<P: BufRead>(proof: &mut Lines<P>) -> Result<Preamble, Stop> {
    let about = match proof.next()? {
        Next::Line(line) => Preamble::parse(line),
        _ => None,
    };
    let Some(about) = about else {
        let why = "the proof does not begin as one: name the file that --proof wrote";
        return Err(Stop::Found(Finding::Unclear(why.into())));
    };
    Ok(about)
}

fn check_range(about: &Preamble) -> Result<(), Stop> {
    if (about.before == chain::GENESIS) != (about.from == 1) {
        return invalid("only entry 1 has nothing before it, and the proof says otherwise");
    }
    if about.from < 1 || about.through < about.from - 1 || about.through == i64::MAX {
        return invalid("the proof's first line names a range that there is not");
    }
    Ok(())
}

/// Everything that a row of the table is held against.
struct Table {
    about: Preamble,
    chain: Chain,
    agreed: Agreement,
    matched: Matched,
}

impl Table {
    fn row(&mut self, row: &Row) -> Result<(), Stop> {
        let prev = self.chain.hash;
        self.chain.step(row)?;
        self.agreed.at(&row.header, &self.chain.hash);
        if row.body.is_some() && !self.about.holds_body_of(&row.header) {
            return invalid(format!("entry {} has a body in the proof, which holds none of it", row.header.seq));
        }
        self.chain.check_rotation(row)?;
        self.chain.check_erasure(row)?;
        if row.header.seq == self.about.through + 1 {
            check_exported(row, &self.about)?;
        }
        self.matched.row(row, (&prev, &self.chain.hash))
    }
}

/// The export's own entry says what was asked for: the filter in the proof is not for a forger to choose.
fn check_exported(row: &Row, about: &Preamble) -> Result<(), Stop> {
    let what = "the filter, format or range in the proof is not the one that the trail recorded for this export";
    let Some((_, body)) = row.body.as_ref().filter(|_| row.header.action == Action::AuditExported.as_str()) else {
        return invalid(what);
    };
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let detail = &body["detail"];
    let same = detail["filter"] == about.filter.as_str()
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
    ages: Ages,
    erasures: Erasures,
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
            ages: Ages::behind(about.from - 1),
            erasures: Erasures::behind(about.from - 1),
        }
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

    fn check_erasure(&mut self, row: &Row) -> Result<(), Stop> {
        let seq = row.header.seq;
        let aged = self.ages.take(seq, row.header.at);
        if row.header.action != Action::AuditPruned.as_str() {
            return Ok(());
        }
        let body = row.body.as_ref().map(|(_, body)| &**body);
        self.erasures.take(seq, body, aged).or_else(|what| invalid(format!("entry {seq} {what}")))
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
            return invalid(format!("the proof ends at entry {}, before the export that it belongs to", self.seq));
        }
        if point.seq > self.seq {
            return invalid(format!(
                "the proof ends at entry {}, its own checkpoint is of entry {}",
                self.seq, point.seq
            ));
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

//! What the verifier brings along: keys and anchors.

use std::collections::BTreeMap;

use super::Finding;
use crate::audit::checkpoint::{Checkpoint, Point};
use crate::audit::note::{Signed, VerifierKey};
use crate::audit::table::Preamble;
use crate::audit::{Action, Header};
use data_encoding::HEXLOWER;

/// Keys and anchors, from elsewhere than the files that are judged.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Public keys of the instance.
    pub keys: Vec<VerifierKey>,
    /// Checkpoints that were kept where the host can not rewrite them.
    pub anchors: Vec<Checkpoint>,
}

impl Trust {
    /// Whether all of it is about this instance, and no anchor was altered as far as the keys tell.
    pub(super) fn fits(&self, origin: &str) -> Result<(), Finding> {
        let unclear = |why: String| Err(Finding::Unclear(why));
        for anchor in &self.anchors {
            let point = &anchor.point;
            if point.origin != origin {
                return unclear(format!("the anchor of entry {} is of another instance, {}", point.seq, point.origin));
            }
            if self.keys.iter().any(|key| anchor.note.signed_by(key) == Signed::Wrong) {
                return unclear(format!("the anchor of entry {} was altered: its signature is wrong", point.seq));
            }
        }
        Ok(())
    }

    /// Whether a given key signed the checkpoint; nothing if none was given. `rotated` is the newest entry that replaced the
    /// key. It counts for a key that was not given only as far as an anchor vouches for it, up to entry `vouched`.
    pub(super) fn signature(
        &self,
        checkpoint: &Checkpoint,
        rotated: Option<&Rotated>,
        vouched: i64,
    ) -> Result<Option<bool>, Finding> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let seq = checkpoint.point.seq;
        let known = rotated.filter(|r| r.seq <= vouched).map(|r| &r.new);
        for key in self.keys.iter().chain(known) {
            match checkpoint.note.signed_by(key) {
                Signed::ByOthers => {}
                Signed::Wrong => {
                    return Err(Finding::Invalid(format!(
                        "the signature under the checkpoint of entry {seq} is wrong"
                    )));
                }
                Signed::Yes => {
                    return match rotated.filter(|r| r.new != *key) {
                        Some(r) => Err(Finding::Invalid(format!(
                            "the checkpoint of entry {seq} is signed by a key that was replaced at entry {}",
                            r.seq
                        ))),
                        None => Ok(Some(true)),
                    };
                }
            }
        }
        let by: Vec<_> =
            checkpoint.note.signers().map(|(name, id)| format!("{name}+{}", HEXLOWER.encode(&id))).collect();
        let hint = match rotated.filter(|r| checkpoint.note.signed_by(&r.new) == Signed::Yes) {
            Some(r) => format!(
                "; entry {} says that it replaced the one before, which counts when an anchor covers that entry or the new \
                 key is given",
                r.seq
            ),
            None => String::new(),
        };
        Err(Finding::Invalid(format!(
            "the checkpoint of entry {seq} is signed by {}, which is not the key that was given{hint}",
            by.join(", ")
        )))
    }

    /// What the anchors say of a whole table, which is sound and ends with entry `last`. `restores` are the entries that
    /// record one; `hash_of` gives an entry's hash.
    pub fn of_table<E>(
        &self,
        origin: &str,
        restores: &[Header],
        last: i64,
        mut hash_of: impl FnMut(i64) -> Result<Option<[u8; 32]>, E>,
    ) -> Result<Finding, E> {
        if let Err(finding) = self.fits(origin) {
            return Ok(finding);
        }
        let mut agreement = self.begin();
        agreement.begun = restores.iter().map(|h| (h.seq, h.lineage.clone())).collect();
        let seqs: Vec<i64> = agreement.anchors.keys().copied().collect();
        for seq in seqs {
            if let Some(hash) = hash_of(seq)? {
                agreement.compare(seq, &hash);
            }
        }
        Ok(agreement.finding(last))
    }

    fn begin(&self) -> Agreement {
        let mut anchors: BTreeMap<i64, Vec<Point>> = BTreeMap::new();
        for anchor in &self.anchors {
            anchors.entry(anchor.point.seq).or_default().push(anchor.point.clone());
        }
        Agreement { anchors, begun: Vec::new(), agreed: None, contradicted: None }
    }

    pub(super) fn agreement(&self, about: &Preamble) -> Agreement {
        let mut agreement = self.begin();
        agreement.compare(about.from - 1, &about.before);
        agreement
    }
}

/// An entry that replaced the signing key.
pub(super) struct Rotated {
    pub(super) seq: i64,
    pub(super) new: VerifierKey,
}

/// How the anchors stand to the rows so far.
pub(super) struct Agreement {
    anchors: BTreeMap<i64, Vec<Point>>,
    /// Entries with which a restore began a lineage.
    begun: Vec<(i64, String)>,
    agreed: Option<Point>,
    contradicted: Option<Finding>,
}

impl Agreement {
    pub(super) fn at(&mut self, header: &Header, hash: &[u8; 32]) {
        // Of many restores only the first ones are remembered: enough to say that there was one.
        if header.action == Action::SystemRestored.as_str() && self.begun.len() < 1_000 {
            self.begun.push((header.seq, header.lineage.clone()));
        }
        self.compare(header.seq, hash);
    }

    fn compare(&mut self, seq: i64, hash: &[u8; 32]) {
        for point in self.anchors.remove(&seq).unwrap_or_default() {
            if point.hash == *hash {
                self.agreed = Some(point);
            } else if self.contradicted.is_none() {
                self.contradicted = Some(self.contradiction(&point));
            }
        }
    }

    fn contradiction(&self, point: &Point) -> Finding {
        let (seq, at) = (point.seq, point.at);
        match self.begun.iter().rfind(|(begun, lineage)| *begun <= seq && *lineage != point.lineage) {
            Some((begun, lineage)) => Finding::Restored(format!(
                "entry {begun} records a restore, which began lineage {lineage}; the anchor of entry {seq}, kept at {at}, \
                 is of lineage {}, whose last entries that restore replaced",
                point.lineage
            )),
            None => Finding::Diverged(format!(
                "entry {seq} is another one than that of which the anchor of {at} was made: one of two histories is forged"
            )),
        }
    }

    /// The newest entry for which an anchor vouches; 0 if there is none.
    pub(super) fn vouched(&self) -> i64 {
        self.agreed.as_ref().map_or(0, |point| point.seq)
    }

    /// What the anchors say of a table that ends with entry `last`.
    pub(super) fn finding(self, last: i64) -> Finding {
        if let Some(contradicted) = self.contradicted {
            return contradicted;
        }
        if let Some((seq, points)) = self.anchors.range(last + 1..).next() {
            let point = &points[0];
            return match self.begun.last().filter(|(_, lineage)| *lineage != point.lineage) {
                Some(_) => self.contradiction(point),
                None => Finding::Incomplete(format!(
                    "the trail ends at entry {last}, and the anchor of {} is of entry {seq}: entries from {} on are missing",
                    point.at,
                    last + 1
                )),
            };
        }
        self.agreed.map_or(Finding::Unanchored, Finding::Anchored)
    }
}

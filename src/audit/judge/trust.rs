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
        let says: Vec<_> = self.keys.iter().chain(known).map(|key| (key, checkpoint.note.signed_by(key))).collect();
        if says.iter().any(|(_, signed)| *signed == Signed::Wrong) {
            return Err(Finding::Invalid(format!("the signature under the checkpoint of entry {seq} is wrong")));
        }
        let mut by = says.into_iter().filter(|(_, signed)| *signed == Signed::Yes).map(|(key, _)| key).peekable();
        if by.peek().is_some() {
            return match rotated.filter(|r| by.any(|key| r.new != *key)) {
                Some(r) => Err(Finding::Invalid(format!(
                    "the checkpoint of entry {seq} is signed by a key that was replaced at entry {}",
                    r.seq
                ))),
                None => Ok(Some(true)),
            };
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
        let (mut agreement, mut restores) = (self.begin(), restores.iter().peekable());
        let mut reach = |agreement: &mut Agreement, seq| {
            while let Some(header) = restores.next_if(|h| h.seq <= seq) {
                header.lineage.clone_into(&mut agreement.lineage);
                agreement.restored = Some(header.seq);
            }
        };
        let seqs: Vec<i64> = agreement.anchors.keys().copied().collect();
        for seq in seqs {
            if let Some(hash) = hash_of(seq)? {
                reach(&mut agreement, seq);
                agreement.compare(seq, &hash);
            }
        }
        reach(&mut agreement, last);
        Ok(agreement.finding(last))
    }

    fn begin(&self) -> Agreement {
        let mut anchors: BTreeMap<i64, Vec<Point>> = BTreeMap::new();
        for anchor in &self.anchors {
            anchors.entry(anchor.point.seq).or_default().push(anchor.point.clone());
        }
        Agreement { anchors, lineage: String::new(), restored: None, agreed: None, contradicted: None }
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
    /// The lineage of the newest entry so far, and with which restore it began.
    lineage: String,
    restored: Option<i64>,
    agreed: Option<Point>,
    contradicted: Option<Finding>,
}

impl Agreement {
    pub(super) fn at(&mut self, header: &Header, hash: &[u8; 32]) {
        if header.lineage != self.lineage {
            header.lineage.clone_into(&mut self.lineage);
            self.restored = (header.action == Action::SystemRestored.as_str()).then_some(header.seq);
        }
        self.compare(header.seq, hash);
    }

    fn compare(&mut self, seq: i64, hash: &[u8; 32]) {
        for point in self.anchors.remove(&seq).unwrap_or_default() {
            if point.hash == *hash {
                self.agreed = Some(point);
                continue;
            }
            // That two histories are there is not excused by a restore that replaced a third one.
            let contradiction = self.contradiction(&point);
            match (&self.contradicted, &contradiction) {
                (None, _) | (Some(Finding::Restored(_)), Finding::Diverged(_)) => {
                    self.contradicted = Some(contradiction)
                }
                _ => {}
            }
        }
    }

    fn contradiction(&self, point: &Point) -> Finding {
        let (seq, at) = (point.seq, point.at);
        match self.restored.filter(|_| self.lineage != point.lineage) {
            Some(begun) => Finding::Restored(format!(
                "entry {begun} records a restore, which began lineage {}; the anchor of entry {seq}, kept at {at}, \
                 is of lineage {}, whose last entries that restore replaced",
                self.lineage, point.lineage
            )),
            None => Finding::Diverged(format!(
                "entry {seq} is another one than that of which the anchor of {at} was made: one of two histories is forged"
            )),
        }
    }

    /// What the anchors say against the rows so far.
    pub(super) fn contradicted(self) -> Option<Finding> {
        self.contradicted
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
            return match self.restored.filter(|_| self.lineage != point.lineage) {
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

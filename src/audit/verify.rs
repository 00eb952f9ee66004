//! Checking the chain: every entry hashes to what it says, extends the one before, and time never falls.

use super::erasure::is_kept;
use super::{Entry, Line, chain};
use crate::time::Timestamp;

/// The entry's hash, or what is wrong with it, as the end of a sentence that begins "entry 17". `erased` is the last entry of
/// which the trail records that its body was erased.
///
/// # Errors
/// The first thing that does not hold.
pub fn check_entry(entry: &Line<'_>, before: &[u8; 32], erased: i64) -> Result<[u8; 32], &'static str> {
    if entry.prev_hash != before {
        return Err("does not extend the entry before it");
    }
    let is_erased = entry.header.seq <= erased && !is_kept(entry.header.action);
    match (entry.salt, entry.body) {
        (Some(salt), Some(body)) if chain::body_digest(salt, body) != entry.body_digest => {
            return Err("has a body that is not the one it was written with");
        }
        (Some(_), Some(_)) if is_erased => return Err("has its body, and the trail records that it was erased"),
        (Some(_), Some(_)) => {}
        (None, None) if is_erased => {}
        _ => return Err("has lost its body"),
    }
    let hash = chain::entry_hash(before, &entry.header, entry.body_digest);
    if hash != entry.hash {
        return Err("has a header or hash that is not the one it was written with");
    }
    Ok(hash)
}

/// A chain being walked from its first entry on, or from a later one that is taken for sound.
#[derive(Debug, Clone)]
pub struct Walk {
    lineage: Option<String>,
    seq: i64,
    at: Timestamp,
    hash: [u8; 32],
    lineages: u32,
    erased: i64,
}

/// The first entry at which the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The entry's number, or the number at which one is missing.
    pub seq: i64,
    /// What is wrong, as the end of a sentence that begins "entry 17".
    pub what: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "entry {} {}", self.seq, self.what)
    }
}

impl Walk {
    /// A walk from the first entry on, in a chain that records that bodies were erased up to the entry `erased`.
    pub const fn new(erased: i64) -> Self {
        let at = Timestamp::from_micros(i64::MIN);
        Self { lineage: None, seq: 0, at, hash: chain::GENESIS, lineages: 0, erased }
    }

    /// As [`Walk::new`], but begins behind `entry`, of which nothing was checked.
    pub fn behind(entry: &Entry, erased: i64) -> Self {
        let h = &entry.header;
        Self { lineage: Some(h.lineage.clone()), seq: h.seq, at: h.at, hash: entry.hash, lineages: 0, erased }
    }

    /// This walk together with one that began at `seam` and went on, if this one has come to exactly there.
    pub fn joined(&self, seam: &Self, rest: Self) -> Option<Self> {
        let ends_there = (self.seq, self.at, self.hash, &self.lineage) == (seam.seq, seam.at, seam.hash, &seam.lineage);
        ends_there.then(|| Self { lineages: self.lineages + rest.lineages, ..rest })
    }

    /// Checks the next entry.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn step(&mut self, entry: &Line<'_>) -> Result<(), Broken> {
        let h = &entry.header;
        let broken = |seq, what: &str| Err(Broken { seq, what: what.to_owned() });
        if h.seq != self.seq + 1 {
            return broken(self.seq + 1, "is missing");
        }
        let hash = match check_entry(entry, &self.hash, self.erased) {
            Ok(hash) => hash,
            Err(what) => return broken(h.seq, what),
        };
        if h.at < self.at {
            return broken(h.seq, "is older than the entry before it");
        }
        if self.lineage.as_deref() != Some(h.lineage) {
            let starts = if self.seq == 0 { "system.initialised" } else { "system.restored" };
            if h.action != starts {
                return broken(h.seq, "begins another lineage without a restore");
            }
            self.lineage = Some(h.lineage.to_owned());
            self.lineages += 1;
        }
        (self.seq, self.at, self.hash) = (h.seq, h.at, hash);
        Ok(())
    }

    /// How many entries were checked; also the newest one's number.
    pub const fn entries(&self) -> i64 {
        self.seq
    }

    /// The newest entry's hash.
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The newest entry's time.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The newest entry's lineage.
    pub fn lineage(&self) -> Option<&str> {
        self.lineage.as_deref()
    }

    /// How many lineages there are: one more than restores.
    pub const fn lineages(&self) -> u32 {
        self.lineages
    }
}

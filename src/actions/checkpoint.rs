//! Signing how far the trail has come. The checkpoint is itself recorded, so that the trail shows which ones there are.

use std::sync::Arc;

use crate::audit::checkpoint::{Checkpoint, Point, origin_line};
use crate::audit::note::VerifierKey;
use crate::audit::{Actor, Event, Record, Source, TrailFact};
use crate::host::keys::AuditSigningKey;
use crate::storage::{self, Audited, Store, audit, instance};

/// Why a checkpoint is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Entries are exported with a proof.
    Export,
    /// The signing key was replaced.
    KeyRotated,
}

impl Occasion {
    /// The word in the entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::KeyRotated => "key_rotated",
        }
    }
}

/// The public half of the key, under the name with which it signs for this instance.
pub fn verifier_key(key: &AuditSigningKey, origin: &str) -> VerifierKey {
    VerifierKey::new(&origin_line(origin), key.public()).expect("an instance's name is a UUID")
}

/// Signs that the newest entry is the newest entry.
///
/// # Errors
/// Storage; then nothing was signed.
pub fn sign(
    store: &Store,
    key: Arc<AuditSigningKey>,
    (actor, source): (Actor, &Source),
    occasion: Occasion,
) -> storage::Result<Checkpoint> {
    let source = source.clone();
    store.change(move |tx| {
        let origin = instance::get(tx)?.origin;
        let point = Point::of(&origin, &audit::get_head(tx)?, tx.now());
        let seq = point.seq;
        let checkpoint = Checkpoint::sign(point, &verifier_key(&key, &origin), |text| key.sign(text));
        let event = Event::Trail(TrailFact::CheckpointSigned {
            seq,
            occasion: occasion.as_str(),
            checkpoint: checkpoint.to_string(),
        });
        Ok(Audited::new(checkpoint, Record::new(actor, &source, event)))
    })
}

//! What is done with the trail itself: exporting it, signing how far it has come, replacing the key that signs, erasing what
//! old entries say.

use super::Action;
use super::body::Fact;
use super::erasure::Pruned;
use super::record::Parts;

/// Something done with the trail.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields say what they are; each variant is documented by its `Action`.
pub enum TrailFact {
    Exported {
        filter: String,
        format: &'static str,
        entries_up_to: i64,
    },
    /// `checkpoint` is the whole signed note, so that nothing about it has to be stored elsewhere.
    CheckpointSigned {
        seq: i64,
        occasion: &'static str,
        checkpoint: String,
    },
    /// Both keys as a line; `endorsed` is the new one's line as a note signed by the old key. Without them the old key was lost.
    KeyRotated {
        old: Option<String>,
        new: String,
        endorsed: Option<String>,
    },
    /// By the policy that entries are kept so many days.
    Pruned(Pruned),
}

impl TrailFact {
    /// The header's fields and the body's texts.
    pub(super) fn into_parts(self) -> Parts {
        use Action as A;
        match self {
            Self::Exported { filter, format, entries_up_to } => Parts::bare(A::AuditExported)
                .with("filter", filter)
                .with("format", format)
                .with("entries_up_to", Fact::Number(entries_up_to)),
            Self::CheckpointSigned { seq, occasion, checkpoint } => Parts::bare(A::AuditCheckpointSigned)
                .with("seq", Fact::Number(seq))
                .with("occasion", occasion)
                .with("checkpoint", checkpoint),
            Self::KeyRotated { old, new, endorsed } => {
                let mut parts = Parts::bare(A::AuditKeyRotated).with("new", new).with("lost", endorsed.is_none());
                for (key, value) in [("old", old), ("endorsed", endorsed)] {
                    parts = match value {
                        Some(value) => parts.with(key, value),
                        None => parts,
                    };
                }
                parts
            }
            Self::Pruned(Pruned { first, through, days }) => Parts::bare(A::AuditPruned)
                .with("first", Fact::Number(first))
                .with("through", Fact::Number(through))
                .with("days", Fact::Number(days)),
        }
    }
}

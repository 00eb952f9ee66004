//! What an owner set or took back, as a value: it becomes one entry with before, after and why.

use super::body::Fact;
use super::plain::Read;
use super::record::Parts;
use super::{Action, Reason};
use crate::policy::Key;
use crate::time::Timestamp;

/// One change of policy.
#[derive(Debug, Clone)]
pub struct PolicyChange {
    /// What was set.
    pub key: Key,
    /// What is in effect at that moment.
    pub from: i64,
    /// What is to be.
    pub to: i64,
    /// When it takes effect, or would have.
    pub effective_at: Timestamp,
    /// Why.
    pub reason: Reason,
    /// Whether it is new.
    pub step: PolicyStep,
}

/// What became of a change of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyStep {
    /// It was set.
    Set,
    /// It was taken back before it took effect.
    TakenBack,
    /// A restore keeps what was decided after the backup: that it was set, or that it was taken back.
    CarriedOver {
        /// Whether it was taken back.
        taken_back: bool,
        /// The number of its entry in the replaced database.
        entry: Option<i64>,
    },
}

impl PolicyChange {
    /// Whether the policy is to become looser.
    pub const fn loosens(&self) -> bool {
        matches!(self.step, PolicyStep::Set) && self.key.is_looser(self.from, self.to)
    }

    /// `Evidence is fresh for: 60 minutes → 120 minutes`.
    pub fn in_words(&self) -> String {
        let key = self.key;
        format!("{}: {} → {}", key.label(), key.in_words(self.from), key.in_words(self.to))
    }

    pub(super) fn into_parts(self) -> Parts {
        let (taken_back, carried_over) = match self.step {
            PolicyStep::Set => (false, None),
            PolicyStep::TakenBack => (true, None),
            PolicyStep::CarriedOver { taken_back, entry } => (taken_back, Some(entry)),
        };
        let parts = Parts::bare(Action::PolicyUpdated)
            .why(self.reason)
            .with("key", self.key.as_str())
            .with("from", Fact::Number(self.from))
            .with("to", Fact::Number(self.to))
            .with("effective_at", self.effective_at.to_string())
            .with("taken_back", taken_back);
        let Some(entry) = carried_over else { return parts };
        let parts = parts.with("carried_over", true);
        entry.into_iter().fold(parts, |parts, entry| parts.with("replaced_entry", Fact::Number(entry)))
    }
}

/// The entry in plain words; a setting that this program does not know is shown as it is.
pub(super) fn sentence(read: &Read) -> String {
    let fact = |name: &str| read.fact(name);
    let key = fact("key").parse::<Key>();
    let value = |name: &str| match (key, fact(name).parse()) {
        (Ok(key), Ok(number)) => key.in_words(number),
        _ => fact(name),
    };
    let label = key.map_or_else(|_| fact("key"), |key| key.label().to_owned());
    let is_looser = match (key, fact("from").parse(), fact("to").parse()) {
        (Ok(key), Ok(from), Ok(to)) => key.is_looser(from, to),
        _ => false,
    };
    let when = match fact("taken_back").as_str() {
        "yes" => ", taken back".to_owned(),
        _ if is_looser => {
            format!(", from {} UTC on", fact("effective_at").get(..16).unwrap_or_default().replace('T', " "))
        }
        _ => String::new(),
    };
    format!("Policy, {label}: {} to {}{when}", value("from"), value("to"))
}

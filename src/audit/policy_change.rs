//! What an owner set or took back, as a value: it becomes one entry with before, after and why.

use super::body::Fact;
use super::plain::Read;
use super::record::Parts;
use super::{Action, Outcome, Reason};
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

/// A change of policy to which a rule said no.
#[derive(Debug, Clone)]
pub struct PolicyRefusal {
    /// Of what.
    pub key: Key,
    /// To what; nothing where it was to be taken back, or was no value.
    pub to: Option<i64>,
    /// Which rule.
    pub rule: &'static str,
    /// Why it was asked for, if that was said.
    pub reason: Option<Reason>,
}

impl PolicyRefusal {
    pub(super) fn into_parts(self) -> Parts {
        let parts = Parts { outcome: Outcome::Denied, reason: self.reason, ..Parts::bare(Action::PolicyUpdated) };
        let parts = parts.with("rule", self.rule).with("key", self.key.as_str());
        self.to.into_iter().fold(parts, |parts, to| parts.with("to", Fact::Number(to)))
    }
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

/// What the setting is called; one that this program does not know by the word that is stored.
fn label(read: &Read) -> String {
    let key = read.fact("key");
    key.parse::<Key>().map_or(key, |key| key.label().to_owned())
}

/// What was asked for and refused. Entries of earlier versions do not say about which setting.
pub(super) fn wish(read: &Read) -> String {
    let label = label(read);
    if label.is_empty() { "another policy".to_owned() } else { format!("another policy for “{label}”") }
}

/// The entry in plain words; a setting that this program does not know is shown as it is.
pub(super) fn sentence(read: &Read) -> String {
    let fact = |name: &str| read.fact(name);
    let key = fact("key").parse::<Key>();
    let value = |name: &str| match (key, fact(name).parse()) {
        (Ok(key), Ok(number)) => key.in_words(number),
        _ => fact(name),
    };
    let label = label(read);
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

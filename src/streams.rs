//! Sending the trail on to where this host can not change it: to a syslog server, or to a webhook. Who receives, what one is
//! given, when it is tried again, and when somebody should look.
//!
//! Invariant: nothing is skipped and nothing overtakes. A receiver that is not there is waited for, however long that takes;
//! what it may not have kept is sent to it again, and is known again by lineage and number.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::audit::checkpoint::Checkpoint;
use crate::audit::export::{push_json_line, push_json_line_in_short};
use crate::audit::{Action, Line, Outcome};
use crate::policy;
use crate::time::Timestamp;

/// Who receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// A syslog server.
    Syslog,
    /// An address that takes HTTP requests.
    Webhook,
}

impl Receiver {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Syslog, Self::Webhook];

    /// The word in the database and in the settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syslog => "syslog",
            Self::Webhook => "webhook",
        }
    }

    /// How long to wait after so many tries that failed: a second, then twice as long each time.
    pub fn wait_after(self, attempts: u32) -> Duration {
        let most = match self {
            Self::Syslog => policy::SYSLOG_WAIT,
            Self::Webhook => policy::WEBHOOK_WAIT,
        };
        Duration::from_secs(1 << attempts.saturating_sub(1).min(20)).min(most)
    }
}

impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How it stands with a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which one.
    pub receiver: Receiver,
    /// Its address, without secrets.
    pub place: String,
    /// The newest entry that it has.
    pub sent: i64,
    /// When it got it.
    pub sent_at: Option<Timestamp>,
    /// Since when, how often and why it does not take any; none where it does.
    pub failing: Option<Failing>,
}

/// That a receiver takes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// Tries since then.
    pub attempts: u32,
    /// When it is tried again.
    pub next_at: Timestamp,
    /// What the last try came to.
    pub error: String,
}

impl Standing {
    /// Whether somebody should look: it has been failing for long.
    pub fn is_stuck(&self, now: Timestamp) -> bool {
        self.failing.as_ref().is_some_and(|failing| now.since(failing.since) > policy::STREAM_STUCK)
    }
}

/// An entry, as receivers are given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The instance that it is of.
    pub origin: String,
    /// Which unbroken history it belongs to.
    pub lineage: String,
    /// Its number.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// What it is about.
    pub action: String,
    /// Whether it is about something that did not work out or was refused.
    pub is_refusal: bool,
    /// Its hash.
    pub hash: [u8; 32],
    /// The line that an export has of it, without its line break.
    pub line: String,
    /// The same without what the entry says, where all of it is too long for one datagram.
    pub header: Option<String>,
    /// The checkpoint that it is about.
    pub checkpoint: Option<Checkpoint>,
}

impl Item {
    /// The most bytes of a line that one datagram takes beside what stands before it.
    pub const MOST_BYTES: usize = 64_000;

    /// What receivers get of an entry.
    pub fn of(origin: &str, line: &Line<'_>) -> Self {
        let h = &line.header;
        let text = |push: fn(&mut String, &Line<'_>)| {
            let mut text = String::new();
            push(&mut text, line);
            text.truncate(text.trim_end().len());
            text
        };
        let whole = text(push_json_line);
        let signed = h.action == Action::AuditCheckpointSigned.as_str();
        Self {
            origin: origin.to_owned(),
            lineage: h.lineage.to_owned(),
            seq: h.seq,
            at: h.at,
            action: h.action.to_owned(),
            is_refusal: h.outcome != Outcome::Success.as_str(),
            hash: line.hash.try_into().unwrap_or_default(),
            header: (whole.len() > Self::MOST_BYTES).then(|| text(push_json_line_in_short)),
            line: whole,
            checkpoint: line.body.filter(|_| signed).and_then(checkpoint),
        }
    }
}

fn checkpoint(body: &str) -> Option<Checkpoint> {
    let body: Value = serde_json::from_str(body).ok()?;
    Checkpoint::parse(body["detail"]["checkpoint"].as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_that_is_not_there_is_asked_less_often_and_never_given_up() {
        let seconds = |receiver: Receiver, n| receiver.wait_after(n).as_secs();
        assert_eq!([1, 2, 3, 6, 7, 4_000_000].map(|n| seconds(Receiver::Syslog, n)), [1, 2, 4, 32, 60, 60]);
        assert_eq!([1, 8, 9, 10, u32::MAX].map(|n| seconds(Receiver::Webhook, n)), [1, 128, 256, 300, 300]);
    }

    #[test]
    fn an_entry_whose_body_was_erased_is_given_as_an_export_has_it() {
        let header = crate::audit::Header {
            lineage: "00112233445566ff",
            seq: 7,
            at: Timestamp::from_micros(1_795_000_000_000_001),
            action: "audit.checkpoint_signed",
            outcome: "success",
            actor_kind: "system",
            actor_id: None,
            target_kind: "system",
            target_id: None,
            case: None,
        };
        let (hash, body) = ([7; 32], "{\"detail\":{\"checkpoint\":\"none\"}}");
        let whole =
            Line { header, salt: Some(&[1; 16]), body: Some(body), body_digest: &hash, prev_hash: &hash, hash: &hash };
        let erased = Line { salt: None, body: None, ..whole };
        let line = |line: &Line<'_>| {
            let mut text = String::new();
            push_json_line(&mut text, line);
            text
        };
        for of in [whole, erased] {
            let item = Item::of("origin", &of);
            assert_eq!((item.line + "\n", item.header, item.checkpoint), (line(&of), None, None));
        }
        let long = "x".repeat(Item::MOST_BYTES);
        let item = Item::of("origin", &Line { body: Some(&long), ..whole });
        // Nothing of it was erased: it is only not here.
        assert_eq!(item.header.unwrap() + "\n", line(&erased).replace(",\"erased\":true", ""));
    }

    #[test]
    fn it_is_stuck_after_a_quarter_of_an_hour() {
        let since = Timestamp::from_micros(1_795_000_000_000_000);
        let failing = Failing { since, attempts: 9, next_at: since, error: "no".into() };
        let standing = Standing {
            receiver: Receiver::Syslog,
            place: "udp://logs:514".into(),
            sent: 1,
            sent_at: None,
            failing: Some(failing),
        };
        let after = |minutes: u64| standing.is_stuck(since.plus(Duration::from_secs(60 * minutes)));
        assert_eq!([after(0), after(15), after(16)], [false, false, true]);
        assert!(!Standing { failing: None, ..standing.clone() }.is_stuck(since.plus(Duration::from_secs(9_999))));
    }
}

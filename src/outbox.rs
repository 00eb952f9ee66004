//! Messages that go out by e-mail: what one is, when it is tried again, and what became of it.
//!
//! Architecture invariant: a message holds no secret. A link in it is computed from its id, by the key that is not in the
//! database, when it is sent.

use std::fmt;
use std::str::FromStr;

use crate::audit::checkpoint::Checkpoint;
use crate::ids::{CaseNumber, MessageId, NoticeId, UserId};
use crate::notices::{Facts, Notice};
use crate::policy;
use crate::time::Timestamp;
use crate::users::{BadInput, Email, User};

/// Why a message was given up where nothing could send it.
pub const NO_SERVER: &str = "no mail server is set";

/// What kind of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A notice about the person's account, or to owners about somebody's.
    Notice,
    /// The link by which an invited person comes in.
    Invitation,
    /// The link by which somebody chooses a new password.
    PasswordReset,
    /// What has fixed words and is about nobody.
    Alert,
    /// What an admin wrote.
    Message,
    /// How far the trail has come, signed, to be kept.
    Anchor,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Notice, Self::Invitation, Self::PasswordReset, Self::Alert, Self::Message, Self::Anchor];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Invitation => "invitation",
            Self::PasswordReset => "password_reset",
            Self::Alert => "alert",
            Self::Message => "message",
            Self::Anchor => "anchor",
        }
    }

    /// As a list of messages calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Notice => "Notice",
            Self::Invitation => "Invitation link",
            Self::PasswordReset => "Link for a new password",
            Self::Alert => "Alert",
            Self::Message => "Message from an admin",
            Self::Anchor => "Anchor of the audit log",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL.into_iter().find(|k| k.as_str() == text).ok_or(BadInput("There is no such message."))
    }
}

/// One message to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which. A later one has a greater id.
    pub id: MessageId,
    /// What kind it is.
    pub kind: Kind,
    /// Whose account it is about.
    pub user: Option<UserId>,
    /// The notice that it carries.
    pub notice: Option<NoticeId>,
    /// In which case.
    pub case: Option<CaseNumber>,
    /// To which address.
    pub address: Email,
    /// The person's name.
    pub name: String,
    /// Whether the link to object may stand in it.
    pub may_object: bool,
    /// What an admin wrote above it; empty for what has fixed words.
    pub subject: String,
    /// What an admin wrote; the facts of what has fixed words.
    pub text: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed; or why it was given up.
    pub error: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is tried again at this moment.
    Waits(Timestamp),
    /// The mail server took it.
    Sent(Timestamp),
    /// It is not tried any more.
    GivenUp(Timestamp),
}

impl Message {
    /// When it is tried again after one more try that failed at `now`; `None` if it is given up then.
    pub fn next_try(&self, now: Timestamp) -> Option<Timestamp> {
        let last = policy::MAIL_RETRIES.len() - 1;
        let wait = policy::MAIL_RETRIES[last.min(self.attempts as usize)];
        (now.since(self.created_at) < policy::MAIL_KEPT).then(|| now.plus(wait))
    }
}

/// A message to be written down.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Which; the link in it is made from this.
    pub id: MessageId,
    /// What kind it is; no notice, which the writer writes itself.
    pub kind: Kind,
    /// Whose account it is about.
    pub user: Option<UserId>,
    /// In which case.
    pub case: Option<CaseNumber>,
    /// To which address.
    pub address: Email,
    /// The person's name.
    pub name: String,
    /// See [`Message::subject`].
    pub subject: String,
    /// See [`Message::text`].
    pub text: String,
}

impl NewMessage {
    /// One with fixed words, to the address that this person signs in with; `text` holds its facts.
    pub fn of(kind: Kind, user: &User, text: String) -> Self {
        Self {
            id: MessageId::generate(),
            kind,
            user: Some(user.id),
            case: None,
            address: user.email.clone(),
            name: user.name.to_string(),
            subject: String::new(),
            text,
        }
    }
}

/// What a message says, before it is put into words.
#[derive(Debug, Clone)]
pub enum Content {
    /// A notice.
    Notice(Notice, Option<Objection>),
    /// The link by which an invited person comes in.
    Invitation(Link),
    /// The link for a new password, with where it was asked for.
    PasswordReset(Link, Facts),
    /// What somebody wrote.
    Written,
    /// How far the trail has come.
    Anchor(Checkpoint),
    /// Whether messages arrive.
    Test,
}

/// A link with a secret in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Its path.
    pub path: String,
    /// Until when it works.
    pub until: Timestamp,
}

impl fmt::Debug for Link {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[link until {}]", self.until)
    }
}

/// The link by which somebody says “this wasn't me”.
pub type Objection = Link;

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What it is about.
    pub subject: String,
    /// All of it in plain text.
    pub text: String,
    /// The same as a page.
    pub html: String,
    /// A text that comes with it as a file: its name and itself.
    pub file: Option<(String, String)>,
}

/// How the messages stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queue {
    /// So many wait to be sent.
    pub waiting: u32,
    /// Since when the oldest of them does.
    pub waiting_since: Option<Timestamp>,
    /// So many were given up within [`policy::MAIL_REMEMBERED`], besides those that there was no server for.
    pub given_up: u32,
    /// Why the newest that failed did.
    pub last_error: Option<String>,
    /// When the last one was sent.
    pub last_sent: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(attempts: u32) -> Message {
        let at = Timestamp::from_micros(0);
        Message {
            id: MessageId::generate(),
            kind: Kind::Message,
            user: None,
            notice: None,
            case: None,
            address: "mara@fernhill.example".parse().unwrap(),
            name: "Mara".into(),
            may_object: false,
            subject: String::new(),
            text: String::new(),
            created_at: at,
            attempts,
            error: String::new(),
            fate: Fate::Waits(at),
        }
    }

    #[test]
    fn a_message_waits_longer_after_each_try_and_is_given_up_after_three_days() {
        let minutes = |n: u64| Timestamp::from_micros(0).plus(std::time::Duration::from_secs(60 * n));
        let next = |attempts, now| message(attempts).next_try(minutes(now));
        let waits: Vec<_> = (0..7).map(|n| next(n, 0)).collect();
        assert_eq!(waits, [1, 5, 15, 60, 240, 240, 240].map(|m| Some(minutes(m))));
        assert_eq!(next(20, 3 * 24 * 60 - 1), Some(minutes(3 * 24 * 60 - 1 + 240)));
        assert_eq!(next(0, 3 * 24 * 60), None);
    }

    #[test]
    fn every_kind_reads_back_and_no_link_is_printed() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        let link = Link { path: "/invitation/secret".into(), until: Timestamp::from_micros(0) };
        assert!(!format!("{:?}", Content::Invitation(link)).contains("secret"));
    }
}

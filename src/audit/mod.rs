//! The audit trail's vocabulary: what can have happened, to whom, by whom, and how it went.
//!
//! Architecture invariant: an [`Event`] carries every field that its entry must have, so an entry that lacks one can
//! not be written. No variant has a field for a secret, a code, a token or a password hash.
//!
//! The bytes that are hashed stand in [`chain`], the body's text in [`body`], the outcome of a check in [`verify`].

pub mod action;
pub mod anchor;
pub mod asked;
pub mod body;
pub mod canonical;
pub mod case_fact;
pub mod chain;
pub mod checkpoint;
pub mod erasure;
pub mod event;
pub mod export;
pub mod filter;
pub mod judge;
pub mod note;
pub mod own;
pub mod plain;
pub mod policy_change;
pub mod proof;
pub mod record;
pub mod resets;
pub mod table;
pub mod trail_fact;
pub mod verify;

use std::fmt;
use std::str::FromStr;

use crate::ids::UserId;
use crate::time::Timestamp;
use crate::users::{BadInput, User};

pub use action::Action;
pub use case_fact::CaseFact;
pub use event::Event;
pub use policy_change::{PolicyChange, PolicyRefusal, PolicyStep};
pub use record::Record;
pub use trail_fact::TrailFact;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was tried and did not work out: a wrong password, a wrong code.
    Failure,
    /// It was asked for and a rule said no.
    Denied,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Denied];

    /// The word in the entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL
            .into_iter()
            .find(|o| o.as_str() == text)
            .ok_or(BadInput("Choose an outcome: success, failure or denied."))
    }
}

/// A person as an entry names them: the id for ever, the name as it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// Name and address at that moment, as `Mara Lindqvist <mara@fernhill.example>`.
    pub name: String,
}

impl From<&User> for Person {
    fn from(user: &User) -> Self {
        Self { id: user.id, name: format!("{} <{}>", user.name, user.email) }
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person who has proved who they are, as far as the act asks for it.
    Person(Person),
    /// Someone who has not proved anything yet: a wrong password may come from anyone.
    Anonymous,
    /// The program itself: what expires, what is swept.
    System,
    /// Whoever runs commands on the host.
    Host,
}

impl Actor {
    /// The word in the entry's header.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Anonymous => "anonymous",
            Self::System => "system",
            Self::Host => "host",
        }
    }
}

/// Where a request or command came from. Every field is bounded and free of control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The client's address.
    pub address: Option<String>,
    /// What the client says it is; at most 200 characters.
    pub user_agent: Option<String>,
    /// The request's id, as shown on error pages.
    pub request_id: Option<String>,
    /// The operating system's user, for commands on the host.
    pub os_user: Option<String>,
}

/// Why something was done, in the words of who did it: 3 to 500 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Why a decision stands again in the lineage that a restore begins.
    pub fn carried_over() -> Self {
        Self("carried over from the replaced database".into())
    }

    /// Why somebody's account is changed while the list of people is confirmed.
    pub fn confirming_people() -> Self {
        Self("decided while confirming the list of people after a restore".into())
    }

    /// Why an account is frozen when nobody of the organisation did it.
    pub fn objection() -> Self {
        Self("“This wasn't me”, said through the link in a notice".into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let text = clean(text);
        match text.chars().count() {
            0 => Err(BadInput("Enter a reason.")),
            1..3 => Err(BadInput("Enter a reason that someone understands in six months.")),
            3..=500 => Ok(Self(text)),
            _ => Err(BadInput("Shorten the reason to 500 characters.")),
        }
    }
}

/// The number of a ticket elsewhere: at most 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket(String);

impl Ticket {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the field of a form: empty is no ticket.
    pub fn optional(text: &str) -> Result<Option<Self>, BadInput> {
        let text = clean(text);
        match text.chars().count() {
            0 => Ok(None),
            1..=100 => Ok(Some(Self(text))),
            _ => Err(BadInput("Shorten the ticket to 100 characters: its number is enough.")),
        }
    }
}

/// Trims, and turns what could fake a line or reorder it into a space.
pub fn clean(text: &str) -> String {
    // The usual case, once per request for its user agent.
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return text.trim().to_owned();
    }
    let bad = |c: char| (c.is_control() && c != '\n') || crate::users::invisible(c);
    let text: String = text.replace("\r\n", "\n").chars().map(|c| if bad(c) { ' ' } else { c }).collect();
    text.trim().to_owned()
}

/// The header of an entry: what one filters by, and what stays when a body is erased. `T` is how it holds its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<T = String> {
    /// Which unbroken history it belongs to; a restore begins a new one. 16 lower-case hexadecimal digits.
    pub lineage: T,
    /// 1, 2, 3 … without a gap, across lineages.
    pub seq: i64,
    /// Never before the entry that it follows.
    pub at: Timestamp,
    /// What it is about. Text, so that a verifier can read names that it does not know.
    pub action: T,
    /// How it went.
    pub outcome: T,
    /// `person`, `anonymous`, `system` or `host`.
    pub actor_kind: T,
    /// The person's id.
    pub actor_id: Option<T>,
    /// `person` or `system`.
    pub target_kind: T,
    /// The person's id.
    pub target_id: Option<T>,
    /// The recovery case.
    pub case: Option<T>,
}

/// One entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What one filters by.
    pub header: Header,
    /// The salt of the body's digest; absent once the body was erased.
    pub salt: Option<[u8; 16]>,
    /// The body's canonical JSON; absent once it was erased.
    pub body: Option<String>,
    /// Digest of salt and body.
    pub body_digest: [u8; 32],
    /// The hash of the entry before.
    pub prev_hash: [u8; 32],
    /// The hash of this entry.
    pub hash: [u8; 32],
}

/// An entry that is read where it lies, without a copy: in the database's own memory, or in an [`Entry`].
///
/// What has a fixed length in an entry that we wrote is a slice here: a table that was tampered with may hold anything.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)] // As in `Entry`.
pub struct Line<'a> {
    pub header: Header<&'a str>,
    pub salt: Option<&'a [u8]>,
    pub body: Option<&'a str>,
    pub body_digest: &'a [u8],
    pub prev_hash: &'a [u8],
    pub hash: &'a [u8],
}

impl<'a> From<&'a Entry> for Line<'a> {
    fn from(entry: &'a Entry) -> Self {
        let h = &entry.header;
        let header = Header {
            lineage: h.lineage.as_str(),
            seq: h.seq,
            at: h.at,
            action: h.action.as_str(),
            outcome: h.outcome.as_str(),
            actor_kind: h.actor_kind.as_str(),
            actor_id: h.actor_id.as_deref(),
            target_kind: h.target_kind.as_str(),
            target_id: h.target_id.as_deref(),
            case: h.case.as_deref(),
        };
        Self {
            header,
            salt: entry.salt.as_ref().map(<[u8; 16]>::as_slice),
            body: entry.body.as_deref(),
            body_digest: &entry.body_digest,
            prev_hash: &entry.prev_hash,
            hash: &entry.hash,
        }
    }
}

/// The newest entry: what the next one extends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its lineage.
    pub lineage: String,
    /// Its number; 0 before the first entry.
    pub seq: i64,
    /// Its time.
    pub at: Timestamp,
    /// Its hash; zeros before the first entry.
    pub hash: [u8; 32],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_must_say_something_and_can_not_fake_a_line() {
        assert!("".parse::<Reason>().is_err());
        assert!(" \t ".parse::<Reason>().is_err());
        assert!("x".repeat(501).parse::<Reason>().is_err());
        assert_eq!("lost\u{202e} phone\u{7}".parse::<Reason>().unwrap().as_str(), "lost  phone");
    }
}

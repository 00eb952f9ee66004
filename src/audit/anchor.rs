//! Anchors: where the newest checkpoints went that this host can not change any more.
//!
//! What is noted of it here is no evidence, which is what arrived there. It lets people see that none goes out any more.

use std::str::FromStr;

use crate::policy::ANCHOR_AGE;
use crate::time::Timestamp;
use crate::users::BadInput;

/// A way out of this host's reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By e-mail to owners and auditors.
    Mail,
    /// To another machine's syslog.
    Syslog,
    /// Printed by a command, to whoever keeps what it prints.
    Printed,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mail, Self::Syslog, Self::Printed];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Syslog => "syslog",
            Self::Printed => "printed",
        }
    }
}

impl FromStr for Way {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL.into_iter().find(|way| way.as_str() == text).ok_or(BadInput("There is no such way."))
    }
}

/// Whether what was signed at `at` is too old to be the newest anchor. What is far ahead of the clock says nothing of how
/// old it is.
pub fn is_old(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) > ANCHOR_AGE || at.since(now) > ANCHOR_AGE
}

/// The newest checkpoint that went out one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Which way.
    pub way: Way,
    /// The entry that it is of.
    pub seq: i64,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// When it went out.
    pub sent_at: Timestamp,
    /// To whom or where, in words.
    pub whom: String,
}

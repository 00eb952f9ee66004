//! A grant that somebody else, or an hour, has to permit before it is carried out.

use std::str::FromStr;

use super::Doer;
use crate::grants::Grant;
use crate::ids::{CaseNumber, RequestId};
use crate::signals::Signals;
use crate::time::Timestamp;
use crate::users::BadInput;

/// What has to permit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// An owner.
    Owner,
    /// An admin or an owner.
    Admin,
    /// Nobody could: time in which the person can object.
    Time,
}

impl Needs {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Admin, Self::Time];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Time => "time",
        }
    }

    /// Whether what was permitted for `self` is enough where `other` is needed.
    pub const fn covers(self, other: Self) -> bool {
        matches!((self, other), (Self::Owner, _) | (Self::Admin, Self::Admin | Self::Time) | (Self::Time, Self::Time))
    }
}

impl FromStr for Needs {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL.into_iter().find(|n| n.as_str() == text).ok_or(BadInput("Nothing of that name permits."))
    }
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Nobody has decided, or the time is not over.
    Waiting,
    /// Permitted; not carried out yet.
    Approved,
    /// Not permitted.
    Denied,
    /// Carried out.
    Used,
    /// Too late, or something has changed since.
    Lapsed,
}

impl RequestState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Approved, Self::Denied, Self::Used, Self::Lapsed];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Used => "used",
            Self::Lapsed => "lapsed",
        }
    }
}

impl FromStr for RequestState {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or(BadInput("This is no state of a request."))
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which.
    pub id: RequestId,
    /// In which case.
    pub case: CaseNumber,
    /// What was asked for.
    pub grant: Grant,
    /// What else belongs to it: the new address.
    pub argument: String,
    /// What has to permit it.
    pub needs: Needs,
    /// Who asked.
    pub asked_by: Doer,
    /// When.
    pub asked_at: Timestamp,
    /// Why.
    pub reason: String,
    /// The ticket elsewhere.
    pub ticket: Option<String>,
    /// The evidence that it rests on: its row.
    pub evidence: i64,
    /// The case as it was.
    pub case_version: i64,
    /// The signs as they were.
    pub signals: Signals,
    /// How far it has come.
    pub state: RequestState,
    /// Until then it can be approved, or used.
    pub valid_until: Timestamp,
    /// When time permits it.
    pub ripe_at: Option<Timestamp>,
    /// Who decided; the host has no id.
    pub decided_by: Option<Doer>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What they said about it.
    pub note: String,
}

impl Request {
    /// Whether it can be carried out now: approved, or its time is over and nobody objected.
    pub fn is_permitted(&self, now: Timestamp) -> bool {
        let ripe = self.state == RequestState::Waiting && self.ripe_at.is_some_and(|at| at <= now);
        (self.state == RequestState::Approved || ripe) && now < self.valid_until
    }
}

//! Recovery: what counts as evidence, what a case is, and when an enrolment window is open.
//!
//! Architecture invariant: what does not count as evidence (knowing the address, knowledge questions, a code to the
//! mailbox, a chat message) has no variant, so no case can rest on it.

use std::fmt;
use std::str::FromStr;

use crate::audit::{Reason, Ticket, clean};
use crate::contacts::KnownNumber;
use crate::ids::{CaseNumber, ContactId, UserId};
use crate::secret::TokenHash;
use crate::time::Timestamp;
use crate::users::BadInput;

/// The ways in which identity can be verified out of band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceKind {
    /// A live video call, compared with the photo or ID on record.
    VideoCall,
    /// A call to a number that was on the account before help was asked for.
    KnownNumber,
    /// A ticket by the person's manager or HR, who vouches.
    ManagerTicket,
    /// In person, with an ID.
    InPerson,
    /// Whoever holds the host vouches: only for commands on it.
    Host,
}

impl EvidenceKind {
    /// Those that a form offers.
    pub const OFFERED: [Self; 4] = [Self::VideoCall, Self::KnownNumber, Self::ManagerTicket, Self::InPerson];

    /// The word that is stored and posted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VideoCall => "video_call",
            Self::KnownNumber => "known_number",
            Self::ManagerTicket => "manager_ticket",
            Self::InPerson => "in_person",
            Self::Host => "host",
        }
    }

    /// As a page says it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::VideoCall => "Live video call, compared with the photo or ID on record",
            Self::KnownNumber => "Call to a number that was known before",
            Self::ManagerTicket => "Ticket by the manager or HR",
            Self::InPerson => "In person, with an ID",
            Self::Host => "Command on the host",
        }
    }
}

impl FromStr for EvidenceKind {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let mut all = Self::OFFERED.into_iter().chain([Self::Host]);
        all.find(|k| k.as_str() == text).ok_or(BadInput("Say how you made sure who it is."))
    }
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    kind: EvidenceKind,
    note: String,
    voucher: Option<String>,
    contact: Option<ContactId>,
    called: Option<KnownNumber>,
    recorded_at: Timestamp,
}

impl Evidence {
    /// Reads what a form says. `recorded_at` is when the form was opened: the check can not be younger than that.
    ///
    /// # Errors
    /// A ticket by a manager needs the ticket's number and who vouches.
    pub fn parse(
        kind: &str,
        note: &str,
        voucher: &str,
        ticket: Option<&Ticket>,
        recorded_at: Timestamp,
    ) -> Result<Self, (&'static str, BadInput)> {
        let kind = EvidenceKind::from_str(kind).ok().filter(|k| EvidenceKind::OFFERED.contains(k));
        let kind = kind.ok_or(("evidence", BadInput("Say how you made sure who it is.")))?;
        let (note, voucher) = (clean(note), clean(voucher));
        if note.chars().count() > 300 {
            return Err(("evidence_note", BadInput("Shorten the note to 300 characters.")));
        }
        if voucher.chars().count() > 100 {
            return Err(("voucher", BadInput("Shorten the name to 100 characters.")));
        }
        if kind == EvidenceKind::ManagerTicket {
            if voucher.is_empty() {
                return Err(("voucher", BadInput("Enter who vouches: the manager's or HR person's name.")));
            }
            if ticket.is_none() {
                return Err(("ticket", BadInput("Enter the number of the ticket in which they vouch.")));
            }
        }
        let voucher = Some(voucher).filter(|v| !v.is_empty());
        Ok(Self { kind, note, voucher, contact: None, called: None, recorded_at })
    }

    /// With the number that was called, where that is the evidence: the form names it by its contact's id.
    ///
    /// # Errors
    /// No number was chosen.
    pub fn calling(self, contact: &str) -> Result<Self, (&'static str, BadInput)> {
        if self.kind != EvidenceKind::KnownNumber {
            return Ok(self);
        }
        let contact = contact.parse().map_err(|_| ("number", BadInput("Choose the number that you called.")))?;
        Ok(Self { contact: Some(contact), ..self })
    }

    /// With what the account says about that number; nothing, if it is not there. Only this makes such a call count.
    #[must_use]
    pub fn with_called(self, called: Option<KnownNumber>) -> Self {
        Self { called, ..self }
    }

    /// What a command on the host rests on: whoever runs it already holds the database.
    pub fn host(now: Timestamp) -> Self {
        let (note, recorded_at) = (String::new(), now);
        Self { kind: EvidenceKind::Host, note, voucher: None, contact: None, called: None, recorded_at }
    }

    /// Which way.
    pub const fn kind(&self) -> EvidenceKind {
        self.kind
    }

    /// What the admin noted about it; may be empty.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Who vouches, for a ticket.
    pub fn voucher(&self) -> Option<&str> {
        self.voucher.as_deref()
    }

    /// Which number was called, as the form says.
    pub const fn contact(&self) -> Option<ContactId> {
        self.contact
    }

    /// The number that was called, as it stands on the account.
    pub const fn called(&self) -> Option<&KnownNumber> {
        self.called.as_ref()
    }

    /// When identity was verified, at the latest.
    pub const fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }
}

/// How far a case has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseState {
    /// Factors are reset; the person has to enrol before the window closes.
    AwaitingEnrolment,
    /// The person enrolled again.
    Recovered,
    /// The window closed, or a newer reset took its place.
    Expired,
}

impl CaseState {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingEnrolment => "awaiting_enrolment",
            Self::Recovered => "recovered",
            Self::Expired => "expired",
        }
    }

    /// As a page says it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::AwaitingEnrolment => "waiting for enrolment",
            Self::Recovered => "recovered",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for CaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CaseState {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        [Self::AwaitingEnrolment, Self::Recovered, Self::Expired]
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or(BadInput("This is no state of a case."))
    }
}

/// A recovery case.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its number.
    pub number: CaseNumber,
    /// Who is recovered.
    pub user_id: UserId,
    /// Their name then.
    pub user_name: String,
    /// Who opened it: a person's name, or the host.
    pub opened_by: String,
    /// When.
    pub opened_at: Timestamp,
    /// How far it has come.
    pub state: CaseState,
    /// How identity was verified.
    pub evidence: EvidenceKind,
    /// What was noted about it.
    pub evidence_note: String,
    /// Who vouches.
    pub voucher: Option<String>,
    /// The ticket elsewhere.
    pub ticket: Option<String>,
    /// Why.
    pub reason: String,
    /// Backup codes that were left when factors were reset.
    pub codes_left: u32,
    /// Factors that were removed.
    pub factors_removed: u32,
    /// Sessions that ended.
    pub sessions_ended: u32,
    /// When the enrolment window closes or closed.
    pub window_closes_at: Timestamp,
    /// When the case was closed.
    pub closed_at: Option<Timestamp>,
}

/// A stretch of time in which a person without a factor may enrol one.
#[derive(Debug, Clone)]
pub struct Window {
    /// Whose.
    pub user_id: UserId,
    /// The case, unless it came from an invitation.
    pub case: Option<CaseNumber>,
    /// The pass that must be given first, unless it came from an invitation.
    pub pass: Option<TokenHash>,
    /// Wrong passes so far.
    pub wrong_passes: u32,
    /// When it closes.
    pub closes_at: Timestamp,
}

impl Window {
    /// Whether one may still enrol through it.
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.closes_at && self.wrong_passes < crate::policy::WRONG_PASSES
    }
}

/// What an admin says when asking for a grant: parsed, complete.
#[derive(Debug, Clone)]
pub struct Statement {
    /// How identity was verified.
    pub evidence: Evidence,
    /// Why.
    pub reason: Reason,
    /// The ticket elsewhere.
    pub ticket: Option<Ticket>,
}

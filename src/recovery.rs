//! Recovery: what counts as evidence, what a case is, and when an enrolment window is open.
//!
//! Architecture invariant: what does not count as evidence (knowing the address, knowledge questions, a code to the
//! mailbox, a chat message) has no variant, so no case can rest on it.

pub mod board;
pub mod errand;
pub mod follow_up;
pub mod hold;
pub mod request;
pub mod state;

use std::str::FromStr;

use crate::audit::{Reason, Ticket, clean};
use crate::contacts::KnownNumber;
use crate::ids::{CaseNumber, ContactId, UserId};
use crate::secret::TokenHash;
use crate::signals::Signals;
use crate::time::Timestamp;
use crate::users::BadInput;

pub use errand::CaseErrand;
pub use hold::{Held, Hold};
pub use request::{Needs, Request, RequestState};
pub use state::{Act, CaseEvent, CaseState, NotNow, next};

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

    /// What was recorded before, as it stands in a case.
    pub const fn recorded(
        kind: EvidenceKind,
        note: String,
        voucher: Option<String>,
        called: Option<KnownNumber>,
        recorded_at: Timestamp,
    ) -> Self {
        Self { kind, note, voucher, contact: None, called, recorded_at }
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

/// Which rule a refusal follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It could not be made sure who it was.
    NotVerified,
    /// They pressed, threatened or hurried.
    Pressure,
    /// The account was used in an unusual way.
    UnusualActivity,
    /// Something was not right; the note says what.
    Judgement,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NotVerified, Self::Pressure, Self::UnusualActivity, Self::Judgement];

    /// The word that is stored and posted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotVerified => "not_verified",
            Self::Pressure => "pressure",
            Self::UnusualActivity => "unusual_activity",
            Self::Judgement => "judgement",
        }
    }

    /// As a page says it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NotVerified => "It could not be made sure who it was",
            Self::Pressure => "They pressed, threatened or hurried",
            Self::UnusualActivity => "The account was used in an unusual way",
            Self::Judgement => "Something was not right",
        }
    }
}

impl FromStr for Refusal {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL.into_iter().find(|r| r.as_str() == text).ok_or(BadInput("Choose why you refuse."))
    }
}

/// A recovery case.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its number.
    pub number: CaseNumber,
    /// Who is recovered.
    pub user_id: UserId,
    /// Their name now.
    pub user_name: String,
    /// Who opened it; the host and an objection have no id.
    pub opened_by: Doer,
    /// When.
    pub opened_at: Timestamp,
    /// How far it has come.
    pub state: CaseState,
    /// Since when.
    pub state_at: Timestamp,
    /// Rises with whatever an approval depends on.
    pub version: i64,
    /// Whether somebody said that it is urgent.
    pub urgent: bool,
    /// Whether only an owner acts in it.
    pub for_owner: bool,
    /// Why it was opened.
    pub reason: String,
    /// The ticket elsewhere.
    pub ticket: Option<String>,
    /// What was done last, by whom and when.
    pub act: Option<Done>,
    /// Backup codes that were left when factors were reset.
    pub codes_left: u32,
    /// Factors that were removed.
    pub factors_removed: u32,
    /// Sessions that ended.
    pub sessions_ended: u32,
    /// When it expires by itself.
    pub due_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// By whom, where that is somebody else than the person.
    pub closed_by: Option<String>,
    /// Why it was refused, denied, escalated or closed.
    pub note: String,
    /// Which rule the refusal follows.
    pub refusal: Option<Refusal>,
    /// The signs when a grant was last asked for.
    pub signals: Signals,
    /// When and by whom the last message was sent or copied.
    pub follow_up: Option<(Timestamp, String)>,
}

impl Case {
    /// Whether nothing that was given works any more once the window for enrolment has closed.
    pub fn ends_with_window(&self) -> bool {
        self.act.as_ref().is_some_and(|done| matches!(done.act, Act::Reset | Act::ResetAndPassword))
    }
}

/// Who did something in a case: a person with id and name then, or nobody with an id (the host, the system).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doer {
    /// The person.
    pub id: Option<UserId>,
    /// The name then.
    pub name: String,
}

/// What was done in a case.
#[derive(Debug, Clone)]
pub struct Done {
    /// What, in all.
    pub act: Act,
    /// By whom, last.
    pub by: Doer,
    /// When, last.
    pub at: Timestamp,
}

/// A piece of evidence as it is on record.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its row.
    pub id: i64,
    /// What.
    pub evidence: Evidence,
    /// The ticket that it names.
    pub ticket: Option<String>,
    /// Who recorded it.
    pub by: Doer,
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
    /// How identity was verified; absent where the case's own evidence is what it rests on.
    pub evidence: Option<Evidence>,
    /// Why.
    pub reason: Reason,
    /// The ticket elsewhere.
    pub ticket: Option<Ticket>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_that_does_not_count_has_no_kind() {
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        for kind in ["", "email", "knowledge", "code_to_mailbox", "chat", "host", "VIDEO_CALL"] {
            assert!(Evidence::parse(kind, "", "", None, now).is_err(), "{kind}");
        }
        assert!(Evidence::parse("manager_ticket", "", "", Ticket::optional("1").unwrap().as_ref(), now).is_err());
        assert!(Evidence::parse("manager_ticket", "", "Ada", None, now).is_err());
    }
}

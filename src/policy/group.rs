//! Which settings stand together on the page.

use super::Key;

/// What a page puts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Making sure who it is.
    Evidence,
    /// Setting up a new factor after a reset.
    Enrolment,
    /// What an admin reads out.
    Given,
    /// A second person.
    SecondPerson,
    /// What is unusual.
    Signs,
    /// Refusals, objections, and cases that nobody closed.
    Refusals,
    /// The audit log.
    Trail,
}

impl Group {
    /// In the order of [`KEYS`].
    pub const ALL: [Self; 7] =
        [Self::Evidence, Self::Enrolment, Self::Given, Self::SecondPerson, Self::Signs, Self::Refusals, Self::Trail];

    /// The word in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Enrolment => "enrolment",
            Self::Given => "given",
            Self::SecondPerson => "second-person",
            Self::Signs => "signs",
            Self::Refusals => "refusals",
            Self::Trail => "audit",
        }
    }

    /// As the page calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Evidence => "Making sure who it is",
            Self::Enrolment => "Setting up anew after a reset",
            Self::Given => "What an admin reads out",
            Self::SecondPerson => "A second person",
            Self::Signs => "What counts as unusual",
            Self::Refusals => "Refusals, objections and open cases",
            Self::Trail => "The audit log",
        }
    }
}

impl Key {
    /// With what it stands together.
    pub const fn group(self) -> Group {
        match self {
            Self::EvidenceAge | Self::KnownNumber => Group::Evidence,
            Self::EnrolmentPass | Self::WindowWithPass | Self::WindowWithoutPass => Group::Enrolment,
            Self::IssuedCodes | Self::TemporaryPassword => Group::Given,
            Self::SecondPersonRule | Self::SameHands | Self::CoolingOff | Self::ApprovalLife => Group::SecondPerson,
            Self::StrongSigns | Self::SignDays | Self::ResetSignDays => Group::Signs,
            Self::AnchorMails | Self::AuditKept | Self::LegalHold => Group::Trail,
            Self::RefusalShown | Self::RefusalOwner | Self::Objection | Self::CaseIdle => Group::Refusals,
        }
    }
}

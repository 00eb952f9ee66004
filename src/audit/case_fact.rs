//! What happens in a recovery case, as values: each becomes one entry with the case's number.

use super::record::Parts;
use super::{Action, Person, Reason, Ticket};
use crate::grants::Grant;
use crate::ids::CaseNumber;
use crate::recovery::{Act, Evidence, Needs, Refusal};
use crate::time::Timestamp;

/// One step of a case.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields say what they are; each variant is documented by its `Action`.
pub enum CaseFact {
    Opened {
        reason: Reason,
        ticket: Option<Ticket>,
        urgent: bool,
    },
    Urgency {
        urgent: bool,
    },
    Verified {
        evidence: Evidence,
        ticket: Option<Ticket>,
    },
    Refused {
        refusal: Refusal,
        note: Reason,
    },
    Escalated {
        message: Reason,
    },
    Asked {
        grant: Grant,
        argument: String,
        reason: Reason,
        ticket: Option<Ticket>,
        needs: Needs,
        /// The signs as they were then, as `signals.rs` freezes them.
        signs: String,
    },
    Approved {
        grant: Grant,
        note: String,
    },
    Denied {
        grant: Grant,
        note: Reason,
    },
    Lapsed {
        grant: Grant,
        why: &'static str,
    },
    Completed {
        act: Option<Act>,
    },
    Expired {
        why: &'static str,
    },
    Disavowed {
        /// What the notice was about.
        notice: &'static str,
        /// Whether the account is frozen; the last active owner's is not.
        frozen: bool,
        sessions_ended: u32,
    },
    Reassured {
        reason: Reason,
    },
    Incident {
        reason: Reason,
        /// Factors that were added from then on were removed.
        since: Timestamp,
        /// Whether the account is closed; the last active owner's is not.
        closed: bool,
        sessions_ended: u32,
        factors_removed: u32,
        codes_voided: u32,
    },
    FollowedUp {
        /// `sent` or `copied`.
        how: &'static str,
        addresses: u32,
    },
    BreakGlass {
        reason: Reason,
    },
}

impl CaseFact {
    /// The header's fields and the body's texts.
    pub(super) fn into_parts(self, user: Person, case: CaseNumber) -> Parts {
        use Action as A;
        let of = |action| Parts::of(action, user).case(case);
        match self {
            Self::Opened { reason, ticket, urgent } => {
                of(A::RecoveryCaseOpened).why(reason).ticket(ticket).with("urgent", urgent)
            }
            Self::Urgency { urgent } => of(A::RecoveryUrgencyChanged).with("urgent", urgent),
            Self::Verified { evidence, ticket } => of(A::RecoveryIdentityVerified).ticket(ticket).evidence(&evidence),
            Self::Refused { refusal, note } => of(A::RecoveryRefused).why(note).with("refusal", refusal.as_str()),
            Self::Escalated { message } => of(A::RecoveryEscalated).why(message),
            Self::Asked { grant, argument, reason, ticket, needs, signs } => {
                let parts = of(A::RecoveryApprovalRequested).why(reason).ticket(ticket).with("grant", grant.as_str());
                let parts = if argument.is_empty() { parts } else { parts.with("argument", argument) };
                parts.with("needs", needs.as_str()).with("signs", signs)
            }
            Self::Approved { grant, note } => of(A::RecoveryApproved).with("grant", grant.as_str()).with("note", note),
            Self::Denied { grant, note } => of(A::RecoveryApprovalDenied).why(note).with("grant", grant.as_str()),
            Self::Lapsed { grant, why } => of(A::RecoveryApprovalLapsed).with("grant", grant.as_str()).with("why", why),
            Self::Completed { act } => match act {
                Some(act) => of(A::RecoveryCompleted).with("act", act.as_str()),
                None => of(A::RecoveryCompleted),
            },
            Self::Expired { why } => of(A::RecoveryExpired).with("why", why),
            Self::Disavowed { notice, frozen, sessions_ended } => of(A::RecoveryDisavowed)
                .with("notice", notice)
                .with("frozen", frozen)
                .with("sessions_ended", sessions_ended),
            Self::Reassured { reason } => of(A::RecoveryReassured).why(reason),
            Self::Incident { reason, since, closed, sessions_ended, factors_removed, codes_voided } => {
                of(A::RecoveryIncidentDeclared)
                    .why(reason)
                    .with("since", since.to_string())
                    .with("closed", closed)
                    .with("sessions_ended", sessions_ended)
                    .with("factors_removed", factors_removed)
                    .with("codes_voided", codes_voided)
            }
            Self::FollowedUp { how, addresses } => {
                of(A::RecoveryFollowedUp).with("how", how).with("addresses", addresses)
            }
            Self::BreakGlass { reason } => of(A::RecoveryBreakGlass).why(reason),
        }
    }
}

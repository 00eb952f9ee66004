//! What people do in a case beside giving something.

use super::{Case, CaseEvent, next};
use crate::audit::Action;

/// Something that is done in a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseErrand {
    /// Put on record how somebody made sure who it is.
    Evidence,
    /// Decide not to help.
    Refuse,
    /// Hand it to the owners.
    Escalate,
    /// Close it because nobody needs it any more, before anything was given.
    Close,
    /// Say that it is urgent, or that it is not.
    Urgency,
}

impl CaseErrand {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Evidence, Self::Refuse, Self::Escalate, Self::Close, Self::Urgency];

    /// What the audit entry is about, also when the answer is no.
    pub const fn action(self) -> Action {
        match self {
            Self::Evidence => Action::RecoveryIdentityVerified,
            Self::Refuse => Action::RecoveryRefused,
            Self::Escalate => Action::RecoveryEscalated,
            Self::Close => Action::RecoveryExpired,
            Self::Urgency => Action::RecoveryUrgencyChanged,
        }
    }

    /// Whether it can be done in the case as it stands.
    ///
    /// Once something was given, a refusal or a closed case would leave it working: then an incident is declared instead,
    /// which ends it.
    pub fn fits(self, case: &Case) -> bool {
        let leads_on = |event| next(case.state, event).is_ok();
        match self {
            Self::Evidence => leads_on(CaseEvent::Verified),
            Self::Refuse => case.act.is_none() && leads_on(CaseEvent::Refused),
            Self::Escalate => leads_on(CaseEvent::Escalated),
            Self::Close => case.act.is_none() && leads_on(CaseEvent::Expired),
            Self::Urgency => !case.state.is_closed(),
        }
    }
}

//! How far a case has come, and what leads on from there.
//!
//! Architecture invariant: [`next`] is the whole machine. Storage writes a state only as what it answered, so a state that
//! the rules do not allow can not be written; and what is closed stays closed, but for an objection or an incident.

use std::fmt;
use std::str::FromStr;

use crate::users::BadInput;

macro_rules! states {
    ($($(#[$doc:meta])* $variant:ident $word:literal $sentence:literal;)*) => {
        /// How far a case has come.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum CaseState { $($(#[$doc])* $variant,)* }

        impl CaseState {
            /// All of them, in the order in which a case may come to them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word that is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// As a page says it.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }
        }
    };
}

states! {
    /// Somebody asked for help; nothing is known about who it was.
    Opened "opened" "identity not verified yet";
    /// Evidence is on record; somebody may act on it while it is fresh.
    Verified "verified" "identity verified";
    /// Handed to the owners.
    Escalated "escalated" "waiting for an owner";
    /// A second person, or an hour, has to permit what was asked for.
    AwaitingApproval "awaiting_approval" "waiting for approval";
    /// It is permitted; who asked has to carry it out.
    Approved "approved" "approved, not carried out yet";
    /// Codes or a password were given; the person has to sign in with them.
    Acted "acted" "waiting for sign-in";
    /// Factors are reset; the person has to enrol before the window closes.
    AwaitingEnrolment "awaiting_enrolment" "waiting for enrolment";
    /// Somebody said "this wasn't me": the account is frozen until somebody else has looked.
    Disavowed "disavowed" "objected to, waiting for somebody to look";
    /// The person is back.
    Recovered "recovered" "recovered";
    /// Somebody decided not to help.
    Refused "refused" "refused";
    /// The second person said no.
    ApprovalDenied "approval_denied" "approval denied";
    /// The time for it has passed.
    Expired "expired" "expired";
    /// It was an attack, and everything that it gave has ended.
    Incident "incident" "incident";
    /// The objection was a mistake, and the account is as it was.
    Reassured "reassured" "objection lifted";
}

impl CaseState {
    /// Whether nothing is waited for any more.
    pub const fn is_closed(self) -> bool {
        matches!(
            self,
            Self::Recovered | Self::Refused | Self::ApprovalDenied | Self::Expired | Self::Incident | Self::Reassured
        )
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
        let found = Self::ALL.iter().copied().find(|s| s.as_str() == text);
        found.ok_or(BadInput("This is no state of a case."))
    }
}

/// What was done for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// They signed in with a backup code that they had: nothing was given.
    WalkedThrough,
    /// Factors were reset.
    Reset,
    /// Backup codes were issued.
    Codes,
    /// A temporary password was set.
    Password,
    /// Both, in either order.
    ResetAndPassword,
    /// The address that they sign in with was changed.
    Email,
    /// A new invitation link was made.
    Invitation,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::WalkedThrough,
        Self::Reset,
        Self::Codes,
        Self::Password,
        Self::ResetAndPassword,
        Self::Email,
        Self::Invitation,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WalkedThrough => "walked_through",
            Self::Reset => "reset",
            Self::Codes => "codes",
            Self::Password => "password",
            Self::ResetAndPassword => "reset_and_password",
            Self::Email => "email",
            Self::Invitation => "invitation",
        }
    }

    /// As a page says it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::WalkedThrough => "signed in with a backup code",
            Self::Reset => "factors reset",
            Self::Codes => "backup codes issued",
            Self::Password => "temporary password set",
            Self::ResetAndPassword => "factors reset and temporary password set",
            Self::Email => "sign-in address changed",
            Self::Invitation => "new invitation link made",
        }
    }

    /// What has been done in all, when `self` is done after `before`.
    #[must_use]
    pub const fn after(self, before: Option<Self>) -> Self {
        match (before, self) {
            (Some(Self::Reset | Self::ResetAndPassword), Self::Password)
            | (Some(Self::Password | Self::ResetAndPassword), Self::Reset) => Self::ResetAndPassword,
            (Some(Self::ResetAndPassword), Self::Codes) => Self::ResetAndPassword,
            // It is still the factor that the person has to set up.
            (Some(reset @ (Self::Reset | Self::ResetAndPassword)), Self::Email) => reset,
            _ => self,
        }
    }
}

impl FromStr for Act {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL.into_iter().find(|a| a.as_str() == text).ok_or(BadInput("This is nothing that a case does."))
    }
}

/// What happens to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseEvent {
    /// Evidence was recorded.
    Verified,
    /// It was handed to the owners.
    Escalated,
    /// A grant was asked for that a second person, or an hour, has to permit.
    Asked,
    /// It was permitted.
    Approved,
    /// It was not.
    Denied,
    /// What was asked for was not decided, or not carried out, in time; or something else has changed since.
    Lapsed,
    /// The person was given something.
    Acted(Act),
    /// The person signed in with a backup code.
    CodeUsed,
    /// The person signed in with the temporary password and has chosen their own.
    PasswordChosen,
    /// The person, whose address was changed, signed in with it.
    SignedIn,
    /// The person enrolled a factor.
    Enrolled,
    /// Somebody decided not to help.
    Refused,
    /// The time for it has passed.
    Expired,
    /// Somebody objected through the link in a notice.
    Disavowed,
    /// It was an attack.
    Incident,
    /// The objection was a mistake.
    Reassured,
}

impl CaseEvent {
    /// One of each, [`CaseEvent::Acted`] with every act.
    pub const ALL: [Self; 22] = [
        Self::Verified,
        Self::Escalated,
        Self::Asked,
        Self::Approved,
        Self::Denied,
        Self::Lapsed,
        Self::Acted(Act::WalkedThrough),
        Self::Acted(Act::Reset),
        Self::Acted(Act::Codes),
        Self::Acted(Act::Password),
        Self::Acted(Act::ResetAndPassword),
        Self::Acted(Act::Email),
        Self::Acted(Act::Invitation),
        Self::CodeUsed,
        Self::PasswordChosen,
        Self::SignedIn,
        Self::Enrolled,
        Self::Refused,
        Self::Expired,
        Self::Disavowed,
        Self::Incident,
        Self::Reassured,
    ];
}

/// The case is in a state in which this can not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotNow;

/// Where `event` leads a case that is in `state`.
///
/// Before anything was given, what is asked for stands in the state. Afterwards the state says what the person has to do,
/// and a request that waits stands beside it: a window must not be forgotten because a password was asked for too.
///
/// # Errors
/// [`NotNow`] if it can not happen there.
pub const fn next(state: CaseState, event: CaseEvent) -> Result<CaseState, NotNow> {
    use CaseEvent as E;
    use CaseState as S;
    Ok(match (state, event) {
        // Whatever came before, a wrongful recovery can be stopped, also after it was closed.
        (S::Incident | S::Refused | S::ApprovalDenied | S::Reassured, E::Disavowed) => return Err(NotNow),
        (_, E::Disavowed) => S::Disavowed,
        (S::Incident | S::Reassured, E::Incident) => return Err(NotNow),
        (_, E::Incident) => S::Incident,
        (S::Disavowed, E::Reassured) => S::Reassured,
        // Nothing else leads on from what is closed, or from a frozen account.
        (S::Disavowed, _) => return Err(NotNow),
        (closed, _) if closed.is_closed() => return Err(NotNow),

        (_, E::Expired) => S::Expired,
        (S::AwaitingEnrolment, E::Enrolled)
        | (S::Acted, E::Enrolled | E::CodeUsed | E::PasswordChosen | E::SignedIn) => S::Recovered,
        // With a code that was issued, or the password, the person is half way: the factor is still to be enrolled.
        (S::AwaitingEnrolment, E::CodeUsed | E::PasswordChosen) => S::AwaitingEnrolment,
        (_, E::CodeUsed) => S::Recovered,

        (S::Opened | S::Verified, E::Verified) => S::Verified,
        (same, E::Verified) => same,

        (S::Opened | S::Verified | S::Acted, E::Escalated) => S::Escalated,

        (S::Verified | S::Escalated, E::Asked) => S::AwaitingApproval,
        (S::AwaitingApproval, E::Approved) => S::Approved,
        (S::AwaitingApproval, E::Denied) => S::ApprovalDenied,
        (S::AwaitingApproval | S::Approved, E::Lapsed) => S::Verified,
        (same @ (S::Acted | S::AwaitingEnrolment), E::Asked | E::Approved | E::Denied | E::Lapsed) => same,

        // That a person helped themself is no act of anybody else.
        (_, E::Acted(Act::WalkedThrough)) => return Err(NotNow),
        (
            S::Verified | S::Escalated | S::Approved | S::Acted,
            E::Acted(Act::Reset | Act::ResetAndPassword | Act::Invitation),
        ) => S::AwaitingEnrolment,
        (S::Verified | S::Escalated | S::Approved | S::Acted, E::Acted(_)) => S::Acted,
        (S::AwaitingEnrolment, E::Acted(_)) => S::AwaitingEnrolment,

        (S::Opened | S::Verified | S::Escalated | S::AwaitingApproval | S::Approved, E::Refused) => S::Refused,

        _ => return Err(NotNow),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state and every event: where it leads, `-` where it can not happen. Columns as in `CaseEvent::ALL`.
    const TABLE: &str = "
                        ver esc ask app den lap wlk rst cod pwd r+p eml inv use cho sin enr ref exp dis inc rea
        opened          V   E   -   -   -   -   -   -   -   -   -   -   -   R   -   -   -   F   X   D   I   -
        verified        V   E   A   -   -   -   -   W   G   G   W   G   W   R   -   -   -   F   X   D   I   -
        escalated       E   -   A   -   -   -   -   W   G   G   W   G   W   R   -   -   -   F   X   D   I   -
        awaiting_approval A   -   -   P   N   V   -   -   -   -   -   -   -   R   -   -   -   F   X   D   I   -
        approved        P   -   -   -   -   V   -   W   G   G   W   G   W   R   -   -   -   F   X   D   I   -
        acted           G   E   G   G   G   G   -   W   G   G   W   G   W   R   R   R   R   -   X   D   I   -
        awaiting_enrolment W   -   W   W   W   W   -   W   W   W   W   W   W   W   W   -   R   -   X   D   I   -
        disavowed       -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   D   I   S
        recovered       -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   D   I   -
        refused         -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   I   -
        approval_denied -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   I   -
        expired         -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   D   I   -
        incident        -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -
        reassured       -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -";

    fn letter(state: CaseState) -> &'static str {
        use CaseState as S;
        match state {
            S::Opened => "O",
            S::Verified => "V",
            S::Escalated => "E",
            S::AwaitingApproval => "A",
            S::Approved => "P",
            S::Acted => "G",
            S::AwaitingEnrolment => "W",
            S::Disavowed => "D",
            S::Recovered => "R",
            S::Refused => "F",
            S::ApprovalDenied => "N",
            S::Expired => "X",
            S::Incident => "I",
            S::Reassured => "S",
        }
    }

    #[test]
    fn every_event_in_every_state_leads_where_the_table_says() {
        let rows: Vec<Vec<&str>> = TABLE.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), CaseState::ALL.len());
        for (row, state) in rows.iter().zip(CaseState::ALL) {
            assert_eq!((row[0], row.len()), (state.as_str(), CaseEvent::ALL.len() + 1));
            for (cell, event) in row[1..].iter().zip(CaseEvent::ALL) {
                assert_eq!(next(*state, event).map_or("-", letter), *cell, "{state} {event:?}");
            }
        }
    }

    #[test]
    fn what_is_closed_is_opened_again_by_nothing_but_an_objection() {
        for state in CaseState::ALL.iter().filter(|s| s.is_closed()) {
            for event in CaseEvent::ALL {
                if let Ok(to) = next(*state, event) {
                    assert!(matches!(to, CaseState::Disavowed | CaseState::Incident), "{state} {event:?} {to}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_given_before_somebody_has_made_sure_who_it_is() {
        for act in Act::ALL {
            assert_eq!(next(CaseState::Opened, CaseEvent::Acted(act)), Err(NotNow));
            assert_eq!(next(CaseState::AwaitingApproval, CaseEvent::Acted(act)), Err(NotNow));
        }
    }

    #[test]
    fn states_and_acts_read_back() {
        for state in CaseState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        for act in Act::ALL {
            assert_eq!(act.as_str().parse(), Ok(act));
        }
        assert_eq!(Act::Password.after(Some(Act::Reset)), Act::ResetAndPassword);
        assert_eq!(Act::Codes.after(Some(Act::Password)), Act::Codes);
        assert_eq!(Act::Email.after(Some(Act::Reset)), Act::Reset);
        assert_eq!(Act::Email.after(Some(Act::Codes)), Act::Email);
        assert_eq!(Act::Invitation.after(Some(Act::Email)), Act::Invitation);
    }
}

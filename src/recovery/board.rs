//! The board: what waits for whom. Each case that is not closed stands in one list of it, by who has to do something next;
//! what is a viewer's own to do stands once more on top.
//!
//! Architecture invariant: which list a case stands in is computed by the database from what stands in the case (`waits_for`
//! in schema.sql), so a case can not be forgotten by whoever moves it on.

use std::fmt;
use std::str::FromStr;

use super::{Case, CaseState, Request};
use crate::ids::CaseNumber;
use crate::time::Timestamp;
use crate::users::{BadInput, Role};

/// So many cases of a list stand on the board; the rest on pages of its own.
pub const ON_BOARD: u32 = 10;
/// So many of each list stand on the dashboard.
pub const ON_DASHBOARD: u32 = 3;
/// More are not counted: "100 or more".
pub const COUNTED: u32 = 100;

/// For what a case waits, as `waits_for` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// Somebody has to look at a frozen account.
    Frozen,
    /// An owner has to go on with it.
    Owner,
    /// An owner has to permit what was asked for.
    OwnersApproval,
    /// An admin or an owner has to.
    Approval,
    /// An hour has to pass.
    Time,
    /// Who asked has to carry it out.
    Approved,
    /// The person has to come back.
    Person,
    /// Whoever helps has to go on with it.
    Open,
}

impl Waits {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Frozen,
        Self::Owner,
        Self::OwnersApproval,
        Self::Approval,
        Self::Time,
        Self::Approved,
        Self::Person,
        Self::Open,
    ];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Owner => "owner",
            Self::OwnersApproval => "approval_owner",
            Self::Approval => "approval_admin",
            Self::Time => "approval_time",
            Self::Approved => "approved",
            Self::Person => "person",
            Self::Open => "open",
        }
    }
}

/// Cases that are found in one walk, in the order of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// All that wait for this.
    All(Waits),
    /// Those of them that the viewer may do something about: not about themself, not what they did or asked for.
    MayDecide(Waits),
    /// What the viewer asked for and can carry out now.
    Permitted,
    /// What the viewer opened and has to go on with.
    Opened,
}

/// A list on the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Section {
    /// The viewer's own.
    Yours,
    /// Somebody objected.
    Frozen,
    /// Handed to the owners.
    Owner,
    /// Asked for and not permitted yet.
    Approval,
    /// Permitted and not carried out yet.
    Approved,
    /// Given; the person has to come back.
    Person,
    /// Nothing was given yet.
    Open,
}

impl Section {
    /// All of them, in the order of the board.
    pub const ALL: [Self; 7] =
        [Self::Yours, Self::Frozen, Self::Owner, Self::Approval, Self::Approved, Self::Person, Self::Open];

    /// The word in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yours => "yours",
            Self::Frozen => "frozen",
            Self::Owner => "owner",
            Self::Approval => "approval",
            Self::Approved => "approved",
            Self::Person => "person",
            Self::Open => "open",
        }
    }

    /// Where its cases are found for a viewer of this role. No case is found twice in one list.
    pub const fn walks(self, viewer: Role) -> &'static [Walk] {
        use Waits as W;
        use Walk::{All, MayDecide, Opened, Permitted};
        match (self, viewer) {
            (Self::Yours, Role::Owner) => &[
                MayDecide(W::Frozen),
                MayDecide(W::Owner),
                MayDecide(W::OwnersApproval),
                MayDecide(W::Approval),
                Permitted,
                Opened,
            ],
            (Self::Yours, Role::Admin) => &[MayDecide(W::Approval), Permitted, Opened],
            (Self::Yours, Role::Member | Role::Auditor) => &[],
            (Self::Frozen, _) => &[All(W::Frozen)],
            (Self::Owner, _) => &[All(W::Owner)],
            (Self::Approval, _) => &[All(W::OwnersApproval), All(W::Approval), All(W::Time)],
            (Self::Approved, _) => &[All(W::Approved)],
            (Self::Person, _) => &[All(W::Person)],
            (Self::Open, _) => &[All(W::Open)],
        }
    }
}

/// A list of closed cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// However it ended.
    Any,
    /// In this state.
    In(CaseState),
}

impl Closed {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 7] = [
        Self::Any,
        Self::In(CaseState::Recovered),
        Self::In(CaseState::Refused),
        Self::In(CaseState::ApprovalDenied),
        Self::In(CaseState::Expired),
        Self::In(CaseState::Incident),
        Self::In(CaseState::Reassured),
    ];

    /// The word in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "closed",
            Self::In(state) => state.as_str(),
        }
    }
}

/// Which list is shown by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// One of those that wait.
    Waiting(Section),
    /// Closed ones.
    Closed(Closed),
}

impl FromStr for Shown {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let waiting = Section::ALL.into_iter().find(|s| s.as_str() == text).map(Self::Waiting);
        let closed = || Closed::ALL.into_iter().find(|c| c.as_str() == text).map(Self::Closed);
        waiting.or_else(closed).ok_or(BadInput("There is no such list of cases. The recovery page has them all."))
    }
}

/// Where a case stands in its list: what a page goes on after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Urgent ones come first; of closed ones it does not matter any more.
    pub urgent: bool,
    /// Then what runs out first; of closed ones what was closed last.
    pub at: Timestamp,
    /// Then by number, as text.
    pub number: CaseNumber,
}

impl Place {
    /// Where this case stands now.
    pub fn of(case: &Case) -> Self {
        let at = case.closed_at.or(case.due_at).unwrap_or(case.state_at);
        Self { urgent: case.urgent && case.closed_at.is_none(), at, number: case.number }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", u8::from(self.urgent), self.at.as_micros(), self.number)
    }
}

impl FromStr for Place {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let no = BadInput("This page of the list can not be found. Begin at its start.");
        let (urgent, rest) = text.split_once('.').ok_or(no)?;
        let (at, number) = rest.split_once('.').ok_or(no)?;
        let urgent = match urgent {
            "0" => false,
            "1" => true,
            _ => return Err(no),
        };
        let at = at.parse().map(Timestamp::from_micros).map_err(|_| no)?;
        Ok(Self { urgent, at, number: number.parse().map_err(|_| no)? })
    }
}

/// A case with what else a list says about it.
#[derive(Debug, Clone)]
pub struct Line {
    /// The case.
    pub case: Case,
    /// What was asked for in it and waits, or may be used.
    pub request: Option<Request>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_and_place_reads_back_and_what_is_none_is_refused() {
        for section in Section::ALL {
            assert_eq!(section.as_str().parse(), Ok(Shown::Waiting(section)));
        }
        for closed in Closed::ALL {
            assert_eq!(closed.as_str().parse(), Ok(Shown::Closed(closed)));
        }
        assert!("asleep".parse::<Shown>().is_err());
        let place = Place { urgent: true, at: Timestamp::from_micros(-7), number: CaseNumber::new(2026, 12_345) };
        assert_eq!(place.to_string().parse(), Ok(place));
        for bad in ["", "1", "1.5", "2.5.R-2026-0001", "1.x.R-2026-0001", "1.5.R-2026-1", "1.5.R-2026-0001."] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_case_that_waits_stands_in_one_list_besides_the_viewers_own() {
        for role in [Role::Admin, Role::Owner] {
            let others = Section::ALL.into_iter().filter(|s| *s != Section::Yours);
            let walks: Vec<Walk> = others.flat_map(|s| s.walks(role)).copied().collect();
            for waits in Waits::ALL {
                assert_eq!(walks.iter().filter(|w| **w == Walk::All(waits)).count(), 1, "{waits:?}");
            }
            assert_eq!(walks.len(), Waits::ALL.len());
        }
        assert!(Section::Yours.walks(Role::Auditor).is_empty() && Section::Yours.walks(Role::Member).is_empty());
    }

    #[test]
    fn every_closed_state_can_be_listed() {
        for state in CaseState::ALL.iter().filter(|s| s.is_closed()) {
            assert!(Closed::ALL.contains(&Closed::In(*state)), "{state}");
        }
    }
}

//! What the grant rule says before anything is asked for.

use super::circumstances::{circumstances, find_other_half, has_taken_away};
use super::permit::{Permit, weigh};
use super::without_pass::one_half_is_enough;
use crate::actions::Result;
use crate::grants::{Asker, Circumstances, Grant, Half, Needed, Others, Question, Rule, decide, needed};
use crate::policy::Policy;
use crate::recovery::{Case, Evidence, Held, Needs, Request};
use crate::signals::Signals;
use crate::storage::recovery::requests;
use crate::storage::{ReadTx, policy, recovery, users};
use crate::time::Timestamp;
use crate::users::{Role, Status, User};

/// What the rule says before anything is asked for: for a menu that says why, and for forms that need not be filled in
/// for nothing and say beforehand what will be needed. Evidence and step-up are not looked at; they come with the form.
#[derive(Debug)]
pub struct Preview<'a> {
    viewer: &'a User,
    user: &'a User,
    evidence: Evidence,
    other_owners: u32,
    case: Option<Case>,
    /// What waits, or may be carried out, in the case.
    live: Option<Request>,
    others: Others,
    held: Option<Held>,
    for_owner: bool,
    refused_lately: bool,
    policy: Policy,
    signals: Signals,
    now: Timestamp,
}

/// What becomes of a grant that is asked for now.
#[derive(Debug, Clone)]
pub enum Ahead {
    /// Nothing has to permit it.
    Free,
    /// Something has to permit it first.
    Asks(Needed, Option<(Half, Timestamp)>),
    /// The viewer has asked for it; nothing has permitted it yet.
    Waits(Request),
    /// It is permitted, for the viewer.
    Permitted(Request),
}

impl<'a> Preview<'a> {
    /// Reads what the rule looks at beside these two.
    ///
    /// # Errors
    /// Storage.
    pub fn read(tx: &ReadTx<'_>, viewer: &'a User, user: &'a User, now: Timestamp) -> Result<Self> {
        let policy = policy::get(tx, now)?;
        let case = recovery::find_open(tx, user.id)?;
        let live = case.as_ref().map(|c| requests::find_live(tx, c.number)).transpose()?.flatten();
        let seen = circumstances(tx, Grant::AddNote, Asker::Person(viewer), user, case.as_ref(), &policy, now)?;
        let (for_owner, refused_lately, others, held) = (seen.for_owner, seen.refused_lately, seen.others, seen.held);
        Ok(Self {
            viewer,
            user,
            evidence: Evidence::host(now),
            other_owners: users::count_owners(tx, Some(user.id))?,
            case,
            live: live.filter(|r| now < r.valid_until),
            for_owner,
            refused_lately,
            others,
            held,
            policy,
            signals: Signals::default(),
            now,
        })
    }

    /// With the signs of unusual activity, for saying beforehand whether something has to permit it.
    #[must_use]
    pub fn with_signals(self, signals: Signals) -> Self {
        Self { signals, ..self }
    }

    fn question(&self, grant: Grant, (same_hands, took_away): (bool, bool), permitted: Option<Needs>) -> Question<'_> {
        Question {
            grant,
            asker: Asker::Person(self.viewer),
            target: Some(self.user),
            evidence: Some(&self.evidence),
            other_owners: self.other_owners,
            circumstances: Circumstances {
                strong_signs: self.signals.strong(),
                for_owner: self.for_owner,
                refused_lately: self.refused_lately,
                same_hands,
                took_away,
                others: self.others,
                held: self.held,
                permitted,
                ..Circumstances::plain(&self.policy)
            },
            now: self.now,
        }
    }

    /// Which rule would refuse `grant` now, if any.
    pub fn refusal(&self, grant: Grant) -> Option<Rule> {
        decide(&self.question(grant, (false, false), None)).err()
    }

    /// Whether nobody but a command on the host lets the person in again: the only owner.
    pub fn is_only_owner(&self) -> bool {
        self.user.role == Role::Owner && self.user.status == Status::Active && self.other_owners == 0
    }

    /// What becomes of `grant` when it is asked for now.
    ///
    /// # Errors
    /// Storage.
    pub fn ahead(&self, tx: &ReadTx<'_>, grant: Grant) -> Result<Ahead> {
        let by = Some(self.viewer.id);
        let half = find_other_half(tx, grant, by, self.user.id, &self.policy, self.now)?;
        let alone = || one_half_is_enough(tx, grant, self.user, &self.policy, self.now);
        let same_hands = half.is_some() || grant.gives_both() || alone()?;
        let hands =
            (same_hands, same_hands && has_taken_away(tx, (by, self.user.id), self.others, &self.policy, self.now)?);
        let needed = needed(&self.question(grant, hands, None));
        if let (Some(case), Some(live)) = (&self.case, self.own(grant)) {
            let counts_as = weigh(tx, live, case, self.user, &self.signals)?;
            let permit = Permit { request: live.clone(), counts_as };
            let of_no_use = permit.is_over(&self.question(grant, hands, counts_as));
            match live.is_permitted(self.now) {
                true if !of_no_use => return Ok(Ahead::Permitted(permit.request)),
                false if counts_as.is_some() && needed.is_some() => return Ok(Ahead::Waits(permit.request)),
                _ => {}
            }
        }
        Ok(needed.map_or(Ahead::Free, |needed| Ahead::Asks(needed, half)))
    }

    /// What the viewer has asked for, if it is this.
    fn own(&self, grant: Grant) -> Option<&Request> {
        self.live.as_ref().filter(|r| r.grant == grant && r.asked_by.id == Some(self.viewer.id))
    }

    /// What waits or may be carried out in the case, and is over once `grant` is asked for or given.
    pub fn other(&self, grant: Grant) -> Option<&Request> {
        self.live.as_ref().filter(|_| self.own(grant).is_none())
    }
}

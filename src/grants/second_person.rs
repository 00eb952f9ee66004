//! The second person: what has to permit a grant and why, and who may decide about it.

use super::{Asker, Question};
use crate::policy::{Key, SecondPerson};
use crate::recovery::{Needs, Request};
use crate::users::{Role, Status, User};

use super::Rule;

/// What has to permit a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// Who, or what.
    pub needs: Needs,
    /// Why.
    pub why: Why,
}

/// Why something has to permit a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// An admin asks about somebody of the same rank.
    Peer,
    /// So many strong signs of unusual activity.
    Signs(u32),
    /// Who asks has lately given the person the other of password and factor.
    SameHands,
    /// Policy asks for it.
    Policy,
}

/// One half of what lets a person in. Both from one hand within a few days need a second person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// A password.
    Password,
    /// A factor: a reset with its window, or codes.
    Factor,
    /// The address to sign in with, which is worth as much as a password: a link for a new one is sent there.
    Address,
}

/// What has to permit a grant that no rule forbids.
pub fn needed(q: &Question<'_>) -> Option<Needed> {
    let (Asker::Person(asker), Some(target)) = (q.asker, q.target) else { return None };
    if !q.grant.needs_evidence() {
        return None;
    }
    let c = &q.circumstances;
    let rank = target.recent_rank.max(target.role.rank());
    // An admin acts on a peer, and against unusual signs, only with an owner.
    if asker.role != Role::Owner {
        if rank > Role::Member.rank() {
            return Some(Needed { needs: Needs::Owner, why: Why::Peer });
        }
        if c.strong_signs >= c.policy.number(Key::StrongSigns) {
            return Some(Needed { needs: Needs::Owner, why: Why::Signs(c.strong_signs) });
        }
    }
    let asked_by_policy = match c.policy.second_person() {
        SecondPerson::Never => false,
        SecondPerson::Privileged => rank > Role::Member.rank(),
        SecondPerson::Always => true,
    };
    let of_owner = rank >= Role::Owner.rank();
    let able = match c.permitted {
        // What time has permitted goes on, although somebody has come since who could have been asked.
        Some(Needs::Time) => 0,
        // Nobody approves what is done to a superior.
        _ if of_owner => c.others.owners,
        _ => c.others.owners + c.others.admins,
    };
    let somebody = if of_owner { Needs::Owner } else { Needs::Admin };
    match (asked_by_policy, able) {
        (true, 0) => Some(Needed { needs: Needs::Time, why: Why::Policy }),
        (true, _) => Some(Needed { needs: somebody, why: Why::Policy }),
        (false, 1..) if c.same_hands => Some(Needed { needs: somebody, why: Why::SameHands }),
        // Nobody is there because who asks has seen to that.
        (false, 0) if c.same_hands && c.took_away => Some(Needed { needs: Needs::Time, why: Why::SameHands }),
        (false, _) => None,
    }
}

/// Whether `approver` may approve or deny a request about `target`. A request that time permits waits for nobody; who could
/// have been asked by now may decide all the same.
///
/// # Errors
/// The rule that says no.
pub fn may_decide(approver: Asker<'_>, request: &Request, target: &User) -> Result<(), Rule> {
    // Whoever holds the host holds the database: the last way out where nobody else is there.
    let Asker::Person(approver) = approver else { return Ok(()) };
    if !approver.role.looks_after_people() || approver.status != Status::Active {
        return Err(Rule::NotYourRole);
    }
    if request.asked_by.id == Some(approver.id) {
        return Err(Rule::AskedYourself);
    }
    if target.id == approver.id {
        return Err(Rule::Yourself);
    }
    if request.needs == Needs::Owner && approver.role != Role::Owner {
        return Err(Rule::OwnersOnly);
    }
    if approver.role.rank() < target.recent_rank.max(target.role.rank()) { Err(Rule::Rank) } else { Ok(()) }
}

/// As much as whose approval counts: an owner's is enough wherever an admin's is.
pub const fn counts_as(approver: Asker<'_>) -> Needs {
    match approver {
        Asker::Person(User { role: Role::Owner, .. }) | Asker::Host => Needs::Owner,
        Asker::Person(_) => Needs::Admin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::Grant;
    use crate::grants::tests::{NOW, user};
    use crate::ids::{CaseNumber, RequestId, UserId};
    use crate::recovery::{Doer, RequestState};
    use crate::signals::Signals;

    fn request(needs: Needs, asked_by: UserId) -> Request {
        Request {
            id: RequestId::generate(),
            case: CaseNumber::new(2026, 1),
            grant: Grant::ResetFactors,
            argument: String::new(),
            needs,
            asked_by: Doer { id: Some(asked_by), name: "Tom".into() },
            asked_at: NOW,
            reason: "lost her phone".into(),
            ticket: None,
            evidence: 1,
            case_version: 1,
            signals: Signals::default(),
            state: RequestState::Waiting,
            valid_until: NOW,
            ripe_at: None,
            decided_by: None,
            decided_at: None,
            note: String::new(),
        }
    }

    /// Whose request, by what it needs and by the target's rank; who may decide: `+`, or the rule's first letters.
    const TABLE: &str = "
        needs  target   member  auditor admin  owner
        owner  member   role    role    owners +
        owner  auditor  role    role    owners +
        owner  admin    role    role    owners +
        owner  owner    role    role    owners +
        admin  member   role    role    +      +
        admin  auditor  role    role    +      +
        admin  admin    role    role    +      +
        admin  owner    role    role    rank   +
        time   member   role    role    +      +
        time   auditor  role    role    +      +
        time   admin    role    role    +      +
        time   owner    role    role    rank   +";

    fn word(answer: Result<(), Rule>) -> &'static str {
        match answer {
            Ok(()) => "+",
            Err(Rule::NotYourRole) => "role",
            Err(Rule::OwnersOnly) => "owners",
            Err(Rule::Rank) => "rank",
            Err(other) => other.as_str(),
        }
    }

    #[test]
    fn who_may_decide_is_what_the_table_says_for_every_need_and_rank() {
        let mut seen = 0;
        for line in TABLE.lines().skip(2) {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let (needs, target): (Needs, Role) = (cells[0].parse().unwrap(), cells[1].parse().unwrap());
            for (role, expected) in Role::ALL.into_iter().zip(&cells[2..]) {
                let (approver, target) = (user(role), user(target));
                let asked = request(needs, UserId::generate());
                let got = may_decide(Asker::Person(&approver), &asked, &target);
                assert_eq!(word(got), *expected, "{role} about {line}");
                // Nobody decides about what they asked for, or about themself; nor does who is disabled.
                let own = request(needs, approver.id);
                assert!(may_decide(Asker::Person(&approver), &own, &target).is_err());
                let me = User { id: approver.id, ..target.clone() };
                assert!(may_decide(Asker::Person(&approver), &asked, &me).is_err());
                let gone = User { status: Status::Disabled, ..approver.clone() };
                assert_eq!(may_decide(Asker::Person(&gone), &asked, &target), Err(Rule::NotYourRole));
                assert_eq!(may_decide(Asker::Host, &asked, &target), Ok(()));
                seen += 1;
            }
        }
        assert_eq!(seen, 48);
        let owner = user(Role::Owner);
        let (own, other) = (request(Needs::Admin, owner.id), request(Needs::Admin, UserId::generate()));
        assert_eq!(may_decide(Asker::Person(&owner), &own, &user(Role::Member)), Err(Rule::AskedYourself));
        assert_eq!(may_decide(Asker::Person(&owner), &other, &owner), Err(Rule::Yourself));
    }

    #[test]
    fn the_rank_that_somebody_held_lately_protects_them_from_an_approval_too() {
        let demoted = User { recent_rank: Role::Owner.rank(), ..user(Role::Member) };
        let asked = request(Needs::Admin, UserId::generate());
        assert_eq!(may_decide(Asker::Person(&user(Role::Admin)), &asked, &demoted), Err(Rule::Rank));
        assert_eq!(may_decide(Asker::Person(&user(Role::Owner)), &asked, &demoted), Ok(()));
    }

    #[test]
    fn an_approval_counts_as_much_as_who_gave_it() {
        assert_eq!(counts_as(Asker::Person(&user(Role::Owner))), Needs::Owner);
        assert_eq!(counts_as(Asker::Person(&user(Role::Admin))), Needs::Admin);
        assert_eq!(counts_as(Asker::Host), Needs::Owner);
    }
}

//! What the rule says about accounts that their case alone opens again: frozen by an objection, or closed because of an
//! attack.

use super::{Asker, Grant, Question, Rule, needed};
use crate::recovery::{Held, Needs};
use crate::users::{Role, Status, User};

/// Whether nobody else could decide: an objection about the last active owner closes nothing, and ends only what was
/// created since, so that they can look at it themself.
pub(super) fn is_theirs_to_decide(q: &Question<'_>) -> bool {
    let decides = matches!(q.grant, Grant::Reassure { frozen: false } | Grant::DeclareIncident);
    decides && q.circumstances.held.is_some() && q.is_about_last_owner()
}

/// Lifting an objection is somebody else's: whoever has a hand in what was objected to does not. That it is a second
/// person who looks is what it is, so it asks for no further one; but where an owner would have to permit it, an owner
/// does it.
///
/// # Errors
/// [`Rule::ActedInCase`], [`Rule::OwnersOnly`].
pub(super) fn check_hands(q: &Question<'_>) -> Result<(), Rule> {
    let Grant::Reassure { frozen } = q.grant else { return Ok(()) };
    let is_owner = !matches!(q.asker, Asker::Person(asker) if asker.role != Role::Owner);
    match needed(q).map(|n| n.needs) {
        _ if q.circumstances.has_hand => Err(Rule::ActedInCase),
        Some(Needs::Owner) if frozen && !is_owner => Err(Rule::OwnersOnly),
        _ => Ok(()),
    }
}

/// What the state of a held account says to a grant; nothing where it says no more than any account's.
pub(super) fn state(q: &Question<'_>, target: &User) -> Option<Result<(), Rule>> {
    let (held, by_host) = (q.circumstances.held, matches!(q.asker, Asker::Host));
    Some(match (q.grant, target.status, held) {
        // An objection is decided on whatever has become of the account.
        (Grant::Reassure { .. }, _, Some(Held::Objection { .. })) => Ok(()),
        (Grant::DeclareIncident, Status::Left, Some(_)) => Ok(()),
        (_, Status::Left, _) => return None,
        (Grant::Reassure { .. }, ..) => Err(Rule::NotNow),
        (Grant::Readmit, Status::Disabled, Some(Held::Attack)) => Ok(()),
        (Grant::Readmit, Status::Disabled, None) => Err(Rule::IsDisabled),
        (Grant::Readmit, Status::Invited | Status::Active, _) => Err(Rule::IsNotDisabled),
        (Grant::OpenCase, Status::Disabled, Some(_)) => Err(Rule::Held),
        // Whoever holds the host holds the database, and is who can help where nobody else may.
        (Grant::Enable, Status::Disabled, Some(_)) if !by_host => Err(Rule::Held),
        (grant, _, Some(Held::Objection { .. })) if grant.needs_evidence() && !by_host => Err(Rule::Held),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{evidence, user};
    use super::*;
    use crate::grants::{Circumstances, Others, Verdict, decide};
    use crate::policy::Policy;
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    fn ask(
        grant: Grant,
        asker: Role,
        target: &User,
        change: impl Fn(Circumstances<'_>) -> Circumstances<'_>,
    ) -> Result<Verdict, Rule> {
        let (policy, evidence, asker) = (Policy::default(), evidence(NOW), user(asker));
        let others = Others { owners: 1, admins: 1 };
        let circumstances = change(Circumstances { others, ..Circumstances::plain(&policy) });
        let (asker, target, evidence) = (Asker::Person(&asker), Some(target), Some(&evidence));
        decide(&Question { grant, asker, target, evidence, other_owners: 1, circumstances, now: NOW })
    }

    fn disabled(role: Role) -> User {
        User { status: Status::Disabled, ..user(role) }
    }

    const FROZEN: Held = Held::Objection { frozen: true };

    #[test]
    fn an_account_that_its_case_holds_is_opened_by_that_alone() {
        for (held, lift, readmit) in [
            (None, Err(Rule::NotNow), Err(Rule::IsDisabled)),
            (Some(FROZEN), Ok(Verdict::Go), Err(Rule::Held)),
            (Some(Held::Attack), Err(Rule::NotNow), Ok(Verdict::Go)),
        ] {
            let of = |grant| ask(grant, Role::Owner, &disabled(Role::Member), |c| Circumstances { held, ..c });
            assert_eq!(of(Grant::Reassure { frozen: true }), lift, "{held:?}");
            assert_eq!(of(Grant::Readmit), readmit, "{held:?}");
            assert_eq!(of(Grant::Enable), if held.is_some() { Err(Rule::Held) } else { Ok(Verdict::Go) }, "{held:?}");
            assert_eq!(of(Grant::DeclareIncident), Ok(Verdict::Go), "{held:?}");
        }
    }

    #[test]
    fn the_host_enables_what_a_case_holds() {
        let (policy, target) = (Policy::default(), disabled(Role::Member));
        for held in [FROZEN, Held::Attack] {
            let circumstances = Circumstances { held: Some(held), ..Circumstances::plain(&policy) };
            let (grant, asker, target) = (Grant::Enable, Asker::Host, Some(&target));
            let question = Question { grant, asker, target, evidence: None, other_owners: 1, circumstances, now: NOW };
            assert_eq!(decide(&question), Ok(Verdict::Go));
        }
    }

    #[test]
    fn who_has_a_hand_in_it_lifts_nothing_and_whoever_does_is_the_second_person() {
        let lift = |asker, target, has_hand, strong_signs| {
            let held = Some(FROZEN);
            ask(Grant::Reassure { frozen: true }, asker, &disabled(target), |c| Circumstances {
                held,
                has_hand,
                strong_signs,
                ..c
            })
        };
        assert_eq!(lift(Role::Owner, Role::Member, true, 0), Err(Rule::ActedInCase));
        assert_eq!(lift(Role::Owner, Role::Owner, false, 3), Ok(Verdict::Go));
        assert_eq!(lift(Role::Admin, Role::Member, false, 1), Ok(Verdict::Go));
        assert_eq!(lift(Role::Admin, Role::Member, false, 2), Err(Rule::OwnersOnly));
        assert_eq!(lift(Role::Admin, Role::Admin, false, 0), Err(Rule::Rank), "a peer is an owner's");
        assert_eq!(lift(Role::Member, Role::Member, false, 0), Err(Rule::NotYourRole));
    }

    #[test]
    fn the_last_active_owner_alone_decides_about_themself_and_only_where_somebody_objected() {
        let policy = Policy::default();
        let me = user(Role::Owner);
        for (held, other_owners, allowed) in [
            (Some(Held::Objection { frozen: false }), 0, true),
            (Some(Held::Objection { frozen: false }), 1, false),
            (None, 0, false),
        ] {
            for grant in [Grant::Reassure { frozen: false }, Grant::DeclareIncident] {
                let circumstances = Circumstances { held, ..Circumstances::plain(&policy) };
                let (asker, target) = (Asker::Person(&me), Some(&me));
                let question = Question { grant, asker, target, evidence: None, other_owners, circumstances, now: NOW };
                let expected = if allowed { Ok(Verdict::Go) } else { Err(Rule::Yourself) };
                assert_eq!(decide(&question), expected, "{grant:?} {held:?} {other_owners}");
            }
        }
    }

    #[test]
    fn both_halves_from_one_hand_always_need_a_second_person_where_there_is_one() {
        let held = Some(Held::Attack);
        let of = |others| {
            ask(Grant::Readmit, Role::Owner, &disabled(Role::Member), |c| Circumstances {
                held,
                same_hands: true,
                others,
                ..c
            })
        };
        assert_eq!(of(Others { owners: 0, admins: 1 }), Ok(Verdict::Ask(Needs::Admin)));
        assert_eq!(of(Others::default()), Ok(Verdict::Go));
    }
}

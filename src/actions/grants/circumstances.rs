//! What a grant depends on besides who asks and whom it is about.

use super::without_pass::one_half_is_enough;
use crate::actions::Result;
use crate::audit::Action;
use crate::grants::{Asker, Circumstances, Grant, Half, Others};
use crate::ids::UserId;
use crate::policy::{Key, Policy};
use crate::recovery::{Case, Held};
use crate::storage::{ReadTx, recovery, signals, users};
use crate::time::Timestamp;
use crate::users::User;

/// Reads it; the signs and the permit are left to who knows them.
pub(in crate::actions) fn circumstances<'p>(
    tx: &ReadTx<'_>,
    grant: Grant,
    asker: Asker<'_>,
    user: &User,
    case: Option<&Case>,
    policy: &'p Policy,
    now: Timestamp,
) -> Result<Circumstances<'p>> {
    let lately = now.minus(policy.lasting(Key::RefusalOwner));
    let refusal = recovery::find_refusal(tx, user.id, lately)?;
    let asker = match asker {
        Asker::Person(asker) => Some(asker.id),
        Asker::Host => None,
    };
    let others = users::count_approvers(tx, [asker, Some(user.id)])?;
    let same_hands = grant.gives_both()
        || find_other_half(tx, grant, asker, user.id, policy, now)?.is_some()
        || one_half_is_enough(tx, grant, user, policy, now)?;
    Ok(Circumstances {
        for_owner: match case {
            Some(case) => case.for_owner,
            None => recovery::find_undecided(tx, user.id, lately)?.is_some(),
        },
        // A case that is open since was opened by an owner.
        refused_lately: refusal.is_some() && case.is_none(),
        same_hands,
        took_away: same_hands && has_taken_away(tx, (asker, user.id), others, policy, now)?,
        held: find_held(tx, user)?,
        others,
        ..Circumstances::plain(policy)
    })
}

/// What keeps an account closed besides that it is disabled.
pub(super) fn find_held(tx: &ReadTx<'_>, user: &User) -> Result<Option<Held>> {
    Ok(recovery::freezes::find_hold(tx, user.id)?.map(|hold| hold.held))
}

/// Whether `asker` has lately disabled, demoted or seen off somebody else than `user` who could have approved, where hardly
/// anybody is left who can.
pub(super) fn has_taken_away(
    tx: &ReadTx<'_>,
    (asker, user): (Option<UserId>, UserId),
    others: Others,
    policy: &Policy,
    now: Timestamp,
) -> Result<bool> {
    let Some(asker) = asker.filter(|_| others.owners == 0) else { return Ok(false) };
    let since = now.minus(policy.lasting(Key::SameHands));
    for former in users::list_former_approvers(tx, since)?.into_iter().filter(|former| *former != user) {
        for action in [Action::UserDisabled, Action::UserLeft, Action::UserRoleChanged] {
            if signals::find_given(tx, former, asker, action, since)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Which half of what lets a person in `asker` has given them lately, where `grant` gives the other; and when.
pub(super) fn find_other_half(
    tx: &ReadTx<'_>,
    grant: Grant,
    asker: Option<UserId>,
    user: UserId,
    policy: &Policy,
    now: Timestamp,
) -> Result<Option<(Half, Timestamp)>> {
    let (Some(asker), Some(half)) = (asker, grant.other_half()) else { return Ok(None) };
    let given: &[(Action, Half)] = match half {
        Half::Password | Half::Address => {
            &[(Action::UserPasswordSetByAdmin, Half::Password), (Action::UserEmailChanged, Half::Address)]
        }
        Half::Factor => {
            &[(Action::MfaFactorAdminReset, Half::Factor), (Action::MfaBackupCodesIssuedByAdmin, Half::Factor)]
        }
    };
    let since = now.minus(policy.lasting(Key::SameHands));
    let mut last: Option<(Half, Timestamp)> = None;
    for (action, half) in given {
        if let Some(at) = signals::find_given(tx, user, asker, *action, since)?
            && last.is_none_or(|(_, before)| at > before)
        {
            last = Some((*half, at));
        }
    }
    Ok(last)
}

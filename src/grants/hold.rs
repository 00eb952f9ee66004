//! What the rule says about accounts that their case alone opens again: frozen by an objection, or closed because of an
//! attack.

use super::{Asker, Grant, Needs, Question, Rule, needs};
use crate::recovery::Held;
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
    match needs(q) {
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
        // Whoever holds the host holds the database, and is who can help where nobody else may.
        (Grant::Enable, Status::Disabled, Some(_)) if !by_host => Err(Rule::Held),
        (grant, _, Some(Held::Objection { .. })) if grant.needs_evidence() && !by_host => Err(Rule::Held),
        _ => return None,
    })
}

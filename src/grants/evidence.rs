//! What the rule says about how it was made sure who somebody is.

use super::{Asker, Question, Rule};
use crate::contacts::usable_for_call;
use crate::policy::Key;
use crate::recovery::{Evidence, EvidenceKind};
use crate::users::User;

/// Somebody else vouches: neither whom it is about nor who acts.
///
/// # Errors
/// [`Rule::VouchesForThemself`].
pub(super) fn check_voucher(evidence: &Evidence, q: &Question<'_>) -> Result<(), Rule> {
    let Some(voucher) = evidence.voucher().map(words) else { return Ok(()) };
    let is = |user: &User| [user.name.as_str(), user.email.as_str()].iter().any(|own| words(own) == voucher);
    let asks = matches!(q.asker, Asker::Person(asker) if is(asker));
    if asks || q.target.is_some_and(is) { Err(Rule::VouchesForThemself) } else { Ok(()) }
}

/// The words of a name, in whatever order and with whatever between them they are written.
fn words(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    words.sort_unstable();
    words
}

/// Fresh enough, and if it was a call, to a number that was known for long enough.
///
/// # Errors
/// The rule that says no.
pub(super) fn check(evidence: &Evidence, permitted: bool, q: &Question<'_>) -> Result<(), Rule> {
    let (policy, now) = (q.circumstances.policy, q.now);
    // What was permitted was asked for while its evidence was fresh.
    let age_fits = permitted || now.since(evidence.recorded_at()) <= policy.lasting(Key::EvidenceAge);
    if !age_fits || evidence.recorded_at() > now {
        return Err(Rule::EvidenceStale);
    }
    if evidence.kind() == EvidenceKind::KnownNumber {
        let called = evidence.called().ok_or(Rule::NumberNotOnAccount)?;
        if !usable_for_call(called.known_since, called.requested_at, policy.lasting(Key::KnownNumber)) {
            return Err(Rule::NumberTooNew);
        }
    }
    Ok(())
}

//! The last message of a case, sent or copied: recorded with the case, so that nobody has to remember whether it was written.

use super::cases::entry;
use super::grants::{Ask, Granted};
use super::{Error, Means, Result};
use crate::audit::{CaseFact, clean};
use crate::grants::{Asker, Grant, Rule};
use crate::ids::CaseNumber;
use crate::recovery::follow_up::{How, Message, can_be_told};
use crate::storage::{Audited, notices, recovery};
use crate::users::Role;

/// Sends the message to every address of the person that was known before the case, or notes that it was copied. What is
/// sent waits in the outbox, written in the same transaction.
///
/// # Errors
/// [`Error::CaseMovedOn`] if there is nothing to tell any more, nobody to send it to, or somebody else has written since the
/// form was opened; as [`Error`] says. A refusal by a rule is a value.
pub fn follow_up(means: &Means, ask: Ask, case: CaseNumber, how: How, message: Message) -> Result<Granted<()>> {
    let subject = format!("About your account at {}", clean(&means.organisation).replace('\n', " "));
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::FollowUp)?;
        let case = recovery::find(tx, case)?.filter(|c| c.user_id == d.user.id).ok_or(Error::NotFound)?;
        let owner = matches!(d.admin.asker(), Asker::Person(user) if user.role == Role::Owner);
        let rule = d.rule.and(if case.for_owner && !owner { Err(Rule::ForOwners) } else { Ok(()) });
        if let Err(rule) = rule {
            return Ok(ask.refused(&d, Grant::FollowUp, rule));
        }
        let opened_at = ask.nonce.as_ref().map(super::nonce::Nonce::issued_at);
        let written_since = case.follow_up.as_ref().is_some_and(|(at, _)| opened_at.is_none_or(|opened| *at > opened));
        if written_since || !can_be_told(&case) {
            return Err(Error::CaseMovedOn);
        }
        let addresses = match how {
            How::Sent => notices::list_known_before(tx, &d.user, case.opened_at)?,
            How::Copied => Vec::new(),
        };
        if how == How::Sent && addresses.is_empty() {
            return Err(Error::CaseMovedOn);
        }
        for address in &addresses {
            notices::insert_written(tx, (&d.user, address), case.number, (&subject, message.as_str()))?;
        }
        recovery::update_follow_up(tx, case.number, &d.admin.name())?;
        let said = format!("The message to {} was {}.", d.user.name, how.as_str());
        ask.done(tx, &said, &format!("/admin/recovery/{}/message", case.number))?;
        let addresses = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        let fact = CaseFact::FollowedUp { how: how.as_str(), addresses };
        Ok(Audited::new(Granted::Yes(()), entry(d.admin.actor(), &ask.source, &d.user, case.number, fact)))
    })
}

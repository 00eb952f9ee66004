//! What becomes of a notice besides that it is sent: the link in it, and that its person has read it.

use super::object::link_path;
use super::{Means, Result};
use crate::host::keys::{MacUse, SeedKey};
use crate::ids::{MessageId, NoticeId, UserId};
use crate::notices::Notice;
use crate::outbox::{Link, Objection};
use crate::secret::Token;
use crate::time::Timestamp;

/// The secret part of a link in this message: computed, so that no row holds it.
pub(super) fn mailed_token(key: &SeedKey, message: MessageId) -> Token {
    Token::derived(key.mac(MacUse::MailedLink, &[message.to_string().as_bytes()]))
}

/// The way to say “this wasn't me” to a notice, while there is one.
pub fn objection(key: &SeedKey, notice: &Notice, now: Timestamp) -> Option<Objection> {
    let until = notice.objection_until.filter(|until| *until > now && notice.objected_at.is_none())?;
    Some(Link { path: link_path(key, notice.id), until })
}

/// Notes that a person has read these of their notices.
///
/// # Errors
/// Storage.
pub fn seen(means: &Means, user: UserId, notices: Vec<NoticeId>) -> Result<()> {
    Ok(means.store.touch(move |tx| tx.notices_seen(user, &notices))?)
}

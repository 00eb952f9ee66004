//! What becomes of a notice besides that it is sent: the link in it, and that its person has read it.

use super::object::link_path;
use super::{Error, Means, Result};
use crate::host::keys::{MacUse, SeedKey};
use crate::ids::{MessageId, NoticeId, UserId};
use crate::notices::Notice;
use crate::outbox::{Link, Objection};
use crate::secret::Token;
use crate::storage::notices as stored;
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

/// Notes that a person has read these of their notices, where they last proved who they are at `proved_at`; which are left,
/// because they are newer than that: a session that was stolen before must not hide from its person what was done to the
/// account.
///
/// # Errors
/// Storage.
pub fn seen(means: &Means, (user, proved_at): (UserId, Timestamp), notices: Vec<NoticeId>) -> Result<Vec<Notice>> {
    let left = means.store.read(|tx| {
        let mut left = Vec::new();
        for id in &notices {
            left.extend(stored::find(tx, *id)?.filter(|n| n.user_id == user && n.seen_at.is_none()));
        }
        left.retain(|notice| notice.at > proved_at);
        Ok::<_, Error>(left)
    })?;
    means.store.touch(move |tx| tx.notices_seen(user, &notices, proved_at))?;
    Ok(left)
}

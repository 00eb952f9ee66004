//! One-time links. A link that was used, or whose reason is gone, has no row.

use rusqlite::{OptionalExtension, named_params};

use super::users::{parse, time};
use super::{ReadTx, Result, WriteTx};
use crate::ids::UserId;
use crate::secret::TokenHash;
use crate::time::Timestamp;

/// Whether a setup link with this hash works.
pub fn find_setup(tx: &ReadTx<'_>, token: &TokenHash, now: Timestamp) -> Result<bool> {
    let mut query = tx
        .conn
        .prepare_cached("SELECT 1 FROM links WHERE token_hash = ?1 AND purpose = 'setup' AND expires_at > ?2")?;
    Ok(query.query_row((token.as_bytes(), now.as_micros()), |_| Ok(())).optional()?.is_some())
}

/// Whose invitation has this hash and until when, if it works.
pub fn find_invitation(tx: &ReadTx<'_>, token: &TokenHash, now: Timestamp) -> Result<Option<(UserId, Timestamp)>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT user_id, expires_at FROM links WHERE token_hash = ?1 AND purpose = 'invitation' AND expires_at > ?2",
    )?;
    Ok(query.query_row((token.as_bytes(), now.as_micros()), |row| Ok((parse(row, 0)?, time(row, 1)?))).optional()?)
}

/// People who were invited and have no link that works at `now`.
pub fn count_invited_without(tx: &ReadTx<'_>, now: Timestamp) -> Result<u32> {
    let mut query = tx.conn.prepare_cached(
        "SELECT count(*) FROM users u WHERE status = 'invited'
         AND NOT EXISTS (SELECT 1 FROM links l WHERE l.user_id = u.id AND l.expires_at > ?1)",
    )?;
    Ok(query.query_row([now.as_micros()], |row| row.get(0))?)
}

/// Writes a link for a person (an invitation) or for nobody yet (the first owner's), voiding earlier ones.
pub fn insert(tx: &WriteTx<'_>, token: &TokenHash, user: Option<UserId>, expires_at: Timestamp) -> Result<()> {
    match user {
        Some(user) => delete_of(tx, user)?,
        None => delete_setup(tx)?,
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO links (token_hash, purpose, user_id, created_at, expires_at)
             VALUES (:token, :purpose, :user, :now, :expires)",
        )?
        .execute(named_params! {
            ":token": token.as_bytes(),
            ":purpose": if user.is_some() { "invitation" } else { "setup" },
            ":user": user.map(|u| u.to_string()),
            ":now": tx.now().as_micros(),
            ":expires": expires_at.as_micros(),
        })?;
    Ok(())
}

/// Voids every link of a person.
pub fn delete_of(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM links WHERE user_id = ?1")?.execute([user.to_string()])?;
    Ok(())
}

/// Voids every link of a person that was made at `since` or later.
pub fn delete_since(tx: &WriteTx<'_>, user: UserId, since: Timestamp) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM links WHERE user_id = ?1 AND created_at >= ?2")?
        .execute((user.to_string(), since.as_micros()))?;
    Ok(())
}

/// Voids the first owner's link.
pub fn delete_setup(tx: &WriteTx<'_>) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM links WHERE purpose = 'setup'")?.execute([])?;
    Ok(())
}

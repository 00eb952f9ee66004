//! One-time links. A link that was used, or whose reason is gone, has no row.

use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::users::{parse, time};
use super::{ReadTx, Result, WriteTx};
use crate::ids::UserId;
use crate::policy;
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

/// Whose link for a new password has this hash and until when, if it works.
pub fn find_password_reset(tx: &ReadTx<'_>, token: &TokenHash, now: Timestamp) -> Result<Option<(UserId, Timestamp)>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT user_id, expires_at FROM links WHERE token_hash = ?1 AND purpose = 'password_reset' AND expires_at > ?2",
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

/// Writes a link for a new password. Earlier ones go on working until they run out, so that nobody takes a link away from
/// somebody by asking for another.
pub fn insert_password_reset(tx: &WriteTx<'_>, token: &TokenHash, user: UserId, expires_at: Timestamp) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO links (token_hash, purpose, user_id, created_at, expires_at)
             VALUES (?1, 'password_reset', ?2, ?3, ?4)",
        )?
        .execute((token.as_bytes(), user.to_string(), tx.now().as_micros(), expires_at.as_micros()))?;
    Ok(())
}

/// Whether there may be no more links for a new password with this address for now.
pub fn is_spent(tx: &ReadTx<'_>, key: &[u8; 32], now: Timestamp) -> Result<bool> {
    let over = now.minus(policy::PASSWORD_RESET_HOUR).as_micros();
    let mut query = tx.conn.prepare_cached("SELECT count FROM link_requests WHERE key = ?1 AND since > ?2")?;
    let used: Option<u32> = query.query_row((HEXLOWER.encode(key), over), |row| row.get(0)).optional()?;
    Ok(used.is_some_and(|count| count >= policy::PASSWORD_RESETS))
}

/// Counts that a link for a new password was asked for with this address; whether there may be one more.
pub fn insert_request(tx: &WriteTx<'_>, key: &[u8; 32]) -> Result<bool> {
    charge(tx.conn, key, tx.now())
}

/// As [`insert_request`]. The table is bounded: the oldest counts go. Where there may be no more, nothing is written, so
/// that asking on and on costs nothing and shuts nobody out for longer.
pub(super) fn charge(conn: &Connection, key: &[u8; 32], now: Timestamp) -> Result<bool> {
    let (text, over) = (HEXLOWER.encode(key), now.minus(policy::PASSWORD_RESET_HOUR).as_micros());
    if is_spent(&ReadTx { conn }, key, now)? {
        return Ok(false);
    }
    let many: u32 = conn.prepare_cached("SELECT count(*) FROM link_requests")?.query_row([], |row| row.get(0))?;
    if many >= policy::COUNTERS {
        conn.prepare_cached(
            "DELETE FROM link_requests WHERE key IN (SELECT key FROM link_requests ORDER BY since LIMIT 100)",
        )?
        .execute([])?;
    }
    conn.prepare_cached(
        "INSERT INTO link_requests (key, count, since) VALUES (?1, 1, ?2)
         ON CONFLICT DO UPDATE SET count = iif(since <= ?3, 1, count + 1), since = iif(since <= ?3, ?2, since)",
    )?
    .execute((&text, now.as_micros(), over))?;
    Ok(true)
}

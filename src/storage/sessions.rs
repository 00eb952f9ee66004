//! Sessions' rows.

use rusqlite::{OptionalExtension, Row, named_params};

use super::users::{parse, time, to_user};
use super::{ReadTx, Result, WriteTx};
use crate::ids::{DeviceId, SessionId, UserId};
use crate::secret::TokenHash;
use crate::sessions::{Session, Stage};
use crate::time::Timestamp;
use crate::users::User;

const COLUMNS: &str = "s.id, s.user_id, s.stage, s.epoch, s.methods, s.pass_given, s.sealed_seed, s.address, s.user_agent, \
                       s.next, s.device_id, s.created_at, s.seen_at, s.step_up_at, s.expires_at";

/// When a session carries its person. After a restore that could not know what was decided since the backup, only owners'
/// do until an owner has confirmed who is here.
const CARRIES: &str = "s.epoch = u.credential_epoch AND u.status = 'active'
                       AND (u.role = 'owner' OR NOT EXISTS (SELECT 1 FROM instance WHERE people_confirmed = 0))";

fn to_session(row: &Row<'_>, base: usize) -> rusqlite::Result<Session> {
    Ok(Session {
        id: parse(row, base)?,
        user_id: parse(row, base + 1)?,
        stage: parse(row, base + 2)?,
        epoch: row.get(base + 3)?,
        methods: row.get(base + 4)?,
        pass_given: row.get(base + 5)?,
        sealed_seed: row.get(base + 6)?,
        address: row.get(base + 7)?,
        user_agent: row.get(base + 8)?,
        next: row.get(base + 9)?,
        device_id: row.get::<_, Option<String>>(base + 10)?.and_then(|d| d.parse().ok()),
        created_at: time(row, base + 11)?,
        seen_at: time(row, base + 12)?,
        step_up_at: time(row, base + 13)?,
        expires_at: time(row, base + 14)?,
    })
}

/// The session behind a cookie with its person. One whose person was disabled, or whose credentials changed since, is
/// not found even if its row were still there.
pub fn find(tx: &ReadTx<'_>, token: &TokenHash) -> Result<Option<(Session, User)>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT u.id, u.email, u.name, u.role, u.status, u.credential_epoch, u.password_hash IS NOT NULL,
                u.must_change_password, u.password_expires_at, u.created_at, u.last_sign_in_at, {COLUMNS}
         FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.token_hash = ?1 AND {CARRIES}"
    ))?;
    Ok(query.query_row([token.as_bytes()], |row| Ok((to_session(row, 11)?, to_user(row)?))).optional()?)
}

/// The session with this id, if it still carries its person.
pub fn find_by_id(tx: &ReadTx<'_>, id: SessionId) -> Result<Option<Session>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.id = ?1 AND {CARRIES}"
    ))?;
    Ok(query.query_row([id.to_string()], |row| to_session(row, 0)).optional()?)
}

/// A person's sessions that carry them and are not over at `now`, the one seen last on top; those under way are among
/// them.
pub fn list(tx: &ReadTx<'_>, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.user_id = ?1 AND s.expires_at > ?2 AND {CARRIES}
         ORDER BY s.seen_at DESC, s.id DESC"
    ))?;
    let rows = query.query_map((user.to_string(), now.as_micros()), |row| to_session(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Of these the full ones.
pub fn list_full(tx: &ReadTx<'_>, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    let all = list(tx, user, now)?;
    Ok(all.into_iter().filter(|session| session.stage == Stage::Full).collect())
}

/// Sessions of a person of this stage.
pub fn count(tx: &ReadTx<'_>, user: UserId, stage: Stage) -> Result<u32> {
    let mut query = tx.conn.prepare_cached("SELECT count(*) FROM sessions WHERE user_id = ?1 AND stage = ?2")?;
    Ok(query.query_row((user.to_string(), stage.as_str()), |row| row.get(0))?)
}

/// Writes a session; one with the same id is replaced, which is how a change of stage changes the token too.
pub fn insert(tx: &WriteTx<'_>, session: &Session, token: &TokenHash) -> Result<()> {
    delete(tx, session.id)?;
    tx.conn
        .prepare_cached(
            "INSERT INTO sessions (id, token_hash, user_id, stage, epoch, methods, pass_given, sealed_seed, address,
                                   user_agent, next, device_id, created_at, seen_at, step_up_at, expires_at)
             VALUES (:id, :token, :user, :stage, :epoch, :methods, :pass_given, :seed, :address,
                     :agent, :next, :device, :created, :seen, :step_up, :expires)",
        )?
        .execute(named_params! {
            ":id": session.id.to_string(),
            ":token": token.as_bytes(),
            ":user": session.user_id.to_string(),
            ":stage": session.stage.as_str(),
            ":epoch": session.epoch,
            ":methods": session.methods,
            ":pass_given": session.pass_given,
            ":seed": session.sealed_seed,
            ":address": session.address,
            ":agent": session.user_agent,
            ":next": session.next,
            ":device": session.device_id.map(|d| d.to_string()),
            ":created": session.created_at.as_micros(),
            ":seen": session.seen_at.as_micros(),
            ":step_up": session.step_up_at.as_micros(),
            ":expires": session.expires_at.as_micros(),
        })?;
    Ok(())
}

/// Puts the secret of an enrolment under way into the session, or takes it out.
pub fn update_seed(tx: &WriteTx<'_>, id: SessionId, sealed_seed: Option<&[u8]>) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE sessions SET sealed_seed = ?2 WHERE id = ?1")?
        .execute((id.to_string(), sealed_seed))?;
    Ok(())
}

/// Ends the session behind a cookie, whoever's it is.
pub fn delete_by_token(tx: &WriteTx<'_>, token: &TokenHash) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM sessions WHERE token_hash = ?1")?.execute([token.as_bytes()])?;
    Ok(())
}

/// Ends one session.
pub fn delete(tx: &WriteTx<'_>, id: SessionId) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM sessions WHERE id = ?1")?.execute([id.to_string()])?;
    Ok(())
}

/// Ends every session of a person but `except`; says how many full ones that were.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId, except: Option<SessionId>) -> Result<u32> {
    let full = count(tx, user, Stage::Full)?;
    tx.conn
        .prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND id IS NOT ?2")?
        .execute((user.to_string(), except.map(|id| id.to_string())))?;
    Ok(full - count(tx, user, Stage::Full)?)
}

/// Ends every session of a person that began at `since` or later; says how many full ones that were.
pub fn delete_since(tx: &WriteTx<'_>, user: UserId, since: Timestamp) -> Result<u32> {
    let full = count(tx, user, Stage::Full)?;
    tx.conn
        .prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND created_at >= ?2")?
        .execute((user.to_string(), since.as_micros()))?;
    Ok(full - count(tx, user, Stage::Full)?)
}

/// Ends every session of a person on one device but `except`; says how many that were.
pub fn delete_on_device(tx: &WriteTx<'_>, user: UserId, device: DeviceId, except: SessionId) -> Result<u32> {
    let gone = tx
        .conn
        .prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND device_id = ?2 AND id <> ?3")?
        .execute((user.to_string(), device.to_string(), except.to_string()))?;
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
}

/// Ends every sign-in of a person that waits for the second factor. An enrolment under way goes on: strangers' wrong
/// passwords must not end it.
pub fn delete_pending(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND stage = 'pending'")?
        .execute([user.to_string()])?;
    Ok(())
}

/// Ends every sign-in of a person that has not come to a full session.
pub fn delete_unfinished(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND stage <> 'full'")?
        .execute([user.to_string()])?;
    Ok(())
}

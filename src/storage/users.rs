//! People's rows.

pub mod search;

use rusqlite::{OptionalExtension, Row, named_params};

use super::{Error, ReadTx, Result, WriteTx};
use crate::grants::Others;
use crate::ids::UserId;
use crate::password::PasswordHash;
use crate::policy;
use crate::time::Timestamp;
use crate::users::{Email, PersonName, Role, Status, User};

const COLUMNS: &str = "id, email, name, role, status, credential_epoch, password_hash IS NOT NULL, must_change_password, \
                       password_expires_at, created_at, last_sign_in_at";

/// Reads a stored text back into its type. A row that can not be read was not written by this program.
pub(super) fn parse<T: std::str::FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            format!("unreadable value in column {column}").into(),
        )
    })
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Ok(Timestamp::from_micros(row.get(column)?))
}

pub(super) fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_micros))
}

pub(super) fn to_user(row: &Row<'_>) -> rusqlite::Result<User> {
    let role: Role = parse(row, 3)?;
    Ok(User {
        id: parse(row, 0)?,
        email: parse(row, 1)?,
        name: parse(row, 2)?,
        role,
        recent_rank: role.rank(),
        status: parse(row, 4)?,
        credential_epoch: row.get(5)?,
        has_password: row.get(6)?,
        must_change_password: row.get(7)?,
        password_expires_at: optional_time(row, 8)?,
        created_at: time(row, 9)?,
        last_sign_in_at: optional_time(row, 10)?,
    })
}

/// The person with this id.
pub fn find(tx: &ReadTx<'_>, id: UserId) -> Result<Option<User>> {
    let mut query = tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE id = ?1"))?;
    Ok(query.query_row([id.to_string()], to_user).optional()?)
}

/// The person with this id, who must exist.
pub fn get(tx: &ReadTx<'_>, id: UserId) -> Result<User> {
    find(tx, id)?.ok_or_else(|| Error::Other(format!("person {id} is gone").into()))
}

/// The person who signs in with this address.
pub fn find_by_email(tx: &ReadTx<'_>, email: &Email) -> Result<Option<User>> {
    let mut query = tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE email = ?1"))?;
    Ok(query.query_row([email.as_str()], to_user).optional()?)
}

/// The person's password hash, if one is set.
pub fn find_password(tx: &ReadTx<'_>, id: UserId) -> Result<Option<PasswordHash>> {
    let mut query = tx.conn.prepare_cached("SELECT password_hash FROM users WHERE id = ?1")?;
    let text: Option<Option<String>> = query.query_row([id.to_string()], |row| row.get(0)).optional()?;
    match text.flatten() {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| Error::Other("a stored password hash is unreadable".into())),
    }
}

/// The highest rank that the person held within [`policy::RANK_MEMORY`].
pub fn get_recent_rank(tx: &ReadTx<'_>, user: &User, now: Timestamp) -> Result<u8> {
    let mut query = tx.conn.prepare_cached("SELECT role FROM role_history WHERE user_id = ?1 AND ended_at > ?2")?;
    let since = now.minus(policy::RANK_MEMORY).as_micros();
    let roles = query.query_map((user.id.to_string(), since), |row| parse::<Role>(row, 0))?;
    let mut rank = user.role.rank();
    for role in roles {
        rank = rank.max(role?.rank());
    }
    Ok(rank)
}

/// The person, with the rank that counts for the grant rule.
pub fn find_ranked(tx: &ReadTx<'_>, id: UserId, now: Timestamp) -> Result<Option<User>> {
    let Some(mut user) = find(tx, id)? else { return Ok(None) };
    user.recent_rank = get_recent_rank(tx, &user, now)?;
    Ok(Some(user))
}

/// Everyone who has not left.
pub fn count(tx: &ReadTx<'_>) -> Result<u32> {
    let mut query = tx.conn.prepare_cached("SELECT count(*) FROM users WHERE status <> 'left'")?;
    Ok(query.query_row([], |row| row.get(0))?)
}

/// Active owners who can sign in with a password and a factor.
pub fn count_able_owners(tx: &ReadTx<'_>, except: Option<UserId>) -> Result<u32> {
    let mut query = tx.conn.prepare_cached(
        "SELECT count(*) FROM users u WHERE role = 'owner' AND status = 'active' AND id IS NOT ?1
         AND EXISTS (SELECT 1 FROM factors f WHERE f.user_id = u.id AND f.disabled_at IS NULL)",
    )?;
    Ok(query.query_row([except.map(|id| id.to_string())], |row| row.get(0))?)
}

/// Active owners: a password was set, and they are not disabled.
pub fn count_owners(tx: &ReadTx<'_>, except: Option<UserId>) -> Result<u32> {
    let mut query = tx
        .conn
        .prepare_cached("SELECT count(*) FROM users WHERE role = 'owner' AND status = 'active' AND id IS NOT ?1")?;
    Ok(query.query_row([except.map(|id| id.to_string())], |row| row.get(0))?)
}

/// Active people who could approve something, besides these.
pub fn count_approvers(tx: &ReadTx<'_>, except: [Option<UserId>; 2]) -> Result<Others> {
    let mut query = tx.conn.prepare_cached(
        "SELECT count(*) FILTER (WHERE role = 'owner'), count(*) FILTER (WHERE role = 'admin') FROM users
         WHERE role IN ('owner', 'admin') AND status = 'active' AND id NOT IN (?1, ?2)",
    )?;
    let except = except.map(|id| id.map(|id| id.to_string()).unwrap_or_default());
    Ok(query.query_row(except, |row| Ok(Others { owners: row.get(0)?, admins: row.get(1)? }))?)
}

/// Whoever could approve something at `since` or later and can not any more: disabled, gone, or in another role.
pub fn list_former_approvers(tx: &ReadTx<'_>, since: Timestamp) -> Result<Vec<UserId>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT id FROM users WHERE role IN ('owner', 'admin') AND status IN ('disabled', 'left')
         UNION SELECT user_id FROM role_history WHERE role IN ('owner', 'admin') AND ended_at > ?1",
    )?;
    let rows = query.query_map([since.as_micros()], |row| parse(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Active owners, then active admins, in the order in which they came; at most `limit`.
pub fn list_approvers(tx: &ReadTx<'_>, limit: u32) -> Result<Vec<User>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM users WHERE role IN ('owner', 'admin') AND status = 'active'
         ORDER BY role = 'admin', created_at, id LIMIT ?1"
    ))?;
    let rows = query.query_map([limit], to_user)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Active owners and auditors, who get the anchors of the trail.
pub fn list_keepers(tx: &ReadTx<'_>) -> Result<Vec<User>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM users WHERE role IN ('owner', 'auditor') AND status = 'active' ORDER BY created_at, id"
    ))?;
    let rows = query.query_map([], to_user)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Adds a person.
///
/// # Errors
/// The address must not stand yet; the caller has looked inside the same transaction.
pub fn insert(tx: &WriteTx<'_>, id: UserId, email: &Email, name: &PersonName, role: Role) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO users (id, email, name, role, status, created_at)
             VALUES (:id, :email, :name, :role, 'invited', :now)",
        )?
        .execute(named_params! {
            ":id": id.to_string(),
            ":email": email.as_str(),
            ":name": name.as_str(),
            ":role": role.as_str(),
            ":now": tx.now().as_micros(),
        })?;
    Ok(())
}

/// Sets a password that the person chose; makes an invited account active and raises the credential epoch.
pub fn update_password(tx: &WriteTx<'_>, id: UserId, hash: &PasswordHash) -> Result<()> {
    tx.conn
        .prepare_cached(
            "UPDATE users SET password_hash = :hash, must_change_password = 0, password_expires_at = NULL,
                    credential_epoch = credential_epoch + 1,
                    status = CASE status WHEN 'invited' THEN 'active' ELSE status END
             WHERE id = :id",
        )?
        .execute(named_params! { ":hash": hash.to_string(), ":id": id.to_string() })?;
    Ok(())
}

/// Sets a temporary password that must be changed, good until `expires_at`.
pub fn update_temporary_password(
    tx: &WriteTx<'_>,
    id: UserId,
    hash: &PasswordHash,
    expires_at: Timestamp,
) -> Result<()> {
    tx.conn
        .prepare_cached(
            "UPDATE users SET password_hash = :hash, must_change_password = 1, password_expires_at = :expires,
                    credential_epoch = credential_epoch + 1
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":hash": hash.to_string(),
            ":expires": expires_at.as_micros(),
            ":id": id.to_string(),
        })?;
    Ok(())
}

/// Replaces the hash of the same password by one with today's parameters, if it still is the one that was verified.
pub fn update_rehashed(tx: &WriteTx<'_>, id: UserId, epoch: i64, hash: &PasswordHash) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE users SET password_hash = :hash WHERE id = :id AND credential_epoch = :epoch")?
        .execute(named_params! { ":hash": hash.to_string(), ":id": id.to_string(), ":epoch": epoch })?;
    Ok(())
}

/// Sets the account's state and raises the credential epoch.
pub fn update_status(tx: &WriteTx<'_>, id: UserId, status: Status) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE users SET status = ?2, credential_epoch = credential_epoch + 1 WHERE id = ?1")?
        .execute((id.to_string(), status.as_str()))?;
    Ok(())
}

/// Sets the role, remembers the one before, and raises the credential epoch.
pub fn update_role(tx: &WriteTx<'_>, user: &User, role: Role) -> Result<()> {
    let id = user.id.to_string();
    tx.conn.prepare_cached("INSERT INTO role_history (user_id, role, ended_at) VALUES (?1, ?2, ?3)")?.execute((
        &id,
        user.role.as_str(),
        tx.now().as_micros(),
    ))?;
    tx.conn
        .prepare_cached("UPDATE users SET role = ?2, credential_epoch = credential_epoch + 1 WHERE id = ?1")?
        .execute((&id, role.as_str()))?;
    Ok(())
}

/// Gives another name.
pub fn update_name(tx: &WriteTx<'_>, id: UserId, name: &PersonName) -> Result<()> {
    tx.conn.prepare_cached("UPDATE users SET name = ?2 WHERE id = ?1")?.execute((id.to_string(), name.as_str()))?;
    Ok(())
}

/// Gives another address to sign in with and raises the credential epoch. The address must not stand yet; the caller
/// has looked inside the same transaction.
pub fn update_email(tx: &WriteTx<'_>, id: UserId, email: &Email) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE users SET email = ?2, credential_epoch = credential_epoch + 1 WHERE id = ?1")?
        .execute((id.to_string(), email.as_str()))?;
    Ok(())
}

/// Asks for a new password at the next sign-in and raises the credential epoch.
pub fn update_must_change(tx: &WriteTx<'_>, id: UserId) -> Result<()> {
    tx.conn
        .prepare_cached(
            "UPDATE users SET must_change_password = 1, credential_epoch = credential_epoch + 1 WHERE id = ?1",
        )?
        .execute([id.to_string()])?;
    Ok(())
}

/// Marks someone as gone for good: without a password, nothing could let them in even if the state were overlooked.
pub fn update_left(tx: &WriteTx<'_>, id: UserId) -> Result<()> {
    tx.conn
        .prepare_cached(
            "UPDATE users SET status = 'left', password_hash = NULL, password_expires_at = NULL,
                    must_change_password = 0, credential_epoch = credential_epoch + 1
             WHERE id = ?1",
        )?
        .execute([id.to_string()])?;
    Ok(())
}

/// Raises the credential epoch: a verification that began before is refused.
pub fn update_epoch(tx: &WriteTx<'_>, id: UserId) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE users SET credential_epoch = credential_epoch + 1 WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Notes a completed sign-in.
pub fn update_last_sign_in(tx: &WriteTx<'_>, id: UserId) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE users SET last_sign_in_at = ?2 WHERE id = ?1")?
        .execute((id.to_string(), tx.now().as_micros()))?;
    Ok(())
}

/// Voids a temporary password: it has run out. One that the person chose stays.
pub fn update_temporary_void(tx: &WriteTx<'_>, id: UserId) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE users SET password_expires_at = 0 WHERE id = ?1 AND password_expires_at IS NOT NULL")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Makes whatever password there is worthless, for good: it has run out, and only another one takes its place.
pub fn update_password_void(tx: &WriteTx<'_>, id: UserId) -> Result<()> {
    tx.conn
        .prepare_cached(
            "UPDATE users SET must_change_password = 1, password_expires_at = 0, credential_epoch = credential_epoch + 1
             WHERE id = ?1 AND password_hash IS NOT NULL",
        )?
        .execute([id.to_string()])?;
    Ok(())
}

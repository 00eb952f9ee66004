//! People's rows.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, named_params};

use super::{Error, ReadTx, Result, WriteTx};
use crate::ids::UserId;
use crate::password::PasswordHash;
use crate::policy;
use crate::time::Timestamp;
use crate::users::{Email, PersonName, Role, Status, User, UserLine};

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

/// What a list of people is narrowed to.
#[derive(Debug, Clone)]
pub struct Search {
    /// Part of the name or address.
    pub text: String,
    /// The most people who match that are looked at: what takes time is to put all of many into order.
    pub most: u32,
    /// In this state only.
    pub status: Option<Status>,
    /// With this role only.
    pub role: Option<Role>,
    /// Only who waits for enrolment.
    pub awaiting: bool,
}

/// A part of a list.
#[derive(Debug)]
pub struct Listed {
    /// In the order of their names.
    pub people: Vec<UserLine>,
    /// More match the text than were looked at.
    pub more_match: bool,
}

/// At most `limit` people in the order of their names, after `cursor` (the id of the last one seen).
///
/// However many people there are, this walks one index from where the part begins, or takes the first of those who match
/// and puts only them into order.
pub fn list(tx: &ReadTx<'_>, search: &Search, cursor: Option<UserId>, now: Timestamp, limit: u32) -> Result<Listed> {
    let (mut values, mut more_match) = (Values(vec![Value::from(now.as_micros())]), false);
    let (from, narrow) = if search.text.is_empty() {
        // CROSS JOIN says to SQLite where to begin; it knows nothing of how many there are.
        let from = if search.awaiting { "cases k CROSS JOIN users u ON u.id = k.user_id" } else { "users u" };
        (from.to_owned(), narrowed(search, &mut values))
    } else {
        let mut rows = list_matches(tx, search)?;
        more_match = rows.len() > search.most as usize;
        rows.truncate(search.most as usize);
        let rows = values.add(serde_json::Value::from(rows).to_string());
        (format!("json_each({rows}) m CROSS JOIN users u ON u.row = m.value"), String::new())
    };
    let after = match cursor {
        Some(id) => after(tx, id, &mut values)?,
        None => String::new(),
    };
    let sql = format!(
        "WITH part AS MATERIALIZED (
             SELECT u.row FROM {from} WHERE 1{narrow}{after} ORDER BY u.name COLLATE NOCASE, u.row LIMIT {limit})
         SELECT u.id, u.email, u.name, u.role, u.status,
                (SELECT count(*) FROM factors f WHERE f.user_id = u.id AND f.disabled_at IS NULL),
                (SELECT count(*) FROM code_sets s JOIN codes c ON c.set_id = s.id
                  WHERE s.user_id = u.id AND c.used_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > ?1)),
                EXISTS (SELECT 1 FROM cases k WHERE k.user_id = u.id AND k.state = 'awaiting_enrolment'),
                u.last_sign_in_at
         FROM part CROSS JOIN users u ON u.row = part.row ORDER BY u.name COLLATE NOCASE, u.row"
    );
    let mut query = tx.conn.prepare_cached(&sql)?;
    let rows = query.query_map(rusqlite::params_from_iter(values.0), to_line)?;
    Ok(Listed { people: rows.collect::<rusqlite::Result<_>>()?, more_match })
}

/// The rows of people who match text, state and role: one more than the most that are looked at, if there are so many.
fn list_matches(tx: &ReadTx<'_>, search: &Search) -> Result<Vec<i64>> {
    let mut values = Values(Vec::new());
    let found = if search.text.chars().count() >= 3 {
        let phrase = values.add(format!("\"{}\"", search.text.replace('"', "\"\"")));
        format!("user_search s CROSS JOIN users u ON u.row = s.rowid WHERE user_search MATCH {phrase}")
    } else {
        let text = fold(&search.text);
        let (from, beyond) = (values.add(text.clone()), values.add(format!("{text}\u{10ffff}")));
        format!("user_parts p CROSS JOIN users u ON u.row = p.doc WHERE p.term >= {from} AND p.term < {beyond}")
    };
    let narrow = narrowed(search, &mut values);
    let sql = format!("SELECT DISTINCT u.row FROM {found}{narrow} LIMIT {}", i64::from(search.most) + 1);
    let mut query = tx.conn.prepare_cached(&sql)?;
    let rows = query.query_map(rusqlite::params_from_iter(values.0), |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Letters as the index of parts of texts holds them: the two at which its way and Rust's differ in names, by hand.
fn fold(text: &str) -> String {
    let letter = |c: char| match c {
        'ς' => "σ".to_owned(),
        'İ' => c.to_string(),
        _ => c.to_lowercase().to_string(),
    };
    text.chars().map(letter).collect()
}

/// The conditions on anything but the text.
fn narrowed(search: &Search, values: &mut Values) -> String {
    let mut sql = String::new();
    if let Some(status) = search.status {
        sql.push_str(&format!(" AND u.status = {}", values.add(status.as_str().to_owned())));
    }
    if let Some(role) = search.role {
        sql.push_str(&format!(" AND u.role = {}", values.add(role.as_str().to_owned())));
    }
    if search.awaiting {
        let waiting = "EXISTS (SELECT 1 FROM cases w WHERE w.user_id = u.id AND w.state = 'awaiting_enrolment')";
        sql.push_str(&format!(" AND {waiting}"));
    }
    sql
}

/// The condition for who comes after this person in the order of names.
fn after(tx: &ReadTx<'_>, id: UserId, values: &mut Values) -> Result<String> {
    let mut query = tx.conn.prepare_cached("SELECT name, row FROM users WHERE id = ?1")?;
    let place = query.query_row([id.to_string()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((name, row)): Option<(String, i64)> = place else { return Ok(" AND 0".into()) };
    let (name, row) = (values.add(name), values.add(row));
    // Not as one comparison of pairs, for which SQLite would walk the index from its beginning.
    let name_after = format!("u.name COLLATE NOCASE > {name}");
    Ok(format!(" AND u.name COLLATE NOCASE >= {name} AND ({name_after} OR u.row > {row})"))
}

/// The values of a statement that is put together.
struct Values(Vec<Value>);

impl Values {
    /// Adds one; how the statement names it.
    fn add(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("?{}", self.0.len())
    }
}

fn to_line(row: &Row<'_>) -> rusqlite::Result<UserLine> {
    Ok(UserLine {
        id: parse(row, 0)?,
        email: row.get(1)?,
        name: row.get(2)?,
        role: parse(row, 3)?,
        status: parse(row, 4)?,
        factors: row.get(5)?,
        codes_left: row.get(6)?,
        awaiting_enrolment: row.get(7)?,
        last_sign_in_at: optional_time(row, 8)?,
    })
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

//! Notices, and the messages in which they go out: written by the writer with the entry that they are about.

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::recovery::requests;
use super::users::{optional_time, parse, time};
use super::{ReadTx, Result, WriteTx, policy, signals, users};
use crate::grants::{Asker, may_decide};
use crate::ids::{CaseNumber, MessageId, NoticeId, UserId};
use crate::notices::{Due, Facts, Notice, Told, Whom};
use crate::policy::Key;
use crate::time::Timestamp;
use crate::users::{Status, User};

const COLUMNS: &str = "id, user_id, kind, at, case_number, facts, objection_until, objected_at, seen_at";

fn to_notice(row: &Row<'_>) -> rusqlite::Result<Notice> {
    Ok(Notice {
        id: parse(row, 0)?,
        user_id: parse(row, 1)?,
        kind: parse(row, 2)?,
        at: time(row, 3)?,
        case: row.get::<_, Option<String>>(4)?.and_then(|c| c.parse().ok()),
        facts: Facts::of_json(&row.get::<_, String>(5)?),
        objection_until: optional_time(row, 6)?,
        objected_at: optional_time(row, 7)?,
        seen_at: optional_time(row, 8)?,
    })
}

/// Writes what is due, with a message to each address. Only the writer calls this.
pub(super) fn insert(conn: &Connection, due: &Due, now: Timestamp) -> Result<()> {
    match &due.whom {
        Whom::Person(user, before) => insert_for(conn, *user, before.as_deref(), due, now),
        Whom::Owners(except) => {
            let mut query = conn.prepare_cached("SELECT id FROM users WHERE role = 'owner' AND status = 'active'")?;
            let owners: Vec<UserId> = query.query_map([], |row| parse(row, 0))?.collect::<rusqlite::Result<_>>()?;
            owners.iter().filter(|id| Some(**id) != *except).try_for_each(|id| insert_for(conn, *id, None, due, now))
        }
        Whom::Approvers(about) => {
            let (tx, case) = (&ReadTx { conn }, due.case);
            let live = case.map(|case| requests::find_live(tx, case)).transpose()?.flatten();
            let (Some(request), Some(about)) = (live, users::find_ranked(tx, *about, now)?) else { return Ok(()) };
            let mut able = users::list_approvers(tx, u32::MAX)?;
            able.retain(|user| may_decide(Asker::Person(user), &request, &about).is_ok());
            able.iter().try_for_each(|user| insert_for(conn, user.id, None, due, now))
        }
    }
}

fn insert_for(conn: &Connection, user: UserId, before: Option<&str>, due: &Due, now: Timestamp) -> Result<()> {
    let tx = &ReadTx { conn };
    let user = users::get(tx, user)?;
    // Who has not come in yet has an invitation and nothing to be told of.
    if user.status == Status::Invited {
        return Ok(());
    }
    let id = NoticeId::generate();
    let objection = due.kind.may_be_objected_to().then_some(policy::get(tx, now)?.lasting(Key::Objection));
    conn.prepare_cached(
        "INSERT INTO notices (id, user_id, kind, at, case_number, facts, objection_until)
             VALUES (:id, :user, :kind, :at, :case, :facts, :until)",
    )?
    .execute(named_params! {
        ":id": id.to_string(),
        ":user": user.id.to_string(),
        ":kind": due.kind.as_str(),
        ":at": now.as_micros(),
        ":case": due.case.map(|c| c.to_string()),
        ":facts": due.facts.to_json(),
        ":until": objection.map(|d| now.plus(d).as_micros()),
    })?;
    let asked_at = due.case.map(|case| get_opened_at(tx, case)).transpose()?.flatten();
    let known = match asked_at {
        // An address that was added after somebody asked for help may be theirs who asked; and who asked may have had one
        // taken away that would have heard of it.
        Some(at) => list_known_before(tx, &user, at)?,
        None => {
            let mut known = list_contacts(tx, user.id, now)?;
            known.push(before.map_or_else(|| user.email.to_string(), ToOwned::to_owned));
            known
        }
    };
    // What one signs in with now, or did until now, is told too. A new one can not object to its own arrival.
    let told = [Some(user.email.as_str()), before];
    let others: Vec<String> =
        told.into_iter().flatten().filter(|a| !known.iter().any(|k| k == a)).map(ToOwned::to_owned).collect();
    let mut all: Vec<(String, bool)> =
        known.into_iter().map(|a| (a, true)).chain(others.into_iter().map(|a| (a, false))).collect();
    all.sort();
    all.dedup();
    for (address, known) in all {
        let may_object = known && objection.is_some();
        insert_message(conn, id, due.case, (user.id, user.name.as_str(), &address), may_object, now)?;
    }
    Ok(())
}

fn get_opened_at(tx: &ReadTx<'_>, case: CaseNumber) -> Result<Option<Timestamp>> {
    let mut query = tx.conn.prepare_cached("SELECT opened_at FROM cases WHERE number = ?1")?;
    Ok(query.query_row([case.to_string()], |row| time(row, 0)).optional()?)
}

/// Further addresses that were known before `since`, and were not removed before it.
fn list_contacts(tx: &ReadTx<'_>, user: UserId, since: Timestamp) -> Result<Vec<String>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT value FROM contacts
         WHERE user_id = ?1 AND kind = 'email' AND known_since < ?2 AND (removed_at IS NULL OR removed_at > ?2)",
    )?;
    let rows = query.query_map((user.to_string(), since.as_micros()), |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn insert_message(
    conn: &Connection,
    notice: NoticeId,
    case: Option<CaseNumber>,
    (user, name, address): (UserId, &str, &str),
    may_object: bool,
    now: Timestamp,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO outbox (id, kind, user_id, notice_id, case_number, address, name, may_object, created_at, next_at)
         VALUES (:id, 'notice', :user, :notice, :case, :address, :name, :may_object, :now, :now)",
    )?
    .execute(named_params! {
        ":id": MessageId::generate().to_string(),
        ":user": user.to_string(),
        ":notice": notice.to_string(),
        ":case": case.map(|c| c.to_string()),
        ":address": address,
        ":name": name,
        ":may_object": may_object,
        ":now": now.as_micros(),
    })?;
    Ok(())
}

/// The addresses of a person that were known before `since`: what was added after it may be somebody else's, and what was
/// removed after it is told all the same.
pub fn list_known_before(tx: &ReadTx<'_>, user: &User, since: Timestamp) -> Result<Vec<String>> {
    let mut addresses = list_contacts(tx, user.id, since)?;
    addresses.push(signals::find_address_before(tx, user.id, since)?.unwrap_or_else(|| user.email.to_string()));
    addresses.retain(|address| !address.is_empty());
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

/// Writes a message that a person wrote into the outbox, for one address.
pub fn insert_written(
    tx: &WriteTx<'_>,
    (user, address): (&User, &str),
    case: CaseNumber,
    (subject, text): (&str, &str),
) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO outbox (id, kind, user_id, case_number, address, name, subject, text, created_at, next_at)
             VALUES (:id, 'message', :user, :case, :address, :name, :subject, :text, :now, :now)",
        )?
        .execute(named_params! {
            ":id": MessageId::generate().to_string(),
            ":user": user.id.to_string(),
            ":case": case.to_string(),
            ":address": address,
            ":name": user.name.as_str(),
            ":subject": subject,
            ":text": text,
            ":now": tx.now().as_micros(),
        })?;
    Ok(())
}

/// One notice.
pub fn find(tx: &ReadTx<'_>, id: NoticeId) -> Result<Option<Notice>> {
    let mut query = tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM notices WHERE id = ?1"))?;
    Ok(query.query_row([id.to_string()], to_notice).optional()?)
}

/// What a person was not shown yet, newest first.
pub fn list_unseen(tx: &ReadTx<'_>, user: UserId, limit: u32) -> Result<Vec<Notice>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM notices WHERE user_id = ?1 AND seen_at IS NULL ORDER BY at DESC, id DESC LIMIT ?2"
    ))?;
    let rows = query.query_map((user.to_string(), limit), to_notice)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What a person was told, newest first.
pub fn list_of_user(tx: &ReadTx<'_>, user: UserId, limit: u32) -> Result<Vec<Notice>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM notices WHERE user_id = ?1 ORDER BY at DESC, id DESC LIMIT ?2"
    ))?;
    let rows = query.query_map((user.to_string(), limit), to_notice)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What was told in a case, oldest first.
pub fn list_of_case(tx: &ReadTx<'_>, case: CaseNumber) -> Result<Vec<Notice>> {
    let mut query =
        tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM notices WHERE case_number = ?1 ORDER BY at, id"))?;
    let rows = query.query_map([case.to_string()], to_notice)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Which messages a case has brought forth, oldest first, and what became of them.
pub fn list_told(tx: &ReadTx<'_>, case: CaseNumber, limit: u32) -> Result<Vec<Told>> {
    let mut query = tx.conn.prepare_cached(
        "SELECT o.created_at, coalesce(n.kind, o.kind), o.address, o.sent_at, o.given_up_at, n.kind
         FROM outbox o LEFT JOIN notices n ON n.id = o.notice_id
         WHERE o.case_number = ?1 ORDER BY o.created_at, o.id LIMIT ?2",
    )?;
    let rows = query.query_map((case.to_string(), limit), |row| {
        Ok(Told {
            at: time(row, 0)?,
            notice: row.get::<_, Option<String>>(5)?.and_then(|kind| kind.parse().ok()),
            about: row.get::<_, String>(1)?.replace('_', " "),
            address: row.get(2)?,
            sent_at: optional_time(row, 3)?,
            given_up_at: optional_time(row, 4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Notes that somebody objected; false if somebody did before, or it is too late.
pub fn update_objected(tx: &WriteTx<'_>, id: NoticeId) -> Result<bool> {
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE notices SET objected_at = ?2 WHERE id = ?1 AND objected_at IS NULL AND objection_until > ?2",
        )?
        .execute((id.to_string(), tx.now().as_micros()))?;
    Ok(changed == 1)
}

/// The notice that the person objected to last, at `from` or later.
pub fn find_objected(tx: &ReadTx<'_>, user: UserId, from: Timestamp) -> Result<Option<Notice>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM notices WHERE user_id = ?1 AND objected_at >= ?2 ORDER BY objected_at DESC, id DESC LIMIT 1"
    ))?;
    Ok(query.query_row((user.to_string(), from.as_micros()), to_notice).optional()?)
}

/// When the earliest of what the person objected to between two moments had happened.
pub fn find_objected_since(
    tx: &ReadTx<'_>,
    user: UserId,
    from: Timestamp,
    until: Option<Timestamp>,
) -> Result<Option<Timestamp>> {
    let mut query =
        tx.conn.prepare_cached("SELECT min(at) FROM notices WHERE user_id = ?1 AND objected_at BETWEEN ?2 AND ?3")?;
    let until = until.map_or(i64::MAX, Timestamp::as_micros);
    Ok(query.query_row((user.to_string(), from.as_micros(), until), |row| optional_time(row, 0))?)
}

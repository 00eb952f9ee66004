//! Messages to be sent. Those of notices are written by the writer, in [`super::notices`].

use rusqlite::{OptionalExtension, Row, named_params};

use super::users::{optional_time, parse, time};
use super::{ReadTx, Result, WriteTx};
use crate::ids::{MessageId, NoticeId, UserId};
use crate::outbox::{Fate, Message, NO_SERVER, NewMessage, Queue};
use crate::policy;
use crate::time::Timestamp;

const COLUMNS: &str = "id, kind, user_id, notice_id, case_number, address, name, may_object, subject, text, created_at, \
                       attempts, error, next_at, sent_at, given_up_at";

fn to_message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let optional = |column| row.get::<_, Option<String>>(column);
    let fate = match (optional_time(row, 14)?, optional_time(row, 15)?) {
        (Some(at), _) => Fate::Sent(at),
        (None, Some(at)) => Fate::GivenUp(at),
        (None, None) => Fate::Waits(time(row, 13)?),
    };
    Ok(Message {
        id: parse(row, 0)?,
        kind: parse(row, 1)?,
        user: optional(2)?.and_then(|id| id.parse().ok()),
        notice: optional(3)?.and_then(|id| id.parse().ok()),
        case: optional(4)?.and_then(|case| case.parse().ok()),
        address: parse(row, 5)?,
        name: row.get(6)?,
        may_object: row.get(7)?,
        subject: row.get(8)?,
        text: row.get(9)?,
        created_at: time(row, 10)?,
        attempts: row.get(11)?,
        error: row.get(12)?,
        fate,
    })
}

/// Writes a message down, to be sent as soon as the change stands.
pub fn insert(tx: &WriteTx<'_>, message: &NewMessage) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO outbox (id, kind, user_id, case_number, address, name, subject, text, created_at, next_at)
             VALUES (:id, :kind, :user, :case, :address, :name, :subject, :text, :now, :now)",
        )?
        .execute(named_params! {
            ":id": message.id.to_string(),
            ":kind": message.kind.as_str(),
            ":user": message.user.map(|id| id.to_string()),
            ":case": message.case.map(|case| case.to_string()),
            ":address": message.address.as_str(),
            ":name": message.name,
            ":subject": message.subject,
            ":text": message.text,
            ":now": tx.now().as_micros(),
        })?;
    Ok(())
}

/// What is to be tried at `now`, the oldest first. A message waits for those that were written to its address before it,
/// so that nobody reads the second before the first.
pub fn list_due(tx: &ReadTx<'_>, now: Timestamp, most: u32) -> Result<Vec<Message>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox o WHERE next_at <= ?1 AND NOT EXISTS
         (SELECT 1 FROM outbox e WHERE e.address = o.address AND e.id < o.id AND e.next_at IS NOT NULL)
         ORDER BY id LIMIT ?2"
    ))?;
    let rows = query.query_map((now.as_micros(), most), to_message)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One message.
pub fn find(tx: &ReadTx<'_>, id: MessageId) -> Result<Option<Message>> {
    let mut query = tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"))?;
    Ok(query.query_row([id.to_string()], to_message).optional()?)
}

/// In which messages a notice goes out, one an address.
pub fn list_of_notice(tx: &ReadTx<'_>, notice: NoticeId) -> Result<Vec<Message>> {
    let mut query =
        tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE notice_id = ?1 ORDER BY address"))?;
    let rows = query.query_map([notice.to_string()], to_message)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What else was written to a person: links, and what admins wrote; the newest first.
pub fn list_of_user(tx: &ReadTx<'_>, user: UserId, most: u32) -> Result<Vec<Message>> {
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE user_id = ?1 AND notice_id IS NULL ORDER BY id DESC LIMIT ?2"
    ))?;
    let rows = query.query_map((user.to_string(), most), to_message)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the newest message with an anchor was written; what is of a moment after `until`, a clock that ran ahead has written.
pub fn find_newest_anchor(tx: &ReadTx<'_>, until: Timestamp) -> Result<Option<Timestamp>> {
    let sql = "SELECT max(created_at) FROM outbox WHERE kind = 'anchor' AND created_at <= ?1";
    Ok(tx.conn.prepare_cached(sql)?.query_row([until.as_micros()], |row| optional_time(row, 0))?)
}

/// How the messages stand.
pub fn get_queue(tx: &ReadTx<'_>, now: Timestamp) -> Result<Queue> {
    let mut waiting =
        tx.conn.prepare_cached("SELECT count(*), min(created_at) FROM outbox WHERE next_at IS NOT NULL")?;
    let (waiting, waiting_since) = waiting.query_row([], |row| Ok((row.get(0)?, optional_time(row, 1)?)))?;
    let mut given_up = tx.conn.prepare_cached("SELECT count(*) FROM outbox WHERE given_up_at > ?1 AND error <> ?2")?;
    let since = now.minus(policy::MAIL_REMEMBERED).as_micros();
    let mut last_error = tx.conn.prepare_cached(
        "SELECT error FROM (SELECT error, id FROM outbox WHERE next_at IS NOT NULL AND error <> ''
                            UNION ALL SELECT error, id FROM outbox WHERE given_up_at > ?1 AND error <> ?2)
         ORDER BY id DESC LIMIT 1",
    )?;
    let mut last_sent = tx.conn.prepare_cached("SELECT max(sent_at) FROM outbox WHERE sent_at IS NOT NULL")?;
    Ok(Queue {
        waiting,
        waiting_since,
        given_up: given_up.query_row((since, NO_SERVER), |row| row.get(0))?,
        last_error: last_error.query_row((since, NO_SERVER), |row| row.get(0)).optional()?,
        last_sent: last_sent.query_row([], |row| optional_time(row, 0))?,
    })
}

/// So many messages have waited since before the first moment, and so many were given up after the second, besides those
/// that there was no server for.
pub fn count_stuck(tx: &ReadTx<'_>, waiting_since: Timestamp, given_up_since: Timestamp) -> Result<(u32, u32)> {
    let mut waiting =
        tx.conn.prepare_cached("SELECT count(*) FROM outbox WHERE next_at IS NOT NULL AND created_at < ?1")?;
    let mut given_up = tx.conn.prepare_cached("SELECT count(*) FROM outbox WHERE given_up_at > ?1 AND error <> ?2")?;
    Ok((
        waiting.query_row([waiting_since.as_micros()], |row| row.get(0))?,
        given_up.query_row((given_up_since.as_micros(), NO_SERVER), |row| row.get(0))?,
    ))
}

/// Notes that the mail server took a message.
pub fn update_sent(tx: &WriteTx<'_>, id: MessageId) -> Result<()> {
    tx.conn
        .prepare_cached(
            "UPDATE outbox SET sent_at = ?2, next_at = NULL, attempts = attempts + 1, error = ''
             WHERE id = ?1 AND next_at IS NOT NULL",
        )?
        .execute((id.to_string(), tx.now().as_micros()))?;
    Ok(())
}

/// Notes that a message is not tried any more, and why; false if something became of it before.
pub fn update_given_up(tx: &WriteTx<'_>, id: MessageId, tried: bool, why: &str) -> Result<bool> {
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE outbox SET given_up_at = ?2, next_at = NULL, attempts = attempts + ?3, error = ?4
             WHERE id = ?1 AND next_at IS NOT NULL",
        )?
        .execute((id.to_string(), tx.now().as_micros(), u32::from(tried), why))?;
    Ok(changed == 1)
}

//! The audit table: appending at its head, reading it back.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::{Error, ReadTx, Result};
use crate::audit::filter::Filter;
use crate::audit::{Action, Actor, Entry, Head, Header, Line, Outcome, Record, chain, own};
use crate::ids::UserId;
use crate::time::Timestamp;

const COLUMNS: &str = "lineage, seq, at, action, outcome, actor_kind, actor_id, target_kind, target_id, case_number, \
                       salt, body, body_digest, prev_hash, hash";

/// The newest entry, or where the first one goes.
pub fn get_head(tx: &ReadTx<'_>) -> Result<Head> {
    let mut query = tx.conn.prepare_cached(
        "SELECT i.lineage, a.seq, a.at, a.hash FROM instance i
         LEFT JOIN (SELECT seq, at, hash FROM audit ORDER BY seq DESC LIMIT 1) a",
    )?;
    Ok(query.query_row([], |row| {
        Ok(Head {
            lineage: row.get(0)?,
            seq: row.get::<_, Option<i64>>(1)?.unwrap_or(0),
            at: Timestamp::from_micros(row.get::<_, Option<i64>>(2)?.unwrap_or(i64::MIN)),
            hash: row.get::<_, Option<[u8; 32]>>(3)?.unwrap_or(chain::GENESIS),
        })
    })?)
}

/// Appends one entry after `head` and moves `head` on to it. Only the writer, `create` and `restore` call this.
pub(super) fn append(conn: &Connection, head: &mut Head, at: Timestamp, salt: [u8; 16], record: Record) -> Result<()> {
    let (actor, parts, body) = record.into_parts_and_body();
    let actor_id = match &actor {
        Actor::Person(person) => Some(person.id.to_string()),
        Actor::Anonymous | Actor::System | Actor::Host => None,
    };
    let target_id = parts.user.map(|u| u.id.to_string());
    let case = parts.case.map(|c| c.to_string());
    let header = Header {
        lineage: head.lineage.as_str(),
        seq: head.seq + 1,
        at,
        action: parts.action.as_str(),
        outcome: parts.outcome.as_str(),
        actor_kind: actor.kind(),
        actor_id: actor_id.as_deref(),
        target_kind: if target_id.is_some() { "person" } else { "system" },
        target_id: target_id.as_deref(),
        case: case.as_deref(),
    };
    let body_digest = chain::body_digest(&salt, &body);
    let hash = chain::entry_hash(&head.hash, &header, &body_digest);
    let entry = Line {
        header,
        salt: Some(&salt),
        body: Some(&body),
        body_digest: &body_digest,
        prev_hash: &head.hash,
        hash: &hash,
    };
    insert(conn, &entry)?;
    (head.seq, head.at, head.hash) = (entry.header.seq, at, hash);
    Ok(())
}

fn insert(conn: &Connection, e: &Line<'_>) -> Result<()> {
    let h = &e.header;
    let written = conn
        .prepare_cached(
            "INSERT INTO audit (lineage, seq, at, action, outcome, actor_kind, actor_id, target_kind, target_id,
                            case_number, salt, body, body_digest, prev_hash, hash)
         VALUES (:lineage, :seq, :at, :action, :outcome, :actor_kind, :actor_id, :target_kind, :target_id,
                 :case, :salt, :body, :digest, :prev, :hash)",
        )?
        .execute(named_params! {
            ":lineage": h.lineage,
            ":seq": h.seq,
            ":at": h.at.as_micros(),
            ":action": h.action,
            ":outcome": h.outcome,
            ":actor_kind": h.actor_kind,
            ":actor_id": h.actor_id,
            ":target_kind": h.target_kind,
            ":target_id": h.target_id,
            ":case": h.case,
            ":salt": e.salt,
            ":body": e.body,
            ":digest": e.body_digest,
            ":prev": e.prev_hash,
            ":hash": e.hash,
        })?;
    // A trigger can make a statement do nothing, without an error. No change is done whose entry is not there.
    if written == 1 {
        return Ok(());
    }
    let what = "an audit entry was not written: something in the database swallowed it; run idp audit verify";
    Err(super::Error::Unusable(what.into()))
}

fn to_entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        header: Header {
            lineage: row.get(0)?,
            seq: row.get(1)?,
            at: Timestamp::from_micros(row.get(2)?),
            action: row.get(3)?,
            outcome: row.get(4)?,
            actor_kind: row.get(5)?,
            actor_id: row.get(6)?,
            target_kind: row.get(7)?,
            target_id: row.get(8)?,
            case: row.get(9)?,
        },
        salt: row.get(10)?,
        body: row.get(11)?,
        body_digest: row.get(12)?,
        prev_hash: row.get(13)?,
        hash: row.get(14)?,
    })
}

/// The entry numbered `seq`.
pub fn find_entry(tx: &ReadTx<'_>, seq: i64) -> Result<Option<Entry>> {
    let mut query = tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM audit WHERE seq = ?1"))?;
    Ok(query.query_row([seq], to_entry).optional()?)
}

/// The plus keeps SQLite from choosing the index on outcomes, in which nearly everything is a success.
pub(super) const NEWEST: &str =
    "SELECT at FROM audit WHERE action = ?1 AND +outcome = 'success' ORDER BY seq DESC LIMIT 1";

/// When this was last done.
pub fn find_newest(tx: &ReadTx<'_>, action: Action) -> Result<Option<Timestamp>> {
    let mut query = tx.conn.prepare_cached(NEWEST)?;
    Ok(query.query_row([action.as_str()], |row| Ok(Timestamp::from_micros(row.get(0)?))).optional()?)
}

/// The number of the first entry since `since`; beyond every entry if there is none.
pub(super) fn find_first_since(tx: &ReadTx<'_>, since: Timestamp) -> Result<i64> {
    Ok(seq_range(tx, &Filter { since: Some(since), ..Filter::default() })?.0)
}

/// The number of the last entry before `before`; 0 if there is none.
pub(super) fn find_last_before(tx: &ReadTx<'_>, before: Timestamp) -> Result<i64> {
    Ok(seq_range(tx, &Filter { until: Some(before), ..Filter::default() })?.1)
}

pub(super) const PEOPLE: &str = "SELECT count(DISTINCT target_id) FROM audit WHERE action = ?1 AND seq >= ?2";

/// The people about whom there are such entries since `since`.
pub fn count_people(tx: &ReadTx<'_>, action: Action, since: Timestamp) -> Result<u32> {
    let low = find_first_since(tx, since)?;
    let mut query = tx.conn.prepare_cached(PEOPLE)?;
    Ok(query.query_row((action.as_str(), low), |row| row.get(0))?)
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Entries after the cursor, oldest first.
    OldestFirst,
    /// Entries before the cursor, newest first.
    NewestFirst,
}

/// At most `limit` entries that match, beyond `cursor` (a seq; exclusive) in the direction of `order`.
///
/// The time range is turned into a range of `seq` first, which is exact because time never falls as `seq` rises; so
/// each single filter with a time range walks one index.
pub fn list(tx: &ReadTx<'_>, filter: &Filter, order: Order, cursor: Option<i64>, limit: u32) -> Result<Vec<Entry>> {
    let (low, high) = seq_range(tx, filter)?;
    let (low, high) = match order {
        Order::OldestFirst => (cursor.map_or(low, |c| low.max(c.saturating_add(1))), high),
        Order::NewestFirst => (low, cursor.map_or(high, |c| high.min(c.saturating_sub(1)))),
    };
    let (sql, values) = selection(filter, low, high, order, limit);
    let mut query = tx.conn.prepare_cached(&sql)?;
    let rows = query.query_map(rusqlite::params_from_iter(values), to_entry)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The newest entries about any of `actions`, at most `limit`. Each action walks the trail's index from its own end, so that
/// a day of nothing else costs no more than a quiet one; only what is answered is read whole.
pub fn list_newest(tx: &ReadTx<'_>, actions: &[Action], limit: u32) -> Result<Vec<Entry>> {
    let mut query = tx.conn.prepare_cached(&newest_query(actions, limit))?;
    let rows = query.query_map([], to_entry)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn newest_query(actions: &[Action], limit: u32) -> String {
    let of = |action: &Action| {
        format!("SELECT seq FROM (SELECT seq FROM audit WHERE action = '{action}' ORDER BY seq DESC LIMIT {limit})")
    };
    let found = actions.iter().map(of).collect::<Vec<_>>().join(" UNION ALL ");
    format!(
        "SELECT {COLUMNS} FROM audit WHERE seq IN (SELECT seq FROM ({found}) ORDER BY seq DESC LIMIT {limit}) ORDER BY seq DESC"
    )
}

/// The newest entry about any of `actions`: which action, its number and time.
pub fn find_last_of(tx: &ReadTx<'_>, actions: &[Action]) -> Result<Option<(Action, i64, Timestamp)>> {
    let found = list_newest(tx, actions, 1)?.pop().map(|entry| entry.header);
    let of = |name: &str| actions.iter().copied().find(|action| action.as_str() == name);
    Ok(found.and_then(|h| Some((of(&h.action)?, h.seq, h.at))))
}

/// At most `limit` entries before `cursor` (a seq; exclusive) that a person is told about themself, newest first: what
/// stands in [`own`], of which they are target or actor. Each half walks its own index and stops after `limit`.
pub fn list_own(tx: &ReadTx<'_>, user: UserId, cursor: Option<i64>, limit: u32) -> Result<Vec<Entry>> {
    let names = |actions: &mut dyn Iterator<Item = Action>| {
        actions.map(|a| format!("'{}'", a.as_str())).collect::<Vec<_>>().join(", ")
    };
    let (about, by) = (names(&mut own::about_them()), names(&mut own::by_them()));
    // The plus keeps SQLite from choosing the index on actions.
    let mut query = tx.conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit WHERE seq IN (
             SELECT seq FROM (SELECT seq FROM audit WHERE target_id = ?1 AND seq < ?2 AND +action IN ({about})
                              AND (+outcome <> 'denied' OR +actor_id = ?1) ORDER BY seq DESC LIMIT ?3)
             UNION
             SELECT seq FROM (SELECT seq FROM audit WHERE actor_id = ?1 AND seq < ?2
                              AND CASE WHEN target_id = ?1 THEN action IN ({about}) ELSE action IN ({by}) END
                              ORDER BY seq DESC LIMIT ?3))
         ORDER BY seq DESC LIMIT ?3"
    ))?;
    let rows = query.query_map((user.to_string(), cursor.unwrap_or(i64::MAX), limit), to_entry)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// At most `limit` notes on a person before `cursor` (a seq; exclusive), newest first.
pub fn list_notes(tx: &ReadTx<'_>, user: UserId, cursor: Option<i64>, limit: u32) -> Result<Vec<Entry>> {
    let mut query = tx.conn.prepare_cached(&notes_query())?;
    let rows = query.query_map((user.to_string(), cursor.unwrap_or(i64::MAX), limit), to_entry)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The conditions of the index stand here word by word: SQLite would not see that bound values fit.
pub(super) fn notes_query() -> String {
    format!(
        "SELECT {COLUMNS} FROM audit INDEXED BY audit_notes
         WHERE target_id = ?1 AND action = 'user.note_added' AND outcome = 'success' AND seq < ?2
         ORDER BY seq DESC LIMIT ?3"
    )
}

/// Shows `visit` at most `limit` entries that match, numbered after `cursor` and up to `up_to`, oldest first, without
/// copying them; returns the number of the last one, or nothing when there is none left.
pub fn visit_lines(
    tx: &ReadTx<'_>,
    filter: &Filter,
    (cursor, up_to): (i64, i64),
    limit: u32,
    mut visit: impl FnMut(&Line<'_>),
) -> Result<Option<i64>> {
    let (low, high) = seq_range(tx, filter)?;
    let (low, high) = (low.max(cursor.saturating_add(1)), high.min(up_to));
    let (sql, values) = selection(filter, low, high, Order::OldestFirst, limit);
    let mut query = tx.conn.prepare_cached(&sql)?;
    let mut rows = query.query(rusqlite::params_from_iter(values))?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let line = to_line(row)?;
        last = Some(line.header.seq);
        visit(&line);
    }
    Ok(last)
}

fn to_line<'r>(row: &'r Row<'_>) -> Result<Line<'r>> {
    let header = Header {
        lineage: text(row, 0)?,
        seq: row.get(1)?,
        at: Timestamp::from_micros(row.get(2)?),
        action: text(row, 3)?,
        outcome: text(row, 4)?,
        actor_kind: text(row, 5)?,
        actor_id: optional_text(row, 6)?,
        target_kind: text(row, 7)?,
        target_id: optional_text(row, 8)?,
        case: optional_text(row, 9)?,
    };
    Ok(Line {
        header,
        salt: row.get_ref(10)?.as_blob_or_null().map_err(unreadable)?,
        body: optional_text(row, 11)?,
        body_digest: row.get_ref(12)?.as_blob().map_err(unreadable)?,
        prev_hash: row.get_ref(13)?.as_blob().map_err(unreadable)?,
        hash: row.get_ref(14)?.as_blob().map_err(unreadable)?,
    })
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str> {
    row.get_ref(column)?.as_str().map_err(unreadable)
}

fn optional_text<'r>(row: &'r Row<'_>, column: usize) -> Result<Option<&'r str>> {
    row.get_ref(column)?.as_str_or_null().map_err(unreadable)
}

/// A value of a kind that no entry has: someone else wrote it.
fn unreadable(e: rusqlite::types::FromSqlError) -> Error {
    Error::Other(format!("an audit entry can not be read ({e}): idp audit verify says which one").into())
}

/// The query for entries numbered `low` to `high`, and its values.
pub(super) fn selection(filter: &Filter, low: i64, high: i64, order: Order, limit: u32) -> (String, Vec<Value>) {
    let mut conditions = "seq BETWEEN ?1 AND ?2".to_owned();
    let mut values = vec![Value::from(low), Value::from(high)];
    let columns = filter.columns();
    let narrower = filter.outcome == Some(Outcome::Success) && (columns.len() > 1 || filter.involving.is_some());
    for (column, value) in columns {
        values.push(value.into());
        // The plus keeps SQLite from choosing the index on outcomes, in which nearly everything is a success.
        let plus = if column == "outcome" && narrower { "+" } else { "" };
        conditions.push_str(&format!(" AND {plus}{column} = ?{}", values.len()));
        if column == "actor_kind" {
            // Says to SQLite that the partial index fits.
            conditions.push_str(" AND actor_kind <> 'person'");
        }
    }
    let direction = if order == Order::OldestFirst { "ASC" } else { "DESC" };
    let end = format!("ORDER BY seq {direction} LIMIT {limit}");
    if let Some(user) = filter.involving {
        values.push(user.to_string().into());
        // Each half walks its own index and stops after `limit`.
        let half = |column: &str| {
            format!("SELECT seq FROM (SELECT seq FROM audit WHERE {column} = ?{} AND {conditions} {end})", values.len())
        };
        conditions = format!("seq IN ({} UNION {})", half("target_id"), half("actor_id"));
    }
    (format!("SELECT {COLUMNS} FROM audit WHERE {conditions} {end}"), values)
}

fn seq_range(tx: &ReadTx<'_>, filter: &Filter) -> Result<(i64, i64)> {
    let mut range = (1, i64::MAX);
    if let Some(since) = filter.since {
        let mut query = tx
            .conn
            .prepare_cached("SELECT min(seq) FROM (SELECT seq FROM audit WHERE at >= ?1 ORDER BY at, seq LIMIT 1)")?;
        range.0 = query.query_row([since.as_micros()], |r| r.get::<_, Option<i64>>(0))?.unwrap_or(i64::MAX);
    }
    if let Some(until) = filter.until {
        let mut query = tx.conn.prepare_cached(
            "SELECT max(seq) FROM (SELECT seq FROM audit WHERE at < ?1 ORDER BY at DESC, seq DESC LIMIT 1)",
        )?;
        range.1 = query.query_row([until.as_micros()], |r| r.get::<_, Option<i64>>(0))?.unwrap_or(0);
    }
    Ok(range)
}

/// Walks every entry numbered `from` to `up_to` in order; `visit` returning `false` ends the walk.
pub fn walk(tx: &ReadTx<'_>, from: i64, up_to: i64, mut visit: impl FnMut(&Line<'_>) -> bool) -> Result<()> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq");
    let mut query = tx.conn.prepare_cached(&sql)?;
    let mut rows = query.query([from, up_to])?;
    while let Some(row) = rows.next()? {
        if !visit(&to_line(row)?) {
            break;
        }
    }
    Ok(())
}

/// Those of the trail's guarding triggers that are missing, or are not as the program of that schema version made them.
pub fn list_missing_guards(tx: &ReadTx<'_>, version: i64) -> Result<Vec<&'static str>> {
    let mut query = tx.conn.prepare_cached("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?1")?;
    let mut missing = Vec::new();
    for guard in super::schema::GUARDS {
        let sql: Option<String> = query.query_row([guard], |row| row.get(0)).optional()?;
        if !sql.is_some_and(|sql| super::schema::has_trigger(&sql, version)) {
            missing.push(guard);
        }
    }
    Ok(missing)
}

//! How far the trail was sent to each receiver.

use rusqlite::Row;

use super::users::{optional_time, time};
use super::{ReadTx, Result, audit, instance};
use crate::audit::filter::Filter;
use crate::streams::{Failing, Item, Receiver, Standing};

const COLUMNS: &str = "receiver, place, sent, sent_at, failing_since, attempts, next_at, error";

fn to_standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    let word: String = row.get(0)?;
    let receiver = if word == Receiver::Webhook.as_str() { Receiver::Webhook } else { Receiver::Syslog };
    let failing = match optional_time(row, 4)? {
        None => None,
        Some(since) => Some(Failing { since, attempts: row.get(5)?, next_at: time(row, 6)?, error: row.get(7)? }),
    };
    Ok(Standing { receiver, place: row.get(1)?, sent: row.get(2)?, sent_at: optional_time(row, 3)?, failing })
}

/// How it stands with each receiver that there ever was.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<Standing>> {
    let mut query = tx.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM streams ORDER BY receiver"))?;
    let rows = query.query_map([], to_standing)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How it stands with this one.
pub fn find(tx: &ReadTx<'_>, receiver: Receiver) -> Result<Option<Standing>> {
    Ok(list(tx)?.into_iter().find(|standing| standing.receiver == receiver))
}

/// The next entries after number `after` that match, as receivers are given them: at most `limit`, and no further one once
/// there are so many bytes.
pub fn list_items(tx: &ReadTx<'_>, filter: &Filter, after: i64, limit: u32, bytes: usize) -> Result<Vec<Item>> {
    let (origin, mut items, mut length) = (instance::get(tx)?.origin, Vec::new(), 0);
    audit::visit_lines(tx, filter, (after, i64::MAX), limit, |line| {
        if length < bytes {
            let item = Item::of(&origin, line);
            length += item.line.len();
            items.push(item);
        }
    })?;
    Ok(items)
}

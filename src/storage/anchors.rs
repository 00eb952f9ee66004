//! Where the newest checkpoints went.

use rusqlite::{Connection, Row, named_params};

use super::users::{parse, time};
use super::{ReadTx, Result, WriteTx};
use crate::audit::anchor::{Anchor, Way};
use crate::audit::checkpoint::Point;
use crate::time::Timestamp;

fn to_anchor(row: &Row<'_>) -> rusqlite::Result<Anchor> {
    Ok(Anchor {
        way: parse(row, 0)?,
        seq: row.get(1)?,
        signed_at: time(row, 2)?,
        sent_at: time(row, 3)?,
        whom: row.get(4)?,
    })
}

/// The newest of each way, the newest first.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<Anchor>> {
    let sql = "SELECT way, seq, signed_at, sent_at, whom FROM anchors ORDER BY signed_at DESC, way";
    let mut query = tx.conn.prepare_cached(sql)?;
    let rows = query.query_map([], to_anchor)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Notes that a mail with this checkpoint was taken, and by how many so far.
pub fn update_mailed(tx: &WriteTx<'_>, checkpoint: &str, point: &Point) -> Result<()> {
    let mut taken = tx
        .conn
        .prepare_cached("SELECT count(*) FROM outbox WHERE kind = 'anchor' AND text = ?1 AND sent_at IS NOT NULL")?;
    let taken: u32 = taken.query_row([checkpoint], |row| row.get(0))?;
    let whom = if taken == 1 { "one person".to_owned() } else { format!("{taken} people") };
    upsert(tx.conn, tx.now(), Way::Mail, point, &whom)
}

/// Notes where a checkpoint went, unless a newer one went that way before. What a clock that ran ahead has noted would be the
/// newest for years, and is forgotten.
pub(super) fn upsert(conn: &Connection, now: Timestamp, way: Way, point: &Point, whom: &str) -> Result<()> {
    conn.prepare_cached("DELETE FROM anchors WHERE sent_at > ?1")?.execute([now.as_micros()])?;
    conn.prepare_cached(
        "INSERT INTO anchors (way, seq, signed_at, sent_at, whom) VALUES (:way, :seq, :signed_at, :now, :whom)
         ON CONFLICT DO UPDATE SET seq = excluded.seq, signed_at = excluded.signed_at, sent_at = excluded.sent_at,
                                   whom = excluded.whom
         WHERE excluded.signed_at >= signed_at",
    )?
    .execute(named_params! {
        ":way": way.as_str(),
        ":seq": point.seq,
        ":signed_at": point.at.as_micros(),
        ":now": now.as_micros(),
        ":whom": whom,
    })?;
    Ok(())
}

//! Erasing what old entries say, and what the trail records of it.

use std::path::Path;
use std::time::Duration;

use rusqlite::{OpenFlags, OptionalExtension};

use super::{Error, ReadTx, Result, WriteTx, audit, policy, schema};
use crate::audit::Action;
use crate::audit::erasure::{Erasures, KEPT, Pruned, bound};
use crate::audit::verify::Broken;
use crate::policy::{Key, Standing, TRAIL_GAP, TRAIL_WATCHED};
use crate::retention::Retention;
use crate::time::Timestamp;

/// How it stands at `now`.
pub fn get(tx: &ReadTx<'_>, now: Timestamp) -> Result<Retention> {
    let set = policy::list(tx)?;
    let (days, hold) = (Standing::of(Key::AuditKept, &set, now).value, Standing::of(Key::LegalHold, &set, now));
    let erased = get_erased(tx)?;
    let (aged, borne_out) = match days {
        0 => (0, false),
        days => {
            let before = Timestamp::from_micros(now.as_micros().saturating_sub(days.saturating_mul(86_400_000_000)));
            let aged = audit::find_last_before(tx, before)?;
            // Only where there is something to erase does anybody want to know.
            (aged, aged > erased && is_borne_out(tx, now)?)
        }
    };
    let last = audit::find_newest(tx, Action::AuditPruned)?;
    Ok(Retention { days, held: hold.value != 0, hold: hold.set, erased, last, aged, borne_out })
}

pub(super) const EARLIER: &str = "SELECT at FROM audit WHERE at >= ?1 AND at < ?2 ORDER BY at LIMIT 1";
pub(super) const RECORDS: &str = "SELECT seq, at, body FROM audit WHERE action = ?1 ORDER BY seq";

/// Whether no two neighbours among the entries of the last [`TRAIL_WATCHED`] lie further apart than [`TRAIL_GAP`]; from the
/// newest one to `now` neither. It goes from entry to entry that far back, a handful of steps whatever is in between.
fn is_borne_out(tx: &ReadTx<'_>, now: Timestamp) -> Result<bool> {
    let mut query = tx.conn.prepare_cached(EARLIER)?;
    let (mut at, until) = (now, now.minus(TRAIL_WATCHED));
    while at > until {
        let earlier =
            query.query_row((at.minus(TRAIL_GAP).as_micros(), at.as_micros()), |row| row.get(0)).optional()?;
        match earlier {
            Some(earlier) => at = Timestamp::from_micros(earlier),
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// The last entry whose body is erased, as the database has it; 0 if none is.
pub fn get_erased(tx: &ReadTx<'_>) -> Result<i64> {
    Ok(tx.conn.prepare_cached("SELECT pruned_through FROM instance")?.query_row([], |row| row.get(0))?)
}

/// Erases what these entries say, but for kinds that are kept. The bytes are overwritten, also in pages that become free.
pub fn update_erased(tx: &WriteTx<'_>, pruned: &Pruned) -> Result<()> {
    tx.conn.prepare_cached("UPDATE instance SET pruned_through = ?1")?.execute([pruned.through])?;
    tx.conn.execute_batch("PRAGMA secure_delete = ON")?;
    let kept = KEPT.map(|action| format!("'{action}'")).join(", ");
    let sql =
        format!("UPDATE audit SET salt = NULL, body = NULL WHERE seq BETWEEN ?1 AND ?2 AND action NOT IN ({kept})");
    let erased = tx.conn.execute(&sql, [pruned.first, pruned.through]);
    tx.conn.execute_batch(schema::SECURE_DELETE)?;
    erased?;
    Ok(())
}

/// Folds the database's log, in which what was erased may still stand, into the file, and empties it. Nobody waits for it:
/// where somebody reads or writes at this moment it says no, and is to be tried again.
pub(super) fn fold_log(path: &Path) -> Result<bool> {
    let conn = schema::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.busy_timeout(Duration::ZERO)?;
    match conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)) {
        Ok(busy) => Ok(busy == 0),
        Err(e) => match Error::from(e) {
            Error::Busy => Ok(false),
            e => Err(e),
        },
    }
}

/// How far the trail records that bodies were erased, and the first record that is not as it must be. That the records are
/// what was written is for the walk through the chain to say.
pub(super) fn check_record(tx: &ReadTx<'_>) -> Result<(i64, Option<Broken>)> {
    let mut erasures = Erasures::behind(0);
    let mut query = tx.conn.prepare_cached(RECORDS)?;
    let mut rows = query.query([Action::AuditPruned.as_str()])?;
    while let Some(row) = rows.next()? {
        // What can not be read is what the walk comes upon.
        let (Ok(seq), Ok(at), Ok(body)) = (row.get(0), row.get(1), row.get::<_, Option<String>>(2)) else { break };
        let aged = audit::find_last_before(tx, bound(Timestamp::from_micros(at)))?;
        if let Err(what) = erasures.take(seq, body.as_deref(), aged) {
            return Ok((erasures.through(), Some(Broken { seq, what: what.into() })));
        }
    }
    Ok((erasures.through(), differs(tx, erasures.through())?))
}

/// The database has to say the same: otherwise the next piece would begin elsewhere, and the guard of the table stand open.
fn differs(tx: &ReadTx<'_>, recorded: i64) -> Result<Option<Broken>> {
    // Before that version nothing was erased.
    let said = if schema::get_version(tx)? < 4 { 0 } else { get_erased(tx)? };
    let broken = match said > recorded {
        true => {
            format!("is where the database says that erasing has come to; the trail records it up to entry {recorded}")
        }
        false => format!("is recorded as erased; the database says that erasing has come to entry {said}"),
    };
    Ok((said != recorded).then(|| Broken { seq: said.max(recorded), what: broken }))
}

//! Turning a copied backup into a live database: a new lineage, and nothing that lets anyone in still works.

use std::path::Path;

use rusqlite::OpenFlags;

use super::{ReadTx, Result, audit, schema};
use crate::audit::{Actor, Event, Head, Record, Source};
use crate::time::Timestamp;

/// What of the database that is replaced could still be read.
#[derive(Debug, Clone)]
pub enum Lost {
    /// Entries after the backup's newest one, up to this one, are not in the restored database.
    UpTo(Head),
    /// The replaced database could not be read, or there was none.
    Unknown,
}

impl Lost {
    fn sentence(&self, backup: &Head) -> String {
        match self {
            Self::Unknown => "unknown: the replaced database could not be read or there was none".into(),
            Self::UpTo(head) if head.seq <= backup.seq => "nothing: the replaced database was not newer".into(),
            Self::UpTo(head) => format!(
                "entries {} to {} of lineage {}, written until {}",
                backup.seq + 1,
                head.seq,
                head.lineage,
                head.at
            ),
        }
    }
}

/// The newest entry of a database that is about to be replaced, if it can be read.
pub fn read_lost(path: &Path) -> Lost {
    let head =
        schema::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(|conn| audit::get_head(&ReadTx { conn: &conn }));
    head.map_or(Lost::Unknown, Lost::UpTo)
}

/// Makes the copy at `path` ready to be used: voids every backup code, pass, link and session, forgets every device,
/// raises every credential epoch, and begins a new lineage with `system.restored`.
///
/// # Errors
/// Why it could not be written; the caller removes the file then.
pub fn begin_lineage(path: &Path, from: String, lost: &Lost, source: &Source, clock: Timestamp) -> Result<Head> {
    let conn = schema::open_checked(path)?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let old = audit::get_head(&ReadTx { conn: &conn })?;
    let now = clock.max(old.at);
    conn.execute_batch(
        "DELETE FROM sessions; DELETE FROM devices; DELETE FROM links; DELETE FROM codes; DELETE FROM code_sets;
         DELETE FROM enrolment_windows; DELETE FROM form_nonces; DELETE FROM unknown_failures;
         UPDATE users SET credential_epoch = credential_epoch + 1;
         UPDATE users SET must_change_password = 1, password_expires_at = 0 WHERE password_expires_at IS NOT NULL;",
    )?;
    let closed = close_open_cases(&conn, now)?;
    let lineage = schema::new_lineage();
    conn.execute("UPDATE instance SET lineage = ?1", [&lineage])?;
    let event =
        Event::Restored { from, backup_lineage: old.lineage.clone(), backup_seq: old.seq, lost: lost.sentence(&old) };
    let mut head = Head { lineage, ..old };
    head = audit::append(&conn, &head, now, Record::new(Actor::Host, source, event))?;
    for event in closed {
        head = audit::append(&conn, &head, now, Record::new(Actor::Host, source, event))?;
    }
    conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(head)
}

/// A case that waited in the backup can not be finished: its pass is void.
fn close_open_cases(conn: &rusqlite::Connection, now: Timestamp) -> Result<Vec<Event>> {
    let tx = ReadTx { conn };
    let cases = super::recovery::list_open(&tx, u32::MAX)?;
    let mut events = Vec::new();
    for case in cases {
        conn.execute(
            "UPDATE cases SET state = 'expired', closed_at = ?2 WHERE number = ?1",
            (case.number.to_string(), now.as_micros()),
        )?;
        let user = super::users::get(&tx, case.user_id)?;
        events.push(Event::RecoveryExpired { user: (&user).into(), case: case.number, why: "restored from a backup" });
    }
    Ok(events)
}

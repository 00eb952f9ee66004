//! Turning a copied backup into a live database: a new lineage, and nothing that lets anyone in still works.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::carry::{Carried, Old, carry};
use super::{Error, ReadTx, Result, audit, migrate, schema};
use crate::audit::{Actor, CaseFact, Event, Head, Reason, Record, Source};
use crate::time::Timestamp;

/// What becomes of the second factors in a restored database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factors {
    /// They stay: the seed key fits.
    Keep,
    /// They are removed and everyone enrols again, because their seeds can not be decrypted; from now on the key with
    /// this fingerprint belongs to the database.
    Remove([u8; 16]),
}

/// What a restored database lost of what was in the backup: nothing of it lets anyone in any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Voided {
    /// Sessions of any assurance.
    pub sessions: usize,
    /// Remembered devices.
    pub devices: usize,
    /// One-time links: invitations and the first owner's.
    pub links: usize,
    /// Unused backup codes.
    pub codes: usize,
    /// Enrolment windows, with their passes.
    pub windows: usize,
    /// Temporary passwords.
    pub temporary_passwords: usize,
    /// Recovery cases that waited for enrolment.
    pub cases: usize,
    /// People whose second factors were removed, if they were to be.
    pub factors: usize,
}

/// A database that a backup became.
#[derive(Debug)]
pub struct Begun {
    /// Its newest entry, in the new lineage.
    pub head: Head,
    /// Which entries of the replaced database are lost, as a sentence.
    pub lost: String,
    /// What of the backup lets nobody in any more.
    pub voided: Voided,
    /// What was decided since, as far as the replaced database could tell.
    pub carried: Carried,
    /// Active owners; without one nobody can let the others in.
    pub owners: u32,
}

/// Makes the copy at `path` ready to be used: keeps what was decided since, as the replaced database tells; voids every
/// backup code, pass, link, temporary password and session, forgets every device, raises every credential epoch, and
/// begins a new lineage with `system.restored`.
///
/// # Errors
/// Why it could not be written; the caller removes the file then.
pub fn begin_lineage(
    path: &Path,
    from: String,
    replaced: Option<&Old>,
    factors: Factors,
    source: &Source,
    clock: Timestamp,
) -> Result<Begun> {
    let conn = schema::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // The copy was made without a log; the database in use has one.
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    let upgraded = migrate::begin(&conn, path)?.map(|from| Event::Upgraded { from, to: schema::VERSION, copy: None });
    let old = audit::get_head(&ReadTx { conn: &conn })?;
    let now = clock.max(old.at);
    // First: a temporary password that is carried over is void like all others.
    let carried = carry(&conn, replaced, now)?;
    let mut voided = void(&conn, now)?;
    let removed = remove_factors(&conn, factors)?;
    voided.factors = removed.len();
    let closed = close_open_cases(&conn, now)?;
    voided.cases = closed.len();
    let lineage = schema::new_lineage();
    conn.execute("UPDATE instance SET lineage = ?1", [&lineage])?;
    let unknown =
        || "unknown: the replaced database could not be read, was another instance's, or there was none".into();
    let lost = replaced.map_or_else(unknown, Old::lost);
    let event = Event::Restored {
        from,
        backup_lineage: old.lineage.clone(),
        backup_seq: old.seq,
        lost: lost.clone(),
        factors: factors.sentence(),
        people_lost: carried.added(),
        contacts_removed: carried.contacts,
        portraits_removed: carried.portraits,
        people_confirmed: carried.people_confirmed,
    };
    let mut head = Head { lineage, ..old };
    let upgraded = upgraded.into_iter().chain(carried.events());
    for event in std::iter::once(event).chain(upgraded).chain(removed).chain(closed) {
        audit::append(&conn, &mut head, now, crate::secret::random(), Record::new(Actor::Host, source, event))?;
    }
    let owners = super::users::count_owners(&ReadTx { conn: &conn }, None)?;
    conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(Begun { head, lost, voided, carried, owners })
}

impl Factors {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Keep => "kept",
            Self::Remove(_) => "all removed, because restored without the seed key: everyone enrols again",
        }
    }
}

fn void(conn: &Connection, now: Timestamp) -> Result<Voided> {
    let delete = |table: &str| conn.execute(&format!("DELETE FROM {table}"), []);
    let codes = conn.query_row("SELECT count(*) FROM codes WHERE used_at IS NULL", [], |row| row.get::<_, i64>(0))?;
    delete("codes")?;
    delete("code_sets")?;
    delete("form_nonces")?;
    delete("unknown_failures")?;
    conn.execute("UPDATE case_requests SET state = 'lapsed' WHERE state IN ('waiting', 'approved')", [])?;
    // Links in messages are computed from these rows: what was sent before lets nobody object, and is not sent again.
    conn.execute("UPDATE notices SET objection_until = NULL", [])?;
    conn.execute(
        "UPDATE outbox SET next_at = NULL, given_up_at = ?1, error = 'restored from a backup' WHERE next_at IS NOT NULL",
        [now.as_micros()],
    )?;
    conn.execute("UPDATE users SET credential_epoch = credential_epoch + 1", [])?;
    let temporary = conn.execute(
        "UPDATE users SET must_change_password = 1, password_expires_at = 0 WHERE password_expires_at IS NOT NULL",
        [],
    )?;
    Ok(Voided {
        sessions: delete("sessions")?,
        devices: delete("devices")?,
        links: delete("links")?,
        windows: delete("enrolment_windows")?,
        codes: usize::try_from(codes).unwrap_or(0),
        temporary_passwords: temporary,
        ..Voided::default()
    })
}

/// Removes every factor where they can not be opened any more; one event a person who had some.
fn remove_factors(conn: &Connection, factors: Factors) -> Result<Vec<Event>> {
    let Factors::Remove(fingerprint) = factors else { return Ok(Vec::new()) };
    conn.execute("UPDATE instance SET key_fingerprint = ?1", [fingerprint])?;
    let tx = ReadTx { conn };
    let mut query = conn.prepare("SELECT user_id, count(*) FROM factors GROUP BY user_id")?;
    let counts = query.query_map([], |row| Ok((super::users::parse(row, 0)?, row.get(1)?)))?;
    let reason: Reason = "restored without the seed key".parse().map_err(|_| Error::Stopped)?;
    let mut events = Vec::new();
    for counted in counts {
        let (id, factors_removed) = counted?;
        events.push(Event::FactorAdminReset {
            user: (&super::users::get(&tx, id)?).into(),
            reason: reason.clone(),
            ticket: None,
            case: None,
            since: None,
            factors_removed,
            codes_voided: 0,
            codes_said_unavailable: true,
            sessions_ended: 0,
        });
    }
    conn.execute("DELETE FROM factors", [])?;
    Ok(events)
}

/// Folds the log of a database that is about to be replaced into its one file, and leaves no log beside it; its newest
/// entry.
///
/// # Errors
/// [`Error::Busy`] when another process has it open; otherwise why it can not be read or written.
pub fn fold_log(path: &Path) -> Result<Head> {
    let conn = schema::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::check_header(&conn, path)?;
    conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    let head = audit::get_head(&ReadTx { conn: &conn })?;
    conn.close().map_err(|(_, e)| Error::from(e))?;
    // SQLite removes the log with the last connection that has it open.
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() { Err(Error::Busy) } else { Ok(head) }
}

/// A case that waited in the backup can not be finished: its pass is void.
fn close_open_cases(conn: &Connection, now: Timestamp) -> Result<Vec<Event>> {
    let tx = ReadTx { conn };
    // A frozen account stays frozen until somebody has looked.
    let cases = super::recovery::list_overdue(&tx, Timestamp::from_micros(i64::MAX), u32::MAX)?;
    let mut events = Vec::new();
    for case in cases {
        conn.execute(
            "UPDATE cases SET state = 'expired', state_at = ?2, closed_at = ?2, due_at = NULL, version = version + 1 WHERE number = ?1",
            (case.number.to_string(), now.as_micros()),
        )?;
        let user = super::users::get(&tx, case.user_id)?;
        events.push(Event::Case {
            user: (&user).into(),
            case: case.number,
            fact: CaseFact::Expired { why: "restored from a backup" },
        });
    }
    Ok(events)
}

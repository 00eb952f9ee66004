//! The side door that deletes what has expired. These are all the functions there are, and a test knows the list.

use super::{ReadTx, Result, WriteTx};
use crate::policy;
use crate::time::Timestamp;

/// A transaction that can delete what has expired and nothing else.
pub struct SweepTx<'t, 'c>(&'t WriteTx<'c>);

impl<'t, 'c> SweepTx<'t, 'c> {
    pub(super) const fn new(tx: &'t WriteTx<'c>) -> Self {
        Self(tx)
    }

    /// Deletes sessions, links, devices, invitation windows, issued codes, nonces, counters and old messages whose
    /// time is over; at most `most` rows of each, so that requests do not wait long. Says how many rows went.
    pub fn expired(&self, most: u32) -> Result<usize> {
        let now = self.0.now();
        let mut gone = 0;
        for (sql, before) in [
            ("sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ?1 LIMIT ?2)", now),
            ("links WHERE token_hash IN (SELECT token_hash FROM links WHERE expires_at <= ?1 LIMIT ?2)", now),
            ("devices WHERE id IN (SELECT id FROM devices WHERE seen_at <= ?1 LIMIT ?2)", now.minus(policy::DEVICE)),
            (
                "enrolment_windows WHERE user_id IN
                 (SELECT user_id FROM enrolment_windows WHERE case_number IS NULL AND closes_at <= ?1 LIMIT ?2)",
                now,
            ),
            ("code_sets WHERE id IN (SELECT id FROM code_sets WHERE expires_at <= ?1 LIMIT ?2)", now),
            (
                "form_nonces WHERE nonce IN (SELECT nonce FROM form_nonces WHERE done_at <= ?1 LIMIT ?2)",
                now.minus(policy::FORM),
            ),
            (
                "failures WHERE (budget, key) IN
                 (SELECT budget, key FROM failures WHERE budget <> 'totp' AND last_at <= ?1 LIMIT ?2)",
                now.minus(policy::FAILURES_FORGOTTEN),
            ),
            (
                "link_requests WHERE key IN (SELECT key FROM link_requests WHERE since <= ?1 LIMIT ?2)",
                now.minus(policy::PASSWORD_RESET_HOUR),
            ),
            // What became of a message stands in the trail too.
            (
                "outbox WHERE id IN (SELECT id FROM outbox WHERE sent_at <= ?1 LIMIT ?2)",
                now.minus(policy::MAIL_REMEMBERED),
            ),
            (
                "outbox WHERE id IN (SELECT id FROM outbox WHERE given_up_at <= ?1 LIMIT ?2)",
                now.minus(policy::MAIL_REMEMBERED),
            ),
        ] {
            let sql = format!("DELETE FROM {sql}");
            gone += self.0.conn.prepare_cached(&sql)?.execute((before.as_micros(), most))?;
        }
        Ok(gone)
    }

    /// Gives up messages that nothing could send in their time, because no mail server is set. Without an entry each:
    /// nothing was tried and nothing was promised, and an organisation without mail would have one for every notice. What
    /// they say is shown at the next sign-in, and can be printed.
    pub fn unsendable(&self, most: u32) -> Result<usize> {
        let now = self.0.now();
        let given_up = self
            .0
            .conn
            .prepare_cached(
                "UPDATE outbox SET given_up_at = ?1, next_at = NULL, error = ?4 WHERE id IN
                 (SELECT id FROM outbox WHERE next_at IS NOT NULL AND created_at <= ?2 LIMIT ?3)",
            )?
            .execute((now.as_micros(), now.minus(policy::MAIL_KEPT).as_micros(), most, crate::outbox::NO_SERVER))?;
        Ok(given_up)
    }
}

/// One source's failures on accounts that do not exist, within one minute that is over.
#[derive(Debug, Clone)]
pub struct UnknownFailures {
    /// The minute, as its first moment.
    pub minute: Timestamp,
    /// The client's address, or its IPv6 network.
    pub source: String,
    /// How many.
    pub count: u32,
}

/// What is ready to become audit entries: minutes that are over, or all of them at shutdown.
pub fn list_unknown_failures(tx: &ReadTx<'_>, now: Timestamp, all: bool, most: u32) -> Result<Vec<UnknownFailures>> {
    let before = if all { i64::MAX } else { now.as_seconds().div_euclid(60) };
    let mut query = tx.conn.prepare_cached(
        "SELECT minute, source, count FROM unknown_failures WHERE minute < ?1 ORDER BY 1, 2 LIMIT ?2",
    )?;
    let rows = query.query_map((before, most), |row| {
        let minute: i64 = row.get(0)?;
        Ok(UnknownFailures {
            minute: Timestamp::from_micros(minute * 60_000_000),
            source: row.get(1)?,
            count: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Takes one such count away; its entry is written in the same transaction.
pub fn delete_unknown_failures(tx: &WriteTx<'_>, failures: &UnknownFailures) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM unknown_failures WHERE minute = ?1 AND source = ?2")?
        .execute((failures.minute.as_seconds().div_euclid(60), &failures.source))?;
    Ok(())
}

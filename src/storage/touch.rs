//! The side door for what is no evidence. It can not reach factors, roles, passwords, cases or the trail: these are
//! all the functions there are, and a test knows the list.

use rusqlite::Connection;

use super::{Result, WriteTx, anchors, links, throttle};
use crate::audit::anchor::Way;
use crate::audit::checkpoint::Point;
use crate::ids::{MessageId, NoticeId, SessionId, UserId};
use crate::policy;
use crate::streams::Receiver;
use crate::throttle::{Budget, Verdict, verdict};
use crate::time::Timestamp;

/// A transaction that can do what its methods say and nothing else.
pub struct TouchTx<'t, 'c>(&'t WriteTx<'c>);

impl<'t, 'c> TouchTx<'t, 'c> {
    pub(super) const fn new(tx: &'t WriteTx<'c>) -> Self {
        Self(tx)
    }

    pub(super) fn conn(&self) -> &Connection {
        self.0.conn
    }

    pub(super) const fn now(&self) -> Timestamp {
        self.0.now
    }

    /// Notes that a session was used at `at`: when the request came, not when this is written.
    pub fn session_seen(&self, id: SessionId, at: Timestamp) -> Result<()> {
        self.conn()
            .prepare_cached("UPDATE sessions SET seen_at = ?2 WHERE id = ?1 AND seen_at < ?2")?
            .execute((id.to_string(), at.as_micros()))?;
        Ok(())
    }

    /// Puts the secret of an enrolment under way into its session. It is nothing until a code has confirmed it, which
    /// is a change with an entry.
    pub fn seed_prepared(&self, id: SessionId, sealed_seed: &[u8]) -> Result<()> {
        self.conn()
            .prepare_cached("UPDATE sessions SET sealed_seed = ?2 WHERE id = ?1")?
            .execute((id.to_string(), sealed_seed))?;
        Ok(())
    }

    /// Whether a minute has as many sources as are counted apart; a further one is counted with all others, so that many
    /// addresses do not make many entries.
    fn is_crowded(&self, minute: i64, source: &str) -> Result<bool> {
        let mut query = self.conn().prepare_cached(
            "SELECT count(*) >= ?3 AND NOT EXISTS (SELECT 1 FROM unknown_failures WHERE minute = ?1 AND source = ?2)
             FROM unknown_failures WHERE minute = ?1",
        )?;
        Ok(query.query_row((minute, source, policy::SOURCES_A_MINUTE), |row| row.get(0))?)
    }

    /// Counts a failure on an address without an account, and notes it for the minute's one audit entry; unless such
    /// attempts have to wait, which it then says.
    pub fn stranger_failed(&self, budget: &Budget, source: &str) -> Result<Verdict> {
        let verdict = verdict(budget.kind(), throttle::find(self.0, budget)?, self.now());
        if verdict != Verdict::Go {
            return Ok(verdict);
        }
        let minute = self.now().as_seconds().div_euclid(60);
        let source = if self.is_crowded(minute, source)? { "other addresses" } else { source };
        self.conn()
            .prepare_cached(
                "INSERT INTO unknown_failures (minute, source, count) VALUES (?1, ?2, 1)
                 ON CONFLICT DO UPDATE SET count = count + 1",
            )?
            .execute((minute, source))?;
        throttle::insert_stranger_failure(self, budget)?;
        Ok(Verdict::Go)
    }
    /// Notes that a message could not be sent, why, and when it is tried again. That it was sent, or given up, is a change
    /// with its entry.
    pub fn message_failed(&self, id: MessageId, next: Timestamp, error: &str) -> Result<()> {
        self.conn()
            .prepare_cached(
                "UPDATE outbox SET attempts = attempts + 1, next_at = ?2, error = ?3
                 WHERE id = ?1 AND next_at IS NOT NULL",
            )?
            .execute((id.to_string(), next.as_micros(), error))?;
        Ok(())
    }

    /// Notes where a checkpoint went that this host can not change any more. It is no evidence: that is what arrived there.
    pub fn anchored(&self, way: Way, point: &Point, whom: &str) -> Result<()> {
        anchors::upsert(self.conn(), self.now(), way, point, whom)
    }

    /// Lets messages that wait for their next try be tried now: the mail server is back.
    pub fn messages_due(&self) -> Result<()> {
        self.conn()
            .prepare_cached("UPDATE outbox SET next_at = ?1 WHERE next_at > ?1")?
            .execute([self.now().as_micros()])?;
        Ok(())
    }

    /// Notes that a person has read what they were told. It is no evidence: that they were told stands in the entry about
    /// the message; and what was only shown here can be objected to as long as before. What is newer than `proved_at`, when
    /// they last proved who they are, stays unread.
    pub fn notices_seen(&self, user: UserId, notices: &[NoticeId], proved_at: Timestamp) -> Result<()> {
        let mut seen = self.conn().prepare_cached(
            "UPDATE notices SET seen_at = ?3 WHERE id = ?1 AND user_id = ?2 AND seen_at IS NULL AND at <= ?4",
        )?;
        for notice in notices {
            seen.execute((notice.to_string(), user.to_string(), self.now().as_micros(), proved_at.as_micros()))?;
        }
        Ok(())
    }

    /// Counts that a link for a new password was asked for with an address that has no account, as it is counted where
    /// there is one.
    pub fn stranger_asked(&self, key: &[u8; 32]) -> Result<()> {
        links::charge(self.conn(), key, self.now()).map(drop)
    }
    /// Begins to send the trail to a receiver, or goes on: the first time from the newest entry on. A mark beyond every
    /// entry, as an older database in place of this one could leave, would never be passed: it is set back.
    pub fn stream_begun(&self, receiver: Receiver, place: &str) -> Result<()> {
        self.conn()
            .prepare_cached(
                "INSERT INTO streams (receiver, place, sent) VALUES (?1, ?2, (SELECT max(seq) FROM audit))
                 ON CONFLICT DO UPDATE SET place = excluded.place, sent = min(sent, excluded.sent)",
            )?
            .execute((receiver.as_str(), place))?;
        Ok(())
    }

    /// Notes that a receiver has everything up to entry `to`, and that it takes what it is given.
    pub fn stream_moved(&self, receiver: Receiver, to: i64) -> Result<()> {
        self.conn()
            .prepare_cached(
                "UPDATE streams SET sent_at = CASE WHEN sent < ?2 THEN ?3 ELSE sent_at END, sent = ?2, failing_since = NULL, attempts = 0, next_at = NULL, error = ''
                 WHERE receiver = ?1",
            )?
            .execute((receiver.as_str(), to, self.now().as_micros()))?;
        Ok(())
    }

    /// Notes that what came after entry `to` may be lost and is sent again.
    pub fn stream_set_back(&self, receiver: Receiver, to: i64) -> Result<()> {
        self.conn()
            .prepare_cached("UPDATE streams SET sent = min(sent, ?2) WHERE receiver = ?1")?
            .execute((receiver.as_str(), to))?;
        Ok(())
    }

    /// Notes that a receiver takes nothing, why, and when it is tried again. Since when is never later than now: a clock that
    /// ran ahead would have it that nobody has to look for years.
    pub fn stream_failed(&self, receiver: Receiver, next: Timestamp, error: &str) -> Result<()> {
        self.conn()
            .prepare_cached(
                "UPDATE streams SET failing_since = min(coalesce(failing_since, ?2), ?2), attempts = attempts + 1, next_at = ?3,
                                    error = ?4
                 WHERE receiver = ?1",
            )?
            .execute((receiver.as_str(), self.now().as_micros(), next.as_micros(), error))?;
        Ok(())
    }
}

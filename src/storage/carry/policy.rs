//! What owners set since a backup was made: of two values the tighter one stays, and what was taken back stays so. Nothing
//! becomes looser by a restore.

use std::collections::HashMap;

use rusqlite::Connection;

use super::Old;
use crate::audit::{Action, Outcome, PolicyChange, PolicyStep, Reason};
use crate::policy::{KEYS, Setting, Standing};
use crate::storage::{ReadTx, Result, policy};
use crate::time::Timestamp;

/// What was set in the replaced database.
#[derive(Debug)]
pub(super) struct Set {
    settings: Vec<Setting>,
    /// The newest entry after the fork about each setting.
    told: HashMap<String, i64>,
}

pub(super) fn read(conn: &Connection, fork: i64) -> Result<Set> {
    // Somebody may have written into this file: a text that is no JSON would end the whole query.
    let mut query = conn.prepare(
        "SELECT iif(json_valid(body), body ->> '$.detail.key', NULL) AS key, max(seq) FROM audit
         WHERE seq > ?1 AND action = ?2 AND outcome = ?3 GROUP BY key HAVING key IS NOT NULL",
    )?;
    let values = (fork, Action::PolicyUpdated.as_str(), Outcome::Success.as_str());
    let told = query.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    Ok(Set { settings: policy::list(&ReadTx { conn })?, told })
}

/// Keeps it in the restored database, in the transaction of `conn`.
pub(super) fn keep(conn: &Connection, old: &Old, now: Timestamp) -> Result<Vec<PolicyChange>> {
    let Some(there) = &old.policy else { return Ok(Vec::new()) };
    let here = policy::list(&ReadTx { conn })?;
    let mut kept = Vec::new();
    for key in KEYS {
        let entry = there.told.get(key.as_str()).copied();
        // On another way it may have been set on the backup's way; then only its own trail can say so.
        if !old.follows && entry.is_none() {
            continue;
        }
        let (ours, theirs) = (Standing::of(*key, &here, now), Standing::of(*key, &there.settings, now));
        let change = |to, effective_at, taken_back| PolicyChange {
            key: *key,
            from: ours.value,
            to,
            effective_at,
            reason: Reason::carried_over(),
            step: PolicyStep::CarriedOver { taken_back, entry },
        };
        let goes_on = |w: &&Setting| there.settings.iter().any(|s| s.cancelled_at.is_none() && is_same(s, w));
        if let Some(waiting) = ours.waiting.as_ref().filter(|w| !goes_on(w)) {
            let sql = "UPDATE policy_settings SET cancelled_at = ?2 WHERE id = ?1";
            conn.execute(sql, (waiting.id, now.as_micros()))?;
            kept.push(change(waiting.value, waiting.effective_at, true));
        }
        if key.is_looser(theirs.value, ours.value) {
            let by = theirs.set.as_ref().map_or("idp restore", |s| s.set_by.as_str());
            conn.execute(
                "INSERT INTO policy_settings (key, value, set_by, set_at, effective_at) VALUES (?1, ?2, ?3, ?4, ?4)",
                (key.as_str(), theirs.value, by, now.as_micros()),
            )?;
            kept.push(change(theirs.value, now, false));
        }
    }
    Ok(kept)
}

/// Whether it is the same row, in a database and in its copy.
fn is_same(a: &Setting, b: &Setting) -> bool {
    (a.key, a.value, a.set_at, a.effective_at) == (b.key, b.value, b.set_at, b.effective_at)
}

//! Counting what needs attention.
//!
//! The needs are counted in one walk over the people, each row asking two or three indexes, and only when somebody opens
//! the dashboard: its time grows with the number of people, and with nothing else. Everything else is found through an index: no query here walks the trail, and a test asks SQLite.

use super::users::optional_time;
use super::{ReadTx, Result, audit};
use crate::audit::Action;
use crate::dashboard::{Need, PeopleFigures};
use crate::policy;
use crate::time::Timestamp;

/// People who met the longest delay within this time are counted.
pub const LOCKED_WITHIN: std::time::Duration = std::time::Duration::from_secs(86_400);

const AWAITING: &str = "u.id IN (SELECT user_id FROM cases WHERE state = 'awaiting_enrolment')";
const HAS_FACTOR: &str = "EXISTS (SELECT 1 FROM factors f WHERE f.user_id = u.id AND f.disabled_at IS NULL)";

/// What holds for a row `u` of people in this need; `?1` is the present moment.
pub(super) fn condition(need: Need) -> String {
    match need {
        Need::Awaiting => AWAITING.to_owned(),
        Need::NoFactor => format!("u.status = 'active' AND NOT {HAS_FACTOR} AND NOT {AWAITING}"),
        // The trail knows the few whose factor was ever switched off, so that nobody else's are looked at.
        Need::FactorDisabled => "u.status = 'active'
             AND u.id IN (SELECT a.target_id FROM audit a WHERE a.action = 'mfa.factor_disabled'
                          AND EXISTS (SELECT 1 FROM factors f WHERE f.user_id = a.target_id AND f.disabled_at IS NOT NULL))"
            .to_owned(),
        Need::TemporaryPassword => "u.status = 'active' AND u.password_expires_at IS NOT NULL".to_owned(),
        Need::InvitationOver => {
            "u.status = 'invited' AND NOT EXISTS (SELECT 1 FROM links l WHERE l.user_id = u.id AND l.expires_at > ?1)".to_owned()
        }
        // Counts no further than it has to.
        Need::FewCodes => format!(
            "u.status = 'active' AND {HAS_FACTOR}
             AND (SELECT count(*) FROM (SELECT 1 FROM code_sets s JOIN codes c ON c.set_id = s.id
                   WHERE s.user_id = u.id AND c.used_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > ?1)
                   LIMIT {few} + 1)) <= {few}",
            few = policy::FEW_CODES
        ),
    }
}

/// What holds for who is in any need.
pub(super) fn any_condition() -> String {
    Need::ALL.map(|need| format!("({})", condition(need))).join(" OR ")
}

/// The one walk over all people.
fn needs_query() -> String {
    let sums = Need::ALL.map(|need| format!("total({})", condition(need))).join(", ");
    format!("SELECT {sums}, total(u.status = 'invited') FROM users u WHERE u.status IN ('invited', 'active')")
}

const FIRST_CLOSES: &str = "SELECT min(window_closes_at) FROM cases WHERE state = 'awaiting_enrolment'";

fn expired_query() -> String {
    let condition = condition(Need::NoFactor);
    format!(
        "SELECT count(*) FROM users u
         WHERE u.id IN (SELECT user_id FROM cases WHERE opened_at > ?1 AND state = 'expired') AND {condition}"
    )
}

/// Everything about people.
pub fn get_people(tx: &ReadTx<'_>, now: Timestamp) -> Result<PeopleFigures> {
    let mut query = tx.conn.prepare_cached(&needs_query())?;
    let (needs, invited) = query.query_row([now.as_micros()], |row| {
        // total() is a real number, 0 also where there is nobody.
        let count = |column: usize| row.get::<_, f64>(column).map(|n| n as u32);
        let mut needs = Vec::new();
        for (column, need) in Need::ALL.into_iter().enumerate() {
            needs.push((need, count(column)?));
        }
        Ok((needs, count(Need::ALL.len())?))
    })?;
    let over = needs.iter().find(|(need, _)| *need == Need::InvitationOver).map_or(0, |(_, count)| *count);
    let first_closes = tx.conn.prepare_cached(FIRST_CLOSES)?.query_row([], |row| optional_time(row, 0))?;
    let since = now.minus(policy::LATELY).as_micros();
    let expired = tx.conn.prepare_cached(&expired_query())?.query_row([since], |row| row.get(0))?;
    let locked = audit::count_people(tx, Action::UserLocked, now.minus(LOCKED_WITHIN))?;
    Ok(PeopleFigures { needs, first_closes, expired, locked, invited: invited.saturating_sub(over) })
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    /// How SQLite goes about a query: the tables that it walks without an index, and what it looks up.
    fn plan(sql: &str) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let conn = schema::open(file.path(), rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        conn.execute_batch(include_str!("../../schema.sql")).unwrap();
        let mut query = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let values = vec![0_i64; query.parameter_count()];
        let rows = query.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn one_query_walks_the_people_and_none_the_trail_the_factors_or_the_codes() {
        let walks = |sql: &str| -> Vec<String> {
            let steps = plan(sql);
            assert!(!steps.is_empty());
            let scans = steps.into_iter().filter(|step| step.starts_with("SCAN") && !step.contains("one_open_case"));
            scans.filter(|step| !step.starts_with("SCAN (")).collect()
        };
        assert_eq!(walks(&needs_query()), ["SCAN u"]);
        assert_eq!(walks(&expired_query()), [""; 0]);
        assert_eq!(walks(FIRST_CLOSES), [""; 0]);
        assert_eq!(walks(audit::PEOPLE), [""; 0]);
        assert_eq!(walks(audit::NEWEST), [""; 0]);
    }
}

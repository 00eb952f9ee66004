//! Counting what needs attention.
//!
//! Each need is counted by the walk that lists it: its time grows with those who are in it (and, of invitations, with
//! those that wait), not with everyone. No query here walks all people or the trail, and a test asks SQLite.

use rusqlite::params_from_iter;

use super::{ReadTx, Result, audit};
use crate::audit::Action;
use crate::dashboard::{Need, PeopleFigures};
use crate::policy;
use crate::time::Timestamp;

/// People who met the longest delay within this time are counted.
pub const LOCKED_WITHIN: std::time::Duration = std::time::Duration::from_secs(86_400);

const AWAITING: &str = "EXISTS (SELECT 1 FROM cases k
     WHERE k.user_id = u.id AND k.closed_at IS NULL AND k.state = 'awaiting_enrolment')";

/// What holds for a row `u` of people in this need; `?1` is the present moment.
pub(super) fn condition(need: Need) -> String {
    match need {
        Need::Awaiting => AWAITING.to_owned(),
        Need::NoFactor => format!("u.status = 'active' AND u.working_factors = 0 AND NOT {AWAITING}"),
        Need::FactorDisabled => "u.status = 'active'
             AND EXISTS (SELECT 1 FROM factors f WHERE f.user_id = u.id AND f.disabled_at IS NOT NULL)"
            .to_owned(),
        Need::TemporaryPassword => "u.status = 'active' AND u.password_expires_at IS NOT NULL".to_owned(),
        Need::InvitationOver => "u.status = 'invited'
             AND NOT EXISTS (SELECT 1 FROM links l WHERE l.user_id = u.id AND l.expires_at > ?1)"
            .to_owned(),
        // The codes that an admin issued help for a while. They are counted only for the few without enough of their own.
        Need::FewCodes => format!(
            "u.status = 'active' AND u.working_factors > 0 AND u.own_codes_left <= {few}
             AND (SELECT count(*) FROM code_sets s JOIN codes c ON c.set_id = s.id
                   WHERE s.user_id = u.id AND c.used_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > ?1)) <= {few}",
            few = policy::FEW_CODES
        ),
    }
}

/// From where people in this need are found, as `u`: from an index that holds hardly anybody else. SQLite is told which
/// one, as it knows nothing of how many stand in each.
pub(super) const fn source(need: Need) -> &'static str {
    match need {
        Need::Awaiting => {
            "(SELECT user_id FROM cases INDEXED BY cases_open WHERE state = 'awaiting_enrolment' AND closed_at IS NULL) k
             CROSS JOIN users u ON u.id = k.user_id"
        }
        Need::NoFactor => "users u INDEXED BY users_without_factor",
        Need::FactorDisabled => {
            "(SELECT DISTINCT user_id FROM factors INDEXED BY factors_disabled WHERE disabled_at IS NOT NULL) d
             CROSS JOIN users u ON u.id = d.user_id"
        }
        Need::TemporaryPassword => "users u INDEXED BY users_with_temporary_password",
        Need::InvitationOver => "users u INDEXED BY users_by_status",
        Need::FewCodes => "users u INDEXED BY users_with_few_codes",
    }
}

pub(super) fn count_query(need: Need) -> String {
    format!("SELECT count(*) FROM {} WHERE {}", source(need), condition(need))
}

pub(super) const INVITED: &str = "SELECT count(*) FROM users WHERE status = 'invited'";

pub(super) fn expired_query() -> String {
    let condition = condition(Need::NoFactor);
    format!(
        "SELECT count(*) FROM (SELECT DISTINCT user_id FROM cases INDEXED BY cases_closed WHERE closed_at > ?1 AND state = 'expired') e
         CROSS JOIN users u ON u.id = e.user_id WHERE {condition}"
    )
}

/// Everything about people.
pub fn get_people(tx: &ReadTx<'_>, now: Timestamp) -> Result<PeopleFigures> {
    let mut needs = Vec::new();
    // Who waits for enrolment is counted by the board.
    for need in Need::ALL.into_iter().filter(|need| *need != Need::Awaiting) {
        let mut query = tx.conn.prepare_cached(&count_query(need))?;
        // Not each of them asks for the present moment.
        let values = &[now.as_micros()][..query.parameter_count()];
        needs.push((need, query.query_row(params_from_iter(values), |row| row.get(0))?));
    }
    let invited: u32 = tx.conn.prepare_cached(INVITED)?.query_row([], |row| row.get(0))?;
    let over = needs.iter().find(|(need, _)| *need == Need::InvitationOver).map_or(0, |(_, count)| *count);
    let since = now.minus(policy::LATELY).as_micros();
    let expired = tx.conn.prepare_cached(&expired_query())?.query_row([since], |row| row.get(0))?;
    let locked = audit::count_people(tx, Action::UserLocked, now.minus(LOCKED_WITHIN))?;
    Ok(PeopleFigures { needs, expired, locked, invited: invited.saturating_sub(over) })
}

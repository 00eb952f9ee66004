//! The board, walked in its order: each list is put together from walks that begin at a place in an index and end after a
//! page, however many cases there are.

use rusqlite::{Statement, ToSql, named_params};

use super::{COLUMNS, to_case};
use crate::ids::UserId;
use crate::recovery::Case;
use crate::recovery::board::{COUNTED, Closed, Place, Section, Waits, Walk};
use crate::storage::{ReadTx, Result};
use crate::time::Timestamp;
use crate::users::User;

/// Where the cases of a walk are found, as `k`, and which of them. `CROSS JOIN` tells SQLite in which order to look.
///
/// What somebody asked for themself is passed over where it comes up, and they are few by nature.
pub(in crate::storage) fn found(walk: Walk) -> (&'static str, String) {
    let by_list = "cases k INDEXED BY cases_on_board";
    let waits = |waits: Waits| format!("k.waits_for = '{}'", waits.as_str());
    match walk {
        Walk::All(all) => (by_list, waits(all)),
        // Who has a hand in what was objected to does not lift it. Who is frozen does not look; the last owner is not.
        Walk::MayDecide(Waits::Frozen) => (
            by_list,
            format!(
                "{} AND k.acted_by_id IS NOT :viewer AND NOT EXISTS (
                     SELECT 1 FROM case_requests r WHERE r.case_number = k.number AND r.asked_by_id = :viewer)",
                waits(Waits::Frozen)
            ),
        ),
        Walk::MayDecide(which) => (
            by_list,
            format!(
                "{} AND k.user_id <> :viewer AND NOT EXISTS (
                     SELECT 1 FROM case_requests r WHERE r.case_number = k.number AND r.state IN ('waiting', 'approved')
                     AND r.asked_by_id = :viewer)",
                waits(which)
            ),
        ),
        Walk::Permitted => (
            "case_requests r INDEXED BY case_requests_by_asker CROSS JOIN cases k ON k.number = r.case_number",
            "r.asked_by_id = :viewer AND r.state IN ('waiting', 'approved') AND r.valid_until > :now
             AND (r.state = 'approved' OR r.ripe_at <= :now) AND k.waits_for IN ('approved', 'approval_time')"
                .to_owned(),
        ),
        Walk::Opened => {
            ("cases k INDEXED BY cases_of_opener", "k.opened_by_id = :viewer AND k.waits_for = 'open'".to_owned())
        }
    }
}

/// A page of a walk among urgent cases, or among the others.
pub(in crate::storage) fn page_query(walk: Walk) -> String {
    let (from, condition) = found(walk);
    format!(
        "SELECT {COLUMNS} FROM {from} CROSS JOIN users u ON u.id = k.user_id
         WHERE {condition} AND k.urgent = :urgent AND (k.pressing_at, k.number) > (:at, :number)
         ORDER BY k.pressing_at, k.number LIMIT :limit"
    )
}

/// How many there are in a walk, up to a bound.
pub(in crate::storage) fn count_query(walk: Walk) -> String {
    let (from, condition) = found(walk);
    format!("SELECT count(*) FROM (SELECT 1 FROM {from} WHERE {condition} LIMIT :limit)")
}

/// At most `limit` cases of a list after `cursor`: urgent ones first, then what runs out first.
pub fn list(
    tx: &ReadTx<'_>,
    section: Section,
    (viewer, now): (&User, Timestamp),
    cursor: Option<Place>,
    limit: u32,
) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for urgent in [true, false] {
        // After the place of an ordinary case there is no urgent one any more.
        if cursor.is_some_and(|c| urgent && !c.urgent) {
            continue;
        }
        let after = cursor.filter(|c| c.urgent == urgent);
        let left = limit.saturating_sub(u32::try_from(cases.len()).unwrap_or(u32::MAX));
        let mut found = Vec::new();
        for walk in section.walks(viewer.role) {
            list_walk(tx, *walk, (viewer.id, now), (urgent, after), left, &mut found)?;
        }
        found.sort_by_cached_key(|case| (Place::of(case).at, case.number.to_string()));
        found.truncate(left as usize);
        cases.append(&mut found);
    }
    Ok(cases)
}

fn list_walk(
    tx: &ReadTx<'_>,
    walk: Walk,
    (viewer, now): (UserId, Timestamp),
    (urgent, after): (bool, Option<Place>),
    limit: u32,
    found: &mut Vec<Case>,
) -> Result<()> {
    let mut query = tx.conn.prepare_cached(&page_query(walk))?;
    let (at, number) = after.map_or((i64::MIN, String::new()), |p| (p.at.as_micros(), p.number.to_string()));
    let (viewer, now) = (viewer.to_string(), now.as_micros());
    let values = named_params! { ":urgent": urgent, ":at": at, ":number": number, ":limit": limit, ":viewer": viewer, ":now": now };
    let values = asked_for(&query, values);
    for case in query.query_map(&*values, to_case)? {
        found.push(case?);
    }
    Ok(())
}

/// How many cases are in a list; [`COUNTED`] at most.
pub fn count(tx: &ReadTx<'_>, section: Section, (viewer, now): (&User, Timestamp)) -> Result<u32> {
    let (viewer_id, now, mut count) = (viewer.id.to_string(), now.as_micros(), 0);
    for walk in section.walks(viewer.role) {
        let mut query = tx.conn.prepare_cached(&count_query(*walk))?;
        let values = named_params! { ":limit": COUNTED - count, ":viewer": viewer_id, ":now": now };
        let values = asked_for(&query, values);
        count += query.query_row(&*values, |row| row.get::<_, u32>(0))?;
    }
    Ok(count)
}

/// Those of the values that a query asks for: not each walk depends on who looks, and when.
fn asked_for<'v>(query: &Statement<'_>, values: &[(&'v str, &'v dyn ToSql)]) -> Vec<(&'v str, &'v dyn ToSql)> {
    values.iter().filter(|(name, _)| matches!(query.parameter_index(name), Ok(Some(_)))).copied().collect()
}

/// The query for closed cases, the one closed last on top.
pub(in crate::storage) fn closed_query(which: Closed) -> String {
    let (index, condition) = match which {
        Closed::Any => ("cases_closed", String::new()),
        Closed::In(state) => ("cases_closed_in", format!("AND k.state = '{}'", state.as_str())),
    };
    format!(
        "SELECT {COLUMNS} FROM cases k INDEXED BY {index} CROSS JOIN users u ON u.id = k.user_id
         WHERE k.closed_at IS NOT NULL {condition} AND (k.closed_at, k.number) < (?1, ?2)
         ORDER BY k.closed_at DESC, k.number DESC LIMIT ?3"
    )
}

/// At most `limit` closed cases after `cursor`, the one closed last on top.
pub fn list_closed(tx: &ReadTx<'_>, which: Closed, cursor: Option<Place>, limit: u32) -> Result<Vec<Case>> {
    let mut query = tx.conn.prepare_cached(&closed_query(which))?;
    let (at, number) = cursor.map_or((i64::MAX, String::new()), |p| (p.at.as_micros(), p.number.to_string()));
    let rows = query.query_map((at, number, limit), to_case)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

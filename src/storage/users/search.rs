//! The list of people: searched, narrowed, a page at a time.
//!
//! Invariant: however many people there are, a page takes the same time. It is a walk over an index that holds those it
//! is about in the order of their names, from where the page begins; or it takes the first of those who match a text, and
//! puts only them into order. A test asks SQLite.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params_from_iter};

use super::super::{ReadTx, Result, dashboard};
use super::{optional_time, parse};
use crate::dashboard::{Chosen, Need};
use crate::ids::UserId;
use crate::time::Timestamp;
use crate::users::{Role, UserLine};

/// What a list of people is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Part of the name or address.
    pub text: String,
    /// The most people who match the text that are looked at: what takes time is to put all of many into order.
    pub most: Option<usize>,
    /// In this state or need only.
    pub state: Option<Chosen>,
    /// With this role only.
    pub role: Option<Role>,
    /// Also who has left, where no state is asked for.
    pub with_left: bool,
}

/// A part of a list.
#[derive(Debug)]
pub struct Listed {
    /// In the order of their names.
    pub people: Vec<UserLine>,
    /// More match the text than were looked at.
    pub more_match: bool,
}

/// At most `limit` people in the order of their names, after `cursor` (the id of the last one seen).
pub fn list(tx: &ReadTx<'_>, search: &Search, cursor: Option<UserId>, now: Timestamp, limit: u32) -> Result<Listed> {
    let mut query = Query::new(now);
    let (mut rows, mut more_match) = (None, false);
    if !search.text.is_empty() {
        let mut found = list_matches(tx, search, now)?;
        if let Some(most) = search.most {
            more_match = found.len() > most;
            found.truncate(most);
        }
        rows = Some(found);
    }
    let place = match cursor {
        Some(id) => match find_place(tx, id)? {
            None => return Ok(Listed { people: Vec::new(), more_match }),
            place => place,
        },
        None => None,
    };
    let sql = query.page(search, rows, place, limit);
    let mut statement = tx.conn.prepare_cached(&sql)?;
    let people = statement.query_map(params_from_iter(query.values), to_line)?.collect::<rusqlite::Result<_>>()?;
    Ok(Listed { people, more_match })
}

/// At most `limit` people who need attention: those in the most pressing need first, and of each need in the order of
/// their names. Each need is its own walk, which ends after as many as are still wanted, so that one need that many are in
/// hides nobody in a more pressing one.
pub fn list_pressing(tx: &ReadTx<'_>, now: Timestamp, limit: u32) -> Result<Vec<UserLine>> {
    let mut pressing: Vec<UserLine> = Vec::new();
    for need in Need::ALL {
        let search = Search { state: Some(Chosen::Need(need)), ..Search::default() };
        for person in list(tx, &search, None, now, limit)?.people {
            if pressing.len() == limit as usize {
                return Ok(pressing);
            }
            if pressing.iter().all(|p| p.id != person.id) {
                pressing.push(person);
            }
        }
    }
    Ok(pressing)
}

/// The rows of people who match text, state and role: one more than the most that are looked at, if there are so many.
fn list_matches(tx: &ReadTx<'_>, search: &Search, now: Timestamp) -> Result<Vec<i64>> {
    let mut query = Query::new(now);
    let sql = query.matches(search);
    let mut statement = tx.conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(query.values), |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Where a person stands in the order of names.
fn find_place(tx: &ReadTx<'_>, id: UserId) -> Result<Option<(String, i64)>> {
    let mut query = tx.conn.prepare_cached("SELECT name, row FROM users WHERE id = ?1")?;
    Ok(query.query_row([id.to_string()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

fn to_line(row: &Row<'_>) -> rusqlite::Result<UserLine> {
    let mut needs = Vec::new();
    for (column, need) in (8..).zip(Need::ALL) {
        if row.get(column)? {
            needs.push(need);
        }
    }
    Ok(UserLine {
        id: parse(row, 0)?,
        email: row.get(1)?,
        name: row.get(2)?,
        role: parse(row, 3)?,
        status: parse(row, 4)?,
        factors: row.get(5)?,
        codes_left: row.get(6)?,
        last_sign_in_at: optional_time(row, 7)?,
        needs,
    })
}

/// A statement being put together, with its values.
pub(in crate::storage) struct Query {
    pub(in crate::storage) values: Vec<Value>,
}

impl Query {
    /// `?1` is the present moment.
    pub(in crate::storage) fn new(now: Timestamp) -> Self {
        Self { values: vec![Value::from(now.as_micros())] }
    }

    /// Adds a value; how the statement names it.
    fn add(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// A page of all who are searched for: of `rows`, if a text was looked up.
    pub(in crate::storage) fn page(
        &mut self,
        search: &Search,
        rows: Option<Vec<i64>>,
        place: Option<(String, i64)>,
        limit: u32,
    ) -> String {
        let after = place.map(|place| self.after(place)).unwrap_or_default();
        let role = if rows.is_some() { String::new() } else { self.role(search) };
        let narrowed = format!("{role}{after}");
        let needs = |needs: &[Need]| {
            let walk = |need: &Need| {
                let (from, condition) = (dashboard::source(*need), dashboard::condition(*need));
                format!("SELECT u.name, u.row FROM {from} WHERE {condition}{narrowed}")
            };
            // Each walk is in the order of names already, and they are merged as far as the page needs them.
            needs.iter().map(walk).collect::<Vec<_>>().join(" UNION ")
        };
        let part = match (rows, search.state) {
            (Some(rows), _) => {
                let rows = self.add(serde_json::Value::from(rows).to_string());
                format!(
                    "SELECT u.name, u.row FROM json_each({rows}) m CROSS JOIN users u ON u.row = m.value WHERE 1{after}"
                )
            }
            (None, Some(Chosen::Need(need))) => needs(&[need]),
            (None, Some(Chosen::Attention)) => needs(&Need::ALL),
            (None, _) => format!("SELECT u.name, u.row FROM users u WHERE 1{}{narrowed}", self.state(search)),
        };
        let needs = Need::ALL.map(dashboard::condition).join(", ");
        format!(
            "WITH part (name, row) AS MATERIALIZED ({part} ORDER BY 1 COLLATE NOCASE, 2 LIMIT {limit})
             SELECT u.id, u.email, u.name, u.role, u.status, u.working_factors,
                    (SELECT count(*) FROM code_sets s JOIN codes c ON c.set_id = s.id
                      WHERE s.user_id = u.id AND c.used_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > ?1)),
                    u.last_sign_in_at, {needs}
             FROM part CROSS JOIN users u ON u.row = part.row ORDER BY part.name COLLATE NOCASE, part.row"
        )
    }

    /// The rows of who matches text, state and role. Three characters and more are looked up in the index of every three
    /// in a row; fewer begin some of these.
    pub(in crate::storage) fn matches(&mut self, search: &Search) -> String {
        let found = if search.text.chars().count() >= 3 {
            let phrase = self.add(format!("\"{}\"", search.text.replace('"', "\"\"")));
            format!("user_search s CROSS JOIN users u ON u.row = s.rowid WHERE user_search MATCH {phrase}")
        } else {
            let text = fold(&search.text);
            let (from, beyond) = (self.add(text.clone()), self.add(format!("{text}\u{10ffff}")));
            format!("user_parts p CROSS JOIN users u ON u.row = p.doc WHERE p.term >= {from} AND p.term < {beyond}")
        };
        let (state, role) = (self.state(search), self.role(search));
        let limit = search.most.map(|most| format!(" LIMIT {}", most + 1)).unwrap_or_default();
        format!("SELECT DISTINCT u.row FROM {found}{state}{role}{limit}")
    }

    fn state(&mut self, search: &Search) -> String {
        match search.state {
            Some(Chosen::Status(status)) => format!(" AND u.status = {}", self.add(status.as_str().to_owned())),
            Some(Chosen::Attention) => {
                format!(" AND ({})", Need::ALL.map(|need| format!("({})", dashboard::condition(need))).join(" OR "))
            }
            Some(Chosen::Need(need)) => format!(" AND {}", dashboard::condition(need)),
            None if search.with_left => String::new(),
            None => " AND u.status <> 'left'".to_owned(),
        }
    }

    fn role(&mut self, search: &Search) -> String {
        let role = search.role.map(|role| format!(" AND u.role = {}", self.add(role.as_str().to_owned())));
        role.unwrap_or_default()
    }

    /// Who comes after this place in the order of names. Not as one comparison of pairs, for which SQLite would walk the
    /// index from its beginning.
    fn after(&mut self, (name, row): (String, i64)) -> String {
        let (name, row) = (self.add(name), self.add(row));
        let name_after = format!("u.name COLLATE NOCASE > {name}");
        format!(" AND u.name COLLATE NOCASE >= {name} AND ({name_after} OR u.row > {row})")
    }
}

/// Letters as the index of parts of texts holds them: the two at which its way and Rust's differ in names, by hand.
fn fold(text: &str) -> String {
    let letter = |c: char| match c {
        'ς' => "σ".to_owned(),
        'İ' => c.to_string(),
        _ => c.to_lowercase().to_string(),
    };
    text.chars().map(letter).collect()
}

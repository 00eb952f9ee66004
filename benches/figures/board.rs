//! How long the board takes with five thousand cases, against fifty; and a page in the middle of a list against its first.

use rusqlite::Connection;

use crate::Figures;
use crate::flat::Page;
use crate::history::{History, Size};

const GOAL: f64 = 1.5;
const ROUNDS: usize = 5;

/// As many of each kind as one card of the board holds, so that both boards show the same; and as many people, among whom
/// the dashboard counts those with few codes.
const FEW: Size = Size { people: 5_100, entries: 1_000, cases: 50 };
const MANY: Size = Size { people: 5_100, entries: 1_000, cases: 5_000 };

/// A list, which of the cases stand in it, and in which order.
const LISTS: [(&str, &str); 4] = [
    ("yours", "waits_for IN ('frozen', 'owner', 'approval_admin') ORDER BY urgent DESC, pressing_at, number"),
    ("approval", "waits_for = 'approval_admin' ORDER BY urgent DESC, pressing_at, number"),
    ("person", "waits_for = 'person' ORDER BY urgent DESC, pressing_at, number"),
    ("closed", "closed_at IS NOT NULL ORDER BY closed_at DESC, number DESC"),
];

pub fn figures(figures: &Figures) {
    let boards = [("the board", "/admin/recovery"), ("the dashboard", "/admin")];
    let boards = boards.map(|(name, path)| (format!("board: {name} with 5,000 cases against 50, p99 µs"), path));
    let lists =
        LISTS.map(|(list, found)| (format!("board: {list}, the middle against the first page, p99 µs"), list, found));
    if !boards.iter().map(|b| &b.0).chain(lists.iter().map(|l| &l.0)).any(|name| figures.wants(name)) {
        return;
    }
    let (many, few) = (History::new(MANY), History::new(FEW));
    for (name, path) in &boards {
        let (many, few) = (Page::new(&many, path), Page::new(&few, path));
        figures.pair_at_most(name, GOAL, || many.p99(), || few.p99(), ROUNDS);
    }
    for (name, list, found) in &lists {
        let first = Page::new(&many, &format!("/admin/recovery?state={list}"));
        let middle = Page::new(&many, &format!("/admin/recovery?state={list}&after={}", place(&many, found)));
        figures.pair_at_most(name, GOAL, || middle.p99(), || first.p99(), ROUNDS);
    }
}

/// The place of the case in the middle of a list.
fn place(history: &History, found: &str) -> String {
    let db = Connection::open(history.provider.database()).expect("the database");
    let sql = format!(
        "SELECT urgent AND closed_at IS NULL, coalesce(closed_at, pressing_at), number FROM cases WHERE {found}
         LIMIT 1 OFFSET 450"
    );
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u8>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?));
    let (urgent, at, number) = db.query_row(&sql, [], row).expect("a case in the middle");
    format!("{urgent}.{at}.{number}")
}

//! The board of recoveries, so that nothing is left to memory; below, one case with its steps, and the forms in it.

mod asked;
pub mod case;
pub mod errands;
mod next;
pub mod steps;
mod told;

use maud::{Markup, html};

use super::Frame;
use super::frame::Section;
use super::parts::{Badge, empty, heading, pager, table};
use super::words::time_ago;
use crate::ids::{CaseNumber, UserId};
use crate::time::Timestamp;

/// The board: `GET /admin/recovery?before=`.
#[derive(Debug, Clone)]
pub struct BoardView {
    /// Open ones first, then newest first.
    pub cases: Vec<CaseLine>,
    /// The address of older cases, if there are any.
    pub older: Option<String>,
}

/// One case on the board.
#[derive(Debug, Clone)]
pub struct CaseLine {
    /// Its number.
    pub number: CaseNumber,
    /// About whom.
    pub person_id: UserId,
    /// Their name.
    pub person: String,
    /// How far it is.
    pub state: Badge,
    /// Who opened it.
    pub opened_by: String,
    /// When.
    pub opened_at: Timestamp,
    /// When the enrolment window closes, while it is open.
    pub closes_at: Option<Timestamp>,
}

/// Every recovery until it is done, expired, refused or reversed.
pub fn board(frame: &Frame, view: &BoardView) -> Markup {
    let columns = ["Case", "Person", "State", "Opened", "Window closes"];
    let row = |c: &CaseLine| {
        vec![
            html! { a class="whole" href={ "/admin/recovery/" (c.number) } { strong { (c.number) } } },
            html! { a href={ "/admin/users/" (c.person_id) } { bdi { (c.person) } } },
            c.state.show(),
            html! { (time_ago(c.opened_at, frame.now)) br; small { "by " bdi { (c.opened_by) } } },
            html! { @if let Some(at) = c.closes_at { (time_ago(at, frame.now)) } },
        ]
    };
    let rows: Vec<_> = view.cases.iter().map(row).collect();
    let content = html! {
        (heading(None, "Recovery", None))
        @if rows.is_empty() {
            (empty("Nobody is locked out.", "When you reset somebody's factors, the case stands here until they are in."))
        } @else {
            section class="card" { (table("Recovery cases", &columns, &rows)) }
            (pager(None, view.older.as_deref().map(|href| ("Older cases", href))))
        }
    };
    page(frame, "Recovery", &content)
}

/// A page of the recovery section.
pub(super) fn page(frame: &Frame, title: &str, content: &Markup) -> Markup {
    frame.wide(Section::Recovery, title, false, content)
}

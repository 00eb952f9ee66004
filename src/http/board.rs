//! The recovery board: what waits for whom, each list a page at a time.

use super::error::Problem;
use super::guards::{Call, Signed};
use super::show::{Answer, Page, page_of};
use crate::grants::{Asker, may_decide};
use crate::pages::board::{BoardView, CaseLine, ListView, SectionView, board as board_markup, list as list_markup};
use crate::recovery::board::{Closed, Line, ON_BOARD, Place, Section, Shown};
use crate::recovery::{Case, RequestState};
use crate::storage::recovery::board::{count, list, list_closed};
use crate::storage::recovery::requests;
use crate::storage::{ReadTx, users};
use crate::users::User;

/// Cases on one page of a list.
const PAGE: u32 = 50;

/// `GET /admin/recovery`: the board, or with `state` one of its lists.
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    match call.fields.get("state") {
        "" => board(call, signed),
        word => one_list(call, signed, word.parse().map_err(|e| Problem::bad(format!("{e}")))?),
    }
}

fn board(call: &Call<'_>, signed: &Signed) -> Answer {
    let (waiting, closed) = call.app.means.store.read(|tx| {
        let closed = list_closed(tx, Closed::Any, None, ON_BOARD)?;
        Ok::<_, Problem>((waiting(tx, call, &signed.user, ON_BOARD)?, lines(tx, call, &signed.user, closed)?))
    })?;
    let page = Page::signed(call, signed);
    Ok(page.answer(200, board_markup(&page.frame(), &BoardView { waiting, closed })))
}

/// The lists that have something, each with its first `most` cases.
///
/// # Errors
/// Storage.
pub(super) fn waiting(tx: &ReadTx<'_>, call: &Call<'_>, viewer: &User, most: u32) -> Result<Vec<SectionView>, Problem> {
    let mut waiting = Vec::new();
    for section in Section::ALL {
        let cases = list(tx, section, (viewer, call.now), None, most)?;
        if !cases.is_empty() {
            let all = u32::try_from(cases.len()).ok().filter(|found| *found < most);
            let count = all.map_or_else(|| count(tx, section, (viewer, call.now)), Ok)?;
            waiting.push(SectionView { section, count, cases: lines(tx, call, viewer, cases)? });
        }
    }
    Ok(waiting)
}

/// Each case with what was asked for in it.
fn lines(tx: &ReadTx<'_>, call: &Call<'_>, viewer: &User, cases: Vec<Case>) -> Result<Vec<CaseLine>, Problem> {
    let mut lines = Vec::new();
    for case in cases {
        let request = if case.closed_at.is_none() { requests::find_live(tx, case.number)? } else { None };
        let may_decide = match request.as_ref().filter(|r| r.state == RequestState::Waiting) {
            None => false,
            Some(waiting) => users::find_ranked(tx, case.user_id, call.now)?
                .is_some_and(|person| may_decide(Asker::Person(viewer), waiting, &person).is_ok()),
        };
        lines.push(CaseLine { line: Line { case, request }, may_decide });
    }
    Ok(lines)
}

fn one_list(call: &Call<'_>, signed: &Signed, shown: Shown) -> Answer {
    let after = match call.fields.get("after") {
        "" => None,
        text => Some(text.parse::<Place>().map_err(|e| Problem::bad(e.to_string()))?),
    };
    let viewer = &signed.user;
    let (cases, more) = call.app.means.store.read(|tx| {
        let cases = match shown {
            Shown::Waiting(section) => list(tx, section, (viewer, call.now), after, PAGE + 1)?,
            Shown::Closed(closed) => list_closed(tx, closed, after, PAGE + 1)?,
        };
        let (cases, more) = page_of(cases, PAGE);
        Ok::<_, Problem>((lines(tx, call, viewer, cases)?, more))
    })?;
    let next = cases.last().filter(|_| more).map(|l| Place::of(&l.line.case).to_string());
    let page = Page::signed(call, signed);
    let view = ListView { shown, cases, further: after.is_some(), after: next };
    Ok(page.answer(200, list_markup(&page.frame(), &view)))
}

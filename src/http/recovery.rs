//! The recovery board; below, one case, opening one, and what is done in it.

pub mod case;
pub mod errands;
pub mod evidence;
pub mod opening;

use super::error::Problem;
use super::guards::{Call, Signed};
use super::show::{Answer, Page, page_of};
use crate::ids::{CaseNumber, UserId};
use crate::pages::parts::{Badge, Tone};
use crate::pages::recovery::{BoardView, CaseLine, board as board_markup};
use crate::policy::Key;
use crate::recovery::{Case, CaseState};
use crate::storage::{policy, recovery};
use crate::time::Timestamp;

/// Closed cases on one page; open ones are few and stand on the first.
const PAGE: u32 = 50;

fn badge(state: CaseState) -> Badge {
    let tone = match state {
        CaseState::Recovered | CaseState::Reassured => Tone::Good,
        CaseState::Disavowed | CaseState::Incident | CaseState::Expired | CaseState::ApprovalDenied => Tone::Bad,
        CaseState::Refused => Tone::Plain,
        _ => Tone::Warn,
    };
    Badge::new(tone, state.sentence())
}

fn line(case: &Case) -> CaseLine {
    CaseLine {
        number: case.number,
        person_id: case.user_id,
        person: case.user_name.clone(),
        state: badge(case.state),
        opened_by: case.opened_by.name.clone(),
        opened_at: case.opened_at,
        closes_at: case.due_at,
    }
}

/// `GET /admin/recovery`
pub fn board(call: &Call<'_>, signed: &Signed) -> Answer {
    let before = match call.fields.get("before") {
        "" => None,
        text => Some(text.parse::<Timestamp>().map_err(|e| Problem::bad(e.to_string()))?),
    };
    let (open, closed) = call.app.means.store.read(|tx| {
        let mut open = Vec::new();
        for state in CaseState::ALL.iter().filter(|s| before.is_none() && !s.is_closed()) {
            open.extend(recovery::list_in(tx, *state, None, PAGE)?);
        }
        Ok::<_, Problem>((open, recovery::list_closed(tx, before, PAGE + 1)?))
    })?;
    let (closed, more) = page_of(closed, PAGE);
    let last = closed.last().filter(|_| more).and_then(|c| c.closed_at);
    let older = last.map(|at| format!("/admin/recovery?before={at}"));
    let page = Page::signed(call, signed);
    let view = BoardView { cases: open.iter().chain(&closed).map(line).collect(), older };
    Ok(page.answer(200, board_markup(&page.frame(), &view)))
}

/// A case in which help was refused lately to the person whom the address is about: every page of the console about them
/// says so, whoever wrote the page.
///
/// # Errors
/// When the database can not be read.
pub fn refused_lately(call: &Call<'_>) -> Result<Option<Case>, Problem> {
    let of_person = call.route.starts_with("/admin/users/{id}").then(|| call.param::<UserId>("id").ok()).flatten();
    let of_case =
        call.route.starts_with("/admin/recovery/{case}").then(|| call.param::<CaseNumber>("case").ok()).flatten();
    if of_person.is_none() && of_case.is_none() {
        return Ok(None);
    }
    call.app.means.store.read(|tx| {
        let of_case = of_case.map(|case| recovery::find(tx, case)).transpose()?.flatten();
        let Some(person) = of_person.or(of_case.as_ref().map(|c| c.user_id)) else { return Ok(None) };
        let since = call.now.minus(policy::get(tx, call.now)?.lasting(Key::RefusalShown));
        let refused = recovery::find_refusal(tx, person, since)?;
        // The case itself says it anyway.
        Ok(refused.filter(|refused| of_case.is_none_or(|case| case.number != refused.number)))
    })
}

//! The recovery board, and one case.

use super::error::Problem;
use super::guards::{Call, Signed};
use super::person::entry_line;
use super::show::{Answer, Page, page_of};
use crate::audit::filter::Filter;
use crate::ids::CaseNumber;
use crate::pages::grants::Subject;
use crate::pages::parts::{Badge, Task, TaskState, Tone};
use crate::pages::recovery::{BoardView, CaseLine, CaseView, board as board_markup, case as case_markup};
use crate::pages::words::count;
use crate::recovery::{Case, CaseState};
use crate::storage::{audit, recovery, users};
use crate::time::Timestamp;

/// Closed cases on one page; open ones are few and stand on the first.
const PAGE: u32 = 50;
/// Entries of one case; a case has a handful.
const ENTRIES: u32 = 200;

fn badge(state: CaseState) -> Badge {
    let tone = match state {
        CaseState::AwaitingEnrolment => Tone::Warn,
        CaseState::Recovered => Tone::Good,
        CaseState::Expired => Tone::Bad,
    };
    Badge::new(tone, state.sentence())
}

fn line(case: &Case) -> CaseLine {
    CaseLine {
        number: case.number,
        person_id: case.user_id,
        person: case.user_name.clone(),
        state: badge(case.state),
        opened_by: case.opened_by.clone(),
        opened_at: case.opened_at,
        closes_at: (case.state == CaseState::AwaitingEnrolment).then_some(case.window_closes_at),
    }
}

/// `GET /admin/recovery`
pub fn board(call: &Call<'_>, signed: &Signed) -> Answer {
    let before = match call.fields.get("before") {
        "" => None,
        text => Some(text.parse::<Timestamp>().map_err(|e| Problem::bad(e.to_string()))?),
    };
    let (open, closed) = call.app.means.store.read(|tx| {
        let open = if before.is_none() { recovery::list_open(tx, PAGE)? } else { Vec::new() };
        Ok::<_, Problem>((open, recovery::list_closed(tx, before, PAGE + 1)?))
    })?;
    let (closed, more) = page_of(closed, PAGE);
    let older = closed.last().filter(|_| more).map(|c| format!("/admin/recovery?before={}", c.opened_at));
    let page = Page::signed(call, signed);
    let view = BoardView { cases: open.iter().chain(&closed).map(line).collect(), older };
    Ok(page.answer(200, board_markup(&page.frame(), &view)))
}

/// `GET /admin/recovery/{case}`
pub fn case(call: &Call<'_>, signed: &Signed) -> Answer {
    let number: CaseNumber = call.param("case")?;
    let (case, user, entries) = call.app.means.store.read(|tx| {
        let case = recovery::find(tx, number)?.ok_or(Problem::NotFound)?;
        let filter = Filter { case: Some(number), ..Filter::default() };
        let entries = audit::list(tx, &filter, audit::Order::OldestFirst, None, ENTRIES)?;
        Ok::<_, Problem>((users::get(tx, case.user_id)?, entries, case)).map(|(u, e, c)| (c, u, e))
    })?;
    let page = Page::signed(call, signed);
    let again = format!("/admin/users/{}/mfa/reset", user.id);
    let view = CaseView {
        number,
        person: Subject { id: user.id, name: user.name.as_str(), email: user.email.as_str() },
        state: badge(case.state),
        opened_by: &case.opened_by,
        opened_at: case.opened_at,
        closes_at: (case.state == CaseState::AwaitingEnrolment).then_some(case.window_closes_at),
        reason: &case.reason,
        ticket: case.ticket.as_deref().unwrap_or_default(),
        tasks: tasks_of(&case),
        entries: entries.iter().map(entry_line).collect(),
        start_again: (case.state == CaseState::Expired).then_some(again),
    };
    Ok(page.answer(200, case_markup(&page.frame(), &view)))
}

/// The runbook as a task list.
pub fn tasks_of(case: &Case) -> Vec<Task> {
    let voucher = case.voucher.as_ref().map(|v| format!(", {v} vouches")).unwrap_or_default();
    let note = if case.evidence_note.is_empty() { String::new() } else { format!(" · {}", case.evidence_note) };
    let ticket = case.ticket.as_ref().map(|t| format!(" · ticket {t}")).unwrap_or_default();
    let codes = match case.codes_left {
        0 => "none were left".to_owned(),
        left => format!("{left} left, not at hand"),
    };
    let (enrol, at, state) = match case.state {
        CaseState::AwaitingEnrolment => ("waiting; the window closes", Some(case.window_closes_at), TaskState::Waiting),
        CaseState::Recovered => ("", case.closed_at, TaskState::Done),
        CaseState::Expired => ("the window is closed and the pass is void", None, TaskState::Ended),
    };
    let task = |title: String, detail: String, at, state| Task { title, detail, at, state };
    vec![
        task(
            "Identity verified".into(),
            format!("{}{voucher}{note} · {},", case.evidence.sentence(), case.opened_by),
            Some(case.opened_at),
            TaskState::Done,
        ),
        task("Backup codes checked".into(), codes, None, TaskState::Done),
        task(
            "Factors reset".into(),
            format!("{} removed, {} ended{ticket}", case.factors_removed, count(case.sessions_ended.into(), "session")),
            None,
            TaskState::Done,
        ),
        task(format!("{} enrols a new factor", case.user_name), enrol.into(), at, state),
    ]
}

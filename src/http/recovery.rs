//! One recovery case.

pub mod requests;

use super::error::Problem;
use super::guards::{Call, Signed};
use super::hold::Holding;
use super::person::entry_line;
use super::show::{Answer, Page};
use crate::audit::filter::Filter;
use crate::ids::CaseNumber;
use crate::pages::board::state_badge;
use crate::pages::grants::Subject;
use crate::pages::parts::{Task, TaskState};
use crate::pages::recovery::{CaseView, case as case_markup};
use crate::pages::words::count;
use crate::recovery::{Act, Case, CaseEvent, CaseState, Recorded, next};
use crate::storage::recovery::evidence;
use crate::storage::{audit, recovery, users};

/// Entries of one case; a case has a handful.
const ENTRIES: u32 = 200;

/// `GET /admin/recovery/{case}`
pub fn case(call: &Call<'_>, signed: &Signed) -> Answer {
    let number: CaseNumber = call.param("case")?;
    let (case, evidence, user, holding, entries, asked) = call.app.means.store.read(|tx| {
        let case = recovery::find(tx, number)?.ok_or(Problem::NotFound)?;
        let filter = Filter { case: Some(number), ..Filter::default() };
        let entries = audit::list(tx, &filter, audit::Order::OldestFirst, None, ENTRIES)?;
        let evidence = evidence::list(tx, number)?;
        let user = users::find_ranked(tx, case.user_id, call.now)?.ok_or(Problem::NotFound)?;
        let holding = Holding::read(tx, call, &signed.user, &user)?;
        let asked = requests::find_live(tx, call, &signed.user, &case)?;
        Ok::<_, Problem>((case, evidence, user, holding, entries, asked))
    })?;
    let page = Page::signed(call, signed);
    let again = format!("/admin/users/{}/mfa/reset", user.id);
    let view = CaseView {
        number,
        person: Subject { id: user.id, name: user.name.as_str(), email: user.email.as_str() },
        state: state_badge(case.state),
        opened_by: &case.opened_by.name,
        opened_at: case.opened_at,
        closes_at: case.due_at,
        reason: &case.reason,
        ticket: case.ticket.as_deref().unwrap_or_default(),
        tasks: tasks_of(&case, &evidence),
        entries: entries.iter().map(entry_line).collect(),
        request: asked.as_ref().map(requests::Found::view),
        alarm: holding.filter(|h| h.is_of(number) || !case.state.is_closed()).map(|h| h.alarm(&user)),
        may_be_attack: case.act.is_some()
            && case.state != CaseState::Disavowed
            && next(case.state, CaseEvent::Incident).is_ok(),
        report: matches!(case.state, CaseState::Disavowed | CaseState::Incident | CaseState::Reassured),
        start_again: (case.state == CaseState::Expired).then_some(again),
    };
    Ok(page.answer(200, case_markup(&page.frame(), &view)))
}

/// The runbook as a task list.
pub fn tasks_of(case: &Case, evidence: &[Recorded]) -> Vec<Task> {
    let task = |title: String, detail: String, at, state| Task { title, detail, at, state };
    let mut tasks: Vec<Task> = evidence
        .iter()
        .map(|r| {
            let voucher = r.evidence.voucher().map(|v| format!(", {v} vouches")).unwrap_or_default();
            let note = Some(r.evidence.note()).filter(|n| !n.is_empty()).map(|n| format!(" · {n}")).unwrap_or_default();
            let detail = format!("{}{voucher}{note} · {},", r.evidence.kind().sentence(), r.by.name);
            task("Identity verified".into(), detail, Some(r.evidence.recorded_at()), TaskState::Done)
        })
        .collect();
    if tasks.is_empty() {
        tasks.push(task("Make sure who it is".into(), String::new(), None, TaskState::Waiting));
    }
    let Some(done) = &case.act else { return tasks };
    let ticket = case.ticket.as_ref().map(|t| format!(" · ticket {t}")).unwrap_or_default();
    if matches!(done.act, Act::Reset | Act::ResetAndPassword) {
        let codes = match case.codes_left {
            0 => "none were left".to_owned(),
            left => format!("{left} left, not at hand"),
        };
        tasks.push(task("Backup codes checked".into(), codes, None, TaskState::Done));
        let removed =
            format!("{} removed, {} ended{ticket}", case.factors_removed, count(case.sessions_ended.into(), "session"));
        tasks.push(task("Factors reset".into(), removed, None, TaskState::Done));
    } else {
        let what = done.act.sentence();
        let title = what.chars().next().map(|c| c.to_uppercase().chain(what.chars().skip(1)).collect());
        tasks.push(task(title.unwrap_or_default(), format!("{},", done.by.name), Some(done.at), TaskState::Done));
    }
    let (back, at, state) = match case.state {
        CaseState::AwaitingEnrolment => ("waiting; the window closes", case.due_at, TaskState::Waiting),
        CaseState::Recovered => ("", case.closed_at, TaskState::Done),
        CaseState::Expired => ("the window is closed and the pass is void", None, TaskState::Ended),
        state if state.is_closed() => ("", None, TaskState::Ended),
        _ => ("", None, TaskState::Waiting),
    };
    let title = match done.act {
        Act::Reset | Act::ResetAndPassword => format!("{} enrols a new factor", case.user_name),
        _ => format!("{} signs in", case.user_name),
    };
    tasks.push(task(title, back.into(), at, state));
    tasks
}

//! One recovery case with its steps.

pub mod decision;
pub mod requests;

use maud::{Markup, html};

use self::requests::RequestView;
use super::Frame;
use super::entry::{EntryLine, entry_table};
use super::frame::Section;
use super::grants::Subject;
use super::hold::{Alarm, alarm};
use super::parts::{Badge, Task, card, facts, tasks};
use super::words::{clock, time_ago};
use crate::ids::CaseNumber;
use crate::time::Timestamp;

/// A page of the recovery section.
pub(super) fn page(frame: &Frame, title: &str, content: &Markup) -> Markup {
    frame.wide(Section::Recovery, title, false, content)
}

/// One case: `GET /admin/recovery/{case}`.
#[derive(Debug, Clone)]
pub struct CaseView<'a> {
    /// Its number.
    pub number: CaseNumber,
    /// About whom.
    pub person: Subject<'a>,
    /// How far it is.
    pub state: Badge,
    /// Who opened it.
    pub opened_by: &'a str,
    /// When.
    pub opened_at: Timestamp,
    /// When the enrolment window closes, while it is open.
    pub closes_at: Option<Timestamp>,
    /// Why it was opened.
    pub reason: &'a str,
    /// The ticket; empty if there is none.
    pub ticket: &'a str,
    /// The steps: identity, codes, reset, enrolment.
    pub tasks: Vec<Task>,
    /// The entries of the case, oldest first.
    pub entries: Vec<EntryLine>,
    /// What waits to be permitted or carried out.
    pub request: Option<RequestView<'a>>,
    /// For a window that closed unused: where to start again.
    pub start_again: Option<String>,
    /// That the account is held by this case.
    pub alarm: Option<Alarm<'a>>,
    /// Whether it can still be said that it was an attack.
    pub may_be_attack: bool,
    /// Whether what the account did since is of interest: somebody objected, or it was an attack.
    pub report: bool,
}

/// The runbook as a task list, and what the audit log says about it.
pub fn case(frame: &Frame, view: &CaseView) -> Markup {
    let title = format!("{} · {}", view.person.name, view.number);
    let trail = html! { a href="/admin/recovery" { "Recovery" } " · " (view.number) };
    let mut rows = vec![
        ("Person", html! { a href=(view.person.href("")) { bdi { (view.person.name) } } }),
        ("Opened", html! { (time_ago(view.opened_at, frame.now)) " by " bdi { (view.opened_by) } }),
        ("Reason", html! { (view.reason) }),
    ];
    if !view.ticket.is_empty() {
        rows.push(("Ticket", html! { (view.ticket) }));
    }
    if let Some(at) = view.closes_at {
        rows.push((
            "Window closes",
            html! { (clock(at, frame.now)) span class="screen" { ", " (time_ago(at, frame.now)) } },
        ));
    }
    let again = view.start_again.as_deref();
    let content = html! {
        div class="head" {
            div { p class="trail" { (trail) } h1 { bdi { (view.person.name) } } p { (view.state.show()) } }
            @if let Some(href) = again { a class="button main" href=(href) { "Start again with a new reset" } }
        }
        @if let Some(held) = &view.alarm { (alarm(frame, held)) }
        @if let Some(request) = &view.request { (requests::block(frame, request)) }
        div class="aside" {
            (card("steps", "Steps", &tasks(&view.tasks, frame.now)))
            (card("about", "About this case", &facts(&rows)))
        }
        @if view.report || view.may_be_attack { (after_words(view)) }
        @if !view.entries.is_empty() {
            (card("entries", "In the audit log", &entry_table(frame, "Entries of this case", &view.entries)))
        }
    };
    page(frame, &title, &content)
}

/// What leads on where something was not right.
fn after_words(view: &CaseView) -> Markup {
    html! {
        div class="actions screen" {
            @if view.report {
                a class="button" href={ "/admin/recovery/" (view.number) "/report" } { "What the account did" }
            }
            @if view.may_be_attack {
                a class="button" href={ "/admin/recovery/" (view.number) "/incident" } { "Declare an incident" }
            }
        }
    }
}

//! Declaring an incident, and the report of what the account did: read on the screen, printed, exported.

use maud::{Markup, html};

use super::Frame;
use super::audit::export_form;
use super::entry::{EntryLine, entry_table};
use super::field::Field;
use super::form::{Choice, Form, radios};
use super::frame::Section;
use super::grants::{Subject, UNCHANGED};
use super::parts::{Tone, address, cancel, card, empty, facts, heading, notice, pager};
use super::words::{count, exact, time_ago};
use crate::ids::CaseNumber;
use crate::time::Timestamp;

/// `POST /admin/recovery/{case}/incident`, or `/admin/users/{id}/incident` where there is no case yet, with `since` and
/// `reason`.
#[derive(Debug, Clone)]
pub struct IncidentView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// Whose account.
    pub person: Subject<'a>,
    /// In which case.
    pub case: Option<CaseNumber>,
    /// Since when it may have been somebody else: value and words.
    pub since: Vec<(&'static str, String)>,
    /// Sessions that are open now.
    pub sessions: u32,
    /// Whether it is the last active owner, whose account stays in use.
    pub last_owner: bool,
}

/// Closes an account because of an attack.
pub fn incident(frame: &Frame, view: &IncidentView) -> Markup {
    let (form, person) = (&view.form, &view.person);
    let title = format!("Declare an incident on the account of {}", person.name);
    let href = view.case.map_or_else(|| person.href(""), |case| format!("/admin/recovery/{case}"));
    let choices: Vec<_> = view.since.iter().map(|(value, words)| Choice::new(value, words.as_str())).collect();
    let content = html! {
        (heading(Some(&person.trail(view.case)), &title, None))
        (form.summary(UNCHANGED))
        div class="aside" {
            form class="card" method="post" action={ (href) "/incident" } novalidate {
                (form.hidden())
                (radios(form, "since", "Since when may it have been somebody else?", &choices))
                (Field::new("reason", "What happened?").hint("Everyone who reads the audit log sees it. No passwords or codes, please.")
                    .area().show(form))
                (form.step_up())
                div class="actions" { button class="danger" { "Declare incident" } (cancel(&href)) }
            }
            (card("what", "What will happen", &what_happens(view)))
        }
    };
    frame.wide(Section::Recovery, &title, form.wrong(), &content)
}

fn what_happens(view: &IncidentView) -> Markup {
    html! {
        ul {
            @if view.last_owner {
                li { strong { "The account stays in use" } ", because it is the last active owner’s. Its password has to be changed "
                    "at the next sign-in." }
            } @else {
                li { strong { "The account is closed" } ": nobody can sign in to it, and its password does not work any more, also "
                    "not later." }
            }
            li {
                @if view.sessions > 0 { (count(view.sessions.into(), "open session")) ", remembered devices, links and passes end." }
                @else { "Remembered devices, links and passes end." }
            }
            li { "Authenticator apps that were added since the moment that you choose are removed; older ones stay. Every backup "
                "code is void." }
            li { "The owners are told. You get a report of what the account did, to print or to export." }
            li { "The real person comes back through a new case." }
        }
    }
}

/// A page of the report: `GET /admin/recovery/{case}/report?after=`.
#[derive(Debug, Clone)]
pub struct ReportView<'a> {
    /// The CSRF value of the export's form.
    pub form: Form<'a>,
    /// Whose account.
    pub person: Subject<'a>,
    /// In which case.
    pub case: CaseNumber,
    /// What is reported: from here on.
    pub since: Timestamp,
    /// And up to here, once the case has ended.
    pub until: Option<Timestamp>,
    /// By whom the incident was declared, when it was.
    pub declared: Option<Declared>,
    /// Oldest first.
    pub entries: Vec<EntryLine>,
    /// Whether this page is not the first.
    pub further: bool,
    /// The address of later entries, if there are any.
    pub later: Option<String>,
    /// Whether the person is still to be let back in, and the viewer may.
    pub way_back: bool,
}

/// An incident as it was declared.
#[derive(Debug, Clone)]
pub struct Declared {
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// What ended: "2 sessions ended, 1 factor removed, 9 backup codes void".
    pub ended: String,
}

/// Everything that the account did, and that was done to it, oldest first.
pub fn report(frame: &Frame, view: &ReportView) -> Markup {
    let (case, person) = (view.case, &view.person);
    let title = format!("What the account of {} did, {case}", person.name);
    let mut rows = vec![
        ("Person", html! { a href=(person.href("")) { bdi { (person.name) } } " · " (person.email) }),
        ("Case", html! { a class="whole" href={ "/admin/recovery/" (case) } { (case) } }),
        ("From", html! { (exact(view.since)) }),
        ("Until", html! { @if let Some(until) = view.until { (exact(until)) } @else { "now" } }),
    ];
    if let Some(declared) = &view.declared {
        rows.push(("Incident", html! { "declared " (time_ago(declared.at, frame.now)) " by " bdi { (declared.by) } }));
        rows.push(("What happened", html! { (declared.reason) }));
        rows.push(("Ended", html! { (declared.ended) }));
    }
    let way_back = view.way_back.then(|| {
        html! {
            a class="button main" href=(person.href("/readmit")) { "Let the real person back in: open a new case" }
        }
    });
    let first = format!("/admin/recovery/{case}/report");
    let content = html! {
        (heading(Some(&person.trail(Some(case))), "What the account did", way_back.as_ref()))
        @if view.declared.is_some() {
            (notice(Tone::Plain, &html! {
                p { "Go through it with the real person: what was theirs, what was not, and what has to be undone elsewhere." }
            }))
        }
        (card("about", "About this report", &facts(&rows)))
        @if view.entries.is_empty() {
            (empty("Nothing.", "The account did nothing in this time, and nothing was done to it."))
        } @else {
            (card("entries", "Oldest first", &entry_table(frame, "What the account did", &view.entries)))
            (pager(
                view.further.then_some(("From the beginning", &first)),
                view.later.as_deref().map(|href| ("Later", href)),
            ))
        }
        (export(view))
    };
    frame.wide(Section::Recovery, &title, false, &content)
}

/// The filter that finds exactly these entries, as the audit log's address and the export's form have it.
fn filter(view: &ReportView) -> [(&'static str, String); 3] {
    let until = view.until.map(|at| at.to_string()).unwrap_or_default();
    [("involving", view.person.id.to_string()), ("since", view.since.to_string()), ("until", until)]
}

fn export(view: &ReportView) -> Markup {
    let filter = filter(view);
    let filter: Vec<(&str, &str)> = filter.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let more = html! {
        button type="button" hidden data-print { "Print" }
        a href=(address("/admin/audit", filter.iter().copied())) { "See the same in the audit log" }
    };
    let form = export_form(&view.form, &filter, "Export the whole report", &more);
    html! { div class="screen" { (card("export", "Export", &form)) } }
}

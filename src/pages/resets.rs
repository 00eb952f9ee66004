//! The report of every reset of second factors by somebody else: on the screen page by page, on paper as a whole.

use maud::{Markup, html};

use super::Frame;
use super::audit::{export_form, page};
use super::field::Field;
use super::form::Form;
use super::parts::{Badge, Tone, address, card, empty, facts, heading, notice, pager, table};
use super::trail::Newest;
use super::words::{count, exact, grouped};
use crate::audit::resets::{End, Reset, Step};
use crate::time::Timestamp;

/// `GET /admin/audit/resets?since=&until=&before=&all=`.
#[derive(Debug, Clone)]
pub struct ResetsView<'a> {
    /// Holds `since` and `until` as they were typed; its CSRF value is for the export.
    pub form: Form<'a>,
    /// The period that the report is about; nothing where it can not be read.
    pub period: Option<Period>,
    /// Newest first.
    pub resets: &'a [Reset],
    /// Whether this is the whole report.
    pub whole: Whole,
    /// Whether this page is not the newest.
    pub further: bool,
    /// The cursor of older ones, if there are any.
    pub before: Option<String>,
    /// The instance.
    pub instance: &'a str,
    /// The newest entry: its number, and when it was written.
    pub head: (u64, Timestamp),
    /// The newest checkpoint.
    pub checkpoint: Option<Newest>,
}

/// From when on, and before when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// From this moment on.
    pub since: Timestamp,
    /// Before this one; until now if there is none.
    pub until: Option<Timestamp>,
}

/// How much of the report is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// One page of it.
    Page,
    /// All of it.
    All,
    /// As much as one page can hold, and there is more.
    Cut,
}

const PATH: &str = "/admin/audit/resets";

/// Each reset with whose, by whom, why, on what evidence, who permitted it, and how it ended.
pub fn resets(frame: &Frame, view: &ResetsView) -> Markup {
    let title = "Resets by admins";
    let trail = html! { a href="/admin/audit" { "Audit log" } };
    let content = html! {
        (heading(Some(&trail), title, view.period.map(|_| actions(view)).as_ref()))
        (view.form.summary("This period can not be used as it is."))
        p {
            "Every time that somebody’s second factors were removed by somebody else: by an admin, with a command on the host, "
            "after an attack, or when they left. Each line is made from entries of the audit log alone, whose numbers stand in it."
        }
        section class="card screen" aria-label="Period" { (filter(&view.form)) }
        @if let Some(period) = view.period {
            (how_much(view, period))
            @if view.resets.is_empty() && period.since > frame.now {
                (empty("This period has not begun yet.", "Nothing can stand in it before it has. Choose an earlier one."))
            } @else if view.resets.is_empty() {
                (empty("No reset in this period.", "Choose a longer one to look further back."))
            } @else {
                section class="card" { (list(view.resets)) }
            }
            (pages(view))
            (card("basis", "What this report rests on", &basis(frame, view, period)))
            (check(view, period))
        }
    };
    page(frame, title, view.form.wrong(), &content)
}

fn actions(view: &ResetsView) -> Markup {
    let whole = query(view, &[("all", "1")]);
    html! {
        div class="actions" {
            @if view.whole == Whole::Page { a class="button" href=(whole) { "Whole report for printing" } }
            @else { button type="button" hidden data-print { "Print" } }
        }
    }
}

fn filter(form: &Form) -> Markup {
    html! {
        form class="filter" method="get" action=(PATH) novalidate {
            (Field::new("since", "Since (UTC)").show(form))
            (Field::new("until", "Until (UTC)").show(form))
            div class="actions" {
                button { "Show" }
                span class="hint" {
                    "Times like 2026-11-24 or 2026-11-24T09:30:00Z. The day of “Until” itself does not count: the last quarter of 2026 is "
                    "2026-10-01 until 2027-01-01. Left empty, it is the last 90 days, up to now."
                }
            }
        }
    }
}

fn how_much(view: &ResetsView, period: Period) -> Markup {
    let number = view.resets.len() as u64;
    html! {
        @match view.whole {
            Whole::All => { p { "The whole report: " (count(number, "reset")) ". Period: " (in_words(period)) "." } }
            Whole::Cut => {
                (notice(Tone::Warn, &html! { p {
                    strong { "This is not all: " } "only the newest " (grouped(number)) " resets are here. Choose a shorter period, and "
                    "print one after the other."
                } }))
            }
            Whole::Page if view.further || view.before.is_some() => {
                p class="paper" { strong { "A part of the report only. " } "Open the whole report for printing to have all of it." }
            }
            Whole::Page => {}
        }
    }
}

/// An address of the report, with its period.
fn query(view: &ResetsView, more: &[(&str, &str)]) -> String {
    let period = ["since", "until"].map(|name| (name, view.form.value(name)));
    address(PATH, period.into_iter().chain(more.iter().copied()))
}

fn pages(view: &ResetsView) -> Markup {
    let newest = query(view, &[]);
    let older = view.before.as_deref().map(|before| query(view, &[("before", before)]));
    pager(view.further.then_some(("Newest", &newest)), older.as_deref().map(|href| ("Older", href)))
}

fn list(resets: &[Reset]) -> Markup {
    let columns = ["When", "What and why", "How it ended"];
    let row = |r: &Reset| vec![when(r), html! { (what(r)) (permitted(r)) }, ended(r)];
    table("Resets, newest first", &columns, &resets.iter().map(row).collect::<Vec<_>>())
}

fn when(reset: &Reset) -> Markup {
    html! {
        span class="whole" { (exact(reset.at)) } br;
        small { "entry " (entry(reset.seq)) }
        @if let Some(case) = reset.case {
            br; small { "case " a class="whole" href={ "/admin/audit?case=" (case) } { (case) } }
        }
        @if reset.by_host { br; (Badge::new(Tone::Warn, "by the host").show()) }
    }
}

fn what(reset: &Reset) -> Markup {
    html! {
        div { strong { bdi { (reset.whom) } } }
        div {
            "by " bdi { (reset.by) }
            @if !reset.reason.is_empty() { ": “" (reset.reason) "”" }
            @if !reset.ticket.is_empty() { ", ticket " (reset.ticket) }
        }
        div { small { @if reset.erased { (no_longer_kept()) } @else { (reset.what) } } }
    }
}

fn permitted(reset: &Reset) -> Markup {
    html! {
        @for step in &reset.evidence { (told(step)) }
        @if reset.evidence.is_empty() { div { "No evidence was needed: nobody was let in by this." } }
        @for step in &reset.permission { (told(step)) }
        @if reset.permission.is_empty() {
            @if reset.by_host { div { "Nobody was asked to permit it: it was done with a command on the host." } }
            @else { div { "Nobody else had to permit it, by the rules of that day." } }
        }
    }
}

fn ended(reset: &Reset) -> Markup {
    let (tone, word) = match reset.end {
        End::Enrolled => (Tone::Good, "new app set up"),
        End::Recovered => (Tone::Good, "recovered"),
        End::Expired => (Tone::Warn, "expired"),
        End::Objected => (Tone::Bad, "objected to"),
        End::Reassured => (Tone::Good, "objection lifted"),
        End::Incident => (Tone::Bad, "incident"),
        End::Refused => (Tone::Bad, "help refused"),
        End::Again => (Tone::Plain, "reset again"),
        End::Open => (Tone::Warn, "still open"),
        End::NoCase => (Tone::Plain, "no case"),
    };
    html! {
        (Badge::new(tone, word).show())
        @for step in &reset.after { (told(step)) }
        @if reset.end == End::Open { div { "No entry says so far that the person is back, or that the time for it ran out." } }
        @if reset.end == End::NoCase { div { "Nobody was to be let in again by this." } }
    }
}

fn told(step: &Step) -> Markup {
    html! {
        div {
            (step.says)
            @if !step.by.is_empty() { ", by " bdi { (step.by) } }
            @if !step.note.is_empty() { ": “" (step.note) "”" }
            @if step.erased { ". " (no_longer_kept()) }
            " " small { span class="whole" { (exact(step.at)) } " " (entry(step.seq)) }
        }
    }
}

fn no_longer_kept() -> Markup {
    html! { "What the entry says is no longer kept, by the rule on how long it is." }
}

fn entry(seq: i64) -> Markup {
    html! { a class="whole" href={ "/admin/audit/" (seq) } { "#" (seq) } }
}

fn in_words(period: Period) -> Markup {
    html! {
        "from " (exact(period.since)) " "
        @match period.until { Some(until) => { "to before " (exact(until)) }, None => { "until now" } }
    }
}

fn basis(frame: &Frame, view: &ResetsView, period: Period) -> Markup {
    let (newest, at) = view.head;
    let mut rows = vec![
        ("Organisation", html! { (frame.organisation) }),
        ("Instance", html! { code { (view.instance) } }),
        (
            "Period",
            html! {
                (in_words(period))
                @if period.until.is_some_and(|until| until > frame.now) { "; it was not over when this was made" }
            },
        ),
        ("Made", html! { (exact(frame.now)) }),
        ("Newest entry", html! { (entry(i64::try_from(newest).unwrap_or(i64::MAX))) ", of " (exact(at)) }),
    ];
    if let Some(checkpoint) = &view.checkpoint {
        rows.push((
            "Checkpoint",
            html! {
                "signed " (exact(checkpoint.at)) ", about entry " (grouped(checkpoint.seq)) br;
                span class="typed code" { (checkpoint.text) }
            },
        ));
    }
    facts(&rows)
}

/// How somebody who doubts the report finds out.
fn check(view: &ResetsView, period: Period) -> Markup {
    let until = period.until.map(|at| at.to_string()).unwrap_or_default();
    let since = period.since.to_string();
    let filter = [("action", "mfa.factor_admin_reset"), ("since", since.as_str()), ("until", until.as_str())];
    let form = export_form(&view.form, &filter, "Export the resets of this period", &html! {});
    card(
        "check",
        "How to check this report",
        &html! {
            p {
                "The resets themselves are the entries " code { "mfa.factor_admin_reset" } " of the period. Export them with their proof, "
                "and nobody can have changed one or left one out: each number in the first column has to be in that export, and no "
                "other successful one. What stands beside them comes from the other entries of the case: the number of the case "
                "leads to them in the audit log, where they are exported with their proof too. "
                a class="screen" href="/admin/audit/verify" { "How to verify an export on your own machine" }
            }
            div class="screen" { (form) }
        },
    )
}

//! The audit log: a filtered list whose address can be kept, the export of exactly that, and one entry in full.

use maud::{Markup, html};

use super::form::{Field, Form, select};
use super::parts::{
    Badge, Tone, address, card, copy_button, empty, exact, facts, heading, notice, pager, table, time_ago,
};
use super::{Frame, Section};
use crate::ids::CaseNumber;
use crate::time::Timestamp;

/// The filters, as they are named in the address and in the export's form.
pub const FILTERS: [&str; 7] = ["action", "person", "actor", "outcome", "case", "since", "until"];

/// One line of a list of entries.
#[derive(Debug, Clone)]
pub struct EntryLine {
    /// Its number in the chain, from 1.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// `mfa.factor_admin_reset`
    pub action: String,
    /// The same as a sentence: "removed all factors of Mara Lindqvist".
    pub what: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Who did it, by the name they had then.
    pub actor: String,
    /// Whom it concerns, by the name they had then; empty if nobody.
    pub target: String,
    /// The case it belongs to.
    pub case: Option<CaseNumber>,
}

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It did not work: a wrong code.
    Failure,
    /// A rule refused it.
    Denied,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Denied];

    /// The word that is stored, typed and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
        }
    }

    fn badge(self) -> Badge {
        let tone = match self {
            Self::Success => Tone::Good,
            Self::Failure => Tone::Warn,
            Self::Denied => Tone::Bad,
        };
        Badge::new(tone, self.as_str())
    }
}

/// A page of the list: `GET /admin/audit?action=&person=&actor=&outcome=&case=&since=&until=&before=`.
#[derive(Debug, Clone)]
pub struct AuditView<'a> {
    /// Holds the filter as it was typed, under the names in [`FILTERS`]; errors stand beside their fields. Its CSRF
    /// value is for the export: `POST /admin/audit/export` with the same names and `format` (`jsonl` or `csv`).
    pub form: Form<'a>,
    /// Every action there is, for the list to choose from.
    pub actions: &'a [&'a str],
    /// Newest first.
    pub entries: Vec<EntryLine>,
    /// Whether this page is not the newest.
    pub further: bool,
    /// The cursor of older entries, if there are any.
    pub before: Option<String>,
}

/// The list with its filter and its export.
pub fn audit(frame: &Frame, view: &AuditView) -> Markup {
    let form = &view.form;
    let filtered = FILTERS.iter().any(|name| !form.value(name).is_empty());
    let newest = query(form, "");
    let older = view.before.as_deref().map(|before| query(form, before));
    let content = html! {
        (heading(None, "Audit log", None))
        (form.summary("This filter can not be used as it is."))
        section class="card" aria-label="Filter" { (filter(form, view.actions, filtered)) }
        @if !view.entries.is_empty() {
            section class="card" { (entry_table(frame, "Entries, newest first", &view.entries)) }
            (pager(
                view.further.then_some(("Newest", &newest)),
                older.as_deref().map(|href| ("Older", href)),
            ))
        } @else if !form.wrong() {
            (empty("No entry matches.", "Widen the time or take a filter away."))
        }
        @if !form.wrong() { (export(form, filtered)) }
    };
    page(frame, "Audit log", form.wrong(), &content)
}

fn page(frame: &Frame, title: &str, wrong: bool, content: &Markup) -> Markup {
    Frame { section: Some(Section::Audit), ..frame.clone() }.wide(title, wrong, content)
}

/// The address of a page of the list, with its filter.
fn query(form: &Form, before: &str) -> String {
    let filter = FILTERS.map(|name| (name, form.value(name)));
    address("/admin/audit", filter.into_iter().chain([("before", before)]))
}

fn filter(form: &Form, actions: &[&str], filtered: bool) -> Markup {
    let actions: Vec<_> = actions.iter().map(|a| (*a, *a)).collect();
    let outcomes = Outcome::ALL.map(|o| (o.as_str(), o.as_str()));
    html! {
        form class="filter" method="get" action="/admin/audit" role="search" novalidate {
            (select(form, "action", "Action", "any", &actions))
            (select(form, "outcome", "Outcome", "any", &outcomes))
            (Field::new("person", "Person concerned").address().show(form))
            (Field::new("actor", "Done by").address().show(form))
            (Field::new("case", "Case").show(form))
            (Field::new("since", "Since (UTC)").show(form))
            (Field::new("until", "Until (UTC)").show(form))
            div class="actions" {
                button { "Filter" }
                @if filtered { a href="/admin/audit" { "Show everything" } }
                span class="hint" { "People by e-mail address; times like 2026-11-24 or 2026-11-24T09:30:00Z; cases like R-2026-0042." }
            }
        }
    }
}

/// An export is a POST, because it writes an entry itself.
fn export(form: &Form, filtered: bool) -> Markup {
    let formats = [("jsonl", "JSON Lines"), ("csv", "CSV, for spreadsheets")];
    let content = html! {
        form class="filter" method="post" action="/admin/audit/export" {
            (form.hidden())
            @for name in FILTERS { input type="hidden" name=(name) value=(form.value(name)); }
            (select(form, "format", "Format", "", &formats))
            div class="actions" {
                button { @if filtered { "Export what this filter finds" } @else { "Export everything" } }
                span class="hint" { "The export itself stands in the log too." }
            }
        }
    };
    card("export", "Export", &content)
}

/// A table of entries: when, what, by whom. Few columns, so that a phone shows them all.
pub(super) fn entry_table(frame: &Frame, label: &str, entries: &[EntryLine]) -> Markup {
    let columns = ["When", "What", "Entry"];
    let row = |e: &EntryLine| {
        vec![
            html! { (time_ago(e.at, frame.now)) br; small class="whole" { (exact(e.at)) } },
            html! {
                (e.what) " " (e.outcome.badge().show()) br;
                small {
                    code { (e.action) } " · by " bdi { (e.actor) }
                    @if !e.target.is_empty() { " · concerns " bdi { (e.target) } }
                    @if let Some(case) = e.case { " · " (case_link(frame, case)) }
                }
            },
            html! { a class="whole" href={ "/admin/audit/" (e.seq) } { "#" (e.seq) } },
        ]
    };
    table(label, &columns, &entries.iter().map(row).collect::<Vec<_>>())
}

/// To the case for those who look after people, for auditors to its entries.
fn case_link(frame: &Frame, case: CaseNumber) -> Markup {
    let opens_cases = frame.signed_in.as_ref().is_some_and(|v| v.role.looks_after_people());
    let path = if opens_cases { "/admin/recovery/" } else { "/admin/audit?case=" };
    html! { a class="whole" href={ (path) (case) } { (case) } }
}

/// Somebody or something that an entry names.
#[derive(Debug, Clone)]
pub struct Party {
    /// `user`, `system`, `host` and the like.
    pub kind: String,
    /// Its id; empty if it has none.
    pub id: String,
    /// Its name at that time; empty if it had none, or if the body was erased.
    pub name: String,
}

/// One entry in full: `GET /admin/audit/{seq}`.
#[derive(Debug, Clone)]
pub struct EntryView {
    /// As in the list.
    pub line: EntryLine,
    /// Which history it belongs to: a restore begins a new one.
    pub lineage: String,
    /// Who.
    pub actor: Party,
    /// Whom it concerns.
    pub target: Option<Party>,
    /// Why; empty if none was given.
    pub reason: String,
    /// The ticket; empty if there is none.
    pub ticket: String,
    /// Where it came from: address, user agent, request id, operating-system user.
    pub source: Vec<(String, String)>,
    /// What else was recorded.
    pub detail: Vec<(String, String)>,
    /// Whether retention erased the body.
    pub erased: bool,
    /// The previous entry's hash, in hexadecimal.
    pub previous_hash: String,
    /// SHA-256 over the body, in hexadecimal.
    pub body_digest: String,
    /// This entry's hash, in hexadecimal.
    pub hash: String,
    /// The entry before, if there is one.
    pub previous: Option<u64>,
    /// The entry after, if there is one.
    pub next: Option<u64>,
}

/// Header, body, hashes.
pub fn entry(frame: &Frame, view: &EntryView) -> Markup {
    let line = &view.line;
    let title = format!("Entry #{}", line.seq);
    let trail = html! { a href="/admin/audit" { "Audit log" } };
    let content = html! {
        div class="head" {
            div {
                p class="trail" { (trail) }
                h1 { (title) }
                p { (line.what) " " (line.outcome.badge().show()) }
            }
        }
        (card("header", "What happened", &header(frame, view)))
        @if view.erased {
            (notice(Tone::Plain, &html! { p { "The body of this entry was erased by retention. Header and hashes stay, so "
                "the chain still verifies." } }))
        } @else {
            @if !view.detail.is_empty() { (card("detail", "Detail", &pairs(&view.detail))) }
            @if !view.source.is_empty() { (card("source", "Where it came from", &pairs(&view.source))) }
        }
        (card("hashes", "Its place in the chain", &hashes(view)))
        (neighbours(view))
    };
    page(frame, &format!("{title} · Audit log"), false, &content)
}

fn header(frame: &Frame, view: &EntryView) -> Markup {
    let line = &view.line;
    let mut rows = vec![
        ("When", html! { (exact(line.at)) " (" (time_ago(line.at, frame.now)) ")" br; small { code { (line.at) } } }),
        ("Action", html! { code { (line.action) } }),
        ("Outcome", html! { (line.outcome.as_str()) }),
        ("By", party(&view.actor)),
    ];
    if let Some(target) = &view.target {
        rows.push(("Concerns", party(target)));
    }
    if let Some(case) = line.case {
        rows.push(("Case", case_link(frame, case)));
    }
    for (name, text) in [("Reason", &view.reason), ("Ticket", &view.ticket)] {
        if !text.is_empty() {
            rows.push((name, html! { (text) }));
        }
    }
    facts(&rows)
}

fn party(party: &Party) -> Markup {
    html! {
        @if party.name.is_empty() { (party.kind) } @else { bdi { (party.name) } }
        @if !party.id.is_empty() { br; small { (party.kind) " " code { (party.id) } } }
    }
}

fn pairs(pairs: &[(String, String)]) -> Markup {
    let rows: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), html! { (value) })).collect();
    facts(&rows)
}

fn hashes(view: &EntryView) -> Markup {
    html! {
        (facts(&[
            ("Lineage", html! { code { (view.lineage) } }),
            ("Previous hash", html! { code { (view.previous_hash) } }),
            ("Body digest", html! { code { (view.body_digest) } }),
            ("Hash", html! { code id="hash" { (view.hash) } }),
        ]))
        div class="actions" { (copy_button("hash", "Copy the hash")) }
    }
}

fn neighbours(view: &EntryView) -> Markup {
    let href = |seq: u64| format!("/admin/audit/{seq}");
    let previous = view.previous.map(href);
    let next = view.next.map(href);
    pager(
        previous.as_deref().map(|href| ("← Previous entry", href)),
        next.as_deref().map(|href| ("Next entry →", href)),
    )
}

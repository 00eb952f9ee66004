//! Entries of the audit log: a line in a list, and one in full with its hashes.

use maud::{Markup, html};

use super::Frame;
use super::audit::page;
use super::parts::{Badge, Tone, card, copy_button, facts, notice, pager, table};
use super::words::{exact, time_ago};
use crate::audit::Outcome;
use crate::ids::CaseNumber;
use crate::time::Timestamp;

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

fn outcome_badge(outcome: Outcome) -> Badge {
    let tone = match outcome {
        Outcome::Success => Tone::Good,
        Outcome::Failure => Tone::Warn,
        Outcome::Denied => Tone::Bad,
    };
    Badge::new(tone, outcome.as_str())
}

/// A table of entries: when, what, by whom. Few columns, so that a phone shows them all.
pub(super) fn entry_table(frame: &Frame, label: &str, entries: &[EntryLine]) -> Markup {
    let columns = ["When", "What", "Entry"];
    let row = |e: &EntryLine| {
        vec![
            html! { span class="screen" { (time_ago(e.at, frame.now)) br; } small class="whole" { (exact(e.at)) } },
            html! {
                (e.what) " " (outcome_badge(e.outcome).show()) br;
                small {
                    code { (e.action) } " · by " bdi { (e.actor) }
                    @if !e.target.is_empty() && e.target != e.actor { " · concerns " bdi { (e.target) } }
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
    let path = if opens_people(frame) { "/admin/recovery/" } else { "/admin/audit?case=" };
    html! { a class="whole" href={ (path) (case) } { (case) } }
}

/// Whether the viewer may open people and cases. An auditor reads entries only.
fn opens_people(frame: &Frame) -> bool {
    frame.signed_in.as_ref().is_some_and(|v| v.role.looks_after_people())
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
                p { (line.what) " " (outcome_badge(line.outcome).show()) }
            }
        }
        (card("header", "What happened", &header(frame, view)))
        @if view.erased {
            (notice(Tone::Plain, &html! { p { "What this entry said is no longer kept, because it was older than the "
                "policy keeps it: names, reason, where it came from. That it was written, when, about what and by whom stays, so "
                "the chain still holds." } }))
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
        (
            "When",
            html! { (exact(line.at)) span class="screen" { " (" (time_ago(line.at, frame.now)) ")" } br; small { code { (line.at) } } },
        ),
        ("Action", html! { code { (line.action) } }),
        ("Outcome", html! { (line.outcome.as_str()) }),
        ("By", party(frame, &view.actor)),
    ];
    if let Some(target) = &view.target {
        rows.push(("Concerns", party(frame, target)));
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

fn party(frame: &Frame, party: &Party) -> Markup {
    let person = party.kind == "person" && !party.id.is_empty() && opens_people(frame);
    html! {
        @if party.name.is_empty() { (party.kind) }
        @else if person { a href={ "/admin/users/" (party.id) } { bdi { (party.name) } } }
        @else { bdi { (party.name) } }
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

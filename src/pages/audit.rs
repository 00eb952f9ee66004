//! The audit log: a filtered list whose address can be kept, and the export of exactly that.

use maud::{Markup, html};

use super::Frame;
use super::entry::{EntryLine, entry_table};
use super::field::Field;
use super::form::{Choice, Form, checkbox, select};
use super::frame::Section;
use super::parts::{Tone, address, card, empty, heading, more, notice, pager};
use super::words::{grouped, time_ago};
use crate::audit::Outcome;
use crate::audit::anchor::{Anchor, Way, is_old};
use crate::policy::HowOften;
use crate::time::Timestamp;

/// The filters, as they are named in the address and in the export's form.
pub const FILTERS: [&str; 8] = ["action", "person", "actor", "involving", "outcome", "case", "since", "until"];

/// A page of the list: `GET /admin/audit?action=&person=&actor=&involving=&outcome=&case=&since=&until=&before=`.
#[derive(Debug, Clone)]
pub struct AuditView<'a> {
    /// Holds the filter as it was typed, under the names in [`FILTERS`]; errors stand beside their fields. Its CSRF
    /// value is for the export: `POST /admin/audit/export` with the same names and `format` (`jsonl` or `csv`).
    pub form: Form<'a>,
    /// Every action there is, for the list to choose from.
    pub actions: &'a [&'a str],
    /// What is known of the chain.
    pub chain: ChainView,
    /// Newest first.
    pub entries: Vec<EntryLine>,
    /// Whether this page is not the newest.
    pub further: bool,
    /// The cursor of older entries, if there are any.
    pub before: Option<String>,
}

/// What is known of the chain at this moment, without reading all of it.
#[derive(Debug, Clone)]
pub struct ChainView {
    /// The newest entry's number.
    pub newest: u64,
    /// When it was written.
    pub at: Timestamp,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
    /// Whether it hashes to what it says and extends the entry before it.
    pub extends: bool,
    /// The last time that the trail says it was checked whole: up to which entry, and when.
    pub checked: Option<(u64, Timestamp)>,
    /// Where the newest checkpoints went, the newest first.
    pub anchors: Vec<Anchor>,
    /// How often they go out by e-mail; nothing where no mail server is set.
    pub mails: Option<HowOften>,
}

/// The list with its filter and its export.
pub fn audit(frame: &Frame, view: &AuditView) -> Markup {
    let form = &view.form;
    let understood = !FILTERS.iter().any(|name| form.error(name).is_some());
    let filtered = FILTERS.iter().any(|name| !form.value(name).is_empty());
    let newest = query(form, "");
    let older = view.before.as_deref().map(|before| query(form, before));
    let content = html! {
        (heading(None, "Audit log", None))
        (form.summary(if understood { "Nothing was exported." } else { "This filter can not be used as it is." }))
        (chain(frame, &view.chain))
        (for_auditors())
        section class="card screen" aria-label="Filter" { (filter(form, view.actions, filtered)) }
        (on_paper(form, filtered))
        @if !view.entries.is_empty() {
            section class="card" { (entry_table(frame, "Entries, newest first", &view.entries)) }
            (pager(
                view.further.then_some(("Newest", &newest)),
                older.as_deref().map(|href| ("Older", href)),
            ))
        } @else if understood {
            (empty("No entry matches.", "Widen the time or take a filter away."))
        }
        @if understood { (export(form, filtered)) }
    };
    page(frame, "Audit log", form.wrong(), &content)
}

/// A page of the audit section.
pub(super) fn page(frame: &Frame, title: &str, wrong: bool, content: &Markup) -> Markup {
    frame.wide(Section::Audit, title, wrong, content)
}

/// How much of the hash is enough to compare by eye what stands elsewhere in full.
const SHORT_HASH: usize = 16;

/// The state of the chain: only what is known, and where the rest is found out.
fn chain(frame: &Frame, view: &ChainView) -> Markup {
    html! {
        @if !view.extends {
            (notice(Tone::Bad, &html! {
                p { strong { "The newest entry, " (grouped(view.newest)) ", is not as it was written." } " Somebody changed "
                    "the database by hand, or it is damaged. On the host, " code { "idp audit verify" }
                    " names the first entry at which something is wrong." }
            }))
        }
        p class="muted" {
            "State of the chain: the newest entry is "
            a href={ "/admin/audit/" (view.newest) } { (grouped(view.newest)) } ", " (time_ago(view.at, frame.now))
            ", " a href="/admin/audit/promises#promised" { "seal" } " (hash) " code { (view.hash.get(..SHORT_HASH).unwrap_or(&view.hash)) }
            @if view.extends { ", and it extends the one before." } @else { "." }
            @if let Some((up_to, at)) = view.checked {
                " Entries 1 to " (grouped(up_to)) " were last checked one by one with a backup, " (time_ago(at, frame.now)) "."
            } @else {
                " No backup has checked all entries one by one yet."
            }
        }
        (anchors(frame, view))
        div class="screen" { (more("How to check all of it", &html! {
            p { "This page looks at the newest entry and the one before, and says what the last backup found. On the host, "
                code { "idp audit verify" } " reads every entry and computes its seal (hash) again." }
            p { "That alone shows that nobody made a mistake. Who owns the host could have written the whole log anew, and "
                "only what is kept elsewhere shows that: take an anchor, such as the newest message in your mailbox with the "
                "subject “Keep this: receipt for … entries of the audit log”, save it as a file, and run "
                code { "idp audit verify --anchor FILE" } ". It says ANCHORED where the log still is what it was then." }
        })) }
    }
}

/// What explains the list, beside the list.
fn for_auditors() -> Markup {
    html! {
        ul class="screen" {
            li { a href="/admin/audit/resets" { "Resets by admins: the report" } }
            li { a href="/admin/audit/promises" { "What this trail promises, and what not" } }
            li { a href="/admin/audit/verify" { "How to verify an export on your own machine" } }
        }
    }
}

/// What is kept where this host can not change it, and how old that is.
fn anchors(frame: &Frame, view: &ChainView) -> Markup {
    let newest = view.anchors.first();
    let old = newest.is_none_or(|anchor| is_old(anchor.signed_at, frame.now));
    html! {
        p class="muted" {
            @if let Some(newest) = newest {
                "Last anchor: of " (grouped(newest.seq.unsigned_abs())) " entries, " (time_ago(newest.signed_at, frame.now))
                ", " (went(newest)) "."
                @for other in &view.anchors[1..] {
                    " Before that, of " (grouped(other.seq.unsigned_abs())) " entries, " (time_ago(other.signed_at, frame.now))
                    ", " (went(other)) "."
                }
            } @else {
                "No anchor yet: nothing outside this host says how far the log has come."
            }
            @match view.mails {
                Some(HowOften::Never) => " No anchors are mailed, as the policy says.",
                Some(often) => { " Owners and auditors are mailed one " (often.sentence()) "." }
                None => {}
            }
            " " a class="screen" href="/admin/audit/promises#anchors" { "What an anchor is" }
        }
        @if old {
            (notice(Tone::Warn, &html! {
                p { strong { "What was logged lately could be changed without anybody noticing." } " An anchor is a receipt that "
                    "is kept where nobody on this host can change it. "
                    @match view.mails {
                        None => "Set a mail server, and owners and auditors get one every day; or keep what `idp backup` prints.",
                        Some(HowOften::Never) => { "Let owners and auditors get one by e-mail: "
                            a href="/admin/policy#anchor_mails" { "see the policy" } "." }
                        Some(_) => "One goes out by e-mail a day after the first start. If none came since, look under System.",
                    }
                }
            }))
        }
    }
}

fn went(anchor: &Anchor) -> Markup {
    html! {
        @match anchor.way {
            Way::Mail => { "mailed to " (anchor.whom) }
            Way::Syslog => { "sent to the log server " bdi { (anchor.whom) } }
            Way::Printed => { "printed by " code { (anchor.whom) } ", for whoever keeps what that prints" }
        }
    }
}

/// The filter in words: a list on paper has to say what it leaves out.
fn on_paper(form: &Form, filtered: bool) -> Markup {
    html! {
        p class="paper" {
            @if filtered { "Only entries with this filter: " } @else { "Every kind of entry." }
            @for (i, name) in FILTERS.into_iter().filter(|name| !form.value(name).is_empty()).enumerate() {
                @if i > 0 { ", " } (name) " " strong { (form.value(name)) }
            }
        }
    }
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
            (Field::new("involving", "Either of both").address().show(form))
            (Field::new("case", "Case").show(form))
            (Field::new("since", "Since (UTC)").show(form))
            (Field::new("until", "Until (UTC)").show(form))
            div class="actions" {
                button { "Filter" }
                @if filtered { a href="/admin/audit" { "Show everything" } }
                span class="hint" { "People by e-mail address; times like 2026-11-24 or 2026-11-24T09:30:00Z, where the day of “Until” itself "
                    "does not count; cases like R-2026-0042." }
            }
        }
    }
}

/// An export is a POST, because it writes an entry itself.
fn export(form: &Form, filtered: bool) -> Markup {
    let filter = FILTERS.map(|name| (name, form.value(name)));
    let label = if filtered { "Export what this filter finds" } else { "Export everything" };
    html! { div class="screen" { (card("export", "Export", &export_form(form, &filter, label, &html! {}))) } }
}

/// The form that exports what `filter` finds: how, and whether with its proof; with `more` beside the button.
pub(super) fn export_form(form: &Form, filter: &[(&str, &str)], label: &str, more: &Markup) -> Markup {
    let formats = [("jsonl", "JSON Lines"), ("csv", "CSV, for spreadsheets")];
    let proof = Choice::new("on", "With its proof").hint(
        "Anyone can then check, on their own computer, that nothing was changed and nothing was left out. It comes as one \
         archive (zip) with the entries, their proof, and a page that says how to check them.",
    );
    html! {
        form method="post" action="/admin/audit/export" {
            (form.hidden())
            @for (name, value) in filter { input type="hidden" name=(name) value=(value); }
            (select(form, "format", "Format", "", &formats))
            (checkbox(form, "proof", &proof))
            div class="actions" {
                button { (label) }
                (more)
                span class="hint" { "The export itself stands in the log too." }
            }
        }
    }
}

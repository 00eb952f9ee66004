//! The dozen parts that pages are put together from.

use maud::{Markup, Render, html};

use super::words::{spelled, time_ago};
use crate::ids::{FactorId, SessionId};
use crate::secret::Secret;
use crate::sessions::{Session, device_name};
use crate::time::Timestamp;

/// How good the news is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Neither good nor bad.
    Plain,
    /// Done, or well.
    Good,
    /// To be looked at.
    Warn,
    /// Refused, broken or dangerous.
    Bad,
}

impl Tone {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// A word or two in a pill.
#[derive(Debug, Clone)]
pub struct Badge {
    /// The words. Colour only supports them.
    pub text: String,
    /// How good the news is.
    pub tone: Tone,
}

impl Badge {
    /// A badge.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }

    pub(super) fn show(&self) -> Markup {
        html! { span class={ "badge " (self.tone.class()) } { (self.text) } }
    }
}

/// One authenticator app of a person, as profile and console list it.
#[derive(Debug, Clone)]
pub struct FactorLine {
    /// Which.
    pub id: FactorId,
    /// What kind it is: "Authenticator app".
    pub kind: String,
    /// The name that its owner gave it.
    pub name: String,
    /// When it was confirmed.
    pub added_at: Timestamp,
    /// When it last let its owner in.
    pub last_used_at: Option<Timestamp>,
    /// When too many wrong codes switched it off.
    pub switched_off_at: Option<Timestamp>,
}

/// One session of a person, as profile and console list it.
#[derive(Debug, Clone)]
pub struct SessionLine {
    /// Which.
    pub id: SessionId,
    /// What it runs on, in plain words: "Firefox on Linux".
    pub device: String,
    /// The address from which it began.
    pub address: String,
    /// When it began.
    pub began_at: Timestamp,
    /// The last request, give or take a minute.
    pub seen_at: Timestamp,
    /// Whether it is the one in which the page is looked at.
    pub here: bool,
}

impl SessionLine {
    /// A session as it is listed to who looks at the page in the session `here`.
    pub fn of(session: &Session, here: SessionId) -> Self {
        Self {
            id: session.id,
            device: device_name(&session.user_agent),
            address: session.address.clone(),
            began_at: session.created_at,
            seen_at: session.seen_at,
            here: session.id == here,
        }
    }
}

/// A fold with more to read.
pub(super) fn more(summary: &str, content: &Markup) -> Markup {
    html! { details { summary { (summary) } div { (content) } } }
}

/// A message that stands in the page.
pub(super) fn notice(tone: Tone, content: &Markup) -> Markup {
    html! { div class={ "notice " (tone.class()) } { (content) } }
}

/// A card with a heading.
pub(super) fn card(id: &str, heading: &str, content: &Markup) -> Markup {
    html! { section class="card" aria-labelledby=(id) { h2 id=(id) { (heading) } (content) } }
}

/// The heading of a console page with what stands above it and its actions to the right.
pub(super) fn heading(trail: Option<&Markup>, title: impl Render, actions: Option<&Markup>) -> Markup {
    html! {
        div class="head" {
            div { @if let Some(trail) = trail { p class="trail" { (trail) } } h1 { (title) } }
            @if let Some(actions) = actions { (actions) }
        }
    }
}

/// A table; one cell for each heading in every row, the first one naming what the row is about.
///
/// On a phone the stylesheet sets the cells of a row under each other, each after its heading. Browsers take a table's
/// meaning away with its layout, so the roles stand here in words.
pub(super) fn table(label: &str, headings: &[&str], rows: &[Vec<Markup>]) -> Markup {
    let heading = |i: usize| headings.get(i).filter(|h| i > 0 && !h.is_empty());
    html! {
        div class="scroll" tabindex="0" role="region" aria-label={ (label) ", table" } {
            table role="table" {
                thead role="rowgroup" { tr role="row" {
                    @for heading in headings {
                        th role="columnheader" scope="col" {
                            @if heading.is_empty() { span class="unseen" { "Action" } } @else { (heading) }
                        }
                    }
                } }
                tbody role="rowgroup" { @for row in rows { tr role="row" {
                    @for (i, cell) in row.iter().enumerate() {
                        td role="cell" data-heading=[heading(i)] { (cell) }
                    }
                } } }
            }
        }
    }
}

/// Sessions, with what `end` puts at the end of a row.
pub(super) fn sessions_table(now: Timestamp, lines: &[SessionLine], end: impl Fn(&SessionLine) -> Markup) -> Markup {
    let columns = ["Device", "Address", "Signed in", "Last seen", ""];
    let row = |line: &SessionLine| {
        vec![
            html! {
                strong { bdi { (line.device) } }
                @if line.here { " " (Badge::new(Tone::Good, "this session").show()) }
            },
            html! { span class="from" { (line.address) } },
            time_ago(line.began_at, now),
            time_ago(line.seen_at, now),
            end(line),
        ]
    };
    table("Sessions", &columns, &lines.iter().map(row).collect::<Vec<_>>())
}

/// Names and values.
pub(super) fn facts(rows: &[(&str, Markup)]) -> Markup {
    html! { dl class="facts" { @for (name, value) in rows { dt { (name) } dd { (value) } } } }
}

/// What stands where a list would, when there is nothing to list.
pub(super) fn empty(title: &str, text: &str) -> Markup {
    html! { div class="card empty" { p { strong { (title) } } p class="muted" { (text) } } }
}

/// Links at the foot of a list.
pub(super) fn pager(first: Option<(&str, &str)>, next: Option<(&str, &str)>) -> Markup {
    html! {
        @if first.is_some() || next.is_some() {
            nav class="pager" aria-label="Pages" {
                @for (label, href) in [first, next].into_iter().flatten() { a class="button" href=(href) { (label) } }
            }
        }
    }
}

/// `path` with those of the `pairs` that have a value as its query.
pub(super) fn address<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The way out of a form.
pub(super) fn cancel(href: &str) -> Markup {
    html! { a href=(href) { "Cancel" } }
}

/// One secret, large enough to be read aloud, with a button that copies it.
///
/// A screen reader spells it: group after group, symbol by symbol.
pub(super) fn secret(id: &str, text: &Secret) -> Markup {
    html! {
        p class="secret" id=(id) role="img" aria-label=(spelled(text.reveal())) { (text.reveal()) }
        p class="screen" { (copy_button(id, "Copy")) }
    }
}

/// A button that copies the text of the element `id`; hidden where no script runs.
pub(super) fn copy_button(id: &str, label: &str) -> Markup {
    html! { button type="button" hidden data-copy=(id) { (label) } }
}

/// Codes as a grid, with buttons to copy, save and print them; `heading` goes into the file and onto the paper.
pub(super) fn codes(codes: &[Secret], heading: &str, file: &str) -> Markup {
    html! {
        p class="paper" { strong { (heading) } }
        ul class="codes" id="codes" { @for code in codes { li { (code.reveal()) } } }
        (tools("codes", "codes", heading, file))
    }
}

/// Buttons that copy, save and print the items of the list `id`; `heading` goes into the file.
pub(super) fn tools(id: &str, what: &str, heading: &str, file: &str) -> Markup {
    html! {
        div class="actions tools" {
            (copy_button(id, "Copy"))
            button type="button" hidden data-save=(id) data-file=(file) data-heading=(heading) { "Download" }
            button type="button" hidden data-print { "Print" }
        }
        noscript { p class="hint screen" { "Select the " (what) " to copy them, or print this page." } }
    }
}

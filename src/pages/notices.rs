//! What a person is told about their account: in a banner after signing in, and as a list of their own.

pub mod words;

use maud::{Markup, html};

use self::words::Words;
use super::Frame;
use super::form::Form;
use super::parts::{Badge, Tone, cancel, empty, heading, notice};
use super::profile::{back, page};
use super::words::{clock, time_ago};
use crate::ids::{CaseNumber, NoticeId};
use crate::notices::Notice;
use crate::outbox::Objection;
use crate::time::Timestamp;

/// A notice as its person is shown it.
#[derive(Debug, Clone)]
pub struct NoticeLine {
    id: NoticeId,
    at: Timestamp,
    title: &'static str,
    happened: String,
    /// By whom, from where, in which case, why.
    beside: Vec<String>,
    /// The case to look at, for owners.
    case: Option<CaseNumber>,
    next: String,
    objection: Option<Objection>,
    objected_at: Option<Timestamp>,
    seen: bool,
}

impl NoticeLine {
    /// A notice, with the way to say “this wasn't me” where there is one.
    pub fn of(notice: &Notice, objection: Option<Objection>) -> Self {
        let words = Words::of(notice);
        // Owners are told about somebody else, and go on with the case.
        let case = notice.case.filter(|_| !notice.facts.about.is_empty());
        let beside = words.rows.iter().filter(|(name, _)| *name != "When" && (*name != "Case" || case.is_none()));
        Self {
            id: notice.id,
            at: notice.at,
            title: words.title,
            happened: words.happened,
            beside: beside.map(|(name, value)| format!("{name}: {value}")).collect(),
            case,
            next: words.next,
            objection,
            objected_at: notice.objected_at,
            seen: notice.seen_at.is_some(),
        }
    }
}

/// What the person was not shown yet.
#[derive(Debug, Clone)]
pub struct Unseen {
    /// The newest, at most a few.
    pub lines: Vec<NoticeLine>,
    /// Whether there are more.
    pub more: bool,
    /// Where they are, to come back to.
    pub here: String,
}

/// The banner above every page of who is signed in, until they say that they have read it.
pub(super) fn banner(unseen: &Unseen, csrf: &str, now: Timestamp) -> Markup {
    let tone = if unseen.lines.iter().any(|line| line.objection.is_some()) { Tone::Warn } else { Tone::Plain };
    let content = html! {
        p { strong { "Since you were last here:" } }
        @for line in &unseen.lines { (told(line, now)) }
        form class="actions" method="post" action="/profile/notices/seen" {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name="next" value=(unseen.here);
            @for line in &unseen.lines { input type="hidden" name="notice" value=(line.id); }
            button { "Got it" }
            @if unseen.more { a href="/profile/notices" { "There is more: see all" } }
        }
    };
    html! { div class="unread screen" role="region" aria-label="What you were not told yet" { (notice(tone, &content)) } }
}

fn told(line: &NoticeLine, now: Timestamp) -> Markup {
    html! {
        p {
            strong { (line.title) } " · " (time_ago(line.at, now)) br;
            (line.happened) " " (line.next)
            @for part in &line.beside { " " span class="muted" { bdi { (part) } "." } }
            @if let Some(case) = line.case { " " a class="whole" href={ "/admin/recovery/" (case) } { "Open case " (case) } }
            @if let Some(link) = &line.objection { " " a href=(link.path) { "This wasn’t me" span class="unseen" { ": " (line.title) } } }
        }
    }
}

/// Saying that something was read which is newer than the last code of this session: answered with 422.
#[derive(Debug, Clone)]
pub struct ReadView<'a> {
    /// Asks for a code.
    pub form: Form<'a>,
    /// What was read.
    pub lines: Vec<NoticeLine>,
    /// Where they were.
    pub next: String,
}

/// What was read, and the code that confirms it.
pub fn read(frame: &Frame, view: &ReadView) -> Markup {
    let content = html! {
        (heading(Some(&back()), "Confirm that you have read it", None))
        (view.form.summary("It is not marked as read yet."))
        section class="card" { @for line in &view.lines { (told(line, frame.now)) } }
        form class="card" method="post" action="/profile/notices/seen" novalidate {
            (view.form.hidden())
            input type="hidden" name="next" value=(view.next);
            @for line in &view.lines { input type="hidden" name="notice" value=(line.id); }
            p {
                "This happened after you last showed a code here. Somebody who got hold of your session could press the "
                "button too, so that you never hear of it."
            }
            (view.form.step_up())
            div class="actions" { button class="main" { "Got it" } (cancel(&view.next)) }
        }
    };
    page(frame, "Confirm that you have read it", view.form.wrong(), &content)
}

/// A person's own list: `GET /profile/notices`. Its one form posts to `/profile/notices/seen`.
#[derive(Debug, Clone)]
pub struct OwnNoticesView<'a> {
    /// For the button that says that all was read.
    pub form: Form<'a>,
    /// The newest first.
    pub lines: Vec<NoticeLine>,
}

/// What the person was told lately.
pub fn own(frame: &Frame, view: &OwnNoticesView) -> Markup {
    let unseen: Vec<&NoticeLine> = view.lines.iter().filter(|line| !line.seen).collect();
    let content = html! {
        (heading(Some(&back()), "What you were told", None))
        @if view.lines.is_empty() {
            (empty("Nothing yet.", "When something happens to your account, you are told here, and by mail where it can be sent."))
        }
        @if !unseen.is_empty() {
            form class="actions" method="post" action="/profile/notices/seen" {
                (view.form.hidden())
                input type="hidden" name="next" value="/profile/notices";
                @for line in &unseen { input type="hidden" name="notice" value=(line.id); }
                button { "I have read it all" }
            }
        }
        @for line in &view.lines {
            section class="card" {
                (told(line, frame.now))
                @if !line.seen { (Badge::new(Tone::Warn, "new").show()) }
                @if let Some(link) = &line.objection {
                    p class="muted" { "You can say so once, until " (clock(link.until, frame.now)) "." }
                }
                @if let Some(at) = line.objected_at { p { strong { "Somebody said that this was not you " (time_ago(at, frame.now)) "." } } }
            }
        }
    };
    page(frame, "What you were told", false, &content)
}

//! The tab of what a person was told: each notice, to which addresses it went and whether it was sent; and a letter, for
//! whoever can not be reached by mail.

use maud::{Markup, html};

use super::{Tab, UserHead, tab};
use crate::ids::UserId;
use crate::notices::Notice;
use crate::outbox::{Fate, Kind, Message, NO_SERVER};
use crate::pages::Frame;
use crate::pages::grants::Subject;
use crate::pages::mail::Outline;
use crate::pages::notices::words::Words;
use crate::pages::parts::{Badge, Tone, card, copy_button, empty, heading, more, notice, table};
use crate::pages::users::page;
use crate::pages::words::{day, time_ago};

/// The tab: `/admin/users/{id}/notices`.
#[derive(Debug, Clone)]
pub struct NoticesView<'a> {
    /// What stands on top.
    pub head: UserHead<'a>,
    /// The newest first.
    pub told: Vec<Told>,
    /// Links that were mailed, and what admins wrote; the newest first.
    pub others: Vec<Message>,
    /// Whether a mail server is set.
    pub mails: bool,
    /// Why this viewer may neither copy nor print, if so.
    pub refused: Option<String>,
}

/// A notice, with what became of it.
#[derive(Debug, Clone)]
pub struct Told {
    /// The notice.
    pub notice: Notice,
    /// All of the message as text, with the link to object; absent where it is not the viewer's to hand over.
    pub text: Option<String>,
    /// Its messages, one an address.
    pub messages: Vec<Message>,
}

/// What the person was told.
pub fn told(frame: &Frame, view: &NoticesView) -> Markup {
    let content = html! {
        @if !view.mails {
            (notice(Tone::Warn, &html! {
                p { strong { "No mail server is set, so nothing of this was mailed." } " The person is shown it at the next sign-in. Until then, copy a message or print it as a letter." }
            }))
        }
        @if let Some(reason) = &view.refused { (notice(Tone::Plain, &html! { p { (reason) } })) }
        @if view.told.is_empty() {
            (empty("Nothing was told yet.", "When something happens to this account, what the person is told stands here."))
        }
        @for told in &view.told { (one(frame, view, told)) }
        @if !view.others.is_empty() { (card("others", "Other messages", &others(frame, view))) }
    };
    tab(frame, &view.head, Tab::Notices, false, &content)
}

fn one(frame: &Frame, view: &NoticesView, told: &Told) -> Markup {
    let (notice, words) = (&told.notice, Words::of(&told.notice));
    let id = format!("text-{}", notice.id);
    let content = html! {
        p {
            (words.happened) " " (time_ago(notice.at, frame.now)) "."
            @if let Some(case) = notice.case { " Case " a href={ "/admin/recovery/" (case) } { (case) } "." }
        }
        ul {
            @for message in &told.messages { li { (message.address) ": " (fate(frame, message, view.mails)) } }
            li { @if let Some(at) = notice.seen_at { "Read after signing in, " (time_ago(at, frame.now)) } @else { "Not read after signing in yet" } }
            @if let Some(at) = notice.objected_at { li { strong { "Objected to " (time_ago(at, frame.now)) } } }
        }
        @if let Some(text) = &told.text {
            (more("The message", &html! { p class="typed" id=(id) { (text) } }))
            div class="actions" {
                (copy_button(&id, "Copy the message"))
                a class="button" href={ "/admin/users/" (view.head.id) "/notices/" (notice.id) } { "Print as a letter" span class="unseen" { ": " (words.title) } }
            }
        }
    };
    // No landmark: several may be about the same.
    html! { div class="card" { h2 { (words.title) } (content) } }
}

/// What became of a message.
fn fate(frame: &Frame, message: &Message, mails: bool) -> Markup {
    let badge = |tone, text: &str| Badge::new(tone, text).show();
    html! {
        @match message.fate {
            Fate::Sent(at) => { (badge(Tone::Good, "sent")) " " (time_ago(at, frame.now)) },
            Fate::Waits(_) if !mails => (badge(Tone::Plain, "not mailed")),
            Fate::Waits(_) => {
                (badge(Tone::Warn, "waiting")) " since " (time_ago(message.created_at, frame.now))
                @if !message.error.is_empty() { ": " bdi { (message.error) } }
            },
            Fate::GivenUp(_) if message.error == NO_SERVER => (badge(Tone::Plain, "not mailed")),
            Fate::GivenUp(at) => { (badge(Tone::Bad, "given up")) " " (time_ago(at, frame.now)) ": " bdi { (message.error) } },
        }
    }
}

fn others(frame: &Frame, view: &NoticesView) -> Markup {
    let row = |message: &Message| {
        let what = if message.kind == Kind::Message { &message.subject } else { message.kind.label() };
        vec![
            html! { strong { bdi { (what) } } },
            html! { (message.address) },
            time_ago(message.created_at, frame.now),
            fate(frame, message, view.mails),
        ]
    };
    let rows: Vec<_> = view.others.iter().map(row).collect();
    table("Other messages", &["Message", "To", "Written", "What became of it"], &rows)
}

/// One notice as a letter: `GET /admin/users/{id}/notices/{notice}`.
#[derive(Debug, Clone)]
pub struct LetterView<'a> {
    /// To whom.
    pub person: Subject<'a>,
    /// What it says.
    pub outline: &'a Outline,
}

/// The notice on a sheet of paper, with date and address.
pub fn letter(frame: &Frame, view: &LetterView) -> Markup {
    let title = format!("Letter to {}", view.person.name);
    let trail = html! { a href=(tab_address(view.person.id)) { "What " bdi { (view.person.name) } " was told" } };
    let print = html! { button type="button" hidden data-print { "Print" } };
    let content = html! {
        div class="screen" {
            (heading(Some(&trail), &title, Some(&print)))
            p class="hint" { "Hand it over or send it to an address that was on the account before. The link in it blocks sign-in to the account and does nothing else." }
        }
        section class="card letter" {
            p { bdi { (view.person.name) } br; (view.person.email) }
            p { (day(frame.now)) }
            p { strong { (view.outline.subject) } }
            (view.outline.body())
        }
    };
    page(frame, &title, false, &content)
}

fn tab_address(id: UserId) -> String {
    format!("/admin/users/{id}/notices")
}

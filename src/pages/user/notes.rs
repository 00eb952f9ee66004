//! The tab of the notes on a person: what was remarked, by whom, and a form to add one.

use maud::{Markup, html};

use super::{Tab, UserHead, tab};
use crate::pages::Frame;
use crate::pages::field::Field;
use crate::pages::form::Form;
use crate::pages::grants::UNCHANGED;
use crate::pages::parts::{card, pager};
use crate::pages::words::time_ago;
use crate::time::Timestamp;

/// A remark that somebody left on a person's record.
#[derive(Debug, Clone)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What; nothing where it is no longer kept.
    pub text: Option<String>,
}

/// The fifth tab: `GET /admin/users/{id}/notes?before=` and `POST /admin/users/{id}/notes` with `text`.
#[derive(Debug, Clone)]
pub struct NotesView<'a> {
    /// What stands on top.
    pub head: UserHead<'a>,
    /// With a nonce; keeps `text`.
    pub form: Form<'a>,
    /// Newest first.
    pub notes: Vec<Note>,
    /// The address of older notes, if there are any.
    pub older: Option<String>,
}

/// What was remarked, and a form to remark more.
pub fn notes(frame: &Frame, view: &NotesView) -> Markup {
    let (form, id) = (&view.form, view.head.id);
    let text = Field::new("text", "Note").hint("No passwords, codes or private matters, please.").area();
    let content = html! {
        (form.summary(UNCHANGED))
        form class="card" method="post" action={ "/admin/users/" (id) "/notes" } novalidate {
            (form.hidden())
            (text.show(form))
            (form.step_up())
            div class="actions" { button class="main" { "Add note" } }
            p class="hint" { "It stands in the audit log with your name and can not be changed or taken back." }
        }
        (card("notes", "Notes", &html! {
            @if view.notes.is_empty() { p class="muted" { "No notes yet." } } @else { (list(frame, &view.notes)) }
        }))
        (pager(None, view.older.as_deref().map(|href| ("Older", href))))
    };
    tab(frame, &view.head, Tab::Notes, form.wrong(), &content)
}

pub(super) fn list(frame: &Frame, notes: &[Note]) -> Markup {
    html! {
        dl class="facts" {
            @for note in notes {
                dt { (time_ago(note.at, frame.now)) }
                dd {
                    @match &note.text {
                        Some(text) => { (text) }
                        None => { span class="muted" { "The text of this note is no longer kept." } }
                    }
                    br; small { "by " bdi { (note.by) } }
                }
            }
        }
    }
}

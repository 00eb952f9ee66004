//! The tab of the notes on a person, and adding one.

use super::super::error::Problem;
use super::super::grants::{Sheet, confirmed};
use super::super::guards::{Call, Signed};
use super::super::show::{Answer, Page, Said, page_of, wrong};
use super::{cursor, entry_line, load};
use crate::actions::administer;
use crate::audit::Reason;
use crate::audit::plain::Read;
use crate::ids::UserId;
use crate::pages::FieldError;
use crate::pages::user::notes::{Note, NotesView, notes as notes_markup};
use crate::storage::{ReadTx, audit};

/// Notes on one page.
const PAGE: u32 = 20;

/// At most `limit` notes on a person before the entry `before`, newest first, each with its entry's number.
///
/// # Errors
/// Storage.
pub(super) fn list(
    tx: &ReadTx<'_>,
    user: UserId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<(i64, Note)>, Problem> {
    let entries = audit::list_notes(tx, user, before, limit)?;
    let note = entries.iter().map(|entry| {
        let read = Read::of(entry);
        let text = entry.body.is_some().then(|| read.fact("note"));
        let note = Note { at: entry.header.at, by: entry_line(entry).actor, text };
        (entry.header.seq, note)
    });
    Ok(note.collect())
}

/// `GET /admin/users/{id}/notes`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    show(&Sheet::open(call, signed)?, 200, Vec::new())
}

fn show(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let (call, id) = (sheet.call, sheet.user.id);
    let before = cursor(call)?;
    let (loaded, notes) = call
        .app
        .means
        .store
        .read(|tx| Ok::<_, Problem>((load(tx, call, sheet.signed, id)?, list(tx, id, before, PAGE + 1)?)))?;
    let (notes, more) = page_of(notes, PAGE);
    let older = notes.last().filter(|_| more).map(|(seq, _)| format!("/admin/users/{id}/notes?before={seq}"));
    let nonce = sheet.nonce_text();
    let view = NotesView {
        head: loaded.head(),
        form: sheet.form(&nonce, errors)?,
        notes: notes.into_iter().map(|(_, note)| note).collect(),
        older,
    };
    let page = Page::signed(call, sheet.signed);
    Ok(page.answer(status, notes_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/notes`
pub fn add(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show(&sheet, status, errors);
    let text = match call.fields.get("text").parse::<Reason>() {
        Ok(text) => text,
        Err(_) => return again(422, vec![wrong("text", "Enter a note of 3 to 500 characters.")]),
    };
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    sheet.granted(administer::add_note(&call.app.means, sheet.ask(nonce), text), |()| {
        sheet.back("/notes", Said::NoteAdded)
    })
}

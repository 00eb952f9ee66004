//! What a person looks like: the form for owners, and the picture for whoever looks after people.

use super::Response;
use super::contacts::numbers_of;
use super::error::Problem;
use super::grants::{Sheet, confirmed, open_form, subject};
use super::guards::{Call, Signed};
use super::show::{Answer, Page, Said, wrong};
use crate::actions::grants::Granted;
use crate::actions::portraits::{self as errands, ChangedPortrait, Picture};
use crate::grants::{Grant, Rule};
use crate::ids::UserId;
use crate::pages::FieldError;
use crate::pages::evidence::Known;
use crate::pages::portraits::{PortraitView, portrait as portrait_markup};
use crate::portraits::IdNote;
use crate::storage::{ReadTx, portraits};

/// What a person can be known by, as a form about evidence shows it.
pub(super) fn known_of(tx: &ReadTx<'_>, call: &Call<'_>, user: UserId) -> Result<Known, Problem> {
    let (portrait, numbers) = (portraits::find(tx, user)?, numbers_of(tx, call, user)?);
    Ok(Known { portrait, on_record: None, numbers })
}

/// `GET /admin/users/{id}/portrait.jpg`
pub fn picture(call: &Call<'_>, _: &Signed) -> Answer {
    let id: UserId = call.param("id")?;
    let jpeg = call.app.means.store.read(|tx| portraits::find_jpeg(tx, id))?.ok_or(Problem::NotFound)?;
    Ok(Response::new(200, jpeg.into_bytes()).with_header("Content-Type", "image/jpeg"))
}

/// `GET /admin/users/{id}/portrait`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    open_form(call, signed, Grant::ChangePortrait, |sheet| show(sheet, 200, Vec::new()))
}

fn show(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let call = sheet.call;
    let nonce = sheet.nonce_text();
    let on_record = call.app.means.store.read(|tx| portraits::find(tx, sheet.user.id))?;
    let note = on_record.as_ref().map_or("", |p| p.id_note.as_str()).to_owned();
    let form = sheet.form_from(&nonce, errors, [("id_note", &note)])?;
    let view = PortraitView { form, person: subject(&sheet.user), on_record, choose_again: call.fields.chose_file() };
    let page = Page::signed(call, sheet.signed);
    Ok(page.answer(status, portrait_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/portrait`
pub fn change(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show(&sheet, status, errors);
    let picture = match (call.fields.chose_file(), call.fields.get("remove") == "on") {
        (false, false) => Picture::Keep,
        (false, true) => Picture::Remove,
        (true, false) => Picture::Put(call.fields.file().to_vec()),
        (true, true) => {
            let text = "Either choose another photo, which takes its place, or have the present one removed.";
            return again(422, vec![wrong("remove", text)]);
        }
    };
    let id_note = match call.fields.get("id_note").parse::<IdNote>() {
        Ok(note) => note,
        Err(e) => return again(422, vec![wrong("id_note", e)]),
    };
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    let granted = errands::change(&call.app.means, sheet.ask(nonce), picture, id_note);
    if let Ok(Granted::No(Rule::NothingToDo)) = granted {
        return again(422, vec![wrong("file", "Choose a photo, or change the note: so far nothing is different.")]);
    }
    sheet.granted(granted, |changed| match changed {
        ChangedPortrait::Done => sheet.back("", Said::PortraitChanged),
        ChangedPortrait::Bad(why) => again(422, vec![wrong("file", why)]),
    })
}

//! Disabling, enabling, inviting again, and notes: acts on an account that rest on no evidence.

use super::grants::{Sheet, confirmed, subject};
use super::guards::{Call, Signed};
use super::people::show_link;
use super::show::{Answer, Page, Said, redirect_saying, wrong};
use crate::actions::administer;
use crate::audit::Reason;
use crate::pages::FieldError;
use crate::pages::standing::{
    InviteAgainView, NoteView, StandingView, disable as disable_markup, enable as enable_markup, invite_again,
    note as note_markup,
};
use crate::policy;
use crate::sessions::Stage;
use crate::storage::sessions;

/// `GET /admin/users/{id}/disable`
pub fn disable_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_standing(&Sheet::open(call, signed)?, 200, Vec::new(), true)
}

/// `GET /admin/users/{id}/enable`
pub fn enable_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_standing(&Sheet::open(call, signed)?, 200, Vec::new(), false)
}

fn show_standing(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>, disable: bool) -> Answer {
    let sessions = sheet.call.app.means.store.read(|tx| sessions::count(tx, sheet.user.id, Stage::Full))?;
    let nonce = sheet.nonce_text();
    let view = StandingView { form: sheet.form(&nonce, errors)?, person: subject(&sheet.user), sessions };
    let page = Page::signed(sheet.call, sheet.signed);
    let markup = if disable { disable_markup } else { enable_markup };
    Ok(page.answer(status, markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/disable`
pub fn disable(call: &Call<'_>, signed: &Signed) -> Answer {
    standing(call, signed, true)
}

/// `POST /admin/users/{id}/enable`
pub fn enable(call: &Call<'_>, signed: &Signed) -> Answer {
    standing(call, signed, false)
}

fn standing(call: &Call<'_>, signed: &Signed, disable: bool) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show_standing(&sheet, status, errors, disable);
    let reason = match call.fields.get("reason").parse::<Reason>() {
        Ok(reason) => reason,
        Err(e) => return again(422, vec![wrong("reason", e)]),
    };
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    let (ask, means) = (sheet.ask(nonce), &call.app.means);
    let (granted, said) = if disable {
        (administer::disable(means, ask, reason), Said::Disabled)
    } else {
        (administer::enable(means, ask, reason), Said::Enabled)
    };
    sheet.granted(granted, |()| Ok(redirect_saying(call, &format!("/admin/users/{}", sheet.user.id), said)))
}

/// `GET /admin/users/{id}/invitation`
pub fn invitation_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_invitation(&Sheet::open(call, signed)?, 200, Vec::new())
}

fn show_invitation(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let nonce = sheet.nonce_text();
    let view =
        InviteAgainView { form: sheet.form(&nonce, errors)?, person: subject(&sheet.user), valid: policy::INVITATION };
    let page = Page::signed(sheet.call, sheet.signed);
    Ok(page.answer(status, invite_again(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/invitation`
pub fn invitation(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    if let Err(answer) = confirmed(call, signed, |status, errors| show_invitation(&sheet, status, errors)) {
        return answer;
    }
    sheet.granted(administer::invite_again(&call.app.means, sheet.ask(nonce)), |invitation| {
        Ok(show_link(call, signed, sheet.user.name.as_str(), &invitation))
    })
}

/// `GET /admin/users/{id}/notes`
pub fn note_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_note(&Sheet::open(call, signed)?, 200, Vec::new())
}

fn show_note(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let nonce = sheet.nonce_text();
    let view = NoteView { form: sheet.form(&nonce, errors)?, person: subject(&sheet.user) };
    let page = Page::signed(sheet.call, sheet.signed);
    Ok(page.answer(status, note_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/notes`
pub fn note(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show_note(&sheet, status, errors);
    let text = match call.fields.get("text").parse::<Reason>() {
        Ok(text) => text,
        Err(_) => return again(422, vec![wrong("text", "Enter a note of 3 to 500 characters.")]),
    };
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    sheet.granted(administer::add_note(&call.app.means, sheet.ask(nonce), text), |()| {
        Ok(redirect_saying(call, &format!("/admin/users/{}", sheet.user.id), Said::NoteAdded))
    })
}

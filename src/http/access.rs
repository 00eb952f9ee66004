//! Another address to sign in with, and a fresh invitation link: grants that concern the way in itself.

use super::error::Problem;
use super::grants::{Sheet, open_form, ready, subject};
use super::guards::{Call, Signed};
use super::people::{show_link, taken, way};
use super::permission::Beforehand;
use super::show::{Answer, Page, Said, wrong};
use crate::actions::edit::EmailChange;
use crate::actions::grants::Granted;
use crate::actions::{administer, edit};
use crate::grants::{Grant, Rule};
use crate::pages::FieldError;
use crate::pages::access::{EmailView, InviteAgainView, email as email_markup, invite_again as invite_markup};
use crate::policy;
use crate::sessions::Stage;
use crate::storage::sessions;
use crate::users::Email;

/// `GET /admin/users/{id}/invitation`
pub fn invitation_page(call: &Call<'_>, signed: &Signed) -> Answer {
    open_form(call, signed, Grant::InviteAgain, |sheet| show_invitation(sheet, 200, Vec::new()))
}

fn show_invitation(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let (call, user) = (sheet.call, &sheet.user);
    let nonce = sheet.nonce_text();
    let form = sheet.form_from(&nonce, errors, [("by_mail", "on")])?;
    let ahead = call.app.means.store.read(|tx| Beforehand::read(tx, sheet, Grant::InviteAgain))?;
    let view = InviteAgainView {
        form: ahead.fill(sheet, form),
        person: subject(user),
        valid: policy::INVITATION,
        mails: call.app.means.mails,
        known: ahead.known,
        signals: ahead.signals,
        permission: ahead.permission,
    };
    let page = Page::signed(call, sheet.signed);
    Ok(page.answer(status, invite_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/invitation`
pub fn invitation(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let (nonce, statement) = match ready(call, signed, None, |status, errors| show_invitation(&sheet, status, errors)) {
        Ok(ready) => ready,
        Err(answer) => return answer,
    };
    let granted = administer::invite_again(&call.app.means, sheet.ask(nonce), statement, way(call));
    sheet.granted_on_evidence(granted, show_invitation, |invitation| {
        Ok(show_link(call, signed, sheet.user.name.as_str(), &invitation))
    })
}

/// `GET /admin/users/{id}/email`
pub fn email_page(call: &Call<'_>, signed: &Signed) -> Answer {
    open_form(call, signed, Grant::ChangeEmail, |sheet| show_email(sheet, 200, Vec::new()))
}

fn show_email(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let (call, user) = (sheet.call, &sheet.user);
    let nonce = sheet.nonce_text();
    let view = call.app.means.store.read(|tx| {
        let form = sheet.form(&nonce, errors)?;
        let ahead = Beforehand::read(tx, sheet, Grant::ChangeEmail)?;
        Ok::<_, Problem>(EmailView {
            form: ahead.fill(sheet, form),
            person: subject(user),
            sessions: sessions::count(tx, user.id, Stage::Full)?,
            known: ahead.known,
            signals: ahead.signals,
            permission: ahead.permission,
        })
    })?;
    let page = Page::signed(call, sheet.signed);
    Ok(page.answer(status, email_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/email`
pub fn email(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let email = call.fields.get("email").parse::<Email>();
    let unfit = email.as_ref().err().map(|e| wrong("email", e));
    let ready = ready(call, signed, unfit, |status, errors| show_email(&sheet, status, errors));
    let ((nonce, statement), email) = match (ready, email) {
        (Ok(ready), Ok(email)) => (ready, email),
        (Err(answer), _) => return answer,
        (Ok(_), Err(e)) => return show_email(&sheet, 422, vec![wrong("email", e)]),
    };
    let again = |text: &str| show_email(&sheet, 422, vec![wrong("email", text)]);
    let granted = edit::change_email(&call.app.means, sheet.ask(nonce), email, statement);
    if let Ok(Granted::No(Rule::NothingToDo)) = granted {
        return again("This is the address already. Write the new one.");
    }
    sheet.granted_on_evidence(granted, show_email, |change| match change {
        EmailChange::Done => sheet.back("", Said::EmailChanged),
        EmailChange::Taken(by) => again(taken(by)),
    })
}

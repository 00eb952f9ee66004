//! A new password through a link by mail; there where mail can be sent.

use super::Response;
use super::enrol::own_words;
use super::error::Problem;
use super::guards::{Call, Guest};
use super::show::{Answer, Page, to_guest, wrong};
use crate::actions::{Error, password_reset};
use crate::pages::invitation::{Link, LinkGoneView, link_gone};
use crate::pages::password_reset::{
    AskView, ChooseView, SentView, ask as ask_markup, choose as choose_markup, done as done_markup, sent as sent_markup,
};
use crate::pages::{FieldError, Form};
use crate::password::NewPassword;
use crate::policy;
use crate::users::{Email, User};

/// Where nothing can be sent, there is nothing here.
fn there(call: &Call<'_>) -> Result<(), Problem> {
    if call.app.means.mails { Ok(()) } else { Err(Problem::NotFound) }
}

/// `GET /password-reset`
pub fn page(call: &Call<'_>, guest: &Guest) -> Answer {
    there(call)?;
    Ok(to_guest(guest, show(call, guest, 200, Vec::new())))
}

fn show(call: &Call<'_>, guest: &Guest, status: u16, errors: Vec<FieldError>) -> Response {
    let form = Form { values: call.fields.kept(&["email"]), errors, ..Form::new(&guest.csrf) };
    let page = Page::stranger(call);
    page.answer(status, ask_markup(&page.frame(), &AskView { form, valid: policy::PASSWORD_RESET_LINK }))
}

/// `POST /password-reset`: the same answer for every address.
pub fn ask(call: &Call<'_>, guest: &Guest) -> Answer {
    there(call)?;
    let email: Email = match call.fields.get("email").parse() {
        Ok(email) => email,
        Err(e) => return Ok(show(call, guest, 422, vec![wrong("email", e)])),
    };
    password_reset::ask(&call.app.means, &email, &call.visitor)?;
    let page = Page::stranger(call);
    let help_contact = call.app.settings.help_contact.as_deref();
    Ok(page.answer(200, sent_markup(&page.frame(), &SentView { valid: policy::PASSWORD_RESET_LINK, help_contact })))
}

fn gone(call: &Call<'_>) -> Response {
    let page = Page::stranger(call);
    let view = LinkGoneView { link: Link::PasswordReset, help_contact: call.app.settings.help_contact.as_deref() };
    page.answer(410, link_gone(&page.frame(), &view))
}

fn whose(call: &Call<'_>) -> Result<Option<User>, Problem> {
    let Some(token) = call.token("token") else { return Ok(None) };
    Ok(password_reset::look(&call.app.means, &token)?)
}

/// `GET /password-reset/{token}`: shows the form and changes nothing, since mail programs open links by themselves.
pub fn choose_page(call: &Call<'_>, guest: &Guest) -> Answer {
    Ok(match whose(call)? {
        Some(user) => to_guest(guest, show_choose(call, guest, &user, 200, Vec::new())),
        None => gone(call),
    })
}

fn show_choose(call: &Call<'_>, guest: &Guest, user: &User, status: u16, errors: Vec<FieldError>) -> Response {
    let page = Page::stranger(call);
    let form = Form { errors, ..Form::new(&guest.csrf) };
    let view = ChooseView { form, action: call.request.path(), email: user.email.as_str() };
    page.answer(status, choose_markup(&page.frame(), &view))
}

/// `POST /password-reset/{token}`
pub fn choose(call: &Call<'_>, guest: &Guest) -> Answer {
    let (Some(token), Some(user)) = (call.token("token"), whose(call)?) else { return Ok(gone(call)) };
    let own = own_words(call, user.email.as_str(), user.name.as_str());
    let password = match NewPassword::parse(call.fields.get("new_password"), &own) {
        Ok(password) => password,
        Err(e) => return Ok(show_choose(call, guest, &user, 422, vec![wrong("new_password", e)])),
    };
    match password_reset::complete(&call.app.means, &token, &password, &call.visitor) {
        Ok(true) => {
            let page = Page::stranger(call);
            Ok(page.answer(200, done_markup(&page.frame())))
        }
        Ok(false) | Err(Error::NotFound) => Ok(gone(call)),
        Err(e) => Err(e.into()),
    }
}

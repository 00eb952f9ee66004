//! A person's own authenticator apps: adding, renaming, removing.

use super::Response;
use super::error::Problem;
use super::guards::{Call, Signed};
use super::show::{Answer, Page, Said, confirm, form_of, redirect_saying, wrong};
use crate::actions::enrol::seed;
use crate::actions::profile::{self, Added, Removed};
use crate::factors::Label;
use crate::factors::totp::TypedOtp;
use crate::ids::FactorId;
use crate::pages::factors::{
    NewFactorView, RemoveFactorView, RenameFactorView, StartFactorView, new_factor as new_factor_markup,
    remove_factor as remove_markup, rename_factor as rename_markup, start_factor as start_markup,
};
use crate::pages::{FieldError, Form};
use crate::storage::factors;

/// `POST /profile/factors`: prepares the secret, after a step-up where one is due.
pub fn start(call: &Call<'_>, signed: &Signed) -> Answer {
    if let Err(errors) = confirm(call, signed) {
        return show_start(call, signed, errors);
    }
    profile::begin_factor(&call.app.means, &signed.session)?;
    Ok(Response::redirect(303, "/profile/factors/new"))
}

fn show_start(call: &Call<'_>, signed: &Signed, errors: Vec<FieldError>) -> Answer {
    let form = Form { errors, ..form_of(call, signed, None)? };
    let page = Page::signed(call, signed);
    Ok(page.answer(422, start_markup(&page.frame(), &StartFactorView { form })))
}

/// `GET /profile/factors/new`
pub fn new_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_new(call, signed, 200, Vec::new())
}

fn show_new(call: &Call<'_>, signed: &Signed, status: u16, errors: Vec<FieldError>) -> Answer {
    if signed.session.sealed_seed.is_none() {
        return Ok(Response::redirect(303, "/profile"));
    }
    if !signed.session.is_stepped_up(call.now) {
        // The secret is shown to who has just shown a factor; who has not begins again.
        return show_start(call, signed, errors);
    }
    let seed = seed(&call.app.means, &signed.session)?;
    let form = Form { values: call.fields.kept(&["name"]), errors, ..form_of(call, signed, None)? };
    let page = Page::signed(call, signed);
    let view = NewFactorView {
        form,
        otpauth: seed.otpauth_uri(&call.app.settings.organisation, signed.user.email.as_str()),
        secret: seed.to_groups(),
    };
    Ok(page.answer(status, new_factor_markup(&page.frame(), &view)))
}

/// `POST /profile/factors/new`
pub fn new(call: &Call<'_>, signed: &Signed) -> Answer {
    if signed.session.sealed_seed.is_none() {
        return Ok(Response::redirect(303, "/profile"));
    }
    let (code, label) = (TypedOtp::parse(call.fields.get("code")), call.fields.get("name").parse::<Label>());
    let (code, label) = match (code, label) {
        (Some(code), Ok(label)) => (code, label),
        (code, label) => {
            let errors = [
                code.is_none().then(|| wrong("code", "Enter the 6 digits that the app shows now.")),
                label.err().map(|e| wrong("name", e)),
            ];
            return show_new(call, signed, 422, errors.into_iter().flatten().collect());
        }
    };
    if let Err(errors) = confirm(call, signed) {
        return show_new(call, signed, 422, errors);
    }
    match profile::add_factor(&call.app.means, &signed.session, &code, &label, &call.visitor)? {
        Added::Done => Ok(redirect_saying(call, "/profile", Said::FactorAdded)),
        Added::WrongCode => {
            let text = "This code is not right. Check that the app shows this account, and that its clock is right.";
            show_new(call, signed, 422, vec![wrong("code", text)])
        }
        Added::TooMany => {
            show_new(call, signed, 422, vec![wrong("", "You have ten already. Remove one that you do not use.")])
        }
    }
}

/// `GET /profile/factors/{id}/remove`
pub fn remove_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_remove(call, signed, 200, Vec::new())
}

fn show_remove(call: &Call<'_>, signed: &Signed, status: u16, errors: Vec<FieldError>) -> Answer {
    let id: FactorId = call.param("id")?;
    let (factor, working) = call.app.means.store.read(|tx| {
        let factor = factors::find(tx, signed.user.id, id)?;
        Ok::<_, Problem>((factor, factors::count_working(tx, signed.user.id)?))
    })?;
    let factor = factor.ok_or(Problem::NotFound)?;
    let nonce = call.new_nonce(signed);
    let form = Form { errors, ..form_of(call, signed, Some(&nonce))? };
    let page = Page::signed(call, signed);
    let view =
        RemoveFactorView { form, id, name: &factor.label, last: working <= u32::from(factor.disabled_at.is_none()) };
    Ok(page.answer(status, remove_markup(&page.frame(), &view)))
}

/// `POST /profile/factors/{id}/remove`. The second click finds nothing to remove, and says that it is gone.
pub fn remove(call: &Call<'_>, signed: &Signed) -> Answer {
    let id: FactorId = call.param("id")?;
    if let Err(errors) = confirm(call, signed) {
        return show_remove(call, signed, 422, errors);
    }
    match profile::remove_factor(&call.app.means, &signed.session, id, &call.visitor)? {
        Removed::Done(_) => Ok(redirect_saying(call, "/profile", Said::FactorRemoved)),
        Removed::Last => show_remove(call, signed, 422, Vec::new()),
    }
}

/// `GET /profile/factors/{id}/rename`
pub fn rename_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_rename(call, signed, 200, Vec::new())
}

fn show_rename(call: &Call<'_>, signed: &Signed, status: u16, errors: Vec<FieldError>) -> Answer {
    let id: FactorId = call.param("id")?;
    let factor = call.app.means.store.read(|tx| factors::find(tx, signed.user.id, id))?.ok_or(Problem::NotFound)?;
    let values = if call.is_post() { call.fields.kept(&["name"]) } else { vec![("name".to_owned(), factor.label)] };
    let form = Form { values, errors, ..form_of(call, signed, None)? };
    let page = Page::signed(call, signed);
    Ok(page.answer(status, rename_markup(&page.frame(), &RenameFactorView { form, id })))
}

/// `POST /profile/factors/{id}/rename`
pub fn rename(call: &Call<'_>, signed: &Signed) -> Answer {
    let id: FactorId = call.param("id")?;
    let label = match call.fields.get("name") {
        name if name.trim().is_empty() => Err("Enter a name.".to_owned()),
        name => name.parse::<Label>().map_err(|e| e.to_string()),
    };
    let label = match label {
        Ok(label) => label,
        Err(text) => return show_rename(call, signed, 422, vec![wrong("name", text)]),
    };
    if let Err(errors) = confirm(call, signed) {
        return show_rename(call, signed, 422, errors);
    }
    profile::rename_factor(&call.app.means, &signed.session, id, &label, &call.visitor)?;
    Ok(redirect_saying(call, "/profile", Said::FactorRenamed))
}

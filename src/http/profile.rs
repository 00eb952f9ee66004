//! A person's own pages.

use super::Response;
use super::cookies::Cookie;
use super::error::Problem;
use super::guards::{Call, Signed};
use super::person::factor_line;
use super::show::{Answer, Page, Said, confirm, form_of, redirect_saying, wrong};
use super::sign_in::began_with_backup_code;
use crate::actions::Error;
use crate::actions::enrol::seed;
use crate::actions::profile::{self, Added, Changed, Removed};
use crate::audit::Action;
use crate::audit::filter::Filter;
use crate::audit::plain::{Read, sentence};
use crate::backup_codes::Kind;
use crate::factors::Label;
use crate::factors::totp::TypedOtp;
use crate::ids::FactorId;
use crate::pages::enrol::{BackupCodesView, backup_codes as codes_markup};
use crate::pages::factors::{
    NewFactorView, RemoveFactorView, StartFactorView, new_factor as new_factor_markup, remove_factor as remove_markup,
    start_factor as start_markup,
};
use crate::pages::profile::{
    ChangePasswordView, NewCodesView, OwnActivity, ProfileView, change_password as password_markup,
    new_codes as new_codes_markup, profile as profile_markup,
};
use crate::pages::{FieldError, Form};
use crate::password::NewPassword;
use crate::secret::Secret;
use crate::storage::{audit, backup_codes, factors, signals};

/// Entries of the person's own history on the page.
const ACTIVITY: u32 = 10;

/// `GET /profile`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let user = &signed.user;
    let (factors, codes, left, changed, entries) = call.app.means.store.read(|tx| {
        let filter = Filter { user: Some(user.id), ..Filter::default() };
        Ok::<_, Problem>((
            factors::list(tx, user.id)?,
            backup_codes::find(tx, user.id, Kind::Own, call.now)?,
            backup_codes::count_left(tx, user.id, call.now)?,
            signals::find_last(tx, user.id, Action::UserPasswordChanged)?,
            audit::list(tx, &filter, audit::Order::NewestFirst, None, ACTIVITY)?,
        ))
    })?;
    let activity = entries.iter().map(|entry| {
        let read = Read::of(entry);
        OwnActivity { at: entry.header.at, text: sentence(entry, &read), source: read.from_where() }
    });
    let page = Page::signed(call, signed);
    let view = ProfileView {
        form: Form::new(&signed.csrf),
        name: user.name.as_str(),
        email: user.email.as_str(),
        role: user.role,
        factors: factors.iter().filter(|f| f.disabled_at.is_none()).map(factor_line).collect(),
        codes_left: left,
        codes_made: codes.as_ref().map_or(left, |c| c.total),
        codes_made_at: codes.map(|c| c.created_at),
        signed_in_with_backup_code: began_with_backup_code(signed),
        password_changed_at: changed,
        activity: activity.collect(),
    };
    Ok(page.answer(200, profile_markup(&page.frame(), &view)))
}

/// `POST /profile/factors`: prepares the secret, after a step-up where one is due.
pub fn start_factor(call: &Call<'_>, signed: &Signed) -> Answer {
    if let Err(errors) = confirm(call, signed) {
        return show_start_factor(call, signed, errors);
    }
    profile::begin_factor(&call.app.means, &signed.session)?;
    Ok(Response::redirect(303, "/profile/factors/new"))
}

fn show_start_factor(call: &Call<'_>, signed: &Signed, errors: Vec<FieldError>) -> Answer {
    let form = Form { errors, ..form_of(call, signed, None)? };
    let page = Page::signed(call, signed);
    Ok(page.answer(422, start_markup(&page.frame(), &StartFactorView { form })))
}

/// `GET /profile/factors/new`
pub fn new_factor_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_new_factor(call, signed, 200, Vec::new())
}

fn show_new_factor(call: &Call<'_>, signed: &Signed, status: u16, errors: Vec<FieldError>) -> Answer {
    if signed.session.sealed_seed.is_none() {
        return Ok(Response::redirect(303, "/profile"));
    }
    if !signed.session.is_stepped_up(call.now) {
        // The secret is shown to who has just shown a factor; who has not begins again.
        return show_start_factor(call, signed, errors);
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
pub fn new_factor(call: &Call<'_>, signed: &Signed) -> Answer {
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
            return show_new_factor(call, signed, 422, errors.into_iter().flatten().collect());
        }
    };
    if let Err(errors) = confirm(call, signed) {
        return show_new_factor(call, signed, 422, errors);
    }
    match profile::add_factor(&call.app.means, &signed.session, &code, &label, &call.visitor)? {
        Added::Done => Ok(redirect_saying(call, "/profile", Said::FactorAdded)),
        Added::WrongCode => {
            let text = "This code is not right. Check that the app shows this account, and that its clock is right.";
            show_new_factor(call, signed, 422, vec![wrong("code", text)])
        }
        Added::TooMany => {
            show_new_factor(call, signed, 422, vec![wrong("", "You have ten already. Remove one that you do not use.")])
        }
    }
}

/// `GET /profile/factors/{id}/remove`
pub fn remove_factor_page(call: &Call<'_>, signed: &Signed) -> Answer {
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
pub fn remove_factor(call: &Call<'_>, signed: &Signed) -> Answer {
    let id: FactorId = call.param("id")?;
    if let Err(errors) = confirm(call, signed) {
        return show_remove(call, signed, 422, errors);
    }
    match profile::remove_factor(&call.app.means, &signed.session, id, &call.visitor)? {
        Removed::Done(_) => Ok(redirect_saying(call, "/profile", Said::FactorRemoved)),
        Removed::Last => show_remove(call, signed, 422, Vec::new()),
    }
}

/// `GET /profile/backup-codes`
pub fn new_codes_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_new_codes(call, signed, 200, Vec::new())
}

fn show_new_codes(call: &Call<'_>, signed: &Signed, status: u16, errors: Vec<FieldError>) -> Answer {
    let codes_left = call.app.means.store.read(|tx| backup_codes::count_left(tx, signed.user.id, call.now))?;
    let nonce = call.new_nonce(signed);
    let form = Form { errors, ..form_of(call, signed, Some(&nonce))? };
    let page = Page::signed(call, signed);
    Ok(page.answer(status, new_codes_markup(&page.frame(), &NewCodesView { form, codes_left })))
}

/// `POST /profile/backup-codes`
pub fn new_codes(call: &Call<'_>, signed: &Signed) -> Answer {
    let nonce = call.nonce(signed)?;
    call.attempt()?;
    if let Err(errors) = confirm(call, signed) {
        return show_new_codes(call, signed, 422, errors);
    }
    match profile::regenerate_codes(&call.app.means, &signed.session, nonce, &call.visitor) {
        Ok(codes) => {
            let codes = codes.iter().map(|c| Secret::new(c.to_text())).collect();
            Ok(show_codes(call, signed, 200, codes, Vec::new()))
        }
        // The second click: the codes stand in the first answer, and can not be shown again.
        Err(Error::AlreadyDone(_)) => Ok(show_codes(call, signed, 409, Vec::new(), Vec::new())),
        Err(e) => Err(e.into()),
    }
}

fn show_codes(call: &Call<'_>, signed: &Signed, status: u16, codes: Vec<Secret>, errors: Vec<FieldError>) -> Response {
    let page = Page::signed(call, signed);
    let view = BackupCodesView {
        form: Form { errors, ..Form::new(&signed.csrf) },
        action: "/profile/backup-codes/stored",
        codes,
        email: signed.user.email.as_str(),
        files: None,
    };
    page.answer(status, codes_markup(&page.frame(), &view))
}

/// `POST /profile/backup-codes/stored`
pub fn codes_stored(call: &Call<'_>, signed: &Signed) -> Answer {
    if call.fields.get("stored") != "on" {
        let errors = vec![wrong("stored", "Tick that you stored the codes.")];
        return Ok(show_codes(call, signed, 422, Vec::new(), errors));
    }
    Ok(redirect_saying(call, "/profile", Said::CodesStored))
}

/// `GET /profile/password`
pub fn password_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_password(call, signed, 200, Vec::new())
}

fn show_password(call: &Call<'_>, signed: &Signed, status: u16, errors: Vec<FieldError>) -> Answer {
    let form = Form { errors, ..form_of(call, signed, None)? };
    let page = Page::signed(call, signed);
    let view = ChangePasswordView { form, email: signed.user.email.as_str() };
    Ok(page.answer(status, password_markup(&page.frame(), &view)))
}

/// `POST /profile/password`
pub fn password(call: &Call<'_>, signed: &Signed) -> Answer {
    call.attempt()?;
    let current = call.fields.get("current_password");
    let own = super::enrol::own_words(call, signed.user.email.as_str(), signed.user.name.as_str());
    let new = match NewPassword::parse(call.fields.get("new_password"), &own) {
        Ok(new) if !current.is_empty() => new,
        new => {
            let errors = [
                current.is_empty().then(|| wrong("current_password", "Enter your current password.")),
                new.err().map(|e| wrong("new_password", e)),
            ];
            return show_password(call, signed, 422, errors.into_iter().flatten().collect());
        }
    };
    if let Err(errors) = confirm(call, signed) {
        return show_password(call, signed, 422, errors);
    }
    match profile::change_password(&call.app.means, &signed.session, current, &new, &call.visitor) {
        Ok(Changed::Done(token)) => {
            let cookie = Cookie::Session.set(&token.to_text(), call.https(), None);
            Ok(redirect_saying(call, "/profile", Said::PasswordChanged).with_header("Set-Cookie", &cookie))
        }
        Ok(Changed::Wrong) => {
            show_password(call, signed, 422, vec![wrong("current_password", "This is not your current password.")])
        }
        Err(Error::Wait(d)) => {
            let text = format!("Too many wrong passwords. Wait {}, then try again.", crate::pages::words::lasting(d));
            show_password(call, signed, 429, vec![wrong("current_password", text)])
        }
        Err(e) => Err(e.into()),
    }
}

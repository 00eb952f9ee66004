//! A person's own pages.

use super::Response;
use super::activity::own_activity;
use super::cookies::Cookie;
use super::error::Problem;
use super::guards::{Call, Signed};
use super::person::factor_line;
use super::show::{Answer, Page, Said, confirm, form_of, redirect_saying, wrong};
use super::sign_in::began_with_backup_code;
use crate::actions::Error;
use crate::actions::profile::{self, Changed};
use crate::audit::Action;
use crate::backup_codes::Kind;
use crate::pages::enrol::{BackupCodesView, backup_codes as codes_markup};
use crate::pages::profile::{
    ChangePasswordView, NewCodesView, ProfileView, change_password as password_markup, new_codes as new_codes_markup,
    profile as profile_markup,
};
use crate::pages::{FieldError, Form};
use crate::password::NewPassword;
use crate::secret::Secret;
use crate::storage::{audit, backup_codes, devices, factors, sessions, signals};

/// Entries of the person's own history on the page.
const ACTIVITY: u32 = 5;

/// `GET /profile`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let user = &signed.user;
    let view = call.app.means.store.read(|tx| {
        let factors = factors::list(tx, user.id)?;
        let codes = backup_codes::find(tx, user.id, Kind::Own, call.now)?;
        let issued = backup_codes::find(tx, user.id, Kind::Issued, call.now)?;
        Ok::<_, Problem>(ProfileView {
            form: Form::new(&signed.csrf),
            name: user.name.as_str(),
            email: user.email.as_str(),
            role: user.role,
            factors: factors.iter().map(factor_line).collect(),
            codes_left: backup_codes::count_left(tx, user.id, call.now)?,
            issued: issued.filter(|s| !s.unused.is_empty()).and_then(|s| Some((many(s.unused.len()), s.expires_at?))),
            codes_made: codes.as_ref().map_or(0, |c| c.total),
            codes_made_at: codes.map(|c| c.created_at),
            signed_in_with_backup_code: began_with_backup_code(signed),
            password_changed_at: signals::find_last(tx, user.id, Action::UserPasswordChanged)?.max(signals::find_last(
                tx,
                user.id,
                Action::UserPasswordResetCompleted,
            )?),
            other_sessions: many(sessions::list_full(tx, user.id, call.now)?.len().saturating_sub(1)),
            devices: many(devices::list(tx, user.id, call.now)?.len()),
            activity: own_activity(&audit::list_own(tx, user.id, None, ACTIVITY)?, user.id),
        })
    })?;
    let page = Page::signed(call, signed);
    Ok(page.answer(200, profile_markup(&page.frame(), &view)))
}

fn many(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
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

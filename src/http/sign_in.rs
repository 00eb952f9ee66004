//! The pages of signing in and out.

use super::cookies::Cookie;
use super::error::Problem;
use super::guards::{Call, Guest, Signed};
use super::show::{Answer, Page, Said, home, saying, seconds, to_guest, wrong};
use super::{Response, enrol};
use crate::actions::Error;
use crate::actions::second_factor::Typed;
use crate::actions::sign_in::{self, Progress};
use crate::audit::proof::Methods;
use crate::pages::sign_in::{
    App, CodeView, NewPasswordView, NoWayInView, PasswordView, ResumeView, Trouble, backup_code as backup_code_markup,
    code as code_markup, must_wait, new_password as new_password_markup, no_way_in, password as password_markup,
    resume as resume_markup, signed_out,
};
use crate::pages::{FieldError, Form};
use crate::password::NewPassword;
use crate::policy;
use crate::sessions::{Freshness, Stage};
use crate::storage::backup_codes;
use crate::users::Role;

/// `/`: to where someone begins.
pub fn start(call: &Call<'_>) -> Answer {
    let to = match Signed::look(call)? {
        Some(s) if s.session.stage == Stage::Full && s.session.freshness(call.now) == Freshness::Idle => {
            "/sign-in/resume"
        }
        Some(s) => page_of(s.session.stage).unwrap_or_else(|| home(s.user.role)),
        None => "/sign-in",
    };
    Ok(Response::redirect(303, to))
}

/// The page that a stage is about; none once signed in.
const fn page_of(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Pending => Some("/sign-in/code"),
        Stage::Enrolling => Some("/enrol"),
        Stage::ChangingPassword => Some("/sign-in/password"),
        Stage::Full => None,
    }
}

/// Why an attempt was not looked at, with its status; other errors go on.
fn trouble(e: Error) -> Result<(u16, String, Trouble), Problem> {
    match e {
        Error::Wait(wait) => Ok((429, seconds(wait), Trouble::TooMany { wait })),
        Error::Busy(busy) => Ok((503, seconds(busy.retry_after), Trouble::Busy)),
        e => Err(e.into()),
    }
}

/// `GET /sign-in`
pub fn password_page(call: &Call<'_>, guest: &Guest) -> Answer {
    if let Some(signed) = Signed::look(call)?
        && signed.session.stage == Stage::Full
        && signed.session.freshness(call.now) == Freshness::Live
    {
        return Ok(Response::redirect(303, call.next().unwrap_or(home(signed.user.role))));
    }
    Ok(to_guest(guest, show_password(call, guest, 200, Vec::new(), None)))
}

fn show_password(
    call: &Call<'_>,
    guest: &Guest,
    status: u16,
    errors: Vec<FieldError>,
    trouble: Option<Trouble>,
) -> Response {
    let form = Form { values: call.fields.kept(&["email"]), errors, ..Form::new(&guest.csrf) };
    let help_contact = call.app.settings.help_contact.as_deref();
    let page = Page::stranger(call);
    let view = PasswordView { form, next: call.next(), trouble, help_contact, mails: call.app.means.mails };
    page.answer(status, password_markup(&page.frame(), &view))
}

/// `POST /sign-in`
pub fn password(call: &Call<'_>, guest: &Guest) -> Answer {
    let (email, password) = (call.fields.get("email"), call.fields.get("password"));
    let mut errors = Vec::new();
    if email.trim().is_empty() {
        errors.push(wrong("email", "Enter your e-mail address."));
    }
    if password.is_empty() {
        errors.push(wrong("password", "Enter your password."));
    }
    if !errors.is_empty() {
        return Ok(show_password(call, guest, 422, errors, None));
    }
    let progress = sign_in::with_password(&call.app.means, email, password, call.next().unwrap_or(""), &call.visitor);
    match progress {
        Ok(Progress::Wrong) => {
            let errors = vec![wrong("password", "E-mail address or password is not right.")];
            Ok(show_password(call, guest, 401, errors, None))
        }
        Ok(progress) => Ok(onwards(call, &progress, None)),
        Err(e) => {
            let (status, after, trouble) = trouble(e)?;
            Ok(show_password(call, guest, status, Vec::new(), Some(trouble)).with_header("Retry-After", &after))
        }
    }
}

/// The answer to a step that led on: new cookies, and the page of what is next.
pub fn onwards(call: &Call<'_>, progress: &Progress, signed: Option<&Signed>) -> Response {
    match progress {
        Progress::Onwards { stage, next, .. } => {
            let begin = signed.map_or("/", |s| home(s.user.role));
            let full = if next.is_empty() { begin } else { next };
            set_cookies(call, progress, Response::redirect(303, page_of(*stage).unwrap_or(full)))
        }
        Progress::NothingToContinueWith => {
            let page = Page::stranger(call);
            let view = NoWayInView { help_contact: call.app.settings.help_contact.as_deref() };
            page.answer(403, no_way_in(&page.frame(), &view))
        }
        Progress::MustWait => {
            let page = Page::stranger(call);
            let view = NoWayInView { help_contact: call.app.settings.help_contact.as_deref() };
            page.answer(403, must_wait(&page.frame(), &view))
        }
        Progress::Wrong => Response::redirect(303, "/sign-in"),
    }
}

/// At the end of a sign-in, lets the next page say that few backup codes are left; the profile page does so by itself.
fn warned(call: &Call<'_>, signed: &Signed, response: Response) -> Response {
    if response.header("location").is_none_or(|to| to == home(Role::Member)) {
        return response;
    }
    // Who has signed in gets their cookies, whether or not this can be read.
    match call.app.means.store.read(|tx| backup_codes::count_left(tx, signed.user.id, call.now)) {
        Ok(0) => saying(call, response, Said::NoCodesLeft),
        Ok(left) if left <= policy::FEW_CODES => saying(call, response, Said::FewCodesLeft),
        Ok(_) | Err(_) => response,
    }
}

/// Sets the cookies that a step gave.
pub fn set_cookies(call: &Call<'_>, progress: &Progress, mut response: Response) -> Response {
    let Progress::Onwards { token, device, .. } = progress else { return response };
    response = response.with_header("Set-Cookie", &Cookie::Session.set(&token.to_text(), call.https(), None));
    if let Some(device) = device {
        let cookie = Cookie::Device.set(&device.to_text(), call.https(), Some(policy::DEVICE));
        response = response.with_header("Set-Cookie", &cookie);
    }
    response
}

/// `GET /sign-in/code`
pub fn code_page(call: &Call<'_>, signed: &Signed) -> Answer {
    if signed.session.stage == Stage::Enrolling {
        return Ok(Response::redirect(303, "/enrol"));
    }
    // Without a factor, the codes are what there is to sign in with.
    if no_app(call, signed)? {
        return Ok(Response::redirect(303, "/sign-in/backup-code"));
    }
    show_code(call, signed, 200, Vec::new(), None, false)
}

fn no_app(call: &Call<'_>, signed: &Signed) -> Result<bool, Problem> {
    Ok(call.app.means.store.read(|tx| crate::storage::factors::count_working(tx, signed.user.id))? == 0)
}

/// `GET /sign-in/backup-code`
pub fn backup_code_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_code(call, signed, 200, Vec::new(), None, true)
}

fn show_code(
    call: &Call<'_>,
    signed: &Signed,
    status: u16,
    errors: Vec<FieldError>,
    trouble: Option<Trouble>,
    backup: bool,
) -> Answer {
    let all = call.app.means.store.read(|tx| crate::storage::factors::list(tx, signed.user.id))?;
    let app = match all.iter().any(|factor| factor.disabled_at.is_none()) {
        true => App::Works,
        false if all.is_empty() => App::None,
        false => App::SwitchedOff,
    };
    let page = Page::stranger(call);
    let view = CodeView {
        form: Form { errors, ..Form::new(&signed.csrf) },
        email: signed.user.email.as_str(),
        trouble,
        help_contact: call.app.settings.help_contact.as_deref(),
        app,
    };
    let markup = if backup { backup_code_markup } else { code_markup };
    Ok(page.answer(status, markup(&page.frame(), &view)))
}

/// `POST /sign-in/code`
pub fn code(call: &Call<'_>, signed: &Signed) -> Answer {
    match Typed::parse(call.fields.get("code")) {
        Some(typed @ Typed::Otp(_)) => second_factor(call, signed, typed, false),
        _ => {
            let errors = vec![wrong("code", "Enter the 6 digits that your app shows now.")];
            show_code(call, signed, 422, errors, None, false)
        }
    }
}

/// `POST /sign-in/backup-code`
pub fn backup_code(call: &Call<'_>, signed: &Signed) -> Answer {
    match Typed::parse(call.fields.get("code")) {
        Some(typed @ Typed::Code(_)) => second_factor(call, signed, typed, true),
        _ => {
            let errors =
                vec![wrong("code", "Enter a whole code: 16 letters and digits, or 12 if an admin gave it to you.")];
            show_code(call, signed, 422, errors, None, true)
        }
    }
}

fn second_factor(call: &Call<'_>, signed: &Signed, typed: Typed, backup: bool) -> Answer {
    match sign_in::with_second_factor(&call.app.means, &signed.session, typed, &call.visitor) {
        Ok(Progress::Wrong) => {
            let text = if backup {
                "This code is not right, was used already, or no longer works."
            } else if no_app(call, signed)? {
                return Ok(Response::redirect(303, "/sign-in/backup-code"));
            } else {
                "This code is not right. Wait for the next one and try again."
            };
            show_code(call, signed, 401, vec![wrong("code", text)], None, backup)
        }
        // Who came in with a backup code is led to where a new phone is added.
        Ok(progress @ Progress::Onwards { stage: Stage::Full, .. }) if backup => {
            Ok(set_cookies(call, &progress, Response::redirect(303, "/profile")))
        }
        Ok(progress @ Progress::Onwards { stage: Stage::Full, .. }) => {
            Ok(warned(call, signed, onwards(call, &progress, Some(signed))))
        }
        Ok(progress) => Ok(onwards(call, &progress, Some(signed))),
        Err(e) => {
            let (status, after, trouble) = trouble(e)?;
            let response = show_code(call, signed, status, Vec::new(), Some(trouble), backup)?;
            Ok(response.with_header("Retry-After", &after))
        }
    }
}

/// `GET /sign-in/password`
pub fn new_password_page(call: &Call<'_>, signed: &Signed) -> Answer {
    Ok(show_new_password(call, signed, 200, Vec::new()))
}

fn show_new_password(call: &Call<'_>, signed: &Signed, status: u16, errors: Vec<FieldError>) -> Response {
    let page = Page::stranger(call);
    let form = Form { errors, ..Form::new(&signed.csrf) };
    let view = NewPasswordView { form, email: signed.user.email.as_str() };
    page.answer(status, new_password_markup(&page.frame(), &view))
}

/// `POST /sign-in/password`
pub fn new_password(call: &Call<'_>, signed: &Signed) -> Answer {
    let own = enrol::own_words(call, signed.user.email.as_str(), signed.user.name.as_str());
    match NewPassword::parse(call.fields.get("new_password"), &own) {
        Err(e) => Ok(show_new_password(call, signed, 422, vec![wrong("new_password", e)])),
        Ok(password) => match sign_in::with_new_password(&call.app.means, &signed.session, &password, &call.visitor)? {
            Progress::Wrong => {
                let text = "This is the password that you signed in with. Choose another one, that only you know.";
                Ok(show_new_password(call, signed, 422, vec![wrong("new_password", text)]))
            }
            progress => Ok(warned(call, signed, onwards(call, &progress, Some(signed)))),
        },
    }
}

/// `GET /sign-in/resume`
pub fn resume_page(call: &Call<'_>, signed: &Signed) -> Answer {
    if signed.session.freshness(call.now) == Freshness::Live {
        return Ok(Response::redirect(303, call.next().unwrap_or(home(signed.user.role))));
    }
    Ok(show_resume(call, signed, 200, Vec::new(), None))
}

fn show_resume(
    call: &Call<'_>,
    signed: &Signed,
    status: u16,
    errors: Vec<FieldError>,
    trouble: Option<Trouble>,
) -> Response {
    let page = Page::stranger(call);
    let view = ResumeView {
        form: Form { errors, ..Form::new(&signed.csrf) },
        name: signed.user.name.as_str(),
        email: signed.user.email.as_str(),
        next: call.next(),
        trouble,
    };
    page.answer(status, resume_markup(&page.frame(), &view))
}

/// `POST /sign-in/resume`
pub fn resume(call: &Call<'_>, signed: &Signed) -> Answer {
    let password = call.fields.get("password");
    if password.is_empty() {
        return Ok(show_resume(call, signed, 422, vec![wrong("password", "Enter your password.")], None));
    }
    match sign_in::resume(&call.app.means, &signed.session, password, &call.visitor) {
        Ok(Progress::Wrong) => {
            Ok(show_resume(call, signed, 401, vec![wrong("password", "This password is not right.")], None))
        }
        Ok(progress) => {
            let to = call.next().unwrap_or(home(signed.user.role));
            Ok(set_cookies(call, &progress, Response::redirect(303, to)))
        }
        Err(e) => {
            let (status, after, trouble) = trouble(e)?;
            Ok(show_resume(call, signed, status, Vec::new(), Some(trouble)).with_header("Retry-After", &after))
        }
    }
}

/// `POST /sign-out`
pub fn sign_out(call: &Call<'_>, signed: &Signed) -> Answer {
    sign_in::out(&call.app.means, &signed.session, &call.visitor)?;
    let gone = Cookie::Session.set("", call.https(), Some(std::time::Duration::ZERO));
    Ok(Response::redirect(303, "/signed-out").with_header("Set-Cookie", &gone))
}

/// `GET /signed-out`
pub fn signed_out_page(call: &Call<'_>) -> Answer {
    let page = Page::stranger(call);
    Ok(page.answer(200, signed_out(&page.frame())))
}

/// Whether a session began with a backup code.
pub fn began_with_backup_code(signed: &Signed) -> bool {
    signed.session.methods == Methods::PasswordAndBackupCode.as_str()
}

//! The pages from a link or a pass to an enrolled factor and its backup codes.

use super::Response;
use super::error::Problem;
use super::guards::{Call, Guest, Signed, session_csrf};
use super::show::{Answer, Page, home, to_guest, wrong};
use super::sign_in::{onwards, set_cookies};
use crate::actions::Error;
use crate::actions::enrol::{self, Enrolled, PassGiven};
use crate::actions::first_run;
use crate::actions::sign_in::Progress;
use crate::factors::Label;
use crate::factors::totp::TypedOtp;
use crate::host::keys::SEED_KEY_FILE;
use crate::pages::enrol::{
    BackupCodesView, FilesToKeep, PassView, QrView, backup_codes as codes_markup, pass as pass_markup, qr as qr_markup,
};
use crate::pages::invitation::{
    InvitationView, Link, LinkGoneView, SetupView, invitation as invitation_markup, link_gone, setup as setup_markup,
};
use crate::pages::{FieldError, Form};
use crate::password::NewPassword;
use crate::policy;
use crate::recovery::Window;
use crate::secret::{EnrolmentPass, Purpose, Secret, Token};
use crate::sessions::Stage;
use crate::storage::recovery;
use crate::users::{Email, PersonName, Role, User};

/// The words that a password must not be made of.
pub fn own_words<'a>(call: &'a Call<'_>, email: &'a str, name: &'a str) -> [&'a str; 3] {
    [email, name, &call.app.settings.organisation]
}

fn gone(call: &Call<'_>, link: Link) -> Response {
    let page = Page::stranger(call);
    let view = LinkGoneView { link, help_contact: call.app.settings.help_contact.as_deref() };
    page.answer(410, link_gone(&page.frame(), &view))
}

/// `GET /setup/{token}`
pub fn setup_page(call: &Call<'_>, guest: &Guest) -> Answer {
    Ok(match setup_token(call)? {
        Some(_) => to_guest(guest, show_setup(call, guest, 200, Vec::new())),
        None => gone(call, Link::Setup),
    })
}

fn setup_token(call: &Call<'_>) -> Result<Option<Token>, Problem> {
    let Some(token) = call.token("token") else { return Ok(None) };
    Ok(first_run::is_setup_link(&call.app.means, &token)?.then_some(token))
}

fn show_setup(call: &Call<'_>, guest: &Guest, status: u16, errors: Vec<FieldError>) -> Response {
    let form = Form { values: call.fields.kept(&["email", "name"]), errors, ..Form::new(&guest.csrf) };
    let page = Page::stranger(call);
    page.answer(status, setup_markup(&page.frame(), &SetupView { form, action: call.request.path() }))
}

/// `POST /setup/{token}`
pub fn setup(call: &Call<'_>, guest: &Guest) -> Answer {
    let Some(token) = setup_token(call)? else { return Ok(gone(call, Link::Setup)) };
    let (email, name) = (call.fields.get("email"), call.fields.get("name"));
    let (parsed_email, parsed_name) = (email.parse::<Email>(), name.parse::<PersonName>());
    let password = NewPassword::parse(call.fields.get("password"), &own_words(call, email, name));
    let (email, name, password) = match (parsed_email, parsed_name, password) {
        (Ok(email), Ok(name), Ok(password)) => (email, name, password),
        (email, name, password) => {
            let errors = [
                name.err().map(|e| wrong("name", e)),
                email.err().map(|e| wrong("email", e)),
                password.err().map(|e| wrong("password", e)),
            ];
            return Ok(show_setup(call, guest, 422, errors.into_iter().flatten().collect()));
        }
    };
    match first_run::set_up_owner(&call.app.means, &token, email, name, &password, &call.visitor) {
        Ok(progress) => Ok(onwards(call, &progress, None)),
        Err(Error::NotFound) => Ok(gone(call, Link::Setup)),
        Err(e) => Err(e.into()),
    }
}

/// `GET /invitation/{token}`
pub fn invitation_page(call: &Call<'_>, guest: &Guest) -> Answer {
    let Some((user, until)) = invited(call)? else { return Ok(gone(call, Link::Invitation)) };
    Ok(to_guest(guest, show_invitation(call, guest, &user, until, 200, Vec::new())))
}

fn invited(call: &Call<'_>) -> Result<Option<(User, crate::time::Timestamp)>, Problem> {
    let Some(token) = call.token("token") else { return Ok(None) };
    Ok(first_run::invited(&call.app.means, &token)?)
}

fn show_invitation(
    call: &Call<'_>,
    guest: &Guest,
    user: &User,
    expires_at: crate::time::Timestamp,
    status: u16,
    errors: Vec<FieldError>,
) -> Response {
    let page = Page::stranger(call);
    let view = InvitationView {
        form: Form { errors, ..Form::new(&guest.csrf) },
        action: call.request.path(),
        name: user.name.as_str(),
        email: user.email.as_str(),
        expires_at,
    };
    page.answer(status, invitation_markup(&page.frame(), &view))
}

/// `POST /invitation/{token}`
pub fn invitation(call: &Call<'_>, guest: &Guest) -> Answer {
    let (Some(token), Some((user, until))) = (call.token("token"), invited(call)?) else {
        return Ok(gone(call, Link::Invitation));
    };
    let own = own_words(call, user.email.as_str(), user.name.as_str());
    let password = match NewPassword::parse(call.fields.get("password"), &own) {
        Ok(password) => password,
        Err(e) => return Ok(show_invitation(call, guest, &user, until, 422, vec![wrong("password", e)])),
    };
    match first_run::accept_invitation(&call.app.means, &token, &password, &call.visitor) {
        Ok(progress) => Ok(onwards(call, &progress, None)),
        Err(Error::NotFound) => Ok(gone(call, Link::Invitation)),
        Err(e) => Err(e.into()),
    }
}

/// `GET /enrol`: the pass first where one is needed, then the QR code.
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    show(call, signed, 200, Vec::new())
}

fn show(call: &Call<'_>, signed: &Signed, status: u16, errors: Vec<FieldError>) -> Answer {
    let window = call.app.means.store.read(|tx| recovery::find_window(tx, signed.user.id))?;
    // Who came as far as the code of a factor or a backup code needs one: a window that asks for no pass opens no way round.
    let leads_on = |w: &Window| w.is_open(call.now) && (signed.session.pass_given || w.pass.is_some());
    let Some(window) = window.filter(leads_on) else {
        return match signed.session.stage {
            Stage::Pending => Ok(Response::redirect(303, "/sign-in/code")),
            _ => Ok(onwards(call, &Progress::NothingToContinueWith, None)),
        };
    };
    let page = Page::stranger(call);
    let form = Form { errors, ..Form::new(&signed.csrf) };
    if !signed.session.pass_given {
        let help_contact = call.app.settings.help_contact.as_deref();
        let tries_left = policy::WRONG_PASSES - window.wrong_passes;
        let view = PassView { form, tries_left, closes_at: window.closes_at, help_contact };
        return Ok(page.answer(status, pass_markup(&page.frame(), &view)));
    }
    let seed = enrol::seed(&call.app.means, &signed.session)?;
    let view = QrView {
        form,
        otpauth: seed.otpauth_uri(&call.app.settings.organisation, signed.user.email.as_str()),
        secret: seed.to_groups(),
        closes_at: Some(window.closes_at),
    };
    Ok(page.answer(status, qr_markup(&page.frame(), &view)))
}

/// `POST /enrol/pass`
pub fn pass(call: &Call<'_>, signed: &Signed) -> Answer {
    if signed.session.pass_given {
        return Ok(Response::redirect(303, "/enrol"));
    }
    let Some(typed) = EnrolmentPass::parse(call.fields.get("pass")) else {
        let errors = vec![wrong("pass", "Enter all 12 letters and digits of the pass.")];
        return show(call, signed, 422, errors);
    };
    match enrol::give_pass(&call.app.means, &signed.session, &typed, &call.visitor)? {
        PassGiven::Right(progress) => Ok(set_cookies(call, &progress, Response::redirect(303, "/enrol"))),
        PassGiven::Wrong { .. } => {
            show(call, signed, 401, vec![wrong("pass", "This pass is not right. Ask your admin to read it again.")])
        }
        PassGiven::Void => Ok(onwards(call, &Progress::NothingToContinueWith, None)),
    }
}

/// `POST /enrol`
pub fn confirm(call: &Call<'_>, signed: &Signed) -> Answer {
    if !signed.session.pass_given {
        return Ok(Response::redirect(303, "/enrol"));
    }
    let Some(typed) = TypedOtp::parse(call.fields.get("code")) else {
        return show(call, signed, 422, vec![wrong("code", "Enter the 6 digits that the app shows now.")]);
    };
    let label: Label = "".parse().map_err(|_| Problem::NotFound)?;
    match enrol::confirm(&call.app.means, &signed.session, &typed, &label, &call.visitor)? {
        Some(enrolled) => Ok(show_codes(call, signed, &enrolled)),
        None => {
            let text =
                "This code is not right. Check that the app shows this account, and that your phone's clock is right.";
            show(call, signed, 401, vec![wrong("code", text)])
        }
    }
}

/// The new codes, shown once as the answer itself, under the session's new cookie.
fn show_codes(call: &Call<'_>, signed: &Signed, enrolled: &Enrolled) -> Response {
    let Progress::Onwards { token, .. } = &enrolled.progress else { return Response::redirect(303, "/sign-in") };
    let csrf = session_csrf(call.app, &token.hash(Purpose::Session));
    let data = call.app.settings.data.display().to_string();
    let seed_key = call.app.settings.data.join(SEED_KEY_FILE).display().to_string();
    let page = Page::stranger(call);
    let view = BackupCodesView {
        form: Form::new(&csrf),
        action: "/enrol/stored",
        codes: enrolled.codes.iter().map(|c| Secret::new(c.to_text())).collect(),
        email: signed.user.email.as_str(),
        files: (signed.user.role == Role::Owner).then_some(FilesToKeep { seed_key: &seed_key, data: &data }),
    };
    set_cookies(call, &enrolled.progress, page.answer(200, codes_markup(&page.frame(), &view)))
}

/// `POST /enrol/stored`: the tick, then on to where someone begins.
pub fn stored(call: &Call<'_>, signed: &Signed) -> Answer {
    if call.fields.get("stored") != "on" {
        let page = Page::stranger(call);
        let errors = vec![wrong("stored", "Tick that you stored the codes.")];
        let view = BackupCodesView {
            form: Form { errors, ..Form::new(&signed.csrf) },
            action: "/enrol/stored",
            codes: Vec::new(),
            email: signed.user.email.as_str(),
            files: None,
        };
        return Ok(page.answer(422, codes_markup(&page.frame(), &view)));
    }
    let to = match signed.session.stage {
        Stage::ChangingPassword => "/sign-in/password",
        _ if signed.session.next.is_empty() => home(signed.user.role),
        _ => &signed.session.next,
    };
    Ok(Response::redirect(303, to))
}

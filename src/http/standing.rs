//! Acts on an account that rest on a reason and on rank, and on no evidence.

use super::Response;
use super::error::Problem;
use super::grants::{Sheet, confirmed, open_form, subject};
use super::guards::{Call, Signed};
use super::hold::instead_of_enabling;
use super::show::{Answer, Page, Said, wrong};
use crate::actions::grants::{Ask, Granted};
use crate::actions::{Means, Result, administer, edit, keep_out};
use crate::audit::Reason;
use crate::grants::{Grant, Rule};
use crate::ids::SessionId;
use crate::pages::FieldError;
use crate::pages::standing::{
    AlreadyDoneView, EndSessionView, Errand, NameView, RefusedView, RoleView, StandingView,
    already_done as already_done_markup, end_session as end_session_markup, errand as errand_markup,
    name as name_markup, refused as refused_markup, role as role_markup,
};
use crate::pages::words::{count, lasting};
use crate::sessions::{Stage, device_name};
use crate::storage::nonces::Done;
use crate::storage::{recovery, sessions, users};
use crate::throttle::Kind;
use crate::users::{PersonName, Role, User};

const fn grant(errand: Errand) -> Grant {
    match errand {
        Errand::Disable => Grant::Disable,
        Errand::Enable => Grant::Enable,
        Errand::EndSessions => Grant::EndSessions,
        Errand::RequirePasswordChange => Grant::RequirePasswordChange,
        Errand::Unlock => Grant::Unlock,
        Errand::Leave => Grant::Leave,
    }
}

fn run(errand: Errand, means: &Means, ask: Ask, reason: Reason) -> Result<Granted<()>> {
    match errand {
        Errand::Disable => administer::disable(means, ask, reason),
        Errand::Enable => administer::enable(means, ask, reason),
        Errand::EndSessions => keep_out::end_sessions(means, ask, reason),
        Errand::RequirePasswordChange => keep_out::require_password_change(means, ask, reason),
        Errand::Unlock => keep_out::unlock(means, ask, reason),
        Errand::Leave => keep_out::leave(means, ask, reason),
    }
}

/// What is said afterwards, and on which of the person's pages.
const fn said(errand: Errand) -> (Said, &'static str) {
    match errand {
        Errand::Disable => (Said::Disabled, ""),
        Errand::Enable => (Said::Enabled, ""),
        Errand::EndSessions => (Said::SessionsEnded, "/sessions"),
        Errand::RequirePasswordChange => (Said::PasswordRequired, ""),
        Errand::Unlock => (Said::Unlocked, ""),
        Errand::Leave => (Said::Left, ""),
    }
}

/// The page of an errand's form.
pub fn page(call: &Call<'_>, signed: &Signed, errand: Errand) -> Answer {
    if errand == Errand::Enable
        && let Some(path) = instead_of_enabling(call, call.param("id")?)?
    {
        return Ok(Response::redirect(303, &path));
    }
    open_form(call, signed, grant(errand), |sheet| show(sheet, 200, Vec::new(), errand))
}

fn show(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>, errand: Errand) -> Answer {
    let (call, user) = (sheet.call, &sheet.user);
    let (sessions, delays) = call.app.means.store.read(|tx| {
        let delays = keep_out::delays(tx, &call.app.means.key, user, call.now)?;
        Ok::<_, Problem>((sessions::count(tx, user.id, Stage::Full)?, delays))
    })?;
    let delays = delays.iter().map(|(budget, state, wait)| {
        let failures = count(state.failures.into(), kind_of_failure(budget.kind()));
        format!("{failures}; the next try in {}", lasting(*wait))
    });
    let nonce = sheet.nonce_text();
    let form = sheet.form(&nonce, errors)?;
    let view = StandingView { form, person: subject(user), sessions, delays: delays.collect() };
    let page = Page::signed(call, sheet.signed);
    Ok(page.answer(status, errand_markup(&page.frame(), errand, &view)))
}

const fn kind_of_failure(kind: Kind) -> &'static str {
    match kind {
        Kind::Account => "wrong password",
        Kind::Device => "wrong password on their own device",
        Kind::Totp => "wrong code from the app",
        Kind::BackupCodes => "wrong backup code",
    }
}

/// The field `reason`.
fn reason(call: &Call<'_>) -> std::result::Result<Reason, FieldError> {
    call.fields.get("reason").parse().map_err(|e| wrong("reason", e))
}

/// The form of an errand, sent.
pub fn act(call: &Call<'_>, signed: &Signed, errand: Errand) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show(&sheet, status, errors, errand);
    let unconfirmed = errand == Errand::Leave && call.fields.get("confirmed") != "on";
    let unconfirmed = unconfirmed.then(|| wrong("confirmed", "Tick this if they will not come back."));
    let reason = match (unconfirmed, reason(call)) {
        (None, Ok(reason)) => reason,
        (unconfirmed, reason) => return again(422, unconfirmed.into_iter().chain(reason.err()).collect()),
    };
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    let (said, tab) = said(errand);
    sheet.granted(run(errand, &call.app.means, sheet.ask(nonce), reason), |()| sheet.back(tab, said))
}

/// `GET /admin/users/{id}/sessions/{session}/end`
pub fn session_page(call: &Call<'_>, signed: &Signed) -> Answer {
    open_form(call, signed, Grant::EndSessions, |sheet| show_session(sheet, 200, Vec::new()))
}

fn show_session(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let id: SessionId = sheet.call.param("session")?;
    let found = sheet.call.app.means.store.read(|tx| sessions::find_by_id(tx, id))?;
    let session = found.filter(|s| s.user_id == sheet.user.id).ok_or(Problem::NotFound)?;
    let parts = [device_name(&session.user_agent), session.address];
    let from_where = parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ");
    let nonce = sheet.nonce_text();
    let form = sheet.form(&nonce, errors)?;
    let view = EndSessionView { form, person: subject(&sheet.user), session: id, from_where, seen_at: session.seen_at };
    let page = Page::signed(sheet.call, sheet.signed);
    Ok(page.answer(status, end_session_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/sessions/{session}/end`
pub fn end_session(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let (nonce, session) = (call.nonce(signed)?, call.param("session")?);
    let again = |status, errors| show_session(&sheet, status, errors);
    let reason = match reason(call) {
        Ok(reason) => reason,
        Err(error) => return again(422, vec![error]),
    };
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    sheet.granted(keep_out::end_session(&call.app.means, sheet.ask(nonce), session, reason), |()| {
        sheet.back("/sessions", Said::SessionEnded)
    })
}

/// `GET /admin/users/{id}/role`
pub fn role_page(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let grant = any_other_role(sheet.user.role);
    open_form(call, signed, grant, |sheet| show_role(sheet, 200, Vec::new()))
}

/// A change of role that is one, for asking whether there may be any.
pub fn any_other_role(role: Role) -> Grant {
    Grant::ChangeRole(if role == Role::Member { Role::Auditor } else { Role::Member })
}

fn show_role(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let nonce = sheet.nonce_text();
    let form = sheet.form_from(&nonce, errors, [("role", sheet.user.role.as_str())])?;
    let view = RoleView { form, person: subject(&sheet.user), role: sheet.user.role };
    let page = Page::signed(sheet.call, sheet.signed);
    Ok(page.answer(status, role_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/role`
pub fn role(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show_role(&sheet, status, errors);
    let role = call.fields.get("role").parse::<Role>().map_err(|e| wrong("role", e));
    let (role, reason) = match (role, reason(call)) {
        (Ok(role), Ok(reason)) => (role, reason),
        (role, reason) => return again(422, role.err().into_iter().chain(reason.err()).collect()),
    };
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    let granted = administer::change_role(&call.app.means, sheet.ask(nonce), role, reason);
    if let Ok(Granted::No(Rule::NothingToDo)) = granted {
        return again(422, vec![wrong("role", "They have this role already. Choose another one.")]);
    }
    sheet.granted(granted, |()| sheet.back("", Said::RoleChanged))
}

/// `GET /admin/users/{id}/name`
pub fn name_page(call: &Call<'_>, signed: &Signed) -> Answer {
    open_form(call, signed, Grant::Rename, |sheet| show_name(sheet, 200, Vec::new()))
}

fn show_name(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let nonce = sheet.nonce_text();
    let form = sheet.form_from(&nonce, errors, [("name", sheet.user.name.as_str())])?;
    let view = NameView { form, person: subject(&sheet.user) };
    let page = Page::signed(sheet.call, sheet.signed);
    Ok(page.answer(status, name_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/name`
pub fn name(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show_name(&sheet, status, errors);
    let name = match call.fields.get("name").parse::<PersonName>() {
        Ok(name) => name,
        Err(e) => return again(422, vec![wrong("name", e)]),
    };
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    let granted = edit::rename(&call.app.means, sheet.ask(nonce), name);
    if let Ok(Granted::No(Rule::NothingToDo)) = granted {
        return again(422, vec![wrong("name", "This is the name already. Write the new one.")]);
    }
    sheet.granted(granted, |()| sheet.back("", Said::Renamed))
}

/// The second click: what the first one did.
///
/// # Errors
/// None; the type is that of a handler.
pub fn already_done(call: &Call<'_>, signed: &Signed, done: &Done) -> Answer {
    let case = done.link.strip_prefix("/admin/recovery/").and_then(|rest| rest.split('/').next()?.parse().ok());
    let of_case = match case {
        Some(case) => call.app.means.store.read(|tx| recovery::find(tx, case))?.map(|c| c.user_id),
        None => None,
    };
    let of_link = done.link.strip_prefix("/admin/users/").and_then(|rest| rest.split('/').next()?.parse().ok());
    // Many at once are nobody in particular.
    let user = match of_case.or(of_link) {
        Some(id) => Some(call.app.means.store.read(|tx| users::get(tx, id))?),
        None => None,
    };
    let page = Page::signed(call, signed);
    let view = AlreadyDoneView {
        person: user.as_ref().map(subject),
        link: &done.link,
        what: done.said.clone(),
        at: done.at,
        case,
        secret_was_shown: done.said.contains("shown once"),
    };
    Ok(page.answer(409, already_done_markup(&page.frame(), &view)))
}

/// Which rule says no.
pub(super) fn refused(call: &Call<'_>, signed: &Signed, user: &User, rule: Rule, tried: bool) -> Response {
    let (what, instead) = rule.sentence().split_once(". ").unwrap_or((rule.sentence(), ""));
    let what = if instead.is_empty() { what.to_owned() } else { format!("{what}.") };
    let page = Page::signed(call, signed);
    let (instead, about_state) = (instead.to_owned(), rule.is_about_state());
    let view = RefusedView { person: subject(user), rule: what, instead, about_state, tried };
    page.answer(403, refused_markup(&page.frame(), &view))
}

/// Nobody here can let the only owner in again.
pub(super) fn only_owner(call: &Call<'_>, signed: &Signed, user: &User) -> Response {
    let rule = format!("{} is the only owner, and only an owner may do this for an owner.", user.name);
    let command = format!("`idp recover-owner {} --reason \"…\"`", user.email);
    let instead = format!("Whoever runs the host lets them in again: {command}.");
    let page = Page::signed(call, signed);
    let view = RefusedView { person: subject(user), rule, instead, about_state: false, tried: false };
    page.answer(403, refused_markup(&page.frame(), &view))
}

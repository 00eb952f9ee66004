//! Adding many people from a list: looking at it first, then doing it.

use super::Response;
use super::error::Problem;
use super::guards::{Call, Signed};
use super::people::{invitation_address, way};
use super::show::{Answer, Page, confirm, form_of, wrong};
use super::standing::already_done;
use crate::actions::Error;
use crate::actions::administer::Way;
use crate::actions::authorise::By;
use crate::actions::import::{BadLines, Imported, Joined, import as import_people, preview};
use crate::grants::Asker;
use crate::import::{Line, decode, read};
use crate::pages::import::{
    ImportView, ImportedView, JoinedLine, Step, import as import_markup, imported as imported_markup,
};
use crate::pages::{FieldError, Form};

/// `GET /admin/users/import`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    Ok(show(call, signed, 200, Form::new(&signed.csrf), &[]))
}

/// `POST /admin/users/import`
pub fn import(call: &Call<'_>, signed: &Signed) -> Answer {
    let step: Step = call.fields.get("step").parse().map_err(|()| Problem::bad("There is no such step.".to_owned()))?;
    let (field, text) = match call.fields.file() {
        [] => ("text", Ok(call.fields.get("text"))),
        bytes => ("file", decode(bytes)),
    };
    let (typed, lines) = match text {
        Ok(text) => (text, read(text)),
        Err(e) => (call.fields.get("text"), Err(e.to_string())),
    };
    let lines = match lines {
        Ok(lines) => lines,
        Err(e) => return again(call, signed, typed, vec![wrong(field, e)]),
    };
    let bad = match step {
        Step::Check => return look(call, signed, typed, lines, Vec::new()),
        Step::Import => BadLines::Stop,
        Step::ImportGood => BadLines::LeaveOut,
    };
    let nonce = call.nonce(signed)?;
    if let Err(errors) = confirm(call, signed) {
        return look(call, signed, typed, lines, errors);
    }
    let by = By::Session(signed.session.id);
    match import_people(&call.app.means, by, lines, bad, way(call), Some(nonce), call.visitor.source()) {
        Ok(Imported::Done { joined, left_out }) => Ok(done(call, signed, &joined, &left_out)),
        Ok(Imported::Refused(lines)) => look(call, signed, typed, lines, Vec::new()),
        Err(Error::AlreadyDone(before)) => already_done(call, signed, &before),
        Err(e) => Err(e.into()),
    }
}

/// A list that can not be read, as it was typed.
fn again(call: &Call<'_>, signed: &Signed, text: &str, errors: Vec<FieldError>) -> Answer {
    let form = Form { values: vec![("text".to_owned(), text.to_owned())], errors, ..Form::new(&signed.csrf) };
    Ok(show(call, signed, 422, form, &[]))
}

/// The list as it was typed, with what would happen at this moment.
fn look(call: &Call<'_>, signed: &Signed, text: &str, lines: Vec<Line>, mut errors: Vec<FieldError>) -> Answer {
    let lines = preview(&call.app.means, Asker::Person(&signed.user), lines)?;
    let bad = lines.iter().filter(|line| !line.is_good()).count();
    match bad {
        0 => {}
        1 => errors.push(wrong("text", "1 line can not be added as it is. The table says what to do about it.")),
        n => {
            let what = format!("{n} lines can not be added as they are. The table says what to do about each.");
            errors.push(wrong("text", what));
        }
    }
    let nonce = call.new_nonce(signed);
    // Nothing asks for a code where nobody can be added.
    let form = match bad < lines.len() {
        true => form_of(call, signed, Some(&nonce))?,
        false => Form::new(&signed.csrf),
    };
    let status = if bad == 0 && errors.is_empty() { 200 } else { 422 };
    let mut values = vec![("text".to_owned(), text.to_owned())];
    // Mailed too, unless somebody has taken the tick away.
    let by_mail = call.fields.get("by_mail") == "on" || call.fields.get("step") == Step::Check.as_str();
    values.extend(by_mail.then(|| ("by_mail".to_owned(), "on".to_owned())));
    let form = Form { values, errors, ..form };
    Ok(show(call, signed, status, form, &lines))
}

fn show(call: &Call<'_>, signed: &Signed, status: u16, form: Form<'_>, lines: &[Line]) -> Response {
    let page = Page::signed(call, signed);
    page.answer(status, import_markup(&page.frame(), &ImportView { form, lines, mails: call.app.means.mails }))
}

/// The links, shown once as the answer itself.
fn done(call: &Call<'_>, signed: &Signed, joined: &[Joined], left_out: &[Line]) -> Response {
    let line = |joined: &Joined| JoinedLine {
        name: joined.person.name.to_string(),
        email: joined.person.email.to_string(),
        link: invitation_address(call, &joined.invitation),
    };
    let expires_at = joined.first().map_or(call.now, |j| j.invitation.expires_at);
    let page = Page::signed(call, signed);
    let view = ImportedView {
        joined: joined.iter().map(line).collect(),
        left_out,
        expires_at,
        mailed: matches!(way(call), Way::Mailed(_)),
    };
    page.answer(200, imported_markup(&page.frame(), &view))
}

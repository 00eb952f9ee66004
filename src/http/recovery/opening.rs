//! Opening a case for somebody who asks for help.

use super::evidence::ticket;
use crate::actions::casework::{self, OpenedCase};
use crate::audit::Reason;
use crate::grants::Grant;
use crate::http::grants::{Sheet, confirmed, open_form, subject};
use crate::http::guards::{Call, Signed};
use crate::http::show::{Answer, Page, Said, redirect_saying, wrong};
use crate::http::{Response, error::Problem};
use crate::ids::UserId;
use crate::pages::FieldError;
use crate::pages::recovery::errands::{OpenCaseView, open_case};
use crate::storage::recovery;

/// `GET /admin/users/{id}/case`: the person's open case, if there is one.
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let id: UserId = call.param("id")?;
    match call.app.means.store.read(|tx| Ok::<_, Problem>(recovery::find_open(tx, id)?))? {
        Some(case) => Ok(Response::redirect(303, &format!("/admin/recovery/{}", case.number))),
        None => open_form(call, signed, Grant::OpenCase, |sheet| show(sheet, 200, Vec::new())),
    }
}

fn show(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let nonce = sheet.nonce_text();
    let view = OpenCaseView { form: sheet.form(&nonce, errors)?, person: subject(&sheet.user) };
    let page = Page::signed(sheet.call, sheet.signed);
    Ok(page.answer(status, open_case(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/case`
pub fn open(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let mut errors = Vec::new();
    let reason = call.fields.get("reason").parse::<Reason>().map_err(|e| errors.push(wrong("reason", e))).ok();
    let ticket = ticket(call, &mut errors);
    let reason = match reason {
        Some(reason) if errors.is_empty() => reason,
        _ => return show(&sheet, 422, errors),
    };
    if let Err(answer) = confirmed(call, signed, |status, errors| show(&sheet, status, errors)) {
        return answer;
    }
    let urgent = call.fields.get("urgent") == "on";
    sheet.granted(casework::open(&call.app.means, sheet.ask(nonce), (reason, ticket), urgent), |opened| {
        let (case, said) = match opened {
            OpenedCase::New(case) => (case, Said::CaseOpened),
            OpenedCase::Open(case) => (case, Said::CaseWasOpen),
        };
        Ok(redirect_saying(call, &format!("/admin/recovery/{case}"), said))
    })
}

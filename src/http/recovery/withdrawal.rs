//! Taking back what one has asked for in a case.

use super::requests::{ask, find_live};
use crate::actions::Error;
use crate::actions::approve::{self, Ruling};
use crate::grants::Rule;
use crate::http::error::Problem;
use crate::http::guards::{Call, Signed};
use crate::http::show::{Answer, Page, Said, confirm, form_of, redirect_saying};
use crate::http::standing::{already_done, refused};
use crate::ids::{CaseNumber, RequestId};
use crate::pages::recovery::withdrawal::{WithdrawView, withdraw as withdraw_markup};
use crate::pages::{FieldError, Form};
use crate::storage::{recovery, users};
use crate::users::User;

/// `GET /admin/recovery/{case}/withdraw`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    show(call, signed, (200, Vec::new()))
}

fn show(call: &Call<'_>, signed: &Signed, (status, errors): (u16, Vec<FieldError>)) -> Answer {
    let number: CaseNumber = call.param("case")?;
    let (user, live) = call.app.means.store.read(|tx| {
        let case = recovery::find(tx, number)?.ok_or(Problem::NotFound)?;
        let live = find_live(tx, call, &signed.user, &case)?;
        Ok::<_, Problem>((users::get(tx, case.user_id)?, live))
    })?;
    let Some(live) = live else { return Ok(moved_on(call, number)) };
    let request = live.view();
    if !request.own {
        return Ok(refused(call, signed, &user, Rule::NotWhoAsked, false));
    }
    let nonce = match call.fields.get("nonce") {
        "" => call.new_nonce(signed),
        sent => sent.to_owned(),
    };
    let form = Form { errors, ..form_of(call, signed, Some(&nonce))? };
    let page = Page::signed(call, signed);
    Ok(page.answer(status, withdraw_markup(&page.frame(), &WithdrawView { form, request })))
}

fn moved_on(call: &Call<'_>, case: CaseNumber) -> crate::http::Response {
    redirect_saying(call, &format!("/admin/recovery/{case}"), Said::CaseMovedOn)
}

/// `POST /admin/recovery/{case}/withdraw`
pub fn act(call: &Call<'_>, signed: &Signed) -> Answer {
    let nonce = call.nonce(signed)?;
    let id: RequestId = call.fields.get("request").parse().map_err(|_| Problem::StaleForm)?;
    if let Err(errors) = confirm(call, signed) {
        return show(call, signed, (422, errors));
    }
    let case: CaseNumber = call.param("case")?;
    match approve::withdraw(&call.app.means, ask(call, signed, (case, id), nonce)) {
        Ok(Ruling::Done(_)) => Ok(redirect_saying(call, &format!("/admin/recovery/{case}"), Said::Withdrawn)),
        Ok(Ruling::TooLate(_) | Ruling::Changed(_)) => Ok(moved_on(call, case)),
        Ok(Ruling::No(rule)) => Ok(refused(call, signed, &person(call, case)?, rule, true)),
        Err(Error::AlreadyDone(done)) => already_done(call, signed, &done),
        Err(e) => Err(e.into()),
    }
}

fn person(call: &Call<'_>, case: CaseNumber) -> Result<User, Problem> {
    call.app.means.store.read(|tx| {
        let case = recovery::find(tx, case)?.ok_or(Problem::NotFound)?;
        Ok(users::get(tx, case.user_id)?)
    })
}

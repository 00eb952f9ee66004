//! Letting the person back in after an attack.

use super::error::Problem;
use super::grants::{Sheet, open_form, ready, subject};
use super::guards::{Call, Signed};
use super::permission::Beforehand;
use super::show::{Answer, Page};
use crate::actions::readmit::readmit;
use crate::grants::Grant;
use crate::pages::FieldError;
use crate::pages::readmit::{ReadmitView, ReadmittedView, readmit as readmit_markup, readmitted};
use crate::policy::Key;
use crate::secret::Secret;
use crate::storage::{factors, policy, recovery};

/// `GET /admin/users/{id}/readmit`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    open_form(call, signed, Grant::Readmit, |sheet| show(sheet, 200, Vec::new()))
}

fn show(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let (call, user) = (sheet.call, &sheet.user);
    let nonce = sheet.nonce_text();
    let form = sheet.form(&nonce, errors)?;
    let view = call.app.means.store.read(|tx| {
        let policy = policy::get(tx, call.now)?;
        let ahead = Beforehand::read(tx, sheet, Grant::Readmit)?;
        Ok::<_, Problem>(ReadmitView {
            form: ahead.fill(sheet, form),
            person: subject(user),
            case: recovery::find_open(tx, user.id)?.map(|c| c.number),
            factors: factors::count_working(tx, user.id)?,
            window: policy.window(),
            valid: policy.lasting(Key::TemporaryPassword),
            known: ahead.known,
            signals: ahead.signals,
            permission: ahead.permission,
        })
    })?;
    let page = Page::signed(call, sheet.signed);
    Ok(page.answer(status, readmit_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/readmit`
pub fn act(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let (nonce, statement) = match ready(call, signed, None, |status, errors| show(&sheet, status, errors)) {
        Ok(ready) => ready,
        Err(answer) => return answer,
    };
    sheet.granted_on_evidence(readmit(&call.app.means, sheet.ask(nonce), statement), show, |back| {
        let page = Page::signed(call, signed);
        let view = ReadmittedView {
            person: subject(&sheet.user),
            case: back.case,
            password: Secret::new(back.password.to_text()),
            expires_at: back.expires_at,
            pass: back.pass.map(|pass| Secret::new(pass.to_text())),
            closes_at: back.closes_at,
        };
        Ok(page.answer(200, readmitted(&page.frame(), &view)))
    })
}

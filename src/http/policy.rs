//! What owners have set for everybody: the page with all of it, and the forms by which owners change it.

use super::error::Problem;
use super::grants::confirmed;
use super::guards::{Call, Signed};
use super::show::{Answer, Page, Said, form_of, redirect_saying, wrong};
use super::standing::already_done;
use crate::actions::Error;
use crate::actions::authorise::By;
use crate::actions::nonce::Nonce;
use crate::actions::policy::{self as errand, Ask, Changed};
use crate::audit::Reason;
use crate::grants::Rule;
use crate::pages::policy::{
    ChangeView, PolicyView, TakeBackView, change as change_markup, policy as policy_markup, take_back as back_markup,
};
use crate::pages::{FieldError, Form};
use crate::policy::{KEYS, Key, Standing};
use crate::storage::policy;
use crate::users::Role;

/// `GET /admin/policy`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let set = call.app.means.store.read(policy::list)?;
    let settings = KEYS.iter().map(|key| Standing::of(*key, &set, call.now)).collect();
    let page = Page::signed(call, signed);
    let view = PolicyView { settings, may_change: signed.user.role == Role::Owner };
    Ok(page.answer(200, policy_markup(&page.frame(), &view)))
}

/// A form about one setting, as it goes back and forth. Only owners are shown it.
struct Sheet<'a> {
    call: &'a Call<'a>,
    signed: &'a Signed,
    key: Key,
}

impl<'a> Sheet<'a> {
    fn open(call: &'a Call<'a>, signed: &'a Signed) -> Result<Self, Problem> {
        Ok(Self { call, signed, key: call.param("key")? })
    }

    fn nonce(&self) -> String {
        match self.call.fields.get("nonce") {
            "" => self.call.new_nonce(self.signed),
            sent => sent.to_owned(),
        }
    }

    /// The form with what was typed, and how the setting stands.
    fn form<'f>(&'f self, nonce: &'f str, errors: Vec<FieldError>) -> Result<(Form<'f>, Standing), Problem> {
        let (call, signed) = (self.call, self.signed);
        if signed.user.role != Role::Owner {
            return Err(Problem::Forbidden(Rule::OwnersOnly.sentence()));
        }
        let standing = call.app.means.store.read(|tx| policy::get_standing(tx, self.key, call.now))?;
        let mut values = call.fields.kept(&["value", "reason"]);
        if !call.is_post() {
            values.push(("value".to_owned(), standing.value.to_string()));
        }
        Ok((Form { values, errors, ..form_of(call, signed, Some(nonce))? }, standing))
    }

    fn ask(&self, nonce: Nonce, reason: Reason) -> Ask {
        Ask { by: By::Session(self.signed.session.id), nonce, reason, source: self.call.visitor.source() }
    }

    fn reason(&self) -> Result<Reason, FieldError> {
        self.call.fields.get("reason").parse().map_err(|e| wrong("reason", e))
    }

    /// The form again with what is wrong in it; who may not change anything is told that instead, which is on record as any
    /// other try.
    fn wrong(&self, errors: Vec<FieldError>, again: impl Fn(u16, Vec<FieldError>) -> Answer) -> Answer {
        if self.signed.user.role == Role::Owner {
            return again(422, errors);
        }
        let (by, source) = (By::Session(self.signed.session.id), self.call.visitor.source());
        Err(Problem::Forbidden(errand::barred(&self.call.app.means, by, self.key, source)?.sentence()))
    }

    /// What an errand answered; that there is nothing to do is said by `again`.
    fn answer(&self, changed: Result<Changed, Error>, at_once: Said, again: impl FnOnce() -> Answer) -> Answer {
        let said = match changed {
            Ok(Changed::AtOnce) => at_once,
            Ok(Changed::Later(_)) => Said::PolicyWaits,
            Ok(Changed::No(Rule::NothingToDo)) => return again(),
            Ok(Changed::No(rule)) => return Err(Problem::Forbidden(rule.sentence())),
            Err(Error::AlreadyDone(done)) => return already_done(self.call, self.signed, &done),
            Err(e) => return Err(e.into()),
        };
        Ok(redirect_saying(self.call, "/admin/policy", said))
    }
}

/// `GET /admin/policy/{key}`
pub fn change_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_change(&Sheet::open(call, signed)?, 200, Vec::new())
}

fn show_change(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let nonce = sheet.nonce();
    let (form, standing) = sheet.form(&nonce, errors)?;
    let page = Page::signed(sheet.call, sheet.signed);
    Ok(page.answer(status, change_markup(&page.frame(), &ChangeView { form, standing })))
}

/// `POST /admin/policy/{key}`
pub fn change(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show_change(&sheet, status, errors);
    let value = sheet.key.parse_value(call.fields.get("value")).map_err(|e| wrong("value", e));
    let (value, reason) = match (value, sheet.reason()) {
        (Ok(value), Ok(reason)) => (value, reason),
        (value, reason) => return sheet.wrong(value.err().into_iter().chain(reason.err()).collect(), again),
    };
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    sheet.answer(errand::change(&call.app.means, sheet.ask(nonce, reason), value), Said::PolicyChanged, || {
        again(422, vec![wrong("value", "It is so already, or is going to be. Choose another value; what is going to be can be taken back under Policy.")])
    })
}

/// `GET /admin/policy/{key}/take-back`
pub fn take_back_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_take_back(&Sheet::open(call, signed)?, 200, Vec::new())
}

fn show_take_back(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let nonce = sheet.nonce();
    let (form, standing) = sheet.form(&nonce, errors)?;
    let page = Page::signed(sheet.call, sheet.signed);
    Ok(page.answer(status, back_markup(&page.frame(), &TakeBackView { form, standing })))
}

/// `POST /admin/policy/{key}/take-back`
pub fn take_back(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show_take_back(&sheet, status, errors);
    let reason = match sheet.reason() {
        Ok(reason) => reason,
        Err(error) => return sheet.wrong(vec![error], again),
    };
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    let changed = errand::take_back(&call.app.means, sheet.ask(nonce, reason), sheet.key);
    sheet.answer(changed, Said::PolicyTakenBack, || again(409, Vec::new()))
}

//! Contact details: a person's own below `/profile/contacts`, everybody else's below `/admin/users/{id}/contacts`.

use super::error::Problem;
use super::grants::{Sheet, confirmed, open_form, subject};
use super::guards::{Call, Signed};
use super::show::{Answer, Page, Said, confirm, form_of, redirect_saying, wrong};
use crate::actions::contacts::{self as errands, AddedContact};
use crate::actions::grants::Preview;
use crate::contacts::{Contact, Detail, Kind};
use crate::grants::{Grant, Rule};
use crate::ids::{ContactId, UserId};
use crate::pages::contacts::{
    ContactsView, Numbers, RemoveContactView, Whose, contacts as contacts_markup, remove_contact as remove_markup,
};
use crate::pages::{FieldError, Form};
use crate::policy::{self, Key};
use crate::storage::policy as stored_policy;
use crate::storage::{ReadTx, contacts, users};

/// Contacts on the page, with those that were removed.
const HISTORY: u32 = 50;
const OWN: &str = "/profile/contacts";

/// The numbers on which a person could be called to make sure who it is, as a form about evidence lists them.
pub(super) fn numbers_of(tx: &ReadTx<'_>, call: &Call<'_>, user: UserId) -> Result<Numbers, Problem> {
    let mut phones = contacts::list(tx, user)?;
    phones.retain(|c| c.detail.kind() == Kind::Phone);
    Ok(Numbers {
        phones,
        known: stored_policy::get(tx, call.now)?.lasting(Key::KnownNumber),
        requested_at: errands::requested_at(tx, user, call.now)?,
    })
}

/// `GET /profile/contacts`
pub fn own_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_own(call, signed, 200, Vec::new())
}

fn show_own(call: &Call<'_>, signed: &Signed, status: u16, errors: Vec<FieldError>) -> Answer {
    let form = Form { values: call.fields.kept(&["kind", "value"]), errors, ..form_of(call, signed, None)? };
    show(call, signed, status, (form, Whose::Own), signed.user.id, None)
}

/// `GET /admin/users/{id}/contacts`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_theirs(&Sheet::open(call, signed)?, 200, Vec::new())
}

fn show_theirs(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let (call, signed, id) = (sheet.call, sheet.signed, sheet.user.id);
    let nonce = sheet.nonce_text();
    let rule = call.app.means.store.read(|tx| {
        let user = users::find_ranked(tx, id, call.now)?.ok_or(Problem::NotFound)?;
        let preview = Preview::read(tx, &signed.user, &user, call.now)?;
        Ok::<_, Problem>(preview.refusal(Grant::ChangeContacts))
    })?;
    let refused = rule.map(|rule| match rule {
        Rule::Yourself => "These are your own: add and remove them on your profile.",
        rule => rule.sentence(),
    });
    let whose = Whose::Of(subject(&sheet.user));
    show(call, signed, status, (sheet.form(&nonce, errors)?, whose), id, refused)
}

fn show(
    call: &Call<'_>,
    signed: &Signed,
    status: u16,
    (form, whose): (Form<'_>, Whose<'_>),
    user: UserId,
    refused: Option<&'static str>,
) -> Answer {
    let (contacts, history) = call
        .app
        .means
        .store
        .read(|tx| Ok::<_, Problem>((contacts::list(tx, user)?, contacts::list_history(tx, user, HISTORY)?)))?;
    let page = Page::signed(call, signed);
    let known = call.app.means.store.read(|tx| stored_policy::get(tx, call.now))?.lasting(Key::KnownNumber);
    let view = ContactsView { form, whose, contacts, history, known, refused };
    Ok(page.answer(status, contacts_markup(&page.frame(), &view)))
}

/// What was typed, of one of these kinds.
fn typed(call: &Call<'_>, kinds: &[Kind]) -> Result<Detail, Vec<FieldError>> {
    let kind = call.fields.get("kind").parse::<Kind>().ok().filter(|k| kinds.contains(k));
    let Some(kind) = kind else { return Err(vec![wrong("kind", "Choose what to add.")]) };
    Detail::parse(kind, call.fields.get("value")).map_err(|e| vec![wrong("value", e)])
}

/// What stands against adding it, beside the field.
fn unfit(added: AddedContact) -> Option<Vec<FieldError>> {
    match added {
        AddedContact::Done => None,
        AddedContact::Exists => Some(vec![wrong("value", "This is there already; nothing was changed.")]),
        AddedContact::TooMany => {
            let text = format!("There are {} of this kind already. Remove one that is out of use.", policy::CONTACTS);
            Some(vec![wrong("value", text)])
        }
    }
}

/// `POST /profile/contacts`
pub fn add_own(call: &Call<'_>, signed: &Signed) -> Answer {
    let again = |errors| show_own(call, signed, 422, errors);
    let detail = match typed(call, &Kind::OWN) {
        Ok(detail) => detail,
        Err(errors) => return again(errors),
    };
    if let Err(errors) = confirm(call, signed) {
        return again(errors);
    }
    match unfit(errands::add_own(&call.app.means, &signed.session, detail, &call.visitor)?) {
        Some(errors) => again(errors),
        None => Ok(redirect_saying(call, OWN, Said::ContactAdded)),
    }
}

/// `POST /admin/users/{id}/contacts`
pub fn add(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show_theirs(&sheet, status, errors);
    let detail = match typed(call, &Kind::ALL) {
        Ok(detail) => detail,
        Err(errors) => return again(422, errors),
    };
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    sheet.granted(errands::add(&call.app.means, sheet.ask(nonce), detail), |added| match unfit(added) {
        Some(errors) => again(422, errors),
        None => sheet.back("/contacts", Said::ContactAdded),
    })
}

/// The contact in the address, of this person and of one of these kinds.
fn found(call: &Call<'_>, user: UserId, kinds: &[Kind]) -> Result<Contact, Problem> {
    let id: ContactId = call.param("contact")?;
    let contact = call.app.means.store.read(|tx| contacts::find(tx, user, id))?;
    contact.filter(|c| kinds.contains(&c.detail.kind())).ok_or(Problem::NotFound)
}

/// `GET /profile/contacts/{contact}/remove`
pub fn remove_own_page(call: &Call<'_>, signed: &Signed) -> Answer {
    show_remove_own(call, signed, 200, Vec::new())
}

fn show_remove_own(call: &Call<'_>, signed: &Signed, status: u16, errors: Vec<FieldError>) -> Answer {
    let contact = found(call, signed.user.id, &Kind::OWN)?;
    let form = Form { errors, ..form_of(call, signed, None)? };
    let page = Page::signed(call, signed);
    let view = RemoveContactView { form, whose: Whose::Own, contact: &contact };
    Ok(page.answer(status, remove_markup(&page.frame(), &view)))
}

/// `POST /profile/contacts/{contact}/remove`. The second click finds nothing to remove, and says that it is gone.
pub fn remove_own(call: &Call<'_>, signed: &Signed) -> Answer {
    if let Err(errors) = confirm(call, signed) {
        return show_remove_own(call, signed, 422, errors);
    }
    errands::remove_own(&call.app.means, &signed.session, call.param("contact")?, &call.visitor)?;
    Ok(redirect_saying(call, OWN, Said::ContactRemoved))
}

/// `GET /admin/users/{id}/contacts/{contact}/remove`
pub fn remove_page(call: &Call<'_>, signed: &Signed) -> Answer {
    open_form(call, signed, Grant::ChangeContacts, |sheet| show_remove(sheet, 200, Vec::new()))
}

fn show_remove(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let contact = found(sheet.call, sheet.user.id, &Kind::ALL)?;
    let nonce = sheet.nonce_text();
    let whose = Whose::Of(subject(&sheet.user));
    let page = Page::signed(sheet.call, sheet.signed);
    let view = RemoveContactView { form: sheet.form(&nonce, errors)?, whose, contact: &contact };
    Ok(page.answer(status, remove_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/contacts/{contact}/remove`
pub fn remove(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let contact: ContactId = call.param("contact")?;
    if let Err(answer) = confirmed(call, signed, |status, errors| show_remove(&sheet, status, errors)) {
        return answer;
    }
    sheet.granted(errands::remove(&call.app.means, sheet.ask(nonce), contact), |()| {
        sheet.back("/contacts", Said::ContactRemoved)
    })
}

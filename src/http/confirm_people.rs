//! The page on which an owner confirms who is here, after a restore that could not know what was decided since.

use super::Response;
use super::error::Problem;
use super::grants::confirmed;
use super::guards::{Call, Signed};
use super::show::{Answer, Page, Said, form_of, redirect_saying};
use crate::actions::Error;
use crate::actions::authorise::By;
use crate::actions::confirm_people::{Corrections, confirm_people};
use crate::actions::grants::Granted;
use crate::grants::Rule;
use crate::ids::UserId;
use crate::pages::confirm_people::{ConfirmPeopleView, confirm_people as confirm_markup};
use crate::pages::{FieldError, Form, Frame};
use crate::storage::users::search::{self, Search};
use crate::users::Role;

/// Where the list is confirmed.
pub const PATH: &str = "/admin/users/confirm";

/// What is said where more was ticked than a form may hold. Confirming a part first would let the others in.
pub const TOO_MANY: &str = "You ticked more people than can be sent at once, which are about 1,400. Nobody was disabled, and \
    nobody has been let in. Go back and first disable some of them one by one, on their own pages or with “idp user \
    disable” on the host. Then load this list again and confirm it: they stand in it as disabled and need no tick.";

/// `GET /admin/users/confirm`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    if signed.user.role != Role::Owner {
        return Err(Problem::Forbidden(Rule::OwnersOnly.sentence()));
    }
    if !signed.people_wait {
        return Ok(Response::redirect(303, "/admin/users"));
    }
    let nonce = call.new_nonce(signed);
    show(call, signed, &nonce, 200, Vec::new())
}

fn show(call: &Call<'_>, signed: &Signed, nonce: &str, status: u16, errors: Vec<FieldError>) -> Answer {
    // Everyone on one page: what stands on a second one is confirmed unread.
    let everyone = Search::default();
    let mut people = call.app.means.store.read(|tx| search::list(tx, &everyone, None, call.now, u32::MAX))?.people;
    people.sort_by_key(|p| std::cmp::Reverse(p.role.rank()));
    let values = call.fields.kept(&["disable", "demote"]);
    let form = Form { values, errors, ..form_of(call, signed, Some(nonce))? };
    let page = Page::signed(call, signed);
    // The page is what the notice leads to.
    let frame = Frame { people_wait: false, ..page.frame() };
    let view = ConfirmPeopleView { form, people: &people, viewer: signed.user.id };
    Ok(page.answer(status, confirm_markup(&frame, &view)))
}

/// `POST /admin/users/confirm`
pub fn confirm(call: &Call<'_>, signed: &Signed) -> Answer {
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show(call, signed, call.fields.get("nonce"), status, errors);
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    let corrections = Corrections { disable: ids(call, "disable")?, demote: ids(call, "demote")? };
    let by = By::Session(signed.session.id);
    let done = || Ok(redirect_saying(call, "/admin/users", Said::PeopleConfirmed));
    match confirm_people(&call.app.means, by, corrections, nonce, call.visitor.source()) {
        Ok(Granted::Yes(()) | Granted::Waits(_)) | Err(Error::AlreadyDone(_)) => done(),
        Ok(Granted::No(rule)) => Err(Problem::Forbidden(rule.sentence())),
        Err(e) => Err(e.into()),
    }
}

fn ids(call: &Call<'_>, field: &'static str) -> Result<Vec<UserId>, Problem> {
    call.fields.list(field).map(|id| id.parse().map_err(|_| Problem::NotFound)).collect()
}

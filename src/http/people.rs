//! The list of people, and adding one.

use super::Response;
use super::error::Problem;
use super::guards::{Call, Signed};
use super::show::{Answer, Page, confirm, form_of, page_of, wrong};
use super::standing::already_done;
use crate::actions::Error;
use crate::actions::administer::{AddedPerson, Invitation, Way, add_person};
use crate::actions::authorise::By;
use crate::ids::UserId;
use crate::pages::users::{
    AddPersonView, InvitationLinkView, UsersView, add_person as add_markup, invitation_link, users as users_markup,
};
use crate::pages::{FieldError, Form};
use crate::secret::Secret;
use crate::storage::users::search::{self, Listed, Search};
use crate::users::{Email, NewPerson, PersonName, Role, Taken};

/// What is said where somebody has the address that was typed.
pub const fn taken(by: Taken) -> &'static str {
    match by {
        Taken::ByWhoIsHere => "Someone with this address is here already. Search for them in the list.",
        Taken::ByWhoLeft => {
            "Someone who has left for good had this address. It stays theirs, so that the audit log names one person by \
             it: use another address."
        }
    }
}

/// People on one page of the list.
const PAGE: u32 = 50;

/// People who need attention that stand above the list.
const PRESSING: u32 = 10;

/// People who match a text that are listed; of more, the page asks for more letters.
const MOST_MATCHES: usize = 200;

/// `GET /admin/users`
pub fn list(call: &Call<'_>, signed: &Signed) -> Answer {
    let mut errors = Vec::new();
    let text: String = crate::audit::clean(call.fields.get("q")).chars().take(100).collect();
    let search = Search {
        text,
        most: Some(MOST_MATCHES),
        state: read(call.fields.get("state"), "state", &mut errors),
        role: read(call.fields.get("role"), "role", &mut errors),
        with_left: false,
    };
    let after: Option<UserId> = read(call.fields.get("after"), "", &mut errors);
    let begins = after.is_none() && search.text.is_empty() && search.state.is_none() && search.role.is_none();
    let (Listed { people, more_match }, pressing) = match errors.is_empty() {
        true => call.app.means.store.read(|tx| {
            let pressing = if begins { search::list_pressing(tx, call.now, PRESSING + 1)? } else { Vec::new() };
            Ok::<_, Problem>((search::list(tx, &search, after, call.now, PAGE + 1)?, pressing))
        })?,
        false => (Listed { people: Vec::new(), more_match: false }, Vec::new()),
    };
    let (people, more) = page_of(people, PAGE);
    let (pressing, more_pressing) = page_of(pressing, PRESSING);
    let page = Page::signed(call, signed);
    let status = if errors.is_empty() { 200 } else { 422 };
    let view = UsersView {
        form: Form { values: call.fields.kept(&["q", "state", "role"]), errors, ..Form::new(&signed.csrf) },
        further: after.is_some(),
        after: people.last().filter(|_| more).map(|p| p.id.to_string()),
        people: &people,
        pressing: &pressing,
        more_pressing,
        more_match: more_match.then_some(MOST_MATCHES),
        may_add: true,
    };
    Ok(page.answer(status, users_markup(&page.frame(), &view)))
}

/// Reads a field that may be empty; what can not be read is an error beside it.
pub fn read<T: std::str::FromStr<Err: ToString>>(
    text: &str,
    field: &'static str,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    if text.trim().is_empty() {
        return None;
    }
    text.trim().parse().map_err(|e: T::Err| errors.push(wrong(field, e.to_string()))).ok()
}

/// The roles that this viewer may give.
const fn roles(role: Role) -> &'static [Role] {
    match role {
        Role::Owner => &Role::ALL,
        Role::Member | Role::Auditor | Role::Admin => &[Role::Member],
    }
}

/// `GET /admin/users/new`
pub fn new_page(call: &Call<'_>, signed: &Signed) -> Answer {
    let values = [("role", Role::Member.as_str()), ("by_mail", "on")];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    show_new(call, signed, 200, values, Vec::new())
}

fn show_new(
    call: &Call<'_>,
    signed: &Signed,
    status: u16,
    values: Vec<(String, String)>,
    errors: Vec<FieldError>,
) -> Answer {
    let nonce = call.new_nonce(signed);
    let form = Form { values, errors, ..form_of(call, signed, Some(&nonce))? };
    let page = Page::signed(call, signed);
    let view = AddPersonView { form, roles: roles(signed.user.role), mails: call.app.means.mails };
    Ok(page.answer(status, add_markup(&page.frame(), &view)))
}

/// `POST /admin/users/new`
pub fn new(call: &Call<'_>, signed: &Signed) -> Answer {
    let nonce = call.nonce(signed)?;
    let again = |status, errors| {
        show_new(call, signed, status, call.fields.kept(&["email", "name", "role", "by_mail"]), errors)
    };
    let email = call.fields.get("email").parse::<Email>();
    let name = call.fields.get("name").parse::<PersonName>();
    let role = call.fields.get("role").parse::<Role>();
    let person = match (email, name, role) {
        (Ok(email), Ok(name), Ok(role)) => NewPerson { email, name, role },
        (email, name, role) => {
            let errors = [
                name.err().map(|e| wrong("name", e)),
                email.err().map(|e| wrong("email", e)),
                role.err().map(|e| wrong("role", e)),
            ];
            return again(422, errors.into_iter().flatten().collect());
        }
    };
    if let Err(errors) = confirm(call, signed) {
        return again(422, errors);
    }
    let by = By::Session(signed.session.id);
    let name = person.name.clone();
    match add_person(&call.app.means, by, person, way(call), Some(nonce), call.visitor.source()) {
        Ok(AddedPerson::Done(invitation)) => Ok(show_link(call, signed, name.as_str(), &invitation)),
        Ok(AddedPerson::Taken(by)) => again(422, vec![wrong("email", taken(by))]),
        Ok(AddedPerson::Refused(rule)) => again(403, vec![wrong("role", rule.sentence())]),
        Err(Error::AlreadyDone(done)) => already_done(call, signed, &done),
        Err(e) => Err(Problem::from(e)),
    }
}

/// How the form wants an invitation to reach who is invited.
pub fn way(call: &Call<'_>) -> Way {
    Way::of(&call.app.means, call.fields.get("by_mail") == "on")
}

/// The invitation link, shown once as the answer itself.
pub fn show_link(call: &Call<'_>, signed: &Signed, name: &str, invitation: &Invitation) -> Response {
    let page = Page::signed(call, signed);
    let link = invitation_address(call, invitation);
    let view = InvitationLinkView {
        id: invitation.user,
        name,
        link,
        expires_at: invitation.expires_at,
        mailed: matches!(way(call), Way::Mailed(_)),
    };
    page.answer(200, invitation_link(&page.frame(), &view))
}

/// The whole address of an invitation.
pub fn invitation_address(call: &Call<'_>, invitation: &Invitation) -> Secret {
    Secret::new(call.app.settings.public_url.link(&invitation.path()))
}

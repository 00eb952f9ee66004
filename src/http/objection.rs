//! The link by which a person says "this wasn't me", without signing in. GET changes nothing; POST does it, once.

use super::Response;
use super::guards::{Call, Guest};
use super::show::{Answer, Page, to_guest};
use crate::actions::object::{Effect, Gone, Works, look, object};
use crate::pages::Form;
use crate::pages::notices::words::quote;
use crate::pages::objection::{
    AskView, DoneView, Gone as GoneShown, GoneView, Outcome, ask as ask_markup, done as done_markup,
    gone as gone_markup,
};

const fn outcome(effect: Effect) -> Outcome {
    match effect {
        Effect::Freezes => Outcome::Frozen,
        Effect::EndsSince => Outcome::EndedSince,
        Effect::IsTold => Outcome::Told,
    }
}

/// What stands in the place of the token, whatever it is.
fn token<'a>(call: &'a Call<'_>) -> &'a str {
    call.params.iter().find(|(name, _)| *name == "token").map_or("", |(_, text)| text)
}

/// `GET /objection/{token}`
pub fn page(call: &Call<'_>, guest: &Guest) -> Answer {
    let (notice, user, effect) = match look(&call.app.means, token(call))? {
        Ok(Works { notice, user, effect }) => (notice, user, effect),
        Err(why) => return Ok(gone(call, why)),
    };
    let page = Page::stranger(call);
    let view = AskView {
        form: Form::new(&guest.csrf),
        action: call.request.path(),
        name: user.name.as_str(),
        said: quote(&notice),
        at: notice.at,
        outcome: outcome(effect),
        help_contact: call.app.settings.help_contact.as_deref(),
    };
    Ok(to_guest(guest, page.answer(200, ask_markup(&page.frame(), &view))))
}

/// `POST /objection/{token}`
pub fn act(call: &Call<'_>, _: &Guest) -> Answer {
    let Some(done) = object(&call.app.means, token(call), &call.visitor)? else {
        // Somebody was faster, or it never was a link.
        let why = look(&call.app.means, token(call))?.err();
        return Ok(gone(call, why.unwrap_or(Gone::TooLate)));
    };
    let page = Page::stranger(call);
    let view = DoneView {
        outcome: outcome(done.effect),
        case: done.case,
        has_factor: done.has_factor,
        help_contact: call.app.settings.help_contact.as_deref(),
    };
    Ok(page.answer(200, done_markup(&page.frame(), &view)))
}

fn gone(call: &Call<'_>, why: Gone) -> Response {
    let (status, gone) = match why {
        Gone::Unknown => (404, GoneShown::Unknown),
        Gone::TooLate => (410, GoneShown::TooLate),
        Gone::Said(at) => (410, GoneShown::Said(at)),
    };
    let page = Page::stranger(call);
    let view = GoneView { gone, help_contact: call.app.settings.help_contact.as_deref() };
    page.answer(status, gone_markup(&page.frame(), &view))
}

//! What people are told, as they read it themselves.

use super::Response;
use super::error::Problem;
use super::guards::{Call, Signed};
use super::show::{Answer, Page, home};
use crate::actions::notices::{self, objection};
use crate::ids::NoticeId;
use crate::notices::Notice;
use crate::pages::notices::{NoticeLine, OwnNoticesView, ReadView, Unseen, own as own_markup, read as read_markup};
use crate::pages::{Form, StepUp};
use crate::storage::{backup_codes, notices as stored};

/// So many stand in the banner; of more, it says that there are.
const BANNER: usize = 3;
/// So many stand on the person's own page.
const OWN: u32 = 50;

fn line(call: &Call<'_>, notice: &Notice) -> NoticeLine {
    NoticeLine::of(notice, objection(&call.app.means.key, notice, call.now))
}

/// What the banner shows to who is signed in.
pub(super) fn unseen(call: &Call<'_>, signed: &Signed) -> Option<Unseen> {
    let lines: Vec<_> = signed.unseen.iter().take(BANNER).map(|notice| line(call, notice)).collect();
    let here = if call.is_post() { home(signed.user.role).to_owned() } else { call.here() };
    (!lines.is_empty()).then_some(Unseen { lines, more: signed.unseen.len() > BANNER, here })
}

/// `GET /profile/notices`
pub fn own(call: &Call<'_>, signed: &Signed) -> Answer {
    let told = call.app.means.store.read(|tx| stored::list_of_user(tx, signed.user.id, OWN))?;
    let lines = told.iter().map(|notice| line(call, notice)).collect();
    let page = Page::signed(call, signed).without_unseen();
    Ok(page.answer(200, own_markup(&page.frame(), &OwnNoticesView { form: Form::new(&signed.csrf), lines })))
}

/// The route by which people say that they have read something.
pub(super) const SEEN: &str = "/profile/notices/seen";

/// `POST /profile/notices/seen`: what is newer than the last proof of who it is, the session's person confirms.
pub fn seen(call: &Call<'_>, signed: &Signed) -> Answer {
    let read = call.fields.list("notice").take(OWN as usize);
    let read: Vec<NoticeId> = read.map(|id| id.parse().map_err(|_| Problem::NotFound)).collect::<Result<_, _>>()?;
    let left = notices::seen(&call.app.means, (signed.user.id, signed.session.step_up_at), read)?;
    let next = call.next().unwrap_or(home(signed.user.role));
    if left.is_empty() {
        return Ok(Response::redirect(303, next));
    }
    let codes = call.app.means.store.read(|tx| backup_codes::count_left(tx, signed.user.id, call.now))?;
    let (step_up, errors) = (Some(StepUp { backup_codes: codes > 0 }), call.step_up_errors.clone());
    let view = ReadView {
        form: Form { step_up, errors, ..Form::new(&signed.csrf) },
        lines: left.iter().map(|notice| line(call, notice)).collect(),
        next: next.to_owned(),
    };
    let page = Page::signed(call, signed).without_unseen();
    Ok(page.answer(422, read_markup(&page.frame(), &view)))
}

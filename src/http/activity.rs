//! A person's own history.

use super::guards::{Call, Signed};
use super::person::cursor;
use super::show::{Answer, Page, page_of};
use crate::audit::{Entry, own};
use crate::ids::UserId;
use crate::pages::activity::{ActivityView, OwnActivity, activity as activity_markup};
use crate::storage::audit;

/// Entries on one page.
const PAGE: u32 = 50;

/// What the person `me` is told of these entries.
pub fn own_activity(entries: &[Entry], me: UserId) -> Vec<OwnActivity> {
    let line =
        |e: &Entry| own::told(e, me).map(|told| OwnActivity { at: e.header.at, text: told.what, source: told.place });
    entries.iter().filter_map(line).collect()
}

/// `GET /profile/activity`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let (me, before) = (signed.user.id, cursor(call)?);
    let found = call.app.means.store.read(|tx| audit::list_own(tx, me, before, PAGE + 1))?;
    let (entries, more) = page_of(found, PAGE);
    let older = entries.last().filter(|_| more).map(|e| format!("/profile/activity?before={}", e.header.seq));
    let help_contact = call.app.settings.help_contact.as_deref();
    let view = ActivityView { entries: own_activity(&entries, me), newest: before.is_none(), older, help_contact };
    let page = Page::signed(call, signed);
    Ok(page.answer(200, activity_markup(&page.frame(), &view)))
}

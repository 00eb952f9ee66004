//! The tab of a person's sessions.

use super::super::error::Problem;
use super::super::guards::{Call, Signed};
use super::super::show::{Answer, Page};
use super::load;
use crate::actions::grants::Preview;
use crate::grants::Grant;
use crate::ids::UserId;
use crate::pages::parts::SessionLine;
use crate::pages::user::sessions::{SessionsView, sessions as sessions_markup};
use crate::sessions::{Freshness, Session, Stage};
use crate::storage::sessions;
use crate::time::Timestamp;

/// `GET /admin/users/{id}/sessions`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let id: UserId = call.param("id")?;
    let (loaded, open, refused) = call.app.means.store.read(|tx| {
        let loaded = load(tx, call, signed, id)?;
        let refused = Preview::read(tx, &signed.user, &loaded.user, call.now)?.refusal(Grant::EndSessions);
        Ok::<_, Problem>((loaded, sessions::list(tx, id, call.now)?, refused))
    })?;
    let view = SessionsView {
        head: loaded.head(),
        sessions: open.iter().map(|s| (SessionLine::of(s, signed.session.id), state(s, call.now))).collect(),
        refused: refused.map(|rule| rule.sentence().to_owned()),
    };
    let page = Page::signed(call, signed);
    Ok(page.answer(200, sessions_markup(&page.frame(), &view)))
}

fn state(session: &Session, now: Timestamp) -> &'static str {
    match session.stage {
        Stage::Pending => "waits for the second factor",
        Stage::Enrolling => "is setting up a factor",
        Stage::ChangingPassword => "is choosing a new password",
        Stage::Full if session.freshness(now) == Freshness::Idle => "signed in, idle",
        Stage::Full => "signed in",
    }
}

//! The tab of a person's sessions.

use super::super::error::Problem;
use super::super::guards::{Call, Signed};
use super::super::show::{Answer, Page};
use super::load;
use crate::actions::recover::Preview;
use crate::grants::Grant;
use crate::ids::UserId;
use crate::pages::user::sessions::{SessionLine, SessionsView, sessions as sessions_markup};
use crate::sessions::{Freshness, Session, Stage, device_name};
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
        sessions: open.iter().map(|s| line(s, call.now)).collect(),
        refused: refused.map(|rule| rule.sentence().to_owned()),
    };
    let page = Page::signed(call, signed);
    Ok(page.answer(200, sessions_markup(&page.frame(), &view)))
}

fn line(session: &Session, now: Timestamp) -> SessionLine {
    let state = match session.stage {
        Stage::Pending => "waits for the second factor",
        Stage::Enrolling => "is setting up a factor",
        Stage::ChangingPassword => "is choosing a new password",
        Stage::Full if session.freshness(now) == Freshness::Idle => "signed in, idle",
        Stage::Full => "signed in",
    };
    SessionLine {
        id: session.id,
        device: device_name(&session.user_agent),
        address: session.address.clone(),
        state,
        began_at: session.created_at,
        seen_at: session.seen_at,
    }
}

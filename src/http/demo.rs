//! Who is in the demo and how they get in. Everywhere else there is no such page.

use super::error::Problem;
use super::guards::Call;
use super::show::{Answer, Page};
use crate::actions::demo::key_rings;
use crate::demo::{Demo, WALKS, Walk};
use crate::factors::totp::STEP_SECONDS;
use crate::pages::demo::{DemoView, WalkView, demo as demo_markup};

/// `GET /demo`
pub fn page(call: &Call<'_>) -> Answer {
    let demo = call.app.demo.as_ref().ok_or(Problem::NotFound)?;
    let seconds = call.now.as_seconds().rem_euclid(STEP_SECONDS.cast_signed());
    let view = DemoView {
        people: key_rings(&call.app.means, demo)?,
        walks: WALKS.iter().map(|walk| walk_view(walk, demo)).collect(),
        seconds_left: STEP_SECONDS.cast_signed() - seconds,
    };
    let page = Page::stranger(call);
    Ok(page.answer(200, demo_markup(&page.frame(), &view)))
}

fn walk_view(walk: &Walk, demo: &Demo) -> WalkView {
    let whom = demo.id_of(walk.whom).map(|id| id.to_string()).unwrap_or_default();
    let who = walk.who.and_then(|key| demo.people.iter().find(|known| known.part.key == key));
    WalkView {
        title: walk.title,
        who: who.map(|known| (known.part.name, known.part.email())),
        path: walk.path.replace("{id}", &whom),
        text: walk.text.replace("{folder}", &demo.folder.display().to_string()),
    }
}

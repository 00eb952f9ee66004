//! The whole story of one case, to be printed.

use super::error::Problem;
use super::grants::subject;
use super::guards::{Call, Signed};
use super::person::entry_line;
use super::show::{Answer, Page, page_of};
use super::signals::in_words;
use crate::audit::Entry;
use crate::audit::filter::Filter;
use crate::audit::plain::Read;
use crate::ids::CaseNumber;
use crate::pages::entry::EntryLine;
use crate::pages::grants::Weight;
use crate::pages::story::{StoryLine, StoryView, story as story_markup};
use crate::storage::recovery::{evidence, requests};
use crate::storage::{audit, notices, policy, recovery, users};

/// Entries of one case; a case has a handful.
const ENTRIES: u32 = 200;
/// Messages of one case.
const MESSAGES: u32 = 50;

/// `GET /admin/recovery/{case}/story`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let number: CaseNumber = call.param("case")?;
    let (case, user, policy, (entries, evidence, requests, told)) = call.app.means.store.read(|tx| {
        let case = recovery::find(tx, number)?.ok_or(Problem::NotFound)?;
        let filter = Filter { case: Some(number), ..Filter::default() };
        let entries = audit::list(tx, &filter, audit::Order::OldestFirst, None, ENTRIES + 1)?;
        let told = notices::list_told(tx, number, MESSAGES)?;
        let of_case = (entries, evidence::list(tx, number)?, requests::list(tx, number)?, told);
        let (user, policy) = (users::get(tx, case.user_id)?, policy::get(tx, call.now)?);
        Ok::<_, Problem>((case, user, policy, of_case))
    })?;
    let (entries, more) = page_of(entries, ENTRIES);
    let entries: Vec<StoryLine> = entries.iter().map(line).collect();
    let mut signs = in_words(&case.signals, &policy);
    signs.retain(|sign| sign.weight != Weight::Calm);
    let page = Page::signed(call, signed);
    let view = StoryView {
        case: &case,
        person: subject(&user),
        evidence: &evidence,
        signs: &signs,
        requests: &requests,
        told: &told,
        entries: &entries,
        more,
    };
    Ok(page.answer(200, story_markup(&page.frame(), &view)))
}

fn line(entry: &Entry) -> StoryLine {
    let (read, line) = (Read::of(entry), entry_line(entry));
    // The name is enough here; the address stands in the entry.
    let actor = line.actor.split(" <").next().unwrap_or_default().to_owned();
    StoryLine {
        line: EntryLine { actor, ..line },
        reason: read.text("reason").to_owned(),
        ticket: read.text("ticket").to_owned(),
    }
}

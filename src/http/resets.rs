//! The report of every reset of second factors by somebody else, in a period.

use std::time::Duration;

use super::error::Problem;
use super::guards::{Call, Signed};
use super::people::read;
use super::person::cursor;
use super::show::{Answer, Page, page_of, wrong};
use super::trail::newest_checkpoint;
use crate::audit::filter::Filter;
use crate::audit::resets::{Reset, concerns};
use crate::audit::{Action, Entry, Outcome};
use crate::pages::resets::{Period, ResetsView, Whole, resets as resets_markup};
use crate::pages::{FieldError, Form};
use crate::storage::{self, ReadTx, audit, instance};
use crate::time::Timestamp;

/// Resets on one page.
const PAGE: u32 = 25;
/// Resets on the page that is printed: some hundred sheets of paper.
const MOST: u32 = 1_000;
/// Entries of one case that are read at a time; a case has a handful, and who fills one hides nothing by that.
const OF_A_CASE: u32 = 200;
/// How far it looks back where nobody says.
const USUAL: Duration = Duration::from_secs(90 * 86_400);

fn period(call: &Call<'_>) -> (Period, Vec<FieldError>) {
    let mut errors = Vec::new();
    let until = read::<Timestamp>(call.fields.get("until"), "until", &mut errors);
    let since = read::<Timestamp>(call.fields.get("since"), "since", &mut errors);
    let since = since.unwrap_or_else(|| until.unwrap_or(call.now).minus(USUAL));
    let period = Period { since, until };
    if errors.is_empty() && filter(period).is_backwards() {
        errors.push(wrong("until", "Write a time after the one under “since”."));
    }
    (period, errors)
}

fn filter(period: Period) -> Filter {
    Filter {
        action: Some(Action::MfaFactorAdminReset),
        outcome: Some(Outcome::Success),
        since: Some(period.since),
        until: period.until,
        ..Filter::default()
    }
}

/// `GET /admin/audit/resets`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let before = cursor(call)?;
    let whole = match call.fields.get("all") {
        "" => false,
        "1" => true,
        _ => return Err(Problem::bad("“all” is 1 or left out.".to_owned())),
    };
    let (period, errors) = period(call);
    let size = if whole { MOST } else { PAGE };
    let (found, more, head, origin, checkpoint) = call.app.means.store.read(|tx| {
        let found = match errors.is_empty() {
            true => audit::list(tx, &filter(period), audit::Order::NewestFirst, before, size + 1)?,
            false => Vec::new(),
        };
        let (found, more) = page_of(found, size);
        let resets = found.iter().map(|entry| of_case(tx, entry)).collect::<storage::Result<Vec<_>>>()?;
        let (head, origin) = (audit::get_head(tx)?, instance::get(tx)?.origin);
        Ok::<_, storage::Error>((resets, more, head, origin, newest_checkpoint(tx)?))
    })?;
    let status = if errors.is_empty() { 200 } else { 422 };
    let mut values = call.fields.kept(&["since", "until"]);
    values.push(("proof".to_owned(), "on".to_owned()));
    let page = Page::signed(call, signed);
    let view = ResetsView {
        period: errors.is_empty().then_some(period),
        form: Form { values, errors, ..Form::new(&signed.csrf) },
        whole: match (whole, more) {
            (false, _) => Whole::Page,
            (true, false) => Whole::All,
            (true, true) => Whole::Cut,
        },
        further: before.is_some(),
        before: found.last().filter(|_| more && !whole).map(|reset| reset.seq.to_string()),
        resets: &found,
        instance: &origin,
        head: (head.seq.unsigned_abs(), head.at),
        checkpoint,
    };
    Ok(page.answer(status, resets_markup(&page.frame(), &view)))
}

fn of_case(tx: &ReadTx<'_>, reset: &Entry) -> storage::Result<Reset> {
    let mut told = Vec::new();
    if let Some(case) = reset.header.case.as_deref().and_then(|number| number.parse().ok()) {
        let filter = Filter { case: Some(case), outcome: Some(Outcome::Success), ..Filter::default() };
        let mut after = None;
        loop {
            let entries = audit::list(tx, &filter, audit::Order::OldestFirst, after, OF_A_CASE)?;
            let Some(last) = entries.last() else { break };
            after = Some(last.header.seq);
            told.extend(entries.into_iter().filter(concerns));
        }
    }
    Ok(Reset::of(reset, &told))
}

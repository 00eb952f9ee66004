//! Declaring an incident, on a case or on a person, and the report of what the account did.

use std::time::Duration;

use super::error::Problem;
use super::grants::{Sheet, confirmed, subject};
use super::guards::{Call, Signed};
use super::hold::{case_of, suspect_since};
use super::person::entry_line;
use super::show::{Answer, Page, Said, page_of, redirect_saying, wrong};
use crate::actions::grants::Preview;
use crate::actions::incident::declare;
use crate::actions::object::is_last_owner;
use crate::audit::filter::Filter;
use crate::audit::plain::{GONE, Read};
use crate::audit::{Action, Entry, Reason};
use crate::grants::{Grant, Rule};
use crate::pages::incident::{
    Declared, IncidentView, ReportView, incident as incident_markup, report as report_markup,
};
use crate::pages::words::{count, day};
use crate::pages::{FieldError, Form};
use crate::recovery::{Case, CaseEvent, CaseState, Held, next};
use crate::sessions::Stage;
use crate::storage::recovery::freezes::{find_hold, find_newest_given};
use crate::storage::{audit, recovery, sessions, users};
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);
/// Entries on one page of a report: some sheets of paper.
const PAGE: u32 = 200;

/// A form about an incident: the person, and the case that it is about, if there is one already.
struct Draft<'a> {
    sheet: Sheet<'a>,
    /// The case in the address.
    named: Option<Case>,
    /// The case by which the first choice of a moment goes.
    known: Option<Case>,
}

impl<'a> Draft<'a> {
    fn open(call: &'a Call<'a>, signed: &'a Signed) -> Result<Self, Problem> {
        if call.params.iter().any(|(name, _)| *name == "case") {
            let case = case_of(call)?;
            let sheet = Sheet::of(call, signed, case.user_id)?;
            return Ok(Self { sheet, known: Some(case.clone()), named: Some(case) });
        }
        let sheet = Sheet::open(call, signed)?;
        let known = call.app.means.store.read(|tx| {
            let open = recovery::find_open(tx, sheet.user.id)?;
            open.map_or_else(|| find_newest_given(tx, sheet.user.id), |case| Ok(Some(case)))
        })?;
        Ok(Self { sheet, named: None, known })
    }

    /// The moments to choose from; the first one is the likeliest.
    fn since(&self) -> Result<Vec<(&'static str, String)>, Problem> {
        let mut all = Vec::new();
        if let Some(case) = &self.known {
            let at = suspect_since(self.sheet.call, case)?;
            let when = format!("{}, {} UTC", day(at), &at.to_seconds_text()[11..16]);
            let words = match at < case.opened_at {
                true => format!("Since what was objected to in {}: {when}", case.number),
                false => format!("Since case {} was opened: {when}", case.number),
            };
            all.push(("case", words));
        }
        let lengths = [("day", "Since yesterday: 24 hours"), ("week", "For 7 days"), ("month", "For 30 days")];
        all.extend(lengths.map(|(value, words)| (value, words.to_owned())));
        all.push(("always", "Nobody knows: every authenticator app goes".to_owned()));
        Ok(all)
    }

    fn chosen(&self) -> Result<Option<Timestamp>, Problem> {
        let now = self.sheet.call.now;
        Ok(match (self.sheet.call.fields.get("since"), &self.known) {
            ("case", Some(case)) => Some(suspect_since(self.sheet.call, case)?),
            ("day", _) => Some(now.minus(DAY)),
            ("week", _) => Some(now.minus(7 * DAY)),
            ("month", _) => Some(now.minus(30 * DAY)),
            ("always", _) => Some(self.sheet.user.created_at),
            _ => None,
        })
    }

    fn show(&self, status: u16, errors: Vec<FieldError>) -> Answer {
        let (sheet, user) = (&self.sheet, &self.sheet.user);
        let nonce = sheet.nonce_text();
        let since = self.since()?;
        let first = since.first().map_or("", |(value, _)| value);
        let form = sheet.form_from(&nonce, errors, [("since", first)])?;
        let (open, last_owner) = sheet
            .call
            .app
            .means
            .store
            .read(|tx| Ok::<_, Problem>((sessions::count(tx, user.id, Stage::Full)?, is_last_owner(tx, user)?)))?;
        let case = self.named.as_ref().map(|case| case.number);
        let view = IncidentView { form, person: subject(user), case, since, sessions: open, last_owner };
        let page = Page::signed(sheet.call, sheet.signed);
        Ok(page.answer(status, incident_markup(&page.frame(), &view)))
    }
}

/// `GET /admin/recovery/{case}/incident` and `GET /admin/users/{id}/incident`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let draft = Draft::open(call, signed)?;
    let preview = |user| call.app.means.store.read(|tx| Preview::read(tx, &signed.user, user, call.now));
    let refused = preview(&draft.sheet.user)?.refusal(Grant::DeclareIncident);
    let moved_on = draft.named.as_ref().is_some_and(|case| next(case.state, CaseEvent::Incident).is_err());
    match refused.or(moved_on.then_some(Rule::NotNow)) {
        Some(rule) => Ok(draft.sheet.refused(rule, false)),
        None => draft.show(200, Vec::new()),
    }
}

/// `POST /admin/recovery/{case}/incident` and `POST /admin/users/{id}/incident`
pub fn act(call: &Call<'_>, signed: &Signed) -> Answer {
    let draft = Draft::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let since = draft.chosen()?.ok_or_else(|| wrong("since", "Choose since when it may have been somebody else."));
    let reason = call.fields.get("reason").parse::<Reason>().map_err(|e| wrong("reason", e));
    let (since, reason) = match (since, reason) {
        (Ok(since), Ok(reason)) => (since, reason),
        (since, reason) => return draft.show(422, since.err().into_iter().chain(reason.err()).collect()),
    };
    if let Err(answer) = confirmed(call, signed, |status, errors| draft.show(status, errors)) {
        return answer;
    }
    let case = draft.named.as_ref().map(|case| case.number);
    let declared = declare(&call.app.means, draft.sheet.ask(nonce), case, since, reason);
    draft.sheet.granted(declared, |case| {
        let href = format!("/admin/recovery/{case}/report");
        Ok(redirect_saying(call, &href, Said::IncidentDeclared))
    })
}

/// `GET /admin/recovery/{case}/report`
pub fn report(call: &Call<'_>, signed: &Signed) -> Answer {
    let case = case_of(call)?;
    let after = match call.fields.get("after") {
        "" => None,
        text => Some(text.parse().map_err(|_| Problem::bad("“after” is no number of an entry.".to_owned()))?),
    };
    let suspect = suspect_since(call, &case)?;
    let (user, incident, held) = call.app.means.store.read(|tx| {
        let of_case = Filter { case: Some(case.number), ..Filter::default() };
        let filter = Filter { action: Some(Action::RecoveryIncidentDeclared), ..of_case };
        let incident = audit::list(tx, &filter, audit::Order::NewestFirst, None, 1)?.pop();
        let user = users::find_ranked(tx, case.user_id, call.now)?.ok_or(Problem::NotFound)?;
        Ok::<_, Problem>((user, incident, find_hold(tx, case.user_id)?))
    })?;
    let since = incident.as_ref().and_then(|e| Read::of(e).fact("since").parse().ok()).unwrap_or(suspect);
    let ended = matches!(case.state, CaseState::Incident | CaseState::Reassured);
    // The moment itself is in it: the entries of what ended it have that time.
    let until = ended.then(|| case.state_at.plus(Duration::from_micros(1)));
    let filter = Filter { involving: Some(user.id), since: Some(since), until, ..Filter::default() };
    let found = call.app.means.store.read(|tx| audit::list(tx, &filter, audit::Order::OldestFirst, after, PAGE + 1))?;
    let (entries, more) = page_of(found, PAGE);
    let last = entries.last().filter(|_| more);
    let is_held = held.is_some_and(|hold| hold.held == Held::Attack && hold.case == case.number);
    let preview = |user| call.app.means.store.read(|tx| Preview::read(tx, &signed.user, user, call.now));
    let page = Page::signed(call, signed);
    let view = ReportView {
        form: Form { values: vec![("proof".to_owned(), "on".to_owned())], ..Form::new(&signed.csrf) },
        person: subject(&user),
        case: case.number,
        since,
        until,
        declared: incident.as_ref().map(|entry| declared(&case, entry)),
        entries: entries.iter().map(entry_line).collect(),
        further: after.is_some(),
        later: last.map(|e| format!("/admin/recovery/{}/report?after={}", case.number, e.header.seq)),
        way_back: is_held && preview(&user)?.refusal(Grant::Readmit).is_none(),
    };
    Ok(page.answer(200, report_markup(&page.frame(), &view)))
}

fn declared(case: &Case, entry: &Entry) -> Declared {
    let read = Read::of(entry);
    let erased = entry.body.is_none();
    let number = |fact| read.fact(fact).parse::<u64>().unwrap_or(0);
    let ended = [
        count(number("sessions_ended"), "session"),
        count(number("factors_removed"), "factor"),
        count(number("codes_voided"), "backup code"),
    ];
    Declared {
        by: case.closed_by.clone().unwrap_or_default(),
        at: entry.header.at,
        reason: if erased { GONE.to_owned() } else { read.text("reason").to_owned() },
        ended: if erased { GONE.to_owned() } else { ended.join(", ") },
    }
}

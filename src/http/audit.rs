//! The trail in the console: the list with its filter, one entry in full, the export.

use super::error::Problem;
use super::guards::{Call, Signed};
use super::people::read;
use super::person::{cursor, entry_line};
use super::show::{Answer, Page, page_of, wrong};
use crate::audit::filter::{ActorFilter, Filter};
use crate::audit::plain::Read;
use crate::audit::{Action, Entry, Outcome};
use crate::ids::{CaseNumber, UserId};
use crate::pages::audit::{AuditView, ChainView, FILTERS, audit as audit_markup};
use crate::pages::entry::{EntryView, Party, entry as entry_markup};
use crate::pages::{FieldError, Form};
use crate::storage::{self, ReadTx, anchors, audit, policy, schema, users};
use crate::time::Timestamp;
use crate::users::Email;

/// Entries on one page.
const PAGE: u32 = 50;

/// Reads the filter's fields; what can not be read is an error beside its field.
pub(super) fn filter(call: &Call<'_>) -> Result<(Filter, Vec<FieldError>), Problem> {
    let mut errors = Vec::new();
    let field = |name| call.fields.get(name);
    let case = |text: &str| text.parse::<CaseNumber>().map_err(|_| "Write a case like R-2026-0042.");
    let filter = Filter {
        action: read::<Action>(field("action"), "action", &mut errors),
        outcome: read::<Outcome>(field("outcome"), "outcome", &mut errors),
        since: read::<Timestamp>(field("since"), "since", &mut errors),
        until: read::<Timestamp>(field("until"), "until", &mut errors),
        case: match field("case").trim() {
            "" => None,
            text => case(text).map_err(|e| errors.push(wrong("case", e))).ok(),
        },
        user: person(call, "person", &mut errors)?,
        involving: person(call, "involving", &mut errors)?,
        actor: match field("actor").trim() {
            "" => None,
            "host" => Some(ActorFilter::Host),
            "system" => Some(ActorFilter::System),
            "anonymous" => Some(ActorFilter::Anonymous),
            _ => person(call, "actor", &mut errors)?.map(ActorFilter::Person),
        },
    };
    if filter.is_backwards() {
        errors.push(wrong("until", "Write a time after the one under “since”."));
    }
    Ok((filter, errors))
}

/// A person by id or address.
fn person(call: &Call<'_>, name: &'static str, errors: &mut Vec<FieldError>) -> Result<Option<UserId>, Problem> {
    let text = call.fields.get(name).trim();
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(id) = text.parse() {
        return Ok(Some(id));
    }
    let found = match text.parse::<Email>() {
        Ok(email) => call.app.means.store.read(|tx| users::find_by_email(tx, &email))?,
        Err(_) => None,
    };
    if found.is_none() {
        errors.push(wrong(name, "Nobody has this address. Write a whole e-mail address, or an id."));
    }
    Ok(found.map(|u| u.id))
}

/// `GET /admin/audit`
pub fn list(call: &Call<'_>, signed: &Signed) -> Answer {
    let before = cursor(call)?;
    let (filter, errors) = filter(call)?;
    show(call, signed, &filter, before, errors)
}

/// The list with what is wrong beside its fields. A filter that is not understood shows nothing, rather than too much.
pub(super) fn show(
    call: &Call<'_>,
    signed: &Signed,
    filter: &Filter,
    before: Option<i64>,
    errors: Vec<FieldError>,
) -> Answer {
    let understood = !errors.iter().any(|error| FILTERS.contains(&error.field));
    let (found, chain) = call.app.means.store.read(|tx| {
        let found = match understood {
            true => audit::list(tx, filter, audit::Order::NewestFirst, before, PAGE + 1)?,
            false => Vec::new(),
        };
        Ok::<_, storage::Error>((found, chain(tx, call)?))
    })?;
    let (entries, more) = page_of(found, PAGE);
    let actions: Vec<&str> = Action::ALL.iter().map(|a| a.as_str()).collect();
    let status = if errors.is_empty() { 200 } else { 422 };
    let page = Page::signed(call, signed);
    let mut values = call.fields.kept(&[&FILTERS[..], &["format", "proof"]].concat());
    if !call.is_post() {
        // What one has to think of to leave it out.
        values.push(("proof".to_owned(), "on".to_owned()));
    }
    let view = AuditView {
        form: Form { values, errors, ..Form::new(&signed.csrf) },
        actions: &actions,
        chain,
        further: before.is_some(),
        before: entries.last().filter(|_| more).map(|e| e.header.seq.to_string()),
        entries: entries.iter().map(entry_line).collect(),
    };
    Ok(page.answer(status, audit_markup(&page.frame(), &view)))
}

/// What is known of the chain without reading all of it: whether its newest entry is as it should be, and the last backup,
/// whose copy was checked entry by entry before it was given its name.
fn chain(tx: &ReadTx<'_>, call: &Call<'_>) -> storage::Result<ChainView> {
    let head = audit::get_head(tx)?;
    let backups = Filter { action: Some(Action::BackupCreated), ..Filter::default() };
    let mails = call.app.means.mails.then(|| policy::get(tx, call.now)).transpose()?;
    let last = audit::list(tx, &backups, audit::Order::NewestFirst, None, 1)?.pop();
    Ok(ChainView {
        newest: head.seq.unsigned_abs(),
        at: head.at,
        hash: data_encoding::HEXLOWER.encode(&head.hash),
        extends: schema::check_head(tx).is_ok(),
        anchors: anchors::list(tx)?,
        mails: mails.map(|policy| policy.anchor_mails()),
        checked: last.and_then(|e| Some((Read::of(&e).fact("head_seq").parse().ok()?, e.header.at))),
    })
}

/// `GET /admin/audit/{seq}`
pub fn entry(call: &Call<'_>, signed: &Signed) -> Answer {
    let seq: i64 = call.param("seq")?;
    let (entry, next) = call.app.means.store.read(|tx| {
        let entry = audit::find_entry(tx, seq)?.ok_or(Problem::NotFound)?;
        Ok::<_, Problem>((entry, seq < audit::get_head(tx)?.seq))
    })?;
    let page = Page::signed(call, signed);
    Ok(page.answer(200, entry_markup(&page.frame(), &view(&entry, next))))
}

fn view(entry: &Entry, next: bool) -> EntryView {
    let (h, read) = (&entry.header, Read::of(entry));
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let party = |kind: &str, id: &Option<String>, name: &str| Party {
        kind: kind.to_owned(),
        id: id.clone().unwrap_or_default(),
        name: name.to_owned(),
    };
    let seq = h.seq.unsigned_abs();
    EntryView {
        line: entry_line(entry),
        lineage: h.lineage.clone(),
        actor: party(&h.actor_kind, &h.actor_id, read.text("actor_name")),
        target: h.target_id.is_some().then(|| party(&h.target_kind, &h.target_id, read.text("target_name"))),
        reason: read.text("reason").to_owned(),
        ticket: read.text("ticket").to_owned(),
        source: read.pairs("source"),
        detail: read.pairs("detail"),
        erased: entry.body.is_none(),
        previous_hash: hex(&entry.prev_hash),
        body_digest: hex(&entry.body_digest),
        hash: hex(&entry.hash),
        previous: (seq > 1).then(|| seq - 1),
        next: next.then_some(seq + 1),
    }
}

//! How somebody made sure who it is: what a form offers, and what was said in it.

use crate::actions::nonce::Nonce;
use crate::audit::{Reason, Ticket};
use crate::http::error::Problem;
use crate::http::guards::Call;
use crate::http::portraits::known_of;
use crate::http::show::wrong;
use crate::ids::UserId;
use crate::pages::FieldError;
use crate::pages::evidence::{Known, OnRecord};
use crate::policy::Key;
use crate::recovery::{Case, Evidence, Recorded, Request, Statement};
use crate::storage::recovery::evidence;
use crate::storage::{ReadTx, policy, recovery};

/// By what a person can be known, with what their open case has about that: what the viewer's request rests on, which is
/// permitted, or else the newest evidence while it is fresh.
pub(in crate::http) fn known_in_case(
    tx: &ReadTx<'_>,
    call: &Call<'_>,
    user: UserId,
    permitted: Option<&Request>,
) -> Result<Known, Problem> {
    let recorded = match (permitted, recovery::find_open(tx, user)?) {
        (Some(asked), _) => evidence::find(tx, asked.evidence)?,
        (None, Some(case)) => fresh(tx, call, &case)?,
        (None, None) => None,
    };
    let on_record = recorded.map(|r| OnRecord {
        at: r.evidence.recorded_at(),
        by: r.by.name,
        kind: r.evidence.kind(),
        permitted: permitted.is_some(),
    });
    Ok(Known { on_record, ..known_of(tx, call, user)? })
}

/// The newest evidence of a case, while it is fresh.
fn fresh(tx: &ReadTx<'_>, call: &Call<'_>, case: &Case) -> Result<Option<Recorded>, Problem> {
    let age = policy::get(tx, call.now)?.lasting(Key::EvidenceAge);
    let newest = evidence::find_newest(tx, case.number)?;
    Ok(newest.filter(|r| call.now.since(r.evidence.recorded_at()) <= age))
}

/// What a form says about how somebody made sure, and the ticket that it names.
pub(super) fn said(call: &Call<'_>, nonce: &Nonce) -> Result<(Evidence, Option<Ticket>), Vec<FieldError>> {
    let mut errors = Vec::new();
    let ticket = ticket(call, &mut errors);
    match piece(call, nonce, ticket.as_ref(), &mut errors) {
        Some(evidence) if errors.is_empty() => Ok((evidence, ticket)),
        _ => Err(errors),
    }
}

/// The field `ticket`.
pub(super) fn ticket(call: &Call<'_>, errors: &mut Vec<FieldError>) -> Option<Ticket> {
    Ticket::optional(call.fields.get("ticket")).unwrap_or_else(|e| {
        errors.push(wrong("ticket", e));
        None
    })
}

fn piece(call: &Call<'_>, nonce: &Nonce, ticket: Option<&Ticket>, errors: &mut Vec<FieldError>) -> Option<Evidence> {
    let field = |name| call.fields.get(name);
    // It can not be younger than the form in which it is said.
    let at = nonce.issued_at();
    let evidence = Evidence::parse(field("evidence"), field("evidence_note"), field("voucher"), ticket, at);
    let evidence = evidence.and_then(|e| e.calling(field("number")));
    evidence.map_err(|(name, e)| errors.push(wrong(name, e))).ok()
}

/// What an admin said about why, and the errors beside the fields.
pub(in crate::http) fn statement(call: &Call<'_>, nonce: &Nonce) -> Result<Statement, Vec<FieldError>> {
    let mut errors = Vec::new();
    let ticket = ticket(call, &mut errors);
    // What stands in the case; the rule looks whether that is fresh enough.
    let evidence = match call.fields.get("evidence") {
        OnRecord::VALUE => None,
        _ => piece(call, nonce, ticket.as_ref(), &mut errors),
    };
    let reason = call.fields.get("reason").parse::<Reason>().map_err(|e| errors.push(wrong("reason", e))).ok();
    match reason {
        Some(reason) if errors.is_empty() => Ok(Statement { evidence, reason, ticket }),
        _ => Err(errors),
    }
}

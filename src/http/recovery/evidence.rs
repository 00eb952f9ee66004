//! How somebody made sure who it is: what a form offers, and what was said in it.

use crate::actions::nonce::Nonce;
use crate::audit::{Reason, Ticket};
use crate::grants::Grant;
use crate::http::error::Problem;
use crate::http::guards::{Call, Signed};
use crate::http::portraits::known_of;
use crate::http::show::wrong;
use crate::pages::FieldError;
use crate::pages::grants::{Known, OnRecord};
use crate::policy::{Key, Policy};
use crate::recovery::{Case, Evidence, Recorded, Request, Statement};
use crate::storage::recovery::{evidence, requests};
use crate::storage::{ReadTx, policy, recovery};
use crate::users::User;

/// What the form of a grant begins with.
pub(in crate::http) struct Ground {
    /// By what the person can be known.
    pub known: Known,
    /// What the viewer asked for, exactly this, and is permitted now.
    pub asked: Option<Request>,
}

impl Ground {
    /// The ground of `grant` for this viewer.
    pub(in crate::http) fn read(
        tx: &ReadTx<'_>,
        call: &Call<'_>,
        signed: &Signed,
        user: &User,
        grant: Grant,
    ) -> Result<Self, Problem> {
        let known = known_of(tx, call, user.id)?;
        let Some(case) = recovery::find_open(tx, user.id)? else {
            return Ok(Self { known, asked: None });
        };
        let asked = requests::find_live(tx, case.number)?.filter(|r| r.grant == grant && is_permitted(r, call, signed));
        let policy = policy::get(tx, call.now)?;
        let recorded = match &asked {
            Some(asked) => evidence::find(tx, asked.evidence)?,
            None => fresh(tx, call, &case, &policy)?,
        };
        let on_record = recorded.map(|r| OnRecord {
            at: r.evidence.recorded_at(),
            by: r.by.name,
            kind: r.evidence.kind(),
            permitted: asked.is_some(),
        });
        Ok(Self { known: Known { on_record, ..known }, asked })
    }

    /// What stands in the form when it is opened.
    pub(in crate::http) fn values(&self) -> Vec<(String, String)> {
        let chosen = self.known.on_record.as_ref().map(|_| ("evidence".to_owned(), OnRecord::VALUE.to_owned()));
        let asked = self.asked.iter().flat_map(|asked| {
            let ticket = asked.ticket.clone().unwrap_or_default();
            [("reason", asked.reason.clone()), ("ticket", ticket), ("email", asked.argument.clone())]
        });
        chosen.into_iter().chain(asked.map(|(name, value)| (name.to_owned(), value))).collect()
    }
}

/// Whether the viewer may carry out now what this request is for.
pub(super) fn is_permitted(request: &Request, call: &Call<'_>, signed: &Signed) -> bool {
    request.asked_by.id == Some(signed.user.id) && request.is_permitted(call.now)
}

/// The newest evidence of a case, while it is fresh.
fn fresh(tx: &ReadTx<'_>, call: &Call<'_>, case: &Case, policy: &Policy) -> Result<Option<Recorded>, Problem> {
    let newest = evidence::find_newest(tx, case.number)?;
    Ok(newest.filter(|r| call.now.since(r.evidence.recorded_at()) <= policy.lasting(Key::EvidenceAge)))
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

//! What permits a grant: a request of who acts, for exactly this, that somebody approved or whose time is over; and whether
//! it still counts. It is weighed again in the transaction that carries the grant out.

use crate::actions::Result;
use crate::grants::{Asker, Question, counts_as, may_decide, needed};
use crate::ids::UserId;
use crate::recovery::{Case, Needs, Request};
use crate::signals::Signals;
use crate::storage::recovery::requests;
use crate::storage::{ReadTx, WriteTx, users};
use crate::users::User;

/// A request that may be carried out, unless something has changed since.
#[derive(Debug)]
pub(super) struct Permit {
    pub request: Request,
    /// As much as whose approval it counts; as nobody's, if it does not any more.
    pub counts_as: Option<Needs>,
}

impl Permit {
    /// Whether it is of no use any more: something has changed, or more is needed by now than what permits it.
    pub(super) fn is_over(&self, question: &Question<'_>) -> bool {
        let covers = |needs| self.counts_as.is_some_and(|level| level.covers(needs));
        self.counts_as.is_none() || needed(question).is_some_and(|n| !covers(n.needs))
    }
}

/// The request of who asks that may be carried out now, if it is the one that is `wanted`.
pub(super) fn find_permit(
    tx: &WriteTx<'_>,
    case: &Case,
    user: &User,
    signals: &Signals,
    asker: Option<UserId>,
    wanted: impl Fn(&Request) -> bool,
) -> Result<Option<Permit>> {
    let live = requests::find_live(tx, case.number)?.filter(|r| r.is_permitted(tx.now()));
    let Some(request) = live.filter(|r| asker.is_some() && r.asked_by.id == asker && wanted(r)) else {
        return Ok(None);
    };
    let counts_as = weigh(tx, &request, case, user, signals)?;
    Ok(Some(Permit { request, counts_as }))
}

/// As much as whose approval a request counts now, in its case and about its person as they are at this moment. Nothing, if
/// the case has moved on, a strong sign has come, or who approved it could not do so any more.
pub(super) fn weigh(
    tx: &ReadTx<'_>,
    request: &Request,
    case: &Case,
    target: &User,
    signals: &Signals,
) -> Result<Option<Needs>> {
    if has_changed(request, case, signals) {
        return Ok(None);
    }
    let approver = match &request.decided_by {
        None => return Ok(Some(Needs::Time)),
        Some(by) => by.id,
    };
    let Some(approver) = approver else { return Ok(Some(counts_as(Asker::Host))) };
    let approver = users::find(tx, approver)?;
    let still = approver.filter(|a| may_decide(Asker::Person(a), request, target).is_ok());
    Ok(still.map(|a| counts_as(Asker::Person(&a))))
}

/// Whether a request still counts, or would if it were approved now: nothing has changed since, and who approved it still
/// could.
///
/// # Errors
/// Storage.
pub fn still_counts(tx: &ReadTx<'_>, request: &Request, case: &Case, target: &User, signals: &Signals) -> Result<bool> {
    Ok(weigh(tx, request, case, target, signals)?.is_some())
}

/// Whether what was asked for is not what it was: the case has moved on, or a strong sign has come since.
pub(in crate::actions) fn has_changed(request: &Request, case: &Case, signals: &Signals) -> bool {
    case.version != request.case_version || signals.adds_to(&request.signals)
}

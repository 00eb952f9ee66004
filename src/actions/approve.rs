//! Deciding about what somebody else asked for: to approve it, which only permits, or to deny it.
//!
//! Architecture invariant: who decides names the very request that they looked at. Whether it still waits, whether nothing has
//! changed since it was asked for, and whether they may decide, is read in the transaction that decides; so of two who decide
//! at the same moment one is told that it was too late.

use super::authorise::{Admin, By};
use super::cases::{self, entry, keep_until};
use super::grants::has_changed;
use super::nonce::Nonce;
use super::sign_in::many;
use super::{Error, Means, Result};
use crate::audit::{Action, Actor, CaseFact, Event, Reason, Record, Source};
use crate::grants::{Rule, may_decide};
use crate::ids::{CaseNumber, RequestId};
use crate::policy::{Key, Policy};
use crate::recovery::{Case, CaseEvent, Request, RequestState};
use crate::storage::recovery::{self, requests};
use crate::storage::{Audited, WriteTx, policy, signals, users};
use crate::users::User;

/// Who decides about what.
#[derive(Debug, Clone)]
pub struct Decide {
    /// Who.
    pub by: By,
    /// In which case.
    pub case: CaseNumber,
    /// About which request; a command on the host takes the one that waits.
    pub request: Option<RequestId>,
    /// The form, so that the second click is safe; commands have none.
    pub nonce: Option<Nonce>,
    /// From where.
    pub source: Source,
}

/// What they say.
#[derive(Debug, Clone)]
pub enum Word {
    /// Who asked may carry it out.
    Approve(Option<Reason>),
    /// They may not, and why.
    Deny(Reason),
}

impl Word {
    const fn action(&self) -> Action {
        match self {
            Self::Approve(_) => Action::RecoveryApproved,
            Self::Deny(_) => Action::RecoveryApprovalDenied,
        }
    }

    fn reason(&self) -> Option<Reason> {
        match self {
            Self::Approve(note) => note.clone(),
            Self::Deny(note) => Some(note.clone()),
        }
    }
}

/// How it came out.
#[derive(Debug, Clone)]
pub enum Ruling {
    /// It is decided.
    Done(Request),
    /// It waits no more: it was decided or carried out meanwhile, or has lapsed. Nothing, where nothing was asked for.
    TooLate(Option<Request>),
    /// Something has changed since it was asked for, so that nobody can approve it any more.
    Changed(Request),
    /// A rule said no.
    No(Rule),
}

/// Decides about a request. Whatever comes of it, there is an entry.
///
/// # Errors
/// [`Error::NotFound`], [`Error::AlreadyDone`], [`Error::SessionGone`], [`Error::StepUpNeeded`]; storage.
pub fn decide(means: &Means, ask: Decide, word: Word) -> Result<Ruling> {
    means.store.change(move |tx| {
        let bench = Bench::read(tx, ask)?;
        let Some(request) = bench.find_request(tx)? else {
            return Ok(Audited::new(Ruling::TooLate(None), bench.refusal(&word, Rule::NotNow)));
        };
        if let Err(rule) = may_decide(bench.admin.asker(), &request, &bench.user) {
            return Ok(Audited::new(Ruling::No(rule), bench.refusal(&word, rule)));
        }
        if request.state != RequestState::Waiting || request.valid_until <= tx.now() {
            return Ok(Audited::new(Ruling::TooLate(Some(request)), bench.refusal(&word, Rule::NotNow)));
        }
        match word {
            Word::Approve(note) => bench.approve(tx, request, note),
            Word::Deny(note) => bench.deny(tx, request, note),
        }
    })
}

/// Why a request is over that who made it has taken back.
const WITHDRAWN: &str = "who asked has withdrawn it";

/// Takes back what waits or may be carried out: only who asked for it. The case goes on without it.
///
/// # Errors
/// As [`decide`].
pub fn withdraw(means: &Means, ask: Decide) -> Result<Ruling> {
    means.store.change(move |tx| {
        let mut bench = Bench::read(tx, ask)?;
        let refusal = |bench: &Bench, rule| bench.refused(Action::RecoveryApprovalLapsed, None, rule);
        let Some(request) = bench.find_request(tx)? else {
            return Ok(Audited::new(Ruling::TooLate(None), refusal(&bench, Rule::NotNow)));
        };
        if bench.admin.id().is_none() || bench.admin.id() != request.asked_by.id {
            let rule = Rule::NotWhoAsked;
            return Ok(Audited::new(Ruling::No(rule), refusal(&bench, rule)));
        }
        let live = matches!(request.state, RequestState::Waiting | RequestState::Approved);
        if !live || request.valid_until <= tx.now() {
            return Ok(Audited::new(Ruling::TooLate(Some(request)), refusal(&bench, Rule::NotNow)));
        }
        let why = (bench.admin.actor(), WITHDRAWN);
        let lapsed = cases::lapse(tx, &mut bench.case, &bench.user, why, &bench.ask.source, &bench.policy)?;
        let Some(record) = lapsed else {
            return Ok(Audited::new(Ruling::TooLate(Some(request)), refusal(&bench, Rule::NotNow)));
        };
        if let Some(nonce) = &bench.ask.nonce {
            let said = format!("What you asked for was withdrawn, in case {}.", bench.case.number);
            nonce.done(tx, &said, &format!("/admin/recovery/{}", bench.case.number))?;
        }
        Ok(Audited::new(Ruling::Done(Request { state: RequestState::Lapsed, ..request }), record))
    })
}

/// What is read before it is decided.
struct Bench {
    ask: Decide,
    admin: Admin,
    case: Case,
    user: User,
    policy: Policy,
}

impl Bench {
    fn read(tx: &WriteTx<'_>, ask: Decide) -> Result<Self> {
        let admin = Admin::authorise(tx, &ask.by, tx.now())?;
        if let Some(nonce) = &ask.nonce {
            nonce.check(tx)?;
        }
        let case = recovery::find(tx, ask.case)?.ok_or(Error::NotFound)?;
        let user = users::find_ranked(tx, case.user_id, tx.now())?.ok_or(Error::NotFound)?;
        let policy = policy::get(tx, tx.now())?;
        Ok(Self { ask, admin, case, user, policy })
    }

    fn find_request(&self, tx: &WriteTx<'_>) -> Result<Option<Request>> {
        match self.ask.request {
            None => Ok(requests::find_live(tx, self.case.number)?),
            Some(id) => {
                let found = requests::find(tx, id)?.filter(|r| r.case == self.case.number);
                found.map(Some).ok_or(Error::NotFound)
            }
        }
    }

    fn refusal(&self, word: &Word, rule: Rule) -> Record {
        self.refused(word.action(), word.reason(), rule)
    }

    fn refused(&self, action: Action, reason: Option<Reason>, rule: Rule) -> Record {
        let event = Event::Refused {
            action,
            user: Some((&self.user).into()),
            case: Some(self.case.number),
            rule: rule.as_str(),
            reason,
            ticket: None,
            evidence: None,
        };
        Record::new(self.admin.actor(), &self.ask.source, event)
    }

    /// Permits it from now on, for as long as policy says, in the case as it is with that.
    fn approve(mut self, tx: &WriteTx<'_>, request: Request, note: Option<Reason>) -> Result<Audited<Ruling>> {
        let signals = signals::get(tx, self.user.id, Some(self.case.number), &self.policy, tx.now())?;
        if has_changed(&request, &self.case, &signals) {
            let mut records = vec![self.refusal(&Word::Approve(note), Rule::ChangedSinceAsked)];
            let why = (Actor::System, "something has changed since it was asked for");
            records.extend(cases::lapse(tx, &mut self.case, &self.user, why, &self.ask.source, &self.policy)?);
            return Ok(many(Ruling::Changed(request), records));
        }
        let valid_until = tx.now().plus(self.policy.lasting(Key::ApprovalLife));
        cases::advance(tx, &mut self.case, CaseEvent::Approved, &self.policy, |case| keep_until(case, valid_until))?;
        let note = note.map(|n| n.as_str().to_owned()).unwrap_or_default();
        let fact = CaseFact::Approved { grant: request.grant, note: note.clone() };
        let request = Request { valid_until, case_version: self.case.version, ..request };
        self.decided(tx, request, (RequestState::Approved, note), fact)
    }

    /// Does not permit it. Before anything was given, that ends the case; afterwards what was given works on, and its case
    /// goes on waiting for it.
    fn deny(mut self, tx: &WriteTx<'_>, request: Request, note: Reason) -> Result<Audited<Ruling>> {
        let (by, why) = (self.admin.name(), note.as_str().to_owned());
        let event = if self.case.act.is_some() { CaseEvent::Lapsed } else { CaseEvent::Denied };
        cases::advance(tx, &mut self.case, event, &self.policy, |case| {
            if case.state.is_closed() {
                (case.closed_by, case.note) = (Some(by), why);
            }
        })?;
        let text = note.as_str().to_owned();
        let fact = CaseFact::Denied { grant: request.grant, note };
        self.decided(tx, request, (RequestState::Denied, text), fact)
    }

    fn decided(
        &self,
        tx: &WriteTx<'_>,
        request: Request,
        (state, note): (RequestState, String),
        fact: CaseFact,
    ) -> Result<Audited<Ruling>> {
        let (decided_by, decided_at) = (Some(self.admin.doer()), Some(tx.now()));
        let request = Request { state, note, decided_by, decided_at, ..request };
        requests::update_decided(tx, &request)?;
        if let Some(nonce) = &self.ask.nonce {
            let word = if state == RequestState::Approved { "approved" } else { "denied" };
            let said = format!("What {} asked for was {word}, in case {}.", request.asked_by.name, self.case.number);
            nonce.done(tx, &said, &format!("/admin/recovery/{}", self.case.number))?;
        }
        let record = entry(self.admin.actor(), &self.ask.source, &self.user, self.case.number, fact);
        Ok(Audited::new(Ruling::Done(request), record))
    }
}

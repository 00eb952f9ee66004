//! What people do in a recovery case beside giving something: open it, put evidence on record, hand it on, refuse, close.
//!
//! Each asks the grant rule inside its transaction, and the case's own rules about its state. A refusal is an outcome with
//! an entry of its own, which carries what was put forward.

use super::authorise::Admin;
use super::cases::{self, advance, entry, lapse};
use super::contacts::look_up;
use super::grants::{Ask, Granted, circumstances};
use super::sign_in::many;
use super::{Error, Means, Result};
use crate::audit::{CaseFact, Event, Reason, Record, Ticket};
use crate::grants::{Grant, Question, Rule, decide};
use crate::ids::CaseNumber;
use crate::policy::Policy;
use crate::recovery::{Case, CaseErrand, CaseEvent, Evidence, Refusal};
use crate::storage::{Audited, WriteTx, policy, recovery, users};
use crate::users::User;

/// Where opening a case led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenedCase {
    /// To a new one.
    New(CaseNumber),
    /// To the one that is open already: a person has at most one.
    Open(CaseNumber),
}

/// Why the case of somebody who does not need help any more is closed.
const NOT_NEEDED: &str = "not needed any more";

/// Opens a case.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn open(
    means: &Means,
    ask: Ask,
    (reason, ticket): (Reason, Option<Ticket>),
    urgent: bool,
) -> Result<Granted<OpenedCase>> {
    means.store.change(move |tx| {
        let (admin, user) = ask.read(tx)?;
        let (policy, open) = (policy::get(tx, tx.now())?, recovery::find_open(tx, user.id)?);
        let said = Said { reason: Some(reason.clone()), ticket: ticket.clone(), evidence: None };
        let refused = |rule: Rule| {
            let case = open.as_ref().map(|c| c.number);
            said.refusal(Grant::OpenCase, (&admin, &user), case, rule, &ask)
        };
        if let Err(rule) = rule_of(tx, Grant::OpenCase, (&admin, &user), open.as_ref(), None, &policy)? {
            return Ok(Audited::new(Granted::No(rule), refused(rule)));
        }
        if let Some(case) = &open {
            let led = Granted::Yes(OpenedCase::Open(case.number));
            return Ok(Audited::new(led, refused(Rule::NothingToDo)));
        }
        let (case, fact) = cases::open(tx, &user, admin.doer(), (&reason, ticket.as_ref()), urgent, &policy)?;
        let said = format!("Case {} was opened for {}.", case.number, user.name);
        ask.done(tx, &said, &link(case.number))?;
        let record = entry(admin.actor(), &ask.source, &user, case.number, fact);
        Ok(Audited::new(Granted::Yes(OpenedCase::New(case.number)), record))
    })
}

fn link(case: CaseNumber) -> String {
    format!("/admin/recovery/{case}")
}

/// An errand in a case, as it is asked for.
#[derive(Debug, Clone)]
pub struct InCase {
    /// Who asks, about whose account.
    pub ask: Ask,
    /// Which case of that person.
    pub case: CaseNumber,
    /// How the case was when who asks saw it; none for what does not depend on that.
    pub version: Option<i64>,
}

/// What an errand sees inside its transaction, once it is known that it may be done.
struct Begun {
    admin: Admin,
    user: User,
    policy: Policy,
    case: Case,
}

/// What somebody put forward, for the entry when the answer is no.
#[derive(Debug, Clone, Default)]
struct Said {
    reason: Option<Reason>,
    ticket: Option<Ticket>,
    evidence: Option<Evidence>,
}

impl Said {
    fn because(reason: &Reason) -> Self {
        Self { reason: Some(reason.clone()), ..Self::default() }
    }

    fn refusal(
        &self,
        grant: Grant,
        (admin, user): (&Admin, &User),
        case: Option<CaseNumber>,
        rule: Rule,
        ask: &Ask,
    ) -> Record {
        let event = Event::Refused {
            action: grant.action(),
            user: Some(user.into()),
            case,
            rule: rule.as_str(),
            reason: self.reason.clone(),
            ticket: self.ticket.clone(),
            evidence: self.evidence.clone(),
        };
        Record::new(admin.actor(), &ask.source, event)
    }
}

fn rule_of(
    tx: &WriteTx<'_>,
    grant: Grant,
    (admin, user): (&Admin, &User),
    case: Option<&Case>,
    evidence: Option<&Evidence>,
    policy: &Policy,
) -> Result<Result<(), Rule>> {
    let question = Question {
        grant,
        asker: admin.asker(),
        target: Some(user),
        evidence,
        other_owners: users::count_owners(tx, Some(user.id))?,
        circumstances: circumstances(tx, grant, admin.asker(), user, case, policy, tx.now())?,
        now: tx.now(),
    };
    Ok(decide(&question).map(drop))
}

impl InCase {
    /// Does `act` if the rules allow `errand`; else answers with the rule, and records what was put forward.
    fn run(
        &self,
        tx: &WriteTx<'_>,
        errand: CaseErrand,
        said: Said,
        act: impl FnOnce(&mut Begun, Said) -> Result<(String, Vec<Record>)>,
    ) -> Result<Audited<Granted<()>>> {
        let (admin, user) = self.ask.read(tx)?;
        let case = recovery::find(tx, self.case)?.filter(|c| c.user_id == user.id).ok_or(Error::NotFound)?;
        let policy = policy::get(tx, tx.now())?;
        let evidence = said.evidence.clone().map(|e| look_up(tx, user.id, e)).transpose()?;
        let said = Said { evidence, ..said };
        let grant = Grant::InCase(errand);
        let rule = rule_of(tx, grant, (&admin, &user), Some(&case), said.evidence.as_ref(), &policy)?;
        let as_seen = self.version.is_none_or(|seen| seen == case.version);
        let rule = rule.and(if errand.fits(&case) && as_seen { Ok(()) } else { Err(Rule::NotNow) });
        if let Err(rule) = rule {
            let record = said.refusal(grant, (&admin, &user), Some(case.number), rule, &self.ask);
            return Ok(Audited::new(Granted::No(rule), record));
        }
        let mut begun = Begun { admin, user, policy, case };
        let (done, records) = act(&mut begun, said)?;
        self.ask.done(tx, &done, &link(self.case))?;
        Ok(many(Granted::Yes(()), records))
    }
}

impl Begun {
    fn entry(&self, ask: &Ask, fact: CaseFact) -> Record {
        entry(self.admin.actor(), &ask.source, &self.user, self.case.number, fact)
    }

    /// What was asked for and waits is over, because `why`.
    fn lapse(&mut self, tx: &WriteTx<'_>, ask: &Ask, why: &'static str) -> Result<Vec<Record>> {
        let by = (self.admin.actor(), why);
        Ok(lapse(tx, &mut self.case, &self.user, by, &ask.source, &self.policy)?.into_iter().collect())
    }
}

/// Puts on record how somebody made sure who it is. Several pieces can stand in a case; each is as old as its form.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn record_evidence(
    means: &Means,
    errand: InCase,
    evidence: Evidence,
    ticket: Option<Ticket>,
) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let said = Said { reason: None, ticket, evidence: Some(evidence) };
        errand.run(tx, CaseErrand::Evidence, said, |b, said| {
            let (evidence, by) = (said.evidence.ok_or(Error::NotFound)?, b.admin.doer());
            let piece = (&evidence, said.ticket.as_ref());
            let (_, fact) = cases::verify(tx, &mut b.case, piece, &by, &b.policy)?;
            let done = format!("How you made sure who it is was recorded, for {}.", b.user.name);
            Ok((done, vec![b.entry(&errand.ask, fact)]))
        })
    })
}

/// Decides not to help: the case is closed, and everybody who opens the person sees why.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn refuse(means: &Means, errand: InCase, refusal: Refusal, note: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        errand.run(tx, CaseErrand::Refuse, Said::because(&note), |b, _| {
            let mut records = b.lapse(tx, &errand.ask, "help was refused")?;
            let by = b.admin.name();
            advance(tx, &mut b.case, CaseEvent::Refused, &b.policy, |case| {
                note.as_str().clone_into(&mut case.note);
                (case.refusal, case.closed_by) = (Some(refusal), Some(by));
            })?;
            records.push(b.entry(&errand.ask, CaseFact::Refused { refusal, note: note.clone() }));
            Ok((format!("Help was refused to {}.", b.user.name), records))
        })
    })
}

/// Hands a case to the owners: from then on only they act in it.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn escalate(means: &Means, errand: InCase, message: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        errand.run(tx, CaseErrand::Escalate, Said::because(&message), |b, _| {
            let mut records = b.lapse(tx, &errand.ask, "the case was handed to the owners")?;
            advance(tx, &mut b.case, CaseEvent::Escalated, &b.policy, |case| {
                message.as_str().clone_into(&mut case.note);
                case.for_owner = true;
            })?;
            records.push(b.entry(&errand.ask, CaseFact::Escalated { message: message.clone() }));
            Ok((format!("Case {} was handed to the owners.", b.case.number), records))
        })
    })
}

/// Closes a case in which nothing was given, because nobody needs it any more.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn close(means: &Means, errand: InCase) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        errand.run(tx, CaseErrand::Close, Said::default(), |b, _| {
            let mut records = b.lapse(tx, &errand.ask, NOT_NEEDED)?;
            let by = b.admin.name();
            advance(tx, &mut b.case, CaseEvent::Expired, &b.policy, |case| {
                NOT_NEEDED.clone_into(&mut case.note);
                case.closed_by = Some(by);
            })?;
            records.push(b.entry(&errand.ask, CaseFact::Expired { why: NOT_NEEDED }));
            Ok((format!("Case {} was closed.", b.case.number), records))
        })
    })
}

/// Says that a case is urgent, or that it is not.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn mark_urgent(means: &Means, errand: InCase, urgent: bool) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        errand.run(tx, CaseErrand::Urgency, Said::default(), |b, _| {
            b.case.urgent = urgent;
            recovery::update(tx, &b.case, b.case.version)?;
            let word = if urgent { "urgent" } else { "not urgent" };
            let done = format!("Case {} was marked as {word}.", b.case.number);
            Ok((done, vec![b.entry(&errand.ask, CaseFact::Urgency { urgent })]))
        })
    })
}

//! The grant rule, asked inside a transaction: who acts on whom, with what evidence, in which circumstances; the entry about
//! a refusal; and the request where something has to permit it first.

mod answer;
mod circumstances;
mod permit;
mod preview;
mod without_pass;

pub(super) use self::permit::has_changed;
pub use self::permit::still_counts;
pub use self::preview::{Ahead, Preview};

pub(super) use self::circumstances::circumstances;

use self::circumstances::find_held;
use self::permit::{Permit, find_permit};
use super::authorise::{Admin, By};
use super::cases::{self, entry};
use super::contacts::look_up_number;
use super::nonce::Nonce;
use super::reassure::let_go;
use super::sign_in::many;
use super::{Error, Result};
use crate::audit::{Action, Actor, CaseFact, Event, Record, Source};
use crate::grants::{Asker, Circumstances, Grant, Question, Rule, Verdict, decide};
use crate::ids::{CaseNumber, RequestId, UserId};
use crate::policy::{Key, Policy};
use crate::recovery::{Case, CaseEvent, CaseState, Doer, Evidence, Needs, Request, RequestState, Statement, next};
use crate::signals::Signals;
use crate::storage::recovery::{evidence, requests};
use crate::storage::{Audited, WriteTx, policy, recovery, signals, users};
use crate::users::User;

/// Done, waiting, or refused by a rule. Whichever, there is an entry.
#[derive(Debug, Clone)]
pub enum Granted<T> {
    /// It was done; this is what to show.
    Yes(T),
    /// Something has to permit it first: it was asked for, in this case.
    Waits(Waiting),
    /// A rule said no.
    No(Rule),
}

/// A grant that was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    /// In which case.
    pub case: CaseNumber,
    /// What has to permit it.
    pub needs: Needs,
}

/// An act on someone's account, as it is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who asks.
    pub by: By,
    /// Whose account.
    pub user: UserId,
    /// The form, so that the second click is safe; commands have none.
    pub nonce: Option<Nonce>,
    /// From where.
    pub source: Source,
}

/// What an act sees inside its transaction, once the rule has been asked.
pub(super) struct Decided {
    pub admin: Admin,
    pub user: User,
    pub rule: Result<(), Rule>,
}

/// What a grant that rests on evidence sees inside its transaction, once the rule has been asked.
pub(super) struct Founded {
    pub admin: Admin,
    pub user: User,
    pub policy: Policy,
    pub signals: Signals,
    pub verdict: Result<Verdict, Rule>,
    /// What it rests on. Where there is none, the rule has said so.
    pub evidence: Option<Evidence>,
    pub statement: Statement,
    case: Option<Case>,
    /// The row of evidence that was on record.
    recorded: Option<i64>,
    /// What permits it, or did.
    permit: Option<Permit>,
    /// Whether that is of no use any more.
    over: bool,
}

impl Ask {
    /// Reads who acts on whom and asks the rule, for what rests on rank alone.
    ///
    /// # Errors
    /// [`Error::AlreadyDone`], [`Error::NotFound`], [`Error::SessionGone`], [`Error::StepUpNeeded`]; storage.
    pub(super) fn decide(&self, tx: &WriteTx<'_>, grant: Grant) -> Result<Decided> {
        let (admin, user) = self.read(tx)?;
        let policy = policy::get(tx, tx.now())?;
        let rule = ask_rule(tx, grant, &admin, &user, &policy)?;
        Ok(Decided { admin, user, rule })
    }

    /// Who acts, on whom.
    ///
    /// # Errors
    /// As [`Ask::decide`].
    pub(super) fn read(&self, tx: &WriteTx<'_>) -> Result<(Admin, User)> {
        let admin = Admin::authorise(tx, &self.by, tx.now())?;
        if let Some(nonce) = &self.nonce {
            nonce.check(tx)?;
        }
        let user = users::find_ranked(tx, self.user, tx.now())?.ok_or(Error::NotFound)?;
        Ok((admin, user))
    }

    /// As [`Ask::decide`], for what rests on evidence too: on what is put forward now, or on what stands in the case. If
    /// that is a call, the number is looked up here, so that no grant can forget it. `argument` is what else belongs to
    /// what is asked for, so that an approval is for exactly that.
    ///
    /// # Errors
    /// As [`Ask::decide`].
    pub(super) fn decide_founded(
        &self,
        tx: &WriteTx<'_>,
        grant: Grant,
        argument: &str,
        statement: Statement,
    ) -> Result<Founded> {
        let (admin, user) = self.read(tx)?;
        let statement = look_up_number(tx, self.user, statement)?;
        let policy = policy::get(tx, tx.now())?;
        let case = recovery::find_open(tx, user.id)?;
        let signals = signals::get(tx, user.id, case.as_ref().map(|c| c.number), &policy, tx.now())?;
        let permit = match &case {
            Some(case) => {
                find_permit(tx, case, &user, &signals, admin.id(), |r| r.grant == grant && r.argument == argument)?
            }
            None => None,
        };
        let (evidence, recorded) = match (&statement.evidence, &permit, &case) {
            (Some(said), ..) => (Some(said.clone()), None),
            (None, Some(permit), _) => on_record(evidence::find(tx, permit.request.evidence)?),
            (None, None, Some(case)) => on_record(evidence::find_newest(tx, case.number)?),
            (None, None, None) => (None, None),
        };
        let question = Question {
            grant,
            asker: admin.asker(),
            target: Some(&user),
            evidence: evidence.as_ref(),
            other_owners: users::count_owners(tx, Some(user.id))?,
            circumstances: Circumstances {
                strong_signs: signals.strong(),
                permitted: permit.as_ref().and_then(|p| p.counts_as),
                ..circumstances(tx, grant, admin.asker(), &user, case.as_ref(), &policy, tx.now())?
            },
            now: tx.now(),
        };
        let over = permit.as_ref().is_some_and(|p| p.is_over(&question));
        let since = self.nonce.as_ref().map(Nonce::issued_at);
        let verdict = match decide(&question) {
            // Who acts, and how the account is, come first; how fresh the evidence is does not matter any more.
            verdict if over && verdict.err().is_none_or(Rule::is_about_evidence) => Err(Rule::ChangedSinceAsked),
            Ok(_) if Grant::ASKED.contains(&grant) && cases::moved_on(tx, &user, case.as_ref(), (&admin, since))? => {
                Err(Rule::NotNow)
            }
            verdict => verdict,
        };
        Ok(Founded { admin, user, policy, signals, verdict, evidence, statement, case, recorded, permit, over })
    }

    /// Marks the form as carried out.
    pub(super) fn done(&self, tx: &WriteTx<'_>, said: &str, link: &str) -> Result<()> {
        self.nonce.as_ref().map_or(Ok(()), |nonce| nonce.done(tx, said, link))
    }

    /// The entry about a refusal, of what rests on no evidence.
    pub(super) fn refused<T>(&self, d: &Decided, grant: Grant, rule: Rule) -> Audited<Granted<T>> {
        let event = Event::refused(grant.action(), Some((&d.user).into()), rule.as_str());
        Audited::new(Granted::No(rule), Record::new(d.admin.actor(), &self.source, event))
    }

    /// The entry about a refusal, with what was put forward. A permit that does not count any more is over with it.
    ///
    /// # Errors
    /// Storage.
    fn refused_founded<T>(
        &self,
        tx: &WriteTx<'_>,
        f: &mut Founded,
        grant: Grant,
        rule: Rule,
    ) -> Result<Audited<Granted<T>>> {
        let mut records = vec![f.refusal(grant.action(), rule.as_str(), &self.source)];
        if let (true, Some(case)) = (f.over, &mut f.case) {
            let why = (Actor::System, "something has changed since it was asked for");
            records.extend(cases::lapse(tx, case, &f.user, why, &self.source, &f.policy)?);
        }
        Ok(many(Granted::No(rule), records))
    }

    /// Writes down that this was asked for and has to be permitted, in the open case or a new one.
    ///
    /// # Errors
    /// Storage.
    fn wait<T>(
        &self,
        tx: &WriteTx<'_>,
        mut f: Founded,
        (grant, argument): (Grant, &str),
        needs: Needs,
    ) -> Result<Audited<Granted<T>>> {
        let (mut case, mut records) = f.begin(tx, &self.source)?;
        let row = f.recorded.or(evidence::find_newest(tx, case.number)?.map(|e| e.id)).ok_or(Error::NotFound)?;
        let same = |r: Request| r.grant == grant && r.argument == argument;
        let again = requests::find_live(tx, case.number)?.is_some_and(same);
        let why = if again { "it was asked for again" } else { "something else was asked for" };
        let why = (f.admin.actor(), why);
        records.extend(cases::lapse(tx, &mut case, &f.user, why, &self.source, &f.policy)?);
        let (signals, now) = (f.signals.clone(), tx.now());
        let ripe_at = (needs == Needs::Time).then(|| now.plus(f.policy.lasting(Key::CoolingOff)));
        let valid_until = ripe_at.unwrap_or(now).plus(f.policy.lasting(Key::ApprovalLife));
        cases::advance(tx, &mut case, CaseEvent::Asked, &f.policy, |case| {
            case.signals = signals;
            cases::keep_until(case, valid_until);
        })?;
        requests::insert(
            tx,
            &Request {
                id: RequestId::generate(),
                case: case.number,
                grant,
                argument: argument.to_owned(),
                needs,
                asked_by: f.admin.doer(),
                asked_at: now,
                reason: f.statement.reason.as_str().to_owned(),
                ticket: f.statement.ticket.as_ref().map(|t| t.as_str().to_owned()),
                evidence: row,
                case_version: case.version,
                signals: f.signals.clone(),
                state: RequestState::Waiting,
                valid_until,
                ripe_at,
                decided_by: None,
                decided_at: None,
                note: String::new(),
            },
        )?;
        let fact = CaseFact::Asked {
            grant,
            argument: argument.to_owned(),
            reason: f.statement.reason.clone(),
            ticket: f.statement.ticket.clone(),
            needs,
            signs: f.signals.freeze(),
        };
        records.push(entry(f.admin.actor(), &self.source, &f.user, case.number, fact));
        let said = format!("It was asked for, in case {}.", case.number);
        self.done(tx, &said, &format!("/admin/recovery/{}", case.number))?;
        Ok(many(Granted::Waits(Waiting { case: case.number, needs }), records))
    }
}

impl Founded {
    /// The person's open case.
    pub(super) fn case(&self) -> Option<CaseNumber> {
        self.case.as_ref().map(|c| c.number)
    }

    /// A refusal, with what was put forward.
    pub(super) fn refusal(&self, action: Action, rule: &'static str, source: &Source) -> Record {
        let event = Event::Refused {
            action,
            user: Some((&self.user).into()),
            case: self.case(),
            rule,
            reason: Some(self.statement.reason.clone()),
            ticket: self.statement.ticket.clone(),
            evidence: self.evidence.clone(),
        };
        Record::new(self.admin.actor(), source, event)
    }

    /// The case in which the grant is given, or asked for: the open one, or a new one; with the evidence on record.
    ///
    /// # Errors
    /// [`Error::CaseMovedOn`]; storage.
    pub(super) fn begin(&mut self, tx: &WriteTx<'_>, source: &Source) -> Result<(Case, Vec<Record>)> {
        let (actor, by) = (self.admin.actor(), self.admin.doer());
        let ticket = self.statement.ticket.as_ref();
        let (mut facts, mut records) = (Vec::new(), Vec::new());
        // Only the host gets as far as this while an objection stands; it decides on that by the way.
        let objected = self.case.as_ref().is_some_and(|c| c.state == CaseState::Disavowed);
        if objected {
            records = let_go(tx, (&self.admin, &self.user), &self.statement.reason, source)?.1;
        }
        let mut case = match self.case.take().filter(|_| !objected) {
            Some(case) => case,
            None => {
                let (case, fact) =
                    cases::open(tx, &self.user, by.clone(), (&self.statement.reason, ticket), false, &self.policy)?;
                facts.push(fact);
                case
            }
        };
        if self.recorded.is_none() {
            let evidence = self.evidence.as_ref().ok_or(Error::NotFound)?;
            let (row, fact) = cases::verify(tx, &mut case, (evidence, ticket), &by, &self.policy)?;
            self.recorded = Some(row);
            facts.push(fact);
        }
        records.extend(facts.into_iter().map(|f| entry(actor.clone(), source, &self.user, case.number, f)));
        Ok((case, records))
    }

    /// As [`Founded::begin`], for what is given now: what permits it is used up, and any other request is over.
    ///
    /// # Errors
    /// As [`Founded::begin`].
    pub(super) fn begin_giving(&mut self, tx: &WriteTx<'_>, source: &Source) -> Result<(Case, Vec<Record>)> {
        let (mut case, mut records) = self.begin(tx, source)?;
        let Some(Permit { request: permit, .. }) = self.permit.take() else {
            let why = (self.admin.actor(), "it was done without");
            records.extend(cases::lapse(tx, &mut case, &self.user, why, source, &self.policy)?);
            return Ok((case, records));
        };
        if permit.state == RequestState::Waiting {
            // Time has permitted it, which nobody wrote down so far.
            let note = "its time has passed without an objection".to_owned();
            let fact = CaseFact::Approved { grant: permit.grant, note };
            records.push(entry(Actor::System, source, &self.user, case.number, fact));
            if next(case.state, CaseEvent::Approved).is_ok() {
                cases::advance(tx, &mut case, CaseEvent::Approved, &self.policy, |_| ())?;
            }
        }
        requests::update_state(tx, permit.id, RequestState::Used)?;
        Ok((case, records))
    }
}

fn on_record(found: Option<crate::recovery::Recorded>) -> (Option<Evidence>, Option<i64>) {
    found.map_or((None, None), |r| (Some(r.evidence), Some(r.id)))
}

pub(super) fn ask_rule(
    tx: &WriteTx<'_>,
    grant: Grant,
    admin: &Admin,
    user: &User,
    policy: &Policy,
) -> Result<Result<(), Rule>> {
    let question = Question {
        grant,
        asker: admin.asker(),
        target: Some(user),
        evidence: None,
        other_owners: users::count_owners(tx, Some(user.id))?,
        circumstances: Circumstances { held: find_held(tx, user)?, ..Circumstances::plain(policy) },
        now: tx.now(),
    };
    Ok(decide(&question).map(drop))
}

/// By whom something in a case is done.
impl Admin {
    /// Their id; the host has none.
    pub fn id(&self) -> Option<UserId> {
        match self.asker() {
            Asker::Person(user) => Some(user.id),
            Asker::Host => None,
        }
    }

    /// As a case names them.
    pub fn doer(&self) -> Doer {
        Doer { id: self.id(), name: self.name() }
    }
}

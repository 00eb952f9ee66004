//! The grant rule, asked inside a transaction: who acts on whom, with what evidence, and the entry about a refusal.

use super::authorise::{Admin, By};
use super::contacts::look_up_number;
use super::nonce::Nonce;
use super::{Error, Result};
use crate::audit::{Event, Record, Source};
use crate::grants::{Grant, Question, Rule, decide};
use crate::ids::UserId;
use crate::recovery::{Evidence, Statement};
use crate::storage::{Audited, ReadTx, WriteTx, users};
use crate::time::Timestamp;
use crate::users::User;

/// Done, or refused by a rule. Either way there is an entry.
#[derive(Debug, Clone)]
pub enum Granted<T> {
    /// It was done; this is what to show.
    Yes(T),
    /// A rule said no.
    No(Rule),
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

impl Ask {
    /// Reads who acts on whom and asks the rule, for what rests on rank alone.
    ///
    /// # Errors
    /// [`Error::AlreadyDone`], [`Error::NotFound`], [`Error::SessionGone`], [`Error::StepUpNeeded`]; storage.
    pub(super) fn decide(&self, tx: &WriteTx<'_>, grant: Grant) -> Result<Decided> {
        self.decide_on(tx, grant, None)
    }

    /// As [`Ask::decide`], for what rests on evidence too. If that is a call, the number is looked up here, so that no
    /// grant can forget it.
    ///
    /// # Errors
    /// As [`Ask::decide`].
    pub(super) fn decide_founded(
        &self,
        tx: &WriteTx<'_>,
        grant: Grant,
        statement: Statement,
    ) -> Result<(Decided, Statement)> {
        let statement = look_up_number(tx, self.user, statement)?;
        Ok((self.decide_on(tx, grant, Some(&statement.evidence))?, statement))
    }

    fn decide_on(&self, tx: &WriteTx<'_>, grant: Grant, evidence: Option<&Evidence>) -> Result<Decided> {
        let admin = Admin::authorise(tx, &self.by, tx.now())?;
        if let Some(nonce) = &self.nonce {
            nonce.check(tx)?;
        }
        let user = users::find_ranked(tx, self.user, tx.now())?.ok_or(Error::NotFound)?;
        let rule = ask_rule(tx, grant, &admin, &user, evidence, tx.now())?;
        Ok(Decided { admin, user, rule })
    }

    /// Marks the form as carried out.
    pub(super) fn done(&self, tx: &WriteTx<'_>, said: &str, link: &str) -> Result<()> {
        self.nonce.as_ref().map_or(Ok(()), |nonce| nonce.done(tx, said, link))
    }

    /// The entry about a refusal.
    pub(super) fn refused<T>(
        &self,
        d: &Decided,
        grant: Grant,
        rule: Rule,
        why: Option<&Statement>,
    ) -> Audited<Granted<T>> {
        let event = Event::Refused {
            action: grant.action(),
            user: Some((&d.user).into()),
            rule: rule.as_str(),
            reason: why.map(|s| s.reason.clone()),
            ticket: why.and_then(|s| s.ticket.clone()),
            evidence: why.map(|s| s.evidence.clone()),
        };
        Audited::new(Granted::No(rule), Record::new(d.admin.actor(), &self.source, event))
    }
}

pub(super) fn ask_rule(
    tx: &ReadTx<'_>,
    grant: Grant,
    admin: &Admin,
    user: &User,
    evidence: Option<&Evidence>,
    now: Timestamp,
) -> Result<Result<(), Rule>> {
    let other_owners = users::count_owners(tx, Some(user.id))?;
    Ok(decide(&Question { grant, asker: admin.asker(), target: Some(user), evidence, other_owners, now }))
}

/// What the rule says before anything is asked for: for a menu that says why, and for forms that need not be filled in
/// for nothing. Evidence and step-up are not looked at; they come with the form.
#[derive(Debug)]
pub struct Preview<'a> {
    viewer: &'a User,
    user: &'a User,
    evidence: Evidence,
    other_owners: u32,
    now: Timestamp,
}

impl<'a> Preview<'a> {
    /// Reads what the rule looks at beside these two.
    ///
    /// # Errors
    /// Storage.
    pub fn read(tx: &ReadTx<'_>, viewer: &'a User, user: &'a User, now: Timestamp) -> Result<Self> {
        let other_owners = users::count_owners(tx, Some(user.id))?;
        Ok(Self { viewer, user, evidence: Evidence::host(now), other_owners, now })
    }

    /// Which rule would refuse `grant` now, if any.
    pub fn refusal(&self, grant: Grant) -> Option<Rule> {
        let (asker, target) = (crate::grants::Asker::Person(self.viewer), Some(self.user));
        let (evidence, other_owners, now) = (Some(&self.evidence), self.other_owners, self.now);
        decide(&Question { grant, asker, target, evidence, other_owners, now }).err()
    }
}

//! What owners set for everybody, and taking it back before it takes effect.
//!
//! Architecture invariant: what counts as looser is weighed inside the transaction that sets it, against what is in effect
//! then; a change takes the place of the one that waited, so that nothing asked for earlier takes effect beside it.

use super::authorise::{Admin, By};
use super::nonce::Nonce;
use super::sign_in::many;
use super::{Means, Result};
use crate::audit::{Event, PolicyChange, PolicyRefusal, PolicyStep, Reason, Record, Source};
use crate::grants::{Circumstances, Grant, Question, Rule, decide};
use crate::policy::{Key, Policy, Setting, Standing, Value};
use crate::storage::{Audited, WriteTx, policy};
use crate::time::Timestamp;

/// Who changes the policy, with which form, why, and from where.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who.
    pub by: By,
    /// The form, so that the second click is safe.
    pub nonce: Nonce,
    /// Why.
    pub reason: Reason,
    /// From where.
    pub source: Source,
}

/// How a change came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It holds from now on.
    AtOnce,
    /// It is looser, and takes effect then.
    Later(Timestamp),
    /// A rule said no.
    No(Rule),
}

/// Sets a value: a tighter one at once, a looser one a day later. What waited for this setting is taken
/// back.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn change(means: &Means, ask: Ask, value: Value) -> Result<Changed> {
    means.store.change(move |tx| {
        let (admin, standing, rule) = ask.read(tx, value.key())?;
        let now = tx.now();
        let effective_at = match rule.and_then(|()| standing.when(value, now).ok_or(Rule::NothingToDo)) {
            Err(rule) => return Ok(ask.refused(&admin, (value.key(), Some(value.number())), rule)),
            Ok(at) => at,
        };
        let mut records = Vec::new();
        if let Some(waiting) = &standing.waiting {
            records.push(ask.take_back(tx, &admin, &standing, waiting)?);
        }
        policy::insert(tx, value, &admin.name(), effective_at)?;
        let (key, to) = (value.key(), value.number());
        records.push(ask.record(&admin, (&standing, to), effective_at, PolicyStep::Set));
        let changed = if effective_at > now { Changed::Later(effective_at) } else { Changed::AtOnce };
        let said = format!("“{}” was set to: {}.", key.label(), key.in_words(to));
        ask.nonce.done(tx, &said, "/admin/policy")?;
        Ok(many(changed, records))
    })
}

/// Takes back what was set and has not taken effect. Whoever asked for it, any owner may.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn take_back(means: &Means, ask: Ask, key: Key) -> Result<Changed> {
    means.store.change(move |tx| {
        let (admin, standing, rule) = ask.read(tx, key)?;
        let waiting = match rule.and(standing.waiting.as_ref().ok_or(Rule::NothingToDo)) {
            Err(rule) => return Ok(ask.refused(&admin, (key, None), rule)),
            Ok(waiting) => waiting,
        };
        let record = ask.take_back(tx, &admin, &standing, waiting)?;
        let said = format!("What was to change about “{}” was taken back.", key.label());
        ask.nonce.done(tx, &said, "/admin/policy")?;
        Ok(Audited::new(Changed::AtOnce, record))
    })
}

/// Somebody who may not change a setting has sent a form without a value that can be, or without a reason: the entry about
/// it. Says which rule it is.
///
/// # Errors
/// As [`super::Error`] says.
pub fn barred(means: &Means, by: By, key: Key, source: Source) -> Result<Rule> {
    means.store.change(move |tx| {
        let admin = Admin::authorise(tx, &by, tx.now())?;
        // Who is an owner by now signs in anew first, because sessions end with the role.
        let rule = rule(&admin, tx.now()).err().unwrap_or(Rule::OwnersOnly);
        let refusal = PolicyRefusal { key, to: None, rule: rule.as_str(), reason: None };
        Ok(Audited::new(rule, Record::new(admin.actor(), &source, Event::PolicyRefused(refusal))))
    })
}

fn rule(admin: &Admin, now: Timestamp) -> std::result::Result<(), Rule> {
    let policy = Policy::default();
    let question = Question {
        grant: Grant::ChangePolicy,
        asker: admin.asker(),
        target: None,
        evidence: None,
        other_owners: 0,
        circumstances: Circumstances::plain(&policy),
        now,
    };
    decide(&question).map(drop)
}

impl Ask {
    /// Who acts, how the setting stands, and what the rule says.
    fn read(&self, tx: &WriteTx<'_>, key: Key) -> Result<(Admin, Standing, std::result::Result<(), Rule>)> {
        let admin = Admin::authorise(tx, &self.by, tx.now())?;
        self.nonce.check(tx)?;
        let rule = rule(&admin, tx.now());
        Ok((admin, policy::get_standing(tx, key, tx.now())?, rule))
    }

    fn refused(&self, admin: &Admin, (key, to): (Key, Option<i64>), rule: Rule) -> Audited<Changed> {
        let refusal = PolicyRefusal { key, to, rule: rule.as_str(), reason: Some(self.reason.clone()) };
        Audited::new(Changed::No(rule), Record::new(admin.actor(), &self.source, Event::PolicyRefused(refusal)))
    }

    fn take_back(&self, tx: &WriteTx<'_>, admin: &Admin, standing: &Standing, waiting: &Setting) -> Result<Record> {
        policy::update_cancelled(tx, waiting)?;
        Ok(self.record(admin, (standing, waiting.value), waiting.effective_at, PolicyStep::TakenBack))
    }

    fn record(
        &self,
        admin: &Admin,
        (standing, to): (&Standing, i64),
        effective_at: Timestamp,
        step: PolicyStep,
    ) -> Record {
        let (key, from, reason) = (standing.key, standing.value, self.reason.clone());
        let change = PolicyChange { key, from, to, effective_at, reason, step };
        Record::new(admin.actor(), &self.source, Event::PolicyUpdated(change))
    }
}

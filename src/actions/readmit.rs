//! Letting the person back in after an attack, in a new case: the account is enabled, and everything by which somebody gets
//! in is made anew. It is an act of its own, so that nothing enables an account by the way.

use std::sync::Arc;

use super::cases::{self, Given};
use super::grants::{Ask, Granted};
use super::reassure::enabled;
use super::recover::{Reset, clear_delays, reset};
use super::sign_in::many;
use super::{Error, Means, Result};
use crate::audit::{Event, Record};
use crate::grants::Grant;
use crate::ids::CaseNumber;
use crate::password::TemporaryPassword;
use crate::policy::Key;
use crate::recovery::{Act, Statement};
use crate::secret::EnrolmentPass;
use crate::storage::recovery::freezes;
use crate::storage::{recovery, users};
use crate::time::Timestamp;

/// What the person gets: shown once.
#[derive(Debug, Clone)]
pub struct Readmitted {
    /// The pass to read out, where policy asks for one.
    pub pass: Option<EnrolmentPass>,
    /// When the enrolment window closes.
    pub closes_at: Timestamp,
    /// The temporary password.
    pub password: TemporaryPassword,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// In which case.
    pub case: CaseNumber,
}

/// Enables an account that was closed because of an attack, removes the factors that were left, opens an enrolment window
/// and sets a temporary password. It gives password and factor in one hand, so a second person permits it wherever there
/// is one.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn readmit(means: &Means, ask: Ask, statement: Statement) -> Result<Granted<Readmitted>> {
    let password = TemporaryPassword::generate();
    let hash = means.hash_secret(password.secret())?;
    let key = Arc::clone(&means.key);
    means.store.change(move |tx| {
        let grant = Grant::Readmit;
        let f = ask.decide_founded(tx, grant, "", statement)?;
        ask.answer(tx, f, (grant, ""), |f| {
            let (admin, user, policy, signals) = (f.admin.clone(), f.user.clone(), f.policy.clone(), f.signals.clone());
            let (said, evidence) = (f.statement.clone(), f.evidence.clone().ok_or(Error::NotFound)?);
            clear_delays(tx, &key, &user)?;
            let (Reset { pass, case: number, closes_at }, mut records) = reset(tx, f, false, &ask.source)?;
            let life = policy.lasting(Key::TemporaryPassword);
            let expires_at = tx.now().plus(life);
            users::update_temporary_password(tx, user.id, &hash, expires_at)?;
            freezes::delete_freeze(tx, user.id)?;
            let mut case = recovery::find(tx, number)?.ok_or(Error::NotFound)?;
            let given = Given { act: Act::Password, by: admin.doer(), until: expires_at, signals };
            cases::acted(tx, &mut case, given, &policy, |_| ())?;
            let (reason, hours, case) = (said.reason.clone(), super::whole_hours(life), Some(number));
            let event = Event::UserPasswordSetByAdmin {
                user: (&user).into(),
                reason: said.reason,
                ticket: said.ticket,
                evidence,
                case,
                hours,
            };
            records.push(Record::new(admin.actor(), &ask.source, event));
            let user = users::get(tx, user.id)?;
            records.push(enabled(tx, (&admin, &user), reason, case, &ask.source)?);
            let said = format!("{} was let back in, in case {number}. Pass and password were shown once.", user.name);
            ask.done(tx, &said, &format!("/admin/recovery/{number}"))?;
            Ok(many(Granted::Yes(Readmitted { pass, closes_at, password, expires_at, case: number }), records))
        })
    })
}

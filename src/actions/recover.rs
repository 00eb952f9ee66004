//! The runbook's acts on someone else's account: reset, codes to dictate, a temporary password.
//!
//! Each asks the grant rule inside its transaction. A refusal is an outcome with an entry of its own, not an error.

use std::sync::Arc;
use std::time::Duration;

use super::authorise::By;
use super::cases::{self, Given};
use super::grants::{Ask, Founded, Granted};
use super::password_check::account_budget;
use super::sign_in::many;
use super::{Error, Means, Result};
use crate::audit::{CaseFact, Event, Record, Source};
use crate::backup_codes::{IssuedCode, Kind, new_batch};
use crate::grants::{Grant, Rule};
use crate::host::keys::SeedKey;
use crate::ids::{CaseNumber, UserId};
use crate::password::TemporaryPassword;
use crate::policy::{self, Key};
use crate::recovery::{Act, Statement, Window};
use crate::secret::EnrolmentPass;
use crate::storage::policy as stored_policy;
use crate::storage::{WriteTx, backup_codes, devices, factors, links, recovery, sessions, throttle, users};
use crate::throttle::Budget;
use crate::time::Timestamp;
use crate::users::User;

/// What a reset gives: shown once.
#[derive(Debug, Clone)]
pub struct Reset {
    /// The pass to read out, where policy asks for one.
    pub pass: Option<EnrolmentPass>,
    /// The case that it belongs to.
    pub case: CaseNumber,
    /// When the window closes.
    pub closes_at: Timestamp,
}

/// Removes every factor, voids every code, ends every session, opens an enrolment window with a pass where policy asks for
/// one; in the person's case, or a new one.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn force_reset(means: &Means, ask: Ask, statement: Statement, codes_unavailable: bool) -> Result<Granted<Reset>> {
    let key = Arc::clone(&means.key);
    means.store.change(move |tx| {
        let grant = Grant::ResetFactors;
        let mut f = ask.decide_founded(tx, grant, "", statement)?;
        let unasked = !codes_unavailable && backup_codes::count_left(tx, f.user.id, tx.now())? > 0;
        f.verdict = f.verdict.and_then(|v| if unasked { Err(Rule::CodesNotAskedFor) } else { Ok(v) });
        ask.answer(tx, f, (grant, ""), |f| {
            clear_delays(tx, &key, &f.user)?;
            let name = f.user.name.clone();
            let (reset, records) = reset(tx, f, codes_unavailable, &ask.source)?;
            let shown = if reset.pass.is_some() { " The pass was shown once." } else { "" };
            let said = format!("All factors of {name} were removed, in case {}.{shown}", reset.case);
            ask.done(tx, &said, &format!("/admin/recovery/{}", reset.case))?;
            Ok(many(Granted::Yes(reset), records))
        })
    })
}

/// The reset itself, with its entries; the rule has said yes.
pub(super) fn reset(
    tx: &WriteTx<'_>,
    mut f: Founded,
    codes_said_unavailable: bool,
    source: &Source,
) -> Result<(Reset, Vec<Record>)> {
    let (mut case, mut records) = f.begin_giving(tx, source)?;
    let Founded { admin, user, policy, signals, statement, .. } = f;
    let codes_voided = backup_codes::delete_all(tx, user.id)?;
    let factors_removed = delete_factors(tx, user.id)?;
    let sessions_ended = shut_out(tx, user.id)?;
    let closes_at = tx.now().plus(policy.window());
    let pass = policy.asks_for_pass().then(EnrolmentPass::generate);
    let given = Given { act: Act::Reset, by: admin.doer(), until: closes_at, signals };
    cases::acted(tx, &mut case, given, &policy, |case| {
        // A second reset finds nothing: what the first one found is what happened.
        case.codes_left = case.codes_left.max(codes_voided);
        case.factors_removed = case.factors_removed.max(factors_removed);
        case.sessions_ended += sessions_ended;
    })?;
    recovery::insert_window(
        tx,
        &Window {
            user_id: user.id,
            case: Some(case.number),
            pass: pass.as_ref().map(EnrolmentPass::hash_as_pass),
            wrong_passes: 0,
            closes_at,
        },
    )?;
    let Statement { reason, ticket, .. } = statement;
    let event = Event::FactorAdminReset {
        user: (&user).into(),
        reason,
        ticket,
        case: Some(case.number),
        since: None,
        factors_removed,
        codes_voided,
        codes_said_unavailable,
        sessions_ended,
    };
    records.push(Record::new(admin.actor(), source, event));
    if pass.is_some() {
        let minutes = super::whole_minutes(policy.window());
        let event = Event::EnrolmentPassIssued { user: (&user).into(), case: case.number, minutes };
        records.push(Record::new(admin.actor(), source, event));
    }
    Ok((Reset { pass, case: case.number, closes_at }, records))
}

/// Forgets failures that strangers may have caused: who is let in by someone who verified them must not find the door
/// held shut by wrong passwords from elsewhere.
pub(super) fn clear_delays(tx: &WriteTx<'_>, key: &SeedKey, user: &User) -> Result<()> {
    throttle::delete(tx, &account_budget(key, user.email.as_str().as_bytes()))?;
    Ok(throttle::delete(tx, &Budget::BackupCodes(user.id))?)
}

/// Closes the window of an invitation, which needs no pass: what an admin gives must not open it.
fn close_invitation(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    match recovery::find_window(tx, user)? {
        Some(window) if window.case.is_none() => Ok(recovery::delete_window(tx, user)?),
        _ => Ok(()),
    }
}

pub(super) fn delete_factors(tx: &WriteTx<'_>, user: UserId) -> Result<u32> {
    for factor in factors::list(tx, user)? {
        throttle::delete(tx, &Budget::Totp(factor.id))?;
    }
    Ok(factors::delete_all(tx, user)?)
}

/// Ends everything by which a person is, or could come, in: sessions, sign-ins under way, remembered devices, links;
/// and makes every verification that began before worthless. Says how many full sessions ended.
pub(super) fn shut_out(tx: &WriteTx<'_>, user: UserId) -> Result<u32> {
    let ended = sessions::delete_all(tx, user, None)?;
    devices::delete_all(tx, user)?;
    links::delete_of(tx, user)?;
    recovery::delete_window(tx, user)?;
    users::update_epoch(tx, user)?;
    Ok(ended)
}

/// Codes to dictate, shown once.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The codes.
    pub codes: [IssuedCode; policy::ISSUED_CODES],
    /// When they stop working.
    pub expires_at: Timestamp,
    /// In which case.
    pub case: CaseNumber,
}

/// Makes codes for someone who has nothing to enrol with now; an earlier batch is void.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn issue_codes(means: &Means, ask: Ask, statement: Statement) -> Result<Granted<Issued>> {
    let now = means.clock.now();
    let codes = new_batch();
    let life = means.store.read(|tx| stored_policy::get(tx, now))?.lasting(Key::IssuedCodes);
    let expires_at = now.plus(life);
    let set = means.hash_codes(Kind::Issued, &codes, now, Some(expires_at))?;
    let key = Arc::clone(&means.key);
    means.store.change(move |tx| {
        let grant = Grant::IssueBackupCodes;
        let f = ask.decide_founded(tx, grant, "", statement)?;
        ask.answer(tx, f, (grant, ""), |mut f| {
            let (mut case, mut records) = f.begin_giving(tx, &ask.source)?;
            let evidence = f.evidence.ok_or(Error::NotFound)?;
            let (admin, user) = (f.admin, f.user);
            clear_delays(tx, &key, &user)?;
            close_invitation(tx, user.id)?;
            let voided = backup_codes::insert(tx, user.id, &set)?;
            let given = Given { act: Act::Codes, by: admin.doer(), until: expires_at, signals: f.signals };
            cases::acted(tx, &mut case, given, &f.policy, |_| ())?;
            let said = format!("{} backup codes were made for {}. They were shown once.", set.total, user.name);
            ask.done(tx, &said, &format!("/admin/users/{}/mfa", user.id))?;
            let Statement { reason, ticket, .. } = f.statement;
            let event = Event::BackupCodesIssuedByAdmin {
                user: (&user).into(),
                reason,
                ticket,
                evidence,
                case: Some(case.number),
                count: set.total,
                days: whole_days(life),
                voided,
            };
            records.push(Record::new(admin.actor(), &ask.source, event));
            Ok(many(Granted::Yes(Issued { codes, expires_at, case: case.number }), records))
        })
    })
}

fn whole_days(d: Duration) -> u32 {
    u32::try_from(d.as_secs() / 86_400).unwrap_or(u32::MAX)
}

/// A temporary password, shown once.
#[derive(Debug, Clone)]
pub struct Temporary {
    /// The password.
    pub password: TemporaryPassword,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// In which case.
    pub case: CaseNumber,
}

/// Makes a temporary password; every session, sign-in under way, remembered device and link of the person ends. A
/// recovery's enrolment window stays: its pass is needed together with the new password.
///
/// # Errors
/// As [`Error`] says; a refusal by a rule is a value.
pub fn set_temporary_password(means: &Means, ask: Ask, statement: Statement) -> Result<Granted<Temporary>> {
    let password = TemporaryPassword::generate();
    let hash = means.hash_secret(password.secret())?;
    let key = Arc::clone(&means.key);
    means.store.change(move |tx| {
        let grant = Grant::SetTemporaryPassword;
        let f = ask.decide_founded(tx, grant, "", statement)?;
        ask.answer(tx, f, (grant, ""), |mut f| {
            let (mut case, mut records) = f.begin_giving(tx, &ask.source)?;
            let evidence = f.evidence.ok_or(Error::NotFound)?;
            let (admin, user) = (f.admin, f.user);
            let life = f.policy.lasting(Key::TemporaryPassword);
            let expires_at = tx.now().plus(life);
            users::update_temporary_password(tx, user.id, &hash, expires_at)?;
            sessions::delete_all(tx, user.id, None)?;
            devices::delete_all(tx, user.id)?;
            links::delete_of(tx, user.id)?;
            clear_delays(tx, &key, &user)?;
            close_invitation(tx, user.id)?;
            let given = Given { act: Act::Password, by: admin.doer(), until: expires_at, signals: f.signals };
            cases::acted(tx, &mut case, given, &f.policy, |_| ())?;
            let said = format!("A temporary password was set for {}. It was shown once.", user.name);
            ask.done(tx, &said, &format!("/admin/users/{}", user.id))?;
            let Statement { reason, ticket, .. } = f.statement;
            let (hours, case) = (super::whole_hours(life), case.number);
            let event = Event::UserPasswordSetByAdmin {
                user: (&user).into(),
                reason,
                ticket,
                evidence,
                case: Some(case),
                hours,
            };
            records.push(Record::new(admin.actor(), &ask.source, event));
            Ok(many(Granted::Yes(Temporary { password, expires_at, case }), records))
        })
    })
}

/// Recovers an owner from the host: as a reset, and loudly recorded as `recovery.break_glass`.
///
/// # Errors
/// [`Error::NotFound`] if this is no owner's address; as [`Error`] says.
pub fn break_glass(means: &Means, user: UserId, statement: Statement, source: Source) -> Result<Granted<Reset>> {
    let ask = Ask { by: By::Host, user, nonce: None, source };
    let key = Arc::clone(&means.key);
    means.store.change(move |tx| {
        let grant = Grant::ResetFactors;
        let f = ask.decide_founded(tx, grant, "", statement)?;
        if f.user.role != crate::users::Role::Owner {
            return Err(Error::NotFound);
        }
        ask.answer(tx, f, (grant, ""), |f| {
            clear_delays(tx, &key, &f.user)?;
            let (user, actor, reason) = (f.user.clone(), f.admin.actor(), f.statement.reason.clone());
            let (reset, mut records) = reset(tx, f, true, &ask.source)?;
            records.push(cases::entry(actor, &ask.source, &user, reset.case, CaseFact::BreakGlass { reason }));
            Ok(many(Granted::Yes(reset), records))
        })
    })
}

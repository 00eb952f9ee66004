//! Looking after people: add, invite, disable, enable, roles, notes.

use super::authorise::{Admin, By};
use super::nonce::Nonce;
use super::recover::{Ask, Granted, expire_open_case, shut_out};
use super::sign_in::many;
use super::{Means, Result};
use crate::audit::{Action, Event, Reason, Record, Source};
use crate::grants::{Grant, Question, decide};
use crate::ids::UserId;
use crate::policy;
use crate::secret::{Purpose, Token};
use crate::storage::{Audited, WriteTx, backup_codes, links, users};
use crate::users::{Email, PersonName, Role, Status, User};

/// A one-time invitation link, to be handed over.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Who is invited.
    pub user: UserId,
    /// The secret part of the link.
    pub token: Token,
    /// When it stops working.
    pub expires_at: crate::time::Timestamp,
}

/// How adding a person came out.
#[derive(Debug, Clone)]
pub enum AddedPerson {
    /// They were added; hand over the link.
    Done(Invitation),
    /// Someone with this address is there already.
    Exists(UserId),
    /// A rule said no.
    Refused(crate::grants::Rule),
}

/// Who is to be added.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// The name they will sign in with.
    pub email: Email,
    /// As shown.
    pub name: PersonName,
    /// What they may do.
    pub role: Role,
}

/// Adds a person, with an invitation link.
///
/// # Errors
/// As [`super::Error`] says.
pub fn add_person(
    means: &Means,
    by: By,
    person: NewPerson,
    nonce: Option<Nonce>,
    source: Source,
) -> Result<AddedPerson> {
    means.store.change(move |tx| {
        let admin = Admin::authorise(tx, &by, tx.now())?;
        if let Some(nonce) = &nonce {
            nonce.check(tx)?;
        }
        let grant = Grant::AddPerson(person.role);
        let question =
            Question { grant, asker: admin.asker(), target: None, evidence: None, other_owners: 1, now: tx.now() };
        let refusal = |rule: &'static str, user| Event::Refused {
            action: Action::UserCreated,
            user,
            rule,
            reason: None,
            ticket: None,
        };
        if let Err(rule) = decide(&question) {
            let event = refusal(rule.as_str(), None);
            return Ok(Audited::new(AddedPerson::Refused(rule), Record::new(admin.actor(), &source, event)));
        }
        if let Some(user) = users::find_by_email(tx, &person.email)? {
            let event = refusal("address_exists", Some((&user).into()));
            return Ok(Audited::new(AddedPerson::Exists(user.id), Record::new(admin.actor(), &source, event)));
        }
        let id = UserId::generate();
        users::insert(tx, id, &person.email, &person.name, person.role)?;
        let user = users::get(tx, id)?;
        let invitation = invite(tx, id)?;
        if let Some(nonce) = &nonce {
            let said = format!("{} was added. The invitation link was shown once.", user.name);
            nonce.done(tx, &said, &format!("/admin/users/{id}"))?;
        }
        let hours = super::whole_hours(policy::INVITATION);
        let created = Event::UserCreated { user: (&user).into(), role: person.role };
        let invited = Event::UserInvited { user: (&user).into(), hours };
        Ok(Audited::new(AddedPerson::Done(invitation), Record::new(admin.actor(), &source, created)).and(Record::new(
            admin.actor(),
            &source,
            invited,
        )))
    })
}

fn invite(tx: &WriteTx<'_>, user: UserId) -> Result<Invitation> {
    let token = Token::generate();
    let expires_at = tx.now().plus(policy::INVITATION);
    links::insert(tx, &token.hash(Purpose::Invitation), Some(user), expires_at)?;
    Ok(Invitation { user, token, expires_at })
}

/// A new invitation link for someone who has not used theirs; the earlier one is void.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn invite_again(means: &Means, ask: Ask) -> Result<Granted<Invitation>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::InviteAgain, None)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::InviteAgain, rule, None));
        }
        let invitation = invite(tx, d.user.id)?;
        let said = format!("A new invitation link was made for {}. It was shown once.", d.user.name);
        ask.done(tx, &said, &format!("/admin/users/{}", d.user.id))?;
        let event = Event::UserInvited { user: (&d.user).into(), hours: super::whole_hours(policy::INVITATION) };
        Ok(Audited::new(Granted::Yes(invitation), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

/// Keeps someone out: every session, sign-in under way, device, link, window and issued code ends.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn disable(means: &Means, ask: Ask, reason: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::Disable, None)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::Disable, rule, None));
        }
        ask.done(tx, &format!("{} was disabled.", d.user.name), &format!("/admin/users/{}", d.user.id))?;
        Ok(many(Granted::Yes(()), disabled(tx, &d.admin, &d.user, reason, &ask.source)?))
    })
}

/// The disabling itself, with its entries; the rule has said yes.
pub(super) fn disabled(
    tx: &WriteTx<'_>,
    admin: &Admin,
    user: &User,
    reason: Reason,
    source: &Source,
) -> Result<Vec<Record>> {
    let sessions_ended = shut_out(tx, user.id)?;
    backup_codes::delete_issued(tx, user.id)?;
    users::update_temporary_void(tx, user.id)?;
    users::update_status(tx, user.id, Status::Disabled)?;
    let event = Event::UserDisabled { user: user.into(), reason, sessions_ended };
    let mut records = vec![Record::new(admin.actor(), source, event)];
    records.extend(expire_open_case(tx, user, admin.actor(), "the person was disabled", source)?);
    Ok(records)
}

/// Lets a disabled person sign in again, with the factors and password they have. Someone who never had a password is
/// invited again instead.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn enable(means: &Means, ask: Ask, reason: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::Enable, None)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::Enable, rule, None));
        }
        let status = if d.user.has_password { Status::Active } else { Status::Invited };
        users::update_status(tx, d.user.id, status)?;
        ask.done(tx, &format!("{} was enabled.", d.user.name), &format!("/admin/users/{}", d.user.id))?;
        let event = Event::UserEnabled { user: (&d.user).into(), reason };
        Ok(Audited::new(Granted::Yes(()), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

/// Gives another role. A promotion voids everything by which someone could come in that was made before it: links,
/// windows and their passes, issued codes, temporary passwords, sessions.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn change_role(means: &Means, ask: Ask, role: Role, reason: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::ChangeRole(role), None)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::ChangeRole(role), rule, None));
        }
        ask.done(tx, &format!("{} is now {role}.", d.user.name), &format!("/admin/users/{}", d.user.id))?;
        Ok(many(Granted::Yes(()), role_changed(tx, &d.admin, &d.user, role, reason, &ask.source)?))
    })
}

/// The change itself, with its entries; the rule has said yes.
pub(super) fn role_changed(
    tx: &WriteTx<'_>,
    admin: &Admin,
    user: &User,
    role: Role,
    reason: Reason,
    source: &Source,
) -> Result<Vec<Record>> {
    let from = user.role;
    users::update_role(tx, user, role)?;
    let mut expired = Vec::new();
    let sessions_ended = if role.rank() > from.rank() {
        expired = expire_open_case(tx, user, admin.actor(), "the person was promoted", source)?;
        backup_codes::delete_issued(tx, user.id)?;
        users::update_temporary_void(tx, user.id)?;
        shut_out(tx, user.id)?
    } else {
        // The epoch has risen: sessions under the old role are over as well.
        crate::storage::sessions::delete_all(tx, user.id, None)?
    };
    let event = Event::UserRoleChanged { user: user.into(), from, to: role, reason, sessions_ended };
    let mut records = vec![Record::new(admin.actor(), source, event)];
    records.extend(expired);
    Ok(records)
}

/// Puts a note on someone's record: a manual entry in the trail.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn add_note(means: &Means, ask: Ask, note: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::AddNote, None)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::AddNote, rule, None));
        }
        ask.done(tx, "The note was added.", &format!("/admin/users/{}/activity", d.user.id))?;
        let event = Event::UserNoteAdded { user: (&d.user).into(), note: note.as_str().to_owned() };
        Ok(Audited::new(Granted::Yes(()), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

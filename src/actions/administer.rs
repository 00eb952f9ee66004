//! Looking after people: add, invite, disable, enable, roles, notes.

use std::sync::Arc;

use super::authorise::{Admin, By};
use super::cases::expire;
use super::grants::{Ask, Granted};
use super::nonce::Nonce;
use super::notices::mailed_token;
use super::reassure::{enabled, let_go};
use super::recover::shut_out;
use super::sign_in::many;
use super::{Means, Result};
use crate::audit::{Action, Event, Reason, Record, Source};
use crate::grants::{Asker, Circumstances, Grant, Question, Rule, decide};
use crate::host::keys::SeedKey;
use crate::ids::UserId;
use crate::outbox::{Kind, NewMessage};
use crate::policy::{self, Policy};
use crate::recovery::{Act, Statement};
use crate::secret::{Purpose, Token};
use crate::storage::{Audited, ReadTx, WriteTx, backup_codes, links, outbox, users};
use crate::time::Timestamp;
use crate::users::{NewPerson, Role, Status, Taken, User};

/// A one-time invitation link, to be handed over.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Who is invited.
    pub user: UserId,
    /// The secret part of the link.
    pub token: Token,
    /// When it stops working.
    pub expires_at: Timestamp,
}

impl Invitation {
    /// The link's path, which is as secret as the token.
    pub fn path(&self) -> String {
        format!("/invitation/{}", self.token.to_text())
    }
}

/// How an invitation reaches who is invited.
#[derive(Debug, Clone)]
pub enum Way {
    /// Whoever makes it hands it over.
    Handed,
    /// It is mailed to the address that they will sign in with, too; the link is made with this key, from the message's id.
    Mailed(Arc<SeedKey>),
}

impl Way {
    /// By mail where that is wanted and possible.
    pub fn of(means: &Means, by_mail: bool) -> Self {
        if by_mail && means.mails { Self::Mailed(Arc::clone(&means.key)) } else { Self::Handed }
    }
}

/// How adding a person came out.
#[derive(Debug, Clone)]
pub enum AddedPerson {
    /// They were added; hand over the link.
    Done(Invitation),
    /// Somebody has this address.
    Taken(Taken),
    /// A rule said no.
    Refused(Rule),
}

/// What stands against adding a person.
#[derive(Debug, Clone)]
pub(super) enum Obstacle {
    /// A rule says no.
    Rule(Rule),
    /// This person has the address.
    Taken(User),
}

impl Obstacle {
    /// The refusal, as the trail records it.
    pub(super) fn event(&self) -> Event {
        let (rule, user) = match self {
            Self::Rule(rule) => (rule.as_str(), None),
            Self::Taken(user) => (Taken::of(user.status).as_str(), Some(user.into())),
        };
        Event::refused(Action::UserCreated, user, rule)
    }
}

/// What stands against `asker` adding this person, at this moment.
pub(super) fn obstacle(
    tx: &ReadTx<'_>,
    asker: Asker<'_>,
    person: &NewPerson,
    now: Timestamp,
) -> Result<Option<Obstacle>> {
    let grant = Grant::AddPerson(person.role);
    let policy = Policy::default();
    let circumstances = Circumstances::plain(&policy);
    let question = Question { grant, asker, target: None, evidence: None, other_owners: 1, circumstances, now };
    if let Err(rule) = decide(&question) {
        return Ok(Some(Obstacle::Rule(rule)));
    }
    Ok(users::find_by_email(tx, &person.email)?.map(Obstacle::Taken))
}

/// Adds a person against whom nothing stands: their invitation, and what happened.
pub(super) fn admit(tx: &WriteTx<'_>, person: &NewPerson, way: &Way) -> Result<(Invitation, [Event; 2])> {
    let id = UserId::generate();
    users::insert(tx, id, &person.email, &person.name, person.role)?;
    let user = users::get(tx, id)?;
    let created = Event::UserCreated { user: (&user).into(), role: person.role };
    let invited = Event::UserInvited { user: (&user).into(), hours: super::whole_hours(policy::INVITATION) };
    Ok((invite(tx, &user, way)?, [created, invited]))
}

/// Adds a person, with an invitation link.
///
/// # Errors
/// As [`super::Error`] says.
pub fn add_person(
    means: &Means,
    by: By,
    person: NewPerson,
    way: Way,
    nonce: Option<Nonce>,
    source: Source,
) -> Result<AddedPerson> {
    means.store.change(move |tx| {
        let admin = Admin::authorise(tx, &by, tx.now())?;
        if let Some(nonce) = &nonce {
            nonce.check(tx)?;
        }
        if let Some(obstacle) = obstacle(tx, admin.asker(), &person, tx.now())? {
            let record = Record::new(admin.actor(), &source, obstacle.event());
            let answer = match obstacle {
                Obstacle::Rule(rule) => AddedPerson::Refused(rule),
                Obstacle::Taken(user) => AddedPerson::Taken(Taken::of(user.status)),
            };
            return Ok(Audited::new(answer, record));
        }
        let (invitation, events) = admit(tx, &person, &way)?;
        if let Some(nonce) = &nonce {
            let said = format!("{} was added. The invitation link was shown once.", person.name);
            nonce.done(tx, &said, &format!("/admin/users/{}", invitation.user))?;
        }
        let [created, invited] = events.map(|event| Record::new(admin.actor(), &source, event));
        Ok(Audited::new(AddedPerson::Done(invitation), created).and(invited))
    })
}

fn invite(tx: &WriteTx<'_>, user: &User, way: &Way) -> Result<Invitation> {
    let token = match way {
        Way::Handed => Token::generate(),
        Way::Mailed(key) => {
            let message = NewMessage::of(Kind::Invitation, user, String::new());
            outbox::insert(tx, &message)?;
            mailed_token(key, message.id)
        }
    };
    let expires_at = tx.now().plus(policy::INVITATION);
    links::insert(tx, &token.hash(Purpose::Invitation), Some(user.id), expires_at)?;
    Ok(Invitation { user: user.id, token, expires_at })
}

/// A new invitation link for someone who has not used theirs; the earlier one is void.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn invite_again(means: &Means, ask: Ask, statement: Statement, way: Way) -> Result<Granted<Invitation>> {
    means.store.change(move |tx| {
        let grant = Grant::InviteAgain;
        let f = ask.decide_founded(tx, grant, "", statement)?;
        ask.answer(tx, f, (grant, ""), |mut f| {
            let until = tx.now().plus(policy::INVITATION);
            let (case, mut records) = f.settle(tx, (Act::Invitation, until), &ask.source)?;
            let d = &f;
            let invitation = invite(tx, &d.user, &way)?;
            let said = format!("A new invitation link was made for {}. It was shown once.", d.user.name);
            ask.done(tx, &said, &format!("/admin/users/{}", d.user.id))?;
            let evidence = f.evidence.clone().ok_or(super::Error::NotFound)?;
            let Statement { reason, ticket, .. } = f.statement.clone();
            let hours = super::whole_hours(policy::INVITATION);
            let event = Event::UserInvitedAgain { user: (&d.user).into(), reason, ticket, evidence, case, hours };
            records.push(Record::new(d.admin.actor(), &ask.source, event));
            Ok(many(Granted::Yes(invitation), records))
        })
    })
}

/// Keeps someone out: every session, sign-in under way, device, link, window and issued code ends.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn disable(means: &Means, ask: Ask, reason: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::Disable)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::Disable, rule));
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
    let event = Event::UserDisabled { user: user.into(), reason, case: None, sessions_ended };
    let mut records = vec![Record::new(admin.actor(), source, event)];
    records.extend(expire(tx, user, admin.actor(), "the person was disabled", source)?);
    Ok(records)
}

/// Lets a disabled person sign in again, with the factors and password they have. Someone who never had a password is
/// invited again instead.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn enable(means: &Means, ask: Ask, reason: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::Enable)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::Enable, rule));
        }
        // Only the host gets as far as this with an account that its case holds.
        let (case, mut records) = let_go(tx, (&d.admin, &d.user), &reason, &ask.source)?;
        records.push(enabled(tx, (&d.admin, &d.user), reason, case, &ask.source)?);
        ask.done(tx, &format!("{} was enabled.", d.user.name), &format!("/admin/users/{}", d.user.id))?;
        Ok(many(Granted::Yes(()), records))
    })
}

/// Gives another role. A promotion voids everything by which someone could come in that was made before it: links,
/// windows and their passes, issued codes, temporary passwords, sessions.
///
/// # Errors
/// As [`super::Error`] says; a refusal by a rule is a value.
pub fn change_role(means: &Means, ask: Ask, role: Role, reason: Reason) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let d = ask.decide(tx, Grant::ChangeRole(role))?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::ChangeRole(role), rule));
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
        expired = expire(tx, user, admin.actor(), "the person was promoted", source)?;
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
        let d = ask.decide(tx, Grant::AddNote)?;
        if let Err(rule) = d.rule {
            return Ok(ask.refused(&d, Grant::AddNote, rule));
        }
        ask.done(tx, "The note was added.", &format!("/admin/users/{}/notes", d.user.id))?;
        let event = Event::UserNoteAdded { user: (&d.user).into(), note: note.as_str().to_owned() };
        Ok(Audited::new(Granted::Yes(()), Record::new(d.admin.actor(), &ask.source, event)))
    })
}

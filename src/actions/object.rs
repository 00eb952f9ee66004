//! "This wasn't me": what the link in a notice does. It blocks sign-in at once and destroys nothing until somebody else has
//! looked; for the last active owner it ends only what was created since, so that nobody locks the organisation out by it.

use super::cases::{self, entry};
use super::recover::shut_out;
use super::sign_in::many;
use super::{Error, Means, Result, Visitor};
use crate::audit::{Action, Actor, CaseFact, Event, Reason, Record, Source};
use crate::host::keys::{MacUse, SeedKey};
use crate::ids::{CaseNumber, NoticeId, UserId};
use crate::notices::Notice;
use crate::notices::objection::ObjectionToken;
use crate::policy::CLOCK_SLACK;
use crate::recovery::{Case, CaseEvent, Doer, next};
use crate::secret::equal;
use crate::storage::{
    ReadTx, WriteTx, backup_codes, devices, factors, links, notices, policy, recovery, sessions, signals, throttle,
    users,
};
use crate::throttle::Budget;
use crate::time::Timestamp;
use crate::users::{Role, Status, User};

/// How the trail and the case call who objects: whoever has the link, which was sent to the person alone.
const WHO: &str = "the person, through a notice";

/// What an objection does, as the account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nobody signs in to the account any more, until somebody has looked.
    Freezes,
    /// It is the last active owner's: what was created since ends, and the account stays in use.
    EndsSince,
    /// Nobody can sign in anyway: it is written down and told to the owners.
    IsTold,
}

/// Why a link does nothing any more, or never did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It is no link of ours, or its notice is not known here.
    Unknown,
    /// Its time is over; also after a restore.
    TooLate,
    /// It was used, then.
    Said(Timestamp),
}

/// A link that works.
#[derive(Debug)]
pub struct Works {
    /// The notice in which it stands.
    pub notice: Notice,
    /// Whose account it is about.
    pub user: User,
    /// What it would do now.
    pub effect: Effect,
}

/// What an objection did.
#[derive(Debug, Clone, Copy)]
pub struct Objected {
    /// What.
    pub effect: Effect,
    /// Under which number it is looked into.
    pub case: CaseNumber,
    /// Whether the person has anything left to sign in with.
    pub has_factor: bool,
}

/// The path of the link in a notice, which is as secret as its token.
pub fn link_path(key: &SeedKey, notice: NoticeId) -> String {
    format!("/objection/{}", ObjectionToken::new(notice, mac(key, notice)).to_text())
}

fn mac(key: &SeedKey, notice: NoticeId) -> [u8; 32] {
    key.mac(MacUse::Objection, &[notice.as_bytes()])
}

/// What the link with this token is about, or why it does nothing. Changes nothing: mail programs open links by themselves.
///
/// # Errors
/// Storage.
pub fn look(means: &Means, token: &str) -> Result<std::result::Result<Works, Gone>> {
    let token = ObjectionToken::parse(token).filter(|t| equal(t.mac(), &mac(&means.key, t.notice())));
    let Some(token) = token else { return Ok(Err(Gone::Unknown)) };
    let now = means.clock.now();
    means.store.read(|tx| {
        let Some(notice) = notices::find(tx, token.notice())? else { return Ok(Err(Gone::Unknown)) };
        if let Some(at) = notice.objected_at {
            return Ok(Err(Gone::Said(at)));
        }
        if notice.objection_until.is_none_or(|until| until <= now) {
            return Ok(Err(Gone::TooLate));
        }
        let user = users::get(tx, notice.user_id)?;
        let effect = effect(tx, &user)?;
        Ok(Ok(Works { notice, user, effect }))
    })
}

fn effect(tx: &ReadTx<'_>, user: &User) -> Result<Effect> {
    Ok(match user.status {
        Status::Disabled | Status::Left => Effect::IsTold,
        Status::Active if is_last_owner(tx, user)? => Effect::EndsSince,
        Status::Active | Status::Invited => Effect::Freezes,
    })
}

/// Whether this is the last active owner: nobody else could look after the organisation.
///
/// # Errors
/// Storage.
pub fn is_last_owner(tx: &ReadTx<'_>, user: &User) -> Result<bool> {
    let is_owner = user.role == Role::Owner && user.status == Status::Active;
    Ok(is_owner && users::count_owners(tx, Some(user.id))? == 0)
}

/// Objects, once. `None` if the link does nothing any more: [`look`] says why.
///
/// # Errors
/// Storage.
pub fn object(means: &Means, token: &str, visitor: &Visitor) -> Result<Option<Objected>> {
    let Ok(Works { notice, .. }) = look(means, token)? else { return Ok(None) };
    let source = visitor.source();
    let done = means.store.change(move |tx| {
        if !notices::update_objected(tx, notice.id)? {
            return Err(Error::NotFound);
        }
        let user = users::get(tx, notice.user_id)?;
        let effect = effect(tx, &user)?;
        let reason = Reason::objection();
        let (mut case, mut records) = case_of(tx, &notice, &user, effect, (&reason, &source))?;
        let policy = policy::get(tx, tx.now())?;
        let why = (Actor::Anonymous, "the person objected");
        records.extend(cases::lapse(tx, &mut case, &user, why, &source, &policy)?);
        let about = Objection { user: &user, case: case.number, reason, source: &source };
        let (sessions_ended, ended) = match effect {
            Effect::Freezes => about.freeze(tx)?,
            Effect::EndsSince => about.end_since(tx, notice.at)?,
            Effect::IsTold => (0, Vec::new()),
        };
        let frozen = effect == Effect::Freezes;
        let fact = CaseFact::Disavowed { notice: notice.kind.as_str(), frozen, sessions_ended };
        records.push(entry(Actor::Anonymous, &source, &user, case.number, fact));
        records.extend(ended);
        if next(case.state, CaseEvent::Disavowed).is_ok() {
            cases::advance(tx, &mut case, CaseEvent::Disavowed, &policy, |_| ())?;
        }
        if frozen {
            recovery::freezes::insert_freeze(tx, user.id, case.number)?;
        }
        let has_factor =
            factors::count_working(tx, user.id)? > 0 || backup_codes::count_left(tx, user.id, tx.now())? > 0;
        Ok(many(Objected { effect, case: case.number, has_factor }, records))
    });
    match done {
        Ok(done) => Ok(Some(done)),
        Err(Error::NotFound) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The case in which it is looked into: the person's open one; or the one that the notice is about, if it can be stopped;
/// or a new one, which nobody signs. Where nobody can sign in anyway, it is only written down with what is there.
fn case_of(
    tx: &WriteTx<'_>,
    notice: &Notice,
    user: &User,
    effect: Effect,
    (reason, source): (&Reason, &Source),
) -> Result<(Case, Vec<Record>)> {
    if let Some(case) = recovery::find_open(tx, user.id)? {
        return Ok((case, Vec::new()));
    }
    let named = notice.case.map(|number| recovery::find(tx, number)).transpose()?.flatten();
    let named = named.filter(|case| case.user_id == user.id);
    if let Some(case) = named.clone().filter(|case| next(case.state, CaseEvent::Disavowed).is_ok()) {
        return Ok((case, Vec::new()));
    }
    if effect == Effect::IsTold
        && let Some(case) =
            named.map_or_else(|| Ok(recovery::list_of(tx, user.id, 1)?.pop()), |c| Ok::<_, Error>(Some(c)))?
    {
        return Ok((case, Vec::new()));
    }
    let policy = policy::get(tx, tx.now())?;
    let by = Doer { id: None, name: WHO.to_owned() };
    let (case, fact) = cases::open(tx, user, by, (reason, None), false, &policy)?;
    let opened = entry(Actor::Anonymous, source, user, case.number, fact);
    Ok((case, vec![opened]))
}

struct Objection<'a> {
    user: &'a User,
    case: CaseNumber,
    reason: Reason,
    source: &'a Source,
}

impl Objection<'_> {
    fn record(&self, event: Event) -> Record {
        Record::new(Actor::Anonymous, self.source, event)
    }

    /// Closes the account: what lets somebody in at this moment ends. Factors, codes and passwords stay as they are, so that
    /// a mistake can be undone.
    fn freeze(&self, tx: &WriteTx<'_>) -> Result<(u32, Vec<Record>)> {
        let user = self.user;
        let sessions_ended = shut_out(tx, user.id)?;
        users::update_status(tx, user.id, Status::Disabled)?;
        let (reason, case) = (self.reason.clone(), Some(self.case));
        let event = Event::UserDisabled { user: user.into(), reason, case, sessions_ended };
        Ok((sessions_ended, vec![self.record(event)]))
    }

    /// Ends what was created at `since` or later, and nothing else.
    fn end_since(&self, tx: &WriteTx<'_>, since: Timestamp) -> Result<(u32, Vec<Record>)> {
        let (user, reason, case) = (self.user, &self.reason, Some(self.case));
        let mut sessions_ended = sessions::delete_since(tx, user.id, since)?;
        devices::delete_since(tx, user.id, since)?;
        links::delete_since(tx, user.id, since)?;
        recovery::delete_window_since(tx, user.id, since)?;
        // Codes are dated when they are made up, a moment before they are stored.
        let codes_voided = backup_codes::delete_since(tx, user.id, since.minus(CLOCK_SLACK))?;
        let factors_removed = delete_factors_since(tx, user.id, since)?;
        let mut records = Vec::new();
        // The password before is not known any more, and no command gives another: so it stays, to be changed. Every other
        // session ended when it was chosen; the one in which that was done is whose it was not.
        if has_new_password(tx, user.id, since)? {
            sessions_ended += sessions::delete_all(tx, user.id, None)?;
            users::update_must_change(tx, user.id)?;
            let reason = reason.clone();
            let event = Event::UserPasswordResetRequired { user: user.into(), reason, case, sessions_ended };
            records.push(self.record(event));
        }
        if factors_removed + codes_voided > 0 {
            records.push(self.record(Event::FactorAdminReset {
                user: user.into(),
                reason: reason.clone(),
                ticket: None,
                case,
                since: Some(since),
                factors_removed,
                codes_voided,
                codes_said_unavailable: false,
                sessions_ended,
            }));
        }
        Ok((sessions_ended, records))
    }
}

fn has_new_password(tx: &ReadTx<'_>, user: UserId, since: Timestamp) -> Result<bool> {
    let mut newest = None;
    for action in [Action::UserPasswordChanged, Action::UserPasswordResetCompleted, Action::UserPasswordSetByAdmin] {
        newest = newest.max(signals::find_last(tx, user, action)?);
    }
    Ok(newest.is_some_and(|at| at >= since))
}

/// Removes the factors of a person that were added at `since` or later; says how many.
pub(super) fn delete_factors_since(tx: &WriteTx<'_>, user: UserId, since: Timestamp) -> Result<u32> {
    let added = factors::list(tx, user)?.into_iter().filter(|factor| factor.created_at >= since);
    let mut removed = 0;
    for factor in added {
        throttle::delete(tx, &Budget::Totp(factor.id))?;
        factors::delete(tx, factor.id)?;
        removed += 1;
    }
    Ok(removed)
}

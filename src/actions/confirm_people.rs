//! Confirming who is here and in which role, after a restore that could not know what was decided since the backup.

use super::administer::{disabled, role_changed};
use super::authorise::{Admin, By};
use super::grants::{Granted, ask_rule};
use super::nonce::Nonce;
use super::sign_in::many;
use super::{Error, Means, Result};
use crate::audit::{Action, Event, Reason, Record, Source};
use crate::grants::{Circumstances, Grant, Question, Rule, decide};
use crate::ids::UserId;
use crate::policy::Policy;
use crate::storage::{Audited, WriteTx, instance, users};
use crate::users::{Role, User};

/// What an owner changes while confirming.
#[derive(Debug, Clone, Default)]
pub struct Corrections {
    /// Who is no longer here.
    pub disable: Vec<UserId>,
    /// Who is no more than a member.
    pub demote: Vec<UserId>,
}

/// Carries out the corrections and lets everybody else sign in again; all or nothing.
///
/// # Errors
/// [`Error::NotFound`] for an id that nobody has; as [`Error`] says. A refusal by a rule is a value.
pub fn confirm_people(
    means: &Means,
    by: By,
    corrections: Corrections,
    nonce: Nonce,
    source: Source,
) -> Result<Granted<()>> {
    means.store.change(move |tx| {
        let admin = Admin::authorise(tx, &by, tx.now())?;
        nonce.check(tx)?;
        let plan = plan(tx, &admin, &corrections)?;
        let acts = match may_confirm(tx, &admin)?.map_err(|rule| (rule, None)).and(plan) {
            Ok(acts) => acts,
            Err((rule, user)) => {
                let user = user.map(|u| (&u).into());
                let action = Action::SystemPeopleConfirmed;
                let event = Event::refused(action, user, rule.as_str());
                return Ok(Audited::new(Granted::No(rule), Record::new(admin.actor(), &source, event)));
            }
        };
        let (mut records, mut disabled_now, mut demoted) = (Vec::new(), 0, 0);
        for (grant, user) in acts {
            let reason = Reason::confirming_people();
            records.extend(if grant == Grant::Disable {
                disabled_now += 1;
                disabled(tx, &admin, &user, reason, &source)?
            } else {
                demoted += 1;
                role_changed(tx, &admin, &user, Role::Member, reason, &source)?
            });
        }
        instance::update_people_confirmed(tx)?;
        nonce.done(tx, "The list of people was confirmed.", "/admin/users")?;
        let event = Event::PeopleConfirmed { people: users::count(tx)?, disabled: disabled_now, demoted };
        records.push(Record::new(admin.actor(), &source, event));
        Ok(many(Granted::Yes(()), records))
    })
}

fn may_confirm(tx: &WriteTx<'_>, admin: &Admin) -> Result<Result<(), Rule>> {
    let grant = Grant::ConfirmPeople;
    let policy = Policy::default();
    let circumstances = Circumstances::plain(&policy);
    let (asker, now) = (admin.asker(), tx.now());
    let question = Question { grant, asker, target: None, evidence: None, other_owners: 0, circumstances, now };
    let confirmed = instance::get_people_confirmed(tx)?;
    Ok(decide(&question).map(drop).and(if confirmed { Err(Rule::NothingToDo) } else { Ok(()) }))
}

/// What is to be done to whom, or the rule that says no and about whom.
type Plan = Result<Vec<(Grant, User)>, (Rule, Option<User>)>;

fn plan(tx: &WriteTx<'_>, admin: &Admin, corrections: &Corrections) -> Result<Plan> {
    let disable = corrections.disable.iter().map(|id| (Grant::Disable, *id));
    let demote = corrections.demote.iter().filter(|id| !corrections.disable.contains(id));
    let mut acts = Vec::new();
    for (grant, id) in disable.chain(demote.map(|id| (Grant::ChangeRole(Role::Member), *id))) {
        let user = users::find_ranked(tx, id, tx.now())?.ok_or(Error::NotFound)?;
        if let Err(rule) = ask_rule(tx, grant, admin, &user, &Policy::default())? {
            return Ok(Err((rule, Some(user))));
        }
        acts.push((grant, user));
    }
    Ok(Ok(acts))
}

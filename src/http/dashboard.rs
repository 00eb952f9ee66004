//! The start of the console: what waits for whom, what else needs attention, and what happened lately.

use super::Response;
use super::board::waiting;
use super::error::Problem;
use super::guards::{Call, Signed};
use super::person::entry_line;
use super::show::{Answer, Page, home};
use crate::actions::key_export;
use crate::audit::Action;
use crate::dashboard::{HouseFigures, matters};
use crate::pages::dashboard::{DashboardView, dashboard};
use crate::policy;
use crate::recovery::board::ON_DASHBOARD;
use crate::storage::dashboard::{LOCKED_WITHIN, get_people};
use crate::storage::{self, ReadTx, anchors, audit, instance, outbox, streams, users};
use crate::streams::Standing;

/// Entries of what happened lately.
const ENTRIES: u32 = 10;

/// What an admin wants to hear of: acts about other people and about the house. What everyone does all day is not in it.
const NOTABLE: [Action; 37] = [
    Action::UserCreated,
    Action::UserUpdated,
    Action::UserEmailChanged,
    Action::UserContactChanged,
    Action::UserPortraitChanged,
    Action::UserDisabled,
    Action::UserEnabled,
    Action::UserLeft,
    Action::UserRoleChanged,
    Action::UserLocked,
    Action::UserUnlocked,
    Action::UserAccessRefused,
    Action::UserPasswordResetRequired,
    Action::UserPasswordSetByAdmin,
    Action::UserNoteAdded,
    Action::MfaFactorAdminReset,
    Action::MfaFactorDisabled,
    Action::MfaBackupCodesIssuedByAdmin,
    Action::RecoveryRefused,
    Action::RecoveryEscalated,
    Action::RecoveryApproved,
    Action::RecoveryApprovalDenied,
    Action::RecoveryDisavowed,
    Action::RecoveryReassured,
    Action::RecoveryIncidentDeclared,
    Action::RecoveryCompleted,
    Action::RecoveryExpired,
    Action::RecoveryBreakGlass,
    Action::PolicyUpdated,
    Action::AuditExported,
    Action::BackupCreated,
    Action::SystemInitialised,
    Action::SystemRestored,
    Action::SystemPeopleConfirmed,
    Action::SystemUpgraded,
    Action::SystemKeyExported,
    Action::SystemClockStepped,
];

/// `GET /admin`: who may not look after people begins elsewhere.
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    if !signed.user.role.looks_after_people() {
        return Ok(Response::redirect(303, home(signed.user.role)));
    }
    let (waiting, people, house, entries) = call.app.means.store.read(|tx| {
        let waiting = waiting(tx, call, &signed.user, ON_DASHBOARD)?;
        Ok::<_, Problem>((
            waiting,
            get_people(tx, call.now)?,
            house(tx, call)?,
            audit::list_newest(tx, &NOTABLE, ENTRIES)?,
        ))
    })?;
    let page = Page::signed(call, signed);
    let view = DashboardView {
        waiting,
        matters: matters(&people, &house, call.now),
        since: call.now.minus(LOCKED_WITHIN),
        entries: entries.iter().map(entry_line).collect(),
    };
    Ok(page.answer(200, dashboard(&page.frame(), &view)))
}

/// What is known about the house.
pub(super) fn house(tx: &ReadTx<'_>, call: &Call<'_>) -> storage::Result<HouseFigures> {
    let (held_up, lately) = (call.now.minus(policy::MAIL_HELD_UP), call.now.minus(policy::LATELY));
    let (mail_held_up, mail_given_up) =
        if call.app.means.mails { outbox::count_stuck(tx, held_up, lately)? } else { (0, 0) };
    Ok(HouseFigures {
        able_owners: users::count_able_owners(tx, None)?,
        last_backup: audit::find_newest(tx, Action::BackupCreated)?,
        key_exported: key_export::find_last(tx)?,
        anchored: match anchors::list(tx)?.first() {
            Some(anchor) => anchor.signed_at,
            None => instance::get(tx)?.created_at,
        },
        clock_stepped: audit::find_newest(tx, Action::SystemClockStepped)?,
        free: call.app.free_space(),
        mail_held_up,
        mail_given_up,
        streams: standings(tx, call)?,
    })
}

/// How it stands with the receivers of the trail that are set; what the database knows of others is past.
fn standings(tx: &ReadTx<'_>, call: &Call<'_>) -> storage::Result<Vec<Standing>> {
    let mut all = streams::list(tx)?;
    all.retain(|standing| call.app.settings.streams.contains(&standing.receiver));
    Ok(all)
}

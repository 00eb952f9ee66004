//! One person's tabs in the console.

pub mod notes;
pub mod notices;
pub mod sessions;

use super::error::Problem;
use super::guards::{Call, Signed};
use super::hold::Holding;
use super::show::{Answer, Page, page_of};
use super::standing::any_other_role;
use crate::actions::grants::Preview;
use crate::audit::filter::Filter;
use crate::audit::plain::{Read, doer, sentence};
use crate::audit::{Entry, Outcome};
use crate::backup_codes::Kind;
use crate::factors::Factor;
use crate::grants::{Grant, Rule};
use crate::ids::UserId;
use crate::pages::entry::EntryLine;
use crate::pages::parts::FactorLine;
use crate::pages::user::{
    Action, ActivityView, MfaView, OpenCase, OverviewView, UserHead, activity as activity_markup, mfa as mfa_markup,
    overview as overview_markup,
};
use crate::policy::Key;
use crate::recovery::Case;
use crate::sessions::Stage;
use crate::storage::{
    ReadTx, audit, backup_codes, contacts, factors, policy, portraits, recovery, sessions as stored, users,
};
use crate::time::Timestamp;
use crate::users::{Status, User};

/// Entries on one page of a person's activity.
const PAGE: u32 = 50;
/// The newest notes, on the first tab.
const NOTES: u32 = 3;

/// A factor as pages list it.
pub fn factor_line(factor: &Factor) -> FactorLine {
    FactorLine {
        id: factor.id,
        kind: "Authenticator app".into(),
        name: factor.label.clone(),
        added_at: factor.created_at,
        last_used_at: factor.last_used_at,
        switched_off_at: factor.disabled_at,
    }
}

/// An entry as pages list it.
pub fn entry_line(entry: &Entry) -> EntryLine {
    let (h, read) = (&entry.header, Read::of(entry));
    EntryLine {
        seq: h.seq.unsigned_abs(),
        at: h.at,
        action: h.action.clone(),
        what: sentence(entry, &read),
        outcome: h.outcome.parse().unwrap_or(Outcome::Failure),
        actor: doer(entry, &read),
        target: read.text("target_name").to_owned(),
        case: h.case.as_deref().and_then(|c| c.parse().ok()),
    }
}

/// Everyone's menu, in its order; what does not apply to the account's state is left out, what the viewer's rank
/// forbids stays with the reason.
fn menu(preview: &Preview<'_>, user: &User, case: Option<&Case>) -> Vec<Action> {
    let all = [
        (Grant::OpenCase, "Open a recovery case", "/case", false),
        (Grant::ResetFactors, "Force MFA reset", "/mfa/reset", false),
        (Grant::IssueBackupCodes, "Generate backup codes for this user", "/mfa/backup-codes", false),
        (Grant::SetTemporaryPassword, "Set temporary password", "/password", false),
        (Grant::InviteAgain, "Invite again", "/invitation", false),
        (Grant::RequirePasswordChange, "Require password change", "/password/change", false),
        (Grant::EndSessions, "End all sessions", "/sessions/end", false),
        (Grant::Unlock, "Unlock", "/unlock", false),
        (Grant::Rename, "Change name", "/name", false),
        (Grant::ChangeEmail, "Change sign-in address", "/email", false),
        (any_other_role(user.role), "Change role", "/role", false),
        (Grant::AddNote, "Add note", "/notes", false),
        (Grant::Disable, "Disable", "/disable", true),
        (Grant::DeclareIncident, "Declare incident", "/incident", true),
        (Grant::Enable, "Enable", "/enable", false),
        (Grant::Leave, "Mark as left for good", "/leave", true),
    ];
    let mut actions = Vec::new();
    if let Some(case) = case {
        let href = format!("/admin/recovery/{}", case.number);
        actions.push(Action { label: "Go on with the open case", href, refused: None, danger: false });
    }
    for (grant, label, path, danger) in all {
        let rule = preview.refusal(grant);
        // Rank is asked about first, so the rule does not say which of the two there is to do.
        let other_way = match grant {
            Grant::OpenCase => case.is_some(),
            Grant::Enable => user.status != Status::Disabled,
            Grant::Disable => user.status == Status::Disabled,
            _ => false,
        };
        if other_way {
            continue;
        }
        if !rule.is_some_and(Rule::is_about_state) {
            let refused = rule.map(|r| r.sentence().to_owned());
            actions.push(Action { label, href: format!("/admin/users/{}{path}", user.id), refused, danger });
        }
    }
    actions
}

struct Loaded {
    user: User,
    holding: Option<Holding>,
    actions: Vec<Action>,
    may_change_portrait: bool,
    case: Option<Case>,
}

impl Loaded {
    fn head(&self) -> UserHead<'_> {
        UserHead {
            id: self.user.id,
            name: self.user.name.as_str(),
            email: self.user.email.as_str(),
            role: self.user.role,
            status: self.user.status,
            actions: self.actions.clone(),
            alarm: self.holding.as_ref().map(|holding| holding.alarm(&self.user)),
            open_case: self.case.as_ref().map(|case| OpenCase {
                number: case.number,
                opened_by: case.opened_by.name.clone(),
                opened_at: case.opened_at,
                waiting_for: case.state.sentence(),
                urgent: case.urgent,
            }),
        }
    }
}

fn load(tx: &ReadTx<'_>, call: &Call<'_>, signed: &Signed, id: UserId) -> Result<Loaded, Problem> {
    let user = users::find_ranked(tx, id, call.now)?.ok_or(Problem::NotFound)?;
    let preview = Preview::read(tx, &signed.user, &user, call.now)?;
    let case = recovery::find_open(tx, id)?;
    let actions = menu(&preview, &user, case.as_ref());
    let may_change_portrait = preview.refusal(Grant::ChangePortrait).is_none();
    let holding = Holding::read(tx, call, &signed.user, &user)?;
    Ok(Loaded { actions, holding, may_change_portrait, case, user })
}

/// `GET /admin/users/{id}`
pub fn overview(call: &Call<'_>, signed: &Signed) -> Answer {
    let id: UserId = call.param("id")?;
    let (loaded, factors, codes_left, open, contacts, known, portrait, notes) = call.app.means.store.read(|tx| {
        Ok::<_, Problem>((
            load(tx, call, signed, id)?,
            factors::list(tx, id)?,
            backup_codes::count_left(tx, id, call.now)?,
            stored::count(tx, id, Stage::Full)?,
            contacts::list(tx, id)?,
            policy::get(tx, call.now)?.lasting(Key::KnownNumber),
            portraits::find(tx, id)?,
            notes::list(tx, id, None, NOTES + 1)?,
        ))
    })?;
    let (notes, more_notes) = page_of(notes, NOTES);
    let (password, password_until) = password_words(call, &loaded.user);
    let page = Page::signed(call, signed);
    let view = OverviewView {
        head: loaded.head(),
        created_at: loaded.user.created_at,
        last_sign_in_at: loaded.user.last_sign_in_at,
        password,
        password_until,
        factors: factors.iter().map(factor_line).collect(),
        codes_left,
        sessions: open,
        contacts,
        known,
        portrait,
        may_change_portrait: loaded.may_change_portrait,
        notes: notes.into_iter().map(|(_, note)| note).collect(),
        more_notes,
    };
    Ok(page.answer(200, overview_markup(&page.frame(), &view)))
}

fn password_words(call: &Call<'_>, user: &User) -> (&'static str, Option<Timestamp>) {
    match user.password_expires_at {
        _ if !user.has_password => ("not set yet", None),
        Some(at) if at <= call.now => ("stopped working", None),
        Some(at) => ("temporary, until", Some(at)),
        None if user.must_change_password => ("has to be changed at the next sign-in", None),
        None => ("set", None),
    }
}

/// `GET /admin/users/{id}/mfa`
pub fn mfa(call: &Call<'_>, signed: &Signed) -> Answer {
    let id: UserId = call.param("id")?;
    let (loaded, factors, own, issued, window) = call.app.means.store.read(|tx| {
        Ok::<_, Problem>((
            load(tx, call, signed, id)?,
            factors::list(tx, id)?,
            backup_codes::find(tx, id, Kind::Own, call.now)?,
            backup_codes::find(tx, id, Kind::Issued, call.now)?,
            recovery::find_window(tx, id)?,
        ))
    })?;
    let count = |unused: &[(u32, [u8; 32])]| u32::try_from(unused.len()).unwrap_or(u32::MAX);
    let page = Page::signed(call, signed);
    let view = MfaView {
        factors: factors.iter().map(factor_line).collect(),
        codes_left: own.as_ref().map_or(0, |s| count(&s.unused)),
        codes_made: own.as_ref().map_or(0, |s| s.total),
        codes_made_at: own.map(|s| s.created_at),
        issued: issued.and_then(|s| Some((count(&s.unused), s.expires_at?))).filter(|(left, _)| *left > 0),
        window: window.filter(|w| w.is_open(call.now) && loaded.user.status == Status::Active).map(|w| w.closes_at),
        head: loaded.head(),
    };
    Ok(page.answer(200, mfa_markup(&page.frame(), &view)))
}

/// `GET /admin/users/{id}/activity`
pub fn activity(call: &Call<'_>, signed: &Signed) -> Answer {
    let id: UserId = call.param("id")?;
    let before = cursor(call)?;
    let (loaded, entries) = call.app.means.store.read(|tx| {
        let filter = Filter { user: Some(id), ..Filter::default() };
        let entries = audit::list(tx, &filter, audit::Order::NewestFirst, before, PAGE + 1)?;
        Ok::<_, Problem>((load(tx, call, signed, id)?, entries))
    })?;
    let (entries, more) = page_of(entries, PAGE);
    let older = entries.last().filter(|_| more).map(|e| format!("/admin/users/{id}/activity?before={}", e.header.seq));
    let page = Page::signed(call, signed);
    let view = ActivityView { head: loaded.head(), entries: entries.iter().map(entry_line).collect(), older };
    Ok(page.answer(200, activity_markup(&page.frame(), &view)))
}

/// The field `before`: the entry to go on before.
///
/// # Errors
/// 400 if it is no number.
pub fn cursor(call: &Call<'_>) -> Result<Option<i64>, Problem> {
    match call.fields.get("before") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Problem::bad("“before” is no number of an entry.".to_owned())),
    }
}

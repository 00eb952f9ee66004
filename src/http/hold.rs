//! The banner of an account that its case holds, and the form that lifts an objection which was a mistake.

use super::error::Problem;
use super::grants::{Sheet, confirmed, ready, subject};
use super::guards::{Call, Signed};
use super::portraits::known_of;
use super::show::{Answer, Page, Said, redirect_saying, wrong};
use super::signals::in_words;
use crate::actions::grants::{Granted, Preview};
use crate::actions::object::is_last_owner;
use crate::actions::reassure::{is_frozen, reassure, refusal};
use crate::audit::Reason;
use crate::grants::{Grant, Rule};
use crate::ids::{CaseNumber, UserId};
use crate::pages::FieldError;
use crate::pages::hold::{Alarm, ReassureView, reassure as reassure_markup};
use crate::pages::notices::words::quote;
use crate::recovery::{Case, CaseState, Held, Hold, Statement};
use crate::storage::recovery::freezes::{find_hold, get_suspect_since};
use crate::storage::{ReadTx, notices, policy, recovery, signals, users};
use crate::users::User;

/// What holds an account, as its banner says it; read with the rest of a page.
pub struct Holding {
    hold: Hold,
    said: String,
    last_owner: bool,
    refused: Option<Rule>,
    nobody: bool,
    under_way: Option<CaseNumber>,
}

impl Holding {
    /// What holds this account, as `viewer` sees it.
    ///
    /// # Errors
    /// When the database can not be read.
    pub fn read(tx: &ReadTx<'_>, call: &Call<'_>, viewer: &User, user: &User) -> Result<Option<Self>, Problem> {
        let Some(hold) = find_hold(tx, user.id)? else { return Ok(None) };
        let case = recovery::find(tx, hold.case)?.ok_or(Problem::NotFound)?;
        let said = notices::find_objected(tx, user.id, case.opened_at)?;
        let refused = match hold.held {
            Held::Objection { .. } => refusal(tx, viewer, (user, &case), call.now)?,
            Held::Attack => Preview::read(tx, viewer, user, call.now)?.refusal(Grant::Readmit),
        };
        let others = users::count_approvers(tx, [Some(viewer.id), Some(user.id)])?;
        Ok(Some(Self {
            last_owner: is_last_owner(tx, user)?,
            said: said.as_ref().map(quote).unwrap_or_default(),
            nobody: refused == Some(Rule::ActedInCase) && others.owners + others.admins == 0,
            under_way: recovery::find_open(tx, user.id)?.filter(is_asked_for).map(|c| c.number),
            refused,
            hold,
        }))
    }

    /// Whether it is this case.
    pub fn is_of(&self, case: CaseNumber) -> bool {
        self.hold.case == case
    }

    /// The banner.
    pub fn alarm<'a>(&self, user: &'a User) -> Alarm<'a> {
        Alarm {
            person: subject(user),
            case: self.hold.case,
            held: self.hold.held,
            since: self.hold.since,
            said: self.said.clone(),
            last_owner: self.last_owner,
            refused: self.refused.map(|rule| rule.sentence().to_owned()),
            nobody: self.nobody,
            under_way: self.under_way,
        }
    }
}

fn is_asked_for(case: &Case) -> bool {
    matches!(case.state, CaseState::AwaitingApproval | CaseState::Approved)
}

/// Where the form for enabling leads instead, for an account that its case opens; `None` for any other.
///
/// # Errors
/// When the database can not be read.
pub fn instead_of_enabling(call: &Call<'_>, user: UserId) -> Result<Option<String>, Problem> {
    let hold = call.app.means.store.read(|tx| find_hold(tx, user))?;
    Ok(hold.map(|hold| match hold.held {
        Held::Objection { .. } => format!("/admin/recovery/{}/reassure", hold.case),
        Held::Attack => format!("/admin/users/{user}/readmit"),
    }))
}

/// The case in the address.
///
/// # Errors
/// [`Problem::NotFound`]; when the database can not be read.
pub fn case_of(call: &Call<'_>) -> Result<Case, Problem> {
    let number: CaseNumber = call.param("case")?;
    call.app.means.store.read(|tx| recovery::find(tx, number))?.ok_or(Problem::NotFound)
}

/// `GET /admin/recovery/{case}/reassure`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let case = case_of(call)?;
    let sheet = Sheet::of(call, signed, case.user_id)?;
    let refused = call.app.means.store.read(|tx| refusal(tx, &signed.user, (&sheet.user, &case), call.now))?;
    match refused {
        Some(rule) => Ok(sheet.refused(rule, false)),
        None => show(&sheet, 200, Vec::new()),
    }
}

fn show(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let (call, user) = (sheet.call, &sheet.user);
    let nonce = sheet.nonce_text();
    let form = sheet.form(&nonce, errors)?;
    let case = call.param("case")?;
    let view = call.app.means.store.read(|tx| {
        let policy = policy::get(tx, call.now)?;
        let found = signals::get(tx, user.id, Some(case), &policy, call.now)?;
        Ok::<_, Problem>(ReassureView {
            form,
            person: subject(user),
            case,
            frozen: is_frozen(tx, user.id)?,
            known: known_of(tx, call, user.id)?,
            signals: in_words(&found, &policy),
        })
    })?;
    let page = Page::signed(call, sheet.signed);
    Ok(page.answer(status, reassure_markup(&page.frame(), &view)))
}

/// `POST /admin/recovery/{case}/reassure`
pub fn act(call: &Call<'_>, signed: &Signed) -> Answer {
    let case = case_of(call)?;
    let sheet = Sheet::of(call, signed, case.user_id)?;
    let frozen = call.app.means.store.read(|tx| is_frozen(tx, sheet.user.id))?;
    let again = |status, errors| show(&sheet, status, errors);
    let (nonce, statement) = if frozen {
        match ready(call, signed, None, again) {
            Ok(ready) => ready,
            Err(answer) => return answer,
        }
    } else {
        // Nobody is let in by it, so it rests on a reason alone.
        let nonce = call.nonce(signed)?;
        let reason = match call.fields.get("reason").parse::<Reason>() {
            Ok(reason) => reason,
            Err(e) => return again(422, vec![wrong("reason", e)]),
        };
        if let Err(answer) = confirmed(call, signed, again) {
            return answer;
        }
        (nonce, Statement { evidence: None, reason, ticket: None })
    };
    let done = reassure(&call.app.means, sheet.ask(nonce), case.number, statement);
    if let Ok(Granted::No(Rule::EvidenceMissing)) = done {
        return again(422, vec![wrong("evidence", Rule::EvidenceMissing.sentence())]);
    }
    let href = format!("/admin/recovery/{}", case.number);
    sheet.granted_on_evidence(done, show, |()| Ok(redirect_saying(call, &href, Said::Reassured)))
}

/// Since when what happened to an account is in doubt, as its case says.
///
/// # Errors
/// When the database can not be read.
pub fn suspect_since(call: &Call<'_>, case: &Case) -> Result<crate::time::Timestamp, Problem> {
    Ok(call.app.means.store.read(|tx| get_suspect_since(tx, case))?)
}

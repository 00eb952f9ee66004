//! What was asked for in a case: as the case shows it, and the page where somebody else decides about it.

use crate::actions::approve::{self, Decide, Ruling, Word};
use crate::actions::authorise::By;
use crate::actions::grants::{Ahead, Preview, still_counts};
use crate::actions::{Error, nonce::Nonce};
use crate::audit::Reason;
use crate::grants::{Asker, Grant, may_decide};
use crate::http::error::Problem;
use crate::http::grants::subject;
use crate::http::guards::{Call, Signed};
use crate::http::show::{Answer, Page, Said, confirm, form_of, redirect_saying, wrong};
use crate::http::signals::in_words;
use crate::http::standing::{already_done, refused};
use crate::ids::{CaseNumber, RequestId};
use crate::pages::recovery::decision::{DecideView, WhatView, decide as decide_markup};
use crate::pages::recovery::requests::{May, RequestView};
use crate::pages::{FieldError, Form};
use crate::policy::{self, ISSUED_CODES, Key, Policy};
use crate::portraits::Portrait;
use crate::recovery::{Case, CaseEvent, Recorded, Request, RequestState, next};
use crate::sessions::Stage;
use crate::signals::Signals;
use crate::storage::recovery::{evidence, requests};
use crate::storage::{
    ReadTx, backup_codes, factors, policy as stored_policy, portraits, recovery, sessions, signals, users,
};
use crate::users::User;

/// So many people who could approve are looked at; few organisations have more.
const APPROVERS: u32 = 50;
/// So many of them are named.
const NAMED: usize = 5;

/// To which end the page is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Approve.
    Approve,
    /// Deny.
    Deny,
}

/// A request with all that is to be known about it.
pub(super) struct Found {
    request: Request,
    case: Case,
    user: User,
    policy: Policy,
    signals: Signals,
    changed: bool,
    approvers: Vec<String>,
    may: May,
    own: bool,
}

/// What waits or may be carried out in a case.
pub(super) fn find_live(
    tx: &ReadTx<'_>,
    call: &Call<'_>,
    viewer: &User,
    case: &Case,
) -> Result<Option<Found>, Problem> {
    let live = requests::find_live(tx, case.number)?.filter(|r| call.now < r.valid_until);
    live.map(|request| Found::read(tx, call, viewer, case.clone(), request)).transpose()
}

impl Found {
    fn read(tx: &ReadTx<'_>, call: &Call<'_>, viewer: &User, case: Case, request: Request) -> Result<Self, Problem> {
        let user = users::find_ranked(tx, case.user_id, call.now)?.ok_or(Problem::NotFound)?;
        let policy = stored_policy::get(tx, call.now)?;
        let signals = signals::get(tx, user.id, Some(case.number), &policy, call.now)?;
        let changed = !still_counts(tx, &request, &case, &user, &signals)?;
        let mut able = users::list_approvers(tx, APPROVERS)?;
        able.retain(|a| may_decide(Asker::Person(a), &request, &user).is_ok());
        let approvers = able.iter().take(NAMED).map(|a| a.name.to_string()).collect();
        let own = request.asked_by.id == Some(viewer.id);
        let may = if own {
            let preview = Preview::read(tx, viewer, &user, call.now)?.with_signals(signals.clone());
            match preview.ahead(tx, request.grant)? {
                Ahead::Permitted(_) => May::CarryOut(form_address(&user, request.grant)),
                Ahead::Waits(_) if !changed => May::Look,
                _ => May::AskAgain(form_address(&user, request.grant)),
            }
        } else if may_decide(Asker::Person(viewer), &request, &user).is_ok() && request.state == RequestState::Waiting {
            May::Decide
        } else {
            May::Look
        };
        Ok(Self { request, case, user, policy, signals, changed, approvers, may, own })
    }

    /// As a page shows it.
    pub(super) fn view(&self) -> RequestView<'_> {
        let request = &self.request;
        RequestView {
            id: request.id,
            case: request.case,
            person: subject(&self.user),
            grant: request.grant,
            argument: &request.argument,
            needs: request.needs,
            asked_by: &request.asked_by.name,
            asked_at: request.asked_at,
            reason: &request.reason,
            ticket: request.ticket.as_deref().unwrap_or_default(),
            state: request.state,
            valid_until: request.valid_until,
            ripe_at: request.ripe_at,
            decided: request.decided_by.as_ref().map(|by| by.name.as_str()).zip(request.decided_at),
            note: &request.note,
            changed: self.changed,
            approvers: self.approvers.clone(),
            may: self.may.clone(),
            own: self.own,
        }
    }

    fn what(&self, tx: &ReadTx<'_>, call: &Call<'_>) -> Result<WhatView, Problem> {
        let (user, policy) = (&self.user, &self.policy);
        let shown = (policy.lasting(Key::RefusalShown), policy.lasting(Key::RefusalOwner));
        Ok(WhatView {
            factors: factors::count_working(tx, user.id)?,
            codes_left: backup_codes::count_left(tx, user.id, call.now)?,
            sessions: sessions::count(tx, user.id, Stage::Full)?,
            pass: policy.asks_for_pass(),
            codes: u32::try_from(ISSUED_CODES).unwrap_or(u32::MAX),
            valid: match self.request.grant {
                Grant::IssueBackupCodes => policy.lasting(Key::IssuedCodes),
                Grant::SetTemporaryPassword => policy.lasting(Key::TemporaryPassword),
                Grant::InviteAgain => policy::INVITATION,
                _ => policy.window(),
            },
            approval: policy.lasting(Key::ApprovalLife),
            denial: next(self.case.state, CaseEvent::Denied).is_ok_and(|to| to.is_closed()).then_some(shown),
        })
    }

    /// Whether it can still be decided, and if so by whom.
    fn is_open(&self, call: &Call<'_>) -> bool {
        self.request.state == RequestState::Waiting && call.now < self.request.valid_until
    }
}

/// The address of the form by which a grant is asked for and carried out.
fn form_address(user: &User, grant: Grant) -> String {
    let path = match grant {
        Grant::IssueBackupCodes => "/mfa/backup-codes",
        Grant::SetTemporaryPassword => "/password",
        Grant::InviteAgain => "/invitation",
        Grant::ChangeEmail => "/email",
        Grant::Readmit => "/readmit",
        _ => "/mfa/reset",
    };
    format!("/admin/users/{}{path}", user.id)
}

/// `GET /admin/recovery/{case}/approve` and `…/deny`: what waits, or else what was asked for last.
pub fn page(call: &Call<'_>, signed: &Signed, verb: Verb) -> Answer {
    show(call, signed, verb, None, (200, Vec::new()))
}

fn show(
    call: &Call<'_>,
    signed: &Signed,
    verb: Verb,
    which: Option<RequestId>,
    (status, errors): (u16, Vec<FieldError>),
) -> Answer {
    let number: CaseNumber = call.param("case")?;
    let (found, seen) = call.app.means.store.read(|tx| {
        let case = recovery::find(tx, number)?.ok_or(Problem::NotFound)?;
        let request = match which {
            Some(id) => requests::find(tx, id)?.filter(|r| r.case == number),
            None => {
                requests::find_live(tx, number)?.map_or_else(|| requests::find_newest(tx, number), |r| Ok(Some(r)))?
            }
        };
        let request = request.ok_or(Problem::NotFound)?;
        let recorded = evidence::find(tx, request.evidence)?.ok_or(Problem::NotFound)?;
        let found = Found::read(tx, call, &signed.user, case, request)?;
        let (portrait, what) = (portraits::find(tx, found.user.id)?, found.what(tx, call)?);
        Ok::<_, Problem>((found, (recorded, portrait, what)))
    })?;
    let rule = may_decide(Asker::Person(&signed.user), &found.request, &found.user).err();
    let deny = verb == Verb::Deny;
    // What has changed since it was asked for can be denied, and not approved any more.
    let decidable = found.is_open(call) && rule.is_none() && (deny || !found.changed);
    let nonce = match call.fields.get("nonce") {
        "" => call.new_nonce(signed),
        sent => sent.to_owned(),
    };
    let form = match decidable {
        true => Some(Form { values: call.fields.kept(&["note"]), errors, ..form_of(call, signed, Some(&nonce))? }),
        false => None,
    };
    let view = view_of(call, &found, form, (deny, rule.map(|r| r.sentence())), seen);
    let page = Page::signed(call, signed);
    Ok(page.answer(status, decide_markup(&page.frame(), &view)))
}

fn view_of<'a>(
    call: &'a Call<'_>,
    found: &'a Found,
    form: Option<Form<'a>>,
    (deny, rule): (bool, Option<&'static str>),
    (evidence, portrait, what): (Recorded, Option<Portrait>, WhatView),
) -> DecideView<'a> {
    let (now, then) = (in_words(&found.signals, &found.policy), in_words(&found.request.signals, &found.policy));
    DecideView {
        typed: if form.is_none() { call.fields.get("note") } else { "" },
        form,
        deny,
        request: found.view(),
        role: found.user.role,
        evidence,
        portrait,
        signs: now.into_iter().zip(then).collect(),
        what,
        rule,
    }
}

/// `POST /admin/recovery/{case}/approve` and `…/deny`
pub fn decide(call: &Call<'_>, signed: &Signed, verb: Verb) -> Answer {
    let nonce = call.nonce(signed)?;
    let id: RequestId = call.fields.get("request").parse().map_err(|_| Problem::StaleForm)?;
    let again = |status, errors| show(call, signed, verb, Some(id), (status, errors));
    let word = match word(call.fields.get("note"), verb) {
        Ok(word) => word,
        Err(error) => return again(422, vec![error]),
    };
    if let Err(errors) = confirm(call, signed) {
        return again(422, errors);
    }
    let case: CaseNumber = call.param("case")?;
    match approve::decide(&call.app.means, ask(call, signed, (case, id), nonce), word) {
        Ok(Ruling::Done(_)) => {
            let said = if verb == Verb::Approve { Said::Approved } else { Said::Denied };
            Ok(redirect_saying(call, &format!("/admin/recovery/{case}"), said))
        }
        Ok(Ruling::TooLate(_) | Ruling::Changed(_)) => again(409, Vec::new()),
        Ok(Ruling::No(rule)) => {
            let user = call.app.means.store.read(|tx| {
                let case = recovery::find(tx, case)?.ok_or(Problem::NotFound)?;
                Ok::<_, Problem>(users::get(tx, case.user_id)?)
            })?;
            Ok(refused(call, signed, &user, rule, true))
        }
        Err(Error::AlreadyDone(done)) => already_done(call, signed, &done),
        Err(e) => Err(e.into()),
    }
}

pub(super) fn ask(call: &Call<'_>, signed: &Signed, (case, request): (CaseNumber, RequestId), nonce: Nonce) -> Decide {
    let by = By::Session(signed.session.id);
    Decide { by, case, request: Some(request), nonce: Some(nonce), source: call.visitor.source() }
}

/// What was said: a denial has a reason, an approval may have one.
fn word(note: &str, verb: Verb) -> Result<Word, FieldError> {
    let reason = || note.parse::<Reason>().map_err(|e| wrong("note", e));
    match verb {
        Verb::Deny => Ok(Word::Deny(reason()?)),
        Verb::Approve if note.trim().is_empty() => Ok(Word::Approve(None)),
        Verb::Approve => Ok(Word::Approve(Some(reason()?))),
    }
}

//! The acts on someone's account: each a page that asks, and a form that acts.

use super::Response;
use super::error::Problem;
use super::guards::{Call, Signed};
use super::permission::Beforehand;
use super::recovery::errands::moved_on;
use super::recovery::evidence::statement;
use super::show::{Answer, Page, Said, confirm, form_of, redirect_saying, wrong};
use super::standing::{already_done, only_owner, refused};
use crate::actions::Error;
use crate::actions::authorise::By;
use crate::actions::grants::{Ask, Granted, Preview};
use crate::actions::nonce::Nonce;
use crate::actions::recover;
use crate::grants::{Grant, Rule};
use crate::ids::UserId;
use crate::pages::grants::{
    IssueCodesView, ResetView, Subject, TemporaryPasswordView, issue_codes as issue_markup, reset as reset_markup,
    temporary_password as temporary_markup,
};
use crate::pages::handover::{CodesIssuedView, PasswordSetView, ResetDoneView, codes_issued, password_set, reset_done};
use crate::pages::{FieldError, Form};
use crate::policy::{ISSUED_CODES, Key};
use crate::recovery::Statement;
use crate::secret::Secret;
use crate::sessions::Stage;
use crate::storage::{backup_codes, factors, policy, recovery, sessions, users};
use crate::users::User;

pub(super) fn subject(user: &User) -> Subject<'_> {
    Subject { id: user.id, name: user.name.as_str(), email: user.email.as_str() }
}

/// The page of a form about a person; or at once which rule will refuse it, so that nobody fills it in for nothing.
pub(super) fn open_form(
    call: &Call<'_>,
    signed: &Signed,
    grant: Grant,
    show: impl FnOnce(&Sheet<'_>) -> Answer,
) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let preview = call.app.means.store.read(|tx| Preview::read(tx, &signed.user, &sheet.user, call.now))?;
    match preview.refusal(grant) {
        Some(Rule::Rank) if preview.is_only_owner() && grant.gives_means() => Ok(only_owner(call, signed, &sheet.user)),
        Some(rule) => Ok(sheet.refused(rule, false)),
        None => show(&sheet),
    }
}

/// A form about a person, as it goes back and forth: who, what was typed, what is wrong with it.
pub(super) struct Sheet<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) signed: &'a Signed,
    pub(super) user: User,
    /// The form begins anew: its evidence was too old, and who asks has to verify again.
    anew: bool,
}

impl<'a> Sheet<'a> {
    pub(super) fn open(call: &'a Call<'a>, signed: &'a Signed) -> Result<Self, Problem> {
        Self::of(call, signed, call.param("id")?)
    }

    /// About the person of a case.
    pub(super) fn of(call: &'a Call<'a>, signed: &'a Signed, user: UserId) -> Result<Self, Problem> {
        let found = call.app.means.store.read(|tx| users::find_ranked(tx, user, call.now))?;
        Ok(Self::about(call, signed, found.ok_or(Problem::NotFound)?))
    }

    /// A form about a person whom the address does not name.
    pub(super) const fn about(call: &'a Call<'a>, signed: &'a Signed, user: User) -> Self {
        Self { call, signed, user, anew: false }
    }

    /// The same form begun anew, because what it rested on has changed.
    pub(super) fn anew(&self) -> Self {
        Self { anew: true, ..Self::about(self.call, self.signed, self.user.clone()) }
    }

    /// The form with what was typed. A form that comes back keeps its nonce, and with it the time of its evidence.
    pub(super) fn form<'f>(&'f self, nonce: &'f str, errors: Vec<FieldError>) -> Result<Form<'f>, Problem> {
        let mut values = self.call.fields.typed();
        // How identity was verified is the one thing that has to be said again.
        values.retain(|(name, _)| !self.anew || name != "evidence");
        Ok(Form { values, errors, ..form_of(self.call, self.signed, Some(nonce))? })
    }

    /// As [`Sheet::form`], filled in at first with what is there now.
    pub(super) fn form_from<'f>(
        &'f self,
        nonce: &'f str,
        errors: Vec<FieldError>,
        now: [(&str, &str); 1],
    ) -> Result<Form<'f>, Problem> {
        let mut form = self.form(nonce, errors)?;
        if !self.call.is_post() {
            form.values.extend(now.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        Ok(form)
    }

    /// Back to one of the person's pages, `""` for the first, saying what was done.
    pub(super) fn back(&self, tab: &str, said: Said) -> Answer {
        Ok(redirect_saying(self.call, &format!("/admin/users/{}{tab}", self.user.id), said))
    }

    pub(super) fn nonce_text(&self) -> String {
        match self.call.fields.get("nonce") {
            _ if self.anew => self.call.new_nonce(self.signed),
            "" => self.call.new_nonce(self.signed),
            sent => sent.to_owned(),
        }
    }

    pub(super) fn ask(&self, nonce: Nonce) -> Ask {
        Ask {
            by: By::Session(self.signed.session.id),
            user: self.user.id,
            nonce: Some(nonce),
            source: self.call.visitor.source(),
        }
    }

    /// What an errand answered; a refusal by a rule is a page of its own.
    pub(super) fn granted<T>(&self, granted: Result<Granted<T>, Error>, show: impl FnOnce(T) -> Answer) -> Answer {
        match granted {
            Ok(Granted::Yes(value)) => show(value),
            Ok(Granted::Waits(waiting)) => {
                Ok(redirect_saying(self.call, &format!("/admin/recovery/{}", waiting.case), Said::AskedFor))
            }
            Ok(Granted::No(rule)) => Ok(self.refused(rule, true)),
            Err(Error::AlreadyDone(done)) => already_done(self.call, self.signed, &done),
            Err(e) => Err(e.into()),
        }
    }

    /// As [`Sheet::granted`], where the answer rests on evidence: what is too old, or a number that does not count, is
    /// said in the form itself, which keeps what was typed.
    pub(super) fn granted_on_evidence<T>(
        &self,
        granted: Result<Granted<T>, Error>,
        again: fn(&Sheet<'_>, u16, Vec<FieldError>) -> Answer,
        show: impl FnOnce(T) -> Answer,
    ) -> Answer {
        if let Ok(Granted::No(rule @ (Rule::EvidenceStale | Rule::EvidenceMissing))) = granted {
            // A form without evidence is not sent on: what is missing was on record when the form was opened.
            let gone = "The case in which that was on record is closed. Make sure again who it is.";
            let why = if rule == Rule::EvidenceMissing { gone } else { rule.sentence() };
            return again(&self.anew(), 403, vec![wrong("evidence", why)]);
        }
        if let Ok(Granted::No(Rule::NotNow)) = granted {
            return moved_on(self, again);
        }
        if let Ok(Granted::No(rule @ (Rule::NumberNotOnAccount | Rule::NumberTooNew))) = granted {
            return again(self, 403, vec![wrong("evidence", rule.sentence())]);
        }
        if let Ok(Granted::No(rule @ Rule::VouchesForThemself)) = granted {
            return again(self, 403, vec![wrong("voucher", rule.sentence())]);
        }
        self.granted(granted, show)
    }

    pub(super) fn refused(&self, rule: Rule, tried: bool) -> Response {
        refused(self.call, self.signed, &self.user, rule, tried)
    }
}

/// Reads a granting form and sees that it is confirmed; what is wrong is shown by `again`.
pub(super) fn ready(
    call: &Call<'_>,
    signed: &Signed,
    more: Option<FieldError>,
    again: impl Fn(u16, Vec<FieldError>) -> Answer,
) -> Result<(Nonce, Statement), Answer> {
    let nonce = call.nonce(signed).map_err(Err)?;
    let statement = match (statement(call, &nonce), more) {
        (Ok(statement), None) => statement,
        (Ok(_), Some(error)) => return Err(again(422, vec![error])),
        // The statement about the codes stands first on the page.
        (Err(errors), more) => return Err(again(422, more.into_iter().chain(errors).collect())),
    };
    confirmed(call, signed, again)?;
    Ok((nonce, statement))
}

pub(super) fn confirmed(
    call: &Call<'_>,
    signed: &Signed,
    again: impl Fn(u16, Vec<FieldError>) -> Answer,
) -> Result<(), Answer> {
    confirm(call, signed).map_err(|errors| again(422, errors))
}

/// `GET /admin/users/{id}/mfa/reset`
pub fn reset_page(call: &Call<'_>, signed: &Signed) -> Answer {
    open_form(call, signed, Grant::ResetFactors, |sheet| show_reset(sheet, 200, Vec::new()))
}

fn show_reset(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let (call, user) = (sheet.call, &sheet.user);
    let nonce = sheet.nonce_text();
    let view = call.app.means.store.read(|tx| {
        let policy = policy::get(tx, call.now)?;
        let form = sheet.form(&nonce, errors)?;
        let ahead = Beforehand::read(tx, sheet, Grant::ResetFactors)?;
        Ok::<_, Problem>(ResetView {
            form: ahead.fill(sheet, form),
            person: subject(user),
            case: recovery::find_open(tx, user.id)?.map(|c| c.number),
            factors: factors::count_working(tx, user.id)?,
            switched_off: factors::count_switched_off(tx, user.id)?,
            codes_left: backup_codes::count_left(tx, user.id, call.now)?,
            sessions: sessions::count(tx, user.id, Stage::Full)?,
            known: ahead.known,
            signals: ahead.signals,
            permission: ahead.permission,
            window: policy.window(),
            asks_for_pass: policy.asks_for_pass(),
        })
    })?;
    let page = Page::signed(call, sheet.signed);
    Ok(page.answer(status, reset_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/mfa/reset`
pub fn reset(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let left = call.app.means.store.read(|tx| backup_codes::count_left(tx, sheet.user.id, call.now))?;
    let said = call.fields.get("codes_unavailable") == "on";
    let unsaid = (left > 0 && !said).then(|| {
        let text = "Ask for a backup code first. If there is none at hand, tick this.";
        wrong("codes_unavailable", text)
    });
    let (nonce, statement) = match ready(call, signed, unsaid, |status, errors| show_reset(&sheet, status, errors)) {
        Ok(ready) => ready,
        Err(answer) => return answer,
    };
    sheet.granted_on_evidence(
        recover::force_reset(&call.app.means, sheet.ask(nonce), statement, said),
        show_reset,
        |reset| {
            let (case, evidence) = call.app.means.store.read(|tx| {
                let case = recovery::find(tx, reset.case)?.ok_or(Problem::NotFound)?;
                Ok::<_, Problem>((case, recovery::evidence::list(tx, reset.case)?))
            })?;
            let page = Page::signed(call, signed);
            let view = ResetDoneView {
                person: subject(&sheet.user),
                case: &case,
                evidence: &evidence,
                pass: reset.pass.map(|pass| Secret::new(pass.to_text())),
                until: reset.closes_at,
            };
            Ok(page.answer(200, reset_done(&page.frame(), &view)))
        },
    )
}

/// `GET /admin/users/{id}/mfa/backup-codes`
pub fn codes_page(call: &Call<'_>, signed: &Signed) -> Answer {
    open_form(call, signed, Grant::IssueBackupCodes, |sheet| show_codes(sheet, 200, Vec::new()))
}

fn show_codes(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let (call, user) = (sheet.call, &sheet.user);
    let nonce = sheet.nonce_text();
    let view = call.app.means.store.read(|tx| {
        let form = sheet.form(&nonce, errors)?;
        let ahead = Beforehand::read(tx, sheet, Grant::IssueBackupCodes)?;
        Ok::<_, Problem>(IssueCodesView {
            form: ahead.fill(sheet, form),
            person: subject(user),
            case: recovery::find_open(tx, user.id)?.map(|c| c.number),
            codes: u32::try_from(ISSUED_CODES).unwrap_or(u32::MAX),
            valid: policy::get(tx, call.now)?.lasting(Key::IssuedCodes),
            known: ahead.known,
            signals: ahead.signals,
            permission: ahead.permission,
        })
    })?;
    let page = Page::signed(call, sheet.signed);
    Ok(page.answer(status, issue_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/mfa/backup-codes`
pub fn codes(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let (nonce, statement) = match ready(call, signed, None, |status, errors| show_codes(&sheet, status, errors)) {
        Ok(ready) => ready,
        Err(answer) => return answer,
    };
    sheet.granted_on_evidence(
        recover::issue_codes(&call.app.means, sheet.ask(nonce), statement),
        show_codes,
        |issued| {
            let page = Page::signed(call, signed);
            let view = CodesIssuedView {
                person: subject(&sheet.user),
                case: Some(issued.case),
                codes: issued.codes.iter().map(|c| Secret::new(c.to_text())).collect(),
                expires_at: issued.expires_at,
            };
            Ok(page.answer(200, codes_issued(&page.frame(), &view)))
        },
    )
}

/// `GET /admin/users/{id}/password`
pub fn password_page(call: &Call<'_>, signed: &Signed) -> Answer {
    open_form(call, signed, Grant::SetTemporaryPassword, |sheet| show_password(sheet, 200, Vec::new()))
}

fn show_password(sheet: &Sheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let (call, user) = (sheet.call, &sheet.user);
    let nonce = sheet.nonce_text();
    let view = call.app.means.store.read(|tx| {
        let form = sheet.form(&nonce, errors)?;
        let ahead = Beforehand::read(tx, sheet, Grant::SetTemporaryPassword)?;
        Ok::<_, Problem>(TemporaryPasswordView {
            form: ahead.fill(sheet, form),
            person: subject(user),
            case: recovery::find_open(tx, user.id)?.map(|c| c.number),
            valid: policy::get(tx, call.now)?.lasting(Key::TemporaryPassword),
            known: ahead.known,
            signals: ahead.signals,
            permission: ahead.permission,
        })
    })?;
    let page = Page::signed(call, sheet.signed);
    Ok(page.answer(status, temporary_markup(&page.frame(), &view)))
}

/// `POST /admin/users/{id}/password`
pub fn password(call: &Call<'_>, signed: &Signed) -> Answer {
    let sheet = Sheet::open(call, signed)?;
    let (nonce, statement) = match ready(call, signed, None, |status, errors| show_password(&sheet, status, errors)) {
        Ok(ready) => ready,
        Err(answer) => return answer,
    };
    sheet.granted_on_evidence(
        recover::set_temporary_password(&call.app.means, sheet.ask(nonce), statement),
        show_password,
        |temporary| {
            let page = Page::signed(call, signed);
            let view = PasswordSetView {
                person: subject(&sheet.user),
                case: Some(temporary.case),
                password: Secret::new(temporary.password.to_text()),
                expires_at: temporary.expires_at,
            };
            Ok(page.answer(200, password_set(&page.frame(), &view)))
        },
    )
}

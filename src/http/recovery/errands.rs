//! What is done in a case beside giving something: each a page that asks, and a form that acts. A form that was opened
//! before the case moved on does nothing, keeps what was typed and says how the case stands now.

use super::evidence;
use crate::actions::casework::{self, InCase};
use crate::actions::grants::{Granted, Preview};
use crate::actions::nonce::Nonce;
use crate::actions::{Error, Result as Done};
use crate::audit::Reason;
use crate::grants::{Grant, Rule};
use crate::http::error::Problem;
use crate::http::grants::{Sheet, confirmed, subject};
use crate::http::guards::{Call, Signed};
use crate::http::portraits::known_of;
use crate::http::show::{Answer, Page, Said, redirect_saying, wrong};
use crate::http::signals::in_words;
use crate::ids::CaseNumber;
use crate::pages::recovery::errands::{
    EvidenceView, MovedOnView, RefuseView, Short, ShortView, evidence as evidence_markup, moved_on as moved_on_markup,
    refuse as refuse_markup, short as short_markup,
};
use crate::pages::{FieldError, Form};
use crate::policy::Key;
use crate::recovery::{Case, CaseErrand, Refusal};
use crate::storage::{policy, recovery, signals, users};

/// A form in a case, as it goes back and forth.
struct CaseSheet<'a> {
    sheet: Sheet<'a>,
    case: Case,
    /// Whether the form is about the case as it is now, whatever stood in it when it was sent.
    as_it_is: bool,
}

impl<'a> CaseSheet<'a> {
    fn open(call: &'a Call<'a>, signed: &'a Signed) -> Result<Self, Problem> {
        let number: CaseNumber = call.param("case")?;
        let (case, user) = call.app.means.store.read(|tx| {
            let case = recovery::find(tx, number)?.ok_or(Problem::NotFound)?;
            let user = users::find_ranked(tx, case.user_id, call.now)?.ok_or(Problem::NotFound)?;
            Ok::<_, Problem>((case, user))
        })?;
        Ok(Self { sheet: Sheet::about(call, signed, user), case, as_it_is: !call.is_post() })
    }

    /// The page of a form; or what stands in its way, so that nobody fills it in for nothing.
    fn page(&self, errand: CaseErrand, show: fn(&CaseSheet<'_>, u16, Vec<FieldError>) -> Answer) -> Answer {
        let (call, signed, user) = (self.sheet.call, self.sheet.signed, &self.sheet.user);
        if !errand.fits(&self.case) {
            return Ok(redirect_saying(call, &self.address(), Said::CaseMovedOn));
        }
        let preview = call.app.means.store.read(|tx| Preview::read(tx, &signed.user, user, call.now))?;
        match preview.refusal(Grant::InCase(errand)) {
            Some(rule) => Ok(self.sheet.refused(rule, false)),
            None => show(self, 200, Vec::new()),
        }
    }

    fn address(&self) -> String {
        format!("/admin/recovery/{}", self.case.number)
    }

    fn form<'f>(&'f self, nonce: &'f str, errors: Vec<FieldError>) -> Result<Form<'f>, Problem> {
        let mut form = self.sheet.form(nonce, errors)?;
        if self.as_it_is {
            form.values.retain(|(name, _)| name != "version");
            form.values.push(("version".to_owned(), self.case.version.to_string()));
        }
        Ok(form)
    }

    /// The errand of the form that was sent; a form that does not say how the case was is none of ours.
    fn errand(&self, nonce: Nonce) -> InCase {
        let version = self.sheet.call.fields.get("version").parse().unwrap_or(0);
        InCase { ask: self.sheet.ask(nonce), case: self.case.number, version: Some(version) }
    }

    /// As [`CaseSheet::errand`], for what does not depend on how far the case is.
    fn errand_at_any_time(&self, nonce: Nonce) -> InCase {
        InCase { version: None, ..self.errand(nonce) }
    }

    /// What an errand answered.
    fn answer(
        &self,
        granted: Done<Granted<()>>,
        errand: CaseErrand,
        again: fn(&CaseSheet<'_>, u16, Vec<FieldError>) -> Answer,
        said: Said,
    ) -> Answer {
        let (call, signed) = (self.sheet.call, self.sheet.signed);
        if !matches!(granted, Ok(Granted::No(Rule::NotNow)) | Err(Error::CaseMovedOn)) {
            return self.sheet.granted(granted, |()| Ok(redirect_saying(call, &self.address(), said)));
        }
        let now = CaseSheet { as_it_is: true, ..CaseSheet::open(call, signed)? };
        if !errand.fits(&now.case) {
            return show_moved_on(&now.sheet, &now.case);
        }
        let text = format!(
            "The case has moved on since you opened this page; it is now “{}”. Look at it again. What you typed is still \
             here.",
            now.case.state.sentence()
        );
        again(&now, 409, vec![wrong("", text)])
    }
}

/// How the case stands now, and what was typed.
fn show_moved_on(sheet: &Sheet<'_>, case: &Case) -> Answer {
    let nonce = sheet.nonce_text();
    let page = Page::signed(sheet.call, sheet.signed);
    let view = MovedOnView { form: sheet.form(&nonce, Vec::new())?, person: subject(&sheet.user), case };
    Ok(page.answer(409, moved_on_markup(&page.frame(), &view)))
}

/// A grant that was asked for in a form which is older than what somebody else has done since: the form comes back, with
/// what they did.
pub(in crate::http) fn moved_on(sheet: &Sheet<'_>, again: fn(&Sheet<'_>, u16, Vec<FieldError>) -> Answer) -> Answer {
    let newest = sheet.call.app.means.store.read(|tx| recovery::list_of(tx, sheet.user.id, 1))?.pop();
    let case = newest.ok_or(Problem::NotFound)?;
    let opened_at = sheet.call.nonce(sheet.signed)?.issued_at();
    let what = match (&case.act, case.closed_at) {
        (Some(done), None) => format!("{} was here since: {}", done.by.name, done.act.sentence()),
        (_, Some(at)) if at > opened_at => {
            format!("{} has decided since: {}", case.closed_by.as_deref().unwrap_or("Somebody"), case.state.sentence())
        }
        _ => return Ok(sheet.refused(Rule::NotNow, true)),
    };
    let text = format!(
        "The case {} has moved on since you opened this page. {what}. If it is still needed, say again how you made sure, \
         and send it once more.",
        case.number
    );
    again(&sheet.anew(), 409, vec![wrong("", text)])
}

/// `GET /admin/recovery/{case}/evidence`
pub fn evidence_page(call: &Call<'_>, signed: &Signed) -> Answer {
    CaseSheet::open(call, signed)?.page(CaseErrand::Evidence, show_evidence)
}

fn show_evidence(this: &CaseSheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let (call, user) = (this.sheet.call, &this.sheet.user);
    let nonce = this.sheet.nonce_text();
    let form = this.form(&nonce, errors)?;
    let view = call.app.means.store.read(|tx| {
        let policy = policy::get(tx, call.now)?;
        let found = signals::get(tx, user.id, Some(this.case.number), &policy, call.now)?;
        Ok::<_, Problem>(EvidenceView {
            form,
            person: subject(user),
            case: this.case.number,
            known: known_of(tx, call, user.id)?,
            fresh: policy.lasting(Key::EvidenceAge),
            signals: in_words(&found, &policy),
        })
    })?;
    let page = Page::signed(call, this.sheet.signed);
    Ok(page.answer(status, evidence_markup(&page.frame(), &view)))
}

/// `POST /admin/recovery/{case}/evidence`
pub fn record_evidence(call: &Call<'_>, signed: &Signed) -> Answer {
    let this = CaseSheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let (evidence, ticket) = match evidence::said(call, &nonce) {
        Ok(said) => said,
        Err(errors) => return show_evidence(&this, 422, errors),
    };
    if let Err(answer) = confirmed(call, signed, |status, errors| show_evidence(&this, status, errors)) {
        return answer;
    }
    let errand = this.errand_at_any_time(nonce);
    let granted = casework::record_evidence(&call.app.means, errand, evidence, ticket);
    match granted {
        Ok(Granted::No(rule @ Rule::EvidenceStale)) => {
            let anew = CaseSheet { sheet: this.sheet.anew(), ..this };
            show_evidence(&anew, 403, vec![wrong("evidence", rule.sentence())])
        }
        Ok(Granted::No(rule @ (Rule::NumberNotOnAccount | Rule::NumberTooNew))) => {
            show_evidence(&this, 403, vec![wrong("evidence", rule.sentence())])
        }
        Ok(Granted::No(rule @ Rule::VouchesForThemself)) => {
            show_evidence(&this, 403, vec![wrong("voucher", rule.sentence())])
        }
        granted => this.answer(granted, CaseErrand::Evidence, show_evidence, Said::EvidenceRecorded),
    }
}

/// `GET /admin/recovery/{case}/refuse`
pub fn refuse_page(call: &Call<'_>, signed: &Signed) -> Answer {
    CaseSheet::open(call, signed)?.page(CaseErrand::Refuse, show_refuse)
}

fn show_refuse(this: &CaseSheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    let call = this.sheet.call;
    let nonce = this.sheet.nonce_text();
    let policy = call.app.means.store.read(|tx| policy::get(tx, call.now))?;
    let view = RefuseView {
        form: this.form(&nonce, errors)?,
        person: subject(&this.sheet.user),
        case: this.case.number,
        shown: policy.lasting(Key::RefusalShown),
        owner_for: policy.lasting(Key::RefusalOwner),
    };
    let page = Page::signed(call, this.sheet.signed);
    Ok(page.answer(status, refuse_markup(&page.frame(), &view)))
}

/// `POST /admin/recovery/{case}/refuse`
pub fn refuse(call: &Call<'_>, signed: &Signed) -> Answer {
    let this = CaseSheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let refusal = call.fields.get("refusal").parse::<Refusal>().map_err(|e| wrong("refusal", e));
    let note = text(call, "note");
    let (refusal, note) = match (refusal, note) {
        (Ok(refusal), Ok(note)) => (refusal, note),
        (refusal, note) => return show_refuse(&this, 422, refusal.err().into_iter().chain(note.err()).collect()),
    };
    if let Err(answer) = confirmed(call, signed, |status, errors| show_refuse(&this, status, errors)) {
        return answer;
    }
    let granted = casework::refuse(&call.app.means, this.errand(nonce), refusal, note);
    this.answer(granted, CaseErrand::Refuse, show_refuse, Said::HelpRefused)
}

/// A text that has to say something.
fn text(call: &Call<'_>, field: &'static str) -> Result<Reason, FieldError> {
    call.fields.get(field).parse::<Reason>().map_err(|e| {
        let (what, length) = (field, call.fields.get(field).trim().chars().count());
        match length {
            0 => wrong(field, format!("Enter a {what}.")),
            _ => wrong(field, e.to_string().replace("reason", what)),
        }
    })
}

/// `GET /admin/recovery/{case}/escalate`
pub fn escalate_page(call: &Call<'_>, signed: &Signed) -> Answer {
    CaseSheet::open(call, signed)?.page(CaseErrand::Escalate, show_escalate)
}

fn show_escalate(this: &CaseSheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    show(this, status, errors, Short::Escalate)
}

fn show(this: &CaseSheet<'_>, status: u16, errors: Vec<FieldError>, errand: Short) -> Answer {
    let nonce = this.sheet.nonce_text();
    let mut form = this.form(&nonce, errors)?;
    if errand == Short::Urgency && !this.sheet.call.is_post() && !this.case.urgent {
        form.values.push(("urgent".to_owned(), "on".to_owned()));
    }
    let view = ShortView { form, person: subject(&this.sheet.user), case: this.case.number };
    let page = Page::signed(this.sheet.call, this.sheet.signed);
    Ok(page.answer(status, short_markup(&page.frame(), errand, &view)))
}

/// `POST /admin/recovery/{case}/escalate`
pub fn escalate(call: &Call<'_>, signed: &Signed) -> Answer {
    let this = CaseSheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    let message = match text(call, "message") {
        Ok(message) => message,
        Err(error) => return show_escalate(&this, 422, vec![error]),
    };
    if let Err(answer) = confirmed(call, signed, |status, errors| show_escalate(&this, status, errors)) {
        return answer;
    }
    let granted = casework::escalate(&call.app.means, this.errand(nonce), message);
    this.answer(granted, CaseErrand::Escalate, show_escalate, Said::Escalated)
}

/// `GET /admin/recovery/{case}/close`
pub fn close_page(call: &Call<'_>, signed: &Signed) -> Answer {
    CaseSheet::open(call, signed)?.page(CaseErrand::Close, show_close)
}

fn show_close(this: &CaseSheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    show(this, status, errors, Short::Close)
}

/// `POST /admin/recovery/{case}/close`
pub fn close(call: &Call<'_>, signed: &Signed) -> Answer {
    let this = CaseSheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    if let Err(answer) = confirmed(call, signed, |status, errors| show_close(&this, status, errors)) {
        return answer;
    }
    let granted = casework::close(&call.app.means, this.errand(nonce));
    this.answer(granted, CaseErrand::Close, show_close, Said::CaseClosed)
}

/// `GET /admin/recovery/{case}/urgent`
pub fn urgency_page(call: &Call<'_>, signed: &Signed) -> Answer {
    CaseSheet::open(call, signed)?.page(CaseErrand::Urgency, show_urgency)
}

fn show_urgency(this: &CaseSheet<'_>, status: u16, errors: Vec<FieldError>) -> Answer {
    show(this, status, errors, Short::Urgency)
}

/// `POST /admin/recovery/{case}/urgent`: `urgent` is `on`, or absent for a case that is urgent no longer.
pub fn mark_urgent(call: &Call<'_>, signed: &Signed) -> Answer {
    let this = CaseSheet::open(call, signed)?;
    let nonce = call.nonce(signed)?;
    if let Err(answer) = confirmed(call, signed, |status, errors| show_urgency(&this, status, errors)) {
        return answer;
    }
    let urgent = call.fields.get("urgent") == "on";
    let granted = casework::mark_urgent(&call.app.means, this.errand_at_any_time(nonce), urgent);
    let said = if urgent { Said::MarkedUrgent } else { Said::MarkedNotUrgent };
    this.answer(granted, CaseErrand::Urgency, show_urgency, said)
}

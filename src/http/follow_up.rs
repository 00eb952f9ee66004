//! The last message of a case: filled in, changed as one likes, sent or copied, and recorded.

use super::error::Problem;
use super::grants::{Sheet, confirmed, subject};
use super::guards::{Call, Signed};
use super::show::{Answer, Page, Said, redirect_saying, wrong};
use crate::actions::Error;
use crate::actions::follow_up::follow_up;
use crate::actions::grants::Preview;
use crate::grants::{Grant, Rule};
use crate::ids::CaseNumber;
use crate::pages::FieldError;
use crate::pages::follow_up::{FollowUpView, follow_up as follow_up_markup};
use crate::recovery::follow_up::{Draft, How, Message, can_be_told};
use crate::recovery::{Case, Recorded};
use crate::storage::recovery::evidence;
use crate::storage::{notices, recovery, users};
use crate::users::{Role, User};

/// Whether a message can be sent; otherwise it is copied.
fn mail_is_configured(call: &Call<'_>) -> bool {
    call.app.settings.mail.is_some()
}

/// What the page is about.
struct Letter {
    case: Case,
    evidence: Vec<Recorded>,
    /// The addresses that were known before the case.
    addresses: Vec<String>,
    user: User,
}

fn find(call: &Call<'_>) -> Result<Letter, Problem> {
    let number: CaseNumber = call.param("case")?;
    call.app.means.store.read(|tx| {
        let case = recovery::find(tx, number)?.ok_or(Problem::NotFound)?;
        let user = users::find_ranked(tx, case.user_id, call.now)?.ok_or(Problem::NotFound)?;
        let addresses = notices::list_known_before(tx, &user, case.opened_at)?;
        Ok(Letter { evidence: evidence::list(tx, number)?, case, addresses, user })
    })
}

/// `GET /admin/recovery/{case}/message`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let letter = find(call)?;
    let sheet = Sheet::about(call, signed, letter.user.clone());
    let preview = call.app.means.store.read(|tx| Preview::read(tx, &signed.user, &letter.user, call.now))?;
    let owners_only = letter.case.for_owner && signed.user.role != Role::Owner;
    match preview.refusal(Grant::FollowUp).or(owners_only.then_some(Rule::ForOwners)) {
        Some(rule) => Ok(sheet.refused(rule, false)),
        None => show(&sheet, &letter, 200, Vec::new()),
    }
}

fn show(sheet: &Sheet<'_>, letter: &Letter, status: u16, errors: Vec<FieldError>) -> Answer {
    let (call, case) = (sheet.call, &letter.case);
    let nonce = sheet.nonce_text();
    let draft = Draft {
        case,
        evidence: &letter.evidence,
        organisation: &call.app.settings.organisation,
        help: call.app.settings.help_contact.as_deref(),
        by: sheet.signed.user.name.as_str(),
    };
    let view = FollowUpView {
        form: sheet.form_from(&nonce, errors, [("message", &draft.text())])?,
        person: subject(&letter.user),
        case: case.number,
        // What was typed stays in reach, whatever has happened to the case meanwhile.
        nothing_to_tell: !can_be_told(case) && !call.is_post(),
        addresses: &letter.addresses,
        mail: mail_is_configured(call),
        written: case.follow_up.as_ref().map(|(at, by)| (*at, by.as_str())),
    };
    let page = Page::signed(call, sheet.signed);
    Ok(page.answer(status, follow_up_markup(&page.frame(), &view)))
}

/// `POST /admin/recovery/{case}/message`
pub fn write(call: &Call<'_>, signed: &Signed) -> Answer {
    let letter = find(call)?;
    let sheet = Sheet::about(call, signed, letter.user.clone());
    let nonce = call.nonce(signed)?;
    let again = |status, errors| show(&sheet, &letter, status, errors);
    let message = Message::parse(call.fields.get("message")).map_err(|e| wrong("message", e));
    let how = call.fields.get("how").parse::<How>().map_err(|e| wrong("", e));
    let (message, how) = match (message, how) {
        (Ok(message), Ok(how)) => (message, how),
        (message, how) => return again(422, message.err().into_iter().chain(how.err()).collect()),
    };
    if how == How::Sent && (!mail_is_configured(call) || letter.addresses.is_empty()) {
        return again(422, vec![wrong("", "This message can not be sent from here. Copy it instead.")]);
    }
    if let Err(answer) = confirmed(call, signed, again) {
        return answer;
    }
    let said = match how {
        How::Sent => Said::MessageSent,
        How::Copied => Said::MessageCopied,
    };
    let number = letter.case.number;
    match follow_up(&call.app.means, sheet.ask(nonce), number, how, message) {
        Err(Error::CaseMovedOn) => moved_on(call, signed),
        done => sheet.granted(done, |()| Ok(redirect_saying(call, &format!("/admin/recovery/{number}"), said))),
    }
}

/// The case is not as it was when the form was opened: says so in the form, which keeps the text and begins anew.
fn moved_on(call: &Call<'_>, signed: &Signed) -> Answer {
    let letter = find(call)?;
    let sheet = Sheet::about(call, signed, letter.user.clone()).anew();
    let text = match &letter.case.follow_up {
        Some((_, by)) if can_be_told(&letter.case) => {
            format!("{by} has written to this person since you opened this page. Nothing more was sent or noted.")
        }
        _ => format!(
            "The case has moved on since you opened this page: {}. Nothing was sent or noted.",
            letter.case.state.sentence()
        ),
    };
    show(&sheet, &letter, 409, vec![wrong("", text)])
}

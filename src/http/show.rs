//! What handlers share when they show a page: the frame, one word about what was done, cookies, redirects.

use std::time::Duration;

use maud::Markup;

use super::Response;
use super::cookies::Cookie;
use super::error::Problem;
use super::guards::{Call, Guest, Signed, session_csrf};
use crate::actions::second_factor::Typed;
use crate::actions::step_up::step_up;
use crate::pages::notices::Unseen;
use crate::pages::parts::Tone;
use crate::pages::{FieldError, Flash, Form, Frame, StepUp, Viewer};
use crate::recovery::Case;
use crate::secret::{Purpose, Token};
use crate::storage::{backup_codes, sessions};
use crate::time::Timestamp;
use crate::users::Role;

/// What a handler answers.
pub type Answer = Result<Response, Problem>;

macro_rules! said {
    ($($variant:ident $word:literal $sentence:literal;)*) => {
        /// What was just done, as a word in a cookie and a sentence on the next page. A closed set: a cookie can be
        /// forged, but not into other text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Said {
            $(#[doc = $sentence] $variant,)*
        }

        impl Said {
            const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }

            fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

said! {
    FactorAdded "factor-added" "The authenticator app was added.";
    FactorRenamed "factor-renamed" "The authenticator app has its new name.";
    FactorRemoved "factor-removed" "The authenticator app was removed.";
    PasswordChanged "password-changed" "Your password was changed. Everywhere else you were signed out.";
    CodesStored "codes-stored" "Your new backup codes are in force. Earlier ones no longer work.";
    FewCodesLeft "few-codes-left" "Only a few of your backup codes are left.";
    NoCodesLeft "no-codes-left" "You have no backup codes left. If you lose your phone now, only an admin can let you back in.";
    SessionEnded "session-ended" "That session was ended.";
    OtherSessionsEnded "other-sessions-ended" "You are signed out everywhere but here.";
    DeviceForgotten "device-forgotten" "The device was forgotten.";
    DevicesForgotten "devices-forgotten" "All devices were forgotten. You are signed out everywhere but here.";
    Disabled "disabled" "The account was disabled.";
    Enabled "enabled" "The account was enabled.";
    ContactAdded "contact-added" "The contact was added.";
    ContactRemoved "contact-removed" "The contact was removed.";
    PortraitChanged "portrait-changed" "The photo and the note about an ID were saved.";
    NoteAdded "note-added" "The note was added.";
    SessionsEnded "sessions-ended" "All sessions were ended.";
    PasswordRequired "password-required" "At the next sign-in a new password has to be chosen.";
    Unlocked "unlocked" "The delays were lifted.";
    RoleChanged "role-changed" "The role was changed.";
    Renamed "renamed" "The name was changed.";
    EmailChanged "email-changed" "The sign-in address was changed.";
    CaseOpened "case-opened" "The case was opened.";
    CaseWasOpen "case-was-open" "There is an open case for this person already: this one. Nothing was changed.";
    CaseMovedOn "case-moved-on" "The case has moved on: this is how it stands now. Nothing was changed.";
    EvidenceRecorded "evidence-recorded" "How you made sure who it is stands in the case.";
    HelpRefused "help-refused" "Help was refused. Every admin who opens this person sees it.";
    Escalated "escalated" "The case was handed to the owners, who are told.";
    CaseClosed "case-closed" "The case was closed. Nothing was given.";
    MarkedUrgent "marked-urgent" "The case is marked as urgent.";
    MarkedNotUrgent "marked-not-urgent" "The case is no longer marked as urgent.";
    Left "left" "The person is marked as left.";
    AskedFor "asked-for" "It was asked for. The case says who or what has to permit it.";
    Reassured "reassured" "The objection was lifted.";
    IncidentDeclared "incident-declared" "The incident was declared. Below is what the account did.";
    MessageSent "message-sent" "The message is on its way.";
    MessageCopied "message-copied" "It is noted that you copied the message.";
    PolicyChanged "policy-changed" "It is changed, and holds from now on.";
    PolicyWaits "policy-waits" "It takes effect a day from now, and all owners are told. Until then any owner can take it back.";
    PolicyTakenBack "policy-taken-back" "It was taken back, and stays as it is.";
    Approved "approved" "It is approved. Who asked can carry it out.";
    Denied "denied" "It was denied.";
    Withdrawn "withdrawn" "What you asked for was withdrawn.";
    PeopleConfirmed "people-confirmed" "The list of people is confirmed. Everyone on it can sign in again.";
}

impl Said {
    fn flash(self) -> Flash {
        let (kind, link) = match self {
            Self::FewCodesLeft => (Tone::Warn, Some(("/profile/backup-codes", "Make new ones"))),
            Self::NoCodesLeft => (Tone::Bad, Some(("/profile/backup-codes", "Make new ones now"))),
            _ => (Tone::Good, None),
        };
        Flash { kind, text: self.sentence().to_owned(), link }
    }
}

/// The frame of a page, with what it borrows.
pub struct Page<'a> {
    organisation: &'a str,
    viewer: Option<(String, Role, String)>,
    people_wait: bool,
    refused: Option<Case>,
    demo: bool,
    unseen: Option<Unseen>,
    said: Option<Said>,
    now: Timestamp,
    https: bool,
}

impl<'a> Page<'a> {
    /// For strangers, and for who is half way in.
    pub fn stranger(call: &Call<'a>) -> Self {
        Self {
            organisation: &call.app.settings.organisation,
            viewer: None,
            people_wait: false,
            refused: None,
            demo: call.app.demo.is_some(),
            unseen: None,
            said: None,
            now: call.now,
            https: call.https(),
        }
    }

    /// For who is signed in.
    pub fn signed(call: &Call<'a>, signed: &Signed) -> Self {
        let viewer = (signed.user.name.to_string(), signed.user.role, signed.csrf.clone());
        let said = Cookie::Flash.read(call.request, call.https()).and_then(Said::parse);
        let unseen = super::notices::unseen(call, signed);
        Self {
            viewer: Some(viewer),
            people_wait: signed.people_wait,
            refused: call.refused.clone(),
            unseen,
            said,
            ..Self::stranger(call)
        }
    }

    /// Without the banner of what was not shown yet: the page itself shows it.
    #[must_use]
    pub fn without_unseen(self) -> Self {
        Self { unseen: None, ..self }
    }

    /// The frame.
    pub fn frame(&self) -> Frame<'_> {
        Frame {
            organisation: self.organisation,
            signed_in: self.viewer.as_ref().map(|(name, role, csrf)| Viewer { name, role: *role, csrf }),
            people_wait: self.people_wait,
            refused: self.refused.as_ref(),
            demo: self.demo,
            unseen: self.unseen.as_ref(),
            flash: self.said.map(Said::flash),
            now: self.now,
        }
    }

    /// The page as an answer; what was said once is not said again.
    pub fn answer(&self, status: u16, markup: Markup) -> Response {
        let response = Response::html(status, markup.into_string());
        match self.said {
            Some(_) => response.with_header("Set-Cookie", &Cookie::Flash.set("", self.https, Some(Duration::ZERO))),
            None => response,
        }
    }
}

/// Whole seconds, rounded up, at least one: as `Retry-After` writes them (RFC 9110 section 10.2.3).
pub fn seconds(d: Duration) -> String {
    (d.as_secs() + u64::from(d.subsec_nanos() > 0)).max(1).to_string()
}

/// Of what was found, asked for with one more than a page holds: what the page holds, and whether there is more.
pub fn page_of<T>(mut found: Vec<T>, size: u32) -> (Vec<T>, bool) {
    let size = size as usize;
    let more = found.len() > size;
    found.truncate(size);
    (found, more)
}

/// On to another page, which says what was done.
pub fn redirect_saying(call: &Call<'_>, path: &str, said: Said) -> Response {
    saying(call, Response::redirect(303, path), said)
}

/// The answer leads on to a page that says this.
pub fn saying(call: &Call<'_>, response: Response, said: Said) -> Response {
    let cookie = Cookie::Flash.set(said.word(), call.https(), Some(Duration::from_secs(60)));
    response.with_header("Set-Cookie", &cookie)
}

/// Where someone begins: members at their profile, the help desk at what needs attention, auditors at the trail.
pub const fn home(role: Role) -> &'static str {
    match role {
        Role::Member => "/profile",
        Role::Auditor => "/admin/audit",
        Role::Admin | Role::Owner => "/admin",
    }
}

/// An error beside a field.
pub fn wrong(field: &'static str, message: impl ToString) -> FieldError {
    FieldError { field, message: message.to_string() }
}

/// A page for a guest: sets the guest's cookie where it is new.
pub fn to_guest(guest: &Guest, response: Response) -> Response {
    match &guest.cookie {
        Some(cookie) => response.with_header("Set-Cookie", cookie),
        None => response,
    }
}

/// A form of a signed-in person, asking for a code where the last one is too long ago.
///
/// # Errors
/// When the database can not be read.
pub fn form_of<'a>(call: &Call<'_>, signed: &'a Signed, nonce: Option<&'a str>) -> Result<Form<'a>, Problem> {
    Ok(Form { nonce, step_up: step_up_due(call, signed)?, ..Form::new(&signed.csrf) })
}

fn step_up_due(call: &Call<'_>, signed: &Signed) -> Result<Option<StepUp>, Problem> {
    if signed.session.is_stepped_up(call.now) {
        return Ok(None);
    }
    let (left, session) = call.app.means.store.read(|tx| {
        let left = backup_codes::count_left(tx, signed.user.id, call.now)?;
        Ok::<_, Problem>((left, sessions::find_by_id(tx, signed.session.id)?))
    })?;
    // The code may have come with this very request, in a form that is shown again for another reason.
    let just_now = session.is_some_and(|s| s.is_stepped_up(call.now));
    Ok((!just_now).then_some(StepUp { backup_codes: left > 0 }))
}

/// Whether the step-up that a form needs is there.
///
/// # Errors
/// What to say beside the form, which is shown again; nothing where the code was only not asked for yet.
pub fn confirm(call: &Call<'_>, signed: &Signed) -> Result<(), Vec<FieldError>> {
    if signed.session.is_stepped_up(call.now) { Ok(()) } else { Err(call.step_up_errors.clone()) }
}

/// Checks the code by which a form confirms that it is still the same person, if one is due and there. The session then
/// goes on under the cookie returned; what is wrong is kept for [`confirm`].
///
/// # Errors
/// [`Problem::TooMany`]; what kept the code from being checked.
pub fn step_up_in_form(call: &mut Call<'_>, signed: Signed) -> Result<(Signed, Option<Token>), Problem> {
    let typed = call.fields.get("step_up_code").trim();
    // What was read is confirmed with a code that is newer than what happened, however recent the last one is.
    let due = call.route == super::notices::SEEN || !signed.session.is_stepped_up(call.now);
    if !call.is_post() || typed.is_empty() || !due {
        return Ok((signed, None));
    }
    let Some(typed) = Typed::parse(typed) else {
        call.step_up_errors = vec![wrong("step_up_code", "Enter the 6 digits that your app shows now.")];
        return Ok((signed, None));
    };
    call.attempt()?;
    let text = match step_up(&call.app.means, &signed.session, typed, &call.visitor) {
        Ok(Some((session, token))) => {
            let csrf = session_csrf(call.app, &token.hash(Purpose::Session));
            return Ok((Signed { session, csrf, ..signed }, Some(token)));
        }
        Ok(None) => "This code is not right. Wait for the next one and try again.".to_owned(),
        Err(crate::actions::Error::Wait(d)) => {
            format!("Too many wrong codes. Wait {}, then try again.", crate::pages::words::lasting(d))
        }
        Err(e) => return Err(e.into()),
    };
    call.step_up_errors = vec![wrong("step_up_code", text)];
    Ok((signed, None))
}

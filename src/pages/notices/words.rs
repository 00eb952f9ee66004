//! Every notice in words: what happened, when, by whom and from where, and what to do. Mail, letter, banner and lists say
//! the same.
//!
//! Architecture invariant: what people chose (names, labels, reasons) stands between the fixed words, on one line, and no
//! mail program makes a link of it.

use crate::notices::{Facts, Kind, Notice};
use crate::pages::words::{count, exact};
use crate::policy::{FEW_CODES, Key, TOTP_DISABLED_AT};
use crate::users::invisible;

/// The longest value that somebody chose, in characters.
const VALUE: usize = 500;

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What it is about: fixed words, so that nobody's name gets into a subject line.
    pub title: &'static str,
    /// What happened.
    pub happened: String,
    /// When, by whom, from where, in which case, why.
    pub rows: Vec<(&'static str, String)>,
    /// What to do if it was meant to happen; may be empty.
    pub next: String,
    /// What the person is asked, before how they can say no; empty where they can not.
    pub doubt: &'static str,
}

impl Words {
    /// The words of a notice.
    pub fn of(notice: &Notice) -> Self {
        let said = Said::of(&notice.facts);
        let mut rows = vec![("When", exact(notice.at))];
        if !notice.facts.by_themself && !said.by.is_empty() {
            rows.push(("By", said.by.clone()));
        }
        let from = said.from();
        if !from.is_empty() {
            rows.push(("From", from));
        }
        if !said.reason.is_empty() {
            rows.push((if notice.kind == Kind::Escalated { "Message" } else { "Reason" }, said.reason.clone()));
        }
        if let Some(case) = notice.case {
            rows.push(("Case", case.to_string()));
        }
        let doubt = match (notice.kind.may_be_objected_to(), notice.facts.by_themself) {
            (false, _) => "",
            (true, true) => "Was this not you? Then somebody else is in your account.",
            (true, false) => "Did you not ask for this? Then somebody may be trying to get into your account.",
        };
        Self {
            title: title(notice.kind),
            happened: happened(notice.kind, &said),
            rows,
            next: next(notice, &said),
            doubt,
        }
    }
}

/// What a notice said, on one line, for pages that speak of it. Names come without the address beside them, which is nobody's
/// business there.
pub fn quote(notice: &Notice) -> String {
    let by = notice.facts.by.rsplit_once(" <").map_or(notice.facts.by.as_str(), |(name, _)| name);
    let said = Said::of(&Facts { by: by.to_owned(), ..notice.facts.clone() });
    let (happened, from) = (happened(notice.kind, &said), said.from());
    let theirs = notice.facts.by_themself || said.by.is_empty();
    if theirs && !from.is_empty() { format!("{happened} From: {from}.") } else { happened }
}

/// The facts of a notice as they can be said.
struct Said {
    who: String,
    by: String,
    about: String,
    what: String,
    reason: String,
    address: String,
    device: String,
    left: u32,
}

impl Said {
    fn of(facts: &Facts) -> Self {
        let by = value(&facts.by);
        let who = match (facts.by_themself, by.as_str()) {
            (true, _) => "You".to_owned(),
            (false, "") => "Somebody".to_owned(),
            (false, by) if by.starts_with("the operator") => "The operator, with a command on the host,".to_owned(),
            (false, by) => by.to_owned(),
        };
        Self {
            who,
            by,
            about: value(&facts.about),
            what: value(&facts.what),
            reason: value(&facts.reason),
            address: value(&facts.address),
            device: value(&facts.device),
            left: facts.count,
        }
    }

    /// From where: "Firefox on Linux, 192.0.2.7"; empty if nothing is known.
    fn from(&self) -> String {
        let known = [self.device.as_str(), &self.address].into_iter().filter(|part| !part.is_empty());
        known.collect::<Vec<_>>().join(", ")
    }
}

/// What somebody chose, on one line, without what reorders or hides other text, and so that no mail program makes a link
/// of an address in it.
pub(crate) fn value(text: &str) -> String {
    let visible: String =
        text.chars().filter(|c| !invisible(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().take(VALUE).collect();
    let mut out = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(at) = rest.to_ascii_lowercase().find("://").into_iter().chain(www(rest)).min() {
        let end = at + if rest[at..].starts_with("://") { 3 } else { 4 };
        out.push_str(&rest[..end]);
        out.push(' ');
        rest = &rest[end..];
    }
    out + rest
}

fn www(text: &str) -> Option<usize> {
    text.to_ascii_lowercase().find("www.")
}

/// What it is about, without a word that somebody chose.
const fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::FactorsReset => "Your second factors were reset",
        Kind::FactorEnrolled => "An authenticator app was added",
        Kind::FactorRemoved => "An authenticator app was removed",
        Kind::FactorSwitchedOff => "An authenticator app was switched off",
        Kind::CodesMade => "New backup codes were made",
        Kind::CodesIssued => "Backup codes were made for you",
        Kind::CodeUsed => "A backup code was used",
        Kind::PasswordChanged => "Your password was changed",
        Kind::PasswordSet => "A temporary password was set",
        Kind::EmailChanged => "Your sign-in address was changed",
        Kind::ContactChanged => "Your contact details were changed",
        Kind::GrantAsked => "Access to your account was asked for",
        Kind::InvitedAgain => "A new invitation was made for you",
        Kind::ObjectionLifted => "The objection about your account was lifted",
        Kind::ApprovalWaits => "A request waits for your approval",
        Kind::Reassured => "An objection was lifted",
        Kind::HostActed => "A command on the host gave access",
        Kind::Escalated => "A recovery waits for an owner",
        Kind::Disavowed => "Somebody said: this wasn’t me",
        Kind::Incident => "An incident was declared",
        Kind::PolicyLoosened => "A rule is about to be made looser",
    }
}

/// What happened.
fn happened(kind: Kind, said: &Said) -> String {
    let Said { who, about, what, left, .. } = said;
    match kind {
        Kind::FactorsReset => {
            format!("{who} removed all your authenticator apps and backup codes. You were signed out everywhere.")
        }
        Kind::FactorEnrolled => {
            format!("{who} added the authenticator app “{what}” to your account. From now on its codes sign you in.")
        }
        Kind::FactorRemoved => {
            format!("{who} removed the authenticator app “{what}” from your account. Its codes no longer sign you in.")
        }
        Kind::FactorSwitchedOff => format!(
            "The authenticator app “{what}” was switched off after {TOTP_DISABLED_AT} wrong codes in a row. They came from \
             somebody who had given your password, or was signed in as you."
        ),
        Kind::CodesMade => format!("{who} made new backup codes for your account. Earlier ones no longer work."),
        Kind::CodesIssued => format!("{who} made backup codes for your account, to be read out to you."),
        Kind::CodeUsed => format!("A backup code of yours was used. Unused codes: {left}."),
        Kind::PasswordChanged if said.by.is_empty() => {
            "A new password was chosen for your account, through a link that was sent to the address that you sign in with. A \
             second factor is asked for as before."
                .to_owned()
        }
        Kind::PasswordChanged => format!("{who} chose a new password for your account."),
        Kind::PasswordSet => format!("{who} set a temporary password for your account. You were signed out everywhere."),
        Kind::EmailChanged => format!("{who} changed the address that you sign in with. It is now {what}."),
        Kind::ContactChanged => format!("{who} changed your contact details. {what}."),
        Kind::GrantAsked => format!(
            "{who} asked to {what}, for your account. Nothing has been done yet: there is a waiting time first, so that you \
             can say no."
        ),
        Kind::InvitedAgain => {
            format!("{who} made a new invitation link for your account. Earlier ones no longer work.")
        }
        Kind::ObjectionLifted => format!(
            "{who} looked into the objection to what was done to your account, and lifted it. Sign-in is no longer blocked \
             because of it."
        ),
        Kind::ApprovalWaits => format!(
            "{who} asked to {what}, for the account of {about}. Nothing is done before somebody else has approved it, and \
             you are one of those who can."
        ),
        Kind::Reassured => format!(
            "{who} lifted the objection to what was done to the account of {about}. Sign-in is no longer blocked because of \
             it."
        ),
        Kind::HostActed => {
            format!("With a command on the host, something was done to the account of {about}: {what}.")
        }
        Kind::Escalated => format!("{who} handed the recovery of {about} to the owners."),
        Kind::Disavowed => disavowed(about, what),
        Kind::Incident => format!(
            "{who} declared that what was done to the account of {about} was an attack. The account is closed, and what the \
             recovery had given has ended."
        ),
        Kind::PolicyLoosened => loosened(who, what),
    }
}

fn disavowed(about: &str, what: &str) -> String {
    let said = format!("Through the link in a notice, somebody objected to what was done to the account of {about}. ");
    let then = match what {
        "frozen" => "Nobody can sign in to it until somebody has looked, other than who acted.",
        _ => "It is the last owner’s, so it is not blocked; what was made since has ended.",
    };
    said + then
}

/// `evidence_minutes: 60 → 120`, as people say it.
fn loosened(who: &str, what: &str) -> String {
    let (key, change) = what.split_once(": ").unwrap_or((what, ""));
    let label = key.parse::<Key>().map_or_else(|_| key.to_owned(), |key| key.label().to_owned());
    format!(
        "{who} set “{label}” to another value ({change}). It takes effect a day later, unless an owner takes it back."
    )
}

/// What to do where it was meant to happen, or where nobody can object.
fn next(notice: &Notice, said: &Said) -> String {
    match notice.kind {
        Kind::FactorsReset => {
            "If you asked for help, sign in with your password and set up your app again. You need the pass \
                               that was read out to you, if you were given one. Nobody will ask you for it."
                .to_owned()
        }
        Kind::FactorSwitchedOff => {
            "Sign in with a backup code or another app, change your password, and set up an app \
                                    again."
                .to_owned()
        }
        Kind::CodesIssued => "If you asked for help, sign in with your password and one of them.".to_owned(),
        Kind::CodeUsed if said.left <= FEW_CODES => format!(
            "You have {} left. Make new ones on your profile page before you need them.",
            count(said.left.into(), "backup code")
        ),
        Kind::PasswordSet => {
            "If you asked for help, sign in with it; then you choose one that only you know.".to_owned()
        }
        Kind::ApprovalWaits => {
            "Look at how it was made sure who it is, and at the signs, before you decide.".to_owned()
        }
        Kind::Reassured => {
            "If nobody among you knows of it, look at the case in the console, under Recovery.".to_owned()
        }
        Kind::Escalated => "Open it in the console, under Recovery.".to_owned(),
        Kind::Disavowed => "Look at the case in the console, under Recovery, before anything else is done.".to_owned(),
        Kind::Incident => "The case in the console says what that account did since.".to_owned(),
        Kind::HostActed => "If nobody among you knows of it, somebody else has access to the host.".to_owned(),
        Kind::PolicyLoosened => "If that is not wanted, open Policy in the console and take it back.".to_owned(),
        Kind::FactorEnrolled
        | Kind::FactorRemoved
        | Kind::CodesMade
        | Kind::CodeUsed
        | Kind::PasswordChanged
        | Kind::EmailChanged
        | Kind::ContactChanged
        | Kind::GrantAsked
        | Kind::InvitedAgain
        | Kind::ObjectionLifted => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{NoticeId, UserId};
    use crate::time::Timestamp;

    #[test]
    fn who_did_it_is_told_by_name_and_the_persons_own_doing_by_where_it_came_from() {
        let by = |by: &str, by_themself| {
            let (address, device) = ("192.0.2.7".into(), "Firefox on Linux".into());
            quote(&Notice {
                id: NoticeId::generate(),
                user_id: UserId::generate(),
                kind: Kind::CodesIssued,
                at: Timestamp::from_micros(0),
                case: None,
                facts: Facts { by: by.into(), by_themself, address, device, ..Facts::default() },
                objection_until: None,
                objected_at: None,
                seen_at: None,
            })
        };
        let made = "made backup codes for your account, to be read out to you.";
        assert_eq!(by("Tom <3 <tom@x.example>", false), format!("Tom <3 {made}"));
        let host = "the operator, with a command on the host";
        assert_eq!(by(host, false), format!("The operator, with a command on the host, {made}"));
        let from = "From: Firefox on Linux, 192.0.2.7.";
        assert_eq!(by("Mara <mara@x.example>", true), format!("You {made} {from}"));
        assert_eq!(by("", false), format!("Somebody {made} {from}"));
    }

    #[test]
    fn what_somebody_chose_stays_on_its_line_and_is_no_link() {
        assert_eq!(value("  phone\r\nBcc: x \u{202e}drow\u{7} "), "phone Bcc: x drow");
        assert_eq!(
            value("go to https://evil.example/x, WWW.evil.example"),
            "go to https:// evil.example/x, WWW. evil.example"
        );
        assert_eq!(value("é://www.://"), "é:// www. :// ");
        assert_eq!(value(&"x".repeat(600)).len(), 500);
    }
}

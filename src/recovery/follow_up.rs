//! The last message of a case: what was done, at whose request, and what the person should do now.
//!
//! Architecture invariant: a [`Message`] holds nothing that looks like a pass, a code, a temporary password or a link that
//! lets somebody in: what grants access is read aloud or handed over, and never mailed.

use std::fmt;

use super::{Act, Case, CaseState, Recorded};
use crate::audit::clean;
use crate::policy;
use crate::time::Timestamp;
use crate::users::BadInput;

/// What became of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is sent by e-mail.
    Sent,
    /// Somebody copied it, to send or print it themself.
    Copied,
}

impl How {
    /// The word in a form and in the trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Copied => "copied",
        }
    }
}

impl std::str::FromStr for How {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let found = [Self::Sent, Self::Copied].into_iter().find(|how| how.as_str() == text);
        found.ok_or(BadInput("Say whether to send the message or that you copied it."))
    }
}

/// A message to the person: plain text of several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(String);

impl Message {
    /// Reads what was typed.
    ///
    /// # Errors
    /// What to mend: it is empty, too long, or holds what looks like a secret.
    pub fn parse(typed: &str) -> Result<Self, String> {
        let text = clean(typed);
        let length = text.chars().count();
        if text.is_empty() {
            return Err("Write a message.".to_owned());
        }
        if length > policy::MESSAGE {
            return Err(format!("Shorten the message to {} characters; it has {length}.", policy::MESSAGE));
        }
        match find_secret(&text) {
            Some(found) => Err(format!(
                "“{found}” looks like a pass, a code, a password or a link. Take it out: what lets somebody in is read aloud \
                 or handed over, never sent."
            )),
            None => Ok(Self(text)),
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first piece of `text` that looks like a secret of ours, shortened so that it is not shown whole.
///
/// Passes and codes are three groups of four symbols or more ([`crate::secret::SpokenCode`]), with dashes or spaces between
/// them or none; link tokens are 43 symbols in a row. Words of four letters and numbers alone are neither.
fn find_secret(text: &str) -> Option<String> {
    let short = |piece: &str| format!("{}…", piece.chars().take(4).collect::<String>());
    for word in text.split_whitespace() {
        let mut runs = word.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        let token = |run: &&str| {
            run.len() >= 43
                && run.contains(|c: char| c.is_ascii_uppercase())
                && run.contains(|c: char| c.is_ascii_lowercase())
        };
        if let Some(run) = runs.find(token) {
            return Some(short(run));
        }
    }
    let symbols = |c: char| c.is_ascii_alphanumeric();
    for line in text.lines() {
        let pieces: Vec<&str> = line.split(|c: char| !symbols(c) && !is_dash(c)).filter(|p| !p.is_empty()).collect();
        for piece in &pieces {
            let groups: Vec<&str> = piece.split(is_dash).collect();
            let joined: String = groups.concat();
            let code = groups.len() >= 3 && groups.iter().all(|g| g.len() == 4) && (mixes(&joined) || shouts(&joined));
            let solid = groups.len() == 1 && [12, 16].contains(&joined.len()) && mixes(&joined);
            if code || solid {
                return Some(short(piece));
            }
        }
        // With spaces between the groups only as they are shown, in capitals; the number of a bank account has other groups.
        let spaced = |three: &&[&str]| {
            let fits = |g: &&str| g.len() == 4 && g.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
            let lettered = |g: &str| g.contains(|c: char| c.is_ascii_alphabetic());
            three.iter().all(fits) && lettered(three[0]) && lettered(three[2]) && mixes(&three.concat())
        };
        if let Some(three) = pieces.windows(3).find(spaced) {
            return Some(short(three[0]));
        }
    }
    None
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '‐' | '‑' | '–' | '—')
}

/// Letters and digits.
fn mixes(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit()) && text.chars().any(|c| c.is_ascii_alphabetic())
}

fn shouts(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_uppercase())
}

/// Whether there is something to tell the person in this case: something was given, and nobody has said that it was an attack.
pub fn can_be_told(case: &Case) -> bool {
    case.act.is_some() && !matches!(case.state, CaseState::Disavowed | CaseState::Incident)
}

/// What a message says beside what stands in the case.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// The case.
    pub case: &'a Case,
    /// What it rests on.
    pub evidence: &'a [Recorded],
    /// The organisation's name.
    pub organisation: &'a str,
    /// Whom to call.
    pub help: Option<&'a str>,
    /// Who writes.
    pub by: &'a str,
}

impl Draft<'_> {
    /// The message as it is offered, to be changed as whoever sends it likes.
    pub fn text(&self) -> String {
        let case = self.case;
        let ticket = case.ticket.as_ref().map(|t| format!(", ticket {t}")).unwrap_or_default();
        let mut lines = vec![
            format!("Hello {},", case.user_name),
            String::new(),
            format!(
                "on {} we were asked to help you sign in to your account at {} (case {}{ticket}). This is what was done:",
                moment(case.opened_at),
                self.organisation,
                case.number
            ),
            String::new(),
        ];
        lines.extend(self.steps().iter().map(|step| format!("- {step}")));
        let call = self.help.unwrap_or("your admin");
        lines.extend([
            String::new(),
            format!("{}If it was not you who asked for this, call {call} at once.", self.next()),
            String::new(),
            format!("Everything that was done stands in the audit log, under {}.", case.number),
            String::new(),
            self.by.to_owned(),
            self.organisation.to_owned(),
        ]);
        lines.join("\n")
    }

    fn steps(&self) -> Vec<String> {
        let case = self.case;
        let mut steps: Vec<String> = self
            .evidence
            .iter()
            .map(|r| {
                let how = r.evidence.kind().sentence();
                format!("{}: {} made sure that it was you ({how}).", moment(r.evidence.recorded_at()), r.by.name)
            })
            .collect();
        if let Some(done) = &case.act {
            let (at, by) = (moment(done.at), &done.by.name);
            steps.push(match done.act {
                Act::WalkedThrough => format!("{at}: you signed in with one of your own backup codes."),
                Act::Reset => format!("{at}: {by} removed every second factor, voided the backup codes and ended all sessions."),
                Act::Codes => format!("{at}: {by} gave you backup codes to sign in with."),
                Act::Password => format!("{at}: {by} set a temporary password, which you change when you sign in."),
                Act::Email => format!("{at}: {by} changed the address that you sign in with."),
                Act::Invitation => format!("{at}: {by} made a new invitation link for you."),
                Act::ResetAndPassword => format!(
                    "{at}: {by} removed every second factor, voided the backup codes, ended all sessions and set a temporary password."
                ),
            });
        }
        match (case.state, case.closed_at) {
            (CaseState::Recovered, Some(at)) => steps.push(format!("{}: you were back in.", moment(at))),
            (CaseState::Expired, Some(at)) => {
                steps.push(format!("{}: the time for it ran out before you were back in. Ask us again.", moment(at)));
            }
            _ => {}
        }
        steps
    }

    /// What the person should do now; nothing where there is nothing.
    fn next(&self) -> &'static str {
        let act = self.case.act.as_ref().map(|done| done.act);
        match (self.case.state, act) {
            (CaseState::Recovered, Some(Act::WalkedThrough | Act::Codes)) => {
                "Please set up a new authenticator app on your profile page, make new backup codes there, and save them where \
                 you find them without your phone.\n"
            }
            (CaseState::Expired, _) | (CaseState::Recovered, Some(Act::Email)) => "",
            (CaseState::Recovered, _) => {
                "Please save your new backup codes where you find them without your phone: on paper, or in a password manager.\n"
            }
            (_, Some(Act::Email)) => "Please sign in with the new address; your password and your app are as before.\n",
            (_, Some(Act::Invitation)) => {
                "Please open the new link, choose a password, set up your authenticator app, and save your backup codes where \
                 you find them without your phone.\n"
            }
            _ => {
                "Please sign in now, set up your authenticator app where you are asked to, and save your backup codes where you \
                 find them without your phone.\n"
            }
        }
    }
}

/// `2026-11-24 at 10:12 UTC`.
fn moment(at: Timestamp) -> String {
    let text = at.to_seconds_text();
    format!("{} at {} UTC", &text[..10], &text[11..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::TemporaryPassword;
    use crate::secret::{EnrolmentPass, SpokenCode, Token};
    use proptest::prelude::*;

    #[test]
    fn what_lets_somebody_in_is_found_however_it_is_written_and_not_shown_whole() {
        for secret in [
            "K7PM-2XQD-9RTH",
            "your pass: k7pm-2xqd-9rth.",
            "K7PM 2XQD 9RTH",
            "K7PM2XQD9RTH",
            "K7PM-2XQD-9RTH-4WZB",
            "K7PM–2XQD–9RTH",
            "ABCD-EFGH-JKMN",
            "https://id.example/invitation/Q0VSVElGSUNBVEUtUkVRVUVTVC1JTlZJVEFUSU9OLTE",
        ] {
            let refused = Message::parse(&format!("Hello,\nuse {secret} now")).unwrap_err();
            assert!(refused.contains("looks like a pass"), "{secret}");
            assert!(!refused.contains("9RTH") && !refused.contains("SU5WSV"), "{refused}");
        }
    }

    #[test]
    fn ordinary_text_is_no_secret() {
        for text in [
            "Call +46 8 5550 1000 2200 or 0701-2345-6789.",
            "Case R-2026-0042, ticket ABC-1234, room 12B, from 2026 with love",
            "This text with four word long ones goes well: step-back-then-wait",
            "Mara’s laptop HP-840G10 and https://intranet.fernhill.example/help/recovery",
            "IBAN SE45 5000 0000 0583 9825 7466",
        ] {
            assert_eq!(Message::parse(text).map(|m| m.to_string()), Ok(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_message_has_an_end_and_no_control_characters() {
        assert!(Message::parse(" \r\n ").is_err());
        assert!(Message::parse(&"ä".repeat(policy::MESSAGE)).is_ok());
        let long = Message::parse(&"ä".repeat(policy::MESSAGE + 1)).unwrap_err();
        assert!(long.contains("4000") && long.contains("4001"), "{long}");
        let message = Message::parse("a\r\nBcc: b@x.example\0\u{202e}").unwrap();
        assert_eq!(message.as_str(), "a\nBcc: b@x.example");
    }

    proptest! {
        #[test]
        fn no_pass_code_password_or_link_gets_into_a_message(seed in "[a-z ]{0,20}") {
            let pass = EnrolmentPass::generate().to_text();
            let own = SpokenCode::<16>::generate().to_text();
            for secret in [pass, own, TemporaryPassword::generate().to_text(), Token::generate().to_text()] {
                let text = format!("{seed} {secret}, {seed}");
                prop_assert!(Message::parse(&text).is_err(), "{}", text);
            }
        }
    }
}

//! What owners may set: one table, each with its range, its default and its sentence.
//!
//! Architecture invariant: a number, a switch or a length of time that owners may set stands in this table and nowhere else;
//! a [`Value`] is within its range.

use std::str::FromStr;

use super::choices::{HowOften, SecondPerson};
use crate::users::BadInput;

/// In what a value is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days of 24 hours.
    Days,
    /// The same, where 0 is for ever.
    DaysOrEver,
    /// A number.
    Number,
    /// 1 is yes, 0 is no.
    YesNo,
    /// A [`SecondPerson`].
    SecondPerson,
    /// A [`HowOften`].
    HowOften,
}

/// Which way a value is looser, so that it takes effect only after a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looser {
    /// More is looser.
    More,
    /// Less is looser.
    Less,
    /// Neither is.
    Neither,
}

macro_rules! settings {
    ($($variant:ident $name:literal $unit:ident $default:literal in $min:literal..=$max:literal $looser:ident
       $label:literal $sentence:literal $caution:literal;)*) => {
        /// One thing that owners may set.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Key { $(#[doc = $sentence] $variant,)* }

        /// All of them, in the order in which they are shown.
        pub const KEYS: &[Key] = &[$(Key::$variant,)*];

        impl Key {
            /// The word that is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// As the page calls it.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// What it means.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }

            /// What the other side of a change is: who gains by it.
            pub const fn caution(self) -> &'static str {
                match self { $(Self::$variant => $caution,)* }
            }

            /// In what it is counted.
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)* }
            }

            /// What holds until somebody sets it.
            pub const fn default(self) -> i64 {
                match self { $(Self::$variant => $default,)* }
            }

            /// The least and the most that it may be.
            pub const fn range(self) -> (i64, i64) {
                match self { $(Self::$variant => ($min, $max),)* }
            }

            /// Which way is looser.
            pub const fn looser(self) -> Looser {
                match self { $(Self::$variant => Looser::$looser,)* }
            }
        }
    };
}

settings! {
    EvidenceAge "evidence_minutes" Minutes 60 in 5..=240 More
        "Evidence is fresh for" "So long after somebody made sure who it is, what lets that person in can be asked for."
        "The longer it is, the more can have happened since: somebody else may have taken over the conversation.";
    KnownNumber "known_number_days" Days 7 in 1..=90 Less
        "A number counts once it is known for" "A call is evidence only to a number that was on the account for so long before help was asked for."
        "The shorter it is, the sooner a number counts that somebody else has put on the account.";
    EnrolmentPass "enrolment_pass" YesNo 1 in 0..=1 Less
        "Ask for a pass before enrolment" "After a reset the person enters a pass that the admin reads out, so that a leaked password and a reset are no takeover."
        "Without a pass, whoever first signs in with the password after a reset sets up the new factor: also somebody to whom the password leaked. Backup codes that are issued meanwhile shut that way: one of them is asked for. A temporary password voids the leaked one, but then lets in by itself; so a second person approves it, where there is one.";
    WindowWithPass "window_with_pass_minutes" Minutes 60 in 10..=240 More
        "The enrolment window, with a pass" "So long after a reset the person can set up a new factor, with the pass."
        "The longer it is, the longer somebody who knows the password can use a pass that they overheard.";
    WindowWithoutPass "window_without_pass_hours" Hours 24 in 1..=72 More
        "The enrolment window, without a pass" "So long after a reset the person can set up a new factor, where no pass is asked for."
        "The longer it is, the longer a password that leaked is enough to take the account over.";
    IssuedCodes "issued_codes_days" Days 7 in 1..=30 More
        "Issued backup codes work for" "Codes that an admin dictates to somebody stop working after so long."
        "The longer it is, the longer a code that was overheard, or left lying about, works together with the password.";
    TemporaryPassword "temporary_password_hours" Hours 24 in 1..=72 More
        "A temporary password works for" "It has to be changed at the first sign-in, within this time."
        "The longer it is, the longer a password that was overheard works together with a second factor.";
    SecondPersonRule "second_person" SecondPerson 1 in 0..=2 Less
        "A second person approves" "Whether somebody else has to approve what lets a person in."
        "The less it is asked for, the more one admin alone can do, or whoever sits at their screen. Whatever is set here, an admin needs an owner for what concerns another admin or an auditor.";
    SameHands "same_hands_days" Days 7 in 1..=30 Less
        "Password and factor from one hand" "Who gave a person one of the two within this time needs a second person to give the other, where there is one. A new sign-in address counts as a password: one can be sent there."
        "The shorter it is, the sooner one admin alone can hold both halves of somebody's sign-in.";
    CoolingOff "cooling_off_minutes" Minutes 60 in 15..=1440 Less
        "Where nobody can approve, wait" "So long the person can object before it is carried out."
        "The shorter it is, the less time somebody has to say that it was not they who asked.";
    ApprovalLife "approval_hours" Hours 24 in 1..=72 More
        "An approval is good for" "It is for exactly what was asked, and who asked carries it out within this time."
        "The longer it is, the more can have changed between the approval and the act.";
    StrongSigns "strong_signs" Number 2 in 1..=5 More
        "Unusual signs that need an owner" "From so many unusual signs on, an owner has to approve."
        "The more it takes, the more an admin alone can do although something looks unusual. There are four kinds, so five is never.";
    SignDays "sign_days" Days 7 in 1..=30 Less
        "A change is recent for" "A change of password or contact details, and a new device, are unusual signs for so long."
        "The shorter it is, the sooner somebody who changed things in another's account is past notice.";
    ResetSignDays "reset_sign_days" Days 90 in 7..=365 Less
        "A reset is recent for" "An earlier reset is an unusual sign for so long."
        "The shorter it is, the sooner somebody who was let in once can ask again unnoticed.";
    RefusalShown "refusal_shown_days" Days 30 in 7..=365 Less
        "A refusal is shown for" "Everybody who opens the person sees it for so long, and it counts as an unusual sign."
        "The shorter it is, the sooner somebody who was refused finds an admin who has not heard of it.";
    RefusalOwner "refusal_owner_days" Days 7 in 1..=90 Less
        "After a refusal only an owner, for" "So long after a refusal a new case needs an owner."
        "The shorter it is, the sooner somebody who was refused can try another admin.";
    Objection "objection_days" Days 14 in 3..=60 Less
        "“This wasn't me” works for" "The link in a notice freezes the account within this time, once."
        "The shorter it is, the more often somebody reads the notice too late, after a holiday for example.";
    CaseIdle "case_idle_hours" Hours 72 in 4..=336 Neither
        "A case waits for" "A case in which nothing was given and nobody did anything for so long expires."
        "Short keeps the list of cases clear; long spares people from starting anew after a weekend.";
    AnchorMails "anchor_mails" HowOften 2 in 0..=2 Less
        "Anchors of the audit log by e-mail" "How often owners and auditors get the message “Keep this: receipt for … entries of the audit log”. Kept, it is an anchor: it shows later whether anything before was changed or removed."
        "The less often it goes out, the more of the log could be changed without anybody's mailbox knowing better. Without such messages, only what is kept elsewhere shows it.";
    AuditKept "audit_kept_days" DaysOrEver 0 in 400..=3650 Less
        "How long the audit log keeps details" "What entries say is erased after so long: names, reasons, addresses. That there was an entry, when, of what kind, and the numbers of who did it and whom it concerned stay for ever, so nothing can be taken out of the log or changed in it."
        "The shorter it is, the less can be told later of what was done and why. What is erased does not come back, and a backup that was made before still holds it.";
    LegalHold "legal_hold" YesNo 0 in 0..=1 Less
        "Legal hold" "Nothing in the audit log is erased while it is set, however old it is: for a dispute, an audit or an investigation."
        "Without it, details that are older than the policy keeps are erased, also those that somebody may soon ask for.";
}

impl Key {
    /// Its place in [`KEYS`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }

    /// Whether `to` takes effect only after a day.
    pub const fn is_looser(self, from: i64, to: i64) -> bool {
        match self.looser() {
            Looser::More => self.length(to) > self.length(from),
            Looser::Less => self.length(to) < self.length(from),
            Looser::Neither => false,
        }
    }

    /// For ever is longer than any number of days.
    const fn length(self, value: i64) -> i64 {
        if value == 0 && matches!(self.unit(), Unit::DaysOrEver) { i64::MAX } else { value }
    }

    /// Whether it can have this value.
    const fn may_be(self, value: i64) -> bool {
        let (min, max) = self.range();
        min <= value && value <= max || value == 0 && matches!(self.unit(), Unit::DaysOrEver)
    }

    /// The nearest value that it can have.
    pub(super) fn nearest(self, value: i64) -> i64 {
        let (min, max) = self.range();
        // Too small a number of days is not taken for none.
        if self.may_be(value) { value } else { value.clamp(min, max) }
    }

    /// A value as people say it: `60 minutes`, `yes`.
    pub fn in_words(self, value: i64) -> String {
        match self.unit() {
            Unit::YesNo if value == 0 => "no".into(),
            Unit::YesNo => "yes".into(),
            Unit::SecondPerson => SecondPerson::of(value).sentence().into(),
            Unit::HowOften => HowOften::of(value).sentence().into(),
            Unit::DaysOrEver if value == 0 => "for ever".into(),
            unit => match (unit.noun(), value) {
                ("", _) => value.to_string(),
                (noun, 1) => format!("1 {noun}"),
                (noun, _) => format!("{value} {noun}s"),
            },
        }
    }

    /// Reads what was typed.
    ///
    /// # Errors
    /// It is no number, or out of range.
    pub fn parse_value(self, text: &str) -> Result<Value, String> {
        let (min, max) = self.range();
        let number = text.trim().parse::<i64>().ok().filter(|v| self.may_be(*v));
        number.map(|number| Value { key: self, number }).ok_or_else(|| match self.unit() {
            Unit::YesNo | Unit::SecondPerson | Unit::HowOften => "Choose one of them.".into(),
            Unit::Number => format!("Write a whole number from {min} to {max}."),
            Unit::DaysOrEver => {
                format!("Write a whole number of days, from {min} to {max}, or 0 to keep them for ever.")
            }
            unit => format!("Write a whole number of {}s, from {min} to {max}.", unit.noun()),
        })
    }
}

impl Unit {
    /// One of it; empty where nothing is counted.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Minutes => "minute",
            Self::Hours => "hour",
            Self::Days | Self::DaysOrEver => "day",
            Self::Number | Self::YesNo | Self::SecondPerson | Self::HowOften => "",
        }
    }
}

/// A value that its key can have; only [`Key::parse_value`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    key: Key,
    number: i64,
}

impl Value {
    /// Of what.
    pub const fn key(self) -> Key {
        self.key
    }

    /// The number, in its unit.
    pub const fn number(self) -> i64 {
        self.number
    }
}

impl FromStr for Key {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        KEYS.iter().copied().find(|k| k.as_str() == text).ok_or(BadInput("There is no such setting."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Group;

    #[test]
    fn every_setting_has_a_name_of_its_own_and_a_default_within_its_range() {
        let mut seen = std::collections::BTreeSet::new();
        for key in KEYS {
            let (min, max) = key.range();
            assert!(min <= max && key.may_be(key.default()) && seen.insert(key.as_str()), "{key:?}");
            assert_eq!(key.as_str().parse(), Ok(*key));
            assert!(key.sentence().ends_with('.') && key.caution().ends_with('.'), "{key:?}");
            assert!(key.parse_value(&(max + 1).to_string()).is_err() && key.parse_value("x").is_err());
        }
        assert!(Key::EvidenceAge.is_looser(60, 61) && !Key::EvidenceAge.is_looser(60, 59));
        assert!(Key::KnownNumber.is_looser(7, 6) && !Key::CaseIdle.is_looser(1, 2));
        let grouped: Vec<Key> =
            Group::ALL.iter().flat_map(|g| KEYS.iter().copied().filter(|k| k.group() == *g)).collect();
        assert_eq!(grouped, KEYS, "what stands together is listed together");
    }

    #[test]
    fn days_can_be_for_ever_which_is_tighter_than_any_number_and_never_fewer_than_what_may_be_erased() {
        let key = Key::AuditKept;
        assert!(key.is_looser(0, 3650) && key.is_looser(500, 400) && !key.is_looser(500, 0) && !key.is_looser(0, 0));
        assert_eq!(key.range().0, crate::audit::erasure::LEAST_DAYS);
        assert_eq!(
            [0, 400, 3650].map(|n| key.parse_value(&n.to_string()).map(Value::number)),
            [Ok(0), Ok(400), Ok(3650)]
        );
        let refused = "Write a whole number of days, from 400 to 3650, or 0 to keep them for ever.";
        for bad in ["1", "399", "3651", "-1", ""] {
            assert_eq!(key.parse_value(bad), Err(refused.into()));
        }
        assert_eq!([0, 1, -5, 401, 9_999].map(|n| key.nearest(n)), [0, 400, 400, 401, 3650]);
        assert_eq!((key.in_words(0), key.in_words(400)), ("for ever".into(), "400 days".into()));
    }

    #[test]
    fn a_value_is_said_as_people_say_it_and_read_as_they_write_it() {
        let said = [
            Key::EvidenceAge.in_words(60),
            Key::IssuedCodes.in_words(1),
            Key::WindowWithoutPass.in_words(24),
            Key::StrongSigns.in_words(1),
            Key::EnrolmentPass.in_words(0),
            Key::SecondPersonRule.in_words(2),
            Key::AnchorMails.in_words(1),
        ];
        assert_eq!(said, ["60 minutes", "1 day", "24 hours", "1", "no", "for everybody", "once a week"]);
        assert_eq!(Key::EvidenceAge.parse_value(" 30 ").map(Value::number), Ok(30));
        for bad in ["", "4", "241", "1e1", "30 minutes", "٣٠", "9223372036854775808", "5.0", "-5"] {
            assert!(Key::EvidenceAge.parse_value(bad).is_err(), "{bad}");
        }
        assert_eq!(Key::EnrolmentPass.parse_value("2"), Err("Choose one of them.".into()));
    }
}

//! What owners may set: one table, each with its range, its default and its sentence.
//!
//! Architecture invariant: a [`Policy`] is complete and every value in it is within its range, whatever the database holds.

use std::str::FromStr;
use std::time::Duration;

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
    /// A number.
    Number,
    /// 1 is yes, 0 is no.
    YesNo,
    /// A [`SecondPerson`].
    SecondPerson,
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
       $label:literal $sentence:literal;)*) => {
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
        "Evidence is fresh for" "So long after somebody made sure who it is, a grant can be asked for.";
    KnownNumber "known_number_days" Days 7 in 1..=90 Less
        "A number counts once it is known for" "A call is evidence only to a number that was on the account for so long before help was asked for.";
    EnrolmentPass "enrolment_pass" YesNo 1 in 0..=1 Less
        "Ask for a pass before enrolment" "After a reset the person enters a pass that the admin reads out, so that a leaked password and a reset are no takeover.";
    WindowWithPass "window_with_pass_minutes" Minutes 60 in 10..=240 More
        "The enrolment window, with a pass" "So long after a reset the person can set up a new factor, with the pass.";
    WindowWithoutPass "window_without_pass_hours" Hours 24 in 1..=72 More
        "The enrolment window, without a pass" "So long after a reset the person can set up a new factor, where no pass is asked for.";
    IssuedCodes "issued_codes_days" Days 7 in 1..=30 More
        "Issued backup codes work for" "Codes that an admin dictates to somebody stop working after so long.";
    TemporaryPassword "temporary_password_hours" Hours 24 in 1..=72 More
        "A temporary password works for" "It has to be changed at the first sign-in, within this time.";
    SecondPersonRule "second_person" SecondPerson 1 in 0..=2 Less
        "A second person approves" "Whether somebody else has to approve what lets a person in.";
    SameHands "same_hands_days" Days 7 in 1..=30 Less
        "Password and factor from one hand" "Who gave a person one of the two within this time needs a second person to give the other, where there is one.";
    CoolingOff "cooling_off_minutes" Minutes 60 in 15..=1440 Less
        "Where nobody can approve, wait" "So long the person can object before it is carried out.";
    ApprovalLife "approval_hours" Hours 24 in 1..=72 More
        "An approval is good for" "It is for exactly what was asked, and who asked carries it out within this time.";
    StrongSigns "strong_signs" Number 2 in 1..=5 More
        "Unusual signs that need an owner" "From so many unusual signs on, an owner has to approve.";
    SignDays "sign_days" Days 7 in 1..=30 Less
        "A change is recent for" "A change of password or contact details, and a new device, are unusual signs for so long.";
    ResetSignDays "reset_sign_days" Days 90 in 7..=365 Less
        "A reset is recent for" "An earlier reset is an unusual sign for so long.";
    RefusalShown "refusal_shown_days" Days 30 in 7..=365 Less
        "A refusal is shown for" "Everybody who opens the person sees it for so long, and it counts as an unusual sign.";
    RefusalOwner "refusal_owner_days" Days 7 in 1..=90 Less
        "After a refusal only an owner, for" "So long after a refusal a new case needs an owner.";
    Objection "objection_days" Days 14 in 3..=60 Less
        "“This wasn't me” works for" "The link in a notice freezes the account within this time, once.";
    CaseIdle "case_idle_hours" Hours 72 in 4..=336 Neither
        "A case waits for" "A case in which nothing was given and nobody did anything for so long expires.";
}

impl Key {
    fn index(self) -> usize {
        self as usize
    }

    /// Whether `to` takes effect only after a day.
    pub const fn is_looser(self, from: i64, to: i64) -> bool {
        match self.looser() {
            Looser::More => to > from,
            Looser::Less => to < from,
            Looser::Neither => false,
        }
    }

    /// Reads what was typed.
    ///
    /// # Errors
    /// It is no number, or out of range.
    pub fn parse_value(self, text: &str) -> Result<i64, String> {
        let (min, max) = self.range();
        let value = text.trim().parse::<i64>().ok().filter(|v| (min..=max).contains(v));
        value.ok_or_else(|| format!("Write a number from {min} to {max}."))
    }
}

impl FromStr for Key {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        KEYS.iter().copied().find(|k| k.as_str() == text).ok_or(BadInput("There is no such setting."))
    }
}

/// When somebody else has to approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondPerson {
    /// Only where a rule always asks for it.
    Never,
    /// When it is about an owner, an admin or an auditor.
    Privileged,
    /// Always.
    Always,
}

impl SecondPerson {
    /// As it is stored, from 0.
    pub const ALL: [Self; 3] = [Self::Never, Self::Privileged, Self::Always];

    /// As a page says it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Privileged => "for owners, admins and auditors",
            Self::Always => "for everybody",
        }
    }
}

/// What holds at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    values: [i64; KEYS.len()],
}

impl Default for Policy {
    fn default() -> Self {
        let mut values = [0; KEYS.len()];
        for key in KEYS {
            values[key.index()] = key.default();
        }
        Self { values }
    }
}

impl Policy {
    /// With another value, brought into its range.
    #[must_use]
    pub fn with(mut self, key: Key, value: i64) -> Self {
        let (min, max) = key.range();
        self.values[key.index()] = value.clamp(min, max);
        self
    }

    /// A value in its unit.
    pub fn get(&self, key: Key) -> i64 {
        self.values[key.index()]
    }

    /// A length of time.
    pub fn lasting(&self, key: Key) -> Duration {
        let seconds = match key.unit() {
            Unit::Minutes => 60,
            Unit::Hours => 3_600,
            Unit::Days => 86_400,
            Unit::Number | Unit::YesNo | Unit::SecondPerson => 0,
        };
        Duration::from_secs(self.get(key).unsigned_abs() * seconds)
    }

    /// A number of things.
    pub fn number(&self, key: Key) -> u32 {
        u32::try_from(self.get(key)).unwrap_or(u32::MAX)
    }

    /// Whether a pass is asked for before enrolment.
    pub fn asks_for_pass(&self) -> bool {
        self.get(Key::EnrolmentPass) == 1
    }

    /// How long an enrolment window stays open after a reset.
    pub fn window(&self) -> Duration {
        self.lasting(if self.asks_for_pass() { Key::WindowWithPass } else { Key::WindowWithoutPass })
    }

    /// When somebody else has to approve.
    pub fn second_person(&self) -> SecondPerson {
        match self.get(Key::SecondPersonRule) {
            0 => SecondPerson::Never,
            1 => SecondPerson::Privileged,
            _ => SecondPerson::Always,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_name_of_its_own_and_a_default_within_its_range() {
        let mut seen = std::collections::BTreeSet::new();
        for key in KEYS {
            let (min, max) = key.range();
            assert!((min..=max).contains(&key.default()) && seen.insert(key.as_str()), "{key:?}");
            assert_eq!(key.as_str().parse(), Ok(*key));
            assert!(key.sentence().ends_with('.'), "{key:?}");
            assert_eq!(Policy::default().with(*key, i64::MAX).get(*key), max);
            assert!(key.parse_value(&(max + 1).to_string()).is_err() && key.parse_value("x").is_err());
        }
        assert_eq!(Policy::default().window(), Duration::from_secs(3_600));
        assert_eq!(Policy::default().with(Key::EnrolmentPass, 0).window(), Duration::from_secs(86_400));
        assert!(Key::EvidenceAge.is_looser(60, 61) && !Key::EvidenceAge.is_looser(60, 59));
        assert!(Key::KnownNumber.is_looser(7, 6) && !Key::CaseIdle.is_looser(1, 2));
    }
}

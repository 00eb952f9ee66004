//! How a person is reached beside the sign-in address, and since when that is known.
//!
//! Architecture invariant: what was removed and added again is a new contact, known since then: whether a number counts
//! as evidence follows from the age of this one contact, and nothing makes a contact older.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::ids::{ContactId, UserId};
use crate::policy;
use crate::time::Timestamp;
use crate::users::{BadInput, Email, PersonName, invisible};

/// A phone number with its country code: `+` and 7 to 15 digits (ITU-T E.164).
///
/// However it is typed, one number is one value, so that nobody adds a second spelling of the same line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// The number, `+46701234567`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Phone {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let no = BadInput("Enter the number with its country code, like +46 70 123 45 67.");
        // Address books put invisible marks around a number that is copied from them.
        let text: String = text.chars().filter(|c| !c.is_whitespace() && !invisible(*c)).collect();
        // “+46 (0)70 …”: the zero is for calls from within the country.
        let text = text.replace("(0)", "");
        let between = |c: char| matches!(c, '-' | '\u{2010}'..='\u{2013}' | '.' | '/' | '(' | ')');
        let text: String = text.chars().filter(|c| !between(*c)).collect();
        let digits = text.strip_prefix('+').or_else(|| text.strip_prefix("00")).ok_or(no)?;
        let fits = (7..=15).contains(&digits.len()) && !digits.starts_with('0');
        if fits && digits.bytes().all(|b| b.is_ascii_digit()) { Ok(Self(format!("+{digits}"))) } else { Err(no) }
    }
}

/// What kind of contact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number on which the person can be called.
    Phone,
    /// A further e-mail address; one does not sign in with it.
    Email,
    /// Who can vouch for the person.
    Manager,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Phone, Self::Email, Self::Manager];

    /// Those that people keep themselves. Who vouches for somebody is for others to say.
    pub const OWN: [Self; 2] = [Self::Phone, Self::Email];

    /// The word that is stored and posted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Manager => "manager",
        }
    }

    /// As pages and the trail say it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Phone => "Phone number",
            Self::Email => "Further e-mail address",
            Self::Manager => "Manager",
        }
    }
}

impl FromStr for Kind {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL.into_iter().find(|k| k.as_str() == text).ok_or(BadInput("Choose what to add."))
    }
}

/// One way to reach a person, or who vouches for them, as it is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// A number.
    Phone(Phone),
    /// A further address.
    Email(Email),
    /// A name or an address, on one line.
    Manager(PersonName),
}

impl Detail {
    /// Reads what was typed as this kind.
    ///
    /// # Errors
    /// What to type instead.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, BadInput> {
        match kind {
            Kind::Phone => text.parse().map(Self::Phone),
            Kind::Email => text.parse().map(Self::Email),
            Kind::Manager => text.parse().map(Self::Manager),
        }
    }

    /// Of which kind it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Phone(_) => Kind::Phone,
            Self::Email(_) => Kind::Email,
            Self::Manager(_) => Kind::Manager,
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Email(email) => email.as_str(),
            Self::Manager(name) => name.as_str(),
        }
    }
}

/// A contact as it is kept, also after it was removed.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Which.
    pub id: ContactId,
    /// Whose.
    pub user_id: UserId,
    /// What.
    pub detail: Detail,
    /// When it was added.
    pub known_since: Timestamp,
    /// By whom: a person's name then, or the host.
    pub added_by: String,
    /// When it was removed and by whom, unless it is in use.
    pub removed: Option<(Timestamp, String)>,
}

/// Whether a call to a number that is known since `known_since` says anything about who asked at `requested_at`: it has
/// to have been known for `policy` before, and for [`policy::KNOWN_NUMBER_LEAST`] whatever the policy says.
pub fn usable_for_call(known_since: Timestamp, requested_at: Timestamp, policy: Duration) -> bool {
    requested_at.since(known_since) >= policy.max(policy::KNOWN_NUMBER_LEAST)
}

/// A number as it stood on the account when its call was put forward as evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownNumber {
    /// The number.
    pub phone: Phone,
    /// Since when it is on the account.
    pub known_since: Timestamp,
    /// When help was asked for, at the latest: what was added after that proves nothing.
    pub requested_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_is_one_value_however_it_is_typed() {
        let plain: Phone = "+46701234567".parse().unwrap();
        for same in [
            "+46 70 123 45 67",
            " +46-70.123/45 67 ",
            "0046 70 123 45 67",
            "+46 (0)70 123 45 67",
            "+46 (0) 70-123 45 67",
            "\u{202d}+46\u{a0}70 123\u{2011}45\u{2013}67\u{202c}",
        ] {
            assert_eq!(same.parse(), Ok(plain.clone()), "{same:?}");
        }
    }

    #[test]
    fn what_nobody_can_call_from_anywhere_is_no_number() {
        for bad in ["", "070 123 45 67", "+", "+46", "+0701234567", "000701234567", "+46 70 123 45 67 ext 5"] {
            assert!(bad.parse::<Phone>().is_err(), "{bad:?}");
        }
        for bad in ["+46701234567890123", "++46701234567", "+46+701234567", "+٤٦٧٠١٢٣٤٥٦٧", "+46 70 CALL ME"]
        {
            assert!(bad.parse::<Phone>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_number_counts_from_the_policys_day_on_and_never_within_one_day() {
        let day = Duration::from_secs(86_400);
        let since: Timestamp = "2026-11-10T09:00:00Z".parse().unwrap();
        let usable = |age: Duration, policy| usable_for_call(since, since.plus(age), policy);
        let moment = Duration::from_micros(1);
        assert!(usable(7 * day, 7 * day) && !usable(7 * day - moment, 7 * day));
        assert!(usable(day, Duration::ZERO) && !usable(day - moment, Duration::ZERO), "one day is the least");
        assert!(!usable_for_call(since, since.minus(30 * day), 7 * day), "it was added after help was asked for");
    }

    proptest! {
        #[test]
        fn what_is_stored_reads_back_as_itself(text in "\\PC{0,40}|[+0][0-9 ().-]{5,24}") {
            for kind in Kind::ALL {
                if let Ok(detail) = Detail::parse(kind, &text) {
                    prop_assert_eq!(Detail::parse(kind, detail.as_str()), Ok(detail.clone()));
                    prop_assert!((1..=254).contains(&detail.as_str().chars().count()));
                }
            }
        }
    }
}

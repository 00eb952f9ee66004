//! Typed identifiers: a person's id can not be handed over where a factor's is asked for.

use std::fmt;
use std::str::FromStr;

/// A text that is no identifier of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not an identifier that this program made")
    }
}

impl std::error::Error for NotAnId {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// A new one: UUID version 7 (RFC 9562), so that ids sort by the time they were made.
            pub fn generate() -> Self {
                Self(uuid::Uuid::now_v7())
            }

            /// Its 16 bytes, for a token that names it.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id of these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(uuid::Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.hyphenated())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            /// Only the form that `Display` writes: 36 characters, lower case, so that one thing has one address.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let id = uuid::Uuid::try_parse(text).map_err(|_| NotAnId)?;
                let id = Self(id);
                if id.to_string() == text { Ok(id) } else { Err(NotAnId) }
            }
        }
    };
}

id!(
    /// A person.
    UserId
);
id!(
    /// One authenticator of a person.
    FactorId
);
id!(
    /// One way to reach a person.
    ContactId
);
id!(
    /// One grant that was asked for and waits to be permitted.
    RequestId
);
id!(
    /// One thing that a person was told.
    NoticeId
);
id!(
    /// One message to be sent.
    MessageId
);
id!(
    /// One session; not the secret in its cookie.
    SessionId
);
id!(
    /// One browser that completed a sign-in.
    DeviceId
);

/// The number of a recovery case, `R-2026-0042`: the year and a count that restarts with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseNumber {
    year: u16,
    count: u32,
}

impl CaseNumber {
    /// Case `count` (1 …) of `year`.
    pub const fn new(year: u16, count: u32) -> Self {
        Self { year, count }
    }

    /// The calendar year (UTC) in which the case was opened.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// Its place among the cases of that year, from 1.
    pub const fn count(self) -> u32 {
        self.count
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "R-{:04}-{:04}", self.year, self.count)
    }
}

impl fmt::Debug for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CaseNumber {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (year, count) = text.strip_prefix("R-").and_then(|t| t.split_once('-')).ok_or(NotAnId)?;
        let case = Self { year: year.parse().map_err(|_| NotAnId)?, count: count.parse().map_err(|_| NotAnId)? };
        if case.to_string() == text { Ok(case) } else { Err(NotAnId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_exactly_one_spelling() {
        let id = UserId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<UserId>().is_err());
        assert_eq!("R-2026-0042".parse(), Ok(CaseNumber::new(2026, 42)));
        assert!("R-2026-42".parse::<CaseNumber>().is_err());
        assert!("R-2026--042".parse::<CaseNumber>().is_err());
    }
}

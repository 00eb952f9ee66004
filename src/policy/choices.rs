//! Settings that are one of a few.

use std::time::Duration;

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

    /// The one that is stored as this number.
    pub const fn of(number: i64) -> Self {
        match number {
            0 => Self::Never,
            1 => Self::Privileged,
            _ => Self::Always,
        }
    }

    /// As a page says it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Privileged => "for owners, admins and auditors",
            Self::Always => "for everybody",
        }
    }
}

/// How often something goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HowOften {
    /// Not at all.
    Never,
    /// Every seven days.
    Weekly,
    /// Every day.
    Daily,
}

impl HowOften {
    /// As it is stored, from 0.
    pub const ALL: [Self; 3] = [Self::Never, Self::Weekly, Self::Daily];

    /// The one that is stored as this number.
    pub const fn of(number: i64) -> Self {
        match number {
            0 => Self::Never,
            1 => Self::Weekly,
            _ => Self::Daily,
        }
    }

    /// As a page says it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Weekly => "once a week",
            Self::Daily => "once a day",
        }
    }

    /// The time from one to the next.
    pub const fn every(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::Weekly => Some(Duration::from_secs(7 * 86_400)),
            Self::Daily => Some(Duration::from_secs(86_400)),
        }
    }
}

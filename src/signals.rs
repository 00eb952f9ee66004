//! Unusual recent activity of an account: computed from what is on record whenever a grant is asked for, never remembered
//! by a person. Strong signs together ask for an owner; others are shown and weigh nothing, because anyone can cause them.

use crate::time::Timestamp;

/// What can have happened lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// The password, the sign-in address or a contact detail was changed.
    Changed,
    /// Help was refused.
    Refused,
    /// Factors were reset in another case.
    Reset,
    /// Somebody signed in on a device that was never seen before.
    NewDevice,
    /// Wrong passwords.
    WrongPasswords,
    /// Wrong second factors after a right password.
    WrongCodes,
}

impl Sign {
    /// All of them, the strong ones first.
    pub const ALL: [Self; 6] =
        [Self::Changed, Self::Refused, Self::Reset, Self::NewDevice, Self::WrongPasswords, Self::WrongCodes];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::NewDevice => "new_device",
            Self::WrongPasswords => "wrong_passwords",
            Self::WrongCodes => "wrong_codes",
        }
    }

    /// Whether it weighs. What strangers can cause by themselves does not.
    pub const fn is_strong(self) -> bool {
        matches!(self, Self::Changed | Self::Refused | Self::Reset | Self::NewDevice)
    }
}

/// One sign that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub sign: Sign,
    /// How often; at most [`Signals::MOST`] are counted.
    pub count: u32,
    /// When last.
    pub last_at: Option<Timestamp>,
    /// From how many addresses, where that says something.
    pub addresses: u32,
}

/// Everything that was found, in the order of [`Sign::ALL`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signals(Vec<Found>);

impl Signals {
    /// So many of a kind are counted; more are "1,000 or more".
    pub const MOST: u32 = 1_000;

    /// What was found; what did not happen is left out.
    pub fn new(found: impl IntoIterator<Item = Found>) -> Self {
        Self(found.into_iter().filter(|f| f.count > 0).collect())
    }

    /// How many of them weigh.
    pub fn strong(&self) -> u32 {
        u32::try_from(self.0.iter().filter(|f| f.sign.is_strong()).count()).unwrap_or(u32::MAX)
    }

    /// One of them, if it was found.
    pub fn get(&self, sign: Sign) -> Option<&Found> {
        self.0.iter().find(|f| f.sign == sign)
    }

    /// All that were found.
    pub fn all(&self) -> &[Found] {
        &self.0
    }

    /// Whether a strong sign is here that was not among `earlier`, or one of them happened again since.
    pub fn adds_to(&self, earlier: &Self) -> bool {
        let strong = self.0.iter().filter(|f| f.sign.is_strong());
        strong.into_iter().any(|f| earlier.get(f.sign).is_none_or(|e| f.last_at > e.last_at))
    }

    /// As it is kept in a case: `changed=1@1795510980000000/0,wrong_passwords=6@…/2`.
    pub fn freeze(&self) -> String {
        let one = |f: &Found| {
            let at = f.last_at.map_or(0, Timestamp::as_micros);
            format!("{}={}@{at}/{}", f.sign.as_str(), f.count, f.addresses)
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(",")
    }

    /// Reads what [`Signals::freeze`] wrote; what it does not know is left out.
    pub fn thaw(text: &str) -> Self {
        let one = |part: &str| {
            let (sign, rest) = part.split_once('=')?;
            let (count, rest) = rest.split_once('@')?;
            let (at, addresses) = rest.split_once('/')?;
            let at = at.parse::<i64>().ok()?;
            Some(Found {
                sign: Sign::ALL.into_iter().find(|s| s.as_str() == sign)?,
                count: count.parse().ok()?,
                last_at: (at != 0).then_some(Timestamp::from_micros(at)),
                addresses: addresses.parse().ok()?,
            })
        };
        Self(text.split(',').filter_map(one).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sign: Sign, at: i64) -> Found {
        Found { sign, count: 2, last_at: Some(Timestamp::from_micros(at)), addresses: 1 }
    }

    #[test]
    fn what_is_frozen_reads_back_and_only_what_is_strong_weighs() {
        let all = Signals::new(Sign::ALL.map(|s| found(s, 7)));
        assert_eq!(Signals::thaw(&all.freeze()), all);
        assert_eq!((all.strong(), Signals::default().freeze().as_str()), (4, ""));
        assert_eq!(Signals::thaw(""), Signals::default());
        assert_eq!(Signals::new([Found { count: 0, ..found(Sign::Reset, 1) }]).strong(), 0);
    }

    #[test]
    fn a_strong_sign_that_came_since_is_noticed_and_a_weak_one_is_not() {
        let earlier = Signals::new([found(Sign::Changed, 5), found(Sign::WrongPasswords, 5)]);
        assert!(!earlier.adds_to(&earlier));
        assert!(Signals::new([found(Sign::Changed, 6)]).adds_to(&earlier), "it happened again");
        assert!(Signals::new([found(Sign::NewDevice, 1)]).adds_to(&earlier));
        assert!(!Signals::new([found(Sign::WrongPasswords, 9)]).adds_to(&earlier));
        assert!(!Signals::default().adds_to(&earlier), "what is past adds nothing");
    }
}

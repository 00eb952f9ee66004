//! What needs attention: in which need people can be, and what is wrong with the house itself.
//!
//! Invariant: a count on the dashboard and the list behind its link are one condition, so that nobody is counted who can
//! not be found.

use std::fmt;
use std::str::FromStr;

use crate::audit::anchor::is_old;
use crate::policy;
use crate::streams::{Receiver, Standing};
use crate::time::Timestamp;
use crate::users::{BadInput, Status};

/// Why somebody should look at a person's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// Was reset and has not enrolled again.
    Awaiting,
    /// Has a password and nothing to show as a second factor.
    NoFactor,
    /// An authenticator app was switched off after too many wrong codes, each behind the right password.
    FactorDisabled,
    /// Has a temporary password and has not chosen another.
    TemporaryPassword,
    /// Was invited, and the link has run out.
    InvitationOver,
    /// Has few backup codes left, or none.
    FewCodes,
}

impl Need {
    /// All of them, the most pressing first.
    pub const ALL: [Self; 6] = [
        Self::Awaiting,
        Self::NoFactor,
        Self::FactorDisabled,
        Self::TemporaryPassword,
        Self::InvitationOver,
        Self::FewCodes,
    ];

    /// The word in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::NoFactor => "no-factor",
            Self::FactorDisabled => "factor-disabled",
            Self::TemporaryPassword => "temporary-password",
            Self::InvitationOver => "invitation-over",
            Self::FewCodes => "few-codes",
        }
    }

    /// The same for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting enrolment",
            Self::NoFactor => "no factor",
            Self::FactorDisabled => "factor switched off",
            Self::TemporaryPassword => "temporary password",
            Self::InvitationOver => "invitation ran out",
            Self::FewCodes => "few backup codes",
        }
    }
}

/// What a list of people is narrowed to: a state of the account, or a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// In this state.
    Status(Status),
    /// With any need.
    Attention,
    /// With this need.
    Need(Need),
}

impl Chosen {
    /// The word for [`Chosen::Attention`].
    pub const ATTENTION: &'static str = "attention";

    /// Word and label of all of them, as a form offers them.
    pub fn all() -> Vec<(&'static str, &'static str)> {
        let states = Status::ALL.iter().map(|s| (s.as_str(), s.as_str()));
        let needs = Need::ALL.iter().map(|n| (n.as_str(), n.label()));
        states.chain([(Self::ATTENTION, "needs attention")]).chain(needs).collect()
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status(status) => status.as_str(),
            Self::Attention => Self::ATTENTION,
            Self::Need(need) => need.as_str(),
        })
    }
}

impl FromStr for Chosen {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        if text == Self::ATTENTION {
            return Ok(Self::Attention);
        }
        let need = Need::ALL.into_iter().find(|need| need.as_str() == text);
        match (need, text.parse()) {
            (Some(need), _) => Ok(Self::Need(need)),
            (None, Ok(status)) => Ok(Self::Status(status)),
            (None, Err(_)) => {
                Err(BadInput("Choose a state: invited, active, disabled, left, or attention for all that need some."))
            }
        }
    }
}

/// What was counted about people, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleFigures {
    /// People in each need.
    pub needs: Vec<(Need, u32)>,
    /// People whose recovery ran out within [`policy::LATELY`] and who still have nothing to show.
    pub expired: u32,
    /// People who met the longest delay within a day.
    pub locked: u32,
    /// People who were invited and have a link that works.
    pub invited: u32,
}

/// What is known about the house, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseFigures {
    /// Owners who can sign in.
    pub able_owners: u32,
    /// The last verified backup.
    pub last_backup: Option<Timestamp>,
    /// When the seed key was last exported to be kept elsewhere.
    pub key_exported: Option<Timestamp>,
    /// When the newest anchor was signed; the instance's first moment where there is none.
    pub anchored: Timestamp,
    /// When the clock last went backwards.
    pub clock_stepped: Option<Timestamp>,
    /// Free bytes on the database's disk.
    pub free: u64,
    /// Messages that have waited longer than [`policy::MAIL_HELD_UP`]; none where no mail server is set.
    pub mail_held_up: u32,
    /// Messages that were given up within [`policy::LATELY`]; none where no mail server is set.
    pub mail_given_up: u32,
    /// How it stands with each receiver of the trail that is set.
    pub streams: Vec<Standing>,
}

/// How pressing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Somebody can not get in, or something breaks.
    Now,
    /// To be looked at before it is.
    Soon,
    /// Good to know.
    Known,
}

/// One thing that needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// So many recoveries ran out.
    Expired(u32),
    /// So many people met the longest delay.
    Locked(u32),
    /// So many people are in this need.
    People(Need, u32),
    /// So many invitations wait.
    Invited(u32),
    /// Fewer than two owners can sign in: so many.
    FewOwners(u32),
    /// There is no backup, or the last one is old.
    Backup(Option<Timestamp>),
    /// The seed key is nowhere else.
    KeyNotExported,
    /// Nothing outside this host says how far the trail has come since then.
    NotAnchored(Timestamp),
    /// So few bytes are free.
    DiskLow(u64),
    /// The clock went backwards.
    ClockStepped(Timestamp),
    /// So many messages have been waiting for long.
    MailHeldUp(u32),
    /// So many messages were given up lately.
    MailGivenUp(u32),
    /// A receiver of the trail has taken nothing since then.
    StreamStuck(Receiver, Timestamp),
}

impl Matter {
    /// How pressing it is.
    pub const fn urgency(self) -> Urgency {
        match self {
            Self::Expired(_) | Self::DiskLow(_) | Self::MailHeldUp(_) => Urgency::Now,
            Self::People(Need::NoFactor | Need::FactorDisabled, _) => Urgency::Now,
            Self::FewOwners(0) | Self::Backup(None) => Urgency::Now,
            Self::People(..) | Self::ClockStepped(_) | Self::MailGivenUp(_) | Self::StreamStuck(..) => Urgency::Soon,
            Self::Locked(_) | Self::FewOwners(_) | Self::Backup(Some(_)) | Self::KeyNotExported => Urgency::Soon,
            Self::NotAnchored(_) => Urgency::Soon,
            Self::Invited(_) => Urgency::Known,
        }
    }
}

impl PeopleFigures {
    /// Who waits for enrolment stands on the board, whose summary comes first.
    fn matters(&self) -> Vec<Matter> {
        let some = |count: u32, matter: Matter| (count > 0).then_some(matter);
        let mut matters: Vec<Matter> = some(self.expired, Matter::Expired(self.expired)).into_iter().collect();
        matters.extend(self.needs.iter().filter_map(|(need, count)| some(*count, Matter::People(*need, *count))));
        matters.extend(some(self.locked, Matter::Locked(self.locked)));
        matters.extend(some(self.invited, Matter::Invited(self.invited)));
        matters
    }
}

impl HouseFigures {
    /// What is wrong with the house itself, the most pressing first.
    pub fn matters(&self, now: Timestamp) -> Vec<Matter> {
        // What is far ahead of the clock says nothing of how old it is.
        let within = |at: Option<Timestamp>, age| at.filter(|at| now.since(*at) <= age && at.since(now) <= age);
        let found = [
            (self.free < policy::DISK_LOW).then_some(Matter::DiskLow(self.free)),
            (self.able_owners < 2).then_some(Matter::FewOwners(self.able_owners)),
            within(self.last_backup, policy::BACKUP_AGE).is_none().then_some(Matter::Backup(self.last_backup)),
            self.key_exported.is_none().then_some(Matter::KeyNotExported),
            is_old(self.anchored, now).then_some(Matter::NotAnchored(self.anchored)),
            within(self.clock_stepped, policy::LATELY).map(Matter::ClockStepped),
            (self.mail_held_up > 0).then_some(Matter::MailHeldUp(self.mail_held_up)),
            (self.mail_given_up > 0).then_some(Matter::MailGivenUp(self.mail_given_up)),
        ];
        let stuck = self.streams.iter().filter(|standing| standing.is_stuck(now));
        let stuck = stuck.filter_map(|s| Some(Matter::StreamStuck(s.receiver, s.failing.as_ref()?.since)));
        sorted(found.into_iter().flatten().chain(stuck).collect())
    }
}

/// All that needs attention, the most pressing first; people before things.
pub fn matters(people: &PeopleFigures, house: &HouseFigures, now: Timestamp) -> Vec<Matter> {
    let mut all = people.matters();
    all.extend(house.matters(now));
    sorted(all)
}

fn sorted(mut matters: Vec<Matter>) -> Vec<Matter> {
    matters.sort_by_key(|matter| matter.urgency());
    matters
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    fn ago(hours: u64) -> Option<Timestamp> {
        Some(NOW.minus(Duration::from_secs(hours * 3_600)))
    }

    fn quiet() -> (PeopleFigures, HouseFigures) {
        let needs = Need::ALL.map(|need| (need, 0)).to_vec();
        let house = HouseFigures {
            able_owners: 2,
            last_backup: ago(47),
            key_exported: ago(9_999),
            anchored: NOW.minus(policy::ANCHOR_AGE),
            clock_stepped: None,
            free: u64::MAX,
            mail_held_up: 0,
            mail_given_up: 0,
            streams: Vec::new(),
        };
        (PeopleFigures { needs, expired: 0, locked: 0, invited: 0 }, house)
    }

    #[test]
    fn where_all_is_well_nothing_needs_attention() {
        let (people, house) = quiet();
        assert_eq!(matters(&people, &house, NOW), []);
    }

    #[test]
    fn each_thing_that_is_wrong_is_one_matter() {
        let (people, house) = quiet();
        let ahead = Some(NOW.plus(Duration::from_secs(49 * 3_600)));
        for (house, matter) in [
            (HouseFigures { able_owners: 1, ..house.clone() }, Matter::FewOwners(1)),
            (HouseFigures { last_backup: None, ..house.clone() }, Matter::Backup(None)),
            (HouseFigures { last_backup: ago(49), ..house.clone() }, Matter::Backup(ago(49))),
            (HouseFigures { last_backup: ahead, ..house.clone() }, Matter::Backup(ahead)),
            (HouseFigures { key_exported: None, ..house.clone() }, Matter::KeyNotExported),
            (HouseFigures { anchored: ago(193).unwrap(), ..house.clone() }, Matter::NotAnchored(ago(193).unwrap())),
            (HouseFigures { free: policy::DISK_LOW - 1, ..house.clone() }, Matter::DiskLow(policy::DISK_LOW - 1)),
            (HouseFigures { mail_held_up: 3, ..house.clone() }, Matter::MailHeldUp(3)),
            (HouseFigures { mail_given_up: 2, ..house.clone() }, Matter::MailGivenUp(2)),
            (HouseFigures { clock_stepped: ago(160), ..house.clone() }, Matter::ClockStepped(ago(160).unwrap())),
        ] {
            assert_eq!(matters(&people, &house, NOW), [matter]);
        }
        let old = HouseFigures { clock_stepped: ago(170), ..house };
        assert_eq!(matters(&people, &old, NOW), [], "a clock that stepped long ago is no news");
    }

    #[test]
    fn who_can_not_get_in_comes_first() {
        let (mut people, mut house) = quiet();
        people.invited = 3;
        people.needs = vec![(Need::FewCodes, 1), (Need::NoFactor, 2), (Need::TemporaryPassword, 1)];
        people.expired = 1;
        house.able_owners = 1;
        let expected = [
            Matter::Expired(1),
            Matter::People(Need::NoFactor, 2),
            Matter::People(Need::FewCodes, 1),
            Matter::People(Need::TemporaryPassword, 1),
            Matter::FewOwners(1),
            Matter::Invited(3),
        ];
        assert_eq!(matters(&people, &house, NOW), expected);
    }

    #[test]
    fn every_state_and_need_reads_back() {
        for (word, _) in Chosen::all() {
            assert_eq!(word.parse::<Chosen>().unwrap().to_string(), word);
        }
        assert!("asleep".parse::<Chosen>().is_err());
    }
}

//! One rule for everything that lets someone in, or keeps someone out: who may do what to whom, on which evidence.
//!
//! Architecture invariant: [`decide`] is pure and is the only place that says yes. Every route and command that gives
//! access asks it inside the transaction that would give it.

mod evidence;
mod hold;
mod rule;
mod second_person;

use std::str::FromStr;

use crate::audit::Action;
use crate::policy::Policy;
use crate::recovery::{CaseErrand, Evidence, Held, Needs};
use crate::time::Timestamp;
use crate::users::{BadInput, Role, Status, User};

pub use rule::Rule;
pub use second_person::{Half, Needed, Why, counts_as, may_decide, needed};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Remove every factor and open an enrolment window.
    ResetFactors,
    /// Make backup codes for someone.
    IssueBackupCodes,
    /// Make a temporary password for someone.
    SetTemporaryPassword,
    /// Add a person with this role, with an invitation link.
    AddPerson(Role),
    /// A new invitation link for someone who has not used theirs.
    InviteAgain,
    /// Let a disabled person sign in again.
    Enable,
    /// Lift an objection that was a mistake. It lets someone in again where the account is frozen by it.
    Reassure {
        /// Whether it is.
        frozen: bool,
    },
    /// Close an account because of an attack.
    DeclareIncident,
    /// Let someone in again after an attack: enabled, with a new password and a pass.
    Readmit,
    /// Keep someone out.
    Disable,
    /// Mark someone as gone for good.
    Leave,
    /// End sessions of someone.
    EndSessions,
    /// Ask for a new password at someone's next sign-in.
    RequirePasswordChange,
    /// Lift the delays after failures on someone's account. It lets nobody in, but takes a brake away.
    Unlock,
    /// Give another name.
    Rename,
    /// Give another address to sign in with.
    ChangeEmail,
    /// Give another role.
    ChangeRole(Role),
    /// Put a note on someone's record.
    AddNote,
    /// Write to someone about what was done in their case.
    FollowUp,
    /// Add or remove a way to reach someone, by which they could be called or vouched for later.
    ChangeContacts,
    /// Put or remove the photo or the note about an ID that whoever makes sure who someone is compares them with.
    ChangePortrait,
    /// Open a recovery case, in which nothing is given yet.
    OpenCase,
    /// Go on with a recovery case, without giving anything.
    InCase(CaseErrand),
    /// Let everybody sign in again after a restore that could not know what was decided since the backup.
    ConfirmPeople,
    /// Set what holds for everybody, or take that back.
    ChangePolicy,
}

impl Grant {
    /// What the audit entry is about, also when the answer is no.
    pub const fn action(self) -> Action {
        match self {
            Self::ResetFactors => Action::MfaFactorAdminReset,
            Self::IssueBackupCodes => Action::MfaBackupCodesIssuedByAdmin,
            Self::SetTemporaryPassword => Action::UserPasswordSetByAdmin,
            Self::AddPerson(_) => Action::UserCreated,
            Self::InviteAgain => Action::UserInvited,
            Self::Enable | Self::Readmit => Action::UserEnabled,
            Self::Reassure { .. } => Action::RecoveryReassured,
            Self::DeclareIncident => Action::RecoveryIncidentDeclared,
            Self::Disable => Action::UserDisabled,
            Self::Leave => Action::UserLeft,
            Self::EndSessions => Action::UserSessionRevoked,
            Self::RequirePasswordChange => Action::UserPasswordResetRequired,
            Self::Unlock => Action::UserUnlocked,
            Self::Rename => Action::UserUpdated,
            Self::ChangeEmail => Action::UserEmailChanged,
            Self::ChangeRole(_) => Action::UserRoleChanged,
            Self::AddNote => Action::UserNoteAdded,
            Self::FollowUp => Action::RecoveryFollowedUp,
            Self::ChangeContacts => Action::UserContactChanged,
            Self::ChangePortrait => Action::UserPortraitChanged,
            Self::OpenCase => Action::RecoveryCaseOpened,
            Self::InCase(errand) => errand.action(),
            Self::ConfirmPeople => Action::SystemPeopleConfirmed,
            Self::ChangePolicy => Action::PolicyUpdated,
        }
    }

    /// Whether it lets someone in who could not get in, and so rests on evidence of who they are.
    const fn needs_evidence(self) -> bool {
        self.gives_means() || matches!(self, Self::InviteAgain | Self::ChangeEmail | Self::Reassure { frozen: true })
    }

    /// Whether it gives something to sign in with, to someone who has an account in use.
    pub const fn gives_means(self) -> bool {
        matches!(self, Self::ResetFactors | Self::IssueBackupCodes | Self::SetTemporaryPassword | Self::Readmit)
    }

    /// Whether it belongs to a recovery, but gives nothing: the case's story is looked at, and nobody has to approve it.
    const fn is_about_case(self) -> bool {
        matches!(self, Self::OpenCase | Self::InCase(_))
    }

    /// Of the two halves of what lets a person in, the one that this does not give; nothing where it gives neither.
    pub const fn other_half(self) -> Option<Half> {
        match self {
            Self::ResetFactors | Self::IssueBackupCodes => Some(Half::Password),
            Self::SetTemporaryPassword | Self::ChangeEmail => Some(Half::Factor),
            _ => None,
        }
    }

    /// Whether it gives both halves at once: then they are in one hand.
    pub const fn gives_both(self) -> bool {
        matches!(self, Self::Readmit)
    }

    /// Those that a second person can be asked to permit.
    pub const ASKED: [Self; 6] = [
        Self::ResetFactors,
        Self::IssueBackupCodes,
        Self::SetTemporaryPassword,
        Self::InviteAgain,
        Self::ChangeEmail,
        Self::Readmit,
    ];

    /// The word under which one of [`Grant::ASKED`] is stored; empty for others, which nobody is asked for.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ResetFactors => "reset_factors",
            Self::IssueBackupCodes => "issue_codes",
            Self::SetTemporaryPassword => "temporary_password",
            Self::InviteAgain => "invite_again",
            Self::ChangeEmail => "change_email",
            Self::Readmit => "readmit",
            _ => "",
        }
    }

    /// What is asked for, after "Tom asks to …".
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ResetFactors => "remove all factors and give a pass",
            Self::IssueBackupCodes => "issue backup codes",
            Self::SetTemporaryPassword => "set a temporary password",
            Self::InviteAgain => "make a new invitation link",
            Self::ChangeEmail => "change the sign-in address",
            Self::Readmit => "let the person back in, with a new password and a pass",
            _ => "",
        }
    }
}

impl FromStr for Grant {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ASKED.into_iter().find(|g| g.as_str() == text).ok_or(BadInput("Nobody can be asked for that."))
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum Asker<'a> {
    /// A person, as they are at this moment.
    Person(&'a User),
    /// A command on the host: whoever runs it already holds the database.
    Host,
}

/// All that the rule looks at, as it is at this moment.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What.
    pub grant: Grant,
    /// Who asks.
    pub asker: Asker<'a>,
    /// Whom it is about; nobody when a person is added.
    pub target: Option<&'a User>,
    /// How identity was verified.
    pub evidence: Option<&'a Evidence>,
    /// Active owners besides the target.
    pub other_owners: u32,
    /// What else matters where someone is let in.
    pub circumstances: Circumstances<'a>,
    /// This moment.
    pub now: Timestamp,
}

/// What a grant that rests on evidence depends on besides who asks and whom it is about.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// What owners have set.
    pub policy: &'a Policy,
    /// Strong signs of unusual activity.
    pub strong_signs: u32,
    /// Whether the case was handed to the owners, or the one before it was and none of them decided.
    pub for_owner: bool,
    /// Whether help was refused lately and no case was opened by an owner since.
    pub refused_lately: bool,
    /// Whether who asks has lately given the person the other of password and factor.
    pub same_hands: bool,
    /// Whether who asks has lately taken the account or the role of somebody who could have approved.
    pub took_away: bool,
    /// What keeps the account closed besides that it is disabled.
    pub held: Option<Held>,
    /// Whether who asks has a hand in what was objected to.
    pub has_hand: bool,
    /// Who could approve.
    pub others: Others,
    /// What has permitted exactly this already, for who asks, with nothing changed since.
    pub permitted: Option<Needs>,
}

impl<'a> Circumstances<'a> {
    /// Nothing out of the ordinary.
    pub const fn plain(policy: &'a Policy) -> Self {
        Self {
            policy,
            strong_signs: 0,
            for_owner: false,
            refused_lately: false,
            same_hands: false,
            took_away: false,
            held: None,
            has_hand: false,
            others: Others { owners: 0, admins: 0 },
            permitted: None,
        }
    }
}

/// Active people who are neither who asks nor whom it is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Others {
    /// Owners.
    pub owners: u32,
    /// Admins.
    pub admins: u32,
}

/// How a grant that no rule forbids goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Now.
    Go,
    /// Once this has permitted it.
    Ask(Needs),
}

impl Question<'_> {
    /// Whether it is about the last active owner, who stays.
    fn is_about_last_owner(&self) -> bool {
        self.other_owners == 0 && self.target.is_some_and(|t| t.role == Role::Owner && t.status == Status::Active)
    }
}

/// Whether it may be done, and whether something has to permit it first.
///
/// # Errors
/// The first rule that says no. Rules about rank come first, so that the answer tells little to who may not ask.
pub fn decide(q: &Question<'_>) -> Result<Verdict, Rule> {
    check_rank(q)?;
    if let Some(target) = q.target {
        check_state(q, target)?;
    }
    hold::check_hands(q)?;
    if !q.grant.needs_evidence() && !q.grant.is_about_case() {
        return Ok(Verdict::Go);
    }
    check_case(q)?;
    let needed = needed(q).map(|n| n.needs).filter(|_| Grant::ASKED.contains(&q.grant));
    let permitted = needed.is_some_and(|needed| q.circumstances.permitted.is_some_and(|p| p.covers(needed)));
    if q.grant.needs_evidence() || q.grant == Grant::InCase(CaseErrand::Evidence) {
        let evidence = q.evidence.ok_or(Rule::EvidenceMissing)?;
        evidence::check(evidence, permitted, q)?;
        evidence::check_voucher(evidence, q)?;
    }
    Ok(match needed {
        Some(needed) if !permitted => Verdict::Ask(needed),
        _ => Verdict::Go,
    })
}

/// What the case's story asks for: an owner, once it was escalated or help was refused.
fn check_case(q: &Question<'_>) -> Result<(), Rule> {
    match q.asker {
        Asker::Person(asker) if asker.role != Role::Owner => {}
        _ => return Ok(()),
    }
    if q.circumstances.for_owner {
        return Err(Rule::ForOwners);
    }
    if q.circumstances.refused_lately { Err(Rule::RefusedLately) } else { Ok(()) }
}

fn check_rank(q: &Question<'_>) -> Result<(), Rule> {
    let Asker::Person(asker) = q.asker else { return Ok(()) };
    if !asker.role.looks_after_people() || asker.status != Status::Active {
        return Err(Rule::NotYourRole);
    }
    let is_owner = asker.role == Role::Owner;
    if let Grant::AddPerson(role) | Grant::ChangeRole(role) = q.grant
        && !is_owner
        && (role != Role::Member || matches!(q.grant, Grant::ChangeRole(_)))
    {
        return Err(Rule::RoleAboveYours);
    }
    // Who looks after people compares faces with the photo: whoever could also put it there would only need themself.
    if matches!(q.grant, Grant::ConfirmPeople | Grant::ChangePolicy | Grant::ChangePortrait) && !is_owner {
        return Err(Rule::OwnersOnly);
    }
    let Some(target) = q.target else { return Ok(()) };
    if target.id == asker.id && q.grant != Grant::AddNote && !hold::is_theirs_to_decide(q) {
        return Err(Rule::Yourself);
    }
    let rank = target.recent_rank.max(target.role.rank());
    // What lets a peer in may be asked for, and prepared in a case; an owner has to permit it. Who carried that out also
    // writes to them about it.
    let of_recovery = Grant::ASKED.contains(&q.grant) || q.grant.is_about_case() || q.grant == Grant::FollowUp;
    let may_ask = rank == asker.role.rank() && of_recovery;
    if !is_owner && rank >= asker.role.rank() && !may_ask && q.grant != Grant::AddNote {
        return Err(Rule::Rank);
    }
    Ok(())
}

fn check_state(q: &Question<'_>, target: &User) -> Result<(), Rule> {
    if let Some(answer) = hold::state(q, target) {
        return answer;
    }
    let last_owner = q.is_about_last_owner();
    match (q.grant, target.status) {
        (Grant::AddNote, _) => Ok(()),
        (_, Status::Left) => Err(Rule::HasLeft),
        (Grant::Disable | Grant::EndSessions | Grant::Unlock, Status::Disabled) => Err(Rule::IsDisabled),
        (g, Status::Disabled) if g.needs_evidence() || g == Grant::OpenCase => Err(Rule::IsDisabled),
        (Grant::Enable, Status::Invited | Status::Active) => Err(Rule::IsNotDisabled),
        (Grant::InviteAgain, Status::Active) => Err(Rule::IsNotInvited),
        (Grant::EndSessions | Grant::RequirePasswordChange, Status::Invited) => Err(Rule::IsInvited),
        (g, Status::Invited) if g.gives_means() || g == Grant::OpenCase => Err(Rule::IsInvited),
        (Grant::Disable | Grant::Leave, _) if last_owner => Err(Rule::LastOwner),
        (Grant::ChangeRole(to), _) if to == target.role => Err(Rule::NothingToDo),
        (Grant::ChangeRole(_), _) if last_owner => Err(Rule::LastOwner),
        (Grant::RequirePasswordChange, _) if target.must_change_password => Err(Rule::NothingToDo),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

//! One rule for everything that lets someone in, or keeps someone out: who may do what to whom, on which evidence.
//!
//! Architecture invariant: [`decide`] is pure and is the only place that says yes. Every route and command that gives
//! access asks it inside the transaction that would give it.

use crate::audit::Action;
use crate::policy;
use crate::recovery::Evidence;
use crate::time::Timestamp;
use crate::users::{Role, Status, User};

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
    /// Keep someone out.
    Disable,
    /// Give another role.
    ChangeRole(Role),
    /// Put a note on someone's record.
    AddNote,
    /// Let everybody sign in again after a restore that could not know what was decided since the backup.
    ConfirmPeople,
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
            Self::Enable => Action::UserEnabled,
            Self::Disable => Action::UserDisabled,
            Self::ChangeRole(_) => Action::UserRoleChanged,
            Self::AddNote => Action::UserNoteAdded,
            Self::ConfirmPeople => Action::SystemPeopleConfirmed,
        }
    }

    /// Whether it lets someone in who could not get in, and so rests on evidence of who they are.
    const fn needs_evidence(self) -> bool {
        matches!(self, Self::ResetFactors | Self::IssueBackupCodes | Self::SetTemporaryPassword)
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
    /// This moment.
    pub now: Timestamp,
}

/// Why the answer is no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The asker's role does not look after people.
    NotYourRole,
    /// Nobody acts on themself.
    Yourself,
    /// Only an owner acts on an owner, an admin or an auditor; recent rank counts.
    Rank,
    /// Only an owner gives a role above member.
    RoleAboveYours,
    /// Only an owner does this.
    OwnersOnly,
    /// No evidence of who it is.
    EvidenceMissing,
    /// The evidence is too old, or from the future.
    EvidenceStale,
    /// Backup codes are left, and it was not said that the person does not have them.
    CodesNotAskedFor,
    /// The last active owner stays.
    LastOwner,
    /// The person is disabled.
    IsDisabled,
    /// The person is not disabled.
    IsNotDisabled,
    /// The person has not accepted the invitation yet.
    IsInvited,
    /// The person has accepted the invitation already.
    IsNotInvited,
    /// It is so already.
    NothingToDo,
}

impl Rule {
    /// The word in the audit entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotYourRole => "not_your_role",
            Self::Yourself => "yourself",
            Self::Rank => "rank",
            Self::RoleAboveYours => "role_above_yours",
            Self::OwnersOnly => "owners_only",
            Self::EvidenceMissing => "evidence_missing",
            Self::EvidenceStale => "evidence_stale",
            Self::CodesNotAskedFor => "codes_not_asked_for",
            Self::LastOwner => "last_owner",
            Self::IsDisabled => "is_disabled",
            Self::IsNotDisabled => "is_not_disabled",
            Self::IsInvited => "is_invited",
            Self::IsNotInvited => "is_not_invited",
            Self::NothingToDo => "nothing_to_do",
        }
    }

    /// What to tell who asked: what the rule is, and what to do instead.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NotYourRole => "Your role does not look after other people. Ask an admin or an owner.",
            Self::Yourself => "Nobody does this to their own account. Ask another admin or an owner.",
            Self::Rank => "Only an owner may do this for an owner, an admin or an auditor. Ask an owner.",
            Self::RoleAboveYours => "Only an owner gives a role above member. Ask an owner.",
            Self::OwnersOnly => "Only an owner may do this. Ask an owner.",
            Self::EvidenceMissing => "Say first how you made sure who it is.",
            Self::EvidenceStale => "It is more than an hour since you made sure who it is. Verify it again.",
            Self::CodesNotAskedFor => {
                "There are backup codes left. Ask for one of them first, or say that there is none at hand."
            }
            Self::LastOwner => {
                "This is the last active owner, who can be neither disabled nor demoted. Make another owner first."
            }
            Self::IsDisabled => "This account is disabled. Enable it first, if it should be used again.",
            Self::IsNotDisabled => "This account is not disabled.",
            Self::IsInvited => "This person has not accepted the invitation yet. Make a new invitation link instead.",
            Self::IsNotInvited => "This person has accepted the invitation already.",
            Self::NothingToDo => "This is so already; nothing was changed.",
        }
    }
}

/// Whether it may be done.
///
/// # Errors
/// The first rule that says no. Rules about rank come first, so that the answer tells little to who may not ask.
pub fn decide(q: &Question<'_>) -> Result<(), Rule> {
    check_rank(q)?;
    if let Some(target) = q.target {
        check_state(q, target)?;
    }
    if q.grant.needs_evidence() {
        let evidence = q.evidence.ok_or(Rule::EvidenceMissing)?;
        let age_fits = q.now.since(evidence.recorded_at()) <= policy::EVIDENCE_AGE;
        if !age_fits || evidence.recorded_at() > q.now {
            return Err(Rule::EvidenceStale);
        }
    }
    Ok(())
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
    if q.grant == Grant::ConfirmPeople && !is_owner {
        return Err(Rule::OwnersOnly);
    }
    let Some(target) = q.target else { return Ok(()) };
    if target.id == asker.id && q.grant != Grant::AddNote {
        return Err(Rule::Yourself);
    }
    if !is_owner && target.recent_rank.max(target.role.rank()) >= asker.role.rank() && q.grant != Grant::AddNote {
        return Err(Rule::Rank);
    }
    Ok(())
}

fn check_state(q: &Question<'_>, target: &User) -> Result<(), Rule> {
    let last_owner = target.role == Role::Owner && target.status == Status::Active && q.other_owners == 0;
    match (q.grant, target.status) {
        (Grant::Disable, Status::Disabled) => Err(Rule::IsDisabled),
        (Grant::Enable, Status::Invited | Status::Active) => Err(Rule::IsNotDisabled),
        (Grant::InviteAgain, Status::Active) => Err(Rule::IsNotInvited),
        (Grant::InviteAgain, Status::Disabled) => Err(Rule::IsDisabled),
        (g, Status::Disabled) if g.needs_evidence() => Err(Rule::IsDisabled),
        (g, Status::Invited) if g.needs_evidence() => Err(Rule::IsInvited),
        (Grant::Disable, _) if last_owner => Err(Rule::LastOwner),
        (Grant::ChangeRole(to), _) if to == target.role => Err(Rule::NothingToDo),
        (Grant::ChangeRole(_), _) if last_owner => Err(Rule::LastOwner),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Ticket;
    use crate::ids::UserId;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    fn user(role: Role) -> User {
        User {
            id: UserId::generate(),
            email: "a@b.example".parse().unwrap(),
            name: "A".parse().unwrap(),
            role,
            recent_rank: role.rank(),
            status: Status::Active,
            credential_epoch: 0,
            has_password: true,
            must_change_password: false,
            password_expires_at: None,
            created_at: NOW,
            last_sign_in_at: None,
        }
    }

    fn evidence(at: Timestamp) -> Evidence {
        Evidence::parse("video_call", "", "", None::<&Ticket>, at).unwrap()
    }

    fn ask(grant: Grant, asker: &User, target: &User, evidence: Option<&Evidence>) -> Result<(), Rule> {
        let asker = Asker::Person(asker);
        decide(&Question { grant, asker, target: Some(target), evidence, other_owners: 0, now: NOW })
    }

    #[test]
    fn nobody_acts_on_themself_nor_on_a_superior_or_peer() {
        let fresh = evidence(NOW);
        for asker in Role::ALL {
            for target in Role::ALL {
                let (a, t) = (user(asker), user(target));
                let allowed = match asker {
                    Role::Owner => true,
                    Role::Admin => target == Role::Member,
                    Role::Member | Role::Auditor => false,
                };
                let got = ask(Grant::ResetFactors, &a, &t, Some(&fresh));
                assert_eq!(got.is_ok(), allowed, "{asker} on {target}: {got:?}");
            }
            let me = user(asker);
            assert!(ask(Grant::ResetFactors, &me, &me, Some(&fresh)).is_err(), "{asker} on themself");
        }
    }

    #[test]
    fn a_rank_held_in_the_last_week_still_protects() {
        let mut demoted = user(Role::Member);
        demoted.recent_rank = Role::Owner.rank();
        let got = ask(Grant::SetTemporaryPassword, &user(Role::Admin), &demoted, Some(&evidence(NOW)));
        assert_eq!(got, Err(Rule::Rank));
    }

    #[test]
    fn a_grant_rests_on_evidence_not_older_than_an_hour() {
        let (admin, member) = (user(Role::Admin), user(Role::Member));
        for grant in [Grant::ResetFactors, Grant::IssueBackupCodes, Grant::SetTemporaryPassword] {
            assert_eq!(ask(grant, &admin, &member, None), Err(Rule::EvidenceMissing));
            let hour = Duration::from_secs(3_600);
            assert_eq!(ask(grant, &admin, &member, Some(&evidence(NOW.minus(hour)))), Ok(()));
            let late = evidence(NOW.minus(hour + Duration::from_secs(1)));
            assert_eq!(ask(grant, &admin, &member, Some(&late)), Err(Rule::EvidenceStale));
            let early = evidence(NOW.plus(Duration::from_secs(1)));
            assert_eq!(ask(grant, &admin, &member, Some(&early)), Err(Rule::EvidenceStale));
        }
    }

    #[test]
    fn the_last_active_owner_can_not_be_disabled_or_demoted_by_anyone() {
        let owner = user(Role::Owner);
        for grant in [Grant::Disable, Grant::ChangeRole(Role::Member)] {
            let host =
                Question { grant, asker: Asker::Host, target: Some(&owner), evidence: None, other_owners: 0, now: NOW };
            assert_eq!(decide(&host), Err(Rule::LastOwner));
            assert_eq!(decide(&Question { other_owners: 1, ..host }), Ok(()));
        }
    }

    #[test]
    fn nothing_re_enables_a_disabled_account_as_a_side_effect() {
        let mut gone = user(Role::Member);
        gone.status = Status::Disabled;
        for grant in [Grant::ResetFactors, Grant::IssueBackupCodes, Grant::SetTemporaryPassword, Grant::InviteAgain] {
            assert_eq!(ask(grant, &user(Role::Owner), &gone, Some(&evidence(NOW))), Err(Rule::IsDisabled));
        }
    }

    #[test]
    fn an_admin_adds_members_only_and_gives_no_roles() {
        let admin = user(Role::Admin);
        for role in Role::ALL {
            let add = Question {
                grant: Grant::AddPerson(role),
                asker: Asker::Person(&admin),
                target: None,
                evidence: None,
                other_owners: 1,
                now: NOW,
            };
            assert_eq!(decide(&add).is_ok(), role == Role::Member);
            assert!(ask(Grant::ChangeRole(role), &admin, &user(Role::Member), None).is_err());
        }
    }

    #[test]
    fn evidence_that_does_not_count_has_no_kind() {
        for kind in ["", "email", "knowledge", "code_to_mailbox", "chat", "host", "VIDEO_CALL"] {
            assert!(Evidence::parse(kind, "", "", None, NOW).is_err(), "{kind}");
        }
        assert!(Evidence::parse("manager_ticket", "", "", Ticket::optional("1").unwrap().as_ref(), NOW).is_err());
        assert!(Evidence::parse("manager_ticket", "", "Ada", None, NOW).is_err());
    }
}

//! One rule for everything that lets someone in, or keeps someone out: who may do what to whom, on which evidence.
//!
//! Architecture invariant: [`decide`] is pure and is the only place that says yes. Every route and command that gives
//! access asks it inside the transaction that would give it.

mod rule;

use crate::audit::Action;
use crate::contacts::usable_for_call;
use crate::policy;
use crate::recovery::{Evidence, EvidenceKind};
use crate::time::Timestamp;
use crate::users::{Role, Status, User};

pub use rule::Rule;

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
    /// Add or remove a way to reach someone, by which they could be called or vouched for later.
    ChangeContacts,
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
            Self::Leave => Action::UserLeft,
            Self::EndSessions => Action::UserSessionRevoked,
            Self::RequirePasswordChange => Action::UserPasswordResetRequired,
            Self::Unlock => Action::UserUnlocked,
            Self::Rename => Action::UserUpdated,
            Self::ChangeEmail => Action::UserEmailChanged,
            Self::ChangeRole(_) => Action::UserRoleChanged,
            Self::AddNote => Action::UserNoteAdded,
            Self::ChangeContacts => Action::UserContactChanged,
            Self::ConfirmPeople => Action::SystemPeopleConfirmed,
        }
    }

    /// Whether it lets someone in who could not get in, and so rests on evidence of who they are.
    const fn needs_evidence(self) -> bool {
        self.gives_means() || matches!(self, Self::InviteAgain | Self::ChangeEmail)
    }

    /// Whether it gives something to sign in with, to someone who has an account in use.
    const fn gives_means(self) -> bool {
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
        check_evidence(q.evidence.ok_or(Rule::EvidenceMissing)?, q.now)?;
    }
    Ok(())
}

fn check_evidence(evidence: &Evidence, now: Timestamp) -> Result<(), Rule> {
    let age_fits = now.since(evidence.recorded_at()) <= policy::EVIDENCE_AGE;
    if !age_fits || evidence.recorded_at() > now {
        return Err(Rule::EvidenceStale);
    }
    if evidence.kind() == EvidenceKind::KnownNumber {
        let called = evidence.called().ok_or(Rule::NumberNotOnAccount)?;
        if !usable_for_call(called.known_since, called.requested_at, policy::KNOWN_NUMBER) {
            return Err(Rule::NumberTooNew);
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
        (Grant::AddNote, _) => Ok(()),
        (_, Status::Left) => Err(Rule::HasLeft),
        (Grant::Disable | Grant::EndSessions | Grant::Unlock, Status::Disabled) => Err(Rule::IsDisabled),
        (g, Status::Disabled) if g.needs_evidence() => Err(Rule::IsDisabled),
        (Grant::Enable, Status::Invited | Status::Active) => Err(Rule::IsNotDisabled),
        (Grant::InviteAgain, Status::Active) => Err(Rule::IsNotInvited),
        (Grant::EndSessions | Grant::RequirePasswordChange, Status::Invited) => Err(Rule::IsInvited),
        (g, Status::Invited) if g.gives_means() => Err(Rule::IsInvited),
        (Grant::Disable | Grant::Leave, _) if last_owner => Err(Rule::LastOwner),
        (Grant::ChangeRole(to), _) if to == target.role => Err(Rule::NothingToDo),
        (Grant::ChangeRole(_), _) if last_owner => Err(Rule::LastOwner),
        (Grant::RequirePasswordChange, _) if target.must_change_password => Err(Rule::NothingToDo),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Ticket;
    use crate::contacts::KnownNumber;
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
        for grant in [Grant::ResetFactors, Grant::IssueBackupCodes, Grant::SetTemporaryPassword, Grant::ChangeEmail] {
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
    fn a_call_rests_on_a_number_that_was_on_the_account_for_seven_days_before_help_was_asked_for() {
        let (admin, member) = (user(Role::Admin), user(Role::Member));
        let day = Duration::from_secs(86_400);
        let called = |age| KnownNumber {
            phone: "+46701234567".parse().unwrap(),
            known_since: NOW.minus(age),
            requested_at: NOW.minus(day),
        };
        let ask = |called| {
            let evidence = Evidence::parse("known_number", "", "", None, NOW).unwrap().with_called(called);
            ask(Grant::ResetFactors, &admin, &member, Some(&evidence))
        };
        assert_eq!(ask(None), Err(Rule::NumberNotOnAccount), "what nobody looked up does not count");
        assert_eq!(ask(Some(called(8 * day))), Ok(()));
        assert_eq!(ask(Some(called(8 * day - Duration::from_micros(1)))), Err(Rule::NumberTooNew));
        assert_eq!(ask(Some(called(Duration::ZERO))), Err(Rule::NumberTooNew), "added after help was asked for");
    }

    #[test]
    fn the_last_active_owner_can_not_be_disabled_demoted_or_marked_as_left_by_anyone() {
        let owner = user(Role::Owner);
        for grant in [Grant::Disable, Grant::Leave, Grant::ChangeRole(Role::Member)] {
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

    const ON_AN_ACCOUNT: [Grant; 13] = [
        Grant::ResetFactors,
        Grant::IssueBackupCodes,
        Grant::SetTemporaryPassword,
        Grant::InviteAgain,
        Grant::Enable,
        Grant::Disable,
        Grant::Leave,
        Grant::EndSessions,
        Grant::RequirePasswordChange,
        Grant::Unlock,
        Grant::Rename,
        Grant::ChangeEmail,
        Grant::ChangeRole(Role::Member),
    ];

    #[test]
    fn nothing_is_done_any_more_for_who_has_left_not_even_by_the_host() {
        let mut gone = user(Role::Admin);
        gone.status = Status::Left;
        let fresh = evidence(NOW);
        for grant in ON_AN_ACCOUNT {
            assert_eq!(ask(grant, &user(Role::Owner), &gone, Some(&fresh)), Err(Rule::HasLeft), "{grant:?}");
            let evidence = Some(&fresh);
            let host = Question { grant, asker: Asker::Host, target: Some(&gone), evidence, other_owners: 1, now: NOW };
            assert_eq!(decide(&host), Err(Rule::HasLeft), "{grant:?}");
        }
        assert_eq!(ask(Grant::AddNote, &user(Role::Admin), &gone, None), Ok(()), "history goes on");
    }

    #[test]
    fn every_act_on_an_account_keeps_to_the_ranks() {
        let fresh = evidence(NOW);
        for grant in ON_AN_ACCOUNT {
            for target in Role::ALL.map(user) {
                for asker in [Role::Member, Role::Auditor].map(user) {
                    assert_eq!(ask(grant, &asker, &target, Some(&fresh)), Err(Rule::NotYourRole), "{grant:?}");
                }
                let of_admin = ask(grant, &user(Role::Admin), &target, Some(&fresh));
                let refused = matches!(of_admin, Err(Rule::Rank | Rule::RoleAboveYours));
                let owners_only = target.role != Role::Member || matches!(grant, Grant::ChangeRole(_));
                assert_eq!(refused, owners_only, "{grant:?} on {}: {of_admin:?}", target.role);
                let of_owner = ask(grant, &user(Role::Owner), &target, Some(&fresh));
                assert!(of_owner.is_ok() || of_owner.is_err_and(Rule::is_about_state) || target.role == Role::Owner);
                assert!(!matches!(of_owner, Err(Rule::Rank | Rule::Yourself)), "{grant:?} on {}", target.role);
            }
            let (owner, admin) = (user(Role::Owner), user(Role::Admin));
            for me in [owner, admin] {
                let got = ask(grant, &me, &me, Some(&fresh));
                assert!(matches!(got, Err(Rule::Yourself | Rule::RoleAboveYours)), "{grant:?}: {got:?}");
            }
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

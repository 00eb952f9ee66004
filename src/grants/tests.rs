//! The rule, asked about every role, grant and state.

use super::*;
use crate::audit::Ticket;
use crate::contacts::KnownNumber;
use crate::ids::UserId;
use crate::policy::{Key, SecondPerson};
use std::sync::LazyLock;
use std::time::Duration;

pub(super) const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

pub(super) fn user(role: Role) -> User {
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

pub(super) fn evidence(at: Timestamp) -> Evidence {
    Evidence::parse("video_call", "", "", None::<&Ticket>, at).unwrap()
}

fn ask(grant: Grant, asker: &User, target: &User, evidence: Option<&Evidence>) -> Result<(), Rule> {
    verdict(grant, asker, target, evidence, plain()).map(drop)
}

fn verdict(
    grant: Grant,
    asker: &User,
    target: &User,
    evidence: Option<&Evidence>,
    circumstances: Circumstances<'_>,
) -> Result<Verdict, Rule> {
    let asker = Asker::Person(asker);
    decide(&Question { grant, asker, target: Some(target), evidence, other_owners: 0, circumstances, now: NOW })
}

/// Policy as it is by default, and nothing out of the ordinary.
fn plain() -> Circumstances<'static> {
    static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);
    Circumstances::plain(&POLICY)
}

#[test]
fn nobody_lets_themself_or_a_superior_in_and_a_peer_only_with_an_owner() {
    let fresh = evidence(NOW);
    for asker in Role::ALL {
        for target in Role::ALL {
            let (a, t) = (user(asker), user(target));
            let allowed = match asker {
                Role::Owner => true,
                Role::Admin => target != Role::Owner,
                Role::Member | Role::Auditor => false,
            };
            let got = verdict(Grant::ResetFactors, &a, &t, Some(&fresh), plain());
            assert_eq!(got.is_ok(), allowed, "{asker} on {target}: {got:?}");
            let peers = asker == Role::Admin && matches!(target, Role::Admin | Role::Auditor);
            assert_eq!(got == Ok(Verdict::Ask(Needs::Owner)), peers, "{asker} on {target}: {got:?}");
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
fn nobody_vouches_for_themself_nor_does_who_acts() {
    let (mut admin, mut member) = (user(Role::Admin), user(Role::Member));
    (admin.name, admin.email) = ("Jonas Berg".parse().unwrap(), "jonas@b.example".parse().unwrap());
    (member.name, member.email) = ("Ana Reyes".parse().unwrap(), "ana@b.example".parse().unwrap());
    for (voucher, allowed) in [
        ("Ana Reyes", false),
        ("ana reyes", false),
        ("ANA@b.example", false),
        ("Reyes, Ana", false),
        ("Ana  M. Reyes", true),
        ("Jonas Berg", false),
        ("jonas@b.example", false),
        ("Ada Brandt", true),
    ] {
        let ticket = Ticket::optional("HR-1").unwrap();
        let vouched = Evidence::parse("manager_ticket", "", voucher, ticket.as_ref(), NOW).unwrap();
        let got = ask(Grant::ResetFactors, &admin, &member, Some(&vouched));
        assert_eq!(got, if allowed { Ok(()) } else { Err(Rule::VouchesForThemself) }, "{voucher}");
    }
}

#[test]
fn the_last_active_owner_can_not_be_disabled_demoted_or_marked_as_left_by_anyone() {
    let owner = user(Role::Owner);
    for grant in [Grant::Disable, Grant::Leave, Grant::ChangeRole(Role::Member)] {
        let host = Question {
            grant,
            asker: Asker::Host,
            target: Some(&owner),
            evidence: None,
            other_owners: 0,
            circumstances: plain(),
            now: NOW,
        };
        assert_eq!(decide(&host), Err(Rule::LastOwner));
        assert_eq!(decide(&Question { other_owners: 1, ..host }), Ok(Verdict::Go));
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

const ON_AN_ACCOUNT: [Grant; 15] = [
    Grant::ResetFactors,
    Grant::IssueBackupCodes,
    Grant::SetTemporaryPassword,
    Grant::InviteAgain,
    Grant::Enable,
    Grant::DeclareIncident,
    Grant::Readmit,
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
        let host = Question {
            grant,
            asker: Asker::Host,
            target: Some(&gone),
            evidence,
            other_owners: 1,
            circumstances: plain(),
            now: NOW,
        };
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
            // What lets a peer in may be asked for.
            let asked = Grant::ASKED.contains(&grant) && target.role != Role::Owner;
            let owners_only = target.role != Role::Member && !asked || matches!(grant, Grant::ChangeRole(_));
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
fn what_others_are_compared_with_is_for_owners_to_put_and_nobody_puts_their_own() {
    let (owner, admin) = (user(Role::Owner), user(Role::Admin));
    for target in Role::ALL.map(user) {
        assert_eq!(ask(Grant::ChangePortrait, &owner, &target, None), Ok(()), "{}", target.role);
        assert_eq!(ask(Grant::ChangePortrait, &admin, &target, None), Err(Rule::OwnersOnly), "{}", target.role);
    }
    assert_eq!(ask(Grant::ChangePortrait, &owner, &owner, None), Err(Rule::Yourself));
    assert_eq!(ask(Grant::ChangePortrait, &admin, &admin, None), Err(Rule::OwnersOnly));
    let (mut gone, mut invited) = (user(Role::Member), user(Role::Member));
    (gone.status, invited.status) = (Status::Left, Status::Invited);
    assert_eq!(ask(Grant::ChangePortrait, &owner, &gone, None), Err(Rule::HasLeft));
    assert_eq!(ask(Grant::ChangePortrait, &owner, &invited, None), Ok(()), "before their first day");
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
            circumstances: plain(),
            now: NOW,
        };
        assert_eq!(decide(&add).is_ok(), role == Role::Member);
        assert!(ask(Grant::ChangeRole(role), &admin, &user(Role::Member), None).is_err());
    }
}

/// What has to permit a reset of `target` by `asker`, with `owners` and `admins` besides them.
fn needed(asker: Role, target: Role, second: SecondPerson, others: (u32, u32), same_hands: bool) -> Verdict {
    let index = SecondPerson::ALL.iter().position(|s| *s == second).unwrap();
    let policy = Policy::default().with(Key::SecondPersonRule, i64::try_from(index).unwrap());
    let others = Others { owners: others.0, admins: others.1 };
    let circumstances = Circumstances { others, same_hands, ..Circumstances::plain(&policy) };
    verdict(Grant::ResetFactors, &user(asker), &user(target), Some(&evidence(NOW)), circumstances).unwrap()
}

#[test]
fn a_second_person_is_asked_by_policy_and_an_hour_where_nobody_could_be() {
    use SecondPerson::{Always, Never, Privileged};
    use Verdict::{Ask, Go};
    let by_owner = |target, second, others| needed(Role::Owner, target, second, others, false);
    for (target, second, others, expected) in [
        (Role::Member, Privileged, (1, 1), Go),
        (Role::Admin, Privileged, (0, 1), Ask(Needs::Admin)),
        (Role::Auditor, Privileged, (1, 0), Ask(Needs::Admin)),
        (Role::Admin, Privileged, (0, 0), Ask(Needs::Time)),
        (Role::Owner, Privileged, (1, 5), Ask(Needs::Owner)),
        // An admin does not approve what is done to an owner.
        (Role::Owner, Privileged, (0, 5), Ask(Needs::Time)),
        (Role::Admin, Never, (1, 1), Go),
        (Role::Owner, Never, (1, 1), Go),
        (Role::Member, Always, (1, 0), Ask(Needs::Admin)),
        (Role::Member, Always, (0, 0), Ask(Needs::Time)),
    ] {
        assert_eq!(by_owner(target, second, others), expected, "{target} {second:?} {others:?}");
    }
    assert_eq!(needed(Role::Admin, Role::Member, Privileged, (1, 1), false), Go);
    // Whatever the policy: never a peer without an owner.
    assert_eq!(needed(Role::Admin, Role::Admin, Never, (1, 1), false), Ask(Needs::Owner));
}

#[test]
fn password_and_factor_from_one_hand_need_a_second_person_where_there_is_one() {
    let of_member = |second, others| needed(Role::Admin, Role::Member, second, others, true);
    assert_eq!(of_member(SecondPerson::Never, (1, 0)), Verdict::Ask(Needs::Admin));
    assert_eq!(of_member(SecondPerson::Privileged, (0, 1)), Verdict::Ask(Needs::Admin));
    assert_eq!(of_member(SecondPerson::Never, (0, 0)), Verdict::Go, "nothing deadlocks");
}

#[test]
fn two_strong_signs_need_an_owner_unless_an_owner_asks() {
    let policy = Policy::default();
    for (strong_signs, expected) in [(0, Verdict::Go), (1, Verdict::Go), (2, Verdict::Ask(Needs::Owner))] {
        let circumstances = Circumstances { strong_signs, ..Circumstances::plain(&policy) };
        let of = |asker| {
            verdict(Grant::IssueBackupCodes, &user(asker), &user(Role::Member), Some(&evidence(NOW)), circumstances)
        };
        assert_eq!(of(Role::Admin), Ok(expected), "{strong_signs}");
        assert_eq!(of(Role::Owner), Ok(Verdict::Go), "{strong_signs}");
    }
}

#[test]
fn what_was_permitted_goes_on_although_its_evidence_has_aged_and_for_no_more_than_that() {
    let policy = Policy::default();
    let (old, fresh) = (evidence(NOW.minus(Duration::from_secs(7_200))), evidence(NOW));
    let with = |evidence, permitted, strong_signs, same_hands| {
        let others = Others { owners: 1, admins: 1 };
        let circumstances =
            Circumstances { permitted, strong_signs, same_hands, others, ..Circumstances::plain(&policy) };
        verdict(Grant::ResetFactors, &user(Role::Admin), &user(Role::Member), Some(evidence), circumstances)
    };
    assert_eq!(with(&old, None, 0, true), Err(Rule::EvidenceStale));
    assert_eq!(with(&old, Some(Needs::Admin), 0, true), Ok(Verdict::Go));
    assert_eq!(with(&old, Some(Needs::Owner), 2, true), Ok(Verdict::Go));
    // An admin's approval is no owner's; and what needs none is not spared the evidence by one.
    assert_eq!(with(&old, Some(Needs::Admin), 2, true), Err(Rule::EvidenceStale));
    assert_eq!(with(&fresh, Some(Needs::Admin), 2, true), Ok(Verdict::Ask(Needs::Owner)));
    assert_eq!(with(&old, Some(Needs::Admin), 0, false), Err(Rule::EvidenceStale));
}

#[test]
fn what_was_handed_to_the_owners_or_refused_lately_is_an_owners_to_go_on_with() {
    let policy = Policy::default();
    let plain = Circumstances::plain(&policy);
    for (circumstances, rule) in [
        (Circumstances { for_owner: true, ..plain }, Rule::ForOwners),
        (Circumstances { refused_lately: true, ..plain }, Rule::RefusedLately),
    ] {
        let of = |asker| {
            verdict(Grant::ResetFactors, &user(asker), &user(Role::Member), Some(&evidence(NOW)), circumstances)
        };
        assert_eq!(of(Role::Admin), Err(rule));
        assert_eq!(of(Role::Owner), Ok(Verdict::Go));
    }
}

#[test]
fn what_an_hour_has_permitted_goes_on_although_somebody_came_since_who_could_have_been_asked() {
    let policy = Policy::default();
    let ask = |target: Role, permitted, strong_signs| {
        let others = Others { owners: 1, admins: 1 };
        let circumstances = Circumstances { permitted, others, strong_signs, ..Circumstances::plain(&policy) };
        let asker = if target == Role::Member { user(Role::Admin) } else { user(Role::Owner) };
        verdict(Grant::ResetFactors, &asker, &user(target), Some(&evidence(NOW)), circumstances)
    };
    assert_eq!(ask(Role::Admin, None, 0), Ok(Verdict::Ask(Needs::Admin)));
    assert_eq!(ask(Role::Admin, Some(Needs::Time), 0), Ok(Verdict::Go));
    assert_eq!(ask(Role::Owner, Some(Needs::Time), 0), Ok(Verdict::Go));
    assert_eq!(ask(Role::Member, Some(Needs::Time), 2), Ok(Verdict::Ask(Needs::Owner)), "time is no owner");
}

#[test]
fn why_something_has_to_permit_a_grant_is_told_with_it() {
    let (policy, always) = (Policy::default(), Policy::default().with(Key::SecondPersonRule, 2));
    let plain = Circumstances { others: Others { owners: 1, admins: 1 }, ..Circumstances::plain(&policy) };
    let why = |asker, target, circumstances| {
        let (asker, target) = (user(asker), user(target));
        let (asker, target) = (Asker::Person(&asker), Some(&target));
        let grant = Grant::ResetFactors;
        second_person::needed(&Question {
            grant,
            asker,
            target,
            evidence: None,
            other_owners: 1,
            circumstances,
            now: NOW,
        })
        .map(|n| n.why)
    };
    assert_eq!(why(Role::Admin, Role::Member, plain), None);
    assert_eq!(why(Role::Admin, Role::Auditor, plain), Some(Why::Peer));
    let signs = Circumstances { strong_signs: 3, ..plain };
    assert_eq!(why(Role::Admin, Role::Member, signs), Some(Why::Signs(3)));
    assert_eq!(why(Role::Owner, Role::Member, Circumstances { same_hands: true, ..signs }), Some(Why::SameHands));
    assert_eq!(why(Role::Owner, Role::Admin, plain), Some(Why::Policy));
    assert_eq!(why(Role::Admin, Role::Member, Circumstances { policy: &always, ..plain }), Some(Why::Policy));
}

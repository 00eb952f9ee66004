//! What people may read of the trail about themselves, in plain words.
//!
//! The trail is written for those who look after people and for auditors. Whoever opens their own history is told
//! - what happened to their account and what they did with it, refusals of what they asked for included;
//! - device and address of what they did, and of attempts by someone who had not proved anything: that is how one sees
//!   that it was somebody else.
//!
//! They are not told
//! - which admin it was, nor from where: it says "an admin", or "the operator" for commands on the host;
//! - reasons, tickets, notes, evidence, who vouched, the rule that was applied: written for the help desk;
//! - what others asked for about them and were refused: nothing came of it;
//! - whom an act of their own concerned: an admin reads that in the audit log, where it is theirs to read.
//!
//! Closed by default: an action without a sentence here stands in nobody's history.

use super::plain::{Read, given, gone, methods, wish};
use super::{Action, Entry, Outcome};
use crate::ids::UserId;

/// One entry of a person's own history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What happened.
    pub what: String,
    /// Device and address, or whose doing it was.
    pub place: String,
}

/// The actions that people are told of where the account is their own.
pub fn about_them() -> impl Iterator<Item = Action> {
    Action::ALL.iter().copied().filter(|a| happened(*a, &Read::default()).is_some())
}

/// The actions that people are told of where they did it and it concerned someone or something else.
pub fn by_them() -> impl Iterator<Item = Action> {
    Action::ALL.iter().copied().filter(|a| did(*a).is_some())
}

/// An entry as the person `me` is told it; `None` for what is not theirs to read.
pub fn told(entry: &Entry, me: UserId) -> Option<Told> {
    let (h, read, me) = (&entry.header, Read::of(entry), me.to_string());
    let action: Action = h.action.parse().ok()?;
    let (mine, about_me) = (h.actor_id.as_ref() == Some(&me), h.target_id.as_ref() == Some(&me));
    let refused = h.outcome == Outcome::Denied.as_str();
    let happened = |action, read: &Read| match (happened(action, read), &entry.body) {
        (Some(_), None) => Some(gone(action)),
        (happened, _) => happened,
    };
    let what = match (about_me, mine) {
        (true, true) if refused => happened(action, &read).map(|_| format!("Refused: {}", wish(action))),
        (true, false) if refused => None,
        (true, _) => happened(action, &read),
        (false, true) if refused => did(action).map(|_| format!("Refused: {}", wish(action))),
        (false, true) => did(action).map(str::to_owned),
        (false, false) => None,
    }?;
    let place = match h.actor_kind.as_str() {
        "anonymous" if entry.body.is_none() => String::new(),
        "person" if mine && entry.body.is_none() => String::new(),
        "anonymous" => read.from_where(),
        "person" if mine => read.from_where(),
        "person" => "an admin".to_owned(),
        "host" => "the operator".to_owned(),
        _ => "automatically".to_owned(),
    };
    Some(Told { what, place })
}

/// What happened to an account, to its owner.
fn happened(action: Action, read: &Read) -> Option<String> {
    use Action as A;
    let fact = |key: &str| read.fact(key);
    Some(match action {
        A::UserCreated => "Your account was made".into(),
        A::UserInvited => "An invitation link was made for you".into(),
        A::UserUpdated => format!("Your name changed from {} to {}", fact("from"), fact("to")),
        A::UserEmailChanged => format!("Your sign-in address changed from {} to {}", fact("from"), fact("to")),
        A::UserContactChanged => "Your contact details were changed".into(),
        A::UserPortraitChanged => "The photo of you, or the note about your ID, was changed".into(),
        A::UserDisabled => "Your account was switched off".into(),
        A::UserEnabled => "Your account was switched on again".into(),
        A::UserRoleChanged => format!("Your role changed from {} to {}", fact("from"), fact("to")),
        A::UserPasswordVerified => "Your password was entered, and the next step was asked for".into(),
        A::UserSignedIn => format!("You signed in with {}{}", methods(&fact("methods")), on_new_device(read)),
        A::UserSignInFailed => format!("A sign-in failed: {}", fact("why")),
        A::UserAccessRefused => "You asked for a page that your role does not open".into(),
        A::UserSignedOut => "You signed out".into(),
        A::UserSessionRevoked => match fact("device").as_str() {
            "" => format!("Sessions were ended: {}", fact("sessions_ended")),
            device => format!("A session was ended: {device}"),
        },
        A::UserDeviceForgotten => match fact("device").as_str() {
            "" => format!("Remembered devices were forgotten: {}", fact("devices")),
            device => format!("A remembered device was forgotten: {device}"),
        },
        A::UserLocked => format!("Sign-in was held up for {} minutes after many failures", fact("delay_minutes")),
        A::UserUnlocked => "Delays after failed tries on your account were lifted".into(),
        A::UserPasswordResetRequired => "You were asked to choose a new password".into(),
        A::UserPasswordChanged => "You chose a password".into(),
        A::UserPasswordSetByAdmin => "A temporary password was set for you".into(),
        A::UserStepUp => match fact("resumed").as_str() {
            "yes" => "You came back after a pause, with your password".into(),
            _ => format!("You confirmed that it is you, with {}", a(given(&fact("with")))),
        },
        A::MfaFactorEnrolled => format!("You set up the authenticator app “{}”", fact("label")),
        A::MfaFactorRenamed => {
            format!("You renamed the authenticator app “{}” to “{}”", fact("from"), fact("label"))
        }
        A::MfaFactorRemoved => format!("You removed the authenticator app “{}”", fact("label")),
        A::MfaFactorAdminReset if !fact("since").is_empty() => {
            "Authenticator apps and backup codes were removed from your account".into()
        }
        A::MfaFactorAdminReset => "All your authenticator apps and backup codes were removed".into(),
        A::MfaChallengeFailed => format!("A wrong {} was entered", given(&fact("with"))),
        A::MfaFactorDisabled => {
            format!("The authenticator app “{}” was switched off after {} wrong codes", fact("label"), fact("failures"))
        }
        A::MfaBackupCodesGenerated => format!("You made {} backup codes", fact("count")),
        A::MfaBackupCodesIssuedByAdmin => format!("{} backup codes were made for you", fact("count")),
        A::MfaBackupCodeUsed => format!("A backup code was used; {} left", fact("left")),
        A::MfaEnrolmentPassIssued => "A pass was made with which you set up a new authenticator app".into(),
        A::RecoveryCaseOpened => "A recovery of your account was begun".into(),
        A::RecoveryIdentityVerified => "It was recorded that your identity was checked".into(),
        A::RecoveryCompleted => "Your account was recovered".into(),
        A::RecoveryExpired => "The recovery of your account ended before you set up anew".into(),
        A::RecoveryRefused => "Help with signing in was refused".into(),
        A::RecoveryDisavowed => "Somebody said through the link in a notice: this wasn't me".into(),
        A::RecoveryReassured => "That objection was found to be a mistake".into(),
        A::RecoveryIncidentDeclared => "Your account was closed to everybody, because of an attack".into(),
        A::NoticeSent if !fact("why").is_empty() => format!("A message to {} could not be sent", fact("address")),
        A::NoticeSent => format!("A message was sent to {}", fact("address")),
        A::UserPasswordResetRequested => "A link for a new password was asked for".into(),
        A::UserPasswordResetCompleted => "You chose a new password through a link".into(),
        A::RecoveryBreakGlass => "Your account was recovered with the command on the host".into(),
        _ => return None,
    })
}

/// "a backup code", "an enrolment pass".
fn a(thing: &str) -> String {
    format!("{} {thing}", if thing.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" })
}

fn on_new_device(read: &Read) -> &'static str {
    if read.fact("new_device") == "yes" { ", on a new device" } else { "" }
}

/// What someone did that concerned another person or the system, to whoever did it: without a name or a detail.
const fn did(action: Action) -> Option<&'static str> {
    use Action as A;
    Some(match action {
        A::UserCreated => "You added a person",
        A::UserInvited => "You made an invitation link",
        A::UserUpdated => "You changed somebody’s name",
        A::UserEmailChanged => "You changed somebody’s sign-in address",
        A::UserContactChanged => "You changed somebody’s contact details",
        A::UserPortraitChanged => "You changed the photo of somebody, or the note about their ID",
        A::UserSessionRevoked => "You ended somebody’s sessions",
        A::UserUnlocked => "You lifted the delays on somebody’s account",
        A::UserPasswordResetRequired => "You asked somebody for a new password",
        A::UserLeft => "You marked somebody as left",
        A::SystemPeopleConfirmed => "You confirmed the list of people",
        A::UserDisabled => "You disabled somebody",
        A::UserEnabled => "You enabled somebody",
        A::UserRoleChanged => "You changed somebody’s role",
        A::UserPasswordSetByAdmin => "You set a temporary password for somebody",
        A::UserNoteAdded => "You wrote a note about somebody",
        A::MfaFactorAdminReset => "You reset somebody’s second factors",
        A::MfaBackupCodesIssuedByAdmin => "You made backup codes for somebody",
        A::MfaEnrolmentPassIssued => "You were shown an enrolment pass for somebody",
        A::RecoveryCaseOpened => "You opened a recovery case",
        A::RecoveryRefused => "You refused somebody help",
        A::RecoveryEscalated => "You handed a recovery case to the owners",
        A::RecoveryApprovalRequested => "You asked for an approval",
        A::RecoveryApproved => "You approved what somebody asked for",
        A::RecoveryApprovalDenied => "You did not approve what somebody asked for",
        A::RecoveryReassured => "You lifted an objection",
        A::RecoveryIncidentDeclared => "You declared an incident",
        A::RecoveryFollowedUp => "You sent or copied the message to a recovered person",
        A::PolicyUpdated => "You changed the policy",
        A::RecoveryIdentityVerified => "You recorded how you made sure who somebody is",
        A::AuditExported => "You exported entries of the audit log",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_told_to_its_person_or_kept_from_them_on_purpose() {
        let kept: Vec<&str> =
            Action::ALL.iter().filter(|a| !about_them().any(|told| told == **a)).map(|a| a.as_str()).collect();
        // Who left reads nothing any more; notes, and how a case is dealt with, are the help desk's own; the others are
        // about nobody.
        let meant = [
            "user.left",
            "user.note_added",
            "recovery.urgency_changed",
            "recovery.escalated",
            "recovery.approval_requested",
            "recovery.approved",
            "recovery.approval_denied",
            "recovery.approval_lapsed",
            "recovery.followed_up",
            "policy.updated",
            "audit.exported",
            "audit.checkpoint_signed",
            "audit.key_rotated",
            "audit.pruned",
            "backup.created",
            "system.initialised",
            "system.restored",
            "system.upgraded",
            "system.people_confirmed",
            "system.key_exported",
            "system.clock_stepped",
        ];
        assert_eq!(kept, meant);
    }
}

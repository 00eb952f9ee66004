//! The names of what can have happened.
//!
//! Architecture invariant: a closed set. A name that was once written is never renamed, and none is used for something else.

use std::fmt;
use std::str::FromStr;

use crate::users::BadInput;

macro_rules! actions {
    ($($variant:ident $name:literal $sentence:literal;)*) => {
        /// The closed set of what an entry can be about. A name once written is never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $(#[doc = $sentence] $variant,)*
        }

        impl Action {
            /// All of them, in the order in which they are listed to people.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in the entry.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, in one sentence.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }
        }
    };
}

actions! {
    UserCreated "user.created" "A person was added.";
    UserInvited "user.invited" "A one-time invitation link was made for a person.";
    UserUpdated "user.updated" "A person's name was changed.";
    UserEmailChanged "user.email_changed" "The address that a person signs in with was changed by someone else.";
    UserDisabled "user.disabled" "A person was disabled; all their sessions, links and pending sign-ins ended.";
    UserEnabled "user.enabled" "A disabled person was enabled again.";
    UserLeft "user.left" "A person left for good: everything that let them in ended, and nothing lets them in again.";
    UserRoleChanged "user.role_changed" "A person's role was changed.";
    UserSignedIn "user.signed_in" "A sign-in was completed, with the methods that were really used.";
    UserPasswordVerified "user.password_verified" "A password was right; the second factor, or an enrolment, is asked for next.";
    UserSignInFailed "user.sign_in_failed" "A sign-in failed at the password, or was refused; unknown accounts are counted per source and minute.";
    UserAccessRefused "user.access_refused" "A signed-in person sent a form to a page that their role does not open.";
    UserSignedOut "user.signed_out" "A person signed out.";
    UserSessionRevoked "user.session_revoked" "Sessions were ended otherwise than by signing out in them.";
    UserDeviceForgotten "user.device_forgotten" "A person made remembered devices be forgotten; sessions there ended.";
    UserLocked "user.locked" "Failures reached the longest delay; pending sign-ins of that person ended.";
    UserUnlocked "user.unlocked" "Delays after failures on a person's account were lifted by someone else.";
    UserPasswordResetRequired "user.password_reset_required" "A person has to choose a new password at the next sign-in.";
    UserPasswordResetRequested "user.password_reset_requested" "A link to choose a new password was asked for and sent.";
    UserPasswordResetCompleted "user.password_reset_completed" "A person chose a new password through a link; the second factor is still asked for.";
    UserPasswordChanged "user.password_changed" "A person set their own password.";
    UserPasswordSetByAdmin "user.password_set_by_admin" "A temporary password was made for a person by someone else.";
    UserContactChanged "user.contact_changed" "A phone number, a further e-mail address or the manager of a person was added or removed.";
    UserPortraitChanged "user.portrait_changed" "The photo or the note about an ID, for comparing on a video call, was changed by an owner.";
    UserNoteAdded "user.note_added" "A note was put on a person's record.";
    UserStepUp "user.step_up" "A signed-in person confirmed with a second factor that it is them, or resumed an idle session.";
    MfaFactorEnrolled "mfa.factor_enrolled" "A person enrolled a factor; with a case, it closes that recovery.";
    MfaFactorRenamed "mfa.factor_renamed" "A person gave one of their own factors another name.";
    MfaFactorRemoved "mfa.factor_removed" "A person removed one of their own factors.";
    MfaFactorAdminReset "mfa.factor_admin_reset" "Every factor of a person was removed by someone else, the host included; by a restore, those that had gone since the backup.";
    MfaChallengeFailed "mfa.challenge_failed" "A wrong second factor or enrolment pass was given after a right password.";
    MfaFactorDisabled "mfa.factor_disabled" "A factor was disabled after 100 consecutive failures (NIST SP 800-63B).";
    MfaBackupCodesGenerated "mfa.backup_codes_generated" "A person made a new set of backup codes; earlier ones are void.";
    MfaBackupCodesIssuedByAdmin "mfa.backup_codes_issued_by_admin" "Backup codes were made for a person by someone else.";
    MfaBackupCodeUsed "mfa.backup_code_used" "A backup code was used up.";
    MfaEnrolmentPassIssued "mfa.enrolment_pass_issued" "A one-time pass for the enrolment page was shown to an admin.";
    RecoveryCaseOpened "recovery.case_opened" "A recovery case was opened.";
    RecoveryUrgencyChanged "recovery.urgency_changed" "A case was marked as urgent, or as not urgent any more.";
    RecoveryIdentityVerified "recovery.identity_verified" "Evidence that the person is who they say was recorded.";
    RecoveryRefused "recovery.refused" "Help was refused, by which rule.";
    RecoveryEscalated "recovery.escalated" "A case was handed to the owners.";
    RecoveryApprovalRequested "recovery.approval_requested" "What lets somebody in was asked for; a second person, or time, has to permit it first.";
    RecoveryApproved "recovery.approved" "A second person permitted what was asked for; nothing is done by that.";
    RecoveryApprovalDenied "recovery.approval_denied" "A second person did not permit what was asked for.";
    RecoveryApprovalLapsed "recovery.approval_lapsed" "What was asked for was not decided or carried out in time, was withdrawn, or something has changed since.";
    RecoveryCompleted "recovery.completed" "The recovered person is back; the case is closed.";
    RecoveryExpired "recovery.expired" "The time of a case passed before the person was back.";
    RecoveryDisavowed "recovery.disavowed" "Somebody said “this wasn't me” through the link in a notice; sign-in is blocked until somebody has looked.";
    RecoveryReassured "recovery.reassured" "An objection was found to be a mistake; the account is as it was before.";
    RecoveryIncidentDeclared "recovery.incident_declared" "A recovery was an attack: everything that it gave has ended, and the account is disabled.";
    RecoveryFollowedUp "recovery.followed_up" "The message to the recovered person was sent or copied.";
    RecoveryBreakGlass "recovery.break_glass" "An owner was recovered with the command on the host.";
    PolicyUpdated "policy.updated" "An owner set what holds here, from when on; or took that back.";
    NoticeSent "notice.sent" "A message about their account was sent to a person; or was given up.";
    AuditExported "audit.exported" "Entries of this trail were exported.";
    AuditCheckpointSigned "audit.checkpoint_signed" "How far this trail has come was signed with the key of this instance.";
    AuditKeyRotated "audit.key_rotated" "The key that signs how far this trail has come was replaced.";
    AuditPruned "audit.pruned" "What old entries of this trail say was erased, as the policy asks for; their headers and hashes stay.";
    BackupCreated "backup.created" "A verified backup of the database was written.";
    SystemInitialised "system.initialised" "The database was created.";
    SystemRestored "system.restored" "The database was restored from a backup; a new lineage begins.";
    SystemUpgraded "system.upgraded" "A newer version of the program changed how the database is laid out.";
    SystemPeopleConfirmed "system.people_confirmed" "An owner confirmed who is here and in which role, after a restore that could not know what was decided since.";
    SystemKeyExported "system.key_exported" "The key that encrypts authenticator secrets was exported, to be kept elsewhere.";
    SystemClockStepped "system.clock_stepped" "The host's clock went backwards; times stand still until it catches up.";
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL
            .iter()
            .copied()
            .find(|a| a.as_str() == text)
            .ok_or(BadInput("This is no action of the trail; `idp audit actions` lists them."))
    }
}

/// Whether an entry of this name tells of a password that was changed, set or made invalid.
pub fn is_about_password(name: &str) -> bool {
    let makes_void = name == Action::RecoveryIncidentDeclared.as_str();
    makes_void || name.starts_with("user.password_") && name != Action::UserPasswordVerified.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_one_name_and_reads_back() {
        let mut seen = std::collections::BTreeSet::new();
        for action in Action::ALL {
            assert!(seen.insert(action.as_str()), "{action} stands twice");
            assert_eq!(action.as_str().parse(), Ok(*action));
            assert!(action.sentence().ends_with('.'));
        }
    }
}

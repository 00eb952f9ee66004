//! An entry in plain words: what happened, without its id and hashes.

use serde_json::Value;

use super::{Action, Entry, Outcome, policy_change};
use crate::contacts::Kind;
use crate::grants::Grant;
use crate::sessions::device_name;

/// An entry's body, read for showing it.
#[derive(Debug, Clone, Default)]
pub struct Read {
    body: Value,
}

impl Read {
    /// Reads the stored body; an erased one reads as empty.
    pub fn of(entry: &Entry) -> Self {
        Self { body: entry.body.as_deref().and_then(|b| serde_json::from_str(b).ok()).unwrap_or_default() }
    }

    /// A text of the body itself; empty if absent.
    pub fn text(&self, key: &str) -> &str {
        self.body.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A fact of the detail as text; empty if absent.
    pub fn fact(&self, key: &str) -> String {
        self.body.get("detail").and_then(|d| d.get(key)).map(show).unwrap_or_default()
    }

    /// Where it came from; empty if absent.
    pub fn source(&self, key: &str) -> &str {
        self.body.get("source").and_then(|s| s.get(key)).and_then(Value::as_str).unwrap_or_default()
    }

    /// Name and value of everything in `part` (`detail` or `source`), in the order of the names.
    pub fn pairs(&self, part: &str) -> Vec<(String, String)> {
        let object = self.body.get(part).and_then(Value::as_object);
        object.into_iter().flatten().map(|(k, v)| (k.replace('_', " "), show(v))).collect()
    }

    /// `Firefox on Windows, 192.0.2.1`: what the client says it is, and its address.
    pub fn from_where(&self) -> String {
        let agent = Some(self.source("user_agent")).filter(|a| !a.is_empty());
        let device = agent.map(device_name).unwrap_or_default();
        let parts = [&device, self.source("address"), self.source("os_user")];
        parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        other => other.to_string(),
    }
}

/// Who did it, by the name they had then.
pub fn doer(entry: &Entry, read: &Read) -> String {
    match entry.header.actor_kind.as_str() {
        // Who it was stands in the entry's header; what they were called then is not kept.
        "person" if entry.body.is_none() => "a person".to_owned(),
        "person" => read.text("actor_name").to_owned(),
        "anonymous" => "someone not signed in".to_owned(),
        "host" => match read.source("os_user") {
            "" => "the host".to_owned(),
            user => format!("the host ({user})"),
        },
        other => other.to_owned(),
    }
}

/// What was typed to prove who it is, from its name in the trail.
pub(super) fn given(name: &str) -> &str {
    match name {
        "totp" => "code from the app",
        "backup_code" => "backup code",
        "enrolment_pass" => "enrolment pass",
        other => other,
    }
}

/// What happened, as the beginning of a sentence. A name that this program does not know is shown as it is.
pub fn sentence(entry: &Entry, read: &Read) -> String {
    let Ok(action) = entry.header.action.parse::<Action>() else { return entry.header.action.clone() };
    if entry.body.is_none() {
        let refused = entry.header.outcome == Outcome::Denied.as_str();
        return if refused { format!("Refused: {} ({GONE})", wish(action)) } else { gone(action) };
    }
    if entry.header.outcome == Outcome::Denied.as_str() {
        let wish = match action {
            Action::PolicyUpdated => policy_change::wish(read),
            _ => wish(action).to_owned(),
        };
        return format!("Refused: {wish} ({})", read.fact("rule").replace('_', " "));
    }
    let said = said(action, read);
    if read.fact("carried_over") == "yes" { format!("{said}: kept by a restore") } else { said }
}

/// What is said of an entry whose body was erased.
pub const GONE: &str = "details are no longer kept";

/// What happened, where that is all that is still known.
pub(super) fn gone(action: Action) -> String {
    format!("{} ({GONE})", action.sentence().trim_end_matches('.'))
}

/// What was asked for and refused.
pub(super) const fn wish(action: Action) -> &'static str {
    match action {
        Action::UserCreated => "adding a person",
        Action::UserInvited => "a new invitation",
        Action::UserUpdated => "another name",
        Action::UserEmailChanged => "another sign-in address",
        Action::UserDisabled => "disabling",
        Action::UserLeft => "marking as left",
        Action::UserUnlocked => "lifting delays",
        Action::UserSessionRevoked => "ending sessions",
        Action::UserPasswordResetRequired => "requiring a new password",
        Action::UserEnabled => "enabling",
        Action::UserRoleChanged => "another role",
        Action::UserPasswordSetByAdmin => "a temporary password",
        Action::UserNoteAdded => "a note",
        Action::UserContactChanged => "other contact details",
        Action::UserPortraitChanged => "another photo or note about an ID",
        Action::MfaFactorAdminReset => "a reset of all factors",
        Action::MfaBackupCodesIssuedByAdmin => "backup codes from an admin",
        Action::UserAccessRefused => "a page that the role does not open",
        Action::SystemPeopleConfirmed => "confirming the list of people",
        Action::UserPasswordResetRequested => "a link for a new password",
        Action::UserPasswordResetCompleted => "a new password through a link",
        Action::NoticeSent => "a test message",
        Action::MfaFactorRemoved => "removing a factor",
        Action::MfaFactorEnrolled => "enrolling a factor",
        Action::RecoveryCaseOpened => "a recovery case",
        Action::RecoveryIdentityVerified => "evidence of who it is",
        Action::RecoveryRefused => "refusing help",
        Action::RecoveryEscalated => "handing the case to the owners",
        Action::RecoveryExpired => "closing the case",
        Action::RecoveryUrgencyChanged => "another urgency",
        Action::RecoveryApproved | Action::RecoveryApprovalDenied => "an approval",
        Action::RecoveryIncidentDeclared => "declaring an incident",
        Action::RecoveryReassured => "lifting an objection",
        Action::RecoveryFollowedUp => "a message to the person",
        Action::PolicyUpdated => "another policy",
        _ => "this act",
    }
}

/// How somebody signed in, from its name in the trail.
pub(super) fn methods(name: &str) -> &str {
    match name {
        "pwd otp" => "password and code from the app",
        "pwd backup-code" => "password and backup code",
        "pwd enrolment" => "password and a newly set up app",
        other => other,
    }
}

/// What was asked for, in the words of a request.
fn grant(name: &str) -> String {
    name.parse::<Grant>().map_or_else(|_| name.replace('_', " "), |grant| grant.sentence().to_owned())
}

fn said(action: Action, read: &Read) -> String {
    let fact = |key: &str| read.fact(key);
    match action {
        Action::UserCreated => format!("Added as {}", fact("role")),
        Action::UserInvited => "Invitation link made".into(),
        Action::UserUpdated => format!("Name changed from {} to {}", fact("from"), fact("to")),
        Action::UserEmailChanged => format!("Sign-in address changed from {} to {}", fact("from"), fact("to")),
        Action::UserDisabled => "Disabled".into(),
        Action::UserLeft => "Left for good".into(),
        Action::UserUnlocked => "Delays after failures lifted".into(),
        Action::UserSessionRevoked => match (fact("device").as_str(), fact("sessions_ended").as_str()) {
            ("", ended) => format!("Sessions ended: {ended}"),
            (device, _) => format!("Session on {device} ended"),
        },
        Action::UserPasswordResetRequired => "New password required at the next sign-in".into(),
        Action::UserEnabled => "Enabled".into(),
        Action::UserRoleChanged => format!("Role changed from {} to {}", fact("from"), fact("to")),
        Action::UserPasswordVerified => "Right password; second factor asked for".into(),
        Action::UserSignedIn => format!("Signed in ({})", methods(&fact("methods"))),
        Action::UserSignInFailed => match fact("count").as_str() {
            "" => format!("Sign-in failed: {}", fact("why")),
            "1" => "1 sign-in failed on an unknown account".into(),
            count => format!("{count} sign-ins failed on unknown accounts"),
        },
        Action::UserAccessRefused => format!("Refused at the door of {}", fact("route")),
        Action::UserSignedOut => "Signed out".into(),
        Action::UserDeviceForgotten => match fact("device").as_str() {
            "" => format!("Remembered devices forgotten: {}", fact("devices")),
            device => format!("Remembered device forgotten: {device}"),
        },
        Action::UserLocked => {
            format!("Locked for {} minutes after {} failures", fact("delay_minutes"), fact("failures"))
        }
        Action::UserPasswordChanged => match fact("password").as_str() {
            "" => "Password chosen".into(),
            which => format!("Password: {which}"),
        },
        Action::UserPasswordSetByAdmin => "Temporary password set".into(),
        Action::UserContactChanged => {
            let kind = fact("kind").parse::<Kind>().map_or_else(|_| fact("kind"), |k| k.label().to_owned());
            format!("{kind} {}: {}", fact("change"), fact("value"))
        }
        Action::UserPortraitChanged => match (fact("photo").as_str(), fact("id_note").as_str()) {
            (photo, "") => format!("Photo on record {photo}"),
            ("", note) => format!("Note about an ID {note}"),
            (photo, note) => format!("Photo on record {photo}, note about an ID {note}"),
        },
        Action::UserNoteAdded => format!("Note: {}", fact("note")),
        Action::UserStepUp => match fact("resumed").as_str() {
            "yes" => "Resumed an idle session".into(),
            _ => format!("Confirmed with {}", given(&fact("with"))),
        },
        Action::MfaFactorEnrolled => format!("Enrolled “{}”", fact("label")),
        Action::MfaFactorRenamed => format!("Renamed “{}” to “{}”", fact("from"), fact("label")),
        Action::MfaFactorRemoved => format!("Removed “{}”", fact("label")),
        Action::MfaFactorAdminReset if fact("carried_over") == "yes" => {
            format!("Factors removed ({})", fact("factors_removed"))
        }
        Action::MfaFactorAdminReset if !fact("since").is_empty() => {
            format!("Factors added since {} removed ({})", fact("since"), fact("factors_removed"))
        }
        Action::MfaFactorAdminReset => format!("All factors removed ({})", fact("factors_removed")),
        Action::MfaChallengeFailed => format!("Wrong {}", given(&fact("with"))),
        Action::MfaFactorDisabled => format!("“{}” disabled after {} failures", fact("label"), fact("failures")),
        Action::MfaBackupCodesGenerated => format!("Made {} backup codes", fact("count")),
        Action::MfaBackupCodesIssuedByAdmin => format!("{} backup codes issued", fact("count")),
        Action::MfaBackupCodeUsed => format!("Used a backup code; {} left", fact("left")),
        Action::MfaEnrolmentPassIssued => "Enrolment pass shown".into(),
        Action::RecoveryCaseOpened => "Recovery case opened".into(),
        Action::RecoveryUrgencyChanged if fact("urgent") == "yes" => "Marked as urgent".into(),
        Action::RecoveryUrgencyChanged => "Marked as not urgent".into(),
        Action::RecoveryIdentityVerified => match (fact("number").as_str(), fact("number_known_since").get(..10)) {
            (number, Some(day)) => format!("Identity verified: call to {number}, known since {day}"),
            _ if fact("evidence") == "host" => "Identity vouched for with a command on the host".into(),
            _ => format!("Identity verified: {}", fact("evidence").replace('_', " ")),
        },
        Action::RecoveryRefused => format!("Help refused: {}", fact("refusal").replace('_', " ")),
        Action::RecoveryEscalated => "Handed to the owners".into(),
        Action::RecoveryApprovalRequested => format!("Asked to {}", grant(&fact("grant"))),
        Action::RecoveryApproved => format!("Approved: {}", grant(&fact("grant"))),
        Action::RecoveryApprovalDenied => format!("Not approved: {}", grant(&fact("grant"))),
        Action::RecoveryApprovalLapsed => format!("No longer asked for: {}; {}", grant(&fact("grant")), fact("why")),
        Action::RecoveryDisavowed if fact("frozen") == "yes" => "“This wasn't me”: the account is frozen".into(),
        Action::RecoveryDisavowed => "“This wasn't me”".into(),
        Action::RecoveryReassured => "Objection lifted: it was a mistake".into(),
        Action::RecoveryIncidentDeclared => "Incident declared".into(),
        Action::RecoveryFollowedUp => format!("Message to the person {}", fact("how")),
        Action::PolicyUpdated => policy_change::sentence(read),
        Action::NoticeSent => match fact("why").as_str() {
            "" => format!("Message sent to {}", fact("address")),
            why => format!("Message to {} given up: {why}", fact("address")),
        },
        Action::UserPasswordResetRequested => "Link for a new password sent".into(),
        Action::UserPasswordResetCompleted => "New password chosen through a link".into(),
        Action::RecoveryCompleted => "Recovered".into(),
        Action::RecoveryExpired => format!("Recovery expired: {}", fact("why")),
        Action::RecoveryBreakGlass => "Owner recovered with the command on the host".into(),
        Action::AuditExported => format!("Audit log exported: {}", fact("filter")),
        Action::AuditCheckpointSigned => format!("Checkpoint of entry {} signed", fact("seq")),
        Action::AuditKeyRotated if fact("lost") == "yes" => {
            "Key of the audit log replaced; the old one was lost".into()
        }
        Action::AuditKeyRotated => "Key of the audit log replaced".into(),
        Action::AuditPruned => {
            format!("Details of entries {} to {} erased, as too old", fact("first"), fact("through"))
        }
        Action::BackupCreated => "Backup written".into(),
        Action::SystemInitialised => "Database created".into(),
        Action::SystemRestored => "Restored from a backup".into(),
        Action::SystemUpgraded => "Database brought up to date by a newer version".into(),
        Action::SystemPeopleConfirmed => format!("List of {} people confirmed", fact("people")),
        Action::SystemKeyExported => "Key of the authenticator secrets exported".into(),
        Action::SystemClockStepped => "The host's clock went backwards".into(),
    }
}

//! An entry in plain words: what happened, without its id and hashes.

use serde_json::Value;

use super::{Action, Entry, Outcome};

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
        let device = device(self.source("user_agent"));
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

/// A client's own name for itself as a person would say it; the whole of it stands in the entry.
fn device(agent: &str) -> String {
    let find =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    // Most names also claim to be those further down.
    let browser = find(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Macintosh", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        // A program: its name and version come first.
        (None, None) => agent.split_whitespace().next().unwrap_or_default().to_owned(),
    }
}

/// What was typed to prove who it is, from its name in the trail.
fn given(name: &str) -> &str {
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
    if entry.header.outcome == Outcome::Denied.as_str() {
        return format!("Refused: {} ({})", wish(action), read.fact("rule").replace('_', " "));
    }
    said(action, read)
}

/// What was asked for and refused.
const fn wish(action: Action) -> &'static str {
    match action {
        Action::UserCreated => "adding a person",
        Action::UserInvited => "a new invitation",
        Action::UserDisabled => "disabling",
        Action::UserEnabled => "enabling",
        Action::UserRoleChanged => "another role",
        Action::UserPasswordSetByAdmin => "a temporary password",
        Action::UserNoteAdded => "a note",
        Action::MfaFactorAdminReset => "a reset of all factors",
        Action::MfaBackupCodesIssuedByAdmin => "backup codes from an admin",
        Action::UserAccessRefused => "a page that the role does not open",
        Action::MfaFactorRemoved => "removing a factor",
        Action::MfaFactorEnrolled => "enrolling a factor",
        _ => "this act",
    }
}

/// How somebody signed in, from its name in the trail.
fn methods(name: &str) -> &str {
    match name {
        "pwd otp" => "password and code from the app",
        "pwd backup-code" => "password and backup code",
        "pwd enrolment" => "password and a newly set up app",
        other => other,
    }
}

fn said(action: Action, read: &Read) -> String {
    let fact = |key: &str| read.fact(key);
    match action {
        Action::UserCreated => format!("Added as {}", fact("role")),
        Action::UserInvited => "Invitation link made".into(),
        Action::UserDisabled => "Disabled".into(),
        Action::UserEnabled => "Enabled".into(),
        Action::UserRoleChanged => format!("Role changed from {} to {}", fact("from"), fact("to")),
        Action::UserPasswordVerified => "Right password; second factor asked for".into(),
        Action::UserSignedIn => format!("Signed in ({})", methods(&fact("methods"))),
        Action::UserSignInFailed => match fact("count").as_str() {
            "" => format!("Sign-in failed: {}", fact("why")),
            count => format!("{count} sign-ins failed on unknown accounts"),
        },
        Action::UserAccessRefused => format!("Refused at the door of {}", fact("route")),
        Action::UserSignedOut => "Signed out".into(),
        Action::UserLocked => {
            format!("Locked for {} minutes after {} failures", fact("delay_minutes"), fact("failures"))
        }
        Action::UserPasswordChanged => "Password chosen".into(),
        Action::UserPasswordSetByAdmin => "Temporary password set".into(),
        Action::UserNoteAdded => format!("Note: {}", fact("note")),
        Action::UserStepUp => match fact("resumed").as_str() {
            "yes" => "Resumed an idle session".into(),
            _ => format!("Confirmed with {}", given(&fact("with"))),
        },
        Action::MfaFactorEnrolled => format!("Enrolled “{}”", fact("label")),
        Action::MfaFactorRemoved => format!("Removed “{}”", fact("label")),
        Action::MfaFactorAdminReset => format!("All factors removed ({})", fact("factors_removed")),
        Action::MfaChallengeFailed => format!("Wrong {}", given(&fact("with"))),
        Action::MfaFactorDisabled => format!("“{}” disabled after {} failures", fact("label"), fact("failures")),
        Action::MfaBackupCodesGenerated => format!("Made {} backup codes", fact("count")),
        Action::MfaBackupCodesIssuedByAdmin => format!("{} backup codes issued", fact("count")),
        Action::MfaBackupCodeUsed => format!("Used a backup code; {} left", fact("left")),
        Action::MfaEnrolmentPassIssued => "Enrolment pass shown".into(),
        Action::RecoveryCaseOpened => "Recovery case opened".into(),
        Action::RecoveryIdentityVerified => format!("Identity verified: {}", fact("evidence").replace('_', " ")),
        Action::RecoveryCompleted => "Recovered".into(),
        Action::RecoveryExpired => format!("Recovery expired: {}", fact("why")),
        Action::RecoveryBreakGlass => "Owner recovered with the command on the host".into(),
        Action::AuditExported => format!("Audit log exported: {}", fact("filter")),
        Action::BackupCreated => "Backup written".into(),
        Action::SystemInitialised => "Database created".into(),
        Action::SystemRestored => "Restored from a backup".into(),
        Action::SystemKeyExported => "Key of the authenticator secrets exported".into(),
        Action::SystemClockStepped => "The host's clock went backwards".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_called_what_a_person_calls_it() {
        let known = [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Windows"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 \
                 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile \
                 Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
                 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            ("Something (iPhone; of its own)", "iPhone"),
            ("curl/8.14.1", "curl/8.14.1"),
            ("", ""),
        ];
        for (agent, name) in known {
            assert_eq!(device(agent), name);
        }
    }
}

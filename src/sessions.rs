//! Sessions: how far a sign-in has come, and how long what it reached stays good.

use std::str::FromStr;

use crate::ids::{DeviceId, SessionId, UserId};
use crate::policy;
use crate::time::Timestamp;
use crate::users::BadInput;

/// How far a sign-in has come. Only [`Stage::Full`] reaches anything but the page that the stage is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The password was right; a second factor is asked for.
    Pending,
    /// There is no factor and an open window: the enrolment page, and nothing else.
    Enrolling,
    /// Both factors were right, and the password has to be changed before anything else.
    ChangingPassword,
    /// Signed in.
    Full,
}

impl Stage {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Enrolling => "enrolling",
            Self::ChangingPassword => "changing_password",
            Self::Full => "full",
        }
    }

    /// How long a session of this stage lives at most.
    pub const fn life(self) -> std::time::Duration {
        match self {
            Self::Pending => policy::PENDING,
            Self::Enrolling | Self::ChangingPassword => policy::ENROLLING,
            Self::Full => policy::SESSION,
        }
    }
}

impl FromStr for Stage {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        [Self::Pending, Self::Enrolling, Self::ChangingPassword, Self::Full]
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or(BadInput("This is no stage of a session."))
    }
}

/// A session as it is stored, without its secret.
#[derive(Debug, Clone)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// How far it has come.
    pub stage: Stage,
    /// The person's credential epoch when it came to be.
    pub epoch: i64,
    /// The methods that were really used, as in the audit entry.
    pub methods: String,
    /// While enrolling: the pass was given, or none is needed.
    pub pass_given: bool,
    /// The encrypted secret on the enrolment page, until a code confirms it.
    pub sealed_seed: Option<Vec<u8>>,
    /// The client's address when it began.
    pub address: String,
    /// What the client said it is.
    pub user_agent: String,
    /// Where to go once signed in: a path of ours, or empty.
    pub next: String,
    /// The remembered device that it runs on.
    pub device_id: Option<DeviceId>,
    /// When it began.
    pub created_at: Timestamp,
    /// The last request, give or take a minute.
    pub seen_at: Timestamp,
    /// The last time that the person showed a factor in it.
    pub step_up_at: Timestamp,
    /// When both factors are asked for again.
    pub expires_at: Timestamp,
}

/// A browser that completed a sign-in and is remembered: its failures are counted apart from strangers'.
#[derive(Debug, Clone)]
pub struct Device {
    /// Which.
    pub id: DeviceId,
    /// What it said it is, at its first sign-in.
    pub user_agent: String,
    /// The address of that sign-in.
    pub address: String,
    /// When that was.
    pub created_at: Timestamp,
    /// When it last completed a sign-in.
    pub seen_at: Timestamp,
}

/// Whether a session still carries its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It does.
    Live,
    /// It was idle for too long: one factor resumes it.
    Idle,
    /// It is over.
    Over,
}

impl Session {
    /// Whether it still carries its person at `now`.
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        // What lies in the future was written by a clock that was ahead: it must not lengthen anything.
        let ahead = now.plus(policy::CLOCK_SLACK);
        if now >= self.expires_at || self.created_at > ahead {
            Freshness::Over
        } else if self.stage == Stage::Full && (now.since(self.seen_at) > policy::IDLE || self.seen_at > ahead) {
            Freshness::Idle
        } else {
            Freshness::Live
        }
    }

    /// Whether a factor was shown recently enough for a sensitive act.
    pub fn is_stepped_up(&self, now: Timestamp) -> bool {
        let is_past = self.step_up_at <= now.plus(policy::CLOCK_SLACK);
        self.stage == Stage::Full && is_past && now.since(self.step_up_at) <= policy::STEP_UP
    }
}

/// A browser's name for itself as a person would say it: "Firefox on Linux". What says nothing is an unknown device.
pub fn device_name(user_agent: &str) -> String {
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
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
        (None, None) => match user_agent.split_whitespace().next().filter(|first| is_program(first)) {
            Some(program) => program.to_owned(),
            None => "Unknown device".to_owned(),
        },
    }
}

/// Whether this is the name and version of a program, as `curl/8.14.1`, and no more: what a stranger says of their device is
/// mailed to whose address they type, where a mail program would make a link even of `evil.example/help`.
fn is_program(text: &str) -> bool {
    text.split_once('/').is_some_and(|(name, version)| {
        (1..=20).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && version.len() <= 20
            && version.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    })
}

/// Reads a `next` target: a path on this site, or nothing. `//host`, `/\host` and anything with a scheme, a control
/// character or a backslash is nothing, because browsers read such things as another site.
pub fn same_origin_path(text: &str) -> Option<&str> {
    let fine = text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= 1_000
        && text.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'\\');
    fine.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_is_a_path_on_this_site_or_nothing() {
        for good in ["/", "/profile", "/admin/audit?action=user.created&case=R-2026-0001"] {
            assert_eq!(same_origin_path(good), Some(good));
        }
        for bad in [
            "",
            "profile",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "/a\nb",
            "/\t/evil.example",
            " /x",
            "/x y",
            "javascript:alert(1)",
            "/é",
        ] {
            assert_eq!(same_origin_path(bad), None, "{bad:?}");
        }
    }

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
            ("AdaBrowser/7", "AdaBrowser/7"),
            ("", "Unknown device"),
            ("evil.example/help", "Unknown device"),
            ("https://evil.example/8", "Unknown device"),
            ("Call-0900-123-456-78-to-keep-your-account/1", "Unknown device"),
        ];
        for (agent, name) in known {
            assert_eq!(device_name(agent), name);
        }
    }
}

//! The three cookies: the session's, the device's, the guest's; and one word about what was just done.

use super::Request;
use crate::secret::Token;
use std::time::Duration;

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// The session's token. Ends with the browser.
    Session,
    /// The token of a device that completed a sign-in.
    Device,
    /// The stateless, signed value of a visitor without a session: what the sign-in form's CSRF value is bound to.
    Guest,
    /// The word that the next page turns into a sentence.
    Flash,
}

impl Cookie {
    const fn base(self) -> &'static str {
        match self {
            Self::Session => "idp-session",
            Self::Device => "idp-device",
            Self::Guest => "idp-guest",
            Self::Flash => "idp-flash",
        }
    }

    /// The name: with `__Host-` under https, where browsers then insist on Secure, `Path=/` and no Domain. On loopback
    /// http they would refuse that prefix.
    pub fn name(self, https: bool) -> String {
        if https { format!("__Host-{}", self.base()) } else { self.base().to_owned() }
    }

    /// The `Set-Cookie` header's value that sets it.
    pub fn set(self, value: &str, https: bool, max_age: Option<Duration>) -> String {
        let secure = if https { "; Secure" } else { "" };
        let age = max_age.map(|a| format!("; Max-Age={}", a.as_secs())).unwrap_or_default();
        format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}", self.name(https))
    }

    /// The value that the browser sent.
    pub fn read(self, request: &Request, https: bool) -> Option<&str> {
        let prefix = if https { "__Host-" } else { "" };
        request.header_values("cookie").flat_map(|line| line.split(';')).find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name.strip_prefix(prefix)? == self.base()).then_some(value)
        })
    }

    /// The token that the browser sent.
    pub fn token(self, request: &Request, https: bool) -> Option<Token> {
        self.read(request, https).and_then(Token::parse)
    }
}

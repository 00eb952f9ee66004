//! The settings of sending mail, which only make sense together.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::public_url::{canonical_host, split_port};
use super::{
    ConfigError, MAIL_FROM, SMTP_CA_FILE, SMTP_PASSWORD_FILE, SMTP_SECURITY, SMTP_SERVER, SMTP_USER, Setting, Sources,
    one_line,
};
use crate::users::{BadInput, Email};

/// How mail is sent. The password is in none of it, only the name of the file that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// See [`SMTP_SERVER`].
    pub server: MailServer,
    /// See [`SMTP_SECURITY`].
    pub security: Security,
    /// See [`SMTP_USER`] and [`SMTP_PASSWORD_FILE`].
    pub account: Option<MailAccount>,
    /// See [`SMTP_CA_FILE`].
    pub ca_file: Option<PathBuf>,
    /// See [`MAIL_FROM`].
    pub from: Email,
}

/// With whom to sign in at the mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAccount {
    /// The name.
    pub user: String,
    /// Where the password is.
    pub password_file: PathBuf,
}

/// How the conversation with the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// It begins in clear and must turn to TLS before anything is said: a server that does not offer that gets no mail.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Not at all; for a server on this machine alone.
    Clear,
}

impl Security {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Starttls, Self::Tls, Self::Clear];

    /// The word in the settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starttls => "starttls",
            Self::Tls => "tls",
            Self::Clear => "none",
        }
    }

    /// Where such servers listen (RFC 6409, RFC 8314, RFC 5321).
    const fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::Clear => 25,
        }
    }
}

impl FromStr for Security {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or(BadInput("write starttls, tls or none"))
    }
}

/// Which mail server: a name or an address (IPv6 without brackets), and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailServer {
    /// As its certificate has it.
    pub host: String,
    /// Where it listens.
    pub port: u16,
}

impl fmt::Display for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Which settings of mail do not go together; each says what to do.
#[derive(Debug)]
pub enum MailMistake {
    /// One of them is set, and no server.
    NoServer(&'static str),
    /// The second has to be set with the first.
    Alone(&'static Setting, &'static Setting),
    /// What would be readable on the way to this host.
    Readable(String),
    /// Nothing is encrypted, so no certificate is looked at.
    NothingToTrust,
}

impl fmt::Display for MailMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServer(key) => {
                write!(f, "{key} is set and {} is not, so no mail would be sent: set both or neither", SMTP_SERVER.key)
            }
            Self::Alone(set, missing) => write!(
                f,
                "{} is set, so set {} (--{}, or {}) as well: {}",
                set.key,
                missing.key,
                missing.key.replace('_', "-"),
                missing.variable,
                missing.sentence
            ),
            Self::Readable(host) => write!(
                f,
                "{} is none, and {host} is not this machine: whoever is in between could read and change all mail; \
                 write starttls or tls",
                SMTP_SECURITY.key
            ),
            Self::NothingToTrust => write!(
                f,
                "{} is none, so no certificate is looked at: leave out {}, or write starttls or tls",
                SMTP_SECURITY.key, SMTP_CA_FILE.key
            ),
        }
    }
}

/// How mail is sent; `None` where no server is set.
pub(super) fn merge(sources: &Sources<'_>, data: &Path) -> Result<Option<MailSettings>, ConfigError> {
    let wrong = |mistake| Err(ConfigError::Mail(mistake));
    let file = |setting| -> Result<_, ConfigError> { Ok(sources.read(setting, parse_path)?.map(|p| data.join(p))) };
    let server = sources.read(&SMTP_SERVER, parse_server)?;
    let security = sources.read(&SMTP_SECURITY, Security::from_str)?;
    let user = sources.read(&SMTP_USER, |text| one_line(text, 254, BadInput("write 1 to 254 characters")))?;
    let password_file = file(&SMTP_PASSWORD_FILE)?;
    let ca_file = file(&SMTP_CA_FILE)?;
    let from = sources.read(&MAIL_FROM, |text| {
        text.parse::<Email>().map_err(|_| BadInput("write an e-mail address, like idp@example.org"))
    })?;
    let Some((host, port)) = server else {
        let others = [
            (security.is_some(), &SMTP_SECURITY),
            (user.is_some(), &SMTP_USER),
            (password_file.is_some(), &SMTP_PASSWORD_FILE),
            (ca_file.is_some(), &SMTP_CA_FILE),
            (from.is_some(), &MAIL_FROM),
        ];
        let set = others.into_iter().find(|(is_set, _)| *is_set);
        return set.map_or(Ok(None), |(_, setting)| wrong(MailMistake::NoServer(setting.key)));
    };
    let security = security.unwrap_or(Security::Starttls);
    let Some(from) = from else { return wrong(MailMistake::Alone(&SMTP_SERVER, &MAIL_FROM)) };
    if security == Security::Clear && !is_loopback(&host) {
        return wrong(MailMistake::Readable(host));
    }
    if security == Security::Clear && ca_file.is_some() {
        return wrong(MailMistake::NothingToTrust);
    }
    let account = match (user, password_file) {
        (Some(user), Some(password_file)) => Some(MailAccount { user, password_file }),
        (Some(_), None) => return wrong(MailMistake::Alone(&SMTP_USER, &SMTP_PASSWORD_FILE)),
        (None, Some(_)) => return wrong(MailMistake::Alone(&SMTP_PASSWORD_FILE, &SMTP_USER)),
        (None, None) => None,
    };
    let server = MailServer { host, port: port.unwrap_or(security.port()) };
    Ok(Some(MailSettings { server, security, account, ca_file, from }))
}

pub(super) fn parse_server(text: &str) -> Result<(String, Option<u16>), BadInput> {
    let no = BadInput("write a host, or host:port, like mail.example.org or mail.example.org:587");
    // An IPv6 address alone is full of colons and has no port.
    let (host, port) = match text.parse::<Ipv6Addr>() {
        Ok(_) => (text, None),
        Err(_) => split_port(text).ok_or(no)?,
    };
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(address) => Ok((address.to_string(), port)),
        Err(_) => canonical_host(host).filter(|host| !host.starts_with('[')).map(|host| (host, port)).ok_or(no),
    }
}

/// Whether what is sent to this host stays on this machine. Other names below `localhost` can be asked of the network.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

pub(super) fn parse_path(text: &str) -> Result<PathBuf, BadInput> {
    if text.is_empty() { Err(BadInput("write the path of a file")) } else { Ok(PathBuf::from(text)) }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::super::{Config, ConfigFile, Flags, Variables};
    use super::*;

    fn merged(text: &str) -> Result<Option<MailSettings>, String> {
        let (flags, variables) = (Flags::default(), Variables::default());
        let file = ConfigFile::locate(&flags.place, &variables);
        let sources = Sources::new(&flags, &variables, Some((&file, text))).unwrap();
        Config::merge(&sources, NonZeroUsize::MIN).map(|config| config.mail).map_err(|e| e.to_string())
    }

    /// A server with an account, and what is further set.
    fn with(more: &str) -> Result<MailSettings, String> {
        let base = "smtp_server = \"mail.fernhill.example\"\nmail_from = \"idp@fernhill.example\"\n";
        merged(&format!("{base}{more}")).map(Option::unwrap)
    }

    #[test]
    fn a_server_and_an_address_are_enough_and_encryption_is_required_then() {
        assert_eq!(merged(""), Ok(None));
        let mail = with("").unwrap();
        assert_eq!(
            (mail.server.to_string().as_str(), mail.security),
            ("mail.fernhill.example:587", Security::Starttls)
        );
        assert_eq!((mail.from.as_str(), mail.account, mail.ca_file), ("idp@fernhill.example", None, None));
        let tls = with("smtp_security = \"tls\"").unwrap();
        assert_eq!((tls.server.port, tls.security), (465, Security::Tls));
    }

    #[test]
    fn paths_count_from_the_data_folder() {
        let mail = with("smtp_user = \"idp\"\nsmtp_password_file = \"mail.password\"\nsmtp_ca_file = \"/etc/ca.pem\"");
        let mail = mail.unwrap();
        assert_eq!(mail.account.unwrap().password_file, Path::new("./idp-data/mail.password"));
        assert_eq!(mail.ca_file.unwrap(), Path::new("/etc/ca.pem"));
    }

    #[test]
    fn a_server_is_a_name_or_an_address_with_a_port_or_without() {
        let read = |text| {
            let (host, port) = parse_server(text)?;
            Ok::<_, BadInput>(MailServer { host, port: port.unwrap_or(1) }.to_string())
        };
        for (typed, server) in [
            ("Mail.Fernhill.example", "mail.fernhill.example:1"),
            ("mail.fernhill.example:2525", "mail.fernhill.example:2525"),
            ("192.0.2.7:25", "192.0.2.7:25"),
            ("::1", "[::1]:1"),
            ("[::1]", "[::1]:1"),
            ("[2001:db8::7]:587", "[2001:db8::7]:587"),
        ] {
            assert_eq!(read(typed).as_deref(), Ok(server), "{typed}");
        }
        for bad in
            ["", "mail.example:0", "mail.example:x", "smtp://mail.example", "a b", "mail.example/x", "a@b", ":25"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn settings_that_do_not_go_together_are_told_with_what_to_do() {
        let told = |result: Result<_, String>, what: &str| {
            let said: String = result.map(|_: MailSettings| ()).unwrap_err();
            assert!(said.contains(what), "{said}");
        };
        let alone = |text: &str| merged(text).map(Option::unwrap);
        told(alone("smtp_server = \"mail.x.example\""), "set mail_from (--mail-from, or IDP_MAIL_FROM) as well");
        for key in
            ["smtp_security = \"tls\"", "smtp_user = \"u\"", "smtp_password_file = \"f\"", "smtp_ca_file = \"f\""]
        {
            told(alone(key), "smtp_server is not, so no mail would be sent: set both or neither");
        }
        told(alone("mail_from = \"idp@x.example\""), "mail_from is set and smtp_server is not");
        told(with("smtp_user = \"idp\""), "smtp_user is set, so set smtp_password_file");
        told(with("smtp_password_file = \"f\""), "smtp_password_file is set, so set smtp_user");
        told(with("smtp_security = \"none\""), "mail.fernhill.example is not this machine");
        let local = "smtp_server = \"127.0.0.1\"\nsmtp_security = \"none\"\nmail_from = \"idp@x.example\"\n";
        assert_eq!(alone(local).unwrap().server.to_string(), "127.0.0.1:25");
        told(alone(&format!("{local}smtp_ca_file = \"f\"")), "leave out smtp_ca_file");
        told(alone("smtp_security = \"opportunistic\""), "write starttls, tls or none");
        told(with("smtp_user = \"\""), "write 1 to 254 characters");
        told(alone("mail_from = \"idp\""), "write an e-mail address");
        // Whoever writes the password itself there is told so, and not what they wrote.
        let said = merged("smtp_password = \"hunter2\"").unwrap_err();
        assert!(said.contains("did you mean “smtp_password_file”?") && !said.contains("hunter2"), "{said}");
    }

    #[test]
    fn a_server_on_this_machine_needs_no_encryption_however_it_is_named() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]:25"] {
            let text = format!("smtp_server = \"{host}\"\nsmtp_security = \"none\"\nmail_from = \"idp@x.example\"");
            assert!(merged(&text).is_ok(), "{host}");
        }
        for host in ["localhost.example.org", "mail.localhost", "10.0.0.1", "::2", "0.0.0.0"] {
            let text = format!("smtp_server = \"{host}\"\nsmtp_security = \"none\"\nmail_from = \"idp@x.example\"");
            assert!(merged(&text).is_err(), "{host}");
        }
    }
}

//! The settings of where the trail is sent to, which only make sense together. An address that somebody was given to post
//! to can hold a secret in its path: no error repeats it, and nothing shows more of it than the host.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::mail::{is_loopback, parse_path, parse_server};
use super::{
    ConfigError, SYSLOG, SYSLOG_CA_FILE, SYSLOG_SEND, Setting, Sources, WEBHOOK, WEBHOOK_CA_FILE, WEBHOOK_SECRET_FILE,
};
use crate::users::BadInput;

/// How syslog messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One datagram a message (RFC 5426). Nobody notices one that is lost.
    Udp,
    /// A connection (RFC 6587, octet counting).
    Tcp,
    /// An encrypted one to a server whose certificate is trusted (RFC 5425).
    Tls,
}

impl Way {
    /// The word before `://`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Udp => 514,
            Self::Tcp => 601,
            Self::Tls => 6514,
        }
    }
}

/// The syslog server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogSettings {
    /// How messages travel.
    pub way: Way,
    /// A name or an address (IPv6 without brackets), as its certificate has it.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// See [`SYSLOG_CA_FILE`].
    pub ca_file: Option<PathBuf>,
    /// Whether entries go there, or checkpoints alone: [`SYSLOG_SEND`].
    pub entries: bool,
}

impl SyslogSettings {
    /// Whether it is this machine's own, which can be rewritten with the rest of it.
    pub fn is_here(&self) -> bool {
        is_loopback(&self.host)
    }
}

impl fmt::Display for SyslogSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.way.as_str(), bracketed(&self.host), self.port)
    }
}

/// The receiver of HTTP requests. The secret is in none of it, only the name of the file that holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Whether it is encrypted: always, but for a receiver on this machine.
    pub https: bool,
    /// A name or an address (IPv6 without brackets), as its certificate has it.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// Path and query, as they are sent.
    pub path: String,
    /// See [`WEBHOOK_SECRET_FILE`].
    pub secret_file: PathBuf,
    /// See [`WEBHOOK_CA_FILE`].
    pub ca_file: Option<PathBuf>,
}

impl WebhookSettings {
    /// Host and port as a request names them.
    pub fn authority(&self) -> String {
        let host = bracketed(&self.host);
        if self.port == self.usual_port() { host } else { format!("{host}:{}", self.port) }
    }

    const fn usual_port(&self) -> u16 {
        if self.https { 443 } else { 80 }
    }
}

/// Without the path, which can hold a secret.
impl fmt::Display for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.authority())
    }
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[webhook to {self}]")
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// Which of these settings do not go together; each says what to do.
#[derive(Debug)]
pub enum StreamMistake {
    /// The first is set, and not what it is for.
    Alone(&'static Setting, &'static Setting),
    /// The first asks for the second.
    Missing(&'static Setting, &'static Setting),
    /// Nothing is encrypted, so no certificate is looked at.
    NothingToTrust(&'static Setting),
    /// What is wrong with the address, which is not repeated.
    Webhook(BadInput),
}

impl fmt::Display for StreamMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alone(set, wanted) => {
                write!(f, "{} is set and {} is not, so nothing would be sent: set both or neither", set.key, wanted.key)
            }
            Self::Missing(set, wanted) => write!(
                f,
                "{} is set, so set {} (--{}, or {}) as well: {}",
                set.key,
                wanted.key,
                wanted.key.replace('_', "-"),
                wanted.variable,
                wanted.sentence
            ),
            Self::NothingToTrust(setting) => write!(
                f,
                "{} is set, and on that way nothing is encrypted, so no certificate is looked at: leave it out, or write \
                 tls:// or https://",
                setting.key
            ),
            Self::Webhook(instead) => write!(f, "{}: {instead}", WEBHOOK.key),
        }
    }
}

/// Where the trail is sent to; `None` where it is not.
pub(super) fn merge(
    sources: &Sources<'_>,
    data: &Path,
) -> Result<(Option<SyslogSettings>, Option<WebhookSettings>), ConfigError> {
    Ok((syslog(sources, data)?, webhook(sources, data)?))
}

fn file(sources: &Sources<'_>, data: &Path, setting: &Setting) -> Result<Option<PathBuf>, ConfigError> {
    Ok(sources.read(setting, parse_path)?.map(|path| data.join(path)))
}

fn syslog(sources: &Sources<'_>, data: &Path) -> Result<Option<SyslogSettings>, ConfigError> {
    let wrong = |mistake| Err(ConfigError::Stream(mistake));
    let server = sources.read(&SYSLOG, parse_syslog)?;
    let send = sources.read(&SYSLOG_SEND, |text| match text {
        "entries" => Ok(true),
        "checkpoints" => Ok(false),
        _ => Err(BadInput("write entries or checkpoints")),
    })?;
    let ca_file = file(sources, data, &SYSLOG_CA_FILE)?;
    let Some((way, host, port)) = server else {
        let set = [(send.is_some(), &SYSLOG_SEND), (ca_file.is_some(), &SYSLOG_CA_FILE)];
        let set = set.into_iter().find(|(is_set, _)| *is_set);
        return set.map_or(Ok(None), |(_, setting)| wrong(StreamMistake::Alone(setting, &SYSLOG)));
    };
    if ca_file.is_some() && way != Way::Tls {
        return wrong(StreamMistake::NothingToTrust(&SYSLOG_CA_FILE));
    }
    Ok(Some(SyslogSettings { way, host, port, ca_file, entries: send.unwrap_or(true) }))
}

fn parse_syslog(text: &str) -> Result<(Way, String, u16), BadInput> {
    let no =
        BadInput("write udp://, tcp:// or tls:// and a host, with a port or without, like tls://logs.example.org:6514");
    let (way, rest) = text.split_once("://").ok_or(no)?;
    let way = [Way::Udp, Way::Tcp, Way::Tls].into_iter().find(|w| w.as_str().eq_ignore_ascii_case(way)).ok_or(no)?;
    let (host, port) = parse_server(rest.strip_suffix('/').unwrap_or(rest)).map_err(|_| no)?;
    Ok((way, host, port.unwrap_or(way.port())))
}

fn webhook(sources: &Sources<'_>, data: &Path) -> Result<Option<WebhookSettings>, ConfigError> {
    let wrong = |mistake| Err(ConfigError::Stream(mistake));
    let url = sources.read(&WEBHOOK, |text| Ok(text.to_owned()))?;
    let (secret_file, ca_file) = (file(sources, data, &WEBHOOK_SECRET_FILE)?, file(sources, data, &WEBHOOK_CA_FILE)?);
    let Some(url) = url else {
        let set = [(secret_file.is_some(), &WEBHOOK_SECRET_FILE), (ca_file.is_some(), &WEBHOOK_CA_FILE)];
        let set = set.into_iter().find(|(is_set, _)| *is_set);
        return set.map_or(Ok(None), |(_, setting)| wrong(StreamMistake::Alone(setting, &WEBHOOK)));
    };
    let Url { https, host, port, path } = url.parse().map_err(|e| ConfigError::Stream(StreamMistake::Webhook(e)))?;
    let Some(secret_file) = secret_file else {
        return wrong(StreamMistake::Missing(&WEBHOOK, &WEBHOOK_SECRET_FILE));
    };
    if ca_file.is_some() && !https {
        return wrong(StreamMistake::NothingToTrust(&WEBHOOK_CA_FILE));
    }
    Ok(Some(WebhookSettings { https, host, port, path, secret_file, ca_file }))
}

/// An address to post to.
struct Url {
    https: bool,
    host: String,
    port: u16,
    path: String,
}

impl FromStr for Url {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let no = BadInput("write an address like https://hooks.example.org/idp");
        let (scheme, rest) = text.split_once("://").ok_or(no)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(no),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(BadInput("leave out user name and password: the receiver knows us by the signature"));
        }
        if path.contains('#') {
            return Err(BadInput("leave out # and what follows: it is never sent"));
        }
        if !path.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(BadInput("write what is neither a Latin letter, a digit nor a mark as %XX"));
        }
        let (host, port) = parse_server(authority).map_err(|_| no)?;
        if !https && !is_loopback(&host) {
            return Err(BadInput(
                "use https: plain http is for a receiver on this machine alone, since entries would be readable on the way",
            ));
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { https, host, port: port.unwrap_or(if https { 443 } else { 80 }), path })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::super::{Config, ConfigFile, Flags, Variables};
    use super::*;

    fn merged(text: &str) -> Result<Config, String> {
        let (flags, variables) = (Flags::default(), Variables::default());
        let file = ConfigFile::locate(&flags.place, &variables);
        let sources = Sources::new(&flags, &variables, Some((&file, text))).unwrap();
        Config::merge(&sources, NonZeroUsize::MIN).map_err(|e| e.to_string())
    }

    fn syslog(text: &str) -> Result<String, String> {
        merged(&format!("syslog = \"{text}\"")).map(|c| c.syslog.unwrap().to_string())
    }

    fn webhook(text: &str) -> Result<WebhookSettings, String> {
        merged(&format!("webhook = \"{text}\"\nwebhook_secret_file = \"s\"")).map(|c| c.webhook.unwrap())
    }

    #[test]
    fn a_syslog_server_is_a_way_a_host_and_a_port_or_the_usual_one() {
        for (typed, server) in [
            ("udp://logs.example.org", "udp://logs.example.org:514"),
            ("TCP://Logs.example.org/", "tcp://logs.example.org:601"),
            ("tls://192.0.2.7", "tls://192.0.2.7:6514"),
            ("tls://[2001:db8::7]:7000", "tls://[2001:db8::7]:7000"),
        ] {
            assert_eq!(syslog(typed).as_deref(), Ok(server));
        }
        for bad in ["", "logs.example.org", "http://logs.example.org", "tls://", "tls://a:0", "tls://a/b", "tls://u@a"]
        {
            assert!(syslog(bad).unwrap_err().contains("write udp://, tcp:// or tls:// and a host"), "{bad}");
        }
        assert!(merged("syslog = \"udp://localhost\"").unwrap().syslog.unwrap().is_here());
        let send = |word: &str| merged(&format!("syslog = \"udp://a\"\nsyslog_send = \"{word}\""));
        assert!(!send("checkpoints").unwrap().syslog.unwrap().entries);
        assert!(send("all").unwrap_err().contains("write entries or checkpoints"));
    }

    #[test]
    fn a_webhook_is_https_or_on_this_machine_and_its_path_is_shown_nowhere() {
        let hook = webhook("https://Hooks.example.org:443/services/T0/secret?token=x").unwrap();
        assert_eq!((hook.authority().as_str(), hook.port), ("hooks.example.org", 443));
        assert_eq!(hook.path, "/services/T0/secret?token=x");
        assert_eq!(hook.secret_file, Path::new("./idp-data/s"));
        assert_eq!(format!("{hook} {hook:?}"), "https://hooks.example.org [webhook to https://hooks.example.org]");
        let here = webhook("http://127.0.0.1:9000").unwrap();
        assert_eq!((here.to_string().as_str(), here.path.as_str()), ("http://127.0.0.1:9000", "/"));
        assert_eq!(webhook("https://[::1]:8443/?q").unwrap().authority(), "[::1]:8443");
        for (bad, told) in [
            ("http://hooks.example.org/secret", "use https"),
            ("ftp://hooks.example.org/secret", "write an address like"),
            ("hooks.example.org/secret", "write an address like"),
            ("https:///secret", "write an address like"),
            ("https://me:secret@hooks.example.org/", "leave out user name and password"),
            ("https://hooks.example.org/#secret", "leave out #"),
            ("https://hooks.example.org/secret å", "as %XX"),
        ] {
            let said = webhook(bad).unwrap_err();
            assert!(said.contains(told) && !said.contains("secret ") && !said.contains("/secret"), "{said}");
        }
    }

    #[test]
    fn settings_that_do_not_go_together_are_told_with_what_to_do() {
        let told = |text: &str, what: &str| {
            let said = merged(text).unwrap_err();
            assert!(said.contains(what), "{said}");
        };
        told("syslog_send = \"entries\"", "syslog_send is set and syslog is not, so nothing would be sent");
        told("syslog_ca_file = \"f\"", "syslog_ca_file is set and syslog is not");
        told("syslog = \"tcp://a\"\nsyslog_ca_file = \"f\"", "so no certificate is looked at: leave it out");
        told("webhook_secret_file = \"f\"", "webhook_secret_file is set and webhook is not");
        told("webhook_ca_file = \"f\"", "webhook_ca_file is set and webhook is not");
        told("webhook = \"https://a\"", "set webhook_secret_file (--webhook-secret-file, or IDP_WEBHOOK_SECRET_FILE)");
        let clear = "webhook = \"http://localhost\"\nwebhook_secret_file = \"f\"\nwebhook_ca_file = \"f\"";
        told(clear, "webhook_ca_file is set, and on that way nothing is encrypted");
    }
}

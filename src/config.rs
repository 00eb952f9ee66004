//! Every setting: its name, its variable, its default, its sentence; and how one configuration comes of the sources.
//!
//! Flags win over `IDP_…` variables, those over `idp.toml`, that over the defaults. A name that is not known is an
//! error and not ignored: a misspelt setting would silently be the default. Architecture invariant: nothing here reads
//! a file or the environment; who does hands over what was read.

pub mod addresses;
pub mod error;
pub mod flags;
pub mod mail;
pub mod public_url;
pub mod sources;
pub mod streams;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

pub use addresses::{Cidr, client_address};
pub use error::{ConfigError, Origin};
pub use flags::{Flags, Place};
pub use mail::{MailAccount, MailMistake, MailServer, MailSettings, Security};
pub use public_url::PublicUrl;
pub use sources::{ConfigFile, Sources, Variables};
pub use streams::{StreamMistake, SyslogSettings, Way, WebhookSettings};

use crate::users::{BadInput, invisible};

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name in `idp.toml`; the flag has dashes in place of the underscores.
    pub key: &'static str,
    /// Its environment variable.
    pub variable: &'static str,
    /// What holds when it is not set, in words where it depends on something.
    pub default: &'static str,
    /// What it is for.
    pub sentence: &'static str,
    /// Sentence, variable and default in one, for `--help`.
    pub help: &'static str,
}

macro_rules! setting {
    ($(#[$doc:meta])* $name:ident, $key:literal, $variable:literal, $default:literal, $sentence:literal) => {
        $(#[$doc])*
        pub const $name: Setting = Setting {
            key: $key,
            variable: $variable,
            default: $default,
            sentence: $sentence,
            help: concat!($sentence, " [default: ", $default, "; or ", $variable, "]"),
        };
    };
}

setting!(
    /// The data folder.
    DATA, "data", "IDP_DATA", "./idp-data", "The folder that holds the database and the keys"
);
setting!(
    /// The address to listen on.
    LISTEN, "listen", "IDP_LISTEN", "127.0.0.1:8080", "The address and port on which to wait for requests"
);
setting!(
    /// The address in browsers.
    PUBLIC_URL, "public_url", "IDP_PUBLIC_URL", "http://localhost and the port, on a loopback address",
    "The address under which browsers reach this server; https but for localhost, without a path"
);
setting!(
    /// The proxies that are believed.
    TRUSTED_PROXY, "trusted_proxy", "IDP_TRUSTED_PROXY", "none",
    "Addresses or networks, with commas between, of proxies whose X-Forwarded-For header is believed"
);
setting!(
    /// Whose accounts these are.
    ORGANISATION, "organisation", "IDP_ORGANISATION", "idp",
    "The name of the organisation, as pages and authenticator apps show it"
);
setting!(
    /// Whom to ask for help.
    HELP_CONTACT, "help_contact", "IDP_HELP_CONTACT", "none",
    "Whom to call after losing one's phone, as the sign-in page says it: “the office, extension 12”"
);
setting!(
    /// The workers that hash passwords.
    HASH_WORKERS, "hash_workers", "IDP_HASH_WORKERS", "one for each core",
    "How many passwords are checked at the same time (1 to 64); each takes 19 MiB of memory"
);

setting!(
    /// How much the log says.
    LOG_LEVEL, "log_level", "IDP_LOG_LEVEL", "info",
    "How much is logged: error, warn, info (each request) or debug (also health checks, stylesheets)"
);

setting!(
    /// Who takes mail for people.
    SMTP_SERVER, "smtp_server", "IDP_SMTP_SERVER", "none",
    "The mail server that takes messages to people, as host or host:port; without one no mail is sent"
);
setting!(
    /// How the way to the mail server is protected.
    SMTP_SECURITY, "smtp_security", "IDP_SMTP_SECURITY", "starttls",
    "How mail is encrypted on its way there: starttls (port 587), tls (port 465), or none (port 25), for a server on this machine"
);
setting!(
    /// The account at the mail server.
    SMTP_USER, "smtp_user", "IDP_SMTP_USER", "none", "The name with which to sign in at the mail server"
);
setting!(
    /// The password of that account.
    SMTP_PASSWORD_FILE, "smtp_password_file", "IDP_SMTP_PASSWORD_FILE", "none",
    "The file with the password for that, which nobody else may read; a relative path counts from the data folder"
);
setting!(
    /// Who vouches for an own mail server.
    SMTP_CA_FILE, "smtp_ca_file", "IDP_SMTP_CA_FILE", "none",
    "For a mail server of your own: a PEM file with the certificate of who issued its one; no other is then trusted"
);
setting!(
    /// Whom mail is from.
    MAIL_FROM, "mail_from", "IDP_MAIL_FROM", "none", "The address that mail comes from; needed with smtp_server"
);

setting!(
    /// Where the trail goes as syslog messages.
    SYSLOG, "syslog", "IDP_SYSLOG", "none",
    "The syslog server on another machine that gets the audit trail, as udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT"
);
setting!(
    /// How much of it goes there.
    SYSLOG_SEND, "syslog_send", "IDP_SYSLOG_SEND", "entries",
    "What it gets: entries (each of them, and checkpoints) or checkpoints (signed words on how far the trail has come)"
);
setting!(
    /// Who vouches for an own syslog server.
    SYSLOG_CA_FILE, "syslog_ca_file", "IDP_SYSLOG_CA_FILE", "none",
    "For tls to a syslog server of your own: a PEM file with the certificate of who issued its one; no other is then trusted"
);
setting!(
    /// Where the trail goes as HTTP requests.
    WEBHOOK, "webhook", "IDP_WEBHOOK", "none",
    "The https address to which each entry of the audit trail is posted, signed as Standard Webhooks says"
);
setting!(
    /// The secret that signs them.
    WEBHOOK_SECRET_FILE, "webhook_secret_file", "IDP_WEBHOOK_SECRET_FILE", "none",
    "The file with the secret for that (whsec_…), which nobody else may read; a relative path counts from the data folder"
);
setting!(
    /// Who vouches for an own receiver.
    WEBHOOK_CA_FILE, "webhook_ca_file", "IDP_WEBHOOK_CA_FILE", "none",
    "For a webhook of your own: a PEM file with the certificate of who issued its one; no other is then trusted"
);

/// All settings, in the order in which documentation lists them.
pub const SETTINGS: [Setting; 20] = [
    DATA,
    LISTEN,
    PUBLIC_URL,
    TRUSTED_PROXY,
    ORGANISATION,
    HELP_CONTACT,
    HASH_WORKERS,
    LOG_LEVEL,
    SMTP_SERVER,
    SMTP_SECURITY,
    SMTP_USER,
    SMTP_PASSWORD_FILE,
    SMTP_CA_FILE,
    MAIL_FROM,
    SYSLOG,
    SYSLOG_SEND,
    SYSLOG_CA_FILE,
    WEBHOOK,
    WEBHOOK_SECRET_FILE,
    WEBHOOK_CA_FILE,
];

/// All settings as a table in Markdown, one a row.
pub fn reference() -> String {
    let mut table = String::from("| in `idp.toml` | flag | variable | default | what it is |\n|---|---|---|---|---|\n");
    for Setting { key, variable, default, sentence, .. } in &SETTINGS {
        let flag = key.replace('_', "-");
        table.push_str(&format!("| `{key}` | `--{flag}` | `{variable}` | {default} | {sentence} |\n"));
    }
    table
}

/// The variable that names the configuration file, which therefore is no setting of its own.
pub const CONFIG_VARIABLE: &str = "IDP_CONFIG";
/// The configuration file's name in the data folder.
pub const CONFIG_FILE: &str = "idp.toml";
const MAX_HASH_WORKERS: usize = 64;

/// The configuration, each value checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// See [`DATA`].
    pub data: PathBuf,
    /// See [`LISTEN`].
    pub listen: SocketAddr,
    /// See [`PUBLIC_URL`]. `None` only where `listen` is a loopback address.
    pub public_url: Option<PublicUrl>,
    /// See [`TRUSTED_PROXY`].
    pub trusted_proxy: Vec<Cidr>,
    /// See [`ORGANISATION`]. 1 to 100 characters on one line.
    pub organisation: String,
    /// See [`HELP_CONTACT`]. 1 to 200 characters on one line.
    pub help_contact: Option<String>,
    /// See [`HASH_WORKERS`].
    pub hash_workers: NonZeroUsize,
    /// See [`LOG_LEVEL`].
    pub log_level: tracing::Level,
    /// How mail is sent, if it is.
    pub mail: Option<MailSettings>,
    /// Where the trail goes as syslog messages, if it does.
    pub syslog: Option<SyslogSettings>,
    /// Where it goes as HTTP requests, if it does.
    pub webhook: Option<WebhookSettings>,
}

impl Config {
    /// One configuration from all sources. `cores` is how many processors this process may use.
    ///
    /// # Errors
    /// The first name that is not known or value that can not be taken, with where it was set.
    pub fn merge(sources: &Sources<'_>, cores: NonZeroUsize) -> Result<Self, ConfigError> {
        sources.refuse_unknown_keys()?;
        let listen = sources.read(&LISTEN, parse_listen)?.unwrap_or(DEFAULT_LISTEN);
        let public_url = sources.read(&PUBLIC_URL, str::parse::<PublicUrl>)?;
        if public_url.is_none() && PublicUrl::of_loopback(listen).is_none() {
            return Err(ConfigError::NoPublicUrl(listen));
        }
        let data = sources.data_folder()?;
        let mail = mail::merge(sources, &data)?;
        let (syslog, webhook) = streams::merge(sources, &data)?;
        let most = NonZeroUsize::new(MAX_HASH_WORKERS).unwrap_or(NonZeroUsize::MIN);
        Ok(Self {
            data,
            listen,
            public_url,
            trusted_proxy: sources.read(&TRUSTED_PROXY, parse_networks)?.unwrap_or_default(),
            organisation: sources
                .read(&ORGANISATION, |text| one_line(text, 100, BadInput("write 1 to 100 characters")))?
                .unwrap_or_else(|| ORGANISATION.default.to_owned()),
            help_contact: sources
                .read(&HELP_CONTACT, |text| one_line(text, 200, BadInput("write 1 to 200 characters")))?,
            hash_workers: sources.read(&HASH_WORKERS, parse_workers)?.unwrap_or(cores.min(most)),
            log_level: sources.read(&LOG_LEVEL, parse_level)?.unwrap_or(tracing::Level::INFO),
            mail,
            syslog,
            webhook,
        })
    }

    /// The public URL of a server that listens on `bound`, which differs from `listen` where that asked for any port.
    pub fn public_url_at(&self, bound: SocketAddr) -> PublicUrl {
        let on_loopback = || PublicUrl::of_loopback(SocketAddr::new(DEFAULT_LISTEN.ip(), bound.port()));
        self.public_url.clone().or_else(on_loopback).expect("127.0.0.1 is a loopback address")
    }
}

/// [`LISTEN`]'s default.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

fn parse_listen(text: &str) -> Result<SocketAddr, BadInput> {
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| BadInput("write an address and a port, like 127.0.0.1:8080 or [::]:8443"))
}

fn parse_networks(text: &str) -> Result<Vec<Cidr>, BadInput> {
    text.split([',', ' ']).filter(|part| !part.is_empty()).map(str::parse).collect()
}

fn parse_workers(text: &str) -> Result<NonZeroUsize, BadInput> {
    let workers = text.parse::<NonZeroUsize>().ok().filter(|n| n.get() <= MAX_HASH_WORKERS);
    workers.ok_or(BadInput("write a number from 1 to 64"))
}

fn parse_level(text: &str) -> Result<tracing::Level, BadInput> {
    use tracing::Level;
    let known = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG];
    let level = known.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text));
    level.ok_or(BadInput("write error, warn, info or debug"))
}

/// `text` on one line, of at most `most` characters; `length` is what to say otherwise.
fn one_line(text: &str, most: usize, length: BadInput) -> Result<String, BadInput> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most {
        return Err(length);
    }
    if text.chars().any(|c| c.is_control() || invisible(c)) {
        return Err(BadInput("write it on one line, without invisible characters"));
    }
    Ok(text.to_owned())
}

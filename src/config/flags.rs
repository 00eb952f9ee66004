//! What can be set on the command line.

use std::path::PathBuf;

use super::{
    DATA, HASH_WORKERS, HELP_CONTACT, LISTEN, LOG_LEVEL, MAIL_FROM, ORGANISATION, PUBLIC_URL, SMTP_CA_FILE,
    SMTP_PASSWORD_FILE, SMTP_SECURITY, SMTP_SERVER, SMTP_USER, SYSLOG, SYSLOG_CA_FILE, SYSLOG_SEND, TRUSTED_PROXY,
    WEBHOOK, WEBHOOK_CA_FILE, WEBHOOK_SECRET_FILE,
};

/// Where the data is: the flags that every command takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Place {
    /// The data folder.
    #[arg(long, value_name = "DIR", help = DATA.help)]
    pub data: Option<PathBuf>,
    /// The configuration file.
    #[arg(
        long,
        value_name = "FILE",
        help = "The configuration file [default: idp.toml in the data folder; or IDP_CONFIG]"
    )]
    pub config: Option<PathBuf>,
}

/// What was set by flags; nothing is judged yet.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Flags {
    /// Where the data is.
    #[command(flatten)]
    pub place: Place,
    /// See [`LISTEN`].
    #[arg(long, value_name = "ADDR:PORT", help = LISTEN.help)]
    pub listen: Option<String>,
    /// See [`PUBLIC_URL`].
    #[arg(long, value_name = "URL", help = PUBLIC_URL.help)]
    pub public_url: Option<String>,
    /// See [`TRUSTED_PROXY`].
    #[arg(long, value_name = "LIST", help = TRUSTED_PROXY.help)]
    pub trusted_proxy: Option<String>,
    /// See [`ORGANISATION`].
    #[arg(long, value_name = "NAME", help = ORGANISATION.help)]
    pub organisation: Option<String>,
    /// See [`HELP_CONTACT`].
    #[arg(long, value_name = "TEXT", help = HELP_CONTACT.help)]
    pub help_contact: Option<String>,
    /// See [`HASH_WORKERS`].
    #[arg(long, value_name = "N", help = HASH_WORKERS.help)]
    pub hash_workers: Option<String>,
    /// See [`LOG_LEVEL`].
    #[arg(long, value_name = "LEVEL", help = LOG_LEVEL.help)]
    pub log_level: Option<String>,
    /// See [`SMTP_SERVER`].
    #[arg(long, value_name = "HOST:PORT", help = SMTP_SERVER.help)]
    pub smtp_server: Option<String>,
    /// See [`SMTP_SECURITY`].
    #[arg(long, value_name = "WORD", help = SMTP_SECURITY.help)]
    pub smtp_security: Option<String>,
    /// See [`SMTP_USER`].
    #[arg(long, value_name = "NAME", help = SMTP_USER.help)]
    pub smtp_user: Option<String>,
    /// See [`SMTP_PASSWORD_FILE`].
    #[arg(long, value_name = "FILE", help = SMTP_PASSWORD_FILE.help)]
    pub smtp_password_file: Option<String>,
    /// See [`SMTP_CA_FILE`].
    #[arg(long, value_name = "FILE", help = SMTP_CA_FILE.help)]
    pub smtp_ca_file: Option<String>,
    /// See [`MAIL_FROM`].
    #[arg(long, value_name = "ADDRESS", help = MAIL_FROM.help)]
    pub mail_from: Option<String>,
    /// See [`SYSLOG`].
    #[arg(long, value_name = "WAY://HOST:PORT", help = SYSLOG.help)]
    pub syslog: Option<String>,
    /// See [`SYSLOG_SEND`].
    #[arg(long, value_name = "WORD", help = SYSLOG_SEND.help)]
    pub syslog_send: Option<String>,
    /// See [`SYSLOG_CA_FILE`].
    #[arg(long, value_name = "FILE", help = SYSLOG_CA_FILE.help)]
    pub syslog_ca_file: Option<String>,
    /// See [`WEBHOOK`].
    #[arg(long, value_name = "URL", help = WEBHOOK.help)]
    pub webhook: Option<String>,
    /// See [`WEBHOOK_SECRET_FILE`].
    #[arg(long, value_name = "FILE", help = WEBHOOK_SECRET_FILE.help)]
    pub webhook_secret_file: Option<String>,
    /// See [`WEBHOOK_CA_FILE`].
    #[arg(long, value_name = "FILE", help = WEBHOOK_CA_FILE.help)]
    pub webhook_ca_file: Option<String>,
}

impl Flags {
    /// The text given for a setting. The data folder is no text and stands in [`Place`].
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let value = match key {
            "listen" => &self.listen,
            "public_url" => &self.public_url,
            "trusted_proxy" => &self.trusted_proxy,
            "organisation" => &self.organisation,
            "help_contact" => &self.help_contact,
            "hash_workers" => &self.hash_workers,
            "log_level" => &self.log_level,
            "smtp_server" => &self.smtp_server,
            "smtp_security" => &self.smtp_security,
            "smtp_user" => &self.smtp_user,
            "smtp_password_file" => &self.smtp_password_file,
            "smtp_ca_file" => &self.smtp_ca_file,
            "mail_from" => &self.mail_from,
            "syslog" => &self.syslog,
            "syslog_send" => &self.syslog_send,
            "syslog_ca_file" => &self.syslog_ca_file,
            "webhook" => &self.webhook,
            "webhook_secret_file" => &self.webhook_secret_file,
            "webhook_ca_file" => &self.webhook_ca_file,
            _ => return None,
        };
        value.as_deref()
    }
}

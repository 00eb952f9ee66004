//! Sending mail: one letter, one conversation with the mail server, and an answer that says what to do next.
//!
//! Architecture invariants: to a server that is to encrypt, nothing but the wish to do so is said in clear. A letter has
//! one recipient, whatever its names and words are. No error holds the password. Nothing here is tried twice: who sends
//! knows from [`Unsent`] whether to come back.

mod letter;
mod talk;

use std::fmt;
use std::path::Path;

use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use zeroize::Zeroizing;

pub use letter::Letter;
use talk::{Patience, Talk};

use super::files::read_private;
pub use super::tls::Unusable;
use super::tls::{no_certificates, read_ca, unreadable};
use crate::config::{MailAccount, MailServer, MailSettings, Security};
use crate::secret::Secret;

/// More than a password has.
const PASSWORD_LIMIT: u64 = 1024;

/// Why a letter was not sent, in a sentence, by what there is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsent {
    /// The server does not answer, or asked to come back: try again.
    Later(String),
    /// The server does not take this letter, or none for this recipient, and will not.
    Never(String),
    /// Somebody has to change a setting, here or there; then the same letter goes through.
    Settings(String),
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Later(why) | Self::Never(why) | Self::Settings(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for Unsent {}

/// The way to the mail server.
pub struct Smtp {
    server: MailServer,
    encryption: Encryption,
    account: Option<Account>,
    from: Mailbox,
    patience: Patience,
}

struct Account {
    user: String,
    password: Secret,
}

enum Encryption {
    Starttls(TlsParameters),
    Tls(TlsParameters),
    None,
}

impl Smtp {
    /// The way that the settings describe, for letters from `organisation`. Reads the files that they name.
    ///
    /// # Errors
    /// When one can not be read, when others may read the password, when a file holds no such thing.
    pub fn new(settings: &MailSettings, organisation: &str) -> Result<Self, Unusable> {
        let MailSettings { server, security, account, ca_file, from } = settings;
        let tls = || tls_parameters(&server.host, ca_file.as_deref());
        Ok(Self {
            encryption: match security {
                Security::Starttls => Encryption::Starttls(tls()?),
                Security::Tls => Encryption::Tls(tls()?),
                Security::Clear => Encryption::None,
            },
            account: account.as_ref().map(read_account).transpose()?,
            from: letter::mailbox(organisation, from)
                .map_err(|_| Unusable(format!("mail_from, {from}, is no address that mail can come from")))?,
            server: server.clone(),
            patience: Patience::default(),
        })
    }

    /// Sends one letter. Blocks until the server has taken it or the time for that is over.
    ///
    /// # Errors
    /// Why it was not sent. What the server answered may hold the recipient's address.
    pub fn send(&self, letter: &Letter) -> Result<(), Unsent> {
        let message = letter.to_message(&self.from).map_err(Unsent::Never)?;
        let mut talk = Talk::open(self)?;
        let sent = talk.hand_over(&message);
        talk.end();
        sent
    }

    /// Does all that comes before a letter: connects, encrypts, signs in.
    ///
    /// # Errors
    /// Why a letter would not be sent now.
    pub fn check(&self) -> Result<(), Unsent> {
        Talk::open(self).map(Talk::end)
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[mail through {}]", self.server)
    }
}

fn read_account(account: &MailAccount) -> Result<Account, Unusable> {
    let MailAccount { user, password_file } = account;
    let file = read_private(password_file, PASSWORD_LIMIT).map_err(unreadable)?;
    if let Some(exposure) = file.exposure {
        return Err(Unusable(exposure.to_string()));
    }
    let no = || Unusable(format!("{} must hold the password, on one line and nothing else", password_file.display()));
    let text = std::str::from_utf8(&file.contents).map_err(|_| no())?;
    // Editors end a file with a line break.
    let password =
        Zeroizing::new(text.strip_suffix('\n').map_or(text, |t| t.strip_suffix('\r').unwrap_or(t)).to_owned());
    if password.is_empty() || password.contains(char::is_control) {
        return Err(no());
    }
    Ok(Account { user: user.clone(), password: Secret::new(&**password) })
}

/// With TLS 1.2 or later; the certificate has to be good for `host`.
fn tls_parameters(host: &str, ca_file: Option<&Path>) -> Result<TlsParameters, Unusable> {
    let builder = TlsParameters::builder(host.to_owned());
    let Some(path) = ca_file else {
        let known = builder.certificate_store(CertificateStore::WebpkiRoots).build();
        return known.map_err(|e| Unusable(format!("TLS can not be used: {e}")));
    };
    let pem = read_ca(path)?;
    let no = || no_certificates(path);
    let certificates = Certificate::from_pem(&pem).map_err(|_| no())?;
    // Whoever runs their own mail server means that one: no public issuer can then vouch for another.
    let builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificates);
    builder.build().map_err(|_| no())
}

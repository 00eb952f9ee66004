//! Whether letters go out: the mail server is asked, and no letter is sent.

use super::Finding;
use crate::config::{Config, MailSettings, Security};
use crate::host::smtp::{Smtp, Unsent};

pub(super) fn look(config: &Config) -> Finding {
    let Some(mail) = &config.mail else {
        return Finding::ok(
            "no mail is sent, since smtp_server is not set: notices are shown at the next sign-in, and as letters to print",
        );
    };
    let smtp = match Smtp::new(mail, &config.organisation) {
        Ok(smtp) => smtp,
        Err(e) => return Finding::problem(format!("idp serve would not start: {e}")),
    };
    match smtp.check() {
        Ok(()) => Finding::ok(format!("mail goes out through {}, {}", mail.server, way(mail))),
        Err(Unsent::Later(why)) => Finding::warning(format!("mail does not go out now: {why}")),
        Err(Unsent::Settings(why) | Unsent::Never(why)) => Finding::problem(format!("mail does not go out: {why}")),
    }
}

/// How the server was spoken to.
fn way(mail: &MailSettings) -> String {
    let encrypted = match mail.security {
        Security::Starttls => "encrypted by STARTTLS with a certificate that is trusted",
        Security::Tls => "encrypted by TLS with a certificate that is trusted",
        Security::Clear => "not encrypted, on this machine",
    };
    let account = mail.account.as_ref().map_or(String::new(), |a| format!(" and signed in as {}", a.user));
    format!("{encrypted}{account}")
}

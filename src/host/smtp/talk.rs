//! One conversation with the mail server, step by step, so that an error says at which of them, and what to do.
//!
//! Architecture invariant: an answer counts only with the code that its command has for “yes”.

use std::error::Error as _;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;

use super::{Account, Encryption, Smtp, Unsent};
use crate::users::invisible;

/// How long to wait for a mail server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until it says the next thing.
    silence: Duration,
    /// For all of it. What follows the text of a letter may take what is left: servers look for spam then, and to give
    /// up on one that has taken the letter would mean to send it twice.
    whole: Duration,
    /// For its farewell, when everything is done.
    farewell: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { silence: seconds(20), whole: seconds(60), farewell: seconds(2) }
    }
}

/// How far the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Greeting,
    Encryption,
    SignIn,
    Sender,
    Recipient,
    Text,
}

/// A conversation that is encrypted and signed in as the settings want it.
pub(super) struct Talk<'a> {
    smtp: &'a Smtp,
    connection: SmtpConnection,
    until: Instant,
}

impl<'a> Talk<'a> {
    /// Connects, encrypts, signs in.
    pub(super) fn open(smtp: &'a Smtp) -> Result<Self, Unsent> {
        let until = Instant::now() + smtp.patience.whole;
        let at_once = match &smtp.encryption {
            Encryption::Tls(tls) => Some(tls),
            Encryption::Starttls(_) | Encryption::None => None,
        };
        let (host, port) = (smtp.server.host.as_str(), smtp.server.port);
        let silence = Some(smtp.patience.silence);
        let connection = SmtpConnection::connect((host, port), silence, &ClientId::default(), at_once, None)
            .map_err(|e| smtp.judge(Step::Greeting, &e))?;
        let mut talk = Self { smtp, connection, until };
        if let Encryption::Starttls(tls) = &smtp.encryption {
            talk.encrypt(tls)?;
        }
        if let Some(account) = &smtp.account {
            talk.sign_in(account)?;
        }
        Ok(talk)
    }

    fn encrypt(&mut self, tls: &TlsParameters) -> Result<(), Unsent> {
        let (smtp, server) = (self.smtp, &self.smtp.server);
        if !self.connection.server_info().supports_feature(Extension::StartTls) {
            return Err(Unsent::Settings(format!(
                "{server} offers no STARTTLS, and mail that is not encrypted is not sent: if it speaks TLS at once on \
                 another port, set smtp_security to tls and name that port"
            )));
        }
        self.wait(smtp.patience.silence)?;
        self.connection.starttls(tls, &ClientId::default()).map_err(|e| smtp.judge(Step::Encryption, &e))?;
        self.refuse_what_was_said_before()
    }

    /// The connection keeps what it had read when the encryption began. Somebody in between can put answers there that
    /// then pass for the server's own (RFC 3207 section 6), up to “your letter was taken”. One forged answer is
    /// noticed at the first code that does not fit; more of them lie there now, where nothing is to be read.
    fn refuse_what_was_said_before(&mut self) -> Result<(), Unsent> {
        self.set_timeout(Duration::from_millis(1))?;
        match self.connection.read_response() {
            Err(e) if io_error(&e).is_some_and(|e| matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)) => {
                Ok(())
            }
            Err(e) if io_error(&e).is_some() => Err(self.smtp.judge(Step::Encryption, &e)),
            _ => Err(Unsent::Settings(format!(
                "somebody between here and {} adds to what it says: nothing was sent",
                self.smtp.server
            ))),
        }
    }

    fn sign_in(&mut self, account: &Account) -> Result<(), Unsent> {
        let smtp = self.smtp;
        if self.connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
            return Err(Unsent::Settings(format!(
                "{} offers no sign-in with a password: leave out smtp_user and smtp_password_file if it wants none, or \
                 name the server and the port that it has for that",
                smtp.server
            )));
        }
        let credentials = Credentials::new(account.user.clone(), account.password.reveal().to_owned());
        self.wait(smtp.patience.silence)?;
        let answer = self.connection.auth(DEFAULT_MECHANISMS, &credentials);
        self.expect(Step::SignIn, 235, answer)
    }

    /// Gives the server a letter.
    pub(super) fn hand_over(&mut self, message: &Message) -> Result<(), Unsent> {
        let (from, to) = (message.envelope().from().cloned(), &message.envelope().to()[0]);
        let text = message.formatted();
        let info = self.connection.server_info();
        let mut parameters = Vec::new();
        let ascii = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
        if !(from.as_ref().is_none_or(ascii) && ascii(to)) {
            if !info.supports_feature(Extension::SmtpUtfEight) {
                let why = "takes no addresses with other than plain Latin letters";
                return Err(Unsent::Never(format!("{} {why}", self.smtp.server)));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        // Only such an address makes a letter so: all else is encoded. Who takes the one takes the other (RFC 6531).
        if !text.is_ascii() {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        self.say(Step::Sender, 250, Mail::new(from, parameters))?;
        self.say(Step::Recipient, 250, Rcpt::new(to.clone(), Vec::new()))?;
        self.say(Step::Text, 354, Data)?;
        self.wait(self.smtp.patience.whole)?;
        let answer = self.connection.message(&text);
        self.expect(Step::Text, 250, answer)
    }

    /// Takes leave. What the server says to that changes nothing.
    pub(super) fn end(mut self) {
        if self.set_timeout(self.smtp.patience.farewell).is_ok() {
            self.connection.abort();
        }
    }

    fn say(&mut self, step: Step, yes: u16, command: impl Display) -> Result<(), Unsent> {
        self.wait(self.smtp.patience.silence)?;
        let answer = self.connection.command(command);
        self.expect(step, yes, answer)
    }

    fn expect(&self, step: Step, yes: u16, answer: Result<Response, Error>) -> Result<(), Unsent> {
        let answer = answer.map_err(|e| self.smtp.judge(step, &e))?;
        // 251: it will be forwarded.
        if answer.has_code(yes) || (step == Step::Recipient && answer.has_code(251)) {
            return Ok(());
        }
        Err(Unsent::Later(format!("{} answered {} where that is no answer", self.smtp.server, answer.code())))
    }

    /// Lets the next step wait for as long as `most`, within what is left of the whole time.
    fn wait(&mut self, most: Duration) -> Result<(), Unsent> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Unsent::Later(format!("{} took too long", self.smtp.server)));
        }
        self.set_timeout(left.min(most))
    }

    fn set_timeout(&mut self, most: Duration) -> Result<(), Unsent> {
        let broken = |e: io::Error| Unsent::Later(format!("the connection to {} broke: {e}", self.smtp.server));
        self.connection.set_timeout(Some(most)).map_err(broken)
    }
}

impl Smtp {
    /// What an error at this step means for who sends.
    fn judge(&self, step: Step, e: &Error) -> Unsent {
        match (e.status(), io_error(e)) {
            (Some(code), _) => self.judge_refusal(step, u16::from(code), &self.quoted(e)),
            (None, Some(e)) => self.judge_connection(step, e),
            (None, None) => Unsent::Later(format!("{} broke off: {}", self.server, self.quoted(e))),
        }
    }

    fn judge_refusal(&self, step: Step, code: u16, said: &str) -> Unsent {
        let server = &self.server;
        match (step, code) {
            (_, ..500) => Unsent::Later(format!("{server} asks to try again later: {code} {said}")),
            (Step::SignIn, 534 | 535) => Unsent::Settings(format!(
                "{server} does not let smtp_user in: {code} {said}. Check the name, and the password in \
                 smtp_password_file"
            )),
            (Step::SignIn, _) => Unsent::Settings(format!("{server} takes no sign-in: {code} {said}")),
            // RFC 4954: a sign-in is needed, or one that is better protected.
            (_, 530 | 538) => Unsent::Settings(format!(
                "{server} wants a sign-in: {code} {said}. Set smtp_user and smtp_password_file"
            )),
            (Step::Greeting | Step::Encryption, _) => {
                Unsent::Settings(format!("{server} refuses to talk to this machine: {code} {said}"))
            }
            (Step::Sender, _) => Unsent::Settings(format!(
                "{server} takes no mail from {}: {code} {said}. Check mail_from",
                self.from.email
            )),
            (Step::Recipient, _) => Unsent::Never(format!("{server} refuses the recipient: {code} {said}")),
            (Step::Text, _) => Unsent::Never(format!("{server} refuses the message: {code} {said}")),
        }
    }

    fn judge_connection(&self, step: Step, e: &io::Error) -> Unsent {
        let server = &self.server;
        match e.kind() {
            // What rustls refuses comes as this, and so does an answer that is no text.
            ErrorKind::InvalidData if e.to_string().contains("certificate") => Unsent::Settings(format!(
                "the certificate of {server} is not trusted ({e}): name the server as its certificate does; if it is \
                 your own, set smtp_ca_file to the certificate of who issued it"
            )),
            ErrorKind::InvalidData => Unsent::Settings(format!(
                "{server} does not speak as smtp_security has it ({e}): starttls is mostly on port 587, tls on port 465"
            )),
            // A firewall of this machine says so. systemd's is one, and its unit allows no other host unless told to.
            ErrorKind::PermissionDenied => Unsent::Settings(format!(
                "this machine does not let the connection to {server} out ({e}): if systemd runs the server, allow it in \
                 the unit with IPAddressAllow"
            )),
            ErrorKind::WouldBlock | ErrorKind::TimedOut if step == Step::Greeting => Unsent::Later(format!(
                "{server} does not answer in time: look whether it runs, whether a firewall is in between, and whether \
                 its port goes with smtp_security"
            )),
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Unsent::Later(format!("{server} took too long")),
            _ if step == Step::Greeting => Unsent::Later(format!("{server} can not be reached: {e}")),
            _ => Unsent::Later(format!("the connection to {server} broke: {e}")),
        }
    }

    /// What the server said, or what went wrong, on one line and not at any length. Some servers repeat what was sent
    /// to them: what holds the password is left out.
    fn quoted(&self, e: &Error) -> String {
        let text = e.source().map_or_else(|| e.to_string(), ToString::to_string);
        if self.account.as_ref().is_some_and(|account| account.is_in(&text)) {
            return "(its words hold the password)".to_owned();
        }
        let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !invisible(*c));
        visible.take(300).collect::<String>().trim().to_owned()
    }
}

impl Account {
    /// Whether `text` holds the password, as it is or as it is sent.
    fn is_in(&self, text: &str) -> bool {
        let password = self.password.reveal();
        let plain = zeroize::Zeroizing::new(format!("\0{}\0{password}", self.user));
        let sent = [plain.as_bytes(), password.as_bytes()].map(|bytes| zeroize::Zeroizing::new(BASE64.encode(bytes)));
        text.contains(password) || sent.iter().any(|sent| text.contains(sent.as_str()))
    }
}

/// What the operating system or TLS said, if the error comes from there.
fn io_error(e: &Error) -> Option<&io::Error> {
    let mut causes = std::iter::successors(e.source(), |&e| e.source());
    causes.find_map(|cause| cause.downcast_ref::<io::Error>())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::config::{MailServer, MailSettings, Security};
    use crate::host::smtp::Letter;

    fn smtp(port: u16) -> Smtp {
        let settings = MailSettings {
            server: MailServer { host: "127.0.0.1".into(), port },
            security: Security::Clear,
            account: None,
            ca_file: None,
            from: "idp@fernhill.example".parse().unwrap(),
        };
        Smtp::new(&settings, "Fernhill").unwrap()
    }

    #[test]
    fn a_server_that_takes_its_time_at_every_step_is_given_up_as_a_whole() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut smtp = smtp(listener.local_addr().unwrap().port());
        let milliseconds = Duration::from_millis;
        smtp.patience = Patience { silence: milliseconds(800), whole: milliseconds(1_200), farewell: milliseconds(10) };
        let server = std::thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            let mut heard = Vec::new();
            writeln!(&client, "220 mail\r").unwrap();
            for line in BufReader::new(&client).lines().map_while(Result::ok) {
                heard.push(line);
                std::thread::sleep(milliseconds(500));
                if writeln!(&client, "250 mail\r").is_err() {
                    break;
                }
            }
            heard
        });
        let letter = Letter {
            to: "mara@fernhill.example".parse().unwrap(),
            name: String::new(),
            subject: "slow".into(),
            text: "slow".into(),
            html: None,
            file: None,
            message_id: "1@fernhill.example".into(),
        };
        let began = Instant::now();
        let sent = smtp.send(&letter);
        assert!(matches!(&sent, Err(Unsent::Later(why)) if why.contains("took too long")), "{sent:?}");
        assert!(began.elapsed() >= smtp.patience.whole, "no single step was too slow");
        assert!(server.join().unwrap().iter().all(|line| line != "DATA"));
    }

    #[test]
    fn what_the_machine_or_a_certificate_says_is_for_the_operator_and_what_the_network_says_passes() {
        let smtp = smtp(25);
        let judged = |kind, said: &str| smtp.judge_connection(Step::Sender, &io::Error::new(kind, said));
        let settings = |judged: Unsent, what: &str| {
            assert!(matches!(&judged, Unsent::Settings(why) if why.contains(what)), "{judged:?}");
        };
        settings(judged(ErrorKind::PermissionDenied, "not permitted"), "allow it in the unit with IPAddressAllow");
        settings(
            judged(ErrorKind::InvalidData, "invalid peer certificate: Expired"),
            "(invalid peer certificate: Expired)",
        );
        settings(judged(ErrorKind::InvalidData, "corrupt message"), "starttls is mostly on port 587, tls on port 465");
        for kind in [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::TimedOut, ErrorKind::HostUnreachable]
        {
            assert!(matches!(judged(kind, ""), Unsent::Later(_)), "{kind}");
        }
    }

    #[test]
    fn a_password_is_found_however_a_server_repeats_it() {
        let account = Account { user: "idp".into(), password: crate::secret::Secret::new("hunter2") };
        for said in ["no, hunter2!", "got aHVudGVyMg==", "AGlkcABodW50ZXIy is wrong"] {
            assert!(account.is_in(said), "{said}");
        }
        assert!(!account.is_in("535 no"));
    }
}

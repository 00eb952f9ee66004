//! The trail as HTTP requests, one an entry, as Standard Webhooks has them: signed with HMAC-SHA256 over id, moment and body.
//!
//! Architecture invariants: an entry arrived when the receiver answered 2xx to it, and the next one is sent only then. No
//! redirect is followed. No error holds the address's path or the secret. Spoken by hand over our own connection: one
//! request at a time whose answer is a number needs no library, and every step of it ends in time.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::files::read_private;
use super::link::{Delivered, Link, Patience};
use super::tls::{self, Unusable, unreadable};
use super::wire::{Address, Wire};
use crate::config::WebhookSettings;
use crate::streams::{Item, Receiver};

/// The time to connect and encrypt.
const OPENING: Duration = Duration::from_secs(10);
/// The time for one request and its answer.
const WHOLE: Duration = Duration::from_secs(30);
/// The most that an answer's head has.
const HEAD: usize = 16 * 1024;
/// The most of an answer's body that is read, to go on over the same connection.
const BODY: usize = 16 * 1024;
/// More than a secret has.
const SECRET_LIMIT: u64 = 1024;

/// The way to a webhook.
pub struct Webhook {
    settings: WebhookSettings,
    key: hmac::Key,
    address: Address,
    open: Option<Wire>,
}

/// An answer's number, and whether the connection is good for another request.
struct Answer {
    status: u16,
    stays: bool,
}

impl Webhook {
    /// The way that the settings describe. Reads the files that they name.
    ///
    /// # Errors
    /// When one can not be read, when others may read the secret, when it is none.
    pub fn new(settings: &WebhookSettings) -> Result<Self, Unusable> {
        let tls = settings.https.then(|| tls::client(settings.ca_file.as_deref())).transpose()?;
        let ca_setting = crate::config::WEBHOOK_CA_FILE.key;
        Ok(Self {
            settings: settings.clone(),
            key: read_secret(&settings.secret_file)?,
            address: Address { host: settings.host.clone(), port: settings.port, tls, ca_setting },
            open: None,
        })
    }

    /// The request about an entry, at this moment in seconds.
    fn request(&self, item: &Item, now: u64) -> String {
        // The same at each try, so that a receiver knows a repeated one. The lineage keeps what was restored apart.
        let id = format!("{}_{}_{}", item.origin, item.lineage, item.seq);
        let kind = serde_json::Value::from(item.action.as_str());
        let body = format!("{{\"type\":{kind},\"timestamp\":\"{}\",\"data\":{}}}", item.at, item.line);
        let signature = BASE64.encode(hmac::sign(&self.key, format!("{id}.{now}.{body}").as_bytes()).as_ref());
        format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: idp/{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nwebhook-id: {id}\r\nwebhook-timestamp: {now}\r\nwebhook-signature: v1,{signature}\r\n\
             \r\n{body}",
            self.settings.path,
            self.settings.authority(),
            env!("CARGO_PKG_VERSION"),
            body.len()
        )
    }

    fn post(&mut self, item: &Item, patience: Patience<'_>) -> Result<(), String> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let request = self.request(item, seconds);
        let until = patience.until.min(Instant::now() + WHOLE);
        let patience = Patience { until, ..patience };
        let kept = self.open.take().and_then(|mut wire| is_good(&mut wire).then_some(wire));
        let was_kept = kept.is_some();
        let (mut wire, answer) = match self.ask(kept, &request, patience) {
            // A connection that was kept can be closed by the other side at any moment, also at this one.
            Err(Refused::Silent) if was_kept => self.ask(None, &request, patience),
            asked => asked,
        }
        .map_err(|refused| match refused {
            Refused::Silent => "it closed the connection without an answer".to_owned(),
            Refused::Because(why) => why,
        })?;
        if answer.stays {
            wire.heard().clear();
            self.open = Some(wire);
        }
        match answer.status {
            200..=299 => Ok(()),
            status @ 300..=399 => Err(format!(
                "it answers {status}, that it is elsewhere, which is not followed: set webhook to where it is"
            )),
            status @ (401 | 403) => {
                Err(format!("it answers {status}: does it have the secret of webhook_secret_file?"))
            }
            status => Err(format!("it answers {status}")),
        }
    }

    fn ask(&self, kept: Option<Wire>, request: &str, patience: Patience<'_>) -> Result<(Wire, Answer), Refused> {
        let mut wire = match kept {
            Some(wire) => wire,
            None => self.address.open(patience.until.min(Instant::now() + OPENING)).map_err(Refused::Because)?,
        };
        let broken = |wire: &mut Wire, e: std::io::Error| match wire.heard().is_empty() {
            true if e.kind() != std::io::ErrorKind::InvalidData => Refused::Silent,
            _ => Refused::Because(self.address.broken(&e)),
        };
        wire.queue(request.as_bytes()).map_err(|e| broken(&mut wire, e))?;
        loop {
            wire.turn().map_err(|e| broken(&mut wire, e))?;
            let ended = wire.has_ended();
            match read_answer(wire.heard(), ended) {
                Ok(Some(answer)) => return Ok((wire, answer)),
                Ok(None) if ended && wire.heard().is_empty() => return Err(Refused::Silent),
                Ok(None) if ended => return Err(Refused::Because("it broke off in its answer".into())),
                Ok(None) => {}
                Err(why) => return Err(Refused::Because(why.into())),
            }
            if !(wire.wait(patience.until) && patience.lasts()) {
                return Err(Refused::Because("it does not answer in time".into()));
            }
        }
    }
}

/// Why there is no answer.
enum Refused {
    /// The other side closed the connection and said nothing.
    Silent,
    Because(String),
}

/// Whether an idle connection can be used once more.
fn is_good(wire: &mut Wire) -> bool {
    wire.turn().is_ok() && !wire.has_ended() && wire.heard().is_empty()
}

/// The answer that begins here, once it is whole as far as it is wanted.
fn read_answer(heard: &[u8], ended: bool) -> Result<Option<Answer>, &'static str> {
    let mut rest = heard;
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut headers);
        let length = match head.parse(rest) {
            Ok(httparse::Status::Complete(length)) if length <= HEAD => length,
            Ok(httparse::Status::Partial) if rest.len() <= HEAD => return Ok(None),
            _ => return Err("it does not answer as an HTTP server does"),
        };
        let status = head.code.unwrap_or_default();
        rest = &rest[length..];
        // Something in between: the answer itself is still to come.
        if (100..200).contains(&status) {
            continue;
        }
        let values = |name: &str| {
            let of =
                head.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value);
            of.collect::<Vec<_>>()
        };
        let closes = values("connection").iter().any(|value| value.eq_ignore_ascii_case(b"close"));
        let body = match (values("transfer-encoding").is_empty(), values("content-length").as_slice()) {
            (true, [length]) => std::str::from_utf8(length).ok().and_then(|text| text.trim().parse::<usize>().ok()),
            (true, []) if status == 204 => Some(0),
            _ => None,
        };
        // What is long, or says no length, is not read: the next request takes another connection.
        let Some(body) = body.filter(|body| *body <= BODY && !closes && head.version == Some(1)) else {
            return Ok(Some(Answer { status, stays: false }));
        };
        if rest.len() < body && !ended {
            return Ok(None);
        }
        return Ok(Some(Answer { status, stays: rest.len() == body && !ended }));
    }
}

/// The secret in a file: `whsec_` and 24 to 64 bytes in base64, alone on one line.
fn read_secret(path: &Path) -> Result<hmac::Key, Unusable> {
    let file = read_private(path, SECRET_LIMIT).map_err(unreadable)?;
    if let Some(exposure) = file.exposure {
        return Err(Unusable(exposure.to_string()));
    }
    let no = |what: &str| {
        Unusable(format!(
            "{} {what}: write whsec_ and 32 random bytes in base64 there, and give the same to the receiver; this makes \
             one: echo \"whsec_$(openssl rand -base64 32)\"",
            path.display()
        ))
    };
    let text = std::str::from_utf8(&file.contents).map_err(|_| no("holds no secret"))?;
    let encoded =
        text.trim_end().strip_prefix("whsec_").ok_or_else(|| no("holds no secret that begins with whsec_"))?;
    let secret = BASE64.decode(encoded.as_bytes()).map(Zeroizing::new).map_err(|_| no("holds no base64"))?;
    match secret.len() {
        24..=64 => Ok(hmac::Key::new(hmac::HMAC_SHA256, &secret)),
        ..24 => Err(no("holds a secret that is too short")),
        _ => Err(no("holds a secret that is too long")),
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

impl Link for Webhook {
    fn receiver(&self) -> Receiver {
        Receiver::Webhook
    }

    fn place(&self) -> String {
        self.settings.to_string()
    }

    fn wants_entries(&self) -> bool {
        true
    }

    fn deliver(&mut self, _: i64, items: &[Item], patience: Patience<'_>) -> Delivered {
        for (arrived, item) in items.iter().enumerate() {
            if !patience.lasts() {
                return Delivered { arrived, ..Delivered::default() };
            }
            if let Err(why) = self.post(item, patience) {
                // The end of the program is no fault of the receiver's.
                let failed = (patience.go_on)().then_some(why);
                return Delivered { arrived, failed, back_to: None };
            }
        }
        Delivered { arrived: items.len(), ..Delivered::default() }
    }

    fn look(&mut self) -> Option<i64> {
        self.open.take_if(|wire| !is_good(wire));
        None
    }

    fn farewell(&mut self, _: Patience<'_>) -> Option<i64> {
        if let Some(mut wire) = self.open.take() {
            // What was answered is there; what the other side says to this changes nothing.
            let _ = wire.end();
        }
        None
    }

    fn check(&self) -> Result<(), String> {
        self.address.open(Instant::now() + OPENING)?.end().map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_far_as_it_is_wanted() {
        let read = |text: &str| read_answer(text.as_bytes(), false).map(|a| a.map(|a| (a.status, a.stays)));
        assert_eq!(read("HTTP/1.1 204 No Content\r\n\r\n"), Ok(Some((204, true))));
        assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Ok(Some((200, true))));
        assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"), Ok(None));
        assert_eq!(
            read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\ncontent-length:0\r\n\r\n"),
            Ok(Some((202, true)))
        );
        assert_eq!(read("HTTP/1.1 100 Continue\r\n\r\n"), Ok(None));
        for taken_once in [
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ] {
            assert_eq!(read(taken_once), Ok(Some((200, false))), "{taken_once}");
        }
        for no_answer in
            ["SSH-2.0-x\r\n", "HTTP/1.1 abc\r\n\r\n", &format!("HTTP/1.1 200 OK\r\na: {}", "x".repeat(HEAD))]
        {
            assert!(read(no_answer).is_err(), "{no_answer}");
        }
    }
}

//! A letter as it is written here, and as it goes over the wire.

use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use crate::users::{Email, invisible};

/// The longest name beside an address, in characters.
const NAME: usize = 100;
/// The longest subject.
const SUBJECT: usize = 200;
/// The longest id.
const ID: usize = 200;

/// One message to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// To which address.
    pub to: Email,
    /// The person's name, which a mail program shows beside it. May be empty.
    pub name: String,
    /// What it is about.
    pub subject: String,
    /// All of it, for programs and people that read plain text.
    pub text: String,
    /// The same for those that show more.
    pub html: Option<String>,
    /// A text that comes with it as a file: its name, of letters, digits, hyphens and full stops, and itself.
    pub file: Option<(String, String)>,
    /// By which a letter that was sent twice is recognised as one: `UNIQUE@HOST`, the same at each try.
    pub message_id: String,
}

impl Letter {
    /// The letter in the format of RFC 5322 and MIME. Every value goes through an encoder for its place.
    ///
    /// # Errors
    /// A sentence, when the address or the id is none.
    pub(super) fn to_message(&self, from: &Mailbox) -> Result<Message, String> {
        let builder = Message::builder()
            .from(from.clone())
            .to(mailbox(&self.name, &self.to)?)
            .subject(on_one_line(&self.subject, SUBJECT))
            .message_id(Some(self.bracketed_id()?))
            // So that no absence note answers it (RFC 3834 section 5).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                String::from("auto-generated"),
            ));
        let both = |html: &String| MultiPart::alternative_plain_html(self.text.clone(), html.clone());
        let file =
            |(name, text): &(String, String)| Attachment::new(name.clone()).body(text.clone(), ContentType::TEXT_PLAIN);
        let message = match (&self.html, &self.file) {
            (Some(html), None) => builder.multipart(both(html)),
            (None, None) => builder.singlepart(SinglePart::plain(self.text.clone())),
            (Some(html), Some(with)) => {
                builder.multipart(MultiPart::mixed().multipart(both(html)).singlepart(file(with)))
            }
            (None, Some(with)) => {
                let text = SinglePart::plain(self.text.clone());
                builder.multipart(MultiPart::mixed().singlepart(text).singlepart(file(with)))
            }
        };
        message.map_err(|e| format!("the message can not be written: {e}"))
    }

    /// `<UNIQUE@HOST>`. There is no encoding for what does not fit, so it is refused.
    fn bracketed_id(&self) -> Result<String, String> {
        let id = &self.message_id;
        let part = |part: &str| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._+".contains(&b);
            !part.is_empty() && part.bytes().all(fits)
        };
        let fits = id.len() <= ID && id.split_once('@').is_some_and(|(unique, host)| part(unique) && part(host));
        if fits { Ok(format!("<{id}>")) } else { Err("the message's id is none".to_owned()) }
    }
}

/// An address with the name that is shown beside it.
///
/// # Errors
/// A sentence, when mail has no such address, though people sign in with it.
pub(super) fn mailbox(name: &str, address: &Email) -> Result<Mailbox, String> {
    let name = on_one_line(name, NAME);
    let address = address.as_str().parse().map_err(|_| "mail can not be sent to such an address".to_owned())?;
    Ok(Mailbox::new(Some(name).filter(|name| !name.is_empty()), address))
}

/// Of `text` what can be shown on one line, without what reorders or hides other characters. Encoded line breaks are no
/// danger on the way, but some mail programs decode them before they look for the next line.
fn on_one_line(text: &str, most: usize) -> String {
    let visible: String =
        text.chars().filter(|c| !invisible(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    // What already looks encoded would be left alone, and decoded where it is read.
    let line = visible.split_whitespace().collect::<Vec<_>>().join(" ").replace("=?", "= ?");
    line.chars().take(most).collect::<String>().trim_end().to_owned()
}

//! Messages as they arrive: one outline, from which both the plain text and the page are made, so that they say the same.
//!
//! Architecture invariant: the page needs no style, no script and no picture, and loads nothing; so opening it tells
//! nobody, and it looks like the letter that it is.

use maud::{DOCTYPE, Markup, html};

use super::notices::words::{Words, value};
use super::words::{exact, grouped};
use crate::audit::checkpoint::Checkpoint;
use crate::config::PublicUrl;
use crate::notices::{Facts, Notice};
use crate::outbox::{Content, Link, Message, Objection, Written};

/// From whom messages are.
#[derive(Debug, Clone, Copy)]
pub struct House<'a> {
    /// The organisation's name.
    pub organisation: &'a str,
    /// Whom to call, as the organisation wrote it.
    pub help_contact: Option<&'a str>,
    /// What links begin with.
    pub public_url: &'a PublicUrl,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// A paragraph.
    Text(String),
    /// Names and values.
    Rows(Vec<(&'static str, String)>),
    /// A link on a line of its own.
    Link(&'static str, String),
    /// What somebody wrote, line by line.
    Typed(String),
    /// Lines that have to stay as they are.
    Exact(String),
}

/// What a message says, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// What it is about.
    pub subject: String,
    /// To whom: their name.
    name: String,
    parts: Vec<Part>,
    organisation: String,
    file: Option<(String, String)>,
}

impl Outline {
    /// A message to `name`.
    pub fn of(house: House<'_>, message: &Message, content: &Content) -> Self {
        match content {
            Content::Notice(notice, objection) => Self::of_notice(house, &message.name, notice, objection.as_ref()),
            Content::Invitation(link) => invitation(house, &message.name, link),
            Content::PasswordReset(link, facts) => password_reset(house, &message.name, link, facts),
            Content::Written => {
                // It begins and ends as who wrote it wanted.
                let parts = vec![Part::Typed(message.text.clone())];
                Self { organisation: String::new(), ..Self::new(house, value(&message.subject), "", parts) }
            }
            Content::Anchor(checkpoint) => anchor(house, &message.name, checkpoint),
            Content::Test => test(house, &message.name),
        }
    }

    /// What a notice says, with the way to object where there is one.
    pub fn of_notice(house: House<'_>, name: &str, notice: &Notice, objection: Option<&Objection>) -> Self {
        let words = Words::of(notice);
        let mut parts = vec![Part::Text(words.happened), Part::Rows(words.rows)];
        if !words.next.is_empty() {
            parts.push(Part::Text(words.next));
        }
        if let Some(path) = notice.leads_to() {
            parts.push(Part::Link("Open the case", house.public_url.link(&path)));
        }
        let doubt = words.doubt;
        match objection {
            Some(link) => {
                parts.push(Part::Text(format!(
                    "{doubt} Say so with this link: it can block sign-in to your account until somebody has looked. It works \
                     once, until {}, and asks before it does anything.",
                    exact(link.until)
                )));
                parts.push(Part::Link("This wasn’t me", house.public_url.link(&link.path)));
                parts.push(Part::Text(whom("You can also tell", house)));
            }
            None if doubt.is_empty() => parts.push(Part::Text(format!("Any questions? {}", whom("Ask", house)))),
            None => parts.push(Part::Text(format!("{doubt} {}", whom("Tell", house)))),
        }
        parts.push(no_secrets());
        Self::new(house, words.title.to_owned(), name, parts)
    }

    fn new(house: House<'_>, subject: String, name: &str, parts: Vec<Part>) -> Self {
        Self { subject, name: value(name), parts, organisation: value(house.organisation), file: None }
    }

    /// Both forms of it.
    pub fn write(&self) -> Written {
        Written {
            subject: self.subject.clone(),
            text: self.text(),
            html: self.page().into_string(),
            file: self.file.clone(),
        }
    }

    /// In plain text.
    pub fn text(&self) -> String {
        let mut text = if self.name.is_empty() { String::new() } else { format!("Hello {},\n\n", self.name) };
        for part in &self.parts {
            match part {
                Part::Text(paragraph) => text += paragraph,
                Part::Rows(rows) => {
                    text += &rows.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n");
                }
                Part::Link(label, url) => text += &format!("{label}:\n{url}"),
                Part::Typed(typed) => text += typed.trim(),
                Part::Exact(lines) => text += lines.trim_end(),
            }
            text += "\n\n";
        }
        format!("{}\n", (text + &self.organisation).trim_end())
    }

    /// What stands between the head and the foot of a page, or of a letter.
    pub(super) fn body(&self) -> Markup {
        html! {
            @if !self.name.is_empty() { p { "Hello " bdi { (self.name) } "," } }
            @for part in &self.parts {
                @match part {
                    Part::Text(paragraph) => p { (paragraph) },
                    Part::Rows(rows) => ul { @for (name, value) in rows { li { (name) ": " bdi { (value) } } } },
                    Part::Link(label, url) => p { (label) ":" br; a href=(url) { (url) } },
                    Part::Exact(lines) => p {
                        @for (i, line) in lines.trim_end().lines().enumerate() { @if i > 0 { br; } (line) }
                    },
                    Part::Typed(typed) => @for paragraph in typed.trim().split("\n\n") {
                        p { @for (i, line) in paragraph.lines().enumerate() { @if i > 0 { br; } (line) } }
                    },
                }
            }
            @if !self.organisation.is_empty() { p { (self.organisation) } }
        }
    }

    fn page(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    title { (self.subject) }
                }
                body { (self.body()) }
            }
        }
    }
}

fn whom(verb: &str, house: House<'_>) -> String {
    match house.help_contact {
        Some(contact) => format!("{verb} {}.", value(contact)),
        None => format!("{verb} the person who looks after accounts in your organisation."),
    }
}

fn no_secrets() -> Part {
    Part::Text("No message of ours asks for a password or a code. Who asks you for one is not us.".to_owned())
}

fn invitation(house: House<'_>, name: &str, link: &Link) -> Outline {
    let parts = vec![
        Part::Text(format!(
            "An account was made for you at {}. Open this link to choose a password and to set up your authenticator app; \
             have your phone at hand. It works once, until {}.",
            value(house.organisation),
            exact(link.until)
        )),
        Part::Link("Your invitation", house.public_url.link(&link.path)),
        Part::Text(format!(
            "Do not pass it on: whoever opens it first has the account. If you did not expect it, leave it alone. {}",
            whom("Ask", house)
        )),
        no_secrets(),
    ];
    Outline::new(house, "Your invitation".to_owned(), name, parts)
}

fn password_reset(house: House<'_>, name: &str, link: &Link, facts: &Facts) -> Outline {
    let from = [value(&facts.device), value(&facts.address)];
    let from = from.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let parts = vec![
        Part::Text(format!(
            "Somebody asked for a link to choose a new password for your account. It works once, until {}. You will still \
             need your authenticator app or a backup code to sign in.",
            exact(link.until)
        )),
        Part::Rows(vec![("Asked for from", from)]),
        Part::Link("Choose a new password", house.public_url.link(&link.path)),
        Part::Text(format!(
            "If that was not you, leave the link alone: nothing changes. If it happens again, say so. {}",
            whom("Tell", house)
        )),
        no_secrets(),
    ];
    Outline::new(house, "A link to choose a new password".to_owned(), name, parts)
}

/// For people who may never have heard of a hash: what it is for, that nothing is to be done, and how it is used later.
fn anchor(house: House<'_>, name: &str, checkpoint: &Checkpoint) -> Outline {
    let point = &checkpoint.point;
    let entries = grouped(point.seq.unsigned_abs());
    let parts = vec![
        Part::Text(
            "Please keep this message, and those like it that came before: a rule of your mail program can put them into a folder of \
             their own. It comes from time to time by itself and does not mean that anything happened. There is nothing else to do now."
                .to_owned(),
        ),
        Part::Text(format!(
            "It is a receipt for the audit log of {}, which had {entries} entries at {}. Should anybody change or remove one \
             of them later, this receipt shows it: also where that somebody owns the machine that the log is on, because \
             nobody there can change what is in your mailbox.",
            value(house.organisation),
            exact(point.at)
        )),
        Part::Exact(checkpoint.to_string()),
        Part::Text(
            "To check the log with it one day, save this message, or the file that comes with it, and give it to the program: \
             idp audit verify --anchor FILE. The same lines can be typed off paper. This page says more:"
                .to_owned(),
        ),
        Part::Link("What this is good for", house.public_url.link("/admin/audit/promises")),
        Part::Text(
            "You get this because you are an owner or an auditor. How often, an owner sets under Policy.".to_owned(),
        ),
    ];
    let file = Some((format!("anchor-{}.txt", point.seq), checkpoint.to_string()));
    let subject = format!("Keep this: receipt for {entries} entries of the audit log");
    Outline { file, ..Outline::new(house, subject, name, parts) }
}

fn test(house: House<'_>, name: &str) -> Outline {
    let parts = vec![Part::Text(
        "This is the test message that you asked for. Since you read it, messages from here arrive.".to_owned(),
    )];
    Outline::new(house, "A test message".to_owned(), name, parts)
}

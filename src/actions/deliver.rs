//! Sending what stands in the outbox: round after round, by one thread, beside the requests and never inside one.
//!
//! Architecture invariant: a message that the mail server took is noted at once, with its entry, before the next is sent.
//! Between the server's “yes” and that note there is one window that nothing can close: who is killed in it sends the
//! message again at the next start. Both carry the same `Message-ID`, by which mail programs take them for one.

use super::authorise::stepped_up;
use super::notices::{mailed_token, objection};
use super::{Error, Means, Result, Visitor};
use crate::audit::checkpoint::Checkpoint;
use crate::audit::{Action, Actor, Event, Record, Source};
use crate::grants::Rule;
use crate::host::keys::SeedKey;
use crate::host::smtp::{Letter, Smtp, Unsent};
use crate::ids::{MessageId, SessionId};
use crate::notices::Facts;
use crate::outbox::{Content, Fate, Kind, Link, Message, Written};
use crate::policy;
use crate::secret::Purpose;
use crate::storage::{Audited, ReadTx, WriteTx, anchors, links, notices, outbox, users};
use crate::time::Timestamp;
use crate::users::{Email, Role};

/// Messages that are looked up at a time.
const MOST: u32 = 200;
/// What is kept of what a mail server said, in characters.
const SAID: usize = 300;

/// What a round is done with.
pub struct Round<'r> {
    /// The database, the key, the clock.
    pub means: &'r Means,
    /// The way to the mail server.
    pub smtp: &'r Smtp,
    /// The host in a message's id.
    pub host: &'r str,
    /// Puts a message into words.
    pub write: &'r dyn Fn(&Message, &Content) -> Written,
    /// Whether to go on with the next message.
    pub go_on: &'r dyn Fn() -> bool,
}

/// Who carries the messages, from one round to the next.
#[derive(Debug)]
pub struct Courier {
    /// The mail server was not there when it was last asked, or was not asked yet.
    down: bool,
    /// When it was last asked whether it is back.
    asked_at: Option<Timestamp>,
    /// What the server took and the database could not note: never sent again by this process.
    unnoted: Vec<Message>,
}

impl Default for Courier {
    fn default() -> Self {
        Self { down: true, asked_at: None, unnoted: Vec::new() }
    }
}

impl Courier {
    /// Sends what is due, the oldest first, until nothing is or the server is not there.
    ///
    /// # Errors
    /// When the database can not be read or written; the next round goes on where this one was.
    pub fn round(&mut self, round: &Round<'_>) -> Result<()> {
        let means = round.means;
        while let Some(message) = self.unnoted.last().cloned() {
            note_sent(means, &message)?;
            self.unnoted.pop();
        }
        loop {
            let now = means.clock.now();
            let due = means.store.read(|tx| outbox::list_due(tx, now, MOST))?;
            if due.is_empty() {
                return self.ask_whether_back(round, now);
            }
            for (n, message) in due.iter().enumerate() {
                if !(round.go_on)() {
                    return Ok(());
                }
                if let Some(why) = self.carry(round, message)? {
                    // It is nobody's letter that is wrong: the others need not each find that out.
                    due[n + 1..].iter().try_for_each(|message| note_failed(means, message, &why))?;
                    return Ok(());
                }
            }
        }
    }

    /// Sends one message. Why the server is not there, if that is so.
    fn carry(&mut self, round: &Round<'_>, message: &Message) -> Result<Option<String>> {
        let (means, now) = (round.means, round.means.clock.now());
        let Some(content) = means.store.read(|tx| content(tx, &means.key, message, now))? else {
            give_up(means, message, false, "what it was about is over: its link no longer works")?;
            return Ok(None);
        };
        let letter = letter(round, message, (round.write)(message, &content));
        match round.smtp.send(&letter) {
            Ok(()) => {
                self.unnoted.push(message.clone());
                note_sent(means, message)?;
                self.unnoted.pop();
                self.is_there(means)?;
                Ok(None)
            }
            Err(Unsent::Never(why)) => give_up(means, message, true, &short(&why)).map(|()| None),
            Err(Unsent::Later(why) | Unsent::Settings(why)) => {
                let gone = match round.smtp.check() {
                    Ok(()) => self.is_there(means).map(|()| None)?,
                    Err(e) => Some(self.is_gone(now, &e)),
                };
                note_failed(means, message, &short(&why))?;
                Ok(gone)
            }
        }
    }

    /// While the server is not there, asks it from time to time: who waits for the next try of a message that was tried
    /// often would wait for hours after it is back.
    fn ask_whether_back(&mut self, round: &Round<'_>, now: Timestamp) -> Result<()> {
        let lately = self.asked_at.is_some_and(|at| now.since(at) < policy::MAIL_PROBE);
        if !self.down || lately || round.means.store.read(|tx| outbox::get_queue(tx, now))?.waiting == 0 {
            return Ok(());
        }
        match round.smtp.check() {
            Ok(()) => self.is_there(round.means),
            Err(e) => {
                self.is_gone(now, &e);
                Ok(())
            }
        }
    }

    fn is_there(&mut self, means: &Means) -> Result<()> {
        if self.down {
            means.store.touch(|tx| tx.messages_due())?;
            if self.asked_at.is_some() {
                tracing::info!("mail goes out again");
            }
        }
        (self.down, self.asked_at) = (false, None);
        Ok(())
    }

    fn is_gone(&mut self, now: Timestamp, why: &Unsent) -> String {
        // Said once, not at each try. It names the server and nobody to whom something was to be sent.
        if !self.down || self.asked_at.is_none() {
            tracing::warn!("mail does not go out, and is kept and tried again: {why}");
        }
        (self.down, self.asked_at) = (true, Some(now));
        short(&why.to_string())
    }
}

/// What came of a test message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tested {
    /// The server took it, for this address.
    Taken(Email),
    /// It was not sent: why.
    Unsent(Unsent),
    /// Who asked is no owner.
    OwnersOnly,
}

/// Sends a test message to who asks, an owner, and waits for what the mail server says. What comes of it is recorded.
///
/// # Errors
/// [`Error::SessionGone`], [`Error::StepUpNeeded`]; storage.
pub fn send_test(round: &Round<'_>, session: SessionId, visitor: &Visitor) -> Result<Tested> {
    let (means, now, source) = (round.means, round.means.clock.now(), visitor.source());
    let (_, user) = means.store.read(|tx| stepped_up(tx, session, now))?;
    if user.role != Role::Owner {
        return means.store.change(move |tx| {
            let (_, user) = stepped_up(tx, session, tx.now())?;
            let event = Event::refused(Action::NoticeSent, Some((&user).into()), Rule::OwnersOnly.as_str());
            Ok(Audited::new(Tested::OwnersOnly, Record::new(Actor::Person((&user).into()), &source, event)))
        });
    }
    let message = Message {
        id: MessageId::generate(),
        kind: Kind::Alert,
        user: Some(user.id),
        notice: None,
        case: None,
        address: user.email.clone(),
        name: user.name.to_string(),
        may_object: false,
        subject: String::new(),
        text: String::new(),
        created_at: now,
        attempts: 0,
        error: String::new(),
        fate: Fate::Waits(now),
    };
    let sent = round.smtp.send(&letter(round, &message, (round.write)(&message, &Content::Test)));
    let given_up = sent.as_ref().err().map(|why| short(&why.to_string()));
    let works = sent.is_ok();
    means.store.change(move |_| {
        let event = Event::NoticeSent {
            user: Some((&user).into()),
            case: None,
            kind: "test".to_owned(),
            address: user.email.to_string(),
            attempts: 1,
            given_up,
        };
        let record = Record::new(Actor::Person((&user).into()), &source, event);
        Ok::<_, Error>(Audited::new((), record))
    })?;
    if works {
        means.store.touch(|tx| tx.messages_due())?;
    }
    Ok(sent.map_or_else(Tested::Unsent, |()| Tested::Taken(message.address)))
}

/// The letter of a message. Its id is the same at each try.
fn letter(round: &Round<'_>, message: &Message, written: Written) -> Letter {
    Letter {
        to: message.address.clone(),
        name: message.name.clone(),
        subject: written.subject,
        text: written.text,
        html: Some(written.html),
        file: written.file,
        message_id: format!("{}@{}", message.id, round.host),
    }
}

fn short(why: &str) -> String {
    why.chars().take(SAID).collect()
}

/// What a message says at this moment; nothing where its link does not work any more.
fn content(tx: &ReadTx<'_>, key: &SeedKey, message: &Message, now: Timestamp) -> Result<Option<Content>> {
    let token = || mailed_token(key, message.id);
    Ok(match (message.kind, message.notice) {
        (Kind::Notice, Some(id)) => notices::find(tx, id)?.map(|notice| {
            let objection = objection(key, &notice, now).filter(|_| message.may_object);
            Content::Notice(notice, objection)
        }),
        (Kind::Invitation, _) => {
            let token = token();
            let found = links::find_invitation(tx, &token.hash(Purpose::Invitation), now)?;
            found
                .map(|(_, until)| Content::Invitation(Link { path: format!("/invitation/{}", token.to_text()), until }))
        }
        (Kind::PasswordReset, _) => {
            let token = token();
            let found = links::find_password_reset(tx, &token.hash(Purpose::PasswordReset), now)?;
            found.map(|(_, until)| {
                let link = Link { path: format!("/password-reset/{}", token.to_text()), until };
                Content::PasswordReset(link, Facts::of_json(&message.text))
            })
        }
        (Kind::Alert | Kind::Message, _) => Some(Content::Written),
        (Kind::Anchor, _) => Checkpoint::parse(&message.text).map(Content::Anchor),
        (Kind::Notice, None) => None,
    })
}

/// The entry about a message that was sent or given up.
fn entry(tx: &WriteTx<'_>, message: &Message, attempts: u32, given_up: Option<String>) -> Result<Record> {
    let user = message.user.map(|id| users::get(tx, id)).transpose()?;
    let notice = message.notice.map(|id| notices::find(tx, id)).transpose()?.flatten();
    let event = Event::NoticeSent {
        user: user.as_ref().map(Into::into),
        case: message.case,
        kind: notice.map_or(message.kind.as_str(), |notice| notice.kind.as_str()).to_owned(),
        address: message.address.to_string(),
        attempts,
        given_up,
    };
    Ok(Record::new(Actor::System, &Source::default(), event))
}

fn note_sent(means: &Means, message: &Message) -> Result<()> {
    let message = message.clone();
    means.store.change(move |tx| {
        outbox::update_sent(tx, message.id)?;
        if let Some(checkpoint) = Some(&message.text).filter(|_| message.kind == Kind::Anchor)
            && let Some(Checkpoint { point, .. }) = Checkpoint::parse(checkpoint)
        {
            anchors::update_mailed(tx, checkpoint, &point)?;
        }
        Ok(Audited::new((), entry(tx, &message, message.attempts + 1, None)?))
    })
}

/// Notes that a try failed; after three days the message is given up.
fn note_failed(means: &Means, message: &Message, why: &str) -> Result<()> {
    let Some(next) = message.next_try(means.clock.now()) else { return give_up(means, message, true, why) };
    let (id, why) = (message.id, why.to_owned());
    Ok(means.store.touch(move |tx| tx.message_failed(id, next, &why))?)
}

fn give_up(means: &Means, message: &Message, tried: bool, why: &str) -> Result<()> {
    let (message, why) = (message.clone(), why.to_owned());
    let done = means.store.change(move |tx| {
        if !outbox::update_given_up(tx, message.id, tried, &why)? {
            return Err(Error::NotFound);
        }
        let attempts = message.attempts + u32::from(tried);
        Ok(Audited::new((), entry(tx, &message, attempts, Some(why))?))
    });
    match done {
        // Something became of it meanwhile.
        Err(Error::NotFound) => Ok(()),
        done => done,
    }
}

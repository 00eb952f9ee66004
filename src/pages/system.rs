//! The state of the house: program, database, disk, backup, keys, trail.

use std::time::Duration;

use maud::{Markup, html};

use super::Frame;
use super::dashboard::matters;
use super::form::Form;
use super::frame::Section;
use super::parts::{Tone, card, facts, heading, notice};
use super::words::{count, exact, grouped, lasting, size, time_ago, time_ago_or_never};
use crate::dashboard::Matter;
use crate::outbox::Queue;
use crate::policy::{TRAIL_GAP, TRAIL_WATCHED};
use crate::retention::{Next, Retention};
use crate::streams::{Receiver, Standing};
use crate::time::Timestamp;

/// `GET /admin/system`
#[derive(Debug, Clone)]
pub struct SystemView<'a> {
    /// What needs attention about the house itself.
    pub matters: Vec<Matter>,
    /// This program's version.
    pub version: &'a str,
    /// The version of the SQLite inside it.
    pub sqlite: &'a str,
    /// How long it has been running.
    pub uptime: Duration,
    /// The data folder.
    pub folder: String,
    /// Bytes of the database file.
    pub database: u64,
    /// Bytes of the database's log, which is folded into it from time to time.
    pub log: u64,
    /// Free bytes on that disk.
    pub free: u64,
    /// The last verified backup.
    pub last_backup: Option<Timestamp>,
    /// When the seed key was last exported.
    pub key_exported: Option<Timestamp>,
    /// Entries in the trail.
    pub entries: i64,
    /// When the newest was written.
    pub newest: Timestamp,
    /// Which unbroken history it belongs to.
    pub lineage: &'a str,
    /// How long it keeps what entries say.
    pub retention: Retention,
    /// How the messages stand.
    pub mail: MailView<'a>,
    /// How it stands with each receiver of the trail.
    pub streams: Vec<Standing>,
}

/// How the messages stand, and what came of a test.
#[derive(Debug, Clone)]
pub struct MailView<'a> {
    /// Whether a mail server is set.
    pub is_set: bool,
    /// What waits, what was given up, what failed.
    pub queue: Queue,
    /// The form that sends a test message, for owners: `POST /admin/system/mail-test`.
    pub test: Option<Form<'a>>,
    /// What came of the test that was just made.
    pub tested: Option<Tested>,
}

/// What came of a test message.
#[derive(Debug, Clone)]
pub enum Tested {
    /// The server took it; this is where it was sent to.
    Taken(String),
    /// The server is not there, or asks to come back: why.
    Later(String),
    /// The server does not take it: why.
    Refused(String),
    /// A setting has to be changed: which, and why.
    Settings(String),
}

/// What an owner wants to know before something breaks.
pub fn system(frame: &Frame, view: &SystemView) -> Markup {
    let program = [
        ("Version", html! { "idp " (view.version) }),
        ("SQLite", html! { (view.sqlite) }),
        ("Running for", html! { (lasting(view.uptime)) }),
    ];
    let data = [
        ("Folder", html! { code { (view.folder) } }),
        ("Database", html! { (size(view.database)) }),
        ("Its log", html! { (size(view.log)) }),
        ("Free on the disk", html! { (size(view.free)) }),
    ];
    let safety = [
        ("Last backup", time_ago_or_never(view.last_backup, frame.now)),
        ("Seed key exported", time_ago_or_never(view.key_exported, frame.now)),
    ];
    let trail = [
        ("Entries", html! { a href="/admin/audit" { (grouped(view.entries.unsigned_abs())) } }),
        ("Newest", html! { (time_ago(view.newest, frame.now)) }),
        ("Lineage", html! { code { (view.lineage) } ", another one after each restore" }),
        ("Details are kept", kept(frame, &view.retention)),
    ];
    let content = html! {
        (heading(None, "System", None))
        @if !view.matters.is_empty() {
            (card("attention", "Needs attention", &matters(frame, &view.matters, frame.now)))
        }
        (card("safety", "Backup", &facts(&safety)))
        (card("data", "Data", &facts(&data)))
        (card("trail", "Audit trail", &html! {
            (facts(&trail))
            p class="muted" { "Whether it is unbroken is checked on the host: " code { "idp audit verify" } ", or " code { "idp doctor" } " for everything." }
        }))
        (card("streams", "Sent elsewhere", &streams(frame, view)))
        (card("mail", "Mail", &mail(frame, &view.mail)))
        (card("program", "Program", &facts(&program)))
    };
    let wrong = view.mail.test.as_ref().is_some_and(Form::wrong);
    frame.wide(Section::System, "System", wrong, &content)
}

/// How long what entries say is kept, how far it is erased, and why nothing is erased where something could be.
fn kept(frame: &Frame, retention: &Retention) -> Markup {
    html! {
        a href="/admin/policy#audit_kept_days" {
            @if retention.days == 0 { "for ever" } @else { "for " (count(retention.days.unsigned_abs(), "day")) }
        }
        @if retention.erased > 0 {
            ", erased up to entry " (grouped(retention.erased.unsigned_abs()))
            @if let Some(last) = retention.last { ", last " (time_ago(last, frame.now)) }
        }
        "."
        @if retention.held {
            " A " a href="/admin/policy#legal_hold" { "legal hold" } " is in effect"
            @if let Some(hold) = &retention.hold { " since " (exact(hold.set_at)) " by " bdi { (hold.set_by) } }
            ": nothing is erased."
        }
        @if retention.next(frame.now) == Next::Watches {
            " Nothing is erased now: within the last " (lasting(TRAIL_WATCHED)) " the log has a gap of more than "
            (lasting(TRAIL_GAP)) ", so the server was off, or its clock leapt ahead. Look whether the clock is right."
        }
    }
}

/// Where the trail goes beside this host, and how far it has come there.
fn streams(frame: &Frame, view: &SystemView) -> Markup {
    if view.streams.is_empty() {
        return html! {
            p { "The audit trail is kept on this host alone. On another machine, in its log, nobody who breaks in here can change what was written." }
            p class="muted" { "To send it there, set " code { "syslog" } " or " code { "webhook" } " in " code { "idp.toml" } " and start the server again." }
        };
    }
    html! {
        @for standing in &view.streams {
            (facts(&place(frame, standing, view.entries)))
            @if let Some(failing) = &standing.failing {
                (notice(Tone::Warn, &html! {
                    p { strong { "It stopped taking entries " (time_ago(failing.since, frame.now)) ":" } " " bdi { (failing.error) } "." }
                    p { "Nothing is lost: what it lacks is kept here, in its order, and sent as soon as it is back." }
                }))
            }
        }
    }
}

fn place(frame: &Frame, standing: &Standing, entries: i64) -> Vec<(&'static str, Markup)> {
    let whom = match standing.receiver {
        Receiver::Syslog => "Syslog server",
        Receiver::Webhook => "Webhook",
    };
    let number = |n: i64| grouped(n.unsigned_abs());
    let has = match standing.sent_at {
        Some(_) => html! { "everything up to entry " (number(standing.sent)) " of " (number(entries)) },
        None => {
            html! { "nothing yet; it gets what was written after entry " (number(standing.sent)) ", of " (number(entries)) }
        }
    };
    vec![
        (whom, html! { bdi { code { (standing.place) } } }),
        ("Has", has),
        ("Last sent", time_ago_or_never(standing.sent_at, frame.now)),
    ]
}

fn mail(frame: &Frame, view: &MailView) -> Markup {
    if !view.is_set {
        return html! {
            p { "No mail server is set, so nothing is mailed. What people have to be told, they are shown at the next sign-in; each person’s page has it under Notices, to copy or to print as a letter." }
            p class="muted" { "To send mail, set " code { "smtp_server" } " and " code { "mail_from" } " in " code { "idp.toml" } " and start the server again." }
        };
    }
    let queue = &view.queue;
    let mut rows = vec![
        (
            "Waiting",
            html! { (grouped(queue.waiting.into())) @if let Some(at) = queue.waiting_since { ", the oldest since " (time_ago(at, frame.now)) } },
        ),
        ("Given up in 30 days", html! { (grouped(queue.given_up.into())) }),
        ("Last sent", time_ago_or_never(queue.last_sent, frame.now)),
    ];
    if let Some(error) = &queue.last_error {
        rows.push(("Last failure", html! { bdi { (error) } }));
    }
    html! {
        (facts(&rows))
        @if let Some(tested) = &view.tested { (came_of_it(tested)) }
        @if let Some(form) = &view.test {
            (form.summary("The test message was not sent."))
            form method="post" action="/admin/system/mail-test" {
                (form.hidden())
                (form.step_up())
                div class="actions" { button { "Send a test message to me" } }
            }
        }
    }
}

fn came_of_it(tested: &Tested) -> Markup {
    let (tone, text) = match tested {
        Tested::Taken(to) => (
            Tone::Good,
            html! { p { strong { "The mail server took the message." } " Look whether it arrives at " bdi { (to) } ", also where your mail program puts unwanted mail." } },
        ),
        Tested::Later(why) => (
            Tone::Warn,
            html! { p { strong { "The message was not sent, but may be later." } " " bdi { (why) } ". What waits is kept and tried again for three days." } },
        ),
        Tested::Refused(why) => {
            (Tone::Bad, html! { p { strong { "The mail server does not take the message." } " " bdi { (why) } "." } })
        }
        Tested::Settings(why) => (
            Tone::Bad,
            html! { p { strong { "A setting has to be changed." } " " bdi { (why) } ". Then start the server again; what waits is kept for three days." } },
        ),
    };
    html! { div role="status" { (notice(tone, &text)) } }
}

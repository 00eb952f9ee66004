//! What waits for whom, what else needs attention, in words, and what happened lately.

use maud::{Markup, html};

use super::Frame;
use super::board::{SectionView, summary};
use super::entry::{EntryLine, entry_table};
use super::frame::Section;
use super::parts::{Badge, Tone, address, card, empty, heading};
use super::words::{ago, exact, grouped, size, with_commands};
use crate::dashboard::{Matter, Need, Urgency};
use crate::streams::Receiver;
use crate::time::Timestamp;

/// The start page of the console: `GET /admin`.
#[derive(Debug, Clone)]
pub struct DashboardView {
    /// The lists of the board that have something, each with its first cases.
    pub waiting: Vec<SectionView>,
    /// What else needs attention, the most pressing first.
    pub matters: Vec<Matter>,
    /// Since when people are counted who met the longest delay.
    pub since: Timestamp,
    /// The last notable entries, newest first.
    pub entries: Vec<EntryLine>,
}

/// What waits for whom first, then what else needs attention; what happened lately below.
pub fn dashboard(frame: &Frame, view: &DashboardView) -> Markup {
    let content = html! {
        (heading(None, "Dashboard", None))
        @if !view.waiting.is_empty() {
            (card("recovery", "Recovery", &html! {
                (summary(frame, &view.waiting))
                p { a href="/admin/recovery" { "The whole board" } }
            }))
        }
        @if view.matters.is_empty() && view.waiting.is_empty() {
            (empty("Nothing needs attention.", "Nobody is locked out, everyone has a second factor, and there is a fresh backup."))
        }
        @if !view.matters.is_empty() {
            (card("attention", "Needs attention", &matters(frame, &view.matters, view.since)))
        }
        @if !view.entries.is_empty() {
            (card("lately", "Lately", &html! {
                (entry_table(frame, "Notable entries, newest first", &view.entries))
                p { a href="/admin/audit" { "Everything in the audit log" } }
            }))
        }
    };
    frame.wide(Section::Dashboard, "Dashboard", false, &content)
}

/// What needs attention as a list: what it is leads to where it can be seen to.
pub(super) fn matters(frame: &Frame, matters: &[Matter], since: Timestamp) -> Markup {
    html! {
        ul class="matters" {
            @for matter in matters {
                @let (what, hint) = words(*matter, frame.now);
                li {
                    div { strong { a href=(place(*matter, since)) { (what) } } small { (with_commands(hint)) } }
                    (badge(matter.urgency()).show())
                }
            }
        }
    }
}

fn badge(urgency: Urgency) -> Badge {
    match urgency {
        Urgency::Now => Badge::new(Tone::Bad, "now"),
        Urgency::Soon => Badge::new(Tone::Warn, "soon"),
        Urgency::Known => Badge::new(Tone::Plain, "to know"),
    }
}

fn people(n: u32, one: &str, many: &str) -> String {
    if n == 1 { format!("1 person {one}") } else { format!("{} people {many}", grouped(n.into())) }
}

fn messages(n: u32, one: &str, many: &str) -> String {
    if n == 1 { format!("1 message {one}") } else { format!("{} messages {many}", grouped(n.into())) }
}

/// Where it can be seen to.
fn place(matter: Matter, since: Timestamp) -> String {
    match matter {
        Matter::Expired(_) => "/admin/recovery?state=expired".to_owned(),
        Matter::People(need, _) => format!("/admin/users?state={}", need.as_str()),
        Matter::Invited(_) => "/admin/users?state=invited".to_owned(),
        Matter::FewOwners(_) => "/admin/users?role=owner".to_owned(),
        Matter::Locked(_) => address("/admin/audit", [("action", "user.locked"), ("since", &since.to_seconds_text())]),
        Matter::ClockStepped(_) => "/admin/audit?action=system.clock_stepped".to_owned(),
        Matter::MailHeldUp(_) | Matter::MailGivenUp(_) => "/admin/system#mail".to_owned(),
        Matter::StreamStuck(..) => "/admin/system#streams".to_owned(),
        Matter::NotAnchored(_) => "/admin/audit".to_owned(),
        Matter::Backup(_) | Matter::KeyNotExported | Matter::DiskLow(_) => "/admin/system".to_owned(),
    }
}

/// What it is, and what to do.
fn words(matter: Matter, now: Timestamp) -> (String, &'static str) {
    match matter {
        Matter::People(need, n) => {
            let (one, many, hint) = need_words(need);
            (people(n, one, many), hint)
        }
        Matter::Locked(n) => (
            people(n, "met the longest delay", "met the longest delay"),
            "Too many wrong passwords or codes within a day. Ask whether it was them; nothing is locked for good.",
        ),
        Matter::Expired(n) => (
            people(n, "was reset and did not enrol in time", "were reset and did not enrol in time"),
            "Make sure again who it is, and start anew.",
        ),
        Matter::Invited(n) => (
            people(n, "has an invitation to open", "have an invitation to open"),
            "Links work for 72 hours. A lost one can be made anew at any time.",
        ),
        Matter::FewOwners(0) => {
            ("No owner can sign in".to_owned(), "On the host, `idp recover-owner` lets one back in.")
        }
        Matter::FewOwners(_) => (
            "Only one owner can sign in".to_owned(),
            "Who lets that person back in after a lost phone? Make somebody else an owner too.",
        ),
        Matter::Backup(None) => ("There is no backup yet".to_owned(), "Let `idp backup` run every night on the host."),
        Matter::Backup(Some(at)) => (
            format!("The last backup was made {}", ago(at, now)),
            "Look at the job on the host that runs `idp backup`.",
        ),
        Matter::KeyNotExported => (
            "The seed key was never exported".to_owned(),
            "It is in no backup. Run `idp key export` on the host once, and keep the file elsewhere.",
        ),
        Matter::NotAnchored(at) => (
            format!("No anchor of the audit log went out since {}", exact(at)),
            "What was logged since could be changed unnoticed. The audit log says what to do.",
        ),
        Matter::DiskLow(free) => (
            format!("Only {} are free on the disk", size(free)),
            "Make room on the host: when it is nearly full, nobody can sign in.",
        ),
        Matter::MailHeldUp(n) => (
            format!("{} for over an hour", messages(n, "has been waiting to be sent", "have been waiting to be sent")),
            "Send a test message: it says what the mail server answers. People do not hear yet what was done.",
        ),
        Matter::MailGivenUp(n) => (
            format!("{} within a week", messages(n, "could not be delivered", "could not be delivered")),
            "Each person’s page has them under Notices, to hand over or to print. Is the address still right?",
        ),
        Matter::StreamStuck(receiver, since) => {
            let whom = match receiver {
                Receiver::Syslog => "The syslog server",
                Receiver::Webhook => "The webhook",
            };
            (
                format!("{whom} stopped taking audit entries {}", ago(since, now)),
                "Nothing is lost: they are kept and sent when it is back. System says why it does not take them.",
            )
        }
        Matter::ClockStepped(at) => (
            format!("The host's clock went backwards {}", ago(at, now)),
            "Codes depend on the time. Look at the time service on the host.",
        ),
    }
}

/// One person does this, many do that; and what to do about it.
const fn need_words(need: Need) -> (&'static str, &'static str, &'static str) {
    match need {
        Need::Awaiting => (
            "was reset and has not enrolled yet",
            "were reset and have not enrolled yet",
            "See whether they get through.",
        ),
        Need::NoFactor => (
            "has no second factor",
            "have no second factor",
            "They can not sign in. Make sure who it is, then reset or make a new invitation.",
        ),
        Need::FactorDisabled => (
            "has an app that was switched off",
            "have an app that was switched off",
            "After 100 wrong codes, each behind the right password: somebody else may know it. Call them.",
        ),
        Need::TemporaryPassword => (
            "has a temporary password",
            "have a temporary password",
            "They have not chosen their own yet, and it stops working by itself.",
        ),
        Need::InvitationOver => (
            "was invited, and the link ran out",
            "were invited, and their links ran out",
            "Make a new link, or disable the account.",
        ),
        Need::FewCodes => (
            "has two backup codes or fewer",
            "have two backup codes or fewer",
            "Ask them to make new ones on their profile, before they lose their phone.",
        ),
    }
}

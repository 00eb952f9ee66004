//! One person in the console: summary, tabs, and the menu of what can be done for them.

pub mod notes;
pub mod notices;
pub mod sessions;

use maud::{Markup, html};

use self::notes::Note;
use super::Frame;
use super::contacts::overview_card;
use super::entry::{EntryLine, entry_table};
use super::grants::Subject;
use super::hold::{Alarm, alarm};
use super::parts::{Badge, FactorLine, Tone, card, empty, facts, notice, pager, table};
use super::portraits::overview_card as portrait_card;
use super::users::{page, status};
use super::words::{clock, count, day, time_ago, time_ago_or_never};
use crate::contacts::Contact;
use crate::ids::{CaseNumber, UserId};
use crate::policy::TOTP_DISABLED_AT;
use crate::portraits::Portrait;
use crate::time::Timestamp;
use crate::users::{Role, Status};

/// What stands on top of every tab.
#[derive(Debug, Clone)]
pub struct UserHead<'a> {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: &'a str,
    /// What they sign in with.
    pub email: &'a str,
    /// What they may do.
    pub role: Role,
    /// In which state the account is.
    pub status: Status,
    /// What could be done, in the order of the menu, also what this viewer may not do.
    pub actions: Vec<Action>,
    /// A case that is not finished.
    pub open_case: Option<OpenCase>,
    /// That the account is held by its case.
    pub alarm: Option<Alarm<'a>>,
}

/// One line of the Actions menu.
#[derive(Debug, Clone)]
pub struct Action {
    /// "Force MFA reset".
    pub label: &'static str,
    /// The page that asks for what is needed.
    pub href: String,
    /// Why this viewer may not do it: shown instead of the link.
    pub refused: Option<String>,
    /// Whether it takes something away from the person.
    pub danger: bool,
}

/// The banner about a recovery under way.
#[derive(Debug, Clone)]
pub struct OpenCase {
    /// Its number.
    pub number: CaseNumber,
    /// Who opened it.
    pub opened_by: String,
    /// When.
    pub opened_at: Timestamp,
    /// What it waits for: "waiting for enrolment".
    pub waiting_for: &'static str,
    /// Whether somebody said that it is urgent.
    pub urgent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Overview,
    Mfa,
    Sessions,
    Activity,
    Notes,
    Notices,
}

fn tab(frame: &Frame, head: &UserHead, tab: Tab, wrong: bool, content: &Markup) -> Markup {
    let tabs = [
        (Tab::Overview, "Overview", ""),
        (Tab::Mfa, "MFA", "/mfa"),
        (Tab::Sessions, "Sessions", "/sessions"),
        (Tab::Activity, "Activity", "/activity"),
        (Tab::Notes, "Notes", "/notes"),
        (Tab::Notices, "Notices", "/notices"),
    ];
    let label = tabs.iter().find(|t| t.0 == tab).map_or("", |t| t.1);
    let title = format!("{}, {label} · People", head.name);
    let content = html! {
        (summary(head))
        @if let Some(held) = &head.alarm { (alarm(frame, held)) }
        @else if let Some(case) = &head.open_case { (banner(frame, case)) }
        nav class="tabs" aria-label=(head.name) {
            @for (this, label, path) in tabs {
                a href={ "/admin/users/" (head.id) (path) } aria-current=[(this == tab).then_some("page")] { (label) }
            }
        }
        (content)
    };
    page(frame, &title, wrong, &content)
}

fn summary(head: &UserHead) -> Markup {
    html! {
        div class="head" {
            div {
                h1 { bdi { (head.name) } }
                p class="muted" { (head.email) " · " (head.role) " · " (status(head.status).show()) }
            }
            @if !head.actions.is_empty() { (menu(&head.actions)) }
        }
    }
}

/// What may not be done stays in its place with the reason, so that nobody looks for it in vain.
fn menu(actions: &[Action]) -> Markup {
    html! {
        details class="menu" {
            summary class="button" { "Actions" }
            div { ul {
                @for action in actions {
                    li {
                        @if let Some(reason) = &action.refused {
                            span class="off" { (action.label) small { (reason) } }
                        } @else {
                            a class=[action.danger.then_some("danger")] href=(action.href) { (action.label) }
                        }
                    }
                }
            } }
        }
    }
}

fn banner(frame: &Frame, case: &OpenCase) -> Markup {
    notice(
        Tone::Warn,
        &html! {
            p {
                strong { "Recovery " a href={ "/admin/recovery/" (case.number) } { (case.number) } ": " (case.waiting_for) "." }
                @if case.urgent { " " (Badge::new(Tone::Bad, "urgent").show()) }
                " Opened " (time_ago(case.opened_at, frame.now)) " by " bdi { (case.opened_by) } "."
            }
        },
    )
}

/// The first tab: `/admin/users/{id}`.
#[derive(Debug, Clone)]
pub struct OverviewView<'a> {
    /// What stands on top.
    pub head: UserHead<'a>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When they last completed a sign-in.
    pub last_sign_in_at: Option<Timestamp>,
    /// The password in a few words: "set", "temporary, until", "not set yet".
    pub password: &'static str,
    /// Until when, where it is temporary.
    pub password_until: Option<Timestamp>,
    /// Confirmed factors, those that were switched off included.
    pub factors: Vec<FactorLine>,
    /// Unused backup codes.
    pub codes_left: u32,
    /// Sessions that are open now.
    pub sessions: u32,
    /// How they can be reached: what is in use.
    pub contacts: Vec<Contact>,
    /// How long a number has to be known before a call to it counts.
    pub known: std::time::Duration,
    /// What they look like, and which ID was seen.
    pub portrait: Option<Portrait>,
    /// Whether the viewer may change that.
    pub may_change_portrait: bool,
    /// The newest notes.
    pub notes: Vec<Note>,
    /// Whether there are more notes than these.
    pub more_notes: bool,
}

/// Who this is, at a glance.
pub fn overview(frame: &Frame, view: &OverviewView) -> Markup {
    let rows = [
        ("Last sign-in", time_ago_or_never(view.last_sign_in_at, frame.now)),
        ("Password", html! { (view.password) @if let Some(at) = view.password_until { " " (clock(at, frame.now)) } }),
        (
            "Second factor",
            html! { (in_short(&view.factors)) ", " (count(view.codes_left.into(), "backup code")) " remaining" },
        ),
        (
            "Signed in now",
            html! {
                @if view.sessions == 0 { "nowhere" } @else { (count(view.sessions.into(), "session")) }
            },
        ),
        ("Added", html! { (day(view.created_at)) }),
    ];
    let person = Subject { id: view.head.id, name: view.head.name, email: view.head.email };
    let content = html! {
        (switched_off(frame, &view.head, &view.factors))
        (card("account", "Account", &facts(&rows)))
        (portrait_card(frame, &person, view.portrait.as_ref(), view.may_change_portrait))
        (overview_card(frame, &format!("/admin/users/{}/contacts", view.head.id), &view.contacts, view.known))
        (card("notes", "Notes", &html! {
            @if view.notes.is_empty() {
                p class="muted" { "No notes yet. A note stands in the audit log and can not be taken back." }
            } @else {
                (notes::list(frame, &view.notes))
            }
            @if view.more_notes {
                div class="actions" { a class="button" href={ "/admin/users/" (view.head.id) "/notes" } { "All notes" } }
            }
        }))
    };
    tab(frame, &view.head, Tab::Overview, false, &content)
}

/// How many factors there are; one that takes no code any more is none, and is not passed over either.
fn in_short(factors: &[FactorLine]) -> Markup {
    let off = factors.iter().filter(|f| f.switched_off_at.is_some()).count();
    html! {
        @match factors.len() - off {
            0 if off == 0 => "none set up",
            0 => "none that works",
            working => (count(working as u64, "factor")),
        }
        @if off > 0 { " " (Badge::new(Tone::Bad, format!("{off} switched off")).show()) }
    }
}

/// What happened to an app that takes no code any more, and what whoever looks after its owner can do.
fn switched_off(frame: &Frame, head: &UserHead, factors: &[FactorLine]) -> Markup {
    let name = html! { bdi { (head.name) } };
    let off = factors.iter().filter_map(|f| Some((f, f.switched_off_at?)));
    html! {
        @for (factor, at) in off {
            (notice(Tone::Bad, &html! {
                p {
                    strong { "“" bdi { (factor.name) } "” was switched off " (time_ago(at, frame.now)) "." }
                    " There were " (TOTP_DISABLED_AT) " wrong codes in a row, from someone who had given the right "
                    "password or was signed in as " (name) ": somebody may know the password."
                }
                @if head.status == Status::Active {
                    p {
                        "Ask " (name) " on a channel you trust. If it was somebody else, choose “Set temporary password” "
                        "under Actions: then the known one stops working and every session ends. Codes from this app do "
                        "not work again. With a backup code " (name) " can sign in and add an app; without one it takes a "
                        "“Force MFA reset”."
                    }
                }
            }))
        }
    }
}

/// The second tab: `/admin/users/{id}/mfa`.
#[derive(Debug, Clone)]
pub struct MfaView<'a> {
    /// What stands on top.
    pub head: UserHead<'a>,
    /// Confirmed factors, those that were switched off included.
    pub factors: Vec<FactorLine>,
    /// Their own backup codes that still work.
    pub codes_left: u32,
    /// How many the set had; 0 when there never was one.
    pub codes_made: u32,
    /// When the set was made.
    pub codes_made_at: Option<Timestamp>,
    /// Codes that an admin issued and that still work: how many, and until when.
    pub issued: Option<(u32, Timestamp)>,
    /// An enrolment window that is open: until when.
    pub window: Option<Timestamp>,
}

/// Factors, and "N codes remaining": the first thing to look at when somebody calls.
pub fn mfa(frame: &Frame, view: &MfaView) -> Markup {
    let content = html! {
        @if let Some(closes_at) = view.window {
            (notice(Tone::Plain, &html! {
                p { strong { "The enrolment window is open" } " until " (clock(closes_at, frame.now))
                    ". With password and pass, a new factor can be set up." }
            }))
        }
        (switched_off(frame, &view.head, &view.factors))
        (card("factors", "Factors", &factors(frame, &view.factors)))
        (card("codes", "Backup codes", &codes(frame, view)))
    };
    tab(frame, &view.head, Tab::Mfa, false, &content)
}

fn factors(frame: &Frame, factors: &[FactorLine]) -> Markup {
    let columns = ["Factor", "Added", "Last used"];
    let row = |f: &FactorLine| {
        vec![
            html! {
                strong { (f.kind) }
                @if let Some(at) = f.switched_off_at {
                    " " (Badge::new(Tone::Bad, "switched off").show()) " " (time_ago(at, frame.now))
                }
                @if f.name != f.kind { br; small { bdi { (f.name) } } }
            },
            time_ago(f.added_at, frame.now),
            time_ago_or_never(f.last_used_at, frame.now),
        ]
    };
    html! {
        @if factors.is_empty() { p { "No factor is set up." } }
        @else { (table("Factors", &columns, &factors.iter().map(row).collect::<Vec<_>>())) }
    }
}

fn codes(frame: &Frame, view: &MfaView) -> Markup {
    html! {
        p {
            strong { (count(view.codes_left.into(), "code")) " remaining" }
            @if view.codes_made > 0 { " of " (view.codes_made) }
            @if let Some(at) = view.codes_made_at { ", made on " (day(at)) }
            "."
        }
        @if let Some((left, until)) = view.issued {
            p { strong { (count(left.into(), "code")) " issued by an admin" } " can be used until "
                (clock(until, frame.now)) "." }
        }
        @if view.codes_left > 0 {
            p class="muted" {
                "If they have them at hand, walk them through one: e-mail, password, “use a backup code instead”. "
                "Then no reset is needed."
            }
        }
    }
}

/// The fourth tab: `/admin/users/{id}/activity`.
#[derive(Debug, Clone)]
pub struct ActivityView<'a> {
    /// What stands on top.
    pub head: UserHead<'a>,
    /// Entries about this person, newest first.
    pub entries: Vec<EntryLine>,
    /// The address of older entries, if there are any.
    pub older: Option<String>,
}

/// What happened to this account, in plain words.
pub fn activity(frame: &Frame, view: &ActivityView) -> Markup {
    let content = html! {
        @if view.entries.is_empty() {
            (empty("Nothing has happened yet.", "Sign-ins and changes to this account will stand here."))
        } @else {
            section class="card" { (entry_table(frame, "Activity", &view.entries)) }
            (pager(None, view.older.as_deref().map(|href| ("Older", href))))
        }
    };
    tab(frame, &view.head, Tab::Activity, false, &content)
}

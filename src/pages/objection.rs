//! "This wasn't me": the pages behind the link in a notice, for somebody who may be frightened and is not signed in.
//! Opening them changes nothing; one button does.

use maud::{Markup, html};

use super::Frame;
use super::form::Form;
use super::parts::{Tone, notice};
use super::sign_in::whom_to_ask;
use super::words::{day, exact, with_commands};
use crate::ids::CaseNumber;
use crate::time::Timestamp;

/// What an objection does, or did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The account is frozen.
    Frozen,
    /// It is the last owner's: what was created since ended, and the account stays in use.
    EndedSince,
    /// Nobody could sign in anyway: it is told to the owners.
    Told,
}

/// `POST` to the page's own address, without fields.
#[derive(Debug, Clone)]
pub struct AskView<'a> {
    /// Its CSRF value.
    pub form: Form<'a>,
    /// The page's own address.
    pub action: &'a str,
    /// Whose account.
    pub name: &'a str,
    /// What the notice said: "Tom Okafor removed all your authenticator apps".
    pub said: String,
    /// When.
    pub at: Timestamp,
    /// What the button does.
    pub outcome: Outcome,
    /// Whom to ask, as the organisation wrote it.
    pub help_contact: Option<&'a str>,
}

/// What happened, what the button does, and that there is nothing to do where all is well.
pub fn ask(frame: &Frame, view: &AskView) -> Markup {
    let content = html! {
        h1 { "Was this you?" }
        section class="card" {
            p { "This is about the account of " strong { bdi { (view.name) } } "." }
            p { "The notice, of " (moment(view.at)) ", said: “" strong { bdi { (view.said) } } "”" }
            p { "If you did this, or asked for it, close this page. Nothing has happened." }
        }
        form class="card" method="post" action=(view.action) {
            (view.form.hidden())
            h2 { "If it was not you" }
            (what_it_does(view.outcome))
            div class="actions" { button class="danger" { (button(view.outcome)) } }
        }
        p class="muted" { "Not sure? " (whom_to_ask(view.help_contact)) }
    };
    frame.narrow("Was this you?", false, &content)
}

const fn button(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Frozen => "This wasn’t me: freeze my account",
        Outcome::EndedSince => "This wasn’t me: end what came since",
        Outcome::Told => "This wasn’t me: tell the owners",
    }
}

fn what_it_does(outcome: Outcome) -> Markup {
    match outcome {
        Outcome::Frozen => html! {
            ul {
                li { "Nobody can sign in to the account any more, you neither, and whoever is signed in is put out at once." }
                li { "What was asked for in your name ends." }
                li { "Nothing is deleted. If it was a mistake, everything comes back as it was." }
                li { "The owners are told. Somebody then makes sure who you are and lets you in again." }
            }
        },
        Outcome::EndedSince => html! {
            ul {
                li { "Whatever was added to the account since then ends: sessions, remembered devices, links, authenticator apps "
                    "and backup codes." }
                li { "What was there before still works, so that the organisation keeps its last owner." }
            }
        },
        Outcome::Told => html! {
            p { "The account is closed already: nobody can sign in to it. What you say here is written down, and the owners are "
                "told." }
        },
    }
}

/// A day and the time, in words that need no explanation; the exact moment on hover.
fn moment(at: Timestamp) -> Markup {
    let text = at.to_seconds_text();
    html! { time datetime=(text) title=(exact(at)) { (day(at)) ", " (&text[11..16]) " UTC" } }
}

/// After the button.
#[derive(Debug, Clone)]
pub struct DoneView<'a> {
    /// What was done.
    pub outcome: Outcome,
    /// The number under which it is looked into.
    pub case: CaseNumber,
    /// Whether anything is left to sign in with.
    pub has_factor: bool,
    /// Whom to ask, as the organisation wrote it.
    pub help_contact: Option<&'a str>,
}

/// What was done, and what comes now.
pub fn done(frame: &Frame, view: &DoneView) -> Markup {
    let title = match view.outcome {
        Outcome::Frozen => "Your account is frozen",
        Outcome::EndedSince => "What came since has ended",
        Outcome::Told => "The owners are told",
    };
    let content = html! {
        h1 { (title) }
        (notice(Tone::Good, &html! {
            p {
                @match view.outcome {
                    Outcome::Frozen => "Nobody can sign in to it. Nothing was deleted, and the owners are told.",
                    Outcome::EndedSince => "Everything that was there before still works.",
                    Outcome::Told => "Nobody could sign in to the account, and nobody can.",
                }
            }
        }))
        section class="card" {
            h2 { "What to do now" }
            p { "Call, or go there, on a way that you know. Do not answer whoever calls you about this. "
                (whom_to_ask(view.help_contact)) }
            p { "Say this number: " strong class="whole" { (view.case) } }
            @if view.outcome == Outcome::EndedSince {
                p { "Sign in, look at your authenticator apps and backup codes, and change the password." }
                @if !view.has_factor {
                    p { (with_commands("Nothing is left to sign in with besides the password. Whoever runs the host lets you in \
                        again with `idp recover-owner`.")) }
                }
            } @else {
                p { "Do you use the same password elsewhere? Then change it there." }
            }
        }
    };
    frame.narrow(title, false, &content)
}

/// Why a link does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It is no link of ours; which of the many reasons, nobody is told.
    Unknown,
    /// Its time is over.
    TooLate,
    /// It was used, then.
    Said(Timestamp),
}

/// A link that does nothing any more, or never did: answered with 404 or 410.
#[derive(Debug, Clone)]
pub struct GoneView<'a> {
    /// Why.
    pub gone: Gone,
    /// Whom to ask, as the organisation wrote it.
    pub help_contact: Option<&'a str>,
}

/// What to do instead.
pub fn gone(frame: &Frame, view: &GoneView) -> Markup {
    let (title, what) = match view.gone {
        Gone::Unknown => (
            "This link is not known here",
            html! { "It may be cut off: open it from the message itself, or copy it whole." },
        ),
        Gone::TooLate => (
            "It is too late for this link",
            html! { "Such a link works for a limited time, and not after the data was restored from a backup." },
        ),
        Gone::Said(at) => (
            "You have said this already",
            html! { "It was said on " (moment(at)) ". A link works once, and the owners are told." },
        ),
    };
    let content = html! {
        h1 { (title) }
        section class="card" {
            p { (what) }
            p { "Is something wrong with your account? Call, on a number that you know. " (whom_to_ask(view.help_contact)) }
        }
    };
    frame.narrow(title, false, &content)
}

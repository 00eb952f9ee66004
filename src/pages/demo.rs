//! The list that stands in for everybody's phone in a demo, and what to try.

use maud::{Markup, html};

use super::Frame;
use super::parts::{Badge, Tone, address, card, copy_button, heading, table};
use super::words::with_commands;
use crate::demo::{KeyRing, PASSWORD, PasswordNow};
use crate::secret::Secret;
use crate::users::Status;

/// How many of somebody's backup codes are shown.
const CODES_SHOWN: usize = 2;

/// `GET /demo`
#[derive(Debug, Clone)]
pub struct DemoView {
    /// Everybody.
    pub people: Vec<KeyRing>,
    /// What to try.
    pub walks: Vec<WalkView>,
    /// When the apps show something else.
    pub seconds_left: i64,
}

/// Something to try.
#[derive(Debug, Clone)]
pub struct WalkView {
    /// What it is about.
    pub title: &'static str,
    /// Name and address of whom to be; nobody, where it begins elsewhere.
    pub who: Option<(&'static str, String)>,
    /// Where it begins.
    pub path: String,
    /// What to do, with commands between backticks.
    pub text: String,
}

/// Who can sign in how, and what to try.
pub fn demo(frame: &Frame, view: &DemoView) -> Markup {
    let content = html! {
        (heading(None, "Try it out", Some(&html! { div class="actions" { a class="button main" href="/" { "Sign in" } } })))
        p {
            "You can be anybody here. This page stands in for their phones: it shows what the authenticator app of each of \
             them shows now. Keep it open, and be one person a window: a private window is a second one."
        }
        (card("password", "Everybody's password", &html! {
            p class="secret long" id="shared" { (PASSWORD) }
            p class="screen" { (copy_button("shared", "Copy")) }
        }))
        (card("walks", "What to try", &walks(view)))
        (card("people", "Everybody and their codes", &html! {
            p {
                "The codes change in " span class="whole" { span data-left=(view.seconds_left) { (view.seconds_left) } " seconds" }
                ". Each works once: take the next one where one was used already, it is good half a minute before its time."
            }
            noscript { p { "Load this page again for newer codes." } }
            (people(&view.people))
        }))
    };
    frame.open("Try it out", &content)
}

fn walks(view: &DemoView) -> Markup {
    html! {
        ol class="steps" {
            @for walk in &view.walks {
                li {
                    p {
                        @if let Some((name, email)) = &walk.who {
                            a href=(address("/sign-in", [("next", &*walk.path)])) { strong { (walk.title) } }
                            ". Be " (name) " (" (email)
                            @if let Some(person) = view.people.iter().find(|p| p.email == *email && !p.app.is_empty()) {
                                ", code " (changing(&person.app, 0))
                            }
                            "). "
                        } @else {
                            strong { (walk.title) } ". "
                        }
                        (with_commands(&walk.text))
                    }
                }
            }
        }
    }
}

fn people(people: &[KeyRing]) -> Markup {
    let rows: Vec<Vec<Markup>> = people.iter().enumerate().map(|(n, person)| row(n, person)).collect();
    table("Everybody", &["Who", "Role", "Code now", "Backup codes"], &rows)
}

fn row(n: usize, person: &KeyRing) -> Vec<Markup> {
    let role = html! {
        (person.role)
        @if person.status != Status::Active { " " (Badge::new(Tone::Warn, person.status.as_str()).show()) }
    };
    vec![who(person), role, app(n, person), codes(person)]
}

fn who(person: &KeyRing) -> Markup {
    html! {
        strong { bdi { (person.name) } } br;
        code { (person.email) }
        @if let Some(about) = person.about { br; small { (about) } }
        @match person.password {
            PasswordNow::Shared => {}
            PasswordNow::Temporary => { br; small { "Signs in with the temporary password that was shown." } }
            PasswordNow::Chosen => { br; small { "Signs in with the password that was chosen for them." } }
            PasswordNow::None if person.invitation.is_none() => { br; small { "Has no password that works." } }
            PasswordNow::None => {}
        }
        @if let Some(invitation) = &person.invitation { br; a href=(invitation) { "Accept the invitation" } }
    }
}

fn app(n: usize, person: &KeyRing) -> Markup {
    html! {
        @if !person.app.is_empty() { (shown(&format!("app-{n}"), &person.app)) }
        @if !person.new_app.is_empty() {
            small { "The app being set up:" } " "
            (shown(&format!("new-app-{n}"), &person.new_app))
        }
        @if person.app.is_empty() && person.new_app.is_empty() { small { "no app" } }
    }
}

/// A code with the next one after it.
fn shown(id: &str, codes: &[Secret]) -> Markup {
    html! {
        strong id=(id) { (changing(codes, 0)) } " "
        small class="whole" { "next " (changing(codes, 1)) } " "
        button type="button" class="small" hidden data-copy=(id) { "Copy" }
    }
}

/// The code of the step `from`. It holds those that come after it, so that nothing has to be loaded.
fn changing(codes: &[Secret], from: usize) -> Markup {
    let codes: Vec<&str> = codes.iter().skip(from).map(Secret::reveal).collect();
    html! { span class="code whole" data-codes=(codes.join(" ")) { (codes.first().unwrap_or(&"")) } }
}

fn codes(person: &KeyRing) -> Markup {
    html! {
        @for code in person.codes.iter().take(CODES_SHOWN) { code class="whole" { (code.reveal()) } br; }
        @if person.codes_left == 0 { small { "none" } } @else { small { (person.codes_left) " left" } }
    }
}

//! What happened to a person's own account, and what to do about what was not them.

use maud::{Markup, html};

use super::Frame;
use super::parts::{card, empty, heading, pager, table};
use super::profile::{back, page};
use super::sign_in::whom_to_ask;
use super::words::time_ago;
use crate::time::Timestamp;

/// One line of a person's own history.
#[derive(Debug, Clone)]
pub struct OwnActivity {
    /// When.
    pub at: Timestamp,
    /// What, in plain words.
    pub text: String,
    /// From which device and address, or whose doing it was.
    pub source: String,
}

/// A page of the person's own history: `/profile/activity`.
#[derive(Debug, Clone)]
pub struct ActivityView<'a> {
    /// Newest first.
    pub entries: Vec<OwnActivity>,
    /// Whether these are the newest there are.
    pub newest: bool,
    /// The address of older ones, if there are any.
    pub older: Option<String>,
    /// Whom to tell, as the organisation wrote it.
    pub help_contact: Option<&'a str>,
}

/// Everything that the person is told of, newest first.
pub fn activity(frame: &Frame, view: &ActivityView) -> Markup {
    let newest = (!view.newest).then_some(("Newest", "/profile/activity"));
    let content = html! {
        (heading(Some(&back()), "Your activity", None))
        @if view.entries.is_empty() {
            (empty("Nothing more.", "What happens to your account is listed here."))
        } @else {
            section class="card" { (lines(frame, "Your activity", &view.entries)) }
        }
        (pager(newest, view.older.as_deref().map(|href| ("Older", href))))
        (was_not_me(view.help_contact))
    };
    page(frame, "Your activity", false, &content)
}

/// The table of such lines.
pub(super) fn lines(frame: &Frame, label: &str, entries: &[OwnActivity]) -> Markup {
    let row =
        |a: &OwnActivity| vec![html! { bdi { (a.text) } }, time_ago(a.at, frame.now), html! { bdi { (a.source) } }];
    table(label, &["What", "When", "From"], &entries.iter().map(row).collect::<Vec<_>>())
}

/// Something looks wrong: what to do, in the order in which it helps.
fn was_not_me(help_contact: Option<&str>) -> Markup {
    card(
        "wrong",
        "Something here was not you?",
        &html! {
            p { "A wrong password alone does no harm: anyone who knows your address can type one. If anything else was not "
                "you:" }
            ol class="steps" {
                li { a href="/profile/password" { "Change your password" }
                    ". Everywhere but here you are signed out, and other devices are forgotten." }
                li { "Look at " a href="/profile" { "your authenticator apps" } " and remove what is not yours; then "
                    a href="/profile/backup-codes" { "make new backup codes" } "." }
                li { "Tell those who look after accounts what you saw, and when. " (whom_to_ask(help_contact)) }
            }
        },
    )
}

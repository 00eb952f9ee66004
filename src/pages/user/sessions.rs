//! The tab of a person's sessions: which are open, on which device, and a way to end each.

use maud::{Markup, html};

use super::{Tab, UserHead, tab};
use crate::pages::Frame;
use crate::pages::parts::{SessionLine, Tone, empty, notice, table};
use crate::pages::words::time_ago;

/// The third tab: `/admin/users/{id}/sessions`.
#[derive(Debug, Clone)]
pub struct SessionsView<'a> {
    /// What stands on top.
    pub head: UserHead<'a>,
    /// What is open, the one seen last on top, and how far each has come: "signed in", "waits for the second factor".
    pub sessions: Vec<(SessionLine, &'static str)>,
    /// Why this viewer may not end them: shown instead of the links.
    pub refused: Option<String>,
}

/// What is open.
pub fn sessions(frame: &Frame, view: &SessionsView) -> Markup {
    let id = view.head.id;
    let columns = ["Device", "Address", "State", "Began", "Last seen", ""];
    let row = |(s, state): &(SessionLine, &str)| {
        vec![
            html! { strong { (s.device) } },
            html! { span class="from" { (s.address) } },
            html! { (state) },
            time_ago(s.began_at, frame.now),
            time_ago(s.seen_at, frame.now),
            html! {
                @if view.refused.is_none() {
                    a href={ "/admin/users/" (id) "/sessions/" (s.id) "/end" } { "End" span class="unseen" { " the one on " (s.device) } }
                }
            },
        ]
    };
    let rows: Vec<_> = view.sessions.iter().map(row).collect();
    let content = html! {
        @if rows.is_empty() {
            (empty("No session is open.", "Where they are signed in will stand here."))
        } @else {
            @if let Some(reason) = &view.refused { (notice(Tone::Plain, &html! { p { (reason) } })) }
            section class="card" {
                (table("Sessions", &columns, &rows))
                @if view.refused.is_none() {
                    div class="actions" { a class="button" href={ "/admin/users/" (id) "/sessions/end" } { "End all sessions" } }
                }
            }
        }
    };
    tab(frame, &view.head, Tab::Sessions, false, &content)
}

//! Where a person is signed in, and which devices are remembered: `/profile/sessions`.

use maud::{Markup, html};

use super::form::Form;
use super::parts::{Badge, SessionLine, Tone, card, heading, sessions_table, table};
use super::profile::{back, page};
use super::words::time_ago;
use super::{Frame, words};
use crate::ids::DeviceId;
use crate::policy;
use crate::time::Timestamp;

/// One remembered device.
#[derive(Debug, Clone)]
pub struct DeviceLine {
    /// Which.
    pub id: DeviceId,
    /// In plain words: "Firefox on Linux".
    pub name: String,
    /// The address of its first sign-in.
    pub address: String,
    /// When that was.
    pub since: Timestamp,
    /// When it last completed a sign-in.
    pub signed_in_at: Timestamp,
    /// Whether the page is looked at on it.
    pub here: bool,
}

/// Sessions and devices. Its forms post to `/profile/sessions/…` and `/profile/devices/…`.
#[derive(Debug, Clone)]
pub struct SessionsView<'a> {
    /// For every button on the page.
    pub form: Form<'a>,
    /// This one among them, the one used last first.
    pub sessions: Vec<SessionLine>,
    /// The one used last first.
    pub devices: Vec<DeviceLine>,
}

/// Both lists, each with a way to end what should not be there.
pub fn sessions(frame: &Frame, view: &SessionsView) -> Markup {
    let content = html! {
        (heading(Some(&back()), "Sessions and devices", None))
        (view.form.summary("Nothing has been changed."))
        (card("sessions", "Where you are signed in", &session_list(frame, view)))
        (card("devices", "Remembered devices", &device_list(frame, view)))
        p { "Something here is not yours? End it, then see "
            a href="/profile/activity#wrong" { "what else to do" } "." }
    };
    page(frame, "Sessions and devices", view.form.wrong(), &content)
}

fn session_list(frame: &Frame, view: &SessionsView) -> Markup {
    let end = |line: &SessionLine| {
        html! {
            @if !line.here {
                (act(&view.form, &format!("/profile/sessions/{}/end", line.id), "End", &line.device))
            }
        }
    };
    html! {
        (sessions_table(frame.now, &view.sessions, end))
        @if view.sessions.len() > 1 {
            form class="actions" method="post" action="/profile/sessions/end" {
                (view.form.hidden())
                button { "End all other sessions" }
            }
        } @else {
            p class="muted" { "You are signed in nowhere else." }
        }
    }
}

fn device_list(frame: &Frame, view: &SessionsView) -> Markup {
    let columns = ["Device", "First address", "Since", "Last sign-in", ""];
    let row = |line: &DeviceLine| {
        vec![
            html! {
                strong { bdi { (line.name) } }
                @if line.here { " " (Badge::new(Tone::Good, "this device").show()) }
            },
            html! { (line.address) },
            time_ago(line.since, frame.now),
            time_ago(line.signed_in_at, frame.now),
            act(&view.form, &format!("/profile/devices/{}/forget", line.id), "Forget", &line.name),
        ]
    };
    html! {
        p { "A device on which you have signed in is remembered for " (words::lasting(policy::DEVICE))
            ", so that strangers’ wrong passwords do not hold you up there. Forgetting a device also signs you out on it, "
            "except here." }
        @if view.devices.is_empty() {
            p class="muted" { "No device is remembered. The next one on which you sign in will be." }
        } @else {
            (table("Remembered devices", &columns, &view.devices.iter().map(row).collect::<Vec<_>>()))
            form class="actions" method="post" action="/profile/devices/forget" {
                (view.form.hidden())
                button { "Forget all devices" }
            }
        }
    }
}

/// A small button at the end of a row, which says to a screen reader what the row is about.
fn act(form: &Form, action: &str, label: &str, about: &str) -> Markup {
    html! {
        form class="inline" method="post" action=(action) {
            (form.hidden())
            button class="small" { (label) span class="unseen" { " " (about) } }
        }
    }
}

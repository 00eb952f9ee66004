//! Samples of a person's own pages, hostile text and right-to-left names included.

use maud::Markup;

use super::activity::{self, ActivityView, OwnActivity};
use super::factors::{self, NewFactorView, RemoveFactorView, RenameFactorView, StartFactorView};
use super::parts::{FactorLine, SessionLine};
use super::profile::{self, ChangePasswordView, NewCodesView, ProfileView};
use super::samples::{HELP, HOSTILE, OTPAUTH, at, factor, form, step_up, typed, viewer};
use super::sessions::{self, DeviceLine, SessionsView};
use super::{Form, Frame, StepUp};
use crate::ids::{DeviceId, FactorId, SessionId};
use crate::secret::Secret;
use crate::users::Role;

const RIGHT_TO_LEFT: &str = "מרים בת־אברהם הכהן";

pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Member);
    let mut pages = overview(&f);
    pages.extend(lists(&f));
    pages.extend(forms(&f));
    pages
}

fn activity(text: &str) -> OwnActivity {
    OwnActivity {
        at: at("2026-11-24T08:00:00Z"),
        text: text.to_owned(),
        source: "Firefox on Windows, 192.0.2.7".to_owned(),
    }
}

fn overview(f: &Frame) -> Vec<(&'static str, Markup)> {
    let profile = ProfileView {
        form: form(),
        name: "Mara Lindqvist",
        email: "mara@fernhill.example",
        role: Role::Member,
        factors: vec![factor(HOSTILE, None), factor("Mara’s phone", Some(at("2026-11-19T07:58:00Z")))],
        codes_left: 2,
        issued: Some((1, at("2026-11-30T09:12:00Z"))),
        codes_made: 10,
        codes_made_at: Some(at("2026-02-03T09:12:00Z")),
        signed_in_with_backup_code: true,
        password_changed_at: Some(at("2026-02-03T09:12:00Z")),
        other_sessions: 1,
        devices: 3,
        activity: vec![activity("You signed in with a backup code"), activity("A wrong password was entered")],
    };
    let spent = ProfileView {
        name: RIGHT_TO_LEFT,
        factors: vec![FactorLine { switched_off_at: Some(at("2026-11-24T08:00:00Z")), ..factor(RIGHT_TO_LEFT, None) }],
        codes_left: 0,
        issued: None,
        signed_in_with_backup_code: false,
        other_sessions: 0,
        devices: 1,
        ..profile.clone()
    };
    let bare = ProfileView { factors: Vec::new(), activity: Vec::new(), ..spent.clone() };
    vec![
        ("profile", profile::profile(f, &profile)),
        ("profile-spent", profile::profile(f, &spent)),
        ("profile-bare", profile::profile(f, &bare)),
    ]
}

fn lists(f: &Frame) -> Vec<(&'static str, Markup)> {
    let history = ActivityView {
        entries: vec![activity(HOSTILE), activity("A wrong password was entered")],
        newest: true,
        older: Some("/profile/activity?before=12".to_owned()),
        help_contact: HELP,
    };
    let end_of_history = ActivityView { entries: Vec::new(), newest: false, older: None, help_contact: None };
    let gone = typed(&[], &[("", "That is not in the list any more.")]);
    vec![
        ("sessions", sessions::sessions(f, &sessions_of(&[HOSTILE, "Safari on iPhone"], form()))),
        ("sessions-one", sessions::sessions(f, &sessions_of(&[], form()))),
        ("session-gone", sessions::sessions(f, &sessions_of(&["curl/8.14.1"], gone))),
        ("activity", activity::activity(f, &history)),
        ("activity-end", activity::activity(f, &end_of_history)),
    ]
}

/// This session, and one more for each of `others`; the others' devices are remembered.
fn sessions_of(others: &[&str], form: Form<'static>) -> SessionsView<'static> {
    let line = |device: &str, here| SessionLine {
        id: SessionId::generate(),
        device: device.to_owned(),
        address: "2001:db8:4860:4860:8888:8888:8888:8888".to_owned(),
        began_at: at("2026-11-24T08:00:00Z"),
        seen_at: at("2026-11-24T10:41:30Z"),
        here,
    };
    let device = |name: &str| DeviceLine {
        id: DeviceId::generate(),
        name: name.to_owned(),
        address: "192.0.2.7".to_owned(),
        since: at("2026-02-03T09:12:00Z"),
        signed_in_at: at("2026-11-24T08:00:00Z"),
        here: name == HOSTILE,
    };
    let others_lines = others.iter().map(|name| line(name, false));
    SessionsView {
        form,
        sessions: std::iter::once(line("Firefox on Windows", true)).chain(others_lines).collect(),
        devices: others.iter().map(|name| device(name)).collect(),
    }
}

fn forms(f: &Frame) -> Vec<(&'static str, Markup)> {
    let id = FactorId::generate();
    let new = NewFactorView {
        form: step_up(typed(&[("name", HOSTILE)], &[])),
        otpauth: Secret::new(OTPAUTH),
        secret: Secret::new("JBSWY3DPEHPK3PXP"),
    };
    let change = ChangePasswordView {
        form: typed(
            &[("current_password", "hunter2")],
            &[("new_password", "Choose a longer one: at least 8 characters.")],
        ),
        email: "mara@fernhill.example",
    };
    let too_long = typed(&[("name", HOSTILE)], &[("name", "Shorten the name to 60 characters.")]);
    let remove = |name, last| RemoveFactorView { form: form(), id, name, last };
    // Where a backup code would not do, as for new backup codes.
    let step_up_by_app = Form { step_up: Some(StepUp { backup_codes: false }), ..form() };
    let refused = || typed(&[], &[("step_up_code", "This code does not match.")]);
    let refused = || Form { step_up: Some(StepUp { backup_codes: true }), ..refused() };
    vec![
        ("factor-start", factors::start_factor(f, &StartFactorView { form: step_up(form()) })),
        ("factor-start-wrong", factors::start_factor(f, &StartFactorView { form: refused() })),
        ("factor-new", factors::new_factor(f, &new)),
        ("factor-rename", factors::rename_factor(f, &RenameFactorView { form: too_long, id })),
        ("factor-remove", factors::remove_factor(f, &remove("Old phone", false))),
        (
            "factor-remove-wrong",
            factors::remove_factor(f, &RemoveFactorView { form: refused(), ..remove(HOSTILE, false) }),
        ),
        ("factor-last", factors::remove_factor(f, &remove(HOSTILE, true))),
        ("codes-new", profile::new_codes(f, &NewCodesView { form: step_up(form()), codes_left: 2 })),
        ("codes-new-by-app", profile::new_codes(f, &NewCodesView { form: step_up_by_app, codes_left: 0 })),
        ("codes-new-wrong", profile::new_codes(f, &NewCodesView { form: refused(), codes_left: 1 })),
        ("password-change", profile::change_password(f, &change)),
    ]
}

//! Samples of one person's pages in the console, hostile text and long names included.

use maud::Markup;

use super::parts::{FactorLine, SessionLine};
use super::samples::{CASE, HOSTILE, at, factor, form, step_up, typed, viewer};
use super::samples_console::{LONG, entries};
use super::user::notes::{self, Note, NotesView};
use super::user::sessions::{self, SessionsView};
use super::user::{self, Action, ActivityView, MfaView, OpenCase, OverviewView, UserHead};
use super::{Frame, Viewer, samples_contacts, samples_incident, samples_portraits};
use crate::ids::{SessionId, UserId};
use crate::recovery::Held;
use crate::users::{Role, Status};

/// Every such page by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let mut pages = overviews(&f);
    pages.extend(mfa(&f));
    pages.extend(other_tabs(&f));
    pages.extend(held(&f));
    pages
}

pub(super) fn head(name: &str) -> UserHead<'_> {
    let action = |label, path: &str, refused: Option<&str>, danger| Action {
        label,
        href: format!("/admin/users/1{path}"),
        refused: refused.map(str::to_owned),
        danger,
    };
    UserHead {
        id: UserId::generate(),
        name,
        email: "mara@fernhill.example",
        role: Role::Member,
        status: Status::Active,
        actions: vec![
            action("Force MFA reset", "/mfa/reset", None, false),
            action("Generate backup codes for this user", "/mfa/backup-codes", None, false),
            action(
                "Set temporary password",
                "/password",
                Some("An owner has to do this: you gave a factor this week."),
                false,
            ),
            action("Add note", "/notes", None, false),
            action("Disable", "/disable", None, true),
        ],
        open_case: Some(OpenCase {
            number: CASE,
            opened_by: "Tom Okafor".to_owned(),
            opened_at: at("2026-11-24T10:12:00Z"),
            waiting_for: "waiting for enrolment",
            urgent: true,
        }),
        alarm: None,
    }
}

/// An app that took a hundred wrong codes this morning.
fn switched_off(name: &str) -> FactorLine {
    FactorLine { switched_off_at: Some(at("2026-11-24T08:00:00Z")), ..factor(name, None) }
}

/// Somebody for whom nothing can be done and nothing is under way.
pub(super) fn alone() -> UserHead<'static> {
    UserHead { actions: Vec::new(), open_case: None, ..head("Noor Haddad") }
}

fn note() -> Note {
    Note { at: at("2026-11-20T08:00:00Z"), by: "Ada Brandt".to_owned(), text: Some(HOSTILE.to_owned()) }
}

fn overviews(f: &Frame) -> Vec<(&'static str, Markup)> {
    let long_email = format!("{}@{}.example", "m".repeat(64), "fernhill".repeat(20));
    let overview = OverviewView {
        head: head(HOSTILE),
        created_at: at("2024-03-01T08:00:00Z"),
        last_sign_in_at: Some(at("2026-11-19T07:58:00Z")),
        password: "set",
        password_until: None,
        factors: vec![factor("Mara’s phone", None)],
        codes_left: 4,
        sessions: 0,
        contacts: samples_contacts::in_use(),
        known: samples_contacts::KNOWN,
        portrait: Some(samples_portraits::new()),
        may_change_portrait: true,
        notes: vec![note(), Note { by: "a person".to_owned(), text: None, ..note() }],
        more_notes: true,
    };
    let long = UserHead { email: &long_email, ..head(LONG) };
    let long_viewer =
        Frame { signed_in: Some(Viewer { name: LONG, role: Role::Owner, csrf: "csrf-bar" }), ..viewer(Role::Owner) };
    let new = OverviewView {
        head: alone(),
        last_sign_in_at: None,
        password: "not set yet",
        factors: Vec::new(),
        codes_left: 0,
        sessions: 2,
        contacts: Vec::new(),
        known: samples_contacts::KNOWN,
        portrait: None,
        notes: Vec::new(),
        more_notes: false,
        ..overview.clone()
    };
    let off = OverviewView { head: head(LONG), factors: vec![switched_off(HOSTILE)], ..overview.clone() };
    let shut = UserHead { status: Status::Disabled, ..alone() };
    let off_and_shut = OverviewView {
        head: shut,
        factors: vec![factor("Noor’s tablet", None), switched_off("Noor’s phone")],
        ..overview.clone()
    };
    vec![
        ("user", user::overview(f, &overview)),
        ("user-app-off", user::overview(f, &off)),
        ("user-app-off-disabled", user::overview(f, &off_and_shut)),
        ("user-new", user::overview(f, &new)),
        ("user-noted", user::overview(f, &OverviewView { portrait: Some(samples_portraits::noted()), ..new.clone() })),
        ("user-long", user::overview(&long_viewer, &OverviewView { head: long, ..overview.clone() })),
    ]
}

/// Accounts that their case holds.
fn held(f: &Frame) -> Vec<(&'static str, Markup)> {
    let mut alarms = samples_incident::other_alarms();
    alarms.push(("user-frozen", samples_incident::alarm(Held::Objection { frozen: true })));
    alarms.push(("user-attacked", samples_incident::alarm(Held::Attack)));
    let page = |alarm| {
        let head = UserHead { status: Status::Disabled, alarm: Some(alarm), ..head("Mara Lindqvist") };
        user::activity(f, &ActivityView { head, entries: Vec::new(), older: None })
    };
    alarms.into_iter().map(|(name, alarm)| (name, page(alarm))).collect()
}

fn mfa(f: &Frame) -> Vec<(&'static str, Markup)> {
    let mfa = MfaView {
        head: head("Mara Lindqvist"),
        factors: vec![factor("Mara’s phone", Some(at("2026-11-19T07:58:00Z"))), factor(HOSTILE, None)],
        codes_left: 4,
        codes_made: 10,
        codes_made_at: Some(at("2026-02-03T09:12:00Z")),
        issued: Some((3, at("2026-12-01T10:00:00Z"))),
        window: Some(at("2026-11-24T11:42:00Z")),
    };
    let bare = MfaView {
        head: alone(),
        factors: Vec::new(),
        codes_left: 0,
        codes_made: 0,
        codes_made_at: None,
        issued: None,
        window: None,
    };
    let off = MfaView { head: head(LONG), factors: vec![switched_off(HOSTILE)], window: None, ..mfa.clone() };
    vec![
        ("user-mfa", user::mfa(f, &mfa)),
        ("user-mfa-none", user::mfa(f, &bare)),
        ("user-mfa-app-off", user::mfa(f, &off)),
    ]
}

fn other_tabs(f: &Frame) -> Vec<(&'static str, Markup)> {
    let activity =
        ActivityView { head: head("Mara Lindqvist"), entries: entries(), older: Some("?before=1".to_owned()) };
    let session = |device: &str, state| {
        let line = SessionLine {
            id: SessionId::generate(),
            device: device.to_owned(),
            address: "2001:db8::7".to_owned(),
            began_at: at("2026-11-24T07:58:00Z"),
            seen_at: at("2026-11-24T10:40:00Z"),
            here: false,
        };
        (line, state)
    };
    let open = SessionsView {
        head: head("Mara Lindqvist"),
        sessions: vec![session("Firefox on Linux", "signed in"), session(HOSTILE, "waits for the second factor")],
        refused: None,
    };
    let refused = SessionsView { refused: Some("Only an owner may do this.".to_owned()), ..open.clone() };
    let noted = NotesView {
        head: head("Mara Lindqvist"),
        form: step_up(typed(&[("text", HOSTILE)], &[("text", "Enter a note of 3 to 500 characters.")])),
        notes: vec![note()],
        older: Some("?before=1".to_owned()),
    };
    let unnoted = NotesView { form: form(), notes: Vec::new(), older: None, ..noted.clone() };
    vec![
        ("user-sessions", sessions::sessions(f, &open)),
        ("user-sessions-refused", sessions::sessions(f, &refused)),
        ("user-sessions-none", sessions::sessions(f, &SessionsView { sessions: Vec::new(), ..open.clone() })),
        ("user-notes", notes::notes(f, &noted)),
        ("user-notes-none", notes::notes(f, &unnoted)),
        ("user-activity", user::activity(f, &activity)),
        ("user-quiet", user::activity(f, &ActivityView { entries: Vec::new(), older: None, ..activity.clone() })),
    ]
}

//! One sample of every page, hostile text included, and what must hold for all of them.

use std::time::Duration;

use maud::Markup;

use super::audit::{self, AuditView, EntryLine, EntryView, Outcome, Party};
use super::enrol::{
    self, BackupCodesView, FilesToKeep, InvitationView, Link, LinkGoneView, PassView, QrView, SetupView,
};
use super::errors::{self, ErrorView};
use super::grants::{self, IssueCodesView, ResetView, Signal, Subject, TemporaryPasswordView, Weight};
use super::handover::{self, CodesIssuedView, PasswordSetView, ResetDoneView};
use super::parts::{Badge, FactorLine, Task, TaskState, Tone};
use super::profile::{
    self, ChangePasswordView, NewCodesView, NewFactorView, OwnActivity, ProfileView, RemoveFactorView, StartFactorView,
};
use super::recovery::{self, BoardView, CaseLine, CaseView};
use super::sign_in::{self, CodeView, NewPasswordView, NoWayInView, PasswordView, ResumeView, Trouble};
use super::standing::{self, AlreadyDoneView, InviteAgainView, NoteView, RefusedView, StandingView};
use super::user::{self, Action, ActivityView, MfaView, Note, OpenCase, OverviewView, UserHead};
use super::users::{self, AddPersonView, InvitationLinkView, UsersView};
use super::{FieldError, Flash, Form, Frame, Section, StepUp, Viewer};
use crate::ids::{CaseNumber, FactorId, UserId};
use crate::time::Timestamp;
use crate::users::{Role, Status, UserLine};

const OTPAUTH: &str = "otpauth://totp/Fernhill%20Joinery:mara%40fernhill.example?secret=\
                       JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Fernhill%20Joinery";
const HELP: Option<&str> = Some("the office, +46 8 555 01 00");
const HOSTILE: &str = "<img src=x onerror=alert(1)>\" style=\"x";
const CASE: CaseNumber = CaseNumber::new(2026, 42);

fn at(text: &str) -> Timestamp {
    text.parse().expect("samples hold times")
}

fn now() -> Timestamp {
    at("2026-11-24T10:42:00Z")
}

fn stranger() -> Frame<'static> {
    Frame { organisation: "Fernhill Joinery", signed_in: None, section: None, flash: None, now: now() }
}

fn viewer(role: Role) -> Frame<'static> {
    Frame { signed_in: Some(Viewer { name: "Tom Okafor", role, csrf: "csrf-bar" }), ..stranger() }
}

fn form() -> Form<'static> {
    Form { nonce: Some("nonce-1"), ..Form::new("csrf-1") }
}

fn typed(values: &[(&str, &str)], errors: &[(&'static str, &str)]) -> Form<'static> {
    Form {
        values: values.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        errors: errors.iter().map(|(field, m)| FieldError { field, message: (*m).to_owned() }).collect(),
        ..form()
    }
}

fn step_up(form: Form<'static>) -> Form<'static> {
    Form { step_up: Some(StepUp { backup_codes: true }), ..form }
}

/// Every page by a name of its own, as a browser gets it.
fn all() -> Vec<(&'static str, String)> {
    let mut pages = Vec::new();
    pages.extend(sign_in_pages());
    pages.extend(enrol_pages());
    pages.extend(profile_pages());
    pages.extend(people_pages());
    pages.extend(user_pages());
    pages.extend(grant_pages());
    pages.extend(handover_pages());
    pages.extend(standing_pages());
    pages.extend(recovery_pages());
    pages.extend(audit_pages());
    pages.extend(error_pages());
    pages.into_iter().map(|(name, page)| (name, page.into_string())).collect()
}

fn sign_in_pages() -> Vec<(&'static str, Markup)> {
    let f = stranger();
    let email = "mara@fernhill.example";
    let wait = Trouble::TooMany { wait: Duration::from_secs(45) };
    let password = |form, trouble| PasswordView { form, next: Some("/admin/users?q=a"), trouble, help_contact: HELP };
    let code = |form| CodeView { form, email, trouble: None, help_contact: HELP };
    let wrong_code =
        typed(&[("code", "123456")], &[("code", "This code does not match. Wait for the next one and enter it.")]);
    let wrong = typed(
        &[("email", HOSTILE), ("password", "hunter2")],
        &[("password", "E-mail address and password do not match. Check both and try again.")],
    );
    let resume = ResumeView {
        form: form(),
        name: "Mara Lindqvist",
        email,
        next: Some("/admin/audit"),
        trouble: Some(Trouble::Busy),
    };
    vec![
        ("sign-in", sign_in::password(&f, &password(form(), None))),
        ("sign-in-wrong", sign_in::password(&f, &password(wrong, None))),
        ("sign-in-wait", sign_in::password(&f, &password(typed(&[("email", email)], &[]), Some(wait)))),
        ("code", sign_in::code(&f, &code(form()))),
        ("code-wrong", sign_in::code(&f, &code(wrong_code))),
        ("backup-code", sign_in::backup_code(&f, &code(form()))),
        ("new-password", sign_in::new_password(&f, &NewPasswordView { form: form(), email })),
        ("resume", sign_in::resume(&f, &resume)),
        ("no-way-in", sign_in::no_way_in(&f, &NoWayInView { help_contact: None })),
        ("signed-out", sign_in::signed_out(&f)),
    ]
}

fn enrol_pages() -> Vec<(&'static str, Markup)> {
    let f = stranger();
    let codes: Vec<_> = (0..10).map(|i| format!("K7PM-2XQD-9RTH-{i}ABC")).collect();
    let files = FilesToKeep { seed_key: "/var/lib/idp/seed.key", data: "/var/lib/idp" };
    let closes_at = at("2026-11-24T11:42:00Z");
    let invitation = InvitationView {
        form: form(),
        action: "/invitation/abc",
        name: "Mara Lindqvist",
        email: "mara@fernhill.example",
        expires_at: at("2026-11-27T10:00:00Z"),
    };
    let stored = typed(&[], &[("stored", "Tick the box when you have stored them.")]);
    let shown =
        |form, codes, files| BackupCodesView { form, action: "/enrol/stored", codes, email: "mara@x.example", files };
    let pass = PassView {
        form: typed(&[], &[("pass", "That is not the pass. Ask your admin to read it once more.")]),
        tries_left: 4,
        closes_at,
        help_contact: HELP,
    };
    let qr = QrView {
        form: form(),
        otpauth: OTPAUTH,
        secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        closes_at: Some(closes_at),
    };
    vec![
        ("setup", enrol::setup(&f, &SetupView { form: form(), action: "/setup/abc" })),
        ("invitation", enrol::invitation(&f, &invitation)),
        ("setup-gone", enrol::link_gone(&f, &LinkGoneView { link: Link::Setup, help_contact: None })),
        ("invitation-gone", enrol::link_gone(&f, &LinkGoneView { link: Link::Invitation, help_contact: HELP })),
        ("pass-asked", enrol::pass(&f, &pass)),
        ("qr", enrol::qr(&f, &qr)),
        ("codes", enrol::backup_codes(&f, &shown(form(), codes, Some(files)))),
        ("codes-again", enrol::backup_codes(&f, &shown(stored, Vec::new(), None))),
    ]
}

fn factor(name: &str, last_used_at: Option<Timestamp>) -> FactorLine {
    FactorLine {
        id: FactorId::generate(),
        kind: "Authenticator app".to_owned(),
        name: name.to_owned(),
        added_at: at("2026-02-03T09:12:00Z"),
        last_used_at,
    }
}

fn profile_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Member);
    let id = FactorId::generate();
    let activity = |text: &str| OwnActivity {
        at: at("2026-11-24T08:00:00Z"),
        text: text.to_owned(),
        source: "Firefox on Windows, 192.0.2.7".to_owned(),
    };
    let profile = ProfileView {
        form: form(),
        name: "Mara Lindqvist",
        email: "mara@fernhill.example",
        role: Role::Member,
        factors: vec![factor(HOSTILE, None), factor("Mara’s phone", Some(at("2026-11-19T07:58:00Z")))],
        codes_left: 2,
        codes_made: 10,
        codes_made_at: Some(at("2026-02-03T09:12:00Z")),
        signed_in_with_backup_code: true,
        password_changed_at: Some(at("2026-02-03T09:12:00Z")),
        activity: vec![activity("You signed in with a backup code"), activity("A wrong password was entered")],
    };
    let new =
        NewFactorView { form: step_up(typed(&[("name", HOSTILE)], &[])), otpauth: OTPAUTH, secret: "JBSWY3DPEHPK3PXP" };
    let change = ChangePasswordView {
        form: typed(
            &[("current_password", "hunter2")],
            &[("new_password", "Choose a longer one: at least 8 characters.")],
        ),
        email: "mara@fernhill.example",
    };
    vec![
        ("profile", profile::profile(&f, &profile)),
        ("factor-start", profile::start_factor(&f, &StartFactorView { form: step_up(form()) })),
        ("factor-new", profile::new_factor(&f, &new)),
        (
            "factor-remove",
            profile::remove_factor(&f, &RemoveFactorView { form: form(), id, name: "Old phone", last: false }),
        ),
        ("factor-last", profile::remove_factor(&f, &RemoveFactorView { form: form(), id, name: HOSTILE, last: true })),
        ("codes-new", profile::new_codes(&f, &NewCodesView { form: step_up(form()), codes_left: 2 })),
        ("password-change", profile::change_password(&f, &change)),
    ]
}

fn line(name: &str, role: Role, status: Status, factors: u32) -> UserLine {
    UserLine {
        id: UserId::generate(),
        email: format!("{}@fernhill.example", name.split(' ').next().unwrap_or("x").to_lowercase()),
        name: name.to_owned(),
        role,
        status,
        factors,
        codes_left: factors * 2,
        awaiting_enrolment: status == Status::Active && factors == 0 && role == Role::Member,
        last_sign_in_at: (factors > 0).then(|| at("2026-11-19T07:58:00Z")),
    }
}

fn people_pages() -> Vec<(&'static str, Markup)> {
    let f = Frame {
        flash: Some(Flash { kind: Tone::Good, text: "Ada Brandt was enabled.".to_owned() }),
        ..viewer(Role::Owner)
    };
    let people = [
        line("Mara Lindqvist", Role::Member, Status::Active, 0),
        line("Ada Brandt", Role::Owner, Status::Active, 2),
        line("Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh Maximiliana", Role::Admin, Status::Active, 1),
        line(HOSTILE, Role::Auditor, Status::Disabled, 1),
        line("مريم العلي", Role::Member, Status::Invited, 0),
    ];
    let list = |form, people, after| UsersView { form, people, further: true, after, may_add: true };
    let add = AddPersonView {
        form: step_up(typed(
            &[("name", HOSTILE), ("email", "a"), ("role", "member")],
            &[("email", "Enter an e-mail address, like mara@example.org.")],
        )),
        roles: &Role::ALL,
    };
    let link = InvitationLinkView {
        id: UserId::generate(),
        name: "Mara Lindqvist",
        link: "https://id.fernhill.example/invitation/Q0VSVElGSUNBVEUtUkVRVUVTVC1JTlZJVEFUSU9OLTE",
        expires_at: at("2026-11-27T10:42:00Z"),
    };
    vec![
        ("users", users::users(&f, &list(typed(&[("q", HOSTILE)], &[]), &people, Some("c&1".to_owned())))),
        ("users-nobody", users::users(&f, &list(typed(&[("q", "zz"), ("state", "active")], &[]), &[], None))),
        ("users-empty", users::users(&f, &list(form(), &[], None))),
        ("user-add", users::add_person(&f, &add)),
        ("user-link", users::invitation_link(&f, &link)),
    ]
}

fn head(name: &str) -> UserHead<'_> {
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
            waiting_for: "waiting for Mara to enrol".to_owned(),
        }),
    }
}

fn entry_line(seq: u64, action: &str, what: &str, outcome: Outcome) -> EntryLine {
    EntryLine {
        seq,
        at: at("2026-11-24T09:38:12.000412Z"),
        action: action.to_owned(),
        what: what.to_owned(),
        outcome,
        actor: "Tom Okafor".to_owned(),
        target: HOSTILE.to_owned(),
        case: Some(CASE),
    }
}

fn entries() -> Vec<EntryLine> {
    vec![
        entry_line(1204, "mfa.factor_admin_reset", "Removed all factors", Outcome::Success),
        entry_line(1203, "mfa.factor_admin_reset", "Tried to remove all factors", Outcome::Denied),
        entry_line(1202, "user.sign_in_failed", "Entered a wrong password", Outcome::Failure),
    ]
}

fn user_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let overview = OverviewView {
        head: head(HOSTILE),
        created_at: at("2024-03-01T08:00:00Z"),
        last_sign_in_at: Some(at("2026-11-19T07:58:00Z")),
        password: "set".to_owned(),
        factors: 1,
        codes_left: 4,
        sessions: 0,
        notes: vec![Note { at: at("2026-11-20T08:00:00Z"), by: "Ada Brandt".to_owned(), text: HOSTILE.to_owned() }],
    };
    let mfa = MfaView {
        head: head("Mara Lindqvist"),
        factors: vec![factor("Mara’s phone", Some(at("2026-11-19T07:58:00Z"))), factor(HOSTILE, None)],
        codes_left: 4,
        codes_made: 10,
        codes_made_at: Some(at("2026-02-03T09:12:00Z")),
        issued: Some((3, at("2026-12-01T10:00:00Z"))),
        window: Some(at("2026-11-24T11:42:00Z")),
    };
    let activity =
        ActivityView { head: head("Mara Lindqvist"), entries: entries(), older: Some("?before=1".to_owned()) };
    vec![
        ("user", user::overview(&f, &overview)),
        ("user-mfa", user::mfa(&f, &mfa)),
        ("user-activity", user::activity(&f, &activity)),
        ("user-quiet", user::activity(&f, &ActivityView { entries: Vec::new(), older: None, ..activity.clone() })),
    ]
}

fn mara() -> Subject<'static> {
    Subject { id: UserId::generate(), name: "Mara Lindqvist", email: "mara@fernhill.example" }
}

fn signals() -> Vec<Signal> {
    let signal = |label: &str, text: &str, weight| Signal { label: label.to_owned(), text: text.to_owned(), weight };
    vec![
        signal("Wrong passwords", "6 since yesterday, from 2 addresses never seen", Weight::Look),
        signal("Password", "changed 2 days ago", Weight::Strong),
        signal("Earlier resets", "none", Weight::Calm),
    ]
}

fn grant_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let values =
        [("evidence", "manager_ticket"), ("voucher", HOSTILE), ("ticket", "#1234"), ("step_up_code", "123456")];
    let reset = |form, codes_left| ResetView {
        form,
        person: mara(),
        case: Some(CASE),
        factors: 2,
        codes_left,
        sessions: 3,
        signals: signals(),
        window: Duration::from_secs(3600),
    };
    let wrong =
        typed(&values, &[("reason", "Say why this is done."), ("codes_unavailable", "Tick this, or use a code.")]);
    let issue = IssueCodesView {
        form: form(),
        person: mara(),
        case: None,
        codes: 3,
        valid: Duration::from_secs(7 * 86400),
        signals: Vec::new(),
    };
    let password = TemporaryPasswordView {
        form: step_up(typed(&values, &[])),
        person: mara(),
        case: None,
        valid: Duration::from_secs(86400),
        signals: signals(),
    };
    vec![
        ("reset", grants::reset(&f, &reset(form(), 0))),
        ("reset-wrong", grants::reset(&f, &reset(wrong, 4))),
        ("issue-codes", grants::issue_codes(&f, &issue)),
        ("temporary-password", grants::temporary_password(&f, &password)),
    ]
}

fn steps() -> Vec<Task> {
    let task = |title: &str, detail: &str, state| Task { title: title.to_owned(), detail: detail.to_owned(), state };
    vec![
        task("Identity verified", "Live video call, compared with the photo · Tom Okafor, 10:38", TaskState::Done),
        task("Backup codes checked", "4 left, not at hand", TaskState::Done),
        task("Factors reset", "2 factors removed, 3 sessions ended · ticket #1234", TaskState::Done),
        task("Mara sets up a new factor", "window closes 11:42", TaskState::Waiting),
        task("Follow-up", HOSTILE, TaskState::ToDo),
    ]
}

fn handover_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let until = at("2026-11-24T11:42:00Z");
    let done = |pass| ResetDoneView {
        person: mara(),
        case: CASE,
        pass,
        until,
        window: Duration::from_secs(3600),
        tasks: steps(),
    };
    let codes = CodesIssuedView {
        person: mara(),
        case: None,
        codes: vec!["K7PM-2XQD-9RTH".to_owned(), "M3TR-77WX-0AQZ".to_owned(), "9HJK-4D2P-6VNE".to_owned()],
        expires_at: at("2026-12-01T10:42:00Z"),
    };
    let password = PasswordSetView {
        person: mara(),
        case: Some(CASE),
        password: "K7PM-2XQD-9RTH",
        expires_at: at("2026-11-25T10:42:00Z"),
    };
    vec![
        ("pass", handover::reset_done(&f, &done(Some("K7PM-2XQD-9RTH")))),
        ("pass-none", handover::reset_done(&f, &done(None))),
        ("codes-issued", handover::codes_issued(&f, &codes)),
        ("password-set", handover::password_set(&f, &password)),
    ]
}

fn standing_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let standing = || StandingView { form: typed(&[("reason", HOSTILE)], &[]), person: mara(), sessions: 2 };
    let again = AlreadyDoneView {
        person: mara(),
        what: "The factors of Mara Lindqvist were removed.".to_owned(),
        at: at("2026-11-24T10:38:00Z"),
        case: Some(CASE),
        secret_was_shown: true,
    };
    let refused = RefusedView {
        person: mara(),
        rule: "An admin can not act on an owner.".to_owned(),
        instead: "Ask another owner: Ada Brandt.".to_owned(),
    };
    let note = NoteView { form: typed(&[("text", HOSTILE)], &[("text", "Write something.")]), person: mara() };
    vec![
        ("disable", standing::disable(&f, &standing())),
        ("enable", standing::enable(&f, &standing())),
        ("invite-again", standing::invite_again(&f, &InviteAgainView { form: form(), person: mara() })),
        ("note", standing::note(&f, &note)),
        ("already-done", standing::already_done(&f, &again)),
        ("refused", standing::refused(&f, &refused)),
    ]
}

fn recovery_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let case = |number, person: &str, state| CaseLine {
        number: CaseNumber::new(2026, number),
        person_id: UserId::generate(),
        person: person.to_owned(),
        state,
        opened_by: "Tom Okafor".to_owned(),
        opened_at: at("2026-11-24T10:12:00Z"),
        closes_at: (number == 42).then(|| at("2026-11-24T11:42:00Z")),
    };
    let board = BoardView {
        cases: vec![
            case(42, "Mara Lindqvist", Badge::new(Tone::Warn, "waiting to enrol")),
            case(41, HOSTILE, Badge::new(Tone::Good, "recovered")),
        ],
        older: Some("/admin/recovery?before=R-2026-0041".to_owned()),
    };
    let one = CaseView {
        number: CASE,
        person: mara(),
        state: Badge::new(Tone::Warn, "waiting to enrol"),
        opened_by: "Tom Okafor",
        opened_at: at("2026-11-24T10:12:00Z"),
        closes_at: Some(at("2026-11-24T11:42:00Z")),
        reason: HOSTILE,
        ticket: "#1234",
        tasks: steps(),
        entries: entries(),
        start_again: Some("/admin/users/1/mfa/reset".to_owned()),
    };
    vec![
        ("board", recovery::board(&f, &board)),
        ("board-empty", recovery::board(&f, &BoardView { cases: Vec::new(), older: None })),
        ("case", recovery::case(&f, &one)),
    ]
}

fn audit_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Auditor);
    let list = |form, entries| AuditView {
        form,
        actions: &["mfa.factor_admin_reset", "user.signed_in"],
        entries,
        further: true,
        before: Some("1202".to_owned()),
    };
    let typed_filter = [("action", "mfa.factor_admin_reset"), ("since", "yesterday")];
    let entry = EntryView {
        line: entry_line(1204, "mfa.factor_admin_reset", "Removed all factors of Mara Lindqvist", Outcome::Success),
        lineage: "0193577e-4b0f-7cc0-8a5e-8f5f0c6b2d11".to_owned(),
        actor: Party { kind: "user".to_owned(), id: UserId::generate().to_string(), name: "Tom Okafor".to_owned() },
        target: Some(Party { kind: "user".to_owned(), id: UserId::generate().to_string(), name: HOSTILE.to_owned() }),
        reason: "Lost phone, verified on a video call".to_owned(),
        ticket: "#1234".to_owned(),
        source: vec![("Address".to_owned(), "192.0.2.7".to_owned()), ("Browser".to_owned(), HOSTILE.to_owned())],
        detail: vec![("factors_removed".to_owned(), "2".to_owned())],
        erased: false,
        previous_hash: "9f".repeat(32),
        body_digest: "0a".repeat(32),
        hash: "c4".repeat(32),
        previous: Some(1203),
        next: None,
    };
    vec![
        ("audit", audit::audit(&f, &list(typed(&typed_filter[..1], &[]), entries()))),
        ("audit-none", audit::audit(&f, &list(form(), Vec::new()))),
        ("audit-wrong", audit::audit(&f, &list(typed(&typed_filter, &[("since", "Write 2026-11-24.")]), Vec::new()))),
        ("entry", audit::entry(&f, &entry)),
        ("entry-erased", audit::entry(&f, &EntryView { erased: true, ..entry.clone() })),
    ]
}

fn error_pages() -> Vec<(&'static str, Markup)> {
    let view = |status| ErrorView { status, detail: "", retry_after: None, sign_in: None, request_id: "0193577e4b0f" };
    let f = viewer(Role::Member);
    let sign_in = ErrorView { sign_in: Some("/sign-in?next=%2Fprofile"), ..view(401) };
    let wait = ErrorView { retry_after: Some(Duration::from_secs(30)), detail: HOSTILE, ..view(429) };
    vec![
        ("error-401", errors::error(&stranger(), &sign_in)),
        ("error-404", errors::error(&f, &view(404))),
        ("error-429", errors::error(&f, &wait)),
        ("error-500", errors::error(&f, &view(500))),
        ("error-507", errors::error(&f, &view(507))),
    ]
}

/// Each start tag of a page, from `<` to `>`. Attribute values can not hold either: maud escapes both.
fn tags(page: &str) -> impl Iterator<Item = &str> {
    page.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag).filter(|t| !t.starts_with('/'))
}

/// The value of `name="…"` in a start tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[test]
fn text_with_markup_is_shown_as_text_on_every_page() {
    for (name, page) in all() {
        assert!(!page.contains("<img"), "{name} writes a name as markup");
    }
    let people = people_pages().remove(0).1.into_string();
    assert!(people.contains("&lt;img src=x onerror=alert(1)&gt;&quot; style=&quot;x"));
}

#[test]
fn no_page_needs_more_than_the_content_security_policy_allows() {
    for (name, page) in all() {
        for tag in tags(&page) {
            // What stands inside quotes is text; what is left are the names of element and attributes.
            let names: String = tag.split('"').step_by(2).collect();
            assert!(!names.contains(" style="), "{name}: style attribute in <{tag}>");
            assert!(!names.contains(" on"), "{name}: event attribute in <{tag}>");
            assert!(!tag.starts_with("style"), "{name}: inline style");
            assert!(!tag.starts_with("script") || tag.contains("src=\"/assets/"), "{name}: inline script in <{tag}>");
            assert!(!tag.contains("javascript:"), "{name}: script address in <{tag}>");
        }
    }
}

#[test]
fn every_form_that_changes_something_carries_the_csrf_value() {
    for (name, page) in all() {
        for form in page.split("<form").skip(1).filter_map(|rest| rest.split_once("</form>")).map(|(form, _)| form) {
            let csrf = form.contains("<input type=\"hidden\" name=\"csrf\" value=\"csrf-");
            assert_eq!(form.contains("method=\"post\""), csrf, "{name}: {form}");
        }
    }
}

#[test]
fn no_password_and_no_code_is_written_back() {
    for (name, page) in all() {
        assert!(!page.contains("hunter2") && !page.contains("123456"), "{name} writes a secret back");
    }
}

#[test]
fn every_field_has_a_label_and_every_reference_a_target() {
    for (name, page) in all() {
        let ids: Vec<&str> = tags(&page).filter_map(|t| attribute(t, "id")).collect();
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "{name} uses an id twice: {ids:?}");
        for tag in tags(&page) {
            let field = ["input", "select", "textarea"].iter().any(|kind| tag.starts_with(kind));
            if field && attribute(tag, "type") != Some("hidden") {
                let id = attribute(tag, "id").unwrap_or_else(|| panic!("{name}: a field without an id: {tag}"));
                assert!(page.contains(&format!("<label for=\"{id}\">")), "{name}: no label for {id}");
            }
            for reference in ["aria-describedby", "aria-labelledby", "for", "data-copy", "data-save", "data-reveal"] {
                for id in attribute(tag, reference).into_iter().flat_map(str::split_whitespace) {
                    assert!(ids.contains(&id), "{name}: {reference} points to {id}, which is not there");
                }
            }
            if let Some(id) = attribute(tag, "href").and_then(|href| href.strip_prefix('#')) {
                assert!(ids.contains(&id), "{name}: a link leads to #{id}, which is not there");
            }
        }
    }
}

#[test]
fn every_page_says_where_one_is_and_has_headings_in_order() {
    for (name, page) in all() {
        assert!(page.contains("<html lang=\"en\">") && page.contains(" · Fernhill Joinery</title>"), "{name}");
        let wrong = page.contains("role=\"alert\"") && page.contains("notice bad");
        assert!(
            !wrong || page.contains("<title>Error: "),
            "{name} has something to mend, but its title does not say so"
        );
        let levels: Vec<&str> =
            tags(&page).filter(|t| t.starts_with("h1") || t.starts_with("h2")).map(|t| &t[..2]).collect();
        assert_eq!(levels.first(), Some(&"h1"), "{name}");
        assert_eq!(levels.iter().filter(|l| **l == "h1").count(), 1, "{name}");
    }
}

#[test]
fn an_auditor_sees_the_audit_log_only_and_a_member_no_console() {
    let page =
        |role| Frame { section: Some(Section::Audit), ..viewer(role) }.wide("x", false, &maud::html! {}).into_string();
    assert!(page(Role::Auditor).contains("/admin/audit") && !page(Role::Auditor).contains("/admin/users"));
    assert!(!page(Role::Member).contains("/admin/"));
    assert!(page(Role::Admin).contains("/admin/recovery"));
}

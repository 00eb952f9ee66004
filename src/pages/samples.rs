//! Samples of every page in every state, hostile text included; here those that people see on their way in.

use std::time::Duration;

use maud::Markup;

use super::enrol::{self, BackupCodesView, FilesToKeep, PassView, QrView};
use super::errors::{self, ErrorView};
use super::invitation::{self, InvitationView, Link, LinkGoneView, SetupView};
use super::parts::FactorLine;
use super::samples_demo;
use super::sign_in::{self, App, CodeView, NewPasswordView, NoWayInView, PasswordView, ResumeView, Trouble};
use super::{
    FieldError, Form, Frame, StepUp, Viewer, samples_console, samples_dashboard, samples_incident, samples_notices,
    samples_policy, samples_profile, samples_requests, samples_resets, samples_trail,
};
use crate::ids::{CaseNumber, FactorId};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::users::Role;

pub(super) const OTPAUTH: &str = "otpauth://totp/Fernhill%20Joinery:mara%40fernhill.example?secret=\
                       JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Fernhill%20Joinery";
pub(super) const HELP: Option<&str> = Some("the office, +46 8 555 01 00");
pub(super) const HOSTILE: &str = "<img src=x onerror=alert(1)>\" style=\"x";
pub(super) const CASE: CaseNumber = CaseNumber::new(2026, 42);

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("samples hold times")
}

pub(super) fn now() -> Timestamp {
    at("2026-11-24T10:42:00Z")
}

pub(super) fn stranger() -> Frame<'static> {
    Frame {
        organisation: "Fernhill Joinery",
        signed_in: None,
        people_wait: false,
        refused: None,
        demo: false,
        unseen: None,
        flash: None,
        now: now(),
    }
}

pub(super) fn viewer(role: Role) -> Frame<'static> {
    Frame { signed_in: Some(Viewer { name: "Tom Okafor", role, csrf: "csrf-bar" }), ..stranger() }
}

pub(super) fn form() -> Form<'static> {
    Form { nonce: Some("nonce-1"), ..Form::new("csrf-1") }
}

pub(super) fn typed(values: &[(&str, &str)], errors: &[(&'static str, &str)]) -> Form<'static> {
    Form {
        values: values.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        errors: errors.iter().map(|(field, m)| FieldError { field, message: (*m).to_owned() }).collect(),
        ..form()
    }
}

pub(super) fn step_up(form: Form<'static>) -> Form<'static> {
    Form { step_up: Some(StepUp { backup_codes: true }), ..form }
}

/// Every page by a name of its own, as a browser gets it.
pub fn all() -> Vec<(&'static str, String)> {
    let mut pages = Vec::new();
    pages.extend(sign_in_pages());
    pages.extend(samples_demo::all());
    pages.extend(enrol_pages());
    pages.extend(samples_profile::all());
    pages.extend(samples_console::all());
    pages.extend(samples_requests::all());
    pages.extend(samples_dashboard::all());
    pages.extend(samples_incident::all());
    pages.extend(samples_policy::all());
    pages.extend(samples_notices::all());
    pages.extend(samples_trail::all());
    pages.extend(samples_resets::all());
    pages.extend(error_pages());
    pages.into_iter().map(|(name, page)| (name, page.into_string())).collect()
}

fn sign_in_pages() -> Vec<(&'static str, Markup)> {
    let f = stranger();
    let email = "mara@fernhill.example";
    let wait = Trouble::TooMany { wait: Duration::from_secs(45) };
    let password =
        |form, trouble| PasswordView { form, next: Some("/admin/users?q=a"), trouble, help_contact: HELP, mails: true };
    let code = |form| CodeView { form, email, trouble: None, help_contact: HELP, app: App::Works };
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
        ("backup-code-app-off", sign_in::backup_code(&f, &CodeView { app: App::SwitchedOff, ..code(form()) })),
        ("new-password", sign_in::new_password(&f, &NewPasswordView { form: form(), email })),
        ("resume", sign_in::resume(&f, &resume)),
        ("no-way-in", sign_in::no_way_in(&f, &NoWayInView { help_contact: None })),
        ("must-wait", sign_in::must_wait(&f, &NoWayInView { help_contact: HELP })),
        ("signed-out", sign_in::signed_out(&f)),
    ]
}

fn enrol_pages() -> Vec<(&'static str, Markup)> {
    let f = stranger();
    let codes: Vec<_> = (0..10).map(|i| Secret::new(format!("K7PM-2XQD-9RTH-{i}ABC"))).collect();
    let files = FilesToKeep { seed_key: "/var/lib/idp/seed.key", data: "/var/lib/idp" };
    let closes_at = at("2026-11-24T11:42:00Z");
    let welcome = InvitationView {
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
    let last_try = PassView { tries_left: 1, ..pass.clone() };
    let name = typed(&[("email", "ada@x.example")], &[("name", "Enter a name.")]);
    let qr = QrView {
        form: form(),
        otpauth: Secret::new(OTPAUTH),
        secret: Secret::new("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
        closes_at: Some(closes_at),
    };
    let too_long = QrView { otpauth: Secret::new("x".repeat(3_000)), closes_at: None, ..qr.clone() };
    vec![
        ("setup", invitation::setup(&f, &SetupView { form: form(), action: "/setup/abc" })),
        ("invitation", invitation::invitation(&f, &welcome)),
        ("setup-wrong", invitation::setup(&f, &SetupView { form: name, action: "/setup/abc" })),
        ("setup-gone", invitation::link_gone(&f, &LinkGoneView { link: Link::Setup, help_contact: None })),
        ("reset-gone", invitation::link_gone(&f, &LinkGoneView { link: Link::PasswordReset, help_contact: HELP })),
        ("invitation-gone", invitation::link_gone(&f, &LinkGoneView { link: Link::Invitation, help_contact: HELP })),
        ("pass-asked", enrol::pass(&f, &pass)),
        ("pass-last-try", enrol::pass(&f, &last_try)),
        ("qr", enrol::qr(&f, &qr)),
        ("qr-too-long", enrol::qr(&f, &too_long)),
        ("codes", enrol::backup_codes(&f, &shown(form(), codes, Some(files)))),
        ("codes-again", enrol::backup_codes(&f, &shown(stored, Vec::new(), None))),
    ]
}

pub(super) fn factor(name: &str, last_used_at: Option<Timestamp>) -> FactorLine {
    FactorLine {
        id: FactorId::generate(),
        kind: "Authenticator app".to_owned(),
        name: name.to_owned(),
        added_at: at("2026-02-03T09:12:00Z"),
        last_used_at,
        switched_off_at: None,
    }
}

fn error_pages() -> Vec<(&'static str, Markup)> {
    let view = |status| ErrorView { status, detail: "", retry_after: None, sign_in: None, request_id: "0193577e4b0f" };
    let f = viewer(Role::Member);
    let sign_in = ErrorView { sign_in: Some("/sign-in?next=%2Fprofile"), ..view(401) };
    let wait = ErrorView { retry_after: Some(Duration::from_secs(30)), detail: HOSTILE, ..view(429) };
    let mut pages = vec![
        ("error-401", errors::error(&stranger(), &sign_in)),
        ("error-429-wait", errors::error(&f, &wait)),
        ("error-404-admin", errors::error(&viewer(Role::Admin), &view(404))),
    ];
    let statuses = [
        ("error-400", 400),
        ("error-403", 403),
        ("error-404", 404),
        ("error-405", 405),
        ("error-408", 408),
        ("error-409", 409),
        ("error-413", 413),
        ("error-415", 415),
        ("error-429", 429),
        ("error-431", 431),
        ("error-500", 500),
        ("error-503", 503),
        ("error-507", 507),
    ];
    pages.extend(statuses.map(|(name, status)| (name, errors::error(&f, &view(status)))));
    pages
}

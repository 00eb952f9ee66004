//! Samples of the forms of the Actions menu, hostile text included.

use std::time::Duration;

use maud::Markup;

use super::access::{self, EmailView, InviteAgainView};
use super::contacts::Numbers;
use super::evidence::{Known, OnRecord};
use super::grants::{self, IssueCodesView, ResetView, Signal, Subject, TemporaryPasswordView, Weight};
use super::permission::Permission;
use super::samples::{CASE, HOSTILE, at, form, step_up, typed, viewer};
use super::standing::{self, AlreadyDoneView, EndSessionView, Errand, NameView, RefusedView, RoleView, StandingView};
use super::{samples_contacts, samples_portraits};
use crate::ids::{SessionId, UserId};
use crate::portraits::Portrait;
use crate::recovery::EvidenceKind;
use crate::users::Role;

/// Every such page by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let mut pages = grant_pages();
    pages.extend(access_pages());
    pages.extend(standing_pages());
    pages.extend(samples_portraits::all());
    pages
}

pub(super) fn mara() -> Subject<'static> {
    Subject { id: UserId::generate(), name: "Mara Lindqvist", email: "mara@fernhill.example" }
}

pub(super) fn maryam() -> Subject<'static> {
    Subject { name: "مريم العلي", ..mara() }
}

pub(super) fn signals() -> Vec<Signal> {
    let signal = |label: &str, text: &str, weight| Signal { label: label.to_owned(), text: text.to_owned(), weight };
    vec![
        signal("Wrong passwords", "6 since yesterday, from 2 addresses never seen", Weight::Look),
        signal("Password", "changed 2 days ago", Weight::Strong),
        signal("Earlier resets", "none", Weight::Calm),
    ]
}

pub(super) fn known(portrait: Option<Portrait>) -> Known {
    Known { portrait, on_record: None, numbers: samples_contacts::numbers() }
}

fn recorded(portrait: Option<Portrait>, permitted: bool) -> Known {
    let kind = EvidenceKind::VideoCall;
    let on_record = OnRecord { at: at("2026-11-24T10:30:00Z"), by: HOSTILE.to_owned(), kind, permitted };
    Known { on_record: Some(on_record), ..known(portrait) }
}

/// Nobody has a number or a photo of them.
fn unknown() -> Known {
    let requested_at = at("2026-11-24T10:40:00Z");
    let numbers = Numbers { phones: Vec::new(), known: samples_contacts::KNOWN, requested_at };
    Known { numbers, ..known(None) }
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
        switched_off: 0,
        codes_left,
        sessions: 3,
        known: known(Some(samples_portraits::old())),
        signals: signals(),
        permission: Permission::default(),
        window: Duration::from_secs(3600),
        asks_for_pass: true,
    };
    let wrong =
        typed(&values, &[("reason", "Say why this is done."), ("codes_unavailable", "Tick this, or use a code.")]);
    let uncalled = typed(&[("evidence", "known_number")], &[("number", "Choose the number that you called.")]);
    let issue = IssueCodesView {
        form: form(),
        person: mara(),
        case: None,
        codes: 3,
        valid: Duration::from_secs(7 * 86400),
        known: unknown(),
        signals: Vec::new(),
        permission: Permission::default(),
    };
    let password = TemporaryPasswordView {
        form: step_up(typed(&values, &[])),
        person: mara(),
        case: None,
        valid: Duration::from_secs(86400),
        known: recorded(Some(samples_portraits::new()), true),
        signals: signals(),
        permission: Permission::default(),
    };
    vec![
        ("reset", grants::reset(&f, &reset(form(), 0))),
        ("reset-right-to-left", grants::reset(&f, &ResetView { person: maryam(), ..reset(form(), 4) })),
        ("reset-one", grants::reset(&f, &ResetView { factors: 1, sessions: 1, ..reset(form(), 1) })),
        ("reset-none", grants::reset(&f, &ResetView { factors: 1, sessions: 0, ..reset(form(), 0) })),
        ("reset-off", grants::reset(&f, &ResetView { factors: 0, switched_off: 1, ..reset(form(), 0) })),
        ("reset-off-codes", grants::reset(&f, &ResetView { factors: 0, switched_off: 2, ..reset(form(), 4) })),
        ("reset-again", grants::reset(&f, &ResetView { factors: 0, sessions: 0, ..reset(form(), 0) })),
        ("reset-without-pass", grants::reset(&f, &ResetView { asks_for_pass: false, ..reset(form(), 0) })),
        ("reset-uncalled", grants::reset(&f, &reset(uncalled, 0))),
        ("reset-wrong", grants::reset(&f, &reset(wrong, 4))),
        ("issue-codes", grants::issue_codes(&f, &issue)),
        ("temporary-password", grants::temporary_password(&f, &password)),
    ]
}

fn access_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let email = EmailView {
        form: step_up(typed(&[("email", HOSTILE)], &[("email", "Enter an e-mail address.")])),
        person: mara(),
        sessions: 1,
        known: recorded(Some(samples_portraits::noted()), false),
        signals: signals(),
        permission: Permission::default(),
    };
    let invite = InviteAgainView {
        form: form(),
        person: mara(),
        mails: true,
        valid: Duration::from_secs(72 * 3600),
        known: known(None),
        signals: signals(),
        permission: Permission::default(),
    };
    vec![("email", access::email(&f, &email)), ("invite-again", access::invite_again(&f, &invite))]
}

fn standing_pages() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Admin);
    let standing = |delays, sessions| StandingView {
        form: typed(&[("reason", HOSTILE)], &[("reason", "Enter a reason.")]),
        person: mara(),
        sessions,
        delays,
    };
    let errand = |errand| standing::errand(&f, errand, &standing(Vec::new(), 2));
    let errand_at = |errand, sessions| standing::errand(&f, errand, &standing(Vec::new(), sessions));
    let rightward = StandingView { person: maryam(), ..standing(Vec::new(), 1) };
    let delays = vec!["15 wrong passwords; the next try in 15 minutes".to_owned()];
    let session = EndSessionView {
        form: form(),
        person: mara(),
        session: SessionId::generate(),
        from_where: HOSTILE.to_owned(),
        seen_at: at("2026-11-24T10:40:00Z"),
    };
    let role = RoleView {
        form: typed(&[("role", "member")], &[("reason", "Enter a reason.")]),
        person: mara(),
        role: Role::Member,
    };
    let name = NameView { form: typed(&[("name", HOSTILE)], &[("name", "Enter a name.")]), person: mara() };
    let again = AlreadyDoneView {
        person: Some(mara()),
        link: "/admin/recovery/R-2026-0042",
        what: "The factors of Mara Lindqvist were removed.".to_owned(),
        at: at("2026-11-24T10:38:00Z"),
        case: Some(CASE),
        secret_was_shown: true,
    };
    let refused = RefusedView {
        person: mara(),
        rule: "An admin can not act on an owner.".to_owned(),
        instead: "Ask another owner: Ada Brandt.".to_owned(),
        about_state: false,
        tried: true,
    };
    vec![
        ("disable", errand(Errand::Disable)),
        ("disable-none", errand_at(Errand::Disable, 0)),
        ("enable", errand(Errand::Enable)),
        ("end-sessions", errand(Errand::EndSessions)),
        ("end-sessions-none", errand_at(Errand::EndSessions, 0)),
        ("require-password", errand(Errand::RequirePasswordChange)),
        ("require-password-one", errand_at(Errand::RequirePasswordChange, 1)),
        ("unlock", standing::errand(&f, Errand::Unlock, &standing(delays, 0))),
        ("unlock-nothing", errand(Errand::Unlock)),
        ("leave", errand(Errand::Leave)),
        ("leave-right-to-left", standing::errand(&f, Errand::Leave, &rightward)),
        ("end-session", standing::end_session(&f, &session)),
        ("role", standing::role(&f, &role)),
        ("name", standing::name(&f, &name)),
        ("refused-before", standing::refused(&f, &RefusedView { about_state: true, tried: false, ..refused.clone() })),
        ("already-done", standing::already_done(&f, &again)),
        (
            "already-done-many",
            standing::already_done(&f, &AlreadyDoneView { person: None, case: None, ..again.clone() }),
        ),
        ("refused", standing::refused(&f, &refused)),
    ]
}

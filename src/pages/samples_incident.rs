//! Samples of objections, of accounts that their case holds, and of incidents, hostile text included.

use std::time::Duration;

use maud::Markup;

use super::hold::{self, Alarm, ReassureView};
use super::incident::{self, Declared, IncidentView, ReportView};
use super::objection::{self, AskView, DoneView, Gone, GoneView, Outcome};
use super::permission::Permission;
use super::readmit::{self, ReadmitView, ReadmittedView};
use super::samples::{CASE, HELP, HOSTILE, at, form, step_up, stranger, typed, viewer};
use super::samples_acts::{known, mara, maryam, signals};
use super::samples_console::entries;
use crate::recovery::Held;
use crate::secret::Secret;
use crate::users::Role;

/// Every such page by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let mut pages = objections();
    pages.extend(reassurings());
    pages.extend(incidents());
    pages.extend(readmissions());
    pages
}

fn objections() -> Vec<(&'static str, Markup)> {
    let f = stranger();
    let ask = |outcome| AskView {
        form: form(),
        action: "/objection/abc",
        name: "Mara Lindqvist",
        said: "Tom Okafor removed all your authenticator apps and backup codes. You were signed out everywhere."
            .to_owned(),
        at: at("2026-11-23T09:12:00Z"),
        outcome,
        help_contact: HELP,
    };
    let hostile = AskView { name: HOSTILE, said: HOSTILE.to_owned(), help_contact: None, ..ask(Outcome::Frozen) };
    let done = |outcome, has_factor| DoneView { outcome, case: CASE, has_factor, help_contact: HELP };
    let gone = |gone| objection::gone(&f, &GoneView { gone, help_contact: HELP });
    vec![
        ("objection", objection::ask(&f, &ask(Outcome::Frozen))),
        ("objection-hostile", objection::ask(&f, &hostile)),
        ("objection-last-owner", objection::ask(&f, &ask(Outcome::EndedSince))),
        ("objection-closed", objection::ask(&f, &ask(Outcome::Told))),
        ("objected", objection::done(&f, &done(Outcome::Frozen, true))),
        ("objected-last-owner", objection::done(&f, &done(Outcome::EndedSince, false))),
        ("objected-closed", objection::done(&f, &done(Outcome::Told, true))),
        ("objection-unknown", gone(Gone::Unknown)),
        ("objection-too-late", gone(Gone::TooLate)),
        ("objection-said", gone(Gone::Said(at("2026-11-23T09:20:00Z")))),
    ]
}

/// The banner of an account that is held.
pub(super) fn alarm(held: Held) -> Alarm<'static> {
    Alarm {
        person: mara(),
        case: CASE,
        held,
        since: at("2026-11-24T10:20:00Z"),
        said: HOSTILE.to_owned(),
        last_owner: false,
        refused: None,
        nobody: false,
        under_way: None,
    }
}

/// The banners that say no, or that nothing is frozen.
pub(super) fn other_alarms() -> Vec<(&'static str, Alarm<'static>)> {
    let refused = Some("You acted in this case, so somebody else lifts the objection.".to_owned());
    let frozen = alarm(Held::Objection { frozen: true });
    let open = Alarm { said: String::new(), ..alarm(Held::Objection { frozen: false }) };
    vec![
        ("user-frozen-by-oneself", Alarm { refused: refused.clone(), nobody: true, ..frozen }),
        ("user-objected", open.clone()),
        ("user-objected-last-owner", Alarm { last_owner: true, person: maryam(), ..open }),
        ("user-attacked-under-way", Alarm { under_way: Some(CASE), ..alarm(Held::Attack) }),
        ("user-attacked-refused", Alarm { refused, ..alarm(Held::Attack) }),
    ]
}

fn reassurings() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Owner);
    let view = |form, frozen| ReassureView {
        form,
        person: mara(),
        case: CASE,
        frozen,
        known: known(None),
        signals: signals(),
    };
    let wrong = typed(&[("reason", HOSTILE)], &[("evidence", "Say how you made sure who it is.")]);
    vec![
        ("reassure", hold::reassure(&f, &view(step_up(wrong), true))),
        ("reassure-open", hold::reassure(&f, &view(form(), false))),
    ]
}

fn incidents() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Owner);
    let since = || {
        vec![
            ("case", "Since case R-2026-0042: 24 November 2026, 10:12 UTC".to_owned()),
            ("always", "Nobody knows: every authenticator app goes".to_owned()),
        ]
    };
    let declare = |form, case, sessions, last_owner| {
        let view = IncidentView { form, person: mara(), case, since: since(), sessions, last_owner };
        incident::incident(&f, &view)
    };
    let wrong = typed(
        &[("reason", HOSTILE)],
        &[("since", "Choose since when it may have been somebody else."), ("reason", "Enter a reason.")],
    );
    let report = ReportView {
        form: form(),
        person: mara(),
        case: CASE,
        since: at("2026-11-24T10:12:00Z"),
        until: Some(at("2026-11-24T10:30:00Z")),
        declared: Some(Declared {
            by: "Ada Brandt".to_owned(),
            at: at("2026-11-24T10:30:00Z"),
            reason: HOSTILE.to_owned(),
            ended: "2 sessions, 1 factor, 9 backup codes".to_owned(),
        }),
        entries: entries(),
        further: true,
        later: Some("/admin/recovery/R-2026-0042/report?after=1204".to_owned()),
        way_back: true,
    };
    let so_far = ReportView {
        person: maryam(),
        until: None,
        declared: None,
        entries: Vec::new(),
        further: false,
        later: None,
        way_back: false,
        ..report.clone()
    };
    vec![
        ("incident", declare(form(), Some(CASE), 2, false)),
        ("incident-wrong", declare(step_up(wrong), None, 0, false)),
        ("incident-last-owner", declare(form(), Some(CASE), 1, true)),
        ("report", incident::report(&f, &report)),
        ("report-so-far", incident::report(&f, &so_far)),
    ]
}

fn readmissions() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Owner);
    let view = |form, case, factors| ReadmitView {
        form,
        person: mara(),
        case,
        factors,
        window: Duration::from_secs(3_600),
        valid: Duration::from_secs(86_400),
        known: known(None),
        signals: signals(),
        permission: Permission::default(),
    };
    let done = |pass| ReadmittedView {
        person: mara(),
        case: CASE,
        password: Secret::new("K7PM-2XQD-9RTH"),
        expires_at: at("2026-11-25T10:42:00Z"),
        pass,
        closes_at: at("2026-11-24T11:42:00Z"),
    };
    let wrong = typed(&[("reason", HOSTILE)], &[("reason", "Enter a reason.")]);
    vec![
        ("readmit", readmit::readmit(&f, &view(form(), None, 1))),
        ("readmit-wrong", readmit::readmit(&f, &view(step_up(wrong), Some(CASE), 0))),
        ("readmitted", readmit::readmitted(&f, &done(Some(Secret::new("M3TR-77WX-0AQZ"))))),
        ("readmitted-without-pass", readmit::readmitted(&f, &done(None))),
    ]
}

//! Samples of the policy's page and its forms, hostile text included.

use maud::Markup;

use super::policy::{self, ChangeView, PolicyView, TakeBackView};
use super::samples::{HOSTILE, at, form, now, step_up, typed, viewer};
use super::standing::{self, AlreadyDoneView};
use crate::policy::{KEYS, Key, Setting, Standing};
use crate::users::Role;

/// Every one of these pages by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let mut pages = lists();
    pages.extend(forms());
    pages
}

fn setting(key: Key, value: i64, set_at: &str, effective_at: &str) -> Setting {
    let (set_at, effective_at) = (at(set_at), at(effective_at));
    Setting { id: 1, key, value, set_by: HOSTILE.to_owned(), set_at, effective_at, cancelled_at: None }
}

/// Some are as they were, one is tighter, one is to be looser.
fn changed() -> Vec<Setting> {
    vec![
        setting(Key::EvidenceAge, 30, "2026-11-02T09:00:00Z", "2026-11-02T09:00:00Z"),
        setting(Key::EvidenceAge, 120, "2026-11-24T09:00:00Z", "2026-11-25T09:00:00Z"),
        setting(Key::SecondPersonRule, 2, "2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z"),
    ]
}

fn stands(key: Key, set: &[Setting]) -> Standing {
    Standing::of(key, set, now())
}

fn lists() -> Vec<(&'static str, Markup)> {
    let list = |set: &[Setting], may_change| {
        let settings = KEYS.iter().map(|key| stands(*key, set)).collect();
        let role = if may_change { Role::Owner } else { Role::Admin };
        policy::policy(&viewer(role), &PolicyView { settings, may_change })
    };
    vec![
        ("policy", list(&changed(), true)),
        ("policy-untouched", list(&[], true)),
        ("policy-of-an-admin", list(&changed(), false)),
    ]
}

fn forms() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Owner);
    let change = |form, standing| policy::change(&f, &ChangeView { form, standing });
    let with = |value: &'static str| typed(&[("value", value)], &[]);
    let untouched = |key| stands(key, &[]);
    let wrong = typed(
        &[("value", HOSTILE), ("reason", HOSTILE)],
        &[("value", "Write a whole number of minutes, from 5 to 240."), ("reason", "Enter a reason.")],
    );
    let unchosen = typed(&[], &[("value", "Choose one of them.")]);
    let back = |form, standing| policy::take_back(&f, &TakeBackView { form, standing });
    vec![
        ("policy-number", change(with("7"), untouched(Key::KnownNumber))),
        ("policy-number-waiting", change(with("30"), stands(Key::EvidenceAge, &changed()))),
        ("policy-number-wrong", change(step_up(wrong), stands(Key::EvidenceAge, &changed()))),
        ("policy-signs", change(with("2"), untouched(Key::StrongSigns))),
        ("policy-neither", change(with("72"), untouched(Key::CaseIdle))),
        ("policy-days-or-ever", change(with("0"), untouched(Key::AuditKept))),
        ("policy-yes-no", change(with("1"), untouched(Key::EnrolmentPass))),
        ("policy-yes-no-wrong", change(unchosen, untouched(Key::EnrolmentPass))),
        ("policy-second-person", change(with("1"), untouched(Key::SecondPersonRule))),
        ("policy-how-often", change(with("2"), untouched(Key::AnchorMails))),
        ("policy-take-back", back(step_up(form()), stands(Key::EvidenceAge, &changed()))),
        ("policy-take-back-wrong", {
            let wrong = typed(&[("reason", HOSTILE)], &[("reason", "Enter a reason.")]);
            back(wrong, stands(Key::EvidenceAge, &changed()))
        }),
        ("policy-already-done", {
            let what = "“Evidence is fresh for” was set to: 30 minutes.".to_owned();
            let at = at("2026-11-24T10:38:00Z");
            let (person, link, case, secret_was_shown) = (None, "/admin/policy", None, false);
            standing::already_done(&f, &AlreadyDoneView { person, link, what, at, case, secret_was_shown })
        }),
        ("policy-take-back-nothing", back(form(), untouched(Key::EvidenceAge))),
    ]
}

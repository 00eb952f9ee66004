//! Samples of the report of resets.

use maud::Markup;

use super::resets::{self, Period, ResetsView, Whole};
use super::samples::{CASE, HOSTILE, at, form, typed, viewer};
use super::samples_trail::{ORIGIN, newest};
use crate::audit::resets::{End, Reset, Step};
use crate::users::Role;

fn step(seq: i64, says: &str, by: &str, note: &str) -> Step {
    let (says, by, note) = (says.to_owned(), by.to_owned(), note.to_owned());
    Step { seq, at: at("2026-11-24T09:38:12Z"), says, by, note, erased: false }
}

fn reset(seq: i64, end: End) -> Reset {
    Reset {
        seq,
        at: at("2026-11-24T09:38:12Z"),
        what: "All factors removed (2)".to_owned(),
        whom: "Mara Lindqvist <mara@fernhill.example>".to_owned(),
        by: "Tom Okafor <tom@fernhill.example>".to_owned(),
        by_host: false,
        reason: "Lost phone, verified on a video call".to_owned(),
        ticket: "#1234".to_owned(),
        erased: false,
        case: Some(CASE),
        evidence: vec![step(seq - 5, "Live video call, compared with the photo or ID on record", HOSTILE, "same face")],
        permission: vec![
            step(seq - 4, "Asked for: an owner had to permit it", "Tom Okafor <tom@fernhill.example>", ""),
            step(seq - 3, "Permitted", "Ada Brandt <ada@fernhill.example>", HOSTILE),
        ],
        after: vec![step(seq + 3, "Set up a new app, “Pixel 9”", "", "")],
        end,
    }
}

fn all_ends() -> Vec<Reset> {
    let ends = [
        End::Enrolled,
        End::Recovered,
        End::Expired,
        End::Objected,
        End::Reassured,
        End::Incident,
        End::Refused,
        End::Again,
    ];
    let mut all: Vec<Reset> = ends.into_iter().zip(1..).map(|(end, n)| reset(1300 - 10 * n, end)).collect();
    let nothing = |reset: Reset| Reset { evidence: Vec::new(), permission: Vec::new(), after: Vec::new(), ..reset };
    all.push(Reset { by: "the host (root)".to_owned(), by_host: true, ..nothing(reset(1150, End::Open)) });
    all.push(Reset { case: None, ticket: String::new(), ..nothing(reset(1140, End::NoCase)) });
    let mut erased = reset(1130, End::Enrolled);
    erased.whom = "person 0193a7c2-0000-7000-8000-000000000000".to_owned();
    erased.reason = String::new();
    erased.ticket = String::new();
    erased.erased = true;
    erased.after[0].erased = true;
    all.push(erased);
    all
}

/// Every such page by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Auditor);
    let all = all_ends();
    let period = Period { since: at("2026-08-26T10:42:00Z"), until: None };
    let view = ResetsView {
        form: form(),
        period: Some(period),
        resets: &all,
        whole: Whole::Page,
        further: true,
        before: Some("1130".to_owned()),
        instance: ORIGIN,
        head: (1304, at("2026-11-24T10:41:00Z")),
        checkpoint: Some(newest()),
    };
    let quarter = Period { since: at("2026-07-01T00:00:00Z"), until: Some(at("2026-10-01T00:00:00Z")) };
    let named = typed(&[("since", "2026-07-01"), ("until", "2026-10-01")], &[]);
    let whole = ResetsView {
        form: named.clone(),
        period: Some(quarter),
        resets: &all[..3],
        whole: Whole::All,
        further: false,
        before: None,
        ..view.clone()
    };
    let cut = ResetsView { whole: Whole::Cut, resets: &all[..1], checkpoint: None, ..whole.clone() };
    let none = ResetsView { whole: Whole::Page, resets: &[], ..whole.clone() };
    let next = Period { since: at("2027-01-01T00:00:00Z"), until: Some(at("2027-04-01T00:00:00Z")) };
    let early = typed(&[("since", "2027-01-01"), ("until", "2027-04-01")], &[]);
    let early = ResetsView { form: early, period: Some(next), ..none.clone() };
    let wrong = typed(&[("since", "yesterday")], &[("since", "Write 2026-11-24.")]);
    let wrong = ResetsView { form: wrong, period: None, ..none.clone() };
    vec![
        ("resets", resets::resets(&f, &view)),
        ("resets-whole", resets::resets(&f, &whole)),
        ("resets-cut", resets::resets(&viewer(Role::Owner), &cut)),
        ("resets-none", resets::resets(&f, &none)),
        ("resets-early", resets::resets(&f, &early)),
        ("resets-wrong", resets::resets(&f, &wrong)),
    ]
}

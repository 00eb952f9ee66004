//! Samples of portraits, hostile text included. Whoever shows them serves a picture at each `…/portrait.jpg`.

use maud::Markup;

use super::portraits::{self, PortraitView};
use super::samples::{HOSTILE, at, form, step_up, typed, viewer};
use super::samples_acts::mara;
use crate::portraits::Portrait;
use crate::users::Role;

/// One that has been there for long, with a note.
pub(super) fn old() -> Portrait {
    Portrait {
        has_picture: true,
        id_note: "Passport, seen on 3 February by HR".parse().expect("samples hold notes"),
        added_by: "Ada Brandt".to_owned(),
        added_at: at("2026-02-03T09:12:00Z"),
    }
}

/// One of the day before yesterday.
pub(super) fn new() -> Portrait {
    Portrait {
        id_note: HOSTILE.parse().expect("samples hold notes"),
        added_by: HOSTILE.to_owned(),
        added_at: at("2026-11-22T10:00:00Z"),
        ..old()
    }
}

/// A note without a picture.
pub(super) fn noted() -> Portrait {
    Portrait { has_picture: false, ..old() }
}

pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Owner);
    let view = |form, on_record, choose_again| PortraitView { form, person: mara(), on_record, choose_again };
    let wrong = typed(&[("id_note", HOSTILE)], &[("file", "This file is no picture. Choose a PNG or a JPEG.")]);
    let both =
        typed(&[("remove", "on")], &[("remove", "Either choose another photo, or have the present one removed.")]);
    let late = step_up(typed(&[("id_note", "Passport, seen on 3 March by HR")], &[]));
    vec![
        ("portrait", portraits::portrait(&f, &view(form(), Some(old()), false))),
        ("portrait-none", portraits::portrait(&f, &view(form(), None, false))),
        ("portrait-wrong", portraits::portrait(&f, &view(wrong, None, true))),
        ("portrait-both", portraits::portrait(&f, &view(both, Some(new()), true))),
        ("portrait-late", portraits::portrait(&f, &view(late, Some(noted()), true))),
    ]
}

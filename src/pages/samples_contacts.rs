//! Samples of contact details, hostile text included.

use std::time::Duration;

use maud::Markup;

use super::contacts::{self, ContactsView, Numbers, RemoveContactView, Whose};
use super::samples::{HOSTILE, at, form, step_up, typed, viewer};
use super::samples_acts::mara;
use crate::contacts::{Contact, Detail, Kind};
use crate::ids::{ContactId, UserId};
use crate::users::Role;

fn contact(kind: Kind, value: &str, since: &str) -> Contact {
    Contact {
        id: ContactId::generate(),
        user_id: UserId::generate(),
        detail: Detail::parse(kind, value).expect("samples hold contacts"),
        known_since: at(since),
        added_by: HOSTILE.to_owned(),
        removed: None,
    }
}

pub(super) fn in_use() -> Vec<Contact> {
    vec![
        contact(Kind::Phone, "+46 70 555 01 23", "2026-02-03T09:12:00Z"),
        contact(Kind::Phone, "+46 8 555 01 00", "2025-02-03T09:12:00Z"),
        contact(Kind::Phone, "+44 7700 900 123", "2026-11-22T10:00:00Z"),
        contact(Kind::Email, &format!("{}@{}.example", "m".repeat(64), "fernhill".repeat(20)), "2026-02-03T09:12:00Z"),
        contact(Kind::Manager, HOSTILE, "2026-02-03T09:12:00Z"),
    ]
}

/// How long a number has to be known, in the samples.
pub(super) const KNOWN: Duration = Duration::from_secs(7 * 86_400);

pub(super) fn numbers() -> Numbers {
    let phones = in_use().into_iter().filter(|c| c.detail.kind() == Kind::Phone).collect();
    Numbers { phones, known: KNOWN, requested_at: at("2026-11-24T10:40:00Z") }
}

pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let (f, own) = (viewer(Role::Admin), viewer(Role::Member));
    let view = |form, whose, contacts: Vec<Contact>| {
        let gone = (at("2026-11-20T10:00:00Z"), "Tom Okafor".to_owned());
        let old = contact(Kind::Phone, "+46 70 765 43 21", "2026-11-01T10:00:00Z");
        let mut history = vec![Contact { removed: Some(gone), ..old }];
        history.extend(contacts.iter().cloned());
        ContactsView { form, whose, contacts, history, known: KNOWN, refused: None }
    };
    let wrong =
        typed(&[("kind", "phone"), ("value", HOSTILE)], &[("value", "Enter the number with its country code.")]);
    let theirs = || Whose::Of(mara());
    let closed = ContactsView {
        refused: Some("Only an owner may do this for an owner, an admin or an auditor. Ask an owner."),
        ..view(form(), theirs(), in_use())
    };
    let none = ContactsView { history: Vec::new(), ..view(form(), Whose::Own, Vec::new()) };
    let one = contact(Kind::Manager, HOSTILE, "2026-02-03T09:12:00Z");
    let remove = |form, whose| RemoveContactView { form, whose, contact: &one };
    vec![
        ("contacts", contacts::contacts(&f, &view(form(), theirs(), in_use()))),
        ("contacts-wrong", contacts::contacts(&f, &view(wrong, theirs(), in_use()))),
        ("contacts-refused", contacts::contacts(&f, &closed)),
        ("contacts-own", contacts::contacts(&own, &view(step_up(form()), Whose::Own, in_use()))),
        ("contacts-own-none", contacts::contacts(&own, &none)),
        ("contact-remove", contacts::remove_contact(&f, &remove(step_up(form()), theirs()))),
        ("contact-remove-own", contacts::remove_contact(&own, &remove(form(), Whose::Own))),
    ]
}

//! Samples of what auditors read besides the list.

use maud::Markup;

use super::samples::{at, viewer};
use super::trail::{self, Newest, PromisesView, VerifyingView};
use crate::users::Role;

pub(super) const ORIGIN: &str = "idp.audit/0193a7c2-0000-7000-8000-000000000000";
const KEY: &str =
    "idp.audit/0193a7c2-0000-7000-8000-000000000000+3c1b9f02+AQcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";
const CHECKPOINT: &str = "idp.audit/0193a7c2-0000-7000-8000-000000000000\n1204\n\
                          BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\nlineage 00112233445566ff\n\
                          time 2026-11-24T09:38:12.000000Z\n\n\
                          \u{2014} idp.audit/0193a7c2-0000-7000-8000-000000000000 \
                          PBufAgkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ==\n";

pub(super) fn newest() -> Newest {
    Newest { seq: 1204, at: at("2026-11-24T09:38:12Z"), text: CHECKPOINT.to_owned() }
}

/// Every such page by a name of its own.
pub(super) fn all() -> Vec<(&'static str, Markup)> {
    let f = viewer(Role::Auditor);
    let promises = |newest| trail::promises(&f, &PromisesView { origin: ORIGIN, newest });
    let verifying = |key| trail::verifying(&f, &VerifyingView { key });
    vec![
        ("audit-promises", promises(Some(newest()))),
        ("audit-promises-first", promises(None)),
        ("audit-verify", verifying(Some(KEY))),
        ("audit-verify-no-key", verifying(None)),
    ]
}

//! For auditors: what the trail promises, how to verify an export, and what one needs for that.

use super::Response;
use super::guards::{Call, Signed};
use super::show::{Answer, Page};
use crate::actions::audit_key::public;
use crate::audit::Action;
use crate::audit::checkpoint::{Checkpoint, origin_line};
use crate::audit::plain::Read;
use crate::audit::table::DESCRIPTION;
use crate::host::files::folder_of;
use crate::pages::trail::{
    Newest, PromisesView, VerifyingView, promises as promises_markup, verifying as verifying_markup,
};
use crate::storage::{self, ReadTx, audit, instance};

/// The second verifier, as it stands among the tests.
const VERIFIER: &str = include_str!("../../tests/verify_export.py");

/// `GET /admin/audit/promises`
pub fn promises(call: &Call<'_>, signed: &Signed) -> Answer {
    let (origin, newest) =
        call.app.means.store.read(|tx| Ok::<_, storage::Error>((instance::get(tx)?.origin, newest_checkpoint(tx)?)))?;
    let view = PromisesView { origin: &origin_line(&origin), newest };
    let page = Page::signed(call, signed);
    Ok(page.answer(200, promises_markup(&page.frame(), &view)))
}

/// The newest checkpoint that the trail tells of.
///
/// # Errors
/// When it can not be read.
pub fn newest_checkpoint(tx: &ReadTx<'_>) -> storage::Result<Option<Newest>> {
    let last = audit::list_newest(tx, &[Action::AuditCheckpointSigned], 1)?.pop();
    let newest = last.and_then(|entry| Checkpoint::parse(&Read::of(&entry).fact("checkpoint")));
    Ok(newest.map(|newest| Newest {
        seq: newest.point.seq.unsigned_abs(),
        at: newest.point.at,
        text: newest.to_string(),
    }))
}

/// `GET /admin/audit/verify`
pub fn verifying(call: &Call<'_>, signed: &Signed) -> Answer {
    let store = &call.app.means.store;
    let key = public(folder_of(store.path()), store)
        .inspect_err(|error| tracing::warn!(error = %error, "the public key can not be shown"))
        .map(|key| key.to_string());
    let page = Page::signed(call, signed);
    Ok(page.answer(200, verifying_markup(&page.frame(), &VerifyingView { key: key.as_deref().ok() })))
}

/// `GET /admin/audit/verifier`
pub fn verifier(_: &Call<'_>, _: &Signed) -> Answer {
    Ok(attached(VERIFIER, "text/x-python; charset=utf-8", "verify_export.py"))
}

/// `GET /admin/audit/format`
pub fn format(_: &Call<'_>, _: &Signed) -> Answer {
    Ok(attached(DESCRIPTION, "text/markdown; charset=utf-8", "audit-proof-format.md"))
}

fn attached(text: &'static str, kind: &str, name: &str) -> Response {
    Response::new(200, text)
        .with_header("Content-Type", kind)
        .with_header("Content-Disposition", &format!("attachment; filename=\"{name}\""))
}

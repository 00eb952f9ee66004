//! The fields of forms that several routes take, or that are many.

use super::fields::FILE;

/// A form that changes something: what it carries, and what else there is to fill in.
macro_rules! form {
    ($($field:expr),*) => { &["csrf", "nonce", "step_up_code", $($field),*] };
}

/// A form that rests on evidence, and what else there is to fill in.
macro_rules! founded {
    ($($field:expr),*) => { form!["evidence", "evidence_note", "voucher", "number", "ticket" $(, $field)*] };
}

pub(super) const EVIDENCE: &[&str] = founded![];
pub(super) const GRANT: &[&str] = founded!["reason", "codes_unavailable"];
pub(super) const INVITE: &[&str] = founded!["reason", "codes_unavailable", "by_mail"];
pub(super) const EMAIL: &[&str] = founded!["reason", "email"];
pub(super) const INCIDENT: &[&str] = form!["since", "reason"];
pub(super) const REASON: &[&str] = form!["reason"];
pub(super) const POLICY: &[&str] = form!["value", "reason"];
pub(super) const LEAVE: &[&str] = form!["reason", "confirmed"];
pub(super) const IMPORT: &[&str] = form![FILE, "text", "step", "by_mail"];
pub(super) const WITHDRAW: &[&str] = form!["request"];
pub(super) const DECIDE: &[&str] = form!["request", "note"];
pub(super) const PORTRAIT: &[&str] = form![FILE, "id_note", "remove"];
pub(super) const FILTER: &[&str] =
    &["action", "person", "actor", "involving", "outcome", "case", "since", "until", "before"];
pub(super) const EXPORT: &[&str] =
    &["csrf", "action", "person", "actor", "involving", "outcome", "case", "since", "until", "format", "proof"];
pub(super) const OPEN_CASE: &[&str] = form!["reason", "ticket", "urgent"];
pub(super) const REFUSE: &[&str] = form!["version", "refusal", "note"];
pub(super) const ESCALATE: &[&str] = form!["version", "message"];
pub(super) const CLOSE: &[&str] = form!["version"];
pub(super) const URGENT: &[&str] = form!["urgent"];

//! The fields of forms that several routes take, or that are many.

use super::fields::FILE;

pub(super) const GRANT: &[&str] = &[
    "csrf",
    "nonce",
    "step_up_code",
    "evidence",
    "evidence_note",
    "voucher",
    "number",
    "ticket",
    "reason",
    "codes_unavailable",
];
pub(super) const INVITE: &[&str] = &[
    "csrf",
    "nonce",
    "step_up_code",
    "evidence",
    "evidence_note",
    "voucher",
    "number",
    "ticket",
    "reason",
    "codes_unavailable",
    "by_mail",
];
pub(super) const EMAIL: &[&str] =
    &["csrf", "nonce", "step_up_code", "evidence", "evidence_note", "voucher", "number", "ticket", "reason", "email"];
pub(super) const INCIDENT: &[&str] = &["csrf", "nonce", "step_up_code", "since", "reason"];
pub(super) const REASON: &[&str] = &["csrf", "nonce", "step_up_code", "reason"];
pub(super) const POLICY: &[&str] = &["csrf", "nonce", "step_up_code", "value", "reason"];
pub(super) const LEAVE: &[&str] = &["csrf", "nonce", "step_up_code", "reason", "confirmed"];
pub(super) const IMPORT: &[&str] = &["csrf", "nonce", "step_up_code", FILE, "text", "step", "by_mail"];
pub(super) const WITHDRAW: &[&str] = &["csrf", "nonce", "step_up_code", "request"];
pub(super) const DECIDE: &[&str] = &["csrf", "nonce", "step_up_code", "request", "note"];
pub(super) const PORTRAIT: &[&str] = &["csrf", "nonce", "step_up_code", FILE, "id_note", "remove"];
pub(super) const FILTER: &[&str] =
    &["action", "person", "actor", "involving", "outcome", "case", "since", "until", "before"];
pub(super) const EXPORT: &[&str] =
    &["csrf", "action", "person", "actor", "involving", "outcome", "case", "since", "until", "format"];
pub(super) const OPEN_CASE: &[&str] = &["csrf", "nonce", "step_up_code", "reason", "ticket", "urgent"];
pub(super) const EVIDENCE: &[&str] =
    &["csrf", "nonce", "step_up_code", "evidence", "evidence_note", "voucher", "number", "ticket"];
pub(super) const REFUSE: &[&str] = &["csrf", "nonce", "step_up_code", "version", "refusal", "note"];
pub(super) const ESCALATE: &[&str] = &["csrf", "nonce", "step_up_code", "version", "message"];
pub(super) const CLOSE: &[&str] = &["csrf", "nonce", "step_up_code", "version"];
pub(super) const URGENT: &[&str] = &["csrf", "nonce", "step_up_code", "urgent"];

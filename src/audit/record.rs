//! An entry to be: an event with who caused it, and how it becomes the filterable fields and texts of an entry.

use super::body::{Body, Detail, Fact};
use super::event::{Decision, Event, Photo, PhotoChange};
use super::{Action, Actor, Outcome, Person, Reason, Source, Ticket};
use crate::contacts::Detail as ContactDetail;
use crate::ids::CaseNumber;
use crate::recovery::Evidence;
use crate::users::Status;

/// The filterable part of an event and its text, before it has a place in the chain.
#[derive(Debug, Clone)]
pub struct Parts {
    /// What it is about.
    pub action: Action,
    /// How it went.
    pub outcome: Outcome,
    /// The person concerned.
    pub user: Option<Person>,
    /// The case.
    pub case: Option<CaseNumber>,
    /// Why.
    pub reason: Option<Reason>,
    /// The ticket elsewhere.
    pub ticket: Option<Ticket>,
    /// The rest.
    pub detail: Detail,
}

impl Parts {
    pub(super) fn of(action: Action, user: Person) -> Self {
        Self { user: Some(user), ..Self::bare(action) }
    }

    pub(super) fn bare(action: Action) -> Self {
        Self {
            action,
            outcome: Outcome::Success,
            user: None,
            case: None,
            reason: None,
            ticket: None,
            detail: Detail::new(),
        }
    }

    pub(super) fn case(self, case: CaseNumber) -> Self {
        Self { case: Some(case), ..self }
    }

    pub(super) fn why(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    pub(super) fn ticket(self, ticket: Option<Ticket>) -> Self {
        Self { ticket, ..self }
    }

    pub(super) fn failed(self) -> Self {
        Self { outcome: Outcome::Failure, ..self }
    }

    pub(super) fn with(mut self, key: &'static str, fact: impl Into<Fact>) -> Self {
        self.detail.insert(key, fact.into());
        self
    }

    fn factor(self, id: String, label: String) -> Self {
        self.with("factor", id).with("label", label)
    }

    pub(super) fn evidence(self, evidence: &Evidence) -> Self {
        let this = self.with("evidence", evidence.kind().as_str());
        let this = if evidence.note().is_empty() { this } else { this.with("evidence_note", evidence.note()) };
        let this = match evidence.voucher() {
            Some(voucher) => this.with("voucher", voucher),
            None => this,
        };
        // The whole number: whoever asks in six months has to see that it was not the one of the day before.
        match evidence.called() {
            Some(called) => this
                .with("number", called.phone.as_str())
                .with("number_known_since", called.known_since.to_string())
                .with("requested_at", called.requested_at.to_string()),
            None => this,
        }
    }

    fn photo(self, change: PhotoChange) -> Self {
        let named = |this: Self, photo: Photo| this.with("photo_sha256", photo.digest).with("photo_bytes", photo.bytes);
        match change {
            PhotoChange::Kept => self,
            PhotoChange::Put { now, before: None } => named(self.with("photo", "added"), now),
            PhotoChange::Put { now, before: Some(before) } => {
                named(self.with("photo", "replaced").with("replaced_sha256", before.digest), now)
            }
            PhotoChange::Removed(photo) => named(self.with("photo", "removed"), photo),
        }
    }

    fn contact(self, change: &'static str, detail: &ContactDetail) -> Self {
        self.with("change", change).with("kind", detail.kind().as_str()).with("value", detail.as_str())
    }
}

impl Event {
    /// A rule said no to `action`, which rests on nothing that was put forward.
    pub const fn refused(action: Action, user: Option<Person>, rule: &'static str) -> Self {
        Self::Refused { action, user, case: None, rule, reason: None, ticket: None, evidence: None }
    }

    /// The header's fields and the body's texts. A table, one arm a variant: it is longer than other functions so that
    /// the compiler asks for the arm of a new variant in one place.
    pub fn into_parts(self) -> Parts {
        use Action as A;
        match self {
            Self::UserCreated { user, role } => Parts::of(A::UserCreated, user).with("role", role.as_str()),
            Self::UserInvited { user, hours } => Parts::of(A::UserInvited, user).with("valid_hours", hours),
            Self::SetupLinkMade { hours } => {
                Parts::bare(A::UserInvited).with("valid_hours", hours).with("role", "owner")
            }
            Self::UserInvitedAgain { user, reason, ticket, evidence, case, hours } => {
                Parts { case, ..Parts::of(A::UserInvited, user) }
                    .why(reason)
                    .ticket(ticket)
                    .evidence(&evidence)
                    .with("valid_hours", hours)
                    .with("again", true)
            }
            Self::UserRenamed { user, from, to } => Parts::of(A::UserUpdated, user).with("from", from).with("to", to),
            Self::UserEmailChanged { user, reason, ticket, evidence, case, from, to, sessions_ended } => {
                Parts { case, ..Parts::of(A::UserEmailChanged, user) }
                    .why(reason)
                    .ticket(ticket)
                    .evidence(&evidence)
                    .with("from", from)
                    .with("to", to)
                    .with("sessions_ended", sessions_ended)
            }
            Self::UserDisabled { user, reason, case, sessions_ended } => {
                Parts { case, ..Parts::of(A::UserDisabled, user) }.why(reason).with("sessions_ended", sessions_ended)
            }
            Self::UserLeft { user, reason, sessions_ended } => {
                Parts::of(A::UserLeft, user).why(reason).with("sessions_ended", sessions_ended)
            }
            Self::UserUnlocked { user, reason, delays_lifted } => {
                Parts::of(A::UserUnlocked, user).why(reason).with("delays_lifted", delays_lifted)
            }
            Self::UserSessionRevoked { user, reason, device, address } => Parts::of(A::UserSessionRevoked, user)
                .why(reason)
                .with("device", device)
                .with("address", address)
                .with("sessions_ended", 1_u32),
            Self::UserSessionsRevoked { user, reason, sessions_ended } => {
                Parts::of(A::UserSessionRevoked, user).why(reason).with("sessions_ended", sessions_ended)
            }
            Self::UserPasswordResetRequired { user, reason, case, sessions_ended } => {
                let parts = Parts { case, ..Parts::of(A::UserPasswordResetRequired, user) };
                parts.why(reason).with("sessions_ended", sessions_ended)
            }
            Self::UserEnabled { user, reason, case } => Parts { case, ..Parts::of(A::UserEnabled, user) }.why(reason),
            Self::UserRoleChanged { user, from, to, reason, sessions_ended } => Parts::of(A::UserRoleChanged, user)
                .why(reason)
                .with("from", from.as_str())
                .with("to", to.as_str())
                .with("sessions_ended", sessions_ended),
            Self::UserPasswordVerified { user, next } => Parts::of(A::UserPasswordVerified, user).with("next", next),
            Self::UserSignedIn { user, methods, new_device } => {
                Parts::of(A::UserSignedIn, user).with("methods", methods.as_str()).with("new_device", new_device)
            }
            Self::UserSignInFailed { user, why } => Parts::of(A::UserSignInFailed, user).failed().with("why", why),
            Self::UnknownSignInsFailed { source, minute, count } => Parts::bare(A::UserSignInFailed)
                .failed()
                .with("why", "unknown account")
                .with("from", source)
                .with("minute", minute)
                .with("count", count),
            Self::UserAccessRefused { user, route } => {
                Parts { outcome: Outcome::Denied, ..Parts::of(A::UserAccessRefused, user) }.with("route", route)
            }
            Self::UserSignedOut { user } => Parts::of(A::UserSignedOut, user),
            Self::UserOwnSessionRevoked { user, session, device } => Parts::of(A::UserSessionRevoked, user)
                .with("session", session)
                .with("device", device)
                .with("sessions_ended", 1_u32),
            Self::UserOtherSessionsRevoked { user, sessions_ended } => {
                Parts::of(A::UserSessionRevoked, user).with("sessions_ended", sessions_ended)
            }
            Self::UserDeviceForgotten { user, id, device, sessions_ended } => Parts::of(A::UserDeviceForgotten, user)
                .with("device_id", id)
                .with("device", device)
                .with("devices", 1_u32)
                .with("sessions_ended", sessions_ended),
            Self::UserDevicesForgotten { user, devices, sessions_ended } => {
                Parts::of(A::UserDeviceForgotten, user).with("devices", devices).with("sessions_ended", sessions_ended)
            }
            Self::UserLocked { user, failures, minutes } => {
                Parts::of(A::UserLocked, user).with("failures", failures).with("delay_minutes", minutes)
            }
            Self::UserPasswordChanged { user, forced, case } => {
                Parts { case, ..Parts::of(A::UserPasswordChanged, user) }.with("forced", forced)
            }
            Self::UserPasswordSetByAdmin { user, reason, ticket, evidence, case, hours } => {
                Parts { case, ..Parts::of(A::UserPasswordSetByAdmin, user) }
                    .why(reason)
                    .ticket(ticket)
                    .evidence(&evidence)
                    .with("valid_hours", hours)
            }
            Self::ContactAdded { user, detail } => Parts::of(A::UserContactChanged, user).contact("added", &detail),
            Self::ContactRemoved { user, detail, known_since } => Parts::of(A::UserContactChanged, user)
                .contact("removed", &detail)
                .with("known_since", known_since.to_string()),
            Self::PortraitChanged { user, photo, id_note } => {
                let parts = Parts::of(A::UserPortraitChanged, user).photo(photo);
                id_note.into_iter().fold(parts, |parts, change| parts.with("id_note", change))
            }
            Self::UserNoteAdded { user, note } => Parts::of(A::UserNoteAdded, user).with("note", note),
            Self::UserStepUp { user, with, resumed } => {
                Parts::of(A::UserStepUp, user).with("with", with.as_str()).with("resumed", resumed)
            }
            Self::FactorEnrolled { user, label, case, factor } => {
                Parts { case, ..Parts::of(A::MfaFactorEnrolled, user) }.factor(factor, label)
            }
            Self::FactorRenamed { user, from, to, factor } => {
                Parts::of(A::MfaFactorRenamed, user).factor(factor, to).with("from", from)
            }
            Self::FactorRemoved { user, label, factor } => Parts::of(A::MfaFactorRemoved, user).factor(factor, label),
            Self::FactorAdminReset {
                user,
                reason,
                ticket,
                case,
                since,
                factors_removed,
                codes_voided,
                codes_said_unavailable,
                sessions_ended,
            } => since
                .into_iter()
                .fold(Parts { case, ..Parts::of(A::MfaFactorAdminReset, user) }, |p, at| {
                    p.with("since", at.to_seconds_text())
                })
                .why(reason)
                .ticket(ticket)
                .with("factors_removed", factors_removed)
                .with("codes_voided", codes_voided)
                .with("codes_said_unavailable", codes_said_unavailable)
                .with("sessions_ended", sessions_ended),
            Self::ChallengeFailed { user, with, failures, case } => {
                Parts { case, ..Parts::of(A::MfaChallengeFailed, user) }
                    .failed()
                    .with("with", with.as_str())
                    .with("failures", failures)
            }
            Self::FactorDisabled { user, label, failures } => {
                Parts::of(A::MfaFactorDisabled, user).with("label", label).with("failures", failures)
            }
            Self::BackupCodesGenerated { user, count, voided } => {
                Parts::of(A::MfaBackupCodesGenerated, user).with("count", count).with("voided", voided)
            }
            Self::BackupCodesIssuedByAdmin { user, reason, ticket, evidence, case, count, days, voided } => {
                Parts { case, ..Parts::of(A::MfaBackupCodesIssuedByAdmin, user) }
                    .why(reason)
                    .ticket(ticket)
                    .evidence(&evidence)
                    .with("count", count)
                    .with("valid_days", days)
                    .with("voided", voided)
            }
            Self::BackupCodeUsed { user, left, issued_by_admin, case } => {
                let parts = Parts { case, ..Parts::of(A::MfaBackupCodeUsed, user) };
                parts.with("left", left).with("issued_by_admin", issued_by_admin)
            }
            Self::EnrolmentPassIssued { user, case, minutes } => {
                Parts::of(A::MfaEnrolmentPassIssued, user).case(case).with("valid_minutes", minutes)
            }
            Self::Case { user, case, fact } => fact.into_parts(user, case),
            Self::PolicyUpdated(change) => change.into_parts(),
            Self::PolicyRefused(refusal) => refusal.into_parts(),
            Self::NoticeSent { user, case, kind, address, attempts, given_up } => {
                let parts = Parts { user, case, ..Parts::bare(A::NoticeSent) }
                    .with("kind", kind)
                    .with("address", address)
                    .with("attempts", attempts);
                match given_up {
                    Some(why) => parts.failed().with("why", why),
                    None => parts,
                }
            }
            Self::PasswordResetRequested { user } => Parts::of(A::UserPasswordResetRequested, user),
            Self::PasswordResetCompleted { user } => Parts::of(A::UserPasswordResetCompleted, user),
            Self::Trail(fact) => fact.into_parts(),
            Self::BackupCreated { file, head_seq } => {
                Parts::bare(A::BackupCreated).with("file", file).with("head_seq", Fact::Number(head_seq))
            }
            Self::KeyExported { to, key } => Parts::bare(A::SystemKeyExported).with("to", to).with("key", key),
            Self::Initialised { origin } => Parts::bare(A::SystemInitialised).with("origin", origin),
            Self::Restored {
                from,
                backup_lineage,
                backup_seq,
                lost,
                factors,
                people_lost,
                contacts_removed,
                portraits_removed,
                people_confirmed,
            } => Parts::bare(A::SystemRestored)
                .with("from", from)
                .with("backup_lineage", backup_lineage)
                .with("backup_seq", Fact::Number(backup_seq))
                .with("lost", lost)
                .with("factors", factors)
                .with("people_lost", people_lost)
                .with("contacts_removed", contacts_removed)
                .with("portraits_removed", portraits_removed)
                .with("people_confirmed", people_confirmed),
            Self::CarriedOver { user, decision, entry } => carried_over(user, decision, entry),
            Self::PeopleConfirmed { people, disabled, demoted } => Parts::bare(A::SystemPeopleConfirmed)
                .with("people", people)
                .with("disabled", disabled)
                .with("demoted", demoted),
            Self::Upgraded { from, to, copy } => {
                let parts = Parts::bare(A::SystemUpgraded)
                    .with("from_schema", Fact::Number(from))
                    .with("to_schema", Fact::Number(to));
                copy.into_iter().fold(parts, |parts, copy| parts.with("copy", copy))
            }
            Self::ClockStepped { back_by_seconds } => {
                Parts::bare(A::SystemClockStepped).with("back_by_seconds", back_by_seconds)
            }
            Self::Refused { action, user, case, rule, reason, ticket, evidence } => {
                let parts = Parts { outcome: Outcome::Denied, user, case, reason, ticket, ..Parts::bare(action) };
                evidence.iter().fold(parts.with("rule", rule), Parts::evidence)
            }
        }
    }
}

/// The entry of a decision that a restore keeps: that of the decision itself, so that who asks for it finds it.
fn carried_over(user: Person, decision: Decision, entry: Option<i64>) -> Parts {
    use Action as A;
    let parts = match decision {
        Decision::ShutOut { state } => {
            let action = if state == Status::Left { A::UserLeft } else { A::UserDisabled };
            Parts::of(action, user).with("state", state.as_str())
        }
        Decision::Role { from, to } => {
            Parts::of(A::UserRoleChanged, user).with("from", from.as_str()).with("to", to.as_str())
        }
        Decision::Factors { removed } => Parts::of(A::MfaFactorAdminReset, user).with("factors_removed", removed),
        Decision::Password { newer: true } => Parts::of(A::UserPasswordChanged, user).with("password", "the newer one"),
        Decision::Password { newer: false } => Parts::of(A::UserPasswordChanged, user).with("password", "void"),
    };
    let parts = match entry {
        Some(entry) => parts.with("replaced_entry", Fact::Number(entry)),
        None => parts,
    };
    Parts { reason: Some(Reason::carried_over()), ..parts.with("carried_over", true) }
}

/// An event with who caused it and from where: all that an entry needs but its place in the chain.
#[derive(Debug, Clone)]
pub struct Record {
    /// Who did it.
    pub actor: Actor,
    /// From where.
    pub source: Source,
    /// What.
    pub event: Event,
}

impl Record {
    /// An entry to be.
    pub fn new(actor: Actor, source: &Source, event: Event) -> Self {
        Self { actor, source: source.clone(), event }
    }

    /// The header's fields and the body to store.
    pub fn into_parts_and_body(self) -> (Actor, Parts, String) {
        let mut parts = self.event.into_parts();
        let actor_name = match &self.actor {
            Actor::Person(p) => Some(p.name.clone()),
            Actor::Anonymous | Actor::System | Actor::Host => None,
        };
        let body = Body {
            actor_name,
            target_name: parts.user.as_mut().map(|u| std::mem::take(&mut u.name)),
            reason: parts.reason.take().map(|r| r.as_str().to_owned()),
            ticket: parts.ticket.take().map(|t| t.as_str().to_owned()),
            source: self.source,
            detail: std::mem::take(&mut parts.detail),
        };
        let text = body.to_canonical();
        (self.actor, parts, text)
    }
}

//! What happened, as values: one variant for each thing that can be recorded, with the fields its entry must have.

use super::proof::{Challenge, Methods};
use super::{Action, CaseFact, Person, PolicyChange, PolicyRefusal, Reason, Ticket, TrailFact};
use crate::contacts::Detail;
use crate::ids::CaseNumber;
use crate::recovery::Evidence;
use crate::time::Timestamp;
use crate::users::{Role, Status};

/// A decision about a person that was made after a backup and is kept when that backup is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// They were shut out: disabled, or left.
    ShutOut {
        /// The account's state.
        state: Status,
    },
    /// They were given a role that opens less.
    Role {
        /// As the backup has it.
        from: Role,
        /// As it stays.
        to: Role,
    },
    /// Factors were removed, or disabled after too many failures.
    Factors {
        /// How many.
        removed: u32,
    },
    /// The password was changed, set or made invalid.
    Password {
        /// The newer one is kept; otherwise none works.
        newer: bool,
    },
}

/// What became of the photo of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhotoChange {
    /// It is as it was, or there is none.
    Kept,
    /// There is a new one.
    Put {
        /// The picture that is there now.
        now: Photo,
        /// The one that was there before.
        before: Option<Photo>,
    },
    /// It is gone.
    Removed(Photo),
}

/// A photo as the trail names it: by this it is known which one it was, without keeping it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// SHA-256 in hexadecimal.
    pub digest: String,
    /// Its size.
    pub bytes: u32,
}

/// What happened. The person concerned is `user` wherever there is one.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields say what they are; each variant is documented by its `Action`.
pub enum Event {
    UserCreated {
        user: Person,
        role: Role,
    },
    UserInvited {
        user: Person,
        hours: u32,
    },
    /// The link for the first owner, whom nobody knows yet.
    SetupLinkMade {
        hours: u32,
    },
    /// An invitation link for an account that exists: a grant.
    UserInvitedAgain {
        user: Person,
        reason: Reason,
        ticket: Option<Ticket>,
        evidence: Evidence,
        case: Option<CaseNumber>,
        hours: u32,
    },
    UserRenamed {
        user: Person,
        from: String,
        to: String,
    },
    UserEmailChanged {
        user: Person,
        reason: Reason,
        ticket: Option<Ticket>,
        evidence: Evidence,
        case: Option<CaseNumber>,
        from: String,
        to: String,
        sessions_ended: u32,
    },
    UserDisabled {
        user: Person,
        reason: Reason,
        case: Option<CaseNumber>,
        sessions_ended: u32,
    },
    UserLeft {
        user: Person,
        reason: Reason,
        sessions_ended: u32,
    },
    UserUnlocked {
        user: Person,
        reason: Reason,
        delays_lifted: u32,
    },
    /// One session, ended by someone else.
    UserSessionRevoked {
        user: Person,
        reason: Reason,
        device: String,
        address: String,
    },
    /// All sessions, ended by someone else.
    UserSessionsRevoked {
        user: Person,
        reason: Reason,
        sessions_ended: u32,
    },
    UserPasswordResetRequired {
        user: Person,
        reason: Reason,
        case: Option<CaseNumber>,
        sessions_ended: u32,
    },
    UserEnabled {
        user: Person,
        reason: Reason,
        case: Option<CaseNumber>,
    },
    UserRoleChanged {
        user: Person,
        from: Role,
        to: Role,
        reason: Reason,
        sessions_ended: u32,
    },
    UserPasswordVerified {
        user: Person,
        next: &'static str,
    },
    UserSignedIn {
        user: Person,
        methods: Methods,
        new_device: bool,
    },
    /// A failure on an account that exists: why, in the trail only; the visitor is told the same for all.
    UserSignInFailed {
        user: Person,
        why: &'static str,
    },
    /// Failures on accounts that do not exist, from one source within one minute, counted.
    UnknownSignInsFailed {
        source: String,
        minute: String,
        count: u32,
    },
    /// A signed-in person sent a form to a page that their role does not open.
    UserAccessRefused {
        user: Person,
        route: &'static str,
    },
    UserSignedOut {
        user: Person,
    },
    /// By the person, from another session or this one.
    UserOwnSessionRevoked {
        user: Person,
        session: String,
        device: String,
    },
    /// By the person: all but the one in which it was asked for.
    UserOtherSessionsRevoked {
        user: Person,
        sessions_ended: u32,
    },
    UserDeviceForgotten {
        user: Person,
        id: String,
        device: String,
        sessions_ended: u32,
    },
    UserDevicesForgotten {
        user: Person,
        devices: u32,
        sessions_ended: u32,
    },
    UserLocked {
        user: Person,
        failures: u32,
        minutes: u32,
    },
    UserPasswordChanged {
        user: Person,
        forced: bool,
        case: Option<CaseNumber>,
    },
    UserPasswordSetByAdmin {
        user: Person,
        reason: Reason,
        ticket: Option<Ticket>,
        evidence: Evidence,
        case: Option<CaseNumber>,
        hours: u32,
    },
    ContactAdded {
        user: Person,
        detail: Detail,
    },
    ContactRemoved {
        user: Person,
        detail: Detail,
        known_since: Timestamp,
    },
    PortraitChanged {
        user: Person,
        photo: PhotoChange,
        /// What became of the note about an ID. Never its text: what is deleted here must not stay there.
        id_note: Option<&'static str>,
    },
    UserNoteAdded {
        user: Person,
        note: String,
    },
    UserStepUp {
        user: Person,
        with: Challenge,
        resumed: bool,
    },
    FactorEnrolled {
        user: Person,
        label: String,
        case: Option<CaseNumber>,
        factor: String,
    },
    FactorRenamed {
        user: Person,
        from: String,
        to: String,
        factor: String,
    },
    FactorRemoved {
        user: Person,
        label: String,
        factor: String,
    },
    FactorAdminReset {
        user: Person,
        reason: Reason,
        ticket: Option<Ticket>,
        /// Absent where no case could be opened: a restore without the seed key.
        case: Option<CaseNumber>,
        /// Only what was added from then on was removed.
        since: Option<Timestamp>,
        factors_removed: u32,
        codes_voided: u32,
        codes_said_unavailable: bool,
        sessions_ended: u32,
    },
    ChallengeFailed {
        user: Person,
        with: Challenge,
        failures: u32,
        case: Option<CaseNumber>,
    },
    FactorDisabled {
        user: Person,
        label: String,
        failures: u32,
    },
    BackupCodesGenerated {
        user: Person,
        count: u32,
        voided: u32,
    },
    BackupCodesIssuedByAdmin {
        user: Person,
        reason: Reason,
        ticket: Option<Ticket>,
        evidence: Evidence,
        case: Option<CaseNumber>,
        count: u32,
        days: u32,
        voided: u32,
    },
    BackupCodeUsed {
        user: Person,
        left: u32,
        issued_by_admin: bool,
        case: Option<CaseNumber>,
    },
    EnrolmentPassIssued {
        user: Person,
        case: CaseNumber,
        minutes: u32,
    },
    /// A step of a recovery case.
    Case {
        user: Person,
        case: CaseNumber,
        fact: CaseFact,
    },
    /// What holds here was set, or that was taken back.
    PolicyUpdated(PolicyChange),
    PolicyRefused(PolicyRefusal),
    /// A message left this host, or was given up.
    NoticeSent {
        user: Option<Person>,
        case: Option<CaseNumber>,
        kind: String,
        address: String,
        attempts: u32,
        /// Why it was given up.
        given_up: Option<String>,
    },
    PasswordResetRequested {
        user: Person,
    },
    PasswordResetCompleted {
        user: Person,
    },
    /// What was done with this trail itself.
    Trail(TrailFact),
    BackupCreated {
        file: String,
        head_seq: i64,
    },
    /// `key` is the fingerprint, by which it is known later whether it is still the one in use.
    KeyExported {
        to: String,
        key: String,
    },
    Initialised {
        origin: String,
    },
    Restored {
        from: String,
        backup_lineage: String,
        backup_seq: i64,
        lost: String,
        factors: &'static str,
        /// People whom the backup does not know.
        people_lost: u32,
        /// Contact details that stay removed.
        contacts_removed: u32,
        portraits_removed: u32,
        /// Whether all may sign in, or people wait until an owner has confirmed them.
        people_confirmed: bool,
    },
    /// What was decided after the backup is kept. Its action is that of the decision.
    CarriedOver {
        user: Person,
        decision: Decision,
        /// The number of its entry in the replaced database.
        entry: Option<i64>,
    },
    PeopleConfirmed {
        people: u32,
        disabled: u32,
        demoted: u32,
    },
    Upgraded {
        from: i64,
        to: i64,
        /// The copy of the database as it was. Absent after a restore, which was made from one.
        copy: Option<String>,
    },
    ClockStepped {
        back_by_seconds: u32,
    },
    /// A rule said no to `action`; nothing else was changed.
    Refused {
        action: Action,
        user: Option<Person>,
        case: Option<CaseNumber>,
        rule: &'static str,
        reason: Option<Reason>,
        ticket: Option<Ticket>,
        /// What was put forward, where the rule asks for evidence.
        evidence: Option<Evidence>,
    },
}

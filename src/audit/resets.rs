//! "Show me every admin-initiated MFA reset": one reset, as its entry and those of its case tell it.
//!
//! Architecture invariant: nothing but entries is looked at, and each thing that is said has the number of the entry that
//! says it. So whoever doubts the report holds it against an export with its proof.

use super::plain::{Read, doer, sentence};
use super::{Action, Entry, Outcome};
use crate::ids::CaseNumber;
use crate::recovery::{EvidenceKind, Needs};
use crate::time::Timestamp;

/// One removal of somebody's factors by somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    /// The number of its entry.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What was removed.
    pub what: String,
    /// Whose factors, by the name they had then.
    pub whom: String,
    /// By whom.
    pub by: String,
    /// Whether it was a command on the host, or a restore.
    pub by_host: bool,
    /// Why; empty if no longer kept.
    pub reason: String,
    /// The ticket; empty if there is none.
    pub ticket: String,
    /// Whether what the entry said is no longer kept.
    pub erased: bool,
    /// The case.
    pub case: Option<CaseNumber>,
    /// How it was made sure who it is, before the reset.
    pub evidence: Vec<Step>,
    /// Who was asked to permit it, and what they said.
    pub permission: Vec<Step>,
    /// How it went on.
    pub after: Vec<Step>,
    /// How it ended.
    pub end: End,
}

/// One entry of the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub says: String,
    /// By whom; empty where that is the person themself, or nobody.
    pub by: String,
    /// What somebody wrote with it; empty if nothing.
    pub note: String,
    /// Whether what it said is no longer kept.
    pub erased: bool,
}

/// How a reset ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The person set up a new app.
    Enrolled,
    /// They came back otherwise, or the case was closed as done.
    Recovered,
    /// They did not come in time.
    Expired,
    /// The person said that it was not them.
    Objected,
    /// That objection was lifted.
    Reassured,
    /// It turned out to be an attack.
    Incident,
    /// Help was refused afterwards.
    Refused,
    /// Another reset followed in the same case.
    Again,
    /// No entry says so far.
    Open,
    /// It belongs to no case: nobody was to be let in.
    NoCase,
}

impl End {
    /// What is known of it without what the entry said.
    const fn sentence(self) -> &'static str {
        match self {
            Self::Enrolled => "Set up a new app",
            Self::Recovered => "Recovered",
            Self::Expired => "Recovery expired",
            Self::Objected => "Objected to: it was not them",
            Self::Reassured => "Objection lifted",
            Self::Incident => "Incident declared",
            Self::Refused => "Help refused",
            Self::Again => "Reset once more",
            Self::Open | Self::NoCase => "",
        }
    }
}

/// What ends a reset, or the way there; the last one counts.
const ENDS: [(Action, End); 8] = [
    (Action::MfaFactorEnrolled, End::Enrolled),
    (Action::RecoveryCompleted, End::Recovered),
    (Action::RecoveryExpired, End::Expired),
    (Action::RecoveryDisavowed, End::Objected),
    (Action::RecoveryReassured, End::Reassured),
    (Action::RecoveryIncidentDeclared, End::Incident),
    (Action::RecoveryRefused, End::Refused),
    (Action::MfaFactorAdminReset, End::Again),
];

/// What is asked for where a reset has to be permitted.
const ASKED: [&str; 2] = ["reset_factors", "readmit"];

impl Reset {
    /// What `reset` and the entries of its case, oldest first, say.
    pub fn of(reset: &Entry, case: &[Entry]) -> Self {
        let (h, read) = (&reset.header, Read::of(reset));
        // An incident or an objection takes away what was added since; then the case is about that, before and after.
        let of_attack = !read.fact("since").is_empty();
        let earlier = |e: &&Entry| e.header.seq < h.seq;
        let last = case.iter().filter(earlier).rfind(|e| lets_in(e)).map_or(0, |e| e.header.seq);
        let next = case.iter().find(|e| e.header.seq > h.seq && lets_in(e)).map_or(i64::MAX, |e| e.header.seq);
        let evidence = case.iter().filter(earlier).filter(|e| is(e, Action::RecoveryIdentityVerified));
        let permission = case.iter().filter(|e| e.header.seq > last && earlier(e)).filter_map(permission);
        let from = if of_attack { last } else { h.seq };
        let ends = case.iter().filter(|e| e.header.seq > from && e.header.seq <= next && e.header.seq != h.seq);
        let mut ends: Vec<_> = ends.filter_map(|e| Some((ending(e)?, e))).collect();
        if ends.iter().any(|(end, _)| *end == End::Enrolled) {
            // The same once more, about the case.
            ends.retain(|(end, _)| *end != End::Recovered);
        }
        let number = h.case.as_deref().and_then(|number| number.parse().ok());
        Self {
            seq: h.seq,
            at: h.at,
            what: sentence(reset, &read),
            whom: named(read.text("target_name"), h.target_id.as_deref()),
            by: by(reset, &read),
            by_host: matches!(h.actor_kind.as_str(), "host" | "system"),
            reason: read.text("reason").to_owned(),
            ticket: read.text("ticket").to_owned(),
            erased: reset.body.is_none(),
            case: number,
            evidence: evidence.map(identity).collect(),
            permission: permission.collect(),
            end: match ends.last() {
                Some((end, _)) => *end,
                None if number.is_none() => End::NoCase,
                None => End::Open,
            },
            after: ends.into_iter().map(|(end, e)| after(end, e)).collect(),
        }
    }
}

/// Whether an entry of a case can have a part in what is told of a reset in it.
pub fn concerns(entry: &Entry) -> bool {
    const ALSO: [Action; 5] = [
        Action::RecoveryIdentityVerified,
        Action::RecoveryApprovalRequested,
        Action::RecoveryApproved,
        Action::RecoveryApprovalDenied,
        Action::RecoveryApprovalLapsed,
    ];
    ENDS.iter().map(|(action, _)| action).chain(&ALSO).any(|action| is(entry, *action))
}

/// Whether this was done: a try that was refused has the same action.
fn is(entry: &Entry, action: Action) -> bool {
    entry.header.action == action.as_str() && entry.header.outcome == Outcome::Success.as_str()
}

/// Whether this is a reset after which the person is to come back, and not what an incident or an objection took away.
fn lets_in(entry: &Entry) -> bool {
    is(entry, Action::MfaFactorAdminReset) && Read::of(entry).fact("since").is_empty()
}

fn ending(entry: &Entry) -> Option<End> {
    let end = ENDS.iter().find_map(|(action, end)| is(entry, *action).then_some(*end))?;
    (end != End::Again || lets_in(entry)).then_some(end)
}

/// A name as it was then, or the number that stays when it is erased.
fn named(name: &str, id: Option<&str>) -> String {
    match (name, id) {
        ("", Some(id)) => format!("person {id}"),
        (name, _) => name.to_owned(),
    }
}

fn by(entry: &Entry, read: &Read) -> String {
    match &entry.header.actor_id {
        Some(id) if entry.body.is_none() => named("", Some(id)),
        _ => doer(entry, read),
    }
}

fn step(entry: &Entry, read: &Read, says: String, note: &str) -> Step {
    let erased = entry.body.is_none();
    let own = entry.header.actor_id.is_some() && entry.header.actor_id == entry.header.target_id;
    let by = if own || entry.header.actor_kind == "system" { String::new() } else { by(entry, read) };
    Step { seq: entry.header.seq, at: entry.header.at, says, by, note: note.to_owned(), erased }
}

fn identity(entry: &Entry) -> Step {
    let read = Read::of(entry);
    let kind = read.fact("evidence");
    let mut says = match kind.parse::<EvidenceKind>() {
        Ok(kind) => kind.sentence().to_owned(),
        Err(_) if entry.body.is_none() => "Identity verified".to_owned(),
        Err(_) => kind,
    };
    if let (number, Some(day)) = (read.fact("number"), read.fact("number_known_since").get(..10)) {
        says.push_str(&format!(", {number}, known since {day}"));
    }
    if !read.fact("voucher").is_empty() {
        says.push_str(&format!("; {} vouches", read.fact("voucher")));
    }
    if !read.text("ticket").is_empty() {
        says.push_str(&format!(", ticket {}", read.text("ticket")));
    }
    step(entry, &read, says, &read.fact("evidence_note"))
}

/// What was asked for, permitted, denied or given up about a reset.
fn permission(entry: &Entry) -> Option<Step> {
    let (read, action) = (Read::of(entry), entry.header.action.parse::<Action>().ok()?);
    let about = ASKED.contains(&read.fact("grant").as_str()) || entry.body.is_none();
    if !about || !is(entry, action) {
        return None;
    }
    let (says, note) = match action {
        Action::RecoveryApprovalRequested => {
            let says = match read.fact("needs").parse() {
                Ok(Needs::Owner) => "Asked for: an owner had to permit it",
                Ok(Needs::Admin) => "Asked for: another admin or an owner had to permit it",
                Ok(Needs::Time) => {
                    "Asked for: nobody could permit it, so time had to pass in which the person could object"
                }
                Err(_) => "Asked for",
            };
            (says.to_owned(), String::new())
        }
        Action::RecoveryApproved if entry.header.actor_kind == "system" => {
            ("The time has passed without an objection".to_owned(), String::new())
        }
        Action::RecoveryApproved => ("Permitted".to_owned(), read.fact("note")),
        Action::RecoveryApprovalDenied => ("Not permitted".to_owned(), read.text("reason").to_owned()),
        Action::RecoveryApprovalLapsed => (format!("No longer asked for: {}", read.fact("why")), String::new()),
        _ => return None,
    };
    Some(step(entry, &read, says, &note))
}

fn after(end: End, entry: &Entry) -> Step {
    let read = Read::of(entry);
    let says = match end {
        _ if entry.body.is_none() => end.sentence().to_owned(),
        End::Enrolled => format!("Set up a new app, “{}”", read.fact("label")),
        End::Again => "Reset once more".to_owned(),
        _ => sentence(entry, &read),
    };
    step(entry, &read, says, read.text("reason"))
}

//! What a person has to be told about their account, and what owners have to be told about anybody's.
//!
//! Architecture invariant: [`due`] is asked by the writer about every entry that it appends, in the same transaction. So
//! there is no reset, enrolment or change of password without its notice, whoever wrote the errand. A notice holds no
//! secret: what it says are names, numbers and places that stand in the trail too.

pub mod objection;

use std::str::FromStr;

use crate::audit::{Actor, CaseFact, Event, Record};
use crate::contacts::Detail;
use crate::ids::{CaseNumber, NoticeId, UserId};
use crate::recovery::Needs;
use crate::sessions::{Session, device_name};
use crate::time::Timestamp;
use crate::users::BadInput;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident $word:literal $objection:literal;)*) => {
        /// What a notice is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word that is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Whether the person can say "this wasn't me" to it.
            pub const fn may_be_objected_to(self) -> bool {
                match self { $(Self::$variant => $objection,)* }
            }
        }
    };
}

kinds! {
    /// Every factor was removed by somebody else.
    FactorsReset "factors_reset" true;
    /// A factor was enrolled.
    FactorEnrolled "factor_enrolled" true;
    /// A factor was removed by the person.
    FactorRemoved "factor_removed" true;
    /// A factor was switched off after too many failures.
    FactorSwitchedOff "factor_switched_off" false;
    /// Backup codes were made by the person.
    CodesMade "codes_made" true;
    /// Backup codes were issued by somebody else.
    CodesIssued "codes_issued" true;
    /// A backup code was used.
    CodeUsed "code_used" true;
    /// The person chose a password.
    PasswordChanged "password_changed" true;
    /// Somebody else set a temporary password.
    PasswordSet "password_set" true;
    /// The address to sign in with was changed.
    EmailChanged "email_changed" true;
    /// A way to reach the person was added or removed.
    ContactChanged "contact_changed" true;
    /// Something was asked for that an hour permits unless the person objects.
    GrantAsked "grant_asked" true;
    /// An invitation was made again for an account that exists.
    InvitedAgain "invited_again" true;
    /// An objection to what was done to the account was lifted.
    ObjectionLifted "objection_lifted" true;
    /// To who may decide: something was asked for that waits for them.
    ApprovalWaits "approval_waits" false;
    /// To owners: an owner was recovered, or access given, with a command on the host.
    HostActed "host_acted" false;
    /// To owners: a case was handed to them.
    Escalated "escalated" false;
    /// To owners: somebody said "this wasn't me".
    Disavowed "disavowed" false;
    /// To owners: an objection was lifted.
    Reassured "reassured" false;
    /// To owners: an incident was declared.
    Incident "incident" false;
    /// To owners: policy was made looser.
    PolicyLoosened "policy_loosened" false;
}

impl FromStr for Kind {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL.iter().copied().find(|k| k.as_str() == text).ok_or(BadInput("There is no such notice."))
    }
}

/// What a message says beside its fixed words. Empty where it does not apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Who did it: name and address as the trail has them; "the operator"; "you".
    pub by: String,
    /// Whether the person did it, as far as the program can tell.
    pub by_themself: bool,
    /// About whom, in messages to owners.
    pub about: String,
    /// What exactly: a factor's name, an address, a setting, a request.
    pub what: String,
    /// Why, in the words of who did it: only in messages to owners.
    pub reason: String,
    /// How many: codes left.
    pub count: u32,
    /// The client's address.
    pub address: String,
    /// The client's device.
    pub device: String,
}

impl Facts {
    /// As it is stored.
    pub fn to_json(&self) -> String {
        serde_json::json!({
            "by": self.by, "by_themself": self.by_themself, "about": self.about, "what": self.what, "reason": self.reason,
            "count": self.count, "address": self.address, "device": self.device,
        })
        .to_string()
    }

    /// Reads what was stored; what is not there is empty.
    pub fn of_json(text: &str) -> Self {
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let text = |key: &str| value.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        Self {
            by: text("by"),
            by_themself: value.get("by_themself").and_then(serde_json::Value::as_bool).unwrap_or(false),
            about: text("about"),
            what: text("what"),
            reason: text("reason"),
            count: value.get("count").and_then(serde_json::Value::as_u64).and_then(|n| n.try_into().ok()).unwrap_or(0),
            address: text("address"),
            device: text("device"),
        }
    }
}

/// Who has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// This person, at all their addresses; and at one that they had until now.
    Person(UserId, Option<String>),
    /// Every active owner, but for one who did it.
    Owners(Option<UserId>),
    /// Everybody active who may decide about what waits in the notice's case, which is about this person.
    Approvers(UserId),
}

/// A notice to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Who.
    pub whom: Whom,
    /// About what.
    pub kind: Kind,
    /// In which case.
    pub case: Option<CaseNumber>,
    /// What it says.
    pub facts: Facts,
}

/// A notice as it is kept.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Which.
    pub id: NoticeId,
    /// To whom.
    pub user_id: UserId,
    /// About what.
    pub kind: Kind,
    /// When it happened.
    pub at: Timestamp,
    /// In which case.
    pub case: Option<CaseNumber>,
    /// What it says.
    pub facts: Facts,
    /// Until when the person can object.
    pub objection_until: Option<Timestamp>,
    /// When somebody did.
    pub objected_at: Option<Timestamp>,
    /// When the person was shown it.
    pub seen_at: Option<Timestamp>,
}

/// A message that a case has brought forth.
#[derive(Debug, Clone)]
pub struct Told {
    /// When it was written.
    pub at: Timestamp,
    /// The notice that it carries; none for a message that somebody wrote.
    pub notice: Option<Kind>,
    /// What it is about, in a word or two.
    pub about: String,
    /// To which address.
    pub address: String,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// When it was given up.
    pub given_up_at: Option<Timestamp>,
}

impl Notice {
    /// Where in the console what it asks for is done, if it asks for something there.
    pub fn leads_to(&self) -> Option<String> {
        let case = self.case.filter(|_| self.kind == Kind::ApprovalWaits)?;
        Some(format!("/admin/recovery/{case}"))
    }

    /// Whether it is about what was done in this very session, as far as time, address and device tell: who has just done
    /// something need not be told of it there. It is told at the next sign-in, and by mail at once.
    pub fn is_of(&self, session: &Session) -> bool {
        let device = Some(session.user_agent.as_str()).filter(|agent| !agent.is_empty()).map(device_name);
        // Who has not proved yet who they are, as on the way into this session, has no name.
        (self.facts.by_themself || self.facts.by.is_empty())
            && self.at >= session.created_at
            && self.facts.address == session.address
            && self.facts.device == device.unwrap_or_default()
    }
}

/// What has to be told of an entry: nothing, one notice, or one to the person and one to the owners.
pub fn due(record: &Record) -> Vec<Due> {
    let of = |user: &crate::audit::Person, kind, what: &str, case: Option<CaseNumber>| Due {
        whom: Whom::Person(user.id, None),
        kind,
        case,
        facts: Facts { what: what.to_owned(), ..facts(record, Some(user.id)) },
    };
    match &record.event {
        Event::FactorAdminReset { user, case, since, .. } => {
            let what = since.map(|at| format!("those added since {}", at.to_seconds_text())).unwrap_or_default();
            let mut all = vec![of(user, Kind::FactorsReset, &what, *case)];
            // In a case the host's command has an entry of its own, of which the owners are told.
            if record.actor == Actor::Host && case.is_none() {
                all.extend(to_owners(record, Kind::HostActed, &user.name, "all factors removed", None));
            }
            all
        }
        Event::FactorEnrolled { user, label, case, .. } => vec![of(user, Kind::FactorEnrolled, label, *case)],
        Event::FactorRemoved { user, label, .. } => vec![of(user, Kind::FactorRemoved, label, None)],
        Event::FactorDisabled { user, label, .. } => vec![of(user, Kind::FactorSwitchedOff, label, None)],
        Event::BackupCodesGenerated { user, .. } => vec![of(user, Kind::CodesMade, "", None)],
        Event::BackupCodesIssuedByAdmin { user, case, .. } => vec![of(user, Kind::CodesIssued, "", *case)],
        Event::BackupCodeUsed { user, left, case, .. } => {
            let mut due = of(user, Kind::CodeUsed, "", *case);
            due.facts.count = *left;
            vec![due]
        }
        Event::UserPasswordChanged { user, case, .. } => vec![of(user, Kind::PasswordChanged, "", *case)],
        Event::PasswordResetCompleted { user } => vec![of(user, Kind::PasswordChanged, "", None)],
        Event::UserPasswordSetByAdmin { user, case, .. } => vec![of(user, Kind::PasswordSet, "", *case)],
        Event::UserInvitedAgain { user, case, .. } => vec![of(user, Kind::InvitedAgain, "", *case)],
        Event::UserEmailChanged { user, from, to, case, .. } => {
            let due = of(user, Kind::EmailChanged, to, *case);
            vec![Due { whom: Whom::Person(user.id, Some(from.clone())), ..due }]
        }
        Event::ContactAdded { user, detail } => vec![of(user, Kind::ContactChanged, &contact("added", detail), None)],
        Event::ContactRemoved { user, detail, .. } => {
            let before = matches!(detail, Detail::Email(_)).then(|| detail.as_str().to_owned());
            let due = of(user, Kind::ContactChanged, &contact("removed", detail), None);
            vec![Due { whom: Whom::Person(user.id, before), ..due }]
        }
        Event::UserRoleChanged { user, to, .. } if record.actor == Actor::Host => {
            to_owners(record, Kind::HostActed, &user.name, &format!("the role {to}"), None)
        }
        Event::UserEnabled { user, .. } if record.actor == Actor::Host => {
            to_owners(record, Kind::HostActed, &user.name, "enabled", None)
        }
        Event::Case { user, case, fact } => in_case(record, user, *case, fact),
        Event::PolicyUpdated(change) if change.loosens() => {
            let mut all = to_owners(record, Kind::PolicyLoosened, "", &change.in_words(), None);
            for due in &mut all {
                // Who did it too: it may have been somebody else, in their session.
                due.whom = Whom::Owners(None);
                change.reason.as_str().clone_into(&mut due.facts.reason);
            }
            all
        }
        _ => Vec::new(),
    }
}

fn in_case(record: &Record, user: &crate::audit::Person, case: CaseNumber, fact: &CaseFact) -> Vec<Due> {
    let owners = |kind, what: &str| to_owners(record, kind, &user.name, what, Some(case));
    match fact {
        // While an hour stands in for a second person, the person is who can say no.
        CaseFact::Asked { grant, needs: Needs::Time, .. } => {
            let facts = Facts { what: grant.sentence().to_owned(), ..facts(record, Some(user.id)) };
            vec![Due { whom: Whom::Person(user.id, None), kind: Kind::GrantAsked, case: Some(case), facts }]
        }
        CaseFact::Asked { grant, reason, .. } => {
            let facts = Facts {
                about: user.name.clone(),
                what: grant.sentence().to_owned(),
                reason: reason.as_str().to_owned(),
                ..facts(record, None)
            };
            vec![Due { whom: Whom::Approvers(user.id), kind: Kind::ApprovalWaits, case: Some(case), facts }]
        }
        // Whoever was misled into lifting it must not be the only one who knows: the person can object once more.
        CaseFact::Reassured { reason } => {
            let mut all = owners(Kind::Reassured, "");
            all.iter_mut().for_each(|due| reason.as_str().clone_into(&mut due.facts.reason));
            let (whom, facts) = (Whom::Person(user.id, None), facts(record, Some(user.id)));
            all.insert(0, Due { whom, kind: Kind::ObjectionLifted, case: Some(case), facts });
            all
        }
        CaseFact::Escalated { message } => {
            let mut all = owners(Kind::Escalated, "");
            all.iter_mut().for_each(|due| message.as_str().clone_into(&mut due.facts.reason));
            all
        }
        CaseFact::Disavowed { frozen, .. } => owners(Kind::Disavowed, if *frozen { "frozen" } else { "" }),
        CaseFact::Incident { reason, .. } => {
            let mut all = owners(Kind::Incident, "");
            all.iter_mut().for_each(|due| reason.as_str().clone_into(&mut due.facts.reason));
            all
        }
        CaseFact::BreakGlass { .. } => owners(Kind::HostActed, "recovered with idp recover-owner"),
        CaseFact::Approved { grant, .. } if record.actor == Actor::Host => {
            owners(Kind::HostActed, &format!("approved: {}", grant.sentence()))
        }
        _ => Vec::new(),
    }
}

fn to_owners(record: &Record, kind: Kind, about: &str, what: &str, case: Option<CaseNumber>) -> Vec<Due> {
    let actor = match &record.actor {
        Actor::Person(person) => Some(person.id),
        Actor::Anonymous | Actor::System | Actor::Host => None,
    };
    let facts = Facts { about: about.to_owned(), what: what.to_owned(), ..facts(record, None) };
    vec![Due { whom: Whom::Owners(actor), kind, case, facts }]
}

fn contact(change: &str, detail: &Detail) -> String {
    format!("{} {change}: {}", detail.kind().label(), detail.as_str())
}

fn facts(record: &Record, about: Option<UserId>) -> Facts {
    let (by, by_themself) = match &record.actor {
        Actor::Person(person) => (person.name.clone(), about == Some(person.id)),
        Actor::Host => ("the operator, with a command on the host".to_owned(), false),
        Actor::System => ("the program".to_owned(), false),
        Actor::Anonymous => (String::new(), false),
    };
    // What somebody else's computer is called is theirs to know.
    let own = by_themself || record.actor == Actor::Anonymous;
    let address = record.source.address.clone().filter(|_| own).unwrap_or_default();
    let device = record.source.user_agent.as_deref().filter(|_| own).map(device_name);
    Facts { by, by_themself, address, device: device.unwrap_or_default(), ..Facts::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_of_a_notice_reads_back() {
        let facts = Facts {
            by: "Tom <tom@x.example>".into(),
            by_themself: true,
            about: "“Mara”\n".into(),
            what: "phone".into(),
            reason: "lost".into(),
            count: 3,
            address: "192.0.2.7".into(),
            device: "Firefox on Linux".into(),
        };
        assert_eq!(Facts::of_json(&facts.to_json()), facts);
        assert_eq!(Facts::of_json("no json"), Facts::default());
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
    }
}

//! What one can filter entries by: header fields only, so that completeness of an export can be proved.

use super::{Action, Header, Outcome};
use crate::ids::{CaseNumber, UserId};
use crate::time::Timestamp;

/// The filter that asks for nothing, as text.
const EVERYTHING: &str = "everything";

/// Every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// What it is about.
    pub action: Option<Action>,
    /// The person concerned.
    pub user: Option<UserId>,
    /// The person who did it.
    pub actor: Option<ActorFilter>,
    /// The person concerned, or who did it.
    pub involving: Option<UserId>,
    /// How it went.
    pub outcome: Option<Outcome>,
    /// The case.
    pub case: Option<CaseNumber>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// Whose doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorFilter {
    /// A person's.
    Person(UserId),
    /// Someone's who had not proved anything.
    Anonymous,
    /// The program's.
    System,
    /// Of commands on the host.
    Host,
}

impl ActorFilter {
    fn column(self) -> (&'static str, String) {
        match self {
            Self::Person(id) => ("actor_id", id.to_string()),
            Self::Anonymous => ("actor_kind", "anonymous".into()),
            Self::System => ("actor_kind", "system".into()),
            Self::Host => ("actor_kind", "host".into()),
        }
    }
}

impl ActorFilter {
    fn of_word(word: &str) -> Option<Self> {
        let kinds = [Self::Anonymous, Self::System, Self::Host];
        kinds.into_iter().find(|kind| kind.column().1 == word).or_else(|| word.parse().ok().map(Self::Person))
    }
}

impl std::fmt::Display for ActorFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.column().1)
    }
}

impl Filter {
    /// Column and value of each equality that is asked for; [`Filter::involving`] is none.
    pub fn columns(&self) -> Vec<(&'static str, String)> {
        let mut out = Vec::new();
        out.extend(self.case.map(|c| ("case_number", c.to_string())));
        out.extend(self.user.map(|u| ("target_id", u.to_string())));
        out.extend(self.actor.map(ActorFilter::column));
        out.extend(self.action.map(|a| ("action", a.as_str().to_owned())));
        out.extend(self.outcome.map(|o| ("outcome", o.as_str().to_owned())));
        out
    }

    /// Reads what [`Filter::to_sentence`] says; nothing else.
    pub fn of_sentence(text: &str) -> Option<Self> {
        let mut filter = Self::default();
        for word in text.split(' ').filter(|_| text != EVERYTHING) {
            let (name, value) = word.split_once('=')?;
            match name {
                "action" => filter.action = Some(value.parse().ok()?),
                "user" => filter.user = Some(value.parse().ok()?),
                "actor" => filter.actor = Some(ActorFilter::of_word(value)?),
                "involving" => filter.involving = Some(value.parse().ok()?),
                "outcome" => filter.outcome = Some(value.parse().ok()?),
                "case" => filter.case = Some(value.parse().ok()?),
                "since" => filter.since = Some(value.parse().ok()?),
                "until" => filter.until = Some(value.parse().ok()?),
                _ => return None,
            }
        }
        (filter.to_sentence() == text).then_some(filter)
    }

    /// Whether an entry with this header is asked for: the same answer as the database's to [`Filter::columns`].
    pub fn matches<T: AsRef<str>>(&self, header: &Header<T>) -> bool {
        let same = |field: &Option<T>, id: UserId| field.as_ref().is_some_and(|f| f.as_ref() == id.to_string());
        let about = |id| same(&header.target_id, id);
        let by = |id| same(&header.actor_id, id);
        let of_actor = |actor| match actor {
            ActorFilter::Person(id) => by(id),
            kind => header.actor_kind.as_ref() == kind.column().1,
        };
        let case = |case: CaseNumber| header.case.as_ref().is_some_and(|c| c.as_ref() == case.to_string());
        self.action.is_none_or(|a| header.action.as_ref() == a.as_str())
            && self.user.is_none_or(about)
            && self.actor.is_none_or(of_actor)
            && self.involving.is_none_or(|id| about(id) || by(id))
            && self.outcome.is_none_or(|o| header.outcome.as_ref() == o.as_str())
            && self.case.is_none_or(case)
            && self.since.is_none_or(|t| header.at >= t)
            && self.until.is_none_or(|t| header.at < t)
    }

    /// Whether its time range ends before it begins, or at once: then nothing can match, which must not read as an answer.
    pub fn is_backwards(&self) -> bool {
        self.since.zip(self.until).is_some_and(|(since, until)| since >= until)
    }

    /// The filter as text, as the entry about an export and the export's file name say it; `everything` if empty.
    pub fn to_sentence(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        words.extend(self.action.map(|a| format!("action={a}")));
        words.extend(self.user.map(|u| format!("user={u}")));
        words.extend(self.actor.map(|a| format!("actor={a}")));
        words.extend(self.involving.map(|u| format!("involving={u}")));
        words.extend(self.outcome.map(|o| format!("outcome={o}")));
        words.extend(self.case.map(|c| format!("case={c}")));
        words.extend(self.since.map(|t| format!("since={t}")));
        words.extend(self.until.map(|t| format!("until={t}")));
        if words.is_empty() { EVERYTHING.into() } else { words.join(" ") }
    }
}

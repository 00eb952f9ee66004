//! What an export asked for, as text: a verifier also judges what a newer program asks for, by names that it does not know.

use std::fmt;

use super::Header;
use super::filter::{EVERYTHING, Filter};
use crate::time::Timestamp;

/// A filter as `audit.exported` and a proof say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    text: String,
    words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Action(String),
    Outcome(String),
    Case(String),
    User(String),
    Actor(String),
    Involving(String),
    Since(Timestamp),
    Until(Timestamp),
}

impl Asked {
    /// Reads the text; nothing if it has a word that no filter has.
    pub fn parse(text: &str) -> Option<Self> {
        let words = match text {
            EVERYTHING => Vec::new(),
            words => words.split(' ').map(Word::parse).collect::<Option<_>>()?,
        };
        Some(Self { text: text.to_owned(), words })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether an entry with this header is asked for: the same answer as the database's.
    pub fn matches<T: AsRef<str>>(&self, header: &Header<T>) -> bool {
        self.words.iter().all(|word| word.matches(header))
    }
}

impl From<&Filter> for Asked {
    fn from(filter: &Filter) -> Self {
        Self::parse(&filter.to_sentence()).expect("a filter's own words are words of a filter")
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Word {
    fn parse(word: &str) -> Option<Self> {
        let (name, value) = word.split_once('=')?;
        let text = || value.to_owned();
        // One spelling for one moment.
        let time = || value.parse::<Timestamp>().ok().filter(|time| time.to_string() == value);
        Some(match name {
            "action" => Self::Action(text()),
            "outcome" => Self::Outcome(text()),
            "case" => Self::Case(text()),
            "user" => Self::User(text()),
            "actor" => Self::Actor(text()),
            "involving" => Self::Involving(text()),
            "since" => Self::Since(time()?),
            "until" => Self::Until(time()?),
            _ => return None,
        })
    }

    fn matches<T: AsRef<str>>(&self, header: &Header<T>) -> bool {
        let is = |field: &Option<T>, text: &String| field.as_ref().is_some_and(|field| field.as_ref() == text);
        match self {
            Self::Action(text) => header.action.as_ref() == text,
            Self::Outcome(text) => header.outcome.as_ref() == text,
            Self::Case(text) => is(&header.case, text),
            Self::User(id) => is(&header.target_id, id),
            Self::Actor(kind) if ["anonymous", "system", "host"].contains(&kind.as_str()) => {
                header.actor_kind.as_ref() == kind
            }
            Self::Actor(id) => is(&header.actor_id, id),
            Self::Involving(id) => is(&header.target_id, id) || is(&header.actor_id, id),
            Self::Since(time) => header.at >= *time,
            Self::Until(time) => header.at < *time,
        }
    }
}

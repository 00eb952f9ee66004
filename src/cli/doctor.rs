//! `idp doctor`.
//!
//! One line a finding: `ok`, `warning` or `problem`, with what to do. It changes nothing.

mod folder;
mod inside;
mod mail;
mod reach;
mod streams;

use std::fmt;

use super::outcome::{Answer, Failure, on_one_line, say};
use super::{settings, version};
use crate::actions::data_folder::find_database;
use crate::config::{Flags, Place};
use crate::time::Clock;

const EXAMPLES: &str = "\
From cron, so that a message is sent only when something needs a person:
  idp doctor --data /var/lib/idp | grep -v '^ok'

Give it the account, the variables and the --config of the server: it judges the settings that it reads itself.";

/// Looks at everything that has to be right, and says what to do where it is not.
///
/// One line a finding: ok, warning or problem. Exit code 0 without a problem, 1 with one, 2 when there is nothing to
/// look at. It works beside a running server, reads the whole audit trail, talks to the mail server and to who receives
/// the trail where they are set, and changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Doctor {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Ok,
    Warning,
    Problem,
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    mark: Mark,
    text: String,
}

impl Finding {
    fn ok(text: impl Into<String>) -> Self {
        Self { mark: Mark::Ok, text: text.into() }
    }

    /// Nothing is broken, but something may soon be, or is less safe than it could be.
    fn warning(text: impl Into<String>) -> Self {
        Self { mark: Mark::Warning, text: text.into() }
    }

    fn problem(text: impl Into<String>) -> Self {
        Self { mark: Mark::Problem, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.mark {
            Mark::Ok => "ok",
            Mark::Warning => "warning",
            Mark::Problem => "problem",
        };
        write!(f, "{word:9}{}", self.text)
    }
}

impl Doctor {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let place = &settings::data_folder(&self.place)?;
        let now = Clock::System.now();
        let database = find_database(place).map_err(Failure::to("look at the data folder"))?;
        let with = Place { data: Some(place.clone()), config: self.place.config };
        let config = settings::read(&Flags { place: with, ..Flags::default() });
        let mails = config.as_ref().is_ok_and(|config| config.mail.is_some());
        let mut findings = vec![Finding::ok(format!("this is idp {}", version::text()))];
        findings.extend(folder::look(place));
        findings.extend(inside::look(place, &database, mails, now));
        match config {
            Ok(config) => {
                findings.extend(reach::look(place, &config));
                findings.push(mail::look(&config));
                findings.extend(streams::look(&config, &database));
            }
            Err(e) => {
                let why = on_one_line(&e.to_string());
                findings.push(Finding::problem(format!("idp serve would not start: {why}")));
            }
        }
        for finding in &findings {
            say(&finding.to_string())?;
        }
        let wrong = findings.iter().any(|finding| finding.mark == Mark::Problem);
        Ok(if wrong { Answer::No } else { Answer::Done })
    }
}

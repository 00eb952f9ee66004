//! `idp config`.

use super::outcome::{Answer, Failure, say};
use crate::config::{Place, reference};

/// Lists the settings.
#[derive(Debug, clap::Subcommand)]
pub enum Config {
    /// Prints every setting with its flag, variable, default and what it is for, as a table in Markdown.
    Reference(Place),
}

impl Config {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let Self::Reference(_) = self;
        reference().lines().try_for_each(say)?;
        Ok(Answer::Done)
    }
}

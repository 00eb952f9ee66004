//! `idp audit`: reading the trail from the host.

use super::audit_export::Export;
use super::audit_key::Key;
use super::audit_verify::Verify;
use super::outcome::{Answer, Failure, say};
use crate::audit::Action;
use crate::config::Place;

/// Exports or checks the audit trail.
///
/// The trail is one append-only table in the database. Every entry is bound to the one before it by a hash, so that a
/// change of an entry, or a missing one, is found.
#[derive(Debug, clap::Subcommand)]
pub enum Audit {
    Export(Export),
    Verify(Verify),
    #[command(subcommand)]
    Key(Key),
    /// Lists what an entry can be about, each with a sentence.
    Actions(Place),
}

impl Audit {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        match self {
            Self::Export(command) => command.run(),
            Self::Verify(command) => command.run(),
            Self::Key(command) => command.run(),
            Self::Actions(_) => list_actions(),
        }
    }
}

fn list_actions() -> Result<Answer, Failure> {
    let width = Action::ALL.iter().map(|a| a.as_str().len()).max().unwrap_or(0);
    for action in Action::ALL {
        say(&format!("{:width$}  {}", action.as_str(), action.sentence()))?;
    }
    Ok(Answer::Done)
}

/// Reads an action's name; says which ones are meant when there is none of that name.
pub(super) fn parse_action(text: &str) -> Result<Action, String> {
    text.parse().map_err(|_| {
        let mut near: Vec<_> = Action::ALL.iter().map(|a| (strsim::jaro_winkler(text, a.as_str()), a)).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let near: Vec<_> = near.iter().filter(|(score, _)| *score > 0.7).take(3).map(|(_, a)| a.as_str()).collect();
        match near.is_empty() {
            true => "there is no such action; idp audit actions lists them".into(),
            false => format!("there is no such action; near it: {}; idp audit actions lists all", near.join(", ")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_action_is_answered_with_the_nearest() {
        assert_eq!(parse_action("mfa.factor_admin_reset"), Ok(Action::MfaFactorAdminReset));
        let said = parse_action("mfa.admin_reset").unwrap_err();
        assert!(said.contains("mfa.factor_admin_reset") && said.contains("idp audit actions"), "{said}");
        assert!(!parse_action("zzz").unwrap_err().contains("near it"));
    }
}

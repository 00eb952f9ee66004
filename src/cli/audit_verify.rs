//! `idp audit verify`.

use std::path::PathBuf;

use data_encoding::HEXLOWER;

use super::outcome::{Answer, Failure, say};
use super::settings;
use crate::actions::data_folder::database;
use crate::config::Place;
use crate::storage::backup::{Checked, check};

const EXAMPLES: &str = "\
Check the live database, beside a running server:
  idp audit verify

Check a backup:
  idp audit verify /backups/idp-20261124T021500.000Z.db

The verdict is one of
  INVALID     an entry was changed, removed or put in between, a guard of the table is missing, or the file is damaged;
              the first such entry is named (exit code 1)
  UNANCHORED  consistent in itself; nothing outside this host vouches for it (exit code 0)

The trail is tamper-evident, not tamper-proof: whoever holds this host can rewrite the whole chain, or cut off its end,
and the result is consistent in itself. Keep what this command prints somewhere this host can not rewrite, and compare:
the entry of that number must have that hash for ever.";

/// Checks that no entry of the trail was changed, removed or put in between.
///
/// Reads every entry and computes its hashes again, checks the table's guards and the file's structure, and names the
/// first entry at which something is wrong. It changes nothing, and needs no key.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Verify {
    #[command(flatten)]
    place: Place,
    /// A database to check, such as a backup, instead of the live one.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let path = match self.file {
            Some(file) => file,
            None => database(&settings::data_folder(&self.place)?),
        };
        let checked = check(&path).map_err(Failure::to("tell whether the audit trail is sound"))?;
        for line in verdict(&checked) {
            say(&line)?;
        }
        Ok(if checked.is_good() { Answer::Done } else { Answer::No })
    }
}

fn verdict(checked: &Checked) -> Vec<String> {
    let mut lines = findings(checked);
    if lines.is_empty() {
        lines.push("UNANCHORED: consistent in itself; nothing outside this host vouches for it".into());
    }
    let (head, entries) = (&checked.head, checked.entries);
    let sound = if checked.broken.is_some() { "entries before it that are sound" } else { "entries" };
    lines.push(format!("{sound}: {entries}, lineages: {}", checked.lineages));
    lines.push(format!(
        "newest entry: {} of lineage {} at {}, hash {}",
        head.seq,
        head.lineage,
        head.at,
        HEXLOWER.encode(&head.hash)
    ));
    lines
}

/// Everything that is wrong, the chain first.
pub(super) fn findings(checked: &Checked) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(broken) = &checked.broken {
        let which = checked.broken_header.as_ref().map(|h| format!(" ({} at {})", h.action, h.at));
        lines.push(format!("INVALID: {broken}{}", which.unwrap_or_default()));
    }
    for guard in &checked.missing_guards {
        lines.push(format!(
            "INVALID: the table's guard {guard} is missing or was altered: someone opened the way to edit"
        ));
    }
    for part in &checked.strange {
        lines.push(format!(
            "INVALID: the database's {part} is missing, or is not as this program made it: it may hide what happens from \
             the trail"
        ));
    }
    if let Some(damage) = &checked.damage {
        lines.push(format!("INVALID: the file is damaged: {damage}"));
    }
    lines
}

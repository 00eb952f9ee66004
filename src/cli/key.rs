//! `idp key`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::audit_export::check_target;
use super::outcome::{Answer, Failure, say};
use super::{operator, settings};
use crate::actions::key_export::{open, to_file, to_standard_output};
use crate::config::Place;
use crate::time::Clock;

const EXAMPLES: &str = "\
Onto a stick that is kept away from the backups:
  idp key export --data /var/lib/idp -o /media/stick/seed.key

Into a password manager, by hand:
  idp key export --data /var/lib/idp -o -

Putting it back, on a new host, before a backup is restored:
  install -d -m 700 /var/lib/idp
  install -m 600 /media/stick/seed.key /var/lib/idp/seed.key
  idp restore --data /var/lib/idp idp-20261124T021500.000Z.db

The key is one line of text, the same as in seed.key. Whoever has it and a backup can compute everyone's second factors:
keep the two in different places. Each export is recorded as system.key_exported.";

/// Exports the key that no backup holds.
#[derive(Debug, clap::Subcommand)]
pub enum Key {
    Export(Export),
}

/// Writes a copy of the key that encrypts the secrets of authenticator apps, to be kept away from the backups.
///
/// Do it once: the key does not change. Without it, a restored backup makes everyone enrol a second factor again. idp
/// doctor says whether it was done, and when.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Export {
    #[command(flatten)]
    place: Place,
    /// The new file, readable by this account alone; `-` prints the key instead. What exists is never replaced.
    #[arg(short, long, alias = "out", value_name = "FILE")]
    output: PathBuf,
}

impl Key {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let Self::Export(command) = self;
        command.run()
    }
}

impl Export {
    fn run(self) -> Result<Answer, Failure> {
        let doing = "export the key";
        let to_output = self.output == Path::new("-");
        if !to_output {
            check_target(&self.output, None).map_err(Failure::to(doing))?;
        }
        let (store, key) = open(&settings::data_folder(&self.place)?, Clock::System).map_err(Failure::to(doing))?;
        let source = operator::source();
        if to_output {
            let text = to_standard_output(&store, &key, &source).map_err(Failure::to(doing))?;
            io::stdout().write_all(text.reveal().as_bytes()).map_err(Failure::to(doing))?;
        } else {
            to_file(&store, &key, &source, &self.output).map_err(Failure::to(doing))?;
            say(&format!("{}: keep it away from the backups", self.output.display()))?;
        }
        Ok(Answer::Done)
    }
}

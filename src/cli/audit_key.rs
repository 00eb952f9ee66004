//! `idp audit key`.

use super::outcome::{Answer, Failure, say};
use super::{operator, settings};
use crate::actions::audit_key::{public, rotate};
use crate::actions::data_folder::open_store;
use crate::config::Place;
use crate::time::Clock;

const EXAMPLES: &str = "\
For an auditor, who keeps it and later checks an export with it:
  idp audit key export-public > idp-audit.pub
  idp audit verify resets.jsonl --proof resets.proof --key idp-audit.pub

After the host was in other hands; what is printed is the new public key, for whoever verifies:
  idp audit key rotate > idp-audit.pub

The key signs how far the trail has come. Whoever holds this host holds the key as well: a signature keeps out everybody else,
and an anchor, a checkpoint that is kept elsewhere, also shows what was rewritten on this host.";

/// The key that signs how far the trail has come.
#[derive(Debug, clap::Subcommand)]
#[command(after_long_help = EXAMPLES)]
pub enum Key {
    /// Says which key it is, to be compared by telephone.
    Show(Place),
    /// Writes the public half as one line, in the form that C2SP signed notes have for it.
    ExportPublic(Place),
    /// Replaces the key by a new one, for which the old one signs.
    ///
    /// Checkpoints of earlier entries stay good under the old key; later ones need the new one, which has to be given to
    /// whoever verifies.
    Rotate {
        #[command(flatten)]
        place: Place,
        /// The old key is lost: nobody signs for the new one, and the trail says so.
        #[arg(long)]
        lost: bool,
    },
}

impl Key {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        match self {
            Self::Show(place) => {
                let line = read(&place)?.to_string();
                // Name and id; the key itself is for a file.
                say(line.rsplit_once('+').map_or(line.as_str(), |(known, _)| known))?;
            }
            Self::ExportPublic(place) => say(&read(&place)?.to_string())?,
            Self::Rotate { place, lost } => {
                let doing = "replace the key";
                let folder = settings::data_folder(&place)?;
                let store = open_store(&folder, Clock::System).map_err(Failure::to(doing))?;
                let new = rotate(&folder, &store, &operator::source(), lost).map_err(Failure::to(doing))?;
                say(&new.to_string())?;
            }
        }
        Ok(Answer::Done)
    }
}

fn read(place: &Place) -> Result<crate::audit::note::VerifierKey, Failure> {
    let doing = "read the key";
    let folder = settings::data_folder(place)?;
    let store = open_store(&folder, Clock::System).map_err(Failure::to(doing))?;
    public(&folder, &store).map_err(Failure::to(doing))
}

//! `idp backup`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use data_encoding::HEXLOWER;

use super::audit_proof::{note_printed, sign_if_possible};
use super::outcome::{Answer, Failure, say};
use super::{operator, settings};
use crate::actions::backup::{self, BackupError};
use crate::actions::checkpoint::Occasion;
use crate::actions::data_folder::open_trail;
use crate::config::Place;
use crate::time::Clock;

const EXAMPLES: &str = "\
Every night from cron, two weeks kept:
  15 2 * * *  idp backup --data /var/lib/idp /backups --keep 14

Always to the same file:
  idp backup /mnt/usb/idp.db

The keys are in no backup. Export seed.key once (idp key export), to another place than the backups: whoever has both can
compute everyone's second factors, and without it everyone has to enrol again. audit-signing.key can be replaced.

What is printed has the hash of the newest entry in the copy and ends with an anchor: how far the audit trail has come,
signed. Kept where this host can not change it, such as the mailbox that cron writes to, it shows later whether the trail
up to there was changed: idp audit verify --anchor FILE.";

/// Writes a consistent, checked copy of the live database.
///
/// The copy is made in one step beside a running server, synced, and checked (structure and audit chain) before it gets
/// its name: there is never a half backup, and a run that fails leaves the earlier ones as they were. It is readable by
/// this account alone. The output is one line: file, entries, number and hash of the newest entry, and an anchor.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Backup {
    #[command(flatten)]
    place: Place,
    /// An existing folder, which gets one file a run with a name that sorts by time, or a file, which is replaced if it
    /// is an earlier backup.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// In a folder: how many backups stay, the new one included; older ones are deleted once it is in place.
    #[arg(long, value_name = "N")]
    keep: Option<NonZeroU32>,
}

impl Backup {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let doing = "back up";
        if self.keep.is_some() && !self.path.is_dir() {
            let why = format!(
                "--keep counts the backups in a folder, and {} is none: make it first, for the account that backs up alone",
                self.path.display()
            );
            return Err(Failure::to(doing)(why));
        }
        let store = open_trail(&settings::data_folder(&self.place)?, Clock::System).map_err(Failure::to(doing))?;
        let made = backup::create(&store, &operator::source(), &self.path, self.keep, Clock::System.now());
        let made = made.map_err(|e| {
            let not_sound = matches!(e, BackupError::NotSound(_));
            let failure = Failure::to(doing)(e);
            if not_sound { failure.with_answer_no() } else { failure }
        })?;
        let checkpoint = sign_if_possible(&store, Occasion::Backup);
        let head = &made.head;
        let hash = HEXLOWER.encode(&head.hash);
        let anchor = checkpoint.as_ref().map(|c| format!(", anchor {}", c.in_one_line())).unwrap_or_default();
        say(&format!("{}: {} entries, head {} {hash}{anchor}", made.path.display(), head.seq, head.seq))?;
        if let Some(checkpoint) = checkpoint {
            note_printed(&store, &checkpoint, "idp backup");
        }
        Ok(Answer::Done)
    }
}

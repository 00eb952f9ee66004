//! `idp restore`.

use std::path::PathBuf;

use super::Place;
use super::operator;
use super::outcome::{Answer, Failure, say};
use crate::actions::restore::{RestoreError, Restored, restore};
use crate::time::Clock;

const EXAMPLES: &str = "\
On the same host, with the server stopped:
  idp restore /backups/idp-20261124T021500.000Z.db

On a new host: put seed.key back first, then restore into the folder:
  install -d -m 700 /var/lib/idp
  install -m 600 /safe/seed.key /var/lib/idp/
  idp restore --data /var/lib/idp idp-20261124T021500.000Z.db

Without the seed key the secrets of all authenticator apps are lost:
  idp restore --without-factors idp-20261124T021500.000Z.db
  idp recover-owner owner@fernhill.example --reason 'restored without the key'
The owner then resets everyone else from the console.";

/// Puts a backup in place of the database. The server must be stopped.
///
/// The backup is checked first (structure and audit chain). Then a new lineage of the audit trail begins, and nothing
/// that was made before it lets anyone in: all sessions, remembered devices, backup codes, links, passes and temporary
/// passwords are void. Passwords and authenticator apps stay. The database that was there is kept beside the new one as
/// idp.db.replaced-TIME. What was decided after the backup (who was disabled, demoted or reset) is not in it: look at
/// the list of people before you start the server.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Restore {
    #[command(flatten)]
    place: Place,
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Remove everyone's authenticator apps: for when the seed key is lost. A new one is made if there is none.
    #[arg(long)]
    without_factors: bool,
}

impl Restore {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let now = Clock::System.now();
        let done = restore(&self.place.data, &self.file, self.without_factors, &operator::source(), now);
        let done = done.map_err(|e| {
            let not_sound = matches!(e, RestoreError::NotSound(_));
            let failure = Failure::to("restore, and nothing was changed")(e);
            if not_sound { failure.with_answer_no() } else { failure }
        })?;
        for line in lines(&done) {
            say(&line)?;
        }
        Ok(Answer::Done)
    }
}

fn lines(done: &Restored) -> Vec<String> {
    let v = &done.voided;
    let mut lines = vec![
        format!("restored up to entry {} of {}", done.backup.seq, done.backup.at),
        format!("lost: {}", done.lost.sentence(&done.backup)),
        format!(
            "void: {} sessions, {} devices, {} backup codes, {} links, {} enrolment windows, {} temporary passwords, {} \
             waiting cases",
            v.sessions, v.devices, v.codes, v.links, v.windows, v.temporary_passwords, v.cases
        ),
    ];
    if v.factors > 0 {
        lines.push(format!("removed: the second factors of {} people, who enrol again", v.factors));
    }
    lines.extend(
        done.new_keys.iter().map(|name| format!("made: {name}, because there was none; keep a copy elsewhere")),
    );
    lines.extend(done.replaced.iter().map(|path| format!("kept: the replaced database, as {}", path.display())));
    lines.push(format!("new lineage {} begins with entry {}", done.head.lineage, done.backup.seq + 1));
    lines
}

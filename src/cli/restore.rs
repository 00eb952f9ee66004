//! `idp restore`.

use std::path::PathBuf;

use super::audit_proof::sign_if_possible;
use super::outcome::{Answer, Failure, say};
use super::{operator, settings};
use crate::actions::checkpoint::Occasion;
use crate::actions::data_folder::open_trail;
use crate::actions::restore::{RestoreError, Restored, restore};
use crate::audit::event::Decision;
use crate::audit::{PolicyChange, PolicyStep};
use crate::config::Place;
use crate::storage::carry::Forgotten;
use crate::storage::restore::Begun;
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
/// idp.db.replaced-TIME.
///
/// What was decided since the backup is read from the database that was there and stays decided: who was disabled, who
/// was given a lesser role, which factors were removed, who has another password, which rule was made tighter. People
/// added, promoted or enabled since are named, so that you can do it again. Where that database is absent, damaged, or did
/// not go on from this backup, nobody but owners can sign in until an owner has confirmed the list of people in the
/// console.
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
        let folder = settings::data_folder(&self.place)?;
        let done = restore(&folder, &self.file, self.without_factors, &operator::source(), now);
        let done = done.map_err(|e| {
            let not_sound = matches!(e, RestoreError::NotSound(_));
            let failure = Failure::to("restore, and nothing was changed")(e);
            if not_sound { failure.with_answer_no() } else { failure }
        })?;
        for line in lines(&done) {
            say(&line)?;
        }
        let store = open_trail(&folder, Clock::System).map_err(Failure::to("open what was restored"))?;
        sign_if_possible(&store, Occasion::Restore);
        Ok(Answer::Done)
    }
}

fn lines(done: &Restored) -> Vec<String> {
    let begun = &done.begun;
    let v = &begun.voided;
    let mut lines = vec![
        format!("restored up to entry {} of {}", done.backup.seq, done.backup.at),
        format!("lost: {}", begun.lost),
    ];
    lines.extend(begun.carried.kept.iter().map(|(who, what, _)| format!("kept: {}: {}", who.name, decided(what))));
    if begun.carried.contacts > 0 {
        lines.push(format!("kept: {} contact details that were removed since stay removed", begun.carried.contacts));
    }
    if begun.carried.portraits > 0 {
        lines.push(format!(
            "kept: {} photos or notes about an ID that were removed since stay removed",
            begun.carried.portraits
        ));
    }
    lines.extend(begun.carried.policy.iter().map(policy));
    lines.extend(begun.carried.forgotten.iter().map(|(who, what)| format!("lost: {}: {}", who.name, forgotten(*what))));
    lines.push(format!(
        "void: {} sessions, {} devices, {} backup codes, {} links, {} enrolment windows, {} temporary passwords, {} \
         waiting cases",
        v.sessions, v.devices, v.codes, v.links, v.windows, v.temporary_passwords, v.cases
    ));
    if v.factors > 0 {
        lines.push(format!("removed: the second factors of {} people, who enrol again", v.factors));
    }
    lines.extend(
        done.new_keys.iter().map(|name| format!("made: {name}, because there was none; keep a copy elsewhere")),
    );
    lines.extend(done.replaced.iter().map(|path| format!("kept: the replaced database, as {}", path.display())));
    lines.push(format!("new lineage {} begins with entry {}", begun.head.lineage, done.backup.seq + 1));
    lines.extend(next_steps(begun));
    lines
}

/// What whoever restores has to see to before the others can sign in.
fn next_steps(begun: &Begun) -> Vec<String> {
    let mut lines = Vec::new();
    if !begun.carried.people_confirmed {
        lines.push(
            "waiting: what was decided since the backup is not known for certain, so nobody but owners can sign in \
             until an owner has confirmed the list of people: sign in and follow the notice on top of the page"
                .into(),
        );
    }
    if begun.owners == 0 {
        lines.push("no active owner is left: make one before you start the server: idp user role EMAIL owner".into());
    }
    lines
}

fn decided(decision: &Decision) -> String {
    match decision {
        Decision::ShutOut { state } => format!("{state} since the backup"),
        Decision::Role { from, to } => format!("{to} since the backup, no longer {from}"),
        Decision::Factors { removed } => format!("{removed} second factors were removed since the backup"),
        Decision::Password { newer: true } => "the password chosen since the backup; the older one is void".into(),
        Decision::Password { newer: false } => {
            "the password was changed since the backup, so the older one is void".into()
        }
    }
}

fn policy(change: &PolicyChange) -> String {
    let (label, from, to) = (change.key.label(), change.key.in_words(change.from), change.key.in_words(change.to));
    match change.step {
        PolicyStep::CarriedOver { taken_back: true, .. } => {
            format!("kept: policy, {label}: {to} was taken back since the backup")
        }
        _ => format!("kept: policy, {label}: {to} since the backup, no longer {from}"),
    }
}

fn forgotten(what: Forgotten) -> String {
    match what {
        Forgotten::Added(role) => format!("added since the backup, as {role}: add them again"),
        Forgotten::Raised(role) => format!("became {role} since the backup: give them the role again"),
        Forgotten::Enabled => "enabled since the backup: enable them again".into(),
        Forgotten::Password => "changed the password since the backup; the older one works again: change it".into(),
    }
}

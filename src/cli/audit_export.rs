//! `idp audit export`.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use super::audit::parse_action;
use super::audit_proof::{Planned, remark_anchor, sign_if_possible};
use super::outcome::{Answer, Failure, remark};
use super::{operator, settings};
use crate::actions::checkpoint::Occasion;
use crate::actions::data_folder::open_trail;
use crate::actions::export::{ExportReader, begin};
use crate::audit::export::Format;
use crate::audit::filter::{ActorFilter, Filter};
use crate::audit::{Action, Outcome};
use crate::config::Place;
use crate::host::draft::{self, Draft};
use crate::ids::{CaseNumber, UserId};
use crate::storage::{self, Store, recovery, users};
use crate::time::{Clock, Timestamp};
use crate::users::Email;

const DOING: &str = "export the audit trail";

const EXAMPLES: &str = "\
Every MFA reset by an admin since the summer:
  idp audit export --action mfa.factor_admin_reset --since 2026-06-01

All that concerns one person, for a spreadsheet:
  idp audit export --user mara@fernhill.example --format csv -o mara.csv

The same, with a proof that nothing was changed or left out:
  idp audit export --action mfa.factor_admin_reset -o resets.jsonl --proof resets.proof

Every refused attempt of one admin:
  idp audit export --actor jonas@fernhill.example --outcome denied

An export is itself recorded as audit.exported, before its first line; that entry and later ones are not in it.
A line of JSON carries all that its hash is made of, so that anyone can compute it again. In a spreadsheet, cells that
would be run as a formula begin with an apostrophe.";

/// Writes entries of the trail as JSON Lines, one entry a line, or as CSV.
///
/// All filters must match. Without one, the whole trail is written, oldest entry first.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Export {
    #[command(flatten)]
    place: Place,
    /// Only entries about this; `idp audit actions` lists the names.
    #[arg(long, value_name = "NAME", value_parser = parse_action)]
    action: Option<Action>,
    /// Only entries that concern this person.
    #[arg(long, value_name = "ID|EMAIL")]
    user: Option<Who>,
    /// Only what this person did, or: host, system, anonymous.
    #[arg(long, value_name = "WHO")]
    actor: Option<Doer>,
    /// Only entries that concern this person, or what this person did.
    #[arg(long, value_name = "ID|EMAIL")]
    involving: Option<Who>,
    /// Only what ended so: success, failure or denied.
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<Outcome>,
    /// Only entries of this recovery case, such as R-2026-0042.
    #[arg(long, value_name = "CASE")]
    case: Option<CaseNumber>,
    /// Only entries from this moment on.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only entries before this moment.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// How to write them: jsonl or csv.
    #[arg(long, default_value = "jsonl", value_name = "FORMAT")]
    format: Format,
    /// Write into this file, readable by this account alone, instead of to standard output.
    ///
    /// The file appears under its name when it is whole. One that exists is not touched without --force; a symbolic link
    /// never is.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write a proof into this file: that every exported entry is genuine, and none that matches is left out.
    ///
    /// For `idp audit verify`, or any program that follows the format's page. It holds header and digest of every entry of the
    /// trail, and no bodies of others than those that are exported.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Export and prove only what came after this anchor: a checkpoint that was kept.
    #[arg(long, value_name = "CHECKPOINT", requires = "proof")]
    from_anchor: Option<PathBuf>,
    /// Replace the file given with -o if it exists.
    #[arg(long, requires = "output")]
    force: bool,
}

impl Export {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let folder = settings::data_folder(&self.place)?;
        let store = open_trail(&folder, Clock::System).map_err(Failure::to(DOING))?;
        let filter = self.filter(&store).map_err(Failure::to(DOING))?;
        if let Some(path) = &self.output {
            check_target(path, Some(self.force)).map_err(Failure::to(DOING))?;
        }
        let planned = match &self.proof {
            Some(path) => {
                check_target(path, None).map_err(Failure::to(DOING))?;
                Some(Planned::prepare(&store, path, self.from_anchor.as_deref())?)
            }
            None => None,
        };
        let up_to = begin(&store, &operator::source(), &filter, self.format)
            .map_err(Failure::to("record the export, so nothing was exported"))?;
        let mut found = 0;
        let checkpoint = match planned {
            Some(planned) => Some(planned.write(&store, (filter, self.format, up_to), |export| {
                self.write(export)?;
                found = export.entries();
                Ok(())
            })?),
            None => {
                let mut export = ExportReader::new(Arc::clone(&store), filter, self.format, up_to);
                self.write(&mut export)?;
                found = export.entries();
                sign_if_possible(&store, Occasion::Export)
            }
        };
        if found == 0 {
            // An empty file could as well be one that was not written.
            remark("idp: no entry matches, so none was exported");
        }
        if let Some(checkpoint) = checkpoint {
            remark_anchor(&store, &checkpoint);
        }
        Ok(Answer::Done)
    }

    /// Into the file, or to standard output.
    fn write(&self, export: &mut impl Read) -> Result<(), Failure> {
        match &self.output {
            Some(path) => write_file(export, path, self.force).map_err(Failure::to(DOING)),
            None => write_stdout(export).map_err(Failure::to(DOING)),
        }
    }

    fn filter(&self, store: &Store) -> Result<Filter, Unknown> {
        let actor = match &self.actor {
            None => None,
            Some(Doer::Kind(kind)) => Some(*kind),
            Some(Doer::Person(who)) => Some(ActorFilter::Person(find(store, who)?)),
        };
        if let Some(case) = self.case
            && store.read(|tx| recovery::find(tx, case)).map_err(Unknown::Storage)?.is_none()
        {
            return Err(Unknown::Case(case));
        }
        let filter = Filter {
            action: self.action,
            user: self.user.as_ref().map(|who| find(store, who)).transpose()?,
            actor,
            involving: self.involving.as_ref().map(|who| find(store, who)).transpose()?,
            outcome: self.outcome,
            case: self.case,
            since: self.since,
            until: self.until,
        };
        if filter.is_backwards() { Err(Unknown::Backwards) } else { Ok(filter) }
    }
}

/// A person as typed: an identifier is taken as it is, for the trail may speak of people that the table does not have.
#[derive(Debug, Clone)]
enum Who {
    Id(UserId),
    Email(Email),
}

impl FromStr for Who {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        text.parse().map(Self::Email).map_err(|_| "write a person's identifier or e-mail address")
    }
}

#[derive(Debug, Clone)]
enum Doer {
    Kind(ActorFilter),
    Person(Who),
}

impl FromStr for Doer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::Kind(match text {
            "host" => ActorFilter::Host,
            "system" => ActorFilter::System,
            "anonymous" => ActorFilter::Anonymous,
            person => {
                let who =
                    person.parse().map_err(|_| "write an identifier, an e-mail address, host, system or anonymous")?;
                return Ok(Self::Person(who));
            }
        }))
    }
}

/// Why a filter can not be meant so. "Nothing matches" would read as an answer.
#[derive(Debug)]
enum Unknown {
    Email(Email),
    Case(CaseNumber),
    Backwards,
    Storage(storage::Error),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(email) => {
                write!(f, "nobody has the address {email}: use the person's identifier if the address was changed")
            }
            Self::Case(case) => write!(f, "there is no case {case}: cases are listed in the console under Recovery"),
            Self::Backwards => f.write_str("--since has to be before --until"),
            Self::Storage(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for Unknown {}

fn find(store: &Store, who: &Who) -> Result<UserId, Unknown> {
    match who {
        Who::Id(id) => Ok(*id),
        Who::Email(email) => {
            let found = store.read(|tx| users::find_by_email(tx, email)).map_err(Unknown::Storage)?;
            found.map(|user| user.id).ok_or_else(|| Unknown::Email(email.clone()))
        }
    }
}

/// Before anything is recorded: a file that is in the way is found out now. `force` is what `--force` says, where there
/// is such a flag.
pub(super) fn check_target(path: &Path, force: Option<bool>) -> Result<(), String> {
    let Ok(meta) = path.symlink_metadata() else { return Ok(()) };
    let shown = path.display();
    match () {
        () if meta.file_type().is_symlink() => Err(format!("{shown} is a symbolic link: name the file itself")),
        () if !meta.is_file() => Err(format!("{shown} is no regular file: name another")),
        () => match force {
            Some(true) => Ok(()),
            Some(false) => Err(format!("{shown} exists: name another file, or use --force to replace it")),
            None => Err(format!("{shown} exists: name another file")),
        },
    }
}

fn write_file(reader: &mut impl Read, path: &Path, force: bool) -> Result<(), Box<dyn std::error::Error>> {
    let mut draft = Draft::beside(path)?;
    copy(reader, draft.file())?;
    draft.place(path, if force { draft::Place::Over } else { draft::Place::Free })?;
    Ok(())
}

/// Not through `io::stdout`, which looks for line breaks in all that passes.
fn write_stdout(reader: &mut impl Read) -> io::Result<()> {
    copy(reader, &mut File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Everything, with one buffer.
pub(super) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            count => to.write_all(&buffer[..count])?,
        }
    }
}

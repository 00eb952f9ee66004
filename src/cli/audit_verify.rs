//! `idp audit verify`.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::audit_proof::{read_anchors, read_key};
use super::outcome::{Answer, Failure, say};
use super::settings;
use crate::actions::data_folder::database;
use crate::audit::Action;
use crate::audit::filter::Filter;
use crate::audit::judge::{Finding, Trust, Verdict, judge};
use crate::config::Place;
use crate::host::files;
use crate::storage::audit::{Order, find_entry, list};
use crate::storage::backup::{Checked, check, read_alone};

const DOING: &str = "tell whether the audit trail is sound";

const EXAMPLES: &str = "\
Check the live database, beside a running server:
  idp audit verify

Check a backup, against a checkpoint that came by mail:
  idp audit verify /backups/idp-20261124T021500.000Z.db --anchor mail.txt

Check an export on any machine, without database or network:
  idp audit verify resets.jsonl --proof resets.proof --key idp-audit.pub --anchor mail.txt

The verdict is one of
  INVALID         something was changed, removed or put in between; what, and where (exit code 1)
  INCOMPLETE      entries are missing: which, or from where on (exit code 1)
  DIVERGED        an anchor says otherwise: one of two histories is forged (exit code 1)
  RESTORED        an anchor is of a history that a recorded restore replaced (exit code 1)
  UNANCHORED      consistent in itself; nothing outside the host vouches for it (exit code 0)
  ANCHORED        it agrees with an anchor; entries after that one rest on the host alone (exit code 0)
  COULD NOT TELL  not readable, another kind of file, or an anchor of another instance (exit code 2)

An anchor is a checkpoint that was kept where this host can not rewrite it: a text file in which it stands, whatever else
stands there. An entry whose details were erased, as owners have set it, is sound where the trail itself records that. The trail is tamper-evident, not tamper-proof: whoever holds the host can rewrite what no anchor has seen, and
can write entries that are not true.";

/// Checks that no entry of the trail was changed, removed or put in between.
///
/// With --proof it judges an export, from the files alone. Without, it reads every entry of a database and computes its
/// hashes again, checks the table's guards and the file's structure, and names the first entry at which something is wrong. It
/// changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Verify {
    #[command(flatten)]
    place: Place,
    /// With --proof an export; otherwise a database to check, such as a backup, instead of the live one.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The proof that was written with the export.
    #[arg(long, value_name = "FILE", requires = "file")]
    proof: Option<PathBuf>,
    /// A file with the instance's public key; can be given more than once.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// A file with one or more checkpoints that were kept elsewhere; can be given more than once.
    #[arg(long, value_name = "FILE")]
    anchor: Vec<PathBuf>,
    /// Print the verdict as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What is printed, as lines or as an object.
struct Said {
    finding: Finding,
    lines: Vec<String>,
    facts: Value,
}

impl Verify {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        // Also what can not be told is a verdict.
        let said = self.said().or_else(|e| {
            let finding = Finding::Unclear(e.to_string());
            let lines = vec![headline(&finding)];
            let facts = json!({ "verdict": finding.word(), "says": lines[0] });
            self.print(&Said { finding, lines, facts })?;
            Err(e)
        })?;
        self.print(&said)?;
        match said.finding {
            Finding::Unclear(why) => Err(Failure::to(DOING)(why)),
            finding if finding.is_bad() => Ok(Answer::No),
            _ => Ok(Answer::Done),
        }
    }

    fn said(&self) -> Result<Said, Failure> {
        let mut trust = Trust::default();
        for path in &self.key {
            trust.keys.push(read_key(path)?);
        }
        for path in &self.anchor {
            if self.is_judged(path) {
                let why = format!(
                    "{} is one of the files that are checked, and nothing vouches for itself: an anchor is what was kept \
                     elsewhere",
                    path.display()
                );
                return Err(Failure::to("read the anchor")(why));
            }
            trust.anchors.extend(read_anchors(path)?);
        }
        match (&self.proof, &self.file) {
            (Some(proof), Some(export)) => Ok(of_export(&judge_files(export, proof, &trust)?)),
            (_, Some(file)) if !is_database(file) => Err(Failure::to(DOING)(format!(
                "{} is not a usable database of this program. If it is an export, name its proof as well: --proof FILE. A backup that \
                 begins like this is damaged: check another one",
                file.display()
            ))),
            (_, Some(file)) => of_database(file, &trust),
            (_, None) => of_database(&database(&settings::data_folder(&self.place)?), &trust),
        }
    }

    /// Whether a file is one of those that are checked. A copy of it is not told apart.
    fn is_judged(&self, anchor: &Path) -> bool {
        let real = |path: &Path| path.canonicalize().ok();
        let judged = [&self.proof, &self.file].into_iter().flatten().filter_map(|path| real(path));
        real(anchor).is_some_and(|anchor| judged.into_iter().any(|path| path == anchor))
    }

    fn print(&self, said: &Said) -> Result<(), Failure> {
        if self.json {
            say(&said.facts.to_string())?;
        } else {
            said.lines.iter().try_for_each(|line| say(line))?;
        }
        Ok(())
    }
}

/// Whether it may be one, by its first bytes; what can not be read is for the database to say.
fn is_database(path: &Path) -> bool {
    let mut begin = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    read.map_or_else(|e| e.kind() != ErrorKind::UnexpectedEof, |()| begin == *b"SQLite format 3\0")
}

fn judge_files(export: &Path, proof: &Path, trust: &Trust) -> Result<Verdict, Failure> {
    let open = |path: &Path| {
        let file = File::open(path).map_err(files::failed("read", path)).map_err(Failure::to(DOING))?;
        Ok::<_, Failure>(BufReader::with_capacity(256 * 1024, file))
    };
    judge(open(export)?, open(proof)?, trust).map_err(Failure::to(DOING))
}

/// The verdict's first line.
fn headline(finding: &Finding) -> String {
    let word = finding.word();
    match finding {
        Finding::Invalid(what)
        | Finding::Diverged(what)
        | Finding::Restored(what)
        | Finding::Incomplete(what)
        | Finding::Unclear(what) => format!("{word}: {what}"),
        Finding::Unanchored => format!("{word}: consistent in itself; nothing outside this host vouches for it"),
        Finding::Anchored(point) => format!(
            "{word} to entry {} at {}: up to there it is what it was when that checkpoint was made",
            point.seq, point.at
        ),
    }
}

fn of_export(verdict: &Verdict) -> Said {
    let finding = verdict.finding.clone();
    let mut lines = vec![headline(&finding)];
    let mut facts = json!({ "verdict": finding.word(), "says": lines[0] });
    if let Some(about) = &verdict.about {
        let filter = about.filter.to_string();
        lines.push(format!(
            "filter: {filter}; range: entries {} to {} of instance {}; format: {}",
            about.from,
            about.through,
            about.origin,
            about.export.as_str()
        ));
        facts["filter"] = filter.into();
        facts["from"] = about.from.into();
        facts["through"] = about.through.into();
        facts["instance"] = about.origin.clone().into();
    }
    if finding.is_bad() || matches!(finding, Finding::Unclear(_)) {
        return Said { finding, lines, facts };
    }
    facts["entries"] = verdict.entries.into();
    facts["signed"] = verdict.signed.into();
    lines.push(format!("entries: {}: each is genuine, and none that matches the filter is missing", verdict.entries));
    if verdict.erased > 0 {
        facts["erased"] = verdict.erased.into();
        lines.push(format!("erased: what {} of them said; the trail records it", verdict.erased));
    }
    if let Some(checkpoint) = &verdict.checkpoint {
        let (last, signed) = (checkpoint.seq, verdict.signed == Some(true));
        facts["last"] = last.into();
        let by = match signed {
            true => "signed with the key that was given: only who holds that key can have made it",
            false => "nobody's word was asked for that: name the instance's public key with --key",
        };
        match &finding {
            Finding::Anchored(point) if point.seq >= last => {}
            Finding::Anchored(point) => {
                lines.push(format!("entries {} to {last} are later than the anchor: {by}", point.seq + 1))
            }
            _ => lines.push(format!("up to entry {last}: {by}")),
        }
    }
    if let Finding::Anchored(point) = &finding {
        facts["anchored_to"] = point.seq.into();
        facts["anchored_at"] = point.at.to_string().into();
    }
    Said { finding, lines, facts }
}

fn of_database(path: &Path, trust: &Trust) -> Result<Said, Failure> {
    let checked = check(path).map_err(Failure::to(DOING))?;
    let wrong = findings(&checked);
    let finding = match wrong.first() {
        Some(first) => Finding::Invalid(first.trim_start_matches("INVALID: ").to_owned()),
        None => compare(path, &checked, trust)?,
    };
    let mut lines = if wrong.is_empty() { vec![headline(&finding)] } else { wrong };
    let mut facts = json!({ "verdict": finding.word(), "says": lines[0] });
    let (head, entries) = (&checked.head, checked.entries);
    let sound = if checked.broken.is_some() { "entries before it that are sound" } else { "entries" };
    let hash = HEXLOWER.encode(&head.hash);
    lines.push(format!("{sound}: {entries}, lineages: {}", checked.lineages));
    if checked.erased > 0 {
        lines.push(format!(
            "erased: what entries up to {} said, but for kinds that are always kept; the trail records it",
            checked.erased
        ));
        facts["erased_up_to"] = checked.erased.into();
    }
    lines.push(format!("newest entry: {} of lineage {} at {}, hash {hash}", head.seq, head.lineage, head.at));
    facts["instance"] = checked.instance.origin.clone().into();
    facts["entries"] = entries.into();
    facts["last"] = head.seq.into();
    facts["hash"] = hash.into();
    if let Finding::Anchored(point) = &finding {
        facts["anchored_to"] = point.seq.into();
        facts["anchored_at"] = point.at.to_string().into();
    }
    Ok(Said { finding, lines, facts })
}

/// A sound table, beside what was kept elsewhere.
fn compare(path: &Path, checked: &Checked, trust: &Trust) -> Result<Finding, Failure> {
    if trust.anchors.is_empty() {
        return Ok(Finding::Unanchored);
    }
    let found = read_alone(path, |tx| {
        let restored = Filter { action: Some(Action::SystemRestored), ..Filter::default() };
        let restores: Vec<_> =
            list(tx, &restored, Order::OldestFirst, None, 1_000)?.into_iter().map(|e| e.header).collect();
        trust.of_table(&checked.instance.origin, &restores, checked.head.seq, |seq| {
            Ok(find_entry(tx, seq)?.map(|entry| entry.hash))
        })
    });
    found.map_err(Failure::to(DOING))
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

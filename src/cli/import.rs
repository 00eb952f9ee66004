//! `idp user import`.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use super::outcome::{Answer, Failure, remark, say};
use super::user::{means, public_url};
use super::{mailing, operator};
use crate::actions::authorise::By;
use crate::actions::import::{BadLines, Imported, import, preview};
use crate::config::Place;
use crate::grants::Asker;
use crate::import::{Line, decode, read};
use crate::pages::words::{count, people};
use crate::policy;

pub(super) const EXAMPLE: &str = "\
Example:
  idp user import people.csv --dry-run

The first line names the columns: email,name,role. Commas, semicolons and tabs are understood; without a role someone \
is a member. Nobody is added while a line is bad, unless --skip-bad-lines is given; all are added in one transaction. Each \
line of the output is an address, a space and that person's link, good for 72 hours. It is shown only once.";

/// `idp user import`
#[derive(Debug, clap::Args)]
pub struct Import {
    #[command(flatten)]
    place: Place,
    /// The list, in UTF-8; - for standard input.
    file: PathBuf,
    /// Says what would happen and adds nobody.
    #[arg(long)]
    dry_run: bool,
    /// Leaves bad lines out, naming them on standard error, and adds the others.
    #[arg(long)]
    skip_bad_lines: bool,
    /// Mails each link to its person too, where a mail server is set.
    #[arg(long)]
    mail: bool,
    /// How the links begin, where no server is running and idp.toml does not say it.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

impl Import {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let doing = "import people";
        let bytes = self.bytes().map_err(|e| Failure::to(doing)(format!("{}: {e}", self.file.display())))?;
        let lines = decode(&bytes).map_err(|e| e.to_string()).and_then(read).map_err(Failure::to(doing))?;
        let url = public_url(&self.place, self.public_url)?;
        let means = means(&self.place, doing)?;
        if self.dry_run {
            let lines = preview(&means, Asker::Host, lines).map_err(Failure::to(doing))?;
            return tell(&lines, self.skip_bad_lines);
        }
        let bad = if self.skip_bad_lines { BadLines::LeaveOut } else { BadLines::Stop };
        let way = mailing::way(&self.place, &means, self.mail, doing)?;
        let done = import(&means, By::Host, lines, bad, way.clone(), None, operator::source());
        match done.map_err(Failure::to(doing))? {
            Imported::Done { joined, left_out } => {
                left_out.iter().for_each(|line| remark(&words(line)));
                for j in joined {
                    let link = url.link(&j.invitation.path());
                    say(&format!("{} {link}", j.person.email))?;
                }
                mailing::tell(&way, "each link goes to its person");
                Ok(Answer::Done)
            }
            Imported::Refused(lines) => {
                // What stands against a line in the database belongs beside what is wrong in others.
                let lines = preview(&means, Asker::Host, lines).map_err(Failure::to(doing))?;
                lines.iter().filter(|line| !line.is_good()).for_each(|line| remark(&words(line)));
                Err(Failure::to(doing)("nobody was added: mend these lines, or give --skip-bad-lines").with_answer_no())
            }
        }
    }

    /// At most one byte more than is taken.
    fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let most = policy::IMPORT_BYTES as u64 + 1;
        if self.file.as_os_str() == "-" {
            io::stdin().lock().take(most).read_to_end(&mut bytes)?;
        } else {
            File::open(&self.file)?.take(most).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }
}

/// The answer of a dry run: every bad line, and how many people would be added.
fn tell(lines: &[Line], skip: bool) -> Result<Answer, Failure> {
    let bad: Vec<&Line> = lines.iter().filter(|line| !line.is_good()).collect();
    for line in &bad {
        say(&words(line))?;
    }
    let good = lines.len() - bad.len();
    let would = if bad.is_empty() || (skip && good > 0) { good } else { 0 };
    say(&format!("{} would be added, {} to mend", people(would as u64), count(bad.len() as u64, "line")))?;
    Ok(if bad.is_empty() || would > 0 { Answer::Done } else { Answer::No })
}

fn words(line: &Line) -> String {
    let faults = line.person.as_ref().err().map(|faults| faults.join(" ")).unwrap_or_default();
    format!("line {}: {}: {faults}", line.number, line.text)
}

//! `idp man` and `idp completions`: made of the command line itself, so that they can not say anything else.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use super::CommandLine;
use super::outcome::{Answer, Failure};
use crate::config::Place;

const MAN_EXAMPLES: &str = "\
Read it:
  idp man | man -l -

Install it, with a page for each command, so that man idp and man idp-serve work:
  mkdir -p /usr/local/share/man/man1 && idp man -o /usr/local/share/man/man1";

const SHELL_EXAMPLES: &str = "\
For one account:
  idp completions bash > ~/.local/share/bash-completion/completions/idp
  idp completions fish > ~/.config/fish/completions/idp.fish
  idp completions zsh > \"${fpath[1]}/_idp\"";

/// Prints the man page, or writes one page a command into a folder.
#[derive(Debug, clap::Args)]
#[command(after_long_help = MAN_EXAMPLES)]
pub struct Man {
    #[command(flatten)]
    place: Place,
    /// An existing folder that gets idp.1, idp-serve.1 and so on, in place of earlier ones.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Prints a script with which a shell completes commands and options.
#[derive(Debug, clap::Args)]
#[command(after_long_help = SHELL_EXAMPLES)]
pub struct Completions {
    #[command(flatten)]
    place: Place,
    /// For which shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

fn command() -> clap::Command {
    // Each command has its own help; pages about "help" would only repeat them.
    CommandLine::command().disable_help_subcommand(true)
}

impl Man {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        // Taken so that a script can give it to every command; the page is the same wherever the data is.
        drop(self.place);
        let doing = "write the man page";
        match self.output {
            Some(folder) => clap_mangen::generate_to(command(), folder).map_err(Failure::to(doing))?,
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(command()).render(&mut page).map_err(Failure::to(doing))?;
                io::stdout().write_all(&page).map_err(Failure::to(doing))?;
            }
        }
        Ok(Answer::Done)
    }
}

impl Completions {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        drop(self.place);
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command(), "idp", &mut script);
        io::stdout().write_all(&script).map_err(Failure::to("write the completions"))?;
        Ok(Answer::Done)
    }
}

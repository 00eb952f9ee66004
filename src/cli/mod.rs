//! The command line: one file a subcommand, each from raw flags to a checked plan to an errand of `actions/`.
//!
//! Architecture invariant: a command says what it has to say on standard output, what went wrong in one line on standard
//! error, and answers with its exit code: 0 done, 1 the answer is no, 2 could not tell or wrong usage. A reader that
//! goes away (`| head`) is no error.

mod audit;
mod audit_export;
mod audit_key;
mod audit_proof;
mod audit_verify;
mod backup;
mod config;
mod demo;
mod doctor;
mod import;
mod key;
mod log;
mod mailing;
mod manual;
mod operator;
mod outcome;
mod recover_owner;
mod recovery;
mod restore;
mod serve;
mod settings;
mod user;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use outcome::{Answer, Failure};

const ABOUT: &str = "\
An identity provider for small organisations: one executable, one SQLite file.

People sign in with a password and a second factor. A person who lost their phone gets back in quickly, nobody else \
gets in instead of them, and an auditor can prove later what was done.

All commands but restore work beside a running server. Times are UTC, written as 2026-11-24 or 2026-11-24T09:30:00Z.";

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the answer is no: a broken chain, a failed check
  2  could not tell, or wrong usage

Files of the data folder:
  idp.db              everything but the keys
  seed.key            encrypts the secrets of authenticator apps; it is in no backup: idp key export
  audit-signing.key   signs checkpoints of the audit trail; can be replaced
  idp.lock            held by a running server
  idp-before-schema-… the database before a newer version changed its layout; yours to delete";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "idp", version = version::text(), about = ABOUT, after_long_help = EXIT_CODES)]
#[command(arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// What to do. The commands' own files say what each is for, and clap takes its help from there.
#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(Box<serve::Serve>),
    Demo(demo::Demo),
    #[command(subcommand)]
    User(user::Users),
    RecoverOwner(recover_owner::RecoverOwner),
    #[command(subcommand)]
    Recovery(recovery::Recovery),
    #[command(subcommand)]
    Audit(audit::Audit),
    #[command(subcommand)]
    Key(key::Key),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Config(config::Config),
    Man(manual::Man),
    Completions(manual::Completions),
    Version(version::Version),
}

impl Command {
    /// Carries it out.
    ///
    /// # Errors
    /// Why it could not be told whether the answer is yes or no, or why nothing was done.
    pub fn run(self) -> Result<Answer, Failure> {
        let ran = match self {
            Self::Serve(command) => command.run(),
            Self::Demo(command) => command.run(),
            Self::User(command) => command.run(),
            Self::RecoverOwner(command) => command.run(),
            Self::Recovery(command) => command.run(),
            Self::Audit(command) => command.run(),
            Self::Key(command) => command.run(),
            Self::Backup(command) => command.run(),
            Self::Restore(command) => command.run(),
            Self::Doctor(command) => command.run(),
            Self::Config(command) => command.run(),
            Self::Man(command) => command.run(),
            Self::Completions(command) => command.run(),
            Self::Version(command) => command.run(),
        };
        match ran {
            Err(failure) if failure.is_reader_gone() => Ok(Answer::Done),
            ran => ran,
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// What is wrong with it, or the help or version that was asked for: hand it to [`explain`].
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    CommandLine::try_parse_from(args).map(|line| line.command)
}

/// Shows help or version on standard output (code 0), wrong usage on standard error (code 2).
pub fn explain(usage: &clap::Error) -> ExitCode {
    // A reader that went away has seen enough.
    let _ = usage.print();
    ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_command_takes_the_data_folder() {
        let command = CommandLine::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands().flat_map(|c| std::iter::once(c).chain(c.get_subcommands())) {
            let leaf = sub.get_subcommands().next().is_none();
            let data = sub.get_arguments().any(|a| a.get_id() == "data");
            assert!(!leaf || data, "{} lacks --data", sub.get_name());
            assert!(sub.get_about().is_some(), "{} lacks its sentence", sub.get_name());
        }
    }
}

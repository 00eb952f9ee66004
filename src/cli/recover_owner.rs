//! `idp recover-owner`.

use super::operator;
use super::outcome::{Answer, Failure, say};
use super::user::{find, means, public_url};
use crate::actions::Error;
use crate::actions::grants::Granted;
use crate::actions::recover::break_glass;
use crate::audit::Reason;
use crate::config::Place;
use crate::recovery::{Evidence, Statement};

/// Recovers an owner who has lost every factor: the last resort, for whoever holds the host.
///
/// Removes every factor, voids backup codes, ends sessions, and prints a one-time pass. With it and their password the
/// owner enrols a new authenticator app, before the time that is printed with it. Where the policy asks for no pass, the
/// password is enough. The audit trail records it as recovery.break_glass. For anyone but an owner, a reset in the console
/// is the way.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n  idp recover-owner ada@example.org --reason \"phone lost, verified in person\""
)]
pub struct RecoverOwner {
    #[command(flatten)]
    place: Place,
    /// The owner's e-mail address.
    email: String,
    /// Why, as the audit trail records it.
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
}

impl RecoverOwner {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let doing = "recover an owner";
        let url = public_url(&self.place, None)?;
        let means = means(&self.place, doing)?;
        let user = find(&means, &self.email, doing)?;
        let evidence = Evidence::host(means.clock.now());
        let statement = Statement { evidence: Some(evidence), reason: self.reason, ticket: None };
        match break_glass(&means, user.id, statement, operator::source()) {
            Ok(Granted::Yes(reset)) => {
                if let Some(pass) = &reset.pass {
                    say(&format!("Pass:  {}", pass.to_text()))?;
                }
                say(&format!(
                    "{} signs in at {} with e-mail and password, and {} before {} ({}).",
                    user.name,
                    url.link("/sign-in"),
                    if reset.pass.is_some() { "enters it" } else { "sets up a new app" },
                    reset.closes_at.to_seconds_text(),
                    reset.case
                ))?;
                Ok(Answer::Done)
            }
            // Nothing has to permit what the host does.
            Ok(Granted::Waits(waiting)) => {
                Err(Failure::to(doing)(format!("it waits in {}", waiting.case)).with_answer_no())
            }
            Ok(Granted::No(rule)) => Err(Failure::to(doing)(rule.sentence()).with_answer_no()),
            Err(Error::NotFound) => {
                let why = format!("{} is no owner; for anyone else, a reset in the console is the way", user.email);
                Err(Failure::to(doing)(why).with_answer_no())
            }
            Err(e) => Err(Failure::to(doing)(e)),
        }
    }
}

//! Whether the trail goes elsewhere too: the files of the settings, the connection, and how far each receiver is. Nothing is
//! sent to any of them.

use std::path::Path;

use super::Finding;
use crate::app::links;
use crate::cli::outcome::on_one_line;
use crate::config::Config;
use crate::host::link::Link;
use crate::storage::backup::read_alone;
use crate::storage::{self, audit, streams};
use crate::streams::{Receiver, Standing};

pub(super) fn look(config: &Config, database: &Path) -> Vec<Finding> {
    let links = match links(config, &config.public_url_at(config.listen)) {
        Ok(links) => links,
        Err(e) => return vec![Finding::problem(format!("idp serve would not start: {e}"))],
    };
    if links.is_empty() {
        let advice = "set syslog or webhook to have it where nobody who breaks in here can change it";
        return vec![Finding::ok(format!("the audit trail is sent nowhere else: {advice}"))];
    }
    let read = read_alone(database, |tx| Ok::<_, storage::Error>((streams::list(tx)?, audit::get_head(tx)?.seq)));
    // Of an earlier version, which is brought up to date at the next start, nothing was sent yet.
    let (standings, newest) = read.unwrap_or_default();
    let mut findings: Vec<Finding> = Vec::new();
    for link in &links {
        let standing = standings.iter().find(|standing| standing.receiver == link.receiver());
        findings.push(judge(link.as_ref(), standing, newest));
    }
    if let Some(syslog) = config.syslog.as_ref().filter(|syslog| syslog.is_here()) {
        findings.push(Finding::warning(format!(
            "syslog goes to {syslog}, which is this machine: whoever breaks in here can change that log too. Name another \
             machine, or have the log sent on to one"
        )));
    }
    findings
}

fn judge(link: &dyn Link, standing: Option<&Standing>, newest: i64) -> Finding {
    let (receiver, place) = (link.receiver(), link.place());
    let whom = match receiver {
        Receiver::Syslog => "the syslog server",
        Receiver::Webhook => "the webhook",
    };
    let far = match standing {
        Some(standing) if standing.sent_at.is_none() => {
            format!("has nothing yet of what was written after entry {}, of {newest},", standing.sent)
        }
        Some(standing) => format!("has everything up to entry {} of {newest}", standing.sent),
        None => "gets what is written from the next start on".to_owned(),
    };
    let said = format!("{whom} {place} {far}");
    let failing = standing.and_then(|standing| standing.failing.as_ref());
    match (failing, link.check()) {
        (None, Ok(())) => Finding::ok(said),
        (Some(failing), reached) => {
            let (since, why) = (failing.since.to_seconds_text(), on_one_line(&failing.error));
            let now = match reached {
                Ok(()) => "it can be reached now".to_owned(),
                Err(why) => on_one_line(&why),
            };
            Finding::warning(format!("{said} and takes no more since {since} ({why}); at this moment: {now}"))
        }
        (None, Err(why)) => Finding::warning(format!("{said}, and takes none at this moment: {}", on_one_line(&why))),
    }
}

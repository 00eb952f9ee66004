//! The database from inside: keys, soundness, owners, what waits, when it was last backed up.

use std::path::Path;
use std::time::Duration;

use super::Finding;
use crate::actions::data_folder::{DATABASE_FILE, load_keys};
use crate::actions::key_export;
use crate::audit::Action;
use crate::audit::anchor::{Anchor, Way, is_old};
use crate::cli::audit_verify::findings;
use crate::cli::outcome::on_one_line;
use crate::policy::{BACKUP_AGE, CLOCK_SLACK, MAIL_HELD_UP, TRAIL_GAP, TRAIL_WATCHED};
use crate::retention::Next;
use crate::storage::audit::{find_newest, get_head};
use crate::storage::backup::{Checked, check, read_alone};
use crate::storage::{self, ReadTx, anchors, instance, links, outbox, recovery, retention, schema, users};
use crate::time::Timestamp;

/// The server closes a case within its next round; one that has waited longer was forgotten.
const OVERDUE: Duration = Duration::from_secs(5 * 60);
/// The most overdue cases that are counted.
const MOST: u32 = 1_000;

/// One look at what stands in the database.
type Look = fn(&ReadTx<'_>, Timestamp) -> storage::Result<Finding>;

pub(super) fn look(folder: &Path, database: &Path, mails: bool, now: Timestamp) -> Vec<Finding> {
    let checked = check(database);
    // Of an earlier version, it is what is in every version; the rest can be told once it is brought up to date.
    let is_current = checked.as_ref().is_ok_and(|checked| checked.version == schema::VERSION);
    let mut all = soundness(checked);
    let looks: [Look; 5] = [clock, owners, last_backup, key_exported, invitations];
    let current: [Look; 4] = [recoveries, people_confirmed, last_anchor, kept];
    let looks = looks.into_iter().chain(current.into_iter().filter(|_| is_current));
    // Where no mail server is set, nothing is sent, and nothing is wrong with that.
    let looks = looks.chain((is_current && mails).then_some(messages as Look));
    let read = read_alone(database, |tx| {
        let keys = keys(folder, &instance::get(tx)?);
        // What one table hides must not hide what the others say.
        let found = looks.map(|look| look(tx, now).unwrap_or_else(|e| unreadable(&e)));
        Ok(std::iter::once(keys).chain(found).collect::<Vec<_>>())
    });
    all.extend(read.unwrap_or_else(|e| vec![unreadable(&e)]));
    all
}

fn unreadable(e: &storage::Error) -> Finding {
    Finding::problem(format!("a part of the database can not be read: {e}: restore the last good backup"))
}

/// Structure, chain and guards of the database.
fn soundness(checked: storage::Result<Checked>) -> Vec<Finding> {
    let checked = match checked {
        Ok(checked) => checked,
        Err(e) => return vec![Finding::problem(e.to_string())],
    };
    let found = findings(&checked);
    if !found.is_empty() {
        let advice = ": keep a copy of the file as evidence, then restore the last good backup";
        return found.into_iter().map(|said| Finding::problem(format!("{said}{advice}"))).collect();
    }
    let (entries, version) = (checked.entries, checked.version);
    let whole = format!("{DATABASE_FILE} is whole, with schema version {version}");
    let advice = "idp serve makes a copy at its next start and brings it up to date";
    vec![
        match schema::VERSION {
            ours if ours == version => Finding::ok(whole),
            ours => Finding::warning(format!("{whole}, and this program's is {ours}: {advice}")),
        },
        Finding::ok(format!("the audit trail's {entries} entries are consistent, and its guards are in place")),
    ]
}

fn keys(folder: &Path, instance: &instance::Instance) -> Finding {
    match load_keys(folder, instance) {
        Ok(_) => Finding::ok("both keys are there, and seed.key fits the database"),
        Err(e) => Finding::problem(e.to_string()),
    }
}

fn clock(tx: &ReadTx<'_>, now: Timestamp) -> storage::Result<Finding> {
    let newest = get_head(tx)?.at;
    let (clock, at) = (now.to_seconds_text(), newest.to_seconds_text());
    Ok(if newest.since(now) > CLOCK_SLACK {
        Finding::problem(format!(
            "the clock says {clock}, before the newest audit entry of {at}: set the clock, or no code from a phone is right"
        ))
    } else {
        Finding::ok(format!("the clock says {clock}: codes from phones are right while it is within half a minute"))
    })
}

fn owners(tx: &ReadTx<'_>, _: Timestamp) -> storage::Result<Finding> {
    let (all, able) = (users::count_owners(tx, None)?, users::count_able_owners(tx, None)?);
    Ok(match (all, able) {
        // The last active owner can be neither disabled nor demoted: no owner means that none was set up so far.
        (0, _) => Finding::warning("no owner was set up yet: open the link that idp serve prints"),
        (_, 0) => Finding::problem("no owner can sign in: run idp recover-owner EMAIL --reason …"),
        (_, 1) => Finding::warning("one owner can sign in: make a second one, who can help when that one can not"),
        (_, n) => Finding::ok(format!("{n} owners can sign in")),
    })
}

fn people_confirmed(tx: &ReadTx<'_>, _: Timestamp) -> storage::Result<Finding> {
    Ok(if instance::get_people_confirmed(tx)? {
        Finding::ok("nobody waits for an owner to confirm who is here")
    } else {
        Finding::warning(
            "since the restore nobody but owners can sign in: an owner signs in, opens Confirm who is here, which every \
             page of the console offers, and confirms the list",
        )
    })
}

fn last_backup(tx: &ReadTx<'_>, now: Timestamp) -> storage::Result<Finding> {
    let Some(last) = find_newest(tx, Action::BackupCreated)? else {
        return Ok(Finding::warning("there was no backup yet: run idp backup DIR, best every night"));
    };
    let (at, age) = (last.to_seconds_text(), now.since(last));
    let hours = age.as_secs() / 3_600;
    Ok(if last.since(now) > BACKUP_AGE {
        Finding::warning(format!(
            "the last backup says that it was made at {at}, which is yet to come: make one, and look at the clock"
        ))
    } else if age > BACKUP_AGE {
        let days = hours / 24;
        Finding::warning(format!("the last backup was made {days} days ago, at {at}: look at the job that makes them"))
    } else {
        Finding::ok(format!("the last backup was made {hours} hours ago, at {at}"))
    })
}

fn last_anchor(tx: &ReadTx<'_>, now: Timestamp) -> storage::Result<Finding> {
    let anchors = anchors::list(tx)?;
    let other = "set one of them, or keep what idp backup prints on another machine";
    Ok(match anchors.first() {
        None => Finding::warning(format!(
            "nothing outside this host says how far the audit trail has come: where a mail server (for owners and \
             auditors) or syslog is set, the first anchor goes out within a day; otherwise {other}"
        )),
        Some(Anchor { seq, signed_at, .. }) if is_old(*signed_at, now) => Finding::warning(format!(
            "the newest anchor of the audit trail is of entry {seq}, signed at {}: where a mail server (for owners \
             and auditors) or syslog is set, what is said of it below may tell why; otherwise {other}",
            signed_at.to_seconds_text()
        )),
        Some(Anchor { seq, signed_at, way, .. }) => {
            let way = match way {
                Way::Mail => "mailed",
                Way::Syslog => "sent to syslog",
                Way::Printed => "printed: is what prints it kept on another machine?",
            };
            Finding::ok(format!(
                "the newest anchor of the audit trail is of entry {seq}, signed at {}, {way}",
                signed_at.to_seconds_text()
            ))
        }
    })
}

fn kept(tx: &ReadTx<'_>, now: Timestamp) -> storage::Result<Finding> {
    let retention = retention::get(tx, now)?;
    let mut said = match retention.days {
        0 => "the audit trail keeps for ever what entries say".to_owned(),
        days => format!("the audit trail keeps for {days} days what entries say"),
    };
    if let Some(last) = retention.last {
        said.push_str(&format!("; erased up to entry {}, last at {}", retention.erased, last.to_seconds_text()));
    }
    if let Some(hold) = retention.hold.as_ref().filter(|_| retention.held) {
        let (since, by) = (hold.set_at.to_seconds_text(), on_one_line(&hold.set_by));
        said.push_str(&format!("; nothing is erased under the legal hold that {by} set at {since}"));
    }
    Ok(match retention.next(now) {
        Next::Watches => Finding::warning(format!(
            "{said}; nothing is erased now, because of a gap of more than {} days in the trail of the last {}: the server was \
             off, or its clock leapt ahead. Look whether the clock is right",
            TRAIL_GAP.as_secs() / 86_400,
            TRAIL_WATCHED.as_secs() / 86_400
        )),
        _ => Finding::ok(said),
    })
}

fn key_exported(tx: &ReadTx<'_>, _: Timestamp) -> storage::Result<Finding> {
    Ok(match key_export::find_last(tx)? {
        Some(at) => Finding::ok(format!("seed.key was exported at {}", at.to_seconds_text())),
        None => Finding::warning(
            "seed.key was never exported, and no backup holds it: run idp key export -o FILE, to a place away from the \
             backups",
        ),
    })
}

fn invitations(tx: &ReadTx<'_>, now: Timestamp) -> storage::Result<Finding> {
    Ok(match links::count_invited_without(tx, now)? {
        0 => Finding::ok("everyone who was invited has come in, or has a link that works"),
        n => Finding::warning(format!(
            "invited and without a link that still works: {n}. Open People, Invited, and invite them again"
        )),
    })
}

fn recoveries(tx: &ReadTx<'_>, now: Timestamp) -> storage::Result<Finding> {
    let overdue = recovery::list_overdue(tx, now.minus(OVERDUE), MOST)?.len();
    Ok(match overdue {
        0 => Finding::ok("no recovery is overdue"),
        n => Finding::warning(format!(
            "recoveries whose time has passed and that are still open: {n}. Start the server, which closes them; then \
             look under Recovery whom to help again"
        )),
    })
}

fn messages(tx: &ReadTx<'_>, now: Timestamp) -> storage::Result<Finding> {
    let queue = outbox::get_queue(tx, now)?;
    let why = queue.last_error.map(|why| format!("; the last failure: {}", on_one_line(&why))).unwrap_or_default();
    let held_up = queue.waiting_since.is_some_and(|at| now.since(at) > MAIL_HELD_UP);
    let (waiting, given_up) = (queue.waiting, queue.given_up);
    let said = format!("messages that wait to be sent: {waiting}, given up within 30 days: {given_up}{why}");
    Ok(match held_up || given_up > 0 {
        true => Finding::warning(format!("{said}. Open System in the console and send a test message")),
        false => Finding::ok(said),
    })
}

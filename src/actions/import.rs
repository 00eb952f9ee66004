//! Adding many people at once: what would happen, and doing it.
//!
//! Invariant: all lines are added or none is, unless who asks said that the bad ones are to be left out.

use super::administer::{Invitation, Obstacle, Way, admit, obstacle};
use super::authorise::{Admin, By};
use super::nonce::Nonce;
use super::{Means, Result};
use crate::audit::{Event, Record, Source};
use crate::grants::Asker;
use crate::import::Line;
use crate::storage::{Audited, ReadTx};
use crate::time::Timestamp;
use crate::users::{NewPerson, Taken};

/// What to do about lines that can not be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadLines {
    /// Add nobody.
    Stop,
    /// Add the others.
    LeaveOut,
}

/// Someone who was added by an import.
#[derive(Debug, Clone)]
pub struct Joined {
    /// Who.
    pub person: NewPerson,
    /// Their link, to be handed over.
    pub invitation: Invitation,
}

/// How an import came out.
#[derive(Debug, Clone)]
pub enum Imported {
    /// They were added, all in one transaction.
    Done {
        /// Who, in the order of the list.
        joined: Vec<Joined>,
        /// The lines that were left out.
        left_out: Vec<Line>,
    },
    /// Nobody was added: what is wrong stands in the lines.
    Refused(Vec<Line>),
}

/// The lines, each with what stands against it at this moment; changes nothing.
///
/// # Errors
/// Storage.
pub fn preview(means: &Means, asker: Asker<'_>, mut lines: Vec<Line>) -> Result<Vec<Line>> {
    means.store.read(|tx| check(tx, asker, &mut lines, means.clock.now()))?;
    Ok(lines)
}

/// Marks the lines that may not be added; the first such refusal.
fn check(tx: &ReadTx<'_>, asker: Asker<'_>, lines: &mut [Line], now: Timestamp) -> Result<Option<Event>> {
    let mut first = None;
    for line in lines {
        let Ok(person) = &line.person else { continue };
        let Some(obstacle) = obstacle(tx, asker, person, now)? else { continue };
        first.get_or_insert_with(|| obstacle.event());
        line.person = Err(vec![match obstacle {
            Obstacle::Rule(rule) => rule.sentence().to_owned(),
            Obstacle::Taken(user) => match Taken::of(user.status) {
                Taken::ByWhoIsHere => "Someone with this address is here already. Take the line out.",
                Taken::ByWhoLeft => {
                    "Someone who has left for good had this address, and it stays theirs. Write another."
                }
            }
            .to_owned(),
        }]);
    }
    Ok(first)
}

/// Adds the people of a list, with an invitation link each.
///
/// # Errors
/// As [`super::Error`] says; lines that can not be added are a value.
pub fn import(
    means: &Means,
    by: By,
    mut lines: Vec<Line>,
    bad: BadLines,
    way: Way,
    nonce: Option<Nonce>,
    source: Source,
) -> Result<Imported> {
    let enough = move |lines: &[Line]| match bad {
        BadLines::Stop => lines.iter().all(Line::is_good),
        BadLines::LeaveOut => lines.iter().any(Line::is_good),
    };
    if !enough(&lines) {
        return Ok(Imported::Refused(lines));
    }
    means.store.change(move |tx| {
        let admin = Admin::authorise(tx, &by, tx.now())?;
        if let Some(nonce) = &nonce {
            nonce.check(tx)?;
        }
        let refusal = check(tx, admin.asker(), &mut lines, tx.now())?;
        if let Some(event) = refusal.filter(|_| !enough(&lines)) {
            return Ok(Audited::new(Imported::Refused(lines), Record::new(admin.actor(), &source, event)));
        }
        let (mut joined, mut left_out, mut records) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines {
            let Ok(person) = line.person else {
                left_out.push(line);
                continue;
            };
            let (invitation, events) = admit(tx, &person, &way)?;
            records.extend(events.map(|event| Record::new(admin.actor(), &source, event)));
            joined.push(Joined { person, invitation });
        }
        if let Some(nonce) = &nonce {
            let said = match joined.len() {
                1 => "1 person was added. The invitation link was shown once.".to_owned(),
                n => format!("{n} people were added. Their invitation links were shown once."),
            };
            nonce.done(tx, &said, "/admin/users?state=invited")?;
        }
        let mut records = records.into_iter();
        let first = records.next().ok_or(super::Error::NotFound)?;
        Ok(Audited::new(Imported::Done { joined, left_out }, first).and_all(records))
    })
}

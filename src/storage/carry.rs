//! What was decided since a backup was made: read from the database that it replaces, kept in the restored one.
//!
//! Architecture invariant: what is kept takes something away from somebody. The one exception is a newer password, and it
//! is taken only from a database that goes on from the backup, whose chain holds, and whose trail tells of the change.
//! Nobody gets a role, an account or a factor from here.
//!
//! Why a database whose chain is broken is still heard where it takes away: someone who can write that file can disable
//! people by it, which a command on the host undoes; to ignore it would let the people back in who were shut out.

mod policy;
mod records;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::users::parse;
use super::{ReadTx, Result, audit, backup, instance, migrate, schema};
use crate::audit::action::is_about_password;
use crate::audit::event::Decision;
use crate::audit::{Action, Event, Head, Outcome, Person, PolicyChange};
use crate::ids::UserId;
use crate::time::Timestamp;
use crate::users::{Role, Status};

/// How far the replaced database is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// It goes on from the backup's newest entry, and its structure and chain hold.
    Full,
    /// It does not hold, or it went another way than the backup: it may take away.
    Restrictions,
    /// It is older than the backup: nothing was decided in it that the backup does not know.
    Nothing,
}

/// A replaced database of the same instance, as far as it could be read.
#[derive(Debug)]
pub struct Old {
    /// Its newest entry.
    pub head: Head,
    /// How far it is believed.
    pub belief: Belief,
    /// The number of the last entry that it has in common with the backup.
    fork: i64,
    /// Whether it has all of the backup's entries.
    follows: bool,
    people_confirmed: bool,
    people: HashMap<UserId, Line>,
    /// The newest step that each working factor accepted.
    factors: HashMap<String, i64>,
    records: records::Records,
    policy: Option<policy::Set>,
    /// The newest entry after the fork about each person and action.
    told: HashMap<(UserId, String), i64>,
}

/// A person's row, as far as it is compared.
#[derive(Debug)]
struct Line {
    person: Person,
    role: Role,
    status: Status,
    password: Password,
}

#[derive(Debug, PartialEq, Eq)]
struct Password {
    hash: Option<String>,
    must_change: bool,
    expires_at: Option<i64>,
}

/// What was decided since and is not kept: whoever restores must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgotten {
    /// Added since: the person is not in the backup.
    Added(Role),
    /// Promoted since.
    Raised(Role),
    /// Enabled since.
    Enabled,
    /// An owner whose newer password can not be trusted: the one in the backup works again.
    Password,
}

/// What was kept of the replaced database, and what was not.
#[derive(Debug, Default)]
pub struct Carried {
    /// Each decision that was kept, with the number of its entry there.
    pub kept: Vec<(Person, Decision, Option<i64>)>,
    /// What is not.
    pub forgotten: Vec<(Person, Forgotten)>,
    /// Contact details that stay removed.
    pub contacts: u32,
    /// Photos and notes about an ID that stay removed.
    pub portraits: u32,
    /// What owners set, or took back, and stays so.
    pub policy: Vec<PolicyChange>,
    /// Whether everybody may sign in, or people wait until an owner has confirmed them.
    pub people_confirmed: bool,
}

impl Carried {
    /// What was kept, one event a decision.
    pub(super) fn events(&self) -> Vec<Event> {
        let event = |(user, decision, entry): &(Person, Decision, Option<i64>)| Event::CarriedOver {
            user: user.clone(),
            decision: decision.clone(),
            entry: *entry,
        };
        self.kept.iter().map(event).chain(self.policy.iter().cloned().map(Event::PolicyUpdated)).collect()
    }

    /// How many people the backup does not know.
    pub(super) fn added(&self) -> u32 {
        let added = self.forgotten.iter().filter(|(_, what)| matches!(what, Forgotten::Added(_)));
        u32::try_from(added.count()).unwrap_or(u32::MAX)
    }
}

impl Old {
    /// The entries that are lost, as the trail and the command say it.
    pub(super) fn lost(&self) -> String {
        let (first, last, lineage, until) = (self.fork + 1, self.head.seq, &self.head.lineage, self.head.at);
        match last - self.fork {
            ..=0 => "nothing: the replaced database was not newer".into(),
            1 => format!("entry {first} of lineage {lineage}, written at {until}"),
            _ => format!("entries {first} to {last} of lineage {lineage}, written until {until}"),
        }
    }

    /// The newest of its entries after the fork about `user` whose action is one of these.
    fn entry(&self, user: UserId, is: impl Fn(&str) -> bool) -> Option<i64> {
        self.told.iter().filter(|((id, action), _)| *id == user && is(action)).map(|(_, seq)| *seq).max()
    }
}

/// The newest entry of a database, if it can be read.
pub fn find_head(path: &Path) -> Option<Head> {
    let conn = schema::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    audit::get_head(&ReadTx { conn: &conn }).ok()
}

/// Reads the database that the checked backup at `copy` is about to replace. `None` where there is none, where it can not
/// be read, and where it is another instance's.
pub fn find_old(path: &Path, copy: &Path) -> Option<Old> {
    let old = schema::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let version = schema::check_header(&old, path).ok()?;
    old.execute_batch("BEGIN").ok()?;
    let copy = schema::open(copy, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let copy = &ReadTx { conn: &copy };
    let is_sound = || backup::check_open(&old, version).is_ok_and(|found| found.is_good());
    if version == schema::VERSION {
        return read_old(&old, is_sound, copy).ok().flatten();
    }
    // The file itself stays what it is, for the program that wrote it.
    let current = migrate::copy_up_to_date(&old, path).ok()?;
    read_old(&current, is_sound, copy).ok().flatten()
}

fn read_old(conn: &Connection, is_sound: impl FnOnce() -> bool, copy: &ReadTx<'_>) -> Result<Option<Old>> {
    let tx = &ReadTx { conn };
    if instance::get(tx)?.origin != instance::get(copy)?.origin {
        return Ok(None);
    }
    let (head, backup) = (audit::get_head(tx)?, audit::get_head(copy)?);
    let fork = find_fork(tx, copy, head.seq.min(backup.seq))?;
    let follows = fork == backup.seq;
    let belief = if !follows && fork == head.seq {
        Belief::Nothing
    } else if follows && is_sound() {
        Belief::Full
    } else {
        Belief::Restrictions
    };
    let people = list_people(conn)?.into_iter().map(|line| (line.person.id, line)).collect();
    Ok(Some(Old {
        head,
        belief,
        fork,
        follows,
        people_confirmed: instance::get_people_confirmed(tx)?,
        people,
        factors: collect(conn, "SELECT id, last_step FROM factors WHERE disabled_at IS NULL", |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?,
        records: records::read(conn)?,
        policy: policy::read(conn, fork).ok(),
        told: list_told(conn, fork)?,
    }))
}

/// The last entry that both have: the same number and hash, and so everything before it too.
fn find_fork(a: &ReadTx<'_>, b: &ReadTx<'_>, last: i64) -> Result<i64> {
    let hash = |tx: &ReadTx<'_>, seq: i64| -> Result<Option<Vec<u8>>> {
        let mut query = tx.conn.prepare_cached("SELECT hash FROM audit WHERE seq = ?1")?;
        Ok(query.query_row([seq], |row| row.get(0)).optional()?)
    };
    let (mut common, mut beyond) = (0, last + 1);
    while beyond - common > 1 {
        let middle = common + (beyond - common) / 2;
        let same = hash(a, middle)?.is_some_and(|h| hash(b, middle).is_ok_and(|other| other == Some(h)));
        *(if same { &mut common } else { &mut beyond }) = middle;
    }
    Ok(common)
}

fn collect<T, C: FromIterator<T>>(
    conn: &Connection,
    sql: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<C> {
    let mut query = conn.prepare(sql)?;
    let rows = query.query_map([], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn list_people(conn: &Connection) -> Result<Vec<Line>> {
    let sql = "SELECT id, name || ' <' || email || '>', role, status, password_hash, must_change_password,
                      password_expires_at FROM users ORDER BY row";
    collect(conn, sql, |row| {
        let password = Password { hash: row.get(4)?, must_change: row.get(5)?, expires_at: row.get(6)? };
        let person = Person { id: parse(row, 0)?, name: row.get(1)? };
        Ok(Line { person, role: parse(row, 2)?, status: parse(row, 3)?, password })
    })
}

fn list_told(conn: &Connection, after: i64) -> Result<HashMap<(UserId, String), i64>> {
    let mut query = conn.prepare(
        "SELECT target_id, action, max(seq) FROM audit
         WHERE seq > ?1 AND outcome = ?2 AND target_kind = 'person' GROUP BY target_id, action",
    )?;
    let rows =
        query.query_map((after, Outcome::Success.as_str()), |row| Ok(((parse(row, 0)?, row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Keeps in the restored database what the replaced one decided since, in the transaction of `conn`.
pub(super) fn carry(conn: &Connection, old: Option<&Old>, now: Timestamp) -> Result<Carried> {
    let mut carried = Carried::default();
    if let Some(old) = old.filter(|old| old.belief != Belief::Nothing) {
        let mut keeper = Keeper { conn, old, now, carried };
        keeper.people()?;
        carried = keeper.carried;
        carried.policy = policy::keep(conn, old, now)?;
        carried.people_confirmed = old.belief == Belief::Full && old.people_confirmed;
    }
    conn.execute("UPDATE instance SET people_confirmed = ?1", [carried.people_confirmed])?;
    Ok(carried)
}

struct Keeper<'a> {
    conn: &'a Connection,
    old: &'a Old,
    now: Timestamp,
    carried: Carried,
}

impl Keeper<'_> {
    fn people(&mut self) -> Result<()> {
        let here = list_people(self.conn)?;
        for line in &here {
            let Some(there) = self.old.people.get(&line.person.id) else { continue };
            self.status(line, there)?;
            self.role(line, there)?;
            self.factors(line)?;
            self.password(line, there)?;
        }
        let known: HashSet<UserId> = here.iter().map(|line| line.person.id).collect();
        let mut added: Vec<&Line> = self.old.people.values().filter(|p| !known.contains(&p.person.id)).collect();
        added.sort_by_key(|line| line.person.id);
        self.carried.forgotten.extend(added.iter().map(|p| (p.person.clone(), Forgotten::Added(p.role))));
        (self.carried.contacts, self.carried.portraits) = records::keep(self.conn, self.old)?;
        Ok(())
    }

    /// Whether what differs was decided since, and by which entry. Where the replaced database went another way, what
    /// differs may have been decided on the backup's way; then only its own trail can say so.
    fn decided(&self, line: &Line, is: impl Fn(&str) -> bool) -> Option<Option<i64>> {
        let entry = self.old.entry(line.person.id, is);
        (self.old.follows || entry.is_some()).then_some(entry)
    }

    fn keep(&mut self, line: &Line, decision: Decision, entry: Option<i64>) {
        self.carried.kept.push((line.person.clone(), decision, entry));
    }

    fn forget(&mut self, line: &Line, what: Forgotten) {
        // On another way it is the backup that knows of it, or it never was so.
        if self.old.follows {
            self.carried.forgotten.push((line.person.clone(), what));
        }
    }

    fn status(&mut self, line: &Line, there: &Line) -> Result<()> {
        let is_shut = |line: &Line| matches!(line.status, Status::Disabled | Status::Left);
        if line.status == there.status || line.status == Status::Left {
            return Ok(());
        }
        if !is_shut(there) {
            if is_shut(line) {
                self.forget(line, Forgotten::Enabled);
            }
            return Ok(());
        }
        let shut_out = [Action::UserDisabled.as_str(), Action::UserLeft.as_str()];
        let Some(entry) = self.decided(line, |action| shut_out.contains(&action)) else { return Ok(()) };
        // Who has left keeps no password.
        self.conn.execute(
            "UPDATE users SET status = ?2, password_hash = iif(?2 = 'left', NULL, password_hash) WHERE id = ?1",
            (line.person.id.to_string(), there.status.as_str()),
        )?;
        self.keep(line, Decision::ShutOut { state: there.status }, entry);
        Ok(())
    }

    /// By what a role opens, not by its rank: an admin who became an auditor looks after nobody any more.
    fn role(&mut self, line: &Line, there: &Line) -> Result<()> {
        let power = |role: Role| Role::ALL.iter().position(|r| *r == role);
        if power(there.role) > power(line.role) {
            self.forget(line, Forgotten::Raised(there.role));
        }
        if power(there.role) >= power(line.role) {
            return Ok(());
        }
        let is_role = |action: &str| action == Action::UserRoleChanged.as_str();
        let Some(entry) = self.decided(line, is_role) else { return Ok(()) };
        let id = line.person.id.to_string();
        self.conn.execute("UPDATE users SET role = ?2 WHERE id = ?1", (&id, there.role.as_str()))?;
        self.conn.execute(
            "INSERT INTO role_history (user_id, role, ended_at) VALUES (?1, ?2, ?3)",
            (&id, line.role.as_str(), self.now.as_micros()),
        )?;
        self.keep(line, Decision::Role { from: line.role, to: there.role }, entry);
        Ok(())
    }

    /// A factor that was removed, or disabled after too many failures, does not come back; one that stays accepts no
    /// code that was accepted since.
    fn factors(&mut self, line: &Line) -> Result<()> {
        let is_factor = |a: &str| a.starts_with("mfa.factor_") && a != Action::MfaFactorEnrolled.as_str();
        let decided = self.decided(line, is_factor);
        let mut removed = 0;
        let mut query = self.conn.prepare_cached("SELECT id FROM factors WHERE user_id = ?1")?;
        let ids: Vec<String> =
            query.query_map([line.person.id.to_string()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for id in ids {
            if let Some(step) = self.old.factors.get(&id) {
                self.conn.execute("UPDATE factors SET last_step = max(last_step, ?2) WHERE id = ?1", (&id, step))?;
            } else if decided.is_some() {
                removed += u32::try_from(self.conn.execute("DELETE FROM factors WHERE id = ?1", [&id])?).unwrap_or(1);
            }
        }
        drop(query);
        if removed > 0 {
            self.keep(line, Decision::Factors { removed }, decided.flatten());
        }
        Ok(())
    }

    /// A password that was changed, reset or made invalid since: the older one does not work again. Only a trail that
    /// tells of it counts: a hash also differs where the same password was hashed anew.
    fn password(&mut self, line: &Line, there: &Line) -> Result<()> {
        let Some(entry) = self.old.entry(line.person.id, is_about_password) else { return Ok(()) };
        if line.password.hash.is_none() || line.password == there.password {
            return Ok(());
        }
        let id = line.person.id.to_string();
        if self.old.belief == Belief::Full && there.password.hash.is_some() {
            self.conn.execute(
                "UPDATE users SET password_hash = ?2, must_change_password = ?3, password_expires_at = ?4 WHERE id = ?1",
                (&id, &there.password.hash, there.password.must_change, there.password.expires_at),
            )?;
            self.keep(line, Decision::Password { newer: true }, Some(entry));
        } else if self.old.belief != Belief::Full && line.role == Role::Owner && there.role == Role::Owner {
            // No command on the host gives a password: without this one nobody could confirm the others.
            self.carried.forgotten.push((line.person.clone(), Forgotten::Password));
        } else {
            let void = "UPDATE users SET must_change_password = 1, password_expires_at = 0 WHERE id = ?1";
            self.conn.execute(void, [&id])?;
            self.keep(line, Decision::Password { newer: false }, Some(entry));
        }
        Ok(())
    }
}

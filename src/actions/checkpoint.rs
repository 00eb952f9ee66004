//! Signing how far the trail has come. The checkpoint is itself recorded, so that the trail shows which ones there are, and
//! the newest one stands beside the key, so that an older database in its place is noticed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::anchor::Way;
use crate::audit::checkpoint::{Checkpoint, MOST_BYTES, Point, origin_line};
use crate::audit::note::VerifierKey;
use crate::audit::plain::Read;
use crate::audit::{Action, Actor, Event, Record, Source, TrailFact};
use crate::host::files::{self, FileError, folder_of};
use crate::host::keys::{AuditSigningKey, KeyError, load_audit};
use crate::outbox::{Kind, NewMessage};
use crate::storage::backup::read_alone;
use crate::storage::{self, Audited, ReadTx, Store, audit, instance, outbox, policy, schema, users};
use crate::time::Timestamp;

/// The newest checkpoint, beside the key that signed it.
pub const CHECKPOINT_FILE: &str = "audit-checkpoint.txt";

/// So many entries have one checkpoint at the least.
const ENTRIES: i64 = 1_000;
/// Also when nothing happens.
const EVERY: Duration = Duration::from_secs(86_400);
/// After each of these the trail is signed.
const AFTER: [Action; 5] = [
    Action::MfaFactorAdminReset,
    Action::RecoveryBreakGlass,
    Action::AuditExported,
    Action::BackupCreated,
    Action::SystemRestored,
];

/// Why a checkpoint is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Somebody's factors were reset, or an owner was recovered on the host.
    Reset,
    /// Entries were exported.
    Export,
    /// A backup was written.
    Backup,
    /// The database was restored.
    Restore,
    /// The signing key was replaced.
    KeyRotated,
    /// Many entries have come since the last one.
    Entries,
    /// A day has passed.
    Daily,
    /// The server stops.
    Shutdown,
}

impl Occasion {
    /// The word in the entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Export => "export",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::KeyRotated => "key_rotated",
            Self::Entries => "entries",
            Self::Daily => "daily",
            Self::Shutdown => "shutdown",
        }
    }

    const fn after(action: Action) -> Self {
        match action {
            Action::AuditExported => Self::Export,
            Action::BackupCreated => Self::Backup,
            Action::SystemRestored => Self::Restore,
            _ => Self::Reset,
        }
    }
}

/// Why there is no new checkpoint.
#[derive(Debug)]
pub enum CheckpointError {
    /// The key can not be used. Nothing was signed.
    Key(KeyError),
    /// The database can not be used. Nothing was signed.
    Storage(storage::Error),
    /// It was signed and recorded, and could not be kept beside the key.
    NotKept(FileError),
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(e) => e.fmt(f),
            Self::Storage(e) => e.fmt(f),
            Self::NotKept(e) => write!(f, "the checkpoint is signed and could not be kept beside the key: {e}"),
        }
    }
}

impl std::error::Error for CheckpointError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(e) => e.source(),
            Self::NotKept(e) => e.source(),
            Self::Storage(_) => None,
        }
    }
}

impl From<storage::Error> for CheckpointError {
    fn from(e: storage::Error) -> Self {
        Self::Storage(e)
    }
}

/// The public half of the key, under the name with which it signs for this instance.
pub fn verifier_key(key: &AuditSigningKey, origin: &str) -> VerifierKey {
    VerifierKey::new(&origin_line(origin), key.public()).expect("an instance's name is a UUID")
}

/// Signs that the newest entry is the newest entry, with the key beside the database, which is read anew each time: it can be
/// replaced beside a running server.
///
/// # Errors
/// See [`CheckpointError`].
pub fn sign(
    store: &Store,
    (actor, source): (Actor, &Source),
    occasion: Occasion,
) -> Result<Checkpoint, CheckpointError> {
    sign_and_mail(store, (actor, source), occasion, false)
}

/// As [`sign`]; where mail goes out, the checkpoint goes to those who keep anchors, if it is time for that.
fn sign_and_mail(
    store: &Store,
    (actor, source): (Actor, &Source),
    occasion: Occasion,
    mails: bool,
) -> Result<Checkpoint, CheckpointError> {
    let (folder, source) = (folder_of(store.path()), source.clone());
    let key = load_audit(folder).map_err(CheckpointError::Key)?;
    let checkpoint = store.change(move |tx| -> storage::Result<_> {
        let origin = instance::get(tx)?.origin;
        let point = Point::of(&origin, &audit::get_head(tx)?, tx.now());
        let seq = point.seq;
        let checkpoint = Checkpoint::sign(point, &verifier_key(&key, &origin), |text| key.sign(text));
        let (occasion, text) = (occasion.as_str(), checkpoint.to_string());
        if mails && is_mail_due(tx, tx.now())? {
            for keeper in users::list_keepers(tx)? {
                outbox::insert(tx, &NewMessage { user: None, ..NewMessage::of(Kind::Anchor, &keeper, text.clone()) })?;
            }
        }
        let event = Event::Trail(TrailFact::CheckpointSigned { seq, occasion, checkpoint: text });
        Ok(Audited::new(checkpoint, Record::new(actor, &source, event)))
    })?;
    keep(folder, &checkpoint).map_err(CheckpointError::NotKept)?;
    Ok(checkpoint)
}

/// Signs if there is an occasion, as far as the trail tells: for a server, which looks again and again.
///
/// # Errors
/// See [`CheckpointError`].
pub fn keep_up(store: &Store, now: Timestamp, mails: bool, ending: bool) -> Result<(), CheckpointError> {
    let occasion = store.read(|tx| match occasion(tx, now, ending)? {
        None if mails && is_mail_due(tx, now)? => Ok(Some(Occasion::Daily)),
        occasion => Ok::<_, storage::Error>(occasion),
    })?;
    match occasion {
        Some(occasion) => sign_and_mail(store, (Actor::System, &Source::default()), occasion, mails).map(|_| ()),
        None => Ok(()),
    }
}

/// Whether the policy's time has passed since the last mail with an anchor, and there is somebody to get one.
fn is_mail_due(tx: &ReadTx<'_>, now: Timestamp) -> storage::Result<bool> {
    let Some(every) = policy::get(tx, now)?.anchor_mails().every() else { return Ok(false) };
    let ahead = now.plus(every);
    let last = match outbox::find_newest_anchor(tx, ahead)? {
        Some(at) => at,
        None => instance::get(tx)?.created_at,
    };
    Ok((now.since(last) >= every || last > ahead) && !users::list_keepers(tx)?.is_empty())
}

/// Notes that a command printed this checkpoint, for whoever keeps what it prints.
///
/// # Errors
/// When the database can not be written.
pub fn printed(store: &Store, checkpoint: &Checkpoint, by: &str) -> storage::Result<()> {
    // An earlier version's database has no place for it.
    if store.read(schema::get_version)? < schema::VERSION {
        return Ok(());
    }
    let (point, by) = (checkpoint.point.clone(), by.to_owned());
    store.touch(move |tx| tx.anchored(Way::Printed, &point, &by))
}

fn occasion(tx: &ReadTx<'_>, now: Timestamp, ending: bool) -> storage::Result<Option<Occasion>> {
    let (head, last) = (audit::get_head(tx)?, audit::find_last_of(tx, &[Action::AuditCheckpointSigned])?);
    let (signed, at) = match last {
        Some((_, seq, at)) => (seq, signed_at(tx, seq)?.unwrap_or(at)),
        None => (0, instance::get(tx)?.created_at),
    };
    let after = audit::find_last_of(tx, &AFTER)?.filter(|(_, seq, _)| *seq > signed);
    Ok(match after {
        Some((action, ..)) => Some(Occasion::after(action)),
        None if ending && head.seq > signed => Some(Occasion::Shutdown),
        None if head.seq - signed >= ENTRIES => Some(Occasion::Entries),
        // What is farther ahead than that was signed by a clock that has stepped back since.
        None => (now.since(at) >= EVERY || at.since(now) > EVERY).then_some(Occasion::Daily),
    })
}

/// The moment that a checkpoint itself says: that of its entry stands still until a clock that stepped back has caught up.
fn signed_at(tx: &ReadTx<'_>, seq: i64) -> storage::Result<Option<Timestamp>> {
    let text = audit::find_entry(tx, seq)?.map(|entry| Read::of(&entry).fact("checkpoint"));
    Ok(text.and_then(|text| Checkpoint::parse(&text)).map(|checkpoint| checkpoint.point.at))
}

fn path(folder: &Path) -> PathBuf {
    folder.join(CHECKPOINT_FILE)
}

/// Two who sign at the same moment may leave the older of two: then a database that is older by that much is not noticed.
fn keep(folder: &Path, checkpoint: &Checkpoint) -> Result<(), FileError> {
    let path = path(folder);
    files::replace(&path, checkpoint.to_string().as_bytes())?;
    files::give_to_owner_of(folder, &path)
}

/// What the file beside the key says; nothing if it is not there or says nothing.
pub fn kept(folder: &Path) -> Option<Checkpoint> {
    let file = files::read_private(&path(folder), MOST_BYTES as u64).ok()?;
    Checkpoint::parse(std::str::from_utf8(&file.contents).ok()?)
}

/// Before another database is put in place on purpose.
///
/// # Errors
/// When it is there and can not be removed.
pub fn forget(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path(folder)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// The kept checkpoint of which this database does not know: an older copy, or another one, stands in its place.
///
/// # Errors
/// When the database can not be read as one of ours.
pub fn find_ahead(folder: &Path, database: &Path) -> storage::Result<Option<Point>> {
    // First the file: what a server beside this signs meanwhile is in the database already.
    let Some(Checkpoint { point, .. }) = kept(folder) else { return Ok(None) };
    let known = read_alone(database, |tx| {
        let entry = audit::find_entry(tx, point.seq)?;
        Ok(instance::get(tx)?.origin == point.origin && entry.is_some_and(|entry| entry.hash == point.hash))
    })?;
    Ok((!known).then_some(point))
}

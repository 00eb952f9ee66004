//! Bringing the database of an earlier version up to date, after a backup of it as it was.
//!
//! Architecture invariant: whatever could keep the server from starting is found before anything is changed. The copy
//! stands under its name, whole and checked, before the database is touched.

use std::path::{Path, PathBuf};

use super::data_folder::{FolderError, database, load_keys};
use crate::audit::Source;
use crate::host::draft::{Draft, Place};
use crate::storage::migrate::Older;
use crate::storage::schema::VERSION;
use crate::storage::{backup, instance};
use crate::time::Timestamp;

/// A database that was brought up to date.
#[derive(Debug)]
pub struct Upgraded {
    /// The schema's version before.
    pub from: i64,
    /// Where the database stands as it was.
    pub backup: PathBuf,
}

/// Brings the database of `folder` up to date if an earlier version wrote it. The caller holds the folder's lock.
///
/// # Errors
/// Why it can not be copied, does not pass its check, or can not be changed. Then it is as it was.
pub fn upgrade(folder: &Path, source: &Source, now: Timestamp) -> Result<Option<Upgraded>, FolderError> {
    let Some(older) = Older::find(&database(folder))? else { return Ok(None) };
    load_keys(folder, &older.read(instance::get)?)?;
    let from = older.version();
    tracing::info!(
        from_schema = from,
        to_schema = VERSION,
        "an earlier version wrote the database: it is copied first"
    );
    let backup = copy(&older, folder)?;
    tracing::info!(backup = %backup.display(), "the copy is whole and checked; now the database is brought up to date");
    older.upgrade(crate::audit::clean(&backup.to_string_lossy()), source, now)?;
    Ok(Some(Upgraded { from, backup }))
}

/// A checked copy beside the database.
fn copy(older: &Older, folder: &Path) -> Result<PathBuf, FolderError> {
    let draft_name = format!("idp-before-schema-{VERSION}.db");
    // What a start that was killed left behind.
    Draft::sweep(folder, |name| name == draft_name);
    let mut draft = Draft::beside(&folder.join(&draft_name))?;
    older.copy(draft.path())?;
    let checked = backup::check(draft.path())?;
    if !checked.is_good() {
        return Err(FolderError::NotSound(Box::new(checked)));
    }
    let backup = folder.join(backup_name(checked.head.at));
    draft.place(&backup, Place::Over)?;
    Ok(backup)
}

/// `idp-before-schema-2-20261124T090000.000123Z.db`, after the moment of the newest entry: a server that is started again
/// and again where the upgrade can not succeed replaces its copy, and does not fill the disk with more.
fn backup_name(newest: Timestamp) -> String {
    format!("idp-before-schema-{VERSION}-{}.db", newest.to_string().replace(['-', ':'], ""))
}

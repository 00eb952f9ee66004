//! Bringing the database of an earlier version up to date, after a backup of it as it was.

use std::path::{Path, PathBuf};

use super::data_folder::FolderError;
use crate::audit::Source;
use crate::host::draft::{Draft, Place};
use crate::storage::schema::VERSION;
use crate::storage::{backup, migrate};
use crate::time::Timestamp;

/// A database that was brought up to date.
#[derive(Debug)]
pub struct Upgraded {
    /// The schema's version before.
    pub from: i64,
    /// Where the database stands as it was.
    pub backup: PathBuf,
}

/// Brings the database at `path` up to date if an earlier version wrote it. The caller has the data folder to itself.
///
/// # Errors
/// Why it can not be copied, does not pass its check, or can not be changed. Then it is as it was.
pub fn upgrade(path: &Path, source: &Source, now: Timestamp) -> Result<Option<Upgraded>, FolderError> {
    let Some(from) = migrate::find_older(path)? else { return Ok(None) };
    let backup = path.with_file_name(backup_name(now));
    let mut draft = Draft::beside(&backup)?;
    backup::copy(path, draft.path())?;
    let checked = backup::check(draft.path())?;
    if !checked.is_good() {
        return Err(FolderError::NotSound(Box::new(checked)));
    }
    draft.place(&backup, Place::Free)?;
    migrate::upgrade(path, source, now)?;
    Ok(Some(Upgraded { from, backup }))
}

/// `idp-before-schema-2-20261124T090000.db`.
fn backup_name(now: Timestamp) -> String {
    let second: String = now.to_string().replace(['-', ':'], "").chars().take_while(|c| *c != '.').collect();
    format!("idp-before-schema-{VERSION}-{second}.db")
}

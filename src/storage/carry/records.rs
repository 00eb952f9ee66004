//! What somebody is recognised by: a number, a photo or a note about an ID that was taken from a record since the backup does
//! not come back with it. It may be in other hands, or was not theirs.

use std::collections::HashMap;

use rusqlite::Connection;

use super::{Old, collect};
use crate::audit::Action;
use crate::ids::UserId;
use crate::storage::Result;
use crate::storage::users::parse;

/// What the replaced database has on record.
#[derive(Debug)]
pub(super) struct Records {
    /// Contact details that are no longer in use: which, since when, by whom.
    removed_contacts: Vec<(String, i64, String)>,
    /// Of whom there is a photo, and a note.
    portraits: HashMap<UserId, (bool, bool)>,
}

pub(super) fn read(conn: &Connection) -> Result<Records> {
    Ok(Records {
        removed_contacts: collect(
            conn,
            "SELECT id, removed_at, removed_by FROM contacts WHERE removed_at IS NOT NULL",
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?,
        portraits: portraits(conn)?,
    })
}

fn portraits(conn: &Connection) -> Result<HashMap<UserId, (bool, bool)>> {
    let sql = "SELECT user_id, jpeg IS NOT NULL, id_note <> '' FROM portraits";
    collect(conn, sql, |row| Ok((parse(row, 0)?, (row.get(1)?, row.get(2)?))))
}

/// Takes from the records of `conn` what was taken since: how many contact details, and how many photos and notes.
pub(super) fn keep(conn: &Connection, old: &Old) -> Result<(u32, u32)> {
    let (mut contacts, mut gone) = (0, 0);
    let mut remove =
        conn.prepare("UPDATE contacts SET removed_at = ?2, removed_by = ?3 WHERE id = ?1 AND removed_at IS NULL")?;
    for (id, at, by) in &old.records.removed_contacts {
        contacts += u32::try_from(remove.execute((id, at, by))?).unwrap_or(0);
    }
    let is_about_it = |action: &str| action == Action::UserPortraitChanged.as_str();
    for (user, (photo, note)) in portraits(conn)? {
        // As with people: on another way only its own trail can say that it was removed.
        let decided = old.people.contains_key(&user) && (old.follows || old.entry(user, is_about_it).is_some());
        let (photo_there, note_there) = old.records.portraits.get(&user).copied().unwrap_or_default();
        let (no_photo, no_note) = (photo && !photo_there, note && !note_there);
        if !decided || !(no_photo || no_note) {
            continue;
        }
        gone += u32::from(no_photo) + u32::from(no_note);
        // One of the two has to be there in every row.
        let sql = match (photo && !no_photo, note && !no_note) {
            (false, false) => "DELETE FROM portraits WHERE user_id = ?1",
            (true, _) => "UPDATE portraits SET id_note = '' WHERE user_id = ?1",
            (false, true) => "UPDATE portraits SET jpeg = NULL WHERE user_id = ?1",
        };
        conn.execute(sql, [user.to_string()])?;
    }
    Ok((contacts, gone))
}

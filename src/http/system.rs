//! The state of the house.

use super::dashboard::house;
use super::guards::{Call, Signed};
use super::show::{Answer, Page};
use crate::host::draft::with_suffix;
use crate::pages::system::{SystemView, system};
use crate::storage::schema::sqlite_version;
use crate::storage::{self, audit};

/// `GET /admin/system`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let store = &call.app.means.store;
    let (house, head) = store.read(|tx| Ok::<_, storage::Error>((house(tx, call)?, audit::get_head(tx)?)))?;
    // A log that is not there is an empty one.
    let bytes = |path: &std::path::Path| path.metadata().map_or(0, |file| file.len());
    let page = Page::signed(call, signed);
    let view = SystemView {
        matters: house.matters(call.now),
        version: env!("CARGO_PKG_VERSION"),
        sqlite: sqlite_version(),
        uptime: call.now.since(call.app.started_at),
        folder: call.app.settings.data.display().to_string(),
        database: bytes(store.path()),
        log: bytes(&with_suffix(store.path(), "-wal")),
        free: house.free,
        last_backup: house.last_backup,
        key_exported: house.key_exported,
        entries: head.seq,
        newest: head.at,
        lineage: &head.lineage,
    };
    Ok(page.answer(200, system(&page.frame(), &view)))
}

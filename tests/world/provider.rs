//! The provider: a temporary data folder, a clock that stands still, and what is stored.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use idp::actions::data_folder::{Serving, open, open_or_create};
use idp::app::{App, Settings};
use idp::audit::Source;
use idp::time::{Clock, Timestamp};

use super::Browser;

/// The provider and its surroundings.
pub struct World {
    /// The provider.
    pub app: Arc<App>,
    /// Its clock.
    pub clock: Clock,
    folder: tempfile::TempDir,
    _lock: idp::host::lock::FolderLock,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// An empty provider on 2026-11-24 at 09:00 UTC.
    pub fn new() -> Self {
        Self::at("http://localhost:8080")
    }

    /// An empty provider under this public URL.
    pub fn at(public_url: &str) -> Self {
        Self::with(public_url, |_| ())
    }

    /// An empty provider whose settings are changed before it starts.
    pub fn with(public_url: &str, change: impl FnOnce(&mut Settings)) -> Self {
        Self::by(Clock::at("2026-11-24T09:00:00Z".parse().unwrap()), public_url, change)
    }

    /// An empty provider that goes by this clock.
    pub fn by(clock: Clock, public_url: &str, change: impl FnOnce(&mut Settings)) -> Self {
        Self::over(tempfile::tempdir().unwrap(), clock, public_url, change)
    }

    /// The provider whose data folder stands in `folder` already.
    pub fn on(folder: tempfile::TempDir, clock: Clock) -> Self {
        Self::over(folder, clock, "http://localhost:8080", |_| ())
    }

    fn over(folder: tempfile::TempDir, clock: Clock, public_url: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let data = folder.path().join("data");
        let Serving { opened, lock, .. } = open_or_create(&data, &host(), clock.clone()).unwrap();
        let mut settings = Settings {
            public_url: public_url.parse().unwrap(),
            trusted_proxy: Vec::new(),
            organisation: "Fernhill Joinery".into(),
            help_contact: Some("the office, +46 8 555 01 00".into()),
            data: data.clone(),
            hash_workers: 2,
            mail: None,
            streams: Vec::new(),
        };
        change(&mut settings);
        let app = Arc::new(App::new(opened, settings, clock.clone()).unwrap());
        Self { app, clock, folder, _lock: lock }
    }

    /// A browser that nobody has used yet.
    pub fn browser(&self) -> Browser {
        Browser::new(Arc::clone(&self.app))
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass.
    pub fn later(&self, d: Duration) {
        self.clock.advance(d);
    }

    /// One round of what time does by itself.
    pub fn sweep(&self) {
        idp::actions::sweep::sweep(&self.app.means, false).unwrap();
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data().join("idp.db")
    }

    /// The same data folder under a new process: what was only in memory is gone. Browsers have to
    /// [reconnect](Browser::reconnect).
    pub fn restart(&mut self) {
        let opened = open(&self.data(), self.clock.clone()).unwrap();
        self.app = Arc::new(App::new(opened, self.app.settings.clone(), self.clock.clone()).unwrap());
    }

    /// A number out of the database.
    pub fn count(&self, sql: &str) -> i64 {
        rusqlite::Connection::open(self.database()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Whether these bytes stand anywhere in the database or its log.
    pub fn stores(&self, what: impl AsRef<[u8]>) -> bool {
        let what = what.as_ref();
        self.everything_stored().windows(what.len()).any(|w| w == what)
    }

    /// Everything that is stored, as text: to look for secrets in it.
    pub fn everything_stored(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for file in ["idp.db", "idp.db-wal"] {
            all.extend(std::fs::read(self.data().join(file)).unwrap_or_default());
        }
        all
    }
}

impl Drop for World {
    /// At the end of every test the whole trail is verified again, and everyone's factors and codes are counted again.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let (walk, broken) = self.app.means.store.read(idp::storage::backup::walk).unwrap();
            assert!(broken.is_none(), "the trail does not verify: {broken:?}");
            assert!(walk.entries() > 0);
            assert_eq!(
                self.count(MISCOUNTED),
                0,
                "people whose row has another number of factors or codes than there are"
            );
        }
    }
}

const MISCOUNTED: &str = "SELECT count(*) FROM users u
    WHERE working_factors <> (SELECT count(*) FROM factors WHERE user_id = u.id AND disabled_at IS NULL)
       OR own_codes_left <> (SELECT count(*) FROM code_sets s JOIN codes ON set_id = s.id
                              WHERE user_id = u.id AND kind = 'own' AND used_at IS NULL)";

/// Where a test's own commands come from.
pub fn host() -> Source {
    Source { os_user: Some("test".into()), ..Source::default() }
}

//! A whole provider in a temporary folder, with people who can sign in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use idp::actions::data_folder::{Opened, Serving, database, open_or_create};
use idp::actions::{Error, Means};
use idp::app::{App, Settings};
use idp::audit::{Actor, Event, Record, Source};
use idp::host::hash_pool::HashPool;
use idp::host::keys::SeedKey;
use idp::host::lock::FolderLock;
use idp::ids::{FactorId, SessionId, UserId};
use idp::password::{Argon2Params, PasswordHash};
use idp::secret::{Purpose, Secret, Token};
use idp::sessions::{Session, Stage};
use idp::storage::{Audited, Store, WriteTx, factors, sessions, users};
use idp::time::Clock;
use idp::users::{Role, User};

/// Everyone's password.
pub const PASSWORD: &str = "walnut harbour nineteen";

/// A data folder with people in it, and the lock of a server that has it.
pub struct Folder {
    data: PathBuf,
    /// Dropped after the lock.
    _folder: tempfile::TempDir,
}

/// A provider that runs in this process.
pub struct Provider {
    /// Answers requests.
    pub app: Arc<App>,
    /// Who can sign in.
    pub people: Vec<User>,
    _lock: FolderLock,
    folder: Folder,
}

impl Folder {
    /// A new data folder; no server has it. The first of its `count` people is an owner.
    pub fn with_people(count: usize) -> Self {
        Self::begun(count, Clock::System).0
    }

    /// The same, whose history begins at the clock's moment; and its people.
    pub fn begun(count: usize, clock: Clock) -> (Self, Vec<User>) {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let folder = Self { data: temporary.path().join("data"), _folder: temporary };
        let Serving { opened, .. } =
            open_or_create(&folder.data, &Source::default(), clock).expect("a new data folder");
        let people = add_people(&opened, count);
        (folder, people)
    }

    /// Where the data is.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The provider of this folder, with as many hashing workers. It believes a proxy on this machine.
    pub fn serve(self, people: Vec<User>, hash_workers: usize) -> Provider {
        let Serving { opened, lock, .. } =
            open_or_create(&self.data, &Source::default(), Clock::System).expect("a data folder");
        let settings = Settings {
            public_url: "http://localhost:8080".parse().expect("a loopback URL"),
            trusted_proxy: vec!["127.0.0.1/32".parse().expect("an address")],
            organisation: "Fernhill Joinery".into(),
            help_contact: Some("the office, +46 8 555 01 00".into()),
            data: self.data.clone(),
            hash_workers,
            mail: None,
            streams: Vec::new(),
        };
        let app = Arc::new(App::new(opened, settings, Clock::System).expect("threads"));
        Provider { app, people, _lock: lock, folder: self }
    }
}

impl Provider {
    /// A provider with `count` people, the first of them an owner, and as many hashing workers.
    pub fn with_people(count: usize, hash_workers: usize) -> Self {
        let (folder, people) = Folder::begun(count, Clock::System);
        folder.serve(people, hash_workers)
    }

    /// What errands are given.
    pub fn means(&self) -> &Means {
        &self.app.means
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        database(self.folder.data())
    }

    /// A full session of `user`: the value of its cookie.
    pub fn full_session(&self, user: &User) -> String {
        let (user, token) = (user.clone(), Token::generate());
        let hash = token.hash(Purpose::Session);
        change(&self.means().store, move |tx| {
            let now = tx.now();
            let session = Session {
                id: SessionId::generate(),
                user_id: user.id,
                stage: Stage::Full,
                epoch: user.credential_epoch,
                methods: "pwd otp".into(),
                pass_given: false,
                sealed_seed: None,
                address: "127.0.0.1".into(),
                user_agent: "Firefox".into(),
                next: String::new(),
                device_id: None,
                created_at: now,
                seen_at: now,
                step_up_at: now,
                expires_at: now.plus(Stage::Full.life()),
            };
            sessions::insert(tx, &session, &hash)?;
            Ok(vec![Event::UserStepUp {
                user: (&user).into(),
                with: idp::audit::proof::Challenge::Password,
                resumed: true,
            }])
        });
        format!("idp-session={}", token.to_text())
    }
}

/// Adds people with a password and a factor: who signs in with the password is asked for the second.
fn add_people(opened: &Opened, count: usize) -> Vec<User> {
    let pool = HashPool::new(1, 1).expect("a thread");
    let (params, salt) = (Argon2Params::current(), PasswordHash::new_salt());
    let output = pool.hash(Secret::new(PASSWORD), params, &salt).expect("an idle worker");
    let hash = PasswordHash::new(params, salt, output);
    // Any key seals a secret that is never opened.
    let key = SeedKey::generate();
    let ids: Vec<UserId> = (0..count).map(|_| UserId::generate()).collect();
    let added = ids.clone();
    change(&opened.store, move |tx| {
        let mut events = Vec::new();
        for (n, id) in added.iter().enumerate() {
            let role = if n == 0 { Role::Owner } else { Role::Member };
            let email = format!("person{n}@fernhill.example").parse().expect("an address");
            users::insert(tx, *id, &email, &"Mara Lindqvist".parse().expect("a name"), role)?;
            users::update_password(tx, *id, &hash)?;
            let factor = FactorId::generate();
            factors::insert(tx, factor, *id, "phone", &key.seal(&factor.to_string(), &[7; 20]), 0)?;
            events.push(Event::UserCreated { user: (&users::get(tx, *id)?).into(), role });
        }
        Ok(events)
    });
    let find = |id| opened.store.read(|tx| users::get(tx, id)).expect("a person just added");
    ids.into_iter().map(find).collect()
}

/// One change whose events are all that matters of it.
fn change(store: &Store, act: impl FnOnce(&WriteTx<'_>) -> Result<Vec<Event>, Error> + Send + 'static) {
    let done: Result<(), Error> = store.change(move |tx| {
        let mut records = act(tx)?.into_iter().map(|event| Record::new(Actor::Host, &Source::default(), event));
        let first = records.next().expect("an event");
        Ok(Audited::new((), first).and_all(records))
    });
    done.expect("a change");
}

//! The composition root: owns what every request needs, and answers requests without a socket.
//!
//! [`App::handle`] is the whole provider as a function, for embedders and tests; [`crate::http::edge`] puts it on a port.

mod streamer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::actions::checkpoint::keep_up;
use crate::actions::data_folder::Opened;
use crate::actions::deliver::{Courier, Round, Tested, send_test};
use crate::actions::sweep::sweep;
use crate::actions::{self, Means, Visitor};
use crate::config::{Cidr, Config, PublicUrl};
use crate::demo::Demo;
use crate::host::files::free_space;
use crate::host::hash_pool::HashPool;
use crate::host::smtp::{Smtp, Unusable};
use crate::http::edge::Allowance;
use crate::http::router::Router;
use crate::http::{Request, Response, allowance};
use crate::ids::SessionId;
use crate::outbox::{Content, Message, Written};
use crate::pages::mail::{House, Outline};
use crate::policy;
use crate::streams::Receiver as Place;
use crate::throttle::sources::{ATTEMPTS, SOURCES, SourceLimiter};
use crate::time::{Clock, Timestamp};

pub use streamer::{Streamer, links};

/// Password hashes that may wait for a worker; more are told to come back.
const WAITING_HASHES: usize = 64;
/// How often what has expired is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(20);
/// How often it is asked whether the trail has to be signed: so soon after a reset it is.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often the outbox is looked at.
const MAIL_EVERY: Duration = Duration::from_secs(2);
/// How long the end waits for a message under way.
const MAIL_GRACE: Duration = Duration::from_secs(5);

/// What pages and guards need to know about where they run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What links are built from.
    pub public_url: PublicUrl,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxy: Vec<Cidr>,
    /// The organisation's name.
    pub organisation: String,
    /// Whom to call after losing one's phone.
    pub help_contact: Option<String>,
    /// The data folder, as the first owner's page names it.
    pub data: PathBuf,
    /// Password hashing workers.
    pub hash_workers: usize,
    /// How letters go out, where the operator has set a mail server.
    pub mail: Option<Arc<Smtp>>,
    /// Where the trail is sent on to.
    pub streams: Vec<Place>,
}

impl Settings {
    /// The settings of a configuration whose server is reached at `public_url`.
    ///
    /// # Errors
    /// When a file that the settings of mail name is not as it must be.
    pub fn new(config: &Config, public_url: PublicUrl) -> Result<Self, Unusable> {
        let mail = config.mail.as_ref().map(|mail| Smtp::new(mail, &config.organisation)).transpose()?;
        Ok(Self {
            public_url,
            trusted_proxy: config.trusted_proxy.clone(),
            organisation: config.organisation.clone(),
            help_contact: config.help_contact.clone(),
            data: config.data.clone(),
            hash_workers: config.hash_workers.get(),
            mail: mail.map(Arc::new),
            streams: [config.syslog.as_ref().map(|_| Place::Syslog), config.webhook.as_ref().map(|_| Place::Webhook)]
                .into_iter()
                .flatten()
                .collect(),
        })
    }
}

/// The provider.
pub struct App {
    /// What errands are given.
    pub means: Means,
    /// Where it runs.
    pub settings: Settings,
    /// Since when.
    pub started_at: Timestamp,
    /// Whom one can be in it, where everything is made up: `idp demo` alone says so.
    pub demo: Option<Demo>,
    router: Router,
    attempts: Mutex<SourceLimiter>,
    disk: Disk,
    requests: AtomicU64,
}

impl App {
    /// Puts the provider together over an opened data folder.
    ///
    /// # Errors
    /// When the system gives no threads for hashing.
    pub fn new(opened: Opened, settings: Settings, clock: Clock) -> std::io::Result<Self> {
        let disk = Disk::new(opened.store.path());
        Ok(Self {
            started_at: clock.now(),
            demo: None,
            means: Means {
                store: opened.store,
                key: Arc::new(opened.keys.seed),
                pool: HashPool::new(settings.hash_workers, WAITING_HASHES)?,
                clock,
                one_picture: Mutex::new(()),
                organisation: settings.organisation.clone(),
                mails: settings.mail.is_some(),
            },
            router: Router::new(),
            attempts: Mutex::new(SourceLimiter::new(ATTEMPTS, SOURCES)),
            disk,
            requests: AtomicU64::new(u64::from_be_bytes(crate::secret::random())),
            settings,
        })
    }

    /// As a demo, which shows anyone how its people get in.
    #[must_use]
    pub fn with_demo(self, demo: Demo) -> Self {
        Self { demo: Some(demo), ..self }
    }

    /// Answers one request. Needs no socket; blocks while a password is hashed or a write becomes durable.
    pub fn handle(&self, request: Request) -> Response {
        self.router.answer(self, &request)
    }

    /// How long the body of a request may be of which only the head was read: for the edge, which asks about long ones.
    pub fn allowance(&self, head: &Request) -> Allowance {
        allowance(self, &self.router, head)
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.means.clock.now()
    }

    /// A new request id: 13 symbols, unique within this run, not guessable from another run's.
    pub(crate) fn request_id(&self) -> String {
        let n = self.requests.fetch_add(1, Ordering::Relaxed);
        data_encoding::BASE32_NOPAD.encode(&n.to_be_bytes())
    }

    /// Whether this client may make one more attempt at signing in now; how long to wait if not.
    pub(crate) fn may_attempt(&self, ip: std::net::IpAddr) -> Result<(), Duration> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).allow(ip, self.now())
    }

    /// Whether enough of the disk is free for writes that anyone can cause.
    pub(crate) fn has_room(&self) -> bool {
        self.free_space() >= policy::DISK_RESERVE
    }

    /// Free bytes on the database's disk.
    pub(crate) fn free_space(&self) -> u64 {
        self.disk.free()
    }

    /// What every message says of where it comes from.
    pub(crate) fn house(&self) -> House<'_> {
        House {
            organisation: &self.settings.organisation,
            help_contact: self.settings.help_contact.as_deref(),
            public_url: &self.settings.public_url,
        }
    }

    /// What stands behind the @ in the id of a message; an IPv6 address has no place there.
    fn mail_host(&self) -> &str {
        Some(self.settings.public_url.host()).filter(|host| !host.contains(':')).unwrap_or("localhost")
    }

    /// One round of sending what is due; `go_on` is asked before each message.
    ///
    /// # Errors
    /// When the database can not be read or written.
    pub fn mail_round(&self, courier: &mut Courier, smtp: &Smtp, go_on: &dyn Fn() -> bool) -> actions::Result<()> {
        let write = |message: &Message, content: &Content| self.write(message, content);
        courier.round(&Round { means: &self.means, smtp, host: self.mail_host(), write: &write, go_on })
    }

    fn write(&self, message: &Message, content: &Content) -> Written {
        Outline::of(self.house(), message, content).write()
    }

    /// Sends a test message to the owner of this session, at once.
    ///
    /// # Errors
    /// As [`actions::Error`] says; that it was not sent is a value.
    pub fn test_mail(&self, session: SessionId, smtp: &Smtp, visitor: &Visitor) -> actions::Result<Tested> {
        let write = |message: &Message, content: &Content| self.write(message, content);
        let round = Round { means: &self.means, smtp, host: self.mail_host(), write: &write, go_on: &|| true };
        send_test(&round, session, visitor)
    }

    /// Pretends that this many bytes are free; only in builds for tests.
    #[cfg(feature = "testing")]
    pub fn pretend_free(&self, bytes: Option<u64>) {
        self.disk.pretended.store(bytes.map_or(-1, u64::cast_signed), Ordering::Relaxed);
    }
}

/// Free space, asked for at most once a second.
struct Disk {
    folder: PathBuf,
    asked: Mutex<Option<(Instant, u64)>>,
    pretended: AtomicI64,
}

impl Disk {
    fn new(database: &Path) -> Self {
        let folder = database.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
        Self { folder, asked: Mutex::new(None), pretended: AtomicI64::new(-1) }
    }

    fn free(&self) -> u64 {
        if let Ok(bytes) = u64::try_from(self.pretended.load(Ordering::Relaxed)) {
            return bytes;
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        match *asked {
            Some((when, free)) if when.elapsed() < Duration::from_secs(1) => free,
            // A file system that can not be asked is not taken for a full one: the write itself will tell.
            _ => {
                let free = free_space(&self.folder).unwrap_or(u64::MAX);
                *asked = Some((Instant::now(), free));
                free
            }
        }
    }
}

/// The thread that sends messages, where a mail server is set. Dropping it ends the thread after the message under way.
pub struct Mailer(Option<(Sender<()>, JoinHandle<()>)>);

impl Mailer {
    /// Starts sending what stands in `app`'s outbox.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(app: &Arc<App>) -> std::io::Result<Self> {
        let Some(smtp) = app.settings.mail.clone() else { return Ok(Self(None)) };
        let (app, (stop, stopped)) = (Arc::clone(app), channel());
        let thread = std::thread::Builder::new().name("mailer".into()).stack_size(1024 * 1024);
        let thread = thread.spawn(move || mail_until(&app, &smtp, &stopped))?;
        Ok(Self(Some((stop, thread))))
    }
}

fn mail_until(app: &App, smtp: &Smtp, stopped: &Receiver<()>) {
    let (mut courier, mut failed) = (Courier::default(), None);
    let stops = || !matches!(stopped.try_recv(), Err(TryRecvError::Empty));
    while matches!(stopped.recv_timeout(MAIL_EVERY), Err(RecvTimeoutError::Timeout)) {
        // Said once: the next rounds meet the same.
        let error = app.mail_round(&mut courier, smtp, &|| !stops()).err().map(|e| e.to_string());
        if let Some(e) = error.as_ref().filter(|_| failed != error) {
            tracing::error!("the outbox can not be worked off: {e}");
        }
        failed = error;
    }
}

impl Drop for Mailer {
    fn drop(&mut self) {
        let Some((stop, thread)) = self.0.take() else { return };
        drop(stop);
        // A mail server that takes its time must not hold up the end; what it takes after that is sent once more, as the
        // same message, at the next start.
        let until = Instant::now() + MAIL_GRACE;
        while !thread.is_finished() {
            if Instant::now() > until {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = thread.join();
    }
}

/// The thread that sweeps what has expired. Dropping it ends the thread after a last round.
pub struct Sweeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sweeper {
    /// Starts sweeping `app`'s database.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(app: Arc<App>) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("sweeper".into()).stack_size(512 * 1024);
        let thread = thread.spawn(move || sweep_until(&app, &stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

fn sweep_until(app: &App, stopped: &Receiver<()>) {
    let mut swept = Instant::now();
    loop {
        let ending = !matches!(stopped.recv_timeout(LOOK_EVERY), Err(RecvTimeoutError::Timeout));
        if ending || swept.elapsed() >= SWEEP_EVERY {
            swept = Instant::now();
            if let Err(e) = sweep(&app.means, ending) {
                tracing::error!("sweeping failed: {e}");
            }
        }
        if let Err(e) = keep_up(&app.means.store, app.now(), app.means.mails, ending) {
            tracing::error!("no checkpoint of the trail was signed: {e}");
        }
        if ending {
            return;
        }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

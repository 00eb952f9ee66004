//! `idp demo`.

mod cases;
mod company;
mod first_days;
mod weeks;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::outcome::{Answer, Failure, remark, say};
use super::serve::{raise_descriptors, serve, stop_on_signals};
use super::{log, operator};
use crate::actions::Means;
use crate::actions::data_folder::{Serving, open, open_or_create};
use crate::actions::notices::seen;
use crate::app::{App, Settings, Sweeper};
use crate::config::{Config, ConfigError, Flags, Sources, Variables};
use crate::demo::{CAST, HELP_CONTACT, ORGANISATION, PASSWORD};
use crate::host::room::{self, Room};
use crate::http::edge::{Edge, Limits};
use crate::notices::Notice;
use crate::storage::{notices, users};
use crate::time::{Clock, Timestamp};
use company::Company;

const EXAMPLES: &str = "\
To try everything:
  idp demo

It opens on http://localhost:8080/demo, or on another port where that one is taken. That page has a current code for
everybody's authenticator app, so no phone is needed, and says what to try.

Ctrl-C ends the demo and removes its folder. Settings and variables of a real server are not looked at.";

/// How long ago the organisation began.
const WEEKS: Duration = Duration::from_secs(6 * 7 * 86_400);
/// What its people were told before this, they have read.
const YESTERDAY: Duration = Duration::from_secs(86_400);

/// Runs an organisation that is made up, to try everything in a minute.
///
/// Twelve people with factors, codes and six weeks of history stand in a temporary folder: somebody waits for help, a reset
/// waits for an owner, somebody was refused, an account was taken over. It is reached from this machine alone, because
/// anyone who reaches it can sign in as everybody. When it ends, everything in it goes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Demo {
    /// The address and port on which to wait for requests: on this machine alone [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// Taken as by every command, and left alone: a demo has a folder of its own.
    #[arg(long, value_name = "DIR")]
    data: Option<std::path::PathBuf>,
}

impl Demo {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let doing = "run the demo";
        drop(self.data);
        let config = config(self.listen.clone())?;
        log::start(tracing::Level::WARN);
        raise_descriptors();
        let edge = bind(&config, self.listen.is_none()).map_err(Failure::to(doing))?;
        let bound = edge.local_addr().map_err(Failure::to(doing))?;
        let room = Room::make("idp-demo").map_err(Failure::to(doing))?;
        let stopping = Arc::new(AtomicBool::new(false));
        stop_with_room(&edge, &room, &stopping).map_err(Failure::to(doing))?;
        let settings = Settings { data: room.path().join("data"), ..new_settings(&config, bound)? };

        remark("Making an organisation with six weeks of history. This takes some seconds.");
        let made = make(&settings, room.path(), &stopping);
        if stopping.load(Ordering::SeqCst) {
            return Ok(Answer::Done);
        }
        let demo = made.map_err(|e| Failure::to(doing)(e as Box<dyn Error>))?;
        // Everything from here on happens now, and in no company's past.
        let opened = open(&settings.data, Clock::System).map_err(Failure::to(doing))?;
        let lock = crate::host::lock::FolderLock::acquire(&settings.data).map_err(Failure::to(doing))?;
        lock.announce(settings.public_url.as_str());
        let lines = announcement(&settings);
        let app = App::new(opened, settings, Clock::System).map_err(Failure::to(doing))?;
        let app = Arc::new(app.with_demo(demo));
        let sweeper = Sweeper::start(Arc::clone(&app)).map_err(Failure::to(doing))?;
        // Who started it may not listen; that stops no demo.
        let _ = lines.iter().try_for_each(|line| say(line));
        serve(edge, &app);
        drop(sweeper);
        drop(app);
        drop(lock);
        drop(room);
        Ok(Answer::Done)
    }
}

/// The defaults, and nothing that was set for a real server.
fn config(listen: Option<String>) -> Result<Config, Failure> {
    let doing = "run the demo";
    let flags = Flags {
        listen,
        organisation: Some(ORGANISATION.to_owned()),
        help_contact: Some(HELP_CONTACT.to_owned()),
        ..Flags::default()
    };
    let variables = Variables::from_environment([]).map_err(Failure::to(doing))?;
    let sources = Sources::new(&flags, &variables, None).map_err(Failure::to(doing))?;
    let cores = std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN);
    Config::merge(&sources, cores).map_err(|e| match e {
        ConfigError::NoPublicUrl(address) => Failure::to(doing)(format!(
            "{address} is reached from elsewhere, and anyone who reaches a demo can sign in as everybody: choose an address \
             of this machine alone, like 127.0.0.1:8080"
        )),
        e => Failure::to(doing)(e),
    })
}

fn new_settings(config: &Config, bound: std::net::SocketAddr) -> Result<Settings, Failure> {
    Settings::new(config, config.public_url_at(bound)).map_err(Failure::to("run the demo"))
}

/// The port that was asked for; where none was, another one if the usual one is taken.
fn bind(config: &Config, any_port: bool) -> Result<Edge, String> {
    let bound = Edge::bind(config.listen, Limits::default());
    let bound = match bound {
        Err(e) if any_port && e.kind() == std::io::ErrorKind::AddrInUse => {
            Edge::bind((config.listen.ip(), 0), Limits::default())
        }
        bound => bound,
    };
    bound.map_err(|e| format!("can not listen on {}: {e}. --listen takes another address", config.listen))
}

/// The first signal ends the story or the server, and the folder goes with this function's end; the second takes the
/// folder along at once. So does the end of the terminal.
fn stop_with_room(edge: &Edge, room: &Room, stopping: &Arc<AtomicBool>) -> std::io::Result<()> {
    let (stopper, stopping, folder) = (edge.stopper(), Arc::clone(stopping), room.path().to_owned());
    let stop = move || {
        stopping.store(true, Ordering::SeqCst);
        stopper.stop();
    };
    stop_on_signals(&[SIGTERM, SIGINT, SIGHUP], stop, move || room::remove(&folder))
}

/// Lets six weeks pass in the data folder.
fn make(settings: &Settings, room: &Path, stopping: &AtomicBool) -> company::Done<crate::demo::Demo> {
    let now = Clock::System.now();
    let clock = Clock::at(now.minus(WEEKS));
    let source = operator::source();
    let Serving { opened, lock, .. } = open_or_create(&settings.data, &source, clock.clone())?;
    let app = App::new(opened, settings.clone(), clock.clone())?;
    let company = Company::new(&app, clock, now, stopping, source);
    first_days::pass(&company, room)?;
    weeks::pass(&company, room)?;
    let demo = company.into_demo()?;
    read_old_notices(&app.means, now)?;
    drop(app);
    drop(lock);
    Ok(demo)
}

/// Who has been here for weeks has read what they were told then; what happened since yesterday is still new to them.
fn read_old_notices(means: &Means, now: Timestamp) -> company::Done<()> {
    for part in &CAST {
        let email = part.email().parse()?;
        let told = means.store.read(|tx| match users::find_by_email(tx, &email)? {
            Some(user) => notices::list_of_user(tx, user.id, u32::MAX),
            None => Ok(Vec::new()),
        })?;
        let old: Vec<&Notice> = told.iter().filter(|n| now.since(n.at) > YESTERDAY).collect();
        if let Some(user) = old.first().map(|notice| notice.user_id) {
            seen(means, (user, now), old.iter().map(|notice| notice.id).collect())?;
        }
    }
    Ok(())
}

fn announcement(settings: &Settings) -> Vec<String> {
    let url = &settings.public_url;
    let mut lines = vec![
        format!("The demo is ready at {url}"),
        String::new(),
        format!("Open {} first: it shows everybody's codes, and what to try.", url.link("/demo")),
        format!("Everybody's password is  {PASSWORD}"),
        String::new(),
    ];
    lines.extend(CAST.iter().map(|part| format!("  {:<8} {:<28} {}", part.role.as_str(), part.email(), part.name)));
    lines.extend([
        String::new(),
        format!("Its folder, for other commands:  --data {}", settings.data.display()),
        "Ctrl-C ends it, and everything in it goes.".to_owned(),
    ]);
    lines
}

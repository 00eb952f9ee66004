//! The trail goes on to other machines: everything, in its order, whatever happens to them in between.

mod anchors;
mod hook_server;
mod log_server;
mod operator;
mod receivers;
mod restarts;
mod syslog;
mod webhook;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use idp::actions::stream::Carrier;
use idp::audit::export::push_json_line;
use idp::audit::{Action, Actor, Event, Record, Source};
use idp::config::{Config, ConfigFile, Flags, Sources, Variables};
use idp::host::link::{Link, Patience};
use idp::storage::{Audited, Store, streams};
use idp::streams::{Receiver, Standing};

use crate::world::{Browser, Phone, World};

const URL: &str = "https://id.fernhill.example";

/// Settings as `idp.toml` has them.
pub fn config(toml: &str) -> Config {
    let (flags, variables) = (Flags::default(), Variables::default());
    let file = ConfigFile::locate(&flags.place, &variables);
    let sources = Sources::new(&flags, &variables, Some((&file, toml))).unwrap();
    Config::merge(&sources, std::num::NonZeroUsize::MIN).unwrap()
}

/// The one way that these settings describe.
pub fn link(toml: &str) -> Box<dyn Link> {
    let mut links = idp::app::links(&config(toml), &URL.parse().unwrap()).unwrap();
    assert_eq!(links.len(), 1);
    links.remove(0)
}

/// The lines of a syslog setting.
pub fn syslog_toml(place: &str, ca_file: Option<PathBuf>) -> String {
    let ca = ca_file.map_or(String::new(), |path| format!("syslog_ca_file = \"{}\"\n", path.display()));
    format!("syslog = \"{place}\"\n{ca}")
}

/// A provider whose trail is carried to one receiver.
pub struct Sent {
    pub world: World,
    pub carrier: Carrier,
    toml: String,
    /// The newest entry when it began.
    pub from: i64,
}

impl Sent {
    /// With these settings, begun.
    pub fn to(toml: &str) -> Self {
        Self::from_world(World::with(URL, |settings| settings.streams = Receiver::ALL.into()), toml)
    }

    /// The same where there is an owner, who is signed in.
    pub fn owned(toml: &str) -> (Self, Browser, Phone) {
        let world = World::with(URL, |settings| settings.streams = Receiver::ALL.into());
        let (world, ada, phone) = world.owned();
        (Self::from_world(world, toml), ada, phone)
    }

    fn from_world(world: World, toml: &str) -> Self {
        let mut sent = Self { from: world.head(), world, carrier: Carrier::new(link(toml)), toml: toml.to_owned() };
        sent.round();
        sent
    }

    /// One round of the thread that sends.
    pub fn round(&mut self) {
        self.round_of(Duration::from_secs(60));
    }

    /// A round that ends after this time.
    pub fn round_of(&mut self, time: Duration) {
        let patience = Patience { until: Instant::now() + time, go_on: &|| true };
        self.carrier.round(&self.world.app.means.store, &self.world.clock, patience).unwrap();
    }

    /// The program is killed and started again: what was only in memory is gone.
    pub fn killed(&mut self) {
        self.world.restart();
        self.carrier = Carrier::new(link(&self.toml));
    }

    /// It ends as it should, and is started again.
    pub fn restarted(&mut self) {
        let patience = Patience { until: Instant::now() + Duration::from_secs(60), go_on: &|| true };
        self.carrier.end(&self.world.app.means.store, &self.world.clock, patience).unwrap();
        self.killed();
    }

    pub fn standing(&self) -> Standing {
        let receiver = self.carrier.receiver();
        self.world.app.means.store.read(|tx| streams::find(tx, receiver)).unwrap().unwrap()
    }

    /// So many further entries.
    pub fn write(&self, count: u32) {
        write(&self.world.app.means.store, count);
    }

    /// Every entry since it began, as the line that an export has.
    pub fn lines(&self) -> Vec<String> {
        let since = self.world.entries().into_iter().filter(|entry| entry.header.seq > self.from);
        since.map(|entry| line(&entry)).collect()
    }
}

/// So many entries that say a little.
pub fn write(store: &Store, count: u32) {
    let record = |n: u32| {
        let event = Event::ClockStepped { back_by_seconds: n };
        Record::new(Actor::System, &Source::default(), event)
    };
    for from in (0..count).step_by(500) {
        let mut records = (from..(from + 500).min(count)).map(record).collect::<Vec<_>>().into_iter();
        let first = records.next().unwrap();
        store.change(move |_| Ok::<_, idp::storage::Error>(Audited::new((), first).and_all(records))).unwrap();
    }
}

pub fn line(entry: &idp::audit::Entry) -> String {
    let mut line = String::new();
    push_json_line(&mut line, &entry.into());
    line.trim_end().to_owned()
}

/// How many checkpoints the trail has.
pub fn checkpoints(world: &World) -> usize {
    world.entries_of(Action::AuditCheckpointSigned).len()
}

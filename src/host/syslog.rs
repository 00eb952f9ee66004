//! The trail as syslog messages to another machine: RFC 5424 over UDP (RFC 5426), TCP (RFC 6587, octet counting) or TLS
//! (RFC 5425).
//!
//! Architecture invariant: over a connection, an entry counts as arrived once the other machine's system has acknowledged it
//! and the connection was still open then; what [`History`] says may have been lost with a connection is sent again. A
//! datagram that is lost is noticed only where the other machine refuses it.

mod frame;
mod history;

use std::io::{self, ErrorKind};
use std::net::{ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use history::History;

use super::link::{Delivered, Link, Patience};
use super::tls::{self, Unusable};
use super::wire::{Address, Wire};
use crate::config::{SyslogSettings, Way};
use crate::streams::{Item, Receiver};

/// The time to connect and encrypt.
const OPENING: Duration = Duration::from_secs(10);
/// A receiver that has not taken everything after this time stalls.
const STALLS: Duration = Duration::from_secs(10);
/// A burst of so many datagrams fits into a receiver's memory; then it is waited a moment.
const BURST: usize = 32;
const MOMENT: Duration = Duration::from_millis(20);

/// The way to a syslog server.
pub struct Syslog {
    settings: SyslogSettings,
    /// This server's name in the messages.
    host: String,
    address: Address,
    open: Option<Open>,
    datagrams: Option<UdpSocket>,
}

/// A connection, and what went over it.
struct Open {
    wire: Wire,
    history: History,
    under_way: Option<Batch>,
}

/// What was put into the connection and has not been acknowledged.
#[derive(Clone, Copy)]
struct Batch {
    after: i64,
    last: i64,
    bytes: usize,
}

/// How a connection is over.
enum Over {
    InOrder,
    Broken(String),
}

impl Syslog {
    /// The way that the settings describe, for a server that is reached at `host`. Reads the file that they name.
    ///
    /// # Errors
    /// When that file can not be read or holds no such thing.
    pub fn new(settings: &SyslogSettings, host: &str) -> Result<Self, Unusable> {
        let tls = match settings.way {
            Way::Tls => Some(tls::client(settings.ca_file.as_deref())?),
            Way::Udp | Way::Tcp => None,
        };
        let ca_setting = crate::config::SYSLOG_CA_FILE.key;
        let address = Address { host: settings.host.clone(), port: settings.port, tls, ca_setting };
        let host = frame::host_name(host);
        Ok(Self { settings: settings.clone(), host, address, open: None, datagrams: None })
    }

    /// All messages of an entry. In a datagram, what is too long is left out.
    fn messages(&self, item: &Item) -> impl Iterator<Item = String> {
        let whole = self.settings.way != Way::Udp;
        let entry = self.settings.entries.then(|| frame::entry(item, &self.host, whole));
        entry.into_iter().chain(frame::checkpoint(item, &self.host))
    }

    fn send_datagrams(&mut self, items: &[Item], patience: Patience<'_>) -> Delivered {
        let mut arrived = 0;
        for burst in items.chunks(BURST) {
            if !patience.lasts() {
                break;
            }
            if let Err(e) = self.send_burst(burst) {
                self.datagrams = None;
                let why = match e.kind() {
                    ErrorKind::ConnectionRefused => {
                        "nothing listens there: its machine refuses the messages".to_owned()
                    }
                    _ => format!("it can not be reached: {e}"),
                };
                return Delivered { arrived, failed: Some(why), back_to: None };
            }
            arrived += burst.len();
        }
        Delivered { arrived, ..Delivered::default() }
    }

    fn send_burst(&mut self, burst: &[Item]) -> io::Result<()> {
        let socket = match self.datagrams.take() {
            Some(socket) => socket,
            None => connect_datagrams(&self.settings)?,
        };
        for message in burst.iter().flat_map(|item| self.messages(item)) {
            socket.send(message.as_bytes())?;
        }
        // The answer of a machine on which nothing listens comes a little later.
        std::thread::sleep(MOMENT);
        if let Some(e) = socket.take_error()? {
            return Err(e);
        }
        self.datagrams = Some(socket);
        Ok(())
    }

    fn send_over_connection(&mut self, after: i64, items: &[Item], patience: Patience<'_>) -> Delivered {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => match self.address.open(patience.until.min(Instant::now() + OPENING)) {
                Ok(wire) => Open { wire, history: History::default(), under_way: None },
                Err(why) => return Delivered { failed: Some(why), ..Delivered::default() },
            },
        };
        let patience = Patience { until: patience.until.min(Instant::now() + STALLS), ..patience };
        let driven = self.begin(&mut open, after, items).map_err(|e| Over::Broken(self.address.broken(&e)));
        let driven = driven.and_then(|batch| Ok((batch, open.drive(patience, &self.address)?)));
        match driven {
            Ok((batch, true)) => {
                open.under_way = None;
                open.history.push(batch.after, batch.bytes, Instant::now());
                self.open = Some(open);
                Delivered {
                    arrived: items.iter().filter(|item| item.seq <= batch.last).count(),
                    ..Delivered::default()
                }
            }
            Ok((_, false)) => {
                // The connection stays: another one would only bring the same once more, and in another order.
                self.open = Some(open);
                let stalls = "it takes nothing more at the moment: does the program there still run?".to_owned();
                Delivered { failed: (patience.go_on)().then_some(stalls), ..Delivered::default() }
            }
            Err(over) => {
                let in_order = matches!(over, Over::InOrder);
                let why = match over {
                    Over::InOrder => "it closed the connection before it had everything".to_owned(),
                    Over::Broken(why) => why,
                };
                let back_to = open.history.back_to(in_order, Instant::now());
                Delivered { arrived: 0, failed: Some(why), back_to }
            }
        }
    }

    /// Puts the entries into the connection, unless they are in it from the last time.
    fn begin(&self, open: &mut Open, after: i64, items: &[Item]) -> io::Result<Batch> {
        if let Some(batch) = open.under_way {
            let same = batch.after == after && items.iter().any(|item| item.seq == batch.last);
            return if same { Ok(batch) } else { Err(io::Error::other("other entries were under way")) };
        }
        let mut bytes = Vec::new();
        for message in items.iter().flat_map(|item| self.messages(item)) {
            bytes.extend_from_slice(format!("{} ", message.len()).as_bytes());
            bytes.extend_from_slice(message.as_bytes());
        }
        let batch = Batch { after, last: items.last().map_or(after, |item| item.seq), bytes: bytes.len() };
        open.under_way = Some(batch);
        open.wire.queue(&bytes)?;
        Ok(batch)
    }
}

impl Open {
    /// Sends until everything is acknowledged; `false` when there is no time left.
    fn drive(&mut self, patience: Patience<'_>, address: &Address) -> Result<bool, Over> {
        let broken = |e: io::Error| Over::Broken(address.broken(&e));
        loop {
            // First this: what is broken later was still open then.
            let arrived = self.wire.is_acknowledged().map_err(broken)?;
            self.wire.turn().map_err(broken)?;
            // No server has anything to say.
            self.wire.heard().clear();
            if self.wire.has_ended() {
                return Err(Over::InOrder);
            }
            if arrived {
                return Ok(true);
            }
            if !(self.wire.wait(patience.until) && patience.lasts()) {
                return Ok(false);
            }
        }
    }
}

fn connect_datagrams(settings: &SyslogSettings) -> io::Result<UdpSocket> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in (settings.host.as_str(), settings.port).to_socket_addrs()? {
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        match UdpSocket::bind(any).and_then(|socket| socket.connect(address).map(|()| socket)) {
            Ok(socket) => return Ok(socket),
            Err(e) => last = e,
        }
    }
    Err(last)
}

impl Link for Syslog {
    fn receiver(&self) -> Receiver {
        Receiver::Syslog
    }

    fn place(&self) -> String {
        self.settings.to_string()
    }

    fn wants_entries(&self) -> bool {
        self.settings.entries
    }

    fn deliver(&mut self, after: i64, items: &[Item], patience: Patience<'_>) -> Delivered {
        match self.settings.way {
            Way::Udp => self.send_datagrams(items, patience),
            Way::Tcp | Way::Tls => self.send_over_connection(after, items, patience),
        }
    }

    fn look(&mut self) -> Option<i64> {
        let open = self.open.as_mut().filter(|open| open.under_way.is_none())?;
        let broken = open.wire.turn().is_err();
        open.wire.heard().clear();
        if !broken && !open.wire.has_ended() {
            return None;
        }
        let back_to = open.history.back_to(!broken, Instant::now());
        self.open = None;
        back_to
    }

    fn farewell(&mut self, patience: Patience<'_>) -> Option<i64> {
        let mut open = self.open.take()?;
        // What is under way is sent again in any case.
        if open.under_way.is_some() || open.wire.end().is_err() {
            return open.history.back_to(false, Instant::now());
        }
        // Who closes in answer has read everything that came before.
        while open.wire.turn().is_ok() {
            open.wire.heard().clear();
            if open.wire.has_ended() {
                return None;
            }
            if !(open.wire.wait(patience.until) && patience.lasts()) {
                break;
            }
        }
        open.history.back_to(false, Instant::now())
    }

    fn check(&self) -> Result<(), String> {
        match self.settings.way {
            Way::Udp => connect_datagrams(&self.settings).map(drop).map_err(|e| format!("it can not be reached: {e}")),
            Way::Tcp | Way::Tls => self.address.open(Instant::now() + OPENING)?.end().map_err(|e| e.to_string()),
        }
    }
}

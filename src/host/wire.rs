//! One connection to another machine, in clear or encrypted, whose every step ends in time.
//!
//! Architecture invariant: nothing here blocks for longer than the moment that it is given. What the other side says is
//! kept up to a bound, and read all the time: so it is noticed when it goes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::outq::unacknowledged;

/// Each of a name's addresses is waited for so long.
const ONE_ADDRESS: Duration = Duration::from_secs(5);
/// The most of what the other side says that is kept.
const HEARD: usize = 64 * 1024;
/// How long to wait before the system is asked again whether all was acknowledged: no event tells that.
const SOON: Duration = Duration::from_millis(5);
/// A connection that is idle for so long is asked whether it is still there, so that a firewall in between does not forget it.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// To whom, and whether encrypted.
#[derive(Clone)]
pub(super) struct Address {
    /// A name or an address, as its certificate has it.
    pub host: String,
    pub port: u16,
    pub tls: Option<Arc<ClientConfig>>,
    /// The setting that names who vouches for an own server.
    pub ca_setting: &'static str,
}

/// An open connection.
pub(super) struct Wire {
    socket: TcpStream,
    tls: Option<ClientConnection>,
    out: Vec<u8>,
    heard: Vec<u8>,
    ended: bool,
}

impl Address {
    /// Connects, and encrypts where that is asked for.
    pub fn open(&self, until: Instant) -> Result<Wire, String> {
        let socket = self.connect(until).map_err(|e| self.unreached(&e))?;
        let tls = match &self.tls {
            None => None,
            Some(config) => {
                let name = ServerName::try_from(self.host.clone()).map_err(|e| e.to_string())?;
                Some(ClientConnection::new(Arc::clone(config), name).map_err(|e| e.to_string())?)
            }
        };
        let mut wire = Wire { socket, tls, out: Vec::new(), heard: Vec::new(), ended: false };
        while wire.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
            wire.turn().map_err(|e| self.broken(&e))?;
            if wire.ended {
                return Err("it closed the connection before it was encrypted".into());
            }
            if !wire.wait(until) {
                return Err(
                    "it does not answer in time with what begins the encryption: does that port speak TLS?".into()
                );
            }
        }
        Ok(wire)
    }

    fn connect(&self, until: Instant) -> io::Result<TcpStream> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            let left = until.saturating_duration_since(Instant::now()).min(ONE_ADDRESS);
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(socket) => {
                    socket.set_nonblocking(true)?;
                    socket.set_nodelay(true)?;
                    rustix::net::sockopt::set_socket_keepalive(&socket, true)?;
                    rustix::net::sockopt::set_tcp_keepidle(&socket, KEEPALIVE)?;
                    return Ok(socket);
                }
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    fn unreached(&self, e: &io::Error) -> String {
        match e.kind() {
            // A firewall of this machine says so. systemd's is one, and its unit allows no other host unless told to.
            ErrorKind::PermissionDenied => format!(
                "this machine does not let the connection out ({e}): if systemd runs the server, allow it in the unit with \
                 IPAddressAllow"
            ),
            ErrorKind::TimedOut => "it does not answer in time".into(),
            _ => format!("it can not be reached: {e}"),
        }
    }

    /// What an error on an open connection means.
    pub fn broken(&self, e: &io::Error) -> String {
        match e.kind() {
            // What rustls refuses comes as this.
            ErrorKind::InvalidData if e.to_string().contains("certificate") => format!(
                "its certificate is not trusted ({e}): name it as its certificate does; if it is your own, set {} to the \
                 certificate of who issued it",
                self.ca_setting
            ),
            ErrorKind::InvalidData => format!("it does not speak TLS as it should ({e})"),
            _ => format!("the connection broke: {e}"),
        }
    }
}

impl Wire {
    /// Puts bytes behind those that are to be sent.
    pub fn queue(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            None => self.out.extend_from_slice(bytes),
            Some(tls) => {
                // Who queues bounds what is queued.
                tls.set_buffer_limit(None);
                tls.writer().write_all(bytes)?;
            }
        }
        Ok(())
    }

    /// Sends and hears what can be sent and heard at this moment.
    pub fn turn(&mut self) -> io::Result<()> {
        self.send()?;
        self.hear()?;
        // What was heard can ask for an answer: the encryption's own.
        self.send()
    }

    fn send(&mut self) -> io::Result<()> {
        loop {
            let sent = match &mut self.tls {
                Some(tls) if tls.wants_write() => tls.write_tls(&mut self.socket),
                None if !self.out.is_empty() => self.socket.write(&self.out).inspect(|n| drop(self.out.drain(..*n))),
                _ => return Ok(()),
            };
            match sent {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn hear(&mut self) -> io::Result<()> {
        // Bounded: who talks all the time does not keep us here.
        for _ in 0..64 {
            let mut piece = [0; 4096];
            let heard = match &mut self.tls {
                None => self.socket.read(&mut piece),
                Some(tls) => tls.read_tls(&mut self.socket),
            };
            match heard {
                Ok(0) => {
                    self.ended = true;
                    return Ok(());
                }
                Ok(n) => self.keep(&mut piece, n)?,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn keep(&mut self, piece: &mut [u8], heard: usize) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            self.heard.extend_from_slice(&piece[..heard]);
            return self.bound();
        };
        let state = tls.process_new_packets().map_err(|e| io::Error::new(ErrorKind::InvalidData, e));
        if state.is_err() {
            // The other side is told why, as far as that still goes.
            let _ = tls.write_tls(&mut self.socket);
        }
        self.ended |= state?.peer_has_closed();
        while let Ok(n @ 1..) = tls.reader().read(piece) {
            self.heard.extend_from_slice(&piece[..n]);
        }
        self.bound()
    }

    fn bound(&self) -> io::Result<()> {
        if self.heard.len() > HEARD { Err(io::Error::other("it says far more than was asked")) } else { Ok(()) }
    }

    /// Whether all that was queued arrived in the other machine's memory, as its system says.
    pub fn is_acknowledged(&self) -> io::Result<bool> {
        Ok(!self.has_more() && unacknowledged(&self.socket)? == 0)
    }

    fn has_more(&self) -> bool {
        !self.out.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Whether the other side has said that nothing more will come from it.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// What the other side has said.
    pub fn heard(&mut self) -> &mut Vec<u8> {
        &mut self.heard
    }

    /// Waits until there is something to do, or for a short time; `false` once it is `until`.
    pub fn wait(&self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        // Without bytes to send, what is waited for can be an acknowledgement.
        let most = if self.has_more() { left } else { left.min(SOON) };
        let flags = if self.has_more() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let time = Timespec { tv_sec: 0, tv_nsec: most.min(Duration::from_millis(100)).subsec_nanos().into() };
        // An error of the connection is told by the next turn.
        let _ = poll(&mut [PollFd::new(&self.socket, flags)], Some(&time));
        !left.is_zero()
    }

    /// Says that nothing more will come.
    pub fn end(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        self.send()?;
        self.socket.shutdown(Shutdown::Write)
    }
}

//! A syslog server over TCP and TLS, and one over UDP.

use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::net::sockopt;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::receivers::{Certificates, Port, TICK, first_of_each, said, until};

/// How a receiver dies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// It closes in order.
    Closes,
    /// Its process is killed with unread bytes in its memory: the system resets the connection.
    Killed,
}

#[derive(Default)]
struct State {
    /// Everything that was read, a message an element.
    messages: Mutex<Vec<String>>,
    /// Connections that were made.
    connections: AtomicUsize,
    /// So many messages are read; then no more is.
    reads: AtomicUsize,
    /// Connections that are there, and how often any of them went on.
    live: AtomicUsize,
    turns: AtomicUsize,
    killed: AtomicBool,
    closed: AtomicBool,
}

/// A syslog server that is spoken to over connections.
pub struct LogServer {
    port: Port,
    tls: Option<Certificates>,
    state: Arc<State>,
    running: Option<std::thread::JoinHandle<()>>,
}

impl LogServer {
    pub fn tcp() -> Self {
        Self::start(None)
    }

    pub fn tls() -> Self {
        Self::start(Some(Certificates::make()))
    }

    fn start(tls: Option<Certificates>) -> Self {
        let state = Arc::new(State::default());
        state.reads.store(usize::MAX, Ordering::SeqCst);
        let mut server = Self { port: Port::reserve(), tls, state, running: None };
        server.start_again();
        server
    }

    /// The address as a setting has it.
    pub fn place(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "tls" } else { "tcp" }, self.port.address)
    }

    pub fn ca_file(&self) -> Option<PathBuf> {
        self.tls.as_ref().map(Certificates::ca_file)
    }

    /// What it has read, in the order in which it did.
    pub fn messages(&self) -> Vec<String> {
        self.state.messages.lock().unwrap().clone()
    }

    /// What it has read of this kind once there are so many that differ: the message itself.
    #[track_caller]
    pub fn wait_for(&self, kind: &str, count: usize) -> Vec<String> {
        until(&format!("{count} messages arrived"), || first_of_each(&said(&self.messages(), kind)).len() >= count);
        said(&self.messages(), kind)
    }

    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// From now on it reads so many messages more, and then leaves all others in its memory.
    pub fn reads(&self, more: usize) {
        let read = self.messages().len();
        self.state.reads.store(read.saturating_add(more), Ordering::SeqCst);
        // Who is reading at this moment still goes by what was said before.
        let turns = self.state.turns.load(Ordering::SeqCst);
        let passed = || self.state.turns.load(Ordering::SeqCst) >= turns + 2;
        until("it knows", || self.state.live.load(Ordering::SeqCst) == 0 || passed());
    }

    /// It is not there any more, and nobody gets through.
    pub fn stop(&mut self, death: Death) {
        match death {
            Death::Closes => &self.state.closed,
            Death::Killed => &self.state.killed,
        }
        .store(true, Ordering::SeqCst);
        if let Some(thread) = self.running.take() {
            thread.join().unwrap();
        }
    }

    /// It is there again, on the same port, and reads everything.
    pub fn start_again(&mut self) {
        self.state.reads.store(usize::MAX, Ordering::SeqCst);
        for flag in [&self.state.killed, &self.state.closed] {
            flag.store(false, Ordering::SeqCst);
        }
        let listener = TcpListener::bind(self.port.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (state, tls) = (Arc::clone(&self.state), self.tls.as_ref().map(Certificates::server));
        self.running = Some(std::thread::spawn(move || accept(&listener, &state, tls.as_ref())));
    }
}

impl Drop for LogServer {
    fn drop(&mut self) {
        self.stop(Death::Closes);
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>, tls: Option<&Arc<ServerConfig>>) {
    let mut readers = Vec::new();
    while !(state.killed.load(Ordering::SeqCst) || state.closed.load(Ordering::SeqCst)) {
        match listener.accept() {
            Ok((socket, _)) => {
                state.connections.fetch_add(1, Ordering::SeqCst);
                let (state, tls) = (Arc::clone(state), tls.cloned());
                readers.push(std::thread::spawn(move || read_messages(socket, &state, tls)));
            }
            Err(_) => std::thread::sleep(TICK),
        }
    }
    readers.into_iter().for_each(|reader| reader.join().unwrap());
}

fn read_messages(socket: TcpStream, state: &State, tls: Option<Arc<ServerConfig>>) {
    state.live.fetch_add(1, Ordering::SeqCst);
    read_until_it_is_over(socket, state, tls);
    state.live.fetch_sub(1, Ordering::SeqCst);
}

fn read_until_it_is_over(socket: TcpStream, state: &State, tls: Option<Arc<ServerConfig>>) {
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(TICK)).unwrap();
    let raw = socket.try_clone().unwrap();
    let mut from: Box<dyn Read> = match tls {
        None => Box::new(socket),
        Some(config) => Box::new(StreamOwned::new(ServerConnection::new(config).unwrap(), socket)),
    };
    let mut heard = Vec::new();
    loop {
        state.turns.fetch_add(1, Ordering::SeqCst);
        if state.killed.load(Ordering::SeqCst) {
            sockopt::set_socket_linger(&raw, Some(Duration::ZERO)).unwrap();
            return;
        }
        if state.closed.load(Ordering::SeqCst) {
            return;
        }
        if state.messages.lock().unwrap().len() >= state.reads.load(Ordering::SeqCst) {
            std::thread::sleep(TICK);
            continue;
        }
        // Byte by byte where only some are to be read: what is not taken stays in the system's memory.
        let bounded = state.reads.load(Ordering::SeqCst) != usize::MAX;
        let mut piece = vec![0; if bounded { 1 } else { 65_536 }];
        match from.read(&mut piece) {
            Ok(0) => return,
            Ok(n) => heard.extend_from_slice(&piece[..n]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
        while let Some(message) = take_frame(&mut heard) {
            state.messages.lock().unwrap().push(message);
        }
    }
}

/// A message behind its length: octet counting. What is none stays.
fn take_frame(heard: &mut Vec<u8>) -> Option<String> {
    let space = heard.iter().position(|b| *b == b' ')?;
    let length: usize = std::str::from_utf8(&heard[..space]).ok()?.parse().ok()?;
    let end = space + 1 + length;
    if heard.len() < end {
        return None;
    }
    let message = String::from_utf8(heard[space + 1..end].to_vec()).unwrap();
    heard.drain(..end);
    Some(message)
}

/// A syslog server that takes datagrams, as fast as they come.
pub struct Datagrams {
    place: String,
    messages: Receiver<String>,
    over: Arc<AtomicBool>,
    running: Option<std::thread::JoinHandle<()>>,
}

impl Datagrams {
    pub fn start() -> Self {
        Self::at("127.0.0.1:0")
    }

    pub fn at(address: &str) -> Self {
        let socket = UdpSocket::bind(address).unwrap();
        socket.set_read_timeout(Some(TICK)).unwrap();
        let place = format!("udp://{}", socket.local_addr().unwrap());
        let (over, (sender, messages)) = (Arc::new(AtomicBool::new(false)), channel());
        let stop = Arc::clone(&over);
        let running = std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while !stop.load(Ordering::SeqCst) {
                let Ok(n) = socket.recv(&mut buffer) else { continue };
                let _ = sender.send(String::from_utf8(buffer[..n].to_vec()).unwrap());
            }
        });
        Self { place, messages, over, running: Some(running) }
    }

    pub fn place(&self) -> String {
        self.place.clone()
    }

    /// The next so many messages.
    pub fn messages(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.messages.recv_timeout(Duration::from_secs(60)).unwrap()).collect()
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.running.take() {
            thread.join().unwrap();
        }
    }
}

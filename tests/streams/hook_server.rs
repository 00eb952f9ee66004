//! A receiver of HTTP requests.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::receivers::{Certificates, Port, TICK};

/// What a receiver of requests does with the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It answers this number and goes on over the connection.
    Answers(u16),
    /// It answers this and closes.
    AnswersOnce(u16),
    /// It closes without an answer.
    Closes,
    /// It says nothing for as long as the other side waits.
    Stalls,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub next: Next,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        let mut of = self.headers.iter().filter(|(n, _)| n == name);
        let (found, more) = (of.next().unwrap_or_else(|| panic!("no {name}: {self:?}")), of.next());
        assert!(more.is_none(), "{name} stands twice");
        &found.1
    }
}

#[derive(Default)]
struct Taken {
    requests: Mutex<Vec<Request>>,
    plan: Mutex<Vec<Next>>,
    connections: AtomicUsize,
    over: AtomicBool,
}

/// A receiver of HTTP requests.
pub struct HookServer {
    port: Port,
    tls: Option<Certificates>,
    taken: Arc<Taken>,
    running: Option<std::thread::JoinHandle<()>>,
}

impl HookServer {
    pub fn start(tls: Option<Certificates>) -> Self {
        let mut server = Self { port: Port::reserve(), tls, taken: Arc::default(), running: None };
        server.start_again();
        server
    }

    pub fn place(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.port.address)
    }

    pub fn ca_file(&self) -> Option<PathBuf> {
        self.tls.as_ref().map(Certificates::ca_file)
    }

    /// What it does with the next requests; with all others it answers 204.
    pub fn next(&self, plan: &[Next]) {
        *self.taken.plan.lock().unwrap() = plan.iter().rev().copied().collect();
    }

    pub fn requests(&self) -> Vec<Request> {
        self.taken.requests.lock().unwrap().clone()
    }

    /// The bodies of what it took.
    pub fn bodies(&self) -> Vec<String> {
        let took = |r: &Request| matches!(r.next, Next::Answers(200..=299) | Next::AnswersOnce(200..=299));
        self.requests().into_iter().filter(took).map(|r| r.body).collect()
    }

    pub fn connections(&self) -> usize {
        self.taken.connections.load(Ordering::SeqCst)
    }

    pub fn stop(&mut self) {
        self.taken.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.running.take() {
            thread.join().unwrap();
        }
    }

    pub fn start_again(&mut self) {
        self.taken.over.store(false, Ordering::SeqCst);
        let listener = TcpListener::bind(self.port.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (taken, tls) = (Arc::clone(&self.taken), self.tls.as_ref().map(Certificates::server));
        self.running = Some(std::thread::spawn(move || {
            let mut answering = Vec::new();
            while !taken.over.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((socket, _)) => {
                        taken.connections.fetch_add(1, Ordering::SeqCst);
                        let (taken, tls) = (Arc::clone(&taken), tls.clone());
                        answering.push(std::thread::spawn(move || answer(socket, &taken, tls)));
                    }
                    Err(_) => std::thread::sleep(TICK),
                }
            }
            answering.into_iter().for_each(|thread| thread.join().unwrap());
        }));
    }
}

impl Drop for HookServer {
    fn drop(&mut self) {
        self.stop();
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn answer(socket: TcpStream, taken: &Taken, tls: Option<Arc<ServerConfig>>) {
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(TICK)).unwrap();
    let mut stream: Box<dyn Stream> = match tls {
        None => Box::new(socket),
        Some(config) => Box::new(StreamOwned::new(ServerConnection::new(config).unwrap(), socket)),
    };
    let mut heard = Vec::new();
    while !taken.over.load(Ordering::SeqCst) {
        let mut piece = [0; 65_536];
        match stream.read(&mut piece) {
            Ok(0) => return,
            Ok(n) => heard.extend_from_slice(&piece[..n]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => return,
        }
        let Some(mut request) = take_request(&mut heard) else { continue };
        let next = taken.plan.lock().unwrap().pop().unwrap_or(Next::Answers(204));
        request.next = next;
        taken.requests.lock().unwrap().push(request);
        match next {
            Next::Answers(status) | Next::AnswersOnce(status) => {
                let more = if next == Next::AnswersOnce(status) { "Connection: close\r\n" } else { "" };
                let head = format!("HTTP/1.1 {status} x\r\nLocation: /elsewhere\r\n{more}Content-Length: 2\r\n\r\nok");
                stream.write_all(head.as_bytes()).unwrap();
                if !more.is_empty() {
                    return;
                }
            }
            Next::Closes => return,
            Next::Stalls => {
                while !taken.over.load(Ordering::SeqCst) {
                    std::thread::sleep(TICK);
                }
            }
        }
    }
}

fn take_request(heard: &mut Vec<u8>) -> Option<Request> {
    let end = heard.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = String::from_utf8(heard[..end].to_vec()).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.iter().find(|(name, _)| name == "content-length").unwrap().1.parse().unwrap();
    if heard.len() < end + length {
        return None;
    }
    let body = String::from_utf8(heard[end..end + length].to_vec()).unwrap();
    heard.drain(..end + length);
    Some(Request { line, headers, body, next: Next::Closes })
}

//! The edge over a real loopback socket: what a client sends, and what it gets back.

mod answers;
mod endurance;
mod framing;
mod large;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Edge, Limits, Stopper};
use crate::http::request::Request;
use crate::http::response::Response;

/// A running edge, stopped when dropped.
struct Served {
    addr: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<usize>>,
}

impl Served {
    fn new(limits: Limits, handler: impl Fn(Request) -> Response + Send + Sync + 'static) -> Self {
        let edge = Edge::bind("127.0.0.1:0", limits).unwrap();
        let (addr, stopper) = (edge.local_addr().unwrap(), edge.stopper());
        let thread = std::thread::spawn(move || edge.serve(Arc::new(handler)));
        Self { addr, stopper, thread: Some(thread) }
    }

    /// An edge that answers with what it was asked.
    fn echo(limits: Limits) -> Self {
        Self::new(limits, |r| {
            let body = String::from_utf8_lossy(r.body()).into_owned();
            Response::text(200, format!("[{} {} {} {body}]", r.method(), r.path(), r.query()))
        })
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).unwrap();
        // Only so that a broken edge fails a test instead of hanging it.
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Sends `bytes` and returns everything that comes back until the edge closes.
    fn ask(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).unwrap();
        read_to_close(&mut stream)
    }

    /// Waits until the edge has stopped; how many connections it cut.
    fn join(&mut self) -> usize {
        self.thread.take().map_or(0, |t| t.join().unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stopper.stop();
        self.join();
    }
}

fn read_to_close(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// Reads from a connection that stays open until `end` has come.
fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    String::from_utf8(answer).unwrap()
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

//! A load generator: keep-alive connections, one request at a time on each, from few threads.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Threads that send; the servers measured need the cores more.
const THREADS: usize = 2;

/// Bytes of the longest answer.
const BUFFER: usize = 256 * 1024;

/// Open connections to one server, kept between rounds.
pub struct Load {
    connections: Vec<TcpStream>,
    request: Vec<u8>,
}

impl Load {
    /// Opens `connections` to `addr` that will send `request`.
    pub fn connect(addr: SocketAddr, connections: usize, request: &str) -> Self {
        let connect = |_| {
            let stream = TcpStream::connect(addr).expect("the server listens");
            stream.set_nodelay(true).expect("a socket option");
            stream
        };
        Self { connections: (0..connections).map(connect).collect(), request: request.as_bytes().to_vec() }
    }

    /// Sends one request on each connection and waits for the answers.
    ///
    /// # Panics
    /// When an answer is not 200.
    pub fn once(&mut self) {
        send_once(&mut self.connections, &self.request, &mut vec![0; BUFFER]);
    }

    /// Sends requests for `time`; how many were answered with 200 in a second.
    ///
    /// # Panics
    /// On any other answer.
    pub fn per_second(&mut self, time: Duration) -> f64 {
        let begun = Instant::now();
        let (request, share) = (&self.request, self.connections.len().div_ceil(THREADS));
        let answered: usize = std::thread::scope(|scope| {
            let send = |streams| scope.spawn(move || send_until(begun + time, streams, request));
            let threads: Vec<_> = self.connections.chunks_mut(share).map(send).collect();
            threads.into_iter().map(|t| t.join().expect("the load generator")).sum()
        });
        answered as f64 / begun.elapsed().as_secs_f64()
    }
}

fn send_until(end: Instant, streams: &mut [TcpStream], request: &[u8]) -> usize {
    let mut buffer = vec![0; BUFFER];
    let mut answered = 0;
    while Instant::now() < end {
        send_once(streams, request, &mut buffer);
        answered += streams.len();
    }
    answered
}

fn send_once(streams: &mut [TcpStream], request: &[u8], buffer: &mut [u8]) {
    for stream in &mut *streams {
        stream.write_all(request).expect("the server takes a request");
    }
    for stream in streams {
        read_answer(stream, buffer);
    }
}

fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) {
    let (mut read, mut whole) = (0, None);
    while whole.is_none_or(|whole| read < whole) {
        let count = stream.read(&mut buffer[read..]).expect("the server answers");
        assert!(count > 0, "the server closed the connection");
        read += count;
        whole = whole.or_else(|| length(&buffer[..read]));
    }
    assert!(buffer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&buffer[..read.min(200)]));
}

/// The length of an answer, once its head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).expect("a head is text");
    let (_, after) = text.split_once("Content-Length: ").expect("a body of known length");
    let body: usize = after.split('\r').next().and_then(|n| n.parse().ok()).expect("a number");
    Some(head + body)
}

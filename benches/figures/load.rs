//! A load generator: keep-alive connections, one request at a time on each, from few threads.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Threads that send; the servers measured need the cores more.
const THREADS: usize = 2;

/// Bytes of the longest answer.
const BUFFER: usize = 256 * 1024;

/// A GET for `path` as a browser sends it, with `cookie` if it has one.
pub fn get(path: &str, cookie: Option<&str>) -> String {
    let cookie = cookie.map(|c| format!("Cookie: {c}\r\n")).unwrap_or_default();
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.5\r\n\
         Accept-Encoding: gzip, deflate, br\r\n{cookie}Connection: keep-alive\r\n\r\n"
    )
}

/// Open connections to one server, kept between rounds.
pub struct Load {
    connections: Vec<TcpStream>,
    request: Vec<u8>,
    status: u16,
}

impl Load {
    /// Opens `connections` to `addr` that will send `request`, and expect 200.
    pub fn connect(addr: SocketAddr, connections: usize, request: &str) -> Self {
        let connect = |_| {
            let stream = TcpStream::connect(addr).expect("the server listens");
            stream.set_nodelay(true).expect("a socket option");
            stream
        };
        Self { connections: (0..connections).map(connect).collect(), request: request.as_bytes().to_vec(), status: 200 }
    }

    /// The same, expecting another status.
    pub fn expecting(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Sends one request on each connection and waits for the answers.
    ///
    /// # Panics
    /// When an answer has another status than the one expected.
    pub fn once(&mut self) {
        send_once(&mut self.connections, &self.request, self.status, &mut vec![0; BUFFER]);
    }

    /// Sends requests for `time`; how many were answered in a second.
    ///
    /// # Panics
    /// When an answer has another status than the one expected.
    pub fn per_second(&mut self, time: Duration) -> f64 {
        let begun = Instant::now();
        let (request, status, share) = (&self.request, self.status, self.connections.len().div_ceil(THREADS));
        let answered: usize = std::thread::scope(|scope| {
            let send = |streams| scope.spawn(move || send_until(begun + time, streams, request, status));
            let threads: Vec<_> = self.connections.chunks_mut(share).map(send).collect();
            threads.into_iter().map(|t| t.join().expect("the load generator")).sum()
        });
        answered as f64 / begun.elapsed().as_secs_f64()
    }
}

fn send_until(end: Instant, streams: &mut [TcpStream], request: &[u8], status: u16) -> usize {
    let mut buffer = vec![0; BUFFER];
    let mut answered = 0;
    while Instant::now() < end {
        send_once(streams, request, status, &mut buffer);
        answered += streams.len();
    }
    answered
}

fn send_once(streams: &mut [TcpStream], request: &[u8], status: u16, buffer: &mut [u8]) {
    for stream in &mut *streams {
        stream.write_all(request).expect("the server takes a request");
    }
    for stream in streams {
        let answer = read_answer(stream, buffer);
        assert_eq!(self::status(answer), Some(status), "{}", String::from_utf8_lossy(&answer[..answer.len().min(200)]));
    }
}

/// Sends one request on a connection of its own and returns the answer, head and body.
///
/// # Panics
/// When the server gives none.
pub fn ask(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("the server takes a request");
    let mut buffer = vec![0; BUFFER];
    String::from_utf8_lossy(read_answer(&mut stream, &mut buffer)).into_owned()
}

fn read_answer<'b>(stream: &mut TcpStream, buffer: &'b mut [u8]) -> &'b [u8] {
    let (mut read, mut whole) = (0, None);
    while whole.is_none_or(|whole| read < whole) {
        let count = stream.read(&mut buffer[read..]).expect("the server answers");
        assert!(count > 0, "the server closed the connection");
        read += count;
        whole = whole.or_else(|| length(&buffer[..read]));
    }
    &buffer[..read]
}

/// The length of an answer, once its head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).expect("a head is text");
    let (_, after) = text.split_once("Content-Length: ").expect("a body of known length");
    let body: usize = after.split('\r').next().and_then(|n| n.parse().ok()).expect("a number");
    Some(head + body)
}

/// One open connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens one to `addr`.
    ///
    /// # Panics
    /// When nobody listens.
    pub fn open(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).expect("the server listens");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream, buffer: vec![0; BUFFER] }
    }

    /// Sends one request; the answer's status.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn ask(&mut self, request: &str) -> u16 {
        self.stream.write_all(request.as_bytes()).expect("the server takes a request");
        status(read_answer(&mut self.stream, &mut self.buffer)).expect("an answer with a status")
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    answer.get(9..12).and_then(|s| std::str::from_utf8(s).ok()).and_then(|s| s.parse().ok())
}

/// The form of the sign-in page, as a browser that has just read it would send it.
pub struct SignInForm {
    cookie: String,
    csrf: String,
}

impl SignInForm {
    /// Reads the page.
    ///
    /// # Panics
    /// When it has no form.
    pub fn get(addr: SocketAddr) -> Self {
        let page = ask(addr, &get("/sign-in", None));
        let between = |from: &str, to: char| {
            let begin = page.find(from).expect("the page has it") + from.len();
            page[begin..].split(to).next().unwrap_or_default().to_owned()
        };
        Self { cookie: between("Set-Cookie: ", ';'), csrf: between("name=\"csrf\" value=\"", '"') }
    }

    /// The request that sends it, with more `headers`.
    pub fn filled(&self, email: &str, password: &str, headers: &str) -> String {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &self.csrf)
            .append_pair("email", email)
            .append_pair("password", password)
            .finish();
        format!(
            "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\n{headers}Content-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
            self.cookie,
            form.len()
        )
    }
}

/// The time within which 99 of 100 were done, in microseconds.
///
/// # Panics
/// When there are none.
pub fn p99_micros(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[(times.len() * 99).div_ceil(100) - 1].as_secs_f64() * 1e6
}

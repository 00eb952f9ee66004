//! The edge: it accepts connections, bounds what each may take, and answers with what the handler makes of a request.
//!
//! One thread per connection. Nothing here trusts a client: connections, heads, bodies and the time for each are
//! bounded by [`Limits`]; framing is strict, because what two programs read differently is how requests are smuggled;
//! and whatever runs out (descriptors, threads, places), the edge keeps accepting and says what is wrong.
//!
//! The parts, from the outside in: `registry` knows every connection and which of them only wait for their client,
//! `connection` is the life of one, `large` the room for long bodies, `wire` its socket with deadlines, `head` the reading of a request's head, `answer`
//! the writing of a response. TLS belongs into `wire`.

mod answer;
mod connection;
mod head;
mod large;
mod limits;
mod refusal;
mod registry;
#[cfg(test)]
mod tests;
mod wire;

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

pub use self::large::Allowance;
pub use self::limits::Limits;
pub use self::refusal::EdgeError;
use self::registry::Registry;
use super::request::Request;
use super::response::Response;

/// What answers requests. It runs on the connection's thread; a panic in it becomes a 500 and ends that connection.
pub type Handler = Arc<dyn Fn(Request) -> Response + Send + Sync>;

/// What makes the page for a request that never reached the handler.
type ErrorPages = Arc<dyn Fn(EdgeError, &Request) -> Response + Send + Sync>;

/// What says how long the body of a request may be.
type LargeBodies = Arc<dyn Fn(&Request) -> Allowance + Send + Sync>;

/// How long accepting pauses when the system has nothing left to accept with.
const BACK_OFF: Duration = Duration::from_millis(50);

/// Connections that may wait to be accepted: enough for a burst of a thousand (the system may allow fewer).
const BACKLOG: i32 = 1024;

/// A listening socket with its limits.
pub struct Edge {
    listener: TcpListener,
    limits: Limits,
    error_pages: ErrorPages,
    large_bodies: LargeBodies,
    registry: Arc<Registry>,
    wake: UnixStream,
    waker: Arc<UnixStream>,
}

/// Ends [`Edge::serve`], from any thread.
#[derive(Clone)]
pub struct Stopper {
    registry: Arc<Registry>,
    waker: Arc<UnixStream>,
}

impl Stopper {
    /// Makes the edge stop accepting, close idle connections and finish the requests under way. Returns at once;
    /// [`Edge::serve`] returns when that is done, or when [`Limits::drain`] has passed. Calling it again changes nothing.
    pub fn stop(&self) {
        self.registry.stop();
        // Nobody left to wake is as good.
        let _ = (&*self.waker).write(&[1]);
    }
}

/// All that a connection's thread shares with the others.
struct Shared {
    limits: Limits,
    registry: Arc<Registry>,
    handler: Handler,
    error_pages: ErrorPages,
    large_bodies: LargeBodies,
    /// Places for long bodies.
    room: large::Room,
}

impl Edge {
    /// Listens on `addr` (port 0 takes any free one). Clients can connect from now on and wait for [`Edge::serve`].
    /// `limits.max_connections` is lowered to what the process may open.
    ///
    /// # Errors
    /// The system's, when the address cannot be had.
    pub fn bind(addr: impl ToSocketAddrs, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(addr)?;
        rustix::net::listen(&listener, BACKLOG)?;
        listener.set_nonblocking(true)?;
        let (wake, waker) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        waker.set_nonblocking(true)?;
        Ok(Self {
            listener,
            limits: limits.fitted_to_descriptors(),
            error_pages: Arc::new(|e, _| e.page()),
            large_bodies: Arc::new(|_| Allowance::Usual),
            registry: Arc::default(),
            wake,
            waker: Arc::new(waker),
        })
    }

    /// Answers requests that the edge refuses with `pages` instead of a line of plain text. The page's status should be
    /// [`EdgeError::status`]. They are given the head of the request, without its body; where none could be read, and
    /// where the handler took it, one of which nothing is true but the peer.
    #[must_use]
    pub fn with_error_pages(mut self, pages: impl Fn(EdgeError, &Request) -> Response + Send + Sync + 'static) -> Self {
        self.error_pages = Arc::new(pages);
        self
    }

    /// Takes longer bodies, up to [`Limits::max_large_body`], where `ask` says so. It is asked about a request that
    /// announces more than [`Limits::max_body`], with its head alone; see [`Limits::large_bodies`] for how many.
    #[must_use]
    pub fn with_large_bodies(mut self, ask: impl Fn(&Request) -> Allowance + Send + Sync + 'static) -> Self {
        self.large_bodies = Arc::new(ask);
        self
    }

    /// The address that is listened on.
    ///
    /// # Errors
    /// The system's; none is expected on a bound socket.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The limits in force.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What ends [`Edge::serve`].
    pub fn stopper(&self) -> Stopper {
        Stopper { registry: self.registry.clone(), waker: self.waker.clone() }
    }

    /// Serves until [`Stopper::stop`]. Returns how many connections were still busy after [`Limits::drain`] and were cut.
    pub fn serve(self, handler: Handler) -> usize {
        let Self { listener, limits, error_pages, large_bodies, registry, wake, waker: _waker } = self;
        let room = large::Room::new(limits.large_bodies);
        let shared = Arc::new(Shared { limits, registry, handler, error_pages, large_bodies, room });
        while !shared.registry.is_stopping() {
            let mut fds = [PollFd::new(&listener, PollFlags::IN), PollFd::new(&wake, PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) | Err(Errno::INTR) => accept_waiting(&listener, &shared, &wake),
                Err(e) => {
                    tracing::error!(error = %io::Error::from(e), "cannot wait for connections");
                    pause(&wake);
                }
            }
        }
        drop(listener);
        shared.registry.drain(shared.limits.drain)
    }
}

/// Takes in everyone who stands at the door.
fn accept_waiting(listener: &TcpListener, shared: &Arc<Shared>, wake: &UnixStream) {
    let mut in_trouble = false;
    while !shared.registry.is_stopping() {
        match listener.accept() {
            Ok((stream, from)) => {
                in_trouble = false;
                admit(stream, from, shared);
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
            Err(e) => match e.raw_os_error().map(Errno::from_raw_os_error) {
                // The client went away while it waited: nothing is wrong here.
                Some(Errno::CONNABORTED | Errno::INTR | Errno::PROTO | Errno::NETDOWN | Errno::HOSTUNREACH) => {}
                // Out of descriptors or memory, or something unheard of. A client that only waits gives its place up,
                // and the loop goes on: an accept loop that ends is a process that looks alive and answers nobody.
                _ => {
                    if !std::mem::replace(&mut in_trouble, true) {
                        tracing::warn!(error = %e, "cannot accept connections just now; trying again");
                    }
                    if !shared.registry.shed() {
                        pause(wake);
                    }
                }
            },
        }
    }
}

/// Stands for a request of which nothing is known but where it came from.
fn unread(peer: IpAddr) -> Request {
    Request::get("/").from_peer(peer)
}

/// Waits for [`BACK_OFF`], or for the stopper.
fn pause(wake: &UnixStream) {
    let timeout = BACK_OFF.try_into().ok();
    let _ = poll(&mut [PollFd::new(wake, PollFlags::IN)], timeout.as_ref());
}

/// Gives `stream` a place and a thread, or says that there is none.
fn admit(stream: TcpStream, from: SocketAddr, shared: &Arc<Shared>) {
    if !shared.registry.make_room(shared.limits.max_connections) {
        return turn_away(&stream, from.ip().to_canonical(), shared);
    }
    let (place, slot) = Registry::enter(&shared.registry, stream);
    let (for_thread, own_slot, peer) = (shared.clone(), slot.clone(), from.ip().to_canonical());
    let talk = move || {
        connection::run(&for_thread, own_slot, peer);
        drop(place);
    };
    let thread = std::thread::Builder::new().name("http".into()).stack_size(shared.limits.stack);
    if thread.spawn(talk).is_err() {
        // The closure is gone and with it the place, but `slot` still holds the socket open.
        turn_away(slot.stream(), peer, shared);
    }
}

/// Says 503 without ever waiting: this is the accept loop's own thread.
fn turn_away(mut stream: &TcpStream, peer: IpAddr, shared: &Shared) {
    let mut out = Vec::new();
    let page = answer::page(EdgeError::Busy, &unread(peer), &*shared.error_pages);
    answer::print_refusal(&mut out, EdgeError::Busy, page);
    if stream.set_nonblocking(true).is_ok() && stream.write(&out).is_ok() {
        let _ = stream.shutdown(Shutdown::Write);
        // What has arrived and is left unread makes the close a reset, which can overtake the answer.
        let _ = stream.read(&mut [0; 2048]);
    }
}

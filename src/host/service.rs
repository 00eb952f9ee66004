//! Telling the service manager how far the server is, as `sd_notify(3)` describes: one datagram to the socket that
//! `NOTIFY_SOCKET` names. Without that variable nobody asked, and nothing is sent.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It takes requests.
    Ready,
    /// It takes no new ones, and finishes those under way.
    Stopping,
}

/// Tells the service manager, where there is one.
///
/// # Errors
/// The socket can not be reached.
pub fn notify(progress: Progress) -> io::Result<()> {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET").filter(|s| !s.is_empty()) else { return Ok(()) };
    let message: &[u8] = match progress {
        Progress::Ready => b"READY=1",
        Progress::Stopping => b"STOPPING=1",
    };
    UnixDatagram::unbound()?.send_to_addr(message, &address(&socket)?)?;
    Ok(())
}

/// A path, or after `@` a name without a file.
fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(socket),
    }
}

//! How many bytes of a connection the other machine has not acknowledged yet: the one thing about a socket that neither the
//! standard library nor rustix asks without `unsafe`.

#![allow(unsafe_code)]

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;

/// What was written into the socket and is not known to have arrived in the other machine's memory.
///
/// # Errors
/// When the system does not say.
pub fn unacknowledged(socket: &TcpStream) -> io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open as long as `socket` is borrowed. SIOCOUTQ, which Linux has as TIOCOUTQ too (tcp(7)),
    // writes one int to where the pointer says, which is one int of ours.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(usize::try_from(bytes).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn what_a_peer_does_not_take_stays_unacknowledged() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        assert_eq!(unacknowledged(&socket).unwrap(), 0);
        socket.set_nonblocking(true).unwrap();
        // More than fits into both sides' buffers.
        let mut written = 0;
        while let Ok(n) = socket.write(&[7; 65_536]) {
            written += n;
        }
        assert!(unacknowledged(&socket).unwrap() > 0);
        peer.read_exact(&mut vec![0; written]).unwrap();
        while unacknowledged(&socket).unwrap() > 0 {
            std::thread::yield_now();
        }
    }
}

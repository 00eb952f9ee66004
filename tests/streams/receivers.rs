//! What the receivers of tests have in common. They are on 127.0.0.1 alone, keep their port while they are down, and end
//! with the test.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket, sockopt};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::mail_server::make_certificates;

/// How often a receiver looks whether it is to stop.
pub const TICK: Duration = Duration::from_millis(10);

/// Waits until this holds; a test in which it never does fails.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "it never came to this: {what}");
        std::thread::sleep(TICK);
    }
}

/// A port that stays ours, also while nothing listens on it.
pub struct Port {
    _reserved: OwnedFd,
    pub address: SocketAddr,
}

impl Port {
    pub fn reserve() -> Self {
        let reserved = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        sockopt::set_socket_reuseaddr(&reserved, true).unwrap();
        bind(&reserved, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = getsockname(&reserved).unwrap().try_into().unwrap();
        Self { _reserved: reserved, address }
    }
}

/// A certificate for 127.0.0.1, and who issued it.
pub struct Certificates(tempfile::TempDir);

impl Certificates {
    pub fn make() -> Self {
        let room = tempfile::tempdir().unwrap();
        make_certificates(room.path());
        Self(room)
    }

    pub fn ca_file(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    pub fn server(&self) -> Arc<ServerConfig> {
        let chain =
            CertificateDer::pem_file_iter(self.0.path().join("server.pem")).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(self.0.path().join("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
    }
}

/// What messages of this kind say, behind the mark that they are UTF-8.
pub fn said(messages: &[String], kind: &str) -> Vec<String> {
    let of_kind = messages.iter().filter(|message| message.contains(&format!(" idp - {kind} [")));
    of_kind.map(|message| message.split_once("] \u{feff}").unwrap().1.to_owned()).collect()
}

/// Without what was said before.
pub fn first_of_each(lines: &[String]) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    lines.iter().filter(|line| seen.insert((*line).clone())).cloned().collect()
}

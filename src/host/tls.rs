//! Whom to trust on an encrypted way: the public issuers, or the one of the operator's own that a file names.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::files::{FileError, failed};

/// More than the certificates of a few issuers have.
const CA_LIMIT: u64 = 256 * 1024;

/// Why settings of a way outside can not be used: a file that they name is not as it must be.
#[derive(Debug)]
pub struct Unusable(pub(super) String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// Why a file could not be read, with the system's reason.
pub(super) fn unreadable(e: FileError) -> Unusable {
    use std::error::Error;
    Unusable(e.source().map_or_else(|| e.to_string(), |source| format!("{e}: {source}")))
}

/// The text of a file with certificates of issuers.
pub(super) fn read_ca(path: &Path) -> Result<Vec<u8>, Unusable> {
    let read = || -> io::Result<_> {
        let mut pem = Vec::new();
        File::open(path)?.take(CA_LIMIT).read_to_end(&mut pem)?;
        Ok(pem)
    };
    let pem = read().map_err(failed("read", path)).map_err(unreadable)?;
    // What has no certificate would be read as an empty list, and nobody would be trusted, with another error.
    if pem.windows(27).any(|w| w == b"-----BEGIN CERTIFICATE-----") { Ok(pem) } else { Err(no_certificates(path)) }
}

/// What is said of a file that holds none.
pub(super) fn no_certificates(path: &Path) -> Unusable {
    Unusable(format!("{} holds no certificates in PEM, which begin with -----BEGIN", path.display()))
}

/// TLS 1.2 or later, to servers whose certificate one of `ca_file` issued, or a public issuer where no file is named.
pub(super) fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, Unusable> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let pem = read_ca(path)?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|_| no_certificates(path))?;
                roots.add(certificate).map_err(|_| no_certificates(path))?;
            }
        }
    }
    // Named, and not taken from what the process has installed: nobody then has to install one first.
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| Unusable(format!("TLS can not be used: {e}")))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

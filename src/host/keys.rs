//! The two key files of the data folder.
//!
//! `seed.key` encrypts the TOTP seeds and must be kept with the backups, in another place: without it every second
//! factor has to be enrolled anew. `audit-signing.key` signs checkpoints of the audit trail and can be replaced.
//!
//! Architecture invariant: neither key stands in the database nor in a backup.

use std::fmt;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::files::{self, Exposure, FileError};
pub use super::seed_key::{DoesNotOpen, MacUse, SeedKey};
use crate::secret::Secret;

/// Name of the file that holds the key of the TOTP seeds.
pub const SEED_KEY_FILE: &str = "seed.key";
/// Name of the file that holds the key that signs checkpoints of the audit trail.
pub const AUDIT_KEY_FILE: &str = "audit-signing.key";

/// Bytes that a key file may have; both have under 200.
const KEY_FILE_LIMIT: u64 = 4096;
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// Why the keys can not be had.
#[derive(Debug)]
pub enum KeyError {
    /// The file is not there.
    Missing(PathBuf),
    /// A file stands where a new key was to be written.
    Exists(PathBuf),
    /// The file holds something else than such a key.
    Malformed(PathBuf),
    /// The file could not be read or written.
    File(FileError),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => {
                write!(f, "the key file {} is missing: put it back from where it is kept", path.display())
            }
            Self::Exists(path) => {
                write!(f, "the key file {} exists already: move it away if it is not needed", path.display())
            }
            Self::Malformed(path) => {
                write!(f, "{} is damaged or no such key: put the right file back", path.display())
            }
            Self::File(_) => f.write_str("a key file can not be used"),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(e) => Some(e),
            Self::Missing(_) | Self::Exists(_) | Self::Malformed(_) => None,
        }
    }
}

/// The Ed25519 key (RFC 8032) that signs checkpoints of the audit trail.
pub struct AuditSigningKey(Ed25519KeyPair);

impl AuditSigningKey {
    /// A new one.
    ///
    /// # Panics
    /// When the system has no randomness to give.
    pub fn generate() -> Self {
        Self(Ed25519KeyPair::generate().expect("the random generator of the cryptographic library works"))
    }

    /// Reads PKCS#8, version 1 or 2, in PEM: what [`AuditSigningKey::to_pem`] or `openssl genpkey` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.trim().strip_prefix(PEM_BEGIN)?.strip_suffix(PEM_END)?;
        let body: Zeroizing<Vec<u8>> = Zeroizing::new(body.bytes().filter(|b| !b.is_ascii_whitespace()).collect());
        let der = Zeroizing::new(BASE64.decode(&body).ok()?);
        Ed25519KeyPair::from_pkcs8(&der).ok().map(Self)
    }

    /// PKCS#8 version 1 (RFC 5208) in PEM (RFC 7468): every tool reads that.
    pub fn to_pem(&self) -> Secret {
        let der = self.0.to_pkcs8v1().expect("an Ed25519 key has a PKCS#8 form");
        // The DER has 48 bytes: exactly one line of 64 characters.
        let body = Zeroizing::new(BASE64.encode(der.as_ref()));
        Secret::new(format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", *body))
    }

    /// The signature over `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(message).as_ref());
        signature
    }

    /// The public half, as RFC 8032 encodes it.
    pub fn public(&self) -> [u8; 32] {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        public
    }
}

impl fmt::Debug for AuditSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[audit signing key]")
    }
}

/// Both keys of a data folder.
#[derive(Debug)]
pub struct Keys {
    /// Encrypts TOTP seeds and authenticates cookies and forms.
    pub seed: SeedKey,
    /// Signs checkpoints of the audit trail.
    pub audit: AuditSigningKey,
    /// Key files that others than this account may read. Serving goes on; `idp doctor` and the log tell.
    pub exposed: Vec<Exposure>,
}

impl Keys {
    /// Makes both keys and writes their files into `folder`, which must hold neither yet.
    ///
    /// # Errors
    /// [`KeyError::Exists`] when one of the files is there, [`KeyError::File`] when one can not be written; then
    /// neither is left.
    pub fn create(folder: &Path) -> Result<Self, KeyError> {
        let (seed_path, audit_path) = (folder.join(SEED_KEY_FILE), folder.join(AUDIT_KEY_FILE));
        if let Some(taken) = [&seed_path, &audit_path].into_iter().find(|p| p.symlink_metadata().is_ok()) {
            return Err(KeyError::Exists(taken.clone()));
        }
        let seed = create_seed(folder)?;
        match create_audit(folder) {
            Ok(audit) => Ok(Self { seed, audit, exposed: Vec::new() }),
            Err(e) => {
                // Half a pair would be taken for the remains of an older installation.
                let _ = std::fs::remove_file(&seed_path);
                Err(e)
            }
        }
    }

    /// Reads both keys from `folder`.
    ///
    /// # Errors
    /// [`KeyError::Missing`] or [`KeyError::Malformed`] with the file's path, [`KeyError::File`] when it can not be
    /// read.
    pub fn load(folder: &Path) -> Result<Self, KeyError> {
        let mut exposed = Vec::new();
        let seed = read(&folder.join(SEED_KEY_FILE), SeedKey::parse, &mut exposed)?;
        let audit = read(&folder.join(AUDIT_KEY_FILE), AuditSigningKey::parse, &mut exposed)?;
        Ok(Self { seed, audit, exposed })
    }
}

/// The key of the TOTP seeds in `folder`, if its file is there: for a restore, which has to judge it first.
///
/// # Errors
/// [`KeyError::Malformed`] or [`KeyError::File`].
pub fn find_seed(folder: &Path) -> Result<Option<SeedKey>, KeyError> {
    match read(&folder.join(SEED_KEY_FILE), SeedKey::parse, &mut Vec::new()) {
        Err(KeyError::Missing(_)) => Ok(None),
        found => found.map(Some),
    }
}

/// Writes a new key of the TOTP seeds into `folder`, which must hold none.
///
/// # Errors
/// [`KeyError::Exists`] or [`KeyError::File`].
pub fn create_seed(folder: &Path) -> Result<SeedKey, KeyError> {
    let key = SeedKey::generate();
    write(&folder.join(SEED_KEY_FILE), &key.to_line())?;
    Ok(key)
}

/// Writes a new key that signs checkpoints into `folder`, which must hold none.
///
/// # Errors
/// [`KeyError::Exists`] or [`KeyError::File`].
pub fn create_audit(folder: &Path) -> Result<AuditSigningKey, KeyError> {
    let key = AuditSigningKey::generate();
    write(&folder.join(AUDIT_KEY_FILE), &key.to_pem())?;
    Ok(key)
}

/// The key that signs checkpoints in `folder`.
///
/// # Errors
/// [`KeyError::Missing`], [`KeyError::Malformed`] or [`KeyError::File`].
pub fn load_audit(folder: &Path) -> Result<AuditSigningKey, KeyError> {
    read(&folder.join(AUDIT_KEY_FILE), AuditSigningKey::parse, &mut Vec::new())
}

/// Puts another key that signs checkpoints in place of the one in `folder`, if there is one, in one step.
///
/// # Errors
/// [`KeyError::File`]; then the old one is still there.
pub fn replace_audit(folder: &Path, key: &AuditSigningKey) -> Result<(), KeyError> {
    let path = folder.join(AUDIT_KEY_FILE);
    files::replace(&path, key.to_pem().reveal().as_bytes()).map_err(KeyError::File)?;
    files::give_to_owner_of(folder, &path).map_err(KeyError::File)
}

fn write(path: &Path, text: &Secret) -> Result<(), KeyError> {
    files::create_new(path, text.reveal().as_bytes()).map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
        _ => KeyError::File(e),
    })
}

fn read<K>(path: &Path, parse: fn(&str) -> Option<K>, exposed: &mut Vec<Exposure>) -> Result<K, KeyError> {
    let file = files::read_private(path, KEY_FILE_LIMIT).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => KeyError::Missing(path.to_owned()),
        _ => KeyError::File(e),
    })?;
    exposed.extend(file.exposure);
    let text = std::str::from_utf8(&file.contents).ok();
    text.and_then(parse).ok_or_else(|| KeyError::Malformed(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    #[test]
    fn keys_written_are_the_keys_read() {
        let dir = tempfile::tempdir().unwrap();
        let made = Keys::create(dir.path()).unwrap();
        let read = Keys::load(dir.path()).unwrap();
        assert_eq!(read.seed.fingerprint(), made.seed.fingerprint());
        assert_eq!(read.audit.public(), made.audit.public());
        assert!(read.exposed.is_empty());
        assert!(matches!(Keys::create(dir.path()), Err(KeyError::Exists(_))));
    }

    #[test]
    fn a_missing_or_damaged_key_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        Keys::create(dir.path()).unwrap();
        let seed = dir.path().join(SEED_KEY_FILE);
        std::fs::write(&seed, "idp-seed-key-v1 short\n").unwrap();
        let said = Keys::load(dir.path()).unwrap_err();
        assert!(matches!(&said, KeyError::Malformed(p) if *p == seed), "{said}");
        std::fs::remove_file(&seed).unwrap();
        let said = Keys::load(dir.path()).unwrap_err();
        assert!(matches!(&said, KeyError::Missing(p) if *p == seed), "{said}");
        assert!(
            matches!(Keys::create(dir.path()), Err(KeyError::Exists(_))),
            "no new seed key beside an old audit key"
        );
        assert!(!seed.exists());
    }

    #[test]
    fn a_key_that_others_may_read_is_loaded_and_told_of() {
        let dir = tempfile::tempdir().unwrap();
        Keys::create(dir.path()).unwrap();
        let path = dir.path().join(AUDIT_KEY_FILE);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let exposed = Keys::load(dir.path()).unwrap().exposed;
        assert!(matches!(&exposed[..], [Exposure::OthersMay { path: p, .. }] if *p == path));
    }

    #[test]
    fn the_audit_key_is_read_in_both_versions_of_pkcs8_and_signs() {
        let key = AuditSigningKey::generate();
        let signature = key.sign(b"checkpoint");
        UnparsedPublicKey::new(&ED25519, key.public()).verify(b"checkpoint", &signature).unwrap();
        assert_eq!(AuditSigningKey::parse(key.to_pem().reveal()).unwrap().public(), key.public());
        let second = BASE64.encode(key.0.to_pkcs8().unwrap().as_ref());
        let (a, b) = second.split_at(64);
        let read = AuditSigningKey::parse(&format!("{PEM_BEGIN}\n{a}\n{b}\n{PEM_END}\n")).unwrap();
        assert_eq!(read.public(), key.public());
        assert!(AuditSigningKey::parse("").is_none());
        assert!(AuditSigningKey::parse(&key.to_pem().reveal().replace("MC4", "MC5")).is_none());
        assert_eq!(format!("{key:?} {:?}", SeedKey::generate()), "[audit signing key] [seed key]");
    }
}

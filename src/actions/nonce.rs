//! A form's nonce: what makes the second click safe, and what says since when the evidence in it is known.

use super::{Error, Result};
use crate::host::keys::{MacUse, SeedKey};
use crate::ids::SessionId;
use crate::policy;
use crate::secret::{equal, random};
use crate::storage::{WriteTx, nonces};
use crate::time::Timestamp;

/// The nonce of one form that was shown to one session.
#[derive(Debug, Clone)]
pub struct Nonce {
    id: [u8; 16],
    issued_at: Timestamp,
}

impl Nonce {
    /// A new one, as the text of the form's hidden field.
    pub fn issue(key: &SeedKey, session: SessionId, now: Timestamp) -> String {
        let id = random::<16>();
        let mut bytes = id.to_vec();
        bytes.extend_from_slice(&now.as_micros().to_be_bytes());
        let mac = Self::mac(key, session, &bytes);
        bytes.extend_from_slice(&mac[..16]);
        data_encoding::BASE64URL_NOPAD.encode(&bytes)
    }

    /// Reads a hidden field. `None` if it was not made for this session, or longer ago than [`policy::FORM`].
    pub fn parse(key: &SeedKey, session: SessionId, text: &str, now: Timestamp) -> Option<Self> {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (signed, mac) = bytes.split_at_checked(24)?;
        if !equal(mac, &Self::mac(key, session, signed)[..16]) {
            return None;
        }
        let id = signed[..16].try_into().ok()?;
        let issued_at = Timestamp::from_micros(i64::from_be_bytes(signed[16..].try_into().ok()?));
        (now.since(issued_at) <= policy::FORM).then_some(Self { id, issued_at })
    }

    fn mac(key: &SeedKey, session: SessionId, signed: &[u8]) -> [u8; 32] {
        key.mac(MacUse::FormNonce, &[session.to_string().as_bytes(), signed])
    }

    /// When the form was opened: evidence that stands in it can not be younger.
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// Refuses a form that was carried out before.
    ///
    /// # Errors
    /// [`Error::AlreadyDone`] with what it did.
    pub fn check(&self, tx: &WriteTx<'_>) -> Result<()> {
        match nonces::find(tx, &self.id)? {
            Some(done) => Err(Error::AlreadyDone(done)),
            None => Ok(()),
        }
    }

    /// Marks the form as carried out.
    ///
    /// # Errors
    /// Why it could not be written.
    pub fn done(&self, tx: &WriteTx<'_>, said: &str, link: &str) -> Result<()> {
        Ok(nonces::insert(tx, &self.id, said, link)?)
    }
}

//! The key of the TOTP seeds, and what else is derived from it: authentication codes for cookies, forms and counters.
//!
//! Architecture invariant: no derived key serves two purposes, and no label ever changes.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac};
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use crate::secret::{Secret, random};

const SEED_PREFIX: &str = "idp-seed-key-v1 ";

/// A sealed value that does not open: another key, another row, or damage. It is not said which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoesNotOpen;

impl fmt::Display for DoesNotOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an encrypted value does not open with this seed.key")
    }
}

impl std::error::Error for DoesNotOpen {}

/// What a message authentication code is for. Each use has tags of its own; one is worthless as any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacUse {
    /// The value that binds a form to a session.
    Csrf,
    /// The nonce of a form that must act once.
    FormNonce,
    /// The cookie of a visitor without a session.
    PreSession,
    /// The name under which failures of an address are counted.
    Throttle,
    /// The link in a notice by which a person says "this wasn't me".
    Objection,
    /// The secret part of a link in a message: made from the message's id when it is sent, so that none is stored.
    MailedLink,
    /// The name under which links that are asked for are counted.
    LinkRequests,
}

impl MacUse {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Csrf => b"idp/mac/csrf/v1",
            Self::FormNonce => b"idp/mac/form-nonce/v1",
            Self::PreSession => b"idp/mac/pre-session/v1",
            Self::Throttle => b"idp/mac/throttle/v1",
            Self::Objection => b"idp/mac/objection/v1",
            Self::MailedLink => b"idp/mac/mailed-link/v1",
            Self::LinkRequests => b"idp/mac/link-requests/v1",
        }
    }
}

/// 32 random bytes, and the keys derived from them by HKDF-SHA256 (RFC 5869) with a label per purpose.
pub struct SeedKey {
    root: Zeroizing<[u8; 32]>,
    seeds: RandomizedNonceKey,
    pages: hmac::Key,
    throttle: hmac::Key,
    links: hmac::Key,
}

impl SeedKey {
    /// A new one from the system's generator.
    pub fn generate() -> Self {
        Self::from_root(Zeroizing::new(random()))
    }

    /// Reads the one line that [`SeedKey::to_line`] writes; a line break at its end may be missing. `None` if it is
    /// anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text).strip_prefix(SEED_PREFIX)?;
        let mut root = Zeroizing::new([0; 32]);
        if text.len() != 43 {
            return None;
        }
        BASE64URL_NOPAD.decode_mut(text.as_bytes(), &mut *root).ok()?;
        Some(Self::from_root(root))
    }

    /// `idp-seed-key-v1` and 43 characters of base64url, with a line break: short enough to be copied by hand.
    pub fn to_line(&self) -> Secret {
        let mut line = String::with_capacity(SEED_PREFIX.len() + 44);
        line.push_str(SEED_PREFIX);
        BASE64URL_NOPAD.encode_append(&*self.root, &mut line);
        line.push('\n');
        Secret::new(line)
    }

    fn from_root(root: Zeroizing<[u8; 32]>) -> Self {
        let seeds = derive::<32>(&root, b"idp/key/totp-seeds/v1");
        let pages = derive::<32>(&root, b"idp/key/pages/v1");
        let throttle = derive::<32>(&root, b"idp/key/throttle/v1");
        let links = derive::<32>(&root, b"idp/key/links/v1");
        Self {
            seeds: RandomizedNonceKey::new(&AES_256_GCM, &*seeds).expect("AES-256 takes any 32 bytes"),
            pages: hmac::Key::new(hmac::HMAC_SHA256, &*pages),
            throttle: hmac::Key::new(hmac::HMAC_SHA256, &*throttle),
            links: hmac::Key::new(hmac::HMAC_SHA256, &*links),
            root,
        }
    }

    /// Encrypts a TOTP seed with AES-256-GCM: a random nonce of 12 bytes, the ciphertext, a tag of 16 bytes.
    ///
    /// `row` is the id of the row in which it will stand, so that a seed copied into another person's row does not
    /// open there. Random nonces are safe for 2³² seeds (NIST SP 800-38D section 8.3).
    pub fn seal(&self, row: &str, plain: &[u8]) -> Vec<u8> {
        let mut buffer = Zeroizing::new(Vec::with_capacity(plain.len() + 16));
        buffer.extend_from_slice(plain);
        let nonce = self
            .seeds
            .seal_in_place_append_tag(Aad::from(row.as_bytes()), &mut *buffer)
            .expect("sealing fails only beyond 64 GiB");
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend_from_slice(&buffer);
        sealed
    }

    /// Decrypts what [`SeedKey::seal`] wrote for the same row.
    ///
    /// # Errors
    /// [`DoesNotOpen`] when the key, the row or any byte is another.
    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let (nonce, rest) = sealed.split_first_chunk::<12>().ok_or(DoesNotOpen)?;
        let mut buffer = Zeroizing::new(rest.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.seeds.open_in_place(nonce, Aad::from(row.as_bytes()), &mut buffer);
        let length = opened.map_err(|_| DoesNotOpen)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }

    /// HMAC-SHA256 (RFC 2104) over the use and the parts. Every part is preceded by its length, so that two lists of
    /// parts never make one message.
    pub fn mac(&self, to: MacUse, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(match to {
            MacUse::Csrf | MacUse::FormNonce | MacUse::PreSession => &self.pages,
            MacUse::Throttle | MacUse::LinkRequests => &self.throttle,
            MacUse::MailedLink | MacUse::Objection => &self.links,
        });
        for part in std::iter::once(to.label()).chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// 16 bytes that recognise this key and say nothing about it: the database keeps them to notice a wrong key.
    pub fn fingerprint(&self) -> [u8; 16] {
        *derive::<16>(&self.root, b"idp/key/fingerprint/v1")
    }
}

impl fmt::Debug for SeedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[seed key]")
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive<const N: usize>(root: &[u8; 32], label: &[u8]) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    // No salt: the root is uniform already (RFC 5869 section 3.1).
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(root);
    prk.expand(&[label], Length(N)).and_then(|okm| okm.fill(&mut *key)).expect("HKDF gives up to 8160 bytes");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed() -> SeedKey {
        SeedKey::parse("idp-seed-key-v1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n").unwrap()
    }

    #[test]
    fn a_seed_opens_only_with_its_key_and_in_its_row() {
        let key = fixed();
        let sealed = key.seal("row-1", b"seed bytes");
        assert_eq!(sealed.len(), 12 + 10 + 16);
        assert_eq!(&*key.open("row-1", &sealed).unwrap(), b"seed bytes");
        assert_ne!(sealed, key.seal("row-1", b"seed bytes"), "every sealing has its own nonce");
        assert!(key.open("row-2", &sealed).is_err());
        assert!(SeedKey::generate().open("row-1", &sealed).is_err());
        for i in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[i] ^= 1;
            assert!(key.open("row-1", &damaged).is_err(), "byte {i}");
        }
        assert!(key.open("row-1", &sealed[..27]).is_err());
        assert!(key.open("row-1", b"").is_err());
    }

    #[test]
    fn a_mac_is_worthless_for_another_use_or_another_split_of_its_parts() {
        let key = fixed();
        let mac = key.mac(MacUse::Csrf, &[b"ab", b"c"]);
        assert_eq!(mac, key.mac(MacUse::Csrf, &[b"ab", b"c"]));
        for other in [
            key.mac(MacUse::FormNonce, &[b"ab", b"c"]),
            key.mac(MacUse::PreSession, &[b"ab", b"c"]),
            key.mac(MacUse::Throttle, &[b"ab", b"c"]),
            key.mac(MacUse::Objection, &[b"ab", b"c"]),
            key.mac(MacUse::Csrf, &[b"a", b"bc"]),
            key.mac(MacUse::Csrf, &[b"abc"]),
            key.mac(MacUse::Csrf, &[b"ab", b"c", b""]),
            SeedKey::generate().mac(MacUse::Csrf, &[b"ab", b"c"]),
        ] {
            assert_ne!(mac, other);
        }
    }

    /// Computed apart from this program with HKDF and HMAC of another library. A change of a label would make every
    /// stored seed unreadable.
    #[test]
    fn derived_values_stay_what_they_were_in_the_first_version() {
        let key = fixed();
        assert_eq!(data_encoding::HEXLOWER.encode(&key.fingerprint()), "01ad9ebc03407b02891d997511bdae62");
        assert_eq!(
            data_encoding::HEXLOWER.encode(&key.mac(MacUse::Throttle, &[b"mara@example.org"])),
            "bfb0f1d5a5ad55e50d871850172ef113b32191671f24561345993cc0e5381d35"
        );
        assert_eq!(
            data_encoding::HEXLOWER.encode(&key.mac(MacUse::Objection, &[b"0193577e-4b0f-7cc0-8a5e-8f5f0c6b2d11"])),
            "97a04014d09f37a8db2d72aaad9c1610ae4457e145961078e0c6882f59a43b0f"
        );
        let sealed = data_encoding::HEXLOWER
            .decode(b"000102030405060708090a0be2d06bd6ce67a26ee9eadb5e527c237189cd838d78dd56f87b7c46ba47efb771f6ae3180")
            .unwrap();
        assert_eq!(&*key.open("row-1", &sealed).unwrap(), b"12345678901234567890");
    }

    #[test]
    fn a_seed_key_is_read_strictly() {
        let line = fixed().to_line();
        assert_eq!(line.reveal(), "idp-seed-key-v1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n");
        assert_eq!(SeedKey::parse(line.reveal().trim_end()).unwrap().fingerprint(), fixed().fingerprint());
        for bad in ["", "idp-seed-key-v1 ", &line.reveal()[16..], &line.reveal().replace("v1", "v2")] {
            assert!(SeedKey::parse(bad).is_none(), "{bad:?}");
        }
        assert!(SeedKey::parse(&line.reveal().repeat(2)).is_none());
    }
}

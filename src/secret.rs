//! Values that must not leak: redacted in every print, wiped when dropped, compared in constant time.
//!
//! Three shapes: [`Secret`] for what a person typed, [`Token`] for the 256-bit values in links and cookies, and
//! [`SpokenCode`] for the short ones that are read aloud. What is stored of a token is its [`TokenHash`], which
//! includes the token's purpose, so that a token of one kind is worthless as any other.

use std::fmt;

use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;
use rand::TryRng;
use rand::rngs::SysRng;
use zeroize::{Zeroize, Zeroizing};

/// Fills `N` bytes from the operating system's generator.
///
/// # Panics
/// When the system has no randomness to give. There is nothing safe to do without it.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).expect("the operating system's random generator works");
    bytes
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Text that is never printed and is wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Every call is a place to look at in a review.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What a token is for. It goes into the stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The cookie of a session, of whatever assurance.
    Session,
    /// The cookie of a device that completed a sign-in.
    Device,
    /// The link by which the first owner sets up the account.
    Setup,
    /// The link that is handed to an invited person.
    Invitation,
    /// The link by which somebody chooses a new password.
    PasswordReset,
    /// The pass that opens the enrolment page after a reset.
    EnrolmentPass,
}

impl Purpose {
    const fn tag(self) -> &'static [u8] {
        match self {
            Self::Session => b"idp/token/session/v1\0",
            Self::Device => b"idp/token/device/v1\0",
            Self::Setup => b"idp/token/setup/v1\0",
            Self::Invitation => b"idp/token/invitation/v1\0",
            Self::PasswordReset => b"idp/token/password-reset/v1\0",
            Self::EnrolmentPass => b"idp/token/enrolment-pass/v1\0",
        }
    }
}

/// 256 random bits for a cookie or a link.
#[derive(Clone)]
pub struct Token(Zeroizing<[u8; 32]>);

impl Token {
    /// A new one from the system's generator.
    pub fn generate() -> Self {
        Self(Zeroizing::new(random()))
    }

    /// One that is computed, by a key that nobody else has, each time that it is needed.
    pub fn derived(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the 43 characters that [`Token::to_text`] writes; anything else is no token.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        if text.len() != 43 {
            return None;
        }
        BASE64URL_NOPAD.decode_mut(text.as_bytes(), &mut *bytes).ok()?;
        Some(Self(bytes))
    }

    /// 43 characters of base64url (RFC 4648 section 5, no padding).
    pub fn to_text(&self) -> String {
        BASE64URL_NOPAD.encode(&*self.0)
    }

    /// What is stored of it for `purpose`.
    pub fn hash(&self, purpose: Purpose) -> TokenHash {
        TokenHash::of(purpose, &*self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

/// SHA-256 over a purpose and a token. A plain hash is enough: the token has 256 bits of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    fn of(purpose: Purpose, secret: &[u8]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(purpose.tag());
        context.update(secret);
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        Self(hash)
    }

    /// A hash read back from where it was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token hash]")
    }
}

/// Crockford's alphabet: no I, L, O or U, so that what is read aloud or copied by hand comes out right.
const SPOKEN: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code of `N` symbols of five bits each, shown in groups of four.
///
/// 12 symbols carry 60 bits (enrolment passes, codes issued by an admin), 16 carry 80 (backup codes).
#[derive(Clone)]
pub struct SpokenCode<const N: usize>(Zeroizing<[u8; N]>);

impl<const N: usize> SpokenCode<N> {
    /// A new one from the system's generator.
    pub fn generate() -> Self {
        let mut symbols: [u8; N] = random();
        for s in &mut symbols {
            // 256 is a multiple of 32: taking five bits favours no symbol.
            *s = SPOKEN[usize::from(*s & 31)];
        }
        Self(Zeroizing::new(symbols))
    }

    /// Reads a typed code: any case, spaces and dashes anywhere, O for 0, I and L for 1. `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut symbols = Zeroizing::new([0; N]);
        let mut count = 0;
        for c in text.chars() {
            let c = match c.to_ascii_uppercase() {
                c if c.is_whitespace() || matches!(c, '-' | '‐' | '‑' | '–' | '—') => continue,
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            let c = u8::try_from(c).ok().filter(|c| SPOKEN.contains(c))?;
            *symbols.get_mut(count)? = c;
            count += 1;
        }
        (count == N).then_some(Self(symbols))
    }

    /// `K7PM-2XQD-9RTH`: groups of four, as it is shown and read aloud.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(N + N / 4);
        for (i, s) in self.0.iter().enumerate() {
            if i > 0 && i % 4 == 0 {
                text.push('-');
            }
            text.push(char::from(*s));
        }
        text
    }

    /// The symbols without dashes: what is hashed.
    pub fn symbols(&self) -> &[u8] {
        &*self.0
    }
}

impl<const N: usize> fmt::Debug for SpokenCode<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[code]")
    }
}

/// The pass that opens the enrolment page after a reset: 60 bits, void after five wrong tries.
pub type EnrolmentPass = SpokenCode<12>;

impl SpokenCode<12> {
    /// What is stored of an enrolment pass.
    pub fn hash_as_pass(&self) -> TokenHash {
        TokenHash::of(Purpose::EnrolmentPass, self.symbols())
    }
}

/// Wipes a buffer that held a secret.
pub fn wipe(bytes: &mut Vec<u8>) {
    bytes.zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_one_kind_is_refused_as_any_other() {
        let token = Token::generate();
        assert_ne!(token.hash(Purpose::Session), token.hash(Purpose::Invitation));
        assert_eq!(Token::parse(&token.to_text()).unwrap().hash(Purpose::Setup), token.hash(Purpose::Setup));
        assert!(Token::parse("short").is_none());
    }

    #[test]
    fn a_spoken_code_survives_being_written_down_carelessly() {
        let code = EnrolmentPass::parse("k7pm 2xqd-9rth").unwrap();
        assert_eq!(code.to_text(), "K7PM-2XQD-9RTH");
        let same = EnrolmentPass::parse("KO0l-iI1L-OOOO").unwrap();
        assert_eq!(same.to_text(), "K001-1111-0000");
        assert!(EnrolmentPass::parse("K7PM-2XQD-9RT").is_none());
        assert!(EnrolmentPass::parse("K7PM-2XQD-9RTHH").is_none());
        assert!(EnrolmentPass::parse("K7PM-2XQD-9RTÜ").is_none());
    }

    #[test]
    fn nothing_prints_a_secret() {
        let shown = format!("{:?} {:?} {:?}", Secret::new("hunter2"), Token::generate(), EnrolmentPass::generate());
        assert_eq!(shown, "[secret] [token] [code]");
    }
}

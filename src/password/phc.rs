//! A stored password hash and its parameters, in the PHC string format.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64_NOPAD;

use crate::secret::{equal, random};

/// 16 random bytes that go into one hash, as RFC 9106 section 3.1 recommends.
pub type Salt = [u8; 16];

/// What one Argon2id hash costs. Holds only values that Argon2 takes and a worker has memory for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Params {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2Params {
    /// The most memory that one hash may take, in KiB: 64 MiB, more than three times of today's.
    pub const MAX_MEMORY_KIB: u32 = 64 * 1024;
    /// The most passes over that memory.
    pub const MAX_PASSES: u32 = 16;
    /// The most lanes.
    pub const MAX_LANES: u32 = 8;

    /// What new hashes are made with: 19 MiB, two passes, one lane (the OWASP minimum).
    pub const fn current() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }

    /// `memory_kib` KiB (8 × `lanes` to 65536), `passes` (1 to 16), `lanes` (1 to 8). `None` outside of that.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let lanes_fit = lanes >= 1 && lanes <= Self::MAX_LANES;
        let passes_fit = passes >= 1 && passes <= Self::MAX_PASSES;
        if lanes_fit && passes_fit && memory_kib >= 8 * lanes && memory_kib <= Self::MAX_MEMORY_KIB {
            Some(Self { memory_kib, passes, lanes })
        } else {
            None
        }
    }

    /// Memory in KiB.
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    /// How many blocks of 1 KiB the work takes.
    pub const fn blocks(self) -> usize {
        self.memory_kib as usize
    }
}

/// What is stored of a password: parameters, salt and output.
///
/// Printed as `$argon2id$v=19$m=19456,t=2,p=1$…$…` and read back strictly: one value has one spelling.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    params: Argon2Params,
    salt: Salt,
    output: [u8; 32],
}

impl PasswordHash {
    /// The hash whose `output` was computed with `params` and `salt`.
    pub const fn new(params: Argon2Params, salt: Salt, output: [u8; 32]) -> Self {
        Self { params, salt, output }
    }

    /// A salt for a new hash.
    pub fn new_salt() -> Salt {
        random()
    }

    /// A hash that no password has, as dear as a new one: what a password is checked against when there is no such
    /// account, so that the answer takes as long.
    pub const fn of_nobody() -> Self {
        // Nobody knows a password whose hash under this salt is 32 zero bytes, and nobody can look for one.
        Self { params: Argon2Params::current(), salt: *b"nobody's account", output: [0; 32] }
    }

    /// What computing it costs.
    pub const fn params(&self) -> Argon2Params {
        self.params
    }

    /// The salt with which to compute the output of a password that was typed.
    pub const fn salt(&self) -> &Salt {
        &self.salt
    }

    /// Whether `output`, computed with these parameters and this salt, is the one stored. In constant time.
    pub fn matches(&self, output: &[u8; 32]) -> bool {
        equal(&self.output, output)
    }

    /// Whether it is cheaper than a hash made today, so that it should be made anew at the next sign-in.
    pub const fn needs_rehash(&self) -> bool {
        let now = Argon2Params::current();
        self.params.memory_kib < now.memory_kib || self.params.passes < now.passes
    }
}

/// The form that is stored. It is no secret of the first rank, but it has no business in a log.
impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Argon2Params { memory_kib, passes, lanes } = self.params;
        let (salt, output) = (BASE64_NOPAD.encode(&self.salt), BASE64_NOPAD.encode(&self.output));
        write!(f, "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${output}")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password hash]")
    }
}

/// A text that is no password hash of this program. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAHash;

impl fmt::Display for NotAHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored password hash is damaged")
    }
}

impl std::error::Error for NotAHash {}

impl FromStr for PasswordHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let hash = read(text).ok_or(NotAHash)?;
        // Signs, leading zeros and loose trailing bits would be second spellings.
        if hash.to_string() == text { Ok(hash) } else { Err(NotAHash) }
    }
}

fn read(text: &str) -> Option<PasswordHash> {
    let mut parts = text.strip_prefix("$argon2id$v=19$m=")?.split('$');
    let (params, salt, output) = (parts.next()?, parts.next()?, parts.next()?);
    let (memory, rest) = params.split_once(",t=")?;
    let (passes, lanes) = rest.split_once(",p=")?;
    let params = Argon2Params::new(memory.parse().ok()?, passes.parse().ok()?, lanes.parse().ok()?)?;
    let salt = BASE64_NOPAD.decode(salt.as_bytes()).ok()?.try_into().ok()?;
    let output = BASE64_NOPAD.decode(output.as_bytes()).ok()?.try_into().ok()?;
    Some(PasswordHash { params, salt, output })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with the reference implementation.
    const STORED: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$gYJZtjEAJqjg26xdLmknq8/bB7MiWPrE9hsYuA+SkIU";

    #[test]
    fn a_stored_hash_has_exactly_one_spelling() {
        let hash: PasswordHash = STORED.parse().unwrap();
        assert_eq!(hash.to_string(), STORED);
        assert_eq!(hash.params(), Argon2Params::current());
        assert_eq!(hash.salt()[15], 15);
        for (from, to) in [
            ("argon2id", "argon2i"),
            ("v=19", "v=16"),
            ("m=19456", "m=019456"),
            ("m=19456", "m=+19456"),
            ("m=19456", "m=4000000000"),
            ("m=19456", "m=7"),
            ("t=2,p=1", "p=1,t=2"),
            ("t=2", "t=0"),
            ("p=1", "p=1,x=1"),
            ("ODw$", "ODx$"),
            ("ODw$", "OD$"),
            ("SkIU", "SkIU="),
            ("SkIU", "SkIU$"),
            ("SkIU", "SkI"),
        ] {
            assert!(STORED.replace(from, to).parse::<PasswordHash>().is_err(), "{from} → {to}");
        }
        assert!("".parse::<PasswordHash>().is_err());
        assert_eq!(format!("{hash:?}"), "[password hash]");
    }

    #[test]
    fn only_the_same_output_matches() {
        let hash = PasswordHash::new(Argon2Params::current(), [1; 16], [2; 32]);
        assert!(hash.matches(&[2; 32]));
        let mut other = [2; 32];
        other[31] = 3;
        assert!(!hash.matches(&other));
    }

    #[test]
    fn a_hash_cheaper_than_todays_is_made_anew() {
        let with = |m, t| PasswordHash::new(Argon2Params::new(m, t, 1).unwrap(), [0; 16], [0; 32]).needs_rehash();
        assert!(!with(19_456, 2) && !with(65_536, 3));
        assert!(with(19_455, 2) && with(65_536, 1));
        assert!(!PasswordHash::of_nobody().needs_rehash());
    }
}

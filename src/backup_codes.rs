//! Backup codes: the sets that a person keeps, and the few that an admin dictates to someone with nothing else left.
//!
//! All codes of a set share one salt, so that an attempt costs one Argon2id hash however many are left. That is safe
//! for values that nobody chose: with 80 and 60 random bits there is nothing to find by guessing many at once.

use std::fmt;

use crate::password::{Argon2Params, Salt, code_secret};
use crate::policy;
use crate::secret::{Secret, SpokenCode, equal};
use crate::time::Timestamp;

/// A code of a person's own set: 16 symbols, 80 bits.
pub type BackupCode = SpokenCode<16>;
/// A code that an admin issued: 12 symbols, 60 bits, short enough to dictate three; it expires.
pub type IssuedCode = SpokenCode<12>;

/// A new set of a person's own.
pub fn new_set() -> [BackupCode; policy::BACKUP_CODES] {
    std::array::from_fn(|_| BackupCode::generate())
}

/// A new batch to dictate.
pub fn new_batch() -> [IssuedCode; policy::ISSUED_CODES] {
    std::array::from_fn(|_| IssuedCode::generate())
}

/// The text of a code that is hashed, with the salt of its set.
pub fn secret_of<const N: usize>(code: &SpokenCode<N>) -> Secret {
    code_secret(code)
}

/// Whose making a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The person's own ten.
    Own,
    /// The three that an admin issued.
    Issued,
}

impl Kind {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Issued => "issued",
        }
    }
}

/// A set as it is stored, with the hashes of those codes that are not used yet.
#[derive(Debug, Clone)]
pub struct CodeSet {
    /// Which; 0 before it is stored.
    pub id: i64,
    /// Whose making it is.
    pub kind: Kind,
    /// The salt of all its codes.
    pub salt: Salt,
    /// How they were hashed.
    pub params: Argon2Params,
    /// How many there were.
    pub total: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// Position and hash of each unused code.
    pub unused: Vec<(u32, [u8; 32])>,
}

/// A code as someone typed it. Its length says which kind it is, so that one field on the page takes both.
#[derive(Clone)]
pub enum TypedCode {
    /// 16 symbols: to be looked for in the person's own set.
    Backup(BackupCode),
    /// 12 symbols: to be looked for in the batch that an admin issued.
    Issued(IssuedCode),
}

impl TypedCode {
    /// Reads a typed code, in any case, with spaces and dashes anywhere. `None` if it is neither kind.
    pub fn parse(typed: &str) -> Option<Self> {
        BackupCode::parse(typed).map(Self::Backup).or_else(|| IssuedCode::parse(typed).map(Self::Issued))
    }

    /// The text to hash.
    pub fn secret(&self) -> Secret {
        match self {
            Self::Backup(code) => code_secret(code),
            Self::Issued(code) => code_secret(code),
        }
    }
}

impl fmt::Debug for TypedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backup(_) => "[backup code]",
            Self::Issued(_) => "[issued code]",
        })
    }
}

impl CodeSet {
    /// The position of the code whose hash is `output`. Looks at all of them, so that the time does not tell which one,
    /// if any.
    pub fn matching(&self, output: &[u8; 32]) -> Option<u32> {
        let mut found = None;
        for (position, hash) in &self.unused {
            if equal(output, hash) {
                found = Some(*position);
            }
        }
        found
    }
}

impl TypedCode {
    /// In which kind of set to look for it.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Backup(_) => Kind::Own,
            Self::Issued(_) => Kind::Issued,
        }
    }
}

/// Whether the person is to be asked to make a new set.
pub const fn running_low(left: u32) -> bool {
    left <= policy::FEW_CODES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_told_by_its_length() {
        let own = TypedCode::parse("k7pm-2xqd 9rth-4wzb").unwrap();
        assert!(matches!(&own, TypedCode::Backup(c) if c.to_text() == "K7PM-2XQD-9RTH-4WZB"));
        assert_eq!(own.secret().reveal(), "K7PM2XQD9RTH4WZB");
        let issued = TypedCode::parse("K7PM 2XQD 9RTH").unwrap();
        assert!(matches!(&issued, TypedCode::Issued(_)));
        assert_eq!(format!("{own:?} {issued:?}"), "[backup code] [issued code]");
        for neither in ["", "123456", "K7PM-2XQD-9RTH-4", "K7PM-2XQD-9RTH-4WZB-0", "K7PM-2XQD-9RTÜ"] {
            assert!(TypedCode::parse(neither).is_none(), "{neither}");
        }
    }

    #[test]
    fn a_shown_code_is_hashed_as_it_will_be_typed() {
        let set = new_set();
        let shown = set[9].to_text();
        assert_eq!(TypedCode::parse(&shown).unwrap().secret().reveal(), secret_of(&set[9]).reveal());
        let batch = new_batch();
        assert_eq!(TypedCode::parse(&batch[0].to_text()).unwrap().secret().reveal(), secret_of(&batch[0]).reveal());
    }

    #[test]
    fn a_hash_is_found_among_the_unused_codes_of_its_set() {
        let set = CodeSet {
            id: 1,
            kind: Kind::Own,
            salt: [0; 16],
            params: Argon2Params::current(),
            total: 10,
            created_at: Timestamp::from_micros(0),
            expires_at: None,
            unused: vec![(2, [1; 32]), (5, [2; 32])],
        };
        assert_eq!(set.matching(&[2; 32]), Some(5));
        assert_eq!(set.matching(&[3; 32]), None);
    }

    #[test]
    fn the_warning_comes_at_two_codes_left() {
        assert!(!running_low(3) && running_low(2) && running_low(0));
    }
}

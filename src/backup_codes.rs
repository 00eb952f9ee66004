//! Backup codes: the sets that a person keeps, and the few that an admin dictates to someone with nothing else left.
//!
//! All codes of a set share one salt, so that an attempt costs one Argon2id hash however many are left. That is safe
//! for values that nobody chose: with 80 and 60 random bits there is nothing to find by guessing many at once.

use std::fmt;

use crate::password::code_secret;
use crate::secret::{Secret, SpokenCode, equal};

/// How many codes a new set has.
pub const CODES_PER_SET: usize = 10;
/// How many codes are left when the person is warned.
pub const WARN_AT: usize = 2;
/// How many codes an admin issues at a time.
pub const CODES_PER_BATCH: usize = 3;

/// A code of a person's own set: 16 symbols, 80 bits.
pub type BackupCode = SpokenCode<16>;
/// A code that an admin issued: 12 symbols, 60 bits, short enough to dictate three; it expires.
pub type IssuedCode = SpokenCode<12>;

/// A new set of a person's own.
pub fn new_set() -> [BackupCode; CODES_PER_SET] {
    std::array::from_fn(|_| BackupCode::generate())
}

/// A new batch to dictate.
pub fn new_batch() -> [IssuedCode; CODES_PER_BATCH] {
    std::array::from_fn(|_| IssuedCode::generate())
}

/// The text of a code that is hashed, with the salt of its set.
pub fn secret_of<const N: usize>(code: &SpokenCode<N>) -> Secret {
    code_secret(code)
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

/// Which of `rows` is the hash `output`. Looks at all of them, so that the time does not tell which one, if any.
pub fn matching(output: &[u8; 32], rows: &[[u8; 32]]) -> Option<usize> {
    let mut found = None;
    for (i, row) in rows.iter().enumerate() {
        if equal(output, row) {
            found = Some(i);
        }
    }
    found
}

/// Whether the person is to be asked to make a new set.
pub const fn running_low(left: usize) -> bool {
    left <= WARN_AT
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
    fn a_hash_is_found_among_the_rows_of_its_set() {
        let rows = [[1; 32], [2; 32], [3; 32]];
        assert_eq!(matching(&[1; 32], &rows), Some(0));
        assert_eq!(matching(&[3; 32], &rows), Some(2));
        assert_eq!(matching(&[4; 32], &rows), None);
        assert_eq!(matching(&[4; 32], &[]), None);
    }

    #[test]
    fn the_warning_comes_at_two_codes_left() {
        assert!(!running_low(3) && running_low(2) && running_low(0));
    }
}

//! Passwords: which may be chosen, how one is typed, and what is stored of it.
//!
//! Length and a list of what attackers try first are what helps; rules about capitals and digits are not (NIST SP
//! 800-63B-4 section 3.1.1). Architecture invariant: every password, chosen or typed, goes through one normalisation,
//! so that whoever could choose it on one keyboard can type it on another, and nothing is ever cut off.

pub mod phc;

use std::cmp::Ordering;
use std::fmt;

use unicode_normalization::UnicodeNormalization;

pub use phc::{Argon2Params, NotAHash, PasswordHash, Salt};

use crate::secret::{Secret, SpokenCode};
use crate::users::BadInput;

/// The fewest characters (Unicode scalar values after NFC) of a password that stands beside a second factor.
pub const MIN_CHARS: usize = 8;
/// The most characters of a password.
pub const MAX_CHARS: usize = 256;
/// The most bytes that are looked at before normalising: 256 characters, each fully decomposed, have no more.
const MAX_TYPED_BYTES: usize = 16 * MAX_CHARS;

/// Common passwords of eight or more characters, lower case, sorted by their bytes, one a line.
///
/// From `django/contrib/auth/common-passwords.txt.gz` of Django 5.2 (copyright Django Software Foundation and
/// individual contributors, BSD 3-clause licence), which was compiled by Royce Williams from published leaks.
const COMMON: &str = include_str!("../assets/common-passwords.txt");

/// Why a password can not be taken, as a sentence that says what to do instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPassword {
    /// Fewer than [`MIN_CHARS`].
    TooShort,
    /// More than [`MAX_CHARS`].
    TooLong,
    /// One short piece repeated, or a row such as `abcdefgh`.
    Pattern,
    /// On the list of common passwords.
    Common,
    /// Nothing but the account's own words.
    OwnWords,
}

impl BadPassword {
    /// The sentence to show beside the field.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::TooShort => "Use at least 8 characters. A few words in a row are long and easy to remember.",
            Self::TooLong => "Use at most 256 characters.",
            Self::Pattern => "This is one piece repeated, or a plain row. Use a few words that do not belong together.",
            Self::Common => {
                "This password is among those that attackers try first. Use a few words that do not belong together."
            }
            Self::OwnWords => {
                "This password is made of your name, address or organisation. Add words that have nothing to do with you."
            }
        }
    }
}

impl fmt::Display for BadPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl std::error::Error for BadPassword {}

impl From<BadPassword> for BadInput {
    fn from(bad: BadPassword) -> Self {
        Self(bad.sentence())
    }
}

/// A password that may be set: NFC, 8 to 256 characters, on no list, not made of the account's own words.
#[derive(Debug, Clone)]
pub struct NewPassword(Secret);

impl NewPassword {
    /// Takes what was typed if it may be set. `own_words` are the texts that belong to the account: e-mail address,
    /// name, name of the organisation; they are taken apart here.
    ///
    /// # Errors
    /// Why not; the first of the reasons in the order of [`BadPassword`].
    pub fn parse(typed: &str, own_words: &[&str]) -> Result<Self, BadPassword> {
        let password = normalise(typed).ok_or(BadPassword::TooLong)?;
        let chars = zeroize::Zeroizing::new(password.reveal().chars().collect::<Vec<_>>());
        if chars.len() < MIN_CHARS {
            return Err(BadPassword::TooShort);
        }
        if is_pattern(&chars) {
            return Err(BadPassword::Pattern);
        }
        let folded = fold(password.reveal());
        if is_common(folded.reveal()) {
            return Err(BadPassword::Common);
        }
        if is_made_of(&folded, own_words) {
            return Err(BadPassword::OwnWords);
        }
        Ok(Self(password))
    }

    /// What is hashed.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// A password as someone typed it to sign in: not judged, only normalised.
#[derive(Debug, Clone)]
pub struct TypedPassword(Secret);

impl TypedPassword {
    /// Normalises what was typed. What is longer than any password becomes the empty text, which is no one's password
    /// either: it costs one hash like any other attempt, and the answer is the same.
    pub fn parse(typed: &str) -> Self {
        Self(normalise(typed).unwrap_or_else(|| Secret::new("")))
    }

    /// Reads what was typed for an account whose password is temporary: one that was read aloud may be typed in
    /// either case and with spaces or dashes anywhere.
    pub fn parse_temporary(typed: &str) -> Self {
        match SpokenCode::<16>::parse(typed) {
            Some(code) => Self(code_secret(&code)),
            None => Self::parse(typed),
        }
    }

    /// What is hashed and compared.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// A password made by the system for someone who can not choose one now: 16 symbols that can be read aloud, 80 bits.
#[derive(Debug, Clone)]
pub struct TemporaryPassword(SpokenCode<16>);

impl TemporaryPassword {
    /// A new one.
    pub fn generate() -> Self {
        Self(SpokenCode::generate())
    }

    /// As it is shown once: `K7PM-2XQD-9RTH-4WZB`.
    pub fn to_text(&self) -> String {
        self.0.to_text()
    }

    /// What is hashed: the symbols without dashes, as [`TypedPassword::parse_temporary`] reads them.
    pub fn secret(&self) -> Secret {
        code_secret(&self.0)
    }
}

/// The symbols of a code as the text that is hashed.
pub(crate) fn code_secret<const N: usize>(code: &SpokenCode<N>) -> Secret {
    Secret::new(code.symbols().iter().copied().map(char::from).collect::<String>())
}

/// NFC; `None` if it is longer than a password can be.
fn normalise(typed: &str) -> Option<Secret> {
    if typed.len() > MAX_TYPED_BYTES {
        return None;
    }
    // Room for the longest result (three times, Unicode Standard Annex 15): growing would leave copies behind.
    let mut text = String::with_capacity(3 * typed.len());
    text.extend(typed.nfc());
    let text = Secret::new(text);
    (text.reveal().chars().count() <= MAX_CHARS).then_some(text)
}

/// As it is compared with lists: lower case, NFC again because some letters come apart on the way.
fn fold(text: &str) -> Secret {
    Secret::new(text.to_lowercase().nfc().collect::<String>())
}

/// Whether it is a piece of one to three characters repeated, or each character follows the one before (`abcdefgh`,
/// `87654321`, `7890123`).
fn is_pattern(chars: &[char]) -> bool {
    let repeats = |n: usize| chars.iter().zip(chars.iter().skip(n)).all(|(a, b)| a == b);
    let follows = |a: char, b: char| u32::from(a) + 1 == u32::from(b) || (a, b) == ('9', '0');
    (1..=3).any(repeats)
        || chars.windows(2).all(|w| follows(w[0], w[1]))
        || chars.windows(2).all(|w| follows(w[1], w[0]))
}

/// Halves the list until one line is left. On the text itself: an index of its lines would double it in memory.
fn is_common(folded: &str) -> bool {
    let list = COMMON.as_bytes();
    let (mut low, mut high) = (0, list.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = list[..middle].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let end = list[middle..].iter().position(|b| *b == b'\n').map_or(list.len(), |i| middle + i);
        match list[start..end].cmp(folded.as_bytes()) {
            Ordering::Equal => return true,
            Ordering::Less => low = end + 1,
            Ordering::Greater => high = start,
        }
    }
    false
}

/// Whether the letters of the password, without everything between them, are nothing but own words one after another:
/// `fernhill`, `Fernhill2026!`, `mara.fernhill` for mara@fernhill.example. One word more and it is no longer so.
fn is_made_of(folded: &Secret, own_words: &[&str]) -> bool {
    let letters: Secret = Secret::new(folded.reveal().chars().filter(|c| c.is_alphabetic()).collect::<String>());
    let letters = letters.reveal();
    let mut words = Vec::new();
    for text in own_words {
        let text = fold(text);
        // Single letters would make everything an own word of someone called J.
        let parts = text.reveal().split(|c: char| !c.is_alphabetic()).filter(|p| p.chars().nth(1).is_some());
        words.extend(parts.map(str::to_owned));
    }
    // reached[i]: the first i bytes are own words.
    let mut reached = vec![false; letters.len() + 1];
    reached[0] = true;
    for i in 0..letters.len() {
        if reached[i] {
            for word in words.iter().filter(|w| letters[i..].starts_with(w.as_str())) {
                reached[i + word.len()] = true;
            }
        }
    }
    !letters.is_empty() && reached[letters.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: [&str; 3] = ["mara.d@fernhill.example", "Mara Devlin", "Fernhill Trust"];

    fn refusal(typed: &str) -> Option<BadPassword> {
        NewPassword::parse(typed, &OWN).err()
    }

    #[test]
    fn a_password_has_eight_to_256_characters_of_any_kind_and_is_not_cut_off() {
        assert_eq!(refusal("1234567"), Some(BadPassword::TooShort));
        assert_eq!(refusal("żółw 🐢x"), Some(BadPassword::TooShort));
        for good in ["żółw 🐢 xy", "correct horse battery staple", "  gate lamp ", "пароль на луне", "\0\t\n odd ok"]
        {
            assert_eq!(NewPassword::parse(good, &OWN).unwrap().secret().reveal(), good);
        }
        let long: String = ('a'..='z').chain('א'..='ת').cycle().take(MAX_CHARS).collect();
        assert_eq!(NewPassword::parse(&long, &OWN).unwrap().secret().reveal(), long);
        assert_eq!(refusal(&format!("{long}x")), Some(BadPassword::TooLong));
        assert_eq!(refusal(&"x".repeat(1 << 20)), Some(BadPassword::TooLong));
    }

    #[test]
    fn a_common_password_is_refused_in_either_case() {
        for common in ["password1", "PassWord1", "iloveyou", "!QAZ2wsx", "sunshine"] {
            assert_eq!(refusal(common), Some(BadPassword::Common), "{common}");
        }
    }

    #[test]
    fn every_line_of_the_list_is_found_and_nothing_between_them() {
        let lines: Vec<_> = COMMON.lines().collect();
        assert!(lines.is_sorted() && lines.len() > 8000);
        for line in lines {
            assert!(is_common(line), "{line}");
            assert_eq!(fold(line).reveal(), line);
            assert!(line.chars().count() >= MIN_CHARS, "{line}");
        }
        for other in ["", "\n", "!", "password1\n", "zzzzzzzzzzzzzzzz", "\u{10ffff}", "gate lamp gravel"] {
            assert!(!is_common(other), "{other:?}");
        }
    }

    #[test]
    fn the_accounts_own_words_alone_make_no_password() {
        for own in
            ["fernhill", "Fernhill2026!", "devlinmara", "Mara.Devlin.1988", "mara@fernhill.example", "TRUST-fernhill"]
        {
            assert_eq!(refusal(own), Some(BadPassword::OwnWords), "{own}");
        }
        for good in ["fernhill gravel", "marathon devlin", "2026-11-24 77", "maradevlinx"] {
            assert_eq!(refusal(good), None, "{good}");
        }
        assert!(NewPassword::parse("ŽOFIE–nováková1", &["Nováková Z\u{30c}ofie"]).is_err());
        assert!(NewPassword::parse("fernhill", &[]).is_ok());
        assert!(NewPassword::parse("jjjkjjkjj", &["J K"]).is_ok(), "initials are no words");
    }

    #[test]
    fn a_row_or_a_repetition_is_refused() {
        for row in ["zzzzzzzzz", "ababababa", "xyzxyzxyz", "abcdefghijk", "9876543210", "567890123456", "жжжжжжжжж"]
        {
            assert_eq!(refusal(row), Some(BadPassword::Pattern), "{row}");
        }
        assert_eq!(refusal("abcdefghx"), None);
    }

    #[test]
    fn what_is_too_long_to_be_a_password_is_wrong_and_costs_one_hash_of_nothing() {
        assert_eq!(TypedPassword::parse(&"x".repeat(MAX_CHARS)).secret().reveal().len(), MAX_CHARS);
        assert_eq!(TypedPassword::parse(&"x".repeat(MAX_CHARS + 1)).secret().reveal(), "");
        assert_eq!(TypedPassword::parse(&"é".repeat(1 << 20)).secret().reveal(), "");
    }

    #[test]
    fn a_temporary_password_may_be_typed_as_it_was_heard() {
        let made = TemporaryPassword::generate();
        let shown = made.to_text();
        assert_eq!(shown.len(), 19);
        for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', " "), shown.replace('0', "o")] {
            assert_eq!(TypedPassword::parse_temporary(&typed).secret().reveal(), made.secret().reveal());
        }
        assert_eq!(TypedPassword::parse_temporary("gate lamp").secret().reveal(), "gate lamp");
        assert_eq!(format!("{made:?}"), "TemporaryPassword([code])");
    }

    #[test]
    fn every_refusal_is_a_sentence_for_the_form() {
        let shown = BadInput::from(BadPassword::TooShort).to_string();
        assert!(shown.starts_with("Use at least 8 characters."), "{shown}");
        assert!(BadPassword::TooLong.sentence().contains(&MAX_CHARS.to_string()));
    }

    proptest! {
        #[test]
        fn what_could_be_chosen_can_be_typed_on_any_keyboard(typed in "\\PC{8,256}") {
            if let Ok(chosen) = NewPassword::parse(&typed, &OWN) {
                let decomposed: String = typed.nfd().collect();
                let typed = TypedPassword::parse(&decomposed);
                prop_assert_eq!(typed.secret().reveal(), chosen.secret().reveal());
            }
        }
    }
}

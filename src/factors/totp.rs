//! One-time passwords by time (RFC 6238): SHA-1, six digits, 30 seconds, one step of tolerance either way.
//!
//! Those are the values that every authenticator app knows; some read others from the QR code and ignore them. HMAC
//! with SHA-1 is sound. Architecture invariant: a step once accepted is never accepted again, nor an earlier one; who
//! stores the last step does it with one conditional UPDATE.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use crate::secret::{Secret, random};
use crate::time::Timestamp;

/// Digits of a code.
pub const DIGITS: u8 = 6;
/// Seconds of a step.
pub const STEP_SECONDS: u64 = 30;
/// Steps before and after the present one in which a code is taken: clocks differ and typing takes time.
pub const TOLERANCE_STEPS: u64 = 1;

/// RFC 3986 section 2.3: what stands in a URI as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The 160-bit secret that the person's app and this program share (RFC 4226 section 4 recommends that length).
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; 20]>);

impl Seed {
    /// A new one from the system's generator.
    pub fn generate() -> Self {
        Self(Zeroizing::new(random()))
    }

    /// A seed read back from where it was stored. `None` unless it has 20 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|seed| Self(Zeroizing::new(seed)))
    }

    /// The bytes, to be encrypted and stored.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// `JBSW Y3DP …`: base32 (RFC 4648) in eight groups of four, for people whose camera does not work.
    pub fn to_groups(&self) -> Secret {
        let mut text = Zeroizing::new([0; 32]);
        BASE32_NOPAD.encode_mut(&*self.0, &mut *text);
        let mut groups = String::with_capacity(39);
        for (i, symbol) in text.iter().enumerate() {
            if i > 0 && i % 4 == 0 {
                groups.push(' ');
            }
            groups.push(char::from(*symbol));
        }
        Secret::new(groups)
    }

    /// The `otpauth://` URI that the QR code holds. `issuer` is the organisation, `account` the e-mail address.
    ///
    /// A colon in either would end the issuer's name in the label, encoded or not, so it becomes a space.
    pub fn otpauth_uri(&self, issuer: &str, account: &str) -> Secret {
        let (issuer, account) = (issuer.replace(':', " "), account.replace(':', " "));
        let (issuer, account) = (utf8_percent_encode(&issuer, UNRESERVED), utf8_percent_encode(&account, UNRESERVED));
        let secret = Zeroizing::new(BASE32_NOPAD.encode(&*self.0));
        Secret::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}",
            *secret
        ))
    }

    /// Tolerance is left to [`matching_step`], which has to look at each step by itself.
    fn totp(&self) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP_SECONDS)
            .with_skew(0)
            .with_secret(*self.0)
            .build_noncompliant()
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[seed]")
    }
}

/// Six digits as someone typed them.
#[derive(Clone)]
pub struct TypedOtp(Zeroizing<[u8; DIGITS as usize]>);

impl TypedOtp {
    /// Reads exactly six ASCII digits, with white space anywhere (apps show `123 456`). `None` if it is something else.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut digits = Zeroizing::new([0; DIGITS as usize]);
        let mut count = 0;
        for c in typed.chars().filter(|c| !c.is_whitespace()) {
            *digits.get_mut(count)? = u8::try_from(c).ok().filter(u8::is_ascii_digit)?;
            count += 1;
        }
        (count == digits.len()).then_some(Self(digits))
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&*self.0).unwrap_or_default()
    }
}

impl fmt::Debug for TypedOtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[code]")
    }
}

/// What an app that holds `seed` shows at `now`: for the demo, whose people have no phones.
pub fn code_at(seed: &Seed, now: Timestamp) -> Secret {
    Secret::new(seed.totp().generate(u64::try_from(now.as_seconds()).unwrap_or(0)).to_string())
}

/// The step to which a typed code belongs: the present one, one before or one after, and later than `last_used_step`.
/// `None` if the code is wrong or was used. All steps are tried, whichever is right.
pub fn matching_step(seed: &Seed, typed: &TypedOtp, now: Timestamp, last_used_step: Option<i64>) -> Option<i64> {
    let totp = seed.totp();
    let present = u64::try_from(now.as_seconds()).unwrap_or(0) / STEP_SECONDS;
    let mut found = None;
    for step in present.saturating_sub(TOLERANCE_STEPS)..=present + TOLERANCE_STEPS {
        let right = totp.check(typed.as_str(), step * STEP_SECONDS).is_some();
        let step = i64::try_from(step).ok()?;
        if right && last_used_step.is_none_or(|last| step > last) {
            found = found.or(Some(step));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Seed {
        Seed::from_bytes(b"12345678901234567890").unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn check(code: &str, seconds: i64, last: Option<i64>) -> Option<i64> {
        matching_step(&seed(), &TypedOtp::parse(code).unwrap(), at(seconds), last)
    }

    /// RFC 6238 appendix B, SHA-1, the last six of its eight digits.
    #[test]
    fn the_codes_are_those_of_the_standard() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(check(code, seconds, None), Some(seconds / 30), "{seconds}");
            assert_eq!(code_at(&seed(), at(seconds)).reveal(), code, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_taken_one_step_early_or_late_and_no_further() {
        // 081804 belongs to step 37037036, that is seconds 1111111080 to 1111111109.
        for seconds in [1_111_111_050, 1_111_111_080, 1_111_111_109, 1_111_111_139] {
            assert_eq!(check("081804", seconds, None), Some(37_037_036), "{seconds}");
        }
        for seconds in [1_111_111_049, 1_111_111_140] {
            assert_eq!(check("081804", seconds, None), None, "{seconds}");
        }
        assert_eq!(check("081805", 1_111_111_109, None), None);
        assert_eq!(check("081804", -5, None), None, "a clock before 1970 is no reason to fall over");
    }

    #[test]
    fn a_used_step_is_never_taken_again_nor_an_earlier_one() {
        let now = 1_111_111_111;
        assert_eq!(check("050471", now, Some(37_037_036)), Some(37_037_037));
        assert_eq!(check("050471", now, Some(37_037_037)), None);
        assert_eq!(check("081804", now, Some(37_037_037)), None);
        assert_eq!(check("081804", now, Some(37_037_035)), Some(37_037_036));
    }

    #[test]
    fn six_digits_are_read_with_spaces_and_nothing_else_is() {
        for good in ["123456", "123 456", " 1 2\u{a0}3456\t"] {
            assert_eq!(TypedOtp::parse(good).unwrap().as_str(), "123456", "{good:?}");
        }
        for bad in ["", "12345", "1234567", "+23456", "12345a", "１２３４５６", "123-456", "٣٣٣٣٣٣"] {
            assert!(TypedOtp::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn the_uri_says_the_same_to_every_app() {
        let seed = seed();
        assert_eq!(seed.to_groups().reveal(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(
            seed.otpauth_uri("Fernhill: Büro & Co", "mara+x@fernhill.example").reveal(),
            "otpauth://totp/Fernhill%20%20B%C3%BCro%20%26%20Co:mara%2Bx%40fernhill.example\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Fernhill%20%20B%C3%BCro%20%26%20Co\
             &algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{seed:?}"), "[seed]");
    }

    #[test]
    fn a_seed_has_twenty_bytes() {
        assert!(Seed::from_bytes(&[0; 19]).is_none());
        assert!(Seed::from_bytes(&[0; 21]).is_none());
        assert_ne!(Seed::generate().as_bytes(), Seed::generate().as_bytes());
    }
}

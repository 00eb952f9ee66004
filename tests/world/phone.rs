//! An authenticator app, which computes codes by another way than the server's.

use idp::factors::totp::Seed;
use idp::time::Timestamp;

/// An authenticator app with one account in it.
pub struct Phone(Seed);

impl Phone {
    /// One that holds this secret, in base32.
    pub fn holding(secret: &str) -> Self {
        let bytes = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).expect("the secret is base32");
        Self(Seed::from_bytes(&bytes).expect("the secret has 160 bits"))
    }

    /// Reads the secret from a page with a QR code, through its `otpauth:` link.
    pub fn scan(page: &str) -> Self {
        let at = page.find("secret=").expect("the page has an otpauth address");
        let secret: String = page[at + 7..].chars().take_while(char::is_ascii_alphanumeric).collect();
        Self::holding(&secret)
    }

    /// The secret itself.
    pub fn seed(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// What the app shows at `now` (RFC 6238, computed here by another way than the server's).
    pub fn code(&self, now: Timestamp) -> String {
        use aws_lc_rs::hmac;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.as_bytes());
        let tag = hmac::sign(&key, &(now.as_seconds() / 30).to_be_bytes());
        let offset = usize::from(tag.as_ref()[19] & 15);
        let word = u32::from_be_bytes(tag.as_ref()[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", word % 1_000_000)
    }

    /// A code that is certainly not the present one, nor its neighbours.
    pub fn wrong_code(&self, now: Timestamp) -> String {
        let near: Vec<String> =
            (-2_i64..=2).map(|step| self.code(Timestamp::from_micros(now.as_micros() + step * 30_000_000))).collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

//! The token in the link by which a person says "this wasn't me": which notice it stands in, and a code over that which
//! only this installation's key makes. No row holds it, so no copy of the database has any; and a forged one is told
//! without a look at the database.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use crate::ids::NoticeId;

/// What is told apart by its code alone; whether the link still works, the notice's row says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ObjectionToken {
    notice: NoticeId,
    mac: [u8; 32],
}

impl ObjectionToken {
    /// The token for this notice, with the code that the key makes of it.
    pub const fn new(notice: NoticeId, mac: [u8; 32]) -> Self {
        Self { notice, mac }
    }

    /// Reads the 64 characters that [`ObjectionToken::to_text`] writes; anything else is no token.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 48];
        if text.len() != 64 {
            return None;
        }
        BASE64URL_NOPAD.decode_mut(text.as_bytes(), &mut bytes).ok()?;
        let (id, mac) = bytes.split_first_chunk::<16>()?;
        Some(Self { notice: NoticeId::from_bytes(*id), mac: mac.try_into().ok()? })
    }

    /// 64 characters of base64url (RFC 4648 section 5): the notice's 16 bytes and the code's 32.
    pub fn to_text(&self) -> String {
        BASE64URL_NOPAD.encode(&[self.notice.as_bytes().as_slice(), &self.mac].concat())
    }

    /// In which notice it stands, if the code is right.
    pub const fn notice(&self) -> NoticeId {
        self.notice
    }

    /// The code, to be compared in constant time.
    pub const fn mac(&self) -> &[u8; 32] {
        &self.mac
    }
}

impl fmt::Debug for ObjectionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[objection token]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_nothing_else_is_one() {
        let token = ObjectionToken::new(NoticeId::generate(), [7; 32]);
        let text = token.to_text();
        assert_eq!((ObjectionToken::parse(&text), text.len()), (Some(token), 64));
        let longer = format!("{text}A");
        for bad in ["", &text[1..], &longer, &text.replace(&text[..1], "="), &text.replace(&text[..1], "+")] {
            assert_eq!(ObjectionToken::parse(bad), None, "{bad}");
        }
        assert_eq!(format!("{token:?}"), "[objection token]");
    }
}

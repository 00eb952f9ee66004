//! What a person looks like, for whoever compares it with a face on a video call: a picture, and a note about the ID that
//! was seen.
//!
//! Architecture invariant: a [`Jpeg`] is made by us, pixel by pixel, from what was uploaded ([`redraw()`]), so that no byte
//! of an upload is ever stored or served: neither where a photo was taken, nor what else somebody put into the file.

mod redraw;

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};

use crate::policy;
use crate::time::Timestamp;
use crate::users::{BadInput, invisible};

pub use redraw::redraw;

/// A picture that [`redraw()`] has made.
#[derive(Clone, PartialEq, Eq)]
pub struct Jpeg(Vec<u8>);

impl Jpeg {
    /// One that was stored.
    pub const fn stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// SHA-256 in hexadecimal: by this the trail says which picture it was, without keeping it.
    pub fn digest(&self) -> String {
        data_encoding::HEXLOWER.encode(digest(&SHA256, &self.0).as_ref())
    }
}

impl fmt::Debug for Jpeg {
    /// Without what it shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[picture of {} bytes]", self.0.len())
    }
}

/// Why what was uploaded makes no portrait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPicture {
    /// There is nothing in it.
    Empty,
    /// It is no picture.
    NoPicture,
    /// It is a picture, but neither a PNG nor a JPEG.
    OtherKind,
    /// The file is larger than [`policy::PORTRAIT_UPLOAD`].
    TooLarge,
    /// It has more pixels than are read.
    TooManyPixels,
    /// It ends too early, contradicts itself, or is of a kind that hardly anything writes.
    Damaged,
}

impl BadPicture {
    /// What is wrong and what to do.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Empty => "This file is empty. Choose another one.",
            Self::NoPicture => "This file is no picture. Choose a PNG or a JPEG.",
            Self::OtherKind => "Only PNG and JPEG are taken. Save the picture as one of these, and choose that.",
            Self::TooLarge => "This file is larger than 6 MB. Save the picture in a smaller size, and choose that.",
            Self::TooManyPixels => {
                "This picture has too many pixels to be read here. Save it in a smaller size, 2,000 pixels wide or so, and \
                 choose that."
            }
            Self::Damaged => {
                "This picture is damaged, or of an unusual kind. Open it in another program, save it anew, and choose that."
            }
        }
    }
}

impl fmt::Display for BadPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl std::error::Error for BadPicture {}

/// A line about the ID that was seen; empty for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdNote(String);

impl IdNote {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is noted.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for IdNote {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let text: String = text.trim().replace(['\r', '\n'], " ");
        if text.chars().any(|c| c.is_control() || invisible(c)) {
            return Err(BadInput("Write the note on one line, without invisible characters."));
        }
        if text.chars().count() > policy::ID_NOTE {
            return Err(BadInput("Shorten the note to 300 characters."));
        }
        Ok(Self(text))
    }
}

/// What is on record of a person, without the picture itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portrait {
    /// Whether there is a picture.
    pub has_picture: bool,
    /// The note about an ID.
    pub id_note: IdNote,
    /// Who put it there, as they were called then.
    pub added_by: String,
    /// Since when it is as it is: whatever is changed, all of it counts as new.
    pub added_at: Timestamp,
}

impl Portrait {
    /// Whether it is so new that whoever relies on it should make sure who put it there.
    pub fn is_new(&self, now: Timestamp) -> bool {
        now.since(self.added_at) < policy::PORTRAIT_IS_NEW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_one_short_line() {
        let note = |text: &str| text.parse::<IdNote>().map(|n| n.as_str().to_owned());
        assert_eq!(note(" Passport,\nseen on 3 March by HR ").as_deref(), Ok("Passport, seen on 3 March by HR"));
        assert_eq!(note("  ").as_deref(), Ok(""));
        assert!(note(&"é".repeat(300)).is_ok() && note(&"é".repeat(301)).is_err());
        assert!(note("Pass\u{202e}port").is_err() && note("a\u{7}b").is_err());
    }

    #[test]
    fn a_portrait_is_new_for_a_week() {
        let at: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let portrait = Portrait { has_picture: true, id_note: IdNote::default(), added_by: "Ada".into(), added_at: at };
        let week = std::time::Duration::from_secs(7 * 86_400);
        assert!(portrait.is_new(at) && portrait.is_new(at.plus(week - std::time::Duration::from_micros(1))));
        assert!(!portrait.is_new(at.plus(week)));
    }
}

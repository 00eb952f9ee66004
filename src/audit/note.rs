//! Signed notes: a short text and, below it, who signed it. The format is <https://c2sp.org/signed-note>, so that other
//! people's tools read ours.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use data_encoding::{BASE64, HEXLOWER};

use crate::users::BadInput;

/// The signature type of Ed25519 in a key's id and in its line.
const ED25519_TYPE: u8 = 1;
/// The most signature lines that are read; a checkpoint has one.
const MOST_SIGNATURES: usize = 16;
/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// The public half of a key that signs notes, with the name under which it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

impl VerifierKey {
    /// A key of this name; none if the name has white space or a plus in it, or is empty.
    pub fn new(name: &str, public: [u8; 32]) -> Option<Self> {
        is_name(name).then(|| Self { name: name.to_owned(), public })
    }

    /// Under which name it signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which key a signature line means: the first four bytes of a hash over name, type and key.
    pub fn id(&self) -> [u8; 4] {
        let named = [self.name.as_bytes(), b"\n", &[ED25519_TYPE], &self.public].concat();
        let hash = digest(&SHA256, &named);
        hash.as_ref().first_chunk().copied().unwrap_or_default()
    }

    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public).verify(text.as_bytes(), signature).is_ok()
    }
}

/// As one line: `name+id+key`, what signed notes call a verifier key.
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = BASE64.encode(&[&[ED25519_TYPE][..], &self.public].concat());
        write!(f, "{}+{}+{key}", self.name, HEXLOWER.encode(&self.id()))
    }
}

impl FromStr for VerifierKey {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let bad = BadInput("This is no public key of the form name+id+key; `idp audit key export-public` writes one.");
        let mut parts = text.trim_end_matches(['\r', '\n']).splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(bad) };
        let key = BASE64.decode(key.as_bytes()).map_err(|_| bad)?;
        let public = match key.split_first() {
            Some((&ED25519_TYPE, public)) => public.try_into().map_err(|_| bad)?,
            _ => return Err(bad),
        };
        let read = Self::new(name, public).ok_or(bad)?;
        // The id is the check that nothing was lost on the way.
        if read.to_string() == text.trim_end_matches(['\r', '\n']) { Ok(read) } else { Err(bad) }
    }
}

/// Whether a key can be called so.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// How a note stands to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// The key signed it.
    Yes,
    /// It bears a signature of this key that is wrong.
    Wrong,
    /// It bears none of this key.
    ByOthers,
}

/// A text with signatures, none of which was checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<(String, [u8; 4], Vec<u8>)>,
}

impl Note {
    /// `text`, which ends with a line break, signed under `key`.
    pub fn sign(text: String, key: &VerifierKey, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Self {
        let signature = sign(text.as_bytes()).to_vec();
        Self { text, signatures: vec![(key.name.clone(), key.id(), signature)] }
    }

    /// Exactly what [`Note`] displays, and nothing else.
    pub fn parse(note: &str) -> Option<Self> {
        if note.chars().any(|c| c.is_control() && c != '\n') {
            return None;
        }
        let (text, lines) = note.rsplit_once("\n\n")?;
        let mut signatures = Vec::new();
        for line in lines.strip_suffix('\n')?.split('\n') {
            let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
            let bytes = BASE64.decode(signature.as_bytes()).ok()?;
            let (id, signature) = bytes.split_first_chunk::<4>()?;
            if signatures.len() == MOST_SIGNATURES || signature.is_empty() || !is_name(name) {
                return None;
            }
            signatures.push((name.to_owned(), *id, signature.to_vec()));
        }
        // Base64 has more than one spelling of the same bytes, of which one is written.
        Some(Self { text: format!("{text}\n"), signatures }).filter(|read| read.to_string() == note)
    }

    /// The text, its last line break included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who says to have signed it: name and id.
    pub fn signers(&self) -> impl Iterator<Item = (&str, [u8; 4])> {
        self.signatures.iter().map(|(name, id, _)| (name.as_str(), *id))
    }

    /// Whether `key` signed it.
    pub fn signed_by(&self, key: &VerifierKey) -> Signed {
        let mut own = self.signatures.iter().filter(|(name, id, _)| *name == key.name && *id == key.id()).peekable();
        match own.peek().is_some() {
            false => Signed::ByOthers,
            true if own.all(|(_, _, signature)| key.verifies(&self.text, signature)) => Signed::Yes,
            true => Signed::Wrong,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for (name, id, signature) in &self.signatures {
            writeln!(f, "{DASH}{name} {}", BASE64.encode(&[&id[..], signature].concat()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification: another program's key and note.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
                        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn what_others_signed_is_read_and_verified() {
        let key: VerifierKey = KEY.parse().unwrap();
        assert_eq!((key.name(), key.to_string().as_str()), ("PeterNeumann", KEY));
        let note = Note::parse(NOTE).unwrap();
        assert_eq!(note.to_string(), NOTE);
        assert_eq!(note.signed_by(&key), Signed::Yes);
        let other = Note::parse(&NOTE.replace("answer", "question")).unwrap();
        assert_eq!(other.signed_by(&key), Signed::Wrong);
        assert_eq!(note.signed_by(&VerifierKey::new("Somebody", key.public).unwrap()), Signed::ByOthers);
    }

    #[test]
    fn what_is_no_note_and_no_key_is_not_read() {
        for bad in [
            "",
            "text\n",
            "text\n\n",
            "text\n\nname AAAA\n",
            "text\n\n\u{2014} name AAAA\n",
            "a\tb\n\n\u{2014} n AAAAAAA=\n",
        ] {
            assert_eq!(Note::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Note::parse(NOTE.trim_end()), None);
        for bad in ["", "a", "a+b+c", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
        assert_eq!(VerifierKey::new("a b", [0; 32]), None);
    }
}

//! The bytes that are hashed. Frozen: `tests/vectors/audit.json` holds entries that must hash to the same for ever.
//!
#![doc = include_str!("chain.md")]

use aws_lc_rs::digest::{SHA256, digest};

use super::Header;

/// What stands before the first entry.
pub const GENESIS: [u8; 32] = [0; 32];

const BODY_TAG: &[u8] = b"idp audit body v1";
const ENTRY_TAG: &[u8] = b"idp audit entry v1";

/// Digest of an entry's salt and body.
pub fn body_digest(salt: &[u8], body: &str) -> [u8; 32] {
    let mut fields = Fields::new(BODY_TAG);
    fields.add(salt);
    fields.add(body.as_bytes());
    fields.digest()
}

/// Hash of an entry, which binds it to all before it.
pub fn entry_hash<T: AsRef<str>>(prev: &[u8], header: &Header<T>, body_digest: &[u8]) -> [u8; 32] {
    let mut fields = Fields::new(ENTRY_TAG);
    fields.add(prev);
    fields.text(Some(&header.lineage));
    fields.add(&header.seq.to_be_bytes());
    fields.add(&header.at.as_micros().to_be_bytes());
    fields.text(Some(&header.action));
    fields.text(Some(&header.outcome));
    fields.text(Some(&header.actor_kind));
    fields.text(header.actor_id.as_ref());
    fields.text(Some(&header.target_kind));
    fields.text(header.target_id.as_ref());
    fields.text(header.case.as_ref());
    fields.add(body_digest);
    fields.digest()
}

/// Fields one behind the other, hashed at one go instead of with two calls of the hash for each.
struct Fields(Vec<u8>);

impl Fields {
    fn new(tag: &[u8]) -> Self {
        // Most entries fit, so that they do not move while they grow.
        let mut fields = Self(Vec::with_capacity(512));
        fields.add(tag);
        fields
    }

    fn add(&mut self, value: &[u8]) {
        let length = u32::try_from(value.len()).expect("an entry's field is far below 4 GiB");
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
    }

    fn text<T: AsRef<str>>(&mut self, value: Option<&T>) {
        match value {
            Some(text) => self.add(text.as_ref().as_bytes()),
            None => self.0.extend_from_slice(&u32::MAX.to_be_bytes()),
        }
    }

    fn digest(self) -> [u8; 32] {
        digest(&SHA256, &self.0).as_ref().try_into().expect("SHA-256 gives 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use data_encoding::HEXLOWER;
    use serde_json::Value;

    fn text(v: &Value) -> String {
        v.as_str().unwrap().to_owned()
    }

    fn bytes<const N: usize>(v: &Value) -> [u8; N] {
        HEXLOWER.decode(v.as_str().unwrap().as_bytes()).unwrap().try_into().unwrap()
    }

    /// The vectors were computed by another program in another language from the table above.
    #[test]
    fn the_encoding_is_frozen() {
        let vectors: Value = serde_json::from_str(include_str!("../../tests/vectors/audit.json")).unwrap();
        let vectors = vectors.as_array().unwrap();
        assert_eq!(vectors.len(), 4);
        for v in vectors {
            let h = &v["header"];
            let header = Header {
                lineage: text(&h["lineage"]),
                seq: h["seq"].as_i64().unwrap(),
                at: Timestamp::from_micros(h["at"].as_i64().unwrap()),
                action: text(&h["action"]),
                outcome: text(&h["outcome"]),
                actor_kind: text(&h["actor_kind"]),
                actor_id: h["actor_id"].as_str().map(str::to_owned),
                target_kind: text(&h["target_kind"]),
                target_id: h["target_id"].as_str().map(str::to_owned),
                case: h["case"].as_str().map(str::to_owned),
            };
            let digest = body_digest(&bytes::<16>(&v["salt"]), v["body"].as_str().unwrap());
            assert_eq!(digest, bytes(&v["body_digest"]), "{}", header.seq);
            assert_eq!(
                entry_hash(&bytes::<32>(&v["prev_hash"]), &header, &digest),
                bytes(&v["hash"]),
                "{}",
                header.seq
            );
        }
    }
}

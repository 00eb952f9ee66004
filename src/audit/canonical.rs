//! Whether a text is exactly what would be written for an entry's body, without taking it apart: a verifier asks this of every
//! entry of an export.

use serde_json::{Map, Value};

use super::body::canonical;

/// The largest integer that every JSON reader keeps exact: RFC 8785's safe range.
pub(super) const SAFE: i64 = 9_007_199_254_740_991;

/// Whether a text is what [`super::Body::to_canonical`] can write: nothing can hide in another spelling.
pub fn is_canonical(text: &str) -> bool {
    // A key that holds an escape is none that we chose: it is taken apart to be compared with its neighbours.
    Scan(text.as_bytes()).body().is_some() || text.contains('\\') && is_canonical_in_parts(text)
}

/// The same, and the definition of it: taken apart and put together again, it has to be the same text.
fn is_canonical_in_parts(text: &str) -> bool {
    let Ok(members) = serde_json::from_str::<Map<String, Value>>(text) else { return false };
    canonical(members).is_some_and(|again| again == text)
}

/// What is left of a text to be read.
struct Scan<'t>(&'t [u8]);

impl<'t> Scan<'t> {
    fn body(mut self) -> Option<()> {
        self.object(|scan, key| match key {
            b"actor_name" | b"reason" | b"target_name" | b"ticket" => scan.string().map(drop),
            b"source" => scan.object(|scan, _| scan.string().map(drop)),
            b"detail" => scan.object(|scan, _| scan.fact()),
            _ => None,
        })?;
        self.0.is_empty().then_some(())
    }

    fn eat(&mut self, text: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// Members whose keys rise, each with a value that `value` reads.
    fn object(&mut self, value: impl Fn(&mut Self, &[u8]) -> Option<()>) -> Option<()> {
        self.eat(b"{")?;
        if self.eat(b"}").is_some() {
            return Some(());
        }
        let mut before: Option<&[u8]> = None;
        loop {
            let key = self.string()?;
            if !key.is_ascii() || key.contains(&b'\\') || before.is_some_and(|before| before >= key) {
                return None;
            }
            before = Some(key);
            self.eat(b":")?;
            value(self, key)?;
            if self.eat(b",").is_none() {
                return self.eat(b"}");
            }
        }
    }

    /// A string with the shortest escapes; what stands between its quotes.
    fn string(&mut self) -> Option<&'t [u8]> {
        self.eat(b"\"")?;
        let whole = self.0;
        loop {
            let at = self.0.iter().position(|b| *b < 0x20 || matches!(b, b'"' | b'\\'))?;
            let found = self.0[at];
            self.0 = &self.0[at + 1..];
            match found {
                b'"' => return Some(&whole[..whole.len() - self.0.len() - 1]),
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let (letter, rest) = self.0.split_first()?;
        self.0 = rest;
        match letter {
            b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r' => Some(()),
            b'u' => {
                let (digits, rest) = self.0.split_first_chunk::<4>()?;
                self.0 = rest;
                // What has an escape of its own is not written so.
                match digits {
                    [b'0', b'0', b'0', b'0'..=b'7' | b'b' | b'e' | b'f'] => Some(()),
                    [b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f'] => Some(()),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// A string, a boolean, or a whole number.
    fn fact(&mut self) -> Option<()> {
        match self.0.first()? {
            b'"' => self.string().map(drop),
            b't' => self.eat(b"true"),
            b'f' => self.eat(b"false"),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Option<()> {
        let length = self.0.iter().position(|b| !matches!(b, b'-' | b'0'..=b'9'))?;
        let (digits, rest) = self.0.split_at(length);
        let number = std::str::from_utf8(digits).ok()?.parse::<i64>().ok()?;
        let is_spelt = number.to_string().as_bytes() == digits && (-SAFE..=SAFE).contains(&number);
        self.0 = rest;
        is_spelt.then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODIES: [&str; 6] = [
        "{}",
        r#"{"actor_name":"Ada","detail":{},"reason":"","source":{},"target_name":"\u001f\u0000","ticket":"T-1"}"#,
        r#"{"detail":{"a":"\"\\\b\t\n\f\r","b":true,"c":false,"d":-9007199254740991,"e":0},"source":{"address":"192.0.2.7"}}"#,
        "{\"reason\":\"\u{7f}\u{2028} café 𝄞 / \"}",
        r#"{"detail":{"a":1,"b":9007199254740991}}"#,
        r#"{"source":{"a":"x","a\n":"y"}}"#,
    ];

    #[test]
    fn what_is_written_is_canonical() {
        for body in BODIES {
            assert!(is_canonical(body) && is_canonical_in_parts(body), "{body}");
        }
        for body in [
            "",
            "{",
            "[]",
            "{} ",
            r#"{"reason":"a","reason":"a"}"#,
            r#"{"ticket":"a","reason":"a"}"#,
            r#"{"detail":{"a":-0}}"#,
            r#"{"detail":{"a":01}}"#,
            r#"{"detail":{"a":9007199254740992}}"#,
            r#"{"detail":{"a":1.0}}"#,
            r#"{"detail":{"a":null}}"#,
            r#"{"reason":"\u0041"}"#,
            r#"{"reason":"\u000A"}"#,
            r#"{"reason":"\u000a"}"#,
            r#"{"reason":"\/"}"#,
            r#"{"source":{"é":"x"}}"#,
            r#"{"source":{"a":1}}"#,
        ] {
            assert!(!is_canonical(body) && !is_canonical_in_parts(body), "{body}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]
        /// Whatever is changed in a body: both ways to look at it say the same.
        #[test]
        fn what_is_nearly_a_body_is_judged_as_if_it_were_taken_apart(
            of in 0..BODIES.len(),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..3_usize, "[-0-9a-u\"\\\\{},: \u{0}-\u{1f}é]{0,3}"), 1..4),
        ) {
            let mut text: Vec<char> = BODIES[of].chars().collect();
            for (at, gone, new) in changes {
                let at = at.index(text.len() + 1);
                let end = (at + gone).min(text.len());
                text.splice(at..end, new.chars());
            }
            let text: String = text.into_iter().collect();
            prop_assert_eq!(is_canonical(&text), is_canonical_in_parts(&text), "{}", text);
        }
    }
}

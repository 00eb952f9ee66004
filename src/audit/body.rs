//! An entry's body as text: canonical JSON (RFC 8785), restricted to objects of strings, booleans and safe integers.
//!
//! The restriction is what makes "canonical" simple: no floating point, ASCII keys that we chose, so sorting by bytes
//! is sorting by UTF-16 code units. A field that is absent is left out, which differs from an empty one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Source;
use super::canonical::SAFE;

/// One value of the detail object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Text, at most 2,000 characters; what is longer is cut and marked with `…`.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A number within ±(2^53 − 1), RFC 8785's safe range.
    Number(i64),
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Fact {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<u32> for Fact {
    fn from(n: u32) -> Self {
        Self::Number(i64::from(n))
    }
}

/// The small object of what else is worth reading.
pub type Detail = BTreeMap<&'static str, Fact>;

/// What one reads in an entry.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// The actor's name then.
    pub actor_name: Option<String>,
    /// The target's name then.
    pub target_name: Option<String>,
    /// Why it was done.
    pub reason: Option<String>,
    /// The ticket elsewhere.
    pub ticket: Option<String>,
    /// Where it came from.
    pub source: Source,
    /// What else is worth reading.
    pub detail: Detail,
}

impl Body {
    /// The exact bytes that are stored and digested.
    pub fn to_canonical(&self) -> String {
        // Most bodies fit, so that they do not move while they grow.
        let mut text = String::with_capacity(512);
        let mut out = Object::begin(&mut text);
        out.text("actor_name", self.actor_name.as_deref());
        if !self.detail.is_empty() {
            push_detail(out.key("detail"), &self.detail);
        }
        out.text("reason", self.reason.as_deref());
        if self.source != Source::default() {
            push_source(out.key("source"), &self.source);
        }
        out.text("target_name", self.target_name.as_deref());
        out.text("ticket", self.ticket.as_deref());
        out.end();
        text
    }
}

fn push_detail(out: &mut String, detail: &Detail) {
    let mut out = Object::begin(out);
    for (key, fact) in detail {
        match fact {
            Fact::Text(t) => out.text(key, Some(t)),
            Fact::Bool(b) => out.key(key).push_str(if *b { "true" } else { "false" }),
            Fact::Number(n) => out.key(key).push_str(&n.clamp(&-SAFE, &SAFE).to_string()),
        }
    }
    out.end();
}

fn push_source(out: &mut String, source: &Source) {
    let mut out = Object::begin(out);
    out.text("address", source.address.as_deref());
    out.text("os_user", source.os_user.as_deref());
    out.text("request_id", source.request_id.as_deref());
    out.text("user_agent", source.user_agent.as_deref());
    out.end();
}

/// The most characters that one text keeps.
const LONGEST: usize = 2_000;

/// A JSON object under construction at the end of a text; the caller adds the keys in order.
struct Object<'t>(&'t mut String);

impl<'t> Object<'t> {
    fn begin(text: &'t mut String) -> Self {
        text.push('{');
        Self(text)
    }

    /// Writes a key; its value belongs at the end of what this returns.
    fn key(&mut self, key: &str) -> &mut String {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        push_string(self.0, key);
        self.0.push(':');
        self.0
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        let out = self.key(key);
        // Fewer bytes can not be more characters.
        let long = (value.len() > LONGEST).then(|| value.char_indices().nth(LONGEST)).flatten();
        match long {
            Some((end, _)) => push_string(out, &format!("{}…", &value[..end])),
            None => push_string(out, value),
        }
    }

    fn end(self) {
        self.0.push('}');
    }
}

/// The one spelling of a body with these members; nothing where no body has such.
pub fn canonical(members: Map<String, Value>) -> Option<String> {
    let fits = |(name, value): (&String, &Value)| match (name.as_str(), value) {
        ("actor_name" | "reason" | "target_name" | "ticket", value) => value.is_string(),
        ("source", Value::Object(source)) => source.iter().all(|(key, value)| key.is_ascii() && value.is_string()),
        ("detail", Value::Object(detail)) => detail.iter().all(|(key, value)| key.is_ascii() && is_fact(value)),
        _ => false,
    };
    // Sorted keys, no white space, the shortest escapes: RFC 8785, as far as a body goes.
    members.iter().all(fits).then(|| Value::Object(members).to_string())
}

fn is_fact(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Bool(_) => true,
        Value::Number(n) => n.as_i64().is_some_and(|n| (-SAFE..=SAFE).contains(&n)),
        _ => false,
    }
}

/// Appends a JSON string as RFC 8785 section 3.2.2.2 writes it.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    // What needs no escape goes over as a whole: the writer thread does this for every entry.
    while let Some(at) = rest.bytes().position(|b| b < 0x20 || b == b'"' || b == b'\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x08 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            0x0c => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            control => out.push_str(&format!("\\u{control:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_canonical_json_and_absent_differs_from_empty() {
        let mut body = Body { reason: Some(String::new()), ..Body::default() };
        assert_eq!(body.to_canonical(), r#"{"reason":""}"#);
        body.reason = Some("a\"b\\c\n\u{1}é\u{1F600}".to_owned());
        body.detail.insert("z", Fact::Bool(true));
        body.detail.insert("a", Fact::Number(i64::MAX));
        body.source.address = Some("192.0.2.1".to_owned());
        assert_eq!(
            body.to_canonical(),
            "{\"detail\":{\"a\":9007199254740991,\"z\":true},\"reason\":\"a\\\"b\\\\c\\n\\u0001é\u{1F600}\",\
             \"source\":{\"address\":\"192.0.2.1\"}}"
        );
    }

    #[test]
    fn our_writer_and_a_json_library_agree_on_every_string() {
        let all: String = (0..0x300).filter_map(char::from_u32).collect();
        let mut ours = String::new();
        push_string(&mut ours, &all);
        assert_eq!(ours, serde_json::to_string(&all).unwrap());
    }

    #[test]
    fn a_text_is_bounded() {
        let body = Body { reason: Some("é".repeat(5_000)), ..Body::default() };
        assert_eq!(body.to_canonical().chars().filter(|c| *c == 'é').count(), LONGEST);
    }
}

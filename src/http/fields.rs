//! Fields of a form or query, read strictly: known names, each at most once unless it is a list, UTF-8.

use percent_encoding::percent_decode;

use super::error::Problem;
use super::guards::Call;
use super::multipart;

/// The field of a form that a file may be chosen for. A route that takes it is sent as multipart/form-data.
pub const FILE: &str = "file";

/// What forms carry beside what somebody types or chooses in them.
const CARRIED: [&str; 4] = ["csrf", "nonce", "step_up_code", FILE];

/// The fields of one request. Which names there can be stands in the route's table.
#[derive(Clone, Default)]
pub struct Fields {
    texts: Vec<(String, String)>,
    file: Vec<u8>,
    chose_file: bool,
}

impl Fields {
    /// Reads `name=value&…` (WHATWG URL, application/x-www-form-urlencoded).
    ///
    /// A name that `known` writes with a `*` at its end is a list: it may be sent any number of times.
    ///
    /// # Errors
    /// A name that `known` does not list, a repeated one, or bytes that are no UTF-8: 400 with what is wrong.
    pub fn parse(text: &[u8], known: &[&str]) -> Result<Self, Problem> {
        let mut fields = Self::default();
        for part in text.split(|b| *b == b'&').filter(|part| !part.is_empty()) {
            let mut halves = part.splitn(2, |b| *b == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            fields.add(name, value, known)?;
        }
        Ok(fields)
    }

    /// As [`Fields::parse`], but passes over names that `known` does not list.
    ///
    /// # Errors
    /// As [`Fields::parse`], but for those.
    pub fn parse_known(text: &[u8], known: &[&str]) -> Result<Self, Problem> {
        let is_known = |part: &&[u8]| {
            let name = part.split(|b| *b == b'=').next().unwrap_or_default();
            known.iter().any(|k| k.trim_end_matches('*').as_bytes() == name)
        };
        let parts: Vec<&[u8]> = text.split(|b| *b == b'&').filter(is_known).collect();
        Self::parse(&parts.join(&b'&'), known)
    }

    /// One more field.
    ///
    /// # Errors
    /// As [`Fields::parse`].
    pub(super) fn add(&mut self, name: String, value: String, known: &[&str]) -> Result<(), Problem> {
        let is_list = known.iter().any(|k| k.strip_suffix('*') == Some(&name));
        if !is_list && (name.ends_with('*') || !known.contains(&name.as_str())) {
            let shown: String = name.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
            return Err(Problem::bad(format!("There is no field “{shown}” here.")));
        }
        if !is_list && self.texts.iter().any(|(n, _)| *n == name) {
            return Err(Problem::bad(format!("The field “{name}” was sent twice.")));
        }
        self.texts.push((name, value));
        Ok(())
    }

    /// The file that was chosen for [`FILE`].
    ///
    /// # Errors
    /// As [`Fields::parse`].
    pub(super) fn add_file(&mut self, name: String, bytes: &[u8], chosen: bool, known: &[&str]) -> Result<(), Problem> {
        if name != FILE {
            return Err(Problem::bad("A file was sent where none is asked for.".to_owned()));
        }
        self.file = bytes.to_vec();
        self.chose_file = chosen;
        self.add(name, String::new(), known)
    }

    /// The chosen file's bytes; empty if none was.
    pub fn file(&self) -> &[u8] {
        &self.file
    }

    /// Whether a file was chosen: it may be an empty one.
    pub const fn chose_file(&self) -> bool {
        self.chose_file
    }

    /// What was sent under `name`; empty if nothing was.
    pub fn get(&self, name: &str) -> &str {
        self.texts.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// All that was sent under `name`, which is a list.
    pub fn list<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.texts.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Those of `names` that were sent, to be shown again.
    pub fn kept(&self, names: &[&str]) -> Vec<(String, String)> {
        self.texts.iter().filter(|(n, _)| names.contains(&n.as_str())).cloned().collect()
    }

    /// All that was typed or chosen, to be shown again. For forms in which nobody types a password.
    pub fn typed(&self) -> Vec<(String, String)> {
        self.texts.iter().filter(|(n, _)| !CARRIED.contains(&n.as_str())).cloned().collect()
    }
}

/// The fields of a request, of which the route `takes` these.
///
/// # Errors
/// A form that another site sent, that is none, or that has other fields.
pub fn read(call: &Call<'_>, takes: &[&'static str]) -> Result<Fields, Problem> {
    if !call.is_post() {
        let query = call.request.query().as_bytes();
        // Mail and chat programs add names of their own to links. In the console, where a name that is not known may be a
        // filter that was mistyped, it is told.
        return match call.request.path().starts_with("/admin") {
            true => Fields::parse(query, takes),
            false => Fields::parse_known(query, takes),
        };
    }
    call.check_origin()?;
    let kind = call.request.header("content-type").unwrap_or_default();
    let boundary = multipart::boundary(kind).filter(|_| takes.contains(&FILE));
    if boundary.is_none()
        && !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Err(Problem::NotAForm);
    }
    if !call.request.query().is_empty() {
        return Err(Problem::bad("A form is sent to an address without a query.".to_owned()));
    }
    match boundary {
        Some(boundary) => multipart::parse(call.request.body(), boundary, takes),
        None => Fields::parse(call.request.body(), takes),
    }
}

fn decode(bytes: &[u8]) -> Result<String, Problem> {
    let spaced: Vec<u8> = bytes.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let decoded: Vec<u8> = percent_decode(&spaced).collect();
    String::from_utf8(decoded).map_err(|_| Problem::bad("What was sent is no readable text (UTF-8).".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_single_and_readable_or_refused() {
        let known = ["a", "b"];
        let fields = Fields::parse(b"a=x+y%26&b=%C3%A9", &known).ok().unwrap();
        assert_eq!((fields.get("a"), fields.get("b"), fields.get("c")), ("x y&", "é", ""));
        let known = ["a", "l*"];
        let fields = Fields::parse(b"l=1&a=2&l=3", &known).ok().unwrap();
        assert_eq!(fields.list("l").collect::<Vec<_>>(), ["1", "3"]);
        assert!(Fields::parse(b"l*=1", &known).is_err());
        for bad in [&b"c=1"[..], b"a=1&a=2", b"a=%FF", b"%FF=1"] {
            assert!(Fields::parse(bad, &known).is_err());
        }
    }
}

//! Forms with a file in them (RFC 7578), read as strictly as the others: exactly what browsers send, and nothing else.
//!
//! Invariant: a body is read in one way or refused. There is no text before the first part or after the last, no header
//! but the two that a browser writes, and a field's name comes first in its own.

use super::error::Problem;
use super::fields::Fields;

/// The longest boundary (RFC 2046 section 5.1.1).
const LONGEST_BOUNDARY: usize = 70;
/// The longest head of a part: a file's name is in it.
const LONGEST_HEAD: usize = 1024;

/// The boundary in a `Content-Type`, if that is `multipart/form-data`.
pub fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameter) = content_type.split_once(';')?;
    let (name, value) = parameter.trim().split_once('=')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") || !name.eq_ignore_ascii_case("boundary") {
        return None;
    }
    let value = value.strip_prefix('"').map_or(Some(value), |quoted| quoted.strip_suffix('"'))?;
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&b);
    (!value.is_empty() && value.len() <= LONGEST_BOUNDARY && value.bytes().all(fine)).then_some(value)
}

/// Reads the parts between `boundary` lines.
///
/// # Errors
/// 400 for anything that a browser would not have sent, an unknown or repeated field, or text that is no UTF-8.
pub fn parse(body: &[u8], boundary: &str, known: &[&str]) -> Result<Fields, Problem> {
    let no = || Problem::bad("The form did not arrive as a browser sends it.".to_owned());
    let delimiter = format!("\r\n--{boundary}");
    let mut fields = Fields::default();
    let mut rest = body.strip_prefix(&delimiter.as_bytes()[2..]).ok_or_else(no)?;
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let (head, after) = split(part, b"\r\n\r\n").filter(|(head, _)| head.len() <= LONGEST_HEAD).ok_or_else(no)?;
        let (name, file) = std::str::from_utf8(head).ok().and_then(field).ok_or_else(no)?;
        let (value, after) = split(after, delimiter.as_bytes()).ok_or_else(no)?;
        if let Some(chosen) = file {
            fields.add_file(name.to_owned(), value, chosen, known)?;
        } else {
            let text = std::str::from_utf8(value).map_err(|_| no())?;
            fields.add(name.to_owned(), text.to_owned(), known)?;
        }
        rest = after;
    }
    if rest == b"--" || rest == b"--\r\n" { Ok(fields) } else { Err(no()) }
}

fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

/// A part's name from its head, and for a file whether one was chosen: where none was, browsers send one without a name.
/// What the file is called and said to be does not matter.
fn field(head: &str) -> Option<(&str, Option<bool>)> {
    let mut found = None;
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-disposition") && found.is_none() {
            let (name, after) = value.trim().strip_prefix("form-data; name=\"")?.split_once('"')?;
            let file = after.strip_prefix("; filename=\"").map(|called| !called.starts_with('"'));
            if file.is_none() && !after.is_empty() {
                return None;
            }
            found = Some((name, file));
        } else if !name.eq_ignore_ascii_case("content-type") {
            return None;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["csrf", "text", "file"];

    /// The body that Firefox sends.
    fn sent(file: &[u8]) -> Vec<u8> {
        let mut body =
            b"--Xy\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n--Xy\r\nContent-Disposition: \
                         form-data; name=\"text\"\r\n\r\na\r\n--Xz\r\nb\r\n--Xy\r\nContent-Disposition: form-data; \
                         name=\"file\"; filename=\"pe%22ople; x=y.csv\"\r\nContent-Type: text/csv\r\n\r\n"
                .to_vec();
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--Xy--\r\n");
        body
    }

    #[test]
    fn a_form_is_read_as_browsers_send_it() {
        let fields = parse(&sent(b"\xff\r\n\r\n--\0"), "Xy", KNOWN).ok().unwrap();
        assert_eq!((fields.get("csrf"), fields.get("text")), ("abc", "a\r\n--Xz\r\nb"));
        assert_eq!((fields.file(), fields.get("file")), (&b"\xff\r\n\r\n--\0"[..], ""));
        assert!(fields.chose_file() && parse(&sent(b""), "Xy", KNOWN).is_ok_and(|fields| fields.chose_file()));
        let none = b"--Xy\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--Xy--";
        assert!(parse(none, "Xy", KNOWN).is_ok_and(|fields| !fields.chose_file()));
        assert!(parse(b"--Xy--", "Xy", KNOWN).is_ok_and(|fields| fields.get("csrf").is_empty()));
    }

    #[test]
    fn a_boundary_is_one_or_the_form_is_none() {
        assert_eq!(
            boundary("multipart/form-data; boundary=----WebKitFormBoundaryA1"),
            Some("----WebKitFormBoundaryA1")
        );
        assert_eq!(boundary("Multipart/Form-Data;Boundary=\"a b\""), None);
        assert_eq!(boundary("Multipart/Form-Data;Boundary=\"ab\""), Some("ab"));
        for bad in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"a",
            "multipart/form-data; charset=utf-8; boundary=a",
            "multipart/mixed; boundary=a",
            &format!("multipart/form-data; boundary={}", "a".repeat(71)),
            "multipart/form-data; boundary=a\r\nb",
        ] {
            assert_eq!(boundary(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        let part = |head: &str| format!("--Xy\r\n{head}\r\n\r\nv\r\n--Xy--").into_bytes();
        let fine = "Content-Disposition: form-data; name=\"text\"";
        assert!(parse(&part(fine), "Xy", KNOWN).is_ok());
        let long = format!("{fine}; filename=\"{}\"", "x".repeat(LONGEST_HEAD));
        for head in [
            "",
            "Content-Type: text/plain",
            "Content-Disposition: form-data; filename=\"x\"; name=\"file\"",
            "Content-Disposition: attachment; name=\"text\"",
            "Content-Disposition: form-data; name=text",
            "Content-Disposition: form-data; name=\"text\"; size=1",
            "Content-Disposition: form-data; name=\"text\"; filename=\"x\"",
            "Content-Disposition: form-data; name=\"other\"",
            &format!("{fine}\r\n{fine}"),
            &format!("{fine}\r\nContent-Transfer-Encoding: base64"),
            &long,
        ] {
            assert!(parse(&part(head), "Xy", KNOWN).is_err(), "{head}");
        }
        let twice = format!("--Xy\r\n{fine}\r\n\r\na\r\n--Xy\r\n{fine}\r\n\r\nb\r\n--Xy--");
        for body in [&b""[..], b"--Xy", b"--Xy\r\n", b"x--Xy--", b"--Xy--x", b"--Xy--\r\n\r\n", twice.as_bytes()] {
            assert!(parse(body, "Xy", KNOWN).is_err(), "{}", String::from_utf8_lossy(body));
        }
        let unreadable = b"--Xy\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n\xff\r\n--Xy--";
        assert!(parse(unreadable, "Xy", KNOWN).is_err());
    }

    #[test]
    fn a_form_that_is_cut_off_anywhere_is_refused() {
        let whole = sent(b"email,name");
        for end in 0..whole.len() - 2 {
            assert!(parse(&whole[..end], "Xy", KNOWN).is_err(), "after {end} bytes");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_typed_or_chosen_comes_back_as_it_is(
            text in "([a-z\r\n\"-]|--X|é)*",
            file in proptest::collection::vec(proptest::sample::select(b"\r\n-Xyz\xff\0".to_vec()), 0..60),
        ) {
            let mut body = format!("--Xy\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n{text}\r\n--Xy\r\n\
                 Content-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n").into_bytes();
            body.extend_from_slice(&file);
            body.extend_from_slice(b"\r\n--Xy--\r\n");
            let mark = b"\r\n--Xy";
            let with_mark = text.contains("\r\n--Xy") || file.windows(6).any(|w| w == mark) || file.starts_with(&mark[2..]);
            proptest::prop_assume!(!with_mark);
            let fields = parse(&body, "Xy", KNOWN).ok().unwrap();
            assert_eq!((fields.get("text"), fields.file()), (&*text, &*file));
        }
    }
}

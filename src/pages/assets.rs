//! The stylesheet, the script and the icon: embedded, compressed at build time, named by their content.
//!
//! Invariant: an address names exactly one content, so an answer may be kept for ever and an old page never meets a
//! new stylesheet. An address with another hash is not found.

use std::borrow::Cow;
use std::fmt::Write;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets/static/"]
struct Static;

/// A file as it is served.
#[derive(Debug)]
pub struct Asset {
    /// The plain content.
    pub bytes: Cow<'static, [u8]>,
    /// The same with gzip (RFC 1952), for a client that accepts it.
    pub gzip: Option<&'static [u8]>,
    /// For the `Content-Type` header.
    pub content_type: &'static str,
}

/// The address of a served file: `/assets/app.0123456789abcdef.css` for `app.css`.
///
/// # Panics
/// When there is no such file: names stand in the source of the pages, and a test renders every page.
pub fn url(name: &str) -> String {
    let file = Static::get(name).expect("the pages name only embedded files");
    let (stem, extension) = name.rsplit_once('.').expect("embedded files have an extension");
    format!("/assets/{stem}.{}.{extension}", short(&file.metadata.sha256_hash()))
}

/// The file at `path`, if its name and its hash are those of a file that is embedded here.
pub fn find(path: &str) -> Option<Asset> {
    let (rest, extension) = path.strip_prefix("/assets/")?.rsplit_once('.')?;
    let (stem, hash) = rest.rsplit_once('.')?;
    let name = format!("{stem}.{extension}");
    let file = Static::get(&name)?;
    if short(&file.metadata.sha256_hash()) != hash {
        return None;
    }
    Some(Asset { bytes: file.data, gzip: gzip(&name), content_type: content_type(extension)? })
}

/// 64 bits of the hash: enough to tell versions of one file apart.
fn short(hash: &[u8; 32]) -> String {
    hash[..8].iter().fold(String::with_capacity(16), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn gzip(name: &str) -> Option<&'static [u8]> {
    match name {
        "app.css" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/app.css.gz"))),
        "app.js" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/app.js.gz"))),
        "icon.svg" => Some(include_bytes!(concat!(env!("OUT_DIR"), "/icon.svg.gz"))),
        _ => None,
    }
}

fn content_type(extension: &str) -> Option<&'static str> {
    match extension {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_file_is_found_at_its_address_and_compressed() {
        for name in Static::iter() {
            let asset = find(&url(&name)).unwrap_or_else(|| panic!("{name} has an address"));
            let gzip = asset.gzip.unwrap_or_else(|| panic!("{name} is compressed"));
            assert_eq!(gzip[..2], [0x1f, 0x8b], "{name} starts as gzip does");
            // RFC 1952: the last four bytes are the length of what was compressed.
            let length = u32::from_le_bytes(gzip[gzip.len() - 4..].try_into().unwrap());
            assert_eq!(length as usize, asset.bytes.len(), "{name} was compressed from what is embedded");
        }
    }

    #[test]
    fn an_address_with_another_hash_or_a_path_is_not_found() {
        for path in ["/assets/app.css", "/assets/app.0000000000000000.css", "/assets/../app.css", "/app.css", ""] {
            assert!(find(path).is_none(), "{path}");
        }
    }
}

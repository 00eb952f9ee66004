//! The stylesheet, the script and the icon: named by their content, so kept for ever.

use super::Response;
use super::error::Problem;
use super::guards::Call;
use super::response::Body;
use super::show::Answer;
use crate::pages::assets::find;

/// One file.
pub fn file(call: &Call<'_>) -> Answer {
    let asset = find(call.request.path()).ok_or(Problem::NotFound)?;
    let accepts = call.request.header("accept-encoding").unwrap_or_default();
    let takes_gzip = accepts.split(',').any(|part| {
        let mut parts = part.split(';').map(str::trim);
        parts.next() == Some("gzip") && !parts.any(|p| matches!(p, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    });
    let response = match asset.gzip.filter(|_| takes_gzip) {
        Some(gzip) => Response::new(200, Body::Static(gzip)).with_header("Content-Encoding", "gzip"),
        None => Response::new(200, Body::from(asset.bytes)),
    };
    Ok(response
        .with_header("Content-Type", asset.content_type)
        .with_header("Vary", "Accept-Encoding")
        .with_header("Cache-Control", "public, max-age=31536000, immutable"))
}

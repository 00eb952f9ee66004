//! The headers that every answer carries.

use super::Response;
use crate::app::App;

/// The headers that every answer carries, errors included (OWASP ASVS 5.0 chapter 3.4).
pub fn protect(app: &App, mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                          form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    response = response
        .with_header("Content-Security-Policy", POLICY)
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("X-Frame-Options", "DENY")
        // Not "no-referrer": browsers would then send "Origin: null" with our own forms.
        .with_header("Referrer-Policy", "same-origin")
        .with_header("Cross-Origin-Opener-Policy", "same-origin")
        .with_header("Cross-Origin-Resource-Policy", "same-origin")
        .with_header("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    if response.header("cache-control").is_none() {
        response = response.with_header("Cache-Control", "no-store");
    }
    if app.settings.public_url.is_https() {
        response = response.with_header("Strict-Transport-Security", "max-age=31536000");
    }
    response
}

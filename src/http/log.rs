//! One line a request for the log of the host.
//!
//! Architecture invariant: nothing that was sent is in it but the method. The route is its pattern, because paths carry
//! the tokens of links; query, headers and body are left out, because they carry passwords and codes.

use std::time::Duration;

use super::guards::Call;

/// What a supervisor asks for every few seconds and what comes along with every page: it would bury the rest.
const QUIET: [&str; 3] = ["/healthz", "/readyz", "/assets/{name}"];

/// Tells of a request that was answered with `status` after `took`.
pub fn answered(call: &Call<'_>, status: u16, took: Duration) {
    let (request, client) = (call.visitor.request_id.as_str(), call.visitor.address);
    let (method, route) = (call.request.method().as_str(), call.route);
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if QUIET.contains(&route) {
        tracing::debug!(request, method, route, status, ms, %client, "answered");
    } else {
        tracing::info!(request, method, route, status, ms, %client, "answered");
    }
}

//! What happened, what to do, and the number under which the log has it: never a bare status.

use std::time::Duration;

use maud::{Markup, html};

use super::Frame;
use super::words::lasting;

/// An answer that is no page.
#[derive(Debug, Clone)]
pub struct ErrorView<'a> {
    /// The HTTP status; one without words of its own gets those of its class.
    pub status: u16,
    /// A sentence that knows more than the status does; empty for none.
    pub detail: &'a str,
    /// When trying again makes sense.
    pub retry_after: Option<Duration>,
    /// For 401: where to sign in and come back, a path on this origin.
    pub sign_in: Option<&'a str>,
    /// Under which the log has this request.
    pub request_id: &'a str,
}

/// The page for an error.
pub fn error(frame: &Frame, view: &ErrorView) -> Markup {
    let (title, what, then) = words(view.status);
    let content = html! {
        h1 { (title) }
        section class="card" {
            p { @if view.detail.is_empty() { (what) } @else { (view.detail) } }
            p {
                (then)
                @if let Some(wait) = view.retry_after { " It makes sense to try again in " (lasting(wait)) "." }
            }
            div class="actions" {
                @if let Some(href) = view.sign_in { a class="button main" href=(href) { "Sign in" } }
                @else { a class="button" href="/" { "Go to the start page" } }
            }
        }
        p class="muted" { "Request " code { (view.request_id) } " · status " (view.status) }
    };
    frame.astray(title, &content)
}

/// Title, what happened, what to do.
const fn words(status: u16) -> (&'static str, &'static str, &'static str) {
    match status {
        401 => (
            "Please sign in first",
            "You are not signed in here, or not any more.",
            "Begin again with your e-mail address and password.",
        ),
        403 => (
            "This is not open to you",
            "Your role does not include this page, or the form was open for too long. Nothing has been changed.",
            "If this keeps you from your work, ask an owner.",
        ),
        404 => (
            "Nothing is here",
            "The address may be mistyped, or what was here is gone.",
            "Check the address, or begin at the start page.",
        ),
        405 => (
            "This address does something else",
            "It can not be opened in this way.",
            "Go back and use the page's own buttons. Nothing has been changed.",
        ),
        408 => (
            "That took too long",
            "Your browser's message did not arrive in time. Nothing has been changed.",
            "Check the connection and try again.",
        ),
        409 => (
            "Something changed in between",
            "Somebody else changed the same thing while this page was open. Nothing of yours has been saved.",
            "Go back, load the page again and see whether it is still needed.",
        ),
        413 => ("That is too much at once", "More was sent than this page takes.", "Send less at once and try again."),
        415 => (
            "That was not understood",
            "The message came in a form that this page does not read.",
            "Go back and use the page's own form.",
        ),
        429 => (
            "Too many attempts",
            "This protects accounts from guessing. Nothing is locked for good.",
            "Wait a little. Trying sooner does not help.",
        ),
        431 => (
            "Your browser sent too much",
            "The cookies or the address are longer than this server takes.",
            "Delete the cookies of this site and open the page again.",
        ),
        503 => (
            "Too busy just now",
            "The server is at its limit or about to restart. Nothing has been changed.",
            "Please try again in a few seconds.",
        ),
        507 => (
            "The disk is full",
            "There is no room to save this safely, so it was not done. Nothing is lost.",
            "Tell whoever runs this server: it needs free disk space. Signing in may still work.",
        ),
        400..=499 => (
            "That could not be read",
            "Something in the request was not as it should be. Nothing has been changed.",
            "Go back, load the page again and try once more.",
        ),
        _ => (
            "Something went wrong on our side",
            "It is not your fault. What you wanted to do was not done.",
            "Try again. If it happens again, tell an admin the number below.",
        ),
    }
}

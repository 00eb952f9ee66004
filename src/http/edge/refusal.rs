//! Why the edge itself answers, without the handler.

use std::fmt;

use crate::http::response::Response;

/// What was wrong with a request, or with us, before or instead of the handler. After each the connection closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeError {
    /// The request is not well-formed, or could be read in two ways; with what exactly.
    BadRequest(&'static str),
    /// The client began a request and did not finish it in time.
    TooLate,
    /// The body is announced to be longer than [`Limits::max_body`](super::Limits::max_body).
    BodyTooLarge,
    /// A long body is allowed here, but not one longer than
    /// [`Limits::max_large_body`](super::Limits::max_large_body).
    FileTooLarge,
    /// A longer body than usual is taken here from who is signed in, and this is nobody who is.
    SignIn,
    /// Every place for a long body is taken.
    FilesBusy,
    /// An `Expect` other than `100-continue`.
    Expectation,
    /// The head is longer than [`Limits::max_head`](super::Limits::max_head) or has more than 64 headers.
    HeadTooLarge,
    /// The handler panicked.
    Failed,
    /// The body has a transfer coding. Requests here are forms of known length; decoding chunks would only be another
    /// way to disagree with a proxy about where a request ends.
    TransferCoding,
    /// The method's name is longer than any.
    Method,
    /// Every place is taken by a client that is being served.
    Busy,
    /// Neither HTTP/1.1 nor HTTP/1.0.
    Version,
}

impl EdgeError {
    /// The status to answer with.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::TooLate => 408,
            Self::SignIn => 401,
            Self::BodyTooLarge | Self::FileTooLarge => 413,
            Self::Expectation => 417,
            Self::HeadTooLarge => 431,
            Self::Failed => 500,
            Self::TransferCoding | Self::Method => 501,
            Self::Busy | Self::FilesBusy => 503,
            Self::Version => 505,
        }
    }

    /// Whether it came before a long body that the client was allowed to send: it will go on sending for a while, and has
    /// to get through with that before it sees the answer.
    pub(super) const fn keeps_sending(self) -> bool {
        matches!(self, Self::FileTooLarge | Self::FilesBusy)
    }

    /// The answer when the application brings no pages of its own: the sentence as plain text.
    pub(super) fn page(self) -> Response {
        Response::text(self.status(), format!("{self}\n"))
    }
}

impl fmt::Display for EdgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRequest(what) => write!(f, "This request cannot be understood: {what}."),
            Self::TooLate => f.write_str("The request did not arrive in time."),
            Self::BodyTooLarge => f.write_str("What was sent is too large."),
            Self::FileTooLarge => f.write_str("The file is too large. Nothing has been changed."),
            Self::SignIn => f.write_str("You are not signed in any more, so nothing has been changed."),
            Self::FilesBusy => f.write_str("Other files are being received just now. Please try again in a moment."),
            Self::Expectation => f.write_str("Only “Expect: 100-continue” can be met."),
            Self::HeadTooLarge => f.write_str("The request's headers are too large. Clearing cookies may help."),
            Self::Failed => f.write_str("Something went wrong here. Please try again."),
            Self::TransferCoding => f.write_str("Send the body with a Content-Length, without a transfer coding."),
            Self::Method => f.write_str("This method is not known here."),
            Self::Busy => f.write_str("Too many people are connected just now. Please try again in a moment."),
            Self::Version => f.write_str("Only HTTP/1.1 and HTTP/1.0 are spoken here."),
        }
    }
}

impl std::error::Error for EdgeError {}

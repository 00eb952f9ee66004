//! Everything that speaks HTTP: requests and responses as values, and the edge that carries them over sockets.
//!
//! Architecture invariant: a [`Request`](request::Request) becomes a [`Response`](response::Response) without a socket,
//! so embedders and tests need none. Only [`edge`] listens, reads and writes; `tiny_http` is named nowhere outside this
//! folder, and its own listener is never used.

pub mod edge;
pub mod request;
pub mod response;

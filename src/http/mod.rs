//! HTTP: from a request to the errand it asks for, and back to an answer.
//!
//! Architecture invariant: `tiny_http` is named only here, and as vocabulary and response writer; its listener never
//! faces a socket. Every route stands in [`router`] with its access, and is closed to all others.

pub mod access;
pub mod activity;
mod allowance;
pub mod assets;
pub mod audit;
pub mod board;
pub mod confirm_people;
pub mod contacts;
pub mod cookies;
pub mod dashboard;
pub mod demo;
pub mod edge;
pub mod enrol;
pub mod error;
pub mod export;
pub mod factors;
pub mod fields;
pub mod follow_up;
pub mod grants;
pub mod guards;
pub mod headers;
pub mod health;
pub mod hold;
pub mod import;
pub mod incident;
pub mod log;
pub mod multipart;
pub mod notices;
pub mod objection;
pub mod password_reset;
pub mod people;
mod permission;
pub mod person;
pub mod policy;
pub mod portraits;
pub mod profile;
pub mod readmit;
pub mod recovery;
pub mod request;
pub mod resets;
pub mod response;
pub mod router;
pub mod sessions;
pub mod show;
pub mod sign_in;
mod signals;
pub mod standing;
pub mod story;
pub mod system;
mod takes;
pub mod trail;
mod zip;

pub use allowance::allowance;
pub use request::Request;
pub use response::Response;

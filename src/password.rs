//! Passwords.

pub mod phc;

pub use phc::{Argon2Params, NotAHash, PasswordHash, Salt};

//! What the machine gives apart from the database: private files, keys, workers that hash passwords, the ways to the mail
//! server and to who receives the trail.
//!
//! Architecture invariant: nothing in here knows SQL, HTTP or who a person is.

pub mod draft;
pub mod files;
pub mod hash_pool;
pub mod keys;
pub mod link;
pub mod lock;
pub mod memory;
pub mod notify;
pub mod outq;
pub mod room;
pub mod seed_key;
pub mod smtp;
pub mod syslog;
pub mod tls;
pub mod webhook;
mod wire;

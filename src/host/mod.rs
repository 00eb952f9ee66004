//! What the machine gives apart from the database: private files, keys, workers that hash passwords, the way to the mail
//! server.
//!
//! Architecture invariant: nothing in here knows SQL, HTTP or who a person is.

pub mod draft;
pub mod files;
pub mod hash_pool;
pub mod keys;
pub mod lock;
pub mod memory;
pub mod notify;
pub mod room;
pub mod seed_key;
pub mod smtp;

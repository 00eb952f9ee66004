//! What people do, one file an errand. Each owns its transaction and returns what happened together with the entries.
//!
//! Architecture invariant: an errand reads what it decides on inside the transaction that carries it out. What was
//! verified outside (a password hash takes 15 ms and must not hold the writer) carries the person's credential epoch,
//! and the transaction refuses a changed one.

pub mod backup;
pub mod data_folder;
pub mod export;
pub mod restore;

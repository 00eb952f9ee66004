//! An identity provider for small organisations. The map of the house stands here.

pub mod app;
pub mod audit;
pub mod backup_codes;
pub mod config;
pub mod factors;
pub mod grants;
pub mod ids;
pub mod password;
pub mod policy;
pub mod recovery;
pub mod secret;
pub mod sessions;
pub mod sign_in;
pub mod throttle;
pub mod time;
pub mod users;

pub mod actions;
pub mod cli;
pub mod host;
pub mod http;
pub mod pages;
pub mod storage;

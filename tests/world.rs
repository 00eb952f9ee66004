//! A whole provider in memory of one test: a temporary data folder, a clock that stands still, and browsers with their
//! cookies. Requests go through `App::handle`, as an embedder's would. When a world ends, its audit trail is verified.

mod answer;
mod browser;
mod member;
mod phone;
mod provider;
mod trail;

pub use self::answer::Answer;
pub use self::browser::Browser;
pub use self::member::Member;
pub use self::phone::Phone;
pub use self::provider::{World, host};
pub use self::trail::body;

/// A good password that is on no list.
pub const PASSWORD: &str = "walnut harbour nineteen";

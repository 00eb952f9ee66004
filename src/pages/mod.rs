//! Everything a person sees: functions from values to [`maud::Markup`].
//!
//! Architecture invariant: a page knows what it is handed and nothing else. It imports the nouns of floor 0, opens no
//! store and reads no clock; [`Frame::now`] says what time it is. Each page is `name(frame, view)` with its view
//! struct beside it, so what a screen needs can be read in one place.
//!
//! The pages are served under `default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:`: there
//! is no inline script, no style and no event attribute here, and a test walks every page to keep it so. All text
//! goes through maud's escaping; nothing is `PreEscaped` but the doctype.
//!
//! Every form keeps what was typed except passwords and codes, which [`Form`] never writes back.

pub mod access;
pub mod activity;
pub mod assets;
pub mod audit;
pub mod board;
pub mod confirm_people;
pub mod contacts;
pub mod dashboard;
pub mod demo;
pub mod enrol;
pub mod entry;
pub mod errors;
#[cfg(test)]
mod every_page;
pub mod evidence;
pub mod factors;
mod field;
pub mod follow_up;
mod form;
mod frame;
pub mod grants;
pub mod handover;
pub mod hold;
pub mod import;
pub mod incident;
pub mod invitation;
pub mod mail;
pub mod notices;
pub mod objection;
pub mod parts;
pub mod password_reset;
pub mod permission;
pub mod policy;
pub mod portraits;
pub mod profile;
pub mod readmit;
pub mod recovery;
pub mod resets;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
#[cfg(any(test, feature = "testing"))]
mod samples_acts;
#[cfg(any(test, feature = "testing"))]
mod samples_board;
#[cfg(any(test, feature = "testing"))]
mod samples_case;
#[cfg(any(test, feature = "testing"))]
mod samples_console;
#[cfg(any(test, feature = "testing"))]
mod samples_contacts;
#[cfg(any(test, feature = "testing"))]
mod samples_dashboard;
#[cfg(any(test, feature = "testing"))]
mod samples_demo;
#[cfg(any(test, feature = "testing"))]
mod samples_incident;
#[cfg(any(test, feature = "testing"))]
mod samples_notices;
#[cfg(any(test, feature = "testing"))]
mod samples_policy;
#[cfg(any(test, feature = "testing"))]
mod samples_portraits;
#[cfg(any(test, feature = "testing"))]
mod samples_profile;
#[cfg(any(test, feature = "testing"))]
mod samples_requests;
#[cfg(any(test, feature = "testing"))]
mod samples_resets;
#[cfg(any(test, feature = "testing"))]
mod samples_trail;
#[cfg(any(test, feature = "testing"))]
mod samples_user;
pub mod sessions;
pub mod sign_in;
pub mod standing;
pub mod story;
pub mod system;
pub mod trail;
pub mod user;
pub mod users;
pub mod words;

pub use field::Field;
pub use form::{Choice, FieldError, Form, StepUp};
pub use frame::{Flash, Frame, Viewer};

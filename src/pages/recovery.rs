//! One recovery case: its page with its steps, the forms in it, and what has to be permitted.

mod asked;
pub mod case;
pub mod decision;
pub mod errands;
mod next;
pub mod requests;
pub mod steps;
pub(super) mod told;
pub mod withdrawal;

use maud::Markup;

use super::Frame;
use super::frame::Section;

/// A page of the recovery section.
pub(super) fn page(frame: &Frame, title: &str, content: &Markup) -> Markup {
    frame.wide(Section::Recovery, title, false, content)
}

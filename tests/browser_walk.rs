//! Real Chromium against the real program: what a person at a screen does from the first start on, each in a browser
//! of their own, with the real clock.
//!
//! Things are found by what they are called on the page ([`crate::webdriver`]), so a walk that passes also says that
//! the words on the pages lead through. At the end of a walk no browser may have had anything to complain about: no
//! script error, nothing that the content security policy refused, no file missing.

mod attack;
mod by_keyboard;
mod company;
mod demo;
mod help_desk;
mod main_job;
mod own_account;
mod person;
mod second_person;
mod server;
mod without_scripts;

//! Where the log goes and how it looks: standard error; text for a person at a terminal, one JSON object a line for a
//! program.

use std::io::{self, IsTerminal};

/// Starts the log. One that was started before, by a program that embeds this one, stays.
pub(super) fn start(level: tracing::Level) {
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(level).with_target(false);
    let _ = if io::stderr().is_terminal() { log.try_init() } else { log.json().flatten_event(true).try_init() };
}

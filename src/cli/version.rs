//! `idp version`.

use std::sync::LazyLock;

use super::outcome::{Answer, Failure, say};
use crate::config::Place;
use crate::storage::schema::sqlite_version;

/// Shows the version of this program and of the SQLite inside it.
#[derive(Debug, clap::Args)]
pub struct Version {
    #[command(flatten)]
    place: Place,
}

impl Version {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        // Taken so that a script can give it to every command; the program is the same wherever its data is.
        drop(self.place);
        say(&format!("idp {}", text()))?;
        Ok(Answer::Done)
    }
}

/// `0.1.0 (SQLite 3.54.1)`.
pub(super) fn text() -> &'static str {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| format!("{} (SQLite {})", env!("CARGO_PKG_VERSION"), sqlite_version()));
    &TEXT
}

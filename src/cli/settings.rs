//! Reading the configuration for a command: flags, variables, the file, defaults.

use std::num::NonZeroUsize;

use super::outcome::Failure;
use crate::config::{Config, ConfigFile, Flags, Place, Sources, Variables};

/// More than a configuration file has.
const FILE_LIMIT: u64 = 256 * 1024;

/// One configuration from all sources.
///
/// # Errors
/// The first name that is not known or value that can not be taken, with where it was set.
pub(super) fn read(flags: &Flags) -> Result<Config, Failure> {
    let doing = "read the configuration";
    let variables = Variables::from_environment(std::env::vars_os()).map_err(Failure::to(doing))?;
    let file = ConfigFile::locate(&flags.place, &variables);
    let text = read_file(&file)?;
    let sources = Sources::new(flags, &variables, text.as_deref().map(|t| (&file, t))).map_err(Failure::to(doing))?;
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Config::merge(&sources, cores).map_err(Failure::to(doing))
}

/// As [`read`], for a command that has no flags of its own but where the data is and how links begin.
///
/// # Errors
/// As [`read`].
pub(super) fn read_for_links(data: &std::path::Path, public_url: Option<String>) -> Result<Config, Failure> {
    let place = Place { data: Some(data.to_owned()), config: None };
    read(&Flags { place, public_url, ..Flags::default() })
}

/// The file's text; `None` where nobody named it and it is not there.
fn read_file(file: &ConfigFile) -> Result<Option<String>, Failure> {
    let read = || -> std::io::Result<String> {
        if std::fs::metadata(&file.path)?.len() > FILE_LIMIT {
            return Err(std::io::Error::other("it is too large for a configuration"));
        }
        std::fs::read_to_string(&file.path)
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !file.named => Ok(None),
        Err(e) => {
            let why = format!("{}: {e}", file.path.display());
            Err(Failure::to("read the configuration")(why))
        }
    }
}

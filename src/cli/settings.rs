//! Reading the configuration for a command: flags, variables, the file, defaults.

use std::num::NonZeroUsize;
use std::path::PathBuf;

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

/// Where the data is, for a command that needs no other setting: found as `idp serve` finds it.
///
/// # Errors
/// As [`read`], of the names of variables and of a file that is asked where the data is.
pub(super) fn data_folder(place: &Place) -> Result<PathBuf, Failure> {
    let doing = "find the data folder";
    let variables = Variables::from_environment(std::env::vars_os()).map_err(Failure::to(doing))?;
    let file = ConfigFile::telling_data(place, &variables);
    let text = file.as_ref().map(read_file).transpose()?.flatten();
    let flags = Flags { place: place.clone(), ..Flags::default() };
    let sources = Sources::new(&flags, &variables, file.as_ref().zip(text.as_deref())).map_err(Failure::to(doing))?;
    sources.data_folder().map_err(Failure::to(doing))
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

//! What is said when a setting can not be taken: where it was set, and what to write there.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::{CONFIG_FILE, DATA, MailMistake, PUBLIC_URL, StreamMistake};
use crate::users::{BadInput, invisible};

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command; its name in the file.
    Flag(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A line of a file.
    File(PathBuf, &'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(key) => write!(f, "--{}", key.replace('_', "-")),
            Self::Variable(name) => f.write_str(name),
            Self::File(path, key) => write!(f, "{key} in {}", path.display()),
        }
    }
}

/// Why there is no configuration: a sentence that names the place and says what to write there.
#[derive(Debug)]
pub enum ConfigError {
    /// The file sets something that is no setting; the nearest one is named.
    UnknownKey {
        /// Which file.
        path: PathBuf,
        /// What stands there.
        key: String,
        /// What was probably meant.
        nearest: &'static str,
    },
    /// A variable that starts with `IDP_` is none of ours; the nearest one is named.
    UnknownVariable {
        /// Its name.
        name: String,
        /// What was probably meant.
        nearest: &'static str,
    },
    /// A value can not be taken.
    BadValue {
        /// Where it was set.
        origin: Origin,
        /// What was set.
        value: String,
        /// What to write instead.
        instead: BadInput,
    },
    /// The file is no TOML.
    NoToml(PathBuf, Box<toml::de::Error>),
    /// A variable's value is no text.
    NoText(String),
    /// Who listens for the world has to say under which name.
    NoPublicUrl(SocketAddr),
    /// The data folder's own file says that the data is elsewhere.
    DataElsewhere(PathBuf),
    /// The settings of mail do not go together.
    Mail(MailMistake),
    /// The settings of where the trail goes do not go together.
    Stream(StreamMistake),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey { path, key, nearest } => {
                write!(f, "{}: there is no setting “{}”; did you mean “{nearest}”?", path.display(), printable(key))
            }
            Self::UnknownVariable { name, nearest } => {
                write!(f, "there is no variable {}; did you mean {nearest}?", printable(name))
            }
            Self::BadValue { origin, value, instead } => write!(f, "{origin}: “{}”: {instead}", printable(value)),
            Self::NoToml(path, _) => write!(f, "{} can not be read as TOML", path.display()),
            Self::NoText(name) => write!(f, "{name}: the value is no UTF-8 text"),
            Self::NoPublicUrl(listen) => write!(
                f,
                "set {} (--public-url, or {} in {CONFIG_FILE}) to the address under which browsers reach this server, \
                 since it listens on {listen}, which is not this host alone",
                PUBLIC_URL.variable, PUBLIC_URL.key
            ),
            Self::DataElsewhere(path) => write!(
                f,
                "{}: the data folder can not be set in a file inside of it; use --data or {}",
                path.display(),
                DATA.variable
            ),
            Self::Mail(mistake) => mistake.fmt(f),
            Self::Stream(mistake) => mistake.fmt(f),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoToml(_, e) => Some(e.as_ref()),
            _ => None,
        }
    }
}

/// As much of a value as fits into a message, without what could fake a line of its own.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !invisible(*c)).take(60).collect()
}

//! What a person signs in with besides the password.

pub mod totp;

use std::str::FromStr;

use crate::ids::{FactorId, UserId};
use crate::time::Timestamp;
use crate::users::{BadInput, PersonName};

/// An authenticator app of a person.
#[derive(Debug, Clone)]
pub struct Factor {
    /// Which.
    pub id: FactorId,
    /// Whose.
    pub user_id: UserId,
    /// What the person calls it.
    pub label: String,
    /// The secret, encrypted with the factor's id bound to it.
    pub sealed_seed: Vec<u8>,
    /// The newest step of RFC 6238 that was accepted.
    pub last_step: i64,
    /// When it was enrolled.
    pub created_at: Timestamp,
    /// When it last signed someone in.
    pub last_used_at: Option<Timestamp>,
    /// When too many failures disabled it.
    pub disabled_at: Option<Timestamp>,
}

/// What a person calls a factor: 1 to 60 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(String);

impl Label {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = BadInput;

    /// Empty means the plain word for it.
    fn from_str(text: &str) -> Result<Self, BadInput> {
        if text.trim().is_empty() {
            return Ok(Self("Authenticator app".into()));
        }
        let name: PersonName = text.parse().map_err(|_| BadInput("Write the name on one line."))?;
        if name.as_str().chars().count() > 60 {
            return Err(BadInput("Shorten the name to 60 characters."));
        }
        Ok(Self(name.as_str().to_owned()))
    }
}

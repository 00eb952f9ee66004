//! What keeps an account closed besides that it is disabled: only its case opens it again.

use crate::ids::CaseNumber;
use crate::time::Timestamp;

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Somebody said "this wasn't me", and nobody has looked yet.
    Objection {
        /// Whether the account is closed by that alone. It is not for the last active owner, nor where it was closed before.
        frozen: bool,
    },
    /// It was an attack: the person comes back through a new case.
    Attack,
}

/// What keeps an account, and since when.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// In which case.
    pub case: CaseNumber,
    /// Why.
    pub held: Held,
    /// Since when.
    pub since: Timestamp,
}

//! What people do, one file an errand. Each owns its transaction and returns what happened together with the entries.
//!
//! Architecture invariant: an errand reads what it decides on inside the transaction that carries it out. What was
//! verified outside (a password hash is slow on purpose and must not hold the writer) carries the person's credential epoch,
//! and the transaction refuses a changed one.

pub mod administer;
pub mod approve;
pub mod audit_key;
pub mod authorise;
pub mod backup;
pub mod cases;
pub mod casework;
pub mod checkpoint;
pub mod confirm_people;
pub mod contacts;
pub mod data_folder;
pub mod deliver;
pub mod demo;
pub mod edit;
pub mod enrol;
pub mod export;
pub mod first_run;
pub mod follow_up;
pub mod grants;
pub mod import;
pub mod incident;
pub mod keep_out;
pub mod key_export;
pub mod nonce;
pub mod notices;
pub mod object;
pub mod password_check;
pub mod password_reset;
pub mod policy;
pub mod portraits;
pub mod profile;
pub mod prove;
pub mod readmit;
pub mod reassure;
pub mod recover;
pub mod restore;
pub mod retention;
pub mod second_factor;
pub mod sessions;
pub mod sign_in;
pub mod step_up;
pub mod stream;
pub mod sweep;
pub mod upgrade;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::audit::Source;
use crate::backup_codes::{CodeSet, Kind, secret_of};
use crate::host::hash_pool::{Busy, HashPool};
use crate::host::keys::SeedKey;
use crate::password::{Argon2Params, NewPassword, PasswordHash};
use crate::secret::{Secret, SpokenCode, Token};
use crate::storage::nonces::Done;
use crate::storage::{self, Store};
use crate::time::{Clock, Timestamp};

/// What every errand is given: the database, the key, the hashing workers, the clock.
pub struct Means {
    /// The database.
    pub store: Arc<Store>,
    /// The key that encrypts TOTP secrets and authenticates cookies and forms.
    pub key: Arc<SeedKey>,
    /// The hashing workers.
    pub pool: HashPool,
    /// The clock.
    pub clock: Clock,
    /// Held while an uploaded picture is decoded, which takes up to [`crate::policy::PORTRAIT_MEMORY`]: one at a time.
    pub one_picture: Mutex<()>,
    /// What the organisation is called: in authenticator apps, and no part of a password.
    pub organisation: String,
    /// Whether something sends messages: a mail server is set.
    pub mails: bool,
}

/// Why an errand could not be done. Nothing was changed.
#[derive(Debug, Clone)]
pub enum Error {
    /// The database could not do it.
    Storage(storage::Error),
    /// Too many password hashes wait.
    Busy(Busy),
    /// Too many failures: try again after this long. The same for accounts that do not exist.
    Wait(Duration),
    /// The session is over, or no longer at the step that this belongs to.
    SessionGone,
    /// A second factor has to be shown again first.
    StepUpNeeded,
    /// The form was carried out before: this is what it did.
    AlreadyDone(Done),
    /// What it is about does not exist, or not for this person.
    NotFound,
    /// The case is not in a state in which this can happen.
    CaseMovedOn,
    /// A stored secret can not be opened with the key at hand.
    WrongKey,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(e) => e.fmt(f),
            Self::Busy(e) => e.fmt(f),
            Self::Wait(d) => write!(f, "too many failures: try again in {} seconds", d.as_secs().max(1)),
            Self::SessionGone => f.write_str("the session is over: sign in again"),
            Self::StepUpNeeded => f.write_str("confirm with a second factor that it is you"),
            Self::AlreadyDone(done) => write!(f, "this was done already: {}", done.said),
            Self::NotFound => f.write_str("there is no such thing"),
            Self::CaseMovedOn => f.write_str("the case has moved on since: look at it again"),
            Self::WrongKey => {
                f.write_str("a stored secret does not open with this seed key: put the right seed.key back")
            }
        }
    }
}

impl std::error::Error for Error {}

impl storage::Failed for Error {
    fn storage(&self) -> Option<&storage::Error> {
        match self {
            Self::Storage(e) => Some(e),
            _ => None,
        }
    }
}

impl From<storage::Error> for Error {
    fn from(e: storage::Error) -> Self {
        Self::Storage(e)
    }
}

impl From<Busy> for Error {
    fn from(e: Busy) -> Self {
        Self::Busy(e)
    }
}

/// What an errand answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who comes with a request, as far as the network tells.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The client's address.
    pub address: IpAddr,
    /// What the client says it is: at most 200 characters, without control characters.
    pub user_agent: String,
    /// The request's id.
    pub request_id: String,
    /// The cookie of a device that completed a sign-in.
    pub device: Option<Token>,
    /// The cookie of a session, of whatever stage: a new sign-in takes its place.
    pub session: Option<Token>,
}

impl Visitor {
    /// As the trail says it.
    pub fn source(&self) -> Source {
        Source {
            address: Some(self.address.to_string()),
            user_agent: Some(self.user_agent.clone()).filter(|a| !a.is_empty()),
            request_id: Some(self.request_id.clone()),
            os_user: None,
        }
    }
}

impl Means {
    /// Hashes a password that may be set, with today's parameters and a new salt.
    fn hash_new(&self, password: &NewPassword) -> Result<PasswordHash> {
        self.hash_secret(password.secret().clone())
    }

    fn hash_secret(&self, secret: Secret) -> Result<PasswordHash> {
        let (params, salt) = (Argon2Params::current(), PasswordHash::new_salt());
        Ok(PasswordHash::new(params, salt, self.pool.hash(secret, params, &salt)?))
    }

    /// Hashes a new set of codes, one salt for all.
    fn hash_codes<const N: usize>(
        &self,
        kind: Kind,
        codes: &[SpokenCode<N>],
        now: Timestamp,
        expires_at: Option<Timestamp>,
    ) -> Result<CodeSet> {
        let (params, salt) = (Argon2Params::current(), PasswordHash::new_salt());
        let hashes = self.pool.hash_all(codes.iter().map(secret_of).collect(), params, &salt)?;
        let unused = (0..).zip(hashes).collect();
        let total = u32::try_from(codes.len()).unwrap_or(u32::MAX);
        Ok(CodeSet { id: 0, kind, salt, params, total, created_at: now, expires_at, unused })
    }
}

fn whole_hours(d: Duration) -> u32 {
    u32::try_from(d.as_secs() / 3_600).unwrap_or(u32::MAX)
}

fn whole_minutes(d: Duration) -> u32 {
    u32::try_from(d.as_secs() / 60).unwrap_or(u32::MAX)
}

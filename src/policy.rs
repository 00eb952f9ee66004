//! Every number of the product with its sentence: windows, lifetimes, tries. What owners may set stands in [`settings`];
//! the rest is the same for everybody.

pub mod choices;
pub mod group;
pub mod settings;
pub mod standing;

use std::time::Duration;

pub use choices::{HowOften, SecondPerson};
pub use group::Group;
pub use settings::{KEYS, Key, Looser, Unit, Value};
pub use standing::{Policy, Setting, Standing};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

const fn times(d: Duration, n: u32) -> Duration {
    Duration::from_secs(d.as_secs() * n as u64)
}

/// An invitation link works this long.
pub const INVITATION: Duration = times(HOUR, 72);
/// So many people are added by one import.
pub const IMPORT_PEOPLE: usize = 1_000;
/// A list of people to import is no longer than this; the console takes 64 KiB, as of any form but a photo's.
pub const IMPORT_BYTES: usize = 256 * 1024;
/// The first owner's link works this long; `serve` prints a new one at its next start.
pub const SETUP_LINK: Duration = times(HOUR, 72);
/// So many wrong passes void an enrolment pass.
pub const WRONG_PASSES: u32 = 5;
/// Whatever the policy says, a number that is known for less than this never counts.
pub const KNOWN_NUMBER_LEAST: Duration = DAY;
/// A person has at most so many contacts of a kind: phone numbers, further addresses, managers.
pub const CONTACTS: u32 = 5;
/// An uploaded photo is no larger than this. The body of its form may be [`PORTRAIT_BODY`] long, so that who chose a file
/// that is a little larger is told so in the form.
pub const PORTRAIT_UPLOAD: usize = 6_000_000;
/// The body of the one form that takes a photo; any other is bounded by [`crate::http::edge::Limits::max_body`].
pub const PORTRAIT_BODY: usize = 6 * 1024 * 1024;
/// No side of an uploaded photo has more pixels.
pub const PORTRAIT_UPLOAD_SIDE: u32 = 8_000;
/// What decoding a photo may take: 44 million pixels of a usual JPEG, 14 million of a progressive one.
pub const PORTRAIT_MEMORY: u64 = 128 * 1024 * 1024;
/// The longer side of the picture that is made of it.
pub const PORTRAIT_SIDE: u32 = 480;
/// The most bytes of that picture; the schema has the same number.
pub const PORTRAIT_BYTES: usize = 256 * 1024;
/// Characters of a note about an ID; the schema has the same number.
pub const ID_NOTE: usize = 300;
/// Whoever relies on a photo or a note that was changed within this time is told to make sure who did that.
pub const PORTRAIT_IS_NEW: Duration = times(DAY, 7);
/// A confirmation with a second factor counts this long.
pub const STEP_UP: Duration = times(MINUTE, 15);
/// A sign-in that has passed the password waits this long for the second factor.
pub const PENDING: Duration = times(MINUTE, 10);
/// A session for nothing but enrolment, or for a forced change of password, lives this long.
pub const ENROLLING: Duration = times(MINUTE, 60);
/// A session's times may lie this far in the future: two cores' clocks, or a clock that was slewed.
pub const CLOCK_SLACK: Duration = MINUTE;
/// After this time without a request one factor resumes the session.
pub const IDLE: Duration = times(HOUR, 1);
/// After this time both factors are asked for again.
pub const SESSION: Duration = times(HOUR, 24);
/// A device is remembered this long after its last sign-in.
pub const DEVICE: Duration = times(DAY, 90);
/// A person keeps at most so many remembered devices; the oldest goes.
pub const DEVICES: u32 = 20;
/// Backup codes in a set that a person makes.
pub const BACKUP_CODES: usize = 10;
/// At so many codes left, or fewer, the person is warned.
pub const FEW_CODES: u32 = 2;
/// Codes that an admin issues at a time.
pub const ISSUED_CODES: usize = 3;
/// The rank that counts is the highest held within this time.
pub const RANK_MEMORY: Duration = times(DAY, 7);
/// An authenticator app's secrets a person may have at once.
pub const FACTORS: u32 = 10;
/// A form's nonce is good for this long; a form left open for longer must be opened again.
pub const FORM: Duration = times(HOUR, 12);
/// The sign-in page's stateless cookie is good for this long.
pub const PRE_SESSION: Duration = times(HOUR, 12);
/// `last seen` of a session is written at most this often.
pub const SEEN_EVERY: Duration = times(MINUTE, 1);
/// After so long without a failure the earlier ones are forgotten, except those of a TOTP factor. That bounds the table
/// and costs nothing: five free tries a day are fewer than the 96 that the longest delay leaves.
pub const FAILURES_FORGOTTEN: Duration = DAY;
/// So many failures in a row cost no delay.
pub const FREE_FAILURES: u32 = 5;
/// The delay after the free failures; each further one doubles it.
pub const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest delay.
pub const LONGEST_DELAY: Duration = times(MINUTE, 15);
/// After so many failures in a row a TOTP factor is switched off (NIST SP 800-63B-4 section 3.2.2).
pub const TOTP_DISABLED_AT: u32 = 100;
/// Failure counters of addresses without an account that are kept; the oldest go.
pub const COUNTERS: u32 = 50_000;
/// Failures on unknown accounts are counted apart for so many sources a minute; the rest together.
pub const SOURCES_A_MINUTE: u32 = 50;
/// Anonymous writes are refused when fewer bytes than this are free on the database's disk.
pub const DISK_RESERVE: u64 = 200 * 1024 * 1024;
/// The console says so when fewer bytes than this are free.
pub const DISK_LOW: u64 = 1024 * 1024 * 1024;
/// The console and `idp doctor` say so when the last backup is older than this.
pub const BACKUP_AGE: Duration = times(DAY, 2);
/// The console and `idp doctor` say so when nothing went to where this host can not change it for so long.
pub const ANCHOR_AGE: Duration = times(DAY, 8);
/// What happened within this time is news on the dashboard.
pub const LATELY: Duration = times(DAY, 7);
/// An enrolment window that closes within this time is pressing.
pub const CLOSES_SOON: Duration = times(MINUTE, 15);
/// A looser policy takes effect so long after it was asked for, so that an owner's stolen session can not loosen it and
/// use that in one sitting.
pub const LOOSENING: Duration = DAY;
/// A message that could not be sent for so long is given up; what it says still stands at the next sign-in.
pub const MAIL_KEPT: Duration = times(DAY, 3);
/// How long a message waits after each try that failed; after the last of these, as long again each time.
pub const MAIL_RETRIES: [Duration; 5] =
    [MINUTE, times(MINUTE, 5), times(MINUTE, 15), times(MINUTE, 60), times(HOUR, 4)];
/// While the mail server is not there, it is asked this often whether it is back.
pub const MAIL_PROBE: Duration = times(MINUTE, 5);
/// A message that waits for longer than this is held up: somebody should look.
pub const MAIL_HELD_UP: Duration = times(MINUTE, 60);
/// A syslog server that is not there is tried again at the latest after this.
pub const SYSLOG_WAIT: Duration = MINUTE;
/// A webhook that does not take an entry is tried again at the latest after this.
pub const WEBHOOK_WAIT: Duration = times(MINUTE, 5);
/// A receiver of the trail that takes nothing for longer than this is stuck: somebody should look.
pub const STREAM_STUCK: Duration = times(MINUTE, 15);
/// What became of a message is kept this long beside the trail, which keeps it for good.
pub const MAIL_REMEMBERED: Duration = times(DAY, 30);
/// A link to choose a new password works this long.
pub const PASSWORD_RESET_LINK: Duration = times(MINUTE, 30);
/// So many such links can be asked for one address within [`PASSWORD_RESET_HOUR`].
pub const PASSWORD_RESETS: u32 = 3;
/// See [`PASSWORD_RESETS`].
pub const PASSWORD_RESET_HOUR: Duration = HOUR;
/// So many entries of the trail are erased in one change, so that nobody waits long behind it.
pub const ERASED_AT_ONCE: i64 = 500;
/// Fewer than that are erased this often.
pub const ERASES_EVERY: Duration = DAY;
/// Nothing is erased before the trail has had entries for so long without a gap: a clock that leaps ahead is found out by
/// then, since no code from a phone is right.
pub const TRAIL_WATCHED: Duration = times(DAY, 30);
/// Two neighbouring entries of a trail without a gap lie no further apart: a server signs how far it has come each day, and may
/// be off over a long weekend.
pub const TRAIL_GAP: Duration = times(DAY, 4);
/// A message that an admin writes to somebody is no longer than this, in characters.
pub const MESSAGE: usize = 4_000;

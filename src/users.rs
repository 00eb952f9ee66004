//! People: who they are, what they may do, and in which state their account is.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

use crate::dashboard::Need;
use crate::ids::UserId;
use crate::time::Timestamp;

/// What a person may do. The order of the variants is no rank; see [`Role::rank`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Signs in and looks after their own account.
    Member,
    /// Reads and exports the audit trail, nothing else.
    Auditor,
    /// The help desk: looks after members and runs recoveries.
    Admin,
    /// The senior admin: everything, and recovers admins and other owners.
    Owner,
}

impl Role {
    /// All of them, from least to most.
    pub const ALL: [Self; 4] = [Self::Member, Self::Auditor, Self::Admin, Self::Owner];

    /// The word that is stored, typed and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Rank for the grant rule: admins and auditors rank alike, between members and owners.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Member => 0,
            Self::Auditor | Self::Admin => 1,
            Self::Owner => 2,
        }
    }

    /// Whether the role opens the console's people and recovery pages.
    pub const fn looks_after_people(self) -> bool {
        matches!(self, Self::Admin | Self::Owner)
    }

    /// Whether the role opens the audit trail.
    pub const fn reads_audit(self) -> bool {
        !matches!(self, Self::Member)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL
            .into_iter()
            .find(|r| r.as_str() == text)
            .ok_or(BadInput("Choose a role: member, auditor, admin or owner."))
    }
}

/// In which state an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Has a link to hand over, no password yet.
    Invited,
    /// Has a password; may still have to enrol a factor.
    Active,
    /// May not sign in. Nothing but *Enable* ends this.
    Disabled,
    /// Has left for good. Nothing ends this; name, address and history are kept.
    Left,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Invited, Self::Active, Self::Disabled, Self::Left];

    /// The word that is stored, typed and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Left => "left",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or(BadInput("Choose a state: invited, active, disabled or left."))
    }
}

/// A sentence for the person who typed something that can not be taken: what to do instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadInput(pub &'static str);

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadInput {}

/// An e-mail address as the name one signs in with: NFC, lower case, at most 254 bytes (RFC 5321 section 4.5.3.1).
///
/// Two spellings of one address are one value, so that neither an account nor a failure counter can be doubled by
/// typing it otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// The normalised address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Email {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let no = BadInput("Enter an e-mail address, like mara@example.org.");
        let text: String = text.trim().nfc().collect::<String>().to_lowercase().nfc().collect();
        let (local, domain) = text.rsplit_once('@').ok_or(no)?;
        let fits = text.len() <= 254 && !local.is_empty() && local.len() <= 64;
        let clean = |c: char| !c.is_control() && !c.is_whitespace() && !invisible(c) && !"<>()[],;:\\\"@".contains(c);
        let domain_fits = domain.contains('.') && domain.split('.').all(|label| !label.is_empty());
        if fits && domain_fits && text.chars().filter(|c| *c != '@').all(clean) && local.chars().all(clean) {
            Ok(Self(text))
        } else {
            Err(no)
        }
    }
}

/// A person's name as shown: NFC, 1 to 100 characters, on one line, without characters that reorder or hide others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PersonName(String);

impl PersonName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PersonName {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<Self, BadInput> {
        let name: String = text.trim().nfc().collect();
        if name.is_empty() {
            return Err(BadInput("Enter a name."));
        }
        if name.chars().count() > 100 {
            return Err(BadInput("Shorten the name to 100 characters."));
        }
        if name.chars().any(|c| c.is_control() || invisible(c)) {
            return Err(BadInput("Write the name on one line, without invisible characters."));
        }
        Ok(Self(name))
    }
}

/// Characters that make text look like other text: bidirectional controls and zero-width ones.
pub const fn invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// A person as the rules see them.
#[derive(Debug, Clone)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// The name they sign in with.
    pub email: Email,
    /// As shown.
    pub name: PersonName,
    /// What they may do.
    pub role: Role,
    /// The highest rank held in the last seven days; at least that of `role`.
    pub recent_rank: u8,
    /// In which state the account is.
    pub status: Status,
    /// Counts every change that must beat a verification under way: reset, disable, password, factors.
    pub credential_epoch: i64,
    /// Whether a password is set.
    pub has_password: bool,
    /// Whether the password must be changed before anything else.
    pub must_change_password: bool,
    /// Until when a temporary password works.
    pub password_expires_at: Option<Timestamp>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When they last completed a sign-in.
    pub last_sign_in_at: Option<Timestamp>,
}

impl User {
    /// Whether the password was made by the system: only such a one expires, and it may be typed as it is read out.
    pub const fn has_temporary_password(&self) -> bool {
        self.password_expires_at.is_some()
    }
}

/// Why an address can not be given to somebody: it names one person in the trail, also after they have left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Someone here signs in with it.
    ByWhoIsHere,
    /// Someone who has left for good had it.
    ByWhoLeft,
}

impl Taken {
    /// By somebody in this state.
    pub const fn of(status: Status) -> Self {
        match status {
            Status::Left => Self::ByWhoLeft,
            Status::Invited | Status::Active | Status::Disabled => Self::ByWhoIsHere,
        }
    }

    /// The word in the audit entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByWhoIsHere => "address_exists",
            Self::ByWhoLeft => "address_of_who_left",
        }
    }
}

/// Who is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// The name they will sign in with.
    pub email: Email,
    /// As shown.
    pub name: PersonName,
    /// What they may do.
    pub role: Role,
}

/// One line of the console's list of people.
#[derive(Debug, Clone)]
pub struct UserLine {
    /// Who.
    pub id: UserId,
    /// The name they sign in with.
    pub email: String,
    /// As shown.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// In which state the account is.
    pub status: Status,
    /// Confirmed factors.
    pub factors: u32,
    /// Unused backup codes that still work.
    pub codes_left: u32,
    /// When they last completed a sign-in.
    pub last_sign_in_at: Option<Timestamp>,
    /// Why somebody should look at the account.
    pub needs: Vec<Need>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_value_however_it_is_typed() {
        let plain: Email = "mara@fernhill.example".parse().unwrap();
        assert_eq!(" MARA@Fernhill.Example ".parse(), Ok(plain));
        for bad in ["", "mara", "mara@", "@x.y", "a b@x.y", "a@x", "a@x..y", "a@b@c.d", "a\u{202e}b@x.y", "a<b@x.y"] {
            assert!(bad.parse::<Email>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_can_not_fake_a_line_or_run_backwards() {
        for bad in ["", "  ", "a\nb", "a\u{202e}b", "a\u{200b}b", &"x".repeat(101)] {
            assert!(bad.parse::<PersonName>().is_err(), "{bad:?}");
        }
        assert_eq!("  Žofie  ".parse::<PersonName>().unwrap().as_str(), "Žofie");
        assert!("مريم العلي".parse::<PersonName>().is_ok());
    }
}

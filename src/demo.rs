//! The demo: an organisation that is made up, who is in it, and what a newcomer can try with whom.
//!
//! Architecture invariant: only `idp demo` makes a [`Demo`], over a folder that goes when it ends. Where a provider has
//! none, no page shows anybody's codes.

use std::path::PathBuf;

use crate::backup_codes::BackupCode;
use crate::ids::UserId;
use crate::password::Salt;
use crate::secret::Secret;
use crate::users::{Role, Status};

/// What it is called.
pub const ORGANISATION: &str = "Fernhill Joinery (demo)";
/// Whom its sign-in page names.
pub const HELP_CONTACT: &str = "Tom in the office, extension 12";
/// Everybody's password. What else lets them in is made anew at every start.
pub const PASSWORD: &str = "sawdust-everywhere";
/// For how many steps of 30 seconds a page holds what the apps show.
pub const STEPS: u32 = 20;

/// Somebody of the cast.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Their first name, as it stands in their address.
    pub key: &'static str,
    /// Their name.
    pub name: &'static str,
    /// Their role.
    pub role: Role,
    /// What happened to them.
    pub about: &'static str,
}

impl Part {
    /// What they sign in with.
    pub fn email(&self) -> String {
        format!("{}@fernhill.example", self.key)
    }
}

const fn part(key: &'static str, name: &'static str, role: Role, about: &'static str) -> Part {
    Part { key, name, role, about }
}

/// Everybody, in the order in which they came.
pub const CAST: [Part; 12] = [
    part("ada", "Ada Brandt", Role::Owner, "Runs the place. Approves what an admin must not do alone."),
    part("ruth", "Ruth Adeyemi", Role::Owner, "The second owner, so that nobody is alone. Vouches for her people."),
    part("tom", "Tom Okafor", Role::Admin, "The help desk, and the one to begin with."),
    part(
        "noor",
        "Noor Haddad",
        Role::Admin,
        "Wiped her old phone too early. Tom has asked to reset her; an owner has to approve that.",
    ),
    part("oskar", "Oskar Nyberg", Role::Auditor, "Reads the audit trail, and nothing else."),
    part(
        "mara",
        "Mara Lindqvist",
        Role::Member,
        "Lost her phone and called an hour ago: her case waits. Somebody abroad tried passwords on her account before.",
    ),
    part("lena", "Lena Vogt", Role::Member, "Lost her phone three weeks ago and was back in within minutes."),
    part(
        "jonas",
        "Jonas Weber",
        Role::Member,
        "Somebody talked an admin into a reset two weeks ago. The account was closed the next morning.",
    ),
    part(
        "piet",
        "Piet de Vries",
        Role::Member,
        "Three days ago somebody demanded a reset in his name, in a great hurry, and was refused.",
    ),
    part(
        "sofia",
        "Sofia Marin",
        Role::Member,
        "Has two backup codes left: she used the others while her phone was away.",
    ),
    part("eva", "Eva Novak", Role::Member, "On leave until summer: her account is disabled."),
    part("hugo", "Hugo Klein", Role::Member, "Was invited yesterday and has not come in yet."),
];

/// Something to try.
#[derive(Debug)]
pub struct Walk {
    /// What it is about.
    pub title: &'static str,
    /// As whom to sign in first; nobody, where it begins elsewhere.
    pub who: Option<&'static str>,
    /// Which page it begins on; `{id}` stands for whom it is about.
    pub path: &'static str,
    /// Whom it is about.
    pub whom: &'static str,
    /// What to do, with commands between backticks; `{folder}` stands for the data folder.
    pub text: &'static str,
}

/// Everything that can happen, each to be tried in a minute.
pub const WALKS: [Walk; 11] = [
    Walk {
        title: "Mara lost her phone",
        who: Some("tom"),
        path: "/admin/users/{id}/mfa/reset",
        whom: "mara",
        text: "Make sure who she is: call a number that was known before, not the one that is new. Reset her factors, and \
               read her the pass. Then be Mara in a private window: e-mail, password, the pass, and the code of her new app, \
               which stands in this list as soon as her page with the QR code is open.",
    },
    Walk {
        title: "Or Mara finds her backup codes",
        who: Some("mara"),
        path: "/profile",
        whom: "mara",
        text: "Choose “use a backup code” after the password and enter one of hers. No reset is needed, and her case notices \
               by itself.",
    },
    Walk {
        title: "Or you are not sure that it is Mara",
        who: Some("tom"),
        path: "/admin/recovery",
        whom: "mara",
        text: "Open her case and hand it to the owners, with what you know. Then be Ada in a private window and go on there.",
    },
    Walk {
        title: "Sofia is on the road, with nothing to set up",
        who: Some("tom"),
        path: "/admin/users/{id}/mfa/backup-codes",
        whom: "sofia",
        text: "Give her three codes to dictate. Then be Sofia in a private window and sign in with one of them.",
    },
    Walk {
        title: "Lena can not read her e-mail and has forgotten her password",
        who: Some("tom"),
        path: "/admin/users/{id}/password",
        whom: "lena",
        text: "Set a temporary password and read it to her. Then try to reset her factors as well: one admin alone does not \
               give both.",
    },
    Walk {
        title: "Approve what Tom asked for",
        who: Some("ada"),
        path: "/admin/recovery",
        whom: "noor",
        text: "Noor is an admin, so an owner looks at it first. Approve it; then be Tom again and carry it out.",
    },
    Walk {
        title: "Somebody calls as Lena and presses you",
        who: Some("tom"),
        path: "/admin/users/{id}",
        whom: "lena",
        text: "Open a case and refuse it: nothing is given, and everybody who opens Lena sees your note.",
    },
    Walk {
        title: "Piet asks again",
        who: Some("tom"),
        path: "/admin/users/{id}",
        whom: "piet",
        text: "Whoever opens him sees that help was refused. For a week after that, only an owner can help: be Ada.",
    },
    Walk {
        title: "It was an attack",
        who: Some("ada"),
        path: "/admin/users/{id}",
        whom: "jonas",
        text: "See what the account did since the reset, and let the real Jonas back in.",
    },
    Walk {
        title: "Show it to the auditor",
        who: Some("oskar"),
        path: "/admin/audit",
        whom: "oskar",
        text: "Every step so far has its entry. In another terminal, `idp audit verify --data {folder}` checks the whole chain.",
    },
    Walk {
        title: "The only owner lost their phone",
        who: None,
        path: "",
        whom: "ada",
        text: "Only who holds the host can help: `idp recover-owner ada@fernhill.example --data {folder} --reason \"phone lost\"` \
               prints a pass for her. The trail says so, loudly.",
    },
];

/// What is remembered of somebody, because no database holds it.
#[derive(Debug)]
pub struct Known {
    /// Who.
    pub id: UserId,
    /// Their part.
    pub part: &'static Part,
    /// The salt of their password's hash, by which to see whether it is still [`PASSWORD`]; none where they have none.
    pub password: Option<Salt>,
    /// Their backup codes, in the order of their set.
    pub codes: Vec<BackupCode>,
    /// The salt of that set.
    pub code_set: Option<Salt>,
    /// The path of the invitation that they have not used.
    pub invitation: Option<String>,
}

/// A running demo.
#[derive(Debug)]
pub struct Demo {
    /// Its data folder.
    pub folder: PathBuf,
    /// Everybody of the cast, in its order.
    pub people: Vec<Known>,
}

impl Demo {
    /// The id of somebody of the cast.
    pub fn id_of(&self, key: &str) -> Option<UserId> {
        self.people.iter().find(|known| known.part.key == key).map(|known| known.id)
    }
}

/// With which password somebody signs in at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordNow {
    /// With [`PASSWORD`].
    Shared,
    /// With a temporary one, which was shown once.
    Temporary,
    /// With one that was chosen since the start.
    Chosen,
    /// There is none that works.
    None,
}

/// How somebody gets in at this moment.
#[derive(Debug, Clone)]
pub struct KeyRing {
    /// What happened to them; who was added since the start has no story.
    pub about: Option<&'static str>,
    /// Their name.
    pub name: String,
    /// What they sign in with.
    pub email: String,
    /// Their role.
    pub role: Role,
    /// Their state.
    pub status: Status,
    /// Their password.
    pub password: PasswordNow,
    /// What their app shows, now and in the steps that follow; empty where none works.
    pub app: Vec<Secret>,
    /// What an app shows that they are setting up at this moment.
    pub new_app: Vec<Secret>,
    /// Backup codes of theirs that work; empty where new ones were made since the start, which were shown once.
    pub codes: Vec<Secret>,
    /// How many backup codes are left, of whatever set.
    pub codes_left: u32,
    /// The path of an invitation that they have not used.
    pub invitation: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::NewPassword;

    #[test]
    fn everybody_may_have_the_password_and_every_walk_is_about_somebody() {
        for part in &CAST {
            let (email, words) = (part.email(), [part.name, ORGANISATION]);
            assert!(NewPassword::parse(PASSWORD, &[&email, words[0], words[1]]).is_ok(), "{}", part.name);
        }
        let is_cast = |key: &str| CAST.iter().any(|part| part.key == key);
        for walk in &WALKS {
            assert!(is_cast(walk.whom) && walk.who.is_none_or(is_cast), "{}", walk.title);
            assert_eq!(walk.who.is_none(), walk.path.is_empty(), "{}", walk.title);
        }
    }
}

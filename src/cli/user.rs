//! `idp user`.

use std::sync::{Arc, Mutex};

use clap::Subcommand;

use super::outcome::{Answer, Failure, say};
use super::{mailing, operator, settings};
use crate::actions::administer::{self, AddedPerson};
use crate::actions::authorise::By;
use crate::actions::grants::{Ask, Granted};
use crate::actions::{Error, Means, data_folder};
use crate::audit::Reason;
use crate::config::{Flags, Place, PublicUrl};
use crate::dashboard::Chosen;
use crate::host::hash_pool::HashPool;
use crate::ids::UserId;
use crate::storage::users::search::{self, Search};
use crate::storage::{backup_codes, factors, recovery, sessions, users};
use crate::time::Clock;
use crate::users::{Email, NewPerson, PersonName, Role, Taken, User};

/// People read at a time for the list.
const PAGE: u32 = 500;

/// Looks after people from the host.
#[derive(Debug, Subcommand)]
pub enum Users {
    /// Adds a person and prints a one-time invitation link to hand over.
    #[command(after_long_help = "Example:\n  idp user add mara@example.org --name \"Mara Lindqvist\"\n\n\
        The link works once, for 72 hours. Hand it over on a channel that you trust: whoever opens it becomes that person.")]
    Add(Add),
    /// Adds many people from a CSV file and prints a one-time invitation link for each.
    #[command(after_long_help = super::import::EXAMPLE)]
    Import(super::import::Import),
    /// Lists everyone: state, role, factors, codes left, address, name.
    List(List),
    /// Shows one person.
    Show(Who),
    /// Keeps a person out: sessions, links and passes end at once. Nothing is deleted.
    Disable(Standing),
    /// Lets a disabled person sign in again.
    Enable(Standing),
    /// Gives a person another role. A promotion ends their sessions and voids links, passes and issued codes.
    Role(ChangeRole),
}

/// `idp user add`
#[derive(Debug, clap::Args)]
pub struct Add {
    #[command(flatten)]
    place: Place,
    /// The e-mail address to sign in with.
    email: Email,
    /// The name as shown.
    #[arg(long)]
    name: PersonName,
    /// What they may do: member, auditor, admin or owner.
    #[arg(long, default_value = "member")]
    role: Role,
    /// Mails the link to that address too, where a mail server is set.
    #[arg(long)]
    mail: bool,
    /// How the link begins, where no server is running and idp.toml does not say it.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

/// `idp user list`
#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
    /// Only those whose name or address has this in it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    search: String,
    /// Only those in this state: invited, active, disabled or left; or attention, for all that need some.
    #[arg(long)]
    state: Option<Chosen>,
    /// Only those with this role.
    #[arg(long)]
    role: Option<Role>,
}

/// `idp user show`
#[derive(Debug, clap::Args)]
pub struct Who {
    #[command(flatten)]
    place: Place,
    /// The e-mail address, or the id.
    #[arg(value_name = "EMAIL")]
    who: String,
}

/// `idp user disable|enable`
#[derive(Debug, clap::Args)]
pub struct Standing {
    #[command(flatten)]
    place: Place,
    /// The e-mail address, or the id.
    #[arg(value_name = "EMAIL")]
    who: String,
    /// Why, as the audit trail records it.
    #[arg(long, value_name = "TEXT", default_value = "no reason given on the host")]
    reason: Reason,
}

/// `idp user role`
#[derive(Debug, clap::Args)]
pub struct ChangeRole {
    #[command(flatten)]
    place: Place,
    /// The e-mail address, or the id.
    #[arg(value_name = "EMAIL")]
    who: String,
    /// The new role: member, auditor, admin or owner.
    role: Role,
    /// Why, as the audit trail records it.
    #[arg(long, value_name = "TEXT", default_value = "no reason given on the host")]
    reason: Reason,
}

impl Users {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        match self {
            Self::Add(command) => command.run(),
            Self::Import(command) => command.run(),
            Self::List(command) => command.run(),
            Self::Show(command) => command.run(),
            Self::Disable(command) => command.run(true),
            Self::Enable(command) => command.run(false),
            Self::Role(command) => command.run(),
        }
    }
}

/// What errands need, for a command beside a running server.
pub(super) fn means(place: &Place, doing: &'static str) -> Result<Means, Failure> {
    let opened = data_folder::open(&settings::data_folder(place)?, Clock::System).map_err(Failure::to(doing))?;
    Ok(Means {
        store: opened.store,
        key: Arc::new(opened.keys.seed),
        pool: HashPool::new(1, 1).map_err(Failure::to(doing))?,
        clock: Clock::System,
        one_picture: Mutex::new(()),
        organisation: String::new(),
        mails: false,
    })
}

/// How links begin: as the flag or the configuration says, else as the running server says, else as the default is.
pub(super) fn public_url(place: &Place, flag: Option<String>) -> Result<PublicUrl, Failure> {
    let config = settings::read(&Flags { place: place.clone(), public_url: flag, ..Flags::default() })?;
    let announced = || crate::host::lock::announced(&config.data).and_then(|url| url.parse().ok());
    Ok(config.public_url.clone().or_else(announced).unwrap_or_else(|| config.public_url_at(config.listen)))
}

/// A person by address or id.
pub(super) fn find(means: &Means, who: &str, doing: &'static str) -> Result<User, Failure> {
    let by_id = who.parse::<UserId>().ok();
    let by_email = who.parse::<Email>().ok();
    let found = means.store.read(|tx| match (by_id, &by_email) {
        (Some(id), _) => users::find(tx, id),
        (None, Some(email)) => users::find_by_email(tx, email),
        (None, None) => Ok(None),
    });
    let nobody = || format!("there is nobody with the address or id {who:?}; idp user list shows everyone");
    found.map_err(Failure::to(doing))?.ok_or_else(|| Failure::to(doing)(nobody()).with_answer_no())
}

impl Add {
    fn run(self) -> Result<Answer, Failure> {
        let doing = "add a person";
        let url = public_url(&self.place, self.public_url)?;
        let means = means(&self.place, doing)?;
        let way = mailing::way(&self.place, &means, self.mail, doing)?;
        let person = NewPerson { email: self.email, name: self.name, role: self.role };
        let said = person.email.to_string();
        match administer::add_person(&means, By::Host, person, way.clone(), None, operator::source())
            .map_err(Failure::to(doing))?
        {
            AddedPerson::Done(invitation) => {
                say(&url.link(&invitation.path()))?;
                mailing::tell(&way, &format!("it goes to {said}"));
                Ok(Answer::Done)
            }
            AddedPerson::Taken(Taken::ByWhoIsHere) => {
                let why = format!("{said} is here already; idp user show {said} tells more");
                Err(Failure::to(doing)(why).with_answer_no())
            }
            AddedPerson::Taken(Taken::ByWhoLeft) => {
                let why = format!("{said} belongs to someone who has left for good; add them under another address");
                Err(Failure::to(doing)(why).with_answer_no())
            }
            AddedPerson::Refused(rule) => Err(Failure::to(doing)(rule.sentence()).with_answer_no()),
        }
    }
}

impl List {
    fn run(self) -> Result<Answer, Failure> {
        let doing = "list people";
        let store =
            data_folder::open_store(&settings::data_folder(&self.place)?, Clock::System).map_err(Failure::to(doing))?;
        let (text, state, role) = (self.search, self.state, self.role);
        let search = Search { text, most: None, state, role, with_left: true };
        let now = Clock::System.now();
        let mut after = None;
        loop {
            let listed = store.read(|tx| search::list(tx, &search, after, now, PAGE)).map_err(Failure::to(doing))?;
            let people = listed.people;
            for p in &people {
                let factors = format!("{} factors, {} codes", p.factors, p.codes_left);
                say(&format!("{:<9} {:<8} {factors:<22} {:<32} {}", p.status, p.role, p.email, p.name))?;
            }
            match people.last() {
                Some(last) if people.len() == PAGE as usize => after = Some(last.id),
                _ => return Ok(Answer::Done),
            }
        }
    }
}

impl Who {
    fn run(self) -> Result<Answer, Failure> {
        let doing = "show a person";
        let means = means(&self.place, doing)?;
        let user = find(&means, &self.who, doing)?;
        let now = means.clock.now();
        let (factors, off, codes, open, case) = means
            .store
            .read(|tx| {
                Ok::<_, crate::storage::Error>((
                    factors::count_working(tx, user.id)?,
                    factors::count_switched_off(tx, user.id)?,
                    backup_codes::count_left(tx, user.id, now)?,
                    sessions::count(tx, user.id, crate::sessions::Stage::Full)?,
                    recovery::find_open(tx, user.id)?,
                ))
            })
            .map_err(Failure::to(doing))?;
        let never = || "never".to_owned();
        for (name, value) in [
            ("id", user.id.to_string()),
            ("email", user.email.to_string()),
            ("name", user.name.to_string()),
            ("role", user.role.to_string()),
            ("state", user.status.to_string()),
            ("added", user.created_at.to_seconds_text()),
            ("last sign-in", user.last_sign_in_at.map_or_else(never, |t| t.to_seconds_text())),
            ("factors", working(factors, off)),
            ("backup codes left", codes.to_string()),
            ("sessions", open.to_string()),
            ("open recovery", case.map_or_else(|| "none".to_owned(), |c| c.number.to_string())),
        ] {
            say(&format!("{name:<18} {value}"))?;
        }
        Ok(Answer::Done)
    }
}

/// How many factors work, and how many did until somebody guessed too often.
fn working(factors: u32, off: u32) -> String {
    if off == 0 { factors.to_string() } else { format!("{factors}, and {off} switched off after too many wrong codes") }
}

fn host_ask(user: &User) -> Ask {
    Ask { by: By::Host, user: user.id, nonce: None, source: operator::source() }
}

fn granted<T>(granted: Result<Granted<T>, Error>, doing: &'static str) -> Result<T, Failure> {
    match granted.map_err(Failure::to(doing))? {
        Granted::Yes(value) => Ok(value),
        Granted::Waits(waiting) => Err(Failure::to(doing)(format!("it waits in {}", waiting.case)).with_answer_no()),
        Granted::No(rule) => Err(Failure::to(doing)(rule.sentence()).with_answer_no()),
    }
}

impl Standing {
    fn run(self, disable: bool) -> Result<Answer, Failure> {
        let doing = if disable { "disable a person" } else { "enable a person" };
        let means = means(&self.place, doing)?;
        let user = find(&means, &self.who, doing)?;
        let done = if disable {
            administer::disable(&means, host_ask(&user), self.reason)
        } else {
            administer::enable(&means, host_ask(&user), self.reason)
        };
        granted(done, doing)?;
        say(&format!("{} is {}", user.email, if disable { "disabled" } else { "enabled" }))?;
        Ok(Answer::Done)
    }
}

impl ChangeRole {
    fn run(self) -> Result<Answer, Failure> {
        let doing = "change a role";
        let means = means(&self.place, doing)?;
        let user = find(&means, &self.who, doing)?;
        granted(administer::change_role(&means, host_ask(&user), self.role, self.reason), doing)?;
        say(&format!("{} is now {}", user.email, self.role))?;
        Ok(Answer::Done)
    }
}

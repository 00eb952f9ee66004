//! The means by which the demo's story is told: a clock that is moved, and people who do what real ones do, through the same
//! errands as the pages.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use data_encoding::BASE32_NOPAD;

use crate::actions::authorise::By;
use crate::actions::enrol::{self, Enrolled};
use crate::actions::grants::{Ask, Granted};
use crate::actions::second_factor::Typed;
use crate::actions::sign_in::{Progress, with_password, with_second_factor};
use crate::actions::sweep::sweep;
use crate::actions::{Means, Visitor, notices};
use crate::app::App;
use crate::audit::{Source, Ticket};
use crate::backup_codes::{BackupCode, Kind, TypedCode};
use crate::demo::{Demo, Known, PASSWORD, Part};
use crate::factors::totp::{Seed, TypedOtp, code_at};
use crate::ids::UserId;
use crate::recovery::{Evidence, Statement};
use crate::secret::{Purpose, random};
use crate::sessions::Session;
use crate::storage::notices::list_unseen;
use crate::storage::{self, backup_codes, sessions, users};
use crate::time::{Clock, Timestamp};

/// What a part of the story answers.
pub(super) type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const DAY: Duration = Duration::from_secs(86_400);
const MINUTE: Duration = Duration::from_secs(60);
/// More than anybody has to read at once.
const NOTICES: u32 = 50;

/// The office, from where people come.
pub(super) const OFFICE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 17));
/// Somewhere else, from where nobody of them comes.
pub(super) const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66));

const BROWSERS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
];

/// Why the story ends early.
#[derive(Debug)]
struct Stopped(String);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its story does not go on: {}", self.0)
    }
}

impl Error for Stopped {}

/// The story does not go on, because `why`.
pub(super) fn stuck<T>(why: impl Into<String>) -> Done<T> {
    Err(Box::new(Stopped(why.into())))
}

/// What a person was granted.
pub(super) fn yes<T>(granted: Granted<T>) -> Done<T> {
    match granted {
        Granted::Yes(value) => Ok(value),
        Granted::Waits(waiting) => stuck(format!("case {} waits", waiting.case)),
        Granted::No(rule) => stuck(rule.sentence()),
    }
}

/// Somebody with what they carry.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub part: &'static Part,
    pub id: UserId,
    /// The browser that they come with.
    pub visitor: Visitor,
    /// What is in their app, if they have one.
    pub seed: Option<Seed>,
    /// Their newest backup codes.
    pub codes: Vec<BackupCode>,
    /// The path of an invitation that they have not used.
    pub invitation: Option<String>,
}

/// The company, while its story is told.
pub(super) struct Company<'a> {
    pub app: &'a App,
    clock: Clock,
    now: Timestamp,
    stopping: &'a AtomicBool,
    /// Who runs commands on the host.
    pub host: Source,
    people: Mutex<HashMap<&'static str, Member>>,
}

/// A browser that nobody has used yet, at this address.
pub(super) fn browser(n: usize, address: IpAddr) -> Visitor {
    Visitor {
        address,
        user_agent: BROWSERS[n % BROWSERS.len()].to_owned(),
        request_id: request_id(),
        device: None,
        session: None,
    }
}

/// Where the requests of this session come from.
pub(super) fn source_of(session: &Session) -> Source {
    Source {
        address: Some(session.address.clone()),
        user_agent: Some(session.user_agent.clone()),
        request_id: Some(request_id()),
        os_user: None,
    }
}

fn request_id() -> String {
    BASE32_NOPAD.encode(&random::<8>())
}

impl<'a> Company<'a> {
    /// A company of nobody. `now` is when its past ends.
    pub fn new(app: &'a App, clock: Clock, now: Timestamp, stopping: &'a AtomicBool, host: Source) -> Self {
        Self { app, clock, now, stopping, host, people: Mutex::default() }
    }

    /// What errands are given.
    pub fn means(&self) -> &Means {
        &self.app.means
    }

    /// Goes on to so many days and minutes before now; never back.
    pub fn until(&self, days: u32, minutes: u32) -> Done {
        self.go_on_to(self.now.minus(DAY * days + MINUTE * minutes))
    }

    /// Lets so many minutes pass.
    pub fn later(&self, minutes: u32) -> Done {
        self.go_on_to(self.clock.now().plus(MINUTE * minutes))
    }

    fn go_on_to(&self, moment: Timestamp) -> Done {
        if self.stopping.load(Ordering::SeqCst) {
            return stuck("it was stopped");
        }
        if moment > self.now {
            return stuck("it has come to the future");
        }
        self.clock.set(moment.max(self.clock.now()));
        Ok(sweep(self.means(), false)?)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Member>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody, as they are now.
    pub fn member(&self, key: &str) -> Done<Member> {
        self.lock().get(key).cloned().map_or_else(|| stuck(format!("{key} is not here")), Ok)
    }

    /// Remembers what somebody carries now.
    pub fn remember(&self, member: Member) {
        self.lock().insert(member.part.key, member);
    }

    /// Signs somebody in with password and app, from their own browser.
    pub fn sign_in(&self, key: &str) -> Done<Session> {
        let member = self.member(key)?;
        let code = member.seed.as_ref().map(|seed| code_at(seed, self.clock.now()));
        let typed = code.and_then(|code| TypedOtp::parse(code.reveal())).map(Typed::Otp);
        typed.map_or_else(|| stuck(format!("{key} has no app")), |typed| self.sign_in_with(member, typed))
    }

    /// Signs somebody in with password and one of their backup codes.
    pub fn sign_in_with_code(&self, key: &str) -> Done<Session> {
        let member = self.member(key)?;
        let code = self.next_code(&member)?;
        self.sign_in_with(member, code)
    }

    /// The first code of theirs that was not used.
    pub fn next_code(&self, member: &Member) -> Done<Typed> {
        let now = self.clock.now();
        let set = self.means().store.read(|tx| backup_codes::find(tx, member.id, Kind::Own, now))?;
        let position =
            set.and_then(|set| set.unused.first().map(|(at, _)| *at)).and_then(|at| usize::try_from(at).ok());
        let code = position.and_then(|at| member.codes.get(at).cloned());
        code.map_or_else(|| stuck("no code is left"), |code| Ok(Typed::Code(TypedCode::Backup(code))))
    }

    fn sign_in_with(&self, mut member: Member, typed: Typed) -> Done<Session> {
        let email = member.part.email();
        let progress = with_password(self.means(), &email, PASSWORD, "", &member.visitor)?;
        let session = self.onwards(&mut member.visitor, progress)?;
        let progress = with_second_factor(self.means(), &session, typed, &member.visitor)?;
        let session = self.onwards(&mut member.visitor, progress)?;
        self.read_notices(member.id)?;
        self.remember(member);
        Ok(session)
    }

    /// What somebody was told stays on their pages until they have read it.
    fn read_notices(&self, id: UserId) -> Done {
        let unseen = self.means().store.read(|tx| list_unseen(tx, id, NOTICES))?;
        if unseen.is_empty() {
            return Ok(());
        }
        let just_now = (id, self.means().clock.now());
        notices::seen(self.means(), just_now, unseen.iter().map(|notice| notice.id).collect())?;
        Ok(())
    }

    /// Keeps the cookies that a step gave; the session that it led to.
    pub fn onwards(&self, visitor: &mut Visitor, progress: Progress) -> Done<Session> {
        let Progress::Onwards { token, device, .. } = progress else { return stuck(format!("{progress:?}")) };
        if device.is_some() {
            visitor.device = device;
        }
        let hash = token.hash(Purpose::Session);
        visitor.session = Some(token);
        let found = self.means().store.read(|tx| sessions::find(tx, &hash))?;
        found.map_or_else(|| stuck("a session is gone"), |(session, _)| Ok(session))
    }

    /// From the enrolment page to a full session: an app, and backup codes.
    pub fn enrol(&self, member: &mut Member, session: &Session, app: &str) -> Done<Session> {
        let seed = enrol::seed(self.means(), session)?;
        let typed = TypedOtp::parse(code_at(&seed, self.clock.now()).reveal());
        let Some(typed) = typed else { return stuck("an app shows no code") };
        let enrolled = enrol::confirm(self.means(), session, &typed, &app.parse()?, &member.visitor)?;
        let Some(Enrolled { progress, codes }) = enrolled else { return stuck("a code was not right") };
        (member.seed, member.codes) = (Some(seed), codes.to_vec());
        self.onwards(&mut member.visitor, progress)
    }

    /// What the admin of this session asks for, about somebody.
    pub fn ask(&self, by: &Session, key: &str) -> Done<Ask> {
        Ok(Ask { by: By::Session(by.id), user: self.member(key)?.id, nonce: None, source: source_of(by) })
    }

    /// How an admin made sure who somebody is, just now.
    pub fn evidence(&self, kind: &str, note: &str, voucher: &str, ticket: Option<&Ticket>) -> Done<Evidence> {
        let evidence = Evidence::parse(kind, note, voucher, ticket, self.clock.now());
        evidence.or_else(|(field, why)| stuck(format!("{field}: {why}")))
    }

    /// A reason with that evidence.
    pub fn statement(&self, reason: &str, (kind, note, voucher): (&str, &str, &str), ticket: &str) -> Done<Statement> {
        let ticket = Ticket::optional(ticket)?;
        let evidence = Some(self.evidence(kind, note, voucher, ticket.as_ref())?);
        Ok(Statement { evidence, reason: reason.parse()?, ticket })
    }

    /// What the running demo has to know of everybody.
    pub fn into_demo(self) -> Done<Demo> {
        // Strangers' failures of the last minute become entries while it is still the past.
        sweep(self.means(), true)?;
        let folder = self.app.settings.data.clone();
        let now = self.clock.now();
        let people = crate::demo::CAST.iter().map(|part| {
            let Member { id, codes, invitation, .. } = self.member(part.key)?;
            let (password, code_set) = self.means().store.read(|tx| {
                let password = users::find_password(tx, id)?.map(|hash| *hash.salt());
                let set = backup_codes::find(tx, id, Kind::Own, now)?.map(|set| set.salt);
                Ok::<_, storage::Error>((password, set))
            })?;
            Ok(Known { id, part, password, codes, code_set, invitation })
        });
        Ok(Demo { folder, people: people.collect::<Done<_>>()? })
    }
}

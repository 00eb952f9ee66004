//! `idp recovery`: what waits in which case, and the last way out where nobody can approve it in the console.

use clap::Subcommand;

use super::operator;
use super::outcome::{Answer, Failure, say};
use super::user::means;
use crate::actions::approve::{Decide, Ruling, Word, decide};
use crate::actions::authorise::By;
use crate::actions::{Error, Means};
use crate::audit::filter::Filter;
use crate::audit::{Entry, Reason};
use crate::config::Place;
use crate::http::person::entry_line;
use crate::ids::CaseNumber;
use crate::recovery::{Case, CaseState, Needs, Recorded, Request, RequestState};
use crate::signals::{Sign, Signals};
use crate::storage::recovery::{self, evidence, requests};
use crate::storage::{ReadTx, audit, policy, signals, users};
use crate::users::User;

/// Cases read at a time for the list.
const PAGE: u32 = 500;
/// Entries of a case that are shown; a case has a handful.
const ENTRIES: u32 = 1_000;

/// Looks at recovery cases from the host, and approves what waits in one.
#[derive(Debug, Subcommand)]
pub enum Recovery {
    /// Lists open cases: number, state, since when, whom it is about, what waits.
    List(List),
    /// Shows one case: on what it rests, what was asked for, what happened.
    Show(Show),
    /// Approves what waits in a case. Who asked carries it out; all owners are told.
    #[command(
        after_long_help = "Example:\n  idp recovery show R-2026-0042\n  idp recovery approve R-2026-0042 --reason \"Ada is on \
        leave; called Mara myself\"\n\nThis is for when nobody can approve in the console. Nothing is given to anyone by it: \
        who asked carries it\nout in the console, once, within the time that policy sets, if nothing changes until then."
    )]
    Approve(Approve),
}

/// `idp recovery list`
#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
}

/// `idp recovery show`
#[derive(Debug, clap::Args)]
pub struct Show {
    #[command(flatten)]
    place: Place,
    /// The number of the case, as R-2026-0042.
    case: CaseNumber,
}

/// `idp recovery approve`
#[derive(Debug, clap::Args)]
pub struct Approve {
    #[command(flatten)]
    place: Place,
    /// The number of the case, as R-2026-0042.
    case: CaseNumber,
    /// Why, as the audit trail records it.
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
}

impl Recovery {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        match self {
            Self::List(command) => command.run(),
            Self::Show(command) => command.run(),
            Self::Approve(command) => command.run(),
        }
    }
}

impl List {
    fn run(self) -> Result<Answer, Failure> {
        let doing = "list recovery cases";
        let means = means(&self.place, doing)?;
        for state in CaseState::ALL.iter().filter(|s| !s.is_closed()) {
            let mut after = None;
            loop {
                let read = |tx: &ReadTx<'_>| {
                    let cases = recovery::list_in(tx, *state, after, PAGE)?;
                    let waits = cases.iter().map(|c| requests::find_live(tx, c.number));
                    let waits = waits.collect::<crate::storage::Result<Vec<_>>>()?;
                    Ok::<_, crate::storage::Error>((cases, waits))
                };
                let (cases, waits) = means.store.read(read).map_err(Failure::to(doing))?;
                for (case, request) in cases.iter().zip(&waits) {
                    let asked = request.as_ref().map(|r| format!("  ({})", in_short(r))).unwrap_or_default();
                    let since = case.state_at.to_seconds_text();
                    say(&format!("{}  {:<18}  {since}  {}{asked}", case.number, case.state, case.user_name))?;
                }
                match cases.last() {
                    Some(last) if cases.len() == PAGE as usize => after = Some((last.state_at, last.number)),
                    _ => break,
                }
            }
        }
        Ok(Answer::Done)
    }
}

/// "Tom Okafor asks to remove all factors and give a pass: an owner approves".
fn in_short(request: &Request) -> String {
    let how = match (request.state, request.needs) {
        (RequestState::Approved, _) => "approved",
        (_, Needs::Owner) => "an owner approves",
        (_, Needs::Admin) => "another admin or an owner approves",
        (_, Needs::Time) => "time permits it",
    };
    format!("{} asks to {}: {how}", request.asked_by.name, what(request))
}

fn what(request: &Request) -> String {
    let to = if request.argument.is_empty() { String::new() } else { format!(" to {}", request.argument) };
    format!("{}{to}", request.grant.sentence())
}

/// What is known about a case.
struct Known {
    case: Case,
    user: User,
    evidence: Vec<Recorded>,
    requests: Vec<Request>,
    signals: Signals,
    entries: Vec<Entry>,
}

fn find(means: &Means, number: CaseNumber, doing: &'static str) -> Result<Known, Failure> {
    let now = means.clock.now();
    let read = |tx: &ReadTx<'_>| {
        let Some(case) = recovery::find(tx, number)? else { return Ok(None) };
        let filter = Filter { case: Some(number), ..Filter::default() };
        Ok::<_, crate::storage::Error>(Some(Known {
            user: users::get(tx, case.user_id)?,
            evidence: evidence::list(tx, number)?,
            requests: requests::list(tx, number)?,
            signals: signals::get(tx, case.user_id, Some(number), &policy::get(tx, now)?, now)?,
            entries: audit::list(tx, &filter, audit::Order::OldestFirst, None, ENTRIES)?,
            case,
        }))
    };
    means.store.read(read).map_err(Failure::to(doing))?.ok_or_else(|| no_case(number, doing))
}

fn no_case(number: CaseNumber, doing: &'static str) -> Failure {
    let why = format!("there is no case {number}; idp recovery list shows those that are open");
    Failure::to(doing)(why).with_answer_no()
}

impl Show {
    fn run(self) -> Result<Answer, Failure> {
        let doing = "show a recovery case";
        let means = means(&self.place, doing)?;
        let known = find(&means, self.case, doing)?;
        let Known { case, user, .. } = &known;
        let line = |name: &str, value: &str| say(&format!("{name:<15} {value}"));
        line("case", &case.number.to_string())?;
        line("person", &format!("{} <{}>, {}", user.name, user.email, user.role))?;
        line("state", case.state.sentence())?;
        line("opened", &format!("{} by {}", case.opened_at.to_seconds_text(), case.opened_by.name))?;
        line("reason", &case.reason)?;
        for recorded in &known.evidence {
            line("verified", &verified(recorded))?;
        }
        for request in &known.requests {
            line("asked for", &asked(request))?;
        }
        for found in known.signals.all() {
            let last = found.last_at.map(|at| format!(", last {}", at.to_seconds_text())).unwrap_or_default();
            let weight = if found.sign.is_strong() { "unusual sign" } else { "sign" };
            line(weight, &format!("{}: {}{last}", words(found.sign), found.count))?;
        }
        say("")?;
        for entry in known.entries.iter().map(entry_line) {
            let (at, outcome) = (entry.at.to_seconds_text(), entry.outcome.as_str());
            say(&format!("{at}  {outcome:<8} {} · by {}", entry.what, entry.actor))?;
        }
        Ok(Answer::Done)
    }
}

const fn words(sign: Sign) -> &'static str {
    match sign {
        Sign::Changed => "password or contact details changed",
        Sign::Refused => "refused before",
        Sign::Reset => "reset before",
        Sign::NewDevice => "sign-in from a new device",
        Sign::WrongPasswords => "wrong passwords",
        Sign::WrongCodes => "wrong codes",
    }
}

fn verified(recorded: &Recorded) -> String {
    let evidence = &recorded.evidence;
    let mut text =
        format!("{} {}, by {}", evidence.recorded_at().to_seconds_text(), evidence.kind().sentence(), recorded.by.name);
    let called = evidence.called().map(|c| c.phone.as_str());
    let parts = [("number", called), ("who vouches", evidence.voucher()), ("ticket", recorded.ticket.as_deref())];
    for (name, value) in parts.into_iter().chain([("note", Some(evidence.note()).filter(|n| !n.is_empty()))]) {
        text.extend(value.map(|value| format!("; {name}: {value}")));
    }
    text
}

fn asked(request: &Request) -> String {
    let decided = request.decided_by.as_ref().map(|by| format!(" by {}", by.name)).unwrap_or_default();
    let until = match request.state {
        RequestState::Waiting | RequestState::Approved => format!(" until {}", request.valid_until.to_seconds_text()),
        _ => String::new(),
    };
    let ripe = match (request.state, request.ripe_at) {
        (RequestState::Waiting, Some(at)) => format!(", by time from {}", at.to_seconds_text()),
        _ => String::new(),
    };
    format!(
        "{} {}, by {} ({}): {}{decided}{ripe}{until}",
        request.asked_at.to_seconds_text(),
        what(request),
        request.asked_by.name,
        request.reason,
        request.state.as_str()
    )
}

impl Approve {
    fn run(self) -> Result<Answer, Failure> {
        let doing = "approve what was asked for";
        let means = means(&self.place, doing)?;
        let (by, source) = (By::Host, operator::source());
        let ask = Decide { by, case: self.case, request: None, nonce: None, source };
        let no = |why: String| Err(Failure::to(doing)(why).with_answer_no());
        match decide(&means, ask, Word::Approve(Some(self.reason))) {
            Ok(Ruling::Done(request)) => {
                let (who, until) = (&request.asked_by.name, request.valid_until.to_seconds_text());
                say(&format!("{}: {who} may {}, once, before {until}", self.case, what(&request)))?;
                Ok(Answer::Done)
            }
            Ok(Ruling::TooLate(request)) => match request.map(|r| r.state) {
                Some(RequestState::Approved) => no(format!("what waited in {} is approved already", self.case)),
                _ => no(format!("nothing waits in {}; idp recovery show {} tells more", self.case, self.case)),
            },
            Ok(Ruling::Changed(request)) => no(format!(
                "something has changed since it was asked for, so it is over; {} has to ask again",
                request.asked_by.name
            )),
            Ok(Ruling::No(rule)) => no(rule.sentence().to_owned()),
            Err(Error::NotFound) => Err(no_case(self.case, doing)),
            Err(e) => Err(Failure::to(doing)(e)),
        }
    }
}

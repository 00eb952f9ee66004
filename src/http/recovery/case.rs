//! One case, with everything that belongs to it.

use super::requests::find_live;
use crate::actions::grants::{Ahead, Preview};
use crate::audit::filter::Filter;
use crate::audit::plain::{GONE, Read};
use crate::audit::{Action, Entry, Outcome};
use crate::grants::{Grant, Rule, Verdict};
use crate::http::error::Problem;
use crate::http::grants::subject;
use crate::http::guards::{Call, Signed};
use crate::http::hold::Holding;
use crate::http::person::entry_line;
use crate::http::show::{Answer, Page};
use crate::http::signals::in_words;
use crate::ids::CaseNumber;
use crate::notices::Notice;
use crate::pages::Form;
use crate::pages::board::state_badge;
use crate::pages::recovery::case::{CaseView, Escalated, case as case_markup};
use crate::pages::recovery::requests::May;
use crate::pages::recovery::steps::{ActLine, Progress};
use crate::policy::{Key, Policy};
use crate::recovery::follow_up::can_be_told;
use crate::recovery::{Act, Case, CaseErrand, CaseEvent, CaseState, Recorded, Request, next};
use crate::signals::Signals;
use crate::storage::recovery::{evidence, requests};
use crate::storage::{ReadTx, audit, backup_codes, notices, policy, recovery, signals, users};
use crate::users::User;

/// Entries of one case; a case has a handful.
const ENTRIES: u32 = 200;
/// What a case leads to.
const ACTS: [Grant; 3] = [Grant::ResetFactors, Grant::IssueBackupCodes, Grant::SetTemporaryPassword];

/// What is stored about a case.
struct Stored {
    case: Case,
    user: User,
    policy: Policy,
    evidence: Vec<Recorded>,
    requests: Vec<Request>,
    notices: Vec<Notice>,
    entries: Vec<Entry>,
    codes_left: u32,
    signals: Signals,
}

fn read(tx: &ReadTx<'_>, call: &Call<'_>, number: CaseNumber) -> Result<Stored, Problem> {
    let case = recovery::find(tx, number)?.ok_or(Problem::NotFound)?;
    let user = users::find_ranked(tx, case.user_id, call.now)?.ok_or(Problem::NotFound)?;
    let policy = policy::get(tx, call.now)?;
    let filter = Filter { case: Some(number), ..Filter::default() };
    Ok(Stored {
        evidence: evidence::list(tx, number)?,
        requests: requests::list(tx, number)?,
        notices: notices::list_of_case(tx, number)?,
        entries: audit::list(tx, &filter, audit::Order::OldestFirst, None, ENTRIES)?,
        codes_left: backup_codes::count_left(tx, user.id, call.now)?,
        signals: signals::get(tx, user.id, Some(number), &policy, call.now)?,
        case,
        user,
        policy,
    })
}

/// What the rules say to the viewer.
struct Viewing {
    /// Why they may not go on with the case.
    barred: Option<&'static str>,
    may: Vec<CaseErrand>,
    acts: Vec<ActLine>,
    may_open: bool,
}

fn viewing(tx: &ReadTx<'_>, call: &Call<'_>, signed: &Signed, stored: &Stored) -> Result<Viewing, Problem> {
    let (case, user) = (&stored.case, &stored.user);
    let preview = Preview::read(tx, &signed.user, user, call.now)?.with_signals(stored.signals.clone());
    let rule = preview.refusal(Grant::InCase(CaseErrand::Urgency)).filter(|_| !case.state.is_closed());
    let fits = |errand: &CaseErrand| rule.is_none() && errand.fits(case);
    let mut acts = Vec::new();
    for grant in ACTS.into_iter().filter(|_| fits(&CaseErrand::Evidence)) {
        let verdict = match (preview.refusal(grant), preview.ahead(tx, grant)?) {
            (Some(rule), _) => Err(rule),
            (None, Ahead::Free | Ahead::Permitted(_)) => Ok(Verdict::Go),
            (None, Ahead::Asks(needed, _)) => Ok(Verdict::Ask(needed.needs)),
            (None, Ahead::Waits(request)) => Ok(Verdict::Ask(request.needs)),
        };
        acts.push(ActLine { grant, verdict });
    }
    Ok(Viewing {
        barred: rule.map(Rule::sentence),
        may: CaseErrand::ALL.into_iter().filter(fits).collect(),
        acts,
        may_open: preview.refusal(Grant::OpenCase).is_none() && recovery::find_open(tx, user.id)?.is_none(),
    })
}

/// `GET /admin/recovery/{case}`
pub fn page(call: &Call<'_>, signed: &Signed) -> Answer {
    let number: CaseNumber = call.param("case")?;
    let (stored, viewing, live, holding) = call.app.means.store.read(|tx| {
        let stored = read(tx, call, number)?;
        let viewing = viewing(tx, call, signed, &stored)?;
        let live = find_live(tx, call, &signed.user, &stored.case)?;
        let holding = Holding::read(tx, call, &signed.user, &stored.user)?;
        Ok::<_, Problem>((stored, viewing, live, holding))
    })?;
    let case = &stored.case;
    let nonce = call.new_nonce(signed);
    // What was given or asked for rests on the signs of that moment; who signed in with their own code was given nothing.
    let given = case.act.as_ref().is_some_and(|done| done.act != Act::WalkedThrough);
    let frozen = given || !stored.requests.is_empty();
    let live = live.as_ref().map(super::requests::Found::view);
    let alarm = holding.filter(|h| h.is_of(number) || !case.state.is_closed()).map(|h| h.alarm(&stored.user));
    let page = Page::signed(call, signed);
    let view = CaseView {
        form: Form { nonce: Some(&nonce), ..Form::new(&signed.csrf) },
        progress: Progress {
            case,
            person: subject(&stored.user),
            evidence: &stored.evidence,
            fresh: stored.policy.lasting(Key::EvidenceAge),
            codes_left: stored.codes_left,
            requests: &stored.requests,
            may: viewing.may,
            acts: viewing.acts,
            permitted: live.as_ref().is_some_and(|r| matches!(r.may, May::CarryOut(_))),
            decides: live.as_ref().is_some_and(|r| r.may == May::Decide),
            settles: alarm.as_ref().is_some_and(|held| held.refused.is_none()),
            message: can_be_told(case).then(|| format!("/admin/recovery/{number}/message")),
        },
        state: state_badge(case.state),
        alarm,
        may_be_attack: case.act.is_some()
            && case.state != CaseState::Disavowed
            && next(case.state, CaseEvent::Incident).is_ok(),
        report: matches!(case.state, CaseState::Disavowed | CaseState::Incident | CaseState::Reassured),
        live,
        barred: viewing.barred,
        may_open: viewing.may_open,
        escalated: escalated(&stored.entries),
        signals: in_words(if frozen { &case.signals } else { &stored.signals }, &stored.policy),
        frozen,
        notices: &stored.notices,
        entries: stored.entries.iter().map(entry_line).collect(),
    };
    Ok(page.answer(200, case_markup(&page.frame(), &view)))
}

/// Who handed the case to the owners last, as the trail has it: the case's own note is that of what came after.
fn escalated(entries: &[Entry]) -> Option<Escalated> {
    let handed = |e: &&Entry| {
        e.header.action == Action::RecoveryEscalated.as_str() && e.header.outcome == Outcome::Success.as_str()
    };
    let entry = entries.iter().rfind(handed)?;
    let read = Read::of(entry);
    let message = if entry.body.is_some() { read.text("reason") } else { GONE }.to_owned();
    Some(Escalated { by: entry_line(entry).actor, at: entry.header.at, message })
}

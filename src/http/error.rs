//! The only table from what went wrong to a status. Expected problems speak to the person; the rest say one sentence
//! and log what happened, once.

use std::time::Duration;

use tiny_http::Method;

use super::Response;
use super::guards::{Call, Signed};
use super::show::{self, Page};
use crate::actions;
use crate::pages::errors::{ErrorView, error};
use crate::sessions::{Freshness, Stage};
use crate::storage;

/// Why a request got no ordinary answer.
#[derive(Debug)]
pub enum Problem {
    /// The request itself can not be understood.
    Bad(String),
    /// Not signed in, or not as far as this needs; where to come back to.
    SignIn(String),
    /// The session has been idle; where to come back to.
    Resume(String),
    /// Signed in, but this is not theirs to do.
    Forbidden(&'static str),
    /// A form that was not made for this session, or is too old.
    StaleForm,
    /// There is nothing at this address, or not for this person.
    NotFound,
    /// There is, but not with this method.
    Method(Vec<Method>),
    /// The body is no form.
    NotAForm,
    /// Too many attempts from this address.
    TooMany(Duration),
    /// The disk has no room for what anyone can cause.
    NoRoom,
    /// An errand could not be done.
    Act(actions::Error),
}

impl Problem {
    /// A request that can not be understood.
    pub const fn bad(what: String) -> Self {
        Self::Bad(what)
    }

    /// The status.
    pub fn status(&self) -> u16 {
        use actions::Error as E;
        match self {
            Self::Bad(_) => 400,
            Self::SignIn(_) | Self::Resume(_) | Self::Act(E::SessionGone) => 401,
            Self::Forbidden(_) | Self::StaleForm | Self::Act(E::StepUpNeeded) => 403,
            Self::NotFound | Self::Act(E::NotFound) => 404,
            Self::Method(_) => 405,
            Self::Act(E::AlreadyDone(_) | E::CaseMovedOn) => 409,
            Self::NotAForm => 415,
            Self::TooMany(_) | Self::Act(E::Wait(_)) => 429,
            Self::Act(E::Busy(_) | E::Storage(storage::Error::Busy | storage::Error::Stopped)) => 503,
            Self::NoRoom | Self::Act(E::Storage(storage::Error::Full)) => 507,
            Self::Act(E::WrongKey | E::Storage(_)) => 500,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany(d) | Self::Act(actions::Error::Wait(d)) => Some(*d),
            Self::Act(actions::Error::Busy(b)) => Some(b.retry_after),
            Self::Act(actions::Error::Storage(storage::Error::Busy)) => Some(Duration::from_secs(5)),
            _ => None,
        }
    }

    /// A sentence that knows more than the status does.
    fn detail(&self) -> String {
        match self {
            Self::Bad(what) => what.clone(),
            Self::Forbidden(why) => (*why).to_owned(),
            Self::StaleForm => {
                "This form was opened before you signed in, or too long ago. Nothing has been changed, and what you typed \
                 is still in the form when you go back. Copy it, load the page again and send it once more."
                    .to_owned()
            }
            Self::SignIn(_) | Self::Resume(_) | Self::Act(actions::Error::SessionGone) => {
                "You are not signed in any more, so nothing has been changed. Sign in, in this or another tab; when you go \
                 back, what you typed is still in the form."
                    .to_owned()
            }
            Self::Act(actions::Error::CaseMovedOn) => {
                "The case has moved on since you opened this page. Nothing has been changed. Open the case again and look \
                 at how it stands now."
                    .to_owned()
            }
            Self::Act(actions::Error::Storage(storage::Error::ReadOnly)) => {
                "The data folder can not be written at the moment. Nothing has been changed.".to_owned()
            }
            _ => String::new(),
        }
    }
}

impl From<actions::Error> for Problem {
    fn from(e: actions::Error) -> Self {
        Self::Act(e)
    }
}

impl From<storage::Error> for Problem {
    fn from(e: storage::Error) -> Self {
        Self::Act(e.into())
    }
}

/// Turns a problem into an answer. Someone who is not signed in and only wanted to look is led to the sign-in page; a
/// form that was sent is answered with a page instead, so that what was typed is not lost. Who is signed in keeps the
/// navigation: `signed` says who, where the request's own cookie no longer does.
pub fn answer(call: &Call<'_>, problem: &Problem, signed: Option<&Signed>) -> Response {
    let reading = matches!(call.request.method(), Method::Get | Method::Head);
    match problem {
        Problem::SignIn(next) if reading => return Response::redirect(303, &sign_in_address("/sign-in", next)),
        Problem::Resume(next) if reading => return Response::redirect(303, &sign_in_address("/sign-in/resume", next)),
        Problem::Act(actions::Error::SessionGone) if reading => return Response::redirect(303, "/sign-in"),
        _ => {}
    }
    let status = problem.status();
    if status >= 500 {
        log(call, problem);
    }
    let detail = problem.detail();
    let view = ErrorView {
        status,
        detail: &detail,
        retry_after: problem.retry_after(),
        sign_in: (status == 401).then_some("/sign-in"),
        request_id: &call.visitor.request_id,
    };
    let found = if signed.is_none() && status != 401 { who_looks(call) } else { None };
    let page = signed.or(found.as_ref()).map_or_else(|| Page::stranger(call), |signed| Page::signed(call, signed));
    let mut response = page.answer(status, error(&page.frame(), &view));
    if let Some(wait) = problem.retry_after() {
        response = response.with_header("Retry-After", &show::seconds(wait));
    }
    if let Problem::Method(allowed) = problem {
        let allowed: Vec<_> = allowed.iter().map(Method::as_str).collect();
        response = response.with_header("Allow", &allowed.join(", "));
    }
    response
}

/// Who is signed in, if that can be found out now; half way in is nobody.
fn who_looks(call: &Call<'_>) -> Option<Signed> {
    let found = Signed::look(call).ok().flatten()?;
    let whole = found.session.stage == Stage::Full && found.session.freshness(call.now) == Freshness::Live;
    whole.then_some(found)
}

fn sign_in_address(path: &str, next: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    if next.is_empty() || next == "/" { path.to_owned() } else { format!("{path}?{query}") }
}

fn log(call: &Call<'_>, problem: &Problem) {
    let (id, path) = (&call.visitor.request_id, call.route);
    match problem {
        Problem::Act(e) => tracing::error!(request = %id, route = %path, "a request failed: {e}"),
        other => tracing::error!(request = %id, route = %path, "a request failed: {other:?}"),
    }
}

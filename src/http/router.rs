//! Every route on one screen, each with the fields it takes and the door it stands behind.
//!
//! Architecture invariant: a handler's type is its access: it is handed the proof that its door asks for, so a route
//! can not be opened by forgetting a check. What is not listed does not exist.

use std::collections::HashMap;
use std::time::Instant;

use tiny_http::Method;

use super::cookies::Cookie;
use super::error::{Problem, answer};
use super::fields;
use super::guards::{Call, Guest, Signed};
use super::headers::protect;
use super::recovery::errands;
use super::recovery::requests::{self, Verb};
use super::show::{Answer, step_up_in_form};
use super::takes::*;
use super::{Request, Response};
use super::{
    access, activity, assets, audit, board, confirm_people, contacts, dashboard, demo, enrol, export, factors,
    follow_up, grants, health, hold, import, incident, log, notices, objection, password_reset, people, person, policy,
    portraits, profile, readmit, recovery, resets, sessions, sign_in, standing, story, system, trail,
};
use crate::actions::authorise::refused_at_door;
use crate::app::App;
use crate::pages::standing::Errand;
use crate::sessions::Stage;
use crate::users::Role;

/// Who may use a route.
#[derive(Clone, Copy)]
pub enum Door {
    /// Anyone, without a form.
    Anyone(fn(&Call<'_>) -> Answer),
    /// A visitor, whose form is bound to a stateless cookie.
    Guest(fn(&Call<'_>, &Guest) -> Answer),
    /// A session of one of these stages.
    Stage(&'static [Stage], fn(&Call<'_>, &Signed) -> Answer),
    /// A session of one of these stages, however long it has been idle: to resume it, or to end it.
    Idle(&'static [Stage], fn(&Call<'_>, &Signed) -> Answer),
    /// Anyone who is signed in.
    Person(fn(&Call<'_>, &Signed) -> Answer),
    /// Admins and owners.
    People(fn(&Call<'_>, &Signed) -> Answer),
    /// Auditors, admins and owners.
    Trail(fn(&Call<'_>, &Signed) -> Answer),
}

/// One route.
#[derive(Clone, Copy)]
pub struct Route {
    /// Its method; HEAD goes with GET.
    pub method: fn() -> Method,
    /// Its pattern.
    pub path: &'static str,
    /// The fields of its form, or of its query; a list with `*` at its end.
    pub takes: &'static [&'static str],
    /// Its door.
    pub door: Door,
    /// Whether its form may be as long as [`crate::policy::PORTRAIT_BODY`], from who is signed in.
    pub large: bool,
}

const fn get(path: &'static str, takes: &'static [&'static str], door: Door) -> Route {
    Route { method: || Method::Get, path, takes, door, large: false }
}

const fn post(path: &'static str, takes: &'static [&'static str], door: Door) -> Route {
    Route { method: || Method::Post, path, takes, door, large: false }
}

const fn large(route: Route) -> Route {
    Route { large: true, ..route }
}

const PENDING: &[Stage] = &[Stage::Pending, Stage::Enrolling];
const ENROLLING: &[Stage] = &[Stage::Pending, Stage::Enrolling];
const CHANGING: &[Stage] = &[Stage::ChangingPassword];
const FULL: &[Stage] = &[Stage::Full];
const ANY: &[Stage] = &[Stage::Pending, Stage::Enrolling, Stage::ChangingPassword, Stage::Full];
const STORED: &[Stage] = &[Stage::ChangingPassword, Stage::Full];
/// All of them.
#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    get("/", &[], Door::Anyone(sign_in::start)),
    get("/assets/{name}", &[], Door::Anyone(assets::file)),
    get("/healthz", &[], Door::Anyone(health::alive)),
    get("/readyz", &[], Door::Anyone(health::ready)),
    get("/demo", &[], Door::Anyone(demo::page)),

    get("/setup/{token}", &[], Door::Guest(enrol::setup_page)),
    post("/setup/{token}", &["csrf", "email", "name", "password"], Door::Guest(enrol::setup)),
    get("/invitation/{token}", &[], Door::Guest(enrol::invitation_page)),
    post("/invitation/{token}", &["csrf", "email", "password"], Door::Guest(enrol::invitation)),

    get("/objection/{token}", &[], Door::Guest(objection::page)),
    post("/objection/{token}", &["csrf"], Door::Guest(objection::act)),

    get("/sign-in", &["next"], Door::Guest(sign_in::password_page)),
    post("/sign-in", &["csrf", "email", "password", "next"], Door::Guest(sign_in::password)),
    get("/sign-in/code", &[], Door::Stage(PENDING, sign_in::code_page)),
    post("/sign-in/code", &["csrf", "code"], Door::Stage(PENDING, sign_in::code)),
    get("/sign-in/backup-code", &[], Door::Stage(PENDING, sign_in::backup_code_page)),
    post("/sign-in/backup-code", &["csrf", "code"], Door::Stage(PENDING, sign_in::backup_code)),
    get("/sign-in/password", &[], Door::Stage(CHANGING, sign_in::new_password_page)),
    post("/sign-in/password", &["csrf", "email", "new_password"], Door::Stage(CHANGING, sign_in::new_password)),
    get("/sign-in/resume", &["next"], Door::Idle(FULL, sign_in::resume_page)),
    post("/sign-in/resume", &["csrf", "email", "password", "next"], Door::Idle(FULL, sign_in::resume)),
    get("/password-reset", &[], Door::Guest(password_reset::page)),
    post("/password-reset", &["csrf", "email"], Door::Guest(password_reset::ask)),
    get("/password-reset/{token}", &[], Door::Guest(password_reset::choose_page)),
    post("/password-reset/{token}", &["csrf", "email", "new_password"], Door::Guest(password_reset::choose)),
    get("/signed-out", &[], Door::Anyone(sign_in::signed_out_page)),
    post("/sign-out", &["csrf"], Door::Idle(ANY, sign_in::sign_out)),

    get("/enrol", &[], Door::Stage(ENROLLING, enrol::page)),
    post("/enrol", &["csrf", "code"], Door::Stage(ENROLLING, enrol::confirm)),
    post("/enrol/pass", &["csrf", "pass"], Door::Stage(ENROLLING, enrol::pass)),
    post("/enrol/stored", &["csrf", "stored"], Door::Stage(STORED, enrol::stored)),

    get("/profile", &[], Door::Person(profile::page)),
    post("/profile/factors", &["csrf", "step_up_code"], Door::Person(factors::start)),
    get("/profile/factors/new", &[], Door::Person(factors::new_page)),
    post("/profile/factors/new", &["csrf", "step_up_code", "name", "code"], Door::Person(factors::new)),
    get("/profile/factors/{id}/remove", &[], Door::Person(factors::remove_page)),
    post("/profile/factors/{id}/remove", &["csrf", "nonce", "step_up_code"], Door::Person(factors::remove)),
    get("/profile/factors/{id}/rename", &[], Door::Person(factors::rename_page)),
    post("/profile/factors/{id}/rename", &["csrf", "step_up_code", "name"], Door::Person(factors::rename)),
    get("/profile/sessions", &[], Door::Person(sessions::page)),
    post("/profile/sessions/end", &["csrf"], Door::Person(sessions::end_others)),
    post("/profile/sessions/{id}/end", &["csrf"], Door::Person(sessions::end)),
    post("/profile/devices/forget", &["csrf"], Door::Person(sessions::forget_all)),
    post("/profile/devices/{id}/forget", &["csrf"], Door::Person(sessions::forget)),
    get("/profile/activity", &["before"], Door::Person(activity::page)),
    get("/profile/notices", &[], Door::Person(notices::own)),
    post(notices::SEEN, &["csrf", "next", "notice*", "step_up_code"], Door::Person(notices::seen)),
    get("/profile/backup-codes", &[], Door::Person(profile::new_codes_page)),
    post("/profile/backup-codes", &["csrf", "nonce", "step_up_code"], Door::Person(profile::new_codes)),
    post("/profile/backup-codes/stored", &["csrf", "stored"], Door::Person(profile::codes_stored)),
    get("/profile/password", &[], Door::Person(profile::password_page)),
    post("/profile/password", &["csrf", "step_up_code", "email", "current_password", "new_password"],
        Door::Person(profile::password)),
    get("/profile/contacts", &[], Door::Person(contacts::own_page)),
    post("/profile/contacts", &["csrf", "step_up_code", "kind", "value"], Door::Person(contacts::add_own)),
    get("/profile/contacts/{contact}/remove", &[], Door::Person(contacts::remove_own_page)),
    post("/profile/contacts/{contact}/remove", &["csrf", "step_up_code"], Door::Person(contacts::remove_own)),

    get("/admin", &[], Door::Trail(dashboard::page)),
    get("/admin/system", &[], Door::People(system::page)),
    post("/admin/system/mail-test", &["csrf", "step_up_code"], Door::People(system::test_mail)),
    get("/admin/users", &["q", "state", "role", "after"], Door::People(people::list)),
    get("/admin/users/new", &[], Door::People(people::new_page)),
    post("/admin/users/new", &["csrf", "nonce", "step_up_code", "email", "name", "role", "by_mail"], Door::People(people::new)),
    get("/admin/users/import", &[], Door::People(import::page)),
    post("/admin/users/import", IMPORT, Door::People(import::import)),
    get("/admin/users/confirm", &[], Door::People(confirm_people::page)),
    post("/admin/users/confirm", &["csrf", "nonce", "step_up_code", "disable*", "demote*"],
        Door::People(confirm_people::confirm)),
    get("/admin/users/{id}", &[], Door::People(person::overview)),
    get("/admin/users/{id}/mfa", &[], Door::People(person::mfa)),
    get("/admin/users/{id}/activity", &["before"], Door::People(person::activity)),
    get("/admin/users/{id}/contacts", &[], Door::People(contacts::page)),
    post("/admin/users/{id}/contacts", &["csrf", "nonce", "step_up_code", "kind", "value"], Door::People(contacts::add)),
    get("/admin/users/{id}/contacts/{contact}/remove", &[], Door::People(contacts::remove_page)),
    post("/admin/users/{id}/contacts/{contact}/remove", &["csrf", "nonce", "step_up_code"],
        Door::People(contacts::remove)),
    get("/admin/users/{id}/portrait", &[], Door::People(portraits::page)),
    large(post("/admin/users/{id}/portrait", PORTRAIT, Door::People(portraits::change))),
    get("/admin/users/{id}/portrait.jpg", &[], Door::People(portraits::picture)),
    get("/admin/users/{id}/mfa/reset", &[], Door::People(grants::reset_page)),
    post("/admin/users/{id}/mfa/reset", GRANT, Door::People(grants::reset)),
    get("/admin/users/{id}/mfa/backup-codes", &[], Door::People(grants::codes_page)),
    post("/admin/users/{id}/mfa/backup-codes", GRANT, Door::People(grants::codes)),
    get("/admin/users/{id}/password", &[], Door::People(grants::password_page)),
    post("/admin/users/{id}/password", GRANT, Door::People(grants::password)),
    get("/admin/users/{id}/sessions", &[], Door::People(person::sessions::page)),
    get("/admin/users/{id}/sessions/end", &[], Door::People(|c, s| standing::page(c, s, Errand::EndSessions))),
    post("/admin/users/{id}/sessions/end", REASON, Door::People(|c, s| standing::act(c, s, Errand::EndSessions))),
    get("/admin/users/{id}/sessions/{session}/end", &[], Door::People(standing::session_page)),
    post("/admin/users/{id}/sessions/{session}/end", REASON, Door::People(standing::end_session)),
    get("/admin/users/{id}/password/change", &[],
        Door::People(|c, s| standing::page(c, s, Errand::RequirePasswordChange))),
    post("/admin/users/{id}/password/change", REASON,
        Door::People(|c, s| standing::act(c, s, Errand::RequirePasswordChange))),
    get("/admin/users/{id}/unlock", &[], Door::People(|c, s| standing::page(c, s, Errand::Unlock))),
    post("/admin/users/{id}/unlock", REASON, Door::People(|c, s| standing::act(c, s, Errand::Unlock))),
    get("/admin/users/{id}/disable", &[], Door::People(|c, s| standing::page(c, s, Errand::Disable))),
    post("/admin/users/{id}/disable", REASON, Door::People(|c, s| standing::act(c, s, Errand::Disable))),
    get("/admin/users/{id}/enable", &[], Door::People(|c, s| standing::page(c, s, Errand::Enable))),
    post("/admin/users/{id}/enable", REASON, Door::People(|c, s| standing::act(c, s, Errand::Enable))),
    get("/admin/users/{id}/leave", &[], Door::People(|c, s| standing::page(c, s, Errand::Leave))),
    post("/admin/users/{id}/leave", LEAVE, Door::People(|c, s| standing::act(c, s, Errand::Leave))),
    get("/admin/users/{id}/role", &[], Door::People(standing::role_page)),
    post("/admin/users/{id}/role", &["csrf", "nonce", "step_up_code", "role", "reason"], Door::People(standing::role)),
    get("/admin/users/{id}/name", &[], Door::People(standing::name_page)),
    post("/admin/users/{id}/name", &["csrf", "nonce", "step_up_code", "name"], Door::People(standing::name)),
    get("/admin/users/{id}/incident", &[], Door::People(incident::page)),
    post("/admin/users/{id}/incident", INCIDENT, Door::People(incident::act)),
    get("/admin/users/{id}/readmit", &[], Door::People(readmit::page)),
    post("/admin/users/{id}/readmit", GRANT, Door::People(readmit::act)),
    get("/admin/users/{id}/email", &[], Door::People(access::email_page)),
    post("/admin/users/{id}/email", EMAIL, Door::People(access::email)),
    get("/admin/users/{id}/invitation", &[], Door::People(access::invitation_page)),
    post("/admin/users/{id}/invitation", INVITE, Door::People(access::invitation)),
    get("/admin/users/{id}/case", &[], Door::People(recovery::opening::page)),
    post("/admin/users/{id}/case", OPEN_CASE, Door::People(recovery::opening::open)),
    get("/admin/users/{id}/notes", &["before"], Door::People(person::notes::page)),
    post("/admin/users/{id}/notes", &["csrf", "nonce", "step_up_code", "text"], Door::People(person::notes::add)),
    get("/admin/users/{id}/notices", &[], Door::People(person::notices::page)),
    get("/admin/users/{id}/notices/{notice}", &[], Door::People(person::notices::letter)),

    get("/admin/recovery", &["state", "after"], Door::People(board::page)),
    get("/admin/recovery/{case}", &[], Door::People(recovery::case::page)),
    get("/admin/recovery/{case}/evidence", &[], Door::People(errands::evidence_page)),
    post("/admin/recovery/{case}/evidence", EVIDENCE, Door::People(errands::record_evidence)),
    get("/admin/recovery/{case}/refuse", &[], Door::People(errands::refuse_page)),
    post("/admin/recovery/{case}/refuse", REFUSE, Door::People(errands::refuse)),
    get("/admin/recovery/{case}/escalate", &[], Door::People(errands::escalate_page)),
    post("/admin/recovery/{case}/escalate", ESCALATE, Door::People(errands::escalate)),
    get("/admin/recovery/{case}/close", &[], Door::People(errands::close_page)),
    post("/admin/recovery/{case}/close", CLOSE, Door::People(errands::close)),
    get("/admin/recovery/{case}/urgent", &[], Door::People(errands::urgency_page)),
    post("/admin/recovery/{case}/urgent", URGENT, Door::People(errands::mark_urgent)),
    get("/admin/recovery/{case}/approve", &[], Door::People(|c, s| requests::page(c, s, Verb::Approve))),
    post("/admin/recovery/{case}/approve", DECIDE, Door::People(|c, s| requests::decide(c, s, Verb::Approve))),
    get("/admin/recovery/{case}/deny", &[], Door::People(|c, s| requests::page(c, s, Verb::Deny))),
    post("/admin/recovery/{case}/deny", DECIDE, Door::People(|c, s| requests::decide(c, s, Verb::Deny))),
    get("/admin/recovery/{case}/withdraw", &[], Door::People(recovery::withdrawal::page)),
    post("/admin/recovery/{case}/withdraw", WITHDRAW, Door::People(recovery::withdrawal::act)),
    get("/admin/recovery/{case}/incident", &[], Door::People(incident::page)),
    post("/admin/recovery/{case}/incident", INCIDENT, Door::People(incident::act)),
    get("/admin/recovery/{case}/reassure", &[], Door::People(hold::page)),
    post("/admin/recovery/{case}/reassure", GRANT, Door::People(hold::act)),
    get("/admin/recovery/{case}/report", &["after"], Door::People(incident::report)),
    get("/admin/recovery/{case}/story", &[], Door::People(story::page)),
    get("/admin/recovery/{case}/message", &[], Door::People(follow_up::page)),
    post("/admin/recovery/{case}/message", &["csrf", "nonce", "step_up_code", "message", "how"],
        Door::People(follow_up::write)),

    get("/admin/policy", &[], Door::People(policy::page)),
    get("/admin/policy/{key}", &[], Door::People(policy::change_page)),
    post("/admin/policy/{key}", POLICY, Door::People(policy::change)),
    get("/admin/policy/{key}/take-back", &[], Door::People(policy::take_back_page)),
    post("/admin/policy/{key}/take-back", REASON, Door::People(policy::take_back)),

    get("/admin/audit", FILTER, Door::Trail(audit::list)),
    post("/admin/audit/export", EXPORT, Door::Trail(export::export)),
    get("/admin/audit/promises", &[], Door::Trail(trail::promises)),
    get("/admin/audit/verify", &[], Door::Trail(trail::verifying)),
    get("/admin/audit/resets", &["since", "until", "before", "all"], Door::Trail(resets::page)),
    get("/admin/audit/verifier", &[], Door::Trail(trail::verifier)),
    get("/admin/audit/format", &[], Door::Trail(trail::format)),
    get("/admin/audit/{seq}", &[], Door::Trail(audit::entry)),
];

/// The table, ready to be looked up.
pub struct Router {
    paths: matchit::Router<usize>,
    routes: Vec<Vec<Route>>,
}

impl Default for Router {
    fn default() -> Self {
        Self::new()
    }
}

impl Router {
    /// The table of [`ROUTES`].
    ///
    /// # Panics
    /// When two patterns contradict each other: every test finds that out.
    pub fn new() -> Self {
        let (mut paths, mut routes) = (matchit::Router::new(), Vec::<Vec<Route>>::new());
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for route in ROUTES {
            let index = *seen.entry(route.path).or_insert_with(|| {
                routes.push(Vec::new());
                paths.insert(route.path, routes.len() - 1).expect("patterns do not contradict each other");
                routes.len() - 1
            });
            routes[index].push(*route);
        }
        Self { paths, routes }
    }

    /// Answers a request, with the headers that every answer carries.
    pub fn answer(&self, app: &App, request: &Request) -> Response {
        let begun = Instant::now();
        let mut call = Call::new(app, request);
        let response = self.run(&mut call).unwrap_or_else(|problem| answer(&call, &problem, None));
        log::answered(&call, response.status(), begun.elapsed());
        protect(app, response)
    }

    /// Whether this is a form that may be a long one.
    pub fn takes_large(&self, head: &Request) -> bool {
        let found = self.paths.at(head.path()).ok();
        found.is_some_and(|f| self.routes[*f.value].iter().any(|r| r.large && (r.method)() == *head.method()))
    }

    fn run(&self, call: &mut Call<'_>) -> Answer {
        let found = self.paths.at(call.request.path()).map_err(|_| Problem::NotFound)?;
        let routes = &self.routes[*found.value];
        let method = match call.request.method() {
            Method::Head => &Method::Get,
            method => method,
        };
        let Some(route) = routes.iter().find(|r| (r.method)() == *method) else {
            let mut allowed: Vec<Method> = routes.iter().map(|r| (r.method)()).collect();
            if allowed.contains(&Method::Get) {
                allowed.push(Method::Head);
            }
            return Err(Problem::Method(allowed));
        };
        call.route = route.path;
        call.params = found.params.iter().map(|(name, value)| (place(route.path, name), value.to_owned())).collect();
        call.fields = fields::read(call, route.takes)?;
        enter(call, route.door)
    }
}

/// The name of a place as it stands in the pattern, which outlives the request.
fn place(pattern: &'static str, name: &str) -> &'static str {
    let start = pattern.find(name).unwrap_or(pattern.len());
    pattern.get(start..start + name.len()).unwrap_or_default()
}

fn enter(call: &mut Call<'_>, door: Door) -> Answer {
    match door {
        Door::Anyone(run) => run(call),
        Door::Guest(run) => {
            let guest = Guest::enter(call)?;
            limit(call)?;
            run(call, &guest)
        }
        Door::Stage(stages, run) => {
            let signed = Signed::enter(call, stages)?;
            if signed.session.stage != Stage::Full {
                limit(call)?;
            }
            run(call, &signed)
        }
        Door::Idle(stages, run) => {
            let signed = Signed::enter_idle(call, stages)?;
            limit(call)?;
            run(call, &signed)
        }
        Door::Person(run) => signed_in(call, |_| true, "", run),
        Door::People(run) => signed_in(call, Role::looks_after_people, "This page is for admins and owners.", run),
        Door::Trail(run) => signed_in(call, Role::reads_audit, "This page is for auditors, admins and owners.", run),
    }
}

/// A door for a full session of a role that opens it. A form that someone else sends to it is recorded.
fn signed_in(
    call: &mut Call<'_>,
    opens: fn(Role) -> bool,
    closed: &'static str,
    run: fn(&Call<'_>, &Signed) -> Answer,
) -> Answer {
    let signed = Signed::enter(call, &[Stage::Full])?;
    if !opens(signed.user.role) {
        if call.is_post() {
            call.attempt()?;
            refused_at_door(&call.app.means, signed.session.id, call.route, &call.visitor)?;
        }
        return Err(Problem::Forbidden(closed));
    }
    call.refused = recovery::refused_lately(call)?;
    let (signed, renewed) = step_up_in_form(call, signed)?;
    let Some(token) = renewed else { return run(call, &signed) };
    // Whatever the handler answers, the session goes on under its new cookie; unless that was replaced once more.
    let response = run(call, &signed).unwrap_or_else(|problem| answer(call, &problem, Some(&signed)));
    let name = format!("{}=", Cookie::Session.name(call.https()));
    if response.header_values("set-cookie").any(|line| line.starts_with(&name)) {
        return Ok(response);
    }
    Ok(response.with_header("Set-Cookie", &Cookie::Session.set(&token.to_text(), call.https(), None)))
}

/// What anyone can cause is bounded: by client address, and by the room that is left on the disk.
fn limit(call: &Call<'_>) -> Result<(), Problem> {
    if !call.is_post() {
        return Ok(());
    }
    if !call.app.has_room() {
        return Err(Problem::NoRoom);
    }
    call.attempt()
}

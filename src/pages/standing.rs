//! The shorter forms of the Actions menu, which rest on no evidence; and what answers instead of a form when it was sent
//! already or may not be done.

use maud::{Markup, html};

use super::Frame;
use super::field::Field;
use super::form::{Choice, Form, radios, required_checkbox};
use super::grants::{Act, Subject, UNCHANGED, buttons};
use super::parts::{Tone, heading, notice};
use super::users::{page, role_choice};
use super::words::{count, time_ago, with_commands};
use crate::ids::{CaseNumber, SessionId};
use crate::time::Timestamp;
use crate::users::Role;

/// An act on an account that asks for a reason and nothing else; *Leave* also for a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// `POST /admin/users/{id}/disable`
    Disable,
    /// `POST /admin/users/{id}/enable`
    Enable,
    /// `POST /admin/users/{id}/sessions/end`
    EndSessions,
    /// `POST /admin/users/{id}/password/change`
    RequirePasswordChange,
    /// `POST /admin/users/{id}/unlock`
    Unlock,
    /// `POST /admin/users/{id}/leave` with `confirmed`
    Leave,
}

/// The form of an [`Errand`], with `reason`.
#[derive(Debug, Clone)]
pub struct StandingView<'a> {
    /// With a nonce; keeps `reason`.
    pub form: Form<'a>,
    /// Whose account.
    pub person: Subject<'a>,
    /// Sessions that are open now.
    pub sessions: u32,
    /// What the person has to wait for now, as sentences.
    pub delays: Vec<String>,
}

/// The form of an errand.
pub fn errand(frame: &Frame, errand: Errand, view: &StandingView) -> Markup {
    let name = view.person.name;
    let (title, path, button, danger) = match errand {
        Errand::Disable => (format!("Disable {name}"), "/disable", "Disable this account", true),
        Errand::Enable => (format!("Enable {name}"), "/enable", "Enable this account", false),
        Errand::EndSessions => (format!("End all sessions of {name}"), "/sessions/end", "End all sessions", true),
        Errand::RequirePasswordChange => {
            (format!("Require a new password of {name}"), "/password/change", "Require a new password", false)
        }
        Errand::Unlock => (format!("Unlock {name}"), "/unlock", "Lift the delays", false),
        Errand::Leave => (format!("{name} has left"), "/leave", "Mark as left for good", true),
    };
    let back = if errand == Errand::EndSessions { "/sessions" } else { "" };
    let act = Act { title, path, back, button, danger };
    let confirm = html! {
        @if errand == Errand::Leave {
            (required_checkbox(&view.form, "confirmed", &Choice::new("on", format!("Yes, {name} has left for good"))
                .hint("This can not be taken back, not even by an owner.")))
        }
    };
    plain(
        frame,
        &act,
        &view.form,
        &view.person,
        &what_happens(errand, view),
        &html! { (confirm) (reason().show(&view.form)) },
    )
}

fn what_happens(errand: Errand, view: &StandingView) -> Markup {
    let sessions_end = html! {
        @match view.sessions {
            0 => "No session is open now.",
            1 => "The open session ends at once.",
            more => { "The " (more) " open sessions end at once." }
        }
    };
    match errand {
        Errand::Disable => html! {
            p { "They can not sign in until somebody enables the account again. "
                @if view.sessions > 0 { (count(view.sessions.into(), "open session")) ", links and passes end" }
                @else { "Links and passes end" } " at once. Nothing is deleted." }
        },
        Errand::Enable => {
            html! { p { "They can sign in again, with the password and whatever factors they still have." } }
        }
        Errand::EndSessions => html! {
            p { (sessions_end) " A sign-in under way ends too. They can sign in again: password, factors and backup codes "
                "stay as they are." }
        },
        Errand::RequirePasswordChange => html! {
            p { "At the next sign-in, after the old password and a code, they have to choose a new one. "
                (sessions_end) }
            p { "Is the old password known to somebody else? Then set a temporary one instead: it ends the old one now." }
        },
        Errand::Unlock => html! {
            @if view.delays.is_empty() {
                p { "Nothing keeps them waiting now. If they can not sign in, it has another reason: see the activity." }
            } @else {
                p { "What keeps them waiting now:" }
                ul { @for delay in &view.delays { li { (delay) } } }
                p { "They can try again at once. Lift the delays only when you know that it is them who mistyped: "
                    "the delays are what keeps others from guessing." }
            }
            p { "An authenticator app that was switched off after 100 wrong codes stays off: for that, reset the factors." }
        },
        Errand::Leave => html! {
            p { strong { "For good: " } "the password, every factor, every backup code and a photo on record are deleted, links "
                "and passes are void. " (sessions_end) }
            p { "Name, address and history are kept for the audit log. Nobody can enable the account again, and the address "
                "can not be given to somebody else. For a while only? Disable the account instead." }
        },
    }
}

fn reason() -> Field<'static> {
    Field::new("reason", "Reason").hint("Everyone who reads the audit log sees it.").area()
}

/// `POST /admin/users/{id}/sessions/{session}/end` with `reason`.
#[derive(Debug, Clone)]
pub struct EndSessionView<'a> {
    /// With a nonce; keeps `reason`.
    pub form: Form<'a>,
    /// Whose session.
    pub person: Subject<'a>,
    /// Which one, as the address has it.
    pub session: SessionId,
    /// On which device and from which address: "Firefox on Linux, 192.0.2.7".
    pub from_where: String,
    /// When it was last used.
    pub seen_at: Timestamp,
}

/// Ends one session.
pub fn end_session(frame: &Frame, view: &EndSessionView) -> Markup {
    let act = Act {
        title: format!("End a session of {}", view.person.name),
        path: &format!("/sessions/{}/end", view.session),
        back: "/sessions",
        button: "End this session",
        danger: true,
    };
    let what = html! {
        p { strong { (view.from_where) } ", last seen " (time_ago(view.seen_at, frame.now)) "." }
        p { "It ends at once. Whoever uses it can sign in again with password and factor." }
    };
    plain(frame, &act, &view.form, &view.person, &what, &reason().show(&view.form))
}

/// `POST /admin/users/{id}/role` with `role` and `reason`.
#[derive(Debug, Clone)]
pub struct RoleView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// Whose role.
    pub person: Subject<'a>,
    /// The role they have.
    pub role: Role,
}

/// Another role.
pub fn role(frame: &Frame, view: &RoleView) -> Markup {
    let name = view.person.name;
    let act = Act {
        title: format!("Change the role of {name}"),
        path: "/role",
        back: "",
        button: "Change the role",
        danger: false,
    };
    let what = html! {
        p { bdi { (name) } " has the role " strong { (view.role) } " now. With another role every session ends; they sign in again." }
        p { "A higher role also voids links, passes, temporary passwords, and codes that an admin issued: what was given to a "
            "lower role must not open a higher one." }
    };
    let choices: Vec<_> = Role::ALL.iter().map(|role| role_choice(*role)).collect();
    let fields = html! { (radios(&view.form, "role", "What may they do?", &choices)) (reason().show(&view.form)) };
    plain(frame, &act, &view.form, &view.person, &what, &fields)
}

/// `POST /admin/users/{id}/name` with `name`.
#[derive(Debug, Clone)]
pub struct NameView<'a> {
    /// With a nonce; keeps `name`, which is the present one at first.
    pub form: Form<'a>,
    /// Who.
    pub person: Subject<'a>,
}

/// Another name.
pub fn name(frame: &Frame, view: &NameView) -> Markup {
    let act = Act {
        title: format!("Change the name of {}", view.person.name),
        path: "/name",
        back: "",
        button: "Change the name",
        danger: false,
    };
    let what = html! { p { "Old and new name stand in the audit log. They sign in as before." } };
    let field = Field::new("name", "Name").hint("As colleagues know them.");
    plain(frame, &act, &view.form, &view.person, &what, &field.show(&view.form))
}

fn plain(frame: &Frame, act: &Act, form: &Form, person: &Subject, what: &Markup, fields: &Markup) -> Markup {
    let content = html! {
        (heading(Some(&person.trail(None)), &act.title, None))
        (form.summary(UNCHANGED))
        form class="card" method="post" action=(person.href(act.path)) novalidate {
            (form.hidden())
            div { (what) }
            (fields)
            (form.step_up())
            (buttons(act, person))
        }
    };
    page(frame, &act.title, form.wrong(), &content)
}

/// The second click on a form that must happen once.
#[derive(Debug, Clone)]
pub struct AlreadyDoneView<'a> {
    /// About whom; nobody if it was about many.
    pub person: Option<Subject<'a>>,
    /// Where it can be seen.
    pub link: &'a str,
    /// What was done, as a sentence: "The factors of Mara Lindqvist were removed."
    pub what: String,
    /// When.
    pub at: Timestamp,
    /// The case it belongs to.
    pub case: Option<CaseNumber>,
    /// Whether a secret was shown then, which can not be shown again.
    pub secret_was_shown: bool,
}

/// Says what happened the first time, and leads on.
pub fn already_done(frame: &Frame, view: &AlreadyDoneView) -> Markup {
    let place = html! {
        @if view.link.starts_with("/admin/policy") { a href="/admin/policy" { "Policy" } }
        @else { a href="/admin/users" { "People" } }
    };
    let trail = view.person.as_ref().map_or(place, |person| person.trail(view.case));
    let content = html! {
        (heading(Some(&trail), "This was done already", None))
        section class="card" {
            p { strong { (view.what) } " That was " (time_ago(view.at, frame.now)) "; sending the form again has changed "
                "nothing more." }
            @if view.secret_was_shown {
                p { "What was shown then can not be shown again. If it got lost, start over: that makes a new one, and "
                    "the lost one stops working." }
            }
            div class="actions" {
                @if let Some(case) = view.case {
                    a class="button main" href={ "/admin/recovery/" (case) } { "Open case " (case) }
                }
                @if let Some(person) = &view.person {
                    a class="button" href=(person.href("")) { "Go to " bdi { (person.name) } }
                } @else {
                    a class="button" href=(view.link) { "See what came of it" }
                }
            }
        }
    };
    page(frame, "This was done already", false, &content)
}

/// What may not be done, answered with 403.
#[derive(Debug, Clone)]
pub struct RefusedView<'a> {
    /// About whom.
    pub person: Subject<'a>,
    /// The rule in plain words: "An admin can not act on an owner."
    pub rule: String,
    /// What to do instead: "Ask another owner: Ada Brandt or Noor Haddad."
    pub instead: String,
    /// Whether it is the account's state that stands in the way, and not who asks.
    pub about_state: bool,
    /// Whether it was tried, and so stands in the trail; or only the form was opened.
    pub tried: bool,
}

/// Says which rule stands in the way and what to do instead.
pub fn refused(frame: &Frame, view: &RefusedView) -> Markup {
    let title = if view.about_state { "This can not be done now" } else { "This is not yours to do" };
    let content = html! {
        (heading(Some(&view.person.trail(None)), title, None))
        (notice(Tone::Warn, &html! {
            p { strong { (view.rule) } " " (with_commands(&view.instead)) }
            p {
                "Nothing has been changed."
                @if view.tried { " That it was tried stands in the audit log, as every try does." }
            }
        }))
        div class="actions" { a class="button" href=(view.person.href("")) { "Go to " bdi { (view.person.name) } } }
    };
    page(frame, title, true, &content)
}

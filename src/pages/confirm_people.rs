//! Confirming who is here, after a restore that could not know what was decided since the backup.

use maud::{Markup, html};

use super::Frame;
use super::form::Form;
use super::parts::{Tone, heading, notice, table};
use super::users::{page, status};
use super::words::time_ago_or_never;
use crate::ids::UserId;
use crate::users::{Role, Status, UserLine};

/// The list: `POST /admin/users/confirm` with any number of `disable` and `demote`, each an id.
#[derive(Debug, Clone)]
pub struct ConfirmPeopleView<'a> {
    /// With a nonce; keeps `disable` and `demote`.
    pub form: Form<'a>,
    /// Everyone, those who may do most first.
    pub people: &'a [UserLine],
    /// Who looks at it: nobody shuts themself out here.
    pub viewer: UserId,
}

/// Everyone, with what can be taken from them.
pub fn confirm_people(frame: &Frame, view: &ConfirmPeopleView) -> Markup {
    let people = html! { a href="/admin/users" { "People" } };
    let title = "Confirm who is here";
    let columns = ["Person", "State", "Role", "Last sign-in", "Should not be here", "Should only be a member"];
    let rows: Vec<_> = view.people.iter().map(|person| row(frame, view, person)).collect();
    let content = html! {
        (heading(Some(&people), title, None))
        (view.form.summary("Nobody has been let in yet."))
        (notice(Tone::Warn, &html! {
            p { strong { "This list is as old as the backup." } " What was decided since is not known for certain: "
                "somebody here may have been disabled, or may have had a lesser role. Nobody but owners can sign in until "
                "you confirm it." }
        }))
        form class="card" method="post" action="/admin/users/confirm" novalidate {
            (view.form.hidden())
            p { "Tick what is no longer so. Whom you tick is disabled or becomes a member at once; all others can sign in "
                "again, with the password and the apps they had when the backup was made." }
            p { "Whoever was added since is missing here: add them again afterwards. Whoever lost a phone or changed a "
                "password because somebody knew it needs a reset, a new password, or both, once more." }
            (table("People", &columns, &rows))
            (view.form.step_up())
            div class="actions" { button class="main" { "Confirm this list" } }
        }
    };
    page(frame, "Confirm who is here · People", view.form.wrong(), &content)
}

fn row(frame: &Frame, view: &ConfirmPeopleView, person: &UserLine) -> Vec<Markup> {
    let mine = person.id == view.viewer;
    let shut = !matches!(person.status, Status::Active | Status::Invited);
    let tick = |name: &str, label: &str, offered: bool| {
        let (value, id) = (person.id.to_string(), format!("{name}-{}", person.id));
        let on = view.form.values.iter().any(|(n, v)| n == name && *v == value);
        html! {
            @if offered {
                div class="choice" {
                    input type="checkbox" id=(id) name=(name) value=(value) checked[on];
                    label for=(id) { (label) span class="unseen" { " " bdi { (person.name) } } }
                }
            }
        }
    };
    vec![
        html! { strong { bdi { (person.name) } } @if mine { " (you)" } br; small { (person.email) } },
        html! { span class="badges" { (status(person.status).show()) } },
        html! { (person.role) },
        time_ago_or_never(person.last_sign_in_at, frame.now),
        tick("disable", "Disable", !mine && !shut),
        tick("demote", "Make a member", !mine && !shut && person.role != Role::Member),
    ]
}

//! The console's list of people, adding one, and the link that is handed to them.

use maud::{Markup, html};

use super::Frame;
use super::field::Field;
use super::form::{Choice, Form, checkbox, radios, select};
use super::frame::Section;
use super::parts::{Badge, Tone, address, cancel, card, copy_button, empty, heading, pager, table};
use super::words::{clock, count, lasting, people, time_ago_or_never};
use crate::dashboard::{Chosen, Need};
use crate::ids::UserId;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::users::{Role, Status, UserLine};

/// A page of the list: `GET /admin/users?q=&state=&role=&after=`.
#[derive(Debug, Clone)]
pub struct UsersView<'a> {
    /// Holds the filter as it was typed: `q`, `state`, `role`; errors stand beside their fields.
    pub form: Form<'a>,
    /// The people of this page.
    pub people: &'a [UserLine],
    /// Those who need attention, the most pressing first, where the list begins; a few.
    pub pressing: &'a [UserLine],
    /// Whether more need attention than these.
    pub more_pressing: bool,
    /// Whether this page is not the first.
    pub further: bool,
    /// The cursor of the next page, if there is one.
    pub after: Option<String>,
    /// How many of those who match the text are listed, if more do.
    pub more_match: Option<usize>,
    /// Whether the viewer may add people.
    pub may_add: bool,
}

/// The list.
pub fn users(frame: &Frame, view: &UsersView) -> Markup {
    let form = &view.form;
    let add = html! {
        div class="actions" {
            a class="button" href="/admin/users/import" { "Import a list" }
            a class="button main" href="/admin/users/new" { "Add a person" }
        }
    };
    let filtered = ["q", "state", "role"].iter().any(|name| !form.value(name).is_empty());
    let first = query(form, None);
    let next = view.after.as_deref().map(|after| query(form, Some(after)));
    let content = html! {
        (heading(None, "People", view.may_add.then_some(&add)))
        (form.summary("This filter can not be used as it is."))
        (chips(form))
        (filter(form, filtered))
        @if let [one, .., last] | [one @ last] = view.people {
            @if let Some(listed) = view.more_match {
                p class="hint" { "More than " (listed) " people match; " (listed) " of them are listed. Type more letters to "
                    "find the others." }
            }
            @let everyone = html! {
                p class="muted" { (place(view, one, last, filtered)) }
                (list(frame, "People", view.people))
            };
            @if view.pressing.is_empty() {
                section class="card" { (everyone) }
            } @else {
                (card("attention", "Needs attention", &pressing(frame, view)))
                (card("everyone", "Everyone, by name", &everyone))
            }
        } @else if view.further {
            (empty("Nobody comes after these.", "The list may have changed while you looked at it."))
        } @else if form.value("state") == Chosen::ATTENTION {
            (empty("Nobody needs attention.", "Everyone has a factor, enough backup codes and an invitation that works."))
        } @else if filtered && !form.wrong() {
            (empty("Nobody matches.", "Try fewer letters, or another state or role. Who has left is found under the state “left”."))
        } @else if !filtered {
            (empty("Nobody is here yet.", "Add the first person: they get a link to set up their account."))
        }
        (pager(
            view.further.then_some(("Back to the first", &first)),
            next.as_deref().map(|href| ("Next people", href)),
        ))
    };
    page(frame, "People", form.wrong(), &content)
}

pub(super) fn page(frame: &Frame, title: &str, wrong: bool, content: &Markup) -> Markup {
    frame.wide(Section::People, title, wrong, content)
}

/// How many there are, and on a longer list which of them these are: it is in the order of names, as a phone book.
fn place(view: &UsersView, first: &UserLine, last: &UserLine, filtered: bool) -> Markup {
    let on_page = people(view.people.len() as u64);
    html! {
        @if view.further || view.after.is_some() {
            (on_page) " on this page, from " bdi { (first.name) } " to " bdi { (last.name) } "."
            @if view.after.is_none() { " These are the last." }
        } @else if filtered {
            (on_page) @if view.people.len() == 1 { " matches." } @else { " match." }
        } @else {
            (on_page) "."
        }
    }
}

/// Who needs attention stands first, so that nobody has to look for them; below, they stand once more by name.
fn pressing(frame: &Frame, view: &UsersView) -> Markup {
    html! {
        p class="muted" {
            @if view.more_pressing {
                "The " (view.pressing.len()) " most pressing. "
                a href="/admin/users?state=attention" { "See all who need attention" } "."
            } @else {
                (people(view.pressing.len() as u64)) "."
            }
        }
        (list(frame, "People who need attention", view.pressing))
    }
}

/// The address of a page of the list, with its filter.
fn query(form: &Form, after: Option<&str>) -> String {
    let filter = ["q", "state", "role"].map(|name| (name, form.value(name)));
    address("/admin/users", filter.into_iter().chain([("after", after.unwrap_or(""))]))
}

/// The two lists that an admin opens most.
fn chips(form: &Form) -> Markup {
    let attention = form.value("state") == Chosen::ATTENTION;
    let all = ["q", "state", "role"].iter().all(|name| form.value(name).is_empty());
    let chips = [("/admin/users", "Everyone", all), ("/admin/users?state=attention", "Needs attention", attention)];
    html! {
        nav class="chips" aria-label="Shortcuts" {
            @for (href, label, here) in chips { a href=(href) aria-current=[here.then_some("true")] { (label) } }
        }
    }
}

fn filter(form: &Form, filtered: bool) -> Markup {
    let roles: Vec<_> = Role::ALL.iter().map(|r| (r.as_str(), r.as_str())).collect();
    html! {
        form class="filter short" method="get" action="/admin/users" role="search" {
            (Field::new("q", "Name or e-mail").search().show(form))
            (select(form, "state", "State", "any", &Chosen::all()))
            (select(form, "role", "Role", "any", &roles))
            div class="actions" {
                button { "Search" }
                @if filtered { a href="/admin/users" { "Show everyone" } }
            }
        }
    }
}

fn list(frame: &Frame, caption: &str, people: &[UserLine]) -> Markup {
    let columns = ["Person", "State", "Role", "Last sign-in"];
    let row = |p: &UserLine| {
        vec![
            html! { a href={ "/admin/users/" (p.id) } { strong { bdi { (p.name) } } } br; small { (p.email) } },
            html! { span class="badges" { @for badge in badges(p) { (badge.show()) } } },
            html! { (p.role) },
            time_ago_or_never(p.last_sign_in_at, frame.now),
        ]
    };
    table(caption, &columns, &people.iter().map(row).collect::<Vec<_>>())
}

/// State first, then what needs attention.
fn badges(person: &UserLine) -> Vec<Badge> {
    let mut badges = vec![status(person.status)];
    if person.factors > 0 {
        badges.push(Badge::new(Tone::Plain, count(person.factors.into(), "factor")));
    }
    badges.extend(person.needs.iter().map(|need| match need {
        Need::NoFactor | Need::FactorDisabled => Badge::new(Tone::Bad, need.label()),
        Need::FewCodes => Badge::new(Tone::Warn, format!("{} left", count(person.codes_left.into(), "code"))),
        Need::Awaiting | Need::TemporaryPassword | Need::InvitationOver => Badge::new(Tone::Warn, need.label()),
    }));
    badges
}

/// The badge for an account's state.
pub(super) fn status(status: Status) -> Badge {
    let tone = match status {
        Status::Invited => Tone::Plain,
        Status::Active => Tone::Good,
        Status::Disabled => Tone::Bad,
        Status::Left => Tone::Plain,
    };
    Badge::new(tone, status.as_str())
}

/// Adding a person: `POST /admin/users/new` with `email`, `name`, `role`.
#[derive(Debug, Clone)]
pub struct AddPersonView<'a> {
    /// Keeps everything.
    pub form: Form<'a>,
    /// The roles that the viewer may give.
    pub roles: &'a [Role],
    /// Whether mail can be sent.
    pub mails: bool,
}

/// Who, and what they may do.
pub fn add_person(frame: &Frame, view: &AddPersonView) -> Markup {
    let form = &view.form;
    let choices: Vec<_> = view.roles.iter().map(|role| role_choice(*role)).collect();
    let trail = html! { a href="/admin/users" { "People" } };
    let content = html! {
        (heading(Some(&trail), "Add a person", None))
        (form.summary("Nobody has been added yet."))
        form class="card" method="post" action="/admin/users/new" novalidate {
            (form.hidden())
            (Field::new("name", "Name").hint("As colleagues know them.").show(form))
            (Field::new("email", "E-mail address").hint("They sign in with it.").address().show(form))
            (radios(form, "role", "What may they do?", &choices))
            @if view.mails { (by_mail(form)) }
            (form.step_up())
            div class="actions" { button class="main" { "Add and make a link" } (cancel("/admin/users")) }
        }
    };
    page(frame, "Add a person · People", form.wrong(), &content)
}

/// Whether a link goes out by mail too.
pub(super) fn by_mail(form: &Form) -> Markup {
    let hint = "To the address that they sign in with. You are shown it as well.";
    checkbox(form, "by_mail", &Choice::new("on", "Send the link by mail too").hint(hint))
}

pub(super) fn role_choice(role: Role) -> Choice<'static> {
    let (label, hint) = match role {
        Role::Member => ("Member", "Signs in and looks after their own account."),
        Role::Auditor => ("Auditor", "Reads and exports the audit log, nothing else."),
        Role::Admin => ("Admin", "The help desk: looks after members and runs recoveries."),
        Role::Owner => ("Owner", "Everything, and recovers admins and other owners."),
    };
    Choice::new(role.as_str(), label).hint(hint)
}

/// The link that lets a person set up their account, shown once as the POST's own answer.
#[derive(Debug, Clone)]
pub struct InvitationLinkView<'a> {
    /// For whom.
    pub id: UserId,
    /// Their name.
    pub name: &'a str,
    /// The whole address, with the public URL in front.
    pub link: Secret,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// Whether it is mailed to them too.
    pub mailed: bool,
}

/// Copy it and hand it over.
pub fn invitation_link(frame: &Frame, view: &InvitationLinkView) -> Markup {
    let trail = html! { a href="/admin/users" { "People" } };
    let title = format!("Hand this link to {}", view.name);
    let content = html! {
        (heading(Some(&trail), &title, None))
        section class="card" {
            p class="secret long" id="link" { (view.link.reveal()) }
            p class="screen" { (copy_button("link", "Copy the link")) }
            p { "Shown only here, only once. It works once, until " (clock(view.expires_at, frame.now))
                " (" (lasting(view.expires_at.since(frame.now))) ")." }
            p { "Whoever opens it becomes " bdi { (view.name) } ", so hand it over on a channel you trust: in person, "
                "or in a chat where you know each other. They choose a password, set up an app and get backup codes." }
            @if view.mailed { p { "It is mailed to the address that they will sign in with, too." } }
            div class="actions" {
                a class="button main" href="/admin/users/new" { "Add another person" }
                a class="button" href={ "/admin/users/" (view.id) } { "Go to " bdi { (view.name) } }
            }
        }
    };
    page(frame, &title, false, &content)
}

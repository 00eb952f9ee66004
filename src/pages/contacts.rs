//! How a person is reached: the list with since when each is known, adding and removing, and what there was before; and
//! the numbers that can be called to make sure who it is.

use std::time::Duration;

use maud::{Markup, html};

use super::Frame;
use super::field::Field;
use super::form::{Choice, Form, radios};
use super::grants::{Subject, UNCHANGED};
use super::parts::{Badge, Tone, cancel, card, empty, facts, heading, notice, table};
use super::words::{day, lasting, time_ago};
use super::{profile, users};
use crate::contacts::{Contact, Detail, Kind, usable_for_call};
use crate::policy::KNOWN_NUMBER_LEAST;
use crate::time::Timestamp;

/// Whose contact details they are, which is where the pages are and what they say.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// The viewer's own: below `/profile/contacts`.
    Own,
    /// Somebody else's: below `/admin/users/{id}/contacts`.
    Of(Subject<'a>),
}

impl Whose<'_> {
    fn href(&self, path: &str) -> String {
        match self {
            Self::Own => format!("/profile/contacts{path}"),
            Self::Of(person) => person.href(&format!("/contacts{path}")),
        }
    }

    fn trail(&self) -> Markup {
        match self {
            Self::Own => profile::back(),
            Self::Of(person) => person.trail(None),
        }
    }

    /// What may be added and removed here.
    fn kinds(&self) -> &'static [Kind] {
        match self {
            Self::Own => &Kind::OWN,
            Self::Of(_) => &Kind::ALL,
        }
    }

    fn page(&self, frame: &Frame, title: &str, wrong: bool, content: &Markup) -> Markup {
        match self {
            Self::Own => profile::page(frame, title, wrong, content),
            Self::Of(_) => users::page(frame, title, wrong, content),
        }
    }
}

/// The page of contact details. Its form posts `kind`, `value` to its own address.
#[derive(Debug, Clone)]
pub struct ContactsView<'a> {
    /// Keeps `kind` and `value`; with a nonce in the console.
    pub form: Form<'a>,
    /// Whose they are.
    pub whose: Whose<'a>,
    /// What is in use.
    pub contacts: Vec<Contact>,
    /// The newest ones, newest first, those that were removed included.
    pub history: Vec<Contact>,
    /// How long a number has to be known before a call to it counts.
    pub known: Duration,
    /// Why this viewer may not change them: stands in place of the form.
    pub refused: Option<&'static str>,
}

/// What there is, what can be added, what there was.
pub fn contacts(frame: &Frame, view: &ContactsView) -> Markup {
    let (form, whose) = (&view.form, view.whose);
    let title = match whose {
        Whose::Own => "Your contact details".to_owned(),
        Whose::Of(person) => format!("Contact details of {}", person.name),
    };
    let content = html! {
        (heading(Some(&whose.trail()), &title, None))
        (form.summary(UNCHANGED))
        (in_use(frame, view))
        @if let Some(why) = view.refused { (notice(Tone::Plain, &html! { p { (why) } })) } @else { (adding(view)) }
        @if !view.history.is_empty() { (history(frame, &view.history)) }
    };
    whose.page(frame, &title, form.wrong(), &content)
}

fn in_use(frame: &Frame, view: &ContactsView) -> Markup {
    let columns = ["Contact", "What it is", "Known since", ""];
    let removable = |c: &Contact| view.refused.is_none() && view.whose.kinds().contains(&c.detail.kind());
    let row = |c: &Contact| {
        vec![
            html! { strong { bdi { (c.detail.as_str()) } } },
            html! { span class="whole" { (c.detail.kind().label()) } },
            known_since(frame, c, view.known),
            html! {
                @if removable(c) {
                    a href=(view.whose.href(&format!("/{}/remove", c.id))) {
                        "Remove" span class="unseen" { " " (c.detail.as_str()) }
                    }
                }
            },
        ]
    };
    let rows: Vec<_> = view.contacts.iter().map(row).collect();
    html! {
        @if rows.is_empty() {
            (empty("There are none yet.", "An older phone number can be called when somebody has to be sure who it is."))
        } @else {
            section class="card" { (table("Contact details", &columns, &rows)) }
        }
    }
}

/// Since when, and for a number that is too new, that a call to it proves nothing.
fn known_since(frame: &Frame, contact: &Contact, known: Duration) -> Markup {
    let new = matches!(contact.detail, Detail::Phone(_)) && !usable_for_call(contact.known_since, frame.now, known);
    html! {
        (time_ago(contact.known_since, frame.now))
        @if new { " " (Badge::new(Tone::Warn, "does not count yet").show()) }
    }
}

fn long_enough(known: Duration) -> String {
    lasting(known.max(KNOWN_NUMBER_LEAST))
}

fn adding(view: &ContactsView) -> Markup {
    let form = &view.form;
    let choices: Vec<_> = view.whose.kinds().iter().map(|kind| Choice::new(kind.as_str(), kind.label())).collect();
    let lead = match view.whose {
        Whose::Own => "If you lose your phone, an admin can call a number that stands here to make sure it is you.",
        Whose::Of(_) => "A number can be called to make sure who it is, once it is known long enough.",
    };
    let label = match view.whose {
        Whose::Own => "Number or address",
        Whose::Of(_) => "Number, address or name",
    };
    html! {
        form class="card" method="post" action=(view.whose.href("")) novalidate aria-labelledby="adding" {
            h2 id="adding" { "Add a contact" }
            (form.hidden())
            p { (lead) " It counts once it was here for " (long_enough(view.known))
                " before help is asked for; a number that is removed and added again begins anew." }
            (radios(form, "kind", "What do you add?", &choices))
            (Field::new("value", label).hint("A number with its country code, like +46 70 123 45 67.").show(form))
            (form.step_up())
            div class="actions" { button class="main" { "Add" } }
        }
    }
}

fn history(frame: &Frame, contacts: &[Contact]) -> Markup {
    let columns = ["Contact", "What it was", "Added", "Removed"];
    let by = |at, name: &str| html! { (time_ago(at, frame.now)) br; small { "by " bdi { (name) } } };
    let row = |c: &Contact| {
        vec![
            html! { bdi { (c.detail.as_str()) } },
            html! { span class="whole" { (c.detail.kind().label()) } },
            by(c.known_since, &c.added_by),
            html! { @if let Some((at, name)) = &c.removed { (by(*at, name)) } @else { "still in use" } },
        ]
    };
    let rows: Vec<_> = contacts.iter().map(row).collect();
    card("history", "History", &table("History of contact details", &columns, &rows))
}

/// Removing one: `POST …/contacts/{contact}/remove`.
#[derive(Debug, Clone)]
pub struct RemoveContactView<'a> {
    /// With a nonce in the console.
    pub form: Form<'a>,
    /// Whose it is.
    pub whose: Whose<'a>,
    /// Which.
    pub contact: &'a Contact,
}

/// Are you sure?
pub fn remove_contact(frame: &Frame, view: &RemoveContactView) -> Markup {
    let (form, whose, contact) = (&view.form, view.whose, view.contact);
    let title = format!("Remove “{}”?", contact.detail.as_str());
    let content = html! {
        (heading(Some(&whose.trail()), &title, None))
        (form.summary(UNCHANGED))
        form class="card" method="post" action=(whose.href(&format!("/{}/remove", contact.id))) novalidate {
            (form.hidden())
            p { (contact.detail.kind().label()) ", known since " (day(contact.known_since)) "." }
            p { "It stays in the history. If it is added again later, it counts as known from then on." }
            (form.step_up())
            div class="actions" { button class="danger" { "Remove it" } (cancel(&whose.href(""))) }
        }
    };
    whose.page(frame, &title, form.wrong(), &content)
}

/// The card on the first tab of a person.
pub(super) fn overview_card(frame: &Frame, href: &str, contacts: &[Contact], known: Duration) -> Markup {
    let value =
        |c: &Contact| html! { bdi { (c.detail.as_str()) } " " small { "known since " (known_since(frame, c, known)) } };
    let rows: Vec<_> = contacts.iter().map(|c| (c.detail.kind().label(), value(c))).collect();
    card(
        "contacts",
        "Contact details",
        &html! {
            @if rows.is_empty() { p class="muted" { "There are none yet: no number that could be called." } }
            @else { (facts(&rows)) }
            div class="actions" { a class="button" href=(href) { "Change contact details" } }
        },
    )
}

/// The numbers on which a person could be called to make sure who it is.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// Those that are on the account.
    pub phones: Vec<Contact>,
    /// How long a number has to be known.
    pub known: Duration,
    /// When help was asked for: a number counts by its age at that moment.
    pub requested_at: Timestamp,
}

impl Numbers {
    /// The choice “I called them” of a form about evidence; none where no number counts.
    pub(super) fn choice(&self, form: &Form) -> Option<Choice<'static>> {
        let usable: Vec<_> =
            self.phones.iter().filter(|c| usable_for_call(c.known_since, self.requested_at, self.known)).collect();
        let ids: Vec<_> = usable.iter().map(|c| c.id.to_string()).collect();
        let label = |c: &Contact| format!("{}, known since {}", c.detail.as_str(), day(c.known_since));
        let choices: Vec<_> = ids.iter().zip(&usable).map(|(id, c)| Choice::new(id, label(c))).collect();
        (!choices.is_empty()).then(|| {
            Choice::new("known_number", "I called them on a number that was known before")
                .hint("You dialled it yourself, as it stands here, and it was them.")
                .more(radios(form, "number", "Which number did you call?", &choices))
        })
    }

    /// What must not be called as evidence, with the reason.
    pub(super) fn not_offered(&self, frame: &Frame) -> Markup {
        let new: Vec<_> =
            self.phones.iter().filter(|c| !usable_for_call(c.known_since, self.requested_at, self.known)).collect();
        html! {
            @if self.phones.is_empty() {
                p class="hint" { "There is no phone number on the account that you could call." }
            } @else if !new.is_empty() {
                div class="hint" {
                    p { "A call counts to a number that was on the account for " (long_enough(self.known))
                        " before help was asked for. Not yet to:" }
                    ul {
                        @for c in new {
                            li { bdi { (c.detail.as_str()) } ": added " (time_ago(c.known_since, frame.now))
                                ", do not use" }
                        }
                    }
                }
            }
        }
    }
}

//! A person's own authenticator apps: adding one and removing one.

use maud::{Markup, html};

use super::enrol::app_steps;
use super::parts::{cancel, heading};
use super::profile::{back, page};
use super::{Field, Form, Frame};
use crate::ids::FactorId;
use crate::secret::Secret;

/// Starting to add an authenticator app, when a code is asked for first: `POST /profile/factors`.
#[derive(Debug, Clone)]
pub struct StartFactorView<'a> {
    /// With `step_up`.
    pub form: Form<'a>,
}

/// The step before the QR code.
pub fn start_factor(frame: &Frame, view: &StartFactorView) -> Markup {
    let form = &view.form;
    let content = html! {
        (heading(Some(&back()), "Add an authenticator app", None))
        (form.summary("That did not work. Nothing has been changed."))
        form class="card" method="post" action="/profile/factors" novalidate {
            (form.hidden())
            p { "You can have more than one: a second phone or a tablet is a good spare." }
            (form.step_up())
            div class="actions" { button class="main" { "Continue" } (cancel("/profile")) }
        }
    };
    page(frame, "Add an authenticator app", form.wrong(), &content)
}

const NAME_HINT: &str = "So that you can tell it from others: “blue phone”. At most 60 characters.";

/// The QR code of a further authenticator app: `POST /profile/factors/new` with `name`, `code`.
#[derive(Debug, Clone)]
pub struct NewFactorView<'a> {
    /// Keeps `name`.
    pub form: Form<'a>,
    /// The `otpauth://totp/…` address.
    pub otpauth: Secret,
    /// The shared secret in base32.
    pub secret: Secret,
}

/// Scan, name, prove with a code.
pub fn new_factor(frame: &Frame, view: &NewFactorView) -> Markup {
    let form = &view.form;
    let content = html! {
        (heading(Some(&back()), "Add an authenticator app", None))
        (form.summary("That did not work. Nothing has been changed."))
        form class="card" method="post" action="/profile/factors/new" novalidate {
            (form.hidden())
            (app_steps(form, &view.otpauth, &view.secret))
            (Field::new("name", "Name").hint(NAME_HINT).show(form))
            (form.step_up())
            div class="actions" { button class="main" { "Add this app" } (cancel("/profile")) }
        }
    };
    page(frame, "Add an authenticator app", form.wrong(), &content)
}

/// Renaming an authenticator app: `POST /profile/factors/{id}/rename` with `name`.
#[derive(Debug, Clone)]
pub struct RenameFactorView<'a> {
    /// Keeps `name`.
    pub form: Form<'a>,
    /// Which.
    pub id: FactorId,
}

/// Another name for it, nothing else.
pub fn rename_factor(frame: &Frame, view: &RenameFactorView) -> Markup {
    let form = &view.form;
    let content = html! {
        (heading(Some(&back()), "Rename your authenticator app", None))
        (form.summary("Please look at this again. Nothing has been changed."))
        form class="card" method="post" action={ "/profile/factors/" (view.id) "/rename" } novalidate {
            (form.hidden())
            (Field::new("name", "Name").hint(NAME_HINT).show(form))
            (form.step_up())
            p class="hint" { "What the app itself shows stays as it is." }
            div class="actions" { button class="main" { "Rename" } (cancel("/profile")) }
        }
    };
    page(frame, "Rename your authenticator app", form.wrong(), &content)
}

/// Removing an authenticator app: `POST /profile/factors/{id}/remove`.
#[derive(Debug, Clone)]
pub struct RemoveFactorView<'a> {
    /// With a nonce.
    pub form: Form<'a>,
    /// Which.
    pub id: FactorId,
    /// The name its owner gave it.
    pub name: &'a str,
    /// Whether it is the only one. The last one can not be removed: another comes first.
    pub last: bool,
}

/// Are you sure?
pub fn remove_factor(frame: &Frame, view: &RemoveFactorView) -> Markup {
    let form = &view.form;
    let title = format!("Remove “{}”?", view.name);
    let content = html! {
        (heading(Some(&back()), html! { "Remove “" bdi { (view.name) } "”?" }, None))
        (form.summary("That did not work. Nothing has been changed."))
        @if view.last {
            section class="card" {
                p { "This is your only authenticator app, and you need one to sign in. Add the new one first, then "
                    "remove this one." }
                div class="actions" { a class="button main" href="/profile" { "Back to your profile" } }
            }
        } @else {
            form class="card" method="post" action={ "/profile/factors/" (view.id) "/remove" } novalidate {
                (form.hidden())
                p { "Codes from it stop working at once. Your other apps and your backup codes stay as they are." }
                (form.step_up())
                div class="actions" { button class="danger" { "Remove it" } (cancel("/profile")) }
            }
        }
    };
    page(frame, &title, form.wrong(), &content)
}

//! The links by which an account begins: the first owner's, an invited person's, and those that no longer work.

use maud::{Markup, html};

use super::sign_in::{PASSWORD_HINT, whom_to_ask};
use super::words::clock;
use super::{Field, Form, Frame};
use crate::time::Timestamp;

/// The first owner's page: `POST /setup/{token}` with `email`, `name`, `password`.
#[derive(Debug, Clone)]
pub struct SetupView<'a> {
    /// Keeps `email` and `name`.
    pub form: Form<'a>,
    /// Where the form posts: the address that was opened.
    pub action: &'a str,
}

/// The one-time link that the first start printed.
pub fn setup(frame: &Frame, view: &SetupView) -> Markup {
    let form = &view.form;
    let content = html! {
        h1 { "Set up the first owner" }
        p class="muted" {
            "Step 1 of 3. Next come your authenticator app and your backup codes; it takes about three minutes. "
            "Have your phone at hand."
        }
        (form.summary("Please look at this again. Nothing has been created yet."))
        form class="card" method="post" action=(view.action) novalidate {
            (form.hidden())
            (Field::new("name", "Your name").person().focus().show(form))
            (Field::new("email", "E-mail address").hint("You will sign in with it.").email().show(form))
            (Field::new("password", "Password").hint(PASSWORD_HINT).new_password().show(form))
            div class="actions" { button class="main" { "Continue" } }
        }
    };
    frame.narrow("Set up the first owner", form.wrong(), &content)
}

/// An invited person's page: `POST /invitation/{token}` with `password`.
#[derive(Debug, Clone)]
pub struct InvitationView<'a> {
    /// Keeps nothing: a password is typed anew.
    pub form: Form<'a>,
    /// Where the form posts: the address that was opened.
    pub action: &'a str,
    /// The person's name.
    pub name: &'a str,
    /// What they will sign in with.
    pub email: &'a str,
    /// When the link stops working.
    pub expires_at: Timestamp,
}

/// The link that an admin handed over.
pub fn invitation(frame: &Frame, view: &InvitationView) -> Markup {
    let form = &view.form;
    let content = html! {
        h1 { "Welcome, " bdi { (view.name) } }
        p class="muted" {
            "Step 1 of 3: choose a password. Next come your authenticator app and your backup codes. "
            "Have your phone at hand."
        }
        (form.summary("Please look at this again."))
        form class="card" method="post" action=(view.action) novalidate {
            (form.hidden())
            (Field::new("email", "E-mail address").hint("You will sign in with it.").email().fixed(view.email).show(form))
            (Field::new("password", "Password").hint(PASSWORD_HINT).new_password().focus().show(form))
            div class="actions" { button class="main" { "Continue" } }
        }
        p class="muted" {
            "Not " bdi { (view.name) } "? Please close this page and tell the person who sent you the link. "
            "It works until " (clock(view.expires_at, frame.now)) "."
        }
    };
    frame.narrow("Welcome", form.wrong(), &content)
}

/// Which link does not work any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The one for the first owner.
    Setup,
    /// The one for an invited person.
    Invitation,
    /// The one for a new password.
    PasswordReset,
}

/// A link that expired, was used or never was: one page for all, answered with 404 or 410.
#[derive(Debug, Clone)]
pub struct LinkGoneView<'a> {
    /// Which.
    pub link: Link,
    /// Whom to ask, as the organisation wrote it.
    pub help_contact: Option<&'a str>,
}

/// What to do when the link does not work any more.
pub fn link_gone(frame: &Frame, view: &LinkGoneView) -> Markup {
    let sign_in = html! { div class="actions" { a class="button main" href="/sign-in" { "Sign in" } } };
    let content = match view.link {
        Link::Setup => html! {
            p { "The link has expired, or the first owner is set up already." }
            p { "If that was you, sign in. If not, whoever runs this host finds a fresh link in the output of "
                code { "idp serve" } " after a restart, as long as there is no owner." }
            (sign_in)
        },
        Link::Invitation => html! {
            p { "It has expired, was used already, or a newer one was made. A link works once." }
            p { "If you have set your password, sign in. If not, ask for a new link. " (whom_to_ask(view.help_contact)) }
            (sign_in)
        },
        Link::PasswordReset => html! {
            p { "It has expired, was used already, or your account has changed since. A link works once." }
            p { "If you have set your new password, sign in. If not, get another link. If that does not help: " (whom_to_ask(view.help_contact)) }
            div class="actions" {
                a class="button main" href="/sign-in" { "Sign in" }
                a class="button" href="/password-reset" { "Get another link" }
            }
        },
    };
    told(frame, "This link no longer works", &content)
}

/// A short page for a stranger who has to know one thing.
fn told(frame: &Frame, title: &str, content: &Markup) -> Markup {
    frame.narrow(title, false, &html! { h1 { (title) } section class="card" { (content) } })
}

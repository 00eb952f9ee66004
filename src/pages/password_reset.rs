//! A new password through a link by mail.
//!
//! Invariant: nothing here tells a stranger whether an address has an account.

use std::time::Duration;

use maud::{Markup, html};

use super::sign_in::{PASSWORD_HINT, whom_to_ask};
use super::words::lasting;
use super::{Field, Form, Frame};

/// Asking for a link: `POST /password-reset` with `email`.
#[derive(Debug, Clone)]
pub struct AskView<'a> {
    /// Keeps `email`.
    pub form: Form<'a>,
    /// How long a link works.
    pub valid: Duration,
}

/// To which address.
pub fn ask(frame: &Frame, view: &AskView) -> Markup {
    let form = &view.form;
    let content = html! {
        h1 { "Get a link for a new password" }
        p class="muted" {
            "It goes to the e-mail address that you sign in with, and works for " (lasting(view.valid)) ". To sign in you "
            "need your authenticator app or a backup code, as always."
        }
        (form.summary("Please look at this again."))
        form class="card" method="post" action="/password-reset" novalidate {
            (form.hidden())
            (Field::new("email", "E-mail address").hint("The one that you sign in with.").email().focus().show(form))
            div class="actions" { button class="main" { "Send the link" } a href="/sign-in" { "Back to signing in" } }
        }
    };
    frame.narrow("Get a link for a new password", form.wrong(), &content)
}

/// The same page whoever asks.
#[derive(Debug, Clone)]
pub struct SentView<'a> {
    /// How long a link works.
    pub valid: Duration,
    /// Whom to ask, as the organisation wrote it.
    pub help_contact: Option<&'a str>,
}

/// Where to look now.
pub fn sent(frame: &Frame, view: &SentView) -> Markup {
    let content = html! {
        h1 { "Look into your mailbox" }
        section class="card" {
            p { "If somebody signs in with this address, a link is on its way there. It works once, for " (lasting(view.valid)) "." }
            p { "Is nothing there after some minutes? Look where your mail program puts unwanted mail. Within an hour only a few "
                "links are sent, and none while an admin is helping you in." }
            p { "You can not read your mail, or have lost your phone too? " (whom_to_ask(view.help_contact)) }
            div class="actions" { a class="button" href="/sign-in" { "Back to signing in" } }
        }
    };
    frame.narrow("Look into your mailbox", false, &content)
}

/// Choosing the new password: `POST /password-reset/{token}` with `new_password`.
#[derive(Debug, Clone)]
pub struct ChooseView<'a> {
    /// Keeps nothing: a password is typed anew.
    pub form: Form<'a>,
    /// Where the form posts: the address that was opened.
    pub action: &'a str,
    /// What they sign in with, which password managers look for.
    pub email: &'a str,
}

/// The new password.
pub fn choose(frame: &Frame, view: &ChooseView) -> Markup {
    let form = &view.form;
    let content = html! {
        h1 { "Choose a new password" }
        (form.summary("Please look at this again. Your password has not been changed."))
        form class="card" method="post" action=(view.action) novalidate {
            (form.hidden())
            (Field::new("email", "E-mail address").email().fixed(view.email).show(form))
            (Field::new("new_password", "New password").hint(PASSWORD_HINT).new_password().focus().show(form))
            p class="hint" { "Everywhere you are signed in, you will be signed out, and devices are no longer remembered." }
            div class="actions" { button class="main" { "Change the password" } }
        }
    };
    frame.narrow("Choose a new password", form.wrong(), &content)
}

/// It is done; signing in comes next.
pub fn done(frame: &Frame) -> Markup {
    let content = html! {
        h1 { "Your password is changed" }
        section class="card" {
            p { "Sign in with it now. Have your phone, or a backup code, at hand." }
            div class="actions" { a class="button main" href="/sign-in" { "Sign in" } }
        }
    };
    frame.narrow("Your password is changed", false, &content)
}

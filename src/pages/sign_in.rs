//! Signing in: password, code, backup code, a new password where it must be changed, and the ways it can stop.
//!
//! Invariant: nothing here tells a stranger whether an address has an account.

use std::time::Duration;

use maud::{Markup, html};

use super::Frame;
use super::field::Field;
use super::form::Form;
use super::parts::{Tone, more, notice};
use super::words::lasting;

/// Why the form can not be taken just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Too many attempts: answered with 429 and `Retry-After`.
    TooMany {
        /// How long to wait.
        wait: Duration,
    },
    /// All hashing workers are busy: answered with 503 and `Retry-After`.
    Busy,
}

/// E-mail and password: `POST /sign-in` with `email`, `password`, `next`.
#[derive(Debug, Clone)]
pub struct PasswordView<'a> {
    /// Keeps `email`.
    pub form: Form<'a>,
    /// Where to go afterwards: a path on this origin, checked by the caller.
    pub next: Option<&'a str>,
    /// Why the last attempt was not looked at.
    pub trouble: Option<Trouble>,
    /// Whom to ask when nothing helps, as the organisation wrote it.
    pub help_contact: Option<&'a str>,
    /// Whether a link for a new password can be sent by mail.
    pub mails: bool,
}

/// The first page a stranger sees.
pub fn password(frame: &Frame, view: &PasswordView) -> Markup {
    let form = &view.form;
    let content = html! {
        h1 { "Sign in" }
        (trouble(view.trouble))
        (form.summary("Please look at this again."))
        form class="card" method="post" action="/sign-in" novalidate {
            (form.hidden())
            @if let Some(next) = view.next { input type="hidden" name="next" value=(next); }
            @let email = Field::new("email", "E-mail address").email();
            (if form.value("email").is_empty() { email.focus() } else { email }.show(form))
            (Field::new("password", "Password").current_password().show(form))
            div class="actions" { button class="main" { "Continue" } }
        }
        (more("Forgotten your password?", &html! {
            @if view.mails { p { a href="/password-reset" { "Get a link for a new one by e-mail" } } }
            p { "An admin can give you a temporary one. " (whom_to_ask(view.help_contact)) }
        }))
    };
    frame.narrow("Sign in", form.wrong() || view.trouble.is_some(), &content)
}

/// The second factor: `POST /sign-in/code` or `POST /sign-in/backup-code`, with `code`.
#[derive(Debug, Clone)]
pub struct CodeView<'a> {
    /// Keeps nothing: a code is typed anew.
    pub form: Form<'a>,
    /// The address that was typed with the password.
    pub email: &'a str,
    /// Why the last attempt was not looked at.
    pub trouble: Option<Trouble>,
    /// Whom to ask when the device is lost, as the organisation wrote it.
    pub help_contact: Option<&'a str>,
    /// Whether an app can be used, as far as who has given the password may know.
    pub app: App,
}

/// How the person stands with authenticator apps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum App {
    /// One works.
    Works,
    /// All were switched off after too many wrong codes.
    SwitchedOff,
    /// There is none.
    None,
}

/// Six digits from the app.
pub fn code(frame: &Frame, view: &CodeView) -> Markup {
    let form = &view.form;
    let field = Field::new("code", "6-digit code").hint("From the authenticator app on your phone.").otp().focus();
    let content = html! {
        h1 { "Enter the code from your app" }
        (trouble(view.trouble))
        (form.summary("That did not work. Nothing is lost."))
        form class="card" method="post" action="/sign-in/code" novalidate {
            (form.hidden())
            (field.show(form))
            div class="actions" { button class="main" { "Sign in" } }
            p { a href="/sign-in/backup-code" { "Use a backup code instead" } }
        }
        (lost_device(view.help_contact))
        (signing_in_as(view.email))
    };
    frame.narrow("Enter your code", form.wrong() || view.trouble.is_some(), &content)
}

/// One of the codes that were stored at enrolment, or one that an admin issued.
pub fn backup_code(frame: &Frame, view: &CodeView) -> Markup {
    let form = &view.form;
    let field = Field::new("code", "Backup code")
        .hint("One you saved or printed, or one an admin gave you. Capitals and dashes do not matter. Each works once.")
        .spoken()
        .focus();
    let content = html! {
        h1 { "Enter a backup code" }
        @if view.app == App::SwitchedOff {
            (notice(Tone::Bad, &html! {
                p { strong { "Your authenticator app was switched off after 100 wrong codes." } " Somebody who knows your "
                    "password may have tried them. Sign in with a backup code, then change your password and set up an app "
                    "anew." }
            }))
        }
        (trouble(view.trouble))
        (form.summary("That did not work. Nothing is lost."))
        form class="card" method="post" action="/sign-in/backup-code" novalidate {
            (form.hidden())
            (field.show(form))
            div class="actions" { button class="main" { "Sign in" } }
            @if view.app == App::Works { p { a href="/sign-in/code" { "Use the code from your app instead" } } }
        }
        (lost_device(view.help_contact))
        (signing_in_as(view.email))
    };
    frame.narrow("Enter a backup code", form.wrong() || view.trouble.is_some(), &content)
}

/// A password that must be replaced before anything else: `POST /sign-in/password` with `new_password`.
#[derive(Debug, Clone)]
pub struct NewPasswordView<'a> {
    /// Keeps nothing: a password is typed anew.
    pub form: Form<'a>,
    /// Whose password it is.
    pub email: &'a str,
}

/// Shown after a temporary password, and where an admin asked for a new one.
pub fn new_password(frame: &Frame, view: &NewPasswordView) -> Markup {
    let form = &view.form;
    let content = html! {
        h1 { "Choose a new password" }
        p class="muted" { "You need a new password before you go on. Choose one that only you know, and that you use nowhere else." }
        (form.summary("Please look at this again."))
        form class="card" method="post" action="/sign-in/password" novalidate {
            (form.hidden())
            (Field::new("email", "E-mail address").email().fixed(view.email).show(form))
            (Field::new("new_password", "New password").hint(PASSWORD_HINT).new_password().focus().show(form))
            div class="actions" { button class="main" { "Save and continue" } }
        }
    };
    frame.narrow("Choose a new password", form.wrong(), &content)
}

/// What makes a password good here: said before it is typed.
pub(super) const PASSWORD_HINT: &str =
    "At least 8 characters. Four or five unrelated words are easy to remember and hard to guess.";

/// After an idle hour: `POST /sign-in/resume` with `password`.
#[derive(Debug, Clone)]
pub struct ResumeView<'a> {
    /// Keeps nothing: a password is typed anew.
    pub form: Form<'a>,
    /// Who was here.
    pub name: &'a str,
    /// The address that password managers look for.
    pub email: &'a str,
    /// Where to go afterwards: a path on this origin, checked by the caller.
    pub next: Option<&'a str>,
    /// Why the last attempt was not looked at.
    pub trouble: Option<Trouble>,
}

/// The session waits; one factor brings it back.
pub fn resume(frame: &Frame, view: &ResumeView) -> Markup {
    let form = &view.form;
    let content = html! {
        h1 { "Welcome back, " bdi { (view.name) } }
        p class="muted" { "You were away for a while. Your password brings you back to where you were." }
        (trouble(view.trouble))
        (form.summary("Please look at this again."))
        form class="card" method="post" action="/sign-in/resume" novalidate {
            (form.hidden())
            @if let Some(next) = view.next { input type="hidden" name="next" value=(next); }
            (Field::new("email", "E-mail address").email().fixed(view.email).show(form))
            (Field::new("password", "Password").current_password().focus().show(form))
            div class="actions" { button class="main" { "Continue" } }
        }
        (signing_in_as(view.email))
    };
    frame.narrow("Welcome back", form.wrong() || view.trouble.is_some(), &content)
}

/// The password was right, but the person can not go on alone.
#[derive(Debug, Clone)]
pub struct NoWayInView<'a> {
    /// Whom to ask, as the organisation wrote it.
    pub help_contact: Option<&'a str>,
}

/// No factor is set up and no enrolment window is open: nothing can be done here without an admin.
pub fn no_way_in(frame: &Frame, view: &NoWayInView) -> Markup {
    let content = html! {
        h1 { "An admin has to let you in" }
        section class="card" {
            p {
                "Your password is right, but no authenticator app is set up for your account, and the time to set one "
                "up is over or has not been opened."
            }
            p {
                "Ask an admin to open it again. They will make sure that it is you, and may read you a pass of 12 letters "
                "and digits. " (whom_to_ask(view.help_contact))
            }
            p { "Nobody will ask for your password." }
            div class="actions" { a class="button main" href="/sign-in" { "Sign in again" } }
        }
    };
    frame.narrow("An admin has to let you in", false, &content)
}

/// The password was right, but nobody except owners is let in before an owner has confirmed who is here.
pub fn must_wait(frame: &Frame, view: &NoWayInView) -> Markup {
    let content = html! {
        h1 { "Please wait a little" }
        section class="card" {
            p {
                "Your password is right, and nothing is wrong with your account. This service was restored from a "
                "backup, and an owner has to confirm who is here before anybody else can sign in."
            }
            p { "Try again later. If it is urgent: " (whom_to_ask(view.help_contact)) }
            p { "Nobody will ask for your password." }
            div class="actions" { a class="button main" href="/sign-in" { "Sign in again" } }
        }
    };
    frame.narrow("Please wait a little", false, &content)
}

/// The confirmation after signing out.
pub fn signed_out(frame: &Frame) -> Markup {
    let content = html! {
        h1 { "You are signed out" }
        section class="card" {
            p { "On a shared computer, close the browser as well." }
            div class="actions" { a class="button main" href="/sign-in" { "Sign in again" } }
        }
    };
    frame.narrow("Signed out", false, &content)
}

fn trouble(trouble: Option<Trouble>) -> Markup {
    match trouble {
        None => html! {},
        Some(Trouble::TooMany { wait }) => html! {
            div class="notice warn" role="alert" {
                p { strong { "Too many attempts. Wait " (lasting(wait)) ", then try again." } }
                p { "This protects the account from guessing. Trying sooner does not help, and nothing is locked for good." }
            }
        },
        Some(Trouble::Busy) => html! {
            div class="notice warn" role="alert" {
                p { strong { "Many people are signing in right now." } " Please try again in a few seconds." }
            }
        },
    }
}

fn lost_device(help_contact: Option<&str>) -> Markup {
    more(
        "Lost your device?",
        &html! {
            p { "If you saved backup codes, " a href="/sign-in/backup-code" { "use one of them" } "." }
            p { "If not, there is help. " (whom_to_ask(help_contact)) " They will make sure that it is you and help you set up a new one." }
            p { strong { "Nobody there will ask for your password." } }
        },
    )
}

/// Whom to ask, as a sentence.
pub(super) fn whom_to_ask(help_contact: Option<&str>) -> Markup {
    html! {
        @if let Some(contact) = help_contact { "Ask " strong { (contact) } "." }
        @else { "Ask the person who looks after accounts in your organisation." }
    }
}

fn signing_in_as(email: &str) -> Markup {
    html! { p class="muted" { "Signing in as " (email) ". " a href="/sign-in" { "Not you?" } } }
}

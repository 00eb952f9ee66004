//! A person's own account: authenticator apps, backup codes, password, and what happened lately.

use maud::{Markup, html};

use super::Frame;
use super::activity::{OwnActivity, lines};
use super::field::Field;
use super::form::Form;
use super::frame::Section;
use super::parts::{Badge, FactorLine, Tone, cancel, card, heading, notice, table};
use super::sign_in::PASSWORD_HINT;
use super::words::{clock, count, day, time_ago, time_ago_or_never};
use crate::policy::{FEW_CODES, TOTP_DISABLED_AT};
use crate::time::Timestamp;
use crate::users::Role;

/// Everything on the profile page. Its one form posts to `/profile/factors`.
#[derive(Debug, Clone)]
pub struct ProfileView<'a> {
    /// For the button that starts adding an authenticator app.
    pub form: Form<'a>,
    /// The person's name.
    pub name: &'a str,
    /// What they sign in with.
    pub email: &'a str,
    /// What they may do.
    pub role: Role,
    /// Their authenticator apps.
    pub factors: Vec<FactorLine>,
    /// Unused backup codes, those that an admin issued included.
    pub codes_left: u32,
    /// How many of them an admin issued, and until when those work.
    pub issued: Option<(u32, Timestamp)>,
    /// How many the set had; 0 when there never was one.
    pub codes_made: u32,
    /// When the set was made.
    pub codes_made_at: Option<Timestamp>,
    /// Whether this session began with a backup code.
    pub signed_in_with_backup_code: bool,
    /// When the password was last changed.
    pub password_changed_at: Option<Timestamp>,
    /// Where else they are signed in: in so many sessions.
    pub other_sessions: u32,
    /// Remembered devices.
    pub devices: u32,
    /// What happened lately, newest first.
    pub activity: Vec<OwnActivity>,
}

/// The person's own page.
pub fn profile(frame: &Frame, view: &ProfileView) -> Markup {
    let content = html! {
        div class="head" {
            div { h1 { bdi { (view.name) } } p class="muted" { (view.email) " · " (view.role) } }
        }
        @if view.signed_in_with_backup_code { (after_backup_code()) }
        (few_codes(view.codes_left))
        (view.form.summary("Please look at this again."))
        (factors(frame, view))
        (backup_codes(frame, view))
        (card("password", "Password", &html! {
            @if let Some(at) = view.password_changed_at { p { "Last changed " (time_ago(at, frame.now)) "." } }
            div class="actions" { a class="button" href="/profile/password" { "Change password" } }
        }))
        (card("contacts", "Contact details", &html! {
            p { "How an admin can reach you if you lose your phone." }
            div class="actions" { a class="button" href="/profile/contacts" { "See and change them" } }
        }))
        (sessions(view))
        (card("activity", "Recent activity", &html! {
            @if view.activity.is_empty() { p class="muted" { "Nothing has happened yet." } }
            @else { (lines(frame, "Recent activity", &view.activity)) }
            p { a href="/profile/activity" { "All activity" } " · " a href="/profile/notices" { "What you were told" } " · "
                a href="/profile/activity#wrong" { "Something was not you?" } }
        }))
    };
    page(frame, "Your profile", view.form.wrong(), &content)
}

/// A page of the profile section.
pub(super) fn page(frame: &Frame, title: &str, wrong: bool, content: &Markup) -> Markup {
    frame.wide(Section::Profile, title, wrong, content)
}

fn after_backup_code() -> Markup {
    notice(
        Tone::Warn,
        &html! {
            p { strong { "You signed in with a backup code." } " If your phone is lost or new: add your new phone, remove "
                "the old one, then make new codes." }
        },
    )
}

/// What a lost phone would mean now.
fn few_codes(left: u32) -> Markup {
    let make = html! { a href="/profile/backup-codes" { "Make new ones now" } "." };
    match left {
        0 => notice(
            Tone::Bad,
            &html! {
                p { strong { "You have no backup codes left." } " If you lose your phone, only an admin can let you back in. "
                    (make) }
            },
        ),
        1..=FEW_CODES => notice(
            Tone::Warn,
            &html! {
                p { strong { "Only " (count(left.into(), "backup code")) " left." } " Backup codes let you in when your phone is lost. "
                    (make) }
            },
        ),
        _ => html! {},
    }
}

fn factors(frame: &Frame, view: &ProfileView) -> Markup {
    let columns = ["Authenticator app", "Added", "Last used", ""];
    let row = |f: &FactorLine| {
        vec![
            html! {
                strong { bdi { (f.name) } }
                @if f.switched_off_at.is_some() { " " (Badge::new(Tone::Bad, "switched off").show()) }
            },
            time_ago(f.added_at, frame.now),
            time_ago_or_never(f.last_used_at, frame.now),
            html! {
                span class="acts" {
                    a href={ "/profile/factors/" (f.id) "/rename" } { "Rename" span class="unseen" { " " (f.name) } }
                    a href={ "/profile/factors/" (f.id) "/remove" } { "Remove" span class="unseen" { " " (f.name) } }
                }
            },
        ]
    };
    let rows: Vec<_> = view.factors.iter().map(row).collect();
    card(
        "factors",
        "Authenticator apps",
        &html! {
            @if rows.is_empty() { p { "None is set up." } }
            @else { (table("Authenticator apps", &columns, &rows)) }
            @for f in &view.factors {
                @if let Some(at) = f.switched_off_at { (switched_off(&f.name, at, frame.now)) }
            }
            form method="post" action="/profile/factors" class="actions" {
                (view.form.hidden())
                button { "Add an authenticator app" }
            }
        },
    )
}

/// What happened to an app that takes no code any more, and what to do.
fn switched_off(name: &str, at: Timestamp, now: Timestamp) -> Markup {
    let happened = html! {
        p {
            strong { "“" bdi { (name) } "” was switched off " (time_ago(at, now)) "." }
            " There were " (TOTP_DISABLED_AT) " wrong codes in a row, from someone who had given your password or was "
            "signed in as you. Codes from it do not work again: add an authenticator app, then remove this one."
        }
        p {
            "Was that not you? Then someone knows your password: "
            a href="/profile/password" { "change it now" } ", which also signs them out."
        }
    };
    notice(Tone::Bad, &happened)
}

fn backup_codes(frame: &Frame, view: &ProfileView) -> Markup {
    let few = view.codes_left <= FEW_CODES;
    let own = view.codes_left - view.issued.map_or(0, |(issued, _)| issued).min(view.codes_left);
    card(
        "codes",
        "Backup codes",
        &html! {
            p {
                strong { (own) @if view.codes_made > 0 { " of " (view.codes_made) } " left" }
                @if let Some(at) = view.codes_made_at { ", made on " (day(at)) }
                ". Each signs you in once when your phone is lost."
            }
            @if let Some((issued, until)) = view.issued {
                p { strong { (count(issued.into(), "code")) } " that an admin gave you can be used until " (clock(until, frame.now)) "." }
            }
            div class="actions" {
                a class=(if few { "button main" } else { "button" }) href="/profile/backup-codes" { "Make new codes" }
            }
        },
    )
}

fn sessions(view: &ProfileView) -> Markup {
    let devices = count(view.devices.into(), "device");
    card(
        "sessions",
        "Sessions and devices",
        &html! {
            p {
                @if view.other_sessions == 0 { "You are signed in here and nowhere else. " }
                @else { "You are signed in here and in " (count(view.other_sessions.into(), "other session")) ". " }
                @if view.devices == 1 { (devices) " is remembered." } @else { (devices) " are remembered." }
            }
            div class="actions" { a class="button" href="/profile/sessions" { "See and end them" } }
        },
    )
}

/// Making new backup codes: `POST /profile/backup-codes`.
#[derive(Debug, Clone)]
pub struct NewCodesView<'a> {
    /// With a nonce.
    pub form: Form<'a>,
    /// Unused codes that will stop working.
    pub codes_left: u32,
}

/// Are you sure? The answer is [`super::enrol::backup_codes`].
pub fn new_codes(frame: &Frame, view: &NewCodesView) -> Markup {
    let form = &view.form;
    let content = html! {
        (heading(Some(&back()), "Make new backup codes", None))
        (form.summary("That did not work. Your old codes still work."))
        form class="card" method="post" action="/profile/backup-codes" novalidate {
            (form.hidden())
            p {
                "You get ten new codes, shown once. Have a printer, a pen or your password manager ready. "
                @if view.codes_left > 0 {
                    "Your old ones (" (count(view.codes_left.into(), "code")) " left) stop working at once."
                }
            }
            (form.step_up())
            div class="actions" { button class="main" { "Make new codes" } (cancel("/profile")) }
        }
    };
    page(frame, "Make new backup codes", form.wrong(), &content)
}

/// Changing the password: `POST /profile/password` with `current_password`, `new_password`.
#[derive(Debug, Clone)]
pub struct ChangePasswordView<'a> {
    /// Keeps nothing: passwords are typed anew.
    pub form: Form<'a>,
    /// The address that password managers look for.
    pub email: &'a str,
}

/// The old one, then the new one.
pub fn change_password(frame: &Frame, view: &ChangePasswordView) -> Markup {
    let form = &view.form;
    let content = html! {
        (heading(Some(&back()), "Change your password", None))
        (form.summary("Please look at this again. Your password has not been changed."))
        form class="card" method="post" action="/profile/password" novalidate {
            (form.hidden())
            (Field::new("email", "E-mail address").email().fixed(view.email).show(form))
            (Field::new("current_password", "Current password").current_password().show(form))
            (Field::new("new_password", "New password").hint(PASSWORD_HINT).new_password().show(form))
            (form.step_up())
            p class="hint" { "Everywhere else you are signed in, you will be signed out." }
            div class="actions" { button class="main" { "Change password" } (cancel("/profile")) }
        }
    };
    page(frame, "Change your password", form.wrong(), &content)
}

/// Leads back to the profile.
pub(super) fn back() -> Markup {
    html! { a href="/profile" { "Your profile" } }
}

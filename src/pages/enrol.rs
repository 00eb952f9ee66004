//! Enrolment: the pass that an admin read aloud, the QR code, the backup codes.

use fast_qr::{ECL, QRBuilder, QRCode};
use maud::{Markup, html};

use super::Frame;
use super::field::Field;
use super::form::{Choice, Form, required_checkbox};
use super::parts::{Tone, codes, copy_button, more, notice};
use super::sign_in::whom_to_ask;
use super::words::clock;
use crate::secret::Secret;
use crate::time::Timestamp;

/// The pass: `POST /enrol/pass` with `pass`.
#[derive(Debug, Clone)]
pub struct PassView<'a> {
    /// Keeps nothing: the pass is typed anew.
    pub form: Form<'a>,
    /// How many wrong passes are left before this one is void.
    pub tries_left: u32,
    /// When the window closes.
    pub closes_at: Timestamp,
    /// Whom to ask, as the organisation wrote it.
    pub help_contact: Option<&'a str>,
}

/// The twelve symbols that an admin reads aloud.
pub fn pass(frame: &Frame, view: &PassView) -> Markup {
    let form = &view.form;
    let field = Field::new("pass", "Enrolment pass")
        .hint("12 letters and digits, like K7PM-2XQD-9RTH. Capitals and dashes do not matter.")
        .spoken()
        .focus();
    let content = html! {
        h1 { "Enter the pass that your admin read to you" }
        p class="muted" { "With it you set up your new authenticator app. Your old one no longer works." }
        (form.summary("That did not work. Nothing is lost."))
        form class="card" method="post" action="/enrol/pass" novalidate {
            (form.hidden())
            (field.show(form))
            p class="hint" {
                "It works until " (clock(view.closes_at, frame.now)) ". "
                @if view.tries_left == 1 { "One try is left" } @else { (view.tries_left) " tries are left" }
                "; after that, your admin makes a new one."
            }
            div class="actions" { button class="main" { "Continue" } }
        }
        (more("You have no pass?", &html! {
            p { "You get it by phone or in person, never by e-mail. " (whom_to_ask(view.help_contact)) }
            p { strong { "Nobody there will ask for your password." } }
        }))
    };
    frame.narrow("Enter your enrolment pass", form.wrong(), &content)
}

/// The authenticator app: `POST /enrol` with `code`.
#[derive(Debug, Clone)]
pub struct QrView<'a> {
    /// Keeps nothing: the code is typed anew.
    pub form: Form<'a>,
    /// The `otpauth://totp/…` address.
    pub otpauth: Secret,
    /// The shared secret in base32, as an app takes it.
    pub secret: Secret,
    /// When the window closes, if it does.
    pub closes_at: Option<Timestamp>,
}

/// Scan, then prove it with a code.
pub fn qr(frame: &Frame, view: &QrView) -> Markup {
    let form = &view.form;
    let content = html! {
        h1 { "Set up your authenticator app" }
        (form.summary("That did not work. Nothing is lost."))
        @if let Some(closes_at) = view.closes_at {
            (notice(Tone::Plain, &html! { p { "You can do this until " (clock(closes_at, frame.now)) "." } }))
        }
        form class="card" method="post" action="/enrol" novalidate {
            (form.hidden())
            (app_steps(form, &view.otpauth, &view.secret))
            div class="actions" { button class="main" { "Continue" } }
        }
    };
    frame.narrow("Set up your authenticator app", form.wrong(), &content)
}

/// Three steps: an app, the QR code or the secret, a code to prove it.
pub(super) fn app_steps(form: &Form, otpauth: &Secret, secret: &Secret) -> Markup {
    let code = Field::new("code", "6-digit code").hint("The app shows a new one every 30 seconds.").otp();
    html! {
        ol class="steps" {
            li {
                p { "Open an authenticator app on your phone: 2FAS, Aegis, Google or Microsoft Authenticator, "
                    "1Password and Bitwarden all work." }
            }
            li {
                p { "Add an account and scan this." }
                (qr_code(otpauth.reveal()))
                div class="actions" { a class="button" href=(otpauth.reveal()) { "Open in an app on this device" } }
                (more("You can not scan it?", &html! {
                    p { "Type this key into the app, as a time-based one:" }
                    p class="secret long" id="key" { (grouped(secret.reveal())) }
                    p { (copy_button("key", "Copy the key")) }
                }))
            }
            li { (code.show(form)) }
        }
    }
}

/// Groups of four, so that one does not get lost while typing.
fn grouped(secret: &str) -> String {
    let symbols: Vec<char> = secret.chars().filter(|c| !c.is_whitespace()).collect();
    symbols.chunks(4).map(|g| g.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// The address as a QR code, dark on white in every colour scheme, with the four quiet modules the standard asks for
/// (ISO/IEC 18004). A screen is clean, so the lowest correction gives the largest modules. An address too long for a QR code leaves the key to be typed.
fn qr_code(text: &str) -> Markup {
    let Ok(code) = QRBuilder::new(text).ecl(ECL::L).build() else {
        return notice(Tone::Warn, &html! { p { "This key does not fit into a QR code. Please type it instead." } });
    };
    let side = code.size + 8;
    html! {
        svg class="qr" viewBox={ "0 0 " (side) " " (side) } role="img" shape-rendering="crispEdges"
            aria-label="QR code for your authenticator app" xmlns="http://www.w3.org/2000/svg" {
            rect width=(side) height=(side) fill="#fff" {}
            path fill="#000" d=(dark_modules(&code)) {}
        }
    }
}

/// One path over all dark modules, each run in a row as one rectangle.
fn dark_modules(code: &QRCode) -> String {
    let mut path = String::with_capacity(8 * 1024);
    for y in 0..code.size {
        let mut x = 0;
        while x < code.size {
            let run = (x..code.size).take_while(|x| code[y][*x].value()).count();
            if run > 0 {
                path.push_str(&format!("M{} {}h{run}v1h-{run}z", x + 4, y + 4));
            }
            x += run.max(1);
        }
    }
    path
}

/// Fresh backup codes, shown once as the POST's own answer: `POST {action}` with `stored=on`.
#[derive(Debug, Clone)]
pub struct BackupCodesView<'a> {
    /// Keeps `stored`.
    pub form: Form<'a>,
    /// `/enrol/stored`, or `/profile/backup-codes/stored`.
    pub action: &'a str,
    /// The codes in groups of four; empty when the page is shown again after they were shown once.
    pub codes: Vec<Secret>,
    /// Whose they are: printed with the codes, so that the sheet can be told from others.
    pub email: &'a str,
    /// For the first owner: the files that have to be backed up.
    pub files: Option<FilesToKeep<'a>>,
}

/// What the first owner has to keep safe, as paths on the host.
#[derive(Debug, Clone)]
pub struct FilesToKeep<'a> {
    /// The key that opens the stored authenticator secrets.
    pub seed_key: &'a str,
    /// The data folder that `idp backup` copies.
    pub data: &'a str,
}

/// Grid, copy, download, print, and a tick before going on.
pub fn backup_codes(frame: &Frame, view: &BackupCodesView) -> Markup {
    let form = &view.form;
    let heading = format!("Backup codes · {} · {}", frame.organisation, view.email);
    let content = html! {
        h1 { "Save your backup codes" }
        (form.summary("One thing is left to do."))
        section class="card" {
            @if view.codes.is_empty() {
                p { "Your codes were shown once and can not be shown again. If you did not save them, go on and make "
                    "new ones on your profile page." }
            } @else {
                p { "Each of them signs you in once, with your password, when your phone is lost or broken. "
                    strong { "This is the only time you see them." }
                    " Keep them where you find them without your phone: on paper, or in a password manager." }
                (codes(&view.codes, &heading, "backup-codes.txt"))
            }
        }
        @if let Some(files) = &view.files { (files_to_keep(files)) }
        // The codes can not be shown twice, so the browser itself asks for the tick before anything is sent.
        form class="card screen" method="post" action=(view.action) {
            (form.hidden())
            (required_checkbox(form, "stored", &Choice::new("on", "I stored my backup codes")))
            div class="actions" { button class="main" { "Continue" } }
        }
    };
    frame.narrow("Save your backup codes", form.wrong(), &content)
}

fn files_to_keep(files: &FilesToKeep) -> Markup {
    html! {
        section class="card screen" aria-labelledby="files" {
            h2 id="files" { "Two things to back up on the host" }
            ul {
                li { strong { "The key, once: " } code { (files.seed_key) }
                    ". Without it nobody's authenticator app works after a restore. It is in no backup, so keep a copy "
                    "somewhere else than the backups." }
                li { strong { "The data, daily: " } code { "idp backup" } " from cron copies " code { (files.data) }
                    " while the server runs." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_is_drawn_the_right_way_round() {
        let code = QRBuilder::new("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP").ecl(ECL::L).build().unwrap();
        let path = dark_modules(&code);
        // ISO/IEC 18004: row `size - 8`, column 8 is always dark. In a mirrored drawing it would be light or dark.
        let (row, column) = (code.size - 8 + 4, 8 + 4);
        let runs = path.split('M').skip(1).map(|run| {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (length, _) = rest.split_once('v').unwrap();
            [x, y, length].map(|n| n.parse::<usize>().unwrap())
        });
        let runs: Vec<_> = runs.collect();
        assert!(runs.iter().any(|[x, y, length]| *y == row && (*x..x + length).contains(&column)));
        let dark = (0..code.size).flat_map(|y| code[y].iter()).filter(|m| m.value()).count();
        assert_eq!(runs.iter().map(|[.., length]| length).sum::<usize>(), dark);
    }

    #[test]
    fn a_secret_is_shown_in_groups_of_four() {
        assert_eq!(grouped("JBSWY3DPEHPK3PXPAB"), "JBSW Y3DP EHPK 3PXP AB");
    }
}

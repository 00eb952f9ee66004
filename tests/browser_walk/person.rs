//! A person with a browser, a phone and a sheet of backup codes.

use std::cell::Cell;
use std::time::Duration;

use idp::time::{Clock, Timestamp};

use super::server::Server;
use crate::webdriver::Browser;
use crate::world::{PASSWORD, Phone as App};

/// Seconds for which an authenticator app shows a code (RFC 6238).
const STEP: i64 = 30;

/// An authenticator app that never shows a code twice.
pub struct Phone {
    app: App,
    used: Cell<i64>,
}

impl Phone {
    /// Scans the QR code of the page shown, through the link beside it.
    #[track_caller]
    pub fn scan(browser: &Browser) -> Self {
        Self { app: App::scan(&html(browser)), used: Cell::new(0) }
    }

    /// A code that was not used yet. A server accepts each step once, so the second code within half a minute is the
    /// next step's, as from a phone whose clock is a little ahead; the third is waited for.
    pub fn code(&self) -> String {
        let step = |now: Timestamp| now.as_seconds() / STEP;
        let wanted = step(Clock::System.now()).max(self.used.get() + 1);
        while step(Clock::System.now()) + 1 < wanted {
            std::thread::sleep(Duration::from_millis(200));
        }
        self.used.set(wanted);
        self.app.code(Timestamp::from_micros(wanted * STEP * 1_000_000))
    }
}

/// Somebody with an account, signed in.
pub struct Person {
    pub browser: Browser,
    pub phone: Phone,
    /// Their backup codes, on paper.
    pub codes: Vec<String>,
    pub email: &'static str,
}

impl Person {
    /// The first owner, from the one-time link to the console.
    #[track_caller]
    pub fn first_owner(server: &Server, browser: Browser) -> Self {
        let email = "ada@fernhill.example";
        browser.open(server.setup_link()).sees("Set up the first owner");
        browser.fill("Your name", "Ada Brandt").fill("E-mail address", email).fill("Password", PASSWORD);
        browser.press("Continue");
        let (phone, codes) = enrol(&browser);
        Self { browser, phone, codes, email }
    }

    /// Somebody invited, from the link to an account with a password, an app and codes.
    #[track_caller]
    pub fn invited(link: &str, browser: Browser, name: &str, email: &'static str) -> Self {
        browser.open(link).sees(&format!("Welcome, {name}")).fill("Password", PASSWORD).press("Continue");
        let (phone, codes) = enrol(&browser);
        Self { browser, phone, codes, email }
    }

    /// Adds somebody and reads the link to hand over.
    #[track_caller]
    pub fn invite(&self, server: &Server, name: &str, email: &str, role: &str) -> String {
        let browser = &self.browser;
        browser.open(&server.at("/admin/users")).follow("Add a person");
        browser.fill("Name", name).fill("E-mail address", email).choose(role).press("Add and make a link");
        browser.sees(&format!("Hand this link to {name}"));
        shown(browser, "#link")
    }

    /// E-mail and password, on the first page of signing in.
    #[track_caller]
    pub fn give_password(&self, server: &Server) {
        self.browser.open(&server.at("/sign-in"));
        self.browser.fill("E-mail address", self.email).fill("Password", PASSWORD).press("Continue");
    }

    /// Signs out and in again with a code from the phone.
    #[track_caller]
    pub fn sign_in_again(&self, server: &Server) {
        self.browser.press("Sign out").sees("You are signed out");
        self.give_password(server);
        self.browser.fill("6-digit code", &self.phone.code()).press("Sign in");
    }
}

/// Scans, confirms and stores the codes, from the page with the QR code on.
#[track_caller]
pub fn enrol(browser: &Browser) -> (Phone, Vec<String>) {
    browser.sees("Set up your authenticator app");
    let phone = Phone::scan(browser);
    browser.fill("6-digit code", &phone.code()).press("Continue").sees("Save your backup codes");
    let codes = store_codes(browser);
    (phone, codes)
}

/// Copies the codes to paper, and goes on. Without the tick the browser does not even send the form.
#[track_caller]
pub fn store_codes(browser: &Browser) -> Vec<String> {
    let codes: Vec<String> = shown(browser, "#codes").lines().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    browser.press("Continue").sees("Save your backup codes").sees(&codes[0]);
    browser.tick("I stored my backup codes").press("Continue");
    codes
}

/// The text of the one element that `selector` names, for what a person copies by hand.
#[track_caller]
pub fn shown(browser: &Browser, selector: &str) -> String {
    let text = browser.execute(&format!("return document.querySelector('{selector}').innerText"));
    text.as_str().expect("there is such an element").to_owned()
}

/// What is focused: the id of a field, or the words of a link or button.
#[track_caller]
pub fn focused(browser: &Browser) -> String {
    let script = "const it = document.activeElement; return it.id || it.innerText.trim()";
    browser.execute(script).as_str().unwrap_or_default().to_owned()
}

/// The page is no wider than the window: nobody has to scroll sideways to read it.
#[track_caller]
pub fn fits(browser: &Browser) {
    let wide = browser.execute("return document.documentElement.scrollWidth > innerWidth");
    assert_eq!(wide, false, "{} is wider than the window\n{}", browser.url(), browser.text());
}

/// The browser has nothing to complain about on any page since the last call. That a form was refused is the server's
/// intention where a walk makes mistakes; a refused or missing file of a page never is.
#[track_caller]
pub fn content(browser: &Browser) {
    let refused_form = |line: &String| line.contains("responded with a status of 4") && !line.contains("/assets/");
    let complaints: Vec<String> = browser.complaints().into_iter().filter(|line| !refused_form(line)).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

fn html(browser: &Browser) -> String {
    let html = browser.execute("return document.documentElement.outerHTML");
    html.as_str().unwrap_or_default().to_owned()
}

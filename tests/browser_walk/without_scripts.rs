//! Everything works where no script runs: a locked-down browser, an old one, a page whose script did not arrive.

use super::person::{Person, Phone, fits, shown};
use super::server::Server;
use crate::webdriver::Browser;
use crate::world::PASSWORD;

/// Waits for each page by its words: without scripts nothing tells the browser's driver that a form was sent.
#[test]
fn the_runbook_works_without_scripts() {
    let server = Server::start();
    let browser = Browser::start(1280, 900);
    browser.scripts(false);
    browser.open(server.setup_link()).sees("Set up the first owner");
    browser.fill("Your name", "Ada Brandt").fill("E-mail address", "ada@fernhill.example").fill("Password", PASSWORD);
    browser.press("Continue").wait_for("Set up your authenticator app");
    let codes = confirm(&browser);
    assert!(!browser.text().contains("Copy"), "a button that needs a script is not shown\n{}", browser.text());
    browser.sees("Select the codes to copy them, or print this page").sees(&codes[0]);
    browser.tick("I stored my backup codes").press("Continue").wait_for("Needs attention");
    a_list_is_imported(&browser);

    browser.follow("People").wait_for("Add a person").follow("Add a person").wait_for("What may they do?");
    browser.fill("Name", "Mara Lindqvist").fill("E-mail address", "mara@fernhill.example").choose("Member");
    browser.press("Add and make a link").wait_for("Hand this link to Mara Lindqvist");
    let link = shown(&browser, "#link");
    let mara = Person::invited(&link, Browser::start(390, 844), "Mara Lindqvist", "mara@fernhill.example");
    mara.browser.press("Sign out").scripts(false);

    browser.follow("Go to Mara Lindqvist").wait_for("Overview").follow("MFA").wait_for("10 codes remaining");
    browser.press("Actions").follow("Force MFA reset").wait_for("What will happen");
    browser.choose("In person, with an ID").press("Remove all factors").wait_for("Nothing has been changed yet");
    browser.tick("does not have the 10 remaining").fill("Reason", "phone fell into the harbour");
    browser.press("Remove all factors").wait_for("Read this pass to Mara Lindqvist now");
    comes_back(&mara, &server, &shown(&browser, "#pass"));

    browser.follow("See whether it worked").wait_for("recovered");
    browser
        .follow("Audit")
        .wait_for("Export everything")
        .choose("mfa.factor_admin_reset")
        .press("Filter")
        .wait_for("Export what this filter finds");
}

/// A file, chosen and sent as this browser does it, and the links of those in it.
fn a_list_is_imported(browser: &Browser) {
    let file = browser.folder().join("people.csv");
    std::fs::write(&file, "Email;Name\r\nzofie@fernhill.example;Žofie \"Z\" Nováková\r\nno address;Lea\r\n").unwrap();
    browser.follow("People").wait_for("Import a list").follow("Import a list").wait_for("The list");
    browser.fill("File", file.to_str().unwrap()).press("See what would happen").wait_for("1 line to mend");
    browser.sees("Line 3").sees("Enter an e-mail address").sees("1 person would be added");
    browser.press("Leave out 1 line and add 1 person").wait_for("1 person was added");
    browser.sees("Žofie \"Z\" Nováková").sees("/invitation/").sees("1 line left out");
}

fn comes_back(mara: &Person, server: &Server, pass: &str) {
    let browser = &mara.browser;
    mara.give_password(server);
    browser.wait_for("Enter the pass").fill("Enrolment pass", pass).press("Continue");
    browser.wait_for("Set up your authenticator app");
    confirm(browser);
    fits(browser);
    browser.tick("I stored my backup codes").press("Continue").wait_for("10 of 10 left");
}

/// From the QR code to the page with the codes, which are returned.
fn confirm(browser: &Browser) -> Vec<String> {
    let phone = Phone::scan(browser);
    browser.fill("6-digit code", &phone.code()).press("Continue").wait_for("Save your backup codes");
    shown(browser, "#codes").lines().map(str::to_owned).collect()
}

//! The help desk with nothing but a keyboard: signing in with both factors, finding somebody, resetting their factors.

use super::person::{Person, content, focused, shown};
use super::server::Server;
use crate::webdriver::{Browser, ENTER, SPACE};
use crate::world::PASSWORD;

#[test]
fn an_admin_with_only_a_keyboard_finds_somebody_and_resets_their_factors() {
    let server = Server::start();
    let owner = Person::first_owner(&server, Browser::start(1280, 900));
    let link = owner.invite(&server, "Mara Lindqvist", "mara@fernhill.example", "Member");
    drop(Person::invited(&link, Browser::start(390, 844), "Mara Lindqvist", "mara@fernhill.example"));
    let browser = &owner.browser;
    browser.tab_to("Sign out").keys(ENTER).tab_to("Sign in again").keys(ENTER).sees("Sign in");

    browser.keys(owner.email).tab_to("Password").keys(PASSWORD).keys(ENTER).sees("Enter the code from your app");
    assert_eq!(focused(browser), "code", "the one field of the page has the focus");
    browser.keys(&owner.phone.code()).keys(ENTER).sees("Needs attention");

    browser.tab_to("People").keys(ENTER).tab_to("Name or e-mail").keys("lindq").keys(ENTER).sees("1 person matches");
    browser.tab_to("Mara Lindqvist").keys(ENTER).tab_to("Actions").keys(ENTER).sees("Set temporary password");
    browser.tab_to("Force MFA reset").keys(ENTER).sees("What will happen");
    browser.tab_to("Mara Lindqvist does not have the 10 remaining backup codes").keys(SPACE);
    browser.tab_to("Live video call").keys(SPACE).tab_to("Remove all factors").keys(ENTER);

    // Back at the summary, whose link leads to what is missing.
    assert!(focused(browser).starts_with("Nothing has been changed yet"), "{}", focused(browser));
    let mistake = browser.execute("return document.querySelector('[data-summary] a').innerText");
    browser.tab_to(mistake.as_str().unwrap()).keys(ENTER);
    assert_eq!(focused(browser), "reason");
    browser.keys("lost her phone on the train").tab_to("Remove all factors").keys(ENTER);
    browser.sees("Read this pass to Mara Lindqvist now");
    assert_eq!(shown(browser, "#pass").len(), "AAAA-AAAA-AAAA".len());
    content(browser);
}

//! A member looks after their own account, on a window as small as a phone's, with nothing but a keyboard.

use super::person::{Person, Phone, content, fits, shown, store_codes};
use super::server::Server;
use crate::webdriver::{Browser, ENTER};
use crate::world::PASSWORD;

#[test]
fn a_member_with_only_a_keyboard_signs_in_and_changes_app_codes_and_password() {
    let server = Server::start();
    let owner = Person::first_owner(&server, Browser::start(1280, 900));
    let link = owner.invite(&server, "Mara Lindqvist", "mara@fernhill.example", "Member");
    let mut mara = Person::invited(&link, Browser::start(390, 844), "Mara Lindqvist", "mara@fernhill.example");
    drop(owner);

    mara.browser.tab_to("Sign out").keys(ENTER).sees("You are signed out");
    sign_in_with_a_backup_code(&mara, &server);
    change_the_app(&mut mara);
    make_new_codes(&mut mara);
    look_at_sessions_and_history(&mara);
    change_the_password(&mara, &server);
    content(&mara.browser);
}

fn sign_in_with_a_backup_code(mara: &Person, server: &Server) {
    let browser = &mara.browser;
    browser.open(&server.at("/")).sees("Sign in");
    fits(browser);
    // The first field is focused already, and Enter sends the form.
    browser.keys(mara.email).tab_to("Password").keys("not this one").keys(ENTER);
    browser.sees("E-mail address or password is not right");
    browser.tab_to("Password").keys(PASSWORD).keys(ENTER).sees("Enter the code from your app");
    fits(browser);
    browser.tab_to("Lost your device?").keys(ENTER).sees("the office, +46 8 555 01 00");
    browser.tab_to("Use a backup code instead").keys(ENTER).sees("Enter a backup code");
    fits(browser);
    browser.keys(&mara.codes[0].to_lowercase()).keys(ENTER);
    browser.sees("You signed in with a backup code").sees("9 of 10 left");
    fits(browser);
}

/// Adds the new phone, then removes the lost one. The backup code counts as the step-up.
fn change_the_app(mara: &mut Person) {
    let browser = &mara.browser;
    browser.tab_to("Add an authenticator app").keys(ENTER).sees("scan this");
    fits(browser);
    let phone = Phone::scan(browser);
    browser.tab_to("6-digit code").keys(&phone.code()).tab_to("Name").keys("new phone").keys(ENTER);
    browser.sees("new phone");
    let old = browser.execute(
        "return [...document.querySelectorAll('a[href$=\"/remove\"]')].map(a => a.innerText).find(t => !t.includes('new phone'))",
    );
    let old = old.as_str().expect("the old app stands there too").split_whitespace().collect::<Vec<_>>().join(" ");
    browser.tab_to(&old).keys(ENTER).sees("Codes from it stop working at once");
    fits(browser);
    browser.tab_to("Remove it").keys(ENTER).sees("new phone");
    browser.tab_to("Remove new phone").keys(ENTER).sees("This is your only authenticator app");
    browser.tab_to("Back to your profile").keys(ENTER);
    mara.phone = phone;
}

fn make_new_codes(mara: &mut Person) {
    let browser = &mara.browser;
    browser.tab_to("Make new codes").keys(ENTER).sees("Your old ones (9 codes left) stop working at once");
    fits(browser);
    browser.tab_to("Make new codes").keys(ENTER).sees("Save your backup codes");
    fits(browser);
    let shown = shown(browser, "#codes");
    browser.tab_to("Download").keys(ENTER);
    let saved = std::fs::read_to_string(browser.wait_for_download()).unwrap();
    assert!(saved.contains(&shown) && saved.starts_with("Backup codes · "), "{saved}");
    browser.tab_to("Copy").keys(ENTER).wait_for("Copied");
    assert_eq!((browser.clipboard().lines().count(), browser.clipboard()), (10, shown));
    browser.execute("window.print = () => { document.title = 'The page was sent to the printer' }");
    browser.tab_to("Print").keys(ENTER);
    assert_eq!(browser.title(), "The page was sent to the printer");
    // One tap selects them all, where no script runs either.
    let select = browser.execute("return getComputedStyle(document.querySelector('#codes')).userSelect");
    assert_eq!(select, "all");
    mara.codes = store_codes(browser);
    browser.sees("10 of 10 left");
}

/// Gives the app a long name, ends nothing that is needed, and reads what happened.
fn look_at_sessions_and_history(mara: &Person) {
    let browser = &mara.browser;
    browser.tab_to("Rename new phone").keys(ENTER).sees("Rename your authenticator app");
    fits(browser);
    browser.execute("document.querySelector('#name').value = ''");
    browser.tab_to("Name").keys(&"x".repeat(61)).keys(ENTER).sees("Shorten the name to 60 characters");
    browser.execute("document.querySelector('#name').value = ''");
    let name = "W".repeat(60);
    browser.tab_to("Name").keys(&name).keys(ENTER).sees(&name).sees("has its new name");
    fits(browser);
    browser.tab_to("See and end them").keys(ENTER).sees("this session").sees("Remembered devices");
    fits(browser);
    browser.tab_to("what else to do").keys(ENTER).sees("Something here was not you?").sees("You signed in with");
    fits(browser);
    browser.tab_to("Your profile").keys(ENTER).sees("All activity");
}

/// In the dark, then signs in with the new password and the new app.
fn change_the_password(mara: &Person, server: &Server) {
    let (browser, new) = (&mara.browser, "seven quiet harbour lamps");
    browser.dark(true).tab_to("Change password").keys(ENTER).sees("Change your password");
    fits(browser);
    let [ground, ink] = ["backgroundColor", "color"].map(|what| brightness(browser, what));
    assert!(ground < 60 && ink > 200, "ground {ground}, ink {ink}");
    browser.tab_to("Current password").keys(PASSWORD).tab_to("New password").keys("mara").keys(ENTER);
    browser.sees("Your password has not been changed");
    browser.tab_to("Current password").keys(PASSWORD).tab_to("New password").keys(new).keys(ENTER);
    browser.sees("10 of 10 left").tab_to("Sign out").keys(ENTER).open(&server.at("/sign-in"));
    browser.keys(mara.email).tab_to("Password").keys(new).keys(ENTER);
    browser.keys(&mara.phone.code()).keys(ENTER).sees("Mara Lindqvist").sees("10 of 10 left");
}

/// The brightness of a colour of the page, from 0 (black) to 255.
fn brightness(browser: &Browser, property: &str) -> u64 {
    let colour = browser.execute(&format!("return getComputedStyle(document.body).{property}"));
    let parts: Vec<u64> = colour
        .as_str()
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse().ok())
        .collect();
    parts.iter().take(3).sum::<u64>() / 3
}

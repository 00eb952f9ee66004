//! What one admin does not do alone, and what is read out to the person: each in a browser of their own.

use idp::demo::PASSWORD;

use super::company::{Company, DESK, PHONE};
use super::person::{content, fits, shown};
use crate::webdriver::Browser;

#[test]
fn an_owner_approves_in_their_own_browser_and_who_asked_carries_it_out() {
    let company = Company::start();
    let tom = company.person("tom", DESK);
    tom.sees("1 case waits for approval").open(&company.at("/admin/recovery/R-2026-0005"));
    tom.sees("Next: an owner approves it, or not.").sees("Ada Brandt or Ruth Adeyemi can do that.");
    tom.sees("10 left, not at hand");
    assert!(!tom.text().contains("Read this to them"), "{}", tom.text());

    let ada = company.person("ada", PHONE);
    ada.sees("1 case waits for you").sees("Noor Haddad: Tom Okafor asks to remove all factors and give a pass.");
    assert!(!ada.text().contains("waits for approval"), "it stands among her own: {}", ada.text());
    ada.follow("Noor Haddad").sees("Next: look at what is asked for, and approve or deny it.");
    fits(&ada);
    company.a_quarter_of_an_hour_later();
    ada.follow("Approve").sees("She is at my desk, with her staff card").sees("By your approval nothing is done yet");
    ada.sees("1 factor and 10 remaining backup codes will stop working; no session is open now.");
    fits(&ada);
    let seen_first = "const at = (it) => it.getBoundingClientRect().top; \
                      return at(document.querySelector('#recent')) < at(note)";
    assert_eq!(ada.execute(seen_first), true, "on a phone, too, the signs stand before the decision");
    ada.fill("Note", "Saw her there myself").press("Approve").sees("One more step: confirm that it is you.");
    assert_eq!(ada.execute("return note.value"), "Saw her there myself");
    ada.fill("Your code", &company.code("ada")).press("Approve").sees("It is approved. Who asked can carry it out.");
    ada.sees("Next: Tom Okafor carries out what was approved, until");
    content(&ada);

    tom.open(&company.at("/admin")).sees("2 cases wait for you").follow("Noor Haddad");
    tom.sees("Approved, not carried out yet").sees("Saw her there myself").follow("Carry it out");
    tom.sees("You asked on this, and it was permitted.").sees("Ada Brandt has approved this.");
    tom.tick("does not have the 10 remaining").fill("Your code", &company.code("tom")).press("Remove all factors");
    tom.sees("Read this pass to Noor Haddad now");

    let noor = company.knock("noor", PASSWORD, PHONE);
    noor.fill("Enrolment pass", &shown(&tom, "#pass")).press("Continue");
    company.enrol(&noor, "noor");
    noor.sees("Since you were last here:").sees("Your second factors were reset").sees("This wasn’t me");
    fits(&noor);
    tom.follow("See whether it worked").sees("recovered").sees("Next: tell Noor Haddad what was done.");
    the_message_is_copied(&tom);
    the_story_can_be_printed(&tom);
    content(&tom);
    content(&noor);
}

/// Filled in, changed, copied with the button, and recorded.
fn the_message_is_copied(tom: &Browser) {
    tom.follow("Write the message").sees("Message to Noor Haddad").sees("noor@fernhill.example");
    let written = tom.execute("return message.value");
    let written = written.as_str().unwrap();
    assert!(written.starts_with("Hello Noor Haddad,") && written.contains("removed every second factor"), "{written}");
    let text = format!("{written}\n\nSee you at lunch.");
    tom.fill("Message", &text).press("Copy the text").wait_for("Copied");
    assert_eq!(tom.clipboard().replace("\r\n", "\n"), text);
    tom.press("I copied it").sees("It is noted that you copied the message.").sees("nothing is left to do.");
}

/// On a page or two, from who asked to who was told.
fn the_story_can_be_printed(tom: &Browser) {
    tom.follow("The whole story, to print").sees("The story of R-2026-0005").sees("Ada Brandt permitted it");
    tom.sees("It was carried out.").sees("Message to the person copied by Tom Okafor");
    tom.execute("window.print = () => { document.title = 'The page was sent to the printer' }");
    tom.press("Print");
    assert_eq!(tom.title(), "The page was sent to the printer");
    let pages = String::from_utf8_lossy(&tom.print()).matches("/Type /Page\n").count();
    assert!((1..=2).contains(&pages), "{pages} pages");
}

#[test]
fn codes_and_a_password_that_were_read_out_let_people_in_on_their_phones() {
    let company = Company::start();
    let tom = company.person("tom", DESK);
    sofia_is_on_the_road(&company, &tom);
    lena_can_not_read_her_mail(&company, &tom);
    content(&tom);
}

/// Nothing to enrol with: three codes to dictate, one of which lets her in; she sets up an app later.
fn sofia_is_on_the_road(company: &Company, tom: &Browser) {
    company.look_up(tom, "Sofia Marin");
    tom.press("Actions").follow("Generate backup codes for this user").sees("You get 3 codes to read to Sofia Marin");
    tom.choose("I called them on a number").choose("+46701740614").fill("Reason", "on the road without a phone");
    tom.press("Generate codes").sees("Read these codes to Sofia Marin now");
    let codes = shown(tom, "#codes");
    let codes: Vec<&str> = codes.lines().collect();
    assert_eq!(codes.len(), 3, "{codes:?}");

    let sofia = company.knock("sofia", PASSWORD, PHONE);
    sofia.follow("Use a backup code instead");
    fits(&sofia);
    sofia.fill("Backup code", &codes[1].to_lowercase().replace('-', " ")).press("Sign in");
    sofia.sees("You signed in with a backup code").sees("Backup codes were made for you");
    sofia.sees("2 of 10 left").sees("2 codes that an admin gave you can be used until");
    fits(&sofia);
    sofia.press("Got it").press("Add an authenticator app").sees("scan this");
    fits(&sofia);
    tom.follow("Open case").sees("recovered").sees("Sofia Marin signs in with a code");
    content(&sofia);
}

/// A reset, and the password with a second pair of hands: one admin alone does not give both.
fn lena_can_not_read_her_mail(company: &Company, tom: &Browser) {
    company.look_up(tom, "Lena Vogt");
    tom.press("Actions").follow("Force MFA reset").tick("does not have the").choose("In person, with an ID");
    tom.fill("Reason", "phone and password gone").press("Remove all factors");
    let pass = shown(tom, "#pass");
    tom.follow("See whether it worked").press("Something else is needed").follow("Set temporary password");
    tom.sees("As recorded just now by Tom Okafor").sees("You gave Lena Vogt codes or a reset");
    tom.fill("Reason", "she can not read her mail").press("Ask for approval");
    tom.sees("Next: another admin or an owner approves it, or not.");

    let noor = company.person("noor", PHONE);
    noor.follow("Lena Vogt").follow("Approve").press("Approve").sees("It is approved.");
    drop(noor);
    tom.open(&tom.url()).sees("Next: carry out what you asked for: it is permitted.").follow("Carry it out");
    tom.press("Set temporary password").sees("Read this password to Lena Vogt now");
    let password = shown(tom, "#password");

    let lena = company.knock("lena", &password, PHONE);
    lena.fill("Enrolment pass", &pass).press("Continue");
    company.enrol(&lena, "lena");
    lena.sees("Choose a new password");
    fits(&lena);
    lena.fill("New password", "seven quiet harbour lamps").press("Save and continue");
    lena.sees("A temporary password was set").sees("10 of 10 left");
    fits(&lena);
    tom.follow("Open case").sees("recovered").sees("factors reset and temporary password set");
    content(&lena);
}

//! “This wasn't me”: from the link, which does nothing by itself, to the account that is frozen, in use again, and closed
//! because of an attack; and the way back for the real person.

use idp::demo::PASSWORD;

use super::company::{Company, DESK, PHONE};
use super::person::{content, fits, shown};
use crate::audit_download::unpacked;
use crate::webdriver::Browser;

#[test]
fn somebody_objects_an_owner_looks_and_the_real_person_comes_back_after_an_attack() {
    let company = Company::start();
    let tom = company.person("tom", DESK);
    let lena = a_reset(&company, &tom);
    lena.follow("This wasn’t me: Your second factors were reset").sees("Was this you?").sees("removed");
    fits(&lena);
    let link = lena.url();
    anybody_with_the_link_objects(&company, &lena, &link);
    who_acted_does_not_lift_it(&company, &tom);

    let ada = company.person("ada", DESK);
    it_was_a_mistake(&ada);
    lena.open(&company.at("/sign-in")).fill("E-mail address", "lena@fernhill.example").fill("Password", PASSWORD);
    lena.press("Continue").fill("6-digit code", &company.code("lena")).press("Sign in").sees("10 of 10 left");

    // Once more, and this time it was true.
    lena.open(&company.at("/profile/notices")).follow("This wasn’t me: An authenticator app was added");
    lena.press("freeze my account").sees("Your account is frozen");
    it_was_an_attack(&company, &ada);
    the_real_person_comes_back(&company, &ada);
    content(&lena);
    content(&ada);
}

/// Tom resets Lena, who is back at once. Returns her browser.
fn a_reset(company: &Company, tom: &Browser) -> Browser {
    company.look_up(tom, "Lena Vogt");
    tom.press("Actions").follow("Force MFA reset").tick("does not have the").choose("In person, with an ID");
    tom.fill("Reason", "lost her phone again").press("Remove all factors");
    let lena = company.knock("lena", PASSWORD, PHONE);
    lena.fill("Enrolment pass", &shown(tom, "#pass")).press("Continue");
    company.enrol(&lena, "lena");
    lena
}

/// No sign-in is needed. Opening the link changes nothing, as mail programs open links too; its button does, once.
fn anybody_with_the_link_objects(company: &Company, lena: &Browser, link: &str) {
    let phone = Browser::start(PHONE.0, PHONE.1);
    phone.open(link).sees("Nobody can sign in to the account any more, you neither");
    phone.open(link).sees("Was this you?");
    lena.open(&company.at("/profile")).sees("10 of 10 left");
    phone.press("This wasn’t me: freeze my account").sees("Your account is frozen").sees("R-2026-0006");
    fits(&phone);
    phone.open(link).sees("said").sees("Ask Tom in the office, extension 12");
    lena.open(&company.at("/profile")).sees("Continue").fill("E-mail address", "lena@fernhill.example");
    lena.fill("Password", PASSWORD).press("Continue").sees("E-mail address or password is not right");
    content(&phone);
}

fn who_acted_does_not_lift_it(company: &Company, tom: &Browser) {
    tom.open(&company.at("/admin")).sees("1 account is frozen: somebody objected").follow("Lena Vogt");
    tom.sees("This account is frozen").sees("You acted in this case, so somebody else lifts the objection.");
    tom.sees("Next: somebody who did not act in this case looks at the objection.");
    assert!(!tom.text().contains("It was a mistake"), "{}", tom.text());
}

/// The owner is led from what she was told to the case, and makes sure who it is before she lifts it.
fn it_was_a_mistake(ada: &Browser) {
    ada.sees("Somebody said: this wasn’t me").follow("Open case R-2026-0006");
    ada.sees("Next: say whether it was an attack or a mistake.").follow("It was a mistake");
    ada.press("Lift the objection").sees("Nothing has been changed yet.");
    ada.choose("In person, with an ID").fill("Reason", "she had forgotten that she called");
    ada.press("Lift the objection").sees("objection lifted").sees("sign-in works as before");
    ada.press("Got it");
}

/// Everything ends, and a report says what the account did.
fn it_was_an_attack(company: &Company, ada: &Browser) {
    ada.open(&company.at("/admin/recovery")).sees("Frozen: somebody objected").follow("R-2026-0007");
    ada.follow("It was an attack").sees("Since what was objected to").choose("Since what was objected to");
    ada.fill("What happened?", "Lena stands here, and never called").press("Declare incident");
    ada.sees("The incident was declared.").sees("What the account did").sees("Enrolled “Authenticator app”");
    ada.choose("CSV, for spreadsheets").press("Export the whole report");
    let report = unpacked(&ada.wait_for_download(), "csv");
    assert!(report.contains("mfa.factor_enrolled") && report.contains("recovery.disavowed"), "{report}");
    ada.open(&company.at("/admin/recovery/R-2026-0007")).sees("incident");
    ada.sees("Next: let the real person back in, once it is safe again.");
}

/// As a new case, which another one approves; then with a new password, a pass and a new app.
fn the_real_person_comes_back(company: &Company, ada: &Browser) {
    ada.follow("Let the real person back in: open a new case").sees("whoever calls may be the attacker");
    ada.choose("In person, with an ID").fill("Reason", "the real Lena, with her staff card").press("Ask for approval");
    ada.sees("R-2026-0008").sees("Next: another admin or an owner approves it, or not.");
    assert!(!ada.text().contains("open a new case"), "it is open: {}", ada.text());
    let ruth = company.person("ruth", PHONE);
    ruth.follow("Lena Vogt");
    fits(&ruth);
    ruth.follow("Approve")
        .sees("The account was closed because of an attack.")
        .press("Approve")
        .sees("It is approved.");
    ada.open(&ada.url()).follow("Carry it out").sees("You asked on this, and it was permitted.");
    ada.press("Let them back in").sees("Lena Vogt");
    let lena = company.knock("lena", &shown(ada, "#password"), PHONE);
    lena.fill("Enrolment pass", &shown(ada, "#pass")).press("Continue");
    company.enrol(&lena, "lena");
    lena.fill("New password", "seven quiet harbour lamps").press("Save and continue").sees("10 of 10 left");
    fits(&lena);
    ada.open(&company.at("/admin/recovery/R-2026-0008")).sees("recovered").sees("Next: tell Lena Vogt what was done.");
    let verdict = company.idp(&["audit", "verify"]);
    assert!(verdict.code == 0, "{verdict:?}");
    content(&lena);
}

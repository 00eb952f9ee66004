//! A day at the help desk: a code that somebody has after all, a caller who presses, a case for the owners, and the policy.

use idp::demo::PASSWORD;

use super::company::{Company, DESK, PHONE};
use super::person::{content, fits};
use crate::webdriver::Browser;

#[test]
fn on_a_phone_an_admin_compares_the_photo_and_the_caller_comes_in_with_a_code() {
    let company = Company::start();
    let ada = company.person("ada", DESK);
    the_owner_adds_a_photo(&company, &ada);

    let tom = company.person("tom", PHONE);
    tom.sees("1 case waits for you").sees("Mara Lindqvist (urgent): Make sure who it is.");
    assert!(!tom.text().contains("nothing done yet"), "said once: {}", tom.text());
    tom.open(&company.at("/admin/recovery")).sees("Waits for you · 1").sees("Closed");
    fits(&tom);
    tom.follow("R-2026-0004").sees("Next: make sure who it is.").sees("1 change within 7 days");
    fits(&tom);
    tom.follow("Record how you made sure")
        .sees("added 2 days ago, do not use")
        .sees("Added just now: make sure who added it.");
    let photo = "const [it] = document.images; return [it.complete && it.naturalWidth > 0, it.alt]";
    assert_eq!(tom.execute(photo), serde_json::json!([true, "Photo of Mara Lindqvist"]));
    fits(&tom);
    tom.choose("Live video call").fill("What did you see or hear?", "As on the photo, in the workshop");
    tom.press("Record it").sees("Next: ask for one of the 10 backup codes that are left.").sees("Read this to them:");

    let mara = company.knock("mara", PASSWORD, PHONE);
    mara.follow("Use a backup code instead").fill("Backup code", &company.backup_code("mara")).press("Sign in");
    mara.sees("You signed in with a backup code").sees("9 of 10 left");
    fits(&mara);

    tom.open(&tom.url()).sees("recovered").sees("Mara Lindqvist signed in with one");
    tom.sees("Next: tell Mara Lindqvist what was done.").sees("1 change within 7 days");
    assert!(!tom.text().contains("urgent"), "it is over: {}", tom.text());
    fits(&tom);
    tom.open(&company.at("/admin/recovery")).sees("What was done: signed in with a backup code.");
    assert!(!tom.text().contains("Waits for you"), "{}", tom.text());
    for browser in [&ada, &tom, &mara] {
        content(browser);
    }
}

fn the_owner_adds_a_photo(company: &Company, ada: &Browser) {
    let photo = ada.folder().join("mara.png");
    image::RgbImage::from_pixel(320, 400, image::Rgb([200, 150, 120])).save(&photo).unwrap();
    company.look_up(ada, "Mara Lindqvist");
    ada.follow("Change photo or ID").choose_file("Photo", &photo).press("Save").sees("were saved");
}

#[test]
fn a_caller_who_presses_is_refused_and_what_is_not_clear_goes_to_an_owner() {
    let company = Company::start();
    let tom = company.person("tom", DESK);
    refused_for_a_while(&company, &tom);
    let ada = company.person("ada", PHONE);
    an_owner_opens_the_next_case(&company, &ada);
    handed_to_the_owners(&company, &tom, &ada);
    for browser in [&tom, &ada] {
        content(browser);
    }
}

/// Tom refuses Lena, as he did Piet: every admin sees why, and none of them begins again.
fn refused_for_a_while(company: &Company, tom: &Browser) {
    company.look_up(tom, "Piet de Vries");
    tom.sees("Help was refused to Piet de Vries").sees("would not turn the camera on").press("Actions");
    tom.sees("Only an owner opens a new case.");
    company.look_up(tom, "Lena Vogt");
    tom.press("Actions").follow("Open a recovery case").fill("What happened?", "needs it this minute");
    tom.press("Open the case").sees("Next: make sure who it is.").follow("Refuse to help");
    tom.fill("Note", "a voice that I do not know, very angry").press("Refuse to help").sees("Choose why you refuse.");
    assert_eq!(tom.execute("return note.value"), "a voice that I do not know, very angry");
    tom.choose("They pressed, threatened or hurried").press("Refuse to help");
    tom.sees("Help was refused.").sees("nothing is left to do here.");

    let noor = company.person("noor", PHONE);
    company.look_up(&noor, "Lena Vogt");
    noor.sees("Help was refused to Lena Vogt").sees("a voice that I do not know, very angry");
    fits(&noor);
    noor.open(&format!("{}/mfa/reset", noor.url())).sees("Only an owner opens a new case.");
    content(&noor);
}

fn an_owner_opens_the_next_case(company: &Company, ada: &Browser) {
    company.look_up(ada, "Lena Vogt");
    ada.sees("Help was refused to Lena Vogt").press("Actions").follow("Open a recovery case");
    fits(ada);
    ada.fill("What happened?", "It was Lena: she is at my desk").press("Open the case");
    ada.sees("Next: make sure who it is.").sees("1 refusal within 30 days");
    fits(ada);
}

/// Tom is not sure: the owners are told, the case is theirs, and nothing on his page goes on with it.
fn handed_to_the_owners(company: &Company, tom: &Browser, ada: &Browser) {
    company.look_up(tom, "Sofia Marin");
    tom.press("Actions").follow("Open a recovery case").fill("What happened?", "phone gone").press("Open the case");
    tom.follow("Ask an owner").fill("Message to the owners", "her voice sounds odd").press("Hand it to the owners");
    tom.sees("The case was handed to the owners, who are told.").sees("Next: an owner goes on with this case.");
    for button in ["Record how you made sure", "Refuse to help", "Not needed any more"] {
        assert!(!tom.text().contains(button), "{button}: {}", tom.text());
    }
    tom.open(&company.at("/admin/recovery")).sees("Waits for an owner").sees("her voice sounds odd");
    ada.open(&company.at("/admin")).sees("A recovery waits for an owner").sees("Message: her voice sounds odd.");
    fits(ada);
    // The demo's own waiting case stands in the banner too.
    ada.follow("Open case R-2026-0008").sees("Next: make sure who it is.").sees("Record how you made sure");
}

#[test]
fn what_makes_policy_looser_waits_a_day_and_another_owner_takes_it_back() {
    let company = Company::start();
    let ada = company.person("ada", DESK);
    ada.follow("Policy").follow("Change: Evidence is fresh for").fill("Evidence is fresh for", "600");
    ada.fill("Reason", "calls take long").press("Save").sees("from 5 to 240");
    assert_eq!(ada.execute("return reason.value"), "calls take long");
    ada.fill("Evidence is fresh for", "120").press("Save").sees("60 minutes").sees("120 minutes from");
    ada.follow("Change: A number counts").fill("A number counts", "14").fill("Reason", "new people").press("Save");
    ada.sees("14 days").sees("not the default").sees("by Ada Brandt");

    let ruth = company.person("ruth", PHONE);
    ruth.sees("Since you were last here:").sees("Evidence is fresh for").press("Got it").follow("Policy");
    ruth.sees("120 minutes from").follow("Take it back: Evidence is fresh for").sees("60 minutes");
    fits(&ruth);
    ruth.fill("Reason", "an hour is enough").press("Take it back");
    assert!(!ruth.text().contains("120 minutes"), "{}", ruth.text());
    fits(&ruth);
    // An admin sees what holds, and changes none of it.
    let tom = company.person("tom", PHONE);
    tom.follow("Policy").sees("Only an owner changes it.").sees("14 days");
    assert!(!tom.text().contains("Change"), "{}", tom.text());
    fits(&tom);
    for browser in [&ada, &ruth, &tom] {
        content(browser);
    }
}

//! The main job, walked by everybody who has a part in it.

use serde_json::Value;

use super::person::{Person, content, enrol, fits, focused, shown};
use super::server::Server;
use crate::audit_download::unpacked;
use crate::webdriver::Browser;

const DESK: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (390, 844);

fn browser((width, height): (u32, u32)) -> Browser {
    Browser::start(width, height)
}

#[test]
fn who_lost_their_phone_is_let_back_in_and_an_auditor_can_show_it_until_somebody_edits_the_trail() {
    let mut server = Server::with_mail();
    let owner = Person::first_owner(&server, browser(DESK));
    owner.browser.sees("Dashboard").sees("Only one owner can sign in").follow("People").sees("Ada Brandt");
    let add = |name: &str, email: &'static str, role: &str, size| {
        Person::invited(&owner.invite(&server, name, email, role), browser(size), name, email)
    };
    let admin = add("Tom Okafor", "tom@fernhill.example", "Admin", DESK);
    let auditor = add("Noor Haddad", "noor@fernhill.example", "Auditor", DESK);
    let mut member = add("Mara Lindqvist", "mara@fernhill.example", "Member", PHONE);
    the_owner_puts_a_photo_on_record(&owner, &server);
    content(&owner.browser);

    member.browser.sees("Mara Lindqvist").sees("10 of 10 left");
    member.sign_in_again(&server);
    member.browser.sees("10 of 10 left");

    let pass = the_admin_resets(&admin, &member, &server);
    the_member_comes_back(&mut member, &server, &pass);
    admin.browser.follow("See whether it worked").sees("recovered").sees("lost her phone on the train");
    the_admin_writes_to_her(&admin.browser);
    content(&admin.browser);
    drop(admin);
    drop(owner);

    let exported = the_auditor_looks(&auditor, &server);
    drop(auditor);
    the_command_line_confirms(&server, &exported);
    server.stop();
    an_edited_byte_is_found(&server, exported["seq"].as_i64().unwrap());
}

/// The owner's part: Mara as the firm knows her.
fn the_owner_puts_a_photo_on_record(owner: &Person, server: &Server) {
    let browser = &owner.browser;
    let photo = browser.folder().join("mara.png");
    image::RgbImage::from_pixel(640, 800, image::Rgb([200, 150, 120])).save(&photo).unwrap();
    browser.open(&server.at("/admin/users")).follow("Mara Lindqvist").sees("No photo on record.");
    browser.follow("Add a photo or a note about an ID").fill("Note about an ID", "Passport, seen by HR");
    browser.choose_file("Photo", &photo).press("Save").sees("The photo and the note about an ID were saved.");
    browser.sees("ID: Passport, seen by HR").sees("Added just now by Ada Brandt");
    assert_eq!(browser.execute(PHOTO), serde_json::json!([384, 480, "Photo of Mara Lindqvist"]));
}

/// The one picture of a page, as the browser shows it.
const PHOTO: &str = "const [it] = document.images; return [it.naturalWidth, it.naturalHeight, it.alt]";

/// The help desk's part: first without a reason, then properly. Returns the pass.
fn the_admin_resets(admin: &Person, member: &Person, server: &Server) -> String {
    let browser = &admin.browser;
    browser.open(&server.at("/admin/users")).fill("Name or e-mail", "lindq").press("Search").follow("Mara Lindqvist");
    browser.follow("MFA").sees("10 codes remaining").press("Actions").follow("Force MFA reset");
    browser.sees("Passport, seen by HR").sees("Added just now: make sure who added it.");
    assert_eq!(browser.execute(PHOTO), serde_json::json!([384, 480, "Photo of Mara Lindqvist"]));
    browser.sees("Force MFA reset for Mara Lindqvist").sees("1 factor and 10 remaining backup codes stop working");
    browser.tick("does not have the 10 remaining backup codes").choose("Live video call").fill("Ticket", "#1234");
    browser.fill("What did you see or hear?", "Saw her in the workshop, as on the photo.");
    browser.press("Remove all factors").sees("Nothing has been changed yet");

    // The summary is focused, leads to the field, and everything typed is still there.
    assert!(browser.title().starts_with("Error: "), "{}", browser.title());
    assert!(focused(browser).starts_with("Nothing has been changed yet"), "{}", focused(browser));
    let mistake = browser.execute("return document.querySelector('[data-summary] a').innerText");
    browser.follow(mistake.as_str().unwrap());
    assert_eq!(focused(browser), "reason");
    let kept = "return [ticket.value, evidence_note.value, evidence.checked, codes_unavailable.checked]";
    let typed = serde_json::json!(["#1234", "Saw her in the workshop, as on the photo.", true, true]);
    assert_eq!(browser.execute(kept), typed);
    member.browser.open(&server.at("/profile")).sees("10 of 10 left");

    browser.fill("Reason", "lost her phone on the train").press("Remove all factors");
    browser.sees("Read this pass to Mara Lindqvist now").sees("60 minutes");
    shown(browser, "#pass")
}

/// The message that closes the loop: filled in, changed and sent.
fn the_admin_writes_to_her(browser: &Browser) {
    browser.follow("Write the message").sees("mara@fernhill.example");
    let text = browser.execute("return message.value");
    let text = text.as_str().unwrap();
    assert!(text.starts_with("Hello Mara Lindqvist,") && text.contains("at once"), "{text}");
    browser.fill("Message", &format!("{text}\n\nSee you at lunch.")).press("Send");
    browser.sees("The message is on its way.").sees("nothing is left to do.");
}

/// The member's part, on a phone-sized window: nothing is open but the way back in.
fn the_member_comes_back(member: &mut Person, server: &Server, pass: &str) {
    let browser = &member.browser;
    browser.open(&server.at("/profile")).sees("Sign in");
    member.give_password(server);
    browser.sees("Enter the pass that your admin read to you").sees("5 tries are left");
    fits(browser);
    browser.fill("Enrolment pass", "AAAA-AAAA-AAAA").press("Continue");
    browser.sees("This pass is not right").sees("4 tries are left");
    browser.fill("Enrolment pass", &pass.to_lowercase().replace('-', " ")).press("Continue");
    browser.press("You can not scan it?").sees("Type this key into the app");
    fits(browser);

    let (phone, codes) = enrol(browser);
    browser.sees("Mara Lindqvist").sees("10 of 10 left");
    fits(browser);
    content(browser);
    assert!(codes.iter().all(|code| !member.codes.contains(code)));
    (member.phone, member.codes) = (phone, codes);
}

/// The auditor's part. Returns the entry that was exported.
fn the_auditor_looks(auditor: &Person, server: &Server) -> Value {
    let browser = &auditor.browser;
    auditor.sign_in_again(server);
    browser.sees("Audit log").choose("mfa.factor_admin_reset").press("Filter");
    assert!(browser.url().contains("action=mfa.factor_admin_reset"), "{}", browser.url());
    browser.sees("by Tom Okafor").sees("concerns Mara Lindqvist").sees("R-2026-0001");
    let filtered = browser.url();
    browser.follow("#").sees("lost her phone on the train").sees("#1234").sees("Its place in the chain");
    let hash = shown(browser, "#hash");

    browser.open(&filtered).press("Export what this filter finds");
    let [file] = &browser.downloads()[..] else { panic!("one file: {:?}", browser.downloads()) };
    let text = unpacked(file, "jsonl");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [entry] = &lines[..] else { panic!("one entry: {text}") };
    assert_eq!((&entry["action"], &entry["hash"]), (&"mfa.factor_admin_reset".into(), &hash.into()));
    assert_eq!((&entry["reason"], &entry["ticket"]), (&"lost her phone on the train".into(), &"#1234".into()));

    // People and cases are none of an auditor's business: no link leads there, and the address does not open.
    assert!(!browser.text().contains("Recovery"), "{}", browser.text());
    for path in ["/admin/users", "/admin/recovery", "/admin/recovery/R-2026-0001"] {
        browser.open(&server.at(path)).sees("This is not open to you");
    }
    content(browser);
    entry.clone()
}

fn the_command_line_confirms(server: &Server, exported: &Value) {
    let said = server.idp(&["audit", "export", "--action", "mfa.factor_admin_reset"]).done();
    let [line] = &said.lines().collect::<Vec<_>>()[..] else { panic!("one line: {said}") };
    assert_eq!(&serde_json::from_str::<Value>(line).unwrap(), exported);
    let said = server.idp(&["audit", "verify"]).done();
    assert!(said.starts_with("UNANCHORED: consistent in itself"), "{said}");
}

fn an_edited_byte_is_found(server: &Server, seq: i64) {
    let before = server.idp(&["audit", "verify"]);
    assert_eq!(before.code, 0, "{before:?}");
    server.sqlite3("DROP TRIGGER audit_is_append_only_update");
    let changed = format!(
        "UPDATE audit SET body = replace(body, 'on the train', 'in the train') WHERE seq = {seq}; SELECT changes()"
    );
    assert_eq!(server.sqlite3(&changed).trim(), "1");
    let after = server.idp(&["audit", "verify"]);
    let verdict =
        format!("INVALID: entry {seq} has a body that is not the one it was written with (mfa.factor_admin_reset");
    assert!(after.code == 1 && after.out.starts_with(&verdict), "{after:?}");
    assert!(after.out.contains("guard audit_is_append_only_update is missing"), "{after:?}");
}

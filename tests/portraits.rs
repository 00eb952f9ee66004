//! The photo and the note about an ID: who puts them on record, who is shown them, when they go. The files themselves are in
//! `portraits/files.rs`.

mod files;
mod restored;

use std::io::Cursor;
use std::time::Duration;

use idp::audit::{Action, Entry};
use idp::http::Request;
use image::{ImageFormat, Rgb, RgbImage};

use crate::grants::last;
use crate::runbook::{FOUNDED, act, owner_and_member, rows};
use crate::world::{Answer, Browser, Member, World, body};

const DAY: Duration = Duration::from_secs(86_400);
const NOTE: &str = "Passport, seen on 3 March by HR";

/// A picture of `width` times `height` pixels in a colour and another one.
fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let colour = |x: u32| if x < width / 2 { Rgb([200, 120, 90]) } else { Rgb([40, 60, 120]) };
    RgbImage::from_fn(width, height, |x, _| colour(x)).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn photo() -> Vec<u8> {
    picture(60, 80, ImageFormat::Jpeg)
}

/// The body of the form of the page shown, as a browser sends it. Without a file its part is there and has no name.
fn form(page: &Answer, file: Option<(&str, &[u8])>, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    let hidden = ["csrf", "nonce"].map(|name| (name, page.hidden(name).unwrap_or_default()));
    let hidden = hidden.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in hidden.chain(fields.iter().copied()) {
        body.extend(format!("--Qx7\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    let (called, bytes) = file.unwrap_or_default();
    let head = format!("--Qx7\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{called}\"\r\n");
    body.extend(head.bytes());
    body.extend(b"Content-Type: image/png\r\n\r\n");
    body.extend(bytes);
    body.extend(b"\r\n--Qx7--\r\n");
    body
}

fn address(id: &str) -> String {
    format!("/admin/users/{id}/portrait")
}

/// Sends the form of the page shown.
fn send(browser: &mut Browser, id: &str, file: Option<(&str, &[u8])>, fields: &[(&str, &str)]) -> Answer {
    let request = Request::post(&address(id), form(&browser.page, file, fields))
        .with_header("Content-Type", "multipart/form-data; boundary=Qx7");
    let request = browser.dress(request);
    browser.send(request)
}

/// Opens the form and sends it.
fn put(browser: &mut Browser, id: &str, file: &[u8], fields: &[(&str, &str)]) -> Answer {
    assert_eq!(browser.get(&address(id)).status, 200, "{}", browser.page.text());
    send(browser, id, Some(("photo", file)), fields)
}

#[track_caller]
fn put_well(browser: &mut Browser, id: &str, file: &[u8]) {
    let answer = put(browser, id, file, &[("id_note", NOTE)]);
    assert_eq!((answer.status, answer.location()), (303, &*format!("/admin/users/{id}")), "{}", answer.text());
}

/// The picture as it is served, if there is one.
fn served(world: &World, browser: &Browser, id: &str) -> Option<Vec<u8>> {
    let request = browser.dress(Request::get(&format!("{}.jpg", address(id))));
    let response = world.app.handle(request);
    (response.status() == 200).then(|| {
        assert_eq!(response.header("content-type"), Some("image/jpeg"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert!(response.header("content-security-policy").unwrap().contains("img-src 'self' data:;"));
        response.into_body_bytes().unwrap()
    })
}

fn has(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|w| w == what)
}

fn changes(world: &World) -> Vec<Entry> {
    world.entries_of(Action::UserPortraitChanged)
}

/// Mara, an owner who has put nothing on record yet, and an admin.
fn firm() -> (World, Browser, Member, Member) {
    let (world, mut ada, mara) = owner_and_member();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin");
    (world, ada, mara, noor)
}

#[test]
fn an_owner_puts_a_photo_on_record_and_an_admin_sees_it_beside_the_video_call() {
    let (world, mut ada, mara, noor) = firm();
    let mut noor = noor.browser;
    for (file, size) in
        [(picture(1200, 900, ImageFormat::Png), (480, 360)), (picture(900, 1200, ImageFormat::Jpeg), (360, 480))]
    {
        put_well(&mut ada, &mara.id, &file);
        let shown = served(&world, &noor, &mara.id).expect("there is a picture");
        let shown = image::load_from_memory_with_format(&shown, ImageFormat::Jpeg).unwrap();
        assert_eq!((shown.width(), shown.height()), size);
    }
    assert!(ada.get(&format!("/admin/users/{}", mara.id)).says("The photo and the note about an ID were saved."));
    let img = format!("<img src=\"{}.jpg\" alt=\"Photo of Mara Lindqvist\">", address(&mara.id));
    let by = format!("ID: {NOTE} Added just now by Ada Brandt");
    for path in ["", "/mfa/reset", "/mfa/backup-codes", "/password", "/email"] {
        let page = noor.get(&format!("/admin/users/{}{path}", mara.id));
        assert!(page.body.contains(&img) && page.says(&by), "{path}: {}", page.text());
    }
    assert!(!noor.get(&format!("/admin/users/{}", mara.id)).body.contains("/portrait\""), "it is not hers to change");
    assert!(ada.get(&format!("/admin/users/{}", mara.id)).says("Change photo or ID"));
}

#[test]
fn an_admin_is_told_how_old_the_photo_is_and_what_to_do_where_there_is_none() {
    let (world, mut ada, mara, mut noor) = firm();
    let reset = format!("/admin/users/{}/mfa/reset", mara.id);
    let none = "There is no photo on record: compare with an ID that they hold up, and note what you saw.";
    assert!(noor.browser.get(&reset).says(none), "{}", noor.browser.page.text());
    assert!(noor.browser.get(&format!("/admin/users/{}", mara.id)).says("No photo on record."));
    assert!(ada.get(&format!("/admin/users/{}", mara.id)).says("Add a photo or a note about an ID"));

    ada.get(&address(&mara.id));
    assert_eq!(send(&mut ada, &mara.id, None, &[("id_note", NOTE)]).status, 303);
    let page = noor.browser.get(&reset);
    assert!(page.says(&format!("No photo on record. ID: {NOTE}")) && !page.body.contains("<img"), "{}", page.text());
    assert!(page.says("Compare with the ID that they hold up"), "{}", page.text());
    put_well(&mut ada, &mara.id, &photo());

    let warning = ": make sure who added it.";
    let minutes = Duration::from_secs(120);
    for (later, warned) in [(2 * DAY, true), (5 * DAY - minutes, true), (minutes, false)] {
        world.later(later);
        let mut again = world.browser();
        again.sign_in(&world, &noor.email, crate::world::PASSWORD, &noor.phone);
        let page = again.get(&reset);
        assert_eq!(page.says(warning), warned, "{}", page.text());
        if later == 2 * DAY {
            assert!(page.says("new Added 2 days ago: make sure who added it."), "{}", page.text());
        }
    }
}

#[test]
fn what_makes_no_sense_is_said_beside_its_field_and_changes_nothing() {
    let (world, mut ada, mara, _) = firm();
    put_well(&mut ada, &mara.id, &photo());
    let there = served(&world, &ada, &mara.id);
    let long = "x".repeat(301);
    for (file, fields, say) in [
        (Some(("a", &photo()[..])), &[("remove", "on"), ("id_note", NOTE)][..], "Either choose another photo"),
        (None, &[("id_note", &*long)], "Shorten the note to 300 characters."),
        (None, &[("id_note", "Pass\u{202e}port")], "without invisible characters"),
        (None, &[("id_note", NOTE)], "so far nothing is different"),
    ] {
        ada.get(&address(&mara.id));
        let page = send(&mut ada, &mara.id, file, fields);
        assert!(page.status == 422 && page.says(say), "{}", page.text());
        assert!(fields.iter().filter(|f| f.0 == "id_note").all(|f| page.body.contains(f.1)), "what was typed is kept");
    }
    assert_eq!(last(&world, Action::UserPortraitChanged), "denied nothing_to_do");
    assert_eq!(served(&world, &ada, &mara.id), there);
}

#[test]
fn the_picture_is_shown_to_admins_and_owners_alone() {
    let (world, mut ada, mara, noor) = firm();
    let otto = world.person(&mut ada, "otto@fernhill.example", "Otto", "auditor");
    put_well(&mut ada, &mara.id, &photo());
    let path = format!("{}.jpg", address(&mara.id));
    let stranger = world.browser().get(&path);
    assert!(stranger.status == 303 && stranger.location().starts_with("/sign-in"), "{}", stranger.location());
    // Not even to the one who is in it: nobody should know what a face is compared with.
    for mut browser in [mara.browser.clone(), otto.browser.clone()] {
        let answer = browser.get(&path);
        assert!(answer.status == 403 && !answer.body.contains("JFIF"), "{}", answer.text());
    }
    assert!(served(&world, &noor.browser, &mara.id).is_some() && served(&world, &ada, &mara.id).is_some());
    for missing in [&noor.id, &idp::ids::UserId::generate().to_string(), "x"] {
        assert_eq!(ada.clone().get(&format!("{}.jpg", address(missing))).status, 404, "{missing}");
    }
}

#[test]
fn an_admin_puts_nothing_on_record_nobody_puts_their_own_and_each_try_stands_in_the_trail() {
    let (world, ada, mara, noor) = firm();
    let owner = world.user("ada@fernhill.example").id.to_string();
    for (browser, id, rule) in
        [(&noor.browser, &mara.id, "owners_only"), (&noor.browser, &noor.id, "owners_only"), (&ada, &owner, "yourself")]
    {
        let mut browser = browser.clone();
        let page = browser.get(&address(id));
        assert!(page.status == 403 && page.hidden("nonce").is_none(), "no form to be refused: {}", page.text());
        // A nonce is good for any form of the session.
        browser.get("/admin/users/new");
        for (file, fields) in [(Some(("a.jpg", &photo()[..])), &[][..]), (None, &[("id_note", NOTE)])] {
            let mut browser = browser.clone();
            let entries = changes(&world).len();
            let page = send(&mut browser, id, file, fields);
            assert!(page.status == 403 && page.says("Ask"), "{}", page.text());
            assert_eq!(last(&world, Action::UserPortraitChanged), format!("denied {rule}"));
            assert_eq!(changes(&world).len(), entries + 1);
        }
        assert_eq!(rows(&world, "portraits", id), 0);
    }
    let entry = changes(&world).remove(0);
    assert_eq!(entry.header.actor_id, Some(noor.id));
    assert_eq!(entry.header.target_id, Some(mara.id));
}

#[test]
fn each_change_stands_in_the_trail_by_what_it_was_and_never_with_the_note() {
    let (world, mut ada, mara, _) = firm();
    let digest = |bytes: &[u8]| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        data_encoding::HEXLOWER.encode(digest.as_ref())
    };
    put_well(&mut ada, &mara.id, &photo());
    let first = served(&world, &ada, &mara.id).unwrap();
    assert_eq!(put(&mut ada, &mara.id, &picture(50, 50, ImageFormat::Png), &[("id_note", NOTE)]).status, 303);
    let second = served(&world, &ada, &mara.id).unwrap();
    ada.get(&address(&mara.id));
    assert_eq!(send(&mut ada, &mara.id, None, &[("id_note", "Driving licence")]).status, 303);
    assert_eq!(served(&world, &ada, &mara.id).as_deref(), Some(&second[..]), "the photo stays");
    ada.get(&address(&mara.id));
    assert_eq!(send(&mut ada, &mara.id, None, &[("remove", "on"), ("id_note", "")]).status, 303);

    let entries = changes(&world);
    let size = |bytes: &[u8]| bytes.len().to_string();
    let told: Vec<_> = entries
        .iter()
        .map(|e| ["photo", "photo_sha256", "photo_bytes", "replaced_sha256", "id_note"].map(|f| body(e).fact(f)))
        .collect();
    let none = String::new;
    assert_eq!(
        told,
        [
            ["added".into(), digest(&first), size(&first), none(), "added".into()],
            ["replaced".into(), digest(&second), size(&second), digest(&first), none()],
            [none(), none(), none(), none(), "changed".into()],
            ["removed".into(), digest(&second), size(&second), none(), "removed".into()],
        ]
    );
    for entry in &entries {
        assert_eq!(body(entry).text("actor_name"), "Ada Brandt <ada@fernhill.example>");
        let text = entry.body.as_deref().unwrap();
        assert!(!text.contains("Passport") && !text.contains("Driving"), "what is deleted must not stay there: {text}");
    }
    let page = ada.get(&format!("/admin/users/{}/activity", mara.id));
    assert!(page.says("Photo on record added, note about an ID added") && page.says("Note about an ID changed"));
    let page = mara.browser.clone().get("/profile/activity");
    assert!(page.says("The photo of you, or the note about your ID, was changed just now an admin"), "{}", page.text());
}

#[test]
fn a_code_is_asked_for_after_a_quarter_of_an_hour_and_the_note_is_kept() {
    let (world, mut ada, phone) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    ada.get(&address(&mara.id));
    assert!(!ada.page.body.contains("step_up_code"));
    let before = world.head();
    world.later(Duration::from_secs(16 * 60));
    let page = send(&mut ada, &mara.id, Some(("a.jpg", &photo())), &[("id_note", NOTE)]);
    assert!(page.status == 422 && page.says("confirm that it is you"), "{}", page.text());
    assert!(page.body.contains(NOTE) && page.says("Please choose the photo again as well"), "{}", page.text());
    assert_eq!((world.head(), rows(&world, "portraits", &mara.id)), (before, 0), "nothing was changed");
    let wrong = phone.wrong_code(world.now());
    let page = send(&mut ada, &mara.id, Some(("a.jpg", &photo())), &[("id_note", NOTE), ("step_up_code", &wrong)]);
    assert!(page.status == 422 && page.says("This code is not right"), "{}", page.text());
    assert_eq!(rows(&world, "portraits", &mara.id), 0);
    world.later(Duration::from_secs(30));
    let code = phone.code(world.now());
    let fields = [("id_note", NOTE), ("step_up_code", &*code)];
    assert_eq!(send(&mut ada, &mara.id, Some(("a.jpg", &photo())), &fields).status, 303);
    assert!(served(&world, &ada, &mara.id).is_some());
}

#[test]
fn the_second_click_changes_nothing_and_says_what_the_first_one_did() {
    let (world, mut ada, mara, _) = firm();
    put_well(&mut ada, &mara.id, &photo());
    let page = send(&mut ada, &mara.id, None, &[("remove", "on")]);
    assert!(page.status == 409 && page.says("The photo of Mara Lindqvist, or the note about their ID, was changed."));
    assert!(served(&world, &ada, &mara.id).is_some());
    assert_eq!(changes(&world).len(), 1);
}

#[test]
fn the_photo_of_who_leaves_goes_with_them() {
    let (world, mut ada, mara, _) = firm();
    put_well(&mut ada, &mara.id, &photo());
    let before = world.head();
    assert_eq!(act(&mut ada, &mara.id, "/leave", &[("confirmed", "on"), ("reason", "has another job")]).status, 303);
    let story = world.story_since(before);
    assert_eq!(story.last().map(String::as_str), Some("user.portrait_changed success"), "{story:?}");
    assert_eq!(body(&changes(&world)[1]).fact("photo"), "removed");
    assert_eq!(rows(&world, "portraits", &mara.id), 0);
    assert!(served(&world, &ada, &mara.id).is_none());
}

#[test]
fn a_reset_that_rests_on_a_video_call_goes_on_as_before() {
    let (world, mut ada, mara, noor) = firm();
    put_well(&mut ada, &mara.id, &photo());
    let mut noor = noor.browser;
    assert_eq!(act(&mut noor, &mara.id, "/mfa/reset", &FOUNDED).status, 200, "{}", noor.page.text());
    let entry = world.entries_of(Action::RecoveryIdentityVerified).pop().unwrap();
    assert_eq!(body(&entry).fact("evidence"), "video_call");
    assert!(served(&world, &noor, &mara.id).is_some(), "a reset takes nothing off the record");
}

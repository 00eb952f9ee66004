//! How somebody made sure, in a case: what is accepted, for how long it holds, and that the forms which let somebody in
//! rest on it.

use std::time::Duration;

use idp::audit::Action;

use crate::cases::{Desk, in_case, last, open, page, story, verify};
use crate::runbook::act;
use crate::world::{Browser, Member, PASSWORD, World, body};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// What every form that lets somebody in takes besides its evidence.
const REST: [(&str, &str); 2] = [("reason", "lost her phone"), ("codes_unavailable", "on")];

/// Lets this much time pass and signs the admin in anew.
fn later(desk: &mut Desk, d: Duration) {
    desk.world.later(d);
    desk.sam.browser = anew(&desk.world, &desk.sam);
}

/// A new browser in which they are signed in.
fn anew(world: &World, member: &Member) -> Browser {
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(world, &member.email, PASSWORD, &member.phone).status, 303);
    browser
}

/// Sends a form on a person's page with the evidence of the case.
fn on_record(admin: &mut Browser, id: &str, path: &str) -> u16 {
    let fields: Vec<_> = [("evidence", "on_record")].into_iter().chain(REST).collect();
    let fields = if path == "/mfa/reset" { &fields[..] } else { &fields[..2] };
    act(admin, id, path, fields).status
}

fn evidence_rows(world: &World) -> i64 {
    world.count("SELECT count(*) FROM case_evidence")
}

#[test]
fn each_accepted_way_can_be_recorded_and_several_stand_in_the_case_each_with_its_entry() {
    let (mut desk, case) = Desk::with_case();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    for (kind, more) in [
        ("video_call", &[("evidence_note", "as on the photo")][..]),
        ("manager_ticket", &[("voucher", "Jonas Berg, HR"), ("ticket", "HR-77")]),
        ("in_person", &[]),
    ] {
        let fields: Vec<_> = [("evidence", kind)].into_iter().chain(more.iter().copied()).collect();
        let answer = in_case(sam, &case, "/evidence", &fields);
        assert_eq!(answer.status, 303, "{kind}: {}", answer.text());
        let entry = world.entries_of(Action::RecoveryIdentityVerified).pop().unwrap();
        assert_eq!((body(&entry).fact("evidence").as_str(), entry.header.case.as_deref()), (kind, Some(&*case)));
    }
    let shown = page(sam, &case);
    for what in ["Live video call", "as on the photo", "Jonas Berg, HR vouches", "HR-77", "In person, with an ID"] {
        assert!(shown.says(what), "{what}: {}", shown.text());
    }
    assert_eq!((evidence_rows(world), story(world, &case).len()), (3, 4));
    // A further piece changes nothing that somebody has approved.
    assert_eq!(world.count("SELECT version FROM cases"), 2);
}

#[test]
fn the_ways_that_prove_nothing_have_no_type_and_stand_on_the_form_with_the_reason() {
    let (mut desk, case) = Desk::with_case();
    let sam = &mut desk.sam.browser;
    let form = sam.get(&format!("/admin/recovery/{case}/evidence"));
    for why in [
        "others can know it too",
        "whoever has the mailbox has the code",
        "may be the one that was taken",
        "the number shown can be forged",
    ] {
        assert!(form.says(why), "{why}");
    }
    let before = desk.world.head();
    for kind in ["", "email", "knowledge", "mailbox_code", "chat", "host", "on_record", "VIDEO_CALL", "video_call "] {
        let page = in_case(sam, &case, "/evidence", &[("evidence", kind), ("evidence_note", "knows her birthday")]);
        assert_eq!(page.status, 422, "{kind}");
        assert!(page.says("Say how you made sure who it is.") && page.body.contains("knows her birthday"), "{kind}");
    }
    let ticket = [("evidence", "manager_ticket"), ("evidence_note", "rang them up")];
    let page = in_case(sam, &case, "/evidence", &ticket);
    assert!(page.status == 422 && page.says("Enter who vouches") && page.body.contains("rang them up"));
    let page = in_case(sam, &case, "/evidence", &[("evidence", "manager_ticket"), ("voucher", "Jonas")]);
    assert!(page.status == 422 && page.says("Enter the number of the ticket"));
    assert_eq!((evidence_rows(&desk.world), desk.world.head()), (0, before));
}

#[test]
fn who_vouches_is_neither_the_person_nor_who_records_it_and_the_try_is_on_record() {
    let (mut desk, case) = Desk::with_case();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    for voucher in ["Mara Lindqvist", "sam okafor", "Okafor,  Sam", "MARA@fernhill.example"] {
        let fields = [("evidence", "manager_ticket"), ("voucher", voucher), ("ticket", "HR-1")];
        let page = in_case(sam, &case, "/evidence", &fields);
        assert!(page.status == 403 && page.says("Somebody else has to vouch"), "{voucher}: {}", page.text());
        assert!(page.body.contains("HR-1"));
        assert_eq!(last(world, Action::RecoveryIdentityVerified).1, "vouches_for_themself");
    }
    assert_eq!(evidence_rows(world), 0);
}

#[test]
fn only_a_number_that_is_known_long_enough_is_offered_and_a_newer_one_is_named_and_refused() {
    let mut desk = Desk::new();
    let (old, new) = ("+46 70 123 45 67", "+44 7700 900 123");
    let mara = &mut desk.mara.browser;
    mara.get("/profile/contacts");
    assert_eq!(mara.post("/profile/contacts", &[("kind", "phone"), ("value", old)]).status, 303);
    later(&mut desk, 6 * DAY);
    let mut mara = anew(&desk.world, &desk.mara);
    mara.get("/profile/contacts");
    assert_eq!(mara.post("/profile/contacts", &[("kind", "phone"), ("value", new)]).status, 303);
    later(&mut desk, 2 * DAY);
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let case = open(sam, &desk.mara.id);
    let form = sam.get(&format!("/admin/recovery/{case}/evidence"));
    assert!(form.says("+46701234567, known since 24 November 2026"), "{}", form.text());
    assert!(form.says("+447700900123 : added 2 days ago , do not use"), "{}", form.text());
    let ids = |value: &str| {
        let db = rusqlite::Connection::open(world.database()).unwrap();
        db.query_row("SELECT id FROM contacts WHERE value = ?1", [value], |row| row.get::<_, String>(0)).unwrap()
    };
    let (old, new) = (ids("+46701234567"), ids("+447700900123"));
    assert!(form.body.contains(&old) && !form.body.contains(&new));

    let call = |number: &str| [("evidence", "known_number".to_owned()), ("number", number.to_owned())];
    let send = |sam: &mut Browser, number: &str| {
        let fields = call(number);
        let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        in_case(sam, &case, "/evidence", &fields)
    };
    let page = send(sam, &new);
    assert!(page.status == 403 && page.says("This number was added too shortly before help was asked for."));
    assert_eq!(last(world, Action::RecoveryIdentityVerified), ("denied".to_owned(), "number_too_new".to_owned()));
    let page = send(sam, "019357ab-0000-7000-8000-000000000000");
    assert!(page.status == 403 && page.says("This number is not on the account"));
    assert_eq!(send(sam, "").status, 422);
    assert_eq!(evidence_rows(world), 0);
    assert_eq!(send(sam, &old).status, 303);
    assert!(crate::cases::page(sam, &case).says("Call to a number that was known before: +46701234567 , known since"));
    let entry = world.entries_of(Action::RecoveryIdentityVerified).pop().unwrap();
    assert_eq!(body(&entry).fact("number"), "+46701234567");
}

#[test]
fn a_number_that_is_added_after_the_case_was_opened_never_counts_in_it() {
    let (mut desk, case) = Desk::with_case();
    let sam = &mut desk.sam.browser;
    let path = format!("/admin/users/{}/contacts", desk.mara.id);
    sam.get(&path);
    sam.post(&path, &[("kind", "phone"), ("value", "+46 70 123 45 67")]);
    // A case that somebody works on lives on.
    for _ in 0..4 {
        later(&mut desk, 2 * DAY);
        verify(&mut desk.sam.browser, &case);
    }
    let form = desk.sam.browser.get(&format!("/admin/recovery/{case}/evidence"));
    assert!(form.says("+46701234567 : added 8 days ago , do not use"), "{}", form.text());
}

#[test]
fn evidence_is_as_old_as_its_form_and_stale_after_an_hour_on_every_form_that_rests_on_it() {
    let (mut desk, case) = Desk::with_case();
    desk.sam.browser.get(&format!("/admin/recovery/{case}/evidence"));
    desk.world.later(10 * MINUTE);
    let sent = [("evidence", "video_call")];
    assert_eq!(desk.sam.browser.post(&format!("/admin/recovery/{case}/evidence"), &sent).status, 303);
    assert!(page(&mut desk.sam.browser, &case).says("Fresh for another 50 minutes."));
    later(&mut desk, 49 * MINUTE);
    let sam = &mut desk.sam.browser;
    assert!(page(sam, &case).says("Fresh for another 30 seconds."), "{}", sam.page.text());
    let path = format!("/admin/users/{}/password", desk.mara.id);
    assert!(sam.get(&path).says("As recorded 59 minutes ago by Sam Okafor"));
    let waits = sam.clone();
    desk.world.later(Duration::from_secs(31));
    let shown = page(sam, &case);
    assert!(shown.says("Older than 60 minutes: make sure again before you give anything."), "{}", shown.text());
    assert!(shown.says("Next: make sure again who it is") && !shown.body.contains("/mfa/reset\""));
    // The form that offered it in time says so, and asks again.
    let mut sam = waits;
    let answer = sam.post(&path, &[("evidence", "on_record"), REST[0]]);
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.says("It is too long ago that you made sure who it is.") && answer.says("lost her phone"));
    assert!(!answer.says("As recorded"), "what is stale is not offered");
    assert_eq!(last(&desk.world, Action::UserPasswordSetByAdmin).1, "evidence_stale");
    for path in ["/mfa/reset", "/mfa/backup-codes", "/password"] {
        assert!(!sam.get(&format!("/admin/users/{}{path}", desk.mara.id)).says("As recorded"), "{path}");
        assert_eq!(on_record(&mut sam, &desk.mara.id, path), 403, "{path}");
    }
    verify(&mut sam, &case);
    assert_eq!(on_record(&mut sam, &desk.mara.id, "/mfa/backup-codes"), 200);
}

#[test]
fn an_evidence_form_that_stood_open_for_more_than_an_hour_records_nothing_and_keeps_what_was_typed() {
    let (mut desk, case) = Desk::with_case();
    let path = format!("/admin/recovery/{case}/evidence");
    desk.sam.browser.get(&path);
    for _ in 0..2 {
        desk.world.later(1_801 * Duration::from_secs(1));
        assert_eq!(desk.sam.browser.clone().get("/admin/users").status, 200);
        desk.world.sweep();
    }
    let code = desk.sam.phone.code(desk.world.now());
    let sent = [("evidence", "in_person"), ("evidence_note", "at the desk"), ("step_up_code", &code)];
    let sam = &mut desk.sam.browser;
    let page = sam.post(&path, &sent);
    assert!(page.status == 403 && page.says("It is too long ago that you made sure"), "{}", page.text());
    assert!(page.body.contains("at the desk") && !page.body.contains("value=\"in_person\" checked"));
    assert_eq!(evidence_rows(&desk.world), 0);
    assert_eq!(sam.post(&path, &[("evidence", "in_person")]).status, 303, "the form that came back is a new one");
}

#[test]
fn fresh_evidence_of_the_case_is_offered_on_every_form_that_lets_in_and_chosen_beforehand() {
    let (mut desk, case) = Desk::with_case();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let base = format!("/admin/users/{}", desk.mara.id);
    let forms = ["/mfa/reset", "/mfa/backup-codes", "/password", "/email"];
    for path in forms {
        assert!(
            !sam.get(&format!("{base}{path}")).body.contains("value=\"on_record\""),
            "{path}: nothing is on record"
        );
    }
    verify(&mut desk.ada, &case);
    world.later(12 * MINUTE);
    for path in forms {
        let form = sam.get(&format!("{base}{path}"));
        assert!(form.says("As recorded 12 minutes ago by Ada Brandt: Live video call"), "{path}: {}", form.text());
        let chosen = form.body.split("value=\"on_record\"").nth(1).unwrap().split('>').next().unwrap();
        assert!(chosen.contains("checked"), "{path}: {chosen}");
    }
    // What a colleague recorded holds for whoever goes on, and no second piece is needed.
    assert_eq!(on_record(sam, &desk.mara.id, "/mfa/reset"), 200);
    assert_eq!(evidence_rows(world), 1);
    let reset = world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
    assert_eq!(reset.header.case.as_deref(), Some(&*case));
    let moved = [("evidence", "on_record"), ("reason", "was married"), ("email", "mara.berg@fernhill.example")];
    // By other hands: who gave a reset moves the mailbox, where a password can be sent, only with a second person.
    assert_eq!(act(&mut desk.ada, &desk.mara.id, "/email", &moved).status, 303);
    let moved = world.entries_of(Action::UserEmailChanged).pop().unwrap();
    assert_eq!((moved.header.case.as_deref(), body(&moved).fact("evidence").as_str()), (Some(&*case), "video_call"));
}

#[test]
fn evidence_that_stands_in_no_case_can_not_be_named() {
    let mut desk = Desk::new();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    for path in ["/mfa/reset", "/mfa/backup-codes", "/password"] {
        assert_eq!(on_record(sam, &desk.mara.id, path), 403, "{path}");
        assert!(sam.page.says("Make sure again who it is.") && sam.page.says("lost her phone"), "{path}");
    }
    assert_eq!(last(world, Action::UserPasswordSetByAdmin).1, "evidence_missing");
    // Nor that of somebody else's case.
    let eve = world.person(&mut desk.ada, "eve@fernhill.example", "Eve", "member");
    let case = open(sam, &eve.id);
    verify(sam, &case);
    assert_eq!(on_record(sam, &desk.mara.id, "/password"), 403);
}

#[test]
fn what_was_asked_for_and_is_permitted_stands_in_the_form_of_who_asked_however_old_its_evidence_is() {
    let mut desk = Desk::new();
    let otto = desk.world.person(&mut desk.ada, "otto@fernhill.example", "Otto", "auditor");
    let kim = desk.world.person(&mut desk.ada, "kim@fernhill.example", "Kim", "admin");
    let case = open(&mut desk.sam.browser, &otto.id);
    verify(&mut desk.sam.browser, &case);
    let asked =
        [("evidence", "on_record"), ("reason", "was married"), ("ticket", "HR-9"), ("email", "o.b@fernhill.example")];
    let answer = act(&mut desk.sam.browser, &otto.id, "/email", &asked);
    assert_eq!((answer.status, answer.location()), (303, &*format!("/admin/recovery/{case}")), "{}", answer.text());
    let shown = page(&mut desk.sam.browser, &case);
    assert!(shown.says("Next: an owner approves it, or not."), "{}", shown.text());
    assert!(shown.says("Asked for change the sign-in address to o.b@fernhill.example") && shown.says("HR-9"));

    crate::case_page::approve(&mut desk.ada, &case);
    later(&mut desk, 2 * 60 * MINUTE);
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let shown = page(sam, &case);
    assert!(shown.says("Next: carry out what you asked for: it is permitted."), "{}", shown.text());
    assert!(shown.body.contains(&format!("/admin/users/{}/email\"", otto.id)));
    let form = sam.get(&format!("/admin/users/{}/email", otto.id));
    assert!(
        form.says("As recorded 2 hours ago by Sam Okafor") && form.says("You asked on this, and it was permitted.")
    );
    for typed in ["o.b@fernhill.example", "was married", "HR-9"] {
        assert!(form.body.contains(typed), "{typed}");
    }
    // It is for exactly this, and for who asked.
    assert!(!sam.get(&format!("/admin/users/{}/password", otto.id)).says("As recorded"));
    let mut kim = anew(world, &kim);
    assert!(!kim.get(&format!("/admin/users/{}/email", otto.id)).says("As recorded"));
    assert!(page(&mut kim, &case).says("Sam Okafor carries out what was approved"), "{}", kim.page.text());
    let sam = &mut desk.sam.browser;
    sam.get(&format!("/admin/users/{}/email", otto.id));
    let sent = [("evidence", "on_record"), ("reason", "was married"), ("email", "o.b@fernhill.example")];
    assert_eq!(sam.post(&format!("/admin/users/{}/email", otto.id), &sent).status, 303, "{}", sam.page.text());
    assert!(page(sam, &case).says("carried out"));
}

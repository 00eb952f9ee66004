//! The ways out of a case: refuse, hand it to the owners, close it. As easy to reach as to go on, and seen by everybody.

use std::time::Duration;

use idp::audit::Action;

use crate::cases::{Desk, REFUSED, every_errand, in_case, last, open, page, story, verify};
use crate::runbook::{FOUNDED, act};
use crate::world::{Browser, Member, PASSWORD, World, body};

const DAY: Duration = Duration::from_secs(86_400);
const BANNER: &str = "Help was refused to Mara Lindqvist";

fn sign_in(world: &World, member: &Member) -> Browser {
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(world, &member.email, PASSWORD, &member.phone).status, 303);
    browser
}

fn denied(rule: &str) -> (String, String) {
    ("denied".to_owned(), rule.to_owned())
}

/// Every page of the console about a person.
const ABOUT: [&str; 18] = [
    "",
    "/mfa",
    "/sessions",
    "/activity",
    "/notes",
    "/contacts",
    "/case",
    "/mfa/reset",
    "/mfa/backup-codes",
    "/password",
    "/password/change",
    "/email",
    "/name",
    "/role",
    "/unlock",
    "/sessions/end",
    "/disable",
    "/leave",
];

#[test]
fn a_refusal_needs_a_rule_and_a_note_and_closes_the_case_with_both_on_record() {
    let (mut desk, case) = Desk::with_case();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let before = world.head();
    for (fields, says) in [
        (&[("refusal", "pressure"), ("note", "")][..], "Enter a note."),
        (&[("refusal", ""), ("note", "shouted at me")], "Choose why you refuse."),
        (&[("refusal", "boredom"), ("note", "shouted at me")], "Choose why you refuse."),
    ] {
        let page = in_case(sam, &case, "/refuse", fields);
        assert!(page.status == 422 && page.says(says), "{}", page.text());
        assert!(fields.iter().all(|(_, value)| page.body.contains(value) || *value == "boredom"), "{}", page.body);
    }
    assert_eq!(world.head(), before);
    for (n, rule) in ["not_verified", "pressure", "unusual_activity", "judgement"].into_iter().enumerate() {
        let case = if n == 0 { case.clone() } else { open(&mut desk.ada, &desk.mara.id) };
        let fields = [("refusal", rule), ("note", "the voice was not hers")];
        assert_eq!(in_case(&mut desk.ada, &case, "/refuse", &fields).status, 303, "{rule}");
        let entry = world.entries_of(Action::RecoveryRefused).pop().unwrap();
        assert_eq!((body(&entry).fact("refusal").as_str(), entry.header.case.as_deref()), (rule, Some(&*case)));
        assert_eq!(body(&entry).text("reason"), "the voice was not hers");
        assert_eq!(story(world, &case).last().map(String::as_str), Some("recovery.refused success"));
    }
}

#[test]
fn a_refusal_is_seen_by_every_admin_on_every_page_about_the_person_for_thirty_days_and_then_no_more() {
    let (mut desk, case) = Desk::with_case();
    let kim = desk.world.person(&mut desk.ada, "kim@fernhill.example", "Kim", "admin");
    let before = desk.ada.get(&format!("/admin/users/{}", desk.mara.id));
    assert!(!before.says(BANNER));
    assert_eq!(in_case(&mut desk.sam.browser, &case, "/refuse", &REFUSED).status, 303);
    let mut kims = kim.browser.clone();
    for path in ABOUT {
        let page = kims.get(&format!("/admin/users/{}{path}", desk.mara.id));
        assert!(page.says(BANNER), "{path}: {} {}", page.status, page.text());
        assert!(page.says("by Sam Okafor : They pressed, threatened or hurried"), "{path}: {}", page.text());
        assert!(page.says("right now or you are fired") && page.says(&format!("Case {case}")), "{path}");
    }
    // A form that comes back says it too; pages about others, and her own, do not.
    let again = act(&mut kims, &desk.mara.id, "/disable", &[("reason", "")]);
    assert!(again.status == 422 && again.says(BANNER));
    assert!(!kims.get(&format!("/admin/users/{}", desk.sam.id)).says("Help was refused"));
    assert!(!kims.get("/admin/users").says(BANNER));
    assert!(!desk.mara.browser.get("/profile").says("you are fired"), "the note is the help desk's own");

    desk.world.later(30 * DAY - Duration::from_secs(61));
    let mut kims = sign_in(&desk.world, &kim);
    assert!(kims.get(&format!("/admin/users/{}", desk.mara.id)).says(BANNER));
    desk.world.later(Duration::from_secs(32));
    for path in ABOUT {
        assert!(!kims.get(&format!("/admin/users/{}{path}", desk.mara.id)).says(BANNER), "{path}");
    }
    assert!(page(&mut kims, &case).says("They pressed, threatened or hurried"), "the case keeps it");
}

#[test]
fn after_a_refusal_an_owner_opens_the_next_case_for_seven_days_and_an_admin_may_work_on_it() {
    let (mut desk, case) = Desk::with_case();
    assert_eq!(in_case(&mut desk.sam.browser, &case, "/refuse", &REFUSED).status, 303);
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let why = [("reason", "called once more")];
    let path = format!("/admin/users/{}/case", desk.mara.id);
    assert!(sam.get(&path).says("Only an owner opens a new case."), "{}", sam.page.text());
    assert_eq!(act(sam, &desk.mara.id, "/case", &why).status, 403);
    assert_eq!(last(world, Action::RecoveryCaseOpened), denied("refused_lately"));
    let tried = world.entries_of(Action::RecoveryCaseOpened).pop().unwrap();
    assert_eq!(body(&tried).text("reason"), "called once more");
    let moved: Vec<_> = FOUNDED[..3].iter().copied().chain([("email", "m@fernhill.example")]).collect();
    for (form, fields) in [
        ("/mfa/reset", &FOUNDED[..]),
        ("/mfa/backup-codes", &FOUNDED[..3]),
        ("/password", &FOUNDED[..3]),
        ("/email", &moved[..]),
    ] {
        assert_eq!(act(sam, &desk.mara.id, form, fields).status, 403, "{form}");
        assert!(sam.page.says("Only an owner opens a new case."), "{form}");
    }
    // The menu says why, in its place.
    let menu = sam.get(&format!("/admin/users/{}", desk.mara.id));
    assert!(menu.says("Open a recovery case Help was refused to this person a short while ago."), "{}", menu.text());

    let next = open(&mut desk.ada, &desk.mara.id);
    verify(sam, &next);
    assert!(page(sam, &next).says(BANNER), "who goes on is told of the earlier case");
    let sent = [("evidence", "on_record"), ("reason", "it was her after all")];
    assert_eq!(act(sam, &desk.mara.id, "/mfa/backup-codes", &sent).status, 200, "{}", sam.page.text());

    // After seven days an admin opens the next one.
    let (mut desk, case) = Desk::with_case();
    assert_eq!(in_case(&mut desk.sam.browser, &case, "/refuse", &REFUSED).status, 303);
    desk.world.later(7 * DAY - Duration::from_secs(31));
    let mut sam = sign_in(&desk.world, &desk.sam);
    assert_eq!(act(&mut sam, &desk.mara.id, "/case", &why).status, 403);
    desk.world.later(Duration::from_secs(2));
    assert_eq!(open(&mut sam, &desk.mara.id), "R-2026-0002");
}

#[test]
fn a_case_that_is_handed_to_the_owners_is_theirs_alone_and_each_try_of_an_admin_is_on_record() {
    let (mut desk, case) = Desk::with_case();
    let world = &desk.world;
    let lea = world.person(&mut desk.ada, "lea@fernhill.example", "Lea", "owner");
    let sam = &mut desk.sam.browser;
    let page = in_case(sam, &case, "/escalate", &[("message", "")]);
    assert!(page.status == 422 && page.says("Enter a message."), "{}", page.text());
    let forms: Vec<_> = every_errand().iter().map(|(path, ..)| format!("/admin/recovery/{case}{path}")).collect();
    let opened: Vec<Browser> = forms.iter().map(|form| open_in(sam, form)).collect();
    assert_eq!(in_case(sam, &case, "/escalate", &[("message", "the voice was not hers")]).status, 303);
    let entry = world.entries_of(Action::RecoveryEscalated).pop().unwrap();
    assert_eq!(body(&entry).text("reason"), "the voice was not hers");
    // Forms that were open before, sent now: the case is not theirs any more.
    for ((path, fields, action), mut browser) in every_errand().into_iter().zip(opened) {
        let answer = browser.post(&format!("/admin/recovery/{case}{path}"), fields);
        assert!(answer.status == 403 && answer.says("An owner goes on with it."), "{path}: {}", answer.text());
        assert_eq!(last(world, action), denied("for_owners"), "{path}");
        assert_eq!(
            sam.get(&format!("/admin/recovery/{case}{path}")).status,
            if path == "/escalate" { 303 } else { 403 }
        );
    }
    for path in ["/mfa/reset", "/mfa/backup-codes", "/password"] {
        let fields = if path == "/mfa/reset" { &FOUNDED[..] } else { &FOUNDED[..3] };
        assert_eq!(act(sam, &desk.mara.id, path, fields).status, 403, "{path}");
    }
    assert_eq!(last(world, Action::UserPasswordSetByAdmin), denied("for_owners"));
    // Both owners are told; either goes on.
    assert_eq!(world.count("SELECT count(*) FROM notices WHERE kind = 'escalated'"), 2);
    let shown = crate::cases::page(&mut desk.ada, &case);
    assert!(shown.says("the voice was not hers") && shown.says("To owners: the case was handed to them"));
    assert!(shown.says(", to each of 2"), "{}", shown.text());
    let mut lea = lea.browser;
    verify(&mut lea, &case);
    let sent = [("evidence", "on_record"), ("reason", "I know her"), ("codes_unavailable", "on")];
    assert_eq!(act(&mut lea, &desk.mara.id, "/mfa/reset", &sent).status, 200, "{}", lea.page.text());
    assert!(crate::cases::page(&mut lea, &case).says("Sam Okafor"), "who handed it on is still told");
}

/// The browser with this page open.
fn open_in(browser: &mut Browser, path: &str) -> Browser {
    assert_eq!(browser.get(path).status, 200, "{path}");
    browser.clone()
}

#[test]
fn a_case_that_nobody_needs_is_closed_without_a_refusal_and_the_next_one_is_open_to_all() {
    let (mut desk, case) = Desk::with_case();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    verify(sam, &case);
    assert_eq!(in_case(sam, &case, "/close", &[]).status, 303);
    let entry = world.entries_of(Action::RecoveryExpired).pop().unwrap();
    assert_eq!(body(&entry).fact("why"), "not needed any more");
    assert_eq!((entry.header.actor_kind.as_str(), entry.header.case.as_deref()), ("person", Some(&*case)));
    assert!(!sam.get(&format!("/admin/users/{}", desk.mara.id)).says("Help was refused"));
    assert_eq!(open(sam, &desk.mara.id), "R-2026-0002");
}

#[test]
fn what_waits_for_approval_is_over_when_help_is_refused() {
    let mut desk = Desk::new();
    let otto = desk.world.person(&mut desk.ada, "otto@fernhill.example", "Otto", "auditor");
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let case = open(sam, &otto.id);
    verify(sam, &case);
    let asked = [("evidence", "on_record"), ("reason", "lost the phone")];
    assert_eq!(act(sam, &otto.id, "/password", &asked).status, 303);
    assert_eq!(in_case(sam, &case, "/refuse", &REFUSED).status, 303);
    assert_eq!(world.count("SELECT count(*) FROM case_requests WHERE state = 'lapsed'"), 1);
    let told = [
        "recovery.case_opened success",
        "recovery.identity_verified success",
        "recovery.approval_requested success",
        "recovery.approval_lapsed success",
        "recovery.refused success",
    ];
    assert_eq!(story(world, &case), told);
}

#[test]
fn urgency_is_marked_and_taken_back_and_stands_where_the_case_does() {
    let mut desk = Desk::new();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let path = format!("/admin/users/{}/case", desk.mara.id);
    sam.get(&path);
    let answer = sam.post(&path, &[("reason", "flight leaves at noon"), ("urgent", "on")]);
    let case = answer.location().rsplit('/').next().unwrap().to_owned();
    let shown = page(sam, &case);
    assert!(shown.says("identity not verified yet urgent") && shown.says("Not urgent any more"), "{}", shown.text());
    assert!(sam.get(&format!("/admin/users/{}", desk.mara.id)).says("urgent"));
    // The button stands on the page itself.
    page(sam, &case);
    assert_eq!(sam.post(&format!("/admin/recovery/{case}/urgent"), &[]).status, 303);
    assert!(!page(sam, &case).says("identity not verified yet urgent"));
    assert_eq!(sam.post(&format!("/admin/recovery/{case}/urgent"), &[("urgent", "on")]).status, 303);
    assert!(page(sam, &case).says("identity not verified yet urgent"));
    let marks: Vec<_> =
        world.entries_of(Action::RecoveryUrgencyChanged).iter().map(|e| body(e).fact("urgent")).collect();
    assert_eq!(marks, ["no", "yes"]);
    assert_eq!(world.count("SELECT version FROM cases"), 1, "it changes nothing that somebody has approved");
}

#[test]
fn two_admins_who_work_on_one_case_see_what_the_other_did_before_anything_is_done() {
    let (mut desk, case) = Desk::with_case();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let refuse = format!("/admin/recovery/{case}/refuse");
    sam.get(&refuse);
    verify(&mut desk.ada, &case);
    let page = sam.post(&refuse, &[("refusal", "not_verified"), ("note", "no answer on her number")]);
    assert_eq!(page.status, 409);
    assert!(page.says("it is now “identity verified”"), "{}", page.text());
    assert!(page.says("no answer on her number") && page.body.contains("value=\"not_verified\" checked"));
    let entry = world.entries_of(Action::RecoveryRefused).pop().unwrap();
    assert_eq!((entry.header.outcome.as_str(), body(&entry).fact("rule").as_str()), ("denied", "not_now"));
    assert_eq!(body(&entry).text("reason"), "no answer on her number");
    assert!(crate::cases::page(sam, &case).says("identity verified"), "nothing was done");
    // Who has read that may still refuse.
    sam.page = page;
    let sent = [("refusal", "not_verified"), ("note", "no answer on her number")];
    assert_eq!(sam.post(&refuse, &sent).status, 303, "{}", sam.page.text());

    // Two refuse at once: the second is told how it stands, and keeps the note.
    let next = open(&mut desk.ada, &desk.mara.id);
    let refuse = format!("/admin/recovery/{next}/refuse");
    sam.get(&refuse);
    assert_eq!(in_case(&mut desk.ada, &next, "/refuse", &REFUSED).status, 303);
    let page = sam.post(&refuse, &sent);
    assert!(page.status == 409 && page.says("The case has moved on") && page.says("It is now: refused"));
    assert!(page.says("By Ada Brandt") && page.says("right now or you are fired"), "{}", page.text());
    assert!(page.says("What you typed") && page.says("no answer on her number"));
    assert_eq!(world.entries_of(Action::RecoveryRefused).iter().filter(|e| e.header.outcome == "success").count(), 2);
}

#[test]
fn a_form_that_does_not_say_how_the_case_was_does_nothing() {
    let (mut desk, case) = Desk::with_case();
    let sam = &mut desk.sam.browser;
    for version in ["", "x", "0", "99"] {
        let fields: Vec<_> = REFUSED.into_iter().chain([("version", version)]).collect();
        assert_eq!(in_case(sam, &case, "/refuse", &fields).status, 409, "{version}");
    }
    assert!(page(sam, &case).says("identity not verified yet"));
}

#[test]
fn nothing_that_was_given_goes_on_working_behind_a_refusal_or_a_closed_case() {
    let (mut desk, case) = Desk::with_case();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let opened: Vec<_> =
        ["/refuse", "/close"].iter().map(|p| open_in(sam, &format!("/admin/recovery/{case}{p}"))).collect();
    assert_eq!(act(sam, &desk.mara.id, "/mfa/backup-codes", &FOUNDED[..3]).status, 200);
    for (path, mut browser) in ["/refuse", "/close"].into_iter().zip(opened) {
        let fields = if path == "/refuse" { &REFUSED[..] } else { &[] };
        let page = browser.post(&format!("/admin/recovery/{case}{path}"), fields);
        assert!(page.status == 409 && page.says("It is now: waiting for sign-in"), "{path}: {}", page.text());
    }
    // Handing it on is the way: and an owner does not close it over the codes either.
    assert_eq!(in_case(sam, &case, "/escalate", &[("message", "it was not her")]).status, 303);
    let shown = page(&mut desk.ada, &case);
    assert!(shown.says("Next: look at what was given, and decide how it goes on."), "{}", shown.text());
    assert!(!shown.body.contains("/refuse\"") && !shown.body.contains("/close\""));
    assert_eq!(in_case(&mut desk.ada, &case, "/refuse", &REFUSED).status, 409);
    assert_eq!(last(world, Action::RecoveryRefused), denied("not_now"));
}

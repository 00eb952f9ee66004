//! Attacks by who may already do something: an admin who wants to be somebody else, whoever reads a mailbox or listened when
//! codes were dictated. Each is carried out as far as it goes, on the pages.

use std::time::{Duration, Instant};

use idp::audit::Action;
use idp::policy::Key;

use crate::approvals::decide;
use crate::cases::{Desk, in_case, last, open, verify};
use crate::mail::Post;
use crate::objections::{Firm, KNOWN, firm, link, object, send, state};
use crate::runbook::{FOUNDED, act};
use crate::second_person::{DAY, ON_RECORD, Office, RESET, ask, newest_request, office, set_policy};
use crate::world::{Browser, Member, PASSWORD, World, body};

const CODES: &str = "/mfa/backup-codes";
const MINUTE: Duration = Duration::from_secs(60);
const TOMS: [(&str, &str); 3] =
    [("email", "mara@tom.example"), ("evidence", "in_person"), ("reason", "she asked me on the stairs")];

/// A provider that sends mail, with Tom, an admin, beside Ada and Mara.
fn post_with_tom() -> (Post, Member) {
    let mut post = Post::new();
    let tom = post.world.person(&mut post.ada, "tom@fernhill.example", "Tom Okafor", "admin");
    post.round();
    post.new_letters();
    (post, tom)
}

/// Asks for a link for a new password and chooses one through it, as whoever reads the mailbox `to`.
fn password_by_mail(post: &mut Post, to: &str) -> bool {
    let mut browser = post.world.browser();
    browser.get("/password-reset");
    assert_eq!(browser.post("/password-reset", &[("email", to)]).status, 200);
    post.round();
    let letters = post.new_letters();
    let letter = letters.iter().find(|l| l.subject == "A link to choose a new password");
    let Some(text) = letter.and_then(|l| l.text.clone()) else { return false };
    let link = text[text.find("/password-reset/").unwrap()..].split_whitespace().next().unwrap().to_owned();
    browser.get(&link);
    browser.post(&link, &[("new_password", "quiet ferry under cranes")]).says("Your password is changed")
}

#[test]
fn an_admin_who_moves_a_mailbox_gets_the_password_by_mail_and_no_factor_alone() {
    let (mut post, mut tom) = post_with_tom();
    assert_eq!(act(&mut tom.browser, &post.mara.id, "/email", &TOMS).status, 303, "{}", tom.browser.page.text());
    assert!(password_by_mail(&mut post, "mara@tom.example"));
    let page = tom.browser.get(&format!("/admin/users/{}{CODES}", post.mara.id));
    assert!(page.says("You gave Mara Lindqvist a sign-in address just now : somebody else has to"), "{}", page.text());
    for path in [CODES, RESET] {
        ask(&mut tom.browser, &post.mara.id, path);
        assert_eq!(newest_request(&post.world).1, "admin", "{path}");
    }
}

#[test]
fn an_admin_who_dictated_codes_does_not_move_the_mailbox_alone() {
    let Office { world, mut tom, mara, .. } = office();
    assert_eq!(act(&mut tom.browser, &mara.id, CODES, &FOUNDED).status, 200);
    let answer = act(&mut tom.browser, &mara.id, "/email", &TOMS);
    assert!(answer.location().starts_with("/admin/recovery/R-"), "{}", answer.text());
    assert_eq!(newest_request(&world), ("change_email".into(), "admin".into()));
    assert_eq!(world.user(&mara.email).id.to_string(), mara.id, "nothing was changed yet");
}

#[test]
fn an_address_that_was_taken_away_after_somebody_asked_for_help_hears_of_what_is_given_and_a_new_one_can_not_object() {
    let mut post = Post::new();
    let (mara, home, new) = ("mara@fernhill.example", "mara@home.example", "mara@elsewhere.example");
    post.mara.browser.get("/profile/contacts");
    assert_eq!(post.mara.browser.post("/profile/contacts", &[("kind", "email"), ("value", home)]).status, 303);
    post.world.later(MINUTE);
    let id = post.mara.id.clone();
    open(&mut post.ada, &id);
    post.world.later(MINUTE);
    let contacts = post.ada.get(&format!("/admin/users/{id}/contacts"));
    let at = contacts.body.find("/remove").expect("it can be removed");
    let path = contacts.body[..at + 7].rsplit('"').next().unwrap().to_owned();
    assert_eq!(post.ada.get(&path).status, 200, "{path}");
    assert_eq!(post.ada.post(&path, &[]).status, 303, "{}", post.ada.page.text());
    let moved = [("email", new), ("evidence", "in_person"), ("reason", "she asked me on the stairs")];
    assert_eq!(act(&mut post.ada, &id, "/email", &moved).status, 303, "{}", post.ada.page.text());
    post.round();
    post.new_letters();
    post.world.later(MINUTE);
    post.world.reset(&mut post.ada, &id);
    post.round();
    let letters = post.new_letters();
    let told: Vec<_> =
        letters.iter().filter(|l| l.subject.contains("removed") || l.subject.contains("reset")).collect();
    let mut heard: Vec<(&str, bool)> =
        told.iter().map(|l| (l.to[0].as_str(), l.text.as_deref().unwrap().contains("/objection/"))).collect();
    heard.sort_unstable();
    assert_eq!(heard, [(new, false), (mara, true), (home, true)], "{letters:?}");
}

/// A case of Mara's that Sam has handed to the owners.
fn handed_on() -> Desk {
    let (mut desk, case) = Desk::with_case();
    let answer = in_case(&mut desk.sam.browser, &case, "/escalate", &[("message", "her voice is not hers")]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    desk
}

/// Sam gives nothing and opens nothing until an owner has opened a case.
#[track_caller]
fn is_the_owners(desk: &mut Desk) {
    for (path, action) in [(RESET, Action::MfaFactorAdminReset), (CODES, Action::MfaBackupCodesIssuedByAdmin)] {
        let answer = act(&mut desk.sam.browser, &desk.mara.id, path, &FOUNDED);
        assert!(answer.status == 403 && answer.says("This was handed to the owners"), "{}", answer.text());
        assert_eq!(last(&desk.world, action), ("denied".to_owned(), "for_owners".to_owned()));
    }
    let opened = act(&mut desk.sam.browser, &desk.mara.id, "/case", &[("reason", "she called again")]);
    assert!(opened.status == 403 && opened.says("This was handed to the owners"), "{}", opened.text());
}

#[test]
fn an_admin_takes_nothing_back_from_the_owners_by_disabling_and_enabling_the_person() {
    let mut desk = handed_on();
    desk.world.disable(&mut desk.sam.browser, &desk.mara.id);
    assert_eq!(act(&mut desk.sam.browser, &desk.mara.id, "/enable", &[("reason", "is back")]).status, 303);
    is_the_owners(&mut desk);
    // Once an owner has opened the next one, whoever looks after people goes on.
    open(&mut desk.ada, &desk.mara.id);
    assert_eq!(act(&mut desk.sam.browser, &desk.mara.id, RESET, &FOUNDED).status, 200);
}

#[test]
fn an_admin_takes_nothing_back_from_the_owners_by_waiting_until_its_time_has_passed() {
    let mut desk = handed_on();
    desk.world.later(4 * DAY);
    desk.world.sweep();
    desk.sam.browser = sign_in(&desk.world, &desk.sam);
    is_the_owners(&mut desk);
}

fn sign_in(world: &World, member: &Member) -> Browser {
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(world, &member.email, PASSWORD, &member.phone).status, 303);
    browser
}

#[test]
fn while_a_code_works_that_was_dictated_beside_a_reset_nobody_gets_a_password_by_mail_and_the_case_goes_on() {
    let mut post = Post::new();
    let (id, email) = (post.mara.id.clone(), post.mara.email.clone());
    post.world.reset(&mut post.ada, &id);
    assert_eq!(act(&mut post.ada, &id, CODES, &FOUNDED).status, 200);
    let page = post.ada.get("/admin/recovery/R-2026-0001");
    assert!(page.says("What was given works until") && !page.says("The window closes"), "{}", page.text());
    post.world.later(2 * 60 * MINUTE);
    post.world.sweep();
    assert!(!password_by_mail(&mut post, &email), "whoever reads her mail overheard a code");
    let mut ada = post.world.browser();
    ada.sign_in(&post.world, "ada@fernhill.example", PASSWORD, &post.phone);
    assert!(ada.get("/admin/recovery/R-2026-0001").says("waiting for enrolment"), "{}", ada.page.text());
    post.world.later(7 * DAY);
    post.world.sweep();
    let expired = post.world.entries_of(Action::RecoveryExpired).pop().unwrap();
    assert_eq!(body(&expired).fact("why"), "what was given was not used in time");
}

#[test]
fn a_case_does_not_end_before_the_codes_that_were_given_in_it_whatever_happens_to_it() {
    // A password that runs out sooner, by other hands.
    let (mut desk, case) = Desk::with_case();
    assert_eq!(act(&mut desk.sam.browser, &desk.mara.id, CODES, &FOUNDED).status, 200);
    assert_eq!(act(&mut desk.ada, &desk.mara.id, "/password", &FOUNDED[..3]).status, 200);
    desk.world.later(2 * DAY);
    desk.world.sweep();
    assert!(desk.world.entries_of(Action::RecoveryExpired).is_empty());

    // Handed on, where nobody looks at it for longer than an idle case waits.
    let mut sam = sign_in(&desk.world, &desk.sam);
    assert_eq!(in_case(&mut sam, &case, "/escalate", &[("message", "it was not her")]).status, 303);
    desk.world.later(4 * DAY);
    desk.world.sweep();
    assert!(desk.world.entries_of(Action::RecoveryExpired).is_empty(), "the codes work for a day");
    desk.world.later(2 * DAY);
    desk.world.sweep();
    assert_eq!(desk.world.entries_of(Action::RecoveryExpired).len(), 1);
}

#[test]
fn a_second_person_who_says_no_to_more_does_not_close_the_case_over_what_was_given() {
    let Office { world, mut ada, mut tom, mara } = office();
    assert_eq!(act(&mut tom.browser, &mara.id, CODES, &FOUNDED).status, 200);
    let case = "R-2026-0001";
    assert_eq!(in_case(&mut tom.browser, case, "/escalate", &[("message", "I am not sure any more")]).status, 303);
    let mut bo = world.person(&mut ada, "bo@fernhill.example", "Bo Lind", "owner");
    set_policy(&world, Key::SecondPersonRule, 2);
    assert_eq!(ask(&mut ada, &mara.id, RESET), case);
    assert_eq!(decide(&mut bo.browser, case, "deny", "not on a video call").status, 303);
    assert_eq!(world.entries_of(Action::RecoveryApprovalDenied).len(), 1);
    let open = "SELECT count(*) FROM cases WHERE closed_at IS NULL";
    assert_eq!(world.count(open), 1, "the codes work on");
    assert_eq!(in_case(&mut ada, case, "/close", &[]).status, 409);
}

#[test]
fn an_admin_whose_word_it_rested_on_does_not_lift_the_objection_to_it() {
    let Firm { world, mut ada, mut bo, mut tom, mara } = firm();
    let case = open(&mut tom.browser, &mara.id);
    verify(&mut tom.browser, &case);
    let done = act(&mut ada, &mara.id, RESET, &ON_RECORD);
    assert_eq!(done.status, 200, "{}", done.text());
    object(&world, &link(&world, &mara.id, "factors_reset"));
    let path = format!("/admin/recovery/{case}/reassure");
    assert_eq!(send(&mut tom.browser, &path, &KNOWN).status, 403);
    assert_eq!(last(&world, Action::RecoveryReassured), ("denied".to_owned(), "acted_in_case".to_owned()));
    assert_eq!(send(&mut bo.browser, &path, &KNOWN).status, 303);
}

#[test]
fn who_made_sure_between_two_objections_has_not_made_sure_about_the_second() {
    let Firm { world, mut bo, mut tom, mara, .. } = firm();
    assert_eq!(act(&mut tom.browser, &mara.id, CODES, &FOUNDED).status, 200);
    assert_eq!(act(&mut bo.browser, &mara.id, "/email", &TOMS).status, 303);
    // An owner who moved the address has a hand in it; another one looks.
    let mut cy = world.person(&mut bo.browser, "cy@fernhill.example", "Cy Berg", "owner");
    object(&world, &link(&world, &mara.id, "codes_issued"));
    world.later(MINUTE);
    let path = "/admin/recovery/R-2026-0001/reassure";
    assert_eq!(cy.browser.get(path).status, 200);
    let form = cy.browser.page.clone();
    world.later(MINUTE);
    object(&world, &link(&world, &mara.id, "email_changed"));
    world.later(MINUTE);
    cy.browser.page = form;
    assert_eq!(cy.browser.post(path, &KNOWN).status, 403);
    assert_eq!(last(&world, Action::RecoveryReassured), ("denied".to_owned(), "evidence_stale".to_owned()));
    assert_eq!(send(&mut cy.browser, path, &KNOWN).status, 303, "the form is opened after both");
}

#[test]
fn an_owner_who_disables_or_demotes_whoever_could_approve_waits_an_hour_in_which_the_person_can_object() {
    for (taken, fields) in
        [("/disable", &[("reason", "on holiday")][..]), ("/role", &[("reason", "a new task"), ("role", "member")])]
    {
        let Office { world, mut ada, tom, mara } = office();
        assert_eq!(act(&mut ada, &mara.id, "/password", &FOUNDED[..3]).status, 200);
        assert_eq!(act(&mut ada, &tom.id, taken, fields).status, 303, "{}", ada.page.text());
        let page = ada.get(&format!("/admin/users/{}{CODES}", mara.id));
        assert!(page.says("60 minutes after you ask, unless Mara Lindqvist objects"), "{}", page.text());
        let case = ask(&mut ada, &mara.id, CODES);
        assert_eq!(newest_request(&world), ("issue_codes".into(), "time".into()));
        let told = format!("SELECT count(*) FROM notices WHERE kind = 'grant_asked' AND user_id = '{}'", mara.id);
        assert_eq!(world.count(&told), 1);
        object(&world, &link(&world, &mara.id, "grant_asked"));
        assert_eq!(state(&world, &case), "disavowed");
        assert_eq!(act(&mut ada, &mara.id, CODES, &ON_RECORD).status, 403);
    }
}

#[test]
fn how_long_the_answer_takes_does_not_tell_whose_address_somebody_signs_in_with() {
    let mut post = Post::new();
    let gone = post.world.person(&mut post.ada, "gone@fernhill.example", "Gone", "member");
    post.world.disable(&mut post.ada, &gone.id);
    // Within what is allowed in an hour, and beyond it, where somebody can ask as often as they like.
    for apart in [61 * MINUTE, Duration::ZERO] {
        let mut took: [Vec<Duration>; 3] = Default::default();
        for _ in 0..60 {
            post.world.later(apart);
            for (who, times) in ["mara", "gone", "nobody"].iter().zip(&mut took) {
                let mut browser = post.world.browser();
                browser.get("/password-reset");
                let began = Instant::now();
                browser.post("/password-reset", &[("email", &format!("{who}@fernhill.example"))]);
                times.push(began.elapsed());
            }
        }
        let [mara, gone, nobody] = took.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        });
        // Three times is far above what is measured and far below a look at the disk that only one of them would cost.
        let (longest, shortest) = (mara.max(gone).max(nobody), mara.min(gone).min(nobody));
        assert!(longest < shortest * 3, "{mara:?} {gone:?} {nobody:?}");
    }
}

#[test]
fn who_dictated_codes_does_not_lift_the_objection_to_what_somebody_did_with_one_of_them() {
    let Firm { world, mut bo, mut tom, mara, .. } = firm();
    let codes = act(&mut tom.browser, &mara.id, CODES, &FOUNDED).codes();
    world.later(5 * MINUTE);
    let mut impostor = world.browser();
    impostor.password(&mara.email, PASSWORD);
    assert_eq!(impostor.backup_code(&codes[0]).location(), "/profile");
    world.later(MINUTE);
    impostor.get("/profile/backup-codes");
    assert_eq!(impostor.post("/profile/backup-codes", &[]).status, 200, "{}", impostor.page.text());
    object(&world, &link(&world, &mara.id, "codes_made"));
    let case = "R-2026-0002";
    assert_eq!(state(&world, case), "disavowed", "the case of the codes was over");
    let path = format!("/admin/recovery/{case}/reassure");
    assert_eq!(send(&mut tom.browser, &path, &KNOWN).status, 403);
    assert_eq!(last(&world, Action::RecoveryReassured), ("denied".to_owned(), "acted_in_case".to_owned()));
    assert_eq!(send(&mut bo.browser, &path, &KNOWN).status, 303);
}

#[test]
fn a_stranger_who_has_a_letter_sent_to_somebody_puts_no_word_of_their_own_into_it() {
    let mut post = Post::new();
    for agent in ["evil.example/help", "https://evil.example/", "Call evil.example"] {
        let mut browser = post.world.browser().from("198.51.100.66");
        browser.agent = agent.into();
        browser.get("/password-reset");
        browser.post("/password-reset", &[("email", "mara@fernhill.example")]);
    }
    post.round();
    let letters = post.new_letters();
    assert_eq!(letters.len(), 3);
    for letter in &letters {
        let raw = letter.raw();
        assert!(!raw.contains("evil"), "{raw}");
        assert!(letter.text.as_deref().unwrap().contains("Asked for from: Unknown device, 198.51.100.66"), "{raw}");
    }
}

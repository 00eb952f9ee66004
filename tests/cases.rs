//! A recovery case from the first call to the person who is back: opened, and walked through as its page says. Evidence is
//! in `case_evidence.rs`, the ways out in `case_ways_out.rs`, the page in every state in `case_page.rs`, what becomes of forms
//! that come late in `cases/forms.rs`.

mod forms;
mod other_grants;

use idp::audit::Action;
use idp::audit::plain::{Read, sentence};

use crate::runbook::{act, reset, rows};
use crate::world::{Answer, Browser, Member, PASSWORD, World, body};

/// An owner, an admin and a member, all signed in.
pub struct Desk {
    pub world: World,
    pub ada: Browser,
    pub sam: Member,
    pub mara: Member,
}

impl Desk {
    pub fn new() -> Self {
        let (world, mut ada, _) = World::with_owner();
        let sam = world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin");
        let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
        Self { world, ada, sam, mara }
    }

    /// The same with an open case, opened by the admin; its number.
    pub fn with_case() -> (Self, String) {
        let mut desk = Self::new();
        let case = open(&mut desk.sam.browser, &desk.mara.id);
        (desk, case)
    }
}

/// Opens a case; its number.
pub fn open(admin: &mut Browser, id: &str) -> String {
    let path = format!("/admin/users/{id}/case");
    assert_eq!(admin.get(&path).status, 200, "{}", admin.page.text());
    let answer = admin.post(&path, &[("reason", "lost her phone on the train"), ("ticket", "#1234")]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.location().strip_prefix("/admin/recovery/").expect("it leads to the case").to_owned()
}

/// Sends a form of a case, as its page has it; where there is none, with what another form of the session holds.
pub fn in_case(admin: &mut Browser, case: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let path = format!("/admin/recovery/{case}{path}");
    if admin.get(&path).status != 200 {
        admin.get("/admin/users/new");
    }
    admin.post(&path, fields)
}

/// Records a video call.
pub fn verify(admin: &mut Browser, case: &str) {
    let answer = in_case(admin, case, "/evidence", &[("evidence", "video_call"), ("evidence_note", "same face")]);
    assert_eq!(answer.status, 303, "{}", answer.text());
}

/// The page of a case.
pub fn page(viewer: &mut Browser, case: &str) -> Answer {
    let page = viewer.get(&format!("/admin/recovery/{case}"));
    assert_eq!(page.status, 200, "{}", page.text());
    page
}

/// `action outcome` of every entry that carries this case.
pub fn story(world: &World, case: &str) -> Vec<String> {
    let of_case = world.entries().into_iter().filter(|e| e.header.case.as_deref() == Some(case));
    of_case.map(|e| format!("{} {}", e.header.action, e.header.outcome)).collect()
}

/// The rule and the outcome of the newest entry about `action`.
pub fn last(world: &World, action: Action) -> (String, String) {
    let entry = world.entries_of(action).pop().expect("there is such an entry");
    (entry.header.outcome.clone(), body(&entry).fact("rule"))
}

fn denied(rule: &str) -> (String, String) {
    ("denied".to_owned(), rule.to_owned())
}

#[test]
fn a_case_leads_from_the_call_to_the_person_who_is_back_and_its_trail_reads_as_a_story() {
    let mut desk = Desk::new();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let before = world.head();
    assert!(sam.get(&format!("/admin/users/{}", desk.mara.id)).body.contains(&format!("{}/case\"", desk.mara.id)));
    let case = open(sam, &desk.mara.id);
    assert!(sam.get(&format!("/admin/recovery/{case}")).says("The case was opened."));
    let shown = page(sam, &case);
    assert!(shown.says("Next: make sure who it is.") && shown.says("10 codes left. Read this to them"));
    assert!(shown.says("lost her phone on the train") && shown.says("#1234") && shown.says("Sam Okafor"));

    verify(sam, &case);
    let shown = page(sam, &case);
    assert!(shown.says("Next: ask for one of the 10 backup codes that are left."), "{}", shown.text());
    assert!(shown.says("Fresh for another 60 minutes.") && shown.says("same face"));

    // She does not have them. The form takes what the case has about who it is.
    let form = format!("/admin/users/{}/mfa/reset", desk.mara.id);
    assert!(sam.get(&form).says("As recorded just now by Sam Okafor: Live video call"));
    let sent = [("evidence", "on_record"), ("reason", "codes burnt with the house"), ("codes_unavailable", "on")];
    let pass = sam.post(&form, &sent).secret();
    assert!(sam.page.says("Identity verified") && sam.page.says("sets up a new factor"), "{}", sam.page.text());
    let shown = page(sam, &case);
    assert!(shown.says("Next: Mara Lindqvist sets up a new factor.") && shown.says("10 left, not at hand"));

    let mut mara = world.browser();
    mara.password(&desk.mara.email, PASSWORD);
    mara.get("/enrol");
    mara.post("/enrol/pass", &[("pass", "AAAA-AAAA-AAAA")]);
    mara.post("/enrol/pass", &[("pass", &pass)]);
    world.enrol(&mut mara);
    let shown = page(sam, &case);
    assert!(shown.says("recovered") && !shown.body.contains("/refuse\"") && !shown.body.contains("/evidence\""));

    let told = [
        "recovery.case_opened success",
        "recovery.identity_verified success",
        "mfa.factor_admin_reset success",
        "mfa.enrolment_pass_issued success",
        "mfa.challenge_failed failure",
        "mfa.factor_enrolled success",
        "recovery.completed success",
    ];
    assert_eq!(story(world, &case), told);
    let recoveries = world.entries().into_iter().filter(|e| e.header.seq > before);
    let without_case = recoveries.filter(|e| e.header.action.starts_with("recovery.") && e.header.case.is_none());
    assert_eq!(without_case.count(), 0, "every step of a case carries it");
    let of_case = world.entries().into_iter().filter(|e| e.header.case.as_deref() == Some(&case));
    let sentences: Vec<_> = of_case.map(|e| sentence(&e, &Read::of(&e))).collect();
    assert_eq!(
        sentences,
        [
            "Recovery case opened",
            "Identity verified: video call",
            "All factors removed (1)",
            "Enrolment pass shown",
            "Wrong enrolment pass",
            "Enrolled “Authenticator app”",
            "Recovered",
        ]
    );
    assert!(sentences.iter().all(|said| shown.says(said)), "{}", shown.text());
}

#[test]
fn who_signs_in_with_a_backup_code_closes_the_case_and_nothing_was_given() {
    let (mut desk, case) = Desk::with_case();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let mut mara = world.browser();
    mara.password(&desk.mara.email, PASSWORD);
    assert!(page(sam, &case).says("identity not verified yet"), "the password alone changes nothing");
    assert_eq!(mara.backup_code(&desk.mara.codes[0]).location(), "/profile");
    let shown = page(sam, &case);
    assert!(shown.says("recovered") && shown.says("Mara Lindqvist signed in with one"), "{}", shown.text());
    assert!(shown.says("Make sure who it is not needed") && shown.says("Let them back in not needed"));
    let told = ["recovery.case_opened success", "mfa.backup_code_used success", "recovery.completed success"];
    assert_eq!(story(world, &case), told);
    let done = world.entries_of(Action::RecoveryCompleted).pop().unwrap();
    assert_eq!(body(&done).fact("act"), "walked_through");
    assert_eq!((rows(world, "factors", &desk.mara.id), rows(world, "enrolment_windows", &desk.mara.id)), (1, 0));
    // Her next code concerns no case any more.
    let mut again = world.browser();
    again.password(&desk.mara.email, PASSWORD);
    again.backup_code(&desk.mara.codes[1]);
    assert_eq!(story(world, &case).len(), 3);
}

#[test]
fn a_sign_in_with_the_app_or_a_confirmation_of_who_it_is_closes_no_case() {
    let (mut desk, case) = Desk::with_case();
    let world = &desk.world;
    let mut mara = world.browser();
    mara.sign_in(world, &desk.mara.email, PASSWORD, &desk.mara.phone);
    assert!(mara.is_signed_in());
    assert!(page(&mut desk.sam.browser, &case).says("identity not verified yet"));
    assert_eq!(story(world, &case), ["recovery.case_opened success"]);
}

#[test]
fn codes_and_a_password_that_are_given_in_a_case_lead_back_in_and_each_entry_carries_it() {
    let (mut desk, case) = Desk::with_case();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    verify(sam, &case);
    let on_record = [("evidence", "on_record"), ("reason", "forgot it on the journey")];
    let temporary = act(sam, &desk.mara.id, "/password", &on_record).secret();
    let shown = page(sam, &case);
    assert!(shown.says("Next: Mara Lindqvist signs in with what was given."), "{}", shown.text());
    let mut mara = world.browser();
    mara.sign_in(world, &desk.mara.email, &temporary, &desk.mara.phone);
    mara.get("/sign-in/password");
    let chosen = mara.post("/sign-in/password", &[("new_password", "quiet river twenty boats")]);
    assert_eq!(chosen.location(), "/profile", "{}", chosen.text());
    assert!(page(sam, &case).says("recovered"));
    let told = [
        "recovery.case_opened success",
        "recovery.identity_verified success",
        "user.password_set_by_admin success",
        "user.password_changed success",
        "recovery.completed success",
    ];
    assert_eq!(story(world, &case), told);

    // Codes ask for the owner now: a password and codes from one hand need a second person.
    let mut ada = desk.ada;
    let next = open(&mut ada, &desk.mara.id);
    assert_eq!(next, "R-2026-0002");
    verify(&mut ada, &next);
    let codes = act(&mut ada, &desk.mara.id, "/mfa/backup-codes", &on_record).codes();
    let mut mara = world.browser();
    mara.password(&desk.mara.email, "quiet river twenty boats");
    assert_eq!(mara.backup_code(&codes[0]).location(), "/profile");
    assert!(page(&mut ada, &next).says("recovered"));
    let told = [
        "recovery.case_opened success",
        "recovery.identity_verified success",
        "mfa.backup_codes_issued_by_admin success",
        "mfa.backup_code_used success",
        "recovery.completed success",
    ];
    assert_eq!(story(world, &next), told);
}

#[test]
fn a_reset_without_a_case_opens_one_as_before_and_is_the_same_case_for_what_follows() {
    let mut desk = Desk::new();
    let sam = &mut desk.sam.browser;
    reset(sam, &desk.mara.id);
    let path = format!("/admin/users/{}/case", desk.mara.id);
    assert_eq!(sam.get(&path).location(), "/admin/recovery/R-2026-0001");
    let shown = page(sam, "R-2026-0001");
    assert!(shown.says("Identity verified") && shown.says("Next: Mara Lindqvist sets up a new factor."));
    assert!(sam.get(&format!("/admin/users/{}", desk.mara.id)).says("R-2026-0001 : waiting for enrolment."));
}

#[test]
fn a_person_has_one_open_case_and_opening_another_leads_to_it_with_the_try_on_record() {
    let mut desk = Desk::new();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let path = format!("/admin/users/{}/case", desk.mara.id);
    sam.get(&path);
    let case = open(&mut desk.ada, &desk.mara.id);
    let answer = sam.post(&path, &[("reason", "she called me too"), ("urgent", "on")]);
    assert_eq!((answer.status, answer.location()), (303, &*format!("/admin/recovery/{case}")));
    assert!(sam.get(&format!("/admin/recovery/{case}")).says("There is an open case for this person already"));
    assert_eq!((rows(world, "cases", &desk.mara.id), sam.get(&path).status), (1, 303));
    let tried = world.entries_of(Action::RecoveryCaseOpened).pop().unwrap();
    assert_eq!((tried.header.outcome.as_str(), tried.header.case.as_deref()), ("denied", Some(&*case)));
    assert_eq!(body(&tried).text("reason"), "she called me too", "what he typed is not lost");
    let menu = sam.get(&format!("/admin/users/{}", desk.mara.id));
    assert!(menu.says("Go on with the open case") && !menu.says("Open a recovery case"));
}

#[test]
fn a_case_about_somebody_above_or_about_oneself_is_refused_with_an_entry_and_one_about_a_peer_is_not() {
    let mut desk = Desk::new();
    let (world, sam) = (&desk.world, &mut desk.sam.browser);
    let otto = world.person(&mut desk.ada, "otto@fernhill.example", "Otto", "auditor");
    let adas = world.user("ada@fernhill.example").id.to_string();
    let why = [("reason", "lost the phone")];
    assert_eq!(act(sam, &adas, "/case", &why).status, 403);
    assert_eq!(last(world, Action::RecoveryCaseOpened), denied("rank"));
    assert_eq!(act(sam, &desk.sam.id, "/case", &why).status, 403);
    assert_eq!(last(world, Action::RecoveryCaseOpened), denied("yourself"));
    let mut ada = desk.ada;
    assert_eq!(act(&mut ada, &adas, "/case", &why).status, 403, "nor does an owner");
    assert_eq!(rows(world, "cases", &adas), 0);
    let case = open(sam, &otto.id);
    verify(sam, &case);
    assert!(page(sam, &case).says("An owner approves it first."), "a peer is prepared, and an owner permits it");
}

#[test]
fn an_admin_neither_opens_nor_goes_on_with_a_case_of_an_owner() {
    let mut desk = Desk::new();
    let world = &desk.world;
    let lea = world.person(&mut desk.ada, "lea@fernhill.example", "Lea", "owner");
    let case = open(&mut desk.ada, &lea.id);
    let sam = &mut desk.sam.browser;
    let shown = page(sam, &case);
    assert!(shown.says("Only an owner may do this") && !shown.body.contains("/refuse\""), "{}", shown.text());
    for (path, fields, action) in every_errand() {
        assert_eq!(in_case(sam, &case, path, fields).status, 403, "{path}");
        assert_eq!(last(world, action), denied("rank"), "{path}");
    }
    assert_eq!(in_case(&mut desk.ada, &case, "/refuse", &REFUSED).status, 303);
}

/// A refusal that is well founded.
pub const REFUSED: [(&str, &str); 2] = [("refusal", "pressure"), ("note", "“right now or you are fired”")];

type Errand = (&'static str, &'static [(&'static str, &'static str)], Action);

/// Each form of a case, with what it needs and the action that its entry is about.
pub fn every_errand() -> [Errand; 5] {
    [
        ("/evidence", &[("evidence", "video_call")], Action::RecoveryIdentityVerified),
        ("/refuse", &REFUSED, Action::RecoveryRefused),
        ("/escalate", &[("message", "I do not know the voice")], Action::RecoveryEscalated),
        ("/close", &[], Action::RecoveryExpired),
        ("/urgent", &[("urgent", "on")], Action::RecoveryUrgencyChanged),
    ]
}

#[test]
fn for_who_is_disabled_invited_or_gone_the_answer_says_what_to_do_first() {
    let mut desk = Desk::new();
    let world = &desk.world;
    world.invite(&mut desk.ada, "noor@fernhill.example", "Noor Haddad", "member");
    let noor = world.user("noor@fernhill.example").id.to_string();
    let sam = &mut desk.sam.browser;
    let path = |id: &str| format!("/admin/users/{id}/case");
    let page = sam.get(&path(&noor));
    assert_eq!(page.status, 403);
    assert!(page.says("Make a new invitation link instead."));
    world.disable(sam, &desk.mara.id);
    let page = sam.get(&path(&desk.mara.id));
    assert!(page.status == 403 && page.says("This account is disabled. Enable it first"), "{}", page.text());
    assert!(!sam.get(&format!("/admin/users/{}", desk.mara.id)).says("Open a recovery case"));
    act(sam, &desk.mara.id, "/leave", &[("confirmed", "on"), ("reason", "has another job")]);
    assert!(sam.get(&path(&desk.mara.id)).says("This person has left for good."));
    for (id, rule) in [(&noor, "is_invited"), (&desk.mara.id, "has_left")] {
        assert_eq!(act(sam, id, "/case", &[("reason", "called me")]).status, 403);
        assert_eq!(last(world, Action::RecoveryCaseOpened), denied(rule));
    }
}

#[test]
fn a_person_who_is_disabled_or_marked_as_gone_meanwhile_ends_the_case_and_its_forms_say_so() {
    for (act_path, fields, note) in [
        ("/disable", &[("reason", "stole the till")][..], "the person was disabled"),
        ("/leave", &[("reason", "has another job"), ("confirmed", "on")], "the person has left"),
    ] {
        let (mut desk, case) = Desk::with_case();
        let (world, sam) = (&desk.world, &mut desk.sam.browser);
        let path = format!("/admin/recovery/{case}/evidence");
        sam.get(&path);
        assert_eq!(act(&mut desk.ada, &desk.mara.id, act_path, fields).status, 303);
        let page = sam.post(&path, &[("evidence", "in_person"), ("evidence_note", "she came by")]);
        if act_path == "/disable" {
            assert_eq!(page.status, 409, "{}", page.text());
            assert!(page.says("It is now: expired") && page.says(note) && page.says("she came by"), "{}", page.text());
        } else {
            assert!(page.status == 403 && page.says("This person has left for good."), "{}", page.text());
        }
        let entry = world.entries_of(Action::RecoveryIdentityVerified).pop().unwrap();
        assert_eq!((entry.header.outcome.as_str(), entry.header.case.as_deref()), ("denied", Some(&*case)));
        assert_eq!(body(&entry).fact("evidence_note"), "she came by");
        assert!(crate::cases::page(sam, &case).says("expired"));
    }
}

/// Sends a form of the case twice.
fn again(world: &World, admin: &mut Browser, case: &str, path: &str, fields: &[(&str, &str)]) {
    let path = format!("/admin/recovery/{case}{path}");
    admin.get(&path);
    let form = admin.page.clone();
    assert_eq!(admin.post(&path, fields).status, 303, "{path}: {}", admin.page.text());
    let head = world.head();
    admin.page = form;
    let second = admin.post(&path, fields);
    assert_eq!((second.status, world.head()), (409, head), "{path}: {}", second.text());
    assert!(second.says("This was done already"), "{path}");
}

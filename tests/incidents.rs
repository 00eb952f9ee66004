//! It was an attack: who says so, and what an incident ends. The report is in `incidents/report.rs`, how the real person comes
//! back in `incidents/way_back.rs`.

mod report;
mod way_back;

use std::sync::Barrier;
use std::time::Duration;

use idp::actions::authorise::By;
use idp::actions::grants::{Ask, Granted};
use idp::actions::incident::declare;
use idp::audit::filter::Filter;
use idp::audit::{Action, Entry};
use idp::storage::audit::{Order, list};

use crate::grants::last;
use crate::objections::{Firm, KNOWN, firm, link, object, send, state};
use crate::profile::add_app;
use crate::runbook::{FOUNDED, act, reset, rows};
use crate::world::{Browser, PASSWORD, Phone, World, body, host};

const ATTACK: [(&str, &str); 2] = [("since", "case"), ("reason", "somebody else called as her")];
const BACK: [(&str, &str); 3] = [("evidence", "in_person"), ("ticket", "#9"), ("reason", "she came by with her ID")];

/// An impostor who talked Tom into a reset, knows the password, and is in.
fn attacked() -> (Firm, Browser, Phone) {
    let mut firm = firm();
    let pass = reset(&mut firm.tom.browser, &firm.mara.id);
    let world = &firm.world;
    let mut impostor = world.browser().from("203.0.113.66");
    impostor.password(&firm.mara.email, PASSWORD);
    impostor.get("/enrol");
    impostor.post("/enrol/pass", &[("pass", &pass)]);
    let (phone, _) = world.enrol(&mut impostor);
    impostor.get("/profile/contacts");
    impostor.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 999 99 99")]);
    (firm, impostor, phone)
}

fn of_case(world: &World, case: &str) -> Vec<Entry> {
    let filter = Filter { case: Some(case.parse().unwrap()), ..Filter::default() };
    world.app.means.store.read(|tx| list(tx, &filter, Order::OldestFirst, None, 1_000)).unwrap()
}

fn story(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|e| e.header.action.clone()).collect()
}

#[test]
fn one_click_ends_everything_that_the_attack_gave_and_the_case_tells_all_of_it() {
    let (Firm { world, mut bo, mara, .. }, mut impostor, phone) = attacked();
    object(&world, &link(&world, &mara.id, "factor_enrolled"));
    let mut pending = world.browser();
    pending.password(&mara.email, PASSWORD);
    let page = bo.browser.get("/admin/recovery/R-2026-0001/incident");
    assert!(
        page.says("Since case R-2026-0001 was opened: 24 November 2026, 09:02 UTC")
            && page.says("The account is closed"),
        "{}",
        page.text()
    );
    let before = world.head();
    let page = bo.browser.post("/admin/recovery/R-2026-0001/incident", &ATTACK);
    assert_eq!((page.status, page.location()), (303, "/admin/recovery/R-2026-0001/report"), "{}", page.text());
    assert_eq!(
        world.story_since(before),
        ["recovery.incident_declared success", "mfa.factor_admin_reset success"],
        "the objection had disabled it before"
    );
    let told = world.entries_of(Action::RecoveryIncidentDeclared).pop().unwrap();
    let facts = ["factors_removed", "codes_voided", "closed"].map(|fact| body(&told).fact(fact));
    assert_eq!((facts, body(&told).text("reason")), (["1", "10", "yes"].map(Into::into), ATTACK[1].1));
    assert_eq!(state(&world, "R-2026-0001"), "incident");
    for table in ["sessions", "devices", "links", "enrolment_windows", "factors", "code_sets"] {
        assert_eq!(rows(&world, table, &mara.id), 0, "{table}");
    }
    assert!(!impostor.is_signed_in());
    world.later(Duration::from_secs(30));
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 401);
    assert_eq!(pending.post("/sign-in/code", &[("code", &phone.code(world.now()))]).status, 401);

    // Who asks for the case's entries is given the whole story.
    assert_eq!(
        story(&of_case(&world, "R-2026-0001")),
        [
            "recovery.case_opened",
            "recovery.identity_verified",
            "mfa.factor_admin_reset",
            "mfa.enrolment_pass_issued",
            "mfa.factor_enrolled",
            "recovery.completed",
            "recovery.disavowed",
            "user.disabled",
            "recovery.incident_declared",
            "mfa.factor_admin_reset",
        ]
    );
    let told = "SELECT count(*) FROM notices WHERE kind = 'incident'";
    assert_eq!(world.count(told), 1, "owners are told, but for the one who did it");
}

#[test]
fn what_was_there_before_the_attack_stays_and_only_what_was_added_since_goes() {
    let Firm { world, mut bo, mut tom, mut mara, .. } = firm();
    let own = world.factor(&mara.id);
    world.later(Duration::from_secs(60));
    act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED);
    world.later(Duration::from_secs(60));
    add_app(&world, &mut mara.browser, "Not hers");
    assert_eq!(rows(&world, "factors", &mara.id), 2);
    let page = send(&mut bo.browser, "/admin/recovery/R-2026-0001/incident", &ATTACK);
    assert_eq!(page.status, 303, "{}", page.text());
    assert_eq!((rows(&world, "factors", &mara.id), world.factor(&mara.id)), (1, own));
    let removed = world.entries_of(Action::MfaFactorAdminReset).pop().unwrap();
    assert_eq!(body(&removed).fact("factors_removed"), "1");
    let since = body(&removed).fact("since");
    assert!(bo.browser.get("/admin/recovery/R-2026-0001").says(&format!("Factors added since {since} removed (1)")));
    let disabled = world.entries_of(Action::UserDisabled).pop().unwrap();
    assert_eq!((disabled.header.case.as_deref(), body(&disabled).text("reason")), (Some("R-2026-0001"), ATTACK[1].1));
}

#[test]
fn no_old_password_and_no_old_code_gets_in_also_after_the_host_has_enabled_the_account() {
    let Firm { world, mut bo, mut tom, mara, .. } = firm();
    let codes = act(&mut tom.browser, &mara.id, "/mfa/backup-codes", &FOUNDED).codes();
    send(&mut bo.browser, "/admin/recovery/R-2026-0001/incident", &ATTACK);
    assert!(bo.browser.get(&format!("/admin/users/{}", mara.id)).says("This account was closed because of an attack"));
    let ask = Ask { by: By::Host, user: mara.id.parse().unwrap(), nonce: None, source: host() };
    let done =
        idp::actions::administer::enable(&world.app.means, ask, "the operator decides".parse().unwrap()).unwrap();
    assert!(matches!(done, Granted::Yes(())), "{done:?}");
    assert_eq!((world.user(&mara.email).status.as_str(), rows(&world, "factors", &mara.id)), ("active", 1));
    world.later(Duration::from_secs(30));
    assert_eq!(world.browser().password(&mara.email, PASSWORD).status, 401);
    assert_eq!(rows(&world, "code_sets", &mara.id), 0);
    assert!(!codes.is_empty());
    // With a new one the phone of before is asked for, as ever.
    let temporary = world.temporary_password(&mut bo.browser, &mara.id);
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(&world, &mara.email, &temporary, &mara.phone).location(), "/sign-in/password");
}

#[test]
fn a_restore_keeps_the_password_void_that_an_incident_made_so() {
    use crate::carry_over::{Room, back_up, knock, office};
    let (world, mut ada, _) = office();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let backup = back_up(&world, "old.db");
    let page = send(&mut ada, &format!("/admin/users/{}/incident", mara.id), &[("since", "day"), ATTACK[1]]);
    assert_eq!(page.status, 303, "{}", page.text());
    let room = Room::of(&world);
    let said = room.restore(&backup, &[]);
    assert!(said.contains("mara@fernhill.example"), "{said}");
    let restored = room.open(&world);
    assert_eq!(restored.user(&mara.email).status.as_str(), "disabled");
    let ask = Ask { by: By::Host, user: mara.id.parse().unwrap(), nonce: None, source: host() };
    idp::actions::administer::enable(&restored.app.means, ask, "the operator decides".parse().unwrap()).unwrap();
    assert_eq!(knock(&restored, &mara.email, PASSWORD).status, 401);
}

#[test]
fn who_acted_in_the_case_may_say_that_it_was_an_attack_because_that_only_takes_away() {
    let (Firm { world, mut tom, mara, .. }, ..) = attacked();
    object(&world, &link(&world, &mara.id, "factors_reset"));
    assert_eq!(send(&mut tom.browser, "/admin/recovery/R-2026-0001/incident", &ATTACK).status, 303);
    assert_eq!((state(&world, "R-2026-0001").as_str(), rows(&world, "factors", &mara.id)), ("incident", 0));
}

#[test]
fn nobody_declares_an_incident_on_a_superior_a_peer_or_themself_and_members_and_auditors_on_nobody() {
    let Firm { world, mut ada, mut tom, mara, bo } = firm();
    let ann = world.person(&mut ada, "ann@fernhill.example", "Ann", "admin");
    let otto = world.person(&mut ada, "otto@fernhill.example", "Otto", "auditor");
    for (target, rule) in [(&bo.id, "rank"), (&ann.id, "rank"), (&tom.id, "yourself")] {
        let page = act(&mut tom.browser, target, "/incident", &[("since", "day"), ATTACK[1]]);
        assert_eq!((page.status, last(&world, Action::RecoveryIncidentDeclared)), (403, format!("denied {rule}")));
    }
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    for mut browser in [otto.browser, mara.browser.clone()] {
        for path in [
            format!("/admin/users/{}/incident", mara.id),
            format!("/admin/users/{}/readmit", mara.id),
            "/admin/recovery/R-2026-0001/incident".into(),
            "/admin/recovery/R-2026-0001/reassure".into(),
            "/admin/recovery/R-2026-0001/report".into(),
        ] {
            assert_eq!(browser.get(&path).status, 403, "{path}");
            if !path.ends_with("report") {
                let sent = [("csrf", browser.csrf())].map(|(n, v)| format!("{n}={v}"));
                assert_eq!(browser.post_raw(&path, &sent[0]).status, 403, "{path}");
            }
        }
    }
    for id in [&bo.id, &ann.id, &tom.id, &mara.id] {
        assert_eq!(world.count(&format!("SELECT count(*) FROM users WHERE id = '{id}' AND status = 'active'")), 1);
    }
}

#[test]
fn without_a_case_one_is_opened_and_the_moment_is_chosen() {
    let Firm { world, mut bo, mut mara, .. } = firm();
    world.later(Duration::from_secs(3 * 86_400));
    add_app_later(&world, &mut mara.browser, &mara.email, &mara.phone);
    assert_eq!(rows(&world, "factors", &mara.id), 2);
    bo.browser = world.browser();
    bo.browser.sign_in(&world, &bo.email, PASSWORD, &bo.phone);
    let path = format!("/admin/users/{}/incident", mara.id);
    bo.browser.get(&path);
    for since in ["", "case", "yesterday", "0"] {
        let page = bo.browser.post(&path, &[("since", since), ATTACK[1]]);
        assert_eq!(page.status, 422, "{since}");
        assert!(page.says("Choose since when it may have been somebody else.") && page.says(ATTACK[1].1));
    }
    assert_eq!(bo.browser.post(&path, &[("since", "day"), ("reason", "")]).status, 422);
    let page = bo.browser.post(&path, &[("since", "day"), ATTACK[1]]);
    assert_eq!((page.status, page.location()), (303, "/admin/recovery/R-2026-0001/report"), "{}", page.text());
    assert_eq!(rows(&world, "factors", &mara.id), 1, "the one of three days ago stays");
    let told = of_case(&world, "R-2026-0001");
    assert_eq!(
        story(&told),
        ["recovery.case_opened", "recovery.incident_declared", "user.disabled", "mfa.factor_admin_reset"]
    );
    let report = bo.browser.get("/admin/recovery/R-2026-0001/report");
    assert!(report.says("Enrolled “Other”") && !report.says("Added as member"), "{}", report.text());
}

/// Signs in anew and adds an app.
fn add_app_later(world: &World, browser: &mut Browser, email: &str, phone: &Phone) {
    *browser = world.browser();
    browser.sign_in(world, email, PASSWORD, phone);
    world.later(Duration::from_secs(30));
    add_app(world, browser, "Other");
}

#[test]
fn every_factor_goes_where_nobody_knows_since_when() {
    let Firm { world, mut bo, mara, .. } = firm();
    let path = format!("/admin/users/{}/incident", mara.id);
    assert_eq!(send(&mut bo.browser, &path, &[("since", "always"), ATTACK[1]]).status, 303);
    assert_eq!(rows(&world, "factors", &mara.id), 0);
    assert!(bo.browser.get("/admin/recovery/R-2026-0001/report").says("Added as member"));
}

#[test]
fn an_incident_is_declared_once_on_a_case_and_never_where_it_can_not_have_been_one() {
    let (Firm { world, mut ada, mut bo, mara, .. }, ..) = attacked();
    let path = "/admin/recovery/R-2026-0001/incident";
    ada.get(path);
    bo.browser.get(path);
    let barrier = Barrier::new(2);
    let statuses = std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            barrier.wait();
            ada.post(path, &ATTACK).status
        });
        barrier.wait();
        [bo.browser.post(path, &ATTACK).status, first.join().unwrap()]
    });
    assert!(statuses.contains(&303) && statuses.contains(&403), "{statuses:?}");
    let declared = world.entries_of(Action::RecoveryIncidentDeclared);
    assert_eq!(declared.iter().filter(|e| e.header.outcome == "success").count(), 1);
    let denied = declared.iter().find(|e| e.header.outcome == "denied").unwrap();
    assert_eq!((body(denied).fact("rule").as_str(), denied.header.case.as_deref()), ("not_now", Some("R-2026-0001")));
    let mut other =
        [ada, bo.browser].into_iter().find_map(|mut b| (b.get("/admin").status == 200).then_some(b)).unwrap();
    assert!(other.get(path).status == 403 && other.page.says("The case has moved on"), "{}", other.page.text());
    assert_eq!(send(&mut other, "/admin/recovery/R-2026-0099/incident", &ATTACK).status, 404);
    // Nor is it lifted as if it had been a mistake.
    assert_eq!(send(&mut other, "/admin/recovery/R-2026-0001/reassure", &KNOWN).status, 403);
    assert_eq!(world.user(&mara.email).status.as_str(), "disabled");
}

#[test]
fn an_incident_on_an_older_case_closes_what_is_open_beside_it() {
    let (Firm { world, mut ada, mut bo, mara, .. }, ..) = attacked();
    assert_eq!(state(&world, "R-2026-0001"), "recovered");
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    assert_eq!(state(&world, "R-2026-0002"), "acted");
    assert_eq!(send(&mut bo.browser, "/admin/recovery/R-2026-0001/incident", &ATTACK).status, 303);
    assert_eq!((state(&world, "R-2026-0001").as_str(), state(&world, "R-2026-0002").as_str()), ("incident", "expired"));
    // The same where somebody has objected in the other one.
    let (Firm { world, mut ada, mut bo, mara, .. }, ..) = attacked();
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    object(&world, &link(&world, &mara.id, "codes_issued"));
    assert_eq!(state(&world, "R-2026-0002"), "disavowed");
    assert_eq!(send(&mut bo.browser, "/admin/recovery/R-2026-0001/incident", &ATTACK).status, 303);
    assert_eq!(
        (state(&world, "R-2026-0001").as_str(), state(&world, "R-2026-0002").as_str()),
        ("incident", "incident")
    );
    assert!(bo.browser.get(&format!("/admin/users/{}", mara.id)).says("closed because of an attack"));
}

#[test]
fn the_last_active_owner_is_not_closed_and_has_to_change_the_password() {
    let (world, mut ada, phone) = World::with_owner();
    let id = world.user("ada@fernhill.example").id;
    world.later(Duration::from_secs(60));
    add_app(&world, &mut ada, "Not hers");
    let ask = || Ask { by: By::Host, user: id, nonce: None, source: host() };
    let since = world.now().minus(Duration::from_secs(61));
    let done = declare(&world.app.means, ask(), None, since, "stolen laptop".parse().unwrap()).unwrap();
    assert!(matches!(done, Granted::Yes(_)), "{done:?}");
    assert_eq!(world.user("ada@fernhill.example").status.as_str(), "active");
    assert!(!ada.is_signed_in() && rows(&world, "factors", &id.to_string()) == 1);
    assert_eq!((rows(&world, "code_sets", &id.to_string()), rows(&world, "freezes", &id.to_string())), (0, 0));
    assert_eq!(
        story(&of_case(&world, "R-2026-0001"))[1..],
        ["recovery.incident_declared", "user.password_reset_required", "mfa.factor_admin_reset"]
    );
    world.later(Duration::from_secs(60));
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone).location(), "/sign-in/password");
}

#[test]
fn after_a_quarter_of_an_hour_these_forms_ask_again_who_it_is_and_keep_what_was_typed() {
    let (Firm { world, mut bo, mara, .. }, ..) = attacked();
    object(&world, &link(&world, &mara.id, "factors_reset"));
    world.later(Duration::from_secs(900));
    for (path, fields) in
        [("/admin/recovery/R-2026-0001/reassure", &KNOWN[..]), ("/admin/recovery/R-2026-0001/incident", &ATTACK)]
    {
        bo.browser.get(path);
        let page = bo.browser.post(path, fields);
        assert_eq!(page.status, 422, "{path}");
        assert!(page.body.contains("step_up_code") && page.says(fields.last().unwrap().1), "{}", page.text());
        assert_eq!(state(&world, "R-2026-0001"), "disavowed");
    }
    let mut fields = ATTACK.to_vec();
    let code = bo.phone.code(world.now());
    fields.push(("step_up_code", &code));
    assert_eq!(bo.browser.post("/admin/recovery/R-2026-0001/incident", &fields).status, 303);
}

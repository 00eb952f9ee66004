//! The report of every reset by an admin: what it says of each, where that stands in the trail, and what is in a period.

use std::time::Duration;

use idp::audit::{Action, Actor, CaseFact, Event, Record, Source};
use idp::storage::{self, Audited};
use idp::users::User;

use crate::approvals::{carry_out, decide};
use crate::cli_world::idp_on;
use crate::objections::{Firm, firm, link, object, send};
use crate::runbook::{FOUNDED, act, owner_and_member, reset};
use crate::second_person::{DAY, RESET, ask, asked, office};
use crate::world::{Answer, Browser, Member, PASSWORD, World, body};

const REPORT: &str = "/admin/audit/resets";

/// The rows of the report, as text.
fn rows(page: &Answer) -> Vec<String> {
    let table = page.body.split("<tbody").nth(1).and_then(|rest| rest.split("</tbody>").next()).unwrap_or_default();
    let rows = table.split("<tr role=\"row\">").skip(1);
    rows.map(|row| Answer { body: row.to_owned(), ..Answer::default() }.text()).collect()
}

/// The row about the reset with this number.
fn row(page: &Answer, seq: i64) -> String {
    let begins = format!("entry #{seq} ");
    rows(page).into_iter().find(|row| row.contains(&begins)).unwrap_or_else(|| panic!("{seq}: {}", page.text()))
}

/// The number of the newest entry about `action`.
fn newest(world: &World, action: Action) -> i64 {
    world.entries_of(action).pop().unwrap().header.seq
}

/// Resets, with the pass, until the person has a new app.
fn enrol(world: &World, email: &str, pass: &str) {
    let mut browser = world.browser();
    browser.password(email, PASSWORD);
    browser.get("/enrol");
    browser.post("/enrol/pass", &[("pass", pass)]);
    world.enrol(&mut browser);
}

fn auditor(world: &World, ada: &mut Browser) -> Member {
    world.person(ada, "otto@fernhill.example", "Otto Reich", "auditor")
}

/// After so long a time that the session is over.
fn later(world: &World, who: &Member, d: Duration) -> Browser {
    world.later(d);
    world.sweep();
    let mut browser = world.browser();
    browser.sign_in(world, &who.email, PASSWORD, &who.phone);
    browser
}

/// Removes the factors of a person as somebody who keeps them out does, without what goes with it.
fn removed(world: &World, user: &User) {
    let event = Event::FactorAdminReset {
        user: user.into(),
        reason: "left the company".parse().unwrap(),
        ticket: None,
        case: None,
        since: None,
        factors_removed: 1,
        codes_voided: 0,
        codes_said_unavailable: false,
        sessions_ended: 0,
    };
    let record = Record::new(Actor::System, &Source::default(), event);
    world.app.means.store.change(move |_| -> storage::Result<_> { Ok(Audited::new((), record)) }).unwrap();
}

#[test]
fn a_reset_is_told_with_evidence_reason_ticket_approver_and_the_enrolment_that_closed_it() {
    let mut office = office();
    let mut otto = auditor(&office.world, &mut office.ada);
    let noor = office.add("noor@fernhill.example", "Noor Haddad", "admin");
    let fields = [
        ("evidence", "manager_ticket"),
        ("voucher", "Jonas Berg, HR"),
        ("evidence_note", "he knows her voice"),
        ("ticket", "HR-77"),
        ("reason", "lost her phone on the train"),
        ("codes_unavailable", "on"),
    ];
    let answer = act(&mut office.tom.browser, &noor.id, RESET, &fields);
    let case = asked(&answer);
    decide(&mut office.ada, &case, "approve", "I called her");
    let pass = carry_out(&mut office.tom.browser, &noor.id, RESET).secret();
    let world = &office.world;
    let seq = newest(world, Action::MfaFactorAdminReset);
    let page = otto.browser.get(REPORT);
    assert!(row(&page, seq).contains("still open"), "{}", page.text());
    enrol(world, &noor.email, &pass);

    let page = otto.browser.get(REPORT);
    let told = row(&page, seq);
    let number = |action| format!("#{}", newest(world, action));
    let entry = world.entries_of(Action::MfaFactorEnrolled).pop().unwrap();
    assert_eq!(entry.header.case.as_deref(), Some(&*case));
    for says in [
        "Noor Haddad <noor@fernhill.example>",
        "by Tom Okafor <tom@fernhill.example> : “lost her phone on the train”",
        "All factors removed (1)",
        &format!("case {case}"),
        "Ticket by the manager or HR; Jonas Berg, HR vouches, ticket HR-77, by Tom Okafor",
        "“he knows her voice”",
        &number(Action::RecoveryIdentityVerified),
        "Asked for: an owner had to permit it, by Tom Okafor",
        &number(Action::RecoveryApprovalRequested),
        "Permitted, by Ada Brandt <ada@fernhill.example> : “I called her”",
        &number(Action::RecoveryApproved),
        "new app set up",
        &format!("Set up a new app, “{}”", body(&entry).fact("label")),
        &number(Action::MfaFactorEnrolled),
        "2026-11-24 09:",
    ] {
        assert!(told.contains(says), "{says}: {told}");
    }
    assert!(!told.contains("Nobody else had to permit it"), "{told}");
    assert!(page.body.contains(&format!("href=\"/admin/audit/{}\"", entry.header.seq)));
    assert!(
        page.body.contains(&format!("href=\"/admin/audit?case={case}\"")) && !page.body.contains("/admin/recovery/")
    );
    // What the report rests on, so that a sheet of paper says it.
    let head = world.head();
    let checkpoint = world.entries_of(Action::AuditCheckpointSigned);
    for says in ["Organisation Fernhill Joinery", "Instance ", &format!("Newest entry #{head} , of "), "until now"] {
        assert!(page.says(says), "{says}: {}", page.text());
    }
    assert!(checkpoint.is_empty() && !page.says("Checkpoint signed"));
}

#[test]
fn each_way_in_which_a_reset_ends_is_told_with_its_entry() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    let first = newest(&world, Action::MfaFactorAdminReset);
    // A second one in the same case takes its place, and nobody comes.
    reset(&mut ada, &mara.id);
    let second = newest(&world, Action::MfaFactorAdminReset);
    let mut otto = auditor(&world, &mut ada);
    let told = row(&otto.browser.get(REPORT), first);
    assert!(told.contains("reset again Reset once more") && told.contains(&format!("#{second}")), "{told}");
    let told = row(&later(&world, &otto, DAY).get(REPORT), second);
    let expired = newest(&world, Action::RecoveryExpired);
    assert!(told.contains("expired Recovery expired") && told.contains(&format!("#{expired}")), "{told}");
    assert!(told.contains("Nobody else had to permit it, by the rules of that day."), "{told}");
}

#[test]
fn a_reset_that_was_an_attack_is_told_as_one_with_what_was_taken_back() {
    let Firm { world, mut bo, mut tom, mara, .. } = firm();
    let pass = reset(&mut tom.browser, &mara.id);
    let seq = newest(&world, Action::MfaFactorAdminReset);
    enrol(&world, &mara.email, &pass);
    object(&world, &link(&world, &mara.id, "factors_reset"));
    let told = row(&bo.browser.get(REPORT), seq);
    let objected = newest(&world, Action::RecoveryDisavowed);
    assert!(told.contains("objected to Set up a new app") && told.contains(&format!("#{objected}")), "{told}");
    let attack = [("since", "case"), ("reason", "She never called, it was somebody else")];
    let answer = send(&mut bo.browser, "/admin/recovery/R-2026-0001/incident", &attack);
    assert_eq!(answer.status, 303, "{}", answer.text());

    let page = bo.browser.get(REPORT);
    let declared = newest(&world, Action::RecoveryIncidentDeclared);
    let taken_back = newest(&world, Action::MfaFactorAdminReset);
    assert!(taken_back > seq);
    for seq in [seq, taken_back] {
        let told = row(&page, seq);
        assert!(told.contains(" incident Set up a new app"), "{told}");
        assert!(told.contains("Incident declared, by Bo Nilsson <bo@fernhill.example> : “She never called"), "{told}");
        assert!(told.contains(&format!("#{declared}")) && !told.contains("Reset once more"), "{told}");
    }
    assert!(row(&page, taken_back).contains("Factors added since 2026-11-24"), "{}", page.text());
}

#[test]
fn who_fills_a_case_with_entries_does_not_hide_how_a_reset_in_it_ended() {
    let Firm { world, mut bo, mut tom, mara, .. } = firm();
    let pass = reset(&mut tom.browser, &mara.id);
    let seq = newest(&world, Action::MfaFactorAdminReset);
    let user = world.user(&mara.email);
    let urgent = move |n: usize| {
        let (case, fact) = ("R-2026-0001".parse().unwrap(), CaseFact::Urgency { urgent: n.is_multiple_of(2) });
        Record::new(Actor::System, &Source::default(), Event::Case { case, user: (&user).into(), fact })
    };
    let store = &world.app.means.store;
    store
        .change(move |_| -> storage::Result<_> { Ok(Audited::new((), urgent(0)).and_all((1..450).map(urgent))) })
        .unwrap();
    enrol(&world, &mara.email, &pass);
    object(&world, &link(&world, &mara.id, "factors_reset"));
    let told = row(&bo.browser.get(REPORT), seq);
    let objected = newest(&world, Action::RecoveryDisavowed);
    assert!(objected > 450 && told.contains("objected to") && told.contains(&format!("#{objected}")), "{told}");
}

#[test]
fn a_reset_with_a_command_on_the_host_is_marked_as_such() {
    let (world, mut ada, _) = World::with_owner();
    let mut otto = auditor(&world, &mut ada);
    idp_on(&world.data(), &["recover-owner", "ada@fernhill.example", "--reason", "phone lost, verified in person"])
        .done();
    let seq = newest(&world, Action::MfaFactorAdminReset);
    let told = row(&otto.browser.get(REPORT), seq);
    for says in [
        "by the host",
        "Ada Brandt <ada@fernhill.example>",
        "“phone lost, verified in person”",
        "Command on the host",
        "Nobody was asked to permit it: it was done with a command on the host.",
    ] {
        assert!(told.contains(says), "{says}: {told}");
    }
}

#[test]
fn where_an_hour_stood_in_for_a_second_person_it_is_told() {
    let (world, mut ada, phone) = World::with_owner();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin");
    ask(&mut ada, &noor.id, RESET);
    world.later(Duration::from_secs(3_700));
    let mut ada = world.browser();
    ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    assert_eq!(carry_out(&mut ada, &noor.id, RESET).status, 200, "{}", ada.page.text());
    let told = row(&ada.get(REPORT), newest(&world, Action::MfaFactorAdminReset));
    assert!(told.contains("time had to pass in which the person could object"), "{told}");
    assert!(told.contains("The time has passed without an objection 2026-11-24 10:"), "{told}");
}

#[test]
fn the_period_holds_what_it_says_and_the_pages_together_hold_all_of_it() {
    let (world, mut ada, mara) = owner_and_member();
    let otto = auditor(&world, &mut ada);
    let user = world.user(&mara.email);
    let mut resets = Vec::new();
    for _ in 0..28 {
        world.later(Duration::from_secs(10));
        removed(&world, &user);
        resets.push(world.entries_of(Action::MfaFactorAdminReset).pop().unwrap().header);
    }
    resets.reverse();
    let numbers = |page: &Answer| -> Vec<i64> {
        let number = |row: &String| {
            let rest = row.split("entry #").nth(1).unwrap();
            rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
        };
        rows(page).iter().map(number).collect()
    };
    let all: Vec<i64> = resets.iter().map(|h| h.seq).collect();
    let page = ada.get(REPORT);
    assert_eq!(numbers(&page), all[..25]);
    assert!(page.says("A part of the report only.") && page.says("Whole report for printing"));
    let older = page.body.split("href=\"/admin/audit/resets?before=").nth(1).unwrap();
    let older: String = older.chars().take_while(char::is_ascii_digit).collect();
    assert_eq!(numbers(&ada.get(&format!("{REPORT}?before={older}"))), all[25..]);
    let page = ada.get(&format!("{REPORT}?all=1"));
    assert_eq!(numbers(&page), all);
    assert!(page.says("The whole report: 28 resets.") && page.body.contains("data-print"));

    // Since takes its moment in, until leaves it out; the export of the same period holds the same.
    let (since, until) = (resets[20].at.to_string(), resets[10].at.to_string());
    let page = ada.get(&format!("{REPORT}?all=1&since={since}&until={until}"));
    assert_eq!(numbers(&page), all[11..=20]);
    for (name, value) in [("since", &since), ("until", &until), ("action", &"mfa.factor_admin_reset".to_owned())] {
        assert!(page.body.contains(&format!("name=\"{name}\" value=\"{value}\"")), "{name}");
    }
    assert!(page.body.contains("name=\"proof\" value=\"on\" checked"));
    assert_eq!(rows(&ada.get(&format!("{REPORT}?until=2026-11-24"))), [""; 0]);
    assert!(ada.get(&format!("{REPORT}?since=2027-01-01")).says("This period has not begun yet."));
    assert!(ada.page.text().matches("not over when").count() == 0 && !ada.page.says("No reset in this period."));
    let page = ada.get(&format!("{REPORT}?all=1&since=2026-10-01&until=2027-01-01"));
    let quarter = "Period: from 2026-10-01 00:00:00 UTC to before 2027-01-01 00:00:00 UTC";
    assert!(page.says(quarter) && page.says("; it was not over when this was made"), "{}", page.text());
    ada.get(&format!("{REPORT}?until=2026-11-24"));
    assert!(ada.page.says("The day of “Until” itself does not count"));
    assert!(ada.page.says("No reset in this period.") && ada.page.says("from 2026-08-26 00:00:00 UTC to before"));
    // Nobody asked for a period: the last 90 days.
    let mut otto = later(&world, &otto, 91 * DAY);
    assert!(otto.get(REPORT).says("No reset in this period."));
    assert_eq!(numbers(&otto.get(&format!("{REPORT}?all=1&since=2026-01-01"))), all);
}

#[test]
fn what_is_no_longer_kept_is_said_and_the_rest_of_the_line_stays() {
    let (world, mut ada, mara) = owner_and_member();
    let pass = reset(&mut ada, &mara.id);
    let seq = newest(&world, Action::MfaFactorAdminReset);
    enrol(&world, &mara.email, &pass);
    // What retention leaves of an entry: its header and the digest of what it said.
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let guard = "SELECT sql FROM sqlite_schema WHERE name = 'audit_is_append_only_update'";
    let guard: String = db.query_row(guard, [], |row| row.get(0)).unwrap();
    let edit = |sql: &str| {
        db.execute_batch(&format!("DROP TRIGGER audit_is_append_only_update; {sql}; {guard}")).unwrap();
    };
    db.execute_batch("CREATE TEMP TABLE kept AS SELECT seq, body, salt FROM audit").unwrap();
    edit("UPDATE audit SET body = NULL, salt = NULL WHERE case_number = 'R-2026-0001'");
    let told = row(&ada.get(REPORT), seq);
    let person = format!("person {}", mara.id);
    for says in [&person, "no longer kept", "Identity verified", "new app set up Set up a new app"] {
        assert!(told.contains(says), "{says}: {told}");
    }
    for gone in ["Mara", "“", "()", "No evidence"] {
        assert!(!told.contains(gone), "{gone}: {told}");
    }
    edit("UPDATE audit SET (body, salt) = (SELECT body, salt FROM kept WHERE kept.seq = audit.seq)");
}

#[test]
fn a_period_that_can_not_be_used_is_explained_beside_its_field_and_writes_nothing() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    let head = world.head();
    for (query, says) in [
        ("since=yesterday", "yesterday"),
        ("until=2026-13-01", "2026-13-01"),
        ("since=2026-12-01&until=2026-11-01", "Write a time after the one under “since”."),
    ] {
        let page = ada.get(&format!("{REPORT}?{query}"));
        assert_eq!(page.status, 422, "{query}");
        assert!(page.says("This period can not be used as it is.") && page.says(says), "{query}: {}", page.text());
        assert!(rows(&page).is_empty() && !page.says("What this report rests on"), "{query}");
    }
    for bad in ["all=2", "before=x", "colour=red"] {
        assert_eq!(ada.get(&format!("{REPORT}?{bad}")).status, 400, "{bad}");
    }
    assert_eq!(ada.get(REPORT).status, 200);
    assert_eq!(world.head(), head, "reading writes nothing");
}

#[test]
fn refused_tries_are_no_resets_and_who_only_looks_after_themself_sees_no_report() {
    let (world, mut ada, mut mara) = owner_and_member();
    let me = world.user("ada@fernhill.example").id.to_string();
    assert_eq!(act(&mut ada, &me, "/mfa/reset", &FOUNDED).status, 403);
    assert_eq!(world.entries_of(Action::MfaFactorAdminReset).len(), 1, "the try is on record");
    let page = ada.get(REPORT);
    assert!(page.says("No reset in this period."), "{}", page.text());
    assert!(ada.get("/admin/audit").body.contains("href=\"/admin/audit/resets\""));
    assert_eq!(mara.browser.get(REPORT).status, 403);
}

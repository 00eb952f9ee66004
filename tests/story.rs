//! A case's whole story: on a page to print, and as the entries that an export gives.

use std::process::Command;
use std::time::Duration;

use crate::runbook::{act, reset};
use crate::world::{PASSWORD, World};

const STORY: &str = "/admin/recovery/R-2026-0001/story";

#[test]
fn the_story_tells_in_its_order_what_was_done_by_whom_and_on_what_it_rested() {
    let (world, mut ada, _) = World::with_owner();
    let mut noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin").browser;
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    world.later(Duration::from_secs(60));
    let vouched = [
        ("evidence", "manager_ticket"),
        ("voucher", "Jonas Berg, HR"),
        ("evidence_note", "called back"),
        ("ticket", "HR-77"),
        ("reason", "lost her phone on the train"),
        ("codes_unavailable", "on"),
    ];
    let pass = act(&mut noor, &mara.id, "/mfa/reset", &vouched).secret();
    let mut back = world.browser();
    back.password(&mara.email, PASSWORD);
    back.get("/enrol");
    back.post("/enrol/pass", &[("pass", "0000-0000-0000")]);
    back.post("/enrol/pass", &[("pass", &pass)]);
    world.enrol(&mut back);
    noor.get("/admin/recovery/R-2026-0001/message");
    noor.post("/admin/recovery/R-2026-0001/message", &[("message", "All is well."), ("how", "copied")]);

    let page = ada.get(STORY);
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    let order = [
        "The story of R-2026-0001",
        "Person Mara Lindqvist , mara@fernhill.example",
        "Opened 2026-11-24 09:0",
        "by Noor Haddad",
        "Reason lost her phone on the train (ticket HR-77)",
        "Done factors reset, 2026-11-24",
        "1 factor removed, 1 session ended, 10 backup codes left before",
        "Now recovered since 2026-11-24",
        "Message written 2026-11-24",
        "How it was made sure who it is",
        "Ticket by the manager or HR, 2026-11-24",
        "Jonas Berg, HR vouches (ticket HR-77): “called back”",
        "What was told",
        "All factors were removed, to mara@fernhill.example: waits to be sent",
        "What happened",
        "Recovery case opened: “lost her phone on the train” (ticket HR-77)",
        "Identity verified: manager ticket",
        "All factors removed (1)",
        "Enrolment pass shown",
        "Enrolled",
        "Recovered",
        "Message to the person copied",
    ];
    let mut rest = text.as_str();
    for part in order {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part}, after the one before, in: {rest}"));
        rest = &rest[at + part.len()..];
    }
    assert!(!page.body.contains(&pass) && !page.says("All is well"), "no secret, and no text of a message");
    assert_eq!(ada.get("/admin/recovery/R-2026-0002/story").status, 404);
}

#[test]
fn what_was_asked_for_and_how_it_came_out_stands_in_the_story() {
    let (world, mut ada, _) = World::with_owner();
    world.person(&mut ada, "lea@fernhill.example", "Lea Holm", "owner");
    let sam = world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin");
    world.later(Duration::from_secs(60));
    let answer = act(&mut ada, &sam.id, "/mfa/reset", &crate::runbook::FOUNDED);
    assert_eq!(answer.location(), "/admin/recovery/R-2026-0001", "{}", answer.text());
    let page = ada.get(STORY);
    for says in [
        "What had to be permitted Ada Brandt asked to remove all factors and give a pass, 2026-11-24",
        "“lost her phone on the train”",
        "Another admin or an owner had to permit it. It still waits.",
        "Message none was written",
        "waiting for approval since",
        "Asked to remove all factors and give a pass",
    ] {
        assert!(page.says(says), "{says}: {}", page.text());
    }
}

#[test]
fn an_export_of_a_case_gives_exactly_its_entries() {
    let (world, mut ada, _) = World::with_owner();
    for (email, name) in [("mara@fernhill.example", "Mara Lindqvist"), ("jonas@fernhill.example", "Jonas Berg")] {
        let person = world.person(&mut ada, email, name, "member");
        let pass = reset(&mut ada, &person.id);
        let mut back = world.browser();
        back.password(email, PASSWORD);
        back.get("/enrol");
        back.post("/enrol/pass", &[("pass", &pass)]);
        world.enrol(&mut back);
    }
    let own: Vec<i64> = world
        .entries()
        .iter()
        .filter(|e| e.header.case.as_deref() == Some("R-2026-0001"))
        .map(|e| e.header.seq)
        .collect();
    let ran = Command::new(env!("CARGO_BIN_EXE_idp"))
        .args(["audit", "export", "--case", "R-2026-0001", "--data"])
        .arg(world.data())
        .env_remove("IDP_DATA")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let lines: Vec<serde_json::Value> =
        String::from_utf8(ran.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let given: Vec<i64> = lines.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
    assert_eq!(given, own);
    assert!(lines.iter().all(|line| line["case"] == "R-2026-0001"), "{lines:?}");
    let actions: Vec<&str> = lines.iter().map(|line| line["action"].as_str().unwrap()).collect();
    for action in ["recovery.case_opened", "recovery.identity_verified", "mfa.factor_admin_reset", "recovery.completed"]
    {
        assert!(actions.contains(&action), "{actions:?}");
    }
    // The page tells as many.
    let page = ada.get(STORY);
    assert_eq!(page.body.matches("href=\"/admin/audit/").count(), own.len(), "{}", page.text());
}

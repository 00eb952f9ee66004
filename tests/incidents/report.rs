//! The report of an incident: what that account did, on the page, paged, and exported.

use std::time::Duration;

use idp::audit::{Action, Entry};

use super::{ATTACK, attacked};
use crate::objections::{Firm, link, object, send};
use crate::runbook::{FOUNDED, act};
use crate::world::body;

#[test]
fn the_report_tells_what_the_impostor_did_is_paged_by_the_database_and_exported_with_an_entry() {
    let (Firm { world, mut bo, mara, .. }, mut impostor, _) = attacked();
    let mara_now = world.user(&mara.email).id.to_string();
    assert!(impostor.get("/admin/users").status == 403);
    object(&world, &link(&world, &mara.id, "factors_reset"));
    assert!(bo.browser.get("/admin/recovery/R-2026-0001").body.contains("/admin/recovery/R-2026-0001/report\""));
    send(&mut bo.browser, "/admin/recovery/R-2026-0001/incident", &ATTACK);
    // What comes after the incident is no part of it.
    let note = format!("/admin/users/{}/notes", mara.id);
    send(&mut bo.browser, &note, &[("text", "she called at noon")]);
    world.later(Duration::from_secs(1));
    send(&mut bo.browser, &note, &[("text", "and at one")]);

    let page = bo.browser.get("/admin/recovery/R-2026-0001/report");
    assert_eq!(page.status, 200);
    for what in [
        "All factors removed (1)",
        "Enrolled “Authenticator app”",
        "Signed in (password and a newly set up app)",
        "Phone number added: +46709999999",
        "“This wasn't me”: the account is frozen",
        "Incident declared",
        "declared",
        "by Bo Nilsson",
        "somebody else called as her",
        "Let the real person back in: open a new case",
    ] {
        assert!(page.says(what), "{what}: {}", page.text());
    }
    assert!(!page.says("and at one"), "{}", page.text());
    let order = ["All factors removed", "Enrolled “", "Incident declared"].map(|w| page.text().rfind(w).unwrap());
    assert!(order.is_sorted(), "oldest first");

    // The whole of it as a file, by the export that the audit log has, which records itself.
    let before = world.head();
    let fields = [
        ("involving", page.hidden("involving").unwrap()),
        ("since", page.hidden("since").unwrap()),
        ("until", page.hidden("until").unwrap()),
    ];
    let mut sent: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    for (format, kind) in [("jsonl", "application/jsonl"), ("csv", "text/csv")] {
        sent.push(("format", format));
        let file = bo.browser.clone().post("/admin/audit/export", &sent);
        sent.pop();
        assert!(file.status == 200 && file.header("content-type").unwrap().starts_with(kind), "{}", file.text());
        let lines: Vec<&str> = file.body.lines().filter(|l| !l.starts_with("seq,")).collect();
        assert!(lines.len() > 10 && lines.iter().all(|line| line.contains(&mara_now)), "{format}");
        assert!(lines.iter().any(|l| l.contains("user.contact_changed")) && !file.body.contains("and at one"));
    }
    let exported = world.entries_of(Action::AuditExported);
    assert_eq!(exported.len(), 2);
    assert!(body(&exported[0]).fact("filter").contains(&format!("involving={mara_now}")) && world.head() == before + 2);
    let list = format!("/admin/audit?involving={mara_now}&since={}&until={}", fields[1].1, fields[2].1);
    assert!(bo.browser.get(&list.replace(':', "%3A")).says("Phone number added"), "{}", bo.browser.page.text());
}

#[test]
fn a_long_report_goes_on_on_further_pages_and_leaves_nothing_out() {
    let (Firm { world, mut bo, mut tom, mara, .. }, ..) = attacked();
    for n in 0..210 {
        let note = format!("/admin/users/{}/notes", mara.id);
        tom.browser.get(&note);
        assert_eq!(tom.browser.post(&note, &[("text", &format!("call number {n}"))]).status, 303);
    }
    object(&world, &link(&world, &mara.id, "factors_reset"));
    send(&mut bo.browser, "/admin/recovery/R-2026-0001/incident", &ATTACK);
    let first = bo.browser.get("/admin/recovery/R-2026-0001/report");
    let at = first.body.find("/report?after=").expect("there is more");
    let later: String = first.body[at..].chars().take_while(|c| *c != '"').collect();
    let second = bo.browser.get(&format!("/admin/recovery/R-2026-0001{later}"));
    let both = format!("{} {}", first.text(), second.text());
    for n in 0..210 {
        assert_eq!(both.matches(&format!("Note: call number {n} ")).count(), 1, "{n}");
    }
    assert!(second.says("Incident declared") && second.says("From the beginning") && !second.body.contains("?after="));
    assert_eq!(bo.browser.get("/admin/recovery/R-2026-0001/report?after=x").status, 400);
}

#[test]
fn the_command_exports_the_entries_of_a_case_and_of_all_that_involves_a_person() {
    use crate::carry_over::office;
    use crate::cli_world::idp_on;
    let (world, mut ada, _) = office();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    act(&mut ada, &mara.id, "/mfa/backup-codes", &FOUNDED);
    object(&world, &link(&world, &mara.id, "codes_issued"));
    let case = format!("R-{}-0001", &world.now().to_string()[..4]);
    send(&mut ada, &format!("/admin/recovery/{case}/incident"), &ATTACK);
    let of_case = idp_on(&world.data(), &["audit", "export", "--case", &case]).done();
    for what in ["recovery.disavowed", "user.disabled", "recovery.incident_declared", "mfa.factor_admin_reset"] {
        assert!(of_case.contains(what), "{what}: {of_case}");
    }
    let involving = idp_on(&world.data(), &["audit", "export", "--involving", "mara@fernhill.example"]).done();
    let all = world.entries();
    let theirs =
        |e: &&Entry| [&e.header.actor_id, &e.header.target_id].into_iter().any(|id| id.as_ref() == Some(&mara.id));
    assert_eq!(involving.lines().count(), all.iter().filter(theirs).count());
    let both = ["--involving", "mara@fernhill.example", "--action", "mfa.factor_enrolled"];
    let narrowed = idp_on(&world.data(), &[&["audit", "export"], &both[..]].concat()).done();
    assert_eq!(narrowed.lines().count(), 1, "{narrowed}");
}

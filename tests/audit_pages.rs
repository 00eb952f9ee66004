//! The trail in the console: the list and its filter, one entry in full, the export of exactly that.

use std::time::Duration;

use data_encoding::HEXLOWER;
use idp::audit::Action;
use serde_json::Value;

use crate::runbook::{FOUNDED, act, owner_and_member, reset};
use crate::world::{Answer, Browser, PASSWORD, World, body};

/// The numbers of the entries that a page lists, in its order.
fn listed(page: &Answer) -> Vec<i64> {
    let table = page.body.split("<table").nth(1).unwrap_or_default();
    let links = table.split("href=\"/admin/audit/").skip(1);
    links.filter_map(|l| l.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()).collect()
}

fn query(fields: &[(&str, &str)]) -> String {
    format!("/admin/audit?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
}

/// The numbers that a filter finds in the list.
fn find(browser: &mut Browser, fields: &[(&str, &str)]) -> Vec<i64> {
    let page = browser.get(&query(fields));
    assert_eq!(page.status, 200, "{}", page.text());
    listed(&page)
}

/// The numbers of the entries for which `is` holds, newest first.
fn those(world: &World, is: impl Fn(&idp::audit::Entry) -> bool) -> Vec<i64> {
    world.entries().iter().rev().filter(|e| is(e)).map(|e| e.header.seq).collect()
}

/// Exports what `fields` find; opens the list first, as the form is there.
fn export(browser: &mut Browser, fields: &[(&str, &str)], format: &str) -> Answer {
    let page = browser.get(&query(fields));
    let mut form = fields.to_vec();
    form.push(("format", format));
    let answer = browser.post("/admin/audit/export", &form);
    browser.page = page;
    answer
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A world in which things happened: a reset by the owner, a sign-in that failed, an hour later a refused act.
fn eventful() -> (World, Browser, String) {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    world.browser().password(&mara.email, "not her password");
    world.browser().password("nobody@fernhill.example", "whatever it may be");
    world.later(Duration::from_secs(840));
    world.sweep();
    let me = world.user("ada@fernhill.example").id.to_string();
    assert_eq!(act(&mut ada, &me, "/disable", &[("reason", "a mistake")]).status, 403);
    (world, ada, mara.id)
}

#[test]
fn the_list_is_newest_first_and_paged_without_gap_or_repetition() {
    let (world, mut ada, _) = eventful();
    for n in 0..110 {
        let id = world.user("mara@fernhill.example").id.to_string();
        assert_eq!(act(&mut ada, &id, "/notes", &[("text", &format!("note number {n}"))]).status, 303);
    }
    let head = world.head();
    let mut seen = Vec::new();
    let mut page = ada.get("/admin/audit");
    loop {
        let here = listed(&page);
        assert!(here.len() <= 50);
        seen.extend(here);
        let Some(at) = page.body.find("before=") else { break };
        let before: String = page.body[at + 7..].chars().take_while(char::is_ascii_digit).collect();
        page = ada.get(&format!("/admin/audit?before={before}"));
    }
    assert_eq!(seen, (1..=head).rev().collect::<Vec<_>>());
}

#[test]
fn each_filter_finds_exactly_what_its_field_says() {
    let (world, mut ada, mara) = eventful();
    let me = world.user("ada@fernhill.example").id.to_string();
    let by_action = those(&world, |e| e.header.action == "mfa.factor_admin_reset");
    assert_eq!(find(&mut ada, &[("action", "mfa.factor_admin_reset")]), by_action);
    let of_mara = those(&world, |e| e.header.target_id.as_deref() == Some(mara.as_str()));
    assert!(of_mara.len() > 5);
    assert_eq!(find(&mut ada, &[("person", "mara@fernhill.example")]), of_mara);
    assert_eq!(find(&mut ada, &[("person", " MARA@fernhill.example ")]), of_mara);
    assert_eq!(find(&mut ada, &[("person", &mara)]), of_mara);
    let by_me = those(&world, |e| e.header.actor_id.as_deref() == Some(me.as_str()));
    assert_eq!(find(&mut ada, &[("actor", "ada@fernhill.example")]), by_me);
    for kind in ["host", "system", "anonymous"] {
        let of_kind = those(&world, |e| e.header.actor_kind == kind);
        assert_eq!(find(&mut ada, &[("actor", kind)]), of_kind, "{kind}");
    }
    for outcome in ["success", "failure", "denied"] {
        let of_outcome = those(&world, |e| e.header.outcome == outcome);
        assert!(!of_outcome.is_empty(), "{outcome}");
        assert_eq!(find(&mut ada, &[("outcome", outcome)]), of_outcome);
    }
    let of_case = those(&world, |e| e.header.case.is_some());
    assert_eq!(of_case.len(), 4);
    assert_eq!(find(&mut ada, &[("case", "R-2026-0001")]), of_case);
    // "Since" takes its moment in, "until" leaves it out: two neighbouring ranges share nothing and miss nothing.
    let at = world.entries_of(Action::UserDisabled)[0].header.at;
    let (since, until) = (find(&mut ada, &[("since", &at.to_string())]), find(&mut ada, &[("until", &at.to_string())]));
    assert_eq!(since, those(&world, |e| e.header.at >= at));
    assert_eq!(until, those(&world, |e| e.header.at < at));
    assert!(!since.is_empty() && !until.is_empty());
    assert_eq!(find(&mut ada, &[("since", "2026-11-24"), ("until", "2026-11-25")]).len(), world.head() as usize);
    assert_eq!(find(&mut ada, &[("until", "2026-11-24")]), [0; 0]);
}

#[test]
fn filters_combine_and_stay_in_the_address_and_in_the_form() {
    let (world, mut ada, mara) = eventful();
    let all = [
        ("action", "user.disabled"),
        ("person", "ada@fernhill.example"),
        ("actor", "ada@fernhill.example"),
        ("outcome", "denied"),
        ("since", "2026-11-24T09:00:00Z"),
        ("until", "2026-11-25"),
    ];
    assert_eq!(find(&mut ada, &all), those(&world, |e| e.header.outcome == "denied"));
    let page = ada.page.clone();
    for (_, value) in all {
        assert!(
            page.body.matches(&format!("value=\"{value}\"")).count() >= 2,
            "{value} is in the filter and in the export"
        );
    }
    let other = [("action", "user.disabled"), ("person", mara.as_str())];
    assert_eq!(find(&mut ada, &other), [0; 0]);
    assert!(ada.page.says("No entry matches."));
    // The link to older entries carries the filter.
    for n in 0..60 {
        act(&mut ada, &mara, "/notes", &[("text", &format!("note number {n}"))]);
    }
    let page = ada.get(&query(&[("action", "user.note_added"), ("outcome", "success")]));
    assert!(page.body.contains("action=user.note_added&amp;outcome=success&amp;before="), "{}", page.body);
}

#[test]
fn a_filter_that_can_not_be_used_is_explained_beside_its_field_and_kept() {
    let (world, mut ada, _) = eventful();
    let head = world.head();
    for (name, value, says) in [
        ("action", "mfa.magic", "This is no action"),
        ("outcome", "maybe", "Choose an outcome"),
        ("person", "nobody@fernhill.example", "Nobody has this address"),
        ("person", "mara", "Nobody has this address"),
        ("actor", "the boss", "Nobody has this address"),
        ("case", "42", "Write a case like"),
        ("since", "yesterday", "yesterday"),
        ("until", "2026-13-01", "2026-13-01"),
    ] {
        let page = ada.get(&query(&[(name, value)]));
        assert_eq!(page.status, 422, "{name}={value}");
        assert!(page.says(says), "{name}={value}: {}", page.text());
        assert!(listed(&page).is_empty(), "a filter that is not understood shows nothing, rather than too much");
        if !["action", "outcome"].contains(&name) {
            assert!(page.body.contains(&format!("value=\"{value}\"")), "{name}={value} is kept");
        }
        assert_eq!(export(&mut ada, &[(name, value)], "jsonl").status, 422, "nor is it exported");
    }
    for bad in
        ["/admin/audit?before=x", "/admin/audit?colour=red", "/admin/audit?action=a&action=b", "/admin/audit?case=%FF"]
    {
        assert_eq!(ada.get(bad).status, 400, "{bad}");
    }
    assert_eq!(world.head(), head, "reading writes nothing");
}

#[test]
fn one_entry_in_full_shows_the_hashes_that_the_database_holds() {
    let (world, mut ada, _) = eventful();
    let entry = world.entries_of(Action::MfaFactorAdminReset)[0].clone();
    let page = ada.get(&format!("/admin/audit/{}", entry.header.seq));
    assert_eq!(page.status, 200);
    for bytes in [entry.hash, entry.prev_hash, entry.body_digest] {
        assert!(page.says(&HEXLOWER.encode(&bytes)));
    }
    for said in [&entry.header.lineage, &entry.header.at.to_string(), "mfa.factor_admin_reset", "R-2026-0001"] {
        assert!(page.says(said), "{said}");
    }
    for said in ["lost her phone on the train", "#1234", "Mara Lindqvist <mara@fernhill.example>", "192.0.2.1"] {
        assert!(page.says(said), "{said}");
    }
    let of_neighbours = [entry.header.seq - 1, entry.header.seq + 1].map(|seq| format!("/admin/audit/{seq}\""));
    assert!(of_neighbours.iter().all(|link| page.body.contains(link)));
    for nothing in ["0", "-1", "999999"] {
        assert_eq!(ada.get(&format!("/admin/audit/{nothing}")).status, 404, "{nothing}");
    }
}

#[test]
fn an_export_is_exactly_what_the_list_shows_and_stands_in_the_trail_itself() {
    let (world, mut ada, _) = eventful();
    let filters: [&[(&str, &str)]; 4] = [
        &[],
        &[("action", "mfa.factor_admin_reset")],
        &[("person", "mara@fernhill.example"), ("outcome", "success")],
        &[("case", "R-2026-0001")],
    ];
    for fields in filters {
        let (shown, head) = (find(&mut ada, fields), world.head());
        let answer = export(&mut ada, fields, "jsonl");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/jsonl; charset=utf-8"));
        let name = format!("attachment; filename=\"audit-2026-11-24-{head}.jsonl\"");
        assert_eq!(answer.header("content-disposition"), Some(name.as_str()));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let mut exported: Vec<i64> = lines(&answer).iter().map(|l| l["seq"].as_i64().unwrap()).collect();
        exported.reverse();
        assert_eq!(exported, shown);

        let own = world.entries().pop().unwrap();
        assert_eq!((own.header.seq, own.header.action.as_str()), (head + 1, "audit.exported"));
        assert_eq!(body(&own).text("actor_name"), "Ada Brandt <ada@fernhill.example>");
        assert_eq!(body(&own).fact("entries_up_to"), head.to_string());
    }
    let answer = export(&mut ada, &[("action", "mfa.factor_admin_reset")], "jsonl");
    let (line, entry) = (&lines(&answer)[0], &world.entries_of(Action::MfaFactorAdminReset)[0]);
    assert_eq!(line["hash"], HEXLOWER.encode(&entry.hash));
    assert_eq!(line["prev_hash"], HEXLOWER.encode(&entry.prev_hash));
    assert_eq!(line["reason"], "lost her phone on the train");
}

#[test]
fn an_export_as_csv_has_the_same_entries_and_nothing_that_a_spreadsheet_would_run() {
    let (world, mut ada, mara) = owner_and_member();
    let mut fields = FOUNDED;
    fields[1].1 = "@SUM(1)";
    fields[2].1 = "=HYPERLINK(\"http://evil.example\",\"click\")\r\n=2+2";
    assert_eq!(act(&mut ada, &mara.id, "/mfa/reset", &fields).status, 200);
    ada.agent = "+cmd|' /C calc'!A0".into();
    act(&mut ada, &mara.id, "/notes", &[("text", "-1+1")]);
    let shown = find(&mut ada, &[]);
    let answer = export(&mut ada, &[], "csv");
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    let mut reader = csv::Reader::from_reader(answer.body.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let numbers: Vec<i64> = rows.iter().rev().map(|r| r[0].parse().unwrap()).collect();
    assert_eq!(numbers, shown);
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
    assert!(answer.body.contains("'=HYPERLINK") && answer.body.contains("'@SUM(1)") && answer.body.contains("'+cmd"));
    assert_eq!(answer.body.lines().count(), rows.len() + 1, "no entry fakes a line");
    assert_eq!(world.entries_of(Action::AuditExported).len(), 1);
}

#[test]
fn an_export_is_a_form_of_this_session_and_nothing_else() {
    let (world, mut ada, _) = eventful();
    let head = world.head();
    assert_eq!(ada.get("/admin/audit/export").status, 405, "following a link exports nothing");
    ada.get("/admin/audit");
    assert_eq!(ada.clone().post("/admin/audit/export", &[("csrf", "AAAA")]).status, 403);
    assert_eq!(ada.clone().post_raw("/admin/audit/export", "format=jsonl").status, 403);
    assert_eq!(ada.clone().post("/admin/audit/export", &[("format", "xlsx")]).status, 400);
    assert_eq!(ada.clone().post("/admin/audit/export?action=user.created", &[]).status, 400);
    assert_eq!(world.head(), head);
}

#[test]
fn an_auditor_reads_and_exports_the_trail_and_sees_nothing_else_and_a_member_sees_none_of_it() {
    let (world, mut ada, mara) = owner_and_member();
    let mut auditor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "auditor").browser;
    reset(&mut ada, &mara.id);
    let seq = world.entries_of(Action::MfaFactorAdminReset)[0].header.seq;
    assert!(auditor.follow("/admin").says("Audit log"), "that is where an auditor begins");
    let page = auditor.get(&format!("/admin/audit/{seq}"));
    assert_eq!(page.status, 200);
    assert!(
        !page.body.contains("/admin/users/") && !page.body.contains("/admin/recovery/"),
        "no link that would be refused"
    );
    let answer = export(&mut auditor, &[("action", "mfa.factor_admin_reset")], "jsonl");
    assert_eq!((answer.status, lines(&answer).len()), (200, 1));
    let closed = ["/admin/users", "/admin/users/new", "/admin/recovery", "/admin/recovery/R-2026-0001"];
    let person = format!("/admin/users/{}", mara.id);
    for path in closed.iter().copied().chain([person.as_str()]) {
        assert_eq!(auditor.get(path).status, 403, "{path}");
    }

    let mut kim = world.person(&mut ada, "kim@fernhill.example", "Kim", "member").browser;
    for path in ["/admin", "/admin/audit", "/admin/audit/1", "/admin/users"] {
        assert_eq!(kim.get(path).status, 403, "{path}");
        assert_eq!(world.browser().get(path).status, 303, "{path} to a stranger");
    }
    kim.get("/profile");
    let head = world.head();
    assert_eq!(kim.post("/admin/audit/export", &[("format", "jsonl")]).status, 403);
    assert_eq!(world.story_since(head), ["user.access_refused denied"]);
}

#[test]
fn what_people_typed_is_shown_as_text_and_can_not_fake_a_line() {
    let (world, mut ada, _) = World::with_owner();
    world.person(&mut ada, "x@fernhill.example", "<b onclick=x>Eve</b> & \"Co\"", "member");
    let id = world.user("x@fernhill.example").id.to_string();
    let mut fields = FOUNDED;
    fields[2].1 = "<script>alert(1)</script>\u{202e}evil\u{0}\nuser.created success";
    assert_eq!(act(&mut ada, &id, "/mfa/reset", &fields).status, 200, "{}", ada.page.text());
    let mut eve = world.browser();
    eve.agent = "<img src=x>\u{202e}\u{7}".into();
    eve.password("x@fernhill.example", PASSWORD);
    let mut paths = vec!["/admin/audit".to_owned(), "/admin/users".into(), "/admin/recovery/R-2026-0001".into()];
    paths.extend((1..=world.head()).map(|seq| format!("/admin/audit/{seq}")));
    paths.extend(["", "/mfa", "/activity", "/mfa/reset"].map(|tab| format!("/admin/users/{id}{tab}")));
    for path in paths {
        let page = ada.get(&path);
        assert_eq!(page.status, 200, "{path}");
        for trick in ["<b onclick", "<script>alert", "<img src=x", "\u{202e}", "\u{0}", "\u{7}"] {
            assert!(!page.body.contains(trick), "{path}: {trick:?}");
        }
    }
    let answer = export(&mut ada, &[], "jsonl");
    assert_eq!(lines(&answer).len() as i64, world.head() - 1);
    assert!(!answer.body.contains('\u{202e}') && !answer.body.contains('\u{7}'));
}

#[test]
fn a_time_range_that_ends_before_it_begins_is_told_and_shows_no_empty_list() {
    let (_, mut ada, _) = World::with_owner();
    let page = ada.get("/admin/audit?since=2026-12-01T00%3A00%3A00Z&until=2026-11-01T00%3A00%3A00Z");
    assert_eq!(page.status, 422);
    assert!(
        page.says("Write a time after the one under “since”.") && !page.says("No entry matches"),
        "{}",
        page.text()
    );
}

#[test]
fn the_state_of_the_chain_is_said_as_far_as_is_known_without_reading_all_of_it() {
    let (world, mut ada, mara) = owner_and_member();
    let mut noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "auditor").browser;
    let newest = world.entries().pop().unwrap();
    let page = noor.get("/admin/audit?action=backup.created");
    let said = format!(
        "the newest entry is {} , just now , seal (hash) {} , and it extends the one before.",
        newest.header.seq,
        &HEXLOWER.encode(&newest.hash)[..16]
    );
    assert!(page.says(&said), "{said}: {}", page.text());
    assert!(page.says("No backup has checked all entries one by one yet.") && page.says("idp audit verify"));

    let folder = tempfile::tempdir().unwrap();
    let host = crate::world::host();
    let made = idp::actions::backup::create(&world.app.means.store, &host, folder.path(), None, world.now()).unwrap();
    assert_eq!(made.head.seq, newest.header.seq);
    world.later(Duration::from_secs(240));
    act(&mut ada, &mara.id, "/notes", &[("text", "after the backup")]);
    let page = noor.get("/admin/audit");
    let said = format!("the newest entry is {} , just now , seal (hash)", newest.header.seq + 2);
    assert!(page.says(&said), "{said}: {}", page.text());
    let said =
        format!("Entries 1 to {} were last checked one by one with a backup, 4 minutes ago .", newest.header.seq);
    assert!(page.says(&said), "{said}: {}", page.text());

    // An edit of the newest entry is seen here; one of an earlier entry only by whoever verifies all of them.
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let guard = "SELECT sql FROM sqlite_schema WHERE name = 'audit_is_append_only_update'";
    let guard: String = db.query_row(guard, [], |row| row.get(0)).unwrap();
    let edit = |to: &str, from: &str| {
        let sql = format!(
            "UPDATE audit SET outcome = '{to}' WHERE outcome = '{from}' AND seq = (SELECT max(seq) FROM audit)"
        );
        db.execute_batch(&format!("DROP TRIGGER audit_is_append_only_update; {sql}; {guard}")).unwrap();
    };
    edit("denied", "success");
    let page = noor.get("/admin/audit");
    assert!(page.says("is not as it was written.") && !page.says("it extends the one before"), "{}", page.text());
    edit("success", "denied");
    assert!(noor.get("/admin/audit").says("it extends the one before"));
}

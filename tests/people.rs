//! The console's list of people: adding, inviting, searching, paging.

use std::collections::BTreeSet;
use std::time::Duration;

use idp::audit::Action;

use crate::runbook::{FOUNDED, act, owner_and_member, reset, rows};
use crate::world::{Answer, Browser, PASSWORD, World, body};

/// The ids of the people that a page of the list shows, in its order.
fn listed(page: &Answer) -> Vec<String> {
    let rest = page.body.split("<table").nth(1).unwrap_or_default();
    let links = rest.split("href=\"/admin/users/").skip(1);
    links
        .map(|l| l.chars().take_while(|c| *c != '"' && *c != '?').collect())
        .filter(|id: &String| id.len() == 36)
        .collect()
}

/// The names found by a query, as the page shows them.
fn find(admin: &mut Browser, query: &[(&str, &str)]) -> Vec<String> {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let page = admin.get(&format!("/admin/users?{query}"));
    assert_eq!(page.status, 200, "{}", page.text());
    let names = page.body.split("<strong><bdi>").skip(1).map(|rest| rest.split('<').next().unwrap());
    let plain =
        |name: &str| name.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    names.map(plain).collect()
}

/// What the invitation page shows.
fn link_of(page: &Answer) -> String {
    let at = page.body.find("/invitation/").expect("the link is shown");
    page.body[at..].chars().take_while(|c| *c != '<' && *c != '"').collect()
}

#[test]
fn an_owner_adds_people_of_every_role_and_an_admin_members_only() {
    let (world, mut ada, _) = World::with_owner();
    for role in ["member", "auditor", "admin", "owner"] {
        let email = format!("{role}@fernhill.example");
        world.invite(&mut ada, &email, role, role);
        assert_eq!(world.user(&email).role.as_str(), role);
    }
    let mut sam = world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin").browser;
    world.invite(&mut sam, "new@fernhill.example", "New Member", "member");
    for role in ["auditor", "admin", "owner"] {
        sam.get("/admin/users/new");
        assert!(!sam.page.body.contains(&format!("value=\"{role}\"")), "{role} is not offered");
        let fields = [("email", "x@fernhill.example"), ("name", "X"), ("role", role)];
        let page = sam.post("/admin/users/new", &fields);
        assert_eq!(page.status, 403);
        assert!(page.says("Only an owner gives a role above member") && page.body.contains("x@fernhill.example"));
        let denied = world.entries_of(Action::UserCreated).pop().unwrap();
        assert_eq!(
            (denied.header.outcome.as_str(), body(&denied).fact("rule").as_str()),
            ("denied", "role_above_yours")
        );
    }
}

#[test]
fn who_is_added_wrongly_is_not_added_and_the_form_keeps_what_was_typed() {
    let (world, mut ada, mara) = owner_and_member();
    let people = |world: &World| {
        let db = rusqlite::Connection::open(world.database()).unwrap();
        db.query_row("SELECT count(*) FROM users", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    for (email, name, role, says) in [
        ("", "Noor", "member", "e-mail"),
        ("noor", "Noor", "member", "e-mail"),
        ("noor@fernhill.example", "", "member", "Enter a name"),
        ("noor@fernhill.example", "No\u{202e}or", "member", "without invisible characters"),
        ("noor@fernhill.example", "Noor", "king", "Choose a role"),
        ("MARA@Fernhill.Example", "Another Mara", "member", "Someone with this address is here already"),
    ] {
        ada.get("/admin/users/new");
        let page = ada.post("/admin/users/new", &[("email", email), ("name", name), ("role", role)]);
        assert_eq!(page.status, 422, "{email} {name} {role}");
        assert!(page.says(says), "{says}: {}", page.text());
        assert!(email.is_empty() || page.body.contains(email), "{email} is kept");
    }
    assert_eq!(people(&world), 2);
    let denied = world.entries_of(Action::UserCreated).pop().unwrap();
    assert_eq!(denied.header.target_id.as_deref(), Some(mara.id.as_str()));
}

#[test]
fn an_invitation_is_shown_once_works_once_and_dies_after_72_hours() {
    let (world, mut ada, _) = World::with_owner();
    let link = world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let id = world.user("noor@fernhill.example").id.to_string();
    let shown = link.rsplit('/').next().unwrap();
    for path in [format!("/admin/users/{id}"), format!("/admin/users/{id}/activity"), "/admin/audit".into()] {
        assert!(!ada.get(&path).body.contains(shown), "{path}");
    }
    let mut noor = world.browser();
    assert_eq!(noor.get(&link).status, 200);
    world.later(Duration::from_secs(72 * 3_600 - 1));
    assert_eq!(noor.get(&link).status, 200);
    world.later(Duration::from_secs(1));
    assert_eq!(noor.post(&link, &[("password", PASSWORD)]).status, 410, "{}", noor.page.text());
    assert_eq!(world.browser().get(&link).status, 410);

    let link = world.invite(&mut fresh_owner(&world), "kim@fernhill.example", "Kim", "member");
    world.accept(&link);
    assert_eq!(world.browser().get(&link).status, 410, "it is used up");
}

/// The owner of a world whose sessions are long over: a new one by the host's command.
fn fresh_owner(world: &World) -> Browser {
    use idp::actions::grants::Granted;
    use idp::actions::recover::break_glass;
    use idp::recovery::{Evidence, Statement};
    let reason = "the clock moved on".parse().unwrap();
    let statement = Statement { evidence: Evidence::host(world.now()), reason, ticket: None };
    let id = world.user("ada@fernhill.example").id;
    let Granted::Yes(reset) = break_glass(&world.app.means, id, statement, crate::world::host()).unwrap() else {
        panic!("refused")
    };
    let mut browser = world.browser();
    browser.password("ada@fernhill.example", PASSWORD);
    browser.get("/enrol");
    browser.post("/enrol/pass", &[("pass", &reset.pass.to_text())]);
    world.enrol(&mut browser);
    browser
}

#[test]
fn inviting_again_voids_the_earlier_link_and_is_for_who_has_not_accepted() {
    let (world, mut ada, mara) = owner_and_member();
    let first = world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let id = world.user("noor@fernhill.example").id.to_string();
    let page = act(&mut ada, &id, "/invitation", &FOUNDED);
    assert_eq!(page.status, 200);
    let second = link_of(&page);
    assert_ne!(first, second);
    assert_eq!(rows(&world, "links", &id), 1);
    assert_eq!(world.browser().get(&first).status, 410);
    assert_eq!(world.browser().get(&second).status, 200);
    let page = act(&mut ada, &mara.id, "/invitation", &FOUNDED);
    assert_eq!(page.status, 403);
    assert!(page.says("has accepted the invitation already"));
}

#[test]
fn people_are_found_by_any_part_of_name_or_address() {
    let (world, mut ada, _) = World::with_owner();
    for (email, name) in [
        ("mara@fernhill.example", "Mara Lindqvist"),
        ("li.wei@fernhill.example", "李 伟"),
        ("asa@fernhill.example", "Åsa Öberg"),
        ("under_score@fernhill.example", "Percy 100% \"Quote\" O'Neil"),
        ("zoe@elsewhere.example", "Ζωή Παπαδοπούλου"),
        ("back@fernhill.example", "Back\\slash * AND"),
    ] {
        world.invite(&mut ada, email, name, "member");
    }
    let mut q = |text: &str| find(&mut ada, &[("q", text)]);
    assert_eq!(q("lindq"), ["Mara Lindqvist"]);
    assert_eq!(q("LINDQVIST"), ["Mara Lindqvist"]);
    assert_eq!(q("Li"), ["Mara Lindqvist", "李 伟"], "two letters, also inside a name and in an address");
    assert_eq!(q("qv"), ["Mara Lindqvist"]);
    assert_eq!(q("z"), ["Ζωή Παπαδοπούλου"]);
    assert_eq!(q("李"), ["李 伟"]);
    assert_eq!(q("ås"), ["Åsa Öberg"], "in either case");
    assert_eq!(q("Ö"), ["Åsa Öberg"]);
    assert_eq!(q("öberg"), ["Åsa Öberg"]);
    assert_eq!(q("παπ"), ["Ζωή Παπαδοπούλου"]);
    assert_eq!(q("elsewhere"), ["Ζωή Παπαδοπούλου"]);
    assert_eq!(q("%"), ["Percy 100% \"Quote\" O'Neil"]);
    assert_eq!(q("_"), ["Percy 100% \"Quote\" O'Neil"]);
    assert_eq!(q("\""), ["Percy 100% \"Quote\" O'Neil"]);
    assert_eq!(q("\"Quote\""), ["Percy 100% \"Quote\" O'Neil"]);
    assert_eq!(q("O'N"), ["Percy 100% \"Quote\" O'Neil"]);
    assert_eq!(q("\\"), ["Back\\slash * AND"]);
    assert_eq!(q("* AND"), ["Back\\slash * AND"]);
    assert_eq!(q("  lindq  "), ["Mara Lindqvist"]);
    assert_eq!(q("name:mara"), [""; 0]);
    assert_eq!(q("%%"), [""; 0]);
}

#[test]
fn the_list_is_narrowed_by_state_and_role() {
    let (world, mut ada, mara) = owner_and_member();
    world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin");
    world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "auditor");
    assert_eq!(find(&mut ada, &[("state", "invited")]), ["Noor Haddad"]);
    assert_eq!(find(&mut ada, &[("state", "active"), ("role", "member")]), ["Mara Lindqvist"]);
    assert_eq!(find(&mut ada, &[("role", "owner")]), ["Ada Brandt"]);
    assert_eq!(find(&mut ada, &[("q", "fernhill"), ("role", "admin")]), ["Sam Okafor"]);
    assert_eq!(find(&mut ada, &[("state", "awaiting")]), [""; 0]);
    reset(&mut ada, &mara.id);
    assert_eq!(find(&mut ada, &[("state", "awaiting")]), ["Mara Lindqvist"]);
    assert!(ada.page.body.contains("<option value=\"awaiting\" selected>"));
    assert_eq!(act(&mut ada, &mara.id, "/disable", &[("reason", "left the firm")]).status, 303);
    assert_eq!(find(&mut ada, &[("state", "disabled")]), ["Mara Lindqvist"]);
    assert_eq!(find(&mut ada, &[("state", "awaiting")]), [""; 0]);
}

#[test]
fn a_list_of_120_people_is_paged_by_a_cursor_without_gap_or_repetition() {
    let (world, mut ada, _) = World::with_owner();
    for n in 0..119 {
        // Equal names too: the cursor has to tell them apart.
        world.invite(&mut ada, &format!("p{n:03}@fernhill.example"), &format!("person {}", n / 4), "member");
    }
    let mut seen = Vec::new();
    let mut page = ada.get("/admin/users?q=&state=&role=");
    let mut sizes = Vec::new();
    loop {
        let here = listed(&page);
        sizes.push(here.len());
        seen.extend(here);
        let Some(at) = page.body.find("after=") else { break };
        let after: String = page.body[at + 6..].chars().take_while(|c| *c != '"' && *c != '&').collect();
        page = ada.get(&format!("/admin/users?after={after}"));
        assert_eq!(page.status, 200);
    }
    assert_eq!(sizes, [50, 50, 20]);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 120, "nobody twice, nobody left out");
    assert!(page.says("Back to the first"));
    // The filter goes along with the cursor.
    let page = ada.get("/admin/users?q=person&state=invited");
    assert!(page.body.contains("q=person&amp;state=invited&amp;after="), "{}", page.body);
}

#[test]
fn an_empty_list_says_what_to_do_and_a_filter_that_can_not_be_used_keeps_what_was_typed() {
    let (_world, mut ada, _) = World::with_owner();
    let page = ada.get("/admin/users?q=nobody+of+this+name");
    assert!(page.says("Nobody matches.") && page.body.contains("value=\"nobody of this name\""));
    for (query, says) in [("state=asleep&q=mara", "Choose a state"), ("role=king&q=mara", "Choose a role")] {
        let page = ada.get(&format!("/admin/users?{query}"));
        assert_eq!(page.status, 422);
        assert!(page.says(says) && page.body.contains("value=\"mara\""), "{}", page.text());
    }
    assert_eq!(ada.get("/admin/users?after=first").status, 422);
    assert_eq!(ada.get("/admin/users?page=2").status, 400, "an unknown field is named, not ignored");
    assert_eq!(ada.get("/admin/users?q=a&q=b").status, 400);
    assert_eq!(ada.get("/admin/users/nobody").status, 404);
    assert_eq!(ada.get("/admin/users/00000000-0000-0000-0000-000000000000").status, 404);
}

//! The console's list of people: adding, inviting, searching, paging.

use std::collections::BTreeSet;
use std::time::Duration;

use idp::audit::Action;
use idp::policy::INVITATION;

use crate::runbook::{FOUNDED, act, owner_and_member, reset, rows};
use crate::world::{Answer, Browser, PASSWORD, Phone, World, body};

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

/// Ada, where her session has ended in the meantime.
fn ada_again(world: &World, phone: &Phone) -> Browser {
    let mut ada = world.browser();
    ada.sign_in(world, "ada@fernhill.example", PASSWORD, phone);
    ada
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
    let statement = Statement { evidence: Some(Evidence::host(world.now())), reason, ticket: None };
    let id = world.user("ada@fernhill.example").id;
    let Granted::Yes(reset) = break_glass(&world.app.means, id, statement, crate::world::host()).unwrap() else {
        panic!("refused")
    };
    let mut browser = world.browser();
    browser.password("ada@fernhill.example", PASSWORD);
    browser.get("/enrol");
    browser.post("/enrol/pass", &[("pass", &reset.pass.unwrap().to_text())]);
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
        ("inci@fernhill.example", "İnci Νίκος"),
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
    for end in ["ος", "ΟΣ", "ς", "σ"] {
        assert_eq!(q(end), ["İnci Νίκος"], "{end}: also at the end of a text");
    }
    assert_eq!(q("İn"), ["İnci Νίκος"]);
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
fn a_list_of_who_needs_attention_for_any_reason_is_paged_in_the_order_of_names() {
    let (world, mut ada, phone) = World::with_owner();
    for n in 0..117 {
        // Equal names too, and in another order than that of their rows.
        world.invite(&mut ada, &format!("p{n:03}@fernhill.example"), &format!("person {:02}", 40 - n / 3), "member");
    }
    world.later(INVITATION);
    let mut ada = ada_again(&world, &phone);
    world.person(&mut ada, "well@fernhill.example", "person 20", "member");
    let waits = world.person(&mut ada, "waits@fernhill.example", "person 21", "member");
    reset(&mut ada, &waits.id);
    let mut given = world.person(&mut ada, "given@fernhill.example", "Person 22", "admin");
    // Two reasons do not make two lines.
    for code in &given.codes[..8] {
        let mut browser = world.browser();
        browser.password(&given.email, PASSWORD);
        assert_eq!(browser.backup_code(code).status, 303);
        given.browser = browser;
    }
    world.without_second_person();
    world.temporary_password(&mut ada, &given.id);
    let names = |page: &Answer| -> Vec<String> {
        let names = page.body.split("<strong><bdi>").skip(1).map(|rest| rest.split('<').next().unwrap().to_lowercase());
        names.collect()
    };
    for (role, count) in [("", 119), ("member", 118), ("admin", 1)] {
        let address = format!("/admin/users?state=attention&role={role}");
        let (mut seen, mut named, mut page) = (Vec::new(), Vec::new(), ada.get(&address));
        loop {
            seen.extend(listed(&page));
            named.extend(names(&page));
            // The address of the page itself stands in it too, in the notice that one has not read yet.
            let pager = page.body.split("class=\"pager\"").nth(1).unwrap_or_default();
            let Some(at) = pager.find("after=") else { break };
            let after: String = pager[at + 6..].chars().take_while(|c| *c != '"' && *c != '&').collect();
            page = ada.get(&format!("{address}&after={after}"));
        }
        assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (count, count), "{role}: nobody twice");
        assert!(named.is_sorted(), "{named:?}");
        assert_eq!(seen.contains(&given.id), role != "member");
        assert_eq!(seen.contains(&waits.id), role != "admin");
    }
    assert_eq!(find(&mut ada, &[("q", "person 2"), ("state", "awaiting")]), ["person 21"]);
    assert_eq!(find(&mut ada, &[("q", "22"), ("state", "few-codes")]), ["Person 22"]);
}

#[test]
fn of_very_many_who_match_200_are_listed_and_the_page_says_so() {
    let (world, mut ada, _) = World::with_owner();
    let add = |ada: &mut Browser, from, to| {
        for n in from..to {
            world.invite(ada, &format!("p{n:03}@fernhill.example"), &format!("Quentin {n:03}"), "member");
        }
    };
    add(&mut ada, 0, 200);
    let (hint, count) = ("More than 200 people match", |text: &str, ada: &mut Browser| {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = ada.get(&format!("/admin/users?q={text}&after={after}"));
            seen.extend(listed(&page));
            let next = page.body.find("&amp;after=").or_else(|| page.body.find("?after="));
            let Some(at) = next else { break };
            after = page.body[at..].split_once('=').unwrap().1.split('"').next().unwrap().to_owned();
        }
        seen
    });
    for text in ["quentin", "qu", "q"] {
        assert_eq!(count(text, &mut ada).len(), 200, "{text}");
        assert!(!ada.page.says(hint));
    }
    add(&mut ada, 200, 205);
    for text in ["quentin", "qu", "q"] {
        let seen = count(text, &mut ada);
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 200, "{text}: nobody twice");
        assert!(ada.page.says(hint) && ada.page.says("Type more letters"));
    }
    assert_eq!(find(&mut ada, &[("q", "quentin 204")]), ["Quentin 204"]);
    assert!(!ada.page.says(hint));
    assert_eq!(find(&mut ada, &[("q", "a"), ("role", "owner")]), ["Ada Brandt"], "the rest of the filter comes first");
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

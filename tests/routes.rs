//! The whole route table, walked: by everyone, at every stage, with and without what binds a form to its session.

use std::collections::BTreeMap;

use idp::http::Request;
use idp::http::router::{Door, ROUTES, Route};
use idp::sessions::Stage;

use crate::world::{Answer, Browser, Member, PASSWORD, World};

/// Someone with a session.
struct Visitor {
    name: &'static str,
    stage: Stage,
    role: &'static str,
    browser: Browser,
}

/// A world with a session of every stage and every role.
struct Cast {
    world: World,
    visitors: Vec<Visitor>,
    mara: Member,
}

fn cast() -> Cast {
    let (world, mut ada, _) = World::with_owner();
    let mut mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    mara.browser.get("/profile/contacts");
    mara.browser.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 123 45 67")]);
    let admin = world.person(&mut ada, "noor@fernhill.example", "Noor", "admin");
    let auditor = world.person(&mut ada, "otto@fernhill.example", "Otto", "auditor");
    let mut visitors = Vec::new();
    let mut add = |name, stage, role, browser: &Browser| {
        visitors.push(Visitor { name, stage, role, browser: browser.clone() });
    };
    let mut pending = world.browser();
    // An admin half way in is nobody either.
    pending.password(&admin.email, PASSWORD);
    add("pending", Stage::Pending, "admin", &pending);

    world.without_second_person();
    let lost = world.person(&mut ada, "lost@fernhill.example", "Lost", "admin");
    let pass = world.reset(&mut ada, &lost.id);
    let mut enrolling = world.browser();
    enrolling.password(&lost.email, PASSWORD);
    add("enrolling without pass", Stage::Enrolling, "admin", &enrolling);
    let mut enrolling = world.browser();
    enrolling.password(&lost.email, PASSWORD);
    enrolling.get("/enrol");
    enrolling.post("/enrol/pass", &[("pass", &pass)]);
    add("enrolling with pass", Stage::Enrolling, "admin", &enrolling);

    let temp = world.person(&mut ada, "temp@fernhill.example", "Temp", "admin");
    let password = world.temporary_password(&mut ada, &temp.id);
    let mut changing = world.browser();
    changing.sign_in(&world, &temp.email, &password, &temp.phone);
    add("changing password", Stage::ChangingPassword, "admin", &changing);

    add("member", Stage::Full, "member", &mara.browser);
    add("auditor", Stage::Full, "auditor", &auditor.browser);
    add("admin", Stage::Full, "admin", &admin.browser);
    add("owner", Stage::Full, "owner", &ada);
    for visitor in &mut visitors {
        let path = visitor.browser.get("/").location().to_owned();
        assert_eq!(path.starts_with("/sign-in") || path == "/enrol", visitor.stage != Stage::Full, "{}", visitor.name);
    }
    Cast { world, visitors, mara }
}

/// A path of this route, with real things in its places.
fn path(cast: &Cast, route: &Route) -> String {
    let factor = format!("SELECT rowid FROM users WHERE id = '{}'", cast.mara.id);
    assert!(cast.world.count(&factor) > 0);
    route
        .path
        .replace("/admin/users/{id}", &format!("/admin/users/{}", cast.mara.id))
        .replace("{notice}", &id_of(&cast.world, "notices", &cast.mara.id))
        .replace("{contact}", &id_of(&cast.world, "contacts", &cast.mara.id))
        .replace("{id}", &id_of(&cast.world, "factors", &cast.mara.id))
        .replace("{session}", &id_of(&cast.world, "sessions", &cast.mara.id))
        .replace("{case}", "R-2026-0001")
        .replace("{seq}", "1")
        .replace("{key}", "evidence_minutes")
        .replace("{name}", "app.css")
        .replace("{token}", &idp::secret::Token::generate().to_text())
}

/// A row of this table that belongs to this person.
pub fn id_of(world: &World, table: &str, user: &str) -> String {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.query_row(&format!("SELECT id FROM {table} WHERE user_id = ?1"), [user], |row| row.get(0)).unwrap()
}

fn is_post(route: &Route) -> bool {
    (route.method)().to_string() == "POST"
}

/// Sends a form or opens the page, from an address of its own so that no limit is met.
fn knock(browser: &mut Browser, route: &Route, path: &str, csrf: &str, n: usize) -> Answer {
    browser.address = std::net::Ipv4Addr::from_bits(0xcb00_7100 + u32::try_from(n).unwrap()).into();
    if is_post(route) {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("csrf", csrf).finish();
        browser.post_raw(path, &body)
    } else {
        browser.get(path)
    }
}

/// Status, target and text without the request's number.
fn told(answer: &Answer) -> (u16, String, String) {
    let is_id = |w: &&str| w.len() == 13 && w.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let body = answer.body.clone();
    let words = body.split(|c: char| !c.is_ascii_alphanumeric());
    let body = words.filter(is_id).fold(body.clone(), |body, id| body.replace(id, "ID"));
    (answer.status, answer.location().to_owned(), body)
}

/// The stages that a door opens for; none if it needs no session.
fn stages(door: Door) -> Option<Vec<Stage>> {
    match door {
        Door::Anyone(_) | Door::Guest(_) => None,
        Door::Stage(stages, _) | Door::Idle(stages, _) => Some(stages.to_vec()),
        Door::Person(_) | Door::People(_) | Door::Trail(_) => Some(vec![Stage::Full]),
    }
}

fn admits(door: Door, role: &str) -> bool {
    match door {
        Door::People(_) => ["admin", "owner"].contains(&role),
        Door::Trail(_) => ["auditor", "admin", "owner"].contains(&role),
        _ => true,
    }
}

#[test]
fn every_route_answers_as_to_a_stranger_at_every_stage_that_it_is_not_for() {
    let cast = cast();
    let before = tables(&cast.world);
    let (mut walked, mut n) = (0, 0);
    for route in ROUTES {
        let Some(stages) = stages(route.door) else { continue };
        let path = path(&cast, route);
        let stranger = told(&knock(&mut cast.world.browser(), route, &path, "", n));
        let sign_in = if is_post(route) { stranger.0 == 401 } else { stranger.1.starts_with("/sign-in") };
        assert!(sign_in, "a stranger at {path}: {stranger:?}");
        for visitor in cast.visitors.iter().filter(|v| !stages.contains(&v.stage)) {
            n += 1;
            let mut browser = visitor.browser.clone();
            // The right value for this session, so that nothing but the stage stands against it.
            let csrf = browser.csrf();
            assert_eq!(told(&knock(&mut browser, route, &path, &csrf, n)), stranger, "{} at {path}", visitor.name);
            walked += 1;
        }
    }
    assert!(walked > 200, "{walked}");
    assert_eq!(tables(&cast.world), before);
}

#[test]
fn every_route_of_the_console_is_closed_to_every_role_that_it_is_not_for() {
    let cast = cast();
    let before = tables(&cast.world);
    for (n, route) in ROUTES.iter().enumerate() {
        let path = path(&cast, route);
        for visitor in cast.visitors.iter().filter(|v| v.stage == Stage::Full) {
            let mut browser = visitor.browser.clone();
            let csrf = browser.csrf();
            if !admits(route.door, visitor.role) {
                let answer = knock(&mut browser, route, &path, &csrf, n);
                assert_eq!(answer.status, 403, "{} at {path}", visitor.name);
                assert!(answer.says("This page is for"), "{}", answer.text());
            } else if !is_post(route) && stages(route.door).is_some_and(|s| s == [Stage::Full]) {
                let status = knock(&mut browser, route, &path, &csrf, n).status;
                assert!([200, 303, 403, 404].contains(&status), "{} at {path}: {status}", visitor.name);
            }
        }
    }
    let mut after = tables(&cast.world);
    let entries = cast.world.entries().split_off(before["audit"].len());
    assert!(!entries.is_empty() && entries.iter().all(|e| e.header.action == "user.access_refused"));
    after.insert("audit".into(), before["audit"].clone());
    assert!(after == before, "a refusal at the door leaves its entry and nothing else");
}

#[test]
fn every_form_is_refused_without_its_own_sessions_value() {
    let cast = cast();
    let before = tables(&cast.world);
    let mut refused = 0;
    for (n, route) in ROUTES.iter().enumerate().filter(|(_, r)| is_post(r)) {
        let path = path(&cast, route);
        let others: Vec<String> = cast.visitors.iter().map(|v| v.browser.csrf()).collect();
        let visitors: Vec<&Visitor> = cast.visitors.iter().filter(|v| may(route, v)).collect();
        assert!(!visitors.is_empty(), "{path}");
        for visitor in visitors {
            let own = visitor.browser.csrf();
            let mut guest = cast.world.browser();
            guest.get("/sign-in");
            let foreign = guest.page.hidden("csrf").unwrap();
            let wrong = others.iter().filter(|csrf| **csrf != own).chain([&foreign]).map(String::as_str);
            for csrf in wrong.chain(["", "x", &own[1..]]) {
                let mut browser = visitor.browser.clone();
                let answer = knock(&mut browser, route, &path, csrf, n);
                assert_eq!(answer.status, 403, "{} at {path}", visitor.name);
                assert!(answer.says("This form was opened before"), "{}", answer.text());
                refused += 1;
            }
        }
    }
    assert!(refused > 300, "{refused}");
    assert_eq!(tables(&cast.world), before);
}

/// Whether the route is there for this visitor.
fn may(route: &Route, visitor: &Visitor) -> bool {
    stages(route.door).is_none_or(|s| s.contains(&visitor.stage)) && admits(route.door, visitor.role)
}

#[test]
fn every_form_that_another_sites_page_sent_is_refused() {
    let cast = cast();
    let before = tables(&cast.world);
    for route in ROUTES.iter().filter(|r| is_post(r)) {
        let path = path(&cast, route);
        let visitor = cast.visitors.iter().rev().find(|v| may(route, v)).expect("the route is there for someone");
        let mut browser = visitor.browser.clone();
        let body = format!("csrf={}", if stages(route.door).is_some() { browser.csrf() } else { guest(&mut browser) });
        for (header, value) in [
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
            ("Origin", "http://localhost:8081"),
        ] {
            let request = Request::post(&path, body.clone().into_bytes())
                .with_header("Content-Type", "application/x-www-form-urlencoded")
                .with_header(header, value);
            let request = browser.dress(request);
            assert_eq!(browser.send(request).status, 403, "{path} with {header}: {value}");
        }
    }
    assert_eq!(tables(&cast.world), before);
}

/// The CSRF value of a visitor's forms.
fn guest(browser: &mut Browser) -> String {
    let mut other = browser.clone();
    other.cookies.remove("idp-session");
    let csrf = other.get("/sign-in").hidden("csrf").unwrap();
    browser.cookies.insert("idp-guest".into(), other.cookies["idp-guest"].clone());
    csrf
}

#[test]
fn opening_a_page_changes_nothing_whoever_opens_it() {
    let cast = cast();
    // Long enough for "last seen" to be written, which is all that may be.
    cast.world.later(std::time::Duration::from_secs(61));
    let before = tables(&cast.world);
    for (n, route) in ROUTES.iter().enumerate().filter(|(_, r)| !is_post(r)) {
        let path = path(&cast, route);
        knock(&mut cast.world.browser(), route, &path, "", n);
        for visitor in &cast.visitors {
            let mut browser = visitor.browser.clone();
            let answer = knock(&mut browser, route, &path, "", n);
            assert!(answer.status < 500, "{} at {path}: {}", visitor.name, answer.status);
        }
    }
    cast.world.app.means.store.touch(|_| Ok(())).unwrap();
    assert_eq!(tables(&cast.world), before);
}

#[test]
fn a_head_request_is_answered_as_its_page_and_other_methods_are_refused_by_name() {
    let cast = cast();
    for route in ROUTES {
        let path = path(&cast, route);
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            let request = Request::new(method.parse().unwrap(), &path);
            let answer = cast.world.browser().send(request);
            assert_eq!(answer.status, 405, "{method} {path}");
            let allowed = answer.header("allow").expect("what is allowed is said");
            assert!(allowed.contains(&(route.method)().to_string()), "{path}: {allowed}");
        }
        let head = cast.world.browser().send(Request::new("HEAD".parse().unwrap(), &path));
        let get = cast.world.browser().send(Request::get(&path));
        assert_eq!((head.status, head.location()), (get.status, get.location()), "{path}");
    }
}

/// Every table as text, without when sessions were last seen.
fn tables(world: &World) -> BTreeMap<String, Vec<String>> {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let mut names =
        db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(names.len() > 12);
    let mut all = BTreeMap::new();
    for name in names {
        let mut rows = db.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let seen = rows.column_names().position(|c| name == "sessions" && c == "seen_at");
        let columns = rows.column_count();
        let text = |row: &rusqlite::Row<'_>| {
            let values = (0..columns).filter(|i| Some(*i) != seen).map(|i| format!("{:?}", row.get_ref(i).unwrap()));
            Ok(values.collect::<Vec<_>>().join("|"))
        };
        let rows = rows.query_map([], text).unwrap().map(Result::unwrap).collect();
        all.insert(name, rows);
    }
    all
}

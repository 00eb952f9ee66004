//! Many people from a list: what would happen, each bad line by name, all or nothing, the links shown once.

use std::collections::BTreeSet;
use std::time::Duration;

use idp::audit::Action;
use idp::http::Request;
use idp::policy::{IMPORT_PEOPLE, STEP_UP};

use crate::world::{Answer, Browser, PASSWORD, World, body};

const PATH: &str = "/admin/users/import";
const TWO: &str =
    "email,name,role\nnoor@fernhill.example,Noor Haddad,member\nkim@fernhill.example,\"Kim, the younger\",\n";

/// Sends the list as typed text, asking for `step`.
fn send(browser: &mut Browser, text: &str, step: &str) -> Answer {
    browser.get(PATH);
    browser.post(PATH, &[("text", text), ("step", step)])
}

/// Looks first, then presses the button that the page shows for this list.
fn import(browser: &mut Browser, text: &str, step: &str) -> Answer {
    let page = send(browser, text, "check");
    assert!(page.body.contains(&format!("value=\"{step}\"")), "{step} is offered: {}", page.text());
    browser.post(PATH, &[("text", text), ("step", step)])
}

/// Sends the form of the page shown as a browser does when a file is chosen.
fn choose(browser: &mut Browser, file: &[u8], text: &str, step: &str) -> Answer {
    let csrf = browser.page.hidden("csrf").unwrap();
    let mut body = Vec::new();
    for (name, value) in [("csrf", csrf.as_str()), ("text", text), ("step", step)] {
        body.extend(format!("--Qx7\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    let head = "--Qx7\r\nContent-Disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\nContent-Type: text/csv\r\n\r\n";
    body.extend(head.bytes());
    body.extend(file);
    body.extend(b"\r\n--Qx7--\r\n");
    let request = Request::post(PATH, body).with_header("Content-Type", "multipart/form-data; boundary=Qx7");
    let request = browser.dress(request);
    browser.send(request)
}

fn people(world: &World) -> i64 {
    world.count("SELECT count(*) FROM users")
}

/// The paths of the invitations that a page shows.
fn links(page: &Answer) -> Vec<String> {
    let parts = page.body.split("/invitation/").skip(1);
    parts.map(|rest| format!("/invitation/{}", rest.split('<').next().unwrap())).collect()
}

#[test]
fn looking_at_a_list_says_who_would_be_added_and_adds_nobody() {
    let (world, mut ada, _) = World::with_owner();
    let head = world.head();
    let page = send(&mut ada, TWO, "check");
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.says("2 people would be added") && page.says("Noor Haddad") && page.says("Kim, the younger"));
    assert!(page.says("Add 2 people and make links"));
    assert_eq!((people(&world), world.head()), (1, head));
}

#[test]
fn an_import_adds_everyone_at_once_as_by_hand_and_shows_each_link_once() {
    let (world, mut ada, _) = World::with_owner();
    let head = world.head();
    let page = import(&mut ada, TWO, "import");
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")));
    assert!(page.says("2 people were added") && page.says("72 hours"), "{}", page.text());
    let story = ["user.created success", "user.invited success"].repeat(2);
    assert_eq!(world.story_since(head), story, "the same entries as when people are added one by one");
    let links = links(&page);
    assert_eq!(links.iter().collect::<BTreeSet<_>>().len(), 2);
    for (link, name) in links.iter().zip(["Noor Haddad", "Kim, the younger"]) {
        let mut browser = world.browser();
        assert!(browser.get(link).says(&format!("Welcome, {name}")));
        assert_eq!(browser.post(link, &[("password", PASSWORD)]).status, 303);
        assert!(!world.stores(link.rsplit('/').next().unwrap()), "only its hash is kept");
    }
    assert_eq!(world.user("kim@fernhill.example").role.as_str(), "member");
}

#[test]
fn each_bad_line_is_named_with_its_number_its_text_and_what_to_do() {
    let (world, mut ada, _) = World::with_owner();
    let text = "email;name;role\r\n\
                good@fernhill.example;Good;\r\n\
                no address;Noor;member\r\n\
                kim@fernhill.example;;member\r\n\
                king@fernhill.example;King;king\r\n\
                ADA@Fernhill.example;Ada again;member\r\n\
                Good@fernhill.example;Good again;member\r\n\
                many@fernhill.example;Many;member;more\r\n\
                bell@fernhill.example;Be\u{7}ll;member\r\n\
                eve@fernhill.example;<b>Eve\u{202e};member\r\n";
    let page = send(&mut ada, text, "check");
    assert_eq!(page.status, 422);
    for (line, says, todo) in [
        (3, "no address;Noor;member", "Enter an e-mail address"),
        (4, "kim@fernhill.example;;member", "Enter a name."),
        (5, "king@fernhill.example;King;king", "Choose a role: member, auditor, admin or owner."),
        (6, "ADA@Fernhill.example;Ada again;member", "Someone with this address is here already."),
        (7, "Good@fernhill.example;Good again;member", "The same address stands in line 2."),
        (8, "many@fernhill.example;Many;member;more", "There are 4 columns and not 3."),
        (9, "bell@fernhill.example;Be ll;member", "An invisible character or control character is in it."),
        (10, "eve@fernhill.example;<b>Eve ;member", "An invisible character or control character is in it."),
    ] {
        assert!(page.says(&format!("Line {line} {says} {todo}")), "line {line}: {}", page.text());
    }
    assert!(
        page.body.contains("<title>Error: ") && page.says("8 lines can not be added") && !page.body.contains("<b>Eve")
    );
    let kept = page.body.split("<textarea").nth(1).unwrap().split_once('>').unwrap().1;
    assert!(
        kept.starts_with("email;name;role\r\ngood@fernhill.example;Good;\r\nno address;"),
        "what was typed is kept"
    );
    assert_eq!(people(&world), 1);
}

#[test]
fn nobody_is_added_while_a_line_is_bad_unless_one_leaves_it_out() {
    let (world, mut ada, _) = World::with_owner();
    let text = format!("{TWO}no address,Lea,member\n");
    let head = world.head();
    let page = send(&mut ada, &text, "check");
    assert!(!page.body.contains("value=\"import\""), "only what can be done is offered");
    let page = ada.post(PATH, &[("text", &text), ("step", "import")]);
    assert_eq!((page.status, people(&world), world.head()), (422, 1, head), "nor by a form that is made up");
    let page = import(&mut ada, &text, "import_good");
    assert_eq!((page.status, people(&world)), (200, 3));
    assert!(page.says("1 line left out") && page.says("Line 4 no address,Lea,member"), "{}", page.text());
    let page = send(&mut ada, "email,name\nno address,Lea\n", "check");
    assert!(!page.body.contains("value=\"import"), "where every line is bad, nothing can be imported");
    let page = ada.post(PATH, &[("text", "email,name\nno address,Lea\n"), ("step", "import_good"), ("nonce", "")]);
    assert_eq!(page.status, 403, "and no form is there for it");
}

#[test]
fn a_second_click_adds_nobody_and_says_what_the_first_one_did() {
    let (world, mut ada, _) = World::with_owner();
    send(&mut ada, TWO, "check");
    let mut second = ada.clone();
    assert_eq!(ada.post(PATH, &[("text", TWO), ("step", "import")]).status, 200);
    let page = second.post(PATH, &[("text", TWO), ("step", "import")]);
    assert_eq!((page.status, people(&world)), (409, 3));
    assert!(page.says("2 people were added") && page.says("can not be shown again"), "{}", page.text());
    assert!(page.body.contains("href=\"/admin/users?state=invited\"") && links(&page).is_empty());
}

#[test]
fn someone_who_was_added_in_between_stops_the_whole_import() {
    let (world, mut ada, _) = World::with_owner();
    send(&mut ada, TWO, "check");
    let mut other = ada.clone();
    world.invite(&mut other, "kim@fernhill.example", "Kim", "member");
    let head = world.head();
    let page = ada.post(PATH, &[("text", TWO), ("step", "import")]);
    assert_eq!(page.status, 422);
    assert!(page.says("Line 3") && page.says("is here already") && page.body.contains("Noor Haddad"));
    assert_eq!((people(&world), world.story_since(head)), (2, vec!["user.created denied".to_owned()]));
}

#[test]
fn an_admin_imports_members_only_and_a_list_with_more_is_refused_and_recorded() {
    let (world, mut ada, _) = World::with_owner();
    let mut sam = world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin").browser;
    let roles = ["member", "auditor", "admin", "owner"];
    let list: String = roles.iter().map(|role| format!("{role}@x.example,{role},{role}\n")).collect();
    let list = format!("email,name,role\n{list}");
    let page = send(&mut sam, &list, "check");
    assert_eq!(page.text().matches("Only an owner gives a role above member.").count(), 3);
    let (before, head) = (people(&world), world.head());
    let page = sam.post(PATH, &[("text", &list), ("step", "import")]);
    assert_eq!(
        (page.status, people(&world), world.story_since(head)),
        (422, before, vec!["user.created denied".to_owned()])
    );
    assert_eq!(body(&world.entries_of(Action::UserCreated).pop().unwrap()).fact("rule"), "role_above_yours");
    assert_eq!(import(&mut sam, &list, "import_good").status, 200);
    assert_eq!((people(&world), world.user("member@x.example").role.as_str()), (before + 1, "member"));
    let rest: String =
        list.lines().filter(|line| !line.starts_with("member@")).map(|line| format!("{line}\n")).collect();
    assert_eq!(import(&mut ada, &rest, "import").status, 200, "an owner adds every role");
    assert_eq!(world.user("owner@x.example").role.as_str(), "owner");
}

#[test]
fn an_import_asks_for_a_code_where_the_last_one_is_long_ago_and_keeps_the_list() {
    let (world, mut ada, phone) = World::with_owner();
    world.later(STEP_UP + Duration::from_secs(1));
    let page = send(&mut ada, TWO, "check");
    assert!(page.status == 200 && page.says("Confirm it is you"), "{}", page.text());
    let page = ada.post(PATH, &[("text", TWO), ("step", "import")]);
    assert!(people(&world) == 1 && page.body.contains("Kim, the younger"), "nobody is added without it");
    let wrong = phone.wrong_code(world.now());
    let page = ada.post(PATH, &[("text", TWO), ("step", "import"), ("step_up_code", &wrong)]);
    assert!(people(&world) == 1 && page.says("This code is not right"), "{}", page.text());
    world.later(Duration::from_secs(30));
    let code = phone.code(world.now());
    let page = ada.post(PATH, &[("text", TWO), ("step", "import"), ("step_up_code", &code)]);
    assert_eq!((page.status, people(&world)), (200, 3), "{}", page.text());
}

#[test]
fn a_file_is_read_as_spreadsheets_write_it_or_refused_with_what_to_do() {
    let (world, mut ada, _) = World::with_owner();
    ada.get(PATH);
    let file = "\u{feff}Email;Name;Role\r\nzofie@x.example;\"Žofie \"\"Z\"\" Nováková\";Member\r\n;;\r\n";
    let page = choose(&mut ada, file.as_bytes(), "what was typed before", "check");
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.says("1 person would be added") && page.says("Žofie \"Z\" Nováková"));
    // The page carries the file's text on, so that exactly this list is imported.
    let list = page.hidden("text").unwrap().replace("&quot;", "\"");
    assert_eq!(ada.post(PATH, &[("text", &list), ("step", "import")]).status, 200);
    assert_eq!(world.user("zofie@x.example").name.as_str(), "Žofie \"Z\" Nováková");
    for (file, says) in [
        (&b"email,name\na@x.example,Andr\xe9\n"[..], "not UTF-8 text"),
        (b"\xff\xfee\0m\0a\0i\0l\0", "not UTF-8 text"),
        (b"PK\x03\x04rest", "This is a spreadsheet"),
        (b"name,phone\n", "The first line has to name the columns"),
        (b"email,name,phone\n", "no column"),
    ] {
        ada.get(PATH);
        let page = choose(&mut ada, file, "typed,before", "check");
        assert_eq!(page.status, 422);
        assert!(page.says(says) && page.body.contains("href=\"#file\""), "{says}: {}", page.text());
    }
    ada.get(PATH);
    assert!(choose(&mut ada, b"\xff", "typed,before", "check").body.contains(">typed,before</textarea>"));
    ada.get(PATH);
    assert_eq!(choose(&mut ada, b"", TWO, "check").status, 200, "no file chosen: the text counts");
}

#[test]
fn a_form_with_a_file_is_read_strictly_and_only_where_one_is_asked_for() {
    let (world, mut ada, _) = World::with_owner();
    ada.get(PATH);
    let csrf = ada.csrf();
    let part =
        |name: &str, value: &str| format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let whole = format!("{}{}{}--B--\r\n", part("csrf", &csrf), part("step", "check"), part("text", TWO));
    let mut status = |path: &str, kind: &str, body: &str| {
        let request = ada.dress(Request::post(path, body.as_bytes()).with_header("Content-Type", kind));
        ada.send(request).status
    };
    let kind = "multipart/form-data; boundary=B";
    assert_eq!(status(PATH, kind, &whole), 200);
    assert_eq!(status("/admin/users/new", kind, &whole), 415, "a form without a file is sent as before");
    assert_eq!(status(PATH, kind, &whole[..whole.len() - 9]), 400, "cut off");
    assert_eq!(status(PATH, kind, &whole.replace("\"text\"", "\"other\"")), 400);
    assert_eq!(status(PATH, kind, &whole.replace("\"text\"", "\"step\"")), 400, "twice");
    assert_eq!(status(PATH, kind, &whole.replace(&csrf, "AAAA")), 403);
    assert_eq!(status(PATH, kind, &whole.replace("check", "go")), 400);
    for kind in ["multipart/form-data", "multipart/mixed; boundary=B", "text/csv", "application/json"] {
        assert_eq!(status(PATH, kind, &whole), 415, "{kind}");
    }
    assert_eq!(people(&world), 1);
}

#[test]
fn a_thousand_people_are_imported_in_one_transaction_and_one_more_is_too_many() {
    let (world, mut ada, _) = World::with_owner();
    let line = |n: usize| format!("p{n}@fernhill.example,Person {n}\n");
    let list = |most: usize| format!("email,name\n{}", (0..most).map(line).collect::<String>());
    let page = send(&mut ada, &list(IMPORT_PEOPLE + 1), "check");
    assert!(page.status == 422 && page.says("1001 people stand in it, and 1000 go at a time"));
    let text = list(IMPORT_PEOPLE);
    let page = import(&mut ada, &text, "import");
    assert_eq!((page.status, links(&page).len()), (200, IMPORT_PEOPLE));
    assert_eq!(people(&world), 1 + IMPORT_PEOPLE as i64);
    let at = "SELECT count(DISTINCT at) FROM audit WHERE action IN ('user.created', 'user.invited') AND actor_kind = 'person'";
    assert_eq!(world.count(at), 1, "all of it is of one moment");
}

#[test]
fn a_failure_in_the_middle_of_an_import_leaves_nobody_behind() {
    let (world, mut ada, _) = World::with_owner();
    send(&mut ada, TWO, "check");
    let head = world.head();
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.execute_batch(
        "CREATE TRIGGER no_kim BEFORE INSERT ON users WHEN new.email LIKE 'kim@%' BEGIN SELECT raise(ABORT, 'no'); END",
    )
    .unwrap();
    assert_eq!(ada.post(PATH, &[("text", TWO), ("step", "import")]).status, 500);
    db.execute_batch("DROP TRIGGER no_kim").unwrap();
    assert_eq!((people(&world), world.head(), world.count("SELECT count(*) FROM links")), (1, head, 0));
}

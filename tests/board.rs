//! The recovery board: what waits for whom. However many cases there are: `board/long.rs`.

mod long;

use std::time::Duration;

use rusqlite::{Connection, named_params};

use crate::runbook::{owner_and_member, reset};
use crate::world::{Answer, Browser, Member, PASSWORD, World};

const HOUR: i64 = 3_600_000_000;
const EVERYONE: [&str; 7] = ["yours", "frozen", "owner", "approval", "approved", "person", "open"];

/// A case as somebody's errands would have left it, written past them.
struct Put<'a> {
    user: &'a str,
    opener: &'a str,
    state: &'a str,
    urgent: bool,
    for_owner: bool,
    act: Option<&'a str>,
    /// How long it still has, in microseconds; nothing for a frozen account.
    due_in: i64,
    /// When it was closed, in microseconds before now.
    closed_ago: Option<i64>,
}

impl Put<'_> {
    fn new<'a>(user: &'a str, opener: &'a str, state: &'a str) -> Put<'a> {
        let given = matches!(state, "acted" | "awaiting_enrolment" | "disavowed" | "recovered");
        let act = given.then_some("reset");
        Put { user, opener, state, urgent: false, for_owner: false, act, due_in: 72 * HOUR, closed_ago: None }
    }

    /// Writes it as case `count` of the year; its number.
    fn write(&self, world: &World, db: &Connection, count: u32) -> String {
        let now = world.now().as_micros();
        let number = format!("R-2026-{count:04}");
        let waits = self.closed_ago.is_none() && self.state != "disavowed";
        db.execute(
            "INSERT INTO cases (number, year, count, user_id, opened_by_id, opened_by, opened_at, state, state_at, urgent,
                                for_owner, reason, act, acted_by_id, acted_by, acted_at, due_at, closed_at, refusal)
             VALUES (:number, 2026, :count, :user, :opener, 'Somebody', :then, :state, :then, :urgent,
                     :for_owner, 'lost phone', :act, :actor, :actor_name, :acted_at, :due, :closed, :refusal)",
            named_params! {
                ":number": number,
                ":count": count,
                ":user": self.user,
                ":opener": self.opener,
                ":then": now - HOUR,
                ":state": self.state,
                ":urgent": self.urgent,
                ":for_owner": self.for_owner,
                ":act": self.act,
                ":actor": self.act.map(|_| self.opener),
                ":actor_name": self.act.map(|_| "Somebody"),
                ":acted_at": self.act.map(|_| now - HOUR),
                ":due": waits.then_some(now + self.due_in),
                ":closed": self.closed_ago.map(|ago| now - ago),
                ":refusal": (self.state == "refused").then_some("pressure"),
            },
        )
        .unwrap();
        number
    }
}

/// A grant that was asked for in a case.
fn ask(world: &World, db: &Connection, case: &str, by: &str, needs: &str, state: &str) {
    let now = world.now().as_micros();
    db.execute(
        "INSERT INTO case_evidence (case_number, kind, note, recorded_by, recorded_at) VALUES (?1, 'in_person', '', 'x', ?2)",
        (case, now),
    )
    .unwrap();
    db.execute(
        "INSERT INTO case_requests (id, case_number, grant_name, needs, asked_by_id, asked_by, asked_at, reason, evidence_id,
                                    case_version, signals, state, valid_until, ripe_at)
         VALUES (:id, :case, 'reset_factors', :needs, :by, 'Somebody', :now, 'lost phone', last_insert_rowid(),
                 1, '', :state, :until, :ripe)",
        named_params! {
            ":id": idp::ids::RequestId::generate().to_string(),
            ":case": case,
            ":needs": needs,
            ":by": by,
            ":now": now,
            ":state": state,
            ":until": now + 24 * HOUR,
            ":ripe": (needs == "time").then_some(now + HOUR),
        },
    )
    .unwrap();
}

fn open(world: &World) -> Connection {
    let db = Connection::open(world.database()).unwrap();
    db.pragma_update(None, "foreign_keys", true).unwrap();
    db
}

/// The cases of one card of the board, in their order; none if it is not there.
fn card(page: &Answer, id: &str) -> Vec<String> {
    let card = page.body.split(&format!("aria-labelledby=\"{id}\"")).nth(1);
    rows(card.and_then(|rest| rest.split("</section>").next()).unwrap_or_default())
}

/// The case of each row.
fn rows(html: &str) -> Vec<String> {
    let numbers = html.split("<td role=\"cell\"><a class=\"whole\" href=\"/admin/recovery/").skip(1);
    numbers.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// The pages of a list, each with its cases.
fn walk(browser: &mut Browser, state: &str) -> Vec<Vec<String>> {
    let (mut pages, mut href) = (Vec::new(), Some(format!("/admin/recovery?state={state}")));
    while let Some(address) = href {
        let page = browser.get(&address);
        assert_eq!(page.status, 200, "{address}: {}", page.text());
        pages.push(rows(&page.body));
        let next = page.body.split("<a class=\"button\" href=\"").skip(1).find(|a| a.contains(">Further cases<"));
        href = next.map(|a| a.split('"').next().unwrap().replace("&amp;", "&"));
        assert!(pages.len() < 200, "a list without end");
    }
    pages
}

fn numbers(counts: &[u32]) -> Vec<String> {
    counts.iter().map(|n| format!("R-2026-{n:04}")).collect()
}

/// Two owners, two admins, and as many members as are asked for, who never came in.
fn company(members: usize) -> (World, [Member; 4], Vec<String>) {
    let (world, mut ada, phone) = World::with_owner();
    let mut more = |email: &str, name: &str, role: &str| world.person(&mut ada, email, name, role);
    let lea = more("lea@fernhill.example", "Lea Holm", "owner");
    let noor = more("noor@fernhill.example", "Noor Haddad", "admin");
    let sam = more("sam@fernhill.example", "Sam Okafor", "admin");
    let id = world.user("ada@fernhill.example").id.to_string();
    let email = "ada@fernhill.example".to_owned();
    let ada = Member { browser: ada, phone, codes: Vec::new(), email, id };
    let members = people(&open(&world), members);
    (world, [ada, lea, noor, sam], members)
}

fn people(db: &Connection, count: usize) -> Vec<String> {
    let mut insert = db
        .prepare(
            "INSERT INTO users (id, email, name, role, status, created_at) VALUES (?1, ?2, ?3, 'member', 'invited', 0)",
        )
        .unwrap();
    let one = |n| {
        let id = idp::ids::UserId::generate().to_string();
        insert.execute((&id, format!("m{n}@fernhill.example"), format!("Member {n}"))).unwrap();
        id
    };
    (0..count).map(one).collect()
}

/// Case 1 to 15, in every way in which something can wait for somebody.
fn every_kind(world: &World, [ada, lea, noor, sam]: &[Member; 4], m: &[String]) {
    let db = open(world);
    let put = |n: u32, case: Put<'_>| case.write(world, &db, n);
    put(1, Put::new(&m[1], &ada.id, "disavowed"));
    put(2, Put::new(&m[2], &noor.id, "escalated"));
    let asked = put(3, Put::new(&m[3], &noor.id, "awaiting_approval"));
    ask(world, &db, &asked, &noor.id, "owner", "waiting");
    let asked = put(4, Put::new(&m[4], &ada.id, "awaiting_approval"));
    ask(world, &db, &asked, &ada.id, "admin", "waiting");
    let asked = put(5, Put::new(&m[5], &noor.id, "awaiting_approval"));
    ask(world, &db, &asked, &noor.id, "time", "waiting");
    let asked = put(6, Put::new(&m[6], &noor.id, "approved"));
    ask(world, &db, &asked, &noor.id, "admin", "approved");
    put(7, Put { due_in: HOUR / 2, ..Put::new(&m[7], &noor.id, "awaiting_enrolment") });
    put(8, Put::new(&m[8], &noor.id, "opened"));
    put(9, Put::new(&m[9], &sam.id, "verified"));
    let asked = put(10, Put::new(&m[10], &noor.id, "acted"));
    ask(world, &db, &asked, &noor.id, "admin", "waiting");
    put(11, Put { for_owner: true, ..Put::new(&m[11], &noor.id, "verified") });
    put(12, Put::new(&lea.id, &sam.id, "escalated"));
    put(13, Put::new(&m[12], &noor.id, "disavowed"));
    let asked = put(14, Put::new(&m[13], &noor.id, "disavowed"));
    ask(world, &db, &asked, &lea.id, "owner", "lapsed");
    put(15, Put::new(&ada.id, &noor.id, "disavowed"));
}

#[test]
fn each_list_shows_who_has_to_act_and_what_is_the_viewers_own_stands_first() {
    let (world, mut company, members) = company(14);
    every_kind(&world, &company, &members);
    let own: [&[u32]; 4] = [&[2, 3, 10, 11, 12, 13, 14, 15], &[1, 2, 3, 4, 10, 11, 13, 15], &[4, 6, 8], &[4, 9, 10]];
    for (viewer, own) in company.iter_mut().zip(own) {
        let page = viewer.browser.get("/admin/recovery");
        assert_eq!(sorted(card(&page, "yours")), numbers(own), "{}: {}", viewer.email, page.text());
        assert_eq!(sorted(card(&page, "frozen")), numbers(&[1, 13, 14, 15]));
        assert_eq!(sorted(card(&page, "owner")), numbers(&[2, 11, 12]));
        assert_eq!(sorted(card(&page, "approval")), numbers(&[3, 4, 5, 10]), "also what is asked for beside a window");
        assert_eq!(card(&page, "approved"), numbers(&[6]));
        assert_eq!(card(&page, "person"), numbers(&[7]));
        assert_eq!(sorted(card(&page, "open")), numbers(&[8, 9]));
        let places: Vec<usize> = EVERYONE.map(|id| page.body.find(&format!("id=\"{id}\"")).unwrap()).into();
        assert!(places.is_sorted(), "the lists stand in their order: {places:?}");
        assert!(page.says(&format!("Waits for you · {}", own.len())), "{}", page.text());
        // Each list by itself is the same.
        for id in EVERYONE {
            assert_eq!(walk(&mut viewer.browser, id).concat(), card(&page, id), "{id}");
        }
        // The dashboard begins with it.
        let page = viewer.browser.get("/admin");
        assert!(page.says(&format!("{} cases wait for you", own.len())), "{}", page.text());
        assert!(page.says("4 accounts are frozen: somebody objected") && page.says("3 cases wait for an owner"));
        assert_eq!(page.body.matches("href=\"/admin/recovery/R-2026-0004\"").count(), 1, "each case is said once");
    }
}

#[test]
fn who_could_permit_something_is_led_to_it_and_nobody_else_is() {
    let (world, mut company, members) = company(14);
    every_kind(&world, &company, &members);
    // What time permits waits for nobody; who could have been asked by now may decide all the same.
    let may: [&[u32]; 4] = [&[3, 5, 10], &[3, 4, 5, 10], &[4], &[4, 5, 10]];
    for (viewer, may) in company.iter_mut().zip(may) {
        let page = viewer.browser.get("/admin/recovery?state=approval");
        let led: Vec<u32> =
            (1..=15).filter(|n| page.body.contains(&format!("/admin/recovery/R-2026-{n:04}/approve"))).collect();
        assert_eq!(led, may, "{}", viewer.email);
    }
}

#[test]
fn what_an_hour_permits_waits_for_who_asked_once_the_hour_is_over() {
    let (world, mut company, members) = company(14);
    every_kind(&world, &company, &members);
    let noor = &mut company[2].browser;
    assert!(
        noor.get("/admin/recovery").says("can remove all factors and give a pass from 10:"),
        "{}",
        noor.page.text()
    );
    assert!(!card(&noor.page, "yours").contains(&"R-2026-0005".to_owned()));
    world.later(Duration::from_secs(3_599));
    noor.sign_in_again(&world);
    assert!(!card(&noor.get("/admin/recovery"), "yours").contains(&"R-2026-0005".to_owned()));
    world.later(Duration::from_secs(1));
    let page = noor.get("/admin/recovery");
    assert!(card(&page, "yours").contains(&"R-2026-0005".to_owned()), "{}", page.text());
    assert!(page.says("can remove all factors and give a pass now: the time to object is over"), "{}", page.text());
    assert!(!card(&company[3].browser.get("/admin/recovery"), "yours").contains(&"R-2026-0005".to_owned()));
}

#[test]
fn an_urgent_case_comes_first_and_then_what_runs_out_first() {
    let (world, mut company, members) = company(8);
    let db = open(&world);
    let noor = company[2].id.clone();
    let dues = [(1, 30, false), (2, 10, false), (3, 60, true), (4, 20, false), (5, 50, true), (6, 70, false)];
    for (n, minutes, urgent) in dues {
        let user = &members[n as usize];
        let case = Put { urgent, due_in: minutes * HOUR / 60, ..Put::new(user, &noor, "awaiting_enrolment") };
        case.write(&world, &db, n);
    }
    let ada = &mut company[0].browser;
    let expected = numbers(&[5, 3, 2, 4, 1, 6]);
    let page = ada.get("/admin/recovery");
    assert_eq!(card(&page, "person"), expected);
    assert_eq!(walk(ada, "person"), [expected]);
    assert_eq!(page.text().matches(" urgent ").count(), 2, "{}", page.text());
    assert!(ada.get("/admin").says("Member 5 (urgent): Member 5 sets up a new app"), "{}", ada.page.text());
}

#[test]
fn a_real_reset_stands_on_the_board_until_the_person_is_back_and_then_among_those_recovered() {
    let (world, mut ada, mara) = owner_and_member();
    assert!(ada.get("/admin/recovery").says("Nobody is locked out"));
    let pass = reset(&mut ada, &mara.id);
    let page = ada.get("/admin/recovery");
    assert_eq!(card(&page, "person"), numbers(&[1]));
    assert!(
        page.says("Mara Lindqvist sets up a new app. Ada Brandt has reset the factors. The window closes in 1 hour.")
    );
    assert!(!page.says("Nobody is locked out"));
    let mut back = world.browser();
    back.password(&mara.email, PASSWORD);
    back.get("/enrol");
    back.post("/enrol/pass", &[("pass", &pass)]);
    world.enrol(&mut back);
    let page = ada.get("/admin/recovery");
    assert_eq!((card(&page, "person"), card(&page, "closed")), (Vec::new(), numbers(&[1])));
    assert!(page.says("recovered What was done: factors reset. Write the message"), "{}", page.text());
    assert_eq!(walk(&mut ada, "recovered").concat(), numbers(&[1]));
    assert!(walk(&mut ada, "expired").concat().is_empty());
    assert!(ada.page.says("There is no such case"));
}

#[test]
fn resets_that_nobody_closed_are_found_among_those_that_expired() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    world.later(Duration::from_secs(3_601));
    world.sweep();
    ada.sign_in_again(&world);
    assert_eq!(walk(&mut ada, "expired").concat(), numbers(&[1]));
    assert!(
        ada.page.says("What was done: factors reset; Mara Lindqvist did not come back in time"),
        "{}",
        ada.page.text()
    );
    assert!(ada.page.says("Resets that nobody closed"));
}

#[test]
fn a_list_or_a_page_that_there_is_not_is_said_and_members_and_auditors_see_none() {
    let (world, mut ada, mut mara) = owner_and_member();
    for (query, says) in
        [("state=asleep", "no such list"), ("state=open&after=x", "can not be found"), ("before=x", "no field")]
    {
        let page = ada.get(&format!("/admin/recovery?{query}"));
        assert_eq!(page.status, 400, "{query}");
        assert!(page.says(says), "{}", page.text());
    }
    for id in EVERYONE {
        assert!(ada.get(&format!("/admin/recovery?state={id}")).says("There is no such case"), "{id}");
    }
    reset(&mut ada, &mara.id);
    let mut otto = world.person(&mut ada, "otto@fernhill.example", "Otto", "auditor").browser;
    let kim = world.person(&mut ada, "kim@fernhill.example", "Kim", "member");
    mara.browser = kim.browser;
    for browser in [&mut otto, &mut mara.browser] {
        for path in ["", "?state=person", "/R-2026-0001/story", "/R-2026-0001/message"] {
            let page = browser.get(&format!("/admin/recovery{path}"));
            assert_eq!(page.status, 403, "{path}");
            assert!(!page.says("Mara Lindqvist") && page.says("This page is for admins and owners"));
        }
    }
}

fn sorted(mut numbers: Vec<String>) -> Vec<String> {
    numbers.sort();
    numbers
}

impl Browser {
    /// After an idle hour, or a day: the session goes on with the password.
    fn sign_in_again(&mut self, world: &World) {
        let page = self.get("/admin/recovery");
        if page.status == 303 {
            self.follow("/admin/recovery");
            self.post("/sign-in/resume", &[("password", PASSWORD), ("next", "/admin/recovery")]);
            assert!(self.is_signed_in(), "{} at {}", self.page.text(), world.now());
        }
    }
}

//! The start of the console says what needs attention, each with a way to it; the system's page says how the house is.

use std::time::Duration;

use idp::audit::{Actor, Event, Person, Record};
use idp::policy::DISK_LOW;
use idp::storage::{self, Audited};

use crate::runbook::{act, owner_and_member, reset};
use crate::world::{Answer, Browser, PASSWORD, World, host};

const HOUR: Duration = Duration::from_secs(3_600);

/// What the dashboard says needs attention, and where each of it leads.
fn matters(page: &Answer) -> Vec<(String, String)> {
    headlines(page, "attention")
}

/// What the dashboard says waits for whom, and where each of it leads.
fn recoveries(page: &Answer) -> Vec<(String, String)> {
    headlines(page, "recovery")
}

fn headlines(page: &Answer, card: &str) -> Vec<(String, String)> {
    let card =
        page.body.split(&format!("aria-labelledby=\"{card}\"")).nth(1).and_then(|rest| rest.split("</ul>").next());
    let items = card.unwrap_or_default().split("<strong><a href=\"").skip(1);
    let matter = |item: &str| {
        let (href, rest) = item.split_once("\">").unwrap();
        (rest.split('<').next().unwrap().to_owned(), href.replace("&amp;", "&"))
    };
    items.map(matter).collect()
}

/// Whether the dashboard says this; if so, what the page behind it shows.
fn follow(browser: &mut Browser, what: &str) -> Option<Answer> {
    let page = browser.get("/admin");
    assert_eq!(page.status, 200, "{}", page.text());
    let (_, href) = recoveries(&page).into_iter().chain(matters(&page)).find(|(said, _)| said == what)?;
    let page = browser.get(&href);
    assert_eq!(page.status, 200, "{href}");
    Some(page)
}

/// Writes an entry as the host's commands do.
fn happened(world: &World, event: Event) {
    let record = Record::new(Actor::Host, &host(), event);
    world.app.means.store.change(move |_| Ok::<_, storage::Error>(Audited::new((), record))).unwrap();
}

/// The key with this fingerprint was exported; that of the key in use is what the instance has.
fn exported(world: &World, fingerprint: [u8; 16]) {
    let key = data_encoding::HEXLOWER.encode(&fingerprint);
    happened(world, Event::KeyExported { to: "a stick".into(), key });
}

fn backed_up(world: &World) {
    happened(world, Event::BackupCreated { file: "idp-2026.db".into(), head_seq: 1 });
}

#[test]
fn a_new_house_is_told_what_it_lacks_and_a_settled_one_that_nothing_needs_attention() {
    let (world, mut ada, _) = World::with_owner();
    let page = ada.follow("/");
    let said: Vec<String> = matters(&page).into_iter().map(|(said, _)| said).collect();
    assert_eq!(said, ["There is no backup yet", "Only one owner can sign in", "The seed key was never exported"]);
    world.person(&mut ada, "lea@fernhill.example", "Lea", "owner");
    backed_up(&world);
    let page = ada.get("/admin");
    assert_eq!(matters(&page), [("The seed key was never exported".to_owned(), "/admin/system".to_owned())]);
    exported(&world, [0; 16]);
    assert_eq!(matters(&ada.get("/admin")).len(), 1, "a key that was in use before a restore is not this one");
    exported(&world, world.app.means.store.read(storage::instance::get).unwrap().key_fingerprint);
    let page = ada.get("/admin");
    assert_eq!(matters(&page), []);
    assert!(page.says("Backup written") && page.says("Added as owner"), "what happened lately stands below");
    assert!(page.says("Key of the authenticator secrets exported"));
    assert!(!page.says("Signed in") && !page.says("Password chosen"), "but not what everyone does all day");
}

#[test]
fn where_all_is_well_the_page_is_calm() {
    let (world, mut ada, _) = World::with_owner();
    world.person(&mut ada, "lea@fernhill.example", "Lea", "owner");
    let seen = world.app.means.store.read(|tx| {
        let mut house = idp::dashboard::HouseFigures {
            able_owners: storage::users::count_able_owners(tx, None)?,
            last_backup: Some(world.now()),
            key_exported: Some(world.now()),
            anchored: world.now(),
            clock_stepped: None,
            free: DISK_LOW,
            mail_held_up: 0,
            mail_given_up: 0,
            streams: Vec::new(),
        };
        let people = storage::dashboard::get_people(tx, world.now())?;
        let calm = idp::dashboard::matters(&people, &house, world.now());
        house.able_owners = 1;
        Ok::<_, storage::Error>((calm, idp::dashboard::matters(&people, &house, world.now()).len()))
    });
    assert_eq!(seen.unwrap(), (Vec::new(), 1));
}

#[test]
fn a_recovery_is_said_while_it_waits_when_its_window_closes_and_after_it_ran_out() {
    let (world, mut ada, phone) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    let waits = "1 case waits for the person";
    let page = ada.get("/admin");
    assert_eq!((recoveries(&page), page.says("Recovery The whole board")), (Vec::new(), false));
    reset(&mut ada, &mara.id);
    assert!(follow(&mut ada, waits).unwrap().says("Mara Lindqvist"));
    world.later(Duration::from_secs(44 * 60));
    let page = ada.get("/admin");
    let first = page.text().find(waits).expect("it is said");
    assert!(first < page.text().find("Needs attention").unwrap(), "the board's summary comes first");
    assert!(
        page.says("The window closes in 16 minutes. soon") && !page.says("has not enrolled yet"),
        "{}",
        page.text()
    );
    world.later(Duration::from_secs(6 * 60));
    assert!(ada.get("/admin").says("The window closes in 10 minutes. now"), "{}", ada.page.text());
    world.later(Duration::from_secs(10 * 60));
    assert!(ada.get("/admin").says("The window has closed. now"), "{}", ada.page.text());
    world.sweep();
    assert!(follow(&mut ada, waits).is_none() && !ada.get("/admin").says("The window has closed"));
    let over = "1 person was reset and did not enrol in time";
    assert!(follow(&mut ada, over).unwrap().says("Mara Lindqvist"));
    assert!(follow(&mut ada, "1 person has no second factor").unwrap().says("Mara Lindqvist"));
    let mut ada = world.browser();
    ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    reset(&mut ada, &mara.id);
    assert!(follow(&mut ada, over).is_none() && follow(&mut ada, waits).is_some(), "a new start is no old failure");
}

#[test]
fn people_in_need_are_counted_and_listed_by_the_same_rule() {
    let (world, mut ada, mut mara) = owner_and_member();
    let kim = world.person(&mut ada, "kim@fernhill.example", "Kim", "member");
    world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    assert!(follow(&mut ada, "1 person has an invitation to open").unwrap().says("Noor Haddad"));
    for code in &mara.codes[..8] {
        assert!(follow(&mut ada, "1 person has two backup codes or fewer").is_none());
        let mut browser = world.browser();
        browser.password(&mara.email, PASSWORD);
        assert_eq!(browser.backup_code(code).status, 303);
        mara.browser = browser;
    }
    let page = follow(&mut ada, "1 person has two backup codes or fewer").unwrap();
    assert!(page.says("Mara Lindqvist") && page.says("2 codes left") && !page.says("Kim"), "{}", page.text());
    world.temporary_password(&mut ada, &kim.id);
    let page = follow(&mut ada, "1 person has a temporary password").unwrap();
    assert!(page.says("Kim") && page.says("temporary password") && !page.says("Mara Lindqvist"));
    // Who is only asked for a new password has one that works.
    act(&mut ada, &mara.id, "/password/change", &[("reason", "it stood on a note")]);
    assert!(!follow(&mut ada, "1 person has a temporary password").unwrap().says("Mara Lindqvist"));

    // A factor that was switched off: only where its row says so as well.
    assert!(follow(&mut ada, "1 person has an app that was switched off").is_none());
    let user = (&world.user(&mara.email)).into();
    happened(&world, Event::FactorDisabled { user, label: "phone".into(), failures: 100 });
    assert!(follow(&mut ada, "1 person has an app that was switched off").is_none());
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.execute("UPDATE factors SET disabled_at = 1 WHERE user_id = ?1", [&mara.id]).unwrap();
    let page = follow(&mut ada, "1 person has an app that was switched off").unwrap();
    assert!(page.says("Mara Lindqvist") && page.says("factor switched off"), "{}", page.text());
    assert!(follow(&mut ada, "1 person has no second factor").is_some());

    let page = ada.get("/admin/users?state=attention");
    assert!(
        page.says("Mara Lindqvist") && page.says("Kim") && !page.says("Noor Haddad") && !page.says("Ada Brandt owner")
    );
    act(&mut ada, &mara.id, "/disable", &[("reason", "left the firm")]);
    let page = ada.get("/admin/users?state=attention");
    assert!(!page.says("Mara Lindqvist") && page.says("Kim"), "who is disabled needs nothing");
}

#[test]
fn an_invitation_that_ran_out_needs_a_new_link_whether_or_not_it_was_swept() {
    let (world, mut ada, phone) = World::with_owner();
    world.invite(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    world.later(72 * HOUR);
    let mut ada = world.browser();
    ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    for _ in 0..2 {
        let page = follow(&mut ada, "1 person was invited, and the link ran out").unwrap();
        assert!(page.says("Noor Haddad") && page.says("invitation ran out"));
        assert!(follow(&mut ada, "1 person has an invitation to open").is_none());
        world.sweep();
    }
}

#[test]
fn who_met_the_longest_delay_is_said_for_a_day() {
    let (world, mut ada, phone) = World::with_owner();
    world.invite(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    let user: Person = (&world.user("mara@fernhill.example")).into();
    for _ in 0..2 {
        happened(&world, Event::UserLocked { user: user.clone(), failures: 15, minutes: 15 });
    }
    let page = follow(&mut ada, "1 person met the longest delay").unwrap();
    assert_eq!(page.text().matches("Locked for 15 minutes after 15 failures").count(), 2, "{}", page.text());
    for (later, said) in [(24 * HOUR - Duration::from_secs(60), true), (Duration::from_secs(60), false)] {
        world.later(later);
        let mut ada = world.browser();
        ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
        assert_eq!(follow(&mut ada, "1 person met the longest delay").is_some(), said);
    }
}

#[test]
fn an_old_backup_a_full_disk_and_a_clock_that_stepped_are_said() {
    let (world, mut ada, phone) = World::with_owner();
    backed_up(&world);
    world.app.pretend_free(Some(DISK_LOW - 1));
    happened(&world, Event::ClockStepped { back_by_seconds: 90 });
    assert!(follow(&mut ada, "Only 1.0 GB are free on the disk").unwrap().says("System"));
    assert!(follow(&mut ada, "The host's clock went backwards just now").unwrap().says("system.clock_stepped"));
    assert!(follow(&mut ada, "There is no backup yet").is_none());
    world.later(49 * HOUR);
    let mut ada = world.browser();
    ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &phone);
    let page = follow(&mut ada, "The last backup was made 2 days ago").unwrap();
    assert!(page.says("Last backup 2 days ago"), "{}", page.text());
}

#[test]
fn the_systems_page_says_how_the_house_is_to_admins_and_owners() {
    let (world, mut ada, _) = World::with_owner();
    let mut sam = world.person(&mut ada, "sam@fernhill.example", "Sam Okafor", "admin").browser;
    world.later(Duration::from_secs(600));
    let head = world.head();
    for browser in [&mut ada, &mut sam] {
        let page = browser.get("/admin/system");
        for says in [
            format!("idp {}", env!("CARGO_PKG_VERSION")),
            format!("SQLite {}", storage::schema::sqlite_version()),
            format!("Entries {head}"),
            format!("Lineage {}", world.entries()[0].header.lineage),
            "Last backup never".into(),
            "Seed key exported never".into(),
            "There is no backup yet".into(),
        ] {
            assert!(page.says(&says), "{says}: {}", page.text());
        }
        assert!(page.says("Running for 10 minutes") || page.says("Running for 11 minutes"), "{}", page.text());
        let bytes = world.database().metadata().unwrap().len();
        assert!(page.says(&format!("Database {}.{} kB", bytes / 1_000, bytes % 1_000 / 100)), "{}", page.text());
    }
}

#[test]
fn an_auditor_and_a_member_see_neither() {
    let (world, mut ada, mut mara) = owner_and_member();
    let mut noor = world.person(&mut ada, "noor@fernhill.example", "Noor", "auditor").browser;
    assert_eq!(noor.get("/admin").location(), "/admin/audit");
    assert!(!noor.get("/admin/audit").body.contains("/admin/system"));
    for browser in [&mut noor, &mut mara.browser] {
        assert_eq!(browser.get("/admin/system").status, 403);
    }
    assert_eq!(mara.browser.get("/admin").status, 403);
}

//! Contact details: who keeps them, since when each is known, and what becomes of a change. What a call to a number proves is
//! in `contacts/calls.rs`.

mod calls;

use std::time::Duration;

use idp::audit::{Action, Entry};

use crate::runbook::{act, rows};
use crate::world::{Answer, Browser, Member, PASSWORD, Phone, World, body};

const DAY: Duration = Duration::from_secs(86_400);
const NUMBER: &str = "+46 70 123 45 67";
const STORED: &str = "+46701234567";

/// An owner, who can sign in again on another day, and a member.
struct Firm {
    world: World,
    ada: Browser,
    adas_phone: Phone,
    mara: Member,
}

impl Firm {
    fn new() -> Self {
        let (world, mut ada, adas_phone) = World::with_owner();
        let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
        Self { world, ada, adas_phone, mara }
    }

    /// The same people `d` later, both signed in anew.
    fn later(&mut self, d: Duration) {
        self.world.later(d);
        self.ada = sign_in(&self.world, "ada@fernhill.example", &self.adas_phone);
        self.mara.browser = sign_in(&self.world, &self.mara.email, &self.mara.phone);
    }

    /// Sends a form of Ada's about Mara with the number `contact` as evidence, whether or not the page offers it.
    fn called(&mut self, path: &str, contact: &str) -> Answer {
        act(&mut self.ada, &self.mara.id, path, &calling(contact))
    }

    /// What the newest entry about `action` says: its outcome, and the rule that said no.
    fn last(&self, action: Action) -> String {
        let entry = self.world.entries_of(action).pop().expect("there is such an entry");
        format!("{} {}", entry.header.outcome, body(&entry).fact("rule")).trim().to_owned()
    }
}

fn sign_in(world: &World, email: &str, phone: &Phone) -> Browser {
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(world, email, PASSWORD, phone).status, 303);
    browser
}

/// A well founded form that rests on a call to this number.
fn calling(contact: &str) -> [(&str, &str); 4] {
    [("evidence", "known_number"), ("number", contact), ("reason", "lost her phone"), ("codes_unavailable", "on")]
}

/// Adds a contact on the page at `path`.
fn add(browser: &mut Browser, path: &str, kind: &str, value: &str) -> Answer {
    assert_eq!(browser.get(path).status, 200, "{}", browser.page.text());
    browser.post(path, &[("kind", kind), ("value", value)])
}

fn add_own(browser: &mut Browser, kind: &str, value: &str) -> Answer {
    add(browser, "/profile/contacts", kind, value)
}

/// The id of the contact of this value that is in use.
fn id_of(world: &World, value: &str) -> String {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let sql = "SELECT id FROM contacts WHERE value = ?1 AND removed_at IS NULL";
    db.query_row(sql, [value], |row| row.get(0)).unwrap()
}

fn changes(world: &World) -> Vec<Entry> {
    world.entries_of(Action::UserContactChanged)
}

/// `added phone +46701234567` for an entry about contacts.
fn told(entry: &Entry) -> String {
    let read = body(entry);
    format!("{} {} {}", read.fact("change"), read.fact("kind"), read.fact("value"))
}

fn remove(browser: &mut Browser, page: &str, contact: &str) -> Answer {
    let path = format!("{page}/{contact}/remove");
    assert_eq!(browser.get(&path).status, 200, "{}", browser.page.text());
    browser.post(&path, &[])
}

#[test]
fn a_person_adds_and_removes_their_own_and_everything_stands_in_history_and_trail() {
    let Firm { world, mut ada, mut mara, .. } = Firm::new();
    let own = "/profile/contacts";
    assert!(mara.browser.get("/profile").body.contains("href=\"/profile/contacts\""));
    assert_eq!(add_own(&mut mara.browser, "phone", NUMBER).location(), own);
    assert_eq!(add_own(&mut mara.browser, "email", "Mara@Home.Example").location(), own);
    assert!(mara.browser.get(own).says("The contact was added."));
    assert!(mara.browser.page.says(STORED) && mara.browser.page.says("mara@home.example"));
    world.later(Duration::from_secs(60));
    assert_eq!(remove(&mut mara.browser, own, &id_of(&world, STORED)).location(), own);
    assert!(mara.browser.get(own).says("The contact was removed."));
    assert!(mara.browser.page.says(&format!("{STORED} Phone number 1 minute ago by Mara Lindqvist just now by Mara")));

    let entries = changes(&world);
    let wanted = ["added phone +46701234567", "added email mara@home.example", "removed phone +46701234567"];
    assert_eq!(entries.iter().map(told).collect::<Vec<_>>(), wanted);
    for entry in &entries {
        assert_eq!(body(entry).text("actor_name"), "Mara Lindqvist <mara@fernhill.example>");
        assert_eq!(entry.header.target_id.as_deref(), Some(mara.id.as_str()));
    }
    assert_eq!(body(&entries[2]).fact("known_since"), entries[0].header.at.to_string());
    assert!(ada.get(&format!("/admin/users/{}", mara.id)).says("Further e-mail address mara@home.example known since"));
    assert!(ada.get(&format!("/admin/users/{}/activity", mara.id)).says(&format!("Phone number removed: {STORED}")));
}

#[test]
fn an_admin_keeps_contacts_of_others_and_the_second_click_adds_nothing() {
    let Firm { world, mut ada, mara, .. } = Firm::new();
    let page = format!("/admin/users/{}/contacts", mara.id);
    for (kind, value) in [("phone", NUMBER), ("email", "mara@home.example"), ("manager", "Jonas Berg, HR")] {
        assert_eq!(add(&mut ada, &page, kind, value).location(), page, "{}", ada.page.text());
        let again = ada.post(&page, &[("kind", kind), ("value", value)]);
        assert!(again.status == 409 && again.says("This was done already"), "{}", again.text());
    }
    assert_eq!(rows(&world, "contacts", &mara.id), 3);
    assert_eq!(remove(&mut ada, &page, &id_of(&world, "Jonas Berg, HR")).location(), page);
    assert_eq!(told(changes(&world).last().unwrap()), "removed manager Jonas Berg, HR");
    assert_eq!(rows(&world, "contacts", &mara.id), 3, "what was removed stays as history");
    assert!(ada.get(&page).says("Jonas Berg, HR Manager just now by Ada Brandt just now by Ada Brandt"));
}

#[test]
fn what_can_not_be_taken_is_kept_and_said_beside_its_field() {
    let Firm { world, mut ada, mut mara, .. } = Firm::new();
    let before = world.head();
    let theirs = format!("/admin/users/{}/contacts", mara.id);
    for (kind, value, say) in [
        ("phone", "070 123 45 67", "Enter the number with its country code"),
        ("email", "mara at home", "Enter an e-mail address"),
        ("", NUMBER, "Choose what to add."),
        ("fax", NUMBER, "Choose what to add."),
    ] {
        for (browser, path) in [(&mut mara.browser, "/profile/contacts"), (&mut ada, theirs.as_str())] {
            let page = add(browser, path, kind, value);
            assert!(page.status == 422 && page.says(say), "{path}: {}", page.text());
            assert!(page.body.contains(&format!("value=\"{value}\"")), "{path} keeps {value}");
        }
    }
    assert_eq!(world.head(), before);
}

#[test]
fn there_are_five_of_a_kind_at_most_and_none_twice() {
    let Firm { world, mara, .. } = Firm::new();
    let mut browser = mara.browser;
    for n in 1..=5 {
        assert_eq!(add_own(&mut browser, "phone", &format!("+46 70 123 45 6{n}")).status, 303);
    }
    let page = add_own(&mut browser, "phone", "+46 70 123 45 66");
    assert!(page.status == 422 && page.says("There are 5 of this kind already."), "{}", page.text());
    assert_eq!(body(changes(&world).last().unwrap()).fact("rule"), "too_many_contacts");
    for (kind, value) in [("phone", "0046 70-123 45 61"), ("email", "MARA@fernhill.example")] {
        let page = add_own(&mut browser, kind, value);
        assert!(page.status == 422 && page.says("This is there already"), "{}", page.text());
        assert_eq!(body(changes(&world).last().unwrap()).fact("rule"), "contact_exists");
    }
    assert_eq!(rows(&world, "contacts", &mara.id), 5);
}

#[test]
fn adding_and_removing_ask_for_a_second_factor_that_was_shown_lately() {
    let Firm { world, mut mara, .. } = Firm::new();
    add_own(&mut mara.browser, "phone", NUMBER);
    let contact = id_of(&world, STORED);
    let before = world.head();
    world.later(Duration::from_secs(16 * 60));
    let page = add_own(&mut mara.browser, "email", "mara@home.example");
    assert!(page.status == 422 && page.says("confirm that it is you"), "{}", page.text());
    assert_eq!(remove(&mut mara.browser, "/profile/contacts", &contact).status, 422);
    assert_eq!(world.head(), before, "nothing was changed");
    let code = mara.phone.code(world.now());
    mara.browser.get("/profile/contacts");
    let fields = [("kind", "email"), ("value", "mara@home.example"), ("step_up_code", &*code)];
    assert_eq!(mara.browser.post("/profile/contacts", &fields).status, 303);
}

#[test]
fn nobody_says_for_themself_who_vouches_for_them() {
    let Firm { world, mut ada, mut mara, .. } = Firm::new();
    assert_eq!(add_own(&mut mara.browser, "manager", "Eve Adler").status, 422);
    add(&mut ada, &format!("/admin/users/{}/contacts", mara.id), "manager", "Jonas Berg");
    let path = format!("/profile/contacts/{}/remove", id_of(&world, "Jonas Berg"));
    assert!(mara.browser.get("/profile/contacts").says("Jonas Berg"), "they see it");
    assert_eq!(mara.browser.clone().get(&path).status, 404);
    assert_eq!(mara.browser.post(&path, &[]).status, 404);
    assert_eq!(changes(&world).len(), 1);
}

#[test]
fn an_admin_changes_neither_their_own_nor_a_superiors_contacts_in_the_console() {
    let Firm { world, mut ada, mara, .. } = Firm::new();
    let mut noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "admin");
    let owner = world.user("ada@fernhill.example").id.to_string();
    add_own(&mut ada, "phone", NUMBER);
    add_own(&mut noor.browser, "phone", "+46 70 765 43 21");
    // A nonce is good for any form of the session: the page of somebody whom she may look after gives one.
    noor.browser.get(&format!("/admin/users/{}/contacts", mara.id));
    let nonce = noor.browser.page.hidden("nonce").unwrap();
    for (id, number, rule) in [(&owner, STORED, "rank"), (&noor.id, "+46707654321", "yourself")] {
        let page = format!("/admin/users/{id}/contacts");
        let offered = noor.browser.get(&page);
        assert!(!offered.body.contains("name=\"value\"") && !offered.body.contains("/remove\""), "{}", offered.text());
        let fields = [("kind", "phone"), ("value", "+46 70 000 00 00"), ("nonce", nonce.as_str())];
        assert_eq!(noor.browser.post(&page, &fields).status, 403);
        let entry = changes(&world).pop().unwrap();
        assert_eq!((entry.header.outcome.as_str(), body(&entry).fact("rule").as_str()), ("denied", rule));
        let removal = format!("{page}/{}/remove", id_of(&world, number));
        let shown = noor.browser.clone().get(&removal);
        assert!(shown.status == 403 && !shown.body.contains(&removal), "no form to be refused: {}", shown.text());
        assert_eq!(noor.browser.post(&removal, &fields[2..]).status, 403);
        assert_eq!(body(changes(&world).last().unwrap()).fact("rule"), rule);
        assert_eq!(rows(&world, "contacts", id), 1);
        id_of(&world, number);
    }
}

#[test]
fn a_contact_is_removed_through_its_own_persons_address_alone() {
    let Firm { world, mut ada, mut mara, .. } = Firm::new();
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor Haddad", "member");
    let adas = world.user("ada@fernhill.example").id.to_string();
    add_own(&mut ada, "phone", NUMBER);
    let foreign = id_of(&world, STORED);
    let before = world.head();
    mara.browser.get("/profile/contacts");
    assert_eq!(mara.browser.post(&format!("/profile/contacts/{foreign}/remove"), &[]).status, 404);
    ada.get(&format!("/admin/users/{}/contacts", noor.id));
    assert_eq!(ada.post(&format!("/admin/users/{}/contacts/{foreign}/remove", noor.id), &[]).status, 404);
    assert_eq!((world.head(), rows(&world, "contacts", &adas)), (before, 1));
    id_of(&world, STORED);
}

#[test]
fn a_change_of_contacts_is_a_strong_signal_for_seven_days_and_a_refused_one_is_none() {
    let mut firm = Firm::new();
    let path = format!("/admin/users/{}/mfa/reset", firm.mara.id);
    assert!(firm.ada.get(&path).says("Password and contact details none in 7 days"));
    add_own(&mut firm.mara.browser, "email", "mara@fernhill.example");
    assert_eq!(firm.last(Action::UserContactChanged), "denied contact_exists");
    assert!(firm.ada.get(&path).says("Password and contact details none in 7 days"));
    add_own(&mut firm.mara.browser, "phone", NUMBER);
    remove(&mut firm.mara.browser, "/profile/contacts", &id_of(&firm.world, STORED));
    assert!(
        firm.ada
            .get(&path)
            .says("Password and contact details 2 changes within 7 days, last on 24 November 2026 unusual")
    );
    firm.later(7 * DAY);
    assert!(firm.ada.get(&path).says("Password and contact details none in 7 days"));
}

#[test]
fn the_database_itself_refuses_to_make_a_contact_older_or_to_forget_one() {
    let Firm { world, mut mara, .. } = Firm::new();
    add_own(&mut mara.browser, "phone", NUMBER);
    let db = rusqlite::Connection::open(world.database()).unwrap();
    for sql in [
        "UPDATE contacts SET known_since = known_since - 1",
        "UPDATE contacts SET value = '+46700000000'",
        "UPDATE contacts SET user_id = (SELECT id FROM users WHERE role = 'owner')",
        "DELETE FROM contacts",
    ] {
        let refused = db.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("a contact is removed") || refused.contains("contacts are removed"), "{refused}");
    }
    remove(&mut mara.browser, "/profile/contacts", &id_of(&world, STORED));
    assert!(db.execute("UPDATE contacts SET removed_at = NULL, removed_by = NULL", []).is_err(), "nor brings it back");
}

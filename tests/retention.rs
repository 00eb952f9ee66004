//! How long the audit log keeps what entries say: what is erased, when, what stays, and that the trail verifies for ever.

mod forged;
mod guarded;
mod told;

use idp::actions::checkpoint::keep_up;
use idp::actions::retention::erase;
use idp::audit::erasure::{LEAST_DAYS, is_kept};
use idp::audit::{Action, Entry};
use idp::policy::Key;
use idp::time::Clock;

use crate::carry_over::{Room, back_up};
use crate::cli_world::idp_on;
use crate::policy::{DAY, send, set, sign_in};
use crate::runbook::act;
use crate::world::{Browser, Member, Phone, World, body};

/// What nobody is to find any more.
pub const STORY: &str = "walks the dog behind the quarry on Tuesdays";
const ADA: &str = "ada@fernhill.example";

/// An organisation with a story in its trail.
pub struct Firm {
    pub world: World,
    pub ada: Browser,
    pub phone: Phone,
    pub mara: Member,
}

impl Firm {
    /// As it is long before now, with a clock that comes to about now once its story is old.
    pub fn new() -> Self {
        let begins = Clock::System.now().minus(DAY * 460);
        let (world, mut ada, phone) = World::by(Clock::at(begins), "http://localhost:8080", |_| ()).owned();
        let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
        assert_eq!(act(&mut ada, &mara.id, "/notes", &[("text", STORY)]).status, 303);
        Self { world, ada, phone, mara }
    }

    /// The same, whose owner has said that what entries say is kept for 400 days, and a month after the story got as old.
    pub fn aged() -> Self {
        let mut firm = Self::new();
        set(&mut firm.ada, Key::AuditKept, LEAST_DAYS);
        firm.grows_old();
        firm
    }

    /// Time passes until everything so far is old, and the server goes on.
    pub fn grows_old(&self) {
        self.world.later(DAY * 400);
        self.goes_on(31);
    }

    /// So many days of a server on which nobody does anything.
    pub fn goes_on(&self, days: u32) {
        for _ in 0..days {
            self.world.later(DAY);
            keep_up(&self.world.app.means.store, self.world.now(), false, false).unwrap();
        }
    }

    /// Ada is signed in, whatever the time.
    pub fn ada(&mut self) -> &mut Browser {
        sign_in(&self.world, &mut self.ada, ADA, &self.phone);
        &mut self.ada
    }

    /// The first entry that is not erased, and could be if it were older.
    pub fn young(&self) -> i64 {
        let last = self.erased().pop().unwrap_or(0);
        let entries = self.world.entries();
        entries.iter().find(|e| e.header.seq > last && !is_kept(&e.header.action)).unwrap().header.seq
    }

    pub fn erased(&self) -> Vec<i64> {
        self.world.entries().iter().filter(|e| e.body.is_none()).map(|e| e.header.seq).collect()
    }

    pub fn verify(&self, args: &[&str]) -> String {
        let ran = idp_on(&self.world.data(), &[&["audit", "verify"], args].concat());
        assert!(ran.code == 0 || ran.code == 1, "{ran:?}");
        ran.out
    }
}

fn last_before(entries: &[Entry], at: idp::time::Timestamp) -> i64 {
    entries.iter().rfind(|e| e.header.at < at).unwrap().header.seq
}

#[test]
fn what_old_entries_say_is_erased_where_owners_want_it_so_and_that_there_was_an_entry_stays() {
    let firm = Firm::aged();
    let before = firm.world.entries();
    assert!(before.iter().all(|e| e.body.is_some()));
    firm.world.sweep();
    let after = firm.world.entries();
    let through = last_before(&before, firm.world.now().minus(DAY * 400));
    for (was, is) in before.iter().zip(&after) {
        let erased = is.header.seq <= through && !is_kept(&is.header.action);
        assert_eq!((is.body.is_none(), is.salt.is_none()), (erased, erased), "{}", is.header.seq);
        let kept = |e: &Entry| (e.header.clone(), e.body_digest, e.prev_hash, e.hash);
        assert_eq!(kept(was), kept(is));
    }
    assert!(firm.erased().len() > 5 && after[0].body.is_some(), "what began the trail says so for ever");
    assert!(body(&after[0]).fact("origin").len() == 36);
    let [pruned] = &firm.world.entries_of(Action::AuditPruned)[..] else { panic!("one entry tells of it") };
    assert_eq!((pruned.header.actor_kind.as_str(), pruned.header.outcome.as_str()), ("system", "success"));
    let says = ["first", "through", "days"].map(|name| body(pruned).fact(name));
    assert_eq!(says, ["1".to_owned(), through.to_string(), "400".into()]);
    assert!(firm.verify(&[]).starts_with("UNANCHORED: consistent in itself"), "{}", firm.verify(&[]));
    // Nothing more is old, and one round more does nothing.
    firm.world.sweep();
    assert_eq!(firm.world.head(), pruned.header.seq);
}

#[test]
fn nothing_is_erased_by_itself_nor_a_moment_before_its_time() {
    let firm = Firm::new();
    firm.grows_old();
    firm.world.sweep();
    assert!(firm.erased().is_empty(), "unless owners ask for it, everything is kept for ever");

    let mut firm = Firm::new();
    set(&mut firm.ada, Key::AuditKept, 450);
    let note = firm.world.entries_of(Action::UserNoteAdded)[0].clone();
    firm.world.later(DAY * 418);
    firm.goes_on(31);
    let age = || firm.world.now().since(note.header.at);
    firm.world.later(DAY * 450 - age());
    assert_eq!(age(), DAY * 450);
    assert!(firm.erased().is_empty());
    firm.world.sweep();
    assert!(!firm.erased().contains(&note.header.seq), "it is not older than that yet");
    // What is a little more goes with what comes in a day.
    firm.goes_on(1);
    firm.world.sweep();
    assert!(firm.erased().contains(&note.header.seq));
}

#[test]
fn who_shortens_it_waits_a_day_in_which_all_owners_are_told_and_who_keeps_more_does_not() {
    let mut firm = Firm::new();
    let noor = firm.world.person(&mut firm.ada, "noor@fernhill.example", "Noor Haddad", "owner");
    let form = firm.ada.get("/admin/policy/audit_kept_days");
    assert!(form.says("Shorter is looser: it takes effect 24 hours after you save it"), "{}", form.text());
    assert!(form.says("A whole number from 400 to 3650, or 0 to keep them for ever."), "{}", form.text());
    assert!(form.says("What was erased before does not come back."));
    set(&mut firm.ada, Key::AuditKept, 500);
    let page = firm.ada.get("/admin/policy");
    assert!(page.says("Default: for ever. From 400 to 3650. 0 is for ever."), "{}", page.text());
    assert!(page.says("500 days from "), "{}", page.text());
    let told = "SELECT count(*) FROM notices WHERE kind = 'policy_loosened'
                AND facts ->> '$.what' = 'How long the audit log keeps details: for ever → 500 days'";
    assert_eq!(firm.world.count(told), 2);
    assert_eq!(crate::policy::now(&firm.world, Key::AuditKept), 0);
    firm.world.later(DAY);
    assert_eq!(crate::policy::now(&firm.world, Key::AuditKept), 500);
    set(firm.ada(), Key::AuditKept, 0);
    assert_eq!(crate::policy::now(&firm.world, Key::AuditKept), 0, "for ever is tighter, and holds at once");
    let log = firm.ada.get("/admin/audit?action=policy.updated");
    assert!(log.says("Policy, How long the audit log keeps details: 500 days to for ever"), "{}", log.text());
    drop(noor);
}

#[test]
fn fewer_than_four_hundred_days_are_refused_with_what_can_be_written() {
    let mut firm = Firm::new();
    for value in ["1", "399", "3651", "-1", "for ever"] {
        let page = send(&mut firm.ada, Key::AuditKept, value, "decided on Monday");
        assert_eq!(page.status, 422, "{value}");
        let said = "Write a whole number of days, from 400 to 3650, or 0 to keep them for ever.";
        assert!(page.says(said) && page.body.contains(&format!("value=\"{value}\"")), "{}", page.text());
    }
    assert_eq!(firm.world.count("SELECT count(*) FROM policy_settings"), 0);
}

#[test]
fn nothing_is_left_of_it_in_the_file_nor_in_its_log() {
    let firm = Firm::aged();
    assert!(firm.world.stores(STORY));
    let before = firm.world.entries();
    firm.world.sweep();
    assert!(!firm.world.stores(STORY), "in the file or its log");
    let erased = firm.erased();
    for entry in before.iter().filter(|e| erased.contains(&e.header.seq)) {
        let (seq, salt, body) = (entry.header.seq, entry.salt.unwrap(), entry.body.as_deref().unwrap());
        assert!(!firm.world.stores(salt) && !firm.world.stores(&body[..body.len().min(40)]), "{seq}: {body}");
    }
    let log = firm.world.data().join("idp.db-wal");
    assert_eq!(std::fs::metadata(log).map_or(0, |log| log.len()), 0, "the log was folded and emptied");
    // Nor in what is copied from it.
    let copy = back_up(&firm.world, "copy.db");
    let copy = std::fs::read(copy).unwrap();
    assert!(!copy.windows(STORY.len()).any(|w| w == STORY.as_bytes()));
}

#[test]
fn while_somebody_reads_the_log_stays_and_it_is_emptied_at_the_next_round() {
    let firm = Firm::aged();
    let reader = rusqlite::Connection::open(firm.world.database()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM audit;").unwrap();
    let _: i64 = reader.query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).unwrap();
    firm.world.sweep();
    assert!(!firm.erased().is_empty(), "nobody waits for a reader");
    assert!(firm.world.stores(STORY), "who reads sees what was there when they began");
    reader.execute_batch("COMMIT").unwrap();
    firm.world.sweep();
    assert!(!firm.world.stores(STORY));
}

#[test]
fn a_long_trail_is_erased_in_pieces_each_with_its_entry() {
    let mut firm = Firm::new();
    set(&mut firm.ada, Key::AuditKept, LEAST_DAYS);
    let person = (&firm.world.user("mara@fernhill.example")).into();
    for n in 0..1_100 {
        crate::cli_world::add_note(&firm.world.app.means.store, &person, &format!("{STORY} {n}"));
    }
    firm.grows_old();
    let pieces: Vec<_> = std::iter::from_fn(|| erase(&firm.world.app.means.store).unwrap()).collect();
    let ends: Vec<_> = pieces.iter().map(|p| (p.first, p.through)).collect();
    assert_eq!(ends[..2], [(1, 500), (501, 1000)]);
    assert_eq!(ends.len(), 2, "what is less than a piece waits for the next day: {ends:?}");
    firm.goes_on(1);
    firm.world.sweep();
    assert_eq!(firm.world.entries_of(Action::AuditPruned).len(), 3);
    assert!(!firm.world.stores(STORY));
    assert!(firm.verify(&[]).starts_with("UNANCHORED"), "{}", firm.verify(&[]));
}

#[test]
fn a_backup_from_before_brings_it_back_and_it_is_erased_again() {
    let firm = Firm::aged();
    let backup = back_up(&firm.world, "before.db");
    firm.world.sweep();
    let room = Room::of(&firm.world);
    room.restore(&backup, &[]);
    let after = room.open(&firm.world);
    assert!(after.stores(STORY), "a backup holds what it held");
    assert_eq!(after.entries_of(Action::AuditPruned).len(), 0);
    after.sweep();
    assert!(!after.stores(STORY));
    let [pruned] = &after.entries_of(Action::AuditPruned)[..] else { panic!("it is recorded again") };
    assert_eq!(body(pruned).fact("first"), "1");
    assert!(idp_on(&after.data(), &["audit", "verify"]).done().contains("consistent"));
}

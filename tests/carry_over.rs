//! What was decided after a backup stays decided when that backup is restored: with the real program, and browsers before
//! and after.

use std::path::{Path, PathBuf};

use idp::audit::Action;
use idp::time::Clock;

use crate::cli_world::idp_on;
use crate::profile::{add_app, factors};
use crate::runbook::act;
use crate::world::{Answer, Browser, Member, PASSWORD, Phone, World, body};

/// A password that replaces [`PASSWORD`].
pub const NEWER: &str = "velvet lantern forty-two";

/// An organisation that goes by the host's clock, as its commands do.
pub fn office() -> (World, Browser, Phone) {
    World::by(Clock::at(Clock::System.now()), "http://localhost:8080", |_| ()).owned()
}

/// Writes a backup of a world that goes on; where it is.
pub fn back_up(world: &World, name: &str) -> PathBuf {
    let file = world.data().with_file_name(name);
    idp_on(&world.data(), &["backup", file.to_str().unwrap()]).done();
    file
}

/// A data folder as a server leaves it that is stopped, and one on which it goes on.
pub struct Room(tempfile::TempDir);

impl Room {
    /// The world's folder at this moment.
    pub fn of(world: &World) -> Self {
        let room = Self::empty();
        for file in ["seed.key", "audit-signing.key"] {
            std::fs::copy(world.data().join(file), room.data().join(file)).unwrap();
        }
        let now = back_up(world, "now.db");
        std::fs::rename(now, room.database()).unwrap();
        room
    }

    /// A folder without anything.
    pub fn empty() -> Self {
        let room = tempfile::tempdir().unwrap();
        std::fs::create_dir(room.path().join("data")).unwrap();
        Self(room)
    }

    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub fn database(&self) -> PathBuf {
        self.data().join("idp.db")
    }

    /// Restores a backup into it; what the program says.
    pub fn restore(&self, backup: &std::path::Path, more: &[&str]) -> String {
        let mut args = vec!["restore", backup.to_str().unwrap()];
        args.extend(more);
        idp_on(&self.data(), &args).done()
    }

    /// Writes into its database as someone with `sqlite3` does.
    pub fn tamper(&self, sql: &str) {
        rusqlite::Connection::open(self.database()).unwrap().execute_batch(sql).unwrap();
    }

    /// The provider starts on it, at the time that `world` has reached.
    pub fn open(self, world: &World) -> World {
        World::on(self.0, world.clock.clone())
    }
}

/// Tries e-mail and password in a new browser.
pub fn knock(world: &World, email: &str, password: &str) -> Answer {
    world.browser().password(email, password)
}

/// Signs in anew, in a new browser.
pub fn enter(world: &World, member: &Member, password: &str) -> Browser {
    let mut browser = world.browser();
    let answer = browser.sign_in(world, &member.email, password, &member.phone);
    assert_eq!(answer.status, 303, "{}", answer.text());
    browser
}

fn change_password(browser: &mut Browser) {
    browser.get("/profile/password");
    let answer = browser.post("/profile/password", &[("current_password", PASSWORD), ("new_password", NEWER)]);
    assert_eq!(answer.status, 303, "{}", answer.text());
}

#[test]
fn an_old_backup_brings_back_no_disabled_person_no_role_no_factor_and_no_password() {
    let (world, mut ada, ada_phone) = office();
    let fired = world.person(&mut ada, "fired@fernhill.example", "Fired", "member");
    let noor = world.person(&mut ada, "noor@fernhill.example", "Noor", "admin");
    let lost = world.person(&mut ada, "lost@fernhill.example", "Lost", "member");
    let mut pat = world.person(&mut ada, "pat@fernhill.example", "Pat", "member");
    let mut kim = world.person(&mut ada, "kim@fernhill.example", "Kim", "member");
    let first = factors(&mut kim.browser);
    let second = add_app(&world, &mut kim.browser, "Second");
    let second_id = factors(&mut kim.browser).into_iter().find(|id| !first.contains(id)).unwrap();
    let backup = back_up(&world, "old.db");

    world.disable(&mut ada, &fired.id);
    idp_on(&world.data(), &["user", "role", "noor@fernhill.example", "member", "--reason", "another task"]).done();
    world.reset(&mut ada, &lost.id);
    change_password(&mut pat.browser);
    let path = format!("/profile/factors/{second_id}/remove");
    kim.browser.get(&path);
    assert_eq!(kim.browser.post(&path, &[]).status, 303, "{}", kim.browser.page.text());

    let room = Room::of(&world);
    let said = room.restore(&backup, &[]);
    for line in [
        "kept: Fired <fired@fernhill.example>: disabled since the backup",
        "kept: Noor <noor@fernhill.example>: member since the backup, no longer admin",
        "kept: Lost <lost@fernhill.example>: 1 second factors were removed since the backup",
        "kept: Pat <pat@fernhill.example>: the password chosen since the backup; the older one is void",
        "kept: Kim <kim@fernhill.example>: 1 second factors were removed since the backup",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(!said.contains("waiting:") && !said.contains("no active owner"), "{said}");
    assert_eq!(said.matches("kept: ").count(), 6, "five decisions and the replaced database: {said}");

    let after = room.open(&world);
    let stranger = knock(&after, "nobody@fernhill.example", PASSWORD);
    let told = |answer: &Answer| (answer.status, answer.says("E-mail address or password is not right."));
    assert_eq!(told(&stranger), (401, true));
    assert_eq!(told(&knock(&after, &fired.email, PASSWORD)), (401, true), "a disabled person is told as a stranger is");
    assert_eq!(told(&knock(&after, &pat.email, PASSWORD)), (401, true), "the older password");
    enter(&after, &pat, NEWER);
    assert_eq!(enter(&after, &noor, PASSWORD).get("/admin/users").status, 403);
    let answer = knock(&after, &lost.email, PASSWORD);
    assert!(answer.status == 403 && answer.says("An admin has to let you in"), "{}", answer.text());
    let mut with_second = after.browser();
    assert_eq!(with_second.sign_in(&after, &kim.email, PASSWORD, &second).status, 401, "a removed factor");
    enter(&after, &kim, PASSWORD);
    let mut owner = after.browser();
    assert_eq!(owner.sign_in(&after, "ada@fernhill.example", PASSWORD, &ada_phone).status, 303);
    assert!(!owner.get("/admin/users").says("Nobody but owners can sign in yet"));

    for (action, member) in [
        (Action::UserDisabled, &fired),
        (Action::UserRoleChanged, &noor),
        (Action::MfaFactorAdminReset, &lost),
        (Action::UserPasswordChanged, &pat),
    ] {
        let about = |e: &&idp::audit::Entry| e.header.target_id.as_deref() == Some(&member.id);
        let entries = after.entries_of(action);
        let entry = entries.iter().rfind(about).unwrap();
        assert_eq!((entry.header.actor_kind.as_str(), entry.header.outcome.as_str()), ("host", "success"));
        assert_eq!(body(entry).text("reason"), "carried over from the replaced database");
        // It names the entry in the replaced database that tells who decided it.
        let number: i64 = body(entry).fact("replaced_entry").parse().unwrap();
        let original = world.entries().into_iter().find(|e| e.header.seq == number).unwrap();
        assert_eq!(
            (original.header.action.as_str(), original.header.target_id.as_deref()),
            (action.as_str(), Some(&*member.id))
        );
    }
    assert!(after.entries().iter().all(|e| !e.body.as_deref().unwrap_or_default().contains("argon2")));
    let restored = after.entries_of(Action::SystemRestored).pop().unwrap();
    assert_eq!(
        (body(&restored).fact("people_confirmed"), body(&restored).fact("people_lost")),
        ("yes".into(), "0".into())
    );
}

#[test]
fn who_was_added_promoted_or_enabled_since_is_named_and_nobody_gets_more_than_the_backup_gives() {
    let (world, mut ada, _) = office();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let gone = world.person(&mut ada, "gone@fernhill.example", "Gone", "member");
    world.disable(&mut ada, &gone.id);
    let backup = back_up(&world, "old.db");
    idp_on(&world.data(), &["user", "role", "mara@fernhill.example", "admin"]).done();
    idp_on(&world.data(), &["user", "enable", "gone@fernhill.example", "--reason", "is back"]).done();
    world.person(&mut ada, "new@fernhill.example", "New", "auditor");
    let room = Room::of(&world);
    let said = room.restore(&backup, &[]);
    for line in [
        "lost: New <new@fernhill.example>: added since the backup, as auditor: add them again",
        "lost: Mara <mara@fernhill.example>: became admin since the backup",
        "lost: Gone <gone@fernhill.example>: enabled since the backup",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let after = room.open(&world);
    assert_eq!(enter(&after, &mara, PASSWORD).get("/admin/users").status, 403);
    assert_eq!(knock(&after, &gone.email, PASSWORD).status, 401);
    assert_eq!(after.count("SELECT count(*) FROM users WHERE email = 'new@fernhill.example'"), 0);
    assert_eq!(body(&after.entries_of(Action::SystemRestored)[0]).fact("people_lost"), "1");
}

#[test]
fn a_code_that_was_accepted_since_the_backup_is_not_accepted_again() {
    let (world, mut ada, _) = office();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let backup = back_up(&world, "old.db");
    enter(&world, &mara, PASSWORD);
    let used = mara.phone.code(world.now());
    let room = Room::of(&world);
    room.restore(&backup, &[]);
    let after = room.open(&world);
    let mut browser = after.browser();
    browser.password(&mara.email, PASSWORD);
    assert_eq!(browser.code(&used).status, 401);
    enter(&after, &mara, PASSWORD);
}

#[test]
fn a_contact_detail_that_was_removed_since_stays_removed() {
    let (world, mut ada, _) = office();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let mut browser = mara.browser;
    browser.get("/profile/contacts");
    let phone = [("kind", "phone"), ("value", "+46 8 555 01 77")];
    assert_eq!(browser.post("/profile/contacts", &phone).status, 303);
    let backup = back_up(&world, "old.db");
    let page = browser.get("/profile/contacts").body;
    let remove = page.split('"').find(|part| part.ends_with("/remove")).unwrap().to_owned();
    browser.get(&remove);
    assert_eq!(browser.post(&remove, &[]).status, 303);
    let room = Room::of(&world);
    let said = room.restore(&backup, &[]);
    assert!(said.contains("kept: 1 contact details that were removed since stay removed"), "{said}");
    let after = room.open(&world);
    assert_eq!(after.count("SELECT count(*) FROM contacts WHERE removed_by = 'Mara'"), 1);
    assert_eq!(body(&after.entries_of(Action::SystemRestored)[0]).fact("contacts_removed"), "1");
}

#[test]
fn a_demotion_of_the_only_owner_that_the_backup_knows_is_kept_and_whoever_restores_is_told_what_to_do() {
    let (world, mut ada, _) = office();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let backup = back_up(&world, "old.db");
    idp_on(&world.data(), &["user", "role", &mara.email, "owner"]).done();
    idp_on(&world.data(), &["user", "role", "ada@fernhill.example", "member"]).done();
    let room = Room::of(&world);
    let said = room.restore(&backup, &[]);
    assert!(said.contains("no active owner is left: make one before you start the server: idp user role"), "{said}");
    idp_on(&room.data(), &["user", "role", &mara.email, "owner"]).done();
    let after = room.open(&world);
    assert_eq!(enter(&after, &mara, PASSWORD).get("/admin/users").status, 200);
}

/// A world in which Fired was disabled, Pat and Ada chose new passwords, and Lost was reset since the backup `old.db`.
fn with_decisions() -> (World, PathBuf, [Member; 4]) {
    let (world, mut ada, ada_phone) = office();
    let fired = world.person(&mut ada, "fired@fernhill.example", "Fired", "owner");
    let mut pat = world.person(&mut ada, "pat@fernhill.example", "Pat", "member");
    let lost = world.person(&mut ada, "lost@fernhill.example", "Lost", "member");
    let backup = back_up(&world, "old.db");
    world.disable(&mut ada, &fired.id);
    change_password(&mut pat.browser);
    change_password(&mut ada);
    world.reset(&mut ada, &lost.id);
    let id = world.user("ada@fernhill.example").id.to_string();
    let ada = Member { browser: ada, phone: ada_phone, codes: Vec::new(), email: "ada@fernhill.example".into(), id };
    (world, backup, [fired, pat, lost, ada])
}

#[test]
fn a_database_whose_chain_is_broken_may_take_away_and_not_give() {
    let (world, backup, [fired, pat, lost, ada]) = with_decisions();
    let room = Room::of(&world);
    // An attacker plants a password of their own and hides a trace; the planted hash is Ada's, whose password they know.
    room.tamper(
        "DROP TRIGGER audit_is_append_only_update; UPDATE audit SET outcome = 'denied' WHERE seq = 3;
         UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE email = 'ada@fernhill.example')
         WHERE email = 'pat@fernhill.example'; UPDATE users SET role = 'owner' WHERE email = 'lost@fernhill.example'",
    );
    let said = room.restore(&backup, &[]);
    assert!(said.contains("kept: Fired <fired@fernhill.example>: disabled since the backup"), "{said}");
    assert!(said.contains("kept: Pat <pat@fernhill.example>: the password was changed since the backup, so the older"));
    assert!(said.contains("lost: Ada Brandt <ada@fernhill.example>: changed the password since the backup"), "{said}");
    assert!(said.contains("waiting: what was decided since the backup is not known for certain"), "{said}");
    let after = room.open(&world);
    // The owner who was fired does not come back to confirm themself.
    assert_eq!(knock(&after, &fired.email, PASSWORD).status, 401);
    assert_eq!(knock(&after, &pat.email, PASSWORD).status, 401);
    assert_eq!(knock(&after, &pat.email, NEWER).status, 401);
    let answer = knock(&after, &lost.email, PASSWORD);
    assert!(answer.status == 403 && answer.says("Please wait a little"), "{}", answer.text());
    assert!(enter(&after, &ada, PASSWORD).get("/admin/users").says("Nobody but owners can sign in yet"));
}

#[test]
fn what_was_decided_on_another_way_than_the_backups_is_kept_where_its_own_trail_tells_of_it() {
    let (world, old, [fired, pat, lost, ada]) = with_decisions();
    let newer = back_up(&world, "newer.db");
    // First the wrong backup; then, after one more decision, the right one.
    let room = Room::of(&world);
    room.restore(&old, &[]);
    idp_on(&room.data(), &["user", "disable", &pat.email]).done();
    let said = room.restore(&newer, &[]);
    assert!(said.contains("kept: Pat <pat@fernhill.example>: disabled since the backup"), "{said}");
    assert!(said.contains("waiting: "), "{said}");
    assert!(!said.contains("no active owner"), "{said}");
    let after = room.open(&world);
    for member in [&fired, &pat] {
        assert_eq!(knock(&after, &member.email, NEWER).status, 401);
    }
    assert_eq!(knock(&after, &lost.email, PASSWORD).status, 403);
    enter(&after, &ada, NEWER);
}

#[test]
fn who_left_since_the_backup_stays_away_whichever_way_the_replaced_database_went() {
    let (world, mut ada, ada_phone) = office();
    let gone = world.person(&mut ada, "gone@fernhill.example", "Gone", "member");
    let old = back_up(&world, "old.db");
    world.person(&mut ada, "later@fernhill.example", "Later", "member");
    let newer = back_up(&world, "newer.db");
    let leave = |there: &World, ada: &mut Browser| {
        let fields = [("reason", "moved to another firm"), ("confirmed", "on")];
        assert_eq!(act(ada, &gone.id, "/leave", &fields).status, 303, "{}", ada.page.text());
        Room::of(there)
    };
    let stays_away = |room: Room, backup: &Path| {
        let said = room.restore(backup, &[]);
        assert!(said.contains("kept: Gone <gone@fernhill.example>: left since the backup"), "{said}");
        let after = room.open(&world);
        assert_eq!(knock(&after, &gone.email, PASSWORD).status, 401);
        let entry = after.entries_of(Action::UserLeft).pop().unwrap();
        assert_eq!(body(&entry).text("reason"), "carried over from the replaced database");
        assert_eq!(after.count("SELECT count(*) FROM users WHERE status = 'left' AND password_hash IS NULL"), 1);
    };
    // The wrong backup was restored first; there they left, and now the right one takes its place.
    let room = Room::of(&world);
    room.restore(&old, &[]);
    let there = room.open(&world);
    let mut again = there.browser();
    assert_eq!(again.sign_in(&there, "ada@fernhill.example", PASSWORD, &ada_phone).status, 303);
    stays_away(leave(&there, &mut again), &newer);

    stays_away(leave(&world, &mut ada), &newer);
}

#[test]
fn a_database_that_is_older_than_the_backup_or_another_instances_decides_nothing() {
    let (world, old, [_, pat, ..]) = with_decisions();
    let newer = back_up(&world, "newer.db");
    let room = Room::of(&world);
    std::fs::copy(&old, room.database()).unwrap();
    let said = room.restore(&newer, &[]);
    assert!(
        said.contains("lost: nothing") && said.contains("waiting: ") && !said.contains("since the backup:"),
        "{said}"
    );
    let after = room.open(&world);
    assert_eq!(knock(&after, &pat.email, PASSWORD).status, 401, "the newer password stands");
    assert_eq!(after.entries_of(Action::UserDisabled).len(), 1);

    let (other, mut eve, _) = office();
    world.clock.set(other.now().max(world.now()));
    let namesake = other.person(&mut eve, "pat@fernhill.example", "Pat", "member");
    other.disable(&mut eve, &namesake.id);
    let room = Room::of(&world);
    std::fs::copy(back_up(&other, "other.db"), room.database()).unwrap();
    let said = room.restore(&newer, &[]);
    assert!(said.contains("lost: unknown") && said.contains("waiting: "), "{said}");
    assert_eq!(knock(&room.open(&world), &pat.email, NEWER).status, 403);
}

//! The audit trail itself: its chain, its time, its guards, and that a long day is told exactly.

use std::collections::BTreeSet;
use std::time::Duration;

use idp::actions::administer::change_role;
use idp::actions::authorise::By;
use idp::actions::grants::{Ask, Granted};
use idp::actions::recover::break_glass;
use idp::audit::chain::{body_digest, entry_hash};
use idp::audit::{Action, Entry};
use idp::recovery::{Evidence, Statement};
use idp::users::Role;
use rusqlite::Connection;

use crate::grants::DAILY;
use crate::runbook::{FOUNDED, act, owner_and_member, reset};
use crate::world::{Browser, Member, PASSWORD, Phone, World, body, host};

fn database(world: &World) -> Connection {
    Connection::open(world.database()).unwrap()
}

fn note(admin: &mut Browser, id: &str, text: &str) {
    assert_eq!(act(admin, id, "/notes", &[("text", text)]).status, 303);
}

#[test]
fn every_entry_follows_from_the_one_before_by_the_hashes_that_anyone_can_compute() {
    let (world, mut ada, mara) = owner_and_member();
    reset(&mut ada, &mara.id);
    let (mut prev, mut seq, mut salts) = ([0; 32], 0, BTreeSet::new());
    for entry in world.entries() {
        seq += 1;
        let Entry { header, salt: Some(salt), body: Some(text), .. } = &entry else { panic!("a body is missing") };
        assert_eq!(header.seq, seq);
        assert_eq!(entry.prev_hash, prev, "entry {seq}");
        assert_eq!(entry.body_digest, body_digest(salt, text), "entry {seq}");
        assert_eq!(entry.hash, entry_hash(&prev, header, &entry.body_digest), "entry {seq}");
        assert!(salts.insert(*salt), "a salt is used once");
        prev = entry.hash;
    }
    assert_eq!(seq, 17, "the owner, the member, the reset");
}

#[test]
fn time_never_falls_along_the_trail_and_a_clock_that_steps_back_is_recorded_once() {
    let (world, mut ada, mara) = owner_and_member();
    note(&mut ada, &mara.id, "before the step");
    let (before, top) = (world.head(), world.entries().pop().unwrap().header.at);
    world.clock.set(top.minus(Duration::from_secs(60)));
    for n in 0..3 {
        note(&mut ada, &mara.id, &format!("behind, {n}"));
        world.later(Duration::from_secs(10));
    }
    let told = ["system.clock_stepped success", "user.note_added success", "user.note_added success"];
    assert_eq!(world.story_since(before)[..3], told);
    assert_eq!(world.story_since(before).len(), 4);
    let stepped = world.entries_of(Action::SystemClockStepped).pop().unwrap();
    assert_eq!((stepped.header.actor_kind.as_str(), body(&stepped).fact("back_by_seconds").as_str()), ("system", "60"));
    assert!(world.entries().iter().filter(|e| e.header.seq > before).all(|e| e.header.at == top));

    // It catches up; a second step is told again.
    world.clock.set(top.plus(Duration::from_secs(5)));
    note(&mut ada, &mara.id, "caught up");
    assert_eq!(world.entries().pop().unwrap().header.at, top.plus(Duration::from_secs(5)));
    world.clock.set(top);
    note(&mut ada, &mara.id, "and back again");
    assert_eq!(world.entries_of(Action::SystemClockStepped).len(), 2);
    let times: Vec<_> = world.entries().iter().map(|e| e.header.at).collect();
    assert!(times.is_sorted());
}

#[test]
fn a_clock_that_is_slewed_by_less_than_a_second_is_no_event() {
    let (world, mut ada, mara) = owner_and_member();
    note(&mut ada, &mara.id, "before");
    world.clock.set(world.now().minus(Duration::from_millis(900)));
    note(&mut ada, &mara.id, "after");
    assert!(world.entries_of(Action::SystemClockStepped).is_empty());
}

#[test]
fn the_table_refuses_to_change_remove_replace_or_insert_out_of_order() {
    let (world, _, _) = owner_and_member();
    let (db, before) = (database(&world), world.entries().len());
    let columns = "lineage, at, action, outcome, actor_kind, actor_id, target_kind, target_id, case_number, salt, body, \
                   body_digest, prev_hash, hash";
    let copy = |seq: &str, from: &str| {
        format!("INTO audit (seq, {columns}) SELECT {seq}, {columns} FROM audit WHERE seq = {from}")
    };
    let head = world.head();
    for (statement, says) in [
        ("UPDATE audit SET outcome = 'denied' WHERE seq = 3".to_owned(), "never changed"),
        ("UPDATE audit SET body = body".into(), "never changed"),
        ("UPDATE OR REPLACE audit SET seq = 2 WHERE seq = 3".into(), "never changed"),
        ("DELETE FROM audit WHERE seq = 3".into(), "never deleted"),
        ("DELETE FROM audit".into(), "never deleted"),
        (format!("INSERT OR REPLACE {}", copy("3", "3")), "extends the chain"),
        (format!("REPLACE {}", copy("1", "2")), "extends the chain"),
        (format!("INSERT OR IGNORE {}", copy("3", "3")), "extends the chain"),
        (format!("INSERT {}", copy(&(head + 2).to_string(), "3")), "extends the chain"),
        // The next number, but not bound to the entry before it.
        (format!("INSERT {}", copy(&(head + 1).to_string(), "3")), "extends the chain"),
        // Bound to it, but at an earlier time.
        (
            format!(
                "INSERT INTO audit (seq, {columns}) SELECT {}, {} FROM audit WHERE seq = {head}",
                head + 1,
                columns.replace(" at,", " at - 1,").replace("prev_hash", "hash")
            ),
            "extends the chain",
        ),
    ] {
        let refused = db.execute(&statement, []).unwrap_err().to_string();
        assert!(refused.contains(says), "{statement}: {refused}");
    }
    assert_eq!(world.entries().len(), before);
}

#[test]
fn people_are_never_deleted_either() {
    let (world, _, mara) = owner_and_member();
    let refused = database(&world).execute("DELETE FROM users WHERE id = ?1", [&mara.id]).unwrap_err().to_string();
    assert!(refused.contains("people are disabled, never deleted"), "{refused}");
}

/// A day in the life: what each hour does, and every secret that came up.
struct Day {
    world: World,
    ada: Browser,
    phone: Phone,
    secrets: Vec<String>,
    mark: i64,
}

impl Day {
    fn new() -> Self {
        let (world, ada, phone) = World::with_owner();
        let secrets = vec![PASSWORD.to_owned()];
        world.without_second_person();
        Self { world, ada, phone, secrets, mark: 0 }
    }

    /// What was told since the last time this was asked, repetitions counted.
    fn told(&mut self) -> Vec<String> {
        let mut story: Vec<(String, u32)> = Vec::new();
        for line in self.world.story_since(self.mark) {
            match story.last_mut() {
                Some((last, times)) if *last == line => *times += 1,
                _ => story.push((line, 1)),
            }
        }
        self.mark = self.world.head();
        let line = |(line, times): (String, u32)| if times == 1 { line } else { format!("{line} x{times}") };
        story.into_iter().map(|(text, times)| line((text.replace(" success", ""), times))).collect()
    }

    fn secret(&mut self, secret: &str) -> String {
        self.secrets.push(secret.to_owned());
        self.secrets.push(secret.replace('-', ""));
        secret.to_owned()
    }

    /// Adds a person as the owner, and they accept.
    fn person(&mut self, email: &str, name: &str, role: &str) -> Member {
        let member = self.world.person(&mut self.ada, email, name, role);
        let codes = member.codes.clone();
        codes.iter().for_each(|code| drop(self.secret(code)));
        member
    }

    fn by_host(id: &str) -> Ask {
        Ask { by: By::Host, user: id.parse().unwrap(), nonce: None, source: host() }
    }
}

const INVITED: [&str; 6] = [
    "user.created",
    "user.invited",
    "user.password_changed",
    "mfa.factor_enrolled",
    "mfa.backup_codes_generated",
    "user.signed_in",
];

#[test]
fn a_long_day_is_told_exactly_and_no_entry_holds_a_secret() {
    let mut day = Day::new();
    assert_eq!(day.told(), [&["system.initialised"][..], &["user.invited", "user.created"], &INVITED[2..]].concat());
    let mut mara = day.person("mara@fernhill.example", "Mara Lindqvist", "member");
    assert_eq!(day.told(), INVITED);
    morning(&mut day, &mut mara);
    noon(&mut day, &mara);
    afternoon(&mut day, &mara);
    before_five(&mut day);
    before_six(&mut day);
    evening(&mut day);

    let seen: BTreeSet<String> = day.world.entries().into_iter().map(|e| e.header.action).collect();
    // These are caused by commands, or follow upon one; their tests are beside this one.
    let elsewhere = [
        Action::BackupCreated,
        Action::SystemRestored,
        Action::SystemUpgraded,
        Action::SystemPeopleConfirmed,
        Action::SystemKeyExported,
        // These need a mail server.
        Action::NoticeSent,
        Action::UserPasswordResetRequested,
        Action::UserPasswordResetCompleted,
        // These are told as stories of their own: approvals.rs, objections.rs, incidents.rs, followup.rs.
        Action::RecoveryApprovalRequested,
        Action::RecoveryApproved,
        Action::RecoveryApprovalDenied,
        Action::RecoveryApprovalLapsed,
        Action::RecoveryDisavowed,
        Action::RecoveryReassured,
        Action::RecoveryIncidentDeclared,
        Action::RecoveryFollowedUp,
    ];
    for action in Action::ALL.iter().filter(|a| !elsewhere.contains(a)) {
        assert!(seen.contains(action.as_str()), "{action} was never told");
    }
    // Secrets are typed in any case, so they are looked for in any.
    let stored = String::from_utf8_lossy(&day.world.everything_stored()).to_lowercase();
    let told: String = day.world.entries().into_iter().filter_map(|e| e.body).collect::<String>().to_lowercase();
    assert!(stored.contains("lost her phone on the train") && told.contains("lost her phone on the train"));
    for secret in day.secrets.iter().chain(day.ada.cookies.values()) {
        let secret = secret.to_lowercase();
        assert!(!told.contains(&secret), "an entry holds {secret}");
        assert!(!stored.contains(&secret), "the file holds {secret}");
    }
}

/// Mara looks after her own account.
fn morning(day: &mut Day, mara: &mut Member) {
    let browser = &mut mara.browser;
    browser.get("/profile");
    browser.post("/profile/factors", &[]);
    let tablet = Phone::scan(&browser.get("/profile/factors/new").body);
    let code = tablet.code(day.world.now());
    assert_eq!(browser.post("/profile/factors/new", &[("name", "Tablet"), ("code", &code)]).status, 303);
    let first = day.world.factor(&mara.id);
    let rename = format!("/profile/factors/{first}/rename");
    browser.get(&rename);
    assert_eq!(browser.post(&rename, &[("name", "old phone")]).status, 303);
    let remove = format!("/profile/factors/{first}/remove");
    browser.get(&remove);
    assert_eq!(browser.post(&remove, &[]).status, 303);
    let last = format!("/profile/factors/{}/remove", day.world.factor(&mara.id));
    browser.get(&last);
    assert_eq!(browser.post(&last, &[]).status, 422, "never the last one");
    browser.get("/profile/sessions");
    assert_eq!(browser.post("/profile/sessions/end", &[]).status, 303);
    assert_eq!(browser.post("/profile/devices/forget", &[]).status, 303);
    browser.get("/profile/password");
    let fields = [("current_password", PASSWORD), ("new_password", "orchard lantern forty")];
    assert_eq!(browser.post("/profile/password", &fields).status, 303);
    day.secrets.push("orchard lantern forty".into());
    browser.get("/profile/backup-codes");
    mara.codes = browser.post("/profile/backup-codes", &[]).codes();
    mara.codes.iter().for_each(|code| drop(day.secret(code)));
    browser.get("/profile/contacts");
    assert_eq!(browser.post("/profile/contacts", &[("kind", "phone"), ("value", "+46 70 123 45 67")]).status, 303);
    browser.get("/profile");
    assert_eq!(browser.post("/admin/audit/export", &[]).status, 403);
    browser.get("/profile");
    assert_eq!(browser.post("/sign-out", &[]).status, 303);
    let mut again = day.world.browser();
    again.password(&mara.email, "orchard lantern forty");
    assert_eq!(again.backup_code(&mara.codes[0]).location(), "/profile");
    assert_eq!(
        day.told(),
        [
            "mfa.factor_enrolled",
            "mfa.factor_renamed",
            "mfa.factor_removed",
            "mfa.factor_removed denied",
            "user.session_revoked",
            "user.device_forgotten",
            "user.password_changed",
            "mfa.backup_codes_generated",
            "user.contact_changed",
            "user.access_refused denied",
            "user.signed_out",
            "user.password_verified",
            "mfa.backup_code_used",
            "user.signed_in",
        ]
    );
}

/// Strangers try; a factor is worn out.
fn noon(day: &mut Day, mara: &Member) {
    for n in 0..3 {
        day.world.browser().password(&format!("nobody{n}@fernhill.example"), "open sesame, please");
    }
    day.secrets.push("open sesame, please".into());
    day.world.later(Duration::from_secs(120));
    day.world.sweep();
    let mut stranger = day.world.browser();
    for _ in 0..5 {
        stranger.password(&mara.email, "open sesame, please");
    }
    assert_eq!(day.told(), ["user.sign_in_failed failure x6"], "one for all on unknown accounts, five on a known one");
    // The long run of failures is put into the table, so that not every one of them costs a hash here.
    database(&day.world).execute("UPDATE failures SET count = 14 WHERE budget = 'account'", []).unwrap();
    while day.world.entries_of(Action::UserLocked).is_empty() {
        day.world.later(Duration::from_secs(900));
        stranger.password(&mara.email, "open sesame, please");
    }
    assert_eq!(day.told(), ["user.sign_in_failed failure", "user.locked"]);

    day.world.later(Duration::from_secs(900));
    let mut browser = day.world.browser();
    browser.password(&mara.email, "orchard lantern forty");
    let wrong = mara.phone.wrong_code(day.world.now());
    assert_eq!(browser.code(&wrong).status, 401);
    database(&day.world).execute("UPDATE failures SET count = 99 WHERE budget = 'totp'", []).unwrap();
    day.world.later(Duration::from_secs(900));
    browser.password(&mara.email, "orchard lantern forty");
    browser.code(&mara.phone.wrong_code(day.world.now()));
    assert_eq!(
        day.told(),
        [
            "user.password_verified",
            "mfa.challenge_failed failure",
            "user.password_verified",
            "mfa.challenge_failed failure",
            "mfa.factor_disabled",
        ]
    );
}

/// The owner resumes, looks after Mara, and is asked for a code.
fn afternoon(day: &mut Day, mara: &Member) {
    day.ada.get("/sign-in/resume");
    assert_eq!(day.ada.post("/sign-in/resume", &[("password", PASSWORD)]).status, 303);
    let path = format!("/admin/users/{}/mfa/reset", mara.id);
    day.ada.get(&path);
    let mut fields = FOUNDED.to_vec();
    let code = day.phone.code(day.world.now());
    fields.push(("step_up_code", &code));
    let pass = day.ada.post(&path, &fields).secret();
    day.secret(&pass);
    for code in act(&mut day.ada, &mara.id, "/mfa/backup-codes", &FOUNDED).codes() {
        day.secret(&code);
    }
    let temporary = act(&mut day.ada, &mara.id, "/password", &FOUNDED).secret();
    day.secret(&temporary);
    note(&mut day.ada, &mara.id, "on the phone with her");
    let mut browser = day.world.browser();
    browser.password(&mara.email, &temporary);
    browser.get("/enrol");
    browser.post("/enrol/pass", &[("pass", &pass)]);
    let phone = Phone::scan(&browser.get("/enrol").body);
    let codes = browser.post("/enrol", &[("code", &phone.code(day.world.now()))]).codes();
    codes.iter().for_each(|code| drop(day.secret(code)));
    browser.get("/sign-in/password");
    assert_eq!(browser.post("/sign-in/password", &[("new_password", "meadow anvil sixteen")]).status, 303);
    day.secrets.push("meadow anvil sixteen".into());
    assert_eq!(
        day.told(),
        [
            "user.step_up x2",
            "recovery.case_opened",
            "recovery.identity_verified",
            "mfa.factor_admin_reset",
            "mfa.enrolment_pass_issued",
            "recovery.identity_verified",
            "mfa.backup_codes_issued_by_admin",
            "recovery.identity_verified",
            "user.password_set_by_admin",
            "user.note_added",
            "user.password_verified",
            "user.step_up",
            "mfa.factor_enrolled",
            "recovery.completed",
            "mfa.backup_codes_generated",
            "user.password_changed",
            "user.signed_in",
        ]
    );
}

/// The small things that an admin is asked for, until somebody leaves for good.
fn before_five(day: &mut Day) {
    let lou = day.person("lou@fernhill.example", "Lou", "member");
    assert_eq!(day.told(), INVITED);
    for (path, fields, _) in DAILY.iter().filter(|(path, ..)| !["/role", "/unlock", "/leave"].contains(path)) {
        assert_eq!(act(&mut day.ada, &lou.id, path, fields).status, 303, "{path}");
    }
    assert_eq!(act(&mut day.ada, &lou.id, "/portrait", &[("id_note", "Passport, seen by HR")]).status, 303);
    for _ in 0..5 {
        day.world.browser().password("new@fernhill.example", "open sesame, please");
    }
    for (path, fields, _) in DAILY.iter().filter(|(path, ..)| ["/unlock", "/leave"].contains(path)) {
        assert_eq!(act(&mut day.ada, &lou.id, path, fields).status, 303, "{path}");
    }
    assert_eq!(
        day.told(),
        [
            "user.session_revoked",
            "user.password_reset_required",
            "user.updated",
            "user.email_changed",
            "user.portrait_changed",
            "user.sign_in_failed failure x5",
            "user.unlocked",
            "user.left",
            "mfa.factor_admin_reset",
            "user.portrait_changed",
        ]
    );
}

/// Someone comes and goes, an export, the host's commands, a window that closes, a clock that steps.
fn evening(day: &mut Day) {
    let kim = day.person("kim@fernhill.example", "Kim", "member");
    assert_eq!(day.told(), INVITED);
    act(&mut day.ada, &kim.id, "/disable", &[("reason", "left the firm")]);
    act(&mut day.ada, &kim.id, "/enable", &[("reason", "is back")]);
    change_role(&day.world.app.means, Day::by_host(&kim.id), Role::Auditor, "audits now".parse().unwrap()).unwrap();
    day.ada.get("/admin/audit");
    assert_eq!(day.ada.post("/admin/audit/export", &[("format", "jsonl")]).status, 200);
    reset(&mut day.ada, &kim.id);
    let statement =
        Statement { evidence: Some(Evidence::host(day.world.now())), reason: "a drill".parse().unwrap(), ticket: None };
    let me = day.world.user("ada@fernhill.example").id;
    let Granted::Yes(glass) = break_glass(&day.world.app.means, me, statement, host()).unwrap() else {
        panic!("refused")
    };
    let pass = day.secret(&glass.pass.unwrap().to_text());
    assert_eq!(pass.len(), 14);
    day.world.later(Duration::from_secs(3_600));
    day.world.sweep();
    day.world.clock.set(day.world.now().minus(Duration::from_secs(7_200)));
    let mut stranger = day.world.browser();
    stranger.address = "198.51.100.7".parse().unwrap();
    assert_eq!(stranger.password("ada@fernhill.example", "open sesame, please").status, 401);
    let reset =
        ["recovery.case_opened", "recovery.identity_verified", "mfa.factor_admin_reset", "mfa.enrolment_pass_issued"];
    let told = [
        &["user.disabled", "user.enabled", "user.role_changed", "audit.exported"][..],
        &reset,
        &reset,
        &["recovery.break_glass", "recovery.expired x2", "system.clock_stepped", "user.sign_in_failed failure"],
    ];
    assert_eq!(day.told(), told.concat());
}

/// Cases that end otherwise: refused, handed over and closed, approved, denied, objected to, an attack.
fn before_six(day: &mut Day) {
    let sam = day.person("sam@fernhill.example", "Sam", "admin");
    day.told();
    let mut sam = sam.browser;
    let lee = day.person("lee@fernhill.example", "Lee", "member");
    let pat = day.person("pat@fernhill.example", "Pat", "member");
    assert_eq!(day.told(), [INVITED, INVITED].concat());
    let case = |browser: &mut Browser, path: &str, fields: &[(&str, &str)]| {
        browser.get(path);
        let page = browser.post(path, fields);
        assert_eq!(page.status, 303, "{path}: {}", page.text());
        page.location().to_owned()
    };
    let open = [("reason", "called from an unknown number"), ("urgent", "on")];
    let refused = case(&mut sam, &format!("/admin/users/{}/case", lee.id), &open);
    case(&mut sam, &format!("{refused}/urgent"), &[]);
    case(&mut sam, &format!("{refused}/refuse"), &[("refusal", "pressure"), ("note", "shouted and hung up")]);
    let handed = case(&mut sam, &format!("/admin/users/{}/case", pat.id), &[("reason", "lost the phone")]);
    case(&mut sam, &format!("{handed}/escalate"), &[("message", "I do not know this person.")]);
    case(&mut day.ada, &format!("{handed}/close"), &[]);
    let policy = [("value", "30"), ("reason", "a quieter week")];
    case(&mut day.ada, "/admin/policy/evidence_minutes", &policy);
    assert_eq!(
        day.told(),
        [
            "recovery.case_opened",
            "recovery.urgency_changed",
            "recovery.refused",
            "recovery.case_opened",
            "recovery.escalated",
            "recovery.expired",
            "policy.updated",
        ]
    );
}

#[test]
fn no_change_is_done_whose_entry_a_planted_trigger_swallows_while_the_server_runs() {
    let (world, mut ada, _) = World::with_owner();
    let mara = world.person(&mut ada, "mara@fernhill.example", "Mara Lindqvist", "member");
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.execute_batch(
        "CREATE TRIGGER hide BEFORE INSERT ON audit WHEN new.action = 'user.note_added'
         BEGIN SELECT raise(IGNORE); END",
    )
    .unwrap();
    let (head, path) = (world.head(), format!("/admin/users/{}/notes", mara.id));
    ada.get(&path);
    assert_eq!(ada.post(&path, &[("text", "She called twice.")]).status, 500);
    assert_eq!(world.head(), head);
    db.execute_batch("DROP TRIGGER hide").unwrap();
    ada.get(&path);
    assert_eq!(ada.post(&path, &[("text", "She called twice.")]).status, 303);
    assert_eq!(world.entries_of(Action::UserNoteAdded).len(), 1);
}

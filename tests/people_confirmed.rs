//! After a restore that can not know what was decided since the backup, nobody but owners gets in until one of them has
//! confirmed who is here.

use std::time::Duration;

use idp::audit::Action;

use crate::carry_over::{Room, back_up, enter, knock, office};
use crate::cli_world::{Folder, idp_on};
use crate::runbook::act;
use crate::served::Server;
use crate::world::{Answer, Browser, Member, PASSWORD, Phone, World, body};

const PAGE: &str = "/admin/users/confirm";

/// An organisation that lost its host: restored from a backup into an empty folder, with the seed key.
struct Office {
    world: World,
    /// Ada, the owner, signed in.
    ada: Browser,
    ada_id: String,
    ada_phone: Phone,
    noor: Member,
    mara: Member,
    fired: Member,
    invitation: String,
}

fn restored() -> Office {
    let (before, mut ada, ada_phone) = office();
    let noor = before.person(&mut ada, "noor@fernhill.example", "Noor", "admin");
    let mara = before.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let fired = before.person(&mut ada, "fired@fernhill.example", "Fired", "auditor");
    before.invite(&mut ada, "joe@fernhill.example", "Joe", "member");
    let backup = back_up(&before, "one.db");
    let room = Room::empty();
    std::fs::copy(before.data().join("seed.key"), room.data().join("seed.key")).unwrap();
    assert!(room.restore(&backup, &[]).contains("waiting: "));
    let added = idp_on(
        &room.data(),
        &["user", "add", "lea@fernhill.example", "--name", "Lea", "--public-url", "https://x.example"],
    )
    .done();
    let invitation = added.trim()[added.find("/invitation/").unwrap()..].to_owned();
    let world = room.open(&before);
    let mut ada = world.browser();
    assert_eq!(ada.sign_in(&world, "ada@fernhill.example", PASSWORD, &ada_phone).status, 303);
    let ada_id = world.user("ada@fernhill.example").id.to_string();
    Office { world, ada, ada_id, ada_phone, noor, mara, fired, invitation }
}

fn waits(answer: &Answer) -> bool {
    answer.status == 403 && answer.says("Please wait a little") && answer.says("the office, +46 8 555 01 00")
}

#[test]
fn nobody_but_owners_gets_a_session_of_any_kind_before_an_owner_has_confirmed() {
    let office = restored();
    let world = &office.world;
    let before = world.count("SELECT count(*) FROM sessions");
    for member in [&office.noor, &office.mara, &office.fired] {
        let mut browser = world.browser();
        // Only to right credentials is anything said; others hear what strangers hear.
        assert!(waits(&browser.password(&member.email, PASSWORD)), "{}", browser.page.text());
        assert!(!browser.cookies.contains_key("idp-session"));
        assert_eq!(browser.code(&member.phone.code(world.now())).status, 401);
        assert_eq!(browser.backup_code(&member.codes[0]).status, 401);
        let answer = knock(world, &member.email, "a wrong password here");
        assert!(answer.status == 401 && answer.says("E-mail address or password is not right."));
        assert_eq!(
            answer.text(),
            knock(world, "nobody@fernhill.example", "a wrong password here")
                .text()
                .replace("nobody@fernhill.example", &member.email)
        );
    }
    // Nor by a link that was made since; the link stays good.
    let mut lea = world.browser();
    lea.get(&office.invitation);
    assert!(waits(&lea.post(&office.invitation, &[("password", PASSWORD)])), "{}", lea.page.text());
    assert_eq!(world.count("SELECT count(*) FROM sessions"), before);
    let why = world.entries_of(Action::UserSignInFailed);
    assert!(why.iter().any(|e| body(e).fact("why").contains("not confirmed since the restore")));

    let mut ada = office.ada;
    ada.get(PAGE);
    assert_eq!(ada.post(PAGE, &[]).location(), "/admin/users");
    lea.get(&office.invitation);
    assert_eq!(lea.post(&office.invitation, &[("password", PASSWORD)]).location(), "/enrol");
}

#[test]
fn a_session_that_stands_in_the_table_all_the_same_carries_nobody_but_an_owner() {
    let mut office = restored();
    office.ada.get(PAGE);
    office.ada.post(PAGE, &[]);
    let mut mara = enter(&office.world, &office.mara, PASSWORD);
    assert!(mara.is_signed_in());
    let db = rusqlite::Connection::open(office.world.database()).unwrap();
    db.execute("UPDATE instance SET people_confirmed = 0", []).unwrap();
    assert!(!mara.is_signed_in());
    assert!(office.ada.is_signed_in());
    mara.get("/sign-in");
    assert_eq!(mara.post("/profile/password", &[("csrf", &mara.csrf())]).status, 401);
}

#[test]
fn the_owner_is_told_on_every_page_and_confirms_with_corrections_in_one_step() {
    let Office { world, mut ada, noor, mara, fired, .. } = restored();
    for path in ["/admin/users", "/admin/recovery", "/admin/audit", "/profile"] {
        let page = ada.get(path);
        assert!(page.says("Nobody but owners can sign in yet") && page.body.contains(PAGE), "{path}");
    }
    let page = ada.get(PAGE);
    for email in ["ada@", "noor@", "mara@", "fired@", "joe@", "lea@"] {
        assert!(page.says(&format!("{email}fernhill.example")), "{email}: {}", page.text());
    }
    assert_eq!(ada.post(PAGE, &[("disable", &fired.id), ("demote", &noor.id)]).location(), "/admin/users");
    let page = ada.get("/admin/users");
    assert!(page.says("Everyone on it can sign in again.") && !page.says("Nobody but owners"), "{}", page.text());
    assert_eq!(knock(&world, &fired.email, PASSWORD).status, 401);
    assert_eq!(enter(&world, &noor, PASSWORD).get("/admin/users").status, 403);
    assert!(enter(&world, &mara, PASSWORD).is_signed_in());
    let entry = world.entries_of(Action::SystemPeopleConfirmed).pop().unwrap();
    assert_eq!((entry.header.outcome.as_str(), entry.header.actor_kind.as_str()), ("success", "person"));
    let fact = |name| body(&entry).fact(name);
    assert_eq!((fact("people"), fact("disabled"), fact("demoted")), ("6".into(), "1".into(), "1".into()));
    for action in [Action::UserDisabled, Action::UserRoleChanged] {
        let entry = world.entries_of(action).pop().unwrap();
        assert!(body(&entry).text("reason").contains("confirming the list of people"), "{action}");
    }
    // The page has done its work.
    assert_eq!(ada.get(PAGE).location(), "/admin/users");
    let doctor = idp_on(&world.data(), &["doctor"]).out;
    assert!(doctor.contains("nobody waits for an owner to confirm"), "{doctor}");
}

#[test]
fn only_an_owner_confirms_and_not_against_a_rule() {
    let Office { world, mut ada, ada_id, ada_phone, noor, mara, .. } = restored();
    ada.get(PAGE);
    let shown = ada.page.clone();
    // Nobody shuts themself out, however the form is filled in; then nothing of it is done.
    let answer = ada.post(PAGE, &[("disable", &mara.id), ("demote", &ada_id)]);
    assert_eq!(answer.status, 403, "{}", answer.text());
    let denied = world.entries_of(Action::SystemPeopleConfirmed).pop().unwrap();
    assert_eq!((denied.header.outcome.as_str(), body(&denied).fact("rule").as_str()), ("denied", "yourself"));
    assert!(waits(&knock(&world, &mara.email, PASSWORD)));
    ada.page = shown.clone();
    for bad in [[("disable", "x")], [("disable", "01935780-0000-7000-8000-000000000009")]] {
        ada.page = shown.clone();
        assert_eq!(ada.post(PAGE, &bad).status, 404);
    }
    assert_eq!(world.count("SELECT people_confirmed FROM instance"), 0);

    // Long after the sign-in a code is asked for, and the ticks are kept.
    world.later(Duration::from_secs(20 * 60));
    ada.page = shown;
    let page = ada.post(PAGE, &[("disable", &mara.id)]);
    assert!(page.status == 422 && page.says("confirm that it is you"), "{}", page.text());
    assert!(page.body.contains(&format!("value=\"{}\" checked", mara.id)), "{}", page.body);
    assert_eq!(world.count("SELECT people_confirmed FROM instance"), 0);
    let code = ada_phone.code(world.now());
    let twice = ada.page.clone();
    assert_eq!(ada.post(PAGE, &[("disable", &mara.id), ("step_up_code", &code)]).location(), "/admin/users");
    // The second click says the same and does nothing more.
    let entries = world.head();
    ada.page = twice;
    let csrf = ada.csrf();
    assert_eq!(ada.post(PAGE, &[("disable", &mara.id), ("csrf", &csrf)]).location(), "/admin/users");
    assert_eq!(world.head(), entries);

    let mut noor = enter(&world, &noor, PASSWORD);
    assert_eq!(noor.get(PAGE).status, 403);
    let nonce = idp::actions::nonce::Nonce::issue(&world.app.means.key, session_of(&world, &noor), world.now());
    let csrf = noor.csrf();
    assert_eq!(noor.post(PAGE, &[("csrf", &csrf), ("nonce", &nonce)]).status, 403);
    let denied = world.entries_of(Action::SystemPeopleConfirmed).pop().unwrap();
    assert_eq!(body(&denied).fact("rule"), "owners_only");
}

fn session_of(world: &World, browser: &Browser) -> idp::ids::SessionId {
    let token = idp::secret::Token::parse(&browser.cookies["idp-session"]).unwrap();
    let hash = token.hash(idp::secret::Purpose::Session);
    world.app.means.store.read(|tx| idp::storage::sessions::find(tx, &hash)).unwrap().unwrap().0.id
}

#[test]
fn a_second_restore_does_not_go_around_the_confirmation() {
    let (before, mut ada, _) = office();
    let mara = before.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let backup = back_up(&before, "one.db");
    let room = Room::empty();
    std::fs::copy(before.data().join("seed.key"), room.data().join("seed.key")).unwrap();
    room.restore(&backup, &[]);
    // The database that is replaced now is sound and goes on from the backup; but it was never confirmed.
    assert!(room.restore(&backup, &[]).contains("waiting: "));
    let unconfirmed = room.data().with_file_name("two.db");
    idp_on(&room.data(), &["backup", unconfirmed.to_str().unwrap()]).done();
    assert!(room.restore(&unconfirmed, &[]).contains("waiting: "));
    assert!(waits(&knock(&room.open(&before), &mara.email, PASSWORD)));
}

#[test]
fn five_hundred_people_fit_on_the_page_and_in_the_form() {
    let Office { world, mut ada, .. } = restored();
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let add = "INSERT INTO users (id, email, name, role, status, created_at)
               WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
               SELECT printf('01935780-0000-7000-8000-%012d', i), i || '@many.example', 'Person ' || i, 'admin', 'invited', 0 FROM n";
    db.execute(add, []).unwrap();
    let page = ada.get(PAGE);
    assert_eq!(page.body.matches("@many.example").count(), 500);
    let ids: Vec<String> = (1..=500).map(|i| format!("01935780-0000-7000-8000-{i:012}")).collect();
    let fields: Vec<(&str, &str)> = ids.iter().map(|id| ("disable", id.as_str())).collect();
    assert!(fields.iter().map(|(n, v)| n.len() + v.len() + 2).sum::<usize>() * 2 < 60_000, "also with both ticked");
    assert_eq!(ada.post(PAGE, &fields).location(), "/admin/users");
    assert_eq!(world.count("SELECT count(*) FROM users WHERE status = 'disabled'"), 500);
}

#[test]
fn who_ticks_more_than_a_form_holds_is_told_to_disable_some_first_which_works_while_everybody_waits() {
    let folder = Folder::new();
    let server = Server::start(&["--data", folder.data().to_str().unwrap()], |_| ());
    let ticks = |count| "disable=01935780-0000-7000-8000-000000000001&".repeat(count);
    let send = |path: &str, body: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let form = format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n", body.len());
        server.ask(&format!("{head}{form}{body}"))
    };
    let said = send(PAGE, &ticks(1_500));
    let says =
        ["You ticked more people than can be sent at once", "nobody has been let in", "first disable some of them"];
    assert!(said.status == 413 && says.iter().all(|what| said.body.contains(what)), "{}", said.body);
    assert_ne!(send(PAGE, &ticks(1_400)).status, 413, "as many as it says");
    let other = send("/admin/users/new", &ticks(1_500));
    assert!(other.status == 413 && !other.body.contains("ticked") && other.body.contains("Send less at once"));
    server.stop();

    let Office { world, mut ada, noor, mara, fired, .. } = restored();
    assert_eq!(act(&mut ada, &fired.id, "/disable", &[("reason", "was let go")]).status, 303, "{}", ada.page.text());
    idp_on(&world.data(), &["user", "disable", &noor.email, "--reason", "was let go"]).done();
    let page = ada.get(PAGE);
    for gone in [&fired, &noor] {
        assert!(page.says(&gone.email) && !page.body.contains(&format!("value=\"{}\"", gone.id)), "no tick is needed");
    }
    assert!(page.body.contains(&format!("value=\"{}\"", mara.id)));
    assert_eq!(ada.post(PAGE, &[]).location(), "/admin/users");
    assert_eq!((knock(&world, &fired.email, PASSWORD).status, knock(&world, &noor.email, PASSWORD).status), (401, 401));
    assert!(enter(&world, &mara, PASSWORD).is_signed_in());
}

#[test]
fn without_the_seed_key_no_older_app_works_and_everyone_is_let_in_again_by_an_audited_window() {
    let (before, mut ada, ada_phone) = office();
    let mara = before.person(&mut ada, "mara@fernhill.example", "Mara", "member");
    let backup = back_up(&before, "one.db");
    let room = Room::empty();
    let said = room.restore(&backup, &["--without-factors"]);
    assert!(said.contains("removed: the second factors of 2 people, who enrol again"), "{said}");
    let pass_of = |said: &str| said.lines().next().unwrap().strip_prefix("Pass:").unwrap().trim().to_owned();
    let reason = "restored without the key";
    let pass = pass_of(&idp_on(&room.data(), &["recover-owner", "ada@fernhill.example", "--reason", reason]).done());
    let world = room.open(&before);

    // The older phone and the older backup codes are worth nothing, for the owner too.
    let mut ada = world.browser();
    assert_eq!(ada.password("ada@fernhill.example", PASSWORD).location(), "/enrol");
    assert_ne!(ada.code(&ada_phone.code(world.now())).status, 303);
    assert!(!ada.is_signed_in());
    ada.get("/enrol");
    assert_eq!(ada.post("/enrol/pass", &[("pass", &pass)]).location(), "/enrol");
    world.enrol(&mut ada);
    assert!(waits(&knock(&world, &mara.email, PASSWORD)));
    ada.get(PAGE);
    assert_eq!(ada.post(PAGE, &[]).location(), "/admin/users");
    let answer = knock(&world, &mara.email, PASSWORD);
    assert!(answer.status == 403 && answer.says("An admin has to let you in"), "{}", answer.text());
    let pass = world.reset(&mut ada, &mara.id);
    let mut browser = world.browser();
    assert_eq!(browser.password(&mara.email, PASSWORD).location(), "/enrol");
    browser.get("/enrol");
    assert_eq!(browser.post("/enrol/pass", &[("pass", &pass)]).location(), "/enrol");
    world.enrol(&mut browser);
    assert!(browser.is_signed_in());
    assert_eq!(world.entries_of(Action::RecoveryBreakGlass).len(), 1);
    assert_eq!(world.entries_of(Action::RecoveryCompleted).len(), 2);
}

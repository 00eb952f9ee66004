//! `idp user` and `idp recover-owner`, beside a running server; help and version.

use std::process::Command;

#[path = "../examples/embed.rs"]
#[expect(dead_code, reason = "the example's main, which only prints")]
mod embed;

use crate::cli_world::{Folder, Ran, idp_on};
use crate::served::Server;
use crate::world::World;

#[test]
fn people_are_looked_after_from_the_host_beside_a_running_server() {
    let folder = Folder::new();
    let server = Server::start(&["--data", folder.data().to_str().unwrap()], |_| ());
    let link = folder.idp(&["user", "add", "mara@fernhill.example", "--name", "Mara Lindqvist"]).done();
    // The link begins as the running server says, and works at once.
    assert!(link.starts_with(&format!("http://localhost:{}/invitation/", server.address.rsplit(':').next().unwrap())));
    let path = &link.trim()[link.find("/invitation/").unwrap()..];
    assert!(server.get("GET", path).body.contains("Mara Lindqvist"));
    let again = folder.idp(&["user", "add", "MARA@fernhill.example", "--name", "Someone else"]);
    again.refused(1, "mara@fernhill.example is here already");
    let list = folder.idp(&["user", "list"]).done();
    assert!(list.contains("invited") && list.contains("mara@fernhill.example") && list.contains("0 factors"), "{list}");
    assert!(folder.idp(&["user", "list", "--search", "nobody"]).done().is_empty());
    let shown = folder.idp(&["user", "show", "mara@fernhill.example"]).done();
    assert!(shown.contains("Mara Lindqvist") && shown.contains("member"), "{shown}");
    folder.idp(&["user", "show", "joe@fernhill.example"]).refused(1, "there is nobody with the address or id");

    assert!(folder.idp(&["user", "role", "mara@fernhill.example", "admin"]).done().contains("is now admin"));
    assert!(folder.idp(&["user", "disable", "mara@fernhill.example"]).done().contains("is disabled"));
    assert!(folder.idp(&["user", "show", "mara@fernhill.example"]).done().contains("disabled"));
    assert_eq!(server.get("GET", path).status, 410, "disabling voids the link");
    folder.idp(&["user", "enable", "mara@fernhill.example", "--reason", "back from leave"]).done();

    let wrong = folder.idp(&["user", "add", "no-address", "--name", "X"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert_eq!(folder.idp(&["user", "role", "mara@fernhill.example", "king"]).code, 2);
    folder.idp(&["recover-owner", "mara@fernhill.example", "--reason", "lost phone"]).refused(1, "is no owner");
    assert_eq!(folder.idp(&["recover-owner", "mara@fernhill.example"]).code, 2, "a reason is required");

    let story = "SELECT group_concat(action, ' ') FROM (SELECT action FROM audit WHERE actor_kind = 'host'
                 AND target_kind = 'person' AND outcome = 'success' ORDER BY seq)";
    let conn = rusqlite::Connection::open(folder.database()).unwrap();
    let story: String = conn.query_row(story, [], |row| row.get(0)).unwrap();
    assert_eq!(story, "user.created user.invited user.role_changed user.disabled user.enabled");
    server.stop();
}

#[test]
fn the_only_owner_who_lost_the_phone_is_let_back_in_from_the_host() {
    let (world, mut ada, _) = World::with_owner();
    let idp = |args: &[&str]| idp_on(&world.data(), args);
    idp(&["user", "disable", "ada@fernhill.example"]).refused(1, "last");
    idp(&["user", "role", "ada@fernhill.example", "member"]).refused(1, "last");
    // The clock of this world stands still in the past or the future of the host's: the pass is for the host's hour.
    let said = idp(&["recover-owner", "ada@fernhill.example", "--reason", "phone lost, verified in person"]).done();
    let pass = said.lines().next().unwrap().strip_prefix("Pass:").unwrap().trim().to_owned();
    assert_eq!(pass.len(), 14, "{said}");
    assert!(!ada.is_signed_in());
    world.clock.set(idp::time::Clock::System.now());
    let mut browser = world.browser();
    assert_eq!(browser.password("ada@fernhill.example", crate::world::PASSWORD).location(), "/enrol");
    browser.get("/enrol");
    assert_eq!(browser.post("/enrol/pass", &[("pass", &pass)]).location(), "/enrol");
    world.enrol(&mut browser);
    assert!(browser.is_signed_in());
    assert_eq!(world.entries_of(idp::audit::Action::RecoveryBreakGlass).len(), 1);
}

#[test]
fn help_is_a_manual_every_command_has_its_sentence_and_every_option_its_own() {
    let idp = |args: &[&str]| Ran::of(Command::new(env!("CARGO_BIN_EXE_idp")).args(args).output().unwrap());
    let top = idp(&["--help"]).done();
    for word in ["Exit codes", "seed.key", "recover-owner", "serve", "restore"] {
        assert!(top.contains(word), "{word}: {top}");
    }
    let commands = |help: &str| -> Vec<String> {
        let list = help.split("Commands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
        let names = list.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   "));
        names.filter_map(|l| l.split_whitespace().next()).filter(|n| *n != "help").map(str::to_owned).collect()
    };
    let mut leaves = 0;
    for command in commands(&top) {
        let help = idp(&[&command, "--help"]).done();
        let below = commands(&help);
        let each = below.iter().map(|sub| (format!("{command} {sub}"), idp(&[&command, sub, "--help"]).done()));
        for (name, help) in each.chain([(command.clone(), help.clone())]) {
            let about = help.lines().next().unwrap();
            assert!(about.len() > 15 && about.contains(' '), "{name}: {about}");
            let lines: Vec<&str> = help.lines().collect();
            let options = lines.iter().enumerate().filter(|(_, l)| l.trim_start().starts_with('-') && l.contains("--"));
            for (n, option) in options.filter(|(_, l)| l.starts_with("  ") && !l.starts_with("       ")) {
                let beside = option.trim_start().contains("  ");
                let below = lines.get(n + 1).is_some_and(|l| l.starts_with("      ") && !l.trim().starts_with('-'));
                assert!(beside || below, "{name}: {option} has no words");
            }
            leaves += 1;
        }
    }
    assert!(leaves >= 15, "{leaves} commands");
    assert_eq!(idp(&[]).code, 2);
    assert_eq!(idp(&["severe"]).code, 2);
}

#[test]
fn the_version_names_the_sqlite_inside_which_has_the_fix_for_its_log() {
    let said = Folder::new().idp(&["version"]).done();
    let sqlite = said.split("SQLite ").nth(1).expect(&said).trim_end().trim_end_matches(')');
    let parts: Vec<u32> = sqlite.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(parts >= vec![3, 51, 3], "{sqlite}");
}

#[test]
fn an_embedder_gets_pages_without_a_socket() {
    let room = tempfile::tempdir().unwrap();
    let (status, page) = embed::sign_in_page(room.path().join("data")).unwrap();
    assert_eq!(status, 200);
    assert!(page.contains("Fernhill Joinery"), "{page}");
}

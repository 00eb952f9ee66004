//! What the host's operator meets: folders that are refused, the only owner without a phone, help and version.

use std::process::Command;

use crate::cli_world::{Folder, Ran, names};
use crate::world::World;

/// Runs `idp serve` where it has to refuse; if it serves instead, it is ended after a while and the code is another.
fn try_to_serve(folder: &Folder) -> Ran {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "60", env!("CARGO_BIN_EXE_idp"), "serve", "--listen", "127.0.0.1:0", "--data"]);
    Ran::of(command.arg(folder.data()).output().unwrap())
}

#[test]
fn a_folder_that_does_not_hold_what_it_should_is_refused_and_left_as_it_was() {
    let refused = |prepare: &dyn Fn(&Folder), what: &str| {
        let folder = Folder::new();
        prepare(&folder);
        // The lock's file says nothing, and may go.
        let ours = || names(&folder.data()).into_iter().filter(|name| name != "idp.lock").collect::<Vec<_>>();
        let before = ours();
        try_to_serve(&folder).refused(2, what);
        assert_eq!(ours(), before, "{what}");
    };
    let tampered = |sql: &'static str| move |folder: &Folder| folder.tamper(sql);
    let triggers = "DROP TRIGGER audit_is_append_only_update; DROP TRIGGER audit_is_append_only_delete;";
    refused(&|f| std::fs::remove_file(f.database()).unwrap(), "holds seed.key but no idp.db");
    refused(&|f| std::fs::remove_file(f.data().join("seed.key")).unwrap(), "holds a database but no seed.key");
    refused(&|f| std::fs::write(f.database(), "no database").unwrap(), "is not a usable database");
    refused(&|f| std::fs::write(f.database(), "").unwrap(), "another program made it, or none");
    refused(&tampered("PRAGMA application_id = 7"), "another program made it");
    refused(&tampered("PRAGMA user_version = 99"), "was written by a newer version");
    refused(&tampered("PRAGMA user_version = 0"), "its schema version is 0");
    refused(&tampered("UPDATE instance SET lineage = 'ffffffffffffffff'"), "belongs to another lineage");
    refused(&|f| f.tamper(&format!("{triggers} DELETE FROM audit")), "its audit trail is empty");
    let edited = format!("{triggers} UPDATE audit SET action = 'user.created' WHERE seq = 1");
    refused(&|f| f.tamper(&edited), "idp audit verify says more");
}

#[test]
fn the_only_owner_who_lost_the_phone_is_let_back_in_from_the_host() {
    let (world, mut ada, _) = World::with_owner();
    let idp = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        Ran::of(command.args(args).arg("--data").arg(world.data()).output().unwrap())
    };
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
